//! What is concluded about a scenario: whether its claims hold, what mends it, how it compares under other
//! policies.
//!
//! Everything here is asked with a [`Budget`]: how much it may cost, and where to look for the wish to stop. It
//! knows no command line, no terminal and no signals; what it finds is data, and sentences where those are what
//! is asked for. The program asks and prints.

mod budget;
mod claims;
mod confirm;
mod counterexample;
mod cures;
mod golden;
mod matrix;
mod repair;
pub mod result;
mod subject;

pub use budget::Budget;
pub use claims::{Failed, Judgement, judge, judge_by};
pub use confirm::confirm;
pub use counterexample::Counterexample;
pub use cures::{Achieves, Cure, of_exploration, of_run};
pub use golden::{golden, golden_of};
pub use matrix::{Least, Row, Setting, can_be_tried, combinations, least, row};
pub use repair::{Repair, Repaired, repair};
pub use subject::{Seen, Subject, in_shell};
