//! Processes that other processes create: declared in the step that creates them, and known by name everywhere.

use std::collections::BTreeMap;

use ipcsim_kernel::program::{CallWord, Word};

use super::settings::{name, unsigned};
use super::unit::inner_lists;
use crate::ast::{Arg, Declaration, Fields, Scenario, Step};
use crate::expr::Shape;
use crate::place::Placed;
use crate::table::Section;

/// What a process inherits from its creator, unless the step says otherwise.
const INHERITED: [&str; 4] = ["names", "exception-port", "user", "priority"];
/// What the step says about it in the words of a declaration.
const OWN: [&str; 8] =
    ["do", "program", "names", "exception-port", "user", "priority", "daemon", "protected"];

/// A scenario with what its steps declare.
pub(super) struct Lifted {
    pub scenario: Scenario,
    /// By name: the parameters of each created process, and how many of it one creator can make.
    pub children: BTreeMap<String, Child>,
}

/// A process that a step creates.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub parameters: Vec<String>,
    /// How many of it one creator can make. Forked processes count as their creator.
    pub each: u32,
    /// The same if it is forked, else 0.
    pub per_root: u32,
}

/// Declares the processes that steps create, after the others; nothing if there are none.
pub(super) fn lift(scenario: &Scenario) -> Option<Lifted> {
    let mut lifted = Lifted { scenario: scenario.clone(), children: BTreeMap::new() };
    lifted.declare_what_is_made_from(0, scenario);
    // A program that nobody runs now may be run after `--set`; its steps are checked, and name its children.
    let is_run = |program: &Declaration, processes: &[Declaration]| {
        let runs = |process: &Declaration| {
            let all = run_by(scenario, &process.fields);
            all.iter().any(|it| it.name.value == program.name.value)
        };
        processes.iter().any(runs)
    };
    for program in &scenario[Section::Programs] {
        if let Some(arg) = program.fields.get("do")
            && !is_run(program, &lifted.scenario.processes)
        {
            let first = lifted.scenario.processes.len();
            lifted.declare_children(arg.value.steps(), &Fields::default());
            lifted.declare_what_is_made_from(first, scenario);
        }
    }
    (!lifted.children.is_empty()).then_some(lifted)
}

impl Lifted {
    /// Declares what the processes from this one on create, and what those create.
    fn declare_what_is_made_from(&mut self, mut at: usize, scenario: &Scenario) {
        while let Some(creator) = self.scenario.processes.get(at).cloned() {
            // Declared twice, which is an error; a program that creates itself would be followed for ever.
            let is_known = self.children.contains_key(&creator.name.value)
                && self.scenario.processes[..at]
                    .iter()
                    .any(|it| it.name.value == creator.name.value);
            let programs =
                if is_known { Vec::new() } else { programs_of(scenario, &creator.fields) };
            for steps in programs {
                self.declare_children(steps, &creator.fields);
            }
            at += 1;
        }
    }

    /// Declares the processes that these steps of a creator create. What a forked process creates counts for the creator in
    /// whose steps that stands: the process has a copy of them.
    fn declare_children(&mut self, steps: &[Step], creator: &Fields) {
        let mut found = Vec::new();
        makers(steps, creator, &mut found);
        for (step, inherits) in found {
            let Arg::Name(own) = &step.operand.value else { continue };
            let is_forked = step.verb.word == Word::Call(CallWord::Fork);
            let parameters =
                if is_forked { Vec::new() } else { parameters(&self.scenario, &step.fields) };
            let each = u32::try_from(unsigned(&step.fields, "replicas").unwrap_or(1)).unwrap_or(1);
            let per_root = if is_forked { each } else { 0 };
            let creators = unsigned(creator, "replicas");
            self.scenario.processes.push(declaration((&inherits, creators), own, &step));
            self.children.insert(own.clone(), Child { parameters, each, per_root });
        }
    }
}

/// All lists of steps that a process runs.
pub(super) fn programs_of<'a>(scenario: &'a Scenario, process: &'a Fields) -> Vec<&'a [Step]> {
    let mut lists = own_steps(process);
    lists.extend(run_by(scenario, process).into_iter().map(|it| steps_of(&it.fields)));
    lists
}

fn steps_of(fields: &Fields) -> &[Step] {
    fields.get("do").map_or(&[], |arg| arg.value.steps())
}

/// The steps in the declaration of a process.
fn own_steps(process: &Fields) -> Vec<&[Step]> {
    let mut lists = vec![steps_of(process)];
    if let Some(Arg::Threads(threads)) = process.get("threads").map(|arg| &arg.value) {
        lists.extend(threads.iter().map(|thread| steps_of(&thread.fields)));
    }
    lists
}

/// The programs that a process runs: the one that it begins with, and all that it may go on with.
fn run_by<'a>(scenario: &'a Scenario, process: &'a Fields) -> Vec<&'a Declaration> {
    let mut wanted: Vec<&str> = name(process, "program").into_iter().map(|it| it.value).collect();
    for steps in own_steps(process) {
        execs(steps, &mut wanted);
    }
    let mut programs: Vec<&Declaration> = Vec::new();
    while let Some(name) = wanted.pop() {
        let mut all = scenario[Section::Programs].iter();
        let Some(program) = all.find(|program| program.name.value == name) else { continue };
        if !programs.iter().any(|known| known.name.value == name) {
            programs.push(program);
            execs(steps_of(&program.fields), &mut wanted);
        }
    }
    programs
}

/// The programs that these steps go on with.
fn execs<'a>(steps: &'a [Step], found: &mut Vec<&'a str>) {
    for step in steps {
        if let (Word::Call(CallWord::Exec), Arg::Name(program)) =
            (step.verb.word, &step.operand.value)
        {
            found.push(program);
        }
        for inner in inner_lists(step) {
            execs(inner, found);
        }
    }
}

/// The steps that make processes, each with what its process inherits from.
fn makers(steps: &[Step], creator: &Fields, found: &mut Vec<(Step, Fields)>) {
    for step in steps {
        let forks = step.verb.word == Word::Call(CallWord::Fork);
        if forks || step.verb.word == Word::Call(CallWord::Spawn) {
            found.push((step.clone(), creator.clone()));
        }
        if forks && let Some(inner) = step.fields.get("do") {
            let child = inherited(creator, step);
            makers(inner.value.steps(), &child, found);
        }
        for inner in inner_lists(step) {
            let is_of_child = forks
                && step
                    .fields
                    .get("do")
                    .is_some_and(|of| std::ptr::eq(of.value.steps().as_ptr(), inner.as_ptr()));
            if !is_of_child {
                makers(inner, creator, found);
            }
        }
    }
}

/// What the step says of a process in the words of a declaration, and what it inherits.
fn inherited(creator: &Fields, step: &Step) -> Fields {
    let mut fields = Fields::default();
    // What is forked has the steps of its creator.
    let has_own_steps = step.verb.word != Word::Call(CallWord::Fork);
    for (key, arg) in &step.fields.0 {
        if OWN.contains(&key.value) && (has_own_steps || key.value != "do") {
            fields.0.push((key.clone(), arg.clone()));
        }
    }
    for (key, arg) in &creator.0 {
        if INHERITED.contains(&key.value) && fields.get(key.value).is_none() {
            fields.0.push((key.clone(), arg.clone()));
        }
    }
    fields
}

fn declaration((creator, creators): (&Fields, Option<u64>), own: &str, step: &Step) -> Declaration {
    let mut fields = inherited(creator, step);
    // Its values come when it is created.
    if let Some(Arg::Parameters(given)) = step.fields.get("with").map(|arg| &arg.value) {
        let nothing = |(name, value): &(Placed<String>, crate::expr::Expr)| {
            (name.clone(), Placed::new(Shape::None, value.at))
        };
        let nothing = Arg::Parameters(given.iter().map(nothing).collect());
        fields.0.push((Placed::new("with", step.at), Placed::new(nothing, step.at)));
    }
    let each = unsigned(&step.fields, "replicas");
    if creators.is_some() || each.is_some() {
        let all = creators.unwrap_or(1).saturating_mul(each.unwrap_or(1));
        fields.0.push((Placed::new("replicas", step.at), Placed::new(Arg::Unsigned(all), step.at)));
    }
    Declaration { name: Placed::new(own.to_string(), step.operand.at), fields }
}

/// The names of the variables that it begins with, in the order of its registers.
fn parameters(scenario: &Scenario, fields: &Fields) -> Vec<String> {
    let of = |fields: &Fields| match fields.get("with").map(|arg| &arg.value) {
        Some(Arg::Parameters(given)) => given.iter().map(|(name, _)| name.value.clone()).collect(),
        _ => Vec::new(),
    };
    match name(fields, "program") {
        Some(wanted) => {
            let mut programs = scenario[Section::Programs].iter();
            let program = programs.find(|program| program.name.value == wanted.value);
            program.map_or(Vec::new(), |program| of(&program.fields))
        }
        None => of(fields),
    }
}
