//! How much a conclusion may cost.

use std::sync::atomic::{AtomicBool, Ordering};

use ipcsim_explore::{
    Exploration, ExploreLimits, Limits, Looks, Reduction, Reductions, Run, Tracer, explore, run,
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

impl<'a> Budget<'a> {
    /// Whether somebody wants it to stop: the time is over, or the user is tired of waiting.
    pub fn is_over(&self) -> bool {
        let is_set = |flag: Option<&AtomicBool>| flag.is_some_and(|it| it.load(Ordering::Relaxed));
        is_set(self.explore.interrupted) || is_set(self.explore.time_over)
    }

    /// Whether the user is tired of waiting.
    pub fn is_interrupted(&self) -> bool {
        self.explore.interrupted.is_some_and(|it| it.load(Ordering::Relaxed))
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
    pub fn explore<'m>(&self, machine: &'m Machine, looks: Looks) -> Exploration<'m> {
        explore(machine, self.reductions, looks, &self.explore)
    }

    /// One run of a machine, for so many steps at most.
    pub fn run<T: Tracer>(&self, machine: &Machine, max_steps: u64, tracer: &mut T) -> Run {
        let max_steps = max_steps.min(self.run_steps);
        let limits =
            Limits { max_steps, interrupted: self.explore.interrupted, ..Limits::default() };
        run(machine, &limits, tracer)
    }
}
