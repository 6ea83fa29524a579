//! What a run keeps besides the state: the clock, who is ready, what is due, what it has cost.

use std::ops::Range;

use ipcsim_kernel::program::{Region, SegmentId, TransferMode};
use ipcsim_kernel::{
    Backing, Computing, Event, Kind, Machine, Oracle, ParcelId, Pc, ProcessId, Question, Role,
    Sink, Span, State, Thread, ThreadId,
};

use super::frames::Frames;
use super::ready::ReadyQueue;
use super::timers::Timers;
use super::{Measures, Tracer};
use crate::random::{Purpose, Stream};

/// Everything a run keeps besides the state.
#[derive(Clone)]
pub(crate) struct Agenda {
    pub now_ns: u64,
    pub ready: ReadyQueue,
    pub threads: Vec<Account>,
    pub timers: Timers,
    pub measures: Measures,
    /// Where pages are.
    pub frames: Frames,
    /// Threads that ended or were suspended in the last step.
    pub left: Vec<ThreadId>,
    /// Processes that were created in it.
    pub born: Vec<ProcessId>,
    /// How many calls ago a worker last received a message or logged.
    pub calls_without_progress: u64,
    durations: Stream,
    scheduling: Stream,
    preemption: Stream,
    /// How often a worker received a message or logged.
    pub progress: u64,
}

/// What a run keeps of one thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    /// What is left of its `compute`, if it was preempted.
    pub left_ns: u64,
    /// When it last began to wait.
    pub waiting_since_ns: u64,
    place: Place,
    role: Role,
}

/// Where a thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the ready queue.
    Queued,
    /// On a processor, or waiting.
    Elsewhere,
}

impl Account {
    fn of(role: Role) -> Self {
        Self { left_ns: 0, waiting_since_ns: 0, place: Place::Elsewhere, role }
    }
}

/// The oracle of a run: answers are drawn from the seed.
#[derive(Clone)]
pub(crate) struct Draws {
    pub now_ns: u64,
    waiters: Stream,
    room: Stream,
    program: Stream,
    /// How often the program asked for the time: a run that keeps asking never repeats itself.
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

    /// How much has been drawn: two moments of a run are equal only if this is.
    pub(crate) fn positions(&self) -> [u128; 4] {
        let [waiters, room, program] =
            [&self.waiters, &self.room, &self.program].map(Stream::position);
        [waiters, room, program, self.looks_at_the_clock]
    }
}

impl Oracle for Draws {
    fn choose(&mut self, question: Question) -> u64 {
        let stream = match question {
            Question::Receiver { .. } | Question::Sender { .. } | Question::Member { .. } => {
                &mut self.waiters
            }
            Question::Room => &mut self.room,
            Question::Branch { .. } | Question::Random { .. } => &mut self.program,
        };
        match question.answers() {
            Some(answers) => stream.below(answers),
            None => stream.between(0, u64::MAX),
        }
    }

    fn computing(&self, _: Pc) -> Computing {
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
        let account = |thread: &Thread| Account::of(machine.family_of(thread.process).role);
        let threads: Vec<Account> = state.threads.iter().map(account).collect();
        Self {
            now_ns: 0,
            ready: ReadyQueue::new(machine, state),
            timers: Timers::new(threads.len()),
            threads,
            measures: Measures::default(),
            frames: Frames::new(machine.policies.page, machine.timing.fork_image),
            left: Vec::new(),
            born: Vec::new(),
            calls_without_progress: 0,
            durations: Stream::new(seed, Purpose::Durations),
            scheduling: Stream::new(seed, Purpose::Scheduler),
            preemption: Stream::new(seed, Purpose::Preemption),
            progress: 0,
        }
    }

    pub(crate) fn is_queued(&self, t: ThreadId) -> bool {
        self.threads[t.index()].place == Place::Queued
    }

    pub(crate) fn enqueue(&mut self, t: ThreadId) {
        let Some(account) = self.threads.get_mut(t.index()) else { return self.welcome(t) };
        if account.place == Place::Elsewhere {
            account.place = Place::Queued;
            self.ready.push(t);
        }
    }

    /// A thread was started while the machine runs. It counts as a worker's, so the run is watched
    /// less often, but never wrongly.
    #[cold]
    fn welcome(&mut self, t: ThreadId) {
        self.threads.resize(t.index() + 1, Account::of(Role::Worker));
        self.enqueue(t);
    }

    /// Draws whether a thread loses its processor before a call, under `preempt: calls`.
    pub(crate) fn loses_its_processor(&mut self) -> bool {
        self.preemption.below(2) == 0
    }

    pub(crate) fn next_ready(&mut self) -> Option<ThreadId> {
        let t = self.ready.pop(&mut self.scheduling)?;
        self.threads[t.index()].place = Place::Elsewhere;
        Some(t)
    }

    #[inline]
    pub(crate) fn draw_duration(&mut self, span: Span) -> u64 {
        match fixed(span) {
            Some(ns) => ns,
            None => self.durations.between(span.low_ns, span.high_ns),
        }
    }

    pub(crate) fn positions(&self) -> [u128; 3] {
        [&self.durations, &self.scheduling, &self.preemption].map(Stream::position)
    }

    fn gets_somewhere(&mut self, t: ThreadId) {
        match self.threads[t.index()].role {
            Role::Daemon => {}
            Role::Worker => {
                self.progress += 1;
                self.calls_without_progress = 0;
            }
        }
    }
}

/// Passes to the agenda what it must schedule, and to the tracer what happened.
pub(crate) struct Telling<'a, T> {
    pub agenda: &'a mut Agenda,
    pub tracer: &'a mut T,
}

impl<T: Tracer> Sink for Telling<'_, T> {
    const EVENTS: bool = T::EVENTS;
    const SHORT_WAY: bool = T::SHORT_WAY;

    fn ready(&mut self, thread: ThreadId) {
        self.agenda.enqueue(thread);
    }

    fn waits(&mut self, thread: ThreadId, span: Span) {
        let ns = self.agenda.draw_duration(span);
        let at = self.agenda.now_ns.saturating_add(ns);
        self.agenda.timers.add_wait(at, thread);
    }

    fn ended(&mut self, thread: ThreadId) {
        self.agenda.left.push(thread);
        self.agenda.threads[thread.index()].left_ns = 0;
    }

    fn spawned(&mut self, process: ProcessId) {
        self.agenda.born.push(process);
    }

    fn stopped(&mut self, thread: ThreadId) {
        self.agenda.left.push(thread);
    }

    fn blocked(&mut self, thread: ThreadId) {
        self.agenda.threads[thread.index()].waiting_since_ns = self.agenda.now_ns;
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

    fn unread(&mut self, bytes: u64) {
        self.agenda.measures.unread += bytes;
    }

    fn copied(&mut self, bytes: u64) {
        let copied = &mut self.agenda.measures.bytes_copied;
        *copied = copied.saturating_add(bytes);
    }

    fn allocated(&mut self, region: Region, pages: u32) {
        self.agenda.frames.allocated(region, pages);
    }

    fn freed(&mut self, pages: Backing) {
        self.agenda.frames.freed(pages);
    }

    fn shared(&mut self, region: Region, segment: SegmentId) {
        self.agenda.frames.shared(region, segment);
    }

    fn mapped(&mut self, pages: u32) {
        self.agenda.measures.pages_mapped += u64::from(pages);
    }

    fn forked(&mut self, of: Backing, copy: Region, pages: u32) {
        let (mapped, copied) = self.agenda.frames.forked(of, (copy, pages));
        self.agenda.measures.pages_mapped += mapped;
        self.copied(copied.saturating_mul(self.agenda.frames.page));
    }

    fn wrote(&mut self, at: Backing, pages: Range<u32>) {
        let faults = u64::from(self.agenda.frames.wrote(at, pages));
        self.agenda.measures.page_faults += faults;
        self.copied(faults.saturating_mul(self.agenda.frames.page));
    }

    fn packed(&mut self, parcel: ParcelId, pages: Backing, mode: TransferMode) {
        self.agenda.measures.pages_mapped += self.agenda.frames.packed(parcel, pages, mode);
    }

    fn unpacked(&mut self, parcel: ParcelId, region: Region, pages: u32) {
        self.agenda.measures.pages_mapped += self.agenda.frames.unpacked(parcel, region, pages);
    }

    fn given_back(&mut self, parcel: ParcelId, region: Region) {
        self.agenda.frames.given_back(parcel, region);
    }

    fn destroyed(&mut self, parcel: ParcelId) {
        self.agenda.frames.destroyed(parcel);
    }

    fn event(&mut self, machine: &Machine, state: &State, event: &Event) {
        self.tracer.record(machine, state, self.agenda.now_ns, event);
        if let Kind::Wrote { region, .. } = event.kind
            && self.agenda.frames.faulted > 0
        {
            let kind = Kind::Faulted(region, std::mem::take(&mut self.agenda.frames.faulted));
            let Event { thread, pc, .. } = *event;
            self.tracer.record(machine, state, self.agenda.now_ns, &Event { thread, pc, kind });
        }
    }
}

/// A fixed duration needs no draw.
fn fixed(span: Span) -> Option<u64> {
    (span.low_ns == span.high_ns).then_some(span.low_ns)
}
