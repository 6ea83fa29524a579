//! What an exploration decides, what it does not, and what it tries.

mod common;

use common::reduced::{LAZY, all};
use ipcsim_explore::{Covered, Outcome, Reduction, Reductions};

/// What an exploration covered, and how schedules end.
fn explored(text: &str) -> (Covered, Vec<&'static str>) {
    let loaded = common::loaded("test.yaml", text, &[]);
    let machine = loaded.machine.expect("a scenario without errors has a machine");
    let found = all(&machine, Reductions::MERGE, 10_000);
    (found.covered, found.endings.iter().map(|ending| ending.outcome.word()).collect())
}

#[test]
fn a_variable_is_kept_where_a_handler_leads_to_the_same_place_as_ok() {
    let text = "
mailboxes: {b: {capacity: 1}}
processes:
  A:
    - set: {m: 5}
    - receive: m
      from: b
      wait: never
      when: {would-block: []}
    - assert: m == 5
";
    assert_eq!(explored(text), (Covered::All, vec!["completes"]));
}

#[test]
fn what_cannot_be_followed_is_no_end_and_no_proof() {
    // 200 times 200 ways, one of which fails: behind the first call, and before it.
    let draws = "set: {a: 'random(1, 200)', b: 'random(1, 200)'}";
    let text = |first: &str| {
        format!("processes:\n  A:\n{first}    - {draws}\n    - assert: a + b < 400\n")
    };
    let (covered, endings) = explored(&text("    - yield:\n"));
    assert!(matches!(covered, Covered::TooManyAnswers(Some(_))), "{covered:?}");
    assert!(endings.is_empty(), "{endings:?}");
    let (covered, endings) = explored(&text(""));
    assert_eq!((covered, endings), (Covered::TooManyAnswers(None), vec![]));
}

/// Where a system can go on for ever, and can end from wherever it is, its ends are decided; all of it is, if that is asked for.
#[test]
fn what_can_go_on_for_ever_is_decided_as_far_as_it_ends() {
    let text = "
kernel: {buffering: 2}
mailboxes: {m: {order: priority}, n: {order: priority}}
processes:
  s: [{yield: }, {yield: }]
  p:
    replicas: 3
    do:
      - {send: hi, to: m}
      - forever:
          - choose: [[{send: a, to: m}], [{send: b, to: n}], [{receive: x, from: m}], [{receive: x, from: n}]]
";
    let loaded = common::loaded("test.yaml", text, &[]);
    let machine = loaded.machine.expect("a scenario without errors has a machine");
    let found = all(&machine, Reductions::ALL, 30_000);
    assert_eq!(found.covered, Covered::Ends);
    assert_eq!(found.endings.len(), 1);
    assert_eq!(found.endings[0].outcome, Outcome::Deadlock);
    let whole = all(&machine, Reductions::MERGE, 2_000_000);
    assert_eq!(whole.covered, Covered::All);
    let outcomes: Vec<Outcome> = whole.endings.iter().map(|ending| ending.outcome).collect();
    assert_eq!(outcomes, [Outcome::Deadlock, Outcome::Unfinished]);
}

/// Who goes on for ever can leave somebody stranded, though all ends are worse: there is no proof that nobody is.
#[test]
fn that_nobody_is_stranded_while_others_go_on_is_not_proved() {
    let text =
        std::fs::read_to_string(common::repository("tests/trust/stranded-while-others-go-on.yaml"))
            .expect("the scenario can be read");
    let loaded = common::loaded("test.yaml", &text, &[]);
    let machine = loaded.machine.expect("a scenario without errors has a machine");
    let found = all(&machine, Reductions::ALL, 30_000);
    assert_eq!(found.covered, Covered::Ends);
    let outcomes: Vec<Outcome> = found.endings.iter().map(|ending| ending.outcome).collect();
    assert_eq!(outcomes, [Outcome::Deadlock]);
    assert!(!found.excludes(Outcome::Stranded) && found.excludes(Outcome::Fails));
    let whole = all(&machine, Reductions::MERGE, 30_000);
    assert!(!whole.excludes(Outcome::Stranded) && whole.excludes(Outcome::Livelock));
}

/// Who is stuck while others go on can be stuck for another reason, or at rest, where these stop.
#[test]
fn what_those_are_who_go_on_for_ever_is_not_proved_by_ends() {
    for (name, outcome) in [
        ("stranded-until-others-stop", Outcome::Stranded),
        ("deadlocked-until-others-stop", Outcome::Deadlock),
    ] {
        let path = common::repository(&format!("tests/trust/{name}.yaml"));
        let text = std::fs::read_to_string(path).expect("the scenario can be read");
        let loaded = common::loaded(name, &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        let found = all(&machine, Reductions::ALL, 30_000);
        assert_eq!(found.covered, Covered::Ends, "{name}");
        assert!(found.endings.iter().all(|ending| ending.outcome != outcome), "{name}");
        assert!(!found.excludes(outcome), "{name}");
    }
    // While K waits, D owes it an answer, and D's thread t is stuck. Once K has gone, D is at rest.
    let text = "
mailboxes: {a: {capacity: none}, z: {capacity: none}, go: {capacity: none}}
processes:
  D:
    daemon: true
    threads:
      t: {do: [{receive: m, from: go}, {receive: m, from: z}]}
      u: {do: [{receive: m, from: a}, {send: x, to: go}, {forever: [{receive: m, from: a}]}]}
  K: [{set: {k: 0}}, {while: k == 0, do: [{call: x, to: a, into: r, wait: 1us, when: {timed-out: []}}, {choose: [[{set: {k: 0}}], [{set: {k: 1}}]]}]}]
";
    let loaded = common::loaded("test.yaml", text, &[]);
    let machine = loaded.machine.expect("a scenario without errors has a machine");
    let found = all(&machine, Reductions::ALL, 30_000);
    let outcomes: Vec<Outcome> = found.endings.iter().map(|ending| ending.outcome).collect();
    assert_eq!((found.covered, &outcomes[..]), (Covered::Ends, &[Outcome::Completes][..]));
    assert!(!found.excludes(Outcome::Stranded));
}

/// Everybody is everybody's rival here: partial order leaves out next to nothing, and is given up.
#[test]
fn a_reduction_that_is_given_up_leaves_nothing_behind() {
    let sends = |name: &str| format!("{{send: {name}, to: m}}, ").repeat(4);
    let text = format!(
        "
mailboxes: {{m: {{capacity: unlimited, order: priority}}}}
processes:
{}",
        ["A", "B", "C"].map(|name| format!("  {name}: [{}]\n", sends(name))).concat()
    );
    let loaded = common::loaded("test.yaml", &text, &[]);
    let machine = loaded.machine.expect("a scenario without errors has a machine");
    let without = all(&machine, LAZY, 300_000);
    let found = all(&machine, Reductions { order: Reduction::On, ..LAZY }, 300_000);
    assert_eq!((without.covered, found.covered), (Covered::All, Covered::All));
    assert!(without.edges > 20_000, "it is tried for so long");
    assert_eq!((found.states(), found.edges), (without.states(), without.edges));
}
