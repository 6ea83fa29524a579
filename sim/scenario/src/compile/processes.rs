//! Programs and processes: families, their threads, and the code that those run.

use ipcsim_kernel::{
    Arrivals, Birth, Family, FamilyId, Machine, ProcessId, Protection, Replicas, Role, ThreadSpec,
    Value,
};

use ipcsim_kernel::program::{Edges, Effect, From, ImageVerb, Op, Verb, reachable};

use super::settings::{capacity, name, unsigned};
use super::unit::{self, Entry, Unit};
use super::{Compiler, Program, declare, resolve};
use crate::ast::{Arg, Declaration, Fields, Flag};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{BUILT_IN, Placed};
use crate::table::Section;

impl Compiler<'_> {
    pub(super) fn programs(&mut self) -> Vec<Program> {
        let mut programs = Vec::new();
        for declaration in &self.scenario[Section::Programs] {
            let parameters = self.constants(&declaration.fields);
            let steps = declaration.fields.get("do").map_or(&[][..], |arg| arg.value.steps());
            let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
            let entry = self.unit(steps, &names, &[("main".to_string(), 1)]);
            programs.push(Program { name: declaration.name.value.clone(), entry, parameters });
        }
        programs
    }

    /// The values of `with:`, which are constants; `none` where it is an expression.
    pub(super) fn constants(&mut self, fields: &Fields) -> Vec<(String, Option<Value>)> {
        let Some(Arg::Parameters(parameters)) = fields.get("with").map(|arg| &arg.value) else {
            return Vec::new();
        };
        let mut values = Vec::new();
        for (name, expr) in parameters {
            self.must_be_new(name, "parameter");
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

    /// A name inside a program must not be that of a declared object. An author cannot know the names in
    /// built-in programs.
    fn must_be_new(&mut self, name: &Placed<String>, what: &str) {
        if let Some(object) = self.names.place(&name.value)
            && name.at.source != BUILT_IN
        {
            self.found.push(
                Diagnostic::new(
                    Code::NameTwice,
                    name.at,
                    format!("the {what} `{}` has the name of a declared object", name.value),
                )
                .label("choose another name")
                .related(object, "declared here"),
            );
        }
    }

    pub(super) fn unit(
        &mut self,
        steps: &[crate::ast::Step],
        parameters: &[&str],
        threads: &[(String, u32)],
    ) -> Entry {
        let (entry, forks) = Unit::compile(
            &unit::Text { steps, parameters, threads },
            self.names,
            &mut self.machine,
            &self.lines,
            &mut self.found,
        );
        self.forked.extend(forks);
        entry
    }

    /// The programs that processes can go on with, now that it is known where they begin.
    pub(super) fn images(&mut self, programs: &[Program]) {
        for program in programs {
            let spec = self.spec("main", 1, program.entry, &program.parameters);
            self.machine.programs.push(spec);
            self.machine.symbols.programs.push(program.name.clone());
        }
        for op in &mut self.machine.code {
            if let Op::Call(call) = op
                && let Verb::Image(ImageVerb::Exec(Some(image))) = &mut call.verb
            {
                image.entry = programs[image.program.index()].entry.pc;
            }
        }
        if self.machine.code.iter().any(|op| op.may(|effect| matches!(effect, Effect::Replaces(_))))
        {
            for at in 0..self.machine.families.len() {
                let threads = &self.machine.families[at].threads;
                if receives_from_anyone(&self.machine, threads, Edges::Possible) {
                    self.machine.families[at].arrivals = Arrivals::Ordered;
                }
            }
        }
    }

    pub(super) fn processes(&mut self, programs: &[Program]) {
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

    pub(super) fn family(
        &mut self,
        declaration: &Declaration,
        count: Option<u64>,
        threads: Vec<ThreadSpec>,
    ) {
        let fields = &declaration.fields;
        let id = FamilyId::at(self.machine.families.len());
        let members = u32::try_from(count.unwrap_or(1)).expect("replicas are limited");
        let names = self.name_server(declaration);
        let user = name(fields, "user").map(|user| self.user(user.value));
        let priority = match fields.get("priority").map(|arg| &arg.value) {
            Some(Arg::Integer(priority)) => *priority,
            _ => 0,
        };
        let role = match fields.get("daemon").map(|arg| &arg.value) {
            Some(Arg::Flag(Flag::Yes)) => Role::Daemon,
            _ => Role::Worker,
        };
        let exception_port = self.port_named(fields, "exception-port");
        let protection = match fields.get("protected").map(|arg| &arg.value) {
            Some(Arg::Flag(Flag::Yes)) => Protection::ByPort,
            _ => Protection::Open,
        };
        let child = self.names.children.get(&declaration.name.value);
        let arrivals = if receives_from_anyone(&self.machine, &threads, Edges::AsWritten) {
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
            names,
            start_ns: unsigned(fields, "start").unwrap_or(0),
            link_capacity: capacity(fields, "capacity").unwrap_or(self.machine.policies.buffering),
            arrivals,
            threads,
            exception_port,
            task_port: None,
            thread_ports: None,
            birth: if child.is_some() { Birth::Spawned } else { Birth::Declared },
            protection,
            per_root: child.map_or(1, |child| child.per_root.max(1)),
        });
        let all = self.machine.processes.len() + members as usize;
        self.machine.processes.resize(all, id);
        self.machine.symbols.families.push(declaration.name.value.clone());
    }

    pub(super) fn threads(
        &mut self,
        declaration: &Declaration,
        programs: &[Program],
    ) -> Vec<ThreadSpec> {
        let fields = &declaration.fields;
        let own = &declaration.name.value;
        if self.names.children.get(own).is_some_and(|child| child.per_root > 0) {
            // One with a mistake in it has been reported.
            let entry = self.forked.get(own).copied();
            return entry.map(|entry| self.spec("main", 1, entry, &[])).into_iter().collect();
        }
        if let Some(program) = name(fields, "program") {
            return self.thread_of_program(declaration, &program, programs);
        }
        let parameters = self.constants(fields);
        let given: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
        if let Some(Arg::Threads(threads)) = fields.get("threads").map(|arg| &arg.value) {
            let names = declare::threads(declaration);
            return threads
                .iter()
                .map(|thread| {
                    self.must_be_new(&thread.name, "thread");
                    let steps = thread.fields.get("do").map_or(&[][..], |arg| arg.value.steps());
                    let entry = self.unit(steps, &given, &names);
                    let count = unsigned(&thread.fields, "replicas").unwrap_or(1);
                    let exception_port = self.port_named(&thread.fields, "exception-port");
                    let spec = self.spec(&thread.name.value, count, entry, &parameters);
                    ThreadSpec { exception_port, ..spec }
                })
                .collect();
        }
        let steps = fields.get("do").map_or(&[][..], |arg| arg.value.steps());
        let entry = self.unit(steps, &given, &[("main".to_string(), 1)]);
        vec![self.spec("main", 1, entry, &parameters)]
    }

    pub(super) fn thread_of_program(
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

    pub(super) fn unknown_parameter(
        &mut self,
        declaration: &Declaration,
        name: &str,
        program: &Program,
    ) {
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

    pub(super) fn spec(
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
            exception_port: None,
        }
    }
}

/// Whether any code that these threads can reach receives from anyone. Units are compiled one after
/// the other, so asking the whole code would be right but would slow every process down.
fn receives_from_anyone(machine: &Machine, threads: &[ThreadSpec], edges: Edges) -> bool {
    let entries = threads.iter().map(|spec| spec.entry);
    reachable(&machine.code, entries, edges).into_iter().any(|pc| {
        machine.code[pc.index()].may(
            |effect| matches!(effect, Effect::Receives(receive) if receive.from == From::Anyone),
        )
    })
}
