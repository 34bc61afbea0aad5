//! Semantic models: their own entries, and those that a model's property-file entry carries.

use serde_json::json;

use crate::diagnostic::Diagnostic;
use crate::manifest::{ColumnInfo, Json, JsonMap, Node, ResourceType};
use crate::parse::Property;
use crate::yaml::Yaml;

use super::metrics::{Under, of_measure};
use super::{Written, choice, columns, given, part, placed, written};
use crate::manifest::static_call::{self, Named};
use crate::resolve::nodes::Shared;
use crate::resolve::python;

/// One entry of `semantic_models:`, and the metrics that its measures create.
pub fn semantic_model(
    shared: &Shared<'_>,
    property: &Property,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<(Written, Vec<Written>)> {
    let entry = &property.entry;
    let name = super::super::exposures::name(property, diagnostics)?;
    let config = columns::map(entry.get("config"));
    let placed = placed(shared, property, ResourceType::SemanticModel, &name, &config, diagnostics);
    let meta = placed.config.object("meta").cloned().unwrap_or_default();
    let enabled = placed.config.enabled();
    let items = |key: &str| entry.get(key).map(Yaml::items).unwrap_or_default();
    let measures = items("measures");
    let parts = Parts {
        model: columns::text(entry.get("model")).unwrap_or_default(),
        agg_time_dimension: entry.get("defaults").filter(|own| !own.is_null()).map(|own| part(own, "agg_time_dimension")),
        entities: items("entities").iter().map(|own| entity(own, &meta)).collect(),
        measures: measures.iter().map(|own| measure(own, &meta)).collect(),
        dimensions: items("dimensions").iter().map(|own| dimension(own, &meta)).collect(),
        primary_entity: part(entry, "primary_entity"),
    };
    let mut model = written(shared, property, placed, parts.body());
    reference(&mut model, diagnostics);
    let created = measures.iter().filter(|own| own.get("create_metric").and_then(Yaml::as_bool) == Some(true));
    let metrics = created.filter_map(|own| of_measure(shared, property, own, enabled, &meta, diagnostics)).collect();
    Some((model, metrics))
}

pub(super) struct Parts {
    pub model: String,
    /// `defaults:`, where given.
    pub agg_time_dimension: Option<Json>,
    pub entities: Vec<Json>,
    pub measures: Vec<Json>,
    pub dimensions: Vec<Json>,
    pub primary_entity: Json,
}

impl Parts {
    pub fn body(self) -> JsonMap {
        let defaults = self.agg_time_dimension.map_or(Json::Null, |time| json!({"agg_time_dimension": time}));
        let parts = [
            ("model", json!(self.model)),
            ("node_relation", Json::Null),
            ("defaults", defaults),
            ("entities", Json::Array(self.entities)),
            ("measures", Json::Array(self.measures)),
            ("dimensions", Json::Array(self.dimensions)),
            ("metadata", Json::Null),
            ("primary_entity", self.primary_entity),
        ];
        parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

/// `model: ref('x')`.
fn reference(model: &mut Written, diagnostics: &mut Vec<Diagnostic>) {
    let text = model.of.body.get("model").and_then(Json::as_str).unwrap_or_default().to_owned();
    if let Some(Named::Ref(call)) = static_call::read(&text) {
        model.of.refs.push(call);
    } else {
        let message = format!("The model of semantic model '{}' must be a ref('…'), not '{text}'", model.of.name);
        diagnostics.push(model.error("E0280", message));
    }
}

/// The element's own meta over the semantic model's.
fn config(own: Option<&Yaml>, meta: &JsonMap) -> Json {
    let mut merged = meta.clone();
    merged.extend(columns::map(own.and_then(|config| config.get("meta"))));
    json!({"meta": merged})
}

fn entity(own: &Yaml, meta: &JsonMap) -> Json {
    json!({
        "name": part(own, "name"),
        "type": choice(own, "type"),
        "description": part(own, "description"),
        "label": part(own, "label"),
        "role": part(own, "role"),
        "expr": text(own, "expr"),
        "config": config(own.get("config"), meta),
    })
}

fn text(own: &Yaml, key: &str) -> Json {
    given(own, key).map_or(Json::Null, |value| json!(python::text(&value.to_json())))
}

fn measure(own: &Yaml, meta: &JsonMap) -> Json {
    let params = given(own, "agg_params").map_or(Json::Null, |params| {
        let flag = |key: &str| params.get(key).and_then(Yaml::as_bool).unwrap_or(false);
        json!({
            "percentile": part(params, "percentile"),
            "use_discrete_percentile": flag("use_discrete_percentile"),
            "use_approximate_percentile": flag("use_approximate_percentile"),
        })
    });
    let additive = given(own, "non_additive_dimension").map_or(Json::Null, |own| {
        json!({
            "name": part(own, "name"),
            "window_choice": choice(own, "window_choice"),
            "window_groupings": columns::texts(own.get("window_groupings")),
        })
    });
    json!({
        "name": part(own, "name"),
        "agg": columns::text(own.get("agg")).map(|agg| agg.to_lowercase()),
        "description": part(own, "description"),
        "label": part(own, "label"),
        "create_metric": false,
        "expr": text(own, "expr"),
        "agg_params": params,
        "non_additive_dimension": additive,
        "agg_time_dimension": part(own, "agg_time_dimension"),
        "config": config(own.get("config"), meta),
    })
}

fn dimension(own: &Yaml, meta: &JsonMap) -> Json {
    let params = given(own, "type_params").map_or(Json::Null, |params| {
        json!({
            "time_granularity": choice(params, "time_granularity"),
            "validity_params": validity(params.get("validity_params")),
        })
    });
    json!({
        "name": part(own, "name"),
        "type": choice(own, "type"),
        "description": part(own, "description"),
        "label": part(own, "label"),
        "is_partition": given(own, "is_partition").and_then(Yaml::as_bool).unwrap_or(false),
        "type_params": params,
        "expr": text(own, "expr"),
        "metadata": null,
        "config": config(own.get("config"), meta),
        "datatype": null,
    })
}

fn validity(own: Option<&Yaml>) -> Json {
    let Some(own) = own.filter(|own| !own.is_null()) else { return Json::Null };
    let flag = |key: &str| own.get(key).and_then(Yaml::as_bool).unwrap_or(false);
    json!({"is_start": flag("is_start"), "is_end": flag("is_end")})
}

/// The new YAML: `semantic_model:` of a model, its columns' dimensions and entities, `derived_semantics:`, and `metrics:`.
/// Gives the semantic model and what its metrics stand under.
pub fn of_column_yaml(
    shared: &Shared<'_>,
    property: &Property,
    node: &Node,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<(Written, Under)> {
    let entry = &property.entry;
    let own = given(entry, "semantic_model")?;
    let off = own.as_bool() == Some(false) || own.get("enabled").and_then(Yaml::as_bool) == Some(false);
    if off {
        return None;
    }
    let name = columns::text(own.get("name")).unwrap_or_else(|| node.name.clone());
    let mut config = JsonMap::new();
    if let Some(given) = given(own, "config") {
        config.insert("meta".to_owned(), Json::Object(columns::map(given.get("meta"))));
        for key in ["enabled", "group"] {
            if let Some(value) = own.get(key).filter(|value| !value.is_null()) {
                config.insert(key.to_owned(), value.to_json());
            }
        }
    }
    let placed = placed(shared, property, ResourceType::SemanticModel, &name, &config, diagnostics);
    let meta = placed.config.object("meta").cloned().unwrap_or_default();
    let derived = given(entry, "derived_semantics");
    let derived = |key: &str| derived.and_then(|own| own.get(key)).map(Yaml::items).unwrap_or_default();
    let mut dimensions: Vec<Json> = node.columns.values().filter_map(|column| column_dimension(column, &meta)).collect();
    dimensions.extend(derived("dimensions").iter().map(|own| derived_dimension(own, &meta)));
    let mut entities: Vec<Json> = node.columns.values().filter_map(|column| column_entity(column, &meta)).collect();
    entities.extend(derived("entities").iter().map(|own| entity(own, &meta)));
    let parts = Parts {
        model: format!("ref('{}')", node.name),
        agg_time_dimension: Some(part(entry, "agg_time_dimension")),
        entities,
        measures: Vec::new(),
        dimensions,
        primary_entity: part(entry, "primary_entity"),
    };
    let mut model = written(shared, property, placed, parts.body());
    model.of.description.clone_from(&node.description);
    model.of.label = None;
    reference(&mut model, diagnostics);
    let under = Under { semantic_model: Some(name), agg_time_dimension: columns::text(entry.get("agg_time_dimension")) };
    Some((model, under))
}

fn with_meta(base: &JsonMap, parts: &[Option<&Json>]) -> Json {
    let mut merged = base.clone();
    for part in parts.iter().flatten() {
        merged.extend(part.as_object().cloned().unwrap_or_default());
    }
    json!({"meta": merged})
}

/// A column's expression: its own name where the element is named otherwise.
fn expr(element: &Json, column: &ColumnInfo) -> Json {
    if element.as_str() == Some(&column.name) { Json::Null } else { json!(column.name) }
}

fn column_dimension(column: &ColumnInfo, meta: &JsonMap) -> Option<Json> {
    let own = column.extra.get("dimension").filter(|own| !own.is_null())?;
    let column_meta = column.config.get("meta");
    let get = |key: &str| own.get(key).cloned().unwrap_or(Json::Null);
    let whole = own.is_object();
    let name = if whole { get("name") } else { json!(column.name) };
    let params = match (&column.granularity, whole) {
        (Some(grain), true) => json!({"time_granularity": grain, "validity_params": get("validity_params")}),
        _ => Json::Null,
    };
    Some(json!({
        "name": name,
        "type": if whole { get("type") } else { own.clone() },
        "description": if whole { get("description") } else { json!(column.description) },
        "label": get("label"),
        "is_partition": whole && get("is_partition") == json!(true),
        "type_params": params,
        "expr": expr(&name, column),
        "metadata": null,
        "config": with_meta(meta, &[column_meta, own.get("config").and_then(|config| config.get("meta"))]),
        "datatype": null,
    }))
}

fn column_entity(column: &ColumnInfo, meta: &JsonMap) -> Option<Json> {
    let own = column.extra.get("entity").filter(|own| !own.is_null())?;
    let get = |key: &str| own.get(key).cloned().unwrap_or(Json::Null);
    let whole = own.is_object();
    let name = if whole { get("name") } else { json!(column.name) };
    let own_meta = own.get("config").and_then(|config| config.get("meta")).or(column.config.get("meta"));
    Some(json!({
        "name": name,
        "type": if whole { get("type") } else { own.clone() },
        "description": if whole { get("description") } else { json!(column.description) },
        "label": get("label"),
        "role": null,
        "expr": expr(&name, column),
        "config": with_meta(meta, &[own_meta]),
    }))
}

fn derived_dimension(own: &Yaml, meta: &JsonMap) -> Json {
    let mut whole = dimension(own, meta);
    if let Some(grain) = given(own, "granularity") {
        whole["type_params"] = json!({
            "time_granularity": grain.to_json(),
            "validity_params": validity(own.get("validity_params")),
        });
    }
    whole
}
