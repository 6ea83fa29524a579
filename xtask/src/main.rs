//! The rules of this repository as commands: `cargo xtask`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for developers prints")]

mod bench;
mod book;
mod coverage;
mod hunt;
mod mutants;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use bench::{Peers, What};

const HELP: &str = "\
cargo xtask COMMAND

  tidy           check what the compiler does not: lengths of files and functions, forgotten notes
  book           check that every file of the book is in its summary, and build it if mdbook is there
  coverage [--write]
                 check the table of slides and scenarios, or make it anew; say which slides have none
  mutants [PLACE]
                 put one mistake after the other into the kernel: the tests must catch each;
                 only into files with PLACE in their path, or those of the chapter PLACE
  hunt --minutes N [--from SEED]
                 compare the program with the explorer in tests/reference over random scenarios
  bench [runs | spaces | twins] [--peers]
                 measure the speed of runs, and of looking at all schedules;
                 with --peers beside SimPy, NexoSim, SystemC, stateright and SPIN";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["tidy"] => tidy::check(),
        ["book"] => book::check(),
        ["coverage"] => coverage::check(coverage::Table::LookedAt),
        ["coverage", "--write"] => coverage::check(coverage::Table::Written),
        ["mutants"] => mutants::hunt(""),
        ["mutants", place] => mutants::hunt(place),
        ["hunt", "--minutes", minutes] => hunt::hunt(minutes, "0"),
        ["hunt", "--minutes", minutes, "--from", seed] => hunt::hunt(minutes, seed),
        ["bench", ref options @ ..] => bench(options),
        _ => {
            println!("{HELP}");
            return if arguments.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn bench(options: &[&str]) -> Result<(), String> {
    let (what, options) = match options {
        ["runs", rest @ ..] => (What::Runs, rest),
        ["spaces", rest @ ..] => (What::Spaces, rest),
        ["twins", rest @ ..] => (What::Twins, rest),
        rest => (What::All, rest),
    };
    match options {
        [] => bench::measure(what, Peers::Without),
        ["--peers"] => bench::measure(what, Peers::With),
        other => Err(format!("bench does not know {}\n\n{HELP}", other.join(" "))),
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    let elsewhere = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root().join(elsewhere.unwrap_or_else(|| PathBuf::from("target")))
}
