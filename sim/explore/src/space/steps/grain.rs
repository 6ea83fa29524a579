//! What counts as one step of a schedule: how much local work belongs to the step before it.
//!
//! Local work is invisible to others, so it is merged with the call before it: the order in which several threads
//! do theirs makes no difference. Two kinds of local work *are* visible: an assignment to a variable that a claim
//! reads, and a line of a log that is kept. Work with such an operation is a step of its own, and other threads can
//! come in between: they may even end the thread before it gets there.
//!
//! `compute` takes no time here, but in a run other threads act while a thread computes. So local
//! work stops at a `compute` that something visible follows, or that lies in a loop without calls,
//! which would otherwise be an endless step.

use std::collections::BTreeSet;

use ipcsim_kernel::program::{Edges, Op, Tour, Walking, look_ahead, reachable};
use ipcsim_kernel::{Computing, Machine, Pc, Probe, Register, State, ThreadId};

use super::super::codec::parts::Is;
use super::super::{Log, Looks, Reduction, Reductions};

/// What counts as one step of a schedule.
#[derive(Clone, Debug)]
pub struct Grain {
    merge: Reduction,
    /// Whether calls are lazy.
    lazy: Reduction,
    /// Whether the end of a process that nobody can notice belongs to the step before it.
    quiet_ends: Reduction,
    /// For each place in the code, whether the local work that begins there is a step of its own.
    seen: Box<[bool]>,
    /// For each place in the code, whether local work stops there to compute.
    pauses: Box<[bool]>,
}

impl Grain {
    /// The grain of a machine's schedules, observed in this way.
    pub fn new(machine: &Machine, reductions: Reductions, looks: Looks) -> Self {
        let shows = shown(machine, looks);
        // An access to memory that nobody else can see is local, too.
        let is_local = |pc: Pc| machine.code[pc.index()].may_be_local();
        let is_compute = |pc: Pc| matches!(machine.code[pc.index()], Op::Compute(_));
        // First look past every `compute` to see where to stop; then only up to those places.
        let far = ahead(machine, &shows, is_local);
        let pauses: Box<[bool]> = (0..machine.code.len())
            .map(Pc::at)
            .map(|pc| is_compute(pc) && (far[pc.index()] || comes_back(machine, pc)))
            .collect();
        let seen = ahead(machine, &shows, |pc| is_local(pc) && !pauses[pc.index()]);
        let merge = reductions.sound_for(machine).merge;
        Self { merge, lazy: Reduction::Off, quiet_ends: Reduction::Off, seen, pauses }
    }

    /// Whether the local work of a thread that stands here belongs to the step that made it ready.
    pub(crate) fn merges(&self, at: Pc) -> bool {
        self.merge == Reduction::On && !self.seen[at.index()]
    }

    /// From now on calls are lazy.
    pub(crate) fn make_lazy(&mut self, looks: Looks, plain: Is) {
        self.lazy = Reduction::On;
        let sees_ends = looks.probes_on_the_way().any(|probe| matches!(probe, Probe::Ended(_)));
        if self.merge == Reduction::On && plain == Is::So && !sees_ends {
            self.quiet_ends = Reduction::On;
        }
    }

    /// Whether calls are lazy.
    pub(crate) fn is_lazy(&self) -> bool {
        self.lazy == Reduction::On
    }

    /// Whether a thread ends now, in the step that brought it to its end: nobody is connected with its process, or waits
    /// for it.
    pub(crate) fn ends_quietly(&self, machine: &Machine, state: &State, t: ThreadId) -> bool {
        if self.quiet_ends == Reduction::Off {
            return false;
        }
        let thread = &state.threads[t.index()];
        let is_at_its_end = thread.state.is_ready() && machine.code[thread.pc.index()] == Op::End;
        is_at_its_end && {
            let process = &state.processes[thread.process.index()];
            process.owed == 0
                && process.joiners.is_empty()
                && process.outgoing.is_empty()
                && process.inbox.links().next().is_none()
                && process.rights.received().next().is_none()
        }
    }

    /// Whether a `compute` at this place takes time.
    pub(crate) fn computing(&self, at: Pc) -> Computing {
        if self.pauses[at.index()] { Computing::TakesTime } else { Computing::IsFree }
    }

    /// Whether dead variables are forgotten.
    pub(crate) fn forgets(&self) -> bool {
        self.merge == Reduction::On
    }

    /// Whether a thread can stand at this place before local work that is a step of its own.
    pub(crate) fn stops(&self, at: Pc) -> bool {
        self.seen[at.index()] || self.pauses[at.index()]
    }
}

/// The visible operations.
fn shown(machine: &Machine, looks: Looks) -> Box<[bool]> {
    let mut shows: Box<[bool]> = match looks.log {
        Log::Kept => machine.code.iter().map(|op| matches!(op, Op::Log(_))).collect(),
        Log::Forgotten => vec![false; machine.code.len()].into(),
    };
    // Replicas have the same code, and are observed alike.
    let mut watched = BTreeSet::new();
    // Also what remains: somebody else may end a thread in between.
    for probe in looks.predicates.iter().flat_map(|predicate| &predicate.probes) {
        if let Probe::Variable { process, register, .. } = probe {
            watched.insert((machine.processes[process.index()], *register));
        }
    }
    for (family, register) in watched {
        let entries = machine.families[family.index()].threads.iter().map(|thread| thread.entry);
        for pc in reachable(&machine.code, entries, Edges::Possible) {
            shows[pc.index()] |= writes(&machine.code[pc.index()], register);
        }
    }
    shows
}

/// Whether an operation is local and assigns this variable.
fn writes(op: &Op, register: Register) -> bool {
    !matches!(op, Op::Call(_)) && op.writes().any(|it| it == register)
}

/// For each place, whether a visible operation lies there or ahead, as far as `goes_on` leads.
fn ahead(machine: &Machine, shows: &[bool], goes_on: impl Fn(Pc) -> bool) -> Box<[bool]> {
    let is_shown = |pc: Pc, op: &Op, found: &[bool]| {
        let mut next = Vec::new();
        if goes_on(pc) {
            op.successors(pc, &mut next);
        }
        shows[pc.index()] || next.iter().any(|to| found[to.index()])
    };
    look_ahead(&machine.code, || false, is_shown).into()
}

/// Whether local work alone leads from a place back to it.
fn comes_back(machine: &Machine, from: Pc) -> bool {
    let mut starts = Vec::new();
    machine.code[from.index()].successors(from, &mut starts);
    let mut comes_back = false;
    Tour::over(&machine.code).walk(&machine.code, starts, Edges::Possible, |pc, op| {
        comes_back |= pc == from;
        if op.may_be_local() { Walking::On } else { Walking::No }
    });
    comes_back
}
