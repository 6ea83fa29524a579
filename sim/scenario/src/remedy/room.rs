//! More of something: room for messages, kernel memory, workers; another program; fewer rights.

use std::ops::Range;

use super::locks::{base, mentions};
use super::{
    CAPACITIES, DEFAULT_QUEUE_LIMIT, Finder, LARGEST_QUEUE_LIMIT, Number, Sort, entries,
    first_step, get, size, told,
};
use crate::tree::{Node, Yaml};

impl Finder<'_> {
    /// More room: in a mailbox, in a process's links, in a port, in the kernel.
    pub(super) fn room(&mut self, root: &Node) {
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
            if !self.locks.contains(&name.value) {
                self.more(&format!("ports.{}", name.value), port, "capacity", &[&name.value]);
            }
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

    /// The last remedy can be expressed as `--set`.
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
    pub(super) fn pools(&mut self, root: &Node) {
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
    pub(super) fn programs(&mut self, root: &Node) {
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
    pub(super) fn unused_rights(&mut self, root: &Node) {
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
                if mentions(process, &port.value) {
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
}
