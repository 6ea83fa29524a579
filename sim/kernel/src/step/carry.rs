//! What a message carries: rights to ports, the send-once right to answer it, and memory (`region`). It is packed when the message
//! is made (Mach: copyin), unpacked by the receiver (copyout), given back to a sender whose message does not go, and
//! destroyed with a message that is lost. Anything else that messages come to carry belongs here, and nowhere else.
//!
//! A right is in exactly one place: in the name space of a process, or in a message that is queued or whose
//! sender waits.

use ipcsim_program::{Access, Disposition, Grant, OnExec, Send};

use super::prelude::*;
use crate::object::port::Rights;
use crate::object::stream::Opened;

/// Rights that were taken out of a name space, and the name space as it was before.
struct Taken {
    before: Rights,
    rights: Vec<(Carried, Disposition)>,
}

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// Whether a message is to carry rights.
    pub(super) fn carries_something(&self, send: &Send, extras: &Extras) -> bool {
        let answers_at_port = match extras.reply_to {
            Some(Handle::Mailbox(port)) => self.mailbox(port).port().is_some(),
            Some(Handle::Once(_)) => true,
            _ => false,
        };
        !send.rights.is_empty() || answers_at_port
    }

    /// Takes the rights that a message is to carry out of its sender's name space. If one is missing,
    /// all stay where they were.
    pub(super) fn pack(
        &mut self,
        t: ThreadId,
        send: &Send,
        to: MailboxId,
        extras: &mut Extras,
    ) -> Result<(), Stop> {
        let own = self.thread(t).process;
        let taken = self.take_granted(t, &send.rights, to)?;
        // An answer that goes to a port goes there by a send-once right.
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
        extras.rights = self.granted_have_left(own, taken);
        Ok(())
    }

    /// Takes rights that go to this mailbox out of a name space. If one is missing, all stay where they
    /// were.
    fn take_granted(
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
                // A right that died on the way is `none`.
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
            (Handle::File(descriptor), Disposition::File) => {
                let table = &self.state.processes[own.index()].descriptors;
                let opened = table.get(&descriptor.number);
                let opened = opened.filter(|_| descriptor.holder == own).ok_or(Stop::NO_RIGHT)?;
                return Ok(Carried { port: opened.object, right: Right::File(opened.access) });
            }
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

    /// Restores everything to what it was before these rights were taken.
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

    /// Packs only these rights, for a message to this mailbox.
    pub(super) fn pack_rights(
        &mut self,
        t: ThreadId,
        grants: &[Grant],
        to: MailboxId,
    ) -> Result<Box<[Carried]>, Stop> {
        let taken = self.take_granted(t, grants, to)?;
        Ok(self.granted_have_left(self.thread(t).process, taken))
    }

    /// Rights that were taken are now certain to go.
    fn granted_have_left(&mut self, own: ProcessId, taken: Taken) -> Box<[Carried]> {
        for (Carried { port, right }, disposition) in &taken.rights {
            self.right_has_left(own, *port, *disposition);
            if let Right::File(access) = right {
                self.is_opened(Opened { object: *port, access: *access, on_exec: OnExec::Keep });
            }
        }
        taken.rights.into_iter().map(|(right, _)| right).collect()
    }

    /// Others see that a right is on its way, now that this is certain.
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

    /// Whoever receives a message gets the rights in it, except those to ports that have died on the way.
    pub(super) fn unpack(&mut self, t: ThreadId, mut message: Arc<Message>) -> Arc<Message> {
        let own = self.thread(t).process;
        self.unpack_memory(own, &mut message);
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
            if let Right::File(access) = carried.right {
                carried.right = self.take_in_file(own, carried.port, access);
                continue;
            }
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

    /// What was open in a message is open in a process from now on, unless that has too much open.
    pub(super) fn take_in_file(
        &mut self,
        own: ProcessId,
        object: MailboxId,
        access: Access,
    ) -> Right {
        let opened = Opened { object, access, on_exec: OnExec::Keep };
        match self.install(own, opened) {
            Some(descriptor) => Right::Opened(descriptor),
            None => {
                self.is_closed(opened);
                Right::Dead
            }
        }
    }

    fn close_carried(&mut self, object: MailboxId, access: Access) {
        self.is_closed(Opened { object, access, on_exec: OnExec::Keep });
    }

    /// A message has not gone: its sender gets the rights back, newly made ones too, as if it had
    /// received them.
    pub(super) fn give_back(&mut self, message: &Message) {
        if message.sender != ProcessId::KERNEL {
            for Carried { port, right } in message.carried() {
                match right {
                    // The sender has its own; the copy is closed.
                    Right::File(access) => self.close_carried(port, access),
                    _ => self.give_right(message.sender, Carried { port, right }),
                }
            }
            self.give_memory_back(message);
        }
        self.right_of_message_is_gone(message);
    }

    /// A message is destroyed, and the rights in it with it.
    pub(super) fn destroy_carried(&mut self, message: &Message) {
        for Carried { port, right } in message.carried() {
            match right {
                Right::Receive => self.work.push(Work::PortLost(port)),
                Right::Send => self.may_be_last_sender(port),
                Right::Once(number) => self.destroy_once(Once { port, number }),
                Right::File(access) => self.close_carried(port, access),
                Right::Opened(_) | Right::Dead => {}
            }
        }
        self.destroy_memory(message);
        self.right_of_message_is_gone(message);
    }

    /// Whether a message carries the receive right of the very port that one must receive from to get it.
    pub(super) fn is_circular(&self, message: &Message) -> bool {
        let moves = |carried: &&Carried| carried.right == Right::Receive;
        message.rights().iter().filter(moves).any(|carried| {
            let mut at = message.mailbox;
            // Others, whose senders wait, may form a circle of their own.
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
