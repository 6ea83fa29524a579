//! How much a conclusion may cost.

use ipcsim_explore::{
    Cancellation, Exploration, ExploreLimits, Limits, Looks, Reason, Reduction, Reductions, Run,
    Tracer, explore, run,
};
use ipcsim_kernel::Machine;

/// How much a conclusion may cost, and who may end it early.
#[derive(Clone, Copy, Debug)]
pub struct Budget<'a> {
    /// What schedules may leave out.
    pub reductions: Reductions,
    /// Where an exploration is cut off.
    pub explore: ExploreLimits<'a>,
    /// After so many steps a run is cut off.
    pub run_steps: u64,
}

impl Default for Budget<'_> {
    /// No limit but that of a run of a million steps.
    fn default() -> Self {
        let reductions = Reductions::ALL;
        Self { reductions, explore: ExploreLimits::default(), run_steps: 1_000_000 }
    }
}

impl<'a> Budget<'a> {
    /// Whether it is to stop, for whatever reason.
    pub fn is_over(&self) -> bool {
        self.reason().is_some()
    }

    /// Whether somebody has interrupted it.
    pub fn is_interrupted(&self) -> bool {
        self.reason() == Some(Reason::Interrupted)
    }

    /// Why it is to stop, if it is.
    pub fn reason(&self) -> Option<Reason> {
        self.explore.cancelled.and_then(Cancellation::reason)
    }

    /// The same for so many states at most.
    #[must_use]
    pub fn up_to(self, states: u64) -> Self {
        let max_states = self.explore.max_states.min(states);
        Self { explore: ExploreLimits { max_states, ..self.explore }, ..self }
    }

    /// The same with every schedule looked at: none is left out.
    #[must_use]
    pub fn whole(self) -> Self {
        let merge = self.reductions.merge;
        Self { reductions: Reductions { merge, ..Reductions::NONE }, ..self }
    }

    /// The same without symmetry, which does not say which of several replicas it is.
    #[must_use]
    pub fn by_name(self) -> Self {
        let reductions = Reductions { symmetry: Reduction::Off, ..self.reductions };
        Self { reductions, ..self }
    }

    /// Every schedule of a machine.
    pub fn explore<'m>(&self, machine: &'m Machine, looks: Looks) -> Exploration<'m>
    where
        'a: 'm,
    {
        explore(machine, self.reductions, looks, &self.explore)
    }

    /// One run of a machine, for so many steps at most.
    pub fn run<T: Tracer>(&self, machine: &Machine, max_steps: u64, tracer: &mut T) -> Run {
        let max_steps = max_steps.min(self.run_steps);
        let limits = Limits { max_steps, cancelled: self.explore.cancelled, ..Limits::default() };
        run(machine, &limits, tracer)
    }
}
