//! A state as a row of numbers, and back: for each position, which of the parts ever seen there it holds.

pub(crate) mod layout;
pub(crate) mod names;
pub(crate) mod parts;
mod seen;
mod unseen;

use ipcsim_kernel::table::Clock;
use ipcsim_kernel::{Machine, ProcessId, State, Thread, Value};

use super::{Looks, Reduction};
use layout::{LOG, Layout, MEMORY};
use parts::{Can, Is, Part, Parts};
use seen::Seen;

/// Translates states into rows, and back.
pub(crate) struct Codec {
    pub layout: Layout,
    pub parts: Parts,
    pub seen: Seen,
}

impl Codec {
    /// For the states of a machine with this initial state, with room for this many threads and mailboxes created at run
    /// time. The row of the initial state holds only zeros.
    pub(crate) fn new(
        machine: &Machine,
        state: &State,
        (looks, merge): (Looks, Reduction),
        room: usize,
    ) -> Self {
        let layout = Layout::new(machine, state, (looks, merge), room);
        let mut parts = Parts::new(machine);
        let seen = Seen::new(parts.of_state(machine, &layout, state));
        Self { layout, parts, seen }
    }

    /// How many positions a row has.
    pub(crate) fn width(&self) -> usize {
        self.layout.width()
    }

    /// The number of the part at a position.
    pub(crate) fn part(&self, row: &[u32], position: usize) -> u32 {
        self.seen.part(position, row[position])
    }

    /// The number of a thread's part.
    pub(crate) fn part_of_thread(&self, row: &[u32], t: usize) -> u32 {
        self.part(row, self.layout.thread(t))
    }

    /// The thread in a part, if one is in it.
    pub(crate) fn thread(&self, part: u32) -> Option<&Thread> {
        match self.parts.get(part) {
            Part::Thread(thread) => Some(thread),
            _ => None,
        }
    }

    /// What can happen next at a position.
    pub(crate) fn can(&self, row: &[u32], position: usize) -> Can {
        self.parts.can(self.part(row, position))
    }

    /// The state that a row stands for. The clock records what is read in it.
    pub(crate) fn state(&self, row: &[u32], clock: &Clock) -> State {
        self.parts.state(&self.layout, &self.seen.parts_of(row), clock)
    }

    /// Makes the row of a state from its parts.
    pub(crate) fn put_parts(&mut self, parts: &[u32], row: &mut [u32]) {
        for (position, part) in parts.iter().enumerate() {
            row[position] = self.seen.number(position, *part);
        }
    }

    /// The parts of a state that comes from elsewhere.
    pub(crate) fn parts_of(
        &mut self,
        machine: &Machine,
        state: &State,
        log: Vec<(ProcessId, Value)>,
    ) -> Vec<u32> {
        let mut parts = self.parts.of_state(machine, &self.layout, state);
        parts[LOG] = self.parts.number(machine, Part::Log(log));
        if self.layout.memory == Is::NotSo {
            // Then nothing depends on it, and it keeps its initial value.
            parts[MEMORY] = self.seen.part(MEMORY, 0);
        }
        if self.layout.rights == Is::So {
            for (caller, rights) in self.rights_in(&parts) {
                let position = self.layout.rights(caller.index());
                parts[position] = self.parts.number(machine, Part::Rights(rights));
            }
        }
        parts
    }

    /// The lines of a log that has this number at its position.
    pub(crate) fn log(&self, number: u32) -> &[(ProcessId, Value)] {
        match self.parts.get(self.seen.part(LOG, number)) {
            Part::Log(lines) => lines,
            other => unreachable!("the log stands at its position, not {other:?}"),
        }
    }
}
