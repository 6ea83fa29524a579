//! What becomes of a message that is offered now. The questions are asked in this order; they are 3 to 8 of the book's
//! list ("Send" in the notes on the language). 1 and 2 come before, in `destination` and `send`.
//!
//! 3. Does another message for the same mailbox wait for kernel memory already? Then this one does, too.
//! 4. Does a receiver wait that takes it? Then it is handed over ([`Offer::Deliver`]), unless it is too large for that
//!    receiver ([`Offer::NotFor`]), or receivers look again and it can be stored meanwhile.
//! 5. Could it never be stored? Then it is too large ([`Offer::TooLarge`]).
//! 6. Is there no slot, or do others stand before it? Then its sender waits for a slot ([`Offer::Full`]).
//! 7. Is there no kernel memory? Then its sender waits for that ([`Offer::NoMemory`]).
//! 8. Otherwise it is stored ([`Offer::Store`]).

use super::prelude::*;
use crate::machine::TooLarge;

/// What became of a message that was offered.
pub(super) enum Posted {
    /// It has left its sender, who goes on with this.
    Gone(Then, Whereabouts),
    /// There is no slot.
    Full(Arc<Message>),
    /// There is a slot, but no kernel memory.
    NoMemory(Arc<Message>),
    /// It can never be stored here.
    TooLarge(Arc<Message>),
    /// Its sender has ended, because a receiver that it met did.
    SenderEnded(Arc<Message>),
}

/// Where a message is that has left its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// In the buffer of this mailbox.
    Stored(MailboxId),
    /// A thread of this process has received it.
    With(ProcessId),
    /// Nowhere: it was too large for its receiver, and `too-large` is `destroy`.
    Destroyed,
}

/// What would become of a message that is offered now.
enum Offer {
    /// This waiting receiver takes it.
    Deliver(ThreadId),
    /// This waiting receiver would be next, but cannot take it: its call ends with this outcome.
    NotFor(ThreadId, Outcome),
    Store,
    Full,
    NoMemory,
    TooLarge,
}

/// Whether a message is offered for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// By its sender, just now: it stands behind everybody who waits.
    First,
    /// It is the first of those that wait for kernel memory: it stands behind nobody.
    FromMemoryQueue,
    /// It is the next of those that wait for a slot, and there is one.
    FromSenderQueue,
    /// By a sender that was woken and looks again.
    Again,
}

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// Offers a message, and does what comes of it, unless its sender has to wait.
    pub(super) fn post(&mut self, t: ThreadId, message: Arc<Message>, attempt: Attempt) -> Posted {
        let then = message.then();
        loop {
            match self.offer(t, &message, attempt) {
                Offer::Deliver(receiver) => {
                    self.announce(t, &message, attempt);
                    let process = self.thread(receiver).process;
                    self.deliver(Some(t), receiver, message);
                    return Posted::Gone(then, Whereabouts::With(process));
                }
                Offer::NotFor(receiver, outcome) => {
                    self.end_wait(receiver, outcome);
                    if self.thread_has_ended(t) {
                        self.destroy_carried(&message);
                        return Posted::SenderEnded(message);
                    }
                    if self.destroys(outcome) {
                        self.announce(t, &message, attempt);
                        self.lose(Some(t), &message, Loss::TooLarge);
                        return Posted::Gone(then, Whereabouts::Destroyed);
                    }
                }
                Offer::Store => {
                    self.announce(t, &message, attempt);
                    let whereabouts = self.store(Some(t), message);
                    return Posted::Gone(then, whereabouts);
                }
                Offer::Full => return Posted::Full(message),
                Offer::NoMemory => return Posted::NoMemory(message),
                Offer::TooLarge => return Posted::TooLarge(message),
            }
        }
    }

    /// A message leaves its sender for the first time.
    fn announce(&mut self, t: ThreadId, message: &Arc<Message>, attempt: Attempt) {
        if attempt == Attempt::First {
            self.note(Some(t), Kind::Sent(message));
        }
    }

    /// What would become of a message now.
    fn offer(&mut self, t: ThreadId, message: &Arc<Message>, attempt: Attempt) -> Offer {
        let mailbox = self.mailbox(message.mailbox);
        // No later message for the same mailbox overtakes one that waits for memory.
        if mailbox.memory_waiters > 0 && attempt != Attempt::FromMemoryQueue {
            return Offer::NoMemory;
        }
        let room = self.room_for(t, message, attempt);
        let fit = match attempt {
            Attempt::FromMemoryQueue => self.state.memory.room(message.size),
            Attempt::First | Attempt::FromSenderQueue | Attempt::Again => {
                self.state.memory.room_for_newcomer(message.size)
            }
        };
        let looks_again = self.machine.policies.wake_receivers == Wake::LookAgain;
        let stores_first = looks_again && room == Room::Free && fit == Room::Free;
        // With a queue limit of 0 a receiver that waits is no help: a port is no rendezvous.
        let hands_over = mailbox.spec.capacity != Capacity::Messages(0)
            && (mailbox.hands_over_at_once(message.size)
                || matches!(room, Room::Free | Room::Undefined));
        let stores = mailbox.stores(message.size);
        if !stores_first
            && hands_over
            && let Some(receiver) = self.receiver_for(Some(t), message)
            && !self.would_overtake(receiver, message)
        {
            return match self.misfit(receiver, self.filter_of(receiver), message) {
                None => Offer::Deliver(receiver),
                Some(outcome) => Offer::NotFor(receiver, outcome),
            };
        }
        match room {
            Room::Never => Offer::TooLarge,
            // What must be stored and never could be is too large now, not after a wait.
            _ if stores && fit == Room::Never => Offer::TooLarge,
            Room::Full => Offer::Full,
            // Who waits for memory has been told already that there is room.
            Room::Undefined
                if attempt != Attempt::FromMemoryQueue
                    && self.ask(Some(t), Question::Room) == 0 =>
            {
                Offer::Full
            }
            Room::Free | Room::Undefined => match fit {
                Room::Free => Offer::Store,
                Room::Full | Room::Never | Room::Undefined => Offer::NoMemory,
            },
        }
    }

    /// The room that a mailbox has for a message: none where its sender has to wait behind others.
    fn room_for(&self, t: ThreadId, message: &Message, attempt: Attempt) -> Room {
        let is_next = attempt == Attempt::FromSenderQueue
            || self.machine.policies.wake_senders == Wake::LookAgain;
        match self.mailbox(message.mailbox).room(message.size) {
            Room::Free if !is_next && self.goes_behind(t, message) => Room::Full,
            room => room,
        }
    }

    /// Whether a sender is blocked that goes before this one, who so does not overtake it, even if its
    /// own message is small enough.
    fn goes_behind(&self, t: ThreadId, message: &Message) -> bool {
        let mailbox = self.mailbox(message.mailbox);
        if mailbox.lets_pass_what_fits() {
            return false;
        }
        let more_urgent = |(sender, _): &(ThreadId, Arc<Message>)| {
            self.priority_of(*sender) >= self.priority_of(t)
        };
        match self.machine.policies.sender {
            Pick::Fifo => mailbox.stands_behind(message),
            Pick::Priority => mailbox.senders.iter().any(more_urgent),
            Pick::Lifo | Pick::Arbitrary => false,
        }
    }

    /// Whether an older message lies here that this receiver would take as well, and that the one who
    /// was woken for it has not fetched yet.
    pub(super) fn would_overtake(&self, receiver: ThreadId, message: &Message) -> bool {
        let mailbox = self.mailbox(message.mailbox);
        !mailbox.messages.is_empty() && mailbox.first_stored(self.filter_of(receiver)).is_some()
    }

    /// The waiting receiver that gets a message, as the mailbox picks it.
    pub(super) fn receiver_for(
        &mut self,
        t: Option<ThreadId>,
        message: &Message,
    ) -> Option<ThreadId> {
        let mailbox = self.mailbox(message.mailbox);
        let pick = mailbox.spec.receiver;
        let queue = self.state.receivers_of(message.mailbox);
        if queue.is_empty() {
            return None;
        }
        let mut willing =
            queue.iter().copied().filter(|receiver| self.would_take(*receiver, message));
        match pick {
            Pick::Fifo => willing.next(),
            Pick::Lifo => willing.next_back(),
            Pick::Priority => {
                // Of equals the first: `max_by_key` would give the last.
                willing.min_by_key(|receiver| std::cmp::Reverse(self.priority_of(*receiver)))
            }
            Pick::Arbitrary => {
                let mut willing: Vec<ThreadId> = willing.collect();
                // Who came first is not asked for.
                willing.sort_unstable();
                if willing.is_empty() {
                    return None;
                }
                let answer = self.ask(t, Question::Receiver { count: willing.len() as u64 });
                Some(willing[usize::try_from(answer).expect("an answer below the count")])
            }
        }
    }

    pub(super) fn would_take(&self, receiver: ThreadId, message: &Message) -> bool {
        match self.state.waits_for(receiver) {
            Some(BlockedOn::Receive { sources, filter }) => {
                sources.contains(self.state.known_as(message.mailbox))
                    && Filter::accepts(filter.as_deref(), message)
            }
            _ => false,
        }
    }

    /// Why a receiver cannot take a message that it would be given, as the outcome of its call: it is larger than the
    /// receiver allows, or brings more memory than its process may have.
    pub(super) fn misfit(
        &self,
        receiver: ThreadId,
        filter: Option<&Filter>,
        message: &Message,
    ) -> Option<Outcome> {
        if !Filter::fits(filter, message) {
            return Some(Outcome::TooLarge);
        }
        let has_room = self.has_room_for_memory(self.thread(receiver).process, message);
        (!has_room).then_some(Outcome::NoMemory)
    }

    /// Whether a message is destroyed that a receiver could not take for this reason.
    pub(super) fn destroys(&self, misfit: Outcome) -> bool {
        misfit == Outcome::TooLarge && self.machine.policies.too_large == TooLarge::Destroy
    }

    pub(super) fn filter_of(&self, receiver: ThreadId) -> Option<&Filter> {
        match self.state.waits_for(receiver) {
            Some(BlockedOn::Receive { filter, .. }) => filter.as_deref(),
            _ => None,
        }
    }

    /// Stores a message, and lets those know who wait for one. One that could never be received, because
    /// it carries the right to do that, is destroyed.
    pub(super) fn store(&mut self, t: Option<ThreadId>, message: Arc<Message>) -> Whereabouts {
        if self.is_circular(&message) {
            self.lose(t, &message, Loss::Circular);
            return Whereabouts::Destroyed;
        }
        let stored = Whereabouts::Stored(message.mailbox);
        self.state.memory.charge(message.size);
        self.sink.copied(message.size);
        let id = message.mailbox;
        if let Some((_, to)) = self.mailbox(id).link() {
            self.state.processes[to.index()].inbox.note_stored(id);
        }
        let waiting = !self.state.receivers_of(id).is_empty();
        let watched = (waiting || S::EVENTS).then(|| message.clone());
        let mailbox = &mut self.state.mailboxes[id.index()];
        mailbox.store(message);
        let messages = mailbox.messages.len();
        self.set_of(id).into_iter().for_each(|set| set.note_stored(id));
        let Some(message) = watched else { return stored };
        self.note(t, Kind::Stored { message: &message, messages });
        if !waiting {
            return stored;
        }
        if let Some(receiver) = self.receiver_for(t, &message) {
            self.wake_receiver(receiver);
        }
        self.tell_selectors(id);
        stored
    }

    /// Hands a message to a thread that waits for it.
    pub(super) fn deliver(
        &mut self,
        t: Option<ThreadId>,
        receiver: ThreadId,
        message: Arc<Message>,
    ) {
        let Some(BlockedOn::Receive { sources, .. }) = self.leave_queue(receiver) else {
            unreachable!("only a RECEIVE-blocked thread is chosen as receiver");
        };
        self.unlist_receiver(receiver, &sources);
        self.note(t, Kind::Delivered { message: &message, to: receiver });
        self.sink.copied(message.size);
        self.right_of_message_is_gone(&message);
        self.receive_message(receiver, message);
    }
}
