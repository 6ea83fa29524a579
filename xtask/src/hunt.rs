//! The hunt. Mutated scenarios must not make the program fall over. Random ones are judged by the program and by
//! the explorer in Python that shares nothing with it (`tests/reference`): any difference is printed, made as
//! small as it can be.

use std::process::{Command, ExitStatus};

/// So many mutated scenarios are tried; the tests of every day try a few of them.
const MUTATIONS: &str = "50000";

/// How a share of the hunt looks at schedules.
const WAYS: [(&str, &[&str]); 2] = [
    ("as users do", &[]),
    ("with everything left out that can be, in small spaces too", &["--reduced"]),
];

/// Hunts for so many minutes, from a seed on. Errors: a difference was found, or the hunt could not begin.
pub(crate) fn hunt(minutes: &str, from: &str) -> Result<(), String> {
    let number = |text: &str| {
        text.parse::<u64>()
            .map_err(|_| format!("`{text}` is no number; hunt --minutes N [--from SEED]"))
    };
    let (seconds, from) = (number(minutes)? * 60 / WAYS.len() as u64, number(from)?);
    let root = crate::root();
    run(Command::new("cargo").args(["build", "--release", "--locked"]).current_dir(&root))?;
    println!("\nmutations of all scenarios, from {from} on");
    let mut mutations = Command::new("cargo");
    mutations.args(["test", "--release", "--locked", "--test", "mutations"]).current_dir(&root);
    mutations.env("MUTATIONS", MUTATIONS).env("MUTATIONS_FROM", from.to_string());
    run(&mut mutations)?;
    let mut differs = false;
    for (what, flags) in WAYS {
        println!("\nhunting {what}, from seed {from} on, for {seconds} seconds");
        let mut compare = Command::new("python3");
        compare.arg(root.join("tests/reference/compare.py"));
        compare.args(["all", &from.to_string(), "1000000000"]).args(flags);
        compare.env("IPCSIM", crate::target().join("release/ipcsim"));
        compare.env("LIMIT", seconds.to_string());
        differs |= !status(&mut compare)?.success();
    }
    if differs { Err("the program and the reference differ".into()) } else { Ok(()) }
}

fn run(command: &mut Command) -> Result<(), String> {
    if status(command)?.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}

fn status(command: &mut Command) -> Result<ExitStatus, String> {
    command.status().map_err(|error| format!("{command:?}: {error}"))
}
