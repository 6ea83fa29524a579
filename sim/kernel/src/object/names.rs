//! What one name server knows.

use std::sync::Arc;

use crate::ids::{MailboxId, ProcessId};
use crate::machine::NameServer;
use crate::value::Handle;

/// The entries of one name server, in order of the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameTable {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: Arc<str>,
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
        let mut table = Self { entries: Vec::new() };
        for (name, object) in &server.entries {
            table.enter(Arc::clone(name), *object, None);
        }
        table
    }

    /// What the name stands for here.
    pub fn find(&self, name: &str) -> Option<Handle> {
        Some(self.entries[self.place(name).ok()?].object)
    }

    /// What a registration of this name by this process would meet.
    pub fn claim(&self, name: &str, by: ProcessId) -> Claim {
        match self.place(name) {
            Err(_) => Claim::Free,
            Ok(place) if self.entries[place].owner == Some(by) => Claim::Own,
            Ok(_) => Claim::Taken,
        }
    }

    /// Enters a name, in place of what it stood for before.
    pub fn enter(&mut self, name: Arc<str>, object: Handle, owner: Option<ProcessId>) {
        match self.place(&name) {
            Ok(place) => self.entries[place] = Entry { name, object, owner },
            Err(place) => self.entries.insert(place, Entry { name, object, owner }),
        }
    }

    /// Takes a name out.
    pub fn remove(&mut self, name: &str) {
        if let Ok(place) = self.place(name) {
            self.entries.remove(place);
        }
    }

    /// Takes out every name of a mailbox that is gone.
    pub fn remove_mailbox(&mut self, mailbox: MailboxId) {
        self.entries.retain(|entry| entry.object != Handle::Mailbox(mailbox));
    }

    /// Every name with what it stands for and who registered it, in order of the name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Handle, Option<ProcessId>)> {
        self.entries.iter().map(|entry| (entry.name.as_ref(), entry.object, entry.owner))
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.name.as_ref().cmp(name))
    }
}
