//! The single entry point to ipcsim: load a scenario, run it, explore it, step through it by hand,
//! check it, replay a schedule.
//!
//! The program uses it, and so can a web page or a grader. Results are Rust values for callers that
//! print them, or plain data that can be serialised ([`found`]). This crate prints nothing, reads
//! no file, has no clock, and starts no thread unless it is built with the feature `threads`.
//!
//! ```
//! use ipcsim_session::{Budget, LoadOptions, Session};
//!
//! let text = "processes: {P: {do: [{exit: 0}]}}";
//! let session = Session::load("p.yaml", text.as_bytes().to_vec(), LoadOptions::default());
//! let mut explored = session.explore(&Budget::default()).expect("the scenario has no errors");
//! assert_eq!(explored.found().must, Some("completes"));
//! ```

mod explore;
mod replay;
mod run;
mod scenario;
mod step;

pub use explore::Explored;
/// Findings as plain data.
pub use ipcsim_check::result as found;
pub use ipcsim_check::{
    Budget, Counterexample, Cure, Judgement, Least, Measuring, Repair, Repaired, Row, Seen,
    Setting, Subject, can_be_tried, combinations, confirm, golden, in_shell, judge, least,
    measured, repair, row,
};
pub use ipcsim_explore::{
    BadToken, Cancellation, Covered, Ending, Exploration, ExploreLimits, GENERATOR, Limits,
    Lookers, LooksAt, Meter, NoTrace, Outcome, Path, Progress, Reason, Reduction, Reductions, Run,
    RunProgress, ScheduleStep, Stop, Tracer, Verdict, View, Wanted,
};
pub use ipcsim_kernel::{Machine, State};
pub use ipcsim_scenario::ast::Claim;
pub use ipcsim_scenario::table::MEASURES;
pub use ipcsim_scenario::{Claims, Expect, LoadOptions, Loaded};
pub use replay::Followed;
pub use run::Ran;
pub use scenario::Session;
pub use step::{Choice, Stepper};
