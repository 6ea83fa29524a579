//! What a run needs besides the machine: processors, a scheduler, costs, a seed.
//!
//! The kernel reads none of it. It is kept with the machine because the same scenario describes both.

/// How a run lets time pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The source of all randomness in a run.
    pub seed: u64,
    /// How many threads run at the same time.
    pub cpus: u32,
    /// Which ready thread runs next.
    pub scheduler: Scheduler,
    /// Whether a thread can lose its processor between two calls.
    pub preempt: Preempt,
    /// The time slice of `round-robin` and `priority`, in nanoseconds.
    pub quantum_ns: u64,
    /// How a fork copies memory.
    pub fork_image: ForkImage,
    /// Whether a thread runs as urgently as those whom it holds up.
    pub inheritance: Inheritance,
    /// What operations cost.
    pub costs: Costs,
}

/// Whether a thread runs as urgently as those whom it holds up. Only [`Scheduler::Priority`] looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Inheritance {
    /// It runs at its own priority.
    Off,
    /// It inherits the priority of the most urgent of them.
    On,
}

/// How a fork copies memory. No program can tell; it is a matter of costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ForkImage {
    /// The pages are shared until somebody writes.
    CopyOnWrite,
    /// All pages are copied at once.
    Copy,
}

/// Which ready thread runs next; ties are broken by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheduler {
    /// The one that has been ready longest; it keeps its processor until it blocks, yields or ends.
    Fifo,
    /// Like `Fifo`, but only for a time slice.
    RoundRobin,
    /// The one of the most urgent process; equals take turns by time slice.
    Priority,
    /// Any one, drawn from the seed before every call.
    Random,
}

/// Whether a thread can lose its processor between two calls, whatever the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Preempt {
    /// It cannot: only the end of its time slice, or a more urgent thread, takes it away.
    Never,
    /// Before each call that it reaches with the processor in hand, a draw from the seed decides.
    Calls,
}

/// Simulated costs, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// Entering the kernel, once per call.
    pub syscall_ns: u64,
    /// Giving a processor to another thread than the one that ran on it last.
    pub context_switch_ns: u64,
    /// Copying 1 KiB of a message, once. A message that is stored is copied twice.
    pub copy_per_kib_ns: u64,
    /// The extra cost of a call with `wait: never` that finds nothing.
    pub poll_ns: u64,
    /// Putting a page into a message, or taking it out, without copying it.
    pub map_page_ns: u64,
    /// Finding out that a page must be copied before it is written; the copy itself costs what copying costs.
    pub page_fault_ns: u64,
    /// An access to memory that others can see. Not 0, so that a thread which looks again and again lets time pass.
    pub access_ns: u64,
}

impl Default for Costs {
    /// The order of magnitude of a present-day machine: a system call about 0.2 us, a switch 1 us,
    /// a copy of 1 KiB 0.1 us (10 GiB/s). They are chosen to make a lesson visible, not measured.
    fn default() -> Self {
        Self {
            syscall_ns: 200,
            context_switch_ns: 1_000,
            copy_per_kib_ns: 100,
            poll_ns: 0,
            map_page_ns: 100,
            page_fault_ns: 1_000,
            access_ns: 10,
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            seed: 0,
            cpus: 1,
            scheduler: Scheduler::Fifo,
            preempt: Preempt::Never,
            quantum_ns: 10_000_000,
            fork_image: ForkImage::CopyOnWrite,
            inheritance: Inheritance::Off,
            costs: Costs::default(),
        }
    }
}
