//! A random schedule, step by step: any thread that can may go on, and any wait may end.

use ipcsim_kernel::program::Op;
use ipcsim_kernel::{
    Bound, Event, Life, Machine, Oracle, ProcessId, Progress, Question, Sink, State, ThreadId,
    ThreadState, Transition, step,
};

use super::generate::Dice;

/// Goes so many steps from the beginning, and shows the state after each.
pub fn walk(machine: &Machine, seed: u64, steps: usize, mut show: impl FnMut(&State)) {
    let mut dice = Dice(seed);
    let mut state = State::initial(machine);
    for _ in 0..steps {
        let ways = transitions(machine, &state);
        if ways.is_empty() {
            return;
        }
        let at = usize::try_from(dice.below(ways.len() as u64)).expect("a small number");
        if perform(machine, &mut state, ways[at], &mut dice) == Progress::Endless {
            return;
        }
        show(&state);
    }
}

/// Performs a transition, with answers from the dice.
pub fn perform(
    machine: &Machine,
    state: &mut State,
    what: Transition,
    dice: &mut Dice,
) -> Progress {
    step(machine, state, what, dice, &mut Nobody)
}

/// What could happen next.
pub fn transitions(machine: &Machine, state: &State) -> Vec<Transition> {
    let mut ways = Vec::new();
    for (index, process) in state.processes.items().iter().enumerate() {
        if process.life == Life::NotStarted {
            ways.push(Transition::Start(ProcessId::at(index)));
        }
    }
    for (index, thread) in state.threads.items().iter().enumerate() {
        let t = ThreadId::at(index);
        let stands_at_a_call = matches!(machine.code[thread.pc.index()], Op::Call(_) | Op::End);
        match &thread.state {
            ThreadState::Ready if !stands_at_a_call => ways.push(Transition::Local(t)),
            ThreadState::Ready | ThreadState::Raising(_) => ways.push(Transition::Call(t)),
            ThreadState::LookingAgain { bound, .. } => {
                ways.push(Transition::Call(t));
                if *bound == Bound::Bounded {
                    ways.push(Transition::Expire(t));
                }
            }
            ThreadState::Blocked { bound: Bound::Bounded, .. } => ways.push(Transition::Expire(t)),
            _ => {}
        }
    }
    ways
}

impl Oracle for Dice {
    fn choose(&mut self, question: Question) -> u64 {
        self.below(question.answers().unwrap_or(u64::MAX))
    }
}

struct Nobody;

impl Sink for Nobody {
    const EVENTS: bool = false;

    fn event(&mut self, _: &Machine, _: &State, _: &Event) {}
}
