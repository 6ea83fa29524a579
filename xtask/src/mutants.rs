//! Mutants: kernels with one mistake each. The tests must catch every one of them.
//!
//! A mutant is made in a copy of the repository, which keeps its own build. That takes a minute or so for
//! each; it is no part of what runs before every change, but of what runs when the kernel or the tests of
//! it are changed.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A mistake: what stands in a file, and what stands there instead.
struct Mutant {
    name: &'static str,
    file: &'static str,
    before: &'static str,
    after: &'static str,
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "the newest waiter is woken first",
        file: "sim/kernel/src/step/send.rs",
        before: "Pick::Fifo => willing.next(),",
        after: "Pick::Fifo => willing.next_back(),",
    },
    Mutant {
        name: "a wake-up is lost when two come at once",
        file: "sim/kernel/src/step/release.rs",
        before: "self.released(t, then, whereabouts);\n                }\n                Fit::Later",
        after: "self.released(t, then, whereabouts);\n                    return;\n                }\n                Fit::Later",
    },
    Mutant {
        name: "the message of a sender that timed out stays in the queue",
        file: "sim/kernel/src/step/wait.rs",
        before: "mailbox.release_sender(place);\n                self.forget_blocked(message.mailbox, place);",
        after: "let _ = place;",
    },
    Mutant {
        name: "a receiver that timed out eats the message",
        file: "sim/kernel/src/step/wait.rs",
        before: "self.unlist_receiver(t, &sources);\n            }\n            BlockedOn::Reply",
        after: "let _ = sources;\n            }\n            BlockedOn::Reply",
    },
    Mutant {
        name: "kernel memory is not returned on receive",
        file: "sim/kernel/src/step/memory.rs",
        before: "self.state.memory.release(message.size);",
        after: "let _ = message;",
    },
    Mutant {
        name: "kernel memory is not returned when a process is killed",
        file: "sim/kernel/src/step/process.rs",
        before: "self.drop_messages(link, Loss::ReceiverEnded);",
        after: "let _ = Loss::ReceiverEnded;",
    },
    Mutant {
        name: "the place in the queue for kernel memory is not returned on a timeout",
        file: "sim/kernel/src/step/wait.rs",
        before: "waiting.retain(|(waiter, _)| *waiter != t);",
        after: "let _ = waiting;",
    },
    Mutant {
        name: "a capacity in bytes is checked after storing",
        file: "sim/kernel/src/object/mailbox.rs",
        before: "self.stored_bytes.saturating_add(size) > limit",
        after: "self.stored_bytes > limit",
    },
    Mutant {
        name: "priority order is reversed among equals",
        file: "sim/kernel/src/object/mailbox.rs",
        before: "self.messages.partition_point(|stored| stored.priority() >= message.priority())",
        after: "self.messages.partition_point(|stored| stored.priority() > message.priority())",
    },
    Mutant {
        name: "a receive from a group takes the last ready member",
        file: "sim/kernel/src/step/receive.rs",
        before: "for mailbox in sources.listed() {\n            if self.mailbox",
        after: "for mailbox in sources.listed().iter().rev() {\n            if self.mailbox",
    },
    Mutant {
        name: "`kill` leaves the victim in a queue",
        file: "sim/kernel/src/step/thread.rs",
        before: "self.withdraw(t);\n        self.note(Some(t), Kind::ThreadEnded);",
        after: "self.note(Some(t), Kind::ThreadEnded);",
    },
    Mutant {
        name: "a daemon at rest counts as stuck",
        file: "sim/kernel/src/waits/rest.rs",
        before: "waits && machine.family_of(process).role == Role::Daemon",
        after: "waits && machine.family_of(process).role != Role::Daemon",
    },
    Mutant {
        name: "a send that does not block is refused by a waiting receiver",
        file: "sim/kernel/src/step/send.rs",
        before: "        self.send_composed(t, message, send)\n",
        after: "        if send.wait == Wait::Never && !self.receivers_of(message.mailbox).is_empty() {\n            \
                return Err(Stop::Outcome(Outcome::WouldBlock));\n        }\n        \
                self.send_composed(t, message, send)\n",
    },
    Mutant {
        name: "a receiver that insists on P takes the message of Q",
        file: "sim/kernel/src/step/send.rs",
        before: "sources.contains(self.state.known_as(message.mailbox))",
        after: "(!sources.listed().is_empty() || sources.contains(message.mailbox))",
    },
    Mutant {
        name: "partial order overlooks that two senders to one mailbox are rivals",
        file: "sim/explore/src/space/order/mod.rs",
        before: "Direction::To => ahead.sends.has(mailbox),\n            Direction::From => ahead.receives.has(mailbox),",
        after: "Direction::To => ahead.sends.has(mailbox) && ahead.receives.has(mailbox),\n            Direction::From => ahead.receives.has(mailbox),",
    },
    Mutant {
        name: "symmetry overlooks that `index` is computed with",
        file: "sim/explore/src/space/symmetry/alike.rs",
        before: "Expr::Index => self.differ(own),",
        after: "Expr::Index => {}",
    },
    Mutant {
        name: "a thread that is suspended goes on when what it waits for has come",
        file: "sim/kernel/src/step/control.rs",
        before: "if thread.is_held() { ThreadState::Suspended",
        after: "if false { ThreadState::Suspended",
    },
    Mutant {
        name: "the kernel keeps a second message of one sender",
        file: "sim/kernel/src/step/hold.rs",
        before: "if keeps_one || ",
        after: "let _ = keeps_one;\n        if ",
    },
    Mutant {
        name: "the handler of the process is asked before that of the thread",
        file: "sim/kernel/src/step/exception.rs",
        before: "[Level::Thread, Level::Process]",
        after: "[Level::Process, Level::Thread]",
    },
    Mutant {
        name: "in the short way a sender overtakes those that are blocked",
        file: "sim/kernel/src/step/short/send.rs",
        before: "Room::Free if mailbox.senders.is_empty() && memory",
        after: "Room::Free if memory",
    },
    Mutant {
        name: "the short way hands a message to whoever only asks for another",
        file: "sim/kernel/src/step/short/mod.rs",
        before: "Sources::One(_), filter: None })",
        after: "Sources::One(_), .. })",
    },
    Mutant {
        name: "the rights in a message that does not go are lost",
        file: "sim/kernel/src/step/wait.rs",
        before: "        self.give_rights_back(message);",
        after: "        let _ = message;",
    },
    Mutant {
        name: "a send-once right that is destroyed tells nobody",
        file: "sim/kernel/src/step/notices.rs",
        before: "        self.notify(once, \"send-once\", Value::None, None);",
        after: "        self.forget_once(once);",
    },
    Mutant {
        name: "a port that comes into a set does not serve those who wait there",
        file: "sim/kernel/src/step/sets.rs",
        before: "        self.serve_receivers(set);",
        after: "        let _ = Self::serve_receivers;",
    },
    Mutant {
        name: "a backup is kept when it has taken over",
        file: "sim/kernel/src/step/rights.rs",
        before: "(port.backup.take(), port.destroyed.take())",
        after: "(port.backup, port.destroyed.take())",
    },
    Mutant {
        name: "in the short way kernel memory is not returned on receive",
        file: "sim/kernel/src/step/short/receive.rs",
        before: "        self.state.memory.release(message.size);",
        after: "        let _ = &self.state.memory;",
    },
    Mutant {
        name: "in the short way a large message takes the place of a small one",
        file: "sim/kernel/src/step/short/receive.rs",
        before: "            && message.size <= first.size\n",
        after: "            && first.size < u64::MAX\n",
    },
    Mutant {
        name: "in the short way the oldest sender goes first, whatever was agreed",
        file: "sim/kernel/src/step/short/receive.rs",
        before: "policies.sender == Pick::Fifo\n            && policies.wake",
        after: "policies.sender <= Pick::Arbitrary\n            && policies.wake",
    },
    Mutant {
        name: "in the short way a sender that is suspended goes on",
        file: "sim/kernel/src/step/short/receive.rs",
        before: "            && !self.state.threads[sender.index()].is_held()",
        after: "            && sender.index() < usize::MAX",
    },
    Mutant {
        name: "in the short way nobody is refused who closes a circle",
        file: "sim/kernel/src/step/short/wait.rs",
        before: "self.machine.policies.detect == Detect::Report",
        after: "self.machine.policies.detect <= Detect::RefuseChain",
    },
    Mutant {
        name: "in the short way a receiver that timed out stays in the queue",
        file: "sim/kernel/src/step/short/wait.rs",
        before: "                forget_waiter(&mut mailbox.receivers, t);",
        after: "                let _ = forget_waiter;",
    },
    Mutant {
        name: "a creator may give a child any name server",
        file: "sim/kernel/src/step/spawn.rs",
        before: "if is_only || ancestors",
        after: "if is_only || port.index() > 0 || ancestors",
    },
    Mutant {
        name: "rights that come with the answer of a name server, and have no name, are kept",
        file: "sim/kernel/src/step/naming.rs",
        before: "            self.give_up_received(own, *carried);",
        after: "            let _ = (own, carried);",
    },
    Mutant {
        name: "to ask for references changes the status",
        file: "sim/kernel/src/step/inspect.rs",
        before: "        self.thread_mut(t).status = status;",
        after: "        let _ = status;",
    },
    Mutant {
        name: "a dead name is shown as a send right",
        file: "sim/kernel/src/step/inspect.rs",
        before: "let right = if is_dead { Right::Dead } else { Right::Send };",
        after: "let right = if is_dead { Right::Send } else { Right::Send };",
    },
    Mutant {
        name: "a message may carry the right that one needs to receive it",
        file: "sim/kernel/src/step/rights.rs",
        before: "                if at == carried.port {",
        after: "                if at == carried.port && at.index() == usize::MAX {",
    },
    Mutant {
        name: "anybody may have anybody's name",
        file: "sim/scenario/src/compile/name-server.yaml",
        before: "if: found != none and found[3] != m.sender",
        after: "if: found != none and found[3] == none",
    },
    Mutant {
        name: "a name stays when its port has died",
        file: "sim/scenario/src/compile/name-server.yaml",
        before: "if: entry[1] != m.body",
        after: "if: entry[1] != none",
    },
    Mutant {
        name: "the search gives the number of a reply right that is still known",
        file: "sim/explore/src/space/rights.rs",
        before: "        taken.count() as u32 + 1",
        after: "        taken.count() as u32 / u32::MAX + 1",
    },
    Mutant {
        name: "what the variables of a thread hold is no part of its state",
        file: "sim/kernel/src/state.rs",
        before: "goes_on, state, registers, control.as_deref())",
        after: "goes_on, state, &registers[..0], control.as_deref())",
    },
    Mutant {
        name: "where a thread stands is no part of its state",
        file: "sim/kernel/src/state.rs",
        before: "(!state.is_ended()).then_some((*pc, *status))",
        after: "(!state.is_ended()).then_some((Pc(pc.0 & 0), *status))",
    },
    Mutant {
        name: "local work that is seen is merged all the same",
        file: "sim/explore/src/space/grain.rs",
        before: "self.merge == Reduction::On && !self.seen[at.index()]",
        after: "self.merge == Reduction::On && (!self.seen[at.index()] || at.0 < u32::MAX)",
    },
    Mutant {
        name: "`compute` is free, whatever is seen behind it",
        file: "sim/explore/src/space/grain.rs",
        before: "is_compute(pc) && (far[pc] || comes_back(machine, pc))",
        after: "is_compute(pc) && (far[pc] && pc > usize::MAX / 2 || comes_back(machine, pc))",
    },
    Mutant {
        name: "a handle in a body uses up a reply right",
        file: "sim/kernel/src/step/rpc.rs",
        before: "self.state.abandoned.get(&asked) == Some(&Holder::Taken(by))",
        after: "self.state.abandoned.contains_key(&asked)",
    },
    Mutant {
        name: "the end of a sender would end every receive",
        file: "sim/kernel/src/waits/graph.rs",
        before: "            && listed.iter().all(is_link)\n",
        after: "            && listed.iter().any(is_link)\n",
    },
    Mutant {
        name: "whoever kills himself ends his own wait",
        file: "sim/kernel/src/waits/graph.rs",
        before: "let is_own = *victim == own;",
        after: "let is_own = *victim == own && victim.0 == u32::MAX;",
    },
    Mutant {
        name: "a send of any type would do",
        file: "sim/kernel/src/waits/graph.rs",
        before: "if kind.is_none_or(|kind| kind == wanted) {",
        after: "if kind.is_none_or(|kind| kind == wanted || number < usize::MAX) {",
    },
    Mutant {
        name: "a process with two threads never ends",
        file: "sim/kernel/src/waits/graph.rs",
        before: "if living.iter().all(|t| future(t).ends)",
        after: "if living.len() == 1 && living.iter().all(|t| future(t).ends)",
    },
    Mutant {
        name: "nobody lets go of a right by ending",
        file: "sim/kernel/src/waits/graph.rs",
        before: "                waits(Condition::ProcessEnds(holder));\n",
        after: "                let _ = Condition::ProcessEnds(holder);\n",
    },
    Mutant {
        name: "a daemon that owes an answer is at rest",
        file: "sim/kernel/src/waits/rest.rs",
        before: " && !owes_an_answer(state, t)",
        after: " && (!owes_an_answer(state, t) || t.0 < u32::MAX)",
    },
    Mutant {
        name: "a server in its main receive is part of a hidden circle",
        file: "sim/kernel/src/waits/rest.rs",
        before: "        if receives && pc == thread.pc {\n            return true;",
        after: "        if receives && pc == thread.pc {\n            return false;",
    },
    Mutant {
        name: "a run that repeats itself has nobody who is stuck",
        file: "sim/explore/src/verdict.rs",
        before: "still.extend(run.round.iter().flat_map(|round| &round.idle));",
        after: "still.extend(run.round.iter().flat_map(|round| &round.idle[..0]));",
    },
    Mutant {
        name: "whoever waits for a poller is to blame himself",
        file: "sim/explore/src/verdict.rs",
        before: "|t: &&ThreadId| waits_for.could_be_helped_by(**t, moves);",
        after: "|t: &&ThreadId| t.0 == u32::MAX && waits_for.could_be_helped_by(**t, moves);",
    },
    Mutant {
        name: "preemption never comes",
        file: "sim/explore/src/run/runner.rs",
        before: "self.machine.timing.preempt == Preempt::Calls;",
        after: "self.machine.timing.preempt == Preempt::Calls && id == usize::MAX;",
    },
    Mutant {
        name: "a cure may give a lock back before it is taken",
        file: "sim/scenario/src/remedy.rs",
        before: "        if first.end > second.start || breaks_a_lock {",
        after: "        if first.end > second.start || (breaks_a_lock && who.is_empty()) {",
    },
];

/// The tests take less than this, the build of what has changed included.
const PATIENCE_S: u32 = 600;
/// The same where everything has to be built.
const FIRST_PATIENCE_S: u32 = 3_600;

impl Mutant {
    /// The file with the mistake in it.
    fn made_of(&self, text: &str) -> Result<String, String> {
        if text.matches(self.before).count() != 1 {
            return Err(format!("{}: {} has changed: mend the mutant", self.name, self.file));
        }
        Ok(text.replace(self.before, self.after))
    }
}

/// Lets the tests loose on every mutant. Errors: those that they did not catch.
pub(crate) fn hunt() -> Result<(), String> {
    let root = crate::root();
    let copy = root.join("target/mutants/tree");
    copy_tracked(&root, &copy)?;
    println!("the tests, without any mistake");
    if !tests_pass(&copy, FIRST_PATIENCE_S)? {
        return Err("the tests fail without any mistake: mend that first".into());
    }
    let mut survivors = String::new();
    for mutant in MUTANTS {
        let file = copy.join(mutant.file);
        let text = read(&file)?;
        write(&file, &mutant.made_of(&text)?)?;
        let passed = tests_pass(&copy, PATIENCE_S);
        write(&file, &text)?;
        let caught = !passed?;
        println!("{}  {}", if caught { "caught  " } else { "SURVIVES" }, mutant.name);
        if !caught {
            let _ = writeln!(survivors, "  {}", mutant.name);
        }
    }
    if survivors.is_empty() {
        println!("all {} mutants are caught", MUTANTS.len());
        return Ok(());
    }
    Err(format!("these mistakes would not be noticed:\n{survivors}"))
}

/// A copy of all files that belong to the repository, as they are now.
fn copy_tracked(root: &Path, copy: &Path) -> Result<(), String> {
    let listed = Command::new("git").arg("ls-files").current_dir(root).output();
    let listed = listed.map_err(|error| format!("git ls-files: {error}"))?;
    let listed = String::from_utf8_lossy(&listed.stdout);
    let names: BTreeSet<&Path> = listed.lines().map(Path::new).collect();
    remove_others(copy, copy, &names)?;
    for name in listed.lines() {
        let (from, to) = (root.join(name), copy.join(name));
        let text = fs::read(&from).map_err(|error| format!("{name}: {error}"))?;
        // What has not changed is not written, and so not built again.
        if fs::read(&to).is_ok_and(|known| known == text) {
            continue;
        }
        let folder = to.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).map_err(|error| format!("{name}: {error}"))?;
        fs::write(&to, text).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// Removes from an earlier copy what belongs to the repository no more.
fn remove_others(copy: &Path, folder: &Path, names: &BTreeSet<&Path>) -> Result<(), String> {
    let shown = |error: std::io::Error| format!("{}: {error}", folder.display());
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(shown)? {
        let path = entry.map_err(shown)?.path();
        let name = path.strip_prefix(copy).expect("it is in the copy");
        if path.is_dir() {
            remove_others(copy, &path, names)?;
        } else if !names.contains(name) {
            fs::remove_file(&path).map_err(shown)?;
        }
    }
    Ok(())
}

/// Whether the tests pass. A mistake that makes them run for ever is caught as well.
fn tests_pass(copy: &Path, patience_s: u32) -> Result<bool, String> {
    let log = copy.join("../log");
    let file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let mut child = Command::new("cargo")
        .args(["test", "--workspace", "--locked", "--quiet"])
        .env("CARGO_TARGET_DIR", copy.join("../build"))
        .env("INSTA_UPDATE", "no")
        .current_dir(copy)
        .stdout(Stdio::null())
        .stderr(file)
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cargo test: {error}"))?;
    for _ in 0..patience_s {
        let ended = child.try_wait().map_err(|error| format!("cargo test: {error}"))?;
        if let Some(status) = ended {
            let said = fs::read_to_string(&log).unwrap_or_default();
            if said.contains("could not compile") {
                return Err(format!("a mutant that is no program:\n{said}"));
            }
            return Ok(status.success());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    // The tests are children of cargo, and would go on without it.
    let _ = Command::new("kill").args(["-9", "--", &format!("-{}", child.id())]).status();
    let _ = child.wait();
    Ok(false)
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_finds_its_place() {
        for mutant in MUTANTS {
            let text = read(&crate::root().join(mutant.file)).expect("the file is there");
            if let Err(reason) = mutant.made_of(&text) {
                panic!("{reason}");
            }
        }
    }
}
