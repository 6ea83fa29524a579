//! Where a thread can stand in its code, and what its call there can touch.

use std::collections::BTreeSet;

use ipcsim_kernel::program::{Edges, Effect, From, Op, Receive, Wait, reachable};
use ipcsim_kernel::waits::settled;
use ipcsim_kernel::{Expr, Field, Machine, Mailbox, MailboxId, MemoryFull, Pc, Thread, Value};

use super::super::lazy::reach::{About, Direction, Links, about};
use super::super::steps::grain::Grain;
use super::net::{Patience, Place, Stands};
use super::sights::Sights;

/// The code of one thread.
pub(crate) struct Code<'a> {
    machine: &'a Machine,
    thread: &'a Thread,
    links: &'a Links,
    boxes: &'a [Mailbox],
    pcs: Vec<Pc>,
    written: Vec<bool>,
}

impl<'a> Code<'a> {
    /// The code of a thread that has not begun.
    pub(crate) fn new(
        machine: &'a Machine,
        thread: &'a Thread,
        (links, boxes): (&'a Links, &'a [Mailbox]),
    ) -> Self {
        let pcs: Vec<Pc> =
            reachable(&machine.code, [thread.pc], Edges::Possible).into_iter().collect();
        let mut written = vec![false; thread.registers.len()];
        for pc in &pcs {
            for register in machine.code[pc.index()].writes() {
                written[register.index()] = true;
            }
        }
        Self { machine, thread, links, boxes, pcs, written }
    }

    /// The places of the thread. Marks the mailboxes and links where its receives depend on the order of more than one queue.
    pub(super) fn places(
        &self,
        t: usize,
        (grain, sights): (&Grain, &Sights),
        plain: &mut [bool],
        places: &mut Vec<Place>,
    ) {
        let from = places.len();
        let place = |pc, stands| Place::new(t, (pc, stands), self.boxes.len());
        places.push(place(self.thread.pc, Stands::NotStarted));
        for pc in self.pcs.iter().copied() {
            let op = &self.machine.code[pc.index()];
            if !matches!(op, Op::Call(_) | Op::End) {
                if grain.stops(pc) {
                    places.push(place(pc, Stands::BeforeCall));
                }
                continue;
            }
            places.push(place(pc, Stands::Raising));
            if op.may(|effect| matches!(effect, Effect::AwaitsAnswer)) {
                places.push(place(pc, Stands::BeforeAnswer));
            }
            let mut own = place(pc, Stands::BeforeCall);
            own.faultless = true;
            op.expressions(&mut |expr| own.faultless &= self.is_faultless(expr));
            op.effects(&mut |effect| self.note(effect, &mut own, plain));
            places.push(own);
        }
        for place in &mut places[from..] {
            place.is_seen = sights.see(self.machine, self.thread, place);
        }
    }

    /// The mailboxes and links that the thread may send to.
    pub(crate) fn destinations(&self) -> BTreeSet<MailboxId> {
        let mut found = BTreeSet::new();
        for pc in &self.pcs {
            self.machine.code[pc.index()].effects(&mut |effect| {
                if let Effect::Sends(send) = effect {
                    let to = self.boxes(&send.to, Direction::To);
                    found.extend(to.unwrap_or_else(|| self.all_boxes(Direction::To)));
                }
            });
        }
        found
    }

    /// Notes what a call at a place may do.
    fn note(&self, effect: Effect, own: &mut Place, plain: &mut [bool]) {
        match effect {
            Effect::Waits(wait) if *wait != Wait::Forever => own.impatient = Patience::Impatient,
            Effect::Answers(_) => own.answers = true,
            Effect::Sends(send) => {
                if self.machine.policies.memory_full == MemoryFull::Fail {
                    own.impatient = Patience::Impatient;
                }
                let to = self.boxes(&send.to, Direction::To);
                own.answers |= to.is_none();
                for id in to.unwrap_or_else(|| self.all_boxes(Direction::To)) {
                    own.sends.put(id.index());
                    own.faultless &= self.boxes[id.index()].spec.max_size == u64::MAX;
                }
            }
            Effect::Receives(receive) => self.note_receive(receive, own, plain),
            _ => {}
        }
    }

    fn note_receive(&self, receive: &Receive, own: &mut Place, plain: &mut [bool]) {
        let from = match &receive.from {
            From::These(from) => self.boxes(from, Direction::From),
            From::Anyone => Some(self.links.leading_to(self.thread.process).collect()),
        };
        let is_single = match &receive.from {
            From::Anyone => false,
            From::These(Expr::MailboxMember { .. } | Expr::Field(_, Field::Sender)) => true,
            From::These(_) => from.as_ref().is_some_and(|boxes| boxes.len() <= 1),
        };
        let is_plain = is_single && receive.kind.is_none() && receive.max_size.is_none();
        for id in from.unwrap_or_else(|| self.all_boxes(Direction::From)) {
            own.receives.put(id.index());
            plain[id.index()] &= is_plain;
        }
    }

    /// Whether an expression has a value whatever happens: it is known now.
    fn is_faultless(&self, expr: &Expr) -> bool {
        let value = settled(self.machine, self.thread, &self.written, expr);
        value.is_some_and(|value| value != Value::None)
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
