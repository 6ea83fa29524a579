//! Fewer schedules that represent all: partial-order and symmetry reduction.
//!
//! They preserve the states in which nothing can move any more, and nothing else that is asked for
//! here: neither infinite schedules nor the lengths of paths. So they are used when there are too
//! many states to visit them all, and decide only systems that always terminate. What they find is
//! shown by a schedule of the whole system.

use ipcsim_kernel::{Machine, ThreadId};

use super::components::components;
use super::endings::{self, goes_round};
use super::explain::{Leg, Path, states_to};
use super::retold::{Elsewhere, Why, retell};
use super::search::Search;
use super::{Covered, Exploration, ExploreLimits};
use crate::space::{Edge, FIRST_ROOM, Looks, Move, Reduction, Reductions, Space, callers};

/// Decides with fewer schedules; `None` if that is impossible for this machine.
pub(super) fn explore<'m>(
    machine: &'m Machine,
    reductions: Reductions,
    limits: &ExploreLimits<'m>,
) -> Option<Exploration<'m>> {
    let space = Space::new(machine, reductions, Looks::NOTHING, FIRST_ROOM);
    if !space.is_reduced() {
        return None;
    }
    let mut search = Search::new(space);
    let beginnings = search.begin(limits);
    let first = beginnings.iter().copied().min().unwrap_or(0);
    let covered = search.run(first, limits);
    let space = &search.space;
    if space.irreducible || space.outgrown {
        return None;
    }
    if !space.order_pays() {
        let without = Reductions { order: Reduction::Off, ..reductions };
        return explore(machine, without, limits);
    }
    let may_go_on = covered == Covered::All && search.goes_back;
    if may_go_on && goes_for_ever(&mut search.space, first)? {
        return None;
    }
    let hangs_on_the_order =
        |sink: &u32| endings::failed_before_the_last_worker(machine, &search.space.end_state(*sink));
    if search.sinks.iter().any(hangs_on_the_order) {
        return None;
    }
    let Search { mut space, parents, sinks, count, levels, delivery, .. } = search;
    let concluded = endings::conclude(machine, &mut space, first, &sinks, false);
    let covered = match (covered, space.cancelled()) {
        (Covered::All, Some(reason)) => reason.into(),
        _ => covered,
    };
    let elsewhere = Elsewhere {
        why: Why::FewerSchedules,
        states: space.states() as u64 - u64::from(first),
        edges: count,
        depth: levels.len() as u32,
        bytes: space.bytes() + parents.capacity() * 4,
        performed: space.performed,
        delivery,
        left_over: super::left_over(&space, &concluded.ends.good),
    };
    let whole = Space::new(machine, reductions.of_schedules(), Looks::NOTHING, FIRST_ROOM);
    retell(whole, concluded, covered, elsewhere, |whole, end| {
        way_to(&mut space, &states_to(&parents, first, end), whole)
    })
}

/// Whether there is a cycle among the states of the completed levels.
pub(super) fn goes_round_already(found: &mut Exploration) -> bool {
    let Some(end) = found.levels.last().copied() else { return false };
    let known = |edge: &Edge| edge.to < end;
    let round =
        components(&mut found.space, found.first..end, |_, edge| known(edge)).and_then(|inner| {
            goes_round(&mut found.space, found.first, &inner, &|edge, _| known(edge))
        });
    round.is_some_and(|round| round.contains(&true))
}

/// Whether a schedule can go on for ever; `None` if cancelled.
fn goes_for_ever(space: &mut Space, first: u32) -> Option<bool> {
    let states = first..space.states() as u32;
    let all = components(space, states, |_, _| true)?;
    Some(goes_round(space, first, &all, &|_, _| true)?.contains(&true))
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
            let end = end_quietly(space, whole, edge.to, &mut legs)?;
            if space.parts_of(&whole.state(end)) == there {
                then = Some((legs, end));
                break;
            }
        }
        let (legs, end) = then?;
        path.extend(legs);
        at = end;
    }
    if space.is_lazy() {
        for t in callers(whole.machine(), &whole.state(at)) {
            at = call(whole, t, at, &mut path)?;
        }
    }
    Some(path)
}

/// Lets those end who end in the same step.
fn end_quietly(space: &Space, whole: &mut Space, mut at: u32, path: &mut Path) -> Option<u32> {
    let machine = whole.machine();
    for t in (0..whole.threads()).map(ThreadId::at) {
        let state = whole.state(at);
        if t.index() < state.threads.len() && space.grain().ends_quietly(machine, &state, t) {
            at = call(whole, t, at, path)?;
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
