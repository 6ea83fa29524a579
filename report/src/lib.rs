//! What ipcsim shows.
//!
//! Everything here is pure: it takes a run, a trace or diagnostics and returns or writes text. It does
//! not know files, terminals or exit codes, and it reaches into the kernel only to ask for names.

pub mod diagnostics;
mod exploration;
mod failing;
mod holders;
mod inspect;
mod lanes;
mod memory;
mod reasons;
mod results;
mod steps;
mod story;
mod telling;
pub mod trace;
mod units;
mod verdict;
mod visible;
mod words;

pub use exploration::{Told, cut_off, end, exploration, priorities_do_not_count};
pub use inspect::{graph, show, why_not};
pub use lanes::picture;
pub use reasons::{Waiting, waiting, why};
pub use results::{ResultInWords, all_variables, final_results, results_in_words};
pub use steps::Steps;
pub use story::{Recorder, Story};
pub use units::{bytes, count, plural, time};
pub use verdict::{measures, verdict};
pub use visible::{is_hidden, visible, visible_in_colour, visible_json, visible_lines};
pub use words::{LinkEnd, Names};
