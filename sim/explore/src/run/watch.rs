//! Watches a run for stuck threads, and finds the moment when they got stuck.

use ipcsim_kernel::{Machine, State, ThreadId, circle_of, waits};

use super::runner::{Advance, Runner};
use super::{Hidden, NoTrace, Stuck};
use crate::repetition::Repetition;
use ipcsim_kernel::waits::is_at_rest;

/// Watches for threads that can never move again, and for runs that repeat themselves.
pub(super) struct Watch<'m> {
    pub(super) stuck: Vec<Stuck>,
    known: Vec<bool>,
    /// The run at the last check; none means the beginning, which can be recreated.
    before: Option<Runner<'m>>,
    pub(super) next_check: u64,
    pub(super) repetition: Repetition,
}

impl<'m> Watch<'m> {
    pub(super) fn new(runner: &Runner<'m>) -> Self {
        Self {
            stuck: Vec::new(),
            known: Vec::new(),
            before: None,
            next_check: pause(&runner.state),
            repetition: Repetition::new(),
        }
    }

    /// Being stuck is stable, so checking now and then is enough. When somebody is found, look
    /// back: it happened between this check and the previous one.
    pub(super) fn check(&mut self, runner: &Runner<'m>) {
        self.look(runner);
        self.before = Some(runner.clone());
        self.next_check = runner.steps + pause(&runner.state);
    }

    /// Checks now: at the end of a run, or during it.
    pub(super) fn look(&mut self, runner: &Runner<'m>) {
        let mut now = self.newly_stuck(&runner.state, runner.machine);
        while !now.is_empty() {
            let is_dated = self.stuck.len() < dated(&runner.state);
            let looked_back = if is_dated { self.look_back(runner) } else { None };
            let (since_ns, found) = match &looked_back {
                Some(at) => (at.agenda.now_ns, self.newly_stuck(&at.state, at.machine)),
                // After too many of them, the beginning of the last wait has to do.
                None => (last_wait(runner, &now), now),
            };
            for t in &found {
                if self.known.len() <= t.index() {
                    self.known.resize(t.index() + 1, false);
                }
                self.known[t.index()] = true;
            }
            self.stuck.push(Stuck { since_ns, threads: found });
            if let Some(at) = looked_back {
                self.before = Some(at);
            }
            now = self.newly_stuck(&runner.state, runner.machine);
        }
    }

    fn newly_stuck(&self, state: &State, machine: &Machine) -> Vec<ThreadId> {
        let stuck = waits::stuck(machine, state);
        stuck
            .into_iter()
            .filter(|t| !self.known.get(t.index()).copied().unwrap_or(false))
            .filter(|t| !is_at_rest(machine, state, *t))
            .collect()
    }

    /// The first state after the last check in which somebody new is stuck, by bisection.
    fn look_back(&self, now: &Runner<'m>) -> Option<Runner<'m>> {
        let until_steps = now.steps;
        let mut low = self.before.clone().unwrap_or_else(|| Runner::new(now.machine));
        // One event at a time: the exact moment matters.
        low.stride_ends = 0;
        let mut events = until_steps.saturating_sub(low.steps).saturating_mul(4).max(64);
        // Steps count calls only; double the number of events until somebody is stuck at the end.
        loop {
            let (later, over) = went(&low, events);
            if !self.newly_stuck(&later.state, later.machine).is_empty() {
                break;
            }
            // It is not found again in the replay: it depended on something that is not permanent.
            if over || later.steps > until_steps {
                return None;
            }
            events = events.saturating_mul(2);
        }
        while events > 1 {
            let half = events / 2;
            let (middle, _) = went(&low, half);
            if self.newly_stuck(&middle.state, middle.machine).is_empty() {
                low = middle;
                events -= half;
            } else {
                events = half;
            }
        }
        Some(went(&low, 1).0)
    }
}

impl Runner<'_> {
    /// If only a timeout breaks a wait cycle, the deadlock is merely hidden. Searched for a few
    /// times, in machines of moderate size; it changes no verdict.
    pub(super) fn note_hidden_circle(&mut self, t: ThreadId) {
        const LOOKS: u32 = 32;
        const THREADS: usize = 1_000;
        if self.hidden.is_some() || self.looks >= LOOKS || self.state.threads.len() > THREADS {
            return;
        }
        self.looks += 1;
        let threads = circle_of(self.machine, &self.state, t);
        if !threads.is_empty() {
            let waits = threads.iter().map(|t| (*t, self.state.threads[t.index()].pc)).collect();
            self.hidden = Some(Hidden { opened_ns: self.agenda.now_ns, by: t, waits });
        }
    }
}

/// How many steps pass between two checks: the cost of each grows with the state.
fn pause(state: &State) -> u64 {
    let (threads, mailboxes) = (state.threads.len() as u64, state.mailboxes.len() as u64);
    4_096.max(64 * threads).max(16 * mailboxes)
}

/// How many moments are dated exactly: fewer if threads wait at so many objects that each check is
/// slow.
fn dated(state: &State) -> usize {
    const MOST: usize = 8;
    const ENOUGH: usize = 1_000_000;
    let waits: usize = state.mailboxes.iter().map(|mailbox| mailbox.receivers.len()).sum();
    MOST.min(ENOUGH / (state.threads.len() + waits).max(1))
}

/// When the last of these threads began to wait, in nanoseconds.
fn last_wait(runner: &Runner, threads: &[ThreadId]) -> u64 {
    let since = |t: &ThreadId| runner.agenda.threads[t.index()].waiting_since_ns;
    threads.iter().map(since).max().unwrap_or(runner.agenda.now_ns)
}

/// The run this many events later, or at its end, and whether it has ended.
fn went<'m>(from: &Runner<'m>, events: u64) -> (Runner<'m>, bool) {
    let mut runner = from.clone();
    for _ in 0..events {
        if let Advance::Over(_) = runner.advance(&mut NoTrace) {
            return (runner, true);
        }
    }
    (runner, false)
}
