//! A mailbox: messages wait here for a receiver, and senders for a free slot.
//!
//! Knows its own rules only. It has never heard of programs, of time or of traces; `step` asks it
//! what would happen and tells it what to do. A link is a mailbox too: one sender, one receiver.

use std::collections::VecDeque;
use std::sync::Arc;

use ipcsim_program::{
    Capacity, Message, Order, Pick, ProcessId, ThreadId, limits, nameless, state,
};

use crate::object::filter::Filter;
use crate::object::port::Port;
use crate::object::port_set::PortSet;
use crate::object::room::Room;

state! {
    /// A mailbox: its fixed properties.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct MailboxSpec {
        /// How much it holds.
        pub capacity: Capacity,
        /// The order of its messages.
        pub order: Order,
        /// Who gets a message when several receives wait.
        pub receiver: Pick,
        /// The largest message that it takes, in bytes; [`MailboxSpec::ANY_SIZE`] takes all.
        pub max_size: u64,
        /// Whose it is.
        pub kind: MailboxKind,
    }
}

impl MailboxSpec {
    /// Messages may be as large as anybody can make them.
    pub const ANY_SIZE: u64 = u64::MAX;
}

state! {
    /// Whose a mailbox is.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum MailboxKind {
        /// Everybody's, by its name.
        Open,
        /// Everybody's who may open its path.
        Filed,
        /// Whose rights say so.
        Port,
        /// Its owner's: it holds nothing itself, but has members.
        PortSet,
        /// The link from one process to another.
        Link {
            /// Who sends.
            from: ProcessId,
            /// Who receives.
            to: ProcessId,
        },
    }
}

state! {
    /// A mailbox or a link.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Mailbox {
        /// Its fixed properties.
        pub spec: MailboxSpec,
        /// Whether it is still there.
        pub existence: Existence,
        /// What it holds, in the order in which it leaves.
        pub messages: VecDeque<Arc<Message>>,
        /// The sizes of what it holds, in bytes.
        pub stored_bytes: u64 as derived,
        /// The senders that are blocked on it with their messages, in the order in which they go.
        pub senders: VecDeque<(ThreadId, Arc<Message>)>,
        /// How many senders wait for kernel memory with a message for it.
        pub memory_waiters: u32 as derived,
        /// The threads that wait for a message, oldest first. Those on a link wait in the inbox of their
        /// process instead.
        pub receivers: VecDeque<ThreadId>,
        /// What it has as a port or a port set, if it is one.
        pub protected: Option<Box<Protected>>,
    }
}

state! {
    /// What a mailbox has that is reached by rights only.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Protected {
        /// It is a port.
        Port(Port),
        /// It is a port set.
        Set(PortSet),
    }
}

/// Whether a mailbox is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Existence {
    /// It is.
    Alive,
    /// It was destroyed.
    Destroyed,
}

nameless! { Existence }

impl Mailbox {
    /// An empty mailbox.
    pub fn new(spec: MailboxSpec) -> Self {
        Self {
            spec,
            existence: Existence::Alive,
            messages: VecDeque::new(),
            stored_bytes: 0,
            senders: VecDeque::new(),
            memory_waiters: 0,
            receivers: VecDeque::new(),
            protected: None,
        }
    }

    /// What it has as a port, if it is one.
    pub fn port(&self) -> Option<&Port> {
        match self.protected.as_deref() {
            Some(Protected::Port(port)) => Some(port),
            Some(Protected::Set(_)) | None => None,
        }
    }

    /// As [`Mailbox::port`], to be changed.
    pub fn port_mut(&mut self) -> Option<&mut Port> {
        match self.protected.as_deref_mut() {
            Some(Protected::Port(port)) => Some(port),
            Some(Protected::Set(_)) | None => None,
        }
    }

    /// What it has as a port set, if it is one.
    pub fn set(&self) -> Option<&PortSet> {
        match self.protected.as_deref() {
            Some(Protected::Set(set)) => Some(set),
            Some(Protected::Port(_)) | None => None,
        }
    }

    /// As [`Mailbox::set`], to be changed.
    pub fn set_mut(&mut self) -> Option<&mut PortSet> {
        match self.protected.as_deref_mut() {
            Some(Protected::Set(set)) => Some(set),
            Some(Protected::Port(_)) | None => None,
        }
    }

    /// Whether a message of this size would be stored, whoever waits already.
    pub fn room(&self, size: u64) -> Room {
        match self.spec.capacity {
            Capacity::None => Room::Full,
            Capacity::Messages(limit) if self.messages.len() as u64 >= limit => Room::Full,
            Capacity::Bytes(limit) if size > limit => Room::Never,
            Capacity::Bytes(limit) if self.stored_bytes.saturating_add(size) > limit => Room::Full,
            Capacity::Messages(_) | Capacity::Bytes(_) | Capacity::Unlimited => Room::Free,
            Capacity::Undefined if self.messages.len() >= limits::UNDEFINED_STORED => Room::Full,
            Capacity::Undefined => Room::Undefined,
        }
    }

    /// Whether blocked senders are let in when a slot is freed. With `undefined` a sender that found
    /// no room waits for a receiver and is not asked again.
    pub fn lets_blocked_senders_in(&self) -> bool {
        !matches!(self.spec.capacity, Capacity::None | Capacity::Undefined)
    }

    /// Puts a message behind those that leave before it.
    pub fn store(&mut self, message: Arc<Message>) {
        self.stored_bytes += message.size;
        let at = match self.spec.order {
            Order::Fifo => self.messages.len(),
            Order::Priority => {
                self.messages.partition_point(|stored| stored.priority() >= message.priority())
            }
        };
        if at == self.messages.len() {
            self.messages.push_back(message);
        } else {
            self.messages.insert(at, message);
        }
    }

    /// Every message here: stored, in the hands of a blocked sender, or kept by the kernel.
    pub fn all_messages(&self) -> impl Iterator<Item = &Arc<Message>> {
        let blocked = self.senders.iter().map(|(_, message)| message);
        let kept = self.port().into_iter().flat_map(|port| &port.held).map(|held| &held.message);
        self.messages.iter().chain(blocked).chain(kept)
    }

    /// Whether somebody waits for a slot here, or the kernel for him.
    pub fn has_waiting(&self) -> bool {
        !self.senders.is_empty() || self.port().is_some_and(|port| !port.held.is_empty())
    }

    /// Whether a sender is blocked here that would stand before the one of this message.
    pub fn stands_behind(&self, message: &Message) -> bool {
        if self.port().is_some_and(|port| !port.held.is_empty()) {
            return true;
        }
        self.senders.front().is_some_and(|(_, first)| match self.spec.order {
            Order::Fifo => true,
            Order::Priority => first.priority() >= message.priority(),
        })
    }

    /// Lets a sender wait behind those that go before it.
    pub fn block_sender(&mut self, thread: ThreadId, message: Arc<Message>) {
        let at = match self.spec.order {
            Order::Fifo => self.senders.len(),
            Order::Priority => self
                .senders
                .partition_point(|(_, blocked)| blocked.priority() >= message.priority()),
        };
        self.senders.insert(at, (thread, message));
    }

    /// The place of the first stored message that this receiver would take.
    pub fn first_stored(&self, filter: Option<&Filter>) -> Option<usize> {
        match filter {
            None if self.messages.is_empty() => None,
            None => Some(0),
            Some(_) => self.messages.iter().position(|message| Filter::accepts(filter, message)),
        }
    }

    /// The places of all blocked senders whose message will do.
    pub fn senders_with(&self, will_do: impl Fn(&Message) -> bool) -> impl Iterator<Item = usize> {
        let places = self.senders.iter().enumerate();
        places.filter(move |(_, (_, message))| will_do(message)).map(|(place, _)| place)
    }

    /// Takes the stored message at a place.
    pub fn take(&mut self, place: usize) -> Arc<Message> {
        let message =
            if place == 0 { self.messages.pop_front() } else { self.messages.remove(place) };
        let message = message.expect("only a message that was found is taken");
        self.stored_bytes -= message.size;
        message
    }

    /// The place of a thread that is blocked here.
    pub fn place_of(&self, thread: ThreadId) -> usize {
        let place = self.senders.iter().position(|(sender, _)| *sender == thread);
        place.expect("a SEND-blocked thread is in the queue")
    }

    /// Takes the blocked sender at a place out of the queue.
    pub fn release_sender(&mut self, place: usize) -> (ThreadId, Arc<Message>) {
        if let Some(port) = self.port_mut() {
            let behind = port.held.iter_mut().filter(|held| held.ahead as usize > place);
            behind.for_each(|held| held.ahead -= 1);
        }
        self.senders.remove(place).expect("only a sender that was found is released")
    }

    /// Whether a receive would find something here: a message, or a sender that is blocked with one.
    pub fn has_something(&self) -> bool {
        !self.messages.is_empty() || self.serves_blocked_senders()
    }

    /// Whether a receiver would take a message out of the hands of a sender that is blocked. A port is no
    /// rendezvous: what it has no room for nobody can take.
    pub fn serves_blocked_senders(&self) -> bool {
        !self.senders.is_empty() && self.spec.kind != MailboxKind::Port
    }
}
