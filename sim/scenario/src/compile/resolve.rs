//! Names in expressions and references: a variable, a word of the language, or a declared object.

mod functions;

use ipcsim_kernel::limits::LIST_ELEMENTS;
use ipcsim_kernel::{Expr as Code_, Field, Handle, MailboxId, ProcessId, Register, Unary, Value};

use super::declare::{Members, Names, Object};
use crate::ast::Reference;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Shape};
use crate::place::{Place, Placed};
use crate::table::synonyms::At;
use crate::word::RESERVED;
pub(super) use functions::Inspections;

/// The compiled form of an expression.
pub(super) type Compiled = ipcsim_kernel::Expr;
type Failed = Box<Diagnostic>;

/// The variables that an expression may use, and where it used them.
pub(super) struct Scope<'a> {
    pub names: &'a Names,
    pub variables: &'a [String],
    /// The threads that the same process starts with: their names, and how many have each.
    pub own: &'a [(String, u32)],
    pub uses: Vec<(Register, Place)>,
    /// What it must ask the kernel first, where it may.
    pub inspections: Option<Inspections>,
}

impl<'a> Scope<'a> {
    /// A scope without variables, for what is known before the run.
    fn of_constants(names: &'a Names) -> Self {
        Self { names, variables: &[], own: &[], uses: Vec::new(), inspections: None }
    }

    /// Compiles an expression.
    pub(super) fn expr(&mut self, expr: &Expr) -> Result<Compiled, Failed> {
        Ok(match &expr.value {
            Shape::Int(number) => Code_::Constant(Value::Int(*number)),
            Shape::Bool(truth) => Code_::Constant(Value::of_truth(*truth)),
            Shape::None => Code_::Constant(Value::None),
            Shape::Duration(ns) => {
                Code_::Constant(Value::Duration(i64::try_from(*ns).unwrap_or(i64::MAX)))
            }
            Shape::Text(text) => match Value::text(text) {
                Ok(value) => Code_::Constant(value),
                Err(_) => return Err(too_long(expr.at)),
            },
            Shape::Name(name) => self.name(name, expr.at)?,
            Shape::Index(of, index) => self.index(of, index)?,
            Shape::Field(of, field) => {
                let of = self.expr(of)?;
                Code_::Field(Box::new(of), message_field(field)?)
            }
            Shape::Unary(operator, of) => match (operator, self.expr(of)?) {
                (Unary::Minus, Code_::Constant(Value::Int(number))) if number != i64::MIN => {
                    Code_::Constant(Value::Int(-number))
                }
                (operator, of) => Code_::Unary(*operator, Box::new(of)),
            },
            Shape::Binary(operator, left, right) => {
                Code_::Binary(*operator, Box::new((self.expr(left)?, self.expr(right)?)))
            }
            Shape::Call(name, arguments) => self.call(name, arguments)?,
            Shape::List(items) if items.len() as u64 > LIST_ELEMENTS => {
                return Err(too_long_a_list("this list", expr.at));
            }
            Shape::List(items) => fold_list(self.exprs(items)?),
            Shape::Join(parts) => Code_::Join(self.exprs(parts)?),
        })
    }

    fn exprs(&mut self, items: &[Expr]) -> Result<Vec<Compiled>, Failed> {
        items.iter().map(|item| self.expr(item)).collect()
    }

    fn name(&mut self, name: &str, at: Place) -> Result<Compiled, Failed> {
        if let Some(register) = self.variable(name) {
            self.uses.push((register, at));
            return Ok(Code_::Variable(register));
        }
        match name {
            "me" => return Ok(Code_::Me),
            "index" => return Ok(Code_::Index),
            "thread-index" => return Ok(Code_::ThreadIndex),
            "status" => return Ok(Code_::Status),
            _ => {}
        }
        match self.names.find(name) {
            Some(object) => whole(object).map_err(|()| too_large_family(name, at)),
            None => Err(self.unknown_variable(name, at)),
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<Register> {
        self.variables.iter().position(|known| known == name).map(Register::at)
    }

    fn unknown_variable(&self, name: &str, at: Place) -> Failed {
        if RESERVED.contains(&name) {
            return Box::new(
                Diagnostic::new(Code::UnknownVariable, at, format!("`{name}` is not a value"))
                    .label("it cannot stand in an expression"),
            );
        }
        let known = self.variables.iter().map(String::as_str).chain(self.names.all()).chain([
            "me",
            "index",
            "thread-index",
            "status",
        ]);
        let diagnostic =
            Diagnostic::new(Code::UnknownVariable, at, format!("nothing here is called `{name}`"))
                .did_you_mean(name, known)
                .otherwise("neither a variable of this thread nor a declared object");
        Box::new(
            diagnostic
                .help("a text inside an expression needs quotes of its own: 'm.body == \"hello\"'"),
        )
    }

    /// `list[i]`, or a member of a family.
    fn index(&mut self, of: &Expr, index: &Expr) -> Result<Compiled, Failed> {
        if let Shape::Name(name) = &of.value
            && self.variable(name).is_none()
            && let Some(object) = self.names.find(name)
        {
            return self.member(&Placed::new(name.clone(), of.at), object, index);
        }
        Ok(Code_::Element(Box::new(self.expr(of)?), Box::new(self.expr(index)?)))
    }

    fn member(
        &mut self,
        name: &Placed<String>,
        object: Object,
        index: &Expr,
    ) -> Result<Compiled, Failed> {
        let members = match object {
            Object::Process { members, .. } | Object::Mailbox { members, .. } => members,
        };
        let Members::Many(count) = members else {
            return Err(Box::new(
                Diagnostic::new(
                    Code::Family,
                    index.at,
                    format!("`{}` is one object and has no members", name.value),
                )
                .label("remove the index")
                .help("only what is declared with `replicas:` has members"),
            ));
        };
        let compiled = self.expr(index)?;
        if let Code_::Constant(Value::Int(number)) = compiled {
            if !(1..=i64::from(count)).contains(&number) {
                return Err(Box::new(
                    Diagnostic::new(
                        Code::Family,
                        index.at,
                        format!("`{}` has members 1 to {count}, not {number}", name.value),
                    )
                    .label("replicas count from 1"),
                ));
            }
            let offset = u32::try_from(number - 1).expect("within the family");
            return Ok(Code_::Constant(Value::Handle(match object {
                Object::Process { first, .. } => Handle::Process(ProcessId(first.0 + offset)),
                Object::Mailbox { first, .. } => Handle::Mailbox(MailboxId(first.0 + offset)),
            })));
        }
        let index = Box::new(compiled);
        Ok(match object {
            Object::Process { family, .. } => Code_::ProcessMember(family, index),
            Object::Mailbox { first, .. } => Code_::MailboxMember { first, count, index },
        })
    }

    /// What `to`, `from` and the like name: an object, a member of a family, or a variable's handle.
    pub(super) fn reference(
        &mut self,
        reference: &Reference,
        one: Allow,
    ) -> Result<Compiled, Failed> {
        let (name, index) = match reference {
            Reference::Computed(expr) => {
                if let Shape::Name(name) = &expr.value
                    && self.variable(name).is_none()
                    && self.names.is_filed(name)
                {
                    return Err(only_by_path(name, expr.at));
                }
                return self.expr(expr);
            }
            Reference::Named { name, index } => (name, index),
        };
        if let Some(register) = self.variable(&name.value) {
            self.uses.push((register, name.at));
            let variable = Code_::Variable(register);
            return Ok(match index {
                None => variable,
                Some(index) => Code_::Element(Box::new(variable), Box::new(self.expr(index)?)),
            });
        }
        if name.value == "me" {
            return Ok(Code_::Me);
        }
        let Some(object) = self.names.find(&name.value) else {
            return Err(self.unknown_object(name));
        };
        if matches!(object, Object::Mailbox { .. }) && self.names.is_filed(&name.value) {
            return Err(only_by_path(&name.value, name.at));
        }
        match index {
            Some(index) => self.member(name, object, index),
            None => match (members(object), one) {
                (Members::Many(count), Allow::OneObject) => Err(Box::new(
                    Diagnostic::new(
                        Code::Family,
                        name.at,
                        format!("`{}` is a family of {count}; this needs one of them", name.value),
                    )
                    .label(format!("write `{0}[1]`, or `{0}[index]`", name.value)),
                )),
                _ => whole(object).map_err(|()| too_large_family(&name.value, name.at)),
            },
        }
    }

    fn unknown_object(&self, name: &Placed<String>) -> Failed {
        if RESERVED.contains(&name.value.as_str()) {
            return Box::new(
                Diagnostic::new(
                    Code::UnknownName,
                    name.at,
                    format!("`{}` is a word of the language, and no object", name.value),
                )
                .label("expected one mailbox or process"),
            );
        }
        let known = self.names.all().chain(self.variables.iter().map(String::as_str));
        let diagnostic = Diagnostic::new(
            Code::UnknownName,
            name.at,
            format!("no mailbox, process or variable is called `{}`", name.value),
        )
        .did_you_mean(&name.value, known)
        .otherwise(format!(
            "the declared names are {}",
            self.names.all().collect::<Vec<_>>().join(", ")
        ));
        Box::new(diagnostic)
    }
}

/// Whether a bare family name is allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Allow {
    OneObject,
    Family,
}

fn members(object: Object) -> Members {
    match object {
        Object::Process { members, .. } | Object::Mailbox { members, .. } => members,
    }
}

/// An object, or the list of all members of a family.
fn whole(object: Object) -> Result<Compiled, ()> {
    let handle = |offset: u32| match object {
        Object::Process { first, .. } => {
            Value::Handle(Handle::Process(ProcessId(first.0 + offset)))
        }
        Object::Mailbox { first, .. } => {
            Value::Handle(Handle::Mailbox(MailboxId(first.0 + offset)))
        }
    };
    match members(object) {
        Members::One => Ok(Code_::Constant(handle(0))),
        Members::Many(count) => {
            let handles = (0..count).map(handle).collect();
            Value::list(handles).map(Code_::Constant).map_err(|_| ())
        }
    }
}

/// A list of constants is one constant, whether its items are objects or families.
pub(super) fn fold_list(items: Vec<Compiled>) -> Compiled {
    let constants: Option<Vec<Value>> = items
        .iter()
        .map(|item| match item {
            Code_::Constant(value) => Some(value.clone()),
            _ => None,
        })
        .collect();
    match constants.map(Value::list) {
        Some(Ok(list)) => Code_::Constant(list),
        _ => Code_::List(items),
    }
}

pub(super) fn message_field(field: &Placed<String>) -> Result<Field, Failed> {
    Field::from_word(&field.value).ok_or_else(|| {
        let words: Vec<&str> = Field::ALL.iter().map(|field| field.word()).collect();
        let what = format!("a message has no field `{}`", field.value);
        Box::new(
            Diagnostic::new(Code::UnknownField, field.at, what)
                .did_you_mean_at(&field.value, At::Field, words.iter().copied())
                .help(format!("its fields are {}", words.join(" "))),
        )
    })
}

fn only_by_path(mailbox: &str, at: Place) -> Failed {
    Box::new(
        Diagnostic::new(
            Code::Files,
            at,
            format!("mailbox `{mailbox}` is reached through its path only"),
        )
        .label("`open:` the path, and use the variable that it gives"),
    )
}

fn too_long(at: Place) -> Failed {
    Box::new(
        Diagnostic::new(
            Code::TooMuch,
            at,
            format!("a text value has at most {} bytes", ipcsim_kernel::limits::TEXT_BYTES),
        )
        .label("give a message a `size:` instead of a long body"),
    )
}

fn too_large_family(name: &str, at: Place) -> Failed {
    too_long_a_list(&format!("`{name}`"), at)
}

fn too_long_a_list(what: &str, at: Place) -> Failed {
    Box::new(
        Diagnostic::new(Code::TooMuch, at, format!("{what} has too many members for a list"))
            .label(format!("a list has at most {LIST_ELEMENTS} elements")),
    )
}

/// A value that is known before the run: that of a parameter.
pub(super) fn constant(names: &Names, expr: &Expr) -> Result<Value, Failed> {
    let mut scope = Scope::of_constants(names);
    // A bare word that names an object is the object, so that mailboxes can be handed to programs.
    if let Shape::Text(text) = &expr.value
        && names.find(text).is_some()
        && expr.at.bytes().len() == text.len()
    {
        let name = Placed::new(Shape::Name(text.clone()), expr.at);
        return constant(names, &name);
    }
    match scope.expr(expr)? {
        Code_::Constant(value) => Ok(value),
        _ => Err(Box::new(
            Diagnostic::new(
                Code::Parameter,
                expr.at,
                "a parameter is a value that is known before the run",
            )
            .label("this has to be computed"),
        )),
    }
}

/// A value that is known before the run, and no object of the kernel.
pub(super) fn plain_value(names: &Names, expr: &Expr) -> Result<Value, Failed> {
    let told = |message| Diagnostic::new(Code::WrongType, expr.at, message);
    match Scope::of_constants(names).expr(expr)? {
        Code_::Constant(value) if !value.names_something() => Ok(value),
        Code_::Constant(_) => {
            let told = told("what a mailbox holds from the start names no object");
            Err(Box::new(told.label("write a text, a number, a truth value, `none`, or a list")))
        }
        _ => {
            let told = told("what a mailbox holds from the start is known before the run");
            Err(Box::new(told.label("this has to be computed")))
        }
    }
}

/// An object that is known before the run.
pub(super) fn constant_handle(names: &Names, reference: &Reference) -> Result<Handle, Failed> {
    let mut scope = Scope::of_constants(names);
    match scope.reference(reference, Allow::OneObject)? {
        Code_::Constant(Value::Handle(handle)) => Ok(handle),
        _ => Err(Box::new(
            Diagnostic::new(
                Code::WrongType,
                reference.at(),
                "an entry names a mailbox or a process",
            )
            .label("this has to be computed"),
        )),
    }
}
