//! The space of all states: where one can go from each.
//!
//! Time is free here: any thread that can may take the next step, and a bounded wait may end at any
//! moment. A move is one call of one thread with the local work behind it; the kernel's one `step`
//! performs it, once for everything that it looks at, and after that it is known.

mod drive;
mod live;
mod memo;
mod order;
mod parts;
mod perform;
mod rows;
mod seen;
mod symmetry;

use std::collections::BTreeSet;
use std::ops::Range;

use ipcsim_kernel::table::Clock;
use ipcsim_kernel::{
    Detect, Fault, Machine, Predicate, ProcessId, State, ThreadId, ThreadState, Value,
};

pub(crate) use drive::{Ready, drive};
use live::Live;
pub use memo::{Delivery, Move, News};
use memo::{Effect, Memo};
use order::{Movable, PartialOrder, Threads, View};
use parts::{Can, Is, Layout, Part, Parts, looked};
use perform::in_order;
use rows::Rows;
use seen::Seen;
use symmetry::Symmetry;

/// One step in one state comes out in so many ways at most.
const MOST_EFFECTS: u64 = 4_096;

/// Room for so many threads and mailboxes is made at first.
pub const FIRST_ROOM: usize = 16;
/// Beyond this an exploration has no end.
pub const MOST_ROOM: usize = 4_096;

/// Whether a reduction is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// Which reductions are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reductions {
    /// Local work belongs to the call before it, and variables that nobody will read are forgotten.
    pub merge: Reduction,
    /// Partial order: of steps that make no difference to each other one order is enough.
    pub order: Reduction,
    /// Symmetry: it does not matter which of several replicas it is.
    pub symmetry: Reduction,
}

impl Reductions {
    /// None of them.
    pub const NONE: Self =
        Self { merge: Reduction::Off, order: Reduction::Off, symmetry: Reduction::Off };
    /// The one that leaves every schedule as it is.
    pub const MERGE: Self =
        Self { merge: Reduction::On, order: Reduction::Off, symmetry: Reduction::Off };
    /// All of them.
    pub const ALL: Self =
        Self { merge: Reduction::On, order: Reduction::On, symmetry: Reduction::On };
}

impl Reductions {
    /// Those of them that change nothing in this machine. A kernel that refuses deadlocks looks at how
    /// far every thread is and what its variables hold, so there local work is seen by others.
    #[must_use]
    pub fn sound_for(self, machine: &Machine) -> Self {
        match machine.policies.detect {
            Detect::Report => self,
            Detect::Refuse => Self::NONE,
        }
    }

    /// Without those that leave schedules out: what a schedule is shown and told by.
    #[must_use]
    pub fn of_schedules(self) -> Self {
        Self { merge: self.merge, ..Self::NONE }
    }
}

/// What is looked at in states, beside what the future depends on. It is not forgotten.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Looks<'a> {
    /// What these look at.
    pub predicates: &'a [Predicate],
    /// What was logged.
    pub log: Log,
}

/// Whether it is known of a state what was logged on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// It is: two states are different if anything else was logged, or in another order.
    Kept,
    /// It is not.
    Forgotten,
}

impl<'a> Looks<'a> {
    /// At nothing else.
    pub const NOTHING: Looks<'static> = Looks { predicates: &[], log: Log::Forgotten };

    /// At what these look at.
    pub fn at(predicates: &'a [Predicate]) -> Self {
        Self { predicates, log: Log::Forgotten }
    }
}

/// A way from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Where it begins.
    pub from: u32,
    /// What happens.
    pub what: Move,
    /// Where that leads.
    pub to: u32,
    /// Whether that state was not known before.
    pub new: IsNew,
    effect: u32,
}

/// Whether a state came up for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsNew {
    /// It did.
    New,
    /// It did not.
    Known,
}

/// The states that were reached so far, and the steps between them.
pub struct Space<'m> {
    machine: &'m Machine,
    room: usize,
    reductions: Reductions,
    layout: Layout,
    live: Live,
    parts: Parts,
    memo: Memo<Effect>,
    predicates: Vec<Predicate>,
    /// What is known of the predicates.
    truths: Memo<Truth>,
    rows: Rows,
    clock: Clock,
    /// For each position what was ever seen there, and the state at hand.
    seen: Seen,
    row: Vec<u32>,
    batch: Batch,
    found: Vec<u32>,
    order: Option<PartialOrder>,
    trial: Trial,
    symmetry: Option<Symmetry>,
    /// How often the kernel really performed a step.
    pub performed: u64,
    /// Whether there were more threads or mailboxes than there is room for: then all that was found is
    /// void, and has to be found again with more room.
    pub outgrown: bool,
    /// A move that comes out in too many ways.
    pub refused: Option<Move>,
    /// Something came up for which the reductions that leave schedules out are not made.
    pub irreducible: bool,
}

impl<'m> Space<'m> {
    /// A space in which nothing was reached yet, to be looked at in this way, with room for so many threads
    /// and mailboxes that come up on the way.
    pub fn new(machine: &'m Machine, reductions: Reductions, looks: Looks, room: usize) -> Self {
        let state = State::initial(machine);
        let layout = Layout::new(machine, &state, looks, room);
        let mut parts = Parts::new(machine);
        let seen = Seen::new(parts.of_state(machine, &layout, &state));
        let reductions = reductions.sound_for(machine);
        let order = match reductions.order {
            Reduction::On => PartialOrder::of(machine, &state),
            Reduction::Off => None,
        };
        let symmetry = match reductions.symmetry {
            Reduction::On => Symmetry::of(machine, &layout, &state),
            Reduction::Off => None,
        };
        Self {
            machine,
            room,
            reductions,
            layout,
            live: Live::new(machine, looks.predicates),
            parts,
            memo: Memo::new(),
            predicates: looks.predicates.to_vec(),
            truths: Memo::new(),
            rows: Rows::new(layout.width()),
            clock: Clock::default(),
            row: vec![0; layout.width()],
            seen,
            batch: Batch::default(),
            found: Vec::new(),
            order,
            trial: Trial::default(),
            symmetry,
            performed: 0,
            refused: None,
            irreducible: false,
            outgrown: false,
        }
    }

    /// Whether schedules are left out.
    pub fn is_reduced(&self) -> bool {
        self.order.is_some() || self.symmetry.is_some()
    }

    /// Whether partial order, if it is used, has left out enough so far to be worth its time.
    pub fn order_pays(&self) -> bool {
        self.trial.pays()
    }

    /// The machine.
    pub fn machine(&self) -> &'m Machine {
        self.machine
    }

    /// For how many threads and mailboxes that come up on the way there is room.
    pub fn room(&self) -> usize {
        self.room
    }

    /// How many states are known.
    pub fn states(&self) -> usize {
        self.rows.len()
    }

    /// How many threads there can be.
    pub fn threads(&self) -> usize {
        self.layout.threads
    }

    /// About how many bytes everything takes.
    pub fn bytes(&self) -> usize {
        self.rows.bytes() + self.parts.bytes() + self.memo.bytes()
    }

    /// The states in which everything can begin.
    pub fn begin(&mut self, edges: &mut Vec<Edge>) {
        self.rows.insert(&vec![0; self.rows.words()]);
        self.rows.unpack(0, &mut self.row);
        self.batch.clear();
        self.follow(0, Move::Begin);
        self.arrive(edges);
    }

    /// The ways on from a state; at the very beginning those into the system.
    pub fn ways_from(&mut self, beginning: bool, state: u32, edges: &mut Vec<Edge>) {
        if beginning {
            self.begin(edges);
        } else {
            self.expand(state, edges);
        }
    }

    /// The ways on from a state, in the order of the file.
    pub fn expand(&mut self, state: u32, edges: &mut Vec<Edge>) {
        self.expand_all(state..state + 1, edges);
    }

    /// The ways on from several states: of the first, of the second, and so on.
    pub fn expand_all(&mut self, states: Range<u32>, edges: &mut Vec<Edge>) {
        self.batch.clear();
        for state in states {
            self.rows.unpack(state, &mut self.row);
            self.moves(state);
        }
        self.arrive(edges);
    }

    /// Finds what can happen in the state of the row.
    fn moves(&mut self, state: u32) {
        let first = self.batch.pending.len();
        self.all_moves(state);
        if let Some(order) = self.order.take() {
            let all = self.batch.pending.len() - first;
            self.keep_persistent(&order, first);
            self.trial.moves += all;
            self.trial.kept += self.batch.pending.len() - first;
            self.order = Some(order);
        }
    }

    /// Of the moves from the state of the row keeps those of a persistent set of threads.
    fn keep_persistent(&mut self, order: &PartialOrder, first: usize) {
        let mut movable: Vec<Movable> = Vec::new();
        for pending in &self.batch.pending[first..] {
            let ended = &self.memo.effect(pending.effect).ended;
            let threads = order.who_moves(pending.what);
            match movable.last_mut().filter(|last| last.threads == threads) {
                Some(last) => {
                    last.ways += 1;
                    last.ended.extend(ended);
                }
                None => movable.push(Movable { threads, ways: 1, ended: ended.to_vec() }),
            }
        }
        if movable.len() < 2 {
            return;
        }
        let threads: Vec<_> = (0..self.layout.threads)
            .map(|t| {
                let position = self.layout.thread(t);
                match self.parts.get(self.seen.part(position, self.row[position])) {
                    Part::Thread(thread) if thread.state != ThreadState::Ended => Some(thread),
                    _ => None,
                }
            })
            .collect();
        let view = View { machine: self.machine, threads: &threads };
        let set: Threads = order.persistent(&view, &movable);
        let mut at = 0;
        self.batch.pending.retain(|pending| {
            at += 1;
            at <= first || order.who_moves(pending.what) & set != 0
        });
    }

    fn all_moves(&mut self, state: u32) {
        for index in 0..self.layout.processes {
            if self.can(self.layout.process(index)).start == Is::So {
                self.follow(state, Move::Start(ProcessId::at(index)));
            }
        }
        for index in 0..self.layout.threads {
            let (can, t) = (self.can(self.layout.thread(index)), ThreadId::at(index));
            if can.call == Is::So {
                self.follow(state, Move::Call(t));
            }
            if can.local == Is::So {
                self.follow(state, Move::Local(t));
            }
            if can.expire == Is::So {
                self.follow(state, Move::Expire(t));
            }
        }
    }

    fn can(&self, position: usize) -> Can {
        self.parts.can(self.seen.part(position, self.row[position]))
    }

    fn follow(&mut self, from: u32, what: Move) {
        self.found.clear();
        let most = self.performed + MOST_EFFECTS;
        while let Err(answers) = self.memo.effects(what.number(), &self.row, &mut self.found) {
            if self.performed > most {
                self.refused = Some(what);
                return;
            }
            self.perform(what, &answers);
        }
        let pending = self.found.iter().map(|effect| Pending { from, what, effect: *effect });
        self.batch.pending.extend(pending);
    }

    /// Goes where the moves of the batch lead. All places are looked up together, because the memory
    /// answers many questions in hardly more time than one.
    fn arrive(&mut self, edges: &mut Vec<Edge>) {
        if let Some(symmetry) = self.symmetry.take() {
            self.symmetry = Some(self.arrive_in_order(symmetry, edges));
            return;
        }
        let words = self.rows.words();
        let Batch { pending, packed } = &mut self.batch;
        packed.clear();
        let mut fetched = 0;
        for move_ in pending.iter() {
            let at = packed.len();
            packed.extend_from_slice(self.rows.packed(move_.from));
            for (position, number) in &self.memo.effect(move_.effect).writes {
                self.rows.put(&mut packed[at..], *position as usize, *number);
            }
            fetched ^= self.rows.fetch(&packed[at..]);
        }
        std::hint::black_box(fetched);
        for (move_, packed) in pending.iter().zip(packed.chunks_exact(words)) {
            let (to, new) = self.rows.insert(packed);
            let new = if new { IsNew::New } else { IsNew::Known };
            let Pending { from, what, effect } = *move_;
            edges.push(Edge { from, what, to, new, effect });
        }
    }

    /// As [`Space::arrive`], at states in which replicas are in order.
    fn arrive_in_order(&mut self, mut symmetry: Symmetry, edges: &mut Vec<Edge>) -> Symmetry {
        let mut rows = Vec::new();
        let width = self.layout.width();
        let pending = std::mem::take(&mut self.batch.pending);
        for move_ in &pending {
            self.rows.unpack(move_.from, &mut self.row);
            for (position, number) in &self.memo.effect(move_.effect).writes {
                self.row[*position as usize] = *number;
            }
            self.put_in_order(&mut symmetry);
            rows.extend_from_slice(&self.row);
        }
        for (move_, row) in pending.iter().zip(rows.chunks_exact(width)) {
            let (to, new) = self.rows.insert(&self.rows.pack(row));
            let new = if new { IsNew::New } else { IsNew::Known };
            let Pending { from, what, effect } = *move_;
            edges.push(Edge { from, what, to, new, effect });
        }
        self.batch.pending = pending;
        symmetry
    }

    /// Puts the replicas in the state of the row in order.
    fn put_in_order(&mut self, symmetry: &mut Symmetry) {
        let mut parts = self.seen.parts_of(&self.row);
        if symmetry.arrange(self.machine, &mut self.parts, &mut parts) {
            self.row_of(&parts);
        }
    }

    /// Makes the row of a state out of its parts.
    fn row_of(&mut self, parts: &[u32]) {
        for (position, part) in parts.iter().enumerate() {
            let number = self.seen.number(position, *part);
            self.rows.widen(position, number);
            self.row[position] = number;
        }
    }

    /// What a way is in the whole system, where the replicas are `who` (nobody has changed places if that is
    /// not said): the move, the parts of the state that it leads to, and who the replicas are there.
    pub fn in_the_whole(
        &mut self,
        edge: &Edge,
        who: Option<&[u8]>,
    ) -> (Move, Vec<u32>, Option<Vec<u8>>) {
        self.rows.unpack(edge.from, &mut self.row);
        for (position, number) in &self.memo.effect(edge.effect).writes {
            self.row[*position as usize] = *number;
        }
        let mut parts = self.seen.parts_of(&self.row);
        let Some(symmetry) = &mut self.symmetry else { return (edge.what, parts, None) };
        let nobody = symmetry.nobody_moves();
        let who = who.unwrap_or(&nobody);
        let what = symmetry.as_done_by(edge.what, who);
        let there = symmetry.as_seated(self.machine, &mut self.parts, &parts, who);
        let after = symmetry.who_after(self.machine, &mut self.parts, &mut parts, who);
        (what, there, Some(after))
    }

    /// The parts of a state of the whole system, as they are numbered here.
    pub fn parts_of(&mut self, state: &State) -> Vec<u32> {
        let mut parts = self.parts.of_state(self.machine, &self.layout, state);
        if self.layout.memory == Is::NotSo {
            // Then nothing depends on it, and it is as it was in the beginning.
            parts[parts::MEMORY] = self.seen.part(parts::MEMORY, 0);
        }
        parts
    }

    /// How the kernel's questions were answered on a way.
    pub fn answers(&self, edge: &Edge) -> &[u64] {
        &self.memo.effect(edge.effect).answers
    }

    /// What a way achieves.
    pub fn news(&self, edge: &Edge) -> News {
        self.memo.effect(edge.effect).news
    }

    /// Whether on this way nothing happens but that a thread has waited long enough, for something else
    /// than that its sleep is over.
    pub fn is_timeout(&self, edge: &Edge) -> bool {
        let Move::Expire(t) = edge.what else { return false };
        let position = self.layout.thread(t.index());
        let number = self.rows.number_at(edge.from, position);
        self.parts.can(self.seen.part(position, number)).expire == Is::So
            && self.parts.can(self.seen.part(position, number)).sleeps == Is::NotSo
    }

    /// Whether its messages arrive.
    pub fn delivery(&self, edge: &Edge) -> Delivery {
        self.memo.effect(edge.effect).delivery
    }

    /// The threads that a way changes: those move on it.
    pub fn moved(&self, edge: &Edge) -> impl Iterator<Item = ThreadId> + '_ {
        let writes = self.memo.effect(edge.effect).writes.iter();
        writes.filter_map(|(position, _)| self.layout.thread_at(*position as usize))
    }

    /// A state as the kernel knows it.
    pub fn state(&self, state: u32) -> State {
        let mut row = vec![0; self.layout.width()];
        self.rows.unpack(state, &mut row);
        self.parts.state(&self.layout, &self.seen.parts_of(&row), &Clock::default())
    }

    /// What was logged on the way to a state, if that is kept.
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
        self.found.clear();
        let what = predicate as u32;
        while self.truths.effects(what, &self.row, &mut self.found).is_err() {
            let state = self.parts.state(&self.layout, &self.seen.parts_of(&self.row), &self.clock);
            let truth = self.predicates[predicate].holds(self.machine, &state);
            let before = (state.threads.items().len(), state.mailboxes.items().len());
            let deeds = in_order(looked(&self.layout, &state, before), Vec::new());
            self.truths.learn(what, &self.row, &deeds, truth, 0);
        }
        self.truths.effect(self.found[0]).clone()
    }

    /// How many different sights a predicate has had: one means that nothing it looks at ever changes.
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

/// How many moves there were, and how many of them a reduction kept.
#[derive(Default)]
struct Trial {
    moves: usize,
    kept: usize,
}

impl Trial {
    /// Whether it is worth going on: finding out what to leave out takes longer than a move.
    fn pays(&self) -> bool {
        const ENOUGH_TO_TELL: usize = 20_000;
        self.moves < ENOUGH_TO_TELL || self.kept + self.kept / 8 < self.moves
    }
}

/// Moves whose targets are looked up together.
#[derive(Default)]
struct Batch {
    pending: Vec<Pending>,
    packed: Vec<u64>,
}

#[derive(Clone, Copy)]
struct Pending {
    from: u32,
    what: Move,
    effect: u32,
}

impl Batch {
    fn clear(&mut self) {
        self.pending.clear();
    }
}

/// Whether a predicate holds, or why it cannot be computed.
pub type Truth = Result<bool, Fault>;
