//! The bytes of a state say all of it, and nothing else: they are equal exactly if the states are.
//!
//! An exploration takes states with equal bytes for one. A field that the encoder forgets merges states
//! with different futures, and makes a proof of what is not so.

mod common;

use std::collections::BTreeMap;
use std::fmt::Debug;

use common::walk::walk;
use common::{generate, loaded, scenarios};
use ipcsim_kernel::Process;
use ipcsim_kernel::object::mailbox::Mailbox;
use ipcsim_kernel::object::memory::KernelMemory;
use ipcsim_kernel::{Abandoned, Machine, Outcome, PartOf, Pc, State, Thread, encode_part};

/// So many different parts of a kind are compared with each other.
const COMPARED: usize = 200;

/// The different parts of a kind that came up, by their bytes.
struct Parts<T> {
    known: BTreeMap<Vec<u8>, T>,
}

impl<T: Clone + Debug + PartialEq> Parts<T> {
    fn new() -> Self {
        Self { known: BTreeMap::new() }
    }

    fn enter(&mut self, part: &T, bytes: Vec<u8>, name: &str) {
        if let Some(known) = self.known.get(&bytes) {
            assert!(known == part, "{name}: these have the same bytes:\n{known:#?}\n{part:#?}");
            return;
        }
        if self.known.len() < COMPARED {
            let same = self.known.values().find(|known| *known == part);
            assert!(same.is_none(), "{name}: these are equal, but not their bytes:\n{part:#?}");
        }
        self.known.insert(bytes, part.clone());
    }
}

struct All {
    processes: Parts<Process>,
    threads: Parts<Thread>,
    mailboxes: Parts<Mailbox>,
    memory: Parts<KernelMemory>,
    abandoned: Parts<Abandoned>,
}

impl All {
    fn new() -> Self {
        Self {
            processes: Parts::new(),
            threads: Parts::new(),
            mailboxes: Parts::new(),
            memory: Parts::new(),
            abandoned: Parts::new(),
        }
    }

    fn enter(&mut self, state: &State, name: &str) {
        let bytes = |part: PartOf| {
            let mut bytes = Vec::new();
            encode_part(part, &mut bytes);
            bytes
        };
        for process in state.processes.items() {
            self.processes.enter(process, bytes(PartOf::Process(process)), name);
        }
        for thread in state.threads.items() {
            let thread = forgotten(thread);
            self.threads.enter(&thread, bytes(PartOf::Thread(&thread)), name);
        }
        for mailbox in state.mailboxes.items() {
            self.mailboxes.enter(mailbox, bytes(PartOf::Mailbox(mailbox)), name);
        }
        self.memory.enter(&state.memory, bytes(PartOf::Memory(&state.memory)), name);
        self.abandoned.enter(&state.abandoned, bytes(PartOf::Abandoned(&state.abandoned)), name);
    }
}

/// How many calls a thread has made follows from what is mentioned elsewhere (the bytes are about one part);
/// where a thread was when it ended, and with which outcome, decides nothing.
fn forgotten(thread: &Thread) -> Thread {
    let mut thread = Thread { calls: 0, ..thread.clone() };
    if thread.state.is_ended() {
        (thread.pc, thread.status) = (Pc(0), Outcome::Ok);
    }
    thread
}

/// Several schedules of one machine: states of different machines need not differ.
fn check(name: &str, machine: &Machine, walks: u64, steps: usize) {
    let mut all = All::new();
    for seed in 0..walks {
        walk(machine, seed, steps, |state| all.enter(state, name));
    }
}

#[test]
fn bytes_of_the_scenarios_are_equal_exactly_if_the_states_are() {
    for (path, text) in scenarios() {
        let machine = loaded(&path, &text, &[]).machine.expect("it has no errors");
        check(&path, &machine, 24, 120);
    }
}

#[test]
fn bytes_of_random_scenarios_are_equal_exactly_if_the_states_are() {
    for seed in 0..240 {
        let text = generate::scenario(seed, 6);
        let machine = loaded("random.yaml", &text, &[]).machine.expect("it has no errors");
        check(&format!("seed {seed}\n{text}"), &machine, 40, 80);
    }
}
