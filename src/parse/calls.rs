//! What `ref`, `source`, `metric`, `function` and `config` accept, and how they enter a capture: the same rules for Jinja and Python.

use crate::manifest::{Json, JsonMap, RefCall, VersionText};

use super::Capture;
use super::python;

/// Arguments of a call, as JSON.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    pub positional: Vec<Json>,
    pub keyword: JsonMap,
}

/// `ref([package,] name, [version=…])`. Err says what is wrong with the arguments.
pub fn record_ref(capture: &mut Capture, arguments: &Arguments) -> Result<(), String> {
    let (package, name) = one_or_two("ref", &arguments.positional)?;
    let version = ["version", "v"].iter().filter_map(|key| arguments.keyword.get(*key)).find(|value| is_given(value));
    let version = match version {
        None => None,
        // Artifacts show a text that reads as a number as that number, and lookups go by the text.
        Some(Json::String(text)) => Some(VersionText { text: text.clone(), number: reads_as_number(text) }),
        Some(number @ Json::Number(_)) => Some(VersionText { text: python::text(number), number: true }),
        Some(other) => return Err(format!("the version given to `ref` must be a text or a number, not {}", kind_of(other))),
    };
    capture.refs.push(RefCall { package, name, version });
    Ok(())
}

/// `source(source_name, table_name)`.
pub fn record_source(capture: &mut Capture, arguments: &Arguments) -> Result<(), String> {
    let [source, table] = arguments.positional.as_slice() else {
        return Err(format!(
            "`source` takes the source's name and the table's name, it was given {}",
            arguments.positional.len()
        ));
    };
    capture.sources.push((text("source", source)?, text("source", table)?));
    Ok(())
}

/// `metric([package,] name)`: package and name as they were given.
pub fn record_metric(capture: &mut Capture, arguments: &Arguments) -> Result<(), String> {
    let (package, name) = one_or_two("metric", &arguments.positional)?;
    capture.metrics.push(package.into_iter().chain([name]).collect());
    Ok(())
}

/// `function([package,] name)`.
pub fn record_function(capture: &mut Capture, arguments: &Arguments) -> Result<(), String> {
    let (package, name) = one_or_two("function", &arguments.positional)?;
    capture.functions.push(package.into_iter().chain([name]).collect());
    Ok(())
}

/// `config(key=value, …)` or `config({…})`.
pub fn record_config(capture: &mut Capture, arguments: Arguments) -> Result<(), String> {
    let mut given = match (arguments.positional.as_slice(), arguments.keyword.is_empty()) {
        ([Json::Object(map)], true) => map.clone(),
        ([], false) => arguments.keyword,
        _ => return Err("`config` takes keywords, or one map".to_owned()),
    };
    for (old, new) in [("pre_hook", "pre-hook"), ("post_hook", "post-hook")] {
        let Some(value) = given.shift_remove(old) else { continue };
        if given.contains_key(new) {
            return Err(format!("`config` was given both `{old}` and `{new}`: they are two spellings of one key"));
        }
        given.insert(new.to_owned(), value);
    }
    capture.config_calls.push(given);
    Ok(())
}

fn one_or_two(function: &str, positional: &[Json]) -> Result<(Option<String>, String), String> {
    match positional {
        [name] | [Json::Null, name] => Ok((None, text(function, name)?)),
        [package, name] => Ok((Some(text(function, package)?), text(function, name)?)),
        other => Err(format!("`{function}` takes a name, or a package and a name; it was given {} arguments", other.len())),
    }
}

fn text(function: &str, value: &Json) -> Result<String, String> {
    match value {
        Json::String(text) => Ok(text.clone()),
        other => Err(format!("names given to `{function}` must be texts, not {}", kind_of(other))),
    }
}

fn reads_as_number(text: &str) -> bool {
    let whole = text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
    whole || text.parse::<f64>().is_ok_and(|number| number.is_finite() && python::text(&number.into()) == text)
}

fn is_given(value: &Json) -> bool {
    !matches!(value, Json::Null | Json::Bool(false)) && value.as_str() != Some("") && value.as_f64() != Some(0.0)
}

fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "none",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn arguments(positional: Json, keyword: Json) -> Arguments {
        let (Json::Array(positional), Json::Object(keyword)) = (positional, keyword) else { return Arguments::default() };
        Arguments { positional, keyword }
    }

    #[test]
    fn refs_take_package_and_version() {
        let mut capture = Capture::default();
        record_ref(&mut capture, &arguments(json!(["a"]), json!({}))).unwrap();
        record_ref(&mut capture, &arguments(json!(["p", "a"]), json!({"v": 2}))).unwrap();
        let version = Some(VersionText { text: "2".into(), number: true });
        assert_eq!(capture.refs[0], RefCall { package: None, name: "a".into(), version: None });
        assert_eq!(capture.refs[1], RefCall { package: Some("p".into()), name: "a".into(), version });
        assert!(record_ref(&mut capture, &arguments(json!([null]), json!({}))).unwrap_err().contains("not none"));
        assert!(record_ref(&mut capture, &arguments(json!([]), json!({}))).is_err());
        assert!(record_source(&mut capture, &arguments(json!(["a"]), json!({}))).is_err());
    }

    #[test]
    fn hooks_of_a_config_call_get_their_one_spelling() {
        let mut capture = Capture::default();
        record_config(&mut capture, arguments(json!([]), json!({"pre_hook": "x", "tags": ["a"]}))).unwrap();
        assert_eq!(Json::Object(capture.config_calls.remove(0)), json!({"tags": ["a"], "pre-hook": "x"}));
        assert!(record_config(&mut capture, arguments(json!([]), json!({"pre_hook": "x", "pre-hook": "y"}))).is_err());
        assert!(record_config(&mut capture, arguments(json!([{"a": 1}]), json!({"b": 1}))).is_err());
    }
}
