//! What a line of a trace says.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The first line of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the format.
    #[serde(rename = "ipcsim-trace")]
    pub version: u32,
    /// What the scenario is called.
    pub scenario: String,
    /// The fingerprint of the scenario's text and the changes made to it.
    pub hash: String,
    /// The seed of the run.
    pub seed: u64,
    /// The random generator and the version of its use.
    pub generator: String,
}

/// An event: a line of a trace. What an event does not have is left out of its line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Record {
    /// When, in nanoseconds since the start.
    pub t: u64,
    /// What happened: `sent`, `stored`, `received`, ….
    pub event: String,
    /// The thread that it happened to or that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// The line of the scenario that the thread was at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The object that it happened at: a mailbox, a process for its link, or a region of memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The message's number in this run, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// The process that sent the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// The message's size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What the message says.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present", default)]
    pub body: Option<Value>,
    /// The message's type, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<Value>,
    /// The message's priority, if it is not 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// The rights that the message carries: each with its `port`, and which `right` it is. Of a descriptor, `port` is what
    /// it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights: Option<Vec<BTreeMap<String, String>>>,
    /// The memory that the message carries: how many pages each region has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Vec<u64>>,
    /// A page of a region, or the first of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u64>,
    /// So many pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<u64>,
    /// An end of a pipe or channel: `read` or `write`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// How many bytes a pipe holds now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub there: Option<u64>,
    /// The process that has the receive right of a port now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// The queue limit of a port, in messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// How many messages the mailbox holds now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// The thread that a message was handed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What the thread waits for: `send`, `memory`, `receive`, `select`, `reply`, `join`, `lock`, `lookup`,
    /// `sleep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// How a call ended, or how a process did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What the system that is simulated calls that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// Why: in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The line that was logged, or the name of a program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the kernel was free to choose: `receiver`, `sender`, `room`, `branch`, `random`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// What was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<u64>,
}

/// What is there is there, even if it is nothing: the body of a notice may be `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
