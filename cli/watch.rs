//! While something takes long: somebody watches the clock, Ctrl-C and the memory, and shows how far it is.
//!
//! Whoever works looks at a [`Cancellation`] and stops in good order, with what was found. If it does not,
//! because it is in the middle of something that nobody has thought of, the watch ends the program after
//! [`GRACE`]: a limit that was asked for holds, whatever happens.

#![expect(clippy::disallowed_types, reason = "whoever waits has said for how long, and is told")]

use std::io::{self, IsTerminal, Write};
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipcsim_session::{Cancellation, Meter, Reason};

use ipcsim_report::visible;

use crate::memory;
use crate::terminal::{INTERRUPTED, is_printing};

/// How often the watch looks.
const TICK: Duration = Duration::from_millis(10);
/// So long after it was cancelled the work may still go on, to end in good order.
pub(crate) const GRACE: Duration = Duration::from_millis(500);
/// After so long it is shown how far it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the work may take.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// So much time, if that is limited.
    pub time: Option<Duration>,
    /// So many bytes of memory. A search stops there; what is concluded from it may take a tenth more.
    pub memory: usize,
}

impl Bounds {
    /// So much memory, or if that is not said as much as there is.
    pub(crate) fn of(max_memory: Option<u64>) -> Self {
        let said = max_memory.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        Self { time: None, memory: said.unwrap_or_else(memory::default_limit) }
    }
}

/// Does something within bounds; `line` says how far it is.
pub(crate) fn watched<T>(
    bounds: Bounds,
    line: &(impl Fn() -> String + Sync),
    work: impl FnOnce(&Cancellation) -> T,
) -> T {
    let limit = bounds.memory.saturating_add(bounds.memory / 10);
    let cancellation = Cancellation::at(Meter { used: &ipcsim_heap::IN_USE, limit });
    if bounds.time == Some(Duration::ZERO) {
        cancellation.cancel(Reason::Time);
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = scope.spawn(|| watch(bounds, limit, &cancellation, line, &done));
        // Also where the work panics: the scope waits for the watch.
        let _stop = Stop { done: &done, watch: watch.thread() };
        work(&cancellation)
    })
}

/// Stops the watch when it is dropped.
struct Stop<'a> {
    done: &'a AtomicBool,
    watch: &'a thread::Thread,
}

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        self.watch.unpark();
    }
}

fn watch(
    bounds: Bounds,
    limit: usize,
    cancellation: &Cancellation,
    line: &impl Fn() -> String,
    done: &AtomicBool,
) {
    let begun = Instant::now();
    let mut cancelled: Option<Instant> = None;
    let mut shown: Option<indicatif::ProgressBar> = None;
    let shows = io::stderr().is_terminal();
    while !done.load(Ordering::Relaxed) {
        thread::park_timeout(TICK);
        if INTERRUPTED.load(Ordering::Relaxed) {
            cancellation.cancel(Reason::Interrupted);
        }
        if bounds.time.is_some_and(|time| begun.elapsed() >= time) {
            cancellation.cancel(Reason::Time);
        }
        // What the allocator counts is less than what the system sees where memory is in pieces.
        let resident = memory::resident().unwrap_or(0);
        if resident > limit {
            cancellation.cancel(Reason::Memory);
        }
        if resident > limit.saturating_add(limit / 16) && !done.load(Ordering::Relaxed) {
            end(Reason::Memory);
        }
        if let Some(reason) = cancellation.reason() {
            let since = *cancelled.get_or_insert_with(Instant::now);
            let is_over = since.elapsed() >= GRACE && !is_printing();
            if is_over && !done.load(Ordering::Relaxed) {
                end(reason);
            }
        }
        if shows && begun.elapsed() >= PATIENCE {
            let shown = shown.get_or_insert_with(indicatif::ProgressBar::new_spinner);
            shown.set_message(visible(&line()));
            shown.tick();
        }
    }
    if let Some(shown) = shown {
        shown.finish_and_clear();
    }
}

/// Ends the program: the work did not stop by itself.
fn end(reason: Reason) -> ! {
    let (text, code) = match reason {
        Reason::Interrupted => ("interrupted", 130),
        Reason::Time => ("not decided: --time was reached", 3),
        Reason::Memory => ("not decided: --max-memory was reached", 3),
    };
    let _ = writeln!(io::stderr(), "{text}");
    exit(code)
}
