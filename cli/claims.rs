//! What becomes of a claim.

use ipcsim_explore::{
    Covered, Ending, Exploration, Limits, Looks, Measures, NoTrace, Run, Stop, Vacuous, Verdict,
    conclude, run,
};
use ipcsim_kernel::{Fault, Machine, ProcessId};
use ipcsim_report::{bytes, count, cut_off, time};
use ipcsim_scenario::ast::{BlockedName, Claim, HowMany, Over, What};
use ipcsim_scenario::{Case, Loaded};

use crate::args::{How, TestArgs};
use crate::explore::search;
use crate::terminal::INTERRUPTED;

/// What became of a claim.
pub(crate) enum Judgement {
    Holds,
    /// It holds because nothing ever put it to the test.
    HoldsInVain(&'static str),
    Fails(String),
    Undecided(String),
}

/// Judges the claim with this number.
pub(crate) fn judge(loaded: &Loaded, number: usize, args: &TestArgs) -> Judgement {
    let claim = &loaded.scenario.claims[number];
    let Some(case) = loaded.case(number) else {
        return Judgement::Fails("the changed scenario has errors".into());
    };
    let judgement = match claim.over {
        Over::Run => of_the_run(&case.machine, claim, args.max_steps),
        Over::EverySchedule | Over::SomeSchedule => over_schedules(&case, claim, args),
    };
    match (judgement, &claim.because) {
        (Judgement::Fails(found), Some(because)) => {
            Judgement::Fails(format!("{found}; because: {because}"))
        }
        (judgement, _) => judgement,
    }
}

fn of_the_run(machine: &Machine, claim: &Claim, max_steps: u64) -> Judgement {
    let limits = Limits { max_steps, interrupted: Some(&INTERRUPTED), ..Limits::default() };
    let run = run(machine, &limits, &mut NoTrace);
    let verdict = conclude(machine, &run);
    let judged = match &claim.what {
        What::Outcome(word) => judge_outcome(machine, claim, word, &run, &verdict),
        What::AtMost(bounds) => judge_bounds(bounds, &run.measures, Bound::AtMost),
        What::AtLeast(bounds) => judge_bounds(bounds, &run.measures, Bound::AtLeast),
        What::Always(_) | What::Eventually(_) => {
            unreachable!("the reader keeps these for schedules")
        }
    };
    match judged {
        Ok(()) => Judgement::Holds,
        Err(_) if run.stop == Stop::Interrupted => Judgement::Undecided("interrupted".into()),
        Err(found) if run.stop == Stop::Steps => {
            let hint = " (--max-steps allows more)";
            Judgement::Undecided(format!("{}{hint}", found.trim_end_matches(hint)))
        }
        Err(found) => Judgement::Fails(found),
    }
}

fn judge_outcome(
    machine: &Machine,
    claim: &Claim,
    word: &str,
    run: &Run,
    verdict: &Verdict,
) -> Result<(), String> {
    if verdict.outcome.word() != word {
        let text = ipcsim_report::verdict(machine, run, verdict, &[]);
        let first = text.lines().next().unwrap_or(verdict.outcome.word());
        return Err(format!("the run ends as `{}`: {first}", verdict.outcome.word()));
    }
    let Some(claimed) = &claim.blocked else { return Ok(()) };
    judge_blocked(machine, claimed, &verdict.blocked)
}

/// Exactly the claimed processes must be blocked, no other and no fewer.
fn judge_blocked(
    machine: &Machine,
    claimed: &[BlockedName],
    blocked: &[ProcessId],
) -> Result<(), String> {
    let members = |name: &BlockedName| -> Vec<ProcessId> {
        let family = machine.symbols.families.iter().position(|family| *family == name.name.value);
        let Some(family) = family.map(|at| &machine.families[at]) else { return Vec::new() };
        (0..family.count)
            .filter(|member| name.member.is_none_or(|wanted| wanted == member + 1))
            .map(|member| ProcessId(family.first.0 + member))
            .collect()
    };
    let mut allowed: Vec<ProcessId> = Vec::new();
    for name in claimed {
        let members = members(name);
        let stuck = members.iter().filter(|process| blocked.contains(process)).count();
        let right = match name.how_many {
            HowMany::All => stuck == members.len(),
            HowMany::Any => stuck > 0,
        };
        if !right {
            return Err(format!(
                "`{}` is not blocked; blocked are {}",
                name.name.value,
                list(machine, blocked)
            ));
        }
        allowed.extend(members);
    }
    match blocked.iter().find(|process| !allowed.contains(process)) {
        Some(process) => Err(format!("`{}` is blocked too", machine.process_name(*process))),
        None => Ok(()),
    }
}

fn list(machine: &Machine, processes: &[ProcessId]) -> String {
    if processes.is_empty() {
        return "none".into();
    }
    processes.iter().map(|process| machine.process_name(*process)).collect::<Vec<_>>().join(", ")
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost,
    AtLeast,
}

fn judge_bounds(
    bounds: &[(&'static str, u64)],
    measures: &Measures,
    bound: Bound,
) -> Result<(), String> {
    for (measure, limit) in bounds {
        let (value, shown) = match *measure {
            "time" => (measures.time_ns, time(measures.time_ns)),
            "cpu-time" => (measures.cpu_time_ns, time(measures.cpu_time_ns)),
            "bytes-copied" => (measures.bytes_copied, bytes(measures.bytes_copied)),
            "kernel-memory" => (measures.kernel_memory, bytes(measures.kernel_memory)),
            "context-switches" => (measures.context_switches, count(measures.context_switches)),
            "messages" => (measures.messages, count(measures.messages)),
            "system-calls" => (measures.system_calls, count(measures.system_calls)),
            other => unreachable!("the reader knows all measures, not `{other}`"),
        };
        let holds = match bound {
            Bound::AtMost => value <= *limit,
            Bound::AtLeast => value >= *limit,
        };
        if !holds {
            return Err(format!("{measure} is {shown}"));
        }
    }
    Ok(())
}

fn over_schedules(case: &Case, claim: &Claim, args: &TestArgs) -> Judgement {
    let within = claim.within.unwrap_or(u64::MAX);
    // Which of several replicas is blocked symmetry does not say.
    let no_symmetry = args.how.no_symmetry || claim.blocked.is_some();
    let max_states = args.how.max_states.min(within);
    let how = How { no_symmetry, max_states, ..args.how.clone() };
    let predicates: Vec<_> = case.predicate.iter().cloned().collect();
    let mut found = search(&case.machine, &how, Looks::at(&predicates));
    match &claim.what {
        What::Outcome(word) => outcome_of_schedules(&found, claim, word),
        What::Always(_) => always(&mut found),
        What::Eventually(_) => eventually(&mut found),
        What::AtMost(_) | What::AtLeast(_) => unreachable!("the reader keeps these for runs"),
    }
}

fn undecided(found: &Exploration) -> Judgement {
    let states = count(found.states());
    Judgement::Undecided(format!(
        "after {states} states: {}",
        cut_off(found.machine, found.covered)
    ))
}

fn outcome_of_schedules(found: &Exploration, claim: &Claim, word: &str) -> Judgement {
    let right = |ending: &&Ending| ending.outcome.word() == word;
    let wrong = found.endings.iter().find(|ending| !right(ending));
    let of_it = found.endings.iter().find(right);
    let judged = match (claim.over, of_it, wrong) {
        (Over::EverySchedule, _, Some(wrong)) => {
            return Judgement::Fails(format!("a schedule ends as `{}`", wrong.outcome.word()));
        }
        (_, Some(ending), _) => blocked_in(found, claim, ending),
        (_, None, _) if found.covered == Covered::All => {
            return Judgement::Fails(format!("no schedule ends as `{word}`"));
        }
        (_, None, _) => return undecided(found),
    };
    match judged {
        Err(found) => Judgement::Fails(found),
        Ok(()) if claim.over == Over::SomeSchedule => Judgement::Holds,
        Ok(()) if found.covered != Covered::All => undecided(found),
        Ok(()) => Judgement::Holds,
    }
}

/// In each schedule of the outcome exactly the claimed processes must be blocked.
fn blocked_in(found: &Exploration, claim: &Claim, ending: &Ending) -> Result<(), String> {
    let Some(claimed) = &claim.blocked else { return Ok(()) };
    let mut judged = ending.blocked.iter().map(|set| judge_blocked(found.machine, claimed, set));
    match claim.over {
        // One schedule is enough.
        Over::SomeSchedule => judged.clone().find(Result::is_ok).or_else(|| judged.next()),
        Over::Run | Over::EverySchedule => judged.find(Result::is_err),
    }
    .unwrap_or(Ok(()))
}

fn steps(number: usize) -> String {
    if number == 1 { "1 step".into() } else { format!("{} steps", count(number as u64)) }
}

fn always(found: &mut Exploration) -> Judgement {
    match found.never_holds_not(0) {
        Err((_, fault)) => not_computed(&fault),
        Ok(Some(state)) => {
            let steps = steps(found.path(state).len() - 1);
            Judgement::Fails(format!("it does not hold after {steps} of a schedule"))
        }
        Ok(None) if found.covered != Covered::All => undecided(found),
        Ok(None) => match found.vacuous_always(0) {
            Some(_) => Judgement::HoldsInVain("nothing that it looks at ever changes"),
            None => Judgement::Holds,
        },
    }
}

fn eventually(found: &mut Exploration) -> Judgement {
    if found.covered != Covered::All {
        return undecided(found);
    }
    match found.avoids(0) {
        Err((_, fault)) => not_computed(&fault),
        Ok(Some(state)) => {
            let steps = steps(found.path(state).len() - 1);
            Judgement::Fails(format!("a schedule comes after {steps} to where it never holds"))
        }
        Ok(None) => match found.vacuous_eventually(0) {
            Some(Vacuous::FromTheStart | Vacuous::NeverChanges) => {
                Judgement::HoldsInVain("it is true before anything happens")
            }
            None => Judgement::Holds,
        },
    }
}

fn not_computed(fault: &Fault) -> Judgement {
    Judgement::Fails(format!(
        "in some state it cannot be computed: {}; a variable is `none` until it is set",
        fault.describe()
    ))
}
