//! Parts of a state with other names in them: what a state would be if processes, threads and mailboxes
//! of the same kind had changed places.

use std::sync::Arc;

use crate::ids::{MailboxId, ProcessId, ThreadId};
use crate::machine::MailboxKind;
use crate::message::{Extras, Message, Then};
use crate::object::mailbox::Mailbox;
use crate::object::memory::KernelMemory;
use crate::object::port::{Carried, Controlled, Receiver};
use crate::state::{BlockedOn, Filter, Holder, Look, Process, Sources, Thread, ThreadState};
use crate::value::{Handle, ReplyRight, Value};

/// The new names; whatever is not said keeps its own. Called for each name in a part, always in the same order
/// for parts of one shape.
pub trait Rename {
    /// The new name of a process.
    fn process(&mut self, process: ProcessId) -> ProcessId {
        process
    }
    /// The new name of a thread.
    fn thread(&mut self, thread: ThreadId) -> ThreadId {
        thread
    }
    /// The new name of a mailbox or a link.
    fn mailbox(&mut self, mailbox: MailboxId) -> MailboxId {
        mailbox
    }
    /// The new name of the right to answer a call.
    fn right(&mut self, right: ReplyRight) -> ReplyRight {
        ReplyRight { caller: self.thread(right.caller), ..right }
    }
    /// The new name of a process, in a collection whose order says nothing.
    fn process_in_set(&mut self, process: ProcessId) -> ProcessId {
        self.process(process)
    }
    /// The new name of a link, in a collection whose order says nothing.
    fn mailbox_in_set(&mut self, mailbox: MailboxId) -> MailboxId {
        self.mailbox(mailbox)
    }
}

impl Process {
    /// The process with other names in it.
    #[must_use]
    pub fn renamed(&self, names: &mut impl Rename) -> Self {
        let mut outgoing: Vec<_> =
            self.outgoing.iter().map(|link| names.mailbox_in_set(*link)).collect();
        outgoing.sort_unstable();
        Self {
            life: self.life.clone(),
            alive_threads: self.alive_threads,
            first_thread: names.thread(self.first_thread),
            declared_threads: self.declared_threads,
            started: self.started.iter().map(|t| names.thread(*t)).collect(),
            inbox: self.inbox.renamed(names),
            outgoing,
            joiners: self.joiners.iter().map(|t| names.thread(*t)).collect(),
            owed: self.owed,
            rights: self.rights.renamed(|port| names.mailbox(port)),
        }
    }
}

impl Thread {
    /// The thread with other names in it.
    #[must_use]
    pub fn renamed(&self, names: &mut impl Rename) -> Self {
        Self {
            process: names.process(self.process),
            name: self.name,
            index: self.index,
            pc: self.pc,
            state: self.state.renamed(names),
            status: self.status,
            registers: self.registers.iter().map(|value| value.renamed(names)).collect(),
            calls: self.calls,
            control: self.control.clone(),
        }
    }
}

impl ThreadState {
    fn renamed(&self, names: &mut impl Rename) -> Self {
        match self {
            ThreadState::Blocked { on, bound } => {
                ThreadState::Blocked { on: on.renamed(names), bound: *bound }
            }
            ThreadState::LookingAgain { bound, at } => {
                let at = match at {
                    Look::Send(message) => Look::Send(renamed_message(message, names)),
                    Look::SendFromMemoryQueue(message) => {
                        Look::SendFromMemoryQueue(renamed_message(message, names))
                    }
                    Look::Receive(sources) => Look::Receive(sources.renamed(names)),
                };
                ThreadState::LookingAgain { bound: *bound, at }
            }
            ThreadState::Suspended(then) => ThreadState::Suspended(Box::new(then.renamed(names))),
            ThreadState::NotStarted
            | ThreadState::Ready
            | ThreadState::Raising(_)
            | ThreadState::Ended => self.clone(),
        }
    }
}

impl Holder {
    /// The same with other names.
    #[must_use]
    pub fn renamed(self, names: &mut impl Rename) -> Self {
        match self {
            Holder::Queued(mailbox) => Holder::Queued(names.mailbox(mailbox)),
            Holder::Taken(process) => Holder::Taken(names.process(process)),
        }
    }
}

impl BlockedOn {
    fn renamed(&self, names: &mut impl Rename) -> Self {
        match self {
            BlockedOn::Send(message) => BlockedOn::Send(renamed_message(message, names)),
            BlockedOn::Memory(message) => BlockedOn::Memory(renamed_message(message, names)),
            BlockedOn::Receive { sources, filter } => BlockedOn::Receive {
                sources: sources.renamed(names),
                filter: filter.as_ref().map(|filter| {
                    let kind = filter.kind.as_ref().map(|kind| kind.renamed(names));
                    Box::new(Filter { kind, max_size: filter.max_size })
                }),
            },
            BlockedOn::Select(sources) => BlockedOn::Select(sources.renamed(names)),
            BlockedOn::Reply { right, holder } => {
                BlockedOn::Reply { right: names.right(*right), holder: holder.renamed(names) }
            }
            BlockedOn::Join(threads) => {
                BlockedOn::Join(threads.iter().map(|t| names.thread(*t)).collect())
            }
            BlockedOn::Sleep => self.clone(),
        }
    }
}

impl Sources {
    fn renamed(&self, names: &mut impl Rename) -> Self {
        match self {
            Sources::One(mailbox) => Sources::One(names.mailbox(*mailbox)),
            Sources::Many(mailboxes) => {
                let renamed = mailboxes.iter().map(|mailbox| names.mailbox(*mailbox));
                Sources::Many(Box::new(renamed.collect()))
            }
            Sources::Anyone => Sources::Anyone,
        }
    }
}

impl Mailbox {
    /// The mailbox with other names in it.
    #[must_use]
    pub fn renamed(&self, names: &mut impl Rename) -> Self {
        let mut renamed = self.clone();
        if let MailboxKind::Link { from, to } = &mut renamed.spec.kind {
            (*from, *to) = (names.process(*from), names.process(*to));
        }
        if let Some(port) = renamed.port_mut() {
            port.receiver = match port.receiver {
                Receiver::Held(process) => Receiver::Held(names.process(process)),
                Receiver::Kernel(Controlled::Process(process)) => {
                    Receiver::Kernel(Controlled::Process(names.process(process)))
                }
                Receiver::Kernel(Controlled::Thread(t)) => {
                    Receiver::Kernel(Controlled::Thread(names.thread(t)))
                }
                Receiver::Carried(to) => Receiver::Carried(names.mailbox(to)),
                Receiver::Nobody => Receiver::Nobody,
            };
            port.backup = port.backup.map(|backup| names.process(backup));
            for held in &mut port.held {
                held.message = renamed_message(&held.message, names);
                held.notify = held.notify.renamed(|port| names.mailbox(port));
            }
            for asked in [&mut port.no_senders, &mut port.destroyed] {
                *asked = asked.map(|once| once.renamed(|port| names.mailbox(port)));
            }
            port.set = port.set.map(|set| names.mailbox(set));
        }
        if let Some(set) = renamed.set_mut() {
            let owner = names.process(set.owner);
            *set = set.renamed(owner, |port| names.mailbox(port));
        }
        for message in &mut renamed.messages {
            *message = renamed_message(message, names);
        }
        for (thread, message) in &mut renamed.senders {
            (*thread, *message) = (names.thread(*thread), renamed_message(message, names));
        }
        for thread in &mut renamed.receivers {
            *thread = names.thread(*thread);
        }
        renamed
    }
}

impl KernelMemory {
    /// The memory with other names in it.
    #[must_use]
    pub fn renamed(&self, names: &mut impl Rename) -> Self {
        let mut renamed = self.clone();
        for (thread, message) in &mut renamed.waiting {
            (*thread, *message) = (names.thread(*thread), renamed_message(message, names));
        }
        renamed
    }
}

impl Value {
    fn renamed(&self, names: &mut impl Rename) -> Self {
        match self {
            Value::Handle(handle) => Value::Handle(handle.renamed(names)),
            Value::Message(message) => Value::Message(renamed_message(message, names)),
            Value::List(list) => {
                let items = list.items().iter().map(|item| item.renamed(names)).collect();
                Value::list(items).expect("a renamed list is as long as it was")
            }
            Value::None
            | Value::True
            | Value::False
            | Value::Int(_)
            | Value::Duration(_)
            | Value::Text(_) => self.clone(),
        }
    }
}

impl Handle {
    fn renamed(self, names: &mut impl Rename) -> Self {
        match self {
            Handle::Process(process) => Handle::Process(names.process(process)),
            Handle::Mailbox(mailbox) => Handle::Mailbox(names.mailbox(mailbox)),
            Handle::File { mailbox, access } => {
                Handle::File { mailbox: names.mailbox(mailbox), access }
            }
            Handle::Reply(right) => Handle::Reply(names.right(right)),
            Handle::Once(once) => Handle::Once(once.renamed(|port| names.mailbox(port))),
        }
    }
}

fn renamed_message(message: &Arc<Message>, names: &mut impl Rename) -> Arc<Message> {
    Arc::new(Message {
        body: message.body.renamed(names),
        sender: names.process(message.sender),
        mailbox: names.mailbox(message.mailbox),
        extras: message.extras.as_ref().map(|extras| Box::new(extras.renamed(names))),
        ..**message
    })
}

impl Extras {
    fn renamed(&self, names: &mut impl Rename) -> Self {
        let then = match self.then {
            Then::Return => Then::Return,
            Then::AwaitReply { caller, right } => {
                Then::AwaitReply { caller: names.thread(caller), right: names.right(right) }
            }
        };
        Self {
            kind: self.kind.renamed(names),
            priority: self.priority,
            reply_to: self.reply_to.map(|handle| handle.renamed(names)),
            then,
            rights: self
                .rights
                .iter()
                .map(|carried| Carried { port: names.mailbox(carried.port), ..*carried })
                .collect(),
            seq: self.seq,
        }
    }
}
