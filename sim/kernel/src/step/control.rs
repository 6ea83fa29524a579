//! Control of processes and threads from outside: kill, suspend, resume, interrupt.

use ipcsim_program::{Command, Target};

use super::prelude::*;
use crate::machine::Protection;
use crate::object::port::Controlled;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// Controls processes, or threads of the caller's own process.
    pub(super) fn control(
        &mut self,
        t: ThreadId,
        command: Command,
        target: &Target,
    ) -> Result<(), Stop> {
        match target {
            Target::Processes(expr) => {
                let mut processes = Vec::new();
                processes_in(&self.eval(t, expr)?, &mut processes)?;
                self.may_control(t, &processes)?;
                self.command_processes(t, command, &processes)
            }
            Target::Threads(threads) => {
                let victims = self.named(t, threads)?;
                self.command_threads(t, command, &victims)
            }
        }
    }

    fn command_processes(
        &mut self,
        t: ThreadId,
        command: Command,
        processes: &[ProcessId],
    ) -> Result<(), Stop> {
        if command != Command::Kill {
            let all_dead = processes.iter().all(|process| self.state.is_over(*process));
            if all_dead {
                return Err(Stop::DEAD);
            }
            let threads: Vec<ThreadId> =
                processes.iter().flat_map(|process| self.state.threads_of(*process)).collect();
            return self.command_threads(t, command, &threads);
        }
        // The call completes before its effect: a process that kills itself has made the call.
        let by = (t, self.thread(t).pc);
        self.complete(t, Outcome::Ok);
        for process in processes {
            if !self.state.is_over(*process) {
                self.note_at(by, Kind::Killed(*process));
                self.end_process(*process, End::Killed);
            }
        }
        Ok(())
    }

    fn command_threads(
        &mut self,
        t: ThreadId,
        command: Command,
        threads: &[ThreadId],
    ) -> Result<(), Stop> {
        if command == Command::Resume && !threads.iter().any(|other| self.thread(*other).is_held())
        {
            return Err(Stop::REFUSED);
        }
        let by = (t, self.thread(t).pc);
        self.complete(t, Outcome::Ok);
        let mut ended = Vec::new();
        for other in threads {
            if self.thread_has_ended(*other) {
                continue;
            }
            match command {
                Command::Kill => {
                    self.note_at(by, Kind::ThreadKilled(*other));
                    self.end_thread(*other);
                    ended.push(self.thread(*other).process);
                }
                Command::Suspend => self.suspend(by, *other),
                Command::Resume => self.resume(by, *other),
                Command::Interrupt => self.interrupt(by, *other),
            }
        }
        if let Some(process) = ended.first() {
            self.tell_joiners(*process);
        }
        Ok(())
    }

    /// Whether a thread may do that: a protected process is controlled by those who may send to its port.
    fn may_control(&self, t: ThreadId, processes: &[ProcessId]) -> Result<(), Stop> {
        let own = self.thread(t).process;
        let may = |process: &ProcessId| {
            *process == own
                || self.machine.family_of(*process).protection == Protection::Open
                || self
                    .machine
                    .task_port(*process)
                    .is_some_and(|port| self.state.may_send(own, port))
        };
        if processes.iter().all(may) { Ok(()) } else { Err(Stop::NO_RIGHT) }
    }

    /// A message to the port of a process or thread says what to do to it.
    pub(super) fn command_by_message(
        &mut self,
        t: ThreadId,
        whom: Controlled,
        message: &Arc<Message>,
    ) -> Result<(), Stop> {
        let command = match (&message.body, message.then()) {
            (Value::Text(word), Then::Return) => Command::from_word(word),
            _ => None,
        };
        let Some(command) = command else {
            self.give_back(message);
            return Err(Stop::REFUSED);
        };
        self.destroy_carried(message);
        match whom {
            Controlled::Process(process) => self.command_processes(t, command, &[process]),
            Controlled::Thread(other) => self.command_threads(t, command, &[other]),
        }
    }

    fn suspend(&mut self, by: (ThreadId, Pc), t: ThreadId) {
        self.note_at(by, Kind::Suspended(t));
        let thread = self.thread_mut(t);
        thread.control(|control| control.suspended = control.suspended.saturating_add(1));
        match &thread.state {
            ThreadState::Ready | ThreadState::Raising(_) | ThreadState::LookingAgain { .. } => {
                let then = std::mem::replace(&mut thread.state, ThreadState::Ready);
                thread.state = ThreadState::Suspended(Box::new(then));
                self.sink.stopped(t);
            }
            // What it waits for may come; it is suspended after that.
            ThreadState::Blocked { .. }
            | ThreadState::NotStarted
            | ThreadState::Suspended(_)
            | ThreadState::Ended => {}
        }
    }

    fn resume(&mut self, by: (ThreadId, Pc), t: ThreadId) {
        let thread = self.thread_mut(t);
        if !thread.is_held() {
            return;
        }
        thread.control(|control| control.suspended -= 1);
        if thread.is_held() {
            return;
        }
        self.note_at(by, Kind::Resumed(t));
        if let ThreadState::Suspended(then) = &mut self.thread_mut(t).state {
            let then = std::mem::replace(&mut **then, ThreadState::Ready);
            self.make_ready(t, then);
        }
    }

    /// Ends the wait of a thread, whatever it waits for.
    fn interrupt(&mut self, by: (ThreadId, Pc), t: ThreadId) {
        self.note_at(by, Kind::Interrupted(t));
        let waits = matches!(
            self.thread(t).state.underneath(),
            ThreadState::Blocked { .. } | ThreadState::LookingAgain { .. }
        );
        if waits {
            self.end_wait(t, Outcome::Interrupted);
        }
    }

    /// A thread can take a step from now on, in this state, unless it is suspended.
    pub(super) fn make_ready(&mut self, t: ThreadId, how: ThreadState) {
        self.set_going(t, how);
        // A suspended thread still does its local work: nobody can see that.
        self.sink.ready(t);
    }

    pub(super) fn set_going(&mut self, t: ThreadId, how: ThreadState) {
        let thread = self.thread_mut(t);
        thread.state = if thread.is_held() { ThreadState::Suspended(Box::new(how)) } else { how };
    }
}

/// A list is a family of replicas: its members, one after the other.
fn processes_in(value: &Value, to: &mut Vec<ProcessId>) -> Result<(), Fault> {
    match value {
        Value::Handle(Handle::Process(process)) => to.push(*process),
        Value::List(list) => {
            list.items().iter().try_for_each(|item| processes_in(item, to))?;
        }
        _ => return Err(Fault::NotAnObject),
    }
    Ok(())
}
