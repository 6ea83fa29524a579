//! Rights: who may use a port, and how rights travel in messages. What their ends mean is in `losing`.
//!
//! A right is in exactly one place: in the name space of a process, or in a message that is queued or whose
//! sender waits. It is taken out of the name space when the message is made, and comes back if the message
//! does not go.

use std::sync::Arc;

use ipcsim_program::{
    Capacity, Carried, Disposition, Expr, Extras, Fault, Grant, Handle, MailboxId, Message, Once,
    Order, Outcome, ProcessId, Register, Right, Send, ThreadId, Value, limits,
};

use super::{Step, Stop, Work};
use crate::event::Kind;
use crate::object::mailbox::{Existence, Mailbox, MailboxKind, MailboxSpec, Protected};
use crate::object::port::{DEFAULT_QUEUE_LIMIT, LARGEST_QUEUE_LIMIT, Port, Receiver, Rights};
use crate::oracle::Oracle;
use crate::sink::Sink;

/// Rights that were taken out of a name space, and what that was before.
pub(super) struct Taken {
    before: Rights,
    rights: Vec<(Carried, Disposition)>,
}

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn create_port(
        &mut self,
        t: ThreadId,
        into: Register,
        limit: Option<&Expr>,
    ) -> Result<(), Stop> {
        let limit = match limit {
            None => DEFAULT_QUEUE_LIMIT,
            Some(limit) => self.queue_limit(t, limit)?,
        };
        let mut mailbox = Mailbox::new(MailboxSpec {
            capacity: Capacity::Messages(limit),
            order: Order::Fifo,
            receiver: self.machine.policies.receiver,
            max_size: MailboxSpec::ANY_SIZE,
            kind: MailboxKind::Port,
        });
        let port = Port::of(self.thread(t).process);
        mailbox.protected = Some(Box::new(Protected::Port(port)));
        self.add_received(t, into, mailbox)
    }

    /// A new port or port set, that the process of a thread receives from.
    pub(super) fn add_received(
        &mut self,
        t: ThreadId,
        into: Register,
        object: Mailbox,
    ) -> Result<(), Stop> {
        if self.state.mailboxes.len() >= limits::MAILBOXES {
            return Err(Stop::REFUSED);
        }
        let own = self.thread(t).process;
        let id = MailboxId::at(self.state.mailboxes.len());
        self.state.mailboxes.push(object);
        self.state.processes[own.index()].rights.add_receive(id);
        self.note(Some(t), Kind::Created(id));
        self.set(t, into, Value::Handle(Handle::Mailbox(id)));
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    fn queue_limit(&mut self, t: ThreadId, limit: &Expr) -> Result<u64, Stop> {
        let limit = u64::try_from(self.scope(t).int(limit)?).map_err(|_| Stop::REFUSED)?;
        if limit > LARGEST_QUEUE_LIMIT { Err(Stop::REFUSED) } else { Ok(limit) }
    }

    /// Sets the queue limit of a port; so many blocked senders as there is room for now go on.
    pub(super) fn limit(&mut self, t: ThreadId, port: &Expr, limit: &Expr) -> Result<(), Stop> {
        let port = self.port(t, port)?;
        if self.state.receiver_of(port) != Receiver::Held(self.thread(t).process) {
            return Err(Stop::NO_RIGHT);
        }
        let limit = self.queue_limit(t, limit)?;
        self.state.mailboxes[port.index()].spec.capacity = Capacity::Messages(limit);
        self.note(Some(t), Kind::Limited(port, limit));
        self.complete(t, Outcome::Ok);
        self.work.push(Work::Refill(port));
        Ok(())
    }

    /// Gives one reference to a send right, or to a dead name, up, or a send-once right; never a receive
    /// right.
    pub(super) fn drop_right(&mut self, t: ThreadId, right: &Expr) -> Result<(), Stop> {
        let own = self.thread(t).process;
        if let Value::Handle(Handle::Once(once)) = self.eval(t, right)? {
            self.hand_over_once(own, once)?;
            self.complete(t, Outcome::Ok);
            self.destroy_once(once);
            return Ok(());
        }
        let port = self.port(t, right)?;
        self.give_up_send(own, port)?;
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    /// A process has one reference less, and with the last the name is gone.
    fn give_up_send(&mut self, own: ProcessId, port: MailboxId) -> Result<(), Stop> {
        let rights = &mut self.state.processes[own.index()].rights;
        rights.give_up(port).ok_or(Stop::NO_RIGHT)?;
        if rights.references(port) == 0 {
            self.name_is_gone(own, port);
            self.may_be_last_sender(port);
        }
        Ok(())
    }

    /// The port that an expression names. What is no port has no rights.
    pub(super) fn port(&mut self, t: ThreadId, port: &Expr) -> Result<MailboxId, Stop> {
        match self.eval(t, port)? {
            Value::Handle(Handle::Mailbox(id)) if self.mailbox(id).port().is_some() => Ok(id),
            Value::Handle(_) => Err(Stop::REFUSED),
            // A right that died on the way is nothing.
            Value::None => Err(Stop::NO_RIGHT),
            _ => Err(Fault::NotAnObject.into()),
        }
    }

    /// Whether a process may send to a mailbox, if that is a port. A dead port is one that had a right.
    pub(super) fn check_send_right(&self, own: ProcessId, id: MailboxId) -> Result<(), Stop> {
        let is_port = self.mailbox(id).spec.kind == MailboxKind::Port;
        if is_port && !self.state.may_send(own, id) { Err(Stop::NO_RIGHT) } else { Ok(()) }
    }

    /// Whether a process may receive from a mailbox, if that is a port.
    pub(super) fn check_receive_right(&self, own: ProcessId, id: MailboxId) -> Result<(), Stop> {
        let mailbox = self.mailbox(id);
        match mailbox.spec.kind {
            MailboxKind::Port if self.state.receiver_of(id) != Receiver::Held(own) => {
                Err(Stop::NO_RIGHT)
            }
            // A member is received from by way of its set only.
            MailboxKind::Port if self.state.known_as(id) != id => Err(Stop::REFUSED),
            MailboxKind::PortSet => {
                let is_own = mailbox.set().is_some_and(|set| set.owner == own);
                let lives = mailbox.existence == Existence::Alive;
                if is_own && lives { Ok(()) } else { Err(Stop::NO_RIGHT) }
            }
            _ => Ok(()),
        }
    }

    /// Whether a message is to carry rights.
    pub(super) fn mentions_ports(&self, send: &Send, extras: &Extras) -> bool {
        let answers_at_port = match extras.reply_to {
            Some(Handle::Mailbox(port)) => self.mailbox(port).port().is_some(),
            Some(Handle::Once(_)) => true,
            _ => false,
        };
        !send.rights.is_empty() || answers_at_port
    }

    /// Takes the rights that a message is to carry out of its sender's name space. If one cannot be had,
    /// all stay where they were.
    pub(super) fn take_rights(
        &mut self,
        t: ThreadId,
        send: &Send,
        to: MailboxId,
        extras: &mut Extras,
    ) -> Result<(), Stop> {
        let own = self.thread(t).process;
        let taken = self.take_granted(t, &send.rights, to)?;
        // Where an answer goes to a port, it goes there by a send-once right.
        let answered = match extras.reply_to {
            Some(Handle::Mailbox(port)) if self.mailbox(port).port().is_some() => {
                self.make_once(own, port).map(Some)
            }
            Some(Handle::Once(once)) => self.hand_over_once(own, once).map(Some),
            _ => Ok(None),
        };
        match answered {
            Ok(Some(once)) => extras.reply_to = Some(Handle::Once(once)),
            Ok(None) => {}
            Err(stop) => {
                self.undo(own, taken.before, &taken.rights);
                return Err(stop);
            }
        }
        extras.rights = self.granted_have_left(own, taken).into();
        Ok(())
    }

    /// Takes rights out of a name space, which go to this mailbox. If one cannot be had, all stay where they
    /// were.
    pub(super) fn take_granted(
        &mut self,
        t: ThreadId,
        grants: &[Grant],
        to: MailboxId,
    ) -> Result<Taken, Stop> {
        let own = self.thread(t).process;
        let mut handles = Vec::with_capacity(grants.len());
        for grant in grants {
            match self.eval(t, &grant.port)? {
                Value::Handle(handle) => handles.push((handle, grant.disposition)),
                // A right that died on the way is nothing.
                Value::None => return Err(Stop::NO_RIGHT),
                _ => return Err(Fault::NotAnObject.into()),
            }
        }
        let before = self.state.processes[own.index()].rights.clone();
        let mut taken = Vec::with_capacity(handles.len());
        for (handle, disposition) in handles {
            match self.take_right(own, handle, disposition, to) {
                Ok(right) => taken.push((right, disposition)),
                Err(stop) => {
                    self.undo(own, before, &taken);
                    return Err(stop);
                }
            }
        }
        Ok(Taken { before, rights: taken })
    }

    /// Rights that were taken are on their way, and that is certain now.
    pub(super) fn granted_have_left(&mut self, own: ProcessId, taken: Taken) -> Vec<Carried> {
        for (Carried { port, .. }, disposition) in &taken.rights {
            self.right_has_left(own, *port, *disposition);
        }
        taken.rights.into_iter().map(|(right, _)| right).collect()
    }

    /// All is as it was before these rights were taken.
    fn undo(&mut self, own: ProcessId, before: Rights, taken: &[(Carried, Disposition)]) {
        self.state.processes[own.index()].rights = before;
        for (Carried { port, right }, disposition) in taken {
            match (disposition, right) {
                (Disposition::MoveReceive, _) => self.set_receiver(*port, Receiver::Held(own)),
                (Disposition::MakeSendOnce, Right::Once(number)) => {
                    self.forget_once(Once { port: *port, number: *number });
                }
                _ => {}
            }
        }
    }

    /// Others see that a right is on its way, now that it is certain.
    fn right_has_left(&mut self, own: ProcessId, port: MailboxId, disposition: Disposition) {
        match disposition {
            Disposition::MoveReceive => {
                self.leave_set(port);
                self.port_mut(port).begin_anew();
                self.work.push(Work::ReceiverLeft(port));
            }
            Disposition::MakeSend if self.machine.counts_senders() => {
                let made = &mut self.port_mut(port).made;
                *made = made.saturating_add(1);
            }
            Disposition::MoveSend
                if self.state.processes[own.index()].rights.references(port) == 0 =>
            {
                self.name_is_gone(own, port);
            }
            _ => {}
        }
    }

    pub(super) fn port_mut(&mut self, port: MailboxId) -> &mut Port {
        let mailbox = &mut self.state.mailboxes[port.index()];
        mailbox.port_mut().expect("only a port has rights")
    }

    fn take_right(
        &mut self,
        own: ProcessId,
        handle: Handle,
        disposition: Disposition,
        to: MailboxId,
    ) -> Result<Carried, Stop> {
        let port = match (handle, disposition) {
            (Handle::Once(once), Disposition::MoveSendOnce) => {
                let Once { port, number } = self.hand_over_once(own, once)?;
                return Ok(Carried { port, right: Right::Once(number) });
            }
            (Handle::Once(_), _) => return Err(Stop::NO_RIGHT),
            (Handle::Mailbox(port), _) if self.mailbox(port).port().is_some() => port,
            _ => return Err(Stop::REFUSED),
        };
        let receives = self.state.receiver_of(port) == Receiver::Held(own);
        let right = match disposition {
            Disposition::MoveReceive if receives => {
                self.state.processes[own.index()].rights.take_receive(port);
                self.set_receiver(port, Receiver::Carried(to));
                Right::Receive
            }
            Disposition::MakeSend if receives => Right::Send,
            Disposition::MakeSendOnce => Right::Once(self.make_once(own, port)?.number),
            Disposition::CopySend
                if self.state.processes[own.index()].rights.references(port) > 0 =>
            {
                Right::Send
            }
            Disposition::MoveSend => {
                let rights = &mut self.state.processes[own.index()].rights;
                rights.give_up(port).ok_or(Stop::NO_RIGHT)?;
                Right::Send
            }
            _ => return Err(Stop::NO_RIGHT),
        };
        Ok(Carried { port, right })
    }

    pub(super) fn set_receiver(&mut self, port: MailboxId, receiver: Receiver) {
        self.port_mut(port).receiver = receiver;
    }

    /// A message has not gone: its sender gets the rights back, made ones as well, as if it had received
    /// them.
    pub(super) fn give_rights_back(&mut self, message: &Message) {
        if message.sender != ProcessId::KERNEL {
            message.carried().for_each(|carried| self.give_right(message.sender, carried));
        }
    }

    /// A process gets a right, under the name that it has for the port already.
    pub(super) fn give_right(&mut self, process: ProcessId, carried: Carried) {
        let Carried { port, right } = carried;
        let rights = &mut self.state.processes[process.index()].rights;
        match right {
            Right::Send => rights.add(port),
            Right::Receive => {
                rights.add_receive(port);
                self.set_receiver(port, Receiver::Held(process));
            }
            Right::Once(number) => {
                rights.once.insert(Once { port, number });
            }
            Right::Dead => {}
        }
    }

    /// A process gives up a right that it has just received.
    pub(super) fn give_up_received(&mut self, own: ProcessId, carried: Carried) {
        let Carried { port, right } = carried;
        match right {
            Right::Send => {
                // It has one, for it came just now.
                let _ = self.give_up_send(own, port);
            }
            Right::Receive => self.lose_receiver(port),
            Right::Once(number) => {
                let once = Once { port, number };
                self.state.processes[own.index()].rights.once.remove(&once);
                self.destroy_once(once);
            }
            Right::Dead => {}
        }
    }

    /// Whoever receives a message gets the rights in it, but for those to ports that have died on the way.
    pub(super) fn copy_out(&mut self, t: ThreadId, mut message: Arc<Message>) -> Arc<Message> {
        let own = self.thread(t).process;
        if let Some(Handle::Once(Once { port, number })) = message.reply_to() {
            if self.mailbox(port).existence == Existence::Destroyed {
                extras_of(&mut message).reply_to = None;
            } else {
                self.give_right(own, Carried { port, right: Right::Once(number) });
            }
        }
        if message.rights().is_empty() {
            return message;
        }
        let mut rights = message.rights().to_vec();
        for carried in &mut rights {
            if self.mailbox(carried.port).existence == Existence::Destroyed {
                carried.right = Right::Dead;
            }
            self.give_right(own, *carried);
            if carried.right == Right::Receive {
                self.note(Some(t), Kind::ReceiverIs(carried.port, own));
            }
        }
        if rights != message.rights() {
            extras_of(&mut message).rights = rights.into();
        }
        message
    }

    /// Whether a message carries the receive right of a port that one would have to receive from to get it.
    pub(super) fn is_circular(&self, message: &Message) -> bool {
        let moves = |carried: &&Carried| carried.right == Right::Receive;
        message.rights().iter().filter(moves).any(|carried| {
            let mut at = message.mailbox;
            // Others, whose senders wait, may go round in a circle of their own.
            for _ in 0..self.state.mailboxes.len() {
                let Receiver::Carried(next) = self.state.receiver_of(at) else { return false };
                if at == carried.port {
                    return true;
                }
                at = next;
            }
            false
        })
    }
}

fn extras_of(message: &mut Arc<Message>) -> &mut Extras {
    Arc::make_mut(message).extras.as_mut().expect("it carries rights")
}
