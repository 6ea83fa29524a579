//! The visited states, in a few bits each: a Bloom filter, for bitstate hashing.
//!
//! It never forgets a visited state. Now and then it takes a new state for a visited one: the
//! search then skips it, and everything reachable only through it. The bits are chosen by the
//! enhanced double hashing of P. C. Dillinger and P. Manolios, "Bloom Filters in Probabilistic
//! Verification" (FMCAD 2004).

/// The visited states.
pub struct Filter {
    words: Vec<u64>,
    set: u64,
}

/// Bits per state.
const BITS: u32 = 3;

impl Filter {
    /// The largest filter, a power of two in size, that fits into this many bytes; at least 512 bytes.
    pub fn new(bytes: usize) -> Self {
        let words = (bytes / 8).max(64);
        Self { words: vec![0; 1 << words.ilog2()], set: 0 }
    }

    /// Whether a state with this hash is new; it is marked as visited.
    pub fn insert(&mut self, hash: u64) -> bool {
        let mask = self.words.len() as u64 * 64 - 1;
        let (mut at, mut step) = (hash, hash.rotate_left(32) | 1);
        let mut new = false;
        for round in 0..BITS {
            let bit = at & mask;
            let word = &mut self.words[(bit / 64) as usize];
            let marked = *word | 1 << (bit % 64);
            if marked != *word {
                *word = marked;
                self.set += 1;
                new = true;
            }
            at = at.wrapping_add(step);
            step = step.wrapping_add(u64::from(round));
        }
        new
    }

    /// The chance that a new state is now taken for a visited one: one in this many.
    pub fn one_in(&self) -> u64 {
        let bits = self.words.len() as u128 * 64;
        let chance = bits.pow(BITS) / u128::from(self.set.max(1)).pow(BITS);
        u64::try_from(chance).unwrap_or(u64::MAX)
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.words.len() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_met_is_known_and_hardly_anything_else() {
        let mut filter = Filter::new(1 << 16);
        let hash =
            |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ number;
        let taken_for_known = (0..40_000).filter(|number| !filter.insert(hash(*number))).count();
        assert!((0..40_000).all(|number| !filter.insert(hash(number))));
        // Three bits each, out of half a million: in the end every fifth bit is set.
        assert!((100..150).contains(&filter.one_in()), "{}", filter.one_in());
        assert!((50..200).contains(&taken_for_known), "{taken_for_known}");
    }
}
