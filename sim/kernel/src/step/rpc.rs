//! Request and response: a call sends a request with a reply right, and waits for the answer.

use ipcsim_program::{Reply, ReplyRight, Send};

use super::prelude::*;
use super::region::Packed;

/// Whether somebody waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// The thread that called.
    Waits,
    /// Nobody: its wait has ended.
    HasGivenUp,
}

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn request(&mut self, t: ThreadId, request: &Send) -> Result<(), Stop> {
        if let Some(message) = self.unsent(t) {
            return self.try_to_send(t, message, request);
        }
        let thread = self.thread_mut(t);
        thread.calls.0 = thread.calls.0.wrapping_add(1);
        let right = ReplyRight { caller: t, call: thread.calls.0 };
        let message = self.compose(t, request, Then::AwaitReply { caller: t, right })?;
        self.send_composed(t, message, request)
    }

    pub(super) fn reply(&mut self, t: ThreadId, reply: &Reply) -> Result<(), Stop> {
        let (right, once) = match self.eval(t, &reply.to)? {
            Value::Message(message) => match (message.reply_right(), message.reply_to()) {
                (None, Some(Handle::Once(once))) => (None, Some(once)),
                (right, _) => (right, None),
            },
            Value::Handle(Handle::Reply(right)) => (Some(right), None),
            Value::Handle(Handle::Once(once)) => (None, Some(once)),
            Value::Handle(_) | Value::None => (None, None),
            _ => return Err(Fault::NotAnObject.into()),
        };
        let body = self.eval(t, &reply.body)?;
        body.depth_outside()?;
        let size = match &reply.size {
            None => body.size_bytes(),
            Some(size) => self.size(t, size)?,
        };
        let (regions, bytes) = self.memory_to_pack(t, &reply.memory)?;
        let size = size.saturating_add(bytes);
        let says = (body, size, &regions[..]);
        if let Some(once) = once {
            self.check_once(t, once)?;
            let answer = self.setting_aside(t, Some(once), |step| {
                step.answer(t, reply, says, (once.port, Route::Once))
            })?;
            return self.reply_once(t, once, answer);
        }
        let right = right.ok_or(Stop::NO_RIGHT)?;
        let server = self.thread(t).process;
        match self.check_reply_right(right, server)? {
            Caller::Waits => {}
            Caller::HasGivenUp => {
                self.state.abandoned.remove(&right);
                return Err(Stop::DEAD);
            }
        }
        let caller = self.thread(right.caller).process;
        let mailbox = self.link(server, caller)?;
        let answer = self.answer(t, reply, says, (mailbox, Route::Link))?;
        self.state.processes[server.index()].owed -= 1;
        self.note(Some(t), Kind::Sent(&answer));
        self.note(Some(t), Kind::Delivered { message: &answer, to: right.caller });
        self.sink.copied(answer.size);
        self.complete(t, Outcome::Ok);
        if self.thread(right.caller).raised().is_some() {
            self.destroy_carried(&answer);
            self.handler_answers(right.caller, &answer);
        } else {
            self.receive_message(right.caller, answer);
        }
        Ok(())
    }

    /// The message that answers, with its rights taken out of the answerer's name space.
    fn answer(
        &mut self,
        t: ThreadId,
        reply: &Reply,
        (body, size, regions): (Value, u64, &[Packed]),
        (mailbox, route): (MailboxId, Route),
    ) -> Result<Arc<Message>, Stop> {
        let own = self.thread(t).process;
        let rights = self.pack_rights(t, &reply.rights, mailbox)?;
        let memory = self.pack_memory(own, regions);
        let extras = Extras { rights, memory, ..Extras::default() }.boxed();
        Ok(self.new_message(own, (mailbox, route), (body, size), extras))
    }

    /// Whether a process has a reply right: it has taken the request, and nobody has answered it. A handle
    /// that came in a body gives no right.
    pub(super) fn check_reply_right(
        &self,
        asked: ReplyRight,
        by: ProcessId,
    ) -> Result<Caller, Stop> {
        match self.state.waits_for(asked.caller) {
            Some(BlockedOn::Reply { right, holder: Holder::Taken(process) })
                if *right == asked && *process == by =>
            {
                Ok(Caller::Waits)
            }
            _ if self.state.abandoned.get(&asked) == Some(&Holder::Taken(by)) => {
                Ok(Caller::HasGivenUp)
            }
            _ => Err(Stop::NO_RIGHT),
        }
    }
}
