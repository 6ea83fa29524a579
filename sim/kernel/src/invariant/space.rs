//! Memory: pages, who shares them, and who has locked them.

use std::collections::BTreeMap;

use ipcsim_program::{Parcel, ProcessId, Region, SegmentId, ThreadId};

use crate::object::space::{Lock, Mapping, Owner, Segment};
use crate::state::{BlockedOn, Life, State};

pub(super) fn space_invariants(state: &State) {
    // Where no program knows memory, nobody has a space.
    if state.spaces.is_empty() {
        return;
    }
    let mut references: BTreeMap<SegmentId, u32> = BTreeMap::new();
    for (process, space) in (0..).map(ProcessId).zip(&state.spaces) {
        let lives = matches!(state.processes[process.index()].life, Life::Running);
        assert!(lives || space.regions.is_empty(), "only who lives has memory");
        for (number, mapping) in &space.regions {
            assert!(mapping.count() > 0, "a region has at least one page");
            if let Mapping::Shared { segment, pages } = mapping {
                *references.entry(*segment).or_default() += 1;
                let whole = state.segment(*segment).pages.count();
                assert_eq!(*pages, whole, "a region has all pages of its segment");
            }
            let region = Region { space: process, number: *number };
            let pages = state.pages(region).expect("it is there");
            assert!(pages.is_joined(), "equal neighbours are one run of pages");
        }
        for ((number, page), lock) in &space.locks {
            let region = Region { space: process, number: *number };
            let is_private = matches!(state.mapping(region), Some(Mapping::Private(_)));
            assert!(is_private, "the locks of a segment are in the segment");
            let is_its_own = |t: &ThreadId| state.threads[t.index()].process == process;
            assert!(lock.waiting.iter().all(is_its_own), "nobody else can name the region");
            lock_invariants(state, *page, lock);
        }
    }
    for message in state.messages() {
        for parcel in message.memory() {
            if let Parcel::Segment(segment, _) = parcel {
                *references.entry(*segment).or_default() += 1;
            }
        }
    }
    for (process, space) in (0..).map(ProcessId).zip(&state.spaces) {
        for (number, Segment { pages, locks, references: counted }) in &space.segments {
            let segment = SegmentId { space: process, number: *number };
            let found = references.remove(&segment).unwrap_or(0);
            assert_eq!(*counted, found, "a segment counts who refers to it");
            assert!(found > 0, "a segment that nobody refers to is gone");
            for (page, lock) in locks {
                assert!(*page < pages.count(), "a page that is locked is there");
                lock_invariants(state, *page, lock);
            }
        }
    }
    assert!(references.is_empty(), "what is referred to is there");
}

fn lock_invariants(state: &State, page: u32, lock: &Lock) {
    if let Owner::Thread(owner) = lock.owner {
        let has_ended = state.threads[owner.index()].state.is_ended();
        assert!(!has_ended, "who has ended has no lock");
    }
    for t in &lock.waiting {
        let waits = matches!(state.waits_for(*t), Some(BlockedOn::Lock(_, at)) if *at == page);
        assert!(waits, "who stands in line for a lock is LOCK-blocked");
    }
}
