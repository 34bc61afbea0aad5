//! Values of a config key brought into the artifact's form, or refused.

use serde_json::json;

use crate::manifest::{Json, JsonMap};

use super::Fault;
use super::class::Shape;

/// A value as messages show it: its JSON, cut where it is long.
pub fn shown(value: &Json) -> String {
    let text = match value {
        Json::String(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}

/// The value in the form of its shape; Err says what was expected.
pub fn normal(shape: Shape, value: Json) -> Result<Json, String> {
    let expected = |what: &str, value: &Json| Err(format!("{} is not {what}", shown(value)));
    match shape {
        Shape::Any => Ok(value),
        Shape::OptBool | Shape::OptText | Shape::OptOneOf(_) if value.is_null() => Ok(value),
        Shape::Bool | Shape::OptBool if value.is_boolean() => Ok(value),
        Shape::Bool | Shape::OptBool => expected("of type 'boolean'", &value),
        Shape::Text | Shape::OptText if value.is_string() => Ok(value),
        Shape::Text | Shape::OptText => expected("a text", &value),
        Shape::OptInt => integer(value),
        Shape::Map if value.is_object() => Ok(value),
        Shape::Map => expected("a map", &value),
        Shape::TextList | Shape::TextOrList => texts(value),
        Shape::OptTextOrList => match value {
            Json::Null | Json::String(_) => Ok(value),
            Json::Array(ref items) if items.iter().all(Json::is_string) => Ok(value),
            other => expected("a text or a list of texts", &other),
        },
        Shape::Hooks => hooks(value),
        Shape::Docs => docs(&value),
        Shape::Contract => contract(&value),
        Shape::OnOff => match value {
            Json::Bool(on) => Ok(json!(if on { "on" } else { "off" })),
            Json::Null | Json::String(_) => Ok(value),
            other => expected("a text", &other),
        },
        Shape::OneOf(allowed) | Shape::OptOneOf(allowed) => one_of(value, allowed),
        Shape::Object(keys) => object(&value, keys),
        Shape::VersionPointer => match value {
            Json::Bool(enabled) => Ok(json!({"enabled": enabled, "alias": null})),
            other => object(&other, &["enabled", "alias"]),
        },
        Shape::ModelFreshness => model_freshness(&value),
        Shape::SourceFreshness => super::super::freshness::normal(&value),
        Shape::Severity => match value.as_str() {
            Some(text) if ["warn", "error"].contains(&text.to_lowercase().as_str()) => Ok(value),
            _ => Err(format!("Severity must be either 'warn' or 'error'. Got {}", shown(&value))),
        },
    }
}

fn integer(value: Json) -> Result<Json, String> {
    let whole = match &value {
        Json::Null => return Ok(value),
        Json::Number(number) if number.is_i64() => return Ok(value),
        Json::String(text) => text.trim().parse::<i64>().ok(),
        _ => None,
    };
    whole.map(Json::from).ok_or_else(|| format!("{} is not a whole number", shown(&value)))
}

fn texts(value: Json) -> Result<Json, String> {
    let items = super::listed(value);
    match items.iter().find(|item| !item.is_string()) {
        Some(odd) => Err(format!("{} is not a text", shown(odd))),
        None => Ok(Json::Array(items)),
    }
}

fn one_of(value: Json, allowed: &[&str]) -> Result<Json, String> {
    match value.as_str() {
        Some(text) if allowed.contains(&text) => Ok(value),
        _ => Err(format!("{} is not one of {}", shown(&value), allowed.join(", "))),
    }
}

fn object(value: &Json, keys: &[&str]) -> Result<Json, String> {
    let Some(map) = value.as_object() else { return Err(format!("{} is not a map", shown(value))) };
    let part = |key: &&str| ((*key).to_owned(), map.get(*key).cloned().unwrap_or(Json::Null));
    Ok(Json::Object(keys.iter().map(part).collect()))
}

/// One hook as `{sql, transaction, index}`: from a text, from a text that is a JSON map (`before_begin(…)`), or from a map.
fn hook(value: Json) -> Result<Json, String> {
    let map = match value {
        Json::Object(map) => map,
        Json::String(text) => match serde_json::from_str::<Json>(&text) {
            Ok(Json::Object(map)) => map,
            _ => return Ok(json!({"sql": text, "transaction": true, "index": null})),
        },
        other => return Err(format!("{} is not a hook: a text, or a map with `sql` and `transaction`", shown(&other))),
    };
    let Some(sql) = map.get("sql").filter(|sql| sql.is_string()) else {
        return Err("a hook that is a map needs `sql`, a text".to_owned());
    };
    let transaction = map.get("transaction").cloned().unwrap_or(Json::Bool(true));
    if !transaction.is_boolean() {
        return Err(format!("`transaction` of a hook: {} is not of type 'boolean'", shown(&transaction)));
    }
    Ok(json!({"sql": sql, "transaction": transaction, "index": map.get("index")}))
}

fn hooks(value: Json) -> Result<Json, String> {
    super::listed(value).into_iter().map(hook).collect::<Result<Vec<_>, _>>().map(Json::Array)
}

fn docs(value: &Json) -> Result<Json, String> {
    let show = value.get("show").cloned().unwrap_or(Json::Bool(true));
    let color = value.get("node_color").cloned().unwrap_or(Json::Null);
    if !show.is_boolean() {
        return Err(format!("`docs.show`: {} is not of type 'boolean'", shown(&show)));
    }
    match &color {
        Json::Null => {}
        Json::String(text) if super::super::color::is_color(text) => {}
        other => {
            return Err(format!(
                "Invalid color name for docs.node_color: {}. It is neither an HTML color name nor a HEX code",
                other.as_str().map_or_else(|| other.to_string(), str::to_owned)
            ));
        }
    }
    Ok(json!({"show": show, "node_color": color}))
}

fn contract(value: &Json) -> Result<Json, String> {
    let part = |key: &str, default: bool| match value.get(key) {
        None => Ok(default),
        Some(Json::Bool(given)) => Ok(*given),
        Some(other) => Err(format!("`contract.{key}`: {} is not of type 'boolean'", shown(other))),
    };
    Ok(json!({"enforced": part("enforced", false)?, "alias_types": part("alias_types", true)?}))
}

/// Kept only where it has `build_after`.
fn model_freshness(value: &Json) -> Result<Json, String> {
    let Some(after) = value.get("build_after") else { return Ok(Json::Null) };
    let part = |key: &str| after.get(key).cloned().unwrap_or(Json::Null);
    let (count, period) = (part("count"), part("period"));
    if !period.is_null() && count.is_null() {
        return Err("`freshness.build_after` must have a value for `count` if a `period` is provided".to_owned());
    }
    if period.is_null() && !count.is_null() {
        return Err("`freshness.build_after` must have a value for `period` if a `count` is provided".to_owned());
    }
    let updates_on = after.get("updates_on").cloned().unwrap_or_else(|| json!("any"));
    Ok(json!({"build_after": {"count": count, "period": period, "updates_on": updates_on}}))
}

/// `store_failures_as` rules over `store_failures` where it is given, else follows it.
pub fn finish_test(config: &mut JsonMap) {
    let stored_as = config.get("store_failures_as").and_then(Json::as_str).map(str::to_owned);
    if let Some(stored_as) = stored_as {
        config.insert("store_failures".to_owned(), Json::Bool(stored_as != "ephemeral"));
        return;
    }
    let follows = match config.get("store_failures").and_then(Json::as_bool) {
        Some(true) => json!("table"),
        Some(false) => json!("ephemeral"),
        None => Json::Null,
    };
    config.insert("store_failures_as".to_owned(), follows);
}

/// What only holds between keys.
pub fn check_node(config: &JsonMap, faults: &mut Vec<Fault>) {
    let text = |key: &str| config.get(key).and_then(Json::as_str);
    let enforced = config.get("contract").and_then(|contract| contract.get("enforced")).and_then(Json::as_bool);
    let change = text("on_schema_change");
    if enforced == Some(true)
        && text("materialized") == Some("incremental")
        && !matches!(change, Some("append_new_columns" | "fail"))
    {
        let message = format!(
            "Invalid value for on_schema_change: {}. Models materialized as incremental with contracts enabled must set \
             on_schema_change to 'append_new_columns' or 'fail'",
            change.unwrap_or("null")
        );
        faults.push(Fault::new("on_schema_change", message));
    }
}
