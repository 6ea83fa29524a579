//! An inbox: all links to one process, and the threads of that process that wait for them.
//!
//! A link exists for each process that sends here; it is made when it is first needed. Receivers wait
//! here and not on a single link, because `receive … from: anyone` waits on all of them, including
//! those that do not exist yet.

use std::collections::{BTreeMap, VecDeque};

use ipcsim_program::{MailboxId, ProcessId, ThreadId, nameless, state};

/// Whether the order of arrivals over all links of a process matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arrivals {
    /// One of its programs receives from anyone.
    Ordered,
    /// None does, so the order is not kept.
    Unordered,
}

nameless! { Arrivals }

state! {
    /// The links to one process.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Inbox {
        /// The links, by sender.
        links: Vec<(ProcessId, MailboxId)> as set,
        /// The threads that wait for messages on links, oldest first.
        pub receivers: VecDeque<ThreadId>,
        /// Whether the process ever asks for the oldest message of all links.
        arrivals: Arrivals as fixed,
        /// The link of each stored message, in order of arrival, if that is ever asked for. Links are
        /// first in, first out, so the second entry of a link stands for the second message on it.
        stored: VecDeque<MailboxId>,
        /// The same for the blocked senders.
        blocked: VecDeque<MailboxId>,
    }
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

    /// Adds a new link.
    pub fn add_link(&mut self, from: ProcessId, link: MailboxId) {
        let place = self.links.partition_point(|(sender, _)| *sender < from);
        self.links.insert(place, (from, link));
    }

    /// All links, by sender.
    pub fn links(&self) -> impl Iterator<Item = MailboxId> + '_ {
        self.links.iter().map(|(_, link)| *link)
    }

    /// The stored messages of all links, oldest first: each as its link and its place there. Kept only
    /// where it is ever asked for.
    pub fn stored(&self) -> impl Iterator<Item = (MailboxId, usize)> {
        places(&self.stored)
    }

    /// The senders that are blocked on all links, oldest first. Kept like [`Inbox::stored`].
    pub fn blocked(&self) -> impl Iterator<Item = (MailboxId, usize)> {
        places(&self.blocked)
    }

    /// A message was stored on a link.
    pub fn note_stored(&mut self, link: MailboxId) {
        note(self.arrivals, &mut self.stored, link);
    }

    /// The stored message at this place of a link has left.
    pub fn forget_stored(&mut self, link: MailboxId, place: usize) {
        forget(&mut self.stored, link, place);
    }

    /// A sender was blocked on a link.
    pub fn note_blocked(&mut self, link: MailboxId) {
        note(self.arrivals, &mut self.blocked, link);
    }

    /// The sender at this place of a link is no longer blocked.
    pub fn forget_blocked(&mut self, link: MailboxId, place: usize) {
        forget(&mut self.blocked, link, place);
    }
}

fn note(arrivals: Arrivals, queue: &mut VecDeque<MailboxId>, link: MailboxId) {
    match arrivals {
        Arrivals::Ordered => queue.push_back(link),
        Arrivals::Unordered => {}
    }
}

fn forget(queue: &mut VecDeque<MailboxId>, link: MailboxId, place: usize) {
    let mut of_link = queue.iter().enumerate().filter(|(_, noted)| **noted == link);
    if let Some((at, _)) = of_link.nth(place) {
        queue.remove(at);
    }
}

fn places(queue: &VecDeque<MailboxId>) -> impl Iterator<Item = (MailboxId, usize)> {
    let mut seen: BTreeMap<MailboxId, usize> = BTreeMap::new();
    queue.iter().enumerate().map(move |(at, link)| {
        // Usually only the first is asked for, and it is the first of its link.
        if at == 0 {
            seen.insert(*link, 1);
            return (*link, 0);
        }
        let count = seen.entry(*link).or_insert(0);
        *count += 1;
        (*link, *count - 1)
    })
}
