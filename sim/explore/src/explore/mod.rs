//! Every schedule: visits all reachable states, breadth first, and concludes from all of them
//! together what can become of a system.

mod approximate;
mod claims;
mod components;
mod endings;
mod explain;
mod lasso;
mod observed;
mod reduced;
mod retold;
mod search;
mod starvation;

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicU64, Ordering};

use ipcsim_kernel::program::{Effect, Op, Wait};
use ipcsim_kernel::{Machine, MailboxId, Pc, State, ThreadId};

use crate::cancel::{Cancellation, Reason};
use crate::replay::replay;
use crate::run::NoTrace;
use crate::space::{
    Bounds, Cut, Delivery, Edge, Grain, Lookers, Looks, MOST_ROOM, Move, Reductions, Space, Stop,
    first_room, next_room,
};
use crate::verdict::Outcome;
pub use approximate::explore_approximately;
pub use claims::{FinalResult, Vacuous};
use endings::{Conclusion, Ends};
pub use endings::{Doom, Ending, Goes, end_of};
pub use explain::{Leg, Lost, Path, Wanted};
use retold::Retold;
pub use retold::Why;
use search::Search;
pub use starvation::Starving;

/// Where an exploration is cut off.
#[derive(Clone, Copy, Debug)]
pub struct ExploreLimits<'a> {
    /// After this many states.
    pub max_states: u64,
    /// Reductions that leave out schedules are used only if there are more states than this.
    pub small: u64,
    /// After this much work, as [`Exploration::work`] counts it.
    pub max_work: u64,
    /// At this many bytes of memory.
    pub max_bytes: usize,
    /// The threads that search. The result does not depend on them.
    pub lookers: Lookers,
    /// As soon as this is cancelled.
    pub cancelled: Option<&'a Cancellation>,
    /// Updated now and then with how far it is.
    pub progress: Option<&'a Progress>,
}

impl Default for ExploreLimits<'_> {
    fn default() -> Self {
        Self {
            max_states: u64::MAX,
            small: 0,
            max_work: u64::MAX,
            max_bytes: usize::MAX,
            lookers: Lookers::default(),
            cancelled: None,
            progress: None,
        }
    }
}

impl<'a> ExploreLimits<'a> {
    /// Reports how far it is, if anybody wants to know.
    fn tell(&self, states: u64, expanded: u64, depth: u64, bytes: usize) {
        let Some(progress) = self.progress else { return };
        progress.states.store(states, Ordering::Relaxed);
        progress.expanded.store(expanded, Ordering::Relaxed);
        progress.depth.store(depth, Ordering::Relaxed);
        progress.bytes.store(bytes as u64, Ordering::Relaxed);
    }

    /// Where the search is cut off in the middle of a batch.
    fn bounds(&self) -> Bounds<'a> {
        Bounds { cancelled: self.cancelled, max_bytes: Some(self.max_bytes) }
    }

    /// Why to stop, if it is time to, with this many bytes in use.
    fn over(&self, bytes: usize) -> Option<Covered> {
        let cancelled = self.cancelled.and_then(Cancellation::reason).map(Covered::from);
        cancelled.or_else(|| (bytes > self.max_bytes).then_some(Covered::Memory))
    }
}

/// How far an exploration is; may be read by another thread.
#[derive(Debug, Default)]
pub struct Progress {
    /// States that are known.
    pub states: AtomicU64,
    /// States whose transitions are known.
    pub expanded: AtomicU64,
    /// Steps from the beginning.
    pub depth: AtomicU64,
    /// Bytes of memory.
    pub bytes: AtomicU64,
}

/// How much was explored: everything, or up to which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covered {
    /// Everything.
    All,
    /// Every schedule that comes to an end. Those that go on for ever were not judged: they are too many to look at
    /// them one by one.
    Ends,
    /// [`ExploreLimits::max_states`].
    States,
    /// [`ExploreLimits::max_bytes`].
    Memory,
    /// It reached the time limit.
    Time,
    /// It was interrupted.
    Interrupted,
    /// Everything except states that were mistaken for known ones, because they have the same bits.
    Hashed,
    /// The number of threads or mailboxes keeps growing.
    Growth,
    /// The program asks for the time here, but an exploration has no clock.
    Clock(Pc),
    /// This thread can reach local work that never ends.
    Endless(ThreadId),
    /// A step, of this thread if it belongs to one, has too many outcomes.
    TooManyAnswers(Option<ThreadId>),
}

impl From<Stop> for Covered {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Cut(Cut::Cancelled(reason)) => reason.into(),
            Stop::Cut(Cut::Bytes) => Covered::Memory,
            Stop::Outgrown | Stop::Irreducible | Stop::NeedsNumbers => Covered::Growth,
            Stop::TooManyAnswers(what) => Covered::TooManyAnswers(what.thread()),
        }
    }
}

impl From<Reason> for Covered {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Interrupted => Covered::Interrupted,
            Reason::Time => Covered::Time,
            Reason::Memory => Covered::Memory,
        }
    }
}

/// A step of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleStep {
    /// What happens.
    pub what: Move,
    /// How the kernel's questions are answered.
    pub answers: Vec<u64>,
}

/// The result over all schedules.
pub struct Exploration<'m> {
    /// The machine.
    pub machine: &'m Machine,
    space: Space<'m>,
    /// The state from which each state was first reached.
    parents: Vec<u32>,
    first: u32,
    /// The initial states.
    beginnings: Vec<u32>,
    /// Whether some transition leads back: only then can there be cycles.
    goes_back: bool,
    /// The first state of each level of the search, from the second on.
    levels: Vec<u32>,
    ends: Ends,
    /// The states without outgoing transitions, in order.
    sinks: Vec<u32>,
    /// How much was explored: everything, or up to which limit.
    pub covered: Covered,
    /// The number of transitions.
    pub edges: u64,
    /// The length of the longest shortest path.
    pub depth: u32,
    /// What can become of the system: one entry per outcome.
    pub endings: Vec<Ending>,
    /// The threads that can reach a point after which they never move again: one entry per set and reason.
    pub doomed: Vec<Doom>,
    /// The threads that can starve, if the search looked for them.
    pub starving: Vec<Starving>,
    /// Whether unfair schedules were left out: those that cycle for ever and pass somebody over who could go on.
    pub is_fair_only: bool,
    /// The first wait cycle that only a timeout breaks.
    pub masked: Option<Doom>,
    /// Whether, in every schedule explored, each message arrives or is still under way at the end.
    pub delivery: Delivery,
    /// Set if it was found without keeping every state.
    retold: Option<Retold>,
}

/// Visits all states, or enough of them to represent all.
///
/// Schedules are left out only if there are many states, and as far as what is asked allows it.
pub fn explore<'m>(
    machine: &'m Machine,
    reductions: Reductions,
    looks: Looks,
    limits: &ExploreLimits<'m>,
) -> Exploration<'m> {
    let whole = reductions.of_schedules();
    let reductions = reductions.sound_to(looks);
    if reductions == whole {
        return explore_whole(machine, whole, looks, limits);
    }
    let part = match explore_small(machine, whole, looks, limits) {
        ControlFlow::Break(found) => return found,
        ControlFlow::Continue(part) => (limits.max_states <= limits.small).then_some(part),
    };
    let reduced = reduced::explore(machine, (reductions, looks), limits);
    reduced.or(part).unwrap_or_else(|| explore_whole(machine, whole, looks, limits))
}

/// Visits all states if they are few, and then breaks; otherwise continues with the part that was visited.
fn explore_small<'m>(
    machine: &'m Machine,
    reductions: Reductions,
    looks: Looks,
    limits: &ExploreLimits<'m>,
) -> ControlFlow<Exploration<'m>, Exploration<'m>> {
    /// With many threads even few states have many transitions.
    const WAYS: u64 = 8;
    let is_all = limits.max_states <= limits.small;
    let most_ways = if is_all { u64::MAX } else { limits.small.saturating_mul(WAYS) };
    let small = ExploreLimits {
        max_states: limits.max_states.min(limits.small),
        max_work: limits.max_work.min(most_ways),
        ..*limits
    };
    let found = explore_whole(machine, reductions, looks, &small);
    if found.covered == Covered::States {
        ControlFlow::Continue(found)
    } else {
        ControlFlow::Break(found)
    }
}

/// Visits all states.
fn explore_whole<'m>(
    machine: &'m Machine,
    reductions: Reductions,
    looks: Looks,
    limits: &ExploreLimits<'m>,
) -> Exploration<'m> {
    let mut room = first_room(machine);
    loop {
        let space = Space::new(machine, reductions, looks, room);
        if let Some(found) = explore_in(space, limits) {
            return found;
        }
        room = next_room(room);
    }
}

/// Visits all states; `None` if the space needs more room.
fn explore_in<'m>(space: Space<'m>, limits: &ExploreLimits<'m>) -> Option<Exploration<'m>> {
    let machine = space.machine();
    let mut search = Search::new(space);
    let beginnings = search.begin(limits);
    let first = beginnings.iter().copied().min().unwrap_or(0);
    let mut covered = search.run(first, limits);
    if search.space.stop() == Some(Stop::Outgrown) {
        if search.space.room() < MOST_ROOM {
            return None;
        }
        covered = Covered::Growth;
    }
    let Search { mut space, parents, sinks, count, levels, goes_back, delivery, masked, .. } =
        search;
    // From a part of the states, one cannot conclude who can never go on.
    let looks_for_circles = goes_back && covered == Covered::All;
    let masked = endings::masked(machine, &space, &masked);
    let starving =
        looks_for_circles.then(|| starvation::starving(machine, &mut space, first)).flatten();
    let Conclusion { endings, doomed, ends, has_unfair, .. } =
        endings::conclude(machine, &mut space, first, &sinks, looks_for_circles);
    // If drawing conclusions was cancelled, they cover only a part of the states.
    if let (Covered::All, Some(reason)) = (covered, space.cancelled()) {
        covered = reason.into();
    }
    Some(Exploration {
        machine,
        space,
        parents,
        first,
        beginnings,
        goes_back,
        covered,
        edges: count,
        depth: levels.len() as u32,
        levels,
        ends,
        sinks,
        endings,
        doomed,
        starving: starving.unwrap_or_default(),
        is_fair_only: has_unfair,
        masked,
        delivery,
        retold: None,
    })
}

/// Whether somebody may stop waiting for an answer without getting it.
fn may_give_up_calls(machine: &Machine) -> bool {
    let waits_for_a_while =
        |effect: Effect| matches!(effect, Effect::Waits(wait) if *wait != Wait::Forever);
    let is_bounded = |op: &Op| {
        op.may(|effect| matches!(effect, Effect::AwaitsAnswer)) && op.may(waits_for_a_while)
    };
    // It may also be ended by somebody else.
    let is_ended = |effect: Effect| matches!(effect, Effect::Commands(..) | Effect::Starts(..));
    machine.makes_reply_rights()
        && (machine.code.iter().any(is_bounded)
            || machine.any_call(is_ended)
            || machine
                .families
                .iter()
                .any(|family| family.threads.iter().map(|it| it.count).sum::<u32>() > 1))
}

/// The messages left over in the one of these states that has most.
fn left_over(space: &Space, states: &[u32]) -> Vec<(MailboxId, u64)> {
    let stored = |state: &u32| -> Vec<(MailboxId, u64)> {
        let state = space.end_state(*state);
        let mailboxes = state.mailboxes.items().iter().enumerate();
        mailboxes
            .map(|(id, mailbox)| (MailboxId::at(id), mailbox.messages.len() as u64))
            .filter(|(_, count)| *count > 0)
            .collect()
    };
    let all = states.iter().map(stored);
    all.max_by_key(|left| left.iter().map(|(_, count)| count).sum::<u64>()).unwrap_or_default()
}

impl Exploration<'_> {
    /// How many states there are, or were found before the limit. With reductions, they represent
    /// more.
    pub fn states(&self) -> u64 {
        match &self.retold {
            Some(retold) => retold.by.states,
            None => self.space.states() as u64 - u64::from(self.first),
        }
    }

    /// Why not every state was kept, if so. Then a path need not be the shortest, and the point of
    /// no return is not known.
    pub fn why_not_whole(&self) -> Option<Why> {
        self.retold.as_ref().map(|retold| retold.by.why)
    }

    /// Whether it is known that no schedule ends like this.
    ///
    /// Where only those were judged that come to an end, somebody may be stuck while others go on for ever. Wherever these can
    /// still stop, the same threads still wait, but perhaps for another reason: whoever goes on in a circle may be the one that
    /// somebody waits for at the end, or may have given up a call that a daemon owed an answer.
    pub fn excludes(&self, outcome: Outcome) -> bool {
        let is_found = self.endings.iter().any(|ending| ending.outcome == outcome);
        match self.covered {
            Covered::All => !is_found,
            Covered::Ends => match outcome {
                Outcome::Fails => !is_found,
                Outcome::Deadlock | Outcome::Stranded => {
                    let is_stuck = |retold: &Retold| retold.by.somebody_is_stuck;
                    !self.retold.as_ref().is_none_or(is_stuck) && !may_give_up_calls(self.machine)
                }
                Outcome::Livelock | Outcome::Completes | Outcome::Unfinished => false,
            },
            _ => false,
        }
    }

    /// The approximate size of all states in bytes.
    pub fn bytes(&self) -> usize {
        match &self.retold {
            Some(retold) => retold.by.bytes,
            None => self.space.bytes() + self.parents.capacity() * 4,
        }
    }

    /// How often the kernel performed a step; all other steps came from the transition cache.
    pub fn performed(&self) -> u64 {
        self.retold.as_ref().map_or(self.space.performed(), |retold| retold.by.performed)
    }

    /// What the search cost: how many steps were looked up, and how much was looked at to leave steps out. The same on
    /// every machine.
    pub fn work(&self) -> u64 {
        self.retold.as_ref().map_or(self.space.work(), |retold| retold.by.work)
    }

    /// The messages left over when the system completes, or completes in a cycle: per mailbox, in
    /// the state with most.
    pub fn left_over(&self) -> Vec<(MailboxId, u64)> {
        match &self.retold {
            Some(retold) => retold.by.left_over.clone(),
            None => left_over(&self.space, &self.ends.good),
        }
    }

    /// What counts as one step of its schedules.
    pub fn grain(&self) -> &Grain {
        self.space.grain()
    }

    /// The numbers of all states that were kept.
    pub fn numbers(&self) -> Range<u32> {
        self.first..self.space.states() as u32
    }

    /// A state as the kernel knows it.
    pub fn state(&self, state: u32) -> State {
        self.space.state(state)
    }

    /// The state to which a path leads, as a run knows it: requests, and mailboxes that were made on the way, have their names,
    /// and messages their senders.
    pub fn state_after(&mut self, path: &Path) -> State {
        match path.last() {
            Some(leg) if !self.space.forgets() => self.state(leg.to),
            _ => replay(self.machine, &self.grain().clone(), &self.schedule(path), &mut NoTrace),
        }
    }

    /// The schedule step of an edge.
    pub fn step_of(&self, edge: &Edge) -> ScheduleStep {
        ScheduleStep { what: edge.what, answers: self.space.answers(edge).to_vec() }
    }

    /// The steps of a path.
    pub fn schedule(&mut self, path: &Path) -> Vec<ScheduleStep> {
        let mut schedule = Vec::new();
        for leg in path {
            let edge = self.edges_from(schedule.is_empty(), leg.from)[leg.way];
            schedule.push(self.step_of(&edge));
        }
        schedule
    }

    /// Which transition a path takes in each state, and out of how many.
    pub fn ways(&mut self, path: &Path) -> Vec<(u64, u64)> {
        let mut ways = Vec::new();
        for leg in path {
            let count = self.edges_from(ways.is_empty(), leg.from).len();
            ways.push((leg.way as u64, count as u64));
        }
        ways
    }
}
