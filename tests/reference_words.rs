//! The reference: every word is there, and every example does what it shows.

mod common;

use common::shell::Shell;
use ipcsim_explore::{Limits, NoTrace, Outcome, conclude, run};
use ipcsim_scenario::reference::{all_words, chapters, entries_of};
use ipcsim_scenario::{LoadOptions, load};

#[test]
fn every_example_is_right_and_runs_to_its_end() {
    for entry in chapters().into_iter().flat_map(|chapter| chapter.entries) {
        let Some(example) = entry.example else { continue };
        let loaded = load(entry.word, example.as_bytes(), &LoadOptions::default());
        assert!(loaded.diagnostics.is_empty(), "{}: {:?}", entry.word, loaded.diagnostics);
        let machine = loaded.machine.expect("a scenario without errors has a machine");
        let done = run(&machine, &Limits::default(), &mut NoTrace);
        let verdict = conclude(&machine, &done);
        let told = ipcsim_report::verdict(&machine, &done, &verdict, &[]);
        assert_eq!(verdict.outcome, Outcome::Completes, "{}: {told}", entry.word);
        assert!(example.contains(entry.word), "the example of {} shows it", entry.word);
    }
}

#[test]
fn every_step_and_every_function_has_an_example() {
    for entry in chapters().into_iter().flat_map(|chapter| chapter.entries) {
        let needs_one = entry.sort.starts_with("a step") || entry.sort == "a function";
        assert_eq!(needs_one, entry.example.is_some(), "{}", entry.word);
        assert!(!entry.meaning.is_empty(), "{}", entry.word);
    }
}

#[test]
fn every_word_can_be_asked_for() {
    let shell = Shell::new("help");
    for word in all_words() {
        assert!(!entries_of(word).is_empty());
        let answer = shell.run(&["help", word]);
        assert_eq!(answer.code, 0, "{word}: {}", answer.err);
        assert!(answer.out.contains(word), "{word}: {}", answer.out);
    }
    insta::assert_snapshot!(shell.run(&["help", "receive"]).out);
    shell.run(&["help"]).is(0, "Be the scheduler");
    shell.run(&["help", "explore"]).is(0, "--all-outcomes");
    shell.run(&["help", "run"]).is(0, "In scenarios:");
    shell.run(&["help", "recieve"]).is(2, "did you mean `receive`?");
    shell.run(&["help", "recv"]).is(2, "write `receive: m`");
    shell.run(&["help", "qwertz"]).is(2, "The words are:");
}
