//! A second opinion on the search: the same steps, searched by `stateright`, give the same states.
//! It judges the search and the packing of states, and not the step itself.

mod common;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ipcsim_explore::{Covered, ExploreLimits, Looks, Reductions, explore};
use ipcsim_kernel::program::{Op, Verb};
use ipcsim_kernel::{
    Bound, Detect, Life, Machine, Oracle, ProcessId, Question, Role, Sink, State, ThreadId,
    ThreadState, Transition, encode, step,
};
use stateright::{Checker, Model};

/// A state that is the same as another if its bytes are.
#[derive(Clone)]
struct Snapshot {
    state: Arc<State>,
    bytes: Vec<u8>,
}

impl Snapshot {
    fn new(state: State) -> Self {
        let mut bytes = Vec::new();
        encode(&state, &mut bytes);
        Self { state: Arc::new(state), bytes }
    }
}

impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Snapshot {}

impl Hash for Snapshot {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.bytes.hash(hasher);
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

/// A transition, and how the questions in it are answered.
#[derive(Clone, Debug, PartialEq)]
struct Choice {
    transition: Transition,
    answers: Vec<u64>,
}

struct Kernel {
    machine: Machine,
}

impl Kernel {
    /// Performs a transition, and tells how many answers each question had.
    fn perform(&self, state: &State, choice: &Choice) -> (State, Vec<u64>) {
        let mut state = state.clone();
        let mut script = Script { answers: &choice.answers, asked: Vec::new() };
        step(&self.machine, &mut state, choice.transition, &mut script, &mut Silence);
        (state, script.asked)
    }

    fn transitions(&self, state: &State) -> Vec<Transition> {
        let processes = (0..self.machine.processes.len()).map(ProcessId::at);
        let starts = processes
            .filter(|process| state.processes[process.index()].life == Life::NotStarted)
            .map(Transition::Start);
        let threads = (0..state.threads.len()).map(ThreadId::at).flat_map(|t| {
            let thread = &state.threads[t.index()];
            let stands_at = &self.machine.code[thread.pc.index()];
            let at_call = matches!(stands_at, Op::Access(_) | Op::Call(_) | Op::End);
            let mut can = Vec::new();
            match &thread.state {
                ThreadState::Ready if at_call => can.push(Transition::Call(t)),
                ThreadState::Raising(_) => can.push(Transition::Call(t)),
                ThreadState::Ready => can.push(Transition::Local(t)),
                ThreadState::LookingAgain { .. } => can.push(Transition::Call(t)),
                ThreadState::Suspended(then) if then.is_ready() && !at_call => {
                    can.push(Transition::Local(t));
                }
                _ => {}
            }
            if let ThreadState::Blocked { bound: Bound::Bounded, .. }
            | ThreadState::LookingAgain { bound: Bound::Bounded, .. } = thread.state.underneath()
            {
                can.push(Transition::Expire(t));
            }
            can
        });
        starts.chain(threads).collect()
    }
}

impl Model for Kernel {
    type State = Snapshot;
    type Action = Choice;

    fn init_states(&self) -> Vec<Snapshot> {
        let mut state = State::initial(&self.machine);
        for index in 0..self.machine.processes.len() {
            let process = ProcessId::at(index);
            if self.machine.family_of(process).start_ns == 0 {
                let choice = Choice { transition: Transition::Start(process), answers: Vec::new() };
                state = self.perform(&state, &choice).0;
            }
        }
        vec![Snapshot::new(state)]
    }

    fn actions(&self, snapshot: &Snapshot, actions: &mut Vec<Choice>) {
        for transition in self.transitions(&snapshot.state) {
            // The odometer: all answers to the first question, and so on.
            let mut open = vec![Vec::new()];
            while let Some(answers) = open.pop() {
                let given = answers.len();
                let choice = Choice { transition, answers };
                let (_, asked) = self.perform(&snapshot.state, &choice);
                match asked.get(given) {
                    None => actions.push(choice),
                    Some(count) => open.extend((0..*count).map(|answer| {
                        let mut answers = choice.answers.clone();
                        answers.push(answer);
                        answers
                    })),
                }
            }
        }
    }

    fn next_state(&self, snapshot: &Snapshot, choice: Choice) -> Option<Snapshot> {
        Some(Snapshot::new(self.perform(&snapshot.state, &choice).0))
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        vec![stateright::Property::always("nothing", |_, _| true)]
    }
}

struct Script<'a> {
    answers: &'a [u64],
    asked: Vec<u64>,
}

impl Oracle for Script<'_> {
    fn choose(&mut self, question: Question) -> u64 {
        let answer = self.answers.get(self.asked.len()).copied().unwrap_or(0);
        self.asked.push(question.answers().expect("questions are small here"));
        answer
    }
}

struct Silence;

impl Sink for Silence {
    const EVENTS: bool = false;
}

/// Where the two count the same thing: reply rights are numbered otherwise in whole states, a daemon
/// that fails at the end is forgiven by the search alone, and a kernel that refuses deadlocks is not
/// searched without links.
fn is_comparable(machine: &Machine) -> bool {
    let calls = machine.code.iter().any(|op| {
        matches!(op, Op::Call(call) if matches!(call.verb, Verb::Call { .. } | Verb::Reply { .. }))
    });
    let daemons = machine.families.iter().any(|family| family.role == Role::Daemon);
    !calls && !daemons && machine.policies.detect == Detect::Report
}

/// How many states the two searches find; nothing where they do not count the same thing, or where
/// there are more than that.
fn counts(machine: &Machine, most: u64) -> Option<(u64, u64)> {
    let plain = Reductions::NONE;
    let limits = ExploreLimits { max_states: most, ..ExploreLimits::default() };
    if !is_comparable(machine) {
        return None;
    }
    let found = explore(machine, plain, Looks::NOTHING, &limits);
    if found.covered != Covered::All {
        return None;
    }
    let other = Kernel { machine: machine.clone() }.checker().spawn_bfs().join();
    Some((found.states(), other.unique_state_count() as u64))
}

#[test]
fn another_search_finds_as_many_states() {
    let mut compared = 0;
    for (path, text) in common::scenarios() {
        let loaded = common::loaded(&path, &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        if let Some((own, other)) = counts(&machine, 3_000) {
            assert_eq!(own, other, "{path}");
            compared += 1;
        }
    }
    assert!(compared >= 30, "{compared} scenarios were compared");
}

#[test]
fn another_search_finds_as_many_states_of_random_scenarios() {
    let mut compared = 0;
    for seed in 0..400 {
        let text = common::generate::scenario(seed, 1);
        let loaded = common::loaded("random.yaml", &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        if let Some((own, other)) = counts(&machine, 300) {
            assert_eq!(own, other, "seed {seed}:\n{text}");
            compared += 1;
        }
    }
    assert!(compared >= 30, "{compared} scenarios were compared");
}
