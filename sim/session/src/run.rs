//! One run of a scenario.

use ipcsim_check::{Budget, Cure, of_run, result};
use ipcsim_explore::{Limits, Run, Stop, Tracer, Verdict, conclude, run};
use ipcsim_kernel::Machine;

use crate::Session;

/// A run and its conclusions.
pub struct Ran {
    /// What ran, with the seed that was asked for.
    pub machine: Machine,
    /// The run.
    pub run: Run,
    /// How it ended, and why.
    pub verdict: Verdict,
}

impl Session {
    /// Runs the scenario once, with its own seed or with another one. The tracer sees every event.
    /// `None` if the scenario has errors.
    pub fn run<T: Tracer>(
        &self,
        seed: Option<u64>,
        limits: &Limits,
        tracer: &mut T,
    ) -> Option<Ran> {
        let mut machine = self.machine()?.clone();
        machine.timing.seed = seed.unwrap_or(machine.timing.seed);
        let run = run(&machine, limits, tracer);
        let verdict = conclude(&machine, &run);
        Some(Ran { machine, run, verdict })
    }

    /// Small changes that make this run complete, or every schedule, if the run did not; none if it was cancelled.
    pub fn cures_of_run(&self, ran: &Ran, budget: &Budget) -> Vec<Cure> {
        match ran.run.stop {
            Stop::Cancelled(_) => Vec::new(),
            _ => of_run(&self.subject(), &ran.machine, &ran.run, &ran.verdict, budget),
        }
    }
}

impl Ran {
    /// The run as plain data.
    pub fn found(&self) -> result::RunFound {
        result::of_run(&self.machine, &self.run, &self.verdict)
    }
}
