//! Where a search is cut off: when it is cancelled, or takes too much memory.

use crate::cancel::{Cancellation, Reason};

/// Where a search is cut off, even in the middle of a batch of states.
#[derive(Clone, Copy, Default)]
pub struct Bounds<'m> {
    /// As soon as this is cancelled.
    pub cancelled: Option<&'m Cancellation>,
    /// At this many bytes, if memory is limited.
    pub max_bytes: Option<usize>,
}

/// Why a search was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It was cancelled.
    Cancelled(Reason),
    /// It takes too many bytes.
    Bytes,
}

/// How far a search is from its bounds.
#[derive(Default)]
pub(crate) struct Limit<'m> {
    /// `None` while no search is running: then queries about single states are always answered.
    bounds: Option<Bounds<'m>>,
    cancelled: Option<&'m Cancellation>,
    /// Its size, in states and steps, when its bytes were last counted.
    weighed_at: u64,
    /// What is kept besides the steps.
    beside: Beside,
    /// Set once it was cut off.
    pub cut: Option<Cut>,
}

/// What a search keeps besides its steps.
#[derive(Clone, Copy, Default)]
pub(crate) struct Beside {
    pub states: u64,
    pub bytes: usize,
}

impl<'m> Limit<'m> {
    /// Begins a search that is cut off at these bounds.
    pub(crate) fn begin(&mut self, bounds: Bounds<'m>) {
        (self.bounds, self.cancelled) = (Some(bounds), bounds.cancelled);
        self.weighed_at = 0;
    }

    /// Ends the search.
    pub(crate) fn end(&mut self) {
        (self.bounds, self.cut) = (None, None);
    }

    /// Why it was cancelled, if it was.
    pub(crate) fn cancelled(&self) -> Option<Reason> {
        self.cancelled.and_then(Cancellation::reason)
    }

    pub(crate) fn keeps_beside(&mut self, beside: Beside) {
        self.beside = beside;
    }

    /// Whether the search is cut off, having performed so many steps, which take so many bytes.
    pub(crate) fn is_reached(&mut self, performed: u64, bytes: usize) -> bool {
        if let (Some(bounds), None) = (self.bounds, self.cut) {
            let cancelled = self.cancelled().map(Cut::Cancelled);
            let too_large = self.is_too_large(bounds, performed, bytes).then_some(Cut::Bytes);
            self.cut = cancelled.or(too_large);
        }
        self.cut.is_some()
    }

    /// Whether more bytes are in use than allowed.
    fn is_too_large(&mut self, bounds: Bounds, performed: u64, bytes: usize) -> bool {
        /// The bytes are counted again after this many more states and steps.
        const MANY: u64 = 64;
        let Some(most) = bounds.max_bytes else { return false };
        if bounds.cancelled.map_or(0, Cancellation::used) > most {
            return true;
        }
        let size = performed + self.beside.states;
        if size < self.weighed_at + MANY {
            return false;
        }
        self.weighed_at = size;
        bytes + self.beside.bytes > most
    }
}
