//! Remedies: small changes of a scenario's text that may fix what is wrong with it.
//!
//! They change the text and not what was read from it, so that they can be shown as the author would make
//! them, and everything else stays as it was written.

mod letting_go;
mod locks;
mod room;
mod steps;

use std::ops::Range;

use crate::edit;
use crate::place::Placed;
use crate::table::Verb;
use crate::tree::{Node, Yaml, parse};
use locks::locks;

/// A small change of a scenario's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What it changes, in words.
    pub what: String,
    /// What kind of change it is.
    pub sort: Sort,
    /// Remedies that differ only in a number form one group; the smallest comes first.
    pub group: usize,
    /// The same as a path and a value for `--set`, if it can be expressed so.
    pub set: Option<(String, String)>,
    /// The processes and mailboxes that it is about.
    pub about: Vec<String>,
    /// Stretches of bytes, in order, and what replaces them.
    edits: Vec<(Range<usize>, String)>,
    number: Option<Number>,
}

/// What kind of change a remedy is, the gentlest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// More room for messages.
    Room,
    /// Two neighbouring steps exchanged.
    Exchange,
    /// More kernel memory.
    Memory,
    /// More workers in a pool.
    Pool,
    /// Another program that the file declares.
    Program,
    /// Two receives from one place each become receives from either.
    Merge,
    /// A right is given up that is never used.
    Drop,
    /// Something is let go that keeps others waiting: an end of a pipe, or a lock.
    LetGo,
    /// A sender keeps the memory that it sends.
    Keep,
    /// A call waits for a limited time, where the program says what happens then.
    Limit,
    /// A call does not wait, where the program says what happens then.
    NoWait,
    /// A step is left out.
    TakeOut,
}

impl Sort {
    /// Whether steps stand at other places of their list afterwards.
    fn moves_steps(self) -> bool {
        match self {
            Sort::Exchange | Sort::Drop | Sort::LetGo | Sort::TakeOut => true,
            Sort::Room
            | Sort::Memory
            | Sort::Pool
            | Sort::Program
            | Sort::Merge
            | Sort::Keep
            | Sort::Limit
            | Sort::NoWait => false,
        }
    }
}

/// A number with a unit that a remedy sets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Number {
    path: String,
    was: String,
    /// In the unit of the value: bytes, or messages.
    value: u64,
}

impl Remedy {
    /// The number of bytes that it sets, if it sets any.
    pub fn bytes(&self) -> Option<u64> {
        self.number.as_ref().map(|number| number.value)
    }

    /// The same with another number of bytes.
    #[must_use]
    pub fn with_bytes(&self, value: u64) -> Self {
        let Some(number) = &self.number else { return self.clone() };
        let text = size(value);
        let edits = self.edits.iter().map(|(at, _)| (at.clone(), text.clone())).collect();
        Self {
            what: told(&number.path, &text, &number.was),
            set: Some((number.path.clone(), text)),
            edits,
            number: Some(Number { value, ..number.clone() }),
            ..self.clone()
        }
    }

    /// The text with all these remedies; nothing if they conflict.
    pub fn apply(text: &str, remedies: &[&Remedy]) -> Option<String> {
        let mut edits: Vec<_> = remedies.iter().flat_map(|remedy| &remedy.edits).collect();
        edits.sort_by_key(|(bytes, _)| (bytes.start, bytes.end));
        // Text inserted at the end of something that moves away would end up after something else.
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
/// The limit for a call that waited without one.
const PATIENCE: &str = "1ms";

/// All remedies for the text of a scenario, the gentlest first. None of them breaks a lock: a box whose
/// takers all put back keeps its room, and nothing is given back before it was taken. None moves a step that one of the
/// changes of `--set` means by its number: the change would then hit another one.
pub fn remedies(text: &str, sets: &[String]) -> Vec<Remedy> {
    let Ok(root) = parse(text, 0) else { return Vec::new() };
    let locks = locks(&root);
    let mut finder = Finder { text, found: Vec::new(), groups: 0, locks };
    finder.room(&root);
    finder.pools(&root);
    finder.programs(&root);
    finder.unused_rights(&root);
    for table in ["processes", "programs"] {
        for (name, node) in entries(get(&root, table)) {
            finder.steps_below(&name.value, node);
            finder.letting_go(&name.value, node);
            finder.merges(&name.value, node);
        }
    }
    // From the beginning of the list to that of the step: what comes inside it or behind it does not move it.
    let numbered: Vec<Range<usize>> = sets
        .iter()
        .flat_map(|set| edit::numbered(&root, set))
        .map(|(list, step)| finder.extent(list).start..finder.extent(step).start)
        .collect();
    let moves_one = |remedy: &Remedy| {
        let mut edits = remedy.edits.iter();
        remedy.sort.moves_steps()
            && edits.any(|(at, _)| {
                numbered.iter().any(|upto| upto.start <= at.end && at.start <= upto.end)
            })
    };
    finder.found.retain(|remedy| !moves_one(remedy));
    finder.found.sort_by_key(|remedy| remedy.sort);
    finder.found.truncate(MOST);
    finder.found
}

fn told(path: &str, value: &str, was: &str) -> String {
    format!("{path}: {value} (was: {was})")
}

/// The process whose thread this is: `P` of `P.reader`.
fn process_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(process, _)| process)
}

/// A number of bytes as scenarios write it.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")];
    let whole = UNITS.iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit));
    whole.map_or_else(|| "0B".into(), |(unit, word)| format!("{}{word}", bytes / unit))
}

struct Finder<'a> {
    text: &'a str,
    found: Vec<Remedy>,
    groups: usize,
    locks: Vec<String>,
}

impl Finder<'_> {
    fn add(
        &mut self,
        sort: Sort,
        about: &[&str],
        what: String,
        edits: Vec<(Range<usize>, String)>,
    ) {
        self.found.push(Remedy {
            what,
            sort,
            group: self.groups,
            set: None,
            about: about.iter().map(|name| process_of(name).to_string()).collect(),
            edits,
            number: None,
        });
    }

    fn next_group(&mut self) {
        self.groups += 1;
    }

    /// Inserts a key at the start of a mapping, in the style in which the mapping is written.
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
            // `box1:` with nothing after it.
            _ => (bytes.end..bytes.end, format!(" {{{key}}}")),
        }
    }

    /// Inserts keys after those of a step.
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

/// The queue limit of a port that names none, and the largest one.
const DEFAULT_QUEUE_LIMIT: u64 = ipcsim_kernel::object::port::DEFAULT_QUEUE_LIMIT;
const LARGEST_QUEUE_LIMIT: u64 = ipcsim_kernel::object::port::LARGEST_QUEUE_LIMIT;

/// A name as an item of a list.
fn quoted(name: &str) -> String {
    if name.contains(['[', ']', ',', '{', '}']) { format!("'{name}'") } else { name.to_string() }
}

/// The first step of a process with one thread.
fn first_step(process: &Node) -> Option<&Node> {
    let steps = match &process.value {
        Yaml::List(steps) => steps,
        _ => match &get(process, "do")?.value {
            Yaml::List(steps) => steps,
            _ => return None,
        },
    };
    steps.first().filter(|step| verb(step).is_some())
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
    keys.find_map(|(key, _)| Verb::find(&key.value)).map(Verb::name)
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
        let found = remedies(TEXT, &[]);
        assert!(found.len() > 25, "{}", found.len());
        for remedy in &found {
            let text = Remedy::apply(TEXT, &[remedy]).expect("one remedy is alone");
            let changed = loaded(&text);
            assert!(!changed.has_errors(), "{}:\n{text}\n{:?}", remedy.what, changed.diagnostics);
            assert_ne!(text, TEXT, "{}", remedy.what);
        }
    }

    #[test]
    fn a_lock_that_is_kept_is_given_back_where_it_was_taken() {
        let text = "\
processes:
  P:
    - allocate: r
      size: 8KiB
    - thread: t
      do: [{lock: r, page: 1}, {log: in}]
    - lock: r
    - if: true
      then:
        - unlock: r
  Q:
    - allocate: r
      size: 4KiB
    - lock: r
    - log: done
";
        let found = remedies(text, &[]);
        let unlocks: Vec<&Remedy> = found.iter().filter(|it| it.what.contains("unlock")).collect();
        let what: Vec<&str> = unlocks.iter().map(|it| it.what.as_str()).collect();
        assert_eq!(what, ["P.t: unlock r after line 6", "Q: unlock r after line 15"]);
        let changed = |remedy: &Remedy| Remedy::apply(text, &[remedy]).expect("one is alone");
        assert!(changed(unlocks[0]).contains("{log: in}, {unlock: r, page: 1}]"));
        assert!(changed(unlocks[1]).ends_with("    - log: done\n    - unlock: r\n"));
        assert!(unlocks.iter().all(|it| !loaded(&changed(it)).has_errors()));
    }

    #[test]
    fn what_a_change_means_by_its_number_does_not_move() {
        let moves = |set: &str| {
            let sets = [set.to_string()];
            remedies(TEXT, &sets).iter().any(|it| it.what.contains("exchange"))
        };
        assert!(moves("processes.Q.do[0].repeat=3"));
        assert!(!moves("processes.P[0].wait=never"));
    }

    #[test]
    fn steps_are_exchanged_as_they_are_written() {
        let found = remedies(TEXT, &[]);
        let exchange = found.iter().find(|it| it.what.contains("exchange")).expect("P has two");
        let text = Remedy::apply(TEXT, &[exchange]).expect("one remedy is alone");
        assert!(
            text.contains(
                "    - {receive: m, from: b}\n    # between\n    - send: x\n      to: a\n"
            )
        );
    }

    #[test]
    fn memory_that_is_given_away_can_be_kept() {
        let text = "processes:
  P:
    - {allocate: b, size: 4KiB}
    - {send: x, to: Q, memory: [{region: b, transfer: move}]}
    - {write: b, value: 1}
  Q: [{receive: m, from: P}]
";
        let found = remedies(text, &[]);
        let kept = found.iter().find(|it| it.sort == Sort::Keep).expect("it gives b away");
        let changed = Remedy::apply(text, &[kept]).expect("one remedy is alone");
        assert!(changed.contains("{region: b, transfer: copy-on-write}"), "{changed}");
        assert!(!loaded(&changed).has_errors());
    }

    #[test]
    fn a_child_may_close_what_it_does_not_need() {
        let text = "processes:
  P:
    - create: r
      kind: pipe
      write-end: w
    - fork: Q
      do:
        - receive: m
          from: ${r}
    - {receive: end, from: Q, when: {dead: []}}
";
        let found = remedies(text, &[]);
        let closes = |what: &str| found.iter().find(|it| it.what == what).expect("a remedy");
        let child = closes("Q: close w before line 8");
        let changed = Remedy::apply(text, &[child]).expect("one remedy is alone");
        assert!(changed.contains("        - close: ${w}\n        - receive: m"), "{changed}");
        let both = Remedy::apply(text, &[child, closes("P: close w before line 10")]);
        assert!(!loaded(&both.expect("they are about different places")).has_errors());
    }

    #[test]
    fn remedies_of_the_same_place_exclude_each_other() {
        let found = remedies(TEXT, &[]);
        assert_eq!(Remedy::apply(TEXT, &[&found[0], &found[1]]), None);
    }
}
