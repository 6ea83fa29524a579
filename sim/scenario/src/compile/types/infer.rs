//! Kinds of values, as far as they are certain: of variables from everything that is put into them, of
//! bodies from everything that is sent there.

use std::collections::{BTreeMap, BTreeSet};

use ipcsim_kernel::Binary;

use ipcsim_kernel::program::{CallWord, Word};

use crate::ast::{Arg, Declaration, Fields, Objects, Reference, Scenario, Step};
use crate::expr::{Expr, Shape, Unary};
use crate::table::Section;
use crate::table::{Kind as Takes, Set};

/// What kind of value something certainly is, unless it is `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Truth,
    Text,
    Duration,
    List,
    Message,
    Process,
}

impl Kind {
    pub(super) fn words(self) -> &'static str {
        match self {
            Kind::Int => "an integer",
            Kind::Truth => "a truth value",
            Kind::Text => "a text",
            Kind::Duration => "a duration",
            Kind::List => "a list",
            Kind::Message => "a message",
            Kind::Process => "a process",
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Kind::Int | Kind::Duration)
    }
}

/// Whose steps share their variables: a process with all its threads, or a program.
pub(super) struct Owner<'a> {
    name: &'a str,
    /// Whether it is a process; messages to it are sent to that name.
    is_process: bool,
    fields: &'a Fields,
    /// What is certain about each variable; nothing if different things are put into it.
    variables: BTreeMap<&'a str, Option<Kind>>,
    /// For each variable that messages are received into, from where; nothing if that is not known.
    received: BTreeMap<&'a str, Option<Vec<&'a str>>>,
}

impl<'a> Owner<'a> {
    pub(super) fn all(scenario: &'a Scenario) -> impl Iterator<Item = Self> {
        let of = |is_process: bool| {
            move |declaration: &'a Declaration| {
                let mut owner = Self {
                    name: &declaration.name.value,
                    is_process,
                    fields: &declaration.fields,
                    variables: BTreeMap::new(),
                    received: BTreeMap::new(),
                };
                owner.infer();
                owner
            }
        };
        let processes = scenario.processes.iter().map(of(true));
        processes.chain(scenario[Section::Programs].iter().map(of(false)))
    }

    /// Calls this with every step, however deeply nested.
    pub(super) fn each_step(&self, look: &mut dyn FnMut(&'a Step)) {
        each_step(self.fields, look);
    }

    /// At first a variable has the kind of what is plainly put into it; then what is computed from variables
    /// must agree, until nothing changes. What disagrees never becomes certain again, so this ends soon.
    fn infer(&mut self) {
        self.note_sources();
        let given = self.given();
        let mut is_first = true;
        loop {
            let mut seen: BTreeMap<&'a str, Vec<Option<Kind>>> = BTreeMap::new();
            each_step(self.fields, &mut |step| {
                for (name, kind) in self.assigned(step) {
                    seen.entry(name).or_default().push(kind);
                }
            });
            let mut changed = false;
            for (name, kinds) in seen {
                let mut known = kinds.iter().flatten();
                let first = known.next().copied();
                let agree = known.all(|kind| Some(*kind) == first);
                let all_are_known = is_first || kinds.iter().all(Option::is_some);
                let is_open = is_first || self.variables.get(name).copied().flatten().is_some();
                // What is given from outside can be anything.
                let is_own = !given.contains(name);
                let kind = first.filter(|_| agree && all_are_known && is_open && is_own);
                changed |= self.variables.insert(name, kind) != Some(kind);
            }
            if !changed {
                return;
            }
            is_first = false;
        }
    }

    /// Notes where messages are received from.
    fn note_sources(&mut self) {
        let mut received: BTreeMap<&'a str, Option<Vec<&'a str>>> = BTreeMap::new();
        each_step(self.fields, &mut |step| {
            // What arrives in another way may have any body.
            if step.verb.word == Word::Call(CallWord::Call)
                && let Some(Arg::Name(into)) = step.fields.get("into").map(|into| &into.value)
            {
                received.insert(into, None);
            }
            let (Word::Call(CallWord::Receive), Arg::Name(name)) =
                (step.verb.word, &step.operand.value)
            else {
                return;
            };
            let known = received.entry(name).or_insert_with(|| Some(Vec::new()));
            match (known.as_mut(), self.sources(step)) {
                (Some(known), Some(sources)) => known.extend(sources),
                _ => *known = None,
            }
        });
        self.received = received;
    }

    /// The variables that are given from outside: by users of the program, or to a process that is created.
    fn given(&self) -> BTreeSet<&'a str> {
        fn names(fields: &Fields) -> impl Iterator<Item = &str> {
            let with = match fields.get("with").map(|with| &with.value) {
                Some(Arg::Parameters(with)) => &with[..],
                _ => &[],
            };
            with.iter().map(|(name, _)| name.value.as_str())
        }
        let mut given: BTreeSet<&'a str> = names(self.fields).collect();
        each_step(self.fields, &mut |step| given.extend(names(&step.fields)));
        given
    }

    /// The variables that a step sets, with what is certain about them.
    fn assigned(&self, step: &'a Step) -> Vec<(&'a str, Option<Kind>)> {
        let mut all = Vec::new();
        if let Arg::Assignments(assignments) = &step.operand.value {
            let kind = |expr| self.kind(expr, None);
            all.extend(assignments.iter().map(|(name, expr)| (name.value.as_str(), kind(expr))));
        }
        let keys = step.verb.keys.iter().map(|key| (key.name, key.kind));
        for (name, takes) in [(step.verb.name(), step.verb.operand)].into_iter().chain(keys) {
            let arg = if name == step.verb.name() {
                Some(&step.operand.value)
            } else {
                step.fields.get(name).map(|arg| &arg.value)
            };
            if let (Takes::Variable(to), Some(Arg::Name(variable))) = (takes, arg) {
                let kind = match to {
                    Set::Message => Some(Kind::Message),
                    Set::List => Some(Kind::List),
                    Set::Anything => None,
                };
                all.push((variable.as_str(), kind));
            }
        }
        all
    }

    /// The names that a `receive` takes from; nothing if one is computed.
    fn sources(&self, step: &'a Step) -> Option<Vec<&'a str>> {
        let Some(Arg::Objects(objects)) = step.fields.get("from").map(|from| &from.value) else {
            return None;
        };
        let name = |reference: &'a Reference| match reference {
            Reference::Named { name, .. } => Some(name.value.as_str()),
            Reference::Computed(_) => None,
        };
        match objects {
            Objects::One(one) => Some(vec![name(one)?]),
            Objects::Several(all) => all.iter().map(name).collect(),
            Objects::Anyone => Some(vec![self.name]),
        }
    }

    /// What kind of value an expression certainly has, unless it is `none`.
    pub(super) fn kind(&self, expr: &Expr, bodies: Option<&Bodies>) -> Option<Kind> {
        if let Some(kind) = kind_as_written(expr) {
            return Some(kind);
        }
        Some(match &expr.value {
            Shape::Name(name) => match name.as_str() {
                "index" | "thread-index" => Kind::Int,
                "status" => Kind::Text,
                "me" => Kind::Process,
                name => return self.variables.get(name).copied().flatten(),
            },
            Shape::Field(of, field) => match (field.value.as_str(), &of.value) {
                ("size" | "priority", _) => Kind::Int,
                ("rights", _) => Kind::List,
                ("sender", _) => Kind::Process,
                ("body", Shape::Name(name)) => return self.body(name, bodies?),
                _ => return None,
            },
            Shape::Unary(Unary::Not, _) => Kind::Truth,
            Shape::Unary(Unary::Minus, of) => return self.kind(of, bodies),
            Shape::Binary(operator, left, right) => match operator {
                Binary::Add | Binary::Subtract | Binary::Remainder => {
                    return self.kind(left, bodies).filter(|kind| kind.is_number());
                }
                Binary::Multiply | Binary::Divide => {
                    let both = (self.kind(left, bodies), self.kind(right, bodies));
                    match both {
                        (Some(Kind::Int), Some(Kind::Int)) => Kind::Int,
                        _ => return None,
                    }
                }
                _ => Kind::Truth,
            },
            Shape::Call(function, _) => match function.value.as_str() {
                "len" | "count" | "random" => Kind::Int,
                "push" | "pop-first" | "range" => Kind::List,
                "all" | "any" => Kind::Truth,
                "now" => Kind::Duration,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The kind of the bodies of all messages received into a variable, if it holds nothing else.
    fn body(&self, variable: &str, bodies: &Bodies) -> Option<Kind> {
        if self.variables.get(variable) != Some(&Some(Kind::Message)) {
            return None;
        }
        let sources = self.received.get(variable)?.as_ref()?;
        let mut kinds = sources.iter().map(|source| bodies.at(source, self));
        let first = kinds.next()??;
        kinds.all(|kind| kind == Some(first)).then_some(first)
    }
}

/// The kind of an expression that shows by how it is written.
fn kind_as_written(expr: &Expr) -> Option<Kind> {
    Some(match &expr.value {
        Shape::Int(_) => Kind::Int,
        Shape::Bool(_) => Kind::Truth,
        Shape::Text(_) | Shape::Join(_) => Kind::Text,
        Shape::Duration(_) => Kind::Duration,
        Shape::List(_) => Kind::List,
        _ => return None,
    })
}

/// The certain kinds of message bodies, by where they are sent.
pub(super) struct Bodies {
    /// By mailbox or process; nothing where they differ.
    sent: BTreeMap<String, Option<Kind>>,
    mailboxes: BTreeSet<String>,
    processes: BTreeSet<String>,
    /// Whether everything that is sent, and where, is known.
    is_certain: bool,
}

impl Bodies {
    pub(super) fn of(scenario: &Scenario, owners: &[Owner]) -> Self {
        let names = |all: &[Declaration]| all.iter().map(|it| it.name.value.clone()).collect();
        let mut bodies = Self {
            sent: BTreeMap::new(),
            mailboxes: names(&scenario[Section::Mailboxes]),
            processes: names(&scenario.processes),
            // The kernel and name servers send what no step of the file does.
            is_certain: scenario[Section::Ports].is_empty() && scenario[Section::Names].is_empty(),
        };
        for mailbox in &scenario[Section::Mailboxes] {
            if let Some(Arg::Exprs(held)) = mailbox.fields.get("holds").map(|arg| &arg.value) {
                for body in &held.value {
                    bodies.add(&mailbox.name.value, kind_as_written(body));
                }
            }
        }
        for owner in owners {
            owner.each_step(&mut |step| bodies.note(owner, step));
        }
        bodies
    }

    /// A message of this kind may lie there.
    fn add(&mut self, name: &str, kind: Option<Kind>) {
        let known = self.sent.entry(name.to_string()).or_insert(kind);
        *known = known.filter(|known| Some(*known) == kind);
    }

    fn note(&mut self, owner: &Owner, step: &Step) {
        if !matches!(step.verb.word, Word::Call(CallWord::Send | CallWord::Call)) {
            // An answer goes to its caller alone.
            self.is_certain &= !matches!(
                step.verb.word,
                Word::Call(
                    CallWord::Create
                        | CallWord::Spawn
                        | CallWord::Fork
                        | CallWord::Exec
                        | CallWord::Watch
                )
            );
            return;
        }
        let Arg::Expr(body) = &step.operand.value else { return };
        let kind = owner.kind(body, None);
        match step.fields.get("to").map(|to| &to.value) {
            Some(Arg::Objects(Objects::One(Reference::Named { name, .. }))) => {
                self.add(&name.value, kind);
            }
            _ => self.is_certain = false,
        }
    }

    /// Whether a process has this name.
    pub(super) fn is_process(&self, name: &str) -> bool {
        self.processes.contains(name)
    }

    /// The kind of what a process receives from there.
    fn at(&self, source: &str, owner: &Owner) -> Option<Kind> {
        let is_mailbox = self.mailboxes.contains(source);
        // From a process, or from anyone, it arrives on the link to the receiver.
        let is_link = owner.is_process && self.processes.contains(source);
        let at = if is_mailbox { source } else { owner.name };
        if !self.is_certain || !(is_mailbox || is_link) {
            return None;
        }
        self.sent.get(at).copied().flatten()
    }
}

/// Calls this with every step below some keys, however deeply nested.
fn each_step<'a>(fields: &'a Fields, look: &mut dyn FnMut(&'a Step)) {
    fields.0.iter().for_each(|(_, arg)| each_step_in(&arg.value, look));
}

fn each_step_in<'a>(arg: &'a Arg, look: &mut dyn FnMut(&'a Step)) {
    match arg {
        Arg::Steps(steps) => each_of(steps, look),
        Arg::Branches(branches) => branches.iter().for_each(|steps| each_of(steps, look)),
        Arg::Handlers(handlers) => handlers.iter().for_each(|it| each_of(&it.steps, look)),
        Arg::Threads(threads) => threads.iter().for_each(|it| each_step(&it.fields, look)),
        _ => {}
    }
}

fn each_of<'a>(steps: &'a [Step], look: &mut dyn FnMut(&'a Step)) {
    for step in steps {
        look(step);
        each_step_in(&step.operand.value, look);
        each_step(&step.fields, look);
    }
}
