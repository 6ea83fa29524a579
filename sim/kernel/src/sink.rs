//! The sink: who is told what happened.

use ipcsim_program::{ProcessId, Span, ThreadId};

use crate::event::Event;
use crate::machine::Machine;
use crate::state::State;

/// Whoever is told. By default nobody listens.
///
/// All but the last tell a driver what it must schedule; the last is the trace.
pub trait Sink {
    /// A thread that was waiting, or is new, can take a step.
    fn ready(&mut self, _thread: ThreadId) {}

    /// A thread waits, or looks again, for at most this long from now on. Told once per call.
    fn waits(&mut self, _thread: ThreadId, _span: Span) {}

    /// A thread has ended.
    fn ended(&mut self, _thread: ThreadId) {}

    /// A process was made.
    fn spawned(&mut self, _process: ProcessId) {}

    /// A thread that could take a step no longer can: it was suspended.
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

    /// Whether calls may take the short way, which has the same result. A sink that checks this says no.
    const SHORT_WAY: bool = true;

    /// Something happened; the state may be half-way through the step.
    fn event(&mut self, _machine: &Machine, _state: &State, _event: &Event) {}
}
