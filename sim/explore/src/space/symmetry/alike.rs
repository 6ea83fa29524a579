//! Which replicas are interchangeable.
//!
//! Replicas run the same program. They differ only in `index`, in their name, and in what others
//! know about them. So they are interchangeable if `index` only picks a member of a family of the
//! same size, names are not turned into text, and nobody names a single replica.

use ipcsim_kernel::program::{Edges, Op, reachable};
use ipcsim_kernel::{
    Binary, Detect, Expr, FamilyId, Function, Handle, Machine, MailboxId, ProcessId, Replicas,
    Scalarset, Value,
};

/// Families whose members with the same index belong together: those of one group are permuted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub count: u32,
    /// Process families by their first member.
    pub processes: Vec<ProcessId>,
    /// Mailbox families by their first member.
    pub mailboxes: Vec<MailboxId>,
}

/// What an `index` is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Indices {
    /// A number, which tells replicas apart wherever it goes.
    Numbers,
    /// A scalar. Where more is asked of it than who it is, an exception is raised.
    Scalars,
}

/// The scalarsets that make replicas interchangeable which are not so otherwise.
pub(crate) fn scalarsets(machine: &Machine) -> Vec<Scalarset> {
    let groups = groups_by(machine, Indices::Scalars);
    if groups == groups_by(machine, Indices::Numbers) {
        return Vec::new();
    }
    let set = |Group { processes, mailboxes, .. }: Group| Scalarset { processes, mailboxes };
    groups.into_iter().map(set).collect()
}

/// The groups of interchangeable replicas, as far as the programs tell.
pub(super) fn groups(machine: &Machine) -> Vec<Group> {
    let has_scalars = !machine.scalarsets.is_empty();
    groups_by(machine, if has_scalars { Indices::Scalars } else { Indices::Numbers })
}

fn groups_by(machine: &Machine, indices: Indices) -> Vec<Group> {
    let kernel_looks_at_order =
        machine.policies.looks_again() || machine.policies.detect != Detect::Report;
    // The machine fixes which port belongs to whom, and permuting processes does not change that.
    let has_ports_of_its_own = |family: &ipcsim_kernel::Family| {
        family.task_port.is_some() || family.thread_ports.is_some()
    };
    let are_tied = machine.families.iter().any(has_ports_of_its_own);
    if kernel_looks_at_order || are_tied || machine.any_call(|effect| !effect.is_plain()) {
        return Vec::new();
    }
    let mut ties = Ties::new(machine, indices);
    for id in 0..machine.families.len() {
        ties.look_at(FamilyId::at(id));
    }
    ties.groups()
}

/// A family of processes or mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Processes { first: ProcessId, count: u32 },
    Mailboxes { first: MailboxId, count: u32 },
}

impl Family {
    fn count(self) -> u32 {
        match self {
            Family::Processes { count, .. } | Family::Mailboxes { count, .. } => count,
        }
    }

    fn contains(self, handle: Handle) -> bool {
        match (self, handle) {
            (Family::Processes { first, count }, Handle::Process(process)) => {
                (first.0..first.0 + count).contains(&process.0)
            }
            (
                Family::Mailboxes { first, count },
                Handle::Mailbox(mailbox) | Handle::File { mailbox, .. },
            ) => (first.0..first.0 + count).contains(&mailbox.0),
            _ => false,
        }
    }
}

/// The families: which belong together, and which are not interchangeable.
struct Ties<'m> {
    machine: &'m Machine,
    indices: Indices,
    families: Vec<Family>,
    /// Union-find: another family of the same group; the root points to itself.
    group: Vec<usize>,
    differ: Vec<bool>,
}

impl<'m> Ties<'m> {
    fn new(machine: &'m Machine, indices: Indices) -> Self {
        let (families, group, differ) = (Vec::new(), Vec::new(), Vec::new());
        let mut ties = Self { machine, indices, families, group, differ };
        for family in &machine.families {
            if family.replicas == Replicas::Numbered {
                ties.number(Family::Processes { first: family.first, count: family.count });
            }
        }
        for op in &machine.code {
            op.expressions(&mut |expr| {
                expr.visit(&mut |part| {
                    if let Expr::MailboxMember { first, count, .. } = part {
                        ties.number(Family::Mailboxes { first: *first, count: *count });
                    }
                });
            });
        }
        ties
    }

    fn number(&mut self, family: Family) -> usize {
        let known = self.families.iter().position(|other| *other == family);
        known.unwrap_or_else(|| {
            self.group.push(self.families.len());
            self.differ.push(false);
            self.families.push(family);
            self.families.len() - 1
        })
    }

    /// Analyses the program of a family.
    fn look_at(&mut self, id: FamilyId) {
        let machine = self.machine;
        let family = &machine.families[id.index()];
        let own = Family::Processes { first: family.first, count: family.count };
        let own = self.families.iter().position(|other| *other == own);
        for (_, value) in family.threads.iter().flat_map(|spec| &spec.initial) {
            self.tell_apart(value);
        }
        let code = &machine.code;
        for pc in reachable(code, family.threads.iter().map(|spec| spec.entry), Edges::Possible) {
            match &code[pc.index()] {
                // Nobody reads the log; what only appears there does not distinguish replicas.
                Op::Log(Expr::Join(parts)) => {
                    for part in parts.iter().filter(|part| !part.children().is_empty()) {
                        self.look_at_expression(own, part);
                    }
                }
                op => op.expressions(&mut |expr| self.look_at_expression(own, expr)),
            }
        }
    }

    fn look_at_expression(&mut self, own: Option<usize>, expr: &Expr) {
        match expr {
            Expr::Constant(value) => self.tell_apart(value),
            Expr::Index if self.indices == Indices::Scalars => {}
            Expr::Index => self.differ(own),
            // No scalar is left where one is calculated with.
            Expr::Binary(operator, operands)
                if !matches!(operator, Binary::Equal | Binary::NotEqual) =>
            {
                self.look_at_numbers(own, &operands.0);
                self.look_at_numbers(own, &operands.1);
            }
            Expr::ProcessMember(family, index) => {
                let family = &self.machine.families[family.index()];
                let target = Family::Processes { first: family.first, count: family.count };
                self.look_at_member(own, target, index);
            }
            Expr::MailboxMember { first, count, index } => {
                self.look_at_member(own, Family::Mailboxes { first: *first, count: *count }, index);
            }
            // Names become text, which a permutation does not rename.
            Expr::Join(_) => self.differ.fill(true),
            Expr::Function(Function::Now, _) => self.differ.fill(true),
            other => {
                for child in other.children() {
                    self.look_at_expression(own, child);
                }
            }
        }
    }

    /// An expression that gives a number, not a scalar.
    fn look_at_numbers(&mut self, own: Option<usize>, expr: &Expr) {
        if *expr == Expr::Index {
            self.differ(own);
        }
        self.look_at_expression(own, expr);
    }

    /// `box[index]` ties the family of the box to that of the process; anything else distinguishes the members.
    fn look_at_member(&mut self, own: Option<usize>, target: Family, index: &Expr) {
        let target = self.number(target);
        match (own, index) {
            (Some(own), Expr::Index)
                if self.families[own].count() == self.families[target].count() =>
            {
                let (own, target) = (self.root(own), self.root(target));
                self.group[target] = own;
            }
            // If it is a scalar, it picks a member without telling it apart.
            (_, Expr::Variable(_) | Expr::Field(..) | Expr::Element(..))
                if self.indices == Indices::Scalars =>
            {
                self.look_at_expression(own, index);
            }
            _ => {
                self.differ(Some(target));
                self.look_at_expression(own, index);
            }
        }
    }

    /// A value that is the same for all distinguishes whoever it names.
    fn tell_apart(&mut self, value: &Value) {
        match value {
            Value::Handle(handle) => {
                for family in 0..self.families.len() {
                    self.differ[family] |= self.families[family].contains(*handle);
                }
            }
            Value::List(list) => list.items().iter().for_each(|item| self.tell_apart(item)),
            _ => {}
        }
    }

    fn differ(&mut self, family: Option<usize>) {
        if let Some(family) = family {
            self.differ[family] = true;
        }
    }

    fn root(&self, mut family: usize) -> usize {
        while self.group[family] != family {
            family = self.group[family];
        }
        family
    }

    fn groups(&self) -> Vec<Group> {
        let mut groups = Vec::new();
        for root in (0..self.families.len()).filter(|family| self.group[*family] == *family) {
            let members = || (0..self.families.len()).filter(|it| self.root(*it) == root);
            let count = self.families[root].count();
            if count < 2 || members().any(|member| self.differ[member]) {
                continue;
            }
            let mut group = Group { count, processes: Vec::new(), mailboxes: Vec::new() };
            for member in members() {
                match self.families[member] {
                    Family::Processes { first, .. } => group.processes.push(first),
                    Family::Mailboxes { first, .. } => group.mailboxes.push(first),
                }
            }
            if !group.processes.is_empty() {
                groups.push(group);
            }
        }
        groups
    }
}
