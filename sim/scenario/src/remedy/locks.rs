//! Boxes that are locks: whoever takes the token puts it back.

use std::collections::BTreeSet;

use super::{entries, get, verb};
use crate::tree::{Node, Yaml};

/// The boxes that are locks, as steps name them: each thread that takes from one later puts back. A mailbox,
/// a port, or a variable through which a program gets one.
pub(super) fn locks(root: &Node) -> Vec<String> {
    let mut bodies = Vec::new();
    let mut boxes: BTreeSet<String> = BTreeSet::new();
    for table in ["mailboxes", "ports"] {
        boxes.extend(entries(get(root, table)).iter().map(|(name, _)| name.value.clone()));
    }
    let mut given = Vec::new();
    for table in ["processes", "programs"] {
        for (_, node) in entries(get(root, table)) {
            thread_bodies(node, &mut bodies);
            let with = entries(get(node, "with")).iter();
            let is_box = |value: &Node| boxes.iter().any(|name| names(Some(value), name));
            given.extend(with.filter(|(_, value)| is_box(value)).map(|(key, _)| key.value.clone()));
        }
    }
    boxes.extend(given);
    let is_lock = |name: &String| {
        let mut takers = 0;
        for body in &bodies {
            let takes =
                |step: &&Node| verb(step) == Some("receive") && names(get(step, "from"), name);
            let puts = |step: &&Node| verb(step) == Some("send") && names(get(step, "to"), name);
            let Some(first) = body.iter().position(takes) else { continue };
            if !body[first..].iter().any(puts) {
                return false;
            }
            takers += 1;
        }
        takers > 0
    };
    boxes.into_iter().filter(is_lock).collect()
}

/// The steps of each thread in a node, in the order of the file; a thread that is started in a step has its
/// own.
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
            for (_, value) in entries {
                steps_of_one_thread(value, at, bodies);
            }
        }
        Yaml::Scalar(_) => {}
    }
}

/// Whether some value below a node mentions this name.
pub(super) fn mentions(node: &Node, name: &str) -> bool {
    match &node.value {
        Yaml::Scalar(scalar) => {
            let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
            scalar.text.split(|c| !is_part(c)).any(|word| word == name)
        }
        Yaml::List(items) => items.iter().any(|item| mentions(item, name)),
        Yaml::Map(entries) => entries.iter().any(|(_, value)| mentions(value, name)),
    }
}

/// Whether a source or a destination is this object, a member of this family, or this variable, as `lock` or
/// `${lock}`.
pub(super) fn names(node: Option<&Node>, wanted: &str) -> bool {
    match node.map(|node| &node.value) {
        Some(Yaml::Scalar(scalar)) => {
            let text = scalar.text.as_str();
            let inside = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
            base(inside.unwrap_or(text)) == wanted
        }
        Some(Yaml::List(items)) => items.iter().any(|item| names(Some(item), wanted)),
        _ => false,
    }
}

pub(super) fn base(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

/// Shows every step in a node.
pub(super) fn each_step<'a>(node: &'a Node, show: &mut impl FnMut(&'a Node)) {
    match &node.value {
        Yaml::List(items) => items.iter().for_each(|item| each_step(item, show)),
        Yaml::Map(entries) => {
            if verb(node).is_some() {
                show(node);
            }
            for (_, value) in entries {
                each_step(value, show);
            }
        }
        Yaml::Scalar(_) => {}
    }
}
