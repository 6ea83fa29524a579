//! Rights: who may use a port. How they travel is in `carry`, and what follows when they end is in `losing`.

use super::prelude::*;
use crate::object::port::{DEFAULT_QUEUE_LIMIT, LARGEST_QUEUE_LIMIT, Port};
use crate::object::queue::QueueSpec;

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
        let spec = QueueSpec::plain(Capacity::Messages(limit), self.machine.policies.receiver);
        let port = Port::with(Receiver::Held(self.thread(t).process));
        self.add_received(t, into, Mailbox::new(spec, Object::Port(Box::new(port))))
    }

    /// A new port or port set that the thread's process receives from.
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

    /// Sets the queue limit of a port; as many blocked senders as now have room go on.
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

    /// Gives up one reference to a send right or a dead name, or a send-once right; never a receive
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

    /// A process has one reference fewer; the name goes with the last.
    fn give_up_send(&mut self, own: ProcessId, port: MailboxId) -> Result<(), Stop> {
        let rights = &mut self.state.processes[own.index()].rights;
        rights.give_up(port).ok_or(Stop::NO_RIGHT)?;
        if rights.references(port) == 0 {
            self.name_is_gone(own, port);
            self.may_be_last_sender(port);
        }
        Ok(())
    }

    /// The port that an expression names. What is not a port has no rights.
    pub(super) fn port(&mut self, t: ThreadId, port: &Expr) -> Result<MailboxId, Stop> {
        match self.eval(t, port)? {
            Value::Handle(Handle::Mailbox(id)) if self.mailbox(id).port().is_some() => Ok(id),
            Value::Handle(_) => Err(Stop::REFUSED),
            // A right that died on the way is `none`.
            Value::None => Err(Stop::NO_RIGHT),
            _ => Err(Fault::NotAnObject.into()),
        }
    }

    /// Whether a process may send to a mailbox, if that is a port. A right to a dead port still counts.
    pub(super) fn check_send_right(&self, own: ProcessId, id: MailboxId) -> Result<(), Stop> {
        let is_port = self.mailbox(id).port().is_some();
        if is_port && !self.state.may_send(own, id) { Err(Stop::NO_RIGHT) } else { Ok(()) }
    }

    /// Whether a process may receive from a mailbox, if that is a port.
    pub(super) fn check_receive_right(&self, own: ProcessId, id: MailboxId) -> Result<(), Stop> {
        let mailbox = self.mailbox(id);
        match mailbox.object {
            Object::Port(_) if self.state.receiver_of(id) != Receiver::Held(own) => {
                Err(Stop::NO_RIGHT)
            }
            // A member is received from only through its set.
            Object::Port(_) if self.state.known_as(id) != id => Err(Stop::REFUSED),
            Object::PortSet(_) => {
                let is_own = mailbox.set().is_some_and(|set| set.owner == own);
                let lives = mailbox.existence == Existence::Alive;
                if is_own && lives { Ok(()) } else { Err(Stop::NO_RIGHT) }
            }
            _ => Ok(()),
        }
    }

    pub(super) fn port_mut(&mut self, port: MailboxId) -> &mut Port {
        let mailbox = &mut self.state.mailboxes[port.index()];
        mailbox.port_mut().expect("only a port has rights")
    }

    pub(super) fn set_receiver(&mut self, port: MailboxId, receiver: Receiver) {
        self.port_mut(port).receiver = receiver;
    }

    /// A process gets a right, under the name that it already has for the port.
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
            Right::File(access) => {
                self.take_in_file(process, port, access);
            }
            Right::Opened(_) | Right::Dead => {}
        }
    }

    /// A process gives up a right that it has just received.
    pub(super) fn give_up_received(&mut self, own: ProcessId, carried: Carried) {
        let Carried { port, right } = carried;
        match right {
            Right::Send => {
                // It has one: it has just arrived.
                let _ = self.give_up_send(own, port);
            }
            Right::Receive => self.lose_receiver(port),
            Right::Once(number) => {
                let once = Once { port, number };
                self.state.processes[own.index()].rights.once.remove(&once);
                self.destroy_once(once);
            }
            Right::File(_) | Right::Opened(_) | Right::Dead => {}
        }
    }
}
