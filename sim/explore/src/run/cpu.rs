//! A processor of a run.

use ipcsim_kernel::ThreadId;

/// A processor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    /// The thread that it runs; none if it is idle.
    pub thread: Option<ThreadId>,
    /// The thread that it ran last: running it again needs no switch.
    pub last: Option<ThreadId>,
    /// What it is doing until `busy_until_ns`.
    pub phase: Phase,
    /// When its current work is done.
    pub busy_until_ns: u64,
    /// When its thread's time slice is over.
    pub slice_ends_ns: u64,
}

/// What a processor is busy with, which determines what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Switching; local work comes next.
    Local,
    /// Entering the kernel; the call's effect comes next.
    Call,
    /// Reaching memory that others can see; the access comes next.
    Access,
    /// A `compute`, or a part of one.
    Computing,
    /// Switching back to a `compute`.
    Switching,
    /// Copying for a call that has already taken effect; the thread goes on afterwards.
    Copying,
    /// Copying for a thread that is already waiting, or running elsewhere.
    Draining,
}

impl Cpu {
    /// A processor without work.
    pub(crate) fn idle() -> Self {
        Self { thread: None, last: None, phase: Phase::Local, busy_until_ns: 0, slice_ends_ns: 0 }
    }

    /// When its current work is done, if it has any.
    pub(crate) fn busy_until(&self) -> Option<u64> {
        self.thread.map(|_| self.busy_until_ns)
    }
}
