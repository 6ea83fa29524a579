//! `ipcsim repair`: the smallest changes with which every schedule completes.

#![expect(clippy::disallowed_types, reason = "whoever waits has said for how long")]

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ipcsim_explore::{Covered, Delivery, Exploration, Looks, Outcome};
use ipcsim_report::{count, plural};
use ipcsim_scenario::{LoadOptions, Remedy, load, remedies};
use similar::TextDiff;

use crate::args::{How, RepairArgs, Subject};
use crate::exit::Exit;
use crate::explore::search;
use crate::input;
use crate::run::title;
use crate::terminal::{INTERRUPTED, Terminal};

/// A remedy whose schedules have more states than this is not waited for.
const STATES: u64 = 200_000;
/// So many are tried, pairs included.
const TRIED: usize = 2_000;
/// So many are shown.
const SHOWN: usize = 4;
/// Of remedies that differ in a number only, so many are combined with others.
const IN_PAIRS: usize = 2;

pub(crate) fn execute(args: &RepairArgs, terminal: &Terminal) -> Exit {
    let subject = &args.subject;
    let (text, loaded) = match input::open(&subject.file, &subject.input, terminal) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let Some(machine) = &loaded.machine else { return Exit::Unusable };
    terminal.print(&format!("{}\n\n", title(&text, &loaded)));
    let mut found = search(machine, &subject.how, Looks::NOTHING);
    if found.why_not_whole().is_some() && !completes(&found) {
        found = search(machine, &whole(&subject.how, subject.how.max_states), Looks::NOTHING);
    }
    if found.covered == Covered::Interrupted {
        return Exit::Interrupted;
    }
    if completes(&found) {
        let states = plural(found.states(), "state");
        terminal.print(&format!("every schedule completes already ({states}, a proof)\n"));
        return Exit::Yes;
    }
    if found.covered != Covered::All {
        terminal.print("not decided: there are too many schedules to see what is to be repaired\n");
        return Exit::Undecided;
    }
    let source = &loaded.sources[0].text;
    let mut trial = Trial {
        subject,
        text: source,
        wanted: Wanted { delivery: found.delivery, left_over: found.left_over() },
        begun: Instant::now(),
        tried: 0,
        undecided: 0,
    };
    let all = remedies(source);
    let mut helped = trial.singles(&all);
    if helped.is_empty() {
        helped = trial.pairs(&all);
    }
    trial.tell(&helped, &text.name, terminal);
    match helped.is_empty() {
        _ if INTERRUPTED.load(Ordering::Relaxed) => Exit::Interrupted,
        true => Exit::No,
        false => Exit::Yes,
    }
}

/// Messages must be looked at on every schedule.
fn whole(how: &How, max_states: u64) -> How {
    How {
        no_por: true,
        no_symmetry: true,
        max_states: max_states.min(how.max_states),
        ..how.clone()
    }
}

fn completes(found: &Exploration) -> bool {
    found.covered == Covered::All
        && found.endings.iter().all(|ending| ending.outcome == Outcome::Completes)
}

/// What becomes of the messages now; a remedy must not make it worse.
struct Wanted {
    delivery: Delivery,
    /// How many are left over where everything is complete; what lies about in a deadlock is no measure.
    left_over: u64,
}

/// What helps, and how many states there are then.
struct Helped<'r> {
    remedies: Vec<&'r Remedy>,
    states: u64,
}

struct Trial<'a> {
    subject: &'a Subject,
    text: &'a str,
    wanted: Wanted,
    begun: Instant,
    tried: usize,
    /// How many had too many schedules.
    undecided: usize,
}

impl<'a> Trial<'a> {
    /// Of each kind the smallest that helps.
    fn singles<'r>(&mut self, all: &'r [Remedy]) -> Vec<Helped<'r>> {
        let mut helped: Vec<Helped> = Vec::new();
        for remedy in all {
            if helped.last().is_some_and(|last| last.remedies[0].kind == remedy.kind) {
                continue;
            }
            if self.is_over() {
                break;
            }
            helped.extend(self.try_out(vec![remedy]));
        }
        helped
    }

    /// Two remedies together, each of another kind.
    fn pairs<'r>(&mut self, all: &'r [Remedy]) -> Vec<Helped<'r>> {
        let small = |at: &usize| {
            let same = all[..*at].iter().rev().take_while(|other| other.kind == all[*at].kind);
            same.count() < IN_PAIRS
        };
        let all: Vec<&Remedy> = (0..all.len()).filter(small).map(|at| &all[at]).collect();
        let mut helped = Vec::new();
        for (at, one) in all.iter().enumerate() {
            for other in all[at + 1..].iter().filter(|other| other.kind != one.kind) {
                if self.is_over() || helped.len() > SHOWN {
                    return helped;
                }
                helped.extend(self.try_out(vec![*one, *other]));
            }
        }
        helped
    }

    fn is_over(&self) -> bool {
        let time_is_over = self
            .subject
            .how
            .time
            .is_some_and(|ns| self.begun.elapsed() >= Duration::from_nanos(ns));
        time_is_over || self.tried >= TRIED || INTERRUPTED.load(Ordering::Relaxed)
    }

    fn try_out<'r>(&mut self, remedies: Vec<&'r Remedy>) -> Option<Helped<'r>> {
        let text = Remedy::apply(self.text, &remedies)?;
        let input = &self.subject.input;
        let options = LoadOptions { sets: input.sets.clone(), max_threads: input.max_threads };
        let machine = load("repaired", text.as_bytes(), &options).machine?;
        self.tried += 1;
        let found = search(&machine, &whole(&self.subject.how, STATES), Looks::NOTHING);
        if found.covered != Covered::All
            && found.endings.iter().all(|ending| ending.outcome == Outcome::Completes)
        {
            self.undecided += 1;
        }
        let delivers = self.wanted.delivery == Delivery::Failed || found.delivery == Delivery::Good;
        let leaves_no_more = found.left_over() <= self.wanted.left_over;
        (completes(&found) && delivers && leaves_no_more)
            .then_some(Helped { remedies, states: found.states() })
    }

    fn tell(&self, helped: &[Helped], name: &str, terminal: &Terminal) {
        let tried = format!("{} tried", count(self.tried as u64));
        let undecided = match self.undecided {
            0 => String::new(),
            some => format!(", {} with too many schedules to decide", count(some as u64)),
        };
        if helped.is_empty() {
            let more = if self.is_over() { "; then it was given up" } else { "" };
            terminal.print(&format!(
                "no small change was found with which every schedule completes ({tried}{undecided}{more})\n"
            ));
            return;
        }
        let messages = match (self.wanted.delivery, self.wanted.left_over) {
            (Delivery::Good, 0) => "and every message arrives",
            (Delivery::Good, _) => "and no more messages are left over than now",
            (Delivery::Failed, _) => "(messages are lost now, and may be then)",
        };
        terminal.print(&format!(
            "with any one of these every schedule completes, {messages} ({tried}{undecided})\n"
        ));
        for (number, helped) in helped.iter().take(SHOWN).enumerate() {
            let what: Vec<&str> = helped.remedies.iter().map(|it| it.what.as_str()).collect();
            let states = plural(helped.states, "state");
            terminal.print(&format!("\n{}. {} ({states})\n", number + 1, what.join("; ")));
            let repaired = Remedy::apply(self.text, &helped.remedies).unwrap_or_default();
            let diff = TextDiff::from_lines(self.text, &repaired);
            terminal.print(&diff.unified_diff().context_radius(1).header(name, name).to_string());
        }
        if helped.len() > SHOWN {
            let others: Vec<String> = helped[SHOWN..]
                .iter()
                .map(|it| {
                    it.remedies.iter().map(|it| it.what.as_str()).collect::<Vec<_>>().join("; ")
                })
                .collect();
            terminal.print(&format!("\nor: {}\n", others.join("\nor: ")));
        }
    }
}
