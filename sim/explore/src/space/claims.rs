//! Whether predicates hold in states: like a step, that is looked up for what it reads.

use std::collections::BTreeSet;

use ipcsim_kernel::Predicate;

use super::steps::cache::{TransitionCache, Walk};
use super::steps::{Steps, Truth};
use super::{Looks, Space};

/// What is claimed of states.
pub(super) struct Claims {
    predicates: Vec<Predicate>,
    /// The known truth values.
    truths: TransitionCache<Truth>,
    walk: Walk,
}

impl Claims {
    pub(super) fn new(looks: Looks) -> Self {
        let predicates = looks.predicates.to_vec();
        Self { predicates, truths: TransitionCache::new(), walk: Walk::default() }
    }

    /// Whether the predicate with this number holds in a state.
    fn holds(&mut self, steps: &Steps, predicate: usize, row: &[u32]) -> Truth {
        let what = predicate as u32;
        while self.truths.effects(what, row, &mut self.walk).is_err() {
            let (truth, reads) = steps.judge(&self.predicates[predicate], row);
            self.truths.learn(what, row, &reads, truth, 0);
        }
        self.truths.effect(self.walk.found[0]).clone()
    }
}

impl Space<'_> {
    /// Whether the predicate with this number holds in a state.
    pub fn holds(&mut self, predicate: usize, state: u32) -> Truth {
        self.store.rows.unpack(state, &mut self.row);
        self.claims.holds(&self.steps, predicate, &self.row)
    }

    /// How many different views a predicate has had, counted up to two: one means that nothing it reads ever changes.
    pub fn sights(&self, predicate: usize, states: impl Iterator<Item = u32>) -> usize {
        let mut sights = BTreeSet::new();
        for state in states {
            let state = self.state(state);
            let sight = self.claims.predicates[predicate].sight(&state);
            sights.insert(format!("{sight:?}"));
            if sights.len() > 1 {
                break;
            }
        }
        sights.len()
    }
}
