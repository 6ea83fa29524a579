//! `ipcsim run`: run scenarios and show what happened and why.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ipcsim_report::{Recorder, count, time, trace};
use ipcsim_session::{
    GENERATOR, Limits, NoTrace, Outcome, Ran, Reason, RunProgress, Session, Stop, Tracer, found,
};

use crate::args::{Format, How, RunArgs};
use crate::budget::within;
use crate::exit::Exit;
use crate::input;
use crate::terminal::{INTERRUPTED, Terminal};
use crate::watch::{Bounds, watched};

/// Runs every file that was named; the worst result counts.
pub(crate) fn execute(args: &RunArgs, terminal: &Terminal) -> Exit {
    if args.files.len() > 1 && args.trace.is_some() {
        terminal.error("--trace takes the trace of one scenario; name one file");
        return Exit::Unusable;
    }
    let mut worst = Exit::Yes;
    let mut found = Vec::new();
    for (at, file) in args.files.iter().enumerate() {
        if at > 0 && args.format == Format::Human {
            terminal.print("\n");
        }
        worst = worst.max(execute_one(file, args, &mut found, terminal));
        if worst == Exit::Interrupted {
            break;
        }
    }
    if args.format == Format::Json {
        terminal.json("run", found);
    }
    worst
}

fn execute_one(
    file: &str,
    args: &RunArgs,
    found: &mut Vec<found::Scenario>,
    terminal: &Terminal,
) -> Exit {
    let session = match input::open_usable(file, &args.input, terminal) {
        Ok(session) => session,
        Err(unusable) => {
            found.push(*unusable);
            return Exit::Unusable;
        }
    };
    match traced(&session, args, found, terminal) {
        Ok(exit) => exit,
        Err(error) => {
            let path = args
                .trace
                .as_ref()
                .map_or_else(|| "standard output".into(), |path| path.display().to_string());
            terminal.error(&format!("the trace cannot be written to {path}: {error}"));
            Exit::Unusable
        }
    }
}

/// Runs with whatever traces were asked for.
fn traced(
    session: &Session,
    args: &RunArgs,
    found: &mut Vec<found::Scenario>,
    terminal: &Terminal,
) -> io::Result<Exit> {
    let Some(machine) = session.machine() else { return Ok(Exit::Unusable) };
    let header = trace::Header {
        version: trace::VERSION,
        scenario: session.title(),
        hash: trace::fingerprint(session.bytes(), &args.input.sets),
        seed: args.seed.unwrap_or(machine.timing.seed),
        generator: GENERATOR.to_string(),
    };
    let file = match &args.trace {
        None => None,
        Some(path) => Some(trace::Writer::new(create(path, args.force, session)?, &header)),
    };
    if args.format == Format::Jsonl {
        let out = trace::Writer::new(io::stdout().lock(), &header);
        let (ran, out) = run_with(session, args, out, file)?;
        let has_reader = !out.has_enough();
        finish(out)?;
        if !has_reader {
            return Ok(Exit::Yes);
        }
        terminal.tell(&ipcsim_report::verdict(&ran.machine, &ran.run, &ran.verdict, &[]));
        return Ok(exit(&ran));
    }
    if args.quiet || args.format == Format::Json {
        let (ran, _) = run_with(session, args, NoTrace, file)?;
        return Ok(report(session, args, (&ran, None), found, terminal));
    }
    let (ran, recorder) = run_with(session, args, Recorder::new(machine), file)?;
    Ok(report(session, args, (&ran, Some(recorder)), found, terminal))
}

/// Runs with a tracer and, if one was asked for, a trace in a file.
fn run_with<T: Tracer>(
    session: &Session,
    args: &RunArgs,
    mut tracer: T,
    file: Option<trace::Writer<File>>,
) -> io::Result<(Ran, T)> {
    let progress = RunProgress::default();
    let line = || progress_line(session.name(), &progress);
    watched(Bounds::of(args.max_memory), &line, |cancellation| {
        let limits = Limits {
            max_steps: args.max_steps,
            until_ns: args.until,
            cancelled: Some(cancellation),
            progress: Some(&progress),
        };
        let (ran, tracer) = match file {
            None => (session.run(args.seed, &limits, &mut tracer), tracer),
            Some(file) => {
                let mut both = (tracer, file);
                let ran = session.run(args.seed, &limits, &mut both);
                both.1.finish()?;
                (ran, both.0)
            }
        };
        Ok((ran.expect("a scenario with errors was refused"), tracer))
    })
}

/// How far a run is: steps, simulated time, memory.
fn progress_line(name: &str, progress: &RunProgress) -> String {
    let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
    format!(
        "{name}: {} steps, {} of simulated time, {} MiB",
        count(of(&progress.steps)),
        time(of(&progress.now_ns)),
        ipcsim_heap::IN_USE.load(Ordering::Relaxed) >> 20
    )
}

fn report(
    session: &Session,
    args: &RunArgs,
    (ran, recorder): (&Ran, Option<Recorder>),
    found: &mut Vec<found::Scenario>,
    terminal: &Terminal,
) -> Exit {
    let how = How { max_memory: args.max_memory, ..How::default() };
    let cures = within(&how, args.max_steps, |budget| session.cures_of_run(ran, budget));
    if args.format == Format::Json {
        let mut scenario = session.found();
        scenario.run = Some(ran.found());
        scenario.cures = Some(cures);
        found.push(scenario);
    } else {
        let mut out = String::new();
        if let Some(recorder) = recorder {
            out.push_str(&heading(session, ran.machine.timing.seed));
            out.push_str(&ipcsim_report::picture(&recorder.finish()));
            out.push('\n');
        }
        let cures: Vec<String> =
            cures.iter().map(|cure| format!("{} ({})", cure.what, cure.promise())).collect();
        out.push_str(&ipcsim_report::verdict(&ran.machine, &ran.run, &ran.verdict, &cures));
        out.push_str(&ipcsim_report::measures(&ran.machine, &ran.run.measures));
        out.push('\n');
        terminal.print(&out);
    }
    // Whoever was tired of waiting for cures has lost nothing but those.
    if INTERRUPTED.load(Ordering::Relaxed) { Exit::Interrupted } else { exit(ran) }
}

fn heading(session: &Session, seed: u64) -> String {
    let seed = match seed {
        0 => String::new(),
        seed => format!("   (seed {seed})"),
    };
    format!("{}{seed}\n\n", session.title())
}

fn exit(ran: &Ran) -> Exit {
    match (ran.run.stop, ran.verdict.outcome) {
        (Stop::Cancelled(Reason::Interrupted), _) => Exit::Interrupted,
        (_, Outcome::Completes) => Exit::Yes,
        (_, Outcome::Unfinished) => Exit::Undecided,
        (_, Outcome::Fails | Outcome::Deadlock | Outcome::Stranded | Outcome::Livelock) => Exit::No,
    }
}

/// The file of a trace. What is there already and is no trace is left alone, if nothing else was said.
pub(crate) fn create(path: &Path, force: bool, scenario: &Session) -> io::Result<File> {
    if path == Path::new("-") {
        return Err(io::Error::other("--trace names a file; --format jsonl prints the trace"));
    }
    let is_scenario = path.canonicalize().is_ok_and(|path| {
        Path::new(scenario.name()).canonicalize().is_ok_and(|scenario| scenario == path)
    });
    if is_scenario {
        return Err(io::Error::other("that is the scenario itself"));
    }
    if !force && holds_something_else(path)? {
        return Err(io::Error::other("the file exists and is not a trace; --force writes over it"));
    }
    File::create(path)
}

/// Whether a file holds something that is no trace. Devices and pipes hold nothing.
fn holds_something_else(path: &Path) -> io::Result<bool> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() && metadata.len() > 0 => {
            let mut begin = [0; trace::BEGIN.len()];
            let read = File::open(path)?.read(&mut begin)?;
            Ok(begin[..read] != *trace::BEGIN)
        }
        _ => Ok(false),
    }
}

/// Ends a trace on standard output. If its reader has gone away the rest is not wanted, which is no error.
pub(crate) fn finish<W: Write>(writer: trace::Writer<W>) -> io::Result<()> {
    match writer.finish() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
