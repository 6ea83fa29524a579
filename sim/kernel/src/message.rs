//! A message: what travels, and what its sender does when it has gone.

use crate::ids::{MailboxId, ProcessId, ThreadId};
use crate::value::{Handle, ReplyRight, Value};

/// A message, from the moment its `send` is accepted. It never changes, so it is shared, not copied.
#[derive(Clone, Debug)]
pub struct Message {
    /// What it says.
    pub body: Value,
    /// Who sent it. The kernel fills this in; it cannot be forged.
    pub sender: ProcessId,
    /// The word that `receive … type:` selects by, `none` if it has none.
    pub kind: Value,
    /// Larger leaves a mailbox of `order: priority` first.
    pub priority: i64,
    /// Its size in bytes, without the kernel's overhead.
    pub size: u64,
    /// Where it was sent to.
    pub mailbox: MailboxId,
    /// Whether that is a link.
    pub route: Route,
    /// Where an answer should go, if the sender said so.
    pub reply_to: Option<Handle>,
    /// What its sender does once it has gone.
    pub then: Then,
    /// Its number in this run. Ghost data: read only where an event is built, so that two states
    /// that differ in nothing else are one state.
    pub serial: u64,
}

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Route {
    /// Through a mailbox that has a name.
    Mailbox,
    /// On the link between two processes.
    Link,
}

/// What the sender of a message does when the message has been stored or handed over.
///
/// It travels with the message, so that `call` is the same path as `send` and no special case at
/// every place where a message is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Then {
    /// Its `send` returns.
    Return,
    /// Its `call` goes on to wait for the answer.
    AwaitReply {
        /// The thread that called.
        caller: ThreadId,
        /// The right that the message carries.
        right: ReplyRight,
    },
}

impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body
            && self.sender == other.sender
            && self.kind == other.kind
            && self.priority == other.priority
            && self.size == other.size
            && self.mailbox == other.mailbox
            && self.route == other.route
            && self.reply_to == other.reply_to
            && self.then == other.then
    }
}

impl Eq for Message {}

impl Message {
    /// The right that `reply` uses up: every request of a `call` carries one.
    pub fn reply_right(&self) -> Option<ReplyRight> {
        match self.then {
            Then::Return => None,
            Then::AwaitReply { right, .. } => Some(right),
        }
    }
}
