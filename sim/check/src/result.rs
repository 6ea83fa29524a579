//! The whole conclusion as one JSON object, for graders, comparers and editors: they read this and not the
//! prose.
//!
//! The format has a version; a field is never taken away or given another meaning under the same version, but
//! new ones may come. [`SCHEMA`] describes it.

mod found;

use ipcsim_report::diagnostics;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Counterexample, Cure, Subject};
pub use found::{of_claim, of_least, of_repair, of_row, of_run, of_schedules};

/// The version of the format.
pub const FORMAT: &str = "ipcsim-result/1";

/// What the format is, as a JSON Schema.
pub const SCHEMA: &str = include_str!("result/schema.json");

/// What a command found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: &'static str,
    /// The command.
    pub command: &'static str,
    /// What was asked, a scenario each.
    pub scenarios: Vec<Scenario>,
}

/// What was found about a scenario.
#[derive(Debug, Serialize)]
pub struct Scenario {
    /// How it was named.
    pub file: String,
    /// Its title, or how it was named.
    pub title: String,
    /// The changes by `--set`.
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
    /// How the trace of its run is beside the one that is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotFound>,
    /// What became of its claims.
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
    /// The least value that is safe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<LeastFound>,
}

impl Scenario {
    /// A scenario of which nothing is known yet but what is wrong with it.
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
    /// `deadlock`, `stranded`, or nothing for those who are neglected by others that go on for ever.
    pub outcome: Option<&'static str>,
    /// What is the matter: `crossed-send`, `circular-wait`, `self-wait`, `memory-exhausted`, `orphan-wait`,
    /// `neglected`.
    pub class: &'static str,
    /// Since when, in nanoseconds, where time passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ns: Option<u64>,
    /// The threads at the root of it.
    pub threads: Vec<WaitingThread>,
    /// Those who wait behind them.
    pub behind: Vec<WaitingThread>,
}

/// A thread that waits.
#[derive(Debug, Serialize)]
pub struct WaitingThread {
    /// Which.
    pub thread: String,
    /// In which line of the file, if it is in the file.
    pub line: Option<u32>,
    /// `SEND-blocked` and the like.
    pub state: &'static str,
    /// On what.
    pub on: String,
    /// Why that does not end.
    pub because: String,
}

/// A process that failed.
#[derive(Debug, Serialize)]
pub struct FailedProcess {
    /// Which.
    pub process: String,
    /// In which line.
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
    /// Since when it repeats itself, in nanoseconds, if it does.
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
    /// What the run cost.
    pub measures: Measured,
}

/// What a run cost.
#[derive(Debug, Serialize)]
pub struct Measured {
    /// How long processors were busy, in simulated nanoseconds, all together.
    pub cpu_time_ns: u64,
    /// How many messages were received.
    pub messages: u64,
    /// How often a thread entered the kernel.
    pub system_calls: u64,
    /// How often a processor went over to another thread.
    pub context_switches: u64,
    /// How many bytes were copied into the kernel and out of it.
    pub bytes_copied: u64,
    /// The most kernel memory that was used at one time, in bytes.
    pub kernel_memory: u64,
    /// Calls with `wait: never` that found nothing.
    pub polls: u64,
    /// Bounded waits that ended by themselves, and sleeps.
    pub timeouts: u64,
}

/// What every schedule does.
#[derive(Debug, Serialize)]
pub struct Schedules {
    /// The outcomes that some schedule has, in order.
    pub outcomes: Vec<&'static str>,
    /// The one outcome that every schedule has, if that is proved.
    pub must: Option<&'static str>,
    /// Whether this is a proof: everything was looked at, or what stands for it.
    pub proof: bool,
    /// Why not everything was looked at, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_off: Option<String>,
    /// How many states there are.
    pub states: u64,
    /// How schedules end, one for each outcome.
    pub endings: Vec<EndingFound>,
    /// Who else can come to where he never moves again.
    pub others: Vec<DoomFound>,
    /// Who can starve while the others go round.
    pub starving: Vec<String>,
    /// Whether schedules were left out that go round for ever and pass somebody over who could go on.
    pub is_fair_only: bool,
    /// A deadlock that nothing but a timeout opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<DoomFound>,
    /// What the variables can hold in the end and what was logged, if that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<ResultFound>>,
}

/// A way in which schedules end.
#[derive(Debug, Serialize)]
pub struct EndingFound {
    /// How it is called.
    pub outcome: &'static str,
    /// Whether the schedule goes on for ever.
    pub for_ever: bool,
    /// A schedule that ends so.
    pub witness: Counterexample,
    /// Whether no shorter one does.
    pub shortest: bool,
    /// Who is stuck, and why.
    pub stuck: Vec<Stuck>,
    /// The processes that failed.
    pub failures: Vec<FailedProcess>,
    /// The sets of processes with a stuck thread, over all schedules that end so.
    pub blocked: Vec<Vec<String>>,
}

/// Threads that can come to where they never move again.
#[derive(Debug, Serialize)]
pub struct DoomFound {
    /// Who, and why.
    pub stuck: Stuck,
    /// What brings a schedule back that leads there.
    pub token: String,
}

/// What is there in the end.
#[derive(Debug, Serialize)]
pub struct ResultFound {
    /// The variables that hold anything.
    pub variables: Vec<(String, String)>,
    /// What was logged, by whom.
    pub log: Vec<(String, String)>,
    /// What brings a schedule back that leads there.
    pub token: String,
}

/// What became of a claim.
#[derive(Debug, Serialize)]
pub struct ClaimFound {
    /// In which line it stands.
    pub line: usize,
    /// The claim as it reads in one line.
    pub claim: String,
    /// `holds`, `holds-in-vain`, `fails` or `undecided`.
    pub verdict: &'static str,
    /// Why, unless it simply holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of one that fails, why it matters, if the author has said so.
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
    /// The changes, with the text that comes of each.
    pub cures: Vec<RepairedFound>,
    /// How many were tried.
    pub tried: usize,
}

/// A change, with the text that comes of it.
#[derive(Debug, Serialize)]
pub struct RepairedFound {
    /// What it is in words.
    pub what: String,
    /// What it achieves.
    pub cure: Cure,
    /// The whole text with it.
    pub text: String,
}

/// The trace of a run beside the one that is kept.
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
    /// What brings a schedule back that does not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// The least value that is safe.
#[derive(Debug, Serialize)]
pub struct LeastFound {
    /// Which, if there is one.
    pub safe: Option<RowFound>,
    /// The largest that is not, or could not be decided.
    pub less: Option<RowFound>,
}

/// The object in one line, with a line break.
pub fn text(report: &Report) -> String {
    let mut text = serde_json::to_string(report).expect("a report is plain data");
    text.push('\n');
    text
}
