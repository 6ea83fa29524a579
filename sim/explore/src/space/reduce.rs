//! What is left out of the state space: how the reductions take part in the search.

use ipcsim_kernel::{Detect, Machine, ProcessId, State};

use super::lazy::Lazy;
use super::order::{PartialOrder, Standing, View};
use super::parts::{Is, MEMORY, Part};
use super::symmetry::Symmetry;
use super::transitions::{Move, Step};
use super::{Edge, Space};

/// Whether a reduction is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Used.
    On,
    /// Not used.
    Off,
}

/// Which reductions are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reductions {
    /// Local work is merged with the call before it, and dead variables are forgotten.
    pub merge: Reduction,
    /// Lazy calls: a call that would only block has not been made yet.
    pub lazy: Reduction,
    /// Partial-order reduction: of independent steps, one order is enough.
    pub order: Reduction,
    /// Symmetry reduction: which of several replicas it is does not matter.
    pub symmetry: Reduction,
}

impl Reductions {
    /// None of them.
    pub const NONE: Self = Self {
        merge: Reduction::Off,
        lazy: Reduction::Off,
        order: Reduction::Off,
        symmetry: Reduction::Off,
    };
    /// Only the one that leaves out no schedule.
    pub const MERGE: Self = Self { merge: Reduction::On, ..Self::NONE };
    /// All of them.
    pub const ALL: Self = Self {
        merge: Reduction::On,
        lazy: Reduction::On,
        order: Reduction::On,
        symmetry: Reduction::On,
    };
}

impl Reductions {
    /// Those that are sound for this machine. A kernel that refuses deadlocks looks at how far
    /// every thread is and what its variables hold, so there local work is visible to others.
    #[must_use]
    pub fn sound_for(self, machine: &Machine) -> Self {
        match machine.policies.detect {
            Detect::Report => self,
            Detect::Refuse | Detect::RefuseChain => Self::NONE,
        }
    }

    /// Without those that leave out schedules: the ones with which a schedule is shown.
    #[must_use]
    pub fn of_schedules(self) -> Self {
        Self { merge: self.merge, ..Self::NONE }
    }
}

/// How many moves there were, and how many of them a reduction kept.
#[derive(Default)]
pub(super) struct Trial {
    pub moves: usize,
    pub kept: usize,
}

impl Trial {
    /// Whether the reduction is worth its time: finding out what to leave out takes longer than a move.
    fn pays(&self) -> bool {
        const ENOUGH_TO_TELL: usize = 20_000;
        self.moves < ENOUGH_TO_TELL || self.kept + self.kept / 8 < self.moves
    }
}

impl Space<'_> {
    /// Whether schedules may be left out.
    pub fn is_reduced(&self) -> bool {
        self.lazy.is_some() || self.order.is_some() || self.symmetry.is_some()
    }

    /// Whether partial-order reduction, if used, has left out enough so far to be worth its time.
    pub fn order_pays(&self) -> bool {
        self.trial.pays()
    }

    /// Of the steps from the current state, keeps those of a stubborn set.
    pub(super) fn keep_stubborn(
        &mut self,
        order: &mut PartialOrder,
        lazy: &mut Lazy,
        first: usize,
    ) {
        let steps = &self.batch.pending[first..];
        if steps.len() < 2 {
            return;
        }
        let part_of = |t: usize| {
            let position = self.layout.thread(t);
            self.seen.part(position, self.row[position])
        };
        (0..self.layout.threads).for_each(|t| lazy.learn(self.machine, &self.parts, part_of(t)));
        let standing = |t: usize| {
            let part = part_of(t);
            let thread = match self.parts.get(part) {
                Part::Thread(thread) => Some(thread),
                _ => None,
            };
            Standing { at: order.place(t, part, thread), thread, reach: lazy.of_part(part) }
        };
        let view = View { threads: (0..self.layout.threads).map(standing).collect() };
        let steps: Vec<(Step, &[ProcessId])> = steps
            .iter()
            .map(|pending| (pending.step, &*self.transitions.effect(pending.effect).ended))
            .collect();
        let kept = order.stubborn(&view, &steps);
        self.work += std::mem::take(&mut order.work);
        self.trial.moves += steps.len();
        let Some(kept) = kept else {
            self.trial.kept += steps.len();
            return;
        };
        let mut at = 0;
        self.batch.pending.retain(|_| {
            at += 1;
            at <= first || kept[at - first - 1]
        });
        self.trial.kept += self.batch.pending.len() - first;
    }

    /// As [`Space::arrive`], but enters the canonical representatives of the targets.
    pub(super) fn arrive_in_order(
        &mut self,
        mut symmetry: Symmetry,
        edges: &mut Vec<Edge>,
    ) -> Symmetry {
        let mut rows = Vec::new();
        let width = self.layout.width();
        let pending = std::mem::take(&mut self.batch.pending);
        for move_ in &pending {
            if self.is_cut() {
                break;
            }
            self.go(move_.from, move_.effect);
            self.put_in_order(&mut symmetry);
            rows.extend_from_slice(&self.row);
        }
        for (move_, row) in pending.iter().zip(rows.chunks_exact(width)) {
            let packed = self.rows.pack(row);
            edges.push(move_.arrives(self.rows.insert(&packed)));
        }
        self.batch.pending = pending;
        symmetry
    }

    /// Replaces the current state by its canonical representative.
    fn put_in_order(&mut self, symmetry: &mut Symmetry) {
        let mut parts = self.seen.parts_of(&self.row);
        if symmetry.arrange(self.machine, &mut self.parts, &mut parts) {
            self.row_of(&parts);
        }
    }

    /// Makes the current row from a state's parts.
    fn row_of(&mut self, parts: &[u32]) {
        for (position, part) in parts.iter().enumerate() {
            let number = self.seen.number(position, *part);
            self.rows.widen(&[(position as u32, number)]);
            self.row[position] = number;
        }
    }

    /// A transition of the reduced space, translated to the whole system, where the replicas are `who` (by default,
    /// nobody has changed places): the move, the parts of the target state, and who the replicas are there.
    pub(crate) fn in_the_whole(
        &mut self,
        edge: &Edge,
        who: Option<&[u8]>,
    ) -> (Step, Vec<u32>, Option<Vec<u8>>) {
        let step = Step { blocks: edge.blocks, what: edge.what };
        self.go(edge.from, edge.effect);
        let mut parts = self.seen.parts_of(&self.row);
        let Some(symmetry) = &mut self.symmetry else { return (step, parts, None) };
        let nobody = symmetry.nobody_moves();
        let who = who.unwrap_or(&nobody);
        let step = Step {
            blocks: step.blocks.and_then(|t| symmetry.as_done_by(Move::Call(t), who).thread()),
            what: symmetry.as_done_by(step.what, who),
        };
        let there = symmetry.as_arranged(self.machine, &mut self.parts, &parts, who);
        let after = symmetry.who_after(self.machine, &mut self.parts, &mut parts, who);
        (step, there, Some(after))
    }

    /// The parts of a state of the whole system, numbered as here.
    pub fn parts_of(&mut self, state: &State) -> Vec<u32> {
        let mut parts = self.parts.of_state(self.machine, &self.layout, state);
        if self.layout.memory == Is::NotSo {
            // Then nothing depends on it, and it keeps its initial value.
            parts[MEMORY] = self.seen.part(MEMORY, 0);
        }
        parts
    }
}
