//! Send just one: if a port is full, the kernel keeps the message for its sender, who goes on and is notified
//! when it has gone.
//!
//! The kernel keeps one message per process and port. It stands in the queue of blocked senders at the port,
//! but without a thread, and is stored when its turn comes, even if kernel memory is short: that is promised.
//! It is lost with its sender, like the message of a blocked sender.

use ipcsim_program::Send;

use super::offer::Attempt;
use super::prelude::*;
use crate::object::port::Held;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// Keeps a message whose sender no longer waits, behind this many blocked senders.
    pub(super) fn hold(
        &mut self,
        t: ThreadId,
        message: &Arc<Message>,
        notify: &Expr,
        ahead: usize,
        attempt: Attempt,
    ) -> Result<(), Stop> {
        let result = self.keep(t, message, notify, ahead);
        match (&result, attempt) {
            (Ok(()), Attempt::First) => self.note(Some(t), Kind::Sent(message)),
            (Err(_), Attempt::First) => self.give_back(message),
            (Ok(()), _) => {}
            (Err(_), _) => self.take_back(t, message),
        }
        result?;
        self.note(Some(t), Kind::Kept(message));
        self.complete(t, Outcome::Held);
        Ok(())
    }

    fn keep(
        &mut self,
        t: ThreadId,
        message: &Arc<Message>,
        notify: &Expr,
        ahead: usize,
    ) -> Result<(), Stop> {
        let own = self.thread(t).process;
        let port = message.mailbox;
        let keeps_one = self.state.processes[own.index()].rights.held.contains(&port);
        if keeps_one || self.mailbox(port).port().is_none() {
            return Err(Stop::REFUSED);
        }
        let notify = self.notified(t, notify)?;
        self.state.processes[own.index()].rights.held.insert(port);
        let held = Held { message: message.clone(), notify, ahead: ahead as u32 };
        let held_before = &mut self.port_mut(port).held;
        let at = held_before.partition_point(|before| before.ahead <= held.ahead);
        held_before.insert(at, held);
        Ok(())
    }

    /// A blocked sender times out: it goes on if the kernel may keep its message.
    pub(super) fn expire_send(&mut self, t: ThreadId) -> bool {
        let machine = self.machine;
        let (Some(BlockedOn::Send(mailbox)), Op::Call(call)) =
            (self.state.waits_for(t), &machine.code[self.thread(t).pc.index()])
        else {
            return false;
        };
        let Verb::Send(Send { hold: Some(notify), .. }) = &call.verb else { return false };
        let (place, message) = self.release_sender(t, *mailbox);
        self.leave_queue(t);
        match self.hold(t, &message, notify, place, Attempt::Again) {
            Ok(()) => {}
            Err(Stop::Outcome(outcome)) => self.complete(t, outcome),
            Err(Stop::Fault(fault)) => {
                self.thread_mut(t).state = ThreadState::Ready;
                self.fail(t, fault);
            }
        }
        self.work.push(Work::Refill(message.mailbox));
        true
    }

    /// The send-once right for a notice that goes where an expression says.
    pub(super) fn notified(&mut self, t: ThreadId, notify: &Expr) -> Result<Once, Stop> {
        let own = self.thread(t).process;
        match self.eval(t, notify)? {
            Value::Handle(Handle::Once(once)) => self.hand_over_once(own, once),
            Value::Handle(Handle::Mailbox(to)) if self.mailbox(to).port().is_some() => {
                self.make_once(own, to)
            }
            Value::Handle(_) => Err(Stop::REFUSED),
            Value::None => Err(Stop::NO_RIGHT),
            _ => Err(Fault::NotAnObject.into()),
        }
    }

    /// Whether a kept message goes before all blocked senders.
    pub(super) fn held_is_next(&self, id: MailboxId) -> bool {
        let port = self.mailbox(id).port();
        port.and_then(|port| port.held.front()).is_some_and(|held| held.ahead == 0)
    }

    /// Stores the kept message that is next, if there is room; returns whether there was.
    pub(super) fn accept_held(&mut self, id: MailboxId) -> bool {
        let mailbox = self.mailbox(id);
        let next = mailbox.port().and_then(|port| port.held.front());
        let has_room = next
            .is_some_and(|held| held.ahead == 0 && mailbox.room(held.message.size) == Room::Free);
        if !has_room {
            return false;
        }
        let held = self.port_mut(id).held.pop_front().expect("there is one that is next");
        self.store(None, held.message.clone());
        self.has_gone(held);
        true
    }

    /// A message that was kept is accepted, and whoever waits for that is notified.
    fn has_gone(&mut self, held: Held) {
        let Held { message, notify, .. } = held;
        let (sender, port) = (message.sender, message.mailbox);
        let process = &mut self.state.processes[sender.index()];
        process.rights.held.remove(&port);
        let has_name = self.state.may_send(sender, port);
        let name = if has_name { Value::Handle(Handle::Mailbox(port)) } else { Value::None };
        self.notify(notify, "msg-accepted", name, None);
    }

    /// Destroys the messages kept at a port, of one process or of all.
    pub(super) fn lose_held(&mut self, id: MailboxId, of: Option<ProcessId>, why: Loss) {
        let is_concerned = |held: &Held| of.is_none_or(|process| held.message.sender == process);
        let port = self.mailbox(id).port();
        if !port.is_some_and(|port| port.held.iter().any(is_concerned)) {
            return;
        }
        let all = std::mem::take(&mut self.port_mut(id).held);
        let (lost, left): (Vec<Held>, Vec<Held>) = all.into_iter().partition(is_concerned);
        self.port_mut(id).held = left.into();
        for Held { message, notify, .. } in lost {
            let process = &mut self.state.processes[message.sender.index()];
            process.rights.held.remove(&id);
            self.lose(None, &message, why);
            self.destroy_once(notify);
        }
    }
}
