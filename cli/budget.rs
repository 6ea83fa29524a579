//! How much a conclusion may cost, as the command line says it, and the line that shows how far it is.

#![expect(clippy::disallowed_types, reason = "whoever waits is told how fast it goes")]

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ipcsim_report::count;
use ipcsim_session::Budget;
use ipcsim_session::{ExploreLimits, Lookers, Progress, Reduction, Reductions};

use crate::args::How;
use crate::watch::{Bounds, watched};

/// As many steps as a run takes at most, if nothing else is said.
pub(crate) const RUN_STEPS: u64 = 1_000_000;

pub(crate) fn reductions(how: &How) -> Reductions {
    let unless = |off: bool| if off { Reduction::Off } else { Reduction::On };
    Reductions {
        merge: unless(how.no_merge),
        lazy: unless(how.no_lazy),
        rest: Reduction::On,
        order: unless(how.no_por),
        symmetry: unless(how.no_symmetry),
        scalars: Reduction::On,
    }
}

/// Does something within the limits that were asked for: all of it together may take so long.
pub(crate) fn within<T>(how: &How, run_steps: u64, work: impl FnOnce(&Budget) -> T) -> T {
    let bounds = Bounds { time: how.time.map(Duration::from_nanos), ..Bounds::of(how.max_memory) };
    let progress = Progress::default();
    let begun = Instant::now();
    watched(bounds, &|| progress_line(&progress, begun), |cancellation| {
        work(&Budget {
            reductions: reductions(how),
            explore: ExploreLimits {
                max_states: how.max_states,
                small: how.reduce_above,
                max_work: u64::MAX,
                max_bytes: bounds.memory,
                lookers: Lookers {
                    threads: how.threads.map_or_else(processors, |threads| threads as usize),
                    ..Lookers::default()
                },
                cancelled: Some(cancellation),
                progress: Some(&progress),
            },
            run_steps,
        })
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

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
