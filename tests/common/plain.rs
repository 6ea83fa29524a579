//! Random scenarios of plain message passing: replicas, boxes of their own, links and calls. Small enough
//! for every schedule, and such that reductions have something to leave out.

use std::fmt::Write;
use std::ops::Range;

use super::generate::Dice;

/// As many seeds as are asked for in the environment: `100000`, or from one on: `50000..100000`.
pub fn seeds(otherwise: u64) -> Range<u64> {
    let asked = std::env::var("PLAIN_SCENARIOS").unwrap_or_default();
    let number = |text: &str| text.parse().expect("PLAIN_SCENARIOS is `100000` or `50000..100000`");
    match asked.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None if asked.is_empty() => 0..otherwise,
        None => 0..number(&asked),
    }
}

/// A scenario with this seed; every third is of the patient kind, of the others every fourth of the numbered kind, and of the
/// rest every fifth a ring. But every seventh is about shared memory.
pub fn scenario(seed: u64) -> String {
    let mut dice = Dice(seed);
    if seed % 7 == 6 {
        return super::pooled::scenario(&mut dice);
    }
    if seed % 3 == 2 {
        return patient(&mut dice);
    }
    if seed % 4 == 3 {
        return numbered(&mut dice);
    }
    if seed % 5 == 4 {
        return ring(&mut dice);
    }
    let mut out = String::new();
    let buffering = dice.pick(&["none", "1", "2", "unlimited"]);
    let memory = memory(&mut dice);
    let sender = dice.pick(&["", "", ", sender: arbitrary", ", sender: priority"]);
    let bytes = if dice.chance(50) { ", byte-order: fits" } else { "" };
    let _ = writeln!(out, "kernel: {{buffering: {buffering}{memory}{sender}{bytes}}}\nmailboxes:");
    // Everybody may send to a port, and one process receives there.
    let port = dice.chance(15);
    for name in if port { &["b"][..] } else { &["a", "b"] } {
        let capacity = if dice.chance(15) {
            dice.pick(&["undefined", "4B"])
        } else {
            dice.pick(&["none", "1", "2", "unlimited"])
        };
        let receiver = dice.pick(&["fifo", "fifo", "lifo", "arbitrary", "priority"]);
        let order = dice.pick(&["fifo", "fifo", "fifo", "fifo", "priority"]);
        let holds = match capacity {
            "1" | "2" | "unlimited" if memory.is_empty() && dice.chance(15) => ", holds: [x]",
            _ => "",
        };
        let _ = writeln!(
            out,
            "  {name}: {{capacity: {capacity}, receiver: {receiver}, order: {order}{holds}}}"
        );
    }
    let mut ports = String::new();
    let replicas = 2 + dice.below(2);
    let own = dice.pick(&["none", "1", "2"]);
    let _ = writeln!(out, "  own: {{replicas: {replicas}, capacity: {own}}}\nprocesses:");
    let others = 1 + dice.below(2);
    if port {
        let who = if others == 2 { "P, Q, R" } else { "P, R" };
        let capacity = dice.pick(&["1", "2", "1", "0"]);
        let _ =
            writeln!(ports, "ports: {{a: {{receive: P, send: [{who}], capacity: {capacity}}}}}");
    }
    for name in ["P", "Q"].into_iter().take(usize::try_from(others).expect("a small number")) {
        process(&mut dice, &mut out, name, None, others);
    }
    process(&mut dice, &mut out, "R", Some(replicas), others);
    out + &ports
}

/// Kernel memory that may run out, in some scenarios.
fn memory(dice: &mut Dice) -> String {
    if !dice.chance(35) {
        return String::new();
    }
    let full = dice.pick(&["wait", "wait", "wait", "fail"]);
    let overhead = if dice.chance(20) { ", message-overhead: 1B" } else { "" };
    format!(", memory: {}B, memory-full: {full}{overhead}", 1 + dice.below(4))
}

/// Clients and servers that meet, and never give up: the servers listen to all clients, to some, or to the
/// one who was there last.
fn patient(dice: &mut Dice) -> String {
    let buffering = dice.pick(&["none", "none", "1"]);
    let mut out =
        format!("kernel: {{buffering: {buffering}}}\nmailboxes: {{a: {{}}}}\nprocesses:\n");
    let (servers, clients) = (1 + dice.below(2), 2 + dice.below(2));
    for server in 1..=servers {
        let daemon = dice.chance(60);
        let mut steps = vec!["{receive: m, from: [C]}"];
        for _ in 0..dice.below(3) {
            steps.push(dice.pick(&[
                "{receive: m, from: [C]}",
                "{receive: m, from: [C, a]}",
                "{receive: m, from: [S1, C]}",
                "{receive: m, from: a}",
                "{receive: m, from: anyone}",
                "{receive: m, from: 'C[1]'}",
                "{receive: m, from: '${m.sender}'}",
                "{receive: m, from: '${m.sender}', when: {dead: []}}",
                "{send: y, to: '${m.sender}', when: {dead: []}}",
            ]));
        }
        let mut steps = steps.join(", ");
        if dice.chance(40) {
            steps = format!("{{forever: [{steps}]}}");
        }
        let _ = writeln!(out, "  S{server}: {{daemon: {daemon}, do: [{steps}]}}");
    }
    let mut steps = Vec::new();
    for _ in 0..2 + dice.below(2) {
        let to = dice.pick(&["S1", "S1", "S1", "S1", "a", "C[1]"]);
        let to = if servers == 2 && dice.chance(40) { "S2" } else { to };
        let dead = if dice.chance(30) { ", when: {dead: []}" } else { "" };
        steps.push(match dice.below(8) {
            0..=4 => format!("{{send: x, to: '{to}'{dead}}}"),
            5 => format!("{{receive: m, from: '{to}'{dead}}}"),
            6 => "{if: index == 1, then: [{send: x, to: S1}]}".to_string(),
            _ => "{yield: }".to_string(),
        });
    }
    let _ = writeln!(out, "  C: {{replicas: {clients}, do: [{}]}}", steps.join(", "));
    out
}

/// What a server does with numbers.
const SERVER: [&str; 10] = [
    "{if: m != none, then: [{send: '${m.body}', to: 'own[m.body]'}]}",
    "{if: m != none, then: [{send: '${m.body}', to: 'own[m.body]'}]}",
    "{if: m != none, then: [{send: '${m.body}', to: b}]}",
    "{if: m != none, then: [{set: {k: '${m.body}'}}]}",
    "{if: k != none, then: [{send: '${k}', to: 'own[k]', wait: 1us, when: {timed-out: []}}]}",
    "{if: m != none and k != none, then: [{if: m.body == k, then: [{yield: }]}]}",
    "{if: m != none and k != none, then: [{if: m.body == k, then: [{receive: m, from: b}]}]}",
    "{receive: m, from: a}",
    "{receive: m, from: [a, b]}",
    "{receive: m, from: b, wait: never, when: {would-block: []}}",
];

/// Replicas whose numbers travel in messages, and come back as addresses.
fn numbered(dice: &mut Dice) -> String {
    let mut out = String::from("mailboxes:\n");
    for name in ["a", "b"] {
        let capacity = dice.pick(&["none", "1", "2"]);
        let holds = if capacity != "none" && dice.chance(10) { ", holds: [1]" } else { "" };
        let _ = writeln!(out, "  {name}: {{capacity: {capacity}{holds}}}");
    }
    let replicas = 2 + dice.below(2);
    let own = dice.pick(&["none", "1", "2"]);
    let _ = writeln!(out, "  own: {{replicas: {replicas}, capacity: {own}}}\nprocesses:");
    let servers = 1 + dice.below(2);
    for server in 1..=servers {
        let mut steps = vec!["{set: {m: none, k: none}}", "{receive: m, from: a}"];
        for _ in 0..=dice.below(3) {
            steps.push(dice.pick(&SERVER));
        }
        let mut steps = steps.join(", ");
        if dice.chance(50) {
            steps = format!("{{forever: [{steps}]}}");
        }
        let daemon = dice.chance(60);
        let _ = writeln!(out, "  S{server}: {{daemon: {daemon}, do: [{steps}]}}");
    }
    let mut steps = vec!["{set: {m: none}}"];
    for _ in 0..2 + dice.below(2) {
        steps.push(if dice.chance(5) {
            dice.pick(&[
                "{if: index < 2, then: [{send: '${index}', to: a}]}",
                "{if: index == 1, then: [{send: '${index}', to: a}]}",
                "{send: 1, to: a}",
                "{send: '${index}', to: 'own[index % 2 + 1]'}",
                "{send: '${index}', to: a, type: '${index}'}",
                "{send: '${[index]}', to: b}",
                "{if: m != none, then: [{send: x, to: 'R[1]'}]}",
            ])
        } else {
            dice.pick(&[
                "{send: '${index}', to: a}",
                "{send: '${index}', to: a}",
                "{send: '${index}', to: b, wait: 1us, when: {timed-out: []}}",
                "{send: '${index}', to: a, wait: never, when: {would-block: []}}",
                "{receive: m, from: 'own[index]'}",
                "{receive: m, from: 'own[index]', wait: 1us, when: {timed-out: []}}",
                "{receive: m, from: b}",
                "{if: m != none, then: [{if: m.body == index, then: [{send: '${m.body}', to: b}]}]}",
                "{if: m != none, then: [{if: m.body != index, then: [{send: '${index}', to: 'own[m.body]'}]}]}",
            ])
        });
    }
    let _ = writeln!(out, "  R: {{replicas: {replicas}, do: [{}]}}", steps.join(", "));
    out
}

/// Replicas that know their neighbours, and whoever else is there.
fn ring(dice: &mut Dice) -> String {
    let memory = if dice.chance(30) { memory(dice) } else { String::new() };
    let buffering = dice.pick(&["none", "1"]);
    let mut out = format!("kernel: {{buffering: {buffering}{memory}}}\nmailboxes:\n  a: {{}}\n");
    let replicas = 2 + dice.below(3);
    let own = dice.pick(&["none", "1", "2"]);
    let holds =
        if own != "none" && memory.is_empty() && dice.chance(30) { ", holds: [x]" } else { "" };
    let _ = writeln!(out, "  own: {{replicas: {replicas}, capacity: {own}{holds}}}\nprocesses:");
    if dice.chance(40) {
        let steps = dice.pick(&[
            "{receive: m, from: a}",
            "{receive: m, from: anyone}",
            "{forever: [{receive: m, from: a}]}",
            "{receive: m, from: a}, {send: x, to: '${m.sender}', when: {dead: []}}",
            "{receive: m, from: [R]}",
            "{send: x, to: 'own[1]'}",
        ]);
        let daemon = dice.chance(60);
        let _ = writeln!(out, "  P: {{daemon: {daemon}, do: [{steps}]}}");
    }
    let next = format!("index % {replicas} + 1");
    let last = format!("(index + {replicas} - 2) % {replicas} + 1");
    let mut steps = vec!["{set: {m: none}}".to_string()];
    for _ in 0..2 + dice.below(2) {
        let whom = dice.pick(&["index", "index", &next, &next, &last]);
        let family = dice.pick(&["own", "own", "own", "R"]);
        let wait = dice.pick(&[
            "",
            "",
            ", when: {dead: []}",
            ", wait: 1us, when: {timed-out: []}",
            ", wait: never, when: {would-block: []}",
        ]);
        steps.push(match dice.below(12) {
            0..=4 => format!("{{send: x, to: '{family}[{whom}]'{wait}}}"),
            5..=8 => format!("{{receive: m, from: '{family}[{whom}]'{wait}}}"),
            9 => format!("{{receive: m, from: [a, 'own[{whom}]']{wait}}}"),
            10 => "{send: x, to: a, wait: 1us, when: {timed-out: []}}".to_string(),
            _ => dice
                .pick(&[
                    "{receive: m, from: anyone}",
                    "{yield: }",
                    "{if: index == 1, then: [{receive: m, from: a}]}",
                ])
                .to_string(),
        });
    }
    let mut steps = steps.join(", ");
    if dice.chance(30) {
        steps = format!("{{forever: [{steps}]}}");
    }
    let _ = writeln!(out, "  R: {{replicas: {replicas}, do: [{steps}]}}");
    out
}

fn process(dice: &mut Dice, out: &mut String, name: &str, replicas: Option<u64>, others: u64) {
    let _ = writeln!(out, "  {name}:");
    if dice.chance(20) {
        out.push_str("    daemon: true\n");
    }
    if let Some(replicas) = replicas {
        let _ = writeln!(out, "    replicas: {replicas}");
    }
    if dice.chance(10) {
        out.push_str("    start: 1us\n");
    }
    if replicas.is_none() && dice.chance(15) {
        out.push_str("    threads:\n");
        for thread in ["t", "u"] {
            let _ = writeln!(out, "      {thread}:\n        - set: {{m: none}}");
            if thread == "u" && dice.chance(25) {
                out.push_str("        - join: t\n");
            }
            for _ in 0..=dice.below(2) {
                let _ = writeln!(out, "        - {}", step(dice, false, others));
            }
        }
        return;
    }
    out.push_str("    do:\n      - set: {m: none}\n");
    let steps = if replicas.is_some() { 2 + dice.below(2) } else { 2 + dice.below(4) };
    for _ in 0..steps {
        let _ = writeln!(out, "      - {}", step(dice, replicas.is_some(), others));
    }
}

fn step(dice: &mut Dice, is_replica: bool, others: u64) -> String {
    let wait = match dice.below(14) {
        3 => ", when: {dead: []}",
        4 => ", when: {dead: [{receive: m, from: b}]}",
        0 => ", wait: never, when: {would-block: []}",
        1 => ", wait: 2us, when: {timed-out: []}",
        2 => ", wait: 2us",
        _ => "",
    };
    let process = if others == 2 { dice.pick(&["P", "Q"]) } else { "P" };
    let to = match (dice.below(10), is_replica) {
        (0, _) => process,
        (1, _) => "R[1]",
        (2..=3, true) => "own[index]",
        (2, false) => "own[1]",
        (3, false) => "own[2]",
        (4..=6, _) => "b",
        _ => "a",
    };
    let reply_to = match (dice.below(3), is_replica) {
        (0, true) => ", reply-to: 'own[index]'",
        (1, _) => ", reply-to: me",
        _ => "",
    };
    match dice.below(13) {
        0..=3 => {
            let body = if dice.chance(4) { "xy" } else { "x" };
            format!("{{send: {body}, to: '{to}'{reply_to}{wait}}}")
        }
        4..=6 => format!("{{receive: m, from: '{to}'{wait}}}"),
        7 => format!("{{receive: m, from: anyone{wait}}}"),
        8 => format!("{{call: x, to: '{to}', into: m{wait}}}"),
        9 => "{if: m != none, then: [{reply: y, to: m, when: {dead: []}}]}".to_string(),
        10 => {
            "{if: m != none, then: [{if: m.reply-to != none, then: [{send: y, to: '${m.reply-to}'}]}]}"
                .to_string()
        }
        11 if dice.chance(15) => format!("{{kill: {process}}}"),
        11 => dice.pick(&["{sleep: 1us}", "{yield: }", "{log: '${index}'}", "{exit: 0}"]).to_string(),
        _ => dice
            .pick(&[
                "{choose: [[{send: x, to: a}], [{receive: m, from: b}]]}",
                "{if: index == 1, then: [{send: x, to: a}]}",
                "{assert: m != none}",
                "{receive: m, from: [a, b]}",
            ])
            .to_string(),
    }
}
