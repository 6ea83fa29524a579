//! Names: what is asked of a name server, which is a process like any other, and the paths of the file system.
//!
//! `register`, `unregister` and `lookup` are calls to the port of the own name server; what they mean is its
//! affair. The kernel does here what a library does elsewhere: it puts the request together, and makes an
//! outcome of the answer.

use super::{Step, Stop};
use crate::expr::Expr;
use crate::ids::{Register, ThreadId};
use crate::message::Message;
use crate::object::mailbox::Existence;
use crate::object::port::{Carried, Right};
use crate::oracle::{Oracle, Sink};
use crate::outcome::{Fault, Outcome};
use crate::program::{Disposition, Grant, Inquiry, Send};
use crate::value::{Access, Handle, Value};

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// Sends a request to the name server. Its body is a name, or a list of a name and what it is to stand for.
    pub(super) fn inquire(&mut self, t: ThreadId, request: &Send) -> Result<(), Stop> {
        if let Some(message) = self.unsent(t) {
            return self.try_to_send(t, message, request);
        }
        let body = self.eval(t, &request.body)?;
        let rights = match &body {
            Value::Text(_) => Vec::new(),
            Value::List(list) => match list.items() {
                [Value::Text(_), Value::Handle(object)] => self.right_to_register(t, *object)?,
                _ => return Err(Fault::MixedTypes.into()),
            },
            _ => return Err(Fault::MixedTypes.into()),
        };
        self.request(t, &Send { body: Expr::Constant(body), rights, ..request.clone() })
    }

    /// The right to send that goes to the name server with a name; what is open to everybody needs none.
    fn right_to_register(&self, t: ThreadId, object: Handle) -> Result<Vec<Grant>, Stop> {
        let id = match object {
            Handle::Process(_) => return Ok(Vec::new()),
            Handle::Mailbox(id) => id,
            _ => return Err(Stop::Outcome(Outcome::Refused)),
        };
        let own = self.thread(t).process;
        self.reachable_by_name(id)?;
        self.check_send_right(own, id)?;
        let mailbox = self.mailbox(id);
        if mailbox.existence == Existence::Destroyed {
            return Err(Stop::Outcome(Outcome::Dead));
        }
        if mailbox.port.is_none() {
            return Ok(Vec::new());
        }
        let has_one = self.state.processes[own.index()].rights.references(id) > 0;
        let disposition = if has_one { Disposition::CopySend } else { Disposition::MakeSend };
        Ok(vec![Grant { port: Expr::Constant(Value::Handle(object)), disposition }])
    }

    /// The answer of a name server: an outcome, alone or at the head of a list. With it comes what was
    /// looked up, as a right or, if it needs none, at the end of the list.
    pub(super) fn name_server_answers(&mut self, t: ThreadId, inquiry: Inquiry, answer: &Message) {
        let parts = match &answer.body {
            Value::List(list) => list.items(),
            other => std::slice::from_ref(other),
        };
        let outcome = match parts.first() {
            Some(Value::Text(word)) => Outcome::from_word(word),
            _ => None,
        };
        let known = [Outcome::Ok, Outcome::NoSuchName, Outcome::Refused];
        let outcome = outcome.filter(|outcome| known.contains(outcome));
        let outcome = match (outcome, inquiry) {
            (Some(Outcome::Ok), Inquiry::Lookup { into }) => match found(answer, parts) {
                Some(object) => {
                    self.set(t, into, Value::Handle(object));
                    Outcome::Ok
                }
                None => Outcome::NoSuchName,
            },
            (outcome, _) => outcome.unwrap_or(Outcome::Refused),
        };
        self.complete(t, outcome);
    }

    pub(super) fn open(
        &mut self,
        t: ThreadId,
        path: &Expr,
        into: Register,
        access: Access,
    ) -> Result<(), Stop> {
        let Value::Text(path) = self.eval(t, path)? else { return Err(Fault::MixedTypes.into()) };
        let machine = self.machine;
        let file = machine
            .files
            .binary_search_by(|file| file.path.as_ref().cmp(path.as_ref()))
            .map_err(|_| Stop::Outcome(Outcome::NoSuchName))?;
        let file = &machine.files[file];
        let user = machine.family_of(self.thread(t).process).user;
        let mode =
            if user.is_some() && user == file.owner { file.owner_mode } else { file.other_mode };
        let wanted = match access {
            Access::Read => 4,
            Access::Write => 2,
        };
        if mode & wanted == 0 {
            return Err(Stop::Outcome(Outcome::Refused));
        }
        self.set(t, into, Value::Handle(Handle::File { mailbox: file.mailbox, access }));
        self.complete(t, Outcome::Ok);
        Ok(())
    }
}

/// What a name stands for; nothing if that has died on the way.
fn found(answer: &Message, parts: &[Value]) -> Option<Handle> {
    match (answer.rights().first(), parts.last()) {
        (Some(Carried { right: Right::Dead, .. }), _) => None,
        (Some(Carried { port, .. }), _) => Some(Handle::Mailbox(*port)),
        (None, Some(Value::Handle(object))) => Some(*object),
        (None, _) => None,
    }
}
