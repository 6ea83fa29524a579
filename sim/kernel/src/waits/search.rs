//! Who can still be helped by a thread that moves; all others are stuck.

use std::collections::{BTreeMap, BTreeSet};

use ipcsim_program::{Command, Effect, MailboxId, Message, ProcessId, Receive, ThreadId, Value};

use super::condition::{Condition, Waiters};
use super::future::{Ahead, Commanded, Detail, Future, Reach, Scratch};
use super::{Hope, may_send};
use crate::machine::{Level, Machine};
use crate::object::filter::is_wanted_type;
use crate::object::port::{Controlled, Receiver};
use crate::object::room::Room;
use crate::state::{BlockedOn, Life, Look, Sources, State, ThreadState};

/// The search for threads that can still be helped.
pub(super) struct Search<'a> {
    machine: &'a Machine,
    state: &'a State,
    scratch: Scratch,
    hope: Hope,
    waiters: Waiters,
    pub(super) helped: Vec<bool>,
    ends: Vec<bool>,
    open: Vec<ThreadId>,
    /// Conditions that a thread which can move could fulfil.
    possible: Possible,
    /// The ports that anybody could get a right to: somebody who can move could pass one on, or one is on
    /// its way.
    spread: BTreeSet<MailboxId>,
    /// The threads that wait for messages of a type, or of one of several.
    receivers_with_a_type: BTreeMap<ThreadId, &'a Value>,
    /// How many living threads of each process are not known to be able to reach their end.
    unending: Vec<u32>,
}

impl<'a> Search<'a> {
    pub(super) fn new(machine: &'a Machine, state: &'a State, hope: Hope) -> Self {
        let unending = state.processes.iter().map(|process| match process.life {
            Life::Unborn | Life::NotStarted => process.declared_threads,
            Life::Running | Life::Ended(_) => process.alive_threads,
        });
        let receivers_with_a_type = receivers_with_a_type(machine, state);
        let asks_for_types = !receivers_with_a_type.is_empty();
        let detail = if asks_for_types { Detail::Types } else { Detail::Objects };
        Self {
            machine,
            state,
            scratch: Scratch::new(machine, detail),
            hope,
            waiters: Waiters::new(state),
            helped: vec![false; state.threads.len()],
            ends: vec![false; state.threads.len()],
            open: Vec::new(),
            possible: Possible::new(state.mailboxes.len()),
            spread: on_their_way(state),
            receivers_with_a_type,
            unending: unending.collect(),
        }
    }

    /// Whether a process could get to send to a mailbox, as far as rights go.
    fn may_send(&self, process: ProcessId, mailbox: MailboxId) -> bool {
        self.state.mailboxes[mailbox.index()].port().is_none()
            || self.spread.contains(&mailbox)
            || may_send(self.machine, self.state, process, mailbox)
    }

    /// A process could pass its rights on.
    fn pass_rights(&mut self, process: ProcessId) {
        let rights = &self.state.processes[process.index()].rights;
        for port in rights.received().chain(rights.sent_to().map(|(port, _)| port)) {
            if self.spread.insert(port) {
                self.could_happen(Condition::Sent(port));
            }
        }
    }

    pub(super) fn help(&mut self, t: ThreadId) {
        if self.state.threads[t.index()].state.is_ended() {
            return;
        }
        if !std::mem::replace(&mut self.helped[t.index()], true) {
            self.open.push(t);
        }
    }

    pub(super) fn run(&mut self) {
        // Whoever moves may use a send-once right, or cause a notice.
        if !self.open.is_empty() {
            for port in (0..self.state.mailboxes.len()).map(MailboxId::at) {
                let object = self.state.mailboxes[port.index()].port();
                if object.is_some_and(|object| !object.once.is_empty()) {
                    self.could_happen(Condition::Sent(port));
                }
            }
        }
        while let Some(t) = self.open.pop() {
            let future = self.scratch.future(self.machine, self.state, t, Ahead::Here);
            let process = self.state.threads[t.index()].process;
            for condition in self.brought_about(t, &future) {
                self.could_happen(condition);
            }
            self.help_by_type(process, &future);
            self.leave(t);
            if future.passes_rights {
                self.pass_rights(process);
            }
            if future.ends {
                self.could_end(t);
            }
            if future.exits || (future.fails && self.hope != Hope::NotInExceptions) {
                self.could_happen(Condition::ProcessKilled(process));
            }
            for Commanded { command, whom, needs } in &future.commands {
                if needs.is_none_or(|port| self.may_send(process, port)) {
                    self.could_command(*command, *whom);
                }
            }
        }
    }

    /// A thread could reach its end; the process ends with its last thread.
    fn could_end(&mut self, t: ThreadId) {
        let thread = &self.state.threads[t.index()];
        if thread.state.is_ended() || std::mem::replace(&mut self.ends[t.index()], true) {
            return;
        }
        let process = thread.process;
        self.unending[process.index()] -= 1;
        self.settle_joins(process);
        if self.unending[process.index()] == 0 {
            self.could_happen(Condition::ProcessEnds(process));
        }
    }

    fn could_command(&mut self, command: Command, whom: Controlled) {
        let threads: Vec<ThreadId> = match whom {
            Controlled::Process(process) => self.state.threads_of(process).collect(),
            Controlled::Thread(t) => vec![t],
        };
        match (command, whom) {
            (Command::Suspend, _) => {}
            (Command::Resume, _) => {
                let resumed = threads.into_iter().map(Condition::ThreadResumed);
                resumed.for_each(|condition| self.could_happen(condition));
            }
            (Command::Interrupt, _) => {
                let interrupted = threads.into_iter().map(Condition::ThreadInterrupted);
                interrupted.for_each(|condition| self.could_happen(condition));
            }
            (Command::Kill, Controlled::Process(process)) => {
                self.could_happen(Condition::ProcessKilled(process));
            }
            (Command::Kill, Controlled::Thread(t)) => {
                self.could_happen(Condition::ThreadKilled(t));
                self.could_end(t);
            }
        }
    }

    fn could_happen(&mut self, condition: Condition) {
        // A join waits for all its threads and is handled separately.
        if matches!(condition, Condition::ThreadEnds(_))
            || self.waiters.are_surely_none(self.state, condition)
            || !self.possible.insert(condition)
        {
            return;
        }
        for waiting in self.waiters.of(self.state, condition) {
            self.help(waiting);
        }
    }

    /// The types of what a thread sends to a mailbox, if they are known and it causes nothing else to come there.
    fn sends_by_type<'f>(&self, future: &'f Future, to: MailboxId) -> Option<Vec<&'f Value>> {
        let other = [&future.lets_answer, &future.asks_for_notices];
        let only_sends = !other.iter().any(|reach| reach.each().any(|mailbox| mailbox == to));
        // A message to the port of a process or thread is a command to it.
        let is_heard = !matches!(self.state.receiver_of(to), Receiver::Kernel(_));
        future.sent.all_at(to).filter(|_| only_sends && is_heard)
    }

    /// A message of a known type helps nobody who waits for another type.
    fn help_by_type(&mut self, process: ProcessId, future: &Future) {
        if self.receivers_with_a_type.is_empty() {
            return;
        }
        let mailboxes: BTreeSet<MailboxId> =
            future.sent.there.iter().map(|(mailbox, _)| *mailbox).collect();
        for mailbox in mailboxes {
            if self.possible.contains(Condition::Sent(mailbox)) || !self.may_send(process, mailbox)
            {
                continue;
            }
            let Some(kinds) = self.sends_by_type(future, mailbox) else { continue };
            for waiting in self.waiters.of(self.state, Condition::Sent(mailbox)) {
                let wanted = self.receivers_with_a_type.get(&waiting);
                if wanted.is_none_or(|it| kinds.iter().any(|kind| is_wanted_type(it, kind))) {
                    self.help(waiting);
                }
            }
        }
    }

    fn settle_joins(&mut self, process: ProcessId) {
        for joiner in &self.state.processes[process.index()].joiners {
            let Some(BlockedOn::Join(awaited)) = self.state.waits_for(*joiner) else { continue };
            let can_end = |t: &ThreadId| {
                self.ends[t.index()] || self.state.threads[t.index()].state.is_ended()
            };
            if awaited.iter().all(can_end) {
                self.help(*joiner);
            }
        }
    }

    /// What a thread could still fulfil, except the end of its process.
    fn brought_about(&self, t: ThreadId, future: &Future) -> Vec<Condition> {
        let own = self.state.threads[t.index()].process;
        let mut conditions = Vec::new();
        self.sends(own, future, &mut conditions);
        future.receives.tell(Condition::Taken, Condition::TakenAnywhere, &mut conditions);
        future.destroys.tell(Condition::Destroyed, Condition::Anything, &mut conditions);
        let helps = |command: &Command| *command != Command::Suspend;
        if future.commands_to_anybody.iter().any(helps) {
            conditions.push(Condition::Anything);
        }
        // A port that goes into a message to itself is destroyed with all that it holds.
        let destroys_nothing = matches!(&future.destroys, Reach::Some(items) if items.is_empty());
        if future.frees_memory || !destroys_nothing {
            conditions.push(Condition::MemoryFreed);
        }
        conditions.extend(future.spawns.iter().map(|(child, _)| Condition::Spawned(*child)));
        // A handler gets the exception, whoever has rights to its port.
        if future.fails || self.state.threads[t.index()].raised().is_some() {
            let thread = &self.state.threads[t.index()];
            let ports = [Level::Thread, Level::Process].into_iter();
            let ports =
                ports.filter_map(|level| self.machine.exception_port(thread.called(), level));
            conditions.extend(ports.map(Condition::Sent));
        }
        // Whoever takes a request may answer it, or may end, and then the caller is told as well.
        future.receives.tell(Condition::AnsweredAt, Condition::AnsweredAnywhere, &mut conditions);
        if future.replies {
            conditions.push(Condition::RepliedBy(own));
            conditions.extend(self.answers_once(own));
        }
        if future.ends {
            conditions.push(Condition::ThreadEnds(t));
        }
        conditions
    }

    /// Where it could send to, or let others send to.
    fn sends(&self, own: ProcessId, future: &Future, to: &mut Vec<Condition>) {
        let sends = [&future.sends, &future.lets_answer, &future.asks_for_notices];
        if sends.iter().any(|reach| matches!(reach, Reach::All)) {
            to.push(Condition::SentAnywhere);
            let ports = (0..self.state.mailboxes.len()).map(MailboxId::at);
            let ports = ports.filter(|port| {
                let mailbox = &self.state.mailboxes[port.index()];
                mailbox.port().is_some()
                    && self.may_send(own, *port)
                    && !self.machine.name_servers.contains_key(port)
            });
            to.extend(ports.map(Condition::Sent));
            if future.inquires {
                let port = self.machine.family_of(own).names;
                to.extend(port.map(Condition::Sent));
            }
        }
        let reached = sends.iter().flat_map(|reach| reach.each());
        let reached = reached.filter(|mailbox| self.may_send(own, *mailbox));
        let by_type = |mailbox: MailboxId| {
            !self.receivers_with_a_type.is_empty() && self.sends_by_type(future, mailbox).is_some()
        };
        to.extend(reached.filter(|mailbox| !by_type(*mailbox)).map(Condition::Sent));
        if !future.sends_to_processes.is_empty() {
            to.push(Condition::SentBy(own));
        }
    }

    /// An answer may go by a send-once right.
    fn answers_once(&self, process: ProcessId) -> impl Iterator<Item = Condition> + 'a {
        let once = &self.state.processes[process.index()].rights.once;
        once.iter().map(|once| Condition::Sent(once.port))
    }

    /// What the wait itself causes when it ends: a sender that gives up, or is killed, lets in others that
    /// only it keeps out; a woken thread passes on what it does not use.
    ///
    /// This does not help anybody who has no room now: whoever is stuck stays stuck when others queue up
    /// and give up again.
    fn leave(&mut self, t: ThreadId) {
        let state = self.state;
        let thread = &state.threads[t.index()];
        match thread.state.underneath() {
            ThreadState::LookingAgain { at: Look::Receive(Sources::Anyone), .. } => {
                let links = state.processes[thread.process.index()].inbox.links();
                links.for_each(|link| self.could_happen(Condition::Sent(link)));
            }
            ThreadState::LookingAgain { at: Look::Receive(sources), .. } => {
                for mailbox in sources.listed() {
                    self.could_happen(Condition::Sent(*mailbox));
                }
            }
            ThreadState::LookingAgain {
                at: Look::Send(message) | Look::SendFromMemoryQueue(message),
                ..
            } => {
                self.could_happen(Condition::Taken(message.mailbox));
                self.could_happen(Condition::MemoryFreed);
            }
            ThreadState::Blocked { on: BlockedOn::Send(mailbox), .. } => {
                let mailbox = &state.mailboxes[mailbox.index()];
                let has_room = |other: &Message| mailbox.room(other.size) == Room::Free;
                for place in mailbox.senders_with(has_room) {
                    self.help(mailbox.senders[place].0);
                }
            }
            ThreadState::Blocked { on: BlockedOn::Memory(_), .. } => {
                for (waiter, other) in &state.memory.waiting {
                    if state.memory.room(other.size) == Room::Free {
                        self.help(*waiter);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The conditions that were found to be possible. The frequent ones are marks at their mailboxes.
struct Possible {
    at: Vec<u8>,
    others: BTreeSet<Condition>,
}

impl Possible {
    fn new(mailboxes: usize) -> Self {
        Self { at: vec![0; mailboxes], others: BTreeSet::new() }
    }

    /// The mailbox and the mark of a frequent condition.
    fn mark(condition: Condition) -> Option<(MailboxId, u8)> {
        match condition {
            Condition::Sent(mailbox) => Some((mailbox, 1)),
            Condition::Taken(mailbox) => Some((mailbox, 2)),
            Condition::AnsweredAt(mailbox) => Some((mailbox, 4)),
            _ => None,
        }
    }

    fn contains(&self, condition: Condition) -> bool {
        match Self::mark(condition) {
            Some((mailbox, mark)) => self.at[mailbox.index()] & mark != 0,
            None => self.others.contains(&condition),
        }
    }

    /// Returns whether it is new.
    fn insert(&mut self, condition: Condition) -> bool {
        let Some((mailbox, mark)) = Self::mark(condition) else {
            return self.others.insert(condition);
        };
        let at = &mut self.at[mailbox.index()];
        let is_new = *at & mark == 0;
        *at |= mark;
        is_new
    }
}

fn receivers_with_a_type<'a>(machine: &Machine, state: &'a State) -> BTreeMap<ThreadId, &'a Value> {
    if !machine.any_call(|it| matches!(it, Effect::Receives(Receive { kind: Some(_), .. }))) {
        return BTreeMap::new();
    }
    let wanted = |t: ThreadId| match state.waits_for(t) {
        Some(BlockedOn::Receive { filter: Some(filter), .. }) => Some((t, filter.kind.as_ref()?)),
        _ => None,
    };
    (0..state.threads.len()).map(ThreadId::at).filter_map(wanted).collect()
}

/// The ports to which a right is on its way in a message.
pub(super) fn on_their_way(state: &State) -> BTreeSet<MailboxId> {
    let mut ports = BTreeSet::new();
    if state.mailboxes.iter().all(|mailbox| mailbox.port().is_none()) {
        return ports;
    }
    ports.extend(state.messages().flat_map(|message| message.carried()).map(|it| it.port));
    ports
}
