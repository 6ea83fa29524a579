//! Whether an operation could raise an exception. "No" only where that is certain.

use ipcsim_program::{
    Call, Capacity, Effect, Expr, From, Handle, MailboxId, Op, Outcome, Send, Time, Value, Wait,
};

use super::Danger;
use super::walker::Walker;
use crate::machine::{Detect, MemoryFull};
use crate::object::mailbox::Object;
use crate::object::queue::QueueSpec;

impl Walker<'_> {
    pub(super) fn may_raise(&self, op: &Op) -> bool {
        match op {
            Op::Assert(_) | Op::ForNext { .. } | Op::Access(_) => true,
            Op::Set(_, expr) | Op::Log(expr) => !is_safe(expr),
            Op::Unless(..) | Op::RepeatStart { .. } | Op::Compute(_) => !is_safe_local(op),
            Op::End | Op::Jump(_) | Op::RepeatNext { .. } | Op::Choose(_) => false,
            Op::Call(call) => self.may_fail(call),
        }
    }

    /// Whether a call could raise an exception.
    fn may_fail(&self, call: &Call) -> bool {
        let handled = |outcome| call.handler(outcome).is_some();
        call.verb.may(|effect| match effect {
            Effect::Reads(_) | Effect::Writes(_) | Effect::HasNoEvent | Effect::IsAbout(..) => {
                false
            }
            Effect::Waits(wait) => self.may_be_interrupted(call) || !self.waits_safely(call, wait),
            Effect::Sleeps(time) => self.may_be_interrupted(call) || time.expression().is_some(),
            Effect::Joins(threads) => threads.index.is_some(),
            Effect::Sends(send) => {
                let has_memory = handled(Outcome::NoMemory)
                    || self.machine.policies.memory_full == MemoryFull::Wait;
                let fits = handled(Outcome::TooLarge) || self.takes_every_size(&send.to);
                !(has_memory && fits && self.may_use(call, &send.to) && is_safe_message(send))
            }
            Effect::Receives(receive) => {
                let knows_from = match &receive.from {
                    From::Anyone => true,
                    From::These(sources) => self.may_use(call, sources),
                };
                let is_safe_type = receive.kind.as_ref().is_none_or(is_safe);
                !(knows_from && is_safe_type && receive.max_size.is_none())
            }
            _ => true,
        })
    }

    fn may_be_interrupted(&self, call: &Call) -> bool {
        self.dangers.contains(&Danger::Interrupt) && call.handler(Outcome::Interrupted).is_none()
    }

    /// Whether a wait raises no exception, whether it ends or not.
    fn waits_safely(&self, call: &Call, wait: &Wait) -> bool {
        let handled = |outcome| call.handler(outcome).is_some();
        match wait {
            Wait::Forever => {
                self.machine.policies.detect == Detect::Report || handled(Outcome::Deadlock)
            }
            Wait::Never => handled(Outcome::WouldBlock),
            Wait::For(time) => time.expression().is_none() && handled(Outcome::TimedOut),
        }
    }

    /// Whether the object of a call exists, may be used and will still exist, or the call handles that.
    fn may_use(&self, call: &Call, objects: &Expr) -> bool {
        let handled = |outcome| call.handler(outcome).is_some();
        let may_lack_rights = handled(Outcome::NoRight) && handled(Outcome::Refused);
        (handled(Outcome::Dead) && self.are_objects(objects, may_lack_rights))
            || (!self.dangers.contains(&Danger::Destruction) && self.are_open_mailboxes(objects))
    }

    /// Whether a message can be sent there, or received from there, if they live. A right may be missing where
    /// that is handled.
    fn are_objects(&self, expr: &Expr, may_lack_rights: bool) -> bool {
        self.are_all(expr, |value| match value {
            Value::Handle(Handle::Mailbox(mailbox)) => {
                let object = &self.state.mailboxes[mailbox.index()].object;
                *object == Object::Open || may_lack_rights
            }
            Value::Handle(Handle::Process(_)) => true,
            Value::Handle(Handle::File(_)) => may_lack_rights,
            _ => false,
        })
    }

    fn are_open_mailboxes(&self, expr: &Expr) -> bool {
        self.all_mailboxes(expr, |_| true)
    }

    fn takes_every_size(&self, expr: &Expr) -> bool {
        self.machine.policies.memory.is_none()
            && self.all_mailboxes(expr, |mailbox| {
                let spec = &self.state.mailboxes[mailbox.index()].spec;
                spec.max_size == QueueSpec::ANY_SIZE && !matches!(spec.capacity, Capacity::Bytes(_))
            })
    }

    fn all_mailboxes(&self, expr: &Expr, good: impl Fn(MailboxId) -> bool + Copy) -> bool {
        let is_good = |value: &Value| match value {
            Value::Handle(Handle::Mailbox(mailbox)) => {
                self.state.mailboxes[mailbox.index()].object == Object::Open && good(*mailbox)
            }
            _ => false,
        };
        self.are_all(expr, is_good)
    }

    /// Whether the value of an expression is certain, and good; for a list, each item.
    fn are_all(&self, expr: &Expr, is_good: impl Fn(&Value) -> bool) -> bool {
        match self.known(expr) {
            Some(Value::List(list)) => list.items().iter().all(is_good),
            Some(value) => is_good(&value),
            None => false,
        }
    }
}

/// Whether evaluating this can raise no exception.
fn is_safe(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Constant(_)
            | Expr::Variable(_)
            | Expr::Me
            | Expr::Index
            | Expr::ThreadIndex
            | Expr::Status
    )
}

fn is_safe_local(op: &Op) -> bool {
    match op {
        Op::Compute(Time::Span(_)) => true,
        Op::Unless(condition, _) => {
            matches!(condition, Expr::Constant(Value::True | Value::False))
        }
        Op::RepeatStart { rounds, .. } => matches!(rounds, Expr::Constant(Value::Int(0..))),
        _ => false,
    }
}

fn is_safe_message(send: &Send) -> bool {
    let constant = |expr: &Expr| matches!(expr, Expr::Constant(_));
    is_safe(&send.body)
        && send.size.as_ref().is_none_or(constant)
        && send.kind.as_ref().is_none_or(is_safe)
        && send.priority.as_ref().is_none_or(constant)
        && send.reply_to.as_ref().is_none_or(constant)
}
