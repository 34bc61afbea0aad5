//! Sources of an installed package whose tests the project replaces: `overrides: <package>`.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::yaml::{Entry, Kind, Yaml};

use super::capture::Captures;
use super::macros::MacroResolver;
use super::{Draft, Property, TestTarget, property_tests};

/// Is this an entry that changes another package's source, rather than one of its own?
pub fn is_override(section: &str, entry: &Yaml) -> bool {
    section == "sources" && entry.get("overrides").is_some()
}

/// Makes the tests of overridden sources anew, from what the overrides leave of them.
pub fn retest(
    captures: &Captures,
    resolver: &MacroResolver,
    properties: &[Property],
    tests: &mut Vec<Draft>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for over in properties.iter().filter(|property| is_override(property.section, &property.entry)) {
        let name = over.entry.get("name").and_then(Yaml::as_str);
        let package = over.entry.get("overrides").and_then(Yaml::as_str);
        let (Some(name), Some(package)) = (name, package) else { continue };
        let base = properties.iter().filter(|property| {
            property.section == "sources"
                && *property.package.name == *package
                && property.entry.get("overrides").is_none()
                && property.entry.get("name").and_then(Yaml::as_str) == Some(name)
        });
        for base in base {
            let entry = overridden(&base.entry, &over.entry);
            let is_of_base = |draft: &Draft| {
                let target = draft.test.as_ref().map(|test| &test.target);
                Arc::ptr_eq(&draft.file, &base.file)
                    && matches!(target, Some(TestTarget::Source { source, .. }) if source == name)
            };
            tests.retain(|draft| !is_of_base(draft));
            let (again, problems) = property_tests::of_entry(captures, resolver, &base.package, &base.file, "sources", &entry);
            tests.extend(again);
            diagnostics.extend(problems);
        }
    }
}

/// The source with the override's keys in place of its own, and its tables likewise, by name.
fn overridden(base: &Yaml, over: &Yaml) -> Yaml {
    let mut entry = laid_over(base, over, &["name", "overrides", "tables"]);
    let changed = over.get("tables").map_or(&[][..], Yaml::items);
    if let Kind::Map(entries) = &mut entry.kind
        && let Some(tables) = entries.iter_mut().find(|entry| &*entry.key == "tables")
        && let Kind::Seq(tables) = &mut tables.value.kind
    {
        for table in tables {
            if let Some(over) = changed
                .iter()
                .find(|over| over.get("name").is_some_and(|name| Some(name.as_str()) == table.get("name").map(Yaml::as_str)))
            {
                *table = laid_over(table, over, &["name"]);
            }
        }
    }
    entry
}

fn laid_over(base: &Yaml, over: &Yaml, except: &[&str]) -> Yaml {
    let mut entries: Vec<Entry> = base.entries().to_vec();
    for entry in over.entries().iter().filter(|entry| !except.contains(&&*entry.key) && !entry.value.is_null()) {
        match entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => *known = entry.clone(),
            None => entries.push(entry.clone()),
        }
    }
    Yaml { kind: Kind::Map(entries), span: base.span }
}
