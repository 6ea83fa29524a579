//! The visited states, stored exactly and compactly: collapse compression.
//!
//! A state vector is a row of small numbers: for each part, which of the parts ever seen at that
//! position. A number takes only the bits needed to tell these apart, so a part that never changes
//! takes none, and a whole state a few words. When a number needs another bit, it gets one that no
//! row uses yet. Its bits are then scattered and slower to collect; so if the rows have doubled
//! since the last repacking, or no bit is left, all rows are repacked instead.

use std::hint::black_box;

use super::super::IsNew;
use super::shards::{SHARDS, Shard, hash, shard_of};

/// The visited states.
pub(crate) struct Rows {
    /// Where the bits of the numbers lie: by position, lowest bits first.
    stretches: Vec<Stretch>,
    /// For each position, where its stretches begin; after the last one, where they end.
    begins: Vec<u32>,
    /// How many words a row takes, and how many bits of the last one are in use.
    words: usize,
    given: u32,
    /// How many rows there were at the last repacking.
    packed_at: usize,
    rows: Vec<u64>,
    shards: Vec<Shard>,
}

/// Bits of a number, side by side in a word of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    /// The mask of its bits, before the shift.
    mask: u32,
    position: u32,
    word: u32,
    shift: u8,
    /// Which bit of the number is its first.
    offset: u8,
}

impl Stretch {
    fn new(position: usize, word: usize, shift: u32, (offset, bits): (u32, u32)) -> Self {
        Self {
            mask: u32::MAX >> (u32::BITS - bits),
            position: position as u32,
            word: word as u32,
            shift: shift as u8,
            offset: offset as u8,
        }
    }

    fn get(self, packed: &[u64]) -> u32 {
        ((packed[self.word as usize] >> self.shift) as u32 & self.mask) << self.offset
    }

    /// Overwrites its bits with those of a number.
    fn put(self, packed: &mut [u64], number: u32) {
        packed[self.word as usize] &= !(u64::from(self.mask) << self.shift);
        self.enter(packed, number);
    }

    /// Writes its bits of a number where there are only zeros.
    fn enter(self, packed: &mut [u64], number: u32) {
        let bits = number >> self.offset & self.mask;
        packed[self.word as usize] |= u64::from(bits) << self.shift;
    }

    /// How many bits the number has up to the end of this stretch.
    fn end(self) -> u32 {
        u32::from(self.offset) + self.mask.count_ones()
    }
}

/// Repacking leaves at least this many bits free, so that it does not happen often.
const SPARE: u32 = 8;

/// Beyond this many words, 1 MiB, the rows grow by less than a factor of two.
const LARGE: usize = 1 << 17;

impl Rows {
    /// No rows yet; they will have this many positions.
    pub(crate) fn new(positions: usize) -> Self {
        Self {
            stretches: Vec::new(),
            begins: vec![0; positions + 1],
            words: 1,
            given: 0,
            packed_at: 0,
            rows: Vec::new(),
            shards: (0..SHARDS).map(|_| Shard::new()).collect(),
        }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len() / self.words
    }

    /// How many words a row takes.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// The size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.capacity() * 8 + self.shards.iter().map(Shard::bytes).sum::<usize>()
    }

    /// A row, packed.
    pub(crate) fn packed(&self, row: u32) -> &[u64] {
        let at = row as usize * self.words;
        &self.rows[at..at + self.words]
    }

    /// Unpacks a row: a number for each position.
    pub(crate) fn unpack(&self, row: u32, numbers: &mut [u32]) {
        self.unpack_from(self.packed(row), numbers);
    }

    fn unpack_from(&self, packed: &[u64], numbers: &mut [u32]) {
        numbers.fill(0);
        for stretch in &self.stretches {
            numbers[stretch.position as usize] |= stretch.get(packed);
        }
    }

    /// The number at a position of a row.
    pub(crate) fn number_at(&self, row: u32, position: usize) -> u32 {
        let packed = self.packed(row);
        self.of(position).iter().fold(0, |number, stretch| number | stretch.get(packed))
    }

    /// Puts a number at a position of a packed row.
    pub(crate) fn put(&self, packed: &mut [u64], position: usize, number: u32) {
        for stretch in self.of(position) {
            stretch.put(packed, number);
        }
    }

    fn of(&self, position: usize) -> &[Stretch] {
        &self.stretches[self.begins[position] as usize..self.begins[position + 1] as usize]
    }

    /// A row of numbers, packed.
    pub(crate) fn pack(&self, numbers: &[u32]) -> Vec<u64> {
        let mut packed = vec![0; self.words];
        self.pack_into(numbers, &mut packed);
        packed
    }

    fn pack_into(&self, numbers: &[u32], packed: &mut [u64]) {
        packed.fill(0);
        for stretch in &self.stretches {
            stretch.enter(packed, numbers[stretch.position as usize]);
        }
    }

    /// Makes room for these numbers at their positions. Each position appears once.
    pub(crate) fn widen(&mut self, numbers: &[(u32, u32)]) {
        let needs = |(position, number): &(u32, u32)| {
            let (position, needed) = (*position as usize, u32::BITS - number.leading_zeros());
            (needed > self.bits(position)).then_some((position, needed))
        };
        let wide: Vec<(usize, u32)> = numbers.iter().filter_map(needs).collect();
        if wide.is_empty() {
            return;
        }
        let more: u32 = wide.iter().map(|(position, needed)| needed - self.bits(*position)).sum();
        let has_doubled = self.len() >= 2 * self.packed_at;
        if has_doubled || self.given + more > u64::BITS {
            return self.pack_anew(&wide);
        }
        for (position, needed) in wide {
            // No row has used these bits: they are 0, as old numbers need.
            let bits = self.bits(position);
            let more = Stretch::new(position, self.words - 1, self.given, (bits, needed - bits));
            self.given += needed - bits;
            self.stretches.insert(self.begins[position + 1] as usize, more);
            self.begins[position + 1..].iter_mut().for_each(|begin| *begin += 1);
        }
    }

    fn bits(&self, position: usize) -> u32 {
        self.of(position).last().map_or(0, |last| last.end())
    }

    /// Repacks: gives each number one stretch, with this many bits for the numbers in `wide`.
    fn pack_anew(&mut self, wide: &[(usize, u32)]) {
        let mut needed: Vec<u32> =
            (0..self.begins.len() - 1).map(|position| self.bits(position)).collect();
        for (position, bits) in wide {
            needed[*position] = *bits;
        }
        let (mut word, mut given) = (0, 0);
        let mut stretches = Vec::new();
        let mut begins = vec![0];
        for (position, bits) in needed.into_iter().enumerate() {
            if given + bits > u64::BITS {
                (word, given) = (word + 1, 0);
            }
            if bits > 0 {
                stretches.push(Stretch::new(position, word, given, (0, bits)));
                given += bits;
            }
            begins.push(stretches.len() as u32);
        }
        if given + SPARE > u64::BITS {
            (word, given) = (word + 1, 0);
        }
        let anew = Self {
            stretches,
            begins,
            words: word + 1,
            given,
            packed_at: self.len(),
            rows: Vec::new(),
            shards: Vec::new(),
        };
        let rows = self.packed_as(&anew);
        let shards = std::mem::take(&mut self.shards);
        *self = Self { rows, shards, ..anew };
        self.fill_shards();
    }

    /// All rows, repacked in place: there may be no memory for a copy.
    fn packed_as(&mut self, anew: &Self) -> Vec<u64> {
        let (count, old, new) = (self.len(), self.words, anew.words);
        let mut rows = std::mem::take(&mut self.rows);
        let mut numbers = vec![0; self.begins.len() - 1];
        let mut pack = |rows: &mut Vec<u64>, row: usize| {
            self.unpack_from(&rows[row * old..][..old], &mut numbers);
            anew.pack_into(&numbers, &mut rows[row * new..][..new]);
        };
        // Rows that get longer move up, the last one first, so that none is overwritten before it is read.
        if new > old {
            let more = count * (new - old);
            rows.reserve_exact(more);
            rows.resize(count * new, 0);
            (0..count).rev().for_each(|row| pack(&mut rows, row));
        } else {
            (0..count).for_each(|row| pack(&mut rows, row));
            rows.truncate(count * new);
        }
        rows
    }

    /// The number of a packed row, and whether it is new.
    pub(crate) fn insert(&mut self, packed: &[u64]) -> (u32, IsNew) {
        self.insert_hashed(packed, hash(packed))
    }

    /// As [`Rows::insert`], for a row whose hash is known.
    pub(crate) fn insert_hashed(&mut self, packed: &[u64], hash: u32) -> (u32, IsNew) {
        let shard = shard_of(hash);
        let at = match self.shards[shard].place(hash, |row| self.packed(row) == packed) {
            Ok(row) => return (row, IsNew::Known),
            Err(at) => at,
        };
        let row = self.next();
        self.append(packed);
        self.shards[shard].put(at, hash, row);
        self.shards[shard].reserve(1);
        (row, IsNew::New)
    }

    /// The number of the next row.
    pub(crate) fn next(&self) -> u32 {
        u32::try_from(self.len()).expect("the memory limit comes first")
    }

    /// Prefetches what inserting rows with these hashes will read: the slots, and then the rows
    /// that they will most likely be compared with. Many such independent accesses take hardly
    /// longer than one, because none waits for another.
    pub(crate) fn fetch(&self, hashes: &[u32]) {
        let slot = |hash: &u32| self.shards[shard_of(*hash)].first(*hash);
        black_box(hashes.iter().fold(0, |all, hash| all ^ slot(hash)));
        let likely = |hash: &u32| self.shards[shard_of(*hash)].likely(*hash);
        let rows = hashes.iter().filter_map(likely);
        black_box(rows.fold(0, |all, row| all ^ self.rows[row as usize * self.words]));
    }

    /// Takes the shards out, to enter rows while other threads read the existing ones.
    pub(crate) fn take_shards(&mut self) -> Vec<Shard> {
        std::mem::take(&mut self.shards)
    }

    /// Puts the shards back, with the rows that were entered.
    pub(crate) fn give_back(&mut self, shards: Vec<Shard>, fresh: &[u64]) {
        self.shards = shards;
        self.append(fresh);
    }

    fn append(&mut self, rows: &[u64]) {
        let free = self.rows.capacity() - self.rows.len();
        // Large rows do not double: that could take about all the memory there is.
        if free < rows.len() && self.rows.len() > LARGE {
            self.rows.reserve_exact(rows.len().max(self.rows.len() / 8));
        }
        self.rows.extend_from_slice(rows);
    }

    fn fill_shards(&mut self) {
        let mut shards = std::mem::take(&mut self.shards);
        shards.iter_mut().for_each(Shard::clear);
        for row in 0..self.next() {
            let hash = hash(self.packed(row));
            shards[shard_of(hash)].enter(hash, row);
        }
        self.shards = shards;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_numbers_when_they_are_packed_anew() {
        let mut rows = Rows::new(40);
        let mut packed = vec![0; rows.words()];
        assert_eq!(rows.insert(&packed), (0, IsNew::New));
        let mut expected = vec![vec![0; 40]];
        let mut numbers = vec![0; 40];
        for step in 1..2_000_u32 {
            let position = (step * 7 % 40) as usize;
            let number = step / 40 % 11;
            rows.widen(&[(position as u32, number)]);
            rows.unpack(step % 97 % rows.len() as u32, &mut numbers);
            packed = rows.packed(step % 97 % rows.len() as u32).to_vec();
            rows.put(&mut packed, position, number);
            numbers[position] = number;
            let known = expected.iter().position(|row| *row == numbers);
            let (row, new) = rows.insert(&packed);
            assert_eq!(new == IsNew::New, known.is_none());
            assert_eq!(row as usize, known.unwrap_or(expected.len()));
            if new == IsNew::New {
                expected.push(numbers.clone());
            }
        }
        for (row, expected) in expected.iter().enumerate() {
            rows.unpack(row as u32, &mut numbers);
            assert_eq!(numbers, *expected);
        }
    }
}
