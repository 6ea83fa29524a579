//! Predicates over states: what a claim says about one moment, seen from outside.
//!
//! A predicate first looks at a few things (the probes), then computes with what it saw by the same
//! rules as the threads' own expressions.

use ipcsim_program::{
    Expr, Fault, MailboxId, Outcome, ProcessId, Register, ThreadId, ThreadName, Value,
};

use crate::eval::{Scope, Who};
use crate::machine::Machine;
use crate::oracle::{Oracle, Question};
use crate::state::{State, ThreadState};

/// A predicate over states.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicate {
    /// What is looked at.
    pub probes: Vec<Probe>,
    /// What is computed with it; a variable stands for what the probe of that number saw.
    pub expr: Expr,
}

/// One thing that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// A variable of a thread; `none` if there is no such thread yet.
    Variable {
        /// Whose thread.
        process: ProcessId,
        /// The thread's name.
        thread: ThreadName,
        /// Which replica of its name, from 1.
        index: u32,
        /// Which variable.
        register: Register,
    },
    /// Whether a process has ended.
    Ended(ProcessId),
    /// Whether a process waits: one of its threads does, and none of them can move by itself.
    Blocked(ProcessId),
    /// How many messages a mailbox holds.
    Stored(MailboxId),
    /// How much kernel memory is used, in bytes.
    KernelUsed,
}

impl Predicate {
    /// What its probes see.
    pub fn sight(&self, state: &State) -> Vec<Value> {
        self.probes.iter().map(|probe| probe.look(state)).collect()
    }

    /// Whether it holds in a state; an exception if it cannot be computed there.
    pub fn holds(&self, machine: &Machine, state: &State) -> Result<bool, Fault> {
        let registers = self.sight(state);
        let mut scope = Scope {
            machine,
            registers: &registers,
            who: Who { process: ProcessId(0), index: 0, thread_index: 0, scalar: None },
            status: Outcome::Ok,
            oracle: &mut Nobody,
            handled: 0,
        };
        scope.eval(&self.expr)?.truth()
    }
}

impl Probe {
    fn look(&self, state: &State) -> Value {
        match *self {
            // After an `exec`, registers are variables of another program.
            Probe::Variable { process, .. } if state.processes[process.index()].image.is_some() => {
                Value::None
            }
            Probe::Variable { process, thread, index, register } => {
                match thread_called(state, process, thread, index) {
                    Some(t) => state.registers_of(t)[register.index()].clone(),
                    None => Value::None,
                }
            }
            Probe::Ended(process) => Value::of_truth(state.has_ended(process)),
            Probe::Blocked(process) => Value::of_truth(waits(state, process)),
            Probe::Stored(mailbox) => count(state.mailboxes[mailbox.index()].messages.len() as u64),
            Probe::KernelUsed => count(state.memory.used),
        }
    }
}

fn count(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The thread with this name. If there are several: a living one rather than an ended one, then the latest.
fn thread_called(
    state: &State,
    process: ProcessId,
    name: ThreadName,
    index: u32,
) -> Option<ThreadId> {
    let called = |t: &ThreadId| {
        let thread = &state.threads[t.index()];
        thread.name == name && thread.index == index
    };
    state.threads_of(process).filter(called).max_by_key(|t| {
        let ended = state.threads[t.index()].state.is_ended();
        (!ended, *t)
    })
}

fn waits(state: &State, process: ProcessId) -> bool {
    let states = || state.threads_of(process).map(|t| &state.threads[t.index()].state);
    states().any(|it| matches!(it, ThreadState::Blocked { .. }))
        && states().all(|it| matches!(it, ThreadState::Blocked { .. } | ThreadState::Ended))
}

/// Predicates use no random numbers and no time; the compiler makes sure of that.
struct Nobody;

impl Oracle for Nobody {
    fn choose(&mut self, _: Question) -> u64 {
        0
    }
}
