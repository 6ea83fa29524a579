//! The state: all that changes, and nothing that the future does not depend on.
//!
//! No absolute time, no step counter, no message number that the kernel reads. The one exception,
//! `next_serial`, is ghost data: it numbers messages for the trace and decides nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ipcsim_program::{
    Access, Carried, Fault, Ghost, MailboxId, Message, Outcome, Pc, ProcessId, ProgramId, Region,
    ReplyRight, Right, Route, ThreadId, ThreadName, Value, nameless, state,
};

use crate::machine::{Level, Machine};
use crate::object::filter::Filter;
use crate::object::inbox::Inbox;
use crate::object::mailbox::{Existence, Mailbox, Object};
use crate::object::memory::KernelMemory;
use crate::object::port::{Receiver, Rights};
use crate::object::space::Space;
use crate::object::stream::Opened;
use crate::table::{Table, Watched};

/// Everything that changes while a machine runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The processes, in the order of the file.
    pub processes: Table<Process>,
    /// The threads: those of the file first, then those that were started later.
    pub threads: Table<Thread>,
    /// The mailboxes of the file, then links and created mailboxes as they came up.
    pub mailboxes: Table<Mailbox>,
    /// The kernel's memory for stored messages.
    pub memory: Watched<KernelMemory>,
    /// The memory of each process; none where no program uses memory.
    pub spaces: Table<Space>,
    /// Reply rights whose caller no longer waits and which nobody has used up yet, with their holders.
    pub abandoned: Watched<Abandoned>,
    /// The serial number of the next message.
    pub next_serial: Ghost<u64>,
}

/// Reply rights whose caller no longer waits, with their holders: only for that holder is the first answer
/// `dead`.
pub type Abandoned = BTreeMap<ReplyRight, Holder>;

state! {
    /// A process (Mach: a task).
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Process {
        /// Whether it lives.
        pub life: Life,
        /// How many of its threads have not ended.
        pub alive_threads: u32 as derived,
        /// Its first thread of the file; the others of the file follow it.
        pub first_thread: ThreadId,
        /// How many threads the file gives it.
        pub declared_threads: u32 as fixed,
        /// The threads that it started itself.
        pub started: Vec<ThreadId>,
        /// Links from other processes, and its own threads that wait for them.
        pub inbox: Inbox,
        /// Links to other processes.
        pub outgoing: Vec<MailboxId> as set,
        /// Its threads that wait for others of its threads to end.
        pub joiners: Vec<ThreadId>,
        /// How many callers wait for an answer to a request that this process took.
        pub owed: u32 as derived,
        /// The ports that it may send to.
        pub rights: Rights,
        /// What it has open, by number.
        pub descriptors: BTreeMap<u32, Opened>,
        /// The program that it has gone on with, if it has.
        pub image: Option<ProgramId>,
    }
}

state! {
    /// The life of a process.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Life {
        /// Nobody has made it yet.
        Unborn,
        /// Its time to start has not come.
        NotStarted,
        /// It lives.
        Running,
        /// It has ended.
        Ended(End),
    }
}

state! {
    /// How a process ended.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum End {
        /// Its last thread reached its last step, or it exited with 0.
        Finished,
        /// Another process, or one of its own threads, killed it.
        Killed,
        /// An exception that nobody handled, or an exit with a code other than 0. Nothing depends
        /// on where that was.
        Failed(Fault, Ghost<Pc>),
    }
}

state! {
    /// A thread.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Thread {
        /// Its process.
        pub process: ProcessId,
        /// The name it is joined by.
        pub name: ThreadName,
        /// Which replica of its name it is, from 1.
        pub index: u32,
        /// Where it is. A thread that waits stays on the call that it waits in; one that has ended is at 0.
        pub pc: Pc,
        /// Whether it can take a step.
        pub state: ThreadState,
        /// The outcome of its last call.
        pub status: Outcome,
        /// Its variables.
        pub registers: Box<[Value]>,
        /// Tells the reply rights of its calls apart; how many there were has no effect.
        pub calls: Ghost<u32>,
        /// What others do to it; nothing, most of the time.
        pub control: Option<Box<Control>>,
    }
}

state! {
    /// What others do to a thread.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Control {
        /// How often it was suspended and not resumed.
        pub suspended: u32,
        /// The exception that it has raised, while a handler looks at it.
        pub raised: Option<Raised>,
    }
}

state! {
    /// An exception that was sent to a handler.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Raised {
        /// Which exception.
        pub fault: Fault,
        /// Whose handler looks at it.
        pub level: Level,
    }
}

nameless! { Bound }

impl Thread {
    /// Whether somebody has suspended it.
    pub fn is_held(&self) -> bool {
        self.control.as_ref().is_some_and(|control| control.suspended > 0)
    }

    /// The message of a sender that was woken and has not looked yet.
    pub fn in_hand(&self) -> Option<&Arc<Message>> {
        match self.state.underneath() {
            ThreadState::LookingAgain {
                at: Look::Send(message) | Look::SendFromMemoryQueue(message),
                ..
            } => Some(message),
            _ => None,
        }
    }

    /// Its process and its name: they decide where its exceptions go.
    pub fn called(&self) -> (ProcessId, ThreadName) {
        (self.process, self.name)
    }

    /// The exception that it waits about, if any.
    pub fn raised(&self) -> Option<&Raised> {
        self.control.as_ref().and_then(|control| control.raised.as_ref())
    }

    /// Changes what others do to it. Nothing is kept if nothing is left, so that equal threads are equal.
    pub fn control(&mut self, change: impl FnOnce(&mut Control)) {
        let mut control = self.control.take().unwrap_or_default();
        change(&mut control);
        self.control = (*control != Control::default()).then_some(control);
    }
}

state! {
    /// Whether a thread can take a step.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum ThreadState {
        /// Its process has not started.
        NotStarted,
        /// It can.
        Ready,
        /// It was woken, and can try its call again. Only under `wake: look-again`.
        LookingAgain {
            /// Whether its wait is bounded.
            bound: Bound,
            /// What it looks at.
            at: Look,
        },
        /// It waits.
        Blocked {
            /// For what.
            on: BlockedOn,
            /// For how long.
            bound: Bound,
        },
        /// Its local work has raised an exception. That ends its process, which others can see, so it is a
        /// step of its own: the thread's next call.
        Raising(Fault),
        /// It could take a step if it were not suspended; when resumed, it goes on in this state.
        Suspended(Box<ThreadState>),
        /// It has ended.
        Ended,
    }
}

impl ThreadState {
    /// Whether it can go on with its program. (Comparing whole states would look at messages.)
    pub fn is_ready(&self) -> bool {
        matches!(self, ThreadState::Ready)
    }

    /// Whether it could take a step, if a processor were given to it.
    pub fn could_step(&self) -> bool {
        matches!(
            self,
            ThreadState::Ready | ThreadState::Raising(_) | ThreadState::LookingAgain { .. }
        )
    }

    /// Whether it is blocked in a call.
    pub fn is_blocked(&self) -> bool {
        matches!(self, ThreadState::Blocked { .. })
    }

    /// Whether it has ended.
    pub fn is_ended(&self) -> bool {
        matches!(self, ThreadState::Ended)
    }

    /// Its state, suspended or not.
    pub fn underneath(&self) -> &ThreadState {
        match self {
            ThreadState::Suspended(then) => then,
            other => other,
        }
    }
}

state! {
    /// What a thread looks at again. A thread that leaves without using the chance passes it on.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Look {
        /// Whether its message can go now.
        Send(Arc<Message>),
        /// The same, but it was the oldest waiter for kernel memory: nobody goes before it.
        SendFromMemoryQueue(Arc<Message>),
        /// Whether a message is there for it now.
        Receive(Sources),
    }
}

/// Where receivers wait, in order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    /// At the mailbox, port or port set itself.
    Mailbox(MailboxId),
    /// In the inbox of their process, for a link or for all of them.
    Inbox(ProcessId),
}

/// How long a wait may last. Only the driver knows how many nanoseconds that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Bound {
    /// For ever.
    Forever,
    /// It times out eventually.
    Bounded,
    /// It has timed out; the thread may look once more. Only under `wake: look-again`.
    Expired,
}

state! {
    /// What a thread waits for.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum BlockedOn {
        /// SEND-blocked: until its message, which is in the queue of senders there, is stored or taken.
        Send(MailboxId),
        /// Memory-blocked: until the kernel has memory for its message to this mailbox, which is in the queue for memory.
        Memory(MailboxId),
        /// RECEIVE-blocked.
        Receive {
            /// On these.
            sources: Sources,
            /// Which messages it accepts.
            filter: Option<Box<Filter>>,
        },
        /// RECEIVE-blocked without taking anything: until a receive would not block.
        Select(Sources),
        /// REPLY-blocked: until its request is answered.
        Reply {
            /// The right that the answer uses up.
            right: ReplyRight,
            /// Who has it.
            holder: Holder,
        },
        /// Until these threads have ended.
        Join(Box<[ThreadId]>),
        /// LOCK-blocked: until it has the lock of this page.
        Lock(Region, u32),
        /// Until its time has come.
        Sleep,
    }
}

state! {
    /// The sources of a receive.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Sources {
        /// One mailbox or link.
        One(MailboxId),
        /// The first of these, in this order, that has a message. Boxed twice: it is rare, and a
        /// list here would make every thread larger.
        Many(Box<Box<[MailboxId]>>),
        /// All links to the process, oldest first.
        Anyone,
    }
}

state! {
    /// Where the request of a call is, together with the right to answer it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u32)]
    pub enum Holder {
        /// Still in this mailbox.
        Queued(MailboxId),
        /// A process has taken it.
        Taken(ProcessId),
    }
}

impl BlockedOn {
    /// The objects at which a thread stands in the queue of receivers while it waits for this.
    pub(crate) fn stands_at(&self) -> Option<&Sources> {
        match self {
            BlockedOn::Receive { sources, .. } | BlockedOn::Select(sources) => Some(sources),
            BlockedOn::Send(_)
            | BlockedOn::Memory(_)
            | BlockedOn::Reply { .. }
            | BlockedOn::Join(_)
            | BlockedOn::Lock(..)
            | BlockedOn::Sleep => None,
        }
    }
}

impl Sources {
    /// The sources by number; none for [`Sources::Anyone`].
    pub fn listed(&self) -> &[MailboxId] {
        match self {
            Sources::One(mailbox) => std::slice::from_ref(mailbox),
            Sources::Many(mailboxes) => mailboxes,
            Sources::Anyone => &[],
        }
    }

    /// Whether a message from this mailbox, or from a link to its own process, is accepted.
    pub fn contains(&self, mailbox: MailboxId) -> bool {
        matches!(self, Sources::Anyone) || self.listed().contains(&mailbox)
    }
}

impl State {
    /// The serial number of a new message.
    pub(crate) fn number_a_message(&mut self) -> Ghost<u64> {
        let serial = self.next_serial;
        self.next_serial.0 += 1;
        serial
    }

    /// A thread's variables.
    pub fn registers_of(&self, thread: ThreadId) -> &[Value] {
        &self.threads[thread.index()].registers
    }

    /// The link from one process to another; made when it is first needed.
    pub fn link(&mut self, machine: &Machine, from: ProcessId, to: ProcessId) -> MailboxId {
        if let Some(link) = self.processes[to.index()].inbox.link(from) {
            return link;
        }
        let link = MailboxId::at(self.mailboxes.len());
        let capacity = machine.family_of(to).link_capacity;
        let spec = machine.policies.queue(capacity);
        self.mailboxes.push(Mailbox::new(spec, Object::Link { from, to }));
        self.processes[to.index()].inbox.add_link(from, link);
        self.processes[from.index()].outgoing.push(link);
        link
    }

    /// The threads of a process: those of the file, then those that it started.
    pub fn threads_of(&self, process: ProcessId) -> impl Iterator<Item = ThreadId> + use<'_> {
        let process = &self.processes[process.index()];
        let first = process.first_thread.0;
        (first..first + process.declared_threads)
            .map(ThreadId)
            .chain(process.started.iter().copied())
    }

    /// What a thread waits for, if it waits.
    pub fn waits_for(&self, thread: ThreadId) -> Option<&BlockedOn> {
        match &self.threads[thread.index()].state {
            ThreadState::Blocked { on, .. } => Some(on),
            ThreadState::NotStarted
            | ThreadState::Ready
            | ThreadState::LookingAgain { .. }
            | ThreadState::Raising(_)
            | ThreadState::Suspended(_)
            | ThreadState::Ended => None,
        }
    }

    /// The message that a thread wants to send while it waits on this, for a slot or for memory.
    pub fn waits_with(&self, thread: ThreadId, on: &BlockedOn) -> Option<&Arc<Message>> {
        let queue = match on {
            BlockedOn::Send(mailbox) => &self.mailboxes[mailbox.index()].senders,
            BlockedOn::Memory(_) => &self.memory.waiting,
            _ => return None,
        };
        // A thread that has just begun to wait stands at the back.
        queue.iter().rev().find(|(sender, _)| *sender == thread).map(|(_, message)| message)
    }

    /// Where the receive right of a port is; nowhere if it is not a port.
    pub fn receiver_of(&self, port: MailboxId) -> Receiver {
        self.mailboxes[port.index()].port().map_or(Receiver::Nobody, |port| port.receiver)
    }

    /// The processes that have an end of a pipe or channel open, each once.
    pub fn holders_of(
        &self,
        stream: MailboxId,
        end: Access,
    ) -> impl Iterator<Item = ProcessId> + '_ {
        let has_it_open = move |process: &Process| {
            process.descriptors.values().any(|it| (it.object, it.access) == (stream, end))
        };
        let all = (0..self.processes.len()).map(ProcessId::at);
        all.filter(move |process| has_it_open(&self.processes[process.index()]))
    }

    /// What receivers know a mailbox as: a port in a set is received from through the set.
    pub fn known_as(&self, mailbox: MailboxId) -> MailboxId {
        let port = self.mailboxes[mailbox.index()].port();
        port.and_then(|port| port.set).unwrap_or(mailbox)
    }

    /// Whether a process may send to a port: it has a send right, or receives from it.
    pub fn may_send(&self, process: ProcessId, port: MailboxId) -> bool {
        self.receiver_of(port) == Receiver::Held(process)
            || self.processes[process.index()].rights.references(port) > 0
    }

    /// Every message that has been sent and not received: in a mailbox, with a sender that waits for memory, or
    /// with one that was woken and has not looked yet. Each knows the mailbox that it was sent to.
    pub fn messages(&self) -> impl Iterator<Item = &Arc<Message>> {
        let in_mailboxes = self.messages_in_mailboxes();
        let waiting = self.memory.waiting.iter().map(|(_, message)| message);
        let in_hand = self.threads.iter().filter_map(Thread::in_hand);
        in_mailboxes.chain(waiting).chain(in_hand)
    }

    /// Those of them that are in a mailbox: stored, with a sender that is blocked there, or kept. A receive can take no
    /// others.
    pub fn messages_in_mailboxes(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.mailboxes.iter().flat_map(Mailbox::all_messages)
    }

    /// The queue in which receivers wait at a mailbox.
    pub(crate) fn queue_at(&self, mailbox: MailboxId) -> Queue {
        match self.mailboxes[mailbox.index()].object {
            Object::Link { to, .. } => Queue::Inbox(to),
            Object::Open
            | Object::Filed
            | Object::Port(_)
            | Object::PortSet(_)
            | Object::Stream(_) => Queue::Mailbox(mailbox),
        }
    }

    /// The threads in a queue of receivers.
    pub(crate) fn queue(&self, queue: Queue) -> &VecDeque<ThreadId> {
        match queue {
            Queue::Mailbox(mailbox) => &self.mailboxes[mailbox.index()].receivers,
            Queue::Inbox(process) => &self.processes[process.index()].inbox.receivers,
        }
    }

    /// Like [`State::queue`], but mutable.
    pub(crate) fn queue_mut(&mut self, queue: Queue) -> &mut VecDeque<ThreadId> {
        match queue {
            Queue::Mailbox(mailbox) => &mut self.mailboxes[mailbox.index()].receivers,
            Queue::Inbox(process) => &mut self.processes[process.index()].inbox.receivers,
        }
    }

    /// The threads that wait for messages of this mailbox, and perhaps of others: of a port in a set, those at the set;
    /// of a link, all that wait for any link to their process.
    pub fn receivers_of(&self, mailbox: MailboxId) -> &VecDeque<ThreadId> {
        self.queue(self.queue_at(self.known_as(mailbox)))
    }

    /// Whether there is a send right to a port: in a name space, in a message, or held by a message that was sent to
    /// the port and has not been received. (Such a message holds the right that it was sent by, wherever it waits.)
    pub(crate) fn has_senders(&self, port: MailboxId) -> bool {
        let right = Carried { port, right: Right::Send };
        let holds_one = |message: &Arc<Message>| {
            (message.mailbox == port && self.holds_a_right(message))
                || message.rights().contains(&right)
        };
        self.processes.iter().any(|process| process.rights.references(port) > 0)
            || self.messages().any(holds_one)
    }

    /// Whether a message holds the send right that it was sent by. One that the receiver of a port has sent itself needs none,
    /// and counts only if anybody was ever given one.
    pub(crate) fn holds_a_right(&self, message: &Message) -> bool {
        match message.route {
            Route::Mailbox => true,
            Route::Own => {
                let port = self.mailboxes[message.mailbox.index()].port();
                port.is_some_and(|port| port.made > 0)
            }
            Route::Link | Route::Once | Route::Bytes => false,
        }
    }

    /// Whether nothing can ever reach a process from a source again.
    pub(crate) fn is_dead(&self, own: ProcessId, id: MailboxId) -> bool {
        let mailbox = &self.mailboxes[id.index()];
        match mailbox.object {
            Object::Link { from, .. } => self.has_ended(from) && !mailbox.has_something(),
            // The end of a pipe or channel is something that can be read.
            Object::Open | Object::Filed | Object::Stream(_) => {
                mailbox.existence == Existence::Destroyed
            }
            Object::Port(_) => self.receiver_of(id) != Receiver::Held(own),
            Object::PortSet(_) => {
                let owner = mailbox.set().map(|set| set.owner);
                mailbox.existence == Existence::Destroyed || owner != Some(own)
            }
        }
    }

    /// Whether a receive from these becomes `dead` once the senders of its links have ended: all other sources are dead.
    pub(crate) fn is_dead_but_for_links(&self, own: ProcessId, sources: &Sources) -> bool {
        let is_link = |source: &MailboxId| self.mailboxes[source.index()].link().is_some();
        let listed = sources.listed();
        !listed.is_empty()
            && listed.iter().all(|source| is_link(source) || self.is_dead(own, *source))
    }

    /// Whether a process has ended, or was never made: nobody waits for its end.
    pub fn is_over(&self, process: ProcessId) -> bool {
        matches!(self.processes[process.index()].life, Life::Ended(_) | Life::Unborn)
    }

    /// Whether a process has ended.
    pub fn has_ended(&self, process: ProcessId) -> bool {
        matches!(self.processes[process.index()].life, Life::Ended(_))
    }
}
