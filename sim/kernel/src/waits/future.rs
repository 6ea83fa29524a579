//! What a thread could still do: a walk over the code that is ahead of it.

use crate::expr::{Expr, Field, Function, Scope, Who};
use crate::ids::{MailboxId, Pc, ProcessId, ThreadId};
use crate::machine::{Capacity, Detect, Machine, MailboxKind, MailboxSpec, MemoryFull};
use crate::oracle::{Oracle, Question};
use crate::outcome::Outcome;
use crate::program::{
    Answer, Call, Command, Disposition, From, Grant, Inquiry, Op, Send, Spawn, Target, Time, Verb,
    Wait,
};
use crate::state::{BlockedOn, Life, Sources, State, Thread};
use crate::value::{Handle, Value};

/// Which objects a thread could reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach<T> {
    /// Some are known only at run time: it could be any.
    All,
    /// These.
    Some(Vec<T>),
}

/// What a thread could still do.
pub(super) struct Future {
    pub sends: Reach<MailboxId>,
    /// It could send to a process that is known only at run time.
    pub sends_to_processes: bool,
    pub receives: Reach<MailboxId>,
    pub destroys: Reach<MailboxId>,
    pub kills: Reach<ProcessId>,
    pub controls: Reach<ProcessId>,
    pub spawns: Reach<ProcessId>,
    pub kills_threads: bool,
    pub replies: bool,
    /// It asks its name server something.
    pub inquires: bool,
    /// It enters a name, for which others may wait.
    pub registers: bool,
    /// It could give others rights to the ports that its process has rights to.
    pub passes_rights: bool,
    /// It could come to its end.
    pub ends: bool,
    /// It could end its whole process: by `exit`, or by an exception.
    pub fails: bool,
    /// Its program says that the whole process ends: by `exit`, or by `fault`.
    pub exits: bool,
    /// Where its program sends to, with the type of the message where that is settled.
    pub sent: Vec<(MailboxId, Option<Value>)>,
    /// Where its program takes from, with the one type that it takes where there is one.
    pub taken: Vec<(MailboxId, Option<Value>)>,
    /// The ports to which it could give a right up.
    pub drops: Reach<MailboxId>,
}

/// From where on code lies ahead of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// From where it stands: the call that it waits in may be made again.
    Here,
    /// From behind that call, as if its wait were over.
    BehindItsWait,
}

impl<T: Ord> Reach<T> {
    pub(super) fn is_nothing(&self) -> bool {
        match self {
            Reach::All => false,
            Reach::Some(items) => items.is_empty(),
        }
    }

    fn add(&mut self, item: T) {
        if let Reach::Some(items) = self {
            items.push(item);
        }
    }

    /// Those that are known one by one.
    pub(super) fn each(&self) -> impl Iterator<Item = T> + '_
    where
        T: Copy,
    {
        let items: &[T] = match self {
            Reach::All => &[],
            Reach::Some(items) => items,
        };
        items.iter().copied()
    }

    fn join(&mut self, other: Self) {
        match (&mut *self, other) {
            (Reach::Some(items), Reach::Some(mut others)) => items.append(&mut others),
            (_, Reach::All) => *self = Reach::All,
            (Reach::All, Reach::Some(_)) => {}
        }
    }

    /// Forgets what was added twice.
    fn tidy(&mut self) {
        if let Reach::Some(items) = self {
            items.sort_unstable();
            items.dedup();
        }
    }
}

/// Marks that are used again for every walk.
pub(super) struct Scratch {
    /// The number of the walk that came by here last.
    visited: Vec<u32>,
    walk: u32,
    path: Vec<Pc>,
    open: Vec<Pc>,
    destroys_anything: bool,
    interrupts_anything: bool,
}

/// A thread, and which of its variables may change from now on.
struct Walker<'a> {
    machine: &'a Machine,
    state: &'a State,
    thread: ThreadId,
    written: Vec<bool>,
    destroys_anything: bool,
    interrupts_anything: bool,
}

impl Scratch {
    pub(super) fn new(machine: &Machine) -> Self {
        let destroys =
            |op: &Op| matches!(op, Op::Call(call) if matches!(call.verb, Verb::Destroy(_)));
        Self {
            visited: vec![0; machine.code.len()],
            walk: 0,
            path: Vec::new(),
            open: Vec::new(),
            destroys_anything: machine.code.iter().any(destroys),
            interrupts_anything: machine.interrupts(),
        }
    }

    /// Walks over all code that a thread could still come to; leaves it in `self.path`.
    fn walk(&mut self, machine: &Machine) {
        self.walk += 1;
        self.path.clear();
        while let Some(pc) = self.open.pop() {
            if std::mem::replace(&mut self.visited[pc.index()], self.walk) == self.walk {
                continue;
            }
            self.path.push(pc);
            machine.code[pc.index()].successors(pc, &mut self.open);
        }
    }

    /// The code of the last walk.
    pub(super) fn path(&self) -> impl Iterator<Item = Pc> + '_ {
        self.path.iter().copied()
    }

    pub(super) fn future(
        &mut self,
        machine: &Machine,
        state: &State,
        t: ThreadId,
        ahead: Ahead,
    ) -> Future {
        let thread = &state.threads[t.index()];
        let waits = state.waits_for(t).is_some();
        if waits && ahead == Ahead::BehindItsWait {
            machine.code[thread.pc.index()].successors(thread.pc, &mut self.open);
        } else {
            self.open.push(thread.pc);
        }
        self.walk(machine);
        let mut written = vec![false; thread.registers.len()];
        // What the call sets that it waits in is not there yet.
        for pc in self.path.iter().chain([&thread.pc]) {
            if let Some(register) = machine.code[pc.index()].writes() {
                written[register.index()] = true;
            }
        }
        let walker = Walker {
            machine,
            state,
            thread: t,
            written,
            destroys_anything: self.destroys_anything,
            interrupts_anything: self.interrupts_anything,
        };
        let mut future = Future {
            sends: Reach::Some(Vec::new()),
            sends_to_processes: false,
            receives: Reach::Some(Vec::new()),
            destroys: Reach::Some(Vec::new()),
            kills: Reach::Some(Vec::new()),
            controls: Reach::Some(Vec::new()),
            spawns: Reach::Some(Vec::new()),
            kills_threads: false,
            replies: false,
            inquires: false,
            registers: false,
            passes_rights: false,
            ends: false,
            fails: false,
            exits: false,
            sent: Vec::new(),
            taken: Vec::new(),
            drops: Reach::Some(Vec::new()),
        };
        for pc in &self.path {
            walker.add(&machine.code[pc.index()], &mut future);
        }
        for reach in [&mut future.sends, &mut future.receives, &mut future.destroys] {
            reach.tidy();
        }
        future.kills.tidy();
        future.controls.tidy();
        future
    }
}

impl Walker<'_> {
    fn add(&self, op: &Op, future: &mut Future) {
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
                self.add_call(&call.verb, future);
            }
        }
    }

    fn add_call(&self, verb: &Verb, future: &mut Future) {
        match verb {
            Verb::Call { request, answer: Answer::OfNames(inquiry) } => {
                future.inquires = true;
                future.registers |= *inquiry == Inquiry::Register;
                self.add_send(request, future);
            }
            Verb::Send(send) | Verb::Call { request: send, .. } => self.add_send(send, future),
            Verb::Receive(receive) => {
                let mut from = Reach::Some(Vec::new());
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
                let kind = receive.kind.as_ref().and_then(|kind| self.known(kind));
                future.taken.extend(from.each().map(|mailbox| (mailbox, kind.clone())));
                future.receives.join(from);
            }
            Verb::Reply(reply) => {
                future.replies = true;
                self.add_rights(&reply.rights, future);
            }
            Verb::Exit(_) | Verb::Fault(_) => {
                future.fails = true;
                future.exits = true;
            }
            Verb::Control(command, target) => self.add_control(*command, target, future),
            Verb::Spawn(spawn) => self.add_children(spawn, future),
            Verb::Destroy(object) => {
                self.add_mailboxes(object, Direction::From, &mut future.destroys);
            }
            Verb::Watch { notify, .. } => {
                self.add_mailboxes(notify, Direction::To, &mut future.sends);
            }
            // What the port holds comes to the set, and whoever waits at the port is refused.
            Verb::Insert { port, into } => {
                self.add_mailboxes(into, Direction::To, &mut future.sends);
                self.add_mailboxes(port, Direction::From, &mut future.destroys);
            }
            // A higher limit lets blocked senders in, as if something had been taken.
            Verb::Limit { port, .. } => {
                self.add_mailboxes(port, Direction::From, &mut future.receives);
            }
            Verb::Drop(right) => self.add_mailboxes(right, Direction::To, &mut future.drops),
            Verb::Select { .. }
            | Verb::Sleep(_)
            | Verb::Yield
            | Verb::StartThread { .. }
            | Verb::Join { .. }
            | Verb::Create { .. }
            | Verb::CreatePort { .. }
            | Verb::CreateSet { .. }
            | Verb::Remove { .. }
            | Verb::Inspect { .. }
            | Verb::Open { .. } => {}
        }
    }

    fn add_control(&self, command: Command, target: &Target, future: &mut Future) {
        let own = self.state.threads[self.thread.index()].process;
        match (command, target) {
            (Command::Suspend, _) => {}
            (Command::Kill, Target::Threads(_)) => future.kills_threads = true,
            (Command::Kill, Target::Processes(whom)) => {
                self.add_processes(whom, &mut future.kills);
            }
            (Command::Resume | Command::Interrupt, Target::Threads(_)) => future.controls.add(own),
            (Command::Resume | Command::Interrupt, Target::Processes(whom)) => {
                self.add_processes(whom, &mut future.controls);
            }
        }
    }

    fn add_children(&self, spawn: &Spawn, future: &mut Future) {
        self.add_rights(&spawn.rights, future);
        let own = self.state.threads[self.thread.index()].process;
        let children = spawn.children_of(self.machine, own);
        let is_unborn =
            |child: &ProcessId| self.state.processes[child.index()].life == Life::Unborn;
        children.filter(is_unborn).for_each(|child| future.spawns.add(child));
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
                    self.add_mailboxes(port, Direction::To, &mut future.sends);
                }
                Disposition::MoveSend
                | Disposition::CopySend
                | Disposition::MakeSend
                | Disposition::MoveSendOnce => {}
            }
        }
    }

    fn add_send(&self, send: &Send, future: &mut Future) {
        self.add_rights(&send.rights, future);
        if let Some(reply_to) = &send.reply_to
            && self.machine.has_ports()
        {
            self.add_mailboxes(reply_to, Direction::To, &mut future.sends);
        }
        // `${m.sender}` is a process, whichever.
        if let Expr::Field(_, Field::Sender) | Expr::ProcessMember(..) = &send.to
            && self.known(&send.to).is_none()
        {
            future.sends_to_processes = true;
        } else {
            let mut to = Reach::Some(Vec::new());
            self.add_mailboxes(&send.to, Direction::To, &mut to);
            let kind = match &send.kind {
                None => Some(Value::None),
                Some(kind) => self.known(kind),
            };
            future.sent.extend(to.each().map(|mailbox| (mailbox, kind.clone())));
            future.sends.join(to);
        }
    }

    fn add_mailboxes(&self, expr: &Expr, direction: Direction, reach: &mut Reach<MailboxId>) {
        match self.known(expr) {
            None => *reach = Reach::All,
            Some(value) => self.add_mailbox(&value, direction, reach),
        }
    }

    fn add_mailbox(&self, value: &Value, direction: Direction, reach: &mut Reach<MailboxId>) {
        let own = self.state.threads[self.thread.index()].process;
        match value {
            Value::Handle(Handle::Mailbox(mailbox) | Handle::File { mailbox, .. }) => {
                reach.add(*mailbox);
            }
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

    fn add_processes(&self, expr: &Expr, reach: &mut Reach<ProcessId>) {
        match self.known(expr) {
            None => *reach = Reach::All,
            Some(Value::Handle(Handle::Process(process))) => reach.add(process),
            Some(Value::List(list)) => {
                for item in list.items() {
                    match item {
                        Value::Handle(Handle::Process(process)) => reach.add(*process),
                        _ => *reach = Reach::All,
                    }
                }
            }
            Some(_) => {}
        }
    }

    /// The value of an expression, if nothing that is still to come can change it.
    fn known(&self, expr: &Expr) -> Option<Value> {
        settled(self.machine, &self.state.threads[self.thread.index()], &self.written, expr)
    }

    /// Whether a call could raise an exception. "No" only where that is certain.
    fn may_fail(&self, call: &Call) -> bool {
        let Walker { destroys_anything, interrupts_anything, .. } = *self;
        let handled = |outcome| call.handler(outcome).is_some();
        let refuses = self.machine.policies.detect != Detect::Report;
        let waits_safely = |wait: &Wait| match wait {
            Wait::Forever => !refuses || handled(Outcome::Deadlock),
            Wait::Never => handled(Outcome::WouldBlock),
            Wait::For(Time::Computed(_)) => false,
            Wait::For(Time::Span(_)) => handled(Outcome::TimedOut),
        };
        let dead = |exprs: &Expr| {
            handled(Outcome::Dead) || (!destroys_anything && self.are_open_mailboxes(exprs))
        };
        match &call.verb {
            Verb::Yield => false,
            _ if interrupts_anything && !handled(Outcome::Interrupted) => true,
            Verb::Sleep(time) => !matches!(time, Time::Span(_)),
            Verb::Send(send) => {
                let safe = waits_safely(&send.wait)
                    && dead(&send.to)
                    && is_safe_message(send)
                    && (handled(Outcome::NoMemory)
                        || self.machine.policies.memory_full == MemoryFull::Wait)
                    && (handled(Outcome::TooLarge) || self.takes_every_size(&send.to));
                !safe
            }
            Verb::Receive(receive) => {
                let safe = waits_safely(&receive.wait)
                    && receive.max_size.is_none()
                    && receive.kind.as_ref().is_none_or(is_safe)
                    && match &receive.from {
                        From::Anyone => true,
                        From::These(sources) => dead(sources),
                    };
                !safe
            }
            _ => true,
        }
    }

    fn are_open_mailboxes(&self, expr: &Expr) -> bool {
        self.all_mailboxes(expr, |_| true)
    }

    fn takes_every_size(&self, expr: &Expr) -> bool {
        self.machine.policies.memory.is_none()
            && self.all_mailboxes(expr, |mailbox| {
                let spec = &self.state.mailboxes[mailbox.index()].spec;
                spec.max_size == MailboxSpec::ANY_SIZE
                    && !matches!(spec.capacity, Capacity::Bytes(_))
            })
    }

    fn all_mailboxes(&self, expr: &Expr, good: impl Fn(MailboxId) -> bool + Copy) -> bool {
        let is_good = |value: &Value| match value {
            Value::Handle(Handle::Mailbox(mailbox)) => {
                self.state.mailboxes[mailbox.index()].spec.kind == MailboxKind::Open
                    && good(*mailbox)
            }
            _ => false,
        };
        match self.known(expr) {
            Some(Value::List(list)) => list.items().iter().all(is_good),
            Some(value) => is_good(&value),
            None => false,
        }
    }
}

/// The value that an expression has for a thread, if it asks nobody and reads none of the variables that
/// are marked as still to be written.
pub fn settled(machine: &Machine, thread: &Thread, written: &[bool], expr: &Expr) -> Option<Value> {
    if !is_settled(expr, written) {
        return None;
    }
    let mut scope = Scope {
        machine,
        registers: &thread.registers,
        who: Who::of(machine, thread),
        status: thread.status,
        oracle: &mut Nobody,
        handled: 0,
    };
    // An exception here is one that the thread will raise: then it reaches nothing.
    Some(scope.eval(expr).unwrap_or(Value::None))
}

fn is_settled(expr: &Expr, written: &[bool]) -> bool {
    match expr {
        Expr::Variable(register) => !written.get(register.index()).is_some_and(|it| *it),
        // A thread started from this one has an index of its own.
        Expr::Status | Expr::ThreadIndex => false,
        Expr::Function(Function::Random | Function::Now, _) => false,
        other => other.children().into_iter().all(|child| is_settled(child, written)),
    }
}

/// Whether a process is the destination or the source of a link.
#[derive(Clone, Copy)]
enum Direction {
    To,
    From,
}

/// Whether computing this can raise no exception.
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

/// Answers no question: what is settled asks none.
struct Nobody;

impl Oracle for Nobody {
    fn choose(&mut self, question: Question) -> u64 {
        unreachable!("a settled expression asks nothing, not {question:?}")
    }

    fn now_ns(&mut self) -> i64 {
        unreachable!("a settled expression does not ask for the time")
    }
}
