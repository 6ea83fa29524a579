//! Small numbers that name things: an index into the table of its kind, and nothing else.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The id of the entry at `index` of its table. Panics above `u32::MAX` entries.
            pub fn at(index: usize) -> Self {
                Self(u32::try_from(index).expect("tables are limited to 2^32 entries"))
            }

            /// The position of this entry in its table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+};
}

ids! {
    /// A process (Mach: a task). Static ones come first, in the order of the file.
    ProcessId
    /// A thread: a place in `State::threads`.
    ThreadId
    /// A mailbox or a link: a place in `State::mailboxes`.
    MailboxId
    /// A user of the machine, for file permissions.
    UserId
    /// A variable of a thread: its place among the thread's registers.
    Register
    /// A place in `Machine::code`.
    Pc
    /// A process family: a place in `Machine::families`.
    FamilyId
    /// A program that processes can go on with: a place in `Machine::programs`.
    ProgramId
    /// The name of a thread: a place in `Symbols::threads`.
    ThreadName
}

impl ProcessId {
    /// The kernel itself, as the sender of a notice.
    pub const KERNEL: Self = Self(u32::MAX);
}

impl Pc {
    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The right to answer one call of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyRight {
    /// Who waits for the answer.
    pub caller: ThreadId,
    /// Which of its calls. Only ever compared for equality.
    pub call: u32,
}
