//! The grammar of expressions: tokens, and precedence climbing.

use super::{Binary, Expr, Found, Shape, Text, Unary, bad_literal, interpolate};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};
use crate::word::{self, Literal};

/// How deep an expression may be nested.
const DEPTH: usize = 64;
/// How many operators, indices and fields an expression may have.
const LENGTH: usize = 1_000;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Literal(Shape),
    Name(String),
    Symbol(&'static str),
    End,
}

const SYMBOLS: [&str; 18] =
    ["==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",", ".", "="];

/// Parses the bytes of a text between two places.
pub(super) fn parse(text: Text, from: usize, to: usize, found: &mut Found) -> Option<Expr> {
    let mut parser =
        Grammar { text, at: from, end: to, token: Token::End, start: from, depth: 0, length: 0 };
    let result = parser.advance().and_then(|()| {
        let expr = parser.expr(0)?;
        match parser.token {
            Token::End => Ok(expr),
            _ => Err(parser.unexpected("an operator")),
        }
    });
    match result {
        Ok(expr) => Some(expr),
        Err(diagnostic) => {
            found.push(*diagnostic);
            None
        }
    }
}

struct Grammar<'a> {
    text: Text<'a>,
    /// Behind the current token.
    at: usize,
    end: usize,
    token: Token,
    /// Where the current token begins.
    start: usize,
    depth: usize,
    length: usize,
}

type Parsed<T> = Result<T, Box<Diagnostic>>;

impl Grammar<'_> {
    fn rest(&self) -> &str {
        &self.text.text[self.at..self.end]
    }

    fn advance(&mut self) -> Parsed<()> {
        let blank = self.rest().len() - self.rest().trim_start().len();
        self.at += blank;
        self.start = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            self.token = Token::End;
            return Ok(());
        };
        let name = word::name_length(rest);
        if name > 0 {
            self.token = Token::Name(rest[..name].to_string());
            self.at += name;
        } else if first.is_ascii_digit() {
            return self.number();
        } else if matches!(first, '"' | '\'') {
            return self.quoted(first);
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            self.token = Token::Symbol(symbol);
            self.at += symbol.len();
        } else {
            let place = self.text.place(self.at, self.at + first.len_utf8());
            let label = match first {
                '$' => "an expression needs no `${…}`: write the variable's name alone",
                '&' => "write `and`",
                '|' => "write `or`",
                '!' => "write `not`",
                _ => "operators are + - * / % == != < <= > >= and or not",
            };
            return Err(Box::new(
                Diagnostic::new(
                    Code::Expression,
                    place,
                    format!("`{first}` has no meaning in an expression"),
                )
                .label(label),
            ));
        }
        Ok(())
    }

    fn number(&mut self) -> Parsed<()> {
        self.number_from(self.at)
    }

    /// A number whose sign, if any, stands at `from`.
    fn number_from(&mut self, from: usize) -> Parsed<()> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_alphanumeric).count();
        let word = &self.text.text[from..self.at + digits];
        let place = self.text.place(from, self.at + digits);
        let unsigned = word.strip_prefix('-').unwrap_or(word);
        let shape = match (word::literal(word), word::literal(unsigned)) {
            (Ok(Literal::Int(number)), _) => Shape::Int(number),
            (_, Ok(Literal::Duration(ns))) if unsigned == word => Shape::Duration(ns),
            (_, Ok(Literal::Size(bytes))) if unsigned == word => {
                Shape::Int(i64::try_from(bytes).unwrap_or(i64::MAX))
            }
            (Err(bad), _) | (_, Err(bad)) => return Err(Box::new(bad_literal(&bad, place))),
            _ => {
                let digits = self.rest()[digits..].starts_with('.');
                let label = if digits {
                    "there are no fractions"
                } else {
                    "numbers have no leading zeros, names begin with a letter"
                };
                return Err(Box::new(
                    Diagnostic::new(Code::Expression, place, format!("`{word}` is not a number"))
                        .label(label),
                ));
            }
        };
        self.token = Token::Literal(shape);
        self.start = from;
        self.at += digits;
        Ok(())
    }

    fn quoted(&mut self, quote: char) -> Parsed<()> {
        let rest = &self.rest()[1..];
        let Some(length) = rest.find(quote) else {
            return Err(Box::new(
                Diagnostic::new(
                    Code::Expression,
                    self.text.place(self.at, self.end),
                    "this text is never closed",
                )
                .label(format!("the second `{quote}` is missing")),
            ));
        };
        // Inside an expression a text may hold `${…}` as it may outside.
        let from = self.at + 1;
        let mut found = Vec::new();
        match interpolate(self.text, from, from + length, &mut found) {
            Some(expr) => self.token = Token::Literal(expr.value),
            None => return Err(Box::new(found.swap_remove(0))),
        }
        self.at += length + 2;
        Ok(())
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.token, Token::Symbol(token) if token == symbol)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.token, Token::Name(name) if name == word)
    }

    fn expect(&mut self, symbol: &'static str) -> Parsed<()> {
        if self.is_symbol(symbol) {
            self.advance()
        } else {
            Err(self.unexpected(&format!("`{symbol}`")))
        }
    }

    fn unexpected(&self, expected: &str) -> Box<Diagnostic> {
        // `x++`, `x += 1`: at the second sign.
        let before = self.text.text[..self.start].trim_end();
        let here = &self.text.text[self.start..];
        let doubled = ["+", "-"].into_iter().find(|sign| {
            before.ends_with(sign) && (here.starts_with(sign) || here.starts_with('='))
        });
        if let Some(sign) = doubled {
            let name = before.trim_end_matches(['+', '-']).trim();
            let place = self.text.place(self.start, self.at);
            return Box::new(
                Diagnostic::new(
                    Code::Expression,
                    place,
                    format!("there is no operator `{sign}{}`", &here[..1]),
                )
                .label(format!("write `{name} {sign} 1`")),
            );
        }
        if self.is_symbol("=") {
            return Box::new(
                Diagnostic::new(
                    Code::Expression,
                    self.text.place(self.start, self.at),
                    "`=` is not an operator",
                )
                .label(match self.rest().chars().next() {
                    Some('>') => "write `>=`",
                    Some('<') => "write `<=`",
                    _ => "write `==` to compare",
                }),
            );
        }
        let (message, place) = match &self.token {
            Token::End => {
                let place = self.text.place(self.start.min(self.end), self.end);
                ("the expression ends too early".to_string(), place)
            }
            _ => {
                let place = self.text.place(self.start, self.at);
                (format!("`{}` does not belong here", &self.text.text[self.start..self.at]), place)
            }
        };
        Box::new(
            Diagnostic::new(Code::Expression, place, message)
                .label(format!("expected {expected}"))
                .help("a text inside an expression needs quotes of its own: 'm.body == \"hello\"'"),
        )
    }

    /// Precedence climbing: from `or` (0) up to `* / %` (5).
    fn expr(&mut self, level: u8) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            let place = self.text.place(self.start, self.at);
            return Err(Box::new(
                Diagnostic::new(
                    Code::TooMuch,
                    place,
                    format!("an expression is nested deeper than {DEPTH} levels"),
                )
                .label("compute it in several steps"),
            ));
        }
        let mut left = self.operand(level)?;
        while let Some((operator, at)) = self.operator() {
            if at < level {
                break;
            }
            self.grow()?;
            self.advance()?;
            let right = self.expr(at + 1)?;
            let place = Place { end: right.at.end.max(left.at.end), ..left.at };
            left = Placed::new(Shape::Binary(operator, Box::new(left), Box::new(right)), place);
        }
        self.depth -= 1;
        Ok(left)
    }

    /// A long chain is a deep tree, and walking over it needs stack.
    fn grow(&mut self) -> Parsed<()> {
        self.length += 1;
        if self.length <= LENGTH {
            return Ok(());
        }
        let place = self.text.place(self.start, self.at);
        Err(Box::new(
            Diagnostic::new(
                Code::TooMuch,
                place,
                format!("an expression has more than {LENGTH} parts"),
            )
            .label("compute it in several steps"),
        ))
    }

    fn operator(&self) -> Option<(Binary, u8)> {
        Some(match &self.token {
            Token::Name(name) if name == "or" => (Binary::Or, 0),
            Token::Name(name) if name == "and" => (Binary::And, 1),
            Token::Symbol(symbol) => match *symbol {
                "==" => (Binary::Equal, 3),
                "!=" => (Binary::NotEqual, 3),
                "<" => (Binary::Less, 3),
                "<=" => (Binary::LessOrEqual, 3),
                ">" => (Binary::Greater, 3),
                ">=" => (Binary::GreaterOrEqual, 3),
                "+" => (Binary::Add, 4),
                "-" => (Binary::Subtract, 4),
                "*" => (Binary::Multiply, 5),
                "/" => (Binary::Divide, 5),
                "%" => (Binary::Remainder, 5),
                _ => return None,
            },
            _ => return None,
        })
    }

    fn operand(&mut self, _level: u8) -> Parsed<Expr> {
        let start = self.start;
        if self.is_word("not") {
            self.advance()?;
            // `not a == b` is `not (a == b)`.
            let of = self.expr(2)?;
            let place = Place { start: self.text.place(start, start).start, ..of.at };
            return Ok(Placed::new(Shape::Unary(Unary::Not, Box::new(of)), place));
        }
        if self.is_symbol("-") {
            // The least integer has no positive counterpart, so a sign belongs to its number.
            if self.rest().starts_with(|c: char| c.is_ascii_digit()) {
                self.number_from(start)?;
                return self.postfix();
            }
            self.advance()?;
            let of = self.postfix()?;
            let place = Place { start: self.text.place(start, start).start, ..of.at };
            return Ok(Placed::new(Shape::Unary(Unary::Minus, Box::new(of)), place));
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Parsed<Expr> {
        let mut expr = self.primary()?;
        loop {
            self.grow()?;
            if self.is_symbol("[") {
                self.advance()?;
                let index = self.expr(0)?;
                let end = self.text.place(self.at, self.at).start;
                self.expect("]")?;
                let place = Place { end: end.max(index.at.end), ..expr.at };
                expr = Placed::new(Shape::Index(Box::new(expr), Box::new(index)), place);
            } else if self.is_symbol(".") {
                self.advance()?;
                let Token::Name(field) = self.token.clone() else {
                    return Err(self.unexpected("the name of a field"));
                };
                let at = self.text.place(self.start, self.at);
                self.advance()?;
                let place = Place { end: at.end, ..expr.at };
                expr = Placed::new(Shape::Field(Box::new(expr), Placed::new(field, at)), place);
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let (start, place) = (self.start, self.text.place(self.start, self.at));
        match self.token.clone() {
            Token::Literal(shape) => {
                self.advance()?;
                Ok(Placed::new(shape, place))
            }
            Token::Name(name) => {
                self.advance()?;
                if self.is_symbol("(") {
                    return self.call(Placed::new(name, place));
                }
                let shape = match name.as_str() {
                    "true" => Shape::Bool(true),
                    "false" => Shape::Bool(false),
                    "none" => Shape::None,
                    "and" | "or" => {
                        self.token = Token::Name(name);
                        (self.start, self.at) = (start, start + 3);
                        return Err(self.unexpected("a value"));
                    }
                    _ => Shape::Name(name),
                };
                Ok(Placed::new(shape, place))
            }
            Token::Symbol("(") => {
                self.advance()?;
                let inner = self.expr(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Symbol("[") => {
                self.advance()?;
                let (items, end) = self.items("]")?;
                Ok(Placed::new(Shape::List(items), Place { end: end.max(place.end), ..place }))
            }
            Token::Symbol(_) | Token::End => Err(self.unexpected("a value")),
        }
    }

    fn call(&mut self, name: Placed<String>) -> Parsed<Expr> {
        self.advance()?;
        let (arguments, end) = self.items(")")?;
        let place = Place { end: end.max(name.at.end), ..name.at };
        Ok(Placed::new(Shape::Call(name, arguments), place))
    }

    /// Expressions with commas between them, and what closes them.
    fn items(&mut self, close: &'static str) -> Parsed<(Vec<Expr>, u32)> {
        let mut items = Vec::new();
        while !self.is_symbol(close) {
            items.push(self.expr(0)?);
            if !self.is_symbol(close) {
                self.expect(",")?;
            }
        }
        let end = self.text.place(self.start, self.at).end;
        self.advance()?;
        Ok((items, end))
    }
}
