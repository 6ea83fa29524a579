//! Which messages a receive accepts.

use ipcsim_program::{Message, Value, state};

state! {
    /// Which messages a receive accepts.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Filter {
        /// Only those of this type; if it is a list, of any type in it.
        pub kind: Option<Value>,
        /// The largest that it takes, in bytes.
        pub max_size: Option<u64>,
    }
}

/// Whether a receive with this `type:` takes a message of that type: a list takes any of its items.
pub(crate) fn is_wanted_type(wanted: &Value, offered: &Value) -> bool {
    match wanted {
        Value::List(types) => types.items().contains(offered),
        one => one == offered,
    }
}

impl Filter {
    /// Whether the type of a message matches; its size is another question.
    pub fn accepts(filter: Option<&Filter>, message: &Message) -> bool {
        match filter.and_then(|filter| filter.kind.as_ref()) {
            None => true,
            Some(wanted) => is_wanted_type(wanted, message.kind()),
        }
    }

    /// Whether a message is small enough.
    pub fn fits(filter: Option<&Filter>, message: &Message) -> bool {
        filter.and_then(|filter| filter.max_size).is_none_or(|max| message.size <= max)
    }
}
