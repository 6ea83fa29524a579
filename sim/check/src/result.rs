//! All conclusions as one JSON object, for graders, comparison tools and editors, which read this
//! instead of the prose.
//!
//! The format has a version; within a version, no field is removed or changes its meaning, but new
//! ones may be added. [`SCHEMA`] describes it.

mod found;

use ipcsim_report::diagnostics;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Counterexample, Cure, Subject};
pub use found::{of_claim, of_least, of_repair, of_row, of_run, of_schedules};

/// The version of the format.
pub const FORMAT: &str = "ipcsim-result/1";

/// The format as a JSON Schema.
pub const SCHEMA: &str = include_str!("result/schema.json");

/// What a command found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: &'static str,
    /// The command.
    pub command: &'static str,
    /// The results, one per scenario.
    pub scenarios: Vec<Scenario>,
}

/// What was found about a scenario.
#[derive(Debug, Serialize)]
pub struct Scenario {
    /// How the user named it.
    pub file: String,
    /// Its title, or else its name.
    pub title: String,
    /// The changes made by `--set`.
    pub sets: Vec<String>,
    /// What is wrong with the scenario: errors and warnings, as `--message-format json` prints them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Value>,
    /// The run, if one was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunFound>,
    /// What every schedule does, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedules: Option<Schedules>,
    /// How the trace of its run compares to the stored one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotFound>,
    /// The judgements of its claims.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimFound>,
    /// Changes that help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cures: Option<Vec<Cure>>,
    /// Repairs, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<RepairFound>,
    /// The rows of a comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matrix: Option<Vec<RowFound>>,
    /// The least safe value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<LeastFound>,
}

impl Scenario {
    /// A scenario of which only the diagnostics are known yet.
    pub fn of(subject: &Subject, title: String) -> Self {
        let sources = &subject.loaded.sources;
        let diagnostics = subject.loaded.diagnostics.iter();
        Self {
            sets: subject.sets.to_vec(),
            diagnostics: diagnostics.map(|it| diagnostics::object(it, sources)).collect(),
            ..Self::called(subject.file, title)
        }
    }

    /// A scenario that cannot be read, and why.
    pub fn unread(file: &str, why: &str) -> Self {
        let error = json!({ "severity": "error", "file": file, "message": why });
        Self { diagnostics: vec![error], ..Self::called(file, file.to_string()) }
    }

    fn called(file: &str, title: String) -> Self {
        Self {
            file: file.to_string(),
            title,
            sets: Vec::new(),
            diagnostics: Vec::new(),
            run: None,
            schedules: None,
            snapshot: None,
            claims: Vec::new(),
            cures: None,
            repair: None,
            matrix: None,
            least: None,
        }
    }
}

/// Threads that never move again, for one reason.
#[derive(Debug, Serialize)]
pub struct Stuck {
    /// `deadlock`, `stranded`, or nothing for threads neglected by others that go on for ever.
    pub outcome: Option<&'static str>,
    /// What is wrong: `crossed-send`, `circular-wait`, `self-wait`, `memory-exhausted`,
    /// `orphan-wait`, `neglected`.
    pub class: &'static str,
    /// Since when, in nanoseconds; only in a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ns: Option<u64>,
    /// The threads at the root of it.
    pub threads: Vec<WaitingThread>,
    /// The threads that wait behind them.
    pub behind: Vec<WaitingThread>,
}

/// A thread that waits.
#[derive(Debug, Serialize)]
pub struct WaitingThread {
    /// Which.
    pub thread: String,
    /// Its line in the file, if it is in the file.
    pub line: Option<u32>,
    /// `SEND-blocked` and the like.
    pub state: &'static str,
    /// What it waits on.
    pub on: String,
    /// Why the wait never ends.
    pub because: String,
}

/// A process that failed.
#[derive(Debug, Serialize)]
pub struct FailedProcess {
    /// Which.
    pub process: String,
    /// The line.
    pub line: u32,
    /// Why.
    pub because: String,
}

/// A run.
#[derive(Debug, Serialize)]
pub struct RunFound {
    /// How it ended.
    pub outcome: &'static str,
    /// Why it is over: `over`, `repeats`, `steps`, `time`, `clock`, `local-loop`, `interrupted`,
    /// `memory`, `time-limit`.
    pub stop: &'static str,
    /// Its seed.
    pub seed: u64,
    /// How long it took, in simulated nanoseconds.
    pub time_ns: u64,
    /// Since when it repeats itself, if it does, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeats_since_ns: Option<u64>,
    /// Who is stuck, and why.
    pub stuck: Vec<Stuck>,
    /// The processes with a stuck thread.
    pub blocked: Vec<String>,
    /// The processes that failed.
    pub failures: Vec<FailedProcess>,
    /// Messages that nobody took.
    pub unreceived: u64,
    /// Messages that were lost.
    pub lost: u64,
    /// Bytes in pipes that were lost, because nobody could read them any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<u64>,
    /// The longest priority inversion, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inversion: Option<InversionFound>,
    /// What the run cost.
    pub measures: Measured,
}

/// An urgent thread has waited while a less urgent one ran.
#[derive(Debug, Serialize)]
pub struct InversionFound {
    /// Who waited.
    pub waiter: String,
    /// For whom.
    pub holder: String,
    /// Who ran meanwhile.
    pub ran: String,
    /// For how long, in simulated nanoseconds.
    pub ns: u64,
}

/// What a run cost.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// How long all processors together were busy, in simulated nanoseconds.
    pub cpu_time_ns: u64,
    /// How many messages were received.
    pub messages: u64,
    /// How often a thread entered the kernel.
    pub system_calls: u64,
    /// How often a processor switched to another thread.
    pub context_switches: u64,
    /// How many bytes were copied into and out of the kernel.
    pub bytes_copied: u64,
    /// The peak use of kernel memory, in bytes.
    pub kernel_memory: u64,
    /// How many pages were put into messages, and taken out, without being copied.
    pub pages_mapped: u64,
    /// How many pages were copied when somebody wrote to them, because others shared them.
    pub page_faults: u64,
    /// Calls with `wait: never` that found nothing.
    pub polls: u64,
    /// Bounded waits that timed out, and sleeps.
    pub timeouts: u64,
}

/// What every schedule does.
#[derive(Debug, Serialize)]
pub struct Schedules {
    /// The possible outcomes, in order.
    pub outcomes: Vec<&'static str>,
    /// The one outcome that every schedule has, if that is proved.
    pub must: Option<&'static str>,
    /// Whether this is a proof: all states were explored, or enough to represent them.
    pub proof: bool,
    /// Why not everything was explored, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_off: Option<String>,
    /// How many states there are.
    pub states: u64,
    /// How schedules end, one entry per outcome.
    pub endings: Vec<EndingFound>,
    /// Other threads that can reach a point after which they never move again.
    pub others: Vec<DoomFound>,
    /// The threads that can starve while the others cycle.
    pub starving: Vec<String>,
    /// Whether unfair schedules were left out: those that cycle for ever and pass somebody over who could go on.
    pub is_fair_only: bool,
    /// A deadlock that only a timeout breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<DoomFound>,
    /// The possible final values of the variables and what was logged, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<ResultFound>>,
}

/// A way in which schedules end.
#[derive(Debug, Serialize)]
pub struct EndingFound {
    /// The outcome.
    pub outcome: &'static str,
    /// Whether the schedule goes on for ever.
    pub for_ever: bool,
    /// A schedule that ends this way.
    pub witness: Counterexample,
    /// Whether it is the shortest.
    pub shortest: bool,
    /// Who is stuck, and why.
    pub stuck: Vec<Stuck>,
    /// The processes that failed.
    pub failures: Vec<FailedProcess>,
    /// The sets of processes with a stuck thread, over all schedules that end this way.
    pub blocked: Vec<Vec<String>>,
}

/// Threads that can reach a point after which they never move again.
#[derive(Debug, Serialize)]
pub struct DoomFound {
    /// Who, and why.
    pub stuck: Stuck,
    /// The token of a schedule that leads there.
    pub token: String,
}

/// A final result.
#[derive(Debug, Serialize)]
pub struct ResultFound {
    /// The variables that hold a value.
    pub variables: Vec<(String, String)>,
    /// What was logged, and by whom.
    pub log: Vec<(String, String)>,
    /// The token of a schedule that leads there.
    pub token: String,
}

/// The judgement of a claim.
#[derive(Debug, Serialize)]
pub struct ClaimFound {
    /// Its line.
    pub line: usize,
    /// The claim in one line.
    pub claim: String,
    /// `holds`, `holds-in-vain`, `fails` or `undecided`.
    pub verdict: &'static str,
    /// Why, unless it simply holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it matters, if it fails and the author has said why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// A schedule that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Counterexample>,
}

/// What a search for repairs found.
#[derive(Debug, Serialize)]
pub struct RepairFound {
    /// `completes`, `helped`, `no-cure` or `undecided`.
    pub verdict: &'static str,
    /// The changes, each with the resulting text.
    pub cures: Vec<RepairedFound>,
    /// How many were tried.
    pub tried: usize,
}

/// A change with the resulting text.
#[derive(Debug, Serialize)]
pub struct RepairedFound {
    /// The change in words.
    pub what: String,
    /// What it achieves.
    pub cure: Cure,
    /// The whole changed text.
    pub text: String,
}

/// The trace of a run, compared to the stored one.
#[derive(Debug, Serialize)]
pub struct SnapshotFound {
    /// `same`, `kept`, `missing`, `differs` or `unreadable`.
    pub is: &'static str,
    /// What is wrong, if something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A row of a comparison.
#[derive(Debug, Serialize)]
pub struct RowFound {
    /// The settings.
    pub settings: Vec<(String, String)>,
    /// The verdict in words.
    pub verdict: String,
    /// Whether every schedule completes, if that is known.
    pub safe: Option<bool>,
    /// How many states there are.
    pub states: u64,
    /// The token of a schedule that does not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When a run is over, in nanoseconds, if what it costs was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<u64>,
    /// What a run costs, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measures: Option<Measured>,
}

/// The least safe value.
#[derive(Debug, Serialize)]
pub struct LeastFound {
    /// The value, if there is one.
    pub safe: Option<RowFound>,
    /// The largest value that is not safe, or could not be decided.
    pub less: Option<RowFound>,
}

/// The object on one line, with a line break.
pub fn text(report: &Report) -> String {
    let mut text = serde_json::to_string(report).expect("a report is plain data");
    text.push('\n');
    text
}
