//! What the code ahead of a thread could bring about.

use super::Arrows;
use crate::ids::{MailboxId, ProcessId, ThreadId};
use crate::machine::MailboxKind;
use crate::object::port::{Controlled, Receiver};
use crate::state::{BlockedOn, Holder, Level};
use crate::value::{ReplyRight, Value};
use crate::waits::condition::Condition;
use crate::waits::future::{Future, Reach};

impl Arrows<'_> {
    /// What the code ahead of a thread could bring about.
    pub(super) fn brought_about(&mut self, t: ThreadId) -> Vec<Condition> {
        let mut conditions = Vec::new();
        self.of_its_code(t, t, &mut conditions);
        let children: Vec<ProcessId> = self.futures[&t].spawns.each().collect();
        for child in children {
            for thread in self.state.threads_of(child) {
                self.of_its_code(thread, t, &mut conditions);
            }
        }
        conditions
    }

    /// What the code ahead of `t` could bring about; the arrows lead to `by`.
    fn of_its_code(&self, t: ThreadId, by: ThreadId, to: &mut Vec<Condition>) {
        let state = self.state;
        let own = state.threads[t.index()].process;
        let future = &self.futures[&t];
        self.sends(own, by, future, to);
        self.receives(future, to);
        future.destroys.tell(Condition::Destroyed, Condition::Anything, to);
        // What one does to one's own process ends waits of one's siblings, and none of one's own.
        let of = |others: fn(ProcessId) -> Condition, siblings: Condition| {
            move |whom: ProcessId| if whom == own { siblings } else { others(whom) }
        };
        let killed = of(Condition::ProcessKilled, Condition::KilledBy(by));
        future.kills.tell(killed, Condition::Anything, to);
        let interrupted = of(Condition::Interrupted, Condition::InterruptedBy(by));
        future.interrupts.tell(interrupted, Condition::Anything, to);
        let resumed = of(Condition::Controlled, Condition::ResumedBy(by));
        future.controls.tell(resumed, Condition::Anything, to);
        to.extend(future.kills.each().map(Condition::ProcessEnds));
        if future.kills_threads {
            to.push(Condition::KilledBy(by));
        }
        if future.ends {
            to.push(Condition::ThreadEnds(t));
        }
        if (future.ends && self.ending.contains(&own)) || future.exits {
            to.push(Condition::ProcessEnds(own));
        }
        for right in &self.replies[&t] {
            if self.waits_for_answer(*right, own) {
                to.push(Condition::RepliedTo(right.caller));
            }
        }
        if future.replies {
            let once = &state.processes[own.index()].rights.once;
            to.extend(once.iter().map(|once| Condition::Sent(once.port)));
        }
        match &future.drops {
            Reach::All => {
                let names = &state.processes[own.index()].rights;
                to.extend(names.sent_to().map(|(port, _)| Condition::LetGo(own, port)));
            }
            Reach::Some(ports) => to.extend(ports.iter().map(|port| Condition::LetGo(own, *port))),
        }
        // Its handler looks at the exception that it has raised.
        let thread = &state.threads[t.index()];
        if thread.raised().is_some() {
            let ports = [Level::Thread, Level::Process].into_iter();
            let ports = ports.filter_map(|level| self.machine.exception_port(thread, level));
            to.extend(ports.map(Condition::Sent));
        }
    }

    fn waits_for_answer(&self, asked: ReplyRight, by: ProcessId) -> bool {
        matches!(self.state.waits_for(asked.caller),
            Some(BlockedOn::Reply { right, holder: Holder::Taken(process) })
                if *right == asked && *process == by)
    }

    fn sends(&self, own: ProcessId, by: ThreadId, future: &Future, to: &mut Vec<Condition>) {
        let controlled = |process: ProcessId, to: &mut Vec<Condition>| {
            if process == own {
                to.extend(by_a_sibling(by));
            } else {
                to.extend(from_outside(process));
            }
        };
        let mut sent = |port: MailboxId, kind: Option<&Value>| {
            // Nobody but who registers lets a name server answer others.
            if self.machine.name_servers.contains_key(&port) && !future.registers {
                return;
            }
            match self.state.receiver_of(port) {
                Receiver::Kernel(Controlled::Process(process)) => controlled(process, to),
                Receiver::Kernel(Controlled::Thread(t)) => {
                    controlled(self.state.threads[t.index()].process, to);
                }
                _ => {
                    to.push(Condition::Sent(port));
                    for (number, wanted) in self.kinds.iter().enumerate() {
                        if kind.is_none_or(|kind| kind == wanted) {
                            to.push(Condition::SentOf(port, number as u32));
                        }
                    }
                }
            }
        };
        match &future.sends {
            Reach::All => {
                for port in (0..self.state.mailboxes.len()).map(MailboxId::at) {
                    let is_port = self.state.mailboxes[port.index()].spec.kind == MailboxKind::Port;
                    if is_port && self.may_send(own, port) {
                        sent(port, None);
                    }
                }
                to.push(Condition::SentAnywhere);
            }
            Reach::Some(mailboxes) => {
                for mailbox in mailboxes.iter().filter(|mailbox| self.may_send(own, **mailbox)) {
                    let mut of_it =
                        future.sent.iter().filter(|(sent, _)| sent == mailbox).peekable();
                    if of_it.peek().is_none() {
                        sent(*mailbox, None);
                    }
                    for (_, kind) in of_it {
                        sent(*mailbox, kind.as_ref());
                    }
                }
            }
        }
        if future.sends_to_processes {
            to.push(Condition::SentBy(own));
        }
    }

    fn receives(&self, future: &Future, to: &mut Vec<Condition>) {
        let goes_on = future.replies || future.ends || future.exits;
        match &future.receives {
            Reach::All => {
                to.push(Condition::TakenAnywhere);
                to.extend(goes_on.then_some(Condition::AnsweredAnywhere));
            }
            Reach::Some(mailboxes) => {
                to.extend(mailboxes.iter().map(|mailbox| Condition::Taken(*mailbox)));
                let answered = mailboxes.iter().filter(|_| goes_on);
                to.extend(answered.map(|mailbox| Condition::AnsweredAt(*mailbox)));
            }
        }
        for (mailbox, kind) in &future.taken {
            for (number, offered) in self.kinds.iter().enumerate() {
                if kind.as_ref().is_none_or(|kind| kind == offered) {
                    to.push(Condition::TakenOf(*mailbox, number as u32));
                }
            }
        }
        if !future.receives.is_nothing() || !future.destroys.is_nothing() {
            to.push(Condition::MemoryFreed);
        }
    }
}

/// What is sent to the port of a process is done to it.
fn from_outside(process: ProcessId) -> [Condition; 4] {
    [
        Condition::ProcessKilled(process),
        Condition::Controlled(process),
        Condition::Interrupted(process),
        Condition::ProcessEnds(process),
    ]
}

/// What is sent to the port of one's own process, or of a thread of it, helps the other threads there.
fn by_a_sibling(by: ThreadId) -> [Condition; 3] {
    [Condition::KilledBy(by), Condition::ResumedBy(by), Condition::InterruptedBy(by)]
}
