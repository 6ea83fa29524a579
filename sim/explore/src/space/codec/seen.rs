//! The parts that were ever seen at each position, numbered per position.

use std::collections::BTreeMap;

/// For each position, the parts that were ever seen there.
pub(crate) struct Seen {
    parts: Vec<Vec<u32>>,
    numbers: Vec<BTreeMap<u32, u32>>,
    /// What was new since somebody asked: positions with their highest numbers.
    new: BTreeMap<u32, u32>,
}

impl Seen {
    /// The parts of the first row; each has number 0 at its position.
    pub(crate) fn new(row: Vec<u32>) -> Self {
        let numbers = row.iter().map(|part| BTreeMap::from([(*part, 0)])).collect();
        let parts = row.into_iter().map(|part| vec![part]).collect();
        Self { parts, numbers, new: BTreeMap::new() }
    }

    pub(crate) fn part(&self, position: usize, number: u32) -> u32 {
        self.parts[position][number as usize]
    }

    pub(crate) fn parts_of(&self, row: &[u32]) -> Vec<u32> {
        let numbers = row.iter().enumerate();
        numbers.map(|(position, number)| self.part(position, *number)).collect()
    }

    pub(crate) fn number(&mut self, position: usize, part: u32) -> u32 {
        let parts = &mut self.parts[position];
        let new = &mut self.new;
        *self.numbers[position].entry(part).or_insert_with(|| {
            parts.push(part);
            let number = parts.len() as u32 - 1;
            new.insert(position as u32, number);
            number
        })
    }

    /// The positions at which higher numbers appeared since this was last asked, with the highest of each.
    pub(crate) fn take_new(&mut self) -> BTreeMap<u32, u32> {
        std::mem::take(&mut self.new)
    }
}
