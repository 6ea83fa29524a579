//! The state in which steps are performed. Little of it differs from one step to the next, and only
//! that is replaced.

use ipcsim_kernel::table::Clock;
use ipcsim_kernel::{Ghost, State};

use super::super::codec::layout::{LENGTHS, Layout};
use super::super::codec::parts::{Is, Parts, look_away};

/// A state with the numbers of its parts.
pub(crate) struct Scratch {
    pub state: State,
    row: Vec<u32>,
}

/// No part has this number.
const SPOILT: u32 = u32::MAX;

impl Scratch {
    /// The state with these parts, made from the kept one if possible. The clock records what is
    /// read in it from now on.
    pub(crate) fn load(
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
                layout.put(&mut kept.state, position, parts.get(*number).clone());
            }
        }
        kept.row = row;
        if layout.memory == Is::NotSo {
            Parts::count_memory(&mut kept.state);
        }
        if layout.rights == Is::So {
            for thread in 0..kept.state.threads.items().len() {
                let calls = parts.last_call(layout, &kept.row, thread);
                kept.state.threads.items_mut()[thread].calls = Ghost(calls);
            }
        }
        kept.state.next_serial = Ghost(1);
        clock.reset();
        look_away(&mut kept.state);
        kept
    }

    /// Notes that a step has changed these positions.
    pub(crate) fn spoil(&mut self, positions: impl Iterator<Item = usize>) {
        positions.for_each(|position| self.row[position] = SPOILT);
    }
}
