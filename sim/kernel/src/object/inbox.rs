//! An inbox: all links to one process, and the threads of that process that wait for them.
//!
//! A link exists for each process that sends here; it is made when it is first needed. Receivers wait
//! here and not on the single link, because `receive … from: anyone` waits on all of them, also on
//! those that do not exist yet.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::ids::{MailboxId, ProcessId, ThreadId};
use crate::machine::Arrivals;
use crate::message::Message;

/// The links to one process.
#[derive(Clone, Debug)]
pub struct Inbox {
    /// The links, by sender.
    links: Vec<(ProcessId, MailboxId)>,
    /// The threads that wait for messages on links, oldest first.
    pub receivers: VecDeque<ThreadId>,
    /// Whether the process ever asks for the oldest message of all links.
    arrivals: Arrivals,
    /// The stored messages of all links by arrival, if that is ever asked for.
    stored: VecDeque<Arc<Message>>,
    /// The blocked senders of all links by arrival, if that is ever asked for.
    blocked: VecDeque<Arc<Message>>,
}

impl Inbox {
    /// An inbox without links.
    pub fn new(arrivals: Arrivals) -> Self {
        Self {
            links: Vec::new(),
            receivers: VecDeque::new(),
            arrivals,
            stored: VecDeque::new(),
            blocked: VecDeque::new(),
        }
    }

    /// The link from a process, if it exists.
    pub fn link(&self, from: ProcessId) -> Option<MailboxId> {
        let place = self.links.binary_search_by_key(&from, |(sender, _)| *sender).ok()?;
        Some(self.links[place].1)
    }

    /// Enters a new link.
    pub fn add_link(&mut self, from: ProcessId, link: MailboxId) {
        let place = self.links.partition_point(|(sender, _)| *sender < from);
        self.links.insert(place, (from, link));
    }

    /// All links, by sender.
    pub fn links(&self) -> impl Iterator<Item = MailboxId> + '_ {
        self.links.iter().map(|(_, link)| *link)
    }

    /// The stored messages of all links, oldest first. Kept only where it is ever asked for.
    pub fn stored(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.stored.iter()
    }

    /// The messages of the senders blocked on all links, oldest first. Kept like [`Inbox::stored`].
    pub fn blocked(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.blocked.iter()
    }

    /// A message was stored on a link.
    pub fn note_stored(&mut self, message: &Arc<Message>) {
        note(self.arrivals, &mut self.stored, message);
    }

    /// A stored message has left its link.
    pub fn forget_stored(&mut self, message: &Arc<Message>) {
        forget(&mut self.stored, message);
    }

    /// A sender was blocked on a link.
    pub fn note_blocked(&mut self, message: &Arc<Message>) {
        note(self.arrivals, &mut self.blocked, message);
    }

    /// A sender is no longer blocked on a link.
    pub fn forget_blocked(&mut self, message: &Arc<Message>) {
        forget(&mut self.blocked, message);
    }
}

fn note(arrivals: Arrivals, queue: &mut VecDeque<Arc<Message>>, message: &Arc<Message>) {
    match arrivals {
        Arrivals::Ordered => queue.push_back(Arc::clone(message)),
        Arrivals::Unordered => {}
    }
}

fn forget(queue: &mut VecDeque<Arc<Message>>, message: &Arc<Message>) {
    if let Some(place) = queue.iter().position(|noted| Arc::ptr_eq(noted, message)) {
        queue.remove(place);
    }
}
