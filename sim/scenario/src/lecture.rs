//! The slides of the lecture, in their order: what `slide:` may name, and how lists are sorted.

/// The slides, in order. The lecture is CMU 15-410's on inter-process communication.
pub const SLIDES: &[&str] = &[
    "P3 interlude: fork",
    "P3 interlude: exec",
    "Scope of IPC",
    "Naming: by process",
    "Naming: by mailbox",
    "Naming: name server",
    "Naming: file system",
    "Multiple senders",
    "Multiple receivers",
    "Synchronization: send",
    "Synchronization: receive",
    "Receive with timeout",
    "Meta-receive",
    "Receive-scan",
    "Buffering",
    "A buffering problem",
    "Rendezvous",
    "Group communication",
    "Copy or share",
    "Mach: IPC ports",
    "Mach: port rights",
    "Mach: message",
    "Mach: operations",
    "Mach: RPC",
    "Mach: naming",
    "Summary: a Unix surprise",
];

/// The place of a slide in the lecture; what is not a slide comes last.
pub fn slide_order(slide: &str) -> usize {
    SLIDES.iter().position(|known| *known == slide).unwrap_or(SLIDES.len())
}
