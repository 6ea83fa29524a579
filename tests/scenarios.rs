//! Every scenario of the repository: what its run comes to, what it claims, and that both YAML readers
//! read it alike.

mod common;

use common::tell;
use ipcsim_explore::{Limits, NoTrace, conclude, run};
use ipcsim_kernel::Machine;
use ipcsim_scenario::ast::{Over, What};

/// Of a long picture so many lines at the beginning and at the end are shown. All of it is pinned by its hash.
const SHOWN: usize = 20;

fn ends_of(picture: &str) -> String {
    let lines: Vec<&str> = picture.lines().collect();
    let Some(left_out) = lines.len().checked_sub(2 * SHOWN).filter(|count| *count > 0) else {
        return picture.to_string();
    };
    let (first, last) = (&lines[..SHOWN], &lines[lines.len() - SHOWN..]);
    format!("{}\n(… {left_out} lines …)\n{}\n", first.join("\n"), last.join("\n"))
}

#[test]
fn every_run_is_as_pinned() {
    for (path, text) in common::scenarios() {
        let loaded = common::loaded(&path, &text, &[]);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        let told = tell(&machine, &text, 1_000_000);
        let picture = ipcsim_report::picture(&told.story);
        let verdict = ipcsim_report::verdict(&machine, &told.run, &told.verdict, &[]);
        let shown = ends_of(&picture);
        let pinned = format!(
            "{}\nsteps {}\ntrace {}\npicture {}\n\n{shown}\n{verdict}{}\n",
            told.verdict.outcome.word(),
            told.run.steps,
            common::hash(&told.trace),
            common::hash(&picture),
            ipcsim_report::measures(&machine, &told.run.measures),
        );
        let name =
            path.trim_start_matches("scenarios/").trim_end_matches(".yaml").replace('/', "-");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, pinned);
        });
    }
}

#[test]
fn every_snapshot_belongs_to_a_scenario() {
    let names: Vec<String> = common::scenarios()
        .iter()
        .map(|(path, _)| {
            path.trim_start_matches("scenarios/").trim_end_matches(".yaml").replace('/', "-")
        })
        .collect();
    for entry in
        std::fs::read_dir(common::repository("tests/snapshots")).expect("there are snapshots")
    {
        let file = entry.expect("an entry can be read").file_name();
        let file = file.to_string_lossy();
        // What holds no path of a scenario is the snapshot of another test.
        let name = file.strip_suffix(".snap").filter(|name| !name.contains("__"));
        let Some(name) = name else { continue };
        assert!(names.iter().any(|known| known == name), "{file} belongs to no scenario");
    }
}

#[test]
fn every_scenario_teaches_something() {
    for (path, text) in common::scenarios() {
        let loaded = common::loaded(&path, &text, &[]);
        let warnings: Vec<&str> =
            loaded.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        assert!(warnings.is_empty(), "{path} has warnings: {warnings:?}");
        let scenario = &loaded.scenario;
        assert!(scenario.title.is_some(), "{path} has a title");
        let about = scenario.about.as_ref().map_or("", |about| about.value.as_str());
        assert!(about.split_whitespace().count() >= 10, "{path} says what it is about");
        let slide = scenario.slide.as_ref().map_or("", |slide| slide.value.as_str());
        assert!(ipcsim_scenario::SLIDES.contains(&slide), "{path} names a slide, not `{slide}`");
        let changed = scenario.claims.iter().any(|claim| !claim.with.is_empty());
        assert!(changed, "{path} claims something about a changed scenario");
    }
}

#[test]
fn every_claim_about_a_run_holds() {
    let binary = env!("CARGO_BIN_EXE_ipcsim");
    let output = std::process::Command::new(binary)
        .args(["test", "--quiet", "scenarios"])
        .current_dir(common::repository(""))
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

/// A claim that flips is worth making: with its `with:` the run ends otherwise than without.
#[test]
fn in_every_scenario_a_change_makes_a_difference() {
    let outcome = |machine: &Machine| {
        let run = run(machine, &Limits::default(), &mut NoTrace);
        (conclude(machine, &run).outcome, run.measures)
    };
    for (path, text) in common::scenarios() {
        let loaded = common::loaded(&path, &text, &[]);
        let machine = loaded.machine.clone().expect("a scenario without errors has a machine");
        let plain = outcome(&machine);
        let differs = loaded.scenario.claims.iter().enumerate().any(|(number, claim)| {
            !claim.with.is_empty()
                && loaded.case(number).is_some_and(|case| {
                    let changed = outcome(&case.machine);
                    changed.0 != plain.0
                        || (!matches!(claim.what, What::Outcome(_)) && changed.1 != plain.1)
                        || claim.over != Over::Run
                })
        });
        assert!(differs, "{path}: none of its changes makes a difference");
    }
}

#[test]
fn both_yaml_readers_read_every_scenario_alike() {
    let workloads = ["ping-pong-untimed", "ping-pong", "pool", "ring", "timers"].map(|name| {
        let path = format!("benches/workloads/{name}.yaml");
        let text =
            std::fs::read_to_string(common::repository(&path)).expect("a workload can be read");
        (path, text)
    });
    for (path, text) in common::scenarios().into_iter().chain(workloads) {
        let other: serde_yaml::Value = serde_yaml::from_str(&text)
            .unwrap_or_else(|error| panic!("the other reader refuses {path}: {error}"));
        let own = ipcsim_scenario::outline(&text).expect("our reader reads it");
        assert_eq!(own, outline(&other), "{path} means the same to both readers");
    }
}

/// A tree as text, whatever reader made it: scalars as they are written.
fn outline(value: &serde_yaml::Value) -> String {
    use serde_yaml::Value;
    match value {
        Value::Null => "null".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(outline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", outline(key), outline(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Tagged(tagged) => panic!("a scenario has no tags, not even {}", tagged.tag),
    }
}
