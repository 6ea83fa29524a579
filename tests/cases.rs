//! Small scenarios, several in a file: each says in a sentence what it is about, and claims it.
//!
//! A case is a scenario with `says` beside its keys. All cases of a file are judged, and those that fail are told with
//! what they say.

mod common;

use ipcsim_check::{Budget, Judgement, Subject, judge};
use serde_yaml::{Mapping, Value};

/// Judges the cases of a file.
fn check(file: &str) {
    let cases: Mapping = serde_yaml::from_str(file).expect("the cases are YAML");
    assert!(cases.len() > 5, "the cases are there");
    let mut failed = Vec::new();
    for (name, case) in cases {
        let name = name.as_str().expect("a name").to_string();
        let Value::Mapping(mut scenario) = case else { panic!("{name} is no scenario") };
        let says = scenario.remove("says").unwrap_or_else(|| panic!("{name} says nothing"));
        let says = says.as_str().expect("a sentence").to_string();
        let text = serde_yaml::to_string(&Value::Mapping(scenario)).expect("it can be written");
        let why = judged(&name, &text);
        failed.extend(why.into_iter().map(|why| format!("{name}: {says}\n  {why}\n{text}")));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What is claimed and does not hold.
fn judged(name: &str, text: &str) -> Vec<String> {
    let loaded = common::loaded(name, text, &[]);
    let claims = &loaded.scenario.claims;
    assert!(!claims.is_empty(), "{name} claims nothing");
    let subject = Subject {
        loaded: &loaded,
        file: name,
        bytes: text.as_bytes(),
        sets: &[],
        max_threads: ipcsim_kernel::limits::THREADS,
        expect: None,
    };
    let mut failed = Vec::new();
    for (number, claim) in claims.iter().enumerate() {
        let judgement = judge(&subject, number, &Budget::default());
        if !matches!(judgement, Judgement::Holds(_) | Judgement::HoldsInVain(_)) {
            failed.push(format!("{}: {judgement:?}", claim.said));
        }
    }
    failed
}

#[test]
fn the_name_server_keeps_its_promises() {
    check(include_str!("cases/names.yaml"));
}

#[test]
fn what_was_mended_stays_so() {
    check(include_str!("cases/regressions.yaml"));
}
