//! Values that have something below them: assignments, parameters, branches, threads, entries.

use super::{Fix, Reader};
use crate::ast::{Arg, Declaration};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::Placed;
use crate::table::{self, Kind};
use crate::tree::{Node, Style, Yaml};
use crate::word;

impl Reader {
    pub(super) fn assignments(&mut self, node: &Node) -> Option<Arg> {
        if let Yaml::Scalar(scalar) = &node.value
            && let Some((name, value)) = scalar.text.split_once('=')
            && word::is_name(name.trim())
            && !value.starts_with('=')
        {
            let text = assignment(name.trim(), value.trim());
            let what = format!("`set` takes a mapping, not `{}`", scalar.text);
            self.note(Diagnostic::new(Code::WrongType, node.at, what).label(match &text {
                Some(text) => format!("write `set: {text}`"),
                None => format!("write `set: {{{}: …}}`", name.trim()),
            }));
            if scalar.style == Style::Plain {
                self.fixes.extend(text.map(|text| Fix { at: node.at, text }));
            }
            return None;
        }
        let entries = self.mapping(node, "`set`")?;
        let mut assignments = Vec::new();
        for (name, value) in entries {
            self.check_name(name);
            if let Some(expr) = self.expression(&name.value, value) {
                assignments.push((name.clone(), expr));
            }
        }
        Some(Arg::Assignments(assignments))
    }

    pub(super) fn branches(&mut self, node: &Node) -> Option<Arg> {
        let Yaml::List(items) = &node.value else {
            return self.expected("choose", "a list of lists of steps", node);
        };
        if items.is_empty() {
            return self.expected("choose", "a list with at least one branch", node);
        }
        let mut branches = Vec::new();
        for item in items {
            if let Yaml::Map(_) = &item.value {
                self.note(
                    Diagnostic::new(
                        Code::WrongType,
                        item.at,
                        "each branch of `choose` is a list of steps, not one step",
                    )
                    .label("write `- ` in front once more: `- - log: a`, or `- [{log: a}]`"),
                );
                return None;
            }
            branches.push(self.steps_or_none("choose", item)?);
        }
        Some(Arg::Branches(branches))
    }

    pub(super) fn parameters(&mut self, node: &Node) -> Option<Arg> {
        let entries = self.mapping(node, "`with`")?;
        let mut parameters = Vec::new();
        for (name, value) in entries {
            self.check_name(name);
            if let Some(value) = self.value(&name.value, value) {
                parameters.push((name.clone(), value));
            }
        }
        Some(Arg::Parameters(parameters))
    }

    pub(super) fn threads(&mut self, node: &Node) -> Option<Arg> {
        let entries = self.mapping(node, "`threads`")?;
        if entries.is_empty() {
            self.note(super::empty_program(node.at, "threads"));
        }
        let mut threads = Vec::new();
        for (name, value) in entries {
            self.check_name(name);
            let fields = match &value.value {
                Yaml::List(_) => {
                    let steps = self.argument(Kind::Steps, "do", value);
                    let steps = steps
                        .map(|steps| (Placed::new("do", name.at), Placed::new(steps, value.at)));
                    crate::ast::Fields(steps.into_iter().collect())
                }
                Yaml::Scalar(scalar) if scalar.is_null() => {
                    self.note(super::empty_program(name.at, &name.value));
                    continue;
                }
                _ => self.table(value, table::THREAD, "a thread"),
            };
            threads.push(Declaration { name: name.clone(), fields });
        }
        Some(Arg::Threads(threads))
    }

    pub(super) fn entries(&mut self, node: &Node) -> Option<Arg> {
        let entries = self.mapping(node, "`entries`")?;
        let mut result = Vec::new();
        for (name, value) in entries {
            if let Some(reference) = self.reference(value) {
                result.push((name.clone(), reference));
            }
        }
        Some(Arg::Entries(result))
    }
}

/// `{sum: 0}` for `sum = 0`, with quotes around what needs them inside `{…}`; nothing if that is not clear.
fn assignment(name: &str, value: &str) -> Option<String> {
    let needs_quotes = value.contains(['[', ']', '{', '}', ':', '#', '"', '&', '*']);
    // More than one assignment, or quotes in quotes: it is not certain what was meant.
    let is_plain = !value.contains(['\'', '\\', '=']) && (!value.contains(',') || needs_quotes);
    let quote = if needs_quotes { "'" } else { "" };
    is_plain.then(|| format!("{{{name}: {quote}{value}{quote}}}"))
}
