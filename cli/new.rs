//! `ipcsim new`: a commented scenario to start from.

use std::fs::File;
use std::io::{ErrorKind, Write};

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
    let path = args.file.display();
    let written =
        File::create_new(&args.file).and_then(|mut file| file.write_all(START.as_bytes()));
    match written {
        Ok(()) => {
            terminal.print(&format!("wrote {path}; try: ipcsim run {path}\n"));
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
