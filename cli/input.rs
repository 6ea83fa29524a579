//! Reading scenarios: from files, from standard input, or from the library that is built in.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ipcsim_session::{Claims, LoadOptions, Session, found};

use crate::args::Input;
use crate::exit::Exit;
use crate::library;
use crate::terminal::{Terminal, reading};

/// A scenario's text with its name.
pub(crate) struct Text {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Reads what the user named: a path, `-`, or the name of a built-in scenario.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub(crate) fn read(file: &str, input: &Input) -> Result<Text, String> {
    if file == "-" {
        let bytes = limited(&mut io::stdin().lock(), "standard input", input)?;
        return Ok(Text { name: "<stdin>".to_string(), bytes });
    }
    let path = Path::new(file);
    if !path.exists()
        && let Some(built_in) = library::find(file)
    {
        return Ok(Text {
            name: format!("{file} (built in)"),
            bytes: built_in.text.as_bytes().to_vec(),
        });
    }
    if path.is_dir() {
        return Err(format!("{file} is a folder; name a file in it, or try `ipcsim test {file}`"));
    }
    let mut opened = reading(|| File::open(path)).map_err(|error| not_found(file, &error))?;
    let bytes = limited(&mut opened, file, input)?;
    Ok(Text { name: file.to_string(), bytes })
}

fn not_found(file: &str, error: &io::Error) -> String {
    let near = library::nearest(file);
    match (error.kind(), near) {
        (io::ErrorKind::NotFound, Some(near)) => {
            format!(
                "there is no file {file}, and no built-in scenario of this name; did you mean `{near}`?"
            )
        }
        (io::ErrorKind::NotFound, None) => {
            format!(
                "there is no file {file}, and no built-in scenario of this name (`ipcsim list` shows them)"
            )
        }
        _ => format!("{file} cannot be read: {error}"),
    }
}

fn limited(from: &mut impl Read, name: &str, input: &Input) -> Result<Vec<u8>, String> {
    let limit = input.max_file_size.saturating_mul(1 << 20);
    let mut bytes = Vec::new();
    let mut from = from.take(limit.saturating_add(1));
    reading(|| from.read_to_end(&mut bytes))
        .map_err(|error| format!("{name} cannot be read: {error}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!(
            "{name} is larger than {} MiB (--max-file-size allows more)",
            input.max_file_size
        ));
    }
    Ok(bytes)
}

/// Compiles what the user named as the options say.
pub(crate) fn compile(file: &str, text: Text, input: &Input, claims: Claims) -> Session {
    let claims = if input.sets.is_empty() { Claims::Asked } else { claims };
    let options = LoadOptions {
        sets: input.sets.clone(),
        max_threads: input.max_threads,
        expect: input.expect.clone(),
        claims,
    };
    Session::load_as(file, &text.name, text.bytes, options)
}

/// Reads and compiles what the user named, and tells what is wrong with it.
///
/// # Errors
/// It cannot be read; that was told.
pub(crate) fn open(file: &str, input: &Input, terminal: &Terminal) -> Result<Session, Exit> {
    open_or_say_why(file, input, terminal).map_err(|_| Exit::Unusable)
}

/// As [`open`], for what may be asked for as JSON.
///
/// # Errors
/// It cannot be read or used; that was told, and is in the result.
pub(crate) fn open_usable(
    file: &str,
    input: &Input,
    terminal: &Terminal,
) -> Result<Session, Box<found::Scenario>> {
    let session = open_or_say_why(file, input, terminal)
        .map_err(|why| Box::new(found::Scenario::unread(file, &why)))?;
    if session.machine().is_none() {
        return Err(Box::new(session.found()));
    }
    Ok(session)
}

fn open_or_say_why(file: &str, input: &Input, terminal: &Terminal) -> Result<Session, String> {
    let text = read(file, input).inspect_err(|message| terminal.error(message))?;
    let session = compile(file, text, input, Claims::NotAsked);
    terminal.diagnostics(session.loaded());
    Ok(session)
}
