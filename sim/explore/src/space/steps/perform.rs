//! A cache miss: the kernel performs the step, and the cache learns what it read and did.

use ipcsim_kernel::program::{Effect, From, Receive};
use ipcsim_kernel::table::{Clock, Notes};
use ipcsim_kernel::{
    Computing, End, Event, Expr, Fault, Handle, Kind, Life, Machine, Oracle, Outcome, Pc,
    ProcessId, Progress, Question, Role, Sink, State, ThreadId, ThreadState, Value,
    assert_invariants,
};

use super::super::Log;
use super::super::codec::layout::LOG;
use super::super::codec::names::Changes;
use super::super::codec::parts::{Is, Part, changed, looked, part_at};
use super::cache::{Achieved, Came, Change, Delivery, Read, Step};
use super::drive::{Ready, drive};
use super::grain::Grain;
use super::scratch::Scratch;
use super::{Kernel, Steps};
use crate::verdict::{forgive_daemons, workers};

/// A question has at most this many answers; more cannot be explored.
const MOST_ANSWERS: u64 = 256;
/// A step asks at most this many questions.
const MOST_QUESTIONS: usize = 32;

impl Steps<'_> {
    /// Lets the kernel perform a step in the current state, and learns what it does.
    pub(crate) fn perform(&mut self, now: &[u32], step: Step, answers: &[u64]) {
        self.performed += 1;
        let row = self.codec.seen.parts_of(now);
        let Kernel { clock, scratch: kept, .. } = &mut self.kernel;
        let (parts, layout) = (&self.codec.parts, &self.codec.layout);
        let mut scratch = Scratch::load(kept.take(), parts, layout, row, clock);
        let state = &mut scratch.state;
        let before = (state.threads.items().len(), state.mailboxes.items().len());
        let mut script =
            Script { clock, grain: &self.grain, answers, asked: Vec::new(), refused: None };
        let mut report = Ready::new(Report {
            achieved: Achieved::Nothing,
            delivery: Delivery::Good,
            said: Vec::new(),
            refused: Is::NotSo,
        });
        drive(
            &self.machine,
            state,
            (step, &self.grain),
            &mut script,
            &mut report,
            |script, report, progress, who| match (progress, script.refused.take(), who) {
                (Progress::Endless, _, Some(t)) => report.achieved = Achieved::Endless(t),
                (_, Some(()), Some(t)) => report.achieved = Achieved::TooManyAnswers(t),
                _ => {}
            },
        );
        let asked = script.asked;
        let ended = self.ended(state);
        // Asked first: a daemon that nobody needs is forgiven its exception, and then it cannot be seen any more.
        if !self.machine.scalarsets.is_empty() && raises(state) {
            self.trouble.needs_numbers = Is::So;
        }
        self.forgive_daemons(state);
        if cfg!(debug_assertions) {
            assert_invariants(&self.machine, &state.clone());
        }
        let answers = asked.iter().map(|(_, _, answer)| *answer).collect();
        let Report { achieved, delivery, said, refused } = report.sink;
        let came = self.came(state, step, refused);
        let mut looks = looked(&self.codec.layout, state, before);
        let mut writes = self.writes(now, (state, before), &mut looks);
        if self.trouble.outgrown == Is::NotSo {
            let spoilt = changed(&self.codec.layout, state, before);
            scratch.spoil(spoilt.into_iter());
            self.kernel.scratch = Some(scratch);
        }
        if self.codec.layout.log == Log::Kept && !said.is_empty() {
            // The earlier log is read last, and only by a step that adds to it.
            looks.push((u32::MAX, LOG));
            writes.push(self.write_log(now, said));
        }
        let reads = in_order(looks, asked);
        let writes = writes.into();
        let effect = Change { answers, writes, ended, achieved, delivery, came };
        let bytes = 8 * (effect.answers.len() + effect.writes.len()) + 4 * effect.ended.len();
        self.cache.learn(step, now, &reads, effect, bytes);
    }

    /// How far the calls of a step came.
    fn came(&self, state: &State, step: Step, refused: Is) -> Came {
        let callers = [step.blocks, step.what.thread()].into_iter().flatten();
        let waits = self.sides.as_ref().and_then(|sides| sides.came(state, callers));
        waits.unwrap_or(match refused {
            Is::So => Came::Refused,
            Is::NotSo => Came::Through,
        })
    }

    /// The processes that have ended, of those that the step may have changed.
    fn ended(&self, state: &State) -> Box<[ProcessId]> {
        let changed =
            (0..self.codec.layout.processes).filter(|index| state.processes.changed(*index));
        let ended = |index: &usize| matches!(state.processes.items()[*index].life, Life::Ended(_));
        changed.filter(ended).map(ProcessId::at).collect()
    }

    /// A daemon that fails when no worker is left counts as finished: nobody needs it any more.
    fn forgive_daemons(&mut self, state: &mut State) {
        let changed: Vec<usize> = (0..self.codec.layout.processes)
            .filter(|index| state.processes.changed(*index))
            .collect();
        let workers: Vec<ProcessId> = workers(&self.machine).collect();
        for (fault, pc) in forgive_daemons(&self.machine, state, changed) {
            // Who ended first may matter, and reductions leave that open.
            let comes_last = fault == Fault::Unhandled(Outcome::Dead)
                && expects_something_of(&self.machine, pc, &workers);
            if !comes_last {
                self.trouble.irreducible = Is::So;
            }
        }
    }

    fn write_log(&mut self, now: &[u32], mut said: Vec<(ProcessId, Value)>) -> (u32, u32) {
        let mut lines = self.codec.log(now[LOG]).to_vec();
        lines.append(&mut said);
        let part = self.codec.parts.number(&self.machine, Part::Log(lines));
        (LOG as u32, self.codec.seen.number(LOG, part))
    }

    /// The parts that a step has changed. What this reads besides the kernel's own reads is
    /// recorded as read last.
    fn writes(
        &mut self,
        now: &[u32],
        (state, before): (&State, (usize, usize)),
        looks: &mut Vec<(u32, usize)>,
    ) -> Vec<(u32, u32)> {
        let mut writes = Vec::new();
        let (threads, mailboxes) = (state.threads.items().len(), state.mailboxes.items().len());
        let layout = self.codec.layout;
        if threads > layout.threads || mailboxes > layout.mailboxes {
            self.trouble.outgrown = Is::So;
            return writes;
        }
        // New threads and mailboxes are numbered in order of creation.
        if before != (threads, mailboxes) {
            self.trouble.irreducible = Is::So;
        }
        let mut parts = Vec::new();
        for position in changed(&layout, state, before) {
            let mut part = part_at(&layout, state, position);
            if let Part::Thread(thread) = &mut part
                && self.grain.forgets()
            {
                self.kernel.live.forget(thread);
            }
            layout.unseen.leave_out(&mut part);
            parts.push((position, part));
        }
        let has_made = layout.drops == Is::So && mailboxes > layout.first_made;
        if layout.rights == Is::So || has_made {
            let changes = Changes::new(&self.codec, now, parts);
            let (without_the_lost, looked) = changes.without_the_lost();
            looks.extend(looked.into_iter().map(|position| (u32::MAX, position)));
            parts = without_the_lost;
        }
        for (position, part) in parts {
            let part = self.codec.parts.number(&self.machine, part);
            let number = self.codec.seen.number(position, part);
            if number != now[position] {
                writes.push((position as u32, number));
            }
        }
        writes
    }
}

/// Whether a step has raised an exception over what kind of value it got.
fn raises(state: &State) -> bool {
    let is_over_values = |fault: &Fault| matches!(fault, Fault::WrongTypes(_) | Fault::NotAnObject);
    let threads = (0..state.threads.items().len()).filter(|t| state.threads.changed(*t));
    let processes = (0..state.processes.items().len()).filter(|p| state.processes.changed(*p));
    let mut raised = threads.filter_map(|t| match &state.threads.items()[t].state {
        ThreadState::Raising(fault) => Some(fault),
        _ => None,
    });
    let mut ended = processes.filter_map(|p| match &state.processes.items()[p].life {
        Life::Ended(End::Failed(fault, _)) => Some(fault),
        _ => None,
    });
    raised.any(is_over_values) || ended.any(is_over_values)
}

/// What was read and what was asked, in that order of time.
pub(crate) fn in_order(looks: Vec<(u32, usize)>, asked: Vec<(u32, u64, u64)>) -> Vec<Read> {
    let looks = looks.into_iter().map(|(stamp, position)| (stamp, Read::Looked(position)));
    let asked =
        asked.into_iter().map(|(stamp, answers, answer)| (stamp, Read::Asked { answers, answer }));
    let mut reads: Vec<(u32, Read)> = looks.chain(asked).collect();
    // The sort is stable: what is read last keeps its order.
    reads.sort_by_key(|(stamp, _)| *stamp);
    reads.into_iter().map(|(_, read)| read).collect()
}

/// Answers questions from a script, and with 0 after its end.
struct Script<'a> {
    clock: &'a Clock,
    grain: &'a Grain,
    answers: &'a [u64],
    /// For each question: when it was asked, how many answers it had, and which was given.
    asked: Vec<(u32, u64, u64)>,
    /// There were too many answers or questions.
    refused: Option<()>,
}

impl Oracle for Script<'_> {
    fn choose(&mut self, question: Question) -> u64 {
        let answers = question.answers().filter(|answers| *answers <= MOST_ANSWERS);
        let Some(answers) = answers.filter(|_| self.asked.len() < MOST_QUESTIONS) else {
            self.refused = Some(());
            return 0;
        };
        let answer = self.answers.get(self.asked.len()).copied().unwrap_or(0);
        self.asked.push((self.clock.tick(), answers, answer));
        answer
    }

    fn computing(&self, at: Pc) -> Computing {
        self.grain.computing(at)
    }
}

/// What a step reports to an exploration.
struct Report {
    achieved: Achieved,
    delivery: Delivery,
    said: Vec<(ProcessId, Value)>,
    /// Whether a call ended with another outcome than `ok`.
    refused: Is,
}

impl Sink for Report {
    const EVENTS: bool = true;

    fn event(&mut self, machine: &Machine, state: &State, event: &Event) {
        let sends = |pc: Pc| {
            let op = &machine.code[pc.index()];
            op.may(|effect| matches!(effect, Effect::Sends(_) | Effect::Answers(_)))
        };
        if matches!(event.kind, Kind::Returned(outcome) if outcome != Outcome::Ok) {
            self.refused = Is::So;
        }
        let fails = match event.kind {
            Kind::Withdrawn(_) | Kind::Lost(..) | Kind::Unread(..) => true,
            Kind::Returned(outcome) => outcome != Outcome::Ok && event.pc.is_some_and(sends),
            _ => false,
        };
        if fails {
            self.delivery = Delivery::Failed;
        }
        if let (Kind::Logged(text), Some(t)) = (&event.kind, event.thread) {
            self.said.push((state.threads.items()[t.index()].process, (*text).clone()));
        }
        // The answer to an exception is not a message that a program receives.
        let is_told = |t: ThreadId| state.threads.items()[t.index()].raised().is_some();
        let gets_somewhere = match (&event.kind, event.thread) {
            (Kind::Received(_), Some(t)) => Some(t).filter(|t| !is_told(*t)),
            (Kind::Logged(_), t) => t,
            _ => None,
        };
        if let Some(t) = gets_somewhere {
            let process = state.threads.items()[t.index()].process;
            if machine.family_of(process).role == Role::Worker && self.achieved == Achieved::Nothing
            {
                self.achieved = Achieved::Progress;
            }
        }
    }
}

/// Whether a call receives from all of these processes, so that it finds nobody there only after
/// all have ended.
fn expects_something_of(machine: &Machine, pc: Pc, workers: &[ProcessId]) -> bool {
    fn is_among(value: &Value, worker: ProcessId) -> bool {
        match value {
            Value::List(list) => list.items().iter().any(|item| is_among(item, worker)),
            other => *other == Value::Handle(Handle::Process(worker)),
        }
    }
    machine.code[pc.index()].may(|effect| match effect {
        Effect::Receives(Receive { from: From::These(Expr::Constant(from)), .. }) => {
            workers.iter().all(|worker| is_among(from, *worker))
        }
        _ => false,
    })
}
