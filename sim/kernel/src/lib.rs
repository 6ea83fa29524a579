//! The simulated kernel of ipcsim.
//!
//! A [`Machine`] is a compiled scenario and never changes; a [`State`] is all that does. One
//! function, [`step`], performs one system call (or one stretch of local work) of one thread;
//! nothing else changes a state. Wherever the kernel is free it asks an [`Oracle`], and whatever it
//! does it tells a [`Sink`]. So running, exploring, replaying and stepping by hand differ only in who
//! the oracle and the sink are.
//!
//! What this crate does not know: YAML, files, the terminal, search, scheduling policy, and time.
//! **The kernel has no clock**: a bounded wait is a mark on a wait, and whoever drives decides when it
//! ends.

mod encode;
mod event;
mod expr;
mod ghost;
mod ids;
mod invariant;
pub mod limits;
mod links;
mod machine;
mod message;
pub mod object;
mod oracle;
mod outcome;
mod predicate;
pub mod program;
mod state;
mod step;
pub mod table;
mod timing;
mod value;
pub mod waits;
mod walk;

pub use encode::{PartOf, encode, encode_part};
pub use event::{Event, Kind, Loss};
pub use expr::{Binary, Expr, Field, Function, Unary, text};
pub use ghost::Ghost;
pub use ids::{FamilyId, MailboxId, Pc, ProcessId, Register, ThreadId, ThreadName, UserId};
pub use invariant::assert_invariants;
pub use limits::SEMANTICS;
pub use machine::{
    Arrivals, Birth, Capacity, Detect, DyingPort, Family, File, Machine, MailboxKind, MailboxSpec,
    MemoryFull, Order, OutcomeWord, Pick, Policies, PortSetSpec, PortSpec, Replicas, Role,
    SetOrder, Symbols, ThreadSpec, TooLarge, Variables, Wake,
};
pub use message::{Message, Route, Then};
pub use oracle::{Computing, Oracle, Question, Sink, Span};
pub use outcome::{Fault, Outcome};
pub use predicate::{Predicate, Probe};
pub use state::{
    Abandoned, BlockedOn, Bound, Control, End, Filter, Holder, Level, Life, Look, Process, Raised,
    Sources, State, Thread, ThreadState,
};
pub use step::{Progress, Transition, step};
pub use timing::{Costs, Preempt, Scheduler, Timing};
pub use value::{Access, Handle, List, ReplyRight, Value, duration_text, write_value};
pub use walk::{Rename, Visit, Walk};
