//! Searches that leave schedules out, judged by those that do not.

use std::collections::BTreeSet;

use ipcsim_explore::{
    Covered, Exploration, ExploreLimits, Goes, Looks, NoTrace, Outcome, Path, Reduction,
    Reductions, View, end_of, explore, follow, replay, token,
};
use ipcsim_kernel::{Machine, State, ThreadId, assert_invariants};

use super::situation::situation;

/// What is found in up to so many states.
pub fn all(machine: &Machine, reductions: Reductions, max_states: u64) -> Exploration<'_> {
    let limits = ExploreLimits { max_states, ..ExploreLimits::default() };
    explore(machine, reductions, Looks::NOTHING, &limits)
}

/// The endings in words: what must not depend on how the search was made.
pub fn endings(found: &Exploration) -> BTreeSet<String> {
    let ending = |ending: &ipcsim_explore::Ending| {
        let mut blocked = ending.blocked.clone();
        blocked.sort();
        format!("{} {blocked:?}", ending.outcome.word())
    };
    found.endings.iter().map(ending).collect()
}

/// Lazy calls alone.
pub const LAZY: Reductions = Reductions { lazy: Reduction::On, ..Reductions::MERGE };

/// A search that leaves something out finds what is found without.
pub fn check_reduced<'m>(
    (name, word): (&str, &str),
    machine: &'m Machine,
    reductions: Reductions,
    max_states: u64,
    whole: &Exploration,
) -> Exploration<'m> {
    let name = format!("{name}: {word}");
    let mut reduced = all(machine, reductions, max_states);
    assert!(reduced.states() <= whole.states(), "{name}");
    match reduced.covered {
        Covered::All => {
            assert_eq!(by_family(machine, &reduced), by_family(machine, whole), "{name}");
        }
        // Those that go on for ever were not judged; how the others end was.
        other => {
            assert_eq!(other, Covered::Ends, "{name}");
            let goes_on = whole.endings.iter().any(|ending| ending.goes == Goes::OnForEver);
            assert!(goes_on || whole.is_fair_only, "{name}");
        }
    }
    let outcomes = |found: &Exploration| -> BTreeSet<Outcome> {
        found.endings.iter().map(|ending| ending.outcome).collect()
    };
    for outcome in Outcome::ALL {
        let is_there = outcomes(whole).contains(&outcome);
        assert!(!is_there || !reduced.excludes(outcome), "{name}: no schedule {outcome:?}");
        assert!(is_there || !outcomes(&reduced).contains(&outcome), "{name}: {outcome:?}");
    }
    assert_eq!(stops(machine, &reduced), stops(machine, whole), "{name}");
    if reductions.symmetry == Reduction::Off && reduced.covered == Covered::All {
        assert_eq!(endings(&reduced), endings(whole), "{name}");
        // Of many sets only some are shown.
        if whole.doomed.len() <= 16 {
            assert_eq!(doomed(&reduced), doomed(whole), "{name}");
        }
    }
    check_witnesses(&name, machine, &mut reduced);
    reduced
}

/// How schedules end that come to an end.
fn stops(machine: &Machine, found: &Exploration) -> BTreeSet<Outcome> {
    if found.why_not_whole().is_some() {
        return found.endings.iter().map(|ending| ending.outcome).collect();
    }
    let ends = found.numbers().filter_map(|state| end_of(machine, &found.state(state)));
    ends.map(|end| end.outcome).collect()
}

/// The sets of threads that can be doomed together.
fn doomed(found: &Exploration) -> BTreeSet<Vec<ThreadId>> {
    found.doomed.iter().map(|doom| doom.problem.threads.clone()).collect()
}

/// In how many states schedules stop, by how they end.
pub fn final_states(found: &Exploration) -> Vec<(Outcome, u64)> {
    let stops = found.endings.iter().filter(|ending| ending.goes == Goes::Stops);
    stops.map(|ending| (ending.outcome, ending.count)).collect()
}

/// The endings in words, where it does not matter which of several replicas is blocked.
fn by_family(machine: &Machine, found: &Exploration) -> BTreeSet<String> {
    let mut endings = BTreeSet::new();
    for ending in &found.endings {
        for blocked in &ending.blocked {
            let mut families: Vec<_> =
                blocked.iter().map(|process| machine.processes[process.index()]).collect();
            families.sort_unstable();
            endings.insert(format!("{} {families:?}", ending.outcome.word()));
        }
    }
    endings
}

/// A witness leads where it is said to lead, and its token means the same.
pub fn check_witnesses(name: &str, machine: &Machine, found: &mut Exploration) {
    let grain = found.grain().clone();
    for ending in found.endings.clone() {
        let path = found.path(ending.state);
        let schedule = found.schedule(&path);
        let end = replay(machine, &grain, &schedule, &mut NoTrace);
        assert_invariants(machine, &end);
        let same = |end: &State, found: &Exploration| {
            let there = found.state(ending.state);
            situation(machine, end) == situation(machine, &there)
        };
        assert!(same(&end, found), "{name}: {}", ending.outcome.word());
        if ending.goes == Goes::Stops {
            let there = end_of(machine, &end).map(|it| it.outcome);
            assert_eq!(there, Some(ending.outcome), "{name}: a replay ends as its schedule");
        }
        // A way round leads to where it begins.
        let round: Path = path.iter().chain(&ending.round).copied().collect();
        assert!(round.windows(2).all(|legs| legs[0].to == legs[1].from), "{name}");
        let schedule_of_round = found.schedule(&round);
        let end = replay(machine, &grain, &schedule_of_round, &mut NoTrace);
        assert!(same(&end, found), "{name}: {:?}", ending.round);
        let word = token(found, &path, View::PLAIN, 7);
        assert_eq!(
            follow(machine, Looks::NOTHING, &word, 7).as_ref(),
            Ok(&schedule),
            "{name}: {word}"
        );
        assert!(follow(machine, Looks::NOTHING, &word, 8).is_err(), "{name}: {word}");
    }
}
