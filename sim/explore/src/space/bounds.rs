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
        self.weighed_at = 0;
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
            let cancelled = self.cancelled().map(Cut::Cancelled);
            self.cut = cancelled.or_else(|| self.is_too_large().then_some(Cut::Bytes));
        }
        self.cut.is_some()
    }

    /// Whether more bytes are in use than may be.
    fn is_too_large(&mut self) -> bool {
        /// The space is weighed again when so many states and steps have come.
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
