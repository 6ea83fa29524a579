//! System calls: what a thread can ask of the kernel.

use std::sync::Arc;

use crate::expr::Expr;
use crate::ids::{Pc, Register, ThreadName};
use crate::parts::{
    Answer, Command, From, Inspection, Receive, Reply, Send, Spawn, Target, Threads, Time, Until,
    Wait,
};
use crate::policy::{Capacity, Order, Pick};
use crate::value::{Access, Value};

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
        /// Which are asked, in the order of the answer.
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
    /// Do something to other processes, or to threads of the own one.
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
        /// How much it holds; that of `kernel.buffering` if not said.
        capacity: Option<Capacity>,
        /// The order of its messages.
        order: Order,
        /// Who gets a message, if not as the kernel does it everywhere.
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
    /// Give one reference to a send right up.
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
    /// Ask for a notice about a port.
    Watch {
        /// The port.
        port: Expr,
        /// What is waited for.
        until: Until,
        /// Where the notice goes: a port that one receives from, or a send-once right.
        notify: Expr,
    },
    /// Set the queue limit of a port.
    Limit {
        /// The port.
        port: Expr,
        /// So many messages.
        limit: Expr,
    },
    /// Look at the rights to a port that one has oneself.
    Inspect {
        /// What is to be known.
        what: Inspection,
        /// The port, or the right.
        of: Expr,
        /// Where the answer goes.
        into: Register,
    },
    /// Open the mailbox behind a path.
    Open {
        /// The path.
        path: Expr,
        /// Where the handle goes.
        into: Register,
        /// What for.
        access: Access,
    },
}

impl Verb {
    /// Whether the thread may go on behind it. Behind an exit it does if the code cannot be computed, and a
    /// handler says so.
    pub fn may_return(&self) -> bool {
        !matches!(self, Verb::Exit(Expr::Constant(Value::Int(_))))
    }

    /// Whether a call of this kind that neither waits nor fails tells nothing but that it returns.
    pub fn has_no_event(&self) -> bool {
        matches!(
            self,
            Verb::Select { .. }
                | Verb::Join { .. }
                | Verb::Open { .. }
                | Verb::Drop(_)
                | Verb::Limit { .. }
                | Verb::Watch { .. }
                | Verb::Insert { .. }
                | Verb::Remove { .. }
                | Verb::Inspect { .. }
        )
    }

    pub(crate) fn expressions(&self) -> Vec<&Expr> {
        let mut found = Vec::new();
        match self {
            Verb::Send(send) | Verb::Call { request: send, .. } => {
                found.extend(send.expressions());
            }
            Verb::Receive(receive) => {
                if let From::These(sources) = &receive.from {
                    found.push(sources);
                }
                found.extend([&receive.kind, &receive.max_size].into_iter().flatten());
                found.extend(receive.wait.expressions());
            }
            Verb::Reply(reply) => {
                found.extend([&reply.to, &reply.body].into_iter().chain(&reply.size));
                found.extend(reply.rights.iter().map(|grant| &grant.port));
            }
            Verb::Select { among, wait, .. } => {
                found.push(among);
                found.extend(wait.expressions());
            }
            Verb::Sleep(time) => found.extend(time.expressions()),
            Verb::Exit(expr)
            | Verb::Destroy(expr)
            | Verb::Drop(expr)
            | Verb::Control(_, Target::Processes(expr))
            | Verb::Inspect { of: expr, .. }
            | Verb::Open { path: expr, .. } => found.push(expr),
            Verb::Control(_, Target::Threads(threads)) => found.extend(&threads.index),
            Verb::Join { threads, wait } => {
                found.extend(&threads.index);
                found.extend(wait.expressions());
            }
            Verb::Limit { port: one, limit: other }
            | Verb::Watch { port: one, notify: other, .. }
            | Verb::Insert { port: one, into: other }
            | Verb::Remove { port: one, out_of: other } => found.extend([one, other]),
            Verb::CreatePort { limit, .. } => found.extend(limit),
            Verb::Spawn(spawn) => {
                found.extend(spawn.with.iter().map(|(_, value)| value));
                found.extend(spawn.rights.iter().map(|grant| &grant.port));
            }
            Verb::Yield
            | Verb::Fault(_)
            | Verb::StartThread { .. }
            | Verb::Create { .. }
            | Verb::CreateSet { .. } => {}
        }
        found
    }

    /// What the step is called in a scenario, or the function of an expression that is a call.
    pub fn word(&self) -> &'static str {
        match self {
            Verb::Send(_) => "send",
            Verb::Call { answer, .. } => answer.word(),
            Verb::Receive(_) => "receive",
            Verb::Reply(_) => "reply",
            Verb::Select { .. } => "select",
            Verb::Sleep(_) => "sleep",
            Verb::Yield => "yield",
            Verb::Exit(_) => "exit",
            Verb::Control(command, _) => command.word(),
            Verb::Fault(_) => "fault",
            Verb::Spawn(_) => "spawn",
            Verb::StartThread { .. } => "thread",
            Verb::Join { .. } => "join",
            Verb::Create { .. } | Verb::CreatePort { .. } | Verb::CreateSet { .. } => "create",
            Verb::Destroy(_) => "destroy",
            Verb::Drop(_) => "drop",
            Verb::Limit { .. } => "limit",
            Verb::Watch { .. } => "watch",
            Verb::Insert { .. } => "insert",
            Verb::Remove { .. } => "remove",
            Verb::Inspect { what, .. } => what.word(),
            Verb::Open { .. } => "open",
        }
    }
}
