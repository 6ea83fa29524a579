//! Sets of small numbers.

/// A set of numbers below a bound that all sets of a kind share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// An empty set of numbers below `bound`.
    pub(super) fn below(bound: usize) -> Self {
        Self(vec![0; bound.div_ceil(64)])
    }

    pub(super) fn has(&self, number: usize) -> bool {
        self.0[number / 64] & 1 << (number % 64) != 0
    }

    pub(super) fn put(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    pub(super) fn has_some_of(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(word, other)| word & other != 0)
    }

    /// All numbers, in order.
    pub(super) fn numbers(&self) -> Vec<usize> {
        (0..64 * self.0.len()).filter(|number| self.has(*number)).collect()
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// How many numbers of another set are missing here.
    pub(super) fn lacks(&self, other: &Self) -> u32 {
        let words = self.0.iter().zip(&other.0);
        words.map(|(word, other)| (other & !word).count_ones()).sum()
    }

    /// Adds the numbers of another set; those that are new are put on a list.
    pub(super) fn add_new(&mut self, other: &Self, new: &mut Vec<usize>) {
        for (at, (word, other)) in self.0.iter_mut().zip(&other.0).enumerate() {
            let mut more = other & !*word;
            *word |= more;
            while more != 0 {
                new.push(64 * at + more.trailing_zeros() as usize);
                more &= more - 1;
            }
        }
    }
}
