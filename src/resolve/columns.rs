//! Documented columns and constraints of property files.

use indexmap::IndexMap;
use serde_json::json;

use crate::diagnostic::Diagnostic;
use crate::manifest::{ColumnInfo, Constraint, Json, JsonMap};
use crate::project::SourceFile;
use crate::yaml::Yaml;

use super::nearest;

const CONSTRAINT_TYPES: [&str; 6] = ["check", "not_null", "unique", "primary_key", "foreign_key", "custom"];

/// Keys of a column that have a place of their own; the others are kept as extras.
const COLUMN_KEYS: [&str; 14] = [
    "name",
    "description",
    "meta",
    "data_type",
    "constraints",
    "docs",
    "config",
    "data_tests",
    "tests",
    "quote",
    "tags",
    "granularity",
    "dimension",
    "entity",
];

/// The columns by name, a later one of the same name replacing an earlier one; faults are reported and left out.
pub fn columns<'a>(
    entries: impl IntoIterator<Item = &'a Yaml>,
    file: &SourceFile,
    diagnostics: &mut Vec<Diagnostic>,
) -> IndexMap<String, ColumnInfo> {
    let mut columns = IndexMap::new();
    for entry in entries {
        let Some(name) = entry.get("name").map(Yaml::to_json).filter(|name| !name.is_null()) else {
            let message = "A column needs a name";
            diagnostics.push(Diagnostic::error("E0251", message).at(&file.source, entry.span));
            continue;
        };
        let name = super::python::text(&name);
        columns.insert(name.clone(), column(name, entry, file, diagnostics));
    }
    columns
}

fn column(name: String, entry: &Yaml, file: &SourceFile, diagnostics: &mut Vec<Diagnostic>) -> ColumnInfo {
    let config = entry.get("config");
    let mut meta = map(entry.get("meta"));
    meta.extend(map(config.and_then(|config| config.get("meta"))));
    let mut tags = texts(entry.get("tags"));
    for tag in texts(config.and_then(|config| config.get("tags"))) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    let mut extra: JsonMap = entry
        .entries()
        .iter()
        .filter(|entry| !COLUMN_KEYS.contains(&&*entry.key))
        .map(|entry| (entry.key.to_string(), entry.value.to_json()))
        .collect();
    for key in ["dimension", "entity"] {
        if let Some(value) = entry.get(key).filter(|value| !value.is_null()) {
            extra.insert(key.to_owned(), semantic_part(key, &name, entry, value));
        }
    }
    ColumnInfo {
        description: text(entry.get("description")).unwrap_or_default(),
        data_type: text(entry.get("data_type")),
        constraints: constraints(entry.get("constraints"), false, file, diagnostics),
        quote: entry.get("quote").and_then(Yaml::as_bool),
        config: JsonMap::from_iter([("meta".to_owned(), Json::Object(meta.clone())), ("tags".to_owned(), json!(tags))]),
        granularity: text(entry.get("granularity")),
        doc_blocks: Vec::new(),
        meta,
        tags,
        extra,
        name,
    }
}

/// `dimension:` or `entity:` of a column: its kind alone, or a map with the column's name and description as defaults.
fn semantic_part(key: &str, name: &str, column: &Yaml, value: &Yaml) -> Json {
    if value.entries().is_empty() {
        return value.to_json();
    }
    let part = |key: &str| value.get(key).map_or(Json::Null, Yaml::to_json);
    let or = |key: &str, other: Json| Some(part(key)).filter(|value| !value.is_null()).unwrap_or(other);
    let description = column.get("description").map_or(json!(""), Yaml::to_json);
    let mut whole = json!({
        "name": or("name", json!(name)),
        "type": part("type"),
        "description": or("description", description),
        "label": part("label"),
    });
    if key == "dimension" {
        whole["is_partition"] = or("is_partition", json!(false));
    }
    whole["config"] = or("config", json!({}));
    if key == "dimension" {
        whole["validity_params"] = match value.get("validity_params").filter(|value| !value.is_null()) {
            None => Json::Null,
            Some(given) => {
                let flag = |key: &str| given.get(key).and_then(Yaml::as_bool).unwrap_or(false);
                json!({"is_start": flag("is_start"), "is_end": flag("is_end")})
            }
        };
    }
    whole
}

/// A list of constraints with all keys of the manifest; those of a model (not of a column) have `columns` too.
pub fn constraints(list: Option<&Yaml>, of_model: bool, file: &SourceFile, diagnostics: &mut Vec<Diagnostic>) -> Vec<Constraint> {
    let mut found = Vec::new();
    for entry in list.map(Yaml::items).unwrap_or_default() {
        let kind = text(entry.get("type")).unwrap_or_default();
        if !CONSTRAINT_TYPES.contains(&kind.as_str()) {
            let place = entry.get("type").map_or(entry.span, |kind| kind.span);
            let message = format!("Invalid constraint type '{kind}': it must be one of {}", CONSTRAINT_TYPES.join(", "));
            let mut diagnostic = Diagnostic::error("E0252", message).at(&file.source, place);
            diagnostic.help = nearest::hint(&kind, CONSTRAINT_TYPES);
            diagnostics.push(diagnostic);
            continue;
        }
        let part = |key: &str, default: Json| entry.get(key).filter(|value| !value.is_null()).map_or(default, Yaml::to_json);
        let mut body = JsonMap::new();
        body.insert("type".to_owned(), json!(kind));
        body.insert("name".to_owned(), part("name", Json::Null));
        body.insert("expression".to_owned(), part("expression", Json::Null));
        body.insert("warn_unenforced".to_owned(), part("warn_unenforced", json!(true)));
        body.insert("warn_unsupported".to_owned(), part("warn_unsupported", json!(true)));
        body.insert("to".to_owned(), part("to", Json::Null));
        body.insert("to_columns".to_owned(), part("to_columns", json!([])));
        if of_model {
            body.insert("columns".to_owned(), part("columns", json!([])));
        }
        found.push(Constraint { body });
    }
    found
}

/// A scalar as text; None for null, lists and maps.
pub fn text(value: Option<&Yaml>) -> Option<String> {
    match value?.to_json() {
        Json::Null | Json::Array(_) | Json::Object(_) => None,
        Json::String(text) => Some(text),
        other => Some(super::python::text(&other)),
    }
}

/// A map as JSON; empty for anything else.
pub fn map(value: Option<&Yaml>) -> JsonMap {
    match value.map(Yaml::to_json) {
        Some(Json::Object(map)) => map,
        _ => JsonMap::new(),
    }
}

/// A text or a list of texts.
pub fn texts(value: Option<&Yaml>) -> Vec<String> {
    match value {
        Some(value) if !value.items().is_empty() => value.items().iter().filter_map(|item| text(Some(item))).collect(),
        other => text(other).into_iter().collect(),
    }
}
