//! Which mailboxes and links a call touches.

use ipcsim_kernel::{Handle, MailboxId, ProcessId, Value};

/// For each mailbox, the processes at its ends, if it is a link.
pub(super) struct Links(pub Vec<Option<(ProcessId, ProcessId)>>);

impl Links {
    pub(super) fn ends(&self, mailbox: MailboxId) -> Option<(ProcessId, ProcessId)> {
        self.0.get(mailbox.index()).copied().flatten()
    }

    pub(super) fn between(&self, from: ProcessId, to: ProcessId) -> Option<MailboxId> {
        self.0.iter().position(|ends| *ends == Some((from, to))).map(MailboxId::at)
    }

    pub(super) fn leading_to(&self, process: ProcessId) -> impl Iterator<Item = MailboxId> + '_ {
        let links = self.0.iter().enumerate();
        links
            .filter(move |(_, ends)| ends.is_some_and(|(_, to)| to == process))
            .map(|(id, _)| MailboxId::at(id))
    }
}

/// What a call operates on.
pub(super) enum About {
    These(Vec<MailboxId>),
    /// A reply right: sending to it is a reply.
    Reply,
    /// Known only at run time.
    Any,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    To,
    From,
}

pub(super) fn about(links: &Links, value: &Value, own: ProcessId, direction: Direction) -> About {
    match value {
        Value::Handle(Handle::Mailbox(mailbox) | Handle::File { mailbox, .. }) => {
            About::These(vec![*mailbox])
        }
        Value::Handle(Handle::Reply(_)) => About::Reply,
        Value::Handle(Handle::Process(other)) => {
            let link = match direction {
                Direction::To => links.between(own, *other),
                Direction::From => links.between(*other, own),
            };
            link.map_or(About::Any, |link| About::These(vec![link]))
        }
        Value::List(list) => {
            let mut boxes = Vec::new();
            for item in list.items() {
                match about(links, item, own, direction) {
                    About::These(more) => boxes.extend(more),
                    other => return other,
                }
            }
            About::These(boxes)
        }
        // Such a call raises an exception.
        _ => About::These(Vec::new()),
    }
}
