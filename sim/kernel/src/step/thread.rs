//! Threads of one process: starting, joining, ending, sleeping.

use ipcsim_program::{Ghost, ThreadName, Threads, Time};

use super::prelude::*;
use crate::state::Thread;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn sleep(&mut self, t: ThreadId, time: &Time) -> Result<(), Stop> {
        let span = self.span(t, time)?;
        self.sink.waits(t, span);
        self.sink.blocked(t);
        self.note(Some(t), Kind::Blocked(&BlockedOn::Sleep));
        self.thread_mut(t).state =
            ThreadState::Blocked { on: BlockedOn::Sleep, bound: Bound::Bounded };
        Ok(())
    }

    /// A new thread of the same process, with a copy of the variables. It reuses the place of an
    /// ended thread, so that a server with a thread per request stays small.
    pub(super) fn start_thread(
        &mut self,
        t: ThreadId,
        name: ThreadName,
        entry: Pc,
    ) -> Result<(), Stop> {
        let parent = self.thread(t);
        let (process, registers) = (parent.process, parent.registers.clone());
        let own = &self.state.processes[process.index()];
        let is_awaited = |old: &ThreadId| {
            own.joiners.iter().any(|joiner| match self.state.waits_for(*joiner) {
                Some(BlockedOn::Join(awaited)) => awaited.contains(old),
                _ => false,
            })
        };
        // If none has ended, none must be looked at.
        let declared = own.declared_threads as usize;
        let all_live = own.alive_threads as usize == declared + own.started.len();
        let candidates = if all_live { &[] } else { &own.started[..] };
        let free = candidates.iter().copied().filter(|old| !is_awaited(old)).find(|old| {
            let old = self.thread(*old);
            old.state.is_ended() && old.registers.len() == registers.len()
        });
        let place = match free {
            Some(place) => place,
            None if self.state.threads.len() >= self.machine.max_threads as usize => {
                return Err(Stop::REFUSED);
            }
            None => ThreadId::at(self.state.threads.len()),
        };
        let calls = free.map_or(Ghost(0), |old| self.thread(old).calls);
        let thread = Thread {
            process,
            name,
            index: 1,
            pc: entry,
            state: ThreadState::Ready,
            status: Outcome::Ok,
            registers,
            calls,
            control: None,
        };
        if free.is_none() {
            self.state.threads.push(thread);
            self.state.processes[process.index()].started.push(place);
        } else {
            *self.thread_mut(place) = thread;
        }
        self.state.processes[process.index()].alive_threads += 1;
        self.complete(t, Outcome::Ok);
        self.note(Some(place), Kind::ThreadStarted);
        self.sink.ready(place);
        Ok(())
    }

    pub(super) fn join(&mut self, t: ThreadId, threads: &Threads, wait: &Wait) -> Result<(), Stop> {
        let awaited: Vec<ThreadId> = self
            .named(t, threads)?
            .into_iter()
            .filter(|other| !self.thread(*other).state.is_ended())
            .collect();
        if awaited.is_empty() {
            self.complete(t, Outcome::Ok);
            return Ok(());
        }
        self.block(t, BlockedOn::Join(awaited.into()), wait)
    }

    /// The threads of the same process that a name stands for, whether they live or not.
    pub(super) fn named(&mut self, t: ThreadId, threads: &Threads) -> Result<Vec<ThreadId>, Fault> {
        let index = match &threads.index {
            None => None,
            Some(index) => Some(self.scope(t).int(index)?),
        };
        let process = self.thread(t).process;
        let found: Vec<ThreadId> = self
            .state
            .threads_of(process)
            .filter(|other| {
                let other = self.thread(*other);
                other.name == threads.name
                    && index.is_none_or(|index| i64::from(other.index) == index)
            })
            .collect();
        if found.is_empty() && index.is_some() { Err(Fault::BadIndex) } else { Ok(found) }
    }

    /// A thread has reached the end of its program.
    pub(super) fn end_thread(&mut self, t: ThreadId) {
        self.stop_thread(t);
        let process = self.thread(t).process;
        self.tell_joiners(process);
        if self.state.processes[process.index()].alive_threads == 0 {
            self.end_process(process, End::Finished);
        }
    }

    /// A thread is gone; the caller takes care of the consequences.
    pub(super) fn stop_thread(&mut self, t: ThreadId) {
        self.withdraw(t);
        self.note(Some(t), Kind::ThreadEnded);
        let process = self.thread(t).process;
        self.state.processes[process.index()].alive_threads -= 1;
        self.thread_is_gone(t);
    }

    /// A thread takes no more steps, and the port that controlled it dies.
    pub(super) fn thread_is_gone(&mut self, t: ThreadId) {
        self.orphan_locks_of(t);
        let thread = self.thread_mut(t);
        thread.state = ThreadState::Ended;
        thread.control = None;
        // Where it was, and how its last call ended, no longer matters.
        (thread.pc, thread.status) = (Pc(0), Outcome::Ok);
        let process = thread.process;
        let own = &self.state.processes[process.index()];
        if let Some(place) = t.0.checked_sub(own.first_thread.0)
            && let Some(port) = self.machine.thread_port(process, place)
        {
            self.work.push(Work::PortLost(port));
        }
        self.sink.ended(t);
    }

    /// Lets threads go on that waited for threads which have now all ended.
    pub(super) fn tell_joiners(&mut self, process: ProcessId) {
        for joiner in self.state.processes[process.index()].joiners.clone() {
            let Some(BlockedOn::Join(awaited)) = self.state.waits_for(joiner) else { continue };
            let ended = |other: &ThreadId| self.thread(*other).state.is_ended();
            if awaited.iter().all(ended) {
                let machine = self.machine;
                match &machine.call(self.thread(joiner).pc).verb {
                    Verb::Image(verb) => self.image_after_all(joiner, verb),
                    _ => self.end_wait(joiner, Outcome::Ok),
                }
            }
        }
    }
}
