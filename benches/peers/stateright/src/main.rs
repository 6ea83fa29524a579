//! The systems of `../../spaces`, written by hand for `stateright`: `peer NAME` visits all states and
//! prints a line of JSON.
//!
//! Nothing is checked but a property that always holds.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use stateright::{Checker, Model, Property};

/// Processes with a straight program each, and mailboxes. A call that cannot go on now waits in a queue,
/// and that is a step too: so the states are those of `ipcsim`.
struct Mailboxes {
    programs: Vec<Program>,
    /// How many messages each mailbox holds.
    capacities: Vec<usize>,
}

#[derive(Clone)]
struct Program {
    steps: Vec<Step>,
    /// Whether it begins again when it is over.
    forever: bool,
}

#[derive(Clone, Copy)]
enum Step {
    Send(usize),
    Receive(usize),
    /// Receive, and remember from whom.
    Take(usize),
    /// Send to the mailbox with this number, and as many more as the number of whom is remembered.
    Answer(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Mail {
    /// For each process the step that it comes to; one behind the last has ended.
    at: Vec<u8>,
    waits: Vec<bool>,
    remembered: Option<u8>,
    boxes: Vec<Mailbox>,
}

/// All by number of the process, oldest first: whose messages there are, who waits to send and to receive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Mailbox {
    messages: Vec<u8>,
    senders: Vec<u8>,
    receivers: Vec<u8>,
}

impl Mailboxes {
    fn go_on(&self, state: &mut Mail, process: u8) {
        let (program, at) = (&self.programs[usize::from(process)], usize::from(process));
        state.waits[at] = false;
        state.at[at] += 1;
        if program.forever && usize::from(state.at[at]) == program.steps.len() {
            state.at[at] = 0;
        }
    }

    fn gets(&self, state: &mut Mail, process: u8, from: u8) {
        let program = &self.programs[usize::from(process)];
        if let Step::Take(_) = program.steps[usize::from(state.at[usize::from(process)])] {
            state.remembered = Some(from);
        }
        self.go_on(state, process);
    }

    fn send(&self, state: &mut Mail, process: u8, to: usize) {
        let mailbox = &mut state.boxes[to];
        if !mailbox.receivers.is_empty() {
            let receiver = mailbox.receivers.remove(0);
            self.gets(state, receiver, process);
            self.go_on(state, process);
        } else if mailbox.messages.len() < self.capacities[to] {
            mailbox.messages.push(process);
            self.go_on(state, process);
        } else {
            mailbox.senders.push(process);
            state.waits[usize::from(process)] = true;
        }
    }

    fn receive(&self, state: &mut Mail, process: u8, from: usize) {
        let mailbox = &mut state.boxes[from];
        if mailbox.messages.is_empty() {
            mailbox.receivers.push(process);
            state.waits[usize::from(process)] = true;
            return;
        }
        let sender = mailbox.messages.remove(0);
        if !mailbox.senders.is_empty() {
            let next = mailbox.senders.remove(0);
            mailbox.messages.push(next);
            self.go_on(state, next);
        }
        self.gets(state, process, sender);
    }
}

impl Model for Mailboxes {
    type State = Mail;
    type Action = u8;

    fn init_states(&self) -> Vec<Mail> {
        let processes = self.programs.len();
        vec![Mail {
            at: vec![0; processes],
            waits: vec![false; processes],
            remembered: None,
            boxes: vec![Mailbox::default(); self.capacities.len()],
        }]
    }

    fn actions(&self, state: &Mail, actions: &mut Vec<u8>) {
        let can = |process: &u8| {
            let at = usize::from(*process);
            !state.waits[at] && usize::from(state.at[at]) <= self.programs[at].steps.len()
        };
        actions.extend((0..self.programs.len() as u8).filter(can));
    }

    fn next_state(&self, last: &Mail, process: u8) -> Option<Mail> {
        let mut state = last.clone();
        let at = usize::from(process);
        match self.programs[at].steps.get(usize::from(state.at[at])) {
            Some(Step::Send(to)) => self.send(&mut state, process, *to),
            Some(Step::Receive(from) | Step::Take(from)) => {
                self.receive(&mut state, process, *from);
            }
            Some(Step::Answer(first)) => {
                let whom = state.remembered.take().expect("it was taken before it is answered");
                self.send(&mut state, process, first + usize::from(whom));
            }
            // Its end is a step too.
            None => state.at[at] += 1,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("nothing", |_, _| true)]
    }
}

/// Senders that share kernel memory, each with a mailbox and a reader of its own. A step that cannot be
/// taken is not offered, so there are no queues.
struct Memory;

const PAIRS: usize = 4;
const MESSAGES: u8 = 4;
const ROOM: u8 = 4;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Progress {
    sent: [u8; PAIRS],
    received: [u8; PAIRS],
}

impl Model for Memory {
    type State = Progress;
    type Action = u8;

    fn init_states(&self) -> Vec<Progress> {
        vec![Progress { sent: [0; PAIRS], received: [0; PAIRS] }]
    }

    fn actions(&self, state: &Progress, actions: &mut Vec<u8>) {
        let used = state.sent.iter().sum::<u8>() - state.received.iter().sum::<u8>();
        for pair in 0..PAIRS {
            if state.sent[pair] < MESSAGES && used < ROOM {
                actions.push(pair as u8);
            }
            if state.received[pair] < state.sent[pair] {
                actions.push((PAIRS + pair) as u8);
            }
        }
    }

    fn next_state(&self, last: &Progress, number: u8) -> Option<Progress> {
        let mut state = last.clone();
        match usize::from(number).checked_sub(PAIRS) {
            None => state.sent[usize::from(number)] += 1,
            Some(reader) => state.received[reader] += 1,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("nothing", |_, _| true)]
    }
}

/// Philosophers, and forks that lend themselves out by a rendezvous. A step that cannot be taken is not
/// offered, so there are no queues.
struct Dining;

const SEATS: usize = 4;
const ROUNDS: u8 = 2;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Table {
    /// For each philosopher the steps taken: take left, take right, back left, back right.
    at: [u8; SEATS],
    /// For each fork who has it.
    lent: [Option<u8>; SEATS],
}

impl Model for Dining {
    type State = Table;
    type Action = u8;

    fn init_states(&self) -> Vec<Table> {
        vec![Table { at: [0; SEATS], lent: [None; SEATS] }]
    }

    fn actions(&self, state: &Table, actions: &mut Vec<u8>) {
        for number in 0..SEATS {
            let at = state.at[number];
            let fork = (number + usize::from(at % 2)) % SEATS;
            let can = match at % 4 {
                _ if at == 4 * ROUNDS => false,
                0 | 1 => state.lent[fork].is_none(),
                _ => true,
            };
            if can {
                actions.push(number as u8);
            }
        }
    }

    fn next_state(&self, last: &Table, number: u8) -> Option<Table> {
        let mut state = last.clone();
        let index = usize::from(number);
        let at = state.at[index];
        let fork = (index + usize::from(at % 2)) % SEATS;
        state.lent[fork] = if at % 4 < 2 { Some(number) } else { None };
        state.at[index] += 1;
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("nothing", |_, _| true)]
    }
}

fn check<M>(name: &str, model: M)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + PartialEq + Hash + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let start = Instant::now();
    let checker = model.checker().threads(1).spawn_bfs().join();
    let seconds = start.elapsed().as_secs_f64();
    let states = checker.unique_state_count();
    println!(
        "{{\"peer\":\"stateright\",\"space\":\"{name}\",\"states\":{states},\"seconds\":{seconds:.6}}}"
    );
}

fn main() {
    let name = std::env::args().nth(1).expect("peer NAME");
    let repeat = |steps: &[Step], rounds| Program { steps: steps.repeat(rounds), forever: false };
    match name.as_str() {
        "rpc" => {
            const CLIENTS: usize = 5;
            let client = |number| repeat(&[Step::Send(0), Step::Receive(1 + number)], 3);
            let mut programs: Vec<Program> = (0..CLIENTS).map(client).collect();
            programs.push(Program { steps: vec![Step::Take(0), Step::Answer(1)], forever: true });
            let mut capacities = vec![1; 1 + CLIENTS];
            capacities[0] = 2;
            check(&name, Mailboxes { programs, capacities });
        }
        "ring" => {
            const NODES: usize = 8;
            let node =
                |number| repeat(&[Step::Send((number + 1) % NODES), Step::Receive(number)], 4);
            let programs = (0..NODES).map(node).collect();
            check(&name, Mailboxes { programs, capacities: vec![1; NODES] });
        }
        "pool" => {
            let mut programs = vec![repeat(&[Step::Send(0)], 3); 4];
            programs.extend(vec![repeat(&[Step::Receive(0)], 3); 4]);
            check(&name, Mailboxes { programs, capacities: vec![2] });
        }
        "dining" => check(&name, Dining),
        "memory" => check(&name, Memory),
        other => panic!("there is no system {other}"),
    }
}
