//! Compiling: names become numbers, structure becomes jumps, policies become enums.

mod claims;
mod declare;
mod flow;
mod resolve;
mod unit;

use ipcsim_kernel::{
    Arrivals, Capacity, Costs, Detect, Family, FamilyId, File, Machine, MailboxKind, MailboxSpec,
    MemoryFull, NameServer, NameServerId, Order, Pick, Policies, ProcessId, Replicas, Role,
    Scheduler, ThreadSpec, Timing, TooLarge, UserId, Value, Wake,
};

use crate::ast::{Arg, Declaration, Fields, Flag, Scenario};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed, Source};
use declare::Names;
use unit::{Entry, Unit};

/// Compiles a scenario that was read without an error.
///
/// Gives no machine if there is an error among the diagnostics.
pub fn compile(
    scenario: &Scenario,
    source: &Source,
    max_threads: u32,
) -> (Option<Machine>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let names = declare::declare(scenario, &mut found);
    let mut compiler = Compiler {
        scenario,
        names: &names,
        machine: Machine {
            max_threads,
            policies: policies(&scenario.kernel),
            timing: timing(&scenario.kernel),
            ..Machine::default()
        },
        lines: Lines::new(source),
        users: Vec::new(),
        found,
    };
    compiler.mailboxes();
    compiler.name_servers();
    compiler.files();
    let programs = compiler.programs();
    compiler.processes(&programs);
    claims::check(scenario, &names, &mut compiler.found);
    let mut found = compiler.found;
    found.sort_by_key(|diagnostic| (diagnostic.at, diagnostic.code));
    found.dedup();
    let fails = found.iter().any(|d| d.severity == crate::Severity::Error);
    ((!fails).then_some(compiler.machine), found)
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

    /// The line of a place in the file, from 1; 0 for what `--set` brought in.
    fn line(&self, at: Place) -> u32 {
        if at.source != 0 {
            return 0;
        }
        let before = self.starts.partition_point(|start| *start <= at.start);
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }
}

fn capacity(fields: &Fields, key: &str) -> Option<Capacity> {
    match fields.get(key).map(|arg| &arg.value) {
        Some(Arg::Capacity(capacity)) => Some(*capacity),
        _ => None,
    }
}

fn word(fields: &Fields, key: &str) -> Option<&'static str> {
    match fields.get(key).map(|arg| &arg.value) {
        Some(Arg::Word(word)) => Some(word),
        _ => None,
    }
}

fn name<'a>(fields: &'a Fields, key: &str) -> Option<Placed<&'a str>> {
    match fields.get(key) {
        Some(Placed { value: Arg::Name(name), at }) => Some(Placed::new(name.as_str(), *at)),
        _ => None,
    }
}

fn unsigned(fields: &Fields, key: &str) -> Option<u64> {
    match fields.get(key).map(|arg| &arg.value) {
        Some(Arg::Unsigned(number) | Arg::Bytes(number) | Arg::Nanoseconds(number)) => {
            Some(*number)
        }
        _ => None,
    }
}

fn pick(fields: &Fields, key: &str) -> Option<Pick> {
    word(fields, key).map(|word| match word {
        "lifo" => Pick::Lifo,
        "priority" => Pick::Priority,
        "arbitrary" => Pick::Arbitrary,
        _ => Pick::Fifo,
    })
}

fn order(fields: &Fields) -> Order {
    match word(fields, "order") {
        Some("priority") => Order::Priority,
        _ => Order::Fifo,
    }
}

fn policies(kernel: &Fields) -> Policies {
    let memory = match kernel.get("memory").map(|arg| &arg.value) {
        Some(Arg::Memory(memory)) => *memory,
        _ => None,
    };
    Policies {
        buffering: capacity(kernel, "buffering").unwrap_or(Capacity::None),
        memory,
        message_overhead: unsigned(kernel, "message-overhead").unwrap_or(0),
        memory_full: match word(kernel, "memory-full") {
            Some("fail") => MemoryFull::Fail,
            _ => MemoryFull::Wait,
        },
        receiver: pick(kernel, "receiver").unwrap_or(Pick::Fifo),
        sender: pick(kernel, "sender").unwrap_or(Pick::Fifo),
        wake: match word(kernel, "wake") {
            Some("look-again") => Wake::LookAgain,
            _ => Wake::HandOver,
        },
        too_large: match word(kernel, "too-large") {
            Some("destroy") => TooLarge::Destroy,
            _ => TooLarge::Keep,
        },
        detect: match word(kernel, "detect") {
            Some("refuse") => Detect::Refuse,
            _ => Detect::Report,
        },
    }
}

fn timing(kernel: &Fields) -> Timing {
    let default = Timing::default();
    let costs = match kernel.get("costs").map(|arg| &arg.value) {
        Some(Arg::Table(fields)) => Costs {
            syscall_ns: unsigned(fields, "syscall").unwrap_or(default.costs.syscall_ns),
            context_switch_ns: unsigned(fields, "context-switch")
                .unwrap_or(default.costs.context_switch_ns),
            copy_per_kib_ns: unsigned(fields, "copy-per-KiB")
                .unwrap_or(default.costs.copy_per_kib_ns),
            poll_ns: unsigned(fields, "poll").unwrap_or(default.costs.poll_ns),
        },
        _ => default.costs,
    };
    Timing {
        seed: unsigned(kernel, "seed").unwrap_or(0),
        cpus: u32::try_from(unsigned(kernel, "cpus").unwrap_or(1)).unwrap_or(1),
        scheduler: match word(kernel, "scheduler") {
            Some("round-robin") => Scheduler::RoundRobin,
            Some("priority") => Scheduler::Priority,
            Some("random") => Scheduler::Random,
            _ => Scheduler::Fifo,
        },
        quantum_ns: unsigned(kernel, "quantum").unwrap_or(default.quantum_ns).max(1),
        costs,
    }
}

impl Compiler<'_> {
    fn mailboxes(&mut self) {
        for declaration in &self.scenario.mailboxes {
            let fields = &declaration.fields;
            let kind = if self.names.is_filed(&declaration.name.value) {
                MailboxKind::Filed
            } else {
                MailboxKind::Open
            };
            let spec = MailboxSpec {
                capacity: capacity(fields, "capacity").unwrap_or(self.machine.policies.buffering),
                order: order(fields),
                receiver: pick(fields, "receiver").unwrap_or(self.machine.policies.receiver),
                max_size: unsigned(fields, "max-size"),
                kind,
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

    fn add_mailbox(&mut self, name: String, spec: MailboxSpec) {
        self.machine.mailboxes.push(spec);
        self.machine.symbols.mailboxes.push(name);
    }

    fn name_servers(&mut self) {
        for declaration in &self.scenario.names {
            let parent =
                name(&declaration.fields, "parent").and_then(|parent| self.name_server(&parent));
            let mut entries = Vec::new();
            if let Some(Arg::Entries(named)) =
                declaration.fields.get("entries").map(|arg| &arg.value)
            {
                for (entry, reference) in named {
                    match resolve::constant_handle(self.names, reference) {
                        Ok(handle) => entries.push((entry.value.as_str().into(), handle)),
                        Err(diagnostic) => self.found.push(*diagnostic),
                    }
                }
            }
            self.machine.name_servers.push(NameServer { parent, entries });
            self.machine.symbols.name_servers.push(declaration.name.value.clone());
        }
        self.check_parents();
        if self.machine.name_servers.is_empty() {
            self.machine.name_servers.push(NameServer { parent: None, entries: Vec::new() });
            self.machine.symbols.name_servers.push("name-server".into());
        }
    }

    fn name_server(&mut self, wanted: &Placed<&str>) -> Option<NameServerId> {
        let known = || self.scenario.names.iter().map(|server| server.name.value.as_str());
        let found = known().position(|known| known == wanted.value);
        if found.is_none() {
            let diagnostic = Diagnostic::new(
                Code::UnknownName,
                wanted.at,
                format!("no name server is called `{}`", wanted.value),
            )
            .did_you_mean(wanted.value, known());
            self.found.push(diagnostic);
        }
        found.map(NameServerId::at)
    }

    /// A name server must not ask itself, by whatever detour.
    fn check_parents(&mut self) {
        let servers = &self.machine.name_servers;
        for (start, declaration) in self.scenario.names.iter().enumerate() {
            let mut at = servers[start].parent;
            for _ in 0..servers.len() {
                match at {
                    Some(parent) if parent.index() == start => {
                        let place =
                            declaration.fields.get("parent").map_or(declaration.name.at, |p| p.at);
                        self.found.push(
                            Diagnostic::new(
                                Code::NameServers,
                                place,
                                format!(
                                    "name server `{}` is its own ancestor",
                                    declaration.name.value
                                ),
                            )
                            .label("this closes a circle"),
                        );
                        return;
                    }
                    Some(parent) => at = servers[parent.index()].parent,
                    None => break,
                }
            }
        }
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
                let known = self.scenario.mailboxes.iter().map(|m| m.name.value.as_str());
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

    /// Of a mode the first digit is the owner's and the last everybody else's; there are no groups.
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

    fn programs(&mut self) -> Vec<Program> {
        let mut programs = Vec::new();
        for declaration in &self.scenario.programs {
            let parameters = self.constants(&declaration.fields);
            let steps = declaration.fields.get("do").map_or(&[][..], |arg| arg.value.steps());
            let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
            let entry = self.unit(steps, &names, &["main".to_string()]);
            programs.push(Program { name: declaration.name.value.clone(), entry, parameters });
        }
        programs
    }

    /// The values of `with:`, which are constants; `none` where it is an expression.
    fn constants(&mut self, fields: &Fields) -> Vec<(String, Option<Value>)> {
        let Some(Arg::Parameters(parameters)) = fields.get("with").map(|arg| &arg.value) else {
            return Vec::new();
        };
        let mut values = Vec::new();
        for (name, expr) in parameters {
            let value = match resolve::constant(self.names, expr) {
                Ok(value) => Some(value),
                Err(diagnostic) => {
                    self.found.push(*diagnostic);
                    None
                }
            };
            values.push((name.value.clone(), value));
        }
        values
    }

    fn unit(
        &mut self,
        steps: &[crate::ast::Step],
        parameters: &[&str],
        threads: &[String],
    ) -> Entry {
        Unit::compile(
            &unit::Text { steps, parameters, threads },
            self.names,
            &mut self.machine,
            &self.lines,
            &mut self.found,
        )
    }

    fn processes(&mut self, programs: &[Program]) {
        let mut total: u64 = 0;
        for declaration in &self.scenario.processes {
            let count = unsigned(&declaration.fields, "replicas");
            let threads = self.threads(declaration, programs);
            let each: u64 = threads.iter().map(|spec| u64::from(spec.count)).sum();
            let asked = each.saturating_mul(count.unwrap_or(1));
            total = total.saturating_add(asked);
            if total > u64::from(self.machine.max_threads) {
                let at =
                    declaration.fields.get("replicas").map_or(declaration.name.at, |arg| arg.at);
                self.found.push(
                    Diagnostic::new(
                        Code::TooManyThreads,
                        at,
                        format!(
                            "a scenario has at most {} threads, with these it has {total}",
                            self.machine.max_threads
                        ),
                    )
                    .label(format!("{asked} threads"))
                    .help("--max-threads allows more"),
                );
                return;
            }
            self.family(declaration, count, threads);
        }
    }

    fn family(&mut self, declaration: &Declaration, count: Option<u64>, threads: Vec<ThreadSpec>) {
        let fields = &declaration.fields;
        let id = FamilyId::at(self.machine.families.len());
        let members = u32::try_from(count.unwrap_or(1)).expect("replicas are limited");
        let names = match name(fields, "names") {
            Some(server) => self.name_server(&server),
            None => Some(self.only_name_server(fields, &declaration.name)),
        };
        let user = name(fields, "user").map(|user| self.user(user.value));
        let priority = match fields.get("priority").map(|arg| &arg.value) {
            Some(Arg::Integer(priority)) => *priority,
            _ => 0,
        };
        let role = match fields.get("daemon").map(|arg| &arg.value) {
            Some(Arg::Flag(Flag::Yes)) => Role::Daemon,
            _ => Role::Worker,
        };
        let arrivals = if receives_from_anyone(&self.machine, &threads) {
            Arrivals::Ordered
        } else {
            Arrivals::Unordered
        };
        self.machine.families.push(Family {
            first: ProcessId::at(self.machine.processes.len()),
            count: members,
            replicas: if count.is_some() { Replicas::Numbered } else { Replicas::Single },
            priority,
            role,
            user,
            names: names.unwrap_or(NameServerId(0)),
            start_ns: unsigned(fields, "start").unwrap_or(0),
            link_capacity: capacity(fields, "capacity").unwrap_or(self.machine.policies.buffering),
            arrivals,
            threads,
        });
        let all = self.machine.processes.len() + members as usize;
        self.machine.processes.resize(all, id);
        self.machine.symbols.families.push(declaration.name.value.clone());
    }

    /// With one name server declared, or none, it is everybody's.
    fn only_name_server(&mut self, fields: &Fields, process: &Placed<String>) -> NameServerId {
        if self.scenario.names.len() > 1 && uses_names(fields, self.scenario) {
            self.found.push(
                Diagnostic::new(
                    Code::NameServers,
                    process.at,
                    format!("process `{}` does not say which name server it asks", process.value),
                )
                .label("give it `names:`")
                .help(format!(
                    "there are {}",
                    self.scenario
                        .names
                        .iter()
                        .map(|s| s.name.value.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                )),
            );
        }
        NameServerId(0)
    }

    fn threads(&mut self, declaration: &Declaration, programs: &[Program]) -> Vec<ThreadSpec> {
        let fields = &declaration.fields;
        if let Some(program) = name(fields, "program") {
            return self.thread_of_program(declaration, &program, programs);
        }
        let parameters = self.constants(fields);
        let given: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
        if let Some(Arg::Threads(threads)) = fields.get("threads").map(|arg| &arg.value) {
            let names: Vec<String> =
                threads.iter().map(|thread| thread.name.value.clone()).collect();
            return threads
                .iter()
                .map(|thread| {
                    let steps = thread.fields.get("do").map_or(&[][..], |arg| arg.value.steps());
                    let entry = self.unit(steps, &given, &names);
                    let count = unsigned(&thread.fields, "replicas").unwrap_or(1);
                    self.spec(&thread.name.value, count, entry, &parameters)
                })
                .collect();
        }
        let steps = fields.get("do").map_or(&[][..], |arg| arg.value.steps());
        let entry = self.unit(steps, &given, &["main".to_string()]);
        vec![self.spec("main", 1, entry, &parameters)]
    }

    fn thread_of_program(
        &mut self,
        declaration: &Declaration,
        wanted: &Placed<&str>,
        programs: &[Program],
    ) -> Vec<ThreadSpec> {
        let Some(program) = programs.iter().find(|program| program.name == wanted.value) else {
            let known = programs.iter().map(|program| program.name.as_str());
            self.found.push(
                Diagnostic::new(
                    Code::Parameter,
                    wanted.at,
                    format!("no program is called `{}`", wanted.value),
                )
                .did_you_mean(wanted.value, known),
            );
            return Vec::new();
        };
        let mut parameters = program.parameters.clone();
        for (name, value) in self.constants(&declaration.fields) {
            match parameters.iter_mut().find(|(known, _)| *known == name) {
                Some((_, default)) => *default = value,
                None => self.unknown_parameter(declaration, &name, program),
            }
        }
        vec![self.spec("main", 1, program.entry, &parameters)]
    }

    fn unknown_parameter(&mut self, declaration: &Declaration, name: &str, program: &Program) {
        let Some(Arg::Parameters(given)) = declaration.fields.get("with").map(|arg| &arg.value)
        else {
            return;
        };
        let at = given
            .iter()
            .find(|(key, _)| key.value == name)
            .map_or(declaration.name.at, |(key, _)| key.at);
        let known = program.parameters.iter().map(|(name, _)| name.as_str());
        let list = known.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
        self.found.push(
            Diagnostic::new(
                Code::Parameter,
                at,
                format!("program `{}` has no parameter `{name}`", program.name),
            )
            .did_you_mean(name, known)
            .help(if list.is_empty() {
                "it has no parameters".to_string()
            } else {
                format!("its parameters are {list}")
            }),
        );
    }

    fn spec(
        &mut self,
        name: &str,
        count: u64,
        entry: Entry,
        parameters: &[(String, Option<Value>)],
    ) -> ThreadSpec {
        let initial = parameters
            .iter()
            .enumerate()
            .filter_map(|(at, (_, value))| Some((ipcsim_kernel::Register::at(at), value.clone()?)))
            .collect();
        ThreadSpec {
            name: unit::thread_name(&mut self.machine, name),
            count: u32::try_from(count).expect("replicas are limited"),
            entry: entry.pc,
            registers: entry.registers,
            initial,
        }
    }
}

/// Whether any code that these threads can come to receives from anyone. Units are compiled one after
/// the other, so asking the whole code would be right but would slow every process down.
fn receives_from_anyone(machine: &Machine, threads: &[ThreadSpec]) -> bool {
    threads.iter().any(|spec| {
        flow::reachable(machine, spec.entry).into_iter().any(|pc| {
            matches!(
                &machine.code[pc.index()],
                ipcsim_kernel::program::Op::Call(call) if matches!(
                    &call.verb,
                    ipcsim_kernel::program::Verb::Receive(receive)
                        if receive.from == ipcsim_kernel::program::From::Anyone
                )
            )
        })
    })
}

/// Whether a process asks a name server at all.
fn uses_names(fields: &Fields, scenario: &Scenario) -> bool {
    fn steps_use(steps: &[crate::ast::Step]) -> bool {
        steps.iter().any(|step| {
            matches!(step.verb.name, "register" | "unregister" | "lookup")
                || unit::inner_lists(step).into_iter().any(steps_use)
        })
    }
    let program = name(fields, "program").and_then(|wanted| {
        scenario.programs.iter().find(|program| program.name.value == wanted.value)
    });
    let own = fields.get("do").map_or(&[][..], |arg| arg.value.steps());
    let of_program = program
        .and_then(|program| program.fields.get("do"))
        .map_or(&[][..], |arg| arg.value.steps());
    let of_threads = match fields.get("threads").map(|arg| &arg.value) {
        Some(Arg::Threads(threads)) => threads.iter().any(|thread| {
            steps_use(thread.fields.get("do").map_or(&[][..], |arg| arg.value.steps()))
        }),
        _ => false,
    };
    steps_use(own) || steps_use(of_program) || of_threads
}
