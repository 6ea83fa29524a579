//! A state as bytes: equal bytes mean equal states, and equal futures.
//!
//! Nobody lists the fields by hand: `derive(Hash)` does, so none can be forgotten. A field that decides
//! nothing is a [`crate::Ghost`], which writes nothing. Every number marks its own end and every list its
//! length, so no two states have the same bytes (`tests/encoding.rs`).
//!
//! In the bytes of a whole state, reply rights are renumbered in order of appearance, because only their
//! equality matters. A part that is encoded alone does not know the other parts and keeps its numbers.

use std::hash::{Hash, Hasher};

use ipcsim_program::{Rename, ReplyRight, Walk};

use crate::state::State;

/// Appends the bytes of a state.
pub fn encode(state: &State, out: &mut Vec<u8>) {
    let mut bytes = Bytes(out);
    state.processes.items().hash(&mut bytes);
    // No variable that names a call is in memory.
    state.spaces.items().hash(&mut bytes);
    if state.threads.items().iter().all(|thread| thread.calls.0 == 0) {
        state.threads.items().hash(&mut bytes);
        state.mailboxes.items().hash(&mut bytes);
        return state.memory.items().hash(&mut bytes);
    }
    let mut names = ByAppearance(Vec::new());
    for thread in state.threads.items() {
        thread.renamed(&mut names).hash(&mut bytes);
    }
    for mailbox in state.mailboxes.items() {
        mailbox.renamed(&mut names).hash(&mut bytes);
    }
    state.memory.items()[0].renamed(&mut names).hash(&mut bytes);
    // A right that is mentioned nowhere else cannot be used.
    for (right, holder) in &state.abandoned.items()[0] {
        if let Some(place) = names.place_of(*right) {
            (place, holder).hash(&mut bytes);
        }
    }
}

/// Appends the bytes of a part of a state: one entry of one of its tables.
pub fn encode_part(part: &impl Hash, out: &mut Vec<u8>) {
    part.hash(&mut Bytes(out));
}

/// Keeps what a hasher is given instead of mixing it.
struct Bytes<'a>(&'a mut Vec<u8>);

impl Bytes<'_> {
    /// Seven bits per byte, lowest first: most numbers are small, and each marks its own end.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }
}

impl Hasher for Bytes<'_> {
    /// Only text arrives here; each text is followed by a byte that no text contains.
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn write_u8(&mut self, number: u8) {
        self.0.push(number);
    }

    fn write_u32(&mut self, number: u32) {
        self.number(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.number(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.number(number as u64);
    }

    fn write_i64(&mut self, number: i64) {
        self.signed(number);
    }

    fn write_isize(&mut self, number: isize) {
        self.signed(number as i64);
    }

    fn finish(&self) -> u64 {
        unreachable!("the bytes are what is wanted")
    }
}

/// Numbers the reply rights in order of appearance.
struct ByAppearance(Vec<ReplyRight>);

impl ByAppearance {
    fn place_of(&self, right: ReplyRight) -> Option<u32> {
        let place = self.0.iter().position(|known| *known == right)?;
        Some(u32::try_from(place).expect("threads and their rights are limited"))
    }
}

impl Rename for ByAppearance {
    fn right(&mut self, right: ReplyRight) -> ReplyRight {
        let call = self.place_of(right).unwrap_or_else(|| {
            self.0.push(right);
            u32::try_from(self.0.len() - 1).expect("threads and their rights are limited")
        });
        ReplyRight { call, ..right }
    }
}
