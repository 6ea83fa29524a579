//! Performs a move: its first kernel transitions, and the local work that belongs to it.

use std::collections::VecDeque;

use ipcsim_kernel::{
    Event, Machine, Oracle, ProcessId, Progress, Sink, Span, State, ThreadId, Transition, step,
};

use super::cache::{Move, Step};
use super::grain::Grain;

/// Performs a move, after the call that blocks before it. `after` receives the progress of each step.
pub(crate) fn drive<O: Oracle, S: Sink>(
    machine: &Machine,
    state: &mut State,
    (Step { blocks, what }, grain): (Step, &Grain),
    oracle: &mut O,
    sink: &mut Ready<S>,
    mut after: impl FnMut(&mut O, &mut S, Progress, Option<ThreadId>),
) {
    if let Some(t) = blocks {
        let progress = step(machine, state, Transition::Call(t), oracle, sink);
        after(oracle, &mut sink.sink, progress, Some(t));
    }
    let mut open: VecDeque<ThreadId> = what.thread().into_iter().collect();
    for transition in transitions(machine, what) {
        let progress = step(machine, state, transition, oracle, sink);
        if matches!(progress, Progress::Computes(_)) {
            open.clear();
        }
        after(oracle, &mut sink.sink, progress, what.thread());
    }
    // Threads that may have local work before their next call.
    open.append(&mut sink.ready);
    while let Some(t) = open.pop_front() {
        let thread = &state.threads[t.index()];
        if thread.state.underneath().is_ready() && grain.merges(thread.pc) {
            let progress = step(machine, state, Transition::Local(t), oracle, sink);
            after(oracle, &mut sink.sink, progress, Some(t));
        }
        if grain.ends_quietly(machine, state, t) {
            step(machine, state, Transition::Call(t), oracle, sink);
        }
        open.append(&mut sink.ready);
    }
}

/// The kernel transitions that a move begins with.
fn transitions(machine: &Machine, what: Move) -> Vec<Transition> {
    match what {
        Move::Begin => (0..machine.processes.len())
            .map(ProcessId::at)
            .filter(|process| machine.family_of(*process).start_ns == 0)
            .map(Transition::Start)
            .collect(),
        Move::Start(process) => vec![Transition::Start(process)],
        Move::Call(t) => vec![Transition::Call(t)],
        Move::Local(t) => vec![Transition::Local(t)],
        Move::Expire(t) => vec![Transition::Expire(t)],
    }
}

/// Notes which threads become ready, and forwards everything to another sink.
pub(crate) struct Ready<S> {
    ready: VecDeque<ThreadId>,
    pub sink: S,
}

impl<S> Ready<S> {
    pub(crate) fn new(sink: S) -> Self {
        Self { ready: VecDeque::new(), sink }
    }
}

impl<S: Sink> Sink for Ready<S> {
    const EVENTS: bool = S::EVENTS;
    const SHORT_WAY: bool = S::SHORT_WAY;

    fn ready(&mut self, thread: ThreadId) {
        self.ready.push_back(thread);
        self.sink.ready(thread);
    }

    fn waits(&mut self, thread: ThreadId, span: Span) {
        self.sink.waits(thread, span);
    }

    fn ended(&mut self, thread: ThreadId) {
        self.sink.ended(thread);
    }

    fn blocked(&mut self, thread: ThreadId) {
        self.sink.blocked(thread);
    }

    fn received(&mut self, thread: ThreadId) {
        self.sink.received(thread);
    }

    fn logged(&mut self, thread: ThreadId) {
        self.sink.logged(thread);
    }

    fn lost(&mut self) {
        self.sink.lost();
    }

    fn unread(&mut self, bytes: u64) {
        self.sink.unread(bytes);
    }

    fn copied(&mut self, bytes: u64) {
        self.sink.copied(bytes);
    }

    fn event(&mut self, machine: &Machine, state: &State, event: &Event) {
        self.sink.event(machine, state, event);
    }
}
