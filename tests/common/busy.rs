//! Scenarios in which much is sent and received through few mailboxes: mostly plainly, sometimes not.
//!
//! They are for what is left out on the short way through the kernel. Nobody comes to his end, so that
//! queues fill and run empty again and again, with every kind of waiter in them.

use std::fmt::Write;

use super::generate::{Dice, WAKES};

/// A scenario with this seed.
pub fn scenario(seed: u64) -> String {
    let mut dice = Dice(seed);
    let mut out = String::from("kernel:\n");
    let mut option = |out: &mut String, key: &str, values: &[&str]| {
        if dice.chance(30) {
            let _ = writeln!(out, "  {key}: {}", dice.pick(values));
        }
    };
    option(&mut out, "memory", &["16B", "24B", "40B"]);
    option(&mut out, "memory-full", &["wait", "fail"]);
    option(&mut out, "sender", &["fifo", "priority", "arbitrary"]);
    option(&mut out, "wake", &WAKES);
    option(&mut out, "scheduler", &["round-robin", "random"]);
    option(&mut out, "cpus", &["1", "2"]);
    let _ = writeln!(out, "  seed: {}\nmailboxes:", dice.below(1000));
    for name in ["box1", "box2"] {
        let capacity = dice.pick(&["none", "1", "2", "12B", "12B", "unlimited"]);
        let order = dice.pick(&["fifo", "fifo", "priority"]);
        let receiver = dice.pick(&["fifo", "fifo", "lifo"]);
        let _ = writeln!(
            out,
            "  {name}: {{capacity: {capacity}, order: {order}, receiver: {receiver}}}"
        );
    }
    let _ = writeln!(out, "processes:");
    for number in 1..=3 + dice.below(3) {
        let _ = writeln!(out, "  P{number}:\n    - forever:");
        for _ in 0..=1 + dice.below(3) {
            step(&mut dice, &mut out);
        }
        // Whatever happens, time passes.
        let _ = writeln!(out, "        - sleep: {}us", 1 + dice.below(3));
    }
    out
}

fn step(dice: &mut Dice, out: &mut String) {
    let mailbox = dice.pick(&["box1", "box2"]);
    let sends = dice.chance(50);
    let first = if sends {
        format!("- send: {}\n          to: {mailbox}", dice.below(9))
    } else {
        format!("- receive: m\n          from: {mailbox}")
    };
    let _ = writeln!(out, "        {first}");
    let mut twist = |out: &mut String, percent: u64, text: &str| {
        if dice.chance(percent) {
            let _ = writeln!(out, "          {text}");
        }
    };
    twist(out, 25, "type: red");
    if sends {
        twist(out, 30, "size: 4B");
        twist(out, 10, "priority: 1");
    } else {
        twist(out, 10, "max-size: 4B");
    }
    let wait = dice.pick(&["", "", "never", "2us"]);
    if !wait.is_empty() {
        let _ = writeln!(out, "          wait: {wait}");
    }
    let handled = ["would-block", "timed-out", "too-large", "no-memory"]
        .map(|outcome| format!("{outcome}: []"));
    let _ = writeln!(out, "          when: {{{}}}", handled.join(", "));
}
