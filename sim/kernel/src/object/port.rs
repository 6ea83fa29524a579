//! A port: a mailbox that is used through rights. The port records who has its one receive right; the
//! name space of each process records where it may send.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use ipcsim_program::{MailboxId, Message, Once, ProcessId, Rename, ThreadId, Visit, Walk, state};

/// The queue limit of a port that names none, in messages (Mach 3, `mach/port.h`).
pub const DEFAULT_QUEUE_LIMIT: u64 = 5;
/// The largest queue limit, in messages (Mach 3, `mach/port.h`).
pub const LARGEST_QUEUE_LIMIT: u64 = 16;

state! {
    /// What a port has besides its queue.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Port {
        /// Where its receive right is. There is exactly one.
        pub receiver: Receiver,
        /// Who gets the receive right if its holder dies.
        pub backup: Option<ProcessId>,
        /// The numbers of the existing send-once rights to it.
        pub once: BTreeSet<u32>,
        /// Where a notice goes when nobody is left who could send.
        pub no_senders: Option<Once>,
        /// How many send rights were made since that notice was requested.
        pub made: u32,
        /// How many messages its receiver has taken; 0 where nobody looks at that.
        pub received: u32,
        /// Where the receive right goes instead of being destroyed.
        pub destroyed: Option<Once>,
        /// The port set that it is a member of.
        pub set: Option<MailboxId>,
        /// The messages that the kernel keeps for their senders until there is room, first come first.
        pub held: VecDeque<Held>,
    }
}

state! {
    /// A message that the kernel keeps.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Held {
        /// The message.
        pub message: Arc<Message>,
        /// Where the notice goes when the message has gone.
        pub notify: Once,
        /// How many of the blocked senders go before it.
        pub ahead: u32,
    }
}

state! {
    /// Where the receive right of a port is.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u32)]
    pub enum Receiver {
        /// This process has it.
        Held(ProcessId),
        /// In a message to this mailbox.
        Carried(MailboxId),
        /// The kernel has it: what is sent there controls this process or thread.
        Kernel(Controlled),
        /// It was destroyed, and the port with it.
        Nobody,
    }
}

state! {
    /// What is controlled through a port.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u32)]
    pub enum Controlled {
        /// A process.
        Process(ProcessId),
        /// One of its threads.
        Thread(ThreadId),
    }
}

impl Port {
    /// A new port whose receive right is in this place.
    pub fn with(receiver: Receiver) -> Self {
        Self {
            receiver,
            backup: None,
            once: BTreeSet::new(),
            no_senders: None,
            made: 0,
            received: 0,
            destroyed: None,
            set: None,
            held: VecDeque::new(),
        }
    }

    /// Its receive right has moved, so the receiver's counts start again.
    pub fn begin_anew(&mut self) {
        self.made = 0;
        self.received = 0;
    }

    /// Makes a send-once right.
    pub fn make_once(&mut self) -> u32 {
        let taken = self.once.iter().zip(0..).take_while(|(number, place)| *number == place);
        let free = taken.count() as u32;
        self.once.insert(free);
        free
    }
}

/// The rights of a process. Most processes have none, and then hold only an empty pointer.
#[derive(Clone, Debug, Default)]
pub struct Rights(Option<Box<NameSpace>>);

impl Deref for Rights {
    type Target = NameSpace;

    fn deref(&self) -> &NameSpace {
        static NONE: NameSpace = NameSpace {
            send: BTreeMap::new(),
            receive: BTreeSet::new(),
            once: BTreeSet::new(),
            dead_names: BTreeMap::new(),
            held: BTreeSet::new(),
        };
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for Rights {
    fn deref_mut(&mut self) -> &mut NameSpace {
        self.0.get_or_insert_default()
    }
}

impl PartialEq for Rights {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Rights {}

impl Hash for Rights {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (**self).hash(hasher);
    }
}

impl Walk for Rights {
    fn rename(&mut self, names: &mut impl Rename) {
        self.0.rename(names);
    }
    fn visit(&self, visitor: &mut impl Visit) {
        self.0.visit(visitor);
    }
}

impl Rights {
    /// Whether there never were any.
    pub fn were_never(&self) -> bool {
        self.0.is_none()
    }
}

state! {
    /// A name space.
    ///
    /// A name counts the references to its send right. When the port dies, the name becomes a dead name with
    /// the same count.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
    pub struct NameSpace {
        send: BTreeMap<MailboxId, u32>,
        receive: BTreeSet<MailboxId>,
        /// The send-once rights: each is a name of its own.
        pub once: BTreeSet<Once>,
        /// Where a notice goes when the port of a name dies, or the name goes.
        pub dead_names: BTreeMap<MailboxId, Once>,
        /// The ports at which the kernel keeps a message of this process.
        pub held: BTreeSet<MailboxId>,
    }
}

impl NameSpace {
    /// The ports that it receives from, in order of their numbers.
    pub fn received(&self) -> impl ExactSizeIterator<Item = MailboxId> + '_ {
        self.receive.iter().copied()
    }

    /// It gets the receive right of a port.
    pub fn add_receive(&mut self, port: MailboxId) {
        self.receive.insert(port);
    }

    /// It no longer has the receive right of a port.
    pub fn take_receive(&mut self, port: MailboxId) {
        self.receive.remove(&port);
    }

    /// How many references to the send right of a port it has; 0 if none.
    pub fn references(&self, port: MailboxId) -> u32 {
        self.send.get(&port).copied().unwrap_or(0)
    }

    /// Adds one reference, under the existing name if there is one. Stops at the largest number.
    pub fn add(&mut self, port: MailboxId) {
        let references = self.send.entry(port).or_insert(0);
        *references = references.saturating_add(1);
    }

    /// Gives up one reference; the name goes with the last. `None` if there was none.
    pub fn give_up(&mut self, port: MailboxId) -> Option<()> {
        let references = self.send.get_mut(&port)?;
        *references -= 1;
        if *references == 0 {
            self.send.remove(&port);
        }
        Some(())
    }

    /// Gives up all send rights.
    pub fn give_up_all(&mut self) {
        self.send.clear();
    }

    /// It forgets the rights to send to a port that is gone. Without a program that knows them, that makes no difference.
    pub fn forget(&mut self, port: MailboxId) {
        self.send.remove(&port);
        self.once.retain(|once| once.port != port);
    }

    /// The ports that it may send to, with the number of references, in order of their numbers.
    pub fn sent_to(&self) -> impl ExactSizeIterator<Item = (MailboxId, u32)> + '_ {
        self.send.iter().map(|(port, references)| (*port, *references))
    }
}
