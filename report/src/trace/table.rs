//! What a trace can hold, once: every event with its keys, every key with its values.
//!
//! The JSON Schema of a line and the tables of the book are made from this. What the writer writes is
//! checked against the schema by tests.

use serde_json::{Map, Value, json};

use super::VERSION;

/// A kind of event.
pub struct EventSpec {
    /// How it is called.
    pub name: &'static str,
    /// The keys that each has, beside `t` and `event`.
    pub always: &'static [&'static str],
    /// The keys that some have.
    pub sometimes: &'static [&'static str],
    /// What has happened.
    pub meaning: &'static str,
}

/// A key of events.
pub struct KeySpec {
    /// How it is written.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What it says.
    pub meaning: &'static str,
}

/// What the value of a key is.
pub enum Kind {
    /// A text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An integer from this on.
    From(u64),
    /// Any integer.
    Integer,
    /// What a message can say.
    Value,
    /// The rights in a message.
    Rights,
}

const fn event(
    name: &'static str,
    always: &'static [&'static str],
    sometimes: &'static [&'static str],
    meaning: &'static str,
) -> EventSpec {
    EventSpec { name, always, sometimes, meaning }
}

/// Every event.
pub const EVENTS: &[EventSpec] = &[
    event("process-started", &["object"], &[], "the process was created"),
    event(
        "process-ended",
        &["object", "outcome"],
        &["why"],
        "it has ended: `finished`, `killed`, or `failed` and why",
    ),
    event("thread-started", &["thread", "line"], &[], "the thread was started"),
    event("thread-ended", &["thread", "line"], &[], "it has ended"),
    event(
        "sent",
        &["object", "serial", "sender", "size", "body"],
        &["thread", "line", "type", "priority", "rights", "memory"],
        "the thread has handed the message to the kernel, or waits until it can; without a thread the kernel sends it",
    ),
    event(
        "stored",
        &["object", "serial", "messages"],
        &["thread", "line"],
        "the message is in the buffer, which now holds so many",
    ),
    event(
        "kept",
        &["object", "serial"],
        &["thread", "line"],
        "the kernel keeps the message until there is room (`hold-one`)",
    ),
    event(
        "delivered",
        &["object", "serial", "to"],
        &["thread", "line"],
        "the message was handed to this thread",
    ),
    event(
        "received",
        &["thread", "line", "object", "serial"],
        &["size"],
        "the thread's `receive` or `call` has returned with the message; from a pipe with so many bytes",
    ),
    event(
        "withdrawn",
        &["object", "serial"],
        &["thread", "line"],
        "its sender has taken the message back",
    ),
    event(
        "lost",
        &["object", "serial", "why"],
        &["thread", "line"],
        "nobody will ever receive the message",
    ),
    event(
        "blocked",
        &["thread", "line", "on"],
        &["object", "serial", "why"],
        "the thread waits; `object` and `serial` only where it waits with a message, `why` not for a `sleep`",
    ),
    event(
        "woken",
        &["thread", "line"],
        &[],
        "the thread was woken and will look again (`wake: look-again`)",
    ),
    event(
        "returned",
        &["thread", "line", "outcome"],
        &["word"],
        "the thread's call has ended after a wait or otherwise than with `ok`, or it is a `select`, `join`, `open`, `refs` or the like, which have no event of their own",
    ),
    event(
        "chose",
        &["question", "answer"],
        &["thread", "line"],
        "the kernel was free to choose, and chose this; answers count from 0",
    ),
    event("logged", &["thread", "line", "text"], &[], "a line was written to the log"),
    event(
        "raised",
        &["thread", "line", "why"],
        &[],
        "an exception: its process fails, or a handler is asked",
    ),
    event(
        "unhandled",
        &["thread", "line", "why"],
        &[],
        "no handler has resumed the thread: its process fails",
    ),
    event("created", &["object"], &["thread", "line"], "a mailbox, a port or a port set was made"),
    event("destroyed", &["object"], &["thread", "line"], "it is gone"),
    event(
        "receiver-is",
        &["object", "receiver"],
        &["thread", "line"],
        "this process has the receive right of the port now",
    ),
    event(
        "limited",
        &["object", "limit"],
        &["thread", "line"],
        "the port has this queue limit now",
    ),
    event("spawned", &["thread", "line", "object"], &[], "the thread has made this process"),
    event(
        "forked",
        &["thread", "line", "object"],
        &[],
        "the thread has made this process, a copy of its own",
    ),
    event(
        "not-forked",
        &["thread", "line", "to"],
        &[],
        "the thread cannot fork, because this thread of its process is inside a call",
    ),
    event(
        "replaced",
        &["thread", "line", "text"],
        &[],
        "the thread's process goes on with the program of this name",
    ),
    event("killed", &["thread", "line", "object"], &[], "the thread has killed this process"),
    event("thread-killed", &["to"], &["thread", "line"], "this thread was killed"),
    event("suspended", &["to"], &["thread", "line"], "this thread was suspended"),
    event("resumed", &["to"], &["thread", "line"], "this thread goes on"),
    event("interrupted", &["to"], &["thread", "line"], "the wait of this thread was ended"),
    event(
        "allocated",
        &["thread", "line", "object", "pages"],
        &[],
        "the thread's process has this region of memory now",
    ),
    event("freed", &["thread", "line", "object"], &[], "it has given the region back"),
    event(
        "read",
        &["thread", "line", "object", "body", "page"],
        &[],
        "the thread has read this page of a region",
    ),
    event(
        "wrote",
        &["thread", "line", "object", "body", "page", "pages"],
        &[],
        "the thread has written so many pages of a region, from this one on",
    ),
    event(
        "written",
        &["thread", "line", "object", "size", "there"],
        &[],
        "so many bytes of what the thread sends are in the pipe now",
    ),
    event(
        "unread",
        &["object", "size"],
        &[],
        "so many bytes in a pipe are lost, because nobody can read them any more",
    ),
    event(
        "closed",
        &["thread", "line", "object"],
        &["end"],
        "the thread has closed a descriptor: of this file, or of this end of a pipe or channel",
    ),
    event(
        "end-of-file",
        &["thread", "line", "object"],
        &[],
        "the thread has found that nothing is in a pipe or channel, and that nobody can write any more",
    ),
    event(
        "inherits",
        &["thread", "line", "priority"],
        &["to"],
        "the thread runs at this priority, because it holds up the other one; without one, at its own again; only a run says so",
    ),
    event(
        "locked",
        &["thread", "line", "object", "page"],
        &[],
        "the thread has the lock of this page of a region now",
    ),
    event(
        "unlocked",
        &["thread", "line", "object", "page"],
        &[],
        "the thread has given the lock of this page back",
    ),
    event(
        "page-fault",
        &["thread", "line", "object", "pages"],
        &[],
        "so many of the pages that were just written were shared, and have been copied; only a run says so",
    ),
];

const fn key(name: &'static str, kind: Kind, meaning: &'static str) -> KeySpec {
    KeySpec { name, kind, meaning }
}

/// Every key, in the order in which they stand in a line.
pub const KEYS: &[KeySpec] = &[
    key(
        "t",
        Kind::From(0),
        "when, in nanoseconds since the start; of a schedule the number of the step",
    ),
    key("event", Kind::Text, "what happened"),
    key("thread", Kind::Text, "the thread that did it or that it happened to"),
    key(
        "line",
        Kind::From(0),
        "the line of the scenario where this thread is; 0 for a step that `--set` brought in, or that a name server takes",
    ),
    key("object", Kind::Text, "a mailbox, a process for its link, or a region of memory"),
    key("serial", Kind::From(1), "the message's number in this run"),
    key(
        "sender",
        Kind::Text,
        "the process that sent the message; `the kernel` of a notice, and of what was there from the start",
    ),
    key("size", Kind::From(0), "the message's size, in bytes"),
    key("body", Kind::Value, "what the message says"),
    key("type", Kind::Value, "its type, if it has one"),
    key("priority", Kind::Integer, "its priority, if that is not 0"),
    key(
        "rights",
        Kind::Rights,
        "the rights that it carries: each with its `port`, and which `right` it is; of a descriptor, the pipe, channel or file, and what it may be used for",
    ),
    key("memory", Kind::Value, "the memory that it carries: how many pages each region has"),
    key("page", Kind::From(0), "a page of a region, or the first of several"),
    key("pages", Kind::From(0), "so many pages"),
    key(
        "end",
        Kind::Word(&["read", "write"]),
        "the end of a pipe or channel that is read from, or written to",
    ),
    key("there", Kind::From(0), "how many bytes the pipe holds now"),
    key("messages", Kind::From(1), "how many the mailbox holds now"),
    key("to", Kind::Text, "the thread that it happened to, or that a message was handed to"),
    key("receiver", Kind::Text, "the process that has the receive right of a port now"),
    key("limit", Kind::From(0), "the queue limit of a port, in messages"),
    key(
        "on",
        Kind::Word(&["send", "memory", "receive", "select", "reply", "join", "lock", "sleep"]),
        "what the thread waits for",
    ),
    key(
        "outcome",
        Kind::Word(&[
            "ok",
            "would-block",
            "timed-out",
            "too-large",
            "no-memory",
            "no-such-name",
            "dead",
            "no-right",
            "refused",
            "unreachable",
            "deadlock",
            "interrupted",
            "held",
            "finished",
            "killed",
            "failed",
        ]),
        "how a call ended, or a process",
    ),
    key("word", Kind::Text, "what the system that is simulated calls the outcome"),
    key("why", Kind::Text, "why, in words"),
    key("text", Kind::Text, "the line that was logged, or the name of a program"),
    key(
        "question",
        Kind::Word(&["receiver", "sender", "member", "room", "branch", "random"]),
        "what the kernel was free to choose",
    ),
    key("answer", Kind::From(0), "what was chosen, from 0"),
];

/// The JSON Schema (draft-07) of a line of a trace, with a line break at the end.
pub fn schema() -> String {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let header = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["ipcsim-trace", "scenario", "hash", "seed", "generator"],
        "properties": {
            "ipcsim-trace": { "const": VERSION },
            "scenario": { "type": "string" },
            "hash": text("^[0-9a-f]{16}$"),
            "seed": { "type": "integer", "minimum": 0 },
            "generator": { "type": "string" },
        },
    });
    let mut forms = vec![json!({ "$ref": "#/definitions/header" })];
    forms.extend(EVENTS.iter().map(EventSpec::schema));
    let keys = KEYS.iter().map(|key| (format!("key-{}", key.name), key.schema()));
    let definitions: Map<String, Value> =
        std::iter::once(("header".to_string(), header)).chain(keys).collect();
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": format!("A line of an ipcsim trace, format version {VERSION}"),
        "oneOf": forms,
        "definitions": definitions,
    });
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain data");
    text.push('\n');
    text
}

impl EventSpec {
    /// The keys of such an event, in order.
    fn keys(&self) -> impl Iterator<Item = &'static KeySpec> + '_ {
        KEYS.iter().filter(|key| {
            ["t", "event"].contains(&key.name)
                || self.always.contains(&key.name)
                || self.sometimes.contains(&key.name)
        })
    }

    fn schema(&self) -> Value {
        let value = |key: &KeySpec| match key.name {
            "event" => json!({ "const": self.name }),
            name => json!({ "$ref": format!("#/definitions/key-{name}") }),
        };
        let properties: Map<String, Value> =
            self.keys().map(|key| (key.name.to_string(), value(key))).collect();
        let required: Vec<&str> =
            ["t", "event"].into_iter().chain(self.always.iter().copied()).collect();
        json!({
            "type": "object",
            "description": self.meaning,
            "additionalProperties": false,
            "required": required,
            "properties": properties,
        })
    }
}

/// What a message may carry: rights to ports, and descriptors of files, pipes and channels.
const RIGHTS: [&str; 6] = ["receive", "send", "send-once", "read", "write", "dead"];

impl KeySpec {
    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::Word(words) => json!({ "enum": words }),
            Kind::From(least) => json!({ "type": "integer", "minimum": least }),
            Kind::Integer => json!({ "type": "integer" }),
            Kind::Value => json!({}),
            Kind::Rights => json!({
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["port", "right"],
                    "properties": {
                        "port": { "type": "string" },
                        "right": { "enum": RIGHTS },
                    },
                },
            }),
        };
        schema["description"] = self.meaning.into();
        schema
    }
}

/// The table of events for the book.
pub fn events_table() -> String {
    let mut out = String::from("| event | other keys | meaning |\n| --- | --- | --- |\n");
    for event in EVENTS {
        let own = event.keys().filter(|key| !["t", "event", "thread", "line"].contains(&key.name));
        let word = |key: &KeySpec| {
            let is_always = event.always.contains(&key.name);
            if is_always { format!("`{}`", key.name) } else { format!("(`{}`)", key.name) }
        };
        let own: Vec<String> = own.map(word).collect();
        let gap = if own.is_empty() { "" } else { " " };
        out.push_str(&format!(
            "| `{}` | {}{gap}| {} |\n",
            event.name,
            own.join(" "),
            event.meaning
        ));
    }
    out
}

/// The table of keys for the book.
pub fn keys_table() -> String {
    let mut out = String::from("| key | value |\n| --- | --- |\n");
    for key in KEYS {
        let values = match key.kind {
            Kind::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                format!(": {}", words.join(" "))
            }
            _ => String::new(),
        };
        out.push_str(&format!("| `{}` | {}{values} |\n", key.name, key.meaning));
    }
    out
}
