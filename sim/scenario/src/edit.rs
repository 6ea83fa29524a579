//! Changing a scenario before it is read: `--set kernel.buffering=1`, and the `with:` of a claim.

use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};
use crate::table::TOP;
use crate::tree::{Node, Yaml};

/// A step of a path, and where it stands.
type Segment = Placed<Way>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    Key(String),
    Item(usize),
}

/// Puts a value at the place that a path names: the keys of the YAML as written, joined by dots, list items
/// as `[0]`. Everything above it must exist; a top-level table that is left out counts as empty.
///
/// Errors: an invalid path, or one that leads nowhere, with the nearest key that exists.
pub fn set(root: &mut Node, path: &Placed<String>, value: Node) -> Result<(), Box<Diagnostic>> {
    let segments = parse(path)?;
    let mut node = root;
    let mut walked = String::new();
    let (last, parents) = segments.split_last().expect("a path has at least one segment");
    for (depth, segment) in parents.iter().enumerate() {
        if depth == 0 {
            add_missing_table(node, segment);
        }
        node = descend(node, segment, &walked)?;
        show(&mut walked, &segment.value);
    }
    match (&last.value, &mut node.value) {
        (Way::Key(key), Yaml::Map(entries)) => {
            match entries.iter_mut().find(|(name, _)| name.value == *key) {
                Some((_, old)) => *old = value,
                None => entries.push((Placed::new(key.clone(), last.at), value)),
            }
            Ok(())
        }
        (Way::Item(item), Yaml::List(items)) if *item < items.len() => {
            items[*item] = value;
            Ok(())
        }
        _ => Err(nowhere(last, node, &walked)),
    }
}

/// The items of lists that a change, `path=value`, means by their numbers, each with its list.
pub fn numbered<'n>(root: &'n Node, change: &str) -> Vec<(&'n Node, &'n Node)> {
    let path = change.split_once('=').map_or(change, |(path, _)| path).trim();
    let Ok(segments) = parse(&Placed::new(path.to_string(), Place::default())) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut node = root;
    for segment in segments {
        let next = match (&node.value, &segment.value) {
            (Yaml::Map(entries), Way::Key(key)) => {
                entries.iter().find(|(name, _)| name.value == *key).map(|(_, value)| value)
            }
            (Yaml::List(items), Way::Item(item)) => {
                let item = items.get(*item);
                found.extend(item.map(|item| (node, item)));
                item
            }
            _ => None,
        };
        let Some(next) = next else { break };
        node = next;
    }
    found
}

/// The scalar that a path names, as it is written.
pub fn get(root: &Node, path: &Placed<String>) -> Option<String> {
    let mut node = root;
    for segment in parse(path).ok()? {
        node = match (&node.value, &segment.value) {
            (Yaml::Map(entries), Way::Key(key)) => {
                &entries.iter().find(|(name, _)| name.value == *key)?.1
            }
            (Yaml::List(items), Way::Item(item)) => items.get(*item)?,
            _ => return None,
        };
    }
    match &node.value {
        Yaml::Scalar(scalar) => Some(scalar.text.clone()),
        Yaml::List(_) | Yaml::Map(_) => None,
    }
}

fn add_missing_table(root: &mut Node, segment: &Segment) {
    let Placed { value: Way::Key(key), at } = segment else { return };
    let Yaml::Map(entries) = &mut root.value else { return };
    let known = TOP.iter().any(|known| known.name == key);
    if known && !entries.iter().any(|(name, _)| name.value == *key) {
        entries.push((Placed::new(key.clone(), *at), Placed::new(Yaml::Map(Vec::new()), *at)));
    }
}

fn descend<'a>(
    node: &'a mut Node,
    segment: &Segment,
    walked: &str,
) -> Result<&'a mut Node, Box<Diagnostic>> {
    let found = match (&node.value, &segment.value) {
        (Yaml::Map(entries), Way::Key(key)) => {
            entries.iter().position(|(name, _)| name.value == *key)
        }
        (Yaml::List(items), Way::Item(item)) => (*item < items.len()).then_some(*item),
        _ => None,
    };
    let Some(found) = found else { return Err(nowhere(segment, node, walked)) };
    Ok(match &mut node.value {
        Yaml::Map(entries) => &mut entries[found].1,
        Yaml::List(items) => &mut items[found],
        Yaml::Scalar(_) => unreachable!("nothing is found in a scalar"),
    })
}

fn nowhere(segment: &Segment, node: &Node, walked: &str) -> Box<Diagnostic> {
    let place = if walked.is_empty() { "the scenario".to_string() } else { format!("`{walked}`") };
    let diagnostic = |message: String| Diagnostic::new(Code::BadPath, segment.at, message);
    Box::new(match (&segment.value, &node.value) {
        (Way::Key(key), Yaml::Map(entries)) => {
            let names = entries.iter().map(|(name, _)| name.value.as_str());
            let list = names.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
            let has = if list.is_empty() {
                "nothing stands there".into()
            } else {
                format!("it has {list}")
            };
            diagnostic(format!("{place} has no key `{key}`")).did_you_mean(key, names).help(has)
        }
        (Way::Item(item), Yaml::List(items)) => diagnostic(format!("{place} has no item [{item}]"))
            .label(format!("it has {} items, counted from [0]", items.len())),
        (Way::Key(_), other) => {
            diagnostic(format!("{place} is {}, and has no keys", other.describe()))
                .label("an item of a list is written `[0]`")
        }
        (Way::Item(_), other) => {
            diagnostic(format!("{place} is {}, and has no items", other.describe()))
        }
    })
}

fn show(walked: &mut String, way: &Way) {
    match way {
        Way::Key(key) => {
            if !walked.is_empty() {
                walked.push('.');
            }
            walked.push_str(key);
        }
        Way::Item(item) => walked.push_str(&format!("[{item}]")),
    }
}

/// `processes.P1[0].wait`, keys with other characters in quotes: `files."/srv/printer".mode`.
fn parse(path: &Placed<String>) -> Result<Vec<Segment>, Box<Diagnostic>> {
    let wrong = |what: &str| {
        Box::new(
            Diagnostic::new(
                Code::BadPath,
                path.at,
                format!("`{}` is not a path: {what}", path.value),
            )
            .label("write keys with dots between them: `kernel.buffering`, `processes.P1[0].wait`"),
        )
    };
    // A quoted key is not spelt in the file as it reads; then the diagnostic points at the whole path.
    let spelt = path.at.bytes().len() == path.value.len();
    let place = |rest: &str, length: usize| {
        let start = path.value.len() - rest.len();
        if spelt { path.at.within(start..start + length) } else { path.at }
    };
    let mut segments = Vec::new();
    let mut rest = path.value.as_str();
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').ok_or_else(|| wrong("a quote is not closed"))?;
            let at = place(rest, end + 2);
            segments.push(Placed::new(Way::Key(quoted[..end].to_string()), at));
            rest = &quoted[end + 1..];
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                return Err(wrong("a key is missing"));
            }
            segments.push(Placed::new(Way::Key(rest[..end].to_string()), place(rest, end)));
            rest = &rest[end..];
        }
        while let Some(index) = rest.strip_prefix('[') {
            let end = index.find(']').ok_or_else(|| wrong("a `[` is not closed"))?;
            let item =
                index[..end].parse().map_err(|_| wrong("between `[` and `]` stands a number"))?;
            segments.push(Placed::new(Way::Item(item), place(rest, end + 2)));
            rest = &index[end + 1..];
        }
        match rest.strip_prefix('.') {
            Some(more) => rest = more,
            None if rest.is_empty() => return Ok(segments),
            None => return Err(wrong("a dot is missing")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;
    use crate::tree;

    fn check(text: &str, path: &str, value: &str) -> Result<Node, String> {
        let mut root = tree::parse(text, 0).expect("the test's scenario is YAML");
        let value = tree::parse(value, 1).expect("the test's value is YAML");
        let path = Placed::new(path.to_string(), Place::default());
        match set(&mut root, &path, value) {
            Ok(()) => Ok(root),
            Err(diagnostic) => Err(diagnostic.message),
        }
    }

    #[test]
    fn a_path_leads_through_mappings_and_lists() {
        let root = check("a: {b: [{c: 1}, {c: 2}]}", "a.b[1].c", "3").expect("the path exists");
        let expected = tree::parse("a: {b: [{c: 1}, {c: 3}]}", 0).expect("this is YAML");
        assert_eq!(strip(&root), strip(&expected));
    }

    #[test]
    fn a_key_with_other_characters_stands_in_quotes() {
        assert!(check("files: {/srv/p: {mode: a}}", "files.\"/srv/p\".mode", "b").is_ok());
    }

    #[test]
    fn a_top_level_table_that_is_left_out_counts_as_empty() {
        assert!(check("processes: {}", "kernel.memory", "4KiB").is_ok());
        assert_eq!(
            check("processes: {}", "colour.sky", "1").unwrap_err(),
            "the scenario has no key `colour`"
        );
    }

    #[test]
    fn a_path_that_leads_nowhere_says_where_it_ends() {
        assert_eq!(check("a: {b: 1}", "a.c.d", "1").unwrap_err(), "`a` has no key `c`");
        assert_eq!(check("a: [1]", "a[1]", "1").unwrap_err(), "`a` has no item [1]");
        assert_eq!(
            check("a: 1", "a.b", "1").unwrap_err(),
            "`a` is a single value, and has no keys"
        );
        assert!(check("a: 1", "a..b", "1").unwrap_err().contains("a key is missing"));
    }

    fn strip(node: &Node) -> String {
        match &node.value {
            Yaml::Scalar(scalar) => scalar.text.clone(),
            Yaml::List(items) => {
                format!("[{}]", items.iter().map(strip).collect::<Vec<_>>().join(","))
            }
            Yaml::Map(entries) => {
                let entries =
                    entries.iter().map(|(key, value)| format!("{}:{}", key.value, strip(value)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }
        }
    }
}
