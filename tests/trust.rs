//! Answers that were wrong once, or could have been: each scenario below `trust/` says by its claims what is
//! right, derived by hand.

mod common;

use std::path::PathBuf;

use common::repository;
use ipcsim_check::{Budget, Judgement, Subject, judge};
use ipcsim_explore::{
    ExploreLimits, Goes, Looks, NoTrace, Reduction, Reductions, end_of, explore, replay,
};
use ipcsim_scenario::Loaded;

fn files() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(repository("tests/trust")).expect("the folder is there");
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(files.len() > 15, "the scenarios are there");
    files
}

fn judge_all(name: &str, text: &str, loaded: &Loaded, (reductions, small): (Reductions, u64)) {
    let budget = Budget {
        reductions,
        explore: ExploreLimits { max_states: 2_000_000, small, ..ExploreLimits::default() },
        run_steps: 1_000_000,
    };
    let subject = Subject {
        loaded,
        file: name,
        bytes: text.as_bytes(),
        sets: &[],
        max_threads: ipcsim_kernel::limits::THREADS,
        expect: None,
    };
    for (number, claim) in loaded.scenario.claims.iter().enumerate() {
        let judgement = judge(&subject, number, &budget);
        assert!(matches!(judgement, Judgement::Holds(_)), "{name}: {}: {judgement:?}", claim.said);
        // What shows it can be followed, and leads to the same again.
        if let Judgement::Holds(Some(shown)) = judgement {
            assert!(
                subject.follow(&shown.token).is_ok(),
                "{name}: {}: {}",
                claim.said,
                shown.token
            );
        }
    }
}

#[test]
fn what_is_right_is_said_with_and_without_merging() {
    for path in files() {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).expect("a scenario can be read");
        let loaded = common::loaded(&name, &text, &[]);
        assert!(!loaded.scenario.claims.is_empty(), "{name} claims something");
        // Alone, each of those that leave schedules out must do without the others.
        let lazy = Reductions { lazy: Reduction::On, ..Reductions::MERGE };
        let stubborn = Reductions { order: Reduction::On, ..lazy };
        for reductions in [Reductions::ALL, stubborn, lazy] {
            judge_all(&name, &text, &loaded, (reductions, 0));
        }
        for reductions in [Reductions::ALL, Reductions::MERGE, Reductions::NONE] {
            judge_all(&name, &text, &loaded, (reductions, 50_000));
        }
    }
}

/// What is shown of a schedule is the ending that it was found for.
#[test]
fn a_replay_ends_as_its_schedule() {
    for path in files() {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).expect("a scenario can be read");
        let loaded = common::loaded(&name, &text, &[]);
        let machine = loaded.machine.as_ref().expect("it can be run");
        let limits = ExploreLimits::default();
        let mut found = explore(machine, Reductions::ALL, Looks::NOTHING, &limits);
        let grain = found.grain().clone();
        let stops = found.endings.iter().filter(|ending| ending.goes == Goes::Stops);
        let ends: Vec<_> = stops.map(|ending| (ending.state, ending.outcome)).collect();
        for (state, outcome) in ends {
            let path = found.path(state);
            let schedule = found.schedule(&path);
            let end = replay(machine, &grain, &schedule, &mut NoTrace);
            let there = end_of(machine, &end).map(|it| it.outcome);
            assert_eq!(there, Some(outcome), "{name}");
        }
    }
}
