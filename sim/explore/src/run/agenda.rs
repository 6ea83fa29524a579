//! What a run keeps beside the state: the clock, who is ready, what is due, what it has cost.

use std::sync::Arc;

use ipcsim_kernel::{
    Computing, Event, Machine, Oracle, Question, Role, Sink, Span, State, Thread, ThreadId,
};

use super::ready::ReadyQueue;
use super::timers::Timers;
use super::{Measures, Tracer};
use crate::random::{Purpose, Stream};

/// Everything a run keeps beside the state.
#[derive(Clone)]
pub(crate) struct Agenda {
    pub now_ns: u64,
    pub ready: ReadyQueue,
    queued: Vec<bool>,
    pub timers: Timers,
    pub measures: Measures,
    /// What is left of the `compute` of a thread that lost its processor.
    pub left_ns: Vec<u64>,
    /// Threads that have ended in the step that was just performed.
    pub ended: Vec<ThreadId>,
    pub waiting_since_ns: Vec<u64>,
    /// How many calls ago a worker last took a message or wrote to the log.
    pub calls_without_progress: u64,
    durations: Stream,
    scheduling: Stream,
    /// How often a worker took a message or wrote to the log.
    pub progress: u64,
    roles: Arc<[Role]>,
}

/// The oracle of a run: answers are drawn from the seed.
#[derive(Clone)]
pub(crate) struct Draws {
    pub now_ns: u64,
    waiters: Stream,
    room: Stream,
    program: Stream,
    /// How often the program asked for the time: one that does never repeats itself.
    looks_at_the_clock: u128,
}

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now_ns: 0,
            waiters: Stream::new(seed, Purpose::Waiters),
            room: Stream::new(seed, Purpose::Room),
            program: Stream::new(seed, Purpose::Program),
            looks_at_the_clock: 0,
        }
    }

    /// How much has been drawn: two moments of a run are the same only if this is.
    pub(crate) fn positions(&self) -> [u128; 4] {
        let [waiters, room, program] =
            [&self.waiters, &self.room, &self.program].map(Stream::position);
        [waiters, room, program, self.looks_at_the_clock]
    }
}

impl Oracle for Draws {
    fn choose(&mut self, question: Question) -> u64 {
        let stream = match question {
            Question::Receiver { .. } | Question::Sender { .. } => &mut self.waiters,
            Question::Room => &mut self.room,
            Question::Branch { .. } | Question::Random { .. } => &mut self.program,
        };
        match question.answers() {
            Some(answers) => stream.below(answers),
            None => stream.between(0, u64::MAX),
        }
    }

    fn computing(&self) -> Computing {
        Computing::TakesTime
    }

    fn now_ns(&mut self) -> i64 {
        self.looks_at_the_clock += 1;
        i64::try_from(self.now_ns).unwrap_or(i64::MAX)
    }
}

impl Agenda {
    pub(crate) fn new(machine: &Machine, state: &State) -> Self {
        let seed = machine.timing.seed;
        let threads = state.threads.len();
        let of = |thread: &Thread| machine.family_of(thread.process);
        let roles = state.threads.iter().map(|thread| of(thread).role).collect();
        Self {
            now_ns: 0,
            ready: ReadyQueue::new(machine, state),
            queued: vec![false; threads],
            timers: Timers::new(threads),
            measures: Measures::default(),
            left_ns: vec![0; threads],
            ended: Vec::new(),
            waiting_since_ns: vec![0; threads],
            calls_without_progress: 0,
            durations: Stream::new(seed, Purpose::Durations),
            scheduling: Stream::new(seed, Purpose::Scheduler),
            progress: 0,
            roles,
        }
    }

    pub(crate) fn is_queued(&self, t: ThreadId) -> bool {
        self.queued[t.index()]
    }

    pub(crate) fn enqueue(&mut self, t: ThreadId) {
        if !std::mem::replace(&mut self.queued[t.index()], true) {
            self.ready.push(t);
        }
    }

    pub(crate) fn next_ready(&mut self) -> Option<ThreadId> {
        let t = self.ready.pop(&mut self.scheduling)?;
        self.queued[t.index()] = false;
        Some(t)
    }

    pub(crate) fn draw_duration(&mut self, span: Span) -> u64 {
        match fixed(span) {
            Some(ns) => ns,
            None => self.durations.between(span.low_ns, span.high_ns),
        }
    }

    pub(crate) fn positions(&self) -> [u128; 2] {
        [self.durations.position(), self.scheduling.position()]
    }

    /// A thread that was started later counts as a worker's: then a run is watched less, not wrongly.
    fn gets_somewhere(&mut self, t: ThreadId) {
        match self.roles.get(t.index()) {
            Some(Role::Daemon) => {}
            Some(Role::Worker) | None => {
                self.progress += 1;
                self.calls_without_progress = 0;
            }
        }
    }

    /// Makes room for a thread that was started while the machine runs.
    fn know(&mut self, t: ThreadId) {
        if self.queued.len() <= t.index() {
            self.queued.resize(t.index() + 1, false);
            self.left_ns.resize(t.index() + 1, 0);
            self.waiting_since_ns.resize(t.index() + 1, 0);
        }
    }
}

/// Tells the agenda what it must schedule, and the tracer what happened.
pub(crate) struct Telling<'a, T> {
    pub agenda: &'a mut Agenda,
    pub tracer: &'a mut T,
}

impl<T: Tracer> Sink for Telling<'_, T> {
    const EVENTS: bool = T::EVENTS;

    fn ready(&mut self, thread: ThreadId) {
        self.agenda.know(thread);
        self.agenda.enqueue(thread);
    }

    fn waits(&mut self, thread: ThreadId, span: Span) {
        let ns = self.agenda.draw_duration(span);
        let at = self.agenda.now_ns.saturating_add(ns);
        self.agenda.timers.add_wait(at, thread);
    }

    fn ended(&mut self, thread: ThreadId) {
        self.agenda.ended.push(thread);
        self.agenda.left_ns[thread.index()] = 0;
    }

    fn blocked(&mut self, thread: ThreadId) {
        self.agenda.waiting_since_ns[thread.index()] = self.agenda.now_ns;
    }

    fn received(&mut self, thread: ThreadId) {
        self.agenda.measures.messages += 1;
        self.agenda.gets_somewhere(thread);
    }

    fn logged(&mut self, thread: ThreadId) {
        self.agenda.gets_somewhere(thread);
    }

    fn lost(&mut self) {
        self.agenda.measures.lost += 1;
    }

    fn copied(&mut self, bytes: u64) {
        let copied = &mut self.agenda.measures.bytes_copied;
        *copied = copied.saturating_add(bytes);
    }

    fn event(&mut self, machine: &Machine, state: &State, event: &Event) {
        self.tracer.record(machine, state, self.agenda.now_ns, event);
    }
}

/// A duration without choice costs no draw.
fn fixed(span: Span) -> Option<u64> {
    (span.low_ns == span.high_ns).then_some(span.low_ns)
}
