//! What is true of every exploration, of the repository's scenarios and of random ones.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use common::reduced::{LAZY, all, check_reduced, check_witnesses, endings, final_states};
use common::situation::{Inside, situation};
use common::{Shown, generate, plain};
use ipcsim_explore::{
    Covered, Exploration, ExploreLimits, Goes, Limits, Lookers, Looks, Outcome, Reduction,
    Reductions, Stop, View, conclude, explore, explore_approximately, run, token,
};
use ipcsim_kernel::{Machine, Scheduler, Thread};

fn check(name: &str, machine: &Machine, max_states: u64, seeds: u64) -> Option<LeftOut> {
    let reductions = Reductions::MERGE;
    let mut found = all(machine, reductions, max_states);
    if found.covered != Covered::All {
        return None;
    }
    // Each reduction finds what is found without it.
    let plain = all(machine, Reductions::NONE, 4 * max_states);
    if plain.covered == Covered::All {
        assert_eq!(endings(&found), endings(&plain), "{name}: merging changes no ending");
        assert!(found.states() <= plain.states(), "{name}: merging makes no more states");
    }
    let mut left_out = LeftOut::default();
    let lazy = check_reduced((name, "lazy calls"), machine, LAZY, max_states, &found);
    left_out.lazy = lazy.states() < found.states();
    let stubborn = Reductions { order: Reduction::On, ..LAZY };
    let stubborn = check_reduced((name, "stubborn sets"), machine, stubborn, max_states, &found);
    left_out.order = stubborn.states() < lazy.states();
    assert_eq!(final_states(&stubborn), final_states(&lazy), "{name}: no end is left out");
    let mut symmetric = None;
    for (word, reductions) in
        [("symmetry", Reductions::MERGE), ("lazy symmetry", LAZY), ("all", Reductions::ALL)]
    {
        let reductions =
            Reductions { symmetry: Reduction::On, scalars: Reduction::On, ..reductions };
        let reduced = check_reduced((name, word), machine, reductions, max_states, &found);
        if word == "symmetry" {
            left_out.symmetry = reduced.states() < found.states();
            symmetric = Some(reduced.states());
        }
    }
    let by_numbers =
        Reductions { symmetry: Reduction::On, scalars: Reduction::Off, ..Reductions::MERGE };
    let by_numbers =
        check_reduced((name, "symmetry by numbers"), machine, by_numbers, max_states, &found);
    left_out.scalars = symmetric.is_some_and(|states| states < by_numbers.states());
    check_witnesses(name, machine, &mut found);
    check_runs(name, machine, &found, seeds);
    check_approximate(name, machine, &found);
    let share = u32::try_from(found.states() / 50).expect("there are not so many").max(3);
    check_threads(name, machine, max_states, share);
    check_threads(name, machine, found.states() / 2, share);
    Some(left_out)
}

/// What is found does not depend on how many threads look for it, also where the search is cut off.
fn check_threads(name: &str, machine: &Machine, max_states: u64, share: u32) {
    let told = |threads: usize| {
        let lookers = Lookers { threads, share };
        let limits = ExploreLimits { max_states, lookers, ..ExploreLimits::default() };
        let mut found = explore(machine, Reductions::MERGE, Looks::NOTHING, &limits);
        let ends: Vec<u32> = found.endings.iter().map(|ending| ending.state).collect();
        let paths: Vec<_> = ends.iter().map(|end| found.path(*end)).collect();
        let tokens: Vec<_> =
            paths.iter().map(|path| token(&mut found, path, View::PLAIN, 7)).collect();
        // Several may perform a step just before the search is cut off.
        let performed = (found.covered == Covered::All).then(|| found.performed());
        let counts = (found.states(), found.edges, performed, found.depth);
        format!(
            "{:?} {counts:?} {tokens:?} {:?} {:?} {:?} {:?}",
            found.covered, found.delivery, found.endings, found.doomed, found.masked
        )
    };
    let alone = told(1);
    assert_eq!(told(2), alone, "{name}: two threads");
    assert_eq!(told(4), alone, "{name}: four threads");
}

/// A few bits for each state find what all of it finds, if there are enough; and never what is not so.
fn check_approximate(name: &str, machine: &Machine, whole: &Exploration) {
    let limits = ExploreLimits::default();
    let with = |bytes| explore_approximately(machine, Reductions::MERGE, bytes, &limits);
    let mut enough = with(1 << 20);
    assert_eq!(enough.covered, Covered::Hashed, "{name}");
    assert_eq!((enough.states(), enough.edges), (whole.states(), whole.edges), "{name}");
    let final_ones = whole.endings.iter().filter(|ending| ending.goes == Goes::Stops);
    let outcomes: Vec<Outcome> = final_ones.map(|ending| ending.outcome).collect();
    let found: Vec<Outcome> = enough.endings.iter().map(|ending| ending.outcome).collect();
    assert!(outcomes.iter().all(|outcome| found.contains(outcome)), "{name}: {found:?}");
    check_witnesses(&format!("{name}: a few bits"), machine, &mut enough);
    let mut too_few = with(512);
    assert!(too_few.states() <= whole.states(), "{name}");
    check_witnesses(&format!("{name}: too few bits"), machine, &mut too_few);
}

/// Which reductions left something out.
#[derive(Clone, Copy, Debug, Default)]
struct LeftOut {
    lazy: bool,
    order: bool,
    symmetry: bool,
    scalars: bool,
}

/// A run is one of the schedules: it comes to explored states only, and ends as one of them.
fn check_runs(name: &str, machine: &Machine, found: &Exploration, seeds: u64) {
    let outcomes: BTreeSet<&str> = found.endings.iter().map(|it| it.outcome.word()).collect();
    let states = found.numbers().map(|state| found.state(state));
    let explored = states.map(|state| situation(machine, &state)).collect();
    let mut compared = 0;
    for seed in 0..seeds {
        for scheduler in
            [Scheduler::Fifo, Scheduler::RoundRobin, Scheduler::Priority, Scheduler::Random]
        {
            let mut timed = machine.clone();
            timed.timing.seed = seed;
            timed.timing.scheduler = scheduler;
            let limits = Limits { max_steps: 1_000, ..Limits::default() };
            let mut inside =
                Inside { explored: &explored, looked_at: 0, undecided: 0, outside: None };
            let run = run(&timed, &limits, &mut inside);
            let whose = format!("{name}: a run with seed {seed} and {scheduler:?}");
            assert!(inside.outside.is_none(), "{whose} comes to {:?}", inside.outside);
            let held = run.state.threads.iter().any(is_held_amid_local_work);
            let seen = inside.looked_at + inside.undecided;
            assert!(seen > 0 || run.steps == 0, "{whose}");
            compared += inside.looked_at + u64::from(held || run.steps == 0);
            let verdict = conclude(&timed, &run);
            // A run that was cut off, or in which a scheduler is unfair, is no whole schedule.
            let whole =
                !matches!(verdict.outcome, Outcome::Unfinished | Outcome::Livelock) && !held;
            // What else would have gone wrong in one that was cut off may count for more.
            let may_become_worse = || {
                let mut endings = found.endings.iter();
                run.stop != Stop::Over && endings.any(|ending| ending.outcome < verdict.outcome)
            };
            assert!(
                !whole || outcomes.contains(verdict.outcome.word()) || may_become_worse(),
                "{whose} ends as {}, schedules as {outcomes:?}",
                verdict.outcome.word()
            );
        }
    }
    assert!(compared > 0 || seeds == 0, "{name}: no state of any run was compared");
}

/// What a thread could have done that was suspended before its call, is known only behind its local work.
fn is_held_amid_local_work(thread: &Thread) -> bool {
    thread.is_held() && thread.state.underneath().is_ready()
}

#[test]
fn every_scenario_keeps_the_laws_of_schedules() {
    let mut small = 0;
    for (path, text) in common::scenarios() {
        let loaded = common::loaded(&path, &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        // Those with more states are checked by their claims.
        small += usize::from(check(&path, &machine, 20_000, 100).is_some());
    }
    assert!(small >= 58, "{small} scenarios are small enough");
}

/// How many states there are, and how schedules end.
#[test]
fn every_exploration_is_as_pinned() {
    let mut table = String::new();
    for (path, text) in common::scenarios() {
        let loaded = common::loaded(&path, &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        let merged = all(&machine, Reductions::MERGE, 200_000);
        let plain = all(&machine, Reductions::NONE, 50_000);
        let outcomes: Vec<&str> = merged.endings.iter().map(|it| it.outcome.word()).collect();
        let plain = match plain.covered {
            Covered::All => plain.states().to_string(),
            _ => "many".to_string(),
        };
        let least = all(&machine, Reductions::ALL, 200_000).states();
        let states = format!("{least} for {} of {plain}", merged.states());
        writeln!(table, "{path:52} {states:>24}  {}", outcomes.join(" "))
            .expect("a String takes all text");
    }
    insta::assert_snapshot!(table);
}

/// A request that nobody knows any more is as if it had never been: there are only so many states.
#[test]
fn who_calls_for_ever_comes_back_to_where_he_was() {
    let server = "receive: m, from: desk}, {reply: ok, to: m, when: {dead: []}}";
    let calls = [
        ("a client", 1, "call: q, to: desk, into: a"),
        ("two clients", 2, "call: q, to: desk, into: a"),
        ("tries again", 1, "call: q, to: desk, into: a, wait: 1ms, when: {timed-out: []}"),
    ];
    for (name, clients, call) in calls {
        let text = format!(
            "mailboxes: {{desk: {{capacity: 2}}}}
processes:
  server: {{do: [{{forever: [{{{server}]}}]}}
  client: {{replicas: {clients}, do: [{{forever: [{{{call}}}]}}]}}
"
        );
        let loaded = common::loaded(name, &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        assert!(check(name, &machine, 1_000, 100).is_some(), "{name} is decided");
    }
}

/// Neither can anybody tell the hundredth port from the first.
#[test]
fn who_makes_mailboxes_for_ever_comes_back_to_where_he_was() {
    let client = "create: mine, kind: port}, {send: q, to: service, reply-to: mine, wait: 1ms, when: {timed-out: []}},
      {receive: a, from: mine, wait: 1ms, when: {timed-out: []}}, {destroy: mine";
    let server = "receive: m, from: service}, {reply: ok, to: m";
    let box_client = "create: mine, kind: mailbox, capacity: 1}, {send: '${mine}', to: server}, {receive: a, from: mine";
    let box_server = "receive: m, from: client}, {send: ok, to: '${m.body}'";
    for (name, client, server, most) in
        [("ports", client, server, 126), ("mailboxes", box_client, box_server, 9)]
    {
        let text = format!(
            "ports: {{service: {{receive: server, send: [client]}}}}
processes:
  client: {{do: [{{forever: [{{{client}}}]}}]}}
  server: {{daemon: true, do: [{{forever: [{{{server}}}]}}]}}
"
        );
        let loaded = common::loaded(name, &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        let found = all(&machine, Reductions::MERGE, 10_000);
        assert_eq!((found.covered, found.states()), (Covered::All, most), "{name}");
        assert!(check(name, &machine, 1_000, 10).is_some(), "{name} is decided");
    }
}

/// `RANDOM_SCENARIOS` says how many; every one of them is the same each time.
#[test]
fn random_scenarios_keep_the_laws_of_schedules() {
    let asked = std::env::var("RANDOM_SCENARIOS").ok().and_then(|text| text.parse().ok());
    let asked: u64 = asked.unwrap_or(600);
    let mut small = 0;
    for seed in 0..asked {
        let text = generate::scenario(seed, 1 + seed % 2);
        let loaded = common::loaded("random.yaml", &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        small += u64::from(check(&format!("seed {seed}:\n{text}"), &machine, 1_000, 2).is_some());
    }
    assert!(2 * small >= asked, "{small} of {asked} scenarios are small enough");
}

/// Where an answer was wrong once, or could have been.
#[test]
fn scenarios_of_trust_keep_the_laws_of_schedules() {
    let folder = std::fs::read_dir(common::repository("tests/trust")).expect("the folder is there");
    let mut small = 0;
    for entry in folder {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a scenario can be read");
        let name = path.display().to_string();
        let machine = common::loaded(&name, &text, &[]).machine.expect("it can be run");
        small += u64::from(check(&name, &machine, 5_000, 2).is_some());
    }
    assert!(small > 100, "{small} of them are small enough");
}

/// Where there is something to leave out, as often as not.
#[test]
fn plain_scenarios_keep_the_laws_of_schedules() {
    let seeds = plain::seeds(600);
    let asked = seeds.end - seeds.start;
    let (mut lazy, mut order, mut symmetry, mut scalars) = (0, 0, 0, 0);
    for seed in seeds {
        let text = plain::scenario(seed);
        let loaded = common::loaded("plain.yaml", &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        let name = format!("seed {seed}:\n{text}");
        let shown = Shown(&name);
        let left_out = check(&name, &machine, 5_000, 2);
        drop(shown);
        let left_out = left_out.unwrap_or_default();
        lazy += u64::from(left_out.lazy);
        order += u64::from(left_out.order);
        symmetry += u64::from(left_out.symmetry);
        scalars += u64::from(left_out.scalars);
    }
    assert!(5 * lazy >= 2 * asked, "lazy calls left something out in {lazy} of {asked}");
    assert!(4 * order >= asked, "partial order left something out in {order} of {asked}");
    assert!(8 * symmetry >= asked, "symmetry left something out in {symmetry} of {asked}");
    assert!(20 * scalars >= asked, "only scalars left something out in {scalars} of {asked}");
}

/// Reductions on and off find the same.
fn keeps_the_laws(text: &str) {
    let loaded = common::loaded("test.yaml", text, &[]);
    let machine = loaded.machine.expect("a scenario without errors has a machine");
    assert!(check(text, &machine, 20_000, 2).is_some(), "{text}: it is small enough");
}

#[test]
fn a_caller_may_be_ended_by_another_thread_before_it_is_answered() {
    keeps_the_laws(
        "
kernel: {buffering: 1}
processes:
  S: [{receive: req, from: C}, {send: go, to: C}, {reply: ok, to: req}]
  C:
    threads:
      a: [{call: hello, to: S, into: r}]
      b: [{receive: g, from: S}, {exit: 0}]
",
    );
}

#[test]
fn a_receiver_may_end_with_the_sender_that_it_waits_for() {
    keeps_the_laws(
        "
kernel: {buffering: 1}
mailboxes: {nobody: {}}
processes:
  T: {daemon: true, do: [{receive: m, from: F}]}
  Y:
    - receive: x
      from: F
      when: {dead: [{send: hi, to: T, when: {dead: [{receive: q, from: nobody}]}}]}
  F: [{yield: }]
",
    );
}

#[test]
fn replicas_that_are_woken_together_may_answer_in_another_order() {
    for then in ["{receive: q, from: nobody}", "{yield: }, {receive: q, from: nobody}"] {
        keeps_the_laws(&format!(
            "
kernel: {{buffering: 2}}
mailboxes: {{nobody: {{}}, tokens: {{}}}}
processes:
  G: [{{send: 1, to: tokens}}, {{send: 2, to: tokens}}]
  S: [{{receive: a, from: anyone}}, {{receive: b, from: anyone}}, {{exit: 0}}]
  clients:
    replicas: 2
    do:
      - set: {{w: 0}}
      - {{receive: t, from: tokens}}
      - {{if: t.body == 1, then: [{{yield: }}, {{yield: }}]}}
      - {{send: hi, to: S}}
      - receive: r
        from: S
        when:
          dead:
            - choose: [[{{set: {{w: 1}}}}], [{{set: {{w: 2}}}}]]
            - {{if: t.body == w, then: [{then}]}}
            - yield:
"
        ));
    }
}

/// Two links made by the same step of different replicas are different links.
#[test]
fn links_that_come_up_on_the_way_are_told_apart_by_their_senders() {
    keeps_the_laws(
        "
kernel: {buffering: 1}
mailboxes:
  a: {capacity: unlimited}
  b: {capacity: unlimited}
  own: {capacity: 2}
processes:
  P:
    start: 1us
    do:
      - {send: x, to: b, reply-to: me}
      - {send: x, to: b, reply-to: me}
      - {receive: m, from: own}
  R:
    replicas: 3
    do:
      - set: {m: none}
      - choose: [[{send: x, to: a}], [{receive: m, from: b}]]
      - {send: x, to: 'R[1]', wait: never, when: {would-block: []}}
      - if: m != none
        then: [{if: m.reply-to != none, then: [{send: y, to: '${m.reply-to}'}]}]
",
    );
}

#[test]
fn a_receiver_that_comes_later_may_find_what_was_stored_in_between() {
    keeps_the_laws(
        "
kernel: {buffering: 1}
processes:
  S: {do: [{receive: m, from: [B, D]}, {assert: m.body == 1}]}
  B: {do: [{receive: go, from: D}, {send: 2, to: S}]}
  D: {do: [{send: 1, to: S}, {send: go, to: B}]}
",
    );
}

#[test]
fn behind_an_exit_that_cannot_be_computed_a_thread_may_go_on() {
    keeps_the_laws(
        "
ports: {f: {receive: h}}
processes:
  h: {daemon: true, do: [{forever: [{receive: e, from: f}, {reply: resume, to: \"${e}\"}]}]}
  a:
    exception-port: f
    do:
      - set: {v: 5, d: 0}
      - yield:
      - exit: ${1 / d}
      - yield:
      - if: v != 5
        then: [{exit: 3}]
",
    );
}
