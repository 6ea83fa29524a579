//! What a thread could still do: a walk over the code ahead of it.

mod settled;
mod walker;

use ipcsim_program::{
    self as program, Command, Edges, Effect, MailboxId, Pc, ProcessId, ThreadId, Tour, Value,
    Walking,
};

use crate::machine::Machine;
use crate::object::port::Controlled;
use crate::state::State;
use crate::waits::condition::Condition;
pub use settled::settled;
use walker::Walker;

/// Which objects a thread could reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach<T> {
    /// Some are known only at run time: it could be any object.
    All,
    /// These.
    Some(Vec<T>),
}

/// What a thread could still do.
#[derive(Default)]
pub(super) struct Future {
    pub sends: Reach<MailboxId>,
    /// The types of messages that it could send to processes known only at run time.
    pub sends_to_processes: Vec<Option<Value>>,
    /// The ports to which others may send later, by a send-once right that it makes.
    pub lets_answer: Reach<MailboxId>,
    /// The ports to which the kernel may later send a notice that it requests.
    pub asks_for_notices: Reach<MailboxId>,
    pub receives: Reach<MailboxId>,
    /// The ports whose limit it could set.
    pub limits: Reach<MailboxId>,
    /// It could free kernel memory: by a receive, from whomever, or by destroying something.
    pub frees_memory: bool,
    pub destroys: Reach<MailboxId>,
    /// What it could do to processes and threads.
    pub commands: Vec<Commanded>,
    /// What it could do to processes that are known only at run time.
    pub commands_to_anybody: Vec<Command>,
    /// The processes that it could make, with the ports to which it would give them rights.
    pub spawns: Vec<(ProcessId, Reach<MailboxId>)>,
    pub replies: bool,
    /// It answers a message that it has not received yet.
    pub answers_what_comes: bool,
    /// It asks its name server something.
    pub inquires: bool,
    /// It registers a name that others may wait for.
    pub registers: bool,
    /// It could give others rights to the ports that its process has rights to.
    pub passes_rights: bool,
    /// It could reach its end.
    pub ends: bool,
    /// It could end its whole process: by `exit`, or by an exception.
    pub fails: bool,
    /// Its program says that the whole process ends: by `exit`, or by `fault`.
    pub exits: bool,
    /// The types of the messages that its program sends.
    pub sent: Types,
    /// The types that its program takes.
    pub taken: Types,
    /// The ports to which it could give up a right.
    pub drops: Reach<MailboxId>,
}

/// What a thread could do to a process or a thread.
#[derive(Clone, Copy)]
pub(super) struct Commanded {
    pub command: Command,
    pub whom: Controlled,
    /// The port that this needs a right to: by name only if the process is protected, by message always.
    pub needs: Option<MailboxId>,
}

/// Types of messages by destination or source. `None` is a type known only at run time, or any type.
#[derive(Default)]
pub(super) struct Types {
    /// At objects that are known.
    pub there: Vec<(MailboxId, Option<Value>)>,
    /// At objects that are known only at run time.
    pub elsewhere: Vec<Option<Value>>,
}

impl Types {
    fn add(&mut self, objects: &Reach<MailboxId>, kind: Option<Value>) {
        match objects {
            Reach::All => self.elsewhere.push(kind),
            Reach::Some(objects) => {
                self.there.extend(objects.iter().map(|object| (*object, kind.clone())));
            }
        }
    }

    /// The types that go to an object, or come from there, if all of them are known.
    pub(super) fn all_at(&self, object: MailboxId) -> Option<Vec<&Value>> {
        let here = self.there.iter().filter(|(at, _)| *at == object);
        let kinds: Option<Vec<&Value>> = here.map(|(_, kind)| kind.as_ref()).collect();
        kinds.filter(|kinds| !kinds.is_empty())
    }
}

/// Where the code ahead of a thread begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// From where it stands: the call that it waits in may be made again.
    Here,
    /// After that call, as if its wait were over.
    BehindItsWait,
}

impl<T> Default for Reach<T> {
    fn default() -> Self {
        Reach::Some(Vec::new())
    }
}

impl<T: Ord> Reach<T> {
    fn add(&mut self, item: T) {
        if let Reach::Some(items) = self {
            items.push(item);
        }
    }

    /// Adds one condition for each of them, or one for all.
    pub(super) fn tell(&self, one: impl Fn(T) -> Condition, all: Condition, to: &mut Vec<Condition>)
    where
        T: Copy,
    {
        match self {
            Reach::All => to.push(all),
            Reach::Some(items) => to.extend(items.iter().map(|item| one(*item))),
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

    pub(super) fn join(&mut self, other: Self) {
        match (&mut *self, other) {
            (Reach::Some(items), Reach::Some(others)) if items.is_empty() => *items = others,
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

/// How detailed a thread's future is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Which objects it reaches.
    Objects,
    /// With what types of messages, too.
    Types,
}

/// Buffers that are reused for every thread.
pub(super) struct Scratch {
    tour: Tour,
    path: Vec<Pc>,
    detail: Detail,
    destroys_anything: bool,
    interrupts_anything: bool,
}

impl Scratch {
    pub(super) fn new(machine: &Machine, detail: Detail) -> Self {
        Self {
            tour: Tour::over(&machine.code),
            path: Vec::new(),
            detail,
            destroys_anything: machine.any_call(|effect| matches!(effect, Effect::Destroys(_))),
            interrupts_anything: machine.interrupts(),
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
        let mut starts = Vec::new();
        match ahead {
            Ahead::BehindItsWait if waits && thread.raised().is_some() => {
                starts.push(program::behind(&machine.code, thread.pc));
            }
            Ahead::BehindItsWait if waits => {
                machine.code[thread.pc.index()].successors(thread.pc, &mut starts);
            }
            Ahead::BehindItsWait | Ahead::Here => starts.push(thread.pc),
        }
        self.path.clear();
        self.tour.walk(&machine.code, starts, Edges::Possible, |pc, _| {
            self.path.push(pc);
            Walking::On
        });
        let mut written = vec![false; thread.registers.len()];
        // The call that it waits in has not set its variable yet.
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
            detail: self.detail,
            destroys_anything: self.destroys_anything,
            interrupts_anything: self.interrupts_anything,
        };
        let mut future = Future::default();
        for pc in &self.path {
            walker.add(&machine.code[pc.index()], &mut future);
        }
        for reach in [
            &mut future.sends,
            &mut future.lets_answer,
            &mut future.asks_for_notices,
            &mut future.receives,
            &mut future.destroys,
        ] {
            reach.tidy();
        }
        future
    }
}
