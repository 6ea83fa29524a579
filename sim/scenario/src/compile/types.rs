//! What kind of value an expression certainly has, and warnings where an operation cannot work with it.
//!
//! Variables have no declared type, so this is modest: a variable has a kind if everything that is ever put
//! into it has that kind. But what it reports is certain: whenever the operation is reached, it raises an
//! exception, or a comparison is never true.

mod infer;

use ipcsim_kernel::Binary;

use ipcsim_kernel::program::{LocalWord, Word};

use crate::ast::{Arg, Objects, Reference, Scenario, Step, Time, Wait};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Shape, Unary};
use crate::table::Kind as Takes;
use infer::{Bodies, Kind, Owner};

/// Looks at all programs of a scenario.
pub(super) fn check(scenario: &Scenario, found: &mut Vec<Diagnostic>) {
    let owners: Vec<Owner> = Owner::all(scenario).collect();
    let bodies = Bodies::of(scenario, &owners);
    for owner in &owners {
        let mut check = Check { owner, bodies: &bodies, found };
        owner.each_step(&mut |step| check.step(step));
    }
}

struct Check<'a> {
    owner: &'a Owner<'a>,
    bodies: &'a Bodies,
    found: &'a mut Vec<Diagnostic>,
}

impl Check<'_> {
    fn step(&mut self, step: &Step) {
        let fields = step.fields.0.iter().map(|(_, arg)| &arg.value);
        for arg in [&step.operand.value].into_iter().chain(fields) {
            self.arg(arg);
        }
        if let (
            Word::Local(LocalWord::If | LocalWord::While | LocalWord::Assert),
            Arg::Expr(condition),
        ) = (step.verb.word, &step.operand.value)
        {
            self.condition(condition);
        }
        if step.verb.operand == Takes::Body
            && let Arg::Expr(body) = &step.operand.value
        {
            self.forwarded(body);
        }
    }

    fn arg(&mut self, arg: &Arg) {
        match arg {
            Arg::Expr(expr) => self.expr(expr),
            Arg::Objects(Objects::One(one)) => self.reference(one),
            Arg::Objects(Objects::Several(all)) => all.iter().for_each(|one| self.reference(one)),
            Arg::Wait(Wait::For(Time::Computed(expr))) | Arg::Time(Time::Computed(expr)) => {
                self.expr(expr);
            }
            Arg::Assignments(all) => all.iter().for_each(|(_, expr)| self.expr(expr)),
            // Nested steps are visited on their own; in everything else no thread computes.
            _ => {}
        }
    }

    fn reference(&mut self, reference: &Reference) {
        match reference {
            Reference::Named { index: Some(index), .. } | Reference::Computed(index) => {
                self.expr(index);
            }
            Reference::Named { index: None, .. } => {}
        }
    }

    fn kind(&self, expr: &Expr) -> Option<Kind> {
        self.owner.kind(expr, Some(self.bodies))
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.value {
            Shape::Binary(operator, left, right) => {
                self.expr(left);
                self.expr(right);
                self.binary(*operator, expr, left, right);
            }
            Shape::Unary(operator, of) => {
                self.expr(of);
                match (operator, self.kind(of)) {
                    (Unary::Not, _) => self.condition(of),
                    (Unary::Minus, Some(kind)) if !kind.is_number() => {
                        let what =
                            format!("`-` needs an integer or a duration, not {}", kind.words());
                        self.note(of, what, of, kind);
                    }
                    (Unary::Minus, _) => {}
                }
            }
            Shape::Field(of, field) => {
                self.expr(of);
                self.field(expr, of, &field.value);
            }
            Shape::Index(of, index) => {
                self.expr(of);
                self.expr(index);
                if let Some(kind) = self.kind(of).filter(|kind| *kind != Kind::List) {
                    let what = format!("`[…]` takes an element of a list, not of {}", kind.words());
                    self.note(expr, what, of, kind);
                }
            }
            Shape::Call(function, arguments) => {
                for argument in arguments {
                    self.expr(argument);
                }
                self.call(&function.value, expr, arguments);
            }
            Shape::List(items) | Shape::Join(items) => {
                for item in items {
                    self.expr(item);
                }
            }
            Shape::Int(_)
            | Shape::Bool(_)
            | Shape::None
            | Shape::Text(_)
            | Shape::Duration(_)
            | Shape::Name(_) => {}
        }
    }

    fn field(&mut self, whole: &Expr, of: &Expr, field: &str) {
        let Some(kind) = self.kind(of).filter(|kind| *kind != Kind::Message) else { return };
        let what = format!("only a message has `.{field}`, and this is {}", kind.words());
        let label = if field == "body" {
            format!("write `{}`", said(of))
        } else {
            "no message was received into it".into()
        };
        self.found.push(Diagnostic::new(Code::Types, whole.at, what).label(label));
    }

    fn binary(&mut self, operator: Binary, whole: &Expr, left: &Expr, right: &Expr) {
        let word = operator.word();
        let (of_left, of_right) = (self.kind(left), self.kind(right));
        match operator {
            Binary::And | Binary::Or => {
                self.condition(left);
                self.second_condition(operator, left, right);
            }
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Remainder => {
                let sides = [(left, of_left), (right, of_right)];
                let wrong = sides.into_iter().find_map(|(side, kind)| {
                    kind.filter(|kind| !kind.is_number()).map(|kind| (side, kind))
                });
                if let Some((side, kind)) = wrong {
                    let what =
                        format!("`{word}` calculates with numbers, not with {}", kind.words());
                    match (operator, kind) {
                        (Binary::Add, Kind::List) => self.found.push(
                            Diagnostic::new(Code::Types, whole.at, what)
                                .label(format!("write `push({}, …)`", said(left))),
                        ),
                        (Binary::Add, Kind::Text) => self.found.push(
                            Diagnostic::new(Code::Types, whole.at, what).label(format!(
                                "write `\"${{{}}}${{{}}}\"` to join texts",
                                said(left),
                                said(right)
                            )),
                        ),
                        _ => self.note(whole, what, side, kind),
                    }
                } else if let (Binary::Add | Binary::Subtract, Some(one), Some(other)) =
                    (operator, of_left, of_right)
                    && one != other
                {
                    let what = format!(
                        "`{word}` needs two integers or two durations, not {} and {}",
                        one.words(),
                        other.words()
                    );
                    let label = "a duration has a unit, such as `5ms`";
                    self.found.push(Diagnostic::new(Code::Types, whole.at, what).label(label));
                }
            }
            Binary::Equal
            | Binary::NotEqual
            | Binary::Less
            | Binary::LessOrEqual
            | Binary::Greater
            | Binary::GreaterOrEqual => {
                self.comparison(operator, whole, (left, of_left), (right, of_right));
            }
        }
    }

    fn comparison(
        &mut self,
        operator: Binary,
        whole: &Expr,
        (left, of_left): (&Expr, Option<Kind>),
        (right, of_right): (&Expr, Option<Kind>),
    ) {
        let (Some(one), Some(other)) = (of_left, of_right) else { return };
        let asks_for_equality = matches!(operator, Binary::Equal | Binary::NotEqual);
        let has_order = |kind: Kind| kind.is_number() || kind == Kind::Text;
        if one == other && (asks_for_equality || has_order(one)) {
            return;
        }
        let what = format!(
            "`{}` compares values of one kind, not {} and {}",
            operator.word(),
            one.words(),
            other.words()
        );
        let is_message = |kind: Kind| kind == Kind::Message;
        match (is_message(one), is_message(other)) {
            (true, false) => self.note(whole, what, left, one),
            (false, true) => self.note(whole, what, right, other),
            _ => self.found.push(Diagnostic::new(Code::Types, whole.at, what).label(advice(
                self.bodies,
                (left, one),
                (right, other),
            ))),
        }
    }

    fn condition(&mut self, condition: &Expr) {
        if let Some(kind) = self.kind(condition).filter(|kind| *kind != Kind::Truth) {
            let what = format!("a condition is true or false, not {}", kind.words());
            let label = match kind {
                Kind::Int => format!("write `{} != 0`", said(condition)),
                Kind::List => format!("write `len({}) > 0`", said(condition)),
                _ => format!("write `{} != none`", said(condition)),
            };
            self.found.push(Diagnostic::new(Code::Types, condition.at, what).label(label));
        }
    }

    /// The right side of `and` or `or`: in `sum == 1 or 2` the left one shows what was meant.
    fn second_condition(&mut self, operator: Binary, left: &Expr, right: &Expr) {
        match (self.kind(right), repeated(operator, left, right)) {
            (Some(kind), Some(text)) if kind != Kind::Truth => {
                let what = format!("a condition is true or false, not {}", kind.words());
                let label = format!("write `{text}`");
                self.found.push(Diagnostic::new(Code::Types, right.at, what).label(label));
            }
            _ => self.condition(right),
        }
    }

    fn call(&mut self, function: &str, whole: &Expr, arguments: &[Expr]) {
        let takes_a_list = matches!(function, "push" | "pop-first" | "count" | "all" | "any");
        let Some(first) = arguments.first() else { return };
        let Some(kind) = self.kind(first) else { return };
        let fits = match function {
            "len" => matches!(kind, Kind::List | Kind::Text),
            _ if takes_a_list => kind == Kind::List,
            "random" | "range" => kind == Kind::Int,
            _ => true,
        };
        if !fits {
            let needed = match function {
                "len" => "a list or a text",
                _ if takes_a_list => "a list",
                _ => "integers",
            };
            let what = format!("`{function}` needs {needed}, not {}", kind.words());
            self.note(whole, what, first, kind);
        }
    }

    /// A forwarded message holds the previous one, and that holds the one before it.
    fn forwarded(&mut self, body: &Expr) {
        if self.kind(body) == Some(Kind::Message) {
            let text = said(body);
            self.found.push(
                Diagnostic::new(
                    Code::Forwarded,
                    body.at,
                    format!("this sends the whole message `{text}`, inside a new one"),
                )
                .label(format!("write `${{{text}.body}}` to send on what it says"))
                .help("a message that is passed on again and again nests until the limit of 64"),
            );
        }
    }

    /// Reports what is wrong with an expression, and what to write instead of this part of it.
    fn note(&mut self, whole: &Expr, what: String, part: &Expr, kind: Kind) {
        let label = match kind {
            Kind::Message => {
                let name = said(part);
                format!("`{name}` is a message; what it says is `{name}.body`")
            }
            Kind::Text => "text in quotes is never a number".to_string(),
            Kind::Truth => "`true` and `false` are no numbers".to_string(),
            other => format!("this is {}", other.words()),
        };
        self.found.push(Diagnostic::new(Code::Types, whole.at, what).label(label));
    }
}

/// `sum == 1 or sum == 2` for `sum == 1 or 2`.
fn repeated(operator: Binary, left: &Expr, right: &Expr) -> Option<String> {
    let Shape::Binary(compares, of, to) = &left.value else { return None };
    let is_comparison = matches!(
        compares,
        Binary::Equal
            | Binary::NotEqual
            | Binary::Less
            | Binary::LessOrEqual
            | Binary::Greater
            | Binary::GreaterOrEqual
    );
    let (of, word) = (said(of), compares.word());
    let value = |expr: &Expr| match &expr.value {
        Shape::Text(text) => format!("{text:?}"),
        _ => said(expr),
    };
    is_comparison.then(|| {
        format!("{of} {word} {} {} {of} {word} {}", value(to), operator.word(), value(right))
    })
}

/// What to write instead of one of two values of different kinds.
fn advice(bodies: &Bodies, (left, one): (&Expr, Kind), (right, other): (&Expr, Kind)) -> String {
    let is_a_process = |expr: &Expr| match &expr.value {
        Shape::Text(text) => bodies.is_process(text),
        _ => false,
    };
    let is_a_number = |expr: &Expr| match &expr.value {
        Shape::Text(text) => text.parse::<i64>().is_ok(),
        _ => false,
    };
    match (one, other) {
        (Kind::Int, Kind::Text) if is_a_number(right) => "without quotes it is a number".into(),
        (Kind::Text, Kind::Int) if is_a_number(left) => "without quotes it is a number".into(),
        (Kind::Process, Kind::Text) if is_a_process(right) => {
            "without quotes it is the process".into()
        }
        (Kind::Text, Kind::Process) if is_a_process(left) => {
            "without quotes it is the process".into()
        }
        (Kind::Int, Kind::Duration) | (Kind::Duration, Kind::Int) => {
            "a duration has a unit, such as `5ms`".into()
        }
        _ => "this raises an exception whenever it is computed".into(),
    }
}

/// An expression as it is written, if it is short.
fn said(expr: &Expr) -> String {
    match &expr.value {
        Shape::Name(name) => name.clone(),
        Shape::Int(number) => number.to_string(),
        Shape::Text(text) => text.clone(),
        Shape::Field(of, field) => format!("{}.{}", said(of), field.value),
        Shape::Index(of, index) => format!("{}[{}]", said(of), said(index)),
        _ => "…".into(),
    }
}
