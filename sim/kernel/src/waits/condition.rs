//! Conditions: what could happen and end waits. Threads wait for them, and threads fulfil them.

use ipcsim_program::{Access, MailboxId, ProcessId, ThreadId, Value};

use crate::object::filter::is_wanted_type;
use crate::object::mailbox::Mailbox;

/// Something that could happen and end waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// A message is sent there; if a type is given, one that a receive of this type takes.
    Sent(Place, Option<Type>),
    /// A message is taken from there; if a type is given, one of this type.
    Taken(Place, Option<Type>),
    /// A request there is taken, and answered; if a type is given, one of this type.
    Answered(Place, Option<Type>),
    /// What stands there is changed so that those who wait there may go on: a port gets a higher limit.
    Changed(Place),
    /// This mailbox is destroyed.
    Destroyed(MailboxId),
    /// A message goes, wherever it is, and its kernel memory becomes free.
    MessageGone,
    /// This process answers a request that it has taken.
    RepliedBy(ProcessId),
    /// The call of this thread is answered.
    RepliedTo(ThreadId),
    /// This process gives up its right to send to a port.
    LetGo(ProcessId, MailboxId),
    /// This process closes an end of a pipe or channel for the last time, or ends with it open.
    Closes(ProcessId, MailboxId, Access),
    /// This thread gives a lock back.
    Unlocked(ThreadId),
    /// This process gives up memory: who waits there for a lock gets none.
    Freed(ProcessId),
    /// This thread does something that the waiting thread could also do to itself.
    DoneBy(ThreadId),
    /// Another thread kills this one.
    ThreadKilled(ThreadId),
    /// Another thread interrupts the call in which this one waits.
    ThreadInterrupted(ThreadId),
    /// Another thread resumes this one.
    ThreadResumed(ThreadId),
    /// A thread ends.
    ThreadEnds(ThreadId),
    /// A process reaches its end, or is ended.
    ProcessEnds(ProcessId),
    /// A process is made.
    Spawned(ProcessId),
    /// Anything: something that is known only at run time is destroyed or killed.
    Anything,
}

/// Where a message is sent, or taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// This mailbox, link, port or port set.
    At(MailboxId),
    /// A link from this process; to which other, is known only at run time.
    LinkFrom(ProcessId),
    /// A link, from and to whichever process.
    SomeLink,
    /// An object that is known only at run time.
    Anywhere,
}

/// The type of a message, by its number among those that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Type(u32);

impl Condition {
    /// Whether a thread that fulfils this condition could itself be waiting for it. What it does to itself, or
    /// takes away from itself, ends no wait of its own.
    pub(super) fn counts_for_whoever_brings_it_about(self) -> bool {
        !matches!(
            self,
            Condition::Destroyed(_)
                | Condition::Freed(_)
                | Condition::Anything
                | Condition::ThreadKilled(_)
                | Condition::ThreadInterrupted(_)
                | Condition::ThreadResumed(_)
        )
    }

    /// Whether a wait ends only when everybody who could fulfil this, and the like of it, has done so.
    pub(super) fn takes_all(self) -> bool {
        matches!(
            self,
            Condition::ProcessEnds(_)
                | Condition::ThreadEnds(_)
                | Condition::LetGo(..)
                | Condition::Closes(..)
        )
    }
}

/// The types of messages that matter to somebody who waits, numbered. Others have no number.
#[derive(Default)]
pub(super) struct Types<'a>(Vec<&'a Value>);

impl<'a> Types<'a> {
    pub(super) fn extend(&mut self, kinds: impl IntoIterator<Item = &'a Value>) {
        for kind in kinds {
            if !self.0.contains(&kind) {
                self.0.push(kind);
            }
        }
    }

    /// Adds the types of what is stored there.
    pub(super) fn add_stored(&mut self, mailbox: &'a Mailbox) {
        self.extend(mailbox.messages.iter().map(|message| message.kind()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn number(&self, kind: &Value) -> Option<Type> {
        self.numbers(|known| known == kind).next()
    }

    /// A message of this type is sent there; if its type is not known, it may be any.
    pub(super) fn sent(&self, at: Place, kind: Option<&Value>, tell: &mut dyn FnMut(Condition)) {
        tell(Condition::Sent(at, None));
        let takes = |wanted: &Value| kind.is_none_or(|kind| is_wanted_type(wanted, kind));
        self.numbers(takes).for_each(|it| tell(Condition::Sent(at, Some(it))));
    }

    /// A receive of this type takes a message from there; it is a receive of any type if none is known.
    pub(super) fn taken(&self, at: Place, wanted: Option<&Value>, tell: &mut dyn FnMut(Condition)) {
        let is_taken = |kind: &Value| wanted.is_none_or(|wanted| is_wanted_type(wanted, kind));
        for it in std::iter::once(None).chain(self.numbers(is_taken).map(Some)) {
            tell(Condition::Taken(at, it));
            tell(Condition::Answered(at, it));
        }
    }

    fn numbers(&self, fits: impl Fn(&Value) -> bool) -> impl Iterator<Item = Type> {
        (0..).zip(&self.0).filter(move |(_, kind)| fits(kind)).map(|(number, _)| Type(number))
    }
}
