//! What regions of memory are called: as the scenario names them, at the step that is about them.

use ipcsim_kernel::object::space::Mapping;
use ipcsim_kernel::program::{Effect, Op, Region};
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
