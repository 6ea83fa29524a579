//! One workload, run once: `workload NAME OPERATIONS [PROCESSES | traced]` prints a line of JSON. A trace
//! is written, and its bytes are dropped.
//!
//! The counterpart of the peers' programs; `cargo xtask bench` runs them in turn.

#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![expect(clippy::disallowed_types, reason = "a benchmark reads the wall clock")]

use std::time::Instant;

use ipcsim_explore::{GENERATOR, Limits, NoTrace, Run, run};
use ipcsim_report::trace::{Header, VERSION, Writer, fingerprint};
use ipcsim_scenario::{LoadOptions, load};

/// The scenario of a workload; in some the number of processes can be changed.
fn text(name: &str, processes: Option<&str>) -> String {
    let text = match name {
        "ping-pong-untimed" => include_str!("workloads/ping-pong-untimed.yaml"),
        "ping-pong" => include_str!("workloads/ping-pong.yaml"),
        "pool" => include_str!("workloads/pool.yaml"),
        "ring" => include_str!("workloads/ring.yaml"),
        "timers" => include_str!("workloads/timers.yaml"),
        other => panic!("there is no workload {other}"),
    };
    match (name, processes) {
        ("ring", Some(processes)) => text.replace("10000", processes),
        ("timers", Some(processes)) => text.replace("100000", processes),
        _ => text.to_string(),
    }
}

/// What a workload counts, in a finished run.
fn operations(name: &str, run: &Run) -> u64 {
    match name {
        // A wake-up ends a receive: with a message, or because its time is over.
        "timers" => run.measures.messages + run.measures.timeouts,
        _ => run.measures.messages,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, wanted, rest @ ..] = &arguments[..] else {
        panic!("workload NAME OPERATIONS [PROCESSES | traced]")
    };
    let option = rest.first().map(String::as_str);
    let is_traced = option == Some("traced");
    let wanted: u64 = wanted.parse().expect("a number of operations");
    let text = text(name, option.filter(|_| !is_traced));
    let loaded = load(name, text.as_bytes(), &LoadOptions::default());
    let machine = loaded.machine.expect("the workloads have no errors");
    // Two calls a message, at most; a time-out costs a send more.
    let limits = Limits { max_steps: wanted.saturating_mul(2), ..Limits::default() };
    let start = Instant::now();
    let run = if is_traced {
        let header = Header {
            version: VERSION,
            scenario: name.clone(),
            hash: fingerprint(text.as_bytes(), &[]),
            seed: 0,
            generator: GENERATOR.into(),
        };
        run(&machine, &limits, &mut Writer::new(std::io::sink(), &header))
    } else {
        run(&machine, &limits, &mut NoTrace)
    };
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{{\"peer\":\"ipcsim\",\"workload\":\"{name}\",\"operations\":{},\"seconds\":{seconds:.6}}}",
        operations(name, &run)
    );
}
