//! A run: time passes, every operation has its cost; the scheduler, the seed and the clock decide.
//!
//! A call is charged before its effect: a thread enters the kernel, the cost of the call passes, then
//! the kernel acts. What is copied is charged to the processor afterwards. Where two things happen at
//! the same instant a timer goes first, then the processor with the lower number.

mod agenda;
mod cpu;
mod ready;
mod timers;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ipcsim_kernel::{
    End, Event, Life, Machine, Outcome, ProcessId, Progress, Role, Span, State, ThreadId,
    ThreadState, Transition, assert_invariants, step, waits,
};

use crate::repetition::Repetition;
use agenda::{Agenda, Draws};
use cpu::{Cpu, Phase};
use timers::Due;

/// Who is told what happens, with the time.
pub trait Tracer {
    /// Whether events are wanted at all.
    const EVENTS: bool;

    /// Something happened at this time, in nanoseconds since the start.
    fn record(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event);
}

/// A tracer that wants to know nothing.
pub struct NoTrace;

impl Tracer for NoTrace {
    const EVENTS: bool = false;

    fn record(&mut self, _: &Machine, _: &State, _: u64, _: &Event) {}
}

/// Two tracers, one after the other.
impl<A: Tracer, B: Tracer> Tracer for (A, B) {
    const EVENTS: bool = A::EVENTS || B::EVENTS;

    fn record(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event) {
        self.0.record(machine, state, now_ns, event);
        self.1.record(machine, state, now_ns, event);
    }
}

/// Where a run is cut off.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// After so many steps: system calls, and stretches of `compute`.
    pub max_steps: u64,
    /// At this time, in nanoseconds.
    pub until_ns: Option<u64>,
    /// As soon as this is true.
    pub interrupted: Option<&'a AtomicBool>,
    /// Told now and then how many steps there were.
    pub progress: Option<&'a AtomicU64>,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self { max_steps: 1_000_000, until_ns: None, interrupted: None, progress: None }
    }
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No thread can move, or only daemons are left and they are at rest.
    Over,
    /// It repeats itself for ever, and no worker gets anywhere.
    Repeats,
    /// [`Limits::max_steps`].
    Steps,
    /// [`Limits::until_ns`].
    Time,
    /// This thread is in a local loop that never ends.
    LocalLoop(ThreadId),
    /// [`Limits::interrupted`].
    Interrupted,
}

/// What a run cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// How long it took, in simulated nanoseconds.
    pub time_ns: u64,
    /// How long processors were busy, in simulated nanoseconds, all together.
    pub cpu_time_ns: u64,
    /// How often a thread entered the kernel.
    pub system_calls: u64,
    /// How often a processor went over to another thread.
    pub context_switches: u64,
    /// How many messages were received.
    pub messages: u64,
    /// How many messages were lost.
    pub lost: u64,
    /// How many bytes were copied into the kernel and out of it.
    pub bytes_copied: u64,
    /// The most kernel memory that was used at one time, in bytes.
    pub kernel_memory: u64,
    /// Calls with `wait: never` that found nothing.
    pub polls: u64,
    /// Bounded waits that ended by themselves, and sleeps.
    pub timeouts: u64,
}

/// Threads that were found to be stuck, and since when nobody can help them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Since when, in nanoseconds.
    pub since_ns: u64,
    /// Which, in order.
    pub threads: Vec<ThreadId>,
}

/// A run that is over.
pub struct Run {
    /// Why it is over.
    pub stop: Stop,
    /// The last state.
    pub state: State,
    /// What it cost.
    pub measures: Measures,
    /// How many steps it took.
    pub steps: u64,
    /// The threads that can never move again, as they were found. Daemons at rest are not among them.
    pub stuck: Vec<Stuck>,
    /// The processes that failed, in order of time. A daemon that failed when no worker was left is not
    /// among them.
    pub failed: Vec<ProcessId>,
    /// Since when each thread has been waiting, in nanoseconds; meaningful for those that wait.
    pub waiting_since_ns: Vec<u64>,
}

/// Runs a machine.
pub fn run<T: Tracer>(machine: &Machine, limits: &Limits, tracer: &mut T) -> Run {
    let mut runner = Runner::new(machine);
    let mut watch = Watch::new(&runner);
    let stop = loop {
        if let Some(stop) = runner.limit(limits) {
            break stop;
        }
        match runner.advance(tracer) {
            Advance::Went => {}
            Advance::Over(stop) => break stop,
        }
        if runner.steps >= watch.next_check {
            watch.check(&runner);
        }
        if runner.is_worth_watching() && watch.repetition.repeats(&runner) {
            break Stop::Repeats;
        }
    };
    watch.check(&runner);
    let mut measures = runner.agenda.measures;
    measures.time_ns = runner.agenda.now_ns;
    // What a processor had begun when the run was over does not count.
    let begun = runner.cpus.iter().filter_map(Cpu::busy_until);
    measures.cpu_time_ns -= begun.map(|at| at.saturating_sub(measures.time_ns)).sum::<u64>();
    Run {
        stop,
        measures,
        steps: runner.steps,
        stuck: watch.stuck,
        failed: runner.failed,
        waiting_since_ns: runner.agenda.waiting_since_ns,
        state: runner.state,
    }
}

/// Whether a run can go on.
enum Advance {
    Went,
    Over(Stop),
}

/// A run under way. It can be cloned, to look back at the moment when a deadlock formed.
#[derive(Clone)]
pub(crate) struct Runner<'m> {
    pub(crate) machine: &'m Machine,
    pub(crate) state: State,
    pub(crate) agenda: Agenda,
    pub(crate) draws: Draws,
    pub(crate) cpus: Vec<Cpu>,
    pub(crate) steps: u64,
    /// Workers that have not ended.
    workers: u32,
    ended: Vec<bool>,
    failed: Vec<ProcessId>,
    /// When the outside world is looked at again, in steps.
    next_poll: u64,
    /// A processor that nobody interferes with goes on by itself up to this step, and this time.
    stride_ends: u64,
    until_ns: u64,
}

/// How many steps a processor takes by itself before everything else is looked at.
const STRIDE: u64 = 64;

impl<'m> Runner<'m> {
    fn new(machine: &'m Machine) -> Self {
        let state = State::initial(machine);
        let timing = &machine.timing;
        let workers = machine.processes.iter().enumerate();
        let workers = workers
            .filter(|(id, _)| machine.family_of(ProcessId::at(*id)).role == Role::Worker)
            .count();
        let mut runner = Self {
            machine,
            agenda: Agenda::new(machine, &state),
            draws: Draws::new(timing.seed),
            cpus: vec![Cpu::idle(); timing.cpus as usize],
            steps: 0,
            workers: u32::try_from(workers).expect("processes are limited"),
            ended: vec![false; state.processes.len()],
            failed: Vec::new(),
            next_poll: 0,
            stride_ends: 0,
            until_ns: u64::MAX,
            state,
        };
        for index in 0..machine.processes.len() {
            let process = ProcessId::at(index);
            runner.agenda.timers.add_start(machine.family_of(process).start_ns, process);
        }
        runner
    }

    fn limit(&mut self, limits: &Limits) -> Option<Stop> {
        self.stride_ends = limits.max_steps.min(self.steps + STRIDE);
        self.until_ns = limits.until_ns.unwrap_or(u64::MAX);
        if self.steps >= limits.max_steps {
            return Some(Stop::Steps);
        }
        if limits.until_ns.is_some_and(|until| self.agenda.now_ns >= until) {
            return Some(Stop::Time);
        }
        if self.steps < self.next_poll {
            return None;
        }
        self.next_poll = self.steps + 1_024;
        if let Some(progress) = limits.progress {
            progress.store(self.steps, Ordering::Relaxed);
        }
        let interrupted = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        limits.interrupted.is_some_and(interrupted).then_some(Stop::Interrupted)
    }

    /// Whether a repetition would end the run: only daemons are left, or no worker gets anywhere.
    fn is_worth_watching(&self) -> bool {
        let patience = 10_000.max(8 * self.state.threads.len() as u64);
        self.workers == 0 || self.agenda.calls_without_progress > patience
    }

    /// The next thing that happens.
    fn advance<T: Tracer>(&mut self, tracer: &mut T) -> Advance {
        let due = self.agenda.timers.next_due(&self.state);
        // Whoever becomes ready at the same instant becomes ready before anybody is picked.
        if due.is_some_and(|due| due <= self.agenda.now_ns) {
            self.serve_timer(tracer);
            self.bury();
            return Advance::Went;
        }
        self.dispatch();
        let next_cpu = self.next_cpu();
        match (next_cpu, due) {
            (None, None) => return Advance::Over(Stop::Over),
            (Some((cpu, at)), due) if due.is_none_or(|due| at < due) => {
                self.agenda.now_ns = at;
                if let Some(stop) = self.serve_cpu(cpu, due, tracer) {
                    return Advance::Over(stop);
                }
            }
            (_, Some(due)) => {
                self.agenda.now_ns = due;
                self.serve_timer(tracer);
            }
            (Some(_), None) => unreachable!("without a timer the processor goes first"),
        }
        self.bury();
        Advance::Went
    }

    /// The processor whose present work is done first.
    fn next_cpu(&self) -> Option<(usize, u64)> {
        if let [cpu] = &self.cpus[..] {
            return cpu.busy_until().map(|at| (0, at));
        }
        let busy =
            self.cpus.iter().enumerate().filter_map(|(id, cpu)| Some((id, cpu.busy_until()?)));
        busy.min_by_key(|(id, at)| (*at, *id))
    }

    fn perform<T: Tracer>(&mut self, transition: Transition, tracer: &mut T) -> Progress {
        self.draws.now_ns = self.agenda.now_ns;
        let mut telling = agenda::Telling { agenda: &mut self.agenda, tracer };
        let progress =
            step(self.machine, &mut self.state, transition, &mut self.draws, &mut telling);
        // In a large machine this would take longer than everything else together.
        if cfg!(debug_assertions) && self.state.threads.len() <= 64 {
            assert_invariants(self.machine, &self.state);
        }
        progress
    }

    fn serve_timer<T: Tracer>(&mut self, tracer: &mut T) {
        match self.agenda.timers.pop() {
            Due::Start(process) => {
                self.perform(Transition::Start(process), tracer);
            }
            Due::Expire(thread) => {
                self.agenda.measures.timeouts += 1;
                self.perform(Transition::Expire(thread), tracer);
            }
        }
    }

    /// Lets a processor go on whose present work is done. With one processor, and no timer due, it is
    /// left alone for a stretch: whatever else there is to look at could not change anything.
    fn serve_cpu<T: Tracer>(
        &mut self,
        id: usize,
        due: Option<u64>,
        tracer: &mut T,
    ) -> Option<Stop> {
        loop {
            let cpu = self.cpus[id];
            let Some(t) = cpu.thread else { unreachable!("an idle processor is not served") };
            match cpu.phase {
                Phase::Local => {
                    if let Some(stop) = self.local(id, t, tracer) {
                        return Some(stop);
                    }
                }
                Phase::Call => self.call(id, t, tracer),
                Phase::Computing => {
                    self.cpus[id].phase = Phase::Local;
                    self.after_slice(id, t);
                }
                Phase::Copying => self.go_on(id, t),
            }
            let at = self.cpus[id].busy_until_ns;
            let goes_on = self.cpus.len() == 1
                && self.cpus[id].thread.is_some()
                && self.agenda.ended.is_empty()
                && self.steps < self.stride_ends
                && at < due.unwrap_or(u64::MAX)
                && at < self.until_ns;
            if !goes_on {
                return None;
            }
            self.agenda.now_ns = at;
        }
    }

    fn local<T: Tracer>(&mut self, id: usize, t: ThreadId, tracer: &mut T) -> Option<Stop> {
        match self.perform(Transition::Local(t), tracer) {
            Progress::AtCall => {
                let cost = self.machine.timing.costs.syscall_ns;
                self.occupy(id, Phase::Call, cost);
            }
            Progress::Computes(span) => {
                self.steps += 1;
                let ns = self.agenda.draw_duration(span);
                self.compute(id, t, ns);
            }
            Progress::Endless => return Some(Stop::LocalLoop(t)),
            Progress::Done | Progress::Yielded => self.release(id),
        }
        None
    }

    /// Uses the processor, for the rest of the time slice at most.
    fn compute(&mut self, id: usize, t: ThreadId, ns: u64) {
        let now = self.agenda.now_ns;
        let slice = self.cpus[id].slice_ends_ns.saturating_sub(now).max(1);
        let part = ns.min(slice);
        self.agenda.left_ns[t.index()] = ns - part;
        self.occupy(id, Phase::Computing, part);
    }

    fn call<T: Tracer>(&mut self, id: usize, t: ThreadId, tracer: &mut T) {
        self.steps += 1;
        self.agenda.measures.system_calls += 1;
        self.agenda.calls_without_progress += 1;
        let copied_before = self.agenda.measures.bytes_copied;
        let progress = self.perform(Transition::Call(t), tracer);
        let measures = &mut self.agenda.measures;
        measures.kernel_memory = measures.kernel_memory.max(self.state.memory.used);
        let costs = &self.machine.timing.costs;
        let copied = measures.bytes_copied - copied_before;
        let mut cost = copy_cost(copied, costs.copy_per_kib_ns);
        let thread = &self.state.threads[t.index()];
        if thread.state.is_ready()
            && matches!(thread.status, Outcome::WouldBlock | Outcome::NoSuchName)
        {
            measures.polls += 1;
            cost += costs.poll_ns;
        }
        if progress == Progress::Yielded {
            self.cpus[id].slice_ends_ns = 0;
        }
        if cost == 0 {
            self.go_on(id, t);
        } else {
            self.occupy(id, Phase::Copying, cost);
        }
    }

    /// After a call: the thread keeps the processor if it can and may.
    fn go_on(&mut self, id: usize, t: ThreadId) {
        let is_ready = self.state.threads[t.index()].state.is_ready();
        if !is_ready || self.agenda.is_queued(t) {
            self.release(id);
        } else {
            self.cpus[id].phase = Phase::Local;
            self.after_slice(id, t);
        }
    }

    /// Goes on with local work, or makes room for others if the time slice is over.
    fn after_slice(&mut self, id: usize, t: ThreadId) {
        let now = self.agenda.now_ns;
        if self.agenda.ready.must_make_room(self.cpus[id].slice_ends_ns <= now, t) {
            self.agenda.enqueue(t);
            self.release(id);
            return;
        }
        if self.cpus[id].slice_ends_ns <= now {
            self.cpus[id].slice_ends_ns = now.saturating_add(self.agenda.ready.slice_ns());
        }
        let left = std::mem::take(&mut self.agenda.left_ns[t.index()]);
        if left > 0 {
            self.compute(id, t, left);
        } else {
            self.occupy(id, Phase::Local, 0);
        }
    }

    fn occupy(&mut self, id: usize, phase: Phase, ns: u64) {
        self.agenda.measures.cpu_time_ns += ns;
        let cpu = &mut self.cpus[id];
        cpu.phase = phase;
        cpu.busy_until_ns = self.agenda.now_ns.saturating_add(ns);
    }

    fn release(&mut self, id: usize) {
        self.cpus[id].thread = None;
    }

    /// Gives idle processors to ready threads; a more urgent thread takes one from a less urgent.
    fn dispatch(&mut self) {
        if self.agenda.ready.is_empty() {
            return;
        }
        for id in 0..self.cpus.len() {
            if self.cpus[id].thread.is_none()
                && let Some(t) = self.next_ready()
            {
                self.give(id, t);
            }
        }
        if let Some(urgent) = self.agenda.ready.most_urgent() {
            self.preempt_for(urgent);
        }
    }

    fn next_ready(&mut self) -> Option<ThreadId> {
        loop {
            let t = self.agenda.next_ready()?;
            // A thread that was killed while it stood in the queue is still in it.
            let state = &self.state.threads[t.index()].state;
            if matches!(state, ThreadState::Ready | ThreadState::LookingAgain { .. }) {
                return Some(t);
            }
        }
    }

    fn give(&mut self, id: usize, t: ThreadId) {
        let mut cost = 0;
        if self.cpus[id].last != Some(t) {
            cost = self.machine.timing.costs.context_switch_ns;
            self.agenda.measures.context_switches += 1;
        }
        let slice = self.agenda.ready.slice_ns();
        let cpu = &mut self.cpus[id];
        cpu.thread = Some(t);
        cpu.last = Some(t);
        cpu.slice_ends_ns = self.agenda.now_ns.saturating_add(cost).saturating_add(slice);
        // What is left of a `compute` is taken up when the switch is done.
        let phase =
            if self.agenda.left_ns[t.index()] > 0 { Phase::Computing } else { Phase::Local };
        self.occupy(id, phase, cost);
    }

    /// Takes a processor from a less urgent thread that only computes.
    fn preempt_for(&mut self, urgent: i64) {
        let now = self.agenda.now_ns;
        let mut victim: Option<(i64, usize)> = None;
        for (id, cpu) in self.cpus.iter().enumerate() {
            let Some(t) = cpu.thread else { continue };
            let priority = self.agenda.ready.priority(t);
            let less_urgent = priority < urgent && victim.is_none_or(|(least, _)| priority < least);
            if cpu.phase == Phase::Computing && less_urgent {
                victim = Some((priority, id));
            }
        }
        let Some((_, id)) = victim else { return };
        let cpu = self.cpus[id];
        let Some(t) = cpu.thread else { return };
        let rest = cpu.busy_until_ns.saturating_sub(now);
        self.agenda.left_ns[t.index()] += rest;
        self.agenda.measures.cpu_time_ns -= rest;
        self.agenda.enqueue(t);
        self.release(id);
        if let Some(next) = self.next_ready() {
            self.give(id, next);
        }
    }

    /// Threads have ended: their processors are free, and their processes may be counted out.
    fn bury(&mut self) {
        if self.agenda.ended.is_empty() {
            return;
        }
        for t in std::mem::take(&mut self.agenda.ended) {
            for cpu in &mut self.cpus {
                if cpu.thread == Some(t) {
                    cpu.thread = None;
                }
            }
            let process = self.state.threads[t.index()].process;
            if self.state.has_ended(process) && !self.ended[process.index()] {
                self.ended[process.index()] = true;
                let life = &self.state.processes[process.index()].life;
                if self.workers > 0 && matches!(life, Life::Ended(End::Failed(_))) {
                    self.failed.push(process);
                }
                if self.machine.family_of(process).role == Role::Worker {
                    self.workers -= 1;
                }
            }
        }
    }
}

fn copy_cost(bytes: u64, per_kib_ns: u64) -> u64 {
    if bytes == 0 || per_kib_ns == 0 {
        return 0;
    }
    let ns = u128::from(bytes) * u128::from(per_kib_ns) / 1024;
    u64::try_from(ns).unwrap_or(u64::MAX)
}

/// Looks out for threads that can never move again, and for runs that repeat themselves.
struct Watch<'m> {
    stuck: Vec<Stuck>,
    known: Vec<bool>,
    /// The run as it was when it was last looked at.
    before: Runner<'m>,
    next_check: u64,
    repetition: Repetition,
}

impl<'m> Watch<'m> {
    fn new(runner: &Runner<'m>) -> Self {
        Self {
            stuck: Vec::new(),
            known: Vec::new(),
            before: runner.clone(),
            next_check: 4_096,
            repetition: Repetition::new(),
        }
    }

    /// Being stuck is stable, so it is enough to look now and then, and to look back when somebody is
    /// found: the moment when it happened lies between this look and the one before.
    fn check(&mut self, runner: &Runner<'m>) {
        let mut now = self.newly_stuck(&runner.state, runner.machine);
        while !now.is_empty() {
            let at = self.look_back(runner.steps);
            let found = self.newly_stuck(&at.state, at.machine);
            for t in &found {
                if self.known.len() <= t.index() {
                    self.known.resize(t.index() + 1, false);
                }
                self.known[t.index()] = true;
            }
            self.stuck.push(Stuck { since_ns: at.agenda.now_ns, threads: found });
            self.before = at;
            now = self.newly_stuck(&runner.state, runner.machine);
        }
        self.before = runner.clone();
        let pause = 4_096.max(64 * runner.state.threads.len() as u64);
        self.next_check = runner.steps + pause;
    }

    fn newly_stuck(&self, state: &State, machine: &Machine) -> Vec<ThreadId> {
        let stuck = waits::stuck(machine, state);
        stuck
            .into_iter()
            .filter(|t| !self.known.get(t.index()).copied().unwrap_or(false))
            .filter(|t| !is_at_rest(machine, state, *t))
            .collect()
    }

    /// The first state after the last look in which somebody new is stuck, by halving.
    fn look_back(&self, until_steps: u64) -> Runner<'m> {
        let mut low = self.before.clone();
        // One thing at a time: this is about the very moment.
        low.stride_ends = 0;
        let mut events = until_steps.saturating_sub(low.steps).saturating_mul(4).max(64);
        // Steps count calls only; double the number of events until somebody is stuck at the end.
        while self.newly_stuck(&went(&low, events).state, low.machine).is_empty() {
            events = events.saturating_mul(2);
        }
        while events > 1 {
            let half = events / 2;
            let middle = went(&low, half);
            if self.newly_stuck(&middle.state, middle.machine).is_empty() {
                low = middle;
                events -= half;
            } else {
                events = half;
            }
        }
        went(&low, 1)
    }
}

/// The run so many events later, or at its end.
fn went<'m>(from: &Runner<'m>, events: u64) -> Runner<'m> {
    let mut runner = from.clone();
    for _ in 0..events {
        if let Advance::Over(_) = runner.advance(&mut NoTrace) {
            break;
        }
    }
    runner
}

/// Whether a thread is a daemon's and waits for requests: then it may do so for ever.
pub(crate) fn is_at_rest(machine: &Machine, state: &State, t: ThreadId) -> bool {
    use ipcsim_kernel::BlockedOn;
    let process = state.threads[t.index()].process;
    machine.family_of(process).role == Role::Daemon
        && matches!(state.waits_for(t), Some(BlockedOn::Receive { .. } | BlockedOn::Select(_)))
}

/// A duration without choice costs no draw.
pub(crate) fn fixed(span: Span) -> Option<u64> {
    (span.low_ns == span.high_ns).then_some(span.low_ns)
}
