//! What the code ahead of a thread could bring about.

use super::Arrows;
use crate::ids::{MailboxId, ProcessId, ThreadId};
use crate::machine::MailboxKind;
use crate::object::port::{Controlled, Receiver};
use crate::state::{BlockedOn, Holder, Level, is_wanted_type};
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
        future.resumes.tell(resumed, Condition::Anything, to);
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
            for once in once {
                self.told(once.port, Some(&Value::None), to);
            }
        }
        // The message that it answers may be the one with which the receiver there has sent such a right.
        if future.answers_what_comes {
            let is_of_others = |port: &&MailboxId| state.receiver_of(**port) != Receiver::Held(own);
            let ports = self.answered_later.iter().filter(is_of_others);
            ports.for_each(|port| self.told(*port, Some(&Value::None), to));
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
            ports.for_each(|port| self.told(port, None, to));
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
        let sent = |port: MailboxId, kind: Option<&Value>, to: &mut Vec<Condition>| {
            // Nobody but who registers lets a name server answer others.
            if self.machine.name_servers.contains_key(&port) && !future.registers {
                return;
            }
            match self.state.receiver_of(port) {
                Receiver::Kernel(Controlled::Process(process)) => controlled(process, to),
                Receiver::Kernel(Controlled::Thread(t)) => {
                    controlled(self.state.threads[t.index()].process, to);
                }
                _ => self.told(port, kind, to),
            }
        };
        let typed = &future.sent.there;
        for (mailbox, kind) in typed.iter().filter(|(mailbox, _)| self.may_send(own, *mailbox)) {
            sent(*mailbox, kind.as_ref(), to);
        }
        let is_typed = |mailbox: &MailboxId| typed.iter().any(|(typed, _)| typed == mailbox);
        for mailbox in future.sends.each().filter(|mailbox| !is_typed(mailbox)) {
            if self.may_send(own, mailbox) {
                sent(mailbox, None, to);
            }
        }
        if let Reach::All = future.sends {
            let of_any_type = [None];
            let kinds = if future.sent.elsewhere.is_empty() {
                &of_any_type[..]
            } else {
                &future.sent.elsewhere[..]
            };
            let is_port = |port: &MailboxId| {
                self.state.mailboxes[port.index()].spec.kind == MailboxKind::Port
            };
            let ports = (0..self.state.mailboxes.len()).map(MailboxId::at).filter(is_port);
            let ports: Vec<MailboxId> = ports.filter(|port| self.may_send(own, *port)).collect();
            for kind in kinds {
                for port in &ports {
                    sent(*port, kind.as_ref(), to);
                }
                to.push(Condition::SentAnywhere);
                to.extend(self.wanting(kind.as_ref()).map(Condition::SentAnywhereOf));
            }
        }
        for kind in &future.sends_to_processes {
            to.push(Condition::SentBy(own));
            let wanting = self.wanting(kind.as_ref());
            to.extend(wanting.map(|number| Condition::SentByOf(own, number)));
        }
    }

    /// A message of this type comes to a mailbox; where the type is not known, of any.
    fn told(&self, mailbox: MailboxId, kind: Option<&Value>, to: &mut Vec<Condition>) {
        to.push(Condition::Sent(mailbox));
        to.extend(self.wanting(kind).map(|number| Condition::SentOf(mailbox, number)));
    }

    /// The numbers of the types with which somebody would get a message of this type.
    fn wanting(&self, offered: Option<&Value>) -> impl Iterator<Item = u32> {
        let fits = move |wanted: &Value| offered.is_none_or(|it| is_wanted_type(wanted, it));
        numbers(&self.kinds, fits)
    }

    /// The numbers of the types that a receive of this type would take.
    fn offered(&self, wanted: Option<&Value>) -> impl Iterator<Item = u32> {
        let fits = move |offered: &Value| wanted.is_none_or(|it| is_wanted_type(it, offered));
        numbers(&self.kinds, fits)
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
        for (mailbox, kind) in &future.taken.there {
            let offered = self.offered(kind.as_ref());
            to.extend(offered.map(|number| Condition::TakenOf(*mailbox, number)));
        }
        for kind in &future.taken.elsewhere {
            to.extend(self.offered(kind.as_ref()).map(Condition::TakenAnywhereOf));
        }
        if !future.receives.is_nothing() || !future.destroys.is_nothing() {
            to.push(Condition::MemoryFreed);
        }
    }
}

/// The places of the types that fit.
fn numbers(kinds: &[Value], fits: impl Fn(&Value) -> bool) -> impl Iterator<Item = u32> {
    (0..).zip(kinds).filter(move |(_, kind)| fits(kind)).map(|(number, _)| number)
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
