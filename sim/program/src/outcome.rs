//! Outcomes: the results of system calls. They belong to the lesson and are never Rust errors.

use std::sync::Arc;

use crate::ghost::Ghost;
use crate::limits;
use crate::nameless;
use crate::worded::worded;

worded! {
    /// How a system call ended, as the thread sees it in its `status`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u32)]
    pub enum Outcome {
        /// It did what was asked.
        Ok = "ok",
        /// It would have had to wait, and `wait` is `never`.
        WouldBlock = "would-block",
        /// Its bounded wait timed out first.
        TimedOut = "timed-out",
        /// The message is larger than the mailbox, the memory or the receiver allows.
        TooLarge = "too-large",
        /// The kernel has no memory for the message, and `memory-full` is `fail`; or the process has as much memory as it may.
        NoMemory = "no-memory",
        /// Nothing is known by this name.
        NoSuchName = "no-such-name",
        /// The other side has ended, or the object was destroyed.
        Dead = "dead",
        /// The caller lacks the right that the call needs.
        NoRight = "no-right",
        /// The object does not grant this.
        Refused = "refused",
        /// The other machine cannot be reached.
        Unreachable = "unreachable",
        /// The call would have closed a circle of waits, and `detect` is `refuse`.
        Deadlock = "deadlock",
        /// Somebody ended the wait from outside.
        Interrupted = "interrupted",
        /// The kernel keeps the message, and will notify its sender when it has gone.
        Held = "held",
    }
}

nameless! { Outcome Fault }

impl Outcome {
    /// Whether the thread goes on after the call even if the step does not handle it.
    pub fn is_good(self) -> bool {
        matches!(self, Outcome::Ok | Outcome::Held)
    }
}

/// Why a thread's process failed: an exception that nobody handled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub enum Fault {
    /// A call ended in this way, and the step has no handler for it.
    Unhandled(Outcome),
    /// An `assert` was false.
    AssertFailed,
    /// An integer result does not fit into 64 bits.
    Overflow,
    /// A division or remainder by zero.
    DivisionByZero,
    /// No element at this index, or nothing to pop.
    BadIndex,
    /// A size, a duration or a number of rounds below 0.
    Negative,
    /// The minimum or maximum of nothing, or a random number from an empty range.
    NothingThere,
    /// An operation on values that it is not defined for.
    WrongTypes(Ghost<Arc<str>>),
    /// What must be a process, a mailbox or a right is not one.
    NotAnObject,
    /// Access to memory that is not there.
    BadAddress(Address),
    /// A text or list beyond the limits of [`crate::limits`].
    TooLong,
    /// Lists and messages nested deeper than [`limits::DEPTH`].
    TooDeep,
    /// More links than [`crate::limits::MAILBOXES`] allows.
    TooManyLinks,
    /// `exit` with a code other than 0.
    Exit(i64),
    /// `fault`, with its kind.
    Raised(Arc<str>),
}

/// Why memory is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Address {
    /// The region was freed, or has left in a message.
    Gone,
    /// The region is in another process.
    Elsewhere,
    /// The region ends before that page.
    NoSuchPage,
    /// The process has gone on with another program.
    Code,
}

nameless! { Address }

impl Address {
    /// Why, in words.
    pub fn describe(self) -> &'static str {
        match self {
            Address::Gone => "the region is not there any more",
            Address::Elsewhere => "the region is memory of another process",
            Address::NoSuchPage => "the region has no such page",
            Address::Code => "its code is gone, another program is there",
        }
    }
}

impl Fault {
    /// The exception in a few words, for traces and reports.
    pub fn describe(&self) -> String {
        match self {
            Fault::Unhandled(outcome) => format!("unhandled {}", outcome.word()),
            Fault::AssertFailed => "assert failed".into(),
            Fault::Overflow => "integer overflow".into(),
            Fault::DivisionByZero => "division by zero".into(),
            Fault::BadIndex => "no element at this index".into(),
            Fault::Negative => "a size, a duration or a count is negative".into(),
            Fault::NothingThere => "there is nothing to choose from".into(),
            Fault::WrongTypes(words) => words.0.to_string(),
            Fault::NotAnObject => "a value that is no process, mailbox or right".into(),
            Fault::BadAddress(address) => format!("bad address: {}", address.describe()),
            Fault::TooLong => "text or list too long".into(),
            Fault::TooDeep => {
                format!("lists and messages nested more than {} deep", limits::DEPTH)
            }
            Fault::TooManyLinks => {
                format!("there are {} mailboxes and links already", limits::MAILBOXES)
            }
            Fault::Exit(code) => format!("exit {code}"),
            Fault::Raised(kind) => format!("fault {kind}"),
        }
    }

    /// What the message to a handler says. It is part of the state, and so says nothing about the values that
    /// caused it.
    pub fn message(&self) -> String {
        match self {
            Fault::WrongTypes(_) => "operation on values of the wrong type".into(),
            other => other.describe(),
        }
    }

    /// The type of the message that a handler gets.
    pub fn kind(&self) -> Arc<str> {
        match self {
            Fault::Unhandled(outcome) => outcome.word().into(),
            Fault::AssertFailed => "assert-failed".into(),
            Fault::Overflow => "overflow".into(),
            Fault::DivisionByZero => "division-by-zero".into(),
            Fault::BadIndex => "bad-index".into(),
            Fault::Negative => "negative".into(),
            Fault::NothingThere => "nothing-there".into(),
            Fault::WrongTypes(_) => "wrong-type".into(),
            Fault::NotAnObject => "not-an-object".into(),
            Fault::BadAddress(_) => "bad-address".into(),
            Fault::TooLong => "too-long".into(),
            Fault::TooDeep => "too-deep".into(),
            Fault::TooManyLinks => "too-many-links".into(),
            Fault::Exit(_) => "exit".into(),
            Fault::Raised(kind) => Arc::clone(kind),
        }
    }

    /// Whether a handler may be asked: an exit is intended.
    pub fn is_exception(&self) -> bool {
        !matches!(self, Fault::Exit(_))
    }

    /// Whether it happens again if the thread is resumed: its code is gone.
    pub fn is_for_good(&self) -> bool {
        matches!(self, Fault::BadAddress(Address::Code))
    }
}
