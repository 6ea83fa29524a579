//! The terminal: what is printed, how, and what happens when nobody reads it.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ipcsim_check::result;
use ipcsim_report::diagnostics::Style;
use ipcsim_scenario::Loaded;

use crate::args::{Color, MessageFormat, Output};
use crate::exit::Exit;

/// Set by Ctrl-C.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Where output goes.
pub(crate) struct Terminal {
    style: Style,
    failed: AtomicBool,
}

impl Terminal {
    pub(crate) fn new(color: Color, format: MessageFormat) -> Self {
        let choice = match color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        let style = match format {
            MessageFormat::Human => Style::Coloured,
            MessageFormat::Short => Style::Short,
            MessageFormat::Json => Style::Json,
        };
        Self { style, failed: AtomicBool::new(false) }
    }

    /// Prints to standard output. If nobody reads it any more, as in `| head`, that is no error.
    pub(crate) fn print(&self, text: &str) {
        let mut out = anstream::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        drop(out);
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            self.error(&format!("standard output cannot be written: {error}"));
        }
    }

    /// Prints what a command found, as one JSON object.
    pub(crate) fn json(&self, command: &'static str, scenarios: Vec<result::Scenario>) {
        let report = result::Report { format: result::FORMAT, command, scenarios };
        self.print(&result::text(&report));
    }

    /// A scenario cannot be used. People have been told; the JSON says so, too.
    pub(crate) fn unusable(
        &self,
        command: &'static str,
        output: Output,
        scenario: result::Scenario,
    ) -> Exit {
        if output == Output::Json {
            self.json(command, vec![scenario]);
        }
        Exit::Unusable
    }

    /// Whether something that was asked for could not be printed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Prints to standard error.
    pub(crate) fn tell(&self, text: &str) {
        let mut out = anstream::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// A message about something that went wrong outside of any scenario.
    pub(crate) fn error(&self, text: &str) {
        match self.style {
            Style::Json => {
                let object = serde_json::json!({ "severity": "error", "message": text });
                self.tell(&format!("{object}\n"));
            }
            Style::Plain | Style::Coloured | Style::Short => self.tell(&format!("error: {text}\n")),
        }
    }

    /// Prints what is wrong with a scenario.
    pub(crate) fn diagnostics(&self, loaded: &Loaded) {
        const SHOWN: usize = 50;
        for diagnostic in loaded.diagnostics.iter().take(SHOWN) {
            self.tell(&ipcsim_report::diagnostics::render(diagnostic, &loaded.sources, self.style));
            if self.style == Style::Coloured {
                self.tell("\n");
            }
        }
        if loaded.diagnostics.len() > SHOWN && self.style != Style::Json {
            self.tell(&format!("… and at least {} more\n", loaded.diagnostics.len() - SHOWN));
        }
    }
}

/// Lets Ctrl-C end a run in good order; the second one ends the program at once.
pub(crate) fn catch_interrupts() {
    let result = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    // Without a handler Ctrl-C ends the program at once, which will do.
    let _ = result;
}

/// Shows a line on a terminal while something takes longer than a second.
pub(crate) fn with_progress<T>(what: &str, work: impl FnOnce(&AtomicU64) -> T) -> T {
    let steps = AtomicU64::new(0);
    let line = || format!("{what}: {} steps", ipcsim_report::count(steps.load(Ordering::Relaxed)));
    showing(&line, || work(&steps))
}

/// As [`with_progress`], with a line that says what it likes.
pub(crate) fn showing<T>(line: &(impl Fn() -> String + Sync), work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| show(line, &done));
        let result = work();
        done.store(true, Ordering::Relaxed);
        result
    })
}

fn show(text: &impl Fn() -> String, done: &AtomicBool) {
    const TICK: Duration = Duration::from_millis(50);
    const PATIENCE: u32 = 20;
    let mut waited = 0;
    let mut line: Option<indicatif::ProgressBar> = None;
    while !done.load(Ordering::Relaxed) {
        std::thread::sleep(TICK);
        waited += 1;
        if waited < PATIENCE {
            continue;
        }
        let line = line.get_or_insert_with(indicatif::ProgressBar::new_spinner);
        line.set_message(text());
        line.tick();
    }
    if let Some(line) = line {
        line.finish_and_clear();
    }
}
