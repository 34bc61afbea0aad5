//! docs generate: manifest.json and catalog.json, then the site by `docs/`.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Invocation, Resolved, nodes};
use crate::agate::{Cell, Table};
use crate::artifacts::{self, CatalogColumn, CatalogTable};
use crate::cli::Outcome;
use crate::compile::{RunContext, RuntimeHost, Scope, Session};
use crate::diagnostic::Severity;
use crate::docs;
use crate::event::Event;
use crate::jinja::{self, Args, Error, objects};
use crate::manifest::{Dialect, Json, JsonMap, Relation, ResourceType};

/// Compiles (unless `--no-compile`), asks the warehouse for every relation's columns, writes catalog.json.
pub fn run(invocation: &Invocation, resolved: &Resolved) -> Outcome {
    let compiles = invocation.request.given.get("compile").and_then(Json::as_bool).unwrap_or(true);
    let (run, chosen) = if compiles {
        let Some(compiled) = nodes::compile(invocation, resolved) else { return Outcome::Unusable };
        compiled
    } else {
        let types =
            nodes::narrowed(invocation, &[ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Test]);
        let Some(selection) = invocation.select(resolved, types) else { return Outcome::Unusable };
        let Some(run) = invocation.run_context(resolved, &selection) else { return Outcome::Unusable };
        (run, selection)
    };
    let Some(sources) = invocation.select(resolved, vec![ResourceType::Source]) else { return Outcome::Unusable };
    let wanted = |id: &str| chosen.ids.contains(id) || sources.ids.contains(id);
    let single = compiles.then(|| few(&run, wanted)).flatten();
    let tables = if invocation.request.is("empty_catalog") { Ok(Vec::new()) } else { tables(&run, single) };
    let (tables, errors) = match tables {
        Ok(tables) => (tables, None),
        Err(error) => {
            let mut warning = error.diagnostic();
            (warning.code, warning.severity) = ("W0609", Severity::Warning);
            warning.event = Some("CatalogGenerationError");
            warning.message = format!("Encountered an error while generating catalog: {}", warning.message);
            if !invocation.teller.tell(vec![warning]) {
                return Outcome::Unusable;
            }
            (Vec::new(), Some(vec![error.message]))
        }
    };
    let (nodes, sources) = assigned(&run, tables, wanted);
    let text = artifacts::catalog(&nodes, &sources, errors.as_deref(), &invocation.metadata());
    let written = invocation.write("catalog.json", &text);
    let path = invocation.project.target_path.join("catalog.json");
    let text = format!("Catalog written to {}", path.display());
    invocation.events.emit(Event::Note { name: "CatalogWritten", code: "E042", level: "info", text, data: JsonMap::new() });
    let catalog = nodes.into_iter().chain(sources).collect();
    let made = written && site(invocation, resolved, &run, catalog);
    if made && errors.is_none() { Outcome::Success } else { Outcome::Failure }
}

/// Writes the site; false after a fault, which has been told.
fn site(invocation: &Invocation, resolved: &Resolved, run: &RunContext, catalog: Vec<CatalogTable>) -> bool {
    let state = invocation.request.text("state").map(|folder| invocation.project.root.join(folder));
    let made = docs::generate(docs::Request {
        fs: &*invocation.fs,
        project: &invocation.project,
        manifest: &resolved.manifest,
        compiled: &run.all_compiled(),
        catalog,
        state: state.as_deref(),
        is_static: invocation.request.is("static"),
    });
    match made {
        Ok(written) => {
            let text = format!("Site written to {} ({} pages)", written.folder.display(), written.pages);
            invocation.events.emit(Event::Note { name: "SiteWritten", code: "E042", level: "info", text, data: JsonMap::new() });
            true
        }
        Err(fault) => invocation.teller.tell(vec![fault]),
    }
}

/// More relations than that are asked for by schema.
const MOST_SINGLE: usize = 100;

/// The relations to ask for one by one, where the warehouse can tell of them so and they are few.
fn few(run: &RunContext, wanted: impl Fn(&str) -> bool) -> Option<Vec<Relation>> {
    if run.dialect() != Dialect::Postgres {
        return None;
    }
    let nodes = run.manifest.nodes.values().filter(|node| node.relation_name.is_some() && wanted(node.unique_id.as_str()));
    let sources = run.manifest.sources.values().filter(|source| wanted(source.unique_id.as_str()));
    let relations: Vec<Relation> =
        nodes.map(|node| run.relation(node)).chain(sources.map(|source| run.source_relation(source))).collect();
    (relations.len() <= MOST_SINGLE).then_some(relations)
}

/// All relations of the schemas that the project uses, by the macro `get_catalog`, one call for each database; where single
/// ones are given, only those, by `get_catalog_relations`.
fn tables(run: &Arc<RunContext>, single: Option<Vec<Relation>>) -> Result<Vec<CatalogTable>, Error> {
    let session = Session::with(&run.warehouse, "generate_catalog");
    let mut by_database: IndexMap<Option<String>, Vec<String>> = IndexMap::new();
    let nodes =
        run.manifest.nodes.values().filter(|node| node.relation_name.is_some()).map(|node| (&node.database, &node.schema));
    for (database, schema) in nodes.chain(run.manifest.sources.values().map(|source| (&source.database, &source.schema))) {
        let schemas = by_database.entry(database.clone()).or_default();
        if !schemas.contains(schema) {
            schemas.push(schema.clone());
        }
    }
    let mut found: IndexMap<(String, String), CatalogTable> = IndexMap::new();
    for (database, schemas) in by_database {
        let place = Relation::new(database.as_deref(), "information_schema", "");
        let host = RuntimeHost::new(run, &session, Scope::Operation, IndexMap::new());
        let (by, of) = match &single {
            None => ("get_catalog", schemas.iter().map(|schema| schema.as_str().into()).collect()),
            Some(relations) => {
                let here = relations.iter().filter(|relation| relation.database.as_deref() == database.as_deref());
                ("get_catalog_relations", here.cloned().map(objects::relation::value).collect::<Vec<_>>())
            }
        };
        if of.is_empty() {
            continue;
        }
        let of = jinja::list(of);
        let place = objects::relation::value(place);
        let answer = run.engine.run(host.shared(), move |cx| {
            let information_schema = cx.call_method(&place, "information_schema", Args::default())?;
            cx.call_macro(by, None, Args::new(vec![information_schema, of]))
        })?;
        let table = objects::table::from_value(&answer).unwrap_or_default();
        for row in rows(&table) {
            add(&mut found, &row, &schemas);
        }
    }
    session.release()?;
    Ok(found.into_values().collect())
}

/// A table's rows by column name in lower case.
fn rows(table: &Table) -> Vec<HashMap<String, Cell>> {
    let names: Vec<String> = table.column_names.iter().map(|name| name.to_lowercase()).collect();
    table.rows.iter().map(|row| names.iter().cloned().zip(row.iter().cloned()).collect()).collect()
}

/// One row of the catalog's query: a column of a relation.
fn add(found: &mut IndexMap<(String, String), CatalogTable>, row: &HashMap<String, Cell>, schemas: &[String]) {
    let text = |name: &str| row.get(name).filter(|cell| **cell != Cell::Null).map(ToString::to_string);
    let schema = text("table_schema").unwrap_or_default();
    if !schemas.iter().any(|known| known.eq_ignore_ascii_case(&schema)) {
        return;
    }
    let name = text("table_name").unwrap_or_default();
    let table = found.entry((schema.clone(), name.clone())).or_insert_with(|| CatalogTable {
        database: text("table_database"),
        schema,
        name,
        kind: text("table_type").unwrap_or_default(),
        comment: text("table_comment"),
        owner: text("table_owner"),
        ..CatalogTable::default()
    });
    if let Some(name) = text("column_name") {
        table.columns.push(CatalogColumn {
            name,
            index: text("column_index").and_then(|index| index.parse().ok()).unwrap_or(0),
            kind: text("column_type").unwrap_or_default(),
            comment: text("column_comment"),
        });
    }
}

/// The tables by the node or source that stands in each; names compared without case.
fn assigned(
    run: &RunContext,
    tables: Vec<CatalogTable>,
    wanted: impl Fn(&str) -> bool,
) -> (Vec<CatalogTable>, Vec<CatalogTable>) {
    let key = |database: Option<&str>, schema: &str, name: &str| {
        (database.map(str::to_lowercase), schema.to_lowercase(), name.to_lowercase())
    };
    let by_key: HashMap<_, CatalogTable> =
        tables.into_iter().map(|table| (key(table.database.as_deref(), &table.schema, &table.name), table)).collect();
    let named = |id: &str, place| {
        by_key.get(&place).filter(|_| wanted(id)).map(|table| CatalogTable { unique_id: id.to_owned(), ..table.clone() })
    };
    let nodes = run.manifest.nodes.values().filter_map(|node| {
        named(node.unique_id.as_str(), key(node.database.as_deref(), &node.schema, &node.alias))
            .filter(|_| node.relation_name.is_some())
    });
    let sources = run.manifest.sources.values().filter_map(|source| {
        named(source.unique_id.as_str(), key(source.database.as_deref(), &source.schema, &source.identifier))
    });
    (nodes.collect(), sources.collect())
}
