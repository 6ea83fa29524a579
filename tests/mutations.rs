//! Whatever becomes of a scenario under the hands of somebody who does not know what he is doing: the program
//! says what is wrong, or it answers. It never panics, and it never overflows a stack.
//!
//! `MUTATIONS=50000 cargo test --release --test mutations` tries more; `MUTATIONS_FROM` begins elsewhere.

mod common;

use common::shell::Shell;
use ipcsim_check::{Budget, Measuring, Subject, combinations, judge, repair, row};
use ipcsim_explore::{ExploreLimits, Limits, Looks, NoTrace, Reductions, conclude, explore, run};
use ipcsim_kernel::Machine;
use ipcsim_report::diagnostics::{Style, render};
use ipcsim_scenario::{LoadOptions, Loaded, load};

/// Random numbers, always the same: `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) >> 33).unwrap_or(0) % below.max(1)
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll(all.len())]
    }
}

/// What is put in the place of a word or a number.
const PIECES: &[&str] = &[
    "0",
    "-1",
    "1",
    "2",
    "9223372036854775807",
    "-9223372036854775808",
    "1000000",
    "none",
    "true",
    "unlimited",
    "undefined",
    "forever",
    "never",
    "0ns",
    "1ms..5ms",
    "9223372036s",
    "1GiB",
    "[]",
    "{}",
    "''",
    "me",
    "index",
    "status",
    "anyone",
    "P1",
    "${m}",
    "${m.body}",
    "${m.sender}",
    "${x}",
    "m.rights[0]",
    "'[x, x]'",
    "push(x, x)",
    "range(1, 3)",
    "random(0, 9)",
    "len(x)",
    "x / 0",
    "not x",
    "\"\\u202e\"",
    "&a",
    "*a",
    "!x",
    "#",
];

fn mutated(text: &str, other: &str, dice: &mut Dice) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    let rounds = if dice.roll(3) == 0 { 1 + dice.roll(4) } else { 1 };
    for _ in 0..rounds {
        if lines.is_empty() {
            break;
        }
        let at = dice.roll(lines.len());
        match dice.roll(16) {
            0 => {
                lines.remove(at);
            }
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let to = dice.roll(lines.len());
                lines.swap(at, to);
            }
            3 => {
                let theirs: Vec<&str> = other.lines().collect();
                lines.insert(at, (*dice.pick(&theirs)).to_string());
            }
            4 => lines[at].insert_str(0, "  "),
            5 => lines[at] = lines[at].replacen("  ", "", 1),
            // Mostly a value takes the place of another one of the same key: that is likelier to be read.
            8.. => {
                let values = |key: &str| -> Vec<String> {
                    let all =
                        text.lines().chain(other.lines()).filter_map(|line| line.split_once(": "));
                    let same = all.filter(|(known, _)| known.trim() == key.trim());
                    same.map(|(_, value)| value.to_string()).collect()
                };
                if let Some((key, _)) = lines[at].split_once(": ") {
                    let values = values(key);
                    if !values.is_empty() {
                        lines[at] = format!("{key}: {}", dice.pick(&values));
                    }
                }
            }
            _ => {
                let words: Vec<&str> = lines[at].split(' ').collect();
                let place = dice.roll(words.len());
                let mut words: Vec<String> = words.iter().map(ToString::to_string).collect();
                words[place] = (*dice.pick(PIECES)).to_string();
                lines[at] = words.join(" ");
            }
        }
    }
    lines.join("\n") + "\n"
}

fn limits(states: u64) -> ExploreLimits<'static> {
    ExploreLimits { max_states: states, small: 50, ..ExploreLimits::default() }
}

/// Everything that a scenario without errors can be asked.
fn use_it(loaded: &Loaded, machine: &Machine, text: &str, dice: &mut Dice) {
    let done = run(machine, &Limits { max_steps: 300, ..Limits::default() }, &mut NoTrace);
    let verdict = conclude(machine, &done);
    ipcsim_report::verdict(machine, &done, &verdict, &[]);
    let mut found = explore(machine, Reductions::ALL, Looks::NOTHING, &limits(200));
    for ending in found.endings.clone() {
        let path = found.path(ending.state);
        found.lost(&path);
        found.schedule(&path);
    }
    let subject = Subject {
        loaded,
        file: "mutated.yaml",
        bytes: text.as_bytes(),
        sets: &[],
        max_threads: 50,
        expect: None,
    };
    let budget = Budget { reductions: Reductions::ALL, explore: limits(100), run_steps: 300 };
    if !loaded.scenario.claims.is_empty() {
        judge(&subject, dice.roll(loaded.scenario.claims.len()), &budget);
    }
    match dice.roll(25) {
        0 => {
            repair(&subject, machine, &budget.up_to(30));
        }
        1 => {
            let rows = combinations(&["kernel.buffering=none,1,undefined".to_string()]);
            for settings in rows.expect("it is well written") {
                let _ = row(&subject, &settings, &budget, Measuring::Nothing);
            }
        }
        _ => {}
    }
}

#[test]
fn no_mutation_makes_the_program_fall_over() {
    let number = |name: &str, otherwise: u64| {
        let said = std::env::var(name).ok();
        said.map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let (count, from) = (number("MUTATIONS", 3_000), number("MUTATIONS_FROM", 0));
    let scenarios = common::scenarios();
    let shell = Shell::new("mutations");
    let options = LoadOptions { max_threads: 50, ..LoadOptions::default() };
    let mut usable = 0;
    for seed in from..from + count {
        let mut dice = Dice(seed);
        let (_, text) = dice.pick(&scenarios);
        let (_, other) = dice.pick(&scenarios);
        let text = mutated(text, other, &mut dice);
        // If the program falls over, this is what it was given.
        shell.write("mutated.yaml", &text);
        let loaded = load("mutated.yaml", text.as_bytes(), &options);
        for diagnostic in &loaded.diagnostics {
            render(diagnostic, &loaded.sources, Style::Plain);
        }
        let Some(machine) = &loaded.machine else { continue };
        usable += 1;
        use_it(&loaded, machine, &text, &mut dice);
        if dice.roll(20) == 0 {
            let commands =
                ["1", "2", "3", "back", "fail", "succeed", "save", "graph", "show P", "why P", "x"];
            let input: Vec<&str> = (0..8).map(|_| *dice.pick(&commands)).collect();
            let input = format!("{}\n", input.join("\n"));
            let arguments = ["step", "mutated.yaml", "--max-states", "200", "--max-threads", "50"];
            let answer = shell.run_with_input(&arguments, input.as_bytes());
            assert!([0, 2].contains(&answer.code), "seed {seed}: {}\n{text}", answer.err);
        }
    }
    assert!(usable * 5 > count, "only {usable} of {count} scenarios could be used");
}
