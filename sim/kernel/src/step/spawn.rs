//! Creating a process from scratch, with the environment that its creator gives it.

use ipcsim_program::{Descriptor, Grant, Spawn};

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
        let passed = self.files_among(t, &spawn.rights)?;
        let rights = self.pack_rights(t, &spawn.rights, NO_MAILBOX)?;
        if let Some(into) = spawn.into {
            self.set(t, into, Value::Handle(Handle::Process(child)));
        }
        self.note(Some(t), Kind::Spawned(child));
        self.complete(t, Outcome::Ok);
        let opened = self.endow((own, child), rights, names);
        let first = self.state.processes[child.index()].first_thread;
        for (register, mut value) in parameters {
            if let Value::Handle(Handle::File(descriptor)) = &mut value
                && let Some(place) = passed.iter().position(|it| it == &Some(*descriptor))
                && let Some(own) = opened[place]
            {
                *descriptor = own;
            }
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

    /// The descriptors among rights, each at its place: what a new process is given of them it finds in its variables.
    fn files_among(
        &mut self,
        t: ThreadId,
        grants: &[Grant],
    ) -> Result<Vec<Option<Descriptor>>, Fault> {
        let mut files = Vec::with_capacity(grants.len());
        for grant in grants {
            files.push(match self.eval(t, &grant.port)? {
                Value::Handle(Handle::File(descriptor)) => Some(descriptor),
                _ => None,
            });
        }
        Ok(files)
    }

    /// A new process gets the rights that its creator gives it, and its creator a right to control it. Returns what it has open
    /// of them, each at its place.
    pub(super) fn endow(
        &mut self,
        (own, child): (ProcessId, ProcessId),
        rights: Box<[Carried]>,
        names: Option<MailboxId>,
    ) -> Vec<Option<Descriptor>> {
        let mut opened = Vec::with_capacity(rights.len());
        for carried in rights {
            opened.push(match carried.right {
                Right::File(access) => match self.take_in_file(child, carried.port, access) {
                    Right::Opened(descriptor) => Some(descriptor),
                    _ => None,
                },
                _ => {
                    self.give_right(child, carried);
                    None
                }
            });
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
        opened
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
