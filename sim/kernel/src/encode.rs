//! A state as bytes: equal bytes mean equal futures.
//!
//! Ghost data is left out. Reply rights are renumbered by the order in which they come up, because
//! only their equality matters; how many calls a thread has made decides nothing.

use std::sync::Arc;

use crate::ids::{MailboxId, ThreadId};
use crate::machine::{Capacity, MailboxKind};
use crate::message::{Message, Then};
use crate::object::mailbox::{Existence, Mailbox};
use crate::outcome::{Fault, Outcome};
use crate::state::{
    BlockedOn, Bound, End, Filter, Holder, Life, Look, Process, Sources, State, Thread, ThreadState,
};
use crate::value::{Access, Handle, ReplyRight, Value};

/// Appends the bytes of a state.
pub fn encode(state: &State, out: &mut Vec<u8>) {
    let mut encoder = Encoder { state, out, rights: Vec::new() };
    for process in &state.processes {
        encoder.process(process);
    }
    encoder.number(state.threads.len() as u64);
    for thread in &state.threads {
        encoder.thread(thread);
    }
    encoder.number(state.mailboxes.len() as u64);
    for mailbox in &state.mailboxes {
        encoder.mailbox(mailbox);
    }
    for (thread, message) in &state.memory.waiting {
        encoder.thread_id(*thread);
        encoder.message(message);
    }
    for names in state.names.iter() {
        encoder.number(names.entries().count() as u64);
        for (name, object, owner) in names.entries() {
            encoder.text(name);
            encoder.handle(object);
            encoder.number(owner.map_or(0, |owner| u64::from(owner.0) + 1));
        }
    }
    for thread in state.lookups.iter() {
        encoder.thread_id(*thread);
    }
}

struct Encoder<'a> {
    state: &'a State,
    out: &'a mut Vec<u8>,
    rights: Vec<ReplyRight>,
}

impl Encoder<'_> {
    fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// Seven bits a byte, the lowest first: most numbers are small.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }

    fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.out.extend_from_slice(text.as_bytes());
    }

    fn thread_id(&mut self, thread: ThreadId) {
        self.number(u64::from(thread.0) + 1);
    }

    fn threads<'b>(&mut self, threads: impl ExactSizeIterator<Item = &'b ThreadId>) {
        self.number(threads.len() as u64);
        for thread in threads {
            self.thread_id(*thread);
        }
    }

    fn process(&mut self, process: &Process) {
        match &process.life {
            Life::NotStarted => self.byte(0),
            Life::Running => self.byte(1),
            Life::Ended(End::Finished) => self.byte(2),
            Life::Ended(End::Killed) => self.byte(3),
            Life::Ended(End::Failed(fault, _)) => {
                self.byte(4);
                self.fault(fault);
            }
        }
        self.threads(process.inbox.receivers.iter());
        self.threads(process.joiners.iter());
        self.threads(process.started.iter());
        self.number(process.inbox.stored().count() as u64);
        for (link, _) in process.inbox.stored() {
            self.number(u64::from(link.0));
        }
        for (link, _) in process.inbox.blocked() {
            self.number(u64::from(link.0) + 1);
        }
        self.byte(0);
    }

    fn fault(&mut self, fault: &Fault) {
        match fault {
            Fault::Unhandled(outcome) => {
                self.byte(0);
                self.outcome(*outcome);
            }
            Fault::AssertFailed => self.byte(1),
            Fault::Overflow => self.byte(2),
            Fault::DivisionByZero => self.byte(3),
            Fault::BadIndex => self.byte(4),
            Fault::MixedTypes => self.byte(5),
            Fault::TooLong => self.byte(6),
            Fault::Exit(code) => {
                self.byte(7);
                self.signed(*code);
            }
        }
    }

    fn outcome(&mut self, outcome: Outcome) {
        self.byte(outcome as u8);
    }

    fn thread(&mut self, thread: &Thread) {
        match &thread.state {
            ThreadState::NotStarted => self.byte(0),
            ThreadState::Ready => self.byte(1),
            ThreadState::Ended => {
                // Of a thread that has ended nothing matters any more but its place.
                self.byte(2);
                return;
            }
            ThreadState::LookingAgain { bound, at } => {
                self.byte(3);
                self.bound(*bound);
                match at {
                    Look::Send(message) => {
                        self.byte(0);
                        self.message(message);
                    }
                    Look::SendFromMemoryQueue(message) => {
                        self.byte(2);
                        self.message(message);
                    }
                    Look::Receive(sources) => {
                        self.byte(1);
                        self.sources(sources);
                    }
                }
            }
            ThreadState::Blocked { on, bound } => {
                self.byte(4);
                self.bound(*bound);
                self.blocked_on(on);
            }
        }
        self.number(u64::from(thread.pc.0));
        self.number(u64::from(thread.name.0));
        self.outcome(thread.status);
        for value in &thread.registers {
            self.value(value);
        }
    }

    fn bound(&mut self, bound: Bound) {
        self.byte(match bound {
            Bound::Forever => 0,
            Bound::Bounded => 1,
            Bound::Expired => 2,
        });
    }

    fn blocked_on(&mut self, on: &BlockedOn) {
        match on {
            // The message itself is in the queue of the mailbox, or of memory.
            BlockedOn::Send(message) => {
                self.byte(0);
                self.number(u64::from(message.mailbox.0));
            }
            BlockedOn::Memory(_) => self.byte(1),
            BlockedOn::Receive { sources, filter } => {
                self.byte(2);
                self.sources(sources);
                self.filter(filter.as_deref());
            }
            BlockedOn::Select(sources) => {
                self.byte(3);
                self.sources(sources);
            }
            BlockedOn::Reply { right, holder } => {
                self.byte(4);
                self.right(*right);
                match holder {
                    Holder::Queued(mailbox) => self.number(u64::from(mailbox.0) * 2),
                    Holder::Taken(process) => self.number(u64::from(process.0) * 2 + 1),
                }
            }
            BlockedOn::Join(threads) => {
                self.byte(5);
                self.threads(threads.iter());
            }
            BlockedOn::Lookup(name) => {
                self.byte(6);
                self.text(name);
            }
            BlockedOn::Sleep => self.byte(7),
        }
    }

    fn sources(&mut self, sources: &Sources) {
        match sources {
            Sources::Anyone => self.byte(0),
            listed => {
                self.number(listed.listed().len() as u64);
                for mailbox in listed.listed() {
                    self.number(u64::from(mailbox.0));
                }
            }
        }
    }

    fn filter(&mut self, filter: Option<&Filter>) {
        match filter {
            None => self.byte(0),
            Some(Filter { kind, max_size }) => {
                self.byte(1);
                self.value(kind.as_ref().unwrap_or(&Value::None));
                self.number(max_size.map_or(0, |max| max.saturating_add(1)));
            }
        }
    }

    fn mailbox(&mut self, mailbox: &Mailbox) {
        self.byte(match mailbox.existence {
            Existence::Alive => 0,
            Existence::Destroyed => 1,
        });
        match mailbox.spec.kind {
            MailboxKind::Open | MailboxKind::Filed => self.byte(0),
            MailboxKind::Link { from, to } => {
                self.byte(1);
                self.number(u64::from(from.0));
                self.number(u64::from(to.0));
            }
        }
        match mailbox.spec.capacity {
            Capacity::None => self.byte(0),
            Capacity::Unlimited => self.byte(1),
            Capacity::Undefined => self.byte(2),
            Capacity::Messages(limit) => self.number(limit.saturating_mul(2).saturating_add(3)),
            Capacity::Bytes(limit) => self.number(limit.saturating_mul(2).saturating_add(4)),
        }
        self.byte(mailbox.spec.order as u8);
        self.byte(mailbox.spec.receiver as u8);
        self.number(mailbox.spec.max_size.map_or(0, |max| max.saturating_add(1)));
        self.number(mailbox.messages.len() as u64);
        for message in &mailbox.messages {
            self.message(message);
        }
        self.number(mailbox.senders.len() as u64);
        for (thread, message) in &mailbox.senders {
            self.thread_id(*thread);
            self.message(message);
        }
        self.threads(mailbox.receivers.iter());
    }

    fn message(&mut self, message: &Arc<Message>) {
        self.value(&message.body);
        self.number(u64::from(message.sender.0));
        self.value(&message.kind);
        self.signed(message.priority);
        self.number(message.size);
        self.mailbox_id(message.mailbox);
        match message.reply_to {
            None => self.byte(0),
            Some(handle) => {
                self.byte(1);
                self.handle(handle);
            }
        }
        match message.then {
            Then::Return => self.byte(0),
            Then::AwaitReply { right, .. } => {
                self.byte(1);
                self.right(right);
            }
        }
    }

    fn mailbox_id(&mut self, mailbox: MailboxId) {
        self.number(u64::from(mailbox.0));
    }

    /// A reply right is used up, abandoned, or good for an answer; which call it was is only a name.
    fn right(&mut self, right: ReplyRight) {
        let place = self.rights.iter().position(|known| *known == right).unwrap_or_else(|| {
            self.rights.push(right);
            self.rights.len() - 1
        });
        self.number(place as u64);
        self.thread_id(right.caller);
        let waits = match self.state.waits_for(right.caller) {
            Some(BlockedOn::Reply { right: awaited, .. }) => *awaited == right,
            _ => false,
        };
        self.byte(u8::from(waits) + 2 * u8::from(self.state.abandoned.contains(&right)));
    }

    fn handle(&mut self, handle: Handle) {
        match handle {
            Handle::Process(process) => {
                self.byte(0);
                self.number(u64::from(process.0));
            }
            Handle::Mailbox(mailbox) => {
                self.byte(1);
                self.mailbox_id(mailbox);
            }
            Handle::File { mailbox, access: Access::Read } => {
                self.byte(2);
                self.mailbox_id(mailbox);
            }
            Handle::File { mailbox, access: Access::Write } => {
                self.byte(3);
                self.mailbox_id(mailbox);
            }
            Handle::Reply(right) => {
                self.byte(4);
                self.right(right);
            }
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::None => self.byte(0),
            Value::False => self.byte(1),
            Value::True => self.byte(2),
            Value::Int(number) => {
                self.byte(3);
                self.signed(*number);
            }
            Value::Duration(ns) => {
                self.byte(4);
                self.signed(*ns);
            }
            Value::Text(text) => {
                self.byte(5);
                self.text(text);
            }
            Value::List(list) => {
                self.byte(6);
                self.number(list.items().len() as u64);
                for item in list.items() {
                    self.value(item);
                }
            }
            Value::Handle(handle) => {
                self.byte(7);
                self.handle(*handle);
            }
            Value::Message(message) => {
                self.byte(8);
                self.message(message);
            }
        }
    }
}
