//! The cycle of a run that repeats itself for ever: since when it repeats, who moves in it and
//! where, and who never moves again.

use std::collections::BTreeMap;

use ipcsim_kernel::program::Op;
use ipcsim_kernel::{Pc, ThreadId, ThreadState};

use super::NoTrace;
use super::runner::{Advance, Runner};
use crate::repetition::Moment;

/// The cycle of a run that repeats itself for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// When it was first in a state to which it returns, in nanoseconds.
    pub since_ns: u64,
    /// The length of the cycle, in nanoseconds.
    pub period_ns: u64,
    /// Who runs in it, and where each makes calls, in order.
    pub movers: Vec<(ThreadId, Vec<Pc>)>,
    /// Who could run but never does.
    pub starved: Vec<ThreadId>,
    /// Who waits, and is never woken.
    pub idle: Vec<ThreadId>,
}

/// Longer cycles, in events, are not analysed.
const LONGEST: u64 = 4_000_000;
/// In runs with more steps than this, the beginning of the cycle is not searched for: the search
/// replays the run some twenty times.
const MOST_STEPS: u64 = 500_000;

/// The cycle of a run that is known to repeat itself from here on.
pub(super) fn round_of(runner: &Runner) -> Option<Round> {
    let mut at = one_at_a_time(runner.clone());
    let here = Moment::of(&at);
    let begun_ns = at.agenda.now_ns;
    let mut waits: Vec<bool> =
        at.state.threads.items().iter().map(|it| is_blocked(&it.state)).collect();
    let mut stands: Vec<Option<Pc>> = at.state.threads.items().iter().map(could_run).collect();
    let mut movers: BTreeMap<ThreadId, Vec<Pc>> = BTreeMap::new();
    let mut events = 0;
    loop {
        for t in at.cpus.iter().filter_map(|cpu| cpu.thread) {
            stands[t.index()] = None;
            let pc = at.state.threads.items()[t.index()].pc;
            let places = movers.entry(t).or_default();
            if matches!(at.machine.code[pc.index()], Op::Call(_) | Op::Access(_))
                && !places.contains(&pc)
            {
                places.push(pc);
            }
        }
        if events == LONGEST || matches!(at.advance(&mut NoTrace), Advance::Over(_)) {
            return None;
        }
        events += 1;
        for (t, thread) in at.state.threads.items().iter().enumerate() {
            waits[t] &= is_blocked(&thread.state);
            stands[t] = stands[t].filter(|pc| could_run(thread) == Some(*pc));
        }
        if here.is(&at) {
            break;
        }
    }
    let all = |of: &[bool]| (0..of.len()).filter(|t| of[*t]).map(ThreadId::at).collect();
    let starved: Vec<bool> = stands.iter().map(Option::is_some).collect();
    for places in movers.values_mut() {
        places.sort_unstable();
    }
    Some(Round {
        since_ns: first_time(runner, &here, events).unwrap_or(begun_ns),
        period_ns: at.agenda.now_ns - begun_ns,
        movers: movers.into_iter().collect(),
        starved: all(&starved),
        idle: all(&waits),
    })
}

fn is_blocked(state: &ThreadState) -> bool {
    matches!(state.underneath(), ThreadState::Blocked { .. })
}

/// Where a thread stands, if it could run.
fn could_run(thread: &ipcsim_kernel::Thread) -> Option<Pc> {
    thread.state.could_step().then_some(thread.pc)
}

fn one_at_a_time(mut runner: Runner) -> Runner {
    runner.stride_ends = 0;
    runner
}

/// When the run was first in a state to which it returns after this many events: by bisection,
/// because from then on it always is.
fn first_time(runner: &Runner, here: &Moment, turn: u64) -> Option<u64> {
    if runner.steps > MOST_STEPS {
        return None;
    }
    let start = || one_at_a_time(Runner::new(runner.machine));
    let mut at = start();
    let mut end = 0;
    while !(at.steps == runner.steps && at.agenda.now_ns == runner.agenda.now_ns && here.is(&at)) {
        if at.steps > runner.steps || matches!(at.advance(&mut NoTrace), Advance::Over(_)) {
            return None;
        }
        end += 1;
    }
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut at = start();
        go(&mut at, middle);
        let moment = Moment::of(&at);
        go(&mut at, turn);
        if moment.is(&at) { high = middle } else { low = middle + 1 }
    }
    let mut at = start();
    go(&mut at, low);
    Some(at.agenda.now_ns)
}

fn go(runner: &mut Runner, events: u64) {
    for _ in 0..events {
        if matches!(runner.advance(&mut NoTrace), Advance::Over(_)) {
            return;
        }
    }
}
