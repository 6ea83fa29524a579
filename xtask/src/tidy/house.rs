//! What the house promises: no truth values in what a kernel is made of, no circles of imports between different nouns,
//! and a verb that is known in few places.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// In so many files outside of the tests a verb may be named at most: its word, its form, what it may do, how it is
/// performed, and what the scenario's tables and compiler make of it. Most need five.
const FILES_OF_A_VERB: usize = 9;

/// Where a verb may be named by its variant. Everybody else asks what it may do.
const KNOWS_VERBS: [&str; 5] = [
    "sim/program/src/",
    "sim/kernel/src/step/",
    "sim/scenario/src/compile/",
    "sim/scenario/src/table/",
    "sim/scenario/src/reference/",
];

pub(super) fn check(root: &Path, found: &mut Vec<String>) {
    let files = ["sim/program/src", "sim/kernel/src"].map(|folder| sources(root, folder));
    for (name, text) in files.iter().flatten() {
        check_truth_values(name, text, found);
    }
    for files in &files {
        check_circles(files, found);
    }
    check_verbs(root, found);
}

/// The Rust files below a folder, without their tests.
fn sources(root: &Path, folder: &str) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    super::collect(&root.join(folder), &mut paths);
    paths.sort();
    let text = |path: &Path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split("#[cfg(test)]").next().unwrap_or_default().to_string()
    };
    let name = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    paths.iter().map(|path| (name(path), text(path))).collect()
}

/// States, machines and programs have two variants where others have `true` and `false`: what they say can be read at
/// their places.
fn check_truth_values(name: &str, text: &str, found: &mut Vec<String>) {
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.ends_with(": bool,") && !line.contains("fn ") && !line.contains('(') {
            found
                .push(format!("{name}:{}: a `bool` in a structure: say what it means", number + 1));
        }
    }
}

/// The noun of a file: its folder below `src`, or the file itself.
fn noun(name: &str) -> &str {
    let inside = name.split("/src/").nth(1).unwrap_or(name);
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
}

/// Which nouns a file imports from its own crate. What stands above a file at the top is the crate.
fn imports(name: &str, text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut nouns = BTreeSet::new();
    let is_at_the_top = name.split("/src/").nth(1).is_some_and(|inside| !inside.contains('/'));
    let root = if is_at_the_top { "super::" } else { "crate::" };
    let parts = code.flat_map(|line| line.split("crate::").skip(1).chain(line.split(root).skip(1)));
    for part in parts {
        let group = part.strip_prefix('{').and_then(|part| part.split('}').next());
        for path in group.unwrap_or(part).split(if group.is_some() { ',' } else { ';' }) {
            let letters = path.trim().chars();
            nouns.insert(letters.take_while(|c| c.is_ascii_lowercase() || *c == '_').collect());
        }
    }
    nouns
}

/// Files of one noun may know each other; different nouns only in one direction.
fn check_circles(files: &[(String, String)], found: &mut Vec<String>) {
    let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, text) in files {
        known.entry(noun(name)).or_default().extend(imports(name, text));
    }
    for from in known.keys().filter(|noun| !["lib", "main"].contains(*noun)) {
        if let Some(way) = way_back(&known, from) {
            found.push(format!("{}: a circle of imports: {}", files[0].0, way.join(" → ")));
            return;
        }
    }
}

/// A way by which a noun imports itself through others.
fn way_back(known: &BTreeMap<&str, BTreeSet<String>>, from: &str) -> Option<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut open = vec![vec![from.to_string()]];
    while let Some(way) = open.pop() {
        let at = way.last().map_or(from, String::as_str);
        for next in known.get(at).into_iter().flatten() {
            let mut longer = way.clone();
            longer.push(next.clone());
            if next == from && way.len() > 1 {
                return Some(longer);
            }
            if next != from && known.contains_key(next.as_str()) && seen.insert(next.clone()) {
                open.push(longer);
            }
        }
    }
    None
}

/// A verb is named where it is told, performed and compiled, and nowhere else.
fn check_verbs(root: &Path, found: &mut Vec<String>) {
    let folders = ["sim", "report/src", "cli"].map(|folder| sources(root, folder));
    let mut named: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (name, text) in folders.iter().flatten().filter(|(name, _)| !name.contains("/tests/")) {
        for mark in ["Verb::", "CallWord::"] {
            for part in text.split(mark).skip(1) {
                let verb: String = part.chars().take_while(char::is_ascii_alphanumeric).collect();
                if verb.starts_with(char::is_uppercase) {
                    named.entry(verb).or_default().insert(name);
                }
            }
        }
    }
    for (verb, files) in named {
        let elsewhere: Vec<&&str> = files
            .iter()
            .filter(|file| !KNOWS_VERBS.iter().any(|it| file.starts_with(it)))
            .collect();
        if files.len() > FILES_OF_A_VERB {
            let files: Vec<&str> = files.iter().copied().collect();
            found.push(format!("the verb {verb} is named in {} files: {files:?}", files.len()));
        }
        if !elsewhere.is_empty() {
            found
                .push(format!("the verb {verb} is named in {elsewhere:?}: ask what a call may do"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(texts: &[(&str, &str)]) -> Vec<(String, String)> {
        let file = |(name, text): &(&str, &str)| (format!("sim/x/src/{name}"), (*text).to_string());
        texts.iter().map(file).collect()
    }

    #[test]
    fn a_circle_of_nouns_is_found_and_one_within_a_noun_is_none() {
        let mut found = Vec::new();
        let own = [("a/mod.rs", "use crate::a::b::X;"), ("a/b.rs", "use crate::a::Y;")];
        check_circles(&files(&own), &mut found);
        assert!(found.is_empty(), "{found:?}");
        let far =
            [("a.rs", "use crate::b::X;"), ("b.rs", "use crate::c::Y;"), ("c.rs", "crate::a::Z")];
        check_circles(&files(&far), &mut found);
        assert_eq!(found.len(), 1, "{found:?}");
        let above = [("a.rs", "use super::b::X;"), ("b.rs", "use crate::a::Y;")];
        check_circles(&files(&above), &mut found);
        assert_eq!(found.len(), 2, "{found:?}");
        let grouped =
            [("a.rs", "use crate::{b, c::X};"), ("b.rs", ""), ("c.rs", "use crate::a::Y;")];
        check_circles(&files(&grouped), &mut found);
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn a_truth_value_in_a_structure_is_found() {
        let mut found = Vec::new();
        check_truth_values("sim/x/src/a.rs", "struct A {\n    pub is_old: bool,\n}\n", &mut found);
        check_truth_values("sim/x/src/a.rs", "fn a(\n    is_old: u32,\n) -> bool {}\n", &mut found);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
