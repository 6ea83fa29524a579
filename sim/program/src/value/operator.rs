//! What expressions do with values: fields of messages, and operators.

use crate::worded::worded;

worded! {
    /// A field of a message variable.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Field {
        /// What it says.
        Body = "body",
        /// The process that sent it.
        Sender = "sender",
        /// Its type.
        Type = "type",
        /// Its priority.
        Priority = "priority",
        /// Its size in bytes.
        Size = "size",
        /// The mailbox that it was taken from; `none` for a link.
        Box = "box",
        /// Where an answer should go.
        ReplyTo = "reply-to",
        /// The ports that it brought rights to; `none` where one died on the way.
        Rights = "rights",
        /// How many were received from the port before it; `none` if it came from no port.
        Seq = "seq",
        /// The memory that it brought.
        Memory = "memory",
    }
}

/// An operator with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `not`.
    Not,
    /// `-`.
    Minus,
}

worded! {
    /// An operator with two operands.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[expect(missing_docs, reason = "the names say it")]
    pub enum Binary {
        Add = "+",
        Subtract = "-",
        Multiply = "*",
        Divide = "/",
        Remainder = "%",
        Equal = "==",
        NotEqual = "!=",
        Less = "<",
        LessOrEqual = "<=",
        Greater = ">",
        GreaterOrEqual = ">=",
        And = "and",
        Or = "or",
    }
}

impl Binary {
    /// Whether it computes a number.
    pub fn is_arithmetic(self) -> bool {
        matches!(
            self,
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder
        )
    }
}
