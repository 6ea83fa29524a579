//! What one can see of a state from outside: where everybody is, and what lies in the mailboxes.

use std::collections::BTreeSet;
use std::sync::Arc;

use ipcsim_explore::Tracer;
use ipcsim_kernel::object::mailbox::Existence;
use ipcsim_kernel::{
    Event, Expr, Field, Life, Machine, MailboxId, Oracle, Pick, Process, ProcessId, Question,
    Rename, ReplyRight, Sink, State, ThreadId, ThreadState, Transition, Walk, encode_part, step,
};

/// Where everybody is, and what everybody can see.
pub type Situation = (Vec<(u32, &'static str)>, Vec<u8>);

/// What one can see of a state.
pub fn situation(machine: &Machine, state: &State) -> Situation {
    (places(state), shared(machine, state))
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

/// A search numbers some things in another way. So the calls that reply rights belong to are not told apart, and mailboxes
/// that were made at run time are numbered as they appear.
struct ByAppearance {
    first_made: usize,
    made: Vec<MailboxId>,
}

impl Rename for ByAppearance {
    fn right(&mut self, right: ReplyRight) -> ReplyRight {
        ReplyRight { call: 0, ..right }
    }

    fn mailbox(&mut self, id: MailboxId) -> MailboxId {
        if id.index() < self.first_made {
            return id;
        }
        let place = self.made.iter().position(|made| *made == id).unwrap_or_else(|| {
            self.made.push(id);
            self.made.len() - 1
        });
        MailboxId::at(self.first_made + place)
    }
}

/// What everybody can see of a state: processes, mailboxes and links. Of what was made at run time, what a process or another
/// mailbox names; rights to what is gone are no names. Where anyone may be served next, nobody sees who came first, and where no
/// program asks, nobody sees who has sent a message that is stored.
fn shared(machine: &Machine, state: &State) -> Vec<u8> {
    let policies = &machine.policies;
    let mut asks_for_senders = false;
    for op in &machine.code {
        op.expressions(&mut |expr| {
            asks_for_senders |= expr.contains(&|it| matches!(it, Expr::Field(_, Field::Sender)));
        });
    }
    let first_made = State::initial(machine).mailboxes.len();
    let mut names = ByAppearance { first_made, made: Vec::new() };
    let ids = || (0..state.mailboxes.len()).map(MailboxId::at);
    let is_gone = |id: &MailboxId| {
        id.index() >= first_made && state.mailboxes[id.index()].existence == Existence::Destroyed
    };
    let mut bytes = Vec::new();
    for process in &state.processes {
        // A daemon that fails at the very end is forgiven by the search alone.
        let mut process = Process { life: Life::Running, ..process.clone() };
        ids().filter(is_gone).for_each(|id| process.rights.forget(id));
        if policies.receiver == Pick::Arbitrary {
            process.inbox.receivers.make_contiguous().sort_unstable();
        }
        encode_part(&process.renamed(&mut names), &mut bytes);
    }
    let mut encode = |id: MailboxId, names: &mut ByAppearance| {
        let mut mailbox = state.mailboxes[id.index()].renamed(names);
        if mailbox.spec.receiver == Pick::Arbitrary {
            mailbox.receivers.make_contiguous().sort_unstable();
        }
        if policies.sender == Pick::Arbitrary {
            mailbox.senders.make_contiguous().sort_unstable_by_key(|(sender, _)| *sender);
        }
        if !asks_for_senders {
            for message in &mut mailbox.messages {
                Arc::make_mut(message).sender = ProcessId::KERNEL;
            }
        }
        encode_part(&mailbox, &mut bytes);
    };
    ids().take(first_made).for_each(|id| encode(id, &mut names));
    let mut next = 0;
    while let Some(id) = names.made.get(next).copied() {
        encode(id, &mut names);
        next += 1;
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
        if !self.explored.contains(&situation(machine, &state)) {
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
