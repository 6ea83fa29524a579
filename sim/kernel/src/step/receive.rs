//! Receiving: a stored message first, then a blocked sender, then waiting.

use ipcsim_program::{Access, Answer, From, Receive};

use super::offer::Whereabouts;
use super::prelude::*;
use crate::machine::Receives;

/// A message that a receive could take now.
#[derive(Clone, Copy)]
pub(super) enum Found {
    /// Stored, at this place.
    Stored(MailboxId, usize),
    /// In the hands of the blocked sender at this place.
    WithSender(MailboxId, usize),
    /// Bytes, or the end of what there is.
    InStream(MailboxId),
}

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn receive(&mut self, t: ThreadId, receive: &Receive) -> Result<(), Stop> {
        let sources = match &receive.from {
            From::Anyone => Sources::Anyone,
            From::These(expr) => match self.named_mailbox(t, expr)? {
                Some(source) => {
                    self.reachable_by_name(source)?;
                    self.check_receive_right(self.thread(t).process, source)?;
                    Sources::One(source)
                }
                None => self.sources(t, expr)?,
            },
        };
        let filter = self.filter(t, receive)?;
        self.check_filter(&sources, filter.as_deref())?;
        if let Some(found) = self.find(t, &sources, filter.as_deref()) {
            return self.take(t, found, filter.as_deref());
        }
        if self.all_dead(t, &sources) {
            return Err(Stop::DEAD);
        }
        self.block(t, BlockedOn::Receive { sources, filter }, &receive.wait)
    }

    fn filter(&mut self, t: ThreadId, receive: &Receive) -> Result<Option<Box<Filter>>, Fault> {
        if receive.kind.is_none() && receive.max_size.is_none() {
            return Ok(None);
        }
        let kind = match &receive.kind {
            None => None,
            Some(kind) => Some(self.kind(t, kind)?),
        };
        let max_size = match &receive.max_size {
            None => None,
            Some(size) => Some(self.size(t, size)?),
        };
        Ok(Some(Box::new(Filter { kind, max_size })))
    }

    /// The mailboxes and links that a source, or a list of sources, stands for.
    pub(super) fn sources(&mut self, t: ThreadId, expr: &Expr) -> Result<Sources, Stop> {
        match self.eval(t, expr)? {
            Value::List(list) => {
                let mut mailboxes = Vec::with_capacity(list.items().len());
                for item in list.items() {
                    self.add_sources(t, item, &mut mailboxes)?;
                }
                Ok(Sources::Many(Box::new(mailboxes.into())))
            }
            Value::Handle(handle) => Ok(Sources::One(self.source(t, handle)?)),
            _ => Err(Fault::NotAnObject.into()),
        }
    }

    /// A list within the list is a family of replicas: its members, one after the other.
    fn add_sources(
        &mut self,
        t: ThreadId,
        item: &Value,
        to: &mut Vec<MailboxId>,
    ) -> Result<(), Stop> {
        match item {
            Value::List(family) => {
                for member in family.items() {
                    let Value::Handle(handle) = member else {
                        return Err(Fault::NotAnObject.into());
                    };
                    to.push(self.source(t, *handle)?);
                }
            }
            Value::Handle(handle) => to.push(self.source(t, *handle)?),
            _ => return Err(Fault::NotAnObject.into()),
        }
        Ok(())
    }

    fn source(&mut self, t: ThreadId, handle: Handle) -> Result<MailboxId, Stop> {
        match handle {
            Handle::Process(process) => Ok(self.link(process, self.thread(t).process)?),
            Handle::Mailbox(mailbox) => {
                self.reachable_by_name(mailbox)?;
                self.check_receive_right(self.thread(t).process, mailbox)?;
                Ok(mailbox)
            }
            Handle::File(descriptor) => self.opened(t, descriptor, Access::Read),
            Handle::Reply(_) | Handle::Once(_) => Err(Stop::NO_RIGHT),
            Handle::Region(_) => Err(Fault::NotAnObject.into()),
        }
    }

    /// The message that a receive takes: from the first source that has one, a stored one before
    /// one of a blocked sender. With `anyone`, the oldest.
    fn find(&mut self, t: ThreadId, sources: &Sources, filter: Option<&Filter>) -> Option<Found> {
        if matches!(sources, Sources::Anyone) {
            return self.find_oldest(t, filter);
        }
        for mailbox in sources.listed() {
            if self.mailbox(*mailbox).set().is_some() {
                if let Some((port, place)) = self.find_in_set(*mailbox, filter) {
                    return Some(Found::Stored(port, place));
                }
                continue;
            }
            if self.is_readable(*mailbox, filter) {
                return Some(Found::InStream(*mailbox));
            }
            if let Some(place) = self.mailbox(*mailbox).first_stored(filter) {
                return Some(Found::Stored(*mailbox, place));
            }
            if self.mailbox(*mailbox).serves_blocked_senders()
                && let Some(place) = self.pick_sender(*mailbox, |step, message| {
                    Filter::accepts(filter, message) && step.mailbox(*mailbox).serves(message)
                })
            {
                return Some(Found::WithSender(*mailbox, place));
            }
        }
        None
    }

    fn find_oldest(&self, t: ThreadId, filter: Option<&Filter>) -> Option<Found> {
        let inbox = &self.state.processes[self.thread(t).process.index()].inbox;
        let accepts = |message: &Message| Filter::accepts(filter, message);
        let stored = inbox.stored().find(|(link, at)| accepts(&self.mailbox(*link).messages[*at]));
        if let Some((link, place)) = stored {
            return Some(Found::Stored(link, place));
        }
        let mut blocked = inbox.blocked();
        let (link, place) = blocked.find(|(link, at)| {
            let (_, message) = &self.mailbox(*link).senders[*at];
            accepts(message) && self.mailbox(*link).serves(message)
        })?;
        Some(Found::WithSender(link, place))
    }

    fn take(&mut self, t: ThreadId, found: Found, filter: Option<&Filter>) -> Result<(), Stop> {
        let message = match found {
            Found::Stored(mailbox, place) => &self.mailbox(mailbox).messages[place],
            Found::WithSender(mailbox, place) => &self.mailbox(mailbox).senders[place].1,
            Found::InStream(mailbox) => {
                self.read_from(t, mailbox, filter);
                return Ok(());
            }
        };
        let misfit = self.misfit(t, filter, message);
        if let Some(outcome) = misfit
            && !self.destroys(outcome)
        {
            return Err(Stop::Outcome(outcome));
        }
        let fits = misfit.is_none();
        let process = self.thread(t).process;
        let whereabouts = if fits { Whereabouts::With(process) } else { Whereabouts::Destroyed };
        let message = self.remove(t, found, whereabouts);
        // This was the last message of a sender that has ended: others who wait for it now wait in vain.
        if self.state.is_dead(process, message.mailbox) {
            self.tell_receivers_of_the_dead(message.mailbox);
        }
        if !fits {
            self.lose(Some(t), &message, Loss::TooLarge);
            return Err(Stop::Outcome(Outcome::TooLarge));
        }
        self.sink.copied(message.size);
        self.receive_message(t, message);
        Ok(())
    }

    /// Takes a message from where it was found; its place goes to the next waiter.
    pub(super) fn remove(
        &mut self,
        t: ThreadId,
        found: Found,
        whereabouts: Whereabouts,
    ) -> Arc<Message> {
        match found {
            Found::Stored(mailbox, place) => {
                let message = self.state.mailboxes[mailbox.index()].take(place);
                self.free_memory_of(&message, place);
                self.note_delivery(t, &message, whereabouts);
                self.request_left_its_queue(&message, whereabouts);
                if self.mailbox(mailbox).has_waiting() {
                    self.work.push(Work::Refill(mailbox));
                }
                self.right_of_message_is_gone(&message);
                message
            }
            Found::WithSender(mailbox, place) => {
                let (sender, message) = self.state.mailboxes[mailbox.index()].release_sender(place);
                self.forget_blocked(mailbox, place);
                self.leave_queue(sender);
                self.note_delivery(t, &message, whereabouts);
                self.released(sender, message.then(), whereabouts);
                // Messages behind it may be smaller, and fit.
                if self.mailbox(mailbox).has_waiting() {
                    self.work.push(Work::Refill(mailbox));
                }
                message
            }
            Found::InStream(_) => unreachable!("bytes are read, and no message is removed"),
        }
    }

    fn note_delivery(&mut self, t: ThreadId, message: &Arc<Message>, whereabouts: Whereabouts) {
        if matches!(whereabouts, Whereabouts::With(_)) {
            self.note(Some(t), Kind::Delivered { message, to: t });
        }
    }

    /// A stored request has been taken: its caller, if it still waits, now waits for whoever took it.
    pub(super) fn request_left_its_queue(&mut self, message: &Message, whereabouts: Whereabouts) {
        let Then::AwaitReply { caller, right: asked } = message.then() else { return };
        // Checked before it is touched: an exploration treats what is touched as changed.
        let is_abandoned = self.state.abandoned.contains_key(&asked);
        if is_abandoned {
            match whereabouts {
                Whereabouts::With(process) => {
                    self.state.abandoned.insert(asked, Holder::Taken(process));
                }
                Whereabouts::Destroyed | Whereabouts::Stored(_) => {
                    self.state.abandoned.remove(&asked);
                }
            }
            return;
        }
        let ThreadState::Blocked { on: BlockedOn::Reply { right, holder }, .. } =
            &mut self.state.threads[caller.index()].state
        else {
            return;
        };
        if *right != asked {
            return;
        }
        match whereabouts {
            Whereabouts::With(process) => {
                *holder = Holder::Taken(process);
                self.state.processes[process.index()].owed += 1;
            }
            Whereabouts::Destroyed | Whereabouts::Stored(_) => self.end_wait(caller, Outcome::Dead),
        }
    }

    /// A receive, or a call that waits for its answer, returns with a message.
    pub(super) fn receive_message(&mut self, t: ThreadId, message: Arc<Message>) {
        let machine = self.machine;
        let answer = match &machine.call(self.thread(t).pc).verb {
            Verb::Receive(receive) => Answer::Message(receive.into),
            Verb::Call { answer, .. } => *answer,
            other => unreachable!("{other:?} does not take messages"),
        };
        // A receiver that has no room was not given the message; who waits for an answer can take no other.
        if !self.has_room_for_memory(self.thread(t).process, &message) {
            self.lose(Some(t), &message, Loss::NoPages);
            self.complete(t, Outcome::NoMemory);
            return;
        }
        let message = self.stamp(message);
        let message = self.unpack(t, message);
        self.note(Some(t), Kind::Received(&message));
        self.sink.received(t);
        match answer {
            Answer::Message(into) => {
                self.set(t, into, Value::Message(message));
                self.complete(t, Outcome::Ok);
            }
            Answer::OfNames(inquiry) => self.name_server_answers(t, inquiry, &message),
        }
    }

    /// Stamps a message received from a port with the number of those received before it.
    fn stamp(&mut self, mut message: Arc<Message>) -> Arc<Message> {
        if self.machine.receives == Receives::Uncounted || message.route == Route::Link {
            return message;
        }
        let Some(port) = self.state.mailboxes[message.mailbox.index()].port_mut() else {
            return message;
        };
        let extras = Arc::make_mut(&mut message).extras.get_or_insert_default();
        extras.seq = Some(port.received);
        port.received = port.received.saturating_add(1);
        message
    }

    /// Whether nothing can ever reach a thread from these sources again: destroyed mailboxes, ports whose
    /// receive right is gone, and empty links from processes that have ended.
    pub(super) fn all_dead(&self, t: ThreadId, sources: &Sources) -> bool {
        let own = self.thread(t).process;
        match sources {
            Sources::Anyone => false,
            listed => listed.listed().iter().all(|mailbox| self.state.is_dead(own, *mailbox)),
        }
    }

    /// Something has died: whoever waits for it, and for nothing else that lives, is told.
    pub(super) fn tell_receivers_of_the_dead(&mut self, mailbox: MailboxId) {
        let waiting: Vec<ThreadId> = self.state.receivers_of(mailbox).iter().copied().collect();
        for t in waiting {
            match self.state.waits_for(t) {
                Some(BlockedOn::Receive { sources, .. }) if self.all_dead(t, sources) => {
                    self.end_wait(t, Outcome::Dead);
                }
                _ => {}
            }
        }
        self.tell_selectors(mailbox);
        self.work.push(Work::Memory);
    }
}
