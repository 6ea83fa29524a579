//! What can become of a system: states in which nothing moves any more, and cycles in which it can
//! stay for ever without being unfair to anybody.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ipcsim_kernel::waits::{WaitGraph, is_at_rest, rests_in_its_main_receive};
use ipcsim_kernel::{
    Bound, End, Life, Machine, ProcessId, Role, State, Thread, ThreadId, ThreadState,
};

use super::components::{Components, UNSEEN, components};
use super::explain::Path;
use super::lasso::way_round;
use crate::space::{Achieved, Edge, Move, Space};
use crate::verdict::{Class, Diagnosis, Failure, Outcome, Problem, diagnose, outcome_of, workers};

/// Whether a schedule comes to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    /// Nothing can move any more.
    Stops,
    /// It goes on for ever.
    OnForEver,
}

/// A way in which schedules end.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Its outcome.
    pub outcome: Outcome,
    /// The first state, in order of discovery, in which a schedule ends this way.
    pub state: u32,
    /// Whether the schedule comes to an end there.
    pub goes: Goes,
    /// The number of such states, or cycles of states.
    pub count: u64,
    /// What is wrong with threads that can never move again.
    pub problems: Vec<Problem>,
    /// Who waits for whom, among all living threads.
    pub waits_for: WaitGraph,
    /// Processes that failed.
    pub failures: Vec<Failure>,
    /// The sets of processes with a stuck thread, over all these states.
    pub blocked: Vec<Vec<ProcessId>>,
    /// For each of these sets, the first state, in order of discovery, that has it.
    pub blocked_at: Vec<u32>,
    /// If it goes on for ever: one turn of the cycle, from that state back to it; empty if none was found.
    pub round: Path,
}

/// Threads that can reach a point after which they never move again, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doom {
    /// What is wrong, and with whom.
    pub problem: Problem,
    /// The first state, in order of discovery, in which a schedule ends this way.
    pub state: u32,
    /// The number of such states, or cycles of states.
    pub count: u64,
}

/// What becomes of a system.
#[derive(Default)]
pub(super) struct Conclusion {
    /// One entry per outcome.
    pub endings: Vec<Ending>,
    /// One entry per set of threads that can be doomed together, and reason, in order of discovery.
    pub doomed: Vec<Doom>,
    pub ends: Ends,
    /// Whether there is a cycle in which a schedule can stay only by passing somebody over for
    /// ever. It counts as no outcome.
    pub has_unfair: bool,
    by_outcome: BTreeMap<&'static str, Ending>,
    by_threads: BTreeMap<(Class, Vec<ThreadId>), Doom>,
}

/// Draws the conclusions. It looks for cycles only if some transition leads back. If cancelled, the
/// conclusions are incomplete, and cycles are unknown.
pub(super) fn conclude(
    machine: &Machine,
    space: &mut Space,
    first: u32,
    sinks: &[u32],
    goes_back: bool,
) -> Conclusion {
    let mut all = Conclusion::default();
    for sink in sinks {
        if space.go_on().is_none() {
            break;
        }
        let ending = of_state(machine, &space.end_state(*sink), *sink, 1);
        all.ends.of(ending.outcome).push(*sink);
        all.enter(ending);
    }
    if goes_back {
        // The cycles entered before it was cancelled are real.
        let _ = circles(machine, space, first, &mut all);
    }
    for states in [&mut all.ends.good, &mut all.ends.bad] {
        states.sort_unstable();
        states.dedup();
    }
    all.list();
    all
}

/// The ending of a state in which nothing moves any more; `count` is the number of such states.
pub(super) fn of_state(machine: &Machine, state: &State, at: u32, count: u64) -> Ending {
    let still = living(state, |_| true);
    Ending { count, ..judge(machine, state, &still, at, Goes::Stops, None) }
}

/// The ending of a schedule that leads to this state; `None` if it can go on.
pub fn end_of(machine: &Machine, state: &State) -> Option<Ending> {
    let goes_on = |thread: &Thread| match &thread.state {
        ThreadState::Ready | ThreadState::Raising(_) | ThreadState::LookingAgain { .. } => true,
        ThreadState::Blocked { bound, .. } => *bound == Bound::Bounded,
        ThreadState::NotStarted => state.processes[thread.process.index()].life == Life::NotStarted,
        ThreadState::Suspended(_) | ThreadState::Ended => false,
    };
    let is_over = !state.threads.items().iter().any(goes_on);
    is_over.then(|| of_state(machine, state, 0, 1))
}

/// The first cycle of waits, among states in which only a timeout can happen.
pub(super) fn masked(machine: &Machine, space: &Space, states: &[u32]) -> Option<Doom> {
    let circle = |state: &u32| {
        let at = space.state(*state);
        let waits =
            |t: &ThreadId| matches!(at.threads[t.index()].state, ThreadState::Blocked { .. });
        let is_in_the_way = |t: &ThreadId| !rests_in_its_main_receive(machine, &at, *t);
        let waiting: Vec<ThreadId> =
            (0..at.threads.len()).map(ThreadId::at).filter(waits).filter(is_in_the_way).collect();
        let Diagnosis { problems, .. } = diagnose(machine, &at, &waiting, &|_| 0);
        problems.into_iter().find(|it| it.class.outcome() == Some(Outcome::Deadlock))
    };
    let states = states.iter().take_while(|_| space.go_on().is_some());
    let mut found = states.filter_map(|state| Some((*state, circle(state)?)));
    let (state, problem) = found.next()?;
    Some(Doom { problem, state, count: 1 + found.count() as u64 })
}

/// Whether a daemon has failed and all workers have ended: had the last worker ended first, nobody
/// would have needed the daemon any more.
pub(super) fn failed_before_the_last_worker(machine: &Machine, state: &State) -> bool {
    let is_daemon = |process| machine.family_of(process).role == Role::Daemon;
    failures(state).iter().any(|failure| is_daemon(failure.process))
        && workers(machine).all(|process| state.is_over(process))
}

/// The states in which schedules end, in order.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// Those that complete.
    pub good: Vec<u32>,
    /// All others.
    pub bad: Vec<u32>,
}

impl Ends {
    fn of(&mut self, outcome: Outcome) -> &mut Vec<u32> {
        if outcome == Outcome::Completes { &mut self.good } else { &mut self.bad }
    }
}

impl Conclusion {
    /// Builds the lists, after everything has been entered.
    pub(super) fn list(&mut self) {
        self.endings = std::mem::take(&mut self.by_outcome).into_values().collect();
        self.endings.sort_by_key(|ending| order(ending.outcome));
        self.doomed = std::mem::take(&mut self.by_threads).into_values().collect();
        self.doomed.sort_by_key(|doom| doom.state);
    }

    /// Counts an ending; returns whether it is now the one that represents its outcome.
    pub(super) fn enter(&mut self, ending: Ending) -> bool {
        for problem in &ending.problems {
            let key = (problem.class, problem.threads.clone());
            let new = Doom { problem: problem.clone(), state: ending.state, count: 0 };
            let known = self.by_threads.entry(key).or_insert(new);
            known.count += ending.count;
            known.state = known.state.min(ending.state);
        }
        match self.by_outcome.entry(ending.outcome.word()) {
            Entry::Vacant(place) => {
                place.insert(ending);
                true
            }
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.count += ending.count;
                for (blocked, at) in ending.blocked.iter().zip(&ending.blocked_at) {
                    match known.blocked.iter().position(|set| set == blocked) {
                        Some(place) => {
                            known.blocked_at[place] = known.blocked_at[place].min(*at);
                        }
                        None => {
                            known.blocked.push(blocked.clone());
                            known.blocked_at.push(*at);
                        }
                    }
                }
                let is_first = ending.state < known.state;
                if is_first {
                    let count = known.count;
                    let blocked = std::mem::take(&mut known.blocked);
                    let blocked_at = std::mem::take(&mut known.blocked_at);
                    *known = Ending { count, blocked, blocked_at, ..ending };
                }
                is_first
            }
        }
    }
}

fn order(outcome: Outcome) -> usize {
    Outcome::ALL.iter().position(|other| *other == outcome).unwrap_or(Outcome::ALL.len())
}

/// The threads that have begun and not ended, and for which `still` holds.
fn living(state: &State, still: impl Fn(ThreadId) -> bool) -> Vec<ThreadId> {
    (0..state.threads.len())
        .map(ThreadId::at)
        .filter(|t| {
            let thread = &state.threads[t.index()].state;
            !matches!(thread, ThreadState::Ended | ThreadState::NotStarted) && still(*t)
        })
        .collect()
}

/// The ending of a system that ends in this state, where the threads in `still` never move again.
/// `otherwise` is the outcome if nobody is stuck and not all have ended.
fn judge(
    machine: &Machine,
    state: &State,
    still: &[ThreadId],
    at: u32,
    goes: Goes,
    otherwise: Option<Outcome>,
) -> Ending {
    let Diagnosis { problems, blocked, waits_for } = diagnose(machine, state, still, &|_| 0);
    let failures = failures(state);
    let all_ended = || workers(machine).all(|process| state.is_over(process));
    let outcome = if failures.is_empty() {
        outcome_of(&problems)
            .or_else(|| all_ended().then_some(Outcome::Completes))
            .or(otherwise)
            .unwrap_or(Outcome::Completes)
    } else {
        Outcome::Fails
    };
    Ending {
        outcome,
        state: at,
        goes,
        count: 1,
        problems,
        waits_for,
        failures,
        blocked: vec![blocked],
        blocked_at: vec![at],
        round: Path::new(),
    }
}

fn failures(state: &State) -> Vec<Failure> {
    let processes = state.processes.iter().enumerate();
    let failed = processes.filter_map(|(index, process)| match &process.life {
        Life::Ended(End::Failed(fault, at)) => {
            Some(Failure { process: ProcessId::at(index), fault: fault.clone(), at: at.0 })
        }
        _ => None,
    });
    failed.collect()
}

/// Enters the cycles of states in which a schedule can stay for ever; `None` if cancelled.
fn circles(
    machine: &Machine,
    space: &mut Space,
    first: u32,
    conclusion: &mut Conclusion,
) -> Option<()> {
    let states = first..space.states() as u32;
    let all = components(space, states.clone(), |_, _| true)?;
    let movable = Movable::new(space, first, &all)?;
    let quiet = components(space, states, |space, edge| space.achieved(edge) == Achieved::Nothing)?;
    for (components, achieves) in [(&all, Achieves::Perhaps), (&quiet, Achieves::Nothing)] {
        let inside = |edge: &Edge, space: &Space| match achieves {
            Achieves::Perhaps => true,
            Achieves::Nothing => space.achieved(edge) == Achieved::Nothing,
        };
        let goes_round = goes_round(space, first, components, &inside)?;
        for mut members in components.circles(first, &goes_round) {
            let Fair::So(circle) = fair(space, components, &members, &inside)? else {
                conclusion.has_unfair = true;
                continue;
            };
            let otherwise = match (achieves, circle) {
                (Achieves::Nothing, _) => Outcome::Livelock,
                (Achieves::Perhaps, Achieved::Progress) => Outcome::Unfinished,
                // Cycles without any progress are found in the `quiet` components.
                (Achieves::Perhaps, _) => continue,
            };
            let any = members[0];
            let still = living(&space.state(any), |t| !movable.can_move(&all, any, t));
            calmest_first(machine, space, &mut members, &still)?;
            let at = members[0];
            let state = space.state(at);
            let goes = Goes::OnForEver;
            let ending = judge(machine, &state, &still, at, goes, Some(otherwise));
            let outcome = ending.outcome;
            conclusion.ends.of(outcome).extend(&members);
            if conclusion.enter(ending) {
                let round = way_round(space, &members, inside);
                conclusion.by_outcome.entry(outcome.word()).and_modify(|shown| shown.round = round);
            }
        }
    }
    Some(())
}

/// Of the states of a cycle, puts the one first in which most of those are at rest who never move. A daemon may owe an answer
/// only until its caller gives up: whoever is at rest again and again is not stuck. `None` if cancelled.
fn calmest_first(
    machine: &Machine,
    space: &Space,
    members: &mut [u32],
    still: &[ThreadId],
) -> Option<()> {
    if !machine.makes_reply_rights() {
        return Some(());
    }
    let any = space.state(members[0]);
    let is_daemons =
        |t: &&ThreadId| machine.family_of(any.threads[t.index()].process).role == Role::Daemon;
    let daemons: Vec<ThreadId> = still.iter().filter(is_daemons).copied().collect();
    let (mut most, mut calmest) = (0, 0);
    for (at, member) in members.iter().enumerate() {
        space.go_on()?;
        let state = space.state(*member);
        let resting = daemons.iter().filter(|t| is_at_rest(machine, &state, **t)).count();
        if resting > most {
            (most, calmest) = (resting, at);
        }
        if most == daemons.len() {
            break;
        }
    }
    members.swap(0, calmest);
    Some(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Achieves {
    Perhaps,
    Nothing,
}

/// Which components have a transition inside; `None` if cancelled.
pub(super) fn goes_round(
    space: &mut Space,
    first: u32,
    components: &Components,
    inside: &impl Fn(&Edge, &Space) -> bool,
) -> Option<Vec<bool>> {
    let mut round = vec![false; components.count as usize];
    let mut edges = Vec::new();
    for state in first..components.of.len() as u32 {
        let own = components.of[state as usize];
        if own == UNSEEN || round[own as usize] {
            continue;
        }
        space.go_on()?;
        edges.clear();
        space.expand(state, &mut edges);
        round[own as usize] =
            edges.iter().any(|edge| components.of[edge.to as usize] == own && inside(edge, space));
    }
    Some(round)
}

/// Whether a schedule can stay in a component for ever and be weakly fair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fair {
    /// It can, and this is what it achieves.
    So(Achieved),
    /// It would pass somebody over who could always move.
    NotSo,
}

/// Whether a schedule can stay in a component for ever and be weakly fair: whoever can always move
/// must move. `None` if cancelled.
pub(super) fn fair(
    space: &mut Space,
    components: &Components,
    members: &[u32],
    inside: &impl Fn(&Edge, &Space) -> bool,
) -> Option<Fair> {
    let own = components.of[members[0] as usize];
    // For each actor that can move: in how many states, and whether by a transition inside.
    let mut able: BTreeMap<Actor, (usize, bool)> = BTreeMap::new();
    let mut achieved = Achieved::Nothing;
    let mut edges = Vec::new();
    for state in members {
        space.go_on()?;
        edges.clear();
        space.expand(*state, &mut edges);
        let mut last = None;
        for edge in &edges {
            let who = actor(edge.what);
            let (states, moves) = able.entry(who).or_default();
            *states += usize::from(last.replace(who) != Some(who));
            if components.of[edge.to as usize] == own && inside(edge, space) {
                *moves = true;
                if space.achieved(edge) == Achieved::Progress {
                    achieved = Achieved::Progress;
                }
            }
        }
    }
    let unfair = able.values().any(|(states, moves)| *states == members.len() && !moves);
    Some(if unfair { Fair::NotSo } else { Fair::So(achieved) })
}

/// Who moves.
pub(super) type Actor = (u8, u32);

pub(super) fn actor(what: Move) -> Actor {
    match what {
        Move::Begin => (0, 0),
        Move::Start(process) => (1, process.0),
        Move::Call(t) | Move::Local(t) | Move::Expire(t) => (2, t.0),
    }
}

/// For each component, the threads that can still move, in it or in any component reachable from it.
pub(super) struct Movable {
    /// Components times threads.
    bits: Vec<u64>,
    words: usize,
}

impl Movable {
    /// `None` if cancelled.
    pub(super) fn new(space: &mut Space, first: u32, components: &Components) -> Option<Self> {
        let threads = space.threads();
        let words = threads.div_ceil(64).max(1);
        let mut bits = vec![0; words * components.count as usize];
        // A component comes after all components reachable from it.
        let mut by_component: Vec<u32> = (first..components.of.len() as u32).collect();
        by_component.sort_unstable_by_key(|state| components.of[*state as usize]);
        let mut edges = Vec::new();
        for state in by_component {
            space.go_on()?;
            let own = components.of[state as usize] as usize;
            edges.clear();
            space.expand(state, &mut edges);
            for edge in &edges {
                for t in space.moved(edge).chain(edge.what.thread()) {
                    bits[own * words + t.index() / 64] |= 1 << (t.index() % 64);
                }
                let other = components.of[edge.to as usize] as usize;
                for word in 0..words {
                    bits[own * words + word] |= bits[other * words + word];
                }
            }
        }
        Some(Self { bits, words })
    }

    pub(super) fn can_move(&self, components: &Components, state: u32, t: ThreadId) -> bool {
        let component = components.of[state as usize] as usize;
        self.bits[component * self.words + t.index() / 64] & (1 << (t.index() % 64)) != 0
    }
}
