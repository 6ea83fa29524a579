//! Random scenarios: small programs that use every verb and come to every outcome.
//!
//! A scenario is made from a seed and a size. It has no errors by construction; it may well deadlock,
//! fail or run for ever.

mod memory;
mod ports;

use std::fmt::Write;

/// What `wake` can be.
pub const WAKES: [&str; 4] = [
    "hand-over",
    "look-again",
    "{senders: look-again, receivers: hand-over}",
    "{senders: hand-over, receivers: look-again}",
];

/// A generator that is small and the same everywhere (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[usize::try_from(self.below(items.len() as u64)).expect("a small number")]
    }
}

/// A scenario with this seed; `size` is about the number of steps of each process.
pub fn scenario(seed: u64, size: u64) -> String {
    let mut dice = Dice(seed);
    let mut out = String::new();
    let has_memory = seed % 5 == 4;
    kernel(&mut dice, &mut out, has_memory);
    let capacity =
        |dice: &mut Dice| dice.pick(&["none", "none", "1", "2", "20B", "undefined", "unlimited"]);
    let _ = writeln!(out, "mailboxes:");
    for name in ["box1", "box2"] {
        let order = dice.pick(&["fifo", "fifo", "priority"]);
        let receiver = dice.pick(&["fifo", "lifo", "priority", "arbitrary"]);
        let max = dice.pick(&["", "", ", max-size: 12B"]);
        let capacity = capacity(&mut dice);
        let _ = writeln!(
            out,
            "  {name}: {{capacity: {capacity}, order: {order}, receiver: {receiver}{max}}}"
        );
    }
    let capacity = capacity(&mut dice);
    let _ =
        writeln!(out, "  filed: {{capacity: {capacity}}}\n  many: {{replicas: 2, capacity: 1}}");
    let _ = writeln!(out, "files:\n  /srv/filed: {{mailbox: filed, owner: terry, mode: \"0620\"}}");
    let processes = 2 + dice.below(3);
    let has_ports = seed % 3 == 2;
    let servers: &[&str] = if seed % 9 == 8 { &["root", "leaf"] } else { &[] };
    if has_ports {
        ports::declare(&mut dice, &mut out);
    }
    if !servers.is_empty() {
        let _ =
            writeln!(out, "names: {{root: {{entries: {{a name: p1}}}}, leaf: {{parent: root}}}}");
    }
    if has_memory {
        memory::programs(&mut out);
    }
    let _ = writeln!(out, "processes:");
    for number in 1..=processes {
        process(&mut dice, &mut out, number, processes, (size, has_ports, has_memory, servers));
    }
    out
}

fn kernel(dice: &mut Dice, out: &mut String, has_memory: bool) {
    let _ = writeln!(out, "kernel:");
    let _ = writeln!(out, "  seed: {}", dice.below(1000));
    let mut option = |out: &mut String, key: &str, values: &[&str]| {
        if dice.chance(40) {
            let _ = writeln!(out, "  {key}: {}", dice.pick(values));
        }
    };
    option(out, "cpus", &["1", "2", "3"]);
    option(out, "scheduler", &["fifo", "round-robin", "priority", "random"]);
    option(out, "quantum", &["1us", "3us"]);
    option(out, "buffering", &["none", "1", "3", "30B", "undefined", "unlimited"]);
    option(out, "memory", &["24B", "40B", "100B"]);
    option(out, "message-overhead", &["4B", "8B"]);
    option(out, "memory-full", &["wait", "fail"]);
    option(out, "receiver", &["fifo", "lifo", "priority", "arbitrary"]);
    option(out, "sender", &["fifo", "priority", "arbitrary"]);
    option(out, "wake", &WAKES);
    option(out, "too-large", &["keep", "destroy"]);
    option(out, "hand-over", &["at-once", "if-room"]);
    option(out, "byte-order", &["fifo", "fits"]);
    option(out, "eager-limit", &["4B", "8B", "9B"]);
    option(out, "dying-port", &["dead", "ok"]);
    option(out, "set-order", &["merged", "round-robin", "arbitrary"]);
    if has_memory {
        option(out, "fork", &["one-thread", "refuse", "all-threads"]);
        option(out, "fork-image", &["copy-on-write", "copy"]);
        option(out, "exec", &memory::EXECS);
        option(out, "pipe-buf", &["2B", "4B"]);
        option(out, "descriptors-on-exec", &["keep", "close"]);
        option(out, "in-flight-cycles", &["collect", "leak"]);
    }
    if dice.chance(15) {
        let _ = writeln!(out, "  detect: {}", dice.pick(&["refuse", "refuse-chain"]));
    }
}

fn process(
    dice: &mut Dice,
    out: &mut String,
    number: u64,
    processes: u64,
    (size, has_ports, has_memory, servers): (u64, bool, bool, &[&str]),
) {
    let _ = writeln!(out, "  P{number}:");
    if dice.chance(20) {
        let _ = writeln!(out, "    daemon: true");
    }
    if dice.chance(30) {
        let _ = writeln!(out, "    priority: {}", dice.below(4));
    }
    if dice.chance(20) {
        let _ = writeln!(out, "    start: {}us", dice.below(20));
    }
    if has_ports {
        ports::control(dice, out);
    }
    if !servers.is_empty() {
        let _ = writeln!(out, "    names: {}", dice.pick(servers));
    }
    let _ = writeln!(out, "    user: {}", dice.pick(&["terry", "other"]));
    let _ = writeln!(out, "    do:\n      - set: {{n: 0, h: me, m: none, list: '[box1, box2]'}}");
    if has_memory {
        memory::begin(dice, out);
    }
    let child = has_ports.then_some(number);
    let fork = has_memory.then_some(number);
    let mut writer = Steps { dice, out, processes, threads: 0, has_ports, has_memory, child, fork };
    for _ in 0..=size {
        writer.step(6, 0);
    }
}

struct Steps<'a> {
    dice: &'a mut Dice,
    out: &'a mut String,
    processes: u64,
    threads: u64,
    has_ports: bool,
    has_memory: bool,
    /// The number of the process, as long as it has made no other.
    child: Option<u64>,
    /// The same, as long as it has not forked.
    fork: Option<u64>,
}

impl Steps<'_> {
    fn line(&mut self, indent: usize, text: &str) {
        let _ = writeln!(self.out, "{:indent$}{text}", "");
    }

    fn peer(&mut self) -> String {
        let other = 1 + self.dice.below(self.processes);
        format!("P{other}")
    }

    fn destination(&mut self) -> String {
        if self.has_ports && self.dice.chance(50) {
            return self.port();
        }
        match self.dice.below(10) {
            0..=4 => self.peer(),
            5..=7 => self.dice.pick(&["box1", "box2"]).to_string(),
            8 => format!("\"many[{}]\"", 1 + self.dice.below(2)),
            _ => "h".to_string(),
        }
    }

    fn source(&mut self) -> String {
        if self.has_ports && self.dice.chance(50) {
            return self
                .dice
                .pick(&["p1", "p2", "set", "h", "[p1, p2]", "[set, box1]"])
                .to_string();
        }
        match self.dice.below(12) {
            0..=4 => self.peer(),
            5..=7 => self.dice.pick(&["box1", "box2"]).to_string(),
            8 => "anyone".to_string(),
            9 => format!("[box1, {}]", self.peer()),
            10 => "many".to_string(),
            _ => "h".to_string(),
        }
    }

    fn body(&mut self) -> String {
        if self.has_ports && self.dice.chance(20) {
            return self.dice.pick(&["resume", "suspend", "interrupt", "kill"]).into();
        }
        match self.dice.below(5) {
            0 => "hello".into(),
            1 => "${n}".into(),
            2 => "\"item ${n} of ${me}\"".into(),
            3 => "[1, two]".into(),
            _ => format!("{}", self.dice.below(100)),
        }
    }

    fn wait(&mut self, indent: usize) {
        match self.dice.below(10) {
            0 | 1 => self.line(indent, "wait: never"),
            2 | 3 => {
                let us = 1 + self.dice.below(9);
                self.line(indent, &format!("wait: {us}us"));
            }
            4 => self.line(indent, "wait: 1us..9us"),
            _ => {}
        }
    }

    /// Handlers for most outcomes, so that most processes survive most calls.
    fn handlers(&mut self, indent: usize) {
        if self.dice.chance(8) {
            return;
        }
        self.line(indent, "when:");
        for outcome in [
            "would-block",
            "timed-out",
            "too-large",
            "no-memory",
            "no-such-name",
            "dead",
            "no-right",
            "refused",
            "deadlock",
            "interrupted",
        ] {
            let text = format!("{outcome}: [{{log: \"{outcome}\"}}]");
            self.line(indent + 2, &text);
        }
    }

    fn step(&mut self, indent: usize, depth: u64) {
        let inner = indent + 2;
        if self.has_ports && self.dice.chance(20) {
            return self.ports(indent);
        }
        if self.has_memory && self.dice.chance(25) {
            return self.memory(indent, depth);
        }
        match self.dice.below(if depth > 1 { 40 } else { 56 }) {
            0..=12 => self.send(indent),
            13..=24 => self.receive(indent),
            25 | 26 => self.call(indent),
            27 | 28 => {
                let body = self.body();
                self.line(indent, &format!("- reply: {body}"));
                self.line(inner, "to: m");
                self.rights(inner);
                self.handlers(inner);
            }
            29 => {
                let among = self.dice.pick(&["[box1, box2]", "[box2, P1]", "many"]);
                self.line(indent, "- select: list");
                self.line(inner, &format!("among: {among}"));
                self.wait(inner);
                self.handlers(inner);
            }
            30 => {
                let verb = self.dice.pick(&[
                    "sleep: 3us",
                    "sleep: 1us..5us",
                    "compute: 2us",
                    "compute: 1us..4us",
                    "yield:",
                ]);
                self.line(indent, &format!("- {verb}"));
            }
            31 => self.line(indent, "- set: {n: n + 1}"),
            32 => self.naming(indent),
            33 => self.line(indent, "- log: \"n is ${n}, ${status}, ${m}\""),
            34 => self.objects(indent),
            35 => self.file(indent),
            36 => {
                if self.dice.chance(20) {
                    let peer = self.peer();
                    self.line(indent, &format!("- kill: {peer}"));
                }
            }
            37 => {
                if self.dice.chance(20) {
                    let verb =
                        self.dice.pick(&["exit: 0", "exit: 3", "assert: n < 3", "set: {n: 1 / n}"]);
                    self.line(indent, &format!("- {verb}"));
                }
            }
            38 | 39 => self.line(indent, "- set: {h: box1}"),
            _ => self.control(indent, depth),
        }
    }

    fn send(&mut self, indent: usize) {
        let (body, to) = (self.body(), self.destination());
        self.line(indent, &format!("- send: {body}"));
        let inner = indent + 2;
        self.line(inner, &format!("to: {to}"));
        if self.dice.chance(20) {
            let size = self.dice.pick(&["4B", "16B", "64B"]);
            self.line(inner, &format!("size: {size}"));
        }
        if self.dice.chance(20) {
            let kind = self.dice.pick(&["red", "blue"]);
            self.line(inner, &format!("type: {kind}"));
        }
        if self.dice.chance(20) {
            let priority = self.dice.below(4);
            self.line(inner, &format!("priority: {priority}"));
        }
        if self.dice.chance(10) {
            self.line(inner, "reply-to: box2");
        } else if self.has_ports && self.dice.chance(30) {
            let port = self.port();
            self.line(inner, &format!("reply-to: {port}"));
        }
        self.rights(inner);
        if self.has_ports && self.dice.chance(20) {
            let port = self.port();
            self.line(inner, &format!("hold-one: {port}"));
        }
        self.wait(inner);
        self.handlers(inner);
    }

    fn receive(&mut self, indent: usize) {
        let from = self.source();
        self.line(indent, "- receive: m");
        let inner = indent + 2;
        self.line(inner, &format!("from: {from}"));
        if self.dice.chance(10) {
            let kind = self.dice.pick(&["red", "blue", "[red, blue]"]);
            self.line(inner, &format!("type: {kind}"));
        }
        if self.dice.chance(10) {
            self.line(inner, "max-size: 8B");
        }
        self.wait(inner);
        self.handlers(inner);
    }

    fn call(&mut self, indent: usize) {
        let (body, to) = (self.body(), self.destination());
        self.line(indent, &format!("- call: {body}"));
        self.line(indent + 2, &format!("to: {to}"));
        self.line(indent + 2, "into: m");
        self.wait(indent + 2);
        self.handlers(indent + 2);
    }

    fn naming(&mut self, indent: usize) {
        let inner = indent + 2;
        match self.dice.below(3) {
            0 => {
                let object = self.dice.pick(&["box1", "me", "h"]);
                self.line(indent, &format!("- register: {object}"));
                self.line(inner, "as: a name");
            }
            1 => self.line(indent, "- unregister: a name"),
            _ => {
                self.line(indent, "- lookup: a name");
                self.line(inner, "into: h");
                if self.dice.chance(60) {
                    let wait = self.dice.pick(&["4us", "4us", "forever"]);
                    self.line(inner, &format!("wait: {wait}"));
                }
            }
        }
        self.handlers(inner);
    }

    fn objects(&mut self, indent: usize) {
        if self.dice.chance(60) {
            self.line(indent, "- create: h");
            self.line(indent + 2, "kind: mailbox");
            self.line(indent + 2, "capacity: 2");
        } else {
            let object = self.dice.pick(&["h", "box2"]);
            self.line(indent, &format!("- destroy: {object}"));
            self.handlers(indent + 2);
        }
    }

    fn file(&mut self, indent: usize) {
        let mode = self.dice.pick(&["read", "write"]);
        self.line(indent, "- open: /srv/filed");
        self.line(indent + 2, "into: h");
        self.line(indent + 2, &format!("mode: {mode}"));
        self.handlers(indent + 2);
    }

    fn control(&mut self, indent: usize, depth: u64) {
        let inner = indent + 4;
        match self.dice.below(8) {
            0 => {
                let rounds = 1 + self.dice.below(3);
                self.line(indent, &format!("- repeat: {rounds}"));
                self.line(indent + 2, "do:");
                self.step(inner, depth + 1);
                self.line(inner, "- yield:");
            }
            1 => {
                self.line(indent, "- forever:");
                self.step(inner, depth + 1);
                self.line(inner, "- yield:");
                self.line(inner, "- if: n > 2");
                self.line(inner + 2, "then: [{break: }]");
                self.line(inner, "- set: {n: n + 1}");
            }
            2 => {
                self.line(indent, "- while: n < 2");
                self.line(indent + 2, "do:");
                self.step(inner, depth + 1);
                self.line(inner, "- set: {n: n + 1}");
            }
            3 => {
                self.line(indent, "- for: n");
                self.line(indent + 2, "in: '[1, 2]'");
                self.line(indent + 2, "do:");
                self.step(inner, depth + 1);
                self.line(inner, "- log: \"${n}\"");
            }
            4 => {
                self.line(indent, "- if: n % 2 == 0");
                self.line(indent + 2, "then:");
                self.step(inner, depth + 1);
                self.line(inner, "- yield:");
                self.line(indent + 2, "else:");
                self.step(inner, depth + 1);
                self.line(inner, "- yield:");
            }
            5 => {
                self.line(indent, "- choose:");
                self.line(indent + 4, "- - yield:");
                self.line(indent + 4, "- - set: {n: n + 1}");
                self.line(indent + 6, "- log: chosen");
            }
            6 => self.line(indent, "- set: {n: 'random(0, 3)'}"),
            _ => self.thread(indent, depth),
        }
    }

    fn thread(&mut self, indent: usize, depth: u64) {
        let inner = indent + 4;
        self.threads += 1;
        let name = format!("t{}", self.threads);
        self.line(indent, &format!("- thread: {name}"));
        self.line(indent + 2, "do:");
        self.step(inner, depth + 1);
        self.line(inner, "- log: thread");
        if self.dice.chance(60) {
            self.line(indent, &format!("- join: {name}"));
            self.wait(indent + 2);
            self.handlers(indent + 2);
        }
    }
}
