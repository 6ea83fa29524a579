//! Why it came to that: the schedule that tells it best, the step that lost it, and the one that would
//! have saved it.

use std::collections::{BTreeMap, VecDeque};

use ipcsim_kernel::ThreadId;

use super::endings::of_state;
use super::{Covered, Exploration};
use crate::space::{Edge, Move};
use crate::verdict::Outcome;

/// A way through the states: from each state, which of its ways on.
pub type Path = Vec<Leg>;

/// A step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// From which state.
    pub from: u32,
    /// Which of its ways on, in the order of the file.
    pub way: usize,
    /// To which state.
    pub to: u32,
}

/// Where success was lost on a path that ends without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// No schedule succeeds.
    BeforeTheFirstStep,
    /// With this step of the path, counted from 1; up to there some schedule succeeds.
    At {
        /// Which step.
        step: usize,
        /// A schedule that succeeds and has everything before that step in common, as short as possible.
        instead: Path,
    },
    /// It would take too long to say.
    Unknown,
}

/// A kind of end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Everything is complete.
    Success,
    /// It is not, and never will be.
    Failure,
}

/// On so many states the schedule with the fewest context switches is looked for.
const MOST_ON_THE_WAY: usize = 200_000;
/// So often all states are gone over, to find those from which success can be reached.
const MOST_SWEEPS: usize = 64;

impl Exploration<'_> {
    /// The path that tells best how a state is reached: the shortest, of those the one with the fewest
    /// context switches, of those the first in the order of the file. Where not everything was looked at
    /// nobody has the time for that, and the first that was found has to do.
    pub fn path(&mut self, to: u32) -> Path {
        if let Some(retold) = &self.retold {
            return retold.paths.get(&to).cloned().expect("only the ends are asked for");
        }
        if self.covered != Covered::All {
            return self.first_found(to);
        }
        self.best_path(to).unwrap_or_else(|| self.first_found(to))
    }

    /// The path with the fewest switches; nothing if it takes too long to find, or is cancelled.
    fn best_path(&mut self, to: u32) -> Option<Path> {
        let on_the_way = self.on_the_way(to)?;
        let count = on_the_way.iter().filter(|marked| **marked).count();
        if count > MOST_ON_THE_WAY { None } else { self.fewest_switches(to, &on_the_way) }
    }

    /// The path on which a state was found first: it is a shortest one.
    fn first_found(&mut self, to: u32) -> Path {
        let states = states_to(&self.parents, self.first, to);
        self.by_way_of(&states)
    }

    /// The path by way of these states, the first of which is that before the beginning.
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

    /// The ways on from a state; at the very beginning those into the system.
    pub fn edges_from(&mut self, beginning: bool, state: u32) -> Vec<Edge> {
        let mut edges = Vec::new();
        self.space.ways_from(beginning, state, &mut edges);
        edges
    }

    /// In which level of the search a state was found.
    fn level(&self, state: u32) -> usize {
        self.levels.partition_point(|first| *first <= state)
    }

    /// Which states lie on a shortest path to this one.
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
        // For each state on the way and each thread that may have run last: the switches still to come.
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

    /// What is still to come behind a way that leads on along a shortest path.
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

    /// The states from which some schedule completes; nothing if that takes too long to find out, or is
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
            // Where no way leads back one time is enough.
            if !changed || !self.goes_back {
                return Some(good);
            }
        }
        None
    }

    /// The shortest path from a state, or from the very beginning, to an end of this kind. Where not everything
    /// was looked at, ends are looked for from here on, in so many states at most. Nothing if there is none, or if
    /// it is cancelled.
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
            if reached.len() as u64 > most || self.space.outgrown {
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

/// The states by which one was found, from before the beginning.
pub(super) fn states_to(parents: &[u32], first: u32, to: u32) -> Vec<u32> {
    let mut states = vec![to];
    let mut at = to;
    while at != 0 {
        at = parents[at as usize];
        states.push(at);
    }
    if first == 0 {
        // Nothing begins at once: the state before the beginning is that behind it.
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

/// Which thread runs in a move.
fn running(what: Move) -> Option<ThreadId> {
    match what {
        Move::Call(t) | Move::Local(t) => Some(t),
        Move::Begin | Move::Start(_) | Move::Expire(_) => None,
    }
}

/// The switches of a move after this thread ran last, and of all that comes then. The last place stands
/// for nobody.
fn switches(last: usize, what: Move, then: &[u32]) -> u32 {
    match running(what) {
        None => then[last],
        Some(t) => {
            let switch = last != t.index() && last + 1 != then.len();
            then[t.index()].saturating_add(u32::from(switch))
        }
    }
}
