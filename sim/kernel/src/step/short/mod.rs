//! The short way (a fast path) through the kernel, for what nearly every step is: a plain message through
//! an open mailbox, or a wait for one, with nobody and nothing special involved.
//!
//! Microkernels have had a fast path since L4. Here too it only skips questions whose answers are known,
//! and changes nothing before it knows them; otherwise the step takes the long way from the beginning. It
//! reports the same events as the long way, but when the step is done: they say nothing of the state but
//! what never changes. A sink can insist on the long way, so that the two check each other.

mod receive;
mod send;
mod wait;

use ipcsim_program::{Call, Time};

use super::Transition;
use super::prelude::*;
use crate::eval::{Who, mailbox_member};
use crate::event::Event;
use crate::machine::Machine;
use crate::state::{State, Thread};

/// Performs a transition, if the short way can.
pub(super) fn step<S: Sink>(
    machine: &Machine,
    state: &mut State,
    transition: Transition,
    sink: &mut S,
) -> Option<()> {
    if !S::SHORT_WAY {
        return None;
    }
    let mut short = Short { machine, state, sink };
    match transition {
        Transition::Call(thread) => short.call(thread),
        Transition::Expire(thread) => short.expire(thread),
        Transition::Start(_) | Transition::Local(_) => None,
    }
}

/// A step under way that asks nothing and has no consequences.
struct Short<'a, S> {
    machine: &'a Machine,
    state: &'a mut State,
    sink: &'a mut S,
}

/// A thread and where it stands in its program.
type Place = (ThreadId, Pc);

impl<S: Sink> Short<'_, S> {
    fn call(&mut self, t: ThreadId) -> Option<()> {
        let thread = &self.state.threads[t.index()];
        if !thread.state.is_ready() {
            return None;
        }
        let Op::Call(call) = &self.machine.code[thread.pc.index()] else { return None };
        match &call.verb {
            Verb::Send(send) => self.send(t, call, send),
            Verb::Receive(receive) => self.receive(t, call, receive),
            Verb::Sleep(Time::Span(span)) => {
                self.sleep((t, thread.pc), *span);
                Some(())
            }
            _ => None,
        }
    }

    /// Reports something that happened to a thread where it stood.
    fn note(&mut self, (thread, pc): Place, kind: Kind) {
        let event = Event { thread: Some(thread), pc: Some(pc), kind };
        self.sink.event(self.machine, self.state, &event);
    }
}

fn mailbox_of(machine: &Machine, thread: &Thread, expr: &Expr) -> Option<MailboxId> {
    match expr.peek(&thread.registers) {
        Some(Value::Handle(Handle::Mailbox(mailbox))) => Some(*mailbox),
        Some(_) => None,
        None => member_of(machine, thread, expr),
    }
}

fn member_of(machine: &Machine, thread: &Thread, expr: &Expr) -> Option<MailboxId> {
    let Expr::MailboxMember { first, count, index } = expr else { return None };
    if machine.set_of_mailboxes(*first).is_some() {
        return None;
    }
    let index = Who::of(machine, thread).plain_int(&thread.registers, index)?;
    mailbox_member(*first, *count, index).ok()
}

fn is_plain(mailbox: &Mailbox) -> bool {
    matches!(mailbox.object, Object::Open) && mailbox.existence == Existence::Alive
}

/// A thread's call returns successfully.
fn succeed(thread: &mut Thread, call: &Call) {
    thread.status = Outcome::Ok;
    thread.pc = call.after_ok(thread.pc);
}

/// Like [`succeed`], for a thread that has waited in its call.
fn go_on(machine: &Machine, thread: &mut Thread) {
    thread.state = ThreadState::Ready;
    succeed(thread, machine.call(thread.pc));
}

/// Gives a thread another state, where the previous one owns nothing: it is ready, or waits for anything
/// that comes to one mailbox. Saying so saves the search for something to free.
fn replace_plain(thread: &mut Thread, state: ThreadState) {
    debug_assert!(thread.state.is_ready() || waits_for_anything(thread));
    std::mem::forget(std::mem::replace(&mut thread.state, state));
}

/// Whether a thread in the queue of a mailbox waits there only, and takes what comes.
fn waits_for_anything(thread: &Thread) -> bool {
    let ThreadState::Blocked { on, .. } = &thread.state else { return false };
    !thread.is_held() && matches!(on, BlockedOn::Receive { sources: Sources::One(_), filter: None })
}
