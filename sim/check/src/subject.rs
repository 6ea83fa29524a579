//! What is concluded about: a scenario as it was loaded, and how one would name it again.

use ipcsim_explore::{
    BadToken, Exploration, Log, Looks, LooksAt, Path, Reduction, ScheduleStep, View, follow, token,
    view_of,
};
use ipcsim_kernel::{Machine, Predicate, SEMANTICS};
use ipcsim_scenario::ast::What;
use ipcsim_scenario::{Expect, LoadOptions, Loaded};

/// A scenario as it was loaded, and how it was named.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The scenario.
    pub loaded: &'a Loaded,
    /// How the user named it: a path, or the name of a built-in scenario.
    pub file: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The changes by `--set`.
    pub sets: &'a [String],
    /// How many threads a scenario may have at the same time.
    pub max_threads: u32,
    /// The file of which the claims were taken, if they are not its own.
    pub expect: Option<&'a Expect>,
}

/// What is looked at in a machine, beside how schedules end.
pub struct Seen {
    /// The machine.
    pub machine: Machine,
    /// What an exploration takes an interest in.
    pub at: LooksAt,
    predicates: Vec<Predicate>,
    log: Log,
}

impl Seen {
    /// What is looked at.
    pub fn looks(&self) -> Looks<'_> {
        Looks { predicates: &self.predicates, log: self.log }
    }
}

impl Subject<'_> {
    /// How it was loaded, but for the changes.
    pub(crate) fn options(&self) -> LoadOptions {
        let expect = self.expect.cloned();
        LoadOptions { sets: Vec::new(), max_threads: self.max_threads, expect }
    }

    /// What a token belongs to: the scenario as it was changed, its claims if they come from another file, and what
    /// its words mean.
    pub fn fingerprint(&self) -> u64 {
        let mut changes = self.sets.to_vec();
        // A schedule may be about a claim by its number: with other claims it is another one.
        changes.extend(self.expect.map(|expect| expect.text.clone()));
        let hash = ipcsim_report::trace::fingerprint(self.bytes, &changes);
        let hash = u64::from_str_radix(&hash, 16).unwrap_or(0);
        hash ^ (hash >> 32) ^ SEMANTICS.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// What is looked at in a view; nothing if the scenario has no such claim, or has errors.
    pub fn seen(&self, at: LooksAt) -> Option<Seen> {
        let (log, predicates, machine) = match at {
            LooksAt::Ends => (Log::Forgotten, Vec::new(), self.loaded.machine.clone()?),
            LooksAt::Results => {
                let machine = self.loaded.machine.clone()?;
                let (predicate, _) = ipcsim_report::all_variables(&machine);
                (Log::Kept, vec![predicate], machine)
            }
            LooksAt::Claim(number) => {
                let claim = self.loaded.scenario.claims.get(number)?;
                let case = self.loaded.case(number)?;
                let log = match claim.what {
                    What::Logs(_) => Log::Kept,
                    _ => Log::Forgotten,
                };
                (log, case.predicate.into_iter().collect(), case.machine)
            }
        };
        Some(Seen { machine, at, predicates, log })
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

    /// What one types to see a schedule again.
    pub fn replay(&self, token: &str) -> String {
        let mut words = vec!["ipcsim replay".to_string(), in_shell(self.file), token.to_string()];
        words.extend(self.sets.iter().map(|set| format!("--set {}", in_shell(set))));
        words.extend(self.expect.map(|expect| format!("--expect {}", in_shell(&expect.name))));
        words.join(" ")
    }

    /// The schedule of a token, and what was looked at when it was found.
    ///
    /// Errors: it is none of this scenario.
    pub fn follow(&self, token: &str) -> Result<(Seen, View, Vec<ScheduleStep>), BadToken> {
        let view = view_of(token)?;
        let seen = self.seen(view.at).ok_or(BadToken::Scenario)?;
        let schedule = follow(&seen.machine, seen.looks(), token, self.fingerprint())?;
        Ok((seen, view, schedule))
    }
}

/// A word as one would type it: in quotes, if a shell would make something else of it.
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
