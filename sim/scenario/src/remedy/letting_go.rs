//! A `close` or an `unlock` that is missing. An end of a pipe that a process has open and does not need keeps others waiting for
//! its end, and so does a lock that it does not give back.

use std::borrow::Cow;

use super::steps::inside;
use super::{Finder, Sort, get, verb};
use crate::tree::{Node, Yaml};

impl Finder<'_> {
    pub(super) fn letting_go(&mut self, who: &str, node: &Node) {
        self.missing_unlocks(who, node);
        self.missing_closes(who, node);
    }

    /// Ends may be closed by a child as soon as it is forked, and by whoever made them before it waits.
    fn missing_closes(&mut self, who: &str, node: &Node) {
        let mut ends: Vec<&str> = Vec::new();
        variables_of_ends(node, &mut ends);
        if !ends.is_empty() {
            self.closes_below(who, node, &ends);
        }
    }

    fn closes_below(&mut self, who: &str, node: &Node, ends: &[&str]) {
        match &node.value {
            Yaml::List(steps) => {
                for step in steps {
                    let waits = matches!(verb(step), Some("receive" | "join" | "lock" | "select"));
                    if waits {
                        self.close_before(who, step, ends);
                    }
                    let inner = inside(who, step);
                    if verb(step) == Some("fork")
                        && let Some(Yaml::List(steps)) = get(step, "do").map(|node| &node.value)
                        && let Some(first) = steps.first()
                    {
                        self.close_before(&inner, first, ends);
                    }
                    self.closes_below(&inner, step, ends);
                }
            }
            Yaml::Map(entries) => {
                for (_, value) in entries {
                    self.closes_below(who, value, ends);
                }
            }
            Yaml::Scalar(_) => {}
        }
    }

    /// A lock may be given back at the end of the steps in which it is taken, if nothing there gives it back.
    fn missing_unlocks(&mut self, who: &str, node: &Node) {
        match &node.value {
            Yaml::List(steps) => {
                for step in steps {
                    if verb(step) == Some("lock")
                        && let Some(lock) = page_in_words(step)
                        && !steps.iter().any(|other| gives_back(other, &lock))
                        && let Some(last) = steps.last()
                    {
                        self.unlock_behind(who, last, &lock);
                    }
                    self.missing_unlocks(&inside(who, step), step);
                }
            }
            Yaml::Map(entries) => {
                for (_, value) in entries {
                    self.missing_unlocks(who, value);
                }
            }
            Yaml::Scalar(_) => {}
        }
    }

    fn unlock_behind(&mut self, who: &str, last: &Node, (region, page): &(&str, Option<&str>)) {
        let own = self.extent(last);
        let start = own.start;
        let before = self.text[..start].trim_end();
        let (end, text) = if before.ends_with(['[', ',']) {
            let page = page.map_or_else(String::new, |page| format!(", page: {}", in_flow(page)));
            (own.end, format!(", {{unlock: {}{page}}}", in_flow(region)))
        } else if self.text[..start].ends_with("- ") {
            let indent = " ".repeat(self.column(start));
            let page = page.map_or_else(String::new, |page| format!("\n{indent}page: {page}"));
            let dash = " ".repeat(self.column(start).saturating_sub(2));
            (own.end, format!("\n{dash}- unlock: {region}{page}"))
        } else {
            return;
        };
        self.next_group();
        let what = format!("{who}: unlock {region} after line {}", self.line(own.end));
        self.add(Sort::LetGo, &[who], what, vec![(end..end, text)]);
    }

    fn close_before(&mut self, who: &str, step: &Node, ends: &[&str]) {
        let start = self.extent(step).start;
        let before = self.text[..start].trim_end();
        let line = self.line(start);
        for end in ends {
            let text = if before.ends_with(['[', ',']) {
                format!("{{close: \"${{{end}}}\"}}, ")
            } else if self.text[..start].ends_with("- ") {
                let indent = " ".repeat(self.column(start).saturating_sub(2));
                format!("close: ${{{end}}}\n{indent}- ")
            } else {
                continue;
            };
            self.next_group();
            let what = format!("{who}: close {end} before line {line}");
            self.add(Sort::LetGo, &[who], what, vec![(start..start, text)]);
        }
    }
}

/// A value inside `{}` or `[]`: in quotes if it has such signs itself.
fn in_flow(value: &str) -> Cow<'_, str> {
    if value.contains(['{', '}', '[', ']', ',']) {
        Cow::Owned(format!("\"{value}\""))
    } else {
        Cow::Borrowed(value)
    }
}

/// The page that a step locks or unlocks, as it is written: the region, and the page if that is said.
fn page_in_words(step: &Node) -> Option<(&str, Option<&str>)> {
    let scalar = |key: &str| match get(step, key).map(|node| &node.value) {
        Some(Yaml::Scalar(text)) => Some(text.text.as_str()),
        _ => None,
    };
    Some((scalar("lock").or(scalar("unlock"))?, scalar("page")))
}

/// Whether a step, or one inside it, gives a lock back.
fn gives_back(node: &Node, lock: &(&str, Option<&str>)) -> bool {
    match &node.value {
        Yaml::List(steps) => steps.iter().any(|step| gives_back(step, lock)),
        Yaml::Map(entries) => {
            (verb(node) == Some("unlock") && page_in_words(node).as_ref() == Some(lock))
                || entries.iter().any(|(_, value)| gives_back(value, lock))
        }
        Yaml::Scalar(_) => false,
    }
}

/// The variables that the ends of pipes and channels go to.
fn variables_of_ends<'n>(node: &'n Node, ends: &mut Vec<&'n str>) {
    match &node.value {
        Yaml::List(items) => items.iter().for_each(|item| variables_of_ends(item, ends)),
        Yaml::Map(entries) => {
            if let Some(write) = get(node, "write-end") {
                for end in [get(node, "create"), Some(write)].into_iter().flatten() {
                    if let Yaml::Scalar(name) = &end.value {
                        ends.push(&name.text);
                    }
                }
            }
            for (_, value) in entries {
                variables_of_ends(value, ends);
            }
        }
        Yaml::Scalar(_) => {}
    }
}
