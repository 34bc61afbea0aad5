//! graph_summary.json: the graph's shape with numbers for names.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use rayon::prelude::*;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::manifest_v12::edges;
use super::{Metadata, text};
use crate::manifest::{Manifest, Node, ResourceType};

/// graph_summary.json as dbt 1.12 writes it; `with_test_edges` as `build` does, which makes resources wait for the tests of
/// what they read.
pub fn graph_summary(manifest: &Manifest, metadata: &Metadata, with_test_edges: bool) -> String {
    let (parents, _) = edges(manifest);
    let names = order(manifest);
    let index: HashMap<&str, usize> = names.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    let mut successors: Vec<Vec<usize>> = vec![Vec::new(); names.len()];
    for (at, (name, _)) in names.iter().enumerate() {
        for parent in parents.get(name).into_iter().flatten() {
            if let Some(&above) = index.get(parent) {
                successors[above].push(at);
            }
        }
    }
    let linked = Linked { names: &names, successors: successors.clone() };
    let tested = with_test_edges.then(|| {
        for (test, after) in test_edges(manifest, &names, &index, &parents) {
            successors[test].push(after);
        }
        Linked { names: &names, successors }
    });
    text(&Summary { invocation: &metadata.invocation_id, linked, tested })
}

/// Names and types, in the order dbt adds them to its graph: each resource and, before those it comes ahead of, its parents.
fn order(manifest: &Manifest) -> Vec<(&str, &'static str)> {
    let mut order: IndexMap<&str, &'static str> = IndexMap::new();
    for id in manifest.sources.keys() {
        order.insert(id.as_str(), "source");
    }
    for (id, node) in manifest.nodes.iter().chain(&manifest.functions) {
        order.entry(id.as_str()).or_insert(node.resource_type.as_str());
        for parent in &node.depends_on.nodes {
            if let Some(above) = manifest.nodes.get(parent).or_else(|| manifest.functions.get(parent)) {
                order.entry(above.unique_id.as_str()).or_insert(above.resource_type.as_str());
            }
        }
    }
    let later = (manifest.semantic_models.keys().map(|id| (id, "semantic_model")))
        .chain(manifest.exposures.keys().map(|id| (id, "exposure")))
        .chain(manifest.metrics.keys().map(|id| (id, "metric")))
        .chain(manifest.unit_tests.keys().map(|id| (id, "unit_test")))
        .chain(manifest.saved_queries.keys().map(|id| (id, "saved_query")));
    for (id, kind) in later {
        order.entry(id.as_str()).or_insert(kind);
    }
    order.into_iter().collect()
}

/// Edges from a test to each node further down that reads all that the test reads, at any distance.
fn test_edges(
    manifest: &Manifest,
    names: &[(&str, &'static str)],
    index: &HashMap<&str, usize>,
    parents: &super::manifest_v12::Edges<'_>,
) -> Vec<(usize, usize)> {
    let above: Vec<Vec<usize>> = names
        .iter()
        .map(|(name, _)| parents.get(name).into_iter().flatten().filter_map(|parent| index.get(parent).copied()).collect())
        .collect();
    let mut tests_of: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, _) in names.iter().enumerate().filter(|(_, (_, kind))| *kind == "test") {
        for &tested in &above[at] {
            tests_of.entry(tested).or_default().push(at);
        }
    }
    let waits = |name: &str| -> bool {
        manifest.nodes.get(name).is_some_and(|node: &std::sync::Arc<Node>| node.resource_type != ResourceType::Test)
    };
    let found: Vec<Vec<(usize, usize)>> = (0..names.len())
        .into_par_iter()
        .filter(|&at| waits(names[at].0))
        .map(|at| {
            let mut upstream: HashSet<usize> = HashSet::new();
            let mut queue = above[at].clone();
            while let Some(next) = queue.pop() {
                if upstream.insert(next) {
                    queue.extend(&above[next]);
                }
            }
            let tests: HashSet<usize> = upstream.iter().filter_map(|one| tests_of.get(one)).flatten().copied().collect();
            let mut tests: Vec<usize> =
                tests.into_iter().filter(|&test| above[test].iter().all(|one| upstream.contains(one))).collect();
            tests.sort_unstable();
            tests.into_iter().map(|test| (test, at)).collect()
        })
        .collect();
    found.into_iter().flatten().collect()
}

struct Summary<'a> {
    invocation: &'a str,
    linked: Linked<'a>,
    tested: Option<Linked<'a>>,
}

impl Serialize for Summary<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("_invocation_id", self.invocation)?;
        map.serialize_entry("linked", &self.linked)?;
        if let Some(tested) = &self.tested {
            map.serialize_entry("with_test_edges", tested)?;
        }
        map.end()
    }
}

struct Linked<'a> {
    names: &'a [(&'a str, &'static str)],
    successors: Vec<Vec<usize>>,
}

#[derive(Serialize)]
struct Vertex<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "<[usize]>::is_empty")]
    succ: &'a [usize],
}

impl Serialize for Linked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let vertices = self.names.iter().zip(&self.successors);
        serializer.collect_map(
            vertices.enumerate().map(|(at, ((name, kind), succ))| (at.to_string(), Vertex { name, kind, succ: succ.as_slice() })),
        )
    }
}
