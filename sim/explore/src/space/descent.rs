//! Depth-first traversal of the state space, without storing states.
//!
//! It keeps only the current state and an undo log for backtracking. A state is identified by a
//! 64-bit number combined from the value at each position (Zobrist hashing), so that a step costs
//! only what it changes.

use ipcsim_kernel::State;
use ipcsim_kernel::table::Clock;

use super::Space;
use super::steps::Pending;
use super::steps::cache::{Achieved, Delivery, Move, Step};

/// A walk: the current state, and the path to it.
pub struct Descent<'s, 'm> {
    space: &'s mut Space<'m>,
    /// The states on the path, each with its outgoing transitions.
    frames: Vec<Frame>,
    ways: Vec<Pending>,
    /// The old values of positions that were written, oldest first.
    undo: Vec<(u32, u32)>,
    hash: u64,
}

/// A state on the path.
struct Frame {
    /// Where its outgoing transitions begin, and the next one to take.
    first: usize,
    next: usize,
    /// The length of the undo log when it was reached.
    undo: usize,
}

impl<'s, 'm> Descent<'s, 'm> {
    /// A walk that has not yet begun.
    pub fn new(space: &'s mut Space<'m>) -> Self {
        space.row.fill(0);
        let mut descent =
            Self { space, frames: Vec::new(), ways: Vec::new(), undo: Vec::new(), hash: 0 };
        descent.find(|Space { steps, row, pending, .. }| {
            steps.follow((0, row), Step::alone(Move::Begin), pending);
        });
        descent.push();
        descent
    }

    /// Takes the next untaken transition, backtracking as far as necessary; none if all have been taken.
    pub fn go(&mut self) -> Option<Taken> {
        loop {
            let frame = self.frames.last_mut()?;
            if frame.next == self.ways.len() {
                self.ways.truncate(frame.first);
                self.frames.pop();
                self.back();
                continue;
            }
            let pending = self.ways[frame.next];
            frame.next += 1;
            let effect = self.space.steps.cache.effect(pending.effect);
            let taken = Taken { achieved: effect.achieved, delivery: effect.delivery };
            for (position, number) in &effect.writes {
                let here = &mut self.space.row[*position as usize];
                self.undo.push((*position, *here));
                self.hash ^= key(*position, *here) ^ key(*position, *number);
                *here = *number;
            }
            return Some(taken);
        }
    }

    /// Stays at the state just reached, so that its outgoing transitions come next; not if it has none.
    pub fn stay(&mut self) -> bool {
        self.find(|Space { steps, row, pending, .. }| steps.all((0, row), pending));
        let goes_on = !self.space.pending.is_empty();
        if goes_on {
            self.push();
        }
        goes_on
    }

    /// Leaves the state just reached.
    pub fn back(&mut self) {
        let Some(frame) = self.frames.last() else { return };
        for (position, number) in self.undo.drain(frame.undo..).rev() {
            let here = &mut self.space.row[position as usize];
            self.hash ^= key(position, *here) ^ key(position, number);
            *here = number;
        }
    }

    /// Finds steps from the current state.
    fn find(&mut self, find: impl FnOnce(&mut Space)) {
        self.space.pending.clear();
        find(self.space);
    }

    fn push(&mut self) {
        let first = self.ways.len();
        self.ways.extend_from_slice(&self.space.pending);
        self.frames.push(Frame { first, next: first, undo: self.undo.len() });
    }

    /// The hash of the current state. Other states share it, but the walk hardly ever meets one.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The path to the current state: which outgoing transition was taken in each state before it.
    pub fn ways(&self) -> impl Iterator<Item = u32> + '_ {
        self.frames.iter().map(|frame| (frame.next - frame.first - 1) as u32)
    }

    /// The number of steps, without the beginning.
    pub fn depth(&self) -> usize {
        self.frames.len() - 1
    }

    /// The space.
    pub fn space(&self) -> &Space<'m> {
        self.space
    }

    /// The current state, as the kernel knows it.
    pub fn state(&self) -> State {
        self.space.steps.codec.state(&self.space.row, &Clock::default())
    }

    /// How many bytes the path takes.
    pub fn bytes(&self) -> usize {
        self.frames.capacity() * size_of::<Frame>()
            + self.ways.capacity() * size_of::<Pending>()
            + self.undo.capacity() * size_of::<(u32, u32)>()
    }
}

/// What a step achieved.
pub struct Taken {
    pub achieved: Achieved,
    pub delivery: Delivery,
}

/// A fixed pseudo-random key for each number at each position: the finalizer of `SplitMix64`.
fn key(position: u32, number: u32) -> u64 {
    let mut mixed = (u64::from(position) << 32 | u64::from(number)).wrapping_add(GOLDEN);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
