//! selectors.yml as manifest.json shows it: each definition with its short forms written out.

use crate::manifest::{Json, JsonMap};
use crate::yaml::Yaml;

/// `selectors` of the manifest: name → the selector's entry. Entries that `graph/` would refuse are passed on as they are.
pub fn selectors(file: &Yaml) -> JsonMap {
    let mut all = JsonMap::new();
    for entry in file.get("selectors").map(Yaml::items).unwrap_or_default() {
        let (Some(name), Json::Object(mut shown)) = (entry.get("name").and_then(Yaml::as_str), entry.to_json()) else { continue };
        if let Some(definition) = shown.get_mut("definition") {
            *definition = written_out(definition.take());
        }
        all.insert(name.to_owned(), Json::Object(shown));
    }
    all
}

/// One definition: a text such as `tag:nightly+`, `{method: value}`, a union, an intersection, or already complete.
fn written_out(definition: Json) -> Json {
    match definition {
        Json::String(text) => Json::Object(criterion(&text)),
        Json::Object(map) => {
            for kind in ["union", "intersection"] {
                if let Some(Json::Array(items)) = map.get(kind) {
                    let items: Vec<Json> = items.iter().cloned().map(written_out).collect();
                    return Json::Object(std::iter::once((kind.to_owned(), Json::Array(items))).collect());
                }
            }
            let Some((key, value)) = map.iter().next().map(|(key, value)| (key.clone(), value.clone())) else {
                return Json::Object(map);
            };
            let value = match value {
                Json::Array(items) => Json::Array(items.into_iter().map(written_out).collect()),
                other => other,
            };
            if key == "exclude" {
                return Json::Object(std::iter::once((key, value)).collect());
            }
            if map.len() > 1 {
                return Json::Object(map);
            }
            let mut whole = JsonMap::new();
            whole.insert("method".to_owned(), key.into());
            whole.insert("value".to_owned(), value);
            Json::Object(whole)
        }
        other => other,
    }
}

/// `@2+method.arg:value+3` in its parts, those that are there.
fn criterion(text: &str) -> JsonMap {
    let mut parts = JsonMap::new();
    let mut rest = text;
    if let Some(after) = rest.strip_prefix('@') {
        parts.insert("childrens_parents".to_owned(), true.into());
        rest = after;
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if let Some(after) = rest[digits..].strip_prefix('+') {
        parts.insert("parents".to_owned(), true.into());
        if digits > 0 {
            parts.insert("parents_depth".to_owned(), rest[..digits].into());
        }
        rest = after;
    }
    let body = rest.trim_end_matches(|c: char| c.is_ascii_digit());
    let (body, children) = match body.strip_suffix('+') {
        Some(before) => (before, Some(&rest[body.len()..])),
        None => (rest, None),
    };
    let named = body
        .split_once(':')
        .filter(|(method, _)| !method.is_empty() && method.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.'));
    let (method, value) = named.unwrap_or_else(|| (default_method(body), body));
    parts.insert("method".to_owned(), method.into());
    if !value.is_empty() {
        parts.insert("value".to_owned(), value.into());
    }
    if let Some(depth) = children {
        parts.insert("children".to_owned(), true.into());
        if !depth.is_empty() {
            parts.insert("children_depth".to_owned(), depth.into());
        }
    }
    parts
}

/// What a criterion without a method means: a path, a file or a name.
fn default_method(value: &str) -> &'static str {
    let lower = value.to_lowercase();
    if value.contains('/') {
        "path"
    } else if [".sql", ".py", ".csv"].iter().any(|ending| lower.ends_with(ending)) {
        "file"
    } else {
        "fqn"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_taken_apart() {
        let check = |text: &str, expected: Json| assert_eq!(Json::Object(criterion(text)), expected, "{text}");
        check("m", json!({"method": "fqn", "value": "m"}));
        check("tag:nightly+", json!({"method": "tag", "value": "nightly", "children": true}));
        check(
            "2+config.materialized:view+3",
            json!({"method": "config.materialized", "value": "view", "parents": true,
            "parents_depth": "2", "children": true, "children_depth": "3"}),
        );
        check("@models/staging", json!({"method": "path", "value": "models/staging", "childrens_parents": true}));
        check("2024_orders", json!({"method": "fqn", "value": "2024_orders"}));
    }

    #[test]
    fn short_forms_are_written_out() {
        assert_eq!(written_out(json!({"tag": "x"})), json!({"method": "tag", "value": "x"}));
        assert_eq!(
            written_out(json!({"union": [{"tag": "x"}, "m", {"exclude": ["y"]}]})),
            json!({"union": [{"method": "tag", "value": "x"}, {"method": "fqn", "value": "m"},
            {"exclude": [{"method": "fqn", "value": "y"}]}]})
        );
        let whole = json!({"method": "tag", "value": "x", "parents": true});
        assert_eq!(written_out(whole.clone()), whole);
    }
}
