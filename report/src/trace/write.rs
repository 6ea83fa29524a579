//! Writing a trace while the run goes on, in constant memory.
//!
//! A run makes millions of events a second, and a general serializer is slower than the run itself.
//! So the lines are put together here, from names that were escaped once; the tests compare them with
//! what `serde_json` makes of the same [`super::Record`].

use std::io::{self, Write};

use ipcsim_explore::Tracer;
use ipcsim_kernel::{
    BlockedOn, End, Event, Handle, Kind, Machine, Message, Question, Sources, State, ThreadId,
    Value,
};

use super::Header;
use crate::words::{LinkEnd, Names, why};

/// Writes a trace. After an error nothing more is written, and [`Writer::finish`] gives the error.
pub struct Writer<W> {
    to: W,
    /// Whole lines, until they are worth a call of the system; then the line that is being written.
    lines: Vec<u8>,
    /// `"…"`, the name of each thread that has come up.
    threads: Pieces,
    /// `,"line":…` for each operation that has come up.
    places: Pieces,
    /// `{"t":…`, and when that was.
    time: (u64, Vec<u8>),
    /// `,"object":"…","serial":` for each mailbox that has come up.
    mailboxes: Pieces,
    /// `,"sender":"…"` for each process that has come up.
    senders: Pieces,
    /// `,"on":"receive","why":"…"` for each mailbox that somebody waited at for any message.
    empty: Pieces,
    error: Option<io::Error>,
}

/// So many bytes are written at once.
const ENOUGH: usize = 1 << 16;

/// Parts of lines that are the same whenever they come up, by a number.
#[derive(Default)]
struct Pieces(Vec<Vec<u8>>);

impl Pieces {
    /// The piece with this number, made when it first comes up.
    fn get(&mut self, number: usize, make: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        if self.0.get(number).is_none_or(Vec::is_empty) {
            if self.0.len() <= number {
                self.0.resize(number + 1, Vec::new());
            }
            make(&mut self.0[number]);
        }
        &self.0[number]
    }
}

impl<W: Write> Writer<W> {
    /// A writer that has written the header.
    pub fn new(to: W, header: &Header) -> Self {
        let mut lines = serde_json::to_vec(header).expect("a header is plain data");
        lines.push(b'\n');
        let [threads, places, mailboxes, senders, empty] =
            std::array::from_fn(|_| Pieces::default());
        let time = (0, b"{\"t\":0".to_vec());
        Self { to, lines, threads, places, time, mailboxes, senders, empty, error: None }
    }

    /// Ends the trace; gives the first error that there was.
    ///
    /// # Errors
    /// Whatever the underlying writer reported.
    pub fn finish(mut self) -> io::Result<()> {
        self.write();
        match self.error.take() {
            Some(error) => Err(error),
            None => self.to.flush(),
        }
    }

    fn end_line(&mut self) {
        self.lines.push(b'\n');
        if self.lines.len() >= ENOUGH {
            self.write();
        }
    }

    fn write(&mut self) {
        if self.error.is_none()
            && let Err(error) = self.to.write_all(&self.lines)
        {
            self.error = Some(error);
        }
        self.lines.clear();
    }

    fn thread(&mut self, machine: &Machine, state: &State, t: ThreadId) {
        let name = |piece: &mut Vec<u8>| escape(piece, &Names::new(machine).thread(state, t));
        self.lines.extend_from_slice(self.threads.get(t.index(), name));
    }

    fn raw(&mut self, text: &str) {
        self.lines.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, key: &str, number: u64) {
        self.raw(key);
        push_number(&mut self.lines, number);
    }

    fn text(&mut self, key: &str, text: &str) {
        self.raw(key);
        escape(&mut self.lines, text);
    }

    fn message(&mut self, machine: &Machine, state: &State, message: &Message) {
        let object = self.mailboxes.get(message.mailbox.index(), |piece| {
            let names = Names::new(machine);
            piece.extend_from_slice(b",\"object\":");
            escape(piece, &names.mailbox(state, message.mailbox, LinkEnd::Receiver));
            piece.extend_from_slice(b",\"serial\":");
        });
        self.lines.extend_from_slice(object);
        push_number(&mut self.lines, message.serial);
    }

    fn whole_message(&mut self, machine: &Machine, state: &State, message: &Message) {
        self.message(machine, state, message);
        let sender = self.senders.get(message.sender.index(), |piece| {
            piece.extend_from_slice(b",\"sender\":");
            escape(piece, &machine.process_name(message.sender));
        });
        self.lines.extend_from_slice(sender);
        self.number(",\"size\":", message.size);
        self.raw(",\"body\":");
        push_value(&mut self.lines, machine, &message.body);
        if *message.kind() != Value::None {
            self.raw(",\"type\":");
            push_value(&mut self.lines, machine, message.kind());
        }
        if message.priority() != 0 {
            self.raw(",\"priority\":");
            push_number(&mut self.lines, message.priority());
        }
    }

    fn kind(&mut self, machine: &Machine, state: &State, event: &Event) {
        match &event.kind {
            Kind::ProcessStarted(process) | Kind::Killed(process) => {
                self.text(",\"object\":", &machine.process_name(*process));
            }
            Kind::ProcessEnded(process, end) => {
                self.text(",\"object\":", &machine.process_name(*process));
                let (outcome, why) = match end {
                    End::Finished => ("finished", None),
                    End::Killed => ("killed", None),
                    End::Failed(fault, _) => ("failed", Some(fault.describe())),
                };
                self.text(",\"outcome\":", outcome);
                if let Some(why) = why {
                    self.text(",\"why\":", &why);
                }
            }
            Kind::ThreadStarted | Kind::ThreadEnded | Kind::Woken => {}
            Kind::Sent(message) => self.whole_message(machine, state, message),
            Kind::Stored { message, messages } => {
                self.message(machine, state, message);
                self.number(",\"messages\":", *messages as u64);
            }
            Kind::Delivered { message, to } => {
                self.message(machine, state, message);
                self.raw(",\"to\":");
                self.thread(machine, state, *to);
            }
            Kind::Received(message) | Kind::Withdrawn(message) => {
                self.message(machine, state, message);
            }
            Kind::Lost(message, loss) => {
                self.message(machine, state, message);
                self.text(",\"why\":", loss.describe());
            }
            Kind::Blocked(on) => self.blocked(machine, state, on),
            Kind::Returned(outcome) => self.text(",\"outcome\":", outcome.word()),
            Kind::Chose(question, answer) => {
                self.text(",\"question\":", question_word(*question));
                self.number(",\"answer\":", *answer);
            }
            Kind::Logged(value) => {
                let text = Names::new(machine).value(value);
                self.text(",\"text\":", &text);
            }
            Kind::Raised(fault) => self.text(",\"why\":", &fault.describe()),
            Kind::Created(mailbox) | Kind::Destroyed(mailbox) => {
                self.text(",\"object\":", &machine.mailbox_name(*mailbox));
            }
            Kind::Registered(name, handle) => {
                self.text(",\"object\":", &machine.handle_name(*handle));
                self.text(",\"text\":", name);
            }
            Kind::Unregistered(name) => self.text(",\"text\":", name),
        }
    }

    fn blocked(&mut self, machine: &Machine, state: &State, on: &BlockedOn) {
        if let BlockedOn::Receive { sources: Sources::One(mailbox), filter: None } = on {
            // The reason is always that it is empty.
            let piece = self.empty.get(mailbox.index(), |piece| {
                piece.extend_from_slice(b",\"on\":\"receive\",\"why\":");
                escape(piece, &why(machine, state, on));
            });
            self.lines.extend_from_slice(piece);
            return;
        }
        match on {
            BlockedOn::Send(message) | BlockedOn::Memory(message) => {
                self.message(machine, state, message);
            }
            _ => {}
        }
        self.text(",\"on\":", on_word(on));
        if *on != BlockedOn::Sleep {
            self.text(",\"why\":", &why(machine, state, on));
        }
    }
}

impl<W: Write> Tracer for Writer<W> {
    const EVENTS: bool = true;

    fn record(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event) {
        if self.error.is_some() {
            return;
        }
        if self.time.0 != now_ns {
            self.time.0 = now_ns;
            self.time.1.truncate(b"{\"t\":".len());
            push_number(&mut self.time.1, now_ns);
        }
        self.lines.extend_from_slice(&self.time.1);
        self.raw(",\"event\":\"");
        self.raw(event_word(&event.kind));
        match event.thread {
            None => self.raw("\""),
            Some(t) => {
                self.raw("\",\"thread\":");
                self.thread(machine, state, t);
            }
        }
        if let Some(pc) = event.pc {
            let place = self.places.get(pc.index(), |piece| {
                piece.extend_from_slice(b",\"line\":");
                push_number(piece, machine.line(pc));
            });
            self.lines.extend_from_slice(place);
        }
        self.kind(machine, state, event);
        self.raw("}");
        self.end_line();
    }
}

fn event_word(kind: &Kind) -> &'static str {
    match kind {
        Kind::ProcessStarted(_) => "process-started",
        Kind::ProcessEnded(..) => "process-ended",
        Kind::ThreadStarted => "thread-started",
        Kind::ThreadEnded => "thread-ended",
        Kind::Sent(_) => "sent",
        Kind::Stored { .. } => "stored",
        Kind::Delivered { .. } => "delivered",
        Kind::Received(_) => "received",
        Kind::Blocked(_) => "blocked",
        Kind::Woken => "woken",
        Kind::Returned(_) => "returned",
        Kind::Lost(..) => "lost",
        Kind::Withdrawn(_) => "withdrawn",
        Kind::Chose(..) => "chose",
        Kind::Logged(_) => "logged",
        Kind::Raised(_) => "raised",
        Kind::Created(_) => "created",
        Kind::Destroyed(_) => "destroyed",
        Kind::Registered(..) => "registered",
        Kind::Unregistered(_) => "unregistered",
        Kind::Killed(_) => "killed",
    }
}

fn on_word(on: &BlockedOn) -> &'static str {
    match on {
        BlockedOn::Send(_) => "send",
        BlockedOn::Memory(_) => "memory",
        BlockedOn::Receive { .. } => "receive",
        BlockedOn::Select(_) => "select",
        BlockedOn::Reply { .. } => "reply",
        BlockedOn::Join(_) => "join",
        BlockedOn::Lookup(_) => "lookup",
        BlockedOn::Sleep => "sleep",
    }
}

fn question_word(question: Question) -> &'static str {
    match question {
        Question::Receiver { .. } => "receiver",
        Question::Sender { .. } => "sender",
        Question::Room => "room",
        Question::Branch { .. } => "branch",
        Question::Random { .. } => "random",
    }
}

/// A value: texts, integers, booleans and lists as themselves, the rest as an object with one key.
fn push_value(out: &mut Vec<u8>, machine: &Machine, value: &Value) {
    match value {
        Value::None => out.extend_from_slice(b"null"),
        Value::True => out.extend_from_slice(b"true"),
        Value::False => out.extend_from_slice(b"false"),
        Value::Int(number) => push_number(out, *number),
        Value::Text(text) => escape(out, text),
        Value::Duration(ns) => {
            out.extend_from_slice(b"{\"ns\":");
            push_number(out, *ns);
            out.push(b'}');
        }
        Value::List(list) => {
            out.push(b'[');
            for (at, item) in list.items().iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                push_value(out, machine, item);
            }
            out.push(b']');
        }
        Value::Handle(handle) => push_handle(out, machine, *handle),
        Value::Message(message) => {
            out.extend_from_slice(b"{\"message\":");
            push_number(out, message.serial);
            out.push(b'}');
        }
    }
}

fn push_handle(out: &mut Vec<u8>, machine: &Machine, handle: Handle) {
    out.extend_from_slice(b"{\"object\":");
    escape(out, &machine.handle_name(handle));
    out.push(b'}');
}

fn push_number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A JSON string. What needs no escape, as nearly everything does, is copied as it is.
fn escape(out: &mut Vec<u8>, text: &str) {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).expect("a Vec takes all text");
    }
}
