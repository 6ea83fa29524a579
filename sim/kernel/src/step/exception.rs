//! Exceptions: an exception is sent to the port of its thread, then to that of its process; whoever
//! answers `resume` lets the thread go on. If nobody does, the process fails.
//!
//! A thread that has raised an exception waits for the answer just like a caller: whatever can happen
//! to a request can happen to an exception.

use ipcsim_program::{self as program, Ghost, ReplyRight};

use super::offer::Whereabouts;
use super::prelude::*;
use crate::machine::Level;
use crate::state::Raised;

/// What a handler answers to let a thread go on.
const RESUME: &str = "resume";

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// A thread raises an exception.
    pub(super) fn fail(&mut self, t: ThreadId, fault: Fault) {
        self.note(Some(t), Kind::Raised(&fault));
        let levels = [Level::Thread, Level::Process];
        match self.next_handler(t, &levels).filter(|_| fault.is_exception()) {
            Some((port, level)) => self.ask_handler(t, fault, port, level),
            None => self.end_as_failed(t, fault),
        }
    }

    /// The first of these handlers that exists.
    fn next_handler(&self, t: ThreadId, levels: &[Level]) -> Option<(MailboxId, Level)> {
        let ports = levels.iter().filter_map(|level| {
            let port = self.machine.exception_port(self.thread(t).called(), *level)?;
            Some((port, *level))
        });
        let mut alive = ports.filter(|(port, _)| self.mailbox(*port).existence == Existence::Alive);
        alive.next()
    }

    fn end_as_failed(&mut self, t: ThreadId, fault: Fault) {
        let thread = self.thread(t);
        let (process, pc) = (thread.process, thread.pc);
        self.end_process(process, End::Failed(fault, Ghost(pc)));
    }

    /// Sends an exception and makes the thread wait for the answer. It arrives however full the port is.
    fn ask_handler(&mut self, t: ThreadId, fault: Fault, port: MailboxId, level: Level) {
        let thread = self.thread_mut(t);
        thread.calls.0 = thread.calls.0.wrapping_add(1);
        let right = ReplyRight { caller: t, call: thread.calls.0 };
        let sender = thread.process;
        let body = Value::Text(fault.message().into());
        let extras = Extras {
            kind: Value::Text(fault.kind()),
            then: Then::AwaitReply { caller: t, right },
            ..Extras::default()
        };
        thread.control(|control| control.raised = Some(Raised { fault, level }));
        // It counts as waiting until it is known for whom.
        thread.state = ThreadState::Blocked { on: BlockedOn::Sleep, bound: Bound::Forever };
        let size = body.size_bytes();
        let message = self.new_message(sender, (port, Route::Once), (body, size), extras.boxed());
        let whereabouts = self.force(Some(t), message);
        if self.thread_has_ended(t) {
            return;
        }
        let holder = match whereabouts {
            Whereabouts::Stored(mailbox) => Holder::Queued(mailbox),
            Whereabouts::With(process) => Holder::Taken(process),
            Whereabouts::Destroyed => return self.handler_is_lost(t),
        };
        let on = BlockedOn::Reply { right, holder };
        self.enlist(t, &on, None);
        self.sink.blocked(t);
        self.note(Some(t), Kind::Blocked(&on));
        self.thread_mut(t).state = ThreadState::Blocked { on, bound: Bound::Forever };
    }

    /// A handler has answered; the thread no longer waits.
    pub(super) fn handler_answers(&mut self, t: ThreadId, answer: &Arc<Message>) {
        self.note(Some(t), Kind::Received(answer));
        if !matches!(&answer.body, Value::Text(text) if &**text == RESUME) {
            return self.handler_is_lost(t);
        }
        self.note(Some(t), Kind::Resumed(t));
        let then = match self.thread(t).raised() {
            // Its code is still gone.
            Some(raised) if raised.fault.is_for_good() => {
                ThreadState::Raising(raised.fault.clone())
            }
            _ => {
                self.thread_mut(t).pc = self.behind(t);
                ThreadState::Ready
            }
        };
        self.thread_mut(t).control(|control| control.raised = None);
        self.make_ready(t, then);
    }

    /// Nobody will answer, or the answer does not let the thread go on: the next handler is asked.
    pub(super) fn handler_is_lost(&mut self, t: ThreadId) {
        self.thread_mut(t).state = ThreadState::Ready;
        let mut raised = None;
        self.thread_mut(t).control(|control| raised = control.raised.take());
        let Some(Raised { fault, level }) = raised else {
            unreachable!("only a thread that has raised an exception has a handler");
        };
        let left: &[Level] = match level {
            Level::Thread => &[Level::Process],
            Level::Process => &[],
        };
        match self.next_handler(t, left) {
            Some((port, level)) => self.ask_handler(t, fault, port, level),
            None => {
                self.note(Some(t), Kind::Unhandled(&fault));
                self.end_as_failed(t, fault);
            }
        }
    }

    /// Where a thread goes on after an exception. What the failed operation should have set is `none`.
    fn behind(&mut self, t: ThreadId) -> Pc {
        let machine = self.machine;
        if !matches!(self.thread(t).raised(), Some(Raised { fault: Fault::Unhandled(_), .. })) {
            self.thread_mut(t).status = Outcome::Ok;
        }
        let pc = self.thread(t).pc;
        for register in machine.code[pc.index()].writes() {
            self.set(t, register, Value::None);
        }
        program::behind(&machine.code, pc)
    }
}
