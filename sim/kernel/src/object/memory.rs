//! Kernel memory: one pool for all stored messages, and the senders that wait for it.

use std::collections::VecDeque;
use std::sync::Arc;

use ipcsim_program::{Message, ThreadId, state};

use crate::object::room::Room;

state! {
    /// The kernel's memory for messages.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct KernelMemory {
        /// How much there is, in bytes; `None` is unlimited.
        pub limit: Option<u64> as fixed,
        /// What each message costs in addition to its size, in bytes.
        pub overhead: u64 as fixed,
        /// How much is used, in bytes.
        pub used: u64 as derived,
        /// The senders that wait for memory, oldest first. There is no overtaking here.
        pub waiting: VecDeque<(ThreadId, Arc<Message>)>,
    }
}

impl KernelMemory {
    /// An empty pool.
    pub fn new(limit: Option<u64>, overhead: u64) -> Self {
        Self { limit, overhead, used: 0, waiting: VecDeque::new() }
    }

    /// What a message of this size costs, in bytes.
    pub fn cost(&self, size: u64) -> u64 {
        size.saturating_add(self.overhead)
    }

    /// Whether a newcomer's message of this size fits; earlier waiters go first.
    pub fn room_for_newcomer(&self, size: u64) -> Room {
        match self.room(size) {
            Room::Free if !self.waiting.is_empty() => Room::Full,
            room => room,
        }
    }

    /// Whether a message of this size fits, regardless of waiters.
    pub fn room(&self, size: u64) -> Room {
        let cost = self.cost(size);
        match self.limit {
            Some(limit) if cost > limit => Room::Never,
            Some(limit) if self.used.saturating_add(cost) > limit => Room::Full,
            Some(_) | None => Room::Free,
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
