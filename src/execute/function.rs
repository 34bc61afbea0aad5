//! A function: its own body, and then each of its overloads, which the warehouse keeps under the same name. An overload that
//! fails does not keep the others from being made.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::node::{Outcome, StepRun, group, materialize};
use crate::compile::{RuntimeHost, Scope};
use crate::diagnostic::{Diagnostic, Span};
use crate::event::{Compiled, Event, Status};
use crate::jinja::Error;
use crate::manifest::{Detail, Node, Overload, OverloadResults};

/// Makes the function and those of its overloads that a run before did not make.
pub fn run(step: &StepRun<'_>, node: &Arc<Node>) -> Result<Outcome, Error> {
    let host = RuntimeHost::new(step.run, step.session, Scope::Node(node.clone()), IndexMap::new()).noting_materialization();
    let made = materialize(step.run, step.session, node, &host, true);
    step.run.note_macros(&node.unique_id, host.macros());
    let mut outcome = made?;
    let (results, diagnostic) = overloads(step, node);
    if !results.failed.is_empty() {
        outcome.status = Some(Status::PartialSuccess);
        outcome.message = Some(format!("PARTIAL SUCCESS {}", node.name));
        outcome.diagnostic = diagnostic;
    }
    outcome.overloads = Some(results);
    Ok(outcome)
}

fn overloads(step: &StepRun<'_>, node: &Arc<Node>) -> (OverloadResults, Option<Diagnostic>) {
    let mut results = OverloadResults::default();
    let mut first_fault = None;
    let Detail::Function(body) = &node.detail else { return (results, first_fault) };
    let compiled = step.run.compiled(node.unique_id.as_str());
    let code = |at: usize| compiled.as_ref().and_then(|compiled| compiled.overloads.get(at).cloned()).unwrap_or_default();
    let total = Overload::all(body).count();
    for (at, overload) in Overload::all(body).enumerate() {
        let name = overload.defined_in().to_owned();
        let finished = |status, error, took| Event::OverloadFinished {
            node: node.clone(),
            name: name.clone(),
            index: at + 1,
            total,
            status,
            error,
            took,
            group: group(step.run, step.resource),
        };
        if step.step.made_before.contains(&name) {
            step.run.events.emit(finished(Status::Skipped, None, Duration::ZERO));
            results.successful.push(name);
            continue;
        }
        step.run.events.emit(Event::OverloadStart { node: node.clone(), name: name.clone(), index: at + 1, total });
        let begun = Instant::now();
        let of_overload = Arc::new(Node { detail: Detail::Function(overload.applied_to(body)), ..Node::clone(node) });
        let code = code(at);
        let compiled = Compiled { bare: code.clone(), code, ..Compiled::default() };
        let host = RuntimeHost::new(step.run, step.session, Scope::Node(of_overload.clone()), IndexMap::new())
            .noting_nothing()
            .with_compiled(Arc::new(compiled));
        match materialize(step.run, step.session, &of_overload, &host, true) {
            Ok(_) => {
                step.run.events.emit(finished(Status::Success, None, begun.elapsed()));
                results.successful.push(name);
            }
            Err(error) => {
                step.run.events.emit(finished(Status::Error, Some(error.message.clone()), begun.elapsed()));
                first_fault.get_or_insert_with(|| fault(step, node, &name, &error));
                results.failed.push(name);
            }
        }
    }
    (results, first_fault)
}

/// The fault of an overload, with its own file as a place.
fn fault(step: &StepRun<'_>, node: &Node, overload: &str, error: &Error) -> Diagnostic {
    let diagnostic = error.diagnostic().node(node.unique_id.shared());
    let Some(file) = step.run.function_file(&node.package_name, overload) else { return diagnostic };
    diagnostic.at(&file.source, Span::first_line(&file.source.text))
}
