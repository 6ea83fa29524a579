//! Daemons at rest: a server may wait for its next request for ever.

use ipcsim_program::{
    Edges, Effect, Liveness, Op, Pc, Register, ReplyRight, ThreadId, ThreadName, Tour, Value,
    Walking,
};

use crate::machine::{Machine, Role};
use crate::state::{BlockedOn, Bound, Holder, State, ThreadState};

/// Whether a thread belongs to a daemon, waits for a message without a limit, and owes nobody an answer:
/// then it may wait for ever.
pub fn is_at_rest(machine: &Machine, state: &State, t: ThreadId) -> bool {
    let process = state.threads[t.index()].process;
    let waits = matches!(
        state.threads[t.index()].state,
        ThreadState::Blocked {
            on: BlockedOn::Receive { .. } | BlockedOn::Select(_),
            bound: Bound::Forever
        }
    );
    waits && machine.family_of(process).role == Role::Daemon && !owes_an_answer(machine, state, t)
}

/// Whether somebody waits for the answer of this thread: it holds the request, or no thread of its process
/// does any more. What is in a variable that will not be read again is held by nobody.
fn owes_an_answer(machine: &Machine, state: &State, t: ThreadId) -> bool {
    let process = state.threads[t.index()].process;
    if state.processes[process.index()].owed == 0 {
        return false;
    }
    let owed = state.threads.iter().filter_map(|thread| match &thread.state {
        ThreadState::Blocked { on: BlockedOn::Reply { right, holder }, .. }
            if *holder == Holder::Taken(process) =>
        {
            Some(*right)
        }
        _ => None,
    });
    let liveness = Liveness::of(&machine.code);
    let holds = |t: ThreadId, right: ReplyRight| {
        let thread = &state.threads[t.index()];
        let is_live =
            |at: usize| liveness.is_live(thread.pc, Register::at(at), thread.registers.len());
        let mut values = thread.registers.iter().enumerate();
        thread.state != ThreadState::Ended
            && values.any(|(at, value)| is_request(value, right) && is_live(at))
    };
    owed.into_iter()
        .any(|right| holds(t, right) || !state.threads_of(process).any(|other| holds(other, right)))
}

fn is_request(value: &Value, right: ReplyRight) -> bool {
    match value {
        Value::Message(message) => message.reply_right() == Some(right),
        Value::List(list) => list.items().iter().any(|item| is_request(item, right)),
        _ => false,
    }
}

/// Whether a thread is at rest in the receive that its program reaches first, which is where a server waits
/// for its next request: then it is in nobody's way.
pub fn rests_in_its_main_receive(machine: &Machine, state: &State, t: ThreadId) -> bool {
    if !is_at_rest(machine, state, t) {
        return false;
    }
    let thread = &state.threads[t.index()];
    let threads = &machine.family_of(thread.process).threads;
    let image = state.processes[thread.process.index()].image;
    let image = image.map(|program| &machine.programs[program.index()]);
    let mut specs = image.into_iter().chain(threads);
    let starts: Vec<Pc> = match specs.find(|spec| spec.name == thread.name) {
        Some(spec) => vec![spec.entry],
        None => entries_of(machine, thread.name),
    };
    let receives =
        |op: &Op| op.may(|effect| matches!(effect, Effect::Receives(_) | Effect::LooksAt(_)));
    let mut is_main = false;
    Tour::over(&machine.code).walk(&machine.code, starts, Edges::Possible, |pc, op| {
        let receives = receives(op);
        is_main |= receives && pc == thread.pc;
        if receives { Walking::No } else { Walking::On }
    });
    is_main
}

/// Where threads of this name begin if others start them.
fn entries_of(machine: &Machine, wanted: ThreadName) -> Vec<Pc> {
    let mut entries = Vec::new();
    for op in &machine.code {
        op.effects(&mut |effect| match effect {
            Effect::Starts(name, entry) if name == wanted => entries.push(entry),
            _ => {}
        });
    }
    entries
}
