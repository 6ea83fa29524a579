//! Receiving a plain message: one that is stored, one in the hands of a blocked sender, or none yet.

use ipcsim_program::{Call, From, Receive};

use super::super::prelude::*;
use super::{Place, Short, go_on, is_plain, mailbox_of, succeed};

impl<S: Sink> Short<'_, S> {
    pub(super) fn receive(&mut self, t: ThreadId, call: &Call, receive: &Receive) -> Option<()> {
        let Receive { from: From::These(from), kind: None, max_size: None, .. } = receive else {
            return None;
        };
        let thread = &self.state.threads[t.index()];
        let at = (t, thread.pc);
        let id = mailbox_of(self.machine, thread, from)?;
        let mailbox = &self.state.mailboxes[id.index()];
        if !is_plain(mailbox) {
            return None;
        }
        match (mailbox.messages.front(), mailbox.senders.front()) {
            (None, None) => {
                if !self.can_wait(&receive.wait) {
                    return None;
                }
                self.state.mailboxes[id.index()].receivers.push_back(t);
                let on = BlockedOn::Receive { sources: Sources::One(id), filter: None };
                self.begin_to_wait(at, on, &receive.wait);
            }
            (Some(first), next) => {
                let is_simple = first.then() == Then::Return && first.carries_nothing();
                if !is_simple || !self.state.memory.waiting.is_empty() {
                    return None;
                }
                if let Some((sender, message)) = next
                    && !self.takes_the_place_of(first, *sender, message)
                {
                    return None;
                }
                let is_awaited = next.is_some();
                self.take_stored(at, call, receive, id);
                if is_awaited {
                    self.let_next_sender_in(id);
                }
            }
            (None, Some((sender, message))) => {
                let meets = mailbox.spec.capacity == Capacity::None
                    && self.is_next_in_turn(*sender, message);
                if !meets {
                    return None;
                }
                self.take_from_sender(at, call, receive, id);
            }
        }
        Some(())
    }

    /// Takes the first message of a mailbox.
    fn take_stored(&mut self, at: Place, call: &Call, receive: &Receive, id: MailboxId) {
        let message = self.state.mailboxes[id.index()].take(0);
        self.state.memory.release(message.size);
        let received = S::EVENTS.then(|| message.clone());
        self.keep(at, call, receive, message);
        if let Some(message) = &received {
            self.note(at, Kind::Delivered { message, to: at.0 });
            self.note(at, Kind::Received(message));
        }
    }

    /// A slot has become free: the sender that waited for it goes on.
    fn let_next_sender_in(&mut self, id: MailboxId) {
        let mailbox = &mut self.state.mailboxes[id.index()];
        let (sender, message) = mailbox.release_sender(0);
        let size = message.size;
        let stored = S::EVENTS.then(|| message.clone());
        mailbox.store(message);
        let messages = mailbox.messages.len();
        self.state.memory.charge(size);
        self.sink.copied(size);
        let at = self.go_on_after_wait(sender);
        if let Some(message) = &stored {
            self.note(at, Kind::Stored { message, messages });
            self.note(at, Kind::Returned(Outcome::Ok));
        }
    }

    /// A rendezvous: a message goes from sender to receiver without being stored.
    fn take_from_sender(&mut self, at: Place, call: &Call, receive: &Receive, id: MailboxId) {
        let (sender, message) = self.state.mailboxes[id.index()].release_sender(0);
        let from = self.go_on_after_wait(sender);
        let received = S::EVENTS.then(|| message.clone());
        self.keep(at, call, receive, message);
        if let Some(message) = &received {
            self.note(at, Kind::Delivered { message, to: at.0 });
            self.note(from, Kind::Returned(Outcome::Ok));
            self.note(at, Kind::Received(message));
        }
    }

    /// A thread that did not have to wait has received a message.
    fn keep(&mut self, (t, _): Place, call: &Call, receive: &Receive, message: Arc<Message>) {
        self.sink.copied(message.size);
        self.sink.received(t);
        let thread = &mut self.state.threads[t.index()];
        thread.registers[receive.into.index()] = Value::Message(message);
        succeed(thread, call);
    }

    fn go_on_after_wait(&mut self, t: ThreadId) -> Place {
        let thread = &mut self.state.threads[t.index()];
        let place = (t, thread.pc);
        go_on(self.machine, thread);
        self.sink.ready(t);
        place
    }

    /// Whether the first blocked sender, and nobody else, goes on when the first message leaves: the
    /// mailbox is full, and the new message fits into the slot of the old one.
    fn takes_the_place_of(&self, first: &Message, sender: ThreadId, message: &Message) -> bool {
        let mailbox = &self.state.mailboxes[message.mailbox.index()];
        mailbox.receivers.is_empty()
            && mailbox.spec.capacity == Capacity::Messages(mailbox.messages.len() as u64)
            && message.size <= first.size
            && self.is_next_in_turn(sender, message)
    }

    /// Whether the first blocked sender is next, and goes on as soon as its message has gone.
    fn is_next_in_turn(&self, sender: ThreadId, message: &Message) -> bool {
        let policies = &self.machine.policies;
        policies.sender == Pick::Fifo
            && policies.wake_senders == Wake::HandOver
            && message.extras.is_none()
            && !self.state.threads[sender.index()].is_held()
    }
}
