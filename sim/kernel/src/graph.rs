//! Who waits for whom, seen from outside: pending local work of stopped threads is done first.

use ipcsim_program::ThreadId;

use crate::machine::Machine;
use crate::state::State;
use crate::step::with_local_work_done;
use crate::waits::{self, WaitGraph};

/// The wait-for graph of these threads. Conditions that none of them could fulfil are left out.
pub fn wait_graph(machine: &Machine, state: &State, among: &[ThreadId]) -> WaitGraph {
    waits::wait_graph(machine, &with_local_work_done(machine, state, among), among)
}

/// The circle of waits that a thread is in, if nothing but a timeout can open it: a deadlock that a
/// bounded wait hides. Empty if there is none.
pub fn circle_of(machine: &Machine, state: &State, t: ThreadId) -> Vec<ThreadId> {
    waits::circle_of(machine, state, t, with_local_work_done)
}
