//! Speed, measured: each workload for us and for the peers, in turn, on the same machine.
//!
//! Every figure is the median of several rounds. The machines that this runs on are shared and noisy,
//! so only the ratios say much.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Whether the peers are measured too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peers {
    /// They are.
    With,
    /// They are not.
    Without,
}

/// A workload, with the number of operations for us and for each peer.
struct Workload {
    name: &'static str,
    counts: &'static str,
    operations: u64,
    simpy: u64,
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
const ROUNDS: usize = 3;

const SPACES: [&str; 5] = ["rpc", "ring", "pool", "dining", "memory"];

/// A simulator that the same workloads were written for.
struct Peer {
    name: &'static str,
    program: PathBuf,
    /// What stands before the name of the workload.
    first: Option<PathBuf>,
    /// Slow ones get fewer operations.
    operations: fn(&Workload) -> u64,
}

/// Measures and prints one table.
pub fn measure(peers: Peers) -> Result<(), String> {
    build(&["build", "--release", "--examples"], None)?;
    let examples = crate::root().join("target/release/examples");
    let ours = examples.join("workload");
    let peers = match peers {
        Peers::Without => Vec::new(),
        Peers::With => prepare_peers()?,
    };
    println!("operations per second, median of {ROUNDS} rounds\n");
    print!("{:20} {:>10} {:>12}", "workload", "", "ipcsim");
    for peer in &peers {
        print!(" {:>12} {:>8}", peer.name, "ratio");
    }
    println!();
    for workload in &WORKLOADS {
        let operations = workload.operations.to_string();
        let mut own = Vec::new();
        let mut others = vec![Vec::new(); peers.len()];
        for _ in 0..ROUNDS {
            own.push(rate(Command::new(&ours).args([workload.name, &operations]))?);
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
    traces(&ours)?;
    growth(&ours)?;
    let space = examples.join("space");
    spaces(&space)?;
    threads(&space)?;
    clients(&space)?;
    if peers.is_empty() {
        return Ok(());
    }
    beside_stateright(&space)?;
    beside_spin(&space)
}

/// `SystemC` needs a C++ compiler and its library; without those it is left out, and that is said.
fn prepare_peers() -> Result<Vec<Peer>, String> {
    let folder = crate::root().join("benches/peers");
    let nexosim = folder.join("nexosim");
    build(&["build", "--release", "--locked"], Some(&nexosim))?;
    let mut peers = vec![
        Peer {
            name: "SimPy",
            program: prepare_simpy()?,
            first: Some(folder.join("simpy/peer.py")),
            operations: |workload| workload.simpy,
        },
        Peer {
            name: "NexoSim",
            program: nexosim.join("target/release/peer"),
            first: None,
            operations: |workload| workload.operations,
        },
    ];
    let systemc = folder.join("systemc");
    match run(Command::new("make").arg("--quiet").current_dir(&systemc)) {
        Ok(_) => peers.push(Peer {
            name: "SystemC",
            program: systemc.join("peer"),
            first: None,
            operations: |workload| workload.operations,
        }),
        Err(_) => println!("SystemC is left out: benches/peers/README.md says what it needs\n"),
    }
    Ok(peers)
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

/// How fast all states are visited, and how much memory each takes.
fn spaces(ours: &PathBuf) -> Result<(), String> {
    println!("\nall states, median of {ROUNDS} rounds\n");
    println!(
        "{:20} {:>12} {:>12} {:>12} {:>10} {:>12}",
        "space", "states", "states/s", "steps/s", "performed", "bytes/state"
    );
    for name in SPACES {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let line = figures(Command::new(ours).arg(name))?;
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
            "{name:20} {:>12.0} {:>12} {:>12} {:>10.0} {:>12.0}",
            middle(2),
            thousands(middle(0)),
            thousands(middle(1)),
            middle(3),
            middle(4)
        );
    }
    Ok(())
}

/// How much faster two threads are than one: the median of paired runs.
fn threads(ours: &PathBuf) -> Result<(), String> {
    println!("\ntwo threads beside one, median of {ROUNDS} paired runs\n");
    for name in SPACES {
        let seconds = |threads: &str| {
            let line = figures(Command::new(ours).args([name, "merge", "5", threads]))?;
            line["seconds"].as_f64().ok_or(format!("no seconds in {line}"))
        };
        let mut ratios = Vec::new();
        for _ in 0..ROUNDS {
            ratios.push(seconds("1")? / seconds("2")?);
        }
        println!("{name:20} {:>12.2}", median(&mut ratios));
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
    let folder = crate::root().join("benches/peers/stateright");
    build(&["build", "--release", "--locked"], Some(&folder))?;
    println!("\nseconds for every state (states), beside stateright, median of {ROUNDS} rounds\n");
    println!(
        "{:10} {:>22} {:>22} {:>8} {:>8}",
        "space", "ipcsim", "stateright", "time", "states/s"
    );
    let peer = folder.join("target/release/peer");
    for name in SPACES {
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
    if Command::new("spin").arg("-V").output().is_err() {
        println!("\nSPIN is left out: benches/peers/README.md says what it needs");
        return Ok(());
    }
    println!("\nseconds for every schedule (states), beside SPIN\n");
    println!(
        "{:10} {:>22} {:>22} {:>8} {:>22} {:>22} {:>8}",
        "space",
        "ipcsim, whole",
        "SPIN, whole",
        "ratio",
        "ipcsim, reduced",
        "SPIN, reduced",
        "ratio"
    );
    for name in SPACES {
        print!("{name:10}");
        for (reductions, flag) in [("merge", "-DNOREDUCE"), ("all", "-DREDUCE")] {
            let line = figures(Command::new(ours).args([name, reductions]))?;
            let own = (line["seconds"].as_f64(), line["states"].as_f64());
            let spin = by_spin(name, flag)?;
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

/// Seconds and states of a SPIN model, its compilation left out; nothing if it takes too long.
fn by_spin(name: &str, flag: &str) -> Result<(Option<f64>, Option<f64>), String> {
    let model = crate::root().join(format!("benches/peers/spin/{name}.pml"));
    let folder = crate::root().join("target/spin");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    run(Command::new("spin").arg("-a").arg(model).current_dir(&folder))?;
    let flags = ["-O2", "-w", "-DSAFETY", "-DMEMLIM=8000", flag, "-o", "pan", "pan.c"];
    run(Command::new("cc").args(flags).current_dir(&folder))?;
    let limits = ["-m100000", "-c0", "-w24", "-Q2"];
    let text = run(Command::new(folder.join("pan")).args(limits).current_dir(&folder))?;
    if text.contains("Search not completed") {
        return Ok((None, None));
    }
    let word = |line: &str, at: usize| line.split_whitespace().nth(at)?.parse::<f64>().ok();
    let line = |what: &str| text.lines().find(|line| line.contains(what));
    let states = line("states, stored").and_then(|line| word(line, 0));
    // It says nothing where it took less than a hundredth of a second.
    let seconds = line("elapsed time").map_or(Some(0.01), |line| word(line, 3));
    Ok((seconds, states))
}

/// The line of figures that a program of ours prints.
fn figures(command: &mut Command) -> Result<Value, String> {
    let text = run(command)?;
    serde_json::from_str(text.trim()).map_err(|error| format!("{text}: {error}"))
}

fn build(arguments: &[&str], folder: Option<&PathBuf>) -> Result<(), String> {
    let folder = folder.cloned().unwrap_or_else(crate::root);
    let status = Command::new("cargo").args(arguments).current_dir(&folder).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("cargo {} in {}: {other:?}", arguments.join(" "), folder.display())),
    }
}

/// A Python with `SimPy` in it, below `target`.
fn prepare_simpy() -> Result<PathBuf, String> {
    let folder = crate::root().join("target/simpy");
    let python = folder.join("bin/python");
    if !python.exists() {
        let requirements = crate::root().join("benches/peers/simpy/requirements.txt");
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "-r"])
            .arg(requirements))?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).to_string())
}

/// Operations per second, from the line that a workload prints.
fn rate(command: &mut Command) -> Result<f64, String> {
    let line = figures(command)?;
    match (line["operations"].as_f64(), line["seconds"].as_f64()) {
        (Some(operations), Some(seconds)) if seconds > 0.0 => Ok(operations / seconds),
        _ => Err(format!("no figures in {line}")),
    }
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn thousands(rate: f64) -> String {
    format!("{:.0} k", rate / 1e3)
}
