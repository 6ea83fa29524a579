//! `ipcsim lint`: check scenarios without running them.

use crate::args::LintArgs;
use crate::exit::Exit;
use crate::input;
use crate::terminal::Terminal;

/// Checks every file that was named. Warnings are shown and do no harm.
pub(crate) fn execute(args: &LintArgs, terminal: &Terminal) -> Exit {
    let mut worst = Exit::Yes;
    for file in &args.files {
        match input::read(file, &args.input) {
            Err(message) => {
                terminal.error(&message);
                worst = Exit::Unusable;
            }
            Ok(text) => {
                let loaded = input::compile(&text, &args.input);
                terminal.diagnostics(&loaded);
                if loaded.has_errors() {
                    worst = Exit::Unusable;
                } else {
                    terminal.print(&format!("{}: ok\n", text.name));
                }
            }
        }
    }
    worst
}
