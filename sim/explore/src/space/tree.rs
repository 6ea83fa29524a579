//! Visited states, exactly and in little space.
//!
//! A state is a row of small numbers, one for each of its parts. Neighbours are put together in pairs,
//! pairs of pairs again, up to one pair for the whole state; equal pairs are kept once. States differ
//! in few parts, so they share almost everything, and one more state costs little more than its last
//! pair. (Tree compression, as in `LTSmin`: Laarman, van de Pol, Weber, "Parallel recursive state
//! compression for free", 2011.)

use super::pairs::{Pairs, pair};

/// The visited states.
pub(super) struct Tree {
    /// How many parts a state has, rounded up to a power of two.
    width: usize,
    inner: Pairs,
    states: Pairs,
    touched: Vec<(usize, u32)>,
}

/// A state taken apart: the nodes of its tree, the topmost at 1, its parts from `width` on.
pub(super) struct Row {
    nodes: Vec<u32>,
}

impl Row {
    /// The number of the part at a position.
    pub(super) fn part(&self, position: usize) -> u32 {
        self.nodes[self.nodes.len() / 2 + position]
    }

    /// All parts, and what fills them up.
    pub(super) fn parts(&self) -> &[u32] {
        &self.nodes[self.nodes.len() / 2..]
    }
}

impl Tree {
    /// A tree for states of so many parts.
    pub(super) fn new(parts: usize) -> Self {
        let width = parts.next_power_of_two().max(2);
        Self { width, inner: Pairs::new(), states: Pairs::new(), touched: Vec::new() }
    }

    pub(super) fn row(&self) -> Row {
        Row { nodes: vec![0; 2 * self.width] }
    }

    pub(super) fn states(&self) -> usize {
        self.states.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.states.bytes() + self.inner.bytes()
    }

    /// Puts a whole row in.
    pub(super) fn insert(&mut self, parts: &[u32]) -> (u32, bool) {
        let mut row = self.row();
        row.nodes[self.width..self.width + parts.len()].copy_from_slice(parts);
        for node in (2..self.width).rev() {
            row.nodes[node] =
                self.inner.insert(pair(row.nodes[2 * node], row.nodes[2 * node + 1])).0;
        }
        self.states.insert(pair(row.nodes[2], row.nodes[3]))
    }

    /// Takes a state apart.
    pub(super) fn unfold(&self, state: u32, row: &mut Row) {
        (row.nodes[2], row.nodes[3]) = self.states.get(state);
        for node in 2..self.width {
            (row.nodes[2 * node], row.nodes[2 * node + 1]) = self.inner.get(row.nodes[node]);
        }
    }

    /// The number of the state that differs from the row in these parts, and whether it is new.
    pub(super) fn insert_changed(&mut self, row: &mut Row, changes: &[(u32, u32)]) -> (u32, bool) {
        let nodes = &mut row.nodes;
        self.touched.clear();
        for (position, part) in changes {
            let at = self.width + *position as usize;
            self.touched.push((at, nodes[at]));
            nodes[at] = *part;
        }
        // Level by level: whoever has a changed child is changed.
        let mut from = 0;
        loop {
            let to = self.touched.len();
            for place in from..to {
                let parent = self.touched[place].0 / 2;
                let known = self.touched[to..].iter().any(|(at, _)| *at == parent);
                if parent > 1 && !known {
                    let node = self.inner.insert(pair(nodes[2 * parent], nodes[2 * parent + 1])).0;
                    self.touched.push((parent, nodes[parent]));
                    nodes[parent] = node;
                }
            }
            if self.touched.len() == to {
                break;
            }
            from = to;
        }
        let result = self.states.insert(pair(nodes[2], nodes[3]));
        for (at, before) in &self.touched {
            nodes[*at] = *before;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_row_is_the_state_that_a_whole_one_is() {
        let mut tree = Tree::new(5);
        let (first, _) = tree.insert(&[1, 2, 3, 4, 5]);
        let (second, new) = tree.insert(&[1, 9, 3, 4, 8]);
        assert!(new);
        let mut row = tree.row();
        tree.unfold(first, &mut row);
        assert_eq!(row.parts(), [1, 2, 3, 4, 5, 0, 0, 0]);
        assert_eq!(tree.insert_changed(&mut row, &[(1, 9), (4, 8)]), (second, false));
        assert_eq!(row.parts(), [1, 2, 3, 4, 5, 0, 0, 0]);
        let (third, new) = tree.insert_changed(&mut row, &[(0, 7)]);
        assert!(new);
        tree.unfold(third, &mut row);
        assert_eq!(row.parts(), [7, 2, 3, 4, 5, 0, 0, 0]);
    }
}
