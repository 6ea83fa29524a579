//! Replays a schedule that was found, through the same `step`, to report what happens in it.

use ipcsim_kernel::{
    Computing, Event, Machine, Oracle, Pc, ProcessId, Question, Sink, State, ThreadId,
};

use crate::explore::ScheduleStep;
use crate::run::{Tracer, tell_what_is_held};
use crate::space::{Grain, Move, Ready, Step, drive};
use crate::verdict::forgive_daemons;

/// Performs a schedule from the beginning. The tracer sees every event; instead of a time it gets
/// the number of the step, 0 for the beginning.
pub fn replay<T: Tracer>(
    machine: &Machine,
    grain: &Grain,
    schedule: &[ScheduleStep],
    tracer: &mut T,
) -> State {
    let mut state = State::initial(machine);
    tell_what_is_held(machine, &state, tracer);
    for (number, step) in schedule.iter().enumerate() {
        let mut script = Script { answers: &step.answers, grain };
        tracer.step_begins(machine, &state, number as u64, step.what);
        let mut teller = Ready::new(Teller { tracer, number: number as u64 });
        let lived: Vec<usize> = (0..state.processes.len())
            .filter(|process| !state.is_over(ProcessId::at(*process)))
            .collect();
        drive(
            machine,
            &mut state,
            (Step::alone(step.what), grain),
            &mut script,
            &mut teller,
            |_, _, _, _| {},
        );
        forgive_daemons(machine, &mut state, lived);
    }
    state
}

/// How often a schedule switches from one thread to another.
pub fn context_switches(schedule: &[ScheduleStep]) -> u64 {
    let calls = schedule.iter().filter_map(|step| match step.what {
        Move::Call(t) | Move::Local(t) => Some(t),
        Move::Begin | Move::Start(_) | Move::Expire(_) => None,
    });
    let threads: Vec<ThreadId> = calls.collect();
    threads.windows(2).filter(|pair| pair[0] != pair[1]).count() as u64
}

struct Script<'a> {
    grain: &'a Grain,
    answers: &'a [u64],
}

impl Oracle for Script<'_> {
    fn choose(&mut self, _: Question) -> u64 {
        let Some((answer, rest)) = self.answers.split_first() else { return 0 };
        self.answers = rest;
        *answer
    }

    fn computing(&self, at: Pc) -> Computing {
        self.grain.computing(at)
    }
}

struct Teller<'a, T> {
    tracer: &'a mut T,
    number: u64,
}

impl<T: Tracer> Sink for Teller<'_, T> {
    const EVENTS: bool = T::EVENTS;
    const SHORT_WAY: bool = T::SHORT_WAY;

    fn event(&mut self, machine: &Machine, state: &State, event: &Event) {
        self.tracer.record(machine, state, self.number, event);
    }
}
