//! The words of the language: every verb and every key, once.
//!
//! This one table drives the reader, the hints ("did you mean …"), the JSON Schema for editors and the
//! reference. A word that is not here does not exist.

use ipcsim_kernel::Outcome;

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
    /// A variable that is set.
    Variable,
    /// What a message says.
    Body,
    /// A text that may hold `${…}`.
    Text,
    /// One mailbox or process.
    Target,
    /// One mailbox or process, a list of them, or `anyone`.
    Sources,
    /// One process or a list of them, or threads of the own process.
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
    /// Lists of steps, of which one is taken.
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
    /// One process.
    Holder,
    /// Processes, of which families count as all their members.
    Holders,
    /// The queue limit of a port.
    QueueLimit,
    /// Rights that a message carries.
    Rights,
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

/// A verb, with the keys that may stand beside it.
#[derive(Debug, PartialEq, Eq)]
pub struct Verb {
    /// How it is written.
    pub name: &'static str,
    /// What its own value may be.
    pub operand: Kind,
    /// The other keys.
    pub keys: &'static [Key],
    /// Outcomes other than `ok` that it can have at all; none for what is no system call.
    pub outcomes: &'static [Outcome],
    /// Whether it is a system call, and so leaves an outcome.
    pub is: Is,
    /// What it does, for editors and the reference.
    pub doc: &'static str,
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// A system call: it leaves its outcome in `status`, and may have `when:`.
    Call,
    /// Work of the thread by itself.
    Local,
}

const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, need: Need::Required, doc }
}

const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, need: Need::Optional, doc }
}

const fn call(
    name: &'static str,
    operand: Kind,
    keys: &'static [Key],
    outcomes: &'static [Outcome],
    doc: &'static str,
) -> Verb {
    Verb { name, operand, keys, outcomes, is: Is::Call, doc }
}

const fn local(name: &'static str, operand: Kind, keys: &'static [Key], doc: &'static str) -> Verb {
    Verb { name, operand, keys, outcomes: &[], is: Is::Local, doc }
}

const PICKS: &[&str] = &["fifo", "lifo", "priority", "arbitrary"];
const ORDERS: &[&str] = &["fifo", "priority"];

const WAIT: Key =
    optional("wait", Kind::Wait, "How long to wait: `forever` (default), `never`, or a duration");
const SIZE: Key = optional("size", Kind::Size, "Size of the message; default: that of its body");

const RIGHTS: Key = optional(
    "rights",
    Kind::Rights,
    "Rights that go with the message: `[{port: p, as: make-send}]`",
);

/// The verb of every step.
pub const VERBS: &[Verb] = &[
    call(
        "send",
        Kind::Body,
        &[
            required("to", Kind::Target, "A process or a mailbox"),
            SIZE,
            optional("type", Kind::Body, "The message's type, which `receive … type:` selects by"),
            optional(
                "priority",
                Kind::Number,
                "Larger leaves a mailbox of `order: priority` first",
            ),
            optional(
                "reply-to",
                Kind::Target,
                "Where an answer should go: `.reply-to` of the message",
            ),
            RIGHTS,
            WAIT,
        ],
        &[
            Outcome::WouldBlock,
            Outcome::TimedOut,
            Outcome::TooLarge,
            Outcome::NoMemory,
            Outcome::Dead,
            Outcome::NoRight,
            Outcome::Refused,
            Outcome::Deadlock,
        ],
        "Send a message",
    ),
    call(
        "receive",
        Kind::Variable,
        &[
            required("from", Kind::Sources, "A source, a list of them (meta-receive), or `anyone`"),
            optional("type", Kind::Body, "Only messages of this type; others stay in place"),
            optional("max-size", Kind::Size, "The largest message that is taken"),
            WAIT,
        ],
        &[
            Outcome::WouldBlock,
            Outcome::TimedOut,
            Outcome::TooLarge,
            Outcome::Dead,
            Outcome::NoRight,
            Outcome::Deadlock,
        ],
        "Take a message",
    ),
    call(
        "call",
        Kind::Body,
        &[
            required("to", Kind::Target, "A process or a mailbox"),
            required("into", Kind::Variable, "The variable that the answer goes to"),
            SIZE,
            optional("type", Kind::Body, "The request's type"),
            optional("priority", Kind::Number, "The request's priority"),
            RIGHTS,
            optional("wait", Kind::Wait, "How long the whole exchange may take"),
        ],
        &[
            Outcome::WouldBlock,
            Outcome::TimedOut,
            Outcome::TooLarge,
            Outcome::NoMemory,
            Outcome::Dead,
            Outcome::NoRight,
            Outcome::Refused,
            Outcome::Deadlock,
        ],
        "Send a request with a reply right, then wait for the answer (RPC)",
    ),
    call(
        "reply",
        Kind::Body,
        &[required("to", Kind::Message, "The request that is answered"), SIZE],
        &[Outcome::Dead, Outcome::NoRight],
        "Use the reply right of a received request; never blocks",
    ),
    call(
        "select",
        Kind::Variable,
        &[required("among", Kind::Sources, "Sources, in the order of the answer"), WAIT],
        &[Outcome::WouldBlock, Outcome::TimedOut, Outcome::NoRight, Outcome::Deadlock],
        "Which sources a receive would not block on; takes and reserves nothing (receive-scan)",
    ),
    call("sleep", Kind::Time, &[], &[], "Let time pass"),
    call("yield", Kind::Nothing, &[], &[], "Let others run"),
    call("exit", Kind::Number, &[], &[], "End the process; 0 is a normal end"),
    call("kill", Kind::Victims, &[], &[], "End a process, or threads of this process"),
    call(
        "thread",
        Kind::NewName,
        &[required("do", Kind::Steps, "What the thread does")],
        &[Outcome::Refused],
        "Start a thread of this process, with a copy of the variables",
    ),
    call(
        "join",
        Kind::Threads,
        &[WAIT],
        &[Outcome::WouldBlock, Outcome::TimedOut, Outcome::Deadlock],
        "Wait until threads of this process have ended",
    ),
    call(
        "create",
        Kind::Variable,
        &[
            required("kind", Kind::Word(&["mailbox", "port"]), "What is made"),
            optional(
                "capacity",
                Kind::Capacity,
                "How much it holds; default: `kernel.buffering`, of a port 5 messages",
            ),
            optional("order", Kind::Word(ORDERS), "The order of its messages"),
            optional(
                "receiver",
                Kind::Word(PICKS),
                "Who gets a message when several receives wait",
            ),
            optional("max-size", Kind::FixedSize, "The largest message that it takes"),
        ],
        &[Outcome::Refused],
        "Make a new object, named by the variable",
    ),
    call(
        "destroy",
        Kind::Target,
        &[],
        &[Outcome::Dead, Outcome::Refused, Outcome::NoRight],
        "Destroy a mailbox, or the receive right of a port; what it holds is lost",
    ),
    call(
        "drop",
        Kind::Target,
        &[],
        &[Outcome::NoRight, Outcome::Refused],
        "Give up one reference to a send right, or a send-once right; never a receive right",
    ),
    call(
        "limit",
        Kind::Target,
        &[required("capacity", Kind::Number, "The queue limit, in messages, from 0 to 16")],
        &[Outcome::NoRight, Outcome::Refused],
        "Set the queue limit of a port that one receives from",
    ),
    call(
        "watch",
        Kind::Target,
        &[
            required(
                "until",
                Kind::Word(&["no-senders", "dead-name", "port-destroyed"]),
                "What the notice is about",
            ),
            required(
                "notify",
                Kind::Target,
                "Where the notice goes: a port that one receives from, or a send-once right",
            ),
        ],
        &[Outcome::NoRight, Outcome::Refused],
        "Ask the kernel for a notice about a port",
    ),
    call(
        "register",
        Kind::Target,
        &[required("as", Kind::Text, "The name")],
        &[Outcome::Refused, Outcome::Dead, Outcome::NoRight],
        "Enter a name with the name server",
    ),
    call(
        "unregister",
        Kind::Text,
        &[],
        &[Outcome::NoSuchName, Outcome::Refused],
        "Take a name back; only the process that registered it may",
    ),
    call(
        "lookup",
        Kind::Text,
        &[
            required("into", Kind::Variable, "The variable that the handle goes to"),
            optional("wait", Kind::Wait, "How long to wait for a registration; default `never`"),
        ],
        &[Outcome::NoSuchName, Outcome::TimedOut, Outcome::Deadlock],
        "Ask the name server",
    ),
    call(
        "open",
        Kind::Text,
        &[
            required("into", Kind::Variable, "The variable that the handle goes to"),
            required("mode", Kind::Word(&["read", "write"]), "What for"),
        ],
        &[Outcome::NoSuchName, Outcome::Refused],
        "Open the mailbox behind a path",
    ),
    local("compute", Kind::Time, &[], "Use the processor"),
    local("set", Kind::Assignments, &[], "Assign variables, from top to bottom"),
    local("log", Kind::Text, &[], "Write a line to the log"),
    local("assert", Kind::Expression, &[], "Raise an exception unless this is true"),
    local(
        "if",
        Kind::Expression,
        &[
            required("then", Kind::Steps, "What is done if it is true"),
            optional("else", Kind::Steps, "What is done if it is not"),
        ],
        "Choice",
    ),
    local(
        "repeat",
        Kind::Count,
        &[required("do", Kind::Steps, "What is repeated")],
        "Do something so many times",
    ),
    local("forever", Kind::Steps, &[], "Do something again and again"),
    local(
        "while",
        Kind::Expression,
        &[required("do", Kind::Steps, "What is repeated")],
        "Do something as long as this is true",
    ),
    local(
        "for",
        Kind::Variable,
        &[
            required("in", Kind::Expression, "The list"),
            required("do", Kind::Steps, "What is done for each element"),
        ],
        "Do something for each element of a list",
    ),
    local("break", Kind::Nothing, &[], "Leave the innermost loop"),
    local("continue", Kind::Nothing, &[], "Go on with the next round of the innermost loop"),
    local(
        "choose",
        Kind::Branches,
        &[],
        "One of these: drawn from the seed in a run, each of them in an exploration",
    ),
];

/// The key that every system call may have.
pub const WHEN: Key = optional(
    "when",
    Kind::Handlers,
    "Steps for outcomes other than `ok`; then the thread goes on behind",
);

/// The keys of the whole file.
pub const TOP: &[Key] = &[
    optional("title", Kind::Prose, "What it is called"),
    optional("about", Kind::Prose, "What a reader should think about"),
    optional("slide", Kind::Prose, "The slide of the lecture that it belongs to"),
    optional("kernel", Kind::Nothing, "The machine and its policies"),
    optional("mailboxes", Kind::Nothing, "Mailboxes by name; open to everybody"),
    optional("ports", Kind::Nothing, "Ports by name; used only through rights"),
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
    optional("receiver", Kind::Word(PICKS), "Who gets a message when several receives wait"),
    optional(
        "sender",
        Kind::Word(&["fifo", "priority", "arbitrary"]),
        "Which blocked sender gets a slot that is freed",
    ),
    optional(
        "wake",
        Kind::Word(&["hand-over", "look-again"]),
        "Whether the waker finishes the waiter's call, or the waiter looks again",
    ),
    optional(
        "too-large",
        Kind::Word(&["keep", "destroy"]),
        "What becomes of a message that is larger than the receiver's `max-size`",
    ),
    optional(
        "detect",
        Kind::Word(&["report", "refuse"]),
        "Report deadlocks, or refuse the call that closes one",
    ),
    optional("costs", Kind::Costs, "Simulated cost of each operation"),
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
];

/// The keys of a mailbox.
pub const MAILBOX: &[Key] = &[
    optional("replicas", Kind::Positive(1_000_000), "So many mailboxes: `name[1]` and up"),
    optional("capacity", Kind::Capacity, "How much it holds; default: `kernel.buffering`"),
    optional("order", Kind::Word(ORDERS), "The order of its messages, and of blocked senders"),
    optional("receiver", Kind::Word(PICKS), "Who gets a message when several receives wait"),
    optional("max-size", Kind::FixedSize, "Larger messages are refused as `too-large`"),
];

/// The keys of a port.
pub const PORT: &[Key] = &[
    required("receive", Kind::Holder, "The one process that receives from it"),
    optional("backup", Kind::Holder, "Who gets the receive right if that process dies"),
    optional("send", Kind::Holders, "Who may send to it from the start"),
    optional("capacity", Kind::QueueLimit, "Its queue limit, in messages; default 5"),
];

/// The keys of a right that a message carries.
pub const GRANT: &[Key] = &[
    required("port", Kind::Target, "The port"),
    required(
        "as",
        Kind::Word(&[
            "move-receive",
            "move-send",
            "copy-send",
            "make-send",
            "make-send-once",
            "move-send-once",
        ]),
        "Which right, and what becomes of the sender's own",
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
    optional("mode", Kind::Prose, "Permissions as in Unix, in quotes: \"0620\""),
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
        "So many processes: `name[1]` and up; `index` inside",
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
];

/// The keys of a thread in `threads:`.
pub const THREAD: &[Key] = &[
    optional("replicas", Kind::Positive(1_000_000), "So many threads: `thread-index` inside"),
    required("do", Kind::Steps, "What it does"),
];

/// The outcomes of a schedule.
pub const SCHEDULE_OUTCOMES: &[&str] =
    &["fails", "deadlock", "stranded", "livelock", "completes", "unfinished"];

/// The measures of a run that a claim may bound.
pub const MEASURES: &[&str] = &[
    "time",
    "bytes-copied",
    "context-switches",
    "messages",
    "kernel-memory",
    "cpu-time",
    "system-calls",
];

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
    ("now", 0, 0),
];

/// The fields of a message variable.
pub const FIELDS: &[&str] =
    &["body", "sender", "type", "priority", "size", "box", "reply-to", "rights"];

impl Verb {
    /// The verb with this name.
    pub fn find(name: &str) -> Option<&'static Verb> {
        VERBS.iter().find(|verb| verb.name == name)
    }

    /// Every key that may stand beside it.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        let when = match self.is {
            Is::Call => Some(&WHEN),
            Is::Local => None,
        };
        self.keys.iter().chain(when)
    }
}
