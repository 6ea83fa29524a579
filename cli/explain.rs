//! `ipcsim explain`: the long text of a diagnostic.

use ipcsim_scenario::{Code, catalogue};

use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::terminal::Terminal;

/// Prints the page of a code, or the titles of all.
pub(crate) fn execute(args: &ExplainArgs, terminal: &Terminal) -> Exit {
    let Some(label) = &args.code else {
        for code in Code::ALL {
            terminal.print(&format!("{}  {}\n", code.label(), catalogue::title(*code)));
        }
        return Exit::Yes;
    };
    match Code::from_label(label) {
        Some(code) => {
            terminal.print(catalogue::page(code));
            Exit::Yes
        }
        None => {
            terminal
                .error(&format!("no diagnostic has the code {label}; `ipcsim explain` lists all"));
            Exit::Unusable
        }
    }
}
