//! All states of one workload, or those that stand for all, visited once: `space NAME [REDUCTIONS
//! [CLIENTS [THREADS]]]` prints a line of JSON. A name that ends in `.yaml` is a file.
//! Without reductions but merging, if nothing else is said.

#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![expect(clippy::disallowed_types, reason = "a benchmark reads the wall clock")]

use std::path::Path;
use std::time::Instant;

use ipcsim_explore::{ExploreLimits, Lookers, Looks, Reduction, Reductions, explore};
use ipcsim_scenario::{LoadOptions, load};

fn text(name: &str) -> String {
    if Path::new(name).extension().is_some_and(|ending| ending == "yaml") {
        return std::fs::read_to_string(name).expect("the file can be read");
    }
    let text = match name {
        "rpc" => include_str!("spaces/rpc.yaml"),
        "ring" => include_str!("spaces/ring.yaml"),
        "pool" => include_str!("spaces/pool.yaml"),
        "dining" => include_str!("spaces/dining.yaml"),
        "memory" => include_str!("spaces/memory.yaml"),
        other => panic!("there is no workload {other}"),
    };
    text.to_string()
}

fn reductions(name: &str) -> Reductions {
    let merge = Reductions::MERGE;
    match name {
        "none" => Reductions::NONE,
        "merge" => merge,
        "lazy" => Reductions { lazy: Reduction::On, rest: Reduction::On, ..merge },
        "order" => Reductions { order: Reduction::On, ..reductions("lazy") },
        "symmetry" => Reductions { symmetry: Reduction::On, ..merge },
        "all" => Reductions::ALL,
        other => panic!("there are no reductions {other}"),
    }
}

/// The same system with so many clients, nodes, philosophers or pairs.
fn sized(name: &str, text: &str, size: &str) -> String {
    let own = if name == "ring" { "8" } else { "4" };
    match name {
        "rpc" => text.replace("replicas: 5", &format!("replicas: {size}")),
        "pool" => text.replace("replicas: 4", &format!("replicas: {size}")),
        "memory" => text.replace("replicas: 4", &format!("replicas: {size}")),
        _ => text
            .replace(&format!("replicas: {own}"), &format!("replicas: {size}"))
            .replace(&format!("% {own} + 1"), &format!("% {size} + 1")),
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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let name = arguments.first().expect("space NAME [REDUCTIONS [CLIENTS [THREADS]]]");
    let reductions = reductions(arguments.get(1).map_or("merge", String::as_str));
    let mut text = text(name);
    if let Some(size) = arguments.get(2) {
        text = sized(name, &text, size);
    }
    let loaded = load(name, text.as_bytes(), &LoadOptions::default());
    let machine = loaded.machine.expect("the workloads have no errors");
    let threads = arguments.get(3).map_or(1, |count| count.parse().expect("a number of threads"));
    let lookers = Lookers { threads, ..Lookers::default() };
    let before = peak_bytes();
    let start = Instant::now();
    // As the program itself: what is small is looked at as a whole first.
    let limits = ExploreLimits { lookers, small: 50_000, ..ExploreLimits::default() };
    let found = explore(&machine, reductions, Looks::NOTHING, &limits);
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{{\"states\":{},\"edges\":{},\"performed\":{},\"seconds\":{seconds:.6},\"bytes\":{}}}",
        found.states(),
        found.edges,
        found.performed(),
        peak_bytes().saturating_sub(before)
    );
}
