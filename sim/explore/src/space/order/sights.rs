//! What is observed, and which steps may change it.

use ipcsim_kernel::{Machine, Probe, Thread};

use super::super::Looks;
use super::super::lazy::reach::Links;
use super::net::{Place, Stands};

/// What is observed.
pub(super) struct Sights<'a> {
    probes: Vec<&'a Probe>,
    links: &'a Links,
}

impl<'a> Sights<'a> {
    pub(super) fn of(looks: Looks<'a>, links: &'a Links) -> Self {
        Self { probes: looks.predicates.iter().flat_map(|it| &it.probes).collect(), links }
    }

    /// Whether what a thread does at a place may change something that is observed.
    pub(super) fn see(&self, machine: &Machine, thread: &Thread, place: &Place) -> bool {
        self.probes.iter().any(|probe| match probe {
            Probe::Variable { process, register, .. } => {
                let op = &machine.code[place.pc.index()];
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
