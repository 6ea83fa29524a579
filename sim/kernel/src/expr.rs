//! Expressions: how a thread computes a value from its own variables.
//!
//! An expression reads the registers of one thread and constants of the machine. It never looks at
//! other threads or at kernel objects, which is why local work may be merged into a step. Random
//! numbers and the time come from the oracle.

use std::sync::Arc;

use crate::ids::{FamilyId, MailboxId, ProcessId, Register};
use crate::machine::Machine;
use crate::message::{Message, Route};
use crate::object::port::{Carried, Once, Right};
use crate::oracle::{Oracle, Question};
use crate::outcome::{Fault, Outcome};
use crate::state::Thread;
use crate::value::{Handle, Value, write_value};

/// An expression, with names already resolved.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A constant.
    Constant(Value),
    /// A variable.
    Variable(Register),
    /// The thread's own process.
    Me,
    /// The port of the name server that the thread's process asks.
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

/// A field of a message variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// What it says.
    Body,
    /// The process that sent it.
    Sender,
    /// Its type.
    Type,
    /// Its priority.
    Priority,
    /// Its size in bytes.
    Size,
    /// The mailbox that it was taken from; `none` for a link.
    Box,
    /// Where an answer should go.
    ReplyTo,
    /// The ports that it brought rights to; `none` where one died on the way.
    Rights,
    /// How many were received from the port before it; `none` if it came from no port.
    Seq,
}

/// An operator with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `not`.
    Not,
    /// `-`.
    Minus,
}

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
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
    /// `push(list, x)`: the list with x behind it.
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
    /// `now()`: the time since the start.
    Now,
    /// `task-of(p)`: the port by which a process is controlled.
    TaskOf,
}

/// What an expression may look at.
pub(crate) struct Scope<'a, O> {
    pub machine: &'a Machine,
    pub registers: &'a [Value],
    pub who: Who,
    pub status: Outcome,
    pub oracle: &'a mut O,
    /// How much of long values was gone through: elements of lists, and texts in pieces of 16 bytes.
    pub handled: u64,
}

/// Who evaluates: the constants of a thread.
#[derive(Clone, Copy)]
pub(crate) struct Who {
    pub process: ProcessId,
    pub index: i64,
    pub thread_index: i64,
}

impl Who {
    pub(crate) fn of(machine: &Machine, thread: &Thread) -> Self {
        let first = machine.family_of(thread.process).first;
        Self {
            process: thread.process,
            index: i64::from(thread.process.0 - first.0) + 1,
            thread_index: i64::from(thread.index),
        }
    }

    /// The integer of an expression, if nothing but integers goes into it, as is usual, and it has one.
    pub(crate) fn plain_int(self, registers: &[Value], expr: &Expr) -> Option<i64> {
        match expr {
            Expr::Constant(Value::Int(number)) => Some(*number),
            Expr::Variable(register) => match &registers[register.index()] {
                Value::Int(number) => Some(*number),
                _ => None,
            },
            Expr::Index => Some(self.index),
            Expr::ThreadIndex => Some(self.thread_index),
            Expr::Binary(operator, operands) if operator.is_arithmetic() => {
                let left = self.plain_int(registers, &operands.0)?;
                let right = self.plain_int(registers, &operands.1)?;
                calculated(*operator, left, right).ok()
            }
            _ => None,
        }
    }
}

impl Binary {
    fn is_arithmetic(self) -> bool {
        matches!(
            self,
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder
        )
    }
}

impl Expr {
    /// A constant integer.
    pub fn int(number: i64) -> Self {
        Expr::Constant(Value::Int(number))
    }

    /// The value in its place, if this is a constant or a variable; anything else has to be computed.
    #[inline]
    pub(crate) fn peek<'a>(&'a self, registers: &'a [Value]) -> Option<&'a Value> {
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

    /// Whether this expression, or one inside it, is such a one.
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
            Expr::Binary(_, operands) => vec![&operands.0, &operands.1],
            Expr::Function(_, items) | Expr::List(items) | Expr::Join(items) => {
                items.iter().collect()
            }
        }
    }
}

impl<O: Oracle> Scope<'_, O> {
    /// A member of a mailbox family.
    pub(crate) fn mailbox_member(
        &mut self,
        first: MailboxId,
        count: u32,
        index: &Expr,
    ) -> Result<MailboxId, Fault> {
        mailbox_member(first, count, self.int(index)?)
    }

    /// The value of an expression, or the exception that computing it raises.
    pub(crate) fn eval(&mut self, expr: &Expr) -> Result<Value, Fault> {
        Ok(match expr {
            Expr::Constant(value) => value.clone(),
            Expr::Variable(register) => self.registers[register.index()].clone(),
            Expr::Me => Value::Handle(Handle::Process(self.who.process)),
            Expr::NameServer => {
                let port = self.machine.family_of(self.who.process).names;
                port.map_or(Value::None, |port| Value::Handle(Handle::Mailbox(port)))
            }
            Expr::Index => Value::Int(self.who.index),
            Expr::ThreadIndex => Value::Int(self.who.thread_index),
            Expr::Status => Value::Text(self.status.word().into()),
            Expr::Field(of, field) => self.field(of, *field)?,
            Expr::Element(list, index) => self.element(list, index)?,
            Expr::ProcessMember(family, index) => {
                let family = &self.machine.families[family.index()];
                let member = member(self.int(index)?, family.count)?;
                Value::Handle(Handle::Process(ProcessId(family.first.0 + member)))
            }
            Expr::MailboxMember { first, count, index } => {
                Value::Handle(Handle::Mailbox(self.mailbox_member(*first, *count, index)?))
            }
            Expr::Unary(Unary::Not, of) => Value::of_truth(!self.eval(of)?.truth()?),
            Expr::Unary(Unary::Minus, of) => match self.eval(of)? {
                Value::Int(number) => Value::Int(number.checked_neg().ok_or(Fault::Overflow)?),
                Value::Duration(ns) => Value::Duration(ns.checked_neg().ok_or(Fault::Overflow)?),
                _ => return Err(Fault::MixedTypes),
            },
            Expr::Binary(operator, operands) => self.binary(*operator, &operands.0, &operands.1)?,
            Expr::Function(function, arguments) => self.function(*function, arguments)?,
            Expr::List(items) => {
                let items = items.iter().map(|item| self.eval(item)).collect::<Result<_, _>>()?;
                Value::list(items)?
            }
            Expr::Join(parts) => self.join(parts)?,
        })
    }

    /// The integer that an expression gives; anything else is an exception.
    pub(crate) fn int(&mut self, expr: &Expr) -> Result<i64, Fault> {
        if let Some(number) = self.who.plain_int(self.registers, expr) {
            return Ok(number);
        }
        match self.eval(expr)? {
            Value::Int(number) => Ok(number),
            _ => Err(Fault::MixedTypes),
        }
    }

    fn field(&mut self, of: &Expr, field: Field) -> Result<Value, Fault> {
        // The usual case reads a variable, and must not share and unshare the message for it.
        if let Expr::Variable(register) = of {
            return match &self.registers[register.index()] {
                Value::Message(message) => Ok(Self::field_of(message, field)),
                _ => Err(Fault::MixedTypes),
            };
        }
        match self.eval(of)? {
            Value::Message(message) => Ok(Self::field_of(&message, field)),
            _ => Err(Fault::MixedTypes),
        }
    }

    fn field_of(message: &Message, field: Field) -> Value {
        match field {
            Field::Body => message.body.clone(),
            Field::Sender if message.sender == ProcessId::KERNEL => Value::None,
            Field::Sender => Value::Handle(Handle::Process(message.sender)),
            Field::Type => message.kind().clone(),
            Field::Priority => Value::Int(message.priority()),
            Field::Size => Value::Int(i64::try_from(message.size).unwrap_or(i64::MAX)),
            Field::Box => match message.route {
                Route::Mailbox | Route::Once => Value::Handle(Handle::Mailbox(message.mailbox)),
                Route::Link => Value::None,
            },
            Field::Seq => message.seq().map_or(Value::None, |seq| Value::Int(i64::from(seq))),
            Field::Rights => {
                let handle = |carried: &Carried| match carried.right {
                    Right::Dead => Value::None,
                    Right::Receive | Right::Send => Value::Handle(Handle::Mailbox(carried.port)),
                    Right::Once(number) => {
                        Value::Handle(Handle::Once(Once { port: carried.port, number }))
                    }
                };
                Value::list(message.rights().iter().map(handle).collect())
                    .expect("a message carries few rights")
            }
            Field::ReplyTo => match (message.reply_to(), message.reply_right()) {
                (Some(handle), _) => Value::Handle(handle),
                (None, Some(right)) => Value::Handle(Handle::Reply(right)),
                (None, None) => Value::None,
            },
        }
    }

    fn element(&mut self, list: &Expr, index: &Expr) -> Result<Value, Fault> {
        let index = self.int(index)?;
        match self.eval(list)? {
            Value::List(list) => usize::try_from(index)
                .ok()
                .and_then(|index| list.items().get(index).cloned())
                .ok_or(Fault::BadIndex),
            _ => Err(Fault::MixedTypes),
        }
    }

    fn binary(&mut self, operator: Binary, left: &Expr, right: &Expr) -> Result<Value, Fault> {
        let plain_int = |side| self.who.plain_int(self.registers, side);
        if let (Some(left), Some(right)) = (plain_int(left), plain_int(right)) {
            return of_ints(operator, left, right);
        }
        let left = self.eval(left)?;
        // The right side is not looked at when the left side decides.
        match (operator, &left) {
            (Binary::And, Value::False) | (Binary::Or, Value::True) => return Ok(left),
            (Binary::And | Binary::Or, Value::True | Value::False) => {
                return Ok(Value::of_truth(self.eval(right)?.truth()?));
            }
            (Binary::And | Binary::Or, _) => return Err(Fault::MixedTypes),
            _ => {}
        }
        let right = self.eval(right)?;
        self.handled += left.bulk().min(right.bulk());
        Ok(match operator {
            Binary::Equal => Value::of_truth(left.equals(&right)?),
            Binary::NotEqual => Value::of_truth(!left.equals(&right)?),
            Binary::Less => Value::of_truth(left.compare(&right)?.is_lt()),
            Binary::LessOrEqual => Value::of_truth(left.compare(&right)?.is_le()),
            Binary::Greater => Value::of_truth(left.compare(&right)?.is_gt()),
            Binary::GreaterOrEqual => Value::of_truth(left.compare(&right)?.is_ge()),
            Binary::Add
            | Binary::Subtract
            | Binary::Multiply
            | Binary::Divide
            | Binary::Remainder => arithmetic(operator, &left, &right)?,
            Binary::And | Binary::Or => unreachable!("decided above"),
        })
    }

    fn function(&mut self, function: Function, arguments: &[Expr]) -> Result<Value, Fault> {
        let mut values =
            arguments.iter().map(|argument| self.eval(argument)).collect::<Result<Vec<_>, _>>()?;
        self.handled += values.iter().map(Value::bulk).sum::<u64>();
        Ok(match function {
            Function::Len => Value::Int(length(&values[0])?),
            Function::Min => extreme(&values, std::cmp::Ordering::Less)?,
            Function::Max => extreme(&values, std::cmp::Ordering::Greater)?,
            Function::Push => {
                let item = values.pop().expect("push has two arguments");
                let mut items = items(&values[0])?.to_vec();
                items.push(item);
                Value::list(items)?
            }
            Function::PopFirst => {
                let (_, rest) = items(&values[0])?.split_first().ok_or(Fault::BadIndex)?;
                Value::list(rest.to_vec())?
            }
            Function::Count => {
                Value::Int(i64::try_from(true_items(&values[0])?).unwrap_or(i64::MAX))
            }
            Function::All => Value::of_truth(true_items(&values[0])? == items(&values[0])?.len()),
            Function::Any => Value::of_truth(true_items(&values[0])? > 0),
            Function::Random => match (&values[0], &values[1]) {
                (Value::Int(low), Value::Int(high)) if low <= high => {
                    let question = Question::Random { low: *low, high: *high };
                    Value::Int(low.wrapping_add_unsigned(self.oracle.choose(question)))
                }
                (Value::Int(_), Value::Int(_)) => return Err(Fault::NothingThere),
                _ => return Err(Fault::MixedTypes),
            },
            Function::Now => Value::Duration(self.oracle.now_ns()),
            Function::TaskOf => match &values[0] {
                Value::Handle(Handle::Process(process)) => {
                    let port = self.machine.task_port(*process);
                    port.map_or(Value::None, |port| Value::Handle(Handle::Mailbox(port)))
                }
                _ => return Err(Fault::MixedTypes),
            },
        })
    }

    fn join(&mut self, parts: &[Expr]) -> Result<Value, Fault> {
        let mut text = String::new();
        for part in parts {
            let value = self.eval(part)?;
            let name = |handle| self.machine.handle_name(handle);
            write_value(&mut text, &value, &name).expect("a String takes all text");
        }
        let text = Value::text(&text)?;
        self.handled += text.bulk();
        Ok(text)
    }
}

/// The mailbox with this index, from 1, in a family.
pub(crate) fn mailbox_member(first: MailboxId, count: u32, index: i64) -> Result<MailboxId, Fault> {
    Ok(MailboxId(first.0 + member(index, count)?))
}

fn member(index: i64, count: u32) -> Result<u32, Fault> {
    match u32::try_from(index) {
        Ok(index) if (1..=count).contains(&index) => Ok(index - 1),
        _ => Err(Fault::BadIndex),
    }
}

/// An operator between two integers.
fn of_ints(operator: Binary, a: i64, b: i64) -> Result<Value, Fault> {
    Ok(match operator {
        Binary::Equal => Value::of_truth(a == b),
        Binary::NotEqual => Value::of_truth(a != b),
        Binary::Less => Value::of_truth(a < b),
        Binary::LessOrEqual => Value::of_truth(a <= b),
        Binary::Greater => Value::of_truth(a > b),
        Binary::GreaterOrEqual => Value::of_truth(a >= b),
        Binary::And | Binary::Or => return Err(Fault::MixedTypes),
        arithmetic => Value::Int(calculated(arithmetic, a, b)?),
    })
}

fn calculated(operator: Binary, a: i64, b: i64) -> Result<i64, Fault> {
    match operator {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        Binary::Divide | Binary::Remainder if b == 0 => return Err(Fault::DivisionByZero),
        Binary::Divide => a.checked_div(b),
        Binary::Remainder => a.checked_rem(b),
        _ => unreachable!("only arithmetic comes here"),
    }
    .ok_or(Fault::Overflow)
}

fn arithmetic(operator: Binary, left: &Value, right: &Value) -> Result<Value, Fault> {
    let number = |a: i64, b: i64| calculated(operator, a, b);
    let additive = matches!(operator, Binary::Add | Binary::Subtract);
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => Ok(Value::Int(number(*a, *b)?)),
        (Value::Duration(a), Value::Duration(b)) if additive => {
            Ok(Value::Duration(number(*a, *b)?))
        }
        (Value::Duration(a), Value::Duration(b)) if operator == Binary::Divide => {
            Ok(Value::Int(number(*a, *b)?))
        }
        (Value::Duration(a), Value::Int(b)) if !additive => Ok(Value::Duration(number(*a, *b)?)),
        (Value::Int(a), Value::Duration(b)) if operator == Binary::Multiply => {
            Ok(Value::Duration(number(*a, *b)?))
        }
        _ => Err(Fault::MixedTypes),
    }
}

fn items(value: &Value) -> Result<&[Value], Fault> {
    match value {
        Value::List(list) => Ok(list.items()),
        _ => Err(Fault::MixedTypes),
    }
}

fn true_items(value: &Value) -> Result<usize, Fault> {
    let mut count = 0;
    for item in items(value)? {
        count += usize::from(item.truth()?);
    }
    Ok(count)
}

fn length(value: &Value) -> Result<i64, Fault> {
    let length = match value {
        Value::List(list) => list.items().len(),
        Value::Text(text) => text.len(),
        _ => return Err(Fault::MixedTypes),
    };
    Ok(i64::try_from(length).expect("texts and lists are limited"))
}

fn extreme(values: &[Value], wanted: std::cmp::Ordering) -> Result<Value, Fault> {
    let candidates = match values {
        [Value::List(list)] => list.items(),
        values => values,
    };
    let (first, rest) = candidates.split_first().ok_or(Fault::NothingThere)?;
    let mut best = first;
    for value in rest {
        if value.compare(best)? == wanted {
            best = value;
        }
    }
    Ok(best.clone())
}

/// A constant text.
pub fn text(text: &str) -> Expr {
    Expr::Constant(Value::Text(Arc::from(text)))
}
