//! What a call is said to do is compared with its form, which the compiler prints and nobody writes by hand, and with what
//! happens in runs. So a verb cannot forget an expression that it evaluates, a variable that it sets or an outcome that it has.

mod common;

use std::collections::BTreeSet;

use ipcsim_explore::{Limits, Tracer, run};
use ipcsim_kernel::program::{Effect, Op, Verb};
use ipcsim_kernel::{Event, Expr, Kind, Machine, Outcome, State};
use ipcsim_scenario::table;

/// The machines of all scenarios, and of random ones with every verb.
fn machines() -> Vec<(String, Machine)> {
    let mut texts = common::scenarios();
    texts
        .extend((0..300).map(|seed| (format!("seed {seed}"), common::generate::scenario(seed, 6))));
    let machine = |(name, text): &(String, String)| {
        let loaded = common::loaded(name, text, &[]);
        (name.clone(), loaded.machine.expect("a scenario without errors has a machine"))
    };
    texts.iter().map(machine).collect()
}

/// The numbers that stand behind a word in a text.
fn numbers(text: &str, word: &str) -> BTreeSet<u32> {
    let number = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    text.split(word).skip(1).filter_map(|part| number(part).parse().ok()).collect()
}

#[test]
fn a_verb_tells_of_every_variable_and_place_in_its_form() {
    let mut seen = BTreeSet::new();
    for (name, machine) in machines() {
        for op in &machine.code {
            let Op::Call(call) = op else { continue };
            let form = format!("{:?}", call.verb);
            seen.insert(call.verb.word());
            let (mut read, mut known, mut places) =
                (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            call.verb.effects(&mut |effect| match effect {
                Effect::Reads(expr) => expr.visit(&mut |part| {
                    if let Expr::Variable(register) = part {
                        read.insert(register.0);
                    }
                }),
                Effect::Writes(register) => known.extend([register.0]),
                // The variables of the new process are its own.
                Effect::Spawns(spawn) => known.extend(spawn.with.iter().map(|(it, _)| it.0)),
                Effect::Starts(_, pc) => places.extend([pc.0]),
                Effect::Forks(entry) => places.extend(entry.map(|pc| pc.0)),
                Effect::Replaces(image) => {
                    places.extend([image.entry.0]);
                    known.extend(image.with.iter().map(|(it, _)| it.0));
                }
                _ => {}
            });
            assert_eq!(read, numbers(&form, "Variable(Register("), "{name}: it reads\n{form}");
            known.extend(&read);
            assert_eq!(known, numbers(&form, "Register("), "{name}: it has variables\n{form}");
            assert_eq!(places, numbers(&form, "Pc("), "{name}: it leads to\n{form}");
        }
    }
    let verbs = table::VERBS.iter().filter(|verb| verb.is_call()).map(table::Verb::name);
    let missing: Vec<&str> = verbs.filter(|verb| !seen.contains(verb)).collect();
    assert!(missing.is_empty(), "no scenario has {missing:?}");
}

/// Compares what happens with what the call that does it was said to do.
struct Judge<'n> {
    name: &'n str,
}

impl Tracer for Judge<'_> {
    const EVENTS: bool = true;

    fn record(&mut self, machine: &Machine, state: &State, _: u64, event: &Event) {
        let (Some(t), Some(pc)) = (event.thread, event.pc) else { return };
        let Op::Call(call) = &machine.code[pc.index()] else { return };
        // An exception is the kernel's message, and not the call's.
        if state.threads.items()[t.index()].raised().is_some() {
            return;
        }
        let may = |such: fn(Effect) -> bool| call.verb.may(such);
        let is_said = match &event.kind {
            Kind::Sent(_) | Kind::Kept(_) => {
                may(|it| matches!(it, Effect::Sends(_) | Effect::Answers(_)))
            }
            Kind::Received(_) => may(|it| matches!(it, Effect::Receives(_) | Effect::AwaitsAnswer)),
            Kind::Blocked(_) => {
                may(|it| matches!(it, Effect::Waits(_) | Effect::Sleeps(_) | Effect::AwaitsAnswer))
            }
            Kind::Created(_) => may(|it| matches!(it, Effect::Creates | Effect::CreatesPort)),
            Kind::Spawned(_) => may(|it| matches!(it, Effect::Spawns(_))),
            Kind::Forked(_) | Kind::NotForked(_) => may(|it| matches!(it, Effect::Forks(_))),
            Kind::Replaced(_) => may(|it| matches!(it, Effect::Replaces(_))),
            Kind::Unlocked(..) => may(|it| matches!(it, Effect::Unlocks)),
            Kind::Freed(_) => may(|it| matches!(it, Effect::Frees)),
            Kind::Limited(..) => may(|it| matches!(it, Effect::Changes(_))),
            Kind::Returned(outcome) => has_outcome(&call.verb, *outcome),
            _ => true,
        };
        assert!(is_said, "{}: {:?} of {:?}", self.name, event.kind, call.verb);
    }
}

fn has_outcome(verb: &Verb, outcome: Outcome) -> bool {
    // What looks at rights is part of another step, and has no word of its own.
    let known = table::Verb::find(verb.word());
    outcome == Outcome::Ok || known.is_none_or(|known| known.word.outcomes().contains(&outcome))
}

#[test]
fn what_happens_in_a_run_was_said_of_the_call_that_does_it() {
    for (name, machine) in machines() {
        let limits = Limits { max_steps: 5_000, ..Limits::default() };
        run(&machine, &limits, &mut Judge { name: &name });
    }
}
