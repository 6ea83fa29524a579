//! Remedies: small changes of a scenario's text that may mend what is wrong with it.
//!
//! They are changes of the text and not of what was read from it, so that they can be shown as the author
//! would make them, and everything else stays as it was written.

use std::ops::Range;

use crate::place::Placed;
use crate::table::Verb;
use crate::tree::{Node, Yaml, parse};

/// A small change of a scenario's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What it changes, in words.
    pub what: String,
    /// Remedies that differ in a number only are of one kind; the smallest comes first.
    pub kind: usize,
    /// Stretches of bytes, in order, and what stands there instead.
    edits: Vec<(Range<usize>, String)>,
}

impl Remedy {
    /// The text with all these remedies; nothing if they get in each other's way.
    pub fn apply(text: &str, remedies: &[&Remedy]) -> Option<String> {
        let mut edits: Vec<_> = remedies.iter().flat_map(|remedy| &remedy.edits).collect();
        edits.sort_by_key(|(bytes, _)| (bytes.start, bytes.end));
        // What is put at the end of something that moves away would stand behind something else.
        if edits.windows(2).any(|pair| pair[0].0.end >= pair[1].0.start) {
            return None;
        }
        let mut out = String::new();
        let mut at = 0;
        for (bytes, instead) in edits {
            out.push_str(text.get(at..bytes.start)?);
            out.push_str(instead);
            at = bytes.end;
        }
        out.push_str(text.get(at..)?);
        Some(out)
    }
}

/// How many remedies are looked for.
const MOST: usize = 400;
/// For so long a call waits that waited without limit.
const PATIENCE: &str = "1ms";

/// All remedies for the text of a scenario: more room in one mailbox, two steps exchanged, a call that does not wait
/// or not for ever.
pub fn remedies(text: &str) -> Vec<Remedy> {
    let Ok(root) = parse(text, 0) else { return Vec::new() };
    let mut finder = Finder { text, found: Vec::new(), kinds: 0 };
    finder.room(&root);
    for table in ["processes", "programs"] {
        for (name, node) in entries(get(&root, table)) {
            finder.steps_below(&name.value, node);
        }
    }
    finder.found.truncate(MOST);
    finder.found
}

struct Finder<'a> {
    text: &'a str,
    found: Vec<Remedy>,
    kinds: usize,
}

impl Finder<'_> {
    fn add(&mut self, what: String, edits: Vec<(Range<usize>, String)>) {
        self.found.push(Remedy { what, kind: self.kinds, edits });
    }

    /// More room: in a mailbox, in a process's links, in the kernel.
    fn room(&mut self, root: &Node) {
        for (name, mailbox) in entries(get(root, "mailboxes")) {
            self.more(&format!("mailboxes.{}", name.value), mailbox, "capacity", CAPACITIES);
        }
        for (name, process) in entries(get(root, "processes")) {
            if let Yaml::Map(_) = &process.value
                && get(process, "capacity").is_some()
            {
                self.more(&format!("processes.{}", name.value), process, "capacity", CAPACITIES);
            }
        }
        match get(root, "kernel") {
            Some(kernel) => {
                self.more("kernel", kernel, "buffering", CAPACITIES);
                if get(kernel, "memory").is_some() {
                    self.more("kernel", kernel, "memory", &["unlimited"]);
                }
            }
            None => self.new_kernel(root),
        }
    }

    /// The values of a key that give more room than there is now.
    fn more(&mut self, path: &str, table: &Node, key: &str, values: &[&str]) {
        let now = get(table, key).and_then(|node| match &node.value {
            Yaml::Scalar(scalar) => Some((scalar.text.clone(), self.extent(node))),
            _ => None,
        });
        self.kinds += 1;
        let room = now.as_ref().map_or(Some(0), |(text, _)| text.parse::<u64>().ok());
        for value in values {
            let is_more = match (room, value.parse::<u64>()) {
                (Some(room), Ok(value)) => value > room,
                // What is counted in bytes, or not at all, is compared with nothing.
                (None, Ok(_)) => now
                    .as_ref()
                    .is_some_and(|(text, _)| matches!(text.as_str(), "none" | "undefined")),
                (_, Err(_)) => now.as_ref().is_none_or(|(text, _)| text != value),
            };
            if !is_more {
                continue;
            }
            let edit = match &now {
                Some((_, bytes)) => (bytes.clone(), (*value).to_string()),
                None => self.new_key(table, &format!("{key}: {value}")),
            };
            let was = now.as_ref().map_or("not said", |(text, _)| text);
            self.add(format!("{path}.{key}: {value} (was: {was})"), vec![edit]);
        }
    }

    fn new_kernel(&mut self, root: &Node) {
        let tables = entries(Some(root));
        let Some((first, _)) =
            tables.iter().find(|(name, _)| !matches!(&*name.value, "title" | "about" | "slide"))
        else {
            return;
        };
        self.kinds += 1;
        let at = first.at.bytes().start;
        for value in CAPACITIES {
            let text = format!("kernel: {{buffering: {value}}}\n");
            self.add(format!("kernel.buffering: {value} (was: not said)"), vec![(at..at, text)]);
        }
    }

    /// Puts a key first into a mapping, in the way in which it is written.
    fn new_key(&self, table: &Node, key: &str) -> (Range<usize>, String) {
        let bytes = self.extent(table);
        match &table.value {
            Yaml::Map(entries) if self.text[bytes.start..].starts_with('{') => {
                let comma = if entries.is_empty() { "" } else { ", " };
                (bytes.start + 1..bytes.start + 1, format!("{key}{comma}"))
            }
            Yaml::Map(_) => {
                let indent = " ".repeat(self.column(bytes.start));
                (bytes.start..bytes.start, format!("{key}\n{indent}"))
            }
            // `box1:` with nothing behind it.
            _ => (bytes.end..bytes.end, format!(" {{{key}}}")),
        }
    }

    /// All lists of steps in a node.
    fn steps_below(&mut self, who: &str, node: &Node) {
        match &node.value {
            Yaml::List(items) => {
                if items.iter().all(|item| verb(item).is_some()) {
                    self.steps(who, items);
                }
                for item in items {
                    self.steps_below(who, item);
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
            let (first, second) = (self.extent(&pair[0]), self.extent(&pair[1]));
            if first.end > second.start {
                continue;
            }
            let (one, other) = (self.line(first.start), self.line(second.start));
            let edits = vec![
                (first.clone(), self.text[second.clone()].to_string()),
                (second.clone(), self.text[first.clone()].to_string()),
            ];
            self.kinds += 1;
            let named = |step: &Node| verb(step).unwrap_or("step");
            let (first, second) = (named(&pair[0]), named(&pair[1]));
            let what =
                format!("{who}: exchange `{first}` (line {one}) and `{second}` (line {other})");
            self.add(what, edits);
        }
        for step in steps {
            let Some(verb) = verb(step) else { continue };
            let waits = matches!(verb, "send" | "receive" | "call");
            if !waits || get(step, "wait").is_some() || get(step, "when").is_some() {
                continue;
            }
            let line = self.line(self.extent(step).start);
            let never = self.new_keys(step, &["wait: never", "when: {would-block: []}"]);
            let limit = format!("wait: {PATIENCE}");
            let for_a_while = self.new_keys(step, &[&limit, "when: {timed-out: []}"]);
            self.kinds += 1;
            self.add(format!("{who}: the {verb} in line {line} does not wait"), vec![never]);
            self.kinds += 1;
            let what = format!("{who}: the {verb} in line {line} waits for {PATIENCE} at most");
            self.add(what, vec![for_a_while]);
        }
    }

    /// Puts keys behind those of a step.
    fn new_keys(&self, step: &Node, keys: &[&str]) -> (Range<usize>, String) {
        let bytes = self.extent(step);
        if self.text[bytes.start..].starts_with('{') {
            (bytes.end - 1..bytes.end - 1, format!(", {}", keys.join(", ")))
        } else {
            let line = format!("\n{}", " ".repeat(self.column(bytes.start)));
            (bytes.end..bytes.end, format!("{line}{}", keys.join(&line)))
        }
    }

    /// The bytes of a node, from its first to its last.
    fn extent(&self, node: &Node) -> Range<usize> {
        let own = node.at.bytes();
        let in_brackets = self.text[own.start..].starts_with(['{', '[']);
        let (first, last) = match &node.value {
            _ if in_brackets => return own,
            Yaml::Scalar(_) => return own,
            Yaml::List(items) => (items.first(), items.last()),
            Yaml::Map(entries) => {
                let start = entries.first().map(|(key, _)| key.at.bytes().start);
                let end = entries
                    .last()
                    .map(|(key, value)| self.extent(value).end.max(key.at.bytes().end));
                return start.unwrap_or(own.start)..end.unwrap_or(own.end);
            }
        };
        match (first, last) {
            (Some(first), Some(last)) => self.extent(first).start..self.extent(last).end,
            _ => own,
        }
    }

    fn line(&self, byte: usize) -> usize {
        self.text[..byte].bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    fn column(&self, byte: usize) -> usize {
        byte - self.text[..byte].rfind('\n').map_or(0, |at| at + 1)
    }
}

const CAPACITIES: &[&str] = &["1", "2", "3", "4", "5", "6", "8", "12", "16", "unlimited"];

fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    entries(Some(node)).iter().find(|(name, _)| name.value == key).map(|(_, value)| value)
}

fn entries(node: Option<&Node>) -> &[(Placed<String>, Node)] {
    match node.map(|node| &node.value) {
        Some(Yaml::Map(entries)) => entries,
        _ => &[],
    }
}

/// The verb of a step.
fn verb(step: &Node) -> Option<&'static str> {
    let mut keys = entries(Some(step)).iter();
    keys.find_map(|(key, _)| Verb::find(&key.value)).map(|verb| verb.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{LoadOptions, Loaded, load};

    const TEXT: &str = "\
mailboxes:
  a: {capacity: 1}
  b: {}
  c:
    order: priority
processes:
  P:
    - send: x
      to: a
    # between
    - {receive: m, from: b}
  Q:
    do:
      - repeat: 2
        do: [{receive: m, from: a}]
";

    fn loaded(text: &str) -> Loaded {
        load("test.yaml", text.as_bytes(), &LoadOptions::default())
    }

    #[test]
    fn every_remedy_leaves_a_scenario() {
        let found = remedies(TEXT);
        assert!(found.len() > 30, "{}", found.len());
        for remedy in &found {
            let text = Remedy::apply(TEXT, &[remedy]).expect("one remedy is alone");
            let changed = loaded(&text);
            assert!(!changed.has_errors(), "{}:\n{text}\n{:?}", remedy.what, changed.diagnostics);
            assert_ne!(text, TEXT, "{}", remedy.what);
        }
    }

    #[test]
    fn steps_are_exchanged_as_they_are_written() {
        let found = remedies(TEXT);
        let exchange = found.iter().find(|it| it.what.contains("exchange")).expect("P has two");
        let text = Remedy::apply(TEXT, &[exchange]).expect("one remedy is alone");
        assert!(
            text.contains(
                "    - {receive: m, from: b}\n    # between\n    - send: x\n      to: a\n"
            )
        );
    }

    #[test]
    fn remedies_of_the_same_place_exclude_each_other() {
        let found = remedies(TEXT);
        assert_eq!(Remedy::apply(TEXT, &[&found[0], &found[1]]), None);
    }
}
