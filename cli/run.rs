//! `ipcsim run`: run scenarios and show what happened and why.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ipcsim_check::{of_run, result};
use ipcsim_explore::{
    GENERATOR, Limits, NoTrace, Outcome, Reason, Run, RunProgress, Stop, Tracer, Verdict, conclude,
    run,
};
use ipcsim_kernel::Machine;
use ipcsim_report::{Recorder, count, time, trace};

use crate::args::{Format, How, RunArgs};
use crate::budget::within;
use crate::exit::Exit;
use crate::input::{self, Opened, Text};
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
    found: &mut Vec<result::Scenario>,
    terminal: &Terminal,
) -> Exit {
    let opened = match input::open_usable(file, &args.input, terminal) {
        Ok(opened) => opened,
        Err(unusable) => {
            found.push(*unusable);
            return Exit::Unusable;
        }
    };
    let Some(mut machine) = opened.loaded.machine.clone() else { return Exit::Unusable };
    if let Some(seed) = args.seed {
        machine.timing.seed = seed;
    }
    match traced(&opened, &machine, args, found, terminal) {
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
    opened: &Opened,
    machine: &Machine,
    args: &RunArgs,
    found: &mut Vec<result::Scenario>,
    terminal: &Terminal,
) -> io::Result<Exit> {
    let text = &opened.text;
    let header = trace::Header {
        version: trace::VERSION,
        scenario: opened.title(),
        hash: trace::fingerprint(&text.bytes, &args.input.sets),
        seed: machine.timing.seed,
        generator: GENERATOR.to_string(),
    };
    let file = match &args.trace {
        None => None,
        Some(path) => Some(trace::Writer::new(create(path, args.force, text)?, &header)),
    };
    if args.format == Format::Jsonl {
        let out = trace::Writer::new(io::stdout().lock(), &header);
        let (run, out, file) = run_with(text, machine, args, out, file);
        let has_reader = !out.has_enough();
        file.map_or(Ok(()), trace::Writer::finish)?;
        finish(out)?;
        if !has_reader {
            return Ok(Exit::Yes);
        }
        let verdict = conclude(machine, &run);
        terminal.tell(&ipcsim_report::verdict(machine, &run, &verdict, &[]));
        return Ok(exit(&run, &verdict));
    }
    if args.quiet || args.format == Format::Json {
        let (run, _, file) = run_with(text, machine, args, NoTrace, file);
        file.map_or(Ok(()), trace::Writer::finish)?;
        return Ok(report(opened, args, (machine, &run, None), found, terminal));
    }
    let (run, recorder, file) = run_with(text, machine, args, Recorder::new(machine), file);
    file.map_or(Ok(()), trace::Writer::finish)?;
    Ok(report(opened, args, (machine, &run, Some(recorder)), found, terminal))
}

fn run_with<A: Tracer, B: Tracer>(
    text: &Text,
    machine: &Machine,
    args: &RunArgs,
    first: A,
    second: Option<B>,
) -> (Run, A, Option<B>) {
    let progress = RunProgress::default();
    let line = || progress_line(&text.name, &progress);
    watched(Bounds::of(args.max_memory), &line, |cancellation| {
        let limits = Limits {
            max_steps: args.max_steps,
            until_ns: args.until,
            cancelled: Some(cancellation),
            progress: Some(&progress),
        };
        match second {
            None => {
                let mut tracer = first;
                let run = run(machine, &limits, &mut tracer);
                (run, tracer, None)
            }
            Some(second) => {
                let mut tracers = (first, second);
                let run = run(machine, &limits, &mut tracers);
                (run, tracers.0, Some(tracers.1))
            }
        }
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
    opened: &Opened,
    args: &RunArgs,
    (machine, run, recorder): (&Machine, &Run, Option<Recorder>),
    found: &mut Vec<result::Scenario>,
    terminal: &Terminal,
) -> Exit {
    let verdict = conclude(machine, run);
    let subject = opened.subject();
    let cures = match run.stop {
        Stop::Cancelled(_) => Vec::new(),
        _ => within(
            &How { max_memory: args.max_memory, ..How::default() },
            args.max_steps,
            |budget| of_run(&subject, machine, run, &verdict, budget),
        ),
    };
    if args.format == Format::Json {
        let mut scenario = result::Scenario::of(&subject, opened.title());
        scenario.run = Some(result::of_run(machine, run, &verdict));
        scenario.cures = Some(cures);
        found.push(scenario);
    } else {
        let mut out = String::new();
        if let Some(recorder) = recorder {
            out.push_str(&heading(opened, machine));
            out.push_str(&ipcsim_report::picture(&recorder.finish()));
            out.push('\n');
        }
        let cures: Vec<String> =
            cures.iter().map(|cure| format!("{} ({})", cure.what, cure.promise())).collect();
        out.push_str(&ipcsim_report::verdict(machine, run, &verdict, &cures));
        out.push_str(&ipcsim_report::measures(machine, &run.measures));
        out.push('\n');
        terminal.print(&out);
    }
    // Whoever was tired of waiting for cures has lost nothing but those.
    if INTERRUPTED.load(Ordering::Relaxed) { Exit::Interrupted } else { exit(run, &verdict) }
}

fn heading(opened: &Opened, machine: &Machine) -> String {
    let seed = match machine.timing.seed {
        0 => String::new(),
        seed => format!("   (seed {seed})"),
    };
    format!("{}{seed}\n\n", opened.title())
}

fn exit(run: &Run, verdict: &Verdict) -> Exit {
    match (run.stop, verdict.outcome) {
        (Stop::Cancelled(Reason::Interrupted), _) => Exit::Interrupted,
        (_, Outcome::Completes) => Exit::Yes,
        (_, Outcome::Unfinished) => Exit::Undecided,
        (_, Outcome::Fails | Outcome::Deadlock | Outcome::Stranded | Outcome::Livelock) => Exit::No,
    }
}

/// The file of a trace. What is there already and is no trace is left alone, if nothing else was said.
pub(crate) fn create(path: &Path, force: bool, scenario: &Text) -> io::Result<File> {
    let is_scenario = path.canonicalize().is_ok_and(|path| {
        Path::new(&scenario.name).canonicalize().is_ok_and(|scenario| scenario == path)
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
