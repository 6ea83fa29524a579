//! `ipcsim replay`: a schedule that was found, shown again.

use std::io;

use ipcsim_report::{Recorder, Steps, trace};
use ipcsim_session::{BadToken, Followed, Session};

use crate::args::{ReplayArgs, Shown};
use crate::exit::Exit;
use crate::input;
use crate::run::{create, finish};
use crate::terminal::Terminal;

pub(crate) fn execute(args: &ReplayArgs, terminal: &Terminal) -> Exit {
    let session = match input::open(&args.subject.file, &args.subject.input, terminal) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    if session.machine().is_none() {
        return Exit::Unusable;
    }
    let followed = match session.replay(&args.token) {
        Ok(followed) => followed,
        Err(bad) => {
            terminal.error(&why(&args.token, &bad));
            return Exit::Unusable;
        }
    };
    match show(args, &session, &followed, terminal) {
        Ok(()) => Exit::Yes,
        Err(error) => {
            terminal.error(&format!("the trace cannot be written: {error}"));
            Exit::Unusable
        }
    }
}

fn show(
    args: &ReplayArgs,
    session: &Session,
    followed: &Followed,
    terminal: &Terminal,
) -> io::Result<()> {
    let header = trace::Header {
        version: trace::VERSION,
        scenario: session.title(),
        hash: trace::fingerprint(session.bytes(), &args.subject.input.sets),
        seed: 0,
        generator: format!("schedule/{}", args.token),
    };
    if let Some(path) = &args.trace {
        let mut writer = trace::Writer::new(create(path, args.force, session)?, &header);
        followed.perform(&mut writer);
        writer.finish()?;
    }
    if args.format == Shown::Jsonl {
        let mut writer = trace::Writer::new(io::stdout().lock(), &header);
        followed.perform(&mut writer);
        return finish(writer);
    }
    let machine = &followed.seen.machine;
    let mut recorder = Recorder::of_schedule(machine);
    followed.perform(&mut recorder);
    let (steps, state) = Steps::of(machine, &followed.grain, &followed.schedule);
    let mut out = format!("{}\n\n", session.title());
    out.push_str(&ipcsim_report::picture(&recorder.finish()));
    out.push('\n');
    out.push_str(&steps.text(""));
    out.push('\n');
    out.push_str(&ipcsim_report::end(machine, &state));
    terminal.print(&out);
    Ok(())
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
