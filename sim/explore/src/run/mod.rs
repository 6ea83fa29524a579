//! A run: time passes and every operation has its cost; the scheduler, the seed and the clock decide.
//!
//! A call is charged before its effect: a thread enters the kernel, the cost of the call passes,
//! then the kernel acts. Copying is charged to the processor afterwards. If two things happen at
//! the same instant, a timer goes first, then the processor with the lower number.

mod agenda;
mod cpu;
mod dispatch;
mod frames;
mod inherit;
mod ready;
mod round;
mod runner;
mod spent;
mod timers;
mod watch;

use std::sync::atomic::AtomicU64;

use ipcsim_kernel::{Event, Kind, Machine, Pc, ProcessId, State, ThreadId};

use crate::cancel::{Cancellation, Reason};
use crate::space::Move;

use cpu::Cpu;
pub use inherit::Inversion;
pub use round::Round;
use runner::Advance;
pub(crate) use runner::Runner;
use watch::Watch;

/// Observes what happens, and when.
pub trait Tracer {
    /// Whether events are wanted at all.
    const EVENTS: bool;

    /// Whether calls may take the short cut through the kernel. The result is the same; a tracer
    /// that checks that sets `false`.
    const SHORT_WAY: bool = true;

    /// Something happened at this time, in nanoseconds since the start.
    fn record(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event);

    /// A step of a schedule that is replayed is about to be taken.
    fn step_begins(&mut self, _machine: &Machine, _state: &State, _number: u64, _what: Move) {}

    /// The run has reached this state, between two steps.
    fn comes_to(&mut self, _machine: &Machine, _state: &State) {}

    /// Whether the tracer needs no more events: the run then ends soon.
    fn has_enough(&self) -> bool {
        false
    }
}

/// A tracer that ignores everything.
pub struct NoTrace;

impl Tracer for NoTrace {
    const EVENTS: bool = false;

    fn record(&mut self, _: &Machine, _: &State, _: u64, _: &Event) {}
}

/// Two tracers, one after the other.
impl<A: Tracer, B: Tracer> Tracer for (A, B) {
    const EVENTS: bool = A::EVENTS || B::EVENTS;
    const SHORT_WAY: bool = A::SHORT_WAY && B::SHORT_WAY;

    fn record(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event) {
        self.0.record(machine, state, now_ns, event);
        self.1.record(machine, state, now_ns, event);
    }

    fn comes_to(&mut self, machine: &Machine, state: &State) {
        self.0.comes_to(machine, state);
        self.1.comes_to(machine, state);
    }

    fn has_enough(&self) -> bool {
        self.0.has_enough() || self.1.has_enough()
    }
}

/// Where a run is cut off.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// After this many steps: system calls, and stretches of `compute` between two switches.
    pub max_steps: u64,
    /// At this time, in nanoseconds, exclusive.
    pub until_ns: Option<u64>,
    /// As soon as this is cancelled.
    pub cancelled: Option<&'a Cancellation>,
    /// Updated now and then with how far it is.
    pub progress: Option<&'a RunProgress>,
}

/// How far a run is; may be read by another thread.
#[derive(Debug, Default)]
pub struct RunProgress {
    /// Steps.
    pub steps: AtomicU64,
    /// Simulated time, in nanoseconds.
    pub now_ns: AtomicU64,
}

impl Default for Limits<'_> {
    fn default() -> Self {
        Self { max_steps: 1_000_000, until_ns: None, cancelled: None, progress: None }
    }
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No thread can move, or only daemons are left and they are at rest.
    Over,
    /// It repeats itself for ever, and no worker makes progress.
    Repeats,
    /// [`Limits::max_steps`].
    Steps,
    /// [`Limits::until_ns`].
    Time,
    /// The nanosecond counter has overflowed, after 584 years.
    Clock,
    /// This thread is in a local loop that never ends.
    LocalLoop(ThreadId),
    /// [`Limits::cancelled`]; it counts as interrupted if [`Tracer::has_enough`].
    Cancelled(Reason),
}

/// What a run cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// How long it took, in simulated nanoseconds.
    pub time_ns: u64,
    /// How long all processors together were busy, in simulated nanoseconds.
    pub cpu_time_ns: u64,
    /// How often a thread entered the kernel.
    pub system_calls: u64,
    /// How often a processor switched to another thread.
    pub context_switches: u64,
    /// How many messages were received.
    pub messages: u64,
    /// How many messages were lost.
    pub lost: u64,
    /// How many bytes in pipes were lost, because nobody could read them any more.
    pub unread: u64,
    /// How many bytes were copied into and out of the kernel.
    pub bytes_copied: u64,
    /// The peak use of kernel memory, in bytes.
    pub kernel_memory: u64,
    /// How many pages were put into messages, and taken out, without being copied.
    pub pages_mapped: u64,
    /// How many pages were copied when somebody wrote to them, because others shared them.
    pub page_faults: u64,
    /// Calls with `wait: never` that found nothing.
    pub polls: u64,
    /// Bounded waits that timed out, and sleeps.
    pub timeouts: u64,
}

/// Threads that were found to be stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Since when nobody can help them, in nanoseconds.
    pub since_ns: u64,
    /// The threads, in order.
    pub threads: Vec<ThreadId>,
}

/// A wait cycle that only a timeout has broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// When the timeout came, in nanoseconds.
    pub opened_ns: u64,
    /// The thread whose wait ended.
    pub by: ThreadId,
    /// The threads of the cycle, and where each of them waited.
    pub waits: Vec<(ThreadId, Pc)>,
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
    /// Its cycle, if it repeats itself for ever.
    pub round: Option<Round>,
    /// The first deadlock that a timeout has hidden, if one was seen.
    pub hidden: Option<Hidden>,
    /// The longest time that an urgent thread waited while a less urgent one ran, if it ever did.
    pub inversion: Option<Inversion>,
    /// The processes that failed, in order of time. A daemon that failed when no worker was left is not
    /// among them.
    pub failed: Vec<ProcessId>,
    /// When the last process that is not a daemon ended, in nanoseconds; 0 if there was none.
    pub done_ns: u64,
    /// Since when each thread has been waiting, in nanoseconds; meaningful only for waiting threads.
    pub waiting_since_ns: Vec<u64>,
}

/// Tells what mailboxes hold from the start, as if the kernel had just put it there.
pub(crate) fn tell_what_is_held<T: Tracer>(machine: &Machine, state: &State, tracer: &mut T) {
    if !T::EVENTS {
        return;
    }
    for (messages, message) in state.mailboxes.items().iter().flat_map(|it| (1..).zip(&it.messages))
    {
        for kind in [Kind::Sent(message), Kind::Stored { message, messages }] {
            tracer.record(machine, state, 0, &Event { thread: None, pc: None, kind });
        }
    }
}

/// Runs a machine.
pub fn run<T: Tracer>(machine: &Machine, limits: &Limits, tracer: &mut T) -> Run {
    let mut runner = Runner::new(machine);
    tell_what_is_held(machine, &runner.state, tracer);
    let mut watch = Watch::new(&runner);
    let stop = loop {
        if let Some(stop) = runner.limit(limits) {
            break stop;
        }
        if T::EVENTS && tracer.has_enough() {
            break Stop::Cancelled(Reason::Interrupted);
        }
        match runner.advance(tracer) {
            Advance::Went => tracer.comes_to(machine, &runner.state),
            Advance::Over(stop) => break stop,
        }
        if runner.steps >= watch.next_check {
            watch.check(&runner);
        }
        if runner.is_worth_watching() && watch.repetition.repeats(&runner) {
            break Stop::Repeats;
        }
    };
    watch.look(&runner);
    let round = if stop == Stop::Repeats { round::round_of(&runner) } else { None };
    let mut measures = runner.agenda.measures;
    measures.time_ns = runner.agenda.now_ns;
    // Work that a processor had not finished when the run ended does not count.
    let begun = runner.cpus.iter().filter_map(Cpu::busy_until);
    measures.cpu_time_ns -= begun.map(|at| at.saturating_sub(measures.time_ns)).sum::<u64>();
    let waiting_since = runner.agenda.threads.iter().map(|thread| thread.waiting_since_ns);
    Run {
        stop,
        measures,
        steps: runner.steps,
        stuck: watch.stuck,
        round,
        hidden: runner.hidden,
        inversion: runner.urgency.and_then(|urgency| urgency.worst()),
        failed: runner.failed,
        done_ns: runner.done_ns,
        waiting_since_ns: waiting_since.collect(),
        state: runner.state,
    }
}
