//! Cures: small changes with which the same run completes. Each is tried before it is proposed.

use std::sync::atomic::Ordering;

use ipcsim_explore::{
    Class, Limits, NoTrace, Outcome, Problem, Run, Verdict, conclude, run as run_again,
};
use ipcsim_kernel::{BlockedOn, Capacity, Machine, MailboxKind, State, ThreadId};
use ipcsim_report::Cure;
use ipcsim_scenario::{Change, Loaded};

use crate::terminal::{INTERRUPTED, in_shell};

/// A cure that takes longer than this is not worth waiting for.
const STEPS: u64 = 100_000;
/// How many candidates are tried; fewer where there are so many threads that each takes long.
const TRIED: usize = 24;
const THREADS_TRIED: usize = 100_000;

/// Cures with which the same run completes.
pub(crate) fn of_run(
    loaded: &Loaded,
    machine: &Machine,
    run: &Run,
    verdict: &Verdict,
) -> Vec<Cure> {
    if !matches!(verdict.outcome, Outcome::Deadlock | Outcome::Stranded) {
        return Vec::new();
    }
    let seed = machine.timing.seed;
    let completes = |change: &Change| {
        let Some(mut machine) = loaded.machine_with(change) else { return false };
        machine.timing.seed = seed;
        let interrupted = Some(&INTERRUPTED);
        let limits = Limits { max_steps: STEPS, interrupted, ..Limits::default() };
        let run = run_again(&machine, &limits, &mut NoTrace);
        conclude(&machine, &run).outcome == Outcome::Completes
    };
    let problems = [(&run.state, &verdict.problems[..])];
    let found = find(loaded, machine, problems.into_iter(), completes);
    found.into_iter().map(|what| Cure { what }).collect()
}

/// Finds the least change of a number, and an exchange of two steps, that pass the trial.
pub(crate) fn find<'a>(
    loaded: &Loaded,
    machine: &Machine,
    stuck: impl Iterator<Item = (&'a State, &'a [Problem])>,
    mut passes: impl FnMut(&Change) -> bool,
) -> Vec<String> {
    let candidates = stuck.flat_map(|(state, problems)| {
        problems.iter().map(move |problem| candidates(loaded, machine, state, problem))
    });
    let (numbers, exchanges): (Vec<_>, Vec<_>) = candidates.unzip();
    let mut cures = Vec::new();
    let most = (THREADS_TRIED / machine.processes.len().max(1)).clamp(2, TRIED);
    let mut tried = 0;
    for list in [numbers.concat(), exchanges.concat()] {
        for (change, what) in list {
            if tried == most || INTERRUPTED.load(Ordering::Relaxed) {
                return cures;
            }
            tried += 1;
            if passes(&change) {
                cures.push(what);
                break;
            }
        }
    }
    cures
}

type Candidates = Vec<(Change, String)>;

fn candidates(
    loaded: &Loaded,
    machine: &Machine,
    state: &State,
    problem: &Problem,
) -> (Candidates, Candidates) {
    let mut numbers = Vec::new();
    let mut exchanges = Vec::new();
    for t in &problem.threads {
        let Some(on) = state.waits_for(*t) else { continue };
        match on {
            BlockedOn::Send(message) => {
                let mailbox = &state.mailboxes[message.mailbox.index()];
                let place = capacity_path(loaded, machine, message.mailbox, mailbox.spec.kind);
                add_capacities(&mut numbers, &place, mailbox.spec.capacity);
                if problem.class == Class::CrossedSend {
                    add_exchange(&mut exchanges, loaded, machine, state, *t);
                }
            }
            BlockedOn::Memory(_) => {
                let limit = machine.policies.memory.unwrap_or(0);
                for factor in [2, 4, 8, 16] {
                    add_set(
                        &mut numbers,
                        "kernel.memory",
                        format!("{}B", limit.saturating_mul(factor)),
                    );
                }
                add_set(&mut numbers, "kernel.memory", "unlimited".into());
            }
            _ => {}
        }
    }
    (numbers, exchanges)
}

/// The key that says how much a mailbox or a link holds.
fn capacity_path(
    loaded: &Loaded,
    machine: &Machine,
    mailbox: ipcsim_kernel::MailboxId,
    kind: MailboxKind,
) -> String {
    let own = |declaration: &ipcsim_scenario::ast::Declaration| {
        declaration.fields.get("capacity").is_some()
    };
    let (table, list, name) = match kind {
        MailboxKind::Link { to, .. } => {
            ("processes", &loaded.scenario.processes, machine.process_name(to))
        }
        MailboxKind::Open | MailboxKind::Filed | MailboxKind::Port | MailboxKind::PortSet => {
            ("mailboxes", &loaded.scenario.mailboxes, machine.mailbox_name(mailbox))
        }
    };
    if kind == MailboxKind::Port {
        // Its limit is its own: `kernel.buffering` says nothing of ports.
        return format!("ports.{}.capacity", machine.mailbox_name(mailbox));
    }
    let base = name.split('[').next().unwrap_or(&name);
    let says_so = list.iter().any(|declaration| declaration.name.value == base && own(declaration));
    if says_so { format!("{table}.{base}.capacity") } else { "kernel.buffering".into() }
}

fn add_capacities(to: &mut Candidates, path: &str, now: Capacity) {
    match now {
        Capacity::None | Capacity::Undefined => {
            for messages in [1, 2, 3, 4, 8, 16] {
                add_set(to, path, messages.to_string());
            }
        }
        Capacity::Messages(now) => {
            let more = [1, 2].map(|slots| now.saturating_add(slots));
            let times = [2, 4, 16].map(|factor| now.saturating_mul(factor));
            for more in more.into_iter().chain(times) {
                add_set(to, path, more.to_string());
            }
        }
        Capacity::Bytes(now) => {
            for factor in [2, 4, 16] {
                add_set(to, path, format!("{}B", now.saturating_mul(factor)));
            }
        }
        Capacity::Unlimited => {}
    }
}

fn add_set(to: &mut Candidates, path: &str, value: String) {
    let what = format!("--set {}", in_shell(&format!("{path}={value}")));
    if !to.iter().any(|(_, known)| *known == what) {
        to.push((Change::Set(path.to_string(), value), what));
    }
}

/// Whoever sends first may receive first instead, if its program says both in a row.
fn add_exchange(
    to: &mut Candidates,
    loaded: &Loaded,
    machine: &Machine,
    state: &State,
    t: ThreadId,
) {
    let thread = &state.threads[t.index()];
    let family = machine.family_of(thread.process);
    let line = machine.line(thread.pc);
    let name = machine.process_name(thread.process);
    let base = name.split('[').next().unwrap_or(&name).to_string();
    let Some(process) = loaded.scenario.processes.iter().find(|p| p.name.value == base) else {
        return;
    };
    let Some(steps) = process.fields.get("do").map(|steps| steps.value.steps()) else { return };
    let source = &loaded.sources[0];
    let line_of = |at: ipcsim_scenario::Place| source.line_and_column(at.bytes().start).0;
    let here = steps.iter().position(|step| line_of(step.at) == line as usize);
    let Some(here) = here else { return };
    if steps.get(here + 1).is_none_or(|next| next.verb.name != "receive") {
        return;
    }
    // In the short form the list is the process itself.
    let is_short = process.fields.key("do") == Some(process.name.at);
    let path = if is_short { format!("processes.{base}") } else { format!("processes.{base}.do") };
    let whom = if family.count > 1 { format!("each of {base}") } else { base.clone() };
    to.push((Change::Swap(path, here), format!("let {whom} receive first")));
}
