//! Local work that a suspended thread has not done yet. Nobody else takes part in it, so the code ahead of the
//! thread is judged as if it were done: it makes no difference whether the thread was stopped before or after it.

use std::borrow::Cow;

use ipcsim_program::{Edges, Function, Tour, Walking};

use super::prelude::*;
use super::{Transition, step};
use crate::machine::Machine;
use crate::state::State;

/// The state in which these threads have done their local work, if that work asks nobody anything.
pub(crate) fn with_local_work_done<'a>(
    machine: &Machine,
    state: &'a State,
    among: &[ThreadId],
) -> Cow<'a, State> {
    let mut done = Cow::Borrowed(state);
    for t in among {
        let thread = &state.threads[t.index()];
        let stands_before_some = matches!(&thread.state,
            ThreadState::Suspended(then) if **then == ThreadState::Ready)
            && machine.code[thread.pc.index()].may_be_local();
        if stands_before_some && asks_nobody(machine, thread.pc) {
            step(machine, done.to_mut(), Transition::Local(*t), &mut Unasked, &mut Unheard);
        }
    }
    done
}

/// Whether the local work that begins here has only one possible result.
fn asks_nobody(machine: &Machine, from: Pc) -> bool {
    let asks = |expr: &Expr| matches!(expr, Expr::Function(Function::Random | Function::Now, _));
    let mut in_one_way = true;
    Tour::over(&machine.code).walk(&machine.code, [from], Edges::Possible, |_, op| {
        if !op.may_be_local() {
            return Walking::No;
        }
        in_one_way &= !matches!(op, Op::Choose(_));
        op.expressions(&mut |expr| in_one_way &= !expr.contains(&asks));
        Walking::On
    });
    in_one_way
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
