//! Settings of the kernel that nothing in the scenario looks at: whoever wrote one expects it to matter.

use ipcsim_kernel::program::{FileVerb, Op, StreamKind, Verb};
use ipcsim_kernel::{Machine, Scheduler};

use crate::ast::Scenario;
use crate::diagnostic::{Code, Diagnostic};

/// What must be there for a setting to matter.
struct Looker {
    settings: &'static [&'static str],
    is_there: fn(&Machine) -> bool,
    /// What is said where it is not.
    otherwise: &'static str,
}

const LOOKERS: &[Looker] = &[
    Looker {
        settings: &["page"],
        is_there: |machine| calls(machine, "allocate"),
        otherwise: "no step allocates memory",
    },
    Looker {
        settings: &["fork", "fork-image"],
        is_there: |machine| calls(machine, "fork"),
        otherwise: "no step is a `fork`",
    },
    Looker {
        settings: &["exec", "descriptors-on-exec"],
        is_there: |machine| calls(machine, "exec"),
        otherwise: "no step is an `exec`",
    },
    Looker {
        settings: &["pipe-buf"],
        is_there: |machine| creates(machine, |kind| matches!(kind, StreamKind::Pipe { .. })),
        otherwise: "no step creates a pipe",
    },
    Looker {
        settings: &["in-flight-cycles"],
        is_there: |machine| creates(machine, |kind| matches!(kind, StreamKind::Channel { .. })),
        otherwise: "no step creates a channel",
    },
    Looker {
        settings: &["priority-inheritance"],
        is_there: |machine| machine.timing.scheduler == Scheduler::Priority,
        otherwise: "only `scheduler: priority` looks at priorities",
    },
];

/// Warns of what is set in vain. What a claim changes may be what looks at it, so a claim about a changed scheduler or
/// program keeps the settings.
pub(super) fn check(scenario: &Scenario, machine: &Machine, found: &mut Vec<Diagnostic>) {
    let changed = scenario.claims.iter().flat_map(|claim| &claim.with);
    let may_look = |path: &str| path == "kernel.scheduler" || !path.starts_with("kernel.");
    if changed.into_iter().any(|(path, _)| may_look(&path.value)) {
        return;
    }
    for looker in LOOKERS.iter().filter(|looker| !(looker.is_there)(machine)) {
        for setting in looker.settings {
            let Some(at) = scenario.kernel.key(setting) else { continue };
            let what = format!("nothing looks at `{setting}`");
            found.push(Diagnostic::new(Code::Unheeded, at, what).label(looker.otherwise));
        }
    }
}

fn calls(machine: &Machine, word: &str) -> bool {
    verbs(machine).any(|verb| verb.word() == word)
}

fn creates(machine: &Machine, wanted: fn(&StreamKind) -> bool) -> bool {
    verbs(machine)
        .any(|verb| matches!(verb, Verb::File(FileVerb::CreateStream { kind, .. }) if wanted(kind)))
}

fn verbs(machine: &Machine) -> impl Iterator<Item = &Verb> {
    machine.code.iter().filter_map(|op| match op {
        Op::Call(call) => Some(&call.verb),
        _ => None,
    })
}
