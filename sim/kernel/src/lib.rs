//! The simulated kernel of ipcsim.
//!
//! A [`Machine`] is a compiled scenario and never changes; a [`State`] is all that does. One
//! function, [`step`], performs one system call (or one stretch of local work) of one thread; nothing
//! else changes a state. Where the kernel has a choice it asks an [`Oracle`], and it reports all it
//! does to a [`Sink`]. So running, exploring, replaying and stepping by hand differ only in their
//! oracle and sink.
//!
//! What this crate does not know: YAML, files, the terminal, search, scheduling policy, and time.
//! **The kernel has no clock**: a bounded wait is a mark on a wait, and the driver decides when it
//! ends.

mod encode;
mod eval;
mod event;
mod graph;
mod initial;
mod invariant;
mod machine;
mod memory;
pub mod object;
mod oracle;
mod predicate;
mod sink;
mod state;
mod step;
pub mod table;
mod timing;
pub mod waits;

pub use encode::{encode, encode_part};
pub use event::{Event, Kind, Loss};
pub use graph::{circle_of, wait_graph};
pub use invariant::assert_invariants;
pub use ipcsim_program as program;
pub use ipcsim_program::limits::{self, SEMANTICS};
pub use ipcsim_program::{
    Access, Binary, ByteOrder, Capacity, Descriptor, Expr, FamilyId, Fault, Field, Function, Ghost,
    HandOver, Handle, Index, List, MailboxId, Message, OnExec, Order, Outcome, Pc, Pick, ProcessId,
    ProgramId, Register, Rename, ReplyRight, Route, Scalar, Span, Then, ThreadId, ThreadName,
    Unary, UserId, Value, Visit, Walk, duration_text, text, write_value,
};
pub use machine::{
    Birth, Detect, DyingPort, Exec, Family, File, Fork, InFlightCycles, Level, Machine, MemoryFull,
    OutcomeWord, Policies, Protection, Receives, Replicas, Role, Scalarset, SetOrder, Symbols,
    ThreadSpec, TooLarge, Variables, Wake,
};
pub use object::filter::Filter;
pub use object::inbox::Arrivals;
pub use object::mailbox::{Mailbox, Object};
pub use object::queue::QueueSpec;
pub use oracle::{Computing, Oracle, Question};
pub use predicate::{Predicate, Probe};
pub use sink::{Backing, ParcelId, Sink};
pub use state::{
    Abandoned, BlockedOn, Bound, Control, End, Holder, Life, Look, Process, Raised, Sources, State,
    Thread, ThreadState,
};
pub use step::{Progress, Transition, step};
pub use timing::{Costs, ForkImage, Inheritance, Preempt, Scheduler, Timing};
