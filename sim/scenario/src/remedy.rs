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
    /// What kind of change it is.
    pub sort: Sort,
    /// Remedies that differ in a number only are of one group; the smallest comes first.
    pub group: usize,
    /// The same as a path and a value for `--set`, where it can be said so.
    pub set: Option<(String, String)>,
    /// The processes and mailboxes that it is about.
    pub about: Vec<String>,
    /// Stretches of bytes, in order, and what stands there instead.
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
    /// A call waits for a limited time, where the program says what then.
    Limit,
    /// A call does not wait, where the program says what then.
    NoWait,
    /// A step is left out.
    TakeOut,
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

/// All remedies for the text of a scenario, the gentlest first. None of them breaks a lock: a box from which
/// nobody takes who does not put back keeps its room, and is not given back before it was taken.
pub fn remedies(text: &str) -> Vec<Remedy> {
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
            finder.merges(&name.value, node);
        }
    }
    finder.found.sort_by_key(|remedy| remedy.sort);
    finder.found.truncate(MOST);
    finder.found
}

/// The mailboxes that are locks: whoever takes from one puts back, the same thread, later.
fn locks(root: &Node) -> Vec<String> {
    let mut bodies = Vec::new();
    entries(get(root, "processes")).iter().for_each(|(_, node)| thread_bodies(node, &mut bodies));
    entries(get(root, "programs")).iter().for_each(|(_, node)| thread_bodies(node, &mut bodies));
    let mailboxes = entries(get(root, "mailboxes")).iter().map(|(name, _)| &name.value);
    let is_lock = |name: &&String| {
        let mut takers = 0;
        for body in &bodies {
            let takes =
                |step: &&Node| verb(step) == Some("receive") && names(get(step, "from"), name);
            let puts = |step: &&Node| verb(step) == Some("send") && names(get(step, "to"), name);
            let Some(first) = body.iter().position(|step| takes(&step)) else { continue };
            if !body[first..].iter().any(|step| puts(&step)) {
                return false;
            }
            takers += 1;
        }
        takers > 0
    };
    mailboxes.filter(is_lock).cloned().collect()
}

/// The steps of each thread in a node, in the order of the file; those of a thread that is started in a step
/// are its own.
fn thread_bodies<'a>(node: &'a Node, bodies: &mut Vec<Vec<&'a Node>>) {
    let threads = entries(get(node, "threads"));
    if !threads.is_empty() {
        return threads.iter().for_each(|(_, thread)| thread_bodies(thread, bodies));
    }
    let at = bodies.len();
    bodies.push(Vec::new());
    steps_of_one_thread(node, at, bodies);
}

fn steps_of_one_thread<'a>(node: &'a Node, at: usize, bodies: &mut Vec<Vec<&'a Node>>) {
    match &node.value {
        Yaml::List(items) => items.iter().for_each(|it| steps_of_one_thread(it, at, bodies)),
        Yaml::Map(entries) => {
            if verb(node) == Some("thread") {
                return get(node, "do").into_iter().for_each(|body| thread_bodies(body, bodies));
            }
            if verb(node).is_some() {
                bodies[at].push(node);
            }
            entries.iter().for_each(|(_, value)| steps_of_one_thread(value, at, bodies));
        }
        Yaml::Scalar(_) => {}
    }
}

/// Whether a source or a destination is this object, or a member of this family.
fn names(node: Option<&Node>, wanted: &str) -> bool {
    match node.map(|node| &node.value) {
        Some(Yaml::Scalar(scalar)) => base(&scalar.text) == wanted,
        Some(Yaml::List(items)) => items.iter().any(|item| names(Some(item), wanted)),
        _ => false,
    }
}

fn base(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

/// Shows every step in a node.
fn each_step<'a>(node: &'a Node, show: &mut impl FnMut(&'a Node)) {
    match &node.value {
        Yaml::List(items) => items.iter().for_each(|item| each_step(item, show)),
        Yaml::Map(entries) => {
            if verb(node).is_some() {
                show(node);
            }
            entries.iter().for_each(|(_, value)| each_step(value, show));
        }
        Yaml::Scalar(_) => {}
    }
}

fn told(path: &str, value: &str, was: &str) -> String {
    format!("{path}: {value} (was: {was})")
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
            about: about.iter().map(|name| (*name).to_string()).collect(),
            edits,
            number: None,
        });
    }

    fn next_group(&mut self) {
        self.groups += 1;
    }

    /// More room: in a mailbox, in a process's links, in a port, in the kernel.
    fn room(&mut self, root: &Node) {
        match get(root, "kernel") {
            Some(kernel) => {
                self.more("kernel", kernel, "buffering", &[]);
                self.more_memory(kernel);
            }
            None => self.new_kernel(root),
        }
        for (name, mailbox) in entries(get(root, "mailboxes")) {
            if !self.locks.contains(&name.value) {
                self.more(
                    &format!("mailboxes.{}", name.value),
                    mailbox,
                    "capacity",
                    &[&name.value],
                );
            }
        }
        for (name, port) in entries(get(root, "ports")) {
            self.more(&format!("ports.{}", name.value), port, "capacity", &[&name.value]);
        }
        for (name, process) in entries(get(root, "processes")) {
            if let Yaml::Map(_) = &process.value
                && get(process, "capacity").is_some()
            {
                let path = format!("processes.{}", name.value);
                self.more(&path, process, "capacity", &[&name.value]);
            }
        }
    }

    /// The values of a key that give more room than there is now.
    fn more(&mut self, path: &str, table: &Node, key: &str, about: &[&str]) {
        let now = self.scalar(table, key);
        self.next_group();
        let is_port = path.starts_with("ports.");
        let bytes = now.as_ref().and_then(|(text, _)| crate::parse_size(text));
        let room = match &now {
            None if is_port => Some(DEFAULT_QUEUE_LIMIT),
            None => Some(0),
            Some((text, _)) if matches!(text.as_str(), "none" | "undefined") => Some(0),
            Some((text, _)) => text.parse::<u64>().ok(),
        };
        let path = format!("{path}.{key}");
        let was = now.as_ref().map_or("not said", |(text, _)| text).to_string();
        if let (Some(bytes), Some((_, at))) = (bytes, &now) {
            for factor in [2, 4, 8, 16] {
                let value = bytes.saturating_mul(factor);
                self.add_size(Sort::Room, about, &path, &was, (at.clone(), value));
            }
        } else if let Some(room) = room {
            for value in CAPACITIES {
                let number = value.parse::<u64>();
                let fits = |number: u64| !is_port || number <= LARGEST_QUEUE_LIMIT;
                match number {
                    Ok(number) if number > room && fits(number) => {}
                    Err(_) if !is_port => {}
                    _ => continue,
                }
                let edit = match &now {
                    Some((_, bytes)) => (bytes.clone(), (*value).to_string()),
                    None => self.new_key(table, &format!("{key}: {value}")),
                };
                self.add(Sort::Room, about, told(&path, value, &was), vec![edit]);
                self.as_set(&path, value);
            }
        }
    }

    fn more_memory(&mut self, kernel: &Node) {
        let Some((was, at)) = self.scalar(kernel, "memory") else { return };
        let Some(bytes) = crate::parse_size(&was) else { return };
        self.next_group();
        for factor in [2, 4, 8, 16, 64] {
            let value = bytes.saturating_mul(factor);
            self.add_size(Sort::Memory, &[], "kernel.memory", &was, (at.clone(), value));
        }
        self.add(
            Sort::Memory,
            &[],
            told("kernel.memory", "unlimited", &was),
            vec![(at, "unlimited".into())],
        );
        self.as_set("kernel.memory", "unlimited");
    }

    fn add_size(
        &mut self,
        sort: Sort,
        about: &[&str],
        path: &str,
        was: &str,
        (at, value): (Range<usize>, u64),
    ) {
        self.add(sort, about, told(path, &size(value), was), vec![(at, size(value))]);
        self.as_set(path, &size(value));
        let last = self.found.last_mut().expect("it was added just now");
        last.number = Some(Number { path: path.into(), was: was.into(), value });
    }

    /// The last remedy can be said as `--set`.
    fn as_set(&mut self, path: &str, value: &str) {
        let last = self.found.last_mut().expect("it was added just now");
        last.set = Some((path.to_string(), value.to_string()));
    }

    /// A value of a key with its bytes, if it is a scalar.
    fn scalar(&self, table: &Node, key: &str) -> Option<(String, Range<usize>)> {
        let node = get(table, key)?;
        match &node.value {
            Yaml::Scalar(scalar) => Some((scalar.text.clone(), self.extent(node))),
            _ => None,
        }
    }

    /// More workers: threads that share a job, and daemons of which there are several.
    fn pools(&mut self, root: &Node) {
        for (name, process) in entries(get(root, "processes")) {
            let path = format!("processes.{}", name.value);
            let is_daemon = self.scalar(process, "daemon").is_some_and(|(word, _)| word == "true");
            if is_daemon {
                self.more_replicas(&path, process, &name.value);
            }
            for (thread, spec) in entries(get(process, "threads")) {
                let path = format!("{path}.threads.{}", thread.value);
                self.more_replicas(&path, spec, &name.value);
            }
        }
    }

    fn more_replicas(&mut self, path: &str, table: &Node, about: &str) {
        let Some((was, at)) = self.scalar(table, "replicas") else { return };
        let Ok(now) = was.parse::<u64>() else { return };
        self.next_group();
        let path = format!("{path}.replicas");
        for more in [1, 2, 4] {
            let value = now.saturating_add(more).to_string();
            let edit = (at.clone(), value.clone());
            self.add(Sort::Pool, &[about], told(&path, &value, &was), vec![edit]);
            self.as_set(&path, &value);
        }
    }

    /// Another program for a process, if the file declares one that nobody uses.
    fn programs(&mut self, root: &Node) {
        let processes = entries(get(root, "processes"));
        let used = |name: &str| {
            processes
                .iter()
                .any(|(_, it)| self.scalar(it, "program").is_some_and(|(word, _)| word == name))
        };
        let programs = entries(get(root, "programs")).iter().map(|(name, _)| name.value.as_str());
        let unused: Vec<&str> = programs.filter(|name| !used(name)).collect();
        for (name, process) in processes {
            let Some((was, at)) = self.scalar(process, "program") else { continue };
            for program in &unused {
                self.next_group();
                let path = format!("processes.{}.program", name.value);
                let edit = (at.clone(), (*program).to_string());
                let what = told(&path, program, &was);
                self.add(Sort::Program, &[&name.value], what, vec![edit]);
                self.as_set(&path, program);
            }
        }
    }

    /// Send rights that a process has from the start and never uses: it may give them up at once.
    fn unused_rights(&mut self, root: &Node) {
        for (port, spec) in entries(get(root, "ports")) {
            let holders = match get(spec, "send").map(|node| &node.value) {
                Some(Yaml::List(items)) => items.iter().collect(),
                Some(Yaml::Scalar(_)) => get(spec, "send").into_iter().collect(),
                _ => Vec::new(),
            };
            for holder in holders {
                let Yaml::Scalar(holder) = &holder.value else { continue };
                let processes = entries(get(root, "processes"));
                let Some((name, process)) =
                    processes.iter().find(|(name, _)| name.value == base(&holder.text))
                else {
                    continue;
                };
                let own = self.extent(process);
                let body = self.text.get(own).unwrap_or_default();
                if body.contains(port.value.as_str()) {
                    continue;
                }
                let Some(first) = first_step(process) else { continue };
                let start = self.extent(first).start;
                let indent = " ".repeat(self.column(start).saturating_sub(2));
                if !self.text[..start].ends_with("- ") {
                    continue;
                }
                self.next_group();
                let edit = (start..start, format!("drop: {}\n{indent}- ", port.value));
                let what = format!("{}: drop the right to {} at once", name.value, port.value);
                self.add(Sort::Drop, &[&name.value], what, vec![edit]);
            }
        }
    }

    fn new_kernel(&mut self, root: &Node) {
        let tables = entries(Some(root));
        let Some((first, _)) =
            tables.iter().find(|(name, _)| !matches!(&*name.value, "title" | "about" | "slide"))
        else {
            return;
        };
        self.next_group();
        let at = first.at.bytes().start;
        for value in CAPACITIES {
            let text = format!("kernel: {{buffering: {value}}}\n");
            let what = told("kernel.buffering", value, "not said");
            self.add(Sort::Room, &[], what, vec![(at..at, text)]);
            self.as_set("kernel.buffering", value);
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
            self.exchange(who, &pair[0], &pair[1]);
        }
        for (at, step) in steps.iter().enumerate() {
            let Some(verb) = verb(step) else { continue };
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
        // Only where the step has its lines for itself.
        let before = self.text[start..bytes.start].trim();
        let behind = self.text[bytes.end..end].trim();
        if before == "-" && (behind.is_empty() || behind.starts_with('#')) {
            self.next_group();
            self.add(Sort::TakeOut, &[who], what, vec![(start..end, String::new())]);
        }
    }

    /// Two receives of one process from one place each may both take from either.
    fn merges(&mut self, who: &str, node: &Node) {
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

/// The limit of a port that names none, and the largest.
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
        assert!(found.len() > 25, "{}", found.len());
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
