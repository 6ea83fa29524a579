//! `ipcsim explore`: every schedule of a scenario.

#![expect(clippy::disallowed_types, reason = "how long it took is told to whoever waits")]

use std::io::IsTerminal;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ipcsim_explore::{
    Covered, Ending, Exploration, ExploreLimits, Limits, Log, Lookers, Looks, LooksAt, NoTrace,
    Outcome, Path, Progress, Reduction, Reductions, View, conclude, explore, explore_approximately,
    run, token,
};
use ipcsim_kernel::{Machine, Predicate, Scheduler};
use ipcsim_report::{Told, count};
use ipcsim_scenario::{Change, Loaded};

use crate::args::{ExploreArgs, How};
use crate::cures;
use crate::exit::Exit;
use crate::input::{self, Text};
use crate::run::title;
use crate::terminal::{INTERRUPTED, Terminal, in_shell, showing};

/// Up to so many states every schedule is looked at, and can be told of: that takes no time worth saving.
const SMALL: u64 = 50_000;
/// What an approximate exploration keeps of states takes so many bytes, if nothing else is said: enough for
/// seventy million of them; then less than one new one in a thousand is passed over.
const BITS: u64 = 256 << 20;
/// A cure whose schedules have more states than this is not worth waiting for.
const CURE_STATES: u64 = 200_000;
/// Together they may cost as much as so many states; a step that is really performed costs as much as so
/// many.
const CURES_COST: u64 = 2_000_000;
const PERFORMING: u64 = 20;

pub(crate) fn execute(args: &ExploreArgs, terminal: &Terminal) -> Exit {
    let (text, loaded) = match input::open(&args.subject.file, &args.subject.input, terminal) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let Some(machine) = &loaded.machine else { return Exit::Unusable };
    let begun = Instant::now();
    // What is looked at in the end must not be forgotten on the way.
    let variables = args.all_outcomes.then(|| ipcsim_report::all_variables(machine));
    let predicates: Vec<Predicate> =
        variables.iter().map(|(predicate, _)| predicate.clone()).collect();
    let log = if args.all_outcomes { Log::Kept } else { Log::Forgotten };
    let looks = Looks { predicates: &predicates, log };
    let mut found = if args.approximate {
        let bits = args.subject.how.max_memory.map_or(BITS, |bytes| bytes / 2);
        let bits = usize::try_from(bits).unwrap_or(usize::MAX);
        within(machine, &args.subject.how, |machine, reductions, limits| {
            explore_approximately(machine, reductions, bits, limits)
        })
    } else {
        search(machine, &args.subject.how, looks)
    };
    let print = fingerprint(&text, args.subject.input.sets.as_slice());
    let at = if args.all_outcomes { LooksAt::Results } else { LooksAt::Ends };
    let view = View { merge: reductions(&args.subject.how).merge, at };
    let replay = |found: &mut Exploration, path: &Path| {
        let mut words = vec!["ipcsim replay".to_string(), args.subject.file.clone()];
        words.push(token(found, path, view, print));
        words.extend(args.subject.input.sets.iter().map(|set| format!("--set {}", in_shell(set))));
        words.join(" ")
    };
    let cures = cures(&loaded, &found, &args.subject.how, begun);
    let confirm = |ending: &Ending| confirm(machine, ending, args);
    let told = Told { replay: &replay, cures: &cures, confirm: &confirm };
    let mut out = format!("{}\n\n", title(&text, &loaded));
    out.push_str(&ipcsim_report::exploration(&mut found, &told));
    if let Some((predicate, names)) = &variables {
        out.push_str(&ipcsim_report::final_results(&mut found, predicate, names, &replay));
    }
    terminal.print(&out);
    tell_cost(&found, begun, terminal);
    exit(&found)
}

/// What a token belongs to: the scenario as it was changed, and what counts as a step.
pub(crate) fn fingerprint(text: &Text, sets: &[String]) -> u64 {
    let hash = ipcsim_report::trace::fingerprint(&text.bytes, sets);
    let hash = u64::from_str_radix(&hash, 16).unwrap_or(0);
    hash ^ (hash >> 32)
}

/// Time was free; with the durations of the scenario a schedule may be impossible. So runs are tried:
/// several seeds, and every scheduler.
fn confirm(machine: &Machine, ending: &Ending, args: &ExploreArgs) -> String {
    const SEEDS: u64 = 16;
    const STEPS: u64 = 20_000;
    let own = (machine.timing.seed, machine.timing.scheduler);
    let all = (0..SEEDS).flat_map(|seed| SCHEDULERS.map(|(scheduler, _)| (seed, scheduler)));
    let mut tried = 0;
    for (seed, scheduler) in std::iter::once(own).chain(all) {
        let mut timed = machine.clone();
        (timed.timing.seed, timed.timing.scheduler) = (seed, scheduler);
        let limits = Limits { max_steps: STEPS, ..Limits::default() };
        let run = run(&timed, &limits, &mut NoTrace);
        let verdict = conclude(&timed, &run);
        tried += 1;
        if verdict.outcome == ending.outcome && ending.blocked.contains(&verdict.blocked) {
            let mut words = vec![format!("a run ends so too: ipcsim run {}", args.subject.file)];
            words.extend(
                args.subject.input.sets.iter().map(|set| format!("--set {}", in_shell(set))),
            );
            if seed != own.0 {
                words.push(format!("--seed {seed}"));
            }
            if scheduler != own.1 {
                let name = SCHEDULERS.iter().find(|(known, _)| *known == scheduler);
                let name = name.map_or("fifo", |(_, name)| name);
                words.push(format!("--set kernel.scheduler={name}"));
            }
            return words.join(" ");
        }
    }
    format!(
        "of {tried} runs with the scenario's durations none ended so; whether one can is not known"
    )
}

const SCHEDULERS: [(Scheduler, &str); 4] = [
    (Scheduler::Fifo, "fifo"),
    (Scheduler::RoundRobin, "round-robin"),
    (Scheduler::Priority, "priority"),
    (Scheduler::Random, "random"),
];

/// The least changes of a number, and exchanges of two steps, with which every schedule completes.
fn cures(loaded: &Loaded, found: &Exploration, how: &How, begun: Instant) -> Vec<String> {
    if found.covered != Covered::All {
        return Vec::new();
    }
    let endings = found.endings.iter();
    let stuck = endings
        .filter(|ending| matches!(ending.outcome, Outcome::Deadlock | Outcome::Stranded))
        .map(|ending| (found.state(ending.state), ending.problems.clone()));
    let stuck: Vec<_> = stuck.collect();
    let problems = stuck.iter().map(|(state, problems)| (state, &problems[..]));
    let mut spent = 0;
    let completes = |change: &Change| {
        let elapsed = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let time = how.time.map(|time| time.saturating_sub(elapsed));
        if spent > CURES_COST || time == Some(0) {
            return false;
        }
        let Some(machine) = loaded.machine_with(change) else { return false };
        let most = How { max_states: CURE_STATES, time, ..how.clone() };
        let tried = search(&machine, &most, Looks::NOTHING);
        spent += tried.states() + PERFORMING * tried.performed();
        tried.covered == Covered::All
            && tried.endings.iter().all(|ending| ending.outcome == Outcome::Completes)
    };
    let cures = cures::find(loaded, found.machine, problems, completes);
    cures.into_iter().map(|what| format!("{what} (every schedule then completes)")).collect()
}

pub(crate) fn reductions(how: &How) -> Reductions {
    let unless = |off: bool| if off { Reduction::Off } else { Reduction::On };
    Reductions {
        merge: unless(how.no_merge),
        order: unless(how.no_por),
        symmetry: unless(how.no_symmetry),
    }
}

/// Explores within the limits that were asked for.
pub(crate) fn search<'m>(machine: &'m Machine, how: &How, looks: Looks) -> Exploration<'m> {
    within(machine, how, |machine, reductions, limits| explore(machine, reductions, looks, limits))
}

fn within<'m>(
    machine: &'m Machine,
    how: &How,
    explore: impl FnOnce(&'m Machine, Reductions, &ExploreLimits) -> Exploration<'m>,
) -> Exploration<'m> {
    let time_over = AtomicBool::new(how.time == Some(0));
    let done = AtomicBool::new(false);
    let progress = Progress::default();
    let limits = ExploreLimits {
        max_states: how.max_states,
        small: SMALL,
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
        let found = showing(&line, || explore(machine, reductions(how), &limits));
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
