//! Claims are checked for sense: whoever they name must exist, and a condition must be one.

use ipcsim_kernel::{Machine, Predicate};

use super::declare::{Members, Names, Object};
use super::predicate;
use crate::ast::{BlockedName, Claim, HowMany, Scenario, What};
use crate::diagnostic::{Code, Diagnostic};

/// The predicates of the claims, one for each claim; none where a claim has none.
pub(super) fn compile(
    scenario: &Scenario,
    names: &Names,
    machine: &Machine,
    found: &mut Vec<Diagnostic>,
) -> Vec<Option<Predicate>> {
    scenario.claims.iter().map(|claim| self::claim(claim, names, machine, found)).collect()
}

fn claim(
    claim: &Claim,
    names: &Names,
    machine: &Machine,
    found: &mut Vec<Diagnostic>,
) -> Option<Predicate> {
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
    let (What::Always(condition) | What::Eventually(condition)) = &claim.what else { return None };
    predicate::compile(condition, names, machine).map_err(|diagnostic| found.push(*diagnostic)).ok()
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
