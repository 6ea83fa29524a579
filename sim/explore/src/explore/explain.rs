//! Why a schedule ended as it did: the schedule that shows it best, the point of no return, and
//! what would have saved it.

use std::collections::{BTreeMap, VecDeque};

use ipcsim_kernel::ThreadId;

use super::endings::of_state;
use super::{Covered, Exploration};
use crate::space::{Edge, Move, Stop};
use crate::verdict::Outcome;

/// A path through the states: from each state, which of its transitions.
pub type Path = Vec<Leg>;

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The source state.
    pub from: u32,
    /// Which of its transitions, in the order of the file.
    pub way: usize,
    /// The target state.
    pub to: u32,
}

/// Where success was lost on a path that ends without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// No schedule succeeds.
    BeforeTheFirstStep,
    /// At this step of the path, counted from 1; before it some schedule still succeeds.
    At {
        /// Which step.
        step: usize,
        /// The shortest successful schedule with the same steps before that one.
        instead: Path,
    },
    /// Not known: not every state was kept, or finding out takes too long.
    Unknown,
}

/// A kind of end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The system completes.
    Success,
    /// It does not, and never will.
    Failure,
}

/// Only up to this many states are searched for the schedule with the fewest context switches.
const MOST_ON_THE_WAY: usize = 200_000;
/// At most this many passes over all states, to find those from which success can be reached.
const MOST_SWEEPS: usize = 64;

impl Exploration<'_> {
    /// The path that shows best how a state is reached: the shortest; of those, the one with the
    /// fewest context switches; of those, the first in the order of the file. If not all states
    /// were visited, it is the first path found.
    pub fn path(&mut self, to: u32) -> Path {
        if let Some(retold) = &self.retold {
            return retold.paths.get(&to).cloned().expect("only the ends are asked for");
        }
        if self.covered != Covered::All {
            return self.first_found(to);
        }
        self.best_path(to).unwrap_or_else(|| self.first_found(to))
    }

    /// The path with the fewest switches; `None` if finding it takes too long or is cancelled.
    fn best_path(&mut self, to: u32) -> Option<Path> {
        let on_the_way = self.on_the_way(to)?;
        let count = on_the_way.iter().filter(|marked| **marked).count();
        if count > MOST_ON_THE_WAY { None } else { self.fewest_switches(to, &on_the_way) }
    }

    /// The path on which a state was first found: one of the shortest.
    fn first_found(&mut self, to: u32) -> Path {
        let states = states_to(&self.parents, self.first, to);
        self.by_way_of(&states)
    }

    /// The path through these states, the first of which is the one before the beginning.
    pub(super) fn by_way_of(&mut self, states: &[u32]) -> Path {
        let mut path = Vec::new();
        for pair in states.windows(2) {
            let edges = self.edges_from(path.is_empty(), pair[0]);
            let way = edges.iter().position(|edge| edge.to == pair[1]);
            let way = way.expect("a state was reached from its parent");
            path.push(Leg { from: pair[0], way, to: pair[1] });
        }
        path
    }

    /// The transitions out of a state; at the very beginning, those to the initial states.
    pub fn edges_from(&mut self, beginning: bool, state: u32) -> Vec<Edge> {
        let mut edges = Vec::new();
        self.space.ways_from(beginning, state, &mut edges);
        edges
    }

    /// The level of the search in which a state was found.
    fn level(&self, state: u32) -> usize {
        self.levels.partition_point(|first| *first <= state)
    }

    /// The states on the shortest paths to this one.
    fn on_the_way(&mut self, to: u32) -> Option<Vec<bool>> {
        let mut marked = vec![false; to as usize + 1];
        marked[to as usize] = true;
        let mut edges = Vec::new();
        for state in (self.first..to).rev() {
            self.space.go_on()?;
            edges.clear();
            self.space.expand(state, &mut edges);
            let level = self.level(state);
            marked[state as usize] = edges.iter().any(|edge| {
                edge.to <= to && marked[edge.to as usize] && self.level(edge.to) == level + 1
            });
        }
        Some(marked)
    }

    fn fewest_switches(&mut self, to: u32, on_the_way: &[bool]) -> Option<Path> {
        let threads = self.space.threads();
        // For each such state and each thread that may have run last: the switches still to come.
        let mut rest: Vec<Option<Box<[u32]>>> = vec![None; to as usize + 1];
        rest[to as usize] = Some(vec![0; threads + 1].into());
        let mut edges = Vec::new();
        for state in (self.first..to).rev().filter(|state| on_the_way[*state as usize]) {
            self.space.go_on()?;
            edges.clear();
            self.space.expand(state, &mut edges);
            let mut best = vec![u32::MAX; threads + 1];
            for edge in &edges {
                let Some(then) = self.next_on_the_way(state, edge, &rest) else { continue };
                for (last, best) in best.iter_mut().enumerate() {
                    *best = (*best).min(switches(last, edge.what, then));
                }
            }
            rest[state as usize] = Some(best.into());
        }
        let mut path = Vec::new();
        let mut last = threads;
        let mut at = 0;
        loop {
            let beginning = path.is_empty();
            let edges = self.edges_from(beginning, at);
            let mut best: Option<(u32, usize)> = None;
            for (way, edge) in edges.iter().enumerate() {
                let then = if beginning {
                    rest.get(edge.to as usize).and_then(Option::as_deref)
                } else {
                    self.next_on_the_way(at, edge, &rest)
                };
                let Some(then) = then else { continue };
                let cost = switches(last, edge.what, then);
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, way));
                }
            }
            let (_, way) = best.expect("the state lies on a shortest path");
            let edge = edges[way];
            path.push(Leg { from: at, way, to: edge.to });
            last = running(edge.what).map_or(last, ThreadId::index);
            at = edge.to;
            if at == to {
                return Some(path);
            }
        }
    }

    /// The switches still to come after this transition, if it is on a shortest path.
    fn next_on_the_way<'r>(
        &self,
        from: u32,
        edge: &Edge,
        rest: &'r [Option<Box<[u32]>>],
    ) -> Option<&'r [u32]> {
        let then = rest.get(edge.to as usize)?.as_deref()?;
        (self.level(edge.to) == self.level(from) + 1).then_some(then)
    }

    /// Where success was lost on a path.
    pub fn lost(&mut self, path: &Path) -> Lost {
        if self.retold.is_some() || self.covered != Covered::All {
            return Lost::Unknown;
        }
        let Some(good) = self.successful() else { return Lost::Unknown };
        if !self.beginnings.iter().any(|state| good[*state as usize]) {
            return Lost::BeforeTheFirstStep;
        }
        let lost = path.iter().position(|leg| !good[leg.to as usize]);
        let Some(lost) = lost else { return Lost::Unknown };
        let mut instead: Path = path[..lost].to_vec();
        let from = path[lost].from;
        match self.nearest(from, lost == 0, Wanted::Success, u64::MAX) {
            Some(rest) => instead.extend(rest),
            None => return Lost::Unknown,
        }
        Lost::At { step: lost, instead }
    }

    /// The states from which some schedule completes; `None` if finding out takes too long or is
    /// cancelled.
    fn successful(&mut self) -> Option<Vec<bool>> {
        let states = self.space.states();
        let mut good = vec![false; states];
        for state in &self.ends.good {
            good[*state as usize] = true;
        }
        let mut edges = Vec::new();
        for _ in 0..MOST_SWEEPS {
            let mut changed = false;
            for state in (self.first..states as u32).rev() {
                if good[state as usize] {
                    continue;
                }
                self.space.go_on()?;
                edges.clear();
                self.space.expand(state, &mut edges);
                if edges.iter().any(|edge| good[edge.to as usize]) {
                    good[state as usize] = true;
                    changed = true;
                }
            }
            // If no transition leads back, one pass is enough.
            if !changed || !self.goes_back {
                return Some(good);
            }
        }
        None
    }

    /// The shortest path from a state, or from the very beginning, to an end of this kind. If not
    /// all states were visited, it searches onwards from here. `None` if `most` states show no such
    /// end, or if cancelled.
    pub fn nearest(
        &mut self,
        from: u32,
        beginning: bool,
        wanted: Wanted,
        most: u64,
    ) -> Option<Path> {
        let ends = match wanted {
            Wanted::Success => self.ends.good.clone(),
            Wanted::Failure => self.ends.bad.clone(),
        };
        let all_are_known = self.covered == Covered::All;
        let mut reached: BTreeMap<u32, Leg> = BTreeMap::new();
        let mut queue = VecDeque::from([from]);
        let mut first = beginning;
        while let Some(state) = queue.pop_front() {
            self.space.go_on()?;
            let edges = self.edges_from(std::mem::take(&mut first), state);
            let is_end = edges.is_empty() && !reached.is_empty();
            if is_end && !all_are_known && self.ends_so(state, wanted) {
                return Some(back(&reached, from, state));
            }
            if reached.len() as u64 > most || self.space.stop() == Some(Stop::Outgrown) {
                return None;
            }
            for (way, edge) in edges.iter().enumerate() {
                if edge.to == from || reached.contains_key(&edge.to) {
                    continue;
                }
                reached.insert(edge.to, Leg { from: state, way, to: edge.to });
                if all_are_known && ends.binary_search(&edge.to).is_ok() {
                    return Some(back(&reached, from, edge.to));
                }
                queue.push_back(edge.to);
            }
        }
        None
    }

    /// Whether a state in which nothing can move any more is an end of this kind.
    fn ends_so(&self, state: u32, wanted: Wanted) -> bool {
        let ending = of_state(self.machine, &self.space.state(state), state, 1);
        (ending.outcome == Outcome::Completes) == (wanted == Wanted::Success)
    }
}

/// The states on the path on which one was found, from the state before the beginning.
pub(super) fn states_to(parents: &[u32], first: u32, to: u32) -> Vec<u32> {
    let mut states = vec![to];
    let mut at = to;
    while at != 0 {
        at = parents[at as usize];
        states.push(at);
    }
    if first == 0 {
        // Nothing starts at time 0: the states before and after the beginning are the same.
        states.push(0);
    }
    states.reverse();
    states
}

fn back(reached: &BTreeMap<u32, Leg>, from: u32, to: u32) -> Path {
    let mut path = Vec::new();
    let mut at = to;
    while at != from || path.is_empty() {
        let leg = reached[&at];
        path.push(leg);
        at = leg.from;
    }
    path.reverse();
    path
}

/// The thread that runs in a move.
fn running(what: Move) -> Option<ThreadId> {
    match what {
        Move::Call(t) | Move::Local(t) => Some(t),
        Move::Begin | Move::Start(_) | Move::Expire(_) => None,
    }
}

/// The switches of a move after this thread ran last, and of all that follows. The last index
/// stands for nobody.
fn switches(last: usize, what: Move, then: &[u32]) -> u32 {
    match running(what) {
        None => then[last],
        Some(t) => {
            let switch = last != t.index() && last + 1 != then.len();
            then[t.index()].saturating_add(u32::from(switch))
        }
    }
}
