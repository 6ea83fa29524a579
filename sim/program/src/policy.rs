//! Policies of a mailbox, chosen by whoever makes it.

use crate::nameless;

/// How much a mailbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capacity {
    /// Nothing: a message is handed over directly (rendezvous).
    None,
    /// This many messages.
    Messages(u64),
    /// Messages of this many bytes in total.
    Bytes(u64),
    /// "Send may or may not block": the oracle says whether there is room.
    Undefined,
    /// Everything.
    Unlimited,
}

/// The order of messages in a mailbox, and of the senders that are blocked on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// By arrival.
    Fifo,
    /// Larger priority first, by arrival among equals.
    Priority,
}

/// Which of several waiting threads is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pick {
    /// The one that has waited longest.
    Fifo,
    /// The one that came last.
    Lifo,
    /// The one of the most urgent process, by arrival among equals.
    Priority,
    /// Any: the oracle says which.
    Arbitrary,
}

/// When a message goes straight to a receiver that waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HandOver {
    /// At once, however full the mailbox is.
    AtOnce,
    /// As soon as it could be stored.
    IfRoom,
}

/// Whether a message passes larger ones that do not fit, in a mailbox that counts bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ByteOrder {
    /// It waits behind those whose senders wait already.
    Fifo,
    /// It goes as soon as it fits.
    Fits,
}

nameless! { Capacity Order Pick HandOver ByteOrder }
