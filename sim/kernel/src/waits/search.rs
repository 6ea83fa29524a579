//! Who can still be helped by a thread that moves; all others are stuck.

use std::collections::BTreeSet;

use ipcsim_program::{MailboxId, Message, ProcessId, ThreadId};

use super::awaited::{Awaited, Others, wanted_type};
use super::condition::{Condition, Place, Type, Types};
use super::future::{Ahead, Deed, Future, Scratch};
use super::{Hope, may_send, moves_by_itself};
use crate::machine::Machine;
use crate::object::port::{Controlled, Port, Receiver};
use crate::object::room::Room;
use crate::state::{BlockedOn, Life, Look, Sources, State, ThreadState};

/// The search for threads that can still be helped.
pub(super) struct Search<'a> {
    machine: &'a Machine,
    state: &'a State,
    types: Types<'a>,
    scratch: Scratch,
    hope: Hope,
    /// Who waits for which conditions, in the order of the conditions.
    waiting: Vec<(Condition, ThreadId)>,
    /// For the first thread that waits for a condition: whether it was found to be possible.
    possible: Vec<bool>,
    prospects: Vec<Prospect>,
    open: Vec<ThreadId>,
    /// The ports that anybody could get a right to: somebody who can move could pass one on, or one is on
    /// its way.
    spread: BTreeSet<MailboxId>,
    /// The ports for which the kernel keeps messages until there is room.
    keeping: Vec<MailboxId>,
    /// How many living threads of each process are not known to be able to reach their end.
    unending: Vec<u32>,
}

/// What a thread can still do, as far as was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prospect {
    /// Nothing.
    Waits,
    /// It moves.
    Moves,
    /// It moves, and reaches its end.
    Ends,
}

impl<'a> Search<'a> {
    /// Begins with the threads that move by themselves.
    pub(super) fn new(machine: &'a Machine, state: &'a State, hope: Hope) -> Self {
        let unending = state.processes.iter().map(|process| match process.life {
            Life::Unborn | Life::NotStarted => process.declared_threads,
            Life::Running | Life::Ended(_) => process.alive_threads,
        });
        let mut search = Self {
            machine,
            state,
            types: wanted_types(machine, state),
            scratch: Scratch::new(machine),
            hope,
            waiting: Vec::new(),
            possible: Vec::new(),
            prospects: vec![Prospect::Waits; state.threads.len()],
            open: Vec::new(),
            spread: on_their_way(state),
            keeping: keeping(state).collect(),
            unending: unending.collect(),
        };
        let awaited = Awaited { state, types: &search.types, others: Others::Move };
        for t in (0..state.threads.len()).map(ThreadId::at) {
            let thread = &state.threads[t.index()];
            if moves_by_itself(state, thread, hope) {
                search.prospects[t.index()] = Prospect::Moves;
                search.open.push(t);
            } else if !thread.state.is_ended() {
                awaited.by(t, &mut |condition| search.waiting.push((condition, t)));
            }
        }
        search.waiting.sort_unstable();
        search.possible = vec![false; search.waiting.len()];
        search
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
                self.sent(port);
            }
        }
    }

    fn help(&mut self, t: ThreadId) {
        let prospects = &mut self.prospects[t.index()];
        if *prospects == Prospect::Waits && !self.state.threads[t.index()].state.is_ended() {
            *prospects = Prospect::Moves;
            self.open.push(t);
        }
    }

    /// Whether nobody was found who could help a thread.
    pub(super) fn waits_for_ever(&self, t: ThreadId) -> bool {
        self.prospects[t.index()] == Prospect::Waits
    }

    /// Goes on until nobody else can be helped; if only one thread matters, until that one can.
    pub(super) fn run(&mut self, matters: Option<ThreadId>) {
        // Whoever moves may use a send-once right, or cause a notice.
        if !self.open.is_empty() {
            for (id, _) in ports(self.state).filter(|(_, port)| !port.once.is_empty()) {
                self.sent(id);
            }
        }
        while let Some(t) = self.open.pop()
            && matters.is_none_or(|t| self.waits_for_ever(t))
        {
            let future =
                self.scratch.future(self.machine, (self.state, t), &self.types, Ahead::Here);
            self.moves(t, &future);
        }
    }

    /// A thread goes on, and may do all that is ahead of it.
    fn moves(&mut self, t: ThreadId, future: &Future) {
        let thread = &self.state.threads[t.index()];
        let own = thread.process;
        // Others may send where it lets them, and so may the kernel.
        let all = [&future.fulfils, &future.lets_answer, &future.asks_for_notices];
        for (condition, needs) in all.into_iter().flatten() {
            if needs.is_none_or(|port| self.may_send(own, port)) {
                self.could_happen(*condition);
            }
            if let Condition::Sent(Place::Anywhere, kind) = condition {
                self.could_reach_ports(own, *kind, future);
            }
        }
        for (child, _) in &future.spawns {
            self.could_happen(Condition::Spawned(*child));
        }
        // A handler gets the exception, whoever has rights to its port.
        if future.could(Deed::Fails) || thread.raised().is_some() {
            self.machine.handlers_of(thread.called()).for_each(|port| self.sent(port));
        }
        if future.could(Deed::Replies) {
            self.could_happen(Condition::RepliedBy(own));
            // An answer may go by a send-once right.
            let once = &self.state.processes[own.index()].rights.once;
            for once in once {
                self.sent(once.port);
            }
        }
        self.leave(t);
        if future.could(Deed::PassesRights) {
            self.pass_rights(own);
        }
        if future.could(Deed::Ends) {
            self.could_end(t);
        }
        let fails = future.could(Deed::Fails) && self.hope != Hope::NotInExceptions;
        if fails || future.could(Deed::Exits) {
            self.could_be_killed(own);
        }
    }

    /// A message to an object that is known only at run time could go to each port that its process may send to. A
    /// name server is asked by inquiries alone.
    fn could_reach_ports(&mut self, own: ProcessId, kind: Option<Type>, future: &Future) {
        let names = &self.machine.name_servers;
        let asked = self.machine.family_of(own).names.filter(|_| future.could(Deed::Inquires));
        for (port, _) in ports(self.state) {
            let is_reached = self.may_send(own, port) && !names.contains_key(&port);
            if is_reached || asked == Some(port) {
                self.could_happen(Condition::Sent(Place::At(port), kind));
            }
        }
    }

    /// A message comes there whose type is not known.
    fn sent(&mut self, to: MailboxId) {
        let mut conditions = Vec::new();
        self.types.sent(Place::At(to), None, &mut |condition| conditions.push(condition));
        for condition in conditions {
            self.could_happen(condition);
        }
    }

    fn could_happen(&mut self, condition: Condition) {
        match condition {
            // A join waits for all its threads.
            Condition::ThreadEnds(t) => return self.could_end(t),
            // A message to the port of a process or of its thread may end it.
            Condition::Sent(Place::At(port), _) => match self.state.receiver_of(port) {
                Receiver::Kernel(Controlled::Process(process)) => self.could_be_killed(process),
                Receiver::Kernel(Controlled::Thread(t)) => {
                    self.could_be_killed(self.state.threads[t.index()].process);
                }
                _ => {}
            },
            Condition::Taken(place, _) | Condition::Changed(place) => self.could_make_room(place),
            // What it holds goes with it.
            Condition::Destroyed(_) => self.could_happen(Condition::MessageGone),
            Condition::ProcessEnds(process) => {
                self.could_happen(Condition::MessageGone);
                for opened in self.state.processes[process.index()].descriptors.values() {
                    let closes = Condition::Closes(process, opened.object, opened.access);
                    self.could_happen(closes);
                }
            }
            _ => {}
        }
        let first = self.waiting.partition_point(|(it, _)| *it < condition);
        for place in first..self.waiting.len() {
            let (it, t) = self.waiting[place];
            if it != condition || (place == first && self.possible[first]) {
                return;
            }
            self.possible[place] = true;
            self.help(t);
        }
    }

    /// Where there is room, what the kernel keeps comes in, without any thread that sends it.
    fn could_make_room(&mut self, at: Place) {
        for port in self.keeping.clone() {
            let is_there = [port, self.state.known_as(port)].map(Place::At).contains(&at);
            if is_there || at == Place::Anywhere {
                self.sent(port);
            }
        }
    }

    /// A process could be ended, and all its threads with it.
    fn could_be_killed(&mut self, process: ProcessId) {
        self.could_happen(Condition::ProcessEnds(process));
        self.state.threads_of(process).for_each(|t| self.could_end(t));
    }

    /// A thread could reach its end; the process ends with its last thread.
    fn could_end(&mut self, t: ThreadId) {
        self.help(t);
        let prospects = &mut self.prospects[t.index()];
        let before = std::mem::replace(prospects, Prospect::Ends);
        let thread = &self.state.threads[t.index()];
        if before == Prospect::Ends || thread.state.is_ended() {
            return;
        }
        let process = thread.process;
        self.unending[process.index()] -= 1;
        for joiner in &self.state.processes[process.index()].joiners {
            let Some(BlockedOn::Join(awaited)) = self.state.waits_for(*joiner) else { continue };
            let ends = |t: &ThreadId| {
                let has_ended = self.state.threads[t.index()].state.is_ended();
                has_ended || self.prospects[t.index()] == Prospect::Ends
            };
            if awaited.iter().all(ends) {
                self.help(*joiner);
            }
        }
        if self.unending[process.index()] == 0 {
            self.could_happen(Condition::ProcessEnds(process));
        }
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
                links.for_each(|link| self.sent(link));
            }
            ThreadState::LookingAgain { at: Look::Receive(sources), .. } => {
                for mailbox in sources.listed() {
                    self.sent(*mailbox);
                }
            }
            ThreadState::LookingAgain {
                at: Look::Send(message) | Look::SendFromMemoryQueue(message),
                ..
            } => {
                self.could_happen(Condition::Taken(Place::At(message.mailbox), None));
                self.could_happen(Condition::MessageGone);
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

fn ports(state: &State) -> impl Iterator<Item = (MailboxId, &Port)> {
    let all = (0..).map(MailboxId).zip(state.mailboxes.iter());
    all.filter_map(|(id, mailbox)| Some((id, mailbox.port()?)))
}

/// The ports for which the kernel keeps messages until there is room.
pub(super) fn keeping(state: &State) -> impl Iterator<Item = MailboxId> {
    ports(state).filter(|(_, port)| !port.held.is_empty()).map(|(id, _)| id)
}

/// The types that receivers wait for.
fn wanted_types<'a>(machine: &Machine, state: &'a State) -> Types<'a> {
    let mut types = Types::default();
    if machine.asks_for_types() {
        types.extend((0..state.threads.len()).filter_map(|t| {
            match state.waits_for(ThreadId::at(t))? {
                BlockedOn::Receive { filter, .. } => wanted_type(filter.as_deref()),
                _ => None,
            }
        }));
    }
    types
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
