//! Which replica is in which slot: replicas of a group with the same index share a slot.

use std::collections::BTreeMap;
use std::ops::Range;

use ipcsim_kernel::{MailboxId, ProcessId, Rename, State, ThreadId, Visit, Walk};

use super::super::codec::layout::Layout;
use super::super::codec::parts::Part;
use super::super::steps::cache::Move;
use super::alike::Group;

/// Which replica is in which slot.
pub(super) struct Arrangement {
    /// The slots of each group.
    pub groups: Vec<Range<usize>>,
    layout: Layout,
    processes: Slots,
    threads: Slots,
    mailboxes: Slots,
    /// Links by the processes at their ends.
    links: BTreeMap<(ProcessId, ProcessId), MailboxId>,
    ends: Vec<Option<(ProcessId, ProcessId)>>,
}

/// The slots of objects of one kind, by number.
#[derive(Default)]
struct Slots {
    /// For each object, its slot and the row that it stands in.
    slots: Vec<Option<(u8, usize)>>,
    /// For each row, its first slot and its members.
    rows: Vec<(u8, Vec<u32>)>,
}

impl Slots {
    fn new(count: usize) -> Self {
        Self { slots: vec![None; count], rows: Vec::new() }
    }

    fn add_row(&mut self, first_slot: u8, who: Vec<u32>) {
        for (place, id) in who.iter().enumerate() {
            self.slots[*id as usize] = Some((first_slot + place as u8, self.rows.len()));
        }
        self.rows.push((first_slot, who));
    }

    fn slot(&self, id: u32) -> Option<(u8, usize)> {
        self.slots.get(id as usize).copied().flatten()
    }

    fn moved(&self, id: u32, to: &[u8]) -> u32 {
        let Some((slot, row)) = self.slot(id) else { return id };
        let (first, who) = &self.rows[row];
        who[usize::from(to[usize::from(slot)] - first)]
    }
}

impl Arrangement {
    pub(super) fn new(alike: &[Group], layout: &Layout, state: &State) -> Self {
        let mut links = BTreeMap::new();
        let mut ends = vec![None; state.mailboxes.items().len()];
        for (id, mailbox) in state.mailboxes.items().iter().enumerate() {
            if let Some((from, to)) = mailbox.link() {
                links.insert((from, to), MailboxId::at(id));
                ends[id] = Some((from, to));
            }
        }
        let mut arrangement = Self {
            groups: Vec::new(),
            layout: *layout,
            processes: Slots::new(state.processes.items().len()),
            threads: Slots::new(state.threads.items().len()),
            mailboxes: Slots::new(state.mailboxes.items().len()),
            links,
            ends,
        };
        for group in alike {
            arrangement.add(group, state);
        }
        arrangement
    }

    fn add(&mut self, group: &Group, state: &State) {
        let first = self.groups.last().map_or(0, |group| group.end);
        let slot = u8::try_from(first).expect("slots are few");
        let side_by_side = |first: u32| (first..first + group.count).collect::<Vec<u32>>();
        for process in &group.processes {
            let members = side_by_side(process.0);
            let declared = state.processes.items()[process.index()].declared_threads;
            for thread in 0..declared {
                let of = |id: &u32| state.processes.items()[*id as usize].first_thread.0 + thread;
                self.threads.add_row(slot, members.iter().map(of).collect());
            }
            self.processes.add_row(slot, members);
        }
        for mailbox in &group.mailboxes {
            self.mailboxes.add_row(slot, side_by_side(mailbox.0));
        }
        self.groups.push(first..first + group.count as usize);
    }

    /// The positions of each slot, and those that belong to none. Where rights are named follows from the others.
    pub(super) fn positions(&self, slots: usize, state: &State) -> (Vec<Vec<usize>>, Vec<usize>) {
        let layout = &self.layout;
        let mut own: Vec<Vec<(usize, usize)>> = vec![Vec::new(); slots];
        let mut common: Vec<usize> = (0..layout.process(0)).collect();
        let mut place = |slot: Option<(u8, usize)>, position: usize| match slot {
            Some((slot, row)) => own[usize::from(slot)].push((row, position)),
            None => common.push(position),
        };
        for id in 0..state.processes.items().len() {
            place(self.processes.slot(id as u32), layout.process(id));
        }
        for id in 0..state.threads.items().len() {
            place(self.threads.slot(id as u32), layout.thread(id));
        }
        for id in 0..state.mailboxes.items().len() {
            let slot = match self.ends[id] {
                None => self.mailboxes.slot(id as u32),
                // A link with one end in a slot belongs to that slot, in the order of the other ends.
                Some((from, to)) => {
                    match (self.processes.slot(from.0), self.processes.slot(to.0)) {
                        (Some((slot, row)), None) => Some((slot, row + 2 * to.index())),
                        (None, Some((slot, row))) => Some((slot, row + 2 * from.index() + 1)),
                        _ => None,
                    }
                }
            };
            place(slot, layout.mailbox(id));
        }
        let own =
            own.into_iter().map(|positions| positions.into_iter().map(|(_, it)| it).collect());
        (own.collect(), common)
    }

    fn moved_mailbox(&self, id: MailboxId, to: &[u8]) -> MailboxId {
        match self.ends.get(id.index()).copied().flatten() {
            None => MailboxId(self.mailboxes.moved(id.0, to)),
            Some((from, target)) => {
                let moved = |process: ProcessId| ProcessId(self.processes.moved(process.0, to));
                // Either all have the links or none has: that was checked at the beginning.
                self.links.get(&(moved(from), moved(target))).copied().unwrap_or(id)
            }
        }
    }

    /// How many positions there are.
    pub(super) fn width(&self) -> usize {
        self.layout.width()
    }

    /// Where the part at a position is when everybody has moved to these places.
    pub(super) fn moved_position(&self, position: usize, to: &[u8]) -> usize {
        let layout = &self.layout;
        if position < layout.process(0) {
            return position;
        }
        if position < layout.thread(0) {
            let id = (position - layout.process(0)) as u32;
            return layout.process(self.processes.moved(id, to) as usize);
        }
        if position < layout.mailbox(0) {
            let id = (position - layout.thread(0)) as u32;
            return layout.thread(self.threads.moved(id, to) as usize);
        }
        if position >= layout.rights(0) {
            let id = (position - layout.rights(0)) as u32;
            return layout.rights(self.threads.moved(id, to) as usize);
        }
        let id = MailboxId::at(position - layout.mailbox(0));
        layout.mailbox(self.moved_mailbox(id, to).index())
    }

    /// A move, done by those in these slots.
    pub(super) fn as_done_by(&self, what: Move, who: &[u8]) -> Move {
        let thread = |t: ThreadId| ThreadId(self.threads.moved(t.0, who));
        match what {
            Move::Begin => Move::Begin,
            Move::Start(process) => Move::Start(ProcessId(self.processes.moved(process.0, who))),
            Move::Call(t) => Move::Call(thread(t)),
            Move::Local(t) => Move::Local(thread(t)),
            Move::Expire(t) => Move::Expire(thread(t)),
        }
    }

    pub(super) fn renamed(&self, part: &Part, to: &[u8]) -> Part {
        let mut renamed = part.renamed(&mut Moved { arrangement: self, to });
        self.layout.unseen.leave_out(&mut renamed);
        renamed
    }
}

/// Renames everybody to the slot that it moves to.
pub(super) struct Moved<'a> {
    arrangement: &'a Arrangement,
    to: &'a [u8],
}

impl Rename for Moved<'_> {
    fn process(&mut self, process: ProcessId) -> ProcessId {
        ProcessId(self.arrangement.processes.moved(process.0, self.to))
    }

    fn thread(&mut self, thread: ThreadId) -> ThreadId {
        ThreadId(self.arrangement.threads.moved(thread.0, self.to))
    }

    fn mailbox(&mut self, mailbox: MailboxId) -> MailboxId {
        self.arrangement.moved_mailbox(mailbox, self.to)
    }
}

/// Records which slots a part mentions, in order of first mention.
pub(super) struct Mentions<'a> {
    pub arrangement: &'a Arrangement,
    pub slots: Vec<u8>,
}

impl Mentions<'_> {
    fn note(&mut self, slot: Option<(u8, usize)>) {
        if let Some((slot, _)) = slot
            && !self.slots.contains(&slot)
        {
            self.slots.push(slot);
        }
    }
}

impl Visit for Mentions<'_> {
    fn process(&mut self, process: ProcessId) {
        self.note(self.arrangement.processes.slot(process.0));
    }

    fn thread(&mut self, thread: ThreadId) {
        self.note(self.arrangement.threads.slot(thread.0));
    }

    fn mailbox(&mut self, mailbox: MailboxId) {
        match self.arrangement.ends.get(mailbox.index()).copied().flatten() {
            None => self.note(self.arrangement.mailboxes.slot(mailbox.0)),
            Some((from, to)) => {
                self.note(self.arrangement.processes.slot(from.0));
                self.note(self.arrangement.processes.slot(to.0));
            }
        }
    }

    // The members of such a collection are the same in every state: it distinguishes nobody.
    fn wants_sets(&self) -> bool {
        false
    }
}
