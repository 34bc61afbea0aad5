//! dbt's public JSON, mirrored: the only place where domain types become JSON, and stored formats are read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Compiled, RunResult};
use crate::manifest::{Json, JsonMap, Manifest, Node, Resource, Source, UniqueId};

/// What a run has compiled so far, by node.
pub type CompiledNodes = HashMap<UniqueId, Arc<Compiled>>;

/// `metadata` of every artifact.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    pub invocation_id: String,
    pub invocation_started_at: chrono::DateTime<chrono::Utc>,
    pub generated_at: chrono::DateTime<chrono::Utc>,
    /// `DBT_ENV_CUSTOM_ENV_*`.
    pub env: JsonMap,
    pub quoting: JsonMap,
}

/// A resource as the manifest writes it, and as Jinja's `model` and `graph.nodes[…]` show it.
pub fn resource(_resource: &Resource, _compiled: Option<&Compiled>) -> Json {
    Json::Null
}

/// manifest.json (v12), as a text ready to be written.
pub fn manifest(_manifest: &Manifest, _compiled: &CompiledNodes, _metadata: &Metadata) -> String {
    String::new()
}

/// Jinja's `graph`: nodes, sources, exposures, metrics, groups …, each as in the manifest.
pub fn graph(_manifest: &Manifest) -> Json {
    Json::Null
}

/// run_results.json (v6).
pub fn run_results(
    _manifest: &Manifest,
    _results: &[Arc<RunResult>],
    _elapsed: Duration,
    _args: &JsonMap,
    _metadata: &Metadata,
) -> String {
    String::new()
}

/// One column of the catalog's query, and the relation it is of.
#[derive(Debug, Clone, Default)]
pub struct CatalogColumn {
    pub name: String,
    pub index: i64,
    pub kind: String,
    pub comment: Option<String>,
}

/// One relation of the catalog.
#[derive(Debug, Clone, Default)]
pub struct CatalogTable {
    pub unique_id: String,
    pub database: Option<String>,
    pub schema: String,
    pub name: String,
    pub kind: String,
    pub comment: Option<String>,
    pub owner: Option<String>,
    pub columns: Vec<CatalogColumn>,
    /// (id, label, value, description, include).
    pub stats: Vec<(String, String, Json, String, bool)>,
}

/// catalog.json (v1).
pub fn catalog(_nodes: &[CatalogTable], _sources: &[CatalogTable], _errors: Option<&[String]>, _metadata: &Metadata) -> String {
    String::new()
}

/// sources.json (v3).
pub fn sources(_results: &[(Arc<Source>, Arc<RunResult>)], _elapsed: Duration, _metadata: &Metadata) -> String {
    String::new()
}

/// graph_summary.json as dbt 1.12 writes it.
pub fn graph_summary(_manifest: &Manifest) -> String {
    String::new()
}

/// semantic_manifest.json as dbt 1.12 writes it.
pub fn semantic_manifest(_manifest: &Manifest) -> String {
    String::new()
}

/// `ls --output json` for one resource: the asked keys that it has.
pub fn listed(_resource: &Resource, _keys: &[String]) -> Json {
    Json::Null
}

/// A node as `node_info` of the JSON log and of Jinja's `results` show it.
pub fn node_info(_node: &Node) -> JsonMap {
    JsonMap::new()
}
