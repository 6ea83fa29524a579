//! `ipcsim test`: check what scenarios claim in `expect:`, and whether their traces are as they were kept.

mod collect;
mod formats;
mod snapshot;
mod summary;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::Ordering;

use ipcsim_report::visible;
use ipcsim_scenario::{Claims, Diagnostic, Severity};
use ipcsim_session::{Claim, Judgement, Session, found};
use rayon::prelude::*;

use crate::args::{TestArgs, TestOutput};
use crate::budget::within;
use crate::exit::Exit;
use crate::input;
use crate::terminal::{INTERRUPTED, Terminal};
use collect::{Found, collect};
use snapshot::Snapshot;
pub(crate) use summary::tell_claim;

/// A file with what became of its checks.
struct Tested {
    name: String,
    opened: Result<Session, String>,
    checks: Vec<Check>,
}

/// Something that was checked.
struct Check {
    /// What, in a line.
    what: String,
    found: Outcome,
}

/// What became of a check.
enum Outcome {
    /// A claim, with its line and its words.
    Claim(usize, String, Box<Judgement>),
    /// The trace of the run, beside the one that is kept.
    Trace(Snapshot),
    /// There are no claims, and some are required.
    NothingClaimed,
}

/// Checks all files, several at a time; the output is in order of the files.
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
    if args.snapshot.is_some()
        && let Some((one, other)) = same_key(&files)
    {
        terminal.error(&format!(
            "{one} and {other} would share a trace; test their folders one by one"
        ));
        return Exit::Unusable;
    }
    let tested: Vec<Tested> = files.par_iter().map(|file| test(file, args)).collect();
    // What is wrong with the claims of another file is told once, and not for every file that they are about.
    let mut told = BTreeSet::new();
    for file in &tested {
        match &file.opened {
            Err(message) => terminal.error(message),
            Ok(opened) if file.has_no_fitting_claims().is_some() => {
                let all = opened.loaded().diagnostics.iter();
                let messages: Vec<String> = all.map(|it| it.message.clone()).collect();
                if told.insert(messages) {
                    terminal.diagnostics(opened.loaded());
                }
            }
            Ok(opened) if file.is_unusable() => terminal.diagnostics(opened.loaded()),
            Ok(_) => {}
        }
    }
    match args.output {
        TestOutput::Human => terminal.print(&summary::text(&tested, args)),
        TestOutput::Json => terminal.json("test", tested.iter().map(as_result).collect()),
        TestOutput::Junit => terminal.print(&formats::junit(&tested)),
        TestOutput::Tap => terminal.print(&formats::tap(&tested)),
    }
    tested.iter().map(exit).max().unwrap_or(Exit::Yes)
}

/// Two files that are called the same among the others.
fn same_key(files: &[Found]) -> Option<(&str, &str)> {
    let mut known: BTreeMap<&Path, &str> = BTreeMap::new();
    files.iter().find_map(|file| {
        let before = known.insert(&file.key, &file.path)?;
        Some((before, file.path.as_str()))
    })
}

fn test(file: &Found, args: &TestArgs) -> Tested {
    let name = file.path.clone();
    let text = match input::read(&file.path, &args.input) {
        Ok(text) => text,
        Err(message) => return Tested { name, opened: Err(message), checks: Vec::new() },
    };
    let opened = input::compile(&file.path, text, &args.input, Claims::Asked);
    let mut checks = Vec::new();
    if let Some(machine) = opened.machine() {
        for (number, claim) in opened.claims().iter().enumerate() {
            let judgement =
                within(&args.how, args.max_steps, |budget| opened.check(number, budget));
            let line = opened.line_of(claim);
            checks.push(Check {
                what: format!("{}  {}", place_of(&opened, claim, line), claim.said),
                found: Outcome::Claim(line, claim.said.clone(), Box::new(judgement)),
            });
        }
        if checks.is_empty() && args.require_claims {
            let what = format!("{name}  there are no claims");
            checks.push(Check { what, found: Outcome::NothingClaimed });
        }
        if let Some(folder) = &args.snapshot {
            let compared = within(&args.how, args.max_steps, |budget| {
                snapshot::compared(
                    machine,
                    &title_of(&opened, file),
                    (folder, &file.key),
                    args.update,
                    budget,
                )
            });
            let what = format!("{name}  the trace of its run");
            checks.push(Check { what, found: Outcome::Trace(compared) });
        }
    }
    Tested { name, opened: Ok(opened), checks }
}

/// What a kept trace is called: it must not hang on the way in which a folder was named.
fn title_of(opened: &Session, file: &Found) -> String {
    match &opened.loaded().scenario.title {
        Some(title) => title.value.clone(),
        None => file.key.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"),
    }
}

/// Where a claim stands: in the file, or in that with the claims.
fn place_of(opened: &Session, claim: &Claim, line: usize) -> String {
    match opened.expect() {
        Some(expect) if claim.at.source != 0 => {
            format!("{}  {}:{line}", visible(opened.file()), visible(&expect.name))
        }
        _ => format!("{}:{line}", visible(opened.file())),
    }
}

impl Tested {
    /// Whether there is nothing in it that could be tested.
    fn is_unusable(&self) -> bool {
        self.opened.as_ref().map_or(true, |opened| opened.loaded().has_errors())
    }

    /// The file whose claims do not fit this one, if nothing else is wrong with it.
    fn has_no_fitting_claims(&self) -> Option<&str> {
        let opened = self.opened.as_ref().ok()?;
        let name = &*opened.expect()?.name;
        let loaded = opened.loaded();
        let mut errors = loaded.diagnostics.iter().filter(|it| it.severity == Severity::Error);
        let is_there = |it: &Diagnostic| *loaded.sources[it.at.source as usize].name == *name;
        (loaded.has_errors() && errors.all(is_there)).then_some(name)
    }

    /// Whether nothing is claimed in it.
    fn claims_nothing(&self) -> bool {
        let is_claim = |check: &Check| matches!(check.found, Outcome::Claim(..));
        !self.is_unusable() && !self.checks.iter().any(is_claim)
    }
}

impl Check {
    fn exit(&self) -> Exit {
        match &self.found {
            Outcome::Claim(_, _, judgement) => match **judgement {
                Judgement::Holds(_) | Judgement::HoldsInVain(_) => Exit::Yes,
                Judgement::Undecided(_) if INTERRUPTED.load(Ordering::Relaxed) => Exit::Interrupted,
                Judgement::Undecided(_) => Exit::Undecided,
                Judgement::Fails(_) => Exit::No,
            },
            Outcome::Trace(Snapshot::Same | Snapshot::Kept) => Exit::Yes,
            Outcome::NothingClaimed
            | Outcome::Trace(Snapshot::Missing(_) | Snapshot::Differs { .. }) => Exit::No,
            Outcome::Trace(Snapshot::Unreadable(_)) => Exit::Unusable,
        }
    }
}

fn exit(file: &Tested) -> Exit {
    let own = if file.is_unusable() { Exit::Unusable } else { Exit::Yes };
    file.checks.iter().map(Check::exit).max().unwrap_or(Exit::Yes).max(own)
}

fn as_result(file: &Tested) -> found::Scenario {
    let opened = match &file.opened {
        Ok(opened) => opened,
        Err(message) => return found::Scenario::unread(&file.name, message),
    };
    let mut scenario = opened.found();
    for check in &file.checks {
        match &check.found {
            Outcome::Claim(line, said, judgement) => {
                scenario.claims.push(found::of_claim(*line, said.clone(), judgement));
            }
            Outcome::Trace(snapshot) => scenario.snapshot = Some(snapshot.as_result()),
            Outcome::NothingClaimed => {}
        }
    }
    scenario
}
