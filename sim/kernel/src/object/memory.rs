//! Kernel memory: one pool for all stored messages, and the senders that wait for it.

use std::collections::VecDeque;
use std::sync::Arc;

use ipcsim_program::{Message, ThreadId, state};

state! {
    /// The kernel's memory for messages.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct KernelMemory {
        /// How much there is, in bytes; `None` is unlimited.
        pub limit: Option<u64> as fixed,
        /// What each message costs beside its size, in bytes.
        pub overhead: u64 as fixed,
        /// How much is used, in bytes.
        pub used: u64 as derived,
        /// The senders that wait for memory, oldest first. Nobody overtakes anybody here.
        pub waiting: VecDeque<(ThreadId, Arc<Message>)>,
    }
}

/// Whether the pool would take a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fit {
    /// It would.
    Now,
    /// Not now: too much is used, or others were first.
    Later,
    /// Never: the message is larger than the whole pool.
    Never,
}

impl KernelMemory {
    /// An empty pool.
    pub fn new(limit: Option<u64>, overhead: u64) -> Self {
        Self { limit, overhead, used: 0, waiting: VecDeque::new() }
    }

    /// What a message of so many bytes costs, in bytes.
    pub fn cost(&self, size: u64) -> u64 {
        size.saturating_add(self.overhead)
    }

    /// Whether a newcomer's message of this size fits; whoever waits already was first.
    pub fn offer(&self, size: u64) -> Fit {
        match self.fit(size) {
            Fit::Now if !self.waiting.is_empty() => Fit::Later,
            fit => fit,
        }
    }

    /// Whether a message of this size fits, whoever waits.
    pub fn fit(&self, size: u64) -> Fit {
        let cost = self.cost(size);
        match self.limit {
            Some(limit) if cost > limit => Fit::Never,
            Some(limit) if self.used.saturating_add(cost) > limit => Fit::Later,
            Some(_) | None => Fit::Now,
        }
    }

    /// A message of this size is stored.
    pub fn charge(&mut self, size: u64) {
        self.used = self.used.saturating_add(self.cost(size));
    }

    /// A stored message of this size has left.
    pub fn release(&mut self, size: u64) {
        self.used = self.used.saturating_sub(self.cost(size));
    }
}
