//! How much a conclusion may cost.

use ipcsim_explore::{
    Cancellation, Exploration, ExploreLimits, Limits, Looks, Reason, Reduction, Reductions, Run,
    Tracer, explore, run,
};
use ipcsim_kernel::Machine;

/// How much a conclusion may cost, and how to end it early.
#[derive(Clone, Copy, Debug)]
pub struct Budget<'a> {
    /// What may be left out of the schedules.
    pub reductions: Reductions,
    /// Where an exploration is cut off.
    pub explore: ExploreLimits<'a>,
    /// A run is cut off after this many steps.
    pub run_steps: u64,
}

impl Default for Budget<'_> {
    /// No limits, except a million steps per run.
    fn default() -> Self {
        let reductions = Reductions::ALL;
        Self { reductions, explore: ExploreLimits::default(), run_steps: 1_000_000 }
    }
}

impl<'a> Budget<'a> {
    /// Whether to stop, for whatever reason.
    pub fn is_over(&self) -> bool {
        self.reason().is_some()
    }

    /// Whether somebody has interrupted it.
    pub fn is_interrupted(&self) -> bool {
        self.reason() == Some(Reason::Interrupted)
    }

    /// Why to stop, if it must.
    pub fn reason(&self) -> Option<Reason> {
        self.explore.cancelled.and_then(Cancellation::reason)
    }

    /// The same, for at most this many states.
    #[must_use]
    pub fn up_to(self, states: u64) -> Self {
        let max_states = self.explore.max_states.min(states);
        Self { explore: ExploreLimits { max_states, ..self.explore }, ..self }
    }

    /// The same, without leaving out any schedule.
    #[must_use]
    pub fn whole(self) -> Self {
        let merge = self.reductions.merge;
        Self { reductions: Reductions { merge, ..Reductions::NONE }, ..self }
    }

    /// The same without symmetry reduction, which does not tell replicas apart.
    #[must_use]
    pub fn by_name(self) -> Self {
        let reductions = Reductions { symmetry: Reduction::Off, ..self.reductions };
        Self { reductions, ..self }
    }

    /// Explores every schedule of a machine.
    pub fn explore<'m>(&self, machine: &'m Machine, looks: Looks) -> Exploration<'m>
    where
        'a: 'm,
    {
        explore(machine, self.reductions, looks, &self.explore)
    }

    /// Runs a machine once, for at most this many steps.
    pub fn run<T: Tracer>(&self, machine: &Machine, max_steps: u64, tracer: &mut T) -> Run {
        let max_steps = max_steps.min(self.run_steps);
        let limits = Limits { max_steps, cancelled: self.explore.cancelled, ..Limits::default() };
        run(machine, &limits, tracer)
    }
}
