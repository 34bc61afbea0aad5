//! Property files (`schema.yml` and its like): their sections become [`Property`] entries, and the generic tests and
//! snapshots they define become drafts.

use std::sync::Arc;

use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, SourceText, nearest};
use crate::manifest::ResourceType;
use crate::project::{Package, SourceFile};
use crate::yaml::{self, Entry, Kind, Yaml};

use super::capture::Captures;
use super::macros::MacroResolver;
use super::{Draft, Property, drafts, property_keys, property_tests, source_overrides};

/// What one property file gives.
#[derive(Debug, Default)]
pub struct PropertyFile {
    pub properties: Vec<Property>,
    /// Generic tests, and snapshots that are defined in YAML.
    pub drafts: Vec<Draft>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a property file. What is wrong with one entry never hides another.
pub fn of_file(captures: &Captures, resolver: &MacroResolver, package: &Arc<Package>, file: &Arc<SourceFile>) -> PropertyFile {
    let (content, diagnostics) = yaml::read(&file.source);
    let mut found = PropertyFile { diagnostics, ..PropertyFile::default() };
    let Some(content) = content else { return found };
    let entries = match &content.kind {
        Kind::Null => return found,
        Kind::Map(entries) => entries,
        _ => {
            let message = format!("Dictionary expected: a property file is a map of sections, not {}", content.kind.noun());
            found.diagnostics.push(Diagnostic::error("E0201", message).at(&file.source, content.span));
            return found;
        }
    };
    for entry in entries {
        let Some((section, known)) = property_keys::section(&entry.key) else {
            found.diagnostics.extend(other_key(entry, &file.source));
            continue;
        };
        let Kind::Seq(items) = &entry.value.kind else {
            let message = format!("'{section}' is not a list but {}", entry.value.kind.noun());
            let error = Diagnostic::error("E0201", message).at(&file.source, entry.key_span);
            found.diagnostics.push(error.help(format!("each item begins with `- name:`; leave `{section}` out if it has none")));
            continue;
        };
        let read = items.par_iter().map(|item| section_entry(captures, resolver, package, file, section, known, item));
        for part in read.collect::<Vec<_>>() {
            found.properties.extend(part.properties);
            found.drafts.extend(part.drafts);
            found.diagnostics.extend(part.diagnostics);
        }
    }
    found
}

/// `version` and `anchors` say nothing about resources; any other key is not dbt's.
fn other_key(entry: &Entry, source: &SourceText) -> Option<Diagnostic> {
    match &*entry.key {
        "anchors" => None,
        "version" => {
            let fine = matches!(&entry.value.kind, Kind::Int(2) | Kind::Null) || entry.value.as_str() == Some("2");
            let message = "the only version of property files is 2";
            (!fine).then(|| Diagnostic::warning("W0202", message).at(source, entry.value.span))
        }
        key => {
            let message = format!("property files have no section `{key}`; it is ignored");
            let warning = Diagnostic::warning("W0201", message).at(source, entry.key_span);
            Some(match nearest(key, property_keys::sections()) {
                Some(near) => warning.help(format!("did you mean `{near}`?")),
                None => warning.help("keys of your own can stand under `config: meta:` of a resource"),
            })
        }
    }
}

/// One item of a section: checked, rendered, and its tests taken out.
fn section_entry(
    captures: &Captures,
    resolver: &MacroResolver,
    package: &Arc<Package>,
    file: &Arc<SourceFile>,
    section: &'static str,
    known: &[&str],
    item: &Yaml,
) -> PropertyFile {
    let mut found = PropertyFile::default();
    let Kind::Map(entries) = &item.kind else {
        let message = format!("an item of `{section}` must be a map, not {}", item.kind.noun());
        let error = Diagnostic::error("E0202", message).at(&file.source, item.span);
        found.diagnostics.push(error.help("it begins with `- name:`"));
        return found;
    };
    match item.get("name").or_else(|| item.get("model")) {
        Some(name) if name.is_null() => {
            found.diagnostics.push(Diagnostic::error("E0203", "the name is empty").at(&file.source, name.span));
            return found;
        }
        Some(_) => {}
        None if section == "data_tests" => {
            // As in dbt: where generic tests are parameters of nothing, they are left out.
            let message =
                format!("Unable to parse 'data_tests' section of file '{}'\nEntry did not contain a name", file.original_path);
            found.diagnostics.push(Diagnostic::warning("W0217", message).at(&file.source, item.span));
            return found;
        }
        None => {
            let message = format!("an item of `{section}` has no `name`");
            let error = Diagnostic::error("E0203", message).at(&file.source, item.span);
            found.diagnostics.push(error.help("it begins with `- name:`"));
            return found;
        }
    }
    unknown_keys(entries, section, known, &file.source, &mut found.diagnostics);
    let (rendered, problems) = captures.render_property(package, &file.source, section, item);
    found.diagnostics.extend(problems);
    if section == "snapshots" {
        found.drafts.extend(yaml_snapshot(captures, package, file, &rendered, &mut found.diagnostics));
    }
    if !source_overrides::is_override(section, &rendered) {
        let (tests, problems) = property_tests::of_entry(captures, resolver, package, file, section, &rendered);
        found.drafts.extend(tests);
        found.diagnostics.extend(problems);
    }
    let (package, file) = (package.clone(), file.clone());
    found.properties.push(Property { section, package, file, entry: rendered, unrendered: item.clone() });
    found
}

/// Keys that dbt doesn't know: most often they are misspelled.
fn unknown_keys(entries: &[Entry], section: &str, known: &[&str], source: &SourceText, diagnostics: &mut Vec<Diagnostic>) {
    for entry in entries.iter().filter(|entry| !known.contains(&&*entry.key)) {
        let key = &entry.key;
        let told = if property_keys::is_strict(section) {
            let message = format!(
                "Invalid {section} config given in {}: Additional properties are not allowed ('{key}' was unexpected)",
                source.name
            );
            Diagnostic::error("E0205", message)
        } else {
            Diagnostic::warning("W0203", format!("`{key}` is no key of `{section}`; it has no effect"))
        };
        let told = told.at(source, entry.key_span);
        diagnostics.push(match nearest(key, known.iter().copied()) {
            Some(near) => told.help(format!("did you mean `{near}`?")),
            None => told.help("keys of your own can stand under `config: meta:`"),
        });
    }
}

/// A snapshot without SQL: `relation: ref('orders')`.
fn yaml_snapshot(
    captures: &Captures,
    package: &Arc<Package>,
    file: &Arc<SourceFile>,
    entry: &Yaml,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Draft> {
    let relation = entry.get("relation")?;
    let (Some(expression), Some(name)) = (relation.as_str(), entry.get("name").and_then(Yaml::as_str)) else {
        let message = "`relation` must be a text such as `ref('orders')` or `source('shop', 'orders')`";
        diagnostics.push(Diagnostic::error("E0204", message).at(&file.source, relation.span));
        return None;
    };
    let mut fqn = drafts::fqn_prefix(&package.name, &file.path);
    fqn.push(name.to_owned());
    let draft = drafts::new_draft(ResourceType::Snapshot, name.to_owned(), package, file, entry.span);
    let draft =
        Draft { path: format!("{name}.sql"), fqn, raw_code: format!("select * from {{{{ {expression} }}}}").into(), ..draft };
    let node = drafts::node_of(captures, &draft);
    match captures.expression(&node, expression, (&file.source, relation.span)) {
        Ok(capture) if capture.refs.is_empty() && capture.sources.is_empty() => {
            let message = format!("`{expression}` names neither a `ref` nor a `source`");
            diagnostics.push(Diagnostic::error("E0204", message).at(&file.source, relation.span));
            None
        }
        Ok(capture) => Some(Draft { capture, ..draft }),
        Err(problem) => {
            diagnostics.push(problem);
            None
        }
    }
}
