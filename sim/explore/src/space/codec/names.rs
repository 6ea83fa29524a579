//! Where reply rights, and mailboxes made at run time, are named in a state: what nobody can name any more is forgotten, and
//! the numbers of the others move up.
//!
//! The kernel numbers the calls of a thread consecutively, and mailboxes as they are made. A client that calls for ever, or that
//! makes a port for each request and destroys it afterwards, would reach new states for ever, although nobody can tell the
//! hundredth from the first once everything about it is gone. So a right, or a mailbox that is gone or can never be used, is dropped
//! as soon as nothing names it, and the numbers behind it move up. Their order stays: the ports of a process are destroyed in
//! that order, and of several calls the youngest is the one that waits.
//!
//! Not everything that names it counts. A right that its caller has abandoned, and that nobody else knows, is as good as gone;
//! so is a right to send to a port that is gone: only a program that knows it could tell that it is there.
//!
//! Where each is named is a part of the state that each step keeps up to date. So what a step does still depends only on the parts
//! that it reads.

use std::collections::{BTreeMap, BTreeSet};

use ipcsim_kernel::object::mailbox::{Existence, Mailbox, Object};
use ipcsim_kernel::program::{rename_set, state};
use ipcsim_kernel::{MailboxId, Process, ProcessId, Rename, ReplyRight, ThreadId, Visit, Walk};

use super::Codec;
use super::layout::{ABANDONED, LENGTHS, Layout, MEMORY};
use super::parts::{Is, Part};

state! {
    /// A part of a state in which something can be named.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Place {
        /// The rights that were abandoned.
        Abandoned,
        /// What waits for the kernel's memory.
        Memory,
        /// A process.
        Process(ProcessId),
        /// A thread.
        Thread(ThreadId),
        /// A mailbox or a link.
        Mailbox(MailboxId),
    }
}

/// Where something is named, in order, and how often at each place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named(Vec<(Place, u32)>);

impl Named {
    fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.0.iter().map(|(place, _)| *place)
    }

    /// From now on it is named so often at this place.
    fn set(&mut self, place: Place, times: u32) {
        let at = self.0.partition_point(|(other, _)| *other < place);
        let is_there = self.0.get(at).is_some_and(|(other, _)| *other == place);
        match (times, is_there) {
            (0, true) => drop(self.0.remove(at)),
            (0, false) => {}
            (_, true) => self.0[at].1 = times,
            (_, false) => self.0.insert(at, (place, times)),
        }
    }

    /// Adds its bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.0.len() as u32).to_le_bytes());
        for (place, times) in &self.0 {
            let (kind, number) = match place {
                Place::Abandoned => (0_u8, 0),
                Place::Memory => (1, 0),
                Place::Process(process) => (2, process.0),
                Place::Thread(thread) => (3, thread.0),
                Place::Mailbox(mailbox) => (4, mailbox.0),
            };
            out.push(kind);
            out.extend_from_slice(&number.to_le_bytes());
            out.extend_from_slice(&times.to_le_bytes());
        }
    }
}

impl Walk for Named {
    fn rename(&mut self, names: &mut impl Rename) {
        rename_set(&mut self.0, names);
    }

    fn visit(&self, visitor: &mut impl Visit) {
        self.0.visit(visitor);
    }
}

/// Where the rights to answer the calls of one thread are named, by the number of the call.
pub(crate) type Rights = BTreeMap<u32, Named>;

/// What is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Right(ReplyRight),
    Mailbox(usize),
}

impl Layout {
    fn position_of(&self, place: Place) -> usize {
        match place {
            Place::Abandoned => ABANDONED,
            Place::Memory => MEMORY,
            Place::Process(process) => self.process(process.index()),
            Place::Thread(thread) => self.thread(thread.index()),
            Place::Mailbox(mailbox) => self.mailbox(mailbox.index()),
        }
    }

    /// How often each right, and each mailbox made at run time, is named in a part, as far as that is counted.
    fn names_in(&self, part: &Part) -> BTreeMap<Name, u32> {
        let mut names = Names { layout: self, found: BTreeMap::new() };
        // These tell of names, and name nothing themselves.
        if !matches!(part, Part::Rights(_) | Part::Named(_)) {
            part.visit(&mut names);
        }
        names.found
    }
}

struct Names<'a> {
    layout: &'a Layout,
    found: BTreeMap<Name, u32>,
}

impl Visit for Names<'_> {
    fn mailbox(&mut self, id: MailboxId) {
        if self.layout.drops == Is::So && id.index() >= self.layout.first_made {
            *self.found.entry(Name::Mailbox(id.index())).or_default() += 1;
        }
    }

    fn right(&mut self, right: ReplyRight) {
        if self.layout.rights == Is::So {
            *self.found.entry(Name::Right(right)).or_default() += 1;
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
    /// What is named elsewhere than before, and may be lost.
    open: BTreeSet<Name>,
}

impl<'a> Changes<'a> {
    pub(crate) fn new(codec: &'a Codec, now: &'a [u32], parts: Vec<(usize, Part)>) -> Self {
        let mut changes =
            Self { codec, now, parts: BTreeMap::new(), looked: Vec::new(), open: BTreeSet::new() };
        for (position, part) in parts {
            changes.count(position, codec.parts.get(codec.part(now, position)), &part);
            changes.parts.insert(position, part);
        }
        changes
    }

    /// Drops what nothing names any more. Returns the changed parts, and what was read besides.
    pub(crate) fn without_the_lost(mut self) -> (Vec<(usize, Part)>, Vec<usize>) {
        let mut callers = BTreeSet::new();
        let mut mailboxes = BTreeSet::new();
        while let Some(name) = self.open.pop_first() {
            match name {
                Name::Right(right) => {
                    callers.insert(right.caller);
                    self.lose_right(right);
                }
                Name::Mailbox(id) => {
                    if !mailboxes.contains(&id) && self.is_lost(id) {
                        mailboxes.insert(id);
                        self.lose_mailbox(id);
                    }
                }
            }
        }
        for caller in callers {
            self.move_rights_up(caller);
        }
        if !mailboxes.is_empty() {
            self.move_mailboxes_up(&mailboxes);
        }
        (self.parts.into_iter().collect(), self.looked)
    }

    /// The part at a position after the step.
    fn get(&mut self, position: usize) -> &Part {
        let Self { codec, now, parts, looked, .. } = self;
        parts.get(&position).unwrap_or_else(|| {
            if !looked.contains(&position) {
                looked.push(position);
            }
            codec.parts.get(codec.part(now, position))
        })
    }

    /// Replaces a part.
    fn put(&mut self, position: usize, part: Part) {
        let before = self.get(position).clone();
        self.count(position, &before, &part);
        self.parts.insert(position, part);
    }

    /// Updates where everything is named that a part names after a step, or named before it.
    fn count(&mut self, position: usize, before: &Part, after: &Part) {
        let layout = &self.codec.layout;
        let Some(place) = layout.place_at(position) else { return };
        let (before, after) = (layout.names_in(before), layout.names_in(after));
        for name in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            if before.get(name) != after.get(name) {
                self.name_at(*name, place, after.get(name).copied().unwrap_or(0));
            }
        }
        // It may have been made or destroyed.
        if let (Is::So, Place::Mailbox(id)) = (layout.drops, place)
            && id.index() >= layout.first_made
        {
            self.open.insert(Name::Mailbox(id.index()));
        }
    }

    /// From now on something is named so often at a place.
    fn name_at(&mut self, name: Name, place: Place, times: u32) {
        match name {
            Name::Mailbox(id) => self.named(id).set(place, times),
            Name::Right(right) => {
                self.rights(right.caller).entry(right.call).or_default().set(place, times);
            }
        }
        self.open.insert(name);
    }

    /// The part at a position, to be changed.
    fn get_mut(&mut self, position: usize) -> &mut Part {
        if !self.parts.contains_key(&position) {
            let part = self.get(position).clone();
            self.parts.insert(position, part);
        }
        self.parts.get_mut(&position).expect("it was put there")
    }

    fn named(&mut self, id: usize) -> &mut Named {
        let part = self.get_mut(self.codec.layout.named(id));
        if let Part::Absent = part {
            *part = Part::Named(Named::default());
        }
        match part {
            Part::Named(named) => named,
            other => unreachable!("not where a mailbox is named: {other:?}"),
        }
    }

    fn rights(&mut self, caller: ThreadId) -> &mut Rights {
        let part = self.get_mut(self.codec.layout.rights(caller.index()));
        if let Part::Absent = part {
            *part = Part::Rights(Rights::new());
        }
        match part {
            Part::Rights(rights) => rights,
            other => unreachable!("not where rights are named: {other:?}"),
        }
    }

    /// Forgets a right if nothing names it but the list of those that were abandoned.
    fn lose_right(&mut self, right: ReplyRight) {
        let Some(named) = self.rights(right.caller).get(&right.call) else { return };
        if named.places().any(|place| place != Place::Abandoned) {
            return;
        }
        if named.places().next().is_some() {
            let Part::Abandoned(abandoned) = self.get(ABANDONED) else {
                unreachable!("abandoned rights stand at their position")
            };
            let mut abandoned = abandoned.clone();
            abandoned.remove(&right);
            self.put(ABANDONED, Part::Abandoned(abandoned));
        }
        self.rights(right.caller).remove(&right.call);
    }

    /// Closes the gaps between the numbers of a thread's calls.
    fn move_rights_up(&mut self, caller: ThreadId) {
        let numbered = self.rights(caller).iter().zip(1..);
        let moved = numbered.filter(|((call, _), number)| *call != number);
        let mut numbers = BTreeMap::new();
        let mut places = BTreeSet::new();
        for ((call, named), number) in moved {
            numbers.insert(*call, number);
            places.extend(named.places());
        }
        for place in places {
            self.rename(place, &mut Calls { caller, numbers: &numbers });
        }
        if !numbers.is_empty() {
            let rights = self.rights(caller);
            *rights = (1..).zip(std::mem::take(rights).into_values()).collect();
        }
    }

    /// Gives what is named at a place its new name. Where it is named stays.
    fn rename(&mut self, place: Place, names: &mut impl Rename) {
        let position = self.codec.layout.position_of(place);
        let part = self.get(position).renamed(names);
        self.parts.insert(position, part);
    }

    /// Whether nobody can use a mailbox, and nothing names it but a right that has died with it.
    fn is_lost(&mut self, id: usize) -> bool {
        let layout = self.codec.layout;
        match self.get(layout.mailbox(id)) {
            Part::Mailbox(mailbox) if is_of_no_use(mailbox) => {}
            _ => return false,
        }
        let places: Vec<Place> = self.named(id).places().collect();
        places.into_iter().all(|place| match (place, self.get(layout.position_of(place))) {
            (_, Part::Process(process)) => {
                let process = Part::Process(without_rights(process, id));
                !layout.names_in(&process).contains_key(&Name::Mailbox(id))
            }
            (place, _) => place == Place::Mailbox(MailboxId::at(id)),
        })
    }

    /// Leaves nothing of a mailbox.
    fn lose_mailbox(&mut self, id: usize) {
        let layout = self.codec.layout;
        for place in self.named(id).places().collect::<Vec<Place>>() {
            let position = layout.position_of(place);
            if let Part::Process(process) = self.get(position) {
                let process = without_rights(process, id);
                self.put(position, Part::Process(process));
            }
        }
        // What it named itself may be lost now, too.
        self.put(layout.mailbox(id), Part::Absent);
        self.parts.insert(layout.named(id), Part::Absent);
    }

    /// Closes the gaps that these mailboxes leave.
    fn move_mailboxes_up(&mut self, lost: &BTreeSet<usize>) {
        let layout = self.codec.layout;
        let Part::Lengths(threads, count) = *self.get(LENGTHS) else {
            unreachable!("the lengths stand at their position")
        };
        self.parts.insert(LENGTHS, Part::Lengths(threads, count - lost.len()));
        let mut moved = MovedUp { lost };
        let to = |id: usize| id - lost.range(..id).count();
        let left: Vec<usize> = (layout.first_made..count).filter(|id| !lost.contains(id)).collect();
        // First everything gets its new name where it stands.
        let mut places = BTreeSet::new();
        for id in left.iter().copied().filter(|id| to(*id) != *id) {
            places.extend(self.named(id).places());
        }
        for place in places {
            self.rename(place, &mut moved);
        }
        if layout.rights == Is::So {
            // Rights are named in mailboxes, too.
            for caller in 0..threads {
                self.rights(ThreadId::at(caller)).rename(&mut moved);
            }
        }
        // Then the mailboxes move.
        for id in left {
            let part = self.get(layout.mailbox(id)).clone();
            self.parts.insert(layout.mailbox(to(id)), part);
            let named = self.named(id).renamed(&mut moved);
            self.parts.insert(layout.named(to(id)), Part::Named(named));
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
        Object::Port(_) | Object::PortSet(_) | Object::Stream(_) => {
            mailbox.existence == Existence::Destroyed
        }
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

/// The names of mailboxes after these were dropped.
struct MovedUp<'a> {
    lost: &'a BTreeSet<usize>,
}

impl Rename for MovedUp<'_> {
    fn mailbox(&mut self, id: MailboxId) -> MailboxId {
        MailboxId::at(id.index() - self.lost.range(..id.index()).count())
    }
}

/// New numbers for the calls of one thread.
struct Calls<'a> {
    caller: ThreadId,
    numbers: &'a BTreeMap<u32, u32>,
}

impl Rename for Calls<'_> {
    fn right(&mut self, right: ReplyRight) -> ReplyRight {
        let number = self.numbers.get(&right.call).filter(|_| right.caller == self.caller);
        ReplyRight { call: number.copied().unwrap_or(right.call), ..right }
    }
}

impl Codec {
    /// Where the rights of each thread are named in these parts; only of those that have any.
    pub(super) fn rights_in(&self, parts: &[u32]) -> BTreeMap<ThreadId, Rights> {
        let mut all: BTreeMap<ThreadId, Rights> = BTreeMap::new();
        for (position, part) in parts.iter().enumerate() {
            let Some(place) = self.layout.place_at(position) else { continue };
            for (name, times) in self.layout.names_in(self.parts.get(*part)) {
                if let Name::Right(right) = name {
                    let rights = all.entry(right.caller).or_default();
                    rights.entry(right.call).or_default().set(place, times);
                }
            }
        }
        all
    }
}
