//! The short way through the kernel, for what nearly every call is: a plain message through an open
//! mailbox, with nobody and nothing special in its way.
//!
//! Microkernels have had such a way since L4. Here too it only leaves out questions whose answers are
//! known, and it changes nothing before it has found that they are: otherwise the call takes the long
//! way from the beginning. Whoever wants to see events sees the long way, so that a run with a trace and
//! a run without one check each other.

use std::sync::Arc;

use super::Step;
use crate::ids::{MailboxId, ThreadId};
use crate::machine::{Detect, Machine, MailboxKind, Pick, Wake};
use crate::message::{Message, Then};
use crate::object::mailbox::{Existence, Mailbox, Room};
use crate::object::memory::Fit;
use crate::oracle::{Oracle, Sink};
use crate::outcome::Outcome;
use crate::program::{Receive, Time, Verb, Wait};
use crate::state::{BlockedOn, Bound, Sources, State, Thread, ThreadState};
use crate::value::Value;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// Hands a message to the receiver that waits for it, or stores it; gives it back if that takes
    /// more thought.
    pub(super) fn send_at_once(
        &mut self,
        t: ThreadId,
        message: Arc<Message>,
    ) -> Result<(), Arc<Message>> {
        let machine = self.machine;
        let State { threads, mailboxes, memory, .. } = &mut *self.state;
        let mailbox = &mut mailboxes[message.mailbox.index()];
        let plain = !S::EVENTS
            && is_plain(mailbox)
            && mailbox.memory_waiters == 0
            && message.then() == Then::Return
            && machine.policies.wake == Wake::HandOver;
        if !plain {
            return Err(message);
        }
        if let Some(receiver) = mailbox.receivers.front().copied() {
            let thread = &mut threads[receiver.index()];
            let first = mailbox.spec.receiver == Pick::Fifo && mailbox.messages.is_empty();
            if !first || !waits_for_anything(thread) {
                return Err(message);
            }
            mailbox.receivers.pop_front();
            thread.state = ThreadState::Ready;
            self.sink.copied(message.size);
            self.sink.received(receiver);
            take(machine, thread, message);
            self.sink.ready(receiver);
        } else {
            let stores = mailbox.senders.is_empty()
                && mailbox.room(message.size) == Room::Free
                && memory.offer(message.size) == Fit::Now;
            if !stores {
                return Err(message);
            }
            memory.charge(message.size);
            self.sink.copied(message.size);
            mailbox.store(message);
        }
        succeed(machine, &mut threads[t.index()]);
        Ok(())
    }

    /// Takes the first message of a mailbox, or begins to wait for one; says whether it did.
    pub(super) fn receive_at_once(
        &mut self,
        t: ThreadId,
        source: MailboxId,
        receive: &Receive,
    ) -> bool {
        let machine = self.machine;
        let State { threads, mailboxes, memory, .. } = &mut *self.state;
        let mailbox = &mut mailboxes[source.index()];
        let thread = &mut threads[t.index()];
        let plain = !S::EVENTS
            && is_plain(mailbox)
            && mailbox.senders.is_empty()
            && receive.kind.is_none()
            && receive.max_size.is_none()
            && thread.state.is_ready();
        if !plain {
            return false;
        }
        if let Some(first) = mailbox.messages.front() {
            if first.then() != Then::Return || !memory.waiting.is_empty() {
                return false;
            }
            let message = mailbox.take(0);
            memory.release(message.size);
            self.sink.copied(message.size);
            self.sink.received(t);
            take(machine, thread, message);
            return true;
        }
        let bound = match &receive.wait {
            Wait::Forever if machine.policies.detect == Detect::Report => Bound::Forever,
            Wait::For(Time::Span(span)) => {
                self.sink.waits(t, *span);
                Bound::Bounded
            }
            Wait::Forever | Wait::Never | Wait::For(Time::Computed(_)) => return false,
        };
        self.sink.blocked(t);
        mailbox.receivers.push_back(t);
        let on = BlockedOn::Receive { sources: Sources::One(source), filter: None };
        thread.state = ThreadState::Blocked { on, bound };
        true
    }
}

fn is_plain(mailbox: &Mailbox) -> bool {
    mailbox.spec.kind == MailboxKind::Open && mailbox.existence == Existence::Alive
}

/// Whether a thread in the queue of a mailbox waits there only, and takes what comes.
fn waits_for_anything(thread: &Thread) -> bool {
    let ThreadState::Blocked { on, .. } = &thread.state else { return false };
    matches!(on, BlockedOn::Receive { sources: Sources::One(_), filter: None })
}

/// A thread's receive returns with a message.
fn take(machine: &Machine, thread: &mut Thread, message: Arc<Message>) {
    let Verb::Receive(receive) = &machine.call(thread.pc).verb else {
        unreachable!("a thread that waits for messages is in a receive")
    };
    thread.registers[receive.into.index()] = Value::Message(message);
    succeed(machine, thread);
}

/// A thread's call returns, and all went well.
fn succeed(machine: &Machine, thread: &mut Thread) {
    thread.status = Outcome::Ok;
    thread.pc = machine.call(thread.pc).after_ok(thread.pc);
}
