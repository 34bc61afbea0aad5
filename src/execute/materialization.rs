//! Which materialization a node gets, and what it may return.

use std::sync::Arc;

use crate::compile::RunContext;
use crate::jinja::{Error, ErrorKind, Value, objects};
use crate::manifest::{Macro, MacroKind, Node, Relation};

/// Where a macro comes from; later ones win among equally specific ones.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Locality {
    BuiltIn,
    Imported,
    Root,
}

/// The materialization of that name (a node's `materialized`, or `clone`): the adapter's own before `default`; then the root project's, an
/// imported package's, the built-in one. An imported package may not replace a built-in one unless the flag
/// `require_explicit_package_overrides_for_builtin_materializations` is off.
pub fn find(run: &RunContext, node: &Node, wanted: &str) -> Result<Arc<Macro>, Error> {
    let registry = &run.manifest.macros;
    let adapter = &*run.manifest.adapter_type;
    let mut candidates: Vec<(bool, Locality, &Arc<Macro>)> = Vec::new();
    for (specific, suffix) in [(true, adapter), (false, "default")] {
        let name = format!("materialization_{wanted}_{suffix}");
        for package in registry.packages.keys() {
            let Some(found) = registry.in_package(package, &name) else { continue };
            let locality = if *package == registry.root {
                Locality::Root
            } else if registry.internal.contains(package) {
                Locality::BuiltIn
            } else {
                Locality::Imported
            };
            candidates.push((specific, locality, found));
        }
    }
    candidates.sort_by_key(|(specific, locality, _)| (*specific, *locality));
    let has_builtin = candidates.iter().any(|(_, locality, _)| *locality == Locality::BuiltIn);
    let explicit = run.project.flags.get("require_explicit_package_overrides_for_builtin_materializations");
    if has_builtin && explicit.and_then(serde_json::Value::as_bool).unwrap_or(true) {
        let best_is_imported = candidates.last().is_some_and(|(_, locality, _)| *locality == Locality::Imported);
        if best_is_imported {
            candidates.retain(|(_, locality, _)| *locality != Locality::Imported);
        }
    }
    let found = candidates.pop().map(|(_, _, found)| found.clone()).ok_or_else(|| {
        let known = registry.all().filter_map(|found| found.name.strip_prefix("materialization_")?.rsplit_once('_'));
        let mut known: Vec<&str> = known.map(|(name, _)| name).collect();
        known.sort_unstable();
        known.dedup();
        let help = match crate::diagnostic::nearest(wanted, known.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("there are: {}", known.join(", ")),
        };
        Error::compilation(format!(
            "No materialization '{wanted}' was found for adapter {adapter}! (searched types 'default' and '{adapter}')"
        ))
        .help(help)
    })?;
    let MacroKind::Materialization { supported_languages, .. } = &found.kind else { return Ok(found) };
    let language = node.language.as_str();
    if !supported_languages.is_empty() && !supported_languages.iter().any(|supported| supported == language) {
        let listed = supported_languages.join("', '");
        return Err(Error::new(
            ErrorKind::Runtime,
            format!("Materialization \"{}\" only supports languages ['{listed}']; got \"{language}\"", found.name),
        ));
    }
    Ok(found)
}

/// The relations that a materialization says it made: `{'relations': [...]}`.
pub fn relations(returned: &Value, node: &Node) -> Result<Vec<Relation>, Error> {
    let wrong = |what: &str| {
        Error::compilation(format!(
            "Invalid return value from the materialization \"{}\" of {}: {what}",
            node.config.materialized(),
            node.unique_id
        ))
    };
    if returned.as_str().is_some() || returned.is_undefined() || returned.is_none() {
        return Err(Error::compilation(format!(
            "The materialization (\"{}\") did not explicitly return a list of relations to add to the cache.",
            node.config.materialized()
        )));
    }
    let list = returned.get_attr("relations").ok().filter(|list| !list.is_undefined());
    let list = list.ok_or_else(|| wrong("expected a dict with key \"relations\""))?;
    let items = list.try_iter().map_err(|_| wrong("\"relations\" is not a list"))?;
    items
        .map(|item| objects::relation::of(&item).ok_or_else(|| wrong(&format!("\"relations\" contains non-Relation: {item}"))))
        .collect()
}
