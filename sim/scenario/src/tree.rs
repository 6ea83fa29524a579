//! The tree that a file is read into: YAML, but every node keeps its place and how it was written.
//!
//! The events come from `granit-parser`, the parser below serde-saphyr. They distinguish quoted
//! from unquoted text, and show tags and comments; a serde reader shows none of that.

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle};

use crate::advice::{FLOW_HELP, Stop, advice};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};

/// Nodes that a file may have, including those that aliases repeat.
const NODES: usize = 4_000_000;
/// Levels of nesting.
const DEPTH: usize = 64;

/// A node with its place.
pub type Node = Placed<Yaml>;

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Yaml {
    /// A scalar.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(Placed<String>, Node)>),
}

/// A scalar, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// What it says.
    pub text: String,
    /// How it was written.
    pub style: Style,
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: it is what it looks like.
    Plain,
    /// In quotes: it is text.
    Quoted,
    /// As a block after `|` or `>`: it is text.
    Block,
}

impl Scalar {
    /// Whether it stands for nothing: `null`, `~`, or no value at all.
    pub fn is_null(&self) -> bool {
        self.style == Style::Plain
            && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Yaml {
    /// What it is, for a message.
    pub fn describe(&self) -> &'static str {
        match self {
            Yaml::Scalar(scalar) if scalar.is_null() => "nothing",
            Yaml::Scalar(_) => "a single value",
            Yaml::List(_) => "a list",
            Yaml::Map(_) => "a mapping",
        }
    }
}

/// Reads a text into a tree. The place of every node is in the source with this number.
///
/// Errors: what YAML or this language does not allow, wherever it stands in the tree.
pub fn parse(text: &str, source: u32) -> Result<Node, Vec<Diagnostic>> {
    let mut builder = Builder {
        text,
        source,
        open: Vec::new(),
        root: None,
        anchors: BTreeMap::new(),
        nodes: 0,
        last_plain: None,
        found: Vec::new(),
    };
    match builder.document() {
        Ok(Some(_)) if !builder.found.is_empty() => Err(builder.found),
        Ok(Some(node)) => Ok(node),
        Ok(None) => Err(vec![
            Diagnostic::new(Code::NotAScenario, builder.bytes(0, 0), "the file is empty")
                .label("a scenario needs at least `processes:`")
                .help("`ipcsim new FILE` writes a scenario to start from"),
        ]),
        Err(diagnostic) => {
            builder.found.push(*diagnostic);
            Err(builder.found)
        }
    }
}

/// A part of the tree, or what made the reader stop.
type Built<T> = Result<T, Box<Diagnostic>>;

struct Builder<'a> {
    text: &'a str,
    source: u32,
    /// The lists and mappings that are not complete yet, the outermost first.
    open: Vec<Open>,
    root: Option<Part>,
    anchors: BTreeMap<usize, Part>,
    nodes: usize,
    /// The unquoted scalar that has just ended.
    last_plain: Option<Place>,
    found: Vec<Diagnostic>,
}

/// A node with its number of nodes and its depth, so that repeating it is cheap to count.
#[derive(Clone)]
struct Part {
    node: Node,
    size: usize,
    depth: usize,
}

/// A list or a mapping that is not complete yet.
struct Open {
    at: Place,
    anchor: usize,
    style: StructureStyle,
    size: usize,
    depth: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<(Placed<String>, Node)>,
        keys: BTreeMap<String, Place>,
        /// The key whose value comes next.
        key: Option<Placed<String>>,
    },
}

impl Builder<'_> {
    fn document(&mut self) -> Built<Option<Node>> {
        let mut options = Options::default();
        options.set_emit_comments(true);
        options.block_nesting_limit = DEPTH;
        options.flow_nesting_limit = DEPTH;
        let text = self.text;
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            self.event(event, &span)?;
        }
        Ok(self.root.take().map(|part| part.node))
    }

    fn event(&mut self, event: Event, span: &Span) -> Built<()> {
        let at = self.place(span);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => Err(Box::new(
                Diagnostic::new(Code::SeveralDocuments, at, "a file holds one scenario")
                    .label("a second document begins here"),
            )),
            Event::Comment(..) => {
                self.comment(at);
                Ok(())
            }
            Event::Alias(anchor) => {
                let part = self.alias(anchor, at)?;
                self.add(part)
            }
            Event::Scalar(value, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), span, at);
                let node = self.scalar(value.into_owned(), style, at);
                let part = self.finish(Part { node, size: 1, depth: 0 }, anchor)?;
                self.add(part)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), span, at);
                self.begin(Content::List(Vec::new()), style, anchor, at);
                Ok(())
            }
            Event::MappingStart(style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), span, at);
                let (entries, keys) = (Vec::new(), BTreeMap::new());
                self.begin(Content::Map { entries, keys, key: None }, style, anchor, at);
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let part = self.end(at)?;
                self.add(part)
            }
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, value: String, style: ScalarStyle, at: Place) -> Node {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            _ => Style::Block,
        };
        self.last_plain = (style == Style::Plain).then_some(at);
        // The parser writes `~` for a value that is not there.
        let is_missing = value == "~" && &self.text[at.bytes()] != "~";
        if is_missing {
            let at = Place { start: at.end, ..at };
            return Placed::new(Yaml::Scalar(Scalar { text: String::new(), style }), at);
        }
        Placed::new(Yaml::Scalar(Scalar { text: value, style }), at)
    }

    fn begin(&mut self, content: Content, style: StructureStyle, anchor: usize, at: Place) {
        self.open.push(Open { at, anchor, style, size: 1, depth: 0, content });
    }

    /// Completes the innermost list or mapping.
    fn end(&mut self, at: Place) -> Built<Part> {
        let open = self.open.pop().expect("the parser balances its lists and mappings");
        let (value, last) = match open.content {
            Content::List(items) => {
                let last = items.last().map(|item| item.at.end);
                (Yaml::List(items), last)
            }
            Content::Map { entries, .. } => {
                let last = entries.last().map(|(key, value)| value.at.end.max(key.at.end));
                (Yaml::Map(entries), last)
            }
        };
        // In block style the end is known only when the next thing comes.
        let end = match open.style {
            StructureStyle::Flow => at.end,
            StructureStyle::Block => last.unwrap_or(open.at.end),
        };
        let place = Place { end: end.max(open.at.start), ..open.at };
        let part = Part { node: Placed::new(value, place), size: open.size, depth: open.depth + 1 };
        self.finish(part, open.anchor)
    }

    /// Puts a complete node into the list or mapping around it.
    fn add(&mut self, part: Part) -> Built<()> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(part);
            return Ok(());
        };
        open.size += part.size;
        open.depth = open.depth.max(part.depth);
        match &mut open.content {
            Content::List(items) => items.push(part.node),
            Content::Map { entries, keys, key } => match key.take() {
                None => *key = Some(as_key(part.node)?),
                Some(name) => {
                    let found = entry(entries, keys, name, part.node, open.style);
                    self.found.extend(found);
                }
            },
        }
        Ok(())
    }

    fn finish(&mut self, part: Part, anchor: usize) -> Built<Part> {
        self.count(1, part.node.at)?;
        if anchor != 0 {
            self.anchors.insert(anchor, part.clone());
        }
        Ok(part)
    }

    fn alias(&mut self, anchor: usize, at: Place) -> Built<Part> {
        let Some(part) = self.anchors.get(&anchor) else {
            return Err(Box::new(
                Diagnostic::new(Code::Syntax, at, "an alias stands inside what it repeats")
                    .label("write out what is meant"),
            ));
        };
        // Counted before it is repeated: ten aliases per line are a bomb.
        let (size, depth) = (part.size, part.depth);
        self.count(size, at)?;
        if self.open.len() + depth > DEPTH {
            return Err(too_deep(at));
        }
        Ok(self.anchors[&anchor].clone())
    }

    fn count(&mut self, nodes: usize, at: Place) -> Built<()> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= NODES {
            return Ok(());
        }
        Err(Box::new(
            Diagnostic::new(
                Code::TooMuch,
                at,
                format!("the file has more than {NODES} nodes, counting what aliases repeat"),
            )
            .label("the limit is reached here")
            .help("use `replicas:` and `repeat:` instead of writing everything out"),
        ))
    }

    fn refuse_tag(&mut self, tagged: bool, span: &Span, at: Place) {
        if tagged {
            let start = span.tag_start.and_then(|mark| mark.byte_offset());
            let at = match start {
                Some(start) => self.tag_place(start),
                None => at,
            };
            let diagnostic = Diagnostic::new(Code::Tag, at, "a scenario has no YAML tags")
                .label("remove this")
                .help(
                    "a step is written `- send: text`, a text that begins with `!` in quotes, and `!x` of other languages as `not x`",
                );
            self.found.push(diagnostic);
        }
    }

    fn tag_place(&self, start: usize) -> Place {
        let rest = &self.text[start..];
        let length = rest.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(rest.len());
        self.bytes(start, start + length)
    }

    /// `to: box1 #3` says `box1`; nobody who writes a `#` right in front of a word means that.
    fn comment(&mut self, at: Place) {
        let Some(scalar) = self.last_plain else { return };
        let between = self.text.get(scalar.bytes().end..at.bytes().start).unwrap_or("\n");
        let said = self.text[at.bytes()].as_bytes().get(1).copied();
        let is_remark = said.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'#' | b'!' | b'-'));
        let on_one_line = between.chars().all(|c| matches!(c, ' ' | '\t'));
        if on_one_line && !is_remark && !scalar.bytes().is_empty() {
            let diagnostic = Diagnostic::new(
                Code::SwallowedByComment,
                at,
                "a `#` behind a space begins a comment: this is not part of the text",
            )
            .label("if it belongs to the text, put the whole text in quotes")
            .help("if it is a comment, write a space behind the `#`");
            self.found.push(diagnostic);
        }
    }

    fn syntax(&self, error: &granit_parser::ScanError) -> Box<Diagnostic> {
        let start = error.marker().byte_offset().map_or(self.text.len(), |byte| byte);
        let start = start.min(self.text.len());
        let end = self.text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
        let at = self.bytes(start, end);
        if *error.kind() == granit_parser::ErrorKind::RecursionLimitExceeded {
            return too_deep(at);
        }
        let info = error.info();
        let message = if info.contains("mapping values are not allowed") {
            "this is not YAML: a `:` stands where no key can be".to_string()
        } else if info.contains("simple key") {
            "this is not YAML: a key has no `:` behind it".to_string()
        } else {
            format!("this is not YAML: {info}")
        };
        let diagnostic =
            Diagnostic::new(Code::Syntax, at, message).label("the reader stopped here");
        Box::new(diagnostic.help(advice(&Stop { text: self.text, at: start, info: &info })))
    }

    fn place(&self, span: &Span) -> Place {
        let start = span.start.byte_offset().unwrap_or(0);
        let end = span.end.byte_offset().map_or(start, |end| end);
        self.bytes(start, end.max(start))
    }

    fn bytes(&self, start: usize, end: usize) -> Place {
        let place = Place::of_file(start..end);
        Place { source: self.source, ..place }
    }
}

fn too_deep(at: Place) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::new(
            Code::TooMuch,
            at,
            format!("the file is nested deeper than {DEPTH} levels"),
        )
        .label("the limit is reached here"),
    )
}

fn as_key(node: Node) -> Built<Placed<String>> {
    match node.value {
        Yaml::Scalar(scalar) => Ok(Placed::new(scalar.text, node.at)),
        Yaml::List(_) | Yaml::Map(_) => Err(Box::new(
            Diagnostic::new(Code::Flow, node.at, "a key must be a single word")
                .label("this is a list or a mapping")
                .help(FLOW_HELP),
        )),
    }
}

/// Puts an entry into a mapping; returns what is wrong with it.
fn entry(
    entries: &mut Vec<(Placed<String>, Node)>,
    keys: &mut BTreeMap<String, Place>,
    key: Placed<String>,
    value: Node,
    style: StructureStyle,
) -> Option<Diagnostic> {
    if let Some(first) = keys.get(&key.value) {
        let message = format!("`{}` is written twice", key.value);
        return Some(
            Diagnostic::new(Code::DuplicateKey, key.at, message)
                .label("again")
                .related(*first, "first here"),
        );
    }
    // `{body: hello, world}` reads as two entries, the second without a value.
    let is_missing = |node: &Node| matches!(&node.value, Yaml::Scalar(scalar) if scalar.text.is_empty() && scalar.is_null());
    let before_has_value = entries.last().is_some_and(|(_, before)| !is_missing(before));
    if style == StructureStyle::Flow && is_missing(&value) && before_has_value {
        let message =
            format!("`{}` has no value: the comma before it ends the value in front", key.value);
        return Some(
            Diagnostic::new(Code::Flow, key.at, message)
                .label("if it belongs to that value, put the value in quotes")
                .help(FLOW_HELP),
        );
    }
    keys.insert(key.value.clone(), key.at);
    entries.push((key, value));
    None
}

/// A tree in one line, scalars as they are written.
pub fn outline(node: &Node) -> String {
    match &node.value {
        Yaml::Scalar(scalar) if scalar.is_null() => "null".into(),
        Yaml::Scalar(scalar) => scalar.text.clone(),
        Yaml::List(items) => {
            let items: Vec<String> = items.iter().map(outline).collect();
            format!("[{}]", items.join(", "))
        }
        Yaml::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", key.value, outline(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}
