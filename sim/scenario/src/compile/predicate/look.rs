//! What a predicate may look at: processes and whether they have ended or wait, variables of their
//! threads, how much the kernel holds.

use ipcsim_kernel::program::{Edges, Effect, reachable};
use ipcsim_kernel::{
    Expr as Compiled, Family, FamilyId, Handle, MailboxId, Probe, ProcessId, Register, ThreadName,
    Value,
};

use super::{Failed, Kind, Parts, Term, Watcher, constant, one};
use crate::compile::declare::{Members, Object};
use crate::compile::resolve::message_field;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Shape};
use crate::place::{Place, Placed};

/// A process, or all members of a family.
struct Processes {
    family: FamilyId,
    members: Vec<ProcessId>,
    several: bool,
}

impl Watcher<'_> {
    /// A process or mailbox that is compared with what a variable holds.
    pub(super) fn object(
        &self,
        name: &str,
        index: Option<&Expr>,
        at: Place,
    ) -> Result<Term, Failed> {
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
    pub(super) fn member(
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

    pub(super) fn unknown(&self, name: &str, at: Place) -> Failed {
        Box::new(
            Diagnostic::new(Code::UnknownName, at, format!("nothing is called `{name}`"))
                .did_you_mean(name, self.names.all().chain(["kernel"])),
        )
    }

    // Fields: what is seen of the kernel, of a process, of a thread, of a message.

    pub(super) fn field(&mut self, of: &Expr, field: &Placed<String>) -> Result<Term, Failed> {
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
        let of_process = matches!(field.value.as_str(), "ended" | "blocked");
        if of_process && thread.is_some() {
            let label = format!(
                "only a whole process is asked for that: write `{process}.{}`",
                field.value
            );
            return Err(Box::new(diagnostic.label(label)));
        }
        // A thread can be asked only for its variables.
        let of_process = thread.is_none().then_some(["ended", "blocked"]).into_iter().flatten();
        let threads = threads.filter(|_| thread.is_none());
        let known = known.into_iter().chain(of_process).chain(threads);
        Err(Box::new(diagnostic.did_you_mean(&field.value, known)))
    }

    fn family(&self, family: FamilyId) -> &Family {
        &self.machine.families[family.index()]
    }

    /// The thread whose variables are the process's own: the one of the file, or the first of them.
    fn main_thread(&self, family: FamilyId) -> ThreadName {
        self.family(family).threads.first().map_or(ThreadName(0), |spec| spec.name)
    }

    /// The variables of the programs that a thread of this name may run.
    fn programs_of(&self, processes: &Processes, thread: Option<ThreadName>) -> Vec<&[String]> {
        let starts = |entry| {
            let code = &self.machine.code;
            reachable(code, [entry], Edges::AsWritten).into_iter().any(|pc| {
                code[pc.index()]
                    .may(|it| matches!(it, Effect::Starts(name, _) if Some(name) == thread))
            })
        };
        let specs = self.family(processes.family).threads.iter();
        specs
            .filter(|spec| Some(spec.name) == thread || starts(spec.entry))
            .map(|spec| self.machine.variables_at(spec.entry))
            .collect()
    }

    // Probes.

    pub(super) fn probe(&mut self, probe: Probe) -> Compiled {
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
