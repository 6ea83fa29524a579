//! Places: where in the text something stands.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The source of what is built into every scenario. No diagnostic points there.
pub const BUILT_IN: u32 = u32::MAX - 1;

/// A stretch of bytes of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Which source: 0 is the file, others are `--set` arguments, in order; what is built in has its own.
    pub source: u32,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Place {
    /// These bytes of the file.
    pub fn of_file(bytes: Range<usize>) -> Self {
        Self { source: 0, start: clamp(bytes.start), end: clamp(bytes.end) }
    }

    /// The bytes.
    pub fn bytes(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// A stretch inside this one, counted from its start.
    #[must_use]
    pub fn within(self, bytes: Range<usize>) -> Self {
        Self {
            source: self.source,
            start: self.start + clamp(bytes.start),
            end: self.start + clamp(bytes.end),
        }
    }
}

fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).expect("sources are limited to far below 4 GiB")
}

/// A text that diagnostics point into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it is called: a path, or `--set kernel.memory=…`.
    pub name: Arc<str>,
    /// What it says.
    pub text: Arc<str>,
}

impl Source {
    /// A source with this name and text.
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub fn line_and_column(&self, byte: usize) -> (usize, usize) {
        let byte = byte.min(self.text.len());
        let before = &self.text.as_bytes()[..byte];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        (line, column)
    }
}

/// A value with its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: Place,
}

impl<T> Placed<T> {
    /// A value at a place.
    pub fn new(value: T, at: Place) -> Self {
        Self { value, at }
    }
}

impl<T: fmt::Debug> fmt::Debug for Placed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
