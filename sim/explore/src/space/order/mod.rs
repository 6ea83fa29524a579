//! Partial-order reduction: if the next steps of some threads are independent of what all others
//! can do, the others need not be tried first.
//!
//! A set of threads is *persistent* in a state if nothing that the others could do, without those
//! in the set moving, depends on the next moves of the set. Exploring only a persistent set in each
//! state reaches every state in which nothing moves any more. What the others could do is read off
//! the code still ahead of them; what is known only at run time counts as everything.
//!
//! On a first-in, first-out mailbox where everybody waits without limit, a send and a receive
//! commute, whether it is full, empty, or neither. Only two sends, or two receives, do not. The
//! same holds for a link, except that a message is lost if its receiver ends, and that the end of a
//! sender may end a receiver that does not handle it.

mod ahead;
mod listener;

use ipcsim_kernel::program::{Effect, From, Op, Verb};
use ipcsim_kernel::waits::settled;
use ipcsim_kernel::{
    BlockedOn, Bound, Capacity, Detect, Expr, Holder, Machine, Mailbox, MailboxId, Object, Order,
    Pick, ProcessId, Sources, State, Thread, ThreadState,
};

use super::transitions::Move;
use super::reach::{About, Direction, Links, about};
use ahead::{Ahead, Walk};
use listener::{is_patient, is_rendezvous};

/// A set of threads.
pub(super) type Threads = u64;
const MOST_THREADS: usize = 64;

/// What each thread may still do.
pub(super) struct PartialOrder {
    /// What lies ahead, by thread and place in the code.
    ahead: Vec<Vec<Ahead>>,
    /// Mailboxes and links on which a send and a receive commute.
    plain: Vec<bool>,
    /// Mailboxes and links at which a sender waits until its message is taken.
    rendezvous: Vec<bool>,
    /// Whether nobody gives up waiting.
    patient: bool,
    links: Links,
    /// The threads of each process.
    of_process: Vec<Threads>,
}

/// The threads of a state; none for those that have ended or do not exist.
pub(super) struct View<'a> {
    pub machine: &'a Machine,
    pub threads: &'a [Option<&'a Thread>],
}

impl PartialOrder {
    /// Analyses a machine with this initial state; `None` if steps depend on more than mailboxes
    /// and links.
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

    /// When a process ends, all its threads end and withdraw what they send. So each of several
    /// threads counts as doing what any of them does, and nothing they do commutes.
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

    /// The threads that move: one, or all threads of a process that begins.
    pub(super) fn who_moves(&self, what: Move) -> Threads {
        match what {
            Move::Begin => 0,
            Move::Start(process) => self.of_process[process.index()],
            Move::Call(t) | Move::Local(t) | Move::Expire(t) => 1 << t.index(),
        }
    }

    /// The persistent set with the fewest transitions found, or a receiver that may go first. `moves` are the
    /// threads that can move, each with its number of transitions and the processes that end in one of them.
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

    /// Closes a set of threads: adds every thread that could interfere with one in it.
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

    /// Which threads could interfere with a thread's next move, or enable it; `None` if all could.
    fn interfere(&self, view: &View, t: usize) -> Option<Threads> {
        let Some(thread) = view.threads[t] else { return Some(0) };
        match &thread.state {
            // The effect of an exception on others is known from its move.
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

    /// Which threads could interfere with a call on these mailboxes or processes.
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

    /// The threads whose calls do not commute with a call in this direction.
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

    /// The threads that could end a wait here, or interfere with it.
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

    /// If a send and a receive do not commute here, all threads that may do either.
    fn all_at_special(&self, view: &View, mailbox: MailboxId) -> Threads {
        if self.plain.get(mailbox.index()).is_some_and(|plain| *plain) {
            return 0;
        }
        let ends = self.links.ends(mailbox).map_or(0, |(from, to)| {
            // A receive from anyone depends on which message came first, on whichever link.
            let to_the_same = self.deliver_to(view, to);
            to_the_same | self.of_process[from.index()] | self.of_process[to.index()]
        });
        ends | self.who(view, |ahead| ahead.sends.has(mailbox) || ahead.receives.has(mailbox))
    }

    /// The threads that could still send to a process over a link, or reply to anyone.
    fn deliver_to(&self, view: &View, process: ProcessId) -> Threads {
        let over_links = self
            .links
            .leading_to(process)
            .fold(0, |who, link| who | self.who(view, |ahead| ahead.sends.has(link)));
        over_links | self.who(view, |ahead| ahead.replies)
    }

    /// The threads that could also reply, and those that wait for a reply and may not wait long enough.
    fn rivals_of_a_reply(&self, view: &View) -> Threads {
        self.who(view, |ahead| ahead.replies) | self.impatient(view, |_| true)
    }

    /// Callers whose request such a holder must answer, and that may not wait long enough: their
    /// wait is bounded, or another thread can end their process.
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

    /// The receivers on this process's links for which it matters when it ends. Plain links are exempt: their
    /// receivers wait without limit, and learn of the end whether they come before or after it.
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

/// Threads that can move, with what is known about their transitions.
pub(super) struct Movable {
    /// The thread, or all threads of a process that begins.
    pub threads: Threads,
    /// How many transitions there are.
    pub ways: usize,
    /// The processes that end in one of them.
    pub ended: Vec<ProcessId>,
    /// Whether the thread is blocked afterwards.
    pub waits: bool,
}

fn alive(view: &View) -> Threads {
    let alive = view.threads.iter().enumerate().filter(|(_, thread)| thread.is_some());
    alive.fold(0, |alive, (t, _)| alive | 1 << t)
}

/// Whether a send and a receive commute, if all waits are unbounded.
fn commutes(mailbox: &Mailbox) -> bool {
    let spec = &mailbox.spec;
    let has_a_fixed_size =
        matches!(spec.capacity, Capacity::None | Capacity::Messages(_) | Capacity::Unlimited);
    has_a_fixed_size
        && !matches!(mailbox.object, Object::Filed)
        && spec.order == Order::Fifo
        && spec.receiver == Pick::Fifo
}
