//! A schedule, step by step.

use std::fmt::Write;

use ipcsim_explore::{Grain, Move, ScheduleStep, Tracer, replay};
use ipcsim_kernel::{BlockedOn, Event, Kind, Machine, State, ThreadId};

use crate::telling::words_of;
use crate::words::{Names, place};

/// A schedule as it is shown: a line for each step.
#[derive(Debug, Default)]
pub struct Steps {
    lines: Vec<Line>,
    /// The numbers of the steps in which a sleep is over, rather than the time of a wait.
    wakes: Vec<u64>,
}

#[derive(Debug)]
struct Line {
    number: u64,
    who: String,
    texts: Vec<String>,
    place: String,
}

/// Steps of which so many are shown at the beginning, and so many at the end.
const HEAD: usize = 12;
const TAIL: usize = 10;

impl Tracer for Steps {
    const EVENTS: bool = true;

    fn step_begins(&mut self, machine: &Machine, state: &State, number: u64, what: Move) {
        // Local work tells of nothing but what it logs; so it is said where it is done.
        if let Move::Local(t) = what {
            let who = Names::new(machine).thread(state, t);
            let place = place(machine, state.threads[t.index()].pc);
            self.lines.push(Line { number, who, texts: vec!["local work".into()], place });
        }
        if let Move::Expire(t) = what
            && matches!(state.waits_for(t), Some(BlockedOn::Sleep))
        {
            self.wakes.push(number);
        }
    }

    fn record(&mut self, machine: &Machine, state: &State, number: u64, event: &Event) {
        // The beginning is no step of anybody; but what is chosen there decides the rest.
        let is_choice = matches!(event.kind, Kind::Chose(..));
        if (number == 0 && !is_choice) || matches!(event.kind, Kind::ThreadEnded) {
            return;
        }
        let Some(text) = words_of(machine, state, event) else { return };
        let who = event.thread.map_or(String::new(), |t| Names::new(machine).thread(state, t));
        match self.lines.last_mut() {
            Some(last) if last.number == number && last.who == who => last.texts.push(text),
            _ => {
                let place = event.pc.map_or(String::new(), |pc| place(machine, pc));
                self.lines.push(Line { number, who, texts: vec![text], place });
            }
        }
    }
}

impl Line {
    fn told(&self) -> String {
        let gap = if self.place.is_empty() { "" } else { "  " };
        format!("{}{gap}{}", self.texts.join("; "), self.place)
    }
}

impl Steps {
    /// The steps of a schedule, and the state that it leads to.
    pub fn of(machine: &Machine, grain: &Grain, schedule: &[ScheduleStep]) -> (Self, State) {
        let mut steps = Steps::default();
        let state = replay(machine, grain, schedule, &mut steps);
        steps.name_the_silent(machine, &state, schedule);
        (steps, state)
    }

    /// Leaves only the steps from this number on.
    pub(crate) fn forget_before(&mut self, number: u64) {
        self.lines.retain(|line| line.number >= number);
    }

    /// A step that tells nothing else is named by who took it: the end of a thread, the end of a wait.
    fn name_the_silent(&mut self, machine: &Machine, state: &State, schedule: &[ScheduleStep]) {
        let names = Names::new(machine);
        let last = |what: Move| schedule.iter().rposition(|step| step.what == what);
        for (at, step) in schedule.iter().enumerate().skip(1) {
            let number = at as u64;
            let is_end = |t: ThreadId| {
                state.threads[t.index()].state.is_ended() && last(step.what) == Some(at)
            };
            let place = self.lines.partition_point(|line| line.number < number);
            let (who, text) = match step.what {
                Move::Begin => continue,
                Move::Start(process) => (machine.process_name(process), "starts"),
                Move::Call(t) if is_end(t) => (names.thread(state, t), "ends"),
                // A `yield`, or a `kill` of what has ended.
                Move::Call(t) => (names.thread(state, t), "goes on"),
                Move::Local(t) => (names.thread(state, t), "local work"),
                Move::Expire(t) if self.wakes.contains(&number) => {
                    (names.thread(state, t), "wakes up")
                }
                Move::Expire(t) => (names.thread(state, t), "times out"),
            };
            let told = self.lines.get(place).is_some_and(|line| line.number == number);
            let is_own = told && self.lines[place].who == who;
            let is_nobodys = told && self.lines[place].who.is_empty();
            if !told || is_nobodys || (!is_own && matches!(step.what, Move::Expire(_))) {
                let line = Line { number, who, texts: vec![text.into()], place: String::new() };
                self.lines.insert(place, line);
            }
        }
    }

    /// The lines of a step, without its number.
    pub fn lines_of(&self, number: u64) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| line.number == number);
        lines.map(|line| format!("{}: {}", line.who, line.texts.join("; "))).collect()
    }

    /// The first line of a step, without its number.
    pub fn first_of(&self, number: u64) -> Option<String> {
        let line = self.lines.iter().find(|line| line.number == number)?;
        Some(format!("{}: {}", line.who, line.told()))
    }

    /// The lines, the middle of many left out.
    pub fn text(&self, indent: &str) -> String {
        let mut out = String::new();
        let width = self.lines.iter().map(|line| line.who.chars().count()).max().unwrap_or(0);
        let last = self.lines.last().map_or(0, |line| line.number);
        let digits = last.to_string().len();
        let mut before = None;
        for (at, line) in self.lines.iter().enumerate() {
            let folded = self.lines.len().saturating_sub(HEAD + TAIL);
            if folded > 1 && (HEAD..HEAD + folded).contains(&at) {
                if at == HEAD {
                    let _ = writeln!(out, "{indent}… {folded} more …");
                }
                continue;
            }
            let number =
                if before == Some(line.number) { String::new() } else { line.number.to_string() };
            before = Some(line.number);
            let _ = write!(out, "{indent}{number:>digits$}  {:width$}  ", line.who);
            let _ = writeln!(out, "{}", line.told());
        }
        out
    }
}
