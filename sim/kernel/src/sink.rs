//! The sink: who is told what happened.

use std::ops::Range;

use ipcsim_program::{ProcessId, Region, SegmentId, Span, ThreadId, TransferMode};

use crate::event::Event;
use crate::machine::Machine;
use crate::state::State;

/// Memory in a message: the serial number of the message, and the place in it.
pub type ParcelId = (u64, usize);

/// Where pages are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backing {
    /// In a region that has them alone.
    Region(Region),
    /// In a segment, which several regions are.
    Segment(SegmentId),
}

/// Whoever is told. By default nobody listens.
///
/// The last is the trace. The others tell a driver what it must schedule, and what it must pay for.
pub trait Sink {
    /// A thread that was waiting, or is new, can take a step.
    fn ready(&mut self, _thread: ThreadId) {}

    /// A thread waits, or looks again, for at most this long from now on. Told once per call.
    fn waits(&mut self, _thread: ThreadId, _span: Span) {}

    /// A thread has ended.
    fn ended(&mut self, _thread: ThreadId) {}

    /// A process was made.
    fn spawned(&mut self, _process: ProcessId) {}

    /// A thread that could take a step no longer can: it was suspended.
    fn stopped(&mut self, _thread: ThreadId) {}

    /// A thread begins to wait, with or without a bound.
    fn blocked(&mut self, _thread: ThreadId) {}

    /// A thread took a message.
    fn received(&mut self, _thread: ThreadId) {}

    /// A thread wrote to the log.
    fn logged(&mut self, _thread: ThreadId) {}

    /// A message was lost.
    fn lost(&mut self) {}

    /// So many bytes in a pipe were lost: nobody can read them any more.
    fn unread(&mut self, _bytes: u64) {
        self.lost();
    }

    /// Bytes were copied into the kernel or out of it.
    fn copied(&mut self, _bytes: u64) {}

    /// A process got a region of so many new pages.
    fn allocated(&mut self, _region: Region, _pages: u32) {}

    /// Nobody has these pages any more.
    fn freed(&mut self, _pages: Backing) {}

    /// A region's pages are a segment from now on.
    fn shared(&mut self, _region: Region, _segment: SegmentId) {}

    /// So many pages of a segment have become a region of one more process.
    fn mapped(&mut self, _pages: u32) {}

    /// A region of so many pages was copied by a `fork`, as this region of the child. What is shared stays shared.
    fn forked(&mut self, _of: Backing, _copy: Region, _pages: u32) {}

    /// The same was written into each of these pages.
    fn wrote(&mut self, _in: Backing, _pages: Range<u32>) {}

    /// Pages were put into a message.
    fn packed(&mut self, _parcel: ParcelId, _pages: Backing, _mode: TransferMode) {}

    /// What is in a message has become a region of so many pages.
    fn unpacked(&mut self, _parcel: ParcelId, _region: Region, _pages: u32) {}

    /// What is in a message has become a region of its sender again.
    fn given_back(&mut self, _parcel: ParcelId, _region: Region) {}

    /// What is in a message is gone.
    fn destroyed(&mut self, _parcel: ParcelId) {}

    /// Whether events are wanted at all; where not, none is built.
    const EVENTS: bool;

    /// Whether calls may take the short way, which has the same result. A sink that checks this says no.
    const SHORT_WAY: bool = true;

    /// Something happened; the state may be half-way through the step.
    fn event(&mut self, _machine: &Machine, _state: &State, _event: &Event) {}
}
