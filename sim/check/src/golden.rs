//! Reference traces: golden files of a course, snapshots of a Rust test.

use ipcsim_explore::Run;
use ipcsim_kernel::Machine;
use ipcsim_report::trace::Golden;
use ipcsim_scenario::{LoadOptions, load};

use crate::Budget;

/// A run, and its trace in a form that does not depend on comments or the layout of the scenario.
pub fn golden(machine: &Machine, title: &str, budget: &Budget) -> (Run, String) {
    let mut tracer = Golden::new(machine, title);
    let run = budget.run(machine, u64::MAX, &mut tracer);
    (run, tracer.finish())
}

/// The same for the text of a scenario, for tests in Rust: `insta::assert_snapshot!(golden_of(text)?)`.
///
/// # Errors
/// What is wrong with the scenario, as `ipcsim lint` prints it.
pub fn golden_of(text: &str) -> Result<String, String> {
    let loaded = load("scenario.yaml", text.as_bytes(), &LoadOptions::default());
    let Some(machine) = &loaded.machine else {
        let style = ipcsim_report::diagnostics::Style::Plain;
        let told = |it| ipcsim_report::diagnostics::render(it, &loaded.sources, style);
        return Err(loaded.diagnostics.iter().map(told).collect());
    };
    let title = loaded.scenario.title.as_ref().map_or("scenario.yaml", |title| &title.value);
    Ok(golden(machine, title, &Budget::default()).1)
}

#[cfg(test)]
mod tests {
    use super::golden_of;

    #[test]
    fn comments_and_layout_do_not_show() {
        let plain = "processes:\n  P:\n    - compute: 1ms\n    - send: hello\n      to: Q\n  Q:\n    - receive: m\n      from: P\n";
        let other = "# what it is about\n\nprocesses: {P: [{compute: 1ms}, {send: hello, to: Q}],\n  # nothing\n  Q: [{receive: m, from: P}]}\n";
        let golden = golden_of(plain).expect("it is right");
        assert_eq!(golden, golden_of(other).expect("it is right"));
        assert!(golden.contains("P step 2  sent"), "{golden}");
        assert!(golden.contains("Q step 1  received"), "{golden}");
        let more = plain.replace("hello", "goodbye");
        assert_ne!(golden, golden_of(&more).expect("it is right"));
        assert!(golden_of("processes: {}").is_err());
    }
}
