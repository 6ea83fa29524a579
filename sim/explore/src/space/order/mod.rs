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

pub(super) mod bits;
mod code;
mod net;

use ipcsim_kernel::{BlockedOn, Holder, Machine, MailboxId, ProcessId, State, Thread, ThreadState};

use super::lazy::Lazy;
use super::lazy::reach::Reach;
use super::steps::cache::{Move, Step};
use super::steps::{Pending, Steps};
use net::{List, Net, Patience};

/// The calls of a machine, and what depends on what.
pub(super) struct PartialOrder {
    net: Net,
    /// Where a thread stands, by the number of its part, as far as it is known.
    places: Vec<Option<Where>>,
    closing: Closing,
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

/// The threads of a state: where they stand and what their calls touch.
struct View<'a> {
    threads: Vec<Standing<'a>>,
}

/// A thread in a state.
#[derive(Clone, Copy)]
struct Standing<'a> {
    at: Where,
    thread: Option<&'a Thread>,
    reach: &'a Reach,
}

/// A transition that is possible.
struct Possible {
    transition: usize,
    /// How many ways it can go.
    ways: usize,
    /// The processes that end in one of them.
    ended: Vec<ProcessId>,
}

/// So many members of lists are looked at in the time in which one step is looked up.
const SCANNED_AT_ONCE: u64 = 16;

/// How many moves there were, and how many of them were kept.
#[derive(Default)]
struct Trial {
    moves: usize,
    kept: usize,
}

impl Trial {
    /// Whether leaving steps out is worth its time: finding out which takes longer than a step.
    fn pays(&self) -> bool {
        const ENOUGH_TO_TELL: usize = 20_000;
        self.moves < ENOUGH_TO_TELL || self.kept + self.kept / 8 < self.moves
    }
}

/// A set that is being closed.
#[derive(Default)]
struct Closing {
    /// For each transition, the number of the last set that it was in.
    stamps: Vec<u32>,
    stamp: u32,
    /// All that is in the set; the last ones are still to be looked at.
    set: Vec<usize>,
    looked_at: usize,
    /// For each transition that is possible, its number among those.
    possible: Vec<Option<usize>>,
    /// How many members of lists were looked at.
    scanned: u64,
}

impl Closing {
    fn begin(&mut self, seed: usize) {
        self.stamp += 1;
        self.set.clear();
        self.looked_at = 0;
        self.put(seed);
    }

    fn has(&self, transition: usize) -> bool {
        self.stamps[transition] == self.stamp
    }

    fn put(&mut self, transition: usize) {
        if !self.has(transition) {
            self.stamps[transition] = self.stamp;
            self.set.push(transition);
        }
    }

    fn add(&mut self, list: &List) {
        self.scanned += list.len();
        list.iter().for_each(|transition| self.put(transition));
    }

    /// How many of these it does not have.
    fn lacks(&mut self, list: &List) -> usize {
        self.scanned += list.len();
        list.iter().filter(|transition| !self.has(*transition)).count()
    }

    fn next(&mut self) -> Option<usize> {
        let next = self.set.get(self.looked_at).copied()?;
        self.looked_at += 1;
        Some(next)
    }
}

impl PartialOrder {
    /// Analyses a machine with this initial state whose calls are lazy; `None` if it is too large.
    pub(super) fn of(machine: &Machine, state: &State) -> Option<Self> {
        let net = Net::of(machine, state)?;
        let count = net.inputs.len();
        let closing =
            Closing { stamps: vec![0; count], possible: vec![None; count], ..Closing::default() };
        Some(Self { net, places: Vec::new(), closing, trial: Trial::default() })
    }

    /// Whether it has left out enough so far to be worth its time.
    pub(super) fn pays(&self) -> bool {
        self.trial.pays()
    }

    /// Of what can happen in a state, keeps the steps of a stubborn set.
    pub(super) fn reduce(
        &mut self,
        (steps, lazy): (&mut Steps, &mut Lazy),
        row: &[u32],
        (found, first): (&mut Vec<Pending>, usize),
    ) {
        if found.len() < first + 2 {
            return;
        }
        let codec = &steps.codec;
        let threads = codec.layout.threads;
        let part_of = |t: usize| codec.part_of_thread(row, t);
        (0..threads).for_each(|t| lazy.learn(steps, part_of(t)));
        let standing = |t: usize| {
            let part = part_of(t);
            let thread = codec.thread(part);
            Standing { at: self.place(t, part, thread), thread, reach: lazy.of_part(part) }
        };
        let view = View { threads: (0..threads).map(standing).collect() };
        let ended = |pending: &Pending| &*steps.cache.effect(pending.effect).ended;
        let all: Vec<(Step, &[ProcessId])> =
            found[first..].iter().map(|pending| (pending.step, ended(pending))).collect();
        let kept = self.stubborn(&view, &all);
        steps.work += std::mem::take(&mut self.closing.scanned) / SCANNED_AT_ONCE;
        self.trial.moves += found.len() - first;
        if let Some(kept) = kept {
            let mut at = 0;
            found.retain(|_| {
                at += 1;
                at <= first || kept[at - first - 1]
            });
        }
        self.trial.kept += found.len() - first;
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

    /// The transition of the net that a step is.
    fn transition(&self, view: &View, step: Step) -> Option<usize> {
        let at = |t: ipcsim_kernel::ThreadId| match view.threads[t.index()].at {
            Where::At(place) => Some(place),
            Where::Nowhere | Where::Elsewhere => None,
        };
        match (step.blocks, step.what) {
            (None, Move::Call(t) | Move::Expire(t)) | (Some(_), Move::Expire(t)) => {
                at(t).map(Net::alone)
            }
            (Some(one), Move::Call(other)) => self.net.pair(at(one)?, at(other)?),
            (None, Move::Start(process)) => {
                let is_of = |thread: &Thread| thread.process == process;
                let first = view.threads.iter().find(|it| it.thread.is_some_and(is_of))?;
                match first.at {
                    Where::At(place) => Some(Net::alone(place)),
                    Where::Nowhere | Where::Elsewhere => None,
                }
            }
            _ => None,
        }
    }

    /// Which of the steps of a state to keep: those of a stubborn set, as small as it was found. `None` for all.
    fn stubborn(&mut self, view: &View, steps: &[(Step, &[ProcessId])]) -> Option<Vec<bool>> {
        let mut possible: Vec<Possible> = Vec::new();
        let mut of_step = Vec::with_capacity(steps.len());
        if view.threads.iter().any(|standing| standing.at == Where::Elsewhere) {
            return None;
        }
        for (step, ended) in steps {
            let transition = self.transition(view, *step)?;
            let known = possible.iter().position(|it| it.transition == transition);
            let known = known.unwrap_or_else(|| {
                possible.push(Possible { transition, ways: 0, ended: Vec::new() });
                possible.len() - 1
            });
            possible[known].ways += 1;
            possible[known].ended.extend_from_slice(ended);
            of_step.push(transition);
        }
        if possible.len() < 2 {
            return None;
        }
        possible.sort_by_key(|one| self.net.inputs[one.transition]);
        let mut closing = std::mem::take(&mut self.closing);
        for (number, one) in possible.iter().enumerate() {
            closing.possible[one.transition] = Some(number);
        }
        let mut best: Option<(usize, Vec<usize>)> = None;
        for seed in &possible {
            let known = best.as_ref().map_or(steps.len(), |(ways, _)| *ways);
            let ways = self.close(view, &possible, seed.transition, &mut closing, known);

            if ways < known {
                let kept = closing.set.iter().filter(|it| closing.possible[**it].is_some());
                best = Some((ways, kept.copied().collect()));
            }
            if ways == 1 {
                break;
            }
        }
        for one in &possible {
            closing.possible[one.transition] = None;
        }
        self.closing = closing;
        let (_, set) = best?;
        Some(of_step.into_iter().map(|transition| set.contains(&transition)).collect())
    }

    /// Closes a set from one transition. Returns how many steps it has; stops at `most`.
    fn close(
        &self,
        view: &View,
        possible: &[Possible],
        seed: usize,
        closing: &mut Closing,
        most: usize,
    ) -> usize {
        closing.begin(seed);
        let mut ways = 0;
        while let Some(transition) = closing.next() {
            match closing.possible[transition] {
                Some(number) => {
                    ways += possible[number].ways;
                    if ways >= most {
                        return ways;
                    }
                    self.competing(view, transition, &possible[number].ended, closing);
                }
                None => self.enabling(view, transition, closing),
            }
        }
        ways
    }

    /// All transitions that a possible one may disturb, or that may disturb it.
    fn competing(&self, view: &View, transition: usize, ended: &[ProcessId], more: &mut Closing) {
        let net = &self.net;
        let (one, other) = net.inputs[transition];
        let meets = other.is_some();
        for place in [Some(one), other].into_iter().flatten() {
            more.add(&net.consumers[place]);
            let standing = &view.threads[net.places[place].thread];
            let patience = net.places[place].impatient;
            for id in standing.reach.sends.of(&net.places[place].sends) {
                self.competing_at((id, Side::Sends, patience), meets, more);
            }
            for id in standing.reach.receives.of(&net.places[place].receives) {
                self.competing_at((id, Side::Receives, patience), meets, more);
            }
            if net.places[place].answers {
                more.add(&net.answering);
                more.add(&net.awaiting);
                more.add(&net.of_crowds);
            }
            self.answers_to(standing, more);
            self.siblings(standing, more);
        }
        for process in ended {
            self.connected(*process, more);
        }
    }

    fn competing_at(
        &self,
        (id, side, patience): (MailboxId, Side, Patience),
        meets: bool,
        more: &mut Closing,
    ) {
        let net = &self.net;
        let spot = &net.spots[id.index()];
        let is_disturbed = !spot.commutes || patience == Patience::Impatient;
        // Where nothing is stored, two that meet compete with nobody but for themselves, and who finds nobody there finds
        // nobody whatever happens.
        if !spot.stores_nothing || !spot.commutes {
            let (same, other, impatient) = match side {
                Side::Sends => (&spot.sending, &spot.receiving, &spot.receiving_impatiently),
                Side::Receives => (&spot.receiving, &spot.sending, &spot.sending_impatiently),
            };
            more.add(same);
            more.add(if is_disturbed { other } else { impatient });
        }
        let Some((from, to)) = net.links.ends(id) else { return };
        if meets && spot.commutes && spot.stores_nothing {
            return;
        }
        match side {
            Side::Sends => {
                more.add(&net.of_process[to.index()]);
                if net.keeps_arrivals[to.index()] && !spot.stores_nothing {
                    for link in net.links.leading_to(to) {
                        more.add(&net.spots[link.index()].sending);
                    }
                }
            }
            // What was stored is there whether its sender has ended or not.
            Side::Receives if is_disturbed => more.add(&net.of_process[from.index()]),
            Side::Receives => {}
        }
    }

    /// Transitions one of which must happen before an impossible one becomes possible.
    fn enabling(&self, view: &View, transition: usize, more: &mut Closing) {
        let net = &self.net;
        let (one, other) = net.inputs[transition];
        let is_missing =
            |place: &usize| view.threads[net.places[*place].thread].at != Where::At(*place);
        let missing = (Some(one).filter(is_missing), other.filter(is_missing));
        let cheapest = match missing {
            (Some(one), Some(other)) => {
                let lacks = [one, other].map(|place| more.lacks(&net.producers[place]));
                Some(if lacks[0] < lacks[1] { one } else { other })
            }
            (one, other) => other.or(one),
        };
        if let Some(place) = cheapest {
            more.add(&net.producers[place]);
            return;
        }
        let meets = other.is_some();
        for place in [Some(one), other].into_iter().flatten() {
            let standing = &view.threads[net.places[place].thread];
            for id in standing.reach.sends.of(&net.places[place].sends) {
                self.enabling_at(id, Side::Sends, meets, more);
            }
            for id in standing.reach.receives.of(&net.places[place].receives) {
                self.enabling_at(id, Side::Receives, meets, more);
            }
            self.answers_to(standing, more);
            self.siblings(standing, more);
        }
    }

    fn enabling_at(&self, id: MailboxId, side: Side, meets: bool, more: &mut Closing) {
        let net = &self.net;
        let spot = &net.spots[id.index()];
        if !spot.commutes || (meets && !spot.stores_nothing) {
            more.add(&spot.sending);
            more.add(&spot.receiving);
        } else if !spot.stores_nothing {
            more.add(match side {
                Side::Sends => &spot.receiving,
                Side::Receives => &spot.sending,
            });
        }
        if let Some((from, to)) = net.links.ends(id) {
            more.add(match side {
                Side::Sends => &net.of_process[to.index()],
                Side::Receives => &net.of_process[from.index()],
            });
        }
    }

    /// Who could end the wait of a thread for its answer.
    fn answers_to(&self, standing: &Standing, more: &mut Closing) {
        let Some(ThreadState::Blocked { on: BlockedOn::Reply { holder: on, .. }, .. }) =
            standing.thread.map(|thread| &thread.state)
        else {
            return;
        };
        more.add(&self.net.answering);
        match on {
            Holder::Taken(process) => more.add(&self.net.of_process[process.index()]),
            Holder::Queued(mailbox) => {
                let spot = &self.net.spots[mailbox.index()];
                more.add(&spot.receiving);
                if let Some((_, to)) = self.net.links.ends(*mailbox) {
                    more.add(&self.net.of_process[to.index()]);
                }
            }
        }
    }

    /// The threads of a process end together.
    fn siblings(&self, standing: &Standing, more: &mut Closing) {
        if let Some(thread) = standing.thread {
            let process = thread.process.index();
            if self.net.crowds[process] {
                more.add(&self.net.of_process[process]);
            }
        }
    }

    /// Whoever is concerned by the end of a process.
    fn connected(&self, process: ProcessId, more: &mut Closing) {
        let net = &self.net;
        for (id, ends) in net.links.all() {
            let spot = &net.spots[id.index()];
            if ends.1 == process {
                more.add(&spot.sending);
            }
            if ends.0 == process {
                more.add(if spot.commutes { &spot.receiving_impatiently } else { &spot.receiving });
            }
        }
        more.add(&net.awaiting);
        more.add(&net.of_process[process.index()]);
    }
}

/// Which side of a mailbox or link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Sends,
    Receives,
}
