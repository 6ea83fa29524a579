//! Regions of memory in random scenarios: `r` is the region that a process has at most, as far as it knows.

use std::fmt::Write;

use super::{Dice, Steps};

/// Most processes begin with a region.
pub fn begin(dice: &mut Dice, out: &mut String) {
    let _ = writeln!(out, "      - set: {{r: none, x: none}}");
    if dice.chance(70) {
        let _ = writeln!(out, "      - allocate: r\n        size: 10KiB\n        value: new");
    }
}

impl Steps<'_> {
    pub(super) fn memory(&mut self, indent: usize) {
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
}
