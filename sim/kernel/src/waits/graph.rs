//! Who waits for whom, among threads that never move again.
//!
//! An arrow leads from t to u if the code ahead of u, as if u's own wait were over, holds an action that
//! would complete t's wait. One rule for every wait:
//!
//! | t is | an arrow leads to whoever has ahead of it |
//! | --- | --- |
//! | SEND-blocked | a receive that frees t's slot, or that takes t's message where nothing is stored; the end of the receiver |
//! | RECEIVE-blocked | a send that t would take, of the right type; the end of the senders, where t waits for nobody else |
//! | REPLY-blocked | a receive of the request and then a reply or an end; where it is taken, a reply to it, or the end of whoever has it |
//! | memory-blocked | a receive, which gives memory back |
//! | waiting for a notice | letting go of the right: `drop`, `destroy`, or the end of a holder |
//! | joining | its end |
//! | suspended | `resume` |
//! | any of these | killing t, from another thread; interrupting it |
//!
//! A wait that several could end has an arrow to each. One that needs all of several, the ends of two senders
//! or of two threads of a process, has an arrow to each that still has to act, if all of them can. A thread
//! that kills its own process completes no wait of its own.
//!
//! The order in which threads stand in queues plays no part.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::Condition;
use super::future::{Ahead, Future, Reach, Scratch};
use super::on_their_way;
use crate::expr::Expr;
use crate::ids::{MailboxId, ProcessId, ThreadId};
use crate::machine::{Capacity, Machine, MailboxKind};
use crate::object::port::{Controlled, Once, Receiver, Right};
use crate::program::{Op, Verb};
use crate::state::{BlockedOn, Holder, Level, Sources, State};
use crate::value::{Handle, ReplyRight, Value};

/// Who waits for what, and who could bring it about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitGraph {
    /// Threads that wait, and what they wait for.
    pub waiting: Vec<(ThreadId, Condition)>,
    /// Conditions, and the threads that could bring them about.
    pub could: Vec<(Condition, ThreadId)>,
}

impl WaitGraph {
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

    /// Whether one of these threads could complete the wait of a thread. What several have to do together, such
    /// as to end, counts if all of them are among these.
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
            awaited.extend(who.map(|(_, t)| *t));
        }
        awaited.sort_unstable();
        awaited.dedup();
        awaited
    }
}

/// The wait-for graph of these threads. Conditions that none of them could bring about are left out.
pub fn wait_graph(machine: &Machine, state: &State, among: &[ThreadId]) -> WaitGraph {
    let mut arrows = Arrows::new(machine, state, among);
    let mut graph = WaitGraph::default();
    for t in among {
        let conditions = arrows.brought_about(*t);
        graph.could.extend(conditions.into_iter().map(|condition| (condition, *t)));
    }
    graph.could.sort_unstable();
    graph.could.dedup();
    let possible: BTreeSet<Condition> = graph.could.iter().map(|(it, _)| *it).collect();
    let is_unknown = |it: &Condition| matches!(it, Condition::SentAnywhere | Condition::SentBy(_));
    let unknown: Vec<Condition> = possible.iter().copied().filter(is_unknown).collect();
    for t in among {
        let mut waits = |condition: Condition| {
            if possible.contains(&condition) {
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
    /// The reply rights that each could use.
    replies: BTreeMap<ThreadId, Vec<ReplyRight>>,
    /// The types that somebody waits for, or waits to get rid of.
    kinds: Vec<Value>,
    /// The processes that could come to their end, all threads together or by one that says so.
    ending: BTreeSet<ProcessId>,
    /// The threads of each process that could end it.
    enders: BTreeMap<ProcessId, Vec<ThreadId>>,
    /// The processes on whose links something is stored.
    hold_memory: Vec<ProcessId>,
    /// The ports to which a right is on its way.
    spread: BTreeSet<MailboxId>,
}

impl<'a> Arrows<'a> {
    fn new(machine: &'a Machine, state: &'a State, among: &[ThreadId]) -> Self {
        let mut arrows = Self {
            machine,
            state,
            futures: BTreeMap::new(),
            replies: BTreeMap::new(),
            kinds: kinds(state, among),
            ending: BTreeSet::new(),
            enders: BTreeMap::new(),
            hold_memory: hold_memory(state),
            spread: on_their_way(state),
        };
        let mut scratch = Scratch::new(machine);
        let mut processes = BTreeSet::new();
        for t in among {
            arrows.add(&mut scratch, *t);
            processes.insert(state.threads[t.index()].process);
        }
        // Children that are not born yet do what their makers let them do.
        let unborn: BTreeSet<ProcessId> =
            arrows.futures.values().flat_map(|future| future.spawns.each()).collect();
        for t in unborn.iter().flat_map(|child| state.threads_of(*child)).collect::<Vec<_>>() {
            arrows.add(&mut scratch, t);
        }
        for (t, future) in &arrows.futures {
            let own = state.threads[t.index()].process;
            let kills_itself = match &future.kills {
                Reach::All => false,
                Reach::Some(victims) => victims.contains(&own),
            };
            if future.exits || future.kills_threads || kills_itself {
                arrows.enders.entry(own).or_default().push(*t);
            }
        }
        // Of a process with one of these all threads count.
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

    fn add(&mut self, scratch: &mut Scratch, t: ThreadId) {
        let future = scratch.future(self.machine, self.state, t, Ahead::BehindItsWait);
        let replies = self.usable_rights(t, scratch);
        self.futures.insert(t, future);
        self.replies.insert(t, replies);
    }

    /// The reply rights that a thread holds and has a `reply` ahead for. What the call sets that it waits in
    /// will be something else by then.
    fn usable_rights(&self, t: ThreadId, scratch: &Scratch) -> Vec<ReplyRight> {
        let thread = &self.state.threads[t.index()];
        let code = &self.machine.code;
        let overwritten = match self.state.waits_for(t) {
            Some(_) => code[thread.pc.index()].writes(),
            None => None,
        };
        let mut rights = Vec::new();
        for pc in scratch.path() {
            let Op::Call(call) = &code[pc.index()] else { continue };
            let Verb::Reply(reply) = &call.verb else { continue };
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
        self.state.mailboxes[mailbox.index()].spec.kind != MailboxKind::Port
            || self.spread.contains(&mailbox)
            || self.state.may_send(process, mailbox)
    }

    /// What the code ahead of a thread could bring about.
    fn brought_about(&mut self, t: ThreadId) -> Vec<Condition> {
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
        self.sends(own, future, to);
        self.receives(future, to);
        each_or(&future.destroys, Condition::Destroyed, Condition::Anything, to);
        each_or(&future.controls, Condition::Controlled, Condition::Anything, to);
        match &future.kills {
            Reach::All => to.push(Condition::Anything),
            Reach::Some(victims) => {
                for victim in victims {
                    // Whoever kills himself ends no wait of his own.
                    let is_own = *victim == own;
                    let dies = if is_own {
                        Condition::EndedBy(by)
                    } else {
                        Condition::ProcessKilled(*victim)
                    };
                    to.push(dies);
                    to.push(Condition::ProcessEnds(*victim));
                }
            }
        }
        if future.kills_threads || future.exits {
            to.push(Condition::EndedBy(by));
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

    fn sends(&self, own: ProcessId, future: &Future, to: &mut Vec<Condition>) {
        let mut sent = |port: MailboxId, kind: Option<&Value>| {
            // Nobody but who registers lets a name server answer others.
            if self.machine.name_servers.contains_key(&port) && !future.registers {
                return;
            }
            match self.state.receiver_of(port) {
                Receiver::Kernel(Controlled::Process(process)) => self.controlled(process, to),
                Receiver::Kernel(Controlled::Thread(t)) => {
                    self.controlled(self.state.threads[t.index()].process, to);
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

    /// What is sent to the port of a process is done to it.
    fn controlled(&self, process: ProcessId, to: &mut Vec<Condition>) {
        to.extend([
            Condition::ProcessKilled(process),
            Condition::Controlled(process),
            Condition::ProcessEnds(process),
        ]);
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

    fn kind(&self, kind: &Value) -> u32 {
        let place = self.kinds.iter().position(|known| known == kind);
        place.expect("every type that somebody waits for is listed") as u32
    }

    /// What would complete a thread's wait.
    fn awaited(&self, t: ThreadId, waits: &mut impl FnMut(Condition)) {
        let state = self.state;
        let own = state.threads[t.index()].process;
        waits(Condition::ProcessKilled(own));
        waits(Condition::Controlled(own));
        waits(Condition::Anything);
        for sibling in self.enders.get(&own).into_iter().flatten().filter(|other| **other != t) {
            waits(Condition::EndedBy(*sibling));
        }
        match state.waits_for(t) {
            None | Some(BlockedOn::Sleep) => {}
            Some(BlockedOn::Send(message)) => {
                let mailbox = message.mailbox;
                let known_as = state.known_as(mailbox);
                match state.mailboxes[mailbox.index()].spec.capacity {
                    Capacity::None | Capacity::Undefined => {
                        let kind = self.kind(message.kind());
                        waits(Condition::TakenOf(mailbox, kind));
                        waits(Condition::TakenOf(known_as, kind));
                    }
                    Capacity::Messages(_) | Capacity::Bytes(_) | Capacity::Unlimited => {
                        waits(Condition::Taken(mailbox));
                        waits(Condition::Taken(known_as));
                    }
                }
                waits(Condition::TakenAnywhere);
                self.of_the_receiver(mailbox, waits);
            }
            Some(BlockedOn::Memory(message)) => {
                waits(Condition::MemoryFreed);
                waits(Condition::TakenAnywhere);
                self.of_the_receiver(message.mailbox, waits);
                // Whoever ends gives back what waits for it.
                self.hold_memory.iter().for_each(|it| waits(Condition::ProcessEnds(*it)));
            }
            Some(BlockedOn::Receive { sources, filter }) => {
                let kind = filter.as_ref().and_then(|filter| filter.kind.as_ref());
                self.of_sources(t, sources, kind, waits);
                self.of_senders(t, sources, waits);
            }
            Some(BlockedOn::Select(sources)) => {
                self.of_sources(t, sources, None, waits);
                for sender in self.senders(sources) {
                    waits(Condition::ProcessEnds(sender));
                }
            }
            Some(BlockedOn::Reply { holder, .. }) => match holder {
                Holder::Queued(mailbox) => {
                    waits(Condition::AnsweredAt(*mailbox));
                    waits(Condition::AnsweredAt(state.known_as(*mailbox)));
                    waits(Condition::AnsweredAnywhere);
                    self.of_the_receiver(*mailbox, waits);
                }
                Holder::Taken(process) => {
                    waits(Condition::RepliedTo(t));
                    waits(Condition::ProcessEnds(*process));
                }
            },
            Some(BlockedOn::Join(threads)) => {
                let living = || {
                    threads.iter().filter(|other| !state.threads[other.index()].state.is_ended())
                };
                let can_end =
                    |other: &ThreadId| self.futures.get(other).is_none_or(|future| future.ends);
                if living().all(can_end) {
                    living().for_each(|other| waits(Condition::ThreadEnds(*other)));
                }
            }
        }
    }

    /// Whether a message to a place that is not known yet may be one for a thread.
    fn concerns(&self, condition: Condition, t: ThreadId) -> bool {
        let Some(BlockedOn::Receive { sources, .. } | BlockedOn::Select(sources)) =
            self.state.waits_for(t)
        else {
            return false;
        };
        match condition {
            Condition::SentAnywhere => {
                let is_port = |source: &MailboxId| {
                    let kind = self.state.mailboxes[source.index()].spec.kind;
                    matches!(kind, MailboxKind::Port | MailboxKind::PortSet)
                };
                let sources = sources.listed();
                sources.is_empty() || !sources.iter().all(is_port)
            }
            Condition::SentBy(process) => match sources {
                Sources::Anyone => true,
                listed => self.senders(listed).contains(&process),
            },
            _ => false,
        }
    }

    /// The receiver of a link, or of a port, may end; a mailbox may be destroyed.
    fn of_the_receiver(&self, mailbox: MailboxId, waits: &mut impl FnMut(Condition)) {
        waits(Condition::Destroyed(mailbox));
        if let MailboxKind::Link { to, .. } = self.state.mailboxes[mailbox.index()].spec.kind {
            waits(Condition::ProcessEnds(to));
        }
        match self.state.receiver_of(mailbox) {
            Receiver::Held(process) => waits(Condition::ProcessEnds(process)),
            // The receive right is in a message there: with it the port may be lost.
            Receiver::Carried(at) => waits(Condition::Taken(at)),
            Receiver::Kernel(_) | Receiver::Nobody => {}
        }
    }

    /// A message may come from a source.
    fn of_sources(
        &self,
        t: ThreadId,
        sources: &Sources,
        kind: Option<&Value>,
        waits: &mut impl FnMut(Condition),
    ) {
        let state = self.state;
        let own = state.threads[t.index()].process;
        let number = kind.map(|kind| self.kind(kind));
        let sent = |mailbox: MailboxId, waits: &mut dyn FnMut(Condition)| match number {
            None => waits(Condition::Sent(mailbox)),
            Some(number) => waits(Condition::SentOf(mailbox, number)),
        };
        let links: Vec<MailboxId> = match sources {
            Sources::Anyone => state.processes[own.index()].inbox.links().collect(),
            listed => listed.listed().to_vec(),
        };
        for source in links {
            sent(source, waits);
            waits(Condition::Destroyed(source));
            if !self.machine.has_ports() {
                continue;
            }
            self.of_notices(source, waits);
            for member in
                state.mailboxes[source.index()].set().into_iter().flat_map(|it| &it.members)
            {
                sent(*member, waits);
                self.of_notices(*member, waits);
            }
        }
    }

    /// The living processes at the other ends of links.
    fn senders(&self, sources: &Sources) -> Vec<ProcessId> {
        let sender = |source: &MailboxId| match self.state.mailboxes[source.index()].spec.kind {
            MailboxKind::Link { from, .. } if !self.state.is_over(from) => Some(from),
            _ => None,
        };
        sources.listed().iter().filter_map(sender).collect()
    }

    /// Where a receive has no other sources than links it ends when all their senders have ended.
    fn of_senders(&self, t: ThreadId, sources: &Sources, waits: &mut impl FnMut(Condition)) {
        let is_link = |source: &MailboxId| {
            matches!(self.state.mailboxes[source.index()].spec.kind, MailboxKind::Link { .. })
        };
        let listed = sources.listed();
        let senders = self.senders(sources);
        let own = self.state.threads[t.index()].process;
        let can_end =
            |process: &ProcessId| self.ending.contains(process) || self.moves_and_may_end(*process);
        // The end of its own process is nothing that it could wait for.
        if !listed.is_empty()
            && listed.iter().all(is_link)
            && senders.iter().all(can_end)
            && !senders.contains(&own)
        {
            senders.iter().for_each(|sender| waits(Condition::ProcessEnds(*sender)));
        }
    }

    /// Of a process none of whose threads are looked at nothing is known: it may end.
    fn moves_and_may_end(&self, process: ProcessId) -> bool {
        let mut threads = self.state.threads_of(process);
        !threads.any(|t| self.futures.contains_key(&t))
    }

    /// A notice comes to a port when a right is let go of.
    fn of_notices(&self, notified: MailboxId, waits: &mut impl FnMut(Condition)) {
        let state = self.state;
        let comes_here = |once: Option<Once>| once.is_some_and(|once| once.port == notified);
        for id in (0..state.mailboxes.len()).map(MailboxId::at) {
            let Some(port) = state.mailboxes[id.index()].port() else { continue };
            if comes_here(port.no_senders) {
                self.of_holders(id, waits);
            }
            let names = state.processes.iter().any(|process| {
                let wanted = process.rights.dead_names.get(&id).copied();
                comes_here(wanted)
            });
            if (comes_here(port.destroyed) || names)
                && let Receiver::Held(process) = port.receiver
            {
                waits(Condition::Destroyed(id));
                waits(Condition::ProcessEnds(process));
            }
        }
    }

    /// Everybody who has a right to send to a port has to let go of it.
    fn of_holders(&self, port: MailboxId, waits: &mut impl FnMut(Condition)) {
        let state = self.state;
        let holders: Vec<ProcessId> = (0..state.processes.len())
            .map(ProcessId::at)
            .filter(|process| state.processes[process.index()].rights.references(port) > 0)
            .collect();
        let drops = |process: &ProcessId| {
            state.threads_of(*process).any(|t| {
                self.futures.get(&t).is_some_and(|future| match &future.drops {
                    Reach::All => true,
                    Reach::Some(ports) => ports.contains(&port),
                })
            })
        };
        let can = |process: &ProcessId| {
            drops(process) || self.ending.contains(process) || self.moves_and_may_end(*process)
        };
        if holders.iter().all(can) {
            for holder in holders {
                waits(Condition::LetGo(holder, port));
                waits(Condition::ProcessEnds(holder));
            }
        }
        // A right on its way is let go of by whoever takes the message.
        for (at, mailbox) in state.mailboxes.iter().enumerate() {
            let carries = mailbox.all_messages().any(|message| {
                message.carried().any(|it| it.port == port && it.right == Right::Send)
            });
            if carries {
                waits(Condition::Taken(MailboxId::at(at)));
            }
        }
    }
}

fn hold_memory(state: &State) -> Vec<ProcessId> {
    let holds = |process: &ProcessId| {
        let mut links = state.processes[process.index()].inbox.links();
        links.any(|link| !state.mailboxes[link.index()].messages.is_empty())
    };
    (0..state.processes.len()).map(ProcessId::at).filter(holds).collect()
}

/// Every type that a receiver waits for, or that a sender has to offer.
fn kinds(state: &State, among: &[ThreadId]) -> Vec<Value> {
    let mut kinds: Vec<Value> = Vec::new();
    for t in among {
        let kind = match state.waits_for(*t) {
            Some(BlockedOn::Receive { filter, .. }) => {
                filter.as_ref().and_then(|filter| filter.kind.as_ref())
            }
            Some(BlockedOn::Send(message)) => Some(message.kind()),
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

/// Whether an operation copies this variable to another.
fn copies(op: &Op, register: usize) -> bool {
    let reads = |part: &Expr| matches!(part, Expr::Variable(it) if it.index() == register);
    matches!(op, Op::Set(_, expr) if expr.contains(&reads))
}

fn add_rights(value: &Value, to: &mut Vec<ReplyRight>) {
    match value {
        Value::Message(message) => to.extend(message.reply_right()),
        Value::Handle(Handle::Reply(right)) => to.push(*right),
        Value::List(list) => list.items().iter().for_each(|item| add_rights(item, to)),
        _ => {}
    }
}

fn each_or<T: Copy>(
    reach: &Reach<T>,
    one: impl Fn(T) -> Condition,
    all: Condition,
    to: &mut Vec<Condition>,
) {
    match reach {
        Reach::All => to.push(all),
        Reach::Some(items) => to.extend(items.iter().map(|item| one(*item))),
    }
}
