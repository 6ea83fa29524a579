//! The verdict of a run: how it ended, and who waits for whom.

use std::collections::BTreeMap;

use ipcsim_kernel::object::port::Receiver;
use ipcsim_kernel::waits::{self, Condition, WaitGraph, is_at_rest};
use ipcsim_kernel::{
    BlockedOn, Bound, End, Fault, Life, Machine, Pc, ProcessId, Role, State, ThreadId, ThreadState,
    wait_graph,
};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, Reversed};

use crate::run::{Run, Stop};

/// How a schedule ends: the first of these that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// A process failed.
    Fails,
    /// Some threads wait for each other for ever.
    Deadlock,
    /// A thread waits for ever: nobody left can wake it.
    Stranded,
    /// Threads run for ever, and none of them makes progress.
    Livelock,
    /// Every process that is not a daemon has ended normally.
    Completes,
    /// A limit was reached.
    Unfinished,
}

impl Outcome {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 6] = [
        Outcome::Completes,
        Outcome::Fails,
        Outcome::Deadlock,
        Outcome::Stranded,
        Outcome::Livelock,
        Outcome::Unfinished,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Fails => "fails",
            Outcome::Deadlock => "deadlock",
            Outcome::Stranded => "stranded",
            Outcome::Livelock => "livelock",
            Outcome::Completes => "completes",
            Outcome::Unfinished => "unfinished",
        }
    }
}

/// What is wrong with threads that can never move again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Each has sent to the other and waits until the other receives.
    CrossedSend,
    /// They wait for each other in a cycle.
    CircularWait,
    /// It waits for something that only it could do.
    SelfWait,
    /// They wait for kernel memory that nobody will free.
    MemoryExhausted,
    /// Nobody left can do what it waits for.
    OrphanWait,
    /// A thread that runs for ever could do what it waits for, but never does.
    Neglected,
}

impl Class {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Class::CrossedSend => "crossed-send",
            Class::CircularWait => "circular-wait",
            Class::SelfWait => "self-wait",
            Class::MemoryExhausted => "memory-exhausted",
            Class::OrphanWait => "orphan-wait",
            Class::Neglected => "neglected",
        }
    }

    /// The outcome of a schedule that ends this way; none for neglect: those that go on are to blame, not the neglected.
    pub fn outcome(self) -> Option<Outcome> {
        match self {
            Class::CrossedSend | Class::CircularWait | Class::SelfWait | Class::MemoryExhausted => {
                Some(Outcome::Deadlock)
            }
            Class::OrphanWait => Some(Outcome::Stranded),
            Class::Neglected => None,
        }
    }
}

/// Threads that can never move again, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub class: Class,
    /// Since when, in nanoseconds.
    pub since_ns: u64,
    /// The threads at the root of it: the cycle, or those that nobody can help.
    pub threads: Vec<ThreadId>,
    /// Threads that wait for those, directly or through others.
    pub behind: Vec<ThreadId>,
}

/// A process that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub process: ProcessId,
    /// Why.
    pub fault: Fault,
    /// Where the thread stood that raised the exception.
    pub at: Pc,
}

/// How a run ended, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How it ended.
    pub outcome: Outcome,
    /// The processes that failed, with the reason, in order of time. A daemon that failed after all
    /// others had ended is not among them.
    pub failures: Vec<Failure>,
    /// What is wrong with the stuck threads, oldest problem first.
    pub problems: Vec<Problem>,
    /// As [`Diagnosis::blocked`].
    pub blocked: Vec<ProcessId>,
    /// Who waits for whom, among all living threads.
    pub waits_for: WaitGraph,
    /// Messages that nobody took: still in a mailbox, or on a link.
    pub unreceived: u64,
}

/// Draws the conclusions from a finished run.
pub fn conclude(machine: &Machine, run: &Run) -> Verdict {
    let state = &run.state;
    let still = never_again(machine, run);
    let diagnosis = diagnose(machine, state, &still, &|threads| since(run, threads));
    let Diagnosis { problems, blocked, waits_for } = diagnosis;
    let failures = failures(run);
    let outcome = outcome(machine, run, &failures, &problems);
    let stored = state.mailboxes.iter().map(|mailbox| mailbox.messages.len() as u64);
    Verdict { outcome, failures, problems, blocked, waits_for, unreceived: stored.sum() }
}

/// The threads that never move again, in order: those that nobody can help and, if the run repeats
/// itself for ever, all that do not move in its cycle.
fn never_again(machine: &Machine, run: &Run) -> Vec<ThreadId> {
    let mut still = waits::stuck(machine, &run.state);
    still.extend(run.round.iter().flat_map(|round| &round.idle));
    still.sort_unstable();
    still.dedup();
    still
}

/// What is wrong with threads that can never move again.
pub struct Diagnosis {
    /// The cycles, and the threads that wait for ever without one.
    pub problems: Vec<Problem>,
    /// Every process with a stuck thread, in order, and daemons at rest in a cycle; without the built-in name servers.
    pub blocked: Vec<ProcessId>,
    /// Who waits for whom, among all living threads.
    pub waits_for: WaitGraph,
}

/// Finds out what is wrong in a state after which the threads in `still` never move again. The
/// single rule for *deadlock* and *stranded*: see [`wait_graph`].
pub fn diagnose(
    machine: &Machine,
    state: &State,
    still: &[ThreadId],
    since: &dyn Fn(&[ThreadId]) -> u64,
) -> Diagnosis {
    let is_resting = |t: &ThreadId| is_at_rest(machine, state, *t);
    let stuck: Vec<ThreadId> = still.iter().copied().filter(|t| !is_resting(t)).collect();
    if stuck.is_empty() {
        let waits_for = WaitGraph::default();
        return Diagnosis { problems: Vec::new(), blocked: Vec::new(), waits_for };
    }
    let living: Vec<ThreadId> = (0..state.threads.items().len())
        .map(ThreadId::at)
        .filter(|t| {
            let life = &state.threads.items()[t.index()].state;
            !matches!(life, ThreadState::Ended | ThreadState::NotStarted)
        })
        .collect();
    let waits_for = wait_graph(machine, state, &living);
    let moves = |t: ThreadId| {
        let process = state.threads.items()[t.index()].process;
        let is_worker = machine.family_of(process).role == Role::Worker;
        is_worker && still.binary_search(&t).is_err()
    };
    let problems = problems(state, still, &stuck, &waits_for, &moves, since);
    let circles = problems.iter().flat_map(|problem| &problem.threads);
    let process = |t: &ThreadId| state.threads.items()[t.index()].process;
    let mut blocked: Vec<ProcessId> = stuck.iter().chain(circles).map(process).collect();
    // The built-in name servers belong to nobody: a claim cannot name them.
    let is_built_in = |process: &ProcessId| {
        machine.name_servers.keys().any(|port| state.receiver_of(*port) == Receiver::Held(*process))
    };
    blocked.retain(|process| !is_built_in(process));
    blocked.sort_unstable();
    blocked.dedup();
    Diagnosis { problems, blocked, waits_for }
}

/// The outcome of a state in which some threads are stuck and others have ended.
pub(crate) fn outcome_of(problems: &[Problem]) -> Option<Outcome> {
    let mut outcomes = problems.iter().filter_map(|problem| problem.class.outcome());
    outcomes.clone().find(|it| *it == Outcome::Deadlock).or_else(|| outcomes.next())
}

fn outcome(machine: &Machine, run: &Run, failures: &[Failure], problems: &[Problem]) -> Outcome {
    if !failures.is_empty() {
        return Outcome::Fails;
    }
    if let Some(outcome) = outcome_of(problems) {
        return outcome;
    }
    // A daemon that waits for something other than the next request may still turn out to be stranded.
    let waits = || {
        run.state.threads.items().iter().enumerate().any(|(t, thread)| {
            matches!(thread.state, ThreadState::Blocked { bound: Bound::Forever, .. })
                && !is_at_rest(machine, &run.state, ThreadId::at(t))
        })
    };
    let workers_have_ended = workers(machine).all(|process| run.state.is_over(process));
    if workers_have_ended && (run.stop == Stop::Over || !waits()) {
        return Outcome::Completes;
    }
    match run.stop {
        Stop::Repeats => Outcome::Livelock,
        Stop::Over
        | Stop::Steps
        | Stop::Time
        | Stop::Clock
        | Stop::LocalLoop(_)
        | Stop::Cancelled(_) => Outcome::Unfinished,
    }
}

pub(crate) fn workers(machine: &Machine) -> impl Iterator<Item = ProcessId> + use<'_> {
    (0..machine.processes.len())
        .map(ProcessId::at)
        .filter(|process| machine.family_of(*process).role == Role::Worker)
}

/// Of these processes, daemons that failed when no worker was left count as finished: nobody needs
/// them any more. Returns how they failed, and where.
pub(crate) fn forgive_daemons(
    machine: &Machine,
    state: &mut State,
    processes: impl IntoIterator<Item = usize>,
) -> Vec<(Fault, Pc)> {
    let mut forgiven = Vec::new();
    for index in processes {
        let Life::Ended(End::Failed(fault, pc)) = &state.processes.items()[index].life else {
            continue;
        };
        let is_daemon = machine.family_of(ProcessId::at(index)).role == Role::Daemon;
        if is_daemon && workers(machine).all(|worker| state.is_over(worker)) {
            forgiven.push((fault.clone(), pc.0));
            state.processes[index].life = Life::Ended(End::Finished);
        }
    }
    forgiven
}

fn failures(run: &Run) -> Vec<Failure> {
    let fault = |process: &ProcessId| match &run.state.processes[process.index()].life {
        Life::Ended(End::Failed(fault, at)) => {
            Some(Failure { process: *process, fault: fault.clone(), at: at.0 })
        }
        _ => None,
    };
    run.failed.iter().filter_map(fault).collect()
}

/// Groups the stuck threads by root cause: the cycles of the wait-for graph, threads that wait for
/// something a running thread never does, and threads that wait for nobody.
fn problems(
    state: &State,
    still: &[ThreadId],
    stuck: &[ThreadId],
    waits_for: &WaitGraph,
    moves: &dyn Fn(ThreadId) -> bool,
    since: &dyn Fn(&[ThreadId]) -> u64,
) -> Vec<Problem> {
    let is_stuck = |t: &ThreadId| stuck.binary_search(t).is_ok();
    let graph = Graph::new(state.threads.len(), still, waits_for);
    let mut explained = vec![false; state.threads.len()];
    let orphan = |class: Class, t: ThreadId| {
        let since_ns = since(&[t]);
        Problem { class, since_ns, threads: vec![t], behind: Vec::new() }
    };
    let find_behind = |problems: &mut [Problem], explained: &mut Vec<bool>| {
        for problem in problems {
            problem.threads.iter().for_each(|t| explained[t.index()] = true);
            for t in graph.behind(&problem.threads) {
                if is_stuck(&t) && !std::mem::replace(&mut explained[t.index()], true) {
                    problem.behind.push(t);
                }
            }
            problem.behind.sort_unstable();
        }
    };
    // A thread that waits for a running thread is on no cycle: the others are not the only ones that could help.
    let is_neglected = |t: &&ThreadId| waits_for.could_be_helped_by(**t, moves);
    let mut all: Vec<Problem> =
        stuck.iter().filter(is_neglected).map(|t| orphan(Class::Neglected, *t)).collect();
    find_behind(&mut all, &mut explained);
    let mut circles = Vec::new();
    for (component, shape) in graph.components() {
        // Daemons at rest may wait for each other.
        let counts = component.iter().any(|t| is_stuck(t) && !explained[t.index()]);
        if shape == Shape::Circle && counts {
            let (class, since_ns) = (class(state, &component), since(&component));
            circles.push(Problem { class, since_ns, threads: component, behind: Vec::new() });
        }
    }
    merge_memory(&mut circles);
    find_behind(&mut circles, &mut explained);
    // The rest is on no cycle; its roots wait for nobody.
    let leads_on = |t: &ThreadId| graph.ahead(*t).iter().any(|other| other != t && is_stuck(other));
    let mut roots: Vec<Problem> = stuck
        .iter()
        .filter(|t| !explained[t.index()] && !leads_on(t))
        .map(|t| orphan(Class::OrphanWait, *t))
        .collect();
    find_behind(&mut roots, &mut explained);
    all.append(&mut circles);
    all.append(&mut roots);
    all.sort_by_key(|problem| (problem.since_ns, problem.threads.first().copied()));
    all
}

/// All threads that wait for kernel memory wait for the same thing.
fn merge_memory(problems: &mut Vec<Problem>) {
    let memory: Vec<Problem> =
        problems.extract_if(.., |problem| problem.class == Class::MemoryExhausted).collect();
    if let Some(since_ns) = memory.iter().map(|problem| problem.since_ns).min() {
        let mut threads: Vec<ThreadId> =
            memory.into_iter().flat_map(|problem| problem.threads).collect();
        threads.sort_unstable();
        problems.push(Problem {
            class: Class::MemoryExhausted,
            since_ns,
            threads,
            behind: Vec::new(),
        });
    }
}

fn since(run: &Run, threads: &[ThreadId]) -> u64 {
    run.stuck
        .iter()
        .filter(|found| found.threads.iter().any(|t| threads.contains(t)))
        .map(|found| found.since_ns)
        .max()
        // A thread outside the cycle of a repeating run has waited since it began to wait.
        .or_else(|| threads.iter().map(|t| run.waiting_since_ns[t.index()]).max())
        .unwrap_or(0)
}

/// The wait-for graph of threads that never move again: from threads to what they wait for, and
/// from there to the threads that could have caused it.
struct Graph {
    graph: DiGraph<Node, ()>,
    place: Vec<Option<NodeIndex>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    Thread(ThreadId),
    Condition(Condition),
}

impl Graph {
    fn new(threads: usize, still: &[ThreadId], waits_for: &WaitGraph) -> Self {
        let mut graph = DiGraph::new();
        let mut place = vec![None; threads];
        for t in still {
            place[t.index()] = Some(graph.add_node(Node::Thread(*t)));
        }
        let mut conditions = BTreeMap::new();
        for (condition, t) in &waits_for.could {
            let Some(to) = place[t.index()] else { continue };
            let from = *conditions
                .entry(*condition)
                .or_insert_with(|| graph.add_node(Node::Condition(*condition)));
            graph.add_edge(from, to, ());
        }
        for (t, condition) in &waits_for.waiting {
            if let (Some(from), Some(to)) = (place[t.index()], conditions.get(condition)) {
                graph.add_edge(from, *to, ());
            }
        }
        Self { graph, place }
    }

    /// The threads of each strongly connected component that has any, in order, and whether it is a
    /// cycle. (`tarjan_scc` would recurse.)
    fn components(&self) -> Vec<(Vec<ThreadId>, Shape)> {
        let mut components = Vec::new();
        for nodes in kosaraju_scc(&self.graph) {
            let shape = if nodes.len() > 1 { Shape::Circle } else { Shape::Single };
            let mut threads: Vec<ThreadId> = nodes
                .into_iter()
                .filter_map(|node| match self.graph[node] {
                    Node::Thread(t) => Some(t),
                    Node::Condition(_) => None,
                })
                .collect();
            threads.sort_unstable();
            if !threads.is_empty() {
                components.push((threads, shape));
            }
        }
        components
    }

    /// The threads that this one waits for, directly or through others.
    fn ahead(&self, t: ThreadId) -> Vec<ThreadId> {
        let Some(from) = self.place[t.index()] else { return Vec::new() };
        let mut search = Dfs::new(&self.graph, from);
        let mut found = Vec::new();
        while let Some(node) = search.next(&self.graph) {
            if let Node::Thread(t) = self.graph[node] {
                found.push(t);
            }
        }
        found
    }

    /// The threads that wait for these, directly or through others.
    fn behind(&self, roots: &[ThreadId]) -> Vec<ThreadId> {
        let backwards = Reversed(&self.graph);
        let mut search = Dfs::empty(backwards);
        let mut found = Vec::new();
        for root in roots.iter().filter_map(|t| self.place[t.index()]) {
            search.move_to(root);
            while let Some(node) = search.next(backwards) {
                if let Node::Thread(t) = self.graph[node] {
                    found.push(t);
                }
            }
        }
        found
    }
}

/// Whether the threads of a component wait for each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Circle,
    Single,
}

/// What is wrong with a cycle.
fn class(state: &State, circle: &[ThreadId]) -> Class {
    let on = |t: &ThreadId| state.waits_for(*t);
    if circle.iter().any(|t| matches!(on(t), Some(BlockedOn::Memory(_)))) {
        return Class::MemoryExhausted;
    }
    match circle {
        [_] => Class::SelfWait,
        several if several.iter().all(|t| matches!(on(t), Some(BlockedOn::Send(_)))) => {
            Class::CrossedSend
        }
        _ => Class::CircularWait,
    }
}
