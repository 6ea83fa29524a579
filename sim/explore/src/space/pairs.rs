//! A table of pairs of numbers: each pair gets a number when it first comes, from 0 up.

/// Pairs with their numbers.
pub(super) struct Pairs {
    pairs: Vec<u64>,
    /// Open addressing with linear probing; a slot holds the number of a pair, plus one.
    slots: Vec<u32>,
    shift: u32,
}

/// A pair as one word.
pub(super) fn pair(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

impl Pairs {
    pub(super) fn new() -> Self {
        Self { pairs: Vec::new(), slots: vec![0; 64], shift: 64 - 6 }
    }

    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The pair with this number.
    pub(super) fn get(&self, number: u32) -> (u32, u32) {
        let pair = self.pairs[number as usize];
        ((pair >> 32) as u32, pair as u32)
    }

    /// The number of a pair, if it has one.
    pub(super) fn find(&self, pair: u64) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = self.home(pair);
        loop {
            match self.slots[at] {
                0 => return None,
                number if self.pairs[number as usize - 1] == pair => return Some(number - 1),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// The number of a pair, and whether it is new.
    pub(super) fn insert(&mut self, pair: u64) -> (u32, bool) {
        let mask = self.slots.len() - 1;
        let mut at = self.home(pair);
        loop {
            match self.slots[at] {
                0 => break,
                number if self.pairs[number as usize - 1] == pair => return (number - 1, false),
                _ => at = (at + 1) & mask,
            }
        }
        let number = u32::try_from(self.pairs.len()).expect("the memory limit comes first");
        self.pairs.push(pair);
        self.slots[at] = number + 1;
        if self.pairs.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        (number, true)
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.pairs.capacity() * 8 + self.slots.capacity() * 4
    }

    /// Where a pair is looked for first: the high bits of a product (Fibonacci hashing), with the high
    /// half mixed in before.
    fn home(&self, pair: u64) -> usize {
        let mixed = (pair ^ (pair >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        self.shift -= 1;
        // The old slots go before the new ones come: the pairs know everything.
        self.slots = Vec::new();
        self.slots = vec![0; size];
        let mask = size - 1;
        for (number, pair) in self.pairs.iter().enumerate() {
            let mut at = self.home(*pair);
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = number as u32 + 1;
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
