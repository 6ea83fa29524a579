//! Cures: small changes that make a scenario complete. One list, tried in one way, for runs,
//! explorations and repairs: nothing is proposed untried.

use std::collections::{BTreeMap, BTreeSet};

use ipcsim_explore::{
    Covered, Delivery, Exploration, Looks, NoTrace, Outcome, Problem, Run, Verdict, conclude,
};
use ipcsim_kernel::waits::WaitGraph;
use ipcsim_kernel::{BlockedOn, Holder, Machine, Mailbox, Sources, State};
use ipcsim_report::{LinkEnd, Names, plural};
use ipcsim_scenario::{LoadOptions, Remedy, Sort, load, remedies};
use serde::Serialize;

use crate::{Budget, Subject, in_shell};

/// A change with more states than this is abandoned.
pub(crate) const STATES: u64 = 1_000_000;
/// After an exploration, a change may have this many times the present number of states: a tiny
/// scenario must not wait for a queue that grows for ever.
const TIMES_AS_MANY: u64 = 100;
const AT_LEAST: u64 = 2_000;
/// It may take so many times the memory, or so much: steps take longer where states are large.
const TIMES_AS_MUCH: usize = 4;
const MUCH: usize = 64 << 20;
/// After a run, the limit is lower.
const STATES_OF_RUN: u64 = 20_000;
/// All changes together may cost this much work ([`Exploration::work`]); a step that is actually performed costs
/// `PERFORMING`. A step looked up is a tenth of a microsecond or so.
const COST: u64 = 24_000_000;
const PERFORMING: u64 = 60;
/// After an exploration they may cost as much as that did, or this much if that is more: the answer must not wait for them.
const COST_BESIDE: u64 = 2_000_000;
/// A run with a change that takes more steps than this is abandoned.
const STEPS: u64 = 100_000;
/// For a machine with more threads than this, not every schedule is tried, and fewer changes are:
/// the more threads, the fewer.
const MANY_THREADS: usize = 100;
const TRIED_WITH_MANY: usize = 4;
const THREADS_TRIED: usize = 2_000;
/// At most this many are shown with a verdict.
const SHOWN: usize = 6;

/// A change that was tried and helps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cure {
    /// What to do: `--set kernel.buffering=1`, or in words.
    pub what: String,
    /// What it achieves.
    pub achieves: Achieves,
    /// Messages that nobody takes after the change: the mailbox, and how many.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub leaves: Vec<(String, u64)>,
    /// Whether the change loses messages that are not lost now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub loses: bool,
    /// Whether every message arrives after the change, in every schedule.
    #[serde(skip)]
    pub delivers_all: bool,
    /// How many states the changed scenario has, if every schedule was tried.
    pub states: u64,
    #[serde(skip)]
    pub(crate) remedies: Vec<Remedy>,
}

/// What a cure achieves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Achieves {
    /// Every schedule completes.
    EverySchedule,
    /// The same run completes; there are too many schedules to try them all.
    ThisRun,
}

impl Cure {
    /// What it achieves, in words.
    pub fn promise(&self) -> String {
        let mut text = match self.achieves {
            Achieves::EverySchedule => "every schedule then completes".to_string(),
            Achieves::ThisRun => "this run then completes".to_string(),
        };
        if !self.leaves.is_empty() {
            let left: Vec<String> = self
                .leaves
                .iter()
                .map(|(mailbox, count)| format!("{} in {mailbox}", plural(*count, "message")))
                .collect();
            text.push_str(&format!(", and leaves {}", left.join(" and ")));
        }
        if self.loses {
            text.push_str(", but a message can be lost");
        }
        text
    }
}

/// What is known before any change.
pub(crate) struct Now {
    /// Processes and mailboxes at the root of the problem.
    pub at_fault: BTreeSet<String>,
    pub delivery: Delivery,
    /// What schedules that complete leave over.
    pub left_over: BTreeMap<String, u64>,
}

impl Now {
    pub(crate) fn of(found: &Exploration) -> Self {
        let mut names = BTreeSet::new();
        for ending in &found.endings {
            let why = (&ending.problems[..], &ending.waits_for);
            at_fault(found.machine, &found.state(ending.state), why, &mut names);
        }
        // What a deadlock leaves behind says nothing about a change that avoids it.
        let completes = found.endings.iter().any(|it| it.outcome == Outcome::Completes);
        let delivery = if completes { found.delivery } else { Delivery::Good };
        Self { at_fault: names, delivery, left_over: by_name(found) }
    }
}

/// The messages that are left over, by the names of the mailboxes.
fn by_name(found: &Exploration) -> BTreeMap<String, u64> {
    let names = Names::new(found.machine);
    let state = State::initial(found.machine);
    let left = found.left_over().into_iter();
    left.map(|(id, count)| (names.mailbox(&state, id, LinkEnd::Receiver), count)).collect()
}

/// Who is at fault in a state.
fn at_fault(
    machine: &Machine,
    state: &State,
    (problems, waits_for): (&[Problem], &WaitGraph),
    names: &mut BTreeSet<String>,
) {
    let base = |name: String| name.split('[').next().unwrap_or(&name).to_string();
    let all = Names::new(machine);
    let object = |mailbox, names: &mut BTreeSet<String>| {
        names.insert(base(all.mailbox(state, mailbox, LinkEnd::Receiver)));
        if let Some((from, _)) = state.mailboxes.get(mailbox.index()).and_then(Mailbox::link) {
            names.insert(base(machine.process_name(from)));
        }
    };
    for t in problems.iter().flat_map(|problem| &problem.threads) {
        for who in waits_for.awaited(*t).iter().chain([t]) {
            names.insert(base(machine.process_name(state.threads[who.index()].process)));
        }
        match state.waits_for(*t) {
            Some(BlockedOn::Send(mailbox) | BlockedOn::Memory(mailbox)) => {
                object(*mailbox, names);
            }
            Some(BlockedOn::Receive { sources, .. } | BlockedOn::Select(sources)) => {
                if let Sources::One(_) | Sources::Many(_) = sources {
                    sources.listed().iter().for_each(|mailbox| object(*mailbox, names));
                }
            }
            Some(BlockedOn::Reply { holder: Holder::Queued(mailbox), .. }) => {
                object(*mailbox, names);
            }
            _ => {}
        }
    }
}

/// Cures for a scenario with a schedule that does not complete.
pub fn of_exploration(subject: &Subject, found: &Exploration, budget: &Budget) -> Vec<Cure> {
    if !matches!(found.covered, Covered::All | Covered::Ends) {
        return Vec::new();
    }
    if found.endings.iter().all(|ending| ending.outcome == Outcome::Completes) {
        return Vec::new();
    }
    let mut trial = Trial::new(subject, Now::of(found), *budget);
    let all = trial.candidates();
    trial.spend = Some(found.work().clamp(COST_BESIDE, COST));
    trial.states = (TIMES_AS_MANY * found.states()).clamp(AT_LEAST, STATES);
    let memory = (TIMES_AS_MUCH * found.bytes()).max(MUCH);
    trial.budget.explore.max_bytes = trial.budget.explore.max_bytes.min(memory);
    if found.why_not_whole().is_some() {
        // There were too many schedules to look at each. A small change will hardly make them few.
        trial.budget.explore.small = 0;
    }
    trial.singles(&all, None, SHOWN)
}

/// Cures for a run that does not complete: they fix the same run and, if there are not too many,
/// every schedule.
pub fn of_run(
    subject: &Subject,
    machine: &Machine,
    run: &Run,
    verdict: &Verdict,
    budget: &Budget,
) -> Vec<Cure> {
    if matches!(verdict.outcome, Outcome::Completes | Outcome::Unfinished) {
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    at_fault(machine, &run.state, (&verdict.problems, &verdict.waits_for), &mut names);
    // Compare with all schedules, as in an exploration, if there are not too many.
    let few = (machine.initial_threads() <= MANY_THREADS)
        .then(|| budget.up_to(STATES_OF_RUN).explore(machine, Looks::NOTHING))
        .filter(|found| found.covered == Covered::All);
    let now = match few {
        Some(found) => Now { at_fault: names, ..Now::of(&found) },
        None => Now { at_fault: names, delivery: Delivery::Good, left_over: BTreeMap::new() },
    };
    let mut trial = Trial::new(subject, now, *budget);
    let mut all = trial.candidates();
    trial.spend = Some(COST / 4);
    trial.states = STATES_OF_RUN;
    let threads = machine.initial_threads();
    if threads > MANY_THREADS {
        trial.spend = Some(0);
        all.truncate(TRIED_WITH_MANY.min(THREADS_TRIED / threads));
    }
    let seed = machine.timing.seed;
    trial.singles(&all, Some(seed), SHOWN)
}

/// Tries changes one after the other.
pub(crate) struct Trial<'a> {
    subject: &'a Subject<'a>,
    text: &'a str,
    now: Now,
    budget: Budget<'a>,
    /// A change with more states than this is undecided.
    pub states: u64,
    /// How much may still be spent on explorations, if that is limited.
    pub spend: Option<u64>,
    /// How many were tried.
    pub tried: usize,
    /// How many had too many schedules.
    pub undecided: usize,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(subject: &'a Subject<'a>, now: Now, budget: Budget<'a>) -> Self {
        let text = &subject.loaded.sources[0].text;
        Self { subject, text, now, budget, states: STATES, spend: None, tried: 0, undecided: 0 }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.budget.is_over()
    }

    /// All changes: first those to whoever is at fault, then the gentlest; leaving out steps comes last.
    pub(crate) fn candidates(&self) -> Vec<Remedy> {
        let mut all = remedies(self.text, self.subject.sets);
        let concerns = |remedy: &Remedy| {
            remedy.about.is_empty()
                || remedy.about.iter().any(|name| self.now.at_fault.contains(name))
        };
        all.sort_by_key(|remedy| {
            (remedy.sort == Sort::TakeOut, !concerns(remedy), remedy.sort, remedy.group)
        });
        all
    }

    /// The least change of each group that helps. Leaving out a step is tried only if nothing else helps.
    pub(crate) fn singles(&mut self, all: &[Remedy], run: Option<u64>, most: usize) -> Vec<Cure> {
        let mut helped: Vec<Cure> = Vec::new();
        let mut done: BTreeSet<usize> = BTreeSet::new();
        let mut failed: Option<&Remedy> = None;
        for remedy in all {
            let is_last_resort = remedy.sort == Sort::TakeOut && !helped.is_empty();
            if helped.len() >= most || self.is_over() || is_last_resort {
                break;
            }
            if done.contains(&remedy.group) {
                continue;
            }
            let Some(cure) = self.try_out(std::slice::from_ref(remedy), run) else {
                failed = Some(remedy);
                continue;
            };
            done.insert(remedy.group);
            let before = failed.filter(|before| before.group == remedy.group);
            helped.push(self.least(cure, remedy, before, run));
        }
        without_the_dominated(helped)
    }

    /// The least number of bytes that helps, between the last that does not and this one.
    fn least(
        &mut self,
        cure: Cure,
        remedy: &Remedy,
        before: Option<&Remedy>,
        run: Option<u64>,
    ) -> Cure {
        let Some(enough) = remedy.bytes() else { return cure };
        // The values of a group double.
        let (mut low, mut high) = (before.and_then(Remedy::bytes).unwrap_or(enough / 2), enough);
        let mut best = cure;
        while high - low > 1 && !self.is_over() {
            let middle = low + (high - low) / 2;
            match self.try_out(&[remedy.with_bytes(middle)], run) {
                Some(cure) => (best, high) = (cure, middle),
                None => low = middle,
            }
        }
        best
    }

    /// Tries changes together; returns the cure if everything completes.
    pub(crate) fn try_out(&mut self, remedies: &[Remedy], run: Option<u64>) -> Option<Cure> {
        let machine = self.changed(remedies)?;
        self.tried += 1;
        if let Some(seed) = run {
            let mut timed = machine.clone();
            timed.timing.seed = seed;
            let again = self.budget.run(&timed, STEPS, &mut NoTrace);
            if conclude(&timed, &again).outcome != Outcome::Completes {
                return None;
            }
        }
        let cure = |achieves, leaves, loses, states| Cure {
            what: what(remedies),
            achieves,
            leaves,
            loses,
            delivers_all: false,
            states,
            remedies: remedies.to_vec(),
        };
        if self.spend == Some(0) {
            return run.map(|_| cure(Achieves::ThisRun, Vec::new(), false, 0));
        }
        let mut budget = self.budget.up_to(self.states);
        budget.explore.max_work = self.spend.unwrap_or(u64::MAX);
        let found = budget.explore(&machine, Looks::NOTHING);
        if let Some(spend) = &mut self.spend {
            *spend = spend.saturating_sub(found.work() + PERFORMING * found.performed());
        }
        let all_complete = found.endings.iter().all(|ending| ending.outcome == Outcome::Completes);
        if found.covered != Covered::All {
            self.undecided += usize::from(all_complete);
            let as_far_as_seen = run.filter(|_| all_complete);
            return as_far_as_seen.map(|_| cure(Achieves::ThisRun, Vec::new(), false, 0));
        }
        let loses = found.delivery == Delivery::Failed && self.now.delivery == Delivery::Good;
        // What completing schedules leave over even now does not count against the change.
        let now = |mailbox: &String| self.now.left_over.get(mailbox).copied().unwrap_or(0);
        let leaves = by_name(&found).into_iter().filter(|(mailbox, count)| *count > now(mailbox));
        let delivers_all = found.delivery == Delivery::Good && by_name(&found).is_empty();
        all_complete.then(|| Cure {
            delivers_all,
            ..cure(Achieves::EverySchedule, leaves.collect(), loses, found.states())
        })
    }

    fn changed(&self, remedies: &[Remedy]) -> Option<Machine> {
        let mut sets = self.subject.sets.to_vec();
        // A previous `--set` would override a change of the text.
        let in_text: Vec<&Remedy> = remedies.iter().filter(|it| it.set.is_none()).collect();
        for (path, value) in remedies.iter().filter_map(|it| it.set.as_ref()) {
            sets.push(format!("{path}={value}"));
        }
        let text = Remedy::apply(self.text, &in_text)?;
        let options = LoadOptions { sets, ..self.subject.options() };
        load("changed", text.as_bytes(), &options).machine
    }
}

/// A change in words; as a `--set` option if possible.
fn what(remedies: &[Remedy]) -> String {
    let words = remedies.iter().map(|remedy| match &remedy.set {
        Some((path, value)) => format!("--set {}", in_shell(&format!("{path}={value}"))),
        None => remedy.what.clone(),
    });
    words.collect::<Vec<_>>().join("; ")
}

/// More room everywhere adds nothing to more room where it is needed.
fn without_the_dominated(mut cures: Vec<Cure>) -> Vec<Cure> {
    let is_room = |cure: &Cure| cure.remedies.iter().all(|it| it.sort == Sort::Room);
    let one_is_enough = cures
        .iter()
        .any(|cure| is_room(cure) && cure.remedies.iter().all(|it| !it.about.is_empty()));
    if one_is_enough {
        cures.retain(|cure| !is_room(cure) || cure.remedies.iter().any(|it| !it.about.is_empty()));
    }
    // Changes that lose or leave nothing come first.
    cures.sort_by_key(|cure| (cure.achieves, cure.loses, !cure.leaves.is_empty()));
    cures
}
