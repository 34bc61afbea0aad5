//! on-run-start and on-run-end: each entry of dbt_project.yml, rendered and run, one after the other.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use indexmap::{IndexMap, IndexSet};

use super::node::thread_name;
use crate::artifacts;
use crate::compile::{self, RunContext, Session, result_object};
use crate::event::{Event, RunResult, Status, Timing};
use crate::jinja::{self, Error, Value};
use crate::manifest::{Detail, Node, ResourceType};
use crate::text::without_secrets;

/// Which hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Start,
    End,
}

impl Moment {
    fn tag(self) -> &'static str {
        match self {
            Self::Start => "on-run-start",
            Self::End => "on-run-end",
        }
    }
}

/// Runs the hooks of a moment, packages' first, the root project's last; after a failure the rest is skipped. True if one failed.
pub fn run(run: &Arc<RunContext>, session: &Arc<Session>, moment: Moment, results: &mut Vec<Arc<RunResult>>) -> bool {
    let hooks = ordered(run, moment);
    let extra = if moment == Moment::End && !hooks.is_empty() { end_context(run, results) } else { IndexMap::new() };
    let total = hooks.len();
    let mut failed = false;
    for (index, (label, hook)) in hooks.into_iter().enumerate() {
        let begun = Instant::now();
        let mut timing = Vec::new();
        let outcome = if failed { None } else { Some(run_one(run, session, &hook, &extra, (index + 1, total), &mut timing)) };
        let (status, message, diagnostic) = match outcome {
            None => (Status::Skipped, format!("{label} skipped"), None),
            Some(Ok(())) => (Status::Success, format!("{label} passed"), None),
            Some(Err(error)) => {
                failed = true;
                let diagnostic = error.diagnostic().node(hook.unique_id.shared());
                let message = without_secrets(error.message, &run.project.invocation.secrets);
                (Status::Error, format!("{label} failed, error:\n {message}"), Some(diagnostic))
            }
        };
        run.note_hook(&hook.unique_id, index + 1);
        let took = if status == Status::Skipped { Duration::ZERO } else { begun.elapsed() };
        run.events.emit(Event::HookFinished { node: hook.clone(), index: index + 1, total, status, took });
        results.push(Arc::new(RunResult {
            timing,
            execution_time: took,
            message: Some(message),
            failures: Some(i64::from(status != Status::Success)),
            compiled: run.compiled(hook.unique_id.as_str()).map(|compiled| (*compiled).clone()),
            diagnostic,
            ..RunResult::new(hook.unique_id.clone(), status, thread_name())
        }));
    }
    failed
}

fn run_one(
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    hook: &Arc<Node>,
    extra: &IndexMap<String, Value>,
    (index, total): (usize, usize),
    timing: &mut Vec<Timing>,
) -> Result<(), Error> {
    session.work_for(Some(&hook.unique_id), hook.unique_id.as_str());
    let started_at = SystemTime::now();
    // What the hook's own queries do stays, too.
    let compiled = session.clear_transaction().and_then(|()| compile::compile_node(run, session, hook, extra.clone()));
    timing.push(Timing { name: "compile", started_at, completed_at: SystemTime::now() });
    run.events.emit(Event::HookStart { node: hook.clone(), index, total });
    let started_at = SystemTime::now();
    let done = compiled.and_then(|compiled| {
        if compiled.code.trim().is_empty() {
            return Ok(());
        }
        session.clear_transaction()?;
        session.execute(&compiled.code)?;
        session.commit()
    });
    timing.push(Timing { name: "execute", started_at, completed_at: SystemTime::now() });
    done.and(session.release())
}

/// The moment's operations with their labels (`package.on-run-end.0`), by package (the root last) and place.
fn ordered(run: &RunContext, moment: Moment) -> Vec<(String, Arc<Node>)> {
    let is_hook =
        |node: &&Arc<Node>| node.resource_type == ResourceType::Operation && node.tags.iter().any(|tag| tag == moment.tag());
    let mut hooks: Vec<&Arc<Node>> = run.manifest.nodes.values().filter(is_hook).collect();
    let index = |node: &Node| if let Detail::Operation { index } = node.detail { index } else { 0 };
    let root = &run.manifest.project_name;
    hooks.sort_by_key(|node| (node.package_name == *root, node.package_name.clone(), index(node)));
    hooks
        .into_iter()
        .enumerate()
        .map(|(place, node)| (format!("{}.{}.{place}", node.package_name, moment.tag()), node.clone()))
        .collect()
}

/// `results`, `schemas` and `database_schemas`, which only on-run-end hooks have.
fn end_context(run: &RunContext, results: &[Arc<RunResult>]) -> IndexMap<String, Value> {
    let is_hook = |result: &RunResult| result.unique_id.as_str().starts_with("operation.");
    let nodes: Vec<&Arc<RunResult>> =
        results.iter().filter(|result| !is_hook(result) || result.status == Status::Error).collect();
    let all: Vec<Value> = nodes.iter().map(|result| result_value(run, result)).collect();
    let mut places: IndexSet<(Option<String>, String)> = IndexSet::new();
    for result in nodes.into_iter().filter(|result| !matches!(result.status, Status::Error | Status::Fail | Status::Skipped)) {
        if let Some(node) = run.manifest.nodes.get(result.unique_id.as_str()).filter(|node| node.relation_name.is_some()) {
            places.insert((node.database.clone(), node.schema.clone()));
        }
    }
    let schemas: IndexSet<&String> = places.iter().map(|(_, schema)| schema).collect();
    let schemas = jinja::list(schemas.into_iter().map(|schema| schema.as_str().into()).collect());
    let pair = |(database, schema): &(Option<String>, String)| {
        jinja::tuple(vec![database.as_deref().map_or(Value::from(()), Value::from), schema.as_str().into()])
    };
    let database_schemas = jinja::list(places.iter().map(pair).collect());
    IndexMap::from([
        ("results".to_owned(), jinja::list(all)),
        ("schemas".to_owned(), schemas),
        ("database_schemas".to_owned(), database_schemas),
    ])
}

/// One result as hooks see it: attributes as in run_results.json, and the whole `node`.
fn result_value(run: &RunContext, result: &RunResult) -> Value {
    let resource = run.manifest.get(result.unique_id.as_str());
    resource.map_or_else(jinja::none, |resource| result_object::value(artifacts::result(&resource, result)))
}
