//! Fewer schedules that represent all: partial-order and symmetry reduction.
//!
//! They preserve the states in which nothing can move any more, and whether a schedule can go on for ever, and nothing
//! else that is asked for here: neither what such schedules achieve nor the lengths of paths. So they are used when there are too
//! many states to visit them all. If from every state one can be reached in which nothing moves any more, whoever can wait
//! for ever waits in one of those: that is so in the reduced space exactly if it is in the whole one (A. Valmari, "Stop it, and be
//! stubborn!", 2015). Otherwise they do not decide. What they find is shown by a schedule of the whole system.

use std::ops::Range;

use ipcsim_kernel::{Machine, ThreadId};

use super::components::{Components, components_of};
use super::endings::{self, Conclusion};
use super::explain::{Leg, Path, states_to};
use super::observed::{CanBe, Observed, Remains};
use super::retold::{Elsewhere, Why, retell};
use super::search::Search;
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
    if circles == Circles::WithoutAWayOut || hangs_on_the_order(&search) {
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
        somebody_is_stuck: !concluded.doomed.is_empty(),
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

/// Whether something was found that may hang on the order of steps which are tried in one order only.
fn hangs_on_the_order(Search { space, sinks, .. }: &Search) -> bool {
    let machine = space.machine();
    let fails_too_early =
        |sink: &u32| endings::failed_before_the_last_worker(machine, &space.end_state(*sink));
    matches!(space.stop(), Some(Stop::Irreducible | Stop::Outgrown))
        || sinks.iter().any(fails_too_early)
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
    let states = first..search.space.states() as u32;
    let Search { space, ways, .. } = search;
    match ways.take() {
        Some(ways) => circles(states, |state, targets| {
            targets.extend_from_slice(ways.from(state));
            Some(())
        }),
        None => {
            let mut edges = Vec::new();
            circles(states, |state, targets| {
                space.go_on()?;
                edges.clear();
                space.expand(state, &mut edges);
                targets.extend(edges.iter().map(|edge| edge.to));
                Some(())
            })
        }
    }
}

/// Whether schedules can go on for ever in these states, where `lead` lists the states to which transitions lead from a state.
fn circles(
    states: Range<u32>,
    mut lead: impl FnMut(u32, &mut Vec<u32>) -> Option<()>,
) -> Option<Circles> {
    let mut stays = false;
    let Components { of, count } =
        components_of(states.end as usize, states.clone(), |state, targets| {
            let from = targets.len();
            lead(state, targets)?;
            stays |= targets[from..].contains(&state);
            Some(())
        })?;
    if count as usize == states.len() && !stays {
        return Some(Circles::None);
    }
    // A component that cannot be left, and goes round, is no way out.
    let mut goes_round = vec![false; count as usize];
    let mut is_left = vec![false; count as usize];
    let mut targets = Vec::new();
    for state in states {
        targets.clear();
        lead(state, &mut targets)?;
        let own = of[state as usize];
        for to in &targets {
            let way = if of[*to as usize] == own { &mut goes_round } else { &mut is_left };
            way[own as usize] = true;
        }
    }
    let mut all = goes_round.into_iter().zip(is_left);
    let has_no_way_out = all.any(|(goes_round, is_left)| goes_round && !is_left);
    Some(if has_no_way_out { Circles::WithoutAWayOut } else { Circles::WithAWayOut })
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
