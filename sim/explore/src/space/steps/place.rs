//! A place in the tree of the transition cache, in eight bytes: a walk spends most of its time waiting for the next place.

/// What happens at a place, and where its children are.
///
/// The head holds, from the lowest bit: 24 bits that say more about the kind, 5 bits for how many children there are (0: none;
/// else one more than the logarithm), 3 bits for the kind. The tail is the first child, or the effect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    head: u32,
    tail: u32,
}

/// What happens at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// Never reached.
    Nowhere,
    Unknown,
    /// The part at this position is read.
    Looks(u32),
    /// A question with so many answers is asked.
    Asks(u32),
    /// The effect with this number is known.
    Done(u32),
}

const MORE_BITS: u32 = 24;
const MORE: u32 = (1 << MORE_BITS) - 1;
const CHILDREN: u32 = 31 << MORE_BITS;
const KIND_AT: u32 = 29;

impl Place {
    pub(super) const NOWHERE: Self = Self { head: 0, tail: 0 };

    pub(super) fn unknown() -> Self {
        Self { head: 1 << KIND_AT, tail: 0 }
    }

    pub(super) fn node(self) -> Node {
        let more = self.head & MORE;
        match self.head >> KIND_AT {
            0 => Node::Nowhere,
            1 => Node::Unknown,
            2 => Node::Looks(more),
            3 => Node::Asks(more),
            _ => Node::Done(self.tail),
        }
    }

    /// Makes it a place where this happens. Its children stay; where an effect is known there are none.
    pub(super) fn becomes(&mut self, node: Node) {
        let (kind, more) = match node {
            Node::Nowhere => (0, 0),
            Node::Unknown => (1, 0),
            Node::Looks(position) => (2, position),
            Node::Asks(answers) => (3, answers),
            Node::Done(effect) => {
                debug_assert!(self.head & CHILDREN == 0, "nothing follows an effect");
                self.tail = effect;
                (4, 0)
            }
        };
        assert!(more <= MORE, "the memory limit comes first");
        self.head = kind << KIND_AT | self.head & CHILDREN | more;
    }

    /// How many children there is room for: none, or a power of two.
    pub(super) fn room(self) -> u32 {
        let children = (self.head & CHILDREN) >> MORE_BITS;
        children.checked_sub(1).map_or(0, |log| 1 << log)
    }

    /// The place of a child, if there is room for it.
    pub(super) fn child(self, number: u32) -> Option<u32> {
        (number < self.room()).then_some(self.tail + number)
    }

    /// From now on there is room for two to the power of `log` children, from this place on.
    pub(super) fn has_children(&mut self, first: u32, log: u32) {
        self.head = self.head & !CHILDREN | (log + 1) << MORE_BITS;
        self.tail = first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_keeps_its_children_and_what_happens_there() {
        let mut place = Place::unknown();
        assert_eq!((place.node(), place.room(), place.child(0)), (Node::Unknown, 0, None));
        place.has_children(7, 0);
        place.becomes(Node::Looks(MORE));
        assert_eq!((place.node(), place.room()), (Node::Looks(MORE), 1));
        place.has_children(u32::MAX - 8, 3);
        assert_eq!((place.node(), place.room()), (Node::Looks(MORE), 8));
        assert_eq!((place.child(7), place.child(8)), (Some(u32::MAX - 1), None));
        let mut place = Place::unknown();
        place.becomes(Node::Done(u32::MAX));
        assert_eq!((place.node(), place.child(0)), (Node::Done(u32::MAX), None));
        assert_eq!(Place::NOWHERE.node(), Node::Nowhere);
    }
}
