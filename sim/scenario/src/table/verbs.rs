//! The verbs of steps.

use ipcsim_kernel::Outcome;

use super::{Is, Key, Kind, ORDERS, PICKS, Sort, Verb, optional, required};

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
            optional(
                "hold-one",
                Kind::Target,
                "If the port is full the kernel keeps the message, and tells here when it has gone",
            ),
            WAIT,
        ],
        &[
            Outcome::Held,
            Outcome::WouldBlock,
            Outcome::TimedOut,
            Outcome::TooLarge,
            Outcome::NoMemory,
            Outcome::Dead,
            Outcome::NoRight,
            Outcome::Refused,
            Outcome::Deadlock,
            Outcome::Interrupted,
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
            Outcome::Refused,
            Outcome::Deadlock,
            Outcome::Interrupted,
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
            Outcome::Interrupted,
        ],
        "Send a request with a reply right, then wait for the answer (RPC)",
    ),
    call(
        "reply",
        Kind::Body,
        &[required("to", Kind::Message, "The request that is answered"), SIZE, RIGHTS],
        &[Outcome::Dead, Outcome::NoRight, Outcome::Refused],
        "Use the reply right of a received request; never blocks",
    ),
    call(
        "select",
        Kind::Variable,
        &[required("among", Kind::Sources, "Sources, in the order of the answer"), WAIT],
        &[
            Outcome::WouldBlock,
            Outcome::TimedOut,
            Outcome::NoRight,
            Outcome::Refused,
            Outcome::Deadlock,
            Outcome::Interrupted,
        ],
        "Which sources a receive would not block on; takes and reserves nothing (receive-scan)",
    ),
    call("sleep", Kind::Time, &[], &[Outcome::Interrupted], "Let time pass"),
    call("yield", Kind::Nothing, &[], &[], "Let others run"),
    call("exit", Kind::Number, &[], &[], "End the process; 0 is a normal end"),
    call(
        "spawn",
        Kind::NewName,
        &[
            optional("do", Kind::Steps, "What its one thread does"),
            optional("program", Kind::Declared(Sort::Program), "The program that it runs"),
            optional("with", Kind::Parameters, "What it finds in its variables"),
            optional("into", Kind::Variable, "The variable that its handle goes to"),
            optional(
                "replicas",
                Kind::Positive(1_000),
                "How many can be made here: `name[1]` and up; default 1",
            ),
            RIGHTS,
            optional(
                "names",
                Kind::Declared(Sort::NameServer),
                "The name server that it asks; default: that of its creator",
            ),
            optional(
                "exception-port",
                Kind::Declared(Sort::Port),
                "Where its exceptions go; default: where those of its creator go",
            ),
            optional("daemon", Kind::Flag, "Whether it may rest for ever without being stuck"),
            optional(
                "protected",
                Kind::Flag,
                "Whether only those who have its port may control it",
            ),
            optional("user", Kind::Prose, "Whose process it is; default: its creator's"),
            optional("priority", Kind::Integer, "Larger is more urgent; default: its creator's"),
        ],
        &[Outcome::Refused, Outcome::NoRight],
        "Make a new process from scratch, with the environment that its creator gives it",
    ),
    call("fault", Kind::Prose, &[], &[], "Raise an exception of this kind"),
    call(
        "kill",
        Kind::Victims,
        &[],
        &[Outcome::NoRight],
        "End a process, or threads of this process",
    ),
    call(
        "suspend",
        Kind::Victims,
        &[],
        &[Outcome::Dead, Outcome::NoRight],
        "Let a process, or threads of this process, take no step until they are resumed as often",
    ),
    call(
        "resume",
        Kind::Victims,
        &[],
        &[Outcome::Dead, Outcome::NoRight, Outcome::Refused],
        "Take one suspension back; `refused` if there is none",
    ),
    call(
        "interrupt",
        Kind::Victims,
        &[],
        &[Outcome::Dead, Outcome::NoRight],
        "End what a process, or threads of this process, wait for, as `interrupted`",
    ),
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
        &[Outcome::WouldBlock, Outcome::TimedOut, Outcome::Deadlock, Outcome::Interrupted],
        "Wait until threads of this process have ended",
    ),
    call(
        "create",
        Kind::Variable,
        &[
            required("kind", Kind::Word(&["mailbox", "port", "port-set"]), "What is made"),
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
        "insert",
        Kind::Target,
        &[required("into", Kind::Target, "The port set")],
        &[Outcome::NoRight, Outcome::Refused],
        "Make a port a member of a port set, and of no other",
    ),
    call(
        "remove",
        Kind::Target,
        &[required("out-of", Kind::Target, "The port set")],
        &[Outcome::NoRight, Outcome::Refused],
        "Take a port out of a port set",
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
        &[
            Outcome::Refused,
            Outcome::Dead,
            Outcome::NoRight,
            Outcome::TooLarge,
            Outcome::NoMemory,
            Outcome::Deadlock,
            Outcome::Interrupted,
        ],
        "Enter a name with the name server",
    ),
    call(
        "unregister",
        Kind::Text,
        &[],
        &[
            Outcome::NoSuchName,
            Outcome::Refused,
            Outcome::Dead,
            Outcome::TooLarge,
            Outcome::NoMemory,
            Outcome::Deadlock,
            Outcome::Interrupted,
        ],
        "Take a name back; only the process that registered it may",
    ),
    call(
        "lookup",
        Kind::Text,
        &[
            required("into", Kind::Variable, "The variable that the handle goes to"),
            optional("wait", Kind::Wait, "How long to wait for a registration; default `never`"),
        ],
        &[
            Outcome::NoSuchName,
            Outcome::Refused,
            Outcome::TimedOut,
            Outcome::Dead,
            Outcome::TooLarge,
            Outcome::NoMemory,
            Outcome::Deadlock,
            Outcome::Interrupted,
        ],
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
