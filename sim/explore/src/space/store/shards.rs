//! The hash table of visited states, in shards by hash.
//!
//! Open addressing with linear probing. A slot holds a hash and the number of a row, plus one: so
//! most non-matching rows are skipped without reading them.

/// The number of shards.
pub(crate) const SHARDS: usize = 8;

/// The states whose hashes end in the same bits.
pub(crate) struct Shard {
    slots: Vec<u64>,
    shift: u32,
    count: usize,
}

impl Shard {
    pub(crate) fn new() -> Self {
        Self { slots: vec![0; 64], shift: 32 - 6, count: 0 }
    }

    /// How many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * 8
    }

    /// The number of the row with this hash for which `is_it` holds; if there is none, the slot that it would get.
    pub(crate) fn place(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            let row = slot as u32 - 1;
            if (slot >> 32) as u32 == hash && is_it(row) {
                return Ok(row);
            }
            at = (at + 1) & mask;
        }
    }

    /// The first slot that is probed for this hash.
    pub(crate) fn first(&self, hash: u32) -> u64 {
        self.slots[(hash >> self.shift) as usize]
    }

    /// The most likely row for this hash.
    pub(crate) fn likely(&self, hash: u32) -> Option<u32> {
        let slot = self.first(hash);
        ((slot >> 32) as u32 == hash).then(|| (slot as u32).checked_sub(1)).flatten()
    }

    /// Puts a row into its slot. There must be room.
    pub(crate) fn put(&mut self, at: usize, hash: u32, row: u32) {
        self.slots[at] = u64::from(hash) << 32 | u64::from(row + 1);
        self.count += 1;
    }

    /// Makes room for this many more rows.
    pub(crate) fn reserve(&mut self, more: usize) {
        while (self.count + more) * 3 > self.slots.len() * 2 {
            // The old slots hold the hashes.
            let size = self.slots.len() * 2;
            let old = std::mem::replace(&mut self.slots, vec![0; size]);
            self.shift = self.shift.checked_sub(1).expect("the memory limit comes first");
            for slot in old.into_iter().filter(|slot| *slot != 0) {
                self.enter_slot(slot);
            }
        }
    }

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(0);
        self.count = 0;
    }

    /// Enters a row that is not there yet.
    pub(crate) fn enter(&mut self, hash: u32, row: u32) {
        self.reserve(1);
        self.count += 1;
        self.enter_slot(u64::from(hash) << 32 | u64::from(row + 1));
    }

    fn enter_slot(&mut self, slot: u64) {
        let mask = self.slots.len() - 1;
        let mut at = (slot >> 32) as usize >> self.shift;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }
}

/// The shard that a hash belongs to.
pub(crate) fn shard_of(hash: u32) -> usize {
    hash as usize % SHARDS
}

/// Multiplies and mixes in the high half, word by word.
pub(crate) fn hash(packed: &[u64]) -> u32 {
    let mut sum: u64 = 0x243f_6a88_85a3_08d3;
    for word in packed {
        sum = (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        sum ^= sum >> 32;
    }
    (sum.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32) as u32
}
