//! Several threads search for states together.
//!
//! Some compute the successors of the next states, and only read what is known. Meanwhile one
//! enters the successors of the states before those, in the order in which a single thread would
//! have found them. So the result does not depend on the number of threads.

use std::hint::black_box;
use std::ops::Range;

use super::super::Space;
use super::super::codec::parts::Is;
use super::super::steps::Pending;
use super::super::steps::cache::{Delivery, Move, Step, Walk};
use super::super::steps::walks::{OneWalk, Walks};
use super::pool::Pool;
use super::shards::{Shard, hash, shard_of};
use super::{BATCH, Store};

/// The threads that search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookers {
    /// How many there are.
    pub threads: usize,
    /// How many states each of them expands between two meetings; if a level has no more than this
    /// left, a single thread searches.
    pub share: u32,
}

impl Default for Lookers {
    fn default() -> Self {
        Self { threads: 1, share: 4_096 }
    }
}

/// The result of expanding states together.
pub struct Together {
    /// The end of those states.
    pub end: u32,
    /// How many transitions lead out of them.
    pub edges: u64,
    /// The states without outgoing transitions, in order.
    pub sinks: Vec<u32>,
    /// The states in which only a timeout can happen, in order.
    pub masked: Vec<u32>,
    /// Whether a transition leads to a state that was not discovered later than its source.
    pub goes_back: bool,
    /// Whether all messages arrive.
    pub delivery: Delivery,
}

/// The threads that search together, once they are needed.
#[derive(Default)]
pub(crate) struct Crew {
    team: Option<Team>,
    /// Up to this state a single thread searches.
    alone_until: u32,
}

/// The threads and their buffers, which are large and reused.
struct Team {
    pool: Pool,
    /// The known successors of the next states. There are more views than threads, so that the
    /// thread that enters can help the others afterwards.
    ahead: Vec<View>,
    /// The successors of the states before those, to be entered.
    behind: Vec<View>,
    /// The newly entered rows.
    fresh: Vec<u64>,
}

/// The successors of some states, as one thread saw them.
struct View {
    states: Range<u32>,
    pending: Vec<Pending>,
    /// The target of each of these, packed; below, its hash.
    packed: Vec<u64>,
    hashes: Vec<u32>,
    sinks: Vec<u32>,
    masked: Vec<u32>,
    delivery: Delivery,
    /// States with a step that was never performed, or that cannot be performed to its end.
    unknown: Vec<u32>,
    row: Vec<u32>,
    moves: Vec<Move>,
    walk: Walk,
    walks: Walks,
}

/// How far several threads could see.
enum Looked {
    /// All successors.
    Everywhere,
    /// Many steps were never performed; a single thread performs them.
    AtTheUnknown,
    /// Something ends the search; a single thread must find out where exactly.
    ToAnEnd,
}

/// The number of views per thread.
const VIEWS: usize = 4;
/// How often the threads meet before they report progress.
const MEETINGS: u32 = 64;
/// A view holds at most about this many bytes.
const VIEW_BYTES: u64 = 4 << 20;
/// If more than `MOST_UNKNOWN` states have something unknown, a single thread expands the next `ALONE` states.
const MOST_UNKNOWN: usize = 4_096;
const ALONE: u32 = 4_096;

impl Space<'_> {
    /// Lets several threads expand the first of these states, if that is worth it and the number of
    /// states stays within the limit. About `ways_of_one` transitions lead out of a state. Records
    /// the parent of each new state.
    pub fn expand_together(
        &mut self,
        states: Range<u32>,
        (lookers, most): (Lookers, u64),
        ways_of_one: u64,
        parents: &mut Vec<u32>,
    ) -> Option<Together> {
        // If states have many transitions, or rows are long, fewer states are expanded together.
        let bytes_of_one = ways_of_one * (self.store.rows.words() as u64 * 8 + 32);
        let fit = u32::try_from(VIEW_BYTES / bytes_of_one.max(1)).unwrap_or(u32::MAX);
        let lookers = Lookers { share: lookers.share.min(fit.max(1) * VIEWS as u32), ..lookers };
        let alone = states.start < self.crew.alone_until
            || self.is_reduced()
            || lookers.threads < 2
            || states.end - states.start <= lookers.share;
        if alone {
            return None;
        }
        let mut team = self.crew.team.take().or_else(|| Team::of(lookers.threads))?;
        let found = self.expand_with(&mut team, &states, (lookers.share, most), parents);
        self.crew.team = Some(team);
        (found.end > states.start).then_some(found)
    }

    fn expand_with(
        &mut self,
        team: &mut Team,
        states: &Range<u32>,
        (share, most): (u32, u64),
        parents: &mut Vec<u32>,
    ) -> Together {
        let share = share.div_ceil(VIEWS as u32);
        let chunk = share.saturating_mul(team.ahead.len() as u32);
        let end = states.end.min(states.start.saturating_add(chunk.saturating_mul(MEETINGS)));
        let mut found = Together::nothing(states.start);
        let mut at = states.start;
        team.behind.iter_mut().for_each(|view| view.begin(at..at));
        loop {
            let targets: usize = team.behind.iter().map(|view| view.pending.len()).sum();
            if (self.states() + targets) as u64 > most {
                self.crew.alone_until = u32::MAX;
                break;
            }
            let next = at..end.min(at.saturating_add(chunk));
            for (number, view) in (0..).zip(&mut team.ahead) {
                let from = next.end.min(next.start + number * share);
                view.begin(from..next.end.min(from + share));
            }
            let goes_back = self.look_and_enter(team, parents);
            found.add(&team.behind, goes_back);
            self.steps.work +=
                team.behind.iter().map(|view| view.pending.len() as u64).sum::<u64>();
            if next.is_empty() || self.is_cut() {
                break;
            }
            match self.learn(team) {
                Looked::Everywhere => {}
                Looked::AtTheUnknown => {
                    self.crew.alone_until = at + ALONE;
                    break;
                }
                Looked::ToAnEnd => {
                    self.crew.alone_until = u32::MAX;
                    break;
                }
            }
            std::mem::swap(&mut team.ahead, &mut team.behind);
            at = next.end;
        }
        found
    }

    /// Looks up the successors of the states ahead, enters those behind. Returns whether a transition leads back.
    fn look_and_enter(&mut self, team: &mut Team, parents: &mut Vec<u32>) -> bool {
        let mut shards = self.store.rows.take_shards();
        let Team { pool, ahead, behind, fresh } = team;
        let space = &*self;
        let look = |view: &mut View| {
            view.look(space);
            if view.unknown.is_empty() {
                view.follow(space);
            }
        };
        let enter = || {
            let mut goes_back = false;
            for view in &*behind {
                goes_back |= view.enter(space, &mut shards, fresh, parents);
            }
            goes_back
        };
        let goes_back = pool.each_while(ahead, look, enter);
        self.store.rows.give_back(shards, fresh);
        fresh.clear();
        goes_back
    }

    /// Performs the steps of the states ahead that were never performed.
    fn learn(&mut self, Team { pool, ahead, .. }: &mut Team) -> Looked {
        let mut all_known = true;
        loop {
            let unknown = ahead.iter().flat_map(|view| view.unknown.iter().copied());
            let unknown: Vec<u32> = unknown.collect();
            if unknown.is_empty() {
                break;
            }
            all_known = false;
            if unknown.len() > MOST_UNKNOWN {
                return Looked::AtTheUnknown;
            }
            let performed = self.steps.performed;
            for state in unknown {
                self.pending.clear();
                self.store.rows.unpack(state, &mut self.row);
                self.steps.all((state, &self.row), &mut self.pending);
            }
            let trouble = &self.steps.trouble;
            let is_in_vain = self.steps.performed == performed || trouble.refused.is_some();
            if is_in_vain || trouble.outgrown == Is::So {
                return Looked::ToAnEnd;
            }
            let space = &*self;
            pool.each(ahead, |view| view.look(space));
        }
        if !all_known {
            self.store.fit(&mut self.steps.codec);
            let space = &*self;
            pool.each(ahead, |view| view.follow(space));
        }
        Looked::Everywhere
    }
}

impl Team {
    /// A team of this many threads; none if the system refuses, and then a single thread searches.
    fn of(threads: usize) -> Option<Self> {
        let pool = Pool::of(threads)?;
        let views = || (0..VIEWS * threads).map(|_| View::new()).collect();
        Some(Self { pool, ahead: views(), behind: views(), fresh: Vec::new() })
    }
}

impl Together {
    fn nothing(end: u32) -> Self {
        Self {
            end,
            edges: 0,
            sinks: Vec::new(),
            masked: Vec::new(),
            goes_back: false,
            delivery: Delivery::Good,
        }
    }

    /// Adds what these views entered.
    fn add(&mut self, views: &[View], goes_back: bool) {
        self.goes_back |= goes_back;
        for view in views {
            self.end = self.end.max(view.states.end);
            self.edges += view.pending.len() as u64;
            self.sinks.extend(&view.sinks);
            self.masked.extend(&view.masked);
            if view.delivery == Delivery::Failed {
                self.delivery = Delivery::Failed;
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

    fn begin(&mut self, states: Range<u32>) {
        self.states = states;
        self.pending.clear();
        self.packed.clear();
        self.hashes.clear();
        self.sinks.clear();
        self.masked.clear();
        self.unknown.clear();
        self.unknown.extend(self.states.clone());
    }

    /// Looks up the successors of the states for which something was unknown.
    fn look(&mut self, space: &Space) {
        self.row.resize(space.row.len(), 0);
        let known = self.pending.len();
        let states = std::mem::take(&mut self.unknown);
        let mut walks = std::mem::take(&mut self.walks);
        for states in states.chunks(space.batch() as usize) {
            walks.walk((&space.steps, &space.store.rows), states.iter().copied());
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
            // Most are already in order, and the sort benefits from that.
            self.pending.sort_by_key(|pending| pending.from);
            self.sinks.sort_unstable();
            self.masked.sort_unstable();
        }
    }

    /// Records where these walks from one state lead, if they tell everything about it.
    fn walked_from(&mut self, space: &Space, walks: &[OneWalk]) -> bool {
        let goes_on = |effect: &u32| !space.steps.cache.effect(*effect).achieved.ends();
        let plain = |walk: &OneWalk| walk.effect.is_some_and(|effect| goes_on(&effect));
        let is_timeout = |walk: &OneWalk| matches!(walk.what, Move::Expire(_));
        // If nothing happens, or only timeouts, there is more to find out.
        if !walks.iter().all(plain) || walks.iter().all(is_timeout) {
            return false;
        }
        let pending = |walk: &OneWalk| {
            let OneWalk { state: from, what, effect, .. } = *walk;
            effect.map(|effect| Pending { from, step: Step::alone(what), effect })
        };
        self.pending.extend(walks.iter().filter_map(pending));
        true
    }

    /// Looks up the successors of a state, if they are known.
    fn look_from(&mut self, space: &Space, state: u32) {
        space.store.rows.unpack(state, &mut self.row);
        space.steps.moves_in(&self.row, &mut self.moves);
        let first = self.pending.len();
        for what in &self.moves {
            let known =
                space.steps.cache.effects(Step::alone(*what), &self.row, &mut self.walk).is_ok();
            let ends = |effect: &u32| space.steps.cache.effect(*effect).achieved.ends();
            if !known || self.walk.found.iter().any(ends) {
                self.pending.truncate(first);
                self.unknown.push(state);
                return;
            }
            let pending =
                |effect: &u32| Pending { from: state, step: Step::alone(*what), effect: *effect };
            self.pending.extend(self.walk.found.iter().map(pending));
        }
        if self.pending.len() == first {
            self.sinks.push(state);
        } else if self.moves.iter().all(|what| space.steps.is_timeout(*what, |at| self.row[at])) {
            self.masked.push(state);
        }
    }

    /// Packs the target states.
    fn follow(&mut self, space: &Space) {
        self.packed.clear();
        self.hashes.clear();
        self.delivery = Delivery::Good;
        let words = space.store.rows.words();
        for pending in &self.pending {
            let at = self.packed.len();
            Store::lead(&space.store.rows, &space.steps, *pending, &mut self.packed);
            self.hashes.push(hash(&self.packed[at..at + words]));
            if space.steps.cache.effect(pending.effect).delivery == Delivery::Failed {
                self.delivery = Delivery::Failed;
            }
        }
    }

    /// Enters the targets, in order: new ones are appended to the fresh rows.
    fn enter(
        &self,
        space: &Space,
        shards: &mut [Shard],
        fresh: &mut Vec<u64>,
        parents: &mut Vec<u32>,
    ) -> bool {
        let rows = &space.store.rows;
        let base = rows.next();
        let words = rows.words();
        let mut next = base + (fresh.len() / words) as u32;
        let mut goes_back = false;
        let mut targets =
            self.pending.iter().zip(self.packed.chunks_exact(words)).zip(&self.hashes);
        for hashes in self.hashes.chunks(4 * BATCH as usize) {
            // As in `Rows::fetch`.
            let shard = |hash: u32| &shards[shard_of(hash)];
            black_box(hashes.iter().fold(0, |all, hash| all ^ shard(*hash).first(*hash)));
            let likely = hashes.iter().filter_map(|hash| shard(*hash).likely(*hash));
            let known = likely.filter(|row| *row < base);
            black_box(known.fold(0, |all, row| all ^ rows.packed(row)[0]));
            for ((pending, packed), hash) in targets.by_ref().take(hashes.len()) {
                let slots = &mut shards[shard_of(*hash)];
                let is_it = |row: u32| match row.checked_sub(base) {
                    None => rows.packed(row) == packed,
                    Some(place) => fresh[place as usize * words..][..words] == *packed,
                };
                match slots.place(*hash, is_it) {
                    Ok(row) => goes_back |= row <= pending.from,
                    Err(slot) => {
                        slots.put(slot, *hash, next);
                        slots.reserve(1);
                        fresh.extend_from_slice(packed);
                        parents.push(pending.from);
                        next = next.checked_add(1).expect("the memory limit comes first");
                    }
                }
            }
        }
        goes_back
    }
}
