//! DuckDB's external sources: `external_location` in a source's meta or config stands for the relation.

use crate::manifest::{Json, JsonMap, Source};

use super::config;
use super::python;

/// What is read instead of the relation: a quoted path, or a function call as it stands. Placeholders are filled in the way
/// `formatter` says: `newstyle` (`{name}`), `oldstyle` (`%(name)s`) or `template` (`$name`).
pub fn of(source: &Source) -> Result<Option<String>, String> {
    let mut values = JsonMap::new();
    values.insert("name".to_owned(), source.name.clone().into());
    values.insert("identifier".to_owned(), source.identifier.clone().into());
    values.insert("schema".to_owned(), source.schema.clone().into());
    values.insert("database".to_owned(), source.database.clone().into());
    values.insert("tags".to_owned(), source.tags.clone().into());
    values.extend(source.meta.clone());
    values.extend(config::extras(crate::manifest::ResourceType::Source, &source.config));
    if values.contains_key("plugin") {
        return Ok(None);
    }
    let Some(location) = values.get("external_location").and_then(Json::as_str) else { return Ok(None) };
    let formatter = values.get("formatter").and_then(Json::as_str).unwrap_or("newstyle");
    let filled = match formatter {
        "newstyle" => fill(location, "{", "}", &values)?.replace("{{", "{").replace("}}", "}"),
        "oldstyle" => fill(location, "%(", ")s", &values)?,
        "template" => template(location, &values)?,
        other => {
            return Err(format!("Formatter {other} not recognized. Must be one of 'newstyle', 'oldstyle', or 'template'."));
        }
    };
    let plain = !filled.contains('(') && !filled.starts_with('\'');
    Ok(Some(if plain { format!("'{filled}'") } else { filled }))
}

fn value<'a>(name: &str, values: &'a JsonMap) -> Result<std::borrow::Cow<'a, str>, String> {
    match values.get(name) {
        Some(Json::String(text)) => Ok(text.as_str().into()),
        Some(other) => Ok(python::text(other).into()),
        None => Err(format!("external_location names '{name}', which the source does not have")),
    }
}

fn fill(text: &str, open: &str, close: &str, values: &JsonMap) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(open) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let after = &after[open.len()..];
        if open == "{" && after.starts_with('{') {
            out.push_str("{{");
            rest = &after[1..];
            continue;
        }
        let end = after.find(close).ok_or_else(|| format!("external_location: '{open}' is not closed"))?;
        out.push_str(&value(after[..end].trim(), values)?);
        rest = &after[end + close.len()..];
    }
    out.push_str(rest);
    Ok(out)
}

fn template(text: &str, values: &JsonMap) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let after = &after[1..];
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, tail) = braced.unwrap_or_else(|| {
            let end = after.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(after.len());
            after.split_at(end)
        });
        out.push_str(&value(name, values)?);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}
