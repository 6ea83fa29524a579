//! Links that are there from the start: those that programs name.
//!
//! A link is made when it is first needed. Making the named ones at once gives them numbers that do not
//! depend on who needs one first, so that states which differ in nothing else are one state.

use ipcsim_program::{Expr, From, Handle, Op, ProcessId, Value, Verb};

use crate::machine::Machine;
use crate::state::State;

/// In larger machines no link is made in advance: it would take longer than it is worth.
const MOST_PROCESSES: usize = 256;
/// If programs name more links than this, each is made when it is first needed.
const MOST_LINKS: usize = 4_096;

/// Makes every link that the programs name.
pub(crate) fn make(machine: &Machine, state: &mut State) {
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
    let mut seen = vec![false; machine.code.len()];
    let mut open: Vec<_> = family.threads.iter().map(|spec| spec.entry).collect();
    let mut links = Vec::new();
    while let Some(pc) = open.pop() {
        if std::mem::replace(&mut seen[pc.index()], true) {
            continue;
        }
        let op = &machine.code[pc.index()];
        op.successors(pc, &mut open);
        let Op::Call(call) = op else { continue };
        let (expr, sends) = match &call.verb {
            Verb::Send(send) | Verb::Call { request: send, .. } => (&send.to, true),
            Verb::Receive(receive) => match &receive.from {
                From::These(sources) => (sources, false),
                From::Anyone => continue,
            },
            Verb::Select { among, .. } => (among, false),
            _ => continue,
        };
        let mut add = |other: ProcessId| {
            links.push(if sends { (process, other) } else { (other, process) });
        };
        expr.visit(&mut |part| match part {
            Expr::Constant(value) => processes_in(value, &mut add),
            Expr::ProcessMember(family, _) => {
                let family = &machine.families[family.index()];
                (0..family.count).for_each(|member| add(ProcessId(family.first.0 + member)));
            }
            Expr::Me => add(process),
            // A parameter of the program.
            Expr::Variable(register) => family
                .threads
                .iter()
                .flat_map(|spec| &spec.initial)
                .filter(|(parameter, _)| parameter == register)
                .for_each(|(_, value)| processes_in(value, &mut add)),
            _ => {}
        });
    }
    links
}

fn processes_in(value: &Value, add: &mut impl FnMut(ProcessId)) {
    match value {
        Value::Handle(Handle::Process(process)) => add(*process),
        Value::List(list) => list.items().iter().for_each(|item| processes_in(item, add)),
        _ => {}
    }
}
