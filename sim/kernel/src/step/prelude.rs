//! What nearly every part of a step works with.

pub(super) use crate::event::{Kind, Loss};
pub(super) use crate::machine::Wake;
pub(super) use crate::object::filter::Filter;
pub(super) use crate::object::mailbox::{Existence, Mailbox, Object};
pub(super) use crate::object::port::Receiver;
pub(super) use crate::object::room::Room;
pub(super) use crate::oracle::{Oracle, Question};
pub(super) use crate::sink::Sink;
pub(super) use crate::state::{BlockedOn, Bound, End, Holder, Look, Sources, ThreadState};
pub(super) use ipcsim_program::{
    Capacity, Carried, Expr, Extras, Fault, Handle, MailboxId, Message, Once, Op, Outcome, Pc,
    Pick, ProcessId, Register, Right, Route, Then, ThreadId, Value, Verb, Wait, limits,
};
pub(super) use std::sync::Arc;

pub(super) use super::{Step, Stop, Work};
