//! `ipcsim test`: check what scenarios claim in `expect:`.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use ipcsim_check::{Judgement, judge, result};
use ipcsim_scenario::Loaded;
use ipcsim_scenario::ast::Claim;
use rayon::prelude::*;

use crate::args::{Output, TestArgs};
use crate::budget::within;
use crate::exit::Exit;
use crate::input::{self, Opened};
use crate::terminal::{INTERRUPTED, Terminal};

/// A file with the judgements of its claims.
struct Tested {
    name: String,
    opened: Result<Opened, String>,
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
    let tested: Vec<Tested> = files.par_iter().map(|file| test(file, args)).collect();
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

fn test(file: &str, args: &TestArgs) -> Tested {
    let name = file.to_string();
    let text = match input::read(file, &args.input) {
        Ok(text) => text,
        Err(message) => return Tested { name, opened: Err(message), claims: Vec::new() },
    };
    let loaded = input::compile(&text, &args.input);
    let opened = Opened::new(file, text, loaded, &args.input);
    let mut claims = Vec::new();
    if opened.loaded.machine.is_some() {
        let subject = opened.subject();
        for (number, claim) in opened.loaded.scenario.claims.iter().enumerate() {
            let judgement =
                within(&args.how, args.max_steps, |budget| judge(&subject, number, budget));
            claims.push((line_of(&opened.loaded, claim), claim.said.clone(), judgement));
        }
    }
    Tested { name, opened: Ok(opened), claims }
}

/// The line in which a claim stands.
pub(crate) fn line_of(loaded: &Loaded, claim: &Claim) -> usize {
    loaded.sources[0].line_and_column(claim.at.bytes().start).0
}

/// How many claims came to what.
impl Tested {
    /// Whether there is nothing in it that could be tested.
    fn is_unusable(&self) -> bool {
        self.opened.as_ref().map_or(true, |opened| opened.loaded.has_errors())
    }
}

#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    undecided: u64,
    vacuous: u64,
}

fn summarize(tested: &[Tested], args: &TestArgs, terminal: &Terminal) -> Exit {
    let mut count = Count::default();
    let mut worst = Exit::Yes;
    let mut out = String::new();
    for file in tested {
        match &file.opened {
            Err(message) => {
                terminal.error(message);
                worst = worst.max(Exit::Unusable);
            }
            Ok(opened) if file.is_unusable() => {
                terminal.diagnostics(&opened.loaded);
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
        "\n{}: {} {}, {} {}",
        many(tested.len() as u64, "file"),
        many(count.passed, "claim"),
        if count.passed == 1 { "holds" } else { "hold" },
        count.failed,
        if count.failed == 1 { "does not" } else { "do not" },
    ));
    let unusable = tested.iter().filter(|file| file.is_unusable()).count();
    if unusable > 0 {
        out.push_str(&format!(", {} cannot be used", many(unusable as u64, "file")));
    }
    if count.undecided > 0 {
        out.push_str(&format!(", {} undecided", count.undecided));
    }
    if count.vacuous > 0 {
        out.push_str(&format!("; {} of those that hold would hold in any case", count.vacuous));
    }
    out.push('\n');
    match args.output {
        Output::Human => terminal.print(&out),
        Output::Json => terminal.json("test", tested.iter().map(as_result).collect()),
    }
    worst
}

fn as_result(file: &Tested) -> result::Scenario {
    let opened = match &file.opened {
        Ok(opened) => opened,
        Err(message) => return result::Scenario::unread(&file.name, message),
    };
    let mut scenario = result::Scenario::of(&opened.subject(), opened.title());
    scenario.claims = file
        .claims
        .iter()
        .map(|(line, said, judgement)| result::of_claim(*line, said.clone(), judgement))
        .collect();
    scenario
}

/// A claim with what became of it; in full if it does not hold.
pub(crate) fn tell_claim(place: &str, judgement: &Judgement) -> String {
    const INDENT: &str = "              ";
    match judgement {
        Judgement::Holds(None) => format!("ok            {place}\n"),
        Judgement::Holds(Some(schedule)) => {
            format!("ok            {place}\n{INDENT}by: {}\n", schedule.replay)
        }
        Judgement::HoldsInVain(why) => format!("ok, but       {place}\n{INDENT}{why}\n"),
        Judgement::Undecided(why) => format!("undecided     {place}\n{INDENT}{why}\n"),
        Judgement::Fails(failed) => {
            let mut out = format!("FAILED        {place}\n{INDENT}{}\n", failed.reason);
            if let Some(because) = &failed.because {
                out.push_str(&format!("{INDENT}because: {because}\n"));
            }
            if let Some(schedule) = &failed.counterexample {
                out.push_str(&schedule.text(INDENT));
            }
            out
        }
    }
}

/// Writes a claim's line, unless it is not wanted, and counts it.
fn tell(
    out: &mut String,
    place: &str,
    judgement: &Judgement,
    args: &TestArgs,
    count: &mut Count,
) -> Exit {
    let is_fine = matches!(judgement, Judgement::Holds(_));
    if !(is_fine && args.quiet) {
        out.push_str(&tell_claim(place, judgement));
    }
    match judgement {
        Judgement::Holds(_) => {
            count.passed += 1;
            Exit::Yes
        }
        Judgement::Fails(_) => {
            count.failed += 1;
            Exit::No
        }
        Judgement::Undecided(_) => {
            count.undecided += 1;
            if INTERRUPTED.load(Ordering::Relaxed) { Exit::Interrupted } else { Exit::Undecided }
        }
        Judgement::HoldsInVain(_) => {
            count.passed += 1;
            count.vacuous += 1;
            Exit::Yes
        }
    }
}
