//! Mistakes about rights and control that were mended, each with its smallest scenario.

mod common;

use common::told;

#[test]
fn looking_at_rights_leaves_the_outcome_of_the_step_before() {
    let scenario = "
ports: {p: {receive: S}}
processes:
  S:
    - {receive: m, from: p, wait: 1ms, when: {timed-out: []}}
    - {log: '${status} with ${refs(p)}'}
    - assert: 'refs(p) == 1 and status == \"timed-out\"'
";
    let told = told(scenario, &[]);
    assert_eq!(told.verdict.outcome.word(), "completes");
    let (_, records) = ipcsim_report::trace::read(&told.trace).expect("a trace can be read again");
    assert!(records.iter().any(|it| it.text.as_deref() == Some("timed-out with 1")));
}

#[test]
fn the_port_of_a_thread_that_never_began_dies_with_its_process() {
    let scenario = "
processes:
  K:
    - {kill: L}
    - {send: kill, to: '${thread-of(L)}', when: {no-right: [], dead: []}}
  L: {start: 1s, do: [{log: never}]}
";
    assert_eq!(told(scenario, &[]).verdict.outcome.word(), "completes");
}

#[test]
fn a_step_of_control_stands_where_it_was_written() {
    let scenario = "
processes:
  K:
    - {suspend: L}
    - {resume: L}
    - {kill: L}
  L: [{forever: [sleep: 1ms]}]
";
    let told = told(scenario, &[]);
    let (_, records) = ipcsim_report::trace::read(&told.trace).expect("a trace can be read again");
    let lines = |event: &str| -> Vec<Option<u32>> {
        records.iter().filter(|it| it.event == event).map(|it| it.line).collect()
    };
    assert_eq!(lines("suspended"), [Some(4)]);
    assert_eq!(lines("resumed"), [Some(5)]);
    assert_eq!(lines("killed"), [Some(6)]);
}

#[test]
fn a_circle_of_rights_whose_senders_wait_is_left_again() {
    // R waits for memory, and behind it P and Q, each with the right to the other's destination.
    let scenario = "
kernel: {memory: 10B}
ports:
  a: {receive: P, send: [Q, R]}
  b: {receive: Q, send: [P, R]}
  c: {receive: R}
mailboxes: {full: {capacity: 1}}
processes:
  F: [{send: f, to: full, size: 10B}, {sleep: 5ms}, {receive: m, from: full}]
  P: [{sleep: 1ms}, {send: p, to: b, size: 1B, rights: [{port: a, as: move-receive}], when: {dead: []}}]
  Q: [{sleep: 1ms}, {send: q, to: a, size: 1B, rights: [{port: b, as: move-receive}], when: {dead: []}}]
  R: [{sleep: 500us}, {send: r, to: a, size: 1B, rights: [{port: c, as: move-receive}], when: {dead: []}}]
";
    assert_eq!(told(scenario, &[]).verdict.outcome.word(), "completes");
}
