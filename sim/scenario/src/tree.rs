//! The tree that a file is read into: YAML, but every node keeps its place and how it was written.
//!
//! The events come from `granit-parser`, the parser below serde-saphyr. Its events tell quoted from
//! unquoted text, and show tags and comments; a reader by serde tells none of that.

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, Placement, ScalarStyle, Span, StructureStyle};

use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};

/// Nodes that a file may have, those that aliases repeat included.
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
    /// In quotes, or as a block: it is text.
    Quoted,
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
    // A byte order mark is allowed and says nothing; the places count its bytes.
    let skipped = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut builder = Builder {
        text,
        source,
        skipped,
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
    skipped: usize,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    /// The unquoted scalar that has just ended.
    last_plain: Option<Place>,
    found: Vec<Diagnostic>,
}

/// A collection that is not complete yet.
enum Open {
    List(Vec<Node>, Place, usize),
    Map(Vec<(Placed<String>, Node)>, Option<Placed<String>>, Place, usize, StructureStyle),
}

impl Builder<'_> {
    fn document(&mut self) -> Built<Option<Node>> {
        let mut options = Options::default();
        options.set_emit_comments(true);
        options.block_nesting_limit = DEPTH;
        options.flow_nesting_limit = DEPTH;
        let text = &self.text[self.skipped..];
        let mut root = None;
        let mut open: Vec<Open> = Vec::new();
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            let at = self.place(&span);
            let complete = match event {
                Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(Box::new(
                        Diagnostic::new(Code::SeveralDocuments, at, "a file holds one scenario")
                            .label("a second document begins here"),
                    ));
                }
                Event::DocumentStart(..) => continue,
                Event::Comment(_, placement) => {
                    self.comment(at, placement);
                    continue;
                }
                Event::Alias(anchor) => self.alias(anchor, at)?,
                Event::Scalar(value, style, anchor, tag) => {
                    self.refuse_tag(tag.is_some(), &span, at);
                    let style = match style {
                        ScalarStyle::Plain => Style::Plain,
                        _ => Style::Quoted,
                    };
                    self.last_plain = (style == Style::Plain).then_some(at);
                    let scalar = Scalar { text: value.into_owned(), style };
                    self.finish(Yaml::Scalar(scalar), at, anchor)?
                }
                Event::SequenceStart(_, anchor, tag) => {
                    self.refuse_tag(tag.is_some(), &span, at);
                    open.push(Open::List(Vec::new(), at, anchor));
                    continue;
                }
                Event::MappingStart(style, anchor, tag) => {
                    self.refuse_tag(tag.is_some(), &span, at);
                    open.push(Open::Map(Vec::new(), None, at, anchor, style));
                    continue;
                }
                Event::SequenceEnd => match open.pop() {
                    Some(Open::List(items, start, anchor)) => {
                        self.finish(Yaml::List(items), join(start, at), anchor)?
                    }
                    _ => unreachable!("the parser balances its lists"),
                },
                Event::MappingEnd => match open.pop() {
                    Some(Open::Map(entries, _, start, anchor, _)) => {
                        self.finish(Yaml::Map(entries), join(start, at), anchor)?
                    }
                    _ => unreachable!("the parser balances its mappings"),
                },
                _ => continue,
            };
            match open.last_mut() {
                None => root = Some(complete),
                Some(Open::List(items, ..)) => items.push(complete),
                Some(Open::Map(entries, key, _, _, style)) => match key.take() {
                    None => *key = Some(self.key(complete)?),
                    Some(name) => {
                        let style = *style;
                        self.entry(entries, name, complete, style);
                    }
                },
            }
        }
        Ok(root)
    }

    fn entry(
        &mut self,
        entries: &mut Vec<(Placed<String>, Node)>,
        key: Placed<String>,
        value: Node,
        style: StructureStyle,
    ) {
        if let Some((first, _)) = entries.iter().find(|(other, _)| other.value == key.value) {
            let diagnostic = Diagnostic::new(
                Code::DuplicateKey,
                key.at,
                format!("`{}` stands here twice", key.value),
            )
            .label("again")
            .related(first.at, "first here");
            self.found.push(diagnostic);
            return;
        }
        // `{body: hello, world}` reads as two entries, the second without a value.
        let no_value = matches!(&value.value, Yaml::Scalar(scalar) if scalar.text.is_empty() && scalar.is_null());
        if style == StructureStyle::Flow && no_value && !entries.is_empty() {
            let diagnostic = Diagnostic::new(
                Code::Flow,
                key.at,
                format!(
                    "`{}` has no value: the comma before it ends the value in front",
                    key.value
                ),
            )
            .label("if it belongs to that value, put the value in quotes")
            .help("inside `{…}` and `[…]` whatever holds `,` `[` `]` `{` or `}` must be quoted");
            self.found.push(diagnostic);
            return;
        }
        entries.push((key, value));
    }

    fn key(&self, node: Node) -> Built<Placed<String>> {
        match node.value {
            Yaml::Scalar(scalar) => Ok(Placed::new(scalar.text, node.at)),
            Yaml::List(_) | Yaml::Map(_) => Err(Box::new(
                Diagnostic::new(Code::Flow, node.at, "a key must be a single word")
                    .label("this is a list or a mapping")
                    .help("inside `{…}` and `[…]` whatever holds `,` `[` `]` `{` or `}` must be quoted"),
            )),
        }
    }

    fn finish(&mut self, value: Yaml, at: Place, anchor: usize) -> Built<Node> {
        self.count(1, at)?;
        let node = Placed::new(value, at);
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, at: Place) -> Built<Node> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(Box::new(
                Diagnostic::new(Code::Syntax, at, "an alias stands inside what it repeats")
                    .label("here"),
            ));
        };
        self.count(size(&node), at)?;
        Ok(node)
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
                Some(start) => self.tag_place(start + self.skipped),
                None => at,
            };
            let diagnostic = Diagnostic::new(Code::Tag, at, "a scenario has no YAML tags")
                .label("leave this away")
                .help(
                    "a step is written `- send: text`, and a text that begins with `!` in quotes",
                );
            self.found.push(diagnostic);
        }
    }

    fn tag_place(&self, start: usize) -> Place {
        let rest = &self.text[start..];
        let length = rest.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(rest.len());
        self.bytes(start, start + length)
    }

    /// `to: box1 #3` says `box1`; nobody who writes a `#` right behind a word means that.
    fn comment(&mut self, at: Place, _placement: Placement) {
        let Some(scalar) = self.last_plain else { return };
        let between = self.text.get(scalar.bytes().end..at.bytes().start).unwrap_or("\n");
        let comment = &self.text[at.bytes()];
        let said = comment.as_bytes().get(1).copied();
        let is_remark = said.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'#' | b'!' | b'-'));
        if between == " " && !is_remark && !scalar.bytes().is_empty() {
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
        let start =
            error.marker().byte_offset().map_or(self.text.len(), |byte| byte + self.skipped);
        let start = start.min(self.text.len());
        let end = self.text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
        let at = self.bytes(start, end);
        if *error.kind() == granit_parser::ErrorKind::RecursionLimitExceeded {
            return Box::new(
                Diagnostic::new(
                    Code::TooMuch,
                    at,
                    format!("the file is nested deeper than {DEPTH} levels"),
                )
                .label("the limit is reached here"),
            );
        }
        let info = error.info();
        let line = self.text[..start].rsplit('\n').next().unwrap_or("");
        let diagnostic = Diagnostic::new(Code::Syntax, at, format!("this is not YAML: {info}"))
            .label("the reader stopped here");
        Box::new(if line.contains('\t') && line.trim().is_empty() {
            diagnostic.help("YAML indents with spaces; this line begins with a tab")
        } else if line.contains('{') || line.contains('[') {
            diagnostic
                .help("inside `{…}` and `[…]` whatever holds `,` `[` `]` `{` or `}` must be quoted")
        } else {
            diagnostic
                .help("a text that holds `: ` or begins with a special character needs quotes")
        })
    }

    fn place(&self, span: &Span) -> Place {
        let start = span.start.byte_offset().unwrap_or(0) + self.skipped;
        let end = span.end.byte_offset().map_or(start, |end| end + self.skipped);
        self.bytes(start, end.max(start))
    }

    fn bytes(&self, start: usize, end: usize) -> Place {
        let place = Place::of_file(start..end);
        Place { source: self.source, ..place }
    }
}

fn join(start: Place, end: Place) -> Place {
    Place { end: end.end.max(start.end), ..start }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Yaml::Scalar(_) => 1,
        Yaml::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Yaml::Map(entries) => 1 + entries.iter().map(|(_, value)| size(value)).sum::<usize>(),
    }
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
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}: {}", key.value, outline(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}
