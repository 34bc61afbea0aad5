//! SQL functions (UDFs): what their property-file entry adds.

use serde_json::json;

use crate::manifest::{Json, JsonMap};
use crate::yaml::Yaml;

use super::columns;
use super::patch::Patch;

/// `returns`, `arguments` and `overloads` of a function, with the manifest's keys.
pub fn body(patch: &Patch) -> JsonMap {
    let entry = &patch.entry;
    let mut body = JsonMap::new();
    body.insert("returns".to_owned(), returns(entry.get("returns")));
    body.insert("arguments".to_owned(), arguments(entry.get("arguments")));
    let overloads = entry.get("overloads").map(Yaml::items).unwrap_or_default();
    let overloads: Vec<Json> = overloads
        .iter()
        .map(|overload| {
            json!({
                "defined_in": columns::text(overload.get("defined_in")),
                "arguments": arguments(overload.get("arguments")),
                "returns": returns(overload.get("returns")),
                "description": columns::text(overload.get("description")),
                "raw_body": null,
                "compiled_body": null,
            })
        })
        .collect();
    body.insert("overloads".to_owned(), Json::Array(overloads));
    body
}

fn returns(value: Option<&Yaml>) -> Json {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Json::Null };
    json!({
        "data_type": columns::text(value.get("data_type")),
        "description": columns::text(value.get("description")),
    })
}

fn arguments(value: Option<&Yaml>) -> Json {
    let arguments = value.map(Yaml::items).unwrap_or_default();
    let each = arguments.iter().map(|argument| {
        json!({
            "name": columns::text(argument.get("name")),
            "data_type": columns::text(argument.get("data_type")),
            "description": columns::text(argument.get("description")),
            "default_value": argument.get("default_value").map_or(Json::Null, Yaml::to_json),
        })
    });
    each.collect()
}
