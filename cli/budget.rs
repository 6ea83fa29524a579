//! How much a conclusion may cost, as the command line says it, and the line that shows how far it is.

#![expect(clippy::disallowed_types, reason = "whoever waits has said for how long, and is told")]

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ipcsim_check::Budget;
use ipcsim_explore::{ExploreLimits, Lookers, Progress, Reduction, Reductions};
use ipcsim_report::count;

use crate::args::How;
use crate::terminal::{INTERRUPTED, showing};

/// As many steps as a run takes at most, if nothing else is said.
pub(crate) const RUN_STEPS: u64 = 1_000_000;

pub(crate) fn reductions(how: &How) -> Reductions {
    let unless = |off: bool| if off { Reduction::Off } else { Reduction::On };
    Reductions {
        merge: unless(how.no_merge),
        order: unless(how.no_por),
        symmetry: unless(how.no_symmetry),
    }
}

/// Does something within the limits that were asked for: all of it together may take so long.
pub(crate) fn within<T>(how: &How, run_steps: u64, work: impl FnOnce(&Budget) -> T) -> T {
    let time_over = AtomicBool::new(how.time == Some(0));
    let done = AtomicBool::new(false);
    let progress = Progress::default();
    let budget = Budget {
        reductions: reductions(how),
        explore: ExploreLimits {
            max_states: how.max_states,
            small: how.reduce_above,
            max_bytes: how
                .max_memory
                .map_or_else(free_memory, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
            lookers: Lookers {
                threads: how.threads.map_or_else(processors, |threads| threads as usize),
                ..Lookers::default()
            },
            interrupted: Some(&INTERRUPTED),
            time_over: Some(&time_over),
            progress: Some(&progress),
        },
        run_steps,
    };
    std::thread::scope(|scope| {
        if let Some(ns) = how.time {
            let (done, time_over) = (&done, &time_over);
            scope.spawn(move || {
                let mut left = Duration::from_nanos(ns);
                while !left.is_zero() && !done.load(Ordering::Relaxed) {
                    let tick = left.min(Duration::from_millis(20));
                    std::thread::sleep(tick);
                    left -= tick;
                }
                time_over.store(true, Ordering::Relaxed);
            });
        }
        let begun = Instant::now();
        let line = || progress_line(&progress, begun);
        let found = showing(&line, || work(&budget));
        done.store(true, Ordering::Relaxed);
        found
    })
}

/// States, states per second, how many are still to be looked at, depth, memory.
fn progress_line(progress: &Progress, begun: Instant) -> String {
    let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
    let states = of(&progress.states);
    let seconds = begun.elapsed().as_secs().max(1);
    format!(
        "{} states, {}/s, {} to be looked at, depth {}, {} MiB",
        count(states),
        count(states / seconds),
        count(states - of(&progress.expanded).min(states)),
        of(&progress.depth),
        of(&progress.bytes) >> 20
    )
}

/// What an exploration may take if nothing else is said: 80 % of the memory that is free now.
fn free_memory() -> usize {
    const UNKNOWN: usize = 4 << 30;
    let Ok(text) = std::fs::read_to_string("/proc/meminfo") else { return UNKNOWN };
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kib.map_or(UNKNOWN, |kib| kib / 5 * 4 * 1024)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
