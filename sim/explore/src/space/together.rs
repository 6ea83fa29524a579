//! Several threads look for states together.
//!
//! First each looks where its share of the states leads, and only reads what is known. Then each enters
//! what was found, but only where the hash is its own. What is new gets the number that it would have got
//! from one thread alone: how many new ones there were before it in the order in which that one would have
//! come up to them. So nothing depends on how many threads there are, and each part of the work is shared.

use std::hint::black_box;
use std::ops::Range;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::memo::{Move, Walk};
use super::shards::{SHARDS, Shard, hash, shard_of};
use super::walks::{OneWalk, Walks};
use super::{BATCH, Delivery, Pending, Space};

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
        Self { threads: 1, share: 32_768 }
    }
}

/// What was found out about states that were looked at together.
pub struct Together {
    /// The end of those states.
    pub end: u32,
    /// How many ways lead on from them.
    pub edges: u64,
    /// Those that no way leads on from, in order.
    pub sinks: Vec<u32>,
    /// Those in which nothing but a timeout goes on, in order.
    pub masked: Vec<u32>,
    /// Whether a way leads to a state that was not discovered later.
    pub goes_back: bool,
    /// Whether all messages arrive.
    pub delivery: Delivery,
}

/// The threads, and what each works with: it is big, and used again.
pub(super) struct Team {
    pool: ThreadPool,
    views: Vec<View>,
    entered: Vec<Entered>,
}

/// Where some states lead, as one thread saw it.
struct View {
    states: Range<u32>,
    pending: Vec<Pending>,
    /// Where each of these leads, packed.
    packed: Vec<u64>,
    /// For each owner of shards the hashes that are his, and which of these have them.
    hashes: Vec<Vec<(u32, u32)>>,
    /// How many there are in the views before this one: so each has a place among all.
    before: u32,
    /// The places of those that lead to new states, in order, and the number of the first.
    new: Vec<u32>,
    first: u32,
    sinks: Vec<u32>,
    masked: Vec<u32>,
    delivery: Delivery,
    /// States with a step that nobody has performed yet, or that cannot be performed to its end.
    unknown: Vec<u32>,
    row: Vec<u32>,
    moves: Vec<Move>,
    walk: Walk,
    walks: Walks,
}

/// What the owner of some shards entered.
#[derive(Default)]
struct Entered {
    new: Vec<New>,
    goes_back: bool,
}

/// A new row: in which shard of its owner and in which slot it is, and its place.
struct New {
    shard: usize,
    at: usize,
    place: u32,
}

/// How far several threads could see.
enum Looked {
    /// Wherever the states lead.
    Everywhere,
    /// There is much that nobody has performed yet, which is done by one alone.
    AtTheUnknown,
    /// Something ends the search; where exactly, one alone has to see.
    ToAnEnd,
}

/// In so many states at most something may be unknown; if it is in more, one alone looks at so many.
const MOST_UNKNOWN: usize = 4_096;
const ALONE: u32 = 4_096;

impl Space<'_> {
    /// Lets several threads look where the first of these states lead, if that is worth it and there will
    /// not be more states than this. Notes from where each new state was reached.
    pub fn expand_together(
        &mut self,
        states: Range<u32>,
        (lookers, most): (Lookers, u64),
        parents: &mut Vec<u32>,
    ) -> Option<Together> {
        let Range { start, end } = states;
        let threads = lookers.threads.min(SHARDS) as u32;
        let shares = (end - start).div_ceil(lookers.share).min(threads);
        let alone = start < self.alone_until || self.order.is_some() || self.symmetry.is_some();
        if shares < 2 || alone {
            return None;
        }
        let mut team = self.team.take().or_else(|| Team::of(threads as usize))?;
        let views = &mut team.views;
        views.resize_with(shares as usize, View::new);
        let end = end.min(start + shares * lookers.share);
        for (number, view) in (0..shares).zip(&mut *views) {
            let border = |number: u32| start + (end - start) / shares * number;
            view.states = border(number)..border(number + 1);
        }
        views.last_mut().expect("there are two or more").states.end = end;
        let places = |team: &Team| team.views.iter().map(|view| view.pending.len()).sum::<usize>();
        let found = match self.look_and_learn(&mut team) {
            Looked::Everywhere if (self.states() + places(&team)) as u64 <= most => {
                self.enter_together(&mut team, parents);
                Some(team.found(end))
            }
            Looked::Everywhere | Looked::ToAnEnd => {
                self.alone_until = u32::MAX;
                None
            }
            Looked::AtTheUnknown => {
                self.alone_until = start + ALONE;
                None
            }
        };
        self.team = Some(team);
        found
    }

    /// Lets everybody look, until nothing is unknown any more.
    fn look_and_learn(&mut self, Team { pool, views, .. }: &mut Team) -> Looked {
        for view in &mut *views {
            view.begin();
        }
        loop {
            let space = &*self;
            pool.install(|| views.par_iter_mut().for_each(|view| view.look(space)));
            let unknown = views.iter().flat_map(|view| view.unknown.iter().copied());
            let unknown: Vec<u32> = unknown.collect();
            if unknown.is_empty() {
                let space = &*self;
                let each = shards_each(views.len());
                pool.install(|| views.par_iter_mut().for_each(|view| view.follow(space, each)));
                return Looked::Everywhere;
            }
            if unknown.len() > MOST_UNKNOWN {
                return Looked::AtTheUnknown;
            }
            let performed = self.performed;
            for state in unknown {
                self.batch.clear();
                self.rows.unpack(state, &mut self.row);
                self.moves(state);
            }
            if self.performed == performed || self.refused.is_some() || self.outgrown {
                return Looked::ToAnEnd;
            }
        }
    }

    /// Enters what was seen.
    fn enter_together(&mut self, team: &mut Team, parents: &mut Vec<u32>) {
        let Team { pool, views, entered } = team;
        let mut places = 0;
        for view in &mut *views {
            view.before = places;
            places += u32::try_from(view.pending.len()).expect("a share is small");
        }
        let mut shards = self.rows.take_shards();
        let each = shards_each(views.len());
        let (space, seen) = (&*self, &*views);
        entered.resize_with(SHARDS.div_ceil(each), Entered::default);
        pool.install(|| {
            let owners = shards.par_chunks_mut(each).zip(&mut *entered).enumerate();
            owners.for_each(|(number, (shards, owner))| {
                owner.enter_all(seen, space, (number, each), shards);
            });
        });

        pool.install(|| views.par_iter_mut().for_each(|view| view.find_new(entered)));
        let mut number = self.rows.next();
        for view in &mut *views {
            view.first = number;
            number += view.new.len() as u32;
        }
        let words = self.rows.words();
        let count = (number - self.rows.next()) as usize;
        let known = parents.len();
        parents.resize(known + count, 0);
        let (mut rows, mut parents) = (self.rows.grow(count), &mut parents[known..]);
        let mut shares = Vec::new();
        for view in &*views {
            let (own_rows, other_rows) = rows.split_at_mut(view.new.len() * words);
            let (own_parents, other_parents) = parents.split_at_mut(view.new.len());
            (rows, parents) = (other_rows, other_parents);
            shares.push((view, own_rows, own_parents));
        }
        let write = |(view, rows, parents): (&View, &mut [u64], &mut [u32])| {
            view.write_new(words, rows, parents);
        };
        pool.install(|| shares.into_par_iter().for_each(write));

        let views = &*views;
        let renumber = |(shards, owner): (&mut [Shard], &Entered)| owner.number(views, shards);
        pool.install(|| shards.par_chunks_mut(each).zip(&*entered).for_each(renumber));
        self.rows.give_back(shards);
    }
}

/// How many shards each has of so many owners.
fn shards_each(owners: usize) -> usize {
    SHARDS.div_ceil(owners)
}

impl Team {
    /// So many threads; none if the system gives none, and then one alone looks.
    fn of(threads: usize) -> Option<Self> {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().ok()?;
        Some(Self { pool, views: Vec::new(), entered: Vec::new() })
    }

    fn found(&self, end: u32) -> Together {
        let failed = self.views.iter().any(|view| view.delivery == Delivery::Failed);
        Together {
            end,
            edges: self.views.iter().map(|view| view.pending.len() as u64).sum(),
            sinks: self.views.iter().flat_map(|view| view.sinks.iter().copied()).collect(),
            masked: self.views.iter().flat_map(|view| view.masked.iter().copied()).collect(),
            goes_back: self.entered.iter().any(|owner| owner.goes_back),
            delivery: if failed { Delivery::Failed } else { Delivery::Good },
        }
    }
}

impl Entered {
    /// Enters those of all targets that belong to the owner with this number, who has these shards of so
    /// many each.
    fn enter_all(
        &mut self,
        views: &[View],
        space: &Space,
        (number, each): (usize, usize),
        shards: &mut [Shard],
    ) {
        self.new.clear();
        self.goes_back = false;
        let first = number * each;
        let mut counts = [0; SHARDS];
        let hashes = views.iter().flat_map(|view| &view.hashes[number]);
        hashes.for_each(|(hash, _)| counts[shard_of(*hash)] += 1);
        for (shard, count) in shards.iter_mut().zip(&counts[first..]) {
            shard.reserve(*count);
        }
        let rows = &space.rows;
        let base = rows.next();
        for view in views {
            for targets in view.hashes[number].chunks(4 * BATCH as usize) {
                // As `Rows::fetch`.
                let hashes = || targets.iter().map(|(hash, _)| *hash);
                let shard = |hash: u32| &shards[shard_of(hash) - first];
                black_box(hashes().fold(0, |all, hash| all ^ shard(hash).first(hash)));
                let likely = hashes().filter_map(|hash| shard(hash).likely(hash));
                let known = likely.filter(|row| *row < base);
                black_box(known.fold(0, |all, row| all ^ rows.packed(row)[0]));
                for (hash, at) in targets {
                    let shard = shard_of(*hash) - first;
                    self.enter(views, space, (view, *at, *hash), (shard, &mut shards[shard]));
                }
            }
        }
    }

    /// Enters one target of a view into its shard.
    fn enter(
        &mut self,
        views: &[View],
        space: &Space,
        (view, at, hash): (&View, u32, u32),
        (shard, slots): (usize, &mut Shard),
    ) {
        let rows = &space.rows;
        let base = rows.next();
        let place = view.before + at;
        let packed = view.target(rows.words(), at as usize);
        let is_it = |row: u32| match row.checked_sub(base) {
            None => rows.packed(row) == packed,
            Some(place) => {
                let whose = &views[views.partition_point(|view| view.before <= place) - 1];
                whose.target(rows.words(), (place - whose.before) as usize) == packed
            }
        };
        match slots.place(hash, is_it) {
            Ok(row) => self.goes_back |= row <= view.pending[at as usize].from,
            Err(slot) => {
                let row = base.checked_add(place).expect("the memory limit comes first");
                slots.put(slot, hash, row);
                self.new.push(New { shard, at: slot, place });
            }
        }
    }

    /// Gives the new rows their numbers.
    fn number(&self, views: &[View], shards: &mut [Shard]) {
        let mut new = self.new.iter().peekable();
        for view in views {
            for (number, place) in (view.first..).zip(&view.new) {
                if let Some(own) = new.next_if(|own| own.place == *place) {
                    shards[own.shard].renumber(own.at, number);
                }
            }
        }
    }
}

impl View {
    fn new() -> Self {
        Self {
            states: 0..0,
            pending: Vec::new(),
            packed: Vec::new(),
            hashes: Vec::new(),
            before: 0,
            new: Vec::new(),
            first: 0,
            sinks: Vec::new(),
            masked: Vec::new(),
            delivery: Delivery::Good,
            unknown: Vec::new(),
            row: Vec::new(),
            moves: Vec::new(),
            walk: Walk::default(),
            walks: Walks::default(),
        }
    }

    fn begin(&mut self) {
        self.pending.clear();
        self.sinks.clear();
        self.masked.clear();
        self.unknown.clear();
        self.unknown.extend(self.states.clone());
    }

    /// Sees where the states lead of which that was unknown.
    fn look(&mut self, space: &Space) {
        self.row.resize(space.row.len(), 0);
        let known = self.pending.len();
        let states = std::mem::take(&mut self.unknown);
        let mut walks = std::mem::take(&mut self.walks);
        for states in states.chunks(BATCH as usize) {
            walks.walk(space, states.iter().copied());
            let mut at = 0;
            for state in states {
                let own = walks.all[at..].iter().take_while(|walk| walk.state == *state);
                let own = &walks.all[at..at + own.count()];
                at += own.len();
                if !self.walked_from(space, own) {
                    self.look_from(space, *state);
                }
            }
        }
        self.walks = walks;
        if known > 0 && self.pending.len() > known {
            // Most are in order: the sort finds that out.
            self.pending.sort_by_key(|pending| pending.from);
            self.sinks.sort_unstable();
            self.masked.sort_unstable();
        }
    }

    /// Notes where these walks from one state lead, if they are all that there is to say of it.
    fn walked_from(&mut self, space: &Space, walks: &[OneWalk]) -> bool {
        let goes_on = |effect: &u32| !space.memo.effect(*effect).news.ends();
        let plain = |walk: &OneWalk| walk.effect.is_some_and(|effect| goes_on(&effect));
        let is_timeout = |walk: &OneWalk| matches!(walk.what, Move::Expire(_));
        // Where nothing happens, or nothing but timeouts, there is more to see.
        if !walks.iter().all(plain) || walks.iter().all(is_timeout) {
            return false;
        }
        let pending = |walk: &OneWalk| {
            let OneWalk { state: from, what, effect, .. } = *walk;
            effect.map(|effect| Pending { from, what, effect })
        };
        self.pending.extend(walks.iter().filter_map(pending));
        true
    }

    /// Sees where a state leads, if that is known.
    fn look_from(&mut self, space: &Space, state: u32) {
        space.rows.unpack(state, &mut self.row);
        space.moves_in(&self.row, &mut self.moves);
        let first = self.pending.len();
        for what in &self.moves {
            let known = space.memo.effects(what.number(), &self.row, &mut self.walk).is_ok();
            let ends = |effect: &u32| space.memo.effect(*effect).news.ends();
            if !known || self.walk.found.iter().any(ends) {
                self.pending.truncate(first);
                self.unknown.push(state);
                return;
            }
            let pending = |effect: &u32| Pending { from: state, what: *what, effect: *effect };
            self.pending.extend(self.walk.found.iter().map(pending));
        }
        if self.pending.len() == first {
            self.sinks.push(state);
        } else if self.moves.iter().all(|what| space.is_timeout_where(*what, |at| self.row[at])) {
            self.masked.push(state);
        }
    }

    /// Packs the states that the ways lead to, for owners of so many shards each.
    fn follow(&mut self, space: &Space, each: usize) {
        self.packed.clear();
        self.hashes.resize_with(SHARDS.div_ceil(each), Vec::new);
        self.hashes.iter_mut().for_each(Vec::clear);
        self.delivery = Delivery::Good;
        let words = space.rows.words();
        for (at, pending) in (0..).zip(&self.pending) {
            let start = self.packed.len();
            space.lead(*pending, &mut self.packed);
            let hash = hash(&self.packed[start..start + words]);
            self.hashes[shard_of(hash) / each].push((hash, at));
            if space.memo.effect(pending.effect).delivery == Delivery::Failed {
                self.delivery = Delivery::Failed;
            }
        }
    }

    /// Finds where this view led to something new.
    fn find_new(&mut self, entered: &[Entered]) {
        let end = self.before + self.pending.len() as u32;
        self.new.clear();
        for owner in entered {
            let from = owner.new.partition_point(|new| new.place < self.before);
            let to = owner.new.partition_point(|new| new.place < end);
            self.new.extend(owner.new[from..to].iter().map(|new| new.place));
        }
        self.new.sort_unstable();
    }

    /// Writes the new rows, and from where they were reached.
    fn write_new(&self, words: usize, rows: &mut [u64], parents: &mut [u32]) {
        for ((place, row), parent) in self.new.iter().zip(rows.chunks_exact_mut(words)).zip(parents)
        {
            let at = (place - self.before) as usize;
            row.copy_from_slice(self.target(words, at));
            *parent = self.pending[at].from;
        }
    }

    fn target(&self, words: usize, at: usize) -> &[u64] {
        &self.packed[at * words..(at + 1) * words]
    }
}
