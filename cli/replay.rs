//! `ipcsim replay`: a schedule that was found, shown again.

use std::io;

use ipcsim_explore::{BadToken, Grain, Looks, ScheduleStep, Tracer, follow, replay};
use ipcsim_kernel::{Machine, State};
use ipcsim_report::{Recorder, Steps, trace};

use crate::args::{Format, ReplayArgs};
use crate::exit::Exit;
use crate::explore::{fingerprint, reductions};
use crate::input::{self, Text};
use crate::run::{create, finish, title};
use crate::terminal::Terminal;

pub(crate) fn execute(args: &ReplayArgs, terminal: &Terminal) -> Exit {
    let (text, loaded) = match input::open(&args.subject.file, &args.subject.input, terminal) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let Some(machine) = &loaded.machine else { return Exit::Unusable };
    let print = fingerprint(&text, &args.subject.input.sets);
    let schedule = match follow(machine, Looks::NOTHING, &args.token, print) {
        Ok(schedule) => schedule,
        Err(bad) => {
            terminal.error(&why(&args.token, &bad));
            return Exit::Unusable;
        }
    };
    let title = title(&text, &loaded);
    match show(args, machine, &schedule, &text, &title, terminal) {
        Ok(()) => Exit::Yes,
        Err(error) => {
            terminal.error(&format!("the trace cannot be written: {error}"));
            Exit::Unusable
        }
    }
}

fn show(
    args: &ReplayArgs,
    machine: &Machine,
    schedule: &[ScheduleStep],
    text: &Text,
    title: &str,
    terminal: &Terminal,
) -> io::Result<()> {
    let header = trace::Header {
        version: trace::VERSION,
        scenario: title.to_string(),
        hash: trace::fingerprint(&text.bytes, &args.subject.input.sets),
        seed: 0,
        generator: format!("schedule/{}", args.token),
    };
    if let Some(path) = &args.trace {
        let mut writer = trace::Writer::new(create(path, text)?, &header);
        again(machine, args, schedule, &mut writer);
        writer.finish()?;
    }
    if args.format == Format::Jsonl {
        let mut writer = trace::Writer::new(io::stdout().lock(), &header);
        again(machine, args, schedule, &mut writer);
        return finish(writer);
    }
    let mut recorder = Recorder::of_schedule(machine);
    again(machine, args, schedule, &mut recorder);
    let (steps, _) = Steps::of(
        machine,
        &Grain::new(machine, reductions(&args.subject.how), Looks::NOTHING),
        schedule,
    );
    let mut out = format!("{title}\n\n");
    out.push_str(&ipcsim_report::picture(&recorder.finish()));
    out.push('\n');
    out.push_str(&steps.text(""));
    terminal.print(&out);
    Ok(())
}

fn again<T: Tracer>(
    machine: &Machine,
    args: &ReplayArgs,
    schedule: &[ScheduleStep],
    tracer: &mut T,
) -> State {
    replay(
        machine,
        &Grain::new(machine, reductions(&args.subject.how), Looks::NOTHING),
        schedule,
        tracer,
    )
}

pub(crate) fn why(token: &str, bad: &BadToken) -> String {
    match bad {
        BadToken::NoToken => {
            format!("`{token}` is no token; `ipcsim explore` prints one with each schedule")
        }
        BadToken::Version => format!("`{token}` was made by another version of this program"),
        BadToken::Scenario => {
            format!(
                "`{token}` was made for another scenario, or for one with other changes by --set"
            )
        }
        BadToken::NoWay(step) => {
            format!("`{token}` cannot be followed: after step {step} there is no such way")
        }
    }
}
