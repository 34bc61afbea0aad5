//! ls: what the selection holds, one line each.

use super::nodes::narrowed;
use super::operation::output;
use super::{Invocation, Resolved};
use crate::cli::Outcome;
use crate::diagnostic::Diagnostic;
use crate::graph::{ListOutput, list};
use crate::manifest::ResourceType;

/// Lists the selection in the asked form.
pub fn run(invocation: &Invocation, resolved: &Resolved) -> Outcome {
    use ResourceType as T;
    let all = [
        T::Analysis,
        T::Exposure,
        T::Function,
        T::Metric,
        T::Model,
        T::SavedQuery,
        T::Seed,
        T::SemanticModel,
        T::Snapshot,
        T::Source,
        T::Test,
        T::UnitTest,
    ];
    let mut types = narrowed(invocation, &all);
    // Analyses are listed where they are asked for.
    let asked = invocation.request.list("resource_types");
    if !asked.iter().any(|name| name == "all" || name == T::Analysis.as_str()) {
        types.retain(|kind| *kind != T::Analysis);
    }
    let by_models = !invocation.request.list("models").is_empty();
    for (other, shown) in [("select", "select"), ("resource_types", "resource_type")] {
        if by_models && !invocation.request.list(other).is_empty() {
            let message = format!("\"models\" and \"{shown}\" are mutually exclusive arguments");
            invocation.teller.tell(vec![Diagnostic::error("E0807", message).help("keep one of the two")]);
            return Outcome::Unusable;
        }
    }
    if by_models {
        types = vec![T::Model];
    }
    let Some(selection) = invocation.select(resolved, types) else { return Outcome::Unusable };
    if selection.ids.is_empty() {
        let warning = Diagnostic::warning("W0508", "No nodes selected!").event("NoNodesSelected");
        if !invocation.teller.tell(vec![warning]) {
            return Outcome::Unusable;
        }
    }
    let form = invocation.request.text("output").unwrap_or("selector");
    let keys = invocation.request.list("output_keys");
    let form = ListOutput::named(form).unwrap_or_default();
    for line in list(&resolved.manifest, &selection, form, &keys) {
        invocation.events.emit(output("ListCmdOut", "Q045", line));
    }
    Outcome::Success
}
