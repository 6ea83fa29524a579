//! What the threads of ipcsim execute: values, expressions, operations and system calls.
//!
//! This crate describes programs and does not run them. It knows what a call may do ([`Verb::effects`]) and where a
//! thread can go from it ([`Edges`]); what the call does in a state is the kernel's business.

mod effects;
mod expr;
mod flow;
mod ghost;
mod ids;
pub mod limits;
mod liveness;
mod op;
mod outcome;
mod parts;
mod policy;
mod value;
mod verb;
mod walk;
mod word;
mod worded;

pub use effects::Effect;
pub use expr::{Expr, Function, text};
pub use flow::{Edges, Tour, Walking, look_ahead, reachable};
pub use ghost::Ghost;
pub use ids::{
    FamilyId, MailboxId, Pc, ProcessId, ProgramId, Register, ReplyRight, ThreadId, ThreadName,
    UserId,
};
pub use liveness::Liveness;
pub use op::{Call, Op, behind};
pub use outcome::{Address, Fault, Outcome};
pub use parts::{
    AccessKind, Answer, Command, Disposition, From, Grant, Image, Inquiry, Inspection,
    MemoryAccess, Otherwise, PageOf, Receive, Reply, Send, Span, Spawn, StreamKind, Target,
    Threads, Time, Transfer, TransferMode, Until, Wait, Watch, WhichPages,
};
pub use policy::{ByteOrder, Capacity, HandOver, Order, Pick};
pub use value::{
    Access, Binary, Carried, Descriptor, Extras, Field, Handle, List, Message, OnExec, Once, Pages,
    Parcel, Region, Right, Route, Run, Scalar, SegmentId, Then, Unary, Value, duration_text,
    misuse, write_value,
};
pub use verb::{FileVerb, ImageVerb, MemoryVerb, Verb};
pub use walk::{Index, Rename, Visit, Walk, rename_set};
pub use word::{CallWord, LocalWord, Word};
