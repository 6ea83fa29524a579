//! What regions of memory are called: as the scenario names them, at the step that is about them.

use ipcsim_kernel::object::space::Mapping;
use ipcsim_kernel::program::{Effect, Op, Region, Reply, Send, Transfer, TransferMode};
use ipcsim_kernel::{Expr, Handle, Machine, Pc, State, Value};

/// What a step calls the region that it is about, or makes: `buf`, `m.memory[0]`.
pub(crate) fn region_name(machine: &Machine, pc: Option<Pc>, region: Region) -> String {
    let words = || {
        let pc = pc?;
        let op = &machine.code[pc.index()];
        let variables = machine.variables_at(pc);
        let mut named = None;
        op.effects(&mut |effect| match effect {
            Effect::IsAbout(_, of) => named = as_written(of, variables),
            Effect::Writes(into) if !matches!(op, Op::Access(_)) => {
                named = variables.get(into.index()).cloned();
            }
            _ => {}
        });
        named
    };
    words().unwrap_or_else(|| machine.handle_name(Handle::Region(region)))
}

/// What a step calls a page; just the region if it has only this one.
pub(crate) fn page_name(
    (machine, state): (&Machine, &State),
    pc: Option<Pc>,
    (region, page): (Region, u32),
) -> String {
    let name = region_name(machine, pc, region);
    match state.mapping(region).map(Mapping::count) {
        Some(1) => name,
        _ => format!("{name}[{page}]"),
    }
}

/// A variable, or a part of one, as the scenario names it: `m.memory[0]`.
pub(crate) fn as_written(expr: &Expr, variables: &[String]) -> Option<String> {
    match expr {
        Expr::Variable(register) => variables.get(register.index()).cloned(),
        Expr::Field(of, field) => Some(format!("{}.{}", as_written(of, variables)?, field.word())),
        Expr::Element(list, index) => match &**index {
            Expr::Constant(Value::Int(index)) => {
                Some(format!("{}[{index}]", as_written(list, variables)?))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Why there is no such memory: what became of the region, as far as the text shows, by the name that the step has for it.
pub(crate) fn gone_words(machine: &Machine, pc: Pc) -> Option<String> {
    let variables = machine.variables_at(pc);
    let mut named = None;
    machine.code[pc.index()].effects(&mut |effect| {
        if let Effect::IsAbout(_, of) = effect {
            named = named.take().or_else(|| as_written(of, variables));
        }
    });
    let name = named?;
    let ends: Vec<String> = (0..machine.code.len())
        .map(Pc::at)
        .filter(|at| std::ptr::eq(machine.variables_at(*at), variables))
        .filter_map(|at| how_it_goes(machine, at, &name))
        .collect();
    // By another name it may have gone another way.
    let base = name.split(['.', '[']).next().unwrap_or_default();
    let has_this_name = |part: &Expr| match part {
        Expr::Variable(register) => variables.get(register.index()).is_some_and(|it| it == base),
        _ => false,
    };
    let is_copied = |at: Pc| match &machine.code[at.index()] {
        Op::Set(_, expr) => expr.contains(&has_this_name),
        Op::ForNext { rest, .. } => variables.get(rest.index()).is_some_and(|it| it == base),
        _ => false,
    };
    let mut own = (0..machine.code.len()).map(Pc::at);
    let has_other_names =
        own.any(|at| std::ptr::eq(machine.variables_at(at), variables) && is_copied(at));
    Some(match &ends[..] {
        [only] if !has_other_names => format!("bad address: {name} is gone: {only}"),
        _ => format!("bad address: {name} is not there any more"),
    })
}

/// What a step does to a region of this name, if its process has it no more afterwards.
fn how_it_goes(machine: &Machine, at: Pc, name: &str) -> Option<String> {
    let (op, variables) = (&machine.code[at.index()], machine.variables_at(at));
    let Op::Call(call) = op else { return None };
    let is_it = |of: &Expr| as_written(of, variables).as_deref() == Some(name);
    let (mut moved, mut is_about_it) = (false, false);
    op.effects(&mut |effect| match effect {
        Effect::Sends(Send { memory, .. }) | Effect::Answers(Reply { memory, .. }) => {
            let moves = |it: &Transfer| it.mode == TransferMode::Move && is_it(&it.region);
            moved |= memory.iter().any(moves);
        }
        Effect::IsAbout(_, of) => is_about_it |= is_it(of),
        _ => {}
    });
    let (verb, line) = (call.verb.word(), machine.line(at));
    let is_freed = is_about_it && op.may(|effect| matches!(effect, Effect::Frees));
    (moved || is_freed).then(|| match (moved, line) {
        (true, 0) => format!("a {verb} moved it"),
        (true, line) => format!("the {verb} in line {line} moved it"),
        (false, 0) => "it was freed".into(),
        (false, line) => format!("it was freed in line {line}"),
    })
}
