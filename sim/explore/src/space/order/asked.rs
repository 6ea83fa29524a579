//! What is possible in the state that is looked at, asked transition by transition: most are never asked for.

use std::ops::Range;

use ipcsim_kernel::ThreadId;

use super::super::codec::parts::Is;
use super::super::lazy::{Caller, Lazy};
use super::super::steps::cache::{Came, Move, Step};
use super::super::steps::{Pending, Steps};

/// The state that is looked at, and the layers below.
pub(super) struct Now<'a, 's, 'm> {
    pub steps: &'s mut Steps<'m>,
    pub lazy: &'s mut Lazy,
    pub state: u32,
    pub row: &'a [u32],
}

/// The answers for one state.
#[derive(Default)]
pub(super) struct Asked {
    stamp: u32,
    /// For each transition, the last state in which it was asked for, and where its ways are.
    of_transitions: Vec<(u32, Range<usize>)>,
    /// For each thread, the same for its call, and how far that comes by itself.
    of_calls: Vec<(u32, Option<Came>, Range<usize>)>,
    /// All ways of all transitions that were asked for.
    pub pool: Vec<Pending>,
    calls: Vec<Pending>,
}

impl Asked {
    /// For a net with so many transitions and threads.
    pub(super) fn about(transitions: usize, threads: usize) -> Self {
        Self {
            of_transitions: vec![(0, 0..0); transitions],
            of_calls: vec![(0, None, 0..0); threads],
            ..Self::default()
        }
    }

    /// Forgets the last state.
    pub(super) fn begin(&mut self) {
        self.stamp += 1;
        self.pool.clear();
        self.calls.clear();
    }

    /// Where the ways of a transition are, if it was asked for.
    pub(super) fn ways(&self, transition: usize) -> Option<Range<usize>> {
        let (stamp, ways) = &self.of_transitions[transition];
        (*stamp == self.stamp).then(|| ways.clone())
    }

    /// Notes that the ways of a transition are those from here on.
    pub(super) fn learn(&mut self, transition: usize, first: usize) -> &[Pending] {
        let ways = first..self.pool.len();
        self.of_transitions[transition] = (self.stamp, ways.clone());
        &self.pool[ways]
    }

    /// How far the call of a thread comes by itself, if it makes one.
    pub(super) fn call(&mut self, now: &mut Now, (t, part): (usize, u32)) -> Option<Caller> {
        let id = ThreadId::at(t);
        if self.of_calls[t].0 != self.stamp {
            let first = self.calls.len();
            let position = now.steps.codec.layout.thread(t);
            if now.steps.codec.can(now.row, position).call == Is::So {
                let step = Step::alone(Move::Call(id));
                now.steps.follow((now.state, now.row), step, &mut self.calls);
            }
            let effects = self.calls[first..].iter();
            let came = effects.map(|pending| now.steps.cache.effect(pending.effect).came);
            let came = came.reduce(Came::and);
            now.lazy.learn(now.steps, part);
            self.of_calls[t] = (self.stamp, came, first..self.calls.len());
        }
        let came = self.of_calls[t].1?;
        Some(Caller { t: id, part, came })
    }

    /// Notes what the call of a thread does by itself.
    pub(super) fn add_call(&mut self, now: &Now, t: usize) {
        let ways = &self.calls[self.of_calls[t].2.clone()];
        let is_step = |pending: &&Pending| now.is_step(pending);
        self.pool.extend(ways.iter().filter(is_step));
    }

    /// Notes what comes of a step.
    pub(super) fn add(&mut self, now: &mut Now, step: Step) {
        let first = self.pool.len();
        now.steps.follow((now.state, now.row), step, &mut self.pool);
        let mut at = first;
        while at < self.pool.len() {
            if now.is_step(&self.pool[at]) {
                at += 1;
            } else {
                self.pool.remove(at);
            }
        }
    }

    /// Notes what comes of it if the call of one blocks, and then another one calls.
    pub(super) fn add_meeting(&mut self, now: &mut Now, waiter: &Caller, other: &Caller) {
        if waiter.came.waits() && now.lazy.may_complete(waiter, other) {
            self.add(now, Step { blocks: Some(waiter.t), what: Move::Call(other.t) });
        }
    }
}

impl Now<'_, '_, '_> {
    /// After what is no step somebody waits who could as well call later.
    fn is_step(&self, pending: &Pending) -> bool {
        !self.steps.cache.effect(pending.effect).came.waits()
    }
}

/// By this the steps of a state are sorted: those of one thread before those of two, each in the order of the file.
pub(super) fn in_order_of_the_file(step: Step) -> (usize, usize, usize, usize) {
    let blocks = step.blocks.map_or(0, |t| t.index() + 1);
    match step.what {
        Move::Begin => (blocks, 0, 0, 0),
        Move::Start(process) => (blocks, 1, process.index(), 0),
        Move::Expire(t) if step.blocks.is_some() => (blocks, 1, t.index(), 0),
        Move::Call(t) => (blocks, 2, t.index(), 0),
        Move::Local(t) => (blocks, 2, t.index(), 1),
        Move::Expire(t) => (blocks, 2, t.index(), 2),
    }
}
