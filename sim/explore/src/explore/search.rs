//! The search itself: breadth first, state after state, until none is left or a limit is reached.

use std::ops::Range;

use ipcsim_kernel::program::Op;
use ipcsim_kernel::{Expr, Function, Machine, Pc};

use super::{Covered, ExploreLimits};
use crate::space::{Achieved, Delivery, Edge, IsNew, Space, Together};

/// Where a program asks for the time, except to log it: nobody reads the log.
fn asks_for_the_time(machine: &Machine) -> Option<Pc> {
    let is_now = |part: &Expr| matches!(part, Expr::Function(Function::Now, _));
    let asks = |op: &Op| {
        let mut asks = false;
        op.expressions(&mut |expr| asks |= expr.contains(&is_now));
        asks && !matches!(op, Op::Log(_))
    };
    machine.code.iter().position(asks).map(Pc::at)
}

/// At most this many states are searched for a cycle that only a timeout breaks.
const MOST_MASKED: usize = 256;
/// The limits are checked after this many steps.
const PATIENCE: u64 = 4_096;
/// A batch hardly ever finds this many states.
const CLOSE: u64 = 8_192;

/// An exploration under way.
pub(super) struct Search<'m> {
    pub space: Space<'m>,
    pub parents: Vec<u32>,
    edges: Vec<Edge>,
    /// States without outgoing transitions.
    pub sinks: Vec<u32>,
    pub count: u64,
    /// Where each level begins, from the second on.
    pub levels: Vec<u32>,
    /// Whether a transition leads to a state that was not discovered later: only then can there be cycles.
    pub goes_back: bool,
    refused: Option<Covered>,
    pub delivery: Delivery,
    /// The first states in which only a timeout can happen.
    pub masked: Vec<u32>,
    /// All transitions, if they are kept and not too many.
    pub ways: Option<Ways>,
}

/// The transitions of a search, in the order in which they were found.
#[derive(Default)]
pub(super) struct Ways {
    first: u32,
    /// Where those begin that lead out of each state, from the first one on.
    begins: Vec<u32>,
    /// Where each leads.
    to: Vec<u32>,
}

impl Ways {
    /// More than this are not kept, but found again if they are needed.
    const MOST: usize = 1 << 20;

    /// Adds the transitions out of the next states.
    fn add(&mut self, states: Range<u32>, edges: &[Edge]) {
        let mut left = edges;
        for state in states {
            self.begins.push(self.to.len() as u32);
            let own = left.partition_point(|edge| edge.from <= state);
            self.to.extend(left[..own].iter().map(|edge| edge.to));
            left = &left[own..];
        }
    }

    /// Where those lead that lead out of a state.
    pub(super) fn from(&self, state: u32) -> &[u32] {
        let state = (state - self.first) as usize;
        let end = self.begins.get(state + 1).map_or(self.to.len(), |end| *end as usize);
        &self.to[self.begins[state] as usize..end]
    }

    fn bytes(&self) -> usize {
        4 * (self.begins.capacity() + self.to.capacity())
    }
}

impl<'m> Search<'m> {
    /// As [`Search::new`], for a space that a single thread searches; keeps all transitions.
    pub(super) fn keeping_ways(space: Space<'m>) -> Self {
        Self { ways: Some(Ways::default()), ..Self::new(space) }
    }

    pub(super) fn new(space: Space<'m>) -> Self {
        Self {
            space,
            parents: vec![0],
            edges: Vec::new(),
            sinks: Vec::new(),
            count: 0,
            levels: Vec::new(),
            goes_back: false,
            refused: None,
            delivery: Delivery::Good,
            masked: Vec::new(),
            ways: None,
        }
    }

    /// Finds the initial states.
    pub(super) fn begin(&mut self, limits: &ExploreLimits<'m>) -> Vec<u32> {
        self.space.search_within(limits.bounds());
        let mut edges = std::mem::take(&mut self.edges);
        self.space.begin(&mut edges);
        for edge in &edges {
            self.note(edge);
        }
        let beginnings = edges.iter().map(|edge| edge.to).collect();
        edges.clear();
        self.edges = edges;
        beginnings
    }

    /// Visits all states from the first on, within limits.
    pub(super) fn run(&mut self, first: u32, limits: &ExploreLimits) -> Covered {
        if let Some(ways) = &mut self.ways {
            ways.first = first;
        }
        let covered = self.look_at_all(first, limits);
        self.space.search_is_over();
        covered
    }

    fn look_at_all(&mut self, first: u32, limits: &ExploreLimits) -> Covered {
        if let Some(pc) = asks_for_the_time(self.space.machine()) {
            return Covered::Clock(pc);
        }
        let mut at = first;
        let mut level_ends = self.space.states() as u32;
        let (mut looked_at, mut patient_until) = (0, 0);
        while (at as usize) < self.space.states() {
            if let Some(refused) = self.refused() {
                return refused;
            }
            if at == level_ends {
                self.levels.push(at);
                level_ends = self.space.states() as u32;
            }
            if at >= looked_at {
                looked_at = at + 256;
                if !self.space.order_pays() {
                    return Covered::States;
                }
                patient_until = self.count;
            }
            // With many threads, even a few states take long to expand.
            if self.count >= patient_until {
                patient_until = self.count + PATIENCE;
                if let Some(covered) = self.limit(at, limits) {
                    return covered;
                }
            }
            if self.space.states() as u64 > limits.max_states || self.work() > limits.max_work {
                return Covered::States;
            }
            at = self.expand(at..level_ends, limits);
        }
        let is_too_much = self.work() > limits.max_work;
        self.refused().unwrap_or(if is_too_much { Covered::States } else { Covered::All })
    }

    /// What it has cost so far. The same whatever the number of threads that search.
    fn work(&self) -> u64 {
        if self.space.is_reduced() { self.space.work() } else { self.count }
    }

    /// What makes it impossible to visit everything, if anything does.
    fn refused(&self) -> Option<Covered> {
        self.space.stop().map(Covered::from).or(self.refused)
    }

    /// Expands the first of these states; returns the next one to expand.
    fn expand(&mut self, states: Range<u32>, limits: &ExploreLimits) -> u32 {
        let together = (limits.lookers, limits.max_states);
        let ways_of_one = self.count.div_ceil(u64::from(states.start.max(1)));
        let found =
            self.space.expand_together(states.clone(), together, ways_of_one, &mut self.parents);
        if let Some(found) = found {
            return self.note_all(found);
        }
        let mut edges = std::mem::take(&mut self.edges);
        // Close to the limit, one by one, so that it is always reached at the same state.
        let is_close = self.space.states() as u64 + CLOSE > limits.max_states;
        let together = if is_close { 1 } else { self.space.batch() };
        let to = states.end.min(states.start + together);
        self.space.expand_all(states.start..to, &mut edges);
        let states = states.start..to;
        for edge in &edges {
            self.note(edge);
        }
        if let Some(ways) = &mut self.ways {
            ways.add(states.clone(), &edges);
            if ways.to.len() > Ways::MOST {
                self.ways = None;
            }
        }
        // If a step could not be followed, a state without transitions need not be an end.
        if self.refused().is_none() {
            let mut next = states.start;
            for edge in &edges {
                // States that no edge leaves are skipped.
                self.sinks.extend(next..edge.from);
                next = next.max(edge.from + 1);
            }
            self.sinks.extend(next..states.end);
            for ways in edges.chunk_by(|one, other| one.from == other.from) {
                if self.masked.len() < MOST_MASKED
                    && ways.iter().all(|edge| self.space.is_timeout(edge))
                {
                    self.masked.push(ways[0].from);
                }
            }
        }
        self.count += edges.len() as u64;
        edges.clear();
        self.edges = edges;
        to
    }

    fn note_all(&mut self, found: Together) -> u32 {
        self.count += found.edges;
        self.sinks.extend(found.sinks);
        let more = MOST_MASKED - self.masked.len();
        self.masked.extend(found.masked.into_iter().take(more));
        self.goes_back |= found.goes_back;
        if found.delivery == Delivery::Failed {
            self.delivery = Delivery::Failed;
        }
        found.end
    }

    fn note(&mut self, edge: &Edge) {
        match edge.new {
            IsNew::New => self.parents.push(edge.from),
            IsNew::Known => self.goes_back |= edge.to <= edge.from,
        }
        if self.space.delivery(edge) == Delivery::Failed {
            self.delivery = Delivery::Failed;
        }
        match self.space.achieved(edge) {
            Achieved::Endless(t) => self.refused = Some(Covered::Endless(t)),
            Achieved::TooManyAnswers(t) => self.refused = Some(Covered::TooManyAnswers(Some(t))),
            Achieved::Progress | Achieved::Nothing => {}
        }
    }

    /// The approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        let ways = self.ways.as_ref().map_or(0, Ways::bytes);
        self.space.bytes() + self.parents.capacity() * 4 + ways
    }

    fn limit(&self, at: u32, limits: &ExploreLimits) -> Option<Covered> {
        let bytes = self.bytes();
        let (states, depth) = (self.space.states() as u64, self.levels.len() as u64);
        limits.tell(states, u64::from(at), depth, bytes);
        limits.over(bytes)
    }
}
