//! Waiters go on: senders whose message has gone, senders that get a slot, threads that look again.

use super::offer::{Attempt, Posted, Whereabouts};
use super::prelude::*;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// Lets a waiting receiver try its call again when it next runs.
    pub(super) fn wake_receiver(&mut self, t: ThreadId) {
        let Some(BlockedOn::Receive { sources, .. }) = self.state.waits_for(t) else {
            unreachable!("only a RECEIVE-blocked thread is woken for a message");
        };
        let sources = sources.clone();
        self.unlist_receiver(t, &sources);
        self.wake_to_look_again(t, Look::Receive(sources));
    }

    /// Lets a waiting thread, which has left its queue, try its call again when it next runs.
    pub(super) fn wake_to_look_again(&mut self, t: ThreadId, at: Look) {
        let ThreadState::Blocked { bound, .. } = self.thread(t).state else {
            unreachable!("only a waiting thread is woken");
        };
        self.note(Some(t), Kind::Woken);
        self.make_ready(t, ThreadState::LookingAgain { bound, at });
    }

    /// Wakes another receiver for what the first one that was woken has left.
    pub(super) fn pass_on(&mut self, process: ProcessId, sources: &Sources) {
        let mailboxes: Vec<MailboxId> = match sources {
            Sources::Anyone => self.state.processes[process.index()].inbox.links().collect(),
            listed => {
                let listed = listed.listed().iter();
                listed.flat_map(|mailbox| self.with_members(*mailbox)).collect()
            }
        };
        for mailbox in mailboxes {
            let stored: Vec<_> = self.mailbox(mailbox).messages.iter().cloned().collect();
            let willing = stored.iter().find_map(|message| self.receiver_for(None, message));
            if let Some(receiver) = willing {
                self.wake_receiver(receiver);
            }
        }
    }

    /// The sender of a message that has left it goes on: a send returns, a call waits for its answer.
    pub(super) fn gone(
        &mut self,
        t: ThreadId,
        then: Then,
        whereabouts: Whereabouts,
        wait: &Wait,
    ) -> Result<(), Stop> {
        let Then::AwaitReply { right, .. } = then else {
            self.complete(t, Outcome::Ok);
            return Ok(());
        };
        let holder = match whereabouts {
            Whereabouts::Stored(mailbox) => Holder::Queued(mailbox),
            Whereabouts::With(process) => Holder::Taken(process),
            // Nobody can answer any more; the caller learns it as if the server had ended.
            Whereabouts::Destroyed => return Err(Stop::DEAD),
        };
        let on = BlockedOn::Reply { right, holder };
        let bound = match self.thread(t).state {
            ThreadState::Blocked { bound, .. } | ThreadState::LookingAgain { bound, .. } => {
                Some(bound)
            }
            _ => None,
        };
        match bound {
            // Its time was over before the request went; there is none left to wait for the answer.
            Some(Bound::Expired) => {
                self.state.abandoned.insert(right, holder);
                Err(Stop::Outcome(Outcome::TimedOut))
            }
            None => {
                let result = self.block(t, on, wait);
                if result.is_err() {
                    // The request is on its way, and nobody waits for the answer.
                    self.state.abandoned.insert(right, holder);
                }
                result
            }
            Some(bound) => {
                self.enlist(t, &on, None);
                self.sink.blocked(t);
                self.note(Some(t), Kind::Blocked(&on));
                self.thread_mut(t).state = ThreadState::Blocked { on, bound };
                Ok(())
            }
        }
    }

    /// As [`Step::gone`], for a sender that was blocked until somebody else made its message go.
    pub(super) fn released(&mut self, t: ThreadId, then: Then, whereabouts: Whereabouts) {
        match self.gone(t, then, whereabouts, &Wait::Forever) {
            Ok(()) => {}
            Err(Stop::Outcome(outcome)) => self.complete(t, outcome),
            Err(Stop::Fault(fault)) => self.fail(t, fault),
        }
    }

    /// Takes a blocked sender out of the queue of a mailbox, with its place there and its message.
    pub(super) fn release_sender(&mut self, t: ThreadId, id: MailboxId) -> (usize, Arc<Message>) {
        let mailbox = &mut self.state.mailboxes[id.index()];
        let place = mailbox.place_of(t);
        let (_, message) = mailbox.release_sender(place);
        self.forget_blocked(id, place);
        (place, message)
    }

    pub(super) fn forget_blocked(&mut self, link: MailboxId, place: usize) {
        if let Some((_, to)) = self.mailbox(link).link() {
            self.state.processes[to.index()].inbox.forget_blocked(link, place);
        }
    }

    /// Lets blocked senders in where slots have become free.
    pub(super) fn refill(&mut self, mailbox: MailboxId) {
        loop {
            if self.accept_held(mailbox) {
                continue;
            }
            let Some((t, message)) = self.next_sender(mailbox) else {
                if self.meet(mailbox) {
                    continue;
                }
                return;
            };
            self.leave_queue(t);
            if self.machine.policies.wake_senders == Wake::LookAgain {
                self.wake_to_look_again(t, Look::Send(message));
                return;
            }
            match self.post(t, message, Attempt::FromSenderQueue) {
                Posted::Gone(then, whereabouts) => self.released(t, then, whereabouts),
                Posted::NoMemory(message) => self.wait_for_memory(t, message),
                Posted::SenderEnded(message) => self.note(Some(t), Kind::Withdrawn(&message)),
                Posted::Full(_) | Posted::TooLarge(_) => {
                    unreachable!("there is room for a message that has got a slot")
                }
            }
        }
    }

    /// Brings a sender that is blocked here and a receiver that waits here together, if there are two that match. That
    /// happens only where receivers look again: the receiver had to leave an older message to another thread that was woken
    /// for it, and now that message is gone.
    fn meet(&mut self, id: MailboxId) -> bool {
        let looks_again = self.machine.policies.wake_receivers == Wake::LookAgain;
        let mailbox = self.mailbox(id);
        // No message overtakes one for the same mailbox that waits for memory.
        if !looks_again || !mailbox.serves_blocked_senders() || mailbox.memory_waiters > 0 {
            return false;
        }
        let is_awaited = |step: &Self, message: &Message| {
            let mut waiting = step.state.receivers_of(id).iter().copied();
            step.mailbox(id).serves(message)
                && waiting.any(|t| step.would_take(t, message) && !step.would_overtake(t, message))
        };
        let Some(place) = self.pick_sender(id, is_awaited) else { return false };
        let (sender, message) = self.mailbox(id).senders[place].clone();
        let Some(receiver) = self.receiver_for(Some(sender), &message) else { return false };
        if self.would_overtake(receiver, &message) {
            return false;
        }
        let misfit = self.misfit(receiver, self.filter_of(receiver), &message);
        if let Some(outcome) = misfit {
            self.end_wait(receiver, outcome);
            let is_still_here = self.state.waits_for(sender) == Some(&BlockedOn::Send(id));
            if !is_still_here || !self.destroys(outcome) {
                return true;
            }
        }
        self.release_sender(sender, id);
        self.leave_queue(sender);
        let whereabouts = if misfit.is_none() {
            let process = self.thread(receiver).process;
            self.deliver(Some(sender), receiver, message.clone());
            Whereabouts::With(process)
        } else {
            self.lose(Some(sender), &message, Loss::TooLarge);
            Whereabouts::Destroyed
        };
        self.released(sender, message.then(), whereabouts);
        true
    }

    /// Takes the blocked sender out of the queue that goes next, if there is room for its message.
    pub(super) fn next_sender(&mut self, id: MailboxId) -> Option<(ThreadId, Arc<Message>)> {
        let mailbox = self.mailbox(id);
        let nobody = mailbox.senders.is_empty() || self.held_is_next(id);
        if nobody || !mailbox.lets_blocked_senders_in() {
            return None;
        }
        // Where any order will do, no sender whose message fits has to wait for one whose message does not.
        let in_any_order =
            self.machine.policies.sender == Pick::Arbitrary || mailbox.lets_pass_what_fits();
        let place = self.pick_sender(id, |step, message| {
            !in_any_order || step.mailbox(id).room(message.size) == Room::Free
        })?;
        let mailbox = &mut self.state.mailboxes[id.index()];
        let (_, message) = &mailbox.senders[place];
        if mailbox.room(message.size) != Room::Free {
            return None;
        }
        let released = mailbox.release_sender(place);
        self.forget_blocked(id, place);
        Some(released)
    }

    /// The place of the blocked sender that goes next, among those whose message will do.
    pub(super) fn pick_sender(
        &mut self,
        id: MailboxId,
        will_do: impl Fn(&Self, &Message) -> bool,
    ) -> Option<usize> {
        let mailbox = self.mailbox(id);
        let mut places = mailbox.senders_with(|message| will_do(self, message));
        match self.machine.policies.sender {
            Pick::Fifo => places.next(),
            Pick::Lifo => places.last(),
            Pick::Priority => places
                .min_by_key(|place| std::cmp::Reverse(self.priority_of(mailbox.senders[*place].0))),
            Pick::Arbitrary => {
                let mut places: Vec<usize> = places.collect();
                // Who came first is not asked for.
                places.sort_unstable_by_key(|place| mailbox.senders[*place].0);
                if places.is_empty() {
                    return None;
                }
                let answer = self.ask(None, Question::Sender { count: places.len() as u64 });
                Some(places[usize::try_from(answer).expect("an answer below the count")])
            }
        }
    }
}
