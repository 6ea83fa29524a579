//! What may end a run or an exploration early: the user, the time limit, and the memory limit.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Why something must stop early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The user pressed Ctrl-C, or the like.
    Interrupted,
    /// The time limit was reached.
    Time,
    /// The memory limit was reached.
    Memory,
}

/// A cancellation token. Any thread may cancel; the workers poll it and stop soon after. Once
/// cancelled, it stays cancelled for the first reason given: a worker that stopped half-way must
/// still see that later, even if memory has been freed by then.
#[derive(Debug, Default)]
pub struct Cancellation {
    /// 0, or one more than the index of the reason in [`REASONS`].
    reason: AtomicU8,
    memory: Option<Meter>,
}

/// How much memory the process uses, as far as it is counted, and how much it may use.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// In bytes.
    pub used: &'static AtomicUsize,
    /// In bytes.
    pub limit: usize,
}

const REASONS: [Reason; 3] = [Reason::Interrupted, Reason::Time, Reason::Memory];

impl Cancellation {
    /// A token that cancels itself at a memory limit.
    pub fn at(memory: Meter) -> Self {
        Self { memory: Some(memory), ..Self::default() }
    }

    /// Requests a stop.
    pub fn cancel(&self, reason: Reason) {
        let place = REASONS.iter().position(|it| *it == reason).unwrap_or_default();
        let number = place as u8 + 1;
        let _ = self.reason.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Why to stop, if a stop was requested or the memory limit is exceeded.
    pub fn reason(&self) -> Option<Reason> {
        let number = self.reason.load(Ordering::Relaxed);
        if let Some(place) = number.checked_sub(1) {
            return REASONS.get(usize::from(place)).copied();
        }
        let limit = self.memory?.limit;
        if self.used() <= limit {
            return None;
        }
        self.cancel(Reason::Memory);
        self.reason()
    }

    /// How many bytes the process uses, as far as they are counted.
    pub fn used(&self) -> usize {
        // The count can be negative for a moment: a free may be counted before another thread's allocation.
        let used = self.memory.map_or(0, |meter| meter.used.load(Ordering::Relaxed));
        used.cast_signed().max(0).cast_unsigned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stays() {
        let token = Cancellation::default();
        assert_eq!(token.reason(), None);
        token.cancel(Reason::Time);
        token.cancel(Reason::Interrupted);
        assert_eq!(token.reason(), Some(Reason::Time));
    }

    #[test]
    fn a_token_is_cancelled_at_its_limit_of_memory_and_stays_so() {
        static USED: AtomicUsize = AtomicUsize::new(10);
        let token = Cancellation::at(Meter { used: &USED, limit: 10 });
        assert_eq!(token.reason(), None);
        USED.store(11, Ordering::Relaxed);
        assert_eq!(token.reason(), Some(Reason::Memory));
        USED.store(0, Ordering::Relaxed);
        assert_eq!(token.reason(), Some(Reason::Memory));
    }
}
