//! Who may end a run or an exploration before it is done: whoever waits for it, the clock, and the
//! limit of memory.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Why something is to end early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Somebody has pressed Ctrl-C, or the like.
    Interrupted,
    /// The time is over.
    Time,
    /// There is no more memory for it.
    Memory,
}

/// A cancellation token. Any thread may cancel; whoever works looks at it now and then, and stops soon.
/// What was cancelled stays cancelled, for the first reason that was given: whoever has stopped half-way must
/// find out afterwards that it did, even if there is memory again by then.
#[derive(Debug, Default)]
pub struct Cancellation {
    /// 0, or one more than the place of the reason in [`REASONS`].
    reason: AtomicU8,
    memory: Option<Meter>,
}

/// How much memory the process uses, as far as somebody counts it, and how much it may.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// In bytes.
    pub used: &'static AtomicUsize,
    /// In bytes.
    pub limit: usize,
}

const REASONS: [Reason; 3] = [Reason::Interrupted, Reason::Time, Reason::Memory];

impl Cancellation {
    /// A token that cancels itself at a limit of memory.
    pub fn at(memory: Meter) -> Self {
        Self { memory: Some(memory), ..Self::default() }
    }

    /// Says that it is to stop.
    pub fn cancel(&self, reason: Reason) {
        let place = REASONS.iter().position(|it| *it == reason).unwrap_or_default();
        let number = place as u8 + 1;
        let _ = self.reason.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Why it is to stop, if it is.
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

    /// How many bytes the process uses, as far as somebody counts them.
    pub fn used(&self) -> usize {
        // What a thread has given back may be told before what another has taken.
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
