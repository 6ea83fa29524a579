//! The oracle: who decides where the kernel is free.

use ipcsim_program::Pc;

/// A question that the kernel may settle either way. It is asked only when there are two answers
/// or more, so that a recorded schedule stays short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Which of so many waiting receivers gets the message (`receiver: arbitrary`).
    Receiver {
        /// How many there are; the answer is a position from 0.
        count: u64,
    },
    /// Which of so many blocked senders goes next (`sender: arbitrary`).
    Sender {
        /// How many there are; the answer is a position from 0.
        count: u64,
    },
    /// From which of so many members of a port set a message is taken (`set-order: arbitrary`).
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
    /// How many answers there are, from 0 up; `None` where 64 bits do not hold the number.
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

/// What a thread does when it comes to a `compute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computing {
    /// Time is free: nothing happens.
    IsFree,
    /// Local work stops here until the driver has let so much processor time pass.
    TakesTime,
}

/// Whoever picks: a scheduler with a seed, an exploration, a recorded schedule, a person.
///
/// Where nothing else is said time is free.
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
