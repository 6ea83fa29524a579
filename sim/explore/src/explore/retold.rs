//! What was found in another way than by keeping every state, told by schedules of the whole system.

use std::collections::BTreeMap;

use ipcsim_kernel::{Machine, MailboxId};

use super::endings::{self, Conclusion, Doom};
use super::explain::Path;
use super::{Covered, Exploration};
use crate::space::{Delivery, Space};

/// For so many sets of doomed threads a way is looked for.
const MOST_DOOMS: usize = 16;

/// What another search found, beside how schedules end.
#[derive(Clone)]
pub(super) struct Elsewhere {
    pub why: Why,
    /// How many states it has looked at.
    pub states: u64,
    pub edges: u64,
    pub depth: u32,
    /// About how many bytes it took.
    pub bytes: usize,
    /// How often the kernel performed a step.
    pub performed: u64,
    pub delivery: Delivery,
    /// The messages that are left over where everything is complete.
    pub left_over: Vec<(MailboxId, u64)>,
}

/// Why not all states were kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Some schedules stand for others.
    FewerSchedules,
    /// States are known by some bits only.
    Hashes {
        /// In the end one in so many new states was taken for one that is known.
        one_in: u64,
    },
}

/// What another search found, with a way for each ending in the whole system.
pub(super) struct Retold {
    pub by: Elsewhere,
    pub paths: BTreeMap<u32, Path>,
}

/// Tells each ending by a schedule of the whole system that leads there; nothing if that one ends otherwise.
pub(super) fn retell<'m>(
    mut whole: Space<'m>,
    concluded: Conclusion,
    covered: Covered,
    by: Elsewhere,
    mut way: impl FnMut(&mut Space<'m>, u32) -> Option<Path>,
) -> Option<Exploration<'m>> {
    let machine = whole.machine();
    let Conclusion { endings: mut found, mut doomed, .. } = concluded;
    let mut paths = BTreeMap::new();
    let mut go = |whole: &mut Space<'m>, to: u32| {
        let path = way(whole, to)?;
        let end = path.last()?.to;
        paths.insert(end, path);
        Some(end)
    };
    doomed.truncate(MOST_DOOMS);
    for doom in &mut doomed {
        doom.state = go(&mut whole, doom.state)?;
        concern_those_there(machine, &whole, doom);
    }
    for ending in &mut found {
        let end = go(&mut whole, ending.state)?;
        let mut told = endings::of_state(machine, &whole.state(end), end, ending.count);
        if told.outcome != ending.outcome {
            return None;
        }
        ending.blocked.retain(|other| !told.blocked.contains(other));
        // Of the others no way was looked for.
        told.blocked.append(&mut ending.blocked);
        told.blocked_at.resize(told.blocked.len(), end);
        *ending = told;
    }
    Some(Exploration {
        machine,
        space: whole,
        parents: Vec::new(),
        first: 1,
        beginnings: Vec::new(),
        goes_back: false,
        depth: by.depth,
        levels: Vec::new(),
        ends: endings::Ends::default(),
        sinks: Vec::new(),
        covered,
        edges: by.edges,
        endings: found,
        doomed,
        starving: Vec::new(),
        is_fair_only: false,
        masked: None,
        delivery: by.delivery,
        retold: Some(Retold { by, paths }),
    })
}

/// In the whole system others of their kind may be concerned.
fn concern_those_there(machine: &Machine, whole: &Space, doom: &mut Doom) {
    let there = endings::of_state(machine, &whole.state(doom.state), doom.state, 1);
    let same = there.problems.into_iter().find(|problem| {
        problem.class == doom.problem.class && problem.threads.len() == doom.problem.threads.len()
    });
    if let Some(same) = same {
        doom.problem = same;
    }
}
