//! Request and response: a call sends a request with a reply right, and waits for the answer.

use std::sync::Arc;

use super::{Step, Stop};
use crate::event::Kind;
use crate::expr::Expr;
use crate::ids::{ProcessId, ThreadId};
use crate::message::{Message, Route, Then};
use crate::oracle::{Oracle, Sink};
use crate::outcome::{Fault, Outcome};
use crate::program::Send;
use crate::state::{BlockedOn, Holder};
use crate::value::{Handle, ReplyRight, Value};

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn request(&mut self, t: ThreadId, request: &Send) -> Result<(), Stop> {
        if let Some(message) = self.unsent(t) {
            return self.try_to_send(t, message, request);
        }
        let thread = self.thread_mut(t);
        thread.calls = thread.calls.wrapping_add(1);
        let right = ReplyRight { caller: t, call: thread.calls };
        let message = self.compose(t, request, Then::AwaitReply { caller: t, right })?;
        self.send_composed(t, message, request)
    }

    pub(super) fn reply(
        &mut self,
        t: ThreadId,
        to: &Expr,
        body: &Expr,
        size: Option<&Expr>,
    ) -> Result<(), Stop> {
        let (right, once) = match self.eval(t, to)? {
            Value::Message(message) => match (message.reply_right(), message.reply_to()) {
                (None, Some(Handle::Once(once))) => (None, Some(once)),
                (right, _) => (right, None),
            },
            Value::Handle(Handle::Reply(right)) => (Some(right), None),
            Value::Handle(Handle::Once(once)) => (None, Some(once)),
            Value::Handle(_) | Value::None => (None, None),
            _ => return Err(Fault::MixedTypes.into()),
        };
        let body = self.eval(t, body)?;
        let size = match size {
            None => body.size_bytes(),
            Some(size) => self.size(t, size)?,
        };
        if let Some(once) = once {
            return self.reply_once(t, once, body, size);
        }
        let right = right.ok_or(Stop::Outcome(Outcome::NoRight))?;
        if self.state.abandoned.remove(&right) {
            return Err(Stop::Outcome(Outcome::Dead));
        }
        let server = self.thread(t).process;
        self.use_up(right, server)?;
        let caller = self.thread(right.caller).process;
        let mailbox = self.link(server, caller)?;
        let serial = self.state.next_serial;
        self.state.next_serial += 1;
        let answer = Arc::new(Message {
            body,
            sender: server,
            mailbox,
            size,
            route: Route::Link,
            extras: None,
            serial,
        });
        self.note(Some(t), Kind::Sent(&answer));
        self.note(Some(t), Kind::Delivered { message: &answer, to: right.caller });
        self.sink.copied(answer.size);
        self.complete(t, Outcome::Ok);
        if self.thread(right.caller).raised().is_some() {
            self.handler_answers(right.caller, &answer);
        } else {
            self.receive_message(right.caller, answer);
        }
        Ok(())
    }

    /// Uses up a reply right, whose caller must still be waiting for this process. A handle that came in
    /// a body gives no right.
    fn use_up(&mut self, asked: ReplyRight, by: ProcessId) -> Result<(), Stop> {
        match self.state.waits_for(asked.caller) {
            Some(BlockedOn::Reply { right, holder: Holder::Taken(process) })
                if *right == asked && *process == by =>
            {
                let process = *process;
                self.state.processes[process.index()].owed -= 1;
                Ok(())
            }
            _ => Err(Stop::Outcome(Outcome::NoRight)),
        }
    }
}
