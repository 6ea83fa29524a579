//! The visited states: each is kept once, as the packed row of its canonical representative.

mod filter;
mod pool;
pub(crate) mod rows;
mod shards;
mod together;

use std::hint::black_box;

use super::codec::Codec;
use super::steps::{Pending, Steps};
use super::{Edge, IsNew, Space};
pub use filter::Filter;
use rows::Rows;
use shards::hash;
pub(super) use together::Crew;
pub use together::{Lookers, Together};

/// At most this many words of state vectors are processed together: half a MiB.
const WORDS_AT_ONCE: usize = 1 << 16;
/// At most this many states are expanded together: overlapping memory accesses take hardly longer
/// than one.
const BATCH: u32 = 32;

/// So many parts are put in order in the time in which one step is looked up.
const PARTS_AT_ONCE: u64 = 16;

/// The visited states.
pub(super) struct Store {
    pub rows: Rows,
    packed: Vec<u64>,
    hashes: Vec<u32>,
}

impl Store {
    /// No states yet.
    pub(super) fn new(width: usize) -> Self {
        Self { rows: Rows::new(width), packed: Vec::new(), hashes: Vec::new() }
    }

    /// How many states are expanded together.
    pub(super) fn batch(width: usize) -> u32 {
        let fit = WORDS_AT_ONCE / width;
        BATCH.min(u32::try_from(fit).unwrap_or(BATCH)).max(1)
    }

    /// Makes room for all numbers that have appeared.
    pub(super) fn fit(&mut self, codec: &mut Codec) {
        let new = codec.seen.take_new();
        if !new.is_empty() {
            self.rows.widen(&new.into_iter().collect::<Vec<_>>());
        }
    }

    /// Appends the packed target of a step.
    fn lead(rows: &Rows, steps: &Steps, step: Pending, packed: &mut Vec<u64>) {
        let at = packed.len();
        packed.extend_from_slice(rows.packed(step.from));
        for (position, number) in &steps.cache.effect(step.effect).writes {
            rows.put(&mut packed[at..], *position as usize, *number);
        }
    }

    /// Enters the targets of these steps. They are all looked up together.
    fn enter(&mut self, steps: &Steps, pending: &[Pending], edges: &mut Vec<Edge>) {
        let Self { rows, packed, hashes } = self;
        packed.clear();
        hashes.clear();
        let words = rows.words();
        // As in `Rows::fetch`: independent memory accesses overlap.
        let writes = pending.iter().map(|step| &steps.cache.effect(step.effect).writes);
        black_box(writes.fold(0, |all, writes| all ^ writes.first().map_or(0, |(to, _)| *to)));
        for (at, step) in pending.iter().enumerate() {
            Self::lead(rows, steps, *step, packed);
            hashes.push(hash(&packed[at * words..]));
        }
        rows.fetch(hashes);
        let places = packed.chunks_exact(words).zip(hashes.iter());
        for (step, (packed, hash)) in pending.iter().zip(places) {
            edges.push(step.arrives(rows.insert_hashed(packed, *hash)));
        }
    }
}

impl Pending {
    /// The transition, now that its target is known.
    fn arrives(self, (to, new): (u32, IsNew)) -> Edge {
        let Self { from, step, effect } = self;
        Edge { from, blocks: step.blocks, what: step.what, to, new, effect }
    }
}

impl Space<'_> {
    /// Enters the targets of the steps that were found; if the search is cut off, only the first of them.
    pub(super) fn arrive(&mut self, edges: &mut Vec<Edge>) {
        if self.steps.limit.cut.is_some() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        if self.symmetry.is_some() {
            self.arrive_in_order(&pending, edges);
        } else {
            self.store.fit(&mut self.steps.codec);
            for pending in pending.chunks((WORDS_AT_ONCE / self.store.rows.words()).max(1)) {
                self.store.enter(&self.steps, pending, edges);
                if self.is_cut() {
                    break;
                }
            }
        }
        self.pending = pending;
    }

    /// As [`Space::arrive`], but enters the canonical representatives of the targets.
    fn arrive_in_order(&mut self, pending: &[Pending], edges: &mut Vec<Edge>) {
        let mut rows = Vec::new();
        for step in pending {
            if self.is_cut() {
                break;
            }
            self.go(step.from, step.effect);
            if let Some(symmetry) = &mut self.symmetry {
                let Steps { machine, codec, .. } = &mut self.steps;
                symmetry.put_in_order(machine, codec, &mut self.row);
            }
            rows.extend_from_slice(&self.row);
        }
        // To put the parts of a state in order takes as long as to look up a few steps.
        self.steps.work += rows.len() as u64 / PARTS_AT_ONCE;
        self.store.fit(&mut self.steps.codec);
        for (step, row) in pending.iter().zip(rows.chunks_exact(self.steps.codec.width())) {
            let packed = self.store.rows.pack(row);
            edges.push(step.arrives(self.store.rows.insert(&packed)));
        }
    }
}
