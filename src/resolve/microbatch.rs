//! What microbatch models must have.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{BatchSize, Json, MacroRegistry, Node, Source, moment};

use super::nodes::Shared;
use super::refs::Origin;

/// Checks the configuration of microbatch models, and that there is an input that can be filtered. Where they do not run batch
/// by batch, their configuration is the strategy's own affair, and that way of running them is deprecated.
pub fn check(
    shared: &Shared<'_>,
    nodes: &[Node],
    origins: &[Origin],
    sources: &[Source],
    macros: &MacroRegistry,
) -> Vec<Diagnostic> {
    let mut models = nodes.iter().zip(origins).filter(|(node, _)| node.is_microbatch() && node.config.enabled()).peekable();
    if models.peek().is_none() {
        return Vec::new();
    }
    if !macros.runs_in_batches(&shared.project.flags) {
        let message = "The use of a custom microbatch macro outside of batched execution is deprecated. To use it with batched \
                       execution, set `flags.require_batched_execution_for_custom_microbatch_strategy` to `True` in \
                       `dbt_project.yml`. In the future this will be the default behavior.";
        return vec![Diagnostic::warning("W0208", message).event("MicrobatchMacroOutsideOfBatchesDeprecation")];
    }
    let of_nodes = nodes.iter().map(|node| (node.unique_id.as_str(), &node.config));
    let of_sources = sources.iter().map(|source| (source.unique_id.as_str(), &source.config));
    let configs: HashMap<_, _> = of_nodes.chain(of_sources).collect();
    let mut found = Vec::new();
    for (node, origin) in models {
        let problems = problems(node);
        let place = Span::new(origin.span.start, if origin.exact { origin.span.end } else { origin.span.start });
        let mut push = |diagnostic: Diagnostic| found.push(diagnostic.at(&origin.source, place).node(node.unique_id.shared()));
        if !problems.is_empty() {
            push(Diagnostic::error("E0291", problems.join("\n")));
        }
        let has_event_time =
            |id: &&str| configs.get(*id).and_then(|config| config.given("event_time")).is_some_and(|column| *column != "");
        if !node.depends_on.nodes.iter().any(|id| has_event_time(&id.as_str())) {
            let message = format!(
                "The microbatch model '{}' has no 'ref' or 'source' input with an 'event_time' configuration. \nThis means no \
                 filtering can be applied and can result in unexpected duplicate records in the resulting microbatch model.",
                node.name
            );
            let help = "give an input the config `event_time`: the name of its column";
            push(Diagnostic::warning("W0209", message).event("MicrobatchModelNoEventTimeInputs").help(help));
        }
    }
    found
}

/// All that is wrong with a model's configuration, in dbt's order and words: tools match them.
fn problems(node: &Node) -> Vec<String> {
    let (name, config) = (&node.name, &node.config);
    let mut found = Vec::new();
    let mut wrong = |what: String| found.push(format!("Microbatch model '{name}' must provide {what}"));
    match config.given("event_time") {
        None => wrong("an 'event_time' (string) config that indicates the name of the event time column.".to_owned()),
        Some(Json::String(_)) => {}
        Some(other) => wrong(format!("an 'event_time' config of type string, but got: {other}.")),
    }
    match config.given("begin") {
        None => wrong(
            "a 'begin' (datetime) config that indicates the earliest timestamp the microbatch model should be built from."
                .to_owned(),
        ),
        Some(Json::String(text)) if moment(text).is_none() => {
            wrong(format!("a 'begin' config of valid datetime (ISO format), but got: {text}."));
        }
        Some(Json::String(_)) => {}
        Some(other) => wrong(format!("a 'begin' config of type datetime, but got: {other}.")),
    }
    let size = config.given("batch_size");
    if size.and_then(Json::as_str).and_then(BatchSize::parse).is_none() {
        let sizes = BatchSize::ALL.map(|size| format!("'{}'", size.as_str())).join(", ");
        let got = size.map_or_else(|| "None".to_owned(), |size| size.as_str().map_or_else(|| size.to_string(), str::to_owned));
        wrong(format!("a 'batch_size' config that is one of [{sizes}], but got: {got}."));
    }
    if let Some(other) = config.given("lookback").filter(|value| !value.is_i64()) {
        wrong(format!("the optional 'lookback' config as type int, but got: {other}."));
    }
    if let Some(other) = config.given("concurrent_batches").filter(|value| !value.is_boolean()) {
        found.push(format!(
            "Microbatch model '{name}' optional 'concurrent_batches' config must be of type `bool` if specified, but got: {other}."
        ));
    }
    found
}
