//! The rules of this repository as commands: `cargo xtask`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for developers prints")]

mod bench;
mod book;
mod mutants;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  tidy           check what the compiler does not: lengths of files and functions, forgotten notes
  book           check that every file of the book is in its summary, and build it if mdbook is there
  mutants        put one mistake after the other into the kernel: the tests must catch each
  bench          measure the speed of runs, in one table
  bench --peers  the same beside SimPy, NexoSim, SystemC and SPIN, with the ratios";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["tidy"] => tidy::check(),
        ["book"] => book::check(),
        ["mutants"] => mutants::hunt(),
        ["bench"] => bench::measure(bench::Peers::Without),
        ["bench", "--peers"] => bench::measure(bench::Peers::With),
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

/// The root of the repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
