//! Name servers: processes that the scenario has without declaring them as such. All run the same program,
//! which is written in the scenario language itself.

use std::sync::LazyLock;

use ipcsim_kernel::{Birth, Handle, MailboxId, ProcessId};

use ipcsim_kernel::program::{CallWord, Word};

use super::declare::Object;
use super::settings::name;
use super::spawned::programs_of;
use super::unit::inner_lists;
use super::{Compiler, resolve};
use crate::ast::{Arg, Declaration, Fields, Flag, Objects, Reference, Scenario, Step};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Shape};
use crate::place::{BUILT_IN, Place, Placed};
use crate::table::Section;
use crate::{read, tree};

/// The name server of a scenario that declares none.
const DEFAULT: &str = "name-server";
/// The name of its program; no program of an author can have it.
const PROGRAM: &str = "name server";

/// How the name of its port ends; no author's name has a dot.
const PORT: &str = ".port";

static TEXT: &str = include_str!("name-server.yaml");

static NAME_SERVER: LazyLock<Declaration> = LazyLock::new(|| {
    let root = tree::parse(TEXT, BUILT_IN).expect("the name server's program is YAML");
    let mut program = read::read(&root).scenario[Section::Programs].swap_remove(0);
    program.name.value = PROGRAM.to_string();
    program
});

/// The port of a name server. No object of an author can have this name.
fn port_of(server: &str) -> String {
    format!("{server}{PORT}")
}

/// The name of a port in output: a name server's port is shown as the name server.
pub(super) fn shown(port: &str) -> &str {
    port.strip_suffix(PORT).unwrap_or(port)
}

/// The scenario with its name servers, after everything else; nothing if it needs none.
pub(super) fn lift(scenario: &Scenario) -> Option<Scenario> {
    let asks = |process: &Declaration| {
        process.fields.get("names").is_none() && asks_for_names(&process.fields, scenario)
    };
    let by_default = Declaration {
        name: Placed::new(DEFAULT.to_string(), Place { source: BUILT_IN, ..Place::default() }),
        fields: Fields::default(),
    };
    let servers = match &scenario[Section::Names][..] {
        [] if scenario.processes.iter().any(asks) => std::slice::from_ref(&by_default),
        declared => declared,
    };
    if servers.is_empty() {
        return None;
    }
    let mut lifted = scenario.clone();
    lifted[Section::Programs].push(NAME_SERVER.clone());
    for server in servers {
        let at = server.name.at;
        let own = Placed::new(server.name.value.clone(), Place { source: BUILT_IN, ..at });
        let process = Reference::Named { name: own, index: None };
        let receive = Arg::Objects(Objects::One(process));
        lifted[Section::Ports].push(Declaration {
            name: Placed::new(port_of(&server.name.value), at),
            fields: fields(at, [("receive", receive)]),
        });
        let keys = [
            ("daemon", Arg::Flag(Flag::Yes)),
            ("program", Arg::Name(PROGRAM.to_string())),
            ("with", Arg::Parameters(parameters(server, scenario))),
        ];
        lifted.processes.push(Declaration { name: server.name.clone(), fields: fields(at, keys) });
    }
    Some(lifted)
}

fn fields<const N: usize>(at: Place, keys: [(&'static str, Arg); N]) -> Fields {
    let placed = |(key, arg)| (Placed::new(key, at), Placed::new(arg, at));
    Fields(keys.into_iter().map(placed).collect())
}

/// What the program of a name server is given.
fn parameters(server: &Declaration, scenario: &Scenario) -> Vec<(Placed<String>, Expr)> {
    let at = server.name.at;
    let own = Place { source: BUILT_IN, ..at };
    let parameter = |name: &str, value| (Placed::new(name.to_string(), own), value);
    let port = |server: &str| Placed::new(Shape::Name(port_of(server)), at);
    let mut given = vec![parameter("port", port(&server.name.value))];
    if let Some(parent) = name(&server.fields, "parent")
        && scenario[Section::Names].iter().any(|server| server.name.value == parent.value)
    {
        given.push(parameter("parent", port(parent.value)));
    }
    let mut entries: Vec<&(Placed<String>, Reference)> = entries(server).iter().collect();
    entries.sort_by(|one, other| one.0.value.cmp(&other.0.value));
    let entry = |(name, object): &(Placed<String>, Reference)| {
        let name = Placed::new(Shape::Text(name.value.clone()), name.at);
        let needs_right = Placed::new(Shape::Bool(names_port(object, scenario)), at);
        let owner = Placed::new(Shape::None, at);
        let parts = vec![name, value_of(object), needs_right, owner];
        Placed::new(Shape::List(parts), object.at())
    };
    let entries = entries.into_iter().map(entry).collect();
    given.push(parameter("entries", Placed::new(Shape::List(entries), at)));
    given
}

fn entries(server: &Declaration) -> &[(Placed<String>, Reference)] {
    match server.fields.get("entries").map(|arg| &arg.value) {
        Some(Arg::Entries(entries)) => entries,
        _ => &[],
    }
}

fn names_port(object: &Reference, scenario: &Scenario) -> bool {
    let Reference::Named { name, .. } = object else { return false };
    scenario[Section::Ports].iter().any(|port| port.name.value == name.value)
}

/// An object as an expression.
fn value_of(object: &Reference) -> Expr {
    match object {
        Reference::Computed(expr) => expr.clone(),
        Reference::Named { name, index } => {
            let named = Placed::new(Shape::Name(name.value.clone()), name.at);
            match index {
                None => named,
                Some(index) => {
                    let shape = Shape::Index(Box::new(named), Box::new(index.clone()));
                    Placed::new(shape, object.at())
                }
            }
        }
    }
}

/// Whether a process asks a name server at all.
fn asks_for_names(fields: &Fields, scenario: &Scenario) -> bool {
    fn steps_ask(steps: &[Step]) -> bool {
        steps.iter().any(|step| {
            matches!(
                step.verb.word,
                Word::Call(CallWord::Register | CallWord::Unregister | CallWord::Lookup)
            ) || inner_lists(step).into_iter().any(steps_ask)
        })
    }
    programs_of(scenario, fields).into_iter().any(steps_ask)
}

impl Compiler<'_> {
    /// Checks what the name servers are given.
    pub(super) fn check_name_servers(&mut self) {
        for declaration in &self.scenario[Section::Names] {
            for (_, object) in entries(declaration) {
                if let Err(diagnostic) = resolve::constant_handle(self.names, object) {
                    self.found.push(*diagnostic);
                }
            }
        }
        self.check_parents();
    }

    /// The parent of a name server must be one, and none may be its own ancestor.
    fn check_parents(&mut self) {
        let servers = &self.scenario[Section::Names];
        let place = |name: &str| servers.iter().position(|server| server.name.value == name);
        let wanted = servers.iter().map(|server| name(&server.fields, "parent"));
        let mut parents = Vec::new();
        for parent in wanted {
            let found = parent.as_ref().and_then(|parent| place(parent.value));
            if let (Some(parent), None) = (&parent, found) {
                self.found.push(unknown(parent, servers.iter()));
            }
            parents.push(found);
        }
        for (start, declaration) in servers.iter().enumerate() {
            let mut at = parents[start];
            for _ in servers {
                if at == Some(start) {
                    let place =
                        declaration.fields.get("parent").map_or(declaration.name.at, |p| p.at);
                    let name = &declaration.name.value;
                    let message = format!("name server `{name}` is its own ancestor");
                    let diagnostic = Diagnostic::new(Code::NameServers, place, message);
                    self.found.push(diagnostic.label("this closes a circle"));
                    return;
                }
                at = at.and_then(|parent| parents[parent]);
            }
        }
    }

    /// The port of a process's name server, if it asks one or says that it would. If one is
    /// declared, or none, everybody uses the same one.
    pub(super) fn name_server(&mut self, declaration: &Declaration) -> Option<MailboxId> {
        let fields = &declaration.fields;
        let servers = &self.scenario[Section::Names];
        let port = |server: &str| self.names.single_mailbox(&port_of(server));
        if let Some(wanted) = name(fields, "names") {
            if servers.iter().any(|server| server.name.value == wanted.value) {
                return port(wanted.value);
            }
            let mut ports = self.scenario[Section::Ports].iter();
            if ports.any(|port| port.name.value == wanted.value) {
                return self.names.single_mailbox(wanted.value);
            }
            let known = servers.iter().chain(&self.scenario[Section::Ports]);
            self.found.push(unknown(&wanted, known));
            return None;
        }
        // What is forked has the steps of another, and asks whom that one asks.
        let child = self.names.children.get(&declaration.name.value);
        if child.is_some_and(|child| child.per_root > 0) {
            return match &servers[..] {
                [] => port(DEFAULT),
                [only] => port(&only.name.value),
                _ => None,
            };
        }
        if !asks_for_names(fields, self.scenario) {
            return None;
        }
        match &servers[..] {
            [] => port(DEFAULT),
            [only] => port(&only.name.value),
            several => {
                let all: Vec<&str> = several.iter().map(|s| s.name.value.as_str()).collect();
                let name = &declaration.name;
                let message =
                    format!("process `{}` does not say which name server it asks", name.value);
                let diagnostic = Diagnostic::new(Code::NameServers, name.at, message)
                    .label("give it `names:`")
                    .help(format!("there are {}", all.join(", ")));
                self.found.push(diagnostic);
                None
            }
        }
    }

    /// Whoever asks a name server may send to it; a name server may send to its parent and to what it
    /// knows. A process that is created later gets its right then.
    pub(super) fn rights_to_names(&mut self) {
        let port = |server: &str| self.names.single_mailbox(&port_of(server));
        self.machine.name_servers = self.scenario[Section::Names]
            .iter()
            .filter_map(|server| {
                let parent = name(&server.fields, "parent");
                let parent = parent.and_then(|parent| port(parent.value));
                Some((port(&server.name.value)?, parent))
            })
            .chain(
                port(DEFAULT)
                    .map(|port| (port, None))
                    .filter(|_| self.scenario[Section::Names].is_empty()),
            )
            .collect();
        let mut rights = Vec::new();
        for family in &self.machine.families {
            if let (Some(port), Birth::Declared) = (family.names, family.birth) {
                let members = family.first.0..family.first.0 + family.count;
                rights.extend(members.map(|member| (port, ProcessId(member))));
            }
        }
        for server in &self.scenario[Section::Names] {
            let Some(Object::Process { first: own, .. }) = self.names.find(&server.name.value)
            else {
                continue;
            };
            let parent = name(&server.fields, "parent");
            let parent = parent.and_then(|parent| port(parent.value));
            let known = entries(server).iter();
            let known = known.filter_map(|(_, object)| {
                match resolve::constant_handle(self.names, object) {
                    Ok(Handle::Mailbox(object)) => Some(object),
                    _ => None,
                }
            });
            rights.extend(known.chain(parent).map(|port| (port, own)));
        }
        for (port, process) in rights {
            if let Some(senders) = self.machine.ports.get_mut(&port)
                && !senders.contains(&process)
            {
                senders.push(process);
            }
        }
    }
}

fn unknown<'a>(wanted: &Placed<&str>, known: impl Iterator<Item = &'a Declaration>) -> Diagnostic {
    let message = format!("no name server is called `{}`", wanted.value);
    Diagnostic::new(Code::UnknownName, wanted.at, message)
        .did_you_mean(wanted.value, known.map(|known| known.name.value.as_str()))
        .otherwise("name one of `names:`, or for a process a port at which it asks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_read_without_a_mistake() {
        let root = tree::parse(TEXT, BUILT_IN).expect("it is YAML");
        let read::Read { scenario, found, .. } = read::read(&root);
        let codes: Vec<Code> = found.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [Code::MissingKey], "only `processes:` is missing: {found:?}");
        assert_eq!(scenario[Section::Programs].len(), 1);
    }
}
