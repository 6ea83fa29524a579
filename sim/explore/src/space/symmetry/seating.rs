//! Who sits where: replicas of one number belong together, and have a seat among those of the others.

use std::collections::BTreeMap;
use std::ops::Range;

use ipcsim_kernel::{MailboxId, MailboxKind, ProcessId, Rename, State, ThreadId, Visit, Walk};

use super::super::parts::{Is, Layout, Part};
use super::alike::Group;

/// Who sits where.
pub(super) struct Seating {
    /// For each group the seats that it has.
    pub groups: Vec<Range<usize>>,
    pub processes: Seats,
    pub threads: Seats,
    mailboxes: Seats,
    /// Links by the processes at their ends.
    links: BTreeMap<(ProcessId, ProcessId), MailboxId>,
    ends: Vec<Option<(ProcessId, ProcessId)>>,
}

/// The seats of things of one kind, by number.
#[derive(Default)]
pub(super) struct Seats {
    /// The seat, and the row of all that sit side by side.
    seats: Vec<Option<(u8, usize)>>,
    /// The first seat of a row, and who sits there.
    rows: Vec<(u8, Vec<u32>)>,
}

impl Seats {
    fn new(count: usize) -> Self {
        Self { seats: vec![None; count], rows: Vec::new() }
    }

    fn seat_row(&mut self, first_seat: u8, who: Vec<u32>) {
        for (place, id) in who.iter().enumerate() {
            self.seats[*id as usize] = Some((first_seat + place as u8, self.rows.len()));
        }
        self.rows.push((first_seat, who));
    }

    fn seat(&self, id: u32) -> Option<(u8, usize)> {
        self.seats.get(id as usize).copied().flatten()
    }

    pub(super) fn moved(&self, id: u32, to: &[u8]) -> u32 {
        let Some((seat, row)) = self.seat(id) else { return id };
        let (first, who) = &self.rows[row];
        who[usize::from(to[usize::from(seat)] - first)]
    }
}

impl Seating {
    pub(super) fn new(alike: &[Group], state: &State) -> Self {
        let mut links = BTreeMap::new();
        let mut ends = vec![None; state.mailboxes.items().len()];
        for (id, mailbox) in state.mailboxes.items().iter().enumerate() {
            if let MailboxKind::Link { from, to } = mailbox.spec.kind {
                links.insert((from, to), MailboxId::at(id));
                ends[id] = Some((from, to));
            }
        }
        let mut seating = Self {
            groups: Vec::new(),
            processes: Seats::new(state.processes.items().len()),
            threads: Seats::new(state.threads.items().len()),
            mailboxes: Seats::new(state.mailboxes.items().len()),
            links,
            ends,
        };
        for group in alike {
            seating.seat(group, state);
        }
        seating
    }

    fn seat(&mut self, group: &Group, state: &State) {
        let first = self.groups.last().map_or(0, |group| group.end);
        let seat = u8::try_from(first).expect("seats are few");
        let side_by_side = |first: u32| (first..first + group.count).collect::<Vec<u32>>();
        for process in &group.processes {
            let members = side_by_side(process.0);
            let declared = state.processes.items()[process.index()].declared_threads;
            for thread in 0..declared {
                let of = |id: &u32| state.processes.items()[*id as usize].first_thread.0 + thread;
                self.threads.seat_row(seat, members.iter().map(of).collect());
            }
            self.processes.seat_row(seat, members);
        }
        for mailbox in &group.mailboxes {
            self.mailboxes.seat_row(seat, side_by_side(mailbox.0));
        }
        self.groups.push(first..first + group.count as usize);
    }

    /// For each seat its positions, and those that belong to none.
    pub(super) fn positions(
        &self,
        layout: &Layout,
        seats: usize,
        state: &State,
    ) -> (Vec<Vec<usize>>, Vec<usize>) {
        let mut own: Vec<Vec<(usize, usize)>> = vec![Vec::new(); seats];
        let mut common: Vec<usize> = (0..layout.process(0)).collect();
        let mut place = |seat: Option<(u8, usize)>, position: usize| match seat {
            Some((seat, row)) => own[usize::from(seat)].push((row, position)),
            None => common.push(position),
        };
        for id in 0..state.processes.items().len() {
            place(self.processes.seat(id as u32), layout.process(id));
        }
        for id in 0..state.threads.items().len() {
            place(self.threads.seat(id as u32), layout.thread(id));
            if layout.rights == Is::So {
                place(self.threads.seat(id as u32), layout.rights(id));
            }
        }
        for id in 0..state.mailboxes.items().len() {
            let seat = match self.ends[id] {
                None => self.mailboxes.seat(id as u32),
                // A link belongs to its end's seat, if it has one such end, in the order of the others.
                Some((from, to)) => {
                    match (self.processes.seat(from.0), self.processes.seat(to.0)) {
                        (Some((seat, row)), None) => Some((seat, row + 2 * to.index())),
                        (None, Some((seat, row))) => Some((seat, row + 2 * from.index() + 1)),
                        _ => None,
                    }
                }
            };
            place(seat, layout.mailbox(id));
        }
        let own =
            own.into_iter().map(|positions| positions.into_iter().map(|(_, it)| it).collect());
        (own.collect(), common)
    }

    pub(super) fn moved_mailbox(&self, id: MailboxId, to: &[u8]) -> MailboxId {
        match self.ends.get(id.index()).copied().flatten() {
            None => MailboxId(self.mailboxes.moved(id.0, to)),
            Some((from, target)) => {
                let moved = |process: ProcessId| ProcessId(self.processes.moved(process.0, to));
                // The links are there for all or for none: that was looked at in the beginning.
                self.links.get(&(moved(from), moved(target))).copied().unwrap_or(id)
            }
        }
    }

    pub(super) fn renamed(&self, part: &Part, to: &[u8]) -> Part {
        part.renamed(&mut Moved { seating: self, to })
    }
}

/// Everybody has the name of the seat that he moves to.
pub(super) struct Moved<'a> {
    seating: &'a Seating,
    to: &'a [u8],
}

impl Rename for Moved<'_> {
    fn process(&mut self, process: ProcessId) -> ProcessId {
        ProcessId(self.seating.processes.moved(process.0, self.to))
    }

    fn thread(&mut self, thread: ThreadId) -> ThreadId {
        ThreadId(self.seating.threads.moved(thread.0, self.to))
    }

    fn mailbox(&mut self, mailbox: MailboxId) -> MailboxId {
        self.seating.moved_mailbox(mailbox, self.to)
    }
}

/// Notes which seats a part mentions, in the order in which it does.
pub(super) struct Mentions<'a> {
    pub seating: &'a Seating,
    pub seats: Vec<u8>,
}

impl Mentions<'_> {
    fn note(&mut self, seat: Option<(u8, usize)>) {
        if let Some((seat, _)) = seat
            && !self.seats.contains(&seat)
        {
            self.seats.push(seat);
        }
    }
}

impl Visit for Mentions<'_> {
    fn process(&mut self, process: ProcessId) {
        self.note(self.seating.processes.seat(process.0));
    }

    fn thread(&mut self, thread: ThreadId) {
        self.note(self.seating.threads.seat(thread.0));
    }

    fn mailbox(&mut self, mailbox: MailboxId) {
        match self.seating.ends.get(mailbox.index()).copied().flatten() {
            None => self.note(self.seating.mailboxes.seat(mailbox.0)),
            Some((from, to)) => {
                self.note(self.seating.processes.seat(from.0));
                self.note(self.seating.processes.seat(to.0));
            }
        }
    }

    // Whoever is in such a collection is there in every state: it says nothing of anybody.
    fn wants_sets(&self) -> bool {
        false
    }
}
