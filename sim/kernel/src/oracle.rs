//! The oracle: it decides where the kernel has a choice.

use ipcsim_program::Pc;

/// A question that the kernel may settle either way. It is asked only when there are at least two
/// answers, so that a recorded schedule stays short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Which waiting receiver gets the message (`receiver: arbitrary`).
    Receiver {
        /// How many there are; the answer is a position from 0.
        count: u64,
    },
    /// Which blocked sender goes next (`sender: arbitrary`).
    Sender {
        /// How many there are; the answer is a position from 0.
        count: u64,
    },
    /// Which member of a port set a message is taken from (`set-order: arbitrary`).
    Member {
        /// How many there are; the answer is a position from 0.
        count: u64,
    },
    /// Does an `undefined` buffer have room: 0 no, 1 yes.
    Room,
    /// Which branch of a `choose`.
    Branch {
        /// How many there are; the answer is a position from 0.
        count: u64,
    },
    /// `random(low, high)`; the answer is the distance from `low`.
    Random {
        /// The least value.
        low: i64,
        /// The greatest value.
        high: i64,
    },
}

impl Question {
    /// How many answers there are, from 0 up; `None` if the number does not fit into 64 bits.
    pub fn answers(self) -> Option<u64> {
        match self {
            Question::Receiver { count }
            | Question::Sender { count }
            | Question::Member { count }
            | Question::Branch { count } => Some(count),
            Question::Room => Some(2),
            Question::Random { low, high } => high.abs_diff(low).checked_add(1),
        }
    }
}

/// What a thread does when it reaches a `compute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computing {
    /// Time is free: nothing happens.
    IsFree,
    /// Local work stops here until the driver has let this much processor time pass.
    TakesTime,
}

/// Whoever picks: a scheduler with a seed, an exploration, a recorded schedule, a person.
///
/// By default time is free.
pub trait Oracle {
    /// An answer below [`Question::answers`].
    fn choose(&mut self, question: Question) -> u64;

    /// What the `compute` at this place of the code means to this driver.
    fn computing(&self, _at: Pc) -> Computing {
        Computing::IsFree
    }

    /// The time since the start in nanoseconds, for `now()`; 0 where time is free.
    fn now_ns(&mut self) -> i64 {
        0
    }
}
