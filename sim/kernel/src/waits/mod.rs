//! Who waits for whom, and who can never move again.
//!
//! A thread *can still be helped* if some thread that can move has code ahead of it that could end the
//! wait. Whoever is helped can move, and may help others. What is left over is **stuck**: no
//! continuation lets it move again. The words "could" and "code ahead" are taken generously: a
//! destination that is known only at run time counts as every object, a call that might fail counts
//! as one that does. So a thread that is called stuck is stuck; one that is not may be stuck all the
//! same, and an exploration finds it.
//!
//! | a wait | ends when somebody |
//! | --- | --- |
//! | SEND-blocked | receives from the mailbox, destroys it, or is the receiver of a link and ends |
//! | RECEIVE-blocked | sends there, destroys it, or is the sender of a link and ends |
//! | REPLY-blocked | takes the request and replies, or has it and ends |
//! | memory-blocked | receives anything that is stored, or ends |
//! | join | is one of the threads awaited, and all of those can end |
//! | suspended | resumes it |
//! | any | kills the process of the thread that waits, or interrupts it |
//!
//! A bounded wait ends by itself, and a process that has not started can still do all that its code
//! says.
//!
//! What could happen is a [`Condition`]. Threads wait for conditions, and threads bring conditions about;
//! going by way of them keeps everything linear, where an edge for each pair of threads would not be.

mod condition;
mod future;
mod graph;
mod local;
mod rest;

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{MailboxId, ProcessId, ThreadId};
use crate::machine::{Machine, MailboxKind};
use crate::message::Message;
use crate::object::mailbox::Room;
use crate::object::memory::Fit;
use crate::object::port::{Controlled, Receiver};
use crate::program::Command;
use crate::state::{
    BlockedOn, Bound, Holder, Level, Life, Look, Sources, State, Thread, ThreadState,
    is_wanted_type,
};
use crate::value::Value;
pub use condition::Condition;
use condition::Waiters;
pub use future::settled;
use future::{Ahead, Future, Reach, Scratch};
pub use graph::{WaitGraph, wait_graph};
pub use rest::{is_at_rest, rests_in_its_main_receive};

/// The threads that can never move again, in order. Daemons at rest are among them.
pub fn stuck(machine: &Machine, state: &State) -> Vec<ThreadId> {
    stuck_if(machine, state, Timeouts::End)
}

/// Whether bounded waits end by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timeouts {
    /// They do.
    End,
    /// What if they did not? A sleep ends all the same.
    Ignored,
}

fn stuck_if(machine: &Machine, state: &State, timeouts: Timeouts) -> Vec<ThreadId> {
    let waits = |thread: &Thread| {
        matches!(thread.state, ThreadState::Blocked { .. } | ThreadState::Suspended(_))
            && !moves_by_itself(state, thread, timeouts)
    };
    if !state.threads.iter().any(waits) {
        return Vec::new();
    }
    let mut search = Search::new(machine, state);
    for (index, thread) in state.threads.iter().enumerate() {
        if moves_by_itself(state, thread, timeouts) {
            search.help(ThreadId::at(index));
        }
    }
    search.run();
    (0..state.threads.len())
        .map(ThreadId::at)
        .filter(|t| waits(&state.threads[t.index()]) && !search.helped[t.index()])
        .collect()
}

/// Whether a thread does not wait, or its wait ends without anybody's help.
fn moves_by_itself(state: &State, thread: &Thread, timeouts: Timeouts) -> bool {
    match &thread.state {
        ThreadState::Ready | ThreadState::Raising(_) | ThreadState::LookingAgain { .. } => true,
        ThreadState::Blocked { on: BlockedOn::Sleep, .. } => true,
        // It is about to be told.
        ThreadState::Blocked { on: BlockedOn::Select(sources), .. } if is_ready(state, sources) => {
            true
        }
        ThreadState::Blocked { bound, .. } => *bound != Bound::Forever && timeouts == Timeouts::End,
        ThreadState::NotStarted => state.processes[thread.process.index()].life == Life::NotStarted,
        ThreadState::Suspended(_) | ThreadState::Ended => false,
    }
}

/// Whether a receive on one of these would not wait.
fn is_ready(state: &State, sources: &Sources) -> bool {
    let has_something = |source: &MailboxId| {
        let object = &state.mailboxes[source.index()];
        let members = object.set().into_iter().flat_map(|set| &set.members);
        object.has_something()
            || members.copied().any(|member| state.mailboxes[member.index()].has_something())
    };
    sources.listed().iter().any(has_something)
}

/// The circle of waits that a thread is in, if nothing but a timeout can open it: a deadlock that a
/// bounded wait hides. Empty if there is none.
pub fn circle_of(machine: &Machine, state: &State, t: ThreadId) -> Vec<ThreadId> {
    let stuck = stuck_if(machine, state, Timeouts::Ignored);
    if stuck.binary_search(&t).is_err() {
        return Vec::new();
    }
    let looked_at: Vec<ThreadId> =
        stuck.into_iter().filter(|t| !rests_in_its_main_receive(machine, state, *t)).collect();
    let graph = wait_graph(machine, state, &looked_at);
    let reaches = |from: ThreadId| graph.reached_from(state, from);
    let from_here = reaches(t);
    if !from_here[t.index()] {
        return Vec::new();
    }
    looked_at
        .into_iter()
        .filter(|other| from_here[other.index()] && reaches(*other)[t.index()])
        .collect()
}

/// Whether a thread that has just begun to wait closes a circle of waits that nobody can open.
pub fn closes_a_circle(machine: &Machine, state: &State, t: ThreadId) -> bool {
    let stuck = stuck(machine, state);
    stuck.binary_search(&t).is_ok() && is_on_a_circle(machine, state, &stuck, t)
}

/// Whether a thread is on a circle of waits in which not everybody is a daemon at rest.
fn is_on_a_circle(machine: &Machine, state: &State, stuck: &[ThreadId], t: ThreadId) -> bool {
    let graph = wait_graph(machine, state, stuck);
    let reached = graph.reached_from(state, t);
    let leads_back =
        |other: ThreadId| reached[other.index()] && graph.reached_from(state, other)[t.index()];
    reached[t.index()]
        && stuck.iter().any(|other| !is_at_rest(machine, state, *other) && leads_back(*other))
}

/// Whether a chain of processes, each of which waits for one other to send, to receive or to answer, leads
/// from a thread back to its own process. Whoever receives from several is at no chain's end but his own.
pub fn closes_a_chain(state: &State, t: ThreadId) -> bool {
    let own = state.threads[t.index()].process;
    let mut at = awaited_process(state, t);
    // Who waits for himself only waits for ever.
    if at == Some(own) {
        return false;
    }
    for _ in 0..state.processes.len() {
        match at {
            None => return false,
            Some(process) if process == own => return true,
            Some(process) => {
                let mut threads = state.threads_of(process);
                let alive = threads.find(|t| !state.threads[t.index()].state.is_ended());
                at = alive.and_then(|t| awaited_process(state, t));
            }
        }
    }
    false
}

/// The one process that a thread waits for, over a link or for an answer.
fn awaited_process(state: &State, t: ThreadId) -> Option<ProcessId> {
    let ends = |mailbox: MailboxId| match state.mailboxes[mailbox.index()].spec.kind {
        MailboxKind::Link { from, to } => Some((from, to)),
        _ => None,
    };
    match state.waits_for(t)? {
        BlockedOn::Send(message) => ends(message.mailbox).map(|(_, to)| to),
        BlockedOn::Receive { sources, .. } => match sources.listed() {
            [link] => ends(*link).map(|(from, _)| from),
            _ => None,
        },
        BlockedOn::Reply { holder: Holder::Taken(process), .. } => Some(*process),
        BlockedOn::Reply { holder: Holder::Queued(link), .. } => ends(*link).map(|(_, to)| to),
        _ => None,
    }
}

/// The search for whoever can still be helped.
struct Search<'a> {
    machine: &'a Machine,
    state: &'a State,
    scratch: Scratch,
    waiters: Waiters,
    helped: Vec<bool>,
    ends: Vec<bool>,
    open: Vec<ThreadId>,
    /// Conditions that somebody who can move could bring about.
    possible: BTreeSet<Condition>,
    /// The ports that anybody could get a right to: somebody who can move could pass one on, or one is on
    /// its way.
    spread: BTreeSet<MailboxId>,
    /// The threads that wait for messages of a type, or of one of several.
    receivers_with_a_type: BTreeMap<ThreadId, &'a Value>,
    /// How many living threads of each process are not known to be able to come to their end.
    unending: Vec<u32>,
}

impl<'a> Search<'a> {
    fn new(machine: &'a Machine, state: &'a State) -> Self {
        let unending = state.processes.iter().map(|process| match process.life {
            Life::Unborn | Life::NotStarted => process.declared_threads,
            Life::Running | Life::Ended(_) => process.alive_threads,
        });
        Self {
            machine,
            state,
            scratch: Scratch::new(machine),
            waiters: Waiters::new(state),
            helped: vec![false; state.threads.len()],
            ends: vec![false; state.threads.len()],
            open: Vec::new(),
            possible: BTreeSet::new(),
            spread: on_their_way(state),
            receivers_with_a_type: receivers_with_a_type(state),
            unending: unending.collect(),
        }
    }

    /// Whether a process could come to send to a mailbox, as far as rights go.
    fn may_send(&self, process: ProcessId, mailbox: MailboxId) -> bool {
        self.state.mailboxes[mailbox.index()].spec.kind != MailboxKind::Port
            || self.spread.contains(&mailbox)
            || self.state.may_send(process, mailbox)
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

    fn help(&mut self, t: ThreadId) {
        if self.state.threads[t.index()].state.is_ended() {
            return;
        }
        if !std::mem::replace(&mut self.helped[t.index()], true) {
            self.open.push(t);
        }
    }

    fn run(&mut self) {
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
                self.ends[t.index()] = true;
                self.unending[process.index()] -= 1;
                self.settle_joins(process);
            }
            if future.fails {
                self.could_happen(Condition::ProcessKilled(process));
            }
            if self.unending[process.index()] == 0 {
                self.could_happen(Condition::ProcessEnds(process));
            }
        }
    }

    fn could_happen(&mut self, condition: Condition) {
        // A join waits for all its threads and is settled by itself.
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

    /// The types of what a thread sends to a mailbox, if they are known and nothing else comes there from it.
    fn sends_by_type<'f>(&self, future: &'f Future, to: MailboxId) -> Option<Vec<&'f Value>> {
        let other = [&future.lets_answer, &future.asks_for_notices];
        let only_sends = !other.iter().any(|reach| reach.each().any(|mailbox| mailbox == to));
        // What is said to a process or thread through its port is done to it.
        let is_heard = !matches!(self.state.receiver_of(to), Receiver::Kernel(_));
        future.sent.all_at(to).filter(|_| only_sends && is_heard)
    }

    /// Messages whose types are known help nobody who waits for another type.
    fn help_by_type(&mut self, process: ProcessId, future: &Future) {
        if self.receivers_with_a_type.is_empty() {
            return;
        }
        let mailboxes: BTreeSet<MailboxId> =
            future.sent.there.iter().map(|(mailbox, _)| *mailbox).collect();
        for mailbox in mailboxes {
            if self.possible.contains(&Condition::Sent(mailbox)) || !self.may_send(process, mailbox)
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

    /// What a thread could still bring about, but for the end of its process.
    fn brought_about(&self, t: ThreadId, future: &Future) -> Vec<Condition> {
        let own = self.state.threads[t.index()].process;
        let mut conditions = Vec::new();
        let sends = [&future.sends, &future.lets_answer, &future.asks_for_notices];
        if sends.iter().any(|reach| matches!(reach, Reach::All)) {
            conditions.push(Condition::SentAnywhere);
            let ports = (0..self.state.mailboxes.len()).map(MailboxId::at);
            let ports = ports.filter(|port| {
                let mailbox = &self.state.mailboxes[port.index()];
                mailbox.spec.kind == MailboxKind::Port
                    && self.may_send(own, *port)
                    && !self.machine.name_servers.contains_key(port)
            });
            conditions.extend(ports.map(Condition::Sent));
            if future.inquires {
                let port = self.machine.family_of(own).names;
                conditions.extend(port.map(Condition::Sent));
            }
        }
        let reached = sends.iter().flat_map(|reach| reach.each());
        let reached = reached.filter(|mailbox| self.may_send(own, *mailbox));
        let by_type = |mailbox: MailboxId| {
            !self.receivers_with_a_type.is_empty() && self.sends_by_type(future, mailbox).is_some()
        };
        conditions.extend(reached.filter(|mailbox| !by_type(*mailbox)).map(Condition::Sent));
        if !future.sends_to_processes.is_empty() {
            conditions.push(Condition::SentBy(own));
        }
        future.receives.tell(Condition::Taken, Condition::TakenAnywhere, &mut conditions);
        future.destroys.tell(Condition::Destroyed, Condition::Anything, &mut conditions);
        conditions.extend(future.commands.iter().filter_map(|(command, whom)| {
            let process = match whom {
                Controlled::Process(process) => *process,
                Controlled::Thread(t) => self.state.threads[t.index()].process,
            };
            match command {
                Command::Kill => Some(Condition::ProcessKilled(process)),
                Command::Resume | Command::Interrupt => Some(Condition::Controlled(process)),
                Command::Suspend => None,
            }
        }));
        let helps = |command: &Command| *command != Command::Suspend;
        if future.commands_to_anybody.iter().any(helps) {
            conditions.push(Condition::Anything);
        }
        // A port that goes into a message to itself is destroyed with all that it holds.
        let destroys_nothing = matches!(&future.destroys, Reach::Some(items) if items.is_empty());
        if future.frees_memory || !destroys_nothing {
            conditions.push(Condition::MemoryFreed);
        }
        future.spawns.tell(Condition::Spawned, Condition::Anything, &mut conditions);
        // A handler gets the exception, whoever has rights to its port.
        if future.fails || self.state.threads[t.index()].raised().is_some() {
            let thread = &self.state.threads[t.index()];
            let ports = [Level::Thread, Level::Process].into_iter();
            let ports = ports.filter_map(|level| self.machine.exception_port(thread, level));
            conditions.extend(ports.map(Condition::Sent));
        }
        // Whoever takes a request may answer it, or may end, which the caller is told as well.
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

    /// An answer may go by a send-once right.
    fn answers_once(&self, process: ProcessId) -> impl Iterator<Item = Condition> + 'a {
        let once = &self.state.processes[process.index()].rights.once;
        once.iter().map(|once| Condition::Sent(once.port))
    }

    /// What the wait itself still brings about when it ends: a sender that gives up, or is killed, lets
    /// in others whom only it keeps out; a thread that was woken passes on what it does not use.
    ///
    /// Nobody is helped who has no room now: whoever is stuck stays stuck when others queue up and give up
    /// again.
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
            ThreadState::Blocked { on: BlockedOn::Send(message), .. } => {
                let mailbox = &state.mailboxes[message.mailbox.index()];
                let has_room = |other: &Message| mailbox.room(other.size) == Room::Free;
                for place in mailbox.senders_with(has_room) {
                    self.help(mailbox.senders[place].0);
                }
            }
            ThreadState::Blocked { on: BlockedOn::Memory(_), .. } => {
                for (waiter, other) in &state.memory.waiting {
                    if state.memory.fit(other.size) == Fit::Now {
                        self.help(*waiter);
                    }
                }
            }
            _ => {}
        }
    }
}

fn receivers_with_a_type(state: &State) -> BTreeMap<ThreadId, &Value> {
    let wanted = |t: ThreadId| match state.waits_for(t) {
        Some(BlockedOn::Receive { filter: Some(filter), .. }) => Some((t, filter.kind.as_ref()?)),
        _ => None,
    };
    (0..state.threads.len()).map(ThreadId::at).filter_map(wanted).collect()
}

/// The ports that a right is on its way to somebody for, in a message.
fn on_their_way(state: &State) -> BTreeSet<MailboxId> {
    let mut ports = BTreeSet::new();
    if state.mailboxes.iter().all(|mailbox| mailbox.port().is_none()) {
        return ports;
    }
    for mailbox in &state.mailboxes {
        let messages = mailbox.all_messages();
        ports.extend(messages.flat_map(|message| message.carried()).map(|carried| carried.port));
    }
    let waiting = state.memory.waiting.iter().map(|(_, message)| message);
    ports.extend(waiting.flat_map(|message| message.carried()).map(|carried| carried.port));
    for thread in &state.threads {
        if let ThreadState::LookingAgain {
            at: Look::Send(message) | Look::SendFromMemoryQueue(message),
            ..
        } = thread.state.underneath()
        {
            ports.extend(message.carried().map(|carried| carried.port));
        }
    }
    ports
}
