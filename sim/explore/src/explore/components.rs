//! Strongly connected components of the states: where a system can cycle for ever.
//!
//! Tarjan's algorithm with an explicit stack. Transitions are recomputed, not stored: they are in
//! the transition cache by then, and looking them up costs less than the memory to keep them.

use crate::space::{Edge, Space};

/// The component of each state. A component has a higher number than all components reachable from it.
pub(super) struct Components {
    pub of: Vec<u32>,
    pub count: u32,
}

const UNSEEN: u32 = u32::MAX;

struct Frame {
    state: u32,
    /// Its next transition in the list of open targets.
    next: usize,
    end: usize,
}

/// The components of these states under the transitions that `keep` accepts; `None` if cancelled.
pub(super) fn components(
    space: &mut Space,
    roots: impl Iterator<Item = u32>,
    mut keep: impl FnMut(&Space, &Edge) -> bool,
) -> Option<Components> {
    let mut walk = Walk::new(space.states());
    for root in roots {
        if walk.order[root as usize] == UNSEEN {
            space.go_on()?;
            walk.enter(space, root, &mut keep);
            while let Some(next) = walk.go_on() {
                if let Some(state) = next {
                    space.go_on()?;
                    walk.enter(space, state, &mut keep);
                }
            }
        }
    }
    Some(Components { of: walk.of, count: walk.count })
}

/// A depth-first walk over the states.
struct Walk {
    /// When each state was entered.
    order: Vec<u32>,
    /// The earliest state of its component known to be reachable from each (Tarjan's lowlink).
    low: Vec<u32>,
    of: Vec<u32>,
    count: u32,
    entered: u32,
    /// States whose component is not yet complete.
    stack: Vec<u32>,
    frames: Vec<Frame>,
    /// The targets of all frames' transitions.
    targets: Vec<u32>,
    edges: Vec<Edge>,
}

impl Walk {
    fn new(states: usize) -> Self {
        Self {
            order: vec![UNSEEN; states],
            low: vec![0; states],
            of: vec![UNSEEN; states],
            count: 0,
            entered: 0,
            stack: Vec::new(),
            frames: Vec::new(),
            targets: Vec::new(),
            edges: Vec::new(),
        }
    }

    fn enter(
        &mut self,
        space: &mut Space,
        state: u32,
        keep: &mut impl FnMut(&Space, &Edge) -> bool,
    ) {
        self.order[state as usize] = self.entered;
        self.low[state as usize] = self.entered;
        self.entered += 1;
        self.stack.push(state);
        self.edges.clear();
        space.expand(state, &mut self.edges);
        let next = self.targets.len();
        let kept = self.edges.iter().filter(|edge| keep(space, edge)).map(|edge| edge.to);
        self.targets.extend(kept);
        self.frames.push(Frame { state, next, end: self.targets.len() });
    }

    /// Follows a transition, or leaves a state with none left. Returns the state to enter, if one
    /// was found; `None` at the end.
    fn go_on(&mut self) -> Option<Option<u32>> {
        let frame = self.frames.last_mut()?;
        let state = frame.state as usize;
        if frame.next == frame.end {
            self.leave(state);
            return Some(None);
        }
        let to = self.targets[frame.next] as usize;
        frame.next += 1;
        if self.order[to] == UNSEEN {
            return Some(Some(to as u32));
        }
        if self.of[to] == UNSEEN {
            self.low[state] = self.low[state].min(self.order[to]);
        }
        Some(None)
    }

    fn leave(&mut self, state: usize) {
        if self.low[state] == self.order[state] {
            while let Some(member) = self.stack.pop() {
                self.of[member as usize] = self.count;
                if member as usize == state {
                    break;
                }
            }
            self.count += 1;
        }
        self.frames.pop();
        self.targets.truncate(self.frames.last().map_or(0, |frame| frame.end));
        if let Some(before) = self.frames.last() {
            let before = before.state as usize;
            self.low[before] = self.low[before].min(self.low[state]);
        }
    }
}

impl Components {
    /// The states of each component that contains a cycle, by component.
    pub(super) fn circles(&self, first: u32, goes_round: &[bool]) -> Vec<Vec<u32>> {
        let mut members: Vec<Vec<u32>> = Vec::new();
        let mut place = vec![UNSEEN; self.count as usize];
        for state in first..self.of.len() as u32 {
            let component = self.of[state as usize];
            if component == UNSEEN || !goes_round[component as usize] {
                continue;
            }
            if place[component as usize] == UNSEEN {
                place[component as usize] = members.len() as u32;
                members.push(Vec::new());
            }
            members[place[component as usize] as usize].push(state);
        }
        members
    }
}
