//! A trace to be kept and compared with: it stays the same when a comment, a blank line or the layout of the
//! scenario changes.
//!
//! An event has no line of the file but the number of the step in its program, and no reason in words,
//! which may be put better one day. The header has no fingerprint.

use std::fmt::Write;

use ipcsim_explore::Tracer;
use ipcsim_kernel::program::Op;
use ipcsim_kernel::{Event, Machine, Pc, State};
use serde_json::Value;

use super::line::{Scribe, Spelled};
use crate::visible::visible;

/// Writes such a trace: a line for each event.
pub struct Golden {
    lines: String,
    /// Where the programs begin, in order.
    programs: Vec<Pc>,
}

/// What is left out of an event: what another layout or other words would change, and what is written
/// otherwise.
const LEFT_OUT: [&str; 5] = ["t", "event", "thread", "line", "why"];

impl Golden {
    /// A trace of a run of this machine.
    pub fn new(machine: &Machine, title: &str) -> Self {
        let specs = machine.families.iter().flat_map(|family| &*family.threads);
        let mut programs: Vec<Pc> = specs.map(|spec| spec.entry).collect();
        programs.sort_unstable();
        programs.dedup();
        let title = visible(title);
        let lines = format!("ipcsim trace 1: {title}, seed {}\n", machine.timing.seed);
        Self { lines, programs }
    }

    /// The trace.
    pub fn finish(self) -> String {
        self.lines
    }

    /// Which step of its program an operation belongs to, from 1: calls, accesses to memory, `compute`, `log`
    /// and `assert` count.
    fn step(&self, machine: &Machine, pc: Pc) -> usize {
        let after = self.programs.partition_point(|entry| *entry <= pc);
        let first = after.checked_sub(1).map_or(0, |at| self.programs[at].index());
        let counts = |op: &&Op| match op {
            Op::Call(_) | Op::Access(_) | Op::Compute(_) | Op::Log(_) | Op::Assert(_) => true,
            Op::Set(..)
            | Op::Jump(_)
            | Op::Unless(..)
            | Op::RepeatStart { .. }
            | Op::RepeatNext { .. }
            | Op::ForNext { .. }
            | Op::Choose(_)
            | Op::End => false,
        };
        machine.code[first..=pc.index()].iter().filter(counts).count()
    }
}

impl Tracer for Golden {
    const EVENTS: bool = true;

    fn record(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event) {
        let mut spelled = Spelled::default();
        let mut scribe = Scribe { spelled: &mut spelled, machine, state };
        let mut json = format!("{{\"t\":{now_ns}").into_bytes();
        scribe.before_serial(&mut json, event);
        if let Some(message) = event.kind.message() {
            json.extend_from_slice(message.serial.0.to_string().as_bytes());
        }
        scribe.after_serial(&mut json, event);
        let fields: Value = serde_json::from_slice(&json).expect("a line of a trace is JSON");
        let text = |key: &str| fields[key].as_str().unwrap_or_default();
        let _ = write!(self.lines, "{now_ns:>10}  ");
        if !text("thread").is_empty() {
            self.lines.push_str(text("thread"));
            if let Some(pc) = event.pc {
                let _ = write!(self.lines, " step {}", self.step(machine, pc));
            }
            self.lines.push_str("  ");
        }
        self.lines.push_str(text("event"));
        for (key, value) in fields.as_object().into_iter().flatten() {
            if !LEFT_OUT.contains(&key.as_str()) {
                let value = match value {
                    Value::String(text) if is_plain(text) => text.clone(),
                    other => crate::visible::visible_json(&other.to_string()),
                };
                let _ = write!(self.lines, " {key}={value}");
            }
        }
        self.lines.push('\n');
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.[]/".contains(c))
        && text.parse::<i64>().is_err()
}
