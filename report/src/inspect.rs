//! One state, looked at: who waits and why, who could help, what is stored, what variables hold.

use std::fmt::Write;

use ipcsim_kernel::object::space::{Mapping, Owner};
use ipcsim_kernel::program::{Pages, Region};
use ipcsim_kernel::{
    Access, Life, Machine, MailboxId, ProcessId, State, ThreadId, ThreadState, Value, wait_graph,
    waits,
};

use crate::reasons::{blocked_where, blocked_word, waiting};
use crate::units::{bytes, plural};
use crate::words::{LinkEnd, Names, fault_words, place};

/// Why the threads of this name cannot go on, and who could let them; nothing if nobody has the name.
pub fn why_not(machine: &Machine, state: &State, name: &str) -> Option<String> {
    let names = Names::new(machine);
    let threads: Vec<ThreadId> = threads(state)
        .filter(|t| {
            let process = state.threads[t.index()].process;
            names.thread(state, *t) == name || machine.process_name(process) == name
        })
        .collect();
    if threads.is_empty() {
        return None;
    }
    let graph = wait_graph(machine, state, &living(state));
    let never = waits::stuck(machine, state);
    let mut out = String::new();
    for t in threads {
        let thread = &state.threads[t.index()];
        let who = names.thread(state, t);
        let at = place(machine, thread.pc);
        let _ = match &thread.state {
            ThreadState::NotStarted => writeln!(out, "{who} has not started"),
            ThreadState::Ended => writeln!(out, "{who} has ended"),
            ThreadState::Raising(fault) => {
                writeln!(out, "{who} fails next{at}: {}", fault_words(fault))
            }
            ThreadState::Ready | ThreadState::LookingAgain { .. } => {
                writeln!(out, "{who} can go on{at}")
            }
            ThreadState::Suspended(_) => {
                let could = graph.awaited(t);
                let could = list(&names, state, &could);
                writeln!(out, "{who} is suspended{at}\n  it could be resumed by {could}")
            }
            ThreadState::Blocked { .. } => {
                let shown = waiting(machine, state, t);
                let _ =
                    writeln!(out, "{who} is {} {}{at}: {}", shown.state, shown.on, shown.because);
                // Nobody lets himself go on: the wait is in the way.
                let mut could = graph.awaited(t);
                could.retain(|other| *other != t);
                let stuck = |other: &ThreadId| never.contains(other);
                let end = match could.len() {
                    1 if could.iter().all(stuck) => ", and it waits for ever itself",
                    _ if !could.is_empty() && could.iter().all(stuck) => {
                        ", and they wait for ever themselves"
                    }
                    _ => "",
                };
                match could.len() {
                    0 => writeln!(out, "  nobody can end this wait"),
                    _ => {
                        let who = list(&names, state, &could);
                        writeln!(out, "  only {who} could end this wait{end}")
                    }
                }
            }
        };
    }
    Some(out)
}

/// Who waits for whom: each thread that waits, with those that could let it go on.
pub fn graph(machine: &Machine, state: &State) -> String {
    let names = Names::new(machine);
    let graph = wait_graph(machine, state, &living(state));
    let mut out = String::new();
    for t in threads(state) {
        let thread = &state.threads[t.index()];
        let how = match state.waits_for(t) {
            Some(on) => blocked_word(on),
            None if thread.is_held() => "suspended",
            None => continue,
        };
        let could = list(&names, state, &graph.awaited(t));
        let _ = writeln!(out, "{} ({how}) → {could}", names.thread(state, t));
    }
    if out.is_empty() { "nobody waits\n".into() } else { out }
}

/// What a mailbox, a pipe or a channel holds, or what a process has: its variables, its memory, what it has open. Nothing if
/// nothing has the name.
pub fn show(machine: &Machine, state: &State, name: &str) -> Option<String> {
    let names = Names::new(machine);
    let is_called = |id: &MailboxId| {
        let mailbox = &state.mailboxes[id.index()];
        let called = names.mailbox(state, *id, LinkEnd::Receiver);
        let is_stream = mailbox.stream().is_some();
        mailbox.link().is_none()
            && (called == name
                || is_stream && called.split_once(' ').is_some_and(|(_, own)| own == name))
    };
    let shown: String = (0..state.mailboxes.len())
        .map(MailboxId::at)
        .filter(is_called)
        .map(|id| show_mailbox(&names, state, id))
        .collect();
    if !shown.is_empty() {
        return Some(shown);
    }
    let mut processes = (0..machine.processes.len()).map(ProcessId::at);
    let process = processes.find(|process| machine.process_name(*process) == name)?;
    let life = match &state.processes[process.index()].life {
        Life::Unborn => " has not been made",
        Life::NotStarted => " has not started",
        Life::Running => ":",
        Life::Ended(_) => " has ended",
    };
    let mut out = format!("{name}{life}\n");
    for t in state.threads_of(process) {
        let thread = &state.threads[t.index()];
        let waits = match state.waits_for(t) {
            Some(on) => format!(", {} {}", blocked_word(on), blocked_where(&names, state, t, on)),
            None => String::new(),
        };
        let _ = writeln!(out, "{}{}{waits}", names.thread(state, t), place(machine, thread.pc));
        let variables = machine.variables_at(thread.pc).iter().zip(&thread.registers);
        for (variable, value) in variables.filter(|(_, value)| **value != Value::None) {
            let _ = writeln!(out, "  {variable} = {}", names.value(value));
        }
    }
    show_memory(&mut out, &names, state, process);
    for (number, opened) in &state.processes[process.index()].descriptors {
        let what = names.opened(state, opened.object, opened.access);
        let _ = writeln!(out, "descriptor {number}: {what}");
    }
    Some(out)
}

/// The regions of a process: what their pages hold, and who has their locks.
fn show_memory(out: &mut String, names: &Names, state: &State, process: ProcessId) {
    let Some(space) = state.spaces.get(process.index()) else { return };
    for (number, mapping) in &space.regions {
        let region = Region { space: process, number: *number };
        let shared = match mapping {
            Mapping::Private(_) => "",
            Mapping::Shared { .. } => ", shared",
        };
        let pages = plural(mapping.count().into(), "page");
        let _ = writeln!(out, "region {number}: {pages}{shared}");
        for (range, value) in state.pages(region).into_iter().flat_map(Pages::runs) {
            let value = names.value(value);
            let _ = match range.end - range.start {
                1 => writeln!(out, "  page {} holds {value}", range.start),
                _ => writeln!(out, "  pages {} to {} hold {value}", range.start, range.end - 1),
            };
        }
        for page in 0..mapping.count() {
            let Some(lock) = state.lock(region, page) else { continue };
            let owner = match lock.owner {
                Owner::Thread(owner) => names.thread(state, owner),
                Owner::Ended => "a thread that has ended".into(),
                Owner::NotCopied => "a thread that was not copied".into(),
            };
            let waiting: Vec<String> =
                lock.waiting.iter().map(|t| names.thread(state, *t)).collect();
            let line = if waiting.is_empty() {
                String::new()
            } else {
                format!("; waiting: {}", waiting.join(", "))
            };
            let _ = writeln!(out, "  page {page} is locked by {owner}{line}");
        }
    }
}

fn show_mailbox(names: &Names, state: &State, id: MailboxId) -> String {
    let mailbox = &state.mailboxes[id.index()];
    let mut out = String::new();
    let name = names.mailbox(state, id, LinkEnd::Receiver);
    let _ = match mailbox.bytes() {
        Some(held) => writeln!(out, "{name} holds {}", bytes(held.count)),
        None => writeln!(out, "{name} holds {}", plural(mailbox.messages.len() as u64, "message")),
    };
    for message in &mailbox.messages {
        let _ = writeln!(out, "  {}", names.value(&message.body));
    }
    if mailbox.stream().is_some() {
        for (end, word) in [(Access::Read, "read"), (Access::Write, "write")] {
            let holders: Vec<String> = state
                .holders_of(id, end)
                .map(|process| names.machine.process_name(process))
                .collect();
            let holders = if holders.is_empty() { "nobody".into() } else { holders.join(", ") };
            let _ = writeln!(out, "  {word} end open in: {holders}");
        }
    }
    for (sender, message) in &mailbox.senders {
        let who = names.thread(state, *sender);
        let _ = writeln!(out, "  {who} waits with {}", names.value(&message.body));
    }
    for receiver in &mailbox.receivers {
        let _ = writeln!(out, "  {} waits for a message", names.thread(state, *receiver));
    }
    out
}

fn threads(state: &State) -> impl Iterator<Item = ThreadId> + use<> {
    (0..state.threads.len()).map(ThreadId::at)
}

fn living(state: &State) -> Vec<ThreadId> {
    threads(state).filter(|t| !state.threads[t.index()].state.is_ended()).collect()
}

fn list(names: &Names, state: &State, threads: &[ThreadId]) -> String {
    if threads.is_empty() {
        return "nobody".into();
    }
    threads.iter().map(|t| names.thread(state, *t)).collect::<Vec<_>>().join(", ")
}
