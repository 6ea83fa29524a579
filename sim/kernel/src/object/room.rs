//! Room: whether a message would be stored. A mailbox is asked, and the kernel's memory.

/// Whether there is room for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Room {
    /// There is.
    Free,
    /// Not now: too much is here already, or others were first.
    Full,
    /// Never: the message is larger than all that there is.
    Never,
    /// The kernel is free to say either.
    Undefined,
}
