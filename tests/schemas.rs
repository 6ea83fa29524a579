//! The schemas that the program prints: they accept what it accepts, and refuse what a schema can see.

mod common;

use jsonschema::Validator;
use serde_json::{Value, json};

fn validator(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).expect("a schema is JSON");
    jsonschema::draft7::new(&schema).expect("a schema is a schema")
}

fn scenario(text: &str) -> Value {
    serde_yaml::from_str(text).expect("the test's scenario is YAML")
}

#[test]
fn every_scenario_is_valid_for_editors() {
    let validator = validator(&ipcsim_scenario::schema());
    for (path, text) in common::scenarios() {
        let found: Vec<String> =
            validator.iter_errors(&scenario(&text)).map(|error| error.to_string()).collect();
        assert!(found.is_empty(), "{path}: {found:?}");
    }
}

#[test]
fn random_scenarios_are_valid_for_editors() {
    let validator = validator(&ipcsim_scenario::schema());
    for seed in 0..50 {
        let text = common::generate::scenario(seed, 8);
        let found: Vec<String> =
            validator.iter_errors(&scenario(&text)).map(|error| error.to_string()).collect();
        assert!(found.is_empty(), "{found:?}\n{text}");
    }
}

#[test]
fn an_editor_shows_misspelt_words() {
    let validator = validator(&ipcsim_scenario::schema());
    for wrong in [
        "processes: {P1: [{sned: hello, to: P2}]}",
        "processes: {P1: [{send: hello, too: P2}]}",
        "processes: {P1: [{send: hello}]}",
        "processes: {P1: [{receive: m, from: P2, when: {timedout: []}}]}",
        "processes: {P1: [yield]}\nkernel: {wake: sometimes}",
        "processes: {P1: [yield]}\nmailboxes: {box-1: {}}",
        "kernel: {}",
        "processes: {}",
        "processes: {P1: []}",
        "processes: {P1: {do: []}}",
        "processes: {P1: {priority: 1}}",
        "processes: {P1: {threads: {}}}",
        "processes: {P1: {do: [yield], program: p}}\nprograms: {p: {do: [yield]}}",
        "processes: {me: [yield]}",
        "processes: {P1: [{set: {status: 1}}]}",
        "processes: {P1: [{receive: anyone, from: P1}]}",
        "processes: {P1: [{repeat: 2, do: []}]}",
        "processes: {P1: [{spawn: P2}]}",
        "processes: {P1: [yield]}\nmailboxes: {box: {capacity: many}}",
        "processes: {P1: [yield]}\nmailboxes: {box: {capacity: -1}}",
        "processes: {P1: [yield]}\nkernel: {buffering: 4KB}",
        "processes: {P1: [yield]}\nmailboxes: {box: {}}\nfiles: {/a: {mailbox: box, mode: \"999\"}}",
    ] {
        assert!(!validator.is_valid(&scenario(wrong)), "{wrong} is not valid");
        let loaded = ipcsim_scenario::load(
            "x.yaml",
            wrong.as_bytes(),
            &ipcsim_scenario::LoadOptions::default(),
        );
        assert!(loaded.has_errors(), "{wrong} is refused by both");
    }
    for right in [
        "processes: {P1: [{choose: [[yield], []]}]}",
        "processes: {P1: [{receive: m, from: P2, wait: 1ms, when: {timed-out: []}}], P2: [yield]}",
        "processes: {P1: [yield]}\nmailboxes: {box: {capacity: 0}, two: {capacity: 4KiB}, three: {capacity: unlimited}}",
    ] {
        assert!(validator.is_valid(&scenario(right)), "{right} is valid");
        let loaded = ipcsim_scenario::load(
            "x.yaml",
            right.as_bytes(),
            &ipcsim_scenario::LoadOptions::default(),
        );
        assert!(!loaded.has_errors(), "{right} is accepted by both: {:?}", loaded.diagnostics);
    }
    assert!(validator.is_valid(&scenario("processes: {P1: [yield, {log: hello}]}")));
}

#[test]
fn every_line_of_every_trace_is_valid() {
    let validator = validator(&ipcsim_report::trace::schema());
    for (path, text) in common::scenarios() {
        let loaded = common::loaded(&path, &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        let told = common::tell(&machine, &text, 500);
        for line in told.trace.lines() {
            let line: Value = serde_json::from_str(line).expect("a line of a trace is JSON");
            assert!(validator.is_valid(&line), "{path}: {line}");
        }
    }
    for seed in 0..50 {
        let text = common::generate::scenario(seed, 8);
        for line in common::told(&text, &[]).trace.lines() {
            let line: Value = serde_json::from_str(line).expect("a line of a trace is JSON");
            assert!(validator.is_valid(&line), "{line}");
        }
    }
    assert!(!validator.is_valid(&json!({"t": 0, "event": "teleported"})));
    assert!(!validator.is_valid(&json!({"t": -1, "event": "sent"})));
    assert!(!validator.is_valid(&json!({"event": "sent"})));
    // Every event must have its keys, and no others.
    assert!(!validator.is_valid(&json!({"t": 0, "event": "stored", "object": "box", "serial": 1})));
    assert!(
        !validator
            .is_valid(&json!({"t": 0, "event": "process-started", "object": "P", "on": "send"}))
    );
}
