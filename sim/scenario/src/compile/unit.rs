//! One program: steps become operations, one after the other.

mod calls;
mod files;
mod memory;
mod names;
mod processes;
mod rights;

use ipcsim_kernel::program::{Call, CallWord, ImageVerb, LocalWord, Op, Verb, Word};
use ipcsim_kernel::{Expr as Code_, Function, Machine, Pc, Register, ThreadName, Variables};

use super::Lines;
use super::declare::Names;
use super::flow::{self, Flow};
use crate::ast::{Arg, Step};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Shape};
use crate::place::{BUILT_IN, Place, Placed};
use crate::table::Kind;

/// Where a compiled program begins, and how many registers it needs.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub pc: Pc,
    pub registers: u32,
}

/// The processes that a program forks, and where each begins.
pub(super) type Forks = Vec<(String, Entry)>;

/// What a program is compiled from.
pub(super) struct Text<'t> {
    pub steps: &'t [Step],
    /// Variables that are set from the start.
    pub parameters: &'t [&'t str],
    /// The threads that the process has besides those that the program starts: their names, and how many
    /// have each.
    pub threads: &'t [(String, u32)],
}

/// A program that is being compiled.
pub(super) struct Unit<'a> {
    names: &'a Names,
    machine: &'a mut Machine,
    lines: &'a Lines,
    found: &'a mut Vec<Diagnostic>,
    /// Where the processes begin that the program forks.
    forks: Vec<(String, Pc)>,
    variables: Vec<String>,
    registers: u32,
    threads: Vec<String>,
    own: &'a [(String, u32)],
    loops: Vec<Loop>,
    flow: Flow,
    line: u32,
}

/// A loop that is being compiled: where `continue` goes, and the jumps of `break` that wait for its end.
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
    // What another process does is not part of this one.
    let is_own = |key: &str| step.verb.word != Word::Call(CallWord::Spawn) || key != "do";
    let fields = step.fields.0.iter().filter(|(key, _)| is_own(key.value));
    for arg in operand.into_iter().chain(fields.map(|(_, arg)| arg)) {
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
        program: &Text<'a>,
        names: &'a Names,
        machine: &'a mut Machine,
        lines: &'a Lines,
        found: &'a mut Vec<Diagnostic>,
    ) -> (Entry, Forks) {
        let errors_before = found.len();
        let mut unit = Unit {
            names,
            machine,
            lines,
            found,
            forks: Vec::new(),
            variables: program.parameters.iter().map(|name| (*name).to_string()).collect(),
            registers: 0,
            threads: program.threads.iter().map(|(name, _)| name.clone()).collect(),
            own: program.threads,
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
        let Unit { machine, found, forks, variables, registers, flow, .. } = unit;
        let complete =
            found[errors_before..].iter().all(|d| d.severity == crate::Severity::Warning);
        let uses = if complete { flow::Uses::Checked } else { flow::Uses::Skipped };
        let used = flow::Registers { all: registers, parameters: known };
        flow::check(machine, &flow, &variables, used, uses, found);
        machine.symbols.variables.push(Variables { entry, names: variables });
        let begins = |(name, pc)| (name, Entry { pc, registers });
        (Entry { pc: entry, registers }, forks.into_iter().map(begins).collect())
    }

    /// Finds every variable that is set anywhere, and the name of every thread that is started.
    fn collect(&mut self, steps: &[Step]) {
        for step in steps {
            if let (Kind::Variable(_), Arg::Name(name)) = (step.verb.operand, &step.operand.value) {
                self.declare(name, step.operand.at);
            }
            if let Arg::Assignments(assignments) = &step.operand.value {
                for (name, _) in assignments {
                    self.declare(&name.value, name.at);
                }
            }
            for key in step.verb.all_keys().filter(|key| matches!(key.kind, Kind::Variable(_))) {
                if let Some(Placed { value: Arg::Name(name), at }) = step.fields.get(key.name) {
                    self.declare(name, *at);
                }
            }
            if let (Word::Call(CallWord::Thread), Arg::Name(name)) =
                (step.verb.word, &step.operand.value)
            {
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
        if let Some(object) = self.names.place(name)
            && at.source != BUILT_IN
        {
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

    /// Makes a jump go here, now that this place is known.
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
                self.look_inside(step);
            }
        }
    }

    /// Steps inside a step that has a mistake may have mistakes of their own.
    fn look_inside(&mut self, step: &Step) {
        // `break` and `continue` in them are no mistakes, and must lead somewhere.
        let next = self.here();
        self.loops.push(Loop { next, breaks: Vec::new() });
        for inner in inner_lists(step) {
            self.steps(inner);
        }
        let done = self.loops.pop().expect("the loop that was just begun");
        for jump in done.breaks {
            self.land(jump);
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), Failed> {
        match step.verb.word {
            Word::Call(CallWord::Thread) => self.thread(step)?,
            Word::Call(CallWord::Fork) => self.fork(step)?,
            Word::Call(word) => {
                let verb = self.verb(step, word)?;
                self.call(step, verb);
            }
            Word::Local(word) => self.local(step, word)?,
        }
        Ok(())
    }

    fn local(&mut self, step: &Step, word: LocalWord) -> Result<(), Failed> {
        match word {
            LocalWord::Compute => {
                let time = self.time(&step.operand.value)?;
                self.emit(Op::Compute(time));
            }
            LocalWord::Set => self.assign(step)?,
            LocalWord::Log => {
                // A line of the log is prose: only what can be nothing else counts as a variable.
                if let Arg::Expr(expr) = &step.operand.value
                    && let Shape::Text(text) = &expr.value
                    && self.looks_like_a_field(text)
                {
                    self.warn_of_name(expr, text, "field");
                }
                let text = self.operand_expr(step)?;
                self.emit(Op::Log(text));
            }
            LocalWord::Assert => {
                let condition = self.operand_expr(step)?;
                self.emit(Op::Assert(condition));
            }
            LocalWord::If => self.branch(step)?,
            LocalWord::Repeat => self.repeat(step)?,
            LocalWord::Forever => {
                let next = self.here();
                self.body(step.operand.value.steps(), next, None);
            }
            LocalWord::While => {
                let next = self.here();
                let condition = self.operand_expr(step)?;
                let test = self.emit(Op::Unless(condition, LATER));
                self.body(inner(step, "do"), next, Some(test));
            }
            LocalWord::For => self.for_each(step)?,
            LocalWord::Break | LocalWord::Continue => self.leave(step)?,
            LocalWord::Choose => self.choose(step),
            LocalWord::Read => self.read(step)?,
            LocalWord::Write => self.write(step)?,
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
            self.warn_of_names_in_list(expr);
            let value = self.expr(expr)?;
            let register = self.register(&name.value);
            self.emit(Op::Set(register, value));
        }
        Ok(())
    }

    /// A word that stands alone here is an expression, and objects go by their names; a word in a list is
    /// a text.
    fn warn_of_names_in_list(&mut self, expr: &Expr) {
        let Shape::List(items) = &expr.value else { return };
        for item in items {
            self.warn_of_names(item);
            if let Shape::Text(text) = &item.value
                && self.names.find(text).is_some()
            {
                self.warn_of_name(item, text, "object");
            }
        }
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
        if let Some(Arg::Expr(expr)) = step.fields.get("in").map(|arg| &arg.value) {
            self.warn_of_names_in_list(expr);
        }
        let list = self.field_expr(&step.fields, "in")?;
        let rest = self.hidden();
        self.emit(Op::Set(rest, Code_::Function(Function::Reversed, vec![list])));
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
                Diagnostic::new(Code::OutsideLoop, step.at, format!("`{}` stands outside of any loop", step.verb.name()))
                    .label("no loop to leave")
                    .help("loops are `repeat`, `forever`, `while` and `for`; a `thread` begins outside of them"),
            ));
        };
        if step.verb.word == Word::Local(LocalWord::Continue) {
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
        let verb = self.verb(step, CallWord::Thread)?;
        let call = self.call(step, verb);
        let begin = self.elsewhere(inner(step, "do"));
        if let Op::Call(call) = &mut self.machine.code[call.index()]
            && let Verb::StartThread { entry, .. } = &mut call.verb
        {
            *entry = begin;
        }
        Ok(())
    }

    fn fork(&mut self, step: &Step) -> Result<(), Failed> {
        let verb = self.verb(step, CallWord::Fork)?;
        let is_fork = matches!(verb, Verb::Image(_));
        let pc = self.call(step, verb);
        let begin = match step.fields.get("do") {
            Some(steps) => self.elsewhere(steps.value.steps()),
            None => match &self.machine.code[pc.index()] {
                Op::Call(call) => call.after_ok(pc),
                other => unreachable!("a call was emitted here, not {other:?}"),
            },
        };
        if let Op::Call(call) = &mut self.machine.code[pc.index()]
            && let Verb::Image(ImageVerb::Fork { entry, .. }) = &mut call.verb
            && step.fields.get("do").is_some()
        {
            *entry = Some(begin);
        }
        if let Arg::Name(child) = &step.operand.value
            && is_fork
        {
            self.forks.push((child.clone(), begin));
        }
        Ok(())
    }

    /// What another thread does, which is not this one's next step. Returns where it begins.
    fn elsewhere(&mut self, steps: &[Step]) -> Pc {
        let over = self.emit(Op::Jump(LATER));
        let begin = self.here();
        let outer = std::mem::take(&mut self.loops);
        self.steps(steps);
        self.emit(Op::End);
        self.loops = outer;
        self.land(over);
        begin
    }
}

fn inner<'a>(step: &'a Step, key: &str) -> &'a [Step] {
    step.fields.get(key).map_or(&[][..], |arg| arg.value.steps())
}
