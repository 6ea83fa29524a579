//! Conditions of claims: over states, seen from outside. What ranges over a family is one value for
//! each member until `all`, `any` or `count` puts them together.

use std::collections::BTreeMap;

use ipcsim_kernel::program::{Op, Verb};
use ipcsim_kernel::{
    Binary, Condition, Expr as Compiled, Family, FamilyId, Function, Handle, Machine, MailboxId,
    Probe, ProcessId, Register, ThreadName, Unary, Value,
};

use super::declare::{Members, Names, Object};
use super::flow;
use super::resolve::message_field;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Shape};
use crate::place::{Place, Placed};

type Failed = Box<Diagnostic>;

/// Compiles one condition. It names processes, their variables, mailboxes and `kernel.used`.
pub(super) fn compile(expr: &Expr, names: &Names, machine: &Machine) -> Result<Condition, Failed> {
    let mut watcher = Watcher { names, machine, probes: Vec::new(), known: BTreeMap::new() };
    let expr = watcher.condition(expr)?;
    Ok(Condition { probes: watcher.probes, expr })
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

/// A process, or all members of a family.
struct Processes {
    family: FamilyId,
    members: Vec<ProcessId>,
    several: bool,
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

    /// A process or mailbox that is compared with what a variable holds.
    fn object(&self, name: &str, index: Option<&Expr>, at: Place) -> Result<Term, Failed> {
        let handle = match self.names.find(name) {
            None => return Err(self.unknown(name, at)),
            Some(Object::Process { first, members, .. }) => {
                let member = self.member(name, members, index, at)?;
                Handle::Process(ProcessId(first.0 + member))
            }
            Some(Object::Mailbox { first, members }) => {
                let member = self.member(name, members, index, at)?;
                Handle::Mailbox(MailboxId(first.0 + member))
            }
        };
        Ok(one(constant(Value::Handle(handle)), Kind::Object))
    }

    /// Which member of a family an index names, from 0.
    fn member(
        &self,
        name: &str,
        members: Members,
        index: Option<&Expr>,
        at: Place,
    ) -> Result<u32, Failed> {
        let problem = match (members, index.map(|index| (&index.value, index.at))) {
            (Members::One, None) => return Ok(0),
            (Members::Many(count), Some((Shape::Int(number), at))) => {
                match u32::try_from(*number) {
                    Ok(number) if (1..=count).contains(&number) => return Ok(number - 1),
                    _ => (at, format!("`{name}` has members 1 to {count}, not {number}")),
                }
            }
            (Members::One, Some((_, at))) => {
                (at, format!("`{name}` is one object and has no members"))
            }
            (Members::Many(count), None) => {
                (at, format!("`{name}` is a family of {count}; this needs one of them"))
            }
            (Members::Many(_), Some((_, at))) => {
                (at, "a claim names members by number".to_string())
            }
        };
        Err(Box::new(
            Diagnostic::new(Code::Family, problem.0, problem.1)
                .label(format!("expected such as `{name}[1]` for a member of a family")),
        ))
    }

    fn unknown(&self, name: &str, at: Place) -> Failed {
        Box::new(
            Diagnostic::new(Code::UnknownName, at, format!("nothing is called `{name}`"))
                .did_you_mean(name, self.names.all().chain(["kernel"])),
        )
    }

    // Fields: what is seen of the kernel, of a process, of a thread, of a message.

    fn field(&mut self, of: &Expr, field: &Placed<String>) -> Result<Term, Failed> {
        if matches!(&of.value, Shape::Name(name) if name == "kernel") {
            return self.of_kernel(field);
        }
        if let Some(processes) = self.processes(of)? {
            return self.of_processes(&processes, field);
        }
        if let Some((processes, thread, index)) = self.threads(of)? {
            return self.variable(&processes, Some((thread, index)), field);
        }
        if let Shape::Name(name) = &of.value {
            return Err(match self.names.find(name) {
                Some(Object::Mailbox { .. }) => Box::new(
                    Diagnostic::new(
                        Code::UnknownField,
                        field.at,
                        format!("a mailbox has no `{}` to look at", field.value),
                    )
                    .label(format!("`len({name})` is how many messages it holds")),
                ),
                _ => self.unknown(name, of.at),
            });
        }
        let field = message_field(field)?;
        Ok(self.term(of)?.map(Kind::Anything, |of| Compiled::Field(Box::new(of), field)))
    }

    fn of_kernel(&mut self, field: &Placed<String>) -> Result<Term, Failed> {
        if field.value != "used" {
            return Err(Box::new(
                Diagnostic::new(
                    Code::UnknownField,
                    field.at,
                    format!("the kernel has no `{}` to look at", field.value),
                )
                .label("did you mean `used`?"),
            ));
        }
        Ok(one(self.probe(Probe::KernelUsed), Kind::Number))
    }

    /// The processes that a name, or a name with an index, stands for.
    fn processes(&self, expr: &Expr) -> Result<Option<Processes>, Failed> {
        let (name, index) = match &expr.value {
            Shape::Name(name) => (name, None),
            Shape::Index(of, index) => match &of.value {
                Shape::Name(name) => (name, Some(&**index)),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let Some(Object::Process { family, first, members }) = self.names.find(name) else {
            return Ok(None);
        };
        Ok(Some(match (members, index) {
            (Members::Many(count), None) => {
                let members = (0..count).map(|member| ProcessId(first.0 + member)).collect();
                Processes { family, members, several: true }
            }
            _ => {
                let member = self.member(name, members, index, expr.at)?;
                Processes { family, members: vec![ProcessId(first.0 + member)], several: false }
            }
        }))
    }

    /// `server.worker` or `server.worker[2]`: threads of a process by name.
    fn threads(&self, expr: &Expr) -> Result<Option<(Processes, ThreadName, u32)>, Failed> {
        let (of, name, index) = match &expr.value {
            Shape::Field(of, name) => (of, name, 1),
            Shape::Index(of, index) => match (&of.value, &index.value) {
                (Shape::Field(of, name), Shape::Int(index)) => {
                    (of, name, u32::try_from(*index).unwrap_or(0))
                }
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let Some(processes) = self.processes(of)? else { return Ok(None) };
        let Some(thread) = self.thread_called(&name.value) else { return Ok(None) };
        if self.programs_of(&processes, Some(thread)).is_empty() {
            return Ok(None);
        }
        Ok(Some((processes, thread, index)))
    }

    fn thread_called(&self, name: &str) -> Option<ThreadName> {
        let names = &self.machine.symbols.threads;
        names.iter().position(|known| known == name).map(ThreadName::at)
    }

    fn of_processes(
        &mut self,
        processes: &Processes,
        field: &Placed<String>,
    ) -> Result<Term, Failed> {
        let probe = match field.value.as_str() {
            "ended" => Probe::Ended,
            "blocked" => Probe::Blocked,
            _ => return self.variable(processes, None, field),
        };
        Ok(self.each(processes, Kind::Truth, probe))
    }

    /// A variable of a named thread, or of the main one.
    fn variable(
        &mut self,
        processes: &Processes,
        thread: Option<(ThreadName, u32)>,
        field: &Placed<String>,
    ) -> Result<Term, Failed> {
        let (name, index) = match thread {
            Some(thread) => thread,
            None => (self.main_thread(processes.family), 1),
        };
        let mut known: Vec<&str> = Vec::new();
        for names in self.programs_of(processes, Some(name)) {
            if let Some(at) = names.iter().position(|known| *known == field.value) {
                let register = Register::at(at);
                let probe = |process| Probe::Variable { process, thread: name, index, register };
                return Ok(self.each(processes, Kind::Anything, probe));
            }
            known.extend(names.iter().map(String::as_str));
        }
        let symbols = &self.machine.symbols;
        let process = &symbols.families[processes.family.index()];
        let of = match thread {
            Some((name, _)) => format!("{process}.{}", symbols.threads[name.index()]),
            None => process.clone(),
        };
        let message = format!("`{of}` has no variable `{}`", field.value);
        let diagnostic = Diagnostic::new(Code::UnknownVariable, field.at, message);
        let threads = self.family(processes.family).threads.iter();
        let threads = threads.map(|spec| symbols.threads[spec.name.index()].as_str());
        let known = known.into_iter().chain(["ended", "blocked"]).chain(threads);
        Err(Box::new(diagnostic.did_you_mean(&field.value, known)))
    }

    fn family(&self, family: FamilyId) -> &Family {
        &self.machine.families[family.index()]
    }

    /// The thread whose variables are the process's own: the one of the file, or the first of them.
    fn main_thread(&self, family: FamilyId) -> ThreadName {
        self.family(family).threads.first().map_or(ThreadName(0), |spec| spec.name)
    }

    /// The variables of the programs in which a thread of this name may be.
    fn programs_of(&self, processes: &Processes, thread: Option<ThreadName>) -> Vec<&[String]> {
        let starts = |entry| {
            flow::reachable(self.machine, entry).into_iter().any(|pc| {
                matches!(
                    &self.machine.code[pc.index()],
                    Op::Call(call) if matches!(
                        call.verb, Verb::StartThread { name, .. } if Some(name) == thread
                    )
                )
            })
        };
        let specs = self.family(processes.family).threads.iter();
        specs
            .filter(|spec| Some(spec.name) == thread || starts(spec.entry))
            .map(|spec| self.machine.variables_at(spec.entry))
            .collect()
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
            // One value has to be a list itself.
            (1, false) => Ok(one(Compiled::Function(function, items), kind)),
            (_, _) => Ok(one(Compiled::Function(function, vec![Compiled::List(items)]), kind)),
        }
    }

    /// `len(box1)` is how many messages a mailbox holds; of a variable, the length of what it holds.
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

    // Probes.

    fn probe(&mut self, probe: Probe) -> Compiled {
        let probes = &mut self.probes;
        Compiled::Variable(*self.known.entry(probe).or_insert_with(|| {
            probes.push(probe);
            Register::at(probes.len() - 1)
        }))
    }

    fn each(
        &mut self,
        processes: &Processes,
        kind: Kind,
        probe: impl Fn(ProcessId) -> Probe,
    ) -> Term {
        let mut each: Vec<Compiled> =
            processes.members.iter().map(|process| self.probe(probe(*process))).collect();
        if processes.several {
            return Term { parts: Parts::Each(each), kind };
        }
        one(each.swap_remove(0), kind)
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
            format!("`{}` takes {takes} arguments, here are {given}", name.value),
        )
        .label("wrong number of arguments"),
    )
}
