//! `ipcsim explore`: every schedule of a scenario.

#![expect(clippy::disallowed_types, reason = "how long it took is told to whoever waits")]

use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use std::time::Instant;

use ipcsim_report::{Told, count};
use ipcsim_session::{
    Budget, Claim, Covered, Ending, Exploration, Explored, Judgement, LooksAt, Outcome, Path,
    Session, confirm,
};

use crate::args::{ExploreArgs, Output};
use crate::budget::{RUN_STEPS, within};
use crate::exit::Exit;
use crate::input;
use crate::terminal::{INTERRUPTED, Terminal};
use crate::test::tell_claim;

/// What an approximate exploration keeps of states takes so many bytes, if nothing else is said: enough for
/// seventy million of them; then less than one new one in a thousand is passed over.
const BITS: u64 = 256 << 20;

pub(crate) fn execute(args: &ExploreArgs, terminal: &Terminal) -> Exit {
    let session = match input::open_usable(&args.subject.file, &args.subject.input, terminal) {
        Ok(session) => session,
        Err(unusable) => return terminal.unusable("explore", args.output, *unusable),
    };
    within(&args.subject.how, RUN_STEPS, |budget| looked_at(args, &session, budget, terminal))
}

fn looked_at(args: &ExploreArgs, session: &Session, budget: &Budget, terminal: &Terminal) -> Exit {
    let begun = Instant::now();
    // What is looked at in the end must not be forgotten on the way.
    let at = if args.all_outcomes { LooksAt::Results } else { LooksAt::Ends };
    let Some(seen) = session.seen(at) else { return Exit::Unusable };
    let mut explored = if args.approximate {
        let bytes = args.subject.how.max_memory.map_or(BITS, |bytes| bytes / 2);
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        session.explore_approximately(&seen, bytes, budget)
    } else {
        session.explore_seen(&seen, budget)
    };
    let claims = claims_of(session);
    let judged: Vec<Judgement> =
        (0..claims.len()).map(|number| explored.check(number, budget)).collect();
    match args.output {
        Output::Human => {
            let text = told(args, session, &mut explored, budget);
            terminal.print(&text);
            for (claim, judgement) in claims.iter().zip(&judged) {
                let place = format!("line {}  {}", session.line_of(claim), claim.said);
                terminal.print(&tell_claim(&place, judgement));
            }
        }
        Output::Json => {
            let mut scenario = session.found();
            scenario.schedules = Some(explored.found());
            scenario.claims =
                judged.iter().enumerate().map(|(at, it)| session.found_of(at, it)).collect();
            scenario.cures = Some(std::mem::take(&mut explored.cures));
            terminal.json("explore", vec![scenario]);
        }
    }
    tell_cost(&explored.exploration, begun, terminal);
    let exit = exit(&explored.exploration);
    // The program ends here, and the system takes everything back at once. To give back a gigabyte of small blocks one
    // by one would take longer than --time allows.
    std::mem::forget(explored);
    let fails = judged.iter().any(|judgement| matches!(judgement, Judgement::Fails(_)));
    if fails { exit.max(Exit::No) } else { exit }
}

fn told(args: &ExploreArgs, session: &Session, explored: &mut Explored, budget: &Budget) -> String {
    let subject = session.subject();
    let view = explored.view();
    let replay = |found: &mut Exploration, path: &Path| {
        subject.replay(&subject.token(found, path, view.merge, view.at))
    };
    let confirm = |found: &Exploration, ending: &Ending| confirm(&subject, found, ending, budget);
    let cures: Vec<String> =
        explored.cures.iter().map(|cure| format!("{} ({})", cure.what, cure.promise())).collect();
    let told = Told { replay: &replay, cures: &cures, confirm: &confirm };
    let found = &mut explored.exploration;
    let mut out = format!("{}\n\n", session.title());
    out.push_str(&ipcsim_report::exploration(found, &told));
    if args.all_outcomes {
        let (predicate, names) = ipcsim_report::all_variables(found.machine);
        out.push_str(&ipcsim_report::final_results(found, &predicate, &names, &replay));
    }
    if !claims_of(session).is_empty() {
        out.push_str("\nclaims of the file\n");
    }
    out
}

/// The claims of the file. They are about the file as it is: with a `--set` it is another scenario.
fn claims_of(session: &Session) -> &[Claim] {
    if session.sets().is_empty() { session.claims() } else { &[] }
}

/// What it cost, for whoever sits at the terminal: it differs from time to time.
fn tell_cost(found: &Exploration, begun: Instant, terminal: &Terminal) {
    if std::io::stderr().is_terminal() {
        terminal.tell(&format!(
            "{} states · {} steps between them, {} of them really performed · depth {} · {:.1?} · {} KiB\n",
            count(found.states()),
            count(found.edges),
            count(found.performed()),
            found.depth,
            begun.elapsed(),
            count(found.bytes() as u64 >> 10),
        ));
    }
}

fn exit(found: &Exploration) -> Exit {
    if INTERRUPTED.load(Ordering::Relaxed) {
        return Exit::Interrupted;
    }
    if found.endings.iter().any(|ending| ending.outcome != Outcome::Completes) {
        return Exit::No;
    }
    if found.covered == Covered::All { Exit::Yes } else { Exit::Undecided }
}
