//! What is looked out for during a run: threads that are stuck, and the moment when it happened.

use ipcsim_kernel::{Machine, State, ThreadId, waits};

use super::runner::{Advance, Runner};
use super::{NoTrace, Stuck};
use crate::repetition::Repetition;
use ipcsim_kernel::waits::is_at_rest;

/// Looks out for threads that can never move again, and for runs that repeat themselves.
pub(super) struct Watch<'m> {
    pub(super) stuck: Vec<Stuck>,
    known: Vec<bool>,
    /// The run as it was when it was last looked at; the beginning is not kept, it can be had again.
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

    /// Being stuck is stable, so it is enough to look now and then, and to look back when somebody is
    /// found: the moment when it happened lies between this look and the one before.
    pub(super) fn check(&mut self, runner: &Runner<'m>) {
        self.look(runner);
        self.before = Some(runner.clone());
        self.next_check = runner.steps + pause(&runner.state);
    }

    /// The look at the end of a run, or one of those before.
    pub(super) fn look(&mut self, runner: &Runner<'m>) {
        let mut now = self.newly_stuck(&runner.state, runner.machine);
        while !now.is_empty() {
            let is_dated = self.stuck.len() < dated(&runner.state);
            let looked_back = if is_dated { self.look_back(runner) } else { None };
            let (since_ns, found) = match &looked_back {
                Some(at) => (at.agenda.now_ns, self.newly_stuck(&at.state, at.machine)),
                // After so many of them the moment of the last wait has to do.
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

    /// The first state after the last look in which somebody new is stuck, by halving.
    fn look_back(&self, now: &Runner<'m>) -> Option<Runner<'m>> {
        let until_steps = now.steps;
        let mut low = self.before.clone().unwrap_or_else(|| Runner::new(now.machine));
        // One thing at a time: this is about the very moment.
        low.stride_ends = 0;
        let mut events = until_steps.saturating_sub(low.steps).saturating_mul(4).max(64);
        // Steps count calls only; double the number of events until somebody is stuck at the end.
        loop {
            let (later, over) = went(&low, events);
            if !self.newly_stuck(&later.state, later.machine).is_empty() {
                break;
            }
            // What was found is not found again: it depends on more than what has happened for good.
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

/// How many steps pass between two looks: each costs as much as the state is large.
fn pause(state: &State) -> u64 {
    let (threads, mailboxes) = (state.threads.len() as u64, state.mailboxes.len() as u64);
    4_096.max(64 * threads).max(16 * mailboxes)
}

/// How many moments are looked up exactly: fewer where threads wait at so many objects that each look takes
/// long.
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

/// The run so many events later, or at its end; and whether that was its end.
fn went<'m>(from: &Runner<'m>, events: u64) -> (Runner<'m>, bool) {
    let mut runner = from.clone();
    for _ in 0..events {
        if let Advance::Over(_) = runner.advance(&mut NoTrace) {
            return (runner, true);
        }
    }
    (runner, false)
}
