//! Processes in the steps of a program: those that it makes, and the program that its own goes on with.

use ipcsim_kernel::program::{Image, ImageVerb, Spawn, Verb};
use ipcsim_kernel::{Outcome, Pc, ProcessId, Register};

use super::{Failed, Unit};
use crate::ast::{Arg, Fields, Step};
use crate::compile::declare::Object;
use crate::compile::resolve::{Compiled, constant};
use crate::compile::spawned::Child;
use crate::diagnostic::{Code, Diagnostic};

impl Unit<'_> {
    pub(super) fn spawn(&mut self, step: &Step) -> Result<Verb, Failed> {
        let fields = &step.fields;
        if fields.get("do").is_some() == fields.get("program").is_some() {
            let own = own_name(step);
            let diagnostic =
                Diagnostic::new(Code::MissingKey, step.at, format!("what does `{own}` do?"))
                    .label("give it either `do:` or `program:`");
            return Err(Box::new(diagnostic));
        }
        let Some((child, first)) = self.child(step) else { return Ok(Verb::Yield) };
        let with = self.values(fields, &child.parameters)?;
        Ok(Verb::Spawn(Box::new(self.made(step, (&child, first), with)?)))
    }

    pub(super) fn forked(&mut self, step: &Step) -> Result<Verb, Failed> {
        let Some((child, first)) = self.child(step) else { return Ok(Verb::Yield) };
        let child = Box::new(self.made(step, (&child, first), Vec::new())?);
        Ok(Verb::Image(ImageVerb::Fork { child, entry: None }))
    }

    /// The process that a step makes. Nothing if something else has its name, or its creator's, which has been reported.
    fn child(&self, step: &Step) -> Option<(Child, ProcessId)> {
        let own = own_name(step);
        match (self.names.children.get(own).cloned(), self.names.find(own)) {
            (Some(child), Some(Object::Process { first, .. })) => Some((child, first)),
            _ => None,
        }
    }

    fn made(
        &mut self,
        step: &Step,
        (child, first): (&Child, ProcessId),
        with: Vec<(Register, Compiled)>,
    ) -> Result<Spawn, Failed> {
        let fields = &step.fields;
        Ok(Spawn {
            first,
            each: child.each,
            into: fields.get("into").map(|_| self.register_of_into(fields)),
            with,
            rights: self.grants(fields)?,
        })
    }

    /// The values of the parameters that are given; an unknown one has been reported.
    fn values(
        &mut self,
        fields: &Fields,
        parameters: &[String],
    ) -> Result<Vec<(Register, Compiled)>, Failed> {
        let mut values = Vec::new();
        if let Some(Arg::Parameters(given)) = fields.get("with").map(|arg| &arg.value) {
            for (name, value) in given {
                let place = parameters.iter().position(|known| *known == name.value);
                let Some(place) = place else { continue };
                // As in a declaration, the name of an object stands for it.
                let value = match constant(self.names, value) {
                    Ok(value) => Compiled::Constant(value),
                    Err(_) => self.expr(value)?,
                };
                values.push((Register::at(place), value));
            }
        }
        Ok(values)
    }

    pub(super) fn exec(&mut self, step: &Step) -> Result<Verb, Failed> {
        let Arg::Name(wanted) = &step.operand.value else {
            unreachable!("the reader gives `exec` a name");
        };
        let names = self.names;
        let Some((program, parameters)) = names.programs.get(wanted) else {
            let is_handled = |outcome: Outcome| {
                step.handlers().iter().any(|handler| handler.outcome.value == outcome)
            };
            if is_handled(Outcome::NoSuchName) {
                return Ok(Verb::Image(ImageVerb::Exec(None)));
            }
            let what = format!("no program is called `{wanted}`");
            let diagnostic = Diagnostic::new(Code::UnknownName, step.operand.at, what)
                .did_you_mean(wanted, names.programs.keys().map(String::as_str))
                .help("an `exec` that handles `no-such-name` may name what is not there");
            return Err(Box::new(diagnostic));
        };
        let fields = &step.fields;
        if let Some(Arg::Parameters(given)) = fields.get("with").map(|arg| &arg.value) {
            for (name, _) in given.iter().filter(|(name, _)| !parameters.contains(&name.value)) {
                let what = format!("program `{wanted}` has no parameter `{}`", name.value);
                let known = parameters.iter().map(String::as_str);
                let diagnostic = Diagnostic::new(Code::Parameter, name.at, what);
                self.found.push(diagnostic.did_you_mean(&name.value, known));
            }
        }
        let with = self.values(fields, parameters)?;
        // Where it begins is known when all programs are compiled.
        let otherwise = names.otherwise;
        let image = Image { program: *program, entry: Pc(0), with, otherwise };
        Ok(Verb::Image(ImageVerb::Exec(Some(Box::new(image)))))
    }
}

/// The name of the process that a step makes.
fn own_name(step: &Step) -> &str {
    match &step.operand.value {
        Arg::Name(own) => own,
        other => unreachable!("the reader gives `{}` a name, not {other:?}", step.verb.name()),
    }
}
