//! Static lookahead: which mailboxes and links a thread may still send to and receive from,
//! according to its code.

use std::collections::BTreeSet;

use ipcsim_kernel::program::{Edges, Effect, From, Op, Receive, Wait, look_ahead, reachable};
use ipcsim_kernel::waits::settled;
use ipcsim_kernel::{
    Expr, Field, Machine, MailboxId, Outcome, Pc, ProcessId, Thread,
};

use super::super::reach::{About, Direction, Links, about};
use super::listener::takes_anything;

/// What a thread may do from a place in the code on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ahead {
    pub sends: Boxes,
    pub receives: Boxes,
    pub replies: bool,
}

impl Ahead {
    pub(super) fn add(&mut self, other: &Ahead) {
        self.sends.add(&other.sends);
        self.receives.add(&other.receives);
        self.replies |= other.replies;
    }
}

/// A set of mailboxes and links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Boxes(Vec<u64>);

impl Boxes {
    pub(super) fn has(&self, mailbox: MailboxId) -> bool {
        let word = self.0.get(mailbox.index() / 64).copied().unwrap_or(0);
        word & (1 << (mailbox.index() % 64)) != 0
    }

    pub(super) fn put(&mut self, mailbox: MailboxId) {
        let word = mailbox.index() / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (mailbox.index() % 64);
    }

    pub(super) fn add(&mut self, other: &Boxes) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }
}

/// An analysis of one thread's code.
pub(super) struct Walk<'a> {
    machine: &'a Machine,
    thread: &'a Thread,
    links: &'a Links,
    reachable: BTreeSet<Pc>,
    written: Vec<bool>,
    own: Vec<Ahead>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(machine: &'a Machine, thread: &'a Thread, links: &'a Links) -> Self {
        let reachable = reachable(&machine.code, [thread.pc], Edges::Possible);
        let mut written = vec![false; thread.registers.len()];
        for pc in &reachable {
            if let Some(register) = machine.code[pc.index()].writes() {
                written[register.index()] = true;
            }
        }
        let own = vec![Ahead::default(); machine.code.len()];
        Self { machine, thread, links, reachable, written, own }
    }

    /// Finds what each place does by itself, and which mailboxes are used in a way that depends on the order.
    pub(super) fn go(&mut self, plain: &mut [bool]) {
        for pc in self.reachable.clone() {
            let op = &self.machine.code[pc.index()];
            op.effects(&mut |effect| match effect {
                Effect::Sends(send) => {
                    let boxes = self.boxes(&send.to, Direction::To);
                    self.own[pc.index()].replies |= boxes.is_none();
                    self.use_boxes(pc, boxes, Direction::To, send.wait == Wait::Forever, plain);
                }
                Effect::Receives(receive) => self.receive(pc, receive, plain),
                Effect::Answers(_) => self.own[pc.index()].replies = true,
                _ => {}
            });
        }
    }

    fn receive(&mut self, pc: Pc, receive: &Receive, plain: &mut [bool]) {
        let From::These(from) = &receive.from else {
            let boxes = self.links.leading_to(self.thread.process).collect();
            return self.use_boxes(pc, Some(boxes), Direction::From, false, plain);
        };
        let boxes = self.boxes(from, Direction::From);
        let single = match &boxes {
            Some(boxes) => boxes.len() <= 1,
            // Anything else may be a list.
            None => matches!(from, Expr::Field(_, Field::Sender)),
        };
        let is_plain = takes_anything(receive) && single;
        self.use_boxes(pc, boxes, Direction::From, is_plain, plain);
        let handles_an_end = matches!(&self.machine.code[pc.index()],
            Op::Call(call) if call.handler(Outcome::Dead).is_some());
        if !handles_an_end {
            self.may_end_with_its_sender(pc, plain);
        }
    }

    /// The mailboxes that a call may operate on; `None` if that is known only at run time.
    fn boxes(&self, expr: &Expr, direction: Direction) -> Option<Vec<MailboxId>> {
        let value = settled(self.machine, self.thread, &self.written, expr)?;
        match about(self.links, &value, self.thread.process, direction) {
            About::These(boxes) => Some(boxes),
            About::Reply | About::Any => None,
        }
    }

    /// A waiting receiver that does not handle the end of its sender ends in the same step as the
    /// sender; had the sender ended earlier, the receiver would have lived on until its receive.
    fn may_end_with_its_sender(&self, pc: Pc, plain: &mut [bool]) {
        for (id, plain) in plain.iter_mut().enumerate() {
            let id = MailboxId::at(id);
            *plain &= self.links.ends(id).is_none() || !self.own[pc.index()].receives.has(id);
        }
    }

    /// All mailboxes, and the links of this process in that direction.
    fn all_boxes(&self, direction: Direction) -> Vec<MailboxId> {
        let is_at_hand = |ends: &Option<(ProcessId, ProcessId)>| match (ends, direction) {
            (None, _) => true,
            (Some((from, _)), Direction::To) => *from == self.thread.process,
            (Some((_, to)), Direction::From) => *to == self.thread.process,
        };
        let boxes = self.links.0.iter().enumerate().filter(|(_, ends)| is_at_hand(ends));
        boxes.map(|(id, _)| MailboxId::at(id)).collect()
    }

    fn use_boxes(
        &mut self,
        pc: Pc,
        boxes: Option<Vec<MailboxId>>,
        direction: Direction,
        is_plain: bool,
        plain: &mut [bool],
    ) {
        let boxes = boxes.unwrap_or_else(|| self.all_boxes(direction));
        let own = &mut self.own[pc.index()];
        for mailbox in boxes {
            match direction {
                Direction::To => own.sends.put(mailbox),
                Direction::From => own.receives.put(mailbox),
            }
            plain[mailbox.index()] &= is_plain;
        }
    }

    /// For each place, what lies ahead of it, including what the place does itself.
    pub(super) fn ahead(self) -> Vec<Ahead> {
        let Self { machine, own, .. } = self;
        look_ahead(&machine.code, Ahead::default, |pc, op, ahead| {
            let mut all = own[pc.index()].clone();
            let mut next = Vec::new();
            op.successors(pc, &mut next);
            for to in &next {
                all.add(&ahead[to.index()]);
            }
            all
        })
    }
}
