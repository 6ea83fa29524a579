//! Room: whether a message would be stored. Mailboxes and kernel memory both answer this.

/// Whether there is room for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Room {
    /// There is.
    Free,
    /// Not now: it is full, or others were first.
    Full,
    /// Never: the message is larger than the whole capacity.
    Never,
    /// The kernel may say either.
    Undefined,
}
