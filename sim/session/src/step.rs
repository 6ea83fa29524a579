//! A schedule step by step: the caller is the scheduler.

use ipcsim_check::{Budget, Seen};
use ipcsim_explore::{
    BadToken, Covered, Edge, Exploration, ExploreLimits, Grain, Leg, LooksAt, Move, NoTrace, Path,
    Reductions, ScheduleStep, View, Wanted, explore, replay,
};
use ipcsim_kernel::{Machine, State, ThreadId};
use serde::Serialize;

use crate::Session;

/// A schedule that grows step by step.
pub struct Stepper<'s> {
    session: &'s Session,
    seen: &'s Seen,
    view: View,
    /// The states that were visited.
    found: Exploration<'s>,
    path: Path,
}

/// A step that can be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The thread that takes it, if one does.
    pub thread: Option<u32>,
    /// The process that starts, or whose thread takes it; none for the beginning.
    pub process: Option<u32>,
    /// What happens: `begin`, `start`, `call`, `local` or `expire`.
    pub what: &'static str,
    /// Its line in the file, if a thread takes it.
    pub line: Option<u32>,
    /// How the kernel's questions are answered, where it has a choice.
    pub answers: Vec<u64>,
}

impl Session {
    /// What a caller needs to step: what to observe, how, and the first steps (none, or those of a token).
    ///
    /// Errors: the token does not belong to this scenario, or cannot be followed.
    pub fn to_step(
        &self,
        token: Option<&str>,
        usual: View,
    ) -> Result<Option<(Seen, View, Vec<ScheduleStep>)>, BadToken> {
        match token {
            // The view in which a schedule was found determines what counts as a step.
            Some(token) => self.subject().follow(token).map(Some),
            None => Ok(self.seen(LooksAt::Ends).map(|seen| (seen, usual, Vec::new()))),
        }
    }

    /// Begins a schedule. It offers every step that a thread could take. Both arguments come from [`Session::to_step`].
    pub fn step<'s>(&'s self, seen: &'s Seen, view: View) -> Stepper<'s> {
        let every = Reductions { merge: view.merge, ..Reductions::NONE };
        // Search for nothing until asked.
        let nothing = ExploreLimits { max_states: 0, ..ExploreLimits::default() };
        let found = explore(&seen.machine, every, seen.looks(), &nothing);
        Stepper { session: self, seen, view, found, path: Path::new() }
    }
}

impl Stepper<'_> {
    /// The machine.
    pub fn machine(&self) -> &Machine {
        &self.seen.machine
    }

    /// What counts as a step.
    pub fn grain(&self) -> &Grain {
        self.found.grain()
    }

    /// Whether nothing has been done yet.
    pub fn is_at_the_beginning(&self) -> bool {
        self.path.is_empty()
    }

    /// The steps taken so far.
    pub fn schedule(&mut self) -> Vec<ScheduleStep> {
        self.found.schedule(&self.path)
    }

    /// The state that they lead to.
    pub fn state(&mut self) -> State {
        let schedule = self.schedule();
        replay(&self.seen.machine, self.found.grain(), &schedule, &mut NoTrace)
    }

    /// The steps that can be taken now.
    pub fn options(&mut self) -> Vec<ScheduleStep> {
        let edges = self.edges();
        edges.iter().map(|edge| self.found.step_of(edge)).collect()
    }

    /// The same as plain data.
    pub fn choices(&mut self) -> Vec<Choice> {
        let options = self.options();
        let state = self.state();
        let line = |t: ThreadId| self.seen.machine.line(state.threads.items()[t.index()].pc);
        let process = |t: ThreadId| state.threads.items()[t.index()].process;
        let choice = |step: ScheduleStep| {
            let (what, thread, started) = match step.what {
                Move::Begin => ("begin", None, None),
                Move::Start(process) => ("start", None, Some(process)),
                Move::Call(t) => ("call", Some(t), None),
                Move::Local(t) => ("local", Some(t), None),
                Move::Expire(t) => ("expire", Some(t), None),
            };
            Choice {
                thread: thread.map(|t| t.0),
                process: started.or(thread.map(process)).map(|process| process.0),
                what,
                line: thread.map(line),
                answers: step.answers,
            }
        };
        options.into_iter().map(choice).collect()
    }

    fn edges(&mut self) -> Vec<Edge> {
        let at = self.path.last().map_or(0, |leg| leg.to);
        self.found.edges_from(self.path.is_empty(), at)
    }

    /// Takes the step with this index among those that can be taken; `None` if there is none.
    pub fn take(&mut self, way: usize) -> Option<()> {
        let from = self.path.last().map_or(0, |leg| leg.to);
        let to = self.edges().get(way)?.to;
        self.path.push(Leg { from, way, to });
        Some(())
    }

    /// Takes back the last step; `None` if there is none to take back.
    pub fn back(&mut self) -> Option<()> {
        let last = self.path.pop()?;
        // If there is only one way to begin, the beginning is not a step to take back.
        if self.path.is_empty() && self.edges().len() == 1 {
            self.path.push(last);
            return None;
        }
        Some(())
    }

    /// The token of the schedule.
    pub fn token(&mut self) -> String {
        let View { merge, at } = self.view;
        self.session.subject().token(&mut self.found, &self.path, merge, at)
    }

    /// Takes the steps of a schedule; none if they cannot all be taken.
    pub fn follow(&mut self, schedule: &[ScheduleStep]) {
        let path = std::mem::take(&mut self.path);
        self.path = follow(&mut self.found, path.clone(), schedule).unwrap_or(path);
    }

    /// The shortest path from here to an end of this kind, and how much was explored.
    pub fn way_to(
        &mut self,
        wanted: Wanted,
        budget: &Budget,
    ) -> (Option<Vec<ScheduleStep>>, Covered) {
        let done = self.schedule();
        // As with the steps on offer, no schedule is left out.
        let reductions = Reductions { merge: self.view.merge, ..Reductions::NONE };
        let every = Budget { reductions, ..*budget };
        let mut found = every.explore(&self.seen.machine, self.seen.looks());
        let Some(mut path) = follow(&mut found, Path::new(), &done) else {
            return (None, found.covered);
        };
        let from = path.last().map_or(0, |leg| leg.to);
        let way = found.nearest(from, path.is_empty(), wanted, budget.explore.max_states);
        let covered = budget.reason().map_or(found.covered, Covered::from);
        let schedule = way.map(|way| {
            path.extend(way);
            found.schedule(&path).split_off(done.len())
        });
        (schedule, covered)
    }
}

/// The path, extended by the steps of a schedule; `None` if they cannot all be taken.
fn follow(found: &mut Exploration, mut path: Path, schedule: &[ScheduleStep]) -> Option<Path> {
    for step in schedule {
        let from = path.last().map_or(0, |leg| leg.to);
        let options = found.edges_from(path.is_empty(), from);
        let way = options.iter().position(|edge| found.step_of(edge) == *step)?;
        path.push(Leg { from, way, to: options[way].to });
    }
    Some(path)
}
