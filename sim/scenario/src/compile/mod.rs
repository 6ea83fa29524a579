//! Compiling: names become numbers, structure becomes jumps, policies become enums.

mod claims;
mod declare;
mod flow;
mod jumps;
mod mailboxes;
mod name_servers;
mod ports;
mod predicate;
mod processes;
mod resolve;
mod settings;
mod spawned;
mod types;
mod unheeded;
mod unit;

use std::collections::BTreeMap;

use ipcsim_kernel::{Expr, Field, Machine, Predicate, Receives, UserId, Value};

use crate::ast::Scenario;
use crate::diagnostic::Diagnostic;
use crate::personality::{self, Personality};
use crate::place::{Place, Source};
use declare::Names;
use settings::{policies, timing};
use unit::Entry;

/// A scenario as the kernel knows it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The machine.
    pub machine: Machine,
    /// The predicates of its claims, in their order; none where a claim has none.
    pub predicates: Vec<Option<Predicate>>,
}

/// Compiles a scenario that was read without an error.
///
/// There is no result if there is an error among the diagnostics.
pub fn compile(
    scenario: &Scenario,
    source: &Source,
    max_threads: u32,
) -> (Option<Compiled>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    types::check(scenario, &mut found);
    let lifted = spawned::lift(scenario);
    let scenario = lifted.as_ref().map_or(scenario, |lifted| &lifted.scenario);
    let with_names = name_servers::lift(scenario);
    let scenario = with_names.as_ref().unwrap_or(scenario);
    let mut names = declare::declare(scenario, &mut found);
    if let Some(lifted) = &lifted {
        names.children.clone_from(&lifted.children);
    }
    let personality = personality::of(&scenario.kernel);
    let applied = personality.map(|personality| personality.applied_to(&scenario.kernel));
    let kernel = applied.as_ref().unwrap_or(&scenario.kernel);
    let mut compiler = Compiler {
        scenario,
        names: &names,
        machine: Machine {
            max_threads,
            policies: policies(kernel),
            timing: timing(kernel),
            ..Machine::default()
        },
        lines: Lines::new(source),
        users: Vec::new(),
        forked: BTreeMap::new(),
        found,
    };
    compiler.machine.symbols.outcomes = personality.map_or(Vec::new(), Personality::words);
    compiler.mailboxes();
    compiler.ports();
    compiler.port_sets();
    compiler.check_name_servers();
    compiler.files();
    let programs = compiler.programs();
    compiler.processes(&programs);
    compiler.images(&programs);
    compiler.rights_to_names();
    compiler.control_ports();
    let predicates = claims::compile(scenario, &names, &compiler.machine, &mut compiler.found);
    compiler.machine.receives = receives(&compiler.machine, &predicates);
    unheeded::check(scenario, &compiler.machine, &mut compiler.found);
    let mut found = compiler.found;
    found.sort_by_key(|diagnostic| (diagnostic.at, diagnostic.code));
    found.dedup();
    let fails = found.iter().any(|d| d.severity == crate::Severity::Error);
    if fails {
        return (None, found);
    }
    let mut machine = compiler.machine;
    jumps::cut_short(&mut machine.code);
    (Some(Compiled { machine, predicates }), found)
}

/// How many arguments were given, in words.
fn given(arguments: usize) -> String {
    match arguments {
        1 => "1 is given".into(),
        many => format!("{many} are given"),
    }
}

/// Whether a program or a claim reads the number under which a message was received.
fn receives(machine: &Machine, predicates: &[Option<Predicate>]) -> Receives {
    let mut counts = false;
    let mut look = |expr: &Expr| {
        counts |= expr.contains(&|part| matches!(part, Expr::Field(_, Field::Seq)));
    };
    machine.code.iter().for_each(|op| op.expressions(&mut look));
    predicates.iter().flatten().for_each(|predicate| look(&predicate.expr));
    if counts { Receives::Counted } else { Receives::Uncounted }
}

struct Compiler<'a> {
    scenario: &'a Scenario,
    names: &'a Names,
    machine: Machine,
    lines: Lines,
    users: Vec<String>,
    /// Where the processes begin that others fork.
    forked: BTreeMap<String, Entry>,
    found: Vec<Diagnostic>,
}

/// A program that is compiled once and may be used by several processes.
struct Program {
    name: String,
    entry: Entry,
    parameters: Vec<(String, Option<Value>)>,
}

/// From bytes to lines, quickly.
struct Lines {
    starts: Vec<u32>,
}

impl Lines {
    fn new(source: &Source) -> Self {
        let breaks = source.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = breaks.map(|(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX)).collect();
        Self { starts }
    }

    /// The line of a place in the file, from 1; 0 for what `--set` added.
    fn line(&self, at: Place) -> u32 {
        if at.source != 0 {
            return 0;
        }
        let before = self.starts.partition_point(|start| *start <= at.start);
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }
}

impl Compiler<'_> {
    fn user(&mut self, user: &str) -> UserId {
        let known = self.users.iter().position(|known| known == user);
        UserId::at(known.unwrap_or_else(|| {
            self.users.push(user.to_string());
            self.users.len() - 1
        }))
    }
}
