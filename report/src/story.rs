//! The story of a run: what happened to whom, as rows of a picture that has not been drawn yet.
//!
//! Of a long run only the beginning and the end are kept; what lies between is counted. So the story
//! costs little memory, however long the run is.

use std::collections::{BTreeSet, VecDeque};

use ipcsim_explore::Tracer;
use ipcsim_kernel::{Event, Kind, Machine, State, Thread, ThreadId};

use crate::telling::Telling;
use crate::words::Names;

/// Rows that are kept from the beginning, and from the end.
const HEAD: usize = 22;
const TAIL: usize = 14;
/// With more threads than this a lane each would be too narrow.
pub(crate) const LANES: usize = 6;

/// What happened, in order, with what was left out.
#[derive(Debug)]
pub struct Story {
    /// The name of each lane, in order of the threads.
    pub lanes: Vec<String>,
    /// The rows that were kept from the beginning.
    pub head: Vec<Row>,
    /// How many rows were left out.
    pub folded: u64,
    /// The rows that were kept from the end.
    pub tail: Vec<Row>,
    /// Whether there is a lane for each thread.
    pub layout: Layout,
    /// What the rows are counted by.
    pub clock: Clock,
}

/// What the rows of a story are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Simulated time.
    Time,
    /// Steps of a schedule.
    Steps,
}

/// How a story is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A column for each thread.
    Lanes,
    /// A line for each event, with the thread's name.
    List,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    /// When: in nanoseconds, or after how many steps.
    pub at: u64,
    /// In whose lane it stands.
    pub lane: usize,
    /// What happened.
    pub text: String,
    /// Another lane that a message comes from, and whether it comes straight from its sender.
    pub from: Option<(usize, Way)>,
    /// What each lane looks like in this row; empty in a list.
    pub marks: Vec<Mark>,
}

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From hand to hand.
    Straight,
    /// Out of a buffer.
    Buffered,
}

/// What a lane looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The thread has not begun, or has ended.
    Absent,
    /// It is ready or running.
    Active,
    /// It waits.
    Waiting,
}

/// Writes the story while the run goes on.
pub struct Recorder {
    lanes: Vec<String>,
    marks: Vec<Mark>,
    head: Vec<Row>,
    tail: VecDeque<Row>,
    rows: u64,
    /// The messages that lie in a buffer, by serial number.
    stored: BTreeSet<u64>,
    clock: Clock,
}

impl Recorder {
    /// A recorder of a run of this machine.
    pub fn new(machine: &Machine) -> Self {
        Self::counting(machine, Clock::Time)
    }

    /// A recorder of a schedule.
    pub fn of_schedule(machine: &Machine) -> Self {
        Self::counting(machine, Clock::Steps)
    }

    fn counting(machine: &Machine, clock: Clock) -> Self {
        let state = State::initial(machine);
        let threads = state.threads.len();
        let names = Names::new(machine);
        let lanes = (0..threads.min(LANES + 1)).map(|t| names.thread(&state, ThreadId::at(t)));
        Self {
            lanes: lanes.collect(),
            marks: vec![Mark::Absent; threads.min(LANES + 1)],
            head: Vec::new(),
            tail: VecDeque::new(),
            rows: 0,
            stored: BTreeSet::new(),
            clock,
        }
    }

    /// The story, when the run is over.
    pub fn finish(self) -> Story {
        let layout = if self.lanes.len() <= LANES { Layout::Lanes } else { Layout::List };
        let kept = (self.head.len() + self.tail.len()) as u64;
        Story {
            lanes: self.lanes,
            head: self.head,
            folded: self.rows - kept,
            tail: self.tail.into(),
            layout,
            clock: self.clock,
        }
    }

    fn know(&mut self, names: &Names, state: &State, t: ThreadId) {
        while self.lanes.len() <= t.index() && self.lanes.len() <= LANES {
            let next = ThreadId::at(self.lanes.len());
            self.lanes.push(names.thread(state, next));
            self.marks.push(Mark::Absent);
        }
    }

    /// The lane that a message comes from, if it has one, and how it came.
    fn origin(&self, state: &State, event: &Event) -> Option<(usize, Way)> {
        let Kind::Received(message) = &event.kind else { return None };
        let was_stored = self.stored.contains(&message.serial.0);
        let way = if was_stored { Way::Buffered } else { Way::Straight };
        let lane = state.threads.iter().position(|thread| thread.process == message.sender)?;
        (lane < LANES).then_some((lane, way))
    }

    /// Keeps track of what lies in a buffer.
    fn note_stored(&mut self, event: &Event) {
        match &event.kind {
            Kind::Stored { message, .. } => {
                self.stored.insert(message.serial.0);
            }
            Kind::Received(message) | Kind::Lost(message, _) => {
                self.stored.remove(&message.serial.0);
            }
            _ => {}
        }
    }

    fn mark(&mut self, t: ThreadId, mark: Mark) {
        if let Some(place) = self.marks.get_mut(t.index()) {
            *place = mark;
        }
    }

    fn push(&mut self, row: Row) {
        self.rows += 1;
        if self.head.len() < HEAD {
            self.head.push(row);
            return;
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(row);
    }

    fn row(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event) -> Option<Row> {
        let names = Names::new(machine);
        let t = lane_of(state, event)?;
        let telling = Telling { names: &names, machine, state, event };
        let text = telling.text()?;
        let from = self.origin(state, event);
        let in_lanes = self.lanes.len() <= LANES;
        let name = names.thread(state, t);
        let text = match event.kind {
            _ if !in_lanes => format!("{name}: {text}"),
            // The place of a thread that has ended is used again, and its lane with it.
            Kind::ThreadStarted if self.lanes.get(t.index()) != Some(&name) => {
                format!("{name} {text}")
            }
            _ => text,
        };
        Some(Row {
            at: now_ns,
            lane: t.index(),
            text,
            from,
            marks: if in_lanes { self.marks.clone() } else { Vec::new() },
        })
    }
}

impl Tracer for Recorder {
    const EVENTS: bool = true;

    fn record(&mut self, machine: &Machine, state: &State, now_ns: u64, event: &Event) {
        if let Some(t) = event.thread {
            self.know(&Names::new(machine), state, t);
            match event.kind {
                Kind::ThreadStarted
                | Kind::Woken
                | Kind::Returned(_)
                | Kind::Received(_)
                | Kind::Replaced(_) => {
                    let held = state.threads[t.index()].is_held();
                    self.mark(t, if held { Mark::Waiting } else { Mark::Active });
                }
                Kind::Blocked(_) => self.mark(t, Mark::Waiting),
                _ => {}
            }
        }
        match event.kind {
            Kind::Suspended(t) => self.mark(t, Mark::Waiting),
            Kind::Resumed(t) if !state.threads[t.index()].state.is_blocked() => {
                self.mark(t, Mark::Active);
            }
            Kind::Resumed(t) if event.thread == Some(t) => self.mark(t, Mark::Active),
            _ => {}
        }
        if let Some(row) = self.row(machine, state, now_ns, event) {
            self.push(row);
        }
        self.note_stored(event);
        if let (Kind::ThreadEnded, Some(t)) = (&event.kind, event.thread) {
            self.mark(t, Mark::Absent);
        }
    }
}

/// In whose lane an event stands. A message that is lost with its receiver is its sender's loss.
fn lane_of(state: &State, event: &Event) -> Option<ThreadId> {
    match &event.kind {
        Kind::Lost(message, _) => {
            let of_sender = |thread: &Thread| thread.process == message.sender;
            state.threads.iter().position(of_sender).map(ThreadId::at).or(event.thread)
        }
        Kind::ReceiverIs(_, process) if event.thread.is_none() => {
            Some(state.processes.items()[process.index()].first_thread)
        }
        _ => event.thread,
    }
}
