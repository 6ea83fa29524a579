//! What every name of the file stands for.

use std::collections::{BTreeMap, BTreeSet};

use ipcsim_kernel::program::Otherwise;
use ipcsim_kernel::{FamilyId, MailboxId, ProcessId, ProgramId};

use super::settings::unsigned;
use super::spawned::Child;
use crate::ast::{Arg, Declaration, Scenario};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{BUILT_IN, Place};
use crate::table::Section;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// A process, or a family of them.
    Process { family: FamilyId, first: ProcessId, members: Members },
    /// A mailbox, or a family of them.
    Mailbox { first: MailboxId, members: Members },
}

/// Whether a name stands for one object or for several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Members {
    One,
    Many(u32),
}

/// The declared names.
pub(super) struct Names {
    objects: BTreeMap<String, (Object, Place)>,
    filed: BTreeSet<String>,
    /// The threads that each process starts with: their names, and how many have each.
    threads: BTreeMap<String, Vec<(String, u32)>>,
    /// The processes that others create.
    pub children: BTreeMap<String, Child>,
    /// The programs, and what each calls the variables that it is given.
    pub programs: BTreeMap<String, (ProgramId, Vec<String>)>,
    /// What becomes of a thread whose `exec` fails: only where there are ports can exceptions be handled.
    pub otherwise: Otherwise,
}

impl Names {
    pub(super) fn find(&self, name: &str) -> Option<Object> {
        self.objects.get(name).map(|(object, _)| *object)
    }

    pub(super) fn place(&self, name: &str) -> Option<Place> {
        self.objects.get(name).map(|(_, place)| *place)
    }

    /// The names that an author can write.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.objects.keys().map(String::as_str).filter(|name| !name.contains('.'))
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = &str> {
        self.objects
            .iter()
            .filter(|(_, (object, _))| matches!(object, Object::Process { .. }))
            .map(|(name, _)| name.as_str())
    }

    /// The threads that a process starts with: their names, and how many have each.
    pub(super) fn threads_of(&self, process: &str) -> &[(String, u32)] {
        self.threads.get(process).map_or(&[], Vec::as_slice)
    }

    /// Whether a mailbox is reached only through a path.
    pub(super) fn is_filed(&self, mailbox: &str) -> bool {
        self.filed.contains(mailbox)
    }

    pub(super) fn single_mailbox(&self, name: &str) -> Option<MailboxId> {
        match self.find(name) {
            Some(Object::Mailbox { first, members: Members::One }) => Some(first),
            _ => None,
        }
    }
}

pub(super) fn declare(scenario: &Scenario, found: &mut Vec<Diagnostic>) -> Names {
    let mut names = Names {
        objects: BTreeMap::new(),
        filed: BTreeSet::new(),
        threads: BTreeMap::new(),
        children: BTreeMap::new(),
        programs: programs(scenario),
        otherwise: if scenario[Section::Ports].is_empty() {
            Otherwise::Fails
        } else {
            Otherwise::MayGoOn
        },
    };
    for file in &scenario.files {
        if let Some(Arg::Name(mailbox)) = file.fields.get("mailbox").map(|arg| &arg.value) {
            names.filed.insert(mailbox.clone());
        }
    }
    let mut next_mailbox: u64 = 0;
    for declaration in Section::OF_OBJECTS.into_iter().flat_map(|it| &scenario[it]) {
        let members = members(declaration);
        let first = MailboxId(u32::try_from(next_mailbox).unwrap_or(u32::MAX));
        next_mailbox += count(members);
        enter(&mut names, declaration, Object::Mailbox { first, members }, found);
    }
    if next_mailbox > 1_000_000 {
        let at = scenario[Section::Mailboxes].last().map_or(Place::default(), |last| last.name.at);
        found.push(
            Diagnostic::new(
                Code::TooManyThreads,
                at,
                format!(
                    "a scenario has at most 1000000 mailboxes, with these it has {next_mailbox}"
                ),
            )
            .label("the limit is passed here"),
        );
    }
    let mut next_process: u64 = 0;
    for (family, declaration) in scenario.processes.iter().enumerate() {
        let members = members(declaration);
        let first = ProcessId(u32::try_from(next_process).unwrap_or(u32::MAX));
        next_process += count(members);
        let object = Object::Process { family: FamilyId::at(family), first, members };
        enter(&mut names, declaration, object, found);
        names.threads.insert(declaration.name.value.clone(), threads(declaration));
    }
    names
}

fn programs(scenario: &Scenario) -> BTreeMap<String, (ProgramId, Vec<String>)> {
    let programs = scenario[Section::Programs].iter().enumerate();
    let program = |(at, program): (usize, &Declaration)| {
        let parameters = match program.fields.get("with").map(|arg| &arg.value) {
            Some(Arg::Parameters(given)) => {
                given.iter().map(|(name, _)| name.value.clone()).collect()
            }
            _ => Vec::new(),
        };
        (program.name.value.clone(), (ProgramId::at(at), parameters))
    };
    programs.map(program).collect()
}

pub(super) fn threads(process: &Declaration) -> Vec<(String, u32)> {
    let Some(Arg::Threads(threads)) = process.fields.get("threads").map(|arg| &arg.value) else {
        return vec![("main".to_string(), 1)];
    };
    let named = |thread: &Declaration| {
        let count = unsigned(&thread.fields, "replicas").unwrap_or(1);
        (thread.name.value.clone(), u32::try_from(count).unwrap_or(u32::MAX))
    };
    threads.iter().map(named).collect()
}

fn members(declaration: &Declaration) -> Members {
    match unsigned(&declaration.fields, "replicas") {
        None => Members::One,
        Some(count) => Members::Many(u32::try_from(count).unwrap_or(u32::MAX)),
    }
}

fn count(members: Members) -> u64 {
    match members {
        Members::One => 1,
        Members::Many(count) => u64::from(count),
    }
}

fn enter(
    names: &mut Names,
    declaration: &Declaration,
    object: Object,
    found: &mut Vec<Diagnostic>,
) {
    let name = &declaration.name;
    if let Some((_, first)) = names.objects.get(&name.value)
        && name.at.source == BUILT_IN
    {
        let message =
            format!("`{}` is the name server that `register` and `lookup` ask", name.value);
        let diagnostic = Diagnostic::new(Code::NameTwice, *first, message)
            .label("choose another name")
            .help("or say with `names:` of each process which name server it asks");
        return found.push(diagnostic);
    }
    if let Some((_, first)) = names.objects.get(&name.value) {
        // A step that creates a process can belong to several creators, or to the process that it creates.
        let diagnostic = if *first == name.at {
            Diagnostic::new(
                Code::NameTwice,
                name.at,
                format!("several would make `{}`: each process is made by one", name.value),
            )
            .label("its creators run the same program")
            .help("give each creator a `spawn:` of its own, with another name")
        } else {
            Diagnostic::new(
                Code::NameTwice,
                name.at,
                format!("`{}` is declared as two different things", name.value),
            )
            .label("a name stands for one thing")
            .related(*first, "declared here first")
        };
        found.push(diagnostic);
        return;
    }
    names.objects.insert(name.value.clone(), (object, name.at));
}
