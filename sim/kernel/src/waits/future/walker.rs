//! Operation by operation: what each adds to what a thread could do.

use ipcsim_program::{
    Call, Capacity, Command, Disposition, Effect, Expr, Field, From, Grant, Handle, Inquiry,
    MailboxId, Op, Outcome, ProcessId, Receive, Send, Spawn, Target, ThreadId, Time, Until, Value,
    Wait, Watch,
};

use crate::machine::{Detect, Machine, MemoryFull, Protection};
use crate::object::mailbox::{Existence, Object};
use crate::object::port::{Controlled, Receiver};
use crate::object::queue::QueueSpec;
use crate::state::{BlockedOn, Life, Sources, State};

use super::settled::settled;
use super::{Commanded, Detail, Future, Reach};

/// A thread, and which of its variables may change from now on.
pub(super) struct Walker<'a> {
    pub machine: &'a Machine,
    pub state: &'a State,
    pub thread: ThreadId,
    pub written: Vec<bool>,
    pub detail: Detail,
    pub destroys_anything: bool,
    pub interrupts_anything: bool,
}

impl Walker<'_> {
    pub(super) fn add(&self, op: &Op, future: &mut Future) {
        match op {
            Op::End => future.ends = true,
            Op::Assert(_) | Op::ForNext { .. } => future.fails = true,
            Op::Set(_, expr) | Op::Log(expr) => future.fails |= !is_safe(expr),
            Op::Unless(..) | Op::RepeatStart { .. } | Op::Compute(_) => {
                future.fails |= !is_safe_local(op);
            }
            Op::Jump(_) | Op::RepeatNext { .. } | Op::Choose(_) => {}
            Op::Call(call) => {
                future.fails |= self.may_fail(call);
                call.verb.effects(&mut |effect| self.add_effect(effect, future));
            }
        }
    }

    fn add_effect(&self, effect: Effect, future: &mut Future) {
        match effect {
            Effect::Sends(send) => self.add_send(send, future),
            Effect::Asks(inquiry) => {
                future.inquires = true;
                future.registers |= inquiry == Inquiry::Register;
            }
            Effect::Receives(receive) => self.add_receive(receive, future),
            Effect::Answers(reply) => {
                future.replies = true;
                future.answers_what_comes |= self.known(&reply.to).is_none();
                self.add_rights(&reply.rights, future);
            }
            Effect::Exits(_) | Effect::Raises => {
                future.fails = true;
                future.exits = true;
            }
            Effect::Commands(command, target) => self.add_control(command, target, future),
            Effect::Spawns(spawn) => self.add_children(spawn, future),
            Effect::Destroys(object) => {
                future.frees_memory = true;
                self.add_mailboxes(object, Direction::From, &mut future.destroys);
            }
            Effect::Watches(Watch { port, until, notify }) => {
                self.add_mailboxes(notify, Direction::To, &mut future.asks_for_notices);
                self.add_notices_at_once(port, *until, notify, future);
            }
            // What the port holds moves to the set, and whoever waits at the port is refused.
            Effect::Inserts { port, set } => {
                self.add_sends_of_any_type(set, future);
                self.add_mailboxes(port, Direction::From, &mut future.destroys);
            }
            // A higher limit lets blocked senders in, as if something had been taken.
            Effect::SetsLimit(port) => {
                self.add_mailboxes(port, Direction::From, &mut future.receives);
                self.add_mailboxes(port, Direction::From, &mut future.limits);
            }
            Effect::GivesUp(right) => self.add_mailboxes(right, Direction::To, &mut future.drops),
            Effect::Reads(_)
            | Effect::Writes(_)
            | Effect::KeepsStatus
            | Effect::HasNoEvent
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
            | Effect::Opens => {}
        }
    }

    fn add_receive(&self, receive: &Receive, future: &mut Future) {
        future.frees_memory = true;
        let mut from = Reach::default();
        match &receive.from {
            From::These(sources) => {
                self.add_mailboxes(sources, Direction::From, &mut from);
            }
            From::Anyone => {
                let own = self.state.threads[self.thread.index()].process;
                let links = self.state.processes[own.index()].inbox.links();
                links.for_each(|link| from.add(link));
            }
        }
        if self.detail == Detail::Types {
            let kind = receive.kind.as_ref().and_then(|kind| self.known(kind));
            future.taken.add(&from, kind);
        }
        future.receives.join(from);
    }

    fn add_control(&self, command: Command, target: &Target, future: &mut Future) {
        let own = self.state.threads[self.thread.index()].process;
        match target {
            Target::Threads(threads) => {
                let index = threads.index.as_ref().and_then(|index| self.known(index));
                let is_meant = |t: &ThreadId| {
                    let thread = &self.state.threads[t.index()];
                    let same = |index: &Value| *index == Value::Int(i64::from(thread.index));
                    thread.name == threads.name && index.as_ref().is_none_or(same)
                };
                let named = self.state.threads_of(own).filter(is_meant);
                let whom = named.map(Controlled::Thread);
                future.commands.extend(whom.map(|whom| Commanded { command, whom, needs: None }));
            }
            Target::Processes(whom) => self.add_command(command, self.known(whom), future),
        }
    }

    /// A command to this target; to anybody, if the target is not known.
    fn add_command(&self, command: Command, whom: Option<Value>, future: &mut Future) {
        match whom {
            None => future.commands_to_anybody.push(command),
            Some(Value::Handle(Handle::Process(process))) => {
                let own = self.state.threads[self.thread.index()].process;
                let is_free = process == own
                    || self.machine.family_of(process).protection == Protection::Open;
                let needs = self.machine.task_port(process).filter(|_| !is_free);
                // Nobody has a right to a port that nothing mentions.
                if is_free || needs.is_some() {
                    let whom = Controlled::Process(process);
                    future.commands.push(Commanded { command, whom, needs });
                }
            }
            Some(Value::List(list)) => {
                for item in list.items() {
                    self.add_command(command, Some(item.clone()), future);
                }
            }
            // Whatever this is, the call will fail.
            Some(_) => {}
        }
    }

    /// A message to the port of a process or thread is a command to it.
    fn add_command_by_message(&self, send: &Send, to: MailboxId, future: &mut Future) {
        let Receiver::Kernel(whom) = self.state.receiver_of(to) else { return };
        let said = self.known(&send.body);
        let is_meant = |command: &Command| match &said {
            None => true,
            Some(Value::Text(word)) => **word == *command.word(),
            Some(_) => false,
        };
        let commands = Command::ALL.into_iter().filter(is_meant);
        let needs = Some(to);
        future.commands.extend(commands.map(|command| Commanded { command, whom, needs }));
    }

    fn add_children(&self, spawn: &Spawn, future: &mut Future) {
        self.add_rights(&spawn.rights, future);
        let own = self.state.threads[self.thread.index()].process;
        let children = self.machine.children_of(spawn, own);
        let is_unborn =
            |child: &ProcessId| self.state.processes[child.index()].life == Life::Unborn;
        let mut ports = Reach::default();
        for Grant { port, .. } in &spawn.rights {
            self.add_mailboxes(port, Direction::To, &mut ports);
        }
        let spawned = children.filter(is_unborn).map(|child| (child, ports.clone()));
        future.spawns.extend(spawned);
    }

    fn add_rights(&self, grants: &[Grant], future: &mut Future) {
        future.passes_rights |= !grants.is_empty();
        // Whoever receives from a port is told when its receive right goes.
        for Grant { port, disposition } in grants {
            match disposition {
                Disposition::MoveReceive => {
                    self.add_mailboxes(port, Direction::From, &mut future.destroys);
                }
                // Somebody will use it, or a notice comes.
                Disposition::MakeSendOnce => {
                    self.add_mailboxes(port, Direction::To, &mut future.lets_answer);
                }
                Disposition::MoveSend
                | Disposition::CopySend
                | Disposition::MakeSend
                | Disposition::MoveSendOnce => {}
            }
        }
    }

    fn add_send(&self, send: &Send, future: &mut Future) {
        let to = self.known(&send.to);
        // A name server without a parent asks nobody.
        if let Some(Value::None) = to {
            return;
        }
        self.add_rights(&send.rights, future);
        if let Some(reply_to) = &send.reply_to
            && self.machine.has_ports()
        {
            self.add_mailboxes(reply_to, Direction::To, &mut future.lets_answer);
        }
        // `${m.sender}` is some process.
        if let Expr::Field(_, Field::Sender) | Expr::ProcessMember(..) = &send.to
            && to.is_none()
        {
            future.sends_to_processes.push(self.type_of(send));
            return;
        }
        let mut reached = Reach::default();
        self.add_these(to.as_ref(), Direction::To, &mut reached);
        if self.machine.has_ports() {
            for mailbox in reached.each() {
                self.add_command_by_message(send, mailbox, future);
            }
        }
        if self.detail == Detail::Types {
            future.sent.add(&reached, self.type_of(send));
        }
        future.sends.join(reached);
    }

    /// The type of a message, where it is known.
    fn type_of(&self, send: &Send) -> Option<Value> {
        match &send.kind {
            None => Some(Value::None),
            Some(kind) => self.known(kind),
        }
    }

    /// A `watch` for something that has already happened is answered at once; an earlier `watch` that it
    /// replaces is told that nothing will come.
    fn add_notices_at_once(&self, port: &Expr, until: Until, notify: &Expr, future: &mut Future) {
        let Some(Value::Handle(Handle::Mailbox(port))) = self.known(port) else { return };
        let mailbox = &self.state.mailboxes[port.index()];
        let Some(object) = mailbox.port() else { return };
        let own = self.state.threads[self.thread.index()].process;
        let (has_come, before) = match until {
            Until::NoSenders => {
                (object.made > 0 && !self.state.has_senders(port), object.no_senders)
            }
            Until::PortDestroyed => (false, object.destroyed),
            Until::DeadName => {
                let asked = &self.state.processes[own.index()].rights.dead_names;
                (mailbox.existence == Existence::Destroyed, asked.get(&port).copied())
            }
        };
        if has_come {
            self.add_sends_of_any_type(notify, future);
        }
        if let Some(once) = before {
            future.sends.add(once.port);
            future.sent.there.push((once.port, None));
        }
    }

    /// Something goes there whose type no `send` has given.
    fn add_sends_of_any_type(&self, to: &Expr, future: &mut Future) {
        let mut reached = Reach::default();
        self.add_mailboxes(to, Direction::To, &mut reached);
        future.sent.add(&reached, None);
        future.sends.join(reached);
    }

    fn add_mailboxes(&self, expr: &Expr, direction: Direction, reach: &mut Reach<MailboxId>) {
        self.add_these(self.known(expr).as_ref(), direction, reach);
    }

    /// What a value stands for; all objects if it is not known.
    fn add_these(&self, value: Option<&Value>, direction: Direction, reach: &mut Reach<MailboxId>) {
        match value {
            None => *reach = Reach::All,
            Some(value) => self.add_mailbox(value, direction, reach),
        }
    }

    fn add_mailbox(&self, value: &Value, direction: Direction, reach: &mut Reach<MailboxId>) {
        let own = self.state.threads[self.thread.index()].process;
        match value {
            Value::Handle(Handle::Mailbox(mailbox) | Handle::File { mailbox, .. }) => {
                reach.add(*mailbox);
            }
            Value::Handle(Handle::Once(once)) => reach.add(once.port),
            Value::Handle(Handle::Process(other)) => {
                let (from, to) = match direction {
                    Direction::To => (own, *other),
                    Direction::From => (*other, own),
                };
                match self.state.processes[to.index()].inbox.link(from) {
                    Some(link) => reach.add(link),
                    // Nobody waits on a link that does not exist, except receivers from anyone.
                    None => self.add_first_link(to, direction, reach),
                }
            }
            Value::List(list) => {
                for item in list.items() {
                    self.add_mailbox(item, direction, reach);
                }
            }
            // Whatever this is, the call will fail.
            _ => {}
        }
    }

    /// A first message to a process reaches those that receive from anyone.
    fn add_first_link(&self, to: ProcessId, direction: Direction, reach: &mut Reach<MailboxId>) {
        let inbox = &self.state.processes[to.index()].inbox;
        let from_anyone = |t: &ThreadId| {
            let on = self.state.waits_for(*t);
            matches!(on, Some(BlockedOn::Receive { sources: Sources::Anyone, .. }))
        };
        if matches!(direction, Direction::To) && inbox.receivers.iter().any(from_anyone) {
            match inbox.links().next() {
                // Any link will do: whoever receives from anyone waits on all of them.
                Some(link) => reach.add(link),
                None => *reach = Reach::All,
            }
        }
    }

    /// The value of an expression, if nothing that is still to come can change it.
    fn known(&self, expr: &Expr) -> Option<Value> {
        settled(self.machine, &self.state.threads[self.thread.index()], &self.written, expr)
    }

    /// Whether a call could raise an exception. "No" only where that is certain.
    fn may_fail(&self, call: &Call) -> bool {
        let handled = |outcome| call.handler(outcome).is_some();
        call.verb.may(|effect| match effect {
            Effect::Reads(_) | Effect::Writes(_) | Effect::HasNoEvent | Effect::IsAbout(..) => {
                false
            }
            Effect::Waits(wait) => self.may_be_interrupted(call) || !self.waits_safely(call, wait),
            Effect::Sleeps(time) => self.may_be_interrupted(call) || time.expression().is_some(),
            Effect::Joins(threads) => threads.index.is_some(),
            Effect::Sends(send) => {
                let has_memory = handled(Outcome::NoMemory)
                    || self.machine.policies.memory_full == MemoryFull::Wait;
                let fits = handled(Outcome::TooLarge) || self.takes_every_size(&send.to);
                !(has_memory && fits && self.may_use(call, &send.to) && is_safe_message(send))
            }
            Effect::Receives(receive) => {
                let knows_from = match &receive.from {
                    From::Anyone => true,
                    From::These(sources) => self.may_use(call, sources),
                };
                let is_safe_type = receive.kind.as_ref().is_none_or(is_safe);
                !(knows_from && is_safe_type && receive.max_size.is_none())
            }
            _ => true,
        })
    }

    fn may_be_interrupted(&self, call: &Call) -> bool {
        self.interrupts_anything && call.handler(Outcome::Interrupted).is_none()
    }

    /// Whether a wait raises no exception, whether it ends or not.
    fn waits_safely(&self, call: &Call, wait: &Wait) -> bool {
        let handled = |outcome| call.handler(outcome).is_some();
        match wait {
            Wait::Forever => {
                self.machine.policies.detect == Detect::Report || handled(Outcome::Deadlock)
            }
            Wait::Never => handled(Outcome::WouldBlock),
            Wait::For(time) => time.expression().is_none() && handled(Outcome::TimedOut),
        }
    }

    /// Whether the object of a call exists, may be used and will still exist, or the call handles that.
    fn may_use(&self, call: &Call, objects: &Expr) -> bool {
        let handled = |outcome| call.handler(outcome).is_some();
        let may_lack_rights = handled(Outcome::NoRight) && handled(Outcome::Refused);
        (handled(Outcome::Dead) && self.are_objects(objects, may_lack_rights))
            || (!self.destroys_anything && self.are_open_mailboxes(objects))
    }

    /// Whether a message can be sent there, or received from there, if they live. A right may be missing where
    /// that is handled.
    fn are_objects(&self, expr: &Expr, may_lack_rights: bool) -> bool {
        self.are_all(expr, |value| match value {
            Value::Handle(Handle::Mailbox(mailbox)) => {
                let object = &self.state.mailboxes[mailbox.index()].object;
                *object == Object::Open || may_lack_rights
            }
            Value::Handle(Handle::Process(_)) => true,
            Value::Handle(Handle::File { .. }) => may_lack_rights,
            _ => false,
        })
    }

    fn are_open_mailboxes(&self, expr: &Expr) -> bool {
        self.all_mailboxes(expr, |_| true)
    }

    fn takes_every_size(&self, expr: &Expr) -> bool {
        self.machine.policies.memory.is_none()
            && self.all_mailboxes(expr, |mailbox| {
                let spec = &self.state.mailboxes[mailbox.index()].spec;
                spec.max_size == QueueSpec::ANY_SIZE && !matches!(spec.capacity, Capacity::Bytes(_))
            })
    }

    fn all_mailboxes(&self, expr: &Expr, good: impl Fn(MailboxId) -> bool + Copy) -> bool {
        let is_good = |value: &Value| match value {
            Value::Handle(Handle::Mailbox(mailbox)) => {
                self.state.mailboxes[mailbox.index()].object == Object::Open && good(*mailbox)
            }
            _ => false,
        };
        self.are_all(expr, is_good)
    }

    /// Whether the value of an expression is certain, and good; for a list, each item.
    fn are_all(&self, expr: &Expr, is_good: impl Fn(&Value) -> bool) -> bool {
        match self.known(expr) {
            Some(Value::List(list)) => list.items().iter().all(is_good),
            Some(value) => is_good(&value),
            None => false,
        }
    }
}

/// Whether a process is the destination or the source of a link.
#[derive(Clone, Copy)]
enum Direction {
    To,
    From,
}

/// Whether evaluating this can raise no exception.
fn is_safe(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Constant(_)
            | Expr::Variable(_)
            | Expr::Me
            | Expr::Index
            | Expr::ThreadIndex
            | Expr::Status
    )
}

fn is_safe_local(op: &Op) -> bool {
    match op {
        Op::Compute(Time::Span(_)) => true,
        Op::Unless(condition, _) => {
            matches!(condition, Expr::Constant(Value::True | Value::False))
        }
        Op::RepeatStart { rounds, .. } => matches!(rounds, Expr::Constant(Value::Int(0..))),
        _ => false,
    }
}

fn is_safe_message(send: &Send) -> bool {
    let constant = |expr: &Expr| matches!(expr, Expr::Constant(_));
    is_safe(&send.body)
        && send.size.as_ref().is_none_or(constant)
        && send.kind.as_ref().is_none_or(is_safe)
        && send.priority.as_ref().is_none_or(constant)
        && send.reply_to.as_ref().is_none_or(constant)
}
