//! `ipcsim step`: you are the scheduler.

use std::io::{self, BufRead, IsTerminal};
use std::sync::atomic::Ordering;

use ipcsim_report::{Steps, count, cut_off, graph, show, why_not};
use ipcsim_session::{Covered, Machine, State, Stepper, View, Wanted};

use crate::args::{How, StepArgs};
use crate::budget::{RUN_STEPS, reductions, within};
use crate::exit::Exit;
use crate::input;
use crate::replay::why;
use crate::terminal::{INTERRUPTED, Terminal, reading};

const HELP: &str = "\
a number    take that step
back        take the last step back
why P1      why a process or thread cannot go on, and who could let it
graph       who waits for whom
show box1   what a mailbox holds; of a process what its variables hold
fail        take the shortest way to an end that is not complete
succeed     take the shortest way to an end where everything is complete
save        print the token of what was done so far
help        this list
quit        end; so does the end of the input
";

pub(crate) fn execute(args: &StepArgs, terminal: &Terminal) -> Exit {
    let session = match input::open(&args.subject.file, &args.subject.input, terminal) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    if session.machine().is_none() {
        return Exit::Unusable;
    }
    let usual = View { merge: reductions(&args.subject.how).merge, ..View::PLAIN };
    let (seen, view, schedule) = match session.to_step(args.token.as_deref(), usual) {
        Ok(Some(begun)) => begun,
        Ok(None) => return Exit::Unusable,
        Err(bad) => {
            terminal.error(&why(args.token.as_deref().unwrap_or_default(), &bad));
            return Exit::Unusable;
        }
    };
    let threads = seen.machine.initial_threads();
    if threads > MOST_THREADS {
        terminal.error(&format!(
            "this scenario has {} threads, too many to choose from: `step` takes at most {}; \
             try fewer replicas",
            count(threads as u64),
            count(MOST_THREADS as u64)
        ));
        return Exit::Unusable;
    }
    let how = &args.subject.how;
    let mut game = Game { stepper: session.step(&seen, view), how, terminal };
    game.stepper.follow(&schedule);
    terminal.print(&format!("{}\n\n", session.title()));
    game.play()
}

/// With more threads nobody plays: what each of them could do takes too long to find out, and to read.
const MOST_THREADS: usize = 1_000;
/// So many steps are shown to choose from.
const SHOWN: usize = 50;

/// A schedule that grows step by step, as it is typed.
struct Game<'m> {
    stepper: Stepper<'m>,
    /// How much a search may cost.
    how: &'m How,
    terminal: &'m Terminal,
}

impl Game<'_> {
    fn play(&mut self) -> Exit {
        // Where there is one way to begin, nobody is asked.
        if self.stepper.is_at_the_beginning() && self.stepper.options().len() == 1 {
            self.stepper.take(0);
        }
        self.offer();
        let typed = io::stdin().is_terminal();
        let mut lines = io::stdin().lock().split(b'\n');
        loop {
            if typed {
                self.terminal.print("> ");
            }
            if INTERRUPTED.load(Ordering::Relaxed) {
                return Exit::Interrupted;
            }
            let line = match reading(|| lines.next()) {
                None => return Exit::Yes,
                Some(Ok(line)) => line,
                Some(Err(error)) => {
                    self.terminal.error(&format!("standard input cannot be read: {error}"));
                    return Exit::Unusable;
                }
            };
            // What is no text is a bad line, and no more.
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches('\r');
            if !typed {
                self.terminal.print(&format!("> {line}\n"));
            }
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (None, _) => {}
                (Some("quit" | "q"), _) => return Exit::Yes,
                (Some("help" | "?"), _) => self.terminal.print(HELP),
                (Some("back" | "b"), _) => self.back(),
                (Some("graph" | "g"), _) => {
                    let state = self.stepper.state();
                    self.terminal.print(&graph(self.stepper.machine(), &state));
                }
                (Some("why"), Some(name)) => self.tell(name, why_not),
                (Some("show"), Some(_)) => {
                    let name: Vec<&str> = line.split_whitespace().skip(1).collect();
                    self.tell(&name.join(" "), show);
                }
                (Some(word @ ("why" | "show")), None) => {
                    self.terminal.print(&format!("{word} needs a name: `{word} NAME`\n"));
                }
                (Some("fail"), _) => self.play_on(Wanted::Failure),
                (Some("succeed"), _) => self.play_on(Wanted::Success),
                (Some("save"), _) if self.stepper.is_at_the_beginning() => {
                    self.terminal.print("nothing was done yet\n");
                }
                (Some("save"), _) => {
                    let token = self.stepper.token();
                    self.terminal.print(&format!("{token}\n"));
                }
                (Some(word), _) => self.choose(word),
            }
        }
    }

    /// Prints the steps that can be taken.
    fn offer(&mut self) {
        let options = self.stepper.options();
        if options.is_empty() {
            let state = self.stepper.state();
            self.terminal.print("no step is possible any more\n");
            self.terminal.print(&ipcsim_report::end(self.stepper.machine(), &state));
            return;
        }
        let schedule = self.stepper.schedule();
        let number = schedule.len() as u64;
        for (at, step) in options.iter().enumerate().take(SHOWN) {
            let mut with = schedule.clone();
            with.push(step.clone());
            let (steps, _) = Steps::of(self.stepper.machine(), self.stepper.grain(), &with);
            let mut text = steps.lines_of(number).join("; ");
            if number == 0 {
                let answers: Vec<String> =
                    step.answers.iter().map(|answer| (answer + 1).to_string()).collect();
                text = format!("begin, with choice {}", answers.join(", "));
            }
            self.terminal.print(&format!("{:>3}  {text}\n", at + 1));
        }
        if options.len() > SHOWN {
            self.terminal.print(&format!("     … and so on, up to {}\n", options.len()));
        }
    }

    fn choose(&mut self, word: &str) {
        let count = self.stepper.options().len();
        match word.parse::<usize>() {
            Ok(number) if (1..=count).contains(&number) => {
                self.stepper.take(number - 1);
                self.offer();
            }
            Ok(_) if count == 0 => self.terminal.print("no step is left; type `back`\n"),
            Ok(_) => self.terminal.print(&format!("there are {count} steps to choose from\n")),
            Err(_) => self
                .terminal
                .print(&format!("`{word}` is not a command; `help` lists the commands\n")),
        }
    }

    fn back(&mut self) {
        match self.stepper.back() {
            Some(()) => self.offer(),
            None => self.terminal.print("this is the beginning\n"),
        }
    }

    fn tell(&mut self, name: &str, look: impl Fn(&Machine, &State, &str) -> Option<String>) {
        let state = self.stepper.state();
        let text = look(self.stepper.machine(), &state, name);
        self.terminal.print(&text.unwrap_or_else(|| format!("nothing is called {name}\n")));
    }

    /// Takes the shortest way to an end of this kind. Where nothing can move it is over already.
    fn play_on(&mut self, wanted: Wanted) {
        if self.stepper.options().is_empty() {
            self.offer();
            return;
        }
        let before = self.stepper.schedule().len() as u64;
        let (way, covered) =
            within(self.how, RUN_STEPS, |budget| self.stepper.way_to(wanted, budget));
        let Some(way) = way else {
            let text = match (wanted, covered) {
                (Wanted::Success, Covered::All) => "no schedule completes from here".to_string(),
                (Wanted::Failure, Covered::All) => "from here every schedule completes".to_string(),
                (_, other) => {
                    let why = cut_off(self.stepper.machine(), other);
                    format!("no such schedule was found from here: {why}")
                }
            };
            self.terminal.print(&format!("{text}\n"));
            return;
        };
        self.stepper.follow(&way);
        let schedule = self.stepper.schedule();
        let (steps, _) = Steps::of(self.stepper.machine(), self.stepper.grain(), &schedule);
        for number in before..schedule.len() as u64 {
            for line in steps.lines_of(number) {
                self.terminal.print(&format!("     {line}\n"));
            }
        }
        self.offer();
    }
}
