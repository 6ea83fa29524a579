//! `ipcsim repair`: the smallest changes with which every schedule completes.

use ipcsim_report::{count, plural};
use ipcsim_session::{Budget, Covered, Repair, Repaired, Session, Subject, found, repair};
use similar::TextDiff;

use crate::args::{Output, RepairArgs};
use crate::budget::{RUN_STEPS, within};
use crate::exit::Exit;
use crate::input;
use crate::terminal::Terminal;

/// So many are shown with the change of the file; the others are named.
const SHOWN: usize = 4;

pub(crate) fn execute(args: &RepairArgs, terminal: &Terminal) -> Exit {
    let session = match input::open_usable(&args.subject.file, &args.subject.input, terminal) {
        Ok(session) => session,
        Err(unusable) => return terminal.unusable("repair", args.output, *unusable),
    };
    within(&args.subject.how, RUN_STEPS, |budget| repaired(args, &session, budget, terminal))
}

fn repaired(args: &RepairArgs, session: &Session, budget: &Budget, terminal: &Terminal) -> Exit {
    let subject = session.subject();
    let Some(machine) = session.machine() else { return Exit::Unusable };
    if args.output == Output::Human {
        terminal.print(&format!("{}\n\n", session.title()));
    }
    let repair = repair(&subject, machine, budget);
    match args.output {
        Output::Human => terminal.print(&told(&subject, &repair)),
        Output::Json => {
            let mut scenario = session.found();
            scenario.repair = Some(found::of_repair(&repair));
            terminal.json("repair", vec![scenario]);
        }
    }
    match &repair {
        _ if budget.is_interrupted() => Exit::Interrupted,
        Repair::Undecided(_) => Exit::Undecided,
        Repair::Helped { .. } if repair.is_undecided() => Exit::Undecided,
        Repair::Helped { cures, .. } if cures.is_empty() => Exit::No,
        Repair::Completes { .. } | Repair::Helped { .. } => Exit::Yes,
    }
}

fn told(subject: &Subject, found: &Repair) -> String {
    match found {
        Repair::Completes { states, hides, fair_only } => {
            let fair = if *fair_only {
                "under weak fairness: a scheduler with strict priorities may pass a thread over for ever\n"
            } else {
                ""
            };
            let states = plural(*states, "state");
            let hidden = if *hides {
                "a deadlock that only a timeout ends is not repaired: `ipcsim explore` shows it\n"
            } else {
                ""
            };
            format!("every schedule completes already ({states}, a proof)\n{hidden}{fair}")
        }
        Repair::Undecided(Covered::Interrupted) => "interrupted\n".into(),
        Repair::Undecided(_) => {
            "not decided: there are too many schedules to see what is to be repaired\n".into()
        }
        Repair::Helped { cures, tried, undecided, .. } => {
            let tried = format!("{} tried", count(*tried as u64));
            let undecided = match undecided {
                0 => String::new(),
                some => format!(", {} with too many schedules to decide", count(*some as u64)),
            };
            if cures.is_empty() {
                let (what, more) = if found.is_undecided() {
                    ("not decided: no small change was found", "; not all were tried to the end")
                } else {
                    ("no small change was found", "")
                };
                return format!(
                    "{what} with which every schedule completes ({tried}{undecided}{more})\n"
                );
            }
            let delivers = |it: &Repaired| it.cure.delivers_all;
            let messages =
                if cures.iter().all(delivers) { ", and every message arrives" } else { "" };
            let mut out = format!(
                "with any one of these every schedule completes{messages} ({tried}{undecided})\n"
            );
            for (number, cure) in cures.iter().take(SHOWN).enumerate() {
                out.push_str(&one(subject, number, cure));
            }
            for cure in cures.iter().skip(SHOWN) {
                out.push_str(&format!("\nor: {}{}\n", cure.what, but(cure)));
            }
            out
        }
    }
}

fn one(subject: &Subject, number: usize, repaired: &Repaired) -> String {
    let before = &subject.loaded.sources[0];
    let states = plural(repaired.cure.states, "state");
    let diff = TextDiff::from_lines(&*before.text, &*repaired.text);
    let diff = diff.unified_diff().context_radius(1).header(&before.name, &before.name).to_string();
    format!("\n{}. {}{} ({states})\n{diff}", number + 1, repaired.what, but(repaired))
}

/// What is to be said against a cure.
fn but(repaired: &Repaired) -> String {
    let promise = repaired.cure.promise();
    promise.split_once(", ").map_or(String::new(), |(_, but)| format!("; {but}"))
}
