//! Steps that were performed once are known.
//!
//! A step is a function of what it reads: what it reads first is always the same, what it reads next
//! depends on what it has read so far, and so on up to its effect. That makes a tree of decisions. It
//! grows when a step is really performed by the kernel, which tells what it looked at, in order; when
//! the same is seen again the effect is looked up.

use ipcsim_kernel::{ProcessId, ThreadId};

/// What can happen next in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Move {
    /// All processes begin whose time is the start; the first move of all.
    Begin,
    /// A process begins whose time comes later.
    Start(ProcessId),
    /// A thread performs its next call, and its local work up to the one behind it.
    Call(ThreadId),
    /// A thread does its local work. Only where that is a move of its own.
    Local(ThreadId),
    /// A bounded wait ends.
    Expire(ThreadId),
}

impl Move {
    /// The thread that moves, if it is one.
    pub fn thread(self) -> Option<ThreadId> {
        match self {
            Move::Call(t) | Move::Local(t) | Move::Expire(t) => Some(t),
            Move::Begin | Move::Start(_) => None,
        }
    }

    /// A number that no other move has.
    pub(super) fn number(self) -> u32 {
        match self {
            Move::Begin => 0,
            Move::Start(process) => 4 * process.0 + 1,
            Move::Call(t) => 4 * t.0 + 2,
            Move::Local(t) => 4 * t.0 + 3,
            Move::Expire(t) => 4 * t.0 + 4,
        }
    }
}

/// What a step does to the parts of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Effect {
    /// How the questions were answered on the way to it.
    pub answers: Box<[u64]>,
    /// Positions with their new numbers.
    pub writes: Box<[(u32, u32)]>,
    /// Processes that have ended, of those that it changed.
    pub ended: Box<[ProcessId]>,
    pub news: News,
    pub delivery: Delivery,
}

/// What a step achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing that counts.
    Nothing,
    /// A thread of a worker took a message or wrote to the log.
    Progress,
    /// A thread is in local work that never ends.
    Endless(ThreadId),
    /// A thread drew a number out of too many.
    TooManyAnswers(ThreadId),
}

/// What becomes of the messages of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// They arrive, or are under way.
    Good,
    /// One was not sent after all, was taken back, or was lost.
    Failed,
}

/// Something that a step did on the way to its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// It looked at the part at this position.
    Looked(usize),
    /// It asked a question with so many answers, and got this one.
    Asked { answers: u64, answer: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Unknown,
    Looks(u32),
    Asks(u32),
    Done(u32),
}

/// What is known of functions of states: for each what it does, by what it looks at.
pub(super) struct Memo<E> {
    nodes: Vec<Entry>,
    /// The ways on from all nodes, those of one node side by side; 0 where nobody has gone yet.
    ways: Vec<u32>,
    effects: Vec<E>,
    bytes: usize,
}

/// What was found on a walk through what is known, and the nodes that are still to be looked at.
#[derive(Default)]
pub(super) struct Walk {
    pub found: Vec<u32>,
    open: Vec<u32>,
}

/// A node, the one before it and what was found there, and where its ways on are.
#[derive(Clone, Copy)]
struct Entry {
    node: Node,
    before: u32,
    found: u32,
    first: u32,
    count: u32,
}

/// Where all functions begin: the ways on are their numbers.
const ROOT: u32 = 0;

impl<E> Memo<E> {
    pub(super) fn new() -> Self {
        let root = Entry { node: Node::Unknown, before: ROOT, found: 0, first: 0, count: 0 };
        Self { nodes: vec![root], ways: Vec::new(), effects: Vec::new(), bytes: 0 }
    }

    pub(super) fn effect(&self, number: u32) -> &E {
        &self.effects[number as usize]
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.ways.capacity() * 4 + self.nodes.capacity() * size_of::<Entry>()
    }

    /// Finds the effects of the function with this number in a state, in the order of the answers. Errors:
    /// the answers with which it has to be performed, because they are not known yet.
    pub(super) fn effects(&self, what: u32, row: &[u32], walk: &mut Walk) -> Result<(), Vec<u64>> {
        let Walk { found, open } = walk;
        found.clear();
        open.clear();
        let Some(root) = self.way(ROOT, what) else { return Err(Vec::new()) };
        open.push(root);
        while let Some(mut node) = open.pop() {
            loop {
                match self.nodes[node as usize].node {
                    Node::Looks(position) => {
                        let part = row[position as usize];
                        match self.way(node, part) {
                            Some(next) => node = next,
                            None => return Err(self.answers_to(node)),
                        }
                    }
                    Node::Asks(answers) => {
                        // The last is put down first, so that the first comes first.
                        for answer in (1..answers).rev() {
                            let way = self.way(node, answer);
                            open.push(way.expect("the ways of a question come together"));
                        }
                        node = self.way(node, 0).expect("a question has an answer");
                    }
                    Node::Done(effect) => {
                        found.push(effect);
                        break;
                    }
                    Node::Unknown => return Err(self.answers_to(node)),
                }
            }
        }
        Ok(())
    }

    /// The answers on the way to a node.
    fn answers_to(&self, mut node: u32) -> Vec<u64> {
        let mut answers = Vec::new();
        while node != ROOT {
            let Entry { before, found, .. } = self.nodes[node as usize];
            if let Node::Asks(_) = self.nodes[before as usize].node {
                answers.push(u64::from(found));
            }
            node = before;
        }
        answers.reverse();
        answers
    }

    /// Enters what was performed, and takes so many bytes.
    pub(super) fn learn(
        &mut self,
        what: u32,
        row: &[u32],
        deeds: &[Deed],
        effect: E,
        bytes: usize,
    ) {
        let mut node = self.make_way(ROOT, what);
        for deed in deeds {
            match *deed {
                Deed::Looked(position) => {
                    let looks = Node::Looks(position as u32);
                    self.settle(node, looks);
                    node = self.make_way(node, row[position]);
                }
                Deed::Asked { answers, answer } => {
                    let count = u32::try_from(answers).expect("questions are small");
                    self.settle(node, Node::Asks(count));
                    let ways: Vec<u32> =
                        (0..count).map(|answer| self.make_way(node, answer)).collect();
                    node = ways[usize::try_from(answer).expect("an answer below the count")];
                }
            }
        }
        let number = u32::try_from(self.effects.len()).expect("the memory limit comes first");
        self.settle(node, Node::Done(number));
        self.bytes += size_of::<E>() + bytes;
        self.effects.push(effect);
    }

    fn way(&self, from: u32, found: u32) -> Option<u32> {
        let Entry { first, count, .. } = self.nodes[from as usize];
        let way = if found < count { self.ways[(first + found) as usize] } else { 0 };
        (way != 0).then_some(way)
    }

    fn make_way(&mut self, from: u32, found: u32) -> u32 {
        if let Some(way) = self.way(from, found) {
            return way;
        }
        let number = |length: usize| u32::try_from(length).expect("the memory limit comes first");
        let entry = &mut self.nodes[from as usize];
        if found >= entry.count {
            // More ways, at the end; where the old ones were remains empty.
            let (first, count) = (entry.first as usize, entry.count as usize);
            entry.first = number(self.ways.len());
            entry.count = (found + 1).next_power_of_two();
            let end = self.ways.len() + entry.count as usize;
            self.ways.extend_from_within(first..first + count);
            self.ways.resize(end, 0);
        }
        let at = (self.nodes[from as usize].first + found) as usize;
        let node = number(self.nodes.len());
        self.ways[at] = node;
        let unknown = Node::Unknown;
        self.nodes.push(Entry { node: unknown, before: from, found, first: 0, count: 0 });
        node
    }

    fn settle(&mut self, node: u32, as_what: Node) {
        let known = &mut self.nodes[node as usize].node;
        if *known == Node::Unknown {
            *known = as_what;
        } else {
            assert_eq!(*known, as_what, "what a step does next depends on what it has read");
        }
    }
}
