//! Programs: what a thread executes. Structure has become jumps, names have become numbers.
//!
//! There are two kinds of operations: *local* ones touch nothing but the thread's own variables;
//! *system calls* are where the kernel, and everybody else, is involved. A scheduling point is just
//! before a system call, and nowhere else.

use crate::effects::Effect;
use crate::expr::Expr;
use crate::ids::{Pc, Register};
use crate::outcome::Outcome;
use crate::parts::{AccessKind, MemoryAccess, Time};
use crate::verb::Verb;

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Local: assign a variable.
    Set(Register, Expr),
    /// Local: go on elsewhere.
    Jump(Pc),
    /// Local: go on elsewhere unless the condition is true.
    Unless(Expr, Pc),
    /// Local: enter a loop of this many rounds. The counter holds the rounds that are left.
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
    /// Local: take the last element of the hidden rest list, or leave the loop when it is empty.
    ForNext {
        /// The hidden list of what is still to come, from the back to the front.
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
    /// Access to memory: local as long as nobody else can see the region, otherwise a scheduling point as a call is.
    Access(Box<MemoryAccess>),
    /// A system call.
    Call(Box<Call>),
    /// The thread ends. Others may wait for that, so it is no local operation.
    End,
}

impl Op {
    /// Calls `look` with every expression that this operation evaluates.
    pub fn expressions<'a>(&'a self, look: &mut impl FnMut(&'a Expr)) {
        match self {
            Op::Set(_, expr) | Op::Unless(expr, _) | Op::Log(expr) | Op::Assert(expr) => look(expr),
            Op::RepeatStart { rounds, .. } => look(rounds),
            Op::Compute(time) => time.expression().into_iter().for_each(look),
            Op::Access(_) | Op::Call(_) => self.effects(&mut |effect| {
                if let Effect::Reads(expr) = effect {
                    look(expr);
                }
            }),
            Op::Jump(_) | Op::RepeatNext { .. } | Op::ForNext { .. } | Op::Choose(_) | Op::End => {}
        }
    }

    /// The variables that this operation may set. For a loop over a list, it is the item.
    pub fn writes(&self) -> impl Iterator<Item = Register> + use<> {
        let of_call = match self {
            Op::Call(call) => Some(call.verb.writes()),
            _ => None,
        };
        self.writes_locally().into_iter().chain(of_call.into_iter().flatten())
    }

    fn writes_locally(&self) -> Option<Register> {
        match self {
            Op::Set(register, _)
            | Op::RepeatStart { counter: register, .. }
            | Op::RepeatNext { counter: register, .. }
            | Op::ForNext { item: register, .. } => Some(*register),
            Op::Access(access) => match access.kind {
                AccessKind::Read { into, .. } => Some(into),
                AccessKind::Write { .. } => None,
            },
            Op::Call(_)
            | Op::Jump(_)
            | Op::Unless(..)
            | Op::Choose(_)
            | Op::Compute(_)
            | Op::Log(_)
            | Op::Assert(_)
            | Op::End => None,
        }
    }

    /// Whether it touches nothing but the thread's own variables.
    pub fn is_local(&self) -> bool {
        !matches!(self, Op::Access(_) | Op::Call(_) | Op::End)
    }

    /// Whether a thread may perform it as part of its local work.
    pub fn may_be_local(&self) -> bool {
        self.is_local() || matches!(self, Op::Access(_))
    }

    /// Reports everything that it may do, if it is a call or an access.
    pub fn effects<'a>(&'a self, tell: &mut impl FnMut(Effect<'a>)) {
        match self {
            Op::Call(call) => call.verb.effects(tell),
            Op::Access(access) => access.effects(tell),
            _ => {}
        }
    }

    /// Whether it is a call, or an access, that may have such an effect.
    pub fn may(&self, such: impl Fn(Effect) -> bool) -> bool {
        let mut found = false;
        self.effects(&mut |effect| found |= such(effect));
        found
    }
}

/// A system call and what follows each of its outcomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is asked of the kernel.
    pub verb: Verb,
    /// Where the thread goes on after an outcome; `ok` goes on after the call unless listed, any
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

/// Where a thread goes on if it is resumed after an exception in the operation at `pc`: a call counts as
/// successful, a condition as false, a loop as having no rounds left.
pub fn behind(code: &[Op], pc: Pc) -> Pc {
    match &code[pc.index()] {
        Op::Unless(_, otherwise) => *otherwise,
        Op::ForNext { end, .. } => *end,
        Op::RepeatStart { .. } => match &code[pc.next().index()] {
            Op::RepeatNext { end, .. } => *end,
            other => unreachable!("a loop begins with its test, not with {other:?}"),
        },
        Op::Call(call) => call.after_ok(pc),
        _ => pc.next(),
    }
}
