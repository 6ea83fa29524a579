//! Starvation under weak fairness: the others can cycle for ever, and a thread that could go on never does.
//!
//! Weakly fair: whoever can always take a step takes one. A thread that can step only now and then
//! may be passed over each time. Strong fairness would rule that out, but a scheduler that picks
//! among the currently ready does not guarantee it.

use ipcsim_kernel::{Machine, Role, ThreadId, ThreadState};

use super::components::components;
use super::endings::{Fair, Movable, fair, goes_round};
use crate::space::{Edge, Space};
use ipcsim_kernel::waits::is_at_rest;

/// A thread that can starve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Starving {
    /// The thread.
    pub thread: ThreadId,
    /// A state from which the others can cycle without it.
    pub state: u32,
}

/// Larger systems are not checked: it takes a search of its own for each thread.
const MOST_STATES: usize = 100_000;
const MOST_THREADS: usize = 32;

/// The workers' threads that can starve; `None` if cancelled.
pub(super) fn starving(machine: &Machine, space: &mut Space, first: u32) -> Option<Vec<Starving>> {
    let states = first..space.states() as u32;
    if space.states() > MOST_STATES || space.threads() > MOST_THREADS {
        return Some(Vec::new());
    }
    let all = components(space, states.clone(), |_, _| true)?;
    let movable = Movable::new(space, first, &all)?;
    let mut found = Vec::new();
    for t in (0..space.threads()).map(ThreadId::at) {
        let without = |edge: &Edge, space: &Space| {
            edge.what.thread() != Some(t) && !space.moved(edge).any(|moved| moved == t)
        };
        let inner = components(space, states.clone(), |space, edge| without(edge, space))?;
        let round = goes_round(space, first, &inner, &without)?;
        for members in inner.circles(first, &round) {
            let at = members[0];
            // A thread that is doomed there does not starve; it is reported as doomed.
            let waits = is_to_go_on(machine, space, at, t) && movable.can_move(&all, at, t);
            if waits && fair(space, &inner, &members, &without)? != Fair::NotSo {
                found.push(Starving { thread: t, state: at });
                break;
            }
        }
    }
    Some(found)
}

/// Whether a thread is a worker's, has begun, has not ended, and is not at rest.
fn is_to_go_on(machine: &Machine, space: &Space, at: u32, t: ThreadId) -> bool {
    let state = space.state(at);
    let Some(thread) = state.threads.items().get(t.index()) else { return false };
    machine.family_of(thread.process).role == Role::Worker
        && !matches!(thread.state, ThreadState::NotStarted | ThreadState::Ended)
        && !is_at_rest(machine, &state, t)
}
