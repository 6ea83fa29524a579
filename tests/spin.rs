//! A second opinion: hand-written twins of scenarios, in Promela, looked at by SPIN.
//!
//! A twin makes each call one step, also where it blocks, as the kernel does. Then both count the same
//! states, and agree on whether nobody can move any more. Where SPIN is not installed nothing is compared,
//! unless `SPIN_IS_REQUIRED` is set.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use ipcsim_explore::{ExploreLimits, Looks, Outcome, Reductions, explore};

/// A twin, how many messages its mailboxes hold, and the scenario.
struct Twin {
    model: &'static str,
    capacity: u32,
    scenario: &'static str,
    sets: &'static [&'static str],
    /// SPIN calls it a deadlock where nobody can move. Beside somebody who can, it sees none.
    beside_others: bool,
}

const fn twin(model: &'static str, capacity: u32, scenario: &'static str) -> Twin {
    Twin { model, capacity, scenario, sets: &[], beside_others: false }
}

const TWINS: &[Twin] = &[
    twin("crossed", 0, "buffering/mutual-send"),
    Twin { sets: &["kernel.buffering=1"], ..twin("crossed", 1, "buffering/mutual-send") },
    twin("one-listens", 0, "buffering/mutual-send-reorder"),
    Twin { beside_others: true, ..twin("partial", 0, "buffering/partial-deadlock") },
    twin("late", 0, "buffering/late-crossing"),
    twin("ring", 0, "buffering/ring"),
    Twin { sets: &["kernel.buffering=1"], ..twin("ring", 1, "buffering/ring") },
    twin("rendezvous", 0, "rendezvous/rendezvous"),
    twin("reports", 2, "buffering/capacity-not-enough"),
    twin("counter", 1, "synchronization/send-waits"),
];

#[test]
fn spin_counts_the_same_states_and_finds_the_same_deadlocks() {
    if Command::new("spin").arg("-V").output().is_err() {
        assert!(std::env::var_os("SPIN_IS_REQUIRED").is_none(), "SPIN is not installed");
        return;
    }
    for twin in TWINS {
        let (states, stops) = judged_by_spin(twin);
        let path = format!("scenarios/{}.yaml", twin.scenario);
        let text = std::fs::read_to_string(&path).expect("the scenario is there");
        let loaded = common::loaded(&path, &text, twin.sets);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        let found = explore(&machine, Reductions::MERGE, Looks::NOTHING, &ExploreLimits::default());
        let name = format!("{} with {} slots", twin.model, twin.capacity);
        assert_eq!(found.states(), states, "{name}");
        let deadlocks = found.endings.iter().any(|it| it.outcome == Outcome::Deadlock);
        assert_eq!(deadlocks, stops || twin.beside_others, "{name}");
    }
}

/// How many states SPIN finds, all of them, and whether in one of them nobody can move.
fn judged_by_spin(twin: &Twin) -> (u64, bool) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("spin");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let output = command.args(arguments).current_dir(&folder).output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let model = root.join(format!("tests/spin/{}.pml", twin.model));
    let capacity = format!("-DCAP={}", twin.capacity);
    run("spin", &["-a", &capacity, &model.to_string_lossy()]);
    run("cc", &["-O1", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"]);
    // All errors are looked for: a search that stops at the first has not seen every state.
    let said = run("./pan", &["-c0", "-m100000"]);
    let number = |what: &str| {
        let line = said.lines().find(|line| line.contains(what)).expect("SPIN says so");
        let (before, after) = line.split_once(what).expect("it was found");
        let near = if what.ends_with(':') { after.trim() } else { before.trim() };
        near.split_whitespace().next().and_then(|word| word.parse::<u64>().ok()).expect("a number")
    };
    (number("states, stored"), number("errors:") > 0)
}
