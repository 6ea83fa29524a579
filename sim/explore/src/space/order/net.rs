//! The calls of all threads as a Petri net: where a thread can stand is a *place*, and what can happen there a *transition*
//! that takes one thread, or two in a joint step, from their places to others. What a transition does to mailboxes and links
//! is read off the code; a destination known only at run time counts as all that it could be.

use std::collections::BTreeMap;

use ipcsim_kernel::program::{Edges, Op, Tour, Walking};
use ipcsim_kernel::{
    Arrivals, BlockedOn, Capacity, Machine, Mailbox, Order, Pc, ProcessId, State, Thread,
    ThreadState,
};

use super::super::Looks;
use super::super::lazy::reach::Links;
use super::super::lazy::sides::Memory;
use super::super::steps::grain::Grain;
use super::bits::Bits;
use super::code::Code;
use super::pool::Pool;
use super::sights::Sights;

/// How a thread stands at a place of its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stands {
    NotStarted,
    /// Before a call, or before local work that is a step of its own.
    BeforeCall,
    /// Its request is on its way.
    BeforeAnswer,
    Raising,
}

/// Where a thread can stand, and what its call there can touch.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub thread: usize,
    pub sends: Bits,
    pub receives: Bits,
    /// Whether its call does not wait, or not without limit.
    pub impatient: Patience,
    /// Whether it answers.
    pub answers: bool,
    /// Whether its call can be completed in no other way than by a message that goes: nothing that it computes can fail.
    pub faultless: bool,
    pub stands: Stands,
    pub pc: Pc,
    /// Whether what happens here may change what is observed.
    pub is_seen: bool,
}

/// Transitions, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    members: Vec<u32>,
    /// Which list of the net it is.
    pub number: usize,
}

impl List {
    fn put(&mut self, transition: usize) {
        let transition = u32::try_from(transition).expect("there are not so many");
        if self.members.last() != Some(&transition) {
            self.members.push(transition);
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.members.extend(&other.members);
        self.members.sort_unstable();
        self.members.dedup();
    }

    pub(super) fn len(&self) -> u64 {
        self.members.len() as u64
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.members.iter().map(|transition| *transition as usize)
    }
}

impl Place {
    /// A place that touches none of so many mailboxes and links yet.
    pub(super) fn new(thread: usize, (pc, stands): (Pc, Stands), boxes: usize) -> Self {
        Self {
            thread,
            sends: Bits::below(boxes),
            receives: Bits::below(boxes),
            impatient: Patience::Patient,
            answers: false,
            faultless: false,
            stands,
            pc,
            is_seen: false,
        }
    }
}

/// Whether a call waits as long as it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    Patient,
    Impatient,
}

/// Mailboxes and links, and how sends and receives there depend on each other.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// Whether a send and a receive come to the same in either order, if both are possible.
    pub commutes: bool,
    /// Whether nothing is ever stored.
    pub stores_nothing: bool,
    /// The transitions that may send there.
    pub sending: List,
    pub receiving: List,
    /// Those among them whose threads do not wait without limit.
    pub sending_impatiently: List,
    pub receiving_impatiently: List,
}

impl Spot {
    /// A mailbox or link; `commutes` if a send and a receive there come to the same in either order.
    fn of((mailbox, commutes): (&Mailbox, bool)) -> Self {
        Self {
            commutes,
            stores_nothing: mailbox.spec.capacity == Capacity::None,
            sending: List::default(),
            receiving: List::default(),
            sending_impatiently: List::default(),
            receiving_impatiently: List::default(),
        }
    }
}

/// The calls of all threads.
pub(super) struct Net {
    pub places: Vec<Place>,
    numbers: Vec<BTreeMap<(Pc, Stands), usize>>,
    /// For each transition, the places that it takes threads from.
    pub inputs: Vec<(usize, Option<usize>)>,
    /// For each place, the transitions that take its thread from there.
    pub consumers: Vec<List>,
    /// For each place, the transitions that can bring its thread there.
    pub producers: Vec<List>,
    /// For each place, the joint steps: with whom, and its transition.
    pairs: Vec<BTreeMap<usize, usize>>,
    pub spots: Vec<Spot>,
    pub links: Links,
    /// For each mailbox, the process that takes it with it when it ends: the receiver of a link or a port.
    pub receiver_of: Vec<Option<ProcessId>>,
    pub answering: List,
    /// What those do who wait for an answer: they give up.
    pub awaiting: List,
    /// What may change what is observed.
    pub seen: List,
    /// Which these are.
    pub is_seen: Vec<bool>,
    /// The transitions of each process's threads.
    pub of_process: Vec<List>,
    /// The transitions of the threads of processes that have several.
    pub of_crowds: List,
    /// Which processes these are.
    pub crowds: Vec<bool>,
    /// Which processes know in what order messages have arrived on all their links.
    pub keeps_arrivals: Vec<bool>,
    /// Who uses kernel memory, if it may run out.
    pub pool: Option<Pool>,
    /// How many lists of transitions there are.
    pub lists: usize,
}

impl Net {
    /// The net of a machine with this initial state; `None` if it is too large.
    pub(super) fn of(
        machine: &Machine,
        state: &State,
        (grain, looks): (&Grain, Looks),
        memory: Memory,
    ) -> Option<Self> {
        const MOST_PLACES: usize = 4_096;
        let boxes = state.mailboxes.items();
        let links = Links(boxes.iter().map(Mailbox::link).collect());
        let threads = state.threads.items();
        let mut commutes: Vec<bool> = boxes.iter().map(commutes).collect();
        let sights = Sights::of(looks, boxes);
        let mut places = Vec::new();
        let mut numbers = Vec::new();
        for (t, thread) in threads.iter().enumerate() {
            let code = Code::new(machine, thread, (&links, boxes));
            let from = places.len();
            code.places(t, (grain, &sights), &mut commutes, &mut places);
            let number = |(at, place): (usize, &Place)| ((place.pc, place.stands), from + at);
            numbers.push(places[from..].iter().enumerate().map(number).collect());
            if places.len() > MOST_PLACES {
                return None;
            }
        }
        let processes = state.processes.items().len();
        let mut net = Self {
            inputs: (0..places.len()).map(|place| (place, None)).collect(),
            consumers: vec![List::default(); places.len()],
            producers: vec![List::default(); places.len()],
            pairs: vec![BTreeMap::new(); places.len()],
            spots: boxes.iter().zip(commutes).map(Spot::of).collect(),
            receiver_of: boxes
                .iter()
                .map(|mailbox| mailbox.link().map(|(_, to)| to).or(mailbox.object.holder()))
                .collect(),
            links,
            answering: List::default(),
            awaiting: List::default(),
            seen: List::default(),
            is_seen: Vec::new(),
            of_process: vec![List::default(); processes],
            of_crowds: List::default(),
            crowds: vec![false; processes],
            keeps_arrivals: (0..processes)
                .map(|process| machine.family_of(ProcessId::at(process)).arrivals)
                .map(|arrivals| arrivals == Arrivals::Ordered)
                .collect(),
            places,
            numbers,
            pool: None,
            lists: 0,
        };
        net.pair_up(memory)?;
        net.connect(threads);
        net.pool = (memory == Memory::Scarce).then(|| Pool::of(&net));
        net.lead_on(machine, grain);
        net.look();
        net.lists = net.number_lists();
        Some(net)
    }

    /// Numbers all lists. Returns how many there are.
    fn number_lists(&mut self) -> usize {
        let Self {
            consumers,
            producers,
            spots,
            answering,
            awaiting,
            seen,
            of_process,
            of_crowds,
            pool,
            ..
        } = self;
        let of_spots = spots.iter_mut().flat_map(|spot| {
            let Spot { sending, receiving, sending_impatiently, receiving_impatiently, .. } = spot;
            [sending, receiving, sending_impatiently, receiving_impatiently]
        });
        let of_pool = pool.iter_mut().flat_map(|pool| {
            let Pool { taking, taking_impatiently, giving_back, .. } = pool;
            [taking, taking_impatiently, giving_back]
        });
        let all = [answering, awaiting, seen, of_crowds].into_iter().chain(of_spots).chain(of_pool);
        let all = all.chain(consumers).chain(producers).chain(of_process);
        all.zip(0..).map(|(list, number)| list.number = number).count()
    }

    /// Adds the joint steps; `None` if there are too many.
    fn pair_up(&mut self, memory: Memory) -> Option<()> {
        const MOST_TRANSITIONS: usize = 16_384;
        for id in 0..self.spots.len() {
            // Without memory, also what could be stored otherwise is handed over.
            let always_meet = self.spots[id].stores_nothing
                || !self.spots[id].commutes
                || memory == Memory::Scarce;
            let at = |touches: fn(&Place) -> &Bits| -> Vec<usize> {
                let there = self.places.iter().enumerate();
                there.filter(|(_, place)| touches(place).has(id)).map(|(at, _)| at).collect()
            };
            let (senders, receivers) = (at(|place| &place.sends), at(|place| &place.receives));
            for one in senders {
                for other in receivers.iter().copied() {
                    let (sender, receiver) = (&self.places[one], &self.places[other]);
                    let impatient = Patience::Impatient;
                    let meet = always_meet
                        || sender.impatient == impatient
                        || receiver.impatient == impatient;
                    let is_known = self.pairs[one].contains_key(&other);
                    if meet && sender.thread != receiver.thread && !is_known {
                        self.pairs[one].insert(other, self.inputs.len());
                        self.pairs[other].insert(one, self.inputs.len());
                        self.inputs.push((one, Some(other)));
                    }
                }
            }
            if self.inputs.len() > MOST_TRANSITIONS {
                return None;
            }
        }
        Some(())
    }

    /// Notes what each transition takes and touches.
    fn connect(&mut self, threads: &[Thread]) {
        let mut members = vec![0_u32; self.of_process.len()];
        for thread in threads {
            members[thread.process.index()] += 1;
        }
        self.crowds = members.iter().map(|count| *count > 1).collect();
        for transition in 0..self.inputs.len() {
            let (one, other) = self.inputs[transition];
            if other.is_none() && self.only_meets(one) {
                continue;
            }
            for at in [Some(one), other].into_iter().flatten() {
                let process = threads[self.places[at].thread].process.index();
                self.consumers[at].put(transition);
                self.of_process[process].put(transition);
                if self.crowds[process] {
                    self.of_crowds.put(transition);
                }
                self.touch(transition, at);
            }
        }
    }

    /// Notes what a transition touches with a thread from this place.
    fn touch(&mut self, transition: usize, at: usize) {
        let place = &self.places[at];
        if place.answers {
            self.answering.put(transition);
        }
        if place.stands == Stands::BeforeAnswer {
            self.awaiting.put(transition);
        }
        let impatient = place.impatient == Patience::Impatient;
        for id in place.sends.numbers() {
            self.spots[id].sending.put(transition);
            if impatient {
                self.spots[id].sending_impatiently.put(transition);
            }
        }
        for id in place.receives.numbers() {
            self.spots[id].receiving.put(transition);
            if impatient {
                self.spots[id].receiving_impatiently.put(transition);
            }
        }
    }

    /// Notes which places threads come to next.
    fn lead_on(&mut self, machine: &Machine, grain: &Grain) {
        for at in 0..self.places.len() {
            let Place { thread, pc, stands, .. } = self.places[at];
            for next in next_stops(machine, grain, (pc, stands)) {
                let Some(next) = self.numbers[thread].get(&(next, Stands::BeforeCall)) else {
                    continue;
                };
                self.producers[*next].add(&self.consumers[at]);
                // Somebody else's answer takes it there.
                if self.numbers[thread].contains_key(&(pc, Stands::BeforeAnswer)) {
                    self.producers[*next].add(&self.answering);
                }
            }
        }
    }

    /// Notes what may change what is observed.
    fn look(&mut self) {
        let is_seen = |place: usize| self.places[place].is_seen;
        // Somebody else's answer completes a call.
        let by_answers = |place: &Place| place.is_seen && place.stands == Stands::BeforeAnswer;
        let answers_are_seen = self.places.iter().any(by_answers);
        let mut seen = List::default();
        for (transition, (one, other)) in self.inputs.iter().enumerate() {
            if is_seen(*one) || other.is_some_and(is_seen) {
                seen.put(transition);
            }
        }
        if answers_are_seen {
            seen.add(&self.answering);
        }
        self.is_seen = vec![false; self.inputs.len()];
        seen.iter().for_each(|transition| self.is_seen[transition] = true);
        self.seen = seen;
    }

    /// Whether a thread gets on from a place only together with another one.
    fn only_meets(&self, place: usize) -> bool {
        let Place { sends, receives, impatient, stands, faultless, .. } = &self.places[place];
        let ids: Vec<usize> = sends.numbers().into_iter().chain(receives.numbers()).collect();
        let meets = |id: &usize| {
            let spot = &self.spots[*id];
            spot.commutes && spot.stores_nothing && self.receiver_of[*id].is_none()
        };
        *stands == Stands::BeforeCall
            && *impatient == Patience::Patient
            && *faultless
            && !ids.is_empty()
            && ids.iter().all(meets)
    }

    /// The place where a thread stands; `None` if it stands at none.
    pub(super) fn place_of(&self, t: usize, thread: &Thread) -> Option<usize> {
        let stands = match &thread.state {
            ThreadState::NotStarted => Stands::NotStarted,
            ThreadState::Ready => Stands::BeforeCall,
            ThreadState::Raising(_) => Stands::Raising,
            ThreadState::Blocked { on: BlockedOn::Reply { .. }, .. } => Stands::BeforeAnswer,
            // Whoever has missed a receiver waits for memory.
            ThreadState::Blocked { .. }
            | ThreadState::LookingAgain { .. }
            | ThreadState::Suspended(_)
            | ThreadState::Ended => return None,
        };
        self.numbers.get(t)?.get(&(thread.pc, stands)).copied()
    }

    /// The transitions that take a thread from this place, as the first of those that they take.
    pub(super) fn led_by(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        let pairs = self.pairs[place].values().copied();
        let leads = move |transition: &usize| self.inputs[*transition].0 == place;
        std::iter::once(Self::alone(place)).chain(pairs.filter(leads))
    }

    /// The transition of a thread alone.
    pub(super) fn alone(place: usize) -> usize {
        place
    }
}

/// Where a thread can stand next after a place.
fn next_stops(machine: &Machine, grain: &Grain, (pc, stands): (Pc, Stands)) -> Vec<Pc> {
    let is_call = |op: &Op| matches!(op, Op::Call(_) | Op::End);
    let mut from = Vec::new();
    if stands == Stands::NotStarted {
        from.push(pc);
    } else {
        Edges::Possible.behind(&machine.code, pc, &mut from);
    }
    let mut found = Vec::new();
    Tour::over(&machine.code).walk(&machine.code, from, Edges::Possible, |pc, op| {
        if is_call(op) {
            found.push(pc);
            Walking::No
        } else {
            if grain.stops(pc) {
                found.push(pc);
            }
            Walking::On
        }
    });
    found
}

/// Whether a send and a receive come to the same in either order, as far as the mailbox is concerned.
fn commutes(mailbox: &Mailbox) -> bool {
    let counts_messages = matches!(
        mailbox.spec.capacity,
        Capacity::None | Capacity::Messages(_) | Capacity::Unlimited
    );
    counts_messages && mailbox.spec.order == Order::Fifo
}
