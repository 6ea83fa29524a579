//! From text to machine in one go: reading, changing, compiling, and the same for every claim.

use ipcsim_kernel::{Machine, Predicate};

use crate::ast::{Claim, Scenario};
use crate::compile::{self, Compiled};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::place::{Place, Placed, Source};
use crate::read::{Fix, Read};
use crate::tree::{Node, Yaml, parse};
use crate::{edit, read};

/// A scenario that was read, with what is wrong with it.
pub struct Loaded {
    /// The texts that diagnostics point into.
    pub sources: Vec<Source>,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
    /// The scenario in the author's words, as far as it could be read.
    pub scenario: Scenario,
    /// The machine; none if there was an error.
    pub machine: Option<Machine>,
    /// What could be written more plainly, if nothing was changed by `--set`.
    pub fixes: Vec<Fix>,
    predicates: Vec<Option<Predicate>>,
    root: Option<Node>,
    max_threads: u32,
}

/// What a claim is about.
#[derive(Clone, Debug)]
pub struct Case {
    /// The machine, with what the claim changes.
    pub machine: Machine,
    /// What `always` or `eventually` says.
    pub predicate: Option<Predicate>,
}

/// What is asked of [`load`] besides the text.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Changes of the form `path=value`, made in order before the text is understood.
    pub sets: Vec<String>,
    /// How many threads a scenario may have at the same time.
    pub max_threads: u32,
    /// Another file, whose claims replace the text's own.
    pub expect: Option<Expect>,
    /// Whether the claims will be asked.
    pub claims: Claims,
}

/// Whether claims will be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claims {
    /// They are, so it is an error if what one of them changes is not there.
    Asked,
    /// They are not: in a scenario that was changed itself, the changes of a claim may lead nowhere.
    NotAsked,
}

/// A file with claims: a scenario, or nothing but `expect:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// Its name in diagnostics.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            sets: Vec::new(),
            max_threads: ipcsim_kernel::limits::THREADS,
            expect: None,
            claims: Claims::Asked,
        }
    }
}

/// Reads and compiles a text.
pub fn load(name: &str, bytes: &[u8], options: &LoadOptions) -> Loaded {
    // A byte order mark is allowed and ignored.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let text = text.as_ref();
    let mut loaded = Loaded {
        sources: vec![Source::new(name, text)],
        diagnostics: Vec::new(),
        scenario: Scenario::default(),
        machine: None,
        fixes: Vec::new(),
        predicates: Vec::new(),
        root: None,
        max_threads: options.max_threads,
    };
    if let Some(diagnostic) = not_text(bytes) {
        loaded.diagnostics.push(diagnostic);
        return loaded;
    }
    let mut root = match parse(text, 0) {
        Ok(root) => root,
        Err(diagnostics) => {
            loaded.diagnostics = diagnostics;
            return loaded;
        }
    };
    for change in &options.sets {
        loaded.apply(&mut root, change);
    }
    if let Some(expect) = &options.expect {
        loaded.expect(&mut root, expect);
    }
    if loaded.diagnostics.is_empty() {
        loaded.finish(root, options.claims);
    }
    loaded
}

impl Loaded {
    /// Whether the scenario cannot run.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Replaces its claims with those of another file.
    fn expect(&mut self, root: &mut Node, expect: &Expect) {
        let number = u32::try_from(self.sources.len()).expect("few arguments");
        self.sources.push(Source::new(&expect.name, &expect.text));
        let claims = match parse(&expect.text, number) {
            Ok(Node { value: Yaml::Map(entries), .. }) => {
                entries.into_iter().find(|(key, _)| key.value == "expect")
            }
            Ok(_) => None,
            Err(found) => {
                self.diagnostics.extend(found);
                return;
            }
        };
        let is_empty = |node: &Node| matches!(&node.value, Yaml::List(items) if items.is_empty());
        let Some(claims) = claims.filter(|(_, claims)| !is_empty(claims)) else {
            let start = Place { source: number, ..Place::of_file(0..0) };
            self.diagnostics.push(
                Diagnostic::new(Code::BadClaim, start, "this file claims nothing")
                    .label("write `expect:` with at least one claim below it"),
            );
            return;
        };
        // What is not a mapping is not a scenario; that is reported later.
        if let Yaml::Map(entries) = &mut root.value {
            entries.retain(|(key, _)| key.value != "expect");
            entries.push(claims);
        }
    }

    fn apply(&mut self, root: &mut Node, change: &str) {
        let number = u32::try_from(self.sources.len()).expect("few arguments");
        self.sources.push(Source::new(&format!("--set {change}"), change));
        let place =
            |start: usize, end: usize| Place { source: number, ..Place::of_file(start..end) };
        let Some(equals) = find_equals(change) else {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::BadPath,
                    place(0, change.len()),
                    "a change is written path=value",
                )
                .label("the `=` is missing"),
            );
            return;
        };
        let path = Placed::new(change[..equals].trim().to_string(), place(0, equals));
        if change[equals + 1..].trim().is_empty() {
            let at = place(equals, equals + 1);
            self.diagnostics.push(
                Diagnostic::new(Code::BadPath, at, "there is no value behind the `=`")
                    .label("write `none` for no value, `\"\"` for an empty text"),
            );
            return;
        }
        let result = value_node(&change[equals + 1..], number, equals + 1)
            .and_then(|value| edit::set(root, &path, value));
        if let Err(diagnostic) = result {
            self.diagnostics.push(*diagnostic);
        }
    }

    fn finish(&mut self, root: Node, claims: Claims) {
        let Read { scenario, found, fixes, lost } = read::read(&root);
        (self.diagnostics, self.fixes) = (found, fixes);
        let is_whole = !self.has_errors();
        let (compiled, mut found) = compile::compile(&scenario, &self.sources[0], self.max_threads);
        if is_whole {
            if let Some(Compiled { machine, predicates }) = compiled {
                (self.machine, self.predicates) = (Some(machine), predicates);
            }
            if claims == Claims::Asked {
                scenario.claims.iter().for_each(|claim| self.check_claim(&root, claim));
            }
        } else {
            // What could not be read is missing now; only what does not follow from that is reported.
            let declares_all = read::declares_all(&root, &scenario);
            let text = &self.sources[0].text;
            let is_lost = |at: Place| {
                at.source == 0
                    && text.get(at.bytes()).is_some_and(|it| lost.iter().any(|name| name == it))
            };
            found.retain(|it| declares_all && it.code == Code::UnknownName && !is_lost(it.at));
        }
        self.diagnostics.extend(found);
        if self.has_errors() {
            self.machine = None;
        }
        self.diagnostics.sort_by_key(|d| (d.at, d.severity, d.code));
        self.diagnostics.dedup();
        self.scenario = scenario;
        self.root = Some(root);
    }

    /// A claim about a changed scenario: the changed one is checked like a file.
    fn check_claim(&mut self, root: &Node, claim: &Claim) {
        if claim.with.is_empty() {
            return;
        }
        if let Err(found) = self.changed(root, claim) {
            let errors = found.into_iter().filter(|d| d.severity == Severity::Error);
            self.diagnostics.extend(errors);
        }
    }

    /// What the claim with this number is about.
    pub fn case(&self, claim: usize) -> Option<Case> {
        let changed = &self.scenario.claims[claim];
        let (machine, mut predicates) = if changed.with.is_empty() {
            (self.machine.clone()?, self.predicates.clone())
        } else {
            let compiled = self.changed(self.root.as_ref()?, changed).ok()?;
            (compiled.machine, compiled.predicates)
        };
        Some(Case { machine, predicate: predicates.swap_remove(claim) })
    }

    /// The scenario as a claim changes it.
    fn changed(&self, root: &Node, claim: &Claim) -> Result<Compiled, Vec<Diagnostic>> {
        let mut root = root.clone();
        for (path, value) in &claim.with {
            edit::set(&mut root, path, value.clone()).map_err(|diagnostic| vec![*diagnostic])?;
        }
        let Read { scenario, found, .. } = read::read(&root);
        if found.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return Err(found);
        }
        let (compiled, found) = compile::compile(&scenario, &self.sources[0], self.max_threads);
        compiled.ok_or(found)
    }

    /// The value that a path has now, as it is written; nothing if there is none, or it is not a scalar.
    pub fn value_at(&self, path: &str) -> Option<String> {
        let path = Placed::new(path.to_string(), Place::default());
        edit::get(self.root.as_ref()?, &path)
    }
}

/// The text with everything written plainly that can be: each change is made only if the scenario stays the
/// same, or has fewer errors. Also returns how many changes were made.
pub fn fixed(name: &str, text: &str, options: &LoadOptions) -> (String, usize) {
    let read = |text: &str| load(name, text.as_bytes(), options);
    let errors = |loaded: &Loaded| {
        loaded.diagnostics.iter().filter(|it| it.severity == Severity::Error).count()
    };
    let mut text = text.to_string();
    let mut before = read(&text);
    let mut made = 0;
    loop {
        let made_before = made;
        // Last one first, so that the places of the others stay valid.
        let mut fixes = std::mem::take(&mut before.fixes);
        fixes.sort_by_key(|fix| std::cmp::Reverse(fix.at));
        for Fix { at, text: plain } in fixes.into_iter().filter(|fix| fix.at.source == 0) {
            let mut changed = text.clone();
            changed.replace_range(at.bytes(), &plain);
            let after = read(&changed);
            let is_the_same = after.machine.is_some()
                && format!("{:?}", after.machine) == format!("{:?}", before.machine);
            if is_the_same || errors(&after) < errors(&before) {
                (text, before) = (changed, after);
                made += 1;
            }
        }
        // What could not be judged next to an error can be once the error is gone.
        if made == made_before {
            break;
        }
    }
    (text, made)
}

/// What is wrong with bytes that are not UTF-8 text.
fn not_text(bytes: &[u8]) -> Option<Diagnostic> {
    if let Some(zero) = bytes.iter().position(|byte| *byte == 0) {
        // The place is counted in the text as it is shown, where a wrong byte takes three.
        let at = String::from_utf8_lossy(&bytes[..zero]).len();
        return Some(
            Diagnostic::new(Code::NotText, Place::of_file(at..at), "this file is not text")
                .label("a zero byte stands here")
                .help(
                    "a scenario is a text in UTF-8; is this one in UTF-16, or no scenario at all?",
                ),
        );
    }
    let error = std::str::from_utf8(bytes).err()?;
    let at = error.valid_up_to();
    Some(
        Diagnostic::new(Code::NotText, Place::of_file(at..at), "this file is not UTF-8")
            .label(format!("byte {} has no meaning in UTF-8", at + 1))
            .help("save it as UTF-8 in your editor"),
    )
}

/// The `=` between path and value; one inside quotes belongs to a key.
fn find_equals(change: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in change.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'=' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// A value of `--set`, read as YAML; its places are moved to where it stands in the argument.
fn value_node(text: &str, source: u32, offset: usize) -> Result<Node, Box<Diagnostic>> {
    let mut node = parse(text, source).map_err(|mut found| {
        let mut first = found.swap_remove(0);
        first.at = moved(first.at, offset);
        Box::new(first)
    })?;
    shift(&mut node, offset);
    Ok(node)
}

fn moved(at: Place, offset: usize) -> Place {
    Place {
        source: at.source,
        ..Place::of_file(at.bytes().start + offset..at.bytes().end + offset)
    }
}

fn shift(node: &mut Node, offset: usize) {
    node.at = moved(node.at, offset);
    match &mut node.value {
        Yaml::Scalar(_) => {}
        Yaml::List(items) => items.iter_mut().for_each(|item| shift(item, offset)),
        Yaml::Map(entries) => {
            for (key, value) in entries {
                key.at = moved(key.at, offset);
                shift(value, offset);
            }
        }
    }
}
