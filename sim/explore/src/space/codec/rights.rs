//! Counts how often each reply right is mentioned in a state, so that a number that nobody knows
//! any more can be reused.
//!
//! The kernel numbers the calls of a thread consecutively. A client that calls for ever would reach
//! new states for ever, although nobody can tell the hundredth call from the first once its
//! request, its answer and what servers remember of it are gone. So a new right gets the lowest
//! free number. The mention counts are parts of the state that each step keeps up to date: so what
//! a step does still depends only on the parts that it reads. A right that its caller has
//! abandoned, and that nobody else knows, is forgotten as well.

use std::collections::{BTreeMap, BTreeSet};

use ipcsim_kernel::{Rename, ReplyRight, ThreadId, Visit, Walk};

use super::parts::Part;

/// How often each right of one caller is mentioned: pairs of call number and count, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mentions(Vec<(u32, u32)>);

impl Mentions {
    /// The highest number that is mentioned, 0 if none is.
    pub(crate) fn highest(&self) -> u32 {
        self.0.last().map_or(0, |(call, _)| *call)
    }

    /// The lowest number from 1 that is not mentioned.
    fn lowest_free(&self) -> u32 {
        let taken = self.0.iter().zip(1..).take_while(|((call, _), number)| call == number);
        taken.count() as u32 + 1
    }

    fn has(&self, call: u32) -> bool {
        self.0.iter().any(|(other, _)| *other == call)
    }

    /// Adds this many mentions; returns the new count.
    fn change(&mut self, call: u32, by: i64) -> u32 {
        let at = self.0.partition_point(|(other, _)| *other < call);
        if self.0.get(at).is_none_or(|(other, _)| *other != call) {
            self.0.insert(at, (call, 0));
        }
        let count = i64::from(self.0[at].1) + by;
        let count = u32::try_from(count).expect("only what was mentioned is forgotten");
        self.0[at].1 = count;
        if count == 0 {
            self.0.remove(at);
        }
        count
    }

    /// Removes a right that is no longer mentioned anywhere.
    pub(crate) fn forget(&mut self, right: ReplyRight) {
        self.0.retain(|(call, _)| *call != right.call);
    }

    /// If the last call of a caller is new, has a right, and a lower number is free, renumbers it
    /// to that one.
    pub(crate) fn renumber_last(
        &mut self,
        caller: ThreadId,
        last_call: u32,
        highest_before: u32,
    ) -> Option<Renumbered> {
        let free = self.lowest_free();
        if last_call <= highest_before || !self.has(last_call) || free > last_call {
            return None;
        }
        self.renumber(last_call, free);
        Some(Renumbered { right: ReplyRight { caller, call: last_call }, call: free })
    }

    fn renumber(&mut self, call: u32, to: u32) {
        let at = self.0.iter().position(|(other, _)| *other == call).expect("it is mentioned");
        self.0[at].0 = to;
        self.0.sort_unstable();
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for (call, count) in &self.0 {
            out.extend_from_slice(&call.to_le_bytes());
            out.extend_from_slice(&count.to_le_bytes());
        }
    }
}

/// What a step does to the rights that its parts mention.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<ReplyRight, i64>);

impl Tally {
    /// Counts what a part mentions, `times` for each mention.
    pub(crate) fn count(&mut self, part: &Part, times: i64) {
        part.visit(&mut Counted { tally: &mut self.0, times });
    }

    /// The threads whose rights are mentioned more or less often than before.
    pub(crate) fn callers(&self) -> BTreeSet<ThreadId> {
        let changed = self.0.iter().filter(|(_, count)| **count != 0);
        changed.map(|(right, _)| right.caller).collect()
    }

    /// Updates the mentions of a caller. Returns the rights that are now mentioned only once.
    pub(crate) fn settle(&self, caller: ThreadId, mentions: &mut Mentions) -> Vec<ReplyRight> {
        let mut lone = Vec::new();
        for (right, count) in self.0.iter().filter(|(right, _)| right.caller == caller) {
            if *count != 0 && mentions.change(right.call, *count) == 1 {
                lone.push(*right);
            }
        }
        lone
    }
}

/// Renames one right and nothing else.
pub(crate) struct Renumbered {
    right: ReplyRight,
    call: u32,
}

impl Rename for Renumbered {
    fn right(&mut self, right: ReplyRight) -> ReplyRight {
        if right == self.right { ReplyRight { call: self.call, ..right } } else { right }
    }
}

/// Counts rights, `times` for each mention.
struct Counted<'a> {
    tally: &'a mut BTreeMap<ReplyRight, i64>,
    times: i64,
}

impl Visit for Counted<'_> {
    fn right(&mut self, right: ReplyRight) {
        *self.tally.entry(right).or_default() += self.times;
    }
}

impl Part {
    /// Gives a right its new number.
    pub(crate) fn renumber(&mut self, renumbered: &mut Renumbered) {
        // A process mentions no rights, and renaming would reorder its collections.
        if !matches!(self, Part::Process(_)) {
            self.rename(renumbered);
        }
    }
}
