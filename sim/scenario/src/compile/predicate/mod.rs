//! The conditions of claims are predicates over states, seen from outside. What ranges over a family has one value
//! for each member until `all`, `any` or `count` combines them.

mod look;

use std::collections::BTreeMap;

use ipcsim_kernel::program::Inspection;
use ipcsim_kernel::{
    Binary, Expr as Compiled, Function, Machine, MailboxId, Predicate, Probe, Register, Unary,
    Value,
};

use super::declare::{Members, Names, Object};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Shape};
use crate::place::{Place, Placed};

type Failed = Box<Diagnostic>;

/// Compiles one condition. It names processes, their variables, mailboxes and `kernel.used`.
pub(super) fn compile(expr: &Expr, names: &Names, machine: &Machine) -> Result<Predicate, Failed> {
    let mut watcher = Watcher { names, machine, probes: Vec::new(), known: BTreeMap::new() };
    let expr = watcher.condition(expr)?;
    Ok(Predicate { probes: watcher.probes, expr })
}

struct Watcher<'a> {
    names: &'a Names,
    machine: &'a Machine,
    probes: Vec<Probe>,
    known: BTreeMap<Probe, Register>,
}

/// A part of a condition: one value, or one for each member of a family.
struct Term {
    parts: Parts,
    kind: Kind,
}

enum Parts {
    One(Compiled),
    Each(Vec<Compiled>),
}

/// What is known of a value before it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Truth,
    Number,
    Text,
    Duration,
    Object,
    List,
    /// A variable may hold anything.
    Anything,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Kind::Truth => "a condition",
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::Duration => "a duration",
            Kind::Object => "a process or a mailbox",
            Kind::List => "a list",
            Kind::Anything => "a value",
        }
    }

    fn may_be(self, other: Kind) -> bool {
        self == other || self == Kind::Anything || other == Kind::Anything
    }
}

impl Watcher<'_> {
    fn condition(&mut self, expr: &Expr) -> Result<Compiled, Failed> {
        let term = self.term(expr)?;
        if !term.kind.may_be(Kind::Truth) {
            return Err(nonsense(
                expr.at,
                "a claim needs a condition",
                format!("this is {}; compare it with something", term.kind.words()),
            ));
        }
        match term.parts {
            Parts::One(expr) => Ok(expr),
            Parts::Each(_) => Err(nonsense(
                expr.at,
                "this is a condition for each member of a family",
                "put `all(…)`, `any(…)` or `count(…)` around it",
            )),
        }
    }

    fn term(&mut self, expr: &Expr) -> Result<Term, Failed> {
        Ok(match &expr.value {
            Shape::Int(number) => one(Compiled::int(*number), Kind::Number),
            Shape::Bool(truth) => one(constant(Value::of_truth(*truth)), Kind::Truth),
            Shape::None => one(constant(Value::None), Kind::Anything),
            Shape::Text(text) => one(ipcsim_kernel::text(text), Kind::Text),
            Shape::Duration(ns) => {
                let ns = i64::try_from(*ns).unwrap_or(i64::MAX);
                one(constant(Value::Duration(ns)), Kind::Duration)
            }
            Shape::Name(name) => self.object(name, None, expr.at)?,
            Shape::Index(of, index) => match &of.value {
                Shape::Name(name) if self.names.find(name).is_some() => {
                    self.object(name, Some(index), expr.at)?
                }
                _ => {
                    let (list, index) = (self.term(of)?, self.single(index)?);
                    list.map(Kind::Anything, |list| {
                        Compiled::Element(Box::new(list), Box::new(index.clone()))
                    })
                }
            },
            Shape::Field(of, field) => self.field(of, field)?,
            Shape::Unary(operator, of) => {
                let kind = if *operator == Unary::Not { Kind::Truth } else { Kind::Number };
                self.term(of)?.map(kind, |of| Compiled::Unary(*operator, Box::new(of)))
            }
            Shape::Binary(operator, left, right) => self.binary(*operator, left, right, expr.at)?,
            Shape::Call(name, arguments) => self.call(name, arguments, expr.at)?,
            Shape::List(items) => {
                let items = items.iter().map(|item| self.single(item));
                one(Compiled::List(items.collect::<Result<_, _>>()?), Kind::List)
            }
            Shape::Join(_) => {
                return Err(nonsense(
                    expr.at,
                    "a claim puts no texts together",
                    "compare with a text in quotes",
                ));
            }
        })
    }

    fn single(&mut self, expr: &Expr) -> Result<Compiled, Failed> {
        match self.term(expr)?.parts {
            Parts::One(one) => Ok(one),
            Parts::Each(_) => Err(nonsense(
                expr.at,
                "this is a value for each member of a family",
                "one value is needed here",
            )),
        }
    }

    // Calculations.

    fn binary(
        &mut self,
        operator: Binary,
        left: &Expr,
        right: &Expr,
        at: Place,
    ) -> Result<Term, Failed> {
        let (left, right) = (self.term(left)?, self.term(right)?);
        let kind = match operator {
            Binary::Equal | Binary::NotEqual => Kind::Truth,
            Binary::And | Binary::Or => {
                expect(&[&left, &right], Kind::Truth, at)?;
                Kind::Truth
            }
            Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => {
                Kind::Truth
            }
            _ if left.kind == right.kind => left.kind,
            _ => Kind::Anything,
        };
        if kind == Kind::Truth && !left.kind.may_be(right.kind) {
            return Err(nonsense(
                at,
                format!("{} is never {}", left.kind.words(), right.kind.words()),
                "these two cannot be compared",
            ));
        }
        let pair = |left, right| Compiled::Binary(operator, Box::new((left, right)));
        let parts = match (left.parts, right.parts) {
            (Parts::One(left), Parts::One(right)) => Parts::One(pair(left, right)),
            (Parts::Each(left), Parts::One(right)) => {
                Parts::Each(left.into_iter().map(|left| pair(left, right.clone())).collect())
            }
            (Parts::One(left), Parts::Each(right)) => {
                Parts::Each(right.into_iter().map(|right| pair(left.clone(), right)).collect())
            }
            (Parts::Each(left), Parts::Each(right)) if left.len() == right.len() => {
                let pairs = left.into_iter().zip(right);
                Parts::Each(pairs.map(|(left, right)| pair(left, right)).collect())
            }
            (Parts::Each(_), Parts::Each(_)) => {
                return Err(nonsense(
                    at,
                    "two families of different size",
                    "members are compared one by one",
                ));
            }
        };
        Ok(Term { parts, kind })
    }

    fn call(
        &mut self,
        name: &Placed<String>,
        arguments: &[Expr],
        at: Place,
    ) -> Result<Term, Failed> {
        let (function, kind) = match name.value.as_str() {
            "len" => return self.length(name, arguments, at),
            "min" => (Function::Min, Kind::Anything),
            "max" => (Function::Max, Kind::Anything),
            "count" => (Function::Count, Kind::Number),
            "all" => (Function::All, Kind::Truth),
            "any" => (Function::Any, Kind::Truth),
            asked if Inspection::from_word(asked).is_some() => {
                let message = format!("`{asked}` asks the kernel, which only a step can do");
                let diagnostic = Diagnostic::new(Code::Arguments, name.at, message);
                return Err(Box::new(diagnostic.label("put it into a variable of the process")));
            }
            other => {
                return Err(Box::new(
                    Diagnostic::new(
                        Code::Arguments,
                        name.at,
                        format!("a claim has no function `{other}`"),
                    )
                    .did_you_mean(other, FUNCTIONS)
                    .help(format!("its functions are {}", FUNCTIONS.join(" "))),
                ));
            }
        };
        let terms: Vec<Term> =
            arguments.iter().map(|argument| self.term(argument)).collect::<Result<_, _>>()?;
        let of_truths = !matches!(function, Function::Min | Function::Max);
        if of_truths {
            expect(&terms.iter().collect::<Vec<_>>(), Kind::Truth, at)?;
        }
        let mut items = Vec::new();
        for term in terms {
            match term.parts {
                Parts::One(one) => items.push(one),
                Parts::Each(each) => items.extend(each),
            }
        }
        match (items.len(), of_truths) {
            (0, _) => Err(wrong_number(name, "at least one", arguments.len())),
            // A single value must itself be a list.
            (1, false) => Ok(one(Compiled::Function(function, items), kind)),
            (_, _) => Ok(one(Compiled::Function(function, vec![Compiled::List(items)]), kind)),
        }
    }

    /// `len(box1)` is how many messages a mailbox holds; for a variable, it is the length of its value.
    fn length(
        &mut self,
        name: &Placed<String>,
        arguments: &[Expr],
        at: Place,
    ) -> Result<Term, Failed> {
        let [argument] = arguments else {
            return Err(wrong_number(name, "one", arguments.len()));
        };
        let (object, index) = match &argument.value {
            Shape::Name(object) => (Some(object), None),
            Shape::Index(of, index) => match &of.value {
                Shape::Name(object) => (Some(object), Some(&**index)),
                _ => (None, None),
            },
            _ => (None, None),
        };
        if let Some(object) = object
            && let Some(Object::Mailbox { first, members }) = self.names.find(object)
        {
            if let (Members::Many(count), None) = (members, index) {
                let each = (0..count).map(|member| MailboxId(first.0 + member));
                let each = each.map(|mailbox| self.probe(Probe::Stored(mailbox))).collect();
                return Ok(Term { parts: Parts::Each(each), kind: Kind::Number });
            }
            let member = self.member(object, members, index, argument.at)?;
            let stored = self.probe(Probe::Stored(MailboxId(first.0 + member)));
            return Ok(one(stored, Kind::Number));
        }
        let term = self.term(argument)?;
        if !matches!(term.kind, Kind::Anything | Kind::List | Kind::Text) {
            return Err(nonsense(
                at,
                "`len` is asked of a mailbox, a list or a text",
                format!("this is {}", term.kind.words()),
            ));
        }
        Ok(term.map(Kind::Number, |of| Compiled::Function(Function::Len, vec![of])))
    }
}

impl Term {
    fn map(self, kind: Kind, change: impl Fn(Compiled) -> Compiled) -> Self {
        let parts = match self.parts {
            Parts::One(one) => Parts::One(change(one)),
            Parts::Each(each) => Parts::Each(each.into_iter().map(change).collect()),
        };
        Self { parts, kind }
    }
}

const FUNCTIONS: [&str; 6] = ["len", "min", "max", "count", "all", "any"];

fn one(expr: Compiled, kind: Kind) -> Term {
    Term { parts: Parts::One(expr), kind }
}

fn constant(value: Value) -> Compiled {
    Compiled::Constant(value)
}

fn expect(terms: &[&Term], kind: Kind, at: Place) -> Result<(), Failed> {
    match terms.iter().find(|term| !term.kind.may_be(kind)) {
        None => Ok(()),
        Some(term) => Err(nonsense(
            at,
            format!("{} is needed here", kind.words()),
            format!("one of these is {}", term.kind.words()),
        )),
    }
}

fn nonsense(at: Place, message: impl Into<String>, label: impl Into<String>) -> Failed {
    Box::new(Diagnostic::new(Code::BadClaim, at, message).label(label))
}

fn wrong_number(name: &Placed<String>, takes: &str, given: usize) -> Failed {
    Box::new(
        Diagnostic::new(
            Code::Arguments,
            name.at,
            format!("`{}` takes {takes} arguments, but {}", name.value, super::given(given)),
        )
        .label("wrong number of arguments"),
    )
}
