//! The parts of system calls: messages and rights, sources, waits, targets.

use crate::expr::Expr;
use crate::ids::{Pc, ProcessId, ProgramId, Register, ThreadName};
use crate::policy::Capacity;
use crate::word::CallWord;
use crate::worded::worded;

/// The parts of a message that is to be sent, and how long the sender waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    /// Where to.
    pub to: Expr,
    /// What it says.
    pub body: Expr,
    /// Its size in bytes, if not that of its body.
    pub size: Option<Expr>,
    /// Its type.
    pub kind: Option<Expr>,
    /// Its priority.
    pub priority: Option<Expr>,
    /// Where an answer should go.
    pub reply_to: Option<Expr>,
    /// The rights that the message carries.
    pub rights: Vec<Grant>,
    /// The memory that the message carries.
    pub memory: Vec<Transfer>,
    /// Whether the kernel keeps it if there is no room, and who is notified when it has gone.
    pub hold: Option<Expr>,
    /// Where the number of bytes goes that have gone.
    pub into: Option<Register>,
    /// How long to wait: a send until the message has gone, a call until the answer is here.
    pub wait: Wait,
}

/// What happens to the answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is stored in this variable, as it is.
    Message(Register),
    /// It is a name server's, and says how the call ends.
    OfNames(Inquiry),
}

/// What a name server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inquiry {
    /// To register a name.
    Register,
    /// To forget a name.
    Unregister,
    /// What a name stands for now.
    LookUp {
        /// Where the handle goes.
        into: Register,
    },
    /// What a name stands for, as soon as it stands for anything.
    Await {
        /// Where the handle goes.
        into: Register,
    },
}

impl Inquiry {
    /// The type of the request.
    pub fn request(self) -> &'static str {
        match self {
            Inquiry::Register => "register",
            Inquiry::Unregister => "unregister",
            Inquiry::LookUp { .. } => "look-up",
            Inquiry::Await { .. } => "await",
        }
    }

    /// What the step is called.
    fn word(self) -> CallWord {
        match self {
            Inquiry::Register => CallWord::Register,
            Inquiry::Unregister => CallWord::Unregister,
            Inquiry::LookUp { .. } | Inquiry::Await { .. } => CallWord::Lookup,
        }
    }
}

impl Answer {
    /// The variable that it may set.
    pub fn writes(self) -> Option<Register> {
        match self {
            Answer::Message(into)
            | Answer::OfNames(Inquiry::LookUp { into } | Inquiry::Await { into }) => Some(into),
            Answer::OfNames(Inquiry::Register | Inquiry::Unregister) => None,
        }
    }

    /// What a step with such an answer is called.
    pub fn word(self) -> CallWord {
        match self {
            Answer::Message(_) => CallWord::Call,
            Answer::OfNames(inquiry) => inquiry.word(),
        }
    }
}

/// An answer that a thread gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The message that is answered.
    pub to: Expr,
    /// The answer.
    pub body: Expr,
    /// Its size in bytes, if not that of its body.
    pub size: Option<Expr>,
    /// The rights that the answer carries.
    pub rights: Vec<Grant>,
    /// The memory that the answer carries.
    pub memory: Vec<Transfer>,
}

/// Memory that a message will carry.
#[derive(Clone, Debug, PartialEq)]
pub struct Transfer {
    /// Which region.
    pub region: Expr,
    /// How it goes.
    pub mode: TransferMode,
}

/// How memory goes with a message. The receiver always gets what the pages say when the message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferMode {
    /// In the message itself: copied into the kernel, and out of it.
    Copy,
    /// The pages are shared until somebody writes; the sender keeps its region.
    CopyOnWrite,
    /// The pages go, and the sender has its region no more.
    Move,
    /// Sender and receiver have the same pages from now on: what one writes, the other reads.
    Share,
}

/// A page of a region, which can be locked.
#[derive(Clone, Debug, PartialEq)]
pub struct PageOf {
    /// Which region.
    pub region: Expr,
    /// Which page, from 0.
    pub page: Expr,
}

/// What a thread does to memory: no system call, and nobody's business as long as nobody else can see the region.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryAccess {
    /// Which region.
    pub region: Expr,
    /// What is done.
    pub kind: AccessKind,
}

/// What is done to memory.
#[derive(Clone, Debug, PartialEq)]
pub enum AccessKind {
    /// A page is read.
    Read {
        /// Which one, from 0.
        page: Expr,
        /// Where what it says goes.
        into: Register,
    },
    /// The same is written into pages.
    Write {
        /// Which ones.
        pages: WhichPages,
        /// What.
        value: Expr,
    },
}

/// Which pages of a region are written.
#[derive(Clone, Debug, PartialEq)]
pub enum WhichPages {
    /// All of them.
    All,
    /// This one, from 0.
    One(Expr),
    /// The first so many.
    First(Expr),
}

/// A right that a message will carry.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// To which port.
    pub port: Expr,
    /// Which right, and where it comes from.
    pub disposition: Disposition,
}

/// What a sender does with a right that a message will carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Its receive right goes with the message.
    MoveReceive,
    /// One reference to its send right goes with the message.
    MoveSend,
    /// The message gets a send right, the sender keeps its own.
    CopySend,
    /// The sender, who has the receive right, makes a send right.
    MakeSend,
    /// The sender, who has the receive right, makes a send-once right.
    MakeSendOnce,
    /// Its send-once right goes with the message.
    MoveSendOnce,
    /// The message gets a copy of a descriptor.
    File,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Nobody has a send right to the port any longer.
    NoSenders,
    /// The port has died, and the process's name for it is a dead name.
    DeadName,
    /// The port would be destroyed: its receive right comes with the notice instead.
    PortDestroyed,
}

/// A notice that is requested.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// About which port.
    pub port: Expr,
    /// What is waited for.
    pub until: Until,
    /// Where the notice goes: a port that one receives from, or a send-once right.
    pub notify: Expr,
    /// If so many send rights were ever made and none is left, the notice comes at once. 1 if nothing is said.
    pub sync: Option<Expr>,
}

worded! {
    /// What a process can ask about its own rights.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Inspection {
        /// How many references it has under this name.
        References = "refs",
        /// Which rights it has under this name.
        Rights = "rights-of",
    }
}

/// What a receive takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Receive {
    /// Where the message goes.
    pub into: Register,
    /// Whose messages.
    pub from: From,
    /// Only messages of this type; others stay in place.
    pub kind: Option<Expr>,
    /// How long to wait.
    pub wait: Wait,
    /// The largest message that the receiver takes, in bytes.
    pub max_size: Option<Expr>,
}

/// Whose messages a receive takes.
#[derive(Clone, Debug, PartialEq)]
pub enum From {
    /// Of this source, or of the first in this list that has one.
    These(Expr),
    /// Of any process that sends to me, the oldest first.
    Anyone,
}

/// How long a call may wait.
#[derive(Clone, Debug, PartialEq)]
pub enum Wait {
    /// Until it is done.
    Forever,
    /// Not at all.
    Never,
    /// For this long.
    For(Time),
}

impl Send {
    /// Whether it has none of the parts that most messages lack.
    pub fn says_nothing_special(&self) -> bool {
        let Self { kind: None, priority: None, reply_to: None, rights, memory, .. } = self else {
            return false;
        };
        rights.is_empty() && memory.is_empty()
    }
}

/// A time span that a scenario names: fixed when both ends are equal, else any value between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The least, in nanoseconds.
    pub low_ns: u64,
    /// The greatest, in nanoseconds.
    pub high_ns: u64,
}

impl Span {
    /// A span without choice.
    pub fn exactly(ns: u64) -> Self {
        Self { low_ns: ns, high_ns: ns }
    }
}

/// A time span in a program.
#[derive(Clone, Debug, PartialEq)]
pub enum Time {
    /// Given in the program.
    Span(Span),
    /// Computed when it is needed: a duration value.
    Computed(Expr),
}

impl Time {
    /// What must be computed for it, if anything.
    pub fn expression(&self) -> Option<&Expr> {
        match self {
            Time::Computed(expr) => Some(expr),
            Time::Span(_) => None,
        }
    }
}

/// What carries data between processes that have an end of it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// Bytes, of which so many are held.
    Pipe {
        /// In bytes; the kernel's default if nothing is said.
        capacity: Option<u64>,
    },
    /// Messages, which are kept apart and may carry descriptors.
    Channel {
        /// So many are held.
        capacity: Capacity,
    },
}

/// A process that is to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct Spawn {
    /// The first one that the first member of the creator's family can make; those of the other members follow.
    pub first: ProcessId,
    /// How many each of them can make.
    pub each: u32,
    /// Where the handle of the new process goes.
    pub into: Option<Register>,
    /// The initial values of its variables.
    pub with: Vec<(Register, Expr)>,
    /// The rights that it gets.
    pub rights: Vec<Grant>,
}

/// A program that a process goes on with, in a new memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Which.
    pub program: ProgramId,
    /// Where it begins.
    pub entry: Pc,
    /// The initial values of its variables, beside those that the program says.
    pub with: Vec<(Register, Expr)>,
    /// What happens if the program cannot be loaded, and no handler says what to do.
    pub otherwise: Otherwise,
}

/// What becomes of a thread whose `exec` fails without a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// Its process fails.
    Fails,
    /// Whoever looks at the exception may let it go on behind the call.
    MayGoOn,
}

/// What is done to a process, or to a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// It ends.
    Kill,
    /// It takes no step until it has been resumed as often.
    Suspend,
    /// One suspension fewer.
    Resume,
    /// Its wait ends with `interrupted`.
    Interrupt,
}

impl Command {
    /// All of them.
    pub const ALL: [Command; 4] =
        [Command::Kill, Command::Suspend, Command::Resume, Command::Interrupt];

    /// What the step is called in a scenario.
    pub fn word(self) -> &'static str {
        match self {
            Command::Kill => CallWord::Kill.text(),
            Command::Suspend => CallWord::Suspend.text(),
            Command::Resume => CallWord::Resume.text(),
            Command::Interrupt => CallWord::Interrupt.text(),
        }
    }

    /// The command with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Command::ALL.into_iter().find(|command| command.word() == word)
    }
}

/// Whom a command affects.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A process, or a list of them.
    Processes(Expr),
    /// Threads of the caller's own process.
    Threads(Threads),
}

impl Target {
    /// What must be computed to know whom, if anything.
    pub fn expression(&self) -> Option<&Expr> {
        match self {
            Target::Processes(expr) => Some(expr),
            Target::Threads(threads) => threads.index.as_ref(),
        }
    }
}

/// Threads of the caller's own process, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Threads {
    /// The name they were started under.
    pub name: ThreadName,
    /// Only the replica with this index.
    pub index: Option<Expr>,
}
