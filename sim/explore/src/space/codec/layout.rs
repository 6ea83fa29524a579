//! Where the parts of a state stand in a row.

use std::ops::Range;

use ipcsim_kernel::program::Effect;
use ipcsim_kernel::{Machine, MailboxId, Probe, ProcessId, State, ThreadId};

use super::super::{Log, Looks, Reduction};
use super::names::Place;
use super::parts::{Is, Part, TableName};
use super::unseen::Unseen;

/// The position of each part of a state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// For how many threads and mailboxes created at run time there is room.
    pub room: usize,
    pub processes: usize,
    /// Memory of so many processes: all of them, or none.
    pub spaces: usize,
    /// Room for this many threads.
    pub threads: usize,
    /// Room for this many mailboxes.
    pub mailboxes: usize,
    /// Whether kernel memory is a part of its own. Otherwise nothing depends on it, and it follows
    /// from what the mailboxes hold.
    pub memory: Is,
    /// Whether what was logged is a part.
    pub log: Log,
    /// Whether there are reply rights. If so, each thread has a part that says where its rights are named.
    pub rights: Is,
    /// The first mailbox that is made at run time.
    pub first_made: usize,
    /// Whether those made at run time are dropped once nothing names them. If so, each has a part that says where it is
    /// named. A log may go on naming them.
    pub drops: Is,
    /// What is not in a state, because nobody can see it.
    pub unseen: Unseen,
}

/// Fixed positions at the beginning of a row; the tables with many entries follow.
pub(crate) const ABANDONED: usize = 0;
pub(crate) const MEMORY: usize = 1;
pub(crate) const LENGTHS: usize = 2;
pub(crate) const LOG: usize = 3;
const PROCESSES: usize = 4;

impl Layout {
    /// The layout for a machine with this initial state, with room for this many threads (if the
    /// machine starts any) and mailboxes created at run time.
    pub(crate) fn new(
        machine: &Machine,
        state: &State,
        (looks, merge): (Looks, Reduction),
        room: usize,
    ) -> Self {
        let starts_threads = machine.any_call(|effect| matches!(effect, Effect::Starts(..)));
        let mut probes = looks.predicates.iter().flat_map(|predicate| &predicate.probes);
        let looks_at_memory = probes.any(|probe| *probe == Probe::KernelUsed);
        Self {
            processes: state.processes.len(),
            spaces: state.spaces.len(),
            room,
            threads: state.threads.len() + if starts_threads { room } else { 0 },
            mailboxes: state.mailboxes.len() + room,
            memory: Is::when(machine.policies.memory.is_some() || looks_at_memory),
            log: looks.log,
            rights: Is::when(machine.makes_reply_rights()),
            first_made: state.mailboxes.len(),
            drops: Is::when(room > 0 && looks.log == Log::Forgotten),
            unseen: Unseen::of(machine, state, (looks, merge)),
        }
    }

    pub(crate) fn width(&self) -> usize {
        let made = if self.drops == Is::So { self.mailboxes - self.first_made } else { 0 };
        self.named(self.first_made) + made
    }

    pub(crate) fn process(&self, index: usize) -> usize {
        PROCESSES + index
    }

    pub(crate) fn space(&self, index: usize) -> usize {
        PROCESSES + self.processes + index
    }

    pub(crate) fn thread(&self, index: usize) -> usize {
        PROCESSES + self.processes + self.spaces + index
    }

    pub(crate) fn mailbox(&self, index: usize) -> usize {
        self.thread(0) + self.threads + index
    }

    /// The position of a thread's reply rights.
    pub(crate) fn rights(&self, thread: usize) -> usize {
        self.mailbox(0) + self.mailboxes + thread
    }

    /// The position of where a mailbox is named that was made at run time.
    pub(crate) fn named(&self, mailbox: usize) -> usize {
        let callers = if self.rights == Is::So { self.threads } else { 0 };
        self.rights(0) + callers + mailbox - self.first_made
    }

    /// What stands at a position, if it can name something.
    pub(crate) fn place_at(&self, position: usize) -> Option<Place> {
        let (table, index) = self.entry_at(position)?;
        Some(match table {
            TableName::Abandoned => Place::Abandoned,
            TableName::Memory => Place::Memory,
            TableName::Process => Place::Process(ProcessId::at(index)),
            // A page holds nothing that names anything.
            TableName::Space => return None,
            TableName::Thread => Place::Thread(ThreadId::at(index)),
            TableName::Mailbox => Place::Mailbox(MailboxId::at(index)),
        })
    }

    /// The positions of a table.
    pub(super) fn positions_of(&self, table: TableName) -> Range<usize> {
        let (first, count) = match table {
            TableName::Abandoned => (ABANDONED, 1),
            TableName::Memory => (MEMORY, 1),
            TableName::Process => (self.process(0), self.processes),
            TableName::Space => (self.space(0), self.spaces),
            TableName::Thread => (self.thread(0), self.threads),
            TableName::Mailbox => (self.mailbox(0), self.mailboxes),
        };
        first..first + count
    }

    /// The table with an entry at this position, and the entry's index.
    pub(super) fn entry_at(&self, position: usize) -> Option<(TableName, usize)> {
        let entry = |table: &TableName| {
            let positions = self.positions_of(*table);
            positions.contains(&position).then(|| (*table, position - positions.start))
        };
        TableName::ALL.iter().find_map(entry)
    }

    /// The tables whose entries are parts of their own, each with its first position.
    pub(super) fn tables(&self) -> impl Iterator<Item = (TableName, usize)> + '_ {
        let tables =
            TableName::ALL.iter().filter(|of| **of != TableName::Memory || self.memory == Is::So);
        tables.map(|of| (*of, self.positions_of(*of).start))
    }

    /// The positions of all that exists in a state.
    pub(crate) fn positions(&self, state: &State) -> impl Iterator<Item = usize> + use<> {
        let callers = if self.rights == Is::So { state.threads.items().len() } else { 0 };
        let entries = |of: &TableName| {
            let first = self.positions_of(*of).start;
            first..first + of.notes(state).entries()
        };
        let rights = self.rights(0)..self.rights(0) + callers;
        let tables = TableName::ALL.iter().map(entries).filter(|range| range.start >= PROCESSES);
        let all: Vec<Range<usize>> = tables.chain(std::iter::once(rights)).collect();
        (0..PROCESSES).chain(all.into_iter().flatten())
    }

    /// Puts a part into its place.
    pub(crate) fn put(&self, state: &mut State, position: usize, part: Part) {
        if let Some((_, index)) = self.entry_at(position) {
            part.put(state, index);
        }
    }

    /// The thread at a position, if that is a thread's position.
    pub(crate) fn thread_at(&self, position: usize) -> Option<ThreadId> {
        let index = position.checked_sub(self.thread(0))?;
        (index < self.threads).then(|| ThreadId::at(index))
    }
}
