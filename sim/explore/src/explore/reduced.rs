//! Fewer schedules that represent all: partial-order and symmetry reduction.
//!
//! They preserve the states in which nothing can move any more, and whether a schedule can go on for ever, and nothing
//! else that is asked for here: neither what such schedules achieve nor the lengths of paths. So they are used when there are too
//! many states to visit them all. If from every state one can be reached in which nothing moves any more, whoever can be stuck
//! is stuck in one of those: that is so in the reduced space exactly if it is in the whole one (A. Valmari, "Stop it, and be
//! stubborn!", 2015). Otherwise they do not decide. What they find is shown by a schedule of the whole system.

use ipcsim_kernel::{Machine, ThreadId};

use super::endings::{self, Conclusion};
use super::explain::{Leg, Path, states_to};
use super::observed::{CanBe, Observed, Remains};
use super::retold::{Elsewhere, Why, retell};
use super::search::{Search, Ways};
use super::{Covered, Exploration, ExploreLimits};
use crate::space::{Asks, Looks, Move, Reduction, Reductions, Space, Stop, callers, first_room};

/// Decides with fewer schedules; `None` if that is impossible for this machine.
pub(super) fn explore<'m>(
    machine: &'m Machine,
    (reductions, looks): (Reductions, Looks),
    limits: &ExploreLimits<'m>,
) -> Option<Exploration<'m>> {
    let space = Space::new(machine, reductions, looks, first_room(machine));
    if !space.is_reduced() {
        return None;
    }
    let mut search = Search::keeping_ways(space);
    let beginnings = search.begin(limits);
    let first = beginnings.iter().copied().min().unwrap_or(0);
    let covered = search.run(first, limits);
    let bytes = search.bytes();
    let circles = circles_of(&mut search, first, covered)?;
    if let Some(less) = left_out_too_much(&search.space, reductions, circles) {
        return explore(machine, (less, looks), limits);
    }
    let is_irreducible = matches!(search.space.stop(), Some(Stop::Irreducible | Stop::Outgrown));
    let hangs_on_the_order = |sink: &u32| {
        endings::failed_before_the_last_worker(machine, &search.space.end_state(*sink))
    };
    if is_irreducible
        || circles == Circles::WithoutAWayOut
        || search.sinks.iter().any(hangs_on_the_order)
    {
        return None;
    }
    let Search { mut space, parents, sinks, count, levels, delivery, .. } = search;
    let (concluded, observed) = conclude(&mut space, looks, first, &sinks)?;
    let covered = match (covered, space.cancelled()) {
        (Covered::All, Some(reason)) => reason.into(),
        (Covered::All, None) if circles != Circles::None && looks.asks != Asks::WhatCanBe => {
            Covered::Ends
        }
        _ => covered,
    };
    let elsewhere = Elsewhere {
        why: Why::FewerSchedules,
        states: space.states() as u64 - u64::from(first),
        edges: count,
        depth: levels.len() as u32,
        bytes,
        performed: space.performed(),
        work: space.work(),
        delivery,
        left_over: super::left_over(&space, &concluded.ends.good),
    };
    let whole = Space::new(machine, reductions.of_schedules(), looks, first_room(machine));
    let ends_there = looks.asks != Asks::WhatCanBe;
    let retold = retell(whole, (concluded, observed), covered, elsewhere, |whole, end| {
        let mut path = way_to(&mut space, &states_to(&parents, first, end), whole)?;
        if ends_there && space.grain().is_lazy() {
            come_to_rest(whole, &mut path)?;
        }
        Some(path)
    });
    // What cannot be retold was wrong. A user gets an answer all the same: every schedule is looked at.
    debug_assert!(retold.is_some(), "what a reduced search finds can be retold");
    retold
}

/// What is concluded from all states of a reduced search: as much as is asked. `None` if that is too much to tell.
fn conclude(
    space: &mut Space,
    looks: Looks,
    first: u32,
    sinks: &[u32],
) -> Option<(Conclusion, Option<Observed>)> {
    let machine = space.machine();
    let ends = |space: &mut Space| endings::conclude(machine, space, first, sinks, false);
    Some(match looks.asks {
        Asks::HowItEnds => (ends(space), None),
        Asks::WhatRemains => {
            let remains = Remains::of(space, looks, sinks)?;
            (ends(space), Some(Observed::Remains(remains)))
        }
        Asks::WhatCanBe | Asks::EverySchedule => {
            (Conclusion::default(), Some(Observed::CanBe(CanBe::of(space, first)?)))
        }
    })
}

/// The reductions to search with instead, if a search with these was in vain.
fn left_out_too_much(
    space: &Space,
    reductions: Reductions,
    circles: Circles,
) -> Option<Reductions> {
    if space.stop() == Some(Stop::NeedsNumbers) {
        return Some(Reductions { scalars: Reduction::Off, ..reductions });
    }
    if !space.order_pays() {
        return Some(Reductions { order: Reduction::Off, ..reductions });
    }
    let misses = circles != Circles::None && space.sees_misses_at_rest();
    misses.then_some(Reductions { rest: Reduction::Off, ..reductions })
}

/// Whether schedules can go on for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Circles {
    /// Each comes to an end.
    None,
    /// They can, but wherever they are they can still come to an end.
    WithAWayOut,
    /// They can come to where they must.
    WithoutAWayOut,
}

/// Whether schedules can go on for ever, as far as that matters; `None` if cancelled.
fn circles_of(search: &mut Search, first: u32, covered: Covered) -> Option<Circles> {
    if covered != Covered::All || !search.goes_back {
        return Some(Circles::None);
    }
    let kept = search.ways.take();
    Some(circles(kept.or_else(|| Ways::again(&mut search.space, first))?))
}

/// Whether schedules with these transitions can go on for ever.
fn circles(ways: Ways) -> Circles {
    let back = Back::of(ways);
    let ends = || (0..back.ways.len() as u32).filter(|state| back.ways[*state as usize] == 0);
    // Whoever leads only to those who come to an end comes to an end, too: what is left goes round, or can come there.
    let mut open = back.ways.clone();
    let mut settled: Vec<u32> = ends().collect();
    let mut at = 0;
    while let Some(state) = settled.get(at).copied() {
        at += 1;
        for before in back.from(state) {
            open[*before as usize] -= 1;
            if open[*before as usize] == 0 {
                settled.push(*before);
            }
        }
    }
    if settled.len() == back.ways.len() {
        return Circles::None;
    }
    let mut has_a_way_out = vec![false; back.ways.len()];
    let mut found: Vec<u32> = ends().collect();
    while let Some(state) = found.pop() {
        if !std::mem::replace(&mut has_a_way_out[state as usize], true) {
            found.extend(back.from(state));
        }
    }
    let all_have = has_a_way_out.iter().all(|has| *has);
    if all_have { Circles::WithAWayOut } else { Circles::WithoutAWayOut }
}

/// The transitions of a space, backwards. States count from its first one.
struct Back {
    /// How many transitions lead out of each state.
    ways: Vec<u32>,
    /// Where those begin that lead to each state, and at the end where they end.
    begins: Vec<u32>,
    from: Vec<u32>,
}

impl Back {
    fn of(Ways { counts: ways, to, .. }: Ways) -> Self {
        let states = ways.len();
        let mut begins = vec![0; states + 1];
        for to in &to {
            begins[*to as usize + 1] += 1;
        }
        for state in 0..states {
            begins[state + 1] += begins[state];
        }
        let mut next = begins.clone();
        let mut from = vec![0; to.len()];
        let mut targets = to.into_iter();
        for (state, ways) in (0..).zip(&ways) {
            for to in targets.by_ref().take(*ways as usize) {
                from[next[to as usize] as usize] = state;
                next[to as usize] += 1;
            }
        }
        Self { ways, begins, from }
    }

    /// The states from which a transition leads to this one.
    fn from(&self, state: u32) -> &[u32] {
        let state = state as usize;
        &self.from[self.begins[state] as usize..self.begins[state + 1] as usize]
    }
}

/// Follows a path of the reduced space in the whole one: what one replica does there, another may
/// do here. `None` if that fails.
fn way_to(space: &mut Space, states: &[u32], whole: &mut Space) -> Option<Path> {
    let mut path = Path::new();
    let mut edges = Vec::new();
    // Who each replica of the reduced space is in the whole one.
    let mut who: Option<Vec<u8>> = None;
    let mut at = 0;
    for pair in states.windows(2) {
        edges.clear();
        space.ways_from(path.is_empty(), pair[0], &mut edges);
        let edge = *edges.iter().find(|edge| edge.to == pair[1])?;
        let (step, there, after) = space.in_the_whole(&edge, who.as_deref());
        who = after;
        if let Some(t) = step.blocks {
            at = call(whole, t, at, &mut path)?;
        }
        edges.clear();
        whole.ways_from(path.is_empty(), at, &mut edges);
        // The answers may differ: where one step wakes several replicas, they are asked by number.
        let mut then = None;
        for (way, edge) in edges.iter().enumerate().filter(|(_, edge)| edge.what == step.what) {
            let mut legs = vec![Leg { from: at, way, to: edge.to }];
            let end = end_quietly(space, whole, (at, edge.to), &mut legs)?;
            if space.parts_of(whole, end) == there {
                then = Some((legs, end));
                break;
            }
        }
        let (legs, end) = then?;
        path.extend(legs);
        at = end;
    }
    Some(path)
}

/// Lets those make their calls who wait for ever from then on.
fn come_to_rest(whole: &mut Space, path: &mut Path) -> Option<()> {
    let mut at = path.last()?.to;
    for t in callers(whole.machine(), &whole.state(at)) {
        at = call(whole, t, at, path)?;
    }
    Some(())
}

/// Lets those end who end in the step that has just led here, from another state.
fn end_quietly(
    space: &Space,
    whole: &mut Space,
    (from, mut at): (u32, u32),
    path: &mut Path,
) -> Option<u32> {
    let machine = whole.machine();
    let before = whole.state(from);
    let mut state = whole.state(at);
    for t in (0..state.threads.len()).map(ThreadId::at) {
        let has_moved = before.threads.get(t.index()) != Some(&state.threads[t.index()]);
        if has_moved && space.grain().ends_quietly(machine, &state, t) {
            at = call(whole, t, at, path)?;
            state = whole.state(at);
        }
    }
    Some(at)
}

/// Lets a thread make a call of which nothing else comes.
fn call(whole: &mut Space, t: ThreadId, at: u32, path: &mut Path) -> Option<u32> {
    let mut edges = Vec::new();
    whole.expand(at, &mut edges);
    let way = edges.iter().position(|edge| edge.what == Move::Call(t))?;
    path.push(Leg { from: at, way, to: edges[way].to });
    Some(edges[way].to)
}
