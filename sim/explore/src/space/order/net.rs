//! The calls of all threads as a Petri net: where a thread can stand is a *place*, and what can happen there a *transition*
//! that takes one thread, or two in a joint step, from their places to others. What a transition does to mailboxes and links
//! is read off the code; a destination known only at run time counts as all that it could be.

use std::collections::BTreeMap;

use ipcsim_kernel::program::{Edges, Effect, From, Op, Tour, Wait, Walking, reachable};
use ipcsim_kernel::waits::settled;
use ipcsim_kernel::{
    Capacity, Expr, Field, Machine, Mailbox, MailboxId, Object, Order, Pc, State, Thread, ThreadState,
    Value,
};

use super::super::reach::{About, Direction, Links, about};
use super::super::bits::Bits;

/// How a thread stands at a place of its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stands {
    NotStarted,
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
    faultless: bool,
    stands: Stands,
    pc: Pc,
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
    pub sending: Bits,
    pub receiving: Bits,
    /// Those among them whose threads do not wait without limit.
    pub sending_impatiently: Bits,
    pub receiving_impatiently: Bits,
}

/// The calls of all threads.
pub(super) struct Net {
    pub places: Vec<Place>,
    numbers: Vec<BTreeMap<(Pc, Stands), usize>>,
    /// For each transition, the places that it takes threads from.
    pub inputs: Vec<(usize, Option<usize>)>,
    /// For each place, the transitions that take its thread from there.
    pub consumers: Vec<Bits>,
    /// For each place, the transitions that can bring its thread there.
    pub producers: Vec<Bits>,
    /// For each place, the joint steps: with whom, and its transition.
    pairs: Vec<BTreeMap<usize, usize>>,
    pub spots: Vec<Spot>,
    pub links: Links,
    pub answering: Bits,
    /// What those do who wait for an answer: they give up.
    pub awaiting: Bits,
    /// The transitions of each process's threads.
    pub of_process: Vec<Bits>,
    /// The transitions of the threads of processes that have several.
    pub of_crowds: Bits,
}

impl Net {
    /// The net of a machine with this initial state; `None` if it is too large.
    pub(super) fn of(machine: &Machine, state: &State) -> Option<Self> {
        const MOST_PLACES: usize = 4_096;
        const MOST_TRANSITIONS: usize = 16_384;
        let boxes = state.mailboxes.items();
        let links = Links(boxes.iter().map(Mailbox::link).collect());
        let threads = state.threads.items();
        let mut plain: Vec<bool> = boxes.iter().map(commutes).collect();
        let mut places = Vec::new();
        let mut numbers = Vec::new();
        for (t, thread) in threads.iter().enumerate() {
            let code = Code::new(machine, thread, (&links, boxes));
            let from = places.len();
            code.places(t, &mut plain, &mut places);
            let number = |(at, place): (usize, &Place)| ((place.pc, place.stands), from + at);
            numbers.push(places[from..].iter().enumerate().map(number).collect());
            if places.len() > MOST_PLACES {
                return None;
            }
        }
        let mut inputs: Vec<(usize, Option<usize>)> =
            (0..places.len()).map(|place| (place, None)).collect();
        let mut pairs = vec![BTreeMap::new(); places.len()];
        let stores_nothing = |id: usize| boxes[id].spec.capacity == Capacity::None;
        let always_meet: Vec<bool> = (0..boxes.len()).map(|id| stores_nothing(id) || !plain[id]).collect();
        for id in 0..boxes.len() {
            let at = |touches: fn(&Place) -> &Bits| {
                let there = places.iter().enumerate();
                there.filter(move |(_, place)| touches(place).has(id)).map(|(at, _)| at)
            };
            for one in at(|place| &place.sends) {
                for other in at(|place| &place.receives) {
                    let (sender, receiver) = (&places[one], &places[other]);
                    let impatient = Patience::Impatient;
                    let meet = always_meet[id]
                        || sender.impatient == impatient
                        || receiver.impatient == impatient;
                    if meet && sender.thread != receiver.thread && !pairs[one].contains_key(&other) {
                        pairs[one].insert(other, inputs.len());
                        pairs[other].insert(one, inputs.len());
                        inputs.push((one, Some(other)));
                    }
                }
            }
            if inputs.len() > MOST_TRANSITIONS {
                return None;
            }
        }
        let count = inputs.len();
        let spot = |id: usize| Spot {
            commutes: plain[id],
            stores_nothing: stores_nothing(id),
            sending: Bits::below(count),
            receiving: Bits::below(count),
            sending_impatiently: Bits::below(count),
            receiving_impatiently: Bits::below(count),
        };
        let mut net = Self {
            consumers: vec![Bits::below(count); places.len()],
            producers: vec![Bits::below(count); places.len()],
            spots: (0..boxes.len()).map(spot).collect(),
            links,
            answering: Bits::below(count),
            awaiting: Bits::below(count),
            of_process: vec![Bits::below(count); state.processes.items().len()],
            of_crowds: Bits::below(count),
            places,
            numbers,
            inputs,
            pairs,
        };
        net.connect(machine, threads);
        Some(net)
    }

    /// Notes what each transition takes, brings and touches.
    fn connect(&mut self, machine: &Machine, threads: &[Thread]) {
        let mut crowd = vec![0; self.of_process.len()];
        threads.iter().for_each(|thread| crowd[thread.process.index()] += 1);
        for (transition, (one, other)) in self.inputs.iter().enumerate() {
            if other.is_none() && self.only_meets(*one) {
                continue;
            }
            for at in [Some(*one), *other].into_iter().flatten() {
                let place = &self.places[at];
                self.consumers[at].put(transition);
                let process = threads[place.thread].process.index();
                self.of_process[process].put(transition);
                if crowd[process] > 1 {
                    self.of_crowds.put(transition);
                }
                if place.answers {
                    self.answering.put(transition);
                }
                if place.stands == Stands::BeforeAnswer {
                    self.awaiting.put(transition);
                }
                let impatient = place.impatient == Patience::Impatient;
                for (id, spot) in self.spots.iter_mut().enumerate() {
                    if place.sends.has(id) {
                        spot.sending.put(transition);
                        if impatient {
                            spot.sending_impatiently.put(transition);
                        }
                    }
                    if place.receives.has(id) {
                        spot.receiving.put(transition);
                        if impatient {
                            spot.receiving_impatiently.put(transition);
                        }
                    }
                }
            }
        }
        for at in 0..self.places.len() {
            let Place { thread, pc, stands, .. } = self.places[at];
            let goes_to: Vec<usize> = next_calls(machine, pc, stands)
                .into_iter()
                .filter_map(|next| self.numbers[thread].get(&(next, Stands::BeforeCall)).copied())
                .collect();
            for next in goes_to {
                let consumers = self.consumers[at].clone();
                self.producers[next].add(&consumers);
                // Somebody else's answer takes it there.
                if self.numbers[thread].contains_key(&(pc, Stands::BeforeAnswer)) {
                    let answering = self.answering.clone();
                    self.producers[next].add(&answering);
                }
            }
        }
    }

    /// Whether a thread gets on from a place only together with another one.
    fn only_meets(&self, place: usize) -> bool {
        let Place { sends, receives, impatient, stands, faultless, .. } = &self.places[place];
        let ids: Vec<usize> = sends.numbers().into_iter().chain(receives.numbers()).collect();
        let meets = |id: &usize| {
            let spot = &self.spots[*id];
            spot.commutes && spot.stores_nothing && self.links.ends(MailboxId::at(*id)).is_none()
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
            ThreadState::Blocked { .. } => Stands::BeforeAnswer,
            ThreadState::LookingAgain { .. } | ThreadState::Suspended(_) | ThreadState::Ended => {
                return None;
            }
        };
        self.numbers.get(t)?.get(&(thread.pc, stands)).copied()
    }

    /// The transition of a thread alone.
    pub(super) fn alone(place: usize) -> usize {
        place
    }

    /// The transition of two threads together.
    pub(super) fn pair(&self, one: usize, other: usize) -> Option<usize> {
        self.pairs[one].get(&other).copied()
    }
}

/// The calls that can come next after a place.
fn next_calls(machine: &Machine, pc: Pc, stands: Stands) -> Vec<Pc> {
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
    counts_messages && !matches!(mailbox.object, Object::Filed) && mailbox.spec.order == Order::Fifo
}

/// The code of one thread.
struct Code<'a> {
    machine: &'a Machine,
    thread: &'a Thread,
    links: &'a Links,
    boxes: &'a [Mailbox],
    pcs: Vec<Pc>,
    written: Vec<bool>,
}

impl<'a> Code<'a> {
    fn new(
        machine: &'a Machine,
        thread: &'a Thread,
        (links, boxes): (&'a Links, &'a [Mailbox]),
    ) -> Self {
        let pcs: Vec<Pc> =
            reachable(&machine.code, [thread.pc], Edges::Possible).into_iter().collect();
        let mut written = vec![false; thread.registers.len()];
        for pc in &pcs {
            if let Some(register) = machine.code[pc.index()].writes() {
                written[register.index()] = true;
            }
        }
        Self { machine, thread, links, boxes, pcs, written }
    }

    /// The places of the thread. Marks the mailboxes and links where its receives depend on the order of more than one queue.
    fn places(&self, t: usize, plain: &mut [bool], places: &mut Vec<Place>) {
        let boxes = self.links.0.len();
        let place = |pc, stands| Place {
            thread: t,
            sends: Bits::below(boxes),
            receives: Bits::below(boxes),
            impatient: Patience::Patient,
            answers: false,
            faultless: false,
            stands,
            pc,
        };
        places.push(place(self.thread.pc, Stands::NotStarted));
        for pc in self.pcs.iter().copied() {
            let op = &self.machine.code[pc.index()];
            if !matches!(op, Op::Call(_) | Op::End) {
                continue;
            }
            places.push(place(pc, Stands::Raising));
            if op.may(|effect| matches!(effect, Effect::AwaitsAnswer)) {
                places.push(place(pc, Stands::BeforeAnswer));
            }
            let mut own = place(pc, Stands::BeforeCall);
            own.faultless = true;
            op.expressions(&mut |expr| own.faultless &= self.is_faultless(expr));
            op.effects(&mut |effect| match effect {
                Effect::Waits(wait) if *wait != Wait::Forever => {
                    own.impatient = Patience::Impatient;
                }
                Effect::Answers(_) => own.answers = true,
                Effect::Sends(send) => {
                    let to = self.boxes(&send.to, Direction::To);
                    own.answers |= to.is_none();
                    let to = to.unwrap_or_else(|| self.all_boxes(Direction::To));
                    own.faultless &= to.iter().all(|id| self.takes_any_size(*id));
                    to.into_iter().for_each(|id| own.sends.put(id.index()));
                }
                Effect::Receives(receive) => {
                    let from = match &receive.from {
                        From::These(from) => self.boxes(from, Direction::From),
                        From::Anyone => {
                            Some(self.links.leading_to(self.thread.process).collect())
                        }
                    };
                    let is_single = match &receive.from {
                        From::Anyone => false,
                        From::These(
                            Expr::MailboxMember { .. } | Expr::Field(_, Field::Sender),
                        ) => true,
                        From::These(_) => from.as_ref().is_some_and(|boxes| boxes.len() <= 1),
                    };
                    let is_plain = is_single && receive.kind.is_none() && receive.max_size.is_none();
                    let from = from.unwrap_or_else(|| self.all_boxes(Direction::From));
                    for id in from {
                        own.receives.put(id.index());
                        plain[id.index()] &= is_plain;
                    }
                }
                _ => {}
            });
            places.push(own);
        }
    }

    /// Whether an expression has a value whatever happens: it is known now.
    fn is_faultless(&self, expr: &Expr) -> bool {
        let value = settled(self.machine, self.thread, &self.written, expr);
        value.is_some_and(|value| value != Value::None)
    }

    fn takes_any_size(&self, id: MailboxId) -> bool {
        self.boxes[id.index()].spec.max_size == u64::MAX
    }

    /// The mailboxes that a call may touch; `None` if that is known only at run time.
    fn boxes(&self, expr: &Expr, direction: Direction) -> Option<Vec<MailboxId>> {
        let Some(value) = settled(self.machine, self.thread, &self.written, expr) else {
            // Whatever the index is, it is a member of that family, or an exception.
            return match expr {
                Expr::MailboxMember { first, count, .. } => {
                    Some((0..*count).map(|index| MailboxId(first.0 + index)).collect())
                }
                _ => None,
            };
        };
        match about(self.links, &value, self.thread.process, direction) {
            About::These(boxes) => Some(boxes),
            About::Reply | About::Any => None,
        }
    }

    /// All mailboxes, and the links of this process in that direction.
    fn all_boxes(&self, direction: Direction) -> Vec<MailboxId> {
        let own = self.thread.process;
        let is_at_hand = |ends: &Option<(_, _)>| match (ends, direction) {
            (None, _) => true,
            (Some((from, _)), Direction::To) => *from == own,
            (Some((_, to)), Direction::From) => *to == own,
        };
        let boxes = self.links.0.iter().enumerate().filter(|(_, ends)| is_at_hand(ends));
        boxes.map(|(id, _)| MailboxId::at(id)).collect()
    }
}
