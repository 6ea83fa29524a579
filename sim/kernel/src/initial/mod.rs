//! The initial state of a machine.

mod links;

use ipcsim_program::{Ghost, Outcome, ProcessId, ThreadId, Value};

use crate::machine::{Birth, Machine};
use crate::object::inbox::Inbox;
use crate::object::mailbox::{Mailbox, Object};
use crate::object::memory::KernelMemory;
use crate::object::port::{Port, Receiver, Rights};
use crate::object::port_set::PortSet;
use crate::state::{Abandoned, Life, Process, State, Thread, ThreadState};
use crate::table::{Table, Watched};

impl State {
    /// The state before anything has happened: no process has started.
    pub fn initial(machine: &Machine) -> Self {
        let mut state = State {
            processes: Table::with_capacity(machine.processes.len()),
            threads: Table::with_capacity(machine.initial_threads()),
            mailboxes: machine
                .mailboxes
                .iter()
                .map(|spec| Mailbox::new(*spec, Object::Open))
                .collect(),
            memory: Watched::new(KernelMemory::new(
                machine.policies.memory,
                machine.policies.message_overhead,
            )),
            abandoned: Watched::new(Abandoned::new()),
            next_serial: Ghost(1),
        };
        for id in 0..machine.processes.len() {
            state.add_process(machine, ProcessId::at(id));
        }
        for file in &machine.files {
            state.mailboxes[file.mailbox.index()].object = Object::Filed;
        }
        for spec in &machine.ports {
            let port = Port { backup: spec.backup, ..Port::with(spec.receiver) };
            state.mailboxes[spec.port.index()].object = Object::Port(Box::new(port));
            if let Receiver::Held(receiver) = spec.receiver {
                state.processes[receiver.index()].rights.add_receive(spec.port);
            }
            for sender in &spec.senders {
                state.processes[sender.index()].rights.add(spec.port);
            }
            if machine.counts_senders() {
                let port = state.mailboxes[spec.port.index()].port_mut();
                port.expect("it was made just now").made = spec.senders.len() as u32;
            }
        }
        for spec in &machine.port_sets {
            let mut set = PortSet::of(spec.owner);
            for member in &spec.members {
                set.insert(*member, 0);
                let port = state.mailboxes[member.index()].port_mut();
                port.expect("a member is a port").set = Some(spec.set);
            }
            state.mailboxes[spec.set.index()].object = Object::PortSet(Box::new(set));
            state.processes[spec.owner.index()].rights.add_receive(spec.set);
        }
        links::make(machine, &mut state);
        state
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
        });
    }
}
