//! The short way through the kernel, for what nearly every call is: a plain message through an open
//! mailbox, with nobody and nothing special in its way.
//!
//! Microkernels have had such a way since L4. Here too it only leaves out questions whose answers are
//! known, and it changes nothing before it has found that they are: otherwise the call takes the long
//! way from the beginning. Events are told as the long way tells them, when the call is done: they say of
//! the state only what never changes. A sink can insist on the long way, so that the two check each other.

use std::sync::Arc;

use crate::event::{Event, Kind};
use crate::expr::{Expr, Who, mailbox_member};
use crate::ids::{MailboxId, Pc, ThreadId};
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
    if !S::SHORT_WAY || !thread.state.is_ready() {
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
    let Send { size: None, kind: None, priority: None, reply_to: None, hold: None, rights, .. } =
        send
    else {
        return None;
    };
    if !rights.is_empty() {
        return None;
    }
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
    let at = (t, sender.pc);
    succeed(&mut threads[t.index()], call);
    sink.copied(size);
    match receiver {
        Some(receiver) => deliver(machine, state, at, receiver, message, sink),
        None => store(machine, state, at, message, sink),
    }
    Some(())
}

/// The first receiver in the queue of a mailbox gets a message.
fn deliver<S: Sink>(
    machine: &Machine,
    state: &mut State,
    from: (ThreadId, Pc),
    receiver: ThreadId,
    message: Message,
    sink: &mut S,
) {
    state.mailboxes[message.mailbox.index()].receivers.pop_front();
    let thread = &mut state.threads[receiver.index()];
    let to = (receiver, thread.pc);
    sink.received(receiver);
    let message = hand_over(machine, thread, message);
    let message = S::EVENTS.then(|| message.clone());
    sink.ready(receiver);
    if let Some(message) = &message {
        note(machine, state, sink, from, Kind::Sent(message));
        note(machine, state, sink, from, Kind::Delivered { message, to: receiver });
        note(machine, state, sink, to, Kind::Received(message));
        note(machine, state, sink, to, Kind::Returned(Outcome::Ok));
    }
}

/// A mailbox that has room gets a message.
fn store<S: Sink>(
    machine: &Machine,
    state: &mut State,
    from: (ThreadId, Pc),
    message: Message,
    sink: &mut S,
) {
    let mailbox = &mut state.mailboxes[message.mailbox.index()];
    state.memory.charge(message.size);
    let message = Arc::new(message);
    let stored = S::EVENTS.then(|| message.clone());
    mailbox.store(message);
    let messages = mailbox.messages.len();
    if let Some(message) = &stored {
        note(machine, state, sink, from, Kind::Sent(message));
        note(machine, state, sink, from, Kind::Stored { message, messages });
    }
}

/// Tells of something that happened to a thread where it stood.
fn note<S: Sink>(
    machine: &Machine,
    state: &State,
    sink: &mut S,
    (thread, pc): (ThreadId, Pc),
    kind: Kind,
) {
    sink.event(machine, state, &Event { thread: Some(thread), pc: Some(pc), kind });
}

/// Whether a mailbox that nobody waits at stores a message of this size.
fn stores(mailbox: &Mailbox, memory: &KernelMemory, size: u64) -> bool {
    mailbox.senders.is_empty() && mailbox.room(size) == Room::Free && memory.offer(size) == Fit::Now
}

/// A thread that waits gets a message.
fn hand_over<'a>(machine: &Machine, thread: &'a mut Thread, message: Message) -> &'a Arc<Message> {
    thread.state = ThreadState::Ready;
    let call = machine.call(thread.pc);
    let Verb::Receive(receive) = &call.verb else {
        unreachable!("a thread that waits for messages is in a receive")
    };
    succeed(thread, call);
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
    let Value::Message(message) = into else { unreachable!("it was put there") };
    message
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
    let at = (t, thread.pc);
    if let Some(first) = mailbox.messages.front() {
        if first.then() != Then::Return
            || first.carried().next().is_some()
            || !memory.waiting.is_empty()
        {
            return None;
        }
        let message = mailbox.take(0);
        memory.release(message.size);
        sink.copied(message.size);
        sink.received(t);
        let received = S::EVENTS.then(|| message.clone());
        thread.registers[receive.into.index()] = Value::Message(message);
        succeed(thread, call);
        if let Some(message) = &received {
            note(machine, state, sink, at, Kind::Delivered { message, to: t });
            note(machine, state, sink, at, Kind::Received(message));
        }
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
    if S::EVENTS
        && let Some(on) = state.waits_for(t)
    {
        note(machine, state, sink, at, Kind::Blocked(on));
    }
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
    !thread.is_held() && matches!(on, BlockedOn::Receive { sources: Sources::One(_), filter: None })
}

/// A thread's call returns, and all went well.
fn succeed(thread: &mut Thread, call: &Call) {
    thread.status = Outcome::Ok;
    thread.pc = call.after_ok(thread.pc);
}
