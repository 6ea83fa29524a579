//! Local work that a suspended thread has not done yet. Nobody else takes part in it, so what is ahead of the
//! thread is judged as if it were done: it makes no difference whether the thread was stopped before or behind it.

use std::borrow::Cow;

use ipcsim_program::{Expr, Function, Op, Pc, ThreadId};

use crate::machine::Machine;
use crate::oracle::{Oracle, Question, Sink};
use crate::state::{State, ThreadState};
use crate::step::{Transition, step};

/// The state in which these threads have done their local work, where that asks nobody anything.
pub(super) fn with_local_work_done<'a>(
    machine: &Machine,
    state: &'a State,
    among: &[ThreadId],
) -> Cow<'a, State> {
    let mut done = Cow::Borrowed(state);
    for t in among {
        let thread = &state.threads[t.index()];
        let stands_before_some = matches!(&thread.state,
            ThreadState::Suspended(then) if **then == ThreadState::Ready)
            && is_local(machine, thread.pc);
        if stands_before_some && asks_nobody(machine, thread.pc) {
            step(machine, done.to_mut(), Transition::Local(*t), &mut Unasked, &mut Unheard);
        }
    }
    done
}

fn is_local(machine: &Machine, pc: Pc) -> bool {
    !matches!(machine.code[pc.index()], Op::Call(_) | Op::End)
}

/// Whether local work that begins here comes out in one way only.
fn asks_nobody(machine: &Machine, from: Pc) -> bool {
    let asks = |expr: &Expr| matches!(expr, Expr::Function(Function::Random | Function::Now, _));
    let mut open = vec![from];
    let mut known = vec![false; machine.code.len()];
    while let Some(pc) = open.pop() {
        if !is_local(machine, pc) || std::mem::replace(&mut known[pc.index()], true) {
            continue;
        }
        let op = &machine.code[pc.index()];
        if matches!(op, Op::Choose(_)) || op.expressions().iter().any(|expr| expr.contains(&asks)) {
            return false;
        }
        op.successors(pc, &mut open);
    }
    true
}

/// Nobody asks it anything.
struct Unasked;

impl Oracle for Unasked {
    fn choose(&mut self, question: Question) -> u64 {
        unreachable!("this local work asks nothing, not {question:?}")
    }
}

/// Nobody listens.
struct Unheard;

impl Sink for Unheard {
    const EVENTS: bool = false;
}
