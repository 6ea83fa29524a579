//! What is wrong when an operation is not defined for its values: which operation, which values, and what
//! to write instead. A student who reads it need not guess which one was meant.
//!
//! No program that works runs any of this, so none of it may slow one down: it is cold.

use std::sync::Arc;

use super::{Binary, Field, Handle, Value, duration_text};
use crate::ghost::Ghost;
use crate::outcome::Fault;

/// An exception with these words.
fn fault(text: String) -> Fault {
    Fault::WrongTypes(Ghost(Arc::from(text)))
}

/// A value is not what is needed: `` `repeat` needs an integer ``.
#[cold]
#[inline(never)]
pub fn needs(what: &str, value: &Value) -> Fault {
    fault(format!("{what}, and this is {}{}", shown(value), instead(value)))
}

/// A condition that is neither true nor false.
#[cold]
#[inline(never)]
pub fn condition(value: &Value) -> Fault {
    needs("a condition is true or false", value)
}

/// Arithmetic with something that is not a number.
#[cold]
#[inline(never)]
pub fn arithmetic(operator: Binary, left: &Value, right: &Value) -> Fault {
    let needed = match operator {
        Binary::Add | Binary::Subtract => "two integers or two durations",
        Binary::Multiply => "two integers, or a duration and an integer",
        Binary::Divide => "two integers, or a duration and what divides it",
        _ => "two integers, or a duration and an integer",
    };
    let hint = match (operator, left, right) {
        (Binary::Add, Value::List(_), _) => {
            "; `push(list, x)` gives the list with x behind it".to_string()
        }
        (Binary::Add, Value::Text(_), _) | (Binary::Add, _, Value::Text(_)) => {
            "; texts are joined with `\"${a}${b}\"`".to_string()
        }
        _ => of_either(left, right),
    };
    let word = operator.word();
    fault(format!("`{word}` needs {needed}, not {} and {}{hint}", shown(left), shown(right)))
}

/// Values of different kinds, compared for equality.
#[cold]
#[inline(never)]
pub fn compared(left: &Value, right: &Value) -> Fault {
    let hint = match (left, right) {
        (Value::Int(_), Value::Text(text)) | (Value::Text(text), Value::Int(_))
            if text.parse::<i64>().is_ok() =>
        {
            "; without quotes it is a number".to_string()
        }
        (Value::Handle(Handle::Process(_)), Value::Text(_))
        | (Value::Text(_), Value::Handle(Handle::Process(_))) => {
            "; the name of a process has no quotes".to_string()
        }
        _ => of_either(left, right),
    };
    let (left, right) = (shown(left), shown(right));
    fault(format!("`==` and `!=` compare values of one kind, not {left} and {right}{hint}"))
}

/// Values without an order between them.
#[cold]
#[inline(never)]
pub fn ordered(left: &Value, right: &Value) -> Fault {
    let hint = of_either(left, right);
    let (left, right) = (shown(left), shown(right));
    fault(format!(
        "`<` and `>`, `min` and `max` compare integers, durations or texts, not {left} and {right}{hint}"
    ))
}

/// A field of something that is not a message.
#[cold]
#[inline(never)]
pub fn field(field: Field, of: &Value) -> Fault {
    let word = field.word();
    let hint = match of {
        Value::None => ": nothing has been received into it",
        _ if field == Field::Body => "; what it says is the value itself",
        _ => "",
    };
    fault(format!("only a message has `.{word}`, and this is {}{hint}", shown(of)))
}

/// What to write instead of one of these values.
fn of_either(left: &Value, right: &Value) -> String {
    let hint = instead(left);
    if hint.is_empty() { instead(right) } else { hint }
}

fn instead(value: &Value) -> String {
    match value {
        Value::Message(message) => {
            format!("; what the message says is its `.body`, here {}", shown(&message.body))
        }
        Value::None => "; a variable is `none` until it is set".into(),
        _ => String::new(),
    }
}

/// A value with its type.
fn shown(value: &Value) -> String {
    const CUT: usize = 24;
    match value {
        Value::None => "`none`".into(),
        Value::True => "`true`".into(),
        Value::False => "`false`".into(),
        Value::Int(number) => format!("the integer {number}"),
        Value::Scalar(_) => "an index".into(),
        Value::Duration(ns) => format!("the duration {}", duration_text(*ns)),
        Value::Text(text) if text.chars().count() > CUT => {
            format!("the text \"{}…\"", text.chars().take(CUT).collect::<String>())
        }
        Value::Text(text) => format!("the text \"{text}\""),
        Value::List(list) => match list.items().len() {
            0 => "an empty list".into(),
            1 => "a list of 1 value".into(),
            count => format!("a list of {count} values"),
        },
        Value::Message(_) => "a message".into(),
        Value::Handle(Handle::Process(_)) => "a process".into(),
        Value::Handle(Handle::Mailbox(_) | Handle::File(_)) => "a mailbox".into(),
        Value::Handle(Handle::Reply(_)) => "a reply right".into(),
        Value::Handle(Handle::Once(_)) => "a send-once right".into(),
        Value::Handle(Handle::Region(_)) => "a region of memory".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_and_with_which_values() {
        let text = Value::Text("3".into());
        let said = |fault: Fault| fault.describe();
        assert_eq!(
            said(arithmetic(Binary::Add, &Value::Int(1), &Value::True)),
            "`+` needs two integers or two durations, not the integer 1 and `true`"
        );
        assert_eq!(
            said(compared(&Value::Int(3), &text)),
            "`==` and `!=` compare values of one kind, not the integer 3 and the text \"3\"; without quotes it is a number"
        );
        assert_eq!(
            said(condition(&Value::Int(1))),
            "a condition is true or false, and this is the integer 1"
        );
    }
}
