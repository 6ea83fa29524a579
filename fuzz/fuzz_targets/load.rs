//! Whatever the bytes are: reading and compiling them ends, and what comes out can be shown or run.
//!
//! `cargo +nightly fuzz run load -- -max_len=4096 -dict=fuzz/words.dict` from the root, with the
//! scenarios as a corpus: `cp scenarios/*/*.yaml fuzz/corpus/load/`.

#![no_main]

use ipcsim_explore::{Limits, NoTrace, run};
use ipcsim_report::diagnostics::{Style, render};
use ipcsim_scenario::{LoadOptions, load};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let options = LoadOptions { max_threads: 100, ..LoadOptions::default() };
    let loaded = load("fuzz.yaml", bytes, &options);
    for diagnostic in &loaded.diagnostics {
        for style in [Style::Plain, Style::Short, Style::Json] {
            render(diagnostic, &loaded.sources, style);
        }
    }
    if let Some(machine) = &loaded.machine {
        let limits = Limits { max_steps: 1_000, ..Limits::default() };
        run(machine, &limits, &mut NoTrace);
    }
});
