//! What a wait is called, and why it does not end: read off the state, one function for each kind of wait.
//!
//! Nothing here guesses. Where a receiver waits, it is said what it waits for instead; where memory is full, who
//! holds it; where a request lies, what those are busy with who could take it.

use ipcsim_kernel::object::port::Receiver;
use ipcsim_kernel::object::room::Room;
use ipcsim_kernel::object::space::Owner;
use ipcsim_kernel::program::{Effect, Inquiry};
use ipcsim_kernel::{
    BlockedOn, Capacity, Expr, Filter, HandOver, Holder, Life, Machine, MailboxId, Message, Object,
    ProcessId, ReplyRight, Sources, State, ThreadId, ThreadState, Value, wait_graph,
};

use crate::holders::{why_locked, why_nothing_to_read, why_pipe_is_full};
use crate::memory::page_name;
use crate::units::{bytes, plural};
use crate::words::{LinkEnd, Names, listed_up_to, some_of, sources_text};

/// Of those who hold something so many are named.
pub(crate) const NAMED: usize = 3;

/// A thread that waits, and why: what is shown of it everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The thread.
    pub thread: String,
    /// The line of the file in which it waits, if it is in the file.
    pub line: Option<u32>,
    /// What its wait is called: `SEND-blocked`.
    pub state: &'static str,
    /// On what it waits: `on P2`.
    pub on: String,
    /// Why that does not end.
    pub because: String,
}

/// What is shown of a thread that waits in a state in which nothing is half done.
pub fn waiting(machine: &Machine, state: &State, t: ThreadId) -> Waiting {
    let names = Names::new(machine);
    let thread = names.thread(state, t);
    let line = Some(machine.line(state.threads[t.index()].pc)).filter(|line| *line > 0);
    match state.waits_for(t) {
        None => Waiting {
            thread,
            line,
            state: "suspended",
            on: String::new(),
            because: "nobody resumes it".into(),
        },
        Some(on) => {
            let mut because = why(machine, state, t, on);
            if let Some(more) = more(&names, state, t, on) {
                because = format!("{because}{more}");
            }
            let (word, on) = (blocked_word(on), blocked_where(&names, state, t, on));
            Waiting { thread, line, state: word, on, because }
        }
    }
}

/// What can be said more where nothing is half done: what becomes of those on whom the wait depends.
fn more(names: &Names, state: &State, t: ThreadId, on: &BlockedOn) -> Option<String> {
    match on {
        BlockedOn::Reply { holder: Holder::Queued(_), .. } => {
            who_could_take_it(names, state, t).map(|who| format!(": {who}"))
        }
        BlockedOn::Receive { sources: Sources::One(mailbox), filter: None } => {
            match state.mailboxes[mailbox.index()].object {
                Object::Link { from, .. } => match state.processes[from.index()].life {
                    Life::Unborn => Some(", and has not been made".into()),
                    Life::NotStarted => Some(", and has not started".into()),
                    Life::Running | Life::Ended(_) => None,
                },
                Object::Port(_) => Some(who_may_send(names, state, *mailbox)),
                Object::Open | Object::Filed | Object::PortSet(_) | Object::Stream(_) => None,
            }
        }
        BlockedOn::Lock(region, page) => {
            let Owner::Thread(owner) = state.lock(*region, *page)?.owner else { return None };
            let living: Vec<ThreadId> = (0..state.threads.len())
                .map(ThreadId::at)
                .filter(|t| !state.threads[t.index()].state.is_ended())
                .collect();
            let could = wait_graph(names.machine, state, &living).awaited(t);
            (!could.contains(&owner)).then(|| ", and no `unlock` is ahead of it".into())
        }
        _ => None,
    }
}

/// What a wait is called: `SEND-blocked`.
pub(crate) fn blocked_word(on: &BlockedOn) -> &'static str {
    match on {
        BlockedOn::Send(_) => "SEND-blocked",
        BlockedOn::Memory(_) => "memory-blocked",
        BlockedOn::Receive { .. } | BlockedOn::Select(_) => "RECEIVE-blocked",
        BlockedOn::Reply { .. } => "REPLY-blocked",
        BlockedOn::Join(_) => "waiting",
        BlockedOn::Lock(..) => "LOCK-blocked",
        BlockedOn::Sleep => "asleep",
    }
}

/// On what a thread waits: `on P2`, `from box1 or box2`.
pub(crate) fn blocked_where(names: &Names, state: &State, t: ThreadId, on: &BlockedOn) -> String {
    match on {
        BlockedOn::Send(mailbox) | BlockedOn::Memory(mailbox) => {
            format!("on {}", names.mailbox(state, *mailbox, LinkEnd::Receiver))
        }
        BlockedOn::Receive { sources, .. } | BlockedOn::Select(sources) => {
            format!("on {}", sources_text(names, state, sources))
        }
        BlockedOn::Reply { holder, .. } => match holder {
            Holder::Taken(process) => format!("on {}", names.machine.process_name(*process)),
            Holder::Queued(mailbox) => {
                format!("on {}", names.mailbox(state, *mailbox, LinkEnd::Receiver))
            }
        },
        BlockedOn::Join(threads) => {
            let list: Vec<String> = threads.iter().map(|t| names.thread(state, *t)).collect();
            format!("for {}", some_of(&list, "and"))
        }
        BlockedOn::Lock(region, page) => {
            let at = Some(state.threads[t.index()].pc);
            format!("on {}", page_name((names.machine, state), at, (*region, *page)))
        }
        BlockedOn::Sleep => String::new(),
    }
}

/// What a wait is called in a trace.
pub(crate) fn trace_word(on: &BlockedOn) -> &'static str {
    match on {
        BlockedOn::Send(_) => "send",
        BlockedOn::Memory(_) => "memory",
        BlockedOn::Receive { .. } => "receive",
        BlockedOn::Select(_) => "select",
        BlockedOn::Reply { .. } => "reply",
        BlockedOn::Join(_) => "join",
        BlockedOn::Lock(..) => "lock",
        BlockedOn::Sleep => "sleep",
    }
}

/// Why a wait does not end now: `no buffering, and P2 is not receiving`.
pub fn why(machine: &Machine, state: &State, t: ThreadId, on: &BlockedOn) -> String {
    let names = Names::new(machine);
    let message = || state.waits_with(t, on).expect("a sender waits with a message");
    match on {
        BlockedOn::Send(_) => why_not_sent(&names, state, message()),
        BlockedOn::Memory(_) => why_no_memory(&names, state, message()),
        BlockedOn::Receive { sources, filter } => {
            why_not_received(&names, state, sources, filter.as_deref())
        }
        BlockedOn::Select(sources) => why_not_received(&names, state, sources, None),
        BlockedOn::Reply { right, holder } => why_not_answered(&names, state, *right, *holder),
        BlockedOn::Join(threads) => match &threads[..] {
            [_] => "it has not ended".into(),
            _ => "they have not all ended".into(),
        },
        BlockedOn::Lock(region, page) => why_locked(&names, state, t, (*region, *page)),
        BlockedOn::Sleep => "until its sleep is over".into(),
    }
}

// SEND-blocked.

fn why_not_sent(names: &Names, state: &State, message: &Message) -> String {
    let mailbox = &state.mailboxes[message.mailbox.index()];
    let spec = &mailbox.spec;
    if spec.capacity != Capacity::None && !mailbox.stores(message.size) {
        let limit = bytes(spec.eager_limit);
        return format!(
            "what is larger than {limit} is not stored, and {}",
            why_not_taken(names, state, message)
        );
    }
    let why = why_there_is_no_room(names, state, message);
    match who_waits_for(state, message) {
        Some(t) if spec.hand_over == HandOver::IfRoom => {
            format!("{why}; {} waits for it, but it needs room first", names.thread(state, t))
        }
        _ => why,
    }
}

/// The thread that waits for a message and would take it.
fn who_waits_for(state: &State, message: &Message) -> Option<ThreadId> {
    let known_as = state.known_as(message.mailbox);
    state.receivers_of(message.mailbox).iter().copied().find(|t| match state.waits_for(*t) {
        Some(BlockedOn::Receive { sources, filter }) => {
            sources.contains(known_as) && Filter::accepts(filter.as_deref(), message)
        }
        _ => false,
    })
}

fn why_there_is_no_room(names: &Names, state: &State, message: &Message) -> String {
    let mailbox = &state.mailboxes[message.mailbox.index()];
    if let Some(held) = mailbox.bytes() {
        return why_pipe_is_full(names, state, message, held);
    }
    if mailbox.room(message.size) == Room::Free {
        return "a message before it waits".into();
    }
    match mailbox.spec.capacity {
        Capacity::None => format!("no buffering, and {}", why_not_taken(names, state, message)),
        Capacity::Messages(0) => "its limit is 0".into(),
        Capacity::Messages(limit) => format!("full with {}", plural(limit, "message")),
        Capacity::Bytes(limit) => format!(
            "{} of {} are in use, the message has {}",
            bytes(mailbox.stored_bytes),
            bytes(limit),
            bytes(message.size)
        ),
        Capacity::Undefined => {
            format!("the kernel found no room, and {}", why_not_taken(names, state, message))
        }
        Capacity::Unlimited => "a message before it waits".into(),
    }
}

/// Why nobody takes a message out of the hands of its sender.
fn why_not_taken(names: &Names, state: &State, message: &Message) -> String {
    let known_as = state.known_as(message.mailbox);
    let object = &state.mailboxes[message.mailbox.index()].object;
    if let Object::Link { to, .. } = *object {
        let whom = names.machine.process_name(to);
        if state.processes[to.index()].life == Life::NotStarted {
            return format!("{whom} has not started");
        }
        let mut others = None;
        for t in state.threads_of(to) {
            let Some(BlockedOn::Receive { sources, filter }) = state.waits_for(t) else { continue };
            let who = names.thread(state, t);
            if sources.contains(message.mailbox) {
                return unwanted(names, &who, message, filter.as_deref());
            }
            others = others.or_else(|| {
                Some(format!("{who} receives only from {}", sources_text(names, state, sources)))
            });
        }
        return others.unwrap_or_else(|| format!("{whom} is not receiving"));
    }
    let mut receivers = state.mailboxes[known_as.index()].receivers.iter();
    let waiting = receivers.find_map(|t| match state.waits_for(*t) {
        Some(BlockedOn::Receive { filter, .. }) => Some((*t, filter.as_deref())),
        _ => None,
    });
    match waiting {
        Some((t, filter)) => unwanted(names, &names.thread(state, t), message, filter),
        None => "nobody is receiving".into(),
    }
}

/// Why a receiver that waits at the right place does not take a message.
fn unwanted(names: &Names, who: &str, message: &Message, filter: Option<&Filter>) -> String {
    if !Filter::accepts(filter, message) {
        return format!("{who} takes only messages of type {}", wanted_type(names, filter));
    }
    match filter.and_then(|filter| filter.max_size) {
        Some(max) if message.size > max => {
            format!("{who} takes {} at most, the message has {}", bytes(max), bytes(message.size))
        }
        _ => format!("{who} is about to take it"),
    }
}

// Memory-blocked.

fn why_no_memory(names: &Names, state: &State, message: &Message) -> String {
    let memory = &state.memory;
    let limit = memory.limit.unwrap_or(u64::MAX);
    let need = memory.cost(message.size);
    let mut why = format!(
        "{} of {} kernel memory are in use, the message needs {}",
        bytes(memory.used),
        bytes(limit),
        bytes(need)
    );
    let mut holders: Vec<(ProcessId, MailboxId, u64)> = Vec::new();
    for (id, mailbox) in state.mailboxes.items().iter().enumerate() {
        for stored in &mailbox.messages {
            let place = (stored.sender, MailboxId::at(id));
            match holders.iter_mut().find(|(sender, at, _)| (*sender, *at) == place) {
                Some((_, _, count)) => *count += 1,
                None => holders.push((place.0, place.1, 1)),
            }
        }
    }
    let held: Vec<String> = holders
        .iter()
        .map(|(sender, at, count)| {
            let sender = names.machine.process_name(*sender);
            let place = place_of(names, state, *at);
            format!("{} of {sender} {place}", plural(*count, "message"))
        })
        .collect();
    if !held.is_empty() {
        why.push_str(&format!(", held by {}", listed_up_to(&held, NAMED)));
    }
    why
}

/// Where something is stored: `in box1`, `on the link to P1`.
fn place_of(names: &Names, state: &State, mailbox: MailboxId) -> String {
    let name = names.mailbox(state, mailbox, LinkEnd::Receiver);
    match state.mailboxes[mailbox.index()].object {
        Object::Link { .. } => format!("on the link to {name}"),
        _ => format!("in {name}"),
    }
}

// RECEIVE-blocked.

fn why_not_received(
    names: &Names,
    state: &State,
    sources: &Sources,
    filter: Option<&Filter>,
) -> String {
    let kind = filter.and_then(|filter| filter.kind.as_ref());
    let [mailbox] = sources.listed() else {
        return match kind {
            Some(_) => format!("no message of type {} is there", wanted_type(names, filter)),
            None => "nothing is there".into(),
        };
    };
    if let Some(why) = why_not_what_is_there(names, state, *mailbox, filter) {
        return why;
    }
    if kind.is_some() {
        return format!("no message of type {} is there", wanted_type(names, filter));
    }
    let name = names.mailbox(state, *mailbox, LinkEnd::Sender);
    match state.mailboxes[mailbox.index()].object {
        Object::Link { .. } => format!("{name} is not sending"),
        Object::Stream(_) => why_nothing_to_read(names, state, *mailbox),
        _ if names.machine.name_servers.contains_key(mailbox) => "no request has come".into(),
        _ => format!("{name} is empty"),
    }
}

/// A message that is stored, or offered by a sender who waits, and is not taken: why not.
fn why_not_what_is_there(
    names: &Names,
    state: &State,
    mailbox: MailboxId,
    filter: Option<&Filter>,
) -> Option<String> {
    let object = &state.mailboxes[mailbox.index()];
    let stored = object.messages.iter().map(|message| (None, message));
    let offered = object.senders.iter().map(|(t, message)| (Some(*t), message));
    let mut there = stored.chain(offered);
    let (sender, message) = there
        .find(|(_, message)| !Filter::accepts(filter, message) || !Filter::fits(filter, message))?;
    let has = match sender {
        Some(t) => format!("the message that {} offers has", names.thread(state, t)),
        None => "the message there has".into(),
    };
    Some(if Filter::accepts(filter, message) {
        format!("{has} {}, more than it takes", bytes(message.size))
    } else {
        let kind = wanted_type(names, filter);
        match message.kind() {
            Value::None => format!("{has} no type, and it takes only type {kind}"),
            other => format!("{has} type {}, and it takes only type {kind}", names.value(other)),
        }
    })
}

/// The type that a receive asks for; of several, either.
fn wanted_type(names: &Names, filter: Option<&Filter>) -> String {
    match filter.and_then(|filter| filter.kind.as_ref()) {
        Some(Value::List(types)) => {
            let types: Vec<String> = types.items().iter().map(|it| names.value(it)).collect();
            types.join(" or ")
        }
        Some(one) => names.value(one),
        None => "any".into(),
    }
}

/// Who has a right to send to a port, where those are few.
fn who_may_send(names: &Names, state: &State, id: MailboxId) -> String {
    let Some(port) = state.mailboxes[id.index()].port() else { return String::new() };
    let carries = |message: &Message| message.carried().any(|carried| carried.port == id);
    let on_the_way = state.messages().any(|message| carries(message));
    if on_the_way || !port.once.is_empty() || names.machine.handles_exceptions(id) {
        return String::new();
    }
    let holders: Vec<ProcessId> = (0..state.processes.len())
        .map(ProcessId::at)
        .filter(|process| port.receiver != Receiver::Held(*process))
        .filter(|process| state.may_send(*process, id))
        .collect();
    match &holders[..] {
        [] => ", and nobody else has a right to send to it".into(),
        [only] => {
            let name = names.machine.process_name(*only);
            let mut threads = state.threads_of(*only);
            let busy = threads.find_map(|t| Some((t, state.waits_for(t)?)));
            let busy = busy.map(|(t, on)| format!(", which is {}", busy_with(names, state, t, on)));
            format!(", and only {name} has a right to send to it{}", busy.unwrap_or_default())
        }
        _ => String::new(),
    }
}

// REPLY-blocked.

fn why_not_answered(names: &Names, state: &State, right: ReplyRight, holder: Holder) -> String {
    let raised = state.threads[right.caller.index()].raised().is_some();
    let what = if raised { "the exception" } else { "the request" };
    let Holder::Taken(process) = holder else { return format!("{what} still waits there") };
    let server = names.machine.process_name(process);
    if let Some(name) = sought(names, state, right.caller, process) {
        return format!("\"{name}\" is not registered with {server}");
    }
    let holds = |t: &ThreadId| {
        state.threads[t.index()]
            .registers
            .iter()
            .any(|value| matches!(value, Value::Message(it) if it.reply_right() == Some(right)))
    };
    let busy = state.threads_of(process).find(holds).and_then(|t| Some((t, state.waits_for(t)?)));
    match busy {
        Some((t, on)) => format!(
            "{} has {what}, and is {}",
            names.thread(state, t),
            busy_with(names, state, t, on)
        ),
        None => format!("{server} has {what} and has not replied"),
    }
}

/// What a thread is busy with that waits itself.
fn busy_with(names: &Names, state: &State, t: ThreadId, on: &BlockedOn) -> String {
    let place = crate::words::place(names.machine, state.threads[t.index()].pc);
    format!("{} {}{place}", blocked_word(on), blocked_where(names, state, t, on))
}

/// What those are busy with who could take a request that lies in a queue.
fn who_could_take_it(names: &Names, state: &State, t: ThreadId) -> Option<String> {
    let living: Vec<ThreadId> = (0..state.threads.items().len())
        .map(ThreadId::at)
        .filter(|t| {
            let state = &state.threads[t.index()].state;
            !matches!(state, ThreadState::Ended | ThreadState::NotStarted)
        })
        .collect();
    let graph = wait_graph(names.machine, state, &living);
    let busy: Vec<String> = graph
        .awaited(t)
        .into_iter()
        .filter_map(|other| {
            let on = state.waits_for(other)?;
            let who = names.thread(state, other);
            Some(format!("{who} is {}", busy_with(names, state, other, on)))
        })
        .collect();
    (!busy.is_empty()).then(|| listed_up_to(&busy, NAMED))
}

/// The name that a thread waits for, if a built-in name server has the request and rests.
fn sought(names: &Names, state: &State, caller: ThreadId, server: ProcessId) -> Option<String> {
    let machine = names.machine;
    let thread = &state.threads[caller.index()];
    let (mut awaits, mut request) = (None, None);
    machine.code[thread.pc.index()].effects(&mut |effect| match effect {
        Effect::Asks(Inquiry::Await { .. }) => awaits = Some(()),
        Effect::Sends(send) => request = Some(send),
        _ => {}
    });
    let request = awaits.and(request)?;
    let port = machine.family_of(thread.process).names?;
    if !machine.name_servers.contains_key(&port) {
        return None;
    }
    let mut threads = state.threads_of(server).map(|t| state.waits_for(t));
    if !threads.all(|on| matches!(on, Some(BlockedOn::Receive { .. }))) {
        return None;
    }
    match &request.body {
        Expr::Constant(Value::Text(name)) => Some(name.to_string()),
        Expr::Variable(register) => Some(names.value(&thread.registers[register.index()])),
        _ => None,
    }
}
