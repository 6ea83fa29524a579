//! Requests to a name server: each is sent to its port, see `name-server.yaml`.

use ipcsim_kernel::program::{
    Answer, CallWord, Disposition, Grant, Inquiry, Send, Verb, Wait, Word,
};
use ipcsim_kernel::{Expr as Code, Value};

use super::{Failed, Unit};
use crate::ast::{self, Arg, Step};

impl Unit<'_> {
    pub(super) fn inquiry(&mut self, step: &Step) -> Result<Verb, Failed> {
        let fields = &step.fields;
        let (inquiry, wait) = match step.verb.word {
            Word::Call(CallWord::Register) => (Inquiry::Register, Wait::Forever),
            Word::Call(CallWord::Unregister) => (Inquiry::Unregister, Wait::Forever),
            _ => {
                let into = self.register_of_into(fields);
                // A lookup that does not wait for a registration still waits for the answer.
                match fields.get("wait").map(|arg| &arg.value) {
                    None | Some(Arg::Wait(ast::Wait::Never)) => {
                        (Inquiry::LookUp { into }, Wait::Forever)
                    }
                    Some(_) => (Inquiry::Await { into }, self.wait(fields)?),
                }
            }
        };
        // Which right it is will be known when the step is taken; that it is one is known now.
        let mut rights = Vec::new();
        let body = if inquiry == Inquiry::Register {
            let object = self.operand_object(step)?;
            rights.push(Grant { port: object.clone(), disposition: Disposition::CopySend });
            Code::List(vec![self.field_expr(fields, "as")?, object])
        } else {
            self.operand_expr(step)?
        };
        let request = Send {
            to: Code::NameServer,
            body,
            size: None,
            kind: Some(Code::Constant(Value::Text(inquiry.request().into()))),
            priority: None,
            reply_to: None,
            rights,
            memory: Vec::new(),
            hold: None,
            into: None,
            wait,
        };
        Ok(Verb::Call { request, answer: Answer::OfNames(inquiry) })
    }
}
