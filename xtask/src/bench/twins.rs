//! Models of the peers, step for step the same in our language: `benches/spaces/twins`, and in Promela
//! `benches/peers/spin/twins`. A file's name says the sizes: `ring-n10-k4-c1-m0` is `ring.pml` with `N=10 K=4 C=1 M=0`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Peers, figures, peers};

/// Nobody waits longer for one of ours.
const SECONDS: u64 = 120;

/// What the letters in a name stand for in the Promela model.
fn defines(model: &str, name: &str) -> Vec<String> {
    let macros: &[(&str, &str)] = match model {
        "prodcons" => &[("p", "NP"), ("q", "NQ"), ("c", "C"), ("k", "K"), ("r", "R")],
        "rpc" => &[("n", "N"), ("s", "S"), ("c", "C"), ("r", "CR"), ("k", "K"), ("t", "T")],
        _ => &[("n", "N"), ("k", "K"), ("c", "C"), ("m", "M")],
    };
    let define = |size: &str| {
        let (letter, number) = size.split_at(1);
        let (_, name) = macros.iter().find(|(known, _)| *known == letter)?;
        Some(format!("-D{name}={number}"))
    };
    name.split('-').skip(1).filter_map(define).collect()
}

/// All of them, in order.
fn files() -> Result<Vec<PathBuf>, String> {
    let folder = crate::root().join("benches/spaces/twins");
    let listed =
        std::fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    Ok(files)
}

/// Seconds, states and MiB of ours, with these reductions; nothing if it takes too long.
fn ours(program: &Path, file: &Path, reductions: &str) -> Result<Option<(f64, f64, f64)>, String> {
    let mut command = Command::new("timeout");
    command.arg(SECONDS.to_string()).arg(program).arg(file).arg(reductions);
    let Ok(line) = figures(&mut command) else { return Ok(None) };
    let figure = |key: &str| line[key].as_f64().ok_or(format!("no {key} in {line}"));
    Ok(Some((figure("seconds")?, figure("states")?, figure("bytes")? / f64::from(1 << 20))))
}

/// Each twin: the states and how long they take, ours by default and with lazy calls alone, SPIN with and without its reduction, one after the other.
pub(super) fn measure(program: &Path, with: Peers) -> Result<(), String> {
    let has_spin = with == Peers::With && peers::has_spin();
    println!(
        "\ntwins of SPIN models: seconds (states), and how many times as fast as SPIN's faster way\n"
    );
    println!(
        "{:30} {:>28} {:>24} {:>24} {:>24} {:>8}",
        "twin", "ipcsim (MiB)", "lazy calls alone", "SPIN, whole", "SPIN, reduced", "ratio"
    );
    for file in files()? {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let model = name.split('-').next().unwrap_or_default();
        let all = ours(program, &file, "all")?;
        let lazy = ours(program, &file, "lazy")?;
        let defines = defines(model, &name);
        let spin = |reduction: &str| {
            let mut flags: Vec<&str> = defines.iter().map(String::as_str).collect();
            flags.push(reduction);
            peers::by_spin(&format!("twins/{model}"), &flags)
        };
        let (whole, reduced) = if has_spin {
            (spin("-DNOREDUCE")?, spin("-DREDUCE")?)
        } else {
            ((None, None), (None, None))
        };
        let shown = |figures: Option<(f64, f64)>| match figures {
            Some((seconds, states)) => format!("{seconds:.3} ({states})"),
            None => "-".to_string(),
        };
        let of_spin = |(seconds, states): (Option<f64>, Option<f64>)| shown(seconds.zip(states));
        let best = [whole.0, reduced.0].into_iter().flatten().reduce(f64::min);
        let ratio = match (best, &all) {
            (Some(best), Some((own, ..))) => format!("{:.1}", best / own),
            _ => "?".to_string(),
        };
        let own = match all {
            Some((seconds, states, mib)) => format!("{seconds:.3} ({states}; {mib:.0})"),
            None => "over 2 minutes".to_string(),
        };
        println!(
            "{name:30} {own:>28} {:>24} {:>24} {:>24} {ratio:>8}",
            shown(lazy.map(|(seconds, states, _)| (seconds, states))),
            of_spin(whole),
            of_spin(reduced)
        );
    }
    Ok(())
}
