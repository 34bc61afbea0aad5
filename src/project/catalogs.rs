//! catalogs.yml: where tables of open formats are written. The file is read and checked as dbt does; no warehouse that there is
//! can write to such a catalog, so one that is asked for is refused by name.

use crate::diagnostic::{Diagnostic, SourceText};
use crate::yaml::{Kind, Yaml};

const CODE: &str = "E0143";
const INTEGRATION_KEYS: [&str; 7] =
    ["name", "catalog_type", "external_volume", "table_format", "file_format", "catalog_database", "adapter_properties"];

/// All that is wrong with the file, whose values are rendered; `v2`: by the rules of the flag `use_catalogs_v2`.
pub fn check(source: &SourceText, file: &Yaml, adapter: &str, v2: bool) -> Vec<Diagnostic> {
    let mut checks = Checks { source, found: Vec::new() };
    if v2 {
        checks.second(file, adapter);
    } else {
        checks.first(file, adapter);
    }
    checks.found
}

struct Checks<'a> {
    source: &'a SourceText,
    found: Vec<Diagnostic>,
}

fn text<'a>(of: &'a Yaml, key: &str) -> Option<&'a str> {
    of.get(key).and_then(Yaml::as_str).filter(|text| !text.trim().is_empty())
}

fn is_map(of: &Yaml) -> bool {
    matches!(of.kind, Kind::Map(_))
}

impl Checks<'_> {
    fn fail(&mut self, at: &Yaml, message: String) {
        self.found.push(Diagnostic::error(CODE, message).at(self.source, at.span));
    }

    fn refuse(&mut self, at: &Yaml, message: String) {
        let help = "remove catalogs.yml: DuckDB and PostgreSQL write tables of their own";
        self.found.push(Diagnostic::error(CODE, message).at(self.source, at.span).help(help));
    }

    /// `catalogs:`, each with `write_integrations:` of which one is active.
    fn first(&mut self, file: &Yaml, adapter: &str) {
        for catalog in file.get("catalogs").map(Yaml::items).unwrap_or_default() {
            let before = self.found.len();
            let Some(name) = text(catalog, "name") else {
                self.fail(catalog, "a catalog of catalogs.yml needs a name: 'name' is a required property".to_owned());
                continue;
            };
            let integrations = catalog.get("write_integrations").map(Yaml::items).unwrap_or_default();
            let mut names: Vec<&str> = Vec::new();
            for integration in integrations {
                self.integration(integration, name, &mut names);
            }
            let active = text(catalog, "active_write_integration");
            match active {
                None if names.len() != 1 => {
                    let message = format!(
                        "Catalog '{name}' must specify an 'active_write_integration' when multiple 'write_integrations' are \
                         provided."
                    );
                    self.fail(catalog, message);
                }
                Some(active) if !names.contains(&active) => {
                    let message = format!(
                        "Catalog '{name}' must specify an 'active_write_integration' from its set of defined \
                         'write_integrations': {names:?}. Got: '{active}'."
                    );
                    self.fail(catalog, message);
                }
                _ => {}
            }
            if self.found.len() == before {
                let used = active.or(names.first().copied());
                let used = integrations.iter().find(|one| text(one, "name") == used).unwrap_or(catalog);
                let kind = text(used, "catalog_type").unwrap_or_default();
                self.refuse(used, format!("Catalog type is not supported. Received: {kind}; {adapter} knows none"));
            }
        }
    }

    fn integration<'y>(&mut self, integration: &'y Yaml, catalog: &str, names: &mut Vec<&'y str>) {
        for key in ["name", "catalog_type"] {
            if text(integration, key).is_none() {
                self.fail(integration, format!("a write integration of catalog '{catalog}' has no '{key}', which is required"));
            }
        }
        for entry in integration.entries().iter().filter(|entry| !INTEGRATION_KEYS.contains(&&*entry.key)) {
            self.fail(integration, format!("'{}' is no key of a write integration (catalog '{catalog}')", entry.key));
        }
        let Some(name) = text(integration, "name") else { return };
        if names.contains(&name) {
            let message = format!("Catalog '{catalog}' cannot have multiple 'write_integrations' with the same name: '{name}'.");
            self.fail(integration, message);
        }
        names.push(name);
    }

    /// `catalogs:`, each with a type, a table format and a `config:` by adapter.
    fn second(&mut self, file: &Yaml, adapter: &str) {
        if !is_map(file) {
            return self.fail(file, "catalogs.yml must be a mapping at the top level".to_owned());
        }
        if file.get("iceberg_catalogs").is_some() {
            self.fail(file, "v2 catalogs.yml uses 'catalogs', not 'iceberg_catalogs'".to_owned());
        }
        let others: Vec<&str> = file.entries().iter().map(|entry| &*entry.key).filter(|key| *key != "catalogs").collect();
        if !others.is_empty() {
            self.fail(file, format!("Unknown top-level keys in catalogs.yml: {others:?}. Only 'catalogs' is allowed"));
        }
        let Some(catalogs) = file.get("catalogs") else { return };
        if !matches!(catalogs.kind, Kind::Seq(_)) {
            return self.fail(catalogs, "'catalogs' in catalogs.yml must be a list".to_owned());
        }
        let mut names: Vec<&str> = Vec::new();
        for catalog in catalogs.items() {
            self.entry(catalog);
            let Some(name) = text(catalog, "name").map(str::trim) else { continue };
            if names.contains(&name) {
                self.fail(catalog, format!("Duplicate catalog name '{name}' in catalogs.yml"));
            }
            names.push(name);
        }
        if !names.is_empty() && self.found.is_empty() {
            self.refuse(catalogs, format!("Adapter '{adapter}' does not support catalogs.yml v2 yet."));
        }
    }

    fn entry(&mut self, catalog: &Yaml) {
        const KEYS: [&str; 4] = ["name", "type", "table_format", "config"];
        if !is_map(catalog) {
            return self.fail(catalog, "Each entry in catalogs.yml 'catalogs' must be a mapping".to_owned());
        }
        let unknown: Vec<&str> = catalog.entries().iter().map(|entry| &*entry.key).filter(|key| !KEYS.contains(key)).collect();
        if !unknown.is_empty() {
            self.fail(catalog, format!("Unknown keys in catalog entry: {unknown:?}. Allowed keys: {KEYS:?}"));
        }
        let missing: Vec<&str> = KEYS.into_iter().filter(|key| catalog.get(key).is_none()).collect();
        if !missing.is_empty() {
            return self.fail(catalog, format!("Missing required keys in catalog entry: {missing:?}"));
        }
        let Some(name) = text(catalog, "name") else {
            return self.fail(catalog, "catalogs[].name must be a non-empty string".to_owned());
        };
        let format = text(catalog, "table_format").unwrap_or_default();
        if !matches!(format.to_lowercase().as_str(), "default" | "iceberg") {
            self.fail(catalog, format!("Invalid table_format '{format}'. Must be one of ['default', 'iceberg']"));
        }
        let Some(config) = catalog.get("config") else { return };
        if !is_map(config) {
            return self.fail(config, format!("Catalog '{name}' config must be a mapping"));
        }
        for entry in config.entries().iter().filter(|entry| !entry.value.is_null() && !is_map(&entry.value)) {
            self.fail(&entry.value, format!("Catalog '{name}' config.{} must be a mapping", entry.key));
        }
    }
}
