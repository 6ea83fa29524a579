//! Mistakes in what meets the world outside: limits, hostile texts, kept traces, claims of a teacher.

use super::Mutant;

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "what was cancelled for want of memory goes on when there is memory again",
        file: "sim/explore/src/cancel.rs",
        before: "        self.cancel(Reason::Memory);\n        self.reason()",
        after: "        Some(Reason::Memory)",
    },
    Mutant {
        name: "what is asked of a single state is cut off as the search was",
        file: "sim/explore/src/space/steps/limit.rs",
        before: "(self.bounds, self.cut) = (None, None);",
        after: "self.bounds = None;",
    },
    Mutant {
        name: "conclusions never end early",
        file: "sim/explore/src/space/mod.rs",
        before: "self.cancelled().is_none().then_some(())",
        after: "Some(())",
    },
    Mutant {
        name: "a search with a limit of memory is never weighed",
        file: "sim/explore/src/space/steps/limit.rs",
        before: "bytes + self.beside.bytes > most",
        after: "bytes + self.beside.bytes > most.saturating_mul(1_000)",
    },
    Mutant {
        name: "a text can turn the direction of the terminal round",
        file: "report/src/visible.rs",
        before: "                | '\\u{2028}'..='\\u{202e}'\n",
        after: "",
    },
    Mutant {
        name: "a kept trace knows the lines of the file",
        file: "report/src/trace/golden.rs",
        before: "[\"t\", \"event\", \"thread\", \"line\", \"why\"]",
        after: "[\"t\", \"event\", \"thread\", \"\", \"why\"]",
    },
    Mutant {
        name: "a student's own claims count beside the teacher's",
        file: "sim/scenario/src/load.rs",
        before: "            entries.retain(|(key, _)| key.value != \"expect\");\n            entries.push(claims);",
        after: "            entries.insert(0, claims);",
    },
    Mutant {
        name: "a list may be as deep as one likes",
        file: "sim/program/src/value/list.rs",
        before: "            depth = depth.max(item.depth_outside()?);\n        }",
        after: "            depth = depth.max(item.depth_outside().unwrap_or(1));\n        }",
    },
    Mutant {
        name: "a range ends before its end",
        file: "sim/kernel/src/eval.rs",
        before: "(low..=high).map",
        after: "(low..high).map",
    },
    Mutant {
        name: "what is given from outside has the type of what is put there inside",
        file: "sim/scenario/src/compile/types/infer.rs",
        before: "let is_own = !given.contains(name);",
        after: "let is_own = !given.contains(name) || name.len() < 100;",
    },
    Mutant {
        name: "a trace is written over whatever is there",
        file: "cli/run.rs",
        before: "if !force && holds_something_else(path)? {",
        after: "if !force && holds_something_else(path)? && path.as_os_str().is_empty() {",
    },
];
