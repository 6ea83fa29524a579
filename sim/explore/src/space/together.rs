//! Several threads look for states together.
//!
//! First each looks where its share of the states leads, and only reads what is known. Then each enters
//! what was found, but only where the hash is its own; what is new gets a number for the time being. Last
//! one thread goes through everything in the order in which it would have come up to one alone, and gives
//! what is new the numbers that it would have got. So nothing depends on how many threads there are.

use std::ops::Range;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::memo::{Move, News, Walk};
use super::shards::{SHARDS, Shard, hash, shard_of};
use super::{BATCH, Edge, IsNew, Pending, Space};

/// Threads that look for states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookers {
    /// How many there are.
    pub threads: usize,
    /// So many states at most each of them looks at before they meet; where there are no more than that
    /// together, one alone looks.
    pub share: u32,
}

impl Default for Lookers {
    fn default() -> Self {
        Self { threads: 1, share: 8_192 }
    }
}

/// Where some states lead, as one thread saw it.
#[derive(Default)]
pub(super) struct View {
    states: Range<u32>,
    pending: Vec<Pending>,
    /// Where each of these leads, packed, with its hash.
    packed: Vec<u64>,
    hashes: Vec<u32>,
    /// How many there are in the views before this one.
    before: u32,
    /// States with a step that nobody has performed yet, or that cannot be performed to its end.
    unknown: Vec<u32>,
    row: Vec<u32>,
    moves: Vec<Move>,
    walk: Walk,
}

/// What one thread entered.
#[derive(Default)]
struct Entered {
    /// The rows in order. What is new has a number for the time being: that of the next row, and as many
    /// more as there were places before it.
    rows: Vec<u32>,
    new: Vec<New>,
}

/// A new row: in which shard of its owner and in which slot it is, and its place among all.
struct New {
    shard: usize,
    at: usize,
    place: u32,
}

impl Space<'_> {
    /// Lets several threads look where the first of these states lead, if that is worth it and there will
    /// not be more states than this; gives the end of what was looked at.
    pub fn expand_together(
        &mut self,
        states: Range<u32>,
        (lookers, most): (Lookers, u64),
        edges: &mut Vec<Edge>,
    ) -> u32 {
        let Range { start, end } = states;
        let threads = lookers.threads.min(SHARDS) as u32;
        let shares = (end - start).div_ceil(lookers.share).min(threads);
        if shares < 2 || self.order.is_some() || self.symmetry.is_some() {
            return start;
        }
        let Some(pool) = self.pool.take().or_else(|| pool_of(threads as usize)) else {
            return start;
        };
        let mut views = std::mem::take(&mut self.views);
        views.resize_with(shares as usize, View::default);
        let end = end.min(start + shares * lookers.share);
        for (number, view) in (0..shares).zip(&mut views) {
            let border = |number: u32| start + (end - start) / shares * number;
            view.states = border(number)..border(number + 1);
        }
        views.last_mut().expect("there are two or more").states.end = end;
        let complete = self.look_and_learn(&pool, &mut views) && {
            let places = views.iter().map(|view| view.pending.len()).sum::<usize>();
            (self.states() + places) as u64 <= most
        };
        if complete {
            self.enter_together(&pool, &mut views, edges);
        }
        self.views = views;
        self.pool = Some(pool);
        if complete { end } else { start }
    }

    /// Lets everybody look, until nothing is unknown any more. Not so if something ends the search: where
    /// exactly, one thread alone has to see.
    fn look_and_learn(&mut self, pool: &ThreadPool, views: &mut [View]) -> bool {
        loop {
            let space = &*self;
            pool.install(|| views.par_iter_mut().for_each(|view| view.look(space)));
            let unknown = views.iter().flat_map(|view| view.unknown.iter().copied());
            let unknown: Vec<u32> = unknown.collect();
            if unknown.is_empty() {
                return true;
            }
            let performed = self.performed;
            for state in unknown {
                self.batch.clear();
                self.rows.unpack(state, &mut self.row);
                self.moves(state);
            }
            if self.performed == performed || self.refused.is_some() || self.outgrown {
                return false;
            }
        }
    }

    fn enter_together(&mut self, pool: &ThreadPool, views: &mut [View], edges: &mut Vec<Edge>) {
        let mut places = 0;
        for view in &mut *views {
            view.before = places;
            places += u32::try_from(view.pending.len()).expect("a share is small");
        }
        let base = self.rows.next();
        let mut shards = self.rows.take_shards();
        let each = SHARDS.div_ceil(views.len());
        let (space, views) = (&*self, &*views);
        let enter = |(number, shards): (usize, &mut [Shard])| {
            View::enter_all(views, space, number * each, shards)
        };
        let entered: Vec<Entered> =
            pool.install(|| shards.par_chunks_mut(each).enumerate().map(enter).collect());
        let mut numbers = vec![0; places as usize];
        let mut left: Vec<_> = entered.iter().map(|owner| owner.rows.iter()).collect();
        for view in views {
            let words = self.rows.words();
            let packed = view.packed.chunks_exact(words).zip(&view.hashes);
            for ((pending, (packed, hash)), place) in
                view.pending.iter().zip(packed).zip(view.before..)
            {
                let row = *left[shard_of(*hash) / each].next().expect("each has one owner");
                let (to, new) = match row.checked_sub(base) {
                    None => (row, IsNew::Known),
                    Some(first) if first < place => (numbers[first as usize], IsNew::Known),
                    Some(_) => {
                        let number = self.rows.next();
                        self.rows.push(packed);
                        numbers[place as usize] = number;
                        (number, IsNew::New)
                    }
                };
                let Pending { from, what, effect } = *pending;
                edges.push(Edge { from, what, to, new, effect });
            }
        }
        let renumber = |(shards, entered): (&mut [Shard], &Entered)| {
            for New { shard, at, place } in &entered.new {
                shards[*shard].renumber(*at, numbers[*place as usize]);
            }
        };
        pool.install(|| shards.par_chunks_mut(each).zip(&entered).for_each(renumber));
        self.rows.give_back(shards);
    }
}

/// So many threads; none if the system gives none, and then one alone looks.
fn pool_of(threads: usize) -> Option<ThreadPool> {
    ThreadPoolBuilder::new().num_threads(threads).build().ok()
}

impl View {
    fn look(&mut self, space: &Space) {
        self.pending.clear();
        self.packed.clear();
        self.hashes.clear();
        self.unknown.clear();
        self.row.resize(space.row.len(), 0);
        for state in self.states.clone() {
            self.look_from(space, state);
        }
        let words = space.rows.words();
        self.hashes.extend(self.packed.chunks_exact(words).map(hash));
    }

    /// Sees where a state leads, if that is known.
    fn look_from(&mut self, space: &Space, state: u32) {
        space.rows.unpack(state, &mut self.row);
        space.moves_in(&self.row, &mut self.moves);
        let first = self.pending.len();
        for what in &self.moves {
            let known = space.memo.effects(what.number(), &self.row, &mut self.walk).is_ok();
            let ends = |effect: &u32| {
                let news = space.memo.effect(*effect).news;
                matches!(news, News::Endless(_) | News::TooManyAnswers(_))
            };
            if !known || self.walk.found.iter().any(ends) {
                self.pending.truncate(first);
                self.unknown.push(state);
                return;
            }
            let pending = |effect: &u32| Pending { from: state, what: *what, effect: *effect };
            self.pending.extend(self.walk.found.iter().map(pending));
        }
        for pending in &self.pending[first..] {
            space.lead(*pending, &mut self.packed);
        }
    }

    /// Enters those of all targets that belong to these shards, the first of which has this number.
    fn enter_all(views: &[View], space: &Space, first: usize, shards: &mut [Shard]) -> Entered {
        let own = first..first + shards.len();
        let mut counts = [0; SHARDS];
        let hashes = views.iter().flat_map(|view| &view.hashes);
        hashes.for_each(|hash| counts[shard_of(*hash)] += 1);
        for (shard, count) in shards.iter_mut().zip(&counts[own.clone()]) {
            shard.reserve(*count);
        }
        let mut entered = Entered::default();
        for view in views {
            let mut at = 0;
            for hashes in view.hashes.chunks(4 * BATCH as usize) {
                let mine = hashes.iter().filter(|hash| own.contains(&shard_of(**hash)));
                let fetched =
                    mine.fold(0, |all, hash| all ^ shards[shard_of(*hash) - first].first(*hash));
                std::hint::black_box(fetched);
                for hash in hashes {
                    if own.contains(&shard_of(*hash)) {
                        let shard = shard_of(*hash) - first;
                        view.enter(views, space, at, (shard, &mut shards[shard]), &mut entered);
                    }
                    at += 1;
                }
            }
        }
        entered
    }

    /// Enters one target of this view into its shard.
    fn enter(
        &self,
        views: &[View],
        space: &Space,
        at: usize,
        (shard, slots): (usize, &mut Shard),
        entered: &mut Entered,
    ) {
        let rows = &space.rows;
        let base = rows.next();
        let place = self.before + at as u32;
        let packed = self.target(rows.words(), at);
        let is_it = |row: u32| match row.checked_sub(base) {
            None => rows.packed(row) == packed,
            Some(place) => {
                let whose = views.partition_point(|view| view.before <= place) - 1;
                let at = (place - views[whose].before) as usize;
                views[whose].target(rows.words(), at) == packed
            }
        };
        let row = match slots.place(self.hashes[at], is_it) {
            Ok(row) => row,
            Err(slot) => {
                let row = base.checked_add(place).expect("the memory limit comes first");
                slots.put(slot, self.hashes[at], row);
                entered.new.push(New { shard, at: slot, place });
                row
            }
        };
        entered.rows.push(row);
    }

    fn target(&self, words: usize, at: usize) -> &[u64] {
        &self.packed[at * words..(at + 1) * words]
    }
}
