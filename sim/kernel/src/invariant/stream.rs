//! Pipes and channels: who has an end open, and what waits there.

use std::collections::BTreeMap;

use ipcsim_program::{Access, Capacity, MailboxId, Right};

use crate::machine::Machine;
use crate::object::mailbox::Existence;
use crate::object::stream::{Bytes, Piece};
use crate::state::{BlockedOn, Life, State};

pub(super) fn stream_invariants(machine: &Machine, state: &State) {
    let mut open: BTreeMap<(MailboxId, Access), u32> = BTreeMap::new();
    for process in &state.processes {
        let lives = matches!(process.life, Life::Running);
        assert!(lives || process.descriptors.is_empty(), "only who lives has something open");
        for opened in process.descriptors.values() {
            *open.entry((opened.object, opened.access)).or_default() += 1;
            let object = &state.mailboxes[opened.object.index()].object;
            assert!(object.needs_descriptor(), "everything else goes by its name");
        }
    }
    // What is on its way counts only for streams.
    if state.mailboxes.iter().all(|mailbox| mailbox.stream().is_none()) {
        return;
    }
    for message in state.messages() {
        for carried in message.rights() {
            if let Right::File(access) = carried.right {
                *open.entry((carried.port, access)).or_default() += 1;
            }
        }
    }
    for (id, mailbox) in (0..).map(MailboxId).zip(&state.mailboxes) {
        let Some(stream) = mailbox.stream() else { continue };
        for end in [Access::Read, Access::Write] {
            let found = open.get(&(id, end)).copied().unwrap_or(0);
            assert_eq!(stream.open(end), found, "a stream counts who has each end open");
        }
        let is_gone = stream.readers == 0 && stream.writers == 0;
        let is_destroyed = mailbox.existence == Existence::Destroyed;
        assert_eq!(is_gone, is_destroyed, "what nobody has open is gone");
        if stream.readers == 0 {
            assert!(!mailbox.has_something(), "nobody reads it, so nothing is there");
            assert!(mailbox.senders.is_empty(), "nobody writes where nobody reads");
        }
        let reads = |t| matches!(state.waits_for(t), Some(BlockedOn::Receive { .. }));
        let is_waited_for = mailbox.receivers.iter().any(|t| reads(*t));
        assert!(!(is_waited_for && mailbox.is_at_its_end()), "nobody waits at the end");
        if let Some(bytes) = &stream.bytes {
            byte_invariants(bytes, mailbox.spec.capacity);
            assert!(!(is_waited_for && bytes.count > 0), "nobody waits beside bytes");
            if let (Some((_, next)), Capacity::Bytes(capacity)) =
                (mailbox.senders.front(), mailbox.spec.capacity)
            {
                let piece = next.size.min(machine.policies.pipe_buf).min(capacity);
                assert!(
                    piece > capacity - bytes.count,
                    "no writer waits beside room for its piece"
                );
            }
        }
    }
}

fn byte_invariants(bytes: &Bytes, capacity: Capacity) {
    let count: u64 = bytes.pieces.iter().map(Piece::count).sum();
    assert_eq!(bytes.count, count, "a pipe counts its bytes");
    assert!(bytes.pieces.iter().all(|piece| piece.count() > 0), "a piece has bytes");
    if let Capacity::Bytes(capacity) = capacity {
        assert!(bytes.count <= capacity, "a pipe holds no more than it can");
    }
}
