//! Who waits for whom, and who can never move again.
//!
//! A thread *can still be helped* if some thread that can move has code ahead of it that could end the
//! wait. Whoever is helped can move, and may help others. What is left over is **stuck**: no
//! continuation lets it move again. The words "could" and "code ahead" are taken generously: a
//! destination that is known only at run time counts as every object, a call that might fail counts
//! as one that does. So a thread that is called stuck is stuck; one that is not may be stuck all the
//! same, and an exploration finds it.
//!
//! | a wait | ends when somebody |
//! | --- | --- |
//! | SEND-blocked | receives from the mailbox, destroys it, or is the receiver of a link and ends |
//! | RECEIVE-blocked | sends there, destroys it, or is the sender of a link and ends |
//! | REPLY-blocked | takes the request and replies, or has it and ends |
//! | memory-blocked | receives anything that is stored, or ends |
//! | join | is one of the threads awaited, and all of those can end |
//! | look-up | registers a name |
//! | any | kills the process of the thread that waits |
//!
//! A bounded wait ends by itself, and a process that has not started can still do all that its code
//! says.

mod future;

use crate::ids::{MailboxId, ProcessId, ThreadId};
use crate::machine::{Capacity, Machine, MailboxKind};
use crate::state::{BlockedOn, Bound, Holder, Life, State, ThreadState};
use future::{Future, Reach};

/// The threads that can never move again, in order. Daemons at rest are among them.
pub fn stuck(machine: &Machine, state: &State) -> Vec<ThreadId> {
    let mut search = Search::new(machine, state);
    for index in 0..state.threads.len() {
        let t = ThreadId::at(index);
        if moves_by_itself(state, t) {
            search.help(t);
        }
    }
    search.run();
    (0..state.threads.len())
        .map(ThreadId::at)
        .filter(|t| {
            matches!(state.threads[t.index()].state, ThreadState::Blocked { .. })
                && !search.helped[t.index()]
        })
        .collect()
}

/// Whether a thread waits with a bound, or does not wait.
fn moves_by_itself(state: &State, t: ThreadId) -> bool {
    match &state.threads[t.index()].state {
        ThreadState::Ready | ThreadState::LookingAgain { .. } => true,
        ThreadState::Blocked { bound, .. } => *bound != Bound::Forever,
        ThreadState::NotStarted => {
            let process = state.threads[t.index()].process;
            state.processes[process.index()].life == Life::NotStarted
        }
        ThreadState::Ended => false,
    }
}

/// For each of these threads that can never move again: which of them could have ended its wait, had
/// they been able to move. Sorted by the waiting thread, then by the other.
pub fn waits_for(
    machine: &Machine,
    state: &State,
    stuck: &[ThreadId],
) -> Vec<(ThreadId, ThreadId)> {
    let mut search = Search::new(machine, state);
    let mut among = vec![false; state.threads.len()];
    for t in stuck {
        among[t.index()] = true;
    }
    let mut edges = Vec::new();
    for other in stuck {
        let future = search.future(*other);
        for waiting in search.would_help(*other, &future) {
            if among[waiting.index()] {
                edges.push((waiting, *other));
            }
        }
    }
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// Whether a thread that has just begun to wait closes a circle of waits that nobody can open.
pub fn closes_a_circle(machine: &Machine, state: &State, t: ThreadId) -> bool {
    let stuck = stuck(machine, state);
    if !stuck.contains(&t) {
        return false;
    }
    let edges = waits_for(machine, state, &stuck);
    let mut seen = vec![false; state.threads.len()];
    let mut open = vec![t];
    while let Some(at) = open.pop() {
        let first = edges.partition_point(|(from, _)| *from < at);
        for (_, to) in edges[first..].iter().take_while(|(from, _)| *from == at) {
            if *to == t {
                return true;
            }
            if !std::mem::replace(&mut seen[to.index()], true) {
                open.push(*to);
            }
        }
    }
    false
}

/// The search for whoever can still be helped.
struct Search<'a> {
    machine: &'a Machine,
    state: &'a State,
    scratch: future::Scratch,
    helped: Vec<bool>,
    open: Vec<ThreadId>,
    /// Callers that wait for an answer, with whoever has their request.
    callers: Vec<(ThreadId, Holder)>,
    /// How many living threads of each process are not known to be able to come to their end.
    unending: Vec<u32>,
}

impl<'a> Search<'a> {
    fn new(machine: &'a Machine, state: &'a State) -> Self {
        let callers =
            (0..state.threads.len()).map(ThreadId::at).filter_map(|t| match state.waits_for(t) {
                Some(BlockedOn::Reply { holder, .. }) => Some((t, *holder)),
                _ => None,
            });
        Self {
            machine,
            state,
            scratch: future::Scratch::new(machine),
            helped: vec![false; state.threads.len()],
            open: Vec::new(),
            callers: callers.collect(),
            unending: state
                .processes
                .iter()
                .map(|process| match process.life {
                    Life::NotStarted => process.declared_threads,
                    Life::Running | Life::Ended(_) => process.alive_threads,
                })
                .collect(),
        }
    }

    fn help(&mut self, t: ThreadId) {
        if !std::mem::replace(&mut self.helped[t.index()], true) {
            self.open.push(t);
        }
    }

    fn run(&mut self) {
        while let Some(t) = self.open.pop() {
            let future = self.future(t);
            let process = self.state.threads[t.index()].process;
            for waiting in self.would_help(t, &future) {
                if self.can_be_helped_by(waiting, t) {
                    self.help(waiting);
                }
            }
            if future.ends {
                self.unending[process.index()] -= 1;
            }
            if future.fails || self.unending[process.index()] == 0 {
                for waiting in self.helped_by_the_end_of(process) {
                    self.help(waiting);
                }
            }
            self.settle_joins(process);
            let helped = &self.helped;
            self.callers.retain(|(caller, _)| !helped[caller.index()]);
        }
    }

    fn future(&mut self, t: ThreadId) -> Future {
        self.scratch.future(self.machine, self.state, t)
    }

    /// A join ends when *all* that it waits for have ended; everything else when one thing happens.
    fn can_be_helped_by(&self, waiting: ThreadId, by: ThreadId) -> bool {
        match self.state.waits_for(waiting) {
            Some(BlockedOn::Join(awaited)) => !awaited.contains(&by),
            _ => true,
        }
    }

    fn settle_joins(&mut self, process: ProcessId) {
        for joiner in self.state.processes[process.index()].joiners.clone() {
            let Some(BlockedOn::Join(awaited)) = self.state.waits_for(joiner) else { continue };
            let all_can_end = awaited.iter().all(|t| {
                let ended = self.state.threads[t.index()].state == ThreadState::Ended;
                ended
                    || (self.helped[t.index()]
                        && self.scratch.can_end(self.machine, self.state, *t))
            });
            if all_can_end {
                self.help(joiner);
            }
        }
    }

    /// Who waits for something that this thread could still do. Of a join, every thread awaited is
    /// listed.
    fn would_help(&self, t: ThreadId, future: &Future) -> Vec<ThreadId> {
        let mut helped = Vec::new();
        let own = self.state.threads[t.index()].process;
        self.by_sending(&future.sends, &mut helped);
        self.by_receiving(future, &mut helped);
        self.by_destroying(&future.destroys, &mut helped);
        self.by_killing(own, future, &mut helped);
        if future.registers {
            helped.extend(&self.state.lookups);
        }
        if future.replies {
            helped.extend(self.callers.iter().filter_map(|(caller, holder)| match holder {
                Holder::Taken(process) => (*process == own).then_some(*caller),
                Holder::Queued(mailbox) => future.receives.contains(mailbox).then_some(*caller),
            }));
        }
        if future.ends {
            for joiner in &self.state.processes[own.index()].joiners {
                if let Some(BlockedOn::Join(awaited)) = self.state.waits_for(*joiner)
                    && awaited.contains(&t)
                {
                    helped.push(*joiner);
                }
            }
            if self.state.processes[own.index()].alive_threads == 1 {
                helped.extend(self.helped_by_the_end_of(own));
            }
        }
        self.by_withdrawing(t, &mut helped);
        helped
    }

    fn by_sending(&self, sends: &Reach<MailboxId>, helped: &mut Vec<ThreadId>) {
        let receives = |t: &ThreadId| {
            matches!(
                self.state.waits_for(*t),
                Some(BlockedOn::Receive { .. } | BlockedOn::Select(_))
            )
        };
        match sends {
            Reach::All => helped.extend(self.all_threads().filter(receives)),
            Reach::Some(mailboxes) => {
                for mailbox in mailboxes {
                    helped.extend(self.receivers_on(*mailbox));
                }
            }
        }
    }

    fn receivers_on(&self, mailbox: MailboxId) -> impl Iterator<Item = ThreadId> + '_ {
        let object = &self.state.mailboxes[mailbox.index()];
        let queue = match object.spec.kind {
            MailboxKind::Link { to, .. } => &self.state.processes[to.index()].inbox.receivers,
            MailboxKind::Open | MailboxKind::Filed => &object.receivers,
        };
        queue.iter().copied().filter(move |t| match self.state.waits_for(*t) {
            Some(BlockedOn::Receive { sources, .. } | BlockedOn::Select(sources)) => {
                sources.contains(mailbox)
            }
            _ => false,
        })
    }

    fn by_receiving(&self, future: &Future, helped: &mut Vec<ThreadId>) {
        match &future.receives {
            Reach::All => {
                let sends =
                    |t: &ThreadId| matches!(self.state.waits_for(*t), Some(BlockedOn::Send(_)));
                helped.extend(self.all_threads().filter(sends));
            }
            Reach::Some(mailboxes) => {
                for mailbox in mailboxes {
                    helped.extend(self.senders_on(*mailbox));
                }
            }
        }
        if !future.receives.is_nothing() {
            helped.extend(self.memory_waiters());
        }
    }

    fn senders_on(&self, mailbox: MailboxId) -> impl Iterator<Item = ThreadId> + '_ {
        self.state.mailboxes[mailbox.index()].senders.iter().map(|(t, _)| *t)
    }

    fn memory_waiters(&self) -> impl Iterator<Item = ThreadId> + '_ {
        self.state.memory.waiting.iter().map(|(t, _)| *t)
    }

    fn by_destroying(&self, destroys: &Reach<MailboxId>, helped: &mut Vec<ThreadId>) {
        match destroys {
            Reach::All => helped.extend(self.all_threads()),
            Reach::Some(mailboxes) => {
                for mailbox in mailboxes {
                    helped.extend(self.senders_on(*mailbox));
                    helped.extend(self.receivers_on(*mailbox));
                    helped.extend(self.callers.iter().filter_map(|(caller, holder)| {
                        (*holder == Holder::Queued(*mailbox)).then_some(*caller)
                    }));
                }
                if !mailboxes.is_empty() {
                    helped.extend(self.memory_waiters());
                }
            }
        }
    }

    fn by_killing(&self, own: ProcessId, future: &Future, helped: &mut Vec<ThreadId>) {
        if future.kills_threads {
            helped.extend(self.state.threads_of(own));
            helped.extend(self.helped_by_the_end_of(own));
        }
        match &future.kills {
            Reach::All => helped.extend(self.all_threads()),
            Reach::Some(processes) => {
                for process in processes {
                    helped.extend(self.state.threads_of(*process));
                    helped.extend(self.helped_by_the_end_of(*process));
                }
            }
        }
    }

    /// A sender that gives up may let in those behind it, whose messages are smaller.
    fn by_withdrawing(&self, t: ThreadId, helped: &mut Vec<ThreadId>) {
        match self.state.waits_for(t) {
            Some(BlockedOn::Memory(_)) => helped.extend(self.memory_waiters()),
            Some(BlockedOn::Send(message)) => {
                let capacity = self.state.mailboxes[message.mailbox.index()].spec.capacity;
                if matches!(capacity, Capacity::Bytes(_)) {
                    helped.extend(self.senders_on(message.mailbox));
                }
            }
            _ => {}
        }
    }

    fn helped_by_the_end_of(&self, process: ProcessId) -> Vec<ThreadId> {
        let mut helped: Vec<ThreadId> = self.state.threads_of(process).collect();
        let entry = &self.state.processes[process.index()];
        for link in entry.inbox.links() {
            helped.extend(self.senders_on(link));
            helped.extend(self.callers.iter().filter_map(|(caller, holder)| {
                (*holder == Holder::Queued(link)).then_some(*caller)
            }));
        }
        for link in &entry.outgoing {
            helped.extend(self.receivers_on(*link));
        }
        helped.extend(
            self.callers.iter().filter_map(|(caller, holder)| {
                (*holder == Holder::Taken(process)).then_some(*caller)
            }),
        );
        helped.extend(self.memory_waiters());
        helped
    }

    fn all_threads(&self) -> impl Iterator<Item = ThreadId> + use<> {
        (0..self.state.threads.len()).map(ThreadId::at)
    }
}
