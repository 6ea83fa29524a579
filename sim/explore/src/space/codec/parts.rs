//! The parts of a state, the components of collapse compression: each distinct one is stored once,
//! under a number.

use std::collections::BTreeMap;

use ipcsim_kernel::object::mailbox::Mailbox;
use ipcsim_kernel::object::memory::KernelMemory;
use ipcsim_kernel::object::space::Space;
use ipcsim_kernel::program::Op;
use ipcsim_kernel::table::{Clock, Notes, Watched};
use ipcsim_kernel::{
    Abandoned, BlockedOn, Bound, Ghost, Life, Machine, Process, ProcessId, Rename, State, Thread,
    ThreadState, Value, Visit, Walk, encode_part,
};

use super::layout::{ABANDONED, LENGTHS, LOG, Layout, MEMORY};
use super::names::{Named, Rights};

/// Takes the list of a state's tables, one per line. All code that handles their entries is
/// generated from it.
macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident $entry:ty, $field:ident;)*) => {
        /// Which table of a state.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum TableName { $($(#[$doc])* $table,)* }

        /// A part of a state.
        #[derive(Clone, Debug)]
        pub(crate) enum Part {
            /// A thread or mailbox that does not exist yet.
            Absent,
            /// How many threads and mailboxes there are.
            Lengths(usize, usize),
            /// What was logged, and by whom. No state of the kernel holds it.
            Log(Vec<(ProcessId, Value)>),
            /// Where the rights to answer the calls of a thread are named, if there may be any. No state of the kernel
            /// holds it; it follows from the other parts.
            Rights(Rights),
            /// Where a mailbox that was made at run time is named. No state of the kernel holds it; it follows from the
            /// other parts.
            Named(Named),
            $($table($entry),)*
        }

        impl TableName {
            pub(super) const ALL: &[TableName] = &[$(TableName::$table),*];

            pub(super) fn notes(self, state: &State) -> &dyn Notes {
                match self { $(TableName::$table => &state.$field,)* }
            }

            fn notes_mut(self, state: &mut State) -> &mut dyn Notes {
                match self { $(TableName::$table => &mut state.$field,)* }
            }

            fn part(self, state: &State, index: usize) -> Part {
                match self { $(TableName::$table => Part::$table(state.$field.items()[index].clone()),)* }
            }
        }

        /// Gives everything that is named in a state its new name.
        pub(crate) fn rename_all(state: &mut State, names: &mut impl Rename) {
            $(for entry in state.$field.items_mut() {
                entry.rename(names);
            })*
        }

        impl Part {
            /// Puts an entry of a table into its place.
            pub(crate) fn put(self, state: &mut State, index: usize) {
                match self {
                    $(Part::$table(entry) => state.$field.items_mut()[index] = entry,)*
                    Part::Absent | Part::Lengths(..) | Part::Log(_) | Part::Rights(_)
                    | Part::Named(_) => {}
                }
            }

            fn encode_entry(&self, out: &mut Vec<u8>) {
                match self {
                    $(Part::$table(entry) => {
                        out.push(TableName::$table as u8);
                        encode_part(entry, out);
                    })*
                    Part::Absent | Part::Lengths(..) | Part::Log(_) | Part::Rights(_)
                    | Part::Named(_) => {}
                }
            }
        }

        impl Walk for Part {
            fn rename(&mut self, names: &mut impl Rename) {
                match self {
                    $(Part::$table(entry) => entry.rename(names),)*
                    Part::Rights(rights) => rights.rename(names),
                    Part::Named(named) => named.rename(names),
                    Part::Absent | Part::Lengths(..) | Part::Log(_) => {}
                }
            }

            fn visit(&self, visitor: &mut impl Visit) {
                match self {
                    $(Part::$table(entry) => entry.visit(visitor),)*
                    Part::Rights(rights) => rights.visit(visitor),
                    Part::Named(named) => named.visit(visitor),
                    Part::Absent | Part::Lengths(..) | Part::Log(_) => {}
                }
            }
        }
    };
}

// The list, in the order in which the entries stand in a row.
tables! {
    /// Reply rights whose caller no longer waits.
    Abandoned Abandoned, abandoned;
    /// The kernel's memory.
    Memory KernelMemory, memory;
    /// The processes.
    Process Process, processes;
    /// Their memory.
    Space Space, spaces;
    /// The threads.
    Thread Thread, threads;
    /// The mailboxes and links.
    Mailbox Mailbox, mailboxes;
}

/// What a thread, or a process that has not started, can do next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Can {
    /// It can perform its next call.
    pub call: Is,
    /// It can do its local work.
    pub local: Is,
    /// Its wait can end by itself.
    pub expire: Is,
    /// It only sleeps: nothing else can end its wait.
    pub sleeps: Is,
    /// It can start.
    pub start: Is,
}

/// Yes or no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Is {
    So,
    #[default]
    NotSo,
}

impl Is {
    pub(crate) fn when(condition: bool) -> Self {
        if condition { Is::So } else { Is::NotSo }
    }
}

/// All parts that were ever seen.
pub(crate) struct Parts {
    numbers: BTreeMap<Box<[u8]>, u32>,
    parts: Vec<Part>,
    can: Vec<Can>,
    bytes: usize,
    buffer: Vec<u8>,
}

impl Parts {
    pub(crate) fn new(machine: &Machine) -> Self {
        let mut parts = Self {
            numbers: BTreeMap::new(),
            parts: Vec::new(),
            can: Vec::new(),
            bytes: 0,
            buffer: Vec::new(),
        };
        // Number 0 pads rows.
        parts.number(machine, Part::Absent);
        parts
    }

    pub(crate) fn get(&self, number: u32) -> &Part {
        &self.parts[number as usize]
    }

    pub(crate) fn can(&self, number: u32) -> Can {
        self.can[number as usize]
    }

    /// About how many bytes they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of a part.
    pub(crate) fn number(&mut self, machine: &Machine, part: Part) -> u32 {
        self.buffer.clear();
        part.encode(&mut self.buffer);
        if let Some(number) = self.numbers.get(&self.buffer[..]) {
            return *number;
        }
        let number = u32::try_from(self.parts.len()).expect("the memory limit comes first");
        self.bytes += 2 * self.buffer.len() + 400;
        self.numbers.insert(self.buffer.clone().into(), number);
        self.can.push(part.can(machine));
        self.parts.push(part);
        number
    }

    /// The parts of a state, by position.
    pub(crate) fn of_state(
        &mut self,
        machine: &Machine,
        layout: &Layout,
        state: &State,
    ) -> Vec<u32> {
        let mut row = vec![0; layout.width()];
        for position in layout.positions(state) {
            let mut part = part_at(layout, state, position);
            layout.unseen.leave_out(&mut part);
            row[position] = self.number(machine, part);
        }
        row
    }

    /// The highest number of a call of this thread that is named in a state with these parts, 0 if none is. So no right has
    /// the number of its next call.
    pub(crate) fn last_call(&self, layout: &Layout, row: &[u32], thread: usize) -> u32 {
        if layout.rights == Is::NotSo {
            return 0;
        }
        match self.get(row[layout.rights(thread)]) {
            Part::Rights(rights) => rights.keys().next_back().copied().unwrap_or(0),
            Part::Absent => 0,
            other => unreachable!("not rights: {other:?}"),
        }
    }

    /// Recomputes kernel memory from what the mailboxes hold, when it is not a part of its own.
    pub(crate) fn count_memory(state: &mut State) {
        let memory = &state.memory.items()[0];
        let stored = state.mailboxes.items().iter().flat_map(|mailbox| &mailbox.messages);
        let used = stored.map(|message| memory.cost(message.size)).sum();
        state.memory.items_mut()[0].used = used;
    }

    /// The state with these parts. The clock records what is read in it.
    pub(crate) fn state(&self, layout: &Layout, row: &[u32], clock: &Clock) -> State {
        let Part::Lengths(threads, mailboxes) = *self.get(row[LENGTHS]) else {
            unreachable!("the lengths stand at their position")
        };
        let part = |position: usize| self.get(row[position]).clone();
        let (Part::Abandoned(abandoned), Part::Memory(memory)) = (part(ABANDONED), part(MEMORY))
        else {
            unreachable!("rights and memory stand at their positions")
        };
        let mut state = State {
            processes: (0..layout.processes)
                .map(|index| match part(layout.process(index)) {
                    Part::Process(process) => process,
                    other => unreachable!("not a process: {other:?}"),
                })
                .collect(),
            threads: (0..threads)
                .map(|index| match part(layout.thread(index)) {
                    Part::Thread(thread) => {
                        Thread { calls: Ghost(self.last_call(layout, row, index)), ..thread }
                    }
                    other => unreachable!("not a thread: {other:?}"),
                })
                .collect(),
            mailboxes: (0..mailboxes)
                .map(|index| match part(layout.mailbox(index)) {
                    Part::Mailbox(mailbox) => mailbox,
                    other => unreachable!("not a mailbox: {other:?}"),
                })
                .collect(),
            spaces: (0..layout.spaces)
                .map(|index| match part(layout.space(index)) {
                    Part::Space(space) => space,
                    other => unreachable!("not memory: {other:?}"),
                })
                .collect(),
            memory: Watched::new(memory),
            abandoned: Watched::new(abandoned),
            next_serial: Ghost(1),
        };
        if layout.memory == Is::NotSo {
            Self::count_memory(&mut state);
        }
        clock.reset();
        for table in TableName::ALL {
            table.notes_mut(&mut state).watch(clock);
        }
        state
    }
}

/// Clears the record of what was read.
pub(crate) fn look_away(state: &mut State) {
    for table in TableName::ALL {
        table.notes_mut(state).look_away();
    }
}

/// The part of a state at a position.
pub(crate) fn part_at(layout: &Layout, state: &State, position: usize) -> Part {
    match position {
        LOG => Part::Log(Vec::new()),
        LENGTHS => Part::Lengths(state.threads.items().len(), state.mailboxes.items().len()),
        other => match layout.entry_at(other) {
            Some((table, index)) => table.part(state, index),
            None => Part::Rights(Rights::new()),
        },
    }
}

/// What a step has read, and when.
pub(crate) fn looked(layout: &Layout, state: &State, before: (usize, usize)) -> Vec<(u32, usize)> {
    let mut looks = Vec::new();
    for (table, first) in layout.tables() {
        let notes = table.notes(state);
        // What the step itself created did not exist before it, and so is not a read.
        let count = match table {
            TableName::Thread => before.0,
            TableName::Mailbox => before.1,
            TableName::Abandoned | TableName::Memory | TableName::Process | TableName::Space => {
                notes.entries()
            }
        };
        let looked = (0..count).map(|index| (notes.looked(index), first + index));
        looks.extend(looked.filter(|(stamp, _)| *stamp > 0));
    }
    let lengths = [state.threads.length_looked(), state.mailboxes.length_looked()];
    let first = lengths.into_iter().filter(|stamp| *stamp > 0).min();
    looks.extend(first.map(|stamp| (stamp, LENGTHS)));
    looks
}

/// The positions whose parts a step may have changed.
pub(crate) fn changed(layout: &Layout, state: &State, before: (usize, usize)) -> Vec<usize> {
    let mut positions = Vec::new();
    for (table, first) in layout.tables() {
        let notes = table.notes(state);
        let changed = (0..notes.entries()).filter(|index| notes.changed(*index));
        positions.extend(changed.map(|index| first + index));
    }
    if before != (state.threads.items().len(), state.mailboxes.items().len()) {
        positions.push(LENGTHS);
    }
    positions
}

impl Part {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        // Table entries begin with the number of their table.
        match self {
            Part::Absent => out.push(255),
            Part::Lengths(threads, mailboxes) => {
                out.push(254);
                out.extend_from_slice(&(*threads as u64).to_le_bytes());
                out.extend_from_slice(&(*mailboxes as u64).to_le_bytes());
            }
            Part::Log(lines) => {
                out.push(253);
                // Lines that print alike count as equal.
                out.extend(format!("{lines:?}").into_bytes());
            }
            Part::Rights(rights) => {
                out.push(252);
                for (call, named) in rights {
                    out.extend_from_slice(&call.to_le_bytes());
                    named.encode(out);
                }
            }
            Part::Named(named) => {
                out.push(251);
                named.encode(out);
            }
            entry => entry.encode_entry(out),
        }
    }

    fn can(&self, machine: &Machine) -> Can {
        match self {
            Part::Process(process) => {
                Can { start: Is::when(process.life == Life::NotStarted), ..Can::default() }
            }
            Part::Thread(thread) => {
                let stands_at = &machine.code[thread.pc.index()];
                // A thread stops before an access only where others can see it.
                let at_call = matches!(stands_at, Op::Access(_) | Op::Call(_) | Op::End);
                let ready = thread.state.is_ready();
                let raises = matches!(thread.state, ThreadState::Raising(_));
                let looks = matches!(thread.state, ThreadState::LookingAgain { .. });
                let bound = match thread.state.underneath() {
                    ThreadState::LookingAgain { bound, .. }
                    | ThreadState::Blocked { bound, .. } => Some(*bound),
                    _ => None,
                };
                Can {
                    call: Is::when(looks || raises || (ready && at_call)),
                    local: Is::when(ready && !at_call),
                    expire: Is::when(bound == Some(Bound::Bounded)),
                    sleeps: Is::when(matches!(
                        thread.state,
                        ThreadState::Blocked { on: BlockedOn::Sleep, .. }
                    )),
                    start: Is::NotSo,
                }
            }
            _ => Can::default(),
        }
    }
}
