//! Replaying a schedule that was found.

use ipcsim_check::Seen;
use ipcsim_explore::{BadToken, Grain, Reduction, Reductions, ScheduleStep, Tracer, View, replay};
use ipcsim_kernel::State;

use crate::Session;

/// A schedule with what was observed when it was found, which determines what counts as a step.
pub struct Followed {
    /// What was observed.
    pub seen: Seen,
    /// How it was observed.
    pub view: View,
    /// What counts as a step.
    pub grain: Grain,
    /// The steps.
    pub schedule: Vec<ScheduleStep>,
}

impl Session {
    /// The schedule of a token.
    ///
    /// Errors: the token does not belong to this scenario, or cannot be followed.
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
    /// Performs the schedule, and returns the state that it leads to. The tracer sees every event.
    pub fn perform<T: Tracer>(&self, tracer: &mut T) -> State {
        replay(&self.seen.machine, &self.grain, &self.schedule, tracer)
    }
}
