//! Links that exist from the start: those that programs name.
//!
//! A link is made when it is first needed. Making the named ones at once gives them numbers that do not
//! depend on who needs one first, so that states that differ in nothing else are one state.

use ipcsim_program::{Edges, Effect, Expr, From, Handle, ProcessId, Receive, Value, reachable};

use crate::machine::Machine;
use crate::state::State;

/// In larger machines no link is made in advance: it would cost more than it saves.
const MOST_PROCESSES: usize = 256;
/// If programs name more links than this, each is made when it is first needed.
const MOST_LINKS: usize = 4_096;

/// Makes every link that the programs name.
pub(super) fn make(machine: &Machine, state: &mut State) {
    if machine.processes.len() > MOST_PROCESSES {
        return;
    }
    let mut links = Vec::new();
    for index in 0..machine.processes.len() {
        let process = ProcessId::at(index);
        for (from, to) in links_of(machine, process) {
            links.push((from, to));
            if links.len() > MOST_LINKS {
                return;
            }
        }
    }
    links.sort_unstable();
    links.dedup();
    for (from, to) in links {
        state.link(machine, from, to);
    }
}

/// The links that a process names in its programs.
fn links_of(machine: &Machine, process: ProcessId) -> Vec<(ProcessId, ProcessId)> {
    let family = machine.family_of(process);
    let entries = family.threads.iter().map(|spec| spec.entry);
    let mut links = Vec::new();
    for pc in reachable(&machine.code, entries, Edges::Possible) {
        machine.code[pc.index()].effects(&mut |effect| {
            let (expr, sends) = match effect {
                Effect::Sends(send) => (&send.to, true),
                Effect::Receives(Receive { from: From::These(from), .. })
                | Effect::LooksAt(from) => (from, false),
                _ => return,
            };
            let link = |other| if sends { (process, other) } else { (other, process) };
            named_in(machine, process, expr, &mut |other| links.push(link(other)));
        });
    }
    links
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
