//! Rights to ports, as they are named and as they travel.

use super::{Access, Descriptor};
use crate::ids::MailboxId;
use crate::state;

state! {
    /// A send-once right. Its number is the lowest that is free when it is made.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Once {
        /// The port that it is a right to.
        pub port: MailboxId,
        /// Distinguishes it from the others to that port.
        pub number: u32,
    }
}

state! {
    /// A right that travels in a message.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Carried {
        /// The port that it is a right to.
        pub port: MailboxId,
        /// Which right it is.
        pub right: Right,
    }
}

state! {
    /// A right to a port, as it travels.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u32)]
    pub enum Right {
        /// To receive from it, to destroy it, and to make send rights.
        Receive,
        /// To send to it.
        Send,
        /// To send one message to it, which it takes even if its queue is full.
        Once(u32),
        /// To use a file, or an end of a pipe or channel: a descriptor that is on its way.
        File(Access),
        /// The same, once it has arrived.
        Opened(Descriptor),
        /// It died on the way.
        Dead,
    }
}

impl Right {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Right::Receive => "receive",
            Right::Send => "send",
            Right::Once(_) => "send-once",
            Right::File(Access::Read) => "read",
            Right::File(Access::Write) => "write",
            Right::Opened(_) => "file",
            Right::Dead => "dead",
        }
    }
}
