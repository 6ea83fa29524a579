//! A port set: several ports that one process receives from as if they were one.
//!
//! Messages stay in the queues of their ports. The set keeps their order of arrival over all members.

use std::collections::VecDeque;

use ipcsim_program::{MailboxId, ProcessId, state};

state! {
    /// A port set.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct PortSet {
        /// Who receives from it, and from its members only through it.
        pub owner: ProcessId,
        /// Its ports, in the order in which they joined.
        pub members: Vec<MailboxId>,
        /// The port of each message that waits in a member, oldest message first.
        arrived: VecDeque<MailboxId>,
        /// Which member comes first when they take turns.
        pub next: u32,
    }
}

impl PortSet {
    /// A set without members.
    pub fn of(owner: ProcessId) -> Self {
        Self { owner, members: Vec::new(), arrived: VecDeque::new(), next: 0 }
    }

    /// A port joins, with this many messages: they count as younger than all that are here.
    pub fn insert(&mut self, port: MailboxId, messages: usize) {
        self.members.push(port);
        self.arrived.extend(std::iter::repeat_n(port, messages));
    }

    /// A port leaves, with its messages.
    pub fn remove(&mut self, port: MailboxId) {
        self.members.retain(|member| *member != port);
        self.arrived.retain(|member| *member != port);
        self.next = 0;
    }

    /// A message is stored in a member.
    pub fn note_stored(&mut self, port: MailboxId) {
        self.arrived.push_back(port);
    }

    /// The message at a place of a member's queue is taken.
    pub fn note_taken(&mut self, port: MailboxId, place: usize) {
        let mut places = (0..self.arrived.len()).filter(|at| self.arrived[*at] == port);
        let at = places.nth(place).expect("the set knows every message of its members");
        self.arrived.remove(at);
        if let Some(member) = self.members.iter().position(|member| *member == port) {
            self.next = ((member + 1) % self.members.len()) as u32;
        }
    }

    /// The messages of all members, oldest first: the port, and the place in its queue.
    pub fn by_age(&self) -> impl Iterator<Item = (MailboxId, usize)> + '_ {
        self.arrived.iter().enumerate().map(|(at, port)| {
            let before = self.arrived.iter().take(at).filter(|other| *other == port);
            (*port, before.count())
        })
    }

    /// The members, starting with the one whose turn it is.
    pub fn in_turn(&self) -> impl Iterator<Item = MailboxId> + '_ {
        let first = self.next as usize;
        self.members[first..].iter().chain(&self.members[..first]).copied()
    }

    /// The ports of all waiting messages, oldest message first.
    pub fn arrived(&self) -> impl ExactSizeIterator<Item = MailboxId> + '_ {
        self.arrived.iter().copied()
    }
}
