//! `ipcsim lint`: check scenarios without running them.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use ipcsim_scenario::{Claims, LoadOptions, fixed};

use crate::args::LintArgs;
use crate::exit::Exit;
use crate::input::{self, Text};
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
            Ok(text) => worst = worst.max(checked(file, text, args, terminal)),
        }
    }
    worst
}

fn checked(file: &str, mut text: Text, args: &LintArgs, terminal: &Terminal) -> Exit {
    if args.fix {
        match rewritten(file, &text, args) {
            Ok(None) => terminal.print(&format!("{}: nothing to simplify\n", text.name)),
            Ok(Some((plain, made))) => {
                let places = if made == 1 { "place" } else { "places" };
                terminal.print(&format!("{}: {made} {places} simplified\n", text.name));
                text.bytes = plain.into_bytes();
            }
            Err(error) => {
                terminal.error(&format!("{} cannot be written: {error}", text.name));
                return Exit::Unusable;
            }
        }
    }
    let session = input::compile(file, text, &args.input, Claims::Asked);
    let loaded = session.loaded();
    terminal.diagnostics(loaded);
    if loaded.has_errors() {
        return Exit::Unusable;
    }
    let plainer = match loaded.fixes.len() {
        0 => String::new(),
        1 => " (1 place can be simplified: ipcsim lint --fix)".into(),
        many => format!(" ({many} places can be simplified: ipcsim lint --fix)"),
    };
    terminal.print(&format!("{}: ok{plainer}\n", session.name()));
    Exit::Yes
}

/// The text of a file with everything written plainly, which is written to the file; nothing if it is already.
fn rewritten(file: &str, text: &Text, args: &LintArgs) -> io::Result<Option<(String, usize)>> {
    if !Path::new(file).is_file() {
        return Err(io::Error::other("--fix takes files"));
    }
    let Ok(all) = std::str::from_utf8(&text.bytes) else { return Ok(None) };
    // A byte order mark stays where it is.
    let before = all.trim_start_matches('\u{feff}');
    let mark = &all[..all.len() - before.len()];
    let options = LoadOptions { max_threads: args.input.max_threads, ..LoadOptions::default() };
    let (after, made) = fixed(&text.name, before, &options);
    if made == 0 {
        return Ok(None);
    }
    // First beside it: if the disk is full the file is still what it was.
    let text = format!("{mark}{after}");
    // What is behind a link is changed, and not the link.
    let file = Path::new(file).canonicalize()?;
    let beside = beside(&file)?;
    std::fs::write(&beside, &text)
        .and_then(|()| std::fs::set_permissions(&beside, file.metadata()?.permissions()))
        .and_then(|()| std::fs::rename(&beside, &file))
        .inspect_err(|_| {
            let _ = std::fs::remove_file(&beside);
        })?;
    Ok(Some((text, made)))
}

/// A new file beside another one.
fn beside(file: &Path) -> io::Result<PathBuf> {
    for number in 0..100 {
        let mut name = file.as_os_str().to_os_string();
        name.push(format!(".plain{number}"));
        let path = PathBuf::from(name);
        match File::create_new(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("there are too many files of this name beside it"))
}
