//! Whatever the text is: reading and compiling it ends without a panic, and what is wrong can be
//! shown. The fuzz target in `fuzz/` does the same without bounds.

mod common;

use ipcsim_explore::{Limits, NoTrace, run};
use ipcsim_report::diagnostics::{Style, render};
use ipcsim_scenario::{LoadOptions, load};
use proptest::prelude::*;

fn try_to_use(bytes: &[u8]) {
    let options = LoadOptions { max_threads: 100, ..LoadOptions::default() };
    let loaded = load("test.yaml", bytes, &options);
    for diagnostic in &loaded.diagnostics {
        for style in [Style::Plain, Style::Coloured, Style::Short, Style::Json] {
            assert!(!render(diagnostic, &loaded.sources, style).is_empty());
        }
    }
    assert!(loaded.machine.is_some() || loaded.has_errors(), "no machine, and nobody says why");
    if let Some(machine) = &loaded.machine {
        let limits = Limits { max_steps: 300, ..Limits::default() };
        run(machine, &limits, &mut NoTrace);
    }
}

/// Pieces of the language, from which garbage that is nearly right is made.
const PIECES: [&str; 40] = [
    "processes:",
    "P1",
    "P2",
    "box1",
    "\n",
    "\n  ",
    "\n    ",
    "- ",
    ": ",
    "send",
    "receive",
    "to",
    "from",
    "wait",
    "when",
    "timed-out",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "${",
    "m.body",
    "n + 1",
    "\"",
    "'",
    "#",
    "&a ",
    "*a",
    "!t ",
    "| \n",
    "5ms",
    "4KiB",
    "never",
    "anyone",
    "repeat",
    "do",
    "if",
    "then",
    "\t",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        try_to_use(&bytes);
    }

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        try_to_use(text.as_bytes());
    }

    #[test]
    fn pieces_of_the_language(pieces in proptest::collection::vec(0usize..PIECES.len(), 0..60)) {
        let text: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        try_to_use(text.as_bytes());
    }

    #[test]
    fn scenarios_with_a_piece_changed(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        removed in 0usize..12,
        piece in 0usize..PIECES.len(),
    ) {
        let scenarios = common::scenarios();
        let mut bytes = which.get(&scenarios).1.clone().into_bytes();
        let start = at.index(bytes.len());
        let end = (start + removed).min(bytes.len());
        bytes.splice(start..end, PIECES[piece].bytes());
        try_to_use(&bytes);
    }

    #[test]
    fn changes_by_set(path in "[a-zP12.\\[\\]\"0]{0,20}", value in "\\PC{0,20}") {
        let text = &common::scenarios()[0].1;
        let options = LoadOptions { sets: vec![format!("{path}={value}")], ..LoadOptions::default() };
        let loaded = load("test.yaml", text.as_bytes(), &options);
        for diagnostic in &loaded.diagnostics {
            render(diagnostic, &loaded.sources, Style::Plain);
        }
    }
}
