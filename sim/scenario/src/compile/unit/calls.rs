//! System calls of a program, and the parts of steps: destinations, sources, waits, times.

use ipcsim_kernel::program::{
    Answer, Call, CallWord, Command, FileVerb, From, Op, Receive, Reply, Send, Target, Threads,
    Time, Verb, Wait,
};
use ipcsim_kernel::{Field, Handle, Pc, Register, Span, Value};

use super::{Failed, LATER, Unit, thread_name};
use crate::ast::{self, Arg, Fields, Objects, Reference, Step};
use crate::compile::resolve::{Allow, Compiled, Inspections, Scope, fold_list};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Shape};
use crate::place::Place;

impl Unit<'_> {
    pub(super) fn verb(&mut self, step: &Step, call: CallWord) -> Result<Verb, Failed> {
        let fields = &step.fields;
        Ok(match call {
            CallWord::Send => Verb::Send(Send { into: self.counted(fields), ..self.send(step)? }),
            CallWord::Call => {
                let request = self.send(step)?;
                Verb::Call { request, answer: Answer::Message(self.register_of_into(fields)) }
            }
            CallWord::Receive => Verb::Receive(self.receive(step)?),
            CallWord::Reply => Verb::Reply(self.reply(step)?),
            CallWord::Select => self.select(step)?,
            CallWord::Sleep => Verb::Sleep(self.time(&step.operand.value)?),
            CallWord::Yield => Verb::Yield,
            CallWord::Exit => Verb::Exit(self.operand_expr(step)?),
            CallWord::Kill => Verb::Control(Command::Kill, self.victims(step)?),
            CallWord::Suspend => Verb::Control(Command::Suspend, self.victims(step)?),
            CallWord::Resume => Verb::Control(Command::Resume, self.victims(step)?),
            CallWord::Interrupt => Verb::Control(Command::Interrupt, self.victims(step)?),
            CallWord::Spawn => self.spawn(step)?,
            CallWord::Fork => self.forked(step)?,
            CallWord::Exec => self.exec(step)?,
            CallWord::Fault => match &step.operand.value {
                Arg::Name(kind) => Verb::Fault(kind.as_str().into()),
                other => unreachable!("the reader gives `fault` a text, not {other:?}"),
            },
            CallWord::Join => Verb::Join { threads: self.joined(step)?, wait: self.wait(fields)? },
            CallWord::Insert => {
                let port = self.operand_object(step)?;
                Verb::Insert { port, into: self.object(fields, "into", Allow::OneObject)? }
            }
            CallWord::Remove => {
                let port = self.operand_object(step)?;
                Verb::Remove { port, out_of: self.object(fields, "out-of", Allow::OneObject)? }
            }
            CallWord::Create => self.create(step)?,
            CallWord::Destroy => Verb::Destroy(self.operand_object(step)?),
            CallWord::Watch => self.watch(step)?,
            CallWord::Drop => Verb::Drop(self.operand_object(step)?),
            CallWord::Limit => {
                let port = self.operand_object(step)?;
                Verb::Limit { port, limit: self.field_expr(fields, "capacity")? }
            }
            CallWord::Register | CallWord::Unregister | CallWord::Lookup => self.inquiry(step)?,
            CallWord::Open => self.open(step)?,
            CallWord::Close => Verb::File(FileVerb::Close(self.operand_object(step)?)),
            CallWord::Duplicate => self.duplicate(step)?,
            CallWord::Allocate => self.allocate(step)?,
            CallWord::Free => self.free(step)?,
            CallWord::Lock => self.lock(step)?,
            CallWord::Unlock => self.unlock(step)?,
            CallWord::Thread => match &step.operand.value {
                Arg::Name(name) => {
                    Verb::StartThread { name: thread_name(self.machine, name), entry: LATER }
                }
                other => unreachable!("the reader gives `thread` a name, not {other:?}"),
            },
        })
    }

    fn reply(&mut self, step: &Step) -> Result<Reply, Failed> {
        let fields = &step.fields;
        let to = self.object(fields, "to", Allow::OneObject)?;
        if matches!(to, Compiled::Constant(_) | Compiled::Me) {
            return Err(wrong_kind(
                fields.get("to").map_or(step.at, |arg| arg.at),
                "`reply` answers a message that was received",
                "name the variable of the request, as in `to: ${m}`",
            ));
        }
        let body = self.message_body(step)?;
        let size = self.optional(fields, "size")?;
        let (rights, memory) = (self.grants(fields)?, self.transfers(fields)?);
        Ok(Reply { to, body, size, rights, memory })
    }

    fn select(&mut self, step: &Step) -> Result<Verb, Failed> {
        let fields = &step.fields;
        let From::These(among) = self.sources(fields, "among")? else {
            return Err(wrong_kind(
                fields.get("among").map_or(step.at, |arg| arg.at),
                "`select` needs sources that it can name in its answer",
                "list them instead of `anyone`",
            ));
        };
        Ok(Verb::Select { into: self.operand_register(step), among, wait: self.wait(fields)? })
    }

    pub(super) fn send(&mut self, step: &Step) -> Result<Send, Failed> {
        let fields = &step.fields;
        Ok(Send {
            body: self.message_body(step)?,
            to: self.object(fields, "to", Allow::OneObject)?,
            size: self.optional(fields, "size")?,
            kind: self.optional(fields, "type")?,
            priority: self.optional(fields, "priority")?,
            reply_to: match fields.get("reply-to") {
                None => None,
                Some(_) => Some(self.object(fields, "reply-to", Allow::OneObject)?),
            },
            rights: self.grants(fields)?,
            memory: self.transfers(fields)?,
            hold: match fields.get("hold-one") {
                None => None,
                Some(_) => Some(self.object(fields, "hold-one", Allow::OneObject)?),
            },
            into: None,
            wait: match (fields.get("hold-one"), fields.get("wait")) {
                (Some(_), None) => Wait::Never,
                _ => self.wait(fields)?,
            },
        })
    }

    /// Where a `send` puts the number of bytes that have gone.
    fn counted(&self, fields: &Fields) -> Option<Register> {
        fields.get("into").map(|_| self.register_of_into(fields))
    }

    /// A body is text, never a variable.
    pub(super) fn message_body(&mut self, step: &Step) -> Result<Compiled, Failed> {
        if let Arg::Expr(expr) = &step.operand.value {
            self.warn_of_names(expr);
        }
        self.operand_expr(step)
    }

    /// Warns about a text, or about texts in a list, that looks like a variable but is not one.
    pub(super) fn warn_of_names(&mut self, expr: &Expr) {
        match &expr.value {
            Shape::Text(text) if self.variables.contains(text) => {
                self.warn_of_name(expr, text, "variable");
            }
            Shape::Text(text) if self.looks_like_a_field(text) => {
                self.warn_of_name(expr, text, "field");
            }
            Shape::List(items) => items.iter().for_each(|item| self.warn_of_names(item)),
            _ => {}
        }
    }

    /// Whether a text is a field of a variable: `m.body`.
    pub(super) fn looks_like_a_field(&self, text: &str) -> bool {
        let Some((variable, field)) = text.split_once('.') else { return false };
        Field::from_word(field).is_some() && self.variables.iter().any(|known| known == variable)
    }

    /// Warns about a text that looks like the name of something, unless quotes show that it is intended.
    pub(super) fn warn_of_name(&mut self, expr: &Expr, text: &str, what: &str) {
        if expr.at.bytes().len() != text.len() {
            return;
        }
        self.found.push(
            Diagnostic::new(
                Code::LooksLikeName,
                expr.at,
                format!("this is the text \"{text}\", not the {what} `{text}`"),
            )
            .label(format!("write `${{{text}}}` for the {what}"))
            .help(match what {
                "field" => "put it in quotes if the text is meant".to_string(),
                _ => format!("put it in quotes, or rename the {what}, if the text is meant"),
            }),
        );
    }

    pub(super) fn receive(&mut self, step: &Step) -> Result<Receive, Failed> {
        let fields = &step.fields;
        Ok(Receive {
            into: self.operand_register(step),
            from: self.sources(fields, "from")?,
            kind: self.optional(fields, "type")?,
            wait: self.wait(fields)?,
            max_size: self.optional(fields, "max-size")?,
        })
    }

    pub(super) fn sources(&mut self, fields: &Fields, key: &str) -> Result<From, Failed> {
        match fields.get(key).map(|arg| &arg.value) {
            Some(Arg::Objects(Objects::One(reference))) => {
                Ok(From::These(self.reference(reference, Allow::Family)?))
            }
            Some(Arg::Objects(Objects::Several(references))) => {
                let items = references
                    .iter()
                    .map(|reference| self.reference(reference, Allow::Family))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(From::These(fold_list(items)))
            }
            _ => Ok(From::Anyone),
        }
    }

    pub(super) fn victims(&mut self, step: &Step) -> Result<Target, Failed> {
        let Arg::Objects(objects) = &step.operand.value else {
            unreachable!("the reader gives such a verb objects");
        };
        match objects {
            Objects::One(reference) => match self.threads_named(reference)? {
                Some(threads) => Ok(Target::Threads(threads)),
                None => Ok(Target::Processes(self.victim(step, reference)?)),
            },
            Objects::Several(references) => {
                let items = references
                    .iter()
                    .map(|reference| self.victim(step, reference))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Target::Processes(fold_list(items)))
            }
            Objects::Anyone => Err(wrong_kind(
                step.operand.at,
                &format!("`{}` needs to know whom", step.verb.name()),
                "name a process or a thread",
            )),
        }
    }

    fn victim(&mut self, step: &Step, reference: &Reference) -> Result<Compiled, Failed> {
        let victim = self.reference(reference, Allow::Family)?;
        let is_mailbox = |value: &Value| {
            matches!(value, Value::Handle(Handle::Mailbox(_) | Handle::File { .. }))
        };
        let wrong = match &victim {
            Compiled::Constant(Value::List(list)) => list.items().iter().any(is_mailbox),
            Compiled::Constant(value) => is_mailbox(value),
            Compiled::MailboxMember { .. } => true,
            _ => false,
        };
        if wrong {
            return Err(wrong_kind(
                reference.at(),
                &format!("`{}` takes a process or a thread, this is a mailbox", step.verb.name()),
                "`destroy:` does away with a mailbox",
            ));
        }
        Ok(victim)
    }

    pub(super) fn joined(&mut self, step: &Step) -> Result<Threads, Failed> {
        let Arg::Objects(Objects::One(reference)) = &step.operand.value else {
            unreachable!("the reader gives `join` one name");
        };
        if let Some(threads) = self.threads_named(reference)? {
            return Ok(threads);
        }
        let Reference::Named { name, .. } = reference else {
            return Err(wrong_kind(
                step.operand.at,
                "`join` takes the name of a thread",
                "write the name that it was started under",
            ));
        };
        let known: Vec<&str> = self.threads.iter().map(String::as_str).collect();
        let list = known.join(", ");
        let called = &name.value;
        let diagnostic = Diagnostic::new(
            Code::UnknownName,
            name.at,
            format!("no thread of this process is called `{called}`"),
        );
        if self.names.processes().any(|process| process == called) {
            let until = format!(
                "to wait until process `{called}` has ended, write `receive: end` with `from: {called}` and `when: {{dead: []}}`"
            );
            return Err(Box::new(diagnostic.label("it is a process").help(until)));
        }
        Err(Box::new(
            diagnostic.did_you_mean(called, known).help(format!("its threads are {list}")),
        ))
    }

    /// The threads of this process that a name stands for, if it stands for threads.
    pub(super) fn threads_named(
        &mut self,
        reference: &Reference,
    ) -> Result<Option<Threads>, Failed> {
        let Reference::Named { name, index } = reference else { return Ok(None) };
        if !self.threads.contains(&name.value) || self.names.find(&name.value).is_some() {
            return Ok(None);
        }
        let index = match index {
            None => None,
            Some(index) => Some(self.expr(index)?),
        };
        Ok(Some(Threads { name: thread_name(self.machine, &name.value), index }))
    }

    // Parts of steps.

    pub(super) fn scoped<T>(
        &mut self,
        work: impl FnOnce(&mut Scope) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let inspections = Inspections { calls: Vec::new(), free: self.registers };
        let mut scope = Scope {
            names: self.names,
            variables: &self.variables,
            own: self.own,
            uses: Vec::new(),
            inspections: Some(inspections),
        };
        let result = work(&mut scope);
        let pc = Pc::at(self.machine.code.len());
        self.flow.uses.extend(scope.uses.into_iter().map(|(register, at)| (pc, register, at)));
        if let Some(Inspections { calls, free }) = scope.inspections {
            self.registers = free;
            for verb in calls {
                self.emit(Op::Call(Box::new(Call { verb, handlers: [].into() })));
            }
        }
        result
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Result<Compiled, Failed> {
        self.scoped(|scope| scope.expr(expr))
    }

    pub(super) fn reference(
        &mut self,
        reference: &Reference,
        allow: Allow,
    ) -> Result<Compiled, Failed> {
        self.scoped(|scope| scope.reference(reference, allow))
    }

    pub(super) fn operand_expr(&mut self, step: &Step) -> Result<Compiled, Failed> {
        match &step.operand.value {
            Arg::Expr(expr) => self.expr(expr),
            other => unreachable!("`{}` takes an expression, not {other:?}", step.verb.name()),
        }
    }

    pub(super) fn operand_object(&mut self, step: &Step) -> Result<Compiled, Failed> {
        match &step.operand.value {
            Arg::Objects(Objects::One(reference)) => self.reference(reference, Allow::OneObject),
            other => unreachable!("`{}` takes an object, not {other:?}", step.verb.name()),
        }
    }

    pub(super) fn operand_register(&self, step: &Step) -> Register {
        match &step.operand.value {
            Arg::Name(name) => self.register(name),
            other => unreachable!("`{}` takes a variable, not {other:?}", step.verb.name()),
        }
    }

    pub(super) fn object(
        &mut self,
        fields: &Fields,
        key: &str,
        allow: Allow,
    ) -> Result<Compiled, Failed> {
        match fields.get(key).map(|arg| &arg.value) {
            Some(Arg::Objects(Objects::One(reference))) => self.reference(reference, allow),
            other => unreachable!("`{key}` takes an object, not {other:?}"),
        }
    }

    pub(super) fn field_expr(&mut self, fields: &Fields, key: &str) -> Result<Compiled, Failed> {
        match fields.get(key).map(|arg| &arg.value) {
            Some(Arg::Expr(expr)) => self.expr(expr),
            other => unreachable!("`{key}` takes an expression, not {other:?}"),
        }
    }

    pub(super) fn optional(
        &mut self,
        fields: &Fields,
        key: &str,
    ) -> Result<Option<Compiled>, Failed> {
        match fields.get(key) {
            None => Ok(None),
            Some(_) => self.field_expr(fields, key).map(Some),
        }
    }

    pub(super) fn register_of_into(&self, fields: &Fields) -> Register {
        match fields.get("into").map(|arg| &arg.value) {
            Some(Arg::Name(name)) => self.register(name),
            other => unreachable!("`into` takes a variable, not {other:?}"),
        }
    }

    pub(super) fn register(&self, name: &str) -> Register {
        let place = self.variables.iter().position(|known| known == name);
        Register::at(place.expect("every variable that is set was collected"))
    }

    pub(super) fn wait(&mut self, fields: &Fields) -> Result<Wait, Failed> {
        Ok(match fields.get("wait").map(|arg| &arg.value) {
            Some(Arg::Wait(ast::Wait::Never)) => Wait::Never,
            Some(Arg::Wait(ast::Wait::For(time))) => Wait::For(self.time_of(time)?),
            _ => Wait::Forever,
        })
    }

    pub(super) fn time(&mut self, arg: &Arg) -> Result<Time, Failed> {
        match arg {
            Arg::Time(time) => self.time_of(time),
            other => unreachable!("a duration is expected, not {other:?}"),
        }
    }

    pub(super) fn time_of(&mut self, time: &ast::Time) -> Result<Time, Failed> {
        Ok(match time {
            ast::Time::Range(low, high) => Time::Span(Span { low_ns: *low, high_ns: *high }),
            ast::Time::Computed(expr) => Time::Computed(self.expr(expr)?),
        })
    }
}

fn wrong_kind(at: Place, message: &str, label: &str) -> Failed {
    Box::new(Diagnostic::new(Code::WrongType, at, message).label(label))
}
