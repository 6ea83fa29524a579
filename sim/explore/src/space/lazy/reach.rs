//! Which mailboxes and links a call touches.

use ipcsim_kernel::program::{Effect, From};
use ipcsim_kernel::waits::settled;
use ipcsim_kernel::{Descriptor, Expr, Handle, Machine, MailboxId, ProcessId, Thread, Value};

use super::super::order::bits::Bits;

/// For each mailbox, the processes at its ends, if it is a link.
pub(crate) struct Links(pub Vec<Option<(ProcessId, ProcessId)>>);

impl Links {
    pub(crate) fn ends(&self, mailbox: MailboxId) -> Option<(ProcessId, ProcessId)> {
        self.0.get(mailbox.index()).copied().flatten()
    }

    pub(crate) fn between(&self, from: ProcessId, to: ProcessId) -> Option<MailboxId> {
        self.0.iter().position(|ends| *ends == Some((from, to))).map(MailboxId::at)
    }

    pub(crate) fn leading_to(&self, process: ProcessId) -> impl Iterator<Item = MailboxId> + '_ {
        let links = self.0.iter().enumerate();
        links
            .filter(move |(_, ends)| ends.is_some_and(|(_, to)| to == process))
            .map(|(id, _)| MailboxId::at(id))
    }
}

/// What a call operates on.
pub(crate) enum About {
    These(Vec<MailboxId>),
    /// A reply right: sending to it is a reply.
    Reply,
    /// Known only at run time.
    Any,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    To,
    From,
}

pub(crate) fn about(links: &Links, value: &Value, own: ProcessId, direction: Direction) -> About {
    match value {
        Value::Handle(
            Handle::Mailbox(mailbox) | Handle::File(Descriptor { object: mailbox, .. }),
        ) => About::These(vec![*mailbox]),
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

/// The mailboxes and links that a call can touch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    pub sends: Boxes,
    pub receives: Boxes,
}

/// Mailboxes and links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Boxes {
    #[default]
    None,
    One(MailboxId),
    Many(Box<[MailboxId]>),
    /// Known only when the call is made.
    Unknown,
}

impl Boxes {
    pub(crate) fn listed(&self) -> &[MailboxId] {
        match self {
            Boxes::None | Boxes::Unknown => &[],
            Boxes::One(one) => std::slice::from_ref(one),
            Boxes::Many(many) => many,
        }
    }

    /// All of them; of those that are not known yet, all that it could be.
    pub(crate) fn of(&self, all: &Bits) -> impl Iterator<Item = MailboxId> {
        let unknown = if *self == Boxes::Unknown { all.numbers() } else { Vec::new() };
        let unknown = unknown.into_iter().map(MailboxId::at);
        self.listed().iter().copied().chain(unknown)
    }

    /// Whether some mailbox may be in both.
    pub(crate) fn meets(&self, other: &Boxes) -> bool {
        match (self, other) {
            (Boxes::None, _) | (_, Boxes::None) => false,
            (Boxes::Unknown, _) | (_, Boxes::Unknown) => true,
            (one, other) => one.listed().iter().any(|it| other.listed().contains(it)),
        }
    }
}

impl Reach {
    /// What a thread touches with the call that it stands before.
    pub(crate) fn of(machine: &Machine, links: &Links, thread: &Thread) -> Self {
        let mut reach = Reach::default();
        if !thread.state.is_ready() {
            return reach;
        }
        let boxes = |expr: &Expr, direction| match settled(machine, thread, &[], expr) {
            None => Boxes::Unknown,
            Some(value) => match about(links, &value, thread.process, direction) {
                About::These(boxes) => match boxes[..] {
                    [] => Boxes::None,
                    [one] => Boxes::One(one),
                    _ => Boxes::Many(boxes.into()),
                },
                About::Reply => Boxes::None,
                About::Any => Boxes::Unknown,
            },
        };
        machine.code[thread.pc.index()].effects(&mut |effect| match effect {
            Effect::Sends(send) => reach.sends = boxes(&send.to, Direction::To),
            Effect::Receives(receive) => {
                reach.receives = match &receive.from {
                    From::These(from) => boxes(from, Direction::From),
                    From::Anyone => Boxes::Many(links.leading_to(thread.process).collect()),
                };
            }
            _ => {}
        });
        reach
    }
}
