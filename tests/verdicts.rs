//! What a run is told to have come to: a scenario, and the sentences about it.

mod common;

use common::told;

/// The verdict of a scenario, without the line of measures.
fn check(scenario: &str, expected: &str) {
    let told = told(scenario, &[]);
    let verdict = ipcsim_report::verdict(&told.machine, &told.run, &told.verdict, &[]);
    assert_eq!(verdict.trim_end(), expected.trim(), "{}", ipcsim_report::picture(&told.story));
}

const CROSSED: &str = "
processes:
  P1: [{send: a, to: P2}, {receive: m, from: P2}]
  P2: [{send: b, to: P1}, {receive: m, from: P1}]
";

#[test]
fn crossed_sends_are_a_deadlock() {
    check(
        CROSSED,
        "
deadlock at 2.4 us: P1 and P2 each wait for the other
  P1 is SEND-blocked on P2 (line 3): no buffering, and P2 is not receiving
  P2 is SEND-blocked on P1 (line 4): no buffering, and P1 is not receiving",
    );
}

#[test]
fn a_busy_bystander_hides_nothing() {
    let partial = format!("{CROSSED}  bystander: [{{forever: [{{compute: 1us}}, yield]}}]\n");
    let told = told(&partial, &[]);
    assert_eq!(told.verdict.outcome.word(), "deadlock");
    assert_eq!(told.verdict.problems.len(), 1);
    assert_eq!(told.verdict.problems[0].since_ns, 2_400, "it is dated back to when it formed");
}

#[test]
fn a_circle_of_receives_is_a_deadlock() {
    check(
        "
processes:
  A: [{receive: m, from: B}, {send: x, to: B}]
  B: [{receive: m, from: A}, {send: x, to: A}]
",
        "
deadlock at 2.4 us: A and B each wait for the other
  A is RECEIVE-blocked on B (line 3): B is not sending
  B is RECEIVE-blocked on A (line 4): A is not sending",
    );
}

#[test]
fn who_sends_to_itself_waits_for_itself() {
    check(
        "
processes:
  P: [{send: x, to: P}, {receive: m, from: P}]
",
        "
deadlock at 1.2 us: P waits for itself: nobody else could end this wait
  P is SEND-blocked on P (line 3): no buffering, and P is not receiving",
    );
}

#[test]
fn who_waits_for_what_nobody_sends_is_stranded() {
    check(
        "
mailboxes: {box: {capacity: 1}}
processes:
  P: [{receive: m, from: box}]
  Q: [{log: hello}]
",
        "
stranded at 1.2 us: P waits for ever: nobody left can end this wait
  P is RECEIVE-blocked on box (line 4): box is empty",
    );
}

/// Nobody waits for itself only because it alone could take what lies there instead.
#[test]
fn who_waits_for_another_type_from_one_that_has_ended_is_stranded() {
    check(
        "
kernel: {buffering: 1}
processes:
  P1: [{receive: m, from: P2, type: order}]
  P2: [{send: a, to: P1, type: invoice}]
",
        "
stranded at 2.6 us: P1 waits for ever: nobody left can end this wait
  P1 is RECEIVE-blocked on P2 (line 4): the message there has type invoice, and it takes only type order",
    );
}

#[test]
fn kernel_memory_that_nobody_frees_is_a_deadlock() {
    check(
        "
kernel: {buffering: unlimited, memory: 10B}
processes:
  P1: [{send: a, to: P2, size: 6B}, {send: b, to: P2, size: 6B}, {receive: m, from: P2}]
  P2: [{send: c, to: P1, size: 6B}, {receive: m, from: P1}, {receive: m, from: P1}]
",
        "
deadlock at 2.6 us: P1 and P2 wait for kernel memory that nobody will free
  P1 is memory-blocked on P2 (line 4): 6 B of 10 B kernel memory are in use, the message needs 6 B, held by 1 message of P1 on the link to P2
  P2 is memory-blocked on P1 (line 5): 6 B of 10 B kernel memory are in use, the message needs 6 B, held by 1 message of P1 on the link to P2",
    );
}

#[test]
fn only_who_waits_for_memory_is_said_to() {
    check(
        "
kernel: {buffering: unlimited, memory: 10B}
mailboxes: {box: {}}
processes:
  P1: [{send: a, to: box, size: 6B}, {send: b, to: box, size: 6B}, {send: c, to: P2}]
  P2: [{receive: m, from: P1}, {receive: m, from: box}, {receive: m, from: box}]
",
        "
deadlock at 2.6 us: P1 waits for kernel memory that nobody will free, in a circle with P2
  P1 is memory-blocked on box (line 5): 6 B of 10 B kernel memory are in use, the message needs 6 B, held by 1 message of P1 in box
  P2 is RECEIVE-blocked on P1 (line 6): P1 is not sending",
    );
}

#[test]
fn a_timeout_that_opens_a_circle_is_named() {
    check(
        "
processes:
  P1: [{send: a, to: P2, wait: 10us, when: {timed-out: []}}, {receive: m, from: P2}]
  P2: [{send: b, to: P1}, {receive: m, from: P1, wait: 1ms, when: {timed-out: [], dead: []}}]
",
        "
only a timeout ended this: P1 (line 3) and P2 (line 4) waited for each other until the wait of P1 ended at 11.2 us
completes at 14 us",
    );
}

#[test]
fn a_loop_that_gets_nowhere_is_a_livelock() {
    let told = told(
        "
mailboxes: {box: {capacity: 1}}
processes:
  P: [{forever: [{receive: m, from: box, wait: never, when: {would-block: []}}]}]
",
        &[],
    );
    assert_eq!(told.verdict.outcome.word(), "livelock");
}

#[test]
fn a_daemon_at_rest_is_not_stuck() {
    check(
        "
processes:
  server: {daemon: true, do: [{forever: [{receive: q, from: anyone}, {reply: done, to: q}]}]}
  client: [{call: work, to: server, into: answer}]
",
        "completes at 5 us",
    );
}

#[test]
fn who_waits_for_a_message_that_the_kernel_keeps_is_not_stuck() {
    let told = told(
        "
ports: {p: {receive: R, send: [S], capacity: 1}, n: {receive: S}}
processes:
  S:
    - {send: one, to: p, type: a}
    - {send: two, to: p, type: b, hold-one: n}
    - {receive: notice, from: n}
  R:
    - thread: helper
      do:
        - {repeat: 9000, do: [{sleep: 1us}]}
        - {receive: m, from: p, type: a, when: {dead: [], no-right: [], refused: []}}
    - {sleep: 10us}
    - {receive: m, from: p, type: b}
",
        &[],
    );
    // The run asks who is stuck while the helper still sleeps.
    assert!(told.run.stuck.is_empty(), "{:?}", told.run.stuck);
    assert_eq!(told.verdict.outcome.word(), "completes");
}

#[test]
fn messages_that_nobody_received_are_told() {
    check(
        "
kernel: {buffering: 2}
mailboxes: {box: {}}
processes:
  P: [{send: x, to: box}, {send: y, to: Q}]
  Q: [{log: I do not listen}]
",
        "completes at 2.8 us, but 1 message was lost and 1 message was never received",
    );
}

#[test]
fn exceptions_say_what_was_wrong() {
    for (step, why) in [
        ("sleep: '${1ms - 2ms}'", "a size, a duration or a count is negative"),
        ("repeat: '${0 - 1}'\n      do: [yield]", "a size, a duration or a count is negative"),
        ("set: {x: 'random(5, 1)'}", "there is nothing to choose from"),
        ("set: {x: 'max([])'}", "there is nothing to choose from"),
    ] {
        let text = format!("processes:\n  P1:\n    - {step}\n");
        check(&text, &format!("P1 failed (line 3): {why}"));
    }
}

#[test]
fn failures_are_told_in_order_of_time() {
    check(
        "
kernel: {buffering: 1}
processes:
  A: [{sleep: 1ms}, {send: x, to: B}]
  B: [{assert: false}]
",
        "
B failed (line 5): assert failed
A failed (line 4): unhandled dead",
    );
}

#[test]
fn a_kernel_that_refuses_deadlocks_refuses_the_call_that_closes_the_circle() {
    let told = told(&format!("kernel: {{detect: refuse}}\n{CROSSED}"), &[]);
    let failures: Vec<String> =
        told.verdict.failures.iter().map(|failure| failure.fault.describe()).collect();
    assert_eq!(failures, ["unhandled deadlock", "unhandled dead"]);
}

#[test]
fn who_queues_up_behind_a_deadlock_and_gives_up_again_does_not_hide_it() {
    let scenario = "
mailboxes: {box: {capacity: 1}}
processes:
  P: {replicas: 2, do: [{send: x, to: box}, {send: x, to: box}, {receive: m, from: box}]}
  busy: [{forever: [{send: x, to: box, wait: 2us, when: {timed-out: []}}, {sleep: 3us}]}]
";
    for max_steps in [50, 51, 52, 5_000] {
        let loaded = common::loaded("test.yaml", scenario, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        let told = common::tell(&machine, scenario, max_steps);
        assert_eq!(told.run.stuck.len(), 1, "after {max_steps} steps");
        assert_eq!(told.run.stuck[0].threads.len(), 2, "after {max_steps} steps");
    }
}

#[test]
fn a_short_text_does_not_overtake_a_long_one_that_waits_for_room() {
    let told = told(
        "
mailboxes: {box: {capacity: 8B}}
processes:
  long: [{send: sixsix, to: box}, {send: four, to: box}]
  short: [{sleep: 1ms}, {send: x, to: box}]
  reader:
    - sleep: 2ms
    - repeat: 3
      do: [{receive: m, from: box}, {log: '${m.body}'}]
",
        &[],
    );
    let picture = ipcsim_report::picture(&told.story);
    assert_eq!(picture.matches("SEND-blocked on box").count(), 2, "{picture}");
}
