//! Mistakes in what becomes of whole processes: their memory and its locks, forks, programs that are replaced, what is open.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a lock goes to who came last",
        file: "sim/kernel/src/step/lock.rs",
        before: "lock.waiting.pop_front()",
        after: "lock.waiting.pop_back()",
    },
    Mutant {
        name: "anybody can unlock",
        file: "sim/kernel/src/step/lock.rs",
        before: "lock.filter(|lock| lock.owner == Owner::Thread(t))",
        after: "lock.filter(|_| true)",
    },
    Mutant {
        name: "who has ended keeps its locks",
        file: "sim/kernel/src/step/thread.rs",
        before: "        self.orphan_locks_of(t);\n",
        after: "",
    },
    Mutant {
        name: "a lock of a thread that is not copied stays that thread's",
        file: "sim/kernel/src/step/fork.rs",
        before: "copy.map_or(Owner::NotCopied,",
        after: "copy.map_or(Owner::Thread(owner),",
    },
    Mutant {
        name: "a child's variables name the memory of its parent",
        file: "sim/kernel/src/step/fork.rs",
        before: "if process == self.from { self.to } else { process }",
        after: "process",
    },
    Mutant {
        name: "a fork copies threads that are inside a call",
        file: "sim/kernel/src/step/fork.rs",
        before: "if let Some(inside) = siblings.iter().copied().find(is_inside) {",
        after: "if let Some(inside) = siblings.iter().copied().find(|_| false && is_inside(&t)) {",
    },
    Mutant {
        name: "memory outlives exec",
        file: "sim/kernel/src/step/exec.rs",
        before: "        self.free_all(process);\n",
        after: "",
    },
    Mutant {
        name: "an exec that fails ends the others",
        file: "sim/kernel/src/step/exec.rs",
        before: "if policy == Exec::KillThenLoad {",
        after: "if policy != Exec::KeepThreads {",
    },
    Mutant {
        name: "a part goes where the whole does not fit",
        file: "sim/kernel/src/step/stream.rs",
        before: "let count = if is_whole && message.size > room { 0 } else { message.size.min(room) };",
        after: "let count = if is_whole && room == 0 { 0 } else { message.size.min(room) };",
    },
    Mutant {
        name: "a writer keeps its place between two pieces",
        file: "sim/kernel/src/step/stream.rs",
        before: "self.state.mailboxes[id.index()].senders.push_back((t, message));",
        after: "self.state.mailboxes[id.index()].senders.push_front((t, message));",
    },
    Mutant {
        name: "a read waits at the end of a pipe",
        file: "sim/kernel/src/step/stream.rs",
        before: "mailbox.bytes().is_some_and(|bytes| bytes.count > 0) || mailbox.is_at_its_end()",
        after: "mailbox.bytes().is_some_and(|bytes| bytes.count > 0)",
    },
    Mutant {
        name: "cycles in flight are never looked for",
        file: "sim/kernel/src/step/stream.rs",
        before: "            self.work.push(Work::Unreachable);\n",
        after: "",
    },
    Mutant {
        name: "a descriptor in a body can be used",
        file: "sim/kernel/src/step/files.rs",
        before: "let opened = table.get(&descriptor.number).filter(|_| descriptor.holder == own);",
        after: "let opened = table.get(&descriptor.number);",
    },
    Mutant {
        name: "exec closes nothing",
        file: "sim/kernel/src/step/exec.rs",
        before: "        self.close_on_exec(process);\n",
        after: "",
    },
    Mutant {
        name: "an access to shared memory is local work",
        file: "sim/kernel/src/step/region.rs",
        before: "!matches!(self.state.mapping(region), Some(Mapping::Shared { .. }))",
        after: "true",
    },
    Mutant {
        name: "nobody waits for the owner of a lock",
        file: "sim/kernel/src/waits/awaited.rs",
        before: "            tell(Condition::Unlocked(owner));\n",
        after: "            let _ = owner;\n",
    },
    Mutant {
        name: "an unborn child has the variables of nobody",
        file: "sim/kernel/src/waits/future.rs",
        before: "let mut written = if is_unborn ||",
        after: "let mut written = if !is_unborn &&",
    },
    Mutant {
        name: "descriptors keep their numbers",
        file: "sim/kernel/src/waits/future.rs",
        before: "if opens && has(|effect| matches!(effect, Effect::Closes(_))) {",
        after: "if !opens && has(|effect| matches!(effect, Effect::Closes(_))) {",
    },
];
