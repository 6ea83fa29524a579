//! Mistakes in what is loaded and looked at.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
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
        name: "local work that is seen is merged all the same",
        file: "sim/explore/src/space/grain.rs",
        before: "self.merge == Reduction::On && !self.seen[at.index()]",
        after: "self.merge == Reduction::On && (!self.seen[at.index()] || at.0 < u32::MAX)",
    },
    Mutant {
        name: "`compute` is free, whatever is seen behind it",
        file: "sim/explore/src/space/grain.rs",
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
        file: "sim/explore/src/space/perform.rs",
        before: "looks.push((u32::MAX, position));",
        after: "let _ = &position;",
    },
];
