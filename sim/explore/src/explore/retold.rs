//! Findings of a search that did not keep every state, shown by schedules of the whole system.

use std::collections::BTreeMap;

use ipcsim_kernel::{Machine, MailboxId};

use super::endings::{self, Conclusion, Doom};
use super::explain::Path;
use super::observed::Observed;
use super::{Covered, Exploration};
use crate::space::{Delivery, Space};

/// Paths are sought for at most this many sets of doomed threads.
const MOST_DOOMS: usize = 16;

/// What another search found, besides how schedules end.
#[derive(Clone)]
pub(super) struct Elsewhere {
    pub why: Why,
    /// How many states it visited.
    pub states: u64,
    pub edges: u64,
    pub depth: u32,
    /// Its approximate size in bytes.
    pub bytes: usize,
    /// How often the kernel performed a step.
    pub performed: u64,
    /// What it cost.
    pub work: u64,
    pub delivery: Delivery,
    /// The messages left over when the system completes.
    pub left_over: Vec<(MailboxId, u64)>,
    /// Whether somebody is stuck at some end.
    pub somebody_is_stuck: bool,
}

/// Why not all states were kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Some schedules represent others.
    FewerSchedules,
    /// States are identified by a few bits only.
    Hashes {
        /// At the end, one in this many new states was mistaken for a known one.
        one_in: u64,
    },
}

/// What another search found, with a path in the whole system for each state that it tells of.
pub(super) struct Retold {
    pub by: Elsewhere,
    pub paths: BTreeMap<u32, Path>,
    /// What it saw, if it observed anything.
    pub observed: Option<Observed>,
}

/// Shows each ending by a schedule of the whole system that leads there; `None` if that one ends otherwise.
pub(super) fn retell<'m>(
    mut whole: Space<'m>,
    (concluded, mut observed): (Conclusion, Option<Observed>),
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
    if let Some(observed) = &mut observed {
        for state in observed.states() {
            *state = go(&mut whole, *state)?;
        }
    }
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
        // No paths were sought for the other sets.
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
        retold: Some(Retold { by, paths, observed }),
    })
}

/// In the whole system, other replicas may be affected: names those.
fn concern_those_there(machine: &Machine, whole: &Space, doom: &mut Doom) {
    let there = endings::of_state(machine, &whole.state(doom.state), doom.state, 1);
    let mut alike: Vec<_> = there
        .problems
        .into_iter()
        .filter(|it| {
            it.class == doom.problem.class && it.threads.len() == doom.problem.threads.len()
        })
        .collect();
    let same = alike.iter().position(|problem| problem.threads == doom.problem.threads);
    if !alike.is_empty() {
        doom.problem = alike.swap_remove(same.unwrap_or(0));
    }
}
