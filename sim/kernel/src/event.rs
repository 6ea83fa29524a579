//! Events: what a step did, in the words of the lecture. The trace is made of them.
//!
//! *Sent*, *stored*, *delivered*, *received*, *lost* and *withdrawn* are different events. A message
//! is *sent* when its send is accepted or blocks, *stored* when the kernel buffers it, *delivered*
//! when it is handed to a receiver, *received* when the receiver's call returns with it, *withdrawn*
//! when its sender takes it back, *lost* when nobody will ever receive it.

use std::ops::Range;
use std::sync::Arc;

use ipcsim_program::{
    Access, Fault, MailboxId, Message, Outcome, Pc, ProcessId, ProgramId, Region, ThreadId, Value,
};

use crate::oracle::Question;
use crate::state::{BlockedOn, End};

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// The thread that it happened to or that did it, if any.
    pub thread: Option<ThreadId>,
    /// Where that thread was in its program.
    pub pc: Option<Pc>,
    /// What it was.
    pub kind: Kind<'a>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Kind<'a> {
    /// A process was created.
    ProcessStarted(ProcessId),
    /// A process has ended.
    ProcessEnded(ProcessId, &'a End),
    /// The thread was created.
    ThreadStarted,
    /// The thread has ended.
    ThreadEnded,
    /// The thread has handed a message to the kernel, or waits until it can.
    Sent(&'a Arc<Message>),
    /// A message is in the buffer now.
    Stored {
        /// Which.
        message: &'a Arc<Message>,
        /// How many messages the mailbox holds now.
        messages: usize,
    },
    /// A message was handed to a receiver.
    Delivered {
        /// Which.
        message: &'a Arc<Message>,
        /// To whom.
        to: ThreadId,
    },
    /// The thread's receive or call has returned with a message.
    Received(&'a Arc<Message>),
    /// The thread waits.
    Blocked(&'a BlockedOn),
    /// The thread was woken and will look again.
    Woken,
    /// The thread's call has returned. Reported if it waited, did not end with `ok`, or has no other event.
    Returned(Outcome),
    /// Nobody will ever receive this message.
    Lost(&'a Arc<Message>, Loss),
    /// The kernel keeps the message for its sender.
    Kept(&'a Arc<Message>),
    /// Its sender has taken the message back.
    Withdrawn(&'a Arc<Message>),
    /// The kernel was free to choose.
    Chose(Question, u64),
    /// The thread wrote a line to the log.
    Logged(&'a Value),
    /// An exception that the thread did not handle.
    Raised(&'a Fault),
    /// No handler has let the thread go on after its exception.
    Unhandled(&'a Fault),
    /// A mailbox was made.
    Created(MailboxId),
    /// A mailbox was destroyed.
    Destroyed(MailboxId),
    /// The process was killed by the thread.
    Killed(ProcessId),
    /// The process was made by the thread.
    Spawned(ProcessId),
    /// The thread has forked: this process is a copy of its own.
    Forked(ProcessId),
    /// The thread cannot fork, because this thread of its process is inside a call.
    NotForked(ThreadId),
    /// The thread's process goes on with this program.
    Replaced(ProgramId),
    /// This thread was killed.
    ThreadKilled(ThreadId),
    /// This thread was suspended.
    Suspended(ThreadId),
    /// This thread may go on: it was resumed, or its exception handler says so.
    Resumed(ThreadId),
    /// The wait of this thread was interrupted.
    Interrupted(ThreadId),
    /// The receive right of a port has moved to a process that did not have it.
    ReceiverIs(MailboxId, ProcessId),
    /// The queue limit of a port was set to this number of messages.
    Limited(MailboxId, u64),
    /// The thread's process got a region of so many pages.
    Allocated(Region, u32),
    /// The thread has given a region back.
    Freed(Region),
    /// The thread has read a page.
    Read {
        /// Of this region.
        region: Region,
        /// Which page.
        page: u32,
        /// What it says.
        value: &'a Value,
    },
    /// The thread has written pages.
    Wrote {
        /// Of this region.
        region: Region,
        /// Which pages.
        pages: &'a Range<u32>,
        /// What they say now.
        value: &'a Value,
    },
    /// The thread has the lock of a page now.
    Locked(Region, u32),
    /// The thread has given the lock of a page back.
    Unlocked(Region, u32),
    /// So many bytes of what the thread sends are in a pipe now.
    Written {
        /// Which.
        pipe: MailboxId,
        /// How many.
        bytes: u64,
        /// How many it holds.
        there: u64,
    },
    /// So many bytes in a pipe are lost: nobody can read them any more.
    Unread(MailboxId, u64),
    /// The thread has closed a descriptor: of this file, or of this end of a pipe or channel.
    Closed(MailboxId, Access),
    /// The thread has found that nothing is in a pipe or channel, and that nobody can write any more.
    EndOfFile(MailboxId),
    /// The thread runs at this priority from now on, because it holds up another one; or at its own again. Only a run tells
    /// this.
    Inherits(i64, Option<ThreadId>),
    /// So many pages of what was just written were shared, and copied first. Only a run tells this.
    Faulted(Region, u32),
}

impl<'a> Kind<'a> {
    /// The message that every event of this kind is about.
    pub fn message(&self) -> Option<&'a Arc<Message>> {
        match self {
            Kind::Sent(message)
            | Kind::Stored { message, .. }
            | Kind::Delivered { message, .. }
            | Kind::Received(message)
            | Kind::Lost(message, _)
            | Kind::Kept(message)
            | Kind::Withdrawn(message) => Some(message),
            _ => None,
        }
    }
}

/// Why a message was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// It waited on a link, and the receiving process has ended.
    ReceiverEnded,
    /// The kernel kept it, and the sending process has ended.
    SenderEnded,
    /// It waited in a mailbox that was destroyed.
    MailboxDestroyed,
    /// It lay in a channel that nobody can read from any more.
    NobodyReads,
    /// It was larger than the receiver allowed, and `too-large` is `destroy`.
    TooLarge,
    /// It carried the receive right of the very port that it could have been received from.
    Circular,
    /// It brought more memory than the process that waited for it may have.
    NoPages,
}

impl Loss {
    /// The reason in words.
    pub fn describe(self) -> &'static str {
        match self {
            Loss::ReceiverEnded => "the receiver has ended",
            Loss::SenderEnded => "the sender has ended",
            Loss::MailboxDestroyed => "the mailbox was destroyed",
            Loss::NobodyReads => "nobody can read it any more",
            Loss::TooLarge => "it was too large for the receiver",
            Loss::Circular => "nobody could ever receive the right that it carries",
            Loss::NoPages => "it brought more memory than a process may have",
        }
    }
}
