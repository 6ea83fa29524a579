//! What is probably wrong if a file is not YAML. The parser says where it stopped, which is often after
//! the mistake; what the author did must be guessed from the lines around it.

use crate::table::Verb;
use crate::word;

/// Where the parser stopped.
pub(crate) struct Stop<'a> {
    /// The whole text, and the byte in it.
    pub text: &'a str,
    pub at: usize,
    /// What the parser says.
    pub info: &'a str,
}

/// Advice for whoever wrote the text.
pub(crate) fn advice(stop: &Stop) -> String {
    let begins = stop.text[..stop.at].rfind('\n').map_or(0, |end| end + 1);
    let line = stop.text[begins..].lines().next().unwrap_or("");
    let before = &line[..stop.at - begins];
    let above = stop.text[..begins].lines().next_back().unwrap_or("");
    let found = None
        .or_else(|| of_indentation_by_tab(before))
        .or_else(|| of_a_quote(stop, begins))
        .or_else(|| of_a_missing_space(line, above))
        .or_else(|| of_two_keys(line))
        .or_else(|| of_a_bracket(stop))
        .or_else(|| of_a_value_in_brackets(stop, line))
        .or_else(|| of_a_key_too_far(before, above));
    found.unwrap_or_else(|| {
        let is_step = before.trim().is_empty() || before.trim_start().starts_with('-');
        if before.contains('{') || before.contains('[') {
            FLOW_HELP.into()
        } else if is_step && !before.contains(": ") {
            "the keys of one step stand exactly below each other, and so do the steps of a list"
                .into()
        } else {
            "a text that holds `: ` or begins with a special character needs quotes".into()
        }
    })
}

/// What must be quoted inside brackets.
pub(crate) const FLOW_HELP: &str =
    "inside `{…}` and `[…]` whatever holds `,` `[` `]` `{` or `}` must be quoted";

fn of_indentation_by_tab(before: &str) -> Option<String> {
    (before.contains('\t') && before.trim().is_empty())
        .then(|| "YAML indents with spaces; this line begins with a tab".into())
}

/// A quote that is not closed, or closed by an apostrophe.
fn of_a_quote(stop: &Stop, begins: usize) -> Option<String> {
    if stop.info.contains("after single-quoted") {
        return Some("inside '…' an apostrophe is written twice; inside \"…\" once".into());
    }
    if !stop.info.contains("quoted scalar") {
        return None;
    }
    let end = stop.text[begins..].find('\n').map_or(stop.text.len(), |end| begins + end);
    let lines: Vec<&str> = stop.text[..end].lines().collect();
    let is_open = |line: &&str| ['"', '\''].iter().any(|q| line.matches(*q).count() % 2 == 1);
    let place = lines.iter().rposition(is_open)?;
    Some(format!("the quote in line {} is never closed", place + 1))
}

fn of_a_missing_space(line: &str, above: &str) -> Option<String> {
    let is_glued_key = |line: &str| {
        let line = line.trim_start_matches([' ', '-']);
        line.split_once(':').is_some_and(|(name, rest)| {
            word::is_name(name) && !rest.is_empty() && !rest.starts_with(' ')
        })
    };
    let is_glued_step = |line: &str| {
        let rest = line.trim_start().strip_prefix('-');
        rest.and_then(|rest| rest.split_once(':')).is_some_and(|(name, _)| word::is_name(name))
    };
    if is_glued_key(line) || is_glued_key(above) {
        Some("a space is missing behind the `:`".into())
    } else if is_glued_step(line) || is_glued_step(above) {
        Some("a space is missing behind the `-`".into())
    } else {
        None
    }
}

/// Two keys in one line: `then: log: x`, `send: x, to: box`, `{send: hi to: B}`.
fn of_two_keys(line: &str) -> Option<String> {
    let line = line.trim_start_matches([' ', '-']);
    if let Some(inside) = line.rfind('{').and_then(|at| line[at + 1..].split('}').next()) {
        let (first, rest) = inside.split_once(": ")?;
        let (value, second) = rest.split_once(": ").and_then(|(it, rest)| {
            let (value, key) = it.rsplit_once(' ')?;
            (!value.contains([',', '[']) && word::is_name(key))
                .then(|| (value, format!("{key}: {rest}")))
        })?;
        return Some(format!("a comma is missing: write `{{{first}: {value}, {second}}}`"));
    }
    let (first, rest) = line.split_once(": ")?;
    let (value, after) = rest.split_once(": ")?;
    if !word::is_name(first) || value.contains(['\'', '"']) {
        return None;
    }
    if STEPS_BELOW.contains(&first) && word::is_name(value) {
        return Some(format!("write `{first}: [{{{value}: {after}}}]`"));
    }
    let (value, key) = value.rsplit_once(' ')?;
    let value = value.trim_end_matches(',').trim_end();
    let is_step = Verb::find(first).is_some() && word::is_name(key);
    is_step.then(|| format!("write `{first}: {value}` and `{key}: {after}` below it"))
}

/// Keys with steps below them.
const STEPS_BELOW: [&str; 4] = ["then", "else", "do", "forever"];

/// A bracket that is not closed, in a line above.
fn of_a_bracket(stop: &Stop) -> Option<String> {
    if !stop.info.contains("flow mapping") && !stop.info.contains("flow sequence") {
        return None;
    }
    let mut open: Vec<(char, usize)> = Vec::new();
    for (number, line) in stop.text[..stop.at].lines().enumerate() {
        for c in line.chars() {
            match c {
                '{' | '[' => open.push((c, number + 1)),
                '}' | ']' => {
                    open.pop();
                }
                _ => {}
            }
        }
    }
    let here = stop.text[..stop.at].lines().count();
    let (bracket, line) = open.pop().filter(|(_, line)| *line < here)?;
    Some(format!("the `{bracket}` in line {line} is never closed"))
}

/// A value inside `{…}` that holds a bracket or a comma itself.
fn of_a_value_in_brackets(stop: &Stop, line: &str) -> Option<String> {
    if !stop.info.contains("flow mapping") && !stop.info.contains("flow sequence") {
        return None;
    }
    let inside = line.get(line.rfind('{')? + 1..line.rfind('}')?)?;
    let (key, value) = inside.split_once(": ")?;
    let is_one = word::is_name(key.trim()) && !value.contains(['\'', '"']);
    (is_one && value.contains(['[', ']', ','])).then(|| {
        let (key, value) = (key.trim(), value.trim());
        format!("write `{{{key}: '{value}'}}`: inside `{{…}}` a value with brackets needs quotes")
    })
}

/// A key below the value of the line above, and not below its key.
fn of_a_key_too_far(before: &str, above: &str) -> Option<String> {
    let key = before.trim_start();
    let inset = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let (other, value) = above.trim_start_matches([' ', '-']).split_once(": ")?;
    (word::is_name(key) && word::is_name(other) && !value.trim().is_empty())
        .then_some(())
        .filter(|()| inset(before) > inset(above))?;
    Some(format!("`{key}` is indented too far: it belongs exactly below `{other}`"))
}
