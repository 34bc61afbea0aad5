//! manifest.json, version 12, and Jinja's `graph`.

use std::sync::Arc;

use indexmap::IndexMap;
use rayon::prelude::*;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::resource::{NodeView, Reader};
use super::resource_kinds::{
    DocView, ExposureView, GroupView, MacroView, Quoting, SemanticView, SourceView, UnitTestView, kind_view,
};
use super::{CompiledNodes, Header, Metadata, value};
use crate::manifest::{Json, JsonMap, Macro, Manifest, Node, Resource, ResourceType, Semantic, UniqueId};

/// manifest.json (v12), as a text ready to be written.
pub fn manifest(manifest: &Manifest, compiled: &CompiledNodes, metadata: &Metadata) -> Vec<u8> {
    let node = |out: &mut Vec<u8>, id: &UniqueId, node: &Node| {
        write(out, &NodeView::new(node, compiled.get(id).map(AsRef::as_ref), Reader::Artifact));
    };
    let semantic =
        |kind: ResourceType| move |out: &mut Vec<u8>, _: &UniqueId, of: &Arc<Semantic>| write(out, &SemanticView::new(kind, of));
    let macros: Vec<_> = manifest.macros.all().map(|of| (&of.unique_id, of)).collect();
    let (parents, children) = edges(manifest);
    let mut out = Vec::with_capacity(expected_size(manifest));
    let text = &mut out;
    one(text, "{", "metadata", &ManifestHeader { manifest, metadata });
    section(text, "nodes", &manifest.nodes, |out, id, of| node(out, id, of));
    section(text, "sources", &manifest.sources, |out, _, of| write(out, &SourceView::from(&**of)));
    entries(text, "macros", &macros, |out, _, of: &Arc<Macro>| write(out, &MacroView::from(&**of)));
    section(text, "docs", &manifest.docs, |out, _, of| write(out, &DocView::from(&**of)));
    section(text, "exposures", &manifest.exposures, |out, _, of| write(out, &ExposureView::from(&**of)));
    section(text, "metrics", &manifest.metrics, semantic(ResourceType::Metric));
    section(text, "groups", &manifest.groups, |out, _, of| write(out, &GroupView::from(&**of)));
    one(text, ", ", "selectors", &metadata.selectors);
    section(text, "disabled", &manifest.disabled, |out, _, all| disabled(out, all));
    one(text, ", ", "parent_map", &EdgeMap(&parents));
    one(text, ", ", "child_map", &EdgeMap(&children));
    one(text, ", ", "group_map", &group_map(manifest));
    section(text, "saved_queries", &manifest.saved_queries, semantic(ResourceType::SavedQuery));
    section(text, "semantic_models", &manifest.semantic_models, semantic(ResourceType::SemanticModel));
    section(text, "unit_tests", &manifest.unit_tests, |out, _, of| write(out, &UnitTestView::from(&**of)));
    section(text, "functions", &manifest.functions, |out, id, of| node(out, id, of));
    out.push(b'}');
    out
}

/// About how many bytes the text will have, so that it is not moved while it grows: mostly the code of macros and nodes.
fn expected_size(manifest: &Manifest) -> usize {
    let macros: usize = manifest.macros.all().map(|of| of.macro_sql().len() * 9 / 8 + 512).sum();
    let nodes: usize = manifest.nodes.values().map(|of| of.raw_code.len() * 9 / 8 + 4096).sum();
    macros + nodes + 65_536
}

/// Adds the JSON text of a view. Nothing in a view fails to become JSON, and a vector takes all bytes.
fn write(out: &mut Vec<u8>, view: &impl Serialize) {
    let _ = sonic_rs::to_writer(out, view);
}

/// A key and its value, behind the text that parts it from what stands before.
fn one(out: &mut Vec<u8>, before: &str, name: &str, view: &impl Serialize) {
    out.extend_from_slice(before.as_bytes());
    key(out, 0, name);
    write(out, view);
}

fn key(out: &mut Vec<u8>, index: usize, key: &str) {
    if index > 0 {
        out.extend_from_slice(b", ");
    }
    write(out, &key);
    out.extend_from_slice(b": ");
}

/// One map of the manifest.
fn section<T: Sync>(
    out: &mut Vec<u8>,
    name: &str,
    map: &IndexMap<UniqueId, T>,
    view: impl Fn(&mut Vec<u8>, &UniqueId, &T) + Sync,
) {
    entries(out, name, &map.iter().collect::<Vec<_>>(), view);
}

/// A map's entries: serialized in parallel, many to a piece of text, where they are many.
fn entries<T: Sync>(out: &mut Vec<u8>, name: &str, of: &[(&UniqueId, &T)], view: impl Fn(&mut Vec<u8>, &UniqueId, &T) + Sync) {
    key(out, 1, name);
    out.push(b'{');
    let piece = |out: &mut Vec<u8>, at: usize, entries: &[(&UniqueId, &T)]| {
        for (index, (id, entry)) in entries.iter().enumerate() {
            key(out, at * PIECE + index, id.as_str());
            view(out, id, entry);
        }
    };
    if of.len() < PARALLEL {
        piece(out, 0, of);
    } else {
        let pieces = of.par_chunks(PIECE).enumerate().map(|(at, entries)| {
            let mut out = Vec::new();
            piece(&mut out, at, entries);
            out
        });
        for piece in pieces.collect::<Vec<_>>() {
            out.extend_from_slice(&piece);
        }
    }
    out.push(b'}');
}

/// Entries that make up a piece: enough to be worth a thread's turn.
const PIECE: usize = 64;
/// Entries from which on threads are worth their start: more than there are built-in macros.
const PARALLEL: usize = 2048;

/// All definitions of a disabled id.
fn disabled(out: &mut Vec<u8>, all: &[Resource]) {
    out.push(b'[');
    for (index, resource) in all.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        match resource {
            Resource::Node(node) => write(out, &NodeView::new(node, None, Reader::Artifact)),
            other => write(out, &kind_view(other)),
        }
    }
    out.push(b']');
}

struct ManifestHeader<'a> {
    manifest: &'a Manifest,
    metadata: &'a Metadata,
}

impl Serialize for ManifestHeader<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        Header { schema: "manifest/v12", metadata: self.metadata }.entries(&mut map)?;
        map.serialize_entry("project_name", &*self.manifest.project_name)?;
        map.serialize_entry("project_id", &self.manifest.project_id)?;
        // lineal sends nothing, so that it knows no user either.
        map.serialize_entry("user_id", &())?;
        map.serialize_entry("send_anonymous_usage_stats", &false)?;
        map.serialize_entry("adapter_type", &*self.manifest.adapter_type)?;
        map.serialize_entry("quoting", &Quoting(&self.metadata.quoting))?;
        let started = self.metadata.invocation_started_at.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string();
        map.serialize_entry("run_started_at", &started)?;
        map.end()
    }
}

/// A map of each resource to others, by id.
pub type Edges<'a> = IndexMap<&'a str, Vec<&'a str>>;

/// `parent_map` and `child_map`: every resource of the graph, its neighbours sorted.
pub fn edges(manifest: &Manifest) -> (Edges<'_>, Edges<'_>) {
    let mut parents: Edges = IndexMap::new();
    for (id, node) in &manifest.nodes {
        parents.insert(id.as_str(), ids(&node.depends_on.nodes));
    }
    for id in manifest.sources.keys() {
        parents.insert(id.as_str(), Vec::new());
    }
    for (id, exposure) in &manifest.exposures {
        parents.insert(id.as_str(), ids(&exposure.depends_on.nodes));
    }
    for (id, function) in &manifest.functions {
        parents.insert(id.as_str(), ids(&function.depends_on.nodes));
    }
    for (id, semantic) in manifest.metrics.iter().chain(&manifest.semantic_models).chain(&manifest.saved_queries) {
        parents.insert(id.as_str(), ids(&semantic.depends_on.nodes));
    }
    for (id, test) in &manifest.unit_tests {
        parents.insert(id.as_str(), ids(&test.depends_on.nodes));
    }
    let mut children: Edges = parents.keys().map(|id| (*id, Vec::new())).collect();
    for (id, above) in &parents {
        for parent in above {
            if let Some(below) = children.get_mut(parent) {
                below.push(*id);
            }
        }
    }
    for list in parents.values_mut().chain(children.values_mut()) {
        list.sort_unstable();
    }
    (parents, children)
}

fn ids(list: &[UniqueId]) -> Vec<&str> {
    list.iter().map(UniqueId::as_str).collect()
}

struct EdgeMap<'a>(&'a Edges<'a>);

impl Serialize for EdgeMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0)
    }
}

/// Group names to their members.
fn group_map(manifest: &Manifest) -> IndexMap<&str, Vec<&str>> {
    let mut map: IndexMap<&str, Vec<&str>> = manifest.groups.values().map(|group| (group.name.as_str(), Vec::new())).collect();
    let nodes = manifest.nodes.iter().map(|(id, node)| (id, &node.group));
    let semantics = [&manifest.saved_queries, &manifest.semantic_models, &manifest.metrics];
    let semantics = semantics.into_iter().flatten().map(|(id, semantic)| (id, &semantic.group));
    for (id, group) in nodes.chain(semantics) {
        if let Some(members) = group.as_deref().and_then(|group| map.get_mut(group)) {
            members.push(id.as_str());
        }
    }
    map
}

/// Jinja's `graph`: nodes, sources, exposures, metrics, groups …, each as in the manifest.
pub fn graph(manifest: &Manifest) -> Json {
    let nodes = |map: &IndexMap<UniqueId, std::sync::Arc<Node>>| {
        let entries: Vec<_> = map.iter().collect();
        let values: Vec<(String, Json)> =
            entries.par_iter().map(|(id, node)| (id.to_string(), value(&NodeView::new(node, None, Reader::Jinja)))).collect();
        Json::Object(values.into_iter().collect())
    };
    let semantics = |kind: ResourceType, map: &IndexMap<UniqueId, std::sync::Arc<Semantic>>| {
        Json::Object(map.iter().map(|(id, of)| (id.to_string(), value(&SemanticView::new(kind, of)))).collect())
    };
    let mut graph = JsonMap::new();
    let exposures = manifest.exposures.iter().map(|(id, of)| (id.to_string(), value(&ExposureView::from(&**of))));
    graph.insert("exposures".to_owned(), Json::Object(exposures.collect()));
    graph.insert("functions".to_owned(), nodes(&manifest.functions));
    let groups = manifest.groups.iter().map(|(id, of)| (id.to_string(), value(&GroupView::from(&**of))));
    graph.insert("groups".to_owned(), Json::Object(groups.collect()));
    graph.insert("metrics".to_owned(), semantics(ResourceType::Metric, &manifest.metrics));
    graph.insert("nodes".to_owned(), nodes(&manifest.nodes));
    let sources = manifest.sources.iter().map(|(id, of)| (id.to_string(), value(&SourceView::from(&**of))));
    graph.insert("sources".to_owned(), Json::Object(sources.collect()));
    graph.insert("semantic_models".to_owned(), semantics(ResourceType::SemanticModel, &manifest.semantic_models));
    graph.insert("saved_queries".to_owned(), semantics(ResourceType::SavedQuery, &manifest.saved_queries));
    Json::Object(graph)
}
