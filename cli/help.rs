//! `ipcsim help`: a command, or any word of the language.

use clap::CommandFactory;
use ipcsim_scenario::reference::{all_words, brought, entries_of};

use crate::args::{Cli, HelpArgs};
use crate::exit::Exit;
use crate::terminal::Terminal;

/// Prints the help of the program, of a command, or what the reference says of a word.
pub(crate) fn execute(args: &HelpArgs, terminal: &Terminal) -> Exit {
    let mut cli = Cli::command();
    // The names of commands stand in the usage only when it has been built.
    cli.build();
    let Some(word) = args.word.as_ref().filter(|word| !word.trim().is_empty()) else {
        terminal.print_as_it_is(&cli.render_long_help().ansi().to_string());
        return Exit::Yes;
    };
    let word = word.trim_end_matches(':');
    let entries = entries_of(word);
    let command = cli.find_subcommand_mut(word);
    if let Some(command) = command {
        terminal.print_as_it_is(&command.render_long_help().ansi().to_string());
        if !entries.is_empty() {
            terminal.print("\nIn scenarios:\n\n");
        }
    } else if entries.is_empty() {
        terminal.error(&unknown(word));
        return Exit::Unusable;
    }
    let texts: Vec<String> = entries.iter().map(ipcsim_scenario::reference::Entry::text).collect();
    terminal.print(&texts.join("\n"));
    Exit::Yes
}

fn unknown(word: &str) -> String {
    let words = all_words();
    if ipcsim_scenario::Code::from_label(word).is_some() {
        return format!("`{word}` is a diagnostic: ipcsim explain {word}");
    }
    if let Some(write) = brought(word) {
        return format!("`{word}` is not a word of the language: {write}");
    }
    match ipcsim_scenario::nearest(word, words.iter().copied()) {
        Some(near) => {
            format!(
                "`{word}` is neither a command nor a word of the language; did you mean `{near}`?"
            )
        }
        None => format!(
            "`{word}` is neither a command nor a word of the language. The words are:\n{}",
            words.join(" ")
        ),
    }
}
