//! The terminal: what is printed, how, and what happens when nobody reads it.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::ErrorKind;
use ipcsim_report::diagnostics::{self, Style};
use ipcsim_report::{visible_json, visible_lines};
use ipcsim_scenario::Loaded;
use ipcsim_session::found;

use crate::args::{Color, MessageFormat, Output};
use crate::exit::Exit;
use crate::watch::GRACE;

/// Set by Ctrl-C.
pub(crate) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

static PRINTING: AtomicBool = AtomicBool::new(false);
static READING: AtomicBool = AtomicBool::new(false);

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

    /// Prints to standard output. Nothing that a scenario or the name of a file says reaches a terminal raw.
    pub(crate) fn print(&self, text: &str) {
        self.print_as_it_is(&visible_lines(text));
    }

    /// Prints what is our own to standard output. If nobody reads it any more, as in `| head`, that is no
    /// error.
    pub(crate) fn print_as_it_is(&self, text: &str) {
        PRINTING.store(true, Ordering::Relaxed);
        let mut out = anstream::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        drop(out);
        PRINTING.store(false, Ordering::Relaxed);
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            self.error(&format!("standard output cannot be written: {error}"));
        }
    }

    /// Prints what a command found, as one JSON object.
    pub(crate) fn json(&self, command: &'static str, scenarios: Vec<found::Scenario>) {
        let report = found::Report { format: found::FORMAT, command, scenarios };
        self.print_as_it_is(&visible_json(&found::text(&report)));
    }

    /// A scenario cannot be used. People have been told; the JSON says so, too.
    pub(crate) fn unusable(
        &self,
        command: &'static str,
        output: Output,
        scenario: found::Scenario,
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

    /// Prints to standard error; nothing raw, as [`Terminal::print`].
    pub(crate) fn tell(&self, text: &str) {
        self.tell_as_it_is(&visible_lines(text));
    }

    fn tell_as_it_is(&self, text: &str) {
        let mut out = anstream::stderr().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// A message about something that went wrong outside of any scenario.
    pub(crate) fn error(&self, text: &str) {
        match self.style {
            Style::Json => {
                let object = serde_json::json!({ "severity": "error", "message": text });
                self.tell_as_it_is(&visible_json(&format!("{object}\n")));
            }
            Style::Plain | Style::Coloured | Style::Short => self.tell(&format!("error: {text}\n")),
        }
    }

    /// Prints what is wrong with a scenario.
    pub(crate) fn diagnostics(&self, loaded: &Loaded) {
        const SHOWN: usize = 50;
        for diagnostic in loaded.diagnostics.iter().take(SHOWN) {
            self.tell_as_it_is(&diagnostics::render(diagnostic, &loaded.sources, self.style));
            if self.style == Style::Coloured {
                self.tell("\n");
            }
        }
        if loaded.diagnostics.len() > SHOWN && self.style != Style::Json {
            self.tell(&format!("… and at least {} more\n", loaded.diagnostics.len() - SHOWN));
        }
    }
}

/// Prints the help or the version that somebody asked for, or what is wrong with the command line.
pub(crate) fn say_usage(said: &clap::Error) -> Exit {
    let asked_for = matches!(said.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let terminal = Terminal::new(Color::Auto, MessageFormat::Human);
    if asked_for {
        terminal.print_as_it_is(&said.render().ansi().to_string());
    } else {
        terminal.tell(&said.render().to_string());
    }
    if asked_for && !terminal.has_failed() { Exit::Yes } else { Exit::Unusable }
}

/// Lets Ctrl-C end what is under way in good order; the second one ends the program at once. Whatever does
/// not end by itself is ended soon.
pub(crate) fn catch_interrupts() {
    let result = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) || READING.load(Ordering::Relaxed) {
            std::process::exit(130);
        }
        std::thread::spawn(|| {
            std::thread::sleep(GRACE);
            if !is_printing() {
                std::process::exit(130);
            }
        });
    });
    // Without a handler Ctrl-C ends the program at once, which will do.
    let _ = result;
}

/// Whether something is being printed: that may take as long as its reader likes.
pub(crate) fn is_printing() -> bool {
    PRINTING.load(Ordering::Relaxed)
}

/// Reads what may never come, from a terminal or another program. There is nothing to end in good order:
/// Ctrl-C ends the program at once.
pub(crate) fn reading<T>(read: impl FnOnce() -> T) -> T {
    READING.store(true, Ordering::Relaxed);
    let result = read();
    READING.store(false, Ordering::Relaxed);
    result
}
