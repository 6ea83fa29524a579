//! Sending a plain message: a receiver waits for it, it is stored, or its sender waits.

use ipcsim_program::{Call, Send};

use super::super::prelude::*;
use super::{Place, Short, is_plain, mailbox_of, replace_plain, succeed, waits_for_anything};
use crate::machine::Machine;
use crate::object::memory::KernelMemory;
use crate::state::{State, Thread};

/// Where a message goes.
enum Goes {
    To(ThreadId),
    IntoTheBuffer,
    /// There is no slot.
    Nowhere,
}

impl<S: Sink> Short<'_, S> {
    pub(super) fn send(&mut self, t: ThreadId, call: &Call, send: &Send) -> Option<()> {
        let State { threads, mailboxes, memory, .. } = &*self.state;
        let sender = &threads[t.index()];
        let is_plain_send =
            send.size.is_none() && send.hold.is_none() && send.says_nothing_special();
        if !is_plain_send || self.machine.policies.wake_receivers != Wake::HandOver {
            return None;
        }
        let body = send.body.peek(&sender.registers)?;
        body.depth_outside().ok()?;
        let size = body.size_bytes();
        let id = mailbox_of(self.machine, sender, &send.to)?;
        let mailbox = &mailboxes[id.index()];
        if !is_plain(mailbox) || mailbox.memory_waiters > 0 || size > mailbox.spec.max_size {
            return None;
        }
        let goes = match mailbox.receivers.front() {
            Some(first) => {
                let takes_it = mailbox.spec.receiver == Pick::Fifo
                    && mailbox.hands_over_at_once(size)
                    && waits_for_anything(&threads[first.index()]);
                takes_it.then_some(Goes::To(*first))?
            }
            None => where_nobody_waits(mailbox, memory, size)?,
        };
        if matches!(goes, Goes::Nowhere) && !self.can_wait(&send.wait) {
            return None;
        }
        let message = Message {
            body: body.clone(),
            sender: sender.process,
            mailbox: id,
            size,
            route: Route::Mailbox,
            extras: None,
            serial: self.state.next_serial,
        };
        let at = (t, sender.pc);
        self.state.next_serial.0 += 1;
        if let Goes::Nowhere = goes {
            self.wait_with(at, message, &send.wait);
            return Some(());
        }
        succeed(&mut self.state.threads[t.index()], call);
        self.sink.copied(size);
        if let Goes::To(receiver) = goes {
            self.deliver(at, receiver, message);
        } else {
            self.store(at, message);
        }
        Some(())
    }

    /// The first receiver in the queue of a mailbox gets a message.
    fn deliver(&mut self, from: Place, receiver: ThreadId, message: Message) {
        self.state.mailboxes[message.mailbox.index()].receivers.pop_front();
        let thread = &mut self.state.threads[receiver.index()];
        let to = (receiver, thread.pc);
        self.sink.received(receiver);
        let message = hand_over(self.machine, thread, message);
        let message = S::EVENTS.then(|| message.clone());
        self.sink.ready(receiver);
        if let Some(message) = &message {
            self.note(from, Kind::Sent(message));
            self.note(from, Kind::Delivered { message, to: receiver });
            self.note(to, Kind::Received(message));
            self.note(to, Kind::Returned(Outcome::Ok));
        }
    }

    /// A mailbox that has room gets a message.
    fn store(&mut self, from: Place, message: Message) {
        let mailbox = &mut self.state.mailboxes[message.mailbox.index()];
        self.state.memory.charge(message.size);
        let message = Arc::new(message);
        let stored = S::EVENTS.then(|| message.clone());
        mailbox.store(message);
        let messages = mailbox.messages.len();
        if let Some(message) = &stored {
            self.note(from, Kind::Sent(message));
            self.note(from, Kind::Stored { message, messages });
        }
    }

    /// There is no slot: the sender waits with its message.
    fn wait_with(&mut self, from: Place, message: Message, wait: &Wait) {
        let message = Arc::new(message);
        let id = message.mailbox;
        if S::EVENTS {
            self.note(from, Kind::Sent(&message));
        }
        let pick = self.machine.policies.sender;
        self.state.mailboxes[id.index()].block_sender(from.0, message, pick);
        self.begin_to_wait(from, BlockedOn::Send(id), wait);
    }
}

/// Where a message of this size goes at a mailbox where no receiver waits.
fn where_nobody_waits(mailbox: &Mailbox, memory: &KernelMemory, size: u64) -> Option<Goes> {
    match mailbox.room(size) {
        Room::Free
            if mailbox.senders.is_empty() && memory.room_for_newcomer(size) == Room::Free =>
        {
            Some(Goes::IntoTheBuffer)
        }
        Room::Full if !mailbox.stores(size) || memory.room(size) != Room::Never => {
            Some(Goes::Nowhere)
        }
        _ => None,
    }
}

/// A waiting thread gets a message.
fn hand_over<'a>(machine: &Machine, thread: &'a mut Thread, message: Message) -> &'a Arc<Message> {
    let call = machine.call(thread.pc);
    let Verb::Receive(receive) = &call.verb else {
        unreachable!("a thread that waits for messages is in a receive")
    };
    replace_plain(thread, ThreadState::Ready);
    succeed(thread, call);
    let into = &mut thread.registers[receive.into.index()];
    // The memory of the previous message is reused if nobody else has it.
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
