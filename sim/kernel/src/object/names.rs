//! What one name server knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::{MailboxId, ProcessId};
use crate::machine::NameServer;
use crate::value::Handle;

/// The entries of one name server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameTable {
    entries: BTreeMap<Arc<str>, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    object: Handle,
    /// Who registered it; the scenario's own entries have no owner.
    owner: Option<ProcessId>,
}

/// What a registration would meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The name is free.
    Free,
    /// The caller registered it himself.
    Own,
    /// It is somebody else's.
    Taken,
}

impl NameTable {
    /// The table with the scenario's own entries.
    pub fn new(server: &NameServer) -> Self {
        let mut table = Self::default();
        for (name, object) in &server.entries {
            table.enter(Arc::clone(name), *object, None);
        }
        table
    }

    /// What the name stands for here.
    pub fn find(&self, name: &str) -> Option<Handle> {
        Some(self.entries.get(name)?.object)
    }

    /// What a registration of this name by this process would meet.
    pub fn claim(&self, name: &str, by: ProcessId) -> Claim {
        match self.entries.get(name) {
            None => Claim::Free,
            Some(entry) if entry.owner == Some(by) => Claim::Own,
            Some(_) => Claim::Taken,
        }
    }

    /// Enters a name, in place of what it stood for before.
    pub fn enter(&mut self, name: Arc<str>, object: Handle, owner: Option<ProcessId>) {
        self.entries.insert(name, Entry { object, owner });
    }

    /// Takes a name out.
    pub fn remove(&mut self, name: &str) {
        self.entries.remove(name);
    }

    /// Takes out every name of a mailbox that is gone.
    pub fn remove_mailbox(&mut self, mailbox: MailboxId) {
        self.entries.retain(|_, entry| entry.object != Handle::Mailbox(mailbox));
    }

    /// Every name with what it stands for and who registered it, in order of the name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Handle, Option<ProcessId>)> {
        self.entries.iter().map(|(name, entry)| (name.as_ref(), entry.object, entry.owner))
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
