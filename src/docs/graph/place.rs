//! Heights: where each vertex of an ordered layer stands, near its neighbours and never upon another.

use super::order::Layered;

/// How much room things take, in rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// A bend of an edge that passes a layer.
    pub(super) bend: f32,
    /// How many rows a layer may have before it is wrapped into columns side by side.
    pub(super) rows: usize,
}

/// Vertices of one layer that stand in one row: nodes side by side, or one bend.
struct Row {
    members: Vec<u32>,
    height: f32,
}

/// The height of each vertex's middle, and for nodes the column within its layer.
pub(super) fn place(graph: &Layered, heights: &[f32], room: Room) -> (Vec<f32>, Vec<u32>) {
    let mut column = vec![0; graph.real];
    let mut y = vec![0.0_f32; graph.layer.len()];
    let layers: Vec<Vec<Row>> = graph.order.iter().map(|order| rows(graph, order, heights, room, &mut column)).collect();
    for layer in &layers {
        let total: f32 = layer.iter().map(|row| row.height).sum();
        let mut top = -total / 2.0;
        for row in layer {
            row.members.iter().for_each(|&member| y[member as usize] = top + row.height / 2.0);
            top += row.height;
        }
    }
    for round in 0..6 {
        let both = round >= 4;
        for layer in layers.iter().skip(1) {
            settle(layer, &mut y, |vertex| pull(graph, vertex, true, both));
        }
        for layer in layers.iter().rev().skip(1) {
            settle(layer, &mut y, |vertex| pull(graph, vertex, both, true));
        }
    }
    (y, column)
}

/// Cuts a layer into rows. A bend that falls into the middle of a row comes after it.
fn rows(graph: &Layered, order: &[u32], heights: &[f32], room: Room, column: &mut [u32]) -> Vec<Row> {
    let real = |vertex: &&u32| (**vertex as usize) < graph.real;
    let wide = order.iter().filter(real).count().div_ceil(room.rows.max(1)).max(1);
    let mut rows: Vec<Row> = Vec::new();
    let mut open: Vec<u32> = Vec::new();
    let mut bends: Vec<u32> = Vec::new();
    let mut close = |open: &mut Vec<u32>, bends: &mut Vec<u32>| {
        if !open.is_empty() {
            let height = open.iter().map(|&node| heights[node as usize]).fold(0.0, f32::max);
            open.iter().zip(0..).for_each(|(&node, at)| column[node as usize] = at);
            rows.push(Row { members: std::mem::take(open), height });
        }
        rows.extend(bends.drain(..).map(|bend| Row { members: vec![bend], height: room.bend }));
    };
    for vertex in order {
        if real(&vertex) {
            open.push(*vertex);
            if open.len() == wide {
                close(&mut open, &mut bends);
            }
        } else {
            bends.push(*vertex);
            if open.is_empty() {
                close(&mut open, &mut bends);
            }
        }
    }
    close(&mut open, &mut bends);
    rows
}

/// The neighbours a vertex wants to be near, and how strongly: edges that pass layers shall be straight.
fn pull(graph: &Layered, vertex: u32, from_left: bool, from_right: bool) -> (f32, impl Iterator<Item = u32>) {
    let at = vertex as usize;
    let left = graph.left[at].iter().filter(move |_| from_left);
    let right = graph.right[at].iter().filter(move |_| from_right);
    (if at >= graph.real { 4.0 } else { 1.0 }, left.chain(right).copied())
}

/// Moves the rows of one layer as near to their neighbours as their order and heights allow: the least sum of squares, by
/// pooling rows that push each other (isotonic regression).
fn settle<I: Iterator<Item = u32>>(layer: &[Row], y: &mut [f32], pull: impl Fn(u32) -> (f32, I)) {
    // Blocks: sum of weighted wishes, weight, number of rows.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(layer.len());
    let mut offset = 0.0_f64;
    let mut offsets = Vec::with_capacity(layer.len());
    for (at, row) in layer.iter().enumerate() {
        if at > 0 {
            offset += f64::from(layer[at - 1].height + row.height) / 2.0;
        }
        offsets.push(offset);
        let (mut wish, mut weight) = (0.0_f64, 0.0_f64);
        for &member in &row.members {
            let (strength, around) = pull(member);
            let (sum, count) = around.fold((0.0_f64, 0_u32), |(sum, count), next| (sum + f64::from(y[next as usize]), count + 1));
            if count > 0 {
                let strength = f64::from(strength) * f64::from(count);
                wish += strength * (sum / f64::from(count) - offset);
                weight += strength;
            }
        }
        if weight == 0.0 {
            // Nobody pulls: it stays, and gives way to those that are pulled.
            weight = 0.01;
            wish = weight * (f64::from(y[row.members[0] as usize]) - offset);
        }
        blocks.push((wish, weight, 1));
        while let [.., above, below] = blocks.as_slice()
            && above.0 / above.1 >= below.0 / below.1
        {
            let merged = (above.0 + below.0, above.1 + below.1, above.2 + below.2);
            blocks.truncate(blocks.len() - 2);
            blocks.push(merged);
        }
    }
    let mut rows = layer.iter().zip(offsets);
    for (wish, weight, count) in blocks {
        for (row, offset) in rows.by_ref().take(count) {
            #[expect(clippy::cast_possible_truncation, reason = "heights are small numbers")]
            let height = (wish / weight + offset) as f32;
            row.members.iter().for_each(|&member| y[member as usize] = height);
        }
    }
}
