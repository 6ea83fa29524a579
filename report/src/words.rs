//! The lecture's words: what things are called, and why a thread waits.

use ipcsim_kernel::object::port::Receiver;
use ipcsim_kernel::program::{Answer, Inquiry, Op, Verb};
use ipcsim_kernel::{
    BlockedOn, Capacity, Expr, Filter, Holder, Machine, MailboxId, MailboxKind, Message, Pc,
    ProcessId, Sources, State, ThreadId, ThreadName, Value, write_value,
};

use crate::units::{bytes, plural};

/// The names of a machine's threads and mailboxes.
///
/// A thread is called like its process if it is the only one of it, otherwise `server.worker[2]`.
pub struct Names<'a> {
    machine: &'a Machine,
}

impl<'a> Names<'a> {
    /// The names of this machine.
    pub fn new(machine: &'a Machine) -> Self {
        Self { machine }
    }

    /// The name of a thread of a process.
    pub fn thread_of(&self, process: ProcessId, name: ThreadName, index: u32) -> String {
        let family = self.machine.family_of(process);
        let process = self.machine.process_name(process);
        let thread = &self.machine.symbols.threads[name.index()];
        let spec = family.threads.iter().find(|spec| spec.name == name);
        match spec {
            Some(spec) if spec.count == 1 && family.threads.len() == 1 && thread == "main" => {
                process
            }
            Some(spec) if spec.count > 1 => format!("{process}.{thread}[{index}]"),
            _ => format!("{process}.{thread}"),
        }
    }

    /// The name of a thread of a state.
    pub fn thread(&self, state: &State, t: ThreadId) -> String {
        let thread = &state.threads[t.index()];
        self.thread_of(thread.process, thread.name, thread.index)
    }

    /// The name of a mailbox; of a link that of the receiving process, or of the sending one.
    pub fn mailbox(&self, state: &State, mailbox: MailboxId, end: LinkEnd) -> String {
        match state.mailboxes.get(mailbox.index()).map(|mailbox| mailbox.spec.kind) {
            Some(MailboxKind::Link { from, to }) => self.machine.process_name(match end {
                LinkEnd::Receiver => to,
                LinkEnd::Sender => from,
            }),
            _ => self.machine.mailbox_name(mailbox),
        }
    }

    /// A value as a log shows it.
    pub fn value(&self, value: &Value) -> String {
        let mut text = String::new();
        let name = |handle| self.machine.handle_name(handle);
        write_value(&mut text, value, &name).expect("a String takes all text");
        text
    }
}

/// Where an operation stands, behind what it belongs to: ` (line 12)`. Nothing for what is not in the file.
pub(crate) fn place(machine: &Machine, pc: Pc) -> String {
    match machine.line(pc) {
        0 => String::new(),
        line => format!(" (line {line})"),
    }
}

/// By which end a link is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// By who receives from it.
    Receiver,
    /// By who sends to it.
    Sender,
}

/// What a wait is called: `SEND-blocked`.
pub(crate) fn blocked_word(on: &BlockedOn) -> &'static str {
    match on {
        BlockedOn::Send(_) => "SEND-blocked",
        BlockedOn::Memory(_) => "memory-blocked",
        BlockedOn::Receive { .. } | BlockedOn::Select(_) => "RECEIVE-blocked",
        BlockedOn::Reply { .. } => "REPLY-blocked",
        BlockedOn::Join(_) => "waiting",
        BlockedOn::Sleep => "asleep",
    }
}

/// On what a thread waits: `on P2`, `from box1 or box2`.
pub(crate) fn blocked_where(names: &Names, state: &State, on: &BlockedOn) -> String {
    match on {
        BlockedOn::Send(message) | BlockedOn::Memory(message) => {
            format!("on {}", names.mailbox(state, message.mailbox, LinkEnd::Receiver))
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
        BlockedOn::Sleep => String::new(),
    }
}

fn sources_text(names: &Names, state: &State, sources: &Sources) -> String {
    match sources {
        Sources::Anyone => "anyone".into(),
        listed => {
            let list: Vec<String> = listed
                .listed()
                .iter()
                .map(|mailbox| names.mailbox(state, *mailbox, LinkEnd::Sender))
                .collect();
            some_of(&list, "or")
        }
    }
}

/// The first few of a list.
fn some_of(list: &[String], word: &str) -> String {
    match list {
        [] => "nothing".into(),
        [only] => only.clone(),
        [first, second] => format!("{first} {word} {second}"),
        [first, second, third] => format!("{first}, {second} {word} {third}"),
        [first, second, .., last] => format!("{first}, {second}, … {word} {last}"),
    }
}

/// Why a wait does not end now: `no buffering, and P2 is not receiving`.
pub fn why(machine: &Machine, state: &State, on: &BlockedOn) -> String {
    let names = Names::new(machine);
    match on {
        BlockedOn::Send(message) => why_not_sent(&names, state, message),
        BlockedOn::Memory(message) => {
            let memory = &state.memory;
            let limit = memory.limit.unwrap_or(u64::MAX);
            format!(
                "{} of {} kernel memory are in use, the message needs {}",
                bytes(memory.used),
                bytes(limit),
                bytes(memory.cost(message.size))
            )
        }
        BlockedOn::Receive { sources, filter } => {
            why_not_received(&names, state, sources, filter.as_deref())
        }
        BlockedOn::Select(sources) => why_not_received(&names, state, sources, None),
        BlockedOn::Reply { right, holder } => {
            let raised = state.threads[right.caller.index()].raised().is_some();
            let what = if raised { "the exception" } else { "the request" };
            match holder {
                Holder::Queued(_) => format!("{what} still waits there"),
                Holder::Taken(process) => {
                    let server = machine.process_name(*process);
                    match sought(&names, state, right.caller, *process) {
                        Some(name) => format!("\"{name}\" is not registered with {server}"),
                        None => format!("{server} has {what} and has not replied"),
                    }
                }
            }
        }
        BlockedOn::Join(threads) => match &threads[..] {
            [_] => "it has not ended".into(),
            _ => "they have not all ended".into(),
        },
        BlockedOn::Sleep => "until its time has come".into(),
    }
}

/// The name that a thread waits for, if a built-in name server has the request and rests.
fn sought(names: &Names, state: &State, caller: ThreadId, server: ProcessId) -> Option<String> {
    let machine = names.machine;
    let thread = &state.threads[caller.index()];
    let Op::Call(call) = &machine.code[thread.pc.index()] else { return None };
    let Verb::Call { request, answer: Answer::OfNames(Inquiry::Await { .. }) } = &call.verb else {
        return None;
    };
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

fn why_not_sent(names: &Names, state: &State, message: &Message) -> String {
    let mailbox = &state.mailboxes[message.mailbox.index()];
    let name = names.mailbox(state, message.mailbox, LinkEnd::Receiver);
    let nobody = match mailbox.spec.kind {
        MailboxKind::Link { .. } => format!("{name} is not receiving"),
        MailboxKind::Open | MailboxKind::Filed | MailboxKind::Port | MailboxKind::PortSet => {
            "nobody is receiving".into()
        }
    };
    match mailbox.spec.capacity {
        Capacity::None => format!("no buffering, and {nobody}"),
        Capacity::Messages(limit) => format!("full with {}", plural(limit, "message")),
        Capacity::Bytes(limit) => format!(
            "{} of {} are in use, the message has {}",
            bytes(mailbox.stored_bytes),
            bytes(limit),
            bytes(message.size)
        ),
        Capacity::Undefined => format!("the kernel found no room, and {nobody}"),
        Capacity::Unlimited => "a message before it waits".into(),
    }
}

/// Whether nobody but its receiver has a right to a port, and none is on its way.
fn is_out_of_reach(machine: &Machine, state: &State, id: MailboxId) -> bool {
    let Some(port) = state.mailboxes[id.index()].port() else { return false };
    let others = (0..state.processes.len()).map(ProcessId::at);
    let mut others = others.filter(|other| port.receiver != Receiver::Held(*other));
    let carries = |message: &Message| message.carried().any(|carried| carried.port == id);
    let mut mailboxes = state.mailboxes.iter();
    let on_the_way =
        mailboxes.any(|mailbox| mailbox.all_messages().any(|message| carries(message)));
    port.once.is_empty()
        && !machine.handles_exceptions(id)
        && !on_the_way
        && !others.any(|other| state.may_send(other, id))
}

fn why_not_received(
    names: &Names,
    state: &State,
    sources: &Sources,
    filter: Option<&Filter>,
) -> String {
    let kind = filter.and_then(|filter| filter.kind.as_ref());
    let what = match kind {
        Some(kind) => format!("no message of type {} is there", names.value(kind)),
        None => String::new(),
    };
    let single = match sources.listed() {
        [mailbox] => Some(*mailbox),
        _ => None,
    };
    let plain = match single.map(|mailbox| (mailbox, state.mailboxes[mailbox.index()].spec.kind)) {
        Some((mailbox, MailboxKind::Link { .. })) => {
            format!("{} is not sending", names.mailbox(state, mailbox, LinkEnd::Sender))
        }
        Some((mailbox, _)) if names.machine.name_servers.contains_key(&mailbox) => {
            "nobody asks".into()
        }
        Some((mailbox, _)) => {
            let name = names.mailbox(state, mailbox, LinkEnd::Sender);
            let alone = if is_out_of_reach(names.machine, state, mailbox) {
                ", and nobody else has a right to send to it"
            } else {
                ""
            };
            format!("{name} is empty{alone}")
        }
        None => "nothing is there".into(),
    };
    if what.is_empty() { plain } else { what }
}
