//! Properties of layouts, on graphs made by chance.

use std::collections::HashMap;

use proptest::prelude::*;

use super::encoded;
use super::layers::Dag;
use super::layout::{Layout, small, whole};
use super::order::Layered;

/// Edges from lower to higher numbers: no cycles.
fn graphs() -> impl Strategy<Value = (usize, Vec<(u32, u32)>)> {
    (1_u32..60).prop_flat_map(|count| {
        let edge = (0..count, 0..count).prop_map(|(one, other)| (one.min(other), one.max(other)));
        let edges = proptest::collection::vec(edge, 0..120);
        (Just(count as usize), edges.prop_map(|edges| edges.into_iter().filter(|(from, to)| from != to).collect()))
    })
}

fn nothing_overlaps(layout: &Layout, heights: &[f32]) -> Result<(), TestCaseError> {
    let mut columns: HashMap<(u32, u32), Vec<usize>> = HashMap::new();
    for node in 0..layout.y.len() {
        columns.entry((layout.layer[node], layout.column[node])).or_default().push(node);
    }
    for column in columns.values_mut() {
        column.sort_by(|one, other| layout.y[*one].total_cmp(&layout.y[*other]));
        for pair in column.windows(2) {
            let apart = layout.y[pair[1]] - layout.y[pair[0]];
            let needed = f32::midpoint(heights[pair[0]], heights[pair[1]]);
            prop_assert!(apart >= needed - 0.001, "{pair:?} are {apart} apart and need {needed}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn edges_lead_right_and_nodes_stand_apart((count, edges) in graphs(), tall in 1_u8..5) {
        let heights: Vec<f32> = (0..count).map(|node| if node % 3 == 0 { f32::from(tall) } else { 1.0 }).collect();
        let layout = small(&heights, &edges);
        nothing_overlaps(&layout, &heights)?;
        for ((from, to), bends) in edges.iter().zip(&layout.bends) {
            let (from, to) = (layout.layer[*from as usize], layout.layer[*to as usize]);
            prop_assert!(from < to);
            prop_assert_eq!(bends.len(), (to - from - 1) as usize);
        }
        let whole = whole(count, &edges);
        nothing_overlaps(&whole, &vec![1.0; count])?;
        prop_assert!(edges.iter().all(|(from, to)| whole.layer[*from as usize] < whole.layer[*to as usize]));
    }

    #[test]
    fn sorting_never_adds_crossings((count, edges) in graphs()) {
        let dag = Dag::new(count, &edges);
        let mut graph = Layered::new(&dag, &dag.layers());
        let before = graph.crossings(&graph.positions());
        graph.sweep(12);
        let swept = graph.crossings(&graph.positions());
        graph.untangle();
        let untangled = graph.crossings(&graph.positions());
        prop_assert!(untangled <= swept && swept <= before, "{before} {swept} {untangled}");
    }

    #[test]
    fn the_same_graph_is_laid_out_the_same((count, edges) in graphs()) {
        prop_assert_eq!(whole(count, &edges), whole(count, &edges));
    }

    #[test]
    fn cycles_do_no_harm(edges in proptest::collection::vec((0_u32..12, 0_u32..12), 0..40)) {
        let heights = vec![1.0; 12];
        nothing_overlaps(&small(&heights, &edges), &heights)?;
        nothing_overlaps(&whole(12, &edges), &heights)?;
    }
}

#[test]
fn a_tree_has_no_crossings_and_lies_straight() {
    let edges: Vec<(u32, u32)> = (1..31).map(|node| ((node - 1) / 2, node)).collect();
    let dag = Dag::new(31, &edges);
    let mut graph = Layered::new(&dag, &dag.layers());
    graph.sweep(24);
    assert_eq!(graph.crossings(&graph.positions()), 0);
    let chain = small(&[1.0; 5], &[(0, 1), (1, 2), (2, 3), (3, 4)]);
    assert!(chain.y.iter().all(|y| (y - chain.y[0]).abs() < 0.001), "{:?}", chain.y);
}

#[test]
fn roots_stand_next_to_what_reads_them() {
    // A chain of four, and a source that only the last reads.
    let layout = small(&[1.0; 5], &[(0, 1), (1, 2), (2, 3), (4, 3)]);
    assert_eq!(layout.layer, [0, 1, 2, 3, 2]);
}

#[test]
fn a_tall_layer_is_wrapped() {
    let edges: Vec<(u32, u32)> = (1..1000).map(|child| (0, child)).collect();
    let layout = whole(1000, &edges);
    assert!(layout.column.iter().max() > Some(&3));
    let (least, most) = layout.y.iter().fold((f32::MAX, f32::MIN), |(least, most), y| (least.min(*y), most.max(*y)));
    assert!(most - least < 200.0, "{least} to {most}");
}

#[test]
fn words_in_addresses() {
    assert_eq!(encoded("source:raw.orders"), "source:raw.orders");
    assert_eq!(encoded("a b&c=#é"), "a%20b%26c%3D%23%C3%A9");
}
