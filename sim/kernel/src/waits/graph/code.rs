//! Which conditions the code ahead of a thread could fulfil.

use std::collections::BTreeSet;

use ipcsim_program::{Command, Handle, MailboxId, ProcessId, ReplyRight, ThreadId, Value};

use super::Arrows;
use crate::machine::Level;
use crate::object::filter::is_wanted_type;
use crate::object::port::{Controlled, Receiver};
use crate::state::{BlockedOn, Holder};
use crate::waits::condition::Condition;
use crate::waits::future::{Commanded, Future, Reach};

impl Arrows<'_> {
    /// What the code ahead of a thread could fulfil; and what the code of its children, and of theirs, could: it
    /// does that by creating them.
    pub(super) fn brought_about(&self, t: ThreadId) -> [Vec<Condition>; 2] {
        let (mut by_itself, mut by_children) = (Vec::new(), Vec::new());
        self.of_its_code(t, &mut by_itself);
        let mut made: BTreeSet<ProcessId> = BTreeSet::new();
        let mut makers = vec![t];
        while let Some(maker) = makers.pop() {
            let children = self.futures[&maker].spawns.iter().map(|(child, _)| *child);
            for child in children.filter(|child| made.insert(*child)) {
                for thread in self.state.threads_of(child) {
                    self.of_its_code(thread, &mut by_children);
                    makers.push(thread);
                }
            }
        }
        [by_itself, by_children]
    }

    fn of_its_code(&self, t: ThreadId, to: &mut Vec<Condition>) {
        let state = self.state;
        let own = state.threads[t.index()].process;
        let future = &self.futures[&t];
        // What it waits to send arrives when its wait is over.
        if let Some(message) = self.sending.get(&t)
            && !self.machine.name_servers.contains_key(&message.mailbox)
        {
            self.told(message.mailbox, Some(message.kind()), to);
        }
        self.sends(own, future, to);
        self.receives(future, to);
        future.destroys.tell(Condition::Destroyed, Condition::Anything, to);
        for Commanded { command, whom, needs } in &future.commands {
            if needs.is_none_or(|port| self.may_send(own, port)) {
                self.commands(*command, *whom, to);
            }
        }
        if future.commands_to_anybody.iter().any(|command| *command != Command::Suspend) {
            to.push(Condition::Anything);
        }
        if future.ends {
            to.push(Condition::ThreadEnds(t));
        }
        if (future.ends && self.ending.contains(&own)) || future.exits {
            to.push(Condition::ProcessEnds(own));
        }
        let once_rights = &state.processes[own.index()].rights.once;
        for right in &self.answers[&t] {
            match right {
                Handle::Reply(right) if self.waits_for_answer(*right, own) => {
                    to.push(Condition::RepliedTo(right.caller));
                }
                Handle::Once(once) if once_rights.contains(once) => {
                    self.told(once.port, Some(&Value::None), to);
                }
                _ => {}
            }
        }
        // The message that it answers may be the one in which the receiver there has sent such a right.
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
            let ports =
                ports.filter_map(|level| self.machine.exception_port(thread.called(), level));
            ports.for_each(|port| self.told(port, None, to));
        }
    }

    fn commands(&self, command: Command, whom: Controlled, to: &mut Vec<Condition>) {
        let state = self.state;
        let (process, threads) = match whom {
            Controlled::Process(process) => (process, state.threads_of(process).collect()),
            Controlled::Thread(t) => (state.threads[t.index()].process, vec![t]),
        };
        let all = threads.iter().copied();
        match command {
            Command::Suspend => {}
            Command::Resume => to.extend(all.map(Condition::ThreadResumed)),
            Command::Interrupt => to.extend(all.map(Condition::ThreadInterrupted)),
            Command::Kill => {
                to.extend(all.flat_map(|t| [Condition::ThreadKilled(t), Condition::ThreadEnds(t)]));
                // The process ends with its last thread.
                let is_living = |t: &ThreadId| !state.threads[t.index()].state.is_ended();
                if state.threads_of(process).filter(is_living).all(|t| threads.contains(&t)) {
                    to.push(Condition::ProcessEnds(process));
                }
            }
        }
    }

    fn waits_for_answer(&self, asked: ReplyRight, by: ProcessId) -> bool {
        matches!(self.state.waits_for(asked.caller),
            Some(BlockedOn::Reply { right, holder: Holder::Taken(process) })
                if *right == asked && *process == by)
    }

    fn sends(&self, own: ProcessId, future: &Future, to: &mut Vec<Condition>) {
        let sent = |port: MailboxId, kind: Option<&Value>, to: &mut Vec<Condition>| {
            // Only a thread that registers a name makes a name server answer others.
            if self.machine.name_servers.contains_key(&port) && !future.registers {
                return;
            }
            self.told(port, kind, to);
        };
        let typed = &future.sent.there;
        for (mailbox, kind) in typed.iter().filter(|(mailbox, _)| self.may_send(own, *mailbox)) {
            sent(*mailbox, kind.as_ref(), to);
        }
        if let Reach::All = future.sends {
            let is_port = |port: &MailboxId| self.state.mailboxes[port.index()].port().is_some();
            let ports = (0..self.state.mailboxes.len()).map(MailboxId::at).filter(is_port);
            let ports: Vec<MailboxId> = ports.filter(|port| self.may_send(own, *port)).collect();
            for kind in &future.sent.elsewhere {
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

    /// A message of this type reaches a mailbox; if the type is not known, a message of any type.
    fn told(&self, mailbox: MailboxId, kind: Option<&Value>, to: &mut Vec<Condition>) {
        to.push(Condition::Sent(mailbox));
        to.extend(self.wanting(kind).map(|number| Condition::SentOf(mailbox, number)));
    }

    /// The numbers of the types that a message of this type satisfies.
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
        future.receives.tell(Condition::Taken, Condition::TakenAnywhere, to);
        future.limits.tell(Condition::LimitSet, Condition::Anything, to);
        // Whoever takes a request answers it, or ends.
        let goes_on = future.replies || future.ends || future.exits;
        for (mailbox, kind) in &future.taken.there {
            for number in self.offered(kind.as_ref()) {
                to.push(Condition::TakenOf(*mailbox, number));
                to.extend(goes_on.then_some(Condition::AnsweredOf(*mailbox, number)));
            }
        }
        for kind in &future.taken.elsewhere {
            for number in self.offered(kind.as_ref()) {
                to.push(Condition::TakenAnywhereOf(number));
                to.extend(goes_on.then_some(Condition::AnsweredAnywhereOf(number)));
            }
        }
        if future.frees_memory {
            to.push(Condition::MemoryFreed);
        }
    }
}

/// The places of the types that fit.
fn numbers(kinds: &[Value], fits: impl Fn(&Value) -> bool) -> impl Iterator<Item = u32> {
    (0..).zip(kinds).filter(move |(_, kind)| fits(kind)).map(|(number, _)| number)
}
