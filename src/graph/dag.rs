//! The graph itself: who reads whom, for every resource of a manifest.

use std::collections::VecDeque;

use indexmap::IndexMap;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use super::cycle;
use super::node_set::NodeSet;
use crate::diagnostic::Diagnostic;
use crate::manifest::{Manifest, Resource, UniqueId};

/// Parents and children of every resource, by position in manifest order; acyclic unless [`Graph::new`] said otherwise.
#[derive(Debug, Default)]
pub struct Graph {
    pub(super) edges: DiGraph<(), ()>,
    resources: IndexMap<UniqueId, Resource>,
}

impl Graph {
    /// Links every resource to what it depends on. Ids that are not in the manifest are left out: resolve has reported them.
    /// A cycle is an error (E0420) that shows the path that closes it, one for each group of resources in a circle.
    pub fn new(manifest: &Manifest) -> (Self, Vec<Diagnostic>) {
        let resources: IndexMap<UniqueId, Resource> =
            manifest.resources().map(|resource| (resource.unique_id().clone(), resource)).collect();
        let mut edges = DiGraph::with_capacity(resources.len(), resources.len() * 2);
        for _ in 0..resources.len() {
            edges.add_node(());
        }
        let mut parents = Vec::new();
        for (child, resource) in resources.values().enumerate() {
            parents.clear();
            parents.extend(resource.depends_on().iter().filter_map(|id| resources.get_index_of(id)));
            parents.sort_unstable();
            parents.dedup();
            for parent in &parents {
                edges.add_edge(NodeIndex::new(*parent), NodeIndex::new(child), ());
            }
        }
        let graph = Self { edges, resources };
        let diagnostics = if graph.topological().len() < graph.len() { cycle::report(&graph) } else { Vec::new() };
        (graph, diagnostics)
    }

    pub fn len(&self) -> usize {
        self.resources.len()
    }

    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// Where a resource stands in the graph.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.resources.get_index_of(id)
    }

    /// The id at a position; None beyond the end.
    pub fn id(&self, position: usize) -> Option<&UniqueId> {
        self.resources.get_index(position).map(|(id, _)| id)
    }

    /// The resource at a position; None beyond the end.
    pub fn resource(&self, position: usize) -> Option<&Resource> {
        self.resources.get_index(position).map(|(_, resource)| resource)
    }

    /// All resources with their positions.
    pub(super) fn resources(&self) -> impl Iterator<Item = (usize, &Resource)> {
        self.resources.values().enumerate()
    }

    /// What a resource reads, in manifest order; nothing for an unknown id.
    pub fn parents(&self, id: &str) -> Vec<&UniqueId> {
        self.adjacent(id, Direction::Incoming)
    }

    /// What reads a resource, in manifest order; nothing for an unknown id.
    pub fn children(&self, id: &str) -> Vec<&UniqueId> {
        self.adjacent(id, Direction::Outgoing)
    }

    fn adjacent(&self, id: &str, direction: Direction) -> Vec<&UniqueId> {
        let Some(position) = self.position(id) else { return Vec::new() };
        let mut positions: Vec<usize> = self.neighbors(position, direction).collect();
        positions.sort_unstable();
        positions.into_iter().filter_map(|position| self.id(position)).collect()
    }

    /// Everything a resource reads, directly or not, up to `depth` steps away; in manifest order.
    pub fn ancestors(&self, id: &str, depth: Option<usize>) -> Vec<&UniqueId> {
        self.reach_of(id, Direction::Incoming, depth)
    }

    /// Everything that reads a resource, directly or not, up to `depth` steps away; in manifest order.
    pub fn descendants(&self, id: &str, depth: Option<usize>) -> Vec<&UniqueId> {
        self.reach_of(id, Direction::Outgoing, depth)
    }

    fn reach_of(&self, id: &str, direction: Direction, depth: Option<usize>) -> Vec<&UniqueId> {
        let Some(position) = self.position(id) else { return Vec::new() };
        let start: NodeSet = [position].into_iter().collect();
        self.reach(&start, direction, depth).iter().filter_map(|position| self.id(position)).collect()
    }

    pub(super) fn neighbors(&self, position: usize, direction: Direction) -> impl Iterator<Item = usize> + '_ {
        self.edges.neighbors_directed(NodeIndex::new(position), direction).map(NodeIndex::index)
    }

    /// All that is reached from a set within `depth` steps. Members of the set count only where another member reaches them.
    pub(super) fn reach(&self, from: &NodeSet, direction: Direction, depth: Option<usize>) -> NodeSet {
        let mut found = NodeSet::empty(self.len());
        let mut layer: Vec<usize> = from.iter().collect();
        let mut left = depth.unwrap_or(usize::MAX);
        while !layer.is_empty() && left > 0 {
            let mut next = Vec::new();
            for position in layer {
                next.extend(self.neighbors(position, direction).filter(|neighbor| found.insert(*neighbor)));
            }
            layer = next;
            left -= 1;
        }
        found
    }

    /// The `@` operator: a set, its descendants, and all ancestors of any of them.
    pub(super) fn with_childrens_parents(&self, from: &NodeSet) -> NodeSet {
        let mut closure = self.reach(from, Direction::Outgoing, None);
        closure.union_with(from);
        closure.union_with(&self.reach(&closure, Direction::Incoming, None));
        closure
    }

    /// Positions with every parent before its children; among equals in manifest order. What stands in or behind a cycle is missing.
    pub fn topological(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> =
            (0..self.len()).map(|position| self.neighbors(position, Direction::Incoming).count()).collect();
        let mut ready: VecDeque<usize> = (0..self.len()).filter(|position| waiting[*position] == 0).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(position) = ready.pop_front() {
            order.push(position);
            let mut children: Vec<usize> = self.neighbors(position, Direction::Outgoing).collect();
            children.sort_unstable();
            for child in children {
                waiting[child] -= 1;
                if waiting[child] == 0 {
                    ready.push_back(child);
                }
            }
        }
        order
    }
}
