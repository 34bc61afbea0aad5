//! Which layer a node stands in: edges lead from left to right, and are as short as that allows.

/// A directed graph over `0..count`. Edges that close a cycle are left out: relationships between tables may have some.
pub(super) struct Dag {
    pub(super) parents: Vec<Vec<u32>>,
    pub(super) children: Vec<Vec<u32>>,
    /// Parents before children.
    topological: Vec<u32>,
}

impl Dag {
    pub(super) fn new(count: usize, edges: &[(u32, u32)]) -> Self {
        let mut children = vec![Vec::new(); count];
        for &(from, to) in edges {
            if from != to && (from as usize) < count && (to as usize) < count {
                children[from as usize].push(to);
            }
        }
        for list in &mut children {
            list.sort_unstable();
            list.dedup();
        }
        let topological = order_without_cycles(&mut children);
        let mut parents = vec![Vec::new(); count];
        for (from, list) in children.iter().enumerate() {
            for &to in list {
                parents[to as usize].push(index(from));
            }
        }
        Self { parents, children, topological }
    }

    pub(super) fn len(&self) -> usize {
        self.parents.len()
    }

    /// The longest path from a root decides; then whoever has no more parents than children moves towards its children.
    pub(super) fn layers(&self) -> Vec<u32> {
        let mut layers = vec![0_u32; self.len()];
        for &node in &self.topological {
            let node = node as usize;
            layers[node] = self.parents[node].iter().map(|&parent| layers[parent as usize] + 1).max().unwrap_or(0);
        }
        for &node in self.topological.iter().rev() {
            let node = node as usize;
            if self.children[node].len() >= self.parents[node].len()
                && let Some(nearest) = self.children[node].iter().map(|&child| layers[child as usize]).min()
            {
                layers[node] = nearest - 1;
            }
        }
        layers
    }

    /// The connected part each node belongs to: parts are numbered from the largest down.
    pub(super) fn parts(&self) -> Vec<u32> {
        const NONE: u32 = u32::MAX;
        let mut part = vec![NONE; self.len()];
        let mut sizes: Vec<(usize, u32)> = Vec::new();
        for start in 0..self.len() {
            if part[start] != NONE {
                continue;
            }
            let number = index(sizes.len());
            let mut open = vec![index(start)];
            part[start] = number;
            let mut size = 0;
            while let Some(node) = open.pop() {
                size += 1;
                for &next in self.parents[node as usize].iter().chain(&self.children[node as usize]) {
                    if part[next as usize] == NONE {
                        part[next as usize] = number;
                        open.push(next);
                    }
                }
            }
            sizes.push((size, number));
        }
        sizes.sort_by_key(|&(size, number)| (std::cmp::Reverse(size), number));
        let mut rank = vec![0; sizes.len()];
        for (position, (_, number)) in sizes.into_iter().enumerate() {
            rank[number as usize] = index(position);
        }
        part.into_iter().map(|number| rank[number as usize]).collect()
    }
}

/// A depth-first walk that drops the edges leading back, and gives the topological order of what is left.
fn order_without_cycles(children: &mut [Vec<u32>]) -> Vec<u32> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    let mut seen = vec![Seen::No; children.len()];
    let mut finished = Vec::with_capacity(children.len());
    for start in 0..children.len() {
        if seen[start] != Seen::No {
            continue;
        }
        seen[start] = Seen::Open;
        let mut walk = vec![(start, 0_usize)];
        while let Some((node, next)) = walk.pop() {
            let Some(&child) = children[node].get(next) else {
                seen[node] = Seen::Done;
                finished.push(index(node));
                continue;
            };
            match seen[child as usize] {
                Seen::Open => {
                    children[node].remove(next);
                    walk.push((node, next));
                }
                Seen::Done => walk.push((node, next + 1)),
                Seen::No => {
                    walk.push((node, next + 1));
                    seen[child as usize] = Seen::Open;
                    walk.push((child as usize, 0));
                }
            }
        }
    }
    finished.reverse();
    finished
}

/// Nodes are counted in 32 bits: a project of four thousand million nodes is not drawn.
pub(super) fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}
