//! Plan: a selection becomes a list of steps with their order, as data. Does no I/O.

pub mod microbatch;

use crate::graph::{Gates, Graph, Selection};
use crate::manifest::{BatchResults, Manifest, OverloadResults, Resource, ResourceType, UniqueId};

/// What is done with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Its materialization: models, seeds, snapshots, functions.
    Materialize,
    DataTest,
    UnitTest,
    /// SQL only, nothing run.
    Compile,
    /// An ephemeral model: compiled, so that its faults show; no result of its own.
    CompileEphemeral,
    /// A view or copy of the relation that another state has.
    Clone,
    /// How old a source's data is.
    Freshness,
    /// Exposures, saved queries and their like in a build: dbt's `NO-OP`.
    Nothing,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub id: UniqueId,
    pub action: Action,
    /// Positions of the steps that must be done before; a failure among them skips this one.
    pub waits_for: Vec<usize>,
    /// A microbatch model of which only the batches that failed before are run: `retry`.
    pub resumes: Option<BatchResults>,
    /// Overloads of a function that the run before made: `retry` makes the others.
    pub made_before: Vec<String>,
}

impl Step {
    /// Is it one of the numbered nodes on the console and in the results?
    pub fn is_counted(&self) -> bool {
        self.action != Action::CompileEphemeral
    }
}

/// Steps in an order that respects what each waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub steps: Vec<Step>,
}

impl Plan {
    /// Runs only those batches of a microbatch model that failed before; those that did not count as done. Where none
    /// succeeded, dbt begins anew, and so does this.
    pub fn resume(&mut self, id: &UniqueId, before: BatchResults) {
        let fresh = before.successful.is_empty() || before.failed.is_empty();
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == *id && !fresh) {
            step.resumes = Some(before);
        }
    }

    /// Leaves out those overloads of a function that did not fail before; where none failed, all are made anew, as in dbt.
    pub fn resume_overloads(&mut self, id: &UniqueId, before: &OverloadResults) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == *id && !before.failed.is_empty()) {
            step.made_before.clone_from(&before.successful);
        }
    }

    /// How many nodes are counted on the console.
    pub fn counted(&self) -> usize {
        self.steps.iter().filter(|step| step.is_counted()).count()
    }
}

/// How steps are chosen and ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Materialize and test; tests hold back what is built on what they test.
    Build,
    /// What the selection holds, by kind.
    Run,
    /// SQL only.
    Compile,
    /// `clone`: no step waits for another.
    Clone,
    /// `source freshness`: no step waits for another.
    Freshness,
}

/// Orders the selection along the graph and says what is done with each resource.
pub fn plan(manifest: &Manifest, graph: &Graph, selection: &Selection, mode: Mode) -> Plan {
    if matches!(mode, Mode::Clone | Mode::Freshness) {
        return independent(manifest, selection, mode);
    }
    let gates = if mode == Mode::Build { Gates::Tests } else { Gates::None };
    let order = graph.build_order(&selection.ids, gates);
    let steps = order.ids.into_iter().zip(order.waits_for).filter_map(|(id, waits_for)| {
        let action = action(&manifest.get(id.as_str())?, mode);
        Some(Step { id, action, waits_for, resumes: None, made_before: Vec::new() })
    });
    Plan { steps: steps.collect() }
}

/// Steps that do not wait for each other, by id. An ephemeral model has nothing to clone.
fn independent(manifest: &Manifest, selection: &Selection, mode: Mode) -> Plan {
    let mut ids: Vec<&UniqueId> = selection.ids.iter().collect();
    ids.sort_unstable();
    let steps = ids.into_iter().filter_map(|id| {
        let resource = manifest.get(id.as_str())?;
        let ephemeral = matches!(&resource, Resource::Node(node) if node.is_ephemeral());
        let action = action(&resource, mode);
        (!ephemeral).then(|| Step { id: id.clone(), action, waits_for: Vec::new(), resumes: None, made_before: Vec::new() })
    });
    Plan { steps: steps.collect() }
}

fn action(resource: &Resource, mode: Mode) -> Action {
    match resource {
        Resource::Node(_) if mode == Mode::Clone => Action::Clone,
        Resource::Source(_) if mode == Mode::Freshness => Action::Freshness,
        Resource::Node(node) if node.is_ephemeral() => Action::CompileEphemeral,
        Resource::Node(node) if mode == Mode::Compile || node.resource_type == ResourceType::Analysis => Action::Compile,
        Resource::Node(node) if node.resource_type == ResourceType::Test => Action::DataTest,
        Resource::Node(_) => Action::Materialize,
        Resource::UnitTest(_) => Action::UnitTest,
        _ => Action::Nothing,
    }
}
