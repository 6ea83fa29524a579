//! Forking: a copy of what is in a process. What is in the kernel it shares with its copy.
//!
//! So memory is copied, with the locks in it, and so are variables; mailboxes are not. Which threads are copied, systems do not
//! agree on.

use ipcsim_program::{Ghost, Region, Rename, Spawn, Walk};

use super::prelude::*;
use super::spawn::NO_MAILBOX;
use crate::machine::Fork;
use crate::object::space::{Mapping, Owner, Space};
use crate::sink::Backing;
use crate::state::Thread;

/// Threads, each with its copy in the child.
type Copies = Vec<(ThreadId, ThreadId)>;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn fork(
        &mut self,
        t: ThreadId,
        spec: &Spawn,
        entry: Option<Pc>,
    ) -> Result<(), Stop> {
        let own = self.thread(t).process;
        let siblings = self.siblings_to_copy(t)?;
        let child = self.unborn_child(own, spec)?;
        let names = self.names_for(own, child)?;
        let rights = self.pack_rights(t, &spec.rights, NO_MAILBOX)?;
        let pc = self.thread(t).pc;
        let entry = entry.unwrap_or_else(|| self.machine.call(pc).after_ok(pc));
        let copies = self.copy_threads((own, child), (t, entry), &siblings);
        let (_, first) = copies[0];
        if let Some(into) = spec.into {
            self.set(first, into, Value::None);
            self.set(t, into, Value::Handle(Handle::Process(child)));
        }
        self.note(Some(t), Kind::Forked(child));
        self.complete(t, Outcome::Ok);
        self.endow((own, child), rights, names);
        self.begin_life(child);
        // A thread whose code is gone has no code in the copy, either.
        for (original, copy) in copies {
            if let ThreadState::Raising(fault) = self.thread(original).state.underneath() {
                let fault = fault.clone();
                self.set_going(copy, ThreadState::Raising(fault));
            }
        }
        Ok(())
    }

    /// The other threads of a process that a fork would copy. Who is inside a call cannot be copied: the two would take one
    /// message, use one right to answer, or be answered once.
    fn siblings_to_copy(&mut self, t: ThreadId) -> Result<Vec<ThreadId>, Stop> {
        let siblings = self.siblings(t);
        match self.machine.policies.fork {
            Fork::OneThread => Ok(Vec::new()),
            Fork::Refuse if siblings.is_empty() => Ok(siblings),
            Fork::Refuse => Err(Stop::REFUSED),
            Fork::AllThreads => {
                let is_inside = |other: &ThreadId| {
                    let state = self.thread(*other).state.underneath();
                    !matches!(state, ThreadState::Ready | ThreadState::Raising(_))
                };
                if let Some(inside) = siblings.iter().copied().find(is_inside) {
                    self.note(Some(t), Kind::NotForked(inside));
                    return Err(Stop::REFUSED);
                }
                let most = self.machine.max_threads as usize;
                if self.state.threads.len() + siblings.len() > most {
                    return Err(Stop::REFUSED);
                }
                Ok(siblings)
            }
        }
    }

    /// The other threads of a thread's process that live.
    pub(super) fn siblings(&self, t: ThreadId) -> Vec<ThreadId> {
        let threads = self.state.threads_of(self.thread(t).process);
        threads.filter(|other| *other != t && !self.thread_has_ended(*other)).collect()
    }

    /// The child gets copies of these threads, and of the memory; the one that forks comes first.
    fn copy_threads(
        &mut self,
        (own, child): (ProcessId, ProcessId),
        (t, entry): (ThreadId, Pc),
        siblings: &[ThreadId],
    ) -> Copies {
        let first = self.state.processes[child.index()].first_thread;
        let mut copies: Copies = vec![(t, first)];
        let mut names = Rebase { from: own, to: child };
        let registers = self.thread(t).registers.renamed(&mut names);
        let (name, index) = (self.thread(t).name, self.thread(t).index);
        let copy = self.thread_mut(first);
        copy.registers = registers;
        copy.pc = entry;
        for sibling in siblings {
            let place = ThreadId::at(self.state.threads.len());
            let thread = self.thread(*sibling);
            let copy = Thread {
                process: child,
                registers: thread.registers.renamed(&mut names),
                calls: Ghost(0),
                // It begins with its process.
                state: ThreadState::NotStarted,
                ..thread.clone()
            };
            self.state.threads.push(copy);
            self.state.processes[child.index()].started.push(place);
            copies.push((*sibling, place));
        }
        if !siblings.is_empty() {
            // They go by the names that they know each other by.
            let copy = self.thread_mut(first);
            (copy.name, copy.index) = (name, index);
        }
        self.state.processes[child.index()].image = self.state.processes[own.index()].image;
        self.copy_memory((own, child), &copies);
        self.copy_descriptors((own, child));
        copies
    }

    fn copy_memory(&mut self, (own, child): (ProcessId, ProcessId), copies: &Copies) {
        if self.state.spaces.is_empty() {
            return;
        }
        let Space { regions, mut locks, segments: _ } = self.state.spaces[own.index()].clone();
        for (number, mapping) in &regions {
            let of = match mapping {
                Mapping::Private(_) => Backing::Region(Region { space: own, number: *number }),
                Mapping::Shared { segment, .. } => {
                    self.state.segment_mut(*segment).references += 1;
                    Backing::Segment(*segment)
                }
            };
            let copy = Region { space: child, number: *number };
            self.sink.forked(of, copy, mapping.count());
        }
        for lock in locks.values_mut() {
            lock.waiting.clear();
            if let Owner::Thread(owner) = lock.owner {
                let copy = copies.iter().find(|(original, _)| *original == owner);
                lock.owner = copy.map_or(Owner::NotCopied, |(_, copy)| Owner::Thread(*copy));
            }
        }
        let space = &mut self.state.spaces[child.index()];
        (space.regions, space.locks) = (regions, locks);
    }
}

/// What names the memory of a process names that of its copy. Everything else that is named is in the kernel.
struct Rebase {
    from: ProcessId,
    to: ProcessId,
}

impl Rename for Rebase {
    fn space(&mut self, process: ProcessId) -> ProcessId {
        if process == self.from { self.to } else { process }
    }
}
