//! A schedule that shows something: why a claim does not hold, or that one does.

use ipcsim_explore::{Exploration, LooksAt, Lost, Path, Reduction};
use ipcsim_kernel::{Machine, Predicate, Probe};
use ipcsim_report::{Names, Steps};
use serde::Serialize;

use crate::Subject;

/// A schedule that shows something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counterexample {
    /// The token that reproduces the schedule.
    pub token: String,
    /// The command that replays it.
    pub replay: String,
    /// Its steps, one per line.
    pub steps: Vec<String>,
    /// What the claim reads, with the final values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(String, String)>,
    /// The point of no return, if some schedule still completes before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point_of_no_return: Option<NoReturn>,
}

/// The point of no return: the step at which success was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoReturn {
    /// Which step of the schedule, counted from 1; 0 is the choice at the very beginning.
    pub step: usize,
    /// The step that would have saved it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// The nearest schedule that completes.
    pub token: String,
    /// The command that shows it.
    pub replay: String,
}

/// The predicate that a schedule is shown for.
pub(crate) type About<'a> = Option<&'a Predicate>;

/// The schedule of a path.
pub(crate) fn of_path(
    subject: &Subject,
    found: &mut Exploration,
    path: &Path,
    (merge, at): (Reduction, LooksAt),
    about: About,
) -> Counterexample {
    let schedule = found.schedule(path);
    let (steps, state) = Steps::of(found.machine, found.grain(), &schedule);
    let token = subject.token(found, path, merge, at);
    let values = about.map_or_else(Vec::new, |predicate| {
        let seen = predicate.sight(&state);
        let names = Names::new(found.machine);
        let called = predicate.probes.iter().map(|probe| called(found.machine, probe));
        called.zip(seen.iter().map(|value| names.value(value))).collect()
    });
    Counterexample {
        replay: subject.replay(&token),
        token,
        steps: steps.text("").lines().map(str::to_string).collect(),
        values,
        point_of_no_return: None,
    }
}

/// The step of a path at which success was lost, if some schedule still completes before it.
pub(crate) fn point_of_no_return(
    subject: &Subject,
    found: &mut Exploration,
    path: &Path,
    (merge, at): (Reduction, LooksAt),
) -> Option<NoReturn> {
    let Lost::At { step, instead } = found.lost(path) else { return None };
    let schedule = found.schedule(&instead);
    let (steps, _) = Steps::of(found.machine, found.grain(), &schedule[..=step]);
    let token = subject.token(found, &instead, merge, at);
    Some(NoReturn {
        step,
        instead: steps.first_of(step as u64),
        replay: subject.replay(&token),
        token,
    })
}

/// The name of a probe in a claim.
fn called(machine: &Machine, probe: &Probe) -> String {
    let names = Names::new(machine);
    match *probe {
        Probe::Variable { process, thread, index, register } => {
            let who = names.thread_of(process, thread, index);
            let spec = machine.family_of(process).threads.iter().find(|spec| spec.name == thread);
            let place = spec.map(|spec| spec.entry);
            let variable = place.and_then(|pc| machine.variables_at(pc).get(register.index()));
            variable.map_or_else(|| who.clone(), |variable| format!("{who}.{variable}"))
        }
        Probe::Ended(process) => format!("{}.ended", machine.process_name(process)),
        Probe::Blocked(process) => format!("{}.blocked", machine.process_name(process)),
        Probe::Stored(mailbox) => format!("len({})", machine.mailbox_name(mailbox)),
        Probe::KernelUsed => "kernel.used".into(),
    }
}

impl Counterexample {
    /// Its lines, each with this indent.
    pub fn text(&self, indent: &str) -> String {
        let mut out = String::new();
        let mut line = |text: &str| out.push_str(&format!("{indent}{text}\n"));
        self.steps.iter().for_each(|step| line(&format!("  {step}")));
        if !self.values.is_empty() {
            let values: Vec<String> =
                self.values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            line(&format!("there: {}", values.join(", ")));
        }
        if let Some(lost) = &self.point_of_no_return {
            let when = match lost.step {
                0 => "the choice at the very beginning".to_string(),
                step => format!("step {step}"),
            };
            line(&format!("point of no return: {when}; before it some schedule still completes"));
            if let Some(instead) = &lost.instead {
                line(&format!("  saved if instead {instead}"));
            }
        }
        line(&format!("replay: {}", self.replay));
        out
    }
}
