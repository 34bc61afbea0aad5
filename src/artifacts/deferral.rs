//! What another state's manifest says of a node's place: `--defer` reads from there, `clone` copies from there.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use crate::manifest::{Json, JsonMap, Manifest, ResourceType, UniqueId};

/// Another state's relation of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Deferred {
    pub database: Option<String>,
    pub schema: String,
    pub alias: String,
    pub relation_name: Option<String>,
    /// The node's `quoting` there.
    pub quoting: JsonMap,
    /// As Jinja's `model.defer_relation` shows it.
    pub shown: Json,
}

/// The other state's relations of the models, seeds, snapshots and functions that both manifests have; ephemeral models have
/// none.
pub fn deferred(manifest: &Manifest, earlier: &Json) -> HashMap<UniqueId, Arc<Deferred>> {
    let sections = ["nodes", "functions"].into_iter().filter_map(|section| earlier.get(section)?.as_object());
    let mut found = HashMap::new();
    for (id, body) in sections.flatten() {
        let known = manifest.nodes.get(id.as_str()).or_else(|| manifest.functions.get(id.as_str()));
        let kinds = [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Function];
        let Some(node) = known.filter(|node| kinds.contains(&node.resource_type)) else { continue };
        if body.pointer("/config/materialized").and_then(Json::as_str) == Some("ephemeral") {
            continue;
        }
        let text = |key: &str| body.get(key).and_then(Json::as_str).map(str::to_owned);
        let (Some(schema), Some(alias)) = (text("schema"), text("alias").or_else(|| text("name"))) else { continue };
        let keys = ["database", "schema", "alias", "relation_name", "resource_type", "name", "description", "compiled_code"];
        let mut shown: JsonMap =
            keys.iter().map(|key| ((*key).to_owned(), body.get(*key).cloned().unwrap_or_default())).collect();
        for (key, empty) in [("meta", json!({})), ("tags", json!([])), ("config", json!({}))] {
            shown.insert(key.to_owned(), body.get(key).cloned().unwrap_or(empty));
        }
        let quoting = body.pointer("/config/quoting").and_then(Json::as_object).cloned().unwrap_or_default();
        let (database, relation_name) = (text("database"), text("relation_name"));
        let deferred = Deferred { database, schema, alias, relation_name, quoting, shown: Json::Object(shown) };
        found.insert(node.unique_id.clone(), Arc::new(deferred));
    }
    found
}
