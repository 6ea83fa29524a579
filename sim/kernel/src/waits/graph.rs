//! Who waits for whom, among threads that never move again.
//!
//! An arrow leads from t to u if the code ahead of u, as if u's own wait were over, holds an action that
//! would complete t's wait. One rule for every wait:
//!
//! | t is | an arrow leads to whoever has ahead of it |
//! | --- | --- |
//! | SEND-blocked | a receive that frees t's slot, or that takes t's message where nothing is stored; the end of the receiver |
//! | RECEIVE-blocked | a send or a notice that t would take, of the right type; the end of the senders, where t waits for nobody else |
//! | REPLY-blocked | a receive of the request and then a reply or an end; where it is taken, a reply to it, or the end of whoever has it |
//! | memory-blocked | a receive, which gives memory back |
//! | waiting for a notice | letting go of the right: `drop`, `destroy`, or the end of a holder |
//! | joining | its end |
//! | suspended | `resume` |
//! | any of these | killing t, from another thread; interrupting it, where it waits in a call |
//!
//! A wait that several threads could end has an arrow to each. A wait that needs all of several, such as the
//! ends of two senders or of two threads of a process, has an arrow to each that still must act, if all of them
//! can. What a thread does to itself completes no wait of its own, and neither does the end of its own process.
//!
//! The order in which threads stand in queues plays no part.

mod code;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};

use ipcsim_program::{
    Carried, Command, Effect, Expr, Handle, MailboxId, Message, Once, Op, ProcessId, Right,
    ThreadId, Value,
};

use super::condition::Condition;
use super::future::{Ahead, Detail, Future, Reach, Scratch};
use super::may_send;
use super::search::on_their_way;
use crate::machine::Machine;
use crate::object::port::Controlled;
use crate::state::{BlockedOn, Holder, State};

/// Who waits for what, and who could fulfil it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitGraph {
    /// Threads that wait, and what they wait for.
    pub waiting: Vec<(ThreadId, Condition)>,
    /// Conditions, and the threads that could fulfil them.
    pub could: Vec<(Condition, ThreadId)>,
}

impl WaitGraph {
    /// A thread that waits for what it could do to itself waits only for the others that could do it.
    fn leave_out(&mut self, to_oneself: &BTreeSet<(ThreadId, Condition)>) {
        let could = &self.could;
        let (own, mut waiting): (Vec<_>, Vec<_>) =
            self.waiting.iter().copied().partition(|wait| to_oneself.contains(wait));
        let mut alone = Vec::new();
        for (t, condition) in own {
            let first = could.partition_point(|(it, _)| *it < condition);
            let who = could[first..].iter().take_while(|(it, _)| *it == condition);
            for (_, other) in who.filter(|(_, other)| *other != t) {
                waiting.push((t, Condition::DoneBy(*other)));
                alone.push((Condition::DoneBy(*other), *other));
            }
        }
        self.waiting = waiting;
        self.could.extend(alone);
        self.could.sort_unstable();
        self.could.dedup();
    }

    /// Which threads a thread waits for, directly or through others.
    pub(super) fn reached_from(&self, state: &State, t: ThreadId) -> Vec<bool> {
        let mut reached = vec![false; state.threads.len()];
        let mut open = vec![t];
        while let Some(at) = open.pop() {
            for next in self.awaited(at) {
                if !std::mem::replace(&mut reached[next.index()], true) {
                    open.push(next);
                }
            }
        }
        reached
    }

    /// Whether one of these threads could complete the wait of a thread. What several must do together, such as
    /// end, counts if all of them are among these.
    pub fn could_be_helped_by(&self, t: ThreadId, among: impl Fn(ThreadId) -> bool) -> bool {
        let first = self.waiting.partition_point(|(waiting, _)| *waiting < t);
        let waits = self.waiting[first..].iter().take_while(|(waiting, _)| *waiting == t);
        let (mut alone, mut together, mut others) = (false, false, false);
        for (_, condition) in waits {
            let first = self.could.partition_point(|(could, _)| could < condition);
            let who = self.could[first..].iter().take_while(|(could, _)| could == condition);
            let takes_all = matches!(
                condition,
                Condition::ProcessEnds(_) | Condition::ThreadEnds(_) | Condition::LetGo(..)
            );
            for (_, other) in who {
                match (takes_all, among(*other)) {
                    (false, true) => alone = true,
                    (true, true) => together = true,
                    (true, false) => others = true,
                    (false, false) => {}
                }
            }
        }
        alone || (together && !others)
    }

    /// The threads to which an arrow leads from a thread.
    pub fn awaited(&self, t: ThreadId) -> Vec<ThreadId> {
        let mut awaited = Vec::new();
        let first = self.waiting.partition_point(|(waiting, _)| *waiting < t);
        for (_, condition) in self.waiting[first..].iter().take_while(|(waiting, _)| *waiting == t)
        {
            let first = self.could.partition_point(|(could, _)| could < condition);
            let who = self.could[first..].iter().take_while(|(could, _)| could == condition);
            awaited.extend(who.map(|(_, other)| *other));
        }
        awaited.sort_unstable();
        awaited.dedup();
        awaited
    }
}

/// The wait-for graph of these threads. Conditions that none of them could fulfil are left out.
pub(crate) fn wait_graph(machine: &Machine, state: &State, among: &[ThreadId]) -> WaitGraph {
    let arrows = Arrows::new(machine, state, among);
    let mut graph = WaitGraph::default();
    let mut to_oneself = BTreeSet::new();
    for t in among {
        let [by_itself, by_children] = arrows.brought_about(*t);
        let is_to_oneself = |condition: &&Condition| {
            !condition.counts_for_whoever_brings_it_about() && !by_children.contains(condition)
        };
        to_oneself.extend(by_itself.iter().filter(is_to_oneself).map(|condition| (*t, *condition)));
        let all = by_itself.into_iter().chain(by_children);
        graph.could.extend(all.map(|condition| (condition, *t)));
    }
    graph.could.sort_unstable();
    graph.could.dedup();
    let possible: BTreeSet<Condition> = graph.could.iter().map(|(it, _)| *it).collect();
    let is_unknown = |it: &Condition| {
        matches!(
            it,
            Condition::SentAnywhere
                | Condition::SentAnywhereOf(_)
                | Condition::SentBy(_)
                | Condition::SentByOf(..)
        )
    };
    let unknown: Vec<Condition> = possible.iter().copied().filter(is_unknown).collect();
    for t in among {
        let mut waits = |condition: Condition| {
            // No thread is left to be woken by the end of its own process.
            let is_own_end = condition == Condition::ProcessEnds(state.threads[t.index()].process);
            if possible.contains(&condition) && !is_own_end {
                graph.waiting.push((*t, condition));
            }
        };
        arrows.awaited(*t, &mut waits);
        for condition in &unknown {
            if arrows.concerns(*condition, *t) {
                graph.waiting.push((*t, *condition));
            }
        }
    }
    graph.leave_out(&to_oneself);
    graph.waiting.sort_unstable();
    graph.waiting.dedup();
    graph
}

/// What is known while arrows are drawn.
struct Arrows<'a> {
    machine: &'a Machine,
    state: &'a State,
    /// The code ahead of each thread that has any.
    futures: BTreeMap<ThreadId, Future>,
    /// The messages with which threads wait for a slot or for memory.
    sending: BTreeMap<ThreadId, &'a Message>,
    /// The rights to answer that each could use: reply rights and send-once rights.
    answers: BTreeMap<ThreadId, Vec<Handle>>,
    /// The types that somebody waits for, or waits to send.
    kinds: Vec<Value>,
    /// The processes that could reach their end: all threads together, or through one that says so.
    ending: BTreeSet<ProcessId>,
    /// The processes and threads that others could kill.
    killed: BTreeSet<Controlled>,
    /// The processes with something stored on the links to them.
    hold_memory: Vec<ProcessId>,
    /// The ports to which somebody will make a send-once right.
    answered_later: BTreeSet<MailboxId>,
    /// The ports to which a right is on its way.
    spread: BTreeSet<MailboxId>,
    /// The ports that a process which is still to be created gets rights to.
    endowed: BTreeMap<ProcessId, Reach<MailboxId>>,
}

impl<'a> Arrows<'a> {
    fn new(machine: &'a Machine, state: &'a State, among: &[ThreadId]) -> Self {
        let sending = sending(state);
        let mut arrows = Self {
            machine,
            state,
            futures: BTreeMap::new(),
            answers: BTreeMap::new(),
            kinds: kinds(state, among, &sending),
            sending,
            ending: BTreeSet::new(),
            killed: BTreeSet::new(),
            hold_memory: hold_memory(state),
            answered_later: BTreeSet::new(),
            spread: on_their_way(state),
            endowed: BTreeMap::new(),
        };
        let mut scratch = Scratch::new(machine, Detail::Types);
        let mut processes = BTreeSet::new();
        for t in among {
            arrows.add(&mut scratch, *t);
            processes.insert(state.threads[t.index()].process);
        }
        processes.extend(arrows.add_children(&mut scratch));
        arrows.killed = arrows.killed_by_others();
        let let_answer = arrows.futures.values().flat_map(|future| future.lets_answer.each());
        arrows.answered_later = let_answer.collect();
        // For a process with one of these, all threads count.
        for process in processes {
            let living: Vec<ThreadId> = state
                .threads_of(process)
                .filter(|t| !state.threads[t.index()].state.is_ended())
                .collect();
            for t in &living {
                if !arrows.futures.contains_key(t) {
                    arrows.add(&mut scratch, *t);
                }
            }
            let future = |t: &ThreadId| &arrows.futures[t];
            if living.iter().all(|t| future(t).ends) || living.iter().any(|t| future(t).exits) {
                arrows.ending.insert(process);
            }
        }
        arrows
    }

    /// Unborn children do what their creators let them do, with the rights that they get, and create children
    /// themselves. Returns the children.
    fn add_children(&mut self, scratch: &mut Scratch) -> BTreeSet<ProcessId> {
        let mut children = BTreeSet::new();
        let mut makers: Vec<ThreadId> = self.futures.keys().copied().collect();
        while let Some(maker) = makers.pop() {
            for (child, ports) in self.futures[&maker].spawns.clone() {
                let all = self.endowed.entry(child).or_default();
                all.join(ports);
                if children.insert(child) {
                    for t in self.state.threads_of(child) {
                        self.add(scratch, t);
                        makers.push(t);
                    }
                }
            }
        }
        children
    }

    fn killed_by_others(&self) -> BTreeSet<Controlled> {
        let mut killed = BTreeSet::new();
        for (t, future) in &self.futures {
            let own = self.state.threads[t.index()].process;
            let by_itself = [Controlled::Thread(*t), Controlled::Process(own)];
            let kills = future.commands.iter().filter(|it| {
                it.command == Command::Kill && it.needs.is_none_or(|port| self.may_send(own, port))
            });
            killed.extend(kills.map(|it| it.whom).filter(|whom| !by_itself.contains(whom)));
        }
        killed
    }

    fn add(&mut self, scratch: &mut Scratch, t: ThreadId) {
        let future = scratch.future(self.machine, self.state, t, Ahead::BehindItsWait);
        let answers = self.answers_ahead(t, scratch);
        self.futures.insert(t, future);
        self.answers.insert(t, answers);
    }

    /// The rights to answer that a thread has in its variables and has a `reply` ahead for. The variable that its
    /// current call sets will hold something else by then.
    fn answers_ahead(&self, t: ThreadId, scratch: &Scratch) -> Vec<Handle> {
        let thread = &self.state.threads[t.index()];
        let code = &self.machine.code;
        let overwritten = match self.state.waits_for(t) {
            Some(_) => code[thread.pc.index()].writes(),
            None => None,
        };
        let mut rights = Vec::new();
        for pc in scratch.path() {
            let mut answered = None;
            code[pc.index()].effects(&mut |effect| {
                if let Effect::Answers(reply) = effect {
                    answered = Some(reply);
                }
            });
            let Some(reply) = answered else { continue };
            // A variable may have been copied to the one that is used.
            let is_direct = matches!(reply.to, Expr::Variable(_));
            for (number, value) in thread.registers.iter().enumerate() {
                let is_used = match &reply.to {
                    Expr::Variable(register) => register.index() == number,
                    _ => true,
                };
                let is_kept = overwritten.is_none_or(|register| register.index() != number);
                let is_copied =
                    is_direct && scratch.path().any(|pc| copies(&code[pc.index()], number));
                if (is_used || is_copied) && is_kept {
                    add_rights(value, &mut rights);
                }
            }
        }
        rights
    }

    fn may_send(&self, process: ProcessId, mailbox: MailboxId) -> bool {
        let is_endowed = |ports: &Reach<MailboxId>| match ports {
            Reach::All => true,
            Reach::Some(ports) => ports.contains(&mailbox),
        };
        let mut once = self.state.processes[process.index()].rights.once.iter();
        self.state.mailboxes[mailbox.index()].port().is_none()
            || self.spread.contains(&mailbox)
            || once.any(|once| once.port == mailbox)
            || self.endowed.get(&process).is_some_and(is_endowed)
            || may_send(self.machine, self.state, process, mailbox)
    }
}

fn hold_memory(state: &State) -> Vec<ProcessId> {
    let holds = |process: &ProcessId| {
        let mut links = state.processes[process.index()].inbox.links();
        links.any(|link| !state.mailboxes[link.index()].messages.is_empty())
    };
    (0..state.processes.len()).map(ProcessId::at).filter(holds).collect()
}

/// The messages with which threads wait for a slot or for memory.
fn sending(state: &State) -> BTreeMap<ThreadId, &Message> {
    let for_a_slot = state.mailboxes.iter().flat_map(|mailbox| &mailbox.senders);
    for_a_slot.chain(&state.memory.waiting).map(|(t, message)| (*t, &**message)).collect()
}

/// Every type, or list of types, that a receiver waits for or a sender offers.
fn kinds(state: &State, among: &[ThreadId], sending: &BTreeMap<ThreadId, &Message>) -> Vec<Value> {
    let mut kinds: Vec<Value> = Vec::new();
    let stored_where = |mailbox: MailboxId| state.mailboxes[mailbox.index()].messages.iter();
    let full: BTreeSet<MailboxId> = among
        .iter()
        .filter_map(|t| match state.waits_for(*t) {
            Some(BlockedOn::Send(mailbox)) => Some(*mailbox),
            _ => None,
        })
        .chain(held_at(state))
        .collect();
    for message in full.into_iter().flat_map(stored_where) {
        if !kinds.contains(message.kind()) {
            kinds.push(message.kind().clone());
        }
    }
    for t in among {
        let kind = match state.waits_for(*t) {
            Some(BlockedOn::Receive { filter, .. }) => waiting::wanted_type(filter.as_deref()),
            Some(BlockedOn::Send(_)) => Some(sending[t].kind()),
            Some(BlockedOn::Reply { right, holder: Holder::Queued(mailbox) }) => {
                Some(waiting::type_of_request(state, *right, *mailbox))
            }
            _ => None,
        };
        if let Some(kind) = kind
            && !kinds.contains(kind)
        {
            kinds.push(kind.clone());
        }
    }
    kinds
}

/// The ports at which the kernel keeps a message for its sender.
fn held_at(state: &State) -> impl Iterator<Item = MailboxId> {
    let keeps = |id: &MailboxId| {
        state.mailboxes[id.index()].port().is_some_and(|port| !port.held.is_empty())
    };
    (0..state.mailboxes.len()).map(MailboxId::at).filter(keeps)
}

/// Whether an operation copies this variable to another.
fn copies(op: &Op, register: usize) -> bool {
    let reads = |part: &Expr| matches!(part, Expr::Variable(it) if it.index() == register);
    matches!(op, Op::Set(_, expr) if expr.contains(&reads))
}

fn add_rights(value: &Value, to: &mut Vec<Handle>) {
    let once = |carried: Carried| match carried.right {
        Right::Once(number) => Some(Handle::Once(Once { port: carried.port, number })),
        Right::Receive | Right::Send | Right::Dead => None,
    };
    match value {
        Value::Message(message) => {
            to.extend(message.reply_right().map(Handle::Reply));
            to.extend(message.carried().filter_map(once));
        }
        Value::Handle(right @ (Handle::Reply(_) | Handle::Once(_))) => to.push(*right),
        Value::List(list) => list.items().iter().for_each(|item| add_rights(item, to)),
        _ => {}
    }
}
