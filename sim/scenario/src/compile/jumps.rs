//! Jumps to jumps are cut short, so that a thread gets from one call to the next without useless
//! local work.

use ipcsim_kernel::program::Op;
use ipcsim_kernel::{Outcome, Pc};

/// Redirects everything that leads to a jump to where that jump finally leads.
pub(super) fn cut_short(code: &mut [Op]) {
    let ends: Vec<Pc> = (0..code.len()).map(|at| end(code, Pc::at(at))).collect();
    let end = |pc: Pc| ends[pc.index()];
    for (at, op) in code.iter_mut().enumerate() {
        let next = Pc::at(at).next();
        match op {
            Op::Jump(to) | Op::Unless(_, to) => *to = end(*to),
            Op::RepeatNext { end: to, .. } | Op::ForNext { end: to, .. } => *to = end(*to),
            Op::Choose(branches) => branches.iter_mut().for_each(|to| *to = end(*to)),
            Op::Call(call) => {
                let mut handlers = std::mem::take(&mut call.handlers).into_vec();
                for (_, to) in &mut handlers {
                    *to = end(*to);
                }
                let handled = handlers.iter().any(|(outcome, _)| *outcome == Outcome::Ok);
                if !handled && next.index() < ends.len() && end(next) != next {
                    handlers.push((Outcome::Ok, end(next)));
                }
                call.handlers = handlers.into();
            }
            Op::Set(..)
            | Op::RepeatStart { .. }
            | Op::Compute(_)
            | Op::Log(_)
            | Op::Assert(_)
            | Op::Access(_)
            | Op::End => {}
        }
    }
}

/// Where a chain of jumps ends. A circle of jumps ends in itself, and stays the local loop that it
/// is; so the length of the chain is bounded.
fn end(code: &[Op], from: Pc) -> Pc {
    let mut at = from;
    for _ in 0..code.len() {
        match &code[at.index()] {
            Op::Jump(to) => at = *to,
            _ => return at,
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipcsim_kernel::program::{Call, Verb};

    #[test]
    fn chains_of_jumps_are_cut_short_and_circles_stay() {
        let call = Op::Call(Box::new(Call { verb: Verb::Yield, handlers: [].into() }));
        let mut code = vec![call, Op::Jump(Pc(3)), Op::Jump(Pc(2)), Op::Jump(Pc(4)), Op::End];
        cut_short(&mut code);
        let Op::Call(call) = &code[0] else { unreachable!("the call stays where it is") };
        assert_eq!(call.handler(Outcome::Ok), Some(Pc(4)));
        assert_eq!(code[1..4], [Op::Jump(Pc(4)), Op::Jump(Pc(2)), Op::Jump(Pc(4))]);
    }
}
