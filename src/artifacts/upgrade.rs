//! Manifests of older dbt versions (format 4 to 11) in the words of today's: what state comparison and deferral read.

use crate::manifest::{Json, JsonMap};

/// Renames and fills in what changed since that version.
pub(super) fn manifest(manifest: &mut Json, version: u32) {
    let Some(manifest) = manifest.as_object_mut() else { return };
    if version <= 9 {
        manifest.insert("metrics".to_owned(), Json::Object(JsonMap::new()));
    }
    for section in ["groups", "group_map", "unit_tests", "semantic_models", "saved_queries", "functions"] {
        manifest.entry(section).or_insert_with(|| Json::Object(JsonMap::new()));
    }
    for node in values(manifest, "nodes") {
        upgrade_node(node);
    }
    let disabled = manifest.get_mut("disabled").and_then(Json::as_object_mut);
    let disabled = disabled.into_iter().flat_map(|disabled| disabled.values_mut());
    for node in disabled.filter_map(Json::as_array_mut).flatten().filter_map(Json::as_object_mut) {
        upgrade_node(node);
    }
    for section in ["metrics", "exposures"] {
        values(manifest, section).for_each(refs);
    }
}

fn values<'a>(manifest: &'a mut JsonMap, section: &str) -> impl Iterator<Item = &'a mut JsonMap> {
    let section = manifest.get_mut(section).and_then(Json::as_object_mut);
    section.into_iter().flat_map(|section| section.values_mut()).filter_map(Json::as_object_mut)
}

fn upgrade_node(node: &mut JsonMap) {
    for (former, name) in [("raw_sql", "raw_code"), ("compiled_sql", "compiled_code")] {
        if let Some(value) = node.shift_remove(former) {
            node.insert(name.to_owned(), value);
        }
    }
    refs(node);
    // Then, seeds were compiled like models.
    if node.get("resource_type").and_then(Json::as_str) == Some("seed") {
        for key in ["language", "refs", "sources", "metrics", "compiled", "compiled_code", "compiled_path", "relation_name"] {
            node.shift_remove(key);
        }
    }
}

/// `[package, name]` became `{package, name, version}`.
fn refs(of: &mut JsonMap) {
    let Some(refs) = of.get_mut("refs").and_then(Json::as_array_mut) else { return };
    for call in refs {
        let upgraded = match call.as_array().map(Vec::as_slice) {
            Some([name]) => serde_json::json!({"package": null, "name": name, "version": null}),
            Some([package, name]) => serde_json::json!({"package": package, "name": name, "version": null}),
            _ => continue,
        };
        *call = upgraded;
    }
}
