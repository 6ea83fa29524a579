//! Which variables may still be read: *live* variables, by the usual fixpoint over the code, backwards.

use crate::{Effect, Expr, Op, Outcome, Pc, Register, look_ahead};

/// The last bit stands for the outcome of the last call.
const STATUS: u64 = 1 << 63;
/// Of programs with more variables, all count as live.
const MOST: usize = 63;

/// For each place in the code, what a thread that stands there may still read.
pub struct Liveness {
    at: Vec<u64>,
}

impl Liveness {
    /// Analyses this code.
    pub fn of(code: &[Op]) -> Self {
        Self { at: look_ahead(code, || 0, |pc, op, at| reads(op) | after(op, pc, at)) }
    }

    /// Whether a thread with so many variables may still read this one.
    pub fn is_live(&self, at: Pc, register: Register, variables: usize) -> bool {
        variables > MOST || self.at[at.index()] & bit(register) != 0
    }

    /// Whether it may still read the outcome of its last call.
    pub fn status_is_live(&self, at: Pc, variables: usize) -> bool {
        variables > MOST || self.at[at.index()] & STATUS != 0
    }
}

fn bit(register: Register) -> u64 {
    if register.index() < MOST { 1 << register.index() } else { 0 }
}

/// What is live after an operation, without what it sets itself.
fn after(op: &Op, pc: Pc, at: &[u64]) -> u64 {
    let sets = op.writes().fold(0, |bits, register| bits | bit(register));
    let behind = || {
        let mut next = Vec::new();
        op.successors(pc, &mut next);
        next.iter().fold(0, |bits, to| bits | at[to.index()])
    };
    match op {
        Op::Set(..) | Op::RepeatStart { .. } | Op::Access(_) => behind() & !sets,
        // After the loop, the item is still the last one.
        Op::ForNext { end, .. } => (at[pc.next().index()] & !sets) | at[end.index()],
        // Only a call that ends with `ok` sets its variable, even if a handler leads to the same
        // place. Unless it keeps the status, every call sets its outcome.
        Op::Call(call) => {
            let ok = if call.verb.may_return() { at[call.after_ok(pc).index()] } else { 0 };
            let handlers = call.handlers.iter().filter(|(outcome, _)| *outcome != Outcome::Ok);
            let mut others = handlers.fold(0, |bits, (_, to)| bits | at[to.index()]);
            let mut outcome = STATUS;
            call.verb.effects(&mut |effect| match effect {
                Effect::Starts(_, entry) | Effect::Forks(Some(entry)) => {
                    others |= at[entry.index()];
                }
                Effect::KeepsStatus => outcome = 0,
                _ => {}
            });
            ((ok & !sets) | others) & !outcome
        }
        _ => behind(),
    }
}

fn reads(op: &Op) -> u64 {
    let mut bits = match op {
        Op::RepeatNext { counter, .. } => bit(*counter),
        Op::ForNext { rest, .. } => bit(*rest),
        _ => 0,
    };
    op.expressions(&mut |expr| {
        expr.visit(&mut |part| match part {
            Expr::Variable(register) => bits |= bit(*register),
            Expr::Status => bits |= STATUS,
            _ => {}
        });
    });
    bits
}
