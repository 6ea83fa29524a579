//! Claims over schedules: what always holds, and what every fair schedule eventually reaches.

use std::collections::BTreeSet;

use ipcsim_kernel::{Event, Fault, Kind, Machine, Predicate, ProcessId, State, Value};

use super::components::components;
use super::endings::{Fair, fair, goes_round};
use super::explain::{Path, states_to};
use super::observed::{CanBe, Observed};
use super::{Covered, Exploration};
use crate::replay::replay;
use crate::run::Tracer;

/// The result when nothing can move any more.
#[derive(Clone, Debug, PartialEq)]
pub struct FinalResult {
    /// What the probes see.
    pub held: Vec<Value>,
    /// What was logged, in this order, and by whom.
    pub log: Vec<(ProcessId, Value)>,
    /// The first state, in order of discovery, with this result.
    pub state: u32,
}

/// What is logged, in this order, and by whom.
struct Log(Vec<(ProcessId, Value)>);

impl Tracer for Log {
    const EVENTS: bool = true;

    fn record(&mut self, _: &Machine, state: &State, _: u64, event: &Event) {
        if let (Kind::Logged(text), Some(t)) = (&event.kind, event.thread) {
            self.0.push((state.threads.items()[t.index()].process, (*text).clone()));
        }
    }
}

/// A claim that holds because nothing ever put it to the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vacuous {
    /// Nothing that it reads ever changes.
    NeverChanges,
    /// It is true from the start.
    FromTheStart,
}

/// The states that can be reached without a predicate ever holding.
struct Avoiding {
    /// The parent of each.
    parents: Vec<u32>,
    /// Whether a state is one of them.
    reached: Vec<bool>,
    /// All of them, nearest first.
    order: Vec<u32>,
    /// One in which nothing can move any more, if there is one: the search stops there.
    sink: Option<u32>,
}

impl Exploration<'_> {
    /// Whether the exploration was cancelled. If so, it no longer counts as complete.
    fn is_cancelled(&mut self) -> bool {
        let reason = self.space.cancelled();
        if let (Covered::All, Some(reason)) = (self.covered, reason) {
            self.covered = reason.into();
        }
        reason.is_some()
    }

    /// The nearest state in which the predicate with this number does not hold. If cancelled before
    /// one is found, `covered` says so.
    ///
    /// Errors: a state in which it cannot be computed.
    pub fn never_holds_not(&mut self, predicate: usize) -> Result<Option<u32>, (u32, Fault)> {
        if let Some(observed) = self.observed() {
            return observed.fails();
        }
        for state in self.first..self.space.states() as u32 {
            if self.is_cancelled() {
                break;
            }
            match self.space.holds(predicate, state) {
                Ok(true) => {}
                Ok(false) => return Ok(Some(state)),
                Err(fault) => return Err((state, fault)),
            }
        }
        Ok(None)
    }

    /// The nearest state in which the predicate with this number holds. If cancelled before one is
    /// found, `covered` says so.
    ///
    /// Errors: it holds in none, and this is a state in which it cannot be computed.
    pub fn comes_to_hold(&mut self, predicate: usize) -> Result<Option<u32>, (u32, Fault)> {
        if let Some(observed) = self.observed() {
            return observed.holds();
        }
        let mut fault = None;
        for state in self.first..self.space.states() as u32 {
            if self.is_cancelled() {
                break;
            }
            match self.holds(predicate, state) {
                Ok(true) => return Ok(Some(state)),
                Ok(false) => {}
                Err(first) => fault = fault.or(Some(first)),
            }
        }
        fault.map_or(Ok(None), Err)
    }

    /// What a search saw of all states, if it did not keep them.
    fn observed(&self) -> Option<&CanBe> {
        match self.retold.as_ref()?.observed.as_ref()? {
            Observed::CanBe(seen) => Some(seen),
            Observed::Remains(_) => None,
        }
    }

    /// The states in which nothing moves any more; if they were not kept, one for each result.
    fn rests(&self) -> &[u32] {
        match self.retold.as_ref().and_then(|retold| retold.observed.as_ref()) {
            Some(Observed::Remains(seen)) => &seen.0,
            _ => &self.sinks,
        }
    }

    /// What was logged on the way to a state, and by whom, if that was observed.
    pub fn log(&self, state: u32) -> Vec<(ProcessId, Value)> {
        self.space.log(state)
    }

    /// The states in which schedules end, or cycle for ever, in order.
    pub fn final_states(&self) -> Vec<u32> {
        if self.retold.is_some() {
            return self.rests().to_vec();
        }
        let mut all: Vec<u32> = self.ends.good.iter().chain(&self.ends.bad).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// A shortest path on which the predicate never holds: to a state in which nothing can move any
    /// more, or to a cycle in which a fair schedule can stay for ever. None if every fair schedule
    /// reaches a state in which it holds. Meaningful only if all states were visited, and `covered`
    /// still says so afterwards: it can be cancelled.
    ///
    /// Errors: a state in which it cannot be computed.
    pub fn avoids(&mut self, predicate: usize) -> Result<Option<Path>, (u32, Fault)> {
        let avoiding = self.avoiding(predicate)?;
        let end = avoiding.sink.or_else(|| self.fair_circle_in(&avoiding));
        Ok(end.map(|end| {
            let states = states_to(&avoiding.parents, self.first, end);
            self.by_way_of(&states)
        }))
    }

    /// All states that can be reached without the predicate ever holding; stops at the first in
    /// which nothing can move any more.
    fn avoiding(&mut self, predicate: usize) -> Result<Avoiding, (u32, Fault)> {
        let mut parents = vec![0; self.space.states()];
        let mut reached = vec![false; self.space.states()];
        let mut order: Vec<u32> = Vec::new();
        let mut edges = Vec::new();
        for state in self.beginnings.clone() {
            if !self.holds(predicate, state)? && !reached[state as usize] {
                reached[state as usize] = true;
                order.push(state);
            }
        }
        let mut next = 0;
        while let Some(&state) = order.get(next) {
            next += 1;
            if self.is_cancelled() {
                break;
            }
            edges.clear();
            self.space.expand(state, &mut edges);
            if edges.is_empty() {
                return Ok(Avoiding { parents, reached, order, sink: Some(state) });
            }
            for edge in &edges {
                if !reached[edge.to as usize] && !self.holds(predicate, edge.to)? {
                    reached[edge.to as usize] = true;
                    parents[edge.to as usize] = state;
                    order.push(edge.to);
                }
            }
        }
        Ok(Avoiding { parents, reached, order, sink: None })
    }

    /// The first of these states on a cycle among them in which a fair schedule can stay for ever.
    fn fair_circle_in(&mut self, Avoiding { reached, order, .. }: &Avoiding) -> Option<u32> {
        if !self.goes_back || self.is_cancelled() {
            return None;
        }
        let found = self.first_fair_circle(reached, order);
        // If it was cancelled meanwhile, the result is meaningless.
        if self.is_cancelled() { None } else { found }
    }

    fn first_fair_circle(&mut self, reached: &[bool], order: &[u32]) -> Option<u32> {
        let first = self.first;
        let space = &mut self.space;
        let among = (first..reached.len() as u32).filter(|state| reached[*state as usize]);
        let inner = components(space, among, |_, edge| reached[edge.to as usize])?;
        let round = goes_round(space, first, &inner, &|_, _| true)?;
        let mut on_circles = BTreeSet::new();
        for members in inner.circles(first, &round) {
            if fair(space, &inner, &members, &|_, _| true)? != Fair::NotSo {
                on_circles.extend(members);
            }
        }
        order.iter().copied().find(|state| on_circles.contains(state))
    }

    /// What a predicate's probes see when nothing can move any more, and what was logged until
    /// then: each distinct result once, in order of discovery, as a run tells it.
    pub fn results(&mut self, predicate: &Predicate) -> Vec<FinalResult> {
        let mut results: Vec<FinalResult> = Vec::new();
        let mut known = BTreeSet::new();
        for state in self.rests().to_vec() {
            let held = predicate.sight(&self.space.state(state));
            let log = self.space.log(state);
            if known.insert(format!("{held:?} {log:?}")) {
                results.push(FinalResult { held, log, state });
            }
        }
        if self.space.forgets() {
            for result in &mut results {
                let path = self.path(result.state);
                let schedule = self.schedule(&path);
                let (mut log, grain) = (Log(Vec::new()), self.grain().clone());
                let state = replay(self.machine, &grain, &schedule, &mut log);
                result.held = predicate.sight(&state);
                // Where the search kept no log, a schedule is no more than one of several that lead there.
                if !result.log.is_empty() {
                    result.log = log.0;
                }
            }
        }
        results
    }

    /// Whether a predicate that always holds does so vacuously.
    pub fn vacuous_always(&self, predicate: usize) -> Option<Vacuous> {
        if let Some(observed) = self.observed() {
            return observed.vacuous;
        }
        let states = self.first..self.space.states() as u32;
        let never = self.space.sights(predicate, states) <= 1;
        never.then_some(Vacuous::NeverChanges)
    }

    /// Whether a predicate that every schedule reaches is already true before anything happens.
    pub fn vacuous_eventually(&mut self, predicate: usize) -> Option<Vacuous> {
        let beginnings = self.beginnings.clone();
        let mut already = beginnings.into_iter();
        already
            .all(|state| self.space.holds(predicate, state) == Ok(true))
            .then_some(Vacuous::FromTheStart)
    }

    fn holds(&mut self, predicate: usize, state: u32) -> Result<bool, (u32, Fault)> {
        self.space.holds(predicate, state).map_err(|fault| (state, fault))
    }
}
