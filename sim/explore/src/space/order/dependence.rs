//! What depends on what in a state: whom a possible transition competes with, and what an impossible one lacks.

use ipcsim_kernel::{BlockedOn, Holder, MailboxId, ProcessId, ThreadState};

use super::super::lazy::reach::{Boxes, Reach};
use super::super::steps::cache::Came;
use super::asked::{Asked, Now};
use super::closing::Closing;
use super::net::{List, Patience};
use super::{PartialOrder, Standing, Where};

/// Which side of a mailbox or link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Sends,
    Receives,
}

impl PartialOrder {
    /// All transitions that a possible one may disturb, or that may disturb it.
    pub(super) fn competing(
        &self,
        now: &mut Now,
        transition: usize,
        ended: &[ProcessId],
        more: &mut Closing,
    ) {
        let net = &self.net;
        // In which order observed things change can be seen.
        if net.is_seen[transition] {
            more.add(&net.seen);
        }
        let (one, other) = net.inputs[transition];
        let meets = other.is_some();
        for place in [Some(one), other].into_iter().flatten() {
            more.add(&net.consumers[place]);
            let standing = &self.standing(now, net.places[place].thread);
            let patience = net.places[place].impatient;
            for id in standing.reach.sends.of(&net.places[place].sends) {
                self.competing_at((id, Side::Sends, patience), meets, more);
            }
            for id in standing.reach.receives.of(&net.places[place].receives) {
                self.competing_at((id, Side::Receives, patience), meets, more);
            }
            if net.places[place].answers {
                more.add(&net.answering);
                more.add(&net.awaiting);
                more.add(&net.of_crowds);
            }
            self.answers_to(standing, more);
            self.siblings(standing, more);
        }
        for process in ended {
            self.connected(*process, more);
        }
    }

    fn competing_at(
        &self,
        (id, side, patience): (MailboxId, Side, Patience),
        meets: bool,
        more: &mut Closing,
    ) {
        let net = &self.net;
        let spot = &net.spots[id.index()];
        if let Some(pool) = net.pool.as_ref().filter(|_| !spot.stores_nothing) {
            match (side, patience) {
                (Side::Sends, Patience::Patient) => more.add(&pool.taking),
                (Side::Sends, Patience::Impatient) => {
                    more.add(&pool.taking);
                    more.add(&pool.giving_back);
                }
                (Side::Receives, _) => more.add(&pool.taking_impatiently),
            }
        }
        let is_disturbed = !spot.commutes || patience == Patience::Impatient;
        // Where nothing is stored, two that meet compete with nobody but for themselves, and who finds nobody there finds
        // nobody whatever happens.
        if !spot.stores_nothing || !spot.commutes {
            let (same, other, impatient) = match side {
                Side::Sends => (&spot.sending, &spot.receiving, &spot.receiving_impatiently),
                Side::Receives => (&spot.receiving, &spot.sending, &spot.sending_impatiently),
            };
            more.add(same);
            more.add(if is_disturbed { other } else { impatient });
        }
        let Some(to) = net.receiver_of[id.index()] else { return };
        if meets && spot.commutes && spot.stores_nothing {
            return;
        }
        match (side, net.links.ends(id)) {
            (Side::Sends, _) => {
                more.add(&net.of_process[to.index()]);
                if net.keeps_arrivals[to.index()] && !spot.stores_nothing {
                    for link in net.links.leading_to(to) {
                        more.add(&net.spots[link.index()].sending);
                    }
                }
            }
            // What was stored is there whether its sender has ended or not.
            (Side::Receives, Some((from, _))) if is_disturbed => {
                more.add(&net.of_process[from.index()]);
            }
            (Side::Receives, _) => {}
        }
    }

    /// Transitions one of which must happen before an impossible one becomes possible.
    pub(super) fn enabling(
        &self,
        (now, asked): (&mut Now, &mut Asked),
        transition: usize,
        more: &mut Closing,
    ) {
        let net = &self.net;
        let (one, other) = net.inputs[transition];
        let meets = other.is_some();
        // Of several things that it lacks, any one will do: the one that needs the least; of two that need as much, the
        // receiver comes first, for servers are receivers.
        let places = [other, Some(one)].into_iter().flatten();
        let mut lacks = Vec::new();
        for place in places.clone() {
            if !self.is_at(place) {
                lacks.push(&net.producers[place]);
            } else if meets {
                lacks.extend(self.keeps_apart((now, asked), place));
            }
        }
        if lacks.len() > 1 {
            lacks.sort_by_cached_key(|list| more.lacks(list));
        }
        if let Some(least) = lacks.first() {
            more.add(least);
            return;
        }
        for place in places {
            // What a thread does there depends on its variables. It may leave, and come back with others.
            more.add(&net.consumers[place]);
            let standing = &self.standing(now, net.places[place].thread);
            for id in standing.reach.sends.of(&net.places[place].sends) {
                if let Some(pool) = net.pool.as_ref().filter(|pool| pool.feeds(id) && !meets) {
                    more.add(&pool.giving_back);
                }
                self.enabling_at(id, Side::Sends, meets, more);
            }
            for id in standing.reach.receives.of(&net.places[place].receives) {
                self.enabling_at(id, Side::Receives, meets, more);
            }
            self.answers_to(standing, more);
            self.siblings(standing, more);
        }
    }

    fn is_at(&self, place: usize) -> bool {
        self.view.at[self.thread_at(place)] == Where::At(place)
    }

    /// What must happen before a thread that stands at this place can meet anybody, if it need not wait now: it finds a message
    /// in its only mailbox, which must be emptied first, or memory for its own, which somebody else must take first.
    fn keeps_apart(&self, (now, asked): (&mut Now, &mut Asked), place: usize) -> Option<&List> {
        let net = &self.net;
        if self.caller(now, asked, place)?.came != Came::Through {
            return None;
        }
        match self.standing(now, net.places[place].thread).reach {
            Reach { sends: Boxes::One(id), receives: Boxes::None } => {
                net.pool.as_ref().filter(|pool| pool.feeds(*id)).map(|pool| &pool.taking)
            }
            Reach { sends: Boxes::None, receives: Boxes::One(id) } => {
                let spot = &net.spots[id.index()];
                (spot.commutes && !spot.stores_nothing).then_some(&spot.receiving)
            }
            _ => None,
        }
    }

    fn enabling_at(&self, id: MailboxId, side: Side, meets: bool, more: &mut Closing) {
        let net = &self.net;
        let spot = &net.spots[id.index()];
        if !spot.commutes || (meets && !spot.stores_nothing) {
            more.add(&spot.sending);
            more.add(&spot.receiving);
        } else if !spot.stores_nothing {
            more.add(match side {
                Side::Sends => &spot.receiving,
                Side::Receives => &spot.sending,
            });
        }
        let other = match side {
            Side::Sends => net.receiver_of[id.index()],
            Side::Receives => net.links.ends(id).map(|(from, _)| from),
        };
        if let Some(other) = other {
            more.add(&net.of_process[other.index()]);
        }
    }

    /// Who could end the wait of a thread for its answer.
    fn answers_to(&self, standing: &Standing, more: &mut Closing) {
        let Some(ThreadState::Blocked { on: BlockedOn::Reply { holder: on, .. }, .. }) =
            standing.thread.map(|thread| &thread.state)
        else {
            return;
        };
        more.add(&self.net.answering);
        match on {
            Holder::Taken(process) => more.add(&self.net.of_process[process.index()]),
            Holder::Queued(mailbox) => {
                let spot = &self.net.spots[mailbox.index()];
                more.add(&spot.receiving);
                if let Some(to) = self.net.receiver_of[mailbox.index()] {
                    more.add(&self.net.of_process[to.index()]);
                }
            }
        }
    }

    /// The threads of a process end together.
    fn siblings(&self, standing: &Standing, more: &mut Closing) {
        if let Some(thread) = standing.thread {
            let process = thread.process.index();
            if self.net.crowds[process] {
                more.add(&self.net.of_process[process]);
            }
        }
    }

    /// Whoever is concerned by the end of a process.
    fn connected(&self, process: ProcessId, more: &mut Closing) {
        let net = &self.net;
        for (id, spot) in net.spots.iter().enumerate() {
            if net.receiver_of[id] == Some(process) {
                more.add(&spot.sending);
                if let Some(pool) = net.pool.as_ref().filter(|_| !spot.stores_nothing) {
                    more.add(&pool.taking_impatiently);
                }
            }
            if net.links.ends(MailboxId::at(id)).is_some_and(|(from, _)| from == process) {
                more.add(if spot.commutes { &spot.receiving_impatiently } else { &spot.receiving });
            }
        }
        more.add(&net.awaiting);
        more.add(&net.of_process[process.index()]);
    }
}
