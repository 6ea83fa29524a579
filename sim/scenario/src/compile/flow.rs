//! What the shape of a program shows before it runs: unreachable steps, variables that nothing has
//! set, handlers that cannot fire.

use ipcsim_kernel::program::{CallWord, Edges, Word, reachable};
use ipcsim_kernel::{Machine, Outcome, Pc, Register};

use crate::ast::{Arg, Handler, Objects, Step, Wait};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::Place;

/// Above this many bits the data-flow analysis of variables is skipped: it is a help, not a need.
const FLOW_BITS: usize = 400_000_000;

/// What is noted about a program while it is compiled.
pub(super) struct Flow {
    pub entry: Pc,
    pub steps: Vec<Start>,
    pub uses: Vec<(Pc, Register, Place)>,
}

/// Where a step begins, and where the one before it in its list does.
pub(super) struct Start {
    pub pc: Pc,
    pub at: Place,
    pub before: Option<Pc>,
}

impl Flow {
    /// Of a program that begins here.
    pub(super) fn at(entry: Pc) -> Self {
        Self { entry, steps: Vec::new(), uses: Vec::new() }
    }

    /// Warns of a handler for an outcome that its call cannot have.
    pub(super) fn check_handler(step: &Step, handler: &Handler, found: &mut Vec<Diagnostic>) {
        let outcome = handler.outcome.value;
        let why = why_impossible(step, outcome);
        if let Some(why) = why {
            found.push(
                Diagnostic::new(
                    Code::HandlerCannotFire,
                    handler.outcome.at,
                    format!("this `{}` never ends with `{}`", step.verb.name(), outcome.word()),
                )
                .label(why),
            );
        }
    }
}

/// Why a step cannot end in this way, if its own words show it. The kernel's policies are not
/// asked: a claim may change them.
fn why_impossible(step: &Step, outcome: Outcome) -> Option<&'static str> {
    if outcome == Outcome::Ok {
        return None;
    }
    if !step.verb.word.outcomes().contains(&outcome) {
        return Some("it does not have this outcome");
    }
    let lookup = step.verb.word == Word::Call(CallWord::Lookup);
    let wait = match step.fields.get("wait").map(|arg| &arg.value) {
        Some(Arg::Wait(wait)) => wait,
        _ if lookup => &Wait::Never,
        _ => &Wait::Forever,
    };
    let from = step.fields.get("from").map(|arg| &arg.value);
    match (outcome, wait) {
        (Outcome::Dead, _) if matches!(from, Some(Arg::Objects(Objects::Anyone))) => {
            Some("whoever receives from anyone is not told of an end")
        }
        (Outcome::WouldBlock, Wait::Forever | Wait::For(_)) => Some("only with `wait: never`"),
        (Outcome::TimedOut, Wait::Forever | Wait::Never) => Some("only with a duration in `wait:`"),
        (Outcome::NoSuchName, Wait::Forever | Wait::For(_)) if lookup => {
            Some("with a `wait:` it waits for the name")
        }
        _ => None,
    }
}

/// Whether uses of variables are checked. A step that has another mistake sets nothing, and what
/// follows from that is no mistake of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Uses {
    Checked,
    Skipped,
}

/// The registers of a program.
#[derive(Clone, Copy)]
pub(super) struct Registers {
    /// How many there are.
    pub all: u32,
    /// How many of the first are set from the start.
    pub parameters: usize,
}

/// Reports what the shape of a complete program shows.
pub(super) fn check(
    machine: &Machine,
    flow: &Flow,
    variables: &[String],
    registers: Registers,
    uses: Uses,
    found: &mut Vec<Diagnostic>,
) {
    let start = flow.entry.index();
    let length = machine.code.len() - start;
    let words = (registers.all as usize).div_ceil(64).max(1);
    let fits = words.saturating_mul(length).saturating_mul(64) <= FLOW_BITS;
    let reached = if fits {
        may_be_set(machine, flow, registers.parameters, words)
    } else {
        Reached { start, words: 0, bits: Vec::new(), visited: visited(machine, flow, length) }
    };
    for step in &flow.steps {
        let first_unreached = step.before.is_none_or(|before| reached.visits(before));
        if !reached.visits(step.pc) && first_unreached {
            found.push(
                Diagnostic::new(Code::Unreachable, step.at, "nothing ever comes to this step")
                    .label("what stands before it never goes on"),
            );
        }
    }
    for (pc, register, at) in &flow.uses {
        let looked_at = uses == Uses::Checked && fits;
        if looked_at && reached.visits(*pc) && !reached.is_set(*pc, *register) {
            let name = variables.get(register.index()).map_or("?", String::as_str);
            found.push(
                Diagnostic::new(
                    Code::UsedBeforeSet,
                    *at,
                    format!("`{name}` is used before it can have been set"),
                )
                .label("on every way here it is still `none`"),
            );
        }
    }
}

/// For each place of a program, whether it is reachable and which variables may be set there.
struct Reached {
    start: usize,
    words: usize,
    bits: Vec<u64>,
    visited: Vec<bool>,
}

impl Reached {
    fn visits(&self, pc: Pc) -> bool {
        self.visited.get(pc.index() - self.start).copied().unwrap_or(false)
    }

    fn is_set(&self, pc: Pc, register: Register) -> bool {
        let at = (pc.index() - self.start) * self.words + register.index() / 64;
        self.bits[at] & (1 << (register.index() % 64)) != 0
    }
}

fn visited(machine: &Machine, flow: &Flow, length: usize) -> Vec<bool> {
    let start = flow.entry.index();
    let mut visited = vec![false; length];
    for pc in reachable(&machine.code, [flow.entry], Edges::AsWritten) {
        visited[pc.index() - start] = true;
    }
    visited
}

/// Goes over the program until nothing changes: a variable may be set at a place if it may be set at
/// a place before it.
fn may_be_set(machine: &Machine, flow: &Flow, parameters: usize, words: usize) -> Reached {
    let start = flow.entry.index();
    let length = machine.code.len() - start;
    let mut reached =
        Reached { start, words, bits: vec![0; words * length], visited: vec![false; length] };
    for parameter in 0..parameters {
        reached.bits[parameter / 64] |= 1 << (parameter % 64);
    }
    reached.visited[0] = true;
    let mut open = vec![flow.entry];
    let mut next = Vec::new();
    let mut here = vec![0; words];
    while let Some(pc) = open.pop() {
        let at = pc.index() - start;
        here.copy_from_slice(&reached.bits[at * words..(at + 1) * words]);
        let op = &machine.code[pc.index()];
        for register in op.writes() {
            here[register.index() / 64] |= 1 << (register.index() % 64);
        }
        next.clear();
        Edges::AsWritten.behind(&machine.code, pc, &mut next);
        for successor in &next {
            let to = successor.index() - start;
            let mut changed = !std::mem::replace(&mut reached.visited[to], true);
            for (there, more) in reached.bits[to * words..(to + 1) * words].iter_mut().zip(&here) {
                changed |= *there | more != *there;
                *there |= more;
            }
            if changed {
                open.push(*successor);
            }
        }
    }
    reached
}
