//! The program as a user meets it: what it prints, and the exit codes that the help promises.

mod common;

use std::process::{Command, Stdio};

use common::shell::{Answer, Shell};

const HELLO: &str = "processes: {P1: [{log: hello}]}\n";

#[test]
fn exit_codes_are_what_the_help_promises() {
    let shell = Shell::new("exit-codes");
    shell.write("hello.yaml", HELLO);
    shell.write("wrong.yaml", "processes: {P1: [{lgo: hello}]}\n");
    shell.write("claims.yaml", format!("{HELLO}expect: [{{run: deadlock}}]\n"));
    shell.run(&["run", "hello.yaml"]).is(0, "completes at");
    shell.run(&["run", "mutual-send"]).is(1, "deadlock at 2.4 us");
    shell.run(&["run", "mutual-send", "--set", "kernel.buffering=1"]).is(0, "completes");
    shell.run(&["run", "wrong.yaml"]).is(2, "did you mean `log`?");
    shell.run(&["run"]).is(2, "Usage");
    shell.run(&["test", "claims.yaml"]).is(1, "FAILED");
    shell.run(&["test", "hello.yaml"]).is(0, "1 file: 0 claims hold");
    shell.run(&["lint", "hello.yaml"]).is(0, "ok");
    shell.run(&["lint", "hello.yaml", "wrong.yaml"]).is(2, "IPC011");
    shell.run(&["run", "hello.yaml", "wrong.yaml"]).is(2, "completes at");
}

#[test]
fn the_lecture_s_example_is_answered_in_full() {
    let answer = Shell::new("lecture").run(&["run", "mutual-send"]);
    let verdict = "\
deadlock at 2.4 us: P1 and P2 each wait for the other
  P1 is SEND-blocked on P2 (line 12): no buffering, and P2 is not receiving
  P2 is SEND-blocked on P1 (line 17): no buffering, and P1 is not receiving
  cure: --set kernel.buffering=1 (every schedule then completes)
  or:   P1: exchange `send` (line 12) and `receive` (line 14) (every schedule then completes)
  or:   P2: exchange `send` (line 17) and `receive` (line 19) (every schedule then completes)
";
    assert!(answer.out.contains(verdict), "{}", answer.out);
}

#[test]
fn files_that_are_no_scenarios_get_a_sentence() {
    let shell = Shell::new("bad-files");
    shell.write("empty.yaml", "");
    shell.write("binary.yaml", [0u8, 159, 146, 150]);
    shell.write("latin.yaml", b"title: f\xfcr\n");
    shell.write("text.yaml", "just a text\n");
    shell.write("windows.yaml", "\u{feff}processes:\r\n  P1:\r\n    - log: hello\r\n");
    shell.write("tab.yaml", "processes:\n\tP1: []\n");
    std::fs::create_dir(shell.folder.join("folder")).expect("a folder can be made");
    shell.run(&["run", "empty.yaml"]).is(2, "the file is empty");
    shell.run(&["run", "binary.yaml"]).is(2, "not text");
    shell.run(&["run", "latin.yaml"]).is(2, "not UTF-8");
    shell.run(&["run", "text.yaml"]).is(2, "a scenario is a mapping");
    shell.run(&["run", "windows.yaml"]).is(0, "completes");
    shell.run(&["run", "tab.yaml"]).is(2, "IPC001");
    shell.run(&["run", "folder"]).is(2, "is a folder");
    shell.run(&["run", "missing.yaml"]).is(2, "there is no file missing.yaml");
    shell.run(&["run", "mutual-snd"]).is(2, "did you mean `mutual-send`?");
    shell.run(&["test", "folder"]).is(2, "no scenario files");
}

#[test]
fn bombs_do_not_explode() {
    let shell = Shell::new("bombs");
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        let nine = [before.as_str(); 9].join(", ");
        aliases.push_str(&format!("a{level}: &a{level} [{nine}]\n"));
    }
    shell.write("aliases.yaml", aliases);
    shell.write("deep.yaml", format!("processes: {}", "[".repeat(100_000)));
    shell.write("deep-block.yaml", format!("processes:\n  {}x", "- ".repeat(100_000)));
    shell.write("large.yaml", "# comment\n".repeat(10_000_000));
    shell.write("replicas.yaml", "processes: {P: {replicas: 1000000000, do: [yield]}}\n");
    shell.write("million.yaml", "processes: {P: {replicas: 1000000, do: [yield]}, Q: [yield]}\n");
    shell.write(
        "chain.yaml",
        format!("processes: {{P: [{{assert: 1{} > 0}}]}}\n", " + 1".repeat(50_000)),
    );
    shell.run(&["lint", "aliases.yaml"]).is(2, "IPC006");
    shell.run(&["lint", "deep.yaml"]).is(2, "nested deeper than 64 levels");
    shell.run(&["lint", "deep-block.yaml"]).is(2, "nested deeper than 64 levels");
    shell.run(&["lint", "large.yaml"]).is(2, "larger than 16 MiB (--max-file-size allows more)");
    shell.run(&["lint", "replicas.yaml"]).is(2, "1 to 1000000");
    shell.run(&["lint", "million.yaml"]).is(2, "--max-threads allows more");
    shell.run(&["lint", "chain.yaml"]).is(2, "more than 1000 parts");
}

#[test]
fn programs_that_never_end_are_cut_off() {
    let shell = Shell::new("endless");
    shell.write(
        "busy.yaml",
        "processes: {P: [{set: {n: 0}}, {forever: [{set: {n: n + 1}}, yield]}]}\n",
    );
    shell.write("poller.yaml", "processes: {P: [{forever: [yield]}]}\n");
    shell.write("local.yaml", "processes: {P: [{forever: [{set: {n: 1}}]}]}\n");
    shell.write("often.yaml", "processes: {P: [{repeat: 1000000000000000000, do: [yield]}]}\n");
    shell.write(
        "compute.yaml",
        "processes: {P: [{set: {n: 0}}, {forever: [{compute: 1us}, {set: {n: n + 1}}]}]}\n",
    );
    shell
        .run(&["run", "-q", "busy.yaml"])
        .is(3, "cut off after 1,000,000 steps (--max-steps allows more)");
    shell.run(&["run", "-q", "poller.yaml"]).is(1, "livelock");
    shell.run(&["run", "-q", "local.yaml"]).is(3, "makes no system call");
    shell.run(&["run", "-q", "often.yaml"]).is(3, "--max-steps");
    shell.run(&["run", "-q", "compute.yaml"]).is(3, "--max-steps");
    shell.run(&["run", "-q", "compute.yaml", "--until", "1ms"]).is(3, "(--until)");
}

#[test]
fn exceptions_of_a_thread_fail_its_process() {
    let shell = Shell::new("exceptions");
    for (name, step, said) in [
        ("overflow", "{set: {n: 9223372036854775807 + 1}}", "integer overflow"),
        ("zero", "{set: {n: 1 / 0}}", "division by zero"),
        ("index", "{set: {n: 'pop-first([])'}}", "no element"),
        (
            "types",
            "{set: {n: 1 + true}}",
            "`+` needs two integers or two durations, not the integer 1 and `true`",
        ),
        ("object", "{destroy: '${1 + 1}'}", "no process, mailbox or right"),
        ("assert", "{assert: 1 > 2}", "assert failed"),
        ("exit", "{exit: 3}", "exit 3"),
    ] {
        shell.write(&format!("{name}.yaml"), format!("processes: {{P: [{step}]}}\n"));
        shell.run(&["run", "-q", &format!("{name}.yaml")]).is(1, said);
    }
    shell.write(
        "refused.yaml",
        "mailboxes: {box: {capacity: 0}}\nprocesses: {P: [{send: x, to: box, wait: never}]}\n",
    );
    shell.run(&["run", "-q", "refused.yaml"]).is(1, "unhandled would-block");
}

#[test]
fn traces_that_cannot_be_written_are_an_error() {
    let shell = Shell::new("traces");
    shell.write("hello.yaml", HELLO);
    shell
        .run(&["run", "hello.yaml", "--trace", "no/such/folder/t.jsonl"])
        .is(2, "cannot be written");
    shell.run(&["run", "hello.yaml", "hello.yaml", "--trace", "t.jsonl"]).is(2, "one scenario");
    if std::path::Path::new("/dev/full").exists() {
        shell.run(&["run", "hello.yaml", "--trace", "/dev/full"]).is(2, "cannot be written");
    }
    if std::path::Path::new("/dev/full").exists() {
        let full = std::fs::File::create("/dev/full").expect("the device is there");
        let mut command = shell.command(&["run", "hello.yaml"]);
        let child = command.stdout(full).stderr(Stdio::piped()).spawn().expect("the program runs");
        let answer = Answer::from(child.wait_with_output().expect("it ends"));
        answer.is(2, "standard output cannot be written");
    }
    shell.run(&["run", "hello.yaml", "--trace", "t.jsonl"]).is(0, "completes");
    let trace = std::fs::read_to_string(shell.folder.join("t.jsonl")).expect("the trace is there");
    let on_screen = shell.run(&["run", "hello.yaml", "--format", "jsonl"]);
    assert_eq!(trace, on_screen.out, "both ways give the same trace");
}

#[test]
fn a_scenario_may_come_from_standard_input() {
    let shell = Shell::new("stdin");
    shell.run_with_input(&["run", "-"], HELLO.as_bytes()).is(0, "log: hello");
    shell.run_with_input(&["lint", "-"], b"processes: 1\n").is(2, "<stdin>:1:12");
    // A trace of standard input is written over as one of a file is.
    for _ in 0..2 {
        let arguments = ["run", "-q", "-", "--trace", "t.jsonl"];
        shell.run_with_input(&arguments, HELLO.as_bytes()).is(0, "completes");
    }
    let arguments = ["run", "-", "--trace", "-"];
    shell.run_with_input(&arguments, HELLO.as_bytes()).is(2, "--format jsonl prints");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let shell = Shell::new("pipe");
    // It would not come to an end within this life; but nobody listens any more.
    shell.write(
        "long.yaml",
        "processes: {P: [{set: {n: 0}}, {forever: [{set: {n: n + 1}}, {log: '${n}'}, yield]}]}\n",
    );
    let arguments = ["run", "long.yaml", "--format", "jsonl", "--max-steps", "1000000000000"];
    let mut child = shell
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    let answer = Answer::from(child.wait_with_output().expect("it ends"));
    answer.is(0, "");
}

#[test]
fn a_trace_does_not_overwrite_its_scenario() {
    let shell = Shell::new("overwrite");
    let text = "processes: {P: [yield]}\n";
    shell.write("same.yaml", text);
    shell.run(&["run", "same.yaml", "--trace", "./same.yaml"]).is(2, "that is the scenario itself");
    shell.run(&["run", "same.yaml"]).is(0, "completes");
}

#[test]
fn a_run_is_cut_off_when_it_was_to_be_and_says_so() {
    let shell = Shell::new("until");
    shell.write("until.yaml", "processes: {p: [{sleep: 5s}, {log: hi}], q: [{compute: 10s}]}\n");
    shell
        .run(&["run", "until.yaml", "--until", "1s"])
        .is(3, "unfinished: cut off at 1 s (--until)");
    shell.write("late.yaml", "processes: {p: [{forever: [{sleep: 9000000000s}]}]}\n");
    shell.run(&["run", "late.yaml"]).is(3, "cut off after 584 years");
    shell.write(
        "busy.yaml",
        "processes:\n  P1: [{send: a, to: P2}]\n  P2: [{send: a, to: P1}]\n  \
         busy: [{forever: [{sleep: 1us}, {log: tick}]}]\n",
    );
    let busy = shell.run(&["run", "busy.yaml", "--max-steps", "5000"]);
    busy.is(1, "the others went on: cut off after 5,000 steps (--max-steps allows more)");
}

/// Going through long values counts as work.
#[test]
fn long_values_do_not_hold_a_run_up() {
    let shell = Shell::new("long");
    // A list that grows is not copied each time, and comes to its limit soon.
    shell.write(
        "push.yaml",
        "processes: {p: [{set: {l: []}}, {forever: [{set: {l: 'push(l, 1)'}}]}]}\n",
    );
    shell.run(&["run", "push.yaml"]).is(1, "text or list too long");
    shell.write(
        "copy.yaml",
        "processes:\n  p:\n    - set: {l: []}\n    - repeat: 20000\n      do: [{set: {l: 'push(l, 1)'}}]\n    \
         - forever: [{set: {k: 'push(l, 1)'}}]\n",
    );
    shell.run(&["run", "copy.yaml"]).is(3, "or as much work, without one");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_a_whole_trace() {
    let shell = Shell::new("interrupt");
    shell.write(
        "long.yaml",
        "processes: {P: [{set: {n: 0}}, {forever: [{set: {n: n + 1}}, {log: '${n}'}, yield]}]}\n",
    );
    let arguments =
        ["run", "-q", "long.yaml", "--trace", "t.jsonl", "--max-steps", "1000000000000"];
    let child = shell
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let trace = shell.folder.join("t.jsonl");
    while std::fs::metadata(&trace).map_or(0, |file| file.len()) < 100_000 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    let answer = Answer::from(child.wait_with_output().expect("it ends"));
    answer.is(130, "interrupted after");
    let text = std::fs::read_to_string(trace).expect("the trace is there");
    ipcsim_report::trace::read(&text).expect("every line is whole");
}

#[test]
fn a_new_scenario_runs_and_its_claims_hold() {
    let shell = Shell::new("new");
    shell.run(&["new", "mine.yaml"]).is(0, "wrote mine.yaml");
    shell.run(&["new", "mine.yaml"]).is(2, "was left alone");
    shell.run(&["lint", "mine.yaml"]).is(0, "mine.yaml: ok");
    shell.run(&["test", "mine.yaml"]).is(0, "1 file: 3 claims hold, 0 do not");
    let answer = shell.run(&["run", "mine.yaml"]);
    answer.is(0, "got item 3");
    assert!(answer.err.is_empty(), "{}", answer.err);
}

#[test]
fn what_is_built_in_is_listed_by_slide() {
    let answer = Shell::new("list").run(&["list"]);
    answer.is(0, "A buffering problem\n  ");
    for (path, _) in common::scenarios() {
        let name = path.rsplit('/').next().and_then(|file| file.strip_suffix(".yaml"));
        let name = name.expect("a scenario has a name");
        assert!(
            answer.out.lines().any(|line| line.split_whitespace().next() == Some(name)),
            "{name}"
        );
    }
}

#[test]
fn schema_completions_manual_and_explanations_are_printed() {
    let shell = Shell::new("printed");
    shell.run(&["schema"]).is(0, "draft-07");
    shell.run(&["schema", "trace"]).is(0, "ipcsim-trace");
    shell.run(&["completions", "bash"]).is(0, "ipcsim");
    shell.run(&["man"]).is(0, ".TH ipcsim");
    shell.run(&["explain", "ipc014"]).is(0, "# IPC014");
    shell.run(&["explain", "14"]).is(0, "# IPC014");
    shell.run(&["explain"]).is(0, "IPC039");
    shell.run(&["explain", "IPC999"]).is(2, "no diagnostic has the code");
}

#[test]
fn the_seed_decides_what_is_random() {
    let shell = Shell::new("seed");
    shell.write("dice.yaml", "processes: {P: [{log: '${random(1, 1000000)}'}]}\n");
    let log = |seed: &str| {
        let out = shell.run(&["run", "dice.yaml", "--seed", seed]).out;
        out.lines()
            .find(|line| line.contains("log:"))
            .map(str::to_string)
            .expect("a line of the log")
    };
    assert_eq!(log("7"), log("7"));
    assert_ne!(log("7"), log("8"));
}
