//! Kernel memory that becomes free goes to the senders that wait for it, oldest first.

use super::offer::{Attempt, Posted};
use super::prelude::*;
use crate::machine::MemoryFull;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// A stored message has left its place: its memory goes to the next waiter.
    pub(super) fn free_memory_of(&mut self, message: &Arc<Message>, place: usize) {
        self.state.memory.release(message.size);
        if let Some((_, to)) = self.mailbox(message.mailbox).link() {
            self.state.processes[to.index()].inbox.forget_stored(message.mailbox, place);
        }
        self.set_of(message.mailbox).into_iter().for_each(|set| {
            set.note_taken(message.mailbox, place);
        });
        if !self.state.memory.waiting.is_empty() {
            self.work.push(Work::Memory);
        }
    }

    /// A sender that was blocked for a slot has one now, but the kernel has no memory.
    pub(super) fn wait_for_memory(&mut self, t: ThreadId, message: Arc<Message>) {
        if self.machine.policies.memory_full == MemoryFull::Fail {
            self.take_back(t, &message);
            self.complete(t, Outcome::NoMemory);
            return;
        }
        self.wait_on(t, BlockedOn::Memory(message.mailbox), message);
    }

    /// Makes a thread that waits already wait for something else, with the same bound.
    fn wait_on(&mut self, t: ThreadId, on: BlockedOn, message: Arc<Message>) {
        let bound = match self.thread(t).state {
            ThreadState::Blocked { bound, .. } => bound,
            _ => Bound::Forever,
        };
        self.sink.blocked(t);
        self.enlist(t, &on, Some(message));
        self.note(Some(t), Kind::Blocked(&on));
        self.thread_mut(t).state = ThreadState::Blocked { on, bound };
    }

    /// Serves the senders that wait for memory, up to the first that must wait on.
    pub(super) fn hand_out_memory(&mut self) {
        while let Some((t, message)) = self.state.memory.waiting.front().cloned() {
            if self.state.memory.room(message.size) != Room::Free {
                return;
            }
            self.state.memory.waiting.pop_front();
            self.state.mailboxes[message.mailbox.index()].memory_waiters -= 1;
            self.leave_queue(t);
            if self.machine.policies.wake_senders == Wake::LookAgain {
                self.wake_to_look_again(t, Look::SendFromMemoryQueue(message));
                return;
            }
            match self.post(t, message, Attempt::FromMemoryQueue) {
                Posted::Gone(then, whereabouts) => self.released(t, then, whereabouts),
                Posted::Full(message) => {
                    let mailbox = message.mailbox;
                    self.wait_on(t, BlockedOn::Send(mailbox), message);
                    self.tell_selectors(mailbox);
                }
                Posted::SenderEnded(message) => self.note(Some(t), Kind::Withdrawn(&message)),
                Posted::NoMemory(_) | Posted::TooLarge(_) => {
                    unreachable!("the memory for this message was there a moment ago")
                }
            }
        }
    }
}
