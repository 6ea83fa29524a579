//! Programs: what a thread executes. Structure has become jumps, names have become numbers.
//!
//! The operations fall in two: *local* ones touch nothing but the thread's own variables, *system
//! calls* are where the kernel, and everybody else, comes in. A scheduling point is just before a
//! system call, and nowhere else.

use std::sync::Arc;

use crate::expr::Expr;
use crate::ids::{Pc, ProcessId, Register, ThreadName};
use crate::machine::{Capacity, Machine, Order, Pick};
use crate::oracle::Span;
use crate::outcome::Outcome;
use crate::value::Value;

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Local: assign a variable.
    Set(Register, Expr),
    /// Local: go on elsewhere.
    Jump(Pc),
    /// Local: go on elsewhere unless the condition is true.
    Unless(Expr, Pc),
    /// Local: enter a loop of so many rounds. The counter holds the rounds that are left.
    RepeatStart {
        /// The hidden counter.
        counter: Register,
        /// How many rounds; a negative number is an exception.
        rounds: Expr,
    },
    /// Local: one round less, or leave the loop when none is left.
    RepeatNext {
        /// The hidden counter.
        counter: Register,
        /// Where the loop ends.
        end: Pc,
    },
    /// Local: take the first element of the hidden rest list, or leave the loop when it is empty.
    ForNext {
        /// The hidden list of what is still to come.
        rest: Register,
        /// The loop's variable.
        item: Register,
        /// Where the loop ends.
        end: Pc,
    },
    /// Local: go on at one of these places, as the oracle says.
    Choose(Box<[Pc]>),
    /// Local: use the processor.
    Compute(Time),
    /// Local: write a line to the log.
    Log(Expr),
    /// Local: raise an exception unless the condition is true.
    Assert(Expr),
    /// A system call.
    Call(Box<Call>),
    /// The thread ends. Others may wait for that, so it is no local operation.
    End,
}

impl Op {
    /// Where a thread could be after this operation, which stands at `pc`. Where a thread begins that
    /// it starts counts too.
    pub fn successors(&self, pc: Pc, to: &mut Vec<Pc>) {
        match self {
            Op::Jump(target) => to.push(*target),
            Op::Unless(_, target) => to.extend([pc.next(), *target]),
            Op::RepeatNext { end, .. } | Op::ForNext { end, .. } => to.extend([pc.next(), *end]),
            Op::Choose(branches) => to.extend(branches),
            Op::Set(..) | Op::RepeatStart { .. } | Op::Compute(_) | Op::Log(_) | Op::Assert(_) => {
                to.push(pc.next());
            }
            Op::Call(call) => {
                to.extend(call.handlers.iter().map(|(_, handler)| *handler));
                if call.verb.may_return() && call.handler(Outcome::Ok).is_none() {
                    to.push(pc.next());
                }
                if let Verb::StartThread { entry, .. } = call.verb {
                    to.push(entry);
                }
            }
            Op::End => {}
        }
    }

    /// Every expression that this operation evaluates.
    pub fn expressions(&self) -> Vec<&Expr> {
        match self {
            Op::Set(_, expr) | Op::Unless(expr, _) | Op::Log(expr) | Op::Assert(expr) => vec![expr],
            Op::RepeatStart { rounds, .. } => vec![rounds],
            Op::Compute(time) => time.expressions(),
            Op::Call(call) => call.verb.expressions(),
            Op::Jump(_) | Op::RepeatNext { .. } | Op::ForNext { .. } | Op::Choose(_) | Op::End => {
                Vec::new()
            }
        }
    }

    /// The variable that this operation may set, if any. Of a loop over a list it is the item.
    pub fn writes(&self) -> Option<Register> {
        match self {
            Op::Set(register, _)
            | Op::RepeatStart { counter: register, .. }
            | Op::RepeatNext { counter: register, .. }
            | Op::ForNext { item: register, .. } => Some(*register),
            Op::Call(call) => match &call.verb {
                Verb::Receive(receive) => Some(receive.into),
                Verb::Call { into, .. }
                | Verb::Select { into, .. }
                | Verb::Create { into, .. }
                | Verb::CreatePort { into, .. }
                | Verb::CreateSet { into }
                | Verb::Lookup { into, .. }
                | Verb::Open { into, .. } => Some(*into),
                Verb::Spawn(spawn) => spawn.into,
                _ => None,
            },
            _ => None,
        }
    }
}

/// A system call and what follows each of its outcomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is asked of the kernel.
    pub verb: Verb,
    /// Where the thread goes on after an outcome; `ok` goes on behind the call unless listed, any
    /// other outcome that is not listed is an exception.
    pub handlers: Box<[(Outcome, Pc)]>,
}

impl Call {
    /// Where the thread goes on after this outcome, if the step handles it.
    pub fn handler(&self, outcome: Outcome) -> Option<Pc> {
        self.handlers.iter().find(|(handled, _)| *handled == outcome).map(|(_, pc)| *pc)
    }

    /// Where the thread goes on after this call, which stands at `pc`, if all went well.
    pub fn after_ok(&self, pc: Pc) -> Pc {
        self.handler(Outcome::Ok).unwrap_or(pc.next())
    }
}

/// A system call.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// Send a message.
    Send(Send),
    /// Send a request with a reply right, and wait for the answer.
    Call {
        /// The request.
        request: Send,
        /// Where the answer goes.
        into: Register,
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
        max_size: Option<u64>,
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
    /// Enter a name with the name server.
    Register {
        /// What is named.
        object: Expr,
        /// Its name.
        name: Expr,
    },
    /// Take a name back.
    Unregister(Expr),
    /// Ask the name server.
    Lookup {
        /// The name.
        name: Expr,
        /// Where the handle goes.
        into: Register,
        /// How long to wait for a registration.
        wait: Wait,
    },
    /// Open the mailbox behind a path.
    Open {
        /// The path.
        path: Expr,
        /// Where the handle goes.
        into: Register,
        /// What for.
        access: crate::value::Access,
    },
}

impl Verb {
    /// Whether the thread may go on behind it. Behind an exit it does if the code cannot be computed, and a
    /// handler says so.
    pub fn may_return(&self) -> bool {
        !matches!(self, Verb::Exit(Expr::Constant(Value::Int(_))))
    }

    /// Whether a call of this kind that neither waits nor fails tells nothing but that it returns.
    pub(crate) fn has_no_event(&self) -> bool {
        matches!(
            self,
            Verb::Select { .. }
                | Verb::Join { .. }
                | Verb::Lookup { .. }
                | Verb::Open { .. }
                | Verb::Drop(_)
                | Verb::Limit { .. }
                | Verb::Watch { .. }
                | Verb::Insert { .. }
                | Verb::Remove { .. }
        )
    }

    fn expressions(&self) -> Vec<&Expr> {
        let mut found = Vec::new();
        match self {
            Verb::Send(send) | Verb::Call { request: send, .. } => {
                found.extend([&send.to, &send.body]);
                let parts = [&send.size, &send.kind, &send.priority, &send.reply_to];
                found.extend(parts.into_iter().flatten());
                found.extend(send.rights.iter().map(|grant| &grant.port));
                found.extend(&send.hold);
                found.extend(send.wait.expressions());
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
            | Verb::Unregister(expr)
            | Verb::Control(_, Target::Processes(expr))
            | Verb::Open { path: expr, .. } => found.push(expr),
            Verb::Control(_, Target::Threads(threads)) => found.extend(&threads.index),
            Verb::Join { threads, wait } => {
                found.extend(&threads.index);
                found.extend(wait.expressions());
            }
            Verb::Register { object, name } => found.extend([object, name]),
            Verb::Limit { port, limit } => found.extend([port, limit]),
            Verb::Watch { port, notify, .. } => found.extend([port, notify]),
            Verb::Insert { port, into } => found.extend([port, into]),
            Verb::Remove { port, out_of } => found.extend([port, out_of]),
            Verb::CreatePort { limit, .. } => found.extend(limit),
            Verb::Lookup { name, wait, .. } => {
                found.push(name);
                found.extend(wait.expressions());
            }
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

    /// What the step is called in a scenario.
    pub fn word(&self) -> &'static str {
        match self {
            Verb::Send(_) => "send",
            Verb::Call { .. } => "call",
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
            Verb::Register { .. } => "register",
            Verb::Unregister(_) => "unregister",
            Verb::Lookup { .. } => "lookup",
            Verb::Open { .. } => "open",
        }
    }
}

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
    /// Whether the kernel keeps it where there is no room, and whom it tells when it has gone.
    pub hold: Option<Expr>,
    /// How long to wait: a send until the message has gone, a call until the answer is here.
    pub wait: Wait,
}

/// An answer that is to be given.
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
}

/// A right that a message is to carry.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// To which port.
    pub port: Expr,
    /// Which right, and where it comes from.
    pub disposition: Disposition,
}

/// What a sender does with a right that a message is to carry.
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
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Nobody has a send right to the port any more.
    NoSenders,
    /// The port has died, and the own name for it is a dead name.
    DeadName,
    /// The port would be destroyed: its receive right comes with the notice instead.
    PortDestroyed,
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
    /// So long.
    For(Time),
}

impl Wait {
    fn expressions(&self) -> Vec<&Expr> {
        match self {
            Wait::For(time) => time.expressions(),
            Wait::Forever | Wait::Never => Vec::new(),
        }
    }
}

impl Time {
    fn expressions(&self) -> Vec<&Expr> {
        match self {
            Time::Computed(expr) => vec![expr],
            Time::Span(_) => Vec::new(),
        }
    }
}

/// A time span in a program.
#[derive(Clone, Debug, PartialEq)]
pub enum Time {
    /// Written down.
    Span(Span),
    /// Computed when it is needed: a duration value.
    Computed(Expr),
}

/// A process that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Spawn {
    /// The first that the first member of the creator's family can make; those of the others follow.
    pub first: ProcessId,
    /// How many each of them can make.
    pub each: u32,
    /// Where the handle of the new one goes.
    pub into: Option<Register>,
    /// What it finds in its variables.
    pub with: Vec<(Register, Expr)>,
    /// The rights that it gets.
    pub rights: Vec<Grant>,
}

impl Spawn {
    /// The processes that a creator can make here.
    pub fn children_of(
        &self,
        machine: &Machine,
        creator: ProcessId,
    ) -> impl Iterator<Item = ProcessId> + use<> {
        let member = creator.0 - machine.family_of(creator).first.0;
        let first = self.first.0 + member * self.each;
        (first..first + self.each).map(ProcessId)
    }
}

/// What is done to a process, or to a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// It ends.
    Kill,
    /// It takes no step until it is resumed as often.
    Suspend,
    /// One suspension less.
    Resume,
    /// What it waits for ends with `interrupted`.
    Interrupt,
}

impl Command {
    /// What the step is called in a scenario.
    pub fn word(self) -> &'static str {
        match self {
            Command::Kill => "kill",
            Command::Suspend => "suspend",
            Command::Resume => "resume",
            Command::Interrupt => "interrupt",
        }
    }

    /// The command with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Command::Kill, Command::Suspend, Command::Resume, Command::Interrupt];
        all.into_iter().find(|command| command.word() == word)
    }
}

/// Whom a `kill` hits.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A process, or a list of them.
    Processes(Expr),
    /// Threads of the own process.
    Threads(Threads),
}

/// Threads of the own process, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Threads {
    /// The name they were started under.
    pub name: ThreadName,
    /// Only the replica with this index.
    pub index: Option<Expr>,
}
