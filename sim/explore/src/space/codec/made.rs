//! Counts where each mailbox that was made at run time is named in a state, so that one that nobody can reach any more is
//! forgotten.
//!
//! The kernel numbers mailboxes and ports consecutively. A client that makes a port for each request, and destroys it
//! afterwards, would reach new states for ever, although nobody can tell the hundredth port from the first. So a mailbox
//! that is gone, or that can never be used, is dropped as soon as nothing names it, and the later ones move up. Their
//! order stays: the kernel destroys the ports of a process in that order. A right to send to a port that is gone does not
//! count as a name: only a program that knows it could tell that it is there.
//!
//! Where a mailbox is named is a part of the state that each step keeps up to date: so what a step does still depends
//! only on the parts that it reads.

use std::collections::{BTreeMap, BTreeSet};

use ipcsim_kernel::object::mailbox::{Existence, Mailbox, Object};
use ipcsim_kernel::{MailboxId, Process, Rename, Visit, Walk};

use super::Codec;
use super::parts::{LENGTHS, Part};

/// At which positions a mailbox is named, in order, and how often at each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named(BTreeMap<u32, u32>);

impl Named {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for (position, count) in &self.0 {
            out.extend_from_slice(&position.to_le_bytes());
            out.extend_from_slice(&count.to_le_bytes());
        }
    }
}

/// What a step does to a state, by position; everything else is as it was before the step.
pub(crate) struct Changes<'a> {
    codec: &'a Codec,
    now: &'a [u32],
    parts: BTreeMap<usize, Part>,
    /// What was read besides what the kernel has read, in that order.
    looked: Vec<usize>,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(codec: &'a Codec, now: &'a [u32], parts: Vec<(usize, Part)>) -> Self {
        Self { codec, now, parts: parts.into_iter().collect(), looked: Vec::new() }
    }

    /// Drops the mailboxes made at run time that nothing names any more and that nobody can use. Returns the changed
    /// parts, and what was read besides.
    pub(crate) fn without_lost_mailboxes(mut self) -> (Vec<(usize, Part)>, Vec<usize>) {
        let mut open = self.count_names();
        let mut lost = BTreeSet::new();
        while let Some(id) = open.pop_first() {
            if !lost.contains(&id) && self.is_lost(id) {
                lost.insert(id);
                // What it named itself may be lost now, too.
                open.append(&mut self.lose(id));
            }
        }
        if !lost.is_empty() {
            self.move_up(&lost);
        }
        (self.parts.into_iter().collect(), self.looked)
    }

    /// The part at a position after the step.
    fn get(&mut self, position: usize) -> &Part {
        let Self { codec, now, parts, looked } = self;
        parts.get(&position).unwrap_or_else(|| {
            if !looked.contains(&position) {
                looked.push(position);
            }
            codec.before(now, position)
        })
    }

    fn named(&mut self, id: usize) -> Named {
        match self.get(self.codec.layout.named(id)) {
            Part::Named(named) => named.clone(),
            Part::Absent => Named::default(),
            other => unreachable!("not where a mailbox is named: {other:?}"),
        }
    }

    /// Updates where mailboxes are named. Returns those that were made at run time and may be lost now.
    fn count_names(&mut self) -> BTreeSet<usize> {
        let layout = &self.codec.layout;
        let mut all: BTreeMap<usize, Vec<(usize, u32)>> = BTreeMap::new();
        let mut changed: BTreeSet<usize> = BTreeSet::new();
        for (position, part) in &self.parts {
            let before = names(self.codec.before(self.now, *position), layout.first_made);
            let after = names(part, layout.first_made);
            for id in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                if before.get(id) != after.get(id) {
                    let times = after.get(id).copied().unwrap_or(0);
                    all.entry(*id).or_default().push((*position, times));
                }
            }
            // It may have been made or destroyed.
            changed.extend(layout.made_at(*position));
        }
        changed.extend(all.keys());
        for (id, places) in all {
            self.name_at(id, &places);
        }
        changed
    }

    /// From now on a mailbox is named this often at these positions.
    fn name_at(&mut self, id: usize, places: &[(usize, u32)]) {
        let mut named = self.named(id);
        for (position, times) in places {
            let position = *position as u32;
            if *times == 0 {
                named.0.remove(&position);
            } else {
                named.0.insert(position, *times);
            }
        }
        self.parts.insert(self.codec.layout.named(id), Part::Named(named));
    }

    /// Whether nobody can use a mailbox, and nothing names it but a right that has died with it.
    fn is_lost(&mut self, id: usize) -> bool {
        match self.get(self.codec.layout.mailbox(id)) {
            Part::Mailbox(mailbox) if is_of_no_use(mailbox) => {}
            _ => return false,
        }
        let first_made = self.codec.layout.first_made;
        let named = self.named(id);
        let mut positions = named.0.keys();
        positions.all(|position| match self.get(*position as usize) {
            Part::Process(process) => {
                let process = Part::Process(without_rights(process, id));
                !names(&process, first_made).contains_key(&id)
            }
            _ => *position as usize == self.codec.layout.mailbox(id),
        })
    }

    /// Leaves nothing of a mailbox. Returns those that it named itself.
    fn lose(&mut self, id: usize) -> BTreeSet<usize> {
        let Codec { layout, .. } = self.codec;
        for position in self.named(id).0.into_keys() {
            if let Part::Process(process) = self.get(position as usize) {
                let process = without_rights(process, id);
                self.parts.insert(position as usize, Part::Process(process));
            }
        }
        self.parts.insert(layout.named(id), Part::Absent);
        let position = layout.mailbox(id);
        let named = names(self.get(position), layout.first_made);
        self.parts.insert(position, Part::Absent);
        for other in named.keys().filter(|other| **other != id) {
            self.name_at(*other, &[(position, 0)]);
        }
        named.into_keys().collect()
    }

    /// Closes the gaps that these mailboxes leave.
    fn move_up(&mut self, lost: &BTreeSet<usize>) {
        let layout = &self.codec.layout;
        let Part::Lengths(threads, count) = *self.get(LENGTHS) else {
            unreachable!("the lengths stand at their position")
        };
        self.parts.insert(LENGTHS, Part::Lengths(threads, count - lost.len()));
        let mut moved = MovedUp { lost };
        let to = |id: usize| id - lost.range(..id).count();
        let left: Vec<usize> = (layout.first_made..count).filter(|id| !lost.contains(id)).collect();
        let named: Vec<Named> = left.iter().map(|id| self.named(*id)).collect();
        // First everything gets its new name where it stands.
        let later = || left.iter().zip(&named).filter(|(id, _)| to(**id) != **id);
        let positions = later().flat_map(|(_, named)| named.0.keys().copied());
        for position in positions.collect::<BTreeSet<u32>>() {
            let part = self.get(position as usize).renamed(&mut moved);
            self.parts.insert(position as usize, part);
        }
        // Then the mailboxes move.
        let place = |position: u32| match layout.made_at(position as usize) {
            Some(id) => layout.mailbox(to(id)) as u32,
            None => position,
        };
        for (id, named) in left.iter().zip(named) {
            let part = self.get(layout.mailbox(*id)).clone();
            self.parts.insert(layout.mailbox(to(*id)), part);
            let named = named.0.into_iter().map(|(position, times)| (place(position), times));
            self.parts.insert(layout.named(to(*id)), Part::Named(Named(named.collect())));
        }
        for id in count - lost.len()..count {
            self.parts.insert(layout.mailbox(id), Part::Absent);
            self.parts.insert(layout.named(id), Part::Absent);
        }
    }
}

/// Whether a mailbox that nothing names is of no use to anybody, and holds nothing.
fn is_of_no_use(mailbox: &Mailbox) -> bool {
    let is_unreachable = match mailbox.object {
        Object::Open => true,
        Object::Port(_) | Object::PortSet(_) => mailbox.existence == Existence::Destroyed,
        Object::Filed | Object::Link { .. } => false,
    };
    is_unreachable && mailbox.messages.is_empty() && mailbox.senders.is_empty()
}

/// A process that forgets the rights to send to a mailbox.
fn without_rights(process: &Process, id: usize) -> Process {
    let mut process = process.clone();
    process.rights.forget(MailboxId::at(id));
    process
}

/// How often a part names each mailbox from this one on.
fn names(part: &Part, first: usize) -> BTreeMap<usize, u32> {
    struct Names(usize, BTreeMap<usize, u32>);

    impl Visit for Names {
        fn mailbox(&mut self, id: MailboxId) {
            if id.index() >= self.0 {
                *self.1.entry(id.index()).or_default() += 1;
            }
        }
    }

    let mut names = Names(first, BTreeMap::new());
    part.visit(&mut names);
    names.1
}

/// The names of mailboxes after these were dropped.
struct MovedUp<'a> {
    lost: &'a BTreeSet<usize>,
}

impl Rename for MovedUp<'_> {
    fn mailbox(&mut self, id: MailboxId) -> MailboxId {
        MailboxId::at(id.index() - self.lost.range(..id.index()).count())
    }
}

impl Codec {
    /// The part at a position of this row.
    fn before(&self, now: &[u32], position: usize) -> &Part {
        self.parts.get(self.part(now, position))
    }
}
