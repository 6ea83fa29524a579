//! Reading a trace again.

use super::{Header, Record, VERSION};

/// Why a text is no trace.
#[derive(Debug)]
pub enum ReadError {
    /// There is no first line.
    Empty,
    /// The first line is no header.
    Header(serde_json::Error),
    /// The trace has another version than this program writes.
    Version(u32),
    /// This line, counted from 1, is no event.
    Line(usize, serde_json::Error),
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReadError::Empty => write!(f, "the trace is empty"),
            ReadError::Header(error) => write!(f, "line 1 is no header of a trace: {error}"),
            ReadError::Version(version) => {
                write!(f, "the trace has version {version}, this program reads {VERSION}")
            }
            ReadError::Line(line, error) => write!(f, "line {line} is no event: {error}"),
        }
    }
}

impl std::error::Error for ReadError {}

/// Reads a whole trace. Errors: the first line that is not what it should be.
pub fn read(text: &str) -> Result<(Header, Vec<Record>), ReadError> {
    let mut lines = text.lines().enumerate();
    let (_, first) = lines.next().ok_or(ReadError::Empty)?;
    let header: Header = serde_json::from_str(first).map_err(ReadError::Header)?;
    if header.version != VERSION {
        return Err(ReadError::Version(header.version));
    }
    let records = lines
        .map(|(at, line)| {
            serde_json::from_str(line).map_err(|error| ReadError::Line(at + 1, error))
        })
        .collect::<Result<Vec<Record>, _>>()?;
    Ok((header, records))
}
