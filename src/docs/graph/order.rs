//! The order of nodes within their layers: few crossings.

use super::layers::{Dag, index};

/// The graph with every edge cut into pieces from one layer to the next. Vertices from `real` on are bends: an edge that spans
/// layers runs through one in each, and the edges of one parent share theirs.
pub(super) struct Layered {
    pub(super) real: usize,
    pub(super) layer: Vec<u32>,
    pub(super) left: Vec<Vec<u32>>,
    pub(super) right: Vec<Vec<u32>>,
    /// Vertices by layer, in order.
    pub(super) order: Vec<Vec<u32>>,
    /// Of each node the first of its bends, which lie one behind the other; `u32::MAX` where it has none.
    first_bend: Vec<u32>,
}

impl Layered {
    pub(super) fn new(dag: &Dag, layers: &[u32]) -> Self {
        let real = dag.len();
        let mut this = Self {
            real,
            layer: layers.to_vec(),
            left: vec![Vec::new(); real],
            right: vec![Vec::new(); real],
            order: Vec::new(),
            first_bend: vec![u32::MAX; real],
        };
        for node in 0..real {
            this.cut(node, &dag.children[node]);
        }
        this.order = vec![Vec::new(); this.layer.iter().max().map_or(0, |last| *last as usize + 1)];
        this.first_order(dag);
        this
    }

    fn cut(&mut self, node: usize, children: &[u32]) {
        let start = self.layer[node];
        let Some(last) = children.iter().map(|&child| self.layer[child as usize]).max() else { return };
        let first = index(self.layer.len());
        let mut before = index(node);
        for layer in start + 1..last {
            let bend = index(self.layer.len());
            self.layer.push(layer);
            self.left.push(Vec::new());
            self.right.push(Vec::new());
            self.join(before, bend);
            before = bend;
        }
        if last > start + 1 {
            self.first_bend[node] = first;
        }
        for &child in children {
            let steps = self.layer[child as usize] - start;
            let from = if steps == 1 { index(node) } else { first + steps - 2 };
            self.join(from, child);
        }
    }

    fn join(&mut self, from: u32, to: u32) {
        self.right[from as usize].push(to);
        self.left[to as usize].push(from);
    }

    /// The bends between a node and its child, from the left.
    pub(super) fn bends(&self, from: usize, to: usize) -> std::ops::Range<u32> {
        let first = self.first_bend[from];
        let steps = self.layer[to] - self.layer[from];
        if first == u32::MAX || steps < 2 { 0..0 } else { first..first + steps - 1 }
    }

    /// Connected parts one below the other; within a part as a walk along the edges meets the vertices.
    fn first_order(&mut self, dag: &Dag) {
        let parts = dag.parts();
        let mut starts: Vec<u32> = (0..index(self.real)).collect();
        starts.sort_by_key(|&node| (parts[node as usize], self.layer[node as usize], node));
        let mut seen = vec![false; self.layer.len()];
        for start in starts {
            let mut open = vec![start];
            while let Some(vertex) = open.pop() {
                if std::mem::replace(&mut seen[vertex as usize], true) {
                    continue;
                }
                self.order[self.layer[vertex as usize] as usize].push(vertex);
                let next = self.left[vertex as usize].iter().chain(&self.right[vertex as usize]);
                open.extend(next.rev().filter(|next| !seen[**next as usize]));
            }
        }
    }

    /// Sorts layers by where the neighbours stand, from the left and from the right in turn, and keeps the best order.
    pub(super) fn sweep(&mut self, rounds: usize) {
        let mut position = self.positions();
        let mut best = (self.crossings(&position), self.order.clone());
        for _ in 0..rounds {
            for layer in 1..self.order.len() {
                sort_layer(&mut self.order[layer], &self.left, &mut position);
            }
            for layer in (0..self.order.len().saturating_sub(1)).rev() {
                sort_layer(&mut self.order[layer], &self.right, &mut position);
            }
            let crossings = self.crossings(&position);
            if crossings < best.0 {
                best = (crossings, self.order.clone());
            } else if best.0 == 0 {
                break;
            }
        }
        self.order = best.1;
    }

    /// Swaps neighbours while that takes crossings away: for graphs small enough to be read node by node.
    pub(super) fn untangle(&mut self) {
        let mut position = self.positions();
        for _ in 0..8 {
            let mut better = false;
            for layer in &mut self.order {
                for at in 1..layer.len() {
                    let (above, below) = (layer[at - 1] as usize, layer[at] as usize);
                    let count = |first: usize, second: usize| {
                        pair_crossings(&self.left[first], &self.left[second], &position)
                            + pair_crossings(&self.right[first], &self.right[second], &position)
                    };
                    if count(below, above) < count(above, below) {
                        layer.swap(at - 1, at);
                        position.swap(above, below);
                        better = true;
                    }
                }
            }
            if !better {
                return;
            }
        }
    }

    pub(super) fn positions(&self) -> Vec<u32> {
        let mut position = vec![0; self.layer.len()];
        for layer in &self.order {
            for (at, &vertex) in layer.iter().enumerate() {
                position[vertex as usize] = index(at);
            }
        }
        position
    }

    /// How many pairs of pieces cross.
    pub(super) fn crossings(&self, position: &[u32]) -> u64 {
        let mut total = 0;
        let mut ends = Vec::new();
        for pair in self.order.windows(2) {
            let mut tree = vec![0_u32; pair[1].len() + 1];
            let mut seen = 0_u64;
            for &vertex in &pair[0] {
                ends.clear();
                ends.extend(self.right[vertex as usize].iter().map(|&to| position[to as usize]));
                for &end in &ends {
                    total += seen - count_up_to(&tree, end);
                }
                for &end in &ends {
                    add_at(&mut tree, end);
                    seen += 1;
                }
            }
        }
        total
    }
}

/// A Fenwick tree: how many ends were noted at this position or above it.
fn count_up_to(tree: &[u32], position: u32) -> u64 {
    let mut at = position as usize + 1;
    let mut sum = 0;
    while at > 0 {
        sum += u64::from(tree[at]);
        at &= at - 1;
    }
    sum
}

fn add_at(tree: &mut [u32], position: u32) {
    let mut at = position as usize + 1;
    while at < tree.len() {
        tree[at] += 1;
        at += at & at.wrapping_neg();
    }
}

/// A vertex without neighbours on that side stays with the one above it.
#[expect(clippy::cast_precision_loss, reason = "positions are far below 2^24 in any layer that is drawn")]
fn sort_layer(layer: &mut [u32], neighbours: &[Vec<u32>], position: &mut [u32]) {
    let mut above = -1.0_f32;
    let mut keyed: Vec<(f32, u32)> = Vec::with_capacity(layer.len());
    for &vertex in layer.iter() {
        let around = &neighbours[vertex as usize];
        if !around.is_empty() {
            let sum: u64 = around.iter().map(|&next| u64::from(position[next as usize])).sum();
            above = sum as f32 / around.len() as f32;
        }
        keyed.push((above, vertex));
    }
    keyed.sort_by(|first, second| first.0.total_cmp(&second.0));
    for (at, (_, vertex)) in keyed.into_iter().enumerate() {
        layer[at] = vertex;
        position[vertex as usize] = index(at);
    }
}

fn pair_crossings(above: &[u32], below: &[u32], position: &[u32]) -> usize {
    let lower = |from: &u32| below.iter().filter(|to| position[**to as usize] < position[*from as usize]).count();
    above.iter().map(lower).sum()
}
