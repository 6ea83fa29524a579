//! The program `ipcsim`: the only code that touches files, the terminal, signals and exit codes.

mod args;
mod budget;
mod exit;
mod explain;
mod explore;
mod help;
mod input;
mod library;
mod lint;
mod list;
mod matrix;
mod memory;
mod new;
mod repair;
mod replay;
mod run;
mod step;
mod terminal;
mod test;
mod watch;

use std::process::ExitCode;

use args::{Cli, Command, SchemaOf};
use clap::{CommandFactory, Parser};
use exit::Exit;
use terminal::Terminal;

/// Counts what is in use, so that a limit of memory is kept.
#[global_allocator]
static HEAP: ipcsim_heap::Counting = ipcsim_heap::Counting;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => return terminal::say_usage(&said).into(),
    };
    let terminal = Terminal::new(cli.color, cli.message_format);
    terminal::catch_interrupts();
    let exit = match &cli.command {
        Command::Run(args) => run::execute(args, &terminal),
        Command::Explore(args) => explore::execute(args, &terminal),
        Command::Replay(args) => replay::execute(args, &terminal),
        Command::Matrix(args) => matrix::execute(args, &terminal),
        Command::Repair(args) => repair::execute(args, &terminal),
        Command::Step(args) => step::execute(args, &terminal),
        Command::Lint(args) => lint::execute(args, &terminal),
        Command::Test(args) => test::execute(args, &terminal),
        Command::List(args) => list::execute(args, &terminal),
        Command::New(args) => new::execute(args, &terminal),
        Command::Help(args) => help::execute(args, &terminal),
        Command::Explain(args) => explain::execute(args, &terminal),
        Command::Schema(args) => {
            terminal.print_as_it_is(&match args.of {
                SchemaOf::Scenario => ipcsim_scenario::schema(),
                SchemaOf::Trace => ipcsim_report::trace::schema(),
                SchemaOf::Result => ipcsim_session::found::SCHEMA.to_string(),
            });
            Exit::Yes
        }
        Command::Completions(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "ipcsim", &mut script);
            terminal.print_as_it_is(&String::from_utf8_lossy(&script));
            Exit::Yes
        }
        Command::Man => {
            let mut page = Vec::new();
            match clap_mangen::Man::new(Cli::command()).render(&mut page) {
                Ok(()) => {
                    terminal.print_as_it_is(&String::from_utf8_lossy(&page));
                    Exit::Yes
                }
                Err(error) => {
                    terminal.error(&format!("the manual page cannot be made: {error}"));
                    Exit::Unusable
                }
            }
        }
    };
    if terminal.has_failed() { Exit::Unusable.into() } else { exit.into() }
}
