//! Bitstate hashing: a depth-first search of more states than fit in memory, with a few bits per state.
//!
//! It proves nothing, because a state can be mistaken for another one. But whatever it finds is real: it keeps a
//! path as a witness. It sees only final states: it cannot tell an infinite schedule from a long one.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use ipcsim_kernel::{Machine, ThreadId};

use super::endings::{self, Conclusion};
use super::explain::{Leg, Path};
use super::retold::{Elsewhere, Why, retell};
use super::{Covered, Exploration, ExploreLimits, explore_small};
use crate::space::{
    Achieved, Delivery, Descent, Filter, Looks, MOST_ROOM, Reductions, Space, first_room, next_room,
};
use crate::verdict::Class;

/// Visits all states, or nearly all: if there are more than a small search keeps, it keeps bits
/// instead, in at most this many bytes.
pub fn explore_approximately<'m>(
    machine: &'m Machine,
    reductions: Reductions,
    bytes: usize,
    limits: &ExploreLimits<'m>,
) -> Exploration<'m> {
    let whole = reductions.of_schedules();
    if let ControlFlow::Break(found) = explore_small(machine, whole, Looks::NOTHING, limits) {
        return found;
    }
    let mut room = first_room(machine);
    loop {
        let mut search = Search::new(machine);
        let mut space = Space::new(machine, whole, Looks::NOTHING, room);
        let covered = search.run(&mut space, bytes, limits);
        if covered == Covered::Growth && room < MOST_ROOM {
            room = next_room(room);
            continue;
        }
        let performed = space.performed();
        drop(space);
        let space = Space::new(machine, whole, Looks::NOTHING, room);
        return search.tell(space, covered, performed);
    }
}

/// A search under way.
struct Search<'m> {
    machine: &'m Machine,
    states: u64,
    edges: u64,
    depth: usize,
    bytes: usize,
    one_in: u64,
    delivery: Delivery,
    concluded: Conclusion,
    /// The shortest path found to each end.
    shortest: BTreeMap<Kind, Vec<u32>>,
}

/// A kind of end: an outcome, or who is doomed and why.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Outcome(&'static str),
    Doom(Class, Vec<ThreadId>),
}

impl<'m> Search<'m> {
    fn new(machine: &'m Machine) -> Self {
        Self {
            machine,
            states: 0,
            edges: 0,
            depth: 0,
            bytes: 0,
            one_in: u64::MAX,
            delivery: Delivery::Good,
            concluded: Conclusion::default(),
            shortest: BTreeMap::new(),
        }
    }

    fn run(&mut self, space: &mut Space<'m>, bytes: usize, limits: &ExploreLimits<'m>) -> Covered {
        const OFTEN: u64 = 4_096;
        let mut filter = Filter::new(bytes.min(limits.max_bytes / 2));
        space.search_within(limits.bounds());
        let mut walk = Descent::new(space);
        let covered = loop {
            let Some(step) = walk.go() else { break Covered::Hashed };
            self.edges += u64::from(walk.depth() > 0);
            match step.achieved {
                Achieved::Endless(t) => break Covered::Endless(t),
                Achieved::TooManyAnswers(t) => break Covered::TooManyAnswers(Some(t)),
                Achieved::Progress | Achieved::Nothing => {}
            }
            if step.delivery == Delivery::Failed {
                self.delivery = Delivery::Failed;
            }
            if !filter.insert(walk.hash()) {
                walk.back();
                continue;
            }
            self.states += 1;
            self.depth = self.depth.max(walk.depth());
            let goes_on = walk.stay();
            if let Some(stop) = walk.space().stop() {
                break stop.into();
            }
            if !goes_on {
                self.note_end(&walk);
                walk.back();
            }
            if self.states >= limits.max_states {
                break Covered::States;
            }
            if self.states.is_multiple_of(OFTEN) {
                self.bytes = filter.bytes() + walk.bytes() + walk.space().bytes();
                limits.tell(self.states, self.states, walk.depth() as u64, self.bytes);
                if let Some(over) = limits.over(self.bytes) {
                    break over;
                }
            }
        };
        self.one_in = filter.one_in();
        covered
    }

    /// Records the current state, in which nothing can move any more.
    fn note_end(&mut self, walk: &Descent) {
        let ending = endings::of_state(self.machine, &walk.state(), 0, 1);
        let problems = ending.problems.iter();
        let kinds = problems.map(|problem| Kind::Doom(problem.class, problem.threads.clone()));
        for kind in kinds.chain([Kind::Outcome(ending.outcome.word())]) {
            let known = self.shortest.get(&kind);
            if known.is_none_or(|way| walk.depth() + 1 < way.len()) {
                self.shortest.insert(kind, walk.ways().collect());
            }
        }
        self.concluded.enter(ending);
    }

    fn tell(self, space: Space<'m>, covered: Covered, performed: u64) -> Exploration<'m> {
        let Self { mut concluded, shortest, .. } = self;
        concluded.list();
        let number = |kind: Kind| {
            let place = shortest.keys().position(|known| *known == kind);
            place.expect("there is a way to every end that was found") as u32
        };
        for ending in &mut concluded.endings {
            ending.state = number(Kind::Outcome(ending.outcome.word()));
        }
        for doom in &mut concluded.doomed {
            doom.state = number(Kind::Doom(doom.problem.class, doom.problem.threads.clone()));
        }
        let ways: Vec<Vec<u32>> = shortest.into_values().collect();
        let by = Elsewhere {
            why: Why::Hashes { one_in: self.one_in },
            states: self.states,
            edges: self.edges,
            depth: self.depth as u32,
            bytes: self.bytes,
            performed,
            work: space.work(),
            left_over: Vec::new(),
            somebody_is_stuck: false,
            delivery: self.delivery,
        };
        retell(space, (concluded, None), covered, by, |space, end| {
            Some(go(space, &ways[end as usize]))
        })
        .expect("a way leads to the same end whenever it is gone")
    }
}

/// The path with these transitions.
fn go(space: &mut Space, ways: &[u32]) -> Path {
    let mut path = Path::new();
    let mut edges = Vec::new();
    let mut from = 0;
    for way in ways {
        edges.clear();
        space.ways_from(path.is_empty(), from, &mut edges);
        let way = *way as usize;
        let to = edges[way].to;
        path.push(Leg { from, way, to });
        from = to;
    }
    path
}
