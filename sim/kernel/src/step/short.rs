//! The short way through the kernel, for what nearly every call is: a plain message through an open
//! mailbox, with nobody and nothing special in its way.
//!
//! Microkernels have had such a way since L4. Here too it only leaves out questions whose answers are
//! known, and it changes nothing before it has found that they are: otherwise the call takes the long
//! way from the beginning. Whoever wants to see events sees the long way, so that a run with a trace and
//! a run without one check each other.

use std::sync::Arc;

use crate::expr::{Expr, Who, mailbox_member};
use crate::ids::{MailboxId, ThreadId};
use crate::machine::{Detect, Machine, MailboxKind, Pick, Wake};
use crate::message::{Message, Route, Then};
use crate::object::mailbox::{Existence, Mailbox, Room};
use crate::object::memory::{Fit, KernelMemory};
use crate::oracle::Sink;
use crate::outcome::Outcome;
use crate::program::{Call, From, Op, Receive, Send, Time, Verb, Wait};
use crate::state::{BlockedOn, Bound, Sources, State, Thread, ThreadState};
use crate::value::{Handle, Value};

/// Performs the call that a thread stands before, if that can be done in the short way.
pub(super) fn call<S: Sink>(
    machine: &Machine,
    state: &mut State,
    t: ThreadId,
    sink: &mut S,
) -> Option<()> {
    let thread = &state.threads[t.index()];
    if S::EVENTS || !thread.state.is_ready() {
        return None;
    }
    let Op::Call(call) = &machine.code[thread.pc.index()] else { return None };
    match &call.verb {
        Verb::Send(what) => send(machine, state, t, call, what, sink),
        Verb::Receive(what) => receive(machine, state, t, call, what, sink),
        _ => None,
    }
}

/// Hands a message to the receiver that waits for it, or stores it.
fn send<S: Sink>(
    machine: &Machine,
    state: &mut State,
    t: ThreadId,
    call: &Call,
    send: &Send,
    sink: &mut S,
) -> Option<()> {
    let State { threads, mailboxes, memory, next_serial, .. } = state;
    let sender = &threads[t.index()];
    let Send { size: None, kind: None, priority: None, reply_to: None, .. } = send else {
        return None;
    };
    let body = send.body.peek(&sender.registers)?;
    let size = body.size_bytes();
    let id = mailbox_of(machine, sender, &send.to)?;
    let mailbox = &mut mailboxes[id.index()];
    if !is_plain(mailbox)
        || mailbox.memory_waiters > 0
        || mailbox.spec.max_size.is_some()
        || machine.policies.wake != Wake::HandOver
    {
        return None;
    }
    let receiver = mailbox.receivers.front().copied();
    let goes = match receiver {
        Some(first) => {
            mailbox.spec.receiver == Pick::Fifo && waits_for_anything(&threads[first.index()])
        }
        None => stores(mailbox, memory, size),
    };
    if !goes {
        return None;
    }
    let message = Message {
        body: body.clone(),
        sender: sender.process,
        mailbox: id,
        size,
        route: Route::Mailbox,
        extras: None,
        serial: *next_serial,
    };
    *next_serial += 1;
    sink.copied(size);
    match receiver {
        Some(receiver) => {
            mailbox.receivers.pop_front();
            sink.received(receiver);
            hand_over(machine, &mut threads[receiver.index()], message);
            sink.ready(receiver);
        }
        None => {
            memory.charge(size);
            mailbox.store(Arc::new(message));
        }
    }
    succeed(&mut threads[t.index()], call);
    Some(())
}

/// Whether a mailbox that nobody waits at stores a message of this size.
fn stores(mailbox: &Mailbox, memory: &KernelMemory, size: u64) -> bool {
    mailbox.senders.is_empty() && mailbox.room(size) == Room::Free && memory.offer(size) == Fit::Now
}

/// A thread that waits gets a message.
fn hand_over(machine: &Machine, thread: &mut Thread, message: Message) {
    thread.state = ThreadState::Ready;
    let call = machine.call(thread.pc);
    let Verb::Receive(receive) = &call.verb else {
        unreachable!("a thread that waits for messages is in a receive")
    };
    let into = &mut thread.registers[receive.into.index()];
    // The message before this one, if nobody else has it, leaves its place in memory.
    let before = match into {
        Value::Message(before) => Arc::get_mut(before),
        _ => None,
    };
    match before {
        Some(before) => *before = message,
        None => *into = Value::Message(Arc::new(message)),
    }
    succeed(thread, call);
}

/// Takes the first message of a mailbox, or begins to wait for one.
fn receive<S: Sink>(
    machine: &Machine,
    state: &mut State,
    t: ThreadId,
    call: &Call,
    receive: &Receive,
    sink: &mut S,
) -> Option<()> {
    let State { threads, mailboxes, memory, .. } = state;
    let thread = &mut threads[t.index()];
    let Receive { from: From::These(from), kind: None, max_size: None, .. } = receive else {
        return None;
    };
    let id = mailbox_of(machine, thread, from)?;
    let mailbox = &mut mailboxes[id.index()];
    if !is_plain(mailbox) || !mailbox.senders.is_empty() {
        return None;
    }
    if let Some(first) = mailbox.messages.front() {
        if first.then() != Then::Return || !memory.waiting.is_empty() {
            return None;
        }
        let message = mailbox.take(0);
        memory.release(message.size);
        sink.copied(message.size);
        sink.received(t);
        thread.registers[receive.into.index()] = Value::Message(message);
        succeed(thread, call);
        return Some(());
    }
    let bound = match &receive.wait {
        Wait::Forever if machine.policies.detect == Detect::Report => Bound::Forever,
        Wait::For(Time::Span(span)) => {
            sink.waits(t, *span);
            Bound::Bounded
        }
        Wait::Forever | Wait::Never | Wait::For(Time::Computed(_)) => return None,
    };
    sink.blocked(t);
    mailbox.receivers.push_back(t);
    let on = BlockedOn::Receive { sources: Sources::One(id), filter: None };
    thread.state = ThreadState::Blocked { on, bound };
    Some(())
}

fn mailbox_of(machine: &Machine, thread: &Thread, expr: &Expr) -> Option<MailboxId> {
    match expr.peek(&thread.registers) {
        Some(Value::Handle(Handle::Mailbox(mailbox))) => Some(*mailbox),
        Some(_) => None,
        None => {
            let Expr::MailboxMember { first, count, index } = expr else { return None };
            let index = Who::of(machine, thread).plain_int(&thread.registers, index)?;
            mailbox_member(*first, *count, index).ok()
        }
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

/// A thread's call returns, and all went well.
fn succeed(thread: &mut Thread, call: &Call) {
    thread.status = Outcome::Ok;
    thread.pc = call.after_ok(thread.pc);
}
