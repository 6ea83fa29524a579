//! What one can see of a state from outside: where everybody is, and what lies in the mailboxes.

use std::collections::BTreeSet;

use ipcsim_explore::Tracer;
use ipcsim_kernel::{
    Event, Life, Machine, Oracle, Process, ProcessId, Question, Rename, ReplyRight, Sink, State,
    ThreadId, ThreadState, Transition, Walk, encode_part, step,
};

/// Where everybody is, and what everybody can see.
pub type Situation = (Vec<(u32, &'static str)>, Vec<u8>);

/// What one can see of a state.
pub fn situation(state: &State) -> Situation {
    (places(state), shared(state))
}

/// Where every thread is, and whether it waits.
fn places(state: &State) -> Vec<(u32, &'static str)> {
    let place = |thread: &ipcsim_kernel::Thread| {
        let word = match &thread.state {
            ThreadState::NotStarted => "not started",
            ThreadState::Ready => "ready",
            ThreadState::Raising(_) => "raises",
            ThreadState::LookingAgain { .. } => "looks again",
            ThreadState::Blocked { .. } => "waits",
            ThreadState::Suspended(_) => "suspended",
            ThreadState::Ended => return (0, "ended"),
        };
        (thread.pc.0, word)
    };
    state.threads.iter().map(place).collect()
}

/// Everything keeps its name, but the calls that reply rights belong to are not told apart: a search numbers
/// them in another way.
struct AnyCall;

impl Rename for AnyCall {
    fn right(&mut self, right: ReplyRight) -> ReplyRight {
        ReplyRight { call: 0, ..right }
    }
}

/// What everybody can see of a state: processes, mailboxes and links.
fn shared(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    for process in &state.processes {
        // A daemon that fails at the very end is forgiven by the search alone.
        let process = Process { life: Life::Running, ..process.clone() };
        encode_part(&process, &mut bytes);
    }
    for mailbox in &state.mailboxes {
        encode_part(&mailbox.renamed(&mut AnyCall), &mut bytes);
    }
    bytes
}

/// Whether every state that a run comes to was explored, and how many there were.
pub struct Inside<'a> {
    pub explored: &'a BTreeSet<Situation>,
    pub looked_at: u64,
    /// How many could not be compared: not all have begun, or local work waits for a choice.
    pub undecided: u64,
    pub outside: Option<State>,
}

impl Tracer for Inside<'_> {
    const EVENTS: bool = false;

    fn record(&mut self, _: &Machine, _: &State, _: u64, _: &Event) {}

    fn comes_to(&mut self, machine: &Machine, state: &State) {
        let begun = |(index, process): (usize, &Process)| {
            process.life != Life::NotStarted || machine.family_of(ProcessId::at(index)).start_ns > 0
        };
        let mut state = state.clone();
        // In an exploration all begin together, and local work belongs to the call before it.
        if !state.processes.iter().enumerate().all(begun) || !finish_local_work(machine, &mut state)
        {
            self.undecided += 1;
            return;
        }
        self.looked_at += 1;
        if !self.explored.contains(&situation(&state)) {
            self.outside.get_or_insert(state);
        }
    }
}

/// Lets every thread come to its next call. Not if something would have to be chosen for that.
fn finish_local_work(machine: &Machine, state: &mut State) -> bool {
    struct Chosen(bool);
    impl Oracle for Chosen {
        fn choose(&mut self, _: Question) -> u64 {
            self.0 = true;
            0
        }
    }
    struct Silence;
    impl Sink for Silence {
        const EVENTS: bool = false;
    }
    let mut oracle = Chosen(false);
    for t in (0..state.threads.len()).map(ThreadId::at) {
        if state.threads[t.index()].state.underneath().is_ready() {
            step(machine, state, Transition::Local(t), &mut oracle, &mut Silence);
        }
    }
    !oracle.0
}
