//! The peers: programs that the same workloads and systems were written for.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::runs::Workload;
use super::{build, run};

/// A simulator that the same workloads were written for.
pub(super) struct Simulator {
    pub name: &'static str,
    pub program: PathBuf,
    /// What stands before the name of the workload.
    pub first: Option<PathBuf>,
    /// Slow ones get fewer operations.
    pub operations: fn(&Workload) -> u64,
}

/// Those that run one schedule. `SystemC` needs a C++ compiler and its library; without those it is left out, and that is said.
pub(super) fn simulators() -> Result<Vec<Simulator>, String> {
    let folder = crate::root().join("benches/peers");
    let nexosim = folder.join("nexosim");
    build_peer(&nexosim)?;
    let mut peers = vec![
        Simulator {
            name: "SimPy",
            program: prepare_simpy()?,
            first: Some(folder.join("simpy/peer.py")),
            operations: |workload| workload.simpy,
        },
        Simulator {
            name: "NexoSim",
            program: nexosim.join("target/release/peer"),
            first: None,
            operations: |workload| workload.operations,
        },
    ];
    let systemc = folder.join("systemc");
    match run(Command::new("make").arg("--quiet").current_dir(&systemc)) {
        Ok(_) => peers.push(Simulator {
            name: "SystemC",
            program: systemc.join("peer"),
            first: None,
            operations: |workload| workload.operations,
        }),
        Err(_) => println!("SystemC is left out: benches/peers/README.md says what it needs\n"),
    }
    Ok(peers)
}

/// Builds a peer, always into a folder of its own: several have a program of the same name.
fn build_peer(folder: &Path) -> Result<(), String> {
    build(&["build", "--release", "--locked", "--target-dir", "target"], Some(folder))
}

/// A Python with `SimPy` in it, below `target`.
fn prepare_simpy() -> Result<PathBuf, String> {
    let folder = crate::target().join("simpy");
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

/// The program that visits all states with `stateright`.
pub(super) fn stateright() -> Result<PathBuf, String> {
    let folder = crate::root().join("benches/peers/stateright");
    build_peer(&folder)?;
    Ok(folder.join("target/release/peer"))
}

/// Whether SPIN is there.
pub(super) fn has_spin() -> bool {
    Command::new("spin").arg("-V").output().is_ok()
}

/// Seconds and states of a SPIN model with these flags, its compilation left out; nothing if it takes too long.
pub(super) fn by_spin(name: &str, flags: &[&str]) -> Result<(Option<f64>, Option<f64>), String> {
    let model = crate::root().join(format!("benches/peers/spin/{name}.pml"));
    let folder = crate::target().join("spin");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let defines = flags.iter().filter(|flag| flag.contains('='));
    run(Command::new("spin").args(defines).arg("-a").arg(model).current_dir(&folder))?;
    let always = ["-O3", "-w", "-DSAFETY", "-DMEMLIM=8000", "-o", "pan", "pan.c"];
    let others = flags.iter().filter(|flag| !flag.contains('='));
    run(Command::new("cc").args(others).args(always).current_dir(&folder))?;
    // It goes on after an error, as we do.
    let limits = ["-m1000000", "-c0", "-w24", "-Q2"];
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
