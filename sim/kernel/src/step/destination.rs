//! Where a message goes: the mailbox, link or port that a destination stands for.

use ipcsim_program::Access;

use super::prelude::*;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// The mailbox or link that a destination stands for, and its send-once right if it is one.
    pub(super) fn destination(
        &mut self,
        t: ThreadId,
        to: &Expr,
    ) -> Result<(MailboxId, Option<Once>), Stop> {
        let mailbox = match self.named_mailbox(t, to)? {
            Some(mailbox) => {
                self.reachable_by_name(mailbox)?;
                mailbox
            }
            None => match self.eval(t, to)? {
                // A right that died on the way is `none`.
                Value::None if self.machine.has_ports() => {
                    return Err(Stop::NO_RIGHT);
                }
                Value::Handle(Handle::Once(once)) => {
                    self.check_once(t, once)?;
                    return Ok((once.port, Some(once)));
                }
                Value::Handle(handle) => self.sent_to(t, handle)?,
                _ => return Err(Fault::NotAnObject.into()),
            },
        };
        self.check_send_right(self.thread(t).process, mailbox)?;
        let object = &self.state.mailboxes[mailbox.index()];
        let has_no_reader = object.stream().is_some_and(|stream| stream.readers == 0);
        if has_no_reader || object.existence == Existence::Destroyed {
            return Err(Stop::DEAD);
        }
        Ok((mailbox, None))
    }

    fn sent_to(&mut self, t: ThreadId, handle: Handle) -> Result<MailboxId, Stop> {
        match handle {
            Handle::Process(process) if self.state.has_ended(process) => Err(Stop::DEAD),
            Handle::Process(process) => Ok(self.link(self.thread(t).process, process)?),
            Handle::Mailbox(mailbox) => {
                self.reachable_by_name(mailbox)?;
                Ok(mailbox)
            }
            Handle::File(descriptor) => self.opened(t, descriptor, Access::Write),
            Handle::Reply(_) | Handle::Once(_) => Err(Stop::NO_RIGHT),
            Handle::Region(_) => Err(Fault::NotAnObject.into()),
        }
    }

    /// A mailbox that the file system names is reached only through its path, and a pipe only by its ends.
    pub(super) fn reachable_by_name(&self, mailbox: MailboxId) -> Result<(), Stop> {
        if self.mailbox(mailbox).object.needs_descriptor() { Err(Stop::NO_RIGHT) } else { Ok(()) }
    }

    /// The link from one process to another; made when it is first needed.
    pub(super) fn link(&mut self, from: ProcessId, to: ProcessId) -> Result<MailboxId, Fault> {
        let is_there = self.state.processes[to.index()].inbox.link(from).is_some();
        if !is_there && self.state.mailboxes.len() >= limits::MAILBOXES {
            return Err(Fault::TooManyLinks);
        }
        Ok(self.state.link(self.machine, from, to))
    }
}
