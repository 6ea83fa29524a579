//! The value of an expression, if nothing that is still to come can change it.

use ipcsim_program::{Expr, Function, Value};

use crate::eval::{Scope, Who};
use crate::machine::Machine;
use crate::oracle::{Oracle, Question};
use crate::state::Thread;

/// The value of an expression for a thread, if it asks nobody and reads none of the variables marked as
/// still to be written.
pub fn settled(machine: &Machine, thread: &Thread, written: &[bool], expr: &Expr) -> Option<Value> {
    if !is_settled(expr, written) {
        return None;
    }
    let mut scope = Scope {
        machine,
        registers: &thread.registers,
        who: Who::of(machine, thread),
        status: thread.status,
        oracle: &mut Nobody,
        handled: 0,
    };
    // An exception here is one that the thread will raise; it reaches nothing then.
    Some(scope.eval(expr).unwrap_or(Value::None))
}

fn is_settled(expr: &Expr, written: &[bool]) -> bool {
    match expr {
        Expr::Variable(register) => !written.get(register.index()).is_some_and(|it| *it),
        // A thread started from this one has an index of its own.
        Expr::Status | Expr::ThreadIndex => false,
        Expr::Function(Function::Random | Function::Now, _) => false,
        other => other.children().into_iter().all(|child| is_settled(child, written)),
    }
}

/// Answers no question: settled expressions ask none.
struct Nobody;

impl Oracle for Nobody {
    fn choose(&mut self, question: Question) -> u64 {
        unreachable!("a settled expression asks nothing, not {question:?}")
    }

    fn now_ns(&mut self) -> i64 {
        unreachable!("a settled expression does not ask for the time")
    }
}
