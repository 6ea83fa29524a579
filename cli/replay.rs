//! `ipcsim replay`: a schedule that was found, shown again.

use std::io;

use ipcsim_check::Seen;
use ipcsim_explore::{BadToken, Grain, Reduction, Reductions, ScheduleStep, Tracer, View, replay};
use ipcsim_kernel::State;
use ipcsim_report::{Recorder, Steps, trace};

use crate::args::{ReplayArgs, Shown};
use crate::exit::Exit;
use crate::input::{self, Opened};
use crate::run::{create, finish};
use crate::terminal::Terminal;

pub(crate) fn execute(args: &ReplayArgs, terminal: &Terminal) -> Exit {
    let opened = match input::open(&args.subject.file, &args.subject.input, terminal) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    if opened.loaded.machine.is_none() {
        return Exit::Unusable;
    }
    let (seen, view, schedule) = match opened.subject().follow(&args.token) {
        Ok(followed) => followed,
        Err(bad) => {
            terminal.error(&why(&args.token, &bad));
            return Exit::Unusable;
        }
    };
    match show(args, &opened, (&seen, &grain(&seen, view), &schedule), terminal) {
        Ok(()) => Exit::Yes,
        Err(error) => {
            terminal.error(&format!("the trace cannot be written: {error}"));
            Exit::Unusable
        }
    }
}

/// What counted as a step when a schedule was found.
pub(crate) fn grain(seen: &Seen, view: View) -> Grain {
    let reductions = match view.merge {
        Reduction::On => Reductions::MERGE,
        Reduction::Off => Reductions::NONE,
    };
    Grain::new(&seen.machine, reductions, seen.looks())
}

type Followed<'a> = (&'a Seen, &'a Grain, &'a [ScheduleStep]);

fn show(
    args: &ReplayArgs,
    opened: &Opened,
    followed: Followed,
    terminal: &Terminal,
) -> io::Result<()> {
    let (seen, grain, schedule) = followed;
    let header = trace::Header {
        version: trace::VERSION,
        scenario: opened.title(),
        hash: trace::fingerprint(&opened.text.bytes, &args.subject.input.sets),
        seed: 0,
        generator: format!("schedule/{}", args.token),
    };
    if let Some(path) = &args.trace {
        let mut writer = trace::Writer::new(create(path, args.force, &opened.text)?, &header);
        again(followed, &mut writer);
        writer.finish()?;
    }
    if args.format == Shown::Jsonl {
        let mut writer = trace::Writer::new(io::stdout().lock(), &header);
        again(followed, &mut writer);
        return finish(writer);
    }
    let mut recorder = Recorder::of_schedule(&seen.machine);
    again(followed, &mut recorder);
    let (steps, state) = Steps::of(&seen.machine, grain, schedule);
    let mut out = format!("{}\n\n", opened.title());
    out.push_str(&ipcsim_report::picture(&recorder.finish()));
    out.push('\n');
    out.push_str(&steps.text(""));
    out.push('\n');
    out.push_str(&ipcsim_report::end(&seen.machine, &state));
    terminal.print(&out);
    Ok(())
}

fn again<T: Tracer>((seen, grain, schedule): Followed, tracer: &mut T) -> State {
    replay(&seen.machine, grain, schedule, tracer)
}

pub(crate) fn why(token: &str, bad: &BadToken) -> String {
    match bad {
        BadToken::NoToken => {
            format!("`{token}` is not a token; `ipcsim explore` prints one with each schedule")
        }
        BadToken::Version => format!(
            "`{token}` was made by another version of this program, for which a step was something else; \
             explore the scenario again"
        ),
        BadToken::Scenario => {
            format!(
                "`{token}` was made for another scenario, for one with other changes by --set or other claims by --expect, or by another version"
            )
        }
        BadToken::NoWay(step) => {
            format!("`{token}` cannot be followed: after step {step} there is no such way")
        }
    }
}
