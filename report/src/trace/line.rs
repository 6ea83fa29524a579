//! A line of a trace: what it says of an event.

use ipcsim_kernel::program::{Op, Parcel, Region, Right};
use ipcsim_kernel::{
    BlockedOn, End, Event, Handle, Kind, Machine, MailboxId, Message, Outcome, ProcessId, Question,
    State, ThreadId, Value,
};

use crate::reasons::{trace_word, why};
use crate::visible::visible_json;
use crate::words::{LinkEnd, Names};

/// Names as JSON strings, each spelled out once.
#[derive(Default)]
pub(super) struct Spelled {
    threads: Strings,
    mailboxes: Strings,
    processes: Strings,
}

impl Spelled {
    /// A thread begins, perhaps in the place of one that was called otherwise. Gives whether it was.
    pub(super) fn renames(&mut self, machine: &Machine, state: &State, thread: ThreadId) -> bool {
        let Some(known) = self.threads.0.get_mut(thread.index()) else { return false };
        let mut name = Vec::new();
        escape(&mut name, &Names::new(machine).thread(state, thread));
        let was_called_otherwise = !known.is_empty() && **known != *name;
        *known = name.into();
        was_called_otherwise
    }
}

/// JSON strings by a number.
#[derive(Default)]
struct Strings(Vec<Box<[u8]>>);

impl Strings {
    /// The string with this number, spelled out when it first comes up.
    fn push(&mut self, out: &mut Vec<u8>, number: usize, text: impl FnOnce() -> String) {
        if self.0.len() <= number {
            self.0.resize(number + 1, Box::default());
        }
        let string = &mut self.0[number];
        if string.is_empty() {
            let mut spelled = Vec::new();
            escape(&mut spelled, &text());
            *string = spelled.into();
        }
        out.extend_from_slice(string);
    }
}

/// Writes lines, each in two parts, because the serial of a message stands between them.
pub(super) struct Scribe<'a> {
    pub spelled: &'a mut Spelled,
    pub machine: &'a Machine,
    pub state: &'a State,
}

impl Scribe<'_> {
    /// After the time: the event, thread and line, and with a message its object.
    pub fn before_serial(&mut self, out: &mut Vec<u8>, event: &Event) {
        key(out, ",\"event\":\"");
        key(out, event_word(&event.kind));
        out.push(b'"');
        if let Some(thread) = event.thread {
            key(out, ",\"thread\":");
            self.thread(out, thread);
        }
        if let Some(pc) = event.pc {
            number(out, ",\"line\":", self.machine.line(pc));
        }
        if let Some(message) = event.kind.message() {
            self.object(out, message.mailbox);
        }
    }

    /// The rest, to the end of the line.
    pub fn after_serial(&mut self, out: &mut Vec<u8>, event: &Event) {
        let verb = event.pc.and_then(|pc| match &self.machine.code[pc.index()] {
            Op::Call(call) => Some(call.verb.word()),
            _ => None,
        });
        self.own(out, event, verb);
        out.extend_from_slice(b"}\n");
    }

    /// What only events of this kind say.
    fn own(&mut self, out: &mut Vec<u8>, event: &Event, verb: Option<&str>) {
        match &event.kind {
            Kind::ProcessStarted(_)
            | Kind::ProcessEnded(..)
            | Kind::Killed(_)
            | Kind::Spawned(_)
            | Kind::Forked(_)
            | Kind::NotForked(_)
            | Kind::Replaced(_)
            | Kind::Suspended(_)
            | Kind::Resumed(_)
            | Kind::Interrupted(_)
            | Kind::Inherits(..)
            | Kind::ThreadKilled(_) => self.of_others(out, &event.kind),
            Kind::ThreadStarted
            | Kind::ThreadEnded
            | Kind::Woken
            | Kind::Withdrawn(_)
            | Kind::Kept(_) => {}
            Kind::Sent(message) => self.message(out, message),
            Kind::Stored { messages, .. } => number(out, ",\"messages\":", *messages),
            Kind::Delivered { to, .. } => {
                key(out, ",\"to\":");
                self.thread(out, *to);
            }
            Kind::Lost(_, loss) => text(out, ",\"why\":", loss.describe()),
            Kind::Blocked(on) => {
                self.blocked(out, event.thread.expect("a thread waits"), on);
            }
            Kind::Returned(outcome) => self.outcome(out, *outcome, verb),
            Kind::Chose(question, answer) => {
                text(out, ",\"question\":", question_word(*question));
                number(out, ",\"answer\":", *answer);
            }
            Kind::Logged(value) => {
                text(out, ",\"text\":", &Names::new(self.machine).value_as_it_is(value));
            }
            Kind::Raised(fault) | Kind::Unhandled(fault) => {
                text(out, ",\"why\":", &fault.describe());
            }
            Kind::Created(mailbox) | Kind::Destroyed(mailbox) => {
                text(out, ",\"object\":", &self.named(*mailbox));
            }
            Kind::ReceiverIs(..) | Kind::Limited(..) => self.of_ports(out, &event.kind),
            Kind::Received(_)
            | Kind::Written { .. }
            | Kind::Unread(..)
            | Kind::Closed(..)
            | Kind::EndOfFile(_) => {
                self.of_streams(out, &event.kind);
            }
            Kind::Allocated(..)
            | Kind::Freed(_)
            | Kind::Read { .. }
            | Kind::Wrote { .. }
            | Kind::Locked(..)
            | Kind::Unlocked(..)
            | Kind::Faulted(..) => self.of_memory(out, &event.kind),
        }
    }

    /// What was done to processes and threads.
    fn of_others(&mut self, out: &mut Vec<u8>, kind: &Kind) {
        match kind {
            Kind::ProcessStarted(process)
            | Kind::Killed(process)
            | Kind::Spawned(process)
            | Kind::Forked(process) => {
                key(out, ",\"object\":");
                self.process(out, *process);
            }
            Kind::ProcessEnded(process, end) => self.process_ended(out, *process, end),
            Kind::Inherits(priority, waiter) => {
                number(out, ",\"priority\":", *priority);
                if let Some(t) = waiter {
                    key(out, ",\"to\":");
                    self.thread(out, *t);
                }
            }
            Kind::Replaced(program) => {
                text(out, ",\"text\":", &self.machine.symbols.programs[program.index()]);
            }
            Kind::Suspended(t)
            | Kind::Resumed(t)
            | Kind::Interrupted(t)
            | Kind::NotForked(t)
            | Kind::ThreadKilled(t) => {
                key(out, ",\"to\":");
                self.thread(out, *t);
            }
            _ => {}
        }
    }

    /// What was done to a port.
    fn of_ports(&mut self, out: &mut Vec<u8>, kind: &Kind) {
        match kind {
            Kind::ReceiverIs(port, process) => {
                text(out, ",\"object\":", &self.machine.mailbox_name(*port));
                key(out, ",\"receiver\":");
                self.process(out, *process);
            }
            Kind::Limited(port, limit) => {
                text(out, ",\"object\":", &self.machine.mailbox_name(*port));
                number(out, ",\"limit\":", *limit);
            }
            _ => {}
        }
    }

    /// What became of bytes.
    fn of_streams(&self, out: &mut Vec<u8>, kind: &Kind) {
        match kind {
            Kind::Written { pipe, bytes, there } => {
                text(out, ",\"object\":", &self.named(*pipe));
                number(out, ",\"size\":", *bytes);
                number(out, ",\"there\":", *there);
            }
            // Of what comes out of a pipe, no other event says how much it is.
            Kind::Received(message)
                if self.state.mailboxes[message.mailbox.index()].bytes().is_some() =>
            {
                number(out, ",\"size\":", message.size);
            }
            Kind::Unread(pipe, bytes) => {
                text(out, ",\"object\":", &self.named(*pipe));
                number(out, ",\"size\":", *bytes);
            }
            Kind::Closed(object, access) => {
                text(out, ",\"object\":", &self.named(*object));
                if self.state.mailboxes[object.index()].stream().is_some() {
                    text(out, ",\"end\":", Right::File(*access).word());
                }
            }
            Kind::EndOfFile(stream) => text(out, ",\"object\":", &self.named(*stream)),
            _ => {}
        }
    }

    /// What was done to a region of memory.
    fn of_memory(&mut self, out: &mut Vec<u8>, kind: &Kind) {
        match kind {
            Kind::Allocated(region, pages) | Kind::Faulted(region, pages) => {
                self.region(out, *region);
                number(out, ",\"pages\":", *pages);
            }
            Kind::Freed(region) => self.region(out, *region),
            Kind::Locked(region, page) | Kind::Unlocked(region, page) => {
                self.region(out, *region);
                number(out, ",\"page\":", *page);
            }
            Kind::Read { region, page, value } => {
                self.region(out, *region);
                key(out, ",\"body\":");
                push_value(out, self.machine, value);
                number(out, ",\"page\":", *page);
            }
            Kind::Wrote { region, pages, value } => {
                self.region(out, *region);
                key(out, ",\"body\":");
                push_value(out, self.machine, value);
                number(out, ",\"page\":", pages.start);
                number(out, ",\"pages\":", pages.end - pages.start);
            }
            _ => {}
        }
    }

    fn process_ended(&mut self, out: &mut Vec<u8>, process: ProcessId, end: &End) {
        key(out, ",\"object\":");
        self.process(out, process);
        let (outcome, why) = match end {
            End::Finished => ("finished", None),
            End::Killed => ("killed", None),
            End::Failed(fault, _) => ("failed", Some(fault.describe())),
        };
        text(out, ",\"outcome\":", outcome);
        if let Some(why) = why {
            text(out, ",\"why\":", &why);
        }
    }

    /// How a call ended, and what the system that is simulated calls that.
    fn outcome(&self, out: &mut Vec<u8>, outcome: Outcome, verb: Option<&str>) {
        text(out, ",\"outcome\":", outcome.word());
        let word = verb.and_then(|verb| self.machine.outcome_word(verb, outcome));
        if let Some(word) = word {
            text(out, ",\"word\":", word);
        }
    }

    /// What a message is.
    fn message(&mut self, out: &mut Vec<u8>, message: &Message) {
        key(out, ",\"sender\":");
        if message.sender == ProcessId::KERNEL {
            escape(out, &self.machine.process_name(message.sender));
        } else {
            self.process(out, message.sender);
        }
        number(out, ",\"size\":", message.size);
        key(out, ",\"body\":");
        push_value(out, self.machine, &message.body);
        if *message.kind() != Value::None {
            key(out, ",\"type\":");
            push_value(out, self.machine, message.kind());
        }
        if message.priority() != 0 {
            number(out, ",\"priority\":", message.priority());
        }
        for (at, carried) in message.carried().enumerate() {
            key(out, if at == 0 { ",\"rights\":[{\"port\":" } else { ",{\"port\":" });
            escape(out, &self.carried(carried.port));
            text(out, ",\"right\":", carried.right.word());
            out.push(b'}');
        }
        if message.carried().next().is_some() {
            out.push(b']');
        }
        let pages = message.memory().iter().filter_map(|parcel| match parcel {
            Parcel::Pages(pages, _) => Some(pages.count()),
            Parcel::Segment(segment, _) => Some(self.state.segment(*segment).pages.count()),
            Parcel::In(_) => None,
        });
        for (at, pages) in pages.enumerate() {
            number(out, if at == 0 { ",\"memory\":[" } else { "," }, pages);
        }
        if !message.memory().is_empty() {
            out.push(b']');
        }
    }

    fn named(&self, mailbox: MailboxId) -> String {
        Names::new(self.machine).mailbox(self.state, mailbox, LinkEnd::Receiver)
    }

    /// A port by its name alone, and a pipe or channel as it is called where it is the object.
    fn carried(&self, object: MailboxId) -> String {
        match self.state.mailboxes[object.index()].stream() {
            Some(_) => self.named(object),
            None => self.machine.mailbox_name(object),
        }
    }

    fn region(&mut self, out: &mut Vec<u8>, region: Region) {
        text(out, ",\"object\":", &self.machine.handle_name(Handle::Region(region)));
    }

    fn blocked(&mut self, out: &mut Vec<u8>, t: ThreadId, on: &BlockedOn) {
        if let Some(message) = self.state.waits_with(t, on) {
            self.object(out, message.mailbox);
            push_number(out, message.serial.0);
        }
        text(out, ",\"on\":", trace_word(on));
        if *on != BlockedOn::Sleep {
            text(out, ",\"why\":", &why(self.machine, self.state, t, on));
        }
    }

    /// The object of a message, and the key of the message's serial.
    fn object(&mut self, out: &mut Vec<u8>, mailbox: MailboxId) {
        key(out, ",\"object\":");
        self.spelled.mailboxes.push(out, mailbox.index(), || {
            Names::new(self.machine).mailbox(self.state, mailbox, LinkEnd::Receiver)
        });
        key(out, ",\"serial\":");
    }

    fn thread(&mut self, out: &mut Vec<u8>, thread: ThreadId) {
        let name = || Names::new(self.machine).thread(self.state, thread);
        self.spelled.threads.push(out, thread.index(), name);
    }

    fn process(&mut self, out: &mut Vec<u8>, process: ProcessId) {
        let name = || self.machine.process_name(process).clone();
        self.spelled.processes.push(out, process.index(), name);
    }
}

/// Begins another member of the line's object: `,"name":`.
fn key(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(key.as_bytes());
}

fn number(out: &mut Vec<u8>, name: &str, number: impl itoa::Integer) {
    key(out, name);
    push_number(out, number);
}

fn text(out: &mut Vec<u8>, name: &str, text: &str) {
    key(out, name);
    escape(out, text);
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
        Kind::Kept(_) => "kept",
        Kind::Withdrawn(_) => "withdrawn",
        Kind::Chose(..) => "chose",
        Kind::Logged(_) => "logged",
        Kind::Raised(_) => "raised",
        Kind::Created(_) => "created",
        Kind::Destroyed(_) => "destroyed",
        Kind::Killed(_) => "killed",
        Kind::Spawned(_) => "spawned",
        Kind::Forked(_) => "forked",
        Kind::NotForked(_) => "not-forked",
        Kind::Replaced(_) => "replaced",
        Kind::ThreadKilled(_) => "thread-killed",
        Kind::Unhandled(_) => "unhandled",
        Kind::Suspended(_) => "suspended",
        Kind::Resumed(_) => "resumed",
        Kind::Interrupted(_) => "interrupted",
        Kind::ReceiverIs(..) => "receiver-is",
        Kind::Limited(..) => "limited",
        Kind::Allocated(..) => "allocated",
        Kind::Freed(_) => "freed",
        Kind::Read { .. } => "read",
        Kind::Wrote { .. } => "wrote",
        Kind::Written { .. } => "written",
        Kind::Unread(..) => "unread",
        Kind::Closed(..) => "closed",
        Kind::EndOfFile(_) => "end-of-file",
        Kind::Inherits(..) => "inherits",
        Kind::Locked(..) => "locked",
        Kind::Unlocked(..) => "unlocked",
        Kind::Faulted(..) => "page-fault",
    }
}

fn question_word(question: Question) -> &'static str {
    match question {
        Question::Receiver { .. } => "receiver",
        Question::Sender { .. } => "sender",
        Question::Member { .. } => "member",
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
        Value::Scalar(_) => unreachable!("only an exploration has scalars, and it shows numbers"),
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
            push_number(out, message.serial.0);
            out.push(b'}');
        }
    }
}

fn push_handle(out: &mut Vec<u8>, machine: &Machine, handle: Handle) {
    out.extend_from_slice(b"{\"object\":");
    escape(out, &machine.handle_name(handle));
    out.push(b'}');
}

pub(super) fn push_number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A JSON string in which every character can be seen. What needs no escape, as nearly everything does, is
/// copied as it is.
fn escape(out: &mut Vec<u8>, text: &str) {
    let plain =
        text.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\');
    if plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        let json = serde_json::to_string(text).expect("a String takes all text");
        out.extend_from_slice(visible_json(&json).as_bytes());
    }
}
