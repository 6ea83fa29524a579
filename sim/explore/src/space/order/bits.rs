//! Sets of small numbers.

/// A set of numbers below a bound that all sets of a kind share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// An empty set of numbers below `bound`.
    pub(crate) fn below(bound: usize) -> Self {
        Self(vec![0; bound.div_ceil(64)])
    }

    pub(crate) fn has(&self, number: usize) -> bool {
        self.0[number / 64] & 1 << (number % 64) != 0
    }

    pub(crate) fn put(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }

    /// All numbers, in order.
    pub(crate) fn numbers(&self) -> Vec<usize> {
        (0..64 * self.0.len()).filter(|number| self.has(*number)).collect()
    }
}
