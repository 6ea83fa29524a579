//! What a course uses in a repository of its own: traces that are kept, claims of a teacher, results for CI.

mod common;

use common::shell::Shell;

const STUDENT: &str = "\
title: Two letters
processes:
  P:
    - send: hello
      to: Q
    - send: again
      to: Q
  Q:
    - receive: m
      from: P
    - receive: m
      from: P
expect:
  - run: deadlock
";

const TEACHER: &str = "\
expect:
  - every-schedule: completes
  - run: {at-most: {messages: 2}}
";

#[test]
fn a_kept_trace_stays_the_same_under_comments_and_layout() {
    let shell = Shell::new("course-kept");
    shell.write("two.yaml", STUDENT.replace("run: deadlock", "run: completes"));
    let check = ["test", "two.yaml", "--snapshot", "traces"];
    shell.run(&check).is(1, "there is no trace in traces/two.yaml.trace yet (--update writes it)");
    shell
        .run(&["test", "two.yaml", "--snapshot", "traces", "--update"])
        .is(0, "kept          two.yaml");
    shell.run(&check).is(0, "1 trace: 1 unchanged, 0 not");
    let other = "# by hand\n\ntitle: Two letters\nprocesses:\n  P: [{send: hello, to: Q},\n      # and\n      {send: again, to: Q}]\n\n  Q: [{receive: m, from: P}, {receive: m, from: P}]\n";
    shell.write("two.yaml", other);
    shell.run(&check).is(0, "ok            two.yaml  the trace of its run");
    // On Windows a repository may come with other line ends.
    let kept =
        std::fs::read_to_string(shell.folder.join("traces/two.yaml.trace")).expect("it is kept");
    shell.write("traces/two.yaml.trace", kept.replace('\n', "\r\n"));
    shell.run(&check).is(0, "1 unchanged");
    shell.write("two.yaml", other.replace("again", "bye"));
    let answer = shell.run(&check);
    answer.is(1, "FAILED        two.yaml  the trace of its run");
    assert!(answer.out.contains("P step 2  sent body=bye"), "{}", answer.out);
    assert!(answer.out.contains("body=again"), "{}", answer.out);
}

#[test]
fn traces_of_a_folder_are_kept_in_folders() {
    let shell = Shell::new("course-folders");
    std::fs::create_dir_all(shell.folder.join("week1/a")).expect("a folder can be made");
    shell.write("week1/two.yaml", STUDENT);
    shell.write("week1/a/two.yaml", STUDENT.replace("hello", "hi"));
    shell.run(&["test", "week1", "--snapshot", "kept", "--update"]).is(1, "2 traces: 2 unchanged");
    assert!(shell.folder.join("kept/two.yaml.trace").exists());
    assert!(shell.folder.join("kept/a/two.yaml.trace").exists());
}

#[test]
fn the_claims_of_a_teacher_count_and_those_of_the_student_do_not() {
    let shell = Shell::new("course-expect");
    shell.write("student.yaml", STUDENT);
    shell.write("teacher.yaml", TEACHER);
    shell.run(&["test", "student.yaml"]).is(1, "0 claims hold, 1 does not");
    let graded = ["test", "student.yaml", "--expect", "teacher.yaml"];
    shell.run(&graded).is(0, "1 file: 2 claims hold, 0 do not");
    shell.write(
        "student.yaml",
        STUDENT.replace("    - receive: m\n      from: P\nexpect", "expect"),
    );
    let answer = shell.run(&graded);
    answer.is(1, "FAILED        student.yaml  teacher.yaml:2  every-schedule: completes");
    // The schedule that is shown can be played with the same claims.
    let token = answer.out.split("replay: ipcsim replay student.yaml ").nth(1).expect("a schedule");
    let token = token.split_whitespace().next().expect("a token");
    assert!(answer.out.contains(&format!("{token} --expect teacher.yaml")), "{}", answer.out);
    // Without them its number stands for another claim.
    shell.run(&["replay", "student.yaml", token]).is(2, "another scenario");
    shell
        .run(&["replay", "student.yaml", token, "--expect", "teacher.yaml"])
        .is(0, "this schedule");
    shell.write("empty.yaml", "title: nothing\n");
    shell
        .run(&["test", "student.yaml", "--expect", "empty.yaml"])
        .is(2, "this file claims nothing");
    shell.run(&["test", "student.yaml", "--expect", "missing.yaml"]).is(2, "missing.yaml");
    shell.write("wrong.yaml", "expect:\n  - run: success\n");
    let answer = shell.run(&["test", "student.yaml", "--expect", "wrong.yaml"]);
    answer.is(2, "write `completes`");
    assert!(answer.err.contains("wrong.yaml:2:10"), "{}", answer.err);
    // The teacher's mistake is told once, and not laid at the door of each answer.
    std::fs::create_dir_all(shell.folder.join("answers")).expect("a folder can be made");
    shell.write("answers/a.yaml", STUDENT);
    shell.write("answers/b.yaml", STUDENT);
    let answer = shell.run(&["test", "answers", "--expect", "wrong.yaml"]);
    answer.is(2, "answers/b.yaml  the claims of wrong.yaml do not fit it");
    assert_eq!(answer.err.matches("write `completes`").count(), 1, "{}", answer.err);
}

#[test]
fn files_without_claims_and_files_that_cannot_be_read_are_named() {
    let shell = Shell::new("course-summary");
    std::fs::create_dir(shell.folder.join("week")).expect("a folder can be made");
    shell.write("week/none.yaml", "processes: {P: [{log: x}]}\n");
    shell.write("week/bad.yaml", "processes: {P: [{lgo: x}]}\nexpect: [{run: completes}]\n");
    shell.write("week/good.yaml", STUDENT.replace("run: deadlock", "run: completes"));
    let answer = shell.run(&["test", "week"]);
    answer.is(2, "FAILED        week/bad.yaml  cannot be used");
    assert!(answer.out.contains("1 file cannot be used: week/bad.yaml"), "{}", answer.out);
    assert!(answer.out.contains("1 file without claims: week/none.yaml"), "{}", answer.out);
    shell.run(&["test", "week/none.yaml"]).is(0, "1 file without claims");
    shell
        .run(&["test", "week/none.yaml", "--require-claims"])
        .is(1, "FAILED        week/none.yaml  there are no claims");
}

#[test]
fn results_come_in_the_formats_that_ci_reads() {
    let shell = Shell::new("course-formats");
    shell.write("good.yaml", STUDENT.replace("run: deadlock", "run: completes"));
    shell.write("wrong.yaml", STUDENT);
    shell.write("bad.yaml", "processes: {P: [{lgo: x}]}\n");
    let files = ["good.yaml", "wrong.yaml", "bad.yaml"];
    let run = |format: &str| {
        let arguments: Vec<&str> = ["test", "--format", format].into_iter().chain(files).collect();
        shell.run(&arguments)
    };
    let tap = run("tap");
    assert_eq!(tap.code, 2, "{}", tap.err);
    insta::assert_snapshot!("tap", tap.out);
    let junit = run("junit");
    assert_eq!(junit.code, 2, "{}", junit.err);
    insta::assert_snapshot!("junit", junit.out);
    let json = run("json");
    let value: serde_json::Value = serde_json::from_str(&json.out).expect("it is JSON");
    assert_eq!(value["scenarios"].as_array().map(Vec::len), Some(3));
}

#[test]
fn json_tells_of_traces() {
    let shell = Shell::new("course-json");
    shell.write("two.yaml", STUDENT);
    let arguments = ["test", "two.yaml", "--snapshot", "kept", "--format", "json"];
    let answer = shell.run(&arguments);
    let schema: serde_json::Value =
        serde_json::from_str(&shell.run(&["schema", "result"]).out).expect("a schema is JSON");
    let value: serde_json::Value = serde_json::from_str(&answer.out).expect("it is JSON");
    assert_eq!(value["scenarios"][0]["snapshot"]["is"], "missing");
    assert!(jsonschema::draft7::new(&schema).expect("it is a schema").is_valid(&value));
}

#[test]
fn a_rust_test_keeps_a_trace_with_insta() {
    let golden = ipcsim_check::golden_of(STUDENT).expect("it is right");
    insta::assert_snapshot!(golden);
}
