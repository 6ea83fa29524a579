//! What a state is made of, declared once.
//!
//! [`state!`] declares a type that is part of a state, with two walks over all of its fields: one shows which processes,
//! threads, mailboxes and reply rights it names, the other renames them. So nobody lists fields by hand, and no new field
//! is forgotten. Equality and the bytes of a state come from the same declaration, by `derive(PartialEq, Hash)`.
//!
//! Every field is part of the state. One that decides nothing is a [`Ghost`], which is equal to everything. A mark on
//! a field says more:
//!
//! - `as set`: a sorted list whose order has no meaning. It is sorted again after renaming.
//! - `as derived`: a number that follows from other fields, kept because it is often needed. The invariants recount it.
//! - `as fixed`: set by the machine, changed by no step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::ghost::Ghost;
use crate::ids::{MailboxId, Pc, ProcessId, ProgramId, ReplyRight, ThreadId, ThreadName};

/// The new names; what is not overridden keeps its own. Called for each name in a part, always in the same
/// order for parts of one shape.
pub trait Rename {
    /// The new name of a process.
    fn process(&mut self, process: ProcessId) -> ProcessId {
        process
    }
    /// The new name of the process in whose memory a region is.
    fn space(&mut self, process: ProcessId) -> ProcessId {
        self.process(process)
    }
    /// The new name of a thread.
    fn thread(&mut self, thread: ThreadId) -> ThreadId {
        thread
    }
    /// The new name of a mailbox or a link.
    fn mailbox(&mut self, mailbox: MailboxId) -> MailboxId {
        mailbox
    }
    /// The new name of the right to answer a call.
    fn right(&mut self, right: ReplyRight) -> ReplyRight {
        ReplyRight { caller: self.thread(right.caller), ..right }
    }
    /// The new name of the index of a replica that is a member of a scalarset.
    fn index(&mut self, _set: u32, who: ProcessId) -> Index {
        Index::Of(self.process(who))
    }
}

/// The index of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// A member of a scalarset: whose it is.
    Of(ProcessId),
    /// A number.
    Number(u32),
}

/// Learns which names are in a part, in the order of its fields.
pub trait Visit {
    /// A process is named.
    fn process(&mut self, _: ProcessId) {}
    /// A thread is named.
    fn thread(&mut self, _: ThreadId) {}
    /// A mailbox or a link is named.
    fn mailbox(&mut self, _: MailboxId) {}
    /// The right to answer a call is named.
    fn right(&mut self, right: ReplyRight) {
        self.thread(right.caller);
    }
    /// Whether it wants to see the members of lists whose order has no meaning.
    fn wants_sets(&self) -> bool {
        true
    }
}

/// What is part of a state.
pub trait Walk {
    /// Gives everything that is named here its new name.
    fn rename(&mut self, names: &mut impl Rename);
    /// A copy with other names in it.
    #[must_use]
    fn renamed(&self, names: &mut impl Rename) -> Self
    where
        Self: Clone,
    {
        let mut renamed = self.clone();
        renamed.rename(names);
        renamed
    }
    /// Shows everything that is named here.
    fn visit(&self, visitor: &mut impl Visit);
}

/// Declares a type that is part of a state. See the top of this file for the marks of fields.
#[macro_export]
macro_rules! state {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$doc:meta])* $vis:vis $field:ident: $type:ty $(as $mark:ident)?,)*
    }) => {
        $(#[$meta])*
        pub struct $name { $($(#[$doc])* $vis $field: $type,)* }

        impl $name {
            /// Its fields that follow from other fields, with a space behind each.
            pub const DERIVED: &'static str =
                concat!($($crate::state!(@derived $field $($mark)?)),*);
        }

        impl $crate::Walk for $name {
            fn rename(&mut self, names: &mut impl $crate::Rename) {
                $($crate::state!(@rename names, self.$field, $($mark)?);)*
            }

            fn visit(&self, visitor: &mut impl $crate::Visit) {
                $($crate::state!(@visit visitor, self.$field, $($mark)?);)*
            }
        }
    };
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[$doc:meta])* $variant:ident
            $(($one:ty $(, $two:ty)?))?
            $({$($(#[$field_doc:meta])* $field:ident: $type:ty,)*})?,)*
    }) => {
        $(#[$meta])*
        pub enum $name {
            $($(#[$doc])* $variant $(($one $(, $two)?))? $({$($(#[$field_doc])* $field: $type,)*})?,)*
        }

        impl $crate::Walk for $name {
            fn rename(&mut self, names: &mut impl $crate::Rename) {
                let _ = &names;
                match self {
                    $(Self::$variant
                        $(($crate::state!(@bind one, $one) $(, $crate::state!(@bind two, $two))?))?
                        $({$($field,)*})?
                    => {
                        $($crate::state!(@each rename, names, one, $one);
                          $($crate::state!(@each rename, names, two, $two);)?)?
                        $($($crate::Walk::rename($field, names);)*)?
                    })*
                }
            }

            fn visit(&self, visitor: &mut impl $crate::Visit) {
                let _ = &visitor;
                match self {
                    $(Self::$variant
                        $(($crate::state!(@bind one, $one) $(, $crate::state!(@bind two, $two))?))?
                        $({$($field,)*})?
                    => {
                        $($crate::state!(@each visit, visitor, one, $one);
                          $($crate::state!(@each visit, visitor, two, $two);)?)?
                        $($($crate::Walk::visit($field, visitor);)*)?
                    })*
                }
            }
        }
    };
    (@derived $field:ident derived) => { concat!(stringify!($field), " ") };
    (@derived $field:ident $($mark:ident)?) => { "" };
    (@bind $name:ident, $type:ty) => { $name };
    (@each $what:ident, $who:ident, $name:ident, $type:ty) => {
        $crate::Walk::$what($name, $who);
    };
    (@rename $names:ident, $field:expr, set) => { $crate::rename_set(&mut $field, $names) };
    (@rename $names:ident, $field:expr, $(derived)? $(fixed)?) => {
        $crate::Walk::rename(&mut $field, $names)
    };
    (@visit $visitor:ident, $field:expr, set) => {
        if $visitor.wants_sets() {
            $crate::Walk::visit(&$field, $visitor);
        }
    };
    (@visit $visitor:ident, $field:expr, $(derived)? $(fixed)?) => {
        $crate::Walk::visit(&$field, $visitor)
    };
}

/// Renames in a sorted list, which is sorted again.
pub fn rename_set<T: Walk + Ord>(set: &mut [T], names: &mut impl Rename) {
    for item in set.iter_mut() {
        item.rename(names);
    }
    set.sort_unstable();
}

/// Declares that these types name nobody.
#[macro_export]
macro_rules! nameless {
    ($($type:ty)*) => {$(
        impl $crate::Walk for $type {
            fn rename(&mut self, _: &mut impl $crate::Rename) {}
            fn visit(&self, _: &mut impl $crate::Visit) {}
        }
    )*};
}

nameless! { i64 u32 u64 Arc<str> Pc ProgramId ThreadName }

impl<T> Walk for Ghost<T> {
    fn rename(&mut self, _: &mut impl Rename) {}
    fn visit(&self, _: &mut impl Visit) {}
}

macro_rules! named {
    ($($type:ty: $kind:ident)*) => {$(
        impl Walk for $type {
            fn rename(&mut self, names: &mut impl Rename) {
                *self = names.$kind(*self);
            }
            fn visit(&self, visitor: &mut impl Visit) {
                visitor.$kind(*self);
            }
        }
    )*};
}

named! { ProcessId: process ThreadId: thread MailboxId: mailbox ReplyRight: right }

/// Containers of parts, one part after the other.
macro_rules! several {
    ($($type:ty)*) => {$(
        impl<T: Walk> Walk for $type {
            fn rename(&mut self, names: &mut impl Rename) {
                for part in self.iter_mut() {
                    part.rename(names);
                }
            }
            fn visit(&self, visitor: &mut impl Visit) {
                for part in self.iter() {
                    part.visit(visitor);
                }
            }
        }
    )*};
}

several! { [T] Vec<T> VecDeque<T> Option<T> }

impl<T: Walk + ?Sized> Walk for Box<T> {
    fn rename(&mut self, names: &mut impl Rename) {
        (**self).rename(names);
    }
    fn visit(&self, visitor: &mut impl Visit) {
        (**self).visit(visitor);
    }
}

impl<A: Walk, B: Walk> Walk for (A, B) {
    fn rename(&mut self, names: &mut impl Rename) {
        self.0.rename(names);
        self.1.rename(names);
    }
    fn visit(&self, visitor: &mut impl Visit) {
        self.0.visit(visitor);
        self.1.visit(visitor);
    }
}

/// Shared data is copied before names in it change.
impl<T: Walk + Clone> Walk for Arc<T> {
    fn rename(&mut self, names: &mut impl Rename) {
        Self::make_mut(self).rename(names);
    }
    fn visit(&self, visitor: &mut impl Visit) {
        (**self).visit(visitor);
    }
}

impl<T: Walk + Ord> Walk for BTreeSet<T> {
    fn rename(&mut self, names: &mut impl Rename) {
        let renamed = |mut item: T| {
            item.rename(names);
            item
        };
        *self = std::mem::take(self).into_iter().map(renamed).collect();
    }
    fn visit(&self, visitor: &mut impl Visit) {
        for item in self {
            item.visit(visitor);
        }
    }
}

impl<K: Walk + Ord, V: Walk> Walk for BTreeMap<K, V> {
    fn rename(&mut self, names: &mut impl Rename) {
        let renamed = |mut entry: (K, V)| {
            entry.rename(names);
            entry
        };
        *self = std::mem::take(self).into_iter().map(renamed).collect();
    }
    fn visit(&self, visitor: &mut impl Visit) {
        for (key, value) in self {
            key.visit(visitor);
            value.visit(visitor);
        }
    }
}
