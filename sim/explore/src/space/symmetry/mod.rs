//! Symmetry: states that differ only in which replica is which are one state, their canonical representative.
//!
//! Replicas are put in an order that does not depend on their numbers: by what they hold, and by where
//! the others mention them. Of two that cannot be told apart so, either may come first; then a state may
//! be kept more than once, and nothing is missed.

mod alike;
mod seating;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use ipcsim_kernel::{Machine, MailboxId, ProcessId, State, ThreadId, Walk};

use super::parts::{Layout, Part, Parts, part_at};
use super::transitions::Move;
use alike::groups;
use seating::{Mentions, Seating};

/// The replicas that may change places. Each has a seat; those of a group sit side by side.
pub(super) struct Symmetry {
    /// For each seat the positions that belong to it alone, those of one kind at the same place.
    own: Vec<Vec<usize>>,
    /// Positions that belong to nobody's seat, or to several.
    common: Vec<usize>,
    seating: Seating,
    layout: Layout,
    known: Known,
    /// The order in which the replicas are put, and its reverse.
    order: Vec<u8>,
    to: Vec<u8>,
    arranged: Vec<u32>,
}

/// More seats than this are not looked at.
const MOST_SEATS: u32 = 64;

impl Symmetry {
    /// The symmetry of a machine in a state that it begins in, if there is any.
    pub(super) fn of(machine: &Machine, layout: &Layout, state: &State) -> Option<Self> {
        let alike: Vec<_> =
            groups(machine).into_iter().filter(|group| !group.processes.is_empty()).collect();
        let seats: u32 = alike.iter().map(|group| group.count).sum();
        if seats == 0 || seats > MOST_SEATS {
            return None;
        }
        let seating = Seating::new(&alike, state);
        let (own, common) = seating.positions(layout, seats as usize, state);
        let same_everywhere = seating
            .groups
            .iter()
            .all(|group| group.clone().all(|seat| own[seat].len() == own[group.start].len()));
        let symmetry = Self {
            own,
            common,
            seating,
            layout: *layout,
            known: Known::default(),
            order: Vec::new(),
            to: Vec::new(),
            arranged: Vec::new(),
        };
        (same_everywhere && symmetry.begins_alike(layout, state)).then_some(symmetry)
    }

    /// Whether it makes no difference in the first state if two neighbours change places.
    fn begins_alike(&self, layout: &Layout, state: &State) -> bool {
        let seats = self.own.len();
        let encoded = |part: &Part| {
            let mut bytes = Vec::new();
            part.encode(&mut bytes);
            bytes
        };
        let parts: Vec<(usize, Part)> = layout
            .positions(state)
            .map(|position| (position, part_at(layout, state, position)))
            .collect();
        let neighbours = self
            .seating
            .groups
            .iter()
            .flat_map(|group| (group.start..group.end - 1).map(|it| (it, it + 1)));
        neighbours.into_iter().all(|(one, other)| {
            let mut to: Vec<u8> = (0..seats as u8).collect();
            to.swap(one, other);
            parts.iter().all(|(position, part)| {
                let target = self.moved_position(*position, &to);
                let there = parts.iter().find(|(position, _)| *position == target);
                there.is_some_and(|(_, there)| {
                    encoded(&self.seating.renamed(part, &to)) == encoded(there)
                })
            })
        })
    }

    /// Puts the replicas of a state, given by its parts, in order. Gives whether any changed places.
    pub(super) fn arrange(
        &mut self,
        machine: &Machine,
        parts: &mut Parts,
        row: &mut [u32],
    ) -> bool {
        for part in row.iter() {
            self.known.look_at(machine, parts, &self.seating, *part);
        }
        self.order.clear();
        self.order.extend(0..self.own.len() as u8);
        let mut order = std::mem::take(&mut self.order);
        for group in &self.seating.groups {
            // Those that cannot be told apart keep their order.
            order[group.clone()].sort_by(|one, other| self.compare(row, *one, *other));
        }
        self.order = order;
        let in_order = self.order.iter().enumerate().all(|(at, seat)| at == usize::from(*seat));
        if in_order {
            return false;
        }
        self.to.resize(self.order.len(), 0);
        for (at, seat) in self.order.iter().enumerate() {
            self.to[usize::from(*seat)] = at as u8;
        }
        let to = std::mem::take(&mut self.to);
        let mut arranged = std::mem::take(&mut self.arranged);
        self.seat(machine, parts, row, &to, &mut arranged);
        row.copy_from_slice(&arranged);
        (self.to, self.arranged) = (to, arranged);
        true
    }

    /// The state in which everybody has moved to these places.
    fn seat(
        &mut self,
        machine: &Machine,
        parts: &mut Parts,
        row: &[u32],
        to: &[u8],
        seated: &mut Vec<u32>,
    ) {
        seated.clear();
        seated.extend_from_slice(row);
        for (position, part) in row.iter().enumerate() {
            let target = self.moved_position(position, to);
            seated[target] = self.known.renamed(machine, parts, &self.seating, *part, to);
        }
    }

    /// The state in which the replicas are these.
    pub(super) fn as_seated(
        &mut self,
        machine: &Machine,
        parts: &mut Parts,
        row: &[u32],
        who: &[u8],
    ) -> Vec<u32> {
        for part in row {
            self.known.look_at(machine, parts, &self.seating, *part);
        }
        let mut seated = Vec::new();
        self.seat(machine, parts, row, who, &mut seated);
        seated
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let mentioned = self.known.parts.capacity() * size_of::<Option<Mentioned>>();
        // Each part is found by a key of its own, which is about as long as its mentions.
        mentioned + self.known.instances.len() * (size_of::<(Box<[u8]>, u32)>() + 32)
    }

    /// Nobody has changed places.
    pub(super) fn nobody_moves(&self) -> Vec<u8> {
        (0..self.own.len() as u8).collect()
    }

    /// Who sits where when a state has been put in order in which `who` sat there before.
    pub(super) fn who_after(
        &mut self,
        machine: &Machine,
        parts: &mut Parts,
        row: &mut [u32],
        who: &[u8],
    ) -> Vec<u8> {
        if self.arrange(machine, parts, row) {
            self.order.iter().map(|seat| who[usize::from(*seat)]).collect()
        } else {
            who.to_vec()
        }
    }

    /// A move, done by those who sit in these places.
    pub(super) fn as_done_by(&self, what: Move, who: &[u8]) -> Move {
        let thread = |t: ThreadId| ThreadId(self.seating.threads.moved(t.0, who));
        match what {
            Move::Begin => Move::Begin,
            Move::Start(process) => {
                Move::Start(ProcessId(self.seating.processes.moved(process.0, who)))
            }
            Move::Call(t) => Move::Call(thread(t)),
            Move::Local(t) => Move::Local(thread(t)),
            Move::Expire(t) => Move::Expire(thread(t)),
        }
    }

    /// Which of two replicas comes first: by what they hold, then by where the others mention them.
    fn compare(&self, row: &[u32], one: u8, other: u8) -> Ordering {
        let held = |seat: u8| {
            let own = self.own[usize::from(seat)].iter();
            own.map(|position| self.known.of(row[*position]).shape)
        };
        held(one).cmp(held(other)).then_with(|| {
            let mentions =
                self.common.iter().map(|position| &self.known.of(row[*position]).mentions);
            for mentions in mentions.filter(|mentions| !mentions.is_empty()) {
                let first = mentions.iter().find(|seat| **seat == one || **seat == other);
                match first {
                    Some(seat) if *seat == one => return Ordering::Less,
                    Some(_) => return Ordering::Greater,
                    None => {}
                }
            }
            Ordering::Equal
        })
    }

    fn moved_position(&self, position: usize, to: &[u8]) -> usize {
        let layout = &self.layout;
        if position < layout.process(0) {
            return position;
        }
        if position < layout.thread(0) {
            let id = (position - layout.process(0)) as u32;
            return layout.process(self.seating.processes.moved(id, to) as usize);
        }
        if position < layout.mailbox(0) {
            let id = (position - layout.thread(0)) as u32;
            return layout.thread(self.seating.threads.moved(id, to) as usize);
        }
        if position >= layout.rights(0) {
            let id = (position - layout.rights(0)) as u32;
            return layout.rights(self.seating.threads.moved(id, to) as usize);
        }
        let id = MailboxId::at(position - layout.mailbox(0));
        layout.mailbox(self.seating.moved_mailbox(id, to).index())
    }
}

/// What is known of the parts of states.
#[derive(Default)]
struct Known {
    parts: Vec<Option<Mentioned>>,
    /// The parts of one shape, by whom they mention.
    instances: BTreeMap<Box<[u8]>, u32>,
    key: Vec<u8>,
}

/// What a part is like, and whom it mentions.
struct Mentioned {
    /// The part that is like it and mentions the first seats.
    shape: u32,
    mentions: Box<[u8]>,
}

impl Known {
    fn of(&self, part: u32) -> &Mentioned {
        self.parts[part as usize].as_ref().expect("it was looked at")
    }

    fn look_at(&mut self, machine: &Machine, parts: &mut Parts, seating: &Seating, part: u32) {
        if self.parts.get(part as usize).is_some_and(Option::is_some) {
            return;
        }
        let mut mentions = Mentions { seating, seats: Vec::new() };
        parts.get(part).visit(&mut mentions);
        let mentions = mentions.seats;
        let to = to_the_first(&seating.groups, &mentions);
        let alike = seating.renamed(parts.get(part), &to);
        let shape = parts.number(machine, alike);
        self.enter(part, shape, mentions);
    }

    fn enter(&mut self, part: u32, shape: u32, mentions: Vec<u8>) {
        if self.parts.len() <= part as usize {
            self.parts.resize_with(part as usize + 1, || None);
        }
        self.key.clear();
        self.key.extend(shape.to_le_bytes());
        self.key.extend(&mentions);
        self.instances.insert(self.key[..].into(), part);
        self.parts[part as usize] = Some(Mentioned { shape, mentions: mentions.into() });
    }

    /// The part with the names of those places that everybody moves to.
    fn renamed(
        &mut self,
        machine: &Machine,
        parts: &mut Parts,
        seating: &Seating,
        part: u32,
        to: &[u8],
    ) -> u32 {
        let Mentioned { shape, mentions } =
            self.parts[part as usize].as_ref().expect("it was looked at");
        if mentions.iter().all(|seat| to[usize::from(*seat)] == *seat) {
            return part;
        }
        self.key.clear();
        self.key.extend(shape.to_le_bytes());
        self.key.extend(mentions.iter().map(|seat| to[usize::from(*seat)]));
        if let Some(known) = self.instances.get(&self.key[..]) {
            return *known;
        }
        let renamed = parts.number(machine, seating.renamed(parts.get(part), to));
        self.look_at(machine, parts, seating, renamed);
        renamed
    }
}

/// Whoever is mentioned first moves to the first seat of his group, and so on.
fn to_the_first(groups: &[Range<usize>], mentions: &[u8]) -> Vec<u8> {
    let seats = groups.last().map_or(0, |group| group.end);
    let mut to = vec![u8::MAX; seats];
    for group in groups {
        let is_here = |seat: &u8| group.contains(&usize::from(*seat));
        let first = mentions.iter().copied().filter(is_here);
        let rest = group.clone().map(|seat| seat as u8).filter(|seat| !mentions.contains(seat));
        for (at, seat) in first.chain(rest).enumerate() {
            to[usize::from(seat)] = (group.start + at) as u8;
        }
    }
    to
}
