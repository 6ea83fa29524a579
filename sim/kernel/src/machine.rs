//! The machine: a compiled scenario. It never changes while it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipcsim_program::{
    ByteOrder, Capacity, Command, Descriptor, Effect, FamilyId, HandOver, Handle, MailboxId,
    OnExec, Op, Outcome, Pc, Pick, ProcessId, Receive, Register, Scalar, Spawn, ThreadName, Until,
    UserId, Value, Watch, nameless,
};

use crate::object::inbox::Arrivals;
use crate::object::mailbox::Mailbox;
use crate::object::queue::QueueSpec;
use crate::timing::Timing;

/// A compiled scenario.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// All programs, one after the other.
    pub code: Vec<Op>,
    /// The families of processes, in the order of the file.
    pub families: Vec<Family>,
    /// The family of each process that is there from the start.
    pub processes: Vec<FamilyId>,
    /// The programs that a process can go on with.
    pub programs: Vec<ThreadSpec>,
    /// The declared mailboxes, ports and port sets as they are at the start, replicas one after the other.
    pub mailboxes: Vec<Mailbox>,
    /// Those of them that are ports, and who may send to each from the start.
    pub ports: BTreeMap<MailboxId, Vec<ProcessId>>,
    /// The ports of the name servers that the scenario uses without declaring them as processes, each
    /// with its parent's port. No variable holds a name of one: only inquiries, and the name servers' own
    /// requests, go there.
    pub name_servers: BTreeMap<MailboxId, Option<MailboxId>>,
    /// The paths that name mailboxes, in order of the path.
    pub files: Vec<File>,
    /// What the kernel does where systems differ.
    pub policies: Policies,
    /// Whether anybody asks how many messages were received from a port.
    pub receives: Receives,
    /// How many threads there may be at the same time.
    pub max_threads: u32,
    /// The indices of replicas of which only the name counts. None in a run: an exploration makes them so.
    pub scalarsets: Vec<Scalarset>,
    /// How a run lets time pass. The kernel does not read it.
    pub timing: Timing,
    /// Names and lines, for output. The kernel does not read them, except to write a handle into a
    /// text.
    pub symbols: Symbols,
}

/// Families with equally many members, whose `index` is a [`Scalar`] instead of a number: it may be passed on, compared
/// with others of its set, and pick a member of a family in the set. Any other use is an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalarset {
    /// Families of processes, by their first members. There is one at least.
    pub processes: Vec<ProcessId>,
    /// Families of mailboxes, by their first members.
    pub mailboxes: Vec<MailboxId>,
}

impl Scalarset {
    /// The number that a member stands for, counted from 1.
    pub fn number(&self, who: ProcessId) -> u32 {
        who.0 - self.processes[0].0 + 1
    }
}

/// What the kernel does where systems differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policies {
    /// The capacity of a mailbox that is created without one.
    pub buffering: Capacity,
    /// Kernel memory for stored messages, in bytes; `None` is unlimited.
    pub memory: Option<u64>,
    /// Kernel memory that each stored message costs in addition to its size, in bytes.
    pub message_overhead: u64,
    /// What a send does if it finds no kernel memory.
    pub memory_full: MemoryFull,
    /// How large a page of memory is, in bytes; at least 1.
    pub page: u64,
    /// Who gets a message when several receivers wait, unless the mailbox says otherwise.
    pub receiver: Pick,
    /// Which blocked sender goes next.
    pub sender: Pick,
    /// What waking a blocked sender does, for a slot or for memory.
    pub wake_senders: Wake,
    /// What waking a waiting receiver does.
    pub wake_receivers: Wake,
    /// What happens to a message that is too large for its receiver.
    pub too_large: TooLarge,
    /// What the kernel does about deadlocks.
    pub detect: Detect,
    /// Which message a receive from a port set takes.
    pub set_order: SetOrder,
    /// The outcome for a sender that waits at a port when the port dies.
    pub dying_port: DyingPort,
    /// When a message goes straight to a receiver that waits for it.
    pub hand_over: HandOver,
    /// The largest message that mailboxes and links store, in bytes; `None` is unlimited.
    pub eager_limit: Option<u64>,
    /// Whether a message passes larger ones that do not fit, in mailboxes that count bytes.
    pub byte_order: ByteOrder,
    /// What a `fork` copies of the threads of a process.
    pub fork: Fork,
    /// What an `exec` does about the other threads of a process.
    pub exec: Exec,
    /// What an `exec` does about descriptors that do not say so themselves.
    pub descriptors_on_exec: OnExec,
    /// Up to so many bytes go into a pipe as a whole; more go in pieces of this size. At least 1.
    pub pipe_buf: u64,
    /// What becomes of channels that can be read from only by receiving from them.
    pub in_flight_cycles: InFlightCycles,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            buffering: Capacity::None,
            memory: None,
            message_overhead: 0,
            memory_full: MemoryFull::Wait,
            page: 4096,
            receiver: Pick::Fifo,
            sender: Pick::Fifo,
            wake_senders: Wake::HandOver,
            wake_receivers: Wake::HandOver,
            too_large: TooLarge::Keep,
            detect: Detect::Report,
            set_order: SetOrder::Merged,
            dying_port: DyingPort::Dead,
            hand_over: HandOver::AtOnce,
            eager_limit: None,
            byte_order: ByteOrder::Fifo,
            fork: Fork::OneThread,
            exec: Exec::KillThreads,
            descriptors_on_exec: OnExec::Keep,
            pipe_buf: 4096,
            in_flight_cycles: InFlightCycles::Collect,
        }
    }
}

impl Policies {
    /// The queue of a mailbox or a link for which nothing else is said.
    pub fn queue(&self, capacity: Capacity) -> QueueSpec {
        QueueSpec {
            hand_over: self.hand_over,
            eager_limit: self.eager_limit.unwrap_or(QueueSpec::ANY_SIZE),
            byte_order: self.byte_order,
            ..QueueSpec::plain(capacity, self.receiver)
        }
    }

    /// Whether woken threads look again, so that others can be faster.
    pub fn looks_again(&self) -> bool {
        [self.wake_senders, self.wake_receivers].contains(&Wake::LookAgain)
    }
}

/// What becomes of channels whose ends to read from are only in messages that nobody can come to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InFlightCycles {
    /// What lies in them is destroyed, and they with it (Linux).
    Collect,
    /// They stay for ever.
    Leak,
}

/// What a `fork` copies of the threads of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fork {
    /// The one that forks (POSIX).
    OneThread,
    /// It is refused where there are others.
    Refuse,
    /// All of them (Solaris: `forkall`). It is refused where one is inside a call.
    AllThreads,
}

/// What an `exec` does about the other threads of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exec {
    /// They end (POSIX).
    KillThreads,
    /// It is refused where there are any.
    Refuse,
    /// It waits until they have ended.
    WaitForThreads,
    /// They stay, and find that their code is gone. Not reasonable.
    KeepThreads,
    /// They end before it is known whether there is such a program. Not reasonable.
    KillThenLoad,
}

/// What a send does if it finds no kernel memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemoryFull {
    /// It waits, the oldest first.
    Wait,
    /// It ends with `no-memory`.
    Fail,
}

/// What waking does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wake {
    /// The waker finishes the waiter's call.
    HandOver,
    /// The waiter becomes ready, looks again, and may find that another was faster. What cannot be
    /// stored in the meantime, a rendezvous, is still handed over.
    LookAgain,
}

/// What happens to a message that is larger than its receiver's `max-size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TooLarge {
    /// It stays where it is; the receiver's call ends with `too-large`.
    Keep,
    /// It is destroyed; the receiver's call ends with `too-large`.
    Destroy,
}

/// Which message a receive from a port set takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SetOrder {
    /// The oldest message of all members.
    Merged,
    /// The first message of the next member that has one.
    RoundRobin,
    /// The first message of any member: the oracle picks the member.
    Arbitrary,
}

/// The outcome for a sender that waits at a port when the port dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DyingPort {
    /// Its send ends with `dead`, and the rights in its message come back.
    Dead,
    /// Its send ends with `ok`, as if the message had been delivered and then lost; the rights in it are destroyed.
    Ok,
}

/// What the kernel does about deadlocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detect {
    /// Nothing: observers report them.
    Report,
    /// It refuses the call that would close a circle.
    Refuse,
    /// It refuses the call if a chain of processes, each waiting for one other, leads back from it.
    RefuseChain,
}

/// Whether a process may wait for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It must end.
    Worker,
    /// It may wait for requests for ever without being stuck.
    Daemon,
}

/// How a process comes into being.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Birth {
    /// It exists from the start, or from its start time on.
    Declared,
    /// Another process creates it.
    Spawned,
}

/// Whether a family was declared with `replicas`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replicas {
    /// One member, with the bare name.
    Single,
    /// Members `name[1]` and up.
    Numbered,
}

/// Processes that were declared together.
#[derive(Clone, Debug)]
pub struct Family {
    /// The first of them; the others follow it.
    pub first: ProcessId,
    /// How many there are.
    pub count: u32,
    /// How its members are named.
    pub replicas: Replicas,
    /// Larger is more urgent.
    pub priority: i64,
    /// Whether it may wait for ever.
    pub role: Role,
    /// Whose files it may open.
    pub user: Option<UserId>,
    /// The port of its name server, if it has one.
    pub names: Option<MailboxId>,
    /// When it is created, in nanoseconds.
    pub start_ns: u64,
    /// How much each link to a member holds.
    pub link_capacity: Capacity,
    /// Whether a member ever receives from anyone, so that arrivals over all links have an order.
    pub arrivals: Arrivals,
    /// The threads that a member starts with.
    pub threads: Vec<ThreadSpec>,
    /// Where exceptions go that no thread's own handler resumes.
    pub exception_port: Option<MailboxId>,
    /// The port that controls the first member; those of the other members follow.
    pub task_port: Option<MailboxId>,
    /// The ports that control the threads that a member starts with: the first one is for the first
    /// member; those of the others follow.
    pub thread_ports: Option<MailboxId>,
    /// How its members come into being.
    pub birth: Birth,
    /// Whether controlling a member takes a right to send to its port.
    pub protection: Protection,
    /// How many of them are the offspring of one member of another family: of the one in whose text the `fork` stands that
    /// makes them. 1 if they are not forked.
    pub per_root: u32,
}

/// Whose exception port it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Level {
    /// The thread's.
    Thread,
    /// That of its process.
    Process,
}

nameless! { Level }

/// Who may control a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protection {
    /// Anybody, by its name.
    #[default]
    Open,
    /// Whoever has a right to its port.
    ByPort,
}

/// Whether messages are numbered in the order in which they are received from a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Receives {
    /// Nobody asks for the numbers.
    #[default]
    Uncounted,
    /// They are.
    Counted,
}

/// A thread that a process starts with, or several identical ones.
#[derive(Clone, Debug)]
pub struct ThreadSpec {
    /// Its name.
    pub name: ThreadName,
    /// How many of them.
    pub count: u32,
    /// Where it begins.
    pub entry: Pc,
    /// How many registers it and the threads that it starts need.
    pub registers: u32,
    /// The registers that are set from the start: parameters of the program.
    pub initial: Vec<(Register, Value)>,
    /// Where its exceptions go first.
    pub exception_port: Option<MailboxId>,
}

/// A path that names a mailbox.
#[derive(Clone, Debug)]
pub struct File {
    /// The path.
    pub path: Arc<str>,
    /// What it names.
    pub mailbox: MailboxId,
    /// Whose it is.
    pub owner: Option<UserId>,
    /// What the owner may do: 4 to read (receive), 2 to write (send), 6 both.
    pub owner_mode: u8,
    /// What everybody else may do.
    pub other_mode: u8,
}

/// Names and places of what the kernel knows by number.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    /// One name for each family.
    pub families: Vec<String>,
    /// One name for each declared mailbox, `reply[2]` for a replica.
    pub mailboxes: Vec<String>,
    /// The names of threads, `main` among them.
    pub threads: Vec<String>,
    /// The names of the programs that a process can go on with.
    pub programs: Vec<String>,
    /// The line of the scenario that each operation comes from, from 1.
    pub lines: Vec<u32>,
    /// The variables of each program, in the order of the code.
    pub variables: Vec<Variables>,
    /// What a real system calls the outcomes of calls, the most specific first.
    pub outcomes: Vec<OutcomeWord>,
}

/// What a real system calls an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OutcomeWord {
    /// For this verb; for every verb if it is empty.
    pub verb: &'static str,
    /// Which outcome.
    pub outcome: Outcome,
    /// Its word.
    pub word: &'static str,
}

/// The names of the variables of one program.
#[derive(Clone, Debug)]
pub struct Variables {
    /// Where the program begins; it extends to the next one.
    pub entry: Pc,
    /// One name for each register that the author named; later registers are internal.
    pub names: Vec<String>,
}

/// Scalarsets.
impl Machine {
    /// The index of the replica at this place in a family of processes, if it is a scalar.
    pub(crate) fn scalar(&self, first: ProcessId, place: u32) -> Option<Scalar> {
        let set = self.set_of_processes(first)?;
        let representative = self.scalarsets[set as usize].processes[0];
        Some(Scalar { set, who: ProcessId(representative.0 + place) })
    }

    /// The scalarset to which the family of processes with this first member belongs.
    pub(crate) fn set_of_processes(&self, first: ProcessId) -> Option<u32> {
        self.set_where(|set| set.processes.contains(&first))
    }

    /// The scalarset to which the family of mailboxes with this first member belongs.
    pub(crate) fn set_of_mailboxes(&self, first: MailboxId) -> Option<u32> {
        self.set_where(|set| set.mailboxes.contains(&first))
    }

    fn set_where(&self, is_it: impl Fn(&Scalarset) -> bool) -> Option<u32> {
        self.scalarsets.iter().position(is_it).map(|set| set as u32)
    }
}

impl Machine {
    /// The family of a process that is there from the start.
    pub fn family_of(&self, process: ProcessId) -> &Family {
        &self.families[self.processes[process.index()].index()]
    }

    /// The processes that a creator can make with this call. Those who were forked by it, or by whom it was forked, make the
    /// same ones.
    pub fn children_of(
        &self,
        spawn: &Spawn,
        creator: ProcessId,
    ) -> impl Iterator<Item = ProcessId> + use<> {
        let family = self.family_of(creator);
        let member = (creator.0 - family.first.0) / family.per_root;
        let first = spawn.first.0 + member * spawn.each;
        (first..first + spawn.each).map(ProcessId)
    }

    /// Where the exceptions of a thread go.
    pub fn exception_port(
        &self,
        (process, name): (ProcessId, ThreadName),
        level: Level,
    ) -> Option<MailboxId> {
        let family = self.family_of(process);
        match level {
            Level::Thread => {
                let mut specs = family.threads.iter();
                specs.find(|spec| spec.name == name)?.exception_port
            }
            Level::Process => family.exception_port,
        }
    }

    /// The ports of the handlers of a thread's exceptions, the first one that is asked first.
    pub fn handlers_of(&self, called: (ProcessId, ThreadName)) -> impl Iterator<Item = MailboxId> {
        let levels = [Level::Thread, Level::Process].into_iter();
        levels.filter_map(move |level| self.exception_port(called, level))
    }

    /// Whether some call of some program may have such an effect.
    pub fn any_call(&self, such: impl Fn(Effect) -> bool) -> bool {
        self.code.iter().any(|op| op.may(&such))
    }

    /// Whether anybody could wait for an answer: to a call or to an exception.
    pub fn makes_reply_rights(&self) -> bool {
        self.any_call(|effect| matches!(effect, Effect::AwaitsAnswer))
            || self.ports.keys().any(|port| self.handles_exceptions(*port))
    }

    /// Whether exceptions are sent to this port.
    pub fn handles_exceptions(&self, port: MailboxId) -> bool {
        let of_threads = |family: &Family| {
            family.threads.iter().any(|thread| thread.exception_port == Some(port))
        };
        let mut families = self.families.iter();
        families.any(|family| family.exception_port == Some(port) || of_threads(family))
    }

    /// The port that controls a process, if it has one.
    pub fn task_port(&self, process: ProcessId) -> Option<MailboxId> {
        let family = self.family_of(process);
        family.task_port.map(|first| MailboxId(first.0 + (process.0 - family.first.0)))
    }

    /// The port that controls a thread, if it has one. The thread is given by its place among those
    /// that its process starts with.
    pub fn thread_port(&self, process: ProcessId, place: u32) -> Option<MailboxId> {
        let family = self.family_of(process);
        let each = family.threads.iter().map(|spec| spec.count).sum::<u32>();
        let member = process.0 - family.first.0;
        let first = family.thread_ports.filter(|_| place < each)?;
        Some(MailboxId(first.0 + member * each + place))
    }

    /// Whether anybody could interrupt a wait.
    pub fn interrupts(&self) -> bool {
        let by_message =
            |family: &Family| family.task_port.is_some() || family.thread_ports.is_some();
        self.families.iter().any(by_message)
            || self.any_call(|it| matches!(it, Effect::Commands(Command::Interrupt, _)))
    }

    /// How many variables a thread has at most.
    pub(crate) fn most_registers(&self) -> usize {
        let specs = self.families.iter().flat_map(|family| &family.threads);
        let all = specs.chain(&self.programs).map(|spec| spec.registers as usize);
        all.max().unwrap_or(0)
    }

    /// Whether any process copies itself.
    pub fn forks(&self) -> bool {
        self.any_call(|effect| matches!(effect, Effect::Forks(_)))
    }

    /// Whether any program uses regions of memory.
    pub fn uses_memory(&self) -> bool {
        self.any_call(|effect| matches!(effect, Effect::UsesMemory))
    }

    /// Whether there are ports, or can be.
    pub fn has_ports(&self) -> bool {
        !self.ports.is_empty() || self.any_call(|effect| matches!(effect, Effect::CreatesPort))
    }

    /// Whether anybody receives messages of one type only.
    pub fn asks_for_types(&self) -> bool {
        self.any_call(|it| matches!(it, Effect::Receives(Receive { kind: Some(_), .. })))
    }

    /// Whether anybody asks how many send rights were made.
    pub fn counts_senders(&self) -> bool {
        self.any_call(|effect| {
            matches!(effect, Effect::Watches(Watch { until: Until::NoSenders, .. }))
        })
    }

    /// The name of a process, `clients[2]` for a replica.
    pub fn process_name(&self, process: ProcessId) -> String {
        if process == ProcessId::KERNEL {
            return "the kernel".into();
        }
        let id = self.processes[process.index()];
        let family = &self.families[id.index()];
        let name = &self.symbols.families[id.index()];
        match family.replicas {
            Replicas::Single => name.clone(),
            Replicas::Numbered => format!("{name}[{}]", process.0 - family.first.0 + 1),
        }
    }

    /// The name of a mailbox that has one: `box1` for a declared one, `mailbox 7` for one that was
    /// made by `create`.
    pub fn mailbox_name(&self, mailbox: MailboxId) -> String {
        match self.symbols.mailboxes.get(mailbox.index()) {
            Some(name) => name.clone(),
            None => format!("mailbox {}", mailbox.0),
        }
    }

    /// What the simulated system calls an outcome of a verb, if it has a word for it.
    pub fn outcome_word(&self, verb: &str, outcome: Outcome) -> Option<&'static str> {
        let is_it = |known: &&OutcomeWord| {
            known.outcome == outcome && (known.verb == verb || known.verb.is_empty())
        };
        self.symbols.outcomes.iter().find(is_it).map(|known| known.word)
    }

    /// The name of what a handle refers to.
    pub fn handle_name(&self, handle: Handle) -> String {
        match handle {
            Handle::Process(process) => self.process_name(process),
            Handle::Mailbox(mailbox) => self.mailbox_name(mailbox),
            Handle::File(Descriptor { object, number, .. }) => {
                let declared = self.symbols.mailboxes.get(object.index());
                declared.cloned().unwrap_or_else(|| format!("descriptor {number}"))
            }
            Handle::Reply(_) => "a reply right".into(),
            Handle::Once(once) => {
                format!("a send-once right to {}", self.mailbox_name(once.port))
            }
            Handle::Region(region) => {
                format!("region {} of {}", region.number, self.process_name(region.space))
            }
        }
    }

    /// The line of an operation, from 1.
    pub fn line(&self, pc: Pc) -> u32 {
        self.symbols.lines[pc.index()]
    }

    /// The names of the variables of a thread at this place, by register.
    pub fn variables_at(&self, pc: Pc) -> &[String] {
        let programs = &self.symbols.variables;
        let behind = programs.partition_point(|program| program.entry <= pc);
        behind.checked_sub(1).map_or(&[], |at| &programs[at].names)
    }

    /// The line of the fork that makes a process, if one does.
    pub fn fork_of(&self, process: ProcessId) -> Option<u32> {
        let first = self.family_of(process).first;
        let makes = |op: &Op| {
            let makes_it =
                |effect: Effect| matches!(effect, Effect::Spawns(it) if it.first == first);
            op.may(makes_it) && op.may(|effect| matches!(effect, Effect::Forks(_)))
        };
        let at = self.code.iter().position(makes)?;
        Some(self.line(Pc::at(at)))
    }

    /// The call that a thread at this place makes; panics if the place is not a call.
    pub(crate) fn call(&self, pc: Pc) -> &ipcsim_program::Call {
        match &self.code[pc.index()] {
            Op::Call(call) => call,
            other => unreachable!("a thread can only be inside a call, not inside {other:?}"),
        }
    }

    /// How many threads the machine starts with.
    pub fn initial_threads(&self) -> usize {
        self.families
            .iter()
            .map(|family| {
                let threads: u64 = family.threads.iter().map(|spec| u64::from(spec.count)).sum();
                usize::try_from(threads * u64::from(family.count)).unwrap_or(usize::MAX)
            })
            .sum()
    }
}
