//! Reading: from the tree to a [`Scenario`], by the table of words.
//!
//! Nothing is silently ignored, and nothing stops at the first mistake: what is wrong is noted, and
//! reading goes on with the rest.

mod argument;
mod below;
mod claim;
mod reference;
mod rights;
mod step;

use crate::ast::{Arg, Declaration, Fields, Flag, Scenario};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::place::{Place, Placed};
use crate::table::synonyms::{self, At};
use crate::table::{self, Key, Kind, Need, Section};
use crate::tree::{Node, Yaml};
use crate::word;

/// What was read.
pub struct Read {
    /// What could be understood; it is complete if there is no error.
    pub scenario: Scenario,
    /// What is wrong.
    pub found: Vec<Diagnostic>,
    /// What could be written more plainly.
    pub fixes: Vec<Fix>,
    /// The variables of steps that are incomplete: that nothing else sets them is no mistake of its own.
    pub lost: Vec<String>,
}

/// A piece of the text that could be written more plainly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Where it stands.
    pub at: Place,
    /// What to write there.
    pub text: String,
}

/// Reads a tree.
pub fn read(root: &Node) -> Read {
    let mut reader = Reader {
        found: Vec::new(),
        has_listed_verbs: Flag::No,
        fixes: Vec::new(),
        lost: Vec::new(),
    };
    let scenario = reader.scenario(root);
    Read { scenario, found: reader.found, fixes: reader.fixes, lost: reader.lost }
}

/// Whether everything that the text declares is in the scenario, so that an undeclared name is a
/// mistake of its own, whatever else could not be read.
pub fn declares_all(root: &Node, scenario: &Scenario) -> bool {
    let Yaml::Map(entries) = &root.value else { return false };
    entries.iter().all(|(key, node)| match (key.value.as_str(), &node.value) {
        ("processes", Yaml::Map(declared)) => declared.len() == scenario.processes.len(),
        ("processes", _) => false,
        (name, value) => match Section::from_key(name) {
            Some(section) if Section::OF_OBJECTS.contains(&section) => {
                matches!(value, Yaml::Map(declared) if declared.len() == scenario[section].len())
            }
            _ => table::TOP.iter().any(|known| known.name == name),
        },
    })
}

struct Reader {
    found: Vec<Diagnostic>,
    /// Whether all verbs have been listed already: once is enough.
    has_listed_verbs: Flag,
    fixes: Vec<Fix>,
    lost: Vec<String>,
}

impl Reader {
    fn note(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    fn scenario(&mut self, root: &Node) -> Scenario {
        let mut scenario = Scenario::default();
        let Yaml::Map(entries) = &root.value else {
            self.note(
                Diagnostic::new(
                    Code::NotAScenario,
                    Place { end: root.at.start, ..root.at },
                    format!("a scenario is a mapping, this is {}", root.value.describe()),
                )
                .label("expected `processes:` and what else belongs to it")
                .help("`ipcsim new FILE` writes a scenario to start from"),
            );
            return scenario;
        };
        self.check_keys(entries, table::TOP, "a scenario", root.at);
        for (key, node) in entries {
            match key.value.as_str() {
                "title" => scenario.title = self.prose(node),
                "about" => scenario.about = self.prose(node),
                "slide" => scenario.slide = self.prose(node),
                "kernel" => scenario.kernel = self.table(node, table::KERNEL, "kernel"),
                "files" => scenario.files = self.files(node),
                "processes" => scenario.processes = self.processes(node),
                "expect" => scenario.claims = self.claims(node),
                key => {
                    if let Some(section) = Section::from_key(key) {
                        let declared = self.declarations(node, section.keys(), section.one());
                        scenario[section] = declared;
                    }
                }
            }
        }
        scenario
    }

    fn prose(&mut self, node: &Node) -> Option<Placed<String>> {
        match self.scalar(node, "a text")? {
            scalar if scalar.text.trim().is_empty() => None,
            scalar => Some(Placed::new(scalar.text.trim_end().to_string(), node.at)),
        }
    }

    /// Notes unknown and missing keys.
    fn check_keys(
        &mut self,
        entries: &[(Placed<String>, Node)],
        keys: &'static [Key],
        what: &str,
        at: Place,
    ) {
        for (key, _) in entries {
            if !keys.iter().any(|known| known.name == key.value) {
                let known = keys.iter().map(|known| known.name);
                self.unknown_key(key, place_of(keys), known, what);
            }
        }
        for key in keys.iter().filter(|key| key.need == Need::Required) {
            if !entries.iter().any(|(present, _)| is_or_means(&present.value, key.name, keys)) {
                let at = Place { end: at.end.min(at.start + 1), ..at };
                self.note(
                    Diagnostic::new(Code::MissingKey, at, format!("{what} needs `{}`", key.name))
                        .label(missing(key)),
                );
            }
        }
    }

    fn unknown_key<'a>(
        &mut self,
        key: &Placed<String>,
        at: At,
        known: impl Iterator<Item = &'a str> + Clone,
        what: &str,
    ) {
        let list = known.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
        let diagnostic =
            Diagnostic::new(Code::UnknownKey, key.at, format!("{what} has no key `{}`", key.value))
                .did_you_mean_at(&key.value, at, known)
                .otherwise("unknown here");
        if diagnostic.proposes() {
            return self.note(diagnostic);
        }
        let help = if list.is_empty() {
            format!("{what} has no keys of its own")
        } else {
            format!("its keys are {list}")
        };
        self.note(diagnostic.help(help));
    }

    /// A list of mappings with the keys of a table.
    fn tables(&mut self, node: &Node, keys: &'static [Key], what: &str) -> Option<Vec<Fields>> {
        match &node.value {
            Yaml::List(items) => {
                Some(items.iter().map(|item| self.table(item, keys, what)).collect())
            }
            other => {
                self.wrong_type(node.at, "expected a list", other);
                None
            }
        }
    }

    /// A mapping with the keys of a table.
    fn table(&mut self, node: &Node, keys: &'static [Key], what: &str) -> Fields {
        let Some(entries) = self.mapping(node, what) else { return Fields::default() };
        self.check_keys(entries, keys, what, node.at);
        let mut fields = Fields::default();
        for (key, value) in entries {
            let Some(known) = keys.iter().find(|known| known.name == key.value) else { continue };
            if let Some(arg) = self.argument(known.kind, known.name, value) {
                fields.0.push((Placed::new(known.name, key.at), Placed::new(arg, value.at)));
            }
        }
        fields
    }

    fn mapping<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a [(Placed<String>, Node)]> {
        match &node.value {
            Yaml::Map(entries) => Some(entries),
            Yaml::Scalar(scalar) if scalar.is_null() => {
                self.note(
                    Diagnostic::new(Code::Null, node.at, format!("{what} has nothing below it"))
                        .label("indent what belongs to it; `{}` is one without keys"),
                );
                None
            }
            other => {
                self.wrong_type(node.at, &format!("{what} is a mapping"), other);
                None
            }
        }
    }

    fn wrong_type(&mut self, at: Place, expected: &str, found: &Yaml) {
        let what = format!("this is {}", found.describe());
        self.note(
            Diagnostic::new(Code::WrongType, at, format!("{expected}, not {}", found.describe()))
                .label(what),
        );
    }

    /// Names with tables below them.
    fn declarations(&mut self, node: &Node, keys: &'static [Key], what: &str) -> Vec<Declaration> {
        let Some(entries) = self.mapping(node, "this") else { return Vec::new() };
        let mut declarations = Vec::new();
        for (name, value) in entries {
            self.check_name(name);
            let fields = self.table(value, keys, what);
            declarations.push(Declaration { name: name.clone(), fields });
        }
        declarations
    }

    fn files(&mut self, node: &Node) -> Vec<Declaration> {
        let Some(entries) = self.mapping(node, "files") else { return Vec::new() };
        let mut files = Vec::new();
        for (path, value) in entries {
            if !path.value.starts_with('/') || path.value.ends_with('/') {
                self.note(
                    Diagnostic::new(
                        Code::Files,
                        path.at,
                        format!("`{}` is not a path of a file", path.value),
                    )
                    .label("a path begins with `/` and does not end with it"),
                );
            }
            let fields = self.table(value, table::FILE, "a file");
            files.push(Declaration { name: path.clone(), fields });
        }
        files
    }

    fn check_name(&mut self, name: &Placed<String>) {
        if !word::is_name(&name.value) {
            let shown: String = name.value.chars().filter(|c| !c.is_control()).collect();
            self.note(
                Diagnostic::new(Code::BadName, name.at, format!("`{shown}` is not a name"))
                    .label("a name has letters, digits and `_`, and hyphens only before a letter")
                    .help("it begins with a letter: `box1`, not `box-1`"),
            );
        } else if word::RESERVED.contains(&name.value.as_str()) {
            self.note(
                Diagnostic::new(
                    Code::BadName,
                    name.at,
                    format!("`{}` is a word of the language", name.value),
                )
                .label("choose another name")
                .help(format!("reserved are {}", word::RESERVED.join(" "))),
            );
        }
    }

    fn processes(&mut self, node: &Node) -> Vec<Declaration> {
        let Some(entries) = self.mapping(node, "processes") else { return Vec::new() };
        if entries.is_empty() {
            self.note(
                Diagnostic::new(Code::NotAScenario, node.at, "there is no process")
                    .label("a scenario needs at least one"),
            );
        }
        let mut processes = Vec::new();
        for (name, value) in entries {
            self.check_name(name);
            let fields = match &value.value {
                // The short form: the steps of its one thread.
                Yaml::List(_) => match self.argument(Kind::Steps, "do", value) {
                    Some(steps) => {
                        Fields(vec![(Placed::new("do", name.at), Placed::new(steps, value.at))])
                    }
                    None => Fields::default(),
                },
                Yaml::Scalar(scalar) if scalar.is_null() => {
                    self.note(empty_program(name.at, &name.value));
                    Fields::default()
                }
                _ => self.process_table(name, value),
            };
            processes.push(Declaration { name: name.clone(), fields });
        }
        processes
    }

    fn process_table(&mut self, name: &Placed<String>, value: &Node) -> Fields {
        if let Yaml::Map(entries) = &value.value
            && let Some((verb, _)) =
                entries.iter().find(|(key, _)| table::Verb::find(&key.value).is_some())
        {
            self.note(
                Diagnostic::new(
                    Code::UnknownKey,
                    verb.at,
                    format!("`{}` is a step, and steps stand in a list", verb.value),
                )
                .label("put `- ` in front of each step"),
            );
            return Fields::default();
        }
        let before = self.found.len();
        let fields = self.table(value, table::PROCESS, "a process");
        let given: Vec<&str> = ["do", "program", "threads"]
            .into_iter()
            .filter(|key| {
                matches!(&value.value, Yaml::Map(entries) if entries.iter().any(|(k, _)| k.value == *key))
            })
            .collect();
        match given[..] {
            [] if self.found.len() == before => self.note(
                Diagnostic::new(
                    Code::MissingKey,
                    name.at,
                    format!("process `{}` does nothing", name.value),
                )
                .label("give it `do:`, `program:` or `threads:`"),
            ),
            [first, second, ..] => self.note(
                Diagnostic::new(
                    Code::UnknownKey,
                    fields.key(second).unwrap_or(name.at),
                    format!("process `{}` has both `{first}` and `{second}`", name.value),
                )
                .label("leave one of them away"),
            ),
            _ => {}
        }
        fields
    }
}

/// Where the words of a table stand.
fn place_of(keys: &'static [Key]) -> At {
    let tables = [
        (table::TOP, At::Top),
        (table::KERNEL, At::Kernel),
        (table::MAILBOX, At::Mailbox),
        (table::PROCESS, At::Process),
        (table::THREAD, At::Process),
        (table::PROGRAM, At::Process),
    ];
    let found = tables.into_iter().find(|(table, _)| *table == keys);
    // Every other table is about a single thing, for which nobody brings words.
    found.map_or(At::StepKey, |(_, at)| at)
}

/// Whether a key is this one, or a misspelling that probably means this one.
pub(crate) fn is_or_means(written: &str, name: &str, keys: &[Key]) -> bool {
    let write = |key: &str| format!("`{key}: ");
    written == name
        || synonyms::meant(written, At::StepKey).is_some_and(|it| it.contains(&write(name)))
        || (!keys.iter().any(|known| known.name == written)
            && nearest(written, keys.iter().map(|known| known.name)) == Some(name))
}

/// The program at a place has no step.
pub(crate) fn empty_program(at: Place, name: &str) -> Diagnostic {
    Diagnostic::new(Code::EmptyProgram, at, format!("`{name}` has no steps"))
        .label("write at least one step, such as `- log: hello`")
}

/// What to say about a missing key.
fn missing(key: &Key) -> String {
    match key.kind {
        Kind::Word(words) if words.len() <= 5 => {
            let choice = |word: &&str| format!("`{}: {word}`", key.name);
            let choices = match words {
                [rest @ .., last] if !rest.is_empty() => {
                    let rest: Vec<String> = rest.iter().map(choice).collect();
                    format!("{} or {}", rest.join(", "), choice(last))
                }
                only => only.iter().map(choice).collect(),
            };
            format!("write {choices} below it")
        }
        _ => format!("`{}:` is missing, {}", key.name, lower_first(key.doc)),
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// The value that a field must have if reading went well.
impl Arg {
    /// The steps, if these are steps.
    pub fn steps(&self) -> &[crate::ast::Step] {
        match self {
            Arg::Steps(steps) => steps,
            _ => &[],
        }
    }
}
