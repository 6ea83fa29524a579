//! A set of transitions that is being closed.

use super::net::List;

/// A set that is being closed.
pub(super) struct Closing {
    /// For each transition, the number of the last set that it was in.
    stamps: Vec<u32>,
    stamp: u32,
    /// All that is in the set; the last ones are still to be looked at.
    pub set: Vec<usize>,
    looked_at: usize,
    /// How many members of lists were looked at.
    pub scanned: u64,
}

impl Closing {
    /// For a net with so many transitions.
    pub(super) fn over(count: usize) -> Self {
        Self { stamps: vec![0; count], stamp: 0, set: Vec::new(), looked_at: 0, scanned: 0 }
    }

    pub(super) fn begin(&mut self, seed: usize) {
        self.stamp += 1;
        self.set.clear();
        self.looked_at = 0;
        self.put(seed);
    }

    fn has(&self, transition: usize) -> bool {
        self.stamps[transition] == self.stamp
    }

    fn put(&mut self, transition: usize) {
        if !self.has(transition) {
            self.stamps[transition] = self.stamp;
            self.set.push(transition);
        }
    }

    pub(super) fn add(&mut self, list: &List) {
        self.scanned += list.len();
        list.iter().for_each(|transition| self.put(transition));
    }

    /// How many of these it does not have.
    pub(super) fn lacks(&mut self, list: &List) -> usize {
        self.scanned += list.len();
        list.iter().filter(|transition| !self.has(*transition)).count()
    }

    pub(super) fn next(&mut self) -> Option<usize> {
        let next = self.set.get(self.looked_at).copied()?;
        self.looked_at += 1;
        Some(next)
    }
}
