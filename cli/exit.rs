//! Exit codes, as the help and the book document them.

use std::process::ExitCode;

/// How the program ends. Of several, the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// What was asked for is so.
    Yes,
    /// A limit was reached before that was decided.
    Undecided,
    /// It is not.
    No,
    /// Wrong usage, a file that cannot be read or written, a scenario with errors.
    Unusable,
    /// Ctrl-C.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Yes => 0,
            Exit::No => 1,
            Exit::Unusable => 2,
            Exit::Undecided => 3,
            Exit::Interrupted => 130,
        })
    }
}
