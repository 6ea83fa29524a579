//! One turn of a cycle of states: what an observer sees who waits for it to end.

use std::collections::{BTreeMap, BTreeSet};

use super::endings::{Actor, actor};
use super::explain::{Leg, Path};
use crate::space::{Edge, Space};

/// Cycles with more states than this are not searched for a turn.
const MOST: usize = 2_000;

/// The transitions out of the states of a cycle.
struct Circle {
    /// Those that stay inside.
    inside: BTreeMap<u32, Vec<(Leg, Actor)>>,
    /// Who can move in each state, by any transition.
    able: BTreeMap<u32, BTreeSet<Actor>>,
}

/// A path from the first of these states back to it, on which everyone who can always move does: so
/// it can be repeated for ever, fairly. It is short; empty if the cycle is too large to search.
pub(super) fn way_round(
    space: &mut Space,
    members: &[u32],
    stays: impl Fn(&Edge, &Space) -> bool,
) -> Path {
    let Some(start) = members.first().copied().filter(|_| members.len() <= MOST) else {
        return Path::new();
    };
    let circle = Circle::new(space, members, stays);
    let mut way = Path::new();
    let mut at = start;
    // Each round serves somebody who then stays served, so this terminates.
    loop {
        let next = match circle.waits_in_vain(start, &way) {
            Some(who) => circle
                .nearest(at, |leg, mover| mover == who || !circle.able[&leg.to].contains(&who)),
            None if at == start && !way.is_empty() => return way,
            None => circle.nearest(at, |leg, _| leg.to == start),
        };
        let Some(next) = next else { return Path::new() };
        at = next.last().map_or(at, |leg| leg.to);
        way.extend(next);
    }
}

impl Circle {
    fn new(space: &mut Space, members: &[u32], stays: impl Fn(&Edge, &Space) -> bool) -> Self {
        let own: BTreeSet<u32> = members.iter().copied().collect();
        let mut circle = Self { inside: BTreeMap::new(), able: BTreeMap::new() };
        let mut edges = Vec::new();
        for state in members {
            edges.clear();
            space.expand(*state, &mut edges);
            let stays = |edge: &Edge| own.contains(&edge.to) && stays(edge, space);
            let legs = edges.iter().enumerate().filter(|(_, edge)| stays(edge));
            let leg = |(way, edge): (usize, &Edge)| {
                (Leg { from: *state, way, to: edge.to }, actor(edge.what))
            };
            circle.inside.insert(*state, legs.map(leg).collect());
            circle.able.insert(*state, edges.iter().map(|edge| actor(edge.what)).collect());
        }
        circle
    }

    /// Somebody who can move in all states of a path and never does.
    fn waits_in_vain(&self, start: u32, way: &Path) -> Option<Actor> {
        let moves =
            |who: &Actor| way.iter().any(|leg| self.inside[&leg.from].contains(&(*leg, *who)));
        let can = |who: &Actor| way.iter().all(|leg| self.able[&leg.to].contains(who));
        self.able[&start].iter().copied().find(|who| can(who) && !moves(who))
    }

    /// The shortest path inside whose last step is wanted.
    fn nearest(&self, from: u32, wanted: impl Fn(&Leg, Actor) -> bool) -> Option<Path> {
        let mut before: BTreeMap<u32, Leg> = BTreeMap::new();
        let mut open = std::collections::VecDeque::from([from]);
        while let Some(state) = open.pop_front() {
            for (leg, who) in &self.inside[&state] {
                if wanted(leg, *who) {
                    let mut path = vec![*leg];
                    let mut at = state;
                    while at != from {
                        path.push(before[&at]);
                        at = before[&at].from;
                    }
                    path.reverse();
                    return Some(path);
                }
                if leg.to != from && !before.contains_key(&leg.to) {
                    before.insert(leg.to, *leg);
                    open.push_back(leg.to);
                }
            }
        }
        None
    }
}
