//! Many walks through the transition cache side by side: while one waits for memory, the others go on.

use super::super::store::rows::Rows;
use super::Steps;
use super::cache::{Move, Pace, Step};

/// The known effects of the moves of some states.
#[derive(Default)]
pub(crate) struct Walks {
    rows: Vec<u32>,
    moves: Vec<Move>,
    pub all: Vec<OneWalk>,
    under_way: Vec<u32>,
}

/// The walk of one move.
pub(crate) struct OneWalk {
    pub state: u32,
    /// The index of its row.
    place: usize,
    pub what: Move,
    /// Where it is.
    at: u32,
    /// The effect, if it is known and there is only one.
    pub effect: Option<u32>,
}

impl Walks {
    /// Walks for all moves of these states, in order.
    pub(crate) fn walk(
        &mut self,
        (steps, kept): (&Steps, &Rows),
        states: impl ExactSizeIterator<Item = u32>,
    ) {
        let width = steps.codec.width();
        self.rows.resize(width * states.len(), 0);
        self.all.clear();
        self.under_way.clear();
        for (place, (state, row)) in states.zip(self.rows.chunks_exact_mut(width)).enumerate() {
            kept.unpack(state, row);
            steps.moves_in(row, &mut self.moves);
            for what in &self.moves {
                let start = steps.cache.start(Step::alone(*what));
                if start.is_some() {
                    self.under_way.push(self.all.len() as u32);
                }
                let at = start.unwrap_or_default();
                self.all.push(OneWalk { state, place, what: *what, at, effect: None });
            }
        }
        let Self { rows, all, under_way, .. } = self;
        while !under_way.is_empty() {
            under_way.retain(|number| {
                let walk = &mut all[*number as usize];
                let row = walk.place * width;
                match steps.cache.step(walk.at, &rows[row..row + width]) {
                    Pace::To(next) => {
                        walk.at = next;
                        return true;
                    }
                    Pace::Done(effect) => walk.effect = Some(effect),
                    Pace::Several => {}
                }
                false
            });
        }
    }
}
