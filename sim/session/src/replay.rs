//! A schedule that was found, shown again.

use ipcsim_check::Seen;
use ipcsim_explore::{BadToken, Grain, Reduction, Reductions, ScheduleStep, Tracer, View, replay};
use ipcsim_kernel::State;

use crate::Session;

/// A schedule with what was looked at when it was found, which says what counts as a step.
pub struct Followed {
    /// What was looked at.
    pub seen: Seen,
    /// How.
    pub view: View,
    /// What counts as a step.
    pub grain: Grain,
    /// The steps.
    pub schedule: Vec<ScheduleStep>,
}

impl Session {
    /// The schedule of a token.
    ///
    /// Errors: it is none of this scenario.
    pub fn replay(&self, token: &str) -> Result<Followed, BadToken> {
        let (seen, view, schedule) = self.subject().follow(token)?;
        let reductions = match view.merge {
            Reduction::On => Reductions::MERGE,
            Reduction::Off => Reductions::NONE,
        };
        let grain = Grain::new(&seen.machine, reductions, seen.looks());
        Ok(Followed { seen, view, grain, schedule })
    }
}

impl Followed {
    /// Performs the schedule, and gives the state that it leads to. The tracer is told everything.
    pub fn perform<T: Tracer>(&self, tracer: &mut T) -> State {
        replay(&self.seen.machine, &self.grain, &self.schedule, tracer)
    }
}
