//! Mistakes in what is loaded and looked at.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a poll meets nobody where calls are lazy",
        file: "sim/explore/src/space/lazy/mod.rs",
        before: "Came::Refused => waits.sends.meets(&comes.receives),",
        after: "Came::Refused => false,",
    },
    Mutant {
        name: "who waits is not found where something lies further behind",
        file: "sim/explore/src/space/lazy/mod.rs",
        before: "matches!(comes.receives, Boxes::Many(_) | Boxes::Unknown)\n",
        after: "matches!(comes.receives, Boxes::Unknown)\n",
    },
    Mutant {
        name: "a refused send meets no receiver that would wait",
        file: "sim/explore/src/space/lazy/mod.rs",
        before: "let takes = other.came != Came::Through &&",
        after: "let takes = matches!(other.came, Came::Waits(_)) &&",
    },
    Mutant {
        name: "a draw is made again as long as a call is lazy",
        file: "sim/explore/src/space/lazy/mod.rs",
        before: "draws && matches!(op, Op::Call(_))",
        after: "draws && matches!(op, Op::End)",
    },
    Mutant {
        name: "calls at ports are lazy",
        file: "sim/explore/src/space/lazy/mod.rs",
        before: "            || machine.has_ports()\n",
        after: "            || false\n",
    },
    Mutant {
        name: "a sender that finds no room for good is only slow",
        file: "sim/explore/src/space/lazy/mod.rs",
        before: "        Capacity::None | Capacity::Messages(_) | Capacity::Unlimited\n    );\n    counts_messages",
        after: "        Capacity::None | Capacity::Messages(_) | Capacity::Unlimited | Capacity::Undefined\n    );\n    counts_messages",
    },
    Mutant {
        name: "nobody gives up waiting where calls are lazy",
        file: "sim/explore/src/space/lazy/mod.rs",
        before: "            if bounded == Is::So {",
        after: "            if bounded == Is::So && caller.t.index() == usize::MAX {",
    },
    Mutant {
        name: "a process that others could hear from ends quietly",
        file: "sim/explore/src/space/steps/grain.rs",
        before: "                && process.outgoing.is_empty()\n",
        after: "",
    },
    Mutant {
        name: "partial order overlooks that two senders to one mailbox are rivals",
        file: "sim/explore/src/space/order/mod.rs",
        before: "            more.add(same);\n",
        after: "            more.add(if side == Side::Sends { impatient } else { same });\n",
    },
    Mutant {
        name: "partial order overlooks who does not wait without limit",
        file: "sim/explore/src/space/order/mod.rs",
        before: "let is_disturbed = !spot.commutes || patience == Patience::Impatient;",
        after: "let is_disturbed = !spot.commutes || patience == Patience::Impatient && id.0 == u32::MAX;",
    },
    Mutant {
        name: "partial order overlooks that who sends may find the receiver ended",
        file: "sim/explore/src/space/order/mod.rs",
        before: "            Side::Sends => more.add(&net.of_process[to.index()]),\n            // What",
        after: "            Side::Sends => {}\n            // What",
    },
    Mutant {
        name: "partial order overlooks who could bring a thread to its call",
        file: "sim/explore/src/space/order/net.rs",
        before: "                self.producers[*next].add(&self.consumers[at]);\n",
        after: "                self.producers[*next].add(&self.answering);\n",
    },
    Mutant {
        name: "partial order overlooks that a call can end without its message",
        file: "sim/explore/src/space/order/net.rs",
        before: "            && *faultless\n",
        after: "",
    },
    Mutant {
        name: "symmetry overlooks that `index` is computed with",
        file: "sim/explore/src/space/symmetry/alike.rs",
        before: "Expr::Index => self.differ(own),",
        after: "Expr::Index => {}",
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
        file: "sim/explore/src/space/codec/rights.rs",
        before: "        taken.count() as u32 + 1",
        after: "        taken.count() as u32 / u32::MAX + 1",
    },
    Mutant {
        name: "local work that is seen is merged all the same",
        file: "sim/explore/src/space/steps/grain.rs",
        before: "self.merge == Reduction::On && !self.seen[at.index()]",
        after: "self.merge == Reduction::On && (!self.seen[at.index()] || at.0 < u32::MAX)",
    },
    Mutant {
        name: "`compute` is free, whatever is seen behind it",
        file: "sim/explore/src/space/steps/grain.rs",
        before: "is_compute(pc) && (far[pc.index()] || comes_back(machine, pc))",
        after: "is_compute(pc) && (far[pc.index()] && pc.0 > u32::MAX / 2 || comes_back(machine, pc))",
    },
    Mutant {
        name: "preemption never comes",
        file: "sim/explore/src/run/runner.rs",
        before: "if self.machine.timing.preempt == Preempt::Calls && self.is_preempted(id, t) {",
        after: "if id == usize::MAX && self.is_preempted(id, t) {",
    },
    Mutant {
        name: "where rights are mentioned is looked at unnoticed",
        file: "sim/explore/src/space/steps/perform.rs",
        before: "looks.push((u32::MAX, position));",
        after: "let _ = &position;",
    },
];
