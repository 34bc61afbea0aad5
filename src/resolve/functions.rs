//! Functions (UDFs): what their property-file entry adds, overloads among it.

use std::collections::HashMap;

use serde_json::json;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{Detail, Json, JsonMap, Node, ResourceType};
use crate::parse::Draft;
use crate::yaml::Yaml;

use super::columns;
use super::patch::Patch;

/// `returns`, `arguments` and `overloads` of a function, with the manifest's keys.
pub fn body(patch: &Patch, diagnostics: &mut Vec<Diagnostic>) -> JsonMap {
    let entry = &patch.entry;
    let mut fault = |message: String, span: Span| {
        let message = format!("Invalid functions config given for '{}': {message}", patch.name);
        diagnostics.push(Diagnostic::error("E0221", message).at(&patch.file.source, span));
    };
    if entry.get("returns").is_none() {
        fault("'returns' is a required property".to_owned(), patch.place());
    }
    for one in std::iter::once(&**entry).chain(entry.get("overloads").map(Yaml::items).unwrap_or_default()) {
        signature(one, &mut fault);
    }
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

/// What a function, or one of its overloads, takes and gives: types must be said, and what has a default comes last.
fn signature(entry: &Yaml, fault: &mut impl FnMut(String, Span)) {
    if let Some(returns) = entry.get("returns").filter(|returns| !returns.is_null() && returns.get("data_type").is_none()) {
        fault("'data_type' is a required property of what it returns".to_owned(), returns.span);
    }
    for argument in entry.get("arguments").map(Yaml::items).unwrap_or_default() {
        for key in ["name", "data_type"] {
            if argument.get(key).is_none() {
                fault(format!("'{key}' is a required property of an argument"), argument.span);
            }
        }
    }
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

/// The first argument without a default behind one that has one.
pub fn misplaced_argument(body: &JsonMap) -> Option<&str> {
    let arguments = body.get("arguments").and_then(Json::as_array).into_iter().flatten();
    let without_default = |argument: &&Json| argument.get("default_value").is_none_or(Json::is_null);
    arguments.skip_while(without_default).find(without_default).map(|argument| {
        let name = argument.get("name").and_then(Json::as_str);
        name.unwrap_or_default()
    })
}

/// Which files of functions other functions take in as overloads, by the function; such a file is no node of its own.
pub fn overloads(
    drafts: &[Draft],
    enabled: &[bool],
    patches: &[Option<Patch>],
    diagnostics: &mut Vec<Diagnostic>,
) -> HashMap<usize, Vec<usize>> {
    let mut owners: HashMap<usize, usize> = HashMap::new();
    let mut found: HashMap<usize, Vec<usize>> = HashMap::new();
    for (root, patch) in patches.iter().enumerate() {
        let Some(patch) = patch.as_ref().filter(|_| drafts[root].resource_type == ResourceType::Function) else { continue };
        for overload in patch.entry.get("overloads").map(Yaml::items).unwrap_or_default() {
            let name = columns::text(overload.get("defined_in")).unwrap_or_default();
            let of_name = |at: &usize| {
                let draft = &drafts[*at];
                draft.resource_type == ResourceType::Function
                    && enabled[*at]
                    && draft.name == name
                    && draft.package.name == drafts[root].package.name
            };
            let problem = match (0..drafts.len()).find(of_name) {
                _ if name == drafts[root].name => {
                    format!("Function '{name}' cannot list itself in overloads (defined_in: '{name}').")
                }
                None => format!("Function overload '{name}' (defined_in) not found. Expected a SQL file at functions/{name}.sql"),
                Some(at) => {
                    if let Some(owner) = owners.get(&at) {
                        format!(
                            "Function overload '{name}' (defined_in) is already used by '{}'. Each overload file can only belong \
                         to one root function.",
                            drafts[*owner].unique_id
                        )
                    } else {
                        owners.insert(at, root);
                        found.entry(root).or_default().push(at);
                        continue;
                    }
                }
            };
            let span = overload.get("defined_in").map_or(overload.span, |name| name.span);
            diagnostics.push(Diagnostic::error("E0222", problem).at(&patch.file.source, span));
        }
    }
    found
}

/// Gives a function the body of an overload, and what that refers to.
pub fn take_in(node: &mut Node, overload: &Draft) {
    if let Detail::Function(body) = &mut node.detail {
        let all = body.get_mut("overloads").and_then(Json::as_array_mut).into_iter().flatten();
        for one in all.filter(|one| one.get("defined_in").and_then(Json::as_str) == Some(&overload.name)) {
            one["raw_body"] = Json::from(&*overload.raw_code);
        }
    }
    let captured = &overload.capture;
    super::nodes::add_references(node, &captured.refs, &captured.sources, &captured.functions);
}
