//! Every limit of the kernel, on one page.

/// Threads that one machine may have at the same time, unless the user allows more.
pub const THREADS: u32 = 1_000_000;
/// Local operations in one step; beyond it the thread is in a local loop that never ends.
pub const LOCAL_OPERATIONS: u64 = 1_000_000;
/// This many elements of lists, or 16 times as many bytes of texts, count as one more local operation.
pub const HANDLED_AT_ONCE: u64 = 256;
/// Mailboxes and links that one machine may have, including those of the file.
pub const MAILBOXES: usize = 2_000_000;
/// Messages that a mailbox of `undefined` capacity ever stores.
pub const UNDEFINED_STORED: usize = 8;
/// Bytes of one text value.
pub const TEXT_BYTES: usize = 64 * 1024;
/// Elements of one list value, including those of the lists and messages inside it. A text counts as one more for
/// every [`TEXT_PIECE`].
pub const LIST_ELEMENTS: u64 = 100_000;
/// Bytes of a text in a list that count as one more element.
pub const TEXT_PIECE: u64 = 64;
/// Nesting depth of lists and messages.
pub const DEPTH: u32 = 64;
/// Pages that a process may have in all its regions of memory.
pub const PAGES: u32 = 65_536;
/// Bytes of a text in a page.
pub const PAGE_TEXT: usize = 64;
/// Descriptors that a process may have.
pub const DESCRIPTORS: usize = 1_024;
/// Processors.
pub const CPUS: u32 = 64;

/// The version of the meaning of scenarios: it changes whenever the same scenario could have other
/// schedules, so that an old schedule is refused instead of being shown wrongly.
pub const SEMANTICS: u64 = 8;
