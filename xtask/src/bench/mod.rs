//! Speed, measured: each workload for us and for the peers, in turn, on the same machine.
//!
//! Every figure is the median of several rounds. The machines that this runs on are shared and noisy,
//! so only the ratios say much.

mod peers;
mod runs;
mod spaces;
mod twins;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// One schedule at a time.
    Runs,
    /// All schedules.
    Spaces,
    /// All schedules of the models that SPIN has, too.
    Twins,
    /// All of it.
    All,
}

/// Whether the peers are measured too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peers {
    /// They are.
    With,
    /// They are not.
    Without,
}

/// How often everything is measured.
const ROUNDS: usize = 3;

/// Measures and prints the tables.
pub fn measure(what: What, peers: Peers) -> Result<(), String> {
    build(&["build", "--release", "--examples"], None)?;
    if matches!(what, What::Runs | What::All) {
        runs::measure(peers)?;
    }
    if matches!(what, What::Spaces | What::All) {
        spaces::measure(peers)?;
    }
    if matches!(what, What::Twins | What::All) {
        twins::measure(&example("space"), peers)?;
    }
    Ok(())
}

/// A program of our own that prints figures.
fn example(name: &str) -> PathBuf {
    crate::target().join("release/examples").join(name)
}

/// The line of figures that a program of ours prints.
fn figures(command: &mut Command) -> Result<Value, String> {
    let text = run(command)?;
    serde_json::from_str(text.trim()).map_err(|error| format!("{text}: {error}"))
}

fn build(arguments: &[&str], folder: Option<&Path>) -> Result<(), String> {
    let folder = folder.map_or_else(crate::root, Path::to_path_buf);
    let status = Command::new("cargo").args(arguments).current_dir(&folder).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("cargo {} in {}: {other:?}", arguments.join(" "), folder.display())),
    }
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).to_string())
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn thousands(rate: f64) -> String {
    format!("{:.0} k", rate / 1e3)
}
