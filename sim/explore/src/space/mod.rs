//! The state space: all reachable states and the transitions between them.
//!
//! Time is free here: any enabled thread may take the next step, and a bounded wait may end at any moment. A move
//! is one call of one thread plus the local work after it. The kernel's one `step` performs it once for each
//! combination of what it reads; after that it comes from the transition cache.

mod bits;
mod bounds;
mod descent;
mod drive;
mod filter;
mod grain;
mod lazy;
mod live;
mod order;
mod parts;
mod perform;
mod pool;
mod reach;
mod reduce;
mod rights;
mod rows;
mod scratch;
mod seen;
mod shards;
mod symmetry;
mod together;
mod transitions;
mod walks;

use std::collections::BTreeSet;
use std::hint::black_box;
use std::ops::Range;

use ipcsim_kernel::table::Clock;
use ipcsim_kernel::{Fault, Machine, Predicate, ProcessId, State, ThreadId, Value};

pub use bounds::{Bounds, Cut};
pub use descent::Descent;
pub(crate) use drive::{Ready, drive};
pub use filter::Filter;
pub use grain::Grain;
use lazy::Lazy;
pub(crate) use lazy::callers;
use live::Live;
use order::PartialOrder;
use parts::{Is, Layout, Part, Parts, looked};
use perform::in_order;
use reduce::Trial;
pub use reduce::{Reduction, Reductions};
use rows::Rows;
use scratch::Scratch;
use seen::Seen;
use shards::hash;
use symmetry::Symmetry;
use together::Team;
pub use together::{Lookers, Together};
pub(crate) use transitions::Step;
pub use transitions::{Achieved, Delivery, Move};
use transitions::{Change, TransitionCache, Walk};
use walks::{OneWalk, Walks};

/// At most this many states are expanded together: overlapping memory accesses take hardly longer
/// than one.
const BATCH: u32 = 32;
/// At most this many words of state vectors are processed together: half a MiB.
const WORDS_AT_ONCE: usize = 1 << 16;

/// A step in one state has at most this many outcomes.
const MOST_EFFECTS: u64 = 4_096;

/// Initial room for threads and mailboxes created at run time.
pub const FIRST_ROOM: usize = 16;
/// Beyond this, an exploration is taken to be infinite.
pub const MOST_ROOM: usize = 4_096;

/// What is observed in states, besides what the future depends on. It is never abstracted away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Looks<'a> {
    /// Whatever these predicates read.
    pub predicates: &'a [Predicate],
    /// What was logged.
    pub log: Log,
}

/// Whether a state remembers what was logged on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// It does: states differ if different lines, or the same in another order, were logged.
    Kept,
    /// It does not.
    Forgotten,
}

impl<'a> Looks<'a> {
    /// Observes nothing more.
    pub const NOTHING: Looks<'static> = Looks { predicates: &[], log: Log::Forgotten };

    /// Observes what these predicates read.
    pub fn at(predicates: &'a [Predicate]) -> Self {
        Self { predicates, log: Log::Forgotten }
    }
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
    room: usize,
    grain: Grain,
    layout: Layout,
    live: Live,
    parts: Parts,
    transitions: TransitionCache<Change>,
    predicates: Vec<Predicate>,
    /// The known truth values of the predicates.
    truths: TransitionCache<Truth>,
    rows: Rows,
    clock: Clock,
    /// The state in which the last step was performed.
    scratch: Option<Scratch>,
    /// What was ever seen at each position; below, the current state.
    seen: Seen,
    row: Vec<u32>,
    batch: Batch,
    moves: Vec<Move>,
    walk: Walk,
    walks: Walks,
    team: Option<Team>,
    /// Up to this state a single thread searches.
    alone_until: u32,
    lazy: Option<Lazy>,
    order: Option<PartialOrder>,
    trial: Trial,
    symmetry: Option<Symmetry>,
    /// How many functions of states were looked up, and how much was looked at to leave steps out: what the search cost.
    pub work: u64,
    /// How often the kernel actually performed a step.
    pub performed: u64,
    /// Whether there were more threads or mailboxes than there is room for: then all results are
    /// void, and the search must be repeated with more room.
    pub outgrown: bool,
    /// A move with too many outcomes.
    pub refused: Option<Move>,
    /// Something was found for which the reductions that leave out schedules are unsound.
    pub irreducible: bool,
    bounds: Bounds<'m>,
    /// Whether a search is running: it is cut off at the bounds, even in the middle of a batch.
    /// After the search, queries about single states are always answered.
    searched: Is,
    /// Its size, in states and steps, when its bytes were last counted.
    weighed_at: u64,
    /// The current search was cut off: the last answer is incomplete.
    pub cut: Option<Cut>,
}

impl<'m> Space<'m> {
    /// A space without states, observed in this way, with room for this many threads and mailboxes
    /// created at run time.
    pub fn new(machine: &'m Machine, reductions: Reductions, looks: Looks, room: usize) -> Self {
        let state = State::initial(machine);
        let layout = Layout::new(machine, &state, looks, room);
        let mut parts = Parts::new(machine);
        let seen = Seen::new(parts.of_state(machine, &layout, &state));
        let reductions = reductions.sound_for(machine);
        let mut grain = Grain::new(machine, reductions, looks);
        let lazy = match reductions.lazy {
            // They do not support local work that stops on its way.
            Reduction::On if grain.pauses() => None,
            Reduction::On => Lazy::of(machine, &state),
            Reduction::Off => None,
        };
        if lazy.is_some() {
            grain.make_lazy();
        }
        let order = match reductions.order {
            Reduction::On if lazy.is_some() => PartialOrder::of(machine, &state),
            Reduction::On | Reduction::Off => None,
        };
        let symmetry = match reductions.symmetry {
            Reduction::On => Symmetry::of(machine, &layout, &state),
            Reduction::Off => None,
        };
        Self {
            machine,
            room,
            grain,
            layout,
            live: Live::new(machine, looks.predicates),
            parts,
            transitions: TransitionCache::new(),
            predicates: looks.predicates.to_vec(),
            truths: TransitionCache::new(),
            rows: Rows::new(layout.width()),
            clock: Clock::default(),
            scratch: None,
            row: vec![0; layout.width()],
            seen,
            batch: Batch::default(),
            moves: Vec::new(),
            walk: Walk::default(),
            walks: Walks::default(),
            team: None,
            alone_until: 0,
            lazy,
            order,
            trial: Trial::default(),
            symmetry,
            performed: 0,
            work: 0,
            refused: None,
            irreducible: false,
            outgrown: false,
            bounds: Bounds::default(),
            searched: Is::NotSo,
            weighed_at: 0,
            cut: None,
        }
    }

    /// How many states are expanded together.
    pub fn batch(&self) -> u32 {
        let fit = WORDS_AT_ONCE / self.layout.width();
        BATCH.min(u32::try_from(fit).unwrap_or(BATCH)).max(1)
    }

    /// The machine.
    pub fn machine(&self) -> &'m Machine {
        self.machine
    }

    /// What counts as one step.
    pub fn grain(&self) -> &Grain {
        &self.grain
    }

    /// For how many threads and mailboxes created at run time there is room.
    pub fn room(&self) -> usize {
        self.room
    }

    /// How many states are known.
    pub fn states(&self) -> usize {
        self.rows.len()
    }

    /// The maximum number of threads.
    pub fn threads(&self) -> usize {
        self.layout.threads
    }

    /// The approximate size in bytes.
    pub fn bytes(&self) -> usize {
        let symmetry = self.symmetry.as_ref().map_or(0, Symmetry::bytes);
        self.rows.bytes() + self.parts.bytes() + self.transitions.bytes() + symmetry
    }

    /// Finds the initial states.
    pub fn begin(&mut self, edges: &mut Vec<Edge>) {
        self.rows.insert(&vec![0; self.rows.words()]);
        self.rows.unpack(0, &mut self.row);
        self.batch.clear();
        self.follow(0, Step::alone(Move::Begin));
        self.arrive(edges);
    }

    /// The transitions out of a state; at the very beginning, those to the initial states.
    pub fn ways_from(&mut self, beginning: bool, state: u32, edges: &mut Vec<Edge>) {
        if beginning {
            self.begin(edges);
        } else {
            self.expand(state, edges);
        }
    }

    /// The transitions out of a state, in the order of the file.
    pub fn expand(&mut self, state: u32, edges: &mut Vec<Edge>) {
        self.expand_all(state..state + 1, edges);
    }

    /// The transitions out of several states: first those of the first state, then of the second, and so on.
    pub fn expand_all(&mut self, states: Range<u32>, edges: &mut Vec<Edge>) {
        self.batch.clear();
        if self.is_cut() {
            return;
        }
        if self.lazy.is_some() {
            for state in states {
                self.rows.unpack(state, &mut self.row);
                self.lazy_moves(state);
            }
        } else {
            self.walk(states);
        }
        self.arrive(edges);
    }

    /// Finds everything that can happen in these states.
    fn walk(&mut self, states: Range<u32>) {
        let mut walks = std::mem::take(&mut self.walks);
        walks.walk(self, states);
        self.work += walks.all.len() as u64;
        for OneWalk { state, what, effect, .. } in &walks.all {
            if let Some(effect) = *effect {
                let step = Step::alone(*what);
                self.batch.pending.push(Pending { from: *state, step, effect });
            } else {
                self.rows.unpack(*state, &mut self.row);
                self.follow(*state, Step::alone(*what));
                if self.cut.is_some() {
                    break;
                }
            }
        }
        self.walks = walks;
    }

    /// Finds what can happen in the current state.
    fn all_moves(&mut self, state: u32) {
        let mut moves = std::mem::take(&mut self.moves);
        self.moves_in(&self.row, &mut moves);
        for what in &moves {
            self.follow(state, Step::alone(*what));
            if self.cut.is_some() {
                break;
            }
        }
        self.moves = moves;
    }

    /// What can happen in this state, in the order of the file.
    fn moves_in(&self, row: &[u32], moves: &mut Vec<Move>) {
        let can = |position: usize| self.parts.can(self.seen.part(position, row[position]));
        moves.clear();
        for index in 0..self.layout.processes {
            if can(self.layout.process(index)).start == Is::So {
                moves.push(Move::Start(ProcessId::at(index)));
            }
        }
        for index in 0..self.layout.threads {
            let (can, t) = (can(self.layout.thread(index)), ThreadId::at(index));
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

    fn follow(&mut self, from: u32, step: Step) {
        self.work += 1;
        let most = self.performed + MOST_EFFECTS;
        while let Err(answers) = self.transitions.effects(step, &self.row, &mut self.walk) {
            if self.performed > most {
                self.refused = Some(step.what);
                return;
            }
            if self.is_cut() {
                return;
            }
            self.perform(step, &answers);
        }
        let effects = self.walk.found.iter();
        let pending = effects.map(|effect| Pending { from, step, effect: *effect });
        self.batch.pending.extend(pending);
    }

    /// Enters the targets of the batch's moves; if the search is cut off, only the first of them.
    fn arrive(&mut self, edges: &mut Vec<Edge>) {
        if self.cut.is_some() {
            return;
        }
        if let Some(symmetry) = self.symmetry.take() {
            self.symmetry = Some(self.arrive_in_order(symmetry, edges));
            return;
        }
        let Batch { pending, mut packed, mut hashes } = std::mem::take(&mut self.batch);
        for pending in pending.chunks((WORDS_AT_ONCE / self.rows.words()).max(1)) {
            self.arrive_together(pending, &mut packed, &mut hashes, edges);
            if self.is_cut() {
                break;
            }
        }
        self.batch = Batch { pending, packed, hashes };
    }

    /// Enters the targets of these moves. They are all looked up together.
    fn arrive_together(
        &mut self,
        pending: &[Pending],
        packed: &mut Vec<u64>,
        hashes: &mut Vec<u32>,
        edges: &mut Vec<Edge>,
    ) {
        packed.clear();
        hashes.clear();
        let words = self.rows.words();
        // As in `Rows::fetch`: independent memory accesses overlap.
        let writes = pending.iter().map(|move_| &self.transitions.effect(move_.effect).writes);
        black_box(writes.fold(0, |all, writes| all ^ writes.first().map_or(0, |(to, _)| *to)));
        for (at, move_) in pending.iter().enumerate() {
            self.lead(*move_, packed);
            hashes.push(hash(&packed[at * words..]));
        }
        self.rows.fetch(hashes);
        let places = packed.chunks_exact(words).zip(hashes.iter());
        for (move_, (packed, hash)) in pending.iter().zip(places) {
            edges.push(move_.arrives(self.rows.insert_hashed(packed, *hash)));
        }
    }

    /// Appends the packed target of a move.
    fn lead(&self, move_: Pending, packed: &mut Vec<u64>) {
        let at = packed.len();
        packed.extend_from_slice(self.rows.packed(move_.from));
        for (position, number) in &self.transitions.effect(move_.effect).writes {
            self.rows.put(&mut packed[at..], *position as usize, *number);
        }
    }

    /// Sets the current row to the target of an effect from a state.
    fn go(&mut self, from: u32, effect: u32) {
        self.rows.unpack(from, &mut self.row);
        for (position, number) in &self.transitions.effect(effect).writes {
            self.row[*position as usize] = *number;
        }
    }

    /// How the kernel's questions were answered in a transition.
    pub fn answers(&self, edge: &Edge) -> &[u64] {
        &self.transitions.effect(edge.effect).answers
    }

    /// What a transition achieves.
    pub fn achieved(&self, edge: &Edge) -> Achieved {
        self.transitions.effect(edge.effect).achieved
    }

    /// Whether this transition is only a timeout: a bounded wait ends that is not a sleep.
    pub fn is_timeout(&self, edge: &Edge) -> bool {
        let number_at = |position| self.rows.number_at(edge.from, position);
        self.is_timeout_where(edge.what, number_at)
    }

    fn is_timeout_where(&self, what: Move, number_at: impl Fn(usize) -> u32) -> bool {
        let Move::Expire(t) = what else { return false };
        let position = self.layout.thread(t.index());
        let can = self.parts.can(self.seen.part(position, number_at(position)));
        can.expire == Is::So && can.sleeps == Is::NotSo
    }

    /// Whether a transition's messages arrive.
    pub fn delivery(&self, edge: &Edge) -> Delivery {
        self.transitions.effect(edge.effect).delivery
    }

    /// The threads that a transition changes: these move.
    pub fn moved(&self, edge: &Edge) -> impl Iterator<Item = ThreadId> + '_ {
        let writes = self.transitions.effect(edge.effect).writes.iter();
        writes.filter_map(|(position, _)| self.layout.thread_at(*position as usize))
    }

    /// A state as the kernel knows it.
    pub fn state(&self, state: u32) -> State {
        let mut row = vec![0; self.layout.width()];
        self.rows.unpack(state, &mut row);
        self.state_of(&row)
    }

    fn state_of(&self, row: &[u32]) -> State {
        self.parts.state(&self.layout, &self.seen.parts_of(row), &Clock::default())
    }

    /// What was logged on the way to a state, if the log is kept.
    pub fn log(&self, state: u32) -> Vec<(ProcessId, Value)> {
        let number = self.rows.number_at(state, parts::LOG);
        match self.parts.get(self.seen.part(parts::LOG, number)) {
            Part::Log(lines) => lines.clone(),
            other => unreachable!("the log stands at its position, not {other:?}"),
        }
    }

    /// Whether the predicate with this number holds in a state.
    pub fn holds(&mut self, predicate: usize, state: u32) -> Truth {
        self.rows.unpack(state, &mut self.row);
        let what = predicate as u32;
        while self.truths.effects(what, &self.row, &mut self.walk).is_err() {
            let state = self.parts.state(&self.layout, &self.seen.parts_of(&self.row), &self.clock);
            let truth = self.predicates[predicate].holds(self.machine, &state);
            let before = (state.threads.items().len(), state.mailboxes.items().len());
            let reads = in_order(looked(&self.layout, &state, before), Vec::new());
            self.truths.learn(what, &self.row, &reads, truth, 0);
        }
        self.truths.effect(self.walk.found[0]).clone()
    }

    /// How many different views a predicate has had, counted up to two: one means that nothing it reads ever changes.
    pub fn sights(&self, predicate: usize, states: impl Iterator<Item = u32>) -> usize {
        let mut sights = BTreeSet::new();
        for state in states {
            let state = self.state(state);
            let sight = self.predicates[predicate].sight(&state);
            sights.insert(format!("{sight:?}"));
            if sights.len() > 1 {
                break;
            }
        }
        sights.len()
    }
}

/// Moves whose targets are looked up together.
#[derive(Default)]
struct Batch {
    pending: Vec<Pending>,
    packed: Vec<u64>,
    hashes: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Pending {
    from: u32,
    step: Step,
    effect: u32,
}

impl Pending {
    /// The transition, now that its target is known.
    fn arrives(self, (to, new): (u32, IsNew)) -> Edge {
        let Self { from, step: Step { blocks, what }, effect } = self;
        Edge { from, blocks, what, to, new, effect }
    }
}

impl Batch {
    fn clear(&mut self) {
        self.pending.clear();
    }
}

/// Whether a predicate holds, or why it cannot be computed.
pub type Truth = Result<bool, Fault>;
