//! The verdict of a run: how it ended, and who waits for whom.

use ipcsim_kernel::{
    BlockedOn, End, Fault, Life, Machine, ProcessId, Role, State, ThreadId, waits,
};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::run::{Run, Stop};

/// How a schedule ends: the first of these that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// A process failed.
    Fails,
    /// Some threads wait for each other for ever.
    Deadlock,
    /// A thread waits for ever for what nobody that is left could do.
    Stranded,
    /// Threads run for ever, and none of them gets anywhere.
    Livelock,
    /// Every process that is no daemon has ended normally.
    Completes,
    /// A limit was met.
    Unfinished,
}

impl Outcome {
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

/// What is the matter with threads that can never move again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Each has sent to the other and waits until the other receives.
    CrossedSend,
    /// They wait for each other in a circle.
    CircularWait,
    /// It waits for what only it could do.
    SelfWait,
    /// They wait for kernel memory that nobody will free.
    MemoryExhausted,
    /// It waits for what nobody that is left could do.
    OrphanWait,
}

/// Threads that can never move again, for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is the matter.
    pub class: Class,
    /// Since when, in nanoseconds.
    pub since_ns: u64,
    /// The threads at the root of it: the circle, or those that nobody could help.
    pub threads: Vec<ThreadId>,
    /// Threads that wait for those, directly or through others.
    pub behind: Vec<ThreadId>,
}

/// How a run ended, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How it ended.
    pub outcome: Outcome,
    /// The processes that failed, with the reason. A daemon that failed when all others had ended is
    /// not among them.
    pub failures: Vec<(ProcessId, Fault)>,
    /// What is the matter with those that are stuck, oldest first.
    pub problems: Vec<Problem>,
    /// Every process with a stuck thread, in order.
    pub blocked: Vec<ProcessId>,
    /// Who waits for whom among the stuck: (waiting, awaited).
    pub waits_for: Vec<(ThreadId, ThreadId)>,
    /// Messages that nobody took: still in a mailbox, or on a link.
    pub unreceived: u64,
}

/// Draws the conclusion from a run that is over.
pub fn conclude(machine: &Machine, run: &Run) -> Verdict {
    let state = &run.state;
    let mut stuck: Vec<ThreadId> =
        run.stuck.iter().flat_map(|found| found.threads.clone()).collect();
    stuck.sort_unstable();
    // Daemons at rest are no problem themselves, but somebody may wait for them.
    let all_stuck = waits::stuck(machine, state);
    let edges = waits::waits_for(machine, state, &all_stuck);
    let problems = problems(state, run, &stuck, &edges);
    let failures = failures(machine, state);
    let mut blocked: Vec<ProcessId> =
        stuck.iter().map(|t| state.threads[t.index()].process).collect();
    blocked.dedup();
    let outcome = outcome(machine, run, &failures, &problems);
    let stored = state.mailboxes.iter().map(|mailbox| mailbox.messages.len() as u64);
    Verdict { outcome, failures, problems, blocked, waits_for: edges, unreceived: stored.sum() }
}

fn outcome(
    machine: &Machine,
    run: &Run,
    failures: &[(ProcessId, Fault)],
    problems: &[Problem],
) -> Outcome {
    if !failures.is_empty() {
        return Outcome::Fails;
    }
    if problems.iter().any(|problem| problem.class != Class::OrphanWait) {
        return Outcome::Deadlock;
    }
    if !problems.is_empty() {
        return Outcome::Stranded;
    }
    if workers(machine).all(|process| run.state.has_ended(process)) {
        return Outcome::Completes;
    }
    match run.stop {
        Stop::Repeats => Outcome::Livelock,
        Stop::Over | Stop::Steps | Stop::Time | Stop::LocalLoop(_) | Stop::Interrupted => {
            Outcome::Unfinished
        }
    }
}

fn workers(machine: &Machine) -> impl Iterator<Item = ProcessId> + use<'_> {
    (0..machine.processes.len())
        .map(ProcessId::at)
        .filter(|process| machine.family_of(*process).role == Role::Worker)
}

fn failures(machine: &Machine, state: &State) -> Vec<(ProcessId, Fault)> {
    let others_ended = workers(machine).all(|process| state.has_ended(process));
    let mut failures = Vec::new();
    for (index, process) in state.processes.iter().enumerate() {
        let id = ProcessId::at(index);
        let is_daemon = machine.family_of(id).role == Role::Daemon;
        if let Life::Ended(End::Failed(fault)) = &process.life
            && !(is_daemon && others_ended)
        {
            failures.push((id, fault.clone()));
        }
    }
    failures
}

/// Groups the stuck threads by what is at the root: the circles of the wait-for graph, and those that
/// wait for nobody.
fn problems(
    state: &State,
    run: &Run,
    stuck: &[ThreadId],
    edges: &[(ThreadId, ThreadId)],
) -> Vec<Problem> {
    if stuck.is_empty() {
        return Vec::new();
    }
    let graph = Graph::new(state.threads.len(), stuck, edges);
    let mut problems = Vec::new();
    let mut is_root = vec![false; state.threads.len()];
    for component in graph.components() {
        // Daemons at rest may wait for each other.
        if !component.iter().any(|t| stuck.contains(t)) {
            continue;
        }
        let class = graph.class(state, &component);
        if let Some(class) = class {
            for t in &component {
                is_root[t.index()] = true;
            }
            let since_ns = since(run, &component);
            problems.push(Problem { class, since_ns, threads: component, behind: Vec::new() });
        }
    }
    merge_memory(&mut problems);
    for t in stuck {
        if is_root[t.index()] {
            continue;
        }
        let reached = graph.reaches(*t);
        let root = problems
            .iter_mut()
            .find(|problem| problem.threads.iter().any(|root| reached[root.index()]));
        match root {
            Some(problem) => problem.behind.push(*t),
            None => problems.push(Problem {
                class: Class::OrphanWait,
                since_ns: since(run, &[*t]),
                threads: vec![*t],
                behind: Vec::new(),
            }),
        }
    }
    problems.sort_by_key(|problem| (problem.since_ns, problem.threads.first().copied()));
    problems
}

/// All that wait for kernel memory wait for the same.
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
        .unwrap_or(0)
}

/// The wait-for graph of the stuck threads.
struct Graph {
    graph: DiGraph<ThreadId, ()>,
    place: Vec<Option<NodeIndex>>,
}

impl Graph {
    fn new(threads: usize, stuck: &[ThreadId], edges: &[(ThreadId, ThreadId)]) -> Self {
        let mut graph = DiGraph::new();
        let mut place = vec![None; threads];
        let everybody = edges.iter().flat_map(|(from, to)| [*from, *to]);
        for t in stuck.iter().copied().chain(everybody) {
            if place[t.index()].is_none() {
                place[t.index()] = Some(graph.add_node(t));
            }
        }
        for (from, to) in edges {
            if let (Some(from), Some(to)) = (place[from.index()], place[to.index()]) {
                graph.add_edge(from, to, ());
            }
        }
        Self { graph, place }
    }

    /// The strongly connected components, each in order. (`tarjan_scc` would recurse.)
    fn components(&self) -> Vec<Vec<ThreadId>> {
        kosaraju_scc(&self.graph)
            .into_iter()
            .map(|component| {
                let mut threads: Vec<ThreadId> =
                    component.into_iter().map(|node| self.graph[node]).collect();
                threads.sort_unstable();
                threads
            })
            .collect()
    }

    fn awaited(&self, t: ThreadId) -> impl Iterator<Item = ThreadId> + '_ {
        self.place[t.index()]
            .into_iter()
            .flat_map(|node| self.graph.neighbors(node))
            .map(|node| self.graph[node])
    }

    /// What is the matter with a component, if it is at the root of something.
    fn class(&self, state: &State, component: &[ThreadId]) -> Option<Class> {
        let on = |t: &ThreadId| state.waits_for(*t);
        if component.iter().any(|t| matches!(on(t), Some(BlockedOn::Memory(_)))) {
            return Some(Class::MemoryExhausted);
        }
        match component {
            [only] if self.awaited(*only).any(|t| t == *only) => Some(Class::SelfWait),
            [_] => None,
            several if several.iter().all(|t| matches!(on(t), Some(BlockedOn::Send(_)))) => {
                Some(Class::CrossedSend)
            }
            _ => Some(Class::CircularWait),
        }
    }

    fn reaches(&self, from: ThreadId) -> Vec<bool> {
        let mut seen = vec![false; self.place.len()];
        let mut open = vec![from];
        while let Some(t) = open.pop() {
            for next in self.awaited(t) {
                if !std::mem::replace(&mut seen[next.index()], true) {
                    open.push(next);
                }
            }
        }
        seen
    }
}
