//! Dead variables are forgotten, so that states that differ only in those are one state.

use std::collections::BTreeSet;

use ipcsim_kernel::program::Liveness;
use ipcsim_kernel::{Machine, Outcome, Predicate, Probe, Register, Thread, ThreadState, Value};

/// The variables that may still be read.
pub(crate) struct Live {
    liveness: Liveness,
    /// Variables that predicates read.
    watched: BTreeSet<Register>,
}

impl Live {
    /// Analyses a machine. What predicates read is never forgotten.
    pub(crate) fn new(machine: &Machine, predicates: &[Predicate]) -> Self {
        let probes = predicates.iter().flat_map(|predicate| &predicate.probes);
        let watched = probes.filter_map(|probe| match probe {
            Probe::Variable { register, .. } => Some(*register),
            _ => None,
        });
        Self { liveness: Liveness::of(&machine.code), watched: watched.collect() }
    }

    /// Forgets the variables that a thread will never read again.
    pub(crate) fn forget(&self, thread: &mut Thread) {
        let (pc, count) = (thread.pc, thread.registers.len());
        let has_ended = thread.state == ThreadState::Ended;
        for (number, value) in thread.registers.iter_mut().enumerate() {
            let register = Register::at(number);
            let is_live = !has_ended && self.liveness.is_live(pc, register, count);
            if !is_live && !self.watched.contains(&register) {
                *value = Value::None;
            }
        }
        if has_ended || !self.liveness.status_is_live(pc, count) {
            thread.status = Outcome::Ok;
        }
    }
}
