//! Before the first node: missing schemas are made, and the relation cache is filled.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use crate::agate::Cell;
use crate::compile::{RunContext, RuntimeHost, Scope, Session};
use crate::event::schema_event;
use crate::jinja::{Args, Error, Value, objects};
use crate::manifest::{Dialect, Node, Relation, Resource, ResourceType};
use crate::plan::Plan;

/// Makes the schemas that the plan's nodes will stand in, where they are missing; by the macros `list_schemas` and `create_schema`.
pub fn create(run: &Arc<RunContext>, session: &Arc<Session>, plan: &Plan) -> Result<(), Error> {
    let wanted = schemas(
        plan.steps.iter().filter_map(|step| match run.manifest.get(step.id.as_str()) {
            Some(Resource::Node(node)) => Some(node),
            _ => None,
        }),
        run,
    );
    let databases: IndexSet<Option<Arc<str>>> = wanted.iter().map(|relation| relation.database.clone()).collect();
    let mut existing: IndexSet<(Option<String>, String)> = IndexSet::new();
    for database in databases {
        let quoted =
            database.as_ref().map(|database| Relation { database: Some(database.clone()), ..Relation::default() }.name());
        let answer = call(run, session, "list_schemas", vec![quoted.map_or(crate::jinja::none(), Value::from)])?;
        let table = objects::table::from_value(&answer).unwrap_or_default();
        for row in &table.rows {
            if let Some(Cell::Text(schema)) = row.first() {
                existing.insert((database.as_ref().map(|database| database.to_lowercase()), schema.to_lowercase()));
            }
        }
    }
    for relation in wanted {
        let schema = relation.schema.as_deref().unwrap_or_default().to_lowercase();
        let key = (relation.database.as_ref().map(|database| database.to_lowercase()), schema);
        if existing.insert(key) {
            run.events.emit(schema_event(&relation, true));
            call(run, session, "create_schema", vec![objects::relation::value(relation)])?;
            session.commit()?;
        }
    }
    session.release()
}

/// Lists the relations of all schemas that nodes stand in (or only the plan's), by the macro `list_relations_without_caching`.
pub fn populate_cache(run: &Arc<RunContext>, session: &Arc<Session>, plan: &Plan, selected_only: bool) -> Result<(), Error> {
    let planned: IndexSet<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    let nodes = run.manifest.nodes.values().filter(|node| !selected_only || planned.contains(node.unique_id.as_str()));
    let mut wanted = schemas(nodes.cloned(), run);
    if run.deferral.clones {
        let nodes = run.manifest.nodes.values().filter(|node| planned.contains(node.unique_id.as_str()));
        for mut other in nodes.filter_map(|node| run.deferred(node)) {
            other.identifier = None;
            other.include.identifier = false;
            if !wanted.contains(&other) {
                wanted.push(other);
            }
        }
    }
    for schema in wanted {
        let answer = call(run, session, "list_relations_without_caching", vec![objects::relation::value(schema.clone())])?;
        run.cache.fill(&schema, &objects::table::from_value(&answer).unwrap_or_default());
    }
    if run.dialect() == Dialect::Postgres {
        link_views(run, session)?;
    }
    session.release()
}

/// Takes note of which views read which relations: PostgreSQL drops them together.
fn link_views(run: &Arc<RunContext>, session: &Arc<Session>) -> Result<(), Error> {
    let answer = call(run, session, "postgres_get_relations", Vec::new())?;
    let links = objects::table::from_value(&answer).unwrap_or_default();
    for row in &links.rows {
        let [reader_schema, reader, schema, name] = row.as_slice() else { continue };
        let relation = |schema: &Cell, name: &Cell| Relation {
            dialect: run.dialect(),
            ..Relation::new(run.warehouse.database.as_deref(), &schema.to_string(), &name.to_string())
        };
        run.cache.link(&relation(schema, name), &relation(reader_schema, reader));
    }
    Ok(())
}

/// The schemas of relations among the nodes, each once, without identifier.
fn schemas(nodes: impl Iterator<Item = Arc<Node>>, run: &RunContext) -> Vec<Relation> {
    let mut found: IndexMap<(Option<String>, String), Relation> = IndexMap::new();
    for node in nodes.filter(|node| is_relational(node)) {
        let mut relation = run.relation(&node);
        relation.identifier = None;
        relation.include.identifier = false;
        found.entry((node.database.clone(), node.schema.clone())).or_insert(relation);
    }
    found.into_values().collect()
}

/// Does the node stand in the warehouse? Tests only where they store failures.
fn is_relational(node: &Node) -> bool {
    match node.resource_type {
        ResourceType::Model => !node.is_ephemeral(),
        ResourceType::Seed | ResourceType::Snapshot | ResourceType::Function => true,
        ResourceType::Test => node.relation_name.is_some(),
        _ => false,
    }
}

fn call(run: &Arc<RunContext>, session: &Arc<Session>, name: &str, positional: Vec<Value>) -> Result<Value, Error> {
    let host = RuntimeHost::new(run, session, Scope::Operation, IndexMap::new());
    let root = run.project.root_package().name.clone();
    run.engine.call_macro(&root, name, Args::new(positional), host.shared())
}
