//! The verdict of a run: how it ended, and who waits for whom.

use std::collections::BTreeMap;

use ipcsim_kernel::waits::{self, Condition, WaitGraph};
use ipcsim_kernel::{
    BlockedOn, Bound, End, Fault, Life, Machine, Pc, ProcessId, Role, State, ThreadId, ThreadState,
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

/// A process that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub process: ProcessId,
    /// Why.
    pub fault: Fault,
    /// Where the thread was that raised the exception.
    pub at: Pc,
}

/// How a run ended, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How it ended.
    pub outcome: Outcome,
    /// The processes that failed, with the reason, in order of time. A daemon that failed when all
    /// others had ended is not among them.
    pub failures: Vec<Failure>,
    /// What is the matter with those that are stuck, oldest first.
    pub problems: Vec<Problem>,
    /// Every process with a stuck thread, in order.
    pub blocked: Vec<ProcessId>,
    /// Who waits for whom among the stuck.
    pub waits_for: WaitGraph,
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
    let waits_for = waits::wait_graph(machine, state, &all_stuck);
    let problems = problems(state, &stuck, &waits_for, &|threads| since(run, threads));
    let failures = failures(run);
    let mut blocked: Vec<ProcessId> =
        stuck.iter().map(|t| state.threads[t.index()].process).collect();
    blocked.dedup();
    let outcome = outcome(machine, run, &failures, &problems);
    let stored = state.mailboxes.iter().map(|mailbox| mailbox.messages.len() as u64);
    Verdict { outcome, failures, problems, blocked, waits_for, unreceived: stored.sum() }
}

/// What is the matter with threads that can never move again, where time does not pass.
pub fn diagnose(machine: &Machine, state: &State, stuck: &[ThreadId]) -> (Vec<Problem>, WaitGraph) {
    let mut resting: Vec<ThreadId> = (0..state.threads.items().len())
        .map(ThreadId::at)
        .filter(|t| is_at_rest(machine, state, *t))
        .chain(stuck.iter().copied())
        .collect();
    resting.sort_unstable();
    resting.dedup();
    let waits_for = waits::wait_graph(machine, state, &resting);
    (problems(state, stuck, &waits_for, &|_| 0), waits_for)
}

/// Whether a thread is a daemon's and waits for requests: then it may do so for ever.
pub(crate) fn is_at_rest(machine: &Machine, state: &State, t: ThreadId) -> bool {
    let process = state.threads[t.index()].process;
    machine.family_of(process).role == Role::Daemon
        && matches!(state.waits_for(t), Some(BlockedOn::Receive { .. } | BlockedOn::Select(_)))
}

/// How a state in which some threads are stuck, and others have ended, is called.
pub(crate) fn outcome_of(problems: &[Problem]) -> Option<Outcome> {
    if problems.iter().any(|problem| problem.class != Class::OrphanWait) {
        return Some(Outcome::Deadlock);
    }
    (!problems.is_empty()).then_some(Outcome::Stranded)
}

fn outcome(machine: &Machine, run: &Run, failures: &[Failure], problems: &[Problem]) -> Outcome {
    if !failures.is_empty() {
        return Outcome::Fails;
    }
    if let Some(outcome) = outcome_of(problems) {
        return outcome;
    }
    // A daemon that waits for more than the next request may yet turn out to be stranded.
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
        | Stop::Interrupted => Outcome::Unfinished,
    }
}

pub(crate) fn workers(machine: &Machine) -> impl Iterator<Item = ProcessId> + use<'_> {
    (0..machine.processes.len())
        .map(ProcessId::at)
        .filter(|process| machine.family_of(*process).role == Role::Worker)
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

/// Groups the stuck threads by what is at the root: the circles of the wait-for graph, and those that
/// wait for nobody.
fn problems(
    state: &State,
    stuck: &[ThreadId],
    waits_for: &WaitGraph,
    since: &dyn Fn(&[ThreadId]) -> u64,
) -> Vec<Problem> {
    if stuck.is_empty() {
        return Vec::new();
    }
    let graph = Graph::new(state.threads.len(), stuck, waits_for);
    let mut problems = Vec::new();
    let mut explained = vec![false; state.threads.len()];
    for (component, shape) in graph.components() {
        // Daemons at rest may wait for each other.
        if !component.iter().any(|t| stuck.binary_search(t).is_ok()) {
            continue;
        }
        if let Some(class) = class(state, &component, shape) {
            for t in &component {
                explained[t.index()] = true;
            }
            let since_ns = since(&component);
            problems.push(Problem { class, since_ns, threads: component, behind: Vec::new() });
        }
    }
    merge_memory(&mut problems);
    for problem in &mut problems {
        for t in graph.behind(&problem.threads) {
            let is_stuck = stuck.binary_search(&t).is_ok();
            if is_stuck && !std::mem::replace(&mut explained[t.index()], true) {
                problem.behind.push(t);
            }
        }
        problem.behind.sort_unstable();
    }
    for t in stuck.iter().filter(|t| !explained[t.index()]) {
        let since_ns = since(&[*t]);
        let behind = Vec::new();
        problems.push(Problem { class: Class::OrphanWait, since_ns, threads: vec![*t], behind });
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

/// The wait-for graph of the stuck threads: from threads to what they wait for, from there to the
/// threads that could have brought it about.
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
    fn new(threads: usize, stuck: &[ThreadId], waits_for: &WaitGraph) -> Self {
        let mut graph = DiGraph::new();
        let mut place = vec![None; threads];
        let waiting = waits_for.waiting.iter().map(|(t, _)| *t);
        let could = waits_for.could.iter().map(|(_, t)| *t);
        for t in stuck.iter().copied().chain(waiting).chain(could) {
            if place[t.index()].is_none() {
                place[t.index()] = Some(graph.add_node(Node::Thread(t)));
            }
        }
        let mut conditions = BTreeMap::new();
        for (condition, t) in &waits_for.could {
            let from = *conditions
                .entry(*condition)
                .or_insert_with(|| graph.add_node(Node::Condition(*condition)));
            graph.add_edge(from, place[t.index()].expect("every thread has a node"), ());
        }
        for (t, condition) in &waits_for.waiting {
            if let Some(to) = conditions.get(condition) {
                graph.add_edge(place[t.index()].expect("every thread has a node"), *to, ());
            }
        }
        Self { graph, place }
    }

    /// The threads of each strongly connected component that has any, in order, and whether it is a
    /// circle. (`tarjan_scc` would recurse.)
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

/// What is the matter with a component, if it is at the root of something.
fn class(state: &State, component: &[ThreadId], shape: Shape) -> Option<Class> {
    let on = |t: &ThreadId| state.waits_for(*t);
    if component.iter().any(|t| matches!(on(t), Some(BlockedOn::Memory(_)))) {
        return Some(Class::MemoryExhausted);
    }
    match (shape, component) {
        (Shape::Single, _) => None,
        (Shape::Circle, [_]) => Some(Class::SelfWait),
        (Shape::Circle, several)
            if several.iter().all(|t| matches!(on(t), Some(BlockedOn::Send(_)))) =>
        {
            Some(Class::CrossedSend)
        }
        (Shape::Circle, _) => Some(Class::CircularWait),
    }
}
