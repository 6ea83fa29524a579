//! How a plain wait begins, and how it ends by itself.

use ipcsim_program::{Span, Time};

use super::super::prelude::*;
use super::super::wait::forget_waiter;
use super::{Place, Short, replace_plain};
use crate::machine::Detect;

impl<S: Sink> Short<'_, S> {
    /// Whether a call may wait like this, with nothing to compute or look up first.
    pub(super) fn can_wait(&self, wait: &Wait) -> bool {
        match wait {
            Wait::Forever => self.machine.policies.detect == Detect::Report,
            Wait::For(Time::Span(_)) => true,
            Wait::Never | Wait::For(Time::Computed(_)) => false,
        }
    }

    /// A thread that is already in the queue of what it waits for begins to wait. Ask
    /// [`Short::can_wait`] first.
    #[expect(clippy::inline_always, reason = "a call of its own is 2 % of a ping-pong")]
    #[inline(always)]
    pub(super) fn begin_to_wait(&mut self, at: Place, on: BlockedOn, wait: &Wait) {
        let bound = match wait {
            Wait::For(Time::Span(span)) => {
                self.sink.waits(at.0, *span);
                Bound::Bounded
            }
            _ => Bound::Forever,
        };
        self.sink.blocked(at.0);
        if S::EVENTS {
            self.note(at, Kind::Blocked(&on));
        }
        replace_plain(&mut self.state.threads[at.0.index()], ThreadState::Blocked { on, bound });
    }

    pub(super) fn sleep(&mut self, at: Place, span: Span) {
        self.begin_to_wait(at, BlockedOn::Sleep, &Wait::For(Time::Span(span)));
    }

    /// Ends a sleep, or times out a wait for a message of one mailbox.
    pub(super) fn expire(&mut self, t: ThreadId) -> Option<()> {
        let thread = &self.state.threads[t.index()];
        if thread.is_held() {
            return None;
        }
        let pc = thread.pc;
        let call = self.machine.call(pc);
        let ThreadState::Blocked { on, bound: Bound::Bounded } = &thread.state else { return None };
        let (outcome, next) = match on {
            BlockedOn::Sleep => (Outcome::Ok, call.after_ok(pc)),
            BlockedOn::Receive { sources: Sources::One(id), .. } => {
                let next = call.handler(Outcome::TimedOut)?;
                let mailbox = &mut self.state.mailboxes[id.index()];
                if !matches!(mailbox.object, Object::Open) {
                    return None;
                }
                forget_waiter(&mut mailbox.receivers, t);
                (Outcome::TimedOut, next)
            }
            _ => return None,
        };
        let thread = &mut self.state.threads[t.index()];
        thread.state = ThreadState::Ready;
        thread.status = outcome;
        thread.pc = next;
        self.sink.ready(t);
        if S::EVENTS {
            self.note((t, pc), Kind::Returned(outcome));
        }
        Some(())
    }
}
