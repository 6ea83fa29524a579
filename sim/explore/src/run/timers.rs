//! Timers: the ends of bounded waits, and processes that start later.
//!
//! A timer whose wait has ended otherwise stays in the heap and is skipped when it is due. Such
//! stale timers are removed when they outnumber what the live ones can be.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ipcsim_kernel::{Bound, Life, ProcessId, State, ThreadId, ThreadState};

/// What happens when a timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A bounded wait ends.
    Expire(ThreadId),
    /// A process begins.
    Start(ProcessId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at_ns: u64,
    /// Ties are broken by the order in which the timers were set.
    number: u64,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Start(ProcessId),
    Expire { thread: ThreadId, wait: u32 },
}

/// All timers.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Entry>>,
    number: u64,
    /// How many bounded waits each thread has begun: distinguishes a stale timer from the current one.
    waits: Vec<u32>,
}

impl Timers {
    pub(crate) fn new(threads: usize) -> Self {
        Self { heap: BinaryHeap::new(), number: 0, waits: vec![0; threads] }
    }

    pub(crate) fn add_start(&mut self, at_ns: u64, process: ProcessId) {
        self.add(at_ns, What::Start(process));
    }

    pub(crate) fn add_wait(&mut self, at_ns: u64, thread: ThreadId) {
        if self.waits.len() <= thread.index() {
            self.waits.resize(thread.index() + 1, 0);
        }
        let wait = self.waits[thread.index()].wrapping_add(1);
        self.waits[thread.index()] = wait;
        if self.heap.len() > 2 * self.waits.len() + 64 {
            let waits = &self.waits;
            self.heap.retain(|Reverse(entry)| match entry.what {
                What::Start(_) => true,
                What::Expire { thread, wait } => waits[thread.index()] == wait,
            });
        }
        self.add(at_ns, What::Expire { thread, wait });
    }

    fn add(&mut self, at_ns: u64, what: What) {
        self.number += 1;
        self.heap.push(Reverse(Entry { at_ns, number: self.number, what }));
    }

    /// How many timers were ever set: if this has not changed, nothing is due earlier than before.
    pub(crate) fn set_so_far(&self) -> u64 {
        self.number
    }

    /// When the next timer is due. Removes stale timers on the way.
    pub(crate) fn next_due(&mut self, state: &State) -> Option<u64> {
        while let Some(Reverse(entry)) = self.heap.peek() {
            if self.is_alive(entry, state) {
                return Some(entry.at_ns);
            }
            self.heap.pop();
        }
        None
    }

    /// What is due next; call it after [`Timers::next_due`].
    pub(crate) fn pop(&mut self) -> Due {
        let Some(Reverse(entry)) = self.heap.pop() else { unreachable!("something is due") };
        match entry.what {
            What::Start(process) => Due::Start(process),
            What::Expire { thread, .. } => Due::Expire(thread),
        }
    }

    fn is_alive(&self, entry: &Entry, state: &State) -> bool {
        match entry.what {
            What::Start(process) => state.processes[process.index()].life == Life::NotStarted,
            What::Expire { thread, wait } => {
                self.waits[thread.index()] == wait
                    && match state.threads[thread.index()].state.underneath() {
                        ThreadState::Blocked { bound, .. }
                        | ThreadState::LookingAgain { bound, .. } => *bound == Bound::Bounded,
                        _ => false,
                    }
            }
        }
    }

    /// In how many nanoseconds each timer is due, and whose it is, in order: for comparing two moments of a run.
    pub(crate) fn ahead(&self, state: &State, now_ns: u64) -> Vec<(u64, u64)> {
        let mut entries: Vec<Entry> = self
            .heap
            .iter()
            .map(|Reverse(entry)| *entry)
            .filter(|entry| self.is_alive(entry, state))
            .collect();
        entries.sort_unstable();
        entries
            .into_iter()
            .map(|entry| {
                let who = match entry.what {
                    What::Start(process) => u64::from(process.0) * 2,
                    What::Expire { thread, .. } => u64::from(thread.0) * 2 + 1,
                };
                (entry.at_ns.saturating_sub(now_ns), who)
            })
            .collect()
    }
}
