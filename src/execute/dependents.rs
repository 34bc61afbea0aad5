//! Models that a replaced relation could not keep, since it changed: they are built again, whether they were selected or not.

use std::sync::Arc;

use indexmap::IndexMap;

use super::node::{StepRun, materialize};
use crate::compile::{self, RuntimeHost, Scope};
use crate::diagnostic::Diagnostic;
use crate::event::Event;
use crate::jinja::Error;
use crate::manifest::{Node, Relation};

/// Builds what the step had to drop, but for what has a step of its own in this run. A model that cannot be built any more
/// is told in a warning: dbt would have dropped it without a word.
pub fn rebuild(step: &StepRun<'_>, lost: &[Relation]) {
    for relation in lost {
        let Some(node) = model_at(step, relation) else { continue };
        let cause = step.resource.name();
        if step.plan.steps.iter().any(|other| other.id == node.unique_id) {
            continue;
        }
        let text = format!("{} cannot stay as it is beside the changed {cause}: building it again", node.unique_id);
        step.run.events.emit(Event::Log { text, info: true, node: Some(node.unique_id.clone()) });
        if let Err(error) = build(step, &node) {
            let message = format!("{relation} could not stay beside the changed {cause}, and cannot be built again: {error}");
            let warning = Diagnostic::warning("W0702", message)
                .help(format!("Mend {}, or leave it out of the project.", node.original_file_path))
                .event("AdapterEventWarning");
            step.run.events.emit(Event::Diagnostic(Box::new(warning)));
        }
    }
}

/// The node that stands there.
fn model_at(step: &StepRun<'_>, relation: &Relation) -> Option<Arc<Node>> {
    let stands_there = |node: &&Arc<Node>| {
        node.relation_name.is_some()
            && Some(&*node.schema) == relation.schema.as_deref()
            && Some(&*node.alias) == relation.identifier.as_deref()
    };
    step.run.manifest.nodes.values().find(stands_there).cloned()
}

fn build(step: &StepRun<'_>, node: &Arc<Node>) -> Result<(), Error> {
    let StepRun { run, session, .. } = step;
    session.work_for(Some(&node.unique_id), node.unique_id.as_str());
    let done = compile::compile_node(run, session, node, IndexMap::new()).and_then(|_| {
        let host = RuntimeHost::new(run, session, Scope::Node(node.clone()), IndexMap::new()).noting_nothing();
        materialize(run, session, node, &host, true)
    });
    done.and(session.release())
}
