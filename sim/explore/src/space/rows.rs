//! Visited states, exactly and in little space.
//!
//! A state is a row of small numbers: for each of its parts, which of those that were ever seen at that
//! position. A number takes as many bits as there are different ones to tell apart, so a part that
//! never changes takes none, and a whole state a few words. When more bits are needed all rows are
//! packed anew.

/// The visited states.
pub(super) struct Rows {
    fields: Vec<Field>,
    /// How many words a row takes.
    words: usize,
    rows: Vec<u64>,
    /// Open addressing with linear probing. A slot holds a hash and the number of a row, plus one: so
    /// most wrong rows are passed over without being looked at.
    slots: Vec<u64>,
    shift: u32,
}

/// Where the number of a position lies in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Field {
    word: usize,
    shift: u32,
    bits: u32,
}

impl Field {
    fn mask(self) -> u64 {
        (1 << self.bits) - 1
    }
}

impl Rows {
    /// No rows yet; they will have so many positions.
    pub(super) fn new(positions: usize) -> Self {
        Self {
            fields: vec![Field::default(); positions],
            words: 1,
            rows: Vec::new(),
            slots: vec![0; 64],
            shift: 32 - 6,
        }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len() / self.words
    }

    /// How many words a row takes.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// How many bytes everything takes.
    pub(super) fn bytes(&self) -> usize {
        (self.rows.capacity() + self.slots.capacity()) * 8
    }

    /// A row, packed.
    pub(super) fn packed(&self, row: u32) -> &[u64] {
        let at = row as usize * self.words;
        &self.rows[at..at + self.words]
    }

    /// Takes a row apart: a number for each position.
    pub(super) fn unpack(&self, row: u32, numbers: &mut [u32]) {
        let packed = self.packed(row);
        for (number, field) in numbers.iter_mut().zip(&self.fields) {
            *number = (packed[field.word] >> field.shift & field.mask()) as u32;
        }
    }

    /// The number at a position of a row.
    pub(super) fn number_at(&self, row: u32, position: usize) -> u32 {
        let field = self.fields[position];
        (self.packed(row)[field.word] >> field.shift & field.mask()) as u32
    }

    /// Puts a number at a position of a packed row.
    pub(super) fn put(&self, packed: &mut [u64], position: usize, number: u32) {
        let field = self.fields[position];
        let word = &mut packed[field.word];
        *word = *word & !(field.mask() << field.shift) | u64::from(number) << field.shift;
    }

    /// A row of numbers, packed.
    pub(super) fn pack(&self, numbers: &[u32]) -> Vec<u64> {
        let mut packed = vec![0; self.words];
        for (position, number) in numbers.iter().enumerate().filter(|(_, number)| **number > 0) {
            self.put(&mut packed, position, *number);
        }
        packed
    }

    /// Makes room for numbers up to this one at a position.
    pub(super) fn widen(&mut self, position: usize, number: u32) {
        let needed = 32 - number.leading_zeros();
        if needed <= self.fields[position].bits {
            return;
        }
        let mut fields = self.fields.clone();
        fields[position].bits = needed;
        let words = lay_out(&mut fields);
        let mut rows = vec![0; self.len() * words];
        let before = Rows { fields, words, rows: Vec::new(), slots: Vec::new(), shift: 0 };
        let mut numbers = vec![0; self.fields.len()];
        for row in 0..self.len() {
            self.unpack(row as u32, &mut numbers);
            rows[row * words..(row + 1) * words].copy_from_slice(&before.pack(&numbers));
        }
        (self.fields, self.words, self.rows) = (before.fields, words, rows);
        self.fill_slots();
    }

    /// The number of a packed row, and whether it is new.
    pub(super) fn insert(&mut self, packed: &[u64]) -> (u32, bool) {
        let hash = hash(packed);
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                break;
            }
            let row = slot as u32 - 1;
            if (slot >> 32) as u32 == hash && self.packed(row) == packed {
                return (row, false);
            }
            at = (at + 1) & mask;
        }
        let row = u32::try_from(self.len()).expect("the memory limit comes first");
        self.rows.extend_from_slice(packed);
        self.slots[at] = u64::from(hash) << 32 | u64::from(row + 1);
        if self.len() * 3 > self.slots.len() * 2 {
            self.grow();
        }
        (row, true)
    }

    /// Fetches what an insertion of this row will look at first. Many of these in a row take hardly
    /// more time than one, because none waits for another.
    pub(super) fn fetch(&self, packed: &[u64]) -> u64 {
        self.slots[(hash(packed) >> self.shift) as usize]
    }

    /// Twice as many slots; the old ones know the hashes.
    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        let old = std::mem::replace(&mut self.slots, vec![0; size]);
        self.shift = self.shift.checked_sub(1).expect("the memory limit comes first");
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            self.enter(slot);
        }
    }

    fn fill_slots(&mut self) {
        self.slots.fill(0);
        for row in 0..self.len() {
            let hash = hash(self.packed(row as u32));
            self.enter(u64::from(hash) << 32 | (row as u64 + 1));
        }
    }

    fn enter(&mut self, slot: u64) {
        let mask = self.slots.len() - 1;
        let mut at = (slot >> 32) as usize >> self.shift;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }
}

/// Gives each position its place; none lies in two words. How many words that takes.
fn lay_out(fields: &mut [Field]) -> usize {
    let (mut word, mut used) = (0, 0);
    for field in fields.iter_mut() {
        if used + field.bits > 64 {
            word += 1;
            used = 0;
        }
        (field.word, field.shift) = (word, if field.bits == 0 { 0 } else { used });
        used += field.bits;
    }
    word + 1
}

/// Multiplying, and mixing the high half in, word after word.
fn hash(packed: &[u64]) -> u32 {
    let mut sum: u64 = 0x243f_6a88_85a3_08d3;
    for word in packed {
        sum = (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        sum ^= sum >> 32;
    }
    (sum.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_numbers_when_they_are_packed_anew() {
        let mut rows = Rows::new(40);
        let mut packed = vec![0; rows.words()];
        assert_eq!(rows.insert(&packed), (0, true));
        let mut expected = vec![vec![0; 40]];
        let mut numbers = vec![0; 40];
        for step in 1..2_000_u32 {
            let position = (step * 7 % 40) as usize;
            let number = step / 40 % 11;
            rows.widen(position, number);
            rows.unpack(step % 97 % rows.len() as u32, &mut numbers);
            packed = rows.packed(step % 97 % rows.len() as u32).to_vec();
            rows.put(&mut packed, position, number);
            numbers[position] = number;
            let known = expected.iter().position(|row| *row == numbers);
            let (row, new) = rows.insert(&packed);
            assert_eq!(new, known.is_none());
            assert_eq!(row as usize, known.unwrap_or(expected.len()));
            if new {
                expected.push(numbers.clone());
            }
        }
        for (row, expected) in expected.iter().enumerate() {
            rows.unpack(row as u32, &mut numbers);
            assert_eq!(numbers, *expected);
        }
    }
}
