//! A `close` that is missing: an end of a pipe that a process has open and does not need keeps others waiting for its end.

use super::steps::inside;
use super::{Finder, Sort, get, verb};
use crate::tree::{Node, Yaml};

impl Finder<'_> {
    /// Ends may be closed by a child as soon as it is forked, and by whoever made them before it waits.
    pub(super) fn missing_closes(&mut self, who: &str, node: &Node) {
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
            self.add(Sort::Close, &[who], what, vec![(start..start, text)]);
        }
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
