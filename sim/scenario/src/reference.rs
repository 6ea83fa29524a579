//! The reference of the language, made from its tables: it describes exactly what the reader accepts.
//!
//! `ipcsim help WORD` shows an entry, the book has all of them. What a word means is said once, in the
//! tables, where the schema and the errors find it, too.

mod examples;
mod policies;
mod sheet;
mod words;

use ipcsim_kernel::{Field, Outcome};

use crate::table::synonyms::{At, meant};
use crate::table::{
    COSTS, FILE, FUNCTIONS, GRANT, KERNEL, Key, Kind, MAILBOX, MEASURES, NAME_SERVER, Need, PORT,
    PORT_SET, PROCESS, PROGRAM, SCHEDULE_OUTCOMES, THREAD, TOP, TRANSFER, Unit, VERBS, Verb,
};
use examples::example;
use policies::{of_elsewhere, policies, values_in_words};
pub use sheet::cheat_sheet;
use words::{
    CLAIMS, NAMES, PATHS, WAITS, default, ending, field, function, kind_in_words, limits, outcome,
};

/// What the reference says about a word in one of its meanings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The word.
    pub word: &'static str,
    /// What sort of word it is: `a step`, `a key of kernel`.
    pub sort: String,
    /// How it is written.
    pub written: String,
    /// What it means.
    pub meaning: String,
    /// What may stand next to it or below it: how it is written, and what it means.
    pub keys: Vec<(String, String)>,
    /// The outcomes that a step can have.
    pub outcomes: Vec<&'static str>,
    /// A whole scenario that shows it.
    pub example: Option<&'static str>,
}

/// A chapter of the reference.
pub struct Chapter {
    /// What it is called.
    pub title: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its entries.
    pub entries: Vec<Entry>,
}

/// The whole reference.
pub fn chapters() -> Vec<Chapter> {
    vec![steps(), keys(), policies(), expressions(), outcomes(), claims(), paths_and_limits()]
}

fn steps() -> Chapter {
    Chapter {
        title: "Steps",
        about: "A step is a mapping with one verb; its other keys belong to that verb. Each example is a whole scenario.",
        entries: VERBS.iter().map(of_verb).chain(step_keys()).collect(),
    }
}

fn keys() -> Chapter {
    let tables: [(&str, &'static [Key]); 13] = [
        ("a scenario", TOP),
        ("kernel", KERNEL),
        ("kernel.costs", COSTS),
        ("a mailbox", MAILBOX),
        ("a port", PORT),
        ("a port set", PORT_SET),
        ("a name server", NAME_SERVER),
        ("a file", FILE),
        ("a program", PROGRAM),
        ("a process", PROCESS),
        ("a thread in threads", THREAD),
        ("a right in rights", GRANT),
        ("memory in a message", TRANSFER),
    ];
    let of_table =
        |(of, keys): (&'static str, &'static [Key])| keys.iter().map(move |key| of_key(of, key));
    Chapter {
        title: "Keys of the file",
        about: "What can stand at the top of the file and below it. Whatever is left out has its default.",
        entries: tables.into_iter().flat_map(of_table).collect(),
    }
}

fn expressions() -> Chapter {
    let functions = FUNCTIONS.iter().map(|(name, ..)| of_function(name));
    let fields = Field::ALL.iter().copied().map(of_field);
    let names =
        NAMES.iter().map(|(word, meaning)| simple(word, "a name in expressions", word, meaning));
    Chapter {
        title: "Expressions",
        about: "Expressions stand in `if`, `while`, `assert`, `set`, `in` and claims, and elsewhere inside `${…}`. Operators are `+ - * / % == != < <= > >= and or not`, `x[i]` and `m.body`.",
        entries: functions.chain(fields).chain(names).collect(),
    }
}

fn outcomes() -> Chapter {
    let waits =
        WAITS.iter().map(|(word, meaning)| simple(word, "a thread that waits", word, meaning));
    Chapter {
        title: "Outcomes",
        about: "How a call ends, and what a thread is called that is still in one. An outcome other than `ok` that `when:` does not handle is an exception of the thread.",
        entries: Outcome::ALL.iter().copied().map(of_outcome).chain(waits).collect(),
    }
}

fn claims() -> Chapter {
    let of_claim = |(word, written, meaning): &(&'static str, &str, &str)| {
        simple(word, "a claim", written, meaning)
    };
    let ends = SCHEDULE_OUTCOMES
        .iter()
        .map(|word| simple(word, "an end of a run or a schedule", word, ending(word)));
    let measures = MEASURES.iter().map(|measure| {
        let most = match measure.unit {
            Unit::Duration => "10ms",
            Unit::Size => "4KiB",
            Unit::Number => "3",
        };
        let written = format!("- run: {{at-most: {{{}: {most}}}}}", measure.name);
        simple(measure.name, "a measure of a run", &written, measure.meaning)
    });
    Chapter {
        title: "Claims",
        about: "What can stand below `expect:`, the ways in which a run or a schedule ends, and what a run is measured in.",
        entries: CLAIMS.iter().map(of_claim).chain(ends).chain(measures).collect(),
    }
}

fn paths_and_limits() -> Chapter {
    let paths = PATHS.iter().map(|(written, meaning)| simple("paths", "a path", written, meaning));
    let limits = limits().into_iter();
    let limits = limits
        .map(|(of, most, meaning)| simple("limits", "a limit", &format!("{of}: {most}"), meaning));
    Chapter {
        title: "Paths and limits",
        about: "How a value is named in `--set` and `with:`, and how much there can be of anything.",
        entries: paths.chain(limits).collect(),
    }
}

/// What the reference says about a word, in all its meanings.
pub fn entries_of(word: &str) -> Vec<Entry> {
    let all = chapters().into_iter().flat_map(|chapter| chapter.entries);
    let found: Vec<Entry> = all.filter(|entry| entry.word == word).collect();
    if found.is_empty() { of_elsewhere(word) } else { found }
}

/// Every word of the reference, once.
pub fn all_words() -> Vec<&'static str> {
    let all = chapters().into_iter().flat_map(|chapter| chapter.entries);
    let mut words: Vec<&str> = all.map(|entry| entry.word).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// What a word from elsewhere means here, if people are known to bring it.
pub fn brought(word: &str) -> Option<&'static str> {
    let places = [
        At::Verb,
        At::StepKey,
        At::Top,
        At::Kernel,
        At::Mailbox,
        At::Process,
        At::Claim,
        At::Outcome,
        At::Ending,
        At::Function,
        At::Field,
    ];
    places.into_iter().find_map(|at| meant(word, at))
}

fn simple(word: &'static str, sort: &str, written: &str, meaning: &str) -> Entry {
    Entry {
        word,
        sort: sort.to_string(),
        written: written.to_string(),
        meaning: meaning.to_string(),
        keys: Vec::new(),
        outcomes: Vec::new(),
        example: None,
    }
}

fn of_verb(verb: &'static Verb) -> Entry {
    let sort = if verb.is_call() { "a step, a system call" } else { "a step, local work" };
    let written = match verb.operand {
        Kind::Nothing => format!("- {}", verb.name()),
        other => format!("- {}: {}", verb.name(), kind_in_words(other)),
    };
    let outcomes = verb.word.outcomes().iter().map(|outcome| outcome.word()).collect();
    Entry {
        keys: verb.all_keys().map(described).collect(),
        outcomes,
        example: example(verb.name()),
        ..simple(verb.name(), sort, &written, verb.doc)
    }
}

/// The keys of steps, each with the verbs that it can go with.
fn step_keys() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for verb in VERBS {
        for key in verb.all_keys() {
            let (written, meaning) = described(key);
            let beside = (format!("- {}", verb.name()), meaning);
            match entries.iter_mut().find(|entry| entry.word == key.name) {
                Some(entry) => entry.keys.push(beside),
                None => {
                    let entry =
                        simple(key.name, "a key of steps", &written, "Used with these steps");
                    entries.push(Entry { keys: vec![beside], ..entry });
                }
            }
        }
    }
    entries
}

fn of_key(of: &str, key: &'static Key) -> Entry {
    let need = if key.need == Need::Required { ", which must be there" } else { "" };
    let (written, _) = described(key);
    let default = default(of, key.name).map_or_else(String::new, |it| format!("; default `{it}`"));
    let meaning = format!("{}{default}", key.doc);
    let entry = simple(key.name, &format!("a key of {of}{need}"), &written, &meaning);
    Entry { keys: values_in_words(key), ..entry }
}

/// A key as it is written, and what it means.
fn described(key: &'static Key) -> (String, String) {
    let value = kind_in_words(key.kind);
    let written =
        if value.is_empty() { format!("{}:", key.name) } else { format!("{}: {value}", key.name) };
    let need = if key.need == Need::Required { " (needed)" } else { "" };
    (written, format!("{}{need}", key.doc))
}

fn of_function(name: &'static str) -> Entry {
    let (written, meaning) = function(name);
    Entry { example: example(name), ..simple(name, "a function", written, meaning) }
}

fn of_field(of: Field) -> Entry {
    simple(of.word(), "a field of a message", &format!("m.{}", of.word()), field(of))
}

fn of_outcome(of: Outcome) -> Entry {
    let verbs = VERBS.iter().filter(|verb| verb.word.outcomes().contains(&of)).map(Verb::name);
    let verbs: Vec<&str> = verbs.collect();
    let written = format!("when: {{{}: [ … ]}}", of.word());
    let entry = simple(of.word(), "an outcome of a call", &written, outcome(of));
    if verbs.is_empty() {
        return entry;
    }
    Entry { keys: vec![("of".into(), verbs.join(", "))], ..entry }
}

impl Entry {
    /// The entry as a terminal shows it.
    pub fn text(&self) -> String {
        let mut out =
            format!("{}  ({})\n\n  {}\n  {}\n", self.word, self.sort, self.written, self.meaning);
        if !self.keys.is_empty() {
            let width = self.keys.iter().map(|(written, _)| written.chars().count()).max();
            let width = width.unwrap_or(0).min(34);
            out.push('\n');
            for (written, meaning) in &self.keys {
                let line = format!("    {written:width$}  {meaning}");
                out.push_str(&format!("{}\n", line.trim_end()));
            }
        }
        if !self.outcomes.is_empty() {
            out.push_str(&format!("\n  outcomes: ok {}\n", self.outcomes.join(" ")));
        }
        if let Some(example) = self.example {
            out.push_str("\n  for example\n\n");
            example.lines().for_each(|line| out.push_str(&format!("    {line}\n")));
        }
        out
    }

    /// The entry as the book shows it.
    pub fn markdown(&self) -> String {
        let mut out = format!(
            "### `{}`\n\n{}: `{}`\n\n{}.\n",
            self.word,
            capital(&self.sort),
            self.written,
            self.meaning.trim_end_matches('.')
        );
        if !self.keys.is_empty() {
            out.push_str("\n| | |\n| --- | --- |\n");
            for (written, meaning) in &self.keys {
                out.push_str(&format!("| `{written}` | {meaning} |\n"));
            }
        }
        if !self.outcomes.is_empty() {
            let words: Vec<String> = self.outcomes.iter().map(|word| format!("`{word}`")).collect();
            out.push_str(&format!("\nOutcomes: `ok` {}\n", words.join(" ")));
        }
        if let Some(example) = self.example {
            out.push_str(&format!("\n```yaml\n{example}```\n"));
        }
        out
    }
}

impl Chapter {
    /// The chapter as a page of the book.
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n\n{}\n", self.title, self.about);
        let mut of = "";
        for entry in &self.entries {
            let sort = entry.sort.split(',').next().unwrap_or("");
            if sort != of && self.entries.iter().any(|other| !other.sort.starts_with(sort)) {
                out.push_str(&format!("\n## {}\n", capital(sort)));
            }
            of = sort;
            out.push_str(&format!("\n{}", entry.markdown()));
        }
        out
    }

    /// The name of its page.
    pub fn file(&self) -> String {
        format!("reference-{}.md", self.title.to_lowercase().replace(' ', "-"))
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
