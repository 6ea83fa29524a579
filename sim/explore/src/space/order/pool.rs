//! Kernel memory that may run out, as partial order sees it.
//!
//! Whoever stores a message competes with all who do: memory may suffice for one of them only. To receive gives memory back, so
//! it disturbs nobody but those who do not wait for it without limit.
//!
//! If a sender finds no memory, but a receiver at its empty mailbox, the two meet in a joint step that needs none. If memory comes
//! back before, that step is replaced by two, the sender's and then the receiver's, which come to the same. But where nothing but
//! such meetings can happen, it matters whether the sender calls first and misses the receiver. So a set with a meeting in it is
//! never chosen; while another step is possible, and stays so, nobody can miss anybody.

use ipcsim_kernel::MailboxId;

use super::net::{List, Net};

/// Who uses kernel memory that may run out.
pub(super) struct Pool {
    /// What may store a message.
    pub taking: List,
    /// Those among them whose threads do not wait without limit.
    pub taking_impatiently: List,
    /// What may take a stored message away.
    pub giving_back: List,
    /// In which transitions a message may be handed over because there is no memory for it.
    pub hands_over: Vec<bool>,
    /// Which mailboxes and links store messages.
    stores: Vec<bool>,
}

impl Pool {
    /// The users of memory among these calls.
    pub(super) fn of(net: &Net) -> Self {
        let mut pool = Self {
            taking: List::default(),
            taking_impatiently: List::default(),
            giving_back: List::default(),
            hands_over: vec![false; net.inputs.len()],
            stores: net.spots.iter().map(|spot| !spot.stores_nothing).collect(),
        };
        for (id, spot) in net.spots.iter().enumerate().filter(|(_, spot)| !spot.stores_nothing) {
            pool.taking.add(&spot.sending);
            pool.taking_impatiently.add(&spot.sending_impatiently);
            pool.giving_back.add(&spot.receiving);
            // What was stored for it dies with it.
            if let Some(to) = net.receiver_of[id] {
                pool.giving_back.add(&net.of_process[to.index()]);
            }
            for transition in spot.sending.iter() {
                pool.hands_over[transition] |= net.inputs[transition].1.is_some();
            }
        }
        pool
    }

    /// Whether a mailbox or link stores messages, so that a send to it may lack memory.
    pub(super) fn feeds(&self, id: MailboxId) -> bool {
        self.stores[id.index()]
    }
}
