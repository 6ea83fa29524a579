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
    /// The process that begins, or whose thread takes it. Nobody takes the beginning.
    pub process: Option<u32>,
    /// What happens: `begin`, `start`, `call`, `local` or `expire`.
    pub what: &'static str,
    /// In which line of the file, if it is a thread's.
    pub line: Option<u32>,
    /// How the kernel's questions are answered, where it is free to go either way.
    pub answers: Vec<u64>,
}

impl Session {
    /// What a caller who takes steps looks at, how, and the first steps: none, or those of a token.
    ///
    /// Errors: the token is none of this scenario.
    pub fn to_step(
        &self,
        token: Option<&str>,
        usual: View,
    ) -> Result<Option<(Seen, View, Vec<ScheduleStep>)>, BadToken> {
        match token {
            // What a schedule was found by says what counts as a step.
            Some(token) => self.subject().follow(token).map(Some),
            None => Ok(self.seen(LooksAt::Ends).map(|seen| (seen, usual, Vec::new()))),
        }
    }

    /// Begins a schedule. No step is left out that a thread could take. Both arguments come from [`Session::to_step`].
    pub fn step<'s>(&'s self, seen: &'s Seen, view: View) -> Stepper<'s> {
        let every = Reductions { merge: view.merge, ..Reductions::NONE };
        // Nothing is looked for before it is asked for.
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

    /// Whether nothing was done yet.
    pub fn is_at_the_beginning(&self) -> bool {
        self.path.is_empty()
    }

    /// The steps that were taken.
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

    /// Takes one of the steps that can be taken, by its place among them; gives whether there is one there.
    pub fn take(&mut self, way: usize) -> Option<()> {
        let from = self.path.last().map_or(0, |leg| leg.to);
        let to = self.edges().get(way)?.to;
        self.path.push(Leg { from, way, to });
        Some(())
    }

    /// Takes the last step back; gives whether there was one.
    pub fn back(&mut self) -> Option<()> {
        let last = self.path.pop()?;
        // Where there is one way to begin, that is no step to be taken back.
        if self.path.is_empty() && self.edges().len() == 1 {
            self.path.push(last);
            return None;
        }
        Some(())
    }

    /// What brings the schedule back.
    pub fn token(&mut self) -> String {
        let View { merge, at } = self.view;
        self.session.subject().token(&mut self.found, &self.path, merge, at)
    }

    /// Takes the steps of a schedule; none, if they cannot all be taken.
    pub fn follow(&mut self, schedule: &[ScheduleStep]) {
        let path = std::mem::take(&mut self.path);
        self.path = follow(&mut self.found, path.clone(), schedule).unwrap_or(path);
    }

    /// The shortest way from here to an end of this kind, and how much was looked at.
    pub fn way_to(
        &mut self,
        wanted: Wanted,
        budget: &Budget,
    ) -> (Option<Vec<ScheduleStep>>, Covered) {
        let done = self.schedule();
        // As in the steps that are offered, no schedule is left out.
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

/// The path with the steps of a schedule behind it; nothing if they cannot be taken.
fn follow(found: &mut Exploration, mut path: Path, schedule: &[ScheduleStep]) -> Option<Path> {
    for step in schedule {
        let from = path.last().map_or(0, |leg| leg.to);
        let options = found.edges_from(path.is_empty(), from);
        let way = options.iter().position(|edge| found.step_of(edge) == *step)?;
        path.push(Leg { from, way, to: options[way].to });
    }
    Some(path)
}
