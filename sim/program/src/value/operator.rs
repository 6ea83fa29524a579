//! What expressions do with values: fields of messages, and operators.

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

impl Field {
    /// Every field.
    pub const ALL: [Field; 9] = [
        Field::Body,
        Field::Sender,
        Field::Type,
        Field::Priority,
        Field::Size,
        Field::Box,
        Field::ReplyTo,
        Field::Rights,
        Field::Seq,
    ];

    /// How scenarios write it, behind the dot.
    pub fn word(self) -> &'static str {
        match self {
            Field::Body => "body",
            Field::Sender => "sender",
            Field::Type => "type",
            Field::Priority => "priority",
            Field::Size => "size",
            Field::Box => "box",
            Field::ReplyTo => "reply-to",
            Field::Rights => "rights",
            Field::Seq => "seq",
        }
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

impl Binary {
    /// Whether it computes a number.
    pub fn is_arithmetic(self) -> bool {
        matches!(
            self,
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder
        )
    }

    /// How scenarios write it.
    pub fn word(self) -> &'static str {
        match self {
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
            Binary::Remainder => "%",
            Binary::Equal => "==",
            Binary::NotEqual => "!=",
            Binary::Less => "<",
            Binary::LessOrEqual => "<=",
            Binary::Greater => ">",
            Binary::GreaterOrEqual => ">=",
            Binary::And => "and",
            Binary::Or => "or",
        }
    }
}
