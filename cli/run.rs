//! `ipcsim run`: run scenarios and show what happened and why.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use ipcsim_explore::{
    GENERATOR, Limits, NoTrace, Outcome, Run, Stop, Tracer, Verdict, conclude, run,
};
use ipcsim_kernel::Machine;
use ipcsim_report::{Recorder, trace};
use ipcsim_scenario::Loaded;

use crate::args::{Format, RunArgs};
use crate::cures;
use crate::exit::Exit;
use crate::input::{self, Text};
use crate::terminal::{INTERRUPTED, Terminal, with_progress};

/// Runs every file that was named; the worst result counts.
pub(crate) fn execute(args: &RunArgs, terminal: &Terminal) -> Exit {
    if args.files.len() > 1 && args.trace.is_some() {
        terminal.error("--trace takes the trace of one scenario; name one file");
        return Exit::Unusable;
    }
    let mut worst = Exit::Yes;
    for (at, file) in args.files.iter().enumerate() {
        if at > 0 && args.format == Format::Text {
            terminal.print("\n");
        }
        worst = worst.max(execute_one(file, args, terminal));
        if worst == Exit::Interrupted {
            break;
        }
    }
    worst
}

fn execute_one(file: &str, args: &RunArgs, terminal: &Terminal) -> Exit {
    let (text, loaded) = match input::open(file, &args.input, terminal) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let Some(mut machine) = loaded.machine.clone() else { return Exit::Unusable };
    if let Some(seed) = args.seed {
        machine.timing.seed = seed;
    }
    match traced(&text, &loaded, &machine, args, terminal) {
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
    text: &Text,
    loaded: &Loaded,
    machine: &Machine,
    args: &RunArgs,
    terminal: &Terminal,
) -> io::Result<Exit> {
    let header = trace::Header {
        version: trace::VERSION,
        scenario: title(text, loaded),
        hash: trace::fingerprint(&text.bytes, &args.input.sets),
        seed: machine.timing.seed,
        generator: GENERATOR.to_string(),
    };
    let file = match &args.trace {
        None => None,
        Some(path) => Some(trace::Writer::new(create(path, text)?, &header)),
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
    if args.quiet {
        let (run, _, file) = run_with(text, machine, args, NoTrace, file);
        file.map_or(Ok(()), trace::Writer::finish)?;
        return Ok(report(text, loaded, machine, &run, None, terminal));
    }
    let (run, recorder, file) = run_with(text, machine, args, Recorder::new(machine), file);
    file.map_or(Ok(()), trace::Writer::finish)?;
    Ok(report(text, loaded, machine, &run, Some(recorder), terminal))
}

fn run_with<A: Tracer, B: Tracer>(
    text: &Text,
    machine: &Machine,
    args: &RunArgs,
    first: A,
    second: Option<B>,
) -> (Run, A, Option<B>) {
    with_progress(&text.name, |progress| {
        let limits = Limits {
            max_steps: args.max_steps,
            until_ns: args.until,
            interrupted: Some(&INTERRUPTED),
            progress: Some(progress),
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

fn report(
    text: &Text,
    loaded: &Loaded,
    machine: &Machine,
    run: &Run,
    recorder: Option<Recorder>,
    terminal: &Terminal,
) -> Exit {
    let verdict = conclude(machine, run);
    let mut out = String::new();
    if let Some(recorder) = recorder {
        out.push_str(&heading(text, loaded, machine));
        out.push_str(&ipcsim_report::picture(&recorder.finish()));
        out.push('\n');
    }
    let cures = match run.stop {
        Stop::Interrupted => Vec::new(),
        _ => cures::of_run(loaded, machine, run, &verdict),
    };
    out.push_str(&ipcsim_report::verdict(machine, run, &verdict, &cures));
    out.push_str(&ipcsim_report::measures(machine, &run.measures));
    out.push('\n');
    terminal.print(&out);
    // Whoever was tired of waiting for cures has lost nothing but those.
    if INTERRUPTED.load(Ordering::Relaxed) { Exit::Interrupted } else { exit(run, &verdict) }
}

/// What a scenario is called.
pub(crate) fn title(text: &Text, loaded: &Loaded) -> String {
    loaded.scenario.title.as_ref().map_or_else(|| text.name.clone(), |title| title.value.clone())
}

fn heading(text: &Text, loaded: &Loaded, machine: &Machine) -> String {
    let title = title(text, loaded);
    let seed = match machine.timing.seed {
        0 => String::new(),
        seed => format!("   (seed {seed})"),
    };
    format!("{title}{seed}\n\n")
}

fn exit(run: &Run, verdict: &Verdict) -> Exit {
    match (run.stop, verdict.outcome) {
        (Stop::Interrupted, _) => Exit::Interrupted,
        (_, Outcome::Completes) => Exit::Yes,
        (_, Outcome::Unfinished) => Exit::Undecided,
        (_, Outcome::Fails | Outcome::Deadlock | Outcome::Stranded | Outcome::Livelock) => Exit::No,
    }
}

/// The file of a trace. The scenario itself is no such file.
pub(crate) fn create(path: &Path, scenario: &Text) -> io::Result<File> {
    let is_scenario = path.canonicalize().is_ok_and(|path| {
        Path::new(&scenario.name).canonicalize().is_ok_and(|scenario| scenario == path)
    });
    if is_scenario {
        return Err(io::Error::other("that is the scenario itself"));
    }
    File::create(path)
}

/// Ends a trace on standard output. If its reader has gone away the rest is not wanted, which is no error.
pub(crate) fn finish<W: Write>(writer: trace::Writer<W>) -> io::Result<()> {
    match writer.finish() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
