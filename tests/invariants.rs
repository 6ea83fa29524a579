//! Numbers that are kept because they are asked for often follow from other fields. The invariants count each of them again:
//! a wrong one never gets past them.

mod common;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use common::loaded;
use common::walk::walk;
use ipcsim_kernel::object::memory::KernelMemory;
use ipcsim_kernel::object::queue::MessageQueue;
use ipcsim_kernel::{Process, State, assert_invariants};

/// Messages that are stored, senders that wait for memory, and a caller who waits for an answer.
const SCENARIO: &str = "
kernel: {memory: 10B}
mailboxes: {box: {capacity: 2}}
processes:
  A: [{send: x, to: box, size: 8B}, {send: x, to: box, size: 8B}]
  Server: [{receive: m, from: Client}, {receive: m, from: A}]
  Client: [{call: x, to: Server, size: 1B, into: answer}]
";

type Change = fn(&mut State);

#[test]
fn every_derived_number_is_counted_again() {
    let changes: [(&str, Change); 5] = [
        ("alive_threads", |state| state.processes[0].alive_threads += 1),
        ("owed", |state| state.processes[1].owed += 1),
        ("stored_bytes", |state| state.mailboxes[0].stored_bytes += 1),
        ("memory_waiters", |state| state.mailboxes[0].memory_waiters += 1),
        ("used", |state| state.memory.used += 1),
    ];
    let known: BTreeSet<&str> = changes.iter().map(|(name, _)| *name).collect();
    let all = [Process::DERIVED, MessageQueue::DERIVED, KernelMemory::DERIVED].concat();
    assert_eq!(known, all.split_whitespace().collect(), "all derived fields are tried");
    let machine = loaded("test.yaml", SCENARIO, &[]).machine.expect("it has no errors");
    let mut tried = 0;
    walk(&machine, 1, 40, |state| {
        for (name, change) in changes {
            let mut wrong = state.clone();
            change(&mut wrong);
            let passes = catch_unwind(AssertUnwindSafe(|| assert_invariants(&machine, &wrong)));
            assert!(passes.is_err(), "a wrong `{name}` is not noticed");
            tried += 1;
        }
    });
    assert!(tried > 20, "there were states");
}
