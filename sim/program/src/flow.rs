//! The flow graph of a program: where a thread can go from each place.

use std::collections::BTreeSet;

use crate::effects::Effect;
use crate::expr::Expr;
use crate::ids::Pc;
use crate::op::{Op, behind};
use crate::outcome::Outcome;
use crate::parts::{Command, Target};
use crate::value::Value;
use crate::verb::Verb;

/// Which steps from one operation to the next count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edges {
    /// All that are possible, whatever conditions evaluate to. Where a thread starts another one, the first step of the new
    /// thread also counts, and so does that of a program that its process goes on with. What a child does that it forks is not
    /// its own doing.
    Possible,
    /// Those that the text of the program does not rule out: a condition may be the constant `true`, a loop may have no
    /// rounds, and a process that kills itself does not go on. What is written for a child that is forked also counts, and
    /// another program does not.
    AsWritten,
}

impl Edges {
    /// The places that can come next after one.
    pub fn behind(self, code: &[Op], pc: Pc, to: &mut Vec<Pc>) {
        match (&code[pc.index()], self) {
            (Op::Unless(Expr::Constant(Value::True), _), Edges::AsWritten) => to.push(pc.next()),
            (Op::Unless(Expr::Constant(Value::False), other), Edges::AsWritten) => to.push(*other),
            (Op::RepeatStart { rounds: Expr::Constant(Value::Int(0)), .. }, Edges::AsWritten) => {
                to.push(behind(code, pc));
            }
            (Op::Call(call), Edges::AsWritten) if kills_itself(&call.verb) => {}
            (op @ Op::Call(call), Edges::AsWritten) => {
                op.successors(pc, to);
                call.verb.effects(&mut |effect| match effect {
                    Effect::Forks(Some(entry)) => to.push(entry),
                    Effect::Replaces(image) => to.retain(|place| *place != image.entry),
                    _ => {}
                });
            }
            (op, _) => op.successors(pc, to),
        }
    }
}

fn kills_itself(verb: &Verb) -> bool {
    let me = |target: &Target| matches!(target, Target::Processes(Expr::Me));
    verb.may(|effect| matches!(effect, Effect::Commands(Command::Kill, target) if me(target)))
}

impl Op {
    /// Where a thread could be after this operation, which stands at `pc`: see [`Edges::Possible`].
    pub fn successors(&self, pc: Pc, to: &mut Vec<Pc>) {
        match self {
            Op::Jump(target) => to.push(*target),
            Op::Unless(_, target) => to.extend([pc.next(), *target]),
            Op::RepeatNext { end, .. } | Op::ForNext { end, .. } => to.extend([pc.next(), *end]),
            Op::Choose(branches) => to.extend(branches),
            Op::Set(..)
            | Op::RepeatStart { .. }
            | Op::Compute(_)
            | Op::Log(_)
            | Op::Assert(_)
            | Op::Access(_) => to.push(pc.next()),
            Op::Call(call) => {
                let returns = call.verb.may_return();
                let handlers = call.handlers.iter();
                let taken = handlers.filter(|(outcome, _)| returns || *outcome != Outcome::Ok);
                to.extend(taken.map(|(_, handler)| *handler));
                if returns && call.handler(Outcome::Ok).is_none() {
                    to.push(pc.next());
                }
                self.effects(&mut |effect| match effect {
                    Effect::Starts(_, entry) => to.push(entry),
                    Effect::Replaces(image) => to.push(image.entry),
                    _ => {}
                });
            }
            Op::End => {}
        }
    }
}

/// Whether a walk over code goes on after a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walking {
    /// It does.
    On,
    /// It stops there.
    No,
}

/// Visits code that a thread could reach, each place once. It can be reused for the same code; a walk then costs no
/// more than the places that it visits.
pub struct Tour {
    /// For each place, the number of the last walk that visited it.
    visited: Vec<u32>,
    walk: u32,
    open: Vec<Pc>,
}

impl Tour {
    /// For code of this length.
    pub fn over(code: &[Op]) -> Self {
        Self { visited: vec![0; code.len()], walk: 0, open: Vec::new() }
    }

    /// Visits everything that follows from these places, as far as `look` says.
    pub fn walk<'c>(
        &mut self,
        code: &'c [Op],
        from: impl IntoIterator<Item = Pc>,
        edges: Edges,
        mut look: impl FnMut(Pc, &'c Op) -> Walking,
    ) {
        self.walk += 1;
        self.open.extend(from);
        while let Some(pc) = self.open.pop() {
            if std::mem::replace(&mut self.visited[pc.index()], self.walk) == self.walk {
                continue;
            }
            if look(pc, &code[pc.index()]) == Walking::On {
                edges.behind(code, pc, &mut self.open);
            }
        }
    }
}

/// Every place that a thread could reach from these. The cost does not depend on the length of the whole code.
pub fn reachable(code: &[Op], from: impl IntoIterator<Item = Pc>, edges: Edges) -> BTreeSet<Pc> {
    let mut open: Vec<Pc> = from.into_iter().collect();
    let mut places = BTreeSet::new();
    while let Some(pc) = open.pop() {
        if places.insert(pc) {
            edges.behind(code, pc, &mut open);
        }
    }
    places
}

/// A backward data-flow analysis: finds for each place a fact that follows from the code ahead of it. `update` computes
/// the fact of a place from those of the places that come next. Facts may only grow, so that the analysis terminates.
pub fn look_ahead<F: PartialEq>(
    code: &[Op],
    nothing: impl Fn() -> F,
    update: impl Fn(Pc, &Op, &[F]) -> F,
) -> Vec<F> {
    let mut before: Vec<Vec<Pc>> = vec![Vec::new(); code.len()];
    let mut next = Vec::new();
    for pc in (0..code.len()).map(Pc::at) {
        next.clear();
        Edges::Possible.behind(code, pc, &mut next);
        code[pc.index()].effects(&mut |effect| {
            if let Effect::Forks(Some(entry)) = effect {
                next.push(entry);
            }
        });
        for to in &next {
            before[to.index()].push(pc);
        }
    }
    let mut facts: Vec<F> = std::iter::repeat_with(nothing).take(code.len()).collect();
    let mut open: Vec<Pc> = (0..code.len()).map(Pc::at).collect();
    while let Some(pc) = open.pop() {
        let fact = update(pc, &code[pc.index()], &facts);
        if fact != facts[pc.index()] {
            facts[pc.index()] = fact;
            open.extend(&before[pc.index()]);
        }
    }
    facts
}
