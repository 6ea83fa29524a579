//! One program: steps become operations, one after the other.

use ipcsim_kernel::program::{Call, From, Op, Receive, Send, Target, Threads, Time, Verb, Wait};
use ipcsim_kernel::{Access, Machine, Outcome, Pc, Register, Span, ThreadName, Value};

use super::declare::Names;
use super::flow::{self, Flow};
use super::resolve::{Allow, Compiled, Scope};
use super::{Lines, capacity, order, pick, unsigned, word};
use crate::ast::{self, Arg, Fields, Objects, Reference, Step};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};

/// Where a compiled program begins, and how many registers it needs.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub pc: Pc,
    pub registers: u32,
}

/// What a program is compiled from.
pub(super) struct Text<'t> {
    pub steps: &'t [Step],
    /// Variables that are set from the start.
    pub parameters: &'t [&'t str],
    /// The names of threads that the process has besides those that the program starts.
    pub threads: &'t [String],
}

/// A program under way.
pub(super) struct Unit<'a> {
    names: &'a Names,
    machine: &'a mut Machine,
    lines: &'a Lines,
    found: &'a mut Vec<Diagnostic>,
    variables: Vec<String>,
    registers: u32,
    threads: Vec<String>,
    loops: Vec<Loop>,
    flow: Flow,
    line: u32,
}

/// A loop under way: where `continue` goes, and the jumps of `break` that wait for its end.
struct Loop {
    next: Pc,
    breaks: Vec<Pc>,
}

/// A place that is not known yet.
const LATER: Pc = Pc(u32::MAX);

type Failed = Box<Diagnostic>;

/// The lists of steps inside a step.
pub(super) fn inner_lists(step: &Step) -> Vec<&[Step]> {
    let mut lists: Vec<&[Step]> = Vec::new();
    let operand = [&step.operand];
    for arg in operand.into_iter().chain(step.fields.0.iter().map(|(_, arg)| arg)) {
        match &arg.value {
            Arg::Steps(steps) => lists.push(steps),
            Arg::Branches(branches) => lists.extend(branches.iter().map(Vec::as_slice)),
            Arg::Handlers(handlers) => {
                lists.extend(handlers.iter().map(|handler| handler.steps.as_slice()));
            }
            _ => {}
        }
    }
    lists
}

/// The number of a thread's name; equal names have equal numbers.
pub(super) fn thread_name(machine: &mut Machine, name: &str) -> ThreadName {
    let names = &mut machine.symbols.threads;
    let known = names.iter().position(|known| known == name);
    ThreadName::at(known.unwrap_or_else(|| {
        names.push(name.to_string());
        names.len() - 1
    }))
}

impl<'a> Unit<'a> {
    pub(super) fn compile(
        program: &Text,
        names: &'a Names,
        machine: &'a mut Machine,
        lines: &'a Lines,
        found: &'a mut Vec<Diagnostic>,
    ) -> Entry {
        let errors_before = found.len();
        let mut unit = Unit {
            names,
            machine,
            lines,
            found,
            variables: program.parameters.iter().map(|name| (*name).to_string()).collect(),
            registers: 0,
            threads: program.threads.to_vec(),
            loops: Vec::new(),
            flow: Flow::at(Pc(0)),
            line: 0,
        };
        unit.collect(program.steps);
        unit.registers = u32::try_from(unit.variables.len()).expect("files are limited");
        let entry = unit.here();
        unit.flow = Flow::at(entry);
        unit.steps(program.steps);
        unit.emit(Op::End);
        let known = program.parameters.len();
        let Unit { machine, found, variables, registers, flow, .. } = unit;
        let complete =
            found[errors_before..].iter().all(|d| d.severity == crate::Severity::Warning);
        let uses = if complete { flow::Uses::Checked } else { flow::Uses::Skipped };
        let used = flow::Registers { all: registers, parameters: known };
        flow::check(machine, &flow, &variables, used, uses, found);
        Entry { pc: entry, registers }
    }

    /// Finds every variable that is set anywhere, and the name of every thread that is started.
    fn collect(&mut self, steps: &[Step]) {
        for step in steps {
            if let ("receive" | "select" | "for" | "create", Arg::Name(name)) =
                (step.verb.name, &step.operand.value)
            {
                self.declare(name, step.operand.at);
            }
            if let Arg::Assignments(assignments) = &step.operand.value {
                for (name, _) in assignments {
                    self.declare(&name.value, name.at);
                }
            }
            if let Some(Placed { value: Arg::Name(name), at }) = step.fields.get("into") {
                self.declare(name, *at);
            }
            if let ("thread", Arg::Name(name)) = (step.verb.name, &step.operand.value) {
                self.threads.push(name.clone());
            }
            for inner in inner_lists(step) {
                self.collect(inner);
            }
        }
    }

    fn declare(&mut self, name: &str, at: Place) {
        if self.variables.iter().any(|known| known == name) {
            return;
        }
        if let Some(object) = self.names.place(name) {
            self.found.push(
                Diagnostic::new(
                    Code::NameTwice,
                    at,
                    format!("the variable `{name}` has the name of a declared object"),
                )
                .label("choose another name")
                .related(object, "declared here"),
            );
        }
        self.variables.push(name.to_string());
    }

    // Emitting.

    fn here(&self) -> Pc {
        Pc::at(self.machine.code.len())
    }

    fn emit(&mut self, op: Op) -> Pc {
        let pc = self.here();
        self.machine.code.push(op);
        self.machine.symbols.lines.push(self.line);
        pc
    }

    /// Lets a jump go here, now that it is known where here is.
    fn land(&mut self, jump: Pc) {
        let here = self.here();
        match &mut self.machine.code[jump.index()] {
            Op::Jump(to)
            | Op::Unless(_, to)
            | Op::RepeatNext { end: to, .. }
            | Op::ForNext { end: to, .. } => *to = here,
            other => unreachable!("only jumps are completed later, not {other:?}"),
        }
    }

    fn hidden(&mut self) -> Register {
        self.registers += 1;
        Register(self.registers - 1)
    }

    // Steps.

    fn steps(&mut self, steps: &[Step]) {
        let mut before = None;
        for step in steps {
            self.line = self.lines.line(step.at);
            let pc = self.here();
            self.flow.steps.push(flow::Start { pc, at: step.at, before });
            before = Some(pc);
            if let Err(diagnostic) = self.step(step) {
                self.found.push(*diagnostic);
            }
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), Failed> {
        match step.verb.name {
            "compute" => {
                let time = self.time(&step.operand.value)?;
                self.emit(Op::Compute(time));
            }
            "set" => self.assign(step)?,
            "log" => {
                let text = self.operand_expr(step)?;
                self.emit(Op::Log(text));
            }
            "assert" => {
                let condition = self.operand_expr(step)?;
                self.emit(Op::Assert(condition));
            }
            "if" => self.branch(step)?,
            "repeat" => self.repeat(step)?,
            "forever" => {
                let next = self.here();
                self.body(step.operand.value.steps(), next, None);
            }
            "while" => {
                let next = self.here();
                let condition = self.operand_expr(step)?;
                let test = self.emit(Op::Unless(condition, LATER));
                self.body(inner(step, "do"), next, Some(test));
            }
            "for" => self.for_each(step)?,
            "break" | "continue" => self.leave(step)?,
            "choose" => self.choose(step),
            "thread" => self.thread(step)?,
            _ => {
                let verb = self.verb(step)?;
                self.call(step, verb);
            }
        }
        Ok(())
    }

    fn call(&mut self, step: &Step, verb: Verb) -> Pc {
        let pc = self.emit(Op::Call(Box::new(Call { verb, handlers: [].into() })));
        let handlers = step.handlers();
        if handlers.is_empty() {
            return pc;
        }
        let mut places = Vec::new();
        let mut jumps = vec![self.emit(Op::Jump(LATER))];
        for handler in handlers {
            Flow::check_handler(step, handler, self.found);
            places.push((handler.outcome.value, self.here()));
            self.steps(&handler.steps);
            jumps.push(self.emit(Op::Jump(LATER)));
        }
        for jump in jumps {
            self.land(jump);
        }
        match &mut self.machine.code[pc.index()] {
            Op::Call(call) => call.handlers = places.into(),
            other => unreachable!("a call was emitted here, not {other:?}"),
        }
        pc
    }

    fn assign(&mut self, step: &Step) -> Result<(), Failed> {
        let Arg::Assignments(assignments) = &step.operand.value else { return Ok(()) };
        for (name, expr) in assignments {
            let value = self.expr(expr)?;
            let register = self.register(&name.value);
            self.emit(Op::Set(register, value));
        }
        Ok(())
    }

    fn branch(&mut self, step: &Step) -> Result<(), Failed> {
        let condition = self.operand_expr(step)?;
        let test = self.emit(Op::Unless(condition, LATER));
        self.steps(inner(step, "then"));
        if step.fields.get("else").is_none() {
            self.land(test);
            return Ok(());
        }
        let over = self.emit(Op::Jump(LATER));
        self.land(test);
        self.steps(inner(step, "else"));
        self.land(over);
        Ok(())
    }

    fn repeat(&mut self, step: &Step) -> Result<(), Failed> {
        let rounds = self.operand_expr(step)?;
        let counter = self.hidden();
        self.emit(Op::RepeatStart { counter, rounds });
        let next = self.emit(Op::RepeatNext { counter, end: LATER });
        self.body(inner(step, "do"), next, Some(next));
        Ok(())
    }

    fn for_each(&mut self, step: &Step) -> Result<(), Failed> {
        let Arg::Name(name) = &step.operand.value else { return Ok(()) };
        let list = self.field_expr(&step.fields, "in")?;
        let rest = self.hidden();
        self.emit(Op::Set(rest, list));
        let item = self.register(name);
        let next = self.emit(Op::ForNext { rest, item, end: LATER });
        self.body(inner(step, "do"), next, Some(next));
        Ok(())
    }

    /// The body of a loop, and the jump back. `test` is the operation that leaves the loop.
    fn body(&mut self, steps: &[Step], next: Pc, test: Option<Pc>) {
        self.loops.push(Loop { next, breaks: Vec::new() });
        self.steps(steps);
        self.emit(Op::Jump(next));
        let done = self.loops.pop().expect("the loop that was just begun");
        for jump in done.breaks.into_iter().chain(test) {
            self.land(jump);
        }
    }

    fn leave(&mut self, step: &Step) -> Result<(), Failed> {
        let Some(current) = self.loops.last() else {
            return Err(Box::new(
                Diagnostic::new(Code::OutsideLoop, step.at, format!("`{}` stands outside of any loop", step.verb.name))
                    .label("no loop to leave")
                    .help("loops are `repeat`, `forever`, `while` and `for`; a `thread` begins outside of them"),
            ));
        };
        if step.verb.name == "continue" {
            let next = current.next;
            self.emit(Op::Jump(next));
        } else {
            let jump = self.emit(Op::Jump(LATER));
            self.loops.last_mut().expect("looked at above").breaks.push(jump);
        }
        Ok(())
    }

    fn choose(&mut self, step: &Step) {
        let Arg::Branches(branches) = &step.operand.value else { return };
        let choice = self.emit(Op::Choose([].into()));
        let mut places = Vec::new();
        let mut jumps = Vec::new();
        for branch in branches {
            places.push(self.here());
            self.steps(branch);
            jumps.push(self.emit(Op::Jump(LATER)));
        }
        for jump in jumps {
            self.land(jump);
        }
        self.machine.code[choice.index()] = Op::Choose(places.into());
    }

    fn thread(&mut self, step: &Step) -> Result<(), Failed> {
        let Arg::Name(name) = &step.operand.value else { return Ok(()) };
        let name = thread_name(self.machine, name);
        let call = self.call(step, Verb::StartThread { name, entry: LATER });
        let over = self.emit(Op::Jump(LATER));
        let entry = self.here();
        if let Op::Call(call) = &mut self.machine.code[call.index()] {
            call.verb = Verb::StartThread { name, entry };
        }
        let outer = std::mem::take(&mut self.loops);
        self.steps(inner(step, "do"));
        self.emit(Op::End);
        self.loops = outer;
        self.land(over);
        Ok(())
    }

    // System calls.

    fn verb(&mut self, step: &Step) -> Result<Verb, Failed> {
        let fields = &step.fields;
        Ok(match step.verb.name {
            "send" => Verb::Send(self.send(step)?),
            "call" => {
                let request = self.send(step)?;
                Verb::Call { request, into: self.register_of_into(fields) }
            }
            "receive" => Verb::Receive(self.receive(step)?),
            "reply" => {
                let to = self.object(fields, "to", Allow::OneObject)?;
                let body = self.message_body(step)?;
                Verb::Reply { to, body, size: self.optional(fields, "size")? }
            }
            "select" => {
                let among = match self.sources(fields, "among")? {
                    From::These(among) => among,
                    From::Anyone => {
                        let at = fields.get("among").map_or(step.at, |arg| arg.at);
                        return Err(Box::new(
                            Diagnostic::new(
                                Code::WrongType,
                                at,
                                "`select` needs sources that it can name in its answer",
                            )
                            .label("list them instead of `anyone`"),
                        ));
                    }
                };
                Verb::Select { into: self.operand_register(step), among, wait: self.wait(fields)? }
            }
            "sleep" => Verb::Sleep(self.time(&step.operand.value)?),
            "yield" => Verb::Yield,
            "exit" => Verb::Exit(self.operand_expr(step)?),
            "kill" => Verb::Kill(self.victims(step)?),
            "join" => Verb::Join { threads: self.joined(step)?, wait: self.wait(fields)? },
            "create" => Verb::Create {
                into: self.operand_register(step),
                capacity: capacity(fields, "capacity"),
                order: order(fields),
                receiver: pick(fields, "receiver"),
                max_size: unsigned(fields, "max-size"),
            },
            "destroy" => Verb::Destroy(self.operand_object(step)?),
            "register" => {
                let object = self.operand_object(step)?;
                Verb::Register { object, name: self.field_expr(fields, "as")? }
            }
            "unregister" => Verb::Unregister(self.operand_expr(step)?),
            "lookup" => {
                let wait = match fields.get("wait") {
                    None => Wait::Never,
                    Some(_) => self.wait(fields)?,
                };
                Verb::Lookup {
                    name: self.operand_expr(step)?,
                    into: self.register_of_into(fields),
                    wait,
                }
            }
            "open" => {
                let access = match word(fields, "mode") {
                    Some("read") => Access::Read,
                    _ => Access::Write,
                };
                self.check_path(step)?;
                Verb::Open {
                    path: self.operand_expr(step)?,
                    into: self.register_of_into(fields),
                    access,
                }
            }
            other => unreachable!("the verb `{other}` is in the table, and nowhere else"),
        })
    }

    fn send(&mut self, step: &Step) -> Result<Send, Failed> {
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
            wait: self.wait(fields)?,
        })
    }

    /// A body is text, never a variable; one that looks like a variable gets a warning.
    fn message_body(&mut self, step: &Step) -> Result<Compiled, Failed> {
        if let Arg::Expr(Placed { value: crate::expr::Shape::Text(text), at }) = &step.operand.value
            && self.variables.contains(text)
            // In quotes it is meant as a text.
            && at.bytes().len() == text.len()
        {
            self.found.push(
                Diagnostic::new(
                    Code::LooksLikeVariable,
                    *at,
                    format!("this sends the text \"{text}\", not the variable `{text}`"),
                )
                .label(format!("write `${{{text}}}` for its value"))
                .help("put it in quotes, or rename the variable, if the text is meant"),
            );
        }
        self.operand_expr(step)
    }

    fn receive(&mut self, step: &Step) -> Result<Receive, Failed> {
        let fields = &step.fields;
        Ok(Receive {
            into: self.operand_register(step),
            from: self.sources(fields, "from")?,
            kind: self.optional(fields, "type")?,
            wait: self.wait(fields)?,
            max_size: self.optional(fields, "max-size")?,
        })
    }

    fn sources(&mut self, fields: &Fields, key: &str) -> Result<From, Failed> {
        match fields.get(key).map(|arg| &arg.value) {
            Some(Arg::Objects(Objects::One(reference))) => {
                Ok(From::These(self.reference(reference, Allow::Family)?))
            }
            Some(Arg::Objects(Objects::Several(references))) => {
                let items = references
                    .iter()
                    .map(|reference| self.reference(reference, Allow::Family))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(From::These(constant_list(items)))
            }
            _ => Ok(From::Anyone),
        }
    }

    fn victims(&mut self, step: &Step) -> Result<Target, Failed> {
        let Arg::Objects(objects) = &step.operand.value else {
            unreachable!("the reader gives `kill` objects");
        };
        match objects {
            Objects::One(reference) => match self.threads_named(reference)? {
                Some(threads) => Ok(Target::Threads(threads)),
                None => Ok(Target::Processes(self.reference(reference, Allow::Family)?)),
            },
            Objects::Several(references) => {
                let items = references
                    .iter()
                    .map(|reference| self.reference(reference, Allow::Family))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Target::Processes(constant_list(items)))
            }
            Objects::Anyone => Err(Box::new(
                Diagnostic::new(Code::WrongType, step.operand.at, "`kill` needs to know whom")
                    .label("name a process or a thread"),
            )),
        }
    }

    fn joined(&mut self, step: &Step) -> Result<Threads, Failed> {
        let Arg::Objects(Objects::One(reference)) = &step.operand.value else {
            unreachable!("the reader gives `join` one name");
        };
        if let Some(threads) = self.threads_named(reference)? {
            return Ok(threads);
        }
        let Reference::Named { name, .. } = reference else {
            return Err(Box::new(
                Diagnostic::new(
                    Code::WrongType,
                    step.operand.at,
                    "`join` takes the name of a thread",
                )
                .label("write the name that it was started under"),
            ));
        };
        let known: Vec<&str> = self.threads.iter().map(String::as_str).collect();
        let list = known.join(", ");
        Err(Box::new(
            Diagnostic::new(
                Code::UnknownName,
                name.at,
                format!("no thread of this process is called `{}`", name.value),
            )
            .did_you_mean(&name.value, known)
            .help(format!("its threads are {list}")),
        ))
    }

    /// The threads of this process that a name stands for, if it stands for threads.
    fn threads_named(&mut self, reference: &Reference) -> Result<Option<Threads>, Failed> {
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

    /// A path that is written down must be one of the scenario's.
    fn check_path(&mut self, step: &Step) -> Result<(), Failed> {
        let Arg::Expr(Placed { value: crate::expr::Shape::Text(path), at }) = &step.operand.value
        else {
            return Ok(());
        };
        if self.machine.files.iter().any(|file| file.path.as_ref() == path.as_str()) {
            return Ok(());
        }
        // A handler for `no-such-name` says that the author knows.
        if step.handlers().iter().any(|handler| handler.outcome.value == Outcome::NoSuchName) {
            return Ok(());
        }
        let known: Vec<String> =
            self.machine.files.iter().map(|file| file.path.to_string()).collect();
        let list = known.join(" ");
        Err(Box::new(
            Diagnostic::new(Code::UnknownName, *at, format!("no file has the path `{path}`"))
                .did_you_mean(path, known.iter().map(String::as_str))
                .help(if list.is_empty() {
                    "paths are declared in `files:`".to_string()
                } else {
                    format!("the files are {list}")
                }),
        ))
    }

    // Parts of steps.

    fn scoped<T>(
        &mut self,
        work: impl FnOnce(&mut Scope) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let mut scope = Scope { names: self.names, variables: &self.variables, uses: Vec::new() };
        let result = work(&mut scope);
        let pc = Pc::at(self.machine.code.len());
        self.flow.uses.extend(scope.uses.into_iter().map(|(register, at)| (pc, register, at)));
        result
    }

    fn expr(&mut self, expr: &crate::expr::Expr) -> Result<Compiled, Failed> {
        self.scoped(|scope| scope.expr(expr))
    }

    fn reference(&mut self, reference: &Reference, allow: Allow) -> Result<Compiled, Failed> {
        self.scoped(|scope| scope.reference(reference, allow))
    }

    fn operand_expr(&mut self, step: &Step) -> Result<Compiled, Failed> {
        match &step.operand.value {
            Arg::Expr(expr) => self.expr(expr),
            other => unreachable!("`{}` takes an expression, not {other:?}", step.verb.name),
        }
    }

    fn operand_object(&mut self, step: &Step) -> Result<Compiled, Failed> {
        match &step.operand.value {
            Arg::Objects(Objects::One(reference)) => self.reference(reference, Allow::OneObject),
            other => unreachable!("`{}` takes an object, not {other:?}", step.verb.name),
        }
    }

    fn operand_register(&self, step: &Step) -> Register {
        match &step.operand.value {
            Arg::Name(name) => self.register(name),
            other => unreachable!("`{}` takes a variable, not {other:?}", step.verb.name),
        }
    }

    fn object(&mut self, fields: &Fields, key: &str, allow: Allow) -> Result<Compiled, Failed> {
        match fields.get(key).map(|arg| &arg.value) {
            Some(Arg::Objects(Objects::One(reference))) => self.reference(reference, allow),
            other => unreachable!("`{key}` takes an object, not {other:?}"),
        }
    }

    fn field_expr(&mut self, fields: &Fields, key: &str) -> Result<Compiled, Failed> {
        match fields.get(key).map(|arg| &arg.value) {
            Some(Arg::Expr(expr)) => self.expr(expr),
            other => unreachable!("`{key}` takes an expression, not {other:?}"),
        }
    }

    fn optional(&mut self, fields: &Fields, key: &str) -> Result<Option<Compiled>, Failed> {
        match fields.get(key) {
            None => Ok(None),
            Some(_) => self.field_expr(fields, key).map(Some),
        }
    }

    fn register_of_into(&self, fields: &Fields) -> Register {
        match fields.get("into").map(|arg| &arg.value) {
            Some(Arg::Name(name)) => self.register(name),
            other => unreachable!("`into` takes a variable, not {other:?}"),
        }
    }

    fn register(&self, name: &str) -> Register {
        let place = self.variables.iter().position(|known| known == name);
        Register::at(place.expect("every variable that is set was collected"))
    }

    fn wait(&mut self, fields: &Fields) -> Result<Wait, Failed> {
        Ok(match fields.get("wait").map(|arg| &arg.value) {
            Some(Arg::Wait(ast::Wait::Never)) => Wait::Never,
            Some(Arg::Wait(ast::Wait::For(time))) => Wait::For(self.time_of(time)?),
            _ => Wait::Forever,
        })
    }

    fn time(&mut self, arg: &Arg) -> Result<Time, Failed> {
        match arg {
            Arg::Time(time) => self.time_of(time),
            other => unreachable!("a duration is expected, not {other:?}"),
        }
    }

    fn time_of(&mut self, time: &ast::Time) -> Result<Time, Failed> {
        Ok(match time {
            ast::Time::Range(low, high) => Time::Span(Span { low_ns: *low, high_ns: *high }),
            ast::Time::Computed(expr) => Time::Computed(self.expr(expr)?),
        })
    }
}

/// A list of constants is one constant, whether its items are objects or families.
fn constant_list(items: Vec<Compiled>) -> Compiled {
    let constants: Option<Vec<Value>> = items
        .iter()
        .map(|item| match item {
            Compiled::Constant(value) => Some(value.clone()),
            _ => None,
        })
        .collect();
    match constants.map(Value::list) {
        Some(Ok(list)) => Compiled::Constant(list),
        _ => Compiled::List(items),
    }
}

fn inner<'a>(step: &'a Step, key: &str) -> &'a [Step] {
    step.fields.get(key).map_or(&[][..], |arg| arg.value.steps())
}
