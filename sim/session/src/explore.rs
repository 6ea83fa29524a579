//! Every schedule of a scenario.

use ipcsim_check::{Budget, Cure, Judgement, Seen, judge_by, of_exploration, result};
use ipcsim_explore::{Exploration, LooksAt, Path, Reduction, View, explore_approximately};

use crate::Session;

/// What every schedule of a scenario does.
pub struct Explored<'s> {
    session: &'s Session,
    /// What was found.
    pub exploration: Exploration<'s>,
    /// Small changes that make every schedule complete, if not every one does.
    pub cures: Vec<Cure>,
    at: LooksAt,
    merge: Reduction,
    judges: Judges,
}

/// Whether claims can be judged by what was found, or need a search of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judges {
    ByWhatWasFound,
    Anew,
}

impl Session {
    /// What an exploration with this interest observes; `None` if the scenario has errors.
    pub fn seen(&self, at: LooksAt) -> Option<Seen> {
        self.subject().seen(at)
    }

    /// Explores every schedule, as far as the budget allows, and observes only how they end. `None`
    /// if the scenario has errors.
    pub fn explore<'s>(&'s self, budget: &Budget<'s>) -> Option<Explored<'s>> {
        let machine = self.machine()?;
        let exploration = ipcsim_explore::explore(
            machine,
            budget.reductions,
            ipcsim_explore::Looks::NOTHING,
            &budget.explore,
        );
        Some(self.explored(exploration, LooksAt::Ends, Judges::ByWhatWasFound, budget))
    }

    /// The same, but observes more: see [`Session::seen`]. What a claim is about decides what is found: of a large system that a
    /// claim with a condition looks at, how schedules end is not among it.
    pub fn explore_seen<'s>(&'s self, seen: &'s Seen, budget: &Budget<'s>) -> Explored<'s> {
        let exploration = budget.explore(&seen.machine, seen.looks());
        let judges = match seen.at {
            LooksAt::Ends => Judges::ByWhatWasFound,
            LooksAt::Results | LooksAt::Claim(_) => Judges::Anew,
        };
        self.explored(exploration, seen.at, judges, budget)
    }

    /// The same with bitstate hashing in this many bytes: some states may be missed, and nothing is
    /// a proof.
    pub fn explore_approximately<'s>(
        &'s self,
        seen: &'s Seen,
        bytes: usize,
        budget: &Budget<'s>,
    ) -> Explored<'s> {
        let limits = &budget.explore;
        let exploration = explore_approximately(&seen.machine, budget.reductions, bytes, limits);
        self.explored(exploration, seen.at, Judges::Anew, budget)
    }

    fn explored<'s>(
        &'s self,
        exploration: Exploration<'s>,
        at: LooksAt,
        judges: Judges,
        budget: &Budget<'s>,
    ) -> Explored<'s> {
        let cures = of_exploration(&self.subject(), &exploration, budget);
        let merge = budget.reductions.merge;
        Explored { session: self, exploration, cures, at, merge, judges }
    }
}

impl Explored<'_> {
    /// What was found as plain data.
    pub fn found(&mut self) -> result::Schedules {
        let view = (self.merge, self.at);
        result::of_schedules(&self.session.subject(), &mut self.exploration, view)
    }

    /// What was observed, and how.
    pub fn view(&self) -> View {
        View { merge: self.merge, at: self.at }
    }

    /// The token of a path.
    pub fn token(&mut self, path: &Path) -> String {
        self.session.subject().token(&mut self.exploration, path, self.merge, self.at)
    }

    /// Judges the claim with this number: by what was found if that is enough, otherwise by a search of its own.
    pub fn check(&mut self, number: usize, budget: &Budget) -> Judgement {
        let subject = self.session.subject();
        let known = match self.judges {
            Judges::ByWhatWasFound => judge_by(&subject, number, &mut self.exploration, self.merge),
            Judges::Anew => None,
        };
        known.unwrap_or_else(|| self.session.check(number, budget))
    }
}
