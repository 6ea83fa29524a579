//! `ipcsim test`: check what scenarios claim in `expect:`.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use ipcsim_scenario::Loaded;
use ipcsim_scenario::ast::{Claim, Over, What};
use rayon::prelude::*;

use crate::args::TestArgs;
use crate::claims::{Judgement, judge};
use crate::exit::Exit;
use crate::input;
use crate::terminal::{INTERRUPTED, Terminal};

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
    let text = match input::read(file, &args.input) {
        Ok(text) => text,
        Err(message) => {
            return Tested { name: file.to_string(), loaded: Err(message), claims: Vec::new() };
        }
    };
    let loaded = input::compile(&text, &args.input);
    let mut claims = Vec::new();
    if loaded.machine.is_some() {
        for (number, claim) in loaded.scenario.claims.iter().enumerate() {
            let (line, _) = loaded.sources[0].line_and_column(claim.at.bytes().start);
            claims.push((line, words(claim), judge(&loaded, number, args)));
        }
    }
    Tested { name: file.to_string(), loaded: Ok(loaded), claims }
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
    undecided: u64,
    vacuous: u64,
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
        "\n{}: {} {}, {} {}",
        many(tested.len() as u64, "file"),
        many(count.passed, "claim"),
        if count.passed == 1 { "holds" } else { "hold" },
        count.failed,
        if count.failed == 1 { "does not" } else { "do not" },
    ));
    if count.undecided > 0 {
        out.push_str(&format!(", {} undecided", count.undecided));
    }
    if count.vacuous > 0 {
        out.push_str(&format!("; {} of those that hold say nothing", count.vacuous));
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
        Judgement::HoldsInVain(why) => {
            count.passed += 1;
            count.vacuous += 1;
            out.push_str(&format!("ok, but       {place}\n              {why}\n"));
            Exit::Yes
        }
    }
}
