//! Numbers that are kept because they are asked for often follow from other fields. The invariants count each of them again:
//! a wrong one never gets past them.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use common::loaded;
use common::walk::walk;
use ipcsim_kernel::object::memory::KernelMemory;
use ipcsim_kernel::object::queue::MessageQueue;
use ipcsim_kernel::object::space::Segment;
use ipcsim_kernel::object::stream::{Bytes, Stream};
use ipcsim_kernel::{Process, State, assert_invariants};

/// Messages that are stored, senders that wait for memory, a caller who waits for an answer, memory that is shared, and a pipe.
const SCENARIO: &str = r#"
kernel: {memory: 10B}
mailboxes: {box: {capacity: 2}}
processes:
  A: [{send: x, to: box, size: 8B}, {send: x, to: box, size: 8B}]
  Server: [{receive: m, from: Client}, {receive: m, from: A}]
  Client: [{call: x, to: Server, size: 1B, into: answer}]
  Writer:
    - {create: r, kind: pipe, write-end: w}
    - {send: xyz, to: "${w}"}
    - {allocate: buf, size: 4KiB}
    - {send: here, to: box, memory: {region: buf, transfer: share}, wait: 1ms, when: {timed-out: []}}
"#;

/// Makes a number wrong, if there is one to make wrong.
type Change = fn(&mut State) -> bool;

fn stream(state: &mut State) -> Option<&mut Stream> {
    let made = (0..state.mailboxes.len()).find(|at| state.mailboxes[*at].stream().is_some())?;
    state.mailboxes[made].stream_mut()
}

fn wrong(number: Option<&mut u32>) -> bool {
    number.map(|number| *number += 1).is_some()
}

#[test]
fn every_derived_number_is_counted_again() {
    let changes: [(&str, Change); 9] = [
        ("alive_threads", |state| wrong(Some(&mut state.processes[0].alive_threads))),
        ("owed", |state| wrong(Some(&mut state.processes[1].owed))),
        ("stored_bytes", |state| {
            state.mailboxes[0].stored_bytes += 1;
            true
        }),
        ("memory_waiters", |state| wrong(Some(&mut state.mailboxes[0].memory_waiters))),
        ("used", |state| {
            state.memory.used += 1;
            true
        }),
        ("references", |state| {
            let mut segments = state.spaces[3].segments.values_mut();
            wrong(segments.next().map(|segment| &mut segment.references))
        }),
        ("readers", |state| wrong(stream(state).map(|stream| &mut stream.readers))),
        ("writers", |state| wrong(stream(state).map(|stream| &mut stream.writers))),
        ("count", |state| {
            let bytes = stream(state).and_then(|stream| stream.bytes.as_mut());
            bytes.map(|bytes| bytes.count += 1).is_some()
        }),
    ];
    let known: BTreeSet<&str> = changes.iter().map(|(name, _)| *name).collect();
    let all = [
        Process::DERIVED,
        MessageQueue::DERIVED,
        KernelMemory::DERIVED,
        Segment::DERIVED,
        Stream::DERIVED,
        Bytes::DERIVED,
    ];
    let all = all.concat();
    assert_eq!(known, all.split_whitespace().collect(), "all derived fields are tried");
    let machine = loaded("test.yaml", SCENARIO, &[]).machine.expect("it has no errors");
    let mut tried = BTreeMap::new();
    let mut look = |state: &State| {
        for (name, change) in changes {
            let mut wrong = state.clone();
            if !change(&mut wrong) {
                continue;
            }
            let passes = catch_unwind(AssertUnwindSafe(|| assert_invariants(&machine, &wrong)));
            assert!(passes.is_err(), "a wrong `{name}` is not noticed");
            *tried.entry(name).or_insert(0) += 1;
        }
    };
    (1..=8).for_each(|seed| walk(&machine, seed, 400, &mut look));
    assert!(tried.len() == 9 && tried.values().all(|times| *times > 5), "each is tried: {tried:?}");
}
