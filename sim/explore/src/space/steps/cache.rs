//! The transition cache: a step that was performed once is looked up afterwards.
//!
//! A step is a function of what it reads: what it reads first is always the same, what it reads
//! next depends on what it has read so far, and so on up to its effect. That makes a decision tree.
//! It grows when the kernel actually performs a step and reports what it read, in order; when a
//! step reads the same again, its effect is looked up.

use ipcsim_kernel::{Bound, ProcessId, ThreadId};

use super::place::{Node, Place};

/// What can happen next in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Move {
    /// All processes begin that start at time 0; always the first move.
    Begin,
    /// A process begins that starts later.
    Start(ProcessId),
    /// A thread performs its next call, and its local work up to the call after it.
    Call(ThreadId),
    /// A thread does its local work, if that is a move of its own.
    Local(ThreadId),
    /// A bounded wait ends.
    Expire(ThreadId),
}

impl Move {
    /// The thread that moves, if a thread does.
    pub fn thread(self) -> Option<ThreadId> {
        match self {
            Move::Call(t) | Move::Local(t) | Move::Expire(t) => Some(t),
            Move::Begin | Move::Start(_) => None,
        }
    }

    /// A unique number for this move.
    pub(crate) fn number(self) -> u32 {
        match self {
            Move::Begin => 0,
            Move::Start(process) => 4 * process.0 + 1,
            Move::Call(t) => 4 * t.0 + 2,
            Move::Local(t) => 4 * t.0 + 3,
            Move::Expire(t) => 4 * t.0 + 4,
        }
    }
}

/// What happens in a transition: a move and, where calls are lazy, just before it a call of another thread or of the same
/// one that only blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The thread whose call blocks before the move.
    pub blocks: Option<ThreadId>,
    pub what: Move,
}

impl Step {
    pub(crate) fn alone(what: Move) -> Self {
        Self { blocks: None, what }
    }
}

/// How far the calls of a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// To their end, and no thread waits that could as well have called later.
    Through,
    /// As [`Came::Through`], but the last one was refused: its outcome is not `ok`.
    Refused,
    /// A thread waits that could as well call later; whether its wait is bounded.
    Waits(Bound),
    /// A sender waits without limit for kernel memory, and could as well call later, unless a receiver came before.
    WaitsForMemory,
    /// A thread waits in a queue in which it matters who came first.
    Stays,
}

impl Came {
    /// How far a call came, if it can go this way or that.
    pub(crate) fn and(self, other: Self) -> Self {
        if self == Came::Through { other } else { self }
    }

    /// Whether a thread waits that could as well call later.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Came::Waits(_) | Came::WaitsForMemory)
    }
}

/// What a step does to the parts of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// How the questions were answered to get there.
    pub answers: Box<[u64]>,
    /// Positions with their new numbers.
    pub writes: Box<[(u32, u32)]>,
    /// The processes that have ended, among those it changed.
    pub ended: Box<[ProcessId]>,
    pub achieved: Achieved,
    pub delivery: Delivery,
    pub came: Came,
}

/// What a step achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Achieved {
    /// Nothing that counts.
    Nothing,
    /// A worker's thread received a message or wrote to the log.
    Progress,
    /// A thread is in local work that never ends.
    Endless(ThreadId),
    /// A thread asked a question with too many answers, or too many questions.
    TooManyAnswers(ThreadId),
}

impl Achieved {
    /// Whether the search must end here.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Achieved::Endless(_) | Achieved::TooManyAnswers(_))
    }
}

/// What becomes of the messages of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// They arrive, or are under way.
    Good,
    /// One was not sent, was withdrawn, or was lost.
    Failed,
}

/// Something that a step read on the way to its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// It looked at the part at this position.
    Looked(usize),
    /// It asked a question with this many answers, and got this one.
    Asked { answers: u64, answer: u64 },
}

/// What is known about functions of states: the effect of each, by what it reads.
pub(crate) struct TransitionCache<E> {
    /// The children of a place lie side by side.
    places: Vec<Place>,
    /// Where children were who have moved, by the logarithm of their number.
    free: Vec<Vec<u32>>,
    effects: Vec<E>,
    bytes: usize,
}

/// A step of a walk.
pub(crate) enum Pace {
    /// It goes on to this place.
    To(u32),
    /// It has reached an effect.
    Done(u32),
    /// There are several ways to go on, or none is known.
    Several,
}

/// The effects found on a walk through the tree, and the places still to visit.
#[derive(Default)]
pub(crate) struct Walk {
    pub found: Vec<u32>,
    open: Vec<u32>,
}

/// The root of all functions: its children are indexed by function number.
const ROOT: u32 = 0;
/// The root of the functions that depend on a thread as well: its children are indexed by thread, and theirs by function.
const ROOT_OF_PAIRS: u32 = 1;

/// The number of a function, for one thread or for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub thread: Option<ThreadId>,
    pub number: u32,
}

impl From<u32> for Function {
    fn from(number: u32) -> Self {
        Self { thread: None, number }
    }
}

impl From<Step> for Function {
    fn from(step: Step) -> Self {
        Self { thread: step.blocks, number: step.what.number() }
    }
}

impl<E> TransitionCache<E> {
    pub(crate) fn new() -> Self {
        let root = Place::unknown();
        Self { places: vec![root, root], free: Vec::new(), effects: Vec::new(), bytes: 0 }
    }

    pub(crate) fn effect(&self, number: u32) -> &E {
        &self.effects[number as usize]
    }

    /// The approximate size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.places.capacity() * size_of::<Place>()
    }

    /// Finds the effects of the function with this number in a state, in the order of the answers.
    /// Errors: the answers with which it must still be performed, because their effect is unknown.
    pub(crate) fn effects(
        &self,
        what: impl Into<Function>,
        row: &[u32],
        walk: &mut Walk,
    ) -> Result<(), Vec<u64>> {
        let what = what.into();
        let Walk { found, open } = walk;
        found.clear();
        open.clear();
        let unknown = || Err(self.unknown_answers(what, row));
        let Some(start) = self.start(what) else { return unknown() };
        open.push(start);
        while let Some(mut at) = open.pop() {
            loop {
                match self.places[at as usize].node() {
                    Node::Looks(position) => match self.way(at, row[position as usize]) {
                        Some(next) => at = next,
                        None => return unknown(),
                    },
                    Node::Asks(answers) => {
                        let way = |answer| self.way(at, answer).expect("there is room for each");
                        // Pushed in reverse, so that the first is popped first.
                        open.extend((1..answers).rev().map(way));
                        at = way(0);
                    }
                    Node::Done(effect) => {
                        found.push(effect);
                        break;
                    }
                    Node::Unknown | Node::Nowhere => return unknown(),
                }
            }
        }
        Ok(())
    }

    /// Where a walk for this function begins.
    pub(crate) fn start(&self, what: impl Into<Function>) -> Option<u32> {
        match what.into() {
            Function { thread: None, number } => self.way(ROOT, number),
            Function { thread: Some(t), number } => self.way(self.way(ROOT_OF_PAIRS, t.0)?, number),
        }
    }

    /// One step of a walk.
    pub(crate) fn step(&self, at: u32, row: &[u32]) -> Pace {
        match self.places[at as usize].node() {
            Node::Looks(position) => {
                self.way(at, row[position as usize]).map_or(Pace::Several, Pace::To)
            }
            Node::Done(effect) => Pace::Done(effect),
            Node::Asks(_) | Node::Unknown | Node::Nowhere => Pace::Several,
        }
    }

    /// The answers on the way to the first unknown place.
    fn unknown_answers(&self, what: Function, row: &[u32]) -> Vec<u64> {
        let Some(start) = self.start(what) else { return Vec::new() };
        let mut open = vec![(start, Vec::new())];
        while let Some((at, answers)) = open.pop() {
            match self.places[at as usize].node() {
                Node::Looks(position) => match self.way(at, row[position as usize]) {
                    Some(next) => open.push((next, answers)),
                    None => return answers,
                },
                Node::Asks(count) => {
                    let given = |answer: u32| {
                        let given = answers.iter().copied().chain([u64::from(answer)]).collect();
                        (self.way(at, answer).expect("there is room for each"), given)
                    };
                    open.extend((0..count).rev().map(given));
                }
                Node::Done(_) => {}
                Node::Unknown | Node::Nowhere => return answers,
            }
        }
        unreachable!("something is unknown")
    }

    /// Enters the effect of a performed step, which takes this many bytes.
    pub(crate) fn learn(
        &mut self,
        what: impl Into<Function>,
        row: &[u32],
        reads: &[Read],
        effect: E,
        bytes: usize,
    ) {
        let Function { thread, number } = what.into();
        let root = thread.map_or(ROOT, |t| self.make_way(ROOT_OF_PAIRS, t.0));
        let mut at = self.make_way(root, number);
        for read in reads {
            match *read {
                Read::Looked(position) => {
                    self.settle(at, Node::Looks(position as u32));
                    at = self.make_way(at, row[position]);
                }
                Read::Asked { answers, answer } => {
                    let count = u32::try_from(answers).expect("questions are small");
                    self.settle(at, Node::Asks(count));
                    // The last first: that makes room for all of them, and none has to move.
                    for other in (0..count).rev() {
                        self.make_way(at, other);
                    }
                    let answer = u32::try_from(answer).expect("an answer below the count");
                    at = self.make_way(at, answer);
                }
            }
        }
        let number = u32::try_from(self.effects.len()).expect("the memory limit comes first");
        self.settle(at, Node::Done(number));
        self.bytes += size_of::<E>() + bytes;
        self.effects.push(effect);
    }

    fn way(&self, from: u32, found: u32) -> Option<u32> {
        self.places[from as usize].child(found)
    }

    /// The child with this number, created if necessary. Its siblings may move to make room.
    fn make_way(&mut self, from: u32, found: u32) -> u32 {
        let to = match self.way(from, found) {
            Some(to) => to,
            None => self.move_children(from, (found + 1).next_power_of_two().ilog2()) + found,
        };
        let place = &mut self.places[to as usize];
        if place.node() == Node::Nowhere {
            place.becomes(Node::Unknown);
        }
        to
    }

    /// Moves the children of a place to where there is room for more. Returns where they are now.
    fn move_children(&mut self, of: u32, log: u32) -> u32 {
        let more = 1 << log;
        let free = self.free.get_mut(log as usize).and_then(Vec::pop);
        let first = free.unwrap_or_else(|| {
            let end = self.places.len();
            self.places.resize(end + more, Place::NOWHERE);
            u32::try_from(end).expect("the memory limit comes first")
        });
        let place = self.places[of as usize];
        if let Some(old) = place.child(0) {
            let (from, count) = (old as usize, place.room() as usize);
            self.places.copy_within(from..from + count, first as usize);
            self.places[from..from + count].fill(Place::NOWHERE);
            let log = count.ilog2() as usize;
            if self.free.len() <= log {
                self.free.resize_with(log + 1, Vec::new);
            }
            self.free[log].push(old);
        }
        self.places[of as usize].has_children(first, log);
        first
    }

    fn settle(&mut self, at: u32, as_what: Node) {
        let place = &mut self.places[at as usize];
        if place.node() == Node::Unknown {
            place.becomes(as_what);
        } else {
            assert_eq!(place.node(), as_what, "what a step does next depends on what it has read");
        }
    }
}
