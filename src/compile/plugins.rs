//! dbt-duckdb's plugins, which are Python: they load what sources name, and are handed what external models wrote.

use std::sync::PoisonError;

use super::config_object;
use super::session::Session;
use crate::adapter::PythonTask;
use crate::jinja::objects::{column, relation};
use crate::jinja::{self, Args, Error, ErrorKind, Value};
use crate::manifest::{Json, JsonMap, Manifest, Source};

/// Keys of a source's config that are dbt's own; all others are a plugin's.
const OWN_KEYS: [&str; 7] = ["enabled", "event_time", "freshness", "loaded_at_field", "loaded_at_query", "meta", "tags"];

/// A source's meta, and what its config has for plugins.
fn settings(source: &Source) -> JsonMap {
    let mut settings = source.meta.clone();
    let others = source.config.0.iter().filter(|(key, _)| !OWN_KEYS.contains(&key.as_str()));
    settings.extend(others.map(|(key, value)| (key.clone(), value.clone())));
    settings
}

fn has_plugin(source: &Source) -> bool {
    source.meta.contains_key("plugin") || source.config.get("plugin").is_some()
}

/// May a run of this project ask for Python?
pub fn uses_python(manifest: &Manifest) -> bool {
    let is_python = |node: &crate::manifest::Node| node.language == crate::manifest::Language::Python;
    let stores = |node: &crate::manifest::Node| node.config.given("plugin").is_some();
    manifest.nodes.values().any(|node| is_python(node) || stores(node))
        || manifest.sources.values().any(|source| has_plugin(source))
}

/// Loads a source's table where a plugin does that, once a run.
pub fn load(session: &Session, source: &Source) -> Result<(), Error> {
    if !has_plugin(source) || session.warehouse.facts.kind.as_ref() != "duckdb" {
        return Ok(());
    }
    let settings = settings(source);
    let plugin = settings.get("plugin").and_then(Json::as_str).unwrap_or_default().to_owned();
    let fields = serde_json::json!({
        "name": source.name,
        "identifier": source.identifier,
        "schema": source.schema,
        "database": source.database,
        "tags": source.tags,
        "meta": settings,
    });
    let fields = fields.as_object().cloned().unwrap_or_default();
    // Whoever waits for another thread's load must not keep the file from it.
    session.let_go()?;
    let mut loaded = session.warehouse.loaded.lock().unwrap_or_else(PoisonError::into_inner);
    if !loaded.contains(&source.unique_id) {
        session.run_python(&PythonTask::Load { plugin: &plugin, source: fields })?;
        loaded.insert(source.unique_id.clone());
    }
    Ok(())
}

/// `adapter.store_relation(plugin_name, relation, column_list, path, format, config)`.
pub fn store(session: &Session, args: &Args) -> Result<(), Error> {
    let plugin = jinja::text(args.required("store_relation", 0, "plugin_name")?);
    if let Some(database) = plugin.strip_prefix("glue|") {
        return Err(Error::new(
            ErrorKind::Runtime,
            format!(
                "registering files in the Glue database '{database}' is not supported: remove `glue_register` and register them \
                 with AWS's own tools after the run"
            ),
        ));
    }
    let relation = relation::required("store_relation", "relation", args.get(1, "relation"))?;
    let columns = args.get(2, "column_list").and_then(jinja::items).unwrap_or_default();
    let columns: Vec<Json> = columns
        .iter()
        .filter_map(column::of)
        .map(|column| serde_json::json!({"column": &*column.name, "name": &*column.name, "dtype": column.dtype}))
        .collect();
    let config = args.get(5, "config").map(config_of).unwrap_or_default();
    let target = serde_json::json!({
        "relation": {
            "database": relation.database.as_deref(),
            "schema": relation.schema.as_deref(),
            "identifier": relation.identifier.as_deref(),
            "name": relation.identifier.as_deref(),
            "rendered": relation.name(),
        },
        "columns": columns,
        "config": config,
        "location": {"path": args.text(3, "path"), "format": args.text(4, "format")},
    });
    let target = target.as_object().cloned().unwrap_or_default();
    session.run_python(&PythonTask::Store { plugin: &plugin, target })
}

fn config_of(value: &Value) -> Json {
    config_object::of(value).or_else(|| jinja::to_json(value).ok()).unwrap_or_default()
}
