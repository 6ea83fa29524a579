//! What nobody can see is not in a state, so that states that differ in nothing else are one state.
//!
//! - Who came first, where the kernel may serve anyone next: such a queue is kept in the order of the file.
//! - Who has sent a message, where no program asks: then a message is the kernel's once its sender need not wait any more.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use ipcsim_kernel::object::mailbox::Mailbox;
use ipcsim_kernel::program::{Edges, Effect, Op, reachable};
use ipcsim_kernel::{
    Binary, Expr, Field, Machine, Message, Pc, Pick, Predicate, Probe, ProcessId, Register, State,
    Value,
};

use super::super::{Looks, Reduction};
use super::parts::{Is, Part};

/// What nobody can see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unseen {
    /// The order of receivers of which any may be served.
    receivers: Is,
    /// That of receivers that wait for a link.
    inboxes: Is,
    /// That of senders.
    senders: Is,
    /// Who has sent a message that its sender no longer waits with.
    origins: Is,
}

impl Unseen {
    /// Of a machine with this initial state that is looked at in this way, if anything is left out at all.
    pub(crate) fn of(machine: &Machine, state: &State, (looks, merge): (Looks, Reduction)) -> Self {
        let when = |condition: bool| Is::when(merge == Reduction::On && condition);
        let policies = &machine.policies;
        Self {
            receivers: when(true),
            inboxes: when(policies.receiver == Pick::Arbitrary),
            senders: when(policies.sender == Pick::Arbitrary),
            origins: when(!asks_for_origins(machine, state, looks.predicates)),
        }
    }

    /// Whether messages have lost their senders.
    pub(crate) fn hides_origins(self) -> Is {
        self.origins
    }

    /// Leaves it out of a part.
    pub(crate) fn leave_out(self, part: &mut Part) {
        match part {
            Part::Mailbox(mailbox) => {
                // A pipe serves who came first, whatever the policies for mailboxes are.
                let any_is_next = mailbox.bytes().is_none();
                if any_is_next
                    && self.receivers == Is::So
                    && mailbox.spec.receiver == Pick::Arbitrary
                {
                    sort(&mut mailbox.receivers, |receiver| *receiver);
                }
                if any_is_next && self.senders == Is::So && are_alike(mailbox) {
                    sort(&mut mailbox.senders, |(sender, _)| *sender);
                }
                if self.origins == Is::So {
                    mailbox.messages.iter_mut().for_each(hide_origin);
                }
            }
            Part::Process(process) if self.inboxes == Is::So => {
                sort(&mut process.inbox.receivers, |receiver| *receiver);
            }
            Part::Thread(thread) if self.origins == Is::So => {
                for value in &mut thread.registers {
                    if let Value::Message(message) = value {
                        hide_origin(message);
                    }
                }
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
    let passes_nothing_on = |message: &Message| message.carries_nothing();
    mailbox.link().is_none()
        && mailbox.port().is_none_or(|port| port.held.is_empty())
        && mailbox.senders.iter().all(|(_, message)| passes_nothing_on(message))
}

fn hide_origin(message: &mut Arc<Message>) {
    if message.sender != ProcessId::KERNEL {
        Arc::make_mut(message).sender = ProcessId::KERNEL;
    }
}

/// Whether anybody may ask who has sent a message: a program, what is observed, or the kernel, which gives rights that have
/// not gone back to their sender. Whoever does more with a message than to look at one of its fields counts as asking.
fn asks_for_origins(machine: &Machine, state: &State, predicates: &[Predicate]) -> bool {
    let carries_rights = machine.has_ports() || machine.makes_reply_rights();
    let asks = |expr: &Expr| expr.contains(&|part| matches!(part, Expr::Field(_, Field::Sender)));
    let looks_at_variables = predicates.iter().any(|predicate| {
        predicate.probes.iter().any(|probe| matches!(probe, Probe::Variable { .. }))
    });
    // The code of threads that are started later is reachable from there, too.
    let entries: BTreeSet<Pc> = state.threads.items().iter().map(|thread| thread.pc).collect();
    carries_rights
        || looks_at_variables
        || machine.code.iter().any(|op| any_expression(op, asks))
        || entries.into_iter().any(|from| uses_whole_messages(machine, from))
}

/// Whether the code of a thread does more with a message than to look at one of its fields.
fn uses_whole_messages(machine: &Machine, from: Pc) -> bool {
    let pcs = reachable(&machine.code, [from], Edges::Possible);
    let code = || pcs.iter().map(|pc| &machine.code[pc.index()]);
    let receives = |op: &&Op| op.may(|effect| matches!(effect, Effect::Receives(_)));
    let received: BTreeSet<Register> = code().filter(receives).flat_map(Op::writes).collect();
    let is_received = |register: &Register| received.contains(register);
    code().any(|op| any_expression(op, |expr| uses_whole(expr, &is_received)))
}

fn any_expression(op: &Op, is_such: impl Fn(&Expr) -> bool) -> bool {
    let mut found = false;
    op.expressions(&mut |expr| found |= is_such(expr));
    found
}

/// Whether an expression is about a message, but not only about one of its fields.
fn uses_whole(expr: &Expr, is_message: &impl Fn(&Register) -> bool) -> bool {
    match expr {
        Expr::Variable(register) => is_message(register),
        Expr::Field(of, _) if matches!(**of, Expr::Variable(_)) => false,
        // It differs from every constant, whoever has sent it.
        Expr::Binary(Binary::Equal | Binary::NotEqual, operands)
            if matches!(**operands, (Expr::Variable(_), Expr::Constant(_))) =>
        {
            false
        }
        other => other.children().into_iter().any(|child| uses_whole(child, is_message)),
    }
}
