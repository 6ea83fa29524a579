//! A scenario in the author's words: every word is known, every value has the right kind, and
//! everything keeps its place. Names are not resolved yet.

use std::ops::{Index, IndexMut};

use ipcsim_kernel::{Capacity, Outcome};

use crate::expr::Expr;
use crate::place::{Place, Placed};
use crate::table::{self, Section};
use crate::tree::Node;

/// A scenario.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// What it is called.
    pub title: Option<Placed<String>>,
    /// What a reader should think about.
    pub about: Option<Placed<String>>,
    /// The slide that it belongs to.
    pub slide: Option<Placed<String>>,
    /// The machine and its policies.
    pub kernel: Fields,
    /// What each section declares, in the order of the file; so with everything below.
    declared: [Vec<Declaration>; Section::ALL.len()],
    /// Paths.
    pub files: Vec<Declaration>,
    /// Processes.
    pub processes: Vec<Declaration>,
    /// Claims.
    pub claims: Vec<Claim>,
}

impl Index<Section> for Scenario {
    type Output = Vec<Declaration>;

    fn index(&self, section: Section) -> &Vec<Declaration> {
        &self.declared[section as usize]
    }
}

impl IndexMut<Section> for Scenario {
    fn index_mut(&mut self, section: Section) -> &mut Vec<Declaration> {
        &mut self.declared[section as usize]
    }
}

/// A name with what it is declared as.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The name.
    pub name: Placed<String>,
    /// What stands below it.
    pub fields: Fields,
}

/// Keys with their values.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub Vec<(Placed<&'static str>, Placed<Arg>)>);

impl Fields {
    /// The value of a key.
    pub fn get(&self, name: &str) -> Option<&Placed<Arg>> {
        self.0.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
    }

    /// The place of a key.
    pub fn key(&self, name: &str) -> Option<Place> {
        self.0.iter().find(|(key, _)| key.value == name).map(|(key, _)| key.at)
    }
}

/// A value of a key.
#[derive(Clone, Debug)]
pub enum Arg {
    /// Nothing.
    Nothing,
    /// One of the table's words.
    Word(&'static str),
    /// A text for people, or a name that is looked up elsewhere.
    Name(String),
    /// `true` or `false`.
    Flag(Flag),
    /// An integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A size in bytes.
    Bytes(u64),
    /// A duration in nanoseconds.
    Nanoseconds(u64),
    /// Kernel memory; `None` is unlimited.
    Memory(Option<u64>),
    /// How much is buffered.
    Capacity(Capacity),
    /// An expression, or a value that a thread computes.
    Expr(Expr),
    /// A list of values.
    Exprs(Placed<Vec<Expr>>),
    /// Objects: one, a list, or `anyone`.
    Objects(Objects),
    /// How long to wait.
    Wait(Wait),
    /// A duration or a range.
    Time(Time),
    /// Variables with expressions.
    Assignments(Vec<(Placed<String>, Expr)>),
    /// Steps.
    Steps(Vec<Step>),
    /// Lists of steps.
    Branches(Vec<Vec<Step>>),
    /// Handlers.
    Handlers(Vec<Handler>),
    /// Parameters with values.
    Parameters(Vec<(Placed<String>, Expr)>),
    /// Threads.
    Threads(Vec<Declaration>),
    /// Names with what they stand for.
    Entries(Vec<(Placed<String>, Reference)>),
    /// Keys of a table inside.
    Table(Fields),
    /// A list of tables.
    Tables(Vec<Fields>),
}

/// Whether something was said to be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `true`.
    Yes,
    /// `false`.
    No,
}

/// What a `to`, `from` or `among` names.
#[derive(Clone, Debug)]
pub enum Objects {
    /// One object.
    One(Reference),
    /// Several, in order.
    Several(Vec<Reference>),
    /// `anyone`.
    Anyone,
}

/// An object by name, or computed.
#[derive(Clone, Debug)]
pub enum Reference {
    /// `box1`, `reply[2]`, `reply[index]`.
    Named {
        /// The name.
        name: Placed<String>,
        /// Which member of a family.
        index: Option<Expr>,
    },
    /// `${m.sender}`.
    Computed(Expr),
}

impl Reference {
    /// Where it stands.
    pub fn at(&self) -> Place {
        match self {
            Reference::Named { name, index: None } => name.at,
            Reference::Named { name, index: Some(index) } => {
                Place { end: index.at.end.max(name.at.end), ..name.at }
            }
            Reference::Computed(expr) => expr.at,
        }
    }
}

/// How long a call may wait.
#[derive(Clone, Debug)]
pub enum Wait {
    /// `forever`.
    Forever,
    /// `never`.
    Never,
    /// A duration.
    For(Time),
}

/// A duration of a step.
#[derive(Clone, Debug)]
pub enum Time {
    /// Written down, in nanoseconds; both ends are equal unless it is a range.
    Range(u64, u64),
    /// Computed.
    Computed(Expr),
}

/// A step.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it does.
    pub verb: &'static table::Verb,
    /// Where its verb stands.
    pub at: Place,
    /// The verb's own value.
    pub operand: Placed<Arg>,
    /// The other keys.
    pub fields: Fields,
}

/// What is done after an outcome.
#[derive(Clone, Debug)]
pub struct Handler {
    /// Which.
    pub outcome: Placed<Outcome>,
    /// What is done.
    pub steps: Vec<Step>,
}

/// A claim about what happens.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Where it stands.
    pub at: Place,
    /// The claim as it reads in one line.
    pub said: String,
    /// Over what.
    pub over: Over,
    /// What is claimed.
    pub what: What,
    /// Exactly these processes have a stuck thread.
    pub blocked: Option<Vec<BlockedName>>,
    /// The claim is about the scenario with these values changed.
    pub with: Vec<(Placed<String>, Node)>,
    /// Shown when it does not hold.
    pub because: Option<String>,
    /// At most this many states.
    pub within: Option<u64>,
}

/// What a claim quantifies over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// This file's run, with its seed.
    Run,
    /// Every schedule.
    EverySchedule,
    /// At least one schedule.
    SomeSchedule,
}

/// What is claimed.
#[derive(Clone, Debug)]
pub enum What {
    /// It ends in this way.
    Outcome(&'static str),
    /// This holds in every state.
    Always(Expr),
    /// Every fair schedule, or some schedule, reaches a state in which this holds.
    Eventually(Expr),
    /// No schedule ends in one of these ways.
    Never(Vec<&'static str>),
    /// The complete log, whoever wrote it, is one of these lists of lines.
    Logs(Vec<Vec<String>>),
    /// Each of these measures is at most this much.
    AtMost(Vec<(&'static str, u64)>),
    /// Each of these measures is at least this much.
    AtLeast(Vec<(&'static str, u64)>),
}

/// A process that is claimed to be blocked.
#[derive(Clone, Debug)]
pub struct BlockedName {
    /// Its name, or that of its family.
    pub name: Placed<String>,
    /// Which member.
    pub member: Option<u32>,
    /// How many of a family.
    pub how_many: HowMany,
}

/// How many of a family are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HowMany {
    /// All of them.
    All,
    /// At least one.
    Any,
}
