//! Changes of steps: exchanged, left out, with a limit of time, or taking from either of two places.

use std::borrow::Cow;
use std::ops::Range;

use super::locks::{each_step, names};
use super::{Finder, PATIENCE, Sort, get, quoted, verb};
use crate::tree::{Node, Yaml};

impl Finder<'_> {
    /// All lists of steps in a node.
    pub(super) fn steps_below(&mut self, who: &str, node: &Node) {
        match &node.value {
            Yaml::List(items) => {
                if items.iter().all(|item| verb(item).is_some()) {
                    self.steps(who, items);
                }
                for item in items {
                    self.steps_below(&inside(who, item), item);
                }
            }
            Yaml::Map(entries) => {
                for (_, value) in entries {
                    self.steps_below(who, value);
                }
            }
            Yaml::Scalar(_) => {}
        }
    }

    fn steps(&mut self, who: &str, steps: &[Node]) {
        for pair in steps.windows(2) {
            self.exchange(who, &pair[0], &pair[1]);
        }
        for (at, step) in steps.iter().enumerate() {
            let Some(verb) = verb(step) else { continue };
            self.keep_memory(who, verb, step);
            let waits = matches!(verb, "send" | "receive" | "call");
            if !waits {
                continue;
            }
            let line = self.line(self.extent(step).start);
            if get(step, "wait").is_none() && !self.is_about_a_lock(step) {
                for (outcome, sort, wait, words) in [
                    ("timed-out", Sort::Limit, PATIENCE, "waits for a limited time"),
                    ("would-block", Sort::NoWait, "never", "does not wait"),
                ] {
                    if get(step, "when").is_some_and(|when| get(when, outcome).is_some()) {
                        let edit = self.new_keys(step, &[&format!("wait: {wait}")]);
                        self.next_group();
                        let what = format!("{who}: the {verb} in line {line} {words} ({wait})");
                        self.add(sort, &[who], what, vec![edit]);
                    }
                }
            }
            if steps.len() > 1 && !self.is_about_a_lock(step) {
                self.take_out(who, verb, line, (steps, at));
            }
        }
    }

    /// Two neighbours change places, unless a lock would be given back before it is taken.
    fn exchange(&mut self, who: &str, one: &Node, other: &Node) {
        let (first, second) = (self.extent(one), self.extent(other));
        let breaks_a_lock = self.locks.iter().any(|lock| {
            verb(one) == Some("receive")
                && names(get(one, "from"), lock)
                && verb(other) == Some("send")
                && names(get(other, "to"), lock)
        });
        if first.end > second.start || breaks_a_lock {
            return;
        }
        let lines = (self.line(first.start), self.line(second.start));
        let edits = vec![
            (first.clone(), self.text[second.clone()].to_string()),
            (second.clone(), self.text[first.clone()].to_string()),
        ];
        self.next_group();
        let named = |step: &Node| verb(step).unwrap_or("step");
        let (first, second) = (named(one), named(other));
        let what = format!(
            "{who}: exchange `{first}` (line {}) and `{second}` (line {})",
            lines.0, lines.1
        );
        self.add(Sort::Exchange, &[who], what, edits);
    }

    /// Memory that is given away may be shared until somebody writes.
    fn keep_memory(&mut self, who: &str, verb: &str, step: &Node) {
        let Some(memory) = get(step, "memory") else { return };
        let transfers = match &memory.value {
            Yaml::List(items) => &items[..],
            _ => std::slice::from_ref(memory),
        };
        for transfer in transfers {
            let Some(how) = get(transfer, "transfer") else { continue };
            if matches!(&how.value, Yaml::Scalar(word) if word.text == "move") {
                let line = self.line(self.extent(step).start);
                let what =
                    format!("{who}: the {verb} in line {line} keeps the memory (copy-on-write)");
                let edit = (self.extent(how), "copy-on-write".to_string());
                self.next_group();
                self.add(Sort::Keep, &[who], what, vec![edit]);
            }
        }
    }

    fn is_about_a_lock(&self, step: &Node) -> bool {
        let mut locks = self.locks.iter();
        locks.any(|lock| names(get(step, "from"), lock) || names(get(step, "to"), lock))
    }

    /// A step with its whole lines, or with the comma beside it.
    fn take_out(&mut self, who: &str, verb: &str, line: usize, (steps, at): (&[Node], usize)) {
        let bytes = self.extent(&steps[at]);
        let what = format!("{who}: leave out the {verb} in line {line}");
        let between = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default().trim();
        let neighbour = match at {
            0 => (bytes.end, self.extent(&steps[1]).start),
            at => (self.extent(&steps[at - 1]).end, bytes.start),
        };
        if between(neighbour.0, neighbour.1) == "," {
            let stretch = if at == 0 { bytes.start..neighbour.1 } else { neighbour.0..bytes.end };
            self.next_group();
            return self.add(Sort::TakeOut, &[who], what, vec![(stretch, String::new())]);
        }
        let start = self.text[..bytes.start].rfind('\n').map_or(0, |at| at + 1);
        let end =
            self.text[bytes.end..].find('\n').map_or(self.text.len(), |at| bytes.end + at + 1);
        // Only if the step has its lines to itself.
        let before = self.text[start..bytes.start].trim();
        let behind = self.text[bytes.end..end].trim();
        if before == "-" && (behind.is_empty() || behind.starts_with('#')) {
            self.next_group();
            self.add(Sort::TakeOut, &[who], what, vec![(start..end, String::new())]);
        }
    }

    /// Two receives of one process from one place each may both take from either.
    pub(super) fn merges(&mut self, who: &str, node: &Node) {
        let mut single: Vec<(String, Range<usize>, usize)> = Vec::new();
        each_step(node, &mut |step| {
            if verb(step) == Some("receive")
                && let Some(from) = get(step, "from")
                && let Yaml::Scalar(scalar) = &from.value
                && scalar.text != "anyone"
                && !scalar.text.contains("${")
                && !self.is_about_a_lock(step)
            {
                let line = self.line(self.extent(step).start);
                single.push((scalar.text.clone(), self.extent(from), line));
            }
        });
        for (at, (one, first, line)) in single.iter().enumerate() {
            for (other, second, other_line) in &single[at + 1..] {
                if one == other {
                    continue;
                }
                let (one, other) = (quoted(one), quoted(other));
                let edits = vec![
                    (first.clone(), format!("[{one}, {other}]")),
                    (second.clone(), format!("[{other}, {one}]")),
                ];
                self.next_group();
                let what = format!(
                    "{who}: the receives in lines {line} and {other_line} take from {one} or {other}, whichever comes"
                );
                self.add(Sort::Merge, &[who], what, edits);
            }
        }
    }
}

/// Who runs the steps inside this step of his: a thread or a process that it starts, or he himself.
pub(super) fn inside<'a>(who: &'a str, step: &Node) -> Cow<'a, str> {
    let started = |verb: &str| match get(step, verb).map(|node| &node.value) {
        Some(Yaml::Scalar(name)) => Some(name.text.as_str()),
        _ => None,
    };
    match (verb(step), started("fork").or(started("spawn")), started("thread")) {
        (Some("fork" | "spawn"), Some(child), _) => Cow::Owned(child.to_string()),
        (Some("thread"), _, Some(thread)) => Cow::Owned(format!("{who}.{thread}")),
        _ => Cow::Borrowed(who),
    }
}
