//! A layered layout: layers from left to right, few crossings, short and straight edges, and no two nodes in one place.
//! It depends on the order of nodes and edges alone, so the same project is laid out the same way every time.

use super::layers::{Dag, index};
use super::order::Layered;
use super::place::{Room, place};

/// Where everything stands. Heights are in rows: a plain node is one row high.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Layout {
    /// The layer of each node, from the left.
    pub(super) layer: Vec<u32>,
    /// The column within the layer, which a tall layer is wrapped into.
    pub(super) column: Vec<u32>,
    /// The middle of each node.
    pub(super) y: Vec<f32>,
    /// For each edge the heights at which it passes the layers between its ends; not told of a whole project.
    pub(super) bends: Vec<Vec<f32>>,
}

/// Beyond this number of nodes nobody reads node by node: no search for the last crossing.
const READABLE: usize = 1_000;

/// How wide a node with its gap is, and what lies between two layers, measured in rows: as the page draws them.
const NODE_WIDTH: f32 = 5.2;
const BETWEEN: f32 = 6.2;

/// The layout of a graph that is read as it stands: no layer is wrapped.
pub(super) fn small(heights: &[f32], edges: &[(u32, u32)]) -> Layout {
    lay_out(heights, edges, |_| Room { bend: 0.5, rows: usize::MAX })
}

/// The layout of a whole project: tall layers are wrapped, so that it fits a screen's proportions.
pub(super) fn whole(count: usize, edges: &[(u32, u32)]) -> Layout {
    let mut place = vec![None; count];
    let mut linked = Vec::new();
    for node in edges.iter().filter(|(from, to)| from != to).flat_map(|(from, to)| [*from as usize, *to as usize]) {
        if place[node].is_none() {
            place[node] = Some(0);
        }
    }
    for (node, place) in place.iter_mut().enumerate().filter(|(_, place)| place.is_some()) {
        *place = Some(linked.len());
        linked.push(node);
    }
    let renumbered = edges.iter().filter(|(from, to)| from != to).filter_map(|(from, to)| {
        let at = |node: &u32| place[*node as usize].map(index);
        Some((at(from)?, at(to)?))
    });
    let renumbered: Vec<(u32, u32)> = renumbered.collect();
    let heights = vec![1.0; linked.len()];
    let inner = lay_out(&heights, &renumbered, |sizes| Room { bend: 0.05, rows: rows_for(sizes) });
    scatter(&place, &inner)
}

/// Nodes without any edge stand in lines below the others.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "there are fewer rows than 2^24"
)]
fn scatter(place: &[Option<usize>], inner: &Layout) -> Layout {
    let loose = place.iter().filter(|place| place.is_none()).count();
    let mut slots: Vec<(u32, u32)> = inner.layer.iter().copied().zip(inner.column.iter().copied()).collect();
    slots.sort_unstable();
    slots.dedup();
    // Alone, they make a block of about a screen's proportions.
    let least = ((loose as f32 / 3.0).sqrt().ceil() as usize).max(1);
    if inner.layer.is_empty() {
        slots = (0..index(least)).map(|column| (0, column)).collect();
    }
    let below = inner.y.iter().copied().fold(f32::MIN, f32::max);
    let top = if inner.y.is_empty() { 0.0 } else { below.ceil() + 3.0 };
    let mut layout = Layout::default();
    let mut count = 0;
    for place in place {
        let (layer, column, y) = if let Some(at) = *place {
            (inner.layer[at], inner.column[at], inner.y[at])
        } else {
            let (layer, column) = slots[count % slots.len()];
            count += 1;
            (layer, column, top + ((count - 1) / slots.len()) as f32)
        };
        layout.layer.push(layer);
        layout.column.push(column);
        layout.y.push(y);
    }
    layout
}

fn lay_out(heights: &[f32], edges: &[(u32, u32)], room: impl Fn(&[usize]) -> Room) -> Layout {
    let dag = Dag::new(heights.len(), edges);
    let layer = dag.layers();
    let mut graph = Layered::new(&dag, &layer);
    graph.sweep(if heights.len() > READABLE { 6 } else { 24 });
    if heights.len() <= READABLE {
        graph.untangle();
    }
    let mut sizes = vec![0; graph.order.len()];
    for layer in &layer {
        sizes[*layer as usize] += 1;
    }
    let (y, column) = place(&graph, heights, room(&sizes));
    let bends = edges.iter().map(|&(from, to)| {
        let (from, to) = (from as usize, to as usize);
        if layer[from] >= layer[to] { Vec::new() } else { graph.bends(from, to).map(|bend| y[bend as usize]).collect() }
    });
    let bends = bends.collect();
    Layout { layer, column, y: y[..heights.len()].to_vec(), bends }
}

/// How many rows a layer may have for the whole to be about 1.8 times as wide as it is high.
#[expect(clippy::cast_precision_loss, reason = "a rule of thumb needs no more")]
fn rows_for(sizes: &[usize]) -> usize {
    let mut rows = 24;
    loop {
        let width: usize = sizes.iter().map(|size| size.div_ceil(rows)).sum();
        let wide = width as f32 * NODE_WIDTH + sizes.len() as f32 * BETWEEN;
        // The rows of a layer do not stand close everywhere: the whole gets higher by about a half.
        if wide <= 1.8 * 1.5 * rows as f32 || rows > 100_000 {
            return rows;
        }
        rows += rows / 8;
    }
}
