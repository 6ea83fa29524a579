//! `ipcsim explore`: every schedule of a scenario.

#![expect(clippy::disallowed_types, reason = "how long it took is told to whoever waits")]

use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use std::time::Instant;

use ipcsim_check::{Budget, Cure, Judgement, confirm, judge, judge_by, of_exploration, result};
use ipcsim_explore::{Covered, Ending, Exploration, LooksAt, Outcome, Path, explore_approximately};
use ipcsim_report::{Told, count};
use ipcsim_scenario::ast::Claim;

use crate::args::{ExploreArgs, Output};
use crate::budget::{RUN_STEPS, reductions, within};
use crate::exit::Exit;
use crate::input::{self, Opened};
use crate::terminal::{INTERRUPTED, Terminal};
use crate::test::{line_of, tell_claim};

/// What an approximate exploration keeps of states takes so many bytes, if nothing else is said: enough for
/// seventy million of them; then less than one new one in a thousand is passed over.
const BITS: u64 = 256 << 20;

pub(crate) fn execute(args: &ExploreArgs, terminal: &Terminal) -> Exit {
    let opened = match input::open_usable(&args.subject.file, &args.subject.input, terminal) {
        Ok(opened) => opened,
        Err(unusable) => return terminal.unusable("explore", args.output, *unusable),
    };
    within(&args.subject.how, RUN_STEPS, |budget| looked_at(args, &opened, budget, terminal))
}

fn looked_at(args: &ExploreArgs, opened: &Opened, budget: &Budget, terminal: &Terminal) -> Exit {
    let subject = opened.subject();
    let begun = Instant::now();
    // What is looked at in the end must not be forgotten on the way.
    let at = if args.all_outcomes { LooksAt::Results } else { LooksAt::Ends };
    let Some(seen) = subject.seen(at) else { return Exit::Unusable };
    let mut found = if args.approximate {
        let bits = args.subject.how.max_memory.map_or(BITS, |bytes| bytes / 2);
        let bits = usize::try_from(bits).unwrap_or(usize::MAX);
        explore_approximately(&seen.machine, budget.reductions, bits, &budget.explore)
    } else {
        budget.explore(&seen.machine, seen.looks())
    };
    let cures = of_exploration(&subject, &found, budget);
    let claims = claims_of(opened);
    let merge = budget.reductions.merge;
    let mut judge = |number: usize| {
        let known = if at == LooksAt::Ends && !args.approximate {
            judge_by(&subject, number, &mut found, merge)
        } else {
            None
        };
        known.unwrap_or_else(|| judge(&subject, number, budget))
    };
    let judged: Vec<Judgement> = (0..claims.len()).map(&mut judge).collect();
    match args.output {
        Output::Human => {
            let text = told(args, opened, &mut found, &cures, budget);
            terminal.print(&text);
            for (claim, judgement) in claims.iter().zip(&judged) {
                let place = format!("line {}  {}", line_of(&opened.loaded, claim), claim.said);
                terminal.print(&tell_claim(&place, judgement));
            }
        }
        Output::Json => {
            let mut scenario = result::Scenario::of(&subject, opened.title());
            let view = (reductions(&args.subject.how).merge, at);
            scenario.schedules = Some(result::of_schedules(&subject, &mut found, view));
            scenario.cures = Some(cures);
            scenario.claims = claims
                .iter()
                .zip(&judged)
                .map(|(claim, judgement)| {
                    let line = line_of(&opened.loaded, claim);
                    result::of_claim(line, claim.said.clone(), judgement)
                })
                .collect();
            terminal.json("explore", vec![scenario]);
        }
    }
    tell_cost(&found, begun, terminal);
    let exit = exit(&found);
    // The program ends here, and the system takes everything back at once. To give back a gigabyte of small blocks one
    // by one would take longer than --time allows.
    std::mem::forget(found);
    let fails = judged.iter().any(|judgement| matches!(judgement, Judgement::Fails(_)));
    if fails { exit.max(Exit::No) } else { exit }
}

fn told(
    args: &ExploreArgs,
    opened: &Opened,
    found: &mut Exploration,
    cures: &[Cure],
    budget: &Budget,
) -> String {
    let subject = opened.subject();
    let at = if args.all_outcomes { LooksAt::Results } else { LooksAt::Ends };
    let merge = reductions(&args.subject.how).merge;
    let replay = |found: &mut Exploration, path: &Path| {
        subject.replay(&subject.token(found, path, merge, at))
    };
    let confirm = |found: &Exploration, ending: &Ending| confirm(&subject, found, ending, budget);
    let cures: Vec<String> =
        cures.iter().map(|cure| format!("{} ({})", cure.what, cure.promise())).collect();
    let told = Told { replay: &replay, cures: &cures, confirm: &confirm };
    let mut out = format!("{}\n\n", opened.title());
    out.push_str(&ipcsim_report::exploration(found, &told));
    if args.all_outcomes {
        let (predicate, names) = ipcsim_report::all_variables(found.machine);
        out.push_str(&ipcsim_report::final_results(found, &predicate, &names, &replay));
    }
    if !claims_of(opened).is_empty() {
        out.push_str("\nclaims of the file\n");
    }
    out
}

/// The claims of the file. They are about the file as it is: with a `--set` it is another scenario.
fn claims_of(opened: &Opened) -> &[Claim] {
    if opened.sets.is_empty() { &opened.loaded.scenario.claims } else { &[] }
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
