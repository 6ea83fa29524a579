//! Creating a process from scratch, with the environment that its creator gives it.

use ipcsim_program::Spawn;

use super::prelude::*;
use crate::state::Life;

/// Rights that go to a new process travel in no message.
pub(super) const NO_MAILBOX: MailboxId = MailboxId(u32::MAX);

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn spawn(&mut self, t: ThreadId, spawn: &Spawn) -> Result<(), Stop> {
        let own = self.thread(t).process;
        let child = self.unborn_child(own, spawn)?;
        let mut parameters = Vec::with_capacity(spawn.with.len());
        for (register, value) in &spawn.with {
            parameters.push((*register, self.eval(t, value)?));
        }
        let names = self.names_for(own, child)?;
        let rights = self.pack_rights(t, &spawn.rights, NO_MAILBOX)?;
        if let Some(into) = spawn.into {
            self.set(t, into, Value::Handle(Handle::Process(child)));
        }
        self.note(Some(t), Kind::Spawned(child));
        self.complete(t, Outcome::Ok);
        self.endow((own, child), rights, names);
        let first = self.state.processes[child.index()].first_thread;
        for (register, value) in parameters {
            self.set(first, register, value);
        }
        self.begin_life(child);
        Ok(())
    }

    /// A process that a creator can make with this call and has not made yet.
    pub(super) fn unborn_child(&self, own: ProcessId, spawn: &Spawn) -> Result<ProcessId, Stop> {
        let is_unborn =
            |child: &ProcessId| self.state.processes[child.index()].life == Life::Unborn;
        self.machine.children_of(spawn, own).find(is_unborn).ok_or(Stop::REFUSED)
    }

    /// A new process gets the rights that its creator gives it, and its creator a right to control it.
    pub(super) fn endow(
        &mut self,
        (own, child): (ProcessId, ProcessId),
        rights: Box<[Carried]>,
        names: Option<MailboxId>,
    ) {
        for right in rights {
            self.give_right(child, right);
        }
        if let Some(port) = names {
            self.give_right(child, Carried { port, right: Right::Send });
        }
        // Whoever creates a process may control it.
        if let Some(port) = self.machine.task_port(child)
            && !self.state.has_ended(own)
        {
            self.state.processes[own.index()].rights.add(port);
        }
    }

    pub(super) fn begin_life(&mut self, child: ProcessId) {
        self.state.processes[child.index()].life = Life::NotStarted;
        self.sink.spawned(child);
        self.start_process(child);
    }

    /// The port of the name server that a new process gets a right to. Its creator needs a right to it, or to one of
    /// its ancestors: a name server below can only find less. If there is only one, everybody may use it.
    pub(super) fn names_for(
        &self,
        own: ProcessId,
        child: ProcessId,
    ) -> Result<Option<MailboxId>, Stop> {
        let Some(port) = self.machine.family_of(child).names else { return Ok(None) };
        let servers = &self.machine.name_servers;
        let mut ancestors = std::iter::successors(Some(port), |port| *servers.get(port)?);
        let is_only = servers.len() == 1 && servers.contains_key(&port);
        if is_only || ancestors.any(|port| self.state.may_send(own, port)) {
            return Ok(Some(port));
        }
        // What has been given up is not inherited.
        if self.machine.family_of(own).names == Some(port) {
            return Ok(None);
        }
        Err(Stop::NO_RIGHT)
    }
}
