//! Exposures and groups.

use serde_json::json;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Config, DependsOn, Exposure, Group, Json, JsonMap, Language, ResourceType, UniqueId};
use crate::parse::{CaptureNode, Property, capture_expression};
use crate::yaml::Yaml;

use super::config::{self, Given};
use super::nodes::Shared;
use super::{columns, nearest, python};

const TYPES: [&str; 5] = ["dashboard", "notebook", "analysis", "ml", "application"];
const MATURITIES: [&str; 3] = ["low", "medium", "high"];

/// A resource of a property file: its id, fqn and merged config.
pub struct Placed {
    pub unique_id: UniqueId,
    pub name: String,
    pub fqn: Vec<String>,
    pub config: Config,
    pub unrendered_config: JsonMap,
}

/// Merges the config of a resource that only a property file defines.
pub fn place(
    shared: &Shared<'_>,
    property: &Property,
    kind: ResourceType,
    name: &str,
    given: &JsonMap,
    diagnostics: &mut Vec<Diagnostic>,
) -> Placed {
    let package = &property.package.name;
    let mut fqn = super::fqn_prefix(package, &property.file.path);
    fqn.push(name.to_owned());
    let unique_id = UniqueId::from(format!("{kind}.{package}.{name}"));
    let calls = JsonMap::new();
    let levels = shared.trees.rendered(package, kind, &fqn);
    let merged = config::merge(&Given { kind, levels, patch: Some(given), calls: &calls });
    for fault in merged.faults {
        let config = property.entry.get("config").and_then(|config| config.get(&fault.key));
        let span = config.unwrap_or(&property.entry).span;
        let mut message = format!("Invalid config of {unique_id}: `{}`: {}", fault.key, fault.message);
        if let Some(declared) = declared(kind, &fault.key) {
            let levels = shared.trees.rendered(package, kind, &fqn);
            let given = levels.own.iter().copied().chain([given]).filter_map(|level| level.get(&fault.key)).next_back();
            let shown = python::repr(given.unwrap_or(&Json::Null));
            message =
                format!("{unique_id}: Field \"{}\" of type {declared} in ExposureConfig has invalid value {shown}", fault.key);
        }
        diagnostics.push(Diagnostic::error("E0250", message).at(&property.file.source, span).node(unique_id.shared()));
    }
    let unrendered_config = config::unrendered(&shared.trees.written(package, kind, &fqn), Some(given), &calls);
    Placed { unique_id, name: name.to_owned(), fqn, config: merged.config, unrendered_config }
}

/// The type that dbt declares for a config key of exposures; its messages name it.
fn declared(kind: ResourceType, key: &str) -> Option<&'static str> {
    match key {
        "tags" if kind == ResourceType::Exposure => Some("List[str]"),
        "meta" if kind == ResourceType::Exposure => Some("Dict[str, Any]"),
        _ => None,
    }
}

/// The name of an entry; without one it is reported.
pub fn name(property: &Property, diagnostics: &mut Vec<Diagnostic>) -> Option<String> {
    let name = columns::text(property.entry.get("name"));
    if name.is_none() {
        let message = format!("An entry of '{}' needs a name", property.section);
        diagnostics.push(Diagnostic::error("E0273", message).at(&property.file.source, property.entry.span));
    }
    name
}

/// A value that must be one of a few; the fault is reported and the first of them taken.
fn one_of(property: &Property, key: &str, allowed: &[&str], diagnostics: &mut Vec<Diagnostic>) -> Option<String> {
    let value = property.entry.get(key).filter(|value| !value.is_null())?;
    let text = columns::text(Some(value)).unwrap_or_default();
    if allowed.contains(&text.as_str()) {
        return Some(text);
    }
    let message = format!("'{text}' is not a valid {key}: it must be one of {}", allowed.join(", "));
    let mut diagnostic = Diagnostic::error("E0274", message).at(&property.file.source, value.span);
    diagnostic.help = nearest::hint(&text, allowed.iter().copied());
    diagnostics.push(diagnostic);
    None
}

/// `owner:` with both of the manifest's keys, then what else was given.
fn owner(property: &Property, diagnostics: &mut Vec<Diagnostic>) -> JsonMap {
    let given = columns::map(property.entry.get("owner"));
    if given.get("name").is_none_or(Json::is_null) && given.get("email").is_none_or(Json::is_null) {
        let message = "An owner needs a name or an email";
        let span = property.entry.get("owner").unwrap_or(&property.entry).span;
        diagnostics.push(Diagnostic::error("E0275", message).at(&property.file.source, span));
    }
    let mut owner = JsonMap::new();
    owner.insert("email".to_owned(), Json::Null);
    owner.insert("name".to_owned(), Json::Null);
    owner.extend(given);
    owner
}

/// One exposure; its `depends_on` is captured, and followed later.
pub fn exposure(shared: &Shared<'_>, property: &Property, diagnostics: &mut Vec<Diagnostic>) -> Option<Exposure> {
    let name = name(property, diagnostics)?;
    let entry = &property.entry;
    let valid = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    if !name.chars().all(valid) {
        let message = format!("The exposure's name '{name}' may hold letters, digits and underscores only");
        let help = "give the words for people in `label:`";
        let diagnostic = Diagnostic::warning("W0276", message).event("ExposureNameDeprecation");
        diagnostics.push(diagnostic.at(&property.file.source, entry.span).help(help));
    }
    let given = columns::map(entry.get("config"));
    let mut placed = place(shared, property, ResourceType::Exposure, &name, &given, diagnostics);
    let project_wide = super::root_values(&property.package, "exposures");
    let mut tags: std::collections::BTreeSet<String> = columns::texts(entry.get("tags")).into_iter().collect();
    tags.extend(placed.config.list("tags").iter().filter_map(Json::as_str).map(str::to_owned));
    tags.extend(
        project_wide.get("tags").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).map(str::to_owned),
    );
    let mut meta = project_wide.get("meta").and_then(Json::as_object).cloned().unwrap_or_default();
    meta.extend(columns::map(entry.get("meta")));
    meta.extend(placed.config.object("meta").cloned().unwrap_or_default());
    placed.config.0.insert("tags".to_owned(), json!(tags));
    placed.config.0.insert("meta".to_owned(), Json::Object(meta.clone()));
    let kind = one_of(property, "type", &TYPES, diagnostics);
    if kind.is_none() && entry.get("type").is_none() {
        let message = format!("The exposure '{name}' needs a type: {}", TYPES.join(", "));
        diagnostics.push(Diagnostic::error("E0274", message).at(&property.file.source, entry.span));
    }
    let mut exposure = Exposure {
        unique_id: placed.unique_id,
        name,
        package_name: property.package.name.clone(),
        path: property.file.path.to_string(),
        original_file_path: property.file.original_path.to_string(),
        fqn: placed.fqn,
        kind: kind.unwrap_or_default(),
        owner: owner(property, diagnostics),
        description: columns::text(entry.get("description")).unwrap_or_default(),
        label: columns::text(entry.get("label")),
        maturity: one_of(property, "maturity", &MATURITIES, diagnostics),
        url: columns::text(entry.get("url")),
        meta,
        tags: tags.into_iter().collect(),
        config: placed.config,
        unrendered_config: placed.unrendered_config,
        depends_on: DependsOn::default(),
        refs: Vec::new(),
        sources: Vec::new(),
        metrics: Vec::new(),
        created_at: shared.created_at,
    };
    depends_on(shared, property, &mut exposure, diagnostics);
    Some(exposure)
}

/// What a capture of a property file's expression renders as.
pub fn whose(property: &Property, unique_id: &UniqueId, kind: ResourceType, name: &str, fqn: &[String]) -> CaptureNode {
    CaptureNode {
        unique_id: unique_id.clone(),
        resource_type: kind,
        name: name.to_owned(),
        package: property.package.clone(),
        fqn: fqn.to_vec(),
        path: property.file.path.to_string(),
        original_file_path: property.file.original_path.to_string(),
        raw_code: "".into(),
        language: Language::Sql,
        relation: None,
    }
}

fn depends_on(shared: &Shared<'_>, property: &Property, exposure: &mut Exposure, diagnostics: &mut Vec<Diagnostic>) {
    let whose = whose(property, &exposure.unique_id, ResourceType::Exposure, &exposure.name, &exposure.fqn);
    for item in property.entry.get("depends_on").map(Yaml::items).unwrap_or_default() {
        let Some(expression) = columns::text(Some(item)) else { continue };
        let place = (&property.file.source, item.span);
        match capture_expression(shared.project, &shared.engine, &whose, &expression, place) {
            Ok(captured) => {
                exposure.refs.extend(captured.refs);
                exposure.sources.extend(captured.sources);
                exposure.metrics.extend(captured.metrics);
                for id in captured.macros {
                    if !exposure.depends_on.macros.contains(&id) {
                        exposure.depends_on.macros.push(id);
                    }
                }
            }
            Err(diagnostic) => diagnostics.push(diagnostic.node(exposure.unique_id.shared())),
        }
    }
}

/// One group.
pub fn group(shared: &Shared<'_>, property: &Property, diagnostics: &mut Vec<Diagnostic>) -> Option<Group> {
    let name = name(property, diagnostics)?;
    let given = columns::map(property.entry.get("config"));
    let placed = place(shared, property, ResourceType::Group, &name, &given, diagnostics);
    Some(Group {
        unique_id: placed.unique_id,
        name,
        package_name: property.package.name.clone(),
        path: property.file.path.to_string(),
        original_file_path: property.file.original_path.to_string(),
        owner: owner(property, diagnostics),
        description: columns::text(property.entry.get("description")),
        config: placed.config.0,
    })
}
