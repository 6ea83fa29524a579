//! Judging claims.

use ipcsim_explore::{
    Covered, Ending, Exploration, LooksAt, Measures, NoTrace, Outcome, Path, Reduction, Run, Stop,
    Tracer, Vacuous, Verdict, conclude, end_of,
};
use ipcsim_kernel::{Event, Fault, Kind, Machine, Predicate, ProcessId, State, Value};
use ipcsim_report::{Names, bytes, count, cut_off, time};
use ipcsim_scenario::Case;
use ipcsim_scenario::ast::{BlockedName, Claim, HowMany, Over, What};
use ipcsim_scenario::table::{Unit, find_measure};

use crate::counterexample::{Counterexample, of_path, point_of_no_return};
use crate::{Budget, Seen, Subject};

/// The judgement of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It holds; if one schedule is enough to show it, with that schedule.
    Holds(Option<Counterexample>),
    /// It holds vacuously: nothing ever put it to the test.
    HoldsInVain(&'static str),
    /// It does not hold.
    Fails(Failed),
    /// Undecided, and why.
    Undecided(String),
}

/// Why a claim does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The reason, in a sentence.
    pub reason: String,
    /// The author's explanation.
    pub because: Option<String>,
    /// A schedule that shows it, if one does.
    pub counterexample: Option<Counterexample>,
}

impl From<String> for Judgement {
    fn from(reason: String) -> Self {
        Judgement::Fails(Failed { reason, because: None, counterexample: None })
    }
}

/// Judges the claim with this number.
pub fn judge(subject: &Subject, number: usize, budget: &Budget) -> Judgement {
    let claim = &subject.loaded.scenario.claims[number];
    let Some(case) = subject.loaded.case(number) else {
        return String::from("the changed scenario has errors").into();
    };
    let judgement = match claim.over {
        Over::Run => of_the_run(&case.machine, claim, budget),
        Over::EverySchedule | Over::SomeSchedule => {
            over_schedules(subject, number, &case, claim, budget)
        }
    };
    match judgement {
        Judgement::Fails(failed) => {
            Judgement::Fails(Failed { because: claim.because.clone(), ..failed })
        }
        other => other,
    }
}

// Runs.

/// Keeps what is logged.
struct Logged(Vec<String>);

impl Tracer for Logged {
    const EVENTS: bool = true;

    fn record(&mut self, machine: &Machine, _: &State, _: u64, event: &Event) {
        if let Kind::Logged(text) = event.kind {
            self.0.push(Names::new(machine).value_as_it_is(text));
        }
    }
}

fn of_the_run(machine: &Machine, claim: &Claim, budget: &Budget) -> Judgement {
    let mut logged = Logged(Vec::new());
    let run = match &claim.what {
        What::Logs(_) => budget.run(machine, u64::MAX, &mut logged),
        _ => budget.run(machine, u64::MAX, &mut NoTrace),
    };
    let verdict = conclude(machine, &run);
    let judged = match &claim.what {
        What::Outcome(word) => judge_outcome(machine, claim, word, &run, &verdict),
        What::AtMost(bounds) => judge_bounds(bounds, &run.measures, Bound::AtMost),
        What::AtLeast(bounds) => judge_bounds(bounds, &run.measures, Bound::AtLeast),
        What::Logs(lists) if lists.contains(&logged.0) => Ok(()),
        What::Logs(_) => Err(format!("it logs {}", lines(&logged.0))),
        What::Always(_) | What::Eventually(_) | What::Never(_) => {
            unreachable!("the reader keeps these for schedules")
        }
    };
    match (judged, run.stop) {
        (_, Stop::Cancelled(reason)) => Judgement::Undecided(cut_off(machine, reason.into())),
        (Ok(()), Stop::Steps) if !holds_of_longer_runs(claim) => Judgement::Undecided(format!(
            "so far it holds, but the run was cut off after {} steps (--max-steps allows more)",
            count(run.steps)
        )),
        (Ok(()), _) => Judgement::Holds(None),
        (Err(found), Stop::Steps) => {
            let hint = " (--max-steps allows more)";
            Judgement::Undecided(format!("{}{hint}", found.trim_end_matches(hint)))
        }
        (Err(found), _) => found.into(),
    }
}

/// Whether a claim that holds for a cut-off run also holds for every continuation: measures grow,
/// and more may be logged.
fn holds_of_longer_runs(claim: &Claim) -> bool {
    match claim.what {
        What::Outcome(_) | What::AtLeast(_) => true,
        What::AtMost(_) | What::Logs(_) => false,
        What::Always(_) | What::Eventually(_) | What::Never(_) => {
            unreachable!("the reader keeps these for schedules")
        }
    }
}

fn lines(logged: &[String]) -> String {
    if logged.is_empty() { "nothing".into() } else { format!("[{}]", logged.join(", ")) }
}

fn judge_outcome(
    machine: &Machine,
    claim: &Claim,
    word: &str,
    run: &Run,
    verdict: &Verdict,
) -> Result<(), String> {
    if verdict.outcome.word() != word {
        let text = ipcsim_report::verdict(machine, run, verdict, &[]);
        let first = text.lines().next().unwrap_or(verdict.outcome.word());
        return Err(format!("this run had another outcome: {first}"));
    }
    let Some(claimed) = &claim.blocked else { return Ok(()) };
    judge_blocked(machine, claimed, &verdict.blocked)
}

/// Exactly the claimed processes must be blocked, no others and no fewer.
fn judge_blocked(
    machine: &Machine,
    claimed: &[BlockedName],
    blocked: &[ProcessId],
) -> Result<(), String> {
    let members = |name: &BlockedName| -> Vec<ProcessId> {
        let family = machine.symbols.families.iter().position(|family| *family == name.name.value);
        let Some(family) = family.map(|at| &machine.families[at]) else { return Vec::new() };
        (0..family.count)
            .filter(|member| name.member.is_none_or(|wanted| wanted == member + 1))
            .map(|member| ProcessId(family.first.0 + member))
            .collect()
    };
    let mut allowed: Vec<ProcessId> = Vec::new();
    for name in claimed {
        let members = members(name);
        let stuck = members.iter().filter(|process| blocked.contains(process)).count();
        let right = match name.how_many {
            HowMany::All => stuck == members.len(),
            HowMany::Any => stuck > 0,
        };
        if !right {
            let member = name.member.map_or(String::new(), |member| format!("[{member}]"));
            return Err(format!(
                "`{}{member}` is not blocked; the blocked processes: {}",
                name.name.value,
                list(machine, blocked)
            ));
        }
        allowed.extend(members);
    }
    match blocked.iter().find(|process| !allowed.contains(process)) {
        Some(process) => Err(format!("`{}` is blocked too", machine.process_name(*process))),
        None => Ok(()),
    }
}

fn list(machine: &Machine, processes: &[ProcessId]) -> String {
    if processes.is_empty() {
        return "none".into();
    }
    processes.iter().map(|process| machine.process_name(*process)).collect::<Vec<_>>().join(", ")
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost,
    AtLeast,
}

/// A measure of a run, in its unit and in words.
pub fn measured(measures: &Measures, name: &str) -> (u64, String) {
    let value = match name {
        "time" => measures.time_ns,
        "cpu-time" => measures.cpu_time_ns,
        "bytes-copied" => measures.bytes_copied,
        "kernel-memory" => measures.kernel_memory,
        "context-switches" => measures.context_switches,
        "messages" => measures.messages,
        "system-calls" => measures.system_calls,
        "pages-mapped" => measures.pages_mapped,
        "page-faults" => measures.page_faults,
        other => unreachable!("`{other}` is no measure"),
    };
    let shown = match find_measure(name).map(|measure| measure.unit) {
        Some(Unit::Duration) => time(value),
        Some(Unit::Size) => bytes(value),
        Some(Unit::Number) | None => count(value),
    };
    (value, shown)
}

fn judge_bounds(
    bounds: &[(&'static str, u64)],
    measures: &Measures,
    bound: Bound,
) -> Result<(), String> {
    for (measure, limit) in bounds {
        let (value, shown) = measured(measures, measure);
        let holds = match bound {
            Bound::AtMost => value <= *limit,
            Bound::AtLeast => value >= *limit,
        };
        if !holds {
            return Err(format!("{measure}: {shown}"));
        }
    }
    Ok(())
}

// Schedules.

/// What a claim over schedules is judged by.
struct Court<'a, 'm> {
    subject: &'a Subject<'a>,
    number: usize,
    claim: &'a Claim,
    predicate: Option<&'a Predicate>,
    found: &'a mut Exploration<'m>,
    merge: Reduction,
}

/// Judges the claim with this number by an exploration that observed only how schedules end; `None`
/// if that is not enough.
pub fn judge_by(
    subject: &Subject,
    number: usize,
    found: &mut Exploration,
    merge: Reduction,
) -> Option<Judgement> {
    let claim = &subject.loaded.scenario.claims[number];
    let is_about_ends = claim.over != Over::Run
        && matches!(claim.what, What::Outcome(_) | What::Never(_))
        && claim.with.is_empty()
        && claim.within.is_none();
    // Only the whole system tells who is blocked, by name.
    let says_who = claim.blocked.is_none() || found.why_not_whole().is_none();
    if !is_about_ends || !says_who {
        return None;
    }
    let mut judgement = Court { subject, number, claim, predicate: None, found, merge }.judge();
    if let Judgement::Fails(failed) = &mut judgement {
        failed.because.clone_from(&claim.because);
    }
    Some(judgement)
}

/// Where something is seen: in a state, if it is known in which.
type At = Option<u32>;

/// At most this many states are visited to show a schedule that a reduced search did not keep.
const SHOWN_STATES: u64 = 500_000;

fn over_schedules(
    subject: &Subject,
    number: usize,
    case: &Case,
    claim: &Claim,
    budget: &Budget,
) -> Judgement {
    let Some(seen): Option<Seen> = subject.seen(LooksAt::Claim(number)) else {
        return String::from("the changed scenario has errors").into();
    };
    let mut budget = budget.up_to(claim.within.unwrap_or(u64::MAX));
    if claim.blocked.is_some() {
        budget = budget.by_name();
    }
    let predicate = case.predicate.as_ref();
    let merge = budget.reductions.merge;
    let mut found = budget.explore(&case.machine, seen.looks());
    let judgement = Court { subject, number, claim, predicate, found: &mut found, merge }.judge();
    // Of several blocked sets, a reduced search has a schedule for only one.
    let shows = match &judgement {
        Judgement::Fails(failed) => failed.counterexample.is_some(),
        Judgement::Holds(shown) => claim.over == Over::EverySchedule || shown.is_some(),
        _ => true,
    };
    if shows || claim.blocked.is_none() || found.why_not_whole().is_none() {
        return judgement;
    }
    let mut whole = budget.whole().up_to(SHOWN_STATES).explore(&case.machine, seen.looks());
    if whole.covered != Covered::All {
        return judgement;
    }
    Court { subject, number, claim, predicate, found: &mut whole, merge }.judge()
}

impl Court<'_, '_> {
    fn judge(&mut self) -> Judgement {
        match &self.claim.what {
            What::Outcome(word) => self.outcome(word),
            What::Never(words) => self.never(words),
            What::Always(_) => self.always(),
            What::Eventually(_) if self.claim.over == Over::SomeSchedule => self.comes_to_hold(),
            What::Eventually(_) => self.eventually(),
            What::Logs(lists) => self.logs(lists),
            What::AtMost(_) | What::AtLeast(_) => unreachable!("the reader keeps these for runs"),
        }
    }

    fn is_whole(&self) -> bool {
        self.found.covered == Covered::All
    }

    fn undecided(&self) -> Judgement {
        if let Some(within) = self.claim.within
            && within <= self.found.states()
        {
            return Judgement::Undecided(format!("there are more states than `within: {within}`"));
        }
        let states = count(self.found.states());
        let why = cut_off(self.found.machine, self.found.covered);
        Judgement::Undecided(format!("after {states} states: {why}"))
    }

    /// The path to a state, and the schedule that shows it.
    fn way_to(&mut self, state: u32) -> (Path, Counterexample) {
        let path = self.found.path(state);
        let shown = self.shown(&path);
        (path, shown)
    }

    fn shown(&mut self, path: &Path) -> Counterexample {
        let view = (self.merge, LooksAt::Claim(self.number));
        of_path(self.subject, self.found, path, view, self.predicate)
    }

    fn fails(&mut self, reason: String, state: u32) -> Judgement {
        let (path, mut shown) = self.way_to(state);
        let view = (self.merge, LooksAt::Claim(self.number));
        if self.is_whole() && self.predicate.is_none() {
            shown.point_of_no_return = point_of_no_return(self.subject, self.found, &path, view);
        }
        Judgement::Fails(Failed { reason, because: None, counterexample: Some(shown) })
    }

    fn outcome(&mut self, word: &str) -> Judgement {
        let endings = self.found.endings.clone();
        let right = |ending: &&Ending| ending.outcome.word() == word;
        let wrong = endings.iter().find(|ending| !right(ending));
        let of_it = endings.iter().find(right);
        let ending = match (self.claim.over, of_it, wrong) {
            (Over::EverySchedule, _, Some(wrong)) => {
                let reason = format!("a schedule ends as `{}`", wrong.outcome.word());
                return self.fails(reason, wrong.state);
            }
            (_, Some(ending), _) => ending,
            (_, None, _) if self.excludes(word) => {
                return format!("no schedule ends as `{word}`").into();
            }
            (_, None, _) => return self.undecided(),
        };
        let (right, wrong) = self.blocked_in(ending);
        match (self.claim.over, right, wrong) {
            (Over::SomeSchedule, Some(state), _) => {
                Judgement::Holds(state.map(|state| self.way_to(state).1))
            }
            (Over::SomeSchedule, None, _) if !self.is_whole() => self.undecided(),
            (_, _, Some((reason, Some(state)))) => self.fails(reason, state),
            (_, _, Some((reason, None))) => reason.into(),
            _ if !self.is_whole() => self.undecided(),
            _ => Judgement::Holds(None),
        }
    }

    /// Whether there is a state of an ending in which exactly the claimed processes are blocked, and why another set is
    /// wrong; each with its state if that is known.
    fn blocked_in(&self, ending: &Ending) -> (Option<At>, Option<(String, At)>) {
        let Some(claimed) = &self.claim.blocked else { return (Some(Some(ending.state)), None) };
        let (mut right, mut wrong) = (None, None);
        let is_whole = self.found.why_not_whole().is_none();
        for (at, (set, state)) in ending.blocked.iter().zip(&ending.blocked_at).enumerate() {
            let state = (is_whole || at == 0).then_some(*state);
            match judge_blocked(self.found.machine, claimed, set) {
                Ok(()) => right = Some(right.flatten().or(state)),
                Err(reason) => wrong = wrong.or(Some((reason, state))),
            }
        }
        (right, wrong)
    }

    fn never(&mut self, words: &[&str]) -> Judgement {
        let endings = self.found.endings.clone();
        match endings.iter().find(|ending| words.contains(&ending.outcome.word())) {
            Some(ending) => {
                self.fails(format!("a schedule ends as `{}`", ending.outcome.word()), ending.state)
            }
            None if words.iter().all(|word| self.excludes(word)) => Judgement::Holds(None),
            None => self.undecided(),
        }
    }

    /// Whether it is known that no schedule ends like this.
    fn excludes(&self, word: &str) -> bool {
        let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.word() == word);
        outcome.is_some_and(|outcome| self.found.excludes(outcome))
    }

    fn always(&mut self) -> Judgement {
        match self.found.never_holds_not(0) {
            Err((state, fault)) => self.not_computed(state, &fault),
            Ok(Some(state)) => {
                let steps = steps(self.found.path(state).len() - 1);
                self.fails(format!("it does not hold after {steps} of a schedule"), state)
            }
            Ok(None) if !self.is_whole() => self.undecided(),
            Ok(None) => match self.found.vacuous_always(0) {
                Some(_) => Judgement::HoldsInVain("nothing that it looks at ever changes"),
                None => Judgement::Holds(None),
            },
        }
    }

    fn eventually(&mut self) -> Judgement {
        if !self.is_whole() {
            return self.undecided();
        }
        match self.found.avoids(0) {
            Err((state, fault)) => self.not_computed(state, &fault),
            Ok(Some(path)) => {
                let steps = steps(path.len() - 1);
                let at = self.found.state_after(&path);
                let is_over = end_of(self.found.machine, &at).is_some();
                let reason = if is_over {
                    format!("a schedule ends after {steps} without it")
                } else {
                    format!(
                        "after {steps} a schedule can repeat for ever without it, under weak fairness"
                    )
                };
                let counterexample = Some(self.shown(&path));
                Judgement::Fails(Failed { reason, because: None, counterexample })
            }
            Ok(None) => match self.found.vacuous_eventually(0) {
                Some(Vacuous::FromTheStart | Vacuous::NeverChanges) => {
                    Judgement::HoldsInVain("it is true before anything happens")
                }
                None => Judgement::Holds(None),
            },
        }
    }

    fn comes_to_hold(&mut self) -> Judgement {
        match self.found.comes_to_hold(0) {
            Err((state, fault)) => self.not_computed(state, &fault),
            Ok(Some(state)) => Judgement::Holds(Some(self.way_to(state).1)),
            Ok(None) if !self.is_whole() => self.undecided(),
            Ok(None) => String::from("no schedule comes to where it holds").into(),
        }
    }

    fn logs(&mut self, lists: &[Vec<String>]) -> Judgement {
        let names = Names::new(self.found.machine);
        let logged = |log: Vec<(ProcessId, Value)>| -> Vec<String> {
            log.iter().map(|(_, text)| names.value_as_it_is(text)).collect()
        };
        let (mut right, mut wrong) = (None, None);
        for state in self.found.final_states() {
            let log = logged(self.found.log(state));
            if lists.contains(&log) {
                right = right.or(Some(state));
            } else {
                wrong = wrong.or(Some((state, log)));
            }
        }
        match (self.claim.over, right, wrong) {
            (Over::SomeSchedule, Some(state), _) => Judgement::Holds(Some(self.way_to(state).1)),
            (Over::SomeSchedule, None, Some((_, log))) if self.is_whole() => {
                format!("no schedule logs that; one logs {}", lines(&log)).into()
            }
            (Over::EverySchedule, _, Some((state, log))) => {
                self.fails(format!("a schedule logs {}", lines(&log)), state)
            }
            _ if !self.is_whole() => self.undecided(),
            (Over::SomeSchedule, ..) => String::from("no schedule comes to an end").into(),
            _ => Judgement::Holds(None),
        }
    }

    fn not_computed(&mut self, state: u32, fault: &Fault) -> Judgement {
        let reason = format!(
            "in some state it cannot be computed: {}; a variable is `none` until it is set",
            fault.describe()
        );
        self.fails(reason, state)
    }
}

fn steps(number: usize) -> String {
    if number == 1 { "1 step".into() } else { format!("{} steps", count(number as u64)) }
}
