//! Conclusions about a scenario: whether its claims hold, what fixes it, how it compares under
//! other policies.
//!
//! Every query takes a [`Budget`]: how much it may cost, and how to cancel it. This crate knows no
//! command line, no terminal and no signals; its results are data, or sentences if those are asked
//! for. The program asks and prints.

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
pub use claims::{Failed, Judgement, judge, judge_by, measured};
pub use confirm::confirm;
pub use counterexample::Counterexample;
pub use cures::{Achieves, Cure, of_exploration, of_run};
pub use golden::{golden, golden_of};
pub use matrix::{Least, Measuring, Row, Setting, can_be_tried, combinations, least, row};
pub use repair::{Repair, Repaired, repair};
pub use subject::{Seen, Subject, in_shell};
