//! Symmetry reduction: states that differ only in which replica is which become one, their canonical representative.
//!
//! Replicas are sorted independently of their numbers: by what they hold, and by where the others
//! mention them. If that does not distinguish two, either may come first; then a state may be
//! stored more than once, but nothing is missed. A ring is turned until it looks least.

mod alike;
mod arrangement;
mod ring;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use ipcsim_kernel::{Machine, MailboxId, ProcessId, State, ThreadId, Walk};

use super::codec::Codec;
use super::codec::parts::{Layout, Part, Parts, part_at};
use super::steps::cache::{Move, Step};
pub(super) use alike::scalarsets;
use alike::{Places, groups};
use arrangement::{Arrangement, Mentions};
use ring::{Ring, turn};

/// The interchangeable replicas. Each has a slot; the slots of a group lie side by side.
pub(super) struct Symmetry {
    /// For each slot, the positions that belong to it alone, those of the same kind at the same index.
    own: Vec<Vec<usize>>,
    /// Positions that belong to no slot, or to several.
    common: Vec<usize>,
    arrangement: Arrangement,
    layout: Layout,
    forms: Forms,
    /// The sorted order of the replicas, and its inverse.
    order: Vec<u8>,
    to: Vec<u8>,
    arranged: Vec<u32>,
}

/// What is known about the parts of states, according to how replicas change places.
enum Forms {
    /// In any way.
    Any(Known),
    /// All together.
    Ring(Ring),
}

/// With more slots than this, symmetry is not used.
const MOST_SLOTS: u32 = 64;
/// The same for a ring, where there are fewer ways to compare.
const MOST_PLACES: u32 = 255;

impl Symmetry {
    /// The symmetry of a machine with this initial state, if there is any.
    pub(super) fn of(machine: &Machine, layout: &Layout, state: &State) -> Option<Self> {
        let alike = groups(machine, state);
        let slots: u32 = alike.iter().map(|group| group.count).sum();
        let is_ring = alike.iter().any(|group| group.places == Places::Ring);
        if slots == 0 || slots > if is_ring { MOST_PLACES } else { MOST_SLOTS } {
            return None;
        }
        let arrangement = Arrangement::new(&alike, state);
        let (own, common) = arrangement.positions(layout, slots as usize, state);
        let same_everywhere = arrangement
            .groups
            .iter()
            .all(|group| group.clone().all(|slot| own[slot].len() == own[group.start].len()));
        let mut symmetry = Self {
            own,
            common,
            arrangement,
            layout: *layout,
            forms: Forms::Any(Known::default()),
            order: Vec::new(),
            to: Vec::new(),
            arranged: Vec::new(),
        };
        if is_ring {
            let to = |position, places: &[u8]| symmetry.moved_position(position, places);
            let ring = Ring::new(&symmetry.own, &symmetry.common, layout.width(), to);
            symmetry.forms = Forms::Ring(ring);
        }
        (same_everywhere && symmetry.begins_alike(layout, state)).then_some(symmetry)
    }

    /// Whether the initial state is unchanged if two neighbours are swapped, or the ring is turned.
    fn begins_alike(&self, layout: &Layout, state: &State) -> bool {
        let slots = self.own.len();
        let encoded = |part: &Part| {
            let mut bytes = Vec::new();
            part.encode(&mut bytes);
            bytes
        };
        let parts: Vec<(usize, Part)> = layout
            .positions(state)
            .map(|position| (position, part_at(layout, state, position)))
            .collect();
        let ways: Vec<Vec<u8>> = match self.forms {
            Forms::Ring(_) => vec![turn(slots, 1)],
            Forms::Any(_) => {
                let groups = self.arrangement.groups.iter();
                let first = groups.flat_map(|group| group.start..group.end - 1);
                let swapped = first.map(|one| {
                    let mut to: Vec<u8> = (0..slots as u8).collect();
                    to.swap(one, one + 1);
                    to
                });
                swapped.collect()
            }
        };
        ways.iter().all(|to| {
            parts.iter().all(|(position, part)| {
                let target = self.moved_position(*position, to);
                let there = parts.iter().find(|(position, _)| *position == target);
                there.is_some_and(|(_, there)| {
                    encoded(&self.arrangement.renamed(part, to)) == encoded(there)
                })
            })
        })
    }

    /// Replaces a state by its canonical representative. Returns whether anybody has changed places.
    pub(super) fn put_in_order(
        &mut self,
        machine: &Machine,
        codec: &mut Codec,
        row: &mut [u32],
    ) -> bool {
        let slots = self.own.len();
        let Self { arrangement, forms, order, .. } = self;
        match forms {
            Forms::Ring(ring) => {
                let by = ring.put_in_order(machine, (codec, arrangement), row);
                order.clear();
                order.extend((0..slots).map(|at| ((at + slots - by) % slots) as u8));
                by > 0
            }
            Forms::Any(_) => {
                let mut parts = codec.seen.parts_of(row);
                let changes = self.sort(machine, &mut codec.parts, &mut parts);
                if changes {
                    codec.put_parts(&parts, row);
                }
                changes
            }
        }
    }

    /// A step that leads to a state, translated to where the replicas are `who`: the step, the parts of its target, and who
    /// the replicas are there once they are in order.
    pub(super) fn retold(
        &mut self,
        (machine, codec): (&Machine, &mut Codec),
        step: Step,
        row: &mut [u32],
        who: &[u8],
    ) -> (Step, Vec<u32>, Vec<u8>) {
        let step = Step {
            blocks: step.blocks.and_then(|t| self.as_done_by(Move::Call(t), who).thread()),
            what: self.as_done_by(step.what, who),
        };
        let there = codec.seen.parts_of(row);
        let mut arranged = there.clone();
        for (position, part) in there.into_iter().enumerate() {
            let renamed = self.arrangement.renamed(codec.parts.get(part), who);
            arranged[self.moved_position(position, who)] = codec.parts.number(machine, renamed);
        }
        let after = if self.put_in_order(machine, codec, row) {
            self.order.iter().map(|slot| who[usize::from(*slot)]).collect()
        } else {
            who.to_vec()
        };
        (step, arranged, after)
    }

    /// Sorts the replicas of a state, given by its parts. Returns whether any changed places.
    fn sort(&mut self, machine: &Machine, parts: &mut Parts, row: &mut [u32]) -> bool {
        let Self { own, common, arrangement, forms, order, .. } = self;
        let Forms::Any(known) = forms else { unreachable!("a ring is not sorted") };
        for part in row.iter() {
            known.look_at((machine, &mut *parts), arrangement, *part);
        }
        order.clear();
        order.extend(0..own.len() as u8);
        for group in &arrangement.groups {
            // The sort is stable: indistinguishable replicas keep their order.
            order[group.clone()]
                .sort_by(|one, other| known.compare(row, (own, common), *one, *other));
        }
        let in_order = self.order.iter().enumerate().all(|(at, slot)| at == usize::from(*slot));
        if in_order {
            return false;
        }
        self.to.resize(self.order.len(), 0);
        for (at, slot) in self.order.iter().enumerate() {
            self.to[usize::from(*slot)] = at as u8;
        }
        let to = std::mem::take(&mut self.to);
        let mut arranged = std::mem::take(&mut self.arranged);
        self.put_in_slots((machine, parts), row, &to, &mut arranged);
        row.copy_from_slice(&arranged);
        (self.to, self.arranged) = (to, arranged);
        true
    }

    /// The state in which everybody has moved to these places.
    fn put_in_slots(
        &mut self,
        (machine, parts): (&Machine, &mut Parts),
        row: &[u32],
        to: &[u8],
        moved: &mut Vec<u32>,
    ) {
        moved.clear();
        moved.extend_from_slice(row);
        for (position, part) in row.iter().enumerate() {
            let target = self.moved_position(position, to);
            if let Forms::Any(known) = &mut self.forms {
                let of = (machine, &mut *parts);
                moved[target] = known.renamed(of, &self.arrangement, *part, to);
            }
        }
    }

    /// The approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        match &self.forms {
            Forms::Any(known) => known.bytes(),
            Forms::Ring(ring) => ring.bytes(),
        }
    }

    /// The identity: nobody has changed places.
    pub(super) fn nobody_moves(&self) -> Vec<u8> {
        (0..self.own.len() as u8).collect()
    }

    /// A move, done by those in these slots.
    fn as_done_by(&self, what: Move, who: &[u8]) -> Move {
        let thread = |t: ThreadId| ThreadId(self.arrangement.threads.moved(t.0, who));
        match what {
            Move::Begin => Move::Begin,
            Move::Start(process) => {
                Move::Start(ProcessId(self.arrangement.processes.moved(process.0, who)))
            }
            Move::Call(t) => Move::Call(thread(t)),
            Move::Local(t) => Move::Local(thread(t)),
            Move::Expire(t) => Move::Expire(thread(t)),
        }
    }

    fn moved_position(&self, position: usize, to: &[u8]) -> usize {
        let layout = &self.layout;
        if position < layout.process(0) {
            return position;
        }
        if position < layout.thread(0) {
            let id = (position - layout.process(0)) as u32;
            return layout.process(self.arrangement.processes.moved(id, to) as usize);
        }
        if position < layout.mailbox(0) {
            let id = (position - layout.thread(0)) as u32;
            return layout.thread(self.arrangement.threads.moved(id, to) as usize);
        }
        if position >= layout.rights(0) {
            let id = (position - layout.rights(0)) as u32;
            return layout.rights(self.arrangement.threads.moved(id, to) as usize);
        }
        let id = MailboxId::at(position - layout.mailbox(0));
        layout.mailbox(self.arrangement.moved_mailbox(id, to).index())
    }
}

/// What is known about the parts of states.
#[derive(Default)]
struct Known {
    parts: Vec<Option<Mentioned>>,
    /// The parts, by shape and by whom they mention.
    instances: BTreeMap<Box<[u8]>, u32>,
    key: Vec<u8>,
}

/// What a part is like, and whom it mentions.
struct Mentioned {
    /// The same part, renamed to mention the first slots.
    shape: u32,
    mentions: Box<[u8]>,
}

impl Known {
    /// The approximate size in bytes.
    fn bytes(&self) -> usize {
        let mentioned = self.parts.capacity() * size_of::<Option<Mentioned>>();
        // Each part has its own key, about as long as its mentions.
        mentioned + self.instances.len() * (size_of::<(Box<[u8]>, u32)>() + 32)
    }

    /// Which of two replicas comes first: by what they hold, then by where the others mention them.
    fn compare(
        &self,
        row: &[u32],
        (own, common): (&[Vec<usize>], &[usize]),
        one: u8,
        other: u8,
    ) -> Ordering {
        let held = |slot: u8| {
            let own = own[usize::from(slot)].iter();
            own.map(|position| self.of(row[*position]).shape)
        };
        held(one).cmp(held(other)).then_with(|| {
            let mentions = common.iter().map(|position| &self.of(row[*position]).mentions);
            for mentions in mentions.filter(|mentions| !mentions.is_empty()) {
                let first = mentions.iter().find(|slot| **slot == one || **slot == other);
                match first {
                    Some(slot) if *slot == one => return Ordering::Less,
                    Some(_) => return Ordering::Greater,
                    None => {}
                }
            }
            Ordering::Equal
        })
    }

    fn of(&self, part: u32) -> &Mentioned {
        self.parts[part as usize].as_ref().expect("it was looked at")
    }

    fn look_at(
        &mut self,
        (machine, parts): (&Machine, &mut Parts),
        arrangement: &Arrangement,
        part: u32,
    ) {
        if self.parts.get(part as usize).is_some_and(Option::is_some) {
            return;
        }
        let mut mentions = Mentions { arrangement, slots: Vec::new() };
        parts.get(part).visit(&mut mentions);
        let mentions = mentions.slots;
        let to = to_the_first(&arrangement.groups, &mentions);
        let alike = arrangement.renamed(parts.get(part), &to);
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

    /// The part, renamed according to where everybody moves.
    fn renamed(
        &mut self,
        (machine, parts): (&Machine, &mut Parts),
        arrangement: &Arrangement,
        part: u32,
        to: &[u8],
    ) -> u32 {
        let Mentioned { shape, mentions } =
            self.parts[part as usize].as_ref().expect("it was looked at");
        if mentions.iter().all(|slot| to[usize::from(*slot)] == *slot) {
            return part;
        }
        self.key.clear();
        self.key.extend(shape.to_le_bytes());
        self.key.extend(mentions.iter().map(|slot| to[usize::from(*slot)]));
        if let Some(known) = self.instances.get(&self.key[..]) {
            return *known;
        }
        let renamed = parts.number(machine, arrangement.renamed(parts.get(part), to));
        self.look_at((machine, parts), arrangement, renamed);
        renamed
    }
}

/// Whoever is mentioned first moves to the first slot of its group, and so on.
fn to_the_first(groups: &[Range<usize>], mentions: &[u8]) -> Vec<u8> {
    let slots = groups.last().map_or(0, |group| group.end);
    let mut to = vec![u8::MAX; slots];
    for group in groups {
        let is_here = |slot: &u8| group.contains(&usize::from(*slot));
        let first = mentions.iter().copied().filter(is_here);
        let rest = group.clone().map(|slot| slot as u8).filter(|slot| !mentions.contains(slot));
        for (at, slot) in first.chain(rest).enumerate() {
            to[usize::from(slot)] = (group.start + at) as u8;
        }
    }
    to
}
