//! Rights: who may use a port, how rights travel in messages, and what their ends mean.
//!
//! A right is in exactly one place: in the name space of a process, or in a message that is queued or whose
//! sender waits. It is taken out of the name space when the message is made, and comes back if the message
//! does not go.

use std::sync::Arc;

use super::{Step, Stop, Work};
use crate::event::{Kind, Loss};
use crate::expr::Expr;
use crate::ids::{MailboxId, ProcessId, Register, ThreadId};
use crate::limits;
use crate::machine::{Capacity, MailboxKind, MailboxSpec, Order};
use crate::message::Message;
use crate::object::mailbox::{Existence, Mailbox};
use crate::object::port::{
    Carried, DEFAULT_QUEUE_LIMIT, LARGEST_QUEUE_LIMIT, Port, Receiver, Right,
};
use crate::oracle::{Oracle, Sink};
use crate::outcome::{Fault, Outcome};
use crate::program::{Disposition, Grant};
use crate::value::{Handle, Value};

const NO_RIGHT: Stop = Stop::Outcome(Outcome::NoRight);
const REFUSED: Stop = Stop::Outcome(Outcome::Refused);

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
        if self.state.mailboxes.len() >= limits::MAILBOXES {
            return Err(REFUSED);
        }
        let id = MailboxId::at(self.state.mailboxes.len());
        let mut mailbox = Mailbox::new(MailboxSpec {
            capacity: Capacity::Messages(limit),
            order: Order::Fifo,
            receiver: self.machine.policies.receiver,
            max_size: None,
            kind: MailboxKind::Port,
        });
        let own = self.thread(t).process;
        mailbox.port = Some(Box::new(Port::of(own)));
        self.state.mailboxes.push(mailbox);
        self.state.processes[own.index()].rights.add_receive(id);
        self.note(Some(t), Kind::Created(id));
        self.set(t, into, Value::Handle(Handle::Mailbox(id)));
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    fn queue_limit(&mut self, t: ThreadId, limit: &Expr) -> Result<u64, Stop> {
        let limit = u64::try_from(self.scope(t).int(limit)?).map_err(|_| REFUSED)?;
        if limit > LARGEST_QUEUE_LIMIT { Err(REFUSED) } else { Ok(limit) }
    }

    /// Sets the queue limit of a port; so many blocked senders as there is room for now go on.
    pub(super) fn limit(&mut self, t: ThreadId, port: &Expr, limit: &Expr) -> Result<(), Stop> {
        let port = self.port(t, port)?;
        if self.state.receiver_of(port) != Receiver::Held(self.thread(t).process) {
            return Err(NO_RIGHT);
        }
        let limit = self.queue_limit(t, limit)?;
        self.state.mailboxes[port.index()].spec.capacity = Capacity::Messages(limit);
        self.note(Some(t), Kind::Limited(port, limit));
        self.complete(t, Outcome::Ok);
        self.work.push(Work::Refill(port));
        Ok(())
    }

    /// Gives one reference to a send right, or to a dead name, up; never a receive right.
    pub(super) fn drop_right(&mut self, t: ThreadId, port: &Expr) -> Result<(), Stop> {
        let port = self.port(t, port)?;
        let own = self.thread(t).process;
        self.state.processes[own.index()].rights.give_up(port).ok_or(NO_RIGHT)?;
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    /// The port that an expression names. What is no port has no rights.
    fn port(&mut self, t: ThreadId, port: &Expr) -> Result<MailboxId, Stop> {
        match self.eval(t, port)? {
            Value::Handle(Handle::Mailbox(id)) if self.mailbox(id).port.is_some() => Ok(id),
            Value::Handle(_) => Err(REFUSED),
            // A right that died on the way is nothing.
            Value::None => Err(NO_RIGHT),
            _ => Err(Fault::MixedTypes.into()),
        }
    }

    /// Whether a process may send to a mailbox, if that is a port. A dead port is one that had a right.
    pub(super) fn check_send_right(&self, own: ProcessId, id: MailboxId) -> Result<(), Stop> {
        let is_port = self.mailbox(id).spec.kind == MailboxKind::Port;
        if is_port && !self.state.may_send(own, id) { Err(NO_RIGHT) } else { Ok(()) }
    }

    /// Whether a process may receive from a mailbox, if that is a port.
    pub(super) fn check_receive_right(&self, own: ProcessId, id: MailboxId) -> Result<(), Stop> {
        let is_port = self.mailbox(id).spec.kind == MailboxKind::Port;
        if is_port && self.state.receiver_of(id) != Receiver::Held(own) {
            return Err(NO_RIGHT);
        }
        Ok(())
    }

    /// Takes the rights that a message is to carry out of its sender's name space. If one cannot be had,
    /// all stay where they were.
    pub(super) fn copy_in(
        &mut self,
        t: ThreadId,
        grants: &[Grant],
        to: MailboxId,
    ) -> Result<Box<[Carried]>, Stop> {
        let own = self.thread(t).process;
        let mut carried = Vec::with_capacity(grants.len());
        for grant in grants {
            let taken = match self.port(t, &grant.port) {
                Ok(port) => self.take_right(own, port, grant.disposition, to),
                Err(stop) => Err(stop),
            };
            match taken {
                Ok(right) => carried.push(right),
                Err(stop) => {
                    self.put_back(own, &carried);
                    return Err(stop);
                }
            }
        }
        for Carried { port, .. } in carried.iter().filter(|it| it.right == Right::Receive) {
            self.tell_receivers_of_the_dead(*port);
        }
        Ok(carried.into())
    }

    fn take_right(
        &mut self,
        own: ProcessId,
        port: MailboxId,
        disposition: Disposition,
        to: MailboxId,
    ) -> Result<Carried, Stop> {
        let receives = self.state.receiver_of(port) == Receiver::Held(own);
        let rights = &mut self.state.processes[own.index()].rights;
        let right = match disposition {
            Disposition::MoveReceive if receives => {
                rights.take_receive(port);
                self.set_receiver(port, Receiver::Carried(to));
                Right::Receive
            }
            Disposition::MakeSend if receives => Right::Send,
            Disposition::CopySend if rights.references(port) > 0 => Right::Send,
            Disposition::MoveSend => {
                rights.give_up(port).ok_or(NO_RIGHT)?;
                Right::Send
            }
            Disposition::MoveReceive | Disposition::MakeSend | Disposition::CopySend => {
                return Err(NO_RIGHT);
            }
        };
        Ok(Carried { port, right })
    }

    fn set_receiver(&mut self, port: MailboxId, receiver: Receiver) {
        let mailbox = &mut self.state.mailboxes[port.index()];
        mailbox.port.as_mut().expect("only a port has a receive right").receiver = receiver;
    }

    /// A message has not gone: its sender gets the rights back, made ones as well, as if it had received
    /// them.
    pub(super) fn give_rights_back(&mut self, message: &Message) {
        self.put_back(message.sender, message.rights());
    }

    fn put_back(&mut self, process: ProcessId, rights: &[Carried]) {
        for carried in rights {
            self.give_right(process, *carried);
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
            Right::Dead => {}
        }
    }

    /// Whoever receives a message gets the rights in it, but for those to ports that have died on the way.
    pub(super) fn copy_out(&mut self, t: ThreadId, mut message: Arc<Message>) -> Arc<Message> {
        if message.rights().is_empty() {
            return message;
        }
        let own = self.thread(t).process;
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
            let message = Arc::make_mut(&mut message);
            let extras = message.extras.as_mut().expect("it carries rights");
            extras.rights = rights.into();
        }
        message
    }

    /// A message is destroyed, and the rights in it with it.
    pub(super) fn destroy_rights(&mut self, message: &Message) {
        for carried in message.rights() {
            if carried.right == Right::Receive {
                self.lose_receiver(carried.port);
            }
        }
    }

    /// Whether a message carries the receive right of a port that one would have to receive from to get it.
    pub(super) fn is_circular(&self, message: &Message) -> bool {
        let moves = |carried: &&Carried| carried.right == Right::Receive;
        message.rights().iter().filter(moves).any(|carried| {
            let mut at = message.mailbox;
            while let Receiver::Carried(next) = self.state.receiver_of(at) {
                if at == carried.port {
                    return true;
                }
                at = next;
            }
            false
        })
    }

    /// The receive right of a port is destroyed: the backup gets it, or the port dies.
    pub(super) fn lose_receiver(&mut self, id: MailboxId) {
        let mailbox = &mut self.state.mailboxes[id.index()];
        let port = mailbox.port.as_mut().expect("only a port has a receive right");
        if let Receiver::Held(process) = port.receiver {
            self.state.processes[process.index()].rights.take_receive(id);
        }
        let backup = port.backup.take();
        port.receiver = Receiver::Nobody;
        match backup.filter(|backup| !self.state.has_ended(*backup)) {
            Some(backup) => {
                self.give_right(backup, Carried { port: id, right: Right::Receive });
                self.note(None, Kind::ReceiverIs(id, backup));
                self.tell_receivers_of_the_dead(id);
            }
            None => {
                self.note(None, Kind::Destroyed(id));
                self.kill_mailbox(id);
            }
        }
    }

    /// A mailbox or a port is gone, with what it holds.
    pub(super) fn kill_mailbox(&mut self, id: MailboxId) {
        self.state.mailboxes[id.index()].existence = Existence::Destroyed;
        for names in self.state.names.iter_mut() {
            names.remove_mailbox(id);
        }
        self.drop_messages(id, Loss::MailboxDestroyed);
        self.release_senders_of_the_dead(id);
        self.tell_receivers_of_the_dead(id);
    }

    /// A process has ended, and its name space with it.
    pub(super) fn end_rights(&mut self, process: ProcessId) {
        self.state.processes[process.index()].rights.give_up_all();
        let received: Vec<MailboxId> =
            self.state.processes[process.index()].rights.received().collect();
        for port in received {
            self.lose_receiver(port);
        }
    }

    /// Destroys the receive right of a port.
    pub(super) fn destroy_port(&mut self, t: ThreadId, id: MailboxId) -> Result<(), Stop> {
        self.check_receive_right(self.thread(t).process, id)?;
        self.complete(t, Outcome::Ok);
        self.lose_receiver(id);
        Ok(())
    }
}
