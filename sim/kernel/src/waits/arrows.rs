//! What threads that wait could do for each other, once their own waits are over.

use std::collections::{BTreeMap, BTreeSet};

use ipcsim_program::{
    Carried, Effect, Expr, Handle, MailboxId, Message, Once, Op, ProcessId, Register, ReplyRight,
    Right, ThreadId, Value,
};

use super::awaited::{type_of_request, wanted_type};
use super::condition::{Condition, Place, Types};
use super::future::{Ahead, Deed, Fulfilled, Future, Scratch};
use super::may_send;
use super::search::{keeping, on_their_way};
use crate::machine::Machine;
use crate::object::port::Receiver;
use crate::state::{BlockedOn, Holder, State};

/// What is known while arrows are drawn.
pub(super) struct Arrows<'a> {
    pub(super) machine: &'a Machine,
    state: &'a State,
    /// The code ahead of each thread that has any.
    futures: BTreeMap<ThreadId, Future>,
    /// The messages with which threads wait for a slot or for memory.
    pub(super) sending: BTreeMap<ThreadId, &'a Message>,
    /// The rights to answer that each could use: reply rights and send-once rights.
    answers: BTreeMap<ThreadId, Vec<Handle>>,
    pub(super) types: Types<'a>,
    /// The processes that could reach their end: all threads together, or through one that says so.
    ending: BTreeSet<ProcessId>,
    /// The ends of threads and processes that others could bring about.
    killed: BTreeSet<Condition>,
    /// The ports to which somebody will make a send-once right.
    answered_later: BTreeSet<MailboxId>,
    /// The ports to which a right is on its way.
    spread: BTreeSet<MailboxId>,
    /// The ports that a process which is still to be created gets rights to.
    endowed: BTreeMap<ProcessId, Vec<Place>>,
}

impl<'a> Arrows<'a> {
    pub(super) fn new(machine: &'a Machine, state: &'a State, among: &[ThreadId]) -> Self {
        let sending = sending(state);
        let mut arrows = Self {
            machine,
            state,
            futures: BTreeMap::new(),
            answers: BTreeMap::new(),
            types: types(machine, state, among, &sending),
            sending,
            ending: BTreeSet::new(),
            killed: BTreeSet::new(),
            answered_later: BTreeSet::new(),
            spread: on_their_way(state),
            endowed: BTreeMap::new(),
        };
        let mut scratch = Scratch::new(machine);
        let mut processes = BTreeSet::new();
        for t in among {
            arrows.add(&mut scratch, *t);
            processes.insert(state.threads[t.index()].process);
        }
        processes.extend(arrows.add_children(&mut scratch));
        arrows.killed = arrows.killed_by_others();
        let later = arrows.futures.values().flat_map(|future| &future.lets_answer);
        let port = |(condition, _): &Fulfilled| match condition {
            Condition::Sent(Place::At(port), _) => Some(*port),
            _ => None,
        };
        arrows.answered_later = later.filter_map(port).collect();
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
            if living.iter().all(|t| future(t).could(Deed::Ends))
                || living.iter().any(|t| future(t).could(Deed::Exits))
            {
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
                self.endowed.entry(child).or_default().extend(ports);
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

    /// What a thread's own code could fulfil, with the rights that its process may get.
    fn fulfilled(&self, t: ThreadId) -> impl Iterator<Item = Condition> + '_ {
        let own = self.state.threads[t.index()].process;
        let all = self.futures[&t].fulfils.iter();
        let has_right =
            move |(_, needs): &&Fulfilled| needs.is_none_or(|port| self.may_send(own, port));
        all.filter(has_right).map(|(condition, _)| *condition)
    }

    fn killed_by_others(&self) -> BTreeSet<Condition> {
        let mut killed = BTreeSet::new();
        for t in self.futures.keys() {
            let own = self.state.threads[t.index()].process;
            let is_of_another = |condition: &Condition| match condition {
                Condition::ThreadEnds(other) => other != t,
                Condition::ProcessEnds(other) => *other != own,
                _ => false,
            };
            killed.extend(self.fulfilled(*t).filter(is_of_another));
        }
        killed
    }

    /// Whether something could happen that a thread may need beside other things. An end that nobody examines here may.
    pub(super) fn could_be(&self, condition: Condition) -> bool {
        match condition {
            Condition::ThreadEnds(t) => {
                let future = self.futures.get(&t);
                self.killed.contains(&condition)
                    || future.is_none_or(|future| future.could(Deed::Ends))
            }
            Condition::ProcessEnds(process) => {
                let is_examined = |t: ThreadId| self.futures.contains_key(&t);
                let mut threads = self.state.threads_of(process);
                self.ending.contains(&process)
                    || self.killed.contains(&condition)
                    || !(self.state.is_over(process) || threads.any(is_examined))
            }
            Condition::Closes(process, ..) if self.could_be(Condition::ProcessEnds(process)) => {
                true
            }
            Condition::LetGo(process, _) | Condition::Closes(process, ..) => {
                let mut threads = self.state.threads_of(process);
                threads.any(|t| {
                    let future = self.futures.get(&t);
                    future.is_some_and(|future| future.fulfils.contains(&(condition, None)))
                })
            }
            _ => true,
        }
    }

    fn add(&mut self, scratch: &mut Scratch, t: ThreadId) {
        let seen = (self.state, t);
        let future = scratch.future(self.machine, seen, &self.types, Ahead::BehindItsWait);
        let answers = self.answers_ahead(t, scratch);
        self.futures.insert(t, future);
        self.answers.insert(t, answers);
    }

    /// The rights to answer that a thread has in its variables and has a `reply` ahead for. The variable that its
    /// current call sets will hold something else by then.
    fn answers_ahead(&self, t: ThreadId, scratch: &Scratch) -> Vec<Handle> {
        let thread = &self.state.threads[t.index()];
        let code = &self.machine.code;
        let call = self.state.waits_for(t).map(|_| &code[thread.pc.index()]);
        let overwritten: Vec<Register> = call.into_iter().flat_map(Op::writes).collect();
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
                let is_kept = !overwritten.contains(&Register::at(number));
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
        let is_endowed = |ports: &Vec<Place>| {
            ports.contains(&Place::At(mailbox)) || ports.contains(&Place::Anywhere)
        };
        let mut once = self.state.processes[process.index()].rights.once.iter();
        self.state.mailboxes[mailbox.index()].port().is_none()
            || self.spread.contains(&mailbox)
            || once.any(|once| once.port == mailbox)
            || self.endowed.get(&process).is_some_and(is_endowed)
            || may_send(self.machine, self.state, process, mailbox)
    }
}

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
        let does = |deed: Deed| future.could(deed);
        // Only a thread that registers a name makes a name server answer others.
        let is_deaf = |port: &MailboxId, registers: bool| {
            self.machine.name_servers.contains_key(port) && !registers
        };
        // What it waits to send arrives when its wait is over.
        if let Some(message) = self.sending.get(&t)
            && !is_deaf(&message.mailbox, false)
        {
            self.comes(message.mailbox, Some(message.kind()), to);
        }
        // Whoever takes a request answers it, or ends.
        let goes_on = [Deed::Replies, Deed::Ends, Deed::Exits].into_iter().any(does);
        for condition in self.fulfilled(t) {
            match condition {
                Condition::Sent(Place::At(port), _) if is_deaf(&port, does(Deed::Registers)) => {}
                Condition::Answered(..) if !goes_on => {}
                _ => to.push(condition),
            }
            if let Condition::Sent(Place::Anywhere, kind) = condition {
                let ports = (0..state.mailboxes.len()).map(MailboxId::at).filter(|port| {
                    let is_port = state.mailboxes[port.index()].port().is_some();
                    is_port && self.may_send(own, *port) && !is_deaf(port, does(Deed::Registers))
                });
                to.extend(ports.map(|port| Condition::Sent(Place::At(port), kind)));
            }
        }
        if does(Deed::Ends) {
            to.push(Condition::ThreadEnds(t));
        }
        if (does(Deed::Ends) && self.ending.contains(&own)) || does(Deed::Exits) {
            to.push(Condition::ProcessEnds(own));
            let open = state.processes[own.index()].descriptors.values();
            to.extend(open.map(|it| Condition::Closes(own, it.object, it.access)));
        }
        let once_rights = &state.processes[own.index()].rights.once;
        for right in &self.answers[&t] {
            match right {
                Handle::Reply(right) if self.waits_for_answer(*right, own) => {
                    to.push(Condition::RepliedTo(right.caller));
                }
                Handle::Once(once) if once_rights.contains(once) => {
                    self.comes(once.port, Some(&Value::None), to);
                }
                _ => {}
            }
        }
        // The message that it answers may be the one in which the receiver there has sent such a right.
        if does(Deed::AnswersWhatComes) {
            let is_of_others = |port: &&MailboxId| state.receiver_of(**port) != Receiver::Held(own);
            let ports = self.answered_later.iter().filter(is_of_others);
            ports.for_each(|port| self.comes(*port, Some(&Value::None), to));
        }
        // Its handler looks at the exception that it has raised.
        let thread = &state.threads[t.index()];
        if thread.raised().is_some() {
            let ports = self.machine.handlers_of(thread.called());
            ports.for_each(|port| self.comes(port, None, to));
        }
    }

    /// A message of this type comes there; if its type is not known, it may be any.
    fn comes(&self, at: MailboxId, kind: Option<&Value>, to: &mut Vec<Condition>) {
        self.types.sent(Place::At(at), kind, &mut |condition| to.push(condition));
    }

    fn waits_for_answer(&self, asked: ReplyRight, by: ProcessId) -> bool {
        matches!(self.state.waits_for(asked.caller),
            Some(BlockedOn::Reply { right, holder: Holder::Taken(process) })
                if *right == asked && *process == by)
    }
}

/// The messages with which threads wait for a slot or for memory.
fn sending(state: &State) -> BTreeMap<ThreadId, &Message> {
    let for_a_slot = state.mailboxes.iter().flat_map(|mailbox| &mailbox.senders);
    for_a_slot.chain(&state.memory.waiting).map(|(t, message)| (*t, &**message)).collect()
}

/// Every type, or list of types, that a receiver waits for or a sender offers; none if nobody asks for types.
fn types<'a>(
    machine: &Machine,
    state: &'a State,
    among: &[ThreadId],
    sending: &BTreeMap<ThreadId, &'a Message>,
) -> Types<'a> {
    let mut types = Types::default();
    if !machine.asks_for_types() {
        return types;
    }
    for t in among {
        match state.waits_for(*t) {
            Some(BlockedOn::Send(mailbox)) => {
                types.extend([sending[t].kind()]);
                types.add_stored(&state.mailboxes[mailbox.index()]);
            }
            Some(BlockedOn::Receive { filter, .. }) => {
                types.extend(wanted_type(filter.as_deref()));
            }
            Some(BlockedOn::Reply { right, holder: Holder::Queued(mailbox) }) => {
                types.extend([type_of_request(state, *right, *mailbox)]);
            }
            _ => {}
        }
    }
    keeping(state).for_each(|port| types.add_stored(&state.mailboxes[port.index()]));
    types
}

/// Whether an operation copies this variable to another.
fn copies(op: &Op, register: usize) -> bool {
    let reads = |part: &Expr| matches!(part, Expr::Variable(it) if it.index() == register);
    matches!(op, Op::Set(_, expr) if expr.contains(&reads))
}

fn add_rights(value: &Value, to: &mut Vec<Handle>) {
    let once = |carried: Carried| match carried.right {
        Right::Once(number) => Some(Handle::Once(Once { port: carried.port, number })),
        Right::Receive | Right::Send | Right::File(_) | Right::Opened(_) | Right::Dead => None,
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
