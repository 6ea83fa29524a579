//! Where a search is cut off: by whoever waits for it, and by the memory that it takes.

use super::Space;
use super::parts::Is;
use crate::cancel::{Cancellation, Reason};

/// Where a search is cut off, also in the middle of a batch of states.
#[derive(Clone, Copy, Default)]
pub struct Bounds<'m> {
    /// As soon as this is cancelled.
    pub cancelled: Option<&'m Cancellation>,
    /// At so many bytes, if that is limited.
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
    /// A search begins that is cut off there.
    pub fn search_within(&mut self, bounds: Bounds<'m>) {
        (self.bounds, self.searched) = (bounds, Is::So);
    }

    /// The search is over.
    pub fn search_is_over(&mut self) {
        self.searched = Is::NotSo;
        self.cut = None;
    }

    /// Something if whoever waits still does. For conclusions, which look at all states again.
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
            let used = self.bounds.cancelled.map_or(0, Cancellation::used);
            let is_too_much = |most: usize| self.bytes().max(used) > most;
            let bytes = || self.bounds.max_bytes.is_some_and(is_too_much).then_some(Cut::Bytes);
            self.cut = self.cancelled().map(Cut::Cancelled).or_else(bytes);
        }
        self.cut.is_some()
    }
}
