//! Mistakes that newcomers make: what they are told, and that a file which follows the advice has none.

use ipcsim_report::diagnostics::{Style, render};
use ipcsim_scenario::{LoadOptions, fixed, load};

/// A mistake: what was written, what must be said, and the file as the advice has it. Where a file begins with
/// a step it is that of a process `P`; `Q` sends it numbers and takes what it sends.
const MISTAKES: &[(&str, &str, &str)] = &[
    // Verbs of other systems.
    ("- recv: m\n  from: Q", "write `receive: m`", "- receive: m\n  from: Q"),
    ("- msgsnd: hello\n  to: Q", "write `send: hello`", "- send: hello\n  to: Q"),
    ("- print: hello", "write `log: …`", "- log: hello"),
    ("- printf: hello", "write `log: …`", "- log: hello"),
    ("- sleep_ms: 5", "write `sleep: 5ms`", "- sleep: 5ms"),
    ("- wait: 5ms", "to let time pass write `sleep: 5ms`", "- sleep: 5ms"),
    (
        "- timeout: 5ms",
        "`wait: 5ms` below `send` or `receive`",
        "- receive: m\n  from: Q\n  wait: 5ms\n  when: {timed-out: [{log: late}]}",
    ),
    ("- loop:\n    - yield", "write `forever:`", "- forever:\n    - yield"),
    ("- times: 3", "write `repeat: 3`", "- repeat: 3\n  do: [yield]"),
    ("- let: {x: 1}", "write `set: {x: 1}`", "- set: {x: 1}"),
    ("- return: 0", "write `exit: 0`", "- exit: 0"),
    ("- exit-code: 1", "write `exit: 1`", "- exit: 1"),
    (
        "- mutex: m",
        "write `lock: buf`, where `buf` is a region of memory",
        "- allocate: buf\n  size: 4KiB\n- lock: buf\n- unlock: buf",
    ),
    (
        "- semaphore: s",
        "`receive` takes one, `send` gives it back",
        "- create: m\n  kind: mailbox\n  capacity: 1\n- send: key\n  to: ${m}\n- receive: key\n  from: ${m}",
    ),
    (
        "- pipe: p",
        "write `create: r` with `kind: pipe` and `write-end: w`",
        "- create: r\n  kind: pipe\n  write-end: w",
    ),
    (
        "- dup: fd",
        "write `duplicate: ${fd}` with `into: other`",
        "- create: r\n  kind: pipe\n  write-end: w\n- duplicate: ${r}\n  into: other",
    ),
    (
        "- channel: c",
        "`kind: channel` keeps messages apart",
        "- create: r\n  kind: channel\n  write-end: w",
    ),
    (
        "- spawn-thread: worker",
        "write `thread: worker` with `do:`",
        "- thread: worker\n  do: [yield]",
    ),
    ("- create-process: child", "write `spawn: child` with `do:`", "- spawn: child\n  do: [yield]"),
    ("- unlink: box", "write `destroy: box`", "- create: box\n  kind: mailbox\n- destroy: ${box}"),
    ("- raise: trouble", "write `fault: name-of-it`", "- fault: trouble"),
    (
        "- rpc: hello\n  to: Q",
        "write `call: hello` with `to: …` and `into: answer`",
        "- call: hello\n  to: Q\n  into: answer",
    ),
    (
        "- tryrecv: m\n  from: Q",
        "and `wait: never`",
        "- receive: m\n  from: Q\n  wait: never\n  when: {would-block: [yield]}",
    ),
    (
        "- else:\n    - yield",
        "`then:` and `else:` are keys of `if:`",
        "- if: true\n  then: [yield]\n  else: [yield]",
    ),
    ("- sned: hello\n  to: Q", "did you mean `send`?", "- send: hello\n  to: Q"),
    // Keys of other systems.
    (
        "- receive: m\n  from: Q\n  timeout: 5ms",
        "write `wait: 5ms`",
        "- receive: m\n  from: Q\n  wait: 5ms\n  when: {timed-out: [yield]}",
    ),
    ("- send: hello\n  dest: Q", "write `to: …`", "- send: hello\n  to: Q"),
    ("- receive: m\n  source: Q", "write `from: …`", "- receive: m\n  from: Q"),
    (
        "- send: hello\n  to: Q\n  nonblocking: true",
        "write `wait: never`",
        "- send: hello\n  to: Q\n  wait: never\n  when: {would-block: [yield]}",
    ),
    (
        "- send: hello\n  to: Q\n  prio: 1",
        "write `priority: 1`",
        "- send: hello\n  to: Q\n  priority: 1",
    ),
    (
        "- receive: m\n  from: Q\n  on-timeout: [yield]",
        "write `when: {timed-out: […]}`",
        "- receive: m\n  from: Q\n  wait: 5ms\n  when: {timed-out: [yield]}",
    ),
    (
        "- receive: m\n  from: Q\n  wait: 5ms\n  when: {timeout: [yield]}",
        "write `timed-out:`",
        "- receive: m\n  from: Q\n  wait: 5ms\n  when: {timed-out: [yield]}",
    ),
    (
        "- receive: m\n  from: Q\n  wait: never\n  when: {empty: [yield]}",
        "write `would-block:`",
        "- receive: m\n  from: Q\n  wait: never\n  when: {would-block: [yield]}",
    ),
    (
        "- send: hello\n  to: Q\n  when: {error: [yield]}",
        "name the outcome",
        "- send: hello\n  to: Q\n  when: {dead: [yield]}",
    ),
    ("- send: {text: hello}\n  to: Q", "a value cannot be a mapping", "- send: hello\n  to: Q"),
    ("- receive: m", "`from:` is missing", "- receive: m\n  from: Q"),
    ("- send: hello to Q", "write `send: hello` and `to: Q` below it", "- send: hello\n  to: Q"),
    ("- receive m from Q", "write `receive: m` and `from: Q` below it", "- receive: m\n  from: Q"),
    ("- log hello", "write `log: hello`", "- log: hello"),
    // Values.
    ("- set: sum = 0", "write `set: {sum: 0}`", "- set: {sum: 0}"),
    ("- set: list = [1, 2]", "write `set: {list: '[1, 2]'}`", "- set: {list: '[1, 2]'}"),
    ("- sleep: 5", "`sleep` needs a unit", "- sleep: 5ms"),
    ("- compute: 5 ms", "write `5ms` without a space", "- compute: 5ms"),
    ("- compute: 5sec", "no unit is called `sec`", "- compute: 5s"),
    (
        "- create: box\n- send: x\n  to: ${box}",
        "write `kind: mailbox`, `kind: port`, `kind: port-set`, `kind: pipe` or `kind: channel` below it",
        "- create: box\n  kind: mailbox\n- send: x\n  to: ${box}",
    ),
    (
        "- set: {x: 1}\n- if: x = 1\n  then: [yield]",
        "write `==` to compare",
        "- set: {x: 1}\n- if: x == 1\n  then: [yield]",
    ),
    (
        "- set: {x: 1}\n- if: x == 1 && x == 1\n  then: [yield]",
        "write `and`",
        "- set: {x: 1}\n- if: x == 1 and x == 1\n  then: [yield]",
    ),
    ("- set: {x: 1}\n- set: {x: x++}", "write `x + 1`", "- set: {x: 1}\n- set: {x: x + 1}"),
    ("- set: {x: 'size([1])'}", "write `len(x)`", "- set: {x: 'len([1])'}"),
    ("- set: {x: 'rand(1, 6)'}", "write `random(1, 6)`", "- set: {x: 'random(1, 6)'}"),
    ("- set: {x: 'append([1], 2)'}", "write `push(list, x)`", "- set: {x: 'push([1], 2)'}"),
    // Messages and their types.
    (
        "- receive: m\n  from: Q\n- log: m.body",
        "write `${m.body}` for the field",
        "- receive: m\n  from: Q\n- log: ${m.body}",
    ),
    (
        "- receive: m\n  from: Q\n- log: ${m.text}",
        "write `.body`",
        "- receive: m\n  from: Q\n- log: ${m.body}",
    ),
    (
        "- receive: m\n  from: Q\n- log: ${m.from}",
        "write `.sender`",
        "- receive: m\n  from: Q\n- log: ${m.sender}",
    ),
    (
        "- set: {sum: 0}\n- receive: m\n  from: Q\n- set: {sum: sum + m}",
        "what it says is `m.body`",
        "- set: {sum: 0}\n- receive: m\n  from: Q\n- set: {sum: sum + m.body}",
    ),
    (
        "- receive: m\n  from: Q\n- if: m == \"hi\"\n  then: [yield]",
        "what it says is `m.body`",
        "- receive: m\n  from: Q\n- if: m.body == 1\n  then: [yield]",
    ),
    (
        "- receive: job\n  from: Q\n- if: job.body == \"stop\"\n  then: [yield]",
        "not an integer and a text",
        "- receive: job\n  from: Q\n- if: job.body == 0\n  then: [yield]",
    ),
    (
        "- receive: m\n  from: Q\n- send: ${m}\n  to: Q",
        "write `${m.body}` to send on what it says",
        "- receive: m\n  from: Q\n- send: ${m.body}\n  to: Q",
    ),
    (
        "- set: {list: [], x: 1}\n- set: {list: 'list + [x]'}",
        "write `push(list, …)`",
        "- set: {list: [], x: 1}\n- set: {list: 'push(list, x)'}",
    ),
    (
        "- set: {a: 1}\n- set: {t: '\"item \" + a'}",
        "to join texts",
        "- set: {a: 1}\n- set: {t: '\"item ${a}\"'}",
    ),
    (
        "- set: {n: 1}\n- if: n\n  then: [yield]",
        "write `n != 0`",
        "- set: {n: 1}\n- if: n != 0\n  then: [yield]",
    ),
    (
        "- set: {n: 1}\n- if: n == \"1\"\n  then: [yield]",
        "without quotes it is a number",
        "- set: {n: 1}\n- if: n == 1\n  then: [yield]",
    ),
    (
        "- set: {t: 5ms}\n- set: {t: t + 1}",
        "a duration has a unit",
        "- set: {t: 5ms}\n- set: {t: t + 1ms}",
    ),
    (
        "- set: {n: 42}\n- send: n\n  to: Q",
        "write `${n}` for the variable",
        "- set: {n: 42}\n- send: ${n}\n  to: Q",
    ),
    ("- send: x\n  to: R", "no mailbox, process or variable is called `R`", "- send: x\n  to: Q"),
    ("- log: ${x}", "nothing here is called `x`", "- set: {x: 1}\n- log: ${x}"),
    // The file.
    ("process:\n  P: [yield]", "write `processes:`", "processes:\n  P: [yield]"),
    (
        "channels: {c: {}}\nprocesses:\n  P: [yield]",
        "write `mailboxes:`",
        "mailboxes: {c: {}}\nprocesses:\n  P: [yield]",
    ),
    (
        "mailboxes: {box: {size: 3}}\nprocesses:\n  P: [yield]",
        "write `capacity: 3`",
        "mailboxes: {box: {capacity: 3}}\nprocesses:\n  P: [yield]",
    ),
    (
        "kernel: {buffer: 1}\nprocesses:\n  P: [yield]",
        "write `buffering: 1`",
        "kernel: {buffering: 1}\nprocesses:\n  P: [yield]",
    ),
    (
        "kernel: {cores: 2}\nprocesses:\n  P: [yield]",
        "write `cpus: 2`",
        "kernel: {cpus: 2}\nprocesses:\n  P: [yield]",
    ),
    ("name: x\nprocesses:\n  P: [yield]", "write `title:`", "title: x\nprocesses:\n  P: [yield]"),
    ("processes:\n  P:\n    steps: [yield]", "write `do:`", "processes:\n  P:\n    do: [yield]"),
    (
        "processes:\n  P:\n    count: 3\n    do: [yield]",
        "write `replicas: 3`",
        "processes:\n  P:\n    replicas: 3\n    do: [yield]",
    ),
    (
        "processes:\n  P:\n    send: x\n    to: P",
        "put `- ` in front of each step",
        "processes:\n  P:\n    - send: x\n      to: P",
    ),
    ("processes:\n  box-1: [yield]", "`box1`, not `box-1`", "processes:\n  box1: [yield]"),
    // Several things in one line, and signs of other languages.
    ("- if: true\n  then: log: x", "write `then: [{log: x}]`", "- if: true\n  then: [{log: x}]"),
    ("- send: x, to: Q", "write `send: x` and `to: Q` below it", "- send: x\n  to: Q"),
    ("- {send: hi to: Q}", "write `{send: hi, to: Q}`", "- {send: hi, to: Q}"),
    (
        "- set: {x: 1}\n- if: x == 1 or 2\n  then: [yield]",
        "write `x == 1 or x == 2`",
        "- set: {x: 1}\n- if: x == 1 or x == 2\n  then: [yield]",
    ),
    (
        "- if: status == \"ok\" or \"dead\"\n  then: [yield]",
        "write `status == \"ok\" or status == \"dead\"`",
        "- if: status == \"ok\" or status == \"dead\"\n  then: [yield]",
    ),
    (
        "- set: {x: 1}\n- if: x => 2\n  then: [yield]",
        "write `>=`",
        "- set: {x: 1}\n- if: x >= 2\n  then: [yield]",
    ),
    (
        "- if: me == \"P\"\n  then: [yield]",
        "without quotes it is the process",
        "- if: me == P\n  then: [yield]",
    ),
    (
        "- receive: m\n  from: Q\n- if: m.sender == \"Q\"\n  then: [yield]",
        "without quotes it is the process",
        "- receive: m\n  from: Q\n- if: m.sender == Q\n  then: [yield]",
    ),
    (
        "- choose: [{log: a}, {log: b}]",
        "write `- ` in front once more",
        "- choose:\n    - - log: a\n    - - log: b",
    ),
    (
        "- call: x\n  to: Q\n  reply: r",
        "to keep the answer write `into:`",
        "- call: x\n  to: Q\n  into: r",
    ),
    ("- sleep: 1h", "an hour is `3600s`", "- sleep: 3600s"),
    (
        "- receive: m\n  from: Q\n  wait: none",
        "expected `forever`, `never`",
        "- receive: m\n  from: Q\n  wait: forever",
    ),
    ("- exit:", "write a number", "- exit: 0"),
    (
        "- create: box\n- send: x\n  to: box",
        "write `kind: mailbox`, `kind: port`, `kind: port-set`, `kind: pipe` or `kind: channel` below it",
        "- create: box\n  kind: mailbox\n- send: x\n  to: ${box}",
    ),
    // Claims.
    (
        "processes: {P: [yield]}\nexpect:\n  - every-schedule: {eventually: P.main.ended}",
        "write `P.ended`",
        "processes: {P: [yield]}\nexpect:\n  - every-schedule: {eventually: P.ended}",
    ),
    (
        "processes: {P: [yield]}\nexpect:\n  - no-schedule: deadlock",
        "write `every-schedule: {never: deadlock}`",
        "processes: {P: [yield]}\nexpect:\n  - every-schedule: {never: deadlock}",
    ),
    (
        "processes: {P: [yield]}\nassert:\n  - run: completes",
        "write `expect:`",
        "processes: {P: [yield]}\nexpect:\n  - run: completes",
    ),
    (
        "processes: {P: [yield]}\nexpect:\n  - run: success",
        "write `completes`",
        "processes: {P: [yield]}\nexpect:\n  - run: completes",
    ),
    (
        "processes: {P: [yield]}\nexpect:\n  - deadlock: false",
        "write `run: deadlock`",
        "processes: {P: [yield]}\nexpect:\n  - every-schedule: {never: deadlock}",
    ),
    (
        "processes: {P: [yield]}\nexpect:\n  - always: P.ended",
        "write `every-schedule: completes`, or `every-schedule: {always: …}`",
        "processes: {P: [yield]}\nexpect:\n  - every-schedule: {eventually: P.ended}",
    ),
    (
        "processes: {a: {replicas: 2, do: [{set: {x: 1}}]}}\nexpect:\n  - every-schedule: {always: a[1].x == 1}",
        "write `{always: 'a[1].x == 1'}`",
        "processes: {a: {replicas: 2, do: [{set: {x: 1}}]}}\nexpect:\n  - every-schedule: {eventually: 'a[1].x == 1'}",
    ),
];

fn scenario(text: &str) -> String {
    if !text.starts_with('-') {
        return format!("{text}\n");
    }
    let steps = format!("    {}\n", text.replace('\n', "\n    "));
    format!(
        "processes:\n  P:\n{steps}  Q:\n    daemon: true\n    threads:\n      feed: [{{send: 1, to: P}}, {{send: 2, to: P}}]\n      \
         eat: [{{forever: [{{receive: m, from: P}}]}}]\n"
    )
}

/// What is said of a text.
fn said(text: &str) -> String {
    let loaded = load("mine.yaml", scenario(text).as_bytes(), &LoadOptions::default());
    let all = loaded.diagnostics.iter();
    all.map(|diagnostic| render(diagnostic, &loaded.sources, Style::Plain)).collect()
}

#[test]
fn each_mistake_gets_advice_that_mends_it() {
    assert!(MISTAKES.len() >= 60, "{}", MISTAKES.len());
    let mut wrong = Vec::new();
    for (written, advice, mended) in MISTAKES {
        let told = said(written);
        if !told.contains(advice) {
            wrong.push(format!("of\n{written}\nis not said `{advice}` but\n{told}"));
        }
        let rest = said(mended);
        if rest.contains("error[") || rest.contains(advice) {
            wrong.push(format!("after\n{mended}\nis said\n{rest}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn one_mistake_is_told_once() {
    for (written, ..) in MISTAKES {
        let told = said(written);
        let count = told.matches("error[").count();
        assert!(count <= 1, "{count} errors for\n{written}\n{told}");
    }
}

#[test]
fn the_verbs_are_listed_once() {
    let told = said("- blubb: 1\n- blabb: 2\n- blobb: 3");
    assert_eq!(told.matches("the verbs are").count(), 1, "{told}");
    assert_eq!(told.matches("error[").count(), 3, "{told}");
}

#[test]
fn a_bracket_that_is_not_needed_does_no_harm_and_can_be_taken_away() {
    let text = "\
processes:
  P:
    - set: {l: ['a', 'b'], y: \"${1 + 1}\"}
    - for: x
      in: ${l}
      do: [{log: '${x}'}]
    - if: ${len(l) > 1}
      then: [yield]
    - while: '${y < 2}'
      do: [yield]
    - assert: ${l == [\"a\", \"b\"]}
expect:
  - every-schedule:
      eventually: ${P.ended}
";
    let options = LoadOptions::default();
    let loaded = load("mine.yaml", text.as_bytes(), &options);
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let (plain, made) = fixed("mine.yaml", text, &options);
    let expected = "\
processes:
  P:
    - set: {l: ['a', 'b'], y: \"1 + 1\"}
    - for: x
      in: l
      do: [{log: '${x}'}]
    - if: len(l) > 1
      then: [yield]
    - while: \"y < 2\"
      do: [yield]
    - assert: l == [\"a\", \"b\"]
expect:
  - every-schedule:
      eventually: P.ended
";
    assert_eq!(plain, expected);
    assert_eq!(made, 6);
    assert_eq!(fixed("mine.yaml", &plain, &options), (plain.clone(), 0));
}

#[test]
fn an_assignment_with_an_equals_sign_is_mended() {
    let text =
        "processes:\n  P:\n    - set: sum = 0\n    - set: sum = sum + 1\n    - log: ${sum}\n";
    let (plain, made) = fixed("mine.yaml", text, &LoadOptions::default());
    assert_eq!(made, 2);
    assert_eq!(
        plain,
        "processes:\n  P:\n    - set: {sum: 0}\n    - set: {sum: sum + 1}\n    - log: ${sum}\n"
    );
}

#[test]
fn a_range_has_both_ends() {
    let text = "processes: {P: [{for: x, in: 'range(1, 3)', do: [{log: '${x}'}]}]}\nexpect: [{run: {logs: [1, 2, 3]}}]\n";
    let loaded = load("mine.yaml", text.as_bytes(), &LoadOptions::default());
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
}

#[test]
fn what_may_be_right_is_not_warned_of() {
    for right in [
        // The answer of a call and a message from elsewhere share a variable.
        "processes:\n  P:\n    - call: 1\n      to: S\n      into: m\n    - if: m.body == \"hello\"\n      then: [yield]\n    \
         - receive: m\n      from: Q\n  Q: [{send: 5, to: P}]\n  S:\n    daemon: true\n    do: [{forever: [{receive: r, from: anyone}, {reply: hello, to: '${r}'}]}]\n",
        // A process that is made gets its own value.
        "processes:\n  P:\n    - set: {k: 5}\n    - spawn: c\n      with: {k: hello}\n      do:\n        - if: k == \"hello\"\n          then: [yield]\n",
        // A variable that is set to different things.
        "processes:\n  P:\n    - set: {x: 1}\n    - set: {x: '\"one\"'}\n    - if: x == \"one\"\n      then: [yield]\n",
        // A parameter.
        "programs:\n  p: {with: {n: 1}, do: [{assert: n == \"one\"}]}\nprocesses:\n  P: {program: p, with: {n: one}}\n",
    ] {
        let loaded = load("mine.yaml", right.as_bytes(), &LoadOptions::default());
        assert!(loaded.diagnostics.is_empty(), "{right}\n{:?}", loaded.diagnostics);
    }
}
