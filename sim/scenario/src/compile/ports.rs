//! Ports: who has which right from the start.

use ipcsim_kernel::object::mailbox;
use ipcsim_kernel::object::port::{Controlled, DEFAULT_QUEUE_LIMIT, Port, Receiver};
use ipcsim_kernel::object::port_set::PortSet;
use ipcsim_kernel::{
    Capacity, Expr, Family, Function, MailboxId, ProcessId, Protection, QueueSpec, ThreadId,
    ThreadSpec,
};

use super::declare::{Members, Object};
use super::settings::{name, unsigned};
use super::{Compiler, name_servers};
use crate::ast::{Arg, Declaration, Fields, Objects, Reference};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{BUILT_IN, Place};
use crate::table::Section;

impl Compiler<'_> {
    pub(super) fn ports(&mut self) {
        for declaration in &self.scenario[Section::Ports] {
            let limit = unsigned(&declaration.fields, "capacity").unwrap_or(DEFAULT_QUEUE_LIMIT);
            let port = MailboxId::at(self.machine.mailboxes.len());
            let spec = self.port_spec(limit);
            self.add_mailbox(name_servers::shown(&declaration.name.value).to_string(), spec);
            if let Some(receiver) = self.holder(declaration, "receive") {
                let backup = self.backup(declaration, receiver);
                let senders = self.senders(declaration);
                self.make_port(
                    port,
                    Port { backup, ..Port::with(Receiver::Held(receiver)) },
                    senders,
                );
            }
        }
    }

    /// Processes, and the threads that they start with, have control ports if anybody asks for one.
    pub(super) fn control_ports(&mut self) {
        let asks = |is_such: &dyn Fn(&Expr) -> bool| {
            let mut asks = false;
            let mut look = |expr: &Expr| asks |= expr.contains(&|part| is_such(part));
            self.machine.code.iter().for_each(|op| op.expressions(&mut look));
            asks
        };
        let of_tasks = asks(&|part| matches!(part, Expr::Function(Function::TaskOf, _)));
        let of_threads = asks(&|part| matches!(part, Expr::ThreadOf { .. }));
        if of_tasks
            || self.machine.families.iter().any(|family| family.protection == Protection::ByPort)
        {
            for family in 0..self.machine.families.len() {
                let Family { first, count, .. } = self.machine.families[family];
                self.machine.families[family].task_port =
                    Some(MailboxId::at(self.machine.mailboxes.len()));
                for process in (first.0..first.0 + count).map(ProcessId) {
                    let name = format!("task-of({})", self.machine.process_name(process));
                    self.control_port(name, Controlled::Process(process), process);
                }
            }
        }
        if of_threads {
            self.thread_ports();
        }
    }

    fn thread_ports(&mut self) {
        let mut t = ThreadId(0);
        for family in 0..self.machine.families.len() {
            let Family { first, count, ref threads, .. } = self.machine.families[family];
            let is_alone = matches!(&threads[..], [ThreadSpec { count: 1, .. }]);
            let named = |spec: &ThreadSpec| {
                let name = self.machine.symbols.threads[spec.name.index()].clone();
                let count = spec.count;
                (1..=count).map(move |index| match count {
                    1 => format!(".{name}"),
                    _ => format!(".{name}[{index}]"),
                })
            };
            let names: Vec<String> = threads.iter().flat_map(named).collect();
            self.machine.families[family].thread_ports =
                Some(MailboxId::at(self.machine.mailboxes.len()));
            for process in (first.0..first.0 + count).map(ProcessId) {
                let own = self.machine.process_name(process);
                for name in &names {
                    let name = if is_alone { "" } else { name };
                    let name = format!("thread-of({own}{name})");
                    self.control_port(name, Controlled::Thread(t), process);
                    t.0 += 1;
                }
            }
        }
    }

    /// A port that controls a process or one of its threads. The process itself may send there.
    fn control_port(&mut self, name: String, what: Controlled, process: ProcessId) {
        let port = MailboxId::at(self.machine.mailboxes.len());
        let spec = self.port_spec(DEFAULT_QUEUE_LIMIT);
        self.add_mailbox(name, spec);
        self.make_port(port, Port::with(Receiver::Kernel(what)), vec![process]);
    }

    fn make_port(&mut self, id: MailboxId, port: Port, senders: Vec<ProcessId>) {
        self.machine.mailboxes[id.index()].object = mailbox::Object::Port(Box::new(port));
        self.machine.ports.insert(id, senders);
    }

    fn port_spec(&self, limit: u64) -> QueueSpec {
        QueueSpec::plain(Capacity::Messages(limit), self.machine.policies.receiver)
    }

    /// The port that a key names.
    pub(super) fn port_named(&mut self, fields: &Fields, key: &str) -> Option<MailboxId> {
        let wanted = name(fields, key)?;
        let is_port = |id: &MailboxId| self.machine.ports.contains_key(id);
        let found = self.names.single_mailbox(wanted.value).filter(is_port);
        if found.is_none() {
            let known = self.scenario[Section::Ports].iter().map(|port| port.name.value.as_str());
            self.found.push(
                Diagnostic::new(
                    Code::UnknownName,
                    wanted.at,
                    format!("no port is called `{}`", wanted.value),
                )
                .did_you_mean(wanted.value, known)
                .otherwise("name a port of `ports:`"),
            );
        }
        found
    }

    pub(super) fn port_sets(&mut self) {
        for declaration in &self.scenario[Section::PortSets] {
            let set = MailboxId::at(self.machine.mailboxes.len());
            let spec = QueueSpec::plain(Capacity::None, self.machine.policies.receiver);
            self.add_mailbox(declaration.name.value.clone(), spec);
            if let Some(owner) = self.holder(declaration, "of") {
                let members = self.members(declaration, owner);
                let mut all = PortSet::of(owner);
                for member in members {
                    all.insert(member, 0);
                    if let Some(port) = self.machine.mailboxes[member.index()].port_mut() {
                        port.set = Some(set);
                    }
                }
                self.machine.mailboxes[set.index()].object =
                    mailbox::Object::PortSet(Box::new(all));
            }
        }
    }

    /// The ports of a set: they belong to the set's owner, and to no other set.
    fn members(&mut self, declaration: &Declaration, owner: ProcessId) -> Vec<MailboxId> {
        let references = match declaration.fields.get("members").map(|arg| &arg.value) {
            Some(Arg::Objects(Objects::One(reference))) => std::slice::from_ref(reference),
            Some(Arg::Objects(Objects::Several(references))) => references,
            _ => &[],
        };
        let mut members = Vec::new();
        for reference in references {
            let wrong = match self.member(reference, owner) {
                Ok(port) if !members.contains(&port) => {
                    members.push(port);
                    continue;
                }
                Ok(_) => "it is in this set already",
                Err(why) => why,
            };
            let diagnostic =
                Diagnostic::new(Code::Ports, reference.at(), "this is no member of a port set")
                    .label(wrong);
            self.found.push(diagnostic);
        }
        members
    }

    fn member(&self, reference: &Reference, owner: ProcessId) -> Result<MailboxId, &'static str> {
        let Reference::Named { name, index: None } = reference else {
            return Err("name a port of `ports:`");
        };
        let Some(port) = self.names.single_mailbox(&name.value) else {
            return Err("no port has this name");
        };
        // A set that is declared further below has its number, but is not there yet.
        let declared = self.machine.mailboxes.get(port.index());
        let Some(object) = declared.and_then(mailbox::Mailbox::port) else {
            return Err("only a port can be a member");
        };
        if object.receiver != Receiver::Held(owner) {
            return Err("another process receives from it");
        }
        if object.set.is_some() {
            return Err("it is in another set");
        }
        Ok(port)
    }

    /// The one process that a key names.
    fn holder(&mut self, declaration: &Declaration, key: &str) -> Option<ProcessId> {
        let Some(Arg::Objects(Objects::One(reference))) =
            declaration.fields.get(key).map(|arg| &arg.value)
        else {
            return None;
        };
        match self.processes_named(reference)[..] {
            [process] => Some(process),
            [] => None,
            _ => {
                let diagnostic =
                    Diagnostic::new(Code::Ports, reference.at(), format!("`{key}` is one process"))
                        .label("this is a family")
                        .help("write which member: `server[1]`");
                self.found.push(diagnostic);
                None
            }
        }
    }

    fn backup(&mut self, declaration: &Declaration, receiver: ProcessId) -> Option<ProcessId> {
        let backup = self.holder(declaration, "backup")?;
        if backup == receiver {
            let at = declaration.fields.get("backup").map_or(declaration.name.at, |arg| arg.at);
            let diagnostic = Diagnostic::new(
                Code::Ports,
                at,
                "who receives from a port is no backup of its own",
            )
            .label("it dies with the one that it stands in for");
            self.found.push(diagnostic);
            return None;
        }
        Some(backup)
    }

    fn senders(&mut self, declaration: &Declaration) -> Vec<ProcessId> {
        match declaration.fields.get("send").map(|arg| &arg.value) {
            Some(Arg::Objects(Objects::One(reference))) => self.processes_named(reference),
            Some(Arg::Objects(Objects::Several(references))) => {
                let named = references.iter().map(|reference| self.processes_named(reference));
                named.collect::<Vec<_>>().concat()
            }
            Some(Arg::Objects(Objects::Anyone)) => {
                let at = declaration.fields.get("send").map_or(declaration.name.at, |arg| arg.at);
                let diagnostic = Diagnostic::new(Code::Ports, at, "a port is not open to anyone")
                    .label("name the processes that have a send right");
                self.found.push(diagnostic);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// The processes that a name stands for; none, and a diagnostic, if it stands for something else.
    fn processes_named(&mut self, reference: &Reference) -> Vec<ProcessId> {
        let at = reference.at();
        let Reference::Named { name, index } = reference else {
            self.no_process(at, "this has to be computed", None);
            return Vec::new();
        };
        match (self.names.find(&name.value), index) {
            (Some(Object::Process { first, members, .. }), None) => {
                let count = match members {
                    Members::One => 1,
                    Members::Many(count) => count,
                };
                (first.0..first.0 + count).map(ProcessId).collect()
            }
            (Some(Object::Process { first, members: Members::Many(count), .. }), Some(index)) => {
                match &index.value {
                    crate::expr::Shape::Int(member) if (1..=i64::from(count)).contains(member) => {
                        vec![ProcessId(first.0 + u32::try_from(member - 1).unwrap_or(0))]
                    }
                    _ => {
                        self.no_process(at, "there is no such member", None);
                        Vec::new()
                    }
                }
            }
            (Some(_), _) => {
                self.no_process(at, "only a process holds rights", None);
                Vec::new()
            }
            (None, _) => {
                self.no_process(at, "nothing has this name", Some(&name.value));
                Vec::new()
            }
        }
    }

    fn no_process(&mut self, at: Place, label: &str, name: Option<&str>) {
        // For a name server this means that its name has two meanings, which is reported.
        if at.source == BUILT_IN {
            return;
        }
        let message = match name {
            Some(name) => format!("no process is called `{name}`"),
            None => "expected a process".to_string(),
        };
        let mut diagnostic = Diagnostic::new(Code::UnknownName, at, message);
        if let Some(name) = name {
            diagnostic = diagnostic.did_you_mean(name, self.names.processes());
        }
        self.found.push(diagnostic.otherwise(label));
    }
}
