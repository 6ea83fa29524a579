//! Replicas that can change places in any way: they are sorted.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use ipcsim_kernel::{Machine, Walk};

use super::super::codec::Codec;
use super::super::codec::parts::Parts;
use super::arrangement::{Arrangement, Mentions};

/// Sorts the replicas of states.
pub(super) struct Sorted {
    /// For each slot, the positions that belong to it alone, those of the same kind at the same index.
    own: Vec<Vec<usize>>,
    /// Positions that belong to no slot, or to several.
    common: Vec<usize>,
    known: Known,
    /// Where everybody in the slots goes.
    to: Vec<u8>,
    arranged: Vec<u32>,
}

impl Sorted {
    /// Replicas with these positions.
    pub(super) fn new(own: Vec<Vec<usize>>, common: Vec<usize>) -> Self {
        let (to, arranged) = (vec![0; own.len()], Vec::new());
        Self { own, common, known: Known::default(), to, arranged }
    }

    /// Sorts the replicas of a state, and tells who is in each slot then. Returns whether any has changed places.
    pub(super) fn put_in_order(
        &mut self,
        machine: &Machine,
        (codec, arrangement): (&mut Codec, &Arrangement),
        row: &mut [u32],
        order: &mut Vec<u8>,
    ) -> bool {
        let Self { own, common, known, to, arranged } = self;
        let parts = codec.seen.parts_of(row);
        for part in &parts {
            known.look_at((machine, &mut codec.parts), arrangement, *part);
        }
        order.clear();
        order.extend(0..own.len() as u8);
        for group in &arrangement.groups {
            // The sort is stable: indistinguishable replicas keep their order.
            order[group.clone()]
                .sort_by(|one, other| known.compare(&parts, (own, common), *one, *other));
        }
        if order.iter().enumerate().all(|(at, slot)| at == usize::from(*slot)) {
            return false;
        }
        for (at, slot) in order.iter().enumerate() {
            to[usize::from(*slot)] = at as u8;
        }
        arranged.resize(parts.len(), 0);
        for (position, part) in parts.into_iter().enumerate() {
            arranged[arrangement.moved_position(position, to)] =
                known.renamed((machine, &mut codec.parts), arrangement, part, to);
        }
        codec.put_parts(arranged, row);
        true
    }

    /// The approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.known.bytes()
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
