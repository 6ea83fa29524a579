//! Lazy calls: a call that would only put its thread into a queue has not been made yet.
//!
//! Time is free in an exploration, so a thread that waits can often not be told from one that is about to call. Where that
//! is so, a call that would block is not a step. It becomes one when it can be completed. Where two calls need each
//! other, both are one *joint* step: the call of one blocks, and then the call of the other completes it. A bounded wait that
//! ends without anything is one step, too.
//!
//! Every lazy schedule is one of the kernel's: let each thread call just before its call is completed. And for each schedule
//! of the kernel there is a lazy one: leave out the calls that block, and make each when the kernel completed it.

pub(super) mod reach;
pub(super) mod sides;

use ipcsim_kernel::{Bound, Machine, Mailbox, MailboxId, Oracle, Question, Sink, State, ThreadId};

use super::steps::cache::{Came, Move, Step};
use super::steps::drive::{Ready, drive};
use super::steps::grain::Grain;
use super::steps::{Pending, Steps, callers};
use reach::{Boxes, Links, Reach};

/// What is known of those who are about to make lazy calls.
pub(super) struct Lazy {
    links: Links,
    /// What the call can touch before which a thread stands, by the number of its part.
    reach: Vec<Option<Reach>>,
    meetings: Meetings,
    pub(super) misses: Misses,
}

/// When it is a step that a sender begins to wait for memory, and so misses a receiver that comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misses {
    /// Where nothing else can happen but that they meet. That is enough for every end: whoever waits for ever can begin to
    /// when everybody else has come to rest.
    AtRest,
    /// Always. That is needed where the others may never come to rest.
    Anytime,
}

impl Lazy {
    /// The lazy calls of a machine with this initial state.
    pub(super) fn of(state: &State, misses: Misses) -> Self {
        let links = Links(state.mailboxes.items().iter().map(Mailbox::link).collect());
        Self { links, reach: Vec::new(), meetings: Meetings::default(), misses }
    }

    /// Finds out what a thread with this part can touch.
    pub(super) fn learn(&mut self, steps: &Steps, part: u32) {
        let at = part as usize;
        if self.reach.len() <= at {
            self.reach.resize(at + 1, None);
        }
        if self.reach[at].is_none() {
            let thread = steps.codec.thread(part);
            let reach = thread.map(|thread| Reach::of(&steps.machine, &self.links, thread));
            self.reach[at] = Some(reach.unwrap_or_default());
        }
    }

    pub(super) fn of_part(&self, part: u32) -> &Reach {
        self.reach[part as usize].as_ref().expect("it was learned")
    }
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
pub(super) struct Caller {
    pub t: ThreadId,
    pub part: u32,
    pub came: Came,
}

impl Lazy {
    /// Lets those who stand before a call in a state in which nothing moves any more make it: they wait for ever.
    pub(super) fn rest(machine: &Machine, grain: &Grain, state: &mut State) {
        for t in callers(machine, state) {
            let mut nobody = Ready::new(NoSink);
            let step = (Step::alone(Move::Call(t)), grain);
            drive(machine, state, step, &mut First, &mut nobody, |_, _, _, _| {});
        }
    }

    /// Of what can happen in a state, takes out what is no step, and adds what takes two calls at once.
    pub(super) fn complete(
        &mut self,
        steps: &mut Steps,
        (state, row): (u32, &[u32]),
        (found, first): (&mut Vec<Pending>, usize),
    ) {
        let callers = self.callers(steps, row, &found[first..]);
        self.gather(&callers);
        let mut may_miss = Vec::new();
        for caller in callers.iter().filter(|caller| caller.came.waits()) {
            let blocks = Some(caller.t);
            if caller.came == Came::Waits(Bound::Bounded) {
                steps.follow((state, row), Step { blocks, what: Move::Expire(caller.t) }, found);
            }
            if caller.came == Came::WaitsForMemory && self.may_miss(caller, &callers) {
                may_miss.push(caller.t);
            }
            for other in self.partners(caller, &callers) {
                let step = Step { blocks, what: Move::Call(callers[other].t) };
                steps.follow((state, row), step, found);
            }
        }
        // After those that are no steps somebody waits who could as well call later.
        let is_step = |pending: &Pending| !steps.cache.effect(pending.effect).came.waits();
        let hands_over = |pending: &Pending| {
            let Step { blocks, what } = pending.step;
            blocks.is_some() && what.thread().is_some_and(|t| may_miss.contains(&t))
        };
        let rests = found[first..].iter().filter(|it| is_step(it)).all(hands_over);
        match self.misses {
            Misses::AtRest if rests => may_miss.truncate(1),
            Misses::AtRest => may_miss.clear(),
            Misses::Anytime => {}
        }
        let misses = |pending: &Pending| {
            may_miss.iter().any(|t| pending.step == Step::alone(Move::Call(*t)))
        };
        let mut at = 0;
        found.retain(|pending| {
            at += 1;
            at <= first || is_step(pending) || misses(pending)
        });
    }

    /// Whether a sender that would wait for memory may miss a receiver: one that comes to wait at the same mailbox later is
    /// not handed its message. Then it matters who of the two calls first.
    fn may_miss(&self, sender: &Caller, callers: &[Caller]) -> bool {
        let sends = &self.of_part(sender.part).sends;
        callers.iter().any(|other| {
            other.came == Came::Waits(Bound::Forever)
                && self.of_part(other.part).receives.meets(sends)
        })
    }

    /// Those who call in a state, by the steps found there.
    fn callers(&mut self, steps: &Steps, row: &[u32], found: &[Pending]) -> Vec<Caller> {
        let mut callers: Vec<Caller> = Vec::new();
        for Pending { step, effect, .. } in found {
            let Move::Call(t) = step.what else { continue };
            let came = steps.cache.effect(*effect).came;
            let part = steps.codec.part_of_thread(row, t.index());
            self.learn(steps, part);
            match callers.last_mut().filter(|caller| caller.t == t) {
                Some(caller) => caller.came = caller.came.and(came),
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
    pub(super) fn may_complete(&self, waiter: &Caller, other: &Caller) -> bool {
        let (waits, comes) = (self.of_part(waiter.part), self.of_part(other.part));
        // What a send stores by itself, a receiver takes afterwards.
        let takes = other.came != Came::Through && waits.receives.meets(&comes.sends);
        let gives = match other.came {
            Came::Waits(_) | Came::WaitsForMemory | Came::Stays => false,
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
