//! Writing a trace while the run goes on, in constant memory.
//!
//! A run makes millions of events a second, and a general serializer is slower than the run itself.
//! So the lines are put together by hand, and most of them are lines that came up before with another
//! time and serial. The tests compare them with what `serde_json` makes of the same
//! [`super::Record`], and with lines written without any before them.

use std::io::{self, Write};

use ipcsim_explore::Tracer;
use ipcsim_kernel::{Event, Kind, Machine, State};

use crate::visible::visible_json;

use super::Header;
use super::kept::KeptLines;
use super::line::{Scribe, Spelled, push_number};

/// Writes a trace. After an error nothing more is written, and [`Writer::finish`] gives the error.
pub struct Writer<W> {
    to: W,
    error: Option<io::Error>,
    /// Whole lines, until they are worth a call of the system; then the line that is being written.
    lines: Vec<u8>,
    time: Digits,
    serial: Digits,
    kept: KeptLines,
    spelled: Spelled,
}

/// So many bytes are written at once.
const ENOUGH: usize = 1 << 16;

/// A number as it was written last: times and serials come up several times in a row.
struct Digits {
    number: u64,
    bytes: Vec<u8>,
}

impl Digits {
    fn of(&mut self, number: u64) -> &[u8] {
        if self.number != number || self.bytes.is_empty() {
            self.number = number;
            self.bytes.clear();
            push_number(&mut self.bytes, number);
        }
        &self.bytes
    }
}

impl<W: Write> Writer<W> {
    /// A writer that has written the header.
    pub fn new(to: W, header: &Header) -> Self {
        let header = serde_json::to_string(header).expect("a header is plain data");
        let mut lines = visible_json(&header).into_bytes();
        lines.push(b'\n');
        let [time, serial] = std::array::from_fn(|_| Digits { number: 0, bytes: Vec::new() });
        let kept = KeptLines::new();
        Self { to, error: None, lines, time, serial, kept, spelled: Spelled::default() }
    }

    /// Ends the trace; gives the first error that there was.
    ///
    /// # Errors
    /// Whatever the underlying writer reported.
    pub fn finish(mut self) -> io::Result<()> {
        self.write();
        match self.error.take() {
            Some(error) => Err(error),
            None => self.to.flush(),
        }
    }

    fn write(&mut self) {
        if self.error.is_none()
            && let Err(error) = self.to.write_all(&self.lines)
        {
            self.error = Some(error);
        }
        self.lines.clear();
    }
}

impl<W: Write> Tracer for Writer<W> {
    const EVENTS: bool = true;

    fn record(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event) {
        if self.error.is_some() {
            return;
        }
        if let (Kind::ThreadStarted, Some(thread)) = (&event.kind, event.thread)
            && self.spelled.renames(machine, state, thread)
        {
            self.kept = KeptLines::new();
        }
        let lines = &mut self.lines;
        lines.extend_from_slice(b"{\"t\":");
        lines.extend_from_slice(self.time.of(now_ns));
        let serial = event.kind.message().map(|message| self.serial.of(message.serial.0));
        let mut scribe = Scribe { spelled: &mut self.spelled, machine, state };
        match self.kept.get(event, &mut scribe) {
            Some(line) => {
                lines.extend_from_slice(&line.before_serial);
                lines.extend_from_slice(serial.unwrap_or_default());
                lines.extend_from_slice(&line.after_serial);
            }
            None => {
                scribe.before_serial(lines, event);
                lines.extend_from_slice(serial.unwrap_or_default());
                scribe.after_serial(lines, event);
            }
        }
        if lines.len() >= ENOUGH {
            self.write();
        }
    }

    /// It cannot be written.
    fn has_enough(&self) -> bool {
        self.error.is_some()
    }
}
