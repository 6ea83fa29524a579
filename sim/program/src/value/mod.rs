//! Values: what variables hold and messages carry.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

mod list;
mod message;
pub mod misuse;
mod operator;
mod pages;
mod right;

use crate::ids::{MailboxId, ProcessId, ReplyRight};
use crate::limits;
use crate::outcome::Fault;
use crate::walk::{Index, Rename, Visit, Walk};
use crate::{nameless, state};
pub use list::List;
pub use message::{Extras, Message, Parcel, Route, Then};
pub use operator::{Binary, Field, Unary};
pub use pages::{Pages, Run};
pub use right::{Carried, Once, Right};

/// A value of a variable or a message body.
#[derive(Clone, Debug, PartialEq, Eq, Default, Hash)]
// Every part is word-aligned, so that a value is copied in whole words; copying odd pieces made
// the processor wait.
#[repr(u64)]
pub enum Value {
    /// Nothing; also every variable before it is set.
    #[default]
    None,
    /// `true`.
    True,
    /// `false`.
    False,
    /// An integer of 64 bits.
    Int(i64),
    /// A time span, in nanoseconds.
    Duration(i64),
    /// A text.
    Text(Arc<str>),
    /// A list, counted from 0.
    List(Arc<List>),
    /// A kernel object or a process.
    Handle(Handle),
    /// A received message.
    Message(Arc<Message>),
    /// The index of a replica, of which only the name counts. No run has one.
    Scalar(Scalar),
}

// By hand, because a scalar may become a number.
impl Walk for Value {
    fn rename(&mut self, names: &mut impl Rename) {
        match self {
            Value::None | Value::True | Value::False | Value::Int(_) | Value::Duration(_) => {}
            Value::Text(_) => {}
            Value::List(list) => list.rename(names),
            Value::Handle(handle) => handle.rename(names),
            Value::Message(message) => message.rename(names),
            Value::Scalar(scalar) => match names.index(scalar.set, scalar.who) {
                Index::Of(who) => scalar.who = who,
                Index::Number(number) => *self = Value::Int(number.into()),
            },
        }
    }

    fn visit(&self, visitor: &mut impl Visit) {
        match self {
            Value::None | Value::True | Value::False | Value::Int(_) | Value::Duration(_) => {}
            Value::Text(_) => {}
            Value::List(list) => list.visit(visitor),
            Value::Handle(handle) => handle.visit(visitor),
            Value::Message(message) => message.visit(visitor),
            Value::Scalar(scalar) => visitor.process(scalar.who),
        }
    }
}

/// A member of a *scalarset* (C. N. Ip and D. L. Dill, "Better Verification Through Symmetry", 1996): a number of which
/// nothing counts but whether it is the same as another one of its set. So all members can change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scalar {
    /// The number of its set in the machine.
    pub set: u32,
    /// The replica that has this index, in the first family of the set.
    pub who: ProcessId,
}

state! {
    /// What a handle refers to.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u32)]
    pub enum Handle {
        /// A process, as a destination or a source: the link with it.
        Process(ProcessId),
        /// A mailbox.
        Mailbox(MailboxId),
        /// A descriptor: a file, or an end of a pipe or of a channel, that its process has open.
        File(Descriptor),
        /// The right to answer one call, once.
        Reply(ReplyRight),
        /// A send-once right to a port.
        Once(Once),
        /// A region of memory. Only the process in whose memory it is can use it.
        Region(Region),
    }
}

/// A region in the memory of a process. Its number is the lowest that is free there when it comes to be; once it is gone
/// the number may come to mean another, as an address may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    /// Whose memory it is in.
    pub space: ProcessId,
    /// Distinguishes it from the others there.
    pub number: u32,
}

// By hand, because a copy of a process has its own memory.
impl Walk for Region {
    fn rename(&mut self, names: &mut impl Rename) {
        self.space = names.space(self.space);
    }

    fn visit(&self, visitor: &mut impl Visit) {
        visitor.process(self.space);
    }
}

state! {
    /// Pages that several regions are. Its number is the lowest that was free in the process that was the first to share them,
    /// so it depends on nobody else's history.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct SegmentId {
        /// Who was the first to share it.
        pub space: ProcessId,
        /// Distinguishes it from the others of that process.
        pub number: u32,
    }
}

/// A descriptor. Its number is the lowest that is free in its process when it comes to be; once it is closed the number may come
/// to mean something else. In another process it means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Descriptor {
    /// What it stood for when it came to be.
    pub object: MailboxId,
    /// Whose it is.
    pub holder: ProcessId,
    /// Distinguishes it from the others of that process.
    pub number: u32,
}

// By hand, because a copy of a process has descriptors of its own.
impl Walk for Descriptor {
    fn rename(&mut self, names: &mut impl Rename) {
        self.object.rename(names);
        self.holder = names.space(self.holder);
    }

    fn visit(&self, visitor: &mut impl Visit) {
        self.object.visit(visitor);
        visitor.process(self.holder);
    }
}

/// What a descriptor may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Access {
    /// Receiving from it.
    Read,
    /// Sending to it.
    Write,
}

/// What becomes of a descriptor when its process goes on with another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum OnExec {
    /// It stays open.
    Keep,
    /// It is closed.
    Close,
}

nameless! { Access OnExec }

impl Value {
    /// How much work it is to visit: elements of a list, pieces of 16 bytes of a text.
    pub fn bulk(&self) -> u64 {
        match self {
            Value::List(list) => list.weight,
            Value::Text(text) => text.len() as u64 / 16,
            _ => 0,
        }
    }

    /// A text value; a text that is too long is an exception.
    pub fn text(text: &str) -> Result<Self, Fault> {
        if text.len() > limits::TEXT_BYTES {
            Err(Fault::TooLong)
        } else {
            Ok(Value::Text(text.into()))
        }
    }

    /// A list value.
    pub fn list(items: Vec<Value>) -> Result<Self, Fault> {
        Ok(Value::List(Arc::new(List::new(items)?)))
    }

    fn weight(&self) -> u64 {
        match self {
            Value::List(list) => 1 + list.weight,
            Value::Message(message) => 1 + message.body.weight(),
            Value::Text(text) => 1 + text.len() as u64 / limits::TEXT_PIECE,
            _ => 1,
        }
    }

    /// How deeply lists and messages are nested here.
    fn depth(&self) -> u32 {
        match self {
            Value::List(list) => list.depth,
            Value::Message(message) => 1 + message.body.depth(),
            _ => 0,
        }
    }

    /// The depth of whatever this is put into. Too much is an exception, so that code that visits a value may
    /// be recursive.
    pub fn depth_outside(&self) -> Result<u32, Fault> {
        match self.depth() {
            limits::DEPTH.. => Err(Fault::TooDeep),
            depth => Ok(depth + 1),
        }
    }

    /// The size of a message with this body, in bytes, unless the scenario gives one: for a text
    /// its bytes, for a list the sum of its elements, for everything else 8.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Value::Text(text) => text.len() as u64,
            Value::List(list) => list.size_bytes,
            Value::None
            | Value::True
            | Value::False
            | Value::Int(_)
            | Value::Duration(_)
            | Value::Handle(_)
            | Value::Message(_)
            | Value::Scalar(_) => 8,
        }
    }

    /// Equality as `==` means it: anything may be compared with `none`, otherwise kinds must agree.
    pub fn equals(&self, other: &Value) -> Result<bool, Fault> {
        match (self, other) {
            (Value::None, other) | (other, Value::None) => Ok(matches!(other, Value::None)),
            (Value::True | Value::False, Value::True | Value::False) => Ok(self == other),
            (Value::Int(a), Value::Int(b)) | (Value::Duration(a), Value::Duration(b)) => Ok(a == b),
            (Value::Text(a), Value::Text(b)) => Ok(a == b),
            (Value::Handle(a), Value::Handle(b)) => Ok(a.object() == b.object()),
            (Value::List(a), Value::List(b)) => {
                if a.items.len() != b.items.len() {
                    return Ok(false);
                }
                for (a, b) in a.items.iter().zip(&b.items) {
                    if !a.equals(b)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Message(a), Value::Message(b)) if a != b => {
                // A scalar is never compared with a number, not even inside.
                if a.body.has_scalars() || b.body.has_scalars() {
                    a.body.equals(&b.body)?;
                }
                Ok(false)
            }
            (Value::Message(_), Value::Message(_)) => Ok(true),
            (Value::Scalar(a), Value::Scalar(b)) if a.set == b.set => Ok(a.who == b.who),
            _ => Err(misuse::compared(self, other)),
        }
    }

    /// Whether a member of a scalarset is in it.
    pub fn has_scalars(&self) -> bool {
        match self {
            Value::Scalar(_) => true,
            Value::List(list) => list.items.iter().any(Value::has_scalars),
            Value::Message(message) => message.body.has_scalars(),
            _ => false,
        }
    }

    /// Whether an object of the kernel is in it, or a message.
    pub fn names_something(&self) -> bool {
        match self {
            Value::Handle(_) | Value::Message(_) | Value::Scalar(_) => true,
            Value::List(list) => list.items.iter().any(Value::names_something),
            _ => false,
        }
    }

    /// Order as `<` means it: integers, durations and texts, each with its own kind.
    pub fn compare(&self, other: &Value) -> Result<Ordering, Fault> {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) | (Value::Duration(a), Value::Duration(b)) => {
                Ok(a.cmp(b))
            }
            (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
            _ => Err(misuse::ordered(self, other)),
        }
    }

    /// A truth value.
    pub fn of_truth(truth: bool) -> Self {
        if truth { Value::True } else { Value::False }
    }

    /// The truth of a condition; anything but a boolean is an exception.
    pub fn truth(&self) -> Result<bool, Fault> {
        match self {
            Value::True => Ok(true),
            Value::False => Ok(false),
            _ => Err(misuse::condition(self)),
        }
    }
}

impl Handle {
    /// The handle without how it was obtained: an opened file equals the mailbox behind it.
    fn object(self) -> Handle {
        match self {
            Handle::File(descriptor) => Handle::Mailbox(descriptor.object),
            Handle::Process(_)
            | Handle::Mailbox(_)
            | Handle::Reply(_)
            | Handle::Once(_)
            | Handle::Region(_) => self,
        }
    }
}

/// A duration in the largest unit that shows it exactly, as scenarios write it.
pub fn duration_text(ns: i64) -> String {
    for (unit, name) in [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")] {
        if ns != 0 && ns % unit == 0 {
            return format!("{}{name}", ns / unit);
        }
    }
    format!("{ns}ns")
}

/// Writes a value as a log shows it. Handles need names; whoever has those writes them.
pub fn write_value(
    out: &mut String,
    value: &Value,
    handle: &dyn Fn(Handle) -> String,
) -> fmt::Result {
    use fmt::Write;
    match value {
        Value::None => out.write_str("none"),
        Value::True => out.write_str("true"),
        Value::False => out.write_str("false"),
        Value::Int(number) => write!(out, "{number}"),
        Value::Scalar(scalar) => write!(out, "{}", scalar.who.0),
        Value::Duration(ns) => out.write_str(&duration_text(*ns)),
        Value::Text(text) => out.write_str(text),
        Value::Handle(of) => out.write_str(&handle(*of)),
        Value::Message(message) => write_value(out, &message.body, handle),
        Value::List(list) => {
            out.push('[');
            for (position, item) in list.items.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                write_value(out, item, handle)?;
            }
            out.push(']');
            Ok(())
        }
    }
}
