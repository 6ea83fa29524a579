//! Rights are conserved.

use std::collections::BTreeMap;

use ipcsim_program::{MailboxId, Once, ProcessId, Right};

use crate::object::mailbox::{Existence, Mailbox};
use crate::object::port::{Controlled, Receiver, Rights};
use crate::state::{Life, State};

/// Every receive right is in one place: in a name space, in one message that has not arrived, or nowhere.
pub(super) fn right_invariants(state: &State) {
    if state.mailboxes.iter().all(|mailbox| mailbox.port().is_none()) {
        return;
    }
    let mut carried = BTreeMap::new();
    for message in state.messages() {
        let moved = message.rights().iter().filter(|carried| carried.right == Right::Receive);
        for right in moved {
            let before = carried.insert(right.port, message.mailbox);
            assert_eq!(before, None, "a receive right is in one message");
        }
    }
    for (index, mailbox) in state.mailboxes.iter().enumerate() {
        if mailbox.port().is_some() {
            port_invariants(state, MailboxId::at(index), mailbox, &carried);
        }
    }
    nothing_is_left(state);
    once_invariants(state);
    for set in state.mailboxes.iter().filter_map(|mailbox| mailbox.set()) {
        let held = set.members.iter().map(|port| state.mailboxes[port.index()].messages.len());
        assert_eq!(set.arrived().len(), held.sum(), "a set knows the messages of its members");
    }
}

/// The receive right of a port is where the port says.
fn port_invariants(
    state: &State,
    id: MailboxId,
    mailbox: &Mailbox,
    carried: &BTreeMap<MailboxId, MailboxId>,
) {
    let Some(port) = mailbox.port() else { return };
    let holders = (0..state.processes.len()).map(ProcessId::at).filter(|process| {
        state.processes[process.index()].rights.received().any(|received| received == id)
    });
    let holders: Vec<ProcessId> = holders.collect();
    match port.receiver {
        Receiver::Held(process) => {
            assert_eq!(holders, [process], "a receive right has one holder");
            assert!(!state.has_ended(process), "the dead hold no right");
        }
        Receiver::Carried(to) => {
            assert_eq!(carried.get(&id), Some(&to), "a right on its way is in a message");
        }
        Receiver::Kernel(controlled) => {
            assert!(holders.is_empty(), "what the kernel receives nobody else does");
            let has_ended = match controlled {
                Controlled::Process(process) => state.has_ended(process),
                Controlled::Thread(t) => state.threads[t.index()].state.is_ended(),
            };
            assert!(!has_ended, "a port of control dies with what it controls");
        }
        Receiver::Nobody => {
            assert_eq!(mailbox.existence, Existence::Destroyed, "a port dies with its right");
        }
    }
    assert!(
        matches!(port.receiver, Receiver::Held(_)) || holders.is_empty(),
        "who has moved a receive right away has it no more"
    );
    let dead = mailbox.existence == Existence::Destroyed;
    let empty = mailbox.all_messages().next().is_none();
    kept_invariants(state, id, mailbox);
    assert!(!dead || empty, "a dead port is empty");
}

/// The dead hold nothing.
fn nothing_is_left(state: &State) {
    for process in state.processes.iter().filter(|process| matches!(process.life, Life::Ended(_))) {
        assert_eq!(process.rights, Rights::default(), "the dead hold no right");
    }
}

/// What the kernel keeps for a process.
fn kept_invariants(state: &State, id: MailboxId, mailbox: &Mailbox) {
    let kept = mailbox.port().into_iter().flat_map(|port| &port.held);
    for held in kept {
        let sender = &state.processes[held.message.sender.index()];
        assert!(sender.rights.held.contains(&id), "a process knows what is kept for it");
        assert!(held.ahead as usize <= mailbox.senders.len(), "it stands in the queue");
    }
}

/// Every send-once right is in one place: in a name space, in a message, or with the kernel, which owes a
/// notice through it. It leaves that place with the one message that it is good for.
fn once_invariants(state: &State) {
    let mut places = BTreeMap::new();
    let mut put = |once: Once| *places.entry(once).or_insert(0) += 1;
    for process in &state.processes {
        process.rights.once.iter().copied().for_each(&mut put);
        process.rights.dead_names.values().copied().for_each(&mut put);
    }
    for port in state.mailboxes.iter().filter_map(|mailbox| mailbox.port()) {
        port.no_senders.iter().chain(&port.destroyed).copied().for_each(&mut put);
        port.held.iter().map(|held| held.notify).for_each(&mut put);
    }
    for carried in state.messages().flat_map(|message| message.carried()) {
        if let Right::Once(number) = carried.right {
            put(Once { port: carried.port, number });
        }
    }
    for (once, count) in &places {
        assert_eq!(*count, 1, "{once:?} is in one place");
    }
    for (index, mailbox) in state.mailboxes.iter().enumerate() {
        let numbers = mailbox.port().into_iter().flat_map(|port| &port.once);
        for number in numbers.filter(|_| mailbox.existence == Existence::Alive) {
            let once = Once { port: MailboxId::at(index), number: *number };
            assert!(places.contains_key(&once), "{once:?} is somewhere");
        }
    }
}
