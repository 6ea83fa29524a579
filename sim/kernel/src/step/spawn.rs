//! Making a process from scratch, with the environment that its creator gives it.

use super::{Step, Stop};
use crate::event::Kind;
use crate::ids::{ProcessId, ThreadId};
use crate::object::port::{Carried, Right};
use crate::oracle::{Oracle, Sink};
use crate::outcome::Outcome;
use crate::program::Spawn;
use crate::state::Life;
use crate::value::{Handle, Value};

/// Rights that go to a new process are in no message on their way.
const NO_MAILBOX: crate::ids::MailboxId = crate::ids::MailboxId(u32::MAX);

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn spawn(&mut self, t: ThreadId, spawn: &Spawn) -> Result<(), Stop> {
        let own = self.thread(t).process;
        let is_unborn =
            |child: &ProcessId| self.state.processes[child.index()].life == Life::Unborn;
        let Some(child) = spawn.children_of(self.machine, own).find(is_unborn) else {
            return Err(Stop::Outcome(Outcome::Refused));
        };
        let mut parameters = Vec::with_capacity(spawn.with.len());
        for (register, value) in &spawn.with {
            parameters.push((*register, self.eval(t, value)?));
        }
        let taken = self.take_granted(t, &spawn.rights, NO_MAILBOX)?;
        let rights = self.granted_have_left(own, taken);
        if let Some(into) = spawn.into {
            self.set(t, into, Value::Handle(Handle::Process(child)));
        }
        self.note(Some(t), Kind::Spawned(child));
        self.complete(t, Outcome::Ok);
        for right in rights {
            self.give_right(child, right);
        }
        if let Some(port) = self.machine.family_of(child).names {
            self.give_right(child, Carried { port, right: Right::Send });
        }
        // Whoever makes a process may control it.
        if let Some(port) = self.machine.task_port(child)
            && !self.state.has_ended(own)
        {
            self.state.processes[own.index()].rights.add(port);
        }
        let first = self.state.processes[child.index()].first_thread;
        for (register, value) in parameters {
            self.set(first, register, value);
        }
        self.state.processes[child.index()].life = Life::NotStarted;
        self.sink.spawned(child);
        self.start_process(child);
        Ok(())
    }
}
