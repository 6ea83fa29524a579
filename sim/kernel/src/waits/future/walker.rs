//! Operation by operation: what each adds to what a thread could do.

use ipcsim_program::{
    Access, Command, Descriptor, Disposition, Effect, Expr, Field, From, Grant, Handle, Inquiry,
    MailboxId, OnExec, Op, ProcessId, Receive, Send, Spawn, Target, ThreadId, Until, Value, Watch,
};

use crate::machine::{Fork, Machine, Protection};
use crate::object::mailbox::Existence;
use crate::object::port::{Controlled, Receiver};
use crate::object::stream::Opened;
use crate::state::{BlockedOn, Life, Sources, State};
use crate::waits::condition::{Condition, Place, Types};

use super::settled::settled;
use super::{Danger, Deed, Fulfilled, Future, Numbers};

/// A thread, which of its variables may change from now on, and what was found so far.
pub(super) struct Walker<'a> {
    pub machine: &'a Machine,
    pub state: &'a State,
    pub thread: ThreadId,
    pub types: &'a Types<'a>,
    pub written: Vec<bool>,
    pub numbers: Numbers,
    pub dangers: &'a [Danger],
    pub future: Future,
}

impl Walker<'_> {
    pub(super) fn add(&mut self, op: &Op) {
        if !self.future.could(Deed::Fails) && self.may_raise(op) {
            self.future.add(Deed::Fails);
        }
        op.effects(&mut |effect| self.add_effect(effect));
        if let Op::End = op {
            self.future.add(Deed::Ends);
        }
    }

    fn add_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Sends(send) => self.add_send(send),
            Effect::Asks(inquiry) => {
                self.future.add(Deed::Inquires);
                if inquiry == Inquiry::Register {
                    self.future.add(Deed::Registers);
                }
            }
            Effect::Receives(receive) => self.add_receive(receive),
            Effect::Answers(reply) => {
                self.future.add(Deed::Replies);
                if self.known(&reply.to).is_none() {
                    self.future.add(Deed::AnswersWhatComes);
                }
                self.add_rights(&reply.rights);
            }
            Effect::Exits(_) | Effect::Raises => {
                self.future.add(Deed::Fails);
                self.future.add(Deed::Exits);
            }
            Effect::Commands(command, target) => self.add_control(command, target),
            Effect::Spawns(spawn) => self.add_children(spawn),
            Effect::Destroys(object) => {
                self.tell(Condition::MessageGone);
                self.destroys(object);
            }
            Effect::Watches(watch) => self.add_watch(watch),
            // What the port holds moves to the set, and whoever waits at the port is refused.
            Effect::Inserts { port, set } => {
                self.sends_to(&self.places(set, Direction::To), None);
                self.destroys(port);
            }
            Effect::Changes(object) => self.changes(object),
            Effect::GivesUp(right) => self.gives_up(right),
            Effect::Forks(_) => self.copies_siblings(),
            Effect::Replaces(_) => self.replaces(),
            Effect::Closes(descriptor) => self.closes(descriptor),
            Effect::Unlocks => self.tell(Condition::Unlocked(self.thread)),
            Effect::Frees => self.tell(Condition::Freed(self.own())),
            Effect::Reads(_)
            | Effect::Writes(_)
            | Effect::KeepsStatus
            | Effect::HasNoEvent
            | Effect::Counts
            | Effect::IsAbout(..)
            | Effect::Waits(_)
            | Effect::Sleeps(_)
            | Effect::AwaitsAnswer
            | Effect::LooksAt(_)
            | Effect::Starts(..)
            | Effect::Joins(_)
            | Effect::Creates
            | Effect::CreatesPort
            | Effect::Removes
            | Effect::Inspects
            | Effect::Opens
            | Effect::UsesMemory => {}
        }
    }

    fn tell(&mut self, condition: Condition) {
        self.future.fulfils.push((condition, None));
    }

    fn own(&self) -> ProcessId {
        self.state.threads[self.thread.index()].process
    }

    fn add_receive(&mut self, receive: &Receive) {
        self.tell(Condition::MessageGone);
        let from = match &receive.from {
            From::These(sources) => self.places(sources, Direction::From),
            From::Anyone => {
                let links = self.state.processes[self.own().index()].inbox.links();
                links.map(Place::At).collect()
            }
        };
        let kind = receive.kind.as_ref().and_then(|kind| self.known_type(kind));
        for place in from {
            self.types.taken(place, kind.as_ref(), &mut |it| self.future.fulfils.push((it, None)));
        }
    }

    fn add_control(&mut self, command: Command, target: &Target) {
        let own = self.own();
        match target {
            Target::Threads(threads) => {
                let index = threads.index.as_ref().and_then(|index| self.known(index));
                let is_meant = |t: &ThreadId| {
                    let thread = &self.state.threads[t.index()];
                    let same = |index: &Value| *index == Value::Int(i64::from(thread.index));
                    thread.name == threads.name && index.as_ref().is_none_or(same)
                };
                for named in self.state.threads_of(own).filter(is_meant) {
                    self.commands(command, Controlled::Thread(named), None);
                }
            }
            Target::Processes(whom) => self.add_command(command, self.known(whom)),
        }
    }

    /// A command to this target; to anybody, if the target is not known.
    fn add_command(&mut self, command: Command, whom: Option<Value>) {
        match whom {
            None if command == Command::Suspend => {}
            None => self.tell(Condition::Anything),
            Some(Value::Handle(Handle::Process(process))) => {
                let is_free = process == self.own()
                    || self.machine.family_of(process).protection == Protection::Open;
                let needs = self.machine.task_port(process).filter(|_| !is_free);
                // Nobody has a right to a port that nothing mentions.
                if is_free || needs.is_some() {
                    self.commands(command, Controlled::Process(process), needs);
                }
            }
            Some(Value::List(list)) => {
                for item in list.items() {
                    self.add_command(command, Some(item.clone()));
                }
            }
            // Whatever this is, the call will fail.
            Some(_) => {}
        }
    }

    /// A message to the port of a process or thread is a command to it.
    fn add_command_by_message(&mut self, send: &Send, to: MailboxId) {
        let Receiver::Kernel(whom) = self.state.receiver_of(to) else { return };
        let said = self.known(&send.body);
        let is_meant = |command: &Command| match &said {
            None => true,
            Some(Value::Text(word)) => **word == *command.word(),
            Some(_) => false,
        };
        for command in Command::ALL.into_iter().filter(is_meant) {
            self.commands(command, whom, Some(to));
        }
    }

    /// What a command does. It may need a right to a port: by name if the process is protected, by message always.
    fn commands(&mut self, command: Command, whom: Controlled, needs: Option<MailboxId>) {
        let state = self.state;
        let (process, threads): (_, Vec<ThreadId>) = match whom {
            Controlled::Process(process) => (process, state.threads_of(process).collect()),
            Controlled::Thread(t) => (state.threads[t.index()].process, vec![t]),
        };
        let mut tell = |condition: Condition| self.future.fulfils.push((condition, needs));
        for t in threads.iter().copied() {
            match command {
                Command::Suspend => {}
                Command::Resume => tell(Condition::ThreadResumed(t)),
                Command::Interrupt => tell(Condition::ThreadInterrupted(t)),
                Command::Kill => tell(Condition::ThreadKilled(t)),
            }
        }
        match (command, whom) {
            (Command::Kill, Controlled::Process(_)) => tell(Condition::ProcessEnds(process)),
            (Command::Kill, Controlled::Thread(t)) => {
                // Whoever waits for this end lives on. If the whole process is killed, nobody is left to go on.
                tell(Condition::ThreadEnds(t));
                let is_living = |t: &ThreadId| !state.threads[t.index()].state.is_ended();
                // The process ends with its last thread.
                if state.threads_of(process).filter(is_living).all(|other| other == t) {
                    tell(Condition::ProcessEnds(process));
                }
            }
            (Command::Suspend | Command::Resume | Command::Interrupt, _) => {}
        }
    }

    /// A higher limit lets blocked senders in, as if something had been taken.
    fn changes(&mut self, object: &Expr) {
        for place in self.places(object, Direction::From) {
            self.tell(Condition::Changed(place));
        }
    }

    /// A copy of another thread may do what that one does.
    fn copies_siblings(&mut self) {
        if self.machine.policies.fork == Fork::AllThreads {
            self.tell(Condition::Anything);
        }
    }

    /// Its process goes on without its other threads, and perhaps without what it has open.
    fn replaces(&mut self) {
        self.closes_all();
        let siblings: Vec<ThreadId> =
            self.state.threads_of(self.own()).filter(|other| *other != self.thread).collect();
        for other in siblings {
            self.tell(Condition::ThreadKilled(other));
            self.tell(Condition::ThreadEnds(other));
        }
    }

    fn add_children(&mut self, spawn: &Spawn) {
        self.add_rights(&spawn.rights);
        let children = self.machine.children_of(spawn, self.own());
        let is_unborn =
            |child: &ProcessId| self.state.processes[child.index()].life == Life::Unborn;
        let granted = spawn.rights.iter();
        let ports: Vec<Place> =
            granted.flat_map(|grant| self.places(&grant.port, Direction::To)).collect();
        let spawned = children.filter(is_unborn).map(|child| (child, ports.clone()));
        self.future.spawns.extend(spawned);
    }

    fn add_rights(&mut self, grants: &[Grant]) {
        if !grants.is_empty() {
            self.future.add(Deed::PassesRights);
        }
        for Grant { port, disposition } in grants {
            match disposition {
                // Whoever receives from a port is told when its receive right goes.
                Disposition::MoveReceive => self.destroys(port),
                // Somebody will use it, or a notice comes.
                Disposition::MakeSendOnce => {
                    let answers = self.sent(&self.places(port, Direction::To), None);
                    self.future.lets_answer.extend(answers);
                }
                Disposition::MoveSend
                | Disposition::CopySend
                | Disposition::MakeSend
                | Disposition::MoveSendOnce
                | Disposition::File => {}
            }
        }
    }

    fn add_send(&mut self, send: &Send) {
        let to = self.known(&send.to);
        // A name server without a parent asks nobody.
        if let Some(Value::None) = to {
            return;
        }
        self.add_rights(&send.rights);
        if let Some(reply_to) = &send.reply_to
            && self.machine.has_ports()
        {
            let answers = self.sent(&self.places(reply_to, Direction::To), None);
            self.future.lets_answer.extend(answers);
        }
        let reached = match &send.to {
            // `${m.sender}` is some process.
            Expr::Field(_, Field::Sender) | Expr::ProcessMember(..) if to.is_none() => {
                vec![Place::LinkFrom(self.own()), Place::SomeLink]
            }
            _ => self.places_of(to.as_ref(), Direction::To),
        };
        let kind = match &send.kind {
            None => Some(Value::None),
            Some(kind) => self.known_type(kind),
        };
        for place in &reached {
            if let Place::At(mailbox) = place
                && self.machine.has_ports()
            {
                self.add_command_by_message(send, *mailbox);
            }
        }
        self.sends_to(&reached, kind.as_ref());
    }

    /// Messages go to these; nothing is known of their type unless one is given.
    fn sends_to(&mut self, places: &[Place], kind: Option<&Value>) {
        let sent = self.sent(places, kind);
        self.future.fulfils.extend(sent);
    }

    fn sent(&self, places: &[Place], kind: Option<&Value>) -> Vec<Fulfilled> {
        let mut sent = Vec::new();
        for place in places {
            let needs = match place {
                Place::At(port) => Some(*port),
                Place::LinkFrom(_) | Place::SomeLink | Place::Anywhere => None,
            };
            self.types.sent(*place, kind, &mut |condition| sent.push((condition, needs)));
        }
        sent
    }

    /// The value of a type, where anybody looks at types.
    fn known_type(&self, kind: &Expr) -> Option<Value> {
        if self.types.is_empty() { None } else { self.known(kind) }
    }

    fn add_watch(&mut self, watch: &Watch) {
        let notices = self.sent(&self.places(&watch.notify, Direction::To), None);
        self.future.asks_for_notices.extend(notices);
        self.add_notices_at_once(watch);
    }

    /// A `watch` for something that has already happened is answered at once; an earlier `watch` that it
    /// replaces is told that nothing will come.
    fn add_notices_at_once(&mut self, watch: &Watch) {
        let Watch { port, until, notify, sync } = watch;
        let Some(Value::Handle(Handle::Mailbox(port))) = self.known(port) else { return };
        let mailbox = &self.state.mailboxes[port.index()];
        let Some(object) = mailbox.port() else { return };
        let (has_come, before) = match until {
            Until::NoSenders => {
                let made = i64::from(object.made);
                let were_made = match sync {
                    None => made >= 1,
                    Some(sync) => match self.known(sync) {
                        Some(Value::Int(least)) => made >= least,
                        _ => true,
                    },
                };
                (were_made && !self.state.has_senders(port), object.no_senders)
            }
            Until::PortDestroyed => (false, object.destroyed),
            Until::DeadName => {
                let asked = &self.state.processes[self.own().index()].rights.dead_names;
                (mailbox.existence == Existence::Destroyed, asked.get(&port).copied())
            }
        };
        if has_come {
            self.sends_to(&self.places(notify, Direction::To), None);
        }
        if let Some(once) = before {
            self.sends_to(&[Place::At(once.port)], None);
        }
    }

    fn destroys(&mut self, object: &Expr) {
        for place in self.places(object, Direction::From) {
            self.tell(match place {
                Place::At(mailbox) => Condition::Destroyed(mailbox),
                Place::LinkFrom(_) | Place::SomeLink | Place::Anywhere => Condition::Anything,
            });
        }
    }

    /// What a descriptor of its process may stand for when it is used.
    fn open_as(&self, descriptor: Descriptor) -> impl Iterator<Item = Opened> + '_ {
        let own = self.own();
        let table = &self.state.processes[own.index()].descriptors;
        let is_own = descriptor.holder == own;
        let now = table.get(&descriptor.number).copied().filter(|_| is_own);
        let later = if is_own && self.numbers == Numbers::MayChange {
            self.all_that_can_be_open()
        } else {
            Vec::new()
        };
        now.into_iter().chain(later)
    }

    /// Everything that a process can have open, whoever has it open now.
    fn all_that_can_be_open(&self) -> Vec<Opened> {
        let objects = (0..).map(MailboxId).zip(&self.state.mailboxes);
        let opens = objects.filter(|(_, mailbox)| mailbox.object.needs_descriptor());
        let both = opens.flat_map(|(object, _)| {
            let on_exec = OnExec::Keep;
            [Access::Read, Access::Write].map(|access| Opened { object, access, on_exec })
        });
        both.collect()
    }

    fn closes(&mut self, descriptor: &Expr) {
        match self.known(descriptor) {
            Some(Value::Handle(Handle::File(descriptor))) => {
                let closed: Vec<Opened> = self.open_as(descriptor).collect();
                for opened in closed {
                    self.closes_one(opened);
                }
            }
            Some(_) => {}
            None => self.closes_all(),
        }
    }

    /// Its process may close everything that it has open, or that it will have when it is made.
    fn closes_all(&mut self) {
        let process = &self.state.processes[self.own().index()];
        let closed = if process.life == Life::Unborn || self.numbers == Numbers::MayChange {
            self.all_that_can_be_open()
        } else {
            process.descriptors.values().copied().collect()
        };
        for opened in closed {
            self.closes_one(opened);
        }
    }

    fn closes_one(&mut self, opened: Opened) {
        let Opened { object, access, on_exec: _ } = opened;
        self.tell(Condition::Closes(self.own(), object, access));
    }

    /// Its process gives up a right to send to a port.
    fn gives_up(&mut self, right: &Expr) {
        let own = self.own();
        let rights = &self.state.processes[own.index()].rights;
        for place in self.places(right, Direction::To) {
            match place {
                Place::At(port) => self.tell(Condition::LetGo(own, port)),
                Place::LinkFrom(_) | Place::SomeLink | Place::Anywhere => {
                    let send = rights.sent_to().map(|(port, _)| port);
                    let all = send.chain(rights.once.iter().map(|once| once.port));
                    all.for_each(|port| self.tell(Condition::LetGo(own, port)));
                }
            }
        }
    }

    fn places(&self, objects: &Expr, direction: Direction) -> Vec<Place> {
        self.places_of(self.known(objects).as_ref(), direction)
    }

    /// What a value stands for; any object if it is not known.
    fn places_of(&self, value: Option<&Value>, direction: Direction) -> Vec<Place> {
        let mut places = Vec::new();
        match value {
            None => places.push(Place::Anywhere),
            Some(value) => self.add_places(value, direction, &mut places),
        }
        places
    }

    fn add_places(&self, value: &Value, direction: Direction, places: &mut Vec<Place>) {
        match value {
            Value::Handle(Handle::Mailbox(mailbox)) => places.push(Place::At(*mailbox)),
            Value::Handle(Handle::File(descriptor)) => {
                places.extend(self.open_as(*descriptor).map(|opened| Place::At(opened.object)));
            }
            Value::Handle(Handle::Once(once)) => places.push(Place::At(once.port)),
            Value::Handle(Handle::Process(other)) => {
                let (from, to) = match direction {
                    Direction::To => (self.own(), *other),
                    Direction::From => (*other, self.own()),
                };
                match self.state.processes[to.index()].inbox.link(from) {
                    Some(link) => places.push(Place::At(link)),
                    // Nobody waits on a link that does not exist, except receivers from anyone.
                    None => places.extend(self.first_link(to, direction)),
                }
            }
            Value::List(list) => {
                for item in list.items() {
                    self.add_places(item, direction, places);
                }
            }
            // Whatever this is, the call will fail.
            _ => {}
        }
    }

    /// A first message to a process reaches those that receive from anyone.
    fn first_link(&self, to: ProcessId, direction: Direction) -> Option<Place> {
        let inbox = &self.state.processes[to.index()].inbox;
        let from_anyone = |t: &ThreadId| {
            let on = self.state.waits_for(*t);
            matches!(on, Some(BlockedOn::Receive { sources: Sources::Anyone, .. }))
        };
        let is_received =
            matches!(direction, Direction::To) && inbox.receivers.iter().any(from_anyone);
        // Any link will do: whoever receives from anyone waits on all of them.
        is_received.then(|| inbox.links().next().map_or(Place::SomeLink, Place::At))
    }

    /// The value of an expression, if nothing that is still to come can change it.
    pub(super) fn known(&self, expr: &Expr) -> Option<Value> {
        settled(self.machine, &self.state.threads[self.thread.index()], &self.written, expr)
    }
}

/// Whether a process is the destination or the source of a link.
#[derive(Clone, Copy)]
enum Direction {
    To,
    From,
}
