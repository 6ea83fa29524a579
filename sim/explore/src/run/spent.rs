//! What must be paid for with time when it is done: bytes that were copied, pages that were mapped, page faults.

use super::{Measures, Runner};

/// How much of it there has been.
#[derive(Clone, Copy)]
pub(super) struct Spent {
    bytes_copied: u64,
    pages_mapped: u64,
    page_faults: u64,
}

impl Runner<'_> {
    pub(super) fn spent(&self) -> Spent {
        let Measures { bytes_copied, pages_mapped, page_faults, .. } = self.agenda.measures;
        Spent { bytes_copied, pages_mapped, page_faults }
    }

    /// What was copied and mapped since then takes time.
    pub(super) fn cost_since(&self, before: Spent) -> u64 {
        let (now, costs) = (self.spent(), &self.machine.timing.costs);
        let copied = copy_cost(now.bytes_copied - before.bytes_copied, costs.copy_per_kib_ns);
        let mapped = (now.pages_mapped - before.pages_mapped).saturating_mul(costs.map_page_ns);
        let faults = (now.page_faults - before.page_faults).saturating_mul(costs.page_fault_ns);
        copied.saturating_add(mapped).saturating_add(faults)
    }
}

fn copy_cost(bytes: u64, per_kib_ns: u64) -> u64 {
    if bytes == 0 || per_kib_ns == 0 {
        return 0;
    }
    let ns = u128::from(bytes) * u128::from(per_kib_ns) / 1024;
    u64::try_from(ns).unwrap_or(u64::MAX)
}
