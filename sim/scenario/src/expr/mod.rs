//! Expressions as they are written: `n + 1`, `m.body == "hello"`, and texts with `${…}` in them.

mod grammar;

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};
use crate::tree::{Node, Scalar, Style, Yaml};
use crate::word::{self, Literal};
use grammar::parse;

/// An expression with its place.
pub type Expr = Placed<Shape>;

/// How an expression is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An integer; a size is the number of its bytes.
    Int(i64),
    /// `true` or `false`.
    Bool(bool),
    /// `none`.
    None,
    /// A text in quotes.
    Text(String),
    /// A duration in nanoseconds.
    Duration(u64),
    /// A name: a variable, an object, or a reserved word.
    Name(String),
    /// `x[i]`.
    Index(Box<Expr>, Box<Expr>),
    /// `m.body`.
    Field(Box<Expr>, Placed<String>),
    /// `not x`, `-x`.
    Unary(Unary, Box<Expr>),
    /// `a + b`.
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// `len(x)`.
    Call(Placed<String>, Vec<Expr>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `"item ${i}"`: the texts of these, one after the other.
    Join(Vec<Expr>),
}

pub use ipcsim_kernel::{Binary, Unary};

/// Collects what is wrong with expressions.
pub type Found = Vec<Diagnostic>;

/// The text of a scalar with the place of each of its bytes, as far as the file shows them.
#[derive(Clone, Copy)]
struct Text<'a> {
    text: &'a str,
    /// The place of the first byte, if the file spells the text byte for byte.
    exact: Option<Place>,
    whole: Place,
}

impl Text<'_> {
    fn place(&self, from: usize, to: usize) -> Place {
        match self.exact {
            Some(start) => start.within(from..to),
            None => self.whole,
        }
    }
}

/// Finds out whether a scalar is spelt in the file exactly as it reads, so that places inside it can
/// be pointed at. A text with escapes or over several lines is not.
fn spelt<'a>(scalar: &'a Scalar, at: Place) -> Text<'a> {
    let length = at.bytes().len();
    let exact = match scalar.style {
        Style::Plain if length == scalar.text.len() => Some(at),
        Style::Quoted if length == scalar.text.len() + 2 => Some(at.within(1..1)),
        Style::Plain | Style::Quoted | Style::Block => None,
    };
    Text { text: &scalar.text, exact, whole: at }
}

/// An expression that stands by itself, as in `if:`. A `${…}` around all of it is unnecessary, but does no
/// harm.
pub fn expression(scalar: &Scalar, at: Place, found: &mut Found) -> Option<Expr> {
    let text = spelt(scalar, at);
    let inside = wrapped(&scalar.text).unwrap_or(0..scalar.text.len());
    parse(text, inside.start, inside.end, found)
}

/// What is inside a `${…}` that is the whole text.
pub fn wrapped(text: &str) -> Option<Range<usize>> {
    let end = closing_brace(text.strip_prefix("${")?)?;
    (end + 3 == text.len()).then_some(2..end + 2)
}

/// An expression in a node: a scalar, or a list, whose items are values.
pub fn expression_node(node: &Node, found: &mut Found) -> Option<Expr> {
    match &node.value {
        Yaml::Scalar(scalar) => expression(scalar, node.at, found),
        Yaml::List(_) => value(node, found),
        Yaml::Map(_) => {
            found.push(
                Diagnostic::new(Code::WrongType, node.at, "an expression cannot be a mapping")
                    .label("write a value, a variable or a calculation"),
            );
            None
        }
    }
}

/// A text that may hold `${…}`. A `${…}` alone keeps the type of what is inside.
pub fn template(scalar: &Scalar, at: Place, found: &mut Found) -> Option<Expr> {
    let expr = interpolate(spelt(scalar, at), 0, scalar.text.len(), found)?;
    Some(match expr.value {
        // Quotes belong to the place of a text: they show that it is meant as one.
        Shape::Text(_) => Placed::new(expr.value, at),
        _ => expr,
    })
}

/// Like [`template`], for the bytes of a text between two places.
fn interpolate(text: Text, from: usize, to: usize, found: &mut Found) -> Option<Expr> {
    let at = text.place(from, to);
    let mut parts: Vec<Expr> = Vec::new();
    let mut literal = String::new();
    let mut position = from;
    while let Some(offset) = text.text[position..to].find('$') {
        let dollar = position + offset;
        literal.push_str(&text.text[position..dollar]);
        let rest = &text.text[dollar..to];
        if rest.starts_with("$${") {
            literal.push_str("${");
            position = dollar + 3;
        } else if rest.starts_with("${") {
            let Some(end) = closing_brace(rest) else {
                found.push(
                    Diagnostic::new(
                        Code::Expression,
                        text.place(dollar, dollar + 2),
                        "this `${` is never closed",
                    )
                    .label("the `}` is missing")
                    .help("write `$${` for a text that holds `${`"),
                );
                return None;
            };
            let inner = parse(text, dollar + 2, dollar + end, found)?;
            if !literal.is_empty() {
                parts.push(Placed::new(Shape::Text(std::mem::take(&mut literal)), at));
            }
            parts.push(inner);
            position = dollar + end + 1;
        } else {
            literal.push('$');
            position = dollar + 1;
        }
    }
    literal.push_str(&text.text[position..to]);
    if parts.is_empty() {
        return Some(Placed::new(Shape::Text(literal), at));
    }
    if !literal.is_empty() {
        parts.push(Placed::new(Shape::Text(literal), at));
    }
    match <[Expr; 1]>::try_from(parts) {
        Ok([only]) => Some(only),
        Err(parts) => Some(Placed::new(Shape::Join(parts), at)),
    }
}

/// Whether a text holds a `${`.
pub fn is_template(text: &str) -> bool {
    text.contains("${")
}

/// A value in a step body: what an unquoted scalar looks like, or a text with `${…}`, or a list.
pub fn value(node: &Node, found: &mut Found) -> Option<Expr> {
    match &node.value {
        Yaml::List(items) => {
            let items = items.iter().map(|item| value(item, found)).collect::<Option<Vec<_>>>()?;
            Some(Placed::new(Shape::List(items), node.at))
        }
        Yaml::Map(_) => {
            found.push(
                Diagnostic::new(Code::WrongType, node.at, "a value cannot be a mapping")
                    .label("write a text, a number or a list"),
            );
            None
        }
        Yaml::Scalar(scalar) if scalar.style != Style::Plain || is_template(&scalar.text) => {
            template(scalar, node.at, found)
        }
        Yaml::Scalar(scalar) => {
            let shape = match plain_literal(&scalar.text, node.at, found)? {
                Literal::Int(number) => Shape::Int(number),
                Literal::Bool(truth) => Shape::Bool(truth),
                Literal::None => Shape::None,
                Literal::Duration(ns) => Shape::Duration(ns),
                Literal::Size(bytes) => Shape::Int(i64::try_from(bytes).unwrap_or(i64::MAX)),
                Literal::Range(..) => {
                    found.push(
                        Diagnostic::new(
                            Code::WrongType,
                            node.at,
                            "a range of durations is not a value",
                        )
                        .label("ranges stand in `compute`, `sleep` and `wait`")
                        .help("put it in quotes if it is meant as a text"),
                    );
                    return None;
                }
                Literal::Text => return template(scalar, node.at, found),
            };
            Some(Placed::new(shape, node.at))
        }
    }
}

/// What to write for a unit of other systems.
fn instead_of_unit(unit: &str) -> &'static str {
    match unit.to_ascii_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" => "seconds are written `5s`",
        "msec" | "msecs" | "millis" | "milliseconds" => "milliseconds are written `5ms`",
        "usec" | "usecs" | "micros" | "microseconds" => "microseconds are written `5us`",
        "m" | "min" | "mins" | "minute" | "minutes" => "a minute is `60s`",
        "h" | "hour" | "hours" => "an hour is `3600s`",
        "kb" | "k" => "write `KiB`: 1024 bytes",
        "mb" => "write `MiB`: 1024 KiB",
        "gb" | "g" => "write `GiB`: 1024 MiB",
        "byte" | "bytes" | "b" => "bytes are written `5B`",
        _ => "durations end in `ns` `us` `ms` `s`, sizes in `B` `KiB` `MiB` `GiB`",
    }
}

/// What an unquoted scalar is; a wrong unit is a diagnostic.
pub fn plain_literal(text: &str, at: Place, found: &mut Found) -> Option<Literal> {
    match word::literal(text) {
        Ok(literal) => Some(literal),
        Err(bad) => {
            found.push(bad_literal(&bad, at));
            None
        }
    }
}

fn bad_literal(bad: &word::BadLiteral, at: Place) -> Diagnostic {
    match bad {
        word::BadLiteral::Unit(unit) => {
            Diagnostic::new(Code::BadUnit, at, format!("no unit is called `{unit}`"))
                .label(instead_of_unit(unit))
        }
        word::BadLiteral::TooLarge => {
            Diagnostic::new(Code::OutOfRange, at, "this number is too large")
                .label("integers and sizes go up to 9223372036854775807, durations to 9223372036s")
        }
        word::BadLiteral::Backwards => {
            Diagnostic::new(Code::OutOfRange, at, "this range ends before it begins")
                .label("write the smaller duration first")
        }
    }
}

fn closing_brace(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if byte == open => quote = None,
            (None, b'}') => return Some(at),
            _ => {}
        }
    }
    None
}
