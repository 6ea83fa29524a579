//! How fast one schedule is run, how that grows, and what the trace takes beside it.

use std::path::PathBuf;
use std::process::Command;

use super::peers::{self, Simulator};
use super::{Peers, ROUNDS, figures, median, thousands};

/// A workload, with the number of operations for us and for each peer.
pub(super) struct Workload {
    pub name: &'static str,
    counts: &'static str,
    pub operations: u64,
    pub simpy: u64,
}

const WORKLOADS: [Workload; 5] = [
    Workload {
        name: "ping-pong-untimed",
        counts: "messages",
        operations: 2_000_000,
        simpy: 100_000,
    },
    Workload { name: "ping-pong", counts: "messages", operations: 2_000_000, simpy: 100_000 },
    Workload { name: "pool", counts: "messages", operations: 1_000_000, simpy: 50_000 },
    Workload { name: "ring", counts: "hops", operations: 1_000_000, simpy: 50_000 },
    Workload { name: "timers", counts: "wake-ups", operations: 1_000_000, simpy: 50_000 },
];

/// Measures and prints what there is to say of runs.
pub(super) fn measure(with: Peers) -> Result<(), String> {
    let ours = super::example("workload");
    let peers = match with {
        Peers::Without => Vec::new(),
        Peers::With => peers::simulators()?,
    };
    beside(&ours, &peers)?;
    traces(&ours)?;
    growth(&ours)
}

/// Our rates beside those of other simulators.
fn beside(ours: &PathBuf, peers: &[Simulator]) -> Result<(), String> {
    println!("operations per second, median of {ROUNDS} rounds\n");
    print!("{:20} {:>10} {:>12}", "workload", "", "ipcsim");
    for peer in peers {
        print!(" {:>12} {:>8}", peer.name, "ratio");
    }
    println!();
    for workload in &WORKLOADS {
        let operations = workload.operations.to_string();
        let mut own = Vec::new();
        let mut others = vec![Vec::new(); peers.len()];
        for _ in 0..ROUNDS {
            own.push(rate(Command::new(ours).args([workload.name, &operations]))?);
            for (peer, rates) in peers.iter().zip(&mut others) {
                let operations = (peer.operations)(workload).to_string();
                let mut command = Command::new(&peer.program);
                rates.push(rate(command.args(&peer.first).args([workload.name, &operations]))?);
            }
        }
        let own = median(&mut own);
        print!("{:20} {:>10} {:>12}", workload.name, workload.counts, thousands(own));
        for mut rates in others {
            let peer = median(&mut rates);
            print!(" {:>12} {:>8.2}", thousands(peer), own / peer);
        }
        println!();
    }
    Ok(())
}

/// What writing the trace takes beside the run itself: the median of paired runs.
fn traces(ours: &PathBuf) -> Result<(), String> {
    println!("\ntime for the trace, as a multiple of the run's, median of {ROUNDS} paired runs\n");
    for workload in &WORKLOADS {
        let operations = workload.operations.to_string();
        let seconds = |more: &[&str]| {
            let rate = rate(Command::new(ours).args([workload.name, &operations]).args(more))?;
            Ok::<f64, String>(1.0 / rate)
        };
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            let alone = seconds(&[])?;
            ratios.push((seconds(&["traced"])? - alone) / alone);
        }
        println!("{:20} {:>12.2}", workload.name, median(&mut ratios));
    }
    Ok(())
}

/// How the cost of an event grows with the number of processes.
fn growth(ours: &PathBuf) -> Result<(), String> {
    println!("\nnanoseconds per operation with n, 10 n and 100 n processes\n");
    for (name, smallest) in [("ring", 100), ("timers", 1_000)] {
        print!("{name:20}");
        for factor in [1, 10, 100] {
            let processes = (smallest * factor).to_string();
            let mut rates = Vec::new();
            for _ in 0..ROUNDS {
                rates.push(rate(Command::new(ours).args([name, "1000000", &processes]))?);
            }
            print!(" {:>10} {:>7.0}", format!("n={processes}"), 1e9 / median(&mut rates));
        }
        println!();
    }
    Ok(())
}

/// Operations per second, from the line that a workload prints.
fn rate(command: &mut Command) -> Result<f64, String> {
    let line = figures(command)?;
    match (line["operations"].as_f64(), line["seconds"].as_f64()) {
        (Some(operations), Some(seconds)) if seconds > 0.0 => Ok(operations / seconds),
        _ => Err(format!("no figures in {line}")),
    }
}
