//! The parts that were ever seen at each position, numbered per position.

use std::collections::BTreeMap;

/// For each position, the parts that were ever seen there.
pub(super) struct Seen {
    parts: Vec<Vec<u32>>,
    numbers: Vec<BTreeMap<u32, u32>>,
}

impl Seen {
    /// The parts of the first row; each has number 0 at its position.
    pub(super) fn new(row: Vec<u32>) -> Self {
        let numbers = row.iter().map(|part| BTreeMap::from([(*part, 0)])).collect();
        Self { parts: row.into_iter().map(|part| vec![part]).collect(), numbers }
    }

    pub(super) fn part(&self, position: usize, number: u32) -> u32 {
        self.parts[position][number as usize]
    }

    pub(super) fn parts_of(&self, row: &[u32]) -> Vec<u32> {
        let numbers = row.iter().enumerate();
        numbers.map(|(position, number)| self.part(position, *number)).collect()
    }

    pub(super) fn number(&mut self, position: usize, part: u32) -> u32 {
        let parts = &mut self.parts[position];
        *self.numbers[position].entry(part).or_insert_with(|| {
            parts.push(part);
            parts.len() as u32 - 1
        })
    }
}
