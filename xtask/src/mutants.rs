//! Mutants: kernels with one mistake each. The tests must catch every one of them.
//!
//! A mutant is made in a copy of the repository, which keeps its own build. That takes a minute or so for
//! each; it is no part of what runs before every change, but of what runs when the kernel or the tests of
//! it are changed.

mod exploration;
mod kernel;
mod outside;
mod processes;
mod verdicts;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A mistake: what stands in a file, and what stands there instead.
struct Mutant {
    name: &'static str,
    file: &'static str,
    before: &'static str,
    after: &'static str,
}

/// All mutants, by the chapter that they stand in.
const CHAPTERS: [(&str, &[Mutant]); 5] = [
    ("kernel", kernel::MUTANTS),
    ("processes", processes::MUTANTS),
    ("exploration", exploration::MUTANTS),
    ("verdicts", verdicts::MUTANTS),
    ("outside", outside::MUTANTS),
];

/// Those of a chapter, or of the files with this in their path.
fn mutants(place: &str) -> Vec<&'static Mutant> {
    let all =
        CHAPTERS.into_iter().flat_map(|(name, mutants)| mutants.iter().map(move |it| (name, it)));
    let wanted = all.filter(|(name, mutant)| *name == place || mutant.file.contains(place));
    wanted.map(|(_, mutant)| mutant).collect()
}

/// What is asked in turn, until somebody notices: first what catches most and is built soonest.
const ROUNDS: &[&[&str]] = &[
    &["--package=ipcsim", "--test=trust"],
    &["--package=ipcsim", "--test=verdicts", "--test=encoding", "--test=conformance"],
    &["--package=ipcsim", "--test=scenarios", "--test=cases", "--test=effects", "--test=rights"],
    ALL,
];
/// All of them.
const ALL: &[&str] = &["--workspace", "--exclude=xtask"];

/// The tests take less than this, the build of what has changed included.
const PATIENCE_S: u32 = 600;
/// The same where everything has to be built.
const FIRST_PATIENCE_S: u32 = 3_600;

impl Mutant {
    /// The file with the mistake in it.
    fn made_of(&self, text: &str) -> Result<String, String> {
        if text.matches(self.before).count() != 1 {
            return Err(format!("{}: {} has changed: mend the mutant", self.name, self.file));
        }
        Ok(text.replace(self.before, self.after))
    }
}

/// Lets the tests loose on every mutant of a chapter, or of the files with this in their path. Errors: those that they did not
/// catch.
pub(crate) fn hunt(place: &str) -> Result<(), String> {
    let mutants = mutants(place);
    if mutants.is_empty() {
        let chapters: Vec<&str> = CHAPTERS.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "no mutant is in `{place}`: name one of {}, or a part of a path",
            chapters.join(", ")
        ));
    }
    let root = crate::root();
    let copy = root.join("target/mutants/tree");
    copy_tracked(&root, &copy)?;
    println!("the tests, without any mistake");
    if !tests_pass(&copy, ALL, FIRST_PATIENCE_S)? {
        return Err("the tests fail without any mistake: mend that first".into());
    }
    let mut survivors = String::new();
    for mutant in &mutants {
        let file = copy.join(mutant.file);
        let text = read(&file)?;
        write(&file, &mutant.made_of(&text)?)?;
        let passed = pass_all_rounds(&copy);
        write(&file, &text)?;
        let caught = !passed?;
        println!("{}  {}", if caught { "caught  " } else { "SURVIVES" }, mutant.name);
        if !caught {
            let _ = writeln!(survivors, "  {}", mutant.name);
        }
    }
    if survivors.is_empty() {
        println!("all {} mutants are caught", mutants.len());
        return Ok(());
    }
    Err(format!("these mistakes would not be noticed:\n{survivors}"))
}

/// Whether the tests of all rounds pass. None is asked after one that fails.
fn pass_all_rounds(copy: &Path) -> Result<bool, String> {
    for round in ROUNDS {
        if !tests_pass(copy, round, PATIENCE_S)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A copy of all files that belong to the repository, as they are now.
fn copy_tracked(root: &Path, copy: &Path) -> Result<(), String> {
    let listed = Command::new("git").arg("ls-files").current_dir(root).output();
    let listed = listed.map_err(|error| format!("git ls-files: {error}"))?;
    let listed = String::from_utf8_lossy(&listed.stdout);
    let names: BTreeSet<&Path> = listed.lines().map(Path::new).collect();
    remove_others(copy, copy, &names)?;
    for name in listed.lines() {
        let (from, to) = (root.join(name), copy.join(name));
        let text = fs::read(&from).map_err(|error| format!("{name}: {error}"))?;
        // What has not changed is not written, and so not built again.
        if fs::read(&to).is_ok_and(|known| known == text) {
            continue;
        }
        let folder = to.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).map_err(|error| format!("{name}: {error}"))?;
        fs::write(&to, text).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// Removes from an earlier copy what belongs to the repository no more.
fn remove_others(copy: &Path, folder: &Path, names: &BTreeSet<&Path>) -> Result<(), String> {
    let shown = |error: std::io::Error| format!("{}: {error}", folder.display());
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(shown)? {
        let path = entry.map_err(shown)?.path();
        let name = path.strip_prefix(copy).expect("it is in the copy");
        if path.is_dir() {
            remove_others(copy, &path, names)?;
        } else if !names.contains(name) {
            fs::remove_file(&path).map_err(shown)?;
        }
    }
    Ok(())
}

/// Whether the tests pass. A mistake that makes them run for ever is caught as well.
fn tests_pass(copy: &Path, tests: &[&str], patience_s: u32) -> Result<bool, String> {
    let log = copy.join("../log");
    let file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let mut child = Command::new("cargo")
        .args(["test", "--locked", "--quiet"])
        .args(tests)
        .env("CARGO_TARGET_DIR", copy.join("../build"))
        .env("INSTA_UPDATE", "no")
        .current_dir(copy)
        .stdout(Stdio::null())
        .stderr(file)
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cargo test: {error}"))?;
    for _ in 0..patience_s {
        let ended = child.try_wait().map_err(|error| format!("cargo test: {error}"))?;
        if let Some(status) = ended {
            let said = fs::read_to_string(&log).unwrap_or_default();
            if said.contains("could not compile") {
                return Err(format!("a mutant that is no program:\n{said}"));
            }
            return Ok(status.success());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    // The tests are children of cargo, and would go on without it.
    let _ = Command::new("kill").args(["-9", "--", &format!("-{}", child.id())]).status();
    let _ = child.wait();
    Ok(false)
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_finds_its_place() {
        for mutant in mutants("") {
            let text = read(&crate::root().join(mutant.file)).expect("the file is there");
            if let Err(reason) = mutant.made_of(&text) {
                panic!("{reason}");
            }
        }
    }
}
