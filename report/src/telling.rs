//! Events in words.

use ipcsim_kernel::object::mailbox::Mailbox;
use ipcsim_kernel::object::port::Receiver;
use ipcsim_kernel::object::space::Mapping;
use ipcsim_kernel::program::{Effect, Op, Parcel, Region, Right, Verb};
use ipcsim_kernel::{
    Access, BlockedOn, Event, Expr, Fault, Handle, Kind, Level, Loss, Machine, MailboxId, Message,
    Outcome, ProcessId, Question, Route, State, ThreadId, Value, waits,
};

use crate::memory::{as_written, page_name, region_name};
use crate::reasons::{blocked_where, blocked_word, why};
use crate::units::{bytes, plural};
use crate::words::{LinkEnd, Names, fault_words};

/// What an event is in words, if it deserves any.
pub(crate) fn words_of(machine: &Machine, state: &State, event: &Event) -> Option<String> {
    Telling { names: &Names::new(machine), machine, state, event }.text()
}

/// An event, and what has to be known to tell it.
pub(crate) struct Telling<'a> {
    pub names: &'a Names<'a>,
    pub machine: &'a Machine,
    pub state: &'a State,
    pub event: &'a Event<'a>,
}

impl Telling<'_> {
    /// The event in words, if it deserves a row.
    pub(crate) fn text(&self) -> Option<String> {
        let &Telling { names, machine, state, event } = self;
        Some(match &event.kind {
            Kind::Sent(message) => self.sent(message),
            Kind::Stored { message, messages } => self.stored(message, *messages),
            Kind::Received(message) => self.received(message),
            Kind::Blocked(BlockedOn::Sleep) => "sleep".into(),
            Kind::Blocked(on) => {
                let t = event.thread.expect("a thread waits");
                let place = blocked_where(names, state, t, on);
                format!("{} {place}: {}", blocked_word(on), why(machine, state, t, on))
            }
            Kind::Returned(Outcome::Ok) => self.found()?,
            Kind::Returned(outcome) => self.failed(*outcome),
            Kind::Logged(text) => format!("log: {}", names.value(text)),
            Kind::Raised(fault) => self.raised(fault),
            Kind::Lost(message, loss) => self.lost(message, *loss),
            Kind::Kept(message) => {
                format!("the kernel keeps {} until there is room", self.body(message))
            }
            Kind::Withdrawn(message) => self.withdrawn(message),
            Kind::ThreadEnded => "ends".into(),
            Kind::Created(mailbox) => format!("create {}", self.object(*mailbox)),
            // It ends with what it controls, which is told.
            Kind::Destroyed(port) if controls(machine, *port) => return None,
            Kind::Destroyed(mailbox) => format!("destroy {}", machine.mailbox_name(*mailbox)),
            Kind::Unhandled(fault) => format!("fails: {}", fault_words(fault)),
            Kind::ReceiverIs(port, process) => {
                let who = machine.process_name(*process);
                format!("{who} receives from {} now", machine.mailbox_name(*port))
            }
            Kind::Limited(port, limit) => self.limited(*port, *limit),
            Kind::Killed(_)
            | Kind::Spawned(_)
            | Kind::Forked(_)
            | Kind::NotForked(_)
            | Kind::Replaced(_)
            | Kind::ThreadKilled(_)
            | Kind::Suspended(_)
            | Kind::Resumed(_)
            | Kind::Interrupted(_) => return self.of_others(),
            Kind::Written { .. } | Kind::Unread(..) | Kind::Closed(..) | Kind::EndOfFile(_) => {
                return self.of_streams();
            }
            Kind::Inherits(priority, waiter) => self.inherits(*priority, *waiter),
            Kind::Allocated(..)
            | Kind::Freed(_)
            | Kind::Read { .. }
            | Kind::Wrote { .. }
            | Kind::Locked(..)
            | Kind::Unlocked(..)
            | Kind::Faulted(..) => return self.of_memory(),
            Kind::ThreadStarted => "starts".into(),
            Kind::Woken => "is woken and looks again".into(),
            Kind::Chose(question, answer) => return chosen(*question, *answer),
            Kind::Delivered { .. } | Kind::ProcessStarted(_) | Kind::ProcessEnded(..) => {
                return None;
            }
        })
    }

    fn limited(&self, port: MailboxId, limit: u64) -> String {
        format!("{} may hold {}", self.machine.mailbox_name(port), plural(limit, "message"))
    }

    fn stored(&self, message: &Message, messages: usize) -> String {
        let at = self.names.mailbox(self.state, message.mailbox, LinkEnd::Receiver);
        let place = match message.route {
            Route::Link => format!("on the link to {at}"),
            Route::Mailbox | Route::Own | Route::Once | Route::Bytes => format!("in {at}"),
        };
        format!("stored {place} ({messages} there)")
    }

    /// What was done to processes and threads.
    fn of_others(&self) -> Option<String> {
        let &Telling { names, machine, state, event } = self;
        let process = |it: &ProcessId| machine.process_name(*it).clone();
        let thread = |t: &ThreadId| names.thread(state, *t);
        Some(match &event.kind {
            Kind::Killed(it) => format!("kill {}", process(it)),
            Kind::Spawned(it) => format!("spawn {}", process(it)),
            Kind::Forked(it) => format!("fork {}", process(it)),
            Kind::NotForked(inside) => self.not_forked(*inside),
            Kind::Replaced(it) => format!("exec {}", machine.symbols.programs[it.index()]),
            Kind::ThreadKilled(t) => format!("kill {}", thread(t)),
            Kind::Suspended(t) => format!("suspend {}", thread(t)),
            Kind::Resumed(t) if event.thread == Some(*t) => {
                let raised = state.threads[t.index()].raised();
                if raised.is_some_and(|it| it.fault.is_for_good()) {
                    "goes on, but its code is gone".into()
                } else {
                    "continues after it".into()
                }
            }
            Kind::Resumed(t) => format!("resume {}", thread(t)),
            Kind::Interrupted(t) => format!("interrupt {}", thread(t)),
            _ => return None,
        })
    }

    /// Why a process cannot be copied with all its threads.
    fn not_forked(&self, inside: ThreadId) -> String {
        let who = self.names.thread(self.state, inside);
        match self.state.waits_for(inside) {
            Some(on) => {
                let place = match blocked_where(self.names, self.state, inside, on) {
                    place if place.is_empty() => place,
                    place => format!(" {place}"),
                };
                let call = match &self.machine.code[self.state.threads[inside.index()].pc.index()] {
                    Op::Call(call) => call.verb.word(),
                    _ => "call",
                };
                format!("{who} is inside a {call}{place}, and a call cannot be copied")
            }
            None => format!("{who} is inside a call, and a call cannot be copied"),
        }
    }

    fn inherits(&self, priority: i64, waiter: Option<ThreadId>) -> String {
        match waiter {
            Some(t) => {
                format!("runs at {priority}: {} waits for it", self.names.thread(self.state, t))
            }
            None => format!("runs at {priority} again"),
        }
    }

    /// What became of bytes.
    fn of_streams(&self) -> Option<String> {
        Some(match &self.event.kind {
            Kind::Written { pipe, bytes: count, there } => {
                let (count, there) = (bytes(*count), bytes(*there));
                format!("{count} go into {} ({there} there)", self.object(*pipe))
            }
            Kind::Unread(pipe, count) => {
                let (count, pipe) = (bytes(*count), self.object(*pipe));
                format!("{count} in {pipe} are lost: nobody can read them any more")
            }
            Kind::Closed(object, access) => {
                let by_variable = self.call().and_then(|call| {
                    let (_, of) = objects_of(call).first().copied()?;
                    self.named(of)
                });
                let what = by_variable.unwrap_or_else(|| self.opened(*object, *access));
                format!("close {what}")
            }
            Kind::EndOfFile(stream) => {
                format!("receive: the end of {}, nobody can write", self.object(*stream))
            }
            _ => return None,
        })
    }

    /// What was done to a region of memory.
    fn of_memory(&self) -> Option<String> {
        let &Telling { names, state, event, .. } = self;
        Some(match &event.kind {
            Kind::Allocated(region, pages) => {
                format!("allocate {}: {}", self.region(*region), plural((*pages).into(), "page"))
            }
            Kind::Freed(region) => format!("free {}", self.region(*region)),
            Kind::Read { region, page, value } => {
                format!("read {}[{page}]: {}", self.region(*region), cut(&names.value(value)))
            }
            Kind::Wrote { region, pages, value } => {
                let (what, of) = (cut(&names.value(value)), self.region(*region));
                let whole = state.mapping(*region).map_or(0, Mapping::count);
                match (pages.start, pages.end) {
                    (0, end) if end == whole => format!("write {what} to {of}"),
                    (first, end) if end == first + 1 => format!("write {what} to {of}[{first}]"),
                    (first, end) if first == end => format!("write {what} to no page of {of}"),
                    (first, end) => format!("write {what} to pages {first} to {} of {of}", end - 1),
                }
            }
            Kind::Locked(region, page) => format!("lock {}", self.page(*region, *page)),
            Kind::Unlocked(region, page) => format!("unlock {}", self.page(*region, *page)),
            Kind::Faulted(_, 1) => "page fault: the page was shared, and is copied".into(),
            Kind::Faulted(_, pages) => {
                let faults = plural((*pages).into(), "page fault");
                format!("{faults}: the pages were shared, and are copied")
            }
            _ => return None,
        })
    }

    fn raised(&self, fault: &Fault) -> String {
        let does = if self.is_handled() { "raises" } else { "fails" };
        let why = match fault {
            Fault::BadAddress(address) => self.bad_address(*address),
            _ => None,
        };
        format!("{does}: {}", why.unwrap_or_else(|| fault_words(fault)))
    }

    fn sent(&self, message: &Message) -> String {
        let to = self.names.mailbox(self.state, message.mailbox, LinkEnd::Receiver);
        if message.is_from_the_start() {
            return format!("{} is there from the start, in {to}", self.body(message));
        }
        if message.sender == ProcessId::KERNEL {
            let kind = self.names.value(message.kind());
            return format!("the kernel sends the notice {kind} to {to}");
        }
        let raised = self.event.thread.and_then(|t| self.state.threads[t.index()].raised());
        if raised.is_some() {
            return format!("the exception goes to {to}");
        }
        match self.call() {
            Some(inquiry) if inquiry.may(|effect| matches!(effect, Effect::Asks(_))) => {
                let asked = cut(&self.names.value(&message.body));
                format!("{} {asked} at {to}", inquiry.word())
            }
            verb => {
                let verb = verb.map_or("send", Verb::word);
                format!("{verb} {} to {to}", self.body(message)) + &self.memory(message)
            }
        }
    }

    fn received(&self, message: &Message) -> String {
        let (machine, about) = (self.machine, self.body(message));
        let rights = self.rights(message);
        if message.route == Route::Bytes {
            let (size, pipe) = (bytes(message.size), self.object(message.mailbox));
            return match message.size {
                0 => format!("receive {size} from {pipe}"),
                _ => format!("receive {about} ({size}) from {pipe}"),
            };
        }
        if message.is_from_the_start() {
            let mailbox = machine.mailbox_name(message.mailbox);
            return format!("receive {about} in {mailbox}");
        }
        if message.sender == ProcessId::KERNEL {
            let kind = self.names.value(message.kind());
            let port = machine.mailbox_name(message.mailbox);
            return format!("receive the notice {kind} ({about}) in {port}{rights}");
        }
        let sender = machine.process_name(message.sender);
        let via = match message.route {
            Route::Link => String::new(),
            Route::Mailbox | Route::Own | Route::Once | Route::Bytes => {
                format!(" in {}", self.object(message.mailbox))
            }
        };
        format!("receive {about} from {sender}{via}{rights}") + &self.memory(message)
    }

    /// What a call has found, or done, that no other event tells of.
    fn found(&self) -> Option<String> {
        let verb = self.call()?;
        let (mut has_no_event, mut is_told, mut is_part_of_a_step) = (false, false, false);
        verb.effects(&mut |effect| {
            has_no_event |= matches!(effect, Effect::HasNoEvent);
            // That has been told.
            is_told |= matches!(effect, Effect::Changes(_));
            is_part_of_a_step |= matches!(effect, Effect::KeepsStatus);
        });
        if is_told || !has_no_event {
            return None;
        }
        let word = verb.word();
        let objects = objects_of(verb);
        let registers = self.state.registers_of(self.event.thread?);
        let set = verb.writes().next().map(|into| self.names.value(&registers[into.index()]));
        match (set, objects.first()) {
            (Some(value), Some((_, of))) if is_part_of_a_step => {
                let of = self.named(of).unwrap_or_else(|| "…".into());
                Some(format!("{word}({of}) is {value}"))
            }
            (Some(value), _) => Some(format!("{word}: {value}")),
            (None, None) => Some(format!("{word}ed")),
            (None, Some(_)) => {
                let name = |(way, object): &(&str, &Expr)| {
                    self.named(object).map(|name| format!(" {way}{name}"))
                };
                Some(word.to_string() + &objects.iter().map(name).collect::<Option<String>>()?)
            }
        }
    }

    fn failed(&self, outcome: Outcome) -> String {
        let call = self.call();
        let verb = call.map_or("", Verb::word);
        let word = self.machine.outcome_word(verb, outcome);
        let word = word.map_or(String::new(), |word| format!(" ({word})"));
        let object = call
            .and_then(|call| objects_of(call).first().copied())
            .and_then(|(way, object)| Some(format!(" {way}{}", self.named(object)?)));
        let why = self.why_failed(outcome).map(|why| format!(": {why}")).unwrap_or_default();
        format!("{verb}{} → {}{word}{why}", object.unwrap_or_default(), outcome.word())
    }

    fn lost(&self, message: &Message, loss: Loss) -> String {
        let mailbox = &self.state.mailboxes[message.mailbox.index()];
        let why = match loss {
            Loss::MailboxDestroyed if mailbox.port().is_some() => "the port is dead",
            other => other.describe(),
        };
        format!("{} is lost: {why}", self.body(message))
    }

    /// The memory that comes with a message: `, with 4 pages`.
    fn memory(&self, message: &Message) -> String {
        let pages = |parcel: &Parcel| match parcel {
            Parcel::Pages(pages, _) => Some(pages.count()),
            Parcel::Segment(segment, _) => Some(self.state.segment(*segment).pages.count()),
            Parcel::In(region) => self.state.mapping(*region).map(Mapping::count),
        };
        match message.memory() {
            [] => String::new(),
            [one] => match pages(one) {
                Some(pages) => format!(", with {}", plural(pages.into(), "page")),
                None => ", with memory".into(),
            },
            several => format!(", with {}", plural(several.len() as u64, "region")),
        }
    }

    /// What a mailbox, a port, a pipe or a channel is called.
    pub(crate) fn object(&self, object: MailboxId) -> String {
        self.names.mailbox(self.state, object, LinkEnd::Receiver)
    }

    pub(crate) fn region(&self, region: Region) -> String {
        region_name(self.machine, self.event.pc, region)
    }

    fn page(&self, region: Region, page: u32) -> String {
        page_name((self.machine, self.state), self.event.pc, (region, page))
    }

    /// The call that the thread was in.
    pub(crate) fn call(&self) -> Option<&Verb> {
        match &self.machine.code[self.event.pc?.index()] {
            Op::Call(call) => Some(&call.verb),
            _ => None,
        }
    }

    /// What an expression of the call names. A call changes no variable that it is about.
    fn named(&self, expr: &Expr) -> Option<String> {
        let thread = &self.state.threads[self.event.thread?.index()];
        match waits::settled(self.machine, thread, &[], expr)? {
            Value::Message(message) => {
                let sender = self.machine.process_name(message.sender);
                Some(format!("{} from {sender}", self.body(&message)))
            }
            // What has no name of its own goes by the variable.
            Value::Handle(handle @ (Handle::File(_) | Handle::Region(_))) => {
                let variables = self.machine.variables_at(self.event.pc?);
                let name = as_written(expr, variables);
                Some(name.unwrap_or_else(|| self.machine.handle_name(handle)))
            }
            value => Some(self.names.value(&value)),
        }
    }

    /// Whether there is a handler for the exceptions of the thread.
    fn is_handled(&self) -> bool {
        let Some(t) = self.event.thread else { return false };
        let thread = &self.state.threads[t.index()];
        [Level::Thread, Level::Process]
            .into_iter()
            .any(|level| self.machine.exception_port(thread.called(), level).is_some())
    }

    /// The rights that come with a message: `, with a send right to printer`.
    fn rights(&self, message: &Message) -> String {
        let carried = message.carried().map(|carried| {
            let port = self.machine.mailbox_name(carried.port);
            match carried.right {
                Right::Receive => format!("the receive right of {port}"),
                Right::Send => format!("a send right to {port}"),
                Right::Once(_) => format!("a send-once right to {port}"),
                Right::File(access) => self.opened(carried.port, access),
                Right::Opened(descriptor) => {
                    let table = &self.state.processes[descriptor.holder.index()].descriptors;
                    match table.get(&descriptor.number) {
                        Some(opened) => self.opened(carried.port, opened.access),
                        None => format!("a descriptor for {}", self.object(carried.port)),
                    }
                }
                Right::Dead => format!("a dead right to {port}"),
            }
        });
        let carried = carried.collect::<Vec<_>>().join(" and ");
        if carried.is_empty() { carried } else { format!(", with {carried}") }
    }

    pub(crate) fn opened(&self, object: MailboxId, access: Access) -> String {
        self.names.opened(self.state, object, access)
    }

    /// A sender takes its message back; what is in a pipe already stays there.
    fn withdrawn(&self, message: &Message) -> String {
        match message.extras.as_ref().map_or(0, |extras| extras.written) {
            0 => format!("takes {} back", self.body(message)),
            went => {
                format!("gives up: {} of {} have gone", bytes(went), bytes(went + message.size))
            }
        }
    }

    /// A body as the lecture would write it, with the type of the message if it has one.
    fn body(&self, message: &Message) -> String {
        let text = cut(&self.names.value(&message.body));
        match message.kind() {
            kind if *kind == Value::None || message.sender == ProcessId::KERNEL => text,
            kind => format!("{text} ({})", cut(&self.names.value(kind))),
        }
    }
}

/// Whether something is controlled through this port.
fn controls(machine: &Machine, port: MailboxId) -> bool {
    let declared = machine.mailboxes.get(port.index()).and_then(Mailbox::port);
    declared.is_some_and(|port| matches!(port.receiver, Receiver::Kernel(_)))
}

/// The objects that a call is about, each with the preposition before it.
pub(crate) fn objects_of(verb: &Verb) -> Vec<(&'static str, &Expr)> {
    let mut objects = Vec::new();
    verb.effects(&mut |effect| {
        if let Effect::IsAbout(preposition, object) = effect {
            objects.push((preposition, object));
        }
    });
    objects
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

/// What a program has chosen. What else the kernel chooses shows in what happens.
fn chosen(question: Question, answer: u64) -> Option<String> {
    match question {
        Question::Branch { count } => Some(format!("chooses branch {} of {count}", answer + 1)),
        Question::Random { low, .. } => {
            Some(format!("draws {}", low.saturating_add_unsigned(answer)))
        }
        Question::Receiver { .. }
        | Question::Sender { .. }
        | Question::Member { .. }
        | Question::Room => None,
    }
}
