//! A state as bytes: equal bytes mean equal futures.
//!
//! Ghost data is left out. In the bytes of a whole state reply rights are renumbered by the order in
//! which they come up, because only their equality matters; how many calls a thread has made decides
//! nothing. A part of a state by itself does not know the others, and keeps the numbers in it.

mod rights;
mod threads;

use std::sync::Arc;

use crate::ids::{MailboxId, ThreadId};
use crate::machine::{Capacity, MailboxKind};
use crate::message::{Message, Then};
use crate::object::mailbox::{Existence, Mailbox};
use crate::object::memory::KernelMemory;
use crate::outcome::Outcome;
use crate::state::{Abandoned, BlockedOn, End, Life, Process, State, Thread};
use crate::value::{Access, Handle, ReplyRight, Value};

/// A part of a state: an entry of one of its tables.
#[derive(Clone, Copy, Debug)]
pub enum PartOf<'a> {
    /// A process.
    Process(&'a Process),
    /// A thread with its variables.
    Thread(&'a Thread),
    /// A mailbox or a link.
    Mailbox(&'a Mailbox),
    /// The kernel's memory.
    Memory(&'a KernelMemory),
    /// Reply rights whose caller no longer waits.
    Abandoned(&'a Abandoned),
}

/// Appends the bytes of a state.
pub fn encode(state: &State, out: &mut Vec<u8>) {
    let mut encoder = Encoder { out, rights: Rights::Renumbered(state, Vec::new()) };
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
    encoder.memory(&state.memory);
}

/// Appends the bytes of a part of a state.
pub fn encode_part(part: PartOf, out: &mut Vec<u8>) {
    let mut encoder = Encoder { out, rights: Rights::AsTheyAre };
    match part {
        PartOf::Process(process) => encoder.process(process),
        PartOf::Thread(thread) => encoder.thread(thread),
        PartOf::Mailbox(mailbox) => encoder.mailbox(mailbox),
        PartOf::Memory(memory) => encoder.memory(memory),
        PartOf::Abandoned(rights) => {
            for (right, holder) in rights {
                encoder.right(*right);
                encoder.holder(*holder);
            }
        }
    }
}

struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    rights: Rights<'a>,
}

/// How reply rights are written.
enum Rights<'a> {
    AsTheyAre,
    /// By the order in which they come up in this state, and by what each is good for.
    Renumbered(&'a State, Vec<ReplyRight>),
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
            Life::Unborn => self.byte(9),
            Life::NotStarted => self.byte(0),
            Life::Running => self.byte(1),
            Life::Ended(End::Finished) => self.byte(2),
            Life::Ended(End::Killed) => self.byte(3),
            Life::Ended(End::Failed(fault, _)) => {
                self.byte(4);
                self.fault(fault);
            }
        }
        self.thread_id(process.first_thread);
        self.number(u64::from(process.alive_threads));
        self.number(u64::from(process.owed));
        self.mailboxes(process.outgoing.iter().copied());
        // A part by itself must say whose link it is: the link is another part.
        self.number(process.inbox.links().count() as u64);
        for (sender, link) in process.inbox.links_by_sender() {
            self.number(u64::from(sender.0));
            self.mailbox_id(link);
        }
        self.threads(process.inbox.receivers.iter());
        self.threads(process.joiners.iter());
        self.threads(process.started.iter());
        self.mailboxes(process.inbox.stored().map(|(link, _)| link));
        self.mailboxes(process.inbox.blocked().map(|(link, _)| link));
        self.name_space(&process.rights);
    }

    /// Numbers up to one that no mailbox has.
    fn mailboxes(&mut self, mailboxes: impl Iterator<Item = MailboxId>) {
        for mailbox in mailboxes {
            self.number(u64::from(mailbox.0) + 1);
        }
        self.byte(0);
    }

    fn memory(&mut self, memory: &KernelMemory) {
        self.number(memory.used);
        self.number(memory.waiting.len() as u64);
        for (thread, message) in &memory.waiting {
            self.thread_id(*thread);
            self.message(message);
        }
    }

    fn outcome(&mut self, outcome: Outcome) {
        self.byte(outcome as u8);
    }

    fn mailbox(&mut self, mailbox: &Mailbox) {
        self.byte(match mailbox.existence {
            Existence::Alive => 0,
            Existence::Destroyed => 1,
        });
        match mailbox.spec.kind {
            MailboxKind::Open => self.byte(0),
            MailboxKind::Filed => self.byte(2),
            MailboxKind::Port => self.byte(3),
            MailboxKind::PortSet => self.byte(4),
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
        self.number(mailbox.spec.max_size.wrapping_add(1));
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
        self.number(u64::from(mailbox.memory_waiters));
        if let Some(port) = mailbox.port() {
            self.port(port);
        }
        if let Some(set) = mailbox.set() {
            self.port_set(set);
        }
    }

    fn message(&mut self, message: &Arc<Message>) {
        self.value(&message.body);
        self.number(u64::from(message.sender.0));
        self.number(message.size);
        self.mailbox_id(message.mailbox);
        self.byte(message.route as u8);
        let Some(extras) = &message.extras else { return self.byte(0) };
        self.byte(1);
        self.value(&extras.kind);
        self.signed(extras.priority);
        match extras.reply_to {
            None => self.byte(0),
            Some(handle) => {
                self.byte(1);
                self.handle(handle);
            }
        }
        match extras.then {
            Then::Return => self.byte(0),
            Then::AwaitReply { right, .. } => {
                self.byte(1);
                self.right(right);
            }
        }
        self.carried(&extras.rights);
        self.number(extras.seq.map_or(0, |seq| u64::from(seq) + 1));
    }

    fn mailbox_id(&mut self, mailbox: MailboxId) {
        self.number(u64::from(mailbox.0));
    }

    /// A reply right is used up, abandoned, or good for an answer; which call it was is only a name.
    fn right(&mut self, right: ReplyRight) {
        self.thread_id(right.caller);
        let Rights::Renumbered(state, known) = &mut self.rights else {
            self.number(u64::from(right.call));
            return;
        };
        let place = known.iter().position(|known| *known == right).unwrap_or_else(|| {
            known.push(right);
            known.len() - 1
        });
        let waits = match state.waits_for(right.caller) {
            Some(BlockedOn::Reply { right: awaited, .. }) => *awaited == right,
            _ => false,
        };
        let abandoned = state.abandoned.get(&right).copied();
        self.number(place as u64);
        match abandoned {
            None => self.byte(u8::from(waits)),
            Some(holder) => {
                self.byte(2);
                self.holder(holder);
            }
        }
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
            Handle::Once(once) => {
                self.byte(5);
                self.once(once);
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
