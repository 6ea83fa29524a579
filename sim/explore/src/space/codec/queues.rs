//! Queues whose order nobody can see: where the kernel may serve anyone next, it does not matter who came first. They are
//! kept in the order of the file, so that states that differ only in that are one state.

use std::collections::VecDeque;

use ipcsim_kernel::object::mailbox::Mailbox;
use ipcsim_kernel::{Handle, Machine, Message, Pick};

use super::super::Reduction;
use super::parts::{Is, Part};

/// Where nobody can see who came first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queues {
    /// In the queues of receivers of which any may be served.
    of_receivers: Is,
    /// In those of receivers that wait for a link.
    of_inboxes: Is,
    of_senders: Is,
}

impl Queues {
    /// Of a machine, if such queues are kept in order at all.
    pub(crate) fn of(machine: &Machine, merge: Reduction) -> Self {
        let when = |condition: bool| Is::when(condition && merge == Reduction::On);
        let policies = &machine.policies;
        Self {
            of_receivers: when(true),
            of_inboxes: when(policies.receiver == Pick::Arbitrary),
            of_senders: when(policies.sender == Pick::Arbitrary),
        }
    }

    /// Puts those of a part in the order of the file.
    pub(crate) fn put_in_order(self, part: &mut Part) {
        match part {
            Part::Mailbox(mailbox) => {
                if self.of_receivers == Is::So && mailbox.spec.receiver == Pick::Arbitrary {
                    sort(&mut mailbox.receivers, |receiver| *receiver);
                }
                if self.of_senders == Is::So && are_alike(mailbox) {
                    sort(&mut mailbox.senders, |(sender, _)| *sender);
                }
            }
            Part::Process(process) if self.of_inboxes == Is::So => {
                sort(&mut process.inbox.receivers, |receiver| *receiver);
            }
            _ => {}
        }
    }
}

fn sort<T, K: Ord>(queue: &mut VecDeque<T>, key: impl Fn(&T) -> K) {
    if !queue.iter().is_sorted_by_key(&key) {
        queue.make_contiguous().sort_by_key(key);
    }
}

/// Whether nothing depends on the order in which senders wait, also if the mailbox is destroyed: rights that they pass on
/// are lost in that order. On links, a process may know in what order messages have come.
fn are_alike(mailbox: &Mailbox) -> bool {
    let passes_nothing_on = |message: &Message| {
        message.rights().is_empty() && !matches!(message.reply_to(), Some(Handle::Once(_)))
    };
    mailbox.link().is_none()
        && mailbox.port().is_none_or(|port| port.held.is_empty())
        && mailbox.senders.iter().all(|(_, message)| passes_nothing_on(message))
}
