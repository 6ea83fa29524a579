//! An exploration ignores time. Does a run with the scenario's own durations end the same way?

use ipcsim_explore::{Covered, Ending, Exploration, NoTrace, conclude};
use ipcsim_kernel::{Preempt, Scheduler, Timing};

use crate::{Budget, Subject, in_shell};

/// How many seeds are tried, each with every scheduler, with and without preemption.
const SEEDS: u64 = 16;
const STEPS: u64 = 20_000;

const SCHEDULERS: [(Scheduler, &str); 4] = [
    (Scheduler::Fifo, "fifo"),
    (Scheduler::RoundRobin, "round-robin"),
    (Scheduler::Priority, "priority"),
    (Scheduler::Random, "random"),
];

/// Whether a run ends this way, in a sentence. If every schedule ends the same way, so does every run.
pub fn confirm(subject: &Subject, found: &Exploration, ending: &Ending, budget: &Budget) -> String {
    let machine = found.machine;
    let own = machine.timing;
    let timings = (0..SEEDS).flat_map(|seed| {
        SCHEDULERS.iter().flat_map(move |(scheduler, _)| {
            [Preempt::Never, Preempt::Calls].map(|preempt| Timing {
                seed,
                scheduler: *scheduler,
                preempt,
                ..own
            })
        })
    });
    let mut tried = 0;
    let is_the_only_way = found.covered == Covered::All && found.endings.len() == 1;
    for timing in std::iter::once(own).chain(timings) {
        if budget.is_over() {
            break;
        }
        let mut timed = machine.clone();
        timed.timing = timing;
        let run = budget.run(&timed, STEPS, &mut NoTrace);
        let verdict = conclude(&timed, &run);
        tried += 1;
        let ends_so = verdict.outcome == ending.outcome
            && (is_the_only_way || ending.blocked.contains(&verdict.blocked));
        if ends_so {
            return format!("this run ends the same way: {}", command(subject, own, timing));
        }
        if is_the_only_way {
            break;
        }
    }
    if is_the_only_way {
        return format!("every run ends so too, sooner or later: {}", command(subject, own, own));
    }
    format!("{tried} timed runs did not show it; whether one can is not known")
}

/// The command that shows the run.
fn command(subject: &Subject, own: Timing, timing: Timing) -> String {
    let mut words = vec![format!("ipcsim run {}", in_shell(subject.file))];
    words.extend(subject.sets.iter().map(|set| format!("--set {}", in_shell(set))));
    if timing.seed != own.seed {
        words.push(format!("--seed {}", timing.seed));
    }
    if timing.scheduler != own.scheduler {
        let name = SCHEDULERS.iter().find(|(known, _)| *known == timing.scheduler);
        let name = name.map_or("fifo", |(_, name)| name);
        words.push(format!("--set kernel.scheduler={name}"));
    }
    if timing.preempt != own.preempt {
        let word = match timing.preempt {
            Preempt::Never => "never",
            Preempt::Calls => "calls",
        };
        words.push(format!("--set kernel.preempt={word}"));
    }
    words.join(" ")
}
