//! Inspecting one's own rights: expressions see only a thread's variables, so this is a call.

use ipcsim_program::{Inspection, ReplyRight};

use super::prelude::*;
use super::rpc::Caller;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    pub(super) fn inspect(
        &mut self,
        t: ThreadId,
        what: Inspection,
        of: &Expr,
        into: Register,
    ) -> Result<(), Stop> {
        let rights = match self.eval(t, of)? {
            Value::Message(message) => match (message.reply_right(), message.reply_to()) {
                (Some(right), _) => self.reply_right(t, right),
                (None, Some(Handle::Once(once))) => self.send_once_right(t, once),
                (None, _) => Vec::new(),
            },
            Value::Handle(Handle::Mailbox(id)) => self.rights_under(t, id),
            Value::Handle(Handle::Once(once)) => self.send_once_right(t, once),
            Value::Handle(Handle::Reply(right)) => self.reply_right(t, right),
            // Nobody needs a right to what is open to everybody.
            Value::Handle(Handle::Process(_) | Handle::File { .. }) | Value::None => Vec::new(),
            _ => return Err(Fault::NotAnObject.into()),
        };
        let answer = match what {
            Inspection::References => {
                let references = rights.iter().map(|(_, references)| *references).max();
                Value::Int(i64::from(references.unwrap_or(0)))
            }
            Inspection::Rights => {
                let words = rights.iter().map(|(word, _)| Value::Text((*word).into()));
                Value::list(words.collect()).expect("there are few kinds of rights")
            }
        };
        self.set(t, into, answer);
        // It is part of a step, not a step of its own: the outcome of the last call stays.
        let status = self.thread(t).status;
        self.complete(t, Outcome::Ok);
        self.thread_mut(t).status = status;
        Ok(())
    }

    /// The rights that a process has under a name, with the references to each.
    fn rights_under(&self, t: ThreadId, id: MailboxId) -> Vec<(&'static str, u32)> {
        let names = &self.state.processes[self.thread(t).process.index()].rights;
        let is_dead = self.mailbox(id).existence == Existence::Destroyed;
        let mut rights = Vec::new();
        if names.received().any(|received| received == id) {
            let is_set = self.mailbox(id).set().is_some();
            rights.push((if is_set { "port-set" } else { Right::Receive.word() }, 1));
        }
        let references = names.references(id);
        if references > 0 {
            let right = if is_dead { Right::Dead } else { Right::Send };
            rights.push((right.word(), references));
        }
        rights
    }

    fn send_once_right(&self, t: ThreadId, once: Once) -> Vec<(&'static str, u32)> {
        let names = &self.state.processes[self.thread(t).process.index()].rights;
        if !names.once.contains(&once) {
            return Vec::new();
        }
        let is_dead = self.mailbox(once.port).existence == Existence::Destroyed;
        let right = if is_dead { Right::Dead } else { Right::Once(once.number) };
        vec![(right.word(), 1)]
    }

    /// The right to answer a call is good for one message; it is dead if the caller no longer waits.
    fn reply_right(&self, t: ThreadId, asked: ReplyRight) -> Vec<(&'static str, u32)> {
        match self.check_reply_right(asked, self.thread(t).process) {
            Ok(Caller::Waits) => vec![(Right::Once(0).word(), 1)],
            Ok(Caller::HasGivenUp) => vec![(Right::Dead.word(), 1)],
            Err(_) => Vec::new(),
        }
    }
}
