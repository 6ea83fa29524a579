//! Expressions: how a thread computes a value from its own variables.
//!
//! An expression reads the registers of one thread and constants of the machine. It never looks at
//! other threads or at kernel objects, which is why local work may be merged into a step. Random
//! numbers and the time come from the oracle.

use crate::ids::{FamilyId, MailboxId, Register};
use crate::value::{Binary, Field, Unary, Value};

/// An expression, with names already resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A constant.
    Constant(Value),
    /// A variable.
    Variable(Register),
    /// The thread's own process.
    Me,
    /// The port of the name server of the thread's process.
    NameServer,
    /// Which replica of its family the process is, from 1.
    Index,
    /// Which replica of its family the thread is, from 1.
    ThreadIndex,
    /// The outcome of the thread's last call, as text.
    Status,
    /// A field of a message.
    Field(Box<Expr>, Field),
    /// An element of a list.
    Element(Box<Expr>, Box<Expr>),
    /// A member of a process family, counted from 1.
    ProcessMember(FamilyId, Box<Expr>),
    /// A member of a mailbox family: the first mailbox, how many there are, and which, from 1.
    MailboxMember {
        /// The member with index 1.
        first: MailboxId,
        /// How many members there are.
        count: u32,
        /// Which one.
        index: Box<Expr>,
    },
    /// The port that controls a thread: of a process, the threads that it starts with from this place
    /// on, this many of one name, and which of those, from 1.
    ThreadOf {
        /// Whose thread.
        process: Box<Expr>,
        /// The place of the first of that name.
        first: u32,
        /// How many have that name.
        count: u32,
        /// Which.
        index: Box<Expr>,
    },
    /// `not` or `-`.
    Unary(Unary, Box<Expr>),
    /// An operator with two operands.
    Binary(Binary, Box<(Expr, Expr)>),
    /// A function call.
    Function(Function, Vec<Expr>),
    /// A list of these elements.
    List(Vec<Expr>),
    /// The texts of these values, one after the other: `"item ${i}"`.
    Join(Vec<Expr>),
}

/// A function of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `len(x)`: elements of a list, bytes of a text.
    Len,
    /// `min(a, b, …)`, or of one list.
    Min,
    /// `max(a, b, …)`, or of one list.
    Max,
    /// `push(list, x)`: the list with x at its end.
    Push,
    /// `pop-first(list)`: the list without its first element.
    PopFirst,
    /// `count(list)`: how many elements are true.
    Count,
    /// `all(list)`.
    All,
    /// `any(list)`.
    Any,
    /// `random(a, b)`: an integer from a to b, both included.
    Random,
    /// `range(a, b)`: the integers from a to b, both included; an empty list if b is less than a.
    Range,
    /// `now()`: the time since the start.
    Now,
    /// The list from back to front; anything else stays as it was. Not a word of the language: a loop takes
    /// its items from the back.
    Reversed,
    /// `task-of(p)`: the port that controls a process.
    TaskOf,
}

impl Expr {
    /// A constant integer.
    pub fn int(number: i64) -> Self {
        Expr::Constant(Value::Int(number))
    }

    /// The value in place, if this is a constant or a variable; anything else must be computed.
    #[inline]
    pub fn peek<'a>(&'a self, registers: &'a [Value]) -> Option<&'a Value> {
        match self {
            Expr::Constant(value) => Some(value),
            Expr::Variable(register) => Some(&registers[register.index()]),
            _ => None,
        }
    }

    /// Calls `look` with this expression and every one inside it.
    pub fn visit(&self, look: &mut impl FnMut(&Expr)) {
        look(self);
        for child in self.children() {
            child.visit(look);
        }
    }

    /// Whether this expression, or one inside it, satisfies `is_such`.
    pub fn contains(&self, is_such: &impl Fn(&Expr) -> bool) -> bool {
        is_such(self) || self.children().into_iter().any(|child| child.contains(is_such))
    }

    /// Every expression directly inside this one.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Expr::Constant(_)
            | Expr::Variable(_)
            | Expr::Me
            | Expr::NameServer
            | Expr::Index
            | Expr::ThreadIndex
            | Expr::Status => vec![],
            Expr::Field(of, _) | Expr::Unary(_, of) | Expr::ProcessMember(_, of) => vec![of],
            Expr::MailboxMember { index, .. } => vec![index],
            Expr::Element(list, index) => vec![list, index],
            Expr::ThreadOf { process, index, .. } => vec![process, index],
            Expr::Binary(_, operands) => vec![&operands.0, &operands.1],
            Expr::Function(_, items) | Expr::List(items) | Expr::Join(items) => {
                items.iter().collect()
            }
        }
    }
}

/// A constant text.
pub fn text(text: &str) -> Expr {
    Expr::Constant(Value::Text(text.into()))
}
