//! One state, looked at: who waits and why, who could help, what is stored, what variables hold.

use std::fmt::Write;

use ipcsim_kernel::{
    Life, Machine, MailboxId, ProcessId, State, ThreadId, ThreadState, Value, wait_graph, waits,
};

use crate::reasons::{blocked_word, waiting};
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
                writeln!(out, "  only {} could end this wait{end}", list(&names, state, &could))
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

/// What a mailbox holds, or what the variables of a process hold; nothing if nothing has the name.
pub fn show(machine: &Machine, state: &State, name: &str) -> Option<String> {
    let names = Names::new(machine);
    let mut mailboxes = (0..machine.mailboxes.len()).map(MailboxId::at);
    if let Some(mailbox) = mailboxes.find(|id| machine.mailbox_name(*id) == name) {
        return Some(show_mailbox(&names, state, mailbox));
    }
    let mut processes = (0..machine.processes.len()).map(ProcessId::at);
    let process = processes.find(|process| machine.process_name(*process) == name)?;
    let life = match &state.processes[process.index()].life {
        Life::Unborn => "has not been made",
        Life::NotStarted => "has not started",
        Life::Running => "runs",
        Life::Ended(_) => "has ended",
    };
    let mut out = format!("{name} {life}\n");
    for t in state.threads_of(process) {
        let thread = &state.threads[t.index()];
        let _ = writeln!(out, "{}{}", names.thread(state, t), place(machine, thread.pc));
        let variables = machine.variables_at(thread.pc).iter().zip(&thread.registers);
        for (variable, value) in variables.filter(|(_, value)| **value != Value::None) {
            let _ = writeln!(out, "  {variable} = {}", names.value(value));
        }
    }
    Some(out)
}

fn show_mailbox(names: &Names, state: &State, id: MailboxId) -> String {
    let mailbox = &state.mailboxes[id.index()];
    let mut out = String::new();
    let name = names.mailbox(state, id, LinkEnd::Receiver);
    let _ = writeln!(out, "{name} holds {} messages", mailbox.messages.len());
    for message in &mailbox.messages {
        let _ = writeln!(out, "  {}", names.value(&message.body));
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
