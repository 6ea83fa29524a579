//! Local work: what a thread does by itself between two system calls. Nobody else sees it.

use ipcsim_program::{Function, misuse};

use super::Progress;
use super::prelude::*;
use crate::oracle::Computing;

/// Where local work goes on, or why it stops.
enum Next {
    Go(Pc),
    Stop(Progress),
}

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn local(&mut self, t: ThreadId) -> Progress {
        // An `exec` may have taken its code away.
        if let ThreadState::Raising(_) = self.thread(t).state {
            return Progress::Raised;
        }
        let mut operations = 0;
        // Visiting long values counts as many operations.
        while operations + self.handled / limits::HANDLED_AT_ONCE < limits::LOCAL_OPERATIONS {
            operations += 1;
            match self.local_operation(t) {
                Ok(Next::Go(pc)) => self.thread_mut(t).pc = pc,
                Ok(Next::Stop(progress)) => return progress,
                Err(fault) => {
                    self.set_going(t, ThreadState::Raising(fault));
                    return Progress::Raised;
                }
            }
        }
        Progress::Endless
    }

    fn local_operation(&mut self, t: ThreadId) -> Result<Next, Fault> {
        let machine = self.machine;
        let pc = self.thread(t).pc;
        let next = match &machine.code[pc.index()] {
            Op::Call(_) | Op::End => return Ok(Next::Stop(Progress::AtCall)),
            Op::Access(access) if self.is_alone_with(t, access) => self.access(t, access)?,
            Op::Access(_) => return Ok(Next::Stop(Progress::AtAccess)),
            Op::Jump(to) => *to,
            Op::Set(register, expr) => {
                self.assign(t, *register, expr)?;
                pc.next()
            }
            Op::Unless(condition, to) => {
                if self.eval(t, condition)?.truth()? {
                    pc.next()
                } else {
                    *to
                }
            }
            Op::RepeatStart { counter, rounds } => {
                let rounds = self.eval(t, rounds)?;
                match rounds {
                    Value::Int(0..) => {}
                    Value::Int(_) => return Err(Fault::Negative),
                    other => return Err(misuse::needs("`repeat` needs an integer", &other)),
                }
                self.set(t, *counter, rounds);
                pc.next()
            }
            Op::RepeatNext { counter, end } => self.repeat(t, *counter, pc, *end),
            Op::ForNext { rest, item, end } => self.for_next(t, *rest, *item, pc, *end)?,
            Op::Choose(branches) => {
                let question = Question::Branch { count: branches.len() as u64 };
                let answer = self.ask(Some(t), question);
                branches[usize::try_from(answer).expect("an answer below the number of branches")]
            }
            Op::Compute(time) => {
                let span = self.span(t, time)?;
                if self.oracle.computing(pc) == Computing::TakesTime {
                    self.thread_mut(t).pc = pc.next();
                    return Ok(Next::Stop(Progress::Computes(span)));
                }
                pc.next()
            }
            Op::Log(text) => {
                let text = self.eval(t, text)?;
                self.note(Some(t), Kind::Logged(&text));
                self.sink.logged(t);
                pc.next()
            }
            Op::Assert(condition) => {
                if !self.eval(t, condition)?.truth()? {
                    return Err(Fault::AssertFailed);
                }
                pc.next()
            }
        };
        Ok(Next::Go(next))
    }

    fn repeat(&mut self, t: ThreadId, counter: Register, pc: Pc, end: Pc) -> Pc {
        match &mut self.thread_mut(t).registers[counter.index()] {
            Value::Int(0) => end,
            Value::Int(left) => {
                *left -= 1;
                pc.next()
            }
            other => unreachable!("a loop's counter is an integer, not {other:?}"),
        }
    }

    fn assign(&mut self, t: ThreadId, to: Register, expr: &Expr) -> Result<(), Fault> {
        match expr {
            Expr::Function(Function::Push, arguments) if arguments[0] == Expr::Variable(to) => {
                self.push(t, to, &arguments[1])
            }
            expr => {
                let value = self.eval(t, expr)?;
                self.set(t, to, value);
                Ok(())
            }
        }
    }

    /// `set: {list: push(list, x)}`: a list that nobody else shares is not copied, so a program may build a
    /// long one item by item.
    fn push(&mut self, t: ThreadId, list: Register, item: &Expr) -> Result<(), Fault> {
        let item = self.eval(t, item)?;
        match &mut self.thread_mut(t).registers[list.index()] {
            Value::List(list) => Arc::make_mut(list).push(item),
            other => Err(misuse::needs("`push` needs a list", other)),
        }
    }

    fn for_next(
        &mut self,
        t: ThreadId,
        rest: Register,
        item: Register,
        pc: Pc,
        end: Pc,
    ) -> Result<Pc, Fault> {
        let Value::List(list) = &mut self.thread_mut(t).registers[rest.index()] else {
            let other = &self.thread(t).registers[rest.index()];
            return Err(misuse::needs("`for` needs a list in `in`", other));
        };
        if list.items().is_empty() {
            return Ok(end);
        }
        let next = Arc::make_mut(list).pop().expect("it is not empty");
        self.set(t, item, next);
        Ok(pc.next())
    }
}
