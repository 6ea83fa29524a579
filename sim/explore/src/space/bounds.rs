//! Where a search is cut off: when it is cancelled, or takes too much memory.

use super::Space;
use super::parts::Is;
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

impl<'m> Space<'m> {
    /// Begins a search that is cut off at these bounds.
    pub fn search_within(&mut self, bounds: Bounds<'m>) {
        (self.bounds, self.searched) = (bounds, Is::So);
        self.weighed_at = 0;
    }

    /// Ends the search.
    pub fn search_is_over(&mut self) {
        self.searched = Is::NotSo;
        self.cut = None;
    }

    /// `None` once it is cancelled. For conclusions, which visit all states again.
    pub fn go_on(&self) -> Option<()> {
        self.cancelled().is_none().then_some(())
    }

    /// Why it was cancelled, if it was.
    pub fn cancelled(&self) -> Option<Reason> {
        self.bounds.cancelled.and_then(Cancellation::reason)
    }

    /// Whether the search is cut off.
    pub(super) fn is_cut(&mut self) -> bool {
        if self.searched == Is::So && self.cut.is_none() {
            let cancelled = self.cancelled().map(Cut::Cancelled);
            self.cut = cancelled.or_else(|| self.is_too_large().then_some(Cut::Bytes));
        }
        self.cut.is_some()
    }

    /// Whether more bytes are in use than allowed.
    fn is_too_large(&mut self) -> bool {
        /// The bytes are counted again after this many more states and steps.
        const MANY: u64 = 64;
        let Some(most) = self.bounds.max_bytes else { return false };
        if self.bounds.cancelled.map_or(0, Cancellation::used) > most {
            return true;
        }
        let size = self.performed + self.states() as u64;
        if size < self.weighed_at + MANY {
            return false;
        }
        self.weighed_at = size;
        self.bytes() > most
    }
}
