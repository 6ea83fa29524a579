//! Who has rights to a port, which ports are in a set, and what messages carry.

use super::Reader;
use crate::ast::{Arg, Objects};
use crate::diagnostic::{Code, Diagnostic};
use crate::table;
use crate::tree::{Node, Yaml};

impl Reader {
    /// One process: the receiver of a port, its backup, the owner of a set.
    pub(super) fn holder(&mut self, key: &str, node: &Node) -> Option<Arg> {
        if matches!(node.value, Yaml::List(_)) {
            self.note(
                Diagnostic::new(Code::Ports, node.at, format!("`{key}` is one process"))
                    .label("a port has exactly one receiver, and one backup at most"),
            );
            return None;
        }
        Some(Arg::Objects(Objects::One(self.reference(node)?)))
    }

    /// The rights that a message carries.
    pub(super) fn rights(&mut self, node: &Node) -> Option<Arg> {
        let is_mapping = |item: &&Node| matches!(item.value, Yaml::Map(_));
        if let Yaml::List(items) = &node.value
            && let Some(other) = items.iter().find(|item| !is_mapping(item))
        {
            self.note(
                Diagnostic::new(Code::WrongType, other.at, "a right says of which port, and which")
                    .label("write `{port: p, as: copy-send}`"),
            );
            return None;
        }
        Some(Arg::Tables(self.tables(node, table::GRANT, "a right")?))
    }

    /// The memory that a message carries: one region, or several.
    pub(super) fn transfers(&mut self, node: &Node) -> Option<Arg> {
        let what = "memory in a message";
        match &node.value {
            Yaml::Map(_) => Some(Arg::Tables(vec![self.table(node, table::TRANSFER, what)])),
            Yaml::List(items) if items.iter().all(|item| matches!(item.value, Yaml::Map(_))) => {
                Some(Arg::Tables(self.tables(node, table::TRANSFER, what)?))
            }
            _ => {
                self.note(
                    Diagnostic::new(
                        Code::WrongType,
                        node.at,
                        "memory says which region, and how it goes",
                    )
                    .label("write `{region: buf, transfer: copy-on-write}`"),
                );
                None
            }
        }
    }

    /// Processes or ports. There may be none: nobody has a right, or a set is empty.
    pub(super) fn several(&mut self, node: &Node) -> Option<Arg> {
        match &node.value {
            Yaml::List(items) if items.is_empty() => {
                Some(Arg::Objects(Objects::Several(Vec::new())))
            }
            _ => Some(Arg::Objects(self.objects(node)?)),
        }
    }
}
