//! Who holds a thread up: the threads that would have to run for its wait to end. Schedulers let those inherit its priority.
//!
//! Only where somebody *owns* what is waited for: a lock has an owner, a request is its server's, a port and a link have a receiver.
//! A pipe, an open mailbox or a token has none, as a semaphore has none.

use ipcsim_program::{MailboxId, ProcessId, ThreadId};

use crate::object::port::Receiver;
use crate::object::space::Owner;
use crate::state::{BlockedOn, Holder, State};

/// The threads that hold up a thread directly; they may be held up by others.
pub fn held_up_by(state: &State, t: ThreadId) -> Vec<ThreadId> {
    match state.waits_for(t) {
        Some(BlockedOn::Lock(region, page)) => {
            match state.lock(*region, *page).map(|lock| lock.owner) {
                Some(Owner::Thread(owner)) => vec![owner],
                _ => Vec::new(),
            }
        }
        Some(BlockedOn::Reply { holder: Holder::Taken(process), .. }) => busy(state, *process),
        Some(
            BlockedOn::Reply { holder: Holder::Queued(mailbox), .. } | BlockedOn::Send(mailbox),
        ) => receiver(state, *mailbox).map_or(Vec::new(), |process| busy(state, process)),
        _ => Vec::new(),
    }
}

/// The one process that receives from there, if there is one.
fn receiver(state: &State, mailbox: MailboxId) -> Option<ProcessId> {
    match (state.mailboxes[mailbox.index()].link(), state.receiver_of(mailbox)) {
        (Some((_, to)), _) | (None, Receiver::Held(to)) => Some(to),
        _ => None,
    }
}

/// The threads of a process that do not wait for a message themselves.
fn busy(state: &State, process: ProcessId) -> Vec<ThreadId> {
    let is_busy = |t: &ThreadId| {
        let has_ended = state.threads[t.index()].state.is_ended();
        let on = state.waits_for(*t);
        !has_ended && !matches!(on, Some(BlockedOn::Receive { .. } | BlockedOn::Select(_)))
    };
    state.threads_of(process).filter(is_busy).collect()
}
