//! semantic_manifest.json: what dbt hands to its semantic layer, with that layer's own keys.

use serde_json::json;

use super::text;
use crate::manifest::{Json, JsonMap, Manifest, Node, Semantic};

/// The model that served as a time spine before `time_spine:` was there.
const LEGACY_TIME_SPINE: &str = "metricflow_time_spine";

/// semantic_manifest.json as dbt 1.12 writes it.
pub fn semantic_manifest(manifest: &Manifest) -> String {
    let semantic_models: Vec<Json> = manifest.semantic_models.values().map(|of| semantic_model(of)).collect();
    let metrics: Vec<Json> = manifest.metrics.values().map(|of| metric(of)).collect();
    let saved_queries: Vec<Json> = manifest.saved_queries.values().map(|of| saved_query(of)).collect();
    let spines: Vec<Json> = manifest.nodes.values().filter_map(|node| time_spine(node)).collect();
    text(&json!({
        "semantic_models": semantic_models,
        "metrics": metrics,
        "project_configuration": {
            "time_spine_table_configurations": legacy_time_spines(manifest),
            "metadata": null,
            "dsi_package_version": {"major_version": "0", "minor_version": "213", "patch_version": "0"},
            "time_spines": spines,
        },
        "saved_queries": saved_queries,
    }))
}

/// The named keys of an object, in that order, null where it has none.
fn pick(from: &Json, keys: &[&str]) -> JsonMap {
    keys.iter().map(|key| ((*key).to_owned(), from.get(key).cloned().unwrap_or_default())).collect()
}

fn pick_all(from: Option<&Json>, keys: &[&str]) -> Json {
    let items = from.and_then(Json::as_array).into_iter().flatten();
    items.map(|item| Json::Object(pick(item, keys))).collect()
}

fn nullable(text: &str) -> Json {
    if text.is_empty() { Json::Null } else { text.into() }
}

/// A config's `meta`, all the semantic layer keeps of it.
fn meta(of: &Semantic) -> Json {
    json!({"meta": of.config.get("meta").cloned().unwrap_or_else(|| json!({}))})
}

fn semantic_model(of: &Semantic) -> Json {
    let body = |key: &str| of.body.get(key).cloned().unwrap_or_default();
    let entities = ["name", "description", "type", "role", "expr", "metadata", "label", "config"];
    let measures = [
        "name",
        "agg",
        "description",
        "create_metric",
        "expr",
        "agg_params",
        "metadata",
        "non_additive_dimension",
        "agg_time_dimension",
        "label",
        "config",
    ];
    let dimensions =
        ["name", "description", "type", "datatype", "is_partition", "type_params", "expr", "metadata", "label", "config"];
    json!({
        "name": of.name,
        "defaults": body("defaults"),
        "description": nullable(&of.description),
        "node_relation": body("node_relation"),
        "primary_entity": body("primary_entity"),
        "entities": pick_all(of.body.get("entities"), &entities),
        "measures": pick_all(of.body.get("measures"), &measures),
        "dimensions": pick_all(of.body.get("dimensions"), &dimensions),
        "label": of.label,
        "metadata": body("metadata"),
        "config": meta(of),
    })
}

fn metric(of: &Semantic) -> Json {
    let body = |key: &str| of.body.get(key).cloned().unwrap_or_default();
    let params = [
        "measure",
        "numerator",
        "denominator",
        "expr",
        "window",
        "grain_to_date",
        "metrics",
        "conversion_type_params",
        "cumulative_type_params",
        "input_measures",
        "metric_aggregation_params",
        "join_to_timespine",
        "fill_nulls_with",
        "is_private",
    ];
    json!({
        "name": of.name,
        "description": of.description,
        "type": body("type"),
        "datatype": body("datatype"),
        "type_params": pick(&body("type_params"), &params),
        "filter": body("filter"),
        "metadata": body("metadata"),
        "label": of.label,
        "config": meta(of),
        "time_granularity": body("time_granularity"),
    })
}

fn saved_query(of: &Semantic) -> Json {
    let body = |key: &str| of.body.get(key).cloned().unwrap_or_default();
    let exports = body("exports").as_array().into_iter().flatten().map(export).collect::<Vec<Json>>();
    json!({
        "name": of.name,
        "query_params": pick(&body("query_params"), &["metrics", "group_by", "order_by", "limit", "where"]),
        "description": nullable(&of.description),
        "metadata": body("metadata"),
        "label": of.label,
        "exports": exports,
        "tags": of.tags,
    })
}

fn export(of: &Json) -> Json {
    let config = pick(&of.get("config").cloned().unwrap_or_default(), &["export_as", "schema_name", "alias"]);
    json!({"name": of.get("name"), "config": config})
}

fn relation(node: &Node) -> Json {
    json!({
        "alias": node.alias,
        "schema_name": node.schema,
        "database": node.database,
        "relation_name": node.relation_name,
    })
}

/// A model's `time_spine:`, with the granularity that its column gives.
fn time_spine(node: &Node) -> Option<Json> {
    let spine = node.model()?.time_spine.as_ref()?;
    let column = spine.get("standard_granularity_column")?.as_str()?;
    let granularity = node.columns.get(column).and_then(|column| column.granularity.clone());
    let custom = spine.get("custom_granularities");
    Some(json!({
        "node_relation": relation(node),
        "primary_column": {"name": column, "time_granularity": granularity},
        "custom_granularities": pick_all(custom, &["name", "column_name"]),
    }))
}

fn legacy_time_spines(manifest: &Manifest) -> Vec<Json> {
    let legacy = manifest.nodes.values().find(|node| node.name == LEGACY_TIME_SPINE && node.model().is_some());
    let legacy = legacy.filter(|node| node.model().is_some_and(|model| model.time_spine.is_none()));
    let legacy = legacy.filter(|_| !manifest.semantic_models.is_empty());
    legacy.map(|node| json!({"location": node.relation_name, "column_name": "date_day", "grain": "day"})).into_iter().collect()
}
