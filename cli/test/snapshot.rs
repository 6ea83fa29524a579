//! The trace of a run beside the one that is kept in a file.

use std::io;
use std::path::{Path, PathBuf};

use ipcsim_session::{Budget, Machine, Stop, found, golden};
use similar::TextDiff;

/// How the trace of a run is beside the one that is kept.
pub(super) enum Snapshot {
    /// The same.
    Same,
    /// It is kept from now on.
    Kept,
    /// None is kept; where it would be.
    Missing(PathBuf),
    /// It differs, and how: the lines that went and came.
    Differs {
        /// Where the kept one is.
        file: PathBuf,
        /// The difference, line by line.
        lines: String,
    },
    /// There is none to be had, and why.
    Unreadable(String),
}

/// Compares the trace of a run with the one below a folder, or keeps it there.
pub(super) fn compared(
    machine: &Machine,
    title: &str,
    (folder, key): (&Path, &Path),
    update: bool,
    budget: &Budget,
) -> Snapshot {
    let mut file = folder.join(key).into_os_string();
    file.push(".trace");
    let file = PathBuf::from(file);
    let (run, now) = golden(machine, title, budget);
    if matches!(run.stop, Stop::Cancelled(_)) {
        return Snapshot::Unreadable("the run did not come to its end within the limits".into());
    }
    let kept = match std::fs::read_to_string(&file) {
        Ok(kept) => Some(kept.replace("\r\n", "\n")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            return Snapshot::Unreadable(format!("{} cannot be read: {error}", file.display()));
        }
    };
    match kept {
        Some(kept) if kept == now => Snapshot::Same,
        _ if update => match keep(&file, &now) {
            Ok(()) => Snapshot::Kept,
            Err(error) => {
                Snapshot::Unreadable(format!("{} cannot be written: {error}", file.display()))
            }
        },
        None => Snapshot::Missing(file),
        Some(kept) => {
            let diff = TextDiff::from_lines(&kept, &now);
            let lines = diff.unified_diff().context_radius(2).header("kept", "now").to_string();
            Snapshot::Differs { file, lines }
        }
    }
}

fn keep(file: &Path, trace: &str) -> io::Result<()> {
    std::fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(file, trace)
}

impl Snapshot {
    /// What is wrong, in a sentence, and more about it; nothing if it is right.
    pub(super) fn wrong(&self) -> Option<(String, &str)> {
        match self {
            Snapshot::Same | Snapshot::Kept => None,
            Snapshot::Missing(file) => Some((
                format!("there is no trace in {} yet (--update writes it)", file.display()),
                "",
            )),
            Snapshot::Differs { file, lines } => {
                let file = file.display();
                Some((format!("it differs from {file} (--update accepts the new trace)"), lines))
            }
            Snapshot::Unreadable(why) => Some((why.clone(), "")),
        }
    }

    pub(super) fn as_result(&self) -> found::SnapshotFound {
        found::SnapshotFound {
            is: match self {
                Snapshot::Same => "same",
                Snapshot::Kept => "kept",
                Snapshot::Missing(_) => "missing",
                Snapshot::Differs { .. } => "differs",
                Snapshot::Unreadable(_) => "unreadable",
            },
            why: self.wrong().map(|(why, lines)| format!("{why}\n{lines}").trim_end().to_string()),
        }
    }
}
