//! A set of transitions that is being closed.

use super::Size;
use super::net::List;

/// A set that is being closed.
pub(super) struct Closing {
    /// For each transition, the number of the last set that it was in.
    stamps: Vec<u32>,
    stamp: u32,
    /// All that is in the set; the last ones are still to be looked at.
    pub set: Vec<usize>,
    /// For each of them, the place in the set of one that requires it.
    required_by: Vec<usize>,
    looked_at: usize,
    state: u32,
    /// For each transition, the last state in which a set that had it came to a possible one, and which.
    led_to: Vec<(u32, usize)>,
    /// For each transition, the last state in which a set was closed from it, and how large that is at least.
    closed: Vec<(u32, Size)>,
    /// How large this set is at least, by what is known of others.
    pub at_least: Size,
    /// For each list of the net, the number of the last set that it was added to.
    added: Vec<u32>,
    /// How many members of lists were looked at.
    pub scanned: u64,
}

impl Closing {
    /// For a net with so many transitions and lists of them.
    pub(super) fn over(count: usize, lists: usize) -> Self {
        Self {
            stamps: vec![0; count],
            stamp: 0,
            set: Vec::new(),
            required_by: Vec::new(),
            looked_at: 0,
            state: 0,
            led_to: vec![(0, 0); count],
            closed: vec![(0, Size::Ways(0)); count],
            at_least: Size::Ways(0),
            added: vec![0; lists],
            scanned: 0,
        }
    }

    /// Forgets what led where in the last state.
    pub(super) fn begin_state(&mut self) {
        self.state += 1;
    }

    pub(super) fn begin(&mut self, seed: usize) {
        self.stamp += 1;
        self.set.clear();
        self.required_by.clear();
        self.looked_at = 0;
        self.at_least = Size::Ways(0);
        self.put(seed);
    }

    /// Remembers how large the set is at least that was closed from this transition.
    pub(super) fn learn(&mut self, seed: usize, size: Size) {
        self.closed[seed] = (self.state, size);
    }

    fn has(&self, transition: usize) -> bool {
        self.stamps[transition] == self.stamp
    }

    fn put(&mut self, transition: usize) {
        if !self.has(transition) {
            self.stamps[transition] = self.stamp;
            self.set.push(transition);
            self.required_by.push(self.looked_at.saturating_sub(1));
            // An estimate: what it lacks may be found elsewhere for this set. That can only make it seem too large.
            let (state, size) = self.closed[transition];
            if state == self.state {
                self.at_least = self.at_least.max(size);
            }
        }
    }

    pub(super) fn add(&mut self, list: &List) {
        if std::mem::replace(&mut self.added[list.number], self.stamp) == self.stamp {
            return;
        }
        self.scanned += list.len();
        list.iter().for_each(|transition| self.put(transition));
    }

    /// How many of these it does not have.
    pub(super) fn lacks(&mut self, list: &List) -> usize {
        self.scanned += list.len();
        list.iter().filter(|transition| !self.has(*transition)).count()
    }

    pub(super) fn next(&mut self) -> Option<usize> {
        let next = self.set.get(self.looked_at).copied()?;
        self.looked_at += 1;
        Some(next)
    }

    /// Remembers that the set becomes too large with this transition, which is possible: what was looked at last leads
    /// there, and so does all that led to it, also in another set.
    pub(super) fn is_too_large_with(&mut self, transition: usize) {
        let mut at = self.looked_at - 1;
        loop {
            self.led_to[self.set[at]] = (self.state, transition);
            if at == 0 {
                return;
            }
            at = self.required_by[at];
        }
    }

    /// Where a transition has led in another set of this state.
    pub(super) fn led_to(&self, transition: usize) -> Option<usize> {
        let (state, other) = self.led_to[transition];
        (state == self.state && !self.has(other)).then_some(other)
    }
}
