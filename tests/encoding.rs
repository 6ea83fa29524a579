//! The bytes of a state say all of it, and nothing else: they are equal exactly if the states are.
//!
//! (The same compiler derives both, so what the law guards is the way from one to the other: that numbers and
//! lists say where they end, and that rights are renumbered consistently. That nothing is left out that the
//! future depends on is another law: states with the same bytes go on in the same way.)
//!
//! An exploration takes states with equal bytes for one. A field that the encoder forgets merges states
//! with different futures, and makes a proof of what is not so.

mod common;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

use common::generate::Dice;
use common::walk::{perform, transitions, walk};
use common::{generate, loaded, names, scenarios};
use ipcsim_explore::{ExploreLimits, Looks, Reduction, Reductions, explore};
use ipcsim_kernel::Process;
use ipcsim_kernel::object::mailbox::Mailbox;
use ipcsim_kernel::object::memory::KernelMemory;
use ipcsim_kernel::{Abandoned, Machine, State, Thread, Walk, encode, encode_part};

/// So many different parts of a kind are compared with each other.
const COMPARED: usize = 200;

/// The different parts of a kind that came up, by their bytes.
struct Parts<T> {
    known: BTreeMap<Vec<u8>, T>,
}

impl<T: Clone + Debug + Hash + PartialEq + Walk> Parts<T> {
    fn new() -> Self {
        Self { known: BTreeMap::new() }
    }

    fn enter(&mut self, part: &T, name: &str) {
        let mut bytes = Vec::new();
        encode_part(part, &mut bytes);
        if let Some(known) = self.known.get(&bytes) {
            assert!(known == part, "{name}: these have the same bytes:\n{known:#?}\n{part:#?}");
            return;
        }
        if self.known.len() < COMPARED {
            let same = self.known.values().find(|known| *known == part);
            assert!(same.is_none(), "{name}: these are equal, but not their bytes:\n{part:#?}");
            names::are_all_gone_over(part, name);
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
        for process in state.processes.items() {
            self.processes.enter(process, name);
        }
        for thread in state.threads.items() {
            self.threads.enter(thread, name);
        }
        for mailbox in state.mailboxes.items() {
            self.mailboxes.enter(mailbox, name);
        }
        self.memory.enter(&state.memory, name);
        self.abandoned.enter(&state.abandoned, name);
    }
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

/// So many states that came up again are compared for each scenario.
const AGAIN: usize = 60;

/// States with the same bytes, reached on different ways, go on in the same way.
fn check_futures(name: &str, machine: &Machine, walks: u64, steps: usize) {
    let mut known: BTreeMap<Vec<u8>, State> = BTreeMap::new();
    let mut compared = 0;
    for seed in 0..walks {
        walk(machine, seed, steps, |state| {
            let Some(other) = known.get(&all_bytes(state)) else {
                known.insert(all_bytes(state), state.clone());
                return;
            };
            if compared == AGAIN {
                return;
            }
            compared += 1;
            let ways = transitions(machine, state);
            assert_eq!(ways, transitions(machine, other), "{name}");
            for way in ways {
                let after = |state: &State| {
                    let mut state = state.clone();
                    let progress = perform(machine, &mut state, way, &mut Dice(7));
                    (progress, all_bytes(&state))
                };
                assert!(after(state) == after(other), "{name}: {way:?}\n{state:#?}\n{other:#?}");
            }
        });
    }
}

fn all_bytes(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(state, &mut bytes);
    bytes
}

#[test]
fn states_with_the_same_bytes_go_on_in_the_same_way() {
    for (path, text) in scenarios() {
        let machine = loaded(&path, &text, &[]).machine.expect("it has no errors");
        check_futures(&path, &machine, 12, 80);
    }
    for seed in 0..240 {
        let text = generate::scenario(seed, 4);
        let machine = loaded("random.yaml", &text, &[]).machine.expect("it has no errors");
        check_futures(&format!("seed {seed}\n{text}"), &machine, 20, 60);
    }
}

/// The links of clients that have changed places are found again: otherwise each exchange makes new ones, and symmetry is
/// given up.
#[test]
fn clients_of_one_inbox_can_be_exchanged() {
    let text = "
kernel: {buffering: 2}
processes:
  C:
    replicas: 3
    do: [{send: a, to: S}, {send: b, to: S}]
  S: [{repeat: 6, do: [{receive: m, from: anyone}]}]
";
    let machine = loaded("clients", text, &[]).machine.expect("it has no errors");
    let states = |symmetry: Reduction| {
        let reductions = Reductions { symmetry, ..Reductions::MERGE };
        explore(&machine, reductions, Looks::NOTHING, &ExploreLimits::default()).states()
    };
    assert_eq!((states(Reduction::Off), states(Reduction::On)), (3_914, 681));
}
