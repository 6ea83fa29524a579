//! Ports and rights as bytes.

use super::Encoder;
use crate::object::port::{Carried, Controlled, Once, Port, Receiver, Right, Rights};
use crate::object::port_set::PortSet;

impl Encoder<'_> {
    /// The name space of a process.
    pub(super) fn name_space(&mut self, rights: &Rights) {
        self.number(rights.sent_to().len() as u64);
        for (port, references) in rights.sent_to() {
            self.mailbox_id(port);
            self.number(u64::from(references));
        }
        self.mailboxes(rights.received());
        self.number(rights.once.len() as u64);
        rights.once.iter().for_each(|once| self.once(*once));
        self.number(rights.dead_names.len() as u64);
        for (port, once) in &rights.dead_names {
            self.mailbox_id(*port);
            self.once(*once);
        }
        self.mailboxes(rights.held.iter().copied());
    }

    /// What a mailbox has as a port.
    pub(super) fn port(&mut self, port: &Port) {
        match port.receiver {
            Receiver::Nobody => self.byte(0),
            Receiver::Held(process) => self.number(4 * u64::from(process.0) + 1),
            Receiver::Carried(to) => self.number(4 * u64::from(to.0) + 2),
            Receiver::Kernel(Controlled::Process(process)) => {
                self.number(4 * u64::from(process.0) + 3);
            }
            Receiver::Kernel(Controlled::Thread(t)) => self.number(4 * u64::from(t.0) + 4),
        }
        self.number(port.backup.map_or(0, |backup| u64::from(backup.0) + 1));
        self.number(port.once.len() as u64);
        port.once.iter().for_each(|number| self.number(u64::from(*number)));
        self.number(u64::from(port.made));
        self.number(u64::from(port.received));
        for asked in [port.no_senders, port.destroyed] {
            self.byte(u8::from(asked.is_some()));
            if let Some(once) = asked {
                self.once(once);
            }
        }
        self.number(port.set.map_or(0, |set| u64::from(set.0) + 1));
        self.number(port.held.len() as u64);
        for held in &port.held {
            self.message(&held.message);
            self.once(held.notify);
            self.number(u64::from(held.ahead));
        }
    }

    /// What a mailbox has as a port set.
    pub(super) fn port_set(&mut self, set: &PortSet) {
        self.number(u64::from(set.owner.0));
        self.mailboxes(set.members.iter().copied());
        self.mailboxes(set.arrived());
        self.number(u64::from(set.next));
    }

    /// A send-once right.
    pub(super) fn once(&mut self, once: Once) {
        self.mailbox_id(once.port);
        self.number(u64::from(once.number));
    }

    /// The rights that a message carries.
    pub(super) fn carried(&mut self, rights: &[Carried]) {
        self.number(rights.len() as u64);
        for carried in rights {
            self.mailbox_id(carried.port);
            self.number(match carried.right {
                Right::Receive => 0,
                Right::Send => 1,
                Right::Dead => 2,
                Right::Once(number) => 3 + u64::from(number),
            });
        }
    }
}
