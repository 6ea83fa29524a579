//! Links that exist from the start: those that programs can need.
//!
//! A link is made when it is first needed. Making them at once gives them numbers that do not depend on who needs one
//! first, so that states that differ in nothing else are one state. And whoever asks what can still happen between two
//! processes finds the link there.

use std::collections::BTreeSet;

use ipcsim_program::{
    Edges, Effect, Expr, Field, From, Handle, ProcessId, Receive, Value, reachable,
};

use crate::machine::Machine;
use crate::state::State;

/// In larger machines no link is made in advance: it would cost more than it saves.
const MOST_PROCESSES: usize = 256;
/// If programs can need more links than this, each is made when it is first needed.
const MOST_LINKS: usize = 4_096;

/// Makes every link that the programs can need, unless there are too many.
pub(super) fn make(machine: &Machine, state: &mut State) {
    for (from, to) in links(machine).unwrap_or_default() {
        state.link(machine, from, to);
    }
}

impl Machine {
    /// Whether all links that a machine of plain message passing can need exist from the start.
    pub fn makes_all_links(&self) -> bool {
        links(self).is_some() || !self.any_call(needs_a_link)
    }
}

/// Whether a call with this effect may go by a link: it does not say by its form that it is about a mailbox.
fn needs_a_link(effect: Effect) -> bool {
    let is_mailbox = |expr: &Expr| {
        matches!(
            expr,
            Expr::MailboxMember { .. } | Expr::Constant(Value::Handle(Handle::Mailbox(_)))
        )
    };
    match effect {
        Effect::Sends(send) => !is_mailbox(&send.to),
        Effect::Receives(Receive { from: From::These(from), .. }) | Effect::LooksAt(from) => {
            !is_mailbox(from)
        }
        Effect::Receives(Receive { from: From::Anyone, .. }) | Effect::Answers(_) => true,
        _ => false,
    }
}

/// The links that the programs can need, as far as their calls are those of plain message passing; `None` if there are too
/// many.
fn links(machine: &Machine) -> Option<BTreeSet<(ProcessId, ProcessId)>> {
    let processes = || (0..machine.processes.len()).map(ProcessId::at);
    if machine.processes.len() > MOST_PROCESSES {
        return None;
    }
    let is_plain = !machine.any_call(|effect| !effect.is_plain());
    let passed_on = if is_plain { passed_on(machine) } else { BTreeSet::new() };
    let mut links = BTreeSet::new();
    for process in processes() {
        links_of(machine, process, &passed_on, &mut links);
        if links.len() > MOST_LINKS {
            return None;
        }
    }
    Some(links)
}

/// The processes that a variable or a message may name.
fn passed_on(machine: &Machine) -> BTreeSet<ProcessId> {
    let mut named = BTreeSet::new();
    for process in (0..machine.processes.len()).map(ProcessId::at) {
        let threads = &machine.family_of(process).threads;
        for (_, value) in threads.iter().flat_map(|spec| &spec.initial) {
            processes_in(value, &mut |other| named.extend([other]));
        }
        for pc in reachable(&machine.code, threads.iter().map(|spec| spec.entry), Edges::Possible) {
            machine.code[pc.index()].expressions(&mut |expr| {
                let names_senders = |part: &Expr| matches!(part, Expr::Field(_, Field::Sender));
                if expr.contains(&names_senders) {
                    named.extend((0..machine.processes.len()).map(ProcessId::at));
                }
                named_in(machine, process, expr, &mut |other| named.extend([other]));
            });
        }
    }
    named
}

/// The links that a process can need.
fn links_of(
    machine: &Machine,
    process: ProcessId,
    passed_on: &BTreeSet<ProcessId>,
    links: &mut BTreeSet<(ProcessId, ProcessId)>,
) {
    let entries = machine.family_of(process).threads.iter().map(|spec| spec.entry);
    for pc in reachable(&machine.code, entries, Edges::Possible) {
        machine.code[pc.index()].effects(&mut |effect| {
            let (expr, sends) = match effect {
                Effect::Sends(send) => (&send.to, true),
                // To whom the question said that the answer should go.
                Effect::Answers(reply) => (&reply.to, true),
                Effect::Receives(Receive { from: From::These(from), .. })
                | Effect::LooksAt(from) => (from, false),
                _ => return,
            };
            let mut add = |other| {
                links.insert(if sends { (process, other) } else { (other, process) });
            };
            named_in(machine, process, expr, &mut add);
            if comes_from_elsewhere(expr) {
                passed_on.iter().copied().for_each(add);
            }
        });
    }
}

/// Whether an expression may name an object that was handed over in a variable or a message.
fn comes_from_elsewhere(expr: &Expr) -> bool {
    match expr {
        Expr::Constant(_) | Expr::Me | Expr::ProcessMember(..) | Expr::MailboxMember { .. } => {
            false
        }
        Expr::List(items) => items.iter().any(comes_from_elsewhere),
        _ => true,
    }
}

/// The processes that an expression of a process names.
fn named_in(machine: &Machine, own: ProcessId, expr: &Expr, add: &mut impl FnMut(ProcessId)) {
    expr.visit(&mut |part| match part {
        Expr::Constant(value) => processes_in(value, add),
        Expr::ProcessMember(family, _) => {
            let family = &machine.families[family.index()];
            (0..family.count).for_each(|member| add(ProcessId(family.first.0 + member)));
        }
        Expr::Me => add(own),
        // A parameter of the program.
        Expr::Variable(register) => {
            let threads = machine.family_of(own).threads.iter();
            let initial = threads.flat_map(|spec| &spec.initial);
            let given = initial.filter(|(parameter, _)| parameter == register);
            given.for_each(|(_, value)| processes_in(value, add));
        }
        _ => {}
    });
}

fn processes_in(value: &Value, add: &mut impl FnMut(ProcessId)) {
    match value {
        Value::Handle(Handle::Process(process)) => add(*process),
        Value::List(list) => list.items().iter().for_each(|item| processes_in(item, add)),
        _ => {}
    }
}
