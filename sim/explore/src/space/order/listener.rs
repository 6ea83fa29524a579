//! A receiver that may go first: whatever others do before it, it might as well already have been listening.
//!
//! At a rendezvous, a sender waits until the receiver takes the message, and does nothing else in
//! between. Suppose a receiver would find nothing now, but in some schedule it makes its call later
//! and takes the message of one of several senders. The same state is reached if the receiver
//! listens now, that sender comes first, and the others join its queue after it: nobody was waiting
//! for what they did, and nobody can see that they did it later. And if the receiver takes what is
//! already there from a single source, others can only queue up behind it.
//!
//! This requires more than a persistent set does: nobody gives up waiting, anywhere, and no process
//! can end while one of its threads waits.

use ipcsim_kernel::program::{Effect, From, Receive, Wait};
use ipcsim_kernel::waits::settled;
use ipcsim_kernel::{Capacity, Machine, Mailbox, Pick, Thread};

use super::super::reach::{About, Direction, about};
use super::{Movable, PartialOrder, Threads, View, commutes};

/// Whether nobody gives up waiting, and no process ends in the middle of a wait.
pub(super) fn is_patient(machine: &Machine, of_process: &[Threads]) -> bool {
    machine.policies.sender == Pick::Fifo
        && of_process.iter().all(|threads| threads.count_ones() <= 1)
        && !machine.any_call(|effect| match effect {
            Effect::Sends(send) => send.wait != Wait::Forever,
            Effect::Receives(receive) => !takes_anything(receive),
            _ => false,
        })
}

/// Whether a call waits without limit, and for any message.
pub(super) fn takes_anything(receive: &Receive) -> bool {
    receive.wait == Wait::Forever && receive.kind.is_none() && receive.max_size.is_none()
}

/// Whether a sender waits until its message is taken.
pub(super) fn is_rendezvous(mailbox: &Mailbox) -> bool {
    mailbox.spec.capacity == Capacity::None && commutes(mailbox)
}

impl PartialOrder {
    /// A thread whose next move alone suffices, because it is such a receiver.
    pub(super) fn listener(&self, view: &View, moves: &[Movable]) -> Option<Threads> {
        let may_go_first = |movable: &&Movable| {
            movable.ways == 1 && movable.ended.is_empty() && {
                let t = movable.threads.trailing_zeros() as usize;
                let thread = view.threads[t];
                thread.is_some_and(|thread| self.may_go_first(view, thread, t, movable.waits))
            }
        };
        moves.iter().filter(|_| self.patient).find(may_go_first).map(|movable| movable.threads)
    }

    fn may_go_first(&self, view: &View, thread: &Thread, t: usize, waits: bool) -> bool {
        let mut from = None;
        view.machine.code[thread.pc.index()].effects(&mut |effect| {
            if let Effect::Receives(Receive { from: From::These(sources), .. }) = effect {
                from = Some(sources);
            }
        });
        let Some(from) = from.filter(|_| thread.state.is_ready()) else { return false };
        let Some(from) = settled(view.machine, thread, &[], from) else { return false };
        let About::These(sources) = about(&self.links, &from, thread.process, Direction::From)
        else {
            return false;
        };
        (waits || sources.len() == 1)
            && sources.iter().all(|source| {
                let receivers = self.who(view, |ahead| ahead.receives.has(*source));
                self.rendezvous.get(source.index()).is_some_and(|it| *it) && receivers == 1 << t
            })
    }
}
