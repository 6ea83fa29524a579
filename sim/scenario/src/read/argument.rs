//! Values of keys, by kind.

use std::ops::RangeInclusive;

use ipcsim_kernel::Capacity;
use ipcsim_kernel::object::port::LARGEST_QUEUE_LIMIT;

use super::{Fix, Reader};
use crate::ast::{Arg, Flag, Objects, Time, Wait};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{self, Expr, Shape};
use crate::place::{Place, Placed};
use crate::table::{self, Kind};
use crate::tree::{Node, Scalar, Style, Yaml};
use crate::word::{self, Literal};

/// How large a page of memory can be, in bytes.
const LARGEST_PAGE: u64 = 1 << 30;

impl Reader {
    /// A value of this kind; `None` if it is not one, and that has been noted.
    pub(super) fn argument(&mut self, kind: Kind, key: &str, node: &Node) -> Option<Arg> {
        match kind {
            Kind::Nothing => self.nothing(key, node),
            Kind::Prose | Kind::Mode | Kind::Declared(_) => {
                Some(Arg::Name(self.scalar(node, "a text")?.text.clone()))
            }
            Kind::NewName | Kind::Variable(_) => {
                let name = self.scalar(node, "a name")?.text.clone();
                self.check_name(&Placed::new(name.clone(), node.at));
                Some(Arg::Name(name))
            }
            Kind::Body => Some(Arg::Expr(self.value(key, node)?)),
            Kind::Bodies => self.bodies(key, node),
            Kind::Text => Some(Arg::Expr(self.text(key, node)?)),
            Kind::Expression => Some(Arg::Expr(self.expression(key, node)?)),
            Kind::Number | Kind::Count | Kind::Size => self.number(kind, key, node),
            Kind::Holder => self.holder(key, node),
            Kind::Holders | Kind::Ports => self.several(node),
            Kind::Target | Kind::Message | Kind::Threads => {
                Some(Arg::Objects(Objects::One(self.reference(node)?)))
            }
            Kind::Sources | Kind::Victims => Some(Arg::Objects(self.objects(node)?)),
            Kind::Assignments => self.assignments(node),
            Kind::Time => Some(Arg::Time(self.time(key, node)?)),
            Kind::Wait => Some(Arg::Wait(self.wait(node)?)),
            Kind::FixedSize => self.fixed_size(key, node),
            Kind::Memory => self.memory(key, node),
            Kind::Capacity => self.capacity(key, node),
            Kind::Word(words) => self.word(words, key, node),
            Kind::Flag => self.flag(key, node),
            Kind::Seed => self.seed(key, node),
            Kind::Positive(limit) => self.within(1..=limit, key, node),
            Kind::Integer => match self.literal(key, node, "an integer")? {
                Literal::Int(number) => Some(Arg::Integer(number)),
                _ => self.expected(key, "an integer", node),
            },
            Kind::Duration => match self.literal(key, node, "a duration")? {
                Literal::Duration(0) if key == "quantum" => {
                    self.out_of_range(key, "a duration above 0", node.at)
                }
                Literal::Duration(ns) => Some(Arg::Nanoseconds(ns)),
                Literal::Int(_) => self.unit_missing(key, "a duration such as `10ms`", node),
                _ => self.expected(key, "a duration such as `10ms`", node),
            },
            Kind::Steps => Some(Arg::Steps(self.steps(key, node)?)),
            Kind::Branches => self.branches(node),
            Kind::Handlers => Some(Arg::Handlers(self.handlers(node)?)),
            Kind::Parameters => self.parameters(node),
            Kind::ThreadTable => self.threads(node),
            Kind::Entries => self.entries(node),
            Kind::QueueLimit => self.within(0..=LARGEST_QUEUE_LIMIT, key, node),
            Kind::Rights => self.rights(node),
            Kind::Transfers => self.transfers(node),
            Kind::Wake => match &node.value {
                Yaml::Map(_) => Some(Arg::Table(self.table(node, table::WAKE, "`wake`"))),
                _ => self.word(table::WAKES, key, node),
            },
            Kind::Costs => Some(Arg::Table(self.table(node, table::COSTS, "costs"))),
        }
    }

    pub(super) fn scalar<'a>(&mut self, node: &'a Node, expected: &str) -> Option<&'a Scalar> {
        match &node.value {
            Yaml::Scalar(scalar) if scalar.is_null() => {
                self.null(node.at, expected, &scalar.text);
                None
            }
            Yaml::Scalar(scalar) => Some(scalar),
            other => {
                self.wrong_type(node.at, &format!("expected {expected}"), other);
                None
            }
        }
    }

    fn null(&mut self, at: Place, expected: &str, written: &str) {
        let diagnostic =
            Diagnostic::new(Code::Null, at, format!("there is no value here; expected {expected}"));
        self.note(if written.is_empty() {
            let diagnostic = diagnostic.label("nothing stands here");
            match expected {
                "an integer" => diagnostic.help("write a number, such as 0"),
                _ if expected.starts_with("a value") || expected.starts_with("a text") => {
                    diagnostic.help("write `\"\"` for an empty text, `none` for no value")
                }
                _ => diagnostic,
            }
        } else {
            diagnostic
                .label(format!("`{written}` means nothing in YAML"))
                .help("write `none` for no value")
        });
    }

    pub(super) fn expected<T>(&mut self, key: &str, expected: &str, node: &Node) -> Option<T> {
        let what = match &node.value {
            Yaml::Scalar(scalar) if scalar.style == Style::Quoted => format!("\"{}\"", scalar.text),
            Yaml::Scalar(scalar) => format!("`{}`", scalar.text),
            Yaml::List(items) if items.is_empty() => "an empty list".to_string(),
            other => other.describe().to_string(),
        };
        self.note(
            Diagnostic::new(
                Code::WrongType,
                node.at,
                format!("`{key}` takes {expected}, not {what}"),
            )
            .label(match &node.value {
                Yaml::Scalar(scalar) => match unit_apart(&scalar.text) {
                    Some(together) => format!("write `{together}` without a space"),
                    None => format!("expected {expected}"),
                },
                _ => format!("expected {expected}"),
            }),
        );
        None
    }

    fn unit_missing<T>(&mut self, key: &str, expected: &str, node: &Node) -> Option<T> {
        self.note(
            Diagnostic::new(Code::BadUnit, node.at, format!("`{key}` needs a unit"))
                .label(format!("expected {expected}"))
                .help("durations end in `ns` `us` `ms` `s`, sizes in `B` `KiB` `MiB` `GiB`"),
        );
        None
    }

    fn nothing(&mut self, key: &str, node: &Node) -> Option<Arg> {
        match &node.value {
            Yaml::Scalar(scalar) if scalar.is_null() => Some(Arg::Nothing),
            _ => self.expected(key, "no value", node),
        }
    }

    pub(super) fn value(&mut self, key: &str, node: &Node) -> Option<Expr> {
        if let Yaml::Scalar(scalar) = &node.value
            && scalar.is_null()
        {
            self.null(node.at, &format!("a value for `{key}`"), &scalar.text);
            return None;
        }
        expr::value(node, &mut self.found)
    }

    fn bodies(&mut self, key: &str, node: &Node) -> Option<Arg> {
        let Yaml::List(items) = &node.value else {
            return self.expected(key, "a list of values such as `[token, token]`", node);
        };
        let values: Option<Vec<Expr>> = items.iter().map(|item| self.value(key, item)).collect();
        Some(Arg::Exprs(Placed::new(values?, node.at)))
    }

    /// A text, whatever it looks like: quotes make no difference.
    fn text(&mut self, key: &str, node: &Node) -> Option<Expr> {
        let scalar = self.scalar(node, &format!("a text for `{key}`"))?;
        expr::template(scalar, node.at, &mut self.found)
    }

    pub(super) fn expression(&mut self, key: &str, node: &Node) -> Option<Expr> {
        if let Yaml::Scalar(_) = &node.value {
            self.scalar(node, &format!("an expression for `{key}`"))?;
        }
        self.condition(node)
    }

    /// An expression; a `${…}` around all of it could be written more plainly.
    pub(super) fn condition(&mut self, node: &Node) -> Option<Expr> {
        if let Yaml::Scalar(scalar) = &node.value
            && let Some(inside) = expr::wrapped(&scalar.text)
        {
            let inner = &scalar.text[inside];
            let text = match scalar.style {
                Style::Plain => Some(inner.to_string()),
                // The kind of quotes does not matter if the text contains none.
                Style::Quoted if !inner.contains(['"', '\'', '\\']) => Some(format!("\"{inner}\"")),
                Style::Quoted | Style::Block => None,
            };
            self.fixes.extend(text.map(|text| Fix { at: node.at, text }));
        }
        expr::expression_node(node, &mut self.found)
    }

    /// What an unquoted scalar looks like, where nothing can be computed.
    fn literal(&mut self, key: &str, node: &Node, expected: &str) -> Option<Literal> {
        let scalar = self.scalar(node, expected)?;
        let literal = expr::plain_literal(&scalar.text, node.at, &mut self.found)?;
        // Quotes never change a name, a path or a unit; a number or a truth in quotes is text.
        if scalar.style != Style::Plain && matches!(literal, Literal::Int(_) | Literal::Bool(_)) {
            return self.expected(key, &format!("{expected} without quotes"), node);
        }
        Some(literal)
    }

    fn computed(&mut self, node: &Node) -> Option<Option<Expr>> {
        match &node.value {
            Yaml::Scalar(scalar) if expr::is_template(&scalar.text) => {
                Some(Some(expr::template(scalar, node.at, &mut self.found)?))
            }
            _ => Some(None),
        }
    }

    fn number(&mut self, kind: Kind, key: &str, node: &Node) -> Option<Arg> {
        if let Some(expr) = self.computed(node)? {
            return Some(Arg::Expr(expr));
        }
        let (expected, least) = match kind {
            Kind::Size => ("a size such as `4KiB`", 0),
            Kind::Count => ("a number from 0", 0),
            _ => ("an integer", i64::MIN),
        };
        let number = match (kind, self.literal(key, node, expected)?) {
            (Kind::Size, Literal::Size(bytes)) => i64::try_from(bytes).unwrap_or(i64::MAX),
            (Kind::Size, Literal::Int(_)) => return self.unit_missing(key, expected, node),
            (Kind::Number | Kind::Count, Literal::Int(number)) => number,
            (Kind::Count, Literal::Text) => {
                return self.looks_computed(key, expected, node);
            }
            _ => return self.expected(key, expected, node),
        };
        if number < least {
            return self.out_of_range(key, expected, node.at);
        }
        Some(Arg::Expr(Placed::new(Shape::Int(number), node.at)))
    }

    fn looks_computed<T>(&mut self, key: &str, expected: &str, node: &Node) -> Option<T> {
        let before = self.found.len();
        let none = self.expected(key, expected, node);
        if let (Yaml::Scalar(scalar), Some(last)) = (&node.value, self.found.get_mut(before))
            && word::is_name(&scalar.text)
            && word::literal(&scalar.text) == Ok(Literal::Text)
        {
            last.help = Some(format!("if `{0}` is a variable, write `${{{0}}}`", scalar.text));
        }
        none
    }

    fn fixed_size(&mut self, key: &str, node: &Node) -> Option<Arg> {
        match self.bytes(key, node)? {
            bytes if key == "page" && !(1..=LARGEST_PAGE).contains(&bytes) => {
                self.out_of_range(key, "a size from 1B to 1GiB", node.at)
            }
            0 if key == "pipe-buf" => self.out_of_range(key, "a size of 1B or more", node.at),
            bytes => Some(Arg::Bytes(bytes)),
        }
    }

    fn out_of_range<T>(&mut self, key: &str, expected: &str, at: Place) -> Option<T> {
        self.note(
            Diagnostic::new(Code::OutOfRange, at, format!("`{key}` takes {expected}"))
                .label("out of range"),
        );
        None
    }

    fn time(&mut self, key: &str, node: &Node) -> Option<Time> {
        if let Some(expr) = self.computed(node)? {
            return Some(Time::Computed(expr));
        }
        let expected = "a duration such as `5ms`, or a range such as `2ms..5ms`";
        match self.literal(key, node, expected)? {
            Literal::Duration(ns) => Some(Time::Range(ns, ns)),
            Literal::Range(low, high) => Some(Time::Range(low, high)),
            Literal::Int(_) => self.unit_missing(key, expected, node),
            _ => self.looks_computed(key, expected, node),
        }
    }

    fn wait(&mut self, node: &Node) -> Option<Wait> {
        match &node.value {
            Yaml::Scalar(scalar) if scalar.text == "forever" => Some(Wait::Forever),
            Yaml::Scalar(scalar) if scalar.text == "never" => Some(Wait::Never),
            Yaml::Scalar(scalar)
                if scalar.style == Style::Plain
                    && !scalar.is_null()
                    && !expr::is_template(&scalar.text)
                    && is_no_time(&scalar.text) =>
            {
                let diagnostic = Diagnostic::new(
                    Code::UnknownWord,
                    node.at,
                    format!("`wait` takes `forever`, `never` or a duration, not `{}`", scalar.text),
                )
                .did_you_mean(&scalar.text, ["forever", "never"])
                .otherwise("expected `forever`, `never`, a duration such as `5ms`, or a range such as `2ms..5ms`");
                self.note(diagnostic);
                None
            }
            _ => self.time("wait", node).map(Wait::For),
        }
    }

    fn bytes(&mut self, key: &str, node: &Node) -> Option<u64> {
        match self.literal(key, node, "a size such as `4KiB`")? {
            Literal::Size(bytes) => Some(bytes),
            Literal::Int(_) => self.unit_missing(key, "a size such as `4KiB`", node),
            _ => self.expected(key, "a size such as `4KiB`", node),
        }
    }

    fn memory(&mut self, key: &str, node: &Node) -> Option<Arg> {
        match &node.value {
            Yaml::Scalar(scalar) if scalar.text == "unlimited" => Some(Arg::Memory(None)),
            _ => match self.bytes(key, node)? {
                0 => self.out_of_range(key, "a size above 0, or `unlimited`", node.at),
                bytes => Some(Arg::Memory(Some(bytes))),
            },
        }
    }

    fn capacity(&mut self, key: &str, node: &Node) -> Option<Arg> {
        let expected = "`none`, a number of messages, a size, `undefined` or `unlimited`";
        if let Yaml::Scalar(scalar) = &node.value {
            match scalar.text.as_str() {
                "undefined" => return Some(Arg::Capacity(Capacity::Undefined)),
                "unlimited" => return Some(Arg::Capacity(Capacity::Unlimited)),
                _ => {}
            }
        }
        let capacity = match self.literal(key, node, expected)? {
            Literal::None | Literal::Int(0) => Capacity::None,
            Literal::Int(number) => match u64::try_from(number) {
                Ok(messages) => Capacity::Messages(messages),
                Err(_) => return self.out_of_range(key, expected, node.at),
            },
            Literal::Size(0) => return self.out_of_range(key, expected, node.at),
            Literal::Size(bytes) => Capacity::Bytes(bytes),
            _ => {
                let Yaml::Scalar(scalar) = &node.value else { return None };
                let diagnostic = Diagnostic::new(
                    Code::UnknownWord,
                    node.at,
                    format!("`{key}` takes {expected}, not `{}`", scalar.text),
                )
                .did_you_mean(&scalar.text, ["none", "undefined", "unlimited"]);
                self.note(diagnostic);
                return None;
            }
        };
        Some(Arg::Capacity(capacity))
    }

    fn word(&mut self, words: &'static [&'static str], key: &str, node: &Node) -> Option<Arg> {
        let scalar = self.scalar(node, "a word")?;
        if let Some(word) = words.iter().find(|word| **word == scalar.text) {
            return Some(Arg::Word(word));
        }
        let list = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let diagnostic = Diagnostic::new(
            Code::UnknownWord,
            node.at,
            format!("`{key}` cannot be `{}`", scalar.text),
        )
        .did_you_mean(&scalar.text, words.iter().copied());
        self.note(diagnostic.help(format!("it takes {list}")));
        None
    }

    fn flag(&mut self, key: &str, node: &Node) -> Option<Arg> {
        match self.literal(key, node, "`true` or `false`")? {
            Literal::Bool(true) => Some(Arg::Flag(Flag::Yes)),
            Literal::Bool(false) => Some(Arg::Flag(Flag::No)),
            _ => self.expected(key, "`true` or `false`", node),
        }
    }

    fn seed(&mut self, key: &str, node: &Node) -> Option<Arg> {
        let scalar = self.scalar(node, "an integer from 0")?;
        match scalar.text.parse::<u64>() {
            Ok(seed) if word::is_integer(&scalar.text) => Some(Arg::Unsigned(seed)),
            _ => self.expected(key, "an integer from 0 to 18446744073709551615", node),
        }
    }

    fn within(&mut self, range: RangeInclusive<u64>, key: &str, node: &Node) -> Option<Arg> {
        let expected = format!("an integer from {} to {}", range.start(), range.end());
        match self.literal(key, node, &expected)? {
            Literal::Int(number) => match u64::try_from(number) {
                Ok(number) if range.contains(&number) => Some(Arg::Unsigned(number)),
                _ => self.out_of_range(key, &expected, node.at),
            },
            _ => self.expected(key, &expected, node),
        }
    }
}

/// `5ms` for `5 ms`.
fn unit_apart(text: &str) -> Option<String> {
    let (number, unit) = text.split_once(' ')?;
    let together = format!("{number}{}", unit.trim());
    let is_one = matches!(word::literal(&together), Ok(Literal::Duration(_) | Literal::Size(_)));
    (is_one && word::is_integer(number)).then_some(together)
}

/// Whether this is not a duration, not a range of them, and not a number that lacks a unit.
fn is_no_time(text: &str) -> bool {
    matches!(
        word::literal(text),
        Ok(Literal::Text | Literal::None | Literal::Bool(_) | Literal::Int(0))
    )
}
