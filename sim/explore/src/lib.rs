//! The drivers of ipcsim: whatever makes choices, and whatever draws conclusions.
//!
//! A driver owns time, scheduling and randomness, which the kernel does not have. [`run`] simulates
//! time: one scenario and one seed give one run. The verdict says how it ended and why.

mod cancel;
mod explore;
mod random;
mod repetition;
mod replay;
mod run;
mod space;
mod token;
mod verdict;

pub use cancel::{Cancellation, Meter, Reason};
pub use explore::{
    Covered, Doom, Ending, Exploration, ExploreLimits, FinalResult, Goes, Leg, Lost, Path,
    Progress, ScheduleStep, Starving, Vacuous, Wanted, Why, end_of, explore, explore_approximately,
};
pub use random::GENERATOR;
pub use replay::{context_switches, replay};
pub use run::{
    Hidden, Inversion, Limits, Measures, NoTrace, Round, Run, RunProgress, Stop, Stuck, Tracer, run,
};
pub use space::{Asks, Delivery, Edge, Grain, Log, Lookers, Looks, Move, Reduction, Reductions};
pub use token::{BadToken, LooksAt, View, follow, token, view_of};
pub use verdict::{Class, Diagnosis, Failure, Outcome, Problem, Verdict, conclude, diagnose};
