//! Regions of memory in random scenarios: `r` is the region that a process has at most, as far as it knows.

use std::fmt::Write;

use super::{Dice, Steps};

/// Most processes begin with a region.
pub fn begin(dice: &mut Dice, out: &mut String) {
    let _ = writeln!(out, "      - set: {{r: none, x: none, rd: none, wr: none}}");
    if dice.chance(50) {
        let kind = dice.pick(&[
            "pipe, capacity: 4B",
            "pipe, capacity: 6B, close-on-exec: true",
            "pipe",
            "channel, capacity: 1",
            "channel",
        ]);
        let _ = writeln!(out, "      - {{create: rd, kind: {kind}, write-end: wr}}");
    }
    if dice.chance(70) {
        let _ = writeln!(out, "      - allocate: r\n        size: 10KiB\n        value: new");
    }
}

/// What `exec` can do about other threads.
pub const EXECS: [&str; 5] =
    ["kill-threads", "refuse", "wait-for-threads", "keep-threads", "kill-then-load"];

/// The program that processes go on with.
pub fn programs(out: &mut String) {
    out.push_str(
        "programs:\n  image:\n    with: {n: 0, h: none}\n    do:\n      \
         - {receive: other, from: [box1, box2], wait: never, when: {would-block: [], too-large: [], \
         no-memory: [], dead: []}}\n      \
         - {send: '${n}', to: box1, wait: 2us, when: {timed-out: [], too-large: [], no-memory: [], \
         deadlock: [], interrupted: []}}\n      \
         - {if: h != none, then: [{send: last, to: '${h}', wait: never, when: {would-block: [], \
         too-large: [], no-memory: [], dead: []}}]}\n",
    );
}

impl Steps<'_> {
    pub(super) fn memory(&mut self, indent: usize, depth: u64) {
        match self.dice.below(10) {
            0 | 1 => return self.images(indent, depth),
            2..=4 => return self.ends(indent),
            _ => {}
        }
        let page = self.dice.pick(&["", "", ", page: 0", ", page: 1", ", page: '${n}'"]);
        let pages = self.dice.pick(&["", ", pages: 2", ", page: 1", ", page: '${n}'"]);
        let value = self.dice.pick(&["0", "1", "old", "'${n}'"]);
        let how = self.dice.pick(&["copy", "move", "copy-on-write", "share", "share"]);
        let to = self.destination();
        let wait = self.dice.pick(&["", "", ", wait: never", ", wait: 3us"]);
        let when = "when: {would-block: [], timed-out: [], too-large: [], no-memory: [], dead: [], \
                    no-right: [], refused: [], deadlock: [], interrupted: []}";
        let when_locking = "when: {would-block: [], timed-out: [], dead: [], deadlock: [], \
                            interrupted: []}";
        let step = match self.dice.below(16) {
            0 => "{allocate: r, size: 5KiB, when: {no-memory: []}}".to_string(),
            1 => "{free: r}".to_string(),
            2 => "{free: r}, {set: {r: none}}".to_string(),
            3 | 4 => format!("{{write: r, value: {value}{pages}}}"),
            5 | 6 => format!("{{read: r, into: x{page}}}"),
            7 => "{if: m != none, then: [{if: m.memory != none, then: [{set: {r: m.memory}}]}]}"
                .into(),
            8 => format!("{{reply: x, to: m, memory: {{region: r, transfer: {how}}}, {when}}}"),
            9 | 10 => format!("{{lock: r{page}{wait}, {when_locking}}}"),
            11 => format!("{{unlock: r{page}, when: {{refused: []}}}}"),
            _ => format!(
                "{{send: x, to: {to}, memory: {{region: r, transfer: {how}}}{wait}, {when}}}"
            ),
        };
        // Sometimes it does so without a region.
        let condition = if self.dice.chance(90) { "r != none" } else { "true" };
        self.line(indent, &format!("- {{if: {condition}, then: [{step}]}}"));
    }

    /// What becomes of whole processes.
    fn images(&mut self, indent: usize, depth: u64) {
        if self.dice.chance(30) {
            let program = self.dice.pick(&["image", "image", "missing"]);
            let with = if program == "image" { ", with: {n: '${n}', h: me}" } else { "" };
            // What is not handled is an exception, and somebody may resume the thread.
            let handled = self.dice.pick(&[
                ", when: {no-such-name: [], refused: [], deadlock: [], interrupted: []}",
                ", when: {no-such-name: [], refused: [], deadlock: [], interrupted: []}",
                ", when: {no-such-name: []}",
            ]);
            return self.line(indent, &format!("- {{exec: {program}{with}{handled}}}"));
        }
        let Some(number) = self.fork.take() else { return self.line(indent, "- yield:") };
        self.line(indent, &format!("- fork: F{number}"));
        self.line(indent + 2, "when: {refused: [], no-right: []}");
        if self.dice.chance(30) {
            self.line(indent + 2, "into: h");
        }
        if self.dice.chance(70) {
            self.line(indent + 2, "do:");
            self.step(indent + 4, depth + 1);
            self.step(indent + 4, depth + 1);
        } else {
            self.line(indent + 2, "replicas: 2");
        }
    }

    /// What becomes of pipes and channels.
    fn ends(&mut self, indent: usize) {
        let end = self.dice.pick(&["rd", "wr"]);
        let wait = self.dice.pick(&["", "", ", wait: never", ", wait: 3us"]);
        let when = "when: {would-block: [], timed-out: [], dead: [], no-right: [], refused: [], \
                    no-memory: [], too-large: [], deadlock: [], interrupted: []}";
        let to = self.destination();
        let body = self.dice.pick(&["ab", "abcd", "'${n}'"]);
        let step = match self.dice.below(12) {
            0..=2 => format!("{{send: {body}, to: '${{wr}}'{wait}, {when}}}"),
            3 => format!("{{send: {body}, to: '${{wr}}', into: n{wait}, {when}}}"),
            4..=6 => {
                let most = self.dice.pick(&["", ", max-size: 3B"]);
                format!("{{receive: m, from: '${{rd}}'{most}{wait}, {when}}}")
            }
            7 => format!("{{close: '${{{end}}}', when: {{no-right: [], refused: []}}}}"),
            8 => format!(
                "{{duplicate: '${{{end}}}', into: wr, when: {{no-right: [], refused: []}}}}"
            ),
            9 => format!(
                "{{send: x, to: {to}, rights: [{{port: '${{{end}}}', as: file}}]{wait}, {when}}}"
            ),
            10 => format!(
                "{{if: m != none, then: [{{if: len(m.rights) > 0, then: [{{set: {{{end}: 'm.rights[0]'}}}}]}}]}}"
            ),
            _ => format!("{{select: list, among: ['${{rd}}', box1]{wait}, {when}}}"),
        };
        let condition = if self.dice.chance(90) { format!("{end} != none") } else { "true".into() };
        self.line(indent, &format!("- {{if: {condition}, then: [{step}]}}"));
    }
}
