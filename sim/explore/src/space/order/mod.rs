//! Partial-order reduction by stubborn sets: what does not depend on each other need not be tried in every order.
//!
//! A set of transitions is *stubborn* in a state if nothing outside it can disturb it or be disturbed by it (A. Valmari,
//! "Stubborn Sets for Reduced State Space Generation", 1991). Exploring only the possible transitions of one stubborn set in each
//! state reaches every state in which nothing moves any more, and goes on for ever if the system can. It is closed
//! from a possible transition like this:
//!
//! - of a possible one, all that compete with it: for its threads, and for what it takes from mailboxes or puts there;
//! - of an impossible one, all that could make it possible, as far as *one* thing is concerned that it lacks.
//!
//! On a first-in, first-out mailbox a send and a receive come to the same in either order if both are possible, so only two
//! sends, or two receives, compete. Whoever does not wait without limit is disturbed by what would end the wait.

mod asked;
pub(super) mod bits;
mod closing;
pub(super) mod code;
mod dependence;
mod net;
mod pool;
mod sights;

use ipcsim_kernel::{Bound, Machine, ProcessId, State, Thread, ThreadId, ThreadState};

use super::Looks;
use super::codec::parts::Is;
use super::lazy::reach::Reach;
use super::lazy::sides::Memory;
use super::lazy::{Caller, Lazy};
use super::steps::cache::{Came, Move, Step};
use super::steps::grain::Grain;
use super::steps::{Pending, Steps};
use asked::{Asked, Now, in_order_of_the_file};
use closing::Closing;
use net::{Net, Stands};

/// The calls of a machine, and what depends on what.
pub(super) struct PartialOrder {
    net: Net,
    /// Where a thread stands, by the number of its part, as far as it is known.
    places: Vec<Option<Where>>,
    closing: Closing,
    asked: Asked,
    view: View,
    trial: Trial,
}

/// Where a thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    /// At this place.
    At(usize),
    /// It has ended, or does not exist yet.
    Nowhere,
    /// Where the net does not have it.
    Elsewhere,
}

/// The threads of a state: their parts, and where they stand.
#[derive(Default)]
struct View {
    parts: Vec<u32>,
    at: Vec<Where>,
}

/// A thread in a state.
#[derive(Clone, Copy)]
struct Standing<'a> {
    thread: Option<&'a Thread>,
    reach: &'a Reach,
}

/// What was found among the closed sets of a state.
enum Smallest {
    /// There is none, because nothing can happen.
    NothingIsPossible,
    /// All are too large.
    None,
    /// None may be chosen.
    NoneMayBe,
    /// This one, which can go in so many ways.
    Set(usize, Vec<usize>),
}

/// How large a set is. The smaller the better, and one that must not be chosen is larger than all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Size {
    /// It can go in so many ways, or, if that is too many, in at least so many.
    Ways(usize),
    /// It must not be chosen.
    Forbidden,
}

/// So many members of lists are looked at in the time in which one step is looked up.
const SCANNED_AT_ONCE: u64 = 16;

/// In how many states something was left out.
#[derive(Default)]
struct Trial {
    states: usize,
    /// Those in which nothing was.
    whole: usize,
}

impl Trial {
    /// Whether leaving steps out is worth its time: finding out which takes longer than a step.
    fn pays(&self) -> bool {
        const ENOUGH_TO_TELL: usize = 10_000;
        self.states < ENOUGH_TO_TELL || self.whole + self.states / 8 < self.states
    }
}

impl PartialOrder {
    /// Analyses a machine with this initial state whose calls are lazy; `None` if it is too large.
    pub(super) fn of(
        machine: &Machine,
        state: &State,
        observed: (&Grain, Looks),
        memory: Memory,
    ) -> Option<Self> {
        let net = Net::of(machine, state, observed, memory)?;
        let (count, lists) = (net.inputs.len(), net.lists);
        let threads = state.threads.items().len();
        Some(Self {
            net,
            places: Vec::new(),
            closing: Closing::over(count, lists),
            asked: Asked::about(count, threads),
            view: View::default(),
            trial: Trial::default(),
        })
    }

    /// Whether it has left out enough so far to be worth its time.
    pub(super) fn pays(&self) -> bool {
        self.trial.pays()
    }

    /// Finds what can happen in a state, as far as it is in a stubborn set, as small as one was found. `None` if a thread
    /// stands where nothing is known of it, or none may be chosen.
    pub(super) fn find(
        &mut self,
        (steps, lazy): (&mut Steps, &mut Lazy),
        (state, row): (u32, &[u32]),
        found: &mut Vec<Pending>,
    ) -> Option<()> {
        self.look_at(steps, row)?;
        self.asked.begin();
        let mut closing = std::mem::replace(&mut self.closing, Closing::over(0, 0));
        let mut asked = std::mem::take(&mut self.asked);
        let mut now = Now { steps, lazy, state, row };
        closing.begin_state();
        let mut best = None;
        // Most sets are small, and a set that becomes too large is given up early.
        let mut most = 2;
        while best.is_none() {
            match self.smallest_below(most, &mut now, &mut asked, &mut closing) {
                Smallest::None => most *= 2,
                Smallest::NothingIsPossible => break,
                Smallest::NoneMayBe => {
                    (self.closing, self.asked) = (closing, asked);
                    return None;
                }
                Smallest::Set(ways, set) => best = Some((ways, set)),
            }
        }
        let scanned = std::mem::take(&mut closing.scanned) + self.view.at.len() as u64;
        now.steps.work += scanned / SCANNED_AT_ONCE;
        let (ways, set) = best.unwrap_or_default();
        self.trial.states += 1;
        // If it stopped at a single step there may have been others.
        self.trial.whole += usize::from(ways > 1 && ways == asked.pool.len());
        let first = found.len();
        for transition in set {
            found.extend_from_slice(self.ask(&mut now, &mut asked, transition));
        }
        found[first..].sort_by_key(|pending| in_order_of_the_file(pending.step));
        (self.closing, self.asked) = (closing, asked);
        Some(())
    }

    /// The smallest of the closed sets that can go in less than so many ways.
    fn smallest_below(
        &self,
        mut most: usize,
        now: &mut Now,
        asked: &mut Asked,
        closing: &mut Closing,
    ) -> Smallest {
        let mut smallest = Smallest::NothingIsPossible;
        for t in 0..self.view.at.len() {
            let Where::At(place) = self.view.at[t] else { continue };
            for seed in self.net.led_by(place) {
                if self.ask(now, asked, seed).is_empty() {
                    continue;
                }
                let size = self.close(now, asked, (seed, most), closing);
                closing.learn(seed, size);
                smallest = match (smallest, size) {
                    (_, Size::Ways(ways)) if ways < most => {
                        most = ways;
                        Smallest::Set(ways, closing.set.clone())
                    }
                    (Smallest::NothingIsPossible, Size::Forbidden) => Smallest::NoneMayBe,
                    (Smallest::NothingIsPossible | Smallest::NoneMayBe, Size::Ways(_)) => {
                        Smallest::None
                    }
                    (other, _) => other,
                };
                if size == Size::Ways(1) {
                    return smallest;
                }
            }
        }
        smallest
    }

    /// Looks where the threads of a state stand; `None` if one stands where the net does not have it.
    fn look_at(&mut self, steps: &Steps, row: &[u32]) -> Option<()> {
        let mut view = std::mem::take(&mut self.view);
        view.parts.clear();
        view.at.clear();
        for t in 0..steps.codec.layout.threads {
            let part = steps.codec.part_of_thread(row, t);
            view.parts.push(part);
            view.at.push(self.place(t, part, steps.codec.thread(part)));
        }
        self.view = view;
        (!self.view.at.contains(&Where::Elsewhere)).then_some(())
    }

    /// A thread of the state that is looked at.
    fn standing<'a>(&self, now: &'a mut Now, t: usize) -> Standing<'a> {
        let part = self.view.parts[t];
        now.lazy.learn(now.steps, part);
        let thread = now.steps.codec.thread(part);
        Standing { thread, reach: now.lazy.of_part(part) }
    }

    /// Where a thread stands that has this part.
    fn place(&mut self, t: usize, number: u32, thread: Option<&Thread>) -> Where {
        let number = number as usize;
        if self.places.len() <= number {
            self.places.resize(number + 1, None);
        }
        *self.places[number].get_or_insert_with(|| match thread {
            None => Where::Nowhere,
            Some(thread) if thread.state == ThreadState::Ended => Where::Nowhere,
            Some(thread) => self.net.place_of(t, thread).map_or(Where::Elsewhere, Where::At),
        })
    }

    /// The ways in which a transition can go in the state that is looked at; none if it is impossible.
    fn ask<'a>(&self, now: &mut Now, asked: &'a mut Asked, transition: usize) -> &'a [Pending] {
        if let Some(known) = asked.ways(transition) {
            return &asked.pool[known];
        }
        let first = asked.pool.len();
        let (one, other) = self.net.inputs[transition];
        let stands = |place: usize| self.view.at[self.thread_at(place)] == Where::At(place);
        if stands(one) && other.is_none_or(stands) {
            match other {
                None => self.ask_alone(now, asked, one),
                Some(other) => {
                    let [one, other] = [one, other].map(|place| self.caller(now, asked, place));
                    if let (Some(one), Some(other)) = (one, other) {
                        asked.add_meeting(now, &one, &other);
                        asked.add_meeting(now, &other, &one);
                    }
                }
            }
        }
        asked.learn(transition, first)
    }

    /// What a thread can do by itself.
    fn ask_alone(&self, now: &mut Now, asked: &mut Asked, place: usize) {
        let t = ThreadId::at(self.thread_at(place));
        let layout = now.steps.codec.layout;
        if self.net.places[place].stands == Stands::NotStarted {
            // The threads of a process start together, in the step of the first.
            let process = self.process_of(now, t.index());
            let is_first = t.index() == 0 || self.process_of(now, t.index() - 1) != process;
            let can_start = |process: &ProcessId| {
                let position = layout.process(process.index());
                now.steps.codec.can(now.row, position).start == Is::So
            };
            if let Some(process) = process.filter(can_start).filter(|_| is_first) {
                asked.add(now, Step::alone(Move::Start(process)));
            }
            return;
        }
        if let Some(caller) = self.caller(now, asked, place) {
            asked.add_call(now, t.index());
            if caller.came == Came::Waits(Bound::Bounded) {
                asked.add(now, Step { blocks: Some(t), what: Move::Expire(t) });
            }
        }
        let can = now.steps.codec.can(now.row, layout.thread(t.index()));
        if can.expire == Is::So {
            asked.add(now, Step::alone(Move::Expire(t)));
        }
        if can.local == Is::So {
            asked.add(now, Step::alone(Move::Local(t)));
        }
    }

    fn caller(&self, now: &mut Now, asked: &mut Asked, place: usize) -> Option<Caller> {
        let t = self.thread_at(place);
        asked.call(now, (t, self.view.parts[t]))
    }

    fn thread_at(&self, place: usize) -> usize {
        self.net.places[place].thread
    }

    fn process_of(&self, now: &Now, t: usize) -> Option<ProcessId> {
        now.steps.codec.thread(self.view.parts[t]).map(|thread| thread.process)
    }

    /// Closes a set from one transition; stops at `most` ways, or if it is forbidden.
    fn close(
        &self,
        now: &mut Now,
        asked: &mut Asked,
        (seed, most): (usize, usize),
        closing: &mut Closing,
    ) -> Size {
        closing.begin(seed);
        let mut count = 0;
        while let Some(transition) = closing.next() {
            if closing.at_least >= Size::Ways(most) {
                return closing.at_least;
            }
            let ways = self.ask(now, asked, transition);
            if ways.is_empty() {
                if let Some(other) = closing.led_to(transition) {
                    let more = self.ask(now, asked, other).len();
                    if self.hands_over(other) {
                        closing.is_too_large_with(other);
                        return Size::Forbidden;
                    }
                    if count + more >= most {
                        closing.is_too_large_with(other);
                        return Size::Ways(count + more);
                    }
                }
                self.enabling((now, asked), transition, closing);
                continue;
            }
            if self.hands_over(transition) {
                closing.is_too_large_with(transition);
                return Size::Forbidden;
            }
            let ways = self.ask(now, asked, transition);
            count += ways.len();
            if count >= most {
                closing.is_too_large_with(transition);
                return Size::Ways(count);
            }
            let effects = ways.iter().map(|pending| now.steps.cache.effect(pending.effect));
            let ended: Vec<ProcessId> =
                effects.flat_map(|effect| effect.ended.iter().copied()).collect();
            self.competing(now, transition, &ended, closing);
        }
        Size::Ways(count)
    }

    /// Whether somebody may miss somebody if this is left to later.
    fn hands_over(&self, transition: usize) -> bool {
        self.net.pool.as_ref().is_some_and(|pool| pool.hands_over[transition])
    }
}
