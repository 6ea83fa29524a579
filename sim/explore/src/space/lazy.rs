//! Lazy calls: a call that would only put its thread into a queue has not been made yet.
//!
//! Time is free in an exploration, so a thread that waits can often not be told from one that is about to call. Where that
//! is so, a call that would block is not a step. It becomes one when it can be completed. Where two calls need each
//! other, both are one *joint* step: the call of one blocks, and then the call of the other completes it. A bounded wait that
//! ends without anything is one step, too.
//!
//! Every lazy schedule is one of the kernel's: let each thread call just before its call is completed. And for each schedule
//! of the kernel there is a lazy one: leave out the calls that block, and make each when the kernel completed it.

use ipcsim_kernel::program::{Effect, Op};
use ipcsim_kernel::table::Notes;
use ipcsim_kernel::{
    BlockedOn, Bound, Capacity, Detect, Expr, Function, Machine, Mailbox, MailboxId, Object,
    Oracle, Pick, Question, Sink, State, Thread, ThreadId, ThreadState,
};

use super::drive::{Ready, drive};
use super::parts::{Is, Part, Parts};
use super::reach::{Boxes, Links, Reach};
use super::transitions::{Came, Move, Step};
use super::{Pending, Space};

/// Which calls are lazy, and what is known of those who are about to make them.
pub(super) struct Lazy {
    links: Links,
    /// What the call can touch before which a thread stands, by the number of its part.
    reach: Vec<Option<Reach>>,
    meetings: Meetings,
}

impl Lazy {
    /// The lazy calls of a machine with this initial state; `None` if its calls are not known to be lazy.
    pub(super) fn of(machine: &Machine, state: &State) -> Option<Self> {
        let policies = &machine.policies;
        let is_eager = policies.memory.is_some()
            || policies.looks_again()
            || policies.detect != Detect::Report
            || policies.sender == Pick::Lifo
            || machine.has_ports()
            || machine.any_call(|effect| !effect.is_plain() || is_eager(effect))
            || machine.code.iter().any(draws)
            || state.mailboxes.items().iter().any(|mailbox| !may_be_lazy(mailbox));
        if is_eager {
            return None;
        }
        let links = Links(state.mailboxes.items().iter().map(Mailbox::link).collect());
        Some(Self { links, reach: Vec::new(), meetings: Meetings::default() })
    }

    /// Finds out what a thread with this part can touch.
    pub(super) fn learn(&mut self, machine: &Machine, parts: &Parts, part: u32) {
        let at = part as usize;
        if self.reach.len() <= at {
            self.reach.resize(at + 1, None);
        }
        if self.reach[at].is_none() {
            let reach = match parts.get(part) {
                Part::Thread(thread) => Reach::of(machine, &self.links, thread),
                _ => Reach::default(),
            };
            self.reach[at] = Some(reach);
        }
    }

    pub(super) fn of_part(&self, part: u32) -> &Reach {
        self.reach[part as usize].as_ref().expect("it was learned")
    }
}

/// Whether a thread that a step has changed now waits, though it could as well call later, and until when.
pub(super) fn waits_in(state: &State) -> Option<Bound> {
    let waits = |thread: &Thread| match &thread.state {
        ThreadState::Blocked {
            on: BlockedOn::Send(_) | BlockedOn::Receive { .. } | BlockedOn::Sleep,
            bound,
        } => Some(*bound),
        _ => None,
    };
    // Looking at the others would count as reading, and none of them waits like that.
    (0..state.threads.items().len())
        .filter(|t| state.threads.changed(*t))
        .find_map(|t| waits(&state.threads.items()[t]))
}

/// Whether a call with this effect must put its thread into a queue.
fn is_eager(effect: Effect) -> bool {
    match effect {
        Effect::Sends(send) => send.hold.is_some() || !send.rights.is_empty(),
        Effect::Answers(reply) => !reply.rights.is_empty(),
        Effect::Receives(receive) => receive.max_size.is_some(),
        _ => false,
    }
}

/// Whether a call draws lots.
fn draws(op: &Op) -> bool {
    let is_random = |part: &Expr| matches!(part, Expr::Function(Function::Random, _));
    let mut draws = false;
    op.expressions(&mut |expr| draws |= expr.contains(&is_random));
    draws && matches!(op, Op::Call(_))
}

fn may_be_lazy(mailbox: &Mailbox) -> bool {
    let counts_messages = matches!(
        mailbox.spec.capacity,
        Capacity::None | Capacity::Messages(_) | Capacity::Unlimited
    );
    counts_messages
        && !matches!(mailbox.object, Object::Filed)
        && mailbox.spec.receiver != Pick::Lifo
}

/// The threads that are ready and stand before a call, in the order of the file.
pub(crate) fn callers(machine: &Machine, state: &State) -> Vec<ThreadId> {
    let calls = |t: &ThreadId| {
        let thread = &state.threads[t.index()];
        thread.state.is_ready() && matches!(machine.code[thread.pc.index()], Op::Call(_))
    };
    (0..state.threads.len()).map(ThreadId::at).filter(calls).collect()
}

/// Answers every question with the first answer.
struct First;

impl Oracle for First {
    fn choose(&mut self, _: Question) -> u64 {
        0
    }
}

/// Listens to nothing.
struct NoSink;

impl Sink for NoSink {
    const EVENTS: bool = false;
}

/// A thread before its call, and how far that came by itself.
#[derive(Clone, Copy)]
struct Caller {
    t: ThreadId,
    part: u32,
    came: Came,
}

impl Space<'_> {
    /// A state in which nothing moves any more, with those in their queues who wait for ever.
    pub fn end_state(&self, state: u32) -> State {
        let mut state = self.state(state);
        if self.grain.is_lazy() {
            for t in callers(self.machine, &state) {
                let mut nobody = Ready::new(NoSink);
                let step = Step::alone(Move::Call(t));
                drive(
                    self.machine,
                    &mut state,
                    (step, &self.grain),
                    &mut First,
                    &mut nobody,
                    |_, _, _, _| {},
                );
            }
        }
        state
    }

    /// Finds what can happen in the current state, where calls are lazy.
    pub(super) fn lazy_moves(&mut self, state: u32) {
        let first = self.batch.pending.len();
        self.all_moves(state);
        let Some(mut lazy) = self.lazy.take() else { return };
        let callers = self.callers_since(first, &mut lazy);
        lazy.gather(&callers);
        for caller in &callers {
            let Came::Waits(bounded) = caller.came else { continue };
            let blocks = Some(caller.t);
            if bounded == Is::So {
                self.follow(state, Step { blocks, what: Move::Expire(caller.t) });
            }
            for other in lazy.partners(caller, &callers) {
                self.follow(state, Step { blocks, what: Move::Call(callers[other].t) });
            }
        }
        // After those that are no steps somebody waits who could as well call later.
        let transitions = &self.transitions;
        let is_step = |effect| !matches!(transitions.effect(effect).came, Came::Waits(_));
        let mut at = 0;
        self.batch.pending.retain(|pending| {
            at += 1;
            at <= first || is_step(pending.effect)
        });
        if let Some(mut order) = self.order.take() {
            self.keep_stubborn(&mut order, &mut lazy, first);
            self.order = Some(order);
        }
        self.lazy = Some(lazy);
    }

    /// Those who call in the current state, by the moves found since then.
    fn callers_since(&self, first: usize, lazy: &mut Lazy) -> Vec<Caller> {
        let mut callers: Vec<Caller> = Vec::new();
        for Pending { step, effect, .. } in &self.batch.pending[first..] {
            let Move::Call(t) = step.what else { continue };
            let came = self.transitions.effect(*effect).came;
            let position = self.layout.thread(t.index());
            let part = self.seen.part(position, self.row[position]);
            lazy.learn(self.machine, &self.parts, part);
            match callers.last_mut().filter(|caller| caller.t == t) {
                Some(caller) if caller.came == Came::Through => caller.came = came,
                Some(_) => {}
                None => callers.push(Caller { t, part, came }),
            }
        }
        callers
    }
}

/// Who sends to each mailbox and link, and who receives there, of the callers of one state.
#[derive(Default)]
struct Meetings {
    senders: Vec<Vec<usize>>,
    receivers: Vec<Vec<usize>>,
    /// Those of whom that is not known.
    unknown: Vec<usize>,
    used: Vec<MailboxId>,
}

impl Lazy {
    /// Notes who could meet whom.
    fn gather(&mut self, callers: &[Caller]) {
        let mut meetings = std::mem::take(&mut self.meetings);
        for id in meetings.used.drain(..) {
            meetings.senders[id.index()].clear();
            meetings.receivers[id.index()].clear();
        }
        meetings.unknown.clear();
        meetings.senders.resize_with(self.links.0.len(), Vec::new);
        meetings.receivers.resize_with(self.links.0.len(), Vec::new);
        for (at, caller) in callers.iter().enumerate() {
            let reach = self.of_part(caller.part);
            if reach.sends == Boxes::Unknown || reach.receives == Boxes::Unknown {
                meetings.unknown.push(at);
            }
            for id in reach.sends.listed() {
                meetings.senders[id.index()].push(at);
            }
            for id in reach.receives.listed() {
                meetings.receivers[id.index()].push(at);
            }
            meetings.used.extend(reach.sends.listed().iter().chain(reach.receives.listed()));
        }
        self.meetings = meetings;
    }

    /// The callers that might complete a call that blocks, in a way that takes both at once, in the order of the file.
    fn partners(&self, waiter: &Caller, callers: &[Caller]) -> Vec<usize> {
        let Meetings { senders, receivers, unknown, .. } = &self.meetings;
        let reach = self.of_part(waiter.part);
        let mut partners = unknown.clone();
        if reach.sends == Boxes::Unknown || reach.receives == Boxes::Unknown {
            partners.extend(0..callers.len());
        }
        for id in reach.receives.listed() {
            partners.extend(&senders[id.index()]);
        }
        for id in reach.sends.listed() {
            partners.extend(&receivers[id.index()]);
        }
        partners.sort_unstable();
        partners.dedup();
        partners.retain(|other| {
            callers[*other].t != waiter.t && self.may_complete(waiter, &callers[*other])
        });
        partners
    }

    /// Whether a call that blocks might be completed by another one, in a way that takes both at once.
    fn may_complete(&self, waiter: &Caller, other: &Caller) -> bool {
        let (waits, comes) = (self.of_part(waiter.part), self.of_part(other.part));
        // What a send stores by itself, a receiver takes afterwards.
        let takes = other.came != Came::Through && waits.receives.meets(&comes.sends);
        let gives = match other.came {
            Came::Waits(_) => false,
            Came::Refused => waits.sends.meets(&comes.receives),
            // It may have taken a message from further behind in its list.
            Came::Through => {
                matches!(comes.receives, Boxes::Many(_) | Boxes::Unknown)
                    && waits.sends.meets(&comes.receives)
            }
        };
        takes || gives
    }
}
