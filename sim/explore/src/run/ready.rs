//! The ready queue: which ready thread runs next. Ties are broken by arrival.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use ipcsim_kernel::{Machine, Scheduler, State, ThreadId};

use crate::random::Stream;

/// The threads that could run but have no processor.
#[derive(Clone, Debug)]
pub(crate) struct ReadyQueue {
    order: Order,
    slice_ns: u64,
    /// The priorities at which threads run; empty if the scheduler ignores them.
    priorities: Vec<i64>,
    /// The threads' own priorities.
    own: Vec<i64>,
    /// How many threads with each own priority wait here, if the scheduler looks at them.
    levels: BTreeMap<i64, u32>,
    arrivals: u64,
}

#[derive(Clone, Debug)]
enum Order {
    /// First come, first served; `slice_ns` determines whether there are time slices.
    Arrival(VecDeque<ThreadId>),
    Priority(BinaryHeap<(i64, Reverse<u64>, ThreadId)>),
    Random(Vec<ThreadId>),
}

impl ReadyQueue {
    pub(crate) fn new(machine: &Machine, state: &State) -> Self {
        let order = match machine.timing.scheduler {
            Scheduler::Fifo | Scheduler::RoundRobin => Order::Arrival(VecDeque::new()),
            Scheduler::Priority => Order::Priority(BinaryHeap::new()),
            Scheduler::Random => Order::Random(Vec::new()),
        };
        let slice_ns = match machine.timing.scheduler {
            Scheduler::Fifo | Scheduler::Random => u64::MAX,
            Scheduler::RoundRobin | Scheduler::Priority => machine.timing.quantum_ns,
        };
        let priorities = match machine.timing.scheduler {
            Scheduler::Priority => state
                .threads
                .iter()
                .map(|thread| machine.family_of(thread.process).priority)
                .collect(),
            Scheduler::Fifo | Scheduler::RoundRobin | Scheduler::Random => Vec::new(),
        };
        let own = priorities.clone();
        Self { order, slice_ns, priorities, own, levels: BTreeMap::new(), arrivals: 0 }
    }

    /// How long a thread may keep a processor, in nanoseconds.
    pub(crate) fn slice_ns(&self) -> u64 {
        self.slice_ns
    }

    pub(crate) fn is_empty(&self) -> bool {
        match &self.order {
            Order::Arrival(queue) => queue.is_empty(),
            Order::Priority(heap) => heap.is_empty(),
            Order::Random(threads) => threads.is_empty(),
        }
    }

    /// One of the queued threads, chosen deterministically: the next, unless the next is drawn at random.
    pub(crate) fn first(&self) -> Option<ThreadId> {
        match &self.order {
            Order::Arrival(queue) => queue.front().copied(),
            Order::Priority(heap) => heap.peek().map(|(_, _, t)| *t),
            Order::Random(threads) => threads.first().copied(),
        }
    }

    pub(crate) fn push(&mut self, t: ThreadId) {
        match &mut self.order {
            Order::Arrival(queue) => queue.push_back(t),
            Order::Priority(heap) => {
                self.arrivals += 1;
                let priority = self.priorities.get(t.index()).copied().unwrap_or(0);
                heap.push((priority, Reverse(self.arrivals), t));
                *self.levels.entry(own_of(&self.own, t)).or_default() += 1;
            }
            Order::Random(threads) => threads.push(t),
        }
    }

    pub(crate) fn pop(&mut self, draws: &mut Stream) -> Option<ThreadId> {
        match &mut self.order {
            Order::Arrival(queue) => queue.pop_front(),
            Order::Priority(heap) => {
                let (_, _, t) = heap.pop()?;
                let level = own_of(&self.own, t);
                if let Some(count) = self.levels.get_mut(&level) {
                    *count -= 1;
                    if *count == 0 {
                        self.levels.remove(&level);
                    }
                }
                Some(t)
            }
            Order::Random(threads) => any(threads, draws),
        }
    }

    /// The priority of a thread; 0 if the scheduler ignores priorities.
    pub(crate) fn priority(&self, t: ThreadId) -> i64 {
        self.priorities.get(t.index()).copied().unwrap_or(0)
    }

    /// The own priority of the least urgent thread here, if the scheduler looks at it.
    pub(crate) fn least_urgent(&self) -> Option<i64> {
        self.levels.keys().next().copied()
    }

    /// Threads run at these priorities from now on, and have these own ones. Those that wait keep the order of their arrival.
    pub(crate) fn set_priorities(&mut self, priorities: &[i64], own: &[i64]) {
        self.priorities.clear();
        self.priorities.extend_from_slice(priorities);
        self.own.clear();
        self.own.extend_from_slice(own);
        if let Order::Priority(heap) = &mut self.order {
            let entries = std::mem::take(heap).into_vec();
            let anew = |(_, arrival, t): (i64, Reverse<u64>, ThreadId)| {
                (priorities.get(t.index()).copied().unwrap_or(0), arrival, t)
            };
            *heap = entries.into_iter().map(anew).collect();
            self.levels.clear();
            for (_, _, t) in heap.iter() {
                *self.levels.entry(own_of(own, *t)).or_default() += 1;
            }
        }
    }

    /// The priority of the most urgent thread, if it can preempt another.
    pub(crate) fn most_urgent(&self) -> Option<i64> {
        match &self.order {
            Order::Priority(heap) => heap.peek().map(|(priority, _, _)| *priority),
            Order::Arrival(_) | Order::Random(_) => None,
        }
    }

    /// Whether a thread that could go on must join the queue instead. `slice_over`: its time slice
    /// is over, or it yields.
    pub(crate) fn must_make_room(&self, slice_over: bool, t: ThreadId) -> bool {
        match &self.order {
            Order::Arrival(queue) => slice_over && !queue.is_empty(),
            Order::Priority(heap) => match heap.peek() {
                None => false,
                Some((priority, ..)) => {
                    let own = self.priority(t);
                    *priority > own || (slice_over && *priority == own)
                }
            },
            // Before every call, any thread may be next, including this one.
            Order::Random(threads) => !threads.is_empty(),
        }
    }

    /// The threads in queue order, for comparing two moments of a run.
    pub(crate) fn threads(&self) -> Vec<ThreadId> {
        match &self.order {
            Order::Arrival(queue) => queue.iter().copied().collect(),
            Order::Priority(heap) => {
                let mut entries: Vec<_> = heap.iter().copied().collect();
                entries.sort_unstable_by(|a, b| b.cmp(a));
                entries.into_iter().map(|(_, _, t)| t).collect()
            }
            Order::Random(threads) => threads.clone(),
        }
    }
}

/// A thread's own priority; 0 until it is known.
fn own_of(own: &[i64], t: ThreadId) -> i64 {
    own.get(t.index()).copied().unwrap_or(0)
}

/// Removes one of the threads at random.
#[inline(never)]
fn any(threads: &mut Vec<ThreadId>, draws: &mut Stream) -> Option<ThreadId> {
    let place = match threads.len() {
        0 => return None,
        1 => 0,
        count => draws.below(count as u64),
    };
    Some(threads.remove(usize::try_from(place).expect("a place in the queue")))
}
