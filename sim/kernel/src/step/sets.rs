//! Port sets: ports that join and leave, and what a receive from a set takes.

use super::offer::Whereabouts;
use super::prelude::*;
use super::receive::Found;
use crate::machine::SetOrder;
use crate::object::port_set::PortSet;
use crate::object::queue::QueueSpec;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn create_set(&mut self, t: ThreadId, into: Register) -> Result<(), Stop> {
        let spec = QueueSpec::plain(Capacity::None, self.machine.policies.receiver);
        let set = PortSet::of(self.thread(t).process);
        self.add_received(t, into, Mailbox::new(spec, Object::PortSet(Box::new(set))))
    }

    /// A port joins a set and leaves any other. Whoever waits at the port itself is refused; whoever waits
    /// at the set gets what the port holds.
    pub(super) fn insert(&mut self, t: ThreadId, port: &Expr, into: &Expr) -> Result<(), Stop> {
        let (port, set) = (self.received(t, port)?, self.own_set(t, into)?);
        self.complete(t, Outcome::Ok);
        self.leave_set(port);
        let waiting: Vec<ThreadId> = self.mailbox(port).receivers.iter().copied().collect();
        for waiter in waiting {
            self.end_wait(waiter, Outcome::Refused);
        }
        let messages = self.mailbox(port).messages.len();
        self.port_mut(port).set = Some(set);
        self.set_mut(set).insert(port, messages);
        self.serve_receivers(set);
        Ok(())
    }

    /// Takes a port out of a set.
    pub(super) fn take_out(&mut self, t: ThreadId, port: &Expr, out_of: &Expr) -> Result<(), Stop> {
        let (port, set) = (self.received(t, port)?, self.own_set(t, out_of)?);
        if self.port_mut(port).set != Some(set) {
            return Err(Stop::REFUSED);
        }
        self.leave_set(port);
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    /// The port that an expression names, if the thread's process receives from it.
    fn received(&mut self, t: ThreadId, port: &Expr) -> Result<MailboxId, Stop> {
        let port = self.port(t, port)?;
        let own = self.thread(t).process;
        if self.state.receiver_of(port) == Receiver::Held(own) {
            Ok(port)
        } else {
            Err(Stop::NO_RIGHT)
        }
    }

    /// The port set that an expression names, if it is the process's own.
    fn own_set(&mut self, t: ThreadId, set: &Expr) -> Result<MailboxId, Stop> {
        let id = match self.eval(t, set)? {
            Value::Handle(Handle::Mailbox(id)) => id,
            Value::Handle(_) => return Err(Stop::REFUSED),
            _ => return Err(Fault::NotAnObject.into()),
        };
        let Some(set) = self.mailbox(id).set() else { return Err(Stop::REFUSED) };
        let is_own = set.owner == self.thread(t).process;
        let lives = self.mailbox(id).existence == Existence::Alive;
        if is_own && lives { Ok(id) } else { Err(Stop::NO_RIGHT) }
    }

    fn set_mut(&mut self, set: MailboxId) -> &mut PortSet {
        self.state.mailboxes[set.index()].set_mut().expect("only a set has members")
    }

    /// The set that a port is in, if it is in one.
    pub(super) fn set_of(&mut self, port: MailboxId) -> Option<&mut PortSet> {
        let set = self.mailbox(port).port()?.set?;
        Some(self.set_mut(set))
    }

    /// A port leaves its set, if it is in one. Whoever waits at the set goes on waiting.
    pub(super) fn leave_set(&mut self, port: MailboxId) {
        if let Some(set) = self.set_of(port) {
            set.remove(port);
            self.port_mut(port).set = None;
        }
    }

    /// A set no longer exists; its ports are ordinary ports again.
    pub(super) fn destroy_set(&mut self, set: MailboxId) {
        let owner = self.set_mut(set).owner;
        self.state.processes[owner.index()].rights.take_receive(set);
        for port in self.set_mut(set).members.clone() {
            self.leave_set(port);
        }
        self.note(None, Kind::Destroyed(set));
        self.kill_mailbox(set);
    }

    /// The message that a receive from a set takes: its port, and its place in the queue there.
    pub(super) fn find_in_set(
        &mut self,
        set: MailboxId,
        filter: Option<&Filter>,
    ) -> Option<(MailboxId, usize)> {
        let members = self.mailbox(set).set()?;
        let first =
            |port: MailboxId| self.mailbox(port).first_stored(filter).map(|place| (port, place));
        match self.machine.policies.set_order {
            SetOrder::Merged => members.by_age().find(|(port, place)| {
                Filter::accepts(filter, &self.mailbox(*port).messages[*place])
            }),
            SetOrder::RoundRobin => members.in_turn().find_map(first),
            SetOrder::Arbitrary => {
                let found: Vec<_> =
                    members.members.iter().filter_map(|port| first(*port)).collect();
                if found.is_empty() {
                    return None;
                }
                let answer = self.ask(None, Question::Member { count: found.len() as u64 });
                Some(found[usize::try_from(answer).expect("an answer below the count")])
            }
        }
    }

    /// Whether a receive would find something: in a mailbox, or in a member of a set.
    pub(super) fn has_something(&self, mailbox: MailboxId) -> bool {
        self.with_members(mailbox).into_iter().any(|it| self.mailbox(it).has_something())
    }

    /// A mailbox, or the members of a set.
    pub(super) fn with_members(&self, mailbox: MailboxId) -> Vec<MailboxId> {
        match self.mailbox(mailbox).set() {
            Some(set) => set.members.clone(),
            None => vec![mailbox],
        }
    }

    /// Serves those who wait at a set with what a port has brought in, first come first served.
    fn serve_receivers(&mut self, set: MailboxId) {
        let waiting: Vec<ThreadId> = self.mailbox(set).receivers.iter().copied().collect();
        for t in waiting {
            let Some(BlockedOn::Receive { filter, .. }) = self.state.waits_for(t) else { continue };
            let filter = filter.clone();
            let Some((port, place)) = self.find_in_set(set, filter.as_deref()) else { continue };
            let message = &self.mailbox(port).messages[place];
            if let Some(outcome) = self.misfit(t, filter.as_deref(), message) {
                self.end_wait(t, outcome);
                continue;
            }
            let Some(BlockedOn::Receive { sources, .. }) = self.leave_queue(t) else { continue };
            self.unlist_receiver(t, &sources);
            let whereabouts = Whereabouts::With(self.thread(t).process);
            let message = self.remove(t, Found::Stored(port, place), whereabouts);
            self.sink.copied(message.size);
            self.receive_message(t, message);
        }
        self.tell_selectors(set);
    }
}
