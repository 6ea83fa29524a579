//! Notices: messages from the kernel about ports. A notice goes by a send-once right, and so exactly once,
//! however full its queue is.

use ipcsim_program::{Until, Watch};

use super::offer::Whereabouts;
use super::prelude::*;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// Requests a notice. Whoever requested the same one before is told that it will not come.
    pub(super) fn watch(&mut self, t: ThreadId, watch: &Watch) -> Result<(), Stop> {
        let Watch { port, until, notify, sync } = watch;
        let until = *until;
        let own = self.thread(t).process;
        let port = self.port(t, port)?;
        let receives = self.state.receiver_of(port) == Receiver::Held(own);
        let sends = self.state.processes[own.index()].rights.references(port) > 0;
        let may_ask = match until {
            Until::NoSenders | Until::PortDestroyed => receives,
            Until::DeadName => sends,
        };
        if !may_ask {
            return Err(Stop::NO_RIGHT);
        }
        let made_at_least = match sync {
            Some(sync) => self.size(t, sync)?,
            None => 1,
        };
        let once = self.notified(t, notify)?;
        self.complete(t, Outcome::Ok);
        let before = match until {
            Until::NoSenders => self.port_mut(port).no_senders.replace(once),
            Until::PortDestroyed => self.port_mut(port).destroyed.replace(once),
            Until::DeadName => {
                self.state.processes[own.index()].rights.dead_names.insert(port, once)
            }
        };
        if let Some(before) = before {
            self.destroy_once(before);
        }
        match until {
            // If fewer were ever made, some are still to come.
            Until::NoSenders if u64::from(self.port_mut(port).made) >= made_at_least => {
                self.may_be_last_sender(port);
            }
            Until::DeadName if self.mailbox(port).existence == Existence::Destroyed => {
                self.notify_of_dead_name(own, port);
            }
            _ => {}
        }
        Ok(())
    }

    /// A send-once right is destroyed unused: the receiver of its port is told.
    pub(super) fn destroy_once(&mut self, once: Once) {
        self.notify(once, "send-once", Value::None, None);
    }

    /// A send-once right no longer exists.
    pub(super) fn forget_once(&mut self, once: Once) {
        self.port_mut(once.port).once.remove(&once.number);
    }

    /// Puts a notice on its way, by a send-once right.
    pub(super) fn notify(&mut self, once: Once, kind: &str, body: Value, right: Option<Carried>) {
        self.forget_once(once);
        let extras = Extras {
            kind: Value::Text(kind.into()),
            rights: right.into_iter().collect(),
            ..Extras::default()
        };
        let (size, to) = (body.size_bytes(), (once.port, Route::Once));
        let message = self.new_message(ProcessId::KERNEL, to, (body, size), extras.boxed());
        self.work.push(Work::Notice(message));
    }

    /// Hands a message over or stores it, even if the queue is full: its sender never waits.
    pub(super) fn force(&mut self, t: Option<ThreadId>, message: Arc<Message>) -> Whereabouts {
        self.note(t, Kind::Sent(&message));
        if self.machine.policies.wake_receivers == Wake::LookAgain {
            return self.store(t, message);
        }
        while let Some(receiver) = self.receiver_for(t, &message) {
            let Some(outcome) = self.misfit(receiver, self.filter_of(receiver), &message) else {
                let process = self.thread(receiver).process;
                self.deliver(t, receiver, message);
                return Whereabouts::With(process);
            };
            self.end_wait(receiver, outcome);
        }
        self.store(t, message)
    }

    /// The receive right of a port that would die goes to whoever asked for it.
    pub(super) fn notify_with_right(&mut self, once: Once, port: MailboxId) {
        let right = Carried { port, right: Right::Receive };
        let body = Value::Handle(Handle::Mailbox(port));
        self.notify(once, "port-destroyed", body, Some(right));
    }

    /// Nobody can receive a notice to a port that has died in the meantime.
    pub(super) fn deliver_notice(&mut self, message: Arc<Message>) {
        if self.mailbox(message.mailbox).existence == Existence::Destroyed {
            self.destroy_carried(&message);
        } else {
            self.force(None, message);
        }
    }

    /// A port has died: who asked for that is told, and so are those whose request can no longer be granted.
    pub(super) fn tell_of_the_dead_port(&mut self, id: MailboxId) {
        let port = self.port_mut(id);
        for once in [port.no_senders.take(), port.destroyed.take()].into_iter().flatten() {
            self.destroy_once(once);
        }
        for process in (0..self.state.processes.len()).map(ProcessId::at) {
            if self.state.processes[process.index()].rights.dead_names.contains_key(&id) {
                self.notify_of_dead_name(process, id);
            }
        }
    }

    /// The notice adds a reference, so that the name is not used again before it is read.
    fn notify_of_dead_name(&mut self, own: ProcessId, port: MailboxId) {
        let rights = &mut self.state.processes[own.index()].rights;
        if let Some(once) = rights.dead_names.remove(&port) {
            rights.add(port);
            self.notify(once, "dead-name", Value::Handle(Handle::Mailbox(port)), None);
        }
    }

    /// A process no longer has a name for a port.
    pub(super) fn name_is_gone(&mut self, own: ProcessId, port: MailboxId) {
        if let Some(once) = self.state.processes[own.index()].rights.dead_names.remove(&port) {
            self.notify(once, "port-deleted", Value::Handle(Handle::Mailbox(port)), None);
        }
    }

    /// A send right to a port may have been the last.
    pub(super) fn may_be_last_sender(&mut self, id: MailboxId) {
        let port = self.mailbox(id).port();
        if port.is_some_and(|port| port.no_senders.is_some()) {
            self.work.push(Work::Senders(id));
        }
    }

    /// A message to a port has left its queue or its sender, and with it the send right that it held.
    pub(super) fn right_of_message_is_gone(&mut self, message: &Message) {
        if self.state.holds_a_right(message) {
            self.may_be_last_sender(message.mailbox);
        }
    }

    /// Tells whoever asked, if no send right to a port is left: in no name space, in no message, and no
    /// message that came by one waits to be received.
    pub(super) fn look_for_senders(&mut self, id: MailboxId) {
        if self.mailbox(id).existence == Existence::Destroyed || self.state.has_senders(id) {
            return;
        }
        let port = self.port_mut(id);
        let made = i64::from(port.made);
        if let Some(once) = port.no_senders.take() {
            self.notify(once, "no-senders", Value::Int(made), None);
        }
    }
}
