//! Processes: their beginning, their ends, and what those mean to others.

use super::prelude::*;
use crate::state::Life;
use crate::step::Progress;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn start_process(&mut self, process: ProcessId) -> Progress {
        let entry = &mut self.state.processes[process.index()];
        if entry.life != Life::NotStarted {
            // It was killed before its time came.
            return Progress::Done;
        }
        entry.life = Life::Running;
        // A fork may have copied others beside those of the file.
        entry.alive_threads = entry.declared_threads + entry.started.len() as u32;
        self.note(None, Kind::ProcessStarted(process));
        let threads: Vec<ThreadId> = self.state.threads_of(process).collect();
        for t in threads {
            self.note(Some(t), Kind::ThreadStarted);
            self.make_ready(t, ThreadState::Ready);
        }
        Progress::Done
    }

    pub(super) fn exit(&mut self, t: ThreadId, code: &Expr) -> Result<(), Stop> {
        let process = self.thread(t).process;
        match self.scope(t).int(code)? {
            0 => self.end_process(process, End::Finished),
            code => self.fail(t, Fault::Exit(code)),
        }
        Ok(())
    }

    /// Ends a process with all its threads. Whoever waits for it is told when the step is settled.
    pub(super) fn end_process(&mut self, process: ProcessId, end: End) {
        if self.state.has_ended(process) {
            return;
        }
        let threads: Vec<ThreadId> = self.state.threads_of(process).collect();
        for t in threads {
            match self.thread(t).state {
                ThreadState::Ended => {}
                // It never began: there is nothing to stop.
                ThreadState::NotStarted => self.thread_is_gone(t),
                ThreadState::Ready
                | ThreadState::Raising(_)
                | ThreadState::LookingAgain { .. }
                | ThreadState::Suspended(_)
                | ThreadState::Blocked { .. } => self.stop_thread(t),
            }
        }
        self.free_all(process);
        self.close_all(process);
        self.note(None, Kind::ProcessEnded(process, &end));
        self.state.processes[process.index()].life = Life::Ended(end);
        self.work.push(Work::ProcessEnded(process));
    }

    /// Tells everybody whose wait can no longer end as it should have.
    pub(super) fn tell_of_the_end(&mut self, process: ProcessId) {
        let links: Vec<_> = self.state.processes[process.index()].inbox.links().collect();
        for link in links {
            self.drop_messages(link, Loss::ReceiverEnded);
            self.release_senders_of_the_dead(link);
        }
        for link in self.state.processes[process.index()].outgoing.clone() {
            self.tell_receivers_of_the_dead(link);
        }
        self.end_rights(process);
        if let Some(port) = self.machine.task_port(process) {
            self.lose_receiver(port);
        }
        if self.state.processes[process.index()].owed > 0 {
            self.release_callers_of(process);
        }
    }

    fn release_callers_of(&mut self, process: ProcessId) {
        for index in 0..self.state.threads.len() {
            let t = ThreadId::at(index);
            match self.state.waits_for(t) {
                Some(BlockedOn::Reply { holder: Holder::Taken(holder), .. })
                    if *holder == process =>
                {
                    self.end_wait(t, Outcome::Dead);
                }
                _ => {}
            }
        }
    }
}
