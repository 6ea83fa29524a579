//! `ipcsim step`: you are the scheduler.

use std::io::{self, BufRead, IsTerminal};
use std::sync::atomic::Ordering;

use ipcsim_check::{Budget, Seen, Subject};
use ipcsim_explore::{
    Covered, Edge, Exploration, ExploreLimits, Leg, NoTrace, Path, Reduction, ScheduleStep, View,
    Wanted, explore, replay,
};
use ipcsim_kernel::{Machine, State};
use ipcsim_report::{Steps, count, cut_off, graph, show, why_not};

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
    let opened = match input::open(&args.subject.file, &args.subject.input, terminal) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    if opened.loaded.machine.is_none() {
        return Exit::Unusable;
    }
    let subject = opened.subject();
    let mut view = View { merge: reductions(&args.subject.how).merge, ..View::PLAIN };
    let mut schedule = Vec::new();
    if let Some(token) = &args.token {
        match subject.follow(token) {
            Ok((_, found_by, steps)) => (view, schedule) = (found_by, steps),
            Err(bad) => {
                terminal.error(&why(token, &bad));
                return Exit::Unusable;
            }
        }
    }
    // What a schedule was found by says what counts as a step.
    let Some(seen) = subject.seen(view.at) else { return Exit::Unusable };
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
    // Whoever plays can do everything: no schedule is left out.
    let no_merge = view.merge == Reduction::Off;
    let every = How { no_merge, no_por: true, no_symmetry: true, ..args.subject.how.clone() };
    // Nothing is looked for before it is asked for.
    let nothing = ExploreLimits { max_states: 0, ..ExploreLimits::default() };
    let found = explore(&seen.machine, reductions(&every), seen.looks(), &nothing);
    let path = Path::new();
    let mut game = Game { seen: &seen, subject, found, path, view, every, terminal };
    game.follow(&schedule);
    terminal.print(&format!("{}\n\n", opened.title()));
    game.play()
}

/// With more threads nobody plays: what each of them could do takes too long to find out, and to read.
const MOST_THREADS: usize = 1_000;
/// So many steps are shown to choose from.
const SHOWN: usize = 50;

/// A schedule that grows step by step.
struct Game<'m> {
    seen: &'m Seen,
    subject: Subject<'m>,
    /// As far as somebody went.
    found: Exploration<'m>,
    path: Path,
    view: View,
    /// How all schedules are looked at.
    every: How,
    terminal: &'m Terminal,
}

impl Game<'_> {
    fn play(&mut self) -> Exit {
        // Where there is one way to begin, nobody is asked.
        if self.path.is_empty() && self.options().len() == 1 {
            self.take(0);
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
                    let state = self.state();
                    self.terminal.print(&graph(&self.seen.machine, &state));
                }
                (Some("why"), Some(name)) => self.tell(name, why_not),
                (Some("show"), Some(name)) => self.tell(name, show),
                (Some("fail"), _) => self.play_on(Wanted::Failure),
                (Some("succeed"), _) => self.play_on(Wanted::Success),
                (Some("save"), _) if self.path.is_empty() => {
                    self.terminal.print("nothing was done yet\n");
                }
                (Some("save"), _) => {
                    let (merge, at) = (self.view.merge, self.view.at);
                    let token = self.subject.token(&mut self.found, &self.path, merge, at);
                    self.terminal.print(&format!("{token}\n"));
                }
                (Some(word), _) => self.choose(word),
            }
        }
    }

    fn options(&mut self) -> Vec<Edge> {
        let at = self.path.last().map_or(0, |leg| leg.to);
        self.found.edges_from(self.path.is_empty(), at)
    }

    fn schedule(&mut self) -> Vec<ScheduleStep> {
        self.found.schedule(&self.path)
    }

    fn state(&mut self) -> State {
        let schedule = self.schedule();
        replay(&self.seen.machine, self.found.grain(), &schedule, &mut NoTrace)
    }

    fn take(&mut self, way: usize) {
        let from = self.path.last().map_or(0, |leg| leg.to);
        let to = self.options()[way].to;
        self.path.push(Leg { from, way, to });
    }

    /// Prints the steps that can be taken.
    fn offer(&mut self) {
        let options = self.options();
        if options.is_empty() {
            let state = self.state();
            self.terminal.print("no step is possible any more\n");
            self.terminal.print(&ipcsim_report::end(&self.seen.machine, &state));
            return;
        }
        let schedule = self.schedule();
        let number = schedule.len() as u64;
        for (at, edge) in options.iter().enumerate().take(SHOWN) {
            let mut with = schedule.clone();
            with.push(self.found.step_of(edge));
            let (steps, _) = Steps::of(&self.seen.machine, self.found.grain(), &with);
            let mut text = steps.lines_of(number).join("; ");
            if number == 0 {
                let answers = self.found.step_of(edge).answers;
                let answers: Vec<String> = answers.iter().map(|it| (it + 1).to_string()).collect();
                text = format!("begin, with choice {}", answers.join(", "));
            }
            self.terminal.print(&format!("{:>3}  {text}\n", at + 1));
        }
        if options.len() > SHOWN {
            self.terminal.print(&format!("     … and so on, up to {}\n", options.len()));
        }
    }

    fn choose(&mut self, word: &str) {
        let count = self.options().len();
        match word.parse::<usize>() {
            Ok(number) if (1..=count).contains(&number) => {
                self.take(number - 1);
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
        let Some(last) = self.path.pop() else {
            self.terminal.print("this is the beginning\n");
            return;
        };
        // Where there is one way to begin, that is no step to be taken back.
        if self.path.is_empty() && self.options().len() == 1 {
            self.path.push(last);
            self.terminal.print("this is the beginning\n");
            return;
        }
        self.offer();
    }

    fn tell(&mut self, name: &str, look: impl Fn(&Machine, &State, &str) -> Option<String>) {
        let state = self.state();
        let text = look(&self.seen.machine, &state, name);
        self.terminal.print(&text.unwrap_or_else(|| format!("nothing is called {name}\n")));
    }

    /// Takes the shortest way to an end of this kind. Where nothing can move it is over already.
    fn play_on(&mut self, wanted: Wanted) {
        if self.options().is_empty() {
            self.offer();
            return;
        }
        let done = self.schedule();
        let every = self.every.clone();
        let (way, covered) = within(&every, RUN_STEPS, |budget| self.way_to(&done, wanted, budget));
        let Some(way) = way else {
            let text = match (wanted, covered) {
                (Wanted::Success, Covered::All) => "no schedule completes from here".to_string(),
                (Wanted::Failure, Covered::All) => "from here every schedule completes".to_string(),
                (_, other) => {
                    let why = cut_off(&self.seen.machine, other);
                    format!("no such schedule was found from here: {why}")
                }
            };
            self.terminal.print(&format!("{text}\n"));
            return;
        };
        let before = done.len() as u64;
        self.follow(&way);
        let schedule = self.schedule();
        let (steps, _) = Steps::of(&self.seen.machine, self.found.grain(), &schedule);
        for number in before..schedule.len() as u64 {
            for line in steps.lines_of(number) {
                self.terminal.print(&format!("     {line}\n"));
            }
        }
        self.offer();
    }

    /// The shortest way from the end of a schedule to an end of this kind, and how much was looked at.
    fn way_to(
        &self,
        done: &[ScheduleStep],
        wanted: Wanted,
        budget: &Budget,
    ) -> (Option<Vec<ScheduleStep>>, Covered) {
        let mut found = budget.explore(&self.seen.machine, self.seen.looks());
        let Some(mut path) = follow(&mut found, Path::new(), done) else {
            return (None, found.covered);
        };
        let from = path.last().map_or(0, |leg| leg.to);
        let way = found.nearest(from, path.is_empty(), wanted, budget.explore.max_states);
        let covered = budget.reason().map_or(found.covered, Covered::from);
        let schedule = way.map(|way| {
            path.extend(way);
            found.schedule(&path).split_off(done.len())
        });
        (schedule, covered)
    }

    /// Takes the steps of a schedule, as far as they can be taken.
    fn follow(&mut self, schedule: &[ScheduleStep]) {
        let path = std::mem::take(&mut self.path);
        self.path = follow(&mut self.found, path.clone(), schedule).unwrap_or(path);
    }
}

/// The path with the steps of a schedule behind it; nothing if they cannot be taken.
fn follow(found: &mut Exploration, mut path: Path, schedule: &[ScheduleStep]) -> Option<Path> {
    for step in schedule {
        let from = path.last().map_or(0, |leg| leg.to);
        let options = found.edges_from(path.is_empty(), from);
        let way = options.iter().position(|edge| found.step_of(edge) == *step)?;
        path.push(Leg { from, way, to: options[way].to });
    }
    Some(path)
}
