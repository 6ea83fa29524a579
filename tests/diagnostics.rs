//! Every diagnostic has a page, and prints what its page says.

mod common;

use ipcsim_report::diagnostics::{Style, render};
use ipcsim_scenario::{Code, LoadOptions, Loaded, catalogue, load};

/// The fenced blocks of a page: language and text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_string(), String::new())),
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some((_, text)), _) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

fn scenario(text: &str) -> Loaded {
    load("scenario.yaml", text.as_bytes(), &LoadOptions::default())
}

fn printed(loaded: &Loaded, style: Style) -> String {
    let texts: Vec<String> = loaded
        .diagnostics
        .iter()
        .map(|diagnostic| render(diagnostic, &loaded.sources, style))
        .collect();
    let between = if style == Style::Plain { "\n" } else { "" };
    texts.join(between)
}

/// Set `UPDATE_CATALOGUE=1` to write what is printed into the pages; read the difference before you
/// commit it.
#[test]
fn every_diagnostic_prints_what_its_page_says() {
    let update = std::env::var_os("UPDATE_CATALOGUE").is_some();
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let page = catalogue::page(*code);
        assert!(
            page.starts_with(&format!("# {}: ", code.label())),
            "{} begins with its code",
            code.label()
        );
        let blocks = blocks(page);
        let Some((language, example)) = blocks.first() else {
            panic!("the page of {} has an example", code.label());
        };
        if language != "yaml" {
            continue;
        }
        let loaded = scenario(example);
        let codes: Vec<String> =
            loaded.diagnostics.iter().map(|found| found.code.label()).collect();
        assert!(codes.contains(&code.label()), "the example of {} gives {codes:?}", code.label());
        let (_, expected) = &blocks[1];
        let actual = printed(&loaded, Style::Plain);
        if actual.trim_end() != expected.trim_end() {
            wrong.push(format!("{}: expected\n{expected}\nfound\n{actual}", code.label()));
            if update {
                let file = std::fs::read_dir(common::repository("sim/scenario/src/catalogue"))
                    .expect("the catalogue can be read")
                    .flatten()
                    .map(|entry| entry.path())
                    .find(|path| path.display().to_string().contains(&code.label().to_lowercase()))
                    .expect("every code has a page");
                let text = page.replacen(expected.as_str(), &format!("{}\n", actual.trim_end()), 1);
                std::fs::write(file, text).expect("a page can be written");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_mended_example_is_right() {
    for code in Code::ALL {
        let blocks = blocks(catalogue::page(*code));
        let Some((_, mended)) = blocks[1..].iter().find(|(language, _)| language == "yaml") else {
            assert_eq!(*code, Code::NotText, "the page of {} shows what to write", code.label());
            continue;
        };
        let found = printed(&scenario(mended), Style::Short);
        assert!(found.is_empty(), "the mended example of {} has {found}", code.label());
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let loaded = load("scenario.yaml", b"processes:\n  P\xff1:\n", &LoadOptions::default());
    assert_eq!(
        printed(&loaded, Style::Short),
        "scenario.yaml:2:4: error[IPC002]: this file is not UTF-8 (byte 15 has no meaning in UTF-8)\n"
    );
    let loaded = load("scenario.yaml", b"p\0r\0", &LoadOptions::default());
    assert_eq!(
        printed(&loaded, Style::Short),
        "scenario.yaml:1:2: error[IPC002]: this file is not text (a zero byte stands here)\n"
    );
}

#[test]
fn several_mistakes_are_reported_at_once() {
    let loaded = scenario(
        "processes:\n  P1:\n    - sned: a\n      to: P2\n    - receive: m\n      form: P2\n  P2:\n    - log: b\n      too: P1\n",
    );
    let codes: Vec<String> = loaded.diagnostics.iter().map(|found| found.code.label()).collect();
    assert_eq!(codes, ["IPC011", "IPC010", "IPC010"]);
}

#[test]
fn a_name_that_nothing_has_is_reported_beside_a_key_that_nothing_knows() {
    let text = "processes:\n  P1:\n    - send: a\n      to: P3\n      too: P2\n  P2: [{log: b}]\n";
    assert_eq!(codes(text), ["IPC014", "IPC010"]);
    // Here the name is missing because its declaration could not be read.
    let text = "mailboxs: {box1: {}}\nprocesses:\n  P1:\n    - send: a\n      to: box1\n";
    assert_eq!(codes(text), ["IPC010"]);
}

fn codes(text: &str) -> Vec<String> {
    scenario(text).diagnostics.iter().map(|found| found.code.label()).collect()
}

#[test]
fn conditions_that_make_no_sense_are_refused() {
    let found = |condition: &str| {
        let text = format!(
            "mailboxes: {{box1: {{}}, tray: {{replicas: 2}}}}\n\
             processes:\n  P1: [{{set: {{x: 1}}}}]\n  \
             clients: {{replicas: 3, do: [{{receive: m, from: box1}}]}}\n  \
             server: {{threads: {{worker: {{replicas: 2, do: [{{set: {{y: 1}}}}]}}}}}}\n\
             expect:\n  - every-schedule:\n      always: '{condition}'\n"
        );
        let found = printed(&scenario(&text), Style::Short);
        found.trim_end().rsplit_once("]: ").map_or(String::new(), |(_, found)| found.to_string())
    };
    for sensible in [
        "len(box1) <= 3 and len(tray[2]) == 0 and all(len(tray) <= kernel.used)",
        "count(clients.m != none) <= 1 or P1.x == 4",
        "P1.ended or P1.blocked or any(clients.ended)",
        "all(clients.m == none) or clients[2].m.sender == P1",
        "server.worker[2].y == 1 and max(clients.m.size) < 8",
    ] {
        assert_eq!(found(sensible), "", "{sensible}");
    }
    let wrong = [
        "len(P1) == 0",
        "len(box1)",
        "clients.m == none",
        "P1.ended and 3",
        "kernel.used > 3ms",
        "kernel.free > 3",
        "P1.z == 1",
        "server.worker.z == 1",
        "nobody.x == 1",
        "box1.x == 1",
        "now() > 3",
        "clients[4].ended",
        "all(clients.m == tray)",
        "any()",
    ];
    let found: Vec<String> = wrong.iter().map(|it| format!("{it}: {}", found(it))).collect();
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn what_a_mailbox_cannot_hold_from_the_start_is_refused() {
    let found = |kernel: &str, mailbox: &str| {
        let text = format!(
            "kernel: {{{kernel}}}\nmailboxes: {{box: {{{mailbox}}}}}\nprocesses: {{P1: [{{receive: m, from: box}}]}}\n"
        );
        let found = printed(&scenario(&text), Style::Short);
        format!("{kernel} {mailbox}: {}", found.trim_end())
    };
    for fine in [
        "capacity: 2, holds: [token, 1]",
        "capacity: 9B, holds: [token, [a, b, c], '']",
        "capacity: unlimited, holds: [none, true, -5]",
        "capacity: undefined, holds: [token]",
        "replicas: 3, capacity: 1, holds: [token]",
        "holds: []",
    ] {
        let fine = found("memory: 25B", fine);
        assert!(!fine.contains("error"), "{fine}");
    }
    let wrong = [
        ("", "capacity: 1, holds: token"),
        ("", "capacity: 1, holds: [a, b]"),
        ("", "holds: [a]"),
        ("", "capacity: 4B, holds: [token]"),
        ("", "capacity: 1, max-size: 4B, holds: [token]"),
        ("", "capacity: 1, holds: ['${P1}']"),
        ("", "capacity: 1, holds: ['${[box, 1]}']"),
        ("", "capacity: 1, holds: ['${x}']"),
        ("", "capacity: 1, holds: ['${2 - 1}']"),
        ("", "capacity: 1, holds: ['${random(1, 6)}']"),
        ("", "capacity: 1, holds: [~]"),
        ("memory: 9B", "replicas: 2, capacity: 1, holds: [token]"),
        ("memory: 9B, message-overhead: 5B", "capacity: 1, holds: [token]"),
    ];
    let found: Vec<String> = wrong.iter().map(|(kernel, mailbox)| found(kernel, mailbox)).collect();
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn a_change_by_set_is_checked_like_the_file() {
    let options = |set: &str| LoadOptions { sets: vec![set.into()], ..LoadOptions::default() };
    let text = b"processes:\n  P1:\n    - log: a\n";
    let check = |set: &str| printed(&load("scenario.yaml", text, &options(set)), Style::Short);
    assert_eq!(check("kernel.buffering=1"), "");
    assert_eq!(
        check("kernel.bufering=1"),
        "--set kernel.bufering=1:1:8: error[IPC010]: kernel has no key `bufering` (did you mean `buffering`?)\n"
    );
    assert_eq!(
        check("kernel.buffering"),
        "--set kernel.buffering:1:1: error[IPC033]: a change is written path=value (the `=` is missing)\n"
    );
}

#[test]
fn json_messages_are_json() {
    let loaded = scenario("processes:\n  P1:\n    - sned: a\n");
    let line = printed(&loaded, Style::Json);
    let value: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
    assert_eq!(value["code"], "IPC011");
    assert_eq!(value["line"], 3);
    assert_eq!(value["column"], 7);
    assert_eq!(value["severity"], "error");
}

#[test]
fn what_is_not_yaml_gets_advice_for_the_likely_mistake() {
    for (text, advice) in [
        ("processes:\n  p:\n    - send: hi\n        to: q\n", "`to` is indented too far"),
        ("processes:\n  p:\n    -send: hi\n     to: q\n", "a space is missing behind the `-`"),
        (
            "processes:\n  p:\n    - log: \"hi\n    - log: ho\n",
            "the quote in line 3 is never closed",
        ),
        ("processes:\n  p:\n    - log: 'don't'\n", "an apostrophe is written twice"),
        ("kernel: {buffering: 1\nprocesses:\n  p: [yield]\n", "the `{` in line 1 is never closed"),
        ("processes:\n  p:\n    - send:hi\n      to: q\n", "a space is missing behind the `:`"),
        ("processes:\n\tp: [yield]\n", "this line begins with a tab"),
        ("processes:\n  p:\n    - log: note: it\n", "a text that holds `: `"),
    ] {
        let said = printed(&scenario(text), Style::Plain);
        assert!(said.contains("IPC001") && said.contains(advice), "{text}\n{said}");
    }
}

#[test]
fn a_port_set_that_is_declared_further_below_is_no_member() {
    let text = "
port-sets: {a: {of: P, members: [b]}, b: {of: P}}
processes: {P: [yield]}
";
    let found = printed(&scenario(text), Style::Short);
    assert!(found.contains("IPC040") && found.contains("only a port can be a member"), "{found}");
}

#[test]
fn ports_that_cannot_be_are_all_reported() {
    let text = "
ports:
  d: {receive: P, backup: P}
  e: {receive: R}
  f: {receive: P, send: anyone}
  g: {receive: nobody}
port-sets:
  s: {of: P, members: [d, d, zz, s]}
  t: {of: P, members: [d]}
  u: {of: Q, members: [f]}
processes:
  P:
    - {create: v, kind: port, capacity: 99}
    - {create: w, kind: port-set, capacity: 9}
  Q: [{create: v, kind: port, order: fifo}]
  R: {replicas: 2, do: [{log: x}]}
";
    // What cannot be read is reported first.
    let unreadable = "
ports:
  a: {receive: [P, Q]}
  b: {receive: P, capacity: 17}
  c: {send: [P]}
processes:
  P: [{send: x, to: a, rights: [{port: a, as: take}, {as: make-send}]}]
";
    let found = [unreadable, text].map(|text| printed(&scenario(text), Style::Short));
    insta::assert_snapshot!(found.concat());
}

#[test]
fn memory_that_cannot_be_is_refused() {
    let buf = "{allocate: b, size: 8KiB}";
    for (steps, code, says) in [
        ("{allocate: b, size: 0B}".into(), "IPC043", "a region has at least one page"),
        ("{allocate: b, size: 8KiB, value: [1]}".into(), "IPC043", "a page cannot hold this"),
        (format!("{buf}, {{write: b, value: 5ms}}"), "IPC043", "a page cannot hold this"),
        (format!("{buf}, {{write: b, value: 1, page: -1}}"), "IPC043", "pages are counted from 0"),
        (format!("{buf}, {{read: b, into: x, page: -1}}"), "IPC043", "pages are counted from 0"),
        (format!("{buf}, {{write: b, value: 1, page: 1, pages: 2}}"), "IPC043", "one page, or"),
        ("{free: P}".into(), "IPC043", "this is a process"),
        ("{free: box}".into(), "IPC043", "this is a mailbox"),
        (format!("{buf}, {{send: x, to: box, memory: b}}"), "IPC016", "which region"),
        (format!("{buf}, {{send: x, to: box, memory: {{region: box}}}}"), "IPC043", "a mailbox"),
        ("{write: hello, to: box}".into(), "IPC010", "`write` has no key `to`"),
        ("{read: m, from: box}".into(), "IPC010", "`read` has no key `from`"),
    ] {
        let text = format!("mailboxes: {{box: {{}}}}\nprocesses: {{P: [{steps}]}}\n");
        let found = scenario(&text).diagnostics;
        let is_it =
            |it: &ipcsim_scenario::Diagnostic| it.code.label() == code && it.message.contains(says);
        assert!(found.iter().any(is_it), "{steps}: {found:?}");
    }
    let page = "kernel: {page: 0B}\nprocesses: {P: [yield]}\n";
    assert_eq!(codes(page), ["IPC019"], "a page has at least one byte");
}

#[test]
fn a_loop_control_inside_a_step_with_a_mistake_leads_somewhere() {
    for control in ["break", "continue"] {
        let text = format!(
            "processes: {{P: [{{repeat: 2, do: [{{receive: m, from: nobody, wait: 1ms, when: {{timed-out: [{control}]}}}}]}}]}}"
        );
        let loaded = load("test.yaml", text.as_bytes(), &LoadOptions::default());
        let codes: Vec<String> =
            loaded.diagnostics.iter().map(|found| found.code.label()).collect();
        assert_eq!(codes, ["IPC014"]);
    }
}

/// The children of a child that is created twice are not looked for: the mistake is its name.
#[test]
fn a_child_that_is_created_twice_may_have_children() {
    let text = "processes:\n  P:\n    - spawn: child\n    - spawn: child\n      do:\n        - spawn: other\n          do: [{log: hello}]\n";
    let found = printed(&scenario(text), Style::Short);
    insta::assert_snapshot!(found);
}
