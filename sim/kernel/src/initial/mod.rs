//! The initial state of a machine.

mod links;

use std::collections::BTreeMap;
use std::sync::Arc;

use ipcsim_program::{Ghost, MailboxId, Outcome, ProcessId, ThreadId, Value};

use crate::machine::{Birth, Machine};
use crate::object::inbox::Inbox;
use crate::object::memory::KernelMemory;
use crate::object::port::Rights;
use crate::object::space::Space;
use crate::state::{Abandoned, Life, Process, State, Thread, ThreadState};
use crate::table::{Table, Watched};

impl State {
    /// The state before anything has happened: no process has started.
    pub fn initial(machine: &Machine) -> Self {
        let mut state = State {
            processes: Table::with_capacity(machine.processes.len()),
            threads: Table::with_capacity(machine.initial_threads()),
            mailboxes: machine.mailboxes.iter().cloned().collect(),
            memory: Watched::new(KernelMemory::new(
                machine.policies.memory,
                machine.policies.message_overhead,
            )),
            spaces: Table::with_capacity(0),
            abandoned: Watched::new(Abandoned::new()),
            next_serial: Ghost(1),
        };
        for id in 0..machine.processes.len() {
            state.add_process(machine, ProcessId::at(id));
        }
        if machine.uses_memory() {
            machine.processes.iter().for_each(|_| state.spaces.push(Space::default()));
        }
        for (port, senders) in &machine.ports {
            for sender in senders {
                state.processes[sender.index()].rights.add(*port);
            }
            if machine.counts_senders() {
                let port = state.mailboxes[port.index()].port_mut();
                port.expect("only a port has senders").made = senders.len() as u32;
            }
        }
        for (id, mailbox) in (0..).map(MailboxId).zip(&machine.mailboxes) {
            if let Some(holder) = mailbox.object.holder() {
                state.processes[holder.index()].rights.add_receive(id);
            }
        }
        state.take_in_what_is_held();
        links::make(machine, &mut state);
        state
    }

    /// What mailboxes hold from the start takes memory, and is numbered like all messages.
    fn take_in_what_is_held(&mut self) {
        for id in 0..self.mailboxes.len() {
            for place in 0..self.mailboxes[id].messages.len() {
                let serial = self.number_a_message();
                let message = Arc::make_mut(&mut self.mailboxes[id].messages[place]);
                message.serial = serial;
                let size = message.size;
                self.memory.charge(size);
            }
        }
    }

    fn add_process(&mut self, machine: &Machine, process: ProcessId) {
        let family = machine.family_of(process);
        let first_thread = ThreadId::at(self.threads.len());
        for spec in &family.threads {
            for index in 1..=spec.count {
                let mut registers = vec![Value::None; spec.registers as usize];
                for (register, value) in &spec.initial {
                    registers[register.index()] = value.clone();
                }
                self.threads.push(Thread {
                    process,
                    name: spec.name,
                    index,
                    pc: spec.entry,
                    state: ThreadState::NotStarted,
                    status: Outcome::Ok,
                    registers: registers.into(),
                    calls: Ghost(0),
                    control: None,
                });
            }
        }
        let declared_threads = self.threads.len() - first_thread.index();
        self.processes.push(Process {
            life: if family.birth == Birth::Spawned { Life::Unborn } else { Life::NotStarted },
            alive_threads: 0,
            first_thread,
            declared_threads: u32::try_from(declared_threads).expect("threads are limited"),
            started: Vec::new(),
            inbox: Inbox::new(family.arrivals),
            outgoing: Vec::new(),
            joiners: Vec::new(),
            owed: 0,
            rights: Rights::default(),
            descriptors: BTreeMap::new(),
            image: None,
        });
    }
}
