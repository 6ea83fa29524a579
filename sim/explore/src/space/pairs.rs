//! A table of pairs of numbers: each pair gets a number when it first comes, from 0 up.

/// Pairs with their numbers.
pub(super) struct Pairs {
    pairs: Vec<u64>,
    /// Open addressing with linear probing. A slot holds a hash and the number of a pair, plus one: so
    /// most wrong pairs are passed over without being looked at, and a larger table is filled from this
    /// one alone.
    slots: Vec<u64>,
    shift: u32,
}

/// A pair as one word.
pub(super) fn pair(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// The hash of a pair: two rounds of multiplying and mixing the high half in.
fn hash(pair: u64) -> u32 {
    let mixed = (pair ^ (pair >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32) as u32
}

impl Pairs {
    pub(super) fn new() -> Self {
        Self { pairs: Vec::new(), slots: vec![0; 64], shift: 32 - 6 }
    }

    /// The pair with this number.
    pub(super) fn get(&self, number: u32) -> (u32, u32) {
        let pair = self.pairs[number as usize];
        ((pair >> 32) as u32, pair as u32)
    }

    /// The number of a pair, if it has one.
    pub(super) fn find(&self, pair: u64) -> Option<u32> {
        self.place(pair, hash(pair)).ok()
    }

    /// The number of a pair, and whether it is new.
    pub(super) fn insert(&mut self, pair: u64) -> (u32, bool) {
        let hash = hash(pair);
        let at = match self.place(pair, hash) {
            Ok(number) => return (number, false),
            Err(at) => at,
        };
        let number = u32::try_from(self.pairs.len()).expect("the memory limit comes first");
        self.pairs.push(pair);
        self.slots[at] = u64::from(hash) << 32 | u64::from(number + 1);
        if self.pairs.len() * 3 > self.slots.len() * 2 {
            self.grow();
        }
        (number, true)
    }

    /// The number of a pair, or else the free slot that it would get.
    fn place(&self, pair: u64, hash: u32) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            let number = slot as u32 - 1;
            if (slot >> 32) as u32 == hash && self.pairs[number as usize] == pair {
                return Ok(number);
            }
            at = (at + 1) & mask;
        }
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        (self.pairs.capacity() + self.slots.capacity()) * 8
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        self.shift = self.shift.checked_sub(1).expect("the memory limit comes first");
        let old = std::mem::replace(&mut self.slots, vec![0; size]);
        let mask = size - 1;
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            let mut at = (slot >> 32) as usize >> self.shift;
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_keeps_its_number() {
        let mut pairs = Pairs::new();
        for round in 0..2 {
            for left in 0..100 {
                for right in 0..100 {
                    let (number, new) = pairs.insert(pair(left, right * 7));
                    assert_eq!((number, new), (left * 100 + right, round == 0));
                    assert_eq!(pairs.get(number), (left, right * 7));
                }
            }
        }
        assert_eq!(pairs.find(pair(3, 7)), Some(301));
        assert_eq!(pairs.find(pair(7, 3)), None);
    }
}
