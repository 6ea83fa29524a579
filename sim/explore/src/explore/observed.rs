//! What a search with fewer schedules has observed.

use std::collections::BTreeSet;

use ipcsim_kernel::{Fault, Predicate};

use super::claims::Vacuous;
use crate::space::{Looks, Space};

/// What was observed.
pub(super) enum Observed {
    /// Of all states.
    CanBe(CanBe),
    /// Of those in which nothing moves any more.
    Remains(Remains),
}

impl Observed {
    /// The states that it tells of.
    pub(super) fn states(&mut self) -> Vec<&mut u32> {
        match self {
            Observed::CanBe(seen) => seen.states().collect(),
            Observed::Remains(seen) => seen.0.iter_mut().collect(),
        }
    }
}

/// States in which nothing moves any more: for each result the first one that was found.
pub(super) struct Remains(pub Vec<u32>);

impl Remains {
    /// More results are not shown by schedules of the whole system.
    const MOST: usize = 1_000;

    /// Looks at these states; `None` if they are too different, or cancelled.
    pub(super) fn of(space: &Space, looks: Looks, sinks: &[u32]) -> Option<Self> {
        let mut known = BTreeSet::new();
        let mut first = Vec::new();
        for sink in sinks {
            space.go_on()?;
            let state = space.state(*sink);
            let held: Vec<_> =
                looks.predicates.iter().map(|it: &Predicate| it.sight(&state)).collect();
            if known.insert(format!("{held:?} {:?}", space.log(*sink))) {
                first.push(*sink);
            }
        }
        (first.len() <= Self::MOST).then_some(Self(first))
    }
}

/// A state, or one in which it cannot be told because of this exception.
type Sight = Result<u32, (u32, Fault)>;

/// Where the predicate with number 0 holds, and where it does not.
pub(super) struct CanBe {
    /// Where it does not hold, if such a state was found.
    fails: Option<Sight>,
    /// Where it holds, if such a state was found; an exception only if none was.
    holds: Option<Sight>,
    /// Whether all that it looks at never changes.
    pub vacuous: Option<Vacuous>,
}

impl CanBe {
    /// Looks at all states from this one on; `None` if cancelled.
    pub(super) fn of(space: &mut Space, first: u32) -> Option<Self> {
        let (mut fails, mut holds) = (None, None);
        let states = first..space.states() as u32;
        for state in states.clone() {
            space.go_on()?;
            match space.holds(0, state) {
                Ok(true) if !matches!(holds, Some(Ok(_))) => holds = Some(Ok(state)),
                Ok(false) => fails = fails.or(Some(Ok(state))),
                Ok(true) => {}
                Err(fault) => {
                    fails = fails.or(Some(Err((state, fault.clone()))));
                    holds = holds.or(Some(Err((state, fault))));
                }
            }
            if fails.is_some() && matches!(holds, Some(Ok(_))) {
                break;
            }
        }
        let never_changes = space.sights(0, states) <= 1;
        Some(Self { fails, holds, vacuous: never_changes.then_some(Vacuous::NeverChanges) })
    }

    /// The states that it tells of.
    fn states(&mut self) -> impl Iterator<Item = &mut u32> {
        let sights = [&mut self.fails, &mut self.holds].into_iter().flatten();
        sights.map(|sight| match sight {
            Ok(state) | Err((state, _)) => state,
        })
    }

    /// Where it does not hold.
    pub(super) fn fails(&self) -> Result<Option<u32>, (u32, Fault)> {
        self.fails.clone().transpose()
    }

    /// Where it holds.
    pub(super) fn holds(&self) -> Result<Option<u32>, (u32, Fault)> {
        self.holds.clone().transpose()
    }
}
