//! The subject of conclusions: a scenario as it was loaded, and how to name it again.

use ipcsim_explore::{
    Asks, BadToken, Exploration, Log, Looks, LooksAt, Path, Reduction, ScheduleStep, View, follow,
    token, view_of,
};
use ipcsim_kernel::{Machine, Predicate, SEMANTICS};
use ipcsim_scenario::ast::{Over, What};
use ipcsim_scenario::{Claims, Expect, LoadOptions, Loaded};

/// A scenario as it was loaded, and how it was named.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The scenario.
    pub loaded: &'a Loaded,
    /// How the user named it: a path, or the name of a built-in scenario.
    pub file: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The changes made by `--set`.
    pub sets: &'a [String],
    /// How many threads a scenario may have at once.
    pub max_threads: u32,
    /// The file from which the claims were taken, if they are not its own.
    pub expect: Option<&'a Expect>,
}

/// What is observed in a machine, besides how schedules end.
pub struct Seen {
    /// The machine.
    pub machine: Machine,
    /// What an exploration observes.
    pub at: LooksAt,
    predicates: Vec<Predicate>,
    log: Log,
    asks: Asks,
}

impl Seen {
    /// What is observed.
    pub fn looks(&self) -> Looks<'_> {
        Looks { predicates: &self.predicates, log: self.log, asks: self.asks }
    }
}

impl Subject<'_> {
    /// How it was loaded, without the changes; its claims are not asked where more is changed.
    pub(crate) fn options(&self) -> LoadOptions {
        let expect = self.expect.cloned();
        LoadOptions {
            sets: Vec::new(),
            max_threads: self.max_threads,
            expect,
            claims: Claims::NotAsked,
        }
    }

    /// What a token belongs to: the scenario with its changes, its claims if they come from another
    /// file, and the version of the semantics.
    pub fn fingerprint(&self) -> u64 {
        let mut changes = self.sets.to_vec();
        // A schedule may refer to a claim by number: with other claims, the number means another one.
        changes.extend(self.expect.map(|expect| expect.text.clone()));
        let hash = ipcsim_report::trace::fingerprint(self.bytes, &changes);
        let hash = u64::from_str_radix(&hash, 16).unwrap_or(0);
        hash ^ (hash >> 32) ^ SEMANTICS.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// What is observed in a view; `None` if the scenario has no such claim, or has errors.
    pub fn seen(&self, at: LooksAt) -> Option<Seen> {
        let (log, asks, predicates, machine) = match at {
            LooksAt::Ends => {
                (Log::Forgotten, Asks::HowItEnds, Vec::new(), self.loaded.machine.clone()?)
            }
            LooksAt::Results => {
                let machine = self.loaded.machine.clone()?;
                let (predicate, _) = ipcsim_report::all_variables(&machine);
                (Log::Kept, Asks::WhatRemains, vec![predicate], machine)
            }
            LooksAt::Claim(number) => {
                let claim = self.loaded.scenario.claims.get(number)?;
                let case = self.loaded.case(number)?;
                let log = match claim.what {
                    What::Logs(_) => Log::Kept,
                    _ => Log::Forgotten,
                };
                let asks = match (&claim.what, claim.over) {
                    (What::Outcome(_) | What::Never(_), _) => Asks::HowItEnds,
                    (What::Always(_), _) | (What::Eventually(_), Over::SomeSchedule) => {
                        Asks::WhatCanBe
                    }
                    (What::Logs(_), _) => Asks::WhatRemains,
                    _ => Asks::EverySchedule,
                };
                (log, asks, case.predicate.into_iter().collect(), case.machine)
            }
        };
        Some(Seen { machine, at, predicates, log, asks })
    }

    /// The token of a path.
    pub fn token(
        &self,
        found: &mut Exploration,
        path: &Path,
        merge: Reduction,
        at: LooksAt,
    ) -> String {
        token(found, path, View { merge, at }, self.fingerprint())
    }

    /// The command that shows a schedule again.
    pub fn replay(&self, token: &str) -> String {
        let mut words = vec!["ipcsim replay".to_string(), in_shell(self.file), token.to_string()];
        words.extend(self.sets.iter().map(|set| format!("--set {}", in_shell(set))));
        words.extend(self.expect.map(|expect| format!("--expect {}", in_shell(&expect.name))));
        words.join(" ")
    }

    /// The schedule of a token, and what was observed when it was found.
    ///
    /// Errors: the token does not belong to this scenario, or cannot be followed.
    pub fn follow(&self, token: &str) -> Result<(Seen, View, Vec<ScheduleStep>), BadToken> {
        let view = view_of(token)?;
        let seen = self.seen(view.at).ok_or(BadToken::Scenario)?;
        let schedule = follow(&seen.machine, seen.looks(), token, self.fingerprint())?;
        Ok((seen, view, schedule))
    }
}

/// A word as typed in a shell: in quotes if the shell would interpret it.
pub fn in_shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if word.chars().all(is_plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::in_shell;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(in_shell("kernel.buffering=1"), "kernel.buffering=1");
        assert_eq!(in_shell("P1[0].while=n < 3"), "'P1[0].while=n < 3'");
        assert_eq!(in_shell("P1.do=it's"), "'P1.do=it'\\''s'");
    }
}
