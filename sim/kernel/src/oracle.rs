//! The oracle and the sink: who decides where the kernel is free, and who is told what happened.

use ipcsim_program::{Pc, ProcessId, Span, ThreadId};

use crate::event::Event;
use crate::machine::Machine;
use crate::state::State;

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

/// Whoever is told. Where nothing else is said nobody listens.
///
/// All but the last are how a driver learns what it must schedule; the last is the trace.
pub trait Sink {
    /// A thread that was waiting, or is new, can take a step.
    fn ready(&mut self, _thread: ThreadId) {}

    /// A thread waits, or looks again, for at most this long from now on. Told once per call.
    fn waits(&mut self, _thread: ThreadId, _span: Span) {}

    /// A thread has ended.
    fn ended(&mut self, _thread: ThreadId) {}

    /// A process was made.
    fn spawned(&mut self, _process: ProcessId) {}

    /// A thread that could take a step cannot any more: it was suspended.
    fn stopped(&mut self, _thread: ThreadId) {}

    /// A thread begins to wait, with or without a bound.
    fn blocked(&mut self, _thread: ThreadId) {}

    /// A thread took a message.
    fn received(&mut self, _thread: ThreadId) {}

    /// A thread wrote to the log.
    fn logged(&mut self, _thread: ThreadId) {}

    /// A message was lost.
    fn lost(&mut self) {}

    /// Bytes were copied into the kernel or out of it.
    fn copied(&mut self, _bytes: u64) {}

    /// Whether events are wanted at all; where not, none is built.
    const EVENTS: bool;

    /// Whether calls may go the short way, which comes to the same. Whoever checks that says no.
    const SHORT_WAY: bool = true;

    /// Something happened; the state may be half-way through the step.
    fn event(&mut self, _machine: &Machine, _state: &State, _event: &Event) {}
}
