//! The state space: all reachable states and the transitions between them.
//!
//! Time is free here: any enabled thread may take the next step, and a bounded wait may end at any moment. What can happen in a
//! state is found in layers. Each can be left out, except the first and the last ([`layers`] chooses):
//!
//! - [`steps`]: the kernel's own steps, looked up where they were performed before, local work merged with the call before
//!   it;
//! - [`lazy`]: a call that would only block is no step;
//! - [`order`]: of steps that do not depend on each other, one order is enough;
//! - [`symmetry`]: which of several replicas it is does not matter;
//! - [`store`]: each state is kept once.
//!
//! The layers speak of a state as a row of numbers ([`codec`]). Whoever draws conclusions sees none of that: only
//! [`Space::begin`] and [`Space::expand`].

mod claims;
mod codec;
mod descent;
mod layers;
mod lazy;
mod looks;
mod order;
mod reductions;
mod steps;
mod store;
mod symmetry;

use std::ops::Range;

use ipcsim_kernel::table::Clock;
use ipcsim_kernel::{Index, Machine, ProcessId, Rename, State, ThreadId, Value, Walk};

use crate::cancel::Reason;
use claims::Claims;
use codec::layout;
use codec::parts::{Is, rename_all};
pub use descent::Descent;
use lazy::sides::Sides;
use lazy::{Lazy, Misses};
pub use looks::{Asks, Log, Looks};
use order::PartialOrder;
pub use reductions::{Reduction, Reductions};
pub use steps::Stop;
pub(crate) use steps::cache::Step;
pub use steps::cache::{Achieved, Delivery, Move};
pub(crate) use steps::callers;
pub(crate) use steps::drive::{Ready, drive};
pub use steps::grain::Grain;
use steps::limit::Beside;
pub use steps::limit::{Bounds, Cut};
use steps::walks::{OneWalk, Walks};
use steps::{Pending, Steps};
use store::{Crew, Store};
pub use store::{Filter, Lookers, Together};
use symmetry::Symmetry;

/// Beyond this room for threads and mailboxes created at run time, an exploration is taken to be infinite.
pub const MOST_ROOM: usize = 4_096;

/// The room to begin with: none where nothing is created at run time.
pub fn first_room(machine: &Machine) -> usize {
    let creates = machine.any_call(|effect| !effect.is_plain()) || !machine.makes_all_links();
    if creates { next_room(0) } else { 0 }
}

/// More room, if this much was not enough.
pub fn next_room(room: usize) -> usize {
    (4 * room).max(16)
}

/// A transition from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The source state.
    pub from: u32,
    /// The thread whose call blocks just before the move, where calls are lazy.
    pub blocks: Option<ThreadId>,
    /// What happens.
    pub what: Move,
    /// The target state.
    pub to: u32,
    /// Whether the target state is new.
    pub new: IsNew,
    effect: u32,
}

/// Whether a state was found for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsNew {
    /// It did.
    New,
    /// It did not.
    Known,
}

/// The states reached so far, and the steps between them.
pub struct Space<'m> {
    machine: &'m Machine,
    steps: Steps<'m>,
    lazy: Option<Lazy>,
    order: Option<PartialOrder>,
    symmetry: Option<Symmetry>,
    store: Store,
    claims: Claims,
    crew: Crew,
    /// The state that is looked at, and what was found there.
    row: Vec<u32>,
    pending: Vec<Pending>,
    walks: Walks,
}

impl<'m> Space<'m> {
    /// Finds the initial states.
    pub fn begin(&mut self, edges: &mut Vec<Edge>) {
        let rows = &mut self.store.rows;
        rows.insert(&vec![0; rows.words()]);
        rows.unpack(0, &mut self.row);
        self.pending.clear();
        self.steps.follow((0, &self.row), Step::alone(Move::Begin), &mut self.pending);
        self.arrive(edges);
    }

    /// The transitions out of a state, in the order of the file.
    pub fn expand(&mut self, state: u32, edges: &mut Vec<Edge>) {
        self.expand_all(state..state + 1, edges);
    }

    /// The transitions out of a state; at the very beginning, those to the initial states.
    pub fn ways_from(&mut self, beginning: bool, state: u32, edges: &mut Vec<Edge>) {
        if beginning {
            self.begin(edges);
        } else {
            self.expand(state, edges);
        }
    }

    /// The transitions out of several states: first those of the first state, then of the second, and so on.
    pub fn expand_all(&mut self, states: Range<u32>, edges: &mut Vec<Edge>) {
        self.pending.clear();
        if self.is_cut() {
            return;
        }
        if self.lazy.is_some() {
            states.for_each(|state| self.find(state));
        } else {
            self.walk(states);
        }
        self.arrive(edges);
    }

    /// Finds what can happen in a state, through all layers.
    fn find(&mut self, state: u32) {
        let Self { steps, lazy, order, store, row, pending, .. } = self;
        store.rows.unpack(state, row);
        let first = pending.len();
        if let (Some(lazy), Some(order)) = (&mut *lazy, order)
            && order.find((steps, lazy), (state, row), pending).is_some()
        {
            return;
        }
        steps.all((state, row), pending);
        if let Some(lazy) = lazy {
            lazy.complete(steps, (state, row), (pending, first));
        }
    }

    /// Finds what can happen in these states, if nothing is left out.
    fn walk(&mut self, states: Range<u32>) {
        let Self { steps, walks, store, row, pending, .. } = self;
        walks.walk((steps, &store.rows), states);
        steps.work += walks.all.len() as u64;
        for OneWalk { state, what, effect, .. } in &walks.all {
            let step = Step::alone(*what);
            if let Some(effect) = *effect {
                pending.push(Pending { from: *state, step, effect });
            } else {
                store.rows.unpack(*state, row);
                steps.follow((*state, row), step, pending);
                if steps.limit.cut.is_some() {
                    break;
                }
            }
        }
    }

    /// Sets the current row to the target of an effect from a state.
    fn go(&mut self, from: u32, effect: u32) {
        self.store.rows.unpack(from, &mut self.row);
        self.steps.apply(effect, &mut self.row);
    }
}

/// Makes scalars the numbers that they stand for.
struct Numbers<'a>(&'a Machine);

impl Rename for Numbers<'_> {
    fn index(&mut self, set: u32, who: ProcessId) -> Index {
        Index::Number(self.0.scalarsets[set as usize].number(who))
    }
}

/// What is known of states.
impl Space<'_> {
    /// A state as the kernel knows it.
    pub fn state(&self, state: u32) -> State {
        let mut row = vec![0; self.steps.codec.width()];
        self.store.rows.unpack(state, &mut row);
        self.with_numbers(self.steps.codec.state(&row, &Clock::default()))
    }

    /// A state in which nothing moves any more, with those in their queues who wait for ever.
    pub fn end_state(&self, state: u32) -> State {
        let mut row = vec![0; self.steps.codec.width()];
        self.store.rows.unpack(state, &mut row);
        let mut state = self.steps.codec.state(&row, &Clock::default());
        if self.lazy.is_some() {
            Lazy::rest(&self.steps.machine, &self.steps.grain, &mut state);
        }
        self.with_numbers(state)
    }

    /// A state in which every index is a number, as it is in the machine.
    fn with_numbers(&self, mut state: State) -> State {
        if !self.steps.machine.scalarsets.is_empty() {
            rename_all(&mut state, &mut Numbers(&self.steps.machine));
        }
        state
    }

    /// What was logged on the way to a state, if the log is kept.
    pub fn log(&self, state: u32) -> Vec<(ProcessId, Value)> {
        let number = self.store.rows.number_at(state, layout::LOG);
        self.steps.codec.log(number).to_vec()
    }

    /// The parts of a state of the whole system, numbered as here.
    pub fn parts_of(&mut self, whole: &Space, state: u32) -> Vec<u32> {
        let log = whole.store.rows.number_at(state, layout::LOG);
        let log = whole.steps.codec.log(log).to_vec();
        self.steps.codec.parts_of(&self.steps.machine, &whole.state(state), log)
    }
}

/// What is known of transitions.
impl Space<'_> {
    /// How the kernel's questions were answered in a transition.
    pub fn answers(&self, edge: &Edge) -> &[u64] {
        &self.steps.cache.effect(edge.effect).answers
    }

    /// What a transition achieves.
    pub fn achieved(&self, edge: &Edge) -> Achieved {
        self.steps.cache.effect(edge.effect).achieved
    }

    /// Whether a transition's messages arrive.
    pub fn delivery(&self, edge: &Edge) -> Delivery {
        self.steps.cache.effect(edge.effect).delivery
    }

    /// Whether this transition is only a timeout: a bounded wait ends that is not a sleep.
    pub fn is_timeout(&self, edge: &Edge) -> bool {
        self.steps.is_timeout(edge.what, |position| self.store.rows.number_at(edge.from, position))
    }

    /// The threads that a transition changes: these move.
    pub fn moved(&self, edge: &Edge) -> impl Iterator<Item = ThreadId> + '_ {
        let writes = self.steps.cache.effect(edge.effect).writes.iter();
        writes.filter_map(|(position, _)| self.steps.codec.layout.thread_at(*position as usize))
    }

    /// A transition, translated to the whole system, where the replicas are `who` (by default, nobody has changed places):
    /// the step, the parts of the target state, and who the replicas are there.
    pub(crate) fn in_the_whole(
        &mut self,
        edge: &Edge,
        who: Option<&[u8]>,
    ) -> (Step, Vec<u32>, Option<Vec<u8>>) {
        let step = Step { blocks: edge.blocks, what: edge.what };
        self.go(edge.from, edge.effect);
        let Self { steps, symmetry, row, .. } = self;
        let Some(symmetry) = symmetry else {
            return (step, steps.codec.seen.parts_of(row), None);
        };
        let nobody = symmetry.nobody_moves();
        let who = who.unwrap_or(&nobody);
        let Steps { machine, codec, .. } = steps;
        let (step, mut there, who) = symmetry.retold((machine, codec), step, row, who);
        let parts = &mut codec.parts;
        if !machine.scalarsets.is_empty() {
            for part in &mut there {
                let numbered = parts.get(*part).renamed(&mut Numbers(machine));
                *part = parts.number(machine, numbered);
            }
        }
        (step, there, Some(who))
    }
}

/// How the search goes.
impl<'m> Space<'m> {
    /// The machine.
    pub fn machine(&self) -> &'m Machine {
        self.machine
    }

    /// What counts as one step.
    pub fn grain(&self) -> &Grain {
        &self.steps.grain
    }

    /// For how many threads and mailboxes created at run time there is room.
    pub fn room(&self) -> usize {
        self.steps.codec.layout.room
    }

    /// Whether a state may leave out what a run knows. Requests, and mailboxes that were made at run time, are forgotten once nobody
    /// can reach them, and those that are left have other names then. And nobody may be able to tell who has sent a message.
    pub fn forgets(&self) -> bool {
        let layout = &self.steps.codec.layout;
        [layout.rights, layout.drops, layout.unseen.hides_origins()].contains(&Is::So)
    }

    /// How many states are known.
    pub fn states(&self) -> usize {
        self.store.rows.len()
    }

    /// The maximum number of threads.
    pub fn threads(&self) -> usize {
        self.steps.codec.layout.threads
    }

    /// How many states are expanded together.
    pub fn batch(&self) -> u32 {
        Store::batch(self.steps.codec.width())
    }

    /// The approximate size in bytes.
    pub fn bytes(&self) -> usize {
        self.steps.bytes() + self.beside().bytes
    }

    /// What is kept besides the steps.
    fn beside(&self) -> Beside {
        let symmetry = self.symmetry.as_ref().map_or(0, Symmetry::bytes);
        Beside { states: self.states() as u64, bytes: self.store.rows.bytes() + symmetry }
    }

    /// How many functions of states were looked up, and how much was looked at to leave steps out: what the search cost.
    pub fn work(&self) -> u64 {
        self.steps.work
    }

    /// How often the kernel actually performed a step.
    pub fn performed(&self) -> u64 {
        self.steps.performed
    }

    /// Whether schedules may be left out.
    pub fn is_reduced(&self) -> bool {
        self.lazy.is_some() || self.order.is_some() || self.symmetry.is_some()
    }

    /// Whether senders are seen to wait for memory only where everybody has come to rest.
    pub fn sees_misses_at_rest(&self) -> bool {
        let waits_for_memory = self.steps.sides.as_ref().is_some_and(Sides::wait_for_memory);
        let at_rest = |lazy: &Lazy| lazy.misses == Misses::AtRest;
        waits_for_memory && self.lazy.as_ref().is_some_and(at_rest)
    }

    /// Whether partial-order reduction, if used, has left out enough so far to be worth its time.
    pub fn order_pays(&self) -> bool {
        self.order.as_ref().is_none_or(PartialOrder::pays)
    }

    /// Begins a search that is cut off at these bounds.
    pub fn search_within(&mut self, bounds: Bounds<'m>) {
        self.steps.limit.begin(bounds);
    }

    /// Ends the search.
    pub fn search_is_over(&mut self) {
        self.steps.limit.end();
    }

    /// `None` once it is cancelled. For conclusions, which visit all states again.
    pub fn go_on(&self) -> Option<()> {
        self.cancelled().is_none().then_some(())
    }

    /// Why it was cancelled, if it was.
    pub fn cancelled(&self) -> Option<Reason> {
        self.steps.limit.cancelled()
    }

    /// Why the search cannot visit everything, if that is so.
    pub fn stop(&self) -> Option<Stop> {
        let trouble = &self.steps.trouble;
        if let Some(cut) = self.steps.limit.cut {
            Some(Stop::Cut(cut))
        } else if trouble.outgrown == Is::So {
            Some(Stop::Outgrown)
        } else if trouble.needs_numbers == Is::So {
            Some(Stop::NeedsNumbers)
        } else if trouble.irreducible == Is::So && self.is_reduced() {
            Some(Stop::Irreducible)
        } else {
            trouble.refused.map(Stop::TooManyAnswers)
        }
    }

    /// Whether the search is cut off.
    fn is_cut(&mut self) -> bool {
        let beside = self.beside();
        self.steps.limit.keeps_beside(beside);
        self.steps.is_cut()
    }
}
