//! `ipcsim explore`: every schedule of a scenario.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ipcsim_explore::{
    Covered, Exploration, ExploreLimits, Outcome, Progress, Reduction, Reductions, explore,
};
use ipcsim_kernel::{Machine, Predicate};

use crate::args::{ExploreArgs, How};
use crate::exit::Exit;
use crate::input;
use crate::terminal::{INTERRUPTED, Terminal};

pub(crate) fn execute(args: &ExploreArgs, terminal: &Terminal) -> Exit {
    let text = match input::read(&args.file, &args.input) {
        Ok(text) => text,
        Err(message) => {
            terminal.error(&message);
            return Exit::Unusable;
        }
    };
    let loaded = input::compile(&text, &args.input);
    terminal.diagnostics(&loaded);
    let Some(machine) = &loaded.machine else { return Exit::Unusable };
    let mut found = search(machine, &args.how, &[]);
    let title = loaded.scenario.title.as_ref();
    let mut out = format!("{}\n\n", title.map_or(text.name.as_str(), |title| &title.value));
    out.push_str(&ipcsim_report::exploration(&mut found, reductions(&args.how), |_, _| {
        String::new()
    }));
    terminal.print(&out);
    exit(&found)
}

pub(crate) fn reductions(how: &How) -> Reductions {
    let merge = if how.no_merge { Reduction::Off } else { Reduction::On };
    Reductions { merge }
}

/// Explores within the limits that were asked for.
pub(crate) fn search<'m>(
    machine: &'m Machine,
    how: &How,
    predicates: &[Predicate],
) -> Exploration<'m> {
    let time_over = AtomicBool::new(false);
    let done = AtomicBool::new(false);
    let progress = Progress::default();
    let limits = ExploreLimits {
        max_states: how.max_states,
        max_bytes: usize::MAX,
        interrupted: Some(&INTERRUPTED),
        time_over: Some(&time_over),
        progress: Some(&progress),
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
        let found = explore(machine, reductions(how), predicates, &limits);
        done.store(true, Ordering::Relaxed);
        found
    })
}

fn exit(found: &Exploration) -> Exit {
    if found.covered == Covered::Interrupted {
        return Exit::Interrupted;
    }
    if found.endings.iter().any(|ending| ending.outcome != Outcome::Completes) {
        return Exit::No;
    }
    if found.covered == Covered::All { Exit::Yes } else { Exit::Undecided }
}
