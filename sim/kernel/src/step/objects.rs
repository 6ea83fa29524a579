//! Making and destroying mailboxes while the machine runs.

use super::offer::Whereabouts;
use super::prelude::*;
use crate::machine::DyingPort;
use crate::object::queue::QueueSpec;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn create(&mut self, t: ThreadId, verb: &Verb) -> Result<(), Stop> {
        let Verb::Create { into, capacity, order, receiver, max_size } = verb else {
            unreachable!("only a create creates");
        };
        if self.state.mailboxes.len() >= limits::MAILBOXES {
            return Err(Stop::REFUSED);
        }
        let policies = &self.machine.policies;
        let mailbox = MailboxId::at(self.state.mailboxes.len());
        let plain = policies.queue(capacity.unwrap_or(policies.buffering));
        let receiver = receiver.unwrap_or(policies.receiver);
        let spec = QueueSpec { order: *order, receiver, max_size: *max_size, ..plain };
        self.state.mailboxes.push(Mailbox::new(spec, Object::Open));
        self.note(Some(t), Kind::Created(mailbox));
        self.set(t, *into, Value::Handle(Handle::Mailbox(mailbox)));
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    pub(super) fn destroy(&mut self, t: ThreadId, object: &Expr) -> Result<(), Stop> {
        let mailbox = match self.eval(t, object)? {
            Value::Handle(Handle::Mailbox(mailbox)) => mailbox,
            // A path or a process is not a mailbox that its owner may destroy.
            Value::Handle(_) => return Err(Stop::REFUSED),
            _ => return Err(Fault::NotAnObject.into()),
        };
        self.reachable_by_name(mailbox)?;
        let object = self.mailbox(mailbox);
        if matches!(object.object, Object::Port(_) | Object::PortSet(_)) {
            return self.destroy_port(t, mailbox);
        }
        if object.existence == Existence::Destroyed {
            return Err(Stop::DEAD);
        }
        self.note(Some(t), Kind::Destroyed(mailbox));
        self.complete(t, Outcome::Ok);
        self.kill_mailbox(mailbox);
        Ok(())
    }

    /// Messages that nobody can receive now are lost, and their memory is free again.
    pub(super) fn drop_messages(&mut self, mailbox: MailboxId, loss: Loss) {
        while !self.mailbox(mailbox).messages.is_empty() {
            let message = self.state.mailboxes[mailbox.index()].take(0);
            self.free_memory_of(&message, 0);
            self.sink.lost();
            self.note(None, Kind::Lost(&message, loss));
            self.request_left_its_queue(&message, Whereabouts::Destroyed);
            self.destroy_carried(&message);
        }
    }

    /// The senders that wait for a slot, or for memory, in a mailbox that is gone end with `dead`.
    pub(super) fn release_senders_of_the_dead(&mut self, mailbox: MailboxId) {
        let is_port = self.mailbox(mailbox).port().is_some();
        while let Some((t, message)) = self.mailbox(mailbox).senders.front().cloned() {
            if is_port && self.machine.policies.dying_port == DyingPort::Ok {
                self.state.mailboxes[mailbox.index()].release_sender(0);
                self.leave_queue(t);
                self.lose(Some(t), &message, Loss::MailboxDestroyed);
                self.released(t, message.then(), Whereabouts::Destroyed);
            } else {
                self.end_wait(t, Outcome::Dead);
            }
        }
        if self.mailbox(mailbox).memory_waiters > 0 {
            let waiting: Vec<ThreadId> =
                self.state.memory.waiting.iter().map(|(t, _)| *t).collect();
            for t in waiting {
                match self.state.waits_for(t) {
                    Some(BlockedOn::Memory(to)) if *to == mailbox => {
                        self.end_wait(t, Outcome::Dead);
                    }
                    _ => {}
                }
            }
        }
        self.work.push(Work::Memory);
    }
}
