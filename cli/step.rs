//! `ipcsim step`: you are the scheduler.

use std::io::{self, BufRead, IsTerminal};

use ipcsim_check::Subject;
use ipcsim_explore::{
    Covered, Edge, Exploration, Leg, NoTrace, Path, Reduction, ScheduleStep, View, Wanted, replay,
};
use ipcsim_kernel::{Machine, State};
use ipcsim_report::{Steps, graph, show, why_not};

use crate::args::{How, StepArgs};
use crate::budget::{RUN_STEPS, reductions, within};
use crate::exit::Exit;
use crate::input;
use crate::replay::why;
use crate::terminal::Terminal;

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
    // Whoever plays can do everything: no schedule is left out.
    let no_merge = view.merge == Reduction::Off;
    let every = How { no_merge, no_por: true, no_symmetry: true, ..args.subject.how.clone() };
    let found = within(&every, RUN_STEPS, |budget| budget.explore(&seen.machine, seen.looks()));
    let mut game =
        Game { machine: &seen.machine, subject, found, path: Path::new(), view, terminal };
    game.follow(&schedule);
    terminal.print(&format!("{}\n\n", opened.title()));
    game.play()
}

/// A schedule that grows step by step.
struct Game<'m> {
    machine: &'m Machine,
    subject: Subject<'m>,
    found: Exploration<'m>,
    path: Path,
    view: View,
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
        let mut lines = io::stdin().lock().lines();
        loop {
            if typed {
                self.terminal.print("> ");
            }
            let Some(Ok(line)) = lines.next() else { return Exit::Yes };
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
                    self.terminal.print(&graph(self.machine, &state));
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
        replay(self.machine, self.found.grain(), &schedule, &mut NoTrace)
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
            self.terminal.print("nothing can move any more\n");
            self.terminal.print(&ipcsim_report::end(self.machine, &state));
            return;
        }
        let schedule = self.schedule();
        let number = schedule.len() as u64;
        for (at, edge) in options.iter().enumerate() {
            let mut with = schedule.clone();
            with.push(self.found.step_of(edge));
            let (steps, _) = Steps::of(self.machine, self.found.grain(), &with);
            let mut text = steps.lines_of(number).join("; ");
            if number == 0 {
                let answers = self.found.step_of(edge).answers;
                let answers: Vec<String> = answers.iter().map(|it| (it + 1).to_string()).collect();
                text = format!("begin, with choice {}", answers.join(", "));
            }
            self.terminal.print(&format!("{:>3}  {text}\n", at + 1));
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
            Err(_) => self.terminal.print(&format!("`{word}`? `help` lists what can be said\n")),
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
        let text = look(self.machine, &state, name);
        self.terminal.print(&text.unwrap_or_else(|| format!("nothing is called {name}\n")));
    }

    /// Takes the shortest way to an end of this kind.
    fn play_on(&mut self, wanted: Wanted) {
        let at = self.path.last().map_or(0, |leg| leg.to);
        let beginning = self.path.is_empty();
        let Some(way) = self.found.nearest(at, beginning, wanted) else {
            let all = self.found.covered == Covered::All;
            let what = match wanted {
                Wanted::Success => "no schedule completes from here",
                Wanted::Failure => "from here every schedule completes",
            };
            let sure = if all { "" } else { ", as far as was looked" };
            self.terminal.print(&format!("{what}{sure}\n"));
            return;
        };
        let before = self.path.len() as u64;
        self.path.extend(way);
        let schedule = self.schedule();
        let (steps, _) = Steps::of(self.machine, self.found.grain(), &schedule);
        for number in before..schedule.len() as u64 {
            for line in steps.lines_of(number) {
                self.terminal.print(&format!("     {line}\n"));
            }
        }
        self.offer();
    }

    /// Takes the steps of a schedule.
    fn follow(&mut self, schedule: &[ScheduleStep]) {
        for step in schedule {
            let options = self.options();
            let way = options.iter().position(|edge| self.found.step_of(edge) == *step);
            match way {
                Some(way) => self.take(way),
                None => return,
            }
        }
    }
}
