//! What a run is measured in: the same words in claims, in comparisons and in the reference.

/// What a run is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Time, in nanoseconds.
    Duration,
    /// Bytes.
    Size,
    /// So many.
    Number,
}

/// A measure of a run: what a claim may bound, and what is shown of it elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub struct Measure {
    /// How it is written.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// What it says.
    pub meaning: &'static str,
}

const fn measure(name: &'static str, unit: Unit, meaning: &'static str) -> Measure {
    Measure { name, unit, meaning }
}

/// The measures of a run.
pub const MEASURES: &[Measure] = &[
    measure("time", Unit::Duration, "When the run is over, in simulated time"),
    measure(
        "bytes-copied",
        Unit::Size,
        "How much was copied into the kernel, out of it, and on page faults",
    ),
    measure("pages-mapped", Unit::Number, "How many pages were mapped without being copied"),
    measure(
        "page-faults",
        Unit::Number,
        "How many shared pages were copied because somebody wrote to them",
    ),
    measure("context-switches", Unit::Number, "How often a processor went on with another thread"),
    measure("messages", Unit::Number, "How many messages were received"),
    measure(
        "kernel-memory",
        Unit::Size,
        "How much kernel memory messages needed at most at a time",
    ),
    measure("cpu-time", Unit::Duration, "How long processors were busy, all of them together"),
    measure("system-calls", Unit::Number, "How many calls were made"),
];

/// The measure with this name.
pub fn find_measure(name: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|measure| measure.name == name)
}
