//! What can be said on the command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use ipcsim_scenario::Expect;
use ipcsim_session::MEASURES;

const EXAMPLES: &str = "\
Examples:
  ipcsim run mutual-send                       the lecture's buffering problem, built in
  ipcsim run mutual-send --set kernel.buffering=1
  ipcsim list                                  what else is built in, by slide
  ipcsim help receive                          any word of the language
  ipcsim new mine.yaml && ipcsim run mine.yaml

Exit codes:
  0  what was asked for is so: the run completes, the claims hold, the files are right
  1  it is not: the run does not complete, a claim does not hold
  2  wrong usage, a file that cannot be read or written, a scenario with errors
  3  a limit was reached before that was decided
  130  interrupted";

/// A simulator of inter-process communication: write a scenario, run it, see what happened and why.
#[derive(Debug, Parser)]
#[command(name = "ipcsim", version, propagate_version = true, arg_required_else_help = true)]
#[command(disable_help_subcommand = true)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,

    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,

    /// How diagnostics are written
    #[arg(long, global = true, value_enum, default_value_t = MessageFormat::Human)]
    pub message_format: MessageFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    Human,
    Short,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios and show what happened and why
    Run(RunArgs),
    /// Try every schedule: what can happen, and what must
    Explore(ExploreArgs),
    /// Show a schedule again that was found
    Replay(ReplayArgs),
    /// Be the scheduler: take one step after the other
    Step(StepArgs),
    /// Try every schedule under several values of the policies
    Matrix(MatrixArgs),
    /// Find small changes with which every schedule completes
    Repair(RepairArgs),
    /// Check scenarios without running them
    Lint(LintArgs),
    /// Check what scenarios claim in `expect:`
    Test(TestArgs),
    /// List the scenarios that are built in, by slide, or show some of them
    List(ListArgs),
    /// Write a commented scenario to start from
    New(NewArgs),
    /// Explain a word of the language, or a command: `ipcsim help receive`
    Help(HelpArgs),
    /// Explain a diagnostic: `ipcsim explain IPC014`
    Explain(ExplainArgs),
    /// Print the JSON Schema of scenarios, for editors
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

/// What is common to all that read scenarios.
#[derive(Args, Clone, Debug)]
pub(crate) struct Input {
    /// Change a value before anything else: `--set kernel.buffering=1`
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,

    /// Take the claims of this file instead of the scenario's own
    #[arg(long, value_name = "FILE", value_parser = parse_expect)]
    pub expect: Option<Expect>,

    /// Refuse larger files
    #[arg(long, value_name = "MIB", default_value_t = 16)]
    pub max_file_size: u64,

    /// Refuse scenarios with more threads
    #[arg(long, value_name = "THREADS", default_value_t = 1_000_000)]
    pub max_threads: u32,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ipcsim run scenarios/buffering/mutual-send.yaml
  ipcsim run mutual-send --set kernel.buffering=1
  ipcsim run mutual-send --trace out.jsonl
  cat mine.yaml | ipcsim run -")]
pub(crate) struct RunArgs {
    /// Scenario files, names of built-in scenarios, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,

    /// The seed of all that is random; overrides that of the file
    #[arg(long)]
    pub seed: Option<u64>,

    /// Cut the run off at this simulated time, such as `5s`
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub until: Option<u64>,

    /// Cut the run off after so many steps
    #[arg(long, value_name = "STEPS", default_value_t = 1_000_000)]
    pub max_steps: u64,

    /// Cut the run off at so much memory, such as `4GiB`; 80 % of what is free if not said
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_memory: Option<u64>,

    /// Write every event to this file, as JSON Lines
    #[arg(long, value_name = "OUT.jsonl")]
    pub trace: Option<PathBuf>,

    /// Write the trace over a file that holds something else
    #[arg(long, requires = "trace")]
    pub force: bool,

    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,

    /// Print the verdict only
    #[arg(long, short)]
    pub quiet: bool,

    #[command(flatten)]
    pub input: Input,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A picture, and the verdict in sentences
    #[value(alias = "text")]
    Human,
    /// The conclusion as one JSON object (`ipcsim schema result`)
    Json,
    /// Every event, as JSON Lines (`ipcsim schema trace`)
    Jsonl,
}

/// How a conclusion is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// In sentences
    #[value(alias = "text")]
    Human,
    /// As one JSON object (`ipcsim schema result`)
    Json,
}

/// How the results of tests are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestOutput {
    /// In sentences
    #[value(alias = "text")]
    Human,
    /// As one JSON object (`ipcsim schema result`)
    Json,
    /// As `JUnit` XML, which most systems for CI read
    Junit,
    /// In the Test Anything Protocol
    Tap,
}

/// How a schedule is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shown {
    /// A picture, and the steps
    #[value(alias = "text")]
    Human,
    /// Every event, as JSON Lines (`ipcsim schema trace`)
    Jsonl,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ipcsim explore mutual-send
  ipcsim explore mutual-send --set kernel.buffering=1
  ipcsim explore who-gets-it --all-outcomes")]
pub(crate) struct ExploreArgs {
    #[command(flatten)]
    pub subject: Subject,

    /// List what the variables can hold in the end and what was logged, each with a schedule that leads there
    #[arg(long)]
    pub all_outcomes: bool,

    /// Keep a few bits of each state instead of all of it: NOT A PROOF, but for many more states than there
    /// is memory for. Finds how schedules end, and not what goes on for ever
    #[arg(long, conflicts_with_all = ["all_outcomes", "no_lazy", "no_por", "no_symmetry"])]
    pub approximate: bool,

    /// What is printed
    #[arg(long = "format", value_name = "FORMAT", value_enum, default_value_t = Output::Human)]
    pub output: Output,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ipcsim explore mutual-send                   prints the token of each schedule that it shows
  ipcsim replay mutual-send TOKEN
  ipcsim replay mutual-send TOKEN --format jsonl

Schedules have no times: what stands there is the number of the step.")]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub subject: Subject,

    /// The schedule, as `explore` printed it
    #[arg(value_name = "TOKEN")]
    pub token: String,

    /// Write every event to this file, as JSON Lines
    #[arg(long, value_name = "OUT.jsonl")]
    pub trace: Option<PathBuf>,

    /// Write the trace over a file that holds something else
    #[arg(long, requires = "trace")]
    pub force: bool,

    /// What is printed
    #[arg(long, value_enum, default_value_t = Shown::Human)]
    pub format: Shown,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ipcsim matrix mutual-send --vary kernel.buffering=none,1,2,undefined
  ipcsim matrix flood --vary kernel.memory=1KiB,4KiB --vary kernel.memory-full=wait,fail
  ipcsim matrix one-mebibyte --vary 'processes.sender[1].memory.transfer=copy,move,share' --measure time,bytes-copied
  ipcsim matrix mutual-send --least kernel.buffering

safe: every schedule completes. may: some schedule does not. must: none completes.")]
#[command(group(ArgGroup::new("what").required(true).args(["vary", "least"])))]
pub(crate) struct MatrixArgs {
    #[command(flatten)]
    pub subject: Subject,

    /// Values to be tried for a path; given several times, every combination is tried
    #[arg(long, value_name = "PATH=VALUE,…")]
    pub vary: Vec<String>,

    /// Also show what a run costs in each row
    #[arg(long, value_name = "MEASURE,…", value_delimiter = ',', value_parser = PossibleValuesParser::new(MEASURES.iter().map(|it| it.name)), requires = "vary")]
    pub measure: Vec<String>,

    /// The smallest value that is safe at this path, in the unit of the value that is there
    #[arg(long, value_name = "PATH", conflicts_with = "vary")]
    pub least: Option<String>,

    /// What is printed
    #[arg(long = "format", value_name = "FORMAT", value_enum, default_value_t = Output::Human)]
    pub output: Output,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ipcsim list
  ipcsim list forgotten-end
  ipcsim list forgotten-end > mine.yaml")]
pub(crate) struct ListArgs {
    /// Built-in scenarios: their files are printed, with what each is about
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ipcsim repair mutual-send
  ipcsim repair mutual-send --time 10s

Tried are: more room in a mailbox, a link or a port, more kernel memory, more workers in a pool, two steps
exchanged, two receives that take from either, a right given up that is never used, an end of a pipe closed,
a lock given back, memory that is kept and not moved, a limit of time or none at all where the program says
what then, and, if nothing else helps, a step left out; then two such changes at once. What helps is shown
as a change of the file; the file is left alone.")]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    pub subject: Subject,

    /// What is printed
    #[arg(long = "format", value_name = "FORMAT", value_enum, default_value_t = Output::Human)]
    pub output: Output,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ipcsim step mutual-send
  ipcsim step mutual-send TOKEN                where that schedule ends
  printf '1\\nwhy P1\\n' | ipcsim step mutual-send")]
pub(crate) struct StepArgs {
    #[command(flatten)]
    pub subject: Subject,

    /// Begin where this schedule ends
    #[arg(value_name = "TOKEN")]
    pub token: Option<String>,
}

/// A scenario, and how its schedules are looked at.
#[derive(Args, Clone, Debug)]
pub(crate) struct Subject {
    /// A scenario file, the name of a built-in scenario, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub file: String,

    #[command(flatten)]
    pub how: How,

    #[command(flatten)]
    pub input: Input,
}

/// What is common to all that look at every schedule.
#[derive(Args, Clone, Debug)]
pub(crate) struct How {
    /// Let local work be a step of its own, and forget no variables
    #[arg(long)]
    pub no_merge: bool,

    /// Let a call that blocks be a step of its own, even where nobody can tell whether its thread waits or has not called yet
    #[arg(long)]
    pub no_lazy: bool,

    /// Do not leave out schedules that differ only in the order of steps which do not concern each other
    #[arg(long)]
    pub no_por: bool,

    /// Do not leave out schedules that differ only in which replica does what
    #[arg(long)]
    pub no_symmetry: bool,

    /// Leave schedules out only where there are more states than this: up to there everything is looked at, and
    /// the shortest way to a failure is known
    #[arg(long, value_name = "STATES", default_value_t = 50_000)]
    pub reduce_above: u64,

    /// Give up after so many states
    #[arg(long, value_name = "STATES", default_value_t = u64::MAX, hide_default_value = true)]
    pub max_states: u64,

    /// Give up at so much memory, such as `4GiB`; 80 % of what is free if not said
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_memory: Option<u64>,

    /// Give up after this time, such as `30s`
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub time: Option<u64>,

    /// Look for states with so many threads; as many as there are processors if not said. The answer
    /// does not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub threads: Option<u32>,
}

impl Default for How {
    fn default() -> Self {
        Self {
            no_merge: false,
            no_lazy: false,
            no_por: false,
            no_symmetry: false,
            reduce_above: 50_000,
            max_states: u64::MAX,
            max_memory: None,
            time: None,
            threads: None,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct LintArgs {
    /// Scenario files, names of built-in scenarios, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,

    /// Simplify the file in place: `if: x > 1` for `if: ${x > 1}`, `set: {x: 1}` for `set: x = 1`
    #[arg(long, conflicts_with = "sets")]
    pub fix: bool,

    #[command(flatten)]
    pub input: Input,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ipcsim test scenarios
  ipcsim test scenarios/buffering mine.yaml
  ipcsim test answers --expect exercise.yaml   the claims of a teacher, for the files of students
  ipcsim test scenarios --snapshot traces --update
  ipcsim test scenarios --snapshot traces      fails where a run is not what it was")]
pub(crate) struct TestArgs {
    /// Scenario files, or folders that are searched for them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,

    /// Print the claims that do not hold, and the summary
    #[arg(long, short)]
    pub quiet: bool,

    /// Compare the trace of each run with the one in this folder
    #[arg(long, value_name = "FOLDER")]
    pub snapshot: Option<PathBuf>,

    /// Accept the traces as they are now
    #[arg(long, requires = "snapshot")]
    pub update: bool,

    /// Let a file without claims fail
    #[arg(long)]
    pub require_claims: bool,

    /// What is printed
    #[arg(long = "format", value_name = "FORMAT", value_enum, default_value_t = TestOutput::Human)]
    pub output: TestOutput,

    /// Cut each run off after so many steps
    #[arg(long, value_name = "STEPS", default_value_t = 1_000_000)]
    pub max_steps: u64,

    #[command(flatten)]
    pub how: How,

    #[command(flatten)]
    pub input: Input,
}

#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// Where to write it; an existing file is left alone
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  ipcsim help receive                          a step, with its keys, its outcomes and an example
  ipcsim help buffering                        a key
  ipcsim help timed-out                        an outcome
  ipcsim help always                           a claim
  ipcsim help explore                          a command")]
pub(crate) struct HelpArgs {
    /// A step, a key, a function, an outcome, a claim, or a command
    #[arg(value_name = "WORD")]
    pub word: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The code of a diagnostic, such as IPC014; all of them if left out
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct SchemaArgs {
    /// The schema of what: scenarios, lines of traces, or results of `--format json`
    #[arg(value_enum, default_value_t = SchemaOf::Scenario)]
    pub of: SchemaOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    Scenario,
    Trace,
    Result,
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// The file with claims that was named.
fn parse_expect(file: &str) -> Result<Expect, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    Ok(Expect { name: file.to_string(), text })
}

/// A size as scenarios write it.
fn parse_size(text: &str) -> Result<u64, String> {
    ipcsim_scenario::parse_size(text)
        .ok_or_else(|| "expected a size such as `512MiB` or `4GiB`".to_string())
}

/// A time as scenarios write it.
fn parse_time(text: &str) -> Result<u64, String> {
    ipcsim_scenario::parse_duration(text)
        .ok_or_else(|| "expected a duration such as `5s`, `250ms`, `10us` or `80ns`".to_string())
}
