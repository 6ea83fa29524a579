//! What a thread could still do: a walk over the code ahead of it.

mod raising;
mod settled;
mod walker;

use ipcsim_program::{
    self as program, Disposition, Edges, Effect, Grant, MailboxId, Pc, ProcessId, ThreadId, Tour,
    Walking,
};

use super::condition::{Condition, Place, Types};
use crate::machine::Machine;
use crate::state::{Life, State};
pub use settled::settled;
use walker::Walker;

/// A condition, and the port to which a process needs a right in order to fulfil it.
pub(super) type Fulfilled = (Condition, Option<MailboxId>);

/// What a thread could still do.
#[derive(Default)]
pub(super) struct Future {
    /// What its code could fulfil.
    pub fulfils: Vec<Fulfilled>,
    /// What others may send later, by send-once rights that it makes.
    pub lets_answer: Vec<Fulfilled>,
    /// The notices that the kernel may send later at its request.
    pub asks_for_notices: Vec<Fulfilled>,
    /// The processes that it could make, and where it would give them rights to.
    pub spawns: Vec<(ProcessId, Vec<Place>)>,
    deeds: Vec<Deed>,
}

/// What else a thread could do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// It answers a message.
    Replies,
    /// It answers a message that it has not received yet.
    AnswersWhatComes,
    /// It asks its name server something.
    Inquires,
    /// It registers a name that others may wait for.
    Registers,
    /// It gives others rights to the ports that its process has rights to.
    PassesRights,
    /// It reaches its end.
    Ends,
    /// It ends its whole process: by `exit`, or by an exception.
    Fails,
    /// Its program says that the whole process ends: by `exit`, or by `fault`.
    Exits,
}

impl Future {
    pub(super) fn could(&self, deed: Deed) -> bool {
        self.deeds.contains(&deed)
    }

    fn add(&mut self, deed: Deed) {
        if !self.could(deed) {
            self.deeds.push(deed);
        }
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

/// What others may do to a call from outside, if anybody does it in this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Danger {
    Destruction,
    Interrupt,
    /// A message may bring a descriptor.
    File,
}

/// What the numbers of descriptors stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    /// What they stand for now, or nothing.
    Stay,
    /// After a `close`, perhaps something else.
    MayChange,
}

/// Buffers that are reused for every thread.
pub(super) struct Scratch {
    tour: Tour,
    path: Vec<Pc>,
    dangers: Vec<Danger>,
}

impl Scratch {
    pub(super) fn new(machine: &Machine) -> Self {
        let destroys = machine.any_call(|effect| matches!(effect, Effect::Destroys(_)));
        let destruction = destroys.then_some(Danger::Destruction);
        let interrupt = machine.interrupts().then_some(Danger::Interrupt);
        let carries =
            |grants: &[Grant]| grants.iter().any(|grant| grant.disposition == Disposition::File);
        let passes = machine.any_call(|effect| match effect {
            Effect::Sends(send) => carries(&send.rights),
            Effect::Answers(reply) => carries(&reply.rights),
            _ => false,
        });
        let file = passes.then_some(Danger::File);
        let dangers = destruction.into_iter().chain(interrupt).chain(file).collect();
        Self { tour: Tour::over(&machine.code), path: Vec::new(), dangers }
    }

    /// The code of the last walk.
    pub(super) fn path(&self) -> impl Iterator<Item = Pc> + '_ {
        self.path.iter().copied()
    }

    fn numbers(&self, machine: &Machine) -> Numbers {
        let has = |such: fn(Effect) -> bool| {
            self.path.iter().any(|pc| machine.code[pc.index()].may(such))
        };
        let opens =
            self.dangers.contains(&Danger::File) || has(|effect| matches!(effect, Effect::Opens));
        if opens && has(|effect| matches!(effect, Effect::Closes(_))) {
            Numbers::MayChange
        } else {
            Numbers::Stay
        }
    }

    pub(super) fn future(
        &mut self,
        machine: &Machine,
        (state, t): (&State, ThreadId),
        types: &Types,
        ahead: Ahead,
    ) -> Future {
        let thread = &state.threads[t.index()];
        let waits = state.waits_for(t).is_some();
        let mut starts = Vec::new();
        match ahead {
            Ahead::BehindItsWait if thread.raised().is_some_and(|it| it.fault.is_for_good()) => {}
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
        let is_unborn = state.processes[thread.process.index()].life == Life::Unborn;
        let goes_on_elsewhere =
            |pc: &Pc| machine.code[pc.index()].may(|effect| matches!(effect, Effect::Replaces(_)));
        let mut written = if is_unborn || self.path.iter().any(goes_on_elsewhere) {
            // Its variables are set when it is made, or are those of another program.
            vec![true; machine.most_registers()]
        } else {
            vec![false; thread.registers.len()]
        };
        // The call that it waits in has not set its variable yet.
        for pc in self.path.iter().chain([&thread.pc]) {
            for register in machine.code[pc.index()].writes() {
                written[register.index()] = true;
            }
        }
        let future = Future::default();
        let numbers = self.numbers(machine);
        let mut walker = Walker {
            machine,
            state,
            thread: t,
            types,
            written,
            numbers,
            dangers: &self.dangers,
            future,
        };
        self.path.iter().for_each(|pc| walker.add(&machine.code[pc.index()]));
        let mut future = walker.future;
        future.fulfils.sort_unstable();
        future.fulfils.dedup();
        future
    }
}
