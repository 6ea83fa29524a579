//! Claims are checked for sense: who is named in them must exist.

use super::declare::{Members, Names, Object};
use super::unit::inner_lists;
use crate::ast::{Arg, BlockedName, HowMany, Scenario, Step, What};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Shape};
use crate::place::Placed;

pub(super) fn check(scenario: &Scenario, names: &Names, found: &mut Vec<Diagnostic>) {
    for claim in &scenario.claims {
        for blocked in claim.blocked.iter().flatten() {
            check_blocked(blocked, names, found);
        }
        if claim.blocked.is_some() && !matches!(claim.what, What::Outcome(_)) {
            found.push(
                Diagnostic::new(
                    Code::BadClaim,
                    claim.at,
                    "`blocked` belongs to a claim about an outcome",
                )
                .label("this claim is about something else"),
            );
        }
        match &claim.what {
            What::Always(condition) | What::Eventually(condition) => {
                check_condition(condition, scenario, names, found);
            }
            What::Outcome(_) | What::AtMost(_) | What::AtLeast(_) => {}
        }
    }
}

fn check_blocked(blocked: &BlockedName, names: &Names, found: &mut Vec<Diagnostic>) {
    let name = &blocked.name;
    let wanted = name.value.as_str();
    let problem = match names.find(wanted) {
        Some(Object::Process { members, .. }) => {
            match (members, blocked.member, blocked.how_many) {
                (Members::One, Some(_), _) | (Members::One, None, HowMany::Any) => {
                    Some(format!("`{wanted}` is one process"))
                }
                (Members::Many(count), Some(member), _) if member == 0 || member > count => {
                    Some(format!("`{wanted}` has members 1 to {count}"))
                }
                _ => None,
            }
        }
        Some(Object::Mailbox { .. }) => Some(format!("`{wanted}` is a mailbox, not a process")),
        None => {
            found.push(
                Diagnostic::new(
                    Code::UnknownName,
                    name.at,
                    format!("no process is called `{wanted}`"),
                )
                .did_you_mean(wanted, names.processes()),
            );
            None
        }
    };
    if let Some(problem) = problem {
        found.push(
            Diagnostic::new(Code::Family, name.at, problem)
                .label("expected `P1`, `clients`, `clients[2]` or `any(clients)`"),
        );
    }
}

/// A condition over states names processes, their variables, mailboxes and `kernel.used`.
fn check_condition(expr: &Expr, scenario: &Scenario, names: &Names, found: &mut Vec<Diagnostic>) {
    match &expr.value {
        Shape::Int(_) | Shape::Bool(_) | Shape::None | Shape::Text(_) | Shape::Duration(_) => {}
        Shape::Name(name) => {
            if names.find(name).is_none() {
                unknown(&Placed::new(name.clone(), expr.at), names, found);
            }
        }
        Shape::Index(of, index) => {
            check_condition(of, scenario, names, found);
            check_condition(index, scenario, names, found);
        }
        Shape::Field(of, field) => check_field(of, field, scenario, names, found),
        Shape::Unary(_, of) => check_condition(of, scenario, names, found),
        Shape::Binary(_, left, right) => {
            check_condition(left, scenario, names, found);
            check_condition(right, scenario, names, found);
        }
        Shape::Call(name, arguments) => {
            let known = ["len", "min", "max", "count", "all", "any"];
            if !known.contains(&name.value.as_str()) {
                found.push(
                    Diagnostic::new(
                        Code::Arguments,
                        name.at,
                        format!("a claim has no function `{}`", name.value),
                    )
                    .did_you_mean(&name.value, known)
                    .help(format!("its functions are {}", known.join(" "))),
                );
            }
            for argument in arguments {
                check_condition(argument, scenario, names, found);
            }
        }
        Shape::List(items) | Shape::Join(items) => {
            for item in items {
                check_condition(item, scenario, names, found);
            }
        }
    }
}

fn check_field(
    of: &Expr,
    field: &Placed<String>,
    scenario: &Scenario,
    names: &Names,
    found: &mut Vec<Diagnostic>,
) {
    match &of.value {
        Shape::Name(name) if name == "kernel" => {
            if field.value != "used" {
                found.push(
                    Diagnostic::new(
                        Code::UnknownField,
                        field.at,
                        format!("the kernel has no `{}` to look at", field.value),
                    )
                    .label("did you mean `used`?"),
                );
            }
        }
        Shape::Name(name) => match names.find(name) {
            Some(Object::Process { .. }) => check_variable(name, field, scenario, found),
            Some(Object::Mailbox { .. }) => found.push(
                Diagnostic::new(
                    Code::UnknownField,
                    field.at,
                    format!("a mailbox has no `{}` to look at", field.value),
                )
                .label(format!("`len({name})` is how many messages it holds")),
            ),
            None => unknown(&Placed::new(name.clone(), of.at), names, found),
        },
        Shape::Index(inner, index) => {
            check_condition(index, scenario, names, found);
            check_field(inner, field, scenario, names, found);
        }
        // `server.worker[2].x`: a thread of a process.
        Shape::Field(process, _) => check_condition(process, scenario, names, found),
        _ => check_condition(of, scenario, names, found),
    }
}

fn check_variable(
    process: &str,
    field: &Placed<String>,
    scenario: &Scenario,
    found: &mut Vec<Diagnostic>,
) {
    if matches!(field.value.as_str(), "ended" | "blocked") {
        return;
    }
    let Some(declaration) = scenario.processes.iter().find(|p| p.name.value == process) else {
        return;
    };
    let mut known: Vec<String> = vec!["ended".into(), "blocked".into()];
    let mut collect = |steps: &[Step]| collect_variables(steps, &mut known);
    match declaration.fields.get("threads").map(|arg| &arg.value) {
        // A thread's name may stand here, with its variable behind it.
        Some(Arg::Threads(threads)) => {
            for thread in threads {
                collect(thread.fields.get("do").map_or(&[][..], |arg| arg.value.steps()));
            }
            known.extend(threads.iter().map(|thread| thread.name.value.clone()));
        }
        _ => collect(declaration.fields.get("do").map_or(&[][..], |arg| arg.value.steps())),
    }
    if let Some(Arg::Name(program)) = declaration.fields.get("program").map(|arg| &arg.value)
        && let Some(program) = scenario.programs.iter().find(|p| p.name.value == *program)
    {
        collect_variables(
            program.fields.get("do").map_or(&[][..], |arg| arg.value.steps()),
            &mut known,
        );
    }
    if !known.contains(&field.value) {
        let diagnostic = Diagnostic::new(
            Code::UnknownVariable,
            field.at,
            format!("`{process}` has no variable `{}`", field.value),
        )
        .did_you_mean(&field.value, known.iter().map(String::as_str));
        found.push(diagnostic);
    }
}

fn collect_variables(steps: &[Step], known: &mut Vec<String>) {
    for step in steps {
        match &step.operand.value {
            Arg::Name(name) => known.push(name.clone()),
            Arg::Assignments(assignments) => {
                known.extend(assignments.iter().map(|(name, _)| name.value.clone()));
            }
            _ => {}
        }
        if let Some(Arg::Name(name)) = step.fields.get("into").map(|arg| &arg.value) {
            known.push(name.clone());
        }
        for inner in inner_lists(step) {
            collect_variables(inner, known);
        }
    }
}

fn unknown(name: &Placed<String>, names: &Names, found: &mut Vec<Diagnostic>) {
    found.push(
        Diagnostic::new(Code::UnknownName, name.at, format!("nothing is called `{}`", name.value))
            .did_you_mean(&name.value, names.all().chain(["kernel"])),
    );
}
