//! Sending: a message is handed to a waiting receiver, stored, or its sender waits.

use ipcsim_program::{Send, misuse};

use super::offer::{Attempt, Posted};
use super::prelude::*;
use crate::machine::MemoryFull;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn send(&mut self, t: ThreadId, send: &Send) -> Result<(), Stop> {
        if let Some(message) = self.unsent(t) {
            return self.try_to_send(t, message, send);
        }
        let message = self.compose(t, send, Then::Return)?;
        self.send_composed(t, message, send)
    }

    /// Sends a message for the first time. One that goes by a send-once right does not wait.
    pub(super) fn send_composed(
        &mut self,
        t: ThreadId,
        message: Arc<Message>,
        send: &Send,
    ) -> Result<(), Stop> {
        if let Receiver::Kernel(whom) = self.state.receiver_of(message.mailbox) {
            return self.command_by_message(t, whom, &message);
        }
        if self.mailbox(message.mailbox).bytes().is_some() {
            return self.write_to(t, message, send);
        }
        if message.route != Route::Once {
            return self.try_to_send(t, message, send);
        }
        let then = message.then();
        let whereabouts = self.force(Some(t), message);
        self.gone(t, then, whereabouts, &send.wait)
    }

    /// Tries to send a message; waits if that is not possible now.
    pub(super) fn try_to_send(
        &mut self,
        t: ThreadId,
        message: Arc<Message>,
        send: &Send,
    ) -> Result<(), Stop> {
        let attempt = match self.thread(t).state {
            ThreadState::LookingAgain { at: Look::SendFromMemoryQueue(_), .. } => {
                Attempt::FromMemoryQueue
            }
            ThreadState::LookingAgain { .. } => Attempt::Again,
            _ => Attempt::First,
        };
        if attempt != Attempt::First && self.is_gone(message.mailbox) {
            return Err(self.give_up(t, &message, Outcome::Dead));
        }
        let (on, message) = match self.post(t, message, attempt) {
            Posted::Gone(then, whereabouts) => {
                return self.gone(t, then, whereabouts, &send.wait);
            }
            Posted::TooLarge(message) => {
                return Err(self.give_up(t, &message, Outcome::TooLarge));
            }
            Posted::SenderEnded(_) => return Ok(()),
            Posted::NoMemory(message) if self.machine.policies.memory_full == MemoryFull::Fail => {
                return Err(self.give_up(t, &message, Outcome::NoMemory));
            }
            Posted::Full(message) => (BlockedOn::Send(message.mailbox), message),
            Posted::NoMemory(message) => (BlockedOn::Memory(message.mailbox), message),
        };
        if attempt == Attempt::First && send.wait != Wait::Never {
            self.note(Some(t), Kind::Sent(&message));
        }
        // The kernel cannot keep a message that it has no memory for.
        let hold = send.hold.as_ref().filter(|_| matches!(on, BlockedOn::Send(_)));
        match self.block_with(t, on, Some(message.clone()), &send.wait) {
            Ok(()) => {
                self.tell_selectors(message.mailbox);
                Ok(())
            }
            Err(Stop::Outcome(outcome)) => match (outcome, hold) {
                (Outcome::WouldBlock | Outcome::TimedOut, Some(notify)) => {
                    let ahead = self.mailbox(message.mailbox).senders.len();
                    let attempt = if outcome == Outcome::WouldBlock {
                        Attempt::First
                    } else {
                        Attempt::Again
                    };
                    self.hold(t, &message, notify, ahead, attempt)
                }
                // It has been taken back already.
                (Outcome::Deadlock, _) => Err(Stop::Outcome(outcome)),
                _ => Err(self.give_up(t, &message, outcome)),
            },
            Err(fault) => {
                self.give_back(&message);
                Err(fault)
            }
        }
    }

    /// Whether the destination of a message has died while its sender was waking up.
    fn is_gone(&self, id: MailboxId) -> bool {
        let mailbox = self.mailbox(id);
        match mailbox.link() {
            Some((_, to)) => self.state.has_ended(to),
            None => mailbox.existence == Existence::Destroyed,
        }
    }

    /// The call ends and its message has not gone. If it had been sent, it is taken back.
    fn give_up(&mut self, t: ThreadId, message: &Arc<Message>, outcome: Outcome) -> Stop {
        if matches!(self.thread(t).state, ThreadState::LookingAgain { .. }) {
            self.note(Some(t), Kind::Withdrawn(message));
        }
        self.give_back(message);
        Stop::Outcome(outcome)
    }

    /// The message that a thread was sending when it was woken to look again.
    pub(super) fn unsent(&self, t: ThreadId) -> Option<Arc<Message>> {
        self.thread(t).in_hand().cloned()
    }

    /// Evaluates the parts of a message.
    pub(super) fn compose(
        &mut self,
        t: ThreadId,
        send: &Send,
        then: Then,
    ) -> Result<Arc<Message>, Stop> {
        let (mailbox, once) = self.destination(t, &send.to)?;
        let body = match send.body.peek(&self.thread(t).registers) {
            Some(value) => value.clone(),
            None => self.eval(t, &send.body)?,
        };
        body.depth_outside()?;
        let size = match &send.size {
            None => body.size_bytes(),
            Some(size) => self.size(t, size)?,
        };
        let (regions, bytes) = self.memory_to_pack(t, &send.memory)?;
        let size = size.saturating_add(bytes);
        let is_plain = then == Then::Return && send.says_nothing_special();
        let mut extras = if is_plain { None } else { Some(self.extras(t, send, then)?) };
        let target = &self.state.mailboxes[mailbox.index()];
        if size > target.spec.max_size {
            return Err(Stop::Outcome(Outcome::TooLarge));
        }
        if !target.object.takes_messages() {
            return Err(Stop::REFUSED);
        }
        // A pipe takes bytes, and nothing that comes with them; nothing else counts how many go.
        let is_pipe = target.bytes().is_some();
        if (is_pipe && !(is_plain && send.hold.is_none())) || (!is_pipe && send.into.is_some()) {
            return Err(Stop::REFUSED);
        }
        let route = match target.object {
            Object::Link { .. } => Route::Link,
            Object::Port(_) if once.is_some() => Route::Once,
            Object::Port(_) if self.sends_without_a_right(t, mailbox) => Route::Own,
            _ => Route::Mailbox,
        };
        if let Some(extras) = &mut extras
            && self.carries_something(send, extras)
        {
            self.setting_aside(t, once, |step| step.pack(t, send, mailbox, extras))?;
        }
        if let Some(once) = once {
            self.spend(t, once);
        }
        if let Some(extras) = &mut extras {
            extras.memory = self.pack_memory(self.thread(t).process, &regions);
        }
        let extras = extras.and_then(Extras::boxed);
        Ok(self.new_message(self.thread(t).process, (mailbox, route), (body, size), extras))
    }

    /// Whether a thread that may send to a port has no send right to it, and that matters to somebody.
    fn sends_without_a_right(&self, t: ThreadId, port: MailboxId) -> bool {
        let own = self.thread(t).process;
        self.state.processes[own.index()].rights.references(port) == 0
            && self.machine.counts_senders()
    }

    /// A message with the next number.
    pub(super) fn new_message(
        &mut self,
        sender: ProcessId,
        (mailbox, route): (MailboxId, Route),
        (body, size): (Value, u64),
        extras: Option<Box<Extras>>,
    ) -> Arc<Message> {
        let serial = self.state.number_a_message();
        Arc::new(Message { body, sender, mailbox, size, route, extras, serial })
    }

    /// Evaluates the parts that most messages lack.
    fn extras(&mut self, t: ThreadId, send: &Send, then: Then) -> Result<Extras, Stop> {
        let kind = match &send.kind {
            None => Value::None,
            Some(kind) => self.kind(t, kind)?,
        };
        let priority = match &send.priority {
            None => 0,
            Some(priority) => self.scope(t).int(priority)?,
        };
        let reply_to = match &send.reply_to {
            None => None,
            Some(reply_to) => match self.eval(t, reply_to)? {
                Value::Handle(handle) => Some(handle),
                Value::None => None,
                _ => return Err(Fault::NotAnObject.into()),
            },
        };
        Ok(Extras { kind, priority, reply_to, then, ..Extras::default() })
    }

    /// What receivers select by. They compare it without asking what it is, so a scalar will not do.
    pub(super) fn kind(&mut self, t: ThreadId, expr: &Expr) -> Result<Value, Fault> {
        let kind = self.eval(t, expr)?;
        if kind.has_scalars() {
            return Err(misuse::needs("a type is no index", &kind));
        }
        Ok(kind)
    }

    /// A size in bytes; a negative one is an exception.
    pub(super) fn size(&mut self, t: ThreadId, size: &Expr) -> Result<u64, Fault> {
        u64::try_from(self.scope(t).int(size)?).map_err(|_| Fault::Negative)
    }

    pub(super) fn priority_of(&self, t: ThreadId) -> i64 {
        self.machine.family_of(self.thread(t).process).priority
    }

    pub(super) fn mailbox(&self, mailbox: MailboxId) -> &Mailbox {
        &self.state.mailboxes[mailbox.index()]
    }

    /// A message is destroyed, with the rights in it.
    pub(super) fn lose(&mut self, t: Option<ThreadId>, message: &Arc<Message>, why: Loss) {
        self.sink.lost();
        self.note(t, Kind::Lost(message, why));
        self.destroy_carried(message);
    }
}
