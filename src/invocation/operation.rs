//! run-operation: one macro, called with the given arguments.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use indexmap::IndexMap;

use super::{Invocation, Resolved};
use crate::artifacts;
use crate::cli::Outcome;
use crate::compile::{RuntimeHost, Scope, Session};
use crate::diagnostic::{Diagnostic, SourceText};
use crate::event::{Event, RunResult, Status, Timing};
use crate::graph::Selection;
use crate::jinja::{self, Args, Error, Value};
use crate::manifest::JsonMap;
use crate::yaml::{self, Kind};

/// Calls the macro; its outcome is in run_results.json.
pub fn run(invocation: &Invocation, resolved: &Resolved) -> Outcome {
    if invocation.retry.as_ref().is_some_and(|retry| retry.ids.is_empty()) {
        // It went well the last time.
        return Outcome::Success;
    }
    let Some(word) = invocation.request.words.first() else {
        let help = "give one: lineal run-operation my_macro --args '{key: value}'";
        invocation.teller.tell(vec![Diagnostic::error("E0807", "run-operation needs the name of a macro").help(help)]);
        return Outcome::Unusable;
    };
    let Some(keyword) = arguments(invocation) else { return Outcome::Unusable };
    let Some(run) = invocation.run_context(resolved, &Selection::default()) else { return Outcome::Unusable };
    let (package, name) = match word.split_once('.') {
        Some((package, name)) => (package.to_owned(), name.to_owned()),
        None => (resolved.manifest.project_name.to_string(), word.clone()),
    };
    let begun = Instant::now();
    let mut timing = vec![Timing { name: "compile", started_at: SystemTime::now(), completed_at: SystemTime::now() }];
    let started_at = SystemTime::now();
    let Some(found) = resolved.manifest.macros.find(&package, &name) else {
        let place = if word.contains('.') { format!("package {package}") } else { "any package".to_owned() };
        let message = format!("dbt could not find a macro with the name '{name}' in {place}");
        invocation.teller.tell(vec![Diagnostic::error("E0303", message)]);
        return Outcome::Unusable;
    };
    let session = Session::with(&run.warehouse, &format!("macro_{name}"));
    let host = RuntimeHost::new(&run, &session, Scope::Operation, IndexMap::new()).in_package(&found.package_name);
    let called = session.clear_transaction().and_then(|()| {
        run.engine.call_macro(&found.package_name, &found.name, Args { keyword, ..Args::default() }, host.shared())
    });
    let released = session.release();
    let outcome = called.and(released);
    timing.push(Timing { name: "execute", started_at, completed_at: SystemTime::now() });
    let error = outcome.err();
    if let Some(error) = &error {
        invocation.teller.tell(vec![error.diagnostic()]);
    }
    let result = RunResult {
        unique_id: found.unique_id.clone(),
        status: if error.is_some() { Status::Error } else { Status::Success },
        timing,
        thread_id: "MainThread".to_owned(),
        execution_time: begun.elapsed(),
        adapter_response: JsonMap::new(),
        message: error.as_ref().map(|error| error.message.clone()),
        failures: Some(i64::from(error.is_some())),
        compiled: None,
        batch_results: None,
        freshness: None,
        sample: None,
        diagnostic: None,
    };
    if invocation.writes_json() {
        let args = &invocation.project.invocation.args;
        let text = artifacts::run_results(&resolved.manifest, &[Arc::new(result)], begun.elapsed(), args, &invocation.metadata());
        invocation.write("run_results.json", &text);
    }
    if error.is_some() { Outcome::Failure } else { Outcome::Success }
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
    Outcome::Failure
}

/// The event for output of a command.
pub fn output(name: &'static str, code: &'static str, text: String) -> Event {
    Event::Output { name, code, text, data: JsonMap::new() }
}
