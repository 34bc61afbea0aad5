//! source freshness: how old the data of the selected sources is, in sources.json.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::{Invocation, Resolved, nodes, stop_on_interrupt};
use crate::artifacts;
use crate::cli::Outcome;
use crate::diagnostic::Diagnostic;
use crate::event::{Event, Status};
use crate::execute::{self, Executed, Settings};
use crate::manifest::{Resource, ResourceType};
use crate::plan::{self, Mode};

/// Checks the selected sources that have thresholds.
pub fn run(invocation: &Invocation, resolved: &Resolved) -> Outcome {
    if !invocation.teller.tell(deprecations(invocation, resolved)) {
        return Outcome::Unusable;
    }
    let Some(mut selection) = invocation.select(resolved, vec![ResourceType::Source]) else { return Outcome::Unusable };
    selection.ids.retain(|id| resolved.manifest.sources.get(id.as_str()).is_some_and(|source| source.has_freshness()));
    let plan = plan::plan(&resolved.manifest, &resolved.graph, &selection, Mode::Freshness);
    if plan.steps.is_empty() {
        let fine = nodes::warn_of_nothing(invocation);
        let ended = finish(invocation, resolved, &Executed::default(), Instant::now());
        return if fine { ended } else { Outcome::Failure };
    }
    let Some(run) = invocation.run_context(resolved, &selection) else { return Outcome::Unusable };
    if let Err(error) = run.adapter.connect("master") {
        invocation.teller.tell(vec![super::settings::adapter_fault(&error)]);
        return Outcome::Unusable;
    }
    let begun = Instant::now();
    let stop = stop_on_interrupt(&run.adapter);
    let settings = Settings { hooks: runs_hooks(invocation), create_schemas: false, ..nodes::settings(invocation) };
    match execute::execute(&run, &plan, &settings, &stop) {
        Ok(executed) => finish(invocation, resolved, &executed, begun),
        Err(error) => {
            invocation.teller.tell(vec![error.diagnostic()]);
            Outcome::Unusable
        }
    }
}

fn runs_hooks(invocation: &Invocation) -> bool {
    invocation.flag("source_freshness_run_project_hooks", true)
}

/// What dbt will stop doing: leaving the hooks out, and writing elsewhere.
fn deprecations(invocation: &Invocation, resolved: &Resolved) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(path) = invocation.request.text("output_path") {
        let message = format!("Custom output path usage `--output {path}` usage detected in `dbt source freshness` command.");
        found.push(Diagnostic::warning("W0806", message).event("CustomOutputPathInSourceFreshnessDeprecation"));
    }
    let has_hooks = resolved.manifest.nodes.values().any(|node| node.resource_type == ResourceType::Operation);
    if has_hooks && !runs_hooks(invocation) {
        let message = "The flag source_freshness_run_project_hooks is off: on-run-start and on-run-end hooks are left out";
        found.push(Diagnostic::warning("W0807", message).event("SourceFreshnessProjectHooksNotRun"));
    }
    found
}

/// Writes sources.json and says how it ended.
fn finish(invocation: &Invocation, resolved: &Resolved, executed: &Executed, begun: Instant) -> Outcome {
    let took = begun.elapsed();
    let results = &executed.results;
    if invocation.writes_json() {
        let checked: Vec<_> = results
            .iter()
            .filter_map(|result| match resolved.manifest.get(result.unique_id.as_str()) {
                Some(Resource::Source(source)) => Some((source, result.clone())),
                _ => None,
            })
            .collect();
        let text = artifacts::sources(&checked, took, &invocation.metadata());
        let path = invocation.request.text("output_path").map(PathBuf::from);
        let path = path.unwrap_or_else(|| invocation.project.target_path.join("sources.json"));
        invocation.write_at(&invocation.project.root.join(path), "sources.json", &text);
    }
    invocation.events.emit(Event::RunFinished { results: Arc::new(results.clone()), took, interrupted: executed.interrupted });
    let failed = |status: Status| status.is_failure() || status == Status::Skipped;
    let failed = executed.interrupted || results.iter().any(|result| failed(result.status));
    if failed { Outcome::Failure } else { Outcome::Success }
}
