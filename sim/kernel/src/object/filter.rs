//! Which messages will do for a receive.

use ipcsim_program::{Message, Value, state};

state! {
    /// Which messages will do for a receive.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Filter {
        /// Only those of this type; of a list, of any of these.
        pub kind: Option<Value>,
        /// The largest that it takes, in bytes.
        pub max_size: Option<u64>,
    }
}

/// Whether a receive that says this `type:` takes a message of that type: a list takes any of its items.
pub(crate) fn is_wanted_type(wanted: &Value, offered: &Value) -> bool {
    match wanted {
        Value::List(types) => types.items().contains(offered),
        one => one == offered,
    }
}

impl Filter {
    /// Whether the type of a message is right; its size is another question.
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
