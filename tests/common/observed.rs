//! What can be observed on the way, in searches that leave schedules out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use ipcsim_explore::{
    Asks, Covered, Exploration, ExploreLimits, Log, Looks, NoTrace, Reduction, Reductions, explore,
    replay,
};
use ipcsim_kernel::{
    Binary, Expr, Machine, MailboxId, Predicate, Probe, ProcessId, Register, Rename, ReplyRight,
    State, Unary, Value, Walk,
};

use super::generate::Dice;
use super::reduced::LAZY;

/// Which of a few things can ever be seen together is the same however it is searched. Returns how many searches left
/// something out.
pub fn check_observed(name: &str, machine: &Machine, max_states: u64, dice: &mut Dice) -> u64 {
    let probes = some_probes(machine, dice);
    let limits = ExploreLimits { max_states, ..ExploreLimits::default() };
    let all = Predicate { probes: probes.clone(), expr: Expr::Constant(Value::of_truth(true)) };
    let all = [all];
    let whole = explore(machine, Reductions::MERGE, Looks::at(&all, Asks::EverySchedule), &limits);
    if whole.covered != Covered::All {
        return 0;
    }
    let seen: BTreeMap<String, Vec<Value>> = whole
        .numbers()
        .map(|state| all[0].sight(&whole.state(state)))
        .map(|sight| (format!("{sight:?}"), sight))
        .collect();
    let mut less = 0;
    for sight in some_sights(&seen, dice) {
        let not_this = [Predicate { probes: probes.clone(), expr: differs_from(&sight) }];
        let expected =
            explore(machine, Reductions::MERGE, Looks::at(&not_this, Asks::EverySchedule), &limits)
                .never_holds_not(0);
        // Not everything can be compared with everything.
        let Ok(expected) = expected else { continue };
        let order = Reductions { order: Reduction::On, ..LAZY };
        for (word, reductions) in [("lazy", LAZY), ("order", order), ("all", Reductions::ALL)] {
            let looks = Looks::at(&not_this, Asks::WhatCanBe);
            let mut found = explore(machine, reductions, looks, &limits);
            assert_eq!(found.covered, Covered::All, "{name}: {word}");
            let said = found.never_holds_not(0);
            let told = || format!("{name}: {word}: {probes:?} {sight:?} {expected:?} {said:?}");
            let Ok(said) = &said else { panic!("{}", told()) };
            assert_eq!(said.is_some(), expected.is_some(), "{}", told());
            if let Some(state) = *said {
                let end = end_of_path(machine, &mut found, state);
                assert_eq!(not_this[0].holds(machine, &end), Ok(false), "{}", told());
            }
            less += u64::from(found.states() < whole.states());
        }
    }
    less
}

/// What is left when nothing moves any more, and what was logged until then, is the same however it is searched. Returns how many
/// searches left something out.
pub fn check_remains(name: &str, machine: &Machine, max_states: u64) -> u64 {
    let (all, _) = ipcsim_report::all_variables(machine);
    let limits = ExploreLimits { max_states, ..ExploreLimits::default() };
    let predicates = [all];
    let looks = Looks { predicates: &predicates, log: Log::Kept, asks: Asks::WhatRemains };
    let in_words = |found: &mut Exploration| -> BTreeSet<String> {
        let results = found.results(&predicates[0]);
        results.iter().map(|it| format!("{:?} {:?}", unnumbered(&it.held), it.log)).collect()
    };
    let mut whole = explore(machine, Reductions::MERGE, looks, &limits);
    if whole.covered != Covered::All {
        return 0;
    }
    let expected = in_words(&mut whole);
    let order = Reductions { order: Reduction::On, ..LAZY };
    let mut less = 0;
    for (word, reductions) in [("lazy", LAZY), ("order", order), ("all", Reductions::ALL)] {
        let mut found = explore(machine, reductions, looks, &limits);
        assert_eq!(in_words(&mut found), expected, "{name}: {word}");
        for state in found.final_states() {
            let end = end_of_path(machine, &mut found, state);
            let there = found.state(state);
            let [end, there] = [end, there].map(|it| unnumbered(&predicates[0].sight(&it)));
            assert_eq!(end, there, "{name}: {word}");
        }
        less += u64::from(found.states() < whole.states());
    }
    less
}

/// Values without the numbers of requests: a state numbers those anew that somebody can still answer, and of several schedules
/// to a result each may have had other requests before.
fn unnumbered(values: &[Value]) -> Vec<Value> {
    struct NoNumbers;

    impl Rename for NoNumbers {
        fn right(&mut self, right: ReplyRight) -> ReplyRight {
            ReplyRight { call: 0, ..right }
        }
    }

    values.iter().map(|value| value.renamed(&mut NoNumbers)).collect()
}

/// The scenario with local work in between that can be observed, and that takes time here and there.
pub fn with_local_work(text: &str, dice: &mut Dice) -> String {
    let mut out = String::new();
    for line in text.lines() {
        out.push_str(line);
        out.push('\n');
        let step = line.find("- {").or_else(|| line.find("- set: {m: none}"));
        if let Some(indent) = step.filter(|_| dice.chance(25)) {
            for local in ["set: {n: 1}", "compute: 1us", "log: here", "set: {n: 2}"] {
                if dice.chance(50) {
                    let _ = writeln!(out, "{:indent$}- {local}", "");
                }
            }
        }
    }
    out
}

/// Where the schedule leads that shows a state.
fn end_of_path(machine: &Machine, found: &mut Exploration, state: u32) -> State {
    let path = found.path(state);
    let schedule = found.schedule(&path);
    replay(machine, &found.grain().clone(), &schedule, &mut NoTrace)
}

/// One to three things to look at.
fn some_probes(machine: &Machine, dice: &mut Dice) -> Vec<Probe> {
    let state = State::initial(machine);
    let mut all = Vec::new();
    for thread in &state.threads {
        for register in 0..thread.registers.len() {
            all.push(Probe::Variable {
                process: thread.process,
                thread: thread.name,
                index: thread.index,
                register: Register::at(register),
            });
        }
    }
    all.extend((0..state.mailboxes.len()).map(MailboxId::at).map(Probe::Stored));
    all.extend((0..state.processes.len()).map(ProcessId::at).map(Probe::Ended));
    all.extend((0..state.processes.len()).map(ProcessId::at).map(Probe::Blocked));
    all.push(Probe::KernelUsed);
    let count = 1 + dice.below(3);
    let index =
        |dice: &mut Dice| usize::try_from(dice.below(all.len() as u64)).expect("it is small");
    (0..count).map(|_| all[index(dice)]).collect()
}

/// A few that were seen, and a few that are made of their parts.
fn some_sights(seen: &BTreeMap<String, Vec<Value>>, dice: &mut Dice) -> Vec<Vec<Value>> {
    let all: Vec<&Vec<Value>> = seen.values().collect();
    let one = |dice: &mut Dice| {
        all[usize::try_from(dice.below(all.len() as u64)).expect("it is small")].clone()
    };
    let mut some = vec![one(dice), one(dice)];
    for _ in 0..2 {
        let (first, second) = (one(dice), one(dice));
        let parts = first.into_iter().zip(second);
        some.push(parts.map(|(this, that)| if dice.chance(50) { this } else { that }).collect());
    }
    some
}

/// Whether what is seen is something else.
fn differs_from(sight: &[Value]) -> Expr {
    let is = |(at, value): (usize, &Value)| {
        let seen = Expr::Variable(Register::at(at));
        Expr::Binary(Binary::Equal, Box::new((seen, Expr::Constant(value.clone()))))
    };
    let all = sight
        .iter()
        .enumerate()
        .map(is)
        .reduce(|one, other| Expr::Binary(Binary::And, Box::new((one, other))));
    Expr::Unary(Unary::Not, Box::new(all.expect("something is looked at")))
}
