//! Ports, rights and port sets of random scenarios.

use std::fmt::Write;

use super::{Dice, Steps};

/// Two ports, of the first two processes.
pub(super) fn declare(dice: &mut Dice, out: &mut String) {
    let _ = writeln!(out, "ports:");
    for (own, other) in [(1, 2), (2, 1)] {
        let backup = if dice.chance(30) { format!(", backup: P{other}") } else { String::new() };
        let send = dice.pick(&["", ", send: [P1]", ", send: [P2]", ", send: [P1, P2]"]);
        let capacity = dice.pick(&["", ", capacity: 0", ", capacity: 1", ", capacity: 2"]);
        let _ = writeln!(out, "  p{own}: {{receive: P{own}{backup}{send}{capacity}}}");
    }
    let members = dice.pick(&["", ", members: [p1]"]);
    let _ = writeln!(out, "port-sets:\n  set: {{of: P1{members}}}");
}

/// How a process is controlled.
pub(super) fn control(dice: &mut Dice, out: &mut String) {
    if dice.chance(30) {
        let _ = writeln!(out, "    exception-port: {}", dice.pick(&["p1", "p2"]));
    }
    if dice.chance(20) {
        out.push_str("    protected: true\n");
    }
}

impl Steps<'_> {
    pub(super) fn port(&mut self) -> String {
        if self.dice.chance(15) {
            let of = self.dice.pick(&["task-of", "task-of", "thread-of"]);
            return format!("'${{{of}({})}}'", self.peer());
        }
        self.dice.pick(&["p1", "p1", "p2", "p2", "h"]).into()
    }

    pub(super) fn rights(&mut self, indent: usize) {
        if !self.has_ports || self.dice.chance(50) {
            return;
        }
        let mut grants = Vec::new();
        for _ in 0..=self.dice.below(2) {
            const AS: [&str; 6] = [
                "move-receive",
                "move-send",
                "copy-send",
                "make-send",
                "make-send-once",
                "move-send-once",
            ];
            let (port, disposition) = (self.port(), self.dice.pick(&AS));
            grants.push(format!("{{port: {port}, as: {disposition}}}"));
        }
        self.line(indent, &format!("rights: [{}]", grants.join(", ")));
    }

    /// What else is done with ports.
    pub(super) fn ports(&mut self, indent: usize) {
        let port = self.port();
        match self.dice.below(19) {
            11..=16 => return self.others(indent),
            8 => {
                self.line(indent, "- create: h");
                self.line(indent + 2, "kind: port-set");
            }
            9 => {
                self.line(indent, &format!("- insert: {port}"));
                let set = self.dice.pick(&["set", "set", "h"]);
                self.line(indent + 2, &format!("into: {set}"));
            }
            10 => {
                self.line(indent, &format!("- remove: {port}"));
                self.line(indent + 2, "out-of: set");
            }
            6 | 7 => {
                let until = self.dice.pick(&["no-senders", "dead-name", "port-destroyed"]);
                let notify = self.port();
                self.line(indent, &format!("- watch: {port}"));
                self.line(indent + 2, &format!("until: {until}"));
                self.line(indent + 2, &format!("notify: {notify}"));
            }
            0 => {
                self.line(indent, "- create: h");
                self.line(indent + 2, "kind: port");
                self.line(indent + 2, "capacity: 1");
            }
            1 => self.line(indent, &format!("- destroy: {port}")),
            2 => self.line(indent, &format!("- drop: {port}")),
            3 => {
                self.line(indent, &format!("- limit: {port}"));
                let limit = self.dice.below(4);
                self.line(indent + 2, &format!("capacity: {limit}"));
            }
            4 => {
                self.line(indent, &format!("- register: {port}"));
                self.line(indent + 2, "as: a name");
            }
            17 | 18 => return self.look_at_rights(indent),
            _ => {
                self.line(indent, "- if: m != none and len(m.rights) > 0");
                self.line(indent + 2, "then: [{set: {h: 'm.rights[0]'}}]");
                return;
            }
        }
        self.handlers(indent + 2);
    }

    fn look_at_rights(&mut self, indent: usize) {
        if self.dice.chance(50) {
            let right = self.dice.pick(&["p1", "p2", "h", "m"]);
            let expr = format!("refs({right}) + len(rights-of({right}))");
            self.line(indent, &format!("- set: {{n: '{expr}'}}"));
        } else {
            self.line(indent, "- if: m != none and m.seq != none");
            self.line(indent + 2, "then: [{set: {n: 'm.seq % 2'}}]");
        }
    }

    /// What is done with other processes.
    fn others(&mut self, indent: usize) {
        match self.dice.below(6) {
            0 | 1 => {
                let verb = self.dice.pick(&["suspend", "resume", "interrupt"]);
                let peer = self.peer();
                self.line(indent, &format!("- {verb}: {peer}"));
            }
            2 => self.line(indent, "- fault: broken"),
            3 => {
                self.line(indent, "- reply: resume");
                self.line(indent + 2, "to: m");
            }
            _ => {
                let Some(number) = self.child.take() else { return self.line(indent, "- yield:") };
                self.line(indent, &format!("- spawn: C{number}"));
                self.line(indent + 2, "with: {n: '${n}', h: me}");
                self.rights(indent + 2);
                self.line(indent + 2, "do:");
                self.line(indent + 4, "- set: {m: none, list: '[box1, box2]'}");
                self.receive(indent + 4);
                self.send(indent + 4);
            }
        }
        self.handlers(indent + 2);
    }
}
