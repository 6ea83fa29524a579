//! The story of a run: what happened to whom, as rows of a picture that has not been drawn yet.
//!
//! Of a long run only the beginning and the end are kept; what lies between is counted. So the story
//! costs little memory, however long the run is.

use std::collections::{BTreeSet, VecDeque};

use ipcsim_explore::Tracer;
use ipcsim_kernel::object::port::{Receiver, Right};
use ipcsim_kernel::program::{Answer, Op, Target, Verb};
use ipcsim_kernel::{
    Event, Expr, Kind, Level, Loss, Machine, MailboxId, MailboxKind, Message, PortSpec, ProcessId,
    Route, State, ThreadId, Value, waits,
};

use crate::units::plural;
use crate::words::{LinkEnd, Names, blocked_where, blocked_word, why};

/// Rows that are kept from the beginning, and from the end.
const HEAD: usize = 22;
const TAIL: usize = 14;
/// With more threads than this a lane each would be too narrow.
pub(crate) const LANES: usize = 6;

/// What happened, in order, with what was left out.
#[derive(Debug)]
pub struct Story {
    /// The name of each lane, in order of the threads.
    pub lanes: Vec<String>,
    /// The rows that were kept from the beginning.
    pub head: Vec<Row>,
    /// How many rows were left out.
    pub folded: u64,
    /// The rows that were kept from the end.
    pub tail: Vec<Row>,
    /// Whether there is a lane for each thread.
    pub layout: Layout,
    /// What the rows are counted by.
    pub clock: Clock,
}

/// What the rows of a story are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Simulated time.
    Time,
    /// Steps of a schedule.
    Steps,
}

/// How a story is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A column for each thread.
    Lanes,
    /// A line for each event, with the thread's name.
    List,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// When: in nanoseconds, or after how many steps.
    pub at: u64,
    /// In whose lane it stands.
    pub lane: usize,
    /// What happened.
    pub text: String,
    /// Another lane that a message comes from, and whether it comes straight from its sender.
    pub from: Option<(usize, Way)>,
    /// What each lane looks like in this row; empty in a list.
    pub marks: Vec<Mark>,
}

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From hand to hand.
    Straight,
    /// Out of a buffer.
    Buffered,
}

/// What a lane looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The thread has not begun, or has ended.
    Absent,
    /// It is ready or running.
    Active,
    /// It waits.
    Waiting,
}

/// Writes the story while the run goes on.
pub struct Recorder {
    lanes: Vec<String>,
    marks: Vec<Mark>,
    head: Vec<Row>,
    tail: VecDeque<Row>,
    rows: u64,
    /// The messages that lie in a buffer, by serial number.
    stored: BTreeSet<u64>,
    clock: Clock,
}

impl Recorder {
    /// A recorder of a run of this machine.
    pub fn new(machine: &Machine) -> Self {
        Self::counting(machine, Clock::Time)
    }

    /// A recorder of a schedule.
    pub fn of_schedule(machine: &Machine) -> Self {
        Self::counting(machine, Clock::Steps)
    }

    fn counting(machine: &Machine, clock: Clock) -> Self {
        let state = State::initial(machine);
        let threads = state.threads.len();
        let names = Names::new(machine);
        let lanes = (0..threads.min(LANES + 1)).map(|t| names.thread(&state, ThreadId::at(t)));
        Self {
            lanes: lanes.collect(),
            marks: vec![Mark::Absent; threads.min(LANES + 1)],
            head: Vec::new(),
            tail: VecDeque::new(),
            rows: 0,
            stored: BTreeSet::new(),
            clock,
        }
    }

    /// The story, when the run is over.
    pub fn finish(self) -> Story {
        let layout = if self.lanes.len() <= LANES { Layout::Lanes } else { Layout::List };
        let kept = (self.head.len() + self.tail.len()) as u64;
        Story {
            lanes: self.lanes,
            head: self.head,
            folded: self.rows - kept,
            tail: self.tail.into(),
            layout,
            clock: self.clock,
        }
    }

    fn know(&mut self, names: &Names, state: &State, t: ThreadId) {
        while self.lanes.len() <= t.index() && self.lanes.len() <= LANES {
            let next = ThreadId::at(self.lanes.len());
            self.lanes.push(names.thread(state, next));
            self.marks.push(Mark::Absent);
        }
    }

    /// Whether the message of an event comes out of a buffer.
    fn was_stored(&self, event: &Event) -> bool {
        match &event.kind {
            Kind::Received(message) => self.stored.contains(&message.serial),
            _ => false,
        }
    }

    /// Keeps track of what lies in a buffer.
    fn note_stored(&mut self, event: &Event) {
        match &event.kind {
            Kind::Stored { message, .. } => {
                self.stored.insert(message.serial);
            }
            Kind::Received(message) | Kind::Lost(message, _) => {
                self.stored.remove(&message.serial);
            }
            _ => {}
        }
    }

    fn mark(&mut self, t: ThreadId, mark: Mark) {
        if let Some(place) = self.marks.get_mut(t.index()) {
            *place = mark;
        }
    }

    fn push(&mut self, row: Row) {
        self.rows += 1;
        if self.head.len() < HEAD {
            self.head.push(row);
            return;
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(row);
    }

    fn row(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event) -> Option<Row> {
        let names = Names::new(machine);
        let t = lane_of(state, event)?;
        let (text, from) = tell(&names, machine, state, event, self.was_stored(event))?;
        let in_lanes = self.lanes.len() <= LANES;
        let name = names.thread(state, t);
        let text = match event.kind {
            _ if !in_lanes => format!("{name}: {text}"),
            // The place of a thread that has ended is used again, and its lane with it.
            Kind::ThreadStarted if self.lanes.get(t.index()) != Some(&name) => {
                format!("{name} {text}")
            }
            _ => text,
        };
        Some(Row {
            at: now_ns,
            lane: t.index(),
            text,
            from,
            marks: if in_lanes { self.marks.clone() } else { Vec::new() },
        })
    }
}

impl Tracer for Recorder {
    const EVENTS: bool = true;

    fn record(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event) {
        if let Some(t) = event.thread {
            self.know(&Names::new(machine), state, t);
            match event.kind {
                Kind::ThreadStarted | Kind::Woken | Kind::Returned(_) | Kind::Received(_) => {
                    let held = state.threads[t.index()].is_held();
                    self.mark(t, if held { Mark::Waiting } else { Mark::Active });
                }
                Kind::Blocked(_) => self.mark(t, Mark::Waiting),
                _ => {}
            }
        }
        match event.kind {
            Kind::Suspended(t) => self.mark(t, Mark::Waiting),
            Kind::Resumed(t) if !state.threads[t.index()].state.is_blocked() => {
                self.mark(t, Mark::Active);
            }
            Kind::Resumed(t) if event.thread == Some(t) => self.mark(t, Mark::Active),
            _ => {}
        }
        if let Some(row) = self.row(machine, state, now_ns, event) {
            self.push(row);
        }
        self.note_stored(event);
        if let (Kind::ThreadEnded, Some(t)) = (&event.kind, event.thread) {
            self.mark(t, Mark::Absent);
        }
    }
}

/// In whose lane an event stands. A message that is lost with its receiver is its sender's loss.
fn lane_of(state: &State, event: &Event) -> Option<ThreadId> {
    match &event.kind {
        Kind::Lost(message, _) => {
            let of_sender = |thread: &ipcsim_kernel::Thread| thread.process == message.sender;
            state.threads.iter().position(of_sender).map(ThreadId::at).or(event.thread)
        }
        Kind::ReceiverIs(_, process) if event.thread.is_none() => {
            Some(state.processes.items()[process.index()].first_thread)
        }
        _ => event.thread,
    }
}

/// The call that a thread was in.
fn call_of<'a>(machine: &'a Machine, event: &Event) -> Option<&'a Verb> {
    match &machine.code[event.pc?.index()] {
        Op::Call(call) => Some(&call.verb),
        _ => None,
    }
}

/// What an expression of a call names. A call changes no variable that it is about.
fn named(
    names: &Names,
    machine: &Machine,
    state: &State,
    event: &Event,
    expr: &Expr,
) -> Option<String> {
    let thread = &state.threads[event.thread?.index()];
    match waits::settled(machine, thread, &[], expr)? {
        Value::Message(message) => {
            let sender = machine.process_name(message.sender);
            Some(format!("{} from {sender}", body(names, &message)))
        }
        value => Some(names.value(&value)),
    }
}

/// What a call has found that tells nothing else.
fn returned(names: &Names, machine: &Machine, state: &State, event: &Event) -> Option<String> {
    let registers = state.registers_of(event.thread?);
    let named = |expr: &Expr| named(names, machine, state, event, expr);
    Some(match call_of(machine, event)? {
        Verb::Select { into, .. } => format!("select: {}", names.value(&registers[into.index()])),
        Verb::Open { into, .. } => format!("open: {}", names.value(&registers[into.index()])),
        Verb::Inspect { what, of, into } => {
            let of = named(of).unwrap_or_else(|| "…".into());
            format!("{}({of}) is {}", what.word(), names.value(&registers[into.index()]))
        }
        Verb::Join { .. } => "joined".into(),
        Verb::Insert { port, into } => format!("insert {} into {}", named(port)?, named(into)?),
        Verb::Remove { port, out_of } => {
            format!("remove {} out of {}", named(port)?, named(out_of)?)
        }
        Verb::Drop(right) => format!("drop {}", named(right)?),
        Verb::Watch { port, .. } => format!("watch {}", named(port)?),
        _ => return None,
    })
}

/// The rights that come with a message: `, with a send right to printer`.
fn rights(machine: &Machine, message: &Message) -> String {
    let carried = message.carried().map(|carried| {
        let port = machine.mailbox_name(carried.port);
        match carried.right {
            Right::Receive => format!("the receive right of {port}"),
            Right::Send => format!("a send right to {port}"),
            Right::Once(_) => format!("a send-once right to {port}"),
            Right::Dead => format!("a dead right to {port}"),
        }
    });
    let carried = carried.collect::<Vec<_>>().join(" and ");
    if carried.is_empty() { carried } else { format!(", with {carried}") }
}

/// What an event is in words, if it deserves any.
pub(crate) fn words_of(machine: &Machine, state: &State, event: &Event) -> Option<String> {
    tell(&Names::new(machine), machine, state, event, false).map(|(text, _)| text)
}

/// Whether there is a handler for the exceptions of the thread of an event.
fn is_handled(machine: &Machine, state: &State, event: &Event) -> bool {
    let Some(t) = event.thread else { return false };
    let thread = &state.threads[t.index()];
    [Level::Thread, Level::Process]
        .into_iter()
        .any(|level| machine.exception_port(thread, level).is_some())
}

/// What an event is in words, if it deserves a row, and where a message in it comes from.
fn tell(
    names: &Names,
    machine: &Machine,
    state: &State,
    event: &Event,
    stored: bool,
) -> Option<(String, Option<(usize, Way)>)> {
    let plain = |text: String| Some((text, None));
    match &event.kind {
        Kind::Sent(message) => {
            let to = names.mailbox(state, message.mailbox, LinkEnd::Receiver);
            if message.sender == ProcessId::KERNEL {
                let kind = names.value(message.kind());
                return plain(format!("the kernel notices {kind}, and tells {to}"));
            }
            let raised = event.thread.and_then(|t| state.threads[t.index()].raised());
            if raised.is_some() {
                return plain(format!("the exception goes to {to}"));
            }
            let verb = call_of(machine, event);
            if let Some(inquiry @ Verb::Call { answer: Answer::OfNames(_), .. }) = verb {
                let asked = cut(&visible(&names.value(&message.body)));
                return plain(format!("{} {asked} at {to}", inquiry.word()));
            }
            let verb = verb.map_or("send", Verb::word);
            plain(format!("{verb} {} to {to}", body(names, message)))
        }
        Kind::Stored { message, messages } => {
            let at = names.mailbox(state, message.mailbox, LinkEnd::Receiver);
            let place = match message.route {
                Route::Link => format!("on the link to {at}"),
                Route::Mailbox | Route::Once => format!("in {at}"),
            };
            plain(format!("stored {place} ({messages} there)"))
        }
        Kind::Received(message) => {
            if message.sender == ProcessId::KERNEL {
                let kind = names.value(message.kind());
                let port = machine.mailbox_name(message.mailbox);
                let rights = rights(machine, message);
                let about = body(names, message);
                return plain(format!("receive the notice {kind} ({about}) in {port}{rights}"));
            }
            let sender = state.threads.iter().position(|thread| thread.process == message.sender);
            let way = if stored { Way::Buffered } else { Way::Straight };
            let sender_name = machine.process_name(message.sender);
            let via = match message.route {
                Route::Link => String::new(),
                Route::Mailbox | Route::Once => {
                    format!(" in {}", machine.mailbox_name(message.mailbox))
                }
            };
            let rights = rights(machine, message);
            let text = format!("receive {} from {sender_name}{via}{rights}", body(names, message));
            Some((text, sender.filter(|lane| *lane < LANES).map(|lane| (lane, way))))
        }
        Kind::Blocked(on) => {
            let reason = why(machine, state, on);
            plain(match on {
                ipcsim_kernel::BlockedOn::Sleep => "sleep".into(),
                _ => format!("{} {}: {reason}", blocked_word(on), blocked_where(names, state, on)),
            })
        }
        Kind::Returned(outcome) if *outcome != ipcsim_kernel::Outcome::Ok => {
            let call = call_of(machine, event);
            let verb = call.map_or("", Verb::word);
            let word = machine.outcome_word(verb, *outcome);
            let word = word.map_or(String::new(), |word| format!(" ({word})"));
            let object = call.and_then(object_of).and_then(|(way, object)| {
                Some(format!(" {way}{}", named(names, machine, state, event, object)?))
            });
            plain(format!("{verb}{} → {}{word}", object.unwrap_or_default(), outcome.word()))
        }
        Kind::Returned(_) => plain(returned(names, machine, state, event)?),
        Kind::Logged(text) => plain(format!("log: {}", visible(&names.value(text)))),
        Kind::Raised(fault) => {
            let does = if is_handled(machine, state, event) { "raises" } else { "fails" };
            plain(format!("{does}: {}", fault.describe()))
        }
        Kind::Lost(message, loss) => plain(lost(names, state, message, *loss)),
        Kind::Kept(message) => {
            plain(format!("the kernel keeps {} until there is room", body(names, message)))
        }
        Kind::Withdrawn(message) => plain(format!("takes {} back", body(names, message))),
        Kind::ThreadEnded => plain("ends".into()),
        Kind::Created(mailbox) => plain(format!("create {}", machine.mailbox_name(*mailbox))),
        // It ends with what it controls, which is told.
        Kind::Destroyed(port) if controls(machine, *port) => None,
        Kind::Destroyed(mailbox) => plain(format!("destroy {}", machine.mailbox_name(*mailbox))),
        Kind::Killed(process) => plain(format!("kill {}", machine.process_name(*process))),
        Kind::Spawned(process) => plain(format!("spawn {}", machine.process_name(*process))),
        Kind::ThreadKilled(t) => plain(format!("kill {}", names.thread(state, *t))),
        Kind::Unhandled(fault) => plain(format!("fails: {}", fault.describe())),
        Kind::Suspended(t) => plain(format!("suspend {}", names.thread(state, *t))),
        Kind::Resumed(t) if event.thread == Some(*t) => plain("goes on behind it".into()),
        Kind::Resumed(t) => plain(format!("resume {}", names.thread(state, *t))),
        Kind::Interrupted(t) => plain(format!("interrupt {}", names.thread(state, *t))),
        Kind::ReceiverIs(port, process) => plain(format!(
            "{} receives from {} now",
            machine.process_name(*process),
            machine.mailbox_name(*port)
        )),
        Kind::Limited(port, limit) => {
            plain(format!("{} may hold {}", machine.mailbox_name(*port), plural(*limit, "message")))
        }
        Kind::ThreadStarted => plain("starts".into()),
        Kind::Woken => plain("is woken, and looks again".into()),
        Kind::Delivered { .. }
        | Kind::Chose(..)
        | Kind::ProcessStarted(_)
        | Kind::ProcessEnded(..) => None,
    }
}

fn lost(names: &Names, state: &State, message: &Message, loss: Loss) -> String {
    let is_port = state.mailboxes[message.mailbox.index()].spec.kind == MailboxKind::Port;
    let why = match loss {
        Loss::MailboxDestroyed if is_port => "the port has died",
        other => other.describe(),
    };
    format!("{} is lost: {why}", body(names, message))
}

/// Whether something is controlled through this port.
fn controls(machine: &Machine, port: MailboxId) -> bool {
    let is_it = |spec: &PortSpec| spec.port == port && matches!(spec.receiver, Receiver::Kernel(_));
    machine.ports.iter().any(is_it)
}

/// What a call is about, where that is one object.
fn object_of(verb: &Verb) -> Option<(&'static str, &Expr)> {
    Some(match verb {
        Verb::Call { answer: Answer::OfNames(_), .. } => return None,
        Verb::Send(send) | Verb::Call { request: send, .. } => ("to ", &send.to),
        Verb::Control(_, Target::Processes(object))
        | Verb::Drop(object)
        | Verb::Destroy(object)
        | Verb::Watch { port: object, .. }
        | Verb::Limit { port: object, .. }
        | Verb::Insert { port: object, .. }
        | Verb::Remove { port: object, .. } => ("", object),
        _ => return None,
    })
}

/// A body as the lecture would write it, with the type of the message if it has one.
fn body(names: &Names, message: &Message) -> String {
    let text = cut(&visible(&names.value(&message.body)));
    match message.kind() {
        kind if *kind == Value::None || message.sender == ProcessId::KERNEL => text,
        kind => format!("{text} ({})", cut(&visible(&names.value(kind)))),
    }
}

/// The beginning of a long text, or list.
fn cut(text: &str) -> String {
    if text.is_empty() {
        return "\"\"".into();
    }
    if text.chars().count() <= 24 {
        return text.into();
    }
    let (kept, end) = if text.starts_with('[') { (22, "…]") } else { (23, "…") };
    text.chars().take(kept).collect::<String>() + end
}

/// A text in which every character can be seen: a line break would tear the picture.
fn visible(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
