//! The order in which chosen resources run: who waits for whom, and in `build` which tests hold back what.

use std::collections::HashMap;

use indexmap::IndexSet;
use petgraph::Direction;

use super::dag::Graph;
use super::node_set::NodeSet;
use crate::manifest::{Resource, ResourceType, UniqueId};

/// Do tests hold back what is built on what they test?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gates {
    /// As `run`, `test`, `compile`: tests are leaves.
    #[default]
    None,
    /// As `build`: a data test runs before everything that reads all it tests; a unit test before the model it tests.
    Tests,
}

/// The chosen resources in the order they should begin: by how deep they lie, then by id, as dbt's queue gives them out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildOrder {
    pub ids: Vec<UniqueId>,
    /// For each of `ids`, the places in `ids` of what must be done before; ascending, all smaller than its own.
    /// What lies behind resources that were not chosen counts too.
    pub waits_for: Vec<Vec<usize>>,
}

impl Graph {
    /// Puts chosen resources in order. Ids that the graph does not have are left out. The graph must be acyclic.
    pub fn build_order(&self, chosen: &IndexSet<UniqueId>, gates: Gates) -> BuildOrder {
        let chosen: NodeSet = chosen.iter().filter_map(|id| self.position(id.as_str())).collect();
        let before = Before::new(self, &chosen, gates);
        // For each position the chosen ones that it has to wait for; None until it is known.
        let mut waits: Vec<Vec<usize>> = vec![Vec::new(); self.len()];
        let mut levels: HashMap<usize, usize> = HashMap::new();
        for position in before.topological(self) {
            let mut found = IndexSet::new();
            for parent in &before.parents[position] {
                if chosen.contains(*parent) {
                    found.insert(*parent);
                } else {
                    found.extend(waits[*parent].iter().copied());
                }
            }
            if chosen.contains(position) {
                let level = found.iter().filter_map(|parent| levels.get(parent)).max().map_or(0, |deepest| deepest + 1);
                levels.insert(position, level);
            }
            waits[position] = found.into_iter().collect();
        }
        let mut order: Vec<usize> = levels.keys().copied().collect();
        order.sort_by_cached_key(|position| (levels[position], self.id(*position).cloned()));
        let places: HashMap<usize, usize> = order.iter().enumerate().map(|(place, position)| (*position, place)).collect();
        let waits_for = order.iter().map(|position| {
            let mut places: Vec<usize> = waits[*position].iter().filter_map(|parent| places.get(parent).copied()).collect();
            places.sort_unstable();
            places
        });
        let waits_for = waits_for.collect();
        BuildOrder { ids: order.iter().filter_map(|position| self.id(*position).cloned()).collect(), waits_for }
    }
}

/// The graph's edges, turned round, with those that gates add.
struct Before {
    parents: Vec<Vec<usize>>,
}

impl Before {
    fn new(graph: &Graph, chosen: &NodeSet, gates: Gates) -> Self {
        let mut parents: Vec<Vec<usize>> =
            (0..graph.len()).map(|position| graph.neighbors(position, Direction::Incoming).collect()).collect();
        if gates == Gates::Tests {
            for (test, held) in test_gates(graph, chosen) {
                parents[held].push(test);
            }
            unit_tests_first(graph, chosen, &mut parents);
        }
        Self { parents }
    }

    fn topological(&self, graph: &Graph) -> Vec<usize> {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); graph.len()];
        let mut waiting: Vec<usize> = Vec::with_capacity(graph.len());
        for (child, parents) in self.parents.iter().enumerate() {
            waiting.push(parents.len());
            for parent in parents {
                children[*parent].push(child);
            }
        }
        let mut order: Vec<usize> = (0..graph.len()).filter(|position| waiting[*position] == 0).collect();
        let mut next = 0;
        while let Some(position) = order.get(next).copied() {
            next += 1;
            for child in &children[position] {
                waiting[*child] -= 1;
                if waiting[*child] == 0 {
                    order.push(*child);
                }
            }
        }
        order
    }
}

/// A chosen unit test reads what its model reads, and the model waits for it.
fn unit_tests_first(graph: &Graph, chosen: &NodeSet, parents: &mut [Vec<usize>]) {
    for test in chosen.iter() {
        let Some(Resource::UnitTest(unit_test)) = graph.resource(test) else { continue };
        let tested = unit_test.tested_node.as_ref().or_else(|| unit_test.depends_on.nodes.first());
        let Some(model) = tested.and_then(|id| graph.position(id.as_str())) else { continue };
        let is_unit_test = |position: &usize| matches!(graph.resource(*position), Some(Resource::UnitTest(_)));
        let inherited: Vec<usize> = parents[model].iter().copied().filter(|parent| !is_unit_test(parent)).collect();
        parents[test] = inherited;
        parents[model].push(test);
    }
}

/// Edges from chosen data tests to what they hold back: the first resources on each way down from all that a test reads. What
/// lies further down waits through those.
fn test_gates(graph: &Graph, chosen: &NodeSet) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    let mut joint: Vec<(usize, Vec<usize>)> = Vec::new();
    for test in chosen.iter().filter(|position| is_test(graph, *position)) {
        let tested: Vec<usize> = graph.neighbors(test, Direction::Incoming).collect();
        match tested.as_slice() {
            [] => {}
            [only] => edges.extend(first_held(graph, *only).iter().map(|held| (test, held))),
            _ => joint.push((test, tested)),
        }
    }
    if !joint.is_empty() {
        joint_gates(graph, &joint, &mut edges);
    }
    edges
}

fn is_test(graph: &Graph, position: usize) -> bool {
    graph.resource(position).is_some_and(|resource| resource.resource_type() == ResourceType::Test)
}

/// Can a test hold it back? Functions and resources without SQL are passed through.
fn can_be_held(graph: &Graph, position: usize) -> bool {
    graph.resource(position).is_some_and(|resource| {
        matches!(resource, Resource::Node(_)) && !matches!(resource.resource_type(), ResourceType::Test | ResourceType::Function)
    })
}

/// The nearest resources below one that can be held back.
fn first_held(graph: &Graph, tested: usize) -> NodeSet {
    let mut held = NodeSet::default();
    let mut passed = NodeSet::default();
    let mut open = vec![tested];
    while let Some(position) = open.pop() {
        for child in graph.neighbors(position, Direction::Outgoing) {
            if can_be_held(graph, child) {
                held.insert(child);
            } else if !is_test(graph, child) && passed.insert(child) {
                open.push(child);
            }
        }
    }
    held
}

/// Tests of several resources hold back what reads all of them.
fn joint_gates(graph: &Graph, joint: &[(usize, Vec<usize>)], edges: &mut Vec<(usize, usize)>) {
    // Descendants of every resource that can be held back or passed through, tests left out, as bits by a compact numbering.
    let order: Vec<usize> = graph.topological().into_iter().filter(|position| !is_test(graph, *position)).collect();
    let numbers: HashMap<usize, usize> = order.iter().enumerate().map(|(number, position)| (*position, number)).collect();
    let mut below: Vec<NodeSet> = vec![NodeSet::default(); order.len()];
    for (number, position) in order.iter().enumerate().rev() {
        let mut set = NodeSet::empty(order.len());
        for child in graph.neighbors(*position, Direction::Outgoing).filter_map(|child| numbers.get(&child)) {
            set.insert(*child);
            set.union_with(&below[*child]);
        }
        below[number] = set;
    }
    for (test, tested) in joint {
        let mut sets = tested.iter().filter_map(|position| numbers.get(position)).map(|number| &below[*number]);
        let Some(first) = sets.next() else { continue };
        let mut common = first.clone();
        sets.for_each(|set| common.intersect_with(set));
        let held: NodeSet = common.iter().filter(|number| can_be_held(graph, order[*number])).collect();
        for number in held.iter() {
            let position = order[number];
            let parents = graph.neighbors(position, Direction::Incoming).filter_map(|parent| numbers.get(&parent));
            if !parents.into_iter().any(|parent| held.contains(*parent)) {
                edges.push((*test, position));
            }
        }
    }
}
