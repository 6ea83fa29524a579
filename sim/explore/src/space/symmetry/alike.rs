//! Which replicas are interchangeable.
//!
//! Replicas run the same program. They differ only in `index`, in their name, and in what others
//! know about them. So they are interchangeable if `index` only picks a member of a family of the
//! same size, names are not turned into text, and nobody names a single replica. If it also picks the member that is so many
//! places further on, round and round, they stand in a ring, which can be turned.

use ipcsim_kernel::program::{Edges, Op, reachable};
use ipcsim_kernel::waits::settled;
use ipcsim_kernel::{
    Binary, Descriptor, Detect, Expr, FamilyId, Function, Handle, Machine, MailboxId, ProcessId,
    Replicas, Scalarset, State, Value,
};

/// Families whose members with the same index belong together: those of one group are permuted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub count: u32,
    /// Process families by their first member.
    pub processes: Vec<ProcessId>,
    /// Mailbox families by their first member.
    pub mailboxes: Vec<MailboxId>,
    pub places: Places,
}

/// How the members of a group can change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Places {
    /// In any way.
    Any,
    /// All together, so many places on: they stand in a ring.
    Ring,
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
pub(crate) fn scalarsets(machine: &Machine, state: &State) -> Vec<Scalarset> {
    let groups = groups_by((machine, state), Indices::Scalars, Places::Any);
    if groups == groups_by((machine, state), Indices::Numbers, Places::Any) {
        return Vec::new();
    }
    let set = |Group { processes, mailboxes, .. }: Group| Scalarset { processes, mailboxes };
    groups.into_iter().map(set).collect()
}

/// The groups of interchangeable replicas, as far as the programs tell.
pub(super) fn groups(machine: &Machine, state: &State) -> Vec<Group> {
    let has_scalars = !machine.scalarsets.is_empty();
    let indices = if has_scalars { Indices::Scalars } else { Indices::Numbers };
    let groups = groups_by((machine, state), indices, Places::Any);
    if !groups.is_empty() {
        return groups;
    }
    // One ring is turned at a time: the largest.
    let rings = groups_by((machine, state), indices, Places::Ring);
    rings.into_iter().max_by_key(|ring| ring.count).into_iter().collect()
}

fn groups_by((machine, state): (&Machine, &State), indices: Indices, places: Places) -> Vec<Group> {
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
    let mut ties = Ties::new((machine, state), indices, places);
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
                Handle::Mailbox(mailbox) | Handle::File(Descriptor { object: mailbox, .. }),
            ) => (first.0..first.0 + count).contains(&mailbox.0),
            _ => false,
        }
    }
}

/// The families: which belong together, and which are not interchangeable.
struct Ties<'m> {
    machine: &'m Machine,
    state: &'m State,
    indices: Indices,
    places: Places,
    families: Vec<Family>,
    /// Union-find: another family of the same group; the root points to itself.
    group: Vec<usize>,
    differ: Vec<bool>,
}

impl<'m> Ties<'m> {
    fn new((machine, state): (&'m Machine, &'m State), indices: Indices, places: Places) -> Self {
        let (families, group, differ) = (Vec::new(), Vec::new(), Vec::new());
        let mut ties = Self { machine, state, indices, places, families, group, differ };
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
            (Some(own), index)
                if self.families[own].count() == self.families[target].count()
                    && (*index == Expr::Index || self.leads_on(own, index)) =>
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

    /// Whether an index leads from every member of a ring to the one that is so many places on.
    fn leads_on(&self, own: usize, index: &Expr) -> bool {
        let Family::Processes { first, count } = self.families[own] else { return false };
        let state = self.state;
        let places_on = |place: u32| {
            let process = &state.processes.items()[(first.0 + place) as usize];
            let thread = &state.threads.items()[process.first_thread.index()];
            let unknown = vec![true; thread.registers.len()];
            match settled(self.machine, thread, &unknown, index)? {
                Value::Int(member) if (1..=i64::from(count)).contains(&member) => {
                    Some((member - 1 - i64::from(place)).rem_euclid(i64::from(count)))
                }
                _ => None,
            }
        };
        let first = places_on(0);
        self.places == Places::Ring
            && first.is_some()
            && (1..count).all(|place| places_on(place) == first)
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
            let (processes, mailboxes) = (Vec::new(), Vec::new());
            let mut group = Group { count, processes, mailboxes, places: self.places };
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
