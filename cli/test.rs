//! `ipcsim test`: check what scenarios claim in `expect:`.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use ipcsim_explore::{Limits, Measures, NoTrace, Run, Stop, Verdict, conclude, run};
use ipcsim_kernel::{Machine, ProcessId};
use ipcsim_report::{bytes, count, time};
use ipcsim_scenario::ast::{BlockedName, Claim, HowMany, Over, What};
use ipcsim_scenario::{Case, Loaded};
use rayon::prelude::*;

use crate::args::{Input, TestArgs};
use crate::exit::Exit;
use crate::input;
use crate::terminal::{INTERRUPTED, Terminal};

/// What became of a claim.
enum Judgement {
    Holds,
    Fails(String),
    Undecided(String),
    /// A claim over schedules, which a run cannot decide.
    NotEvaluated,
}

/// A file with the judgements of its claims.
struct Tested {
    name: String,
    loaded: Result<Loaded, String>,
    claims: Vec<(usize, String, Judgement)>,
}

/// Checks all claims of all files, several files at a time; the output is in order of the files.
pub(crate) fn execute(args: &TestArgs, terminal: &Terminal) -> Exit {
    let mut files = Vec::new();
    for path in &args.paths {
        match collect(path) {
            Ok(found) => files.extend(found),
            Err(message) => {
                terminal.error(&message);
                return Exit::Unusable;
            }
        }
    }
    let tested: Vec<Tested> =
        files.par_iter().map(|file| test(file, &args.input, args.max_steps)).collect();
    summarize(&tested, args, terminal)
}

/// The scenario files below a folder, in order; or the file itself.
fn collect(path: &str) -> Result<Vec<String>, String> {
    let root = Path::new(path);
    if !root.is_dir() {
        return Ok(vec![path.to_string()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
        for entry in entries {
            let entry =
                entry.map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder {
                folders.push(path);
            } else if is_yaml(&path) {
                files.push(path);
            }
        }
    }
    if files.is_empty() {
        return Err(format!("there are no scenario files (*.yaml) in {path}"));
    }
    files.sort();
    Ok(files.iter().map(|path: &PathBuf| path.display().to_string()).collect())
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn test(file: &str, input: &Input, max_steps: u64) -> Tested {
    let text = match input::read(file, input) {
        Ok(text) => text,
        Err(message) => {
            return Tested { name: file.to_string(), loaded: Err(message), claims: Vec::new() };
        }
    };
    let loaded = input::compile(&text, input);
    let mut claims = Vec::new();
    if loaded.machine.is_some() {
        for (number, claim) in loaded.scenario.claims.iter().enumerate() {
            let (line, _) = loaded.sources[0].line_and_column(claim.at.bytes().start);
            claims.push((line, words(claim), judge(&loaded, number, max_steps)));
        }
    }
    Tested { name: file.to_string(), loaded: Ok(loaded), claims }
}

fn judge(loaded: &Loaded, number: usize, max_steps: u64) -> Judgement {
    let claim = &loaded.scenario.claims[number];
    if claim.over != Over::Run {
        return Judgement::NotEvaluated;
    }
    let Some(Case { machine, .. }) = loaded.case(number) else {
        return Judgement::Fails("the changed scenario has errors".into());
    };
    let limits = Limits { max_steps, interrupted: Some(&INTERRUPTED), ..Limits::default() };
    let run = run(&machine, &limits, &mut NoTrace);
    let verdict = conclude(&machine, &run);
    let judged = match &claim.what {
        What::Outcome(word) => judge_outcome(&machine, claim, word, &run, &verdict),
        What::AtMost(bounds) => judge_bounds(bounds, &run.measures, Bound::AtMost),
        What::AtLeast(bounds) => judge_bounds(bounds, &run.measures, Bound::AtLeast),
        What::Always(_) | What::Eventually(_) => return Judgement::NotEvaluated,
    };
    match judged {
        Ok(()) => Judgement::Holds,
        Err(_) if run.stop == Stop::Interrupted => Judgement::Undecided("interrupted".into()),
        Err(found) if run.stop == Stop::Steps => {
            Judgement::Undecided(format!("{found} (--max-steps allows more)"))
        }
        Err(found) => match &claim.because {
            Some(because) => Judgement::Fails(format!("{found}; because: {because}")),
            None => Judgement::Fails(found),
        },
    }
}

fn judge_outcome(
    machine: &Machine,
    claim: &Claim,
    word: &str,
    run: &Run,
    verdict: &Verdict,
) -> Result<(), String> {
    if verdict.outcome.word() != word {
        let text = ipcsim_report::verdict(machine, run, verdict, &[]);
        let first = text.lines().next().unwrap_or(verdict.outcome.word());
        return Err(format!("the run ends as `{}`: {first}", verdict.outcome.word()));
    }
    let Some(claimed) = &claim.blocked else { return Ok(()) };
    judge_blocked(machine, claimed, &verdict.blocked)
}

/// Exactly the claimed processes must be blocked, no other and no fewer.
fn judge_blocked(
    machine: &Machine,
    claimed: &[BlockedName],
    blocked: &[ProcessId],
) -> Result<(), String> {
    let members = |name: &BlockedName| -> Vec<ProcessId> {
        let family = machine.symbols.families.iter().position(|family| *family == name.name.value);
        let Some(family) = family.map(|at| &machine.families[at]) else { return Vec::new() };
        (0..family.count)
            .filter(|member| name.member.is_none_or(|wanted| wanted == member + 1))
            .map(|member| ProcessId(family.first.0 + member))
            .collect()
    };
    let mut allowed: Vec<ProcessId> = Vec::new();
    for name in claimed {
        let members = members(name);
        let stuck = members.iter().filter(|process| blocked.contains(process)).count();
        let right = match name.how_many {
            HowMany::All => stuck == members.len(),
            HowMany::Any => stuck > 0,
        };
        if !right {
            return Err(format!(
                "`{}` is not blocked; blocked are {}",
                name.name.value,
                list(machine, blocked)
            ));
        }
        allowed.extend(members);
    }
    match blocked.iter().find(|process| !allowed.contains(process)) {
        Some(process) => Err(format!("`{}` is blocked too", machine.process_name(*process))),
        None => Ok(()),
    }
}

fn list(machine: &Machine, processes: &[ProcessId]) -> String {
    if processes.is_empty() {
        return "none".into();
    }
    processes.iter().map(|process| machine.process_name(*process)).collect::<Vec<_>>().join(", ")
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost,
    AtLeast,
}

fn judge_bounds(
    bounds: &[(&'static str, u64)],
    measures: &Measures,
    bound: Bound,
) -> Result<(), String> {
    for (measure, limit) in bounds {
        let (value, shown) = match *measure {
            "time" => (measures.time_ns, time(measures.time_ns)),
            "cpu-time" => (measures.cpu_time_ns, time(measures.cpu_time_ns)),
            "bytes-copied" => (measures.bytes_copied, bytes(measures.bytes_copied)),
            "kernel-memory" => (measures.kernel_memory, bytes(measures.kernel_memory)),
            "context-switches" => (measures.context_switches, count(measures.context_switches)),
            "messages" => (measures.messages, count(measures.messages)),
            "system-calls" => (measures.system_calls, count(measures.system_calls)),
            other => unreachable!("the reader knows all measures, not `{other}`"),
        };
        let holds = match bound {
            Bound::AtMost => value <= *limit,
            Bound::AtLeast => value >= *limit,
        };
        if !holds {
            return Err(format!("{measure} is {shown}"));
        }
    }
    Ok(())
}

/// A claim in one line.
fn words(claim: &Claim) -> String {
    let over = match claim.over {
        Over::Run => "run",
        Over::EverySchedule => "every-schedule",
        Over::SomeSchedule => "some-schedule",
    };
    let what = match &claim.what {
        What::Outcome(word) => (*word).to_string(),
        What::Always(_) => "always …".into(),
        What::Eventually(_) => "eventually …".into(),
        What::AtMost(bounds) => format!("at-most {}", measures_of(bounds)),
        What::AtLeast(bounds) => format!("at-least {}", measures_of(bounds)),
    };
    let with: Vec<&str> = claim.with.iter().map(|(path, _)| path.value.as_str()).collect();
    if with.is_empty() {
        format!("{over}: {what}")
    } else {
        format!("{over}: {what}, with {}", with.join(", "))
    }
}

fn measures_of(bounds: &[(&'static str, u64)]) -> String {
    bounds.iter().map(|(measure, _)| *measure).collect::<Vec<_>>().join(", ")
}

/// How many claims came to what.
#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    later: u64,
    undecided: u64,
}

fn summarize(tested: &[Tested], args: &TestArgs, terminal: &Terminal) -> Exit {
    let mut count = Count::default();
    let mut worst = Exit::Yes;
    let mut out = String::new();
    for file in tested {
        match &file.loaded {
            Err(message) => {
                terminal.error(message);
                worst = worst.max(Exit::Unusable);
            }
            Ok(loaded) if loaded.has_errors() => {
                terminal.diagnostics(loaded);
                worst = worst.max(Exit::Unusable);
            }
            Ok(_) => {
                for (line, words, judgement) in &file.claims {
                    let place = format!("{}:{line}  {words}", file.name);
                    worst = worst.max(tell(&mut out, &place, judgement, args, &mut count));
                }
            }
        }
    }
    let many =
        |number: u64, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    out.push_str(&format!(
        "\n{}: {} {}, {} {}, {} over schedules not evaluated yet",
        many(tested.len() as u64, "file"),
        many(count.passed, "claim"),
        if count.passed == 1 { "holds" } else { "hold" },
        count.failed,
        if count.failed == 1 { "does not" } else { "do not" },
        count.later,
    ));
    if count.undecided > 0 {
        out.push_str(&format!(", {} undecided", count.undecided));
    }
    out.push('\n');
    terminal.print(&out);
    worst
}

/// Writes a claim's line, unless it is not wanted, and counts it.
fn tell(
    out: &mut String,
    place: &str,
    judgement: &Judgement,
    args: &TestArgs,
    count: &mut Count,
) -> Exit {
    match judgement {
        Judgement::Holds => {
            count.passed += 1;
            if !args.quiet {
                out.push_str(&format!("ok            {place}\n"));
            }
            Exit::Yes
        }
        Judgement::Fails(found) => {
            count.failed += 1;
            out.push_str(&format!("FAILED        {place}\n              {found}\n"));
            Exit::No
        }
        Judgement::Undecided(why) => {
            count.undecided += 1;
            out.push_str(&format!("undecided     {place}\n              {why}\n"));
            if INTERRUPTED.load(Ordering::Relaxed) { Exit::Interrupted } else { Exit::Undecided }
        }
        Judgement::NotEvaluated => {
            count.later += 1;
            if !args.quiet {
                out.push_str(&format!("not evaluated {place}\n"));
            }
            Exit::Yes
        }
    }
}
