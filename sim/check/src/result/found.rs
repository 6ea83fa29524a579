//! Converts findings to what is printed.

use ipcsim_explore::{
    Covered, Doom, Ending, Exploration, Failure, Goes, LooksAt, Measures, Outcome, Path, Problem,
    Reason, Reduction, Run, Stop, Verdict,
};
use ipcsim_kernel::{Machine, ProcessId, State, ThreadId};
use ipcsim_report::{Names, ResultInWords, Waiting, cut_off, results_in_words, waiting};

use super::{
    ClaimFound, DoomFound, EndingFound, FailedProcess, InversionFound, LeastFound, Measured,
    RepairFound, RepairedFound, ResultFound, RowFound, RunFound, Schedules, Stuck, WaitingThread,
};
use crate::counterexample::{of_path, point_of_no_return};
use crate::{Judgement, Least, Repair, Row, Subject};

fn stuck(machine: &Machine, state: &State, problem: &Problem, timed: bool) -> Stuck {
    let all = |threads: &[ThreadId]| {
        threads
            .iter()
            .map(|t| {
                let Waiting { thread, line, state, on, because } = waiting(machine, state, *t);
                WaitingThread { thread, line, state, on, because }
            })
            .collect()
    };
    Stuck {
        outcome: problem.class.outcome().map(Outcome::word),
        class: problem.class.word(),
        since_ns: timed.then_some(problem.since_ns),
        threads: all(&problem.threads),
        behind: all(&problem.behind),
    }
}

fn names_of(machine: &Machine, processes: &[ProcessId]) -> Vec<String> {
    processes.iter().map(|process| machine.process_name(*process)).collect()
}

fn failed(machine: &Machine, failures: &[Failure]) -> Vec<FailedProcess> {
    let all = failures.iter().map(|failure| FailedProcess {
        process: machine.process_name(failure.process),
        line: machine.line(failure.at),
        because: failure.fault.describe(),
    });
    all.collect()
}

/// A run and its verdict.
pub fn of_run(machine: &Machine, run: &Run, verdict: &Verdict) -> RunFound {
    RunFound {
        outcome: verdict.outcome.word(),
        stop: match run.stop {
            Stop::Over => "over",
            Stop::Repeats => "repeats",
            Stop::Steps => "steps",
            Stop::Time => "time",
            Stop::Clock => "clock",
            Stop::LocalLoop(_) => "local-loop",
            Stop::Cancelled(Reason::Interrupted) => "interrupted",
            Stop::Cancelled(Reason::Memory) => "memory",
            Stop::Cancelled(Reason::Time) => "time-limit",
        },
        seed: machine.timing.seed,
        time_ns: run.measures.time_ns,
        repeats_since_ns: run.round.as_ref().map(|round| round.since_ns),
        stuck: verdict.problems.iter().map(|it| stuck(machine, &run.state, it, true)).collect(),
        blocked: names_of(machine, &verdict.blocked),
        failures: failed(machine, &verdict.failures),
        unreceived: verdict.unreceived,
        lost: run.measures.lost,
        unread: Some(run.measures.unread).filter(|bytes| *bytes > 0),
        inversion: run.inversion.map(|it| {
            let name = |t: ThreadId| Names::new(machine).thread(&run.state, t);
            InversionFound {
                waiter: name(it.waiter),
                holder: name(it.holder),
                ran: name(it.ran),
                ns: it.ns,
            }
        }),
        measures: measured(&run.measures),
    }
}

fn measured(measures: &Measures) -> Measured {
    Measured {
        cpu_time_ns: measures.cpu_time_ns,
        messages: measures.messages,
        system_calls: measures.system_calls,
        context_switches: measures.context_switches,
        bytes_copied: measures.bytes_copied,
        kernel_memory: measures.kernel_memory,
        pages_mapped: measures.pages_mapped,
        page_faults: measures.page_faults,
        polls: measures.polls,
        timeouts: measures.timeouts,
    }
}

/// What every schedule does.
pub fn of_schedules(
    subject: &Subject,
    found: &mut Exploration,
    (merge, at): (Reduction, LooksAt),
) -> Schedules {
    let machine = found.machine;
    let names = Names::new(machine);
    let is_whole = found.covered == Covered::All;
    let endings = found.endings.clone();
    let mut schedules = Schedules {
        outcomes: endings.iter().map(|ending| ending.outcome.word()).collect(),
        must: match &endings[..] {
            [only] if is_whole => Some(only.outcome.word()),
            _ => None,
        },
        proof: is_whole,
        cut_off: (!is_whole).then(|| cut_off(machine, found.covered)),
        states: found.states(),
        endings: Vec::new(),
        others: Vec::new(),
        starving: Vec::new(),
        is_fair_only: found.is_fair_only,
        hidden: None,
        results: None,
    };
    for ending in &endings {
        schedules.endings.push(of_ending(subject, found, ending, (merge, at)));
    }
    let doom = |found: &mut Exploration, doom: &Doom| {
        let path: Path = found.path(doom.state);
        let state = found.state_after(&path);
        DoomFound {
            stuck: stuck(machine, &state, &doom.problem, false),
            token: subject.token(found, &path, merge, at),
        }
    };
    for other in found.doomed.clone() {
        let is_shown = endings.iter().flat_map(|ending| &ending.problems).any(|problem| {
            problem.class == other.problem.class && problem.threads == other.problem.threads
        });
        if !is_shown {
            schedules.others.push(doom(found, &other));
        }
    }
    for starving in found.starving.clone() {
        schedules.starving.push(names.thread(&found.state(starving.state), starving.thread));
    }
    if let Some(masked) = found.masked.clone() {
        schedules.hidden = Some(doom(found, &masked));
    }
    if at == LooksAt::Results {
        schedules.results = Some(of_results(subject, found, (merge, at)));
    }
    schedules
}

fn of_ending(
    subject: &Subject,
    found: &mut Exploration,
    ending: &Ending,
    view: (Reduction, LooksAt),
) -> EndingFound {
    let machine = found.machine;
    let path = found.path(ending.state);
    let mut witness = of_path(subject, found, &path, view, None);
    let is_whole = found.covered == Covered::All;
    if is_whole && ending.outcome != Outcome::Completes {
        witness.point_of_no_return = point_of_no_return(subject, found, &path, view);
    }
    let state = found.state_after(&path);
    EndingFound {
        outcome: ending.outcome.word(),
        for_ever: ending.goes == Goes::OnForEver,
        witness,
        shortest: is_whole && found.why_not_whole().is_none(),
        stuck: ending.problems.iter().map(|it| stuck(machine, &state, it, false)).collect(),
        failures: failed(machine, &ending.failures),
        blocked: ending.blocked.iter().map(|set| names_of(machine, set)).collect(),
    }
}

fn of_results(
    subject: &Subject,
    found: &mut Exploration,
    (merge, at): (Reduction, LooksAt),
) -> Vec<ResultFound> {
    let (predicate, called) = ipcsim_report::all_variables(found.machine);
    let results = found.results(&predicate);
    let words = results_in_words(found.machine, &called, &results);
    let mut all = Vec::new();
    for (ResultInWords { held, log }, result) in words.into_iter().zip(results) {
        let path = found.path(result.state);
        all.push(ResultFound {
            variables: held,
            log,
            token: subject.token(found, &path, merge, at),
        });
    }
    all
}

/// The judgement of a claim.
pub fn of_claim(line: usize, claim: String, judgement: &Judgement) -> ClaimFound {
    let (verdict, reason, schedule) = match judgement {
        Judgement::Holds(schedule) => ("holds", None, schedule.clone()),
        Judgement::HoldsInVain(why) => ("holds-in-vain", Some((*why).to_string()), None),
        Judgement::Fails(failed) => {
            ("fails", Some(failed.reason.clone()), failed.counterexample.clone())
        }
        Judgement::Undecided(why) => ("undecided", Some(why.clone()), None),
    };
    let because = match judgement {
        Judgement::Fails(failed) => failed.because.clone(),
        Judgement::Holds(_) | Judgement::HoldsInVain(_) | Judgement::Undecided(_) => None,
    };
    ClaimFound { line, claim, verdict, reason, because, schedule }
}

/// What a search for repairs found.
pub fn of_repair(repair: &Repair) -> RepairFound {
    match repair {
        Repair::Completes { .. } => {
            RepairFound { verdict: "completes", cures: Vec::new(), tried: 0 }
        }
        Repair::Undecided(_) => RepairFound { verdict: "undecided", cures: Vec::new(), tried: 0 },
        Repair::Helped { cures, tried, .. } => RepairFound {
            verdict: match &cures[..] {
                [] if repair.is_undecided() => "undecided",
                [] => "no-cure",
                _ => "helped",
            },
            cures: cures
                .iter()
                .map(|it| RepairedFound {
                    what: it.what.clone(),
                    cure: it.cure.clone(),
                    text: it.text.clone(),
                })
                .collect(),
            tried: *tried,
        },
    }
}

/// A row of a comparison.
pub fn of_row(row: &Row) -> RowFound {
    RowFound {
        settings: row.settings.clone(),
        verdict: row.verdict.clone(),
        safe: row.safe,
        states: row.states,
        token: row.token.clone(),
        time_ns: row.measures.as_ref().map(|measures| measures.time_ns),
        measures: row.measures.as_deref().map(measured),
    }
}

/// The least safe value.
pub fn of_least(least: &Least) -> LeastFound {
    match least {
        Least::Is { safe, less } => {
            LeastFound { safe: Some(of_row(safe)), less: less.as_ref().map(of_row) }
        }
        Least::None(row) | Least::Undecided(row) => {
            LeastFound { safe: None, less: Some(of_row(row)) }
        }
    }
}
