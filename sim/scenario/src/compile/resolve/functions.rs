//! Functions in expressions. Most compute something; some name a port, or must ask the kernel first.

use ipcsim_kernel::program::{Inspection, Verb};
use ipcsim_kernel::{Expr as Code_, Function, Register, Value};

use super::{Compiled, Failed, Scope};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Shape};
use crate::place::{Place, Placed};
use crate::table::FUNCTIONS;
use crate::table::synonyms::At;

/// What is asked of the kernel before an expression is evaluated. Expressions read only variables,
/// so the answers are in hidden ones.
pub(in crate::compile) struct Inspections {
    /// The calls, in the order in which they are made.
    pub calls: Vec<Verb>,
    /// The first free register.
    pub free: u32,
}

impl Scope<'_> {
    pub(super) fn call(
        &mut self,
        name: &Placed<String>,
        arguments: &[Expr],
    ) -> Result<Compiled, Failed> {
        let Some((_, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name.value)
        else {
            let known = FUNCTIONS.iter().map(|(name, ..)| *name);
            return Err(Box::new(
                Diagnostic::new(
                    Code::Arguments,
                    name.at,
                    format!("no function is called `{}`", name.value),
                )
                .did_you_mean_at(&name.value, At::Function, known.clone())
                .help(format!("the functions are {}", known.collect::<Vec<_>>().join(" "))),
            ));
        };
        if !(*least..=*most).contains(&arguments.len()) {
            let takes = match (*least, *most) {
                (1, 1) => "1 argument".to_string(),
                (least, most) if least == most => format!("{least} arguments"),
                (least, _) => format!("{least} or more arguments"),
            };
            return Err(Box::new(
                Diagnostic::new(
                    Code::Arguments,
                    name.at,
                    format!(
                        "`{}` takes {takes}, but {}",
                        name.value,
                        crate::compile::given(arguments.len())
                    ),
                )
                .label("wrong number of arguments"),
            ));
        }
        if name.value == "thread-of" {
            return self.thread_of(&arguments[0]);
        }
        if let Some(what) = Inspection::from_word(&name.value) {
            return self.inspect(what, name.at, arguments);
        }
        let function = match name.value.as_str() {
            "len" => Function::Len,
            "min" => Function::Min,
            "max" => Function::Max,
            "push" => Function::Push,
            "pop-first" => Function::PopFirst,
            "count" => Function::Count,
            "all" => Function::All,
            "any" => Function::Any,
            "random" => Function::Random,
            "range" => Function::Range,
            "task-of" => Function::TaskOf,
            _ => Function::Now,
        };
        Ok(Code_::Function(function, self.exprs(arguments)?))
    }

    /// `thread-of(P)`, `thread-of(P.worker)`, `thread-of(P[2].worker[1])`: the port of a thread.
    fn thread_of(&mut self, thread: &Expr) -> Result<Compiled, Failed> {
        let (thread, index) = match &thread.value {
            Shape::Index(of, index) if matches!(of.value, Shape::Field(..)) => (&**of, Some(index)),
            _ => (thread, None),
        };
        let (process, wanted) = match &thread.value {
            Shape::Field(process, name) => (&**process, Some(name)),
            _ => (thread, None),
        };
        let own = match &process.value {
            Shape::Name(name) => name,
            Shape::Index(of, _) => match &of.value {
                Shape::Name(name) => name,
                _ => return Err(not_a_thread(thread.at, &[])),
            },
            _ => return Err(not_a_thread(thread.at, &[])),
        };
        let known = if own == "me" { self.own } else { self.names.threads_of(own) };
        let place = match wanted {
            Some(wanted) => known.iter().position(|(name, _)| *name == wanted.value),
            None => (known.len() == 1).then_some(0),
        };
        let Some(place) = place else {
            return Err(not_a_thread(wanted.map_or(thread.at, |wanted| wanted.at), known));
        };
        let count = known[place].1;
        let first = known[..place].iter().map(|(_, count)| count).sum();
        let index = match index {
            Some(index) => self.expr(index)?,
            None if count == 1 => Code_::int(1),
            None => return Err(not_a_thread(thread.at, known)),
        };
        if let Code_::Constant(Value::Int(number)) = index
            && !(1..=i64::from(count)).contains(&number)
        {
            let name = &known[place].0;
            let message = format!("`{own}.{name}` has members 1 to {count}, not {number}");
            let diagnostic = Diagnostic::new(Code::Family, thread.at, message);
            return Err(Box::new(diagnostic.label("replicas count from 1")));
        }
        let compiled = self.expr(process)?;
        if matches!(compiled, Code_::Constant(Value::List(_))) {
            let message = format!("`{own}` is a family; this needs one of them");
            let diagnostic = Diagnostic::new(Code::Family, process.at, message);
            return Err(Box::new(diagnostic.label(format!("write `{own}[1]`"))));
        }
        let process = Box::new(compiled);
        Ok(Code_::ThreadOf { process, first, count, index: Box::new(index) })
    }

    fn inspect(
        &mut self,
        what: Inspection,
        at: Place,
        arguments: &[Expr],
    ) -> Result<Compiled, Failed> {
        let of = self.expr(&arguments[0])?;
        if matches!(of, Code_::Constant(Value::List(_))) {
            let message = format!("`{}` looks at one name", what.word());
            let diagnostic = Diagnostic::new(Code::Family, arguments[0].at, message);
            return Err(Box::new(diagnostic.label("this is a family; write which member")));
        }
        let Some(Inspections { calls, free }) = &mut self.inspections else {
            return Err(Box::new(
                Diagnostic::new(
                    Code::Arguments,
                    at,
                    format!("`{}` asks the kernel, which only a step can do", what.word()),
                )
                .label("not known here"),
            ));
        };
        let into = Register(*free);
        *free += 1;
        calls.push(Verb::Inspect { what, of, into });
        Ok(Code_::Variable(into))
    }
}

fn not_a_thread(at: Place, known: &[(String, u32)]) -> Failed {
    let shown = |(name, count): &(String, u32)| match count {
        1 => format!("`{name}`"),
        count => format!("`{name}[1]` to `{name}[{count}]`"),
    };
    let known: Vec<String> = known.iter().map(shown).collect();
    let diagnostic =
        Diagnostic::new(Code::UnknownName, at, "this names no thread that a process starts with")
            .label("write `P` for the only thread of P, else `P.worker`, or `P.worker[2]`");
    Box::new(match &known[..] {
        [] => diagnostic,
        some => diagnostic.help(format!("its threads are {}", some.join(", "))),
    })
}
