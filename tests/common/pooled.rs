//! Random scenarios of processes that share kernel memory: each has a mailbox of its own that it alone sends to, and all
//! messages are alike, so that nothing but memory keeps the senders apart.

use std::fmt::Write;

use super::generate::Dice;

/// A scenario with these dice.
pub fn scenario(dice: &mut Dice) -> String {
    let processes = 3 + dice.below(2);
    // Two pairs have nothing in common but the memory.
    let are_pairs = processes == 4 && dice.chance(70);
    let full = dice.pick(&["wait", "wait", "wait", "wait", "fail"]);
    let buffering = dice.pick(&["none", "none", "1"]);
    let memory = 1 + dice.below(3);
    let mut out = format!(
        "kernel: {{buffering: {buffering}, memory: {memory}B, memory-full: {full}}}\nmailboxes:\n"
    );
    for name in 1..=processes {
        let capacity = dice.pick(&["1", "1", "2", "unlimited", "none"]);
        let holds =
            match (name, capacity) {
                (1, "1" | "2" | "unlimited") if dice.chance(25) => {
                    if memory > 1 && dice.chance(50) { ", holds: [xy]" } else { ", holds: [x]" }
                }
                _ => "",
            };
        let _ = writeln!(out, "  b{name}: {{capacity: {capacity}{holds}}}");
    }
    out.push_str("processes:\n");
    for own in 1..=processes {
        let goes_on = if dice.chance(12) { "{forever: [" } else { "" };
        let steps: Vec<String> =
            (0..2 + dice.below(3)).map(|_| step(dice, own, (processes, are_pairs))).collect();
        let ends = if goes_on.is_empty() { "" } else { "]}" };
        let daemon = dice.chance(15);
        let _ = writeln!(
            out,
            "  P{own}: {{daemon: {daemon}, do: [{goes_on}{}{ends}]}}",
            steps.join(", ")
        );
    }
    out
}

fn step(dice: &mut Dice, own: u64, (processes, are_pairs): (u64, bool)) -> String {
    let other = 1 + dice.below(processes);
    let partner = 1 + ((own - 1) ^ 1);
    let last = if are_pairs { partner } else { 1 + (own + processes - 2) % processes };
    let wait = match dice.below(20) {
        0 => ", wait: never, when: {would-block: []}",
        1 => ", wait: 1us, when: {timed-out: []}",
        2 => ", when: {no-memory: [], dead: []}",
        _ => "",
    };
    match dice.below(16) {
        0..=6 => format!("{{send: x, to: b{own}, size: 1B{wait}}}"),
        7 => format!("{{set: {{d: b{own}}}}}, {{send: x, to: '${{d}}', size: 1B{wait}}}"),
        8..=12 => format!("{{receive: m, from: b{last}{wait}}}"),
        13 => format!("{{receive: m, from: b{other}{wait}}}"),
        14 if other != own => format!("{{send: x, to: P{other}, size: 1B{wait}}}"),
        15 if other != own => format!("{{receive: m, from: P{other}{wait}}}"),
        _ => "{yield: }".to_string(),
    }
}
