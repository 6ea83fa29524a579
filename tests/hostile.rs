//! What a scenario or the name of a file says never reaches a terminal raw, and nothing of somebody else's is
//! written over.

mod common;

use std::process::Stdio;

use common::shell::{Answer, Shell};
use ipcsim_report::is_hidden;

/// What changes a terminal's title, colours and contents, what turns text round, and what is not seen.
const EVIL: &str = r"\e]0;owned\a\e[31m\e[2J\x9b2J\u202Eback\u200Bgap\uFEFF\r\b\x7f";

/// Every place where a scenario can say what it likes. `EVIL` stands for it.
const SCENARIOS: &[(&str, &str)] = &[
    (
        "texts",
        r#"
title: "EVIL"
about: "EVIL"
slide: "EVIL"
mailboxes:
  box: {capacity: 3}
files:
  "/EVIL": {mailbox: box, owner: root, mode: "0666"}
processes:
  P:
    user: root
    do:
      - set: {x: "\"EVIL\""}
      - log: "EVIL"
      - open: "/EVIL"
        into: f
        mode: write
      - send: "EVIL"
        to: ${f}
        type: "EVIL"
      - send: "EVIL"
        to: Q
  Q:
    user: root
    do:
      - receive: m
        from: P
      - open: "/EVIL"
        into: f
        mode: read
      - receive: m
        from: ${f}
        type: "another EVIL"
expect:
  - run: {logs: ["EVIL"]}
    because: "EVIL"
  - every-schedule: completes
    because: "EVIL"
"#,
    ),
    ("fault", "processes: {P: [{fault: \"EVIL\"}]}\n"),
    ("name", "names: {root: {entries: {}}}\nprocesses: {P: [{look-up: \"EVIL\", into: x}]}\n"),
    ("unknown", "processes: {P: [{\"EVIL\": 1}]}\n"),
    ("value", "processes: {P: [{receive: m, from: \"EVIL\"}]}\nkernel: {buffering: \"EVIL\"}\n"),
    ("key", "\"EVIL\": 1\nprocesses: {\"EVIL\": []}\n"),
    ("expression", "processes: {P: [{set: {x: 'EVIL + 1'}}]}\nexpect: [{always: 'EVIL'}]\n"),
    ("raw", "processes: {P: [{log: \u{202e}x\u{200b}\u{85}}, {lgo: \u{feff}}]} # \u{9b}31m\n"),
];

#[test]
fn the_first_of_them_runs() {
    let shell = Shell::new("hostile-runs");
    shell.write("texts.yaml", SCENARIOS[0].1.replace("EVIL", EVIL));
    shell.run(&["run", "texts.yaml"]).is(1, r"send \u{1b}]0;owned\u{7}");
    shell.run(&["explore", "texts.yaml"]).is(1, r"takes only type another \u{1b}]0;owned");
    shell.run(&["test", "texts.yaml"]).is(1, r"because: \u{1b}]0;owned");
}

fn has_nothing_hidden(what: &str, answer: &Answer) {
    for text in [&answer.out, &answer.err] {
        let hidden = text.chars().find(|c| is_hidden(*c) && *c != '\n');
        assert_eq!(hidden, None, "{what}: {text:?}");
    }
}

#[test]
fn nothing_of_a_scenario_reaches_a_terminal_raw() {
    let shell = Shell::new("hostile");
    for (name, text) in SCENARIOS {
        let file = format!("{name}.yaml");
        let text = if *name == "raw" { (*text).to_string() } else { text.replace("EVIL", EVIL) };
        shell.write(&file, text);
        let commands: &[&[&str]] = &[
            &["lint"],
            &["run"],
            &["run", "-q"],
            &["run", "--format", "json"],
            &["run", "--format", "jsonl"],
            &["explore"],
            &["explore", "--all-outcomes"],
            &["explore", "--format", "json"],
            &["test"],
            &["test", "--format", "json"],
            &["repair"],
            &["matrix", "--vary", "kernel.buffering=1,\u{1b}[31m2"],
            &["matrix", "--least", "kernel.\u{1b}[31mbuffering"],
            &["--message-format", "short", "lint"],
            &["--message-format", "json", "lint"],
        ];
        for command in commands {
            let arguments: Vec<&str> = command.iter().copied().chain([file.as_str()]).collect();
            has_nothing_hidden(&format!("{name} {command:?}"), &shell.run(&arguments));
        }
        let input = b"1\n1\ngraph\nwhy P\nshow P\nshow box\nfail\nsave\nback\n\x1b[31m\n";
        has_nothing_hidden(name, &shell.run_with_input(&["step", &file], input));
    }
}

#[test]
fn in_colour_nothing_but_colours_passes() {
    let shell = Shell::new("hostile-colour");
    for (name, text) in SCENARIOS {
        let file = format!("{name}.yaml");
        let text = if *name == "raw" { (*text).to_string() } else { text.replace("EVIL", EVIL) };
        shell.write(&file, text);
        let answer = shell.run(&["--color", "always", "lint", &file]);
        for part in answer.err.split('\u{1b}').skip(1) {
            let end = part.find('m').unwrap_or(0);
            let is_ours = part[..end].chars().all(|c| c == '[' || c == ';' || c.is_ascii_digit());
            assert!(is_ours && !part.starts_with("[31m"), "{name}: {:?}", answer.err);
        }
        has_nothing_hidden(name, &Answer { err: answer.err.replace('\u{1b}', ""), ..answer });
    }
}

#[cfg(unix)]
#[test]
fn nothing_of_the_command_line_reaches_a_terminal_raw() {
    let shell = Shell::new("hostile-names");
    let name = "\u{1b}[31m\u{202e}evil.yaml";
    shell.write(name, "title: x\nprocesses: {P: [{log: x}, {send: y, to: P}]}\n");
    for command in [&["run"][..], &["lint"], &["explore"], &["test"], &["repair"]] {
        let arguments: Vec<&str> = command.iter().copied().chain([name]).collect();
        has_nothing_hidden(&format!("{command:?}"), &shell.run(&arguments));
    }
    for arguments in [
        &["run", "\u{1b}[31mmissing"][..],
        &["run", "--\u{1b}[31mflag"],
        &["\u{1b}[31mcommand"],
        &["run", "mutual-send", "--set", "\u{1b}[31m=1"],
        &["run", "mutual-send", "--seed", "\u{1b}[31m"],
        &["replay", "mutual-send", "\u{1b}[31m"],
        &["explain", "\u{1b}[31m"],
        &["new", "no/\u{1b}[31m/folder"],
        &["run", "mutual-send", "--trace", "no/\u{1b}[31m/folder"],
    ] {
        let answer = shell.run(arguments);
        assert_eq!(answer.code, 2, "{arguments:?}: {}", answer.err);
        has_nothing_hidden(&format!("{arguments:?}"), &answer);
    }
}

#[test]
fn a_trace_is_written_over_a_trace_and_over_nothing_else() {
    let shell = Shell::new("overwrite");
    let read = |name: &str| std::fs::read_to_string(shell.folder.join(name)).expect("it is there");
    let again = ["run", "-q", "mutual-send", "--trace", "t.jsonl"];
    shell.run(&again).is(1, "deadlock");
    let first = read("t.jsonl");
    shell.run(&again).is(1, "deadlock");
    assert_eq!(read("t.jsonl"), first);
    shell.write("thesis.txt", "years of work\n");
    let over = ["run", "-q", "mutual-send", "--trace", "thesis.txt"];
    shell.run(&over).is(2, "the file exists and is not a trace; --force writes over it");
    assert_eq!(read("thesis.txt"), "years of work\n");
    let found = shell.run(&["explore", "mutual-send"]).out;
    let token = found.split("ipcsim replay mutual-send ").nth(1).expect("a schedule is shown");
    let token = token.split_whitespace().next().expect("a token");
    let replay = ["replay", "mutual-send", token, "--trace", "thesis.txt"];
    shell.run(&replay).is(2, "is not a trace");
    shell.write("empty.txt", "");
    shell.run(&["run", "-q", "mutual-send", "--trace", "empty.txt"]).is(1, "deadlock");
    shell.run(&["run", "-q", "mutual-send", "--trace", "thesis.txt", "--force"]).is(1, "deadlock");
    assert_eq!(read("thesis.txt"), first);
}

#[test]
fn what_is_no_text_is_a_bad_line_and_the_game_goes_on() {
    let shell = Shell::new("step-bytes");
    let answer = shell.run_with_input(&["step", "mutual-send"], b"\xff\xfe\n1\r\nsave\n");
    answer.is(0, "`help` lists the commands");
    assert!(answer.out.lines().last().is_some_and(|line| line.starts_with('m')), "{}", answer.out);
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_an_error() {
    let shell = Shell::new("full-disk");
    for arguments in [
        &["--version"][..],
        &["help"],
        &["--help"],
        &["help", "run"],
        &["list"],
        &["man"],
        &["schema"],
        &["completions", "bash"],
        &["run", "mutual-send"],
        &["run", "mutual-send", "--format", "jsonl"],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
        let output = shell.command(arguments).stdout(full).stderr(Stdio::piped()).output();
        let answer = Answer::from(output.expect("the program runs"));
        answer.is(2, "cannot be written");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_is_heeded_where_something_is_read() {
    let shell = Shell::new("ctrl-c");
    for arguments in [&["run", "-"][..], &["lint", "-"], &["step", "mutual-send"]] {
        let mut child = shell
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let open = child.stdin.take();
        // It has nothing to say before it reads, so the moment cannot be waited for: it is asked until it heeds.
        let pid = child.id().to_string();
        std::thread::sleep(std::time::Duration::from_millis(300));
        let kill = std::process::Command::new("kill").args(["-INT", &pid]).status();
        assert!(kill.expect("kill runs").success());
        let answer = Answer::from(child.wait_with_output().expect("it ends"));
        drop(open);
        assert_eq!(answer.code, 130, "{arguments:?}: {}", answer.err);
    }
}
