//! manifest.json, version 12, and Jinja's `graph`.

use indexmap::IndexMap;
use rayon::prelude::*;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::resource::{NodeView, Reader};
use super::resource_kinds::{
    DocView, ExposureView, GroupView, MacroView, Quoting, SemanticView, SourceView, UnitTestView, kind_view,
};
use super::{CompiledNodes, Header, Metadata, text, value};
use crate::manifest::{Json, JsonMap, Manifest, Node, Resource, ResourceType, Semantic, UniqueId};

/// manifest.json (v12), as a text ready to be written.
pub fn manifest(manifest: &Manifest, compiled: &CompiledNodes, metadata: &Metadata) -> String {
    let node = |id: &UniqueId, node: &Node| text(&NodeView::new(node, compiled.get(id).map(AsRef::as_ref), Reader::Artifact));
    let semantic = |kind: ResourceType| move |of: &Semantic| text(&SemanticView::new(kind, of));
    let macros: Vec<_> = manifest.macros.all().collect();
    let (parents, children) = edges(manifest);
    let sections: [(&str, String); 17] = [
        ("metadata", text(&ManifestHeader { manifest, metadata })),
        ("nodes", section(&manifest.nodes, |(id, of)| (id.as_str(), node(id, of)))),
        ("sources", section(&manifest.sources, |(id, of)| (id.as_str(), text(&SourceView::from(&**of))))),
        (
            "macros",
            join(&macros.par_iter().map(|of| entry(of.unique_id.as_str(), &text(&MacroView::from(&***of)))).collect::<Vec<_>>()),
        ),
        ("docs", section(&manifest.docs, |(id, of)| (id.as_str(), text(&DocView::from(&**of))))),
        ("exposures", section(&manifest.exposures, |(id, of)| (id.as_str(), text(&ExposureView::from(&**of))))),
        ("metrics", section(&manifest.metrics, |(id, of)| (id.as_str(), semantic(ResourceType::Metric)(of)))),
        ("groups", section(&manifest.groups, |(id, of)| (id.as_str(), text(&GroupView::from(&**of))))),
        ("selectors", text(&metadata.selectors)),
        ("disabled", section(&manifest.disabled, |(id, all)| (id.as_str(), disabled(all)))),
        ("parent_map", text(&EdgeMap(&parents))),
        ("child_map", text(&EdgeMap(&children))),
        ("group_map", text(&group_map(manifest))),
        ("saved_queries", section(&manifest.saved_queries, |(id, of)| (id.as_str(), semantic(ResourceType::SavedQuery)(of)))),
        (
            "semantic_models",
            section(&manifest.semantic_models, |(id, of)| (id.as_str(), semantic(ResourceType::SemanticModel)(of))),
        ),
        ("unit_tests", section(&manifest.unit_tests, |(id, of)| (id.as_str(), text(&UnitTestView::from(&**of))))),
        ("functions", section(&manifest.functions, |(id, of)| (id.as_str(), node(id, of)))),
    ];
    join(&sections.iter().map(|(name, body)| entry(name, body)).collect::<Vec<_>>())
}

/// One map of the manifest, each of its resources serialized on its own, in parallel.
fn section<'a, T: Sync>(
    map: &'a IndexMap<UniqueId, T>,
    view: impl Fn((&'a UniqueId, &'a T)) -> (&'a str, String) + Sync,
) -> String {
    let entries: Vec<(&UniqueId, &T)> = map.iter().collect();
    let texts: Vec<String> = entries
        .par_iter()
        .map(|pair| {
            let (id, body) = view(*pair);
            entry(id, &body)
        })
        .collect();
    join(&texts)
}

fn entry(key: &str, body: &str) -> String {
    let mut out = text(&key);
    out.reserve(body.len() + 2);
    out.push_str(": ");
    out.push_str(body);
    out
}

fn join(entries: &[String]) -> String {
    let mut out = String::with_capacity(entries.iter().map(|entry| entry.len() + 2).sum::<usize>() + 2);
    out.push('{');
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        out.push_str(entry);
    }
    out.push('}');
    out
}

/// All definitions of a disabled id.
fn disabled(all: &[Resource]) -> String {
    let texts: Vec<String> = all
        .iter()
        .map(|resource| match resource {
            Resource::Node(node) => text(&NodeView::new(node, None, Reader::Artifact)),
            other => text(&kind_view(other)),
        })
        .collect();
    format!("[{}]", texts.join(", "))
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
