//! Symmetry reduction: states that differ only in which replica is which become one, their canonical representative.
//!
//! Replicas are sorted independently of their numbers: by what they hold, and by where the others
//! mention them. If that does not distinguish two, either may come first; then a state may be
//! stored more than once, but nothing is missed. A ring is turned until it looks least.

mod alike;
mod arrangement;
mod ring;
mod sorted;

use ipcsim_kernel::{Machine, State};

use super::codec::Codec;
use super::codec::layout::Layout;
use super::codec::parts::{Part, part_at};
use super::steps::cache::{Move, Step};
pub(super) use alike::scalarsets;
use alike::{Places, groups};
use arrangement::Arrangement;
use ring::{Ring, turn};
use sorted::Sorted;

/// The interchangeable replicas. Each has a slot; the slots of a group lie side by side.
pub(super) struct Symmetry {
    arrangement: Arrangement,
    representative: Representative,
    /// Who is in each slot of the canonical representative that was made last.
    order: Vec<u8>,
}

/// How the canonical representative of a state is found.
enum Representative {
    /// Replicas that can change places in any way are sorted.
    Sorted(Sorted),
    /// A ring is turned.
    Turned(Ring),
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
        let arrangement = Arrangement::new(&alike, layout, state);
        let (own, common) = arrangement.positions(slots as usize, state);
        let mut groups = arrangement.groups.iter();
        let same_everywhere =
            groups.all(|group| group.clone().all(|slot| own[slot].len() == own[group.start].len()));
        let representative = if is_ring {
            Representative::Turned(Ring::new(own, common, &arrangement))
        } else {
            Representative::Sorted(Sorted::new(own, common))
        };
        let symmetry = Self { arrangement, representative, order: (0..slots as u8).collect() };
        (same_everywhere && symmetry.begins_alike(layout, state)).then_some(symmetry)
    }

    /// Whether the initial state is unchanged if two neighbours are swapped, or the ring is turned.
    fn begins_alike(&self, layout: &Layout, state: &State) -> bool {
        let slots = self.order.len();
        let encoded = |part: &Part| {
            let mut bytes = Vec::new();
            part.encode(&mut bytes);
            bytes
        };
        let parts: Vec<(usize, Part)> = layout
            .positions(state)
            .map(|position| (position, part_at(layout, state, position)))
            .collect();
        let ways: Vec<Vec<u8>> = match self.representative {
            Representative::Turned(_) => vec![turn(slots, 1)],
            Representative::Sorted(_) => {
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
                let target = self.arrangement.moved_position(*position, to);
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
        let Self { arrangement, representative, order } = self;
        match representative {
            Representative::Turned(ring) => {
                ring.put_in_order(machine, (codec, arrangement), row, order)
            }
            Representative::Sorted(sorted) => {
                sorted.put_in_order(machine, (codec, arrangement), row, order)
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
        let arrangement = &self.arrangement;
        let step = Step {
            blocks: step.blocks.and_then(|t| arrangement.as_done_by(Move::Call(t), who).thread()),
            what: arrangement.as_done_by(step.what, who),
        };
        let there = codec.seen.parts_of(row);
        let mut arranged = there.clone();
        for (position, part) in there.into_iter().enumerate() {
            let renamed = arrangement.renamed(codec.parts.get(part), who);
            arranged[arrangement.moved_position(position, who)] =
                codec.parts.number(machine, renamed);
        }
        let after = if self.put_in_order(machine, codec, row) {
            self.order.iter().map(|slot| who[usize::from(*slot)]).collect()
        } else {
            who.to_vec()
        };
        (step, arranged, after)
    }

    /// The approximate size in bytes.
    pub(super) fn bytes(&self) -> usize {
        match &self.representative {
            Representative::Sorted(sorted) => sorted.bytes(),
            Representative::Turned(ring) => ring.bytes(),
        }
    }

    /// The identity: nobody has changed places.
    pub(super) fn nobody_moves(&self) -> Vec<u8> {
        (0..self.order.len() as u8).collect()
    }
}
