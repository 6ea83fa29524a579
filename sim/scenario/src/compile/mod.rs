//! Compiling: names become numbers, structure becomes jumps, policies become enums.

mod claims;
mod declare;
mod flow;
mod jumps;
mod name_servers;
mod ports;
mod predicate;
mod processes;
mod resolve;
mod settings;
mod spawned;
mod types;
mod unit;

use ipcsim_kernel::object::mailbox::{Mailbox, Object};
use ipcsim_kernel::{Expr, Field, File, Machine, Predicate, QueueSpec, Receives, UserId, Value};

use crate::ast::{Fields, Scenario};
use crate::diagnostic::{Code, Diagnostic};
use crate::personality::{self, Personality};
use crate::place::{Place, Source};
use crate::table::Section;
use declare::Names;
use settings::{capacity, name, order, pick, policies, timing, unsigned};
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
    compiler.rights_to_names();
    compiler.control_ports();
    let predicates = claims::compile(scenario, &names, &compiler.machine, &mut compiler.found);
    compiler.machine.receives = receives(&compiler.machine, &predicates);
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
    fn mailboxes(&mut self) {
        for declaration in &self.scenario[Section::Mailboxes] {
            let fields = &declaration.fields;
            let spec = QueueSpec {
                capacity: capacity(fields, "capacity").unwrap_or(self.machine.policies.buffering),
                order: order(fields),
                receiver: pick(fields, "receiver").unwrap_or(self.machine.policies.receiver),
                max_size: unsigned(fields, "max-size").unwrap_or(QueueSpec::ANY_SIZE),
            };
            match unsigned(fields, "replicas") {
                None => self.add_mailbox(declaration.name.value.clone(), spec),
                Some(count) => {
                    for index in 1..=count {
                        self.add_mailbox(format!("{}[{index}]", declaration.name.value), spec);
                    }
                }
            }
        }
    }

    fn add_mailbox(&mut self, name: String, spec: QueueSpec) {
        self.machine.mailboxes.push(Mailbox::new(spec, Object::Open));
        self.machine.symbols.mailboxes.push(name);
    }

    fn user(&mut self, user: &str) -> UserId {
        let known = self.users.iter().position(|known| known == user);
        UserId::at(known.unwrap_or_else(|| {
            self.users.push(user.to_string());
            self.users.len() - 1
        }))
    }

    fn files(&mut self) {
        for declaration in &self.scenario.files {
            let fields = &declaration.fields;
            let Some(mailbox) = name(fields, "mailbox") else { continue };
            let Some(id) = self.names.single_mailbox(mailbox.value) else {
                let known = self.scenario[Section::Mailboxes].iter().map(|m| m.name.value.as_str());
                self.found.push(
                    Diagnostic::new(
                        Code::UnknownName,
                        mailbox.at,
                        format!("no single mailbox is called `{}`", mailbox.value),
                    )
                    .did_you_mean(mailbox.value, known),
                );
                continue;
            };
            if let Some(mailbox) = self.machine.mailboxes.get_mut(id.index())
                && mailbox.object == Object::Open
            {
                mailbox.object = Object::Filed;
            }
            let (owner_mode, other_mode) = self.mode(fields);
            let owner = name(fields, "owner").map(|owner| self.user(owner.value));
            self.machine.files.push(File {
                path: declaration.name.value.as_str().into(),
                mailbox: id,
                owner,
                owner_mode,
                other_mode,
            });
        }
        self.machine.files.sort_by(|a, b| a.path.cmp(&b.path));
    }

    /// The first digit of a mode is the owner's, the last is everybody else's; there are no groups.
    fn mode(&mut self, fields: &Fields) -> (u8, u8) {
        let Some(mode) = name(fields, "mode") else { return (6, 6) };
        let digits = mode.value.strip_prefix('0').unwrap_or(mode.value).as_bytes();
        match digits {
            [owner @ b'0'..=b'7', b'0'..=b'7', other @ b'0'..=b'7'] => (owner - b'0', other - b'0'),
            _ => {
                self.found.push(
                    Diagnostic::new(
                        Code::Files,
                        mode.at,
                        format!("`{}` is not a mode", mode.value),
                    )
                    .label("expected three octal digits in quotes, such as \"0620\""),
                );
                (0, 0)
            }
        }
    }
}
