//! Descriptors in the steps of a program: files that are opened, pipes and channels that are made.

use ipcsim_kernel::program::{FileVerb, StreamKind, Verb};
use ipcsim_kernel::{Access, Capacity, OnExec, Outcome};

use super::{Failed, Unit};
use crate::ast::{Arg, Fields, Flag, Step};
use crate::compile::settings::{capacity, word};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::Shape;
use crate::place::Placed;

/// How many messages a channel holds if nothing is said (Linux: `net.unix.max_dgram_qlen`).
const CHANNEL: Capacity = Capacity::Messages(10);

impl Unit<'_> {
    pub(super) fn open(&mut self, step: &Step) -> Result<Verb, Failed> {
        let access = match word(&step.fields, "mode") {
            Some("read") => Access::Read,
            _ => Access::Write,
        };
        let on_exec = on_exec(&step.fields);
        self.check_path(step)?;
        let path = self.operand_expr(step)?;
        let into = self.register_of_into(&step.fields);
        Ok(Verb::File(FileVerb::Open { path, into, access, on_exec }))
    }

    pub(super) fn duplicate(&mut self, step: &Step) -> Result<Verb, Failed> {
        let of = self.operand_object(step)?;
        let into = self.register_of_into(&step.fields);
        Ok(Verb::File(FileVerb::Duplicate { of, into, on_exec: on_exec(&step.fields) }))
    }

    /// A pipe or a channel, of which the process has both ends open.
    pub(super) fn create_stream(&mut self, step: &Step) -> Result<Verb, Failed> {
        let fields = &step.fields;
        let kind = word(fields, "kind").unwrap_or_default();
        for key in ["order", "receiver", "max-size"] {
            if let Some(at) = fields.key(key) {
                let diagnostic =
                    Diagnostic::new(Code::Descriptors, at, format!("a {kind} has no `{key}`"))
                        .label("what is written first is read first, whoever reads");
                return Err(Box::new(diagnostic));
            }
        }
        let Some(Arg::Name(write)) = fields.get("write-end").map(|arg| &arg.value) else {
            let what = format!("a {kind} has an end to write to");
            let diagnostic = Diagnostic::new(Code::Descriptors, step.at, what)
                .label("say with `write-end: w` which variable it goes to");
            return Err(Box::new(diagnostic));
        };
        let (read, write) = (self.operand_register(step), self.register(write));
        if read == write {
            let at = fields.get("write-end").map_or(step.at, |arg| arg.at);
            let diagnostic = Diagnostic::new(Code::Descriptors, at, "two ends, one variable")
                .label("give this end a variable of its own");
            return Err(Box::new(diagnostic));
        }
        let kind = match (kind, capacity(fields, "capacity")) {
            ("channel", size) => StreamKind::Channel { capacity: size.unwrap_or(CHANNEL) },
            (_, None) => StreamKind::Pipe { capacity: None },
            (_, Some(Capacity::Bytes(bytes))) if bytes > 0 => {
                StreamKind::Pipe { capacity: Some(bytes) }
            }
            (_, Some(_)) => {
                let at = fields.get("capacity").map_or(step.at, |arg| arg.at);
                let diagnostic = Diagnostic::new(Code::BadUnit, at, "a pipe holds bytes")
                    .label("write a size above 0 B, such as `64KiB`");
                return Err(Box::new(diagnostic));
            }
        };
        Ok(Verb::File(FileVerb::CreateStream { kind, read, write, on_exec: on_exec(fields) }))
    }

    /// Only a pipe or a channel has two ends, and is made open.
    pub(super) fn check_ends(&self, step: &Step) -> Result<(), Failed> {
        for (key, what) in [
            ("write-end", "only a pipe or a channel has an end to write to"),
            ("close-on-exec", "only a pipe or a channel is made open"),
        ] {
            if let Some(at) = step.fields.key(key) {
                let diagnostic = Diagnostic::new(Code::Descriptors, at, what)
                    .label("write `kind: pipe`, or leave this out");
                return Err(Box::new(diagnostic));
            }
        }
        Ok(())
    }

    /// A path that is written down must be one of the scenario's.
    fn check_path(&mut self, step: &Step) -> Result<(), Failed> {
        let Arg::Expr(Placed { value: Shape::Text(path), at }) = &step.operand.value else {
            return Ok(());
        };
        if self.machine.files.iter().any(|file| file.path.as_ref() == path.as_str()) {
            return Ok(());
        }
        // A handler for `no-such-name` says that the author knows.
        if step.handlers().iter().any(|handler| handler.outcome.value == Outcome::NoSuchName) {
            return Ok(());
        }
        let known: Vec<String> =
            self.machine.files.iter().map(|file| file.path.to_string()).collect();
        let list = known.join(" ");
        Err(Box::new(
            Diagnostic::new(Code::UnknownName, *at, format!("no file has the path `{path}`"))
                .did_you_mean(path, known.iter().map(String::as_str))
                .help(if list.is_empty() {
                    "paths are declared in `files:`".to_string()
                } else {
                    format!("the files are {list}")
                }),
        ))
    }
}

/// What becomes of a new descriptor when its process goes on with another program.
fn on_exec(fields: &Fields) -> OnExec {
    match fields.get("close-on-exec").map(|arg| &arg.value) {
        Some(Arg::Flag(Flag::Yes)) => OnExec::Close,
        _ => OnExec::Keep,
    }
}
