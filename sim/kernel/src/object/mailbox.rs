//! Where messages go: a mailbox with a name, a link, a port or a port set. Each is a queue, plus something of its own that
//! says who may use it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use ipcsim_program::{Message, Order, ProcessId, ThreadId, nameless, state};

use crate::object::port::{Port, Receiver};
use crate::object::port_set::PortSet;
use crate::object::queue::{MessageQueue, QueueSpec};
use crate::object::stream::{Bytes, Stream};

state! {
    /// Who may use a mailbox, and what it has besides its queue.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Object {
        /// Everybody, by its name.
        Open,
        /// Everybody who may open its path.
        Filed,
        /// The link from one process to another.
        Link {
            /// Who sends.
            from: ProcessId,
            /// Who receives.
            to: ProcessId,
        },
        /// Whoever has the rights.
        Port(Box<Port>),
        /// Its owner: it stores nothing itself, but has members.
        PortSet(Box<PortSet>),
        /// Whoever has an end of it open.
        Stream(Box<Stream>),
    }
}

state! {
    /// A mailbox, in the wide sense.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Mailbox {
        /// What it is.
        pub object: Object,
        /// Whether it still exists.
        pub existence: Existence,
        /// The messages in it and the waiting threads, reached through the mailbox: `mailbox.messages`.
        queue: MessageQueue,
    }
}

/// Whether a mailbox still exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Existence {
    /// It does.
    Alive,
    /// It was destroyed.
    Destroyed,
}

nameless! { Existence }

impl Object {
    /// The process that has its receive right, if anybody needs one.
    pub fn holder(&self) -> Option<ProcessId> {
        match self {
            Object::Port(port) => match port.receiver {
                Receiver::Held(holder) => Some(holder),
                Receiver::Carried(_) | Receiver::Kernel(_) | Receiver::Nobody => None,
            },
            Object::PortSet(set) => Some(set.owner),
            Object::Open | Object::Filed | Object::Link { .. } | Object::Stream(_) => None,
        }
    }

    /// Whether messages can be sent to it. Nobody has a right to send to a set.
    pub fn takes_messages(&self) -> bool {
        match self {
            Object::Open
            | Object::Filed
            | Object::Link { .. }
            | Object::Port(_)
            | Object::Stream(_) => true,
            Object::PortSet(_) => false,
        }
    }

    /// Whether it is reached through descriptors only.
    pub fn needs_descriptor(&self) -> bool {
        matches!(self, Object::Filed | Object::Stream(_))
    }
}

impl Deref for Mailbox {
    type Target = MessageQueue;

    fn deref(&self) -> &MessageQueue {
        &self.queue
    }
}

impl DerefMut for Mailbox {
    fn deref_mut(&mut self) -> &mut MessageQueue {
        &mut self.queue
    }
}

impl Mailbox {
    /// An empty mailbox.
    pub fn new(spec: QueueSpec, object: Object) -> Self {
        Self { object, existence: Existence::Alive, queue: MessageQueue::new(spec) }
    }

    /// Who sends and who receives, if it is a link.
    pub fn link(&self) -> Option<(ProcessId, ProcessId)> {
        match self.object {
            Object::Link { from, to } => Some((from, to)),
            _ => None,
        }
    }

    /// Its data as a port, if it is one.
    pub fn port(&self) -> Option<&Port> {
        match &self.object {
            Object::Port(port) => Some(port),
            _ => None,
        }
    }

    /// Like [`Mailbox::port`], but mutable.
    pub fn port_mut(&mut self) -> Option<&mut Port> {
        match &mut self.object {
            Object::Port(port) => Some(port),
            _ => None,
        }
    }

    /// Its data as a pipe or a channel, if it is one.
    pub fn stream(&self) -> Option<&Stream> {
        match &self.object {
            Object::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// Like [`Mailbox::stream`], but mutable.
    pub fn stream_mut(&mut self) -> Option<&mut Stream> {
        match &mut self.object {
            Object::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// The bytes in it, if it is a pipe.
    pub fn bytes(&self) -> Option<&Bytes> {
        self.stream()?.bytes.as_ref()
    }

    /// Like [`Mailbox::bytes`], but mutable.
    pub fn bytes_mut(&mut self) -> Option<&mut Bytes> {
        self.stream_mut()?.bytes.as_mut()
    }

    /// Whether nothing is there, and nobody can write any more.
    pub fn is_at_its_end(&self) -> bool {
        self.stream().is_some_and(|stream| stream.writers == 0) && !self.has_something()
    }

    /// Its data as a port set, if it is one.
    pub fn set(&self) -> Option<&PortSet> {
        match &self.object {
            Object::PortSet(set) => Some(set),
            _ => None,
        }
    }

    /// Like [`Mailbox::set`], but mutable.
    pub fn set_mut(&mut self) -> Option<&mut PortSet> {
        match &mut self.object {
            Object::PortSet(set) => Some(set),
            _ => None,
        }
    }

    /// Every message here: stored, in the hands of a blocked sender, or kept by the kernel.
    pub fn all_messages(&self) -> impl Iterator<Item = &Arc<Message>> {
        let blocked = self.senders.iter().map(|(_, message)| message);
        let kept = self.port().into_iter().flat_map(|port| &port.held).map(|held| &held.message);
        self.messages.iter().chain(blocked).chain(kept)
    }

    /// Whether a sender waits for a slot here, or the kernel on its behalf.
    pub fn has_waiting(&self) -> bool {
        !self.senders.is_empty() || self.port().is_some_and(|port| !port.held.is_empty())
    }

    /// Whether a message that waits for a slot here goes before this one.
    pub fn stands_behind(&self, message: &Message) -> bool {
        if self.port().is_some_and(|port| !port.held.is_empty()) {
            return true;
        }
        self.senders.front().is_some_and(|(_, first)| match self.spec.order {
            Order::Fifo => true,
            Order::Priority => first.priority() >= message.priority(),
        })
    }

    /// Takes the blocked sender at this place out of the queue.
    pub fn release_sender(&mut self, place: usize) -> (ThreadId, Arc<Message>) {
        if let Some(port) = self.port_mut() {
            let behind = port.held.iter_mut().filter(|held| held.ahead as usize > place);
            behind.for_each(|held| held.ahead -= 1);
        }
        self.senders.remove(place).expect("only a sender that was found is released")
    }

    /// Whether a receive would find something here: a message, or a sender blocked with one.
    pub fn has_something(&self) -> bool {
        !self.messages.is_empty()
            || self.serves_blocked_senders()
            || self.bytes().is_some_and(|bytes| bytes.count > 0)
    }

    /// Whether a receiver would take a message directly from a blocked sender.
    pub fn serves_blocked_senders(&self) -> bool {
        self.senders.iter().any(|(_, message)| self.serves(message))
    }

    /// Whether a receiver would take this message directly from its blocked sender. A port is no rendezvous:
    /// nobody can take a message that it has no room for.
    pub fn serves(&self, message: &Message) -> bool {
        self.hands_over_at_once(message.size) && self.port().is_none() && self.bytes().is_none()
    }
}
