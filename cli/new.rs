//! `ipcsim new`: a commented scenario to start from.

use std::fs::File;
use std::io::{ErrorKind, Write};

use ipcsim_report::visible;
use ipcsim_session::in_shell;

use crate::args::NewArgs;
use crate::exit::Exit;
use crate::terminal::Terminal;

const START: &str = include_str!("new.yaml");

/// Writes the file, unless there is one already.
pub(crate) fn execute(args: &NewArgs, terminal: &Terminal) -> Exit {
    if args.file.as_os_str() == "-" {
        terminal.print_as_it_is(START);
        return Exit::Yes;
    }
    let path = visible(&args.file.to_string_lossy());
    // What begins with `-` would be taken for an option.
    let typed = if path.starts_with('-') { format!("./{path}") } else { path.clone() };
    let typed = in_shell(&typed);
    let written =
        File::create_new(&args.file).and_then(|mut file| file.write_all(START.as_bytes()));
    match written {
        Ok(()) => {
            terminal.print(&format!("wrote {path}; try: ipcsim run {typed}\n"));
            Exit::Yes
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            terminal
                .error(&format!("{path} is there already and was left alone; choose another name"));
            Exit::Unusable
        }
        Err(error) => {
            terminal.error(&format!("{path} cannot be written: {error}"));
            Exit::Unusable
        }
    }
}
