//! Repairs: the smallest changes of the text with which every schedule completes.

use ipcsim_explore::{Covered, Exploration, Looks, Outcome};
use ipcsim_kernel::Machine;
use ipcsim_scenario::Remedy;

use crate::cures::{Cure, Now, Trial};
use crate::{Budget, Subject};

/// So many changes are tried, pairs included.
const TRIED: usize = 2_000;
/// All together may cost as much as so many states: some minutes.
const COST: u64 = 200_000_000;
/// So many pairs that help are enough.
const PAIRS: usize = 4;
/// Of remedies that differ in a number only, so many are combined with others.
const IN_PAIRS: usize = 2;

/// What a search for repairs found.
#[derive(Debug)]
pub enum Repair {
    /// There is nothing to repair: every schedule completes, in so many states. A circle of waits that nothing
    /// but a timeout opens may be hidden all the same.
    Completes {
        /// How many states.
        states: u64,
        /// Whether a timeout hides a deadlock.
        hides: bool,
        /// Whether that is so only if nobody is passed over for ever.
        fair_only: bool,
    },
    /// There are too many schedules to see what is to be repaired, and why they were not all looked at.
    Undecided(Covered),
    /// What helps.
    Helped {
        /// The changes, the process at fault and the gentlest first.
        cures: Vec<Repaired>,
        /// How many were tried.
        tried: usize,
        /// How many had too many schedules to decide.
        undecided: usize,
        /// Whether the search was given up.
        gave_up: bool,
    },
}

impl Repair {
    /// Whether a limit came before it was known what helps: for the scenario itself, or for some of the changes where no
    /// other helps.
    pub fn is_undecided(&self) -> bool {
        match self {
            Repair::Completes { .. } => false,
            Repair::Undecided(_) => true,
            Repair::Helped { cures, undecided, gave_up, .. } => {
                cures.is_empty() && (*gave_up || *undecided > 0)
            }
        }
    }
}

/// A change with the text that comes of it.
#[derive(Debug)]
pub struct Repaired {
    /// What helps.
    pub cure: Cure,
    /// What it is in words, also where it could be said by `--set`.
    pub what: String,
    /// The text with it.
    pub text: String,
}

/// Looks for the smallest changes with which every schedule completes.
pub fn repair(subject: &Subject, machine: &Machine, budget: &Budget) -> Repair {
    let mut found = budget.explore(machine, Looks::NOTHING);
    if found.why_not_whole().is_some() && !completes(&found) {
        found = budget.whole().explore(machine, Looks::NOTHING);
    }
    if completes(&found) {
        return Repair::Completes {
            states: found.states(),
            hides: found.masked.is_some(),
            fair_only: found.is_fair_only,
        };
    }
    if found.covered != Covered::All {
        return Repair::Undecided(found.covered);
    }
    let mut trial = Trial::new(subject, Now::of(&found), *budget);
    let all = trial.candidates();
    trial.spend = Some(COST);
    let mut cures = trial.singles(&all, None, usize::MAX);
    if cures.is_empty() {
        cures = pairs(&mut trial, &all);
    }
    let text = &subject.loaded.sources[0].text;
    let repaired = |cure: Cure| {
        let remedies: Vec<&Remedy> = cure.remedies.iter().collect();
        let what: Vec<&str> = remedies.iter().map(|remedy| remedy.what.as_str()).collect();
        let text = Remedy::apply(text, &remedies).unwrap_or_default();
        Repaired { what: what.join("; "), text, cure }
    };
    let gave_up = trial.is_over() || trial.spend == Some(0) || trial.tried >= TRIED;
    Repair::Helped {
        tried: trial.tried,
        undecided: trial.undecided,
        cures: cures.into_iter().map(repaired).collect(),
        gave_up,
    }
}

fn completes(found: &Exploration) -> bool {
    found.covered == Covered::All
        && found.endings.iter().all(|ending| ending.outcome == Outcome::Completes)
}

/// Two changes together, each of another group.
fn pairs(trial: &mut Trial, all: &[Remedy]) -> Vec<Cure> {
    let small = |at: &usize| {
        let group = all[*at].group;
        all[..*at].iter().filter(|other| other.group == group).count() < IN_PAIRS
    };
    let all: Vec<&Remedy> = (0..all.len()).filter(small).map(|at| &all[at]).collect();
    let mut helped: Vec<((usize, usize), Cure)> = Vec::new();
    'pairs: for (at, one) in all.iter().enumerate() {
        for other in all[at + 1..].iter().filter(|other| other.group != one.group) {
            // A greater number of the same says nothing new.
            let groups = (one.group, other.group);
            if helped.iter().any(|(done, _)| *done == groups) {
                continue;
            }
            if trial.is_over() || trial.tried >= TRIED || helped.len() >= PAIRS {
                break 'pairs;
            }
            let cure = trial.try_out(&[(*one).clone(), (*other).clone()], None);
            helped.extend(cure.map(|cure| (groups, cure)));
        }
    }
    helped.into_iter().map(|(_, cure)| cure).collect()
}
