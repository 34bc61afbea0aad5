//! Source tables.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::json;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Docs, Include, Json, JsonMap, Relation, ResourceType, Source, UniqueId};
use crate::parse::Property;
use crate::yaml::{Entry, Kind, Yaml};

use super::config::{self, Given, Levels};
use super::nodes::Shared;
use super::{columns, freshness};

/// All sources, disabled ones too, in the files' order.
pub fn build(shared: &Shared<'_>, properties: &[Property], diagnostics: &mut Vec<Diagnostic>) -> Vec<Source> {
    let listed = || properties.iter().filter(|property| property.section == "sources");
    let overrides = Overrides::new(listed(), diagnostics);
    let mut used = HashSet::new();
    let mut sources = Vec::new();
    for property in listed().filter(|property| property.entry.get("overrides").is_none()) {
        let Some(name) = columns::text(property.entry.get("name")) else { continue };
        named_column(property, &property.entry, diagnostics);
        let over = overrides.by_source.get(&(property.package.name.to_string(), name.clone()));
        for table in property.entry.get("tables").map(Yaml::items).unwrap_or_default() {
            let Some(table_name) = columns::text(table.get("name")) else {
                let message = format!("A table of source '{name}' needs a name");
                diagnostics.push(Diagnostic::error("E0267", message).at(&property.file.source, table.span));
                continue;
            };
            named_column(property, table, diagnostics);
            let mut entry = property.entry.clone();
            let mut table = table.clone();
            if let Some(over) = over {
                used.insert((property.package.name.to_string(), name.clone(), None));
                lay_over(&mut entry, &over.entry, &["overrides", "tables", "name"]);
                let tables = over.entry.get("tables").map(Yaml::items).unwrap_or_default();
                if let Some(patch) = tables.iter().find(|patch| columns::text(patch.get("name")).as_ref() == Some(&table_name)) {
                    used.insert((property.package.name.to_string(), name.clone(), Some(table_name.clone())));
                    lay_over(&mut table, patch, &["name"]);
                }
            }
            let given = Table { property, entry: &entry, own: &table, source_name: &name, name: &table_name };
            sources.push(given.build(shared, diagnostics));
        }
    }
    overrides.warn_unused(&used, diagnostics);
    sources
}

/// `loaded_at_field` names a column, or is null: no empty text.
fn named_column(property: &Property, of: &Yaml, diagnostics: &mut Vec<Diagnostic>) {
    let Some(field) = of.get("loaded_at_field").filter(|field| field.as_str() == Some("")) else { return };
    let message =
        format!("Invalid sources config given in {}: loaded_at_field cannot be an empty string.", property.file.original_path);
    let error = Diagnostic::error("E0276", message).at(&property.file.source, field.span);
    diagnostics.push(error.help("name a column; null hides the one that the source names"));
}

type Used = HashSet<(String, String, Option<String>)>;

/// Entries with `overrides: <package>`: they change sources of installed packages.
struct Overrides<'a> {
    by_source: HashMap<(String, String), &'a Property>,
}

impl<'a> Overrides<'a> {
    fn new(properties: impl Iterator<Item = &'a Property>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut by_source: HashMap<(String, String), &Property> = HashMap::new();
        for property in properties {
            let Some(package) = columns::text(property.entry.get("overrides")) else { continue };
            let name = columns::text(property.entry.get("name")).unwrap_or_default();
            if let Some(first) = by_source.insert((package.clone(), name.clone()), property) {
                let message = format!(
                    "dbt found two schema.yml entries for the same source named {name} in package {package}, which may be \
                     overridden once only: remove the override from one of these files: {}, {}",
                    first.file.original_path, property.file.original_path
                );
                let diagnostic = Diagnostic::error("E0313", message).at(&property.file.source, property.entry.span);
                diagnostics.push(diagnostic.at_with(&first.file.source, first.entry.span, "overridden here before"));
            }
        }
        Self { by_source }
    }

    fn warn_unused(&self, used: &Used, diagnostics: &mut Vec<Diagnostic>) {
        let mut keys: Vec<_> = self.by_source.iter().collect();
        keys.sort_by_key(|(key, _)| *key);
        for ((package, name), property) in keys {
            let warn = |what: String, place: &Yaml| {
                let message = format!("The override of {what} (in {}) has no target", property.file.original_path);
                Diagnostic::warning("W0269", message).event("UnusedTables").at(&property.file.source, place.span)
            };
            if !used.contains(&(package.clone(), name.clone(), None)) {
                diagnostics.push(warn(format!("source {package}.{name}"), &property.entry));
                continue;
            }
            for table in property.entry.get("tables").map(Yaml::items).unwrap_or_default() {
                let table_name = columns::text(table.get("name")).unwrap_or_default();
                if !used.contains(&(package.clone(), name.clone(), Some(table_name.clone()))) {
                    diagnostics.push(warn(format!("source table {package}.{name}.{table_name}"), table));
                }
            }
        }
    }
}

/// Every given key of `over` replaces that of `base`.
fn lay_over(base: &mut Yaml, over: &Yaml, except: &[&str]) {
    let Kind::Map(entries) = &mut base.kind else { return };
    for entry in over.entries().iter().filter(|entry| !entry.value.is_null() && !except.contains(&&*entry.key)) {
        match entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) => *known = entry.clone(),
            None => entries.push(Entry { key: entry.key.clone(), key_span: entry.key_span, value: entry.value.clone() }),
        }
    }
}

/// One table of one source, overrides applied.
struct Table<'a> {
    property: &'a Property,
    entry: &'a Yaml,
    own: &'a Yaml,
    source_name: &'a str,
    name: &'a str,
}

impl Table<'_> {
    fn build(self, shared: &Shared<'_>, diagnostics: &mut Vec<Diagnostic>) -> Source {
        let package = &self.property.package;
        let file = &self.property.file;
        let unique_id = UniqueId::from(format!("source.{}.{}.{}", package.name, self.source_name, self.name));
        let mut fqn = super::fqn_prefix(&package.name, &file.path);
        fqn.extend([self.source_name.to_owned(), self.name.to_owned()]);

        let patch = self.precedence(diagnostics);
        let levels = shared.trees.rendered(&package.name, ResourceType::Source, &fqn);
        let calls = JsonMap::new();
        let merged = config::merge(&Given { kind: ResourceType::Source, levels, patch: Some(&patch), calls: &calls });
        for fault in &merged.faults {
            let place = self.config_place(&fault.key);
            let message = format!("Invalid config of {unique_id}: `{}`: {}", fault.key, fault.message);
            diagnostics.push(Diagnostic::error("E0250", message).at(&file.source, place).node(unique_id.shared()));
        }
        let levels: Levels<'_> = shared.trees.written(&package.name, ResourceType::Source, &fqn);
        let unrendered_config = config::unrendered(&levels, Some(&patch), &calls);
        let config = merged.config;

        let quoting = self.quoting();
        let identifier = columns::text(self.own.get("identifier")).unwrap_or_else(|| self.name.to_owned());
        let schema = columns::text(self.entry.get("schema")).filter(|text| !text.is_empty());
        let schema = schema.unwrap_or_else(|| self.source_name.to_owned());
        let database = columns::text(self.entry.get("database")).filter(|text| !text.is_empty());
        let database = database.or_else(|| shared.project.profile.database.clone());
        let mut source_meta = columns::map(self.entry.get("meta"));
        source_meta.extend(columns::map(self.entry.get("config").and_then(|config| config.get("meta"))));
        let columns_given = self.own.get("columns").map(Yaml::items).unwrap_or_default();
        let mut source = Source {
            unique_id,
            name: self.name.to_owned(),
            source_name: self.source_name.to_owned(),
            source_description: columns::text(self.entry.get("description")).unwrap_or_default(),
            package_name: package.name.clone(),
            path: file.original_path.to_string(),
            original_file_path: file.original_path.to_string(),
            fqn,
            relation_name: String::new(),
            database,
            schema,
            identifier,
            loader: columns::text(self.entry.get("loader")).unwrap_or_default(),
            loaded_at_field: config.text("loaded_at_field").map(str::to_owned),
            loaded_at_query: config.text("loaded_at_query").map(str::to_owned),
            freshness: config.get("freshness").cloned().unwrap_or(Json::Null),
            external: external(self.own.get("external")),
            description: columns::text(self.own.get("description")).unwrap_or_default(),
            columns: columns::columns(columns_given, file, diagnostics),
            meta: config.object("meta").cloned().unwrap_or_default(),
            source_meta,
            tags: config.list("tags").iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            unrendered_config,
            unrendered_database: columns::text(self.property.unrendered.get("database")),
            unrendered_schema: columns::text(self.property.unrendered.get("schema")),
            patch_path: None,
            doc_blocks: Vec::new(),
            docs: Docs::default(),
            created_at: shared.created_at,
            config,
            quoting,
        };
        source.relation_name = relation_name(shared, &source).unwrap_or_else(|message| {
            let diagnostic = Diagnostic::error("E0270", format!("{}: {message}", source.unique_id));
            diagnostics.push(diagnostic.at(&self.property.file.source, self.own.span).node(source.unique_id.shared()));
            String::new()
        });
        diagnostics.extend(self.uncheckable(&source));
        source
    }

    /// A threshold without a way to find out how old the data is: no adapter here asks the warehouse's own records.
    fn uncheckable(&self, source: &Source) -> Option<Diagnostic> {
        let has_way = source.loaded_at_field.is_some() || source.loaded_at_query.is_some();
        if has_way || !source.has_freshness() || source.config.bool("enabled") == Some(false) {
            return None;
        }
        let message = format!(
            "The configured adapter does not support metadata-based freshness. A loaded_at_field must be specified for source \
             '{}.{}'.",
            source.source_name, source.name
        );
        let warning = Diagnostic::warning("W0293", message).at(&self.property.file.source, self.config_place("freshness"));
        let help = "name the column that says when a row was loaded, or turn the check off with `freshness: null`";
        Some(warning.event("FreshnessConfigProblem").help(help).node(source.unique_id.shared()))
    }

    fn config_place(&self, key: &str) -> crate::diagnostic::Span {
        let maps = [self.own.get("config"), Some(self.own), self.entry.get("config"), Some(self.entry)];
        maps.into_iter().flatten().find_map(|map| map.get(key)).unwrap_or(self.own).span
    }

    /// Table over source for a key that may stand in `config:` or beside it.
    fn both(&self, key: &str) -> [Option<&Yaml>; 4] {
        let within = |entry: &'_ Yaml| entry.get("config").and_then(|config| config.get(key)).is_some();
        let config = |entry| if within(entry) { Yaml::get(entry, "config").and_then(|config| config.get(key)) } else { None };
        [self.entry.get(key), config(self.entry), self.own.get(key), config(self.own)]
    }

    /// The config that the property file gives: source's, then table's, with freshness, meta, tags and loaded_at merged.
    fn precedence(&self, diagnostics: &mut Vec<Diagnostic>) -> JsonMap {
        let mut config = columns::map(self.entry.get("config"));
        config.extend(columns::map(self.own.get("config")));
        match self.freshness(diagnostics) {
            Json::Null => {
                config.insert("freshness".to_owned(), Json::Null);
            }
            threshold if freshness::asks(&threshold) => {
                config.insert("freshness".to_owned(), threshold);
            }
            _ => {
                config.shift_remove("freshness");
            }
        }
        let (field, query) = self.loaded_at(diagnostics);
        config.insert("loaded_at_field".to_owned(), json!(field));
        config.insert("loaded_at_query".to_owned(), json!(query));
        let mut meta = JsonMap::new();
        self.both("meta").into_iter().for_each(|part| meta.extend(columns::map(part)));
        config.insert("meta".to_owned(), Json::Object(meta));
        let tags: std::collections::BTreeSet<String> = self.both("tags").into_iter().flat_map(columns::texts).collect();
        config.insert("tags".to_owned(), json!(tags));
        config
    }

    fn freshness(&self, diagnostics: &mut Vec<Diagnostic>) -> Json {
        let mut read = |value: Option<&Yaml>| {
            let given = value.map_or_else(|| json!({}), Yaml::to_json);
            freshness::normal(&given).unwrap_or_else(|message| {
                let place = value.map_or(self.own.span, |value| value.span);
                diagnostics.push(Diagnostic::error("E0271", message).at(&self.property.file.source, place));
                json!({"warn_after": null, "error_after": null, "filter": null})
            })
        };
        freshness::merge(self.both("freshness").map(&mut read))
    }

    /// A table's own `loaded_at_field`, null included, hides the source's; field and query exclude each other on a level.
    fn loaded_at(&self, diagnostics: &mut Vec<Diagnostic>) -> (Option<String>, Option<String>) {
        let [source_field, source_field_config, table_field, table_field_config] = self.both("loaded_at_field");
        let [source_query, source_query_config, table_query, table_query_config] = self.both("loaded_at_query");
        let either = |a, b| columns::text(a).filter(|text| !text.is_empty()).or_else(|| columns::text(b));
        let of_source = (either(source_field, source_field_config), either(source_query, source_query_config));
        let of_table = (either(table_field, table_field_config), either(table_query, table_query_config));
        let present = table_field.is_some() || of_table.0.is_some();
        for (both, level, place) in [
            (of_source.0.is_some() && of_source.1.is_some(), "source", self.entry.span),
            (present && of_table.1.is_some(), "table", self.own.span),
        ] {
            if both {
                let message = format!("Cannot specify both loaded_at_field and loaded_at_query at {level} level.");
                diagnostics.push(Diagnostic::error("E0272", message).at(&self.property.file.source, place));
            }
        }
        let field = if present { of_table.0 } else { of_source.0 };
        let query = of_table.1.or(if present { None } else { of_source.1 });
        (field, query)
    }

    fn quoting(&self) -> JsonMap {
        let part = |key: &str| {
            let given = |entry: &Yaml| entry.get("quoting").and_then(|quoting| quoting.get(key)).and_then(Yaml::as_bool);
            json!(given(self.own).or_else(|| given(self.entry)))
        };
        ["database", "schema", "identifier", "column"].into_iter().map(|key| (key.to_owned(), part(key))).collect()
    }
}

/// `external:` with the manifest's keys first, then what else was given.
fn external(value: Option<&Yaml>) -> Json {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Json::Null };
    let mut whole = JsonMap::new();
    for key in ["location", "file_format", "row_format", "tbl_properties", "partitions"] {
        whole.insert(key.to_owned(), Json::Null);
    }
    whole.extend(columns::map(Some(value)));
    for partition in whole.get_mut("partitions").and_then(Json::as_array_mut).into_iter().flatten() {
        if let Json::Object(given) = partition {
            let mut full = JsonMap::new();
            for (key, default) in [("name", json!("")), ("description", json!("")), ("data_type", json!("")), ("meta", json!({}))]
            {
                full.insert(key.to_owned(), default);
            }
            full.extend(std::mem::take(given));
            *given = full;
        }
    }
    Json::Object(whole)
}

/// The relation as SQL reads it. On DuckDB a source whose meta (or config) has `external_location` is read from there.
fn relation_name(shared: &Shared<'_>, source: &Source) -> Result<String, String> {
    if &*shared.project.profile.adapter == "duckdb"
        && let Some(location) = super::external_location::of(source)?
    {
        return Ok(location);
    }
    let mut relation = Relation::new(source.database.as_deref(), &source.schema, &source.identifier);
    // The project's quoting is for its own relations.
    let quoted = |key: &str| source.quoting.get(key).and_then(Json::as_bool).unwrap_or(true);
    relation.quote = Include { database: quoted("database"), schema: quoted("schema"), identifier: quoted("identifier") };
    Ok(relation.name())
}

/// Sources by id; two of one id are an error.
pub fn unique(sources: Vec<Source>, properties: &[Property], diagnostics: &mut Vec<Diagnostic>) -> Vec<Arc<Source>> {
    let mut seen: HashMap<UniqueId, String> = HashMap::new();
    for source in &sources {
        let key = source.unique_id.clone();
        let Some(first) = seen.insert(key, source.original_file_path.clone()) else { continue };
        let message = format!(
            "dbt found two sources with the name \"{}_{}\". Since these resources have the same name, dbt will be unable to \
             find the correct resource when looking for source(\"{}\", \"{}\").",
            source.source_name, source.name, source.source_name, source.name
        );
        let mut diagnostic = Diagnostic::error("E0401", message)
            .help(format!("rename one of them: {first}, {}", source.original_file_path))
            .node(source.unique_id.shared());
        for property in properties.iter().filter(|property| property.section == "sources") {
            let named = columns::text(property.entry.get("name")).as_deref() == Some(&source.source_name);
            if named && property.package.name == source.package_name {
                let tables = property.entry.get("tables").map(Yaml::items).unwrap_or_default();
                let same = tables.iter().filter(|table| columns::text(table.get("name")).as_deref() == Some(&source.name));
                for table in same {
                    diagnostic = diagnostic.at(&property.file.source, table.span);
                }
            }
        }
        diagnostics.push(diagnostic);
    }
    sources.into_iter().map(Arc::new).collect()
}
