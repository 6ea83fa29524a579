//! What threads wait for: conditions that somebody must fulfil.

use ipcsim_program::{MailboxId, ProcessId, ThreadId};

use crate::object::mailbox::Object;
use crate::object::port::{Controlled, Receiver};
use crate::state::{BlockedOn, Holder, Queue, Sources, State};

/// Something that could happen and end waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// A message is sent to this mailbox or link.
    Sent(MailboxId),
    /// This process sends to some process, which is known only at run time.
    SentBy(ProcessId),
    /// A message is sent somewhere that is known only at run time.
    SentAnywhere,
    /// A message of a wanted type is sent there. Types are numbered within a [`super::WaitGraph`].
    SentOf(MailboxId, u32),
    /// See [`Condition::SentBy`] and [`Condition::SentOf`].
    SentByOf(ProcessId, u32),
    /// See [`Condition::SentAnywhere`] and [`Condition::SentOf`].
    SentAnywhereOf(u32),
    /// A message is taken from this mailbox or link.
    Taken(MailboxId),
    /// A message of one type is taken from there.
    TakenOf(MailboxId, u32),
    /// The queue limit of this port is changed.
    LimitSet(MailboxId),
    /// A message is taken somewhere that is known only at run time.
    TakenAnywhere,
    /// See [`Condition::TakenAnywhere`] and [`Condition::TakenOf`].
    TakenAnywhereOf(u32),
    /// This mailbox is destroyed.
    Destroyed(MailboxId),
    /// A request in this mailbox is taken and answered.
    AnsweredAt(MailboxId),
    /// A request is taken and answered, in whatever mailbox.
    AnsweredAnywhere,
    /// See [`Condition::AnsweredAt`] and [`Condition::TakenOf`].
    AnsweredOf(MailboxId, u32),
    /// See [`Condition::AnsweredAnywhere`] and [`Condition::TakenOf`].
    AnsweredAnywhereOf(u32),
    /// This process answers a request that it has taken.
    RepliedBy(ProcessId),
    /// The call of this thread is answered.
    RepliedTo(ThreadId),
    /// This process gives up its right to send to a port.
    LetGo(ProcessId, MailboxId),
    /// This thread does something that the waiting thread could also do to itself.
    DoneBy(ThreadId),
    /// Another thread kills this one.
    ThreadKilled(ThreadId),
    /// Another thread interrupts the call in which this one waits.
    ThreadInterrupted(ThreadId),
    /// Another thread resumes this one.
    ThreadResumed(ThreadId),
    /// Kernel memory becomes free.
    MemoryFreed,
    /// A thread ends.
    ThreadEnds(ThreadId),
    /// A process reaches its end.
    ProcessEnds(ProcessId),
    /// A process is made.
    Spawned(ProcessId),
    /// A process is ended, and all its threads with it: it is killed, exits or fails.
    ProcessKilled(ProcessId),
    /// Anything: something that is known only at run time is destroyed or killed.
    Anything,
}

impl Condition {
    /// Whether a thread that fulfils this condition could itself be waiting for it. What it does to itself, or
    /// takes away from itself, ends no wait of its own.
    pub(super) fn counts_for_whoever_brings_it_about(self) -> bool {
        !matches!(
            self,
            Condition::Destroyed(_)
                | Condition::Anything
                | Condition::ThreadKilled(_)
                | Condition::ThreadInterrupted(_)
                | Condition::ThreadResumed(_)
        )
    }
}

/// Finds who waits for a condition.
pub(super) struct Waiters {
    /// The threads that wait for an answer, by who has their request.
    callers: Vec<(Holder, ThreadId)>,
    /// The threads that wait at ports whose receive right is in a message: if that is lost, the port dies.
    at_carried: Vec<ThreadId>,
}

impl Waiters {
    pub(super) fn new(state: &State) -> Self {
        let callers =
            (0..state.threads.len()).map(ThreadId::at).filter_map(|t| match state.waits_for(t) {
                Some(BlockedOn::Reply { holder, .. }) => Some((*holder, t)),
                _ => None,
            });
        let mut callers: Vec<_> = callers.collect();
        callers.sort_unstable();
        let mut waiters = Self { callers, at_carried: Vec::new() };
        for port in (0..state.mailboxes.len()).map(MailboxId::at) {
            if matches!(state.receiver_of(port), Receiver::Carried(_)) {
                waiters.at_carried.extend(waiters.at(state, port));
            }
        }
        waiters
    }

    /// The threads that wait for what happens to their messages at a port.
    fn at(&self, state: &State, port: MailboxId) -> Vec<ThreadId> {
        senders_on(state, port).chain(self.callers_of(Holder::Queued(port))).collect()
    }

    /// Whether nobody waits for a condition, if a quick look shows it.
    pub(super) fn are_surely_none(&self, state: &State, condition: Condition) -> bool {
        let object = |mailbox: MailboxId| &state.mailboxes[mailbox.index()];
        let is_link = |mailbox: MailboxId| object(mailbox).link().is_some();
        match condition {
            Condition::Sent(mailbox) => {
                !is_link(mailbox)
                    && state.receivers_of(mailbox).is_empty()
                    && !matches!(state.receiver_of(mailbox), Receiver::Kernel(_))
            }
            Condition::Taken(mailbox) => {
                !is_link(mailbox)
                    && object(mailbox).set().is_none()
                    && object(mailbox).senders.is_empty()
                    && self.at_carried.is_empty()
            }
            Condition::AnsweredAt(_) | Condition::AnsweredAnywhere | Condition::RepliedBy(_) => {
                self.callers.is_empty()
            }
            _ => false,
        }
    }

    /// The threads whose waits a condition ends. For a join, each awaited thread counts.
    pub(super) fn of(&self, state: &State, condition: Condition) -> Vec<ThreadId> {
        let mut waiting = self.of_itself(state, condition);
        // A message may be lost with the right in it.
        if let Condition::Taken(_)
        | Condition::TakenAnywhere
        | Condition::Destroyed(_)
        | Condition::ProcessEnds(_)
        | Condition::ProcessKilled(_) = condition
        {
            waiting.extend(&self.at_carried);
        }
        waiting
    }

    fn of_itself(&self, state: &State, condition: Condition) -> Vec<ThreadId> {
        match condition {
            Condition::Sent(mailbox) => self.of_sending(state, mailbox),
            Condition::SentBy(process) => {
                let links = state.processes[process.index()].outgoing.iter();
                let mut waiting: Vec<ThreadId> =
                    links.flat_map(|link| receivers_on(state, *link)).collect();
                waiting.extend(all(state, |on| {
                    matches!(on, BlockedOn::Receive { sources: Sources::Anyone, .. })
                }));
                waiting
            }
            // Who may send to a port is another question.
            Condition::SentAnywhere => all(state, |on| waits_at_no_port(state, on)),
            Condition::Taken(mailbox) => of_taking(state, mailbox),
            Condition::TakenAnywhere => all(state, |on| matches!(on, BlockedOn::Send(_))),
            Condition::Destroyed(mailbox) => senders_on(state, mailbox)
                .chain(receivers_on(state, mailbox))
                .chain(self.callers_of(Holder::Queued(mailbox)))
                .collect(),
            Condition::AnsweredAt(mailbox) => self.of_answering(state, mailbox),
            Condition::AnsweredAnywhere => {
                all(state, |on| matches!(on, BlockedOn::Reply { holder: Holder::Queued(_), .. }))
            }
            Condition::RepliedBy(process) => self.callers_of(Holder::Taken(process)).collect(),
            Condition::MemoryFreed => state.memory.waiting.iter().map(|(t, _)| *t).collect(),
            Condition::ThreadEnds(t) => joiners_of(state, t),
            Condition::ProcessEnds(process) => self.of_the_end(state, process),
            Condition::ProcessKilled(process) => {
                let mut waiting = self.of_the_end(state, process);
                waiting.extend(state.threads_of(process));
                waiting
            }
            Condition::Spawned(process) => state.threads_of(process).collect(),
            Condition::ThreadKilled(t) => vec![t],
            // A waiting thread goes on when it is interrupted; one that is only suspended, when it is resumed.
            Condition::ThreadInterrupted(t) => {
                state.waits_for(t).is_some().then_some(t).into_iter().collect()
            }
            Condition::ThreadResumed(t) => {
                state.waits_for(t).is_none().then_some(t).into_iter().collect()
            }
            // These occur in wait-for graphs only.
            Condition::SentOf(..)
            | Condition::SentByOf(..)
            | Condition::SentAnywhereOf(_)
            | Condition::TakenOf(..)
            | Condition::LimitSet(_)
            | Condition::TakenAnywhereOf(_)
            | Condition::RepliedTo(_)
            | Condition::LetGo(..)
            | Condition::DoneBy(_)
            | Condition::AnsweredOf(..)
            | Condition::AnsweredAnywhereOf(_) => Vec::new(),
            Condition::Anything => (0..state.threads.len()).map(ThreadId::at).collect(),
        }
    }

    /// Whose request is there, or in a member of the set.
    fn of_answering(&self, state: &State, mailbox: MailboxId) -> Vec<ThreadId> {
        let members =
            state.mailboxes[mailbox.index()].set().into_iter().flat_map(|set| &set.members);
        let all = std::iter::once(mailbox).chain(members.copied());
        all.flat_map(|mailbox| self.callers_of(Holder::Queued(mailbox))).collect()
    }

    /// Who waits for a message there; for a task's port, who waits for what is done to the task.
    fn of_sending(&self, state: &State, mailbox: MailboxId) -> Vec<ThreadId> {
        match state.receiver_of(mailbox) {
            Receiver::Kernel(Controlled::Process(process)) => {
                self.of_itself(state, Condition::ProcessKilled(process))
            }
            // The process ends with its last thread.
            Receiver::Kernel(Controlled::Thread(t)) => {
                let process = state.threads[t.index()].process;
                self.of_itself(state, Condition::ProcessKilled(process))
            }
            _ => receivers_on(state, mailbox).collect(),
        }
    }

    fn callers_of(&self, wanted: Holder) -> impl Iterator<Item = ThreadId> + '_ {
        let first = self.callers.partition_point(|(holder, _)| *holder < wanted);
        self.callers[first..]
            .iter()
            .take_while(move |(holder, _)| *holder == wanted)
            .map(|(_, t)| *t)
    }

    fn of_the_end(&self, state: &State, process: ProcessId) -> Vec<ThreadId> {
        let entry = &state.processes[process.index()];
        let mut waiting = Vec::new();
        for link in entry.inbox.links() {
            waiting.extend(senders_on(state, link));
            waiting.extend(self.callers_of(Holder::Queued(link)));
        }
        for link in &entry.outgoing {
            waiting.extend(receivers_by_name(state, *link));
        }
        for port in entry.rights.received() {
            waiting.extend(self.at(state, port));
        }
        waiting.extend(self.callers_of(Holder::Taken(process)));
        waiting.extend(state.memory.waiting.iter().map(|(t, _)| *t));
        waiting
    }
}

/// Who waits for a message to be taken from there.
fn of_taking(state: &State, mailbox: MailboxId) -> Vec<ThreadId> {
    let mut waiting: Vec<ThreadId> = senders_on(state, mailbox).collect();
    let object = &state.mailboxes[mailbox.index()];
    // Taking the last message of a sender that has ended tells those who wait for more.
    if let Some((from, _)) = object.link()
        && state.has_ended(from)
        && object.has_something()
    {
        waiting.extend(receivers_by_name(state, mailbox));
    }
    waiting
}

/// Whether a thread waits for messages that may come from elsewhere than from ports.
fn waits_at_no_port(state: &State, on: &BlockedOn) -> bool {
    let (BlockedOn::Receive { sources, .. } | BlockedOn::Select(sources)) = on else {
        return false;
    };
    let is_port = |source: &MailboxId| {
        let object = &state.mailboxes[source.index()].object;
        matches!(object, Object::Port(_) | Object::PortSet(_))
    };
    let sources = sources.listed();
    sources.is_empty() || !sources.iter().all(is_port)
}

/// Who waits for the end of a thread, perhaps with others.
fn joiners_of(state: &State, t: ThreadId) -> Vec<ThreadId> {
    let process = state.threads[t.index()].process;
    let joiners = &state.processes[process.index()].joiners;
    let awaits = |joiner: &ThreadId| match state.waits_for(*joiner) {
        Some(BlockedOn::Join(awaited)) => awaited.contains(&t),
        _ => false,
    };
    joiners.iter().copied().filter(awaits).collect()
}

fn all(state: &State, wanted: impl Fn(&BlockedOn) -> bool) -> Vec<ThreadId> {
    (0..state.threads.len())
        .map(ThreadId::at)
        .filter(|t| state.waits_for(*t).is_some_and(&wanted))
        .collect()
}

fn senders_on(state: &State, mailbox: MailboxId) -> impl Iterator<Item = ThreadId> + '_ {
    let members = state.mailboxes[mailbox.index()].set().into_iter().flat_map(|set| &set.members);
    let all = std::iter::once(&state.mailboxes[mailbox.index()])
        .chain(members.map(|member| &state.mailboxes[member.index()]));
    all.flat_map(|mailbox| &mailbox.senders).map(|(t, _)| *t)
}

fn receivers_on(state: &State, mailbox: MailboxId) -> impl Iterator<Item = ThreadId> + '_ {
    let mailbox = state.known_as(mailbox);
    let queue = state.queue_at(mailbox);
    let is_link = matches!(queue, Queue::Inbox(_));
    state.queue(queue).iter().copied().filter(move |t| match state.waits_for(*t) {
        // Whoever stands in the queue of a mailbox with a name waits for it.
        Some(BlockedOn::Receive { sources, .. } | BlockedOn::Select(sources)) => {
            !is_link || sources.contains(mailbox)
        }
        _ => false,
    })
}

/// The threads that wait for a link's sender by name. An end does not disturb a thread that receives from anyone,
/// or from a living mailbox too; a `select` reports it.
fn receivers_by_name(state: &State, link: MailboxId) -> impl Iterator<Item = ThreadId> + '_ {
    receivers_on(state, link).filter(move |t| match state.waits_for(*t) {
        Some(BlockedOn::Receive { sources, .. }) => {
            state.is_dead_but_for_links(state.threads[t.index()].process, sources)
        }
        Some(BlockedOn::Select(_)) => true,
        _ => false,
    })
}
