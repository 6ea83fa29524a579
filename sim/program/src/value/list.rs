//! Lists, stored with the facts that are often needed about them.

use super::Value;
use crate::limits;
use crate::outcome::Fault;
use crate::walk::{Rename, Visit, Walk};

/// A list with its total number of elements, its nesting depth, and the size of a message with it in bytes,
/// so that its limits are cheap to enforce and it is cheap to send.
#[derive(Clone, Debug, PartialEq, Eq, Default, Hash)]
pub struct List {
    pub(super) items: Vec<Value>,
    pub(super) weight: u64,
    pub(super) size_bytes: u64,
    /// If items were taken out of the list, this is still the depth of the whole one.
    pub(super) depth: u32,
}

impl Walk for List {
    fn rename(&mut self, names: &mut impl Rename) {
        self.items.rename(names);
    }
    fn visit(&self, visitor: &mut impl Visit) {
        self.items.visit(visitor);
    }
}

impl List {
    /// A list of these items; too many of them are an exception.
    pub fn new(items: Vec<Value>) -> Result<Self, Fault> {
        let weight = items.iter().map(Value::weight).sum::<u64>();
        if weight > limits::LIST_ELEMENTS {
            return Err(Fault::TooLong);
        }
        let mut depth = 1;
        for item in &items {
            depth = depth.max(item.depth_outside()?);
        }
        let size_bytes = items.iter().map(Value::size_bytes).sum();
        Ok(Self { items, weight, size_bytes, depth })
    }

    /// Appends an item, unless the list becomes too long.
    pub fn push(&mut self, item: Value) -> Result<(), Fault> {
        let weight = self.weight + item.weight();
        if weight > limits::LIST_ELEMENTS {
            return Err(Fault::TooLong);
        }
        self.depth = self.depth.max(item.depth_outside()?);
        self.size_bytes += item.size_bytes();
        self.items.push(item);
        self.weight = weight;
        Ok(())
    }

    /// Takes out the last item.
    pub fn pop(&mut self) -> Option<Value> {
        let item = self.items.pop()?;
        self.weight -= item.weight();
        self.size_bytes -= item.size_bytes();
        Some(item)
    }

    /// The items, in order.
    pub fn items(&self) -> &[Value] {
        &self.items
    }
}
