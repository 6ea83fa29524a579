//! All states of one workload, visited once: `space NAME` prints a line of JSON.

#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![expect(clippy::disallowed_types, reason = "a benchmark reads the wall clock")]

use std::time::Instant;

use ipcsim_explore::{ExploreLimits, Reductions, explore};
use ipcsim_scenario::{LoadOptions, load};

fn text(name: &str) -> &'static str {
    match name {
        "rpc" => include_str!("spaces/rpc.yaml"),
        "ring" => include_str!("spaces/ring.yaml"),
        "pool" => include_str!("spaces/pool.yaml"),
        "dining" => include_str!("spaces/dining.yaml"),
        "memory" => include_str!("spaces/memory.yaml"),
        other => panic!("there is no workload {other}"),
    }
}

/// The most memory that this process ever had, in bytes; 0 where the system does not say.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn main() {
    let name = std::env::args().nth(1).expect("space NAME");
    let loaded = load(&name, text(&name).as_bytes(), &LoadOptions::default());
    let machine = loaded.machine.expect("the workloads have no errors");
    let before = peak_bytes();
    let start = Instant::now();
    let found = explore(&machine, Reductions::default(), &[], &ExploreLimits::default());
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{{\"states\":{},\"edges\":{},\"performed\":{},\"seconds\":{seconds:.6},\"bytes\":{}}}",
        found.states(),
        found.edges,
        found.performed(),
        peak_bytes().saturating_sub(before)
    );
}
