//! A message: what travels, and what its sender does when it has gone.

use super::{Carried, Handle, Once, Pages, Region, Right, SegmentId, Value};
use crate::ghost::Ghost;
use crate::ids::{MailboxId, ProcessId, ReplyRight, ThreadId};
use crate::{nameless, state};

state! {
    /// A message, from the moment its `send` is accepted. It never changes, so it is shared, not copied.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Message {
        /// What it says.
        pub body: Value,
        /// Who sent it. The kernel fills this in; it cannot be forged.
        pub sender: ProcessId,
        /// Where it was sent to.
        pub mailbox: MailboxId,
        /// Its size in bytes, without the kernel's overhead.
        pub size: u64,
        /// How it travels.
        pub route: Route,
        /// The parts that most messages lack.
        pub extras: Option<Box<Extras>>,
        /// Its number in this run: read only when an event is built.
        pub serial: Ghost<u64>,
    }
}

state! {
    /// The parts that most messages lack. A message that lacks all of them has no `Extras`.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Extras {
        /// The word that `receive … type:` selects by, `none` if it has none.
        pub kind: Value,
        /// Larger leaves a mailbox of `order: priority` first.
        pub priority: i64,
        /// Where an answer should go, if the sender said so.
        pub reply_to: Option<Handle>,
        /// What its sender does once it has gone.
        pub then: Then,
        /// The rights that it carries, in the order in which the sender named them.
        pub rights: Box<[Carried]>,
        /// The memory that it carries, in the order in which the sender named it.
        pub memory: Box<[Parcel]>,
        /// How many bytes of it are in the pipe already that it was written to. Its size is what is left.
        pub written: u64,
        /// How many messages were received from its port before it, once it was received. Kept only where
        /// `Machine::receives` says so.
        pub seq: Option<u32>,
    }
}

state! {
    /// Memory that a message carries, or has brought.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Parcel {
        /// What the pages said when the message was sent; and if they are its sender's no more, the number that the region
        /// had there.
        Pages(Pages, Option<u32>),
        /// Pages that stay shared; and if its sender has that region no more, the number that it had there.
        Segment(SegmentId, Option<u32>),
        /// They are in this region of the receiver.
        In(Region),
    }
}

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Route {
    /// Through a mailbox that has a name.
    Mailbox,
    /// On the link between two processes.
    Link,
    /// To a port, from its receiver, who needs no right for that. Kept apart only where somebody asks whether there are
    /// send rights.
    Own,
    /// Bytes from a pipe, or the end of what comes from one: nobody knows who wrote them.
    Bytes,
    /// To a port, by a send-once right or from the kernel: it arrives however full the port is.
    Once,
}

nameless! { Route }

state! {
    /// What the sender of a message does when the message has been stored or handed over.
    ///
    /// It travels with the message, so that `call` takes the same path as `send`, without a special
    /// case at every place where a message is taken.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[repr(u32)]
    pub enum Then {
        /// Its `send` returns.
        #[default]
        Return,
        /// Its `call` goes on to wait for the answer.
        AwaitReply {
            /// The thread that called.
            caller: ThreadId,
            /// The right that the message carries.
            right: ReplyRight,
        },
    }
}

impl Extras {
    /// The form for a message: nothing if all of it is lacking.
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

impl Message {
    /// The word that `receive … type:` selects by, `none` if it has none.
    pub fn kind(&self) -> &Value {
        self.extras.as_ref().map_or(&Value::None, |extras| &extras.kind)
    }

    /// Larger leaves a mailbox of `order: priority` first.
    pub fn priority(&self) -> i64 {
        self.extras.as_ref().map_or(0, |extras| extras.priority)
    }

    /// Where an answer should go, if the sender said so.
    pub fn reply_to(&self) -> Option<Handle> {
        self.extras.as_ref().and_then(|extras| extras.reply_to)
    }

    /// What its sender does once it has gone.
    pub fn then(&self) -> Then {
        self.extras.as_ref().map_or(Then::Return, |extras| extras.then)
    }

    /// The rights that its sender has put into it.
    pub fn rights(&self) -> &[Carried] {
        self.extras.as_ref().map_or(&[], |extras| &extras.rights)
    }

    /// The memory that its sender has put into it.
    pub fn memory(&self) -> &[Parcel] {
        self.extras.as_ref().map_or(&[], |extras| &extras.memory)
    }

    /// How many messages were received from its port before it.
    pub fn seq(&self) -> Option<u32> {
        self.extras.as_ref().and_then(|extras| extras.seq)
    }

    /// All rights that it carries: those, and the right to answer it.
    pub fn carried(&self) -> impl Iterator<Item = Carried> + '_ {
        let once = match self.reply_to() {
            Some(Handle::Once(Once { port, number })) => {
                Some(Carried { port, right: Right::Once(number) })
            }
            _ => None,
        };
        self.rights().iter().copied().chain(once)
    }

    /// Whether nothing comes with it: no right, and no memory.
    pub fn carries_nothing(&self) -> bool {
        let Some(extras) = &self.extras else { return true };
        let Extras { kind: _, priority: _, reply_to, then: _, rights, memory, written: _, seq: _ } =
            &**extras;
        let brings_once = matches!(reply_to, Some(Handle::Once(_)));
        rights.is_empty() && memory.is_empty() && !brings_once
    }

    /// Whether nobody has sent it: its mailbox held it from the start. (The kernel's own messages are notices, and come by
    /// send-once rights.)
    pub fn is_from_the_start(&self) -> bool {
        self.sender == ProcessId::KERNEL && self.route == Route::Mailbox
    }

    /// The right that `reply` uses up: every request of a `call` carries one.
    pub fn reply_right(&self) -> Option<ReplyRight> {
        match self.then() {
            Then::Return => None,
            Then::AwaitReply { right, .. } => Some(right),
        }
    }
}
