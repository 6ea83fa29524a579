//! Every mistake that was mended leaves its smallest scenario here.

mod common;

use common::told;

/// The lines of the log with their times in nanoseconds.
fn log(scenario: &str) -> Vec<(u64, String)> {
    let told = told(scenario, &[]);
    let (_, records) = ipcsim_report::trace::read(&told.trace).expect("a trace can be read again");
    records
        .into_iter()
        .filter(|record| record.event == "logged")
        .map(|record| (record.t, record.text.unwrap_or_default()))
        .collect()
}

fn outcome(scenario: &str) -> &'static str {
    told(scenario, &[]).verdict.outcome.word()
}

#[test]
fn senders_that_look_again_for_memory_do_not_wake_each_other_for_ever() {
    let scenario = "
kernel: {memory: 10B, wake: look-again, buffering: unlimited}
processes:
  P: {replicas: 3, do: [{send: x, to: R, size: 10B}]}
  R: [{repeat: 3, do: [{sleep: 1ms}, {receive: m, from: anyone}]}]
";
    assert_eq!(outcome(scenario), "completes");
}

#[test]
fn a_thread_runs_on_one_processor_at_a_time() {
    let scenario = "
kernel: {cpus: 2, costs: {copy-per-KiB: 1us}}
processes:
  S: {daemon: true, do: [{forever: [{receive: q, from: anyone}, {reply: a, to: q}]}]}
  C:
    - sleep: 100us
    - {call: x, to: S, into: a, size: 1MiB}
    - repeat: 3
      do: [{compute: 400us}, {log: step}]
";
    let times: Vec<u64> = log(scenario).into_iter().map(|(at, _)| at).collect();
    assert_eq!(times.len(), 3);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 400_000), "{times:?}");
}

#[test]
fn killing_a_blocked_sender_may_let_in_those_behind_it() {
    let scenario = "
mailboxes: {box: {capacity: 10B}}
processes:
  S0: [{send: a, to: box, size: 8B}]
  S1: {start: 1us, do: [{send: b, to: box, size: 9B}]}
  S2: {start: 2us, do: [{send: c, to: box, size: 2B}]}
  K: [{repeat: 6000, do: [yield]}, {kill: S1}]
";
    assert_eq!(outcome(scenario), "completes");
}

#[test]
fn a_handle_in_a_body_gives_no_right_to_reply() {
    let told = told(
        "
kernel: {buffering: 1}
processes:
  C: [{call: x, to: S, into: a, when: {dead: []}}]
  S: [{receive: m, from: C}, {send: '${m}', to: W}, {sleep: 1ms}]
  W: [{receive: f, from: S}, {set: {r: f.body}}, {reply: y, to: r, when: {no-right: [{log: no right}]}}]
",
        &[],
    );
    assert!(told.trace.contains("\"no right\""), "{}", told.trace);
}

#[test]
fn a_wait_that_expired_while_looking_again_does_not_go_on_for_ever() {
    let told = told(
        "
kernel: {wake: look-again}
mailboxes: {box: {capacity: 1}}
processes:
  F: [{send: first, to: box}]
  C: {start: 1us, do: [{call: x, to: box, into: a, wait: 5ms, when: {timed-out: [{log: gave up}]}}]}
  S: {start: 2ms, do: [{receive: m, from: box}, {compute: 20ms}, {receive: m, from: box}, {sleep: 1s}]}
",
        &[],
    );
    assert!(told.trace.contains("gave up"), "{}", told.trace);
}

#[test]
fn a_program_that_watches_the_clock_does_not_repeat_itself() {
    let scenario = "
processes:
  P: [{while: now() < 200ms, do: [{sleep: 10us}]}]
";
    let loaded = common::loaded("clock.yaml", scenario, &[]);
    let machine = loaded.machine.expect("a scenario without errors has a machine");
    let told = common::tell(&machine, scenario, 1_000_000);
    assert_eq!(told.verdict.outcome.word(), "completes");
}

#[test]
fn the_place_of_a_thread_that_is_awaited_is_not_used_again() {
    let scenario = "
processes:
  P:
    - {thread: a, do: [yield]}
    - {thread: a, do: [{sleep: 5ms}, {thread: v, do: [{sleep: 1s}]}, {sleep: 1ms}]}
    - join: a
    - log: joined
";
    let log = log(scenario);
    assert!(log[0].0 < 10_000_000, "{log:?}");
}

#[test]
fn an_end_is_told_when_its_last_message_is_taken_by_another() {
    let scenario = "
kernel: {buffering: 2}
processes:
  A: [{send: x, to: B, type: y}]
  B:
    threads:
      t1: [{receive: m, from: A, type: x, when: {dead: [{log: dead}]}}]
      t2: [{sleep: 1ms}, {receive: m, from: A, type: y}]
";
    assert_eq!(log(scenario).len(), 1);
    assert_eq!(outcome(scenario), "completes");
}

#[test]
fn look_again_keeps_the_order_of_messages() {
    let told = told(
        "
kernel: {wake: look-again}
mailboxes: {box: {capacity: 1}}
processes:
  X: [{receive: m, from: box}, {log: '${m.body}'}]
  Y: [{receive: m, from: box}, {log: '${m.body}'}]
  S: {start: 50us, do: [{send: one, to: box}, {send: two, to: box}]}
",
        &[],
    );
    let received: Vec<&str> =
        told.trace.lines().filter(|line| line.contains("\"received\"")).collect();
    assert!(received[0].contains("\"serial\":1"), "{received:?}");
}

#[test]
fn time_slices_count_as_steps() {
    let scenario = "
kernel: {scheduler: round-robin, quantum: 1ns}
processes: {P: [{compute: 1s}], Q: [{compute: 1s}]}
";
    let told = told(scenario, &[]);
    assert_eq!(told.verdict.outcome.word(), "unfinished");
}

#[test]
fn many_receivers_of_a_family_are_judged_quickly() {
    let scenario = "
mailboxes: {r: {replicas: 100}}
processes: {P: {replicas: 100, do: [{receive: m, from: r}]}}
";
    assert_eq!(outcome(scenario), "stranded");
}

#[test]
fn a_text_with_line_breaks_does_not_tear_the_picture() {
    let told = told("processes: {P: [{log: \"a\\nb\\rc\\e[31md\"}]}\n", &[]);
    let picture = ipcsim_report::picture(&told.story);
    assert!(picture.contains("log: a\\nb\\rc\\u{1b}[31md"), "{picture}");
}

#[test]
fn a_send_of_another_type_that_was_handed_over_is_no_message_out_of_a_buffer() {
    let told = told(
        "
kernel: {buffering: 1}
processes:
  A: [{send: x, to: B, type: news}, {send: y, to: B, type: urgent}]
  B: [{receive: m, from: A, type: urgent}, {receive: m, from: A, type: news}]
",
        &[],
    );
    let picture = ipcsim_report::picture(&told.story);
    let arrow = |body: &str| {
        let wanted = format!("receive {body}");
        picture.lines().find(|line| line.contains(&wanted)).expect("it is received").contains('─')
    };
    assert!(arrow("y") && !arrow("x"), "{picture}");
}

#[test]
fn of_those_that_start_together_the_most_urgent_goes_first() {
    let scenario = "
processes:
  low: [{log: low}, {compute: 1us}]
  high: {priority: 9, do: [{log: high}]}
kernel: {scheduler: priority}
";
    assert_eq!(
        log(scenario)[0].1,
        "high",
        "the more urgent of two that are ready at once goes first"
    );
}

#[test]
fn a_loop_control_inside_a_step_with_a_mistake_leads_somewhere() {
    for control in ["break", "continue"] {
        let text = format!(
            "processes: {{P: [{{repeat: 2, do: [{{receive: m, from: nobody, wait: 1ms, when: {{timed-out: [{control}]}}}}]}}]}}"
        );
        let loaded = ipcsim_scenario::load(
            "test.yaml",
            text.as_bytes(),
            &ipcsim_scenario::LoadOptions::default(),
        );
        let codes: Vec<String> =
            loaded.diagnostics.iter().map(|found| found.code.label()).collect();
        assert_eq!(codes, ["IPC014"]);
    }
}

#[test]
fn a_text_inside_an_expression_may_hold_variables() {
    let scenario = "
processes:
  P1:
    - set: {n: 2}
    - set: {t: '\"item ${n}, $${n}\"'}
    - log: ${t}
";
    assert_eq!(log(scenario), [(1_000, "item 2, ${n}".to_string())]);
}

#[test]
fn a_daemon_that_waits_for_an_answer_when_the_run_is_cut_off_may_be_stranded() {
    let scenario = "
processes:
  busy: {daemon: true, do: [{set: {n: 0}}, {forever: [{sleep: 1us..9us}, {if: n > 2, then: [{break: }]}]}]}
  caller: {daemon: true, do: [{call: x, to: busy, into: m}]}
";
    assert_eq!(outcome(scenario), "unfinished");
}

#[test]
fn one_large_message_that_leaves_makes_room_for_two_small_ones() {
    let scenario = "
mailboxes: {box: {capacity: 20B}}
processes:
  large: [{send: x, to: box, size: 20B}]
  small: {replicas: 2, do: [{sleep: 10us}, {send: y, to: box, size: 10B}]}
  reader: [{sleep: 1ms}, {receive: m, from: box}]
";
    assert_eq!(outcome(scenario), "completes");
}

#[test]
fn a_receiver_that_insists_may_take_from_the_first_blocked_sender_and_let_in_the_next() {
    let scenario = "
mailboxes: {box: {capacity: 10B}}
processes:
  S0: [{send: a, to: box, size: 8B}]
  S1: {start: 1us, do: [{send: b, to: box, size: 9B, type: red}]}
  S2: {start: 2us, do: [{send: c, to: box, size: 2B}]}
  R: {start: 3us, do: [{receive: m, from: box, type: red}]}
";
    assert_eq!(outcome(scenario), "completes");
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
fn who_fits_waits_only_behind_those_that_go_before_it() {
    for (sender, order) in [("arbitrary", "fifo"), ("fifo", "priority")] {
        let scenario = format!(
            "
kernel: {{sender: {sender}}}
mailboxes: {{box: {{capacity: 10B, order: {order}}}}}
processes:
  S0: [{{send: a, to: box, size: 8B}}]
  S1: {{start: 1us, do: [{{send: b, to: box, size: 9B}}]}}
  S2: {{start: 4us, do: [{{send: c, to: box, size: 2B, priority: 1, wait: never}}]}}
  R: {{start: 9us, do: [{{repeat: 3, do: [{{receive: m, from: box}}]}}]}}
"
        );
        assert_eq!(outcome(&scenario), "completes", "{sender}, {order}");
    }
}

/// The kernel would otherwise give the right back to whoever destroys it.
#[test]
fn a_backup_that_has_taken_over_is_used_up() {
    let scenario = "
ports: {p: {receive: A, backup: B, send: [S]}}
processes:
  A: [{sleep: 1ms}]
  B: [{sleep: 2ms}, {destroy: p}, {sleep: 2ms}]
  S: [{sleep: 3ms}, {send: x, to: p, when: {dead: [{log: dead}]}}]
";
    assert_eq!(log(scenario).len(), 1, "the port has died with its second receiver");
}

/// What a send that was given up carried is its sender's again, and what the kernel made for it as well.
#[test]
fn rights_come_back_with_a_message_that_does_not_go() {
    let scenario = "
ports: {p: {receive: A, send: [S], capacity: 0}, q: {receive: S}}
processes:
  A: [{sleep: 1s}]
  S:
    - send: x
      to: p
      wait: 1ms
      rights: [{port: q, as: move-receive}, {port: p, as: move-send}]
      when: {timed-out: []}
    - receive: m
      from: q
      wait: never
      when: {would-block: [{log: mine again}]}
    - drop: p
    - log: and this one
";
    assert_eq!(log(scenario).len(), 2);
}

/// Where the second right cannot be had the first one, its set and what was asked about it are as before.
#[test]
fn a_list_of_rights_that_cannot_all_be_had_changes_nothing() {
    let scenario = "
ports:
  p: {receive: S, send: [S]}
  q: {receive: A, send: [S]}
  n: {receive: S}
port-sets: {set: {of: S, members: [p]}}
processes:
  A: [{sleep: 1s}]
  S:
    - {watch: q, until: dead-name, notify: n}
    - send: x
      to: q
      rights: [{port: p, as: move-receive}, {port: p, as: copy-send}, {port: q, as: move-send}, {port: q, as: move-send}]
      when: {no-right: [{log: not all}]}
    - {receive: m, from: n, wait: never, when: {would-block: [{log: no notice}]}}
    - {receive: m, from: p, wait: never, when: {refused: [{log: still in the set}]}}
    - drop: p
    - {drop: p, when: {no-right: [{log: no reference more}]}}
    - {send: x, to: q}
    - log: still mine
";
    let lines: Vec<String> = log(scenario).into_iter().map(|(_, line)| line).collect();
    let expected = ["not all", "no notice", "still in the set", "no reference more", "still mine"];
    assert_eq!(lines, expected);
}

#[test]
fn what_there_is_no_memory_for_is_not_kept() {
    let scenario = "
kernel: {memory: 2B}
ports:
  other: {receive: c, send: [a]}
  q: {receive: b, send: [a]}
  accepted: {receive: a}
processes:
  a:
    - {send: xx, to: other}
    - {send: yy, to: q, hold-one: accepted, when: {would-block: [{log: no memory}], held: [{log: kept}]}}
  b: [{sleep: 2ms}]
  c: [{sleep: 1ms}, {receive: m, from: other}]
";
    assert_eq!(log(scenario)[0].1, "no memory");
}

#[test]
fn whoever_dies_of_giving_a_right_away_has_given_it_first() {
    let scenario = "
ports: {p: {receive: c}, q: {receive: a, send: [c]}}
processes:
  a: [{receive: m, from: q}, {log: '${m}'}, {log: '${rights-of(p)}'}]
  c:
    threads:
      waiter: {do: [{receive: m, from: p}]}
      giver:
        do:
          - sleep: 1ms
          - {send: take p, to: q, rights: [{port: p, as: move-receive}]}
";
    let lines: Vec<String> = log(scenario).into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["take p", "[receive]"]);
}

#[test]
fn a_right_that_comes_back_in_the_same_step_was_never_gone() {
    let scenario = "
ports: {p: {receive: B, send: [A], capacity: 0}, q: {receive: A, send: [B]}}
processes:
  A:
    threads:
      waiter: {do: [{receive: m, from: q, when: {dead: [{log: dead}]}}, {log: '${m}'}]}
      giver:
        do:
          - sleep: 1ms
          - send: take q
            to: p
            wait: never
            rights: [{port: q, as: move-receive}]
            when: {would-block: [{log: full}]}
  B: [{sleep: 9ms}, {send: hello, to: q}]
";
    let lines: Vec<String> = log(scenario).into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["full", "hello"]);
}

#[test]
fn a_suspended_computation_is_not_counted_twice() {
    let scenario = "
kernel: {cpus: 2}
processes:
  a: [{compute: 10ms}, {log: done}]
  b: [{sleep: 2ms}, {suspend: a}, {sleep: 5ms}, {resume: a}]
";
    let told = told(scenario, &[]);
    assert!(told.run.measures.cpu_time_ns < 11_000_000, "{}", told.run.measures.cpu_time_ns);
    assert!(log(scenario)[0].0 > 15_000_000);
}

#[test]
fn a_chain_of_single_waits_is_refused_and_nothing_else() {
    let scenario = |first: &str, detect: &str| {
        format!(
            "
kernel: {{detect: {detect}}}
processes:
  P: [{{{first}, when: {{deadlock: [{{log: refused}}]}}}}, {{receive: m, from: P, wait: never, when: {{would-block: []}}}}]
  Q: [{{receive: m, from: P, when: {{deadlock: [{{log: refused}}]}}}}]
  R: [{{receive: m, from: P, when: {{deadlock: [{{log: refused}}]}}}}]
"
        )
    };
    let refused = |first: &str, detect: &str| log(&scenario(first, detect)).len();
    let one = "receive: m, from: Q";
    let either = "receive: m, from: [Q, R]";
    let oneself = "send: x, to: P";
    assert_eq!((refused(one, "refuse"), refused(one, "refuse-chain")), (1, 1));
    assert_eq!((refused(either, "refuse"), refused(either, "refuse-chain")), (1, 0));
    assert_eq!((refused(oneself, "refuse"), refused(oneself, "refuse-chain")), (1, 0));
    // Without a receive behind it, it closes no circle.
    let alone = "
kernel: {detect: refuse}
processes:
  P: [{send: x, to: P, when: {deadlock: [{log: refused}]}}]
";
    assert!(log(alone).is_empty());
}
