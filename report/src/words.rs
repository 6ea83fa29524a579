//! The lecture's words: what things are called.

use std::fmt::Write;

use ipcsim_kernel::object::stream::Stream;
use ipcsim_kernel::program::Address;
use ipcsim_kernel::{
    Access, Fault, Handle, Machine, MailboxId, Object, Pc, ProcessId, Sources, State, ThreadId,
    ThreadName, Value, write_value,
};

use crate::memory::gone_words;
use crate::visible::visible;

/// The names of a machine's threads and mailboxes.
///
/// A thread is called like its process if it is the only one of it, otherwise `server.worker[2]`.
pub struct Names<'a> {
    pub(crate) machine: &'a Machine,
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

    /// The name of a mailbox; of a link that of the receiving process, or of the sending one; of a pipe or channel that of the
    /// variable that its end to read from went to.
    pub fn mailbox(&self, state: &State, mailbox: MailboxId, end: LinkEnd) -> String {
        match state.mailboxes.get(mailbox.index()).map(|mailbox| &mailbox.object) {
            Some(Object::Link { from, to }) => self.machine.process_name(match end {
                LinkEnd::Receiver => *to,
                LinkEnd::Sender => *from,
            }),
            Some(Object::Stream(stream)) => self.stream(stream, mailbox),
            _ => self.machine.mailbox_name(mailbox),
        }
    }

    /// What a descriptor stands for: a file, or one end of a pipe or channel.
    pub fn opened(&self, state: &State, object: MailboxId, access: Access) -> String {
        let what = self.mailbox(state, object, LinkEnd::Receiver);
        match (state.mailboxes[object.index()].stream(), access) {
            (None, _) => what,
            (Some(_), Access::Read) => format!("the read end of {what}"),
            (Some(_), Access::Write) => format!("the write end of {what}"),
        }
    }

    fn stream(&self, stream: &Stream, number: MailboxId) -> String {
        let kind = if stream.bytes.is_some() { "pipe" } else { "channel" };
        let made = stream.made.0;
        let read = self.machine.code[made.index()].writes().next();
        let name = read.and_then(|read| self.machine.variables_at(made).get(read.index()));
        name.map_or_else(|| format!("{kind} {}", number.0), |name| format!("{kind} {name}"))
    }

    /// A value in full, so that values that differ look different: texts in quotes, messages with all that they
    /// carry, reply rights with their number.
    pub fn value_in_full(&self, value: &Value) -> String {
        match value {
            Value::Text(text) => format!("{text:?}"),
            Value::List(list) => {
                let items: Vec<String> =
                    list.items().iter().map(|item| self.value_in_full(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Message(message) => {
                let mut text = self.value_in_full(&message.body);
                let _ = write!(text, " from {}", self.machine.process_name(message.sender));
                if *message.kind() != Value::None {
                    let _ = write!(text, ", type {}", self.value_in_full(message.kind()));
                }
                let _ = write!(text, ", priority {}, {} B", message.priority(), message.size);
                if let Some(right) = message.reply_right() {
                    let _ = write!(text, ", request {}", right.call);
                }
                format!("({text})")
            }
            Value::Handle(Handle::Reply(right)) => format!("reply right {}", right.call),
            other => self.value(other),
        }
    }

    /// A value as a log shows it, in one line in which every character can be seen.
    pub fn value(&self, value: &Value) -> String {
        visible(&self.value_as_it_is(value))
    }

    /// A value as a log has it.
    pub fn value_as_it_is(&self, value: &Value) -> String {
        let mut text = String::new();
        let name = |handle| self.machine.handle_name(handle);
        write_value(&mut text, value, &name).expect("a String takes all text");
        text
    }
}

/// An exception in a few words; the scenario's own can be of any kind.
pub(crate) fn fault_words(fault: &Fault) -> String {
    visible(&fault.describe())
}

/// Why a step has failed, by the names that it has for things.
pub(crate) fn failed_words(machine: &Machine, at: Pc, fault: &Fault) -> String {
    let named = match fault {
        Fault::BadAddress(Address::Gone) => gone_words(machine, at),
        _ => None,
    };
    named.unwrap_or_else(|| fault_words(fault))
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

pub(crate) fn sources_text(names: &Names, state: &State, sources: &Sources) -> String {
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
pub(crate) fn some_of(list: &[String], word: &str) -> String {
    match list {
        [] => "nothing".into(),
        [only] => only.clone(),
        [first, second] => format!("{first} {word} {second}"),
        [first, second, third] => format!("{first}, {second} {word} {third}"),
        [first, second, .., last] => format!("{first}, {second}, … {word} {last}"),
    }
}

/// The first of a list, and how many more there are.
pub(crate) fn listed_up_to(items: &[String], most: usize) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [all @ .., last] if items.len() <= most => format!("{} and {last}", all.join(", ")),
        many => format!("{} and {} more", many[..most].join(", "), many.len() - most),
    }
}
