//! Every schedule, as a user meets it: explore, replay, step, matrix, repair, and claims.

mod common;

use common::shell::Shell;

#[test]
fn explore_answers_for_every_schedule_by_its_exit_code() {
    let shell = Shell::new("explore");
    shell.run(&["explore", "mutual-send"]).is(1, "every schedule deadlocks: 4 states");
    shell
        .run(&["explore", "mutual-send", "--set", "kernel.buffering=1"])
        .is(0, "every schedule completes: 14 states");
    shell.run(&["explore", "rare-crossing"]).is(1, "may deadlock");
    shell.run(&["explore", "call-reply", "--max-states", "5"]).is(3, "--max-states was reached");
    shell.run(&["explore", "call-reply", "--time", "0s"]).is(3, "not decided");
    shell.write("loop.yaml", "processes:\n  P1:\n    - forever:\n        - set: {x: 1}\n");
    shell.run(&["explore", "loop.yaml"]).is(3, "makes no system call and never ends");
    shell.write("poll.yaml", POLL);
    shell.run(&["explore", "poll.yaml"]).is(1, "every schedule livelocks: 1 state");
    shell
        .run(&["explore", "poll.yaml"])
        .is(1, "go on for ever, 1 step at a time\n    1  P1  receive → would-block   (line 6)");
    // Fairly: somebody who could always move does.
    shell.write("rounds.yaml", ROUNDS);
    let answer = shell.run(&["explore", "rounds.yaml"]);
    answer.is(1, "go on for ever, 5 steps at a time");
    answer.is(1, "  idler  goes on\n");
    shell
        .write("many.yaml", "processes:\n  P1:\n    - set: {x: 'random(1, 1000)'}\n    - yield:\n");
    shell.run(&["explore", "many.yaml"]).is(3, "too many ways");
    let started = "processes:\n  A:\n    - thread: t\n      do: [{forever: [{set: {x: 1}}]}]\n    - join: t\n";
    shell.write("started.yaml", started);
    shell.run(&["explore", "started.yaml"]).is(3, "a started thread can come to a loop");
    shell.write("now.yaml", "processes:\n  P1:\n    - log: ${now()}\n    - set: {x: now()}\n");
    shell.run(&["explore", "now.yaml"]).is(3, "`now()` in line 4 cannot be explored");
}

#[test]
fn all_that_variables_can_hold_in_the_end_is_listed() {
    let shell = Shell::new("outcomes");
    shell.write("race.yaml", RACE);
    let answer = shell.run(&["explore", "race.yaml", "--all-outcomes"]);
    answer.is(0, "2 results in the end");
    for first in [1, 2] {
        assert!(answer.out.contains(&format!("C.x = {first}\n    ipcsim replay race.yaml")));
    }
}

const RACE: &str = "
kernel: {buffering: 1}
processes:
  A: [{send: 1, to: C}]
  B: [{send: 2, to: C}]
  C: [{receive: m, from: anyone}, {set: {x: m.body}}, {receive: m, from: anyone}, {set: {m: none}}]
";

const ROUNDS: &str = "
mailboxes: {a: {capacity: 1}, b: {capacity: 1}}
processes:
  ping: [{forever: [{send: ping, to: a}, {receive: m, from: b}]}]
  pong: [{forever: [{receive: m, from: a}, {send: pong, to: b}]}]
  idler: [{forever: [{yield: }]}]
";

const POLL: &str = "
mailboxes: {box1: {capacity: 1}}
processes:
  P1:
    - forever:
        - receive: m
          from: box1
          wait: never
          when: {would-block: []}
";

#[test]
fn a_token_brings_its_schedule_back_and_no_other() {
    let shell = Shell::new("replay");
    let explored = shell.run(&["explore", "rare-crossing"]);
    let token =
        explored.out.lines().rev().find_map(|line| line.split("replay rare-crossing ").nth(1));
    let token = token.expect("a witness has a token");
    shell.run(&["replay", "rare-crossing", token]).is(0, "SEND-blocked on worker");
    let traced = shell.run(&["replay", "rare-crossing", token, "--format", "jsonl"]);
    let (header, records) = ipcsim_report::trace::read(&traced.out).expect("a trace is printed");
    assert_eq!(header.generator, format!("schedule/{token}"));
    assert!(records.iter().any(|record| record.event == "blocked"));
    shell.run(&["replay", "mutual-send", token]).is(2, "was made for another scenario");
    shell
        .run(&["replay", "rare-crossing", token, "--set", "kernel.buffering=1"])
        .is(2, "with other changes by --set");
    shell.run(&["replay", "rare-crossing", "nonsense"]).is(2, "is not a token");
    shell.run(&["replay", "rare-crossing", &token.replace("m2", "m9")]).is(2, "another version");
}

#[test]
fn whoever_steps_is_offered_what_can_be_done_and_no_more() {
    let shell = Shell::new("step");
    let typed = b"1\nwhy P1\ngraph\nback\n3\nfail\nsucceed\nsave\nquit\n";
    let answer = shell.run_with_input(&["step", "mutual-send"], typed);
    answer.is(0, "> quit");
    insta::assert_snapshot!("cli__step", answer.out);
    // What was saved begins where it ended.
    let token = answer.out.lines().rev().nth(1).expect("a token was printed");
    let answer = shell.run_with_input(&["step", "mutual-send", token], b"back\n");
    answer.is(0, "no step is possible any more");
}

#[test]
fn a_choice_before_the_first_step_can_be_taken_back() {
    let shell = Shell::new("beginning");
    shell.write("choose.yaml", "processes:\n  A:\n    - choose:\n        - [{log: a}]\n        - [{receive: m, from: A}]\n");
    let typed = b"save\n2\nback\nfail\nback\nback\nback\nsucceed\nsave\n";
    let answer = shell.run_with_input(&["step", "choose.yaml"], typed);
    for said in ["nothing was done yet", "begin, with choice 2", "this is the beginning"] {
        answer.is(0, said);
    }
    let token = answer.out.lines().last().expect("a token was printed");
    shell.run(&["replay", "choose.yaml", token]).is(0, "ends");
    shell
        .run(&["explore", "choose.yaml"])
        .is(1, "point of no return: the choice at the very beginning");
}

#[test]
fn a_matrix_has_a_verdict_for_each_combination() {
    let shell = Shell::new("matrix");
    let vary = ["matrix", "mutual-send", "--vary", "kernel.buffering=none,1,undefined"];
    let answer = shell.run(&vary);
    answer.is(1, "must deadlock");
    insta::assert_snapshot!("cli__matrix", answer.out);
    shell
        .run(&["matrix", "mutual-send", "--least", "kernel.buffering"])
        .is(0, "kernel.buffering=1 is the least safe value");
    shell.run(&["matrix", "mutual-send", "--vary", "kernel.bufering=1"]).is(2, "did you mean");
    shell.run(&["matrix", "mutual-send"]).is(2, "--least");
}

#[test]
fn a_matrix_compares_what_kernels_make_of_processes_and_descriptors() {
    let shell = Shell::new("matrix-policies");
    let verdicts = |scenario: &str, key: &str, rows: &[(&str, &str)]| {
        let words: Vec<&str> = rows.iter().map(|(word, _)| *word).collect();
        let vary = format!("{key}={}", words.join(","));
        let told = shell.run(&["matrix", scenario, "--vary", &vary]).out;
        for (word, verdict) in rows {
            let row = told.lines().find(|line| line.split(' ').next() == Some(*word));
            assert!(row.is_some_and(|row| row.contains(verdict)), "{word}: {verdict}\n{told}");
        }
    };
    verdicts(
        "held-lock",
        "kernel.fork",
        &[("one-thread", "may strand"), ("refuse", "may fail"), ("all-threads", "safe")],
    );
    verdicts(
        "exec-waits",
        "kernel.exec",
        &[
            ("kill-threads", "safe"),
            ("refuse", "must fail"),
            ("wait-for-threads", "must deadlock"),
            ("kill-then-load", "safe"),
        ],
    );
    verdicts(
        "in-flight-cycle",
        "kernel.in-flight-cycles",
        &[("collect", "safe"), ("leak", "must strand")],
    );
}

#[test]
fn a_repair_is_a_change_of_the_file_that_every_schedule_completes_with() {
    let shell = Shell::new("repair");
    let answer = shell.run(&["repair", "mutual-send"]);
    answer.is(0, "every message arrives");
    insta::assert_snapshot!("cli__repair", answer.out);
    // A call that gives up would lose the message: it is no repair.
    assert!(!answer.out.contains("does not wait"), "{}", answer.out);
    shell.run(&["repair", "mutual-send-reorder"]).is(0, "every schedule completes already");
    // A program that the file declares and nobody uses is a proposal of its author.
    shell.run(&["repair", "call-in-a-circle"]).is(0, "processes.customer.program: with-helper");
    shell.write("alone.yaml", "processes: {P: [{receive: m, from: P}]}");
    shell.run(&["repair", "alone.yaml"]).is(1, "no small change was found");
    shell.run(&["repair", "scan-serves-all", "--max-states", "100"]).is(3, "not decided");
    shell.run(&["repair", "no-such-file"]).is(2, "there is no file");
}

/// What lies about in a deadlock is no measure of what may be left over.
#[test]
fn a_repair_leaves_no_message_lying_about() {
    let shell = Shell::new("repair-left");
    let text = "
mailboxes: {a: {capacity: 1}}
processes:
  P:
    - {send: x, to: a}
    - choose: [[], [{receive: m, from: a}, {receive: m, from: a}]]
";
    shell.write("left.yaml", text);
    shell.run(&["repair", "left.yaml"]).is(0, "1. P: leave out the receive in line 6");
}

/// Two changes at once, where none is enough; what was said by --set stays said.
#[test]
fn a_repair_may_take_two_changes() {
    let shell = Shell::new("repair-two");
    let text = "
mailboxes: {a: {capacity: none}, b: {capacity: none}}
processes:
  P: [{send: x, to: a}, {send: y, to: b}, {receive: m, from: a}, {receive: m, from: b}]
";
    let file = "two.yaml";
    shell.write(file, text);
    let answer = shell.run(&["repair", file]);
    answer.is(0, "mailboxes.a.capacity: 1 (was: none); mailboxes.b.capacity: 1 (was: none)");
    let set = ["repair", file, "--set", "mailboxes.a.capacity=1"];
    shell.run(&set).is(0, "1. mailboxes.b.capacity: 1 (was: none)");
}

#[test]
fn claims_over_schedules_are_told_apart() {
    let shell = Shell::new("claims");
    let claim = |claim: &str| {
        format!(
            "mailboxes: {{box1: {{capacity: 2}}}}\nprocesses:\n  P1: [{{send: a, to: box1}}]\n  \
             P2: [{{receive: m, from: box1}}]\nexpect:\n  - {claim}\n"
        )
    };
    let judged = |text: &str| {
        shell.write("c.yaml", claim(text));
        shell.run(&["test", "c.yaml"])
    };
    judged("every-schedule: completes").is(0, "1 claim holds");
    judged("every-schedule: deadlock").is(1, "a schedule ends as `completes`");
    judged("some-schedule: deadlock").is(1, "no schedule ends as `deadlock`");
    judged("every-schedule: {always: len(box1) <= 1}").is(0, "1 claim holds");
    judged("every-schedule: {always: len(box1) == 0}").is(1, "does not hold after 1 step of");
    judged("every-schedule: {always: kernel.used < 100 or P1.ended}").is(0, "1 claim holds");
    judged("every-schedule: {always: 1 < 2}").is(0, "nothing that it looks at ever changes");
    judged("every-schedule: {eventually: P1.ended and P2.ended}").is(0, "1 claim holds");
    judged("every-schedule: {eventually: P2.blocked}").is(1, "without it");
    judged("every-schedule: {eventually: len(box1) == 0}").is(0, "true before anything happens");
    shell.write("c.yaml", claim("every-schedule: completes\n    within: 2"));
    shell.run(&["test", "c.yaml"]).is(3, "there are more states than `within: 2`");
}

/// One that fails is worse than one that is not decided.
#[test]
fn a_claim_that_fails_decides_the_exit_code() {
    let shell = Shell::new("worst");
    let text = "
processes:
  p: [{forever: [{sleep: 1us}, {log: tick}]}]
expect:
  - {run: completes}
  - {every-schedule: completes}
";
    shell.write("both.yaml", text);
    let answer = shell.run(&["test", "both.yaml", "--max-steps", "100"]);
    answer.is(1, "0 claims hold, 1 does not, 1 undecided");
    let hint = "(--max-steps allows more)";
    assert_eq!(answer.out.matches(hint).count(), 1, "{}", answer.out);
}

#[test]
fn everybody_who_can_be_doomed_is_named_and_so_is_a_deadlock_that_a_timeout_hides() {
    let shell = Shell::new("doomed");
    let answer = shell.run(&["explore", "not-a-broadcast"]);
    answer.is(
        1,
        "other schedules leave other threads stuck, or for another reason\n  worker[1] waits",
    );
    let text = "
processes:
  P1: [{send: x, to: P2, wait: 1ms, when: {timed-out: [], dead: []}}, {receive: m, from: P2, wait: 1ms, when: {timed-out: [], dead: []}}]
  P2: [{send: x, to: P1, wait: 1ms, when: {timed-out: [], dead: []}}, {receive: m, from: P1, wait: 1ms, when: {timed-out: [], dead: []}}]
";
    shell.write("masked.yaml", text);
    let answer = shell.run(&["explore", "masked.yaml"]);
    answer.is(
        0,
        "a deadlock that only a timeout ends\n  P1 and P2 each wait for the other: a crossed send",
    );
    let token = answer.out.split_whitespace().last().expect("the last line is the token");
    shell.run(&["replay", "masked.yaml", token]).is(0, "SEND-blocked on P1");
}

/// Where there are too many states for all of them, fewer stand for all, and a schedule is told all the same.
#[test]
fn a_large_system_is_decided_by_reductions() {
    let shell = Shell::new("reduced");
    let text = |ends: &str| {
        format!(
            "
mailboxes:
  box: {{capacity: 2}}
  reply: {{replicas: 7, capacity: 1}}
processes:
  server:
    daemon: true
    do: [{{forever: [{{receive: m, from: box}}, {{send: answer, to: '${{m.reply-to}}'}}]}}]
  client:
    replicas: 7
    do:
      - repeat: 3
        do: [{{send: request, to: box, reply-to: 'reply[index]'}}, {{receive: a, from: 'reply[index]'}}]
{ends}"
        )
    };
    shell.write("good.yaml", text(""));
    shell
        .run(&["explore", "good.yaml"])
        .is(0, "every schedule completes: 876 states that stand for all");
    let off = [
        "explore",
        "good.yaml",
        "--no-lazy",
        "--no-por",
        "--no-symmetry",
        "--max-states",
        "100000",
    ];
    shell.run(&off).is(3, "not decided");
    shell.write("bad.yaml", text("      - receive: more\n        from: reply[index]\n"));
    let answer = shell.run(&["explore", "bad.yaml"]);
    answer.is(1, "short way there");
    let word = |line: &&str| line.trim_start().starts_with("replay:");
    let line = answer.out.lines().find(word).expect("a schedule is told");
    let token = line.split_whitespace().last().expect("the line ends with the token");
    shell.run(&["replay", "bad.yaml", token]).is(0, "RECEIVE-blocked on reply[7]");

    // With a few bits for each state nothing is proved, but what was found can be shown.
    let answer = shell.run(&["explore", "bad.yaml", "--approximate", "--max-states", "60000"]);
    answer.is(1, "NOT A PROOF");
    let line = answer.out.lines().find(word).expect("a schedule is told");
    let token = line.split_whitespace().last().expect("the line ends with the token");
    shell.run(&["replay", "bad.yaml", token]).is(0, "RECEIVE-blocked on reply[7]");
    shell.write("four.yaml", text("").replace('7', "4"));
    let answer = shell.run(&["explore", "four.yaml", "--approximate"]);
    answer.is(3, "not decided: 173,600 states looked at, perhaps not all of them");
    answer.is(3, "every schedule that was seen to its end completes");
    shell.run(&["explore", "four.yaml", "--approximate", "--all-outcomes"]).is(2, "cannot be used");
}

/// Under weak fairness: a waiting thread that a mailbox may pass over each time. One that stands in a queue
/// cannot be passed over.
#[test]
fn who_can_be_passed_over_for_ever_is_said_to_starve() {
    let shell = Shell::new("starve");
    let text = |receiver: &str| {
        format!(
            "
mailboxes: {{turn: {{capacity: 1, receiver: {receiver}}}}}
processes:
  greedy: {{replicas: 2, do: [{{forever: [{{receive: t, from: turn}}, {{send: go, to: turn}}]}}]}}
  patient: [{{receive: t, from: turn}}, {{send: go, to: turn}}]
  starter: [{{send: go, to: turn}}]
"
        )
    };
    shell.write("turns.yaml", text("arbitrary"));
    shell.run(&["explore", "turns.yaml"]).is(1, "patient can starve (line 5)");
    shell.write("turns.yaml", text("fifo"));
    let answer = shell.run(&["explore", "turns.yaml"]);
    assert!(!answer.out.contains("starve"), "{}", answer.out);
}

/// Which of several replicas is blocked symmetry does not say, and so it is not used to judge that.
#[test]
fn a_claim_that_names_one_of_several_replicas_is_judged_without_symmetry() {
    let shell = Shell::new("one-of-several");
    let alone = ["v", "w", "x", "y", "z"]
        .map(|name| format!("  {name}: [{{repeat: 9, do: [{{yield: }}]}}]\n"))
        .concat();
    let text = format!(
        "
kernel: {{buffering: 2}}
mailboxes: {{tokens: {{}}, nobody: {{}}}}
processes:
  G: [{{send: 1, to: tokens}}, {{send: 2, to: tokens}}]
  clients:
    replicas: 2
    do:
      - {{receive: t, from: tokens}}
      - {{if: t.body == 1, then: [{{yield: }}, {{yield: }}, {{receive: q, from: nobody}}]}}
{alone}expect:
  - {{every-schedule: stranded, blocked: ['clients[1]']}}
  - {{every-schedule: stranded, blocked: ['clients[2]']}}
"
    );
    shell.write("clients.yaml", text);
    shell.run(&["explore", "clients.yaml"]).is(1, "that stand for all");
    shell.run(&["test", "clients.yaml"]).is(1, "0 claims hold, 2 do not");
}

/// However many states are looked at before anything is left out.
#[test]
fn every_schedule_is_looked_at_up_to_any_number_of_states() {
    let shell = Shell::new("reduce-above");
    for number in ["0", "18446744073709551615"] {
        let arguments = ["explore", "mutual-send", "--reduce-above", number];
        shell.run(&arguments).is(1, "every schedule deadlocks");
    }
}
