//! The words of the language: every verb and every key, once.
//!
//! This one table drives the reader, the hints ("did you mean …"), the JSON Schema for editors and the
//! reference. A word that is not here does not exist.

mod measures;
pub mod synonyms;
mod verbs;

use ipcsim_kernel::program::Word;

pub use measures::{MEASURES, Measure, Unit, find_measure};
pub use verbs::VERBS;

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing at all: `yield:`.
    Nothing,
    /// A text for people.
    Prose,
    /// A new name, for a thread.
    NewName,
    /// The name of a thread, or of a member: `worker[2]`.
    Threads,
    /// A variable that is set to such a value.
    Variable(Set),
    /// What a message says.
    Body,
    /// What each of several messages says.
    Bodies,
    /// Permissions of a file.
    Mode,
    /// A text that may hold `${…}`.
    Text,
    /// One mailbox or process.
    Target,
    /// One mailbox or process, a list of them, or `anyone`.
    Sources,
    /// One process or a list of them, or threads of the caller's own process.
    Victims,
    /// A message variable.
    Message,
    /// An expression.
    Expression,
    /// Variables with the expressions that they are set to.
    Assignments,
    /// An integer, also computed.
    Number,
    /// How often: an integer from 0, also computed.
    Count,
    /// A duration or a range, also computed.
    Time,
    /// `forever`, `never`, or a duration.
    Wait,
    /// A size in bytes, also computed.
    Size,
    /// A size that is written down.
    FixedSize,
    /// A size, or `unlimited`.
    Memory,
    /// How much is buffered.
    Capacity,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// An unsigned integer of 64 bits.
    Seed,
    /// An integer from 1 to this.
    Positive(u64),
    /// An integer.
    Integer,
    /// A duration that is written down.
    Duration,
    /// A name that was declared, of this sort.
    Declared(Sort),
    /// Steps, one after the other.
    Steps,
    /// Lists of steps; one of them is taken.
    Branches,
    /// Outcomes with the steps that handle them.
    Handlers,
    /// Parameters with their values.
    Parameters,
    /// Threads with their steps.
    ThreadTable,
    /// Names with what they stand for.
    Entries,
    /// Costs of operations.
    Costs,
    /// What waking does: a word, or one for each side.
    Wake,
    /// One process.
    Holder,
    /// Processes; a family counts as all its members.
    Holders,
    /// The queue limit of a port.
    QueueLimit,
    /// Ports, in order.
    Ports,
    /// Rights that a message carries.
    Rights,
    /// Memory that a message carries.
    Transfers,
}

/// What a step sets a variable to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// A message.
    Message,
    /// A list.
    List,
    /// Whatever it finds.
    Anything,
}

/// What sort of thing a name was declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A program.
    Program,
    /// A name server.
    NameServer,
    /// A mailbox.
    Mailbox,
    /// A port.
    Port,
}

/// A key of a mapping.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// How it is written.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// Whether it must be there.
    pub need: Need,
    /// What it says, for editors and the reference.
    pub doc: &'static str,
}

/// Whether a key must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// It need not.
    Optional,
}

/// A verb, with the keys that may go with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Verb {
    /// How it is called.
    pub word: Word,
    /// What its own value may be.
    pub operand: Kind,
    /// The other keys.
    pub keys: &'static [Key],
    /// What it does, for editors and the reference.
    pub doc: &'static str,
}

const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, need: Need::Required, doc }
}

const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, need: Need::Optional, doc }
}

const PICKS: &[&str] = &["fifo", "lifo", "priority", "arbitrary"];
const ORDERS: &[&str] = &["fifo", "priority"];

/// The key that every system call may have.
pub const WHEN: Key = optional(
    "when",
    Kind::Handlers,
    "Steps for outcomes other than `ok`; then the thread continues with the next step",
);

/// The keys of the whole file.
pub const TOP: &[Key] = &[
    optional("title", Kind::Prose, "What it is called"),
    optional("about", Kind::Prose, "What a reader should think about"),
    optional("slide", Kind::Prose, "The slide of the lecture that it belongs to"),
    optional("kernel", Kind::Nothing, "The machine and its policies"),
    optional("mailboxes", Kind::Nothing, "Mailboxes by name; open to everybody"),
    optional("ports", Kind::Nothing, "Ports by name; used only through rights"),
    optional("port-sets", Kind::Nothing, "Ports that are received from as if they were one"),
    optional("names", Kind::Nothing, "Name servers and their first entries"),
    optional("files", Kind::Nothing, "Paths that name mailboxes, with owner and mode"),
    optional("programs", Kind::Nothing, "Programs with parameters, used by several processes"),
    required("processes", Kind::Nothing, "The processes"),
    optional("expect", Kind::Nothing, "Claims about what happens"),
];

/// The keys of `kernel:`.
pub const KERNEL: &[Key] = &[
    optional("seed", Kind::Seed, "All that is random in a run comes from here; default 0"),
    optional("cpus", Kind::Positive(64), "Processors that run threads in parallel; default 1"),
    optional(
        "scheduler",
        Kind::Word(&["fifo", "round-robin", "priority", "random"]),
        "Which ready thread runs next",
    ),
    optional(
        "preempt",
        Kind::Word(&["never", "calls"]),
        "In a run, whether a draw before each call sends the thread to the back of the ready queue",
    ),
    optional(
        "priority-inheritance",
        Kind::Flag,
        "With `scheduler: priority`: whether a thread runs as urgently as those whom it holds up",
    ),
    optional("quantum", Kind::Duration, "Time slice of `round-robin` and `priority`; default 10ms"),
    optional("buffering", Kind::Capacity, "Capacity of each mailbox and link that names none"),
    optional("memory", Kind::Memory, "Kernel memory for buffered messages, shared by all"),
    optional(
        "message-overhead",
        Kind::FixedSize,
        "Kernel memory that each message costs beside its size",
    ),
    optional(
        "memory-full",
        Kind::Word(&["wait", "fail"]),
        "What a send does that finds no kernel memory",
    ),
    optional("page", Kind::FixedSize, "How large a page of memory is; default 4KiB"),
    optional("receiver", Kind::Word(PICKS), "Who gets a message when several receives wait"),
    optional(
        "sender",
        Kind::Word(&["fifo", "priority", "arbitrary"]),
        "Which blocked sender gets a slot that is freed",
    ),
    optional(
        "wake",
        Kind::Wake,
        "Whether the waker finishes the waiter's call, or the waiter looks again; also by side",
    ),
    optional(
        "hand-over",
        Kind::Word(&["at-once", "if-room"]),
        "Whether a message needs room in a mailbox to go straight to a receiver that waits for it",
    ),
    optional(
        "eager-limit",
        Kind::FixedSize,
        "The largest message that a mailbox stores; a larger one waits for its receiver; default: all are stored",
    ),
    optional(
        "byte-order",
        Kind::Word(&["fifo", "fits"]),
        "Which blocked senders others stand behind, in mailboxes that count bytes",
    ),
    optional(
        "too-large",
        Kind::Word(&["keep", "destroy"]),
        "What becomes of a message that is larger than the receiver's `max-size`",
    ),
    optional(
        "fork",
        Kind::Word(&["one-thread", "refuse", "all-threads"]),
        "What `fork` copies of the threads of a process",
    ),
    optional(
        "fork-image",
        Kind::Word(&["copy-on-write", "copy"]),
        "How `fork` copies memory; only costs depend on it",
    ),
    optional(
        "exec",
        Kind::Word(&[
            "kill-threads",
            "refuse",
            "wait-for-threads",
            "keep-threads",
            "kill-then-load",
        ]),
        "What `exec` does about the other threads of a process",
    ),
    optional(
        "descriptors-on-exec",
        Kind::Word(&["keep", "close"]),
        "What `exec` does about descriptors that were not opened with `close-on-exec`",
    ),
    optional(
        "pipe-buf",
        Kind::FixedSize,
        "Up to so much goes into a pipe as a whole, more in pieces; default 4KiB",
    ),
    optional(
        "in-flight-cycles",
        Kind::Word(&["collect", "leak"]),
        "What becomes of channels whose ends to read from are only in messages that lie in such channels",
    ),
    optional(
        "set-order",
        Kind::Word(&["merged", "round-robin", "arbitrary"]),
        "What a receive from a port set takes: the oldest message, or the members in turn",
    ),
    optional(
        "dying-port",
        Kind::Word(&["dead", "ok"]),
        "What a sender gets that waits at a port which dies: `dead`, or `ok` and its message is lost",
    ),
    optional(
        "detect",
        Kind::Word(&["report", "refuse", "refuse-chain"]),
        "Report deadlocks, refuse the call that closes one, or only one that a chain of single waits shows",
    ),
    optional(
        "personality",
        Kind::Word(crate::personality::NAMES),
        "A real system: sets what is not written here, and supplies the words for outcomes",
    ),
    optional("costs", Kind::Costs, "Simulated cost of each operation"),
];

/// What `kernel.wake` can be, for both sides or for each.
pub const WAKES: &[&str] = &["hand-over", "look-again"];

/// The keys of `kernel.wake`, where its sides differ.
pub const WAKE: &[Key] = &[
    optional("senders", Kind::Word(WAKES), "Blocked senders, for a slot or for memory"),
    optional("receivers", Kind::Word(WAKES), "Waiting receivers"),
];

/// The keys of `kernel.costs`.
pub const COSTS: &[Key] = &[
    optional("syscall", Kind::Duration, "Entering the kernel; default 200ns"),
    optional("context-switch", Kind::Duration, "Another thread gets a processor; default 1us"),
    optional("copy-per-KiB", Kind::Duration, "Copying 1 KiB of a message, once; default 100ns"),
    optional(
        "poll",
        Kind::Duration,
        "A call that finds nothing and does not wait, in addition; default 0ns",
    ),
    optional(
        "map-page",
        Kind::Duration,
        "Putting a page into a message, or taking it out, without copying it; default 100ns",
    ),
    optional(
        "page-fault",
        Kind::Duration,
        "Finding that a page is shared when it is written, beside the copy; default 1us",
    ),
    optional(
        "access",
        Kind::Duration,
        "Reading or writing memory that others can see; default 10ns",
    ),
];

/// A part of the file that declares things of one kind, by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`TOP` says what each declares")]
pub enum Section {
    Mailboxes,
    Ports,
    PortSets,
    Names,
    Programs,
}

impl Section {
    /// All of them.
    pub const ALL: [Section; 5] =
        [Section::Mailboxes, Section::Ports, Section::PortSets, Section::Names, Section::Programs];
    /// Those that declare objects of the kernel, which are numbered in this order.
    pub const OF_OBJECTS: [Section; 3] = [Section::Mailboxes, Section::Ports, Section::PortSets];

    /// The section with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.row().0 == key)
    }

    /// What one of the things that it declares is called.
    pub fn one(self) -> &'static str {
        self.row().1
    }

    /// The keys of each of them.
    pub fn keys(self) -> &'static [Key] {
        self.row().2
    }

    fn row(self) -> (&'static str, &'static str, &'static [Key]) {
        match self {
            Section::Mailboxes => ("mailboxes", "a mailbox", MAILBOX),
            Section::Ports => ("ports", "a port", PORT),
            Section::PortSets => ("port-sets", "a port set", PORT_SET),
            Section::Names => ("names", "a name server", NAME_SERVER),
            Section::Programs => ("programs", "a program", PROGRAM),
        }
    }
}

/// The keys of a mailbox.
pub const MAILBOX: &[Key] = &[
    optional("replicas", Kind::Positive(1_000_000), "This many mailboxes: `name[1]` and up"),
    optional("capacity", Kind::Capacity, "How much it holds; default: `kernel.buffering`"),
    optional("order", Kind::Word(ORDERS), "The order of its messages, and of blocked senders"),
    optional("receiver", Kind::Word(PICKS), "Who gets a message when several receives wait"),
    optional("max-size", Kind::FixedSize, "Larger messages are refused as `too-large`"),
    optional("holds", Kind::Bodies, "Messages that lie in it from the start: `[token, token]`"),
];

/// The keys of a port.
pub const PORT: &[Key] = &[
    required("receive", Kind::Holder, "The one process that receives from it"),
    optional("backup", Kind::Holder, "Who gets the receive right if that process dies"),
    optional("send", Kind::Holders, "Who may send to it from the start"),
    optional("capacity", Kind::QueueLimit, "Its queue limit, in messages; default 5"),
];

/// The keys of a port set.
pub const PORT_SET: &[Key] = &[
    required("of", Kind::Holder, "The process that receives from it"),
    optional("members", Kind::Ports, "Its ports; that process receives from each"),
];

/// The keys of a right that a message carries.
pub const GRANT: &[Key] = &[
    required("port", Kind::Target, "The port, or the descriptor"),
    required(
        "as",
        Kind::Word(&[
            "move-receive",
            "move-send",
            "copy-send",
            "make-send",
            "make-send-once",
            "move-send-once",
            "file",
        ]),
        "Which right, and what becomes of the sender's own; of a descriptor a copy goes, as `file`",
    ),
];

/// The keys of memory that a message carries.
pub const TRANSFER: &[Key] = &[
    required("region", Kind::Target, "The region"),
    optional(
        "transfer",
        Kind::Word(&["copy", "move", "copy-on-write", "share"]),
        "How it goes; default `copy-on-write`",
    ),
];

/// The keys of a name server.
pub const NAME_SERVER: &[Key] = &[
    optional("parent", Kind::Declared(Sort::NameServer), "Who is asked for what this one lacks"),
    optional("entries", Kind::Entries, "What it knows from the start"),
];

/// The keys of a file.
pub const FILE: &[Key] = &[
    required("mailbox", Kind::Declared(Sort::Mailbox), "The mailbox that the path names"),
    optional("owner", Kind::Prose, "The user whose file it is"),
    optional("mode", Kind::Mode, "Permissions as in Unix, in quotes: \"0620\""),
];

/// The keys of a program.
pub const PROGRAM: &[Key] = &[
    optional("with", Kind::Parameters, "Parameters and their default values"),
    required("do", Kind::Steps, "What it does"),
];

/// The keys of a process.
pub const PROCESS: &[Key] = &[
    optional(
        "replicas",
        Kind::Positive(1_000_000),
        "This many processes: `name[1]` and up; `index` inside",
    ),
    optional("program", Kind::Declared(Sort::Program), "The program that it runs"),
    optional("with", Kind::Parameters, "Values of the program's parameters"),
    optional("do", Kind::Steps, "What its one thread does"),
    optional("threads", Kind::ThreadTable, "Its threads, by name"),
    optional("start", Kind::Duration, "When it is created; default 0"),
    optional("priority", Kind::Integer, "Larger is more urgent; default 0"),
    optional("user", Kind::Prose, "Whose process it is, for files"),
    optional("names", Kind::Declared(Sort::NameServer), "The name server that it asks"),
    optional("daemon", Kind::Flag, "Whether it may rest for ever without being stuck"),
    optional("capacity", Kind::Capacity, "Capacity of every link to it"),
    optional(
        "exception-port",
        Kind::Declared(Sort::Port),
        "Where its exceptions go that no thread's own port resumes",
    ),
    optional(
        "protected",
        Kind::Flag,
        "Whether only holders of its port, `task-of(P)`, can control it",
    ),
];

/// The keys of a thread in `threads:`.
pub const THREAD: &[Key] = &[
    optional("replicas", Kind::Positive(1_000_000), "This many threads: `thread-index` inside"),
    required("do", Kind::Steps, "What it does"),
    optional("exception-port", Kind::Declared(Sort::Port), "Where its exceptions go first"),
];

/// The outcomes of a schedule.
pub const SCHEDULE_OUTCOMES: &[&str] =
    &["fails", "deadlock", "stranded", "livelock", "completes", "unfinished"];

/// The functions of expressions, with the least and the largest number of arguments.
pub const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("len", 1, 1),
    ("min", 1, 64),
    ("max", 1, 64),
    ("push", 2, 2),
    ("pop-first", 1, 1),
    ("count", 1, 1),
    ("all", 1, 1),
    ("any", 1, 1),
    ("random", 2, 2),
    ("range", 2, 2),
    ("now", 0, 0),
    ("task-of", 1, 1),
    ("thread-of", 1, 1),
    ("refs", 1, 1),
    ("rights-of", 1, 1),
];

impl Verb {
    /// The verb with this name.
    pub fn find(name: &str) -> Option<&'static Verb> {
        VERBS.iter().find(|verb| verb.name() == name)
    }

    /// How it is written.
    pub const fn name(&self) -> &'static str {
        self.word.text()
    }

    /// Whether it is a system call, and so leaves an outcome.
    pub const fn is_call(&self) -> bool {
        matches!(self.word, Word::Call(_))
    }

    /// Every key that may go with it.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.keys.iter().chain(self.is_call().then_some(&WHEN))
    }
}
