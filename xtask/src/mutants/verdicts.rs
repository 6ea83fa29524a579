//! Mistakes in who is called stuck, why, and what is proposed against it.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a daemon at rest counts as stuck",
        file: "sim/kernel/src/waits/rest.rs",
        before: "waits && machine.family_of(process).role == Role::Daemon",
        after: "waits && machine.family_of(process).role != Role::Daemon",
    },
    Mutant {
        name: "whoever kills himself ends his own wait",
        file: "sim/kernel/src/waits/condition.rs",
        before: "                | Condition::ThreadKilled(_)\n                | Condition::ThreadInterrupted(_)\n",
        after: "                | Condition::ThreadInterrupted(_)\n",
    },
    Mutant {
        name: "whoever destroys a mailbox ends his own wait there",
        file: "sim/kernel/src/waits/condition.rs",
        before: "            Condition::Destroyed(_)\n                | Condition::Anything\n",
        after: "            Condition::Anything\n",
    },
    Mutant {
        name: "who kills one thread kills its siblings",
        file: "sim/kernel/src/waits/future/walker.rs",
        before: "thread.name == threads.name",
        after: "thread.name.0 < u32::MAX",
    },
    Mutant {
        name: "a circle of daemons at rest is refused",
        file: "sim/kernel/src/waits/mod.rs",
        before: "!is_at_rest(machine, state, *other) && leads_back(*other)",
        after: "leads_back(*other)",
    },
    Mutant {
        name: "a select that is about to be told waits on",
        file: "sim/kernel/src/waits/mod.rs",
        before: "if is_ready(state, sources) => {",
        after: "if is_ready(state, sources) && state.threads.is_empty() => {",
    },
    Mutant {
        name: "a request of any type is answered",
        file: "sim/kernel/src/waits/condition.rs",
        before: "            tell(Condition::Answered(at, it));\n        }",
        after: "            tell(Condition::Answered(at, it));\n        }\n        self.numbers(|_| true).for_each(|it| tell(Condition::Answered(at, Some(it))));",
    },
    Mutant {
        name: "a grandchild does nothing",
        file: "sim/kernel/src/waits/arrows.rs",
        before: "                    makers.push(thread);\n",
        after: "",
    },
    Mutant {
        name: "a suspended thread has its local work still to do",
        file: "sim/kernel/src/step/stopped.rs",
        before: "if stands_before_some && asks_nobody(machine, thread.pc) {",
        after: "if stands_before_some && !asks_nobody(machine, thread.pc) {",
    },
    Mutant {
        name: "a send of any type would do",
        file: "sim/kernel/src/waits/condition.rs",
        before: "kind.is_none_or(|kind| is_wanted_type(wanted, kind))",
        after: "kind.is_none_or(|kind| is_wanted_type(wanted, kind) || kind == kind)",
    },
    Mutant {
        name: "a handler for dead handles what is no object at all",
        file: "sim/kernel/src/waits/future/raising.rs",
        before: "(handled(Outcome::Dead) && self.are_objects(objects, may_lack_rights))",
        after: "(handled(Outcome::Dead) && (true || self.are_objects(objects, may_lack_rights)))",
    },
    Mutant {
        name: "who asks for a notice sends it",
        file: "sim/kernel/src/waits/future/walker.rs",
        before: "self.future.asks_for_notices.extend(notices);",
        after: "self.future.fulfils.extend(notices);",
    },
    Mutant {
        name: "an interrupt lets a suspended thread go on",
        file: "sim/kernel/src/waits/awaited.rs",
        before: "        if let Some(on) = state.waits_for(t) {\n            tell(Condition::ThreadInterrupted(t));\n",
        after: "        tell(Condition::ThreadInterrupted(t));\n        if let Some(on) = state.waits_for(t) {\n",
    },
    Mutant {
        name: "nobody answers a request that is still to come",
        file: "sim/kernel/src/waits/arrows.rs",
        before: "if does(Deed::AnswersWhatComes) {",
        after: "if does(Deed::AnswersWhatComes) && state.threads.is_empty() {",
    },
    Mutant {
        name: "a process with two threads never ends",
        file: "sim/kernel/src/waits/arrows.rs",
        before: "if living.iter().all(|t| future(t).could(Deed::Ends))",
        after: "if (living.len() == 1 && living.iter().all(|t| future(t).could(Deed::Ends)))",
    },
    Mutant {
        name: "nobody lets go of a right by ending",
        file: "sim/kernel/src/waits/awaited.rs",
        before: "            holders.into_iter().flat_map(lets_go)",
        after: "            holders.into_iter().map(|holder| lets_go(holder)[0])",
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
        before: "is_main |= receives && pc == thread.pc;",
        after: "is_main |= receives && pc != thread.pc && pc == thread.pc;",
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
        name: "a cure may give a lock back before it is taken",
        file: "sim/scenario/src/remedy/steps.rs",
        before: "        if first.end > second.start || breaks_a_lock {",
        after: "        if first.end > second.start || (breaks_a_lock && who.is_empty()) {",
    },
    Mutant {
        name: "whoever is resumed could come into the loop that had no count",
        file: "sim/kernel/src/waits/future.rs",
        before: "Ahead::BehindItsWait if waits && thread.raised().is_some() =>",
        after: "Ahead::BehindItsWait if waits && thread.raised().is_none() && false =>",
    },
    Mutant {
        name: "whoever has no right to a protected process interrupts it",
        file: "sim/kernel/src/waits/arrows.rs",
        before: "needs.is_none_or(|port| self.may_send(own, port))",
        after: "needs.is_none_or(|port| self.may_send(own, port) || port == port)",
    },
    Mutant {
        name: "a send-once right in no variable answers",
        file: "sim/kernel/src/waits/arrows.rs",
        before: "for right in &self.answers[&t] {",
        after: "let all: Vec<_> = once_rights.iter().map(|once| Handle::Once(*once)).collect();\n        for right in self.answers[&t].iter().chain(all.iter().filter(|_| does(Deed::Replies))) {",
    },
    Mutant {
        name: "under refuse being resumed is hope for whoever is not suspended",
        file: "sim/kernel/src/waits/awaited.rs",
        before: "Others::Move => matches!(thread.state, ThreadState::Suspended(_)),",
        after: "Others::Move => true,",
    },
    Mutant {
        name: "under refuse an exception that may come is hope",
        file: "sim/kernel/src/waits/mod.rs",
        before: "stuck_if(machine, state, Hope::NotInExceptions, Some(t))",
        after: "stuck_if(machine, state, Hope::InAll, Some(t))",
    },
    Mutant {
        name: "who resumes one replica resumes them all",
        file: "sim/kernel/src/waits/future/walker.rs",
        before: "thread.name == threads.name && index.as_ref().is_none_or(same)",
        after: "thread.name == threads.name || index.as_ref().is_none_or(same)",
    },
];
