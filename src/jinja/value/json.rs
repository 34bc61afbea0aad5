//! JSON to Jinja's values and back.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::shared::SharedNode;
use super::{Dict, InstanceObject, dict, is_defined, items, list, none, pairs, text, type_name};
use crate::jinja::Error;
use crate::manifest::{Json, JsonMap};

const DEEPEST: usize = 200;

/// Turns JSON into fresh, mutable Jinja values (lists and dicts that `append`, `update` … change).
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => none(),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => {
            if let Some(whole) = number.as_i64() {
                Value::from(whole)
            } else if let Some(whole) = number.as_u64() {
                Value::from(whole)
            } else {
                Value::from(number.as_f64().unwrap_or_default())
            }
        }
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => list(items.iter().map(from_json).collect()),
        Json::Object(map) => dict(map.iter().map(|(key, value)| (key.as_str(), from_json(value)))),
    }
}

/// The same, without copying what is not touched: a change by Jinja never reaches `json`.
pub fn from_shared_json(json: Arc<Json>) -> Value {
    SharedNode::new(json).value()
}

/// A Jinja value as JSON: what `tojson` and artifacts see. Err names what cannot be JSON.
pub fn to_json(value: &Value) -> Result<Json, Error> {
    to_json_at(value, 0)
}

fn to_json_at(value: &Value, depth: usize) -> Result<Json, Error> {
    if depth > DEEPEST {
        return Err(Error::compilation("Circular reference detected"));
    }
    match value.kind() {
        ValueKind::None => Ok(Json::Null),
        ValueKind::Bool => Ok(Json::Bool(value.is_true())),
        ValueKind::String => Ok(Json::String(value.as_str().unwrap_or_default().to_owned())),
        ValueKind::Number => number(value),
        _ => container(value, depth),
    }
}

fn number(value: &Value) -> Result<Json, Error> {
    if !value.is_integer() {
        let float = f64::try_from(value.clone()).unwrap_or_default();
        return serde_json::Number::from_f64(float)
            .map(Json::Number)
            .ok_or_else(|| Error::compilation(format!("Out of range float values are not JSON compliant: {}", text(value))));
    }
    if let Ok(whole) = i64::try_from(value.clone()) {
        return Ok(Json::from(whole));
    }
    match u64::try_from(value.clone()) {
        Ok(whole) => Ok(Json::from(whole)),
        Err(_) => Ok(Json::from(f64::try_from(value.clone()).unwrap_or_default())),
    }
}

fn container(value: &Value, depth: usize) -> Result<Json, Error> {
    if let Some(instance) = value.downcast_object_ref::<InstanceObject>() {
        if let Some(json) = instance.0.to_json() {
            return Ok(json);
        }
    } else if value.downcast_object_ref::<Dict>().is_some() || value.kind() == ValueKind::Map {
        let mut map = JsonMap::new();
        for (key, value) in pairs(value).unwrap_or_default() {
            map.insert(key_text(&key)?, to_json_at(&value, depth + 1)?);
        }
        return Ok(Json::Object(map));
    } else if value.kind() == ValueKind::Seq && is_defined(value) {
        let items = items(value).unwrap_or_default();
        return items.iter().map(|item| to_json_at(item, depth + 1)).collect::<Result<_, _>>().map(Json::Array);
    }
    let name = type_name(value);
    let name = name.rsplit_once('.').map_or(&*name, |(_, name)| name);
    Err(Error::compilation(format!("Object of type {name} is not JSON serializable")))
}

/// A key as Python's json writes it.
fn key_text(key: &Value) -> Result<String, Error> {
    match key.kind() {
        ValueKind::String | ValueKind::Number => Ok(text(key)),
        ValueKind::None => Ok("null".to_owned()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.to_owned()),
        _ => {
            let name = type_name(key);
            Err(Error::compilation(format!("keys must be str, int, float, bool or None, not {name}")))
        }
    }
}
