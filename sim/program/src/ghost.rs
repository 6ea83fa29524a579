//! Ghost data: only a trace needs it. It is in the state and decides nothing.

use std::fmt;
use std::hash::{Hash, Hasher};

/// Equal to any other: two states that differ in nothing else are one state.
#[derive(Clone, Copy, Default)]
pub struct Ghost<T>(pub T);

/// Shown like any other, too: the printed form of a state tells states apart.
impl<T> fmt::Debug for Ghost<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

impl<T> PartialEq for Ghost<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Ghost<T> {}

impl<T> Hash for Ghost<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
