//! How fast all schedules are visited, how much memory that takes, and how both grow.

use std::path::PathBuf;
use std::process::Command;

use super::{Peers, ROUNDS, figures, median, peers, thousands};

/// A system, and its sizes from about 10^5 states on to 10^7: how many clients, nodes, philosophers or pairs
/// it has. The next size of the others has ten times as many states and more.
struct System {
    name: &'static str,
    sizes: &'static [&'static str],
}

const SYSTEMS: [System; 5] = [
    System { name: "rpc", sizes: &["4", "5"] },
    System { name: "ring", sizes: &["7", "8", "9", "10"] },
    System { name: "pool", sizes: &["3", "4"] },
    System { name: "dining", sizes: &["4", "5"] },
    System { name: "memory", sizes: &["3", "4"] },
];

/// Measures and prints what there is to say of spaces.
pub(super) fn measure(with: Peers) -> Result<(), String> {
    let ours = super::example("space");
    spaces(&ours)?;
    threads(&ours)?;
    clients(&ours)?;
    match with {
        Peers::Without => Ok(()),
        Peers::With => {
            beside_stateright(&ours)?;
            beside_spin(&ours)
        }
    }
}

/// How fast all states are visited, and how much memory each takes, as there are more of them.
fn spaces(ours: &PathBuf) -> Result<(), String> {
    println!("\nall states, median of {ROUNDS} rounds\n");
    println!(
        "{:20} {:>12} {:>12} {:>12} {:>10} {:>12}",
        "space", "states", "states/s", "steps/s", "performed", "bytes/state"
    );
    let sized = |system: &'static System| system.sizes.iter().map(|size| (system.name, *size));
    for (name, size) in SYSTEMS.iter().flat_map(sized) {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let line = figures(Command::new(ours).args([name, "merge", size]))?;
            let figure = |key: &str| line[key].as_f64().ok_or(format!("no {key} in {line}"));
            let seconds = figure("seconds")?;
            let states = figure("states")?;
            let bytes = figure("bytes")? / states;
            rounds.push([
                states / seconds,
                figure("edges")? / seconds,
                states,
                figure("performed")?,
                bytes,
            ]);
        }
        let middle =
            |at: usize| median(&mut rounds.iter().map(|round| round[at]).collect::<Vec<_>>());
        println!(
            "{:20} {:>12.0} {:>12} {:>12} {:>10.0} {:>12.0}",
            format!("{name} {size}"),
            middle(2),
            thousands(middle(0)),
            thousands(middle(1)),
            middle(3),
            middle(4)
        );
    }
    Ok(())
}

/// How much faster two threads are than one on the largest of each: the median of paired runs.
fn threads(ours: &PathBuf) -> Result<(), String> {
    println!("\ntwo threads beside one, median of {ROUNDS} paired runs\n");
    for System { name, sizes, .. } in SYSTEMS {
        let largest = sizes[sizes.len() - 1];
        let seconds = |threads: &str| {
            let line = figures(Command::new(ours).args([name, "merge", largest, threads]))?;
            line["seconds"].as_f64().ok_or(format!("no seconds in {line}"))
        };
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            ratios.push(seconds("1")? / seconds("2")?);
        }
        println!("{:20} {:>12.2}", format!("{name} {largest}"), median(&mut ratios));
    }
    Ok(())
}

/// What is left of a server with ever more clients.
fn clients(ours: &PathBuf) -> Result<(), String> {
    println!("\na server and its clients, with all reductions: states, seconds, MiB\n");
    for clients in ["4", "5", "6", "8", "12", "16"] {
        let line = figures(Command::new(ours).args(["rpc", "all", clients]))?;
        let [states, seconds, bytes] = ["states", "seconds", "bytes"].map(|key| line[key].as_f64());
        let figure = |figure: Option<f64>| figure.unwrap_or(f64::NAN);
        let mib = figure(bytes) / f64::from(1 << 20);
        println!("{clients:>4} {:>10} {:>10.3} {mib:>8.1}", figure(states), figure(seconds));
    }
    Ok(())
}

/// The same systems by hand in `stateright`, every state on one thread.
fn beside_stateright(ours: &PathBuf) -> Result<(), String> {
    println!("\nseconds for every state (states), beside stateright, median of {ROUNDS} rounds\n");
    println!(
        "{:10} {:>22} {:>22} {:>8} {:>8}",
        "space", "ipcsim", "stateright", "time", "states/s"
    );
    let peer = peers::stateright()?;
    for System { name, .. } in SYSTEMS {
        let mut rounds = Vec::new();
        let mut states = (0.0, 0.0);
        for _ in 0..ROUNDS {
            let [own, other] = [ours, &peer].map(|program| {
                let line = figures(Command::new(program).arg(name))?;
                let both = (line["seconds"].as_f64(), line["states"].as_f64());
                let (Some(seconds), Some(states)) = both else { return Err(line.to_string()) };
                Ok((seconds, states))
            });
            let (own, other) = (own?, other?);
            states = (own.1, other.1);
            rounds.push((own.0, other.0));
        }
        let mut own: Vec<f64> = rounds.iter().map(|round| round.0).collect();
        let mut other: Vec<f64> = rounds.iter().map(|round| round.1).collect();
        let (own, other) = (median(&mut own), median(&mut other));
        println!(
            "{name:10} {:>22} {:>22} {:>8.2} {:>8.2}",
            format!("{own:.3} ({})", states.0),
            format!("{other:.3} ({})", states.1),
            other / own,
            (states.0 / own) / (states.1 / other)
        );
    }
    Ok(())
}

/// The same systems in SPIN, each way: whole, and with the reductions that are on by themselves.
fn beside_spin(ours: &PathBuf) -> Result<(), String> {
    if !peers::has_spin() {
        println!("\nSPIN is left out: benches/peers/README.md says what it needs");
        return Ok(());
    }
    println!("\nseconds for every schedule (states), beside SPIN\n");
    println!(
        "{:15} {:>22} {:>22} {:>8} {:>22} {:>22} {:>8}",
        "model",
        "ipcsim, whole",
        "SPIN, whole",
        "ratio",
        "ipcsim, reduced",
        "SPIN, reduced",
        "ratio"
    );
    // A model that makes a call one step counts the same states.
    let models = SYSTEMS.iter().map(|system| (system.name, system.name));
    for (name, model) in models.chain([("dining", "dining-by-call")]) {
        print!("{model:15}");
        for (reductions, flag) in [("merge", "-DNOREDUCE"), ("all", "-DREDUCE")] {
            let line = figures(Command::new(ours).args([name, reductions]))?;
            let own = (line["seconds"].as_f64(), line["states"].as_f64());
            let spin = peers::by_spin(model, &[flag])?;
            let cell = |(seconds, states): (Option<f64>, Option<f64>)| match (seconds, states) {
                (Some(seconds), Some(states)) => format!("{seconds:.3} ({states})"),
                _ => "over 2 minutes".to_string(),
            };
            let ratio = match (spin.0, own.0) {
                (Some(spin), Some(own)) => format!("{:.1}", spin / own),
                _ => "more".to_string(),
            };
            print!(" {:>22} {:>22} {ratio:>8}", cell(own), cell(spin));
        }
        println!();
    }
    Ok(())
}
