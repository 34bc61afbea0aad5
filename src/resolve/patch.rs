//! Property-file entries for nodes that files define: which entry speaks of which node.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{Json, JsonMap, VersionText};
use crate::parse::Property;
use crate::project::{Package, SourceFile};
use crate::yaml::{Kind, Yaml};

use super::columns;

/// One entry of `models:`, `seeds:`, `snapshots:`, `analyses:`, `functions:` or `data_tests:`, or one version of a model.
#[derive(Debug, Clone)]
pub struct Patch {
    pub section: &'static str,
    pub name: String,
    pub package: Arc<Package>,
    pub file: Arc<SourceFile>,
    pub entry: Arc<Yaml>,
    /// `config:` with top-level `meta`, `docs`, `group`, `contract` and `access` moved into it.
    pub config: JsonMap,
    /// `config:` as written, before rendering.
    pub unrendered: JsonMap,
    pub version: Option<VersionPatch>,
}

/// What one of a model's `versions:` says.
#[derive(Debug, Clone)]
pub struct VersionPatch {
    pub version: VersionText,
    pub latest: VersionText,
    pub entry: Yaml,
}

impl Patch {
    /// Where the entry's name stands.
    pub fn place(&self) -> Span {
        self.entry.get("name").map_or(self.entry.span, |name| name.span)
    }

    /// Where a key of its config stands, in `config:` or beside it.
    pub fn config_place(&self, key: &str) -> Option<Span> {
        let version = self.version.as_ref().and_then(|version| version.entry.get("config"));
        let config = [version, self.entry.get("config"), Some(&*self.entry)];
        config.into_iter().flatten().find_map(|map| map.entry(key)).map(|entry| entry.value.span)
    }

    /// `package://models/schema.yml`.
    pub fn path(&self) -> String {
        format!("{}://{}", self.package.name, self.file.original_path)
    }

    fn value(&self, key: &str) -> Option<&Yaml> {
        let given = |entry: &'_ Yaml| entry.get(key).is_some_and(|value| !value.is_null() && value.as_str() != Some(""));
        match &self.version {
            Some(version) if given(&version.entry) => version.entry.get(key),
            _ => self.entry.get(key),
        }
    }

    pub fn description(&self) -> String {
        columns::text(self.value("description")).unwrap_or_default()
    }

    pub fn constraints(&self) -> Option<&Yaml> {
        self.value("constraints")
    }

    /// A version has a date of its own or none.
    pub fn deprecation_date(&self) -> Option<String> {
        let entry = self.version.as_ref().map_or(&*self.entry, |version| &version.entry);
        columns::text(entry.get("deprecation_date"))
    }

    /// The columns that hold for this node: a version's `include` and `exclude` applied, then its own.
    pub fn columns(&self) -> Vec<&Yaml> {
        let base = self.entry.get("columns").map(Yaml::items).unwrap_or_default();
        let Some(version) = &self.version else { return base.iter().collect() };
        let own = version.entry.get("columns").map(Yaml::items).unwrap_or_default();
        let rule = own.iter().find(|column| is_rule(column));
        let name = |column: &Yaml| columns::text(column.get("name")).unwrap_or_default();
        let kept = base.iter().filter(|column| rule.is_none_or(|rule| includes(rule, &name(column))));
        kept.chain(own.iter().filter(|column| !is_rule(column))).collect()
    }
}

fn is_rule(column: &Yaml) -> bool {
    column.get("include").is_some() || column.get("exclude").is_some()
}

/// `include: all` (or `*`, or a list), without what `exclude` lists.
fn includes(rule: &Yaml, name: &str) -> bool {
    let include = columns::texts(rule.get("include"));
    let exclude = columns::texts(rule.get("exclude"));
    let taken = include.is_empty() || include.iter().any(|item| item == name || item == "*" || item == "all");
    taken && !exclude.iter().any(|item| item == name)
}

/// Keys that may stand beside `config:` as well as in it.
const BESIDE_CONFIG: [&str; 5] = ["meta", "docs", "group", "contract", "access"];

/// The config of an entry. A key given in both places is an error, as in dbt.
fn config(property: &Property, diagnostics: &mut Vec<Diagnostic>) -> JsonMap {
    let mut config = columns::map(property.entry.get("config"));
    for key in BESIDE_CONFIG {
        let Some(beside) = property.entry.entry(key) else { continue };
        if config.contains_key(key) {
            let message = format!("found '{key}' both in 'config' and as a top-level key");
            let diagnostic = Diagnostic::error("E0253", message)
                .at(&property.file.source, beside.key_span)
                .help(format!("keep the one under 'config' and remove the top-level '{key}'"));
            diagnostics.push(diagnostic);
            continue;
        }
        if !beside.value.is_null() {
            config.insert(key.to_owned(), beside.value.to_json());
        }
    }
    config
}

/// A version number as written: `1`, `1.5`, `"beta"`.
pub fn version(value: &Yaml) -> Option<VersionText> {
    match &value.kind {
        Kind::Int(number) => Some(VersionText { text: number.to_string(), number: true }),
        Kind::Float(_) => Some(VersionText { text: super::python::text(&value.to_json()), number: true }),
        Kind::Str(text) => Some(VersionText { text: text.to_string(), number: false }),
        _ => None,
    }
}

/// Orders versions: as numbers where both are numbers, else as text.
pub fn version_order(a: &VersionText, b: &VersionText) -> std::cmp::Ordering {
    match (a.text.parse::<f64>(), b.text.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.text.cmp(&b.text),
    }
}

/// One entry as patches: one, or one for each of a model's versions.
pub fn patches(property: &Property, diagnostics: &mut Vec<Diagnostic>) -> Vec<Patch> {
    let Some(name) = columns::text(property.entry.get("name")) else { return Vec::new() };
    let patch = Patch {
        section: property.section,
        name,
        package: property.package.clone(),
        file: property.file.clone(),
        entry: Arc::new(property.entry.clone()),
        config: config(property, diagnostics),
        unrendered: columns::map(property.unrendered.get("config")),
        version: None,
    };
    let versions = property.entry.get("versions").map(Yaml::items).unwrap_or_default();
    if property.section != "models" || versions.is_empty() {
        return vec![patch];
    }
    versioned(&patch, versions, &property.unrendered, diagnostics)
}

fn versioned(patch: &Patch, versions: &[Yaml], unrendered: &Yaml, diagnostics: &mut Vec<Diagnostic>) -> Vec<Patch> {
    let mut seen: HashMap<String, Span> = HashMap::new();
    let mut known = Vec::new();
    for entry in versions {
        let Some(number) = entry.get("v").and_then(version) else {
            let message = format!("A version of model '{}' needs a number or name: `v`", patch.name);
            diagnostics.push(Diagnostic::error("E0254", message).at(&patch.file.source, entry.span));
            continue;
        };
        if let Some(first) = seen.insert(number.text.clone(), entry.span) {
            let message = format!("Found duplicate version: '{}' in versions list of model '{}'", number.text, patch.name);
            let diagnostic = Diagnostic::error("E0255", message).at(&patch.file.source, entry.span);
            diagnostics.push(diagnostic.at_with(&patch.file.source, first, "given here before"));
            continue;
        }
        known.push((number, entry));
    }
    let highest = known.iter().map(|(number, _)| number).max_by(|a, b| version_order(a, b)).cloned();
    let named = patch.entry.get("latest_version").filter(|value| !value.is_null());
    let latest = named.and_then(version).or(highest);
    let Some(latest) = latest else { return Vec::new() };
    if let Some(named) = named
        && !known.iter().any(|(number, _)| number.text == latest.text)
    {
        let all: Vec<&str> = known.iter().map(|(number, _)| number.text.as_str()).collect();
        let message =
            format!("latest_version: {} is not one of model '{}' versions: {}", latest.text, patch.name, all.join(", "));
        diagnostics.push(Diagnostic::error("E0256", message).at(&patch.file.source, named.span));
    }
    let each = known.into_iter().map(|(number, entry)| {
        let mut patch = patch.clone();
        deep_merge(&mut patch.config, &columns::map(entry.get("config")));
        if let Some(access) = columns::text(entry.get("access")) {
            patch.config.insert("access".to_owned(), access.into());
        }
        let written = unrendered.get("versions").map(Yaml::items).unwrap_or_default();
        let written = written.iter().find(|entry| entry.get("v").and_then(version).as_ref() == Some(&number));
        patch.unrendered = columns::map(written.and_then(|entry| entry.get("config")));
        patch.version = Some(VersionPatch { version: number, latest: latest.clone(), entry: entry.clone() });
        patch
    });
    each.collect()
}

/// Maps are merged key by key to any depth, lists are joined with the later one first, all else is replaced.
pub fn deep_merge(into: &mut JsonMap, from: &JsonMap) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Json::Object(into)), Json::Object(from)) => deep_merge(into, from),
            (Some(Json::Array(into)), Json::Array(from)) => {
                into.splice(0..0, from.iter().cloned());
            }
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}
