//! Partial order: where the next step of some threads makes no difference to anybody else, and nobody
//! else's to it, the others need not be tried first.
//!
//! A set of threads is *persistent* in a state if nothing that the others could do, without those in the
//! set moving, depends on the next moves of the set. Following a persistent set alone reaches every state
//! in which nothing moves any more. What could be done is read off the code that is still ahead of a
//! thread; what is known only at run time counts as everything.
//!
//! On a mailbox that is first in, first out, and on which everybody waits without limit, a send and a
//! receive come to the same in either order, whether it is full, empty, or neither. Only two sends, or two
//! receives, do not. The same holds for a link, except that a message is lost if its receiver ends, and that
//! a receiver that does not handle the end of its sender may be ended by it.

mod ahead;
mod listener;

use ipcsim_kernel::program::{Effect, From, Op, Verb};
use ipcsim_kernel::waits::settled;
use ipcsim_kernel::{
    BlockedOn, Bound, Capacity, Detect, Expr, Holder, Machine, Mailbox, MailboxId, Object, Order,
    Pick, ProcessId, Sources, State, Thread, ThreadState,
};

use super::transitions::Move;
use ahead::{About, Ahead, Direction, Links, Walk, about};
use listener::{is_patient, is_rendezvous};

/// A set of threads.
pub(super) type Threads = u64;
const MOST_THREADS: usize = 64;

/// Who could still do what.
pub(super) struct PartialOrder {
    /// By thread and place in the code: what lies ahead there.
    ahead: Vec<Vec<Ahead>>,
    /// Mailboxes and links on which a send and a receive come to the same in either order.
    plain: Vec<bool>,
    /// Mailboxes and links at which a sender waits until its message is taken.
    rendezvous: Vec<bool>,
    /// Whether nobody gives up waiting.
    patient: bool,
    links: Links,
    /// The threads of each process.
    of_process: Vec<Threads>,
}

/// The threads of a state, none where one has ended or does not exist.
pub(super) struct View<'a> {
    pub machine: &'a Machine,
    pub threads: &'a [Option<&'a Thread>],
}

impl PartialOrder {
    /// What there is to know of a machine that begins in this state; nothing where steps depend on more
    /// than mailboxes and links.
    pub(super) fn of(machine: &Machine, state: &State) -> Option<Self> {
        let threads = state.threads.items();
        let policies = &machine.policies;
        if threads.len() > MOST_THREADS
            || policies.memory.is_some()
            || policies.looks_again()
            || policies.detect != Detect::Report
            || machine.has_ports()
            || machine.any_call(|effect| !effect.is_plain())
        {
            return None;
        }
        let boxes = state.mailboxes.items();
        let mut plain: Vec<bool> = boxes
            .iter()
            .map(|mailbox| policies.sender == Pick::Fifo && commutes(mailbox))
            .collect();
        let links = Links(boxes.iter().map(Mailbox::link).collect());
        let mut of_process: Vec<Threads> = vec![0; state.processes.items().len()];
        for (id, thread) in threads.iter().enumerate() {
            of_process[thread.process.index()] |= 1 << id;
        }
        let rendezvous = boxes.iter().map(is_rendezvous).collect();
        let patient = is_patient(machine, &of_process);
        let mut ahead = Vec::new();
        for thread in threads {
            let mut walk = Walk::new(machine, thread, &links);
            walk.go(&mut plain);
            ahead.push(walk.ahead());
        }
        let mut order = Self { ahead, plain, rendezvous, patient, links, of_process };
        order.end_together(threads);
        Some(order)
    }

    /// When a process ends all its threads do, and take back what they send. So each of several threads
    /// counts as doing what any of them does, and in no order does that come to the same.
    fn end_together(&mut self, threads: &[Thread]) {
        for of in self.of_process.clone().into_iter().filter(|of| of.count_ones() > 1) {
            let mut together = Ahead::default();
            let members = || (0..threads.len()).filter(|t| of & (1 << t) != 0);
            for t in members() {
                together.add(&self.ahead[t][threads[t].pc.index()]);
            }
            for t in members() {
                self.ahead[t].fill(together.clone());
            }
            for (id, plain) in self.plain.iter_mut().enumerate() {
                let id = MailboxId::at(id);
                *plain &= !together.sends.has(id) && !together.receives.has(id);
            }
        }
    }

    /// The threads that move: one, or all of a process that begins.
    pub(super) fn who_moves(&self, what: Move) -> Threads {
        match what {
            Move::Begin => 0,
            Move::Start(process) => self.of_process[process.index()],
            Move::Call(t) | Move::Local(t) | Move::Expire(t) => 1 << t.index(),
        }
    }

    /// A persistent set of threads with as few ways on as was found, or a receiver that may go first. `moves` are the threads that can
    /// move, each with how many ways on it has and the processes that end on one of them.
    pub(super) fn persistent(&self, view: &View, moves: &[Movable]) -> Threads {
        if let Some(listener) = self.listener(view, moves) {
            return listener;
        }
        let alive = alive(view);
        let mut best = (alive, usize::MAX);
        for seed in moves {
            let set = self.closed(view, alive, seed.threads, moves);
            let ways = moves.iter().filter(|other| other.threads & set != 0);
            let ways = ways.map(|other| other.ways).sum();
            if ways < best.1 {
                best = (set, ways);
            }
        }
        best.0
    }

    /// Adds to a set of threads whoever could interfere with one of them.
    fn closed(&self, view: &View, alive: Threads, seed: Threads, moves: &[Movable]) -> Threads {
        let mut set = seed;
        let mut open = seed;
        while open != 0 {
            let t = open.trailing_zeros() as usize;
            open &= open - 1;
            let mut others = self.interfere(view, t).unwrap_or(alive);
            if let Some(thread) = view.threads[t] {
                others |= self.of_process[thread.process.index()];
            }
            for movable in moves.iter().filter(|movable| movable.threads & (1 << t) != 0) {
                for process in &movable.ended {
                    others |= self.deliver_to(view, *process)
                        | self.expect_of(view, *process)
                        | self.impatient(view, |holder| *holder == Holder::Taken(*process));
                }
            }
            others &= alive & !set;
            open |= others;
            set |= others;
        }
        set
    }

    /// Who could interfere with the next move of a thread, or let it move; nothing if everybody could.
    fn interfere(&self, view: &View, t: usize) -> Option<Threads> {
        let Some(thread) = view.threads[t] else { return Some(0) };
        match &thread.state {
            // What an exception does to others, its move tells.
            ThreadState::NotStarted | ThreadState::Raising(_) | ThreadState::Ended => Some(0),
            ThreadState::LookingAgain { .. } | ThreadState::Suspended(_) => None,
            ThreadState::Ready => match &view.machine.code[thread.pc.index()] {
                Op::Call(call) => self.interfere_with_call(view, thread, &call.verb),
                _ => Some(0),
            },
            ThreadState::Blocked { on, bound } => match on {
                BlockedOn::Sleep => Some(0),
                BlockedOn::Send(mailbox) => {
                    Some(self.others_at(view, *mailbox, Direction::To, *bound))
                }
                BlockedOn::Receive { sources: Sources::One(mailbox), .. } => {
                    Some(self.others_at(view, *mailbox, Direction::From, *bound))
                }
                BlockedOn::Receive { sources: Sources::Anyone, .. } => {
                    Some(self.deliver_to(view, thread.process))
                }
                BlockedOn::Reply { holder, .. } => {
                    let holders = match holder {
                        Holder::Taken(process) => self.of_process[process.index()],
                        Holder::Queued(mailbox) => {
                            self.others_at(view, *mailbox, Direction::To, *bound)
                        }
                    };
                    Some(holders | self.who(view, |ahead| ahead.replies))
                }
                _ => None,
            },
        }
    }

    fn interfere_with_call(&self, view: &View, thread: &Thread, verb: &Verb) -> Option<Threads> {
        let mut others = Some(0);
        verb.effects(&mut |effect| {
            let more = match effect {
                Effect::Answers(_) => Some(self.rivals_of_a_reply(view)),
                Effect::Sends(send) => self.rivals_of(view, thread, &send.to, Direction::To),
                Effect::Receives(receive) => match &receive.from {
                    From::These(from) => self.rivals_of(view, thread, from, Direction::From),
                    From::Anyone => Some(self.deliver_to(view, thread.process)),
                },
                other if other.is_plain() => Some(0),
                _ => None,
            };
            others = others.zip(more).map(|(others, more)| others | more);
        });
        others
    }

    /// Who could interfere with a call that is about these mailboxes or processes.
    fn rivals_of(
        &self,
        view: &View,
        thread: &Thread,
        objects: &Expr,
        direction: Direction,
    ) -> Option<Threads> {
        let value = settled(view.machine, thread, &[], objects)?;
        match about(&self.links, &value, thread.process, direction) {
            About::Any => None,
            About::Reply => Some(self.rivals_of_a_reply(view)),
            About::These(boxes) => Some(
                boxes
                    .iter()
                    .fold(0, |others, mailbox| others | self.rivals_at(view, *mailbox, direction)),
            ),
        }
    }

    /// Whose calls do not come to the same before and after a call of this direction.
    fn rivals_at(&self, view: &View, mailbox: MailboxId, direction: Direction) -> Threads {
        let rivals = self.who(view, |ahead| match direction {
            Direction::To => ahead.sends.has(mailbox),
            Direction::From => ahead.receives.has(mailbox),
        });
        let receiver = match (self.links.ends(mailbox), direction) {
            (Some((_, to)), Direction::To) => self.of_process[to.index()],
            _ => 0,
        };
        rivals | receiver | self.all_at_special(view, mailbox)
    }

    /// Who could end a wait here, or come in its way.
    fn others_at(
        &self,
        view: &View,
        mailbox: MailboxId,
        direction: Direction,
        bound: Bound,
    ) -> Threads {
        let helpers = self.who(view, |ahead| match direction {
            Direction::To => ahead.receives.has(mailbox),
            Direction::From => ahead.sends.has(mailbox),
        });
        let other_end = match (self.links.ends(mailbox), direction) {
            (Some((_, to)), Direction::To) => self.of_process[to.index()],
            (Some((from, _)), Direction::From) => self.of_process[from.index()],
            (None, _) => 0,
        };
        let rivals = match bound {
            Bound::Forever => 0,
            Bound::Bounded | Bound::Expired => self.rivals_at(view, mailbox, direction),
        };
        helpers | other_end | rivals | self.all_at_special(view, mailbox)
    }

    /// Where a send and a receive do not come to the same in either order, whoever does either.
    fn all_at_special(&self, view: &View, mailbox: MailboxId) -> Threads {
        if self.plain.get(mailbox.index()).is_some_and(|plain| *plain) {
            return 0;
        }
        let ends = self.links.ends(mailbox).map_or(0, |(from, to)| {
            // Whoever receives from anyone sees which message came first, on whichever link.
            let to_the_same = self.deliver_to(view, to);
            to_the_same | self.of_process[from.index()] | self.of_process[to.index()]
        });
        ends | self.who(view, |ahead| ahead.sends.has(mailbox) || ahead.receives.has(mailbox))
    }

    /// Who could still send to a process over a link, or answer in its place.
    fn deliver_to(&self, view: &View, process: ProcessId) -> Threads {
        let over_links = self
            .links
            .leading_to(process)
            .fold(0, |who, link| who | self.who(view, |ahead| ahead.sends.has(link)));
        over_links | self.who(view, |ahead| ahead.replies)
    }

    /// Who could answer as well, and who waits for an answer and may not wait long enough.
    fn rivals_of_a_reply(&self, view: &View) -> Threads {
        self.who(view, |ahead| ahead.replies) | self.impatient(view, |_| true)
    }

    /// Callers that wait for such a holder of their request to answer, and perhaps not long enough: only for
    /// so long, or in a process that another of its threads can end.
    fn impatient(&self, view: &View, waits_for: impl Fn(&Holder) -> bool) -> Threads {
        let mut who = 0;
        for (t, thread) in view.threads.iter().enumerate() {
            let Some(thread) = thread else { continue };
            let of_process = self.of_process[thread.process.index()];
            if let ThreadState::Blocked { on: BlockedOn::Reply { holder, .. }, bound } =
                &thread.state
                && waits_for(holder)
            {
                who |= if *bound == Bound::Forever { 0 } else { 1 << t };
                who |= if of_process == 1 << t { 0 } else { of_process };
            }
        }
        who
    }

    /// To whom it makes a difference when a process ends from which they receive over a link: where they
    /// wait without limit they learn of it, whether they come before or after.
    fn expect_of(&self, view: &View, process: ProcessId) -> Threads {
        let links = (0..self.plain.len()).map(MailboxId::at).filter(|link| {
            let is_from_there = self.links.ends(*link).is_some_and(|(from, _)| from == process);
            is_from_there && !self.plain[link.index()]
        });
        links.fold(0, |who, link| who | self.who(view, |ahead| ahead.receives.has(link)))
    }

    fn who(&self, view: &View, could: impl Fn(&Ahead) -> bool) -> Threads {
        let mut who = 0;
        for (t, thread) in view.threads.iter().enumerate() {
            if let Some(thread) = thread
                && could(&self.ahead[t][thread.pc.index()])
            {
                who |= 1 << t;
            }
        }
        who
    }
}

/// Threads that can move, with what is known of their ways on.
pub(super) struct Movable {
    /// The thread, or those of a process that begins.
    pub threads: Threads,
    /// How many ways on there are.
    pub ways: usize,
    /// The processes that end on one of them.
    pub ended: Vec<ProcessId>,
    /// Whether the thread waits then.
    pub waits: bool,
}

fn alive(view: &View) -> Threads {
    let alive = view.threads.iter().enumerate().filter(|(_, thread)| thread.is_some());
    alive.fold(0, |alive, (t, _)| alive | 1 << t)
}

/// Whether a send and a receive come to the same in either order, if nobody's wait has a limit.
fn commutes(mailbox: &Mailbox) -> bool {
    let spec = &mailbox.spec;
    let has_a_fixed_size =
        matches!(spec.capacity, Capacity::None | Capacity::Messages(_) | Capacity::Unlimited);
    has_a_fixed_size
        && !matches!(mailbox.object, Object::Filed)
        && spec.order == Order::Fifo
        && spec.receiver == Pick::Fifo
}
