//! Lines of a trace that came up before, and differ in their time and their message's serial only.

use std::sync::Arc;

use ipcsim_kernel::{BlockedOn, Event, Kind, MailboxId, Message, Pc, Sources, ThreadId, Value};

use super::line::Scribe;

/// Each line has one place, where it takes turns with others: constant memory, however many there are.
pub(super) struct KeptLines(Vec<Place>);

/// There are 2 to this many places: enough for hundreds of threads.
const PLACES_LOG: u32 = 10;

#[derive(Clone, Default)]
struct Place {
    key: Option<Key>,
    /// The line that came by last and was not kept.
    passed_by: Option<Key>,
    line: Line,
}

/// A line without its time and its message's serial.
#[derive(Clone, Default)]
pub(super) struct Line {
    pub before_serial: Vec<u8>,
    pub after_serial: Vec<u8>,
    /// If it says what was sent, a message that is like it.
    like: Option<Arc<Message>>,
}

/// What a line depends on, besides its time, its message's serial, and for *sent* the message.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    event: u8,
    thread: Option<ThreadId>,
    pc: Option<Pc>,
    mailbox: Option<MailboxId>,
    own: usize,
}

impl KeptLines {
    pub fn new() -> Self {
        Self(vec![Place::default(); 1 << PLACES_LOG])
    }

    /// The line of an event, if it is here or is worth keeping from now on. It is when it comes by twice
    /// without another at its place between: where many threads take turns, few do, and keeping their
    /// lines would be in vain.
    pub fn get(&mut self, event: &Event, scribe: &mut Scribe) -> Option<&Line> {
        let key = Key::of(event)?;
        let place = &mut self.0[key.place()];
        if place.key != Some(key) || !place.line.says(event) {
            if place.passed_by.replace(key) != Some(key) {
                return None;
            }
            place.passed_by = None;
            place.key = Some(key);
            place.line.write(event, scribe);
        }
        Some(&place.line)
    }
}

impl Line {
    /// Whether this is the line of an event that has its key.
    fn says(&self, event: &Event) -> bool {
        match (&event.kind, &self.like) {
            (Kind::Sent(message), Some(like)) => {
                message.sender == like.sender
                    && message.size == like.size
                    && message.body == like.body
            }
            _ => true,
        }
    }

    fn write(&mut self, event: &Event, scribe: &mut Scribe) {
        self.before_serial.clear();
        scribe.before_serial(&mut self.before_serial, event);
        self.after_serial.clear();
        scribe.after_serial(&mut self.after_serial, event);
        self.like = match event.kind {
            Kind::Sent(message) => Some(message.clone()),
            _ => None,
        };
    }
}

impl Key {
    /// The key of an event; none if it is rare, or hardly comes up the same again.
    fn of(event: &Event) -> Option<Self> {
        let (number, own) = match &event.kind {
            Kind::Sent(message) if is_plain(message) => (0, 0),
            Kind::Stored { messages, .. } => (1, *messages),
            Kind::Delivered { to, .. } => (2, to.index()),
            Kind::Received(_) => (3, 0),
            Kind::Returned(outcome) => (4, *outcome as usize),
            // It always waits because it is empty.
            Kind::Blocked(BlockedOn::Receive { sources: Sources::One(empty), filter: None }) => {
                (5, empty.index())
            }
            Kind::Blocked(BlockedOn::Sleep) => (6, 0),
            Kind::Woken => (7, 0),
            _ => return None,
        };
        let mailbox = event.kind.message().map(|message| message.mailbox);
        Some(Self { event: number, thread: event.thread, pc: event.pc, mailbox, own })
    }

    fn place(&self) -> usize {
        // Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4).
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let thread = self.thread.map_or(0, ThreadId::index);
        let pc = self.pc.map_or(0, Pc::index);
        let small = (thread as u64) << 32 | (pc as u64) << 4 | u64::from(self.event);
        let mixed = small.wrapping_mul(GOLDEN).rotate_left(32) ^ self.own as u64;
        (mixed.wrapping_mul(GOLDEN) >> (u64::BITS - PLACES_LOG)) as usize
    }
}

/// Whether two messages that are equal read the same. One that carries another message shows that
/// one's serial, which equality leaves out.
fn is_plain(message: &Message) -> bool {
    message.extras.is_none() && matches!(message.body, Value::Text(_) | Value::Int(_) | Value::None)
}
