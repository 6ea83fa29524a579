//! Who waits for whom, among threads that never move again.
//!
//! An arrow leads from t to u if the code ahead of u, as if u's own wait were over, holds an action that
//! would complete t's wait.
//!
//! A wait that several threads could end has an arrow to each. A wait that needs all of several, such as the
//! ends of two senders or of two threads of a process, has an arrow to each that still must act, if all of them
//! can. What a thread does to itself completes no wait of its own, and neither does the end of its own process.
//!
//! The order in which threads stand in queues plays no part.

use std::collections::BTreeSet;

use ipcsim_program::ThreadId;

use super::arrows::Arrows;
use super::awaited::{Awaited, Others};
use super::condition::Condition;
use crate::machine::Machine;
use crate::state::State;

/// Who waits for what, and who could fulfil it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitGraph {
    /// Threads that wait, and what they wait for.
    pub waiting: Vec<(ThreadId, Condition)>,
    /// Conditions, and the threads that could fulfil them.
    pub could: Vec<(Condition, ThreadId)>,
}

impl WaitGraph {
    /// The conditions that a thread waits for.
    fn conditions_of(&self, t: ThreadId) -> impl Iterator<Item = Condition> {
        let first = self.waiting.partition_point(|(waiting, _)| *waiting < t);
        let waits = self.waiting[first..].iter().take_while(move |(waiting, _)| *waiting == t);
        waits.map(|(_, condition)| *condition)
    }

    /// The threads that could fulfil a condition.
    fn who_could(&self, condition: Condition) -> impl Iterator<Item = ThreadId> {
        let first = self.could.partition_point(|(could, _)| *could < condition);
        let who = self.could[first..].iter().take_while(move |(could, _)| *could == condition);
        who.map(|(_, t)| *t)
    }

    /// A thread that waits for what it could do to itself waits only for the others that could do it.
    fn leave_out(&mut self, to_oneself: &BTreeSet<(ThreadId, Condition)>) {
        let (own, mut waiting): (Vec<_>, Vec<_>) =
            self.waiting.iter().copied().partition(|wait| to_oneself.contains(wait));
        let mut alone = Vec::new();
        for (t, condition) in own {
            for other in self.who_could(condition).filter(|other| *other != t) {
                waiting.push((t, Condition::DoneBy(other)));
                alone.push((Condition::DoneBy(other), other));
            }
        }
        self.waiting = waiting;
        self.could.extend(alone);
        self.could.sort_unstable();
        self.could.dedup();
    }

    /// Which threads a thread waits for, directly or through others.
    pub(super) fn reached_from(&self, state: &State, t: ThreadId) -> Vec<bool> {
        let mut reached = vec![false; state.threads.len()];
        let mut open = vec![t];
        while let Some(at) = open.pop() {
            for next in self.awaited(at) {
                if !std::mem::replace(&mut reached[next.index()], true) {
                    open.push(next);
                }
            }
        }
        reached
    }

    /// Whether one of these threads could complete the wait of a thread. What several must do together, such as
    /// end, counts if all of them are among these.
    pub fn could_be_helped_by(&self, t: ThreadId, among: impl Fn(ThreadId) -> bool) -> bool {
        let (mut alone, mut together, mut others) = (false, false, false);
        for condition in self.conditions_of(t) {
            for other in self.who_could(condition) {
                match (condition.takes_all(), among(other)) {
                    (false, true) => alone = true,
                    (true, true) => together = true,
                    (true, false) => others = true,
                    (false, false) => {}
                }
            }
        }
        alone || (together && !others)
    }

    /// The threads to which an arrow leads from a thread.
    pub fn awaited(&self, t: ThreadId) -> Vec<ThreadId> {
        let mut awaited: Vec<ThreadId> =
            self.conditions_of(t).flat_map(|condition| self.who_could(condition)).collect();
        awaited.sort_unstable();
        awaited.dedup();
        awaited
    }
}

/// The wait-for graph of these threads. Conditions that none of them could fulfil are left out.
pub(crate) fn wait_graph(machine: &Machine, state: &State, among: &[ThreadId]) -> WaitGraph {
    let arrows = Arrows::new(machine, state, among);
    let mut graph = WaitGraph::default();
    let mut to_oneself = BTreeSet::new();
    for t in among {
        let [by_itself, by_children] = arrows.brought_about(*t);
        let is_to_oneself = |condition: &&Condition| {
            !condition.counts_for_whoever_brings_it_about() && !by_children.contains(condition)
        };
        to_oneself.extend(by_itself.iter().filter(is_to_oneself).map(|condition| (*t, *condition)));
        let all = by_itself.into_iter().chain(by_children);
        graph.could.extend(all.map(|condition| (condition, *t)));
    }
    graph.could.sort_unstable();
    graph.could.dedup();
    let possible: BTreeSet<Condition> = graph.could.iter().map(|(it, _)| *it).collect();
    let awaited = Awaited { state, types: &arrows.types, others: Others::Wait(&arrows) };
    for t in among {
        // No thread is left to be woken by the end of its own process.
        let own_end = Condition::ProcessEnds(state.threads[t.index()].process);
        awaited.by(*t, &mut |condition| {
            if possible.contains(&condition) && condition != own_end {
                graph.waiting.push((*t, condition));
            }
        });
    }
    graph.leave_out(&to_oneself);
    graph.waiting.sort_unstable();
    graph.waiting.dedup();
    graph
}
