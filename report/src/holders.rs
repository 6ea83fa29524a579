//! Why a wait does not end that others could end by letting go: locks of memory, and ends of pipes and channels.

use ipcsim_kernel::object::space::Owner;
use ipcsim_kernel::object::stream::Bytes;
use ipcsim_kernel::program::{Carried, Region, Right};
use ipcsim_kernel::{Access, Capacity, MailboxId, Message, State, ThreadId};

use crate::reasons::NAMED;
use crate::units::bytes;
use crate::words::{Names, listed_up_to};

/// Why a thread does not get a lock.
pub(crate) fn why_locked(
    names: &Names,
    state: &State,
    t: ThreadId,
    (region, page): (Region, u32),
) -> String {
    let lock = state.lock(region, page).expect("only who finds it locked waits");
    match lock.owner {
        Owner::Thread(owner) if owner == t => "it has the lock itself".into(),
        Owner::Thread(owner) => format!("{} has the lock", names.thread(state, owner)),
        Owner::Ended => "the thread that locked it has ended".into(),
        Owner::NotCopied => match names.machine.fork_of(state.threads[t.index()].process) {
            Some(line) => format!("the fork in line {line} did not copy the thread that locked it"),
            None => "the fork did not copy the thread that locked it".into(),
        },
    }
}

/// Why a thread finds nothing to read, and not the end either.
pub(crate) fn why_nothing_to_read(names: &Names, state: &State, stream: MailboxId) -> String {
    let writers = who_has_open(names, state, stream, Access::Write);
    format!("nothing is in it, and {writers} could write")
}

/// Why a thread cannot write the rest of a message.
pub(crate) fn why_pipe_is_full(
    names: &Names,
    state: &State,
    message: &Message,
    held: &Bytes,
) -> String {
    let id = message.mailbox;
    let limit = match state.mailboxes[id.index()].spec.capacity {
        Capacity::Bytes(limit) => limit,
        _ => held.count,
    };
    let (held, limit, left) = (bytes(held.count), bytes(limit), bytes(message.size));
    let readers = who_has_open(names, state, id, Access::Read);
    format!("it holds {held} of {limit}, with {left} still to write, and {readers} could read")
}

/// Who has an end of a pipe or channel open: `shell and reader`.
fn who_has_open(names: &Names, state: &State, stream: MailboxId, end: Access) -> String {
    let holders = state.holders_of(stream, end);
    let mut all: Vec<String> = holders.map(|process| names.machine.process_name(process)).collect();
    let end = Carried { port: stream, right: Right::File(end) };
    if state.messages().any(|message| message.rights().contains(&end)) {
        all.push("whoever gets a message that is on its way".into());
    }
    listed_up_to(&all, NAMED)
}
