//! The verbs of steps.

use ipcsim_kernel::program::{CallWord, LocalWord, Word};

use super::{Key, Kind, ORDERS, PICKS, Set, Sort, Verb, optional, required};

const fn call(word: CallWord, operand: Kind, keys: &'static [Key], doc: &'static str) -> Verb {
    Verb { word: Word::Call(word), operand, keys, doc }
}

const fn local(word: LocalWord, operand: Kind, keys: &'static [Key], doc: &'static str) -> Verb {
    Verb { word: Word::Local(word), operand, keys, doc }
}

const WAIT: Key =
    optional("wait", Kind::Wait, "How long to wait: `forever` (default), `never`, or a duration");
const SIZE: Key = optional("size", Kind::Size, "Size of the message; default: that of its body");

const RIGHTS: Key = optional(
    "rights",
    Kind::Rights,
    "Rights that go with the message: `[{port: p, as: make-send}]`",
);

const MEMORY: Key = optional(
    "memory",
    Kind::Transfers,
    "Memory that goes with the message: `{region: buf, transfer: move}`, or a list of those",
);

const LOCKED_PAGE: Key =
    optional("page", Kind::Number, "Which page of the region, counted from 0; default 0");

const INTO_CHILD: Key =
    optional("into", Kind::Variable(Set::Anything), "The variable that its handle goes to");
const MADE_HERE: Key = optional(
    "replicas",
    Kind::Positive(1_000),
    "How many can be made here: `name[1]` and up; default 1",
);
const CHILD_NAMES: Key = optional(
    "names",
    Kind::Declared(Sort::NameServer),
    "The name server that it asks; default: that of its creator",
);
const CHILD_EXCEPTIONS: Key = optional(
    "exception-port",
    Kind::Declared(Sort::Port),
    "Where its exceptions go; default: where those of its creator go",
);
const CHILD_DAEMON: Key =
    optional("daemon", Kind::Flag, "Whether it may rest for ever without being stuck");
const CHILD_PROTECTED: Key =
    optional("protected", Kind::Flag, "Whether only those who have its port may control it");
const CHILD_USER: Key =
    optional("user", Kind::Prose, "Whose process it is; default: its creator's");
const CHILD_PRIORITY: Key =
    optional("priority", Kind::Integer, "Larger is more urgent; default: its creator's");

/// The verb of every step.
pub const VERBS: &[Verb] = &[
    call(
        CallWord::Send,
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
            MEMORY,
            optional(
                "hold-one",
                Kind::Target,
                "If the port is full the kernel keeps the message, and tells here when it has gone",
            ),
            optional(
                "into",
                Kind::Variable(Set::Anything),
                "Of a pipe: the variable that gets the number of bytes that have gone",
            ),
            WAIT,
        ],
        "Send a message",
    ),
    call(
        CallWord::Receive,
        Kind::Variable(Set::Message),
        &[
            required("from", Kind::Sources, "A source, a list of them (meta-receive), or `anyone`"),
            optional("type", Kind::Body, "Only messages of this type; others stay in place"),
            optional("max-size", Kind::Size, "The largest message that is taken"),
            WAIT,
        ],
        "Take a message",
    ),
    call(
        CallWord::Call,
        Kind::Body,
        &[
            required("to", Kind::Target, "A process or a mailbox"),
            required("into", Kind::Variable(Set::Message), "The variable that the answer goes to"),
            SIZE,
            optional("type", Kind::Body, "The request's type"),
            optional("priority", Kind::Number, "The request's priority"),
            RIGHTS,
            MEMORY,
            optional("wait", Kind::Wait, "How long the whole exchange may take"),
        ],
        "Send a request with a reply right, then wait for the answer (RPC)",
    ),
    call(
        CallWord::Reply,
        Kind::Body,
        &[required("to", Kind::Message, "The request that is answered"), SIZE, RIGHTS, MEMORY],
        "Use the reply right of a received request; never blocks",
    ),
    call(
        CallWord::Select,
        Kind::Variable(Set::List),
        &[required("among", Kind::Sources, "Sources, in the order of the answer"), WAIT],
        "Which sources a receive would not block on; takes and reserves nothing (receive-scan)",
    ),
    call(CallWord::Sleep, Kind::Time, &[], "Let time pass"),
    call(CallWord::Yield, Kind::Nothing, &[], "Let others run"),
    call(CallWord::Exit, Kind::Number, &[], "End the process; 0 is a normal end"),
    call(
        CallWord::Spawn,
        Kind::NewName,
        &[
            optional("do", Kind::Steps, "What its one thread does"),
            optional("program", Kind::Declared(Sort::Program), "The program that it runs"),
            optional("with", Kind::Parameters, "What it finds in its variables"),
            INTO_CHILD,
            MADE_HERE,
            RIGHTS,
            CHILD_NAMES,
            CHILD_EXCEPTIONS,
            CHILD_DAEMON,
            CHILD_PROTECTED,
            CHILD_USER,
            CHILD_PRIORITY,
        ],
        "Make a new process from scratch, with the environment that its creator gives it",
    ),
    call(
        CallWord::Fork,
        Kind::NewName,
        &[
            optional(
                "do",
                Kind::Steps,
                "What the child does; default: both go on behind this step",
            ),
            INTO_CHILD,
            MADE_HERE,
            RIGHTS,
            CHILD_NAMES,
            CHILD_EXCEPTIONS,
            CHILD_DAEMON,
            CHILD_PROTECTED,
            CHILD_USER,
            CHILD_PRIORITY,
        ],
        "Make a copy of this process: its memory and variables, and this one thread",
    ),
    call(
        CallWord::Exec,
        Kind::Declared(Sort::Program),
        &[optional("with", Kind::Parameters, "What it finds in its variables")],
        "Go on with another program, in a new memory; what the kernel keeps for the process stays",
    ),
    call(CallWord::Fault, Kind::Prose, &[], "Raise an exception of this kind"),
    call(CallWord::Kill, Kind::Victims, &[], "End a process, or threads of this process"),
    call(
        CallWord::Suspend,
        Kind::Victims,
        &[],
        "Let a process, or threads of this process, take no step until they are resumed as often",
    ),
    call(
        CallWord::Resume,
        Kind::Victims,
        &[],
        "Take one suspension back; `refused` if there is none",
    ),
    call(
        CallWord::Interrupt,
        Kind::Victims,
        &[],
        "End what a process, or threads of this process, wait for, as `interrupted`",
    ),
    call(
        CallWord::Thread,
        Kind::NewName,
        &[required("do", Kind::Steps, "What the thread does")],
        "Start a thread of this process, with a copy of the variables",
    ),
    call(CallWord::Join, Kind::Threads, &[WAIT], "Wait until threads of this process have ended"),
    call(
        CallWord::Create,
        Kind::Variable(Set::Anything),
        &[
            required(
                "kind",
                Kind::Word(&["mailbox", "port", "port-set", "pipe", "channel"]),
                "What is made",
            ),
            optional(
                "write-end",
                Kind::Variable(Set::Anything),
                "Of a pipe or channel: the variable for the write end",
            ),
            optional(
                "close-on-exec",
                Kind::Flag,
                "Of a pipe or channel: whether both ends are closed when the process goes on with another program",
            ),
            optional(
                "capacity",
                Kind::Capacity,
                "How much it holds; default: `kernel.buffering`, of a port 5 messages, of a channel 10, of a pipe 64KiB",
            ),
            optional("order", Kind::Word(ORDERS), "The order of its messages"),
            optional(
                "receiver",
                Kind::Word(PICKS),
                "Who gets a message when several receives wait",
            ),
            optional("max-size", Kind::FixedSize, "The largest message that it takes"),
        ],
        "Make a new object, named by the variable",
    ),
    call(
        CallWord::Destroy,
        Kind::Target,
        &[],
        "Destroy a mailbox, or the receive right of a port; what it holds is lost",
    ),
    call(
        CallWord::Drop,
        Kind::Target,
        &[],
        "Give up one reference to a send right, or a send-once right; never a receive right",
    ),
    call(
        CallWord::Limit,
        Kind::Target,
        &[required("capacity", Kind::Number, "The queue limit, in messages, from 0 to 16")],
        "Set the queue limit of a port that one receives from",
    ),
    call(
        CallWord::Insert,
        Kind::Target,
        &[required("into", Kind::Target, "The port set")],
        "Make a port a member of a port set, and of no other",
    ),
    call(
        CallWord::Remove,
        Kind::Target,
        &[required("out-of", Kind::Target, "The port set")],
        "Take a port out of a port set",
    ),
    call(
        CallWord::Watch,
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
            optional(
                "sync",
                Kind::Count,
                "With `no-senders`: the notice comes at once if nobody may send now and so many send rights were made; default 1",
            ),
        ],
        "Ask the kernel for a notice about a port",
    ),
    call(
        CallWord::Register,
        Kind::Target,
        &[required("as", Kind::Text, "The name")],
        "Enter a name with the name server",
    ),
    call(
        CallWord::Unregister,
        Kind::Text,
        &[],
        "Take a name back; only the process that registered it may",
    ),
    call(
        CallWord::Lookup,
        Kind::Text,
        &[
            required("into", Kind::Variable(Set::Anything), "The variable that the handle goes to"),
            optional("wait", Kind::Wait, "How long to wait for a registration; default `never`"),
        ],
        "Ask the name server",
    ),
    call(
        CallWord::Open,
        Kind::Text,
        &[
            required("into", Kind::Variable(Set::Anything), "The variable that the handle goes to"),
            required("mode", Kind::Word(&["read", "write"]), "What for"),
            optional(
                "close-on-exec",
                Kind::Flag,
                "Whether it is closed when the process goes on with another program",
            ),
        ],
        "Open the mailbox behind a path",
    ),
    call(
        CallWord::Close,
        Kind::Target,
        &[],
        "Close a descriptor; the last end on one side of a pipe tells those on the other",
    ),
    call(
        CallWord::Duplicate,
        Kind::Target,
        &[
            required(
                "into",
                Kind::Variable(Set::Anything),
                "The variable that the new one goes to",
            ),
            optional(
                "close-on-exec",
                Kind::Flag,
                "Whether the new one is closed when the process goes on with another program",
            ),
        ],
        "Make another descriptor for the same file, or for the same end of a pipe or channel",
    ),
    call(
        CallWord::Allocate,
        Kind::Variable(Set::Anything),
        &[
            required("size", Kind::Size, "How large, rounded up to whole pages of `kernel.page`"),
            optional("value", Kind::Body, "What each page says; default `none`"),
        ],
        "Get a region of memory, named by the variable",
    ),
    call(CallWord::Free, Kind::Target, &[], "Give a region of memory back"),
    call(
        CallWord::Lock,
        Kind::Target,
        &[LOCKED_PAGE, WAIT],
        "Wait until the lock of a page of memory is free, and take it",
    ),
    call(CallWord::Unlock, Kind::Target, &[LOCKED_PAGE], "Give the lock of a page back"),
    local(
        LocalWord::Write,
        Kind::Target,
        &[
            required("value", Kind::Body, "What the pages say from now on"),
            optional("page", Kind::Number, "Only this page, counted from 0"),
            optional("pages", Kind::Count, "Only the first so many; default: all"),
        ],
        "Write to a region of memory; no system call",
    ),
    local(
        LocalWord::Read,
        Kind::Target,
        &[
            required("into", Kind::Variable(Set::Anything), "The variable that gets what it says"),
            optional("page", Kind::Number, "Which page, counted from 0; default 0"),
        ],
        "Read a page of a region of memory; no system call",
    ),
    local(LocalWord::Compute, Kind::Time, &[], "Use the processor"),
    local(LocalWord::Set, Kind::Assignments, &[], "Assign variables, from top to bottom"),
    local(LocalWord::Log, Kind::Text, &[], "Write a line to the log"),
    local(LocalWord::Assert, Kind::Expression, &[], "Raise an exception unless this is true"),
    local(
        LocalWord::If,
        Kind::Expression,
        &[
            required("then", Kind::Steps, "What is done if it is true"),
            optional("else", Kind::Steps, "What is done if it is not"),
        ],
        "Choice",
    ),
    local(
        LocalWord::Repeat,
        Kind::Count,
        &[required("do", Kind::Steps, "What is repeated")],
        "Do something so many times",
    ),
    local(LocalWord::Forever, Kind::Steps, &[], "Do something again and again"),
    local(
        LocalWord::While,
        Kind::Expression,
        &[required("do", Kind::Steps, "What is repeated")],
        "Do something as long as this is true",
    ),
    local(
        LocalWord::For,
        Kind::Variable(Set::Anything),
        &[
            required("in", Kind::Expression, "The list"),
            required("do", Kind::Steps, "What is done for each element"),
        ],
        "Do something for each element of a list",
    ),
    local(LocalWord::Break, Kind::Nothing, &[], "Leave the innermost loop"),
    local(
        LocalWord::Continue,
        Kind::Nothing,
        &[],
        "Go on with the next round of the innermost loop",
    ),
    local(
        LocalWord::Choose,
        Kind::Branches,
        &[],
        "One of these: drawn from the seed in a run, each of them in an exploration",
    ),
];
