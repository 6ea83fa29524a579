//! Rights in the steps of a program: ports that are made, and what a message carries.

use ipcsim_kernel::object::port::LARGEST_QUEUE_LIMIT;
use ipcsim_kernel::program::{Disposition, Grant, Until, Verb, Watch};
use ipcsim_kernel::{Capacity, QueueSpec};

use super::{Failed, Unit};
use crate::ast::{Arg, Fields, Step};
use crate::compile::resolve::{Allow, Compiled};
use crate::compile::settings::{capacity, order, pick, unsigned, word};
use crate::diagnostic::{Code, Diagnostic};

impl Unit<'_> {
    /// A mailbox, a port, a port set, a pipe or a channel.
    pub(super) fn create(&mut self, step: &Step) -> Result<Verb, Failed> {
        let fields = &step.fields;
        let kind = word(fields, "kind");
        if matches!(kind, Some("pipe" | "channel")) {
            return self.create_stream(step);
        }
        self.check_ends(step)?;
        match kind {
            Some("port-set") => self.create_set(step),
            Some("port") => self.create_port(step),
            _ => Ok(Verb::Create {
                into: self.operand_register(step),
                capacity: capacity(fields, "capacity"),
                order: order(fields),
                receiver: pick(fields, "receiver"),
                max_size: unsigned(fields, "max-size").unwrap_or(QueueSpec::ANY_SIZE),
            }),
        }
    }

    /// A port has a queue limit, and nothing else that a mailbox has.
    fn create_port(&self, step: &Step) -> Result<Verb, Failed> {
        for key in ["order", "receiver", "max-size"] {
            if let Some(at) = step.fields.key(key) {
                let diagnostic = Diagnostic::new(Code::Ports, at, format!("a port has no `{key}`"))
                    .label("only a mailbox has");
                return Err(Box::new(diagnostic));
            }
        }
        let limit = match capacity(&step.fields, "capacity") {
            None => None,
            Some(Capacity::None) => Some(0),
            Some(Capacity::Messages(limit)) if limit <= LARGEST_QUEUE_LIMIT => Some(limit),
            Some(_) => {
                let at = step.fields.get("capacity").map_or(step.at, |arg| arg.at);
                let diagnostic = Diagnostic::new(
                    Code::Ports,
                    at,
                    format!("a port holds 0 to {LARGEST_QUEUE_LIMIT} messages"),
                )
                .label("this is no queue limit");
                return Err(Box::new(diagnostic));
            }
        };
        let limit = limit.map(|limit| Compiled::int(i64::try_from(limit).unwrap_or(i64::MAX)));
        Ok(Verb::CreatePort { into: self.operand_register(step), limit })
    }

    /// A port set has nothing to choose.
    fn create_set(&self, step: &Step) -> Result<Verb, Failed> {
        for key in ["capacity", "order", "receiver", "max-size"] {
            if let Some(at) = step.fields.key(key) {
                let diagnostic =
                    Diagnostic::new(Code::Ports, at, format!("a port set has no `{key}`"))
                        .label("its ports have queues of their own");
                return Err(Box::new(diagnostic));
            }
        }
        Ok(Verb::CreateSet { into: self.operand_register(step) })
    }

    pub(super) fn watch(&mut self, step: &Step) -> Result<Verb, Failed> {
        let until = match word(&step.fields, "until") {
            Some("no-senders") => Until::NoSenders,
            Some("dead-name") => Until::DeadName,
            _ => Until::PortDestroyed,
        };
        if let (true, Some(at)) = (until != Until::NoSenders, step.fields.key("sync")) {
            let diagnostic =
                Diagnostic::new(Code::Ports, at, "only `until: no-senders` counts send rights")
                    .label("leave it out");
            return Err(Box::new(diagnostic));
        }
        let port = self.operand_object(step)?;
        let notify = self.object(&step.fields, "notify", Allow::OneObject)?;
        let sync = self.optional(&step.fields, "sync")?;
        Ok(Verb::Watch(Watch { port, until, notify, sync }))
    }

    /// A process that is created here; it was declared before, with everything that is said about it.
    /// The rights that a message carries.
    pub(super) fn grants(&mut self, fields: &Fields) -> Result<Vec<Grant>, Failed> {
        let Some(Arg::Tables(tables)) = fields.get("rights").map(|arg| &arg.value) else {
            return Ok(Vec::new());
        };
        let grant = |fields: &Fields| {
            Ok(Grant {
                port: self.object(fields, "port", Allow::OneObject)?,
                disposition: match word(fields, "as") {
                    Some("move-receive") => Disposition::MoveReceive,
                    Some("move-send") => Disposition::MoveSend,
                    Some("copy-send") => Disposition::CopySend,
                    Some("make-send") => Disposition::MakeSend,
                    Some("make-send-once") => Disposition::MakeSendOnce,
                    Some("file") => Disposition::File,
                    _ => Disposition::MoveSendOnce,
                },
            })
        };
        // One without a port has been reported.
        tables.iter().filter(|fields| fields.get("port").is_some()).map(grant).collect()
    }
}
