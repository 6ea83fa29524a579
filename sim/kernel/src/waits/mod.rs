//! Who waits for whom, and who can never move again.
//!
//! What could happen is a [`Condition`]. Threads wait for conditions (`awaited.rs` tells for which), and the code ahead
//! of threads could fulfil conditions (`future.rs` walks over it). This detour keeps everything linear, where an edge
//! for each pair of threads would not. Two questions are asked of the two relations:
//!
//! - *Who is stuck?* A thread *can still be helped* if some thread that can move has code ahead of it that could end
//!   the wait. Whoever is helped can move, and may help others. Those left over are **stuck**: no continuation lets
//!   them move again. "Could" and "code ahead" are read generously: a destination that is known only at run time counts
//!   as every object, a call that might fail counts as one that does. So a thread that is called stuck is stuck; one
//!   that is not may still be stuck, and an exploration finds it. (`search.rs`)
//! - *Who waits for whom*, among those who are stuck? (`graph.rs`)
//!
//! A bounded wait ends by itself, and a process that has not started can still do all that its code says.

mod arrows;
mod awaited;
mod condition;
mod future;
mod graph;
mod holding;
mod rest;
mod search;

use std::borrow::Cow;

use ipcsim_program::{MailboxId, ProcessId, ThreadId};

use crate::machine::Machine;
use crate::state::{BlockedOn, Bound, Holder, Life, Sources, State, Thread, ThreadState};
pub use condition::{Condition, Place, Type};
pub use future::settled;
pub use graph::WaitGraph;
pub(crate) use graph::wait_graph;
pub use holding::held_up_by;
pub use rest::{is_at_rest, rests_in_its_main_receive};
use search::Search;

/// Gives the state in which stopped threads have done their local work: the code ahead of a thread is judged from there.
/// Performing it is up to the kernel's steps, of which this module knows nothing.
pub(crate) type LocalWork = for<'a> fn(&Machine, &'a State, &[ThreadId]) -> Cow<'a, State>;

/// The threads that can never move again, in order. Daemons at rest are among them.
pub fn stuck(machine: &Machine, state: &State) -> Vec<ThreadId> {
    stuck_if(machine, state, Hope::InAll, None)
}

/// What counts as help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hope {
    /// Everything that could end a wait.
    InAll,
    /// What if bounded waits did not end by themselves? A sleep ends all the same.
    NotInTimeouts,
    /// What if no exception ended a process? One that might come, say because a later call is refused, is no
    /// reason to accept a circle. Its message to a handler counts.
    NotInExceptions,
}

/// Those who are stuck. If only one thread matters, and it can be helped, none are found.
fn stuck_if(
    machine: &Machine,
    state: &State,
    hope: Hope,
    matters: Option<ThreadId>,
) -> Vec<ThreadId> {
    let waits = |thread: &Thread| {
        matches!(thread.state, ThreadState::Blocked { .. } | ThreadState::Suspended(_))
            && !moves_by_itself(state, thread, hope)
    };
    if !state.threads.iter().any(waits) {
        return Vec::new();
    }
    let mut search = Search::new(machine, state, hope);
    search.run(matters);
    if matters.is_some_and(|t| !search.waits_for_ever(t)) {
        return Vec::new();
    }
    let threads = (0..state.threads.len()).map(ThreadId::at);
    let is_stuck = |t: &ThreadId| waits(&state.threads[t.index()]) && search.waits_for_ever(*t);
    threads.filter(is_stuck).collect()
}

/// Whether a thread does not wait, or its wait ends without anybody's help.
fn moves_by_itself(state: &State, thread: &Thread, hope: Hope) -> bool {
    match &thread.state {
        ThreadState::Ready | ThreadState::Raising(_) | ThreadState::LookingAgain { .. } => true,
        ThreadState::Blocked { on: BlockedOn::Sleep, .. } => true,
        // It is about to be told.
        ThreadState::Blocked { on: BlockedOn::Select(sources), .. } if is_ready(state, sources) => {
            true
        }
        ThreadState::Blocked { bound, .. } => {
            *bound != Bound::Forever && hope != Hope::NotInTimeouts
        }
        ThreadState::NotStarted => state.processes[thread.process.index()].life == Life::NotStarted,
        ThreadState::Suspended(_) | ThreadState::Ended => false,
    }
}

/// Whether a process has the right to send to a port, or will have it as soon as it is made.
fn may_send(machine: &Machine, state: &State, process: ProcessId, port: MailboxId) -> bool {
    let is_unborn = state.processes[process.index()].life == Life::Unborn;
    state.may_send(process, port) || (is_unborn && machine.family_of(process).names == Some(port))
}

/// Whether a receive from these would not wait.
fn is_ready(state: &State, sources: &Sources) -> bool {
    let has_something = |source: &MailboxId| {
        let object = &state.mailboxes[source.index()];
        let members = object.set().into_iter().flat_map(|set| &set.members);
        object.has_something()
            || object.is_at_its_end()
            || members.copied().any(|member| state.mailboxes[member.index()].has_something())
    };
    sources.listed().iter().any(has_something)
}

/// The circle of waits that a thread is in, if nothing but a timeout can open it: a deadlock that a
/// bounded wait hides. Empty if there is none.
pub(crate) fn circle_of(
    machine: &Machine,
    state: &State,
    t: ThreadId,
    done: LocalWork,
) -> Vec<ThreadId> {
    let stuck = stuck_if(machine, state, Hope::NotInTimeouts, Some(t));
    if stuck.is_empty() {
        return Vec::new();
    }
    let looked_at: Vec<ThreadId> =
        stuck.into_iter().filter(|t| !rests_in_its_main_receive(machine, state, *t)).collect();
    let graph = wait_graph(machine, &done(machine, state, &looked_at), &looked_at);
    let reaches = |from: ThreadId| graph.reached_from(state, from);
    let from_here = reaches(t);
    if !from_here[t.index()] {
        return Vec::new();
    }
    looked_at
        .into_iter()
        .filter(|other| from_here[other.index()] && reaches(*other)[t.index()])
        .collect()
}

/// Whether a thread that has just begun to wait closes a circle of waits that nobody can open.
pub(crate) fn closes_a_circle(
    machine: &Machine,
    state: &State,
    t: ThreadId,
    done: LocalWork,
) -> bool {
    let stuck = stuck_if(machine, state, Hope::NotInExceptions, Some(t));
    !stuck.is_empty() && is_on_a_circle(machine, state, (&stuck, done), t)
}

/// Whether a thread is on a circle of waits in which not everybody is a daemon at rest.
fn is_on_a_circle(
    machine: &Machine,
    state: &State,
    (stuck, done): (&[ThreadId], LocalWork),
    t: ThreadId,
) -> bool {
    let graph = wait_graph(machine, &done(machine, state, stuck), stuck);
    let reached = graph.reached_from(state, t);
    let leads_back =
        |other: ThreadId| reached[other.index()] && graph.reached_from(state, other)[t.index()];
    reached[t.index()]
        && stuck.iter().any(|other| !is_at_rest(machine, state, *other) && leads_back(*other))
}

/// Whether a chain of processes, each of which waits for one other to send, to receive or to answer, leads
/// from a thread back to its own process. A receive from several sources ends a chain.
pub(crate) fn closes_a_chain(state: &State, t: ThreadId) -> bool {
    let own = state.threads[t.index()].process;
    let mut at = awaited_process(state, t);
    // A process that waits only for itself waits for ever.
    if at == Some(own) {
        return false;
    }
    for _ in 0..state.processes.len() {
        match at {
            None => return false,
            Some(process) if process == own => return true,
            Some(process) => {
                let mut threads = state.threads_of(process);
                let alive = threads.find(|t| !state.threads[t.index()].state.is_ended());
                at = alive.and_then(|t| awaited_process(state, t));
            }
        }
    }
    false
}

/// The one process that a thread waits for, over a link or for an answer.
fn awaited_process(state: &State, t: ThreadId) -> Option<ProcessId> {
    let ends = |mailbox: MailboxId| state.mailboxes[mailbox.index()].link();
    match state.waits_for(t)? {
        BlockedOn::Send(mailbox) => ends(*mailbox).map(|(_, to)| to),
        BlockedOn::Receive { sources, .. } => match sources.listed() {
            [link] => ends(*link).map(|(from, _)| from),
            _ => None,
        },
        BlockedOn::Reply { holder: Holder::Taken(process), .. } => Some(*process),
        BlockedOn::Reply { holder: Holder::Queued(link), .. } => ends(*link).map(|(_, to)| to),
        _ => None,
    }
}
