//! What the program concludes, as one JSON object: it fits its schema, and says what the sentences say.

mod common;

use common::repository;
use common::shell::Shell;
use serde_json::Value;

/// What a command prints with `--format json`, checked against the schema.
fn found(shell: &Shell, arguments: &[&str]) -> Value {
    let schema: Value =
        serde_json::from_str(ipcsim_check::result::SCHEMA).expect("a schema is JSON");
    let validator = jsonschema::draft7::new(&schema).expect("a schema is a schema");
    let answer = shell.run(&[arguments, &["--format", "json"]].concat());
    let object: Value = serde_json::from_str(&answer.out).expect("one JSON object is printed");
    let wrong: Vec<String> = validator.iter_errors(&object).map(|it| it.to_string()).collect();
    assert!(wrong.is_empty(), "{arguments:?}: {wrong:?}\n{}", answer.out);
    object["scenarios"][0].clone()
}

#[test]
fn an_exploration_says_what_must_happen_who_is_stuck_and_what_helps() {
    let shell = Shell::new("result-explore");
    let all = found(&shell, &["explore", "mutual-send"]);
    let schedules = &all["schedules"];
    assert_eq!(schedules["must"], "deadlock");
    assert_eq!(schedules["proof"], true);
    let ending = &schedules["endings"][0];
    assert_eq!(ending["stuck"][0]["class"], "crossed-send");
    assert_eq!(ending["stuck"][0]["threads"][1]["line"], 17);
    assert_eq!(ending["blocked"][0], serde_json::json!(["P1", "P2"]));
    assert_eq!(all["cures"][0]["what"], "--set kernel.buffering=1");
    assert_eq!(all["cures"][0]["achieves"], "every-schedule");
    assert_eq!(all["claims"][0]["verdict"], "holds");
    // Its token brings the schedule back, and that ends with the verdict.
    let token = ending["witness"]["token"].as_str().expect("a token is a text");
    shell.run(&["replay", "mutual-send", token]).is(0, "this schedule deadlocks");
}

#[test]
fn results_that_differ_look_different() {
    let shell = Shell::new("result-outcomes");
    let file = repository("tests/trust/two-orders-of-logs.yaml").display().to_string();
    let all = found(&shell, &["explore", &file, "--all-outcomes"]);
    let results = all["schedules"]["results"].as_array().expect("results are a list").clone();
    assert_eq!(results.len(), 2);
    assert_ne!(results[0]["log"], results[1]["log"]);
    for result in results {
        let token = result["token"].as_str().expect("a token is a text");
        shell.run(&["replay", &file, token]).is(0, "log: ");
    }
}

#[test]
fn a_claim_that_does_not_hold_is_shown_with_its_values_and_a_schedule() {
    let shell = Shell::new("result-test");
    let text = "
kernel: {cpus: 2}
processes:
  c:
    replicas: 2
    do: [{set: {inside: 1}}, {compute: 5us}, {set: {inside: 0}}]
expect:
  - every-schedule: {always: 'c[1].inside != 1 or c[2].inside != 1'}
    because: only one may be inside
  - every-schedule: {never: [deadlock, fails]}
  - some-schedule: {eventually: 'c[1].inside == 1 and c[2].inside == 0'}
  - every-schedule: {never: completes}
  - some-schedule: {logs: [nothing]}
  - run: completes
    blocked: [c]
";
    shell.write("claims.yaml", text);
    let all = found(&shell, &["test", "claims.yaml"]);
    let verdicts: Vec<&str> = all["claims"]
        .as_array()
        .expect("claims are a list")
        .iter()
        .map(|claim| claim["verdict"].as_str().expect("a verdict is a word"))
        .collect();
    assert_eq!(verdicts, ["fails", "holds", "holds", "fails", "fails", "fails"]);
    let broken = &all["claims"][0];
    let one = serde_json::json!([["c[1].inside", "1"], ["c[2].inside", "1"]]);
    assert_eq!(broken["schedule"]["values"], one);
    let token = broken["schedule"]["token"].as_str().expect("a token is a text");
    shell.run(&["replay", "claims.yaml", token]).is(0, "local work");
    shell.run(&["test", "claims.yaml"]).is(1, "because: only one may be inside");
    let shown = &all["claims"][2]["schedule"]["values"];
    assert_eq!(*shown, serde_json::json!([["c[1].inside", "1"], ["c[2].inside", "0"]]));
}

#[test]
fn a_repair_a_table_and_the_least_value_are_objects_too() {
    let shell = Shell::new("result-repair");
    let all = found(&shell, &["repair", "mutual-send"]);
    assert_eq!(all["repair"]["verdict"], "helped");
    assert_eq!(all["repair"]["cures"][0]["what"], "kernel.buffering: 1 (was: none)");
    let text = all["repair"]["cures"][0]["text"].as_str().expect("the text is there");
    shell.write("mended.yaml", text);
    shell.run(&["explore", "mended.yaml", "--set", "kernel.seed=0"]).is(0, "completes");
    let all = found(&shell, &["matrix", "mutual-send", "--vary", "kernel.buffering=none,1"]);
    assert_eq!(all["matrix"][0]["safe"], false);
    assert_eq!(all["matrix"][1]["verdict"], "safe");
    // The unit is that of the value.
    let least = ["matrix", "memory-brings-it-back", "--least", "kernel.memory"];
    let all = found(&shell, &least);
    assert_eq!(all["least"]["safe"]["settings"][0][1], "12KiB");
    assert_eq!(all["least"]["less"]["settings"][0][1], "11KiB");
}

#[test]
fn what_is_found_of_every_scenario_fits_the_schema() {
    let shell = Shell::new("result-all");
    for (path, _) in common::scenarios().into_iter().step_by(6) {
        let path = repository(&path).display().to_string();
        found(&shell, &["run", &path]);
        found(&shell, &["test", &path]);
    }
    for name in ["busy-polling", "who-gets-it", "server-dies", "second-reply", "idle-client"] {
        found(&shell, &["explore", name, "--all-outcomes"]);
    }
}

/// Of a claim that says what every schedule comes to, the schedule that is shown never comes there.
#[test]
fn a_schedule_that_avoids_something_never_comes_to_it() {
    let shell = Shell::new("result-avoids");
    let conditions =
        [1, 2, 3].map(|v| [("none", None), ("1", Some(1))].map(|(w, held)| (v, w, held)));
    let mut text = "
processes:
  P:
    - set: {v: 1}
    - yield:
    - set: {v: 2}
    - yield:
    - set: {v: 3}
  Q:
    - set: {w: 1}
expect:
"
    .to_string();
    for (v, w, _) in conditions.iter().flatten() {
        text.push_str(&format!(
            "  - every-schedule: {{eventually: \"P.v == {v} and Q.w == {w}\"}}\n"
        ));
    }
    shell.write("avoids.yaml", text);
    let all = found(&shell, &["test", "avoids.yaml"]);
    let claims = all["claims"].as_array().expect("claims are a list");
    let mut failed = 0;
    for ((v, _, wanted), claim) in conditions.iter().flatten().zip(claims) {
        if claim["verdict"] != "fails" {
            continue;
        }
        failed += 1;
        let (mut in_p, mut in_q) = (0, None);
        for step in claim["schedule"]["steps"].as_array().expect("steps are a list") {
            let step = step.as_str().expect("a step is a text");
            let works = step.contains("local work");
            in_p += i32::from(works && step.contains("  P  "));
            in_q = in_q.or((works && step.contains("  Q  ")).then_some(1));
            assert!(in_p != *v || in_q != *wanted, "{claim}");
        }
    }
    assert_eq!(failed, 5, "only at P.v == 3 and Q.w == 1 all schedules come together");
}

#[test]
fn what_cannot_be_used_says_why() {
    let shell = Shell::new("result-unusable");
    shell.write("bad.yaml", "processes: {A: [{send: 1}]}\n");
    for command in [&["run"][..], &["explore"], &["test"], &["repair"]] {
        let all = found(&shell, &[command, &["bad.yaml"]].concat());
        assert_eq!(all["diagnostics"][0]["message"], "`send` needs `to`", "{command:?}");
        assert_eq!(all["diagnostics"][0]["column"], 18, "{command:?}");
        assert!(all["claims"].is_null() && all["schedules"].is_null(), "{command:?}");
        let all = found(&shell, &[command, &["nowhere.yaml"]].concat());
        assert_eq!(all["diagnostics"][0]["file"], "nowhere.yaml", "{command:?}");
    }
    let all = found(&shell, &["matrix", "mutual-send", "--vary", "kernel.buffering=none,much"]);
    assert_eq!(all["diagnostics"][0]["severity"], "error");
    let all = found(&shell, &["matrix", "mutual-send", "--least", "nonsense"]);
    assert_eq!(all["diagnostics"][0]["severity"], "error");
}

/// A cure that leaves a message says so, and the pool gets one worker more; a lock is left alone.
#[test]
fn cures_say_what_they_leave_and_do_not_break_locks() {
    let shell = Shell::new("cures");
    let file = |name: &str| repository(&format!("tests/trust/{name}.yaml")).display().to_string();
    let check = |name: &str, cure: &str| {
        let name = file(name);
        shell.run(&["explore", &name]).is(1, cure);
        assert!(shell.run(&["repair", &name]).out.contains("1. "), "{name}");
    };
    check(
        "check-that-timed-out",
        "--set mailboxes.result.capacity=1 (every schedule then completes, and leaves 1 message in result)",
    );
    check("two-idle-connections", "--set processes.server.threads.worker.replicas=3");
    check("two-idle-connections", "server: the receive in line 25 waits for a limited time");
    check("drain-one-pipe-first", "the receives in lines 17 and 22 take from err or out");
    check("stop-signal-nobody-selects", "--set mailboxes.stop.capacity=1");
    check("lock-and-plugin", "pageA: exchange `call` (line 16) and `send` (line 19)");
    let locked = shell.run(&["repair", &file("lock-and-plugin")]).out;
    assert!(!locked.contains("mailboxes.lock"), "{locked}");
}

/// A lock is a lock by whatever name a program knows it, and may be a port.
#[test]
fn no_cure_gives_a_lock_back_before_it_is_taken() {
    let shell = Shell::new("locks");
    for (from, to) in [("lock", "${lock}"), ("\"${lock}\"", "lock")] {
        let text = format!(
            "
mailboxes: {{l: {{capacity: 1}}, m: {{capacity: 1}}}}
programs:
  user:
    with: {{lock: none}}
    do:
      - {{receive: x, from: {from}}}
      - {{send: t, to: \"{to}\"}}
      - {{send: go, to: m}}
processes:
  P: [{{send: t, to: l}}, {{receive: x, from: l}}, {{receive: y, from: m}}, {{send: t, to: l}}]
  Q: {{program: user, with: {{lock: l}}}}
"
        );
        shell.write("by-name.yaml", text);
        let told = shell.run(&["explore", "by-name.yaml"]);
        told.is(1, "P: exchange `receive`");
        assert!(!told.out.contains("user: exchange `receive` (line 7)"), "{}", told.out);
    }
    let text = "
ports: {l: {receive: L, send: [L]}}
mailboxes: {m: {capacity: 1}}
processes:
  L:
    threads:
      p:
        - {send: t, to: l}
        - {receive: x, from: l}
        - {receive: go, from: m}
        - {send: t, to: l}
      q:
        - {receive: x, from: l}
        - {send: t, to: l}
        - {send: go, to: m}
";
    shell.write("port.yaml", text);
    let told = shell.run(&["repair", "port.yaml"]);
    assert!(told.out.contains("exchange `receive` (line 10)"), "{}", told.out);
    assert!(!told.out.contains("exchange `receive` (line 13)"), "{}", told.out);
}

/// A right that nobody uses is given up, although its port's name is a part of other words.
#[test]
fn a_right_that_is_never_used_can_be_dropped() {
    let shell = Shell::new("unused-right");
    let text = "
ports: {p: {receive: S, send: [C]}, n: {receive: S}}
processes:
  S:
    - {watch: p, until: no-senders, notify: n}
    - {receive: d, from: n}
  C:
    replicas: 2
    do:
      - {receive: m, from: S, when: {dead: []}}
";
    shell.write("unused.yaml", text);
    shell.run(&["explore", "unused.yaml"]).is(1, "cure: C: drop the right to p at once");
}

/// A server that waits for its next request is in nobody's way.
#[test]
fn a_server_at_rest_is_no_member_of_a_hidden_circle() {
    let shell = Shell::new("hidden");
    let text = "
processes:
  client:
    - {receive: early, from: server, wait: 5ms, when: {timed-out: []}}
    - {send: question, to: server}
    - {receive: answer, from: server}
  server:
    daemon: true
    do: [{forever: [{receive: q, from: client}, {send: a, to: client}]}]
";
    shell.write("resting.yaml", text);
    assert_eq!(found(&shell, &["explore", "resting.yaml"])["schedules"]["hidden"], Value::Null);
    let answer = shell.run(&["run", "resting.yaml"]);
    assert!(!answer.out.contains("only a timeout"), "{}", answer.out);
}
