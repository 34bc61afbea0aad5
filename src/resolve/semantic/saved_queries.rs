//! Saved queries and their exports.

use serde_json::json;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Json, JsonMap, ResourceType};
use crate::parse::Property;
use crate::yaml::Yaml;

use super::{Written, columns, filter, part, placed, written};
use crate::resolve::nodes::Shared;

/// One entry of `saved_queries:`.
pub fn saved_query(shared: &Shared<'_>, property: &Property, diagnostics: &mut Vec<Diagnostic>) -> Option<Written> {
    let entry = &property.entry;
    let name = super::super::exposures::name(property, diagnostics)?;
    let config = columns::map(entry.get("config"));
    let placed = placed(shared, property, ResourceType::SavedQuery, &name, &config, diagnostics);
    let Some(params) = entry.get("query_params") else {
        let message = format!("The saved query '{name}' needs `query_params`");
        diagnostics.push(Diagnostic::error("E0281", message).at(&property.file.source, entry.span));
        return None;
    };
    let exports: Vec<Json> = entry
        .get("exports")
        .map(Yaml::items)
        .unwrap_or_default()
        .iter()
        .map(|own| export(shared, own, &placed.config.0))
        .collect();
    let mut tags: std::collections::BTreeSet<String> = columns::texts(entry.get("tags")).into_iter().collect();
    let configured = placed.config.get("tags").cloned().unwrap_or_default();
    let configured = if let Json::Array(all) = configured { all } else { vec![configured] };
    tags.extend(configured.iter().filter_map(Json::as_str).map(str::to_owned));
    let mut body = JsonMap::new();
    body.insert(
        "query_params".to_owned(),
        json!({
            "metrics": columns::texts(params.get("metrics")),
            "group_by": columns::texts(params.get("group_by")),
            "where": filter(params.get("where")),
            "order_by": columns::texts(params.get("order_by")),
            "limit": part(params, "limit"),
        }),
    );
    body.insert("exports".to_owned(), Json::Array(exports));
    body.insert("metadata".to_owned(), Json::Null);
    let mut query = written(shared, property, placed, body);
    query.of.tags = tags.into_iter().collect();
    Some(query)
}

/// An export: its config over the saved query's, its place in the warehouse made as for any node of the root project.
fn export(shared: &Shared<'_>, own: &Yaml, of_query: &JsonMap) -> Json {
    let written = columns::map(own.get("config"));
    let get = |key: &str| written.get(key).or_else(|| of_query.get(key)).filter(|value| !value.is_null());
    let name = columns::text(own.get("name")).unwrap_or_default();
    let (database, schema, alias) =
        shared.names.of_export(&name, get("database"), get("schema_name").or(get("schema")), get("alias"));
    json!({
        "name": name,
        "config": {
            "export_as": get("export_as"),
            "schema_name": get("schema_name").or(get("schema")).cloned().unwrap_or_else(|| json!(schema)),
            "alias": get("alias").cloned().unwrap_or_else(|| json!(alias)),
            "database": json!(database),
        },
        "unrendered_config": written,
    })
}
