//! Waiting: how a thread begins to wait, and how its wait ends from outside.
//!
//! The order of waiting is in the objects' queues, the details of a wait in the thread. Here, and in
//! `release`, the two change together.

use std::collections::VecDeque;

use super::Progress;
use super::prelude::*;
use super::stopped::with_local_work_done;
use crate::machine::Detect;
use crate::state::Queue;
use crate::waits;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// Makes a thread wait. A thread that looks again keeps its bound.
    pub(super) fn block(&mut self, t: ThreadId, on: BlockedOn, wait: &Wait) -> Result<(), Stop> {
        self.block_with(t, on, None, wait)
    }

    /// Makes a thread wait, with the message that could not go, if any.
    pub(super) fn block_with(
        &mut self,
        t: ThreadId,
        on: BlockedOn,
        message: Option<Arc<Message>>,
        wait: &Wait,
    ) -> Result<(), Stop> {
        let bound = match (&self.thread(t).state, wait) {
            (ThreadState::LookingAgain { bound: Bound::Expired, .. }, _) => {
                return Err(Stop::Outcome(Outcome::TimedOut));
            }
            (ThreadState::LookingAgain { bound, .. }, _) => *bound,
            (_, Wait::Never) => return Err(Stop::Outcome(Outcome::WouldBlock)),
            (_, Wait::Forever) => Bound::Forever,
            (_, Wait::For(time)) => {
                let span = self.span(t, time)?;
                self.sink.waits(t, span);
                Bound::Bounded
            }
        };
        self.sink.blocked(t);
        self.enlist(t, &on, message);
        self.note(Some(t), Kind::Blocked(&on));
        let blocked = ThreadState::Blocked { on, bound };
        let before = std::mem::replace(&mut self.thread_mut(t).state, blocked);
        if let ThreadState::LookingAgain { at, .. } = before {
            self.look_is_over(t, at);
        }
        if self.machine.policies.detect == Detect::Report {
            return Ok(());
        }
        if self.is_name_server(self.thread(t).process) {
            self.refuse_clients();
        } else if bound == Bound::Forever && self.closes_a_circle(t) {
            self.withdraw(t);
            return Err(Stop::Outcome(Outcome::Deadlock));
        }
        Ok(())
    }

    /// A name server has nothing to do, which may close a circle: clients in it that wait for its answer are refused.
    fn refuse_clients(&mut self) {
        for client in (0..self.state.threads.len()).map(ThreadId::at) {
            let is_served = match self.state.waits_for(client) {
                Some(BlockedOn::Reply { holder: Holder::Taken(server), .. }) => {
                    self.is_name_server(*server)
                }
                _ => false,
            };
            if is_served && self.closes_a_circle(client) {
                self.end_wait(client, Outcome::Deadlock);
            }
        }
    }

    /// Whether a process is one of the scenario's name servers.
    fn is_name_server(&self, process: ProcessId) -> bool {
        let mut ports = self.machine.name_servers.keys();
        ports.any(|port| self.state.receiver_of(*port) == Receiver::Held(process))
    }

    /// Whether the kernel refuses deadlocks, and this wait has just closed one.
    pub(super) fn closes_a_circle(&self, t: ThreadId) -> bool {
        match self.machine.policies.detect {
            Detect::Report => false,
            Detect::Refuse => {
                waits::closes_a_circle(self.machine, self.state, t, with_local_work_done)
            }
            Detect::RefuseChain => waits::closes_a_chain(self.state, t),
        }
    }

    /// Puts a thread that is about to wait into the queues of what it waits for; a sender, with its message.
    pub(super) fn enlist(&mut self, t: ThreadId, on: &BlockedOn, message: Option<Arc<Message>>) {
        let message = || message.expect("a sender waits with a message");
        if let Some(sources) = on.stands_at() {
            self.enlist_receiver(t, sources);
        }
        match on {
            BlockedOn::Send(id) => {
                let mailbox = &mut self.state.mailboxes[id.index()];
                mailbox.block_sender(t, message(), self.machine.policies.sender);
                if let Some((_, to)) = mailbox.link() {
                    self.state.processes[to.index()].inbox.note_blocked(*id);
                }
            }
            BlockedOn::Memory(id) => {
                let looks = &self.state.threads[t.index()].state;
                let was_first = matches!(
                    looks,
                    ThreadState::LookingAgain { at: Look::SendFromMemoryQueue(_), .. }
                );
                let waiting = &mut self.state.memory.waiting;
                let place = if was_first { 0 } else { waiting.len() };
                waiting.insert(place, (t, message()));
                self.state.mailboxes[id.index()].memory_waiters += 1;
            }
            BlockedOn::Join(_) => {
                let process = self.thread(t).process;
                self.state.processes[process.index()].joiners.push(t);
            }
            BlockedOn::Lock(region, page) => self.stand_in_line(t, *region, *page),
            BlockedOn::Reply { holder: Holder::Taken(process), .. } => {
                self.state.processes[process.index()].owed += 1;
            }
            _ => {}
        }
    }

    fn enlist_receiver(&mut self, t: ThreadId, sources: &Sources) {
        self.each_queue(t, sources, |waiting| {
            // A source that is listed twice is waited for once.
            if waiting.back() != Some(&t) {
                waiting.push_back(t);
            }
        });
    }

    pub(super) fn unlist_receiver(&mut self, t: ThreadId, sources: &Sources) {
        self.each_queue(t, sources, |waiting| forget_waiter(waiting, t));
    }

    /// The queues in which a thread waits for messages from these.
    fn each_queue(
        &mut self,
        t: ThreadId,
        sources: &Sources,
        mut change: impl FnMut(&mut VecDeque<ThreadId>),
    ) {
        if matches!(sources, Sources::Anyone) {
            let inbox = Queue::Inbox(self.thread(t).process);
            change(self.state.queue_mut(inbox));
        }
        for source in sources.listed() {
            let queue = self.state.queue_at(*source);
            change(self.state.queue_mut(queue));
        }
    }

    /// Takes a waiting thread out of every queue, and forgets what it waited for.
    pub(super) fn withdraw(&mut self, t: ThreadId) {
        let mut state = std::mem::replace(&mut self.thread_mut(t).state, ThreadState::Ready);
        if let ThreadState::Suspended(then) = state {
            state = *then;
        }
        let on = match state {
            ThreadState::Blocked { on, .. } => on,
            ThreadState::LookingAgain { at, .. } => {
                if let Look::Send(message) | Look::SendFromMemoryQueue(message) = &at {
                    self.take_back(t, message);
                }
                self.look_is_over(t, at);
                return;
            }
            ThreadState::NotStarted
            | ThreadState::Ready
            | ThreadState::Raising(_)
            | ThreadState::Suspended(_)
            | ThreadState::Ended => return,
        };
        if let Some(sources) = on.stands_at() {
            self.unlist_receiver(t, sources);
        }
        match on {
            BlockedOn::Send(mailbox) => {
                let (_, message) = self.release_sender(t, mailbox);
                self.take_back(t, &message);
                self.work.push(Work::Refill(mailbox));
            }
            BlockedOn::Memory(mailbox) => {
                let waiting = &mut self.state.memory.waiting;
                let place = waiting.iter().position(|(waiter, _)| *waiter == t);
                let place = place.expect("a memory-blocked thread waits for memory");
                let (_, message) = waiting.remove(place).expect("it was found there");
                self.state.mailboxes[mailbox.index()].memory_waiters -= 1;
                self.take_back(t, &message);
                self.work.push(Work::Memory);
            }
            BlockedOn::Reply { right, holder } => {
                self.state.abandoned.insert(right, holder);
                if let Holder::Taken(process) = holder {
                    self.state.processes[process.index()].owed -= 1;
                }
            }
            BlockedOn::Join(_) => {
                let process = self.thread(t).process;
                self.state.processes[process.index()].joiners.retain(|joiner| *joiner != t);
            }
            BlockedOn::Lock(region, page) => self.leave_line(t, region, page),
            _ => {}
        }
    }

    /// A message that was sent already goes back to its sender.
    pub(super) fn take_back(&mut self, t: ThreadId, message: &Arc<Message>) {
        self.note(Some(t), Kind::Withdrawn(message));
        self.give_back(message);
    }

    pub(super) fn expire(&mut self, t: ThreadId) -> Progress {
        let mut state = &mut self.thread_mut(t).state;
        if let ThreadState::Suspended(then) = state {
            state = then;
        }
        match state {
            ThreadState::LookingAgain { bound, .. } => *bound = Bound::Expired,
            ThreadState::Blocked { on: BlockedOn::Sleep, .. } => self.complete(t, Outcome::Ok),
            ThreadState::Blocked { bound: Bound::Bounded, .. } => {
                if !self.expire_send(t) {
                    self.end_wait(t, Outcome::TimedOut);
                }
            }
            other => unreachable!("only a bounded wait can expire, not {other:?}"),
        }
        Progress::Done
    }

    /// Ends a wait from outside: the thread takes back what it had begun.
    pub(super) fn end_wait(&mut self, t: ThreadId, outcome: Outcome) {
        let outcome = if self.ends_as_partly_written(t) { Outcome::Ok } else { outcome };
        self.withdraw(t);
        if self.thread(t).raised().is_some() {
            return self.handler_is_lost(t);
        }
        // It counts as waiting until its call is complete.
        self.thread_mut(t).state =
            ThreadState::Blocked { on: BlockedOn::Sleep, bound: Bound::Forever };
        self.complete(t, outcome);
    }

    /// A thread has been taken out of the queue that it waited in; it counts as waiting until its call
    /// is complete, but must no longer be looked for in the queue.
    pub(super) fn leave_queue(&mut self, t: ThreadId) -> Option<BlockedOn> {
        match &mut self.thread_mut(t).state {
            ThreadState::Blocked { on, .. } => Some(std::mem::replace(on, BlockedOn::Sleep)),
            _ => None,
        }
    }

    /// A thread has finished looking again. If it did not use its chance, somebody else may.
    pub(super) fn look_is_over(&mut self, t: ThreadId, at: Look) {
        match at {
            Look::Send(message) | Look::SendFromMemoryQueue(message) => {
                self.work.push(Work::Refill(message.mailbox));
                self.work.push(Work::Memory);
            }
            Look::Receive(sources) => {
                let process = self.thread(t).process;
                self.work.push(Work::PassOn(process, sources));
            }
        }
    }
}

pub(super) fn forget_waiter(queue: &mut VecDeque<ThreadId>, t: ThreadId) {
    if queue.front() == Some(&t) {
        queue.pop_front();
    } else if let Some(place) = queue.iter().position(|waiter| *waiter == t) {
        queue.remove(place);
    }
}
