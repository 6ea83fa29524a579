//! The state that steps are performed in. From one step to the next little of it differs, and only that is
//! put in anew.

use ipcsim_kernel::table::Clock;
use ipcsim_kernel::{Ghost, State};

use super::parts::{ABANDONED, Is, LENGTHS, Layout, MEMORY, Part, Parts};

/// A state with the numbers of its parts.
pub(super) struct Scratch {
    pub state: State,
    row: Vec<u32>,
}

/// No part has this number.
const SPOILT: u32 = u32::MAX;

impl Scratch {
    /// The state with these parts, made out of another one if there is one. What it looks at from now on is
    /// noted by the clock.
    pub(super) fn load(
        kept: Option<Self>,
        parts: &Parts,
        layout: &Layout,
        row: Vec<u32>,
        clock: &Clock,
    ) -> Self {
        let as_long = |kept: &Self| kept.row[LENGTHS] == row[LENGTHS];
        let Some(mut kept) = kept.filter(as_long) else {
            return Self { state: parts.state(layout, &row, clock), row };
        };
        for (position, (number, old)) in row.iter().zip(&kept.row).enumerate() {
            if number != old {
                put(&mut kept.state, layout, position, parts.get(*number).clone());
            }
        }
        kept.row = row;
        if layout.memory == Is::NotSo {
            Parts::count_memory(&mut kept.state);
        }
        if layout.rights == Is::So {
            for thread in 0..kept.state.threads.items().len() {
                let calls = parts.mentions(layout, &kept.row, thread).highest();
                kept.state.threads.items_mut()[thread].calls = Ghost(calls);
            }
        }
        kept.state.next_serial = Ghost(1);
        clock.reset();
        let state = &mut kept.state;
        state.processes.look_away();
        state.threads.look_away();
        state.mailboxes.look_away();
        state.memory.table_mut().look_away();
        state.abandoned.table_mut().look_away();
        kept
    }

    /// A step has changed what is at these positions.
    pub(super) fn spoil(&mut self, positions: impl Iterator<Item = usize>) {
        positions.for_each(|position| self.row[position] = SPOILT);
    }
}

fn put(state: &mut State, layout: &Layout, position: usize, part: Part) {
    match (position, part) {
        (ABANDONED, Part::Abandoned(rights)) => state.abandoned.table_mut().items_mut()[0] = rights,
        (MEMORY, Part::Memory(memory)) => state.memory.table_mut().items_mut()[0] = memory,
        (_, Part::Process(process)) => {
            state.processes.items_mut()[position - layout.process(0)] = process;
        }
        (_, Part::Thread(thread)) => {
            state.threads.items_mut()[position - layout.thread(0)] = thread;
        }
        (_, Part::Mailbox(mailbox)) => {
            state.mailboxes.items_mut()[position - layout.mailbox(0)] = mailbox;
        }
        (_, Part::Lengths(..) | Part::Log(_) | Part::Rights(_) | Part::Absent) => {}
        (_, other) => unreachable!("at {position} there is no {other:?}"),
    }
}
