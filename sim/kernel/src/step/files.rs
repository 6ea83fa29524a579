//! Descriptors: small numbers by which a process names what it has open. The file system says who may open which mailbox;
//! whoever has a descriptor may pass it on.

use ipcsim_program::{Access, Descriptor, FileVerb, OnExec, misuse};

use super::prelude::*;
use crate::object::stream::Opened;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn file(&mut self, t: ThreadId, verb: &FileVerb) -> Result<(), Stop> {
        match verb {
            FileVerb::Open { path, into, access, on_exec } => {
                self.open(t, path, *into, (*access, *on_exec))
            }
            FileVerb::CreateStream { kind, read, write, on_exec } => {
                self.create_stream(t, *kind, (*read, *write), *on_exec)
            }
            FileVerb::Close(descriptor) => self.close(t, descriptor),
            FileVerb::Duplicate { of, into, on_exec } => self.duplicate(t, of, *into, *on_exec),
        }
    }

    fn open(
        &mut self,
        t: ThreadId,
        path: &Expr,
        into: Register,
        (access, on_exec): (Access, OnExec),
    ) -> Result<(), Stop> {
        let path = match self.eval(t, path)? {
            Value::Text(path) => path,
            other => return Err(misuse::needs("a path is a text", &other).into()),
        };
        let machine = self.machine;
        let file = machine
            .files
            .binary_search_by(|file| file.path.as_ref().cmp(path.as_ref()))
            .map_err(|_| Stop::Outcome(Outcome::NoSuchName))?;
        let file = &machine.files[file];
        let user = machine.family_of(self.thread(t).process).user;
        let mode =
            if user.is_some() && user == file.owner { file.owner_mode } else { file.other_mode };
        let wanted = match access {
            Access::Read => 4,
            Access::Write => 2,
        };
        if mode & wanted == 0 {
            return Err(Stop::REFUSED);
        }
        let opened = Opened { object: file.mailbox, access, on_exec };
        let descriptor = self.install(self.thread(t).process, opened).ok_or(Stop::REFUSED)?;
        self.set(t, into, Value::Handle(Handle::File(descriptor)));
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    fn close(&mut self, t: ThreadId, descriptor: &Expr) -> Result<(), Stop> {
        let descriptor = self.descriptor(t, descriptor)?;
        let own = self.thread(t).process;
        let table = &mut self.state.processes[own.index()].descriptors;
        let opened = table.remove(&descriptor.number).ok_or(Stop::NO_RIGHT)?;
        self.note(Some(t), Kind::Closed(opened.object, opened.access));
        self.complete(t, Outcome::Ok);
        self.is_closed(opened);
        Ok(())
    }

    fn duplicate(
        &mut self,
        t: ThreadId,
        of: &Expr,
        into: Register,
        on_exec: OnExec,
    ) -> Result<(), Stop> {
        let descriptor = self.descriptor(t, of)?;
        let own = self.thread(t).process;
        let table = &self.state.processes[own.index()].descriptors;
        let opened = *table.get(&descriptor.number).ok_or(Stop::NO_RIGHT)?;
        let copy = Opened { on_exec, ..opened };
        let copied = self.install(own, copy).ok_or(Stop::REFUSED)?;
        self.is_opened(copy);
        self.set(t, into, Value::Handle(Handle::File(copied)));
        self.complete(t, Outcome::Ok);
        Ok(())
    }

    /// The descriptor of the thread's process that an expression names, whether it is open or not.
    fn descriptor(&mut self, t: ThreadId, expr: &Expr) -> Result<Descriptor, Stop> {
        match self.eval(t, expr)? {
            Value::Handle(Handle::File(descriptor)) => {
                let is_own = descriptor.holder == self.thread(t).process;
                if is_own { Ok(descriptor) } else { Err(Stop::NO_RIGHT) }
            }
            Value::Handle(_) => Err(Stop::REFUSED),
            // One that could not be taken in is `none`.
            Value::None => Err(Stop::NO_RIGHT),
            _ => Err(Fault::NotAnObject.into()),
        }
    }

    /// What a thread has open under a descriptor, for this.
    pub(super) fn opened(
        &self,
        t: ThreadId,
        descriptor: Descriptor,
        access: Access,
    ) -> Result<MailboxId, Stop> {
        let own = self.thread(t).process;
        let table = &self.state.processes[own.index()].descriptors;
        let opened = table.get(&descriptor.number).filter(|_| descriptor.holder == own);
        let opened = opened.filter(|opened| opened.access == access).ok_or(Stop::NO_RIGHT)?;
        Ok(opened.object)
    }

    /// A process has this open, under the lowest number that is free, unless it has too many.
    pub(super) fn install(&mut self, process: ProcessId, opened: Opened) -> Option<Descriptor> {
        if self.state.processes[process.index()].descriptors.len() >= limits::DESCRIPTORS {
            return None;
        }
        let number = self.free_number(process);
        self.state.processes[process.index()].descriptors.insert(number, opened);
        Some(Descriptor { object: opened.object, holder: process, number })
    }

    /// The lowest number under which a process has nothing open.
    pub(super) fn free_number(&self, process: ProcessId) -> u32 {
        let table = &self.state.processes[process.index()].descriptors;
        let mut free = (0..).zip(table.keys()).skip_while(|(number, used)| number == *used);
        free.next().map_or(table.len() as u32, |(number, _)| number)
    }

    /// A process has ended, and everything that it had open is closed.
    pub(super) fn close_all(&mut self, process: ProcessId) {
        if self.state.processes[process.index()].descriptors.is_empty() {
            return;
        }
        let table = &mut self.state.processes[process.index()].descriptors;
        for opened in std::mem::take(table).into_values() {
            self.is_closed(opened);
        }
    }

    /// A process goes on with another program.
    pub(super) fn close_on_exec(&mut self, process: ProcessId) {
        let closes_all = self.machine.policies.descriptors_on_exec == OnExec::Close;
        let is_closing = |opened: &Opened| closes_all || opened.on_exec == OnExec::Close;
        if !self.state.processes[process.index()].descriptors.values().any(is_closing) {
            return;
        }
        let table = std::mem::take(&mut self.state.processes[process.index()].descriptors);
        let (closing, kept) = table.into_iter().partition(|(_, opened)| is_closing(opened));
        self.state.processes[process.index()].descriptors = kept;
        let closing: std::collections::BTreeMap<u32, Opened> = closing;
        for opened in closing.into_values() {
            self.is_closed(opened);
        }
    }

    /// The child of a fork has the same open as its parent.
    pub(super) fn copy_descriptors(&mut self, (own, child): (ProcessId, ProcessId)) {
        if self.state.processes[own.index()].descriptors.is_empty() {
            return;
        }
        let table = self.state.processes[own.index()].descriptors.clone();
        for opened in table.values() {
            self.is_opened(*opened);
        }
        self.state.processes[child.index()].descriptors = table;
    }
}
