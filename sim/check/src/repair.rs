//! Repairs: the smallest changes of the text that make every schedule complete.

use ipcsim_explore::{Covered, Exploration, Looks, Outcome};
use ipcsim_kernel::Machine;
use ipcsim_scenario::Remedy;

use crate::cures::{Cure, Now, STATES, Trial};
use crate::{Budget, Subject};

/// At most this many changes are tried, including pairs.
const TRIED: usize = 2_000;
/// All together may cost this much work ([`Exploration::work`]): some minutes.
const COST: u64 = 600_000_000;
/// The search stops after this many helpful pairs.
const PAIRS: usize = 4;
/// Of remedies that differ only in a number, this many are combined with others.
const IN_PAIRS: usize = 2;

/// What a search for repairs found.
#[derive(Debug)]
pub enum Repair {
    /// There is nothing to repair: every schedule completes. A wait cycle that only a timeout
    /// breaks may still be hidden.
    Completes {
        /// How many states.
        states: u64,
        /// Whether a timeout hides a deadlock.
        hides: bool,
        /// Whether every schedule completes only under weak fairness.
        fair_only: bool,
    },
    /// There are too many schedules to see what to repair; why they were not all explored.
    Undecided(Covered),
    /// The changes that help.
    Helped {
        /// The changes, those to the process at fault and the gentlest first.
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
    /// Whether a limit was reached before it was known what helps: for the scenario itself, or, if
    /// nothing else helps, for some of the changes.
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

/// A change with the resulting text.
#[derive(Debug)]
pub struct Repaired {
    /// The changes that help.
    pub cure: Cure,
    /// The change in words, even if `--set` could express it.
    pub what: String,
    /// The changed text.
    pub text: String,
}

/// Searches for the smallest changes that make every schedule complete.
pub fn repair(subject: &Subject, machine: &Machine, budget: &Budget) -> Repair {
    let mut found = budget.explore(machine, Looks::NOTHING);
    if found.why_not_whole().is_some() && !completes(&found) {
        // Where there are too many schedules, those that stand for all must do.
        let whole = budget.whole().up_to(STATES).explore(machine, Looks::NOTHING);
        if whole.covered == Covered::All {
            found = whole;
        }
    }
    if completes(&found) {
        return Repair::Completes {
            states: found.states(),
            hides: found.masked.is_some(),
            fair_only: found.is_fair_only,
        };
    }
    let ends_badly = found.endings.iter().any(|ending| ending.outcome != Outcome::Completes);
    let is_decided = match found.covered {
        Covered::All => true,
        Covered::Ends => ends_badly,
        _ => false,
    };
    if !is_decided {
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

/// Pairs of changes from different groups.
fn pairs(trial: &mut Trial, all: &[Remedy]) -> Vec<Cure> {
    let small = |at: &usize| {
        let group = all[*at].group;
        all[..*at].iter().filter(|other| other.group == group).count() < IN_PAIRS
    };
    let all: Vec<&Remedy> = (0..all.len()).filter(small).map(|at| &all[at]).collect();
    let mut helped: Vec<((usize, usize), Cure)> = Vec::new();
    'pairs: for (at, one) in all.iter().enumerate() {
        for other in all[at + 1..].iter().filter(|other| other.group != one.group) {
            // A greater number of the same remedy adds nothing new.
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
