//! build, run, test, seed, snapshot, compile: select, plan, execute, write what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Invocation, Resolved, stop_on_interrupt};
use crate::artifacts::{self, Journal};
use crate::cli::{Command, Outcome};
use crate::event::{Event, Status};
use crate::execute::{self, Executed, Settings};
use crate::graph::Selection;
use crate::manifest::{Json, JsonMap, ResourceType, UniqueId};
use crate::plan::{self, Mode, Plan};

/// Runs one of the node commands.
pub fn run(invocation: &Invocation, resolved: &Resolved) -> Outcome {
    if let Some(inline) = invocation.request.text("inline") {
        return super::show::compile_inline(invocation, resolved, inline);
    }
    let Some(selection) = selection(invocation, resolved) else { return Outcome::Unusable };
    let mut plan = plan(invocation, resolved, &selection);
    for (id, before) in invocation.retry.iter().flat_map(|retry| &retry.batches) {
        plan.resume(id, before.clone());
    }
    for (id, before) in invocation.retry.iter().flat_map(|retry| &retry.overloads) {
        plan.resume_overloads(id, before);
    }
    if plan.steps.is_empty() {
        return nothing_to_do(invocation, resolved);
    }
    let journal = journal(invocation, &plan);
    let events = journal.as_ref().map_or_else(|| invocation.events.clone(), |journal| journal.following(&invocation.events));
    let Some(run) = invocation.run_context_with(resolved, &selection, events) else { return Outcome::Unusable };
    if let Err(error) = run.adapter.connect("master") {
        invocation.teller.tell(vec![super::settings::adapter_fault(&error)]);
        return Outcome::Unusable;
    }
    let begun = Instant::now();
    let stop = stop_on_interrupt(&run.adapter);
    let executed = match execute::execute(&run, &plan, &settings(invocation), &stop) {
        Ok(executed) => executed,
        Err(error) => {
            invocation.teller.tell(vec![error.diagnostic()]);
            return Outcome::Unusable;
        }
    };
    invocation.write_manifest(resolved, &run.all_compiled());
    let outcome = finish(invocation, resolved, &executed, begun);
    if let Some(journal) = journal {
        journal.end();
    }
    outcome
}

/// Where results are kept as they come, for `retry` after the process is killed.
fn journal(invocation: &Invocation, plan: &Plan) -> Option<Arc<Journal>> {
    let info = &invocation.project.invocation;
    let planned = plan.steps.iter().filter(|step| step.is_counted()).map(|step| step.id.clone());
    invocation.writes_json().then(|| {
        let target = &invocation.project.target_path;
        Journal::begin(target, (&info.invocation_id, info.run_started_at), &invocation.shown_args(), planned)
    })
}

/// Compiles the selection without running it: what `docs generate` does first. Errors have been told.
pub fn compile(invocation: &Invocation, resolved: &Resolved) -> Option<(Arc<crate::compile::RunContext>, Selection)> {
    let selection = selection(invocation, resolved)?;
    let plan = plan::plan(&resolved.manifest, &resolved.graph, &selection, Mode::Compile);
    let run = invocation.run_context(resolved, &selection)?;
    let begun = Instant::now();
    let stop = stop_on_interrupt(&run.adapter);
    match execute::execute(&run, &plan, &settings(invocation), &stop) {
        Ok(executed) => {
            invocation.write_manifest(resolved, &run.all_compiled());
            if !compiled_well(invocation, &executed) {
                return None;
            }
            write_results(invocation, resolved, &executed, begun.elapsed());
            Some((run, selection))
        }
        Err(error) => {
            invocation.teller.tell(vec![error.diagnostic()]);
            None
        }
    }
}

fn plan(invocation: &Invocation, resolved: &Resolved, selection: &Selection) -> Plan {
    match invocation.request.command {
        Command::Build => plan::plan(&resolved.manifest, &resolved.graph, selection, Mode::Build),
        Command::Compile => plan::plan(&resolved.manifest, &resolved.graph, selection, Mode::Compile),
        Command::Clone => plan::plan(&resolved.manifest, &resolved.graph, selection, Mode::Clone),
        _ => plan::plan(&resolved.manifest, &resolved.graph, selection, Mode::Run),
    }
}

/// What the command takes at all, narrowed by `--resource-type` and `--exclude-resource-type`.
fn selection(invocation: &Invocation, resolved: &Resolved) -> Option<Selection> {
    use ResourceType as T;
    if let Some(retry) = &invocation.retry {
        return retry.selection(&resolved.graph).map_err(|gone| invocation.teller.tell(gone)).ok();
    }
    let all: &[T] = match invocation.request.command {
        Command::Build => &[T::Model, T::Snapshot, T::Seed, T::Test, T::UnitTest, T::SavedQuery, T::Exposure, T::Function],
        Command::Run => &[T::Model],
        Command::Test => &[T::Test, T::UnitTest],
        Command::Seed => &[T::Seed],
        Command::Snapshot => &[T::Snapshot],
        Command::Clone => &[T::Model, T::Seed, T::Snapshot],
        _ => &[T::Model, T::Test, T::Snapshot, T::Analysis, T::Seed, T::Function],
    };
    let types = narrowed(invocation, all);
    let mut selection = invocation.select(resolved, types)?;
    if invocation.request.command == Command::Build {
        // A unit test runs together with its model, never alone.
        let chosen = selection.ids.clone();
        let tested = |id: &UniqueId| resolved.manifest.unit_tests.get(id.as_str()).map(|test| test.depends_on.nodes.first());
        selection.ids.retain(|id| tested(id).is_none_or(|model| model.is_some_and(|model| chosen.contains(model))));
    }
    Some(selection)
}

/// A command's resource types after `--resource-type` and `--exclude-resource-type`.
pub fn narrowed(invocation: &Invocation, all: &[ResourceType]) -> Vec<ResourceType> {
    let named = |name: &str| invocation.request.list(name);
    let (wanted, unwanted) = (named("resource_types"), named("exclude_resource_types"));
    let everything = wanted.is_empty() || wanted.iter().any(|name| name == "all" || name == "default");
    all.iter()
        .copied()
        .filter(|kind| everything || wanted.iter().any(|name| name == kind.as_str()))
        .filter(|kind| !unwanted.iter().any(|name| name == kind.as_str()))
        .collect()
}

pub fn settings(invocation: &Invocation) -> Settings {
    let command = invocation.request.command;
    let materializes = matches!(command, Command::Build | Command::Run | Command::Seed | Command::Snapshot | Command::Test);
    Settings {
        threads: invocation.project.profile.threads.max(1),
        fail_fast: invocation.flag("fail_fast", false),
        hooks: materializes,
        create_schemas: materializes || command == Command::Clone,
        populate_cache: invocation.flag("populate_cache", true),
        cache_selected_only: invocation.flag("cache_selected_only", false),
        failed_tests_block: command == Command::Build,
        test_warnings_are_errors: fails(invocation, "LogTestResult"),
        skip_nodes_if_start_fails: invocation.flag("skip_nodes_if_on_run_start_fails", false),
        ephemeral_results: command == Command::Compile && !invocation.request.list("select").is_empty(),
        failing_rows_shown: 5,
    }
}

/// Do the flags make an error of the warning that is dbt's event of that name?
pub fn fails(invocation: &Invocation, event: &'static str) -> bool {
    let warning = crate::diagnostic::Diagnostic::warning("W0603", "").event(event);
    crate::diagnostic::any_error(&crate::report::promote(vec![warning], &invocation.teller.options))
}

fn nothing_to_do(invocation: &Invocation, resolved: &Resolved) -> Outcome {
    let fine = warn_of_nothing(invocation);
    finish(invocation, resolved, &Executed::default(), Instant::now());
    if fine { Outcome::Success } else { Outcome::Failure }
}

/// Says that the selection is empty; false where that is an error.
pub fn warn_of_nothing(invocation: &Invocation) -> bool {
    let warning = crate::diagnostic::Diagnostic::warning(
        "W0502",
        "Nothing to do. Try checking your model configs and model specification args",
    )
    .event("NothingToDo");
    invocation.teller.tell(vec![warning])
}

/// Writes run_results.json, tells the summary, and says how it ended.
fn finish(invocation: &Invocation, resolved: &Resolved, executed: &Executed, begun: Instant) -> Outcome {
    let took = begun.elapsed();
    let results = &executed.results;
    let is_compile = invocation.request.command == Command::Compile;
    if is_compile && !compiled_well(invocation, executed) {
        return Outcome::Unusable;
    }
    invocation.events.emit(Event::RunFinished { results: Arc::new(results.clone()), took, interrupted: executed.interrupted });
    write_results(invocation, resolved, executed, took);
    if is_compile {
        show_compiled(invocation, resolved, executed);
    }
    let failed = |result: &&Arc<crate::event::RunResult>| {
        result.status.is_failure() || (result.status == Status::Skipped && !result.unique_id.as_str().starts_with("exposure."))
    };
    if executed.interrupted || results.iter().any(|result| failed(&result)) { Outcome::Failure } else { Outcome::Success }
}

fn write_results(invocation: &Invocation, resolved: &Resolved, executed: &Executed, took: Duration) {
    if invocation.writes_json() {
        let args = invocation.shown_args();
        let text = artifacts::run_results(&resolved.manifest, &executed.results, took, &args, &invocation.metadata());
        invocation.write("run_results.json", &text);
    }
}

/// A node that does not compile is a fault of the whole command, as in dbt: it is told, and there are no results to keep.
fn compiled_well(invocation: &Invocation, executed: &Executed) -> bool {
    let failed = executed.results.iter().filter(|result| result.status == Status::Error);
    invocation.teller.tell(failed.filter_map(|result| result.diagnostic.clone()).collect())
}

/// `compile --select x` shows the SQL of what was named.
fn show_compiled(invocation: &Invocation, resolved: &Resolved, executed: &Executed) {
    let named = invocation.request.list("select");
    if named.is_empty() {
        return;
    }
    for result in &executed.results {
        let Some(node) = resolved.manifest.nodes.get(result.unique_id.as_str()) else { continue };
        let words = named.iter().flat_map(|word| word.split([' ', ',']));
        let asked = words.map(|word| word.trim_matches(|symbol: char| symbol == '+' || symbol == '@' || symbol.is_ascii_digit()));
        let Some(compiled) = result.compiled.as_ref().filter(|_| asked.into_iter().any(|word| word == node.name)) else {
            continue;
        };
        tell_query(invocation, Told::Sql, (&node.name, node.unique_id.as_str()), false, compiled.code.to_string());
    }
}

/// What is told of a query.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Rows,
    Sql,
}

/// A query's rows (as JSON text where JSON is asked for) or SQL: those of a node, of which `name` and `id` are, or of a
/// query that the command line gives.
pub fn tell_query(invocation: &Invocation, told: Told, (name, id): (&str, &str), inline: bool, content: String) {
    let json = wants_json(invocation);
    let text = if json {
        let mut object = JsonMap::new();
        if !inline {
            object.insert("node".to_owned(), name.into());
        }
        match told {
            Told::Rows => object.insert("show".to_owned(), serde_json::from_str(&content).unwrap_or_default()),
            Told::Sql => object.insert("compiled".to_owned(), content.as_str().into()),
        };
        format!("{:#}", Json::Object(object))
    } else if invocation.flag("quiet", false) {
        content.clone()
    } else {
        let whose = if inline { "inline node".to_owned() } else { format!("node '{name}'") };
        match told {
            Told::Rows => format!("Previewing {whose}:\n{content}"),
            Told::Sql => format!("Compiled {whose} is:\n{content}"),
        }
    };
    let (event, code, key) = match told {
        Told::Rows => ("ShowNode", "Q041", "preview"),
        Told::Sql => ("CompiledNode", "Q042", "compiled"),
    };
    let mut data = JsonMap::new();
    data.insert("node_name".to_owned(), name.into());
    data.insert(key.to_owned(), content.into());
    data.insert("is_inline".to_owned(), inline.into());
    data.insert("output_format".to_owned(), if json { "json" } else { "text" }.into());
    data.insert("unique_id".to_owned(), id.into());
    invocation.events.emit(Event::Output { name: event, code, text, data });
}

/// `--output json`.
pub fn wants_json(invocation: &Invocation) -> bool {
    invocation.request.text("output_format") == Some("json")
}

/// Name and id of the query of `--inline`.
pub const INLINE: (&str, &str) = ("inline_query", "sql_operation.inline_query");
