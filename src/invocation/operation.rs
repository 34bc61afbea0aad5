//! run-operation: one macro, called with the given arguments.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use indexmap::IndexMap;

use super::{Invocation, Resolved};
use crate::artifacts;
use crate::cli::Outcome;
use crate::compile::{self, Execution, RuntimeHost, Scope, Session};
use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::event::{Compiled, Event, RunResult, Status, Timing};
use crate::graph::Selection;
use crate::jinja::{self, Args, Error, Template, Value};
use crate::manifest::{Json, JsonMap, UniqueId};
use crate::text::without_secrets;
use crate::yaml::{self, Kind};

/// Calls the macro, or runs `--sql`; what came of it is in run_results.json.
pub fn run(invocation: &Invocation, resolved: &Resolved) -> Outcome {
    if invocation.retry.as_ref().is_some_and(|retry| retry.ids.is_empty()) {
        // It went well the last time.
        return Outcome::Success;
    }
    let request = invocation.request;
    let unusable = |message: &str, help: &str| {
        invocation.teller.tell(vec![Diagnostic::error("E0807", message).help(help)]);
        Outcome::Unusable
    };
    let Some(keyword) = arguments(invocation) else { return Outcome::Unusable };
    match (request.words.first(), request.text("sql")) {
        (None, None) => {
            let help = "give one: lineal run-operation my_macro --args '{key: value}'";
            unusable("Either a macro name or --sql must be passed to run-operation", help)
        }
        (Some(_), Some(_)) => unusable("Cannot specify both a macro name and --sql for run-operation", "leave one of them out"),
        (None, Some(_)) if !keyword.is_empty() => {
            unusable("--args cannot be used with --sql; pass arguments directly in the SQL", "leave --args out")
        }
        (None, Some(sql)) => run_sql(invocation, resolved, sql),
        (Some(word), None) => run_macro(invocation, resolved, word, keyword),
    }
}

fn run_macro(invocation: &Invocation, resolved: &Resolved, word: &str, keyword: IndexMap<String, Value>) -> Outcome {
    let Some(run) = invocation.run_context(resolved, &Selection::default()) else { return Outcome::Unusable };
    let (package, name) = match word.split_once('.') {
        Some((package, name)) => (Some(package), name.to_owned()),
        None => (None, word.to_owned()),
    };
    let operation =
        Operation::begin(keyword.iter().map(|(name, value)| (name.clone(), jinja::to_json(value).unwrap_or_default())));
    let Some(found) = resolved.manifest.macros.operation(package, &name) else {
        invocation.teller.tell(vec![unknown(resolved, word, &name)]);
        return Outcome::Unusable;
    };
    let session = Session::with(&run.warehouse, &format!("macro_{name}"));
    let host = RuntimeHost::new(&run, &session, Scope::Operation, IndexMap::new()).in_package(&found.package_name);
    let called = session.clear_transaction().and_then(|()| {
        run.engine.call_macro(&found.package_name, &found.name, Args { keyword, ..Args::default() }, host.shared())
    });
    let error = called.and(session.release()).err();
    if let Some(error) = &error {
        let mut diagnostic = error.diagnostic();
        if diagnostic.labels.is_empty() {
            diagnostic = diagnostic.at(&found.source, found.span);
        }
        invocation.teller.tell(vec![diagnostic]);
    }
    operation.end(invocation, resolved, found.unique_id.clone(), JsonMap::new(), error.as_ref())
}

fn unknown(resolved: &Resolved, word: &str, name: &str) -> Diagnostic {
    let place =
        if let Some((package, _)) = word.split_once('.') { format!("package {package}") } else { "any package".to_owned() };
    let message = format!("dbt could not find a macro with the name '{name}' in {place}");
    let own = resolved.manifest.macros.packages.get(&resolved.manifest.project_name);
    let names = own.into_iter().flat_map(|macros| macros.keys().map(String::as_str));
    let help = match crate::diagnostic::nearest(name, names) {
        Some(near) => format!("did you mean '{near}'?"),
        None => "macros are made in the folders of macro-paths; those of packages are called as package.macro".to_owned(),
    };
    let source = SourceText::new("run-operation", word);
    Diagnostic::error("E0303", message).at(&source, Span::new(0, word.len())).help(help)
}

/// `--sql`: rendered, and run in a transaction that only the SQL itself may commit, as in dbt.
fn run_sql(invocation: &Invocation, resolved: &Resolved, sql: &str) -> Outcome {
    let Some(run) = invocation.run_context(resolved, &Selection::default()) else { return Outcome::Unusable };
    let note = |level, text: String| {
        invocation.events.emit(Event::Note { name: "Note", code: "Z050", level, text, data: JsonMap::new() });
    };
    note("info", "START executing inline_query".to_owned());
    let operation = Operation::begin(std::iter::empty());
    let session = Session::with(&run.warehouse, "inline_query");
    let host = RuntimeHost::new(&run, &session, Scope::Inline, IndexMap::new());
    let template = Template::whole(SourceText::new("--sql", sql));
    let how = Execution { auto_begin: true, ..Execution::default() };
    let done = session
        .clear_transaction()
        .and_then(|()| compile::compile_text(&run, &session, &template, &host))
        .and_then(|compiled| session.execute_with(&compiled.code, how))
        .and_then(|(response, _)| session.release().map(|()| response));
    let (response, error) = match done {
        Ok(response) => {
            note("info", format!("OK executed inline_query [{}]", response.message));
            (response.to_json(), None)
        }
        Err(error) => {
            note("error", "ERROR executing inline_query".to_owned());
            invocation.teller.tell(vec![error.diagnostic()]);
            (JsonMap::new(), Some(error))
        }
    };
    operation.end(invocation, resolved, inline_id(resolved), response, error.as_ref())
}

/// Of a query that the command line gives.
fn inline_id(resolved: &Resolved) -> UniqueId {
    UniqueId::new(format!("sql_operation.{}.inline_query", resolved.manifest.project_name))
}

/// An operation, or an inline query, on its way.
pub struct Operation {
    begun: Instant,
    started_at: SystemTime,
    args: JsonMap,
}

impl Operation {
    pub fn begin(args: impl Iterator<Item = (String, Json)>) -> Self {
        Self { begun: Instant::now(), started_at: SystemTime::now(), args: args.collect() }
    }

    /// Writes the run_results.json of an inline query that was compiled.
    pub fn note(self, invocation: &Invocation, resolved: &Resolved, compiled: Compiled) {
        let result = RunResult {
            timing: self.timing(),
            execution_time: self.begun.elapsed(),
            compiled: Some(compiled),
            ..RunResult::new(inline_id(resolved), Status::Success, "Thread-1 (worker)".to_owned())
        };
        self.write(invocation, resolved, result, &invocation.shown_args());
    }

    fn timing(&self) -> Vec<Timing> {
        let compiled = Timing { name: "compile", started_at: self.started_at, completed_at: self.started_at };
        let executed = Timing { name: "execute", started_at: self.started_at, completed_at: SystemTime::now() };
        vec![compiled, executed]
    }

    fn write(&self, invocation: &Invocation, resolved: &Resolved, result: RunResult, args: &JsonMap) {
        if invocation.writes_json() {
            let (took, metadata) = (self.begun.elapsed(), invocation.metadata());
            let text = artifacts::run_results(&resolved.manifest, &[Arc::new(result)], took, args, &metadata);
            invocation.write("run_results.json", &text);
        }
    }

    /// Writes run_results.json.
    fn end(
        mut self,
        invocation: &Invocation,
        resolved: &Resolved,
        unique_id: UniqueId,
        adapter_response: JsonMap,
        error: Option<&Error>,
    ) -> Outcome {
        let status = if error.is_some() { Status::Error } else { Status::Success };
        let result = RunResult {
            timing: self.timing(),
            execution_time: self.begun.elapsed(),
            adapter_response,
            message: error.map(|error| without_secrets(error.message.clone(), &invocation.project.invocation.secrets)),
            failures: Some(i64::from(error.is_some())),
            ..RunResult::new(unique_id, status, "MainThread".to_owned())
        };
        let args = shown_args(invocation, std::mem::take(&mut self.args));
        self.write(invocation, resolved, result, &args);
        if error.is_some() { Outcome::Failure } else { Outcome::Success }
    }
}

/// dbt writes other `args` for operations: those that are off as well, none that is a path or an object of its own. Secrets are
/// blotted out.
fn shown_args(invocation: &Invocation, args: JsonMap) -> JsonMap {
    let request = invocation.request;
    let is_shown = |name: &str| match name {
        "empty" | "log_path" | "warn_error_options" | "state" | "defer_state" | "require_event_names_in_deprecations" => false,
        "profiles_dir" | "project_dir" => request.given.contains_key(name),
        _ => true,
    };
    let flags = invocation.project.flags.iter().filter(|(name, value)| !value.is_null() && is_shown(name));
    let mut shown: JsonMap = flags.map(|(name, value)| (name.clone(), value.clone())).collect();
    if request.given.contains_key("args") {
        shown.insert("args".to_owned(), Json::Object(args));
    }
    if let Some(word) = request.words.first() {
        shown.insert("macro".to_owned(), word.as_str().into());
    }
    invocation.without_secrets(shown)
}

/// `--args`, a YAML map.
fn arguments(invocation: &Invocation) -> Option<IndexMap<String, Value>> {
    let source = SourceText::new("--args", invocation.request.text("args").unwrap_or("{}"));
    let (value, diagnostics) = yaml::read(&source);
    if !invocation.teller.tell(diagnostics) {
        return None;
    }
    match value {
        Some(value) if matches!(value.kind, Kind::Map(_) | Kind::Null) => {
            Some(value.entries().iter().map(|entry| (entry.key.to_string(), jinja::from_json(&entry.value.to_json()))).collect())
        }
        other => {
            let span = other.map(|value| value.span).unwrap_or_default();
            let wrong = Diagnostic::error("E0808", "--args must be a YAML map")
                .at(&source, span)
                .help("for example --args '{role: reporter, dry_run: true}'");
            invocation.teller.tell(vec![wrong]);
            None
        }
    }
}

/// Something went wrong that has no node.
pub fn told(invocation: &Invocation, error: &Error) -> Outcome {
    invocation.teller.tell(vec![error.diagnostic()]);
    Outcome::Unusable
}

/// The event for output of a command.
pub fn output(name: &'static str, code: &'static str, text: String) -> Event {
    Event::Output { name, code, text, data: JsonMap::new() }
}
