//! What is observed, and which steps may change it.

use ipcsim_kernel::object::mailbox::{Mailbox, Object};
use ipcsim_kernel::{Machine, Probe, Thread};

use super::super::{Log, Looks};
use super::net::{Place, Stands};

/// What is observed.
pub(super) struct Sights<'a> {
    probes: Vec<&'a Probe>,
    log: Log,
    boxes: &'a [Mailbox],
}

impl<'a> Sights<'a> {
    pub(super) fn of(looks: Looks<'a>, boxes: &'a [Mailbox]) -> Self {
        Self { probes: looks.probes_on_the_way().collect(), log: looks.log, boxes }
    }

    /// Whether what a thread does at a place may change something that is observed.
    pub(super) fn see(&self, machine: &Machine, thread: &Thread, place: &Place) -> bool {
        let op = &machine.code[place.pc.index()];
        // Local work that is a step of its own logs something sooner or later.
        let logs = self.log == Log::Kept && op.is_local();
        logs || self.probes.iter().any(|probe| match probe {
            Probe::Variable { process, register, .. } => {
                // Local work that is a step of its own assigns to something sooner or later.
                thread.process == *process
                    && (op.is_local() || op.writes().any(|it| it == *register))
            }
            Probe::Stored(mailbox) => {
                let object = &self.boxes[mailbox.index()].object;
                place.sends.has(mailbox.index())
                    || place.receives.has(mailbox.index())
                    || match object {
                        Object::Link { from, to } => [*from, *to].contains(&thread.process),
                        // Whoever ends takes its ports with it.
                        other => other.holder() == Some(thread.process),
                    }
            }
            // Whoever ends takes with it what lies on its links.
            Probe::KernelUsed => true,
            Probe::Ended(process) | Probe::Blocked(process) => {
                thread.process == *process || place.stands == Stands::BeforeAnswer || place.answers
            }
        })
    }
}
