//! A queue of messages, with the senders that wait for a slot in it and the receivers that wait for a message: what
//! mailboxes, links and ports have in common.
//!
//! It knows its own rules only. It has never heard of programs, of time or of traces; `step` asks it what would happen and
//! tells it what to do.

use std::collections::VecDeque;
use std::sync::Arc;

use ipcsim_program::{
    ByteOrder, Capacity, HandOver, Message, Order, Pick, ThreadId, limits, state,
};

use crate::object::filter::Filter;
use crate::object::room::Room;

state! {
    /// The properties of a queue.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct QueueSpec {
        /// How much it holds.
        pub capacity: Capacity,
        /// The order of its messages.
        pub order: Order,
        /// Who gets a message when several receivers wait.
        pub receiver: Pick,
        /// The largest message that it takes, in bytes; [`QueueSpec::ANY_SIZE`] allows all.
        pub max_size: u64,
        /// When a message goes straight to a receiver that waits for it.
        pub hand_over: HandOver,
        /// The largest message that it stores, in bytes; a larger one waits until somebody takes it.
        /// [`QueueSpec::ANY_SIZE`] stores all.
        pub eager_limit: u64,
        /// Whether a message passes larger ones that do not fit, if it counts bytes.
        pub byte_order: ByteOrder,
    }
}

impl QueueSpec {
    /// Messages may be as large as anybody can make them.
    pub const ANY_SIZE: u64 = u64::MAX;

    /// First in, first out, and messages of any size.
    pub fn plain(capacity: Capacity, receiver: Pick) -> Self {
        Self {
            capacity,
            order: Order::Fifo,
            receiver,
            max_size: Self::ANY_SIZE,
            hand_over: HandOver::AtOnce,
            eager_limit: Self::ANY_SIZE,
            byte_order: ByteOrder::Fifo,
        }
    }
}

state! {
    /// Messages, and the threads that wait to put one in or to take one out.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct MessageQueue {
        /// Its properties.
        pub spec: QueueSpec,
        /// What it holds, in the order in which it leaves.
        pub messages: VecDeque<Arc<Message>>,
        /// The total size of what it holds, in bytes.
        pub stored_bytes: u64 as derived,
        /// The senders that wait for a slot, with their messages, in the order in which they are served.
        pub senders: VecDeque<(ThreadId, Arc<Message>)>,
        /// How many senders wait for kernel memory for a message to this queue.
        pub memory_waiters: u32 as derived,
        /// The threads that wait for a message, oldest first. Those on a link wait in the inbox of their
        /// process instead.
        pub receivers: VecDeque<ThreadId>,
    }
}

impl MessageQueue {
    /// An empty queue.
    pub fn new(spec: QueueSpec) -> Self {
        Self {
            spec,
            messages: VecDeque::new(),
            stored_bytes: 0,
            senders: VecDeque::new(),
            memory_waiters: 0,
            receivers: VecDeque::new(),
        }
    }

    /// Whether a message of this size is ever stored. Otherwise its sender waits until somebody takes it.
    pub fn stores(&self, size: u64) -> bool {
        self.spec.capacity != Capacity::None && size <= self.spec.eager_limit
    }

    /// Whether a message of this size needs no room to go to a receiver that waits for it.
    pub fn hands_over_at_once(&self, size: u64) -> bool {
        self.spec.hand_over == HandOver::AtOnce || !self.stores(size)
    }

    /// Whether a message passes larger ones that do not fit.
    pub fn lets_pass_what_fits(&self) -> bool {
        matches!(self.spec.capacity, Capacity::Bytes(_)) && self.spec.byte_order == ByteOrder::Fits
    }

    /// Whether a message of this size would be stored, regardless of waiters. What counts bytes also holds no more messages
    /// than bytes, or empty ones would have no end.
    pub fn room(&self, size: u64) -> Room {
        if !self.stores(size) {
            return Room::Full;
        }
        match self.spec.capacity {
            Capacity::None => Room::Full,
            Capacity::Bytes(limit) if size > limit => Room::Never,
            Capacity::Messages(limit) | Capacity::Bytes(limit)
                if self.messages.len() as u64 >= limit =>
            {
                Room::Full
            }
            Capacity::Bytes(limit) if self.stored_bytes.saturating_add(size) > limit => Room::Full,
            Capacity::Messages(_) | Capacity::Bytes(_) | Capacity::Unlimited => Room::Free,
            Capacity::Undefined if self.messages.len() >= limits::UNDEFINED_STORED => Room::Full,
            Capacity::Undefined => Room::Undefined,
        }
    }

    /// Whether blocked senders are let in when a slot is freed. With `undefined` a sender that found
    /// no room waits for a receiver and is not asked again.
    pub fn lets_blocked_senders_in(&self) -> bool {
        !matches!(self.spec.capacity, Capacity::None | Capacity::Undefined)
    }

    /// How many entries of an ordered queue leave before a new message.
    fn ahead_of<T>(&self, queue: &VecDeque<T>, new: &Message, of: fn(&T) -> &Message) -> usize {
        match self.spec.order {
            Order::Fifo => queue.len(),
            Order::Priority => queue.partition_point(|it| of(it).priority() >= new.priority()),
        }
    }

    /// Puts a message behind those that leave before it.
    pub fn store(&mut self, message: Arc<Message>) {
        // Only what counts bytes asks for the sum, and there it is bounded.
        self.stored_bytes = self.stored_bytes.wrapping_add(message.size);
        let at = self.ahead_of(&self.messages, &message, |stored| stored);
        if at == self.messages.len() {
            self.messages.push_back(message);
        } else {
            self.messages.insert(at, message);
        }
    }

    /// Queues a sender behind those that go before it. Where the more urgent process goes first, what it says does not count.
    pub fn block_sender(&mut self, thread: ThreadId, message: Arc<Message>, pick: Pick) {
        let at = match pick {
            Pick::Priority => self.senders.len(),
            Pick::Fifo | Pick::Lifo | Pick::Arbitrary => {
                self.ahead_of(&self.senders, &message, |(_, blocked)| blocked)
            }
        };
        self.senders.insert(at, (thread, message));
    }

    /// The place of the first stored message that this receiver would take.
    pub fn first_stored(&self, filter: Option<&Filter>) -> Option<usize> {
        match filter {
            None if self.messages.is_empty() => None,
            None => Some(0),
            Some(_) => self.messages.iter().position(|message| Filter::accepts(filter, message)),
        }
    }

    /// The places of all blocked senders with an acceptable message.
    pub fn senders_with(&self, will_do: impl Fn(&Message) -> bool) -> impl Iterator<Item = usize> {
        let places = self.senders.iter().enumerate();
        places.filter(move |(_, (_, message))| will_do(message)).map(|(place, _)| place)
    }

    /// Takes the stored message at a place.
    pub fn take(&mut self, place: usize) -> Arc<Message> {
        let message =
            if place == 0 { self.messages.pop_front() } else { self.messages.remove(place) };
        let message = message.expect("only a message that was found is taken");
        self.stored_bytes = self.stored_bytes.wrapping_sub(message.size);
        message
    }

    /// The place of a thread that is blocked here.
    pub fn place_of(&self, thread: ThreadId) -> usize {
        let place = self.senders.iter().position(|(sender, _)| *sender == thread);
        place.expect("a SEND-blocked thread is in the queue")
    }
}
