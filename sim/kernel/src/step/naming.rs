//! Names: requests to a name server, which is a process like any other.
//!
//! `register`, `unregister` and `lookup` are calls to the port of the process's own name server; what they
//! mean is its business. The kernel does what a library does elsewhere: it builds the request and turns the
//! answer into an outcome.

use ipcsim_program::{Disposition, Grant, Inquiry, Send, misuse};

use super::prelude::*;

impl<O: Oracle, S: Sink> Step<'_, O, S> {
    /// Sends a request to the name server. Its body is a name; to register one, a list of the name and what it
    /// should stand for.
    pub(super) fn inquire(
        &mut self,
        t: ThreadId,
        request: &Send,
        inquiry: Inquiry,
    ) -> Result<(), Stop> {
        if let Some(message) = self.unsent(t) {
            return self.try_to_send(t, message, request);
        }
        let body = self.eval(t, &request.body)?;
        let rights = match (inquiry, &body) {
            (Inquiry::Register, Value::List(list)) => match list.items() {
                [Value::Text(_), Value::Handle(object)] => self.right_to_register(t, *object)?,
                // A right that died on the way is `none`.
                [Value::Text(_), Value::None] => return Err(Stop::NO_RIGHT),
                _ => return Err(misuse::needs("`register` needs a name and a port", &body).into()),
            },
            (
                Inquiry::Unregister | Inquiry::LookUp { .. } | Inquiry::Await { .. },
                Value::Text(_),
            ) => Vec::new(),
            _ => return Err(misuse::needs("a name is a text", &body).into()),
        };
        self.request(t, &Send { body: Expr::Constant(body), rights, ..request.clone() })
    }

    /// The send right that goes to the name server with a name; what is open to everybody needs none.
    fn right_to_register(&self, t: ThreadId, object: Handle) -> Result<Vec<Grant>, Stop> {
        let id = match object {
            Handle::Process(_) => return Ok(Vec::new()),
            Handle::Mailbox(id) => id,
            _ => return Err(Stop::REFUSED),
        };
        let own = self.thread(t).process;
        self.reachable_by_name(id)?;
        self.check_send_right(own, id)?;
        let mailbox = self.mailbox(id);
        if mailbox.existence == Existence::Destroyed {
            return Err(Stop::DEAD);
        }
        if mailbox.port().is_none() {
            return Ok(Vec::new());
        }
        let has_one = self.state.processes[own.index()].rights.references(id) > 0;
        let disposition = if has_one { Disposition::CopySend } else { Disposition::MakeSend };
        Ok(vec![Grant { port: Expr::Constant(Value::Handle(object)), disposition }])
    }

    /// A name server's answer: an outcome, alone or at the head of a list. With it comes the result of a
    /// lookup, as a right or, if it needs none, at the end of the list. Rights that nobody could name are
    /// given up.
    pub(super) fn name_server_answers(&mut self, t: ThreadId, inquiry: Inquiry, answer: &Message) {
        let parts = match &answer.body {
            Value::List(list) => list.items(),
            other => std::slice::from_ref(other),
        };
        let outcome = match parts.first() {
            Some(Value::Text(word)) => Outcome::from_word(word),
            _ => None,
        };
        let mut used = 0;
        let outcome = match (outcome, inquiry) {
            (Some(Outcome::Ok), Inquiry::LookUp { into } | Inquiry::Await { into }) => {
                match self.found(t, answer, parts) {
                    Ok(object) => {
                        used = 1;
                        self.set(t, into, Value::Handle(object));
                        Outcome::Ok
                    }
                    Err(outcome) => outcome,
                }
            }
            (Some(Outcome::NoSuchName), Inquiry::Register) => Outcome::Refused,
            (Some(outcome @ (Outcome::Ok | Outcome::NoSuchName)), _) => outcome,
            // The name server could not ask the one that it had to ask.
            (
                Some(outcome @ (Outcome::NoMemory | Outcome::TooLarge | Outcome::Interrupted)),
                Inquiry::LookUp { .. } | Inquiry::Await { .. },
            ) => outcome,
            _ => Outcome::Refused,
        };
        let own = self.thread(t).process;
        for carried in answer.rights().iter().skip(used) {
            self.give_up_received(own, *carried);
        }
        self.complete(t, outcome);
    }

    /// What a name stands for. It may have died on the way; an answer without anything to send to does not
    /// count.
    fn found(&self, t: ThreadId, answer: &Message, parts: &[Value]) -> Result<Handle, Outcome> {
        match (answer.rights().first(), parts.last()) {
            (Some(Carried { right: Right::Dead, .. }), _) => Err(Outcome::Dead),
            (Some(Carried { port, right: Right::Send | Right::Receive }), _) => {
                Ok(Handle::Mailbox(*port))
            }
            (Some(Carried { port, right: Right::Once(number) }), _) => {
                Ok(Handle::Once(Once { port: *port, number: *number }))
            }
            (None, Some(Value::Handle(object @ Handle::Mailbox(id)))) => {
                let own = self.thread(t).process;
                self.check_send_right(own, *id).map(|()| *object).map_err(|_| Outcome::Refused)
            }
            (None, Some(Value::Handle(object @ Handle::Process(_)))) => Ok(*object),
            _ => Err(Outcome::Refused),
        }
    }
}
