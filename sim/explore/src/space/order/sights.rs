//! What is observed, and which steps may change it.

use ipcsim_kernel::{Machine, Probe, Thread};

use super::super::lazy::reach::Links;
use super::super::{Log, Looks};
use super::net::{Place, Stands};

/// What is observed.
pub(super) struct Sights<'a> {
    probes: Vec<&'a Probe>,
    log: Log,
    links: &'a Links,
}

impl<'a> Sights<'a> {
    pub(super) fn of(looks: Looks<'a>, links: &'a Links) -> Self {
        Self { probes: looks.probes_on_the_way().collect(), log: looks.log, links }
    }

    /// Whether what a thread does at a place may change something that is observed.
    pub(super) fn see(&self, machine: &Machine, thread: &Thread, place: &Place) -> bool {
        let op = &machine.code[place.pc.index()];
        // Local work that is a step of its own logs something sooner or later.
        let logs = self.log == Log::Kept && op.is_local();
        logs || self.probes.iter().any(|probe| match probe {
            Probe::Variable { process, register, .. } => {
                // Local work that is a step of its own assigns to something sooner or later.
                thread.process == *process && (op.is_local() || op.writes() == Some(*register))
            }
            Probe::Stored(mailbox) => {
                let is_at_an_end = |(from, to)| thread.process == from || thread.process == to;
                place.sends.has(mailbox.index())
                    || place.receives.has(mailbox.index())
                    || self.links.ends(*mailbox).is_some_and(is_at_an_end)
            }
            // Whoever ends takes with it what lies on its links.
            Probe::KernelUsed => true,
            Probe::Ended(process) | Probe::Blocked(process) => {
                thread.process == *process || place.stands == Stands::BeforeAnswer || place.answers
            }
        })
    }
}
