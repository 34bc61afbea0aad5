//! Resources that have no SQL file of their own.

use std::sync::Arc;

use indexmap::IndexMap;

use super::{ColumnInfo, Config, DependsOn, Docs, Json, JsonMap, RefCall, UniqueId, VersionText};

/// A source table.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// `source.<package>.<source_name>.<name>`.
    pub unique_id: UniqueId,
    pub name: String,
    pub source_name: String,
    pub source_description: String,
    pub package_name: Arc<str>,
    pub path: String,
    pub original_file_path: String,
    pub fqn: Vec<String>,
    pub database: Option<String>,
    pub schema: String,
    pub identifier: String,
    pub relation_name: String,
    pub loader: String,
    /// As merged: {database, schema, identifier, column}; None where not given.
    pub quoting: JsonMap,
    pub loaded_at_field: Option<String>,
    pub loaded_at_query: Option<String>,
    /// `{warn_after, error_after, filter}` or null.
    pub freshness: Json,
    pub external: Json,
    pub description: String,
    pub columns: IndexMap<String, ColumnInfo>,
    pub meta: JsonMap,
    pub source_meta: JsonMap,
    pub tags: Vec<String>,
    pub config: Config,
    pub unrendered_config: JsonMap,
    pub unrendered_database: Option<String>,
    pub unrendered_schema: Option<String>,
    pub patch_path: Option<String>,
    pub doc_blocks: Vec<UniqueId>,
    pub docs: Docs,
    pub created_at: f64,
}

impl Source {
    /// Is there a threshold to check its freshness against?
    pub fn has_freshness(&self) -> bool {
        let is_set = |threshold: &str| {
            let part = |key: &str| self.freshness.get(threshold).and_then(|threshold| threshold.get(key));
            ["count", "period"].into_iter().all(|key| part(key).is_some_and(|value| !value.is_null()))
        };
        is_set("warn_after") || is_set("error_after")
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Exposure {
    pub unique_id: UniqueId,
    pub name: String,
    pub package_name: Arc<str>,
    pub path: String,
    pub original_file_path: String,
    pub fqn: Vec<String>,
    pub kind: String,
    /// `{email, name}`.
    pub owner: JsonMap,
    pub description: String,
    pub label: Option<String>,
    pub maturity: Option<String>,
    pub url: Option<String>,
    pub meta: JsonMap,
    pub tags: Vec<String>,
    pub config: Config,
    pub unrendered_config: JsonMap,
    pub depends_on: DependsOn,
    pub refs: Vec<RefCall>,
    pub sources: Vec<(String, String)>,
    pub metrics: Vec<Vec<String>>,
    pub created_at: f64,
}

/// A metric, semantic model or saved query. lineal carries them; the keys it does not act on stay as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Semantic {
    pub unique_id: UniqueId,
    pub name: String,
    pub package_name: Arc<str>,
    pub path: String,
    pub original_file_path: String,
    pub fqn: Vec<String>,
    pub description: String,
    pub label: Option<String>,
    pub group: Option<String>,
    pub tags: Vec<String>,
    pub meta: JsonMap,
    pub config: Config,
    pub unrendered_config: JsonMap,
    pub depends_on: DependsOn,
    pub refs: Vec<RefCall>,
    /// The remaining keys, in the manifest's order and spelling.
    pub body: JsonMap,
    pub created_at: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub unique_id: UniqueId,
    pub name: String,
    pub package_name: Arc<str>,
    pub path: String,
    pub original_file_path: String,
    pub owner: JsonMap,
    pub description: Option<String>,
    pub config: JsonMap,
}

#[derive(Debug, Clone, PartialEq)]
pub struct UnitTest {
    /// `unit_test.<package>.<model>.<name>`.
    pub unique_id: UniqueId,
    pub name: String,
    /// The tested model's name, and its id once resolved.
    pub model: String,
    pub tested_node: Option<UniqueId>,
    pub package_name: Arc<str>,
    pub path: String,
    pub original_file_path: String,
    pub fqn: Vec<String>,
    pub description: String,
    /// Each `{input, rows, format, fixture}`, fixtures read.
    pub given: Vec<JsonMap>,
    /// `{rows, format, fixture}`.
    pub expect: JsonMap,
    /// `{macros, vars, env_vars}` or null.
    pub overrides: Json,
    pub version: Option<VersionText>,
    pub versions: Json,
    pub schema: String,
    pub checksum: Option<String>,
    pub tags: Vec<String>,
    pub meta: JsonMap,
    pub config: Config,
    pub depends_on: DependsOn,
    pub created_at: f64,
}
