//! Strongly connected components of the states: where a system can go round for ever.
//!
//! Tarjan's algorithm with a stack of its own. Ways on are made again and not kept: they are known by
//! then, and looking them up costs less than the memory to keep them.

use crate::space::{Edge, Space};

/// The component of each state. A component has a higher number than all that can be reached from it.
pub(super) struct Components {
    pub of: Vec<u32>,
    pub count: u32,
}

const UNSEEN: u32 = u32::MAX;

struct Frame {
    state: u32,
    /// Where its ways on begin in the list of all that are open.
    next: usize,
    end: usize,
}

/// The components of these states, by ways that `keep` lets through.
pub(super) fn components(
    space: &mut Space,
    roots: impl Iterator<Item = u32>,
    mut keep: impl FnMut(&Space, &Edge) -> bool,
) -> Components {
    let states = space.states();
    let mut order = vec![UNSEEN; states];
    let mut low = vec![0; states];
    let mut of = vec![UNSEEN; states];
    let mut count = 0;
    let mut seen = 0;
    let mut stack: Vec<u32> = Vec::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut targets: Vec<u32> = Vec::new();
    let mut edges = Vec::new();
    for root in roots {
        if order[root as usize] != UNSEEN {
            continue;
        }
        let mut enter = Some(root);
        loop {
            if let Some(state) = enter.take() {
                order[state as usize] = seen;
                low[state as usize] = seen;
                seen += 1;
                stack.push(state);
                edges.clear();
                space.expand(state, &mut edges);
                let next = targets.len();
                targets.extend(edges.iter().filter(|edge| keep(space, edge)).map(|edge| edge.to));
                frames.push(Frame { state, next, end: targets.len() });
            }
            let Some(frame) = frames.last_mut() else { break };
            let state = frame.state as usize;
            if frame.next < frame.end {
                let to = targets[frame.next] as usize;
                frame.next += 1;
                if order[to] == UNSEEN {
                    enter = Some(to as u32);
                } else if of[to] == UNSEEN {
                    low[state] = low[state].min(order[to]);
                }
                continue;
            }
            if low[state] == order[state] {
                while let Some(member) = stack.pop() {
                    of[member as usize] = count;
                    if member as usize == state {
                        break;
                    }
                }
                count += 1;
            }
            let done = frames.pop().expect("a frame is open");
            targets.truncate(frames.last().map_or(0, |frame| frame.end));
            if let Some(before) = frames.last() {
                let before = before.state as usize;
                low[before] = low[before].min(low[done.state as usize]);
            }
        }
    }
    Components { of, count }
}

impl Components {
    /// The states of each component that can go round, by component.
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
