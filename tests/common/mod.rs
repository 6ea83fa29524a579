//! What the tests share: the scenarios of the repository, and a run with everything that it leaves.

#![allow(dead_code, reason = "every test binary uses a part of it")]

pub mod busy;
pub mod generate;
pub mod names;
pub mod observed;
pub mod plain;
pub mod pooled;
pub mod reduced;
pub mod shell;
pub mod situation;
pub mod walk;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ipcsim_explore::{GENERATOR, Limits, NoTrace, Run, Tracer, Verdict, conclude, run};
use ipcsim_kernel::{Event, Machine, State};
use ipcsim_report::{Recorder, Story, trace};
use ipcsim_scenario::{LoadOptions, Loaded, load};

/// The path of a file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Every scenario of the repository: its path from the root, and its text. In order of the path.
pub fn scenarios() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&repository("scenarios"), &mut files);
    files.sort();
    assert!(!files.is_empty(), "the repository has scenarios");
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a scenario can be read");
            let root =
                path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("it is in the repository");
            // Windows writes paths with another stroke; names are the same everywhere.
            (root.display().to_string().replace('\\', "/"), text)
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}

/// Loads a text that has no errors.
pub fn loaded(name: &str, text: &str, sets: &[&str]) -> Loaded {
    let sets = sets.iter().map(|set| (*set).to_string()).collect();
    let loaded = load(name, text.as_bytes(), &LoadOptions { sets, ..LoadOptions::default() });
    let style = ipcsim_report::diagnostics::Style::Plain;
    let found: String = loaded
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == ipcsim_scenario::Severity::Error)
        .map(|diagnostic| ipcsim_report::diagnostics::render(diagnostic, &loaded.sources, style))
        .collect();
    assert!(found.is_empty(), "{name} has errors:\n{found}\n{text}");
    loaded
}

/// A run with everything that it leaves.
pub struct Told {
    pub machine: Machine,
    pub run: Run,
    pub verdict: Verdict,
    pub story: Story,
    pub trace: String,
}

/// Runs a machine and keeps everything.
pub fn tell(machine: &Machine, text: &str, max_steps: u64) -> Told {
    tell_also(machine, text, max_steps, NoTrace)
}

/// As [`tell`], with every call on the long way through the kernel.
pub fn tell_the_long_way(machine: &Machine, text: &str, max_steps: u64) -> Told {
    struct LongWay;

    impl Tracer for LongWay {
        const EVENTS: bool = false;
        const SHORT_WAY: bool = false;

        fn record(&mut self, _: &Machine, _: &State, _: u64, _: &Event) {}
    }

    tell_also(machine, text, max_steps, LongWay)
}

fn tell_also(machine: &Machine, text: &str, max_steps: u64, also: impl Tracer) -> Told {
    let header = trace::Header {
        version: trace::VERSION,
        scenario: "test".into(),
        hash: trace::fingerprint(text.as_bytes(), &[]),
        seed: machine.timing.seed,
        generator: GENERATOR.into(),
    };
    let mut bytes = Vec::new();
    let writer = trace::Writer::new(&mut bytes, &header);
    let mut tracers = ((Recorder::new(machine), writer), also);
    let limits = Limits { max_steps, ..Limits::default() };
    let run = run(machine, &limits, &mut tracers);
    let ((recorder, writer), _) = tracers;
    writer.finish().expect("a Vec takes everything");
    let verdict = conclude(machine, &run);
    Told {
        machine: machine.clone(),
        run,
        verdict,
        story: recorder.finish(),
        trace: String::from_utf8(bytes).expect("a trace is UTF-8"),
    }
}

/// Loads, runs and keeps everything.
pub fn told(text: &str, sets: &[&str]) -> Told {
    let loaded = loaded("test.yaml", text, sets);
    let machine = loaded.machine.expect("a scenario without errors has a machine");
    tell(&machine, text, 20_000)
}

/// FNV-1a of a text: insta ignores some white space, a hash does not.
pub fn hash(text: &str) -> String {
    trace::fingerprint(text.as_bytes(), &[])
}

/// Shows what was looked at if a panic comes from inside the program.
pub struct Shown<'a>(pub &'a str);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "{}", self.0);
        }
    }
}
