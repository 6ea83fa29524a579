//! System calls: what a thread can ask of the kernel.

use std::sync::Arc;

use crate::expr::Expr;
use crate::ids::{Pc, Register, ThreadName};
use crate::parts::{
    Answer, Command, Image, Inspection, PageOf, Receive, Reply, Send, Spawn, StreamKind, Target,
    Threads, Time, Wait, Watch,
};
use crate::policy::{Capacity, Order, Pick};
use crate::value::{Access, OnExec};
use crate::word::CallWord;

/// A system call.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// Send a message.
    Send(Send),
    /// Send a request with a reply right, and wait for the answer.
    Call {
        /// The request.
        request: Send,
        /// What is done with the answer.
        answer: Answer,
    },
    /// Take a message.
    Receive(Receive),
    /// Use up the reply right of a received message; never blocks.
    Reply(Reply),
    /// Find out which sources a receive would not block on.
    Select {
        /// Where the list of those goes.
        into: Register,
        /// The sources to ask about, in the order of the answer.
        among: Expr,
        /// How long to wait for the first.
        wait: Wait,
    },
    /// Let time pass.
    Sleep(Time),
    /// Let others run.
    Yield,
    /// End the process with this code.
    Exit(Expr),
    /// Control other processes, or threads of the caller's own.
    Control(Command, Target),
    /// Make a process.
    Spawn(Box<Spawn>),
    /// Raise an exception of this kind.
    Fault(Arc<str>),
    /// Start a thread of this process, with a copy of the variables.
    StartThread {
        /// The name it is joined by.
        name: ThreadName,
        /// Where it begins.
        entry: Pc,
    },
    /// Wait until threads of this process have ended.
    Join {
        /// Which.
        threads: Threads,
        /// How long.
        wait: Wait,
    },
    /// Make a mailbox.
    Create {
        /// Where its handle goes.
        into: Register,
        /// How much it holds; as in `kernel.buffering` if not given.
        capacity: Option<Capacity>,
        /// The order of its messages.
        order: Order,
        /// Who gets a message, if not as the kernel's policy says.
        receiver: Option<Pick>,
        /// The largest message that it takes, in bytes.
        max_size: u64,
    },
    /// Make a port, and have its receive right.
    CreatePort {
        /// Where its handle goes.
        into: Register,
        /// Its queue limit, in messages.
        limit: Option<Expr>,
    },
    /// Destroy a mailbox, or a port that one receives from.
    Destroy(Expr),
    /// Give up one reference to a send right.
    Drop(Expr),
    /// Make a port set.
    CreateSet {
        /// Where its handle goes.
        into: Register,
    },
    /// Make a port a member of a port set.
    Insert {
        /// The port.
        port: Expr,
        /// The set.
        into: Expr,
    },
    /// Take a port out of a port set.
    Remove {
        /// The port.
        port: Expr,
        /// The set.
        out_of: Expr,
    },
    /// Request a notice about a port.
    Watch(Watch),
    /// Set the queue limit of a port.
    Limit {
        /// The port.
        port: Expr,
        /// This many messages.
        limit: Expr,
    },
    /// Inspect the caller's own rights to a port.
    Inspect {
        /// What to find out.
        what: Inspection,
        /// The port, or the right.
        of: Expr,
        /// Where the answer goes.
        into: Register,
    },
    /// Do something with the image of its process: fork it, or replace it.
    Image(ImageVerb),
    /// Do something with memory.
    Memory(MemoryVerb),
    /// Do something with descriptors.
    File(FileVerb),
}

/// What a thread can do with the image of its process.
#[derive(Clone, Debug, PartialEq)]
pub enum ImageVerb {
    /// Make a process with a copy of everything that the caller's process has.
    Fork {
        /// Which processes it can be, and what they get.
        child: Box<Spawn>,
        /// Where the child begins; where its parent goes on, if nothing is said.
        entry: Option<Pc>,
    },
    /// Go on with another program, in a new memory. If there is no such program, it fails.
    Exec(Option<Box<Image>>),
}

/// What a thread can do with memory, beside reading and writing.
#[derive(Clone, Debug, PartialEq)]
pub enum MemoryVerb {
    /// Get a region of memory.
    Allocate {
        /// Where its handle goes.
        into: Register,
        /// How large it is, in bytes; rounded up to whole pages.
        size: Expr,
        /// What each page says.
        value: Expr,
    },
    /// Give a region of memory back.
    Free(Expr),
    /// Wait until nobody has the lock of a page, and have it.
    Lock {
        /// Which.
        page: PageOf,
        /// How long to wait.
        wait: Wait,
    },
    /// Give the lock of a page back.
    Unlock(PageOf),
}

/// What a thread can do with descriptors.
#[derive(Clone, Debug, PartialEq)]
pub enum FileVerb {
    /// Open the mailbox behind a path.
    Open {
        /// The path.
        path: Expr,
        /// Where the handle goes.
        into: Register,
        /// What for.
        access: Access,
        /// What becomes of it when the process goes on with another program.
        on_exec: OnExec,
    },
    /// Make a pipe or a channel, and have both ends open.
    CreateStream {
        /// What it is.
        kind: StreamKind,
        /// Where the end goes to read from.
        read: Register,
        /// Where the end goes to write to.
        write: Register,
        /// What becomes of both when the process goes on with another program.
        on_exec: OnExec,
    },
    /// Close a descriptor.
    Close(Expr),
    /// Make another descriptor for the same.
    Duplicate {
        /// Of which.
        of: Expr,
        /// Where it goes.
        into: Register,
        /// What becomes of it when the process goes on with another program.
        on_exec: OnExec,
    },
}

impl Verb {
    /// What the step is called in a scenario, or the function of an expression that is a call.
    pub fn word(&self) -> &'static str {
        match self {
            Verb::Send(_) => CallWord::Send.text(),
            Verb::Call { answer, .. } => answer.word().text(),
            Verb::Receive(_) => CallWord::Receive.text(),
            Verb::Reply(_) => CallWord::Reply.text(),
            Verb::Select { .. } => CallWord::Select.text(),
            Verb::Sleep(_) => CallWord::Sleep.text(),
            Verb::Yield => CallWord::Yield.text(),
            Verb::Exit(_) => CallWord::Exit.text(),
            Verb::Control(command, _) => command.word(),
            Verb::Fault(_) => CallWord::Fault.text(),
            Verb::Spawn(_) => CallWord::Spawn.text(),
            Verb::StartThread { .. } => CallWord::Thread.text(),
            Verb::Join { .. } => CallWord::Join.text(),
            Verb::Create { .. } | Verb::CreatePort { .. } | Verb::CreateSet { .. } => {
                CallWord::Create.text()
            }
            Verb::Destroy(_) => CallWord::Destroy.text(),
            Verb::Drop(_) => CallWord::Drop.text(),
            Verb::Limit { .. } => CallWord::Limit.text(),
            Verb::Watch(_) => CallWord::Watch.text(),
            Verb::Insert { .. } => CallWord::Insert.text(),
            Verb::Remove { .. } => CallWord::Remove.text(),
            Verb::Inspect { what, .. } => what.word(),
            Verb::Image(verb) => verb.word(),
            Verb::Memory(verb) => verb.word(),
            Verb::File(verb) => verb.word(),
        }
    }
}

impl ImageVerb {
    fn word(&self) -> &'static str {
        match self {
            ImageVerb::Fork { .. } => CallWord::Fork.text(),
            ImageVerb::Exec(_) => CallWord::Exec.text(),
        }
    }
}

impl MemoryVerb {
    fn word(&self) -> &'static str {
        match self {
            MemoryVerb::Allocate { .. } => CallWord::Allocate.text(),
            MemoryVerb::Free(_) => CallWord::Free.text(),
            MemoryVerb::Lock { .. } => CallWord::Lock.text(),
            MemoryVerb::Unlock(_) => CallWord::Unlock.text(),
        }
    }
}

impl FileVerb {
    fn word(&self) -> &'static str {
        match self {
            FileVerb::Open { .. } => CallWord::Open.text(),
            FileVerb::CreateStream { .. } => CallWord::Create.text(),
            FileVerb::Close(_) => CallWord::Close.text(),
            FileVerb::Duplicate { .. } => CallWord::Duplicate.text(),
        }
    }
}
