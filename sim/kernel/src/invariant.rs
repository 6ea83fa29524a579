//! What must be true between two steps. Called in tests and debug builds.

mod rights;
mod space;
mod stream;

use std::sync::Arc;

use ipcsim_program::{
    Capacity, Effect, MailboxId, Message, Op, Pick, ProcessId, Route, Send, ThreadId,
};

use crate::machine::{Machine, Wake};
use crate::object::filter::Filter;
use crate::object::mailbox::Mailbox;
use crate::object::room::Room;
use crate::state::{BlockedOn, Holder, Life, Look, Sources, State, ThreadState};

/// Panics, with a sentence, if no step may leave this state behind.
pub fn assert_invariants(machine: &Machine, state: &State) {
    for (index, mailbox) in state.mailboxes.iter().enumerate() {
        mailbox_invariants(machine, state, MailboxId::at(index), mailbox);
    }
    for index in 0..state.threads.len() {
        thread_invariants(machine, state, ThreadId::at(index));
    }
    for index in 0..state.processes.len() {
        process_invariants(state, ProcessId::at(index));
    }
    memory_invariants(machine, state);
    space::space_invariants(state);
    stream::stream_invariants(machine, state);
    rights::right_invariants(state);
}

fn mailbox_invariants(machine: &Machine, state: &State, id: MailboxId, mailbox: &Mailbox) {
    let sizes = mailbox.messages.iter().map(|message| message.size);
    let bytes = sizes.fold(0, u64::wrapping_add);
    assert_eq!(mailbox.stored_bytes, bytes, "a mailbox counts the bytes that it holds");
    let waiting = state.memory.waiting.iter().filter(|(_, message)| message.mailbox == id).count();
    let known = mailbox.memory_waiters as usize;
    assert_eq!(known, waiting, "a mailbox counts who waits for memory for it");
    let is_pipe = mailbox.bytes().is_some();
    if !is_pipe
        && mailbox.lets_blocked_senders_in()
        && machine.policies.wake_senders == Wake::HandOver
    {
        let next = match machine.policies.sender {
            _ if mailbox.lets_pass_what_fits() => 0..mailbox.senders.len(),
            Pick::Fifo => 0..mailbox.senders.len().min(1),
            Pick::Arbitrary => 0..mailbox.senders.len(),
            Pick::Lifo => mailbox.senders.len().saturating_sub(1)..mailbox.senders.len(),
            Pick::Priority => 0..0,
        };
        for (_, message) in mailbox.senders.range(next) {
            let room = mailbox.room(message.size);
            assert_ne!(room, Room::Free, "no sender waits beside a slot that it could have");
        }
    }
    match mailbox.spec.capacity {
        Capacity::None => assert!(mailbox.messages.is_empty(), "no buffer holds no message"),
        // The limit of a port's queue may be lowered below what it holds.
        Capacity::Messages(_) if mailbox.port().is_some() => {}
        Capacity::Messages(limit) => {
            assert!(mailbox.messages.len() as u64 <= limit, "a mailbox keeps its capacity");
        }
        Capacity::Bytes(limit) => assert!(bytes <= limit, "a mailbox keeps its capacity in bytes"),
        Capacity::Undefined | Capacity::Unlimited => {}
    }
    for message in mailbox.all_messages() {
        assert_eq!(message.mailbox, id, "a message lies where it was sent to");
    }
    for (sender, message) in &mailbox.senders {
        let on = state.waits_for(*sender);
        let is_right = matches!(on, Some(BlockedOn::Send(at)) if *at == id);
        assert!(is_right, "whoever waits in a mailbox's queue is SEND-blocked there");
        let process = state.threads[sender.index()].process;
        assert_eq!(message.sender, process, "a blocked sender waits with its own message");
    }
    if let Some((_, to)) = mailbox.link() {
        assert!(mailbox.receivers.is_empty(), "receivers of links wait in the inbox");
        if state.has_ended(to) {
            assert!(!mailbox.has_something(), "a link to an ended process is empty");
        }
    }
    receiver_invariants(state, id, mailbox);
}

fn receiver_invariants(state: &State, id: MailboxId, mailbox: &Mailbox) {
    for receiver in state.receivers_of(id) {
        let Some(BlockedOn::Receive { sources, filter }) = state.waits_for(*receiver) else {
            continue;
        };
        if !sources.contains(state.known_as(id)) {
            continue;
        }
        let blocked = mailbox.senders.iter().map(|(_, message)| message);
        let served = blocked.filter(|message| mailbox.serves(message));
        for message in mailbox.messages.iter().chain(served) {
            assert!(
                !Filter::accepts(filter.as_deref(), message) || is_looked_at(state, id),
                "no receiver waits beside a message that it could take"
            );
        }
    }
}

/// Whether a thread was woken for a message or a slot here and has not looked yet.
fn is_looked_at(state: &State, id: MailboxId) -> bool {
    state.threads.iter().any(|thread| match thread.state.underneath() {
        ThreadState::LookingAgain { at: Look::Receive(sources), .. } => {
            sources.contains(state.known_as(id))
        }
        _ => thread.in_hand().is_some_and(|message| message.mailbox == id),
    })
}

fn thread_invariants(machine: &Machine, state: &State, id: ThreadId) {
    let thread = &state.threads[id.index()];
    let alive = matches!(state.processes[thread.process.index()].life, Life::Running);
    match &thread.state {
        ThreadState::NotStarted => assert!(!alive, "the threads of a process start with it"),
        ThreadState::Ended => {}
        ThreadState::Ready | ThreadState::Raising(_) | ThreadState::LookingAgain { .. } => {
            assert!(alive, "a thread lives in a process that lives");
            assert!(!thread.is_held(), "a thread that is suspended takes no step");
        }
        ThreadState::Suspended(then) => {
            assert!(alive, "a thread is suspended in a process that lives");
            assert!(thread.is_held(), "somebody has suspended it");
            let could_go_on = matches!(
                **then,
                ThreadState::Ready | ThreadState::Raising(_) | ThreadState::LookingAgain { .. }
            );
            assert!(could_go_on, "a thread that waits is not suspended before it could go on");
        }
        ThreadState::Blocked { on, .. } => {
            assert!(alive, "a thread waits in a process that lives");
            let asks = matches!(on, BlockedOn::Reply { .. }) && thread.raised().is_some();
            assert!(
                asks || matches!(machine.code[thread.pc.index()], Op::Call(_)),
                "it waits in a call"
            );
            assert!(
                asks || thread.raised().is_none(),
                "whoever has raised an exception asks a handler"
            );
            waiter_invariants(state, id, on);
        }
    }
}

fn waiter_invariants(state: &State, id: ThreadId, on: &BlockedOn) {
    for source in on.stands_at().into_iter().flat_map(Sources::listed) {
        let queue = state.queue(state.queue_at(*source));
        assert!(queue.contains(&id), "a thread that waits at objects is in the queue of each");
    }
    match on {
        BlockedOn::Send(mailbox) => {
            let queue = &state.mailboxes[mailbox.index()].senders;
            let places = queue.iter().filter(|(sender, _)| *sender == id).count();
            assert_eq!(places, 1, "a SEND-blocked thread is in one queue, once");
        }
        BlockedOn::Memory(_) => {
            let places = state.memory.waiting.iter().filter(|(sender, _)| *sender == id).count();
            assert_eq!(places, 1, "a memory-blocked thread waits for memory, once");
        }
        BlockedOn::Reply { right, holder } => {
            assert_eq!(right.caller, id, "a caller waits for its own answer");
            if let Holder::Taken(process) = holder {
                assert!(!state.has_ended(*process), "who waits for an answer waits for the living");
            }
        }
        BlockedOn::Lock(region, page) => {
            let lock = state.lock(*region, *page);
            let waiting = lock.map_or(0, |lock| lock.waiting.iter().filter(|t| **t == id).count());
            assert_eq!(
                waiting, 1,
                "a LOCK-blocked thread waits for a lock that somebody has, once"
            );
        }
        BlockedOn::Join(threads) => {
            let ended = |t: &ThreadId| state.threads[t.index()].state.is_ended();
            assert!(!threads.iter().all(ended), "a join ends when its threads have ended");
        }
        _ => {}
    }
}

fn process_invariants(state: &State, id: ProcessId) {
    let process = &state.processes[id.index()];
    let alive = state
        .threads_of(id)
        .filter(|t| {
            let state = &state.threads[t.index()].state;
            !matches!(state, ThreadState::Ended | ThreadState::NotStarted)
        })
        .count();
    assert_eq!(process.alive_threads as usize, alive, "a process counts its living threads");
    if process.life == Life::Running {
        assert!(alive > 0, "a process ends with its last thread");
    }
    let owed = state
        .threads
        .iter()
        .filter(|thread| match &thread.state {
            ThreadState::Blocked { on: BlockedOn::Reply { holder, .. }, .. } => {
                *holder == Holder::Taken(id)
            }
            _ => false,
        })
        .count();
    assert_eq!(process.owed as usize, owed, "a process counts the answers that it owes");
}

fn memory_invariants(machine: &Machine, state: &State) {
    let stored: u64 = state
        .mailboxes
        .iter()
        .flat_map(|mailbox| &mailbox.messages)
        .map(|message| state.memory.cost(message.size))
        .sum();
    assert_eq!(state.memory.used, stored, "kernel memory used is what the stored messages cost");
    let notices = |message: &Arc<Message>| message.route == Route::Once;
    let has_notices = state.mailboxes.iter().any(|mailbox| mailbox.messages.iter().any(notices));
    let promised = has_notices
        || machine.any_call(|it| matches!(it, Effect::Sends(Send { hold: Some(_), .. })));
    if let Some(limit) = state.memory.limit.filter(|_| !promised) {
        assert!(stored <= limit, "the kernel keeps its memory limit");
    }
    for (waiter, message) in &state.memory.waiting {
        assert!(
            matches!(state.waits_for(*waiter), Some(BlockedOn::Memory(at)) if *at == message.mailbox),
            "whoever waits for memory is memory-blocked"
        );
    }
}
