//! What property files say of macros.

use std::sync::Arc;

use serde_json::json;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Config, Docs, Json, JsonMap, Macro, MacroArgument, MacroRegistry, UniqueId};
use crate::parse::Property;
use crate::yaml::Yaml;

use super::docs::Docs as DocsIndex;
use super::nodes::Shared;
use super::{columns, nearest};

/// The registry with the described macros replaced; the same one where nothing describes any.
pub fn described(
    shared: &Shared<'_>,
    macros: &Arc<MacroRegistry>,
    properties: &[Property],
    docs: &Arc<DocsIndex>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Arc<MacroRegistry> {
    let mut packages = None;
    for property in properties.iter().filter(|property| property.section == "macros") {
        let Some(name) = columns::text(property.entry.get("name")) else { continue };
        let packages = packages.get_or_insert_with(|| macros.packages.clone());
        let Some(of_package) = packages.get_mut(&property.package.name) else { continue };
        let Some(slot) = of_package.get_mut(&name) else {
            let span = property.entry.get("name").unwrap_or(&property.entry).span;
            let message = format!("Found patch for macro \"{name}\" which was not found");
            let mut diagnostic = Diagnostic::warning("W0287", message).event("MacroNotFoundForPatch");
            diagnostic.help = nearest::hint(&name, of_package.keys().map(String::as_str));
            diagnostics.push(diagnostic.at(&property.file.source, span));
            continue;
        };
        if let Some(first) = &slot.patch_path {
            let message = format!("dbt found two schema.yml entries for the same macro named {name}; the other is in {first}");
            diagnostics.push(Diagnostic::error("E0288", message).at(&property.file.source, property.entry.span));
            continue;
        }
        let mut own = Macro::clone(slot);
        describe(shared, &mut own, property, diagnostics);
        docs.of_macro(shared, &mut own, diagnostics);
        *slot = Arc::new(own);
    }
    match packages {
        Some(packages) => Arc::new(MacroRegistry { root: macros.root.clone(), internal: macros.internal.clone(), packages }),
        None => macros.clone(),
    }
}

fn describe(shared: &Shared<'_>, own: &mut Macro, property: &Property, diagnostics: &mut Vec<Diagnostic>) {
    let entry = &property.entry;
    let config = entry.get("config");
    own.patch_path = Some(format!("{}://{}", property.package.name, property.file.original_path));
    own.description = columns::text(entry.get("description")).unwrap_or_default();
    let mut meta = columns::map(entry.get("meta"));
    meta.extend(columns::map(config.and_then(|config| config.get("meta"))));
    let docs = config.and_then(|config| config.get("docs")).or_else(|| entry.get("docs"));
    own.docs = Docs {
        show: docs.and_then(|docs| docs.get("show")).and_then(Yaml::as_bool).unwrap_or(true),
        node_color: columns::text(docs.and_then(|docs| docs.get("node_color"))),
    };
    let shown = json!({"show": own.docs.show, "node_color": own.docs.node_color});
    own.config = Config(JsonMap::from_iter([("meta".to_owned(), Json::Object(meta.clone())), ("docs".to_owned(), shown)]));
    own.meta = meta;
    own.created_at = shared.created_at;
    let given = entry.get("arguments").map(Yaml::items).unwrap_or_default();
    let arguments: Vec<MacroArgument> = given.iter().map(argument).collect();
    if !shared.project.flags.get("validate_macro_args").and_then(Json::as_bool).unwrap_or(true) {
        own.arguments = arguments;
    } else if !arguments.is_empty() {
        check(own, &arguments, property, diagnostics);
        own.arguments = arguments;
    }
}

fn argument(entry: &Yaml) -> MacroArgument {
    MacroArgument {
        name: columns::text(entry.get("name")).unwrap_or_default(),
        kind: columns::text(entry.get("type")),
        description: columns::text(entry.get("description")).unwrap_or_default(),
    }
}

/// Warns where the documented arguments are not those of the signature.
fn check(own: &Macro, arguments: &[MacroArgument], property: &Property, diagnostics: &mut Vec<Diagnostic>) {
    let place = property.entry.get("arguments").unwrap_or(&property.entry).span;
    let mut warn = |message: String| {
        let diagnostic = Diagnostic::warning("W0289", message).event("InvalidMacroAnnotation");
        diagnostics.push(diagnostic.at(&property.file.source, place).node(UniqueId::shared(&own.unique_id)));
    };
    for (given, defined) in arguments.iter().zip(&own.signature) {
        if given.name != defined.name {
            warn(format!("Argument {} in yaml for macro {} does not match the jinja definition.", given.name, own.name));
        }
    }
    if arguments.len() != own.signature.len() {
        warn(format!("The number of arguments in the yaml for macro {} does not match the jinja definition.", own.name));
    }
    for given in arguments {
        if given.kind.as_deref().is_some_and(|kind| !kind.trim().is_empty() && !is_type(kind)) {
            warn(format!("Argument {} in the yaml for macro {} has an invalid type.", given.name, own.name));
        }
    }
}

/// A type of dbt's macro annotations: `string`, `list[int]`, `dict[str, any]`, `optional[relation]` …
fn is_type(text: &str) -> bool {
    let plain: String = text.chars().filter(|letter| !matches!(letter, ' ' | '\t')).collect();
    rest_of_type(&plain) == Some("")
}

/// What follows a type at the beginning of the text.
fn rest_of_type(text: &str) -> Option<&str> {
    let end = text.find(|letter: char| !letter.is_ascii_lowercase()).unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let inner = match name {
        "str" | "string" | "bool" | "int" | "integer" | "float" | "any" | "relation" | "column" => return Some(rest),
        "list" | "optional" => 1,
        "dict" => 2,
        _ => return None,
    };
    rest = rest.strip_prefix('[')?;
    for at in 0..inner {
        if at > 0 {
            rest = rest.strip_prefix(',')?;
        }
        rest = rest_of_type(rest)?;
    }
    rest.strip_prefix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_dbts() {
        for text in ["string", "list[int]", "dict[str, any]", "optional[list[relation]]"] {
            assert!(is_type(text), "{text}");
        }
        for text in ["varchar", "list", "dict[str]", "list[int]x"] {
            assert!(!is_type(text), "{text}");
        }
    }
}
