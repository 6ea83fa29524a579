//! Evaluation: the value of an expression for a thread, or the exception that it raises.

use ipcsim_program::{
    Binary, Carried, Expr, Fault, Field, Function, Handle, MailboxId, Message, Once, Outcome,
    Parcel, ProcessId, Right, Route, Scalar, Unary, Value, limits, misuse, write_value,
};

use crate::machine::Machine;
use crate::oracle::{Oracle, Question};
use crate::state::Thread;

/// What an expression may look at.
pub(crate) struct Scope<'a, O> {
    pub machine: &'a Machine,
    pub registers: &'a [Value],
    pub who: Who,
    pub status: Outcome,
    pub oracle: &'a mut O,
    /// How much of long values was visited: elements of lists, and texts in pieces of 16 bytes.
    pub handled: u64,
}

/// Who evaluates: the constants of a thread.
#[derive(Clone, Copy)]
pub(crate) struct Who {
    pub process: ProcessId,
    pub index: i64,
    pub thread_index: i64,
    /// What stands for the index, if that is no number.
    pub scalar: Option<Scalar>,
}

impl Who {
    pub(crate) fn of(machine: &Machine, thread: &Thread) -> Self {
        let first = machine.family_of(thread.process).first;
        let place = thread.process.0 - first.0;
        Self {
            process: thread.process,
            index: i64::from(place) + 1,
            thread_index: i64::from(thread.index),
            scalar: machine.scalar(first, place),
        }
    }

    /// The integer value of an expression, if it has one and uses integers only, as most do.
    pub(crate) fn plain_int(&self, registers: &[Value], expr: &Expr) -> Option<i64> {
        match expr {
            Expr::Binary(operator, operands) if operator.is_arithmetic() => {
                let (left, right) = &**operands;
                let left = self.plain_int(registers, left)?;
                // Usually it is simple, as in `index % 10 + 1`.
                let right = self
                    .simple_int(registers, right)
                    .or_else(|| self.plain_int(registers, right))?;
                exact(*operator, left, right)
            }
            _ => self.simple_int(registers, expr),
        }
    }

    /// The integer of an expression without operators.
    fn simple_int(&self, registers: &[Value], expr: &Expr) -> Option<i64> {
        match expr {
            Expr::Index if self.scalar.is_none() => Some(self.index),
            Expr::Index => None,
            Expr::ThreadIndex => Some(self.thread_index),
            _ => match expr.peek(registers)? {
                Value::Int(number) => Some(*number),
                _ => None,
            },
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
        if let Some(set) = self.machine.set_of_mailboxes(first) {
            return Ok(MailboxId(first.0 + self.place_in(set, index)?));
        }
        mailbox_member(first, count, self.int(index)?)
    }

    /// Which member of each family of a scalarset an index picks, counted from 0.
    fn place_in(&mut self, set: u32, index: &Expr) -> Result<u32, Fault> {
        match self.eval(index)? {
            Value::Scalar(scalar) if scalar.set == set => {
                Ok(self.machine.scalarsets[set as usize].number(scalar.who) - 1)
            }
            other => Err(misuse::needs("an index of its own set is needed here", &other)),
        }
    }

    /// The value of an expression, or the exception that evaluating it raises.
    pub(crate) fn eval(&mut self, expr: &Expr) -> Result<Value, Fault> {
        Ok(match expr {
            Expr::Constant(value) => value.clone(),
            Expr::Variable(register) => self.registers[register.index()].clone(),
            Expr::Me => Value::Handle(Handle::Process(self.who.process)),
            Expr::NameServer => {
                let port = self.machine.family_of(self.who.process).names;
                port.map_or(Value::None, |port| Value::Handle(Handle::Mailbox(port)))
            }
            Expr::Index => self.who.scalar.map_or(Value::Int(self.who.index), Value::Scalar),
            Expr::ThreadIndex => Value::Int(self.who.thread_index),
            Expr::Status => Value::Text(self.status.word().into()),
            Expr::Field(of, field) => self.field(of, *field)?,
            Expr::Element(list, index) => self.element(list, index)?,
            Expr::ProcessMember(family, index) => {
                let family = &self.machine.families[family.index()];
                let member = match self.machine.set_of_processes(family.first) {
                    Some(set) => self.place_in(set, index)?,
                    None => member(self.int(index)?, family.count)?,
                };
                Value::Handle(Handle::Process(ProcessId(family.first.0 + member)))
            }
            Expr::MailboxMember { first, count, index } => {
                Value::Handle(Handle::Mailbox(self.mailbox_member(*first, *count, index)?))
            }
            Expr::ThreadOf { process, first, count, index } => match self.eval(process)? {
                Value::Handle(Handle::Process(process)) => {
                    let place = first + member(self.int(index)?, *count)?;
                    let port = self.machine.thread_port(process, place);
                    port.map_or(Value::None, |port| Value::Handle(Handle::Mailbox(port)))
                }
                other => return Err(misuse::needs("a thread belongs to a process", &other)),
            },
            Expr::Unary(Unary::Not, of) => Value::of_truth(!self.eval(of)?.truth()?),
            Expr::Unary(Unary::Minus, of) => match self.eval(of)? {
                Value::Int(number) => Value::Int(number.checked_neg().ok_or(Fault::Overflow)?),
                Value::Duration(ns) => Value::Duration(ns.checked_neg().ok_or(Fault::Overflow)?),
                other => {
                    return Err(misuse::needs("`-` needs an integer or a duration", &other));
                }
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
            other => Err(misuse::needs("an integer is needed here", &other)),
        }
    }

    fn field(&mut self, of: &Expr, field: Field) -> Result<Value, Fault> {
        // The usual case reads a variable, and must not share and unshare the message to do so.
        if let Expr::Variable(register) = of {
            return match &self.registers[register.index()] {
                Value::Message(message) => Ok(Self::field_of(message, field)),
                other => Err(misuse::field(field, other)),
            };
        }
        match self.eval(of)? {
            Value::Message(message) => Ok(Self::field_of(&message, field)),
            other => Err(misuse::field(field, &other)),
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
                Route::Mailbox | Route::Own | Route::Once => {
                    Value::Handle(Handle::Mailbox(message.mailbox))
                }
                Route::Link | Route::Bytes => Value::None,
            },
            Field::Seq => message.seq().map_or(Value::None, |seq| Value::Int(i64::from(seq))),
            Field::Rights => {
                let handle = |carried: &Carried| match carried.right {
                    Right::Dead | Right::File(_) => Value::None,
                    Right::Receive | Right::Send => Value::Handle(Handle::Mailbox(carried.port)),
                    Right::Opened(descriptor) => Value::Handle(Handle::File(descriptor)),
                    Right::Once(number) => {
                        Value::Handle(Handle::Once(Once { port: carried.port, number }))
                    }
                };
                Value::list(message.rights().iter().map(handle).collect())
                    .expect("a message carries few rights")
            }
            Field::Memory => {
                let region = |parcel: &Parcel| match parcel {
                    Parcel::In(region) => Some(Value::Handle(Handle::Region(*region))),
                    Parcel::Pages(..) | Parcel::Segment(..) => None,
                };
                let mut regions: Vec<Value> = message.memory().iter().filter_map(region).collect();
                match regions.len() {
                    0 => Value::None,
                    1 => regions.remove(0),
                    _ => Value::list(regions).expect("a message carries few regions"),
                }
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
            other => Err(misuse::needs("`[…]` takes an element of a list", &other)),
        }
    }

    fn binary(&mut self, operator: Binary, left: &Expr, right: &Expr) -> Result<Value, Fault> {
        let plain_int = |side| self.who.plain_int(self.registers, side);
        if let (Some(left), Some(right)) = (plain_int(left), plain_int(right)) {
            return of_ints(operator, left, right);
        }
        let left = self.eval(left)?;
        // The right side is not evaluated when the left side decides.
        match (operator, &left) {
            (Binary::And, Value::False) | (Binary::Or, Value::True) => return Ok(left),
            (Binary::And | Binary::Or, Value::True | Value::False) => {
                return Ok(Value::of_truth(self.eval(right)?.truth()?));
            }
            (Binary::And | Binary::Or, _) => return Err(misuse::condition(&left)),
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
                (Value::Int(_), other) | (other, _) => {
                    return Err(misuse::needs("`random` needs two integers", other));
                }
            },
            Function::Range => match (&values[0], &values[1]) {
                (Value::Int(low), Value::Int(high)) => range(*low, *high)?,
                (Value::Int(_), other) | (other, _) => {
                    return Err(misuse::needs("`range` needs two integers", other));
                }
            },
            Function::Reversed => match values.pop() {
                Some(Value::List(list)) => {
                    Value::list(list.items().iter().rev().cloned().collect())?
                }
                other => other.expect("it has an argument"),
            },
            Function::Now => Value::Duration(self.oracle.now_ns()),
            Function::TaskOf => match &values[0] {
                Value::Handle(Handle::Process(process)) => {
                    let port = self.machine.task_port(*process);
                    port.map_or(Value::None, |port| Value::Handle(Handle::Mailbox(port)))
                }
                other => return Err(misuse::needs("`task-of` needs a process", other)),
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
        Binary::And | Binary::Or => return Err(misuse::condition(&Value::Int(a))),
        arithmetic => Value::Int(calculated(arithmetic, a, b)?),
    })
}

fn calculated(operator: Binary, a: i64, b: i64) -> Result<i64, Fault> {
    exact(operator, a, b).ok_or(match operator {
        Binary::Divide | Binary::Remainder if b == 0 => Fault::DivisionByZero,
        _ => Fault::Overflow,
    })
}

/// The result of arithmetic, if it is defined and fits.
fn exact(operator: Binary, a: i64, b: i64) -> Option<i64> {
    match operator {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        Binary::Divide => a.checked_div(b),
        Binary::Remainder => a.checked_rem(b),
        _ => unreachable!("only arithmetic comes here"),
    }
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
        _ => Err(misuse::arithmetic(operator, left, right)),
    }
}

/// The integers from `low` to `high`, both included.
fn range(low: i64, high: i64) -> Result<Value, Fault> {
    let count = high.checked_sub(low).ok_or(Fault::TooLong)?;
    // The length is checked before the list is made.
    if count >= limits::LIST_ELEMENTS.cast_signed() {
        return Err(Fault::TooLong);
    }
    Value::list((low..=high).map(Value::Int).collect())
}

fn items(value: &Value) -> Result<&[Value], Fault> {
    match value {
        Value::List(list) => Ok(list.items()),
        other => Err(misuse::needs("a list is needed here", other)),
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
        other => return Err(misuse::needs("`len` needs a list or a text", other)),
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
