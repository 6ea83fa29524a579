//! What can happen in a state: the kernel's own steps.
//!
//! A step is one call of one thread plus the local work after it. The kernel's one `step` performs it once for each
//! combination of what it reads; after that it comes from the transition cache.

pub(crate) mod cache;
pub(crate) mod drive;
pub(crate) mod grain;
pub(crate) mod limit;
mod live;
mod perform;
mod place;
mod scratch;
pub(crate) mod walks;

use std::borrow::Cow;

use ipcsim_kernel::program::Op;
use ipcsim_kernel::table::Clock;
use ipcsim_kernel::{Fault, Machine, Predicate, ProcessId, State, ThreadId};

use super::codec::Codec;
use super::codec::parts::{Is, looked};
use super::lazy::sides::Sides;
use super::{Looks, Reductions};
use cache::{Change, Move, Step, TransitionCache, Walk};
use grain::Grain;
use limit::{Cut, Limit};
use live::Live;
use perform::in_order;
use scratch::Scratch;

/// A step in one state has at most this many outcomes.
const MOST_EFFECTS: u64 = 4_096;

/// The steps of a machine, as far as they were performed.
pub(crate) struct Steps<'m> {
    pub machine: Cow<'m, Machine>,
    pub grain: Grain,
    /// Which calls are lazy, if any are.
    pub sides: Option<Sides>,
    pub codec: Codec,
    pub cache: TransitionCache<Change>,
    pub limit: Limit<'m>,
    /// How many were looked up.
    pub work: u64,
    /// How often the kernel actually performed one.
    pub performed: u64,
    pub trouble: Trouble,
    kernel: Kernel,
    moves: Vec<Move>,
    walk: Walk,
}

/// Where steps are performed.
struct Kernel {
    live: Live,
    clock: Clock,
    /// The state in which the last step was performed.
    scratch: Option<Scratch>,
}

/// What came in the way.
#[derive(Default)]
pub(crate) struct Trouble {
    /// Whether there were more threads or mailboxes than there is room for.
    pub outgrown: Is,
    /// Whether something happened for which the reductions that leave out schedules are unsound.
    pub irreducible: Is,
    /// Whether an exception may come from an index that is no number here.
    pub needs_numbers: Is,
    /// A move with too many outcomes.
    pub refused: Option<Move>,
}

/// Why a search cannot visit everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It was cut off: the last answer is incomplete.
    Cut(Cut),
    /// There were more threads or mailboxes than there is room for: all results are void, and the search must be repeated
    /// with more room.
    Outgrown,
    /// Something was found for which the reductions in use are unsound.
    Irreducible,
    /// A program asks more of an index than who it is.
    NeedsNumbers,
    /// A move has too many outcomes.
    TooManyAnswers(Move),
}

/// A step from a state, with its effect.
#[derive(Clone, Copy)]
pub(crate) struct Pending {
    pub from: u32,
    pub step: Step,
    pub effect: u32,
}

/// Whether a predicate holds, or why it cannot be computed.
pub type Truth = Result<bool, Fault>;

impl<'m> Steps<'m> {
    pub(crate) fn new(
        machine: Cow<'m, Machine>,
        state: &State,
        (reductions, looks): (Reductions, Looks),
        room: usize,
    ) -> Self {
        Self {
            grain: Grain::new(&machine, reductions, looks),
            sides: None,
            codec: Codec::new(&machine, state, (looks, reductions.merge), room),
            cache: TransitionCache::new(),
            limit: Limit::default(),
            work: 0,
            performed: 0,
            trouble: Trouble::default(),
            kernel: Kernel {
                live: Live::new(&machine, looks.predicates),
                clock: Clock::default(),
                scratch: None,
            },
            moves: Vec::new(),
            walk: Walk::default(),
            machine,
        }
    }

    /// All that can happen in a state, in the order of the file.
    pub(crate) fn all(&mut self, (from, row): (u32, &[u32]), found: &mut Vec<Pending>) {
        let mut moves = std::mem::take(&mut self.moves);
        self.moves_in(row, &mut moves);
        for what in &moves {
            self.follow((from, row), Step::alone(*what), found);
            if self.limit.cut.is_some() {
                break;
            }
        }
        self.moves = moves;
    }

    /// What can happen in this state, in the order of the file.
    pub(crate) fn moves_in(&self, row: &[u32], moves: &mut Vec<Move>) {
        let layout = &self.codec.layout;
        moves.clear();
        for index in 0..layout.processes {
            if self.codec.can(row, layout.process(index)).start == Is::So {
                moves.push(Move::Start(ProcessId::at(index)));
            }
        }
        for index in 0..layout.threads {
            let (can, t) = (self.codec.can(row, layout.thread(index)), ThreadId::at(index));
            if can.call == Is::So {
                moves.push(Move::Call(t));
            }
            if can.local == Is::So {
                moves.push(Move::Local(t));
            }
            if can.expire == Is::So {
                moves.push(Move::Expire(t));
            }
        }
    }

    /// The ways in which one step can go in a state.
    pub(crate) fn follow(
        &mut self,
        (from, row): (u32, &[u32]),
        step: Step,
        found: &mut Vec<Pending>,
    ) {
        self.work += 1;
        let most = self.performed + MOST_EFFECTS;
        while let Err(answers) = self.cache.effects(step, row, &mut self.walk) {
            if self.performed > most {
                self.trouble.refused = Some(step.what);
                return;
            }
            if self.is_cut() {
                return;
            }
            self.perform(row, step, &answers);
        }
        let effects = self.walk.found.iter();
        found.extend(effects.map(|effect| Pending { from, step, effect: *effect }));
    }

    /// Applies an effect to a state.
    pub(crate) fn apply(&self, effect: u32, row: &mut [u32]) {
        for (position, number) in &self.cache.effect(effect).writes {
            row[*position as usize] = *number;
        }
    }

    /// Whether this move is only a timeout: a bounded wait ends that is not a sleep. `number_at` tells the state.
    pub(crate) fn is_timeout(&self, what: Move, number_at: impl Fn(usize) -> u32) -> bool {
        let Move::Expire(t) = what else { return false };
        let position = self.codec.layout.thread(t.index());
        let can = self.codec.parts.can(self.codec.seen.part(position, number_at(position)));
        can.expire == Is::So && can.sleeps == Is::NotSo
    }

    /// What a predicate says of a state, and what it read there.
    pub(crate) fn judge(&self, predicate: &Predicate, row: &[u32]) -> (Truth, Vec<cache::Read>) {
        let state = self.codec.state(row, &self.kernel.clock);
        let truth = predicate.holds(&self.machine, &state);
        let before = (state.threads.items().len(), state.mailboxes.items().len());
        (truth, in_order(looked(&self.codec.layout, &state, before), Vec::new()))
    }

    /// Whether the search is cut off.
    pub(crate) fn is_cut(&mut self) -> bool {
        let own = self.bytes();
        self.limit.is_reached(self.performed, own)
    }

    /// The approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.codec.parts.bytes() + self.cache.bytes()
    }
}

/// The threads that are ready and stand before a call, in the order of the file.
pub(crate) fn callers(machine: &Machine, state: &State) -> Vec<ThreadId> {
    let calls = |t: &ThreadId| {
        let thread = &state.threads[t.index()];
        thread.state.is_ready() && matches!(machine.code[thread.pc.index()], Op::Call(_))
    };
    (0..state.threads.len()).map(ThreadId::at).filter(calls).collect()
}
