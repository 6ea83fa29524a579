//! The drivers of ipcsim: everybody who picks, and everybody who concludes.
//!
//! A driver owns time, scheduling and randomness, which the kernel does not have. [`run`] lets time
//! pass: one scenario and one seed give one run. The verdict says how it ended and why.

mod random;
mod repetition;
mod run;
mod verdict;

pub use random::GENERATOR;
pub use run::{Hidden, Limits, Measures, NoTrace, Run, Stop, Stuck, Tracer, run};
pub use verdict::{Class, Failure, Outcome, Problem, Verdict, conclude};
