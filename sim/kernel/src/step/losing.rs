//! Rights that are destroyed, and ports that die as a result.

use super::prelude::*;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// The receive right of a port is destroyed: whoever asked for it gets it in a notice; otherwise the
    /// backup takes it over; otherwise the port dies.
    pub(super) fn lose_receiver(&mut self, id: MailboxId) {
        self.leave_set(id);
        let holder = match self.state.receiver_of(id) {
            Receiver::Held(process) => Some(process),
            Receiver::Carried(_) | Receiver::Kernel(_) | Receiver::Nobody => None,
        };
        if let Some(process) = holder {
            self.state.processes[process.index()].rights.take_receive(id);
        }
        let port = self.port_mut(id);
        let asked = port.destroyed.take();
        port.receiver = Receiver::Nobody;
        port.begin_anew();
        if let Some(once) = asked
            && self.mailbox(once.port).existence == Existence::Alive
            && once.port != id
        {
            self.set_receiver(id, Receiver::Carried(once.port));
            self.notify_with_right(once, id);
            self.tell_receivers_of_the_dead(id);
            return;
        }
        if let Some(once) = asked {
            self.destroy_once(once);
        }
        let backup = self.port_mut(id).backup.take();
        // A process that gives a port up does not get it back.
        let takes_over =
            |backup: &ProcessId| Some(*backup) != holder && !self.state.has_ended(*backup);
        match backup.filter(takes_over) {
            Some(backup) => {
                self.give_right(backup, Carried { port: id, right: Right::Receive });
                self.note(None, Kind::ReceiverIs(id, backup));
                self.tell_receivers_of_the_dead(id);
            }
            None => {
                self.note(None, Kind::Destroyed(id));
                self.kill_mailbox(id);
                self.tell_of_the_dead_port(id);
            }
        }
    }

    /// A mailbox or a port is gone, with what it holds.
    pub(super) fn kill_mailbox(&mut self, id: MailboxId) {
        self.state.mailboxes[id.index()].existence = Existence::Destroyed;
        self.drop_messages(id, Loss::MailboxDestroyed);
        self.release_senders_of_the_dead(id);
        self.lose_held(id, None, Loss::MailboxDestroyed);
        self.tell_receivers_of_the_dead(id);
    }

    /// A process has ended, and its name space with it.
    pub(super) fn end_rights(&mut self, process: ProcessId) {
        if self.state.processes[process.index()].rights.were_never() {
            return;
        }
        let rights = &mut self.state.processes[process.index()].rights;
        let once = std::mem::take(&mut rights.once);
        let watches = std::mem::take(&mut rights.dead_names);
        let held = rights.held.clone();
        let sent_to: Vec<MailboxId> = rights.sent_to().map(|(port, _)| port).collect();
        let received: Vec<MailboxId> = rights.received().collect();
        rights.give_up_all();
        for id in received {
            if self.mailbox(id).set().is_some() {
                self.destroy_set(id);
            } else {
                self.lose_receiver(id);
            }
        }
        for port in held {
            self.lose_held(port, Some(process), Loss::SenderEnded);
            self.work.push(Work::Refill(port));
        }
        for port in sent_to {
            self.may_be_last_sender(port);
        }
        for once in once.into_iter().chain(watches.into_values()) {
            self.destroy_once(once);
        }
    }

    /// Destroys the receive right of a port, or a port set.
    pub(super) fn destroy_port(&mut self, t: ThreadId, id: MailboxId) -> Result<(), Stop> {
        let own = self.thread(t).process;
        if !self.state.processes[own.index()].rights.received().any(|received| received == id) {
            return Err(Stop::NO_RIGHT);
        }
        self.complete(t, Outcome::Ok);
        if self.mailbox(id).set().is_some() {
            self.destroy_set(id);
        } else {
            self.lose_receiver(id);
        }
        Ok(())
    }
}
