//! The space of all states: where one can go from each.
//!
//! Time is free here: any thread that can may take the next step, and a bounded wait may end at any
//! moment. A move is one call of one thread with the local work behind it; the kernel's one `step`
//! performs it, once for everything that it looks at, and after that it is known.

mod drive;
mod live;
mod memo;
mod parts;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ipcsim_kernel::program::{Op, Verb};
use ipcsim_kernel::table::Clock;
use ipcsim_kernel::{
    Computing, Detect, End, Event, Fault, Kind, Life, Machine, Oracle, Predicate, Probe, ProcessId,
    Progress, Question, Register, Role, Sink, Span, State, ThreadId, assert_invariants,
};

pub(crate) use drive::{Ready, drive};
use live::Live;
use memo::{Deed, Effect, Memo};
pub use memo::{Move, News};
use parts::{Can, Is, Layout, Part, Parts, changed, looked, part_at};
use rows::Rows;

/// Numbers are drawn out of at most so many; more cannot be explored.
const MOST_ANSWERS: u64 = 256;
/// In one step so many questions are asked at most.
const MOST_QUESTIONS: usize = 32;
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
}

impl Default for Reductions {
    fn default() -> Self {
        Self { merge: Reduction::On }
    }
}

impl Reductions {
    /// Those of them that change nothing in this machine. A kernel that refuses deadlocks looks at how
    /// far every thread is and what its variables hold, so there local work is seen by others.
    #[must_use]
    pub fn sound_for(self, machine: &Machine) -> Self {
        match machine.policies.detect {
            Detect::Report => self,
            Detect::Refuse => Self { merge: Reduction::Off },
        }
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
    /// How often the kernel really performed a step.
    pub performed: u64,
    /// Whether there were more threads or mailboxes than there is room for: then all that was found is
    /// void, and has to be found again with more room.
    pub outgrown: bool,
    /// A move that comes out in too many ways.
    pub refused: Option<Move>,
}

impl<'m> Space<'m> {
    /// A space in which nothing was reached yet, to be looked at by these predicates, with room for so
    /// many threads and mailboxes that come up on the way.
    pub fn new(
        machine: &'m Machine,
        reductions: Reductions,
        predicates: &[Predicate],
        room: usize,
    ) -> Self {
        let probes = || predicates.iter().flat_map(|predicate| &predicate.probes);
        let looks_at_memory = probes().any(|probe| *probe == Probe::KernelUsed);
        let watched: Vec<Register> = probes()
            .filter_map(|probe| match probe {
                Probe::Variable { register, .. } => Some(*register),
                _ => None,
            })
            .collect();
        let state = State::initial(machine);
        let grows = |name: fn(&Verb) -> bool| {
            machine.code.iter().any(|op| matches!(op, Op::Call(call) if name(&call.verb)))
        };
        let with_room = |count: usize, grows: bool| if grows { count + room } else { count };
        let layout = Layout {
            processes: state.processes.len(),
            threads: with_room(
                state.threads.len(),
                grows(|verb| matches!(verb, Verb::StartThread { .. })),
            ),
            mailboxes: with_room(state.mailboxes.len(), true),
            memory: Is::when(machine.policies.memory.is_some() || looks_at_memory),
        };
        let mut parts = Parts::new(machine);
        let seen = Seen::new(parts.of_state(machine, &layout, &state));
        Self {
            machine,
            room,
            reductions: reductions.sound_for(machine),
            layout,
            live: Live::new(machine, &watched),
            parts,
            memo: Memo::new(),
            predicates: predicates.to_vec(),
            truths: Memo::new(),
            rows: Rows::new(layout.width()),
            clock: Clock::default(),
            row: vec![0; layout.width()],
            seen,
            batch: Batch::default(),
            found: Vec::new(),
            performed: 0,
            refused: None,
            outgrown: false,
        }
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

    /// How the kernel's questions were answered on a way.
    pub fn answers(&self, edge: &Edge) -> &[u64] {
        &self.memo.effect(edge.effect).answers
    }

    /// What a way achieves.
    pub fn news(&self, edge: &Edge) -> News {
        self.memo.effect(edge.effect).news
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

    /// Lets the kernel perform a step in the state of the row, and learns what it does.
    fn perform(&mut self, what: Move, answers: &[u64]) {
        self.performed += 1;
        let mut state = self.parts.state(&self.layout, &self.seen.parts_of(&self.row), &self.clock);
        let before = (state.threads.items().len(), state.mailboxes.items().len());
        let mut script = Script { clock: &self.clock, answers, asked: Vec::new(), refused: None };
        let mut told = Ready::new(Told { news: News::Nothing });
        drive(
            self.machine,
            &mut state,
            (what, self.reductions.merge),
            &mut script,
            &mut told,
            |script, told, progress, who| match (progress, script.refused.take(), who) {
                (Progress::Endless, _, Some(t)) => told.news = News::Endless(t),
                (_, Some(()), Some(t)) => told.news = News::TooManyAnswers(t),
                _ => {}
            },
        );
        let asked = script.asked;
        self.forgive_daemons(&mut state);
        if cfg!(debug_assertions) {
            assert_invariants(self.machine, &state.clone());
        }
        let answers = asked.iter().map(|(_, _, answer)| *answer).collect();
        let deeds = in_order(looked(&self.layout, &state, before), asked);
        let writes = self.writes(&state, before);
        let effect = Effect { answers, writes, news: told.sink.news };
        let bytes = 8 * (effect.answers.len() + effect.writes.len());
        self.memo.learn(what.number(), &self.row, &deeds, effect, bytes);
    }

    /// A daemon that fails when no worker is left has not failed: nobody needs it any more.
    fn forgive_daemons(&self, state: &mut State) {
        let role = |index: usize| self.machine.family_of(ProcessId::at(index)).role;
        for index in 0..self.layout.processes {
            let life = |state: &State| state.processes.items()[index].life.clone();
            let failed = matches!(life(state), Life::Ended(End::Failed(..)));
            if !failed || !state.processes.changed(index) || role(index) == Role::Worker {
                continue;
            }
            let workers = (0..self.layout.processes).filter(|other| role(*other) == Role::Worker);
            if workers.into_iter().all(|worker| state.has_ended(ProcessId::at(worker))) {
                state.processes[index].life = Life::Ended(End::Finished);
            }
        }
    }

    fn writes(&mut self, state: &State, before: (usize, usize)) -> Box<[(u32, u32)]> {
        let mut writes = Vec::new();
        let (threads, mailboxes) = (state.threads.items().len(), state.mailboxes.items().len());
        if threads > self.layout.threads || mailboxes > self.layout.mailboxes {
            self.outgrown = true;
            return writes.into();
        }
        for position in changed(&self.layout, state, before) {
            let mut part = part_at(&self.layout, state, position);
            if let (Part::Thread(thread), Reduction::On) = (&mut part, self.reductions.merge) {
                self.live.forget(thread);
            }
            let part = self.parts.number(self.machine, part);
            let number = self.seen.number(position, part);
            if number != self.row[position] {
                self.rows.widen(position, number);
                writes.push((position as u32, number));
            }
        }
        writes.into()
    }
}

/// For each position the parts that were ever seen there.
struct Seen {
    parts: Vec<Vec<u32>>,
    numbers: Vec<BTreeMap<u32, u32>>,
}

impl Seen {
    /// At each position one part was seen, whose number there is 0.
    fn new(row: Vec<u32>) -> Self {
        let numbers = row.iter().map(|part| BTreeMap::from([(*part, 0)])).collect();
        Self { parts: row.into_iter().map(|part| vec![part]).collect(), numbers }
    }

    fn part(&self, position: usize, number: u32) -> u32 {
        self.parts[position][number as usize]
    }

    fn parts_of(&self, row: &[u32]) -> Vec<u32> {
        let numbers = row.iter().enumerate();
        numbers.map(|(position, number)| self.part(position, *number)).collect()
    }

    fn number(&mut self, position: usize, part: u32) -> u32 {
        let parts = &mut self.parts[position];
        *self.numbers[position].entry(part).or_insert_with(|| {
            parts.push(part);
            parts.len() as u32 - 1
        })
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

/// What was looked at and what was asked, in the order in which it was.
fn in_order(looks: Vec<(u32, usize)>, asked: Vec<(u32, u64, u64)>) -> Vec<Deed> {
    let looks = looks.into_iter().map(|(stamp, position)| (stamp, Deed::Looked(position)));
    let asked =
        asked.into_iter().map(|(stamp, answers, answer)| (stamp, Deed::Asked { answers, answer }));
    let mut deeds: Vec<(u32, Deed)> = looks.chain(asked).collect();
    deeds.sort_unstable_by_key(|(stamp, _)| *stamp);
    deeds.into_iter().map(|(_, deed)| deed).collect()
}

/// Answers questions as they are written down, and with 0 behind that.
struct Script<'a> {
    clock: &'a Clock,
    answers: &'a [u64],
    /// When it was asked, how many answers there were, and which was given.
    asked: Vec<(u32, u64, u64)>,
    /// There were too many answers.
    refused: Option<()>,
}

impl Oracle for Script<'_> {
    fn choose(&mut self, question: Question) -> u64 {
        let answers = question.answers().filter(|answers| *answers <= MOST_ANSWERS);
        let Some(answers) = answers.filter(|_| self.asked.len() < MOST_QUESTIONS) else {
            self.refused = Some(());
            return 0;
        };
        let answer = self.answers.get(self.asked.len()).copied().unwrap_or(0);
        self.asked.push((self.clock.tick(), answers, answer));
        answer
    }

    fn computing(&self) -> Computing {
        Computing::IsFree
    }

    /// Only a line of the log may ask, and that nobody reads.
    fn now_ns(&mut self) -> i64 {
        0
    }
}

/// What a step tells an exploration.
struct Told {
    news: News,
}

impl Sink for Told {
    const EVENTS: bool = true;

    fn ready(&mut self, _: ThreadId) {}

    fn waits(&mut self, _: ThreadId, _: Span) {}

    fn ended(&mut self, _: ThreadId) {}

    fn blocked(&mut self, _: ThreadId) {}

    fn received(&mut self, _: ThreadId) {}

    fn logged(&mut self, _: ThreadId) {}

    fn lost(&mut self) {}

    fn copied(&mut self, _: u64) {}

    fn event(&mut self, machine: &Machine, state: &State, event: &Event) {
        if let (Kind::Received(_) | Kind::Logged(_), Some(t)) = (&event.kind, event.thread) {
            let process = state.threads.items()[t.index()].process;
            if machine.family_of(process).role == Role::Worker && self.news == News::Nothing {
                self.news = News::Progress;
            }
        }
    }
}
