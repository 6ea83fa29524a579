//! Replicas in a ring: what a state looks like when it is turned.

use std::cmp::Ordering;

use ipcsim_kernel::Machine;

use super::super::codec::Codec;
use super::arrangement::Arrangement;

/// A ring with so many places. It can be turned by 0 to `places - 1` places.
pub(super) struct Ring {
    places: usize,
    /// For each turn, where each position goes.
    to: Vec<Vec<usize>>,
    /// The positions of each place, in the same order at each.
    own: Vec<Vec<usize>>,
    /// Those that belong to no place.
    common: Vec<usize>,
    /// For each position and each number there, what that is after each turn, at the position to which it goes; `UNKNOWN` if
    /// nobody has asked.
    turned: Vec<Vec<Box<[u32]>>>,
    /// For each place, its numbers, turned to the first place.
    seen: Vec<u32>,
    row: Vec<u32>,
}

const UNKNOWN: u32 = u32::MAX;

impl Ring {
    /// A ring with these positions.
    pub(super) fn new(own: Vec<Vec<usize>>, common: Vec<usize>, arrangement: &Arrangement) -> Self {
        let places = own.len();
        let width = arrangement.width();
        let to = |by| {
            let places = turn(places, by);
            (0..width).map(|position| arrangement.moved_position(position, &places)).collect()
        };
        Self {
            places,
            to: (0..places).map(to).collect(),
            own,
            common,
            turned: vec![Vec::new(); width],
            seen: Vec::new(),
            row: Vec::new(),
        }
    }

    /// Turns a state until it looks least, and tells who is in each place then. Returns whether it was turned.
    pub(super) fn put_in_order(
        &mut self,
        machine: &Machine,
        (codec, arrangement): (&mut Codec, &Arrangement),
        row: &mut [u32],
        order: &mut Vec<u8>,
    ) -> bool {
        let mut turning = Turning { machine, codec, arrangement };
        let first = self.first_place(&mut turning, row);
        order.clear();
        order.extend(turn(self.places, first));
        if first == 0 {
            return false;
        }
        let by = self.places - first;
        let mut turned = std::mem::take(&mut self.row);
        turned.resize(row.len(), 0);
        for (position, number) in row.iter().enumerate() {
            turned[self.to[by][position]] = self.turned(&mut turning, position, *number, by);
        }
        row.copy_from_slice(&turned);
        self.row = turned;
        true
    }

    /// The place from which a state looks least.
    fn first_place(&mut self, turning: &mut Turning, row: &[u32]) -> usize {
        let (places, width) = (self.places, self.own[0].len());
        let mut seen = std::mem::take(&mut self.seen);
        seen.clear();
        for place in 0..places {
            for at in 0..width {
                let position = self.own[place][at];
                let by = (places - place) % places;
                seen.push(self.turned(turning, position, row[position], by));
            }
        }
        let seen_from = |place: usize| seen[place * width..].iter().chain(&seen[..place * width]);
        let mut least = 0;
        for place in 1..places {
            let order = match seen_from(place).cmp(seen_from(least)) {
                Ordering::Equal => self.compare_common(turning, row, place, least),
                order => order,
            };
            if order == Ordering::Less {
                least = place;
            }
        }
        self.seen = seen;
        least
    }

    /// Compares what belongs to no place, as seen from one place and from another.
    fn compare_common(
        &mut self,
        turning: &mut Turning,
        row: &[u32],
        one: usize,
        other: usize,
    ) -> Ordering {
        for at in 0..self.common.len() {
            let [one, other] = [one, other].map(|place| {
                let from = self.to[place][self.common[at]];
                self.turned(turning, from, row[from], (self.places - place) % self.places)
            });
            if one != other {
                return one.cmp(&other);
            }
        }
        Ordering::Equal
    }

    /// What a number at a position is after a turn.
    fn turned(&mut self, turning: &mut Turning, position: usize, number: u32, by: usize) -> u32 {
        let numbers = &mut self.turned[position];
        let at = number as usize;
        if numbers.len() <= at {
            numbers.resize_with(at + 1, || vec![UNKNOWN; self.places].into());
        }
        let known = &mut numbers[at][by];
        if *known == UNKNOWN {
            let Turning { machine, codec, arrangement } = turning;
            let part = codec.parts.get(codec.seen.part(position, number));
            let renamed = arrangement.renamed(part, &turn(self.places, by));
            let part = codec.parts.number(machine, renamed);
            *known = codec.seen.number(self.to[by][position], part);
        }
        *known
    }

    /// The approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        let numbers: usize = self.turned.iter().map(Vec::len).sum();
        numbers * (size_of::<Box<[u32]>>() + 4 * self.places)
    }
}

/// Where everybody is after a ring with so many places has been turned.
pub(super) fn turn(places: usize, by: usize) -> Vec<u8> {
    (0..places).map(|slot| ((slot + by) % places) as u8).collect()
}

/// What is needed to turn a part.
struct Turning<'a> {
    machine: &'a Machine,
    codec: &'a mut Codec,
    arrangement: &'a Arrangement,
}
