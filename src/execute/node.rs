//! One step: compile the node, run its materialization, and say what came of it. Every failure becomes a result.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use indexmap::IndexMap;

use super::Settings;
use super::dependents;
use super::function;
use super::latest_pointer;
use super::materialization;
use super::microbatch::{self, Part};
use super::repeat::Repeating;
use super::scheduler::Pool;
use super::test_status::{TestRow, judge};
use super::unit_diff;
use crate::agate::{Cell, Table};
use crate::compile::{self, RunContext, RuntimeHost, Scope, Session, foreign_keys, unit_test};
use crate::diagnostic::Diagnostic;
use crate::event::{Compiled, Event, RunResult, Status, Timing};
use crate::jinja::objects::response;
use crate::jinja::{Args, Error, ErrorKind, Value};
use crate::manifest::{BatchResults, JsonMap, Language, Node, OverloadResults, Resource, ResourceType, UnitTest};
use crate::plan::{Action, Plan, Step};
use crate::text::without_secrets;

/// What a worker has at hand for one step.
pub struct StepRun<'a> {
    pub run: &'a Arc<RunContext>,
    pub session: &'a Arc<Session>,
    pub settings: &'a Settings,
    pub resource: &'a Resource,
    pub plan: &'a Plan,
    pub step: &'a Step,
    pub pool: &'a Pool<Part>,
    pub stop: &'a Arc<AtomicBool>,
}

/// What an action found out.
#[derive(Default)]
pub(super) struct Outcome {
    pub status: Option<Status>,
    pub message: Option<String>,
    pub failures: Option<i64>,
    pub response: JsonMap,
    pub sample: Option<Arc<Table>>,
    pub freshness: Option<JsonMap>,
    pub batches: Option<BatchResults>,
    pub overloads: Option<OverloadResults>,
    /// Why batches failed, for people.
    pub diagnostic: Option<Diagnostic>,
}

impl StepRun<'_> {
    /// Runs the step. Never fails: errors are in the result.
    pub fn run(&self) -> RunResult {
        let begun = Instant::now();
        let mut timing = Vec::new();
        self.session.work_for(Some(self.resource.unique_id()), self.resource.unique_id().as_str());
        let repeating = Repeating { run: self.run, session: self.session, stop: self.stop, idempotent: false };
        let outcome = repeating.run(|| {
            timing.clear();
            self.compile_and_execute(&mut timing)
        });
        let lost = self.session.take_lost();
        if outcome.is_ok() {
            dependents::rebuild(self, &lost);
        }
        let id = self.resource.unique_id();
        let mut result = RunResult {
            timing,
            execution_time: begun.elapsed(),
            compiled: self.run.compiled(id.as_str()).filter(|found| found.is_compiled()).map(|found| Compiled::clone(&found)),
            ..RunResult::new(id.clone(), Status::Success, thread_name())
        };
        match outcome {
            Ok(outcome) => {
                result.status = outcome.status.unwrap_or(Status::Success);
                result.message = outcome.message;
                result.failures = outcome.failures;
                result.adapter_response = outcome.response;
                result.sample = outcome.sample;
                result.freshness = outcome.freshness;
                result.batch_results = outcome.batches;
                result.overload_results = outcome.overloads;
                result.diagnostic = outcome.diagnostic;
            }
            Err(error) => {
                let of_source = self.step.action == Action::Freshness;
                result.status = if of_source { Status::RuntimeError } else { Status::Error };
                result.message = Some(described(&error, self.resource, self.run));
                result.diagnostic = Some(error.diagnostic().node(id.shared()));
            }
        }
        result
    }

    fn compile_and_execute(&self, timing: &mut Vec<Timing>) -> Result<Outcome, Error> {
        let emit =
            |event: fn(Resource, SystemTime) -> Event| self.run.events.emit(event(self.resource.clone(), SystemTime::now()));
        emit(|node, at| Event::NodeCompiling { node, at });
        match (self.resource, self.step.action) {
            (Resource::Node(node), Action::Compile | Action::CompileEphemeral) => {
                timed(timing, "compile", || compile::compile_node(self.run, self.session, node, IndexMap::new()))?;
                emit(|node, at| Event::NodeExecuting { node, at });
                timed(timing, "execute", || Ok(Outcome::default()))
            }
            (Resource::Node(node), Action::Materialize) if self.runs_in_batches(node) => {
                timed(timing, "compile", || Ok(()))?;
                emit(|node, at| Event::NodeExecuting { node, at });
                timed(timing, "execute", || microbatch::run(self, node))
            }
            (Resource::Node(node), Action::Materialize) if node.resource_type == ResourceType::Function => {
                timed(timing, "compile", || compile::compile_node(self.run, self.session, node, IndexMap::new()))?;
                emit(|node, at| Event::NodeExecuting { node, at });
                timed(timing, "execute", || function::run(self, node))
            }
            (Resource::Node(node), Action::Materialize) => {
                timed(timing, "compile", || compile::compile_node(self.run, self.session, node, IndexMap::new()))?;
                emit(|node, at| Event::NodeExecuting { node, at });
                timed(timing, "execute", || materialize(self.run, self.session, node, &self.host(node), true))
            }
            (Resource::Node(node), Action::DataTest) => {
                timed(timing, "compile", || compile::compile_node(self.run, self.session, node, IndexMap::new()))?;
                emit(|node, at| Event::NodeExecuting { node, at });
                timed(timing, "execute", || self.data_test(node))
            }
            (Resource::Node(node), Action::Clone) => {
                timed(timing, "compile", || Ok(()))?;
                emit(|node, at| Event::NodeExecuting { node, at });
                timed(timing, "execute", || self.clone_relation(node))
            }
            (Resource::Source(source), Action::Freshness) => {
                timed(timing, "compile", || Ok(()))?;
                emit(|node, at| Event::NodeExecuting { node, at });
                timed(timing, "execute", || self.freshness(source))
            }
            (Resource::UnitTest(test), Action::UnitTest) => {
                timed(timing, "compile", || Ok(()))?;
                emit(|node, at| Event::NodeExecuting { node, at });
                timed(timing, "execute", || self.unit_test(test))
            }
            _ => {
                timed(timing, "compile", || Ok(()))?;
                let nothing = Outcome {
                    status: Some(Status::NoOp),
                    message: Some("NO-OP".to_owned()),
                    failures: Some(0),
                    ..Outcome::default()
                };
                timed(timing, "execute", || Ok(nothing))
            }
        }
    }

    fn runs_in_batches(&self, node: &Node) -> bool {
        node.is_microbatch() && self.run.manifest.macros.runs_in_batches(&self.run.project.flags)
    }

    /// What a materialization sees.
    fn host(&self, node: &Arc<Node>) -> RuntimeHost {
        RuntimeHost::new(self.run, self.session, Scope::Node(node.clone()), IndexMap::new()).noting_nothing()
    }

    /// Runs a data test and judges its one row.
    fn data_test(&self, node: &Arc<Node>) -> Result<Outcome, Error> {
        let materialization = materialization::find(self.run, node, node.config.materialized())?;
        let host = RuntimeHost::new(self.run, self.session, Scope::Node(node.clone()), IndexMap::new()).noting_materialization();
        let called =
            self.run.engine.call_macro(&materialization.package_name, &materialization.name, Args::default(), host.shared());
        self.run.note_macros(&node.unique_id, host.macros());
        called?;
        let main =
            self.session.result("main").ok_or_else(|| Error::new(ErrorKind::Runtime, "the test ran no statement 'main'"))?;
        let row = test_row(&main, node)?;
        let (status, message, failures) = judge(row, &node.config, self.settings.test_warnings_are_errors);
        let sample = if failures > 0 { self.failing_rows(node) } else { None };
        Ok(Outcome {
            status: Some(status),
            message,
            failures: Some(failures),
            response: response::of(&main.response).to_json(),
            sample,
            ..Outcome::default()
        })
    }

    /// Calls the materialization `clone`, which may have nothing to do.
    fn clone_relation(&self, node: &Arc<Node>) -> Result<Outcome, Error> {
        let materialization = materialization::find(self.run, node, "clone")?;
        let host = RuntimeHost::new(self.run, self.session, Scope::Node(node.clone()), IndexMap::new()).noting_nothing();
        let returned =
            self.run.engine.call_macro(&materialization.package_name, &materialization.name, Args::default(), host.shared())?;
        for relation in materialization::relations(&returned, node)? {
            self.run.cache.add(relation);
        }
        let Some(main) = self.session.result("main") else {
            return Ok(Outcome { message: Some("No-op".to_owned()), ..Outcome::default() });
        };
        let response = response::of(&main.response);
        Ok(Outcome { message: Some(response.message.clone()), response: response.to_json(), ..Outcome::default() })
    }

    /// The first failing rows, for people; none where they cannot be had.
    fn failing_rows(&self, node: &Node) -> Option<Arc<Table>> {
        let compiled = self.run.compiled(node.unique_id.as_str())?;
        self.session.peek(&compiled.code, self.settings.failing_rows_shown).ok().map(Arc::new)
    }

    fn unit_test(&self, test: &Arc<UnitTest>) -> Result<Outcome, Error> {
        let explain = |mut error: Error| {
            error.message = format!(
                "An error occurred during execution of unit test '{}'. \
                 There may be an error in the unit test definition: check the data types.\n {}",
                test.name, error.message
            );
            error
        };
        let (node, compiled) = unit_test::compile(self.run, self.session, test)?;
        let materialization = materialization::find(self.run, &node, node.config.materialized())?;
        let code = Value::from(&*compiled.code);
        let extra = IndexMap::from([("sql".to_owned(), code.clone()), ("compiled_code".to_owned(), code)]);
        let host = RuntimeHost::new(self.run, self.session, Scope::Node(node.clone()), extra);
        let called =
            self.run.engine.call_macro(&materialization.package_name, &materialization.name, Args::default(), host.shared());
        called.map_err(explain)?;
        let main =
            self.session.result("main").ok_or_else(|| Error::new(ErrorKind::Runtime, "the unit test ran no statement 'main'"))?;
        let response = response::of(&main.response).to_json();
        let diff = unit_diff::compare(&main.table);
        let (status, failures) = if diff.is_some() { (Status::Fail, 1) } else { (Status::Pass, 0) };
        Ok(Outcome { status: Some(status), message: diff, failures: Some(failures), response, ..Outcome::default() })
    }
}

/// Calls the node's materialization and reads what it stored under `main`; makes the pointer to a latest version where
/// `is_whole` says that the model is complete by then.
pub(super) fn materialize(
    run: &Arc<RunContext>,
    session: &Arc<Session>,
    node: &Arc<Node>,
    host: &RuntimeHost,
    is_whole: bool,
) -> Result<Outcome, Error> {
    let materialization = materialization::find(run, node, node.config.materialized())?;
    // Python waits until the others are done, who must not wait for this lock meanwhile.
    let guard = match node.language {
        Language::Python => None,
        _ => foreign_keys::guard(session, node, &run.relation(node))?,
    };
    let returned = run.engine.call_macro(&materialization.package_name, &materialization.name, Args::default(), host.shared())?;
    let relations = materialization::relations(&returned, node)?;
    let main = session.result("main").ok_or_else(|| {
        Error::new(ErrorKind::Runtime, format!("the materialization of {} never ran the statement 'main'", node.unique_id))
    })?;
    let pointer = if is_whole { latest_pointer::create(run, session, node, &relations, host)? } else { Vec::new() };
    drop(guard);
    for relation in relations.into_iter().chain(pointer) {
        run.cache.add(relation);
    }
    let response = response::of(&main.response);
    Ok(Outcome { message: Some(response.message.clone()), response: response.to_json(), ..Outcome::default() })
}

/// Reads the test's row: `failures`, `should_warn`, `should_error`, in any order and case.
fn test_row(main: &compile::statement::StatementResult, node: &Node) -> Result<TestRow, Error> {
    let wrong = |what: String| Error::new(ErrorKind::Runtime, format!("the test {} {what}", node.unique_id));
    let table = &main.table;
    let [row] = table.rows.as_slice() else {
        return Err(wrong(format!("returned {} rows, but expected 1 row", table.rows.len())));
    };
    if row.len() != 3 {
        return Err(wrong(format!("returned {} columns, but expected 3 columns", row.len())));
    }
    let cell = |name: &str| {
        let place = table.column_names.iter().position(|column| column.eq_ignore_ascii_case(name));
        place.and_then(|place| row.get(place)).ok_or_else(|| wrong(format!("has no column '{name}'")))
    };
    let truth = |name: &str| match cell(name)? {
        Cell::Bool(value) => Ok(*value),
        Cell::Int(value) => Ok(*value != 0),
        Cell::Text(text) => match text.to_lowercase().as_str() {
            "y" | "yes" | "t" | "true" | "on" | "1" => Ok(true),
            "n" | "no" | "f" | "false" | "off" | "0" => Ok(false),
            _ => Err(wrong(format!("cannot be judged: 'get_test_sql' returns '{text}' for '{name}', not true or false"))),
        },
        other => Err(wrong(format!("answered {other:?} for '{name}', which should be true or false"))),
    };
    let failures = match cell("failures")? {
        Cell::Int(value) => i64::try_from(*value).unwrap_or(i64::MAX),
        Cell::Float(value) => {
            rust_decimal::Decimal::try_from(value.trunc()).ok().and_then(|value| i64::try_from(value).ok()).unwrap_or(i64::MAX)
        }
        Cell::Decimal(value) => i64::try_from(value.trunc()).unwrap_or(i64::MAX),
        other => return Err(wrong(format!("counted {other:?} failures: fail_calc must give a number"))),
    };
    Ok(TestRow { failures, should_warn: truth("should_warn")?, should_error: truth("should_error")? })
}

/// Runs a part of the work and notes when it began and ended, also when it fails.
pub(super) fn timed<T>(
    timing: &mut Vec<Timing>,
    name: &'static str,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let started_at = SystemTime::now();
    let done = work();
    timing.push(Timing { name, started_at, completed_at: SystemTime::now() });
    done
}

/// The error as run_results' `message` gives it: dbt's kind of error, the node and its file, then what is wrong.
/// Secrets are blotted out.
pub(super) fn described(error: &Error, resource: &Resource, run: &RunContext) -> String {
    let kind = match error.kind {
        // dbt-duckdb hands the engine's errors on as they are.
        ErrorKind::Database if *run.manifest.adapter_type == *"duckdb" => "Runtime Error",
        ErrorKind::Database => "Database Error",
        ErrorKind::Runtime | ErrorKind::Cancelled => "Runtime Error",
        ErrorKind::Syntax | ErrorKind::Undefined | ErrorKind::Compilation => "Compilation Error",
        ErrorKind::Parsing => "Parsing Error",
    };
    let text = without_secrets(error.message.clone(), &run.project.invocation.secrets).replace('\n', "\n  ");
    format!("{kind} in {} {} ({})\n  {text}", resource.resource_type(), resource.name(), resource.original_file_path())
}

/// The group of a node, for the log.
pub fn group(run: &RunContext, resource: &Resource) -> Option<Arc<JsonMap>> {
    let Resource::Node(node) = resource else { return None };
    let name = node.group.as_ref()?;
    let group = run.manifest.groups.values().find(|group| group.name == *name)?;
    Some(Arc::new(JsonMap::from_iter([
        ("name".to_owned(), name.as_str().into()),
        ("package_name".to_owned(), (&*group.package_name).into()),
        ("owner".to_owned(), group.owner.clone().into()),
    ])))
}

/// The worker's name: `Thread-1 (worker)`.
pub fn thread_name() -> String {
    std::thread::current().name().unwrap_or("main").to_owned()
}

/// The result of a step that was not run.
pub fn skipped(resource: &Resource, message: Option<String>) -> RunResult {
    RunResult { message, ..RunResult::new(resource.unique_id().clone(), Status::Skipped, thread_name()) }
}
