//! Strongly connected components of the states: where a system can cycle for ever.
//!
//! Pearce's algorithm, which needs a single number for each state (D. J. Pearce, "A space-efficient algorithm for finding
//! strongly connected components", 2016), with an explicit stack. Transitions are recomputed, not stored: they are in the
//! transition cache by then, and looking them up costs less than the memory to keep them.

use crate::space::{Edge, Space};

/// The component of each state. A component has a higher number than all components reachable from it.
pub(super) struct Components {
    pub of: Vec<u32>,
    pub count: u32,
}

/// The component of a state that was not reached.
pub(super) const UNSEEN: u32 = u32::MAX;

/// The components of these states under the transitions that `keep` accepts; `None` if cancelled.
pub(super) fn components(
    space: &mut Space,
    roots: impl Iterator<Item = u32>,
    mut keep: impl FnMut(&Space, &Edge) -> bool,
) -> Option<Components> {
    let mut edges = Vec::new();
    components_of(space.states(), roots, |state, targets| {
        space.go_on()?;
        edges.clear();
        space.expand(state, &mut edges);
        targets.extend(edges.iter().filter(|edge| keep(space, edge)).map(|edge| edge.to));
        Some(())
    })
}

/// The components of these states, of so many, where `lead` lists the states to which transitions lead from a state; `None` if
/// it gives up.
pub(super) fn components_of(
    states: usize,
    roots: impl Iterator<Item = u32>,
    mut lead: impl FnMut(u32, &mut Vec<u32>) -> Option<()>,
) -> Option<Components> {
    let mut walk = Walk::over(states);
    for root in roots {
        if walk.rank[root as usize] == 0 {
            walk.enter(root, &mut lead)?;
            while !walk.frames.is_empty() {
                if let Some(state) = walk.go_on() {
                    walk.enter(state, &mut lead)?;
                }
            }
        }
    }
    Some(walk.components())
}

/// A depth-first walk over the states.
struct Walk {
    /// 0 for a state that was not entered. For one whose component is not complete: when the earliest state was entered that is
    /// known to be in the same component, from 1. Otherwise the number of its component, from the number of states down.
    rank: Vec<u32>,
    /// The ranks of the next state to be entered, and of the next complete component.
    next: u32,
    next_component: u32,
    /// States that were left though their component is not complete.
    open: Vec<u32>,
    frames: Vec<Frame>,
    /// The targets of all frames' transitions.
    targets: Vec<u32>,
}

struct Frame {
    state: u32,
    /// Its next transition in the list of targets.
    next: usize,
    end: usize,
    /// Whether no earlier state is known to be in its component.
    is_root: bool,
}

impl Walk {
    fn over(states: usize) -> Self {
        Self {
            rank: vec![0; states],
            next: 1,
            next_component: u32::try_from(states).expect("states have small numbers"),
            open: Vec::new(),
            frames: Vec::new(),
            targets: Vec::new(),
        }
    }

    fn enter(
        &mut self,
        state: u32,
        lead: &mut impl FnMut(u32, &mut Vec<u32>) -> Option<()>,
    ) -> Option<()> {
        self.rank[state as usize] = self.next;
        self.next += 1;
        let next = self.targets.len();
        lead(state, &mut self.targets)?;
        self.frames.push(Frame { state, next, end: self.targets.len(), is_root: true });
        Some(())
    }

    /// Follows a transition, or leaves a state with none left. Returns the state to enter, if one was found; its transition is
    /// followed again afterwards.
    fn go_on(&mut self) -> Option<u32> {
        let frame = self.frames.last_mut()?;
        if frame.next == frame.end {
            self.leave();
            return None;
        }
        let to = self.targets[frame.next];
        let rank = self.rank[to as usize];
        if rank == 0 {
            return Some(to);
        }
        frame.next += 1;
        // Complete components have higher ranks than all states that are open.
        if rank < self.rank[frame.state as usize] {
            self.rank[frame.state as usize] = rank;
            frame.is_root = false;
        }
        None
    }

    fn leave(&mut self) {
        let Some(Frame { state, is_root, .. }) = self.frames.pop() else { return };
        self.targets.truncate(self.frames.last().map_or(0, |frame| frame.end));
        if !is_root {
            self.open.push(state);
            return;
        }
        let rank = self.rank[state as usize];
        let mut member = Some(state);
        while let Some(state) = member {
            self.rank[state as usize] = self.next_component;
            self.next -= 1;
            member = self.open.pop_if(|other| rank <= self.rank[*other as usize]);
        }
        self.next_component -= 1;
    }

    fn components(self) -> Components {
        let states = self.rank.len() as u32;
        let of = |rank: u32| if rank == 0 { UNSEEN } else { states - rank };
        Components {
            of: self.rank.into_iter().map(of).collect(),
            count: states - self.next_component,
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

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: u32 = 4;

    /// In each of all graphs with four states: two states are in one component if each leads to the other, and a component
    /// has a higher number than what is reachable from it.
    #[test]
    fn components_are_what_leads_to_itself() {
        for graph in 0..1_u32 << (STATES * STATES) {
            let leads = |from: u32, to: u32| graph >> (from * STATES + to) & 1 == 1;
            let mut reaches = [[false; STATES as usize]; STATES as usize];
            for (from, to) in (0..STATES).flat_map(|from| (0..STATES).map(move |to| (from, to))) {
                reaches[from as usize][to as usize] = from == to || leads(from, to);
            }
            for by in 0..STATES as usize {
                for from in 0..STATES as usize {
                    for to in 0..STATES as usize {
                        reaches[from][to] |= reaches[from][by] && reaches[by][to];
                    }
                }
            }
            let found = components_of(STATES as usize, 0..STATES, |from, targets| {
                targets.extend((0..STATES).filter(|to| leads(from, *to)));
                Some(())
            });
            let Components { of, count } = found.expect("nobody gives up");
            assert!(of.iter().all(|component| *component < count));
            for one in 0..STATES as usize {
                for other in 0..STATES as usize {
                    let both = reaches[one][other] && reaches[other][one];
                    assert_eq!(of[one] == of[other], both, "{graph:b}: {of:?}");
                    assert!(!reaches[one][other] || of[one] >= of[other], "{graph:b}: {of:?}");
                }
            }
        }
    }

    #[test]
    fn what_no_root_leads_to_is_in_no_component() {
        let found = components_of(3, std::iter::once(1), |from, targets| {
            targets.extend((from == 1).then_some(2));
            Some(())
        });
        assert_eq!(found.map(|found| found.of), Some(vec![UNSEEN, 1, 0]));
    }
}
