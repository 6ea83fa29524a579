//! Which variables may still be read. Dead variables are forgotten, so that states that differ only
//! in those are one state.

use ipcsim_kernel::program::{Effect, Op, look_ahead};
use ipcsim_kernel::{
    Expr, Machine, Outcome, Pc, Predicate, Probe, Register, Thread, ThreadState, Value,
};

/// The last bit stands for the outcome of the last call.
const STATUS: u64 = 1 << 63;
/// Programs with more variables forget nothing.
const MOST: usize = 63;

/// For each place in the code, the variables that a thread may still read from there on.
pub(crate) struct Live {
    at: Vec<u64>,
    /// Variables that predicates read.
    watched: u64,
}

impl Live {
    /// Computes the fixpoint over the code. What predicates read is never forgotten.
    pub(crate) fn new(machine: &Machine, predicates: &[Predicate]) -> Self {
        let probes = predicates.iter().flat_map(|predicate| &predicate.probes);
        let watched = probes.fold(0, |bits, probe| match probe {
            Probe::Variable { register, .. } => bits | bit(*register),
            _ => bits,
        });
        let at = look_ahead(&machine.code, || 0, |pc, op, at| reads(op) | after(op, pc, at));
        Self { at, watched }
    }

    /// Forgets the variables that a thread will never read again.
    pub(crate) fn forget(&self, thread: &mut Thread) {
        if thread.registers.len() > MOST {
            return;
        }
        let live = match thread.state {
            ThreadState::Ended => self.watched,
            _ => self.at[thread.pc.index()] | self.watched,
        };
        for (number, value) in thread.registers.iter_mut().enumerate() {
            if live & (1 << number) == 0 {
                *value = Value::None;
            }
        }
        if live & STATUS == 0 {
            thread.status = Outcome::Ok;
        }
    }
}

fn bit(register: Register) -> u64 {
    if register.index() < MOST { 1 << register.index() } else { 0 }
}

/// What is live after an operation, without what it sets itself.
fn after(op: &Op, pc: Pc, at: &[u64]) -> u64 {
    let sets = op.writes().map_or(0, bit);
    let behind = || {
        let mut next = Vec::new();
        op.successors(pc, &mut next);
        next.iter().fold(0, |bits, to| bits | at[to.index()])
    };
    match op {
        Op::Set(..) | Op::RepeatStart { .. } => behind() & !sets,
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
                Effect::Starts(_, entry) => others |= at[entry.index()],
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
