//! What metrics and saved queries read: measures of semantic models, and other metrics.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::Diagnostic;
use crate::manifest::{Exposure, Json, Node, ResourceType, UniqueId};

use super::Written;
use crate::resolve::nearest;
use crate::resolve::refs::Origin;

/// All semantic resources, disabled ones too.
#[derive(Default)]
pub struct Semantics {
    pub models: Vec<Written>,
    pub metrics: Vec<Written>,
    pub saved_queries: Vec<Written>,
}

/// Fills `depends_on` and `input_measures`, and reports what is not there or disabled.
pub fn follow(semantics: &mut Semantics, root: &str, diagnostics: &mut Vec<Diagnostic>) {
    let mut walk = Walk::new(semantics, root);
    for at in 0..semantics.metrics.len() {
        if semantics.metrics[at].of.config.enabled() {
            walk.metric(at, &mut semantics.metrics, diagnostics);
        }
    }
    for query in &mut semantics.saved_queries {
        let names = query.of.body.get("query_params").and_then(|params| params.get("metrics"));
        let names: Vec<String> =
            names.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect();
        for name in names {
            match walk.find(&name, &query.of.package_name) {
                Some((_, id, true)) => add(&mut query.of.depends_on.nodes, id),
                found => {
                    let reason = if found.is_some() { "is disabled" } else { "was not found" };
                    let message = format!(
                        "Saved_Query '{}' ({}) depends on a metric named '{name}' which {reason}",
                        query.of.unique_id, query.of.original_file_path
                    );
                    let mut diagnostic = query.error("E0404", message);
                    diagnostic.help = nearest::hint(&name, walk.metrics.keys().map(String::as_str));
                    diagnostics.push(diagnostic);
                }
            }
        }
    }
}

/// Follows the `metric(…)` calls of nodes and exposures.
pub fn follow_calls(
    semantics: &Semantics,
    root: &str,
    (nodes, origins): (&mut [Node], &[Origin]),
    exposures: &mut [(Exposure, Origin)],
) -> Vec<Diagnostic> {
    let walk = Walk::new(semantics, root);
    let mut diagnostics = Vec::new();
    let calling = nodes.iter_mut().zip(origins).filter(|(node, _)| !node.metrics.is_empty() && node.config.enabled());
    for (node, origin) in calling {
        for words in std::mem::take(&mut node.metrics) {
            match walk.called(&words, &node.package_name) {
                Ok(id) => add(&mut node.depends_on.nodes, id),
                Err(disabled) => {
                    let whose = (node.resource_type, &node.unique_id, node.original_file_path.as_str());
                    diagnostics.push(uncallable(whose, &words, disabled, origin));
                    if node.resource_type == ResourceType::Test {
                        node.config.0.insert("enabled".to_owned(), Json::Bool(false));
                    }
                }
            }
            node.metrics.push(words);
        }
    }
    for (exposure, origin) in exposures.iter_mut().filter(|(exposure, _)| exposure.config.enabled()) {
        for words in &exposure.metrics {
            match walk.called(words, &exposure.package_name) {
                Ok(id) => add(&mut exposure.depends_on.nodes, id),
                Err(disabled) => {
                    let whose = (ResourceType::Exposure, &exposure.unique_id, exposure.original_file_path.as_str());
                    diagnostics.push(uncallable(whose, words, disabled, origin));
                }
            }
        }
    }
    diagnostics
}

/// A metric that was called is missing or disabled: a warning for tests.
fn uncallable(
    (kind, id, path): (ResourceType, &UniqueId, &str),
    words: &[String],
    disabled: bool,
    origin: &Origin,
) -> Diagnostic {
    let mut title = kind.to_string();
    if let Some(first) = title.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    let package = if let [package, _] = words { format!(" in package or project '{package}'") } else { String::new() };
    let (name, reason) = (words.last().map_or("", String::as_str), if disabled { "is disabled" } else { "was not found" });
    let message = format!("{title} '{id}' ({path}) depends on a metric named '{name}'{package} which {reason}");
    let diagnostic = match (kind, disabled) {
        (ResourceType::Test, true) => Diagnostic::warning("W0403", message).event("InvalidDisabledTargetInTestNode"),
        (ResourceType::Test, false) => Diagnostic::warning("W0402", message).event("NodeNotFoundOrDisabled"),
        (_, true) => Diagnostic::error("E0403", message),
        (_, false) => Diagnostic::error("E0402", message),
    };
    diagnostic.at(&origin.source, origin.span).node(id.shared())
}

fn add(nodes: &mut Vec<UniqueId>, id: UniqueId) {
    if !nodes.contains(&id) {
        nodes.push(id);
    }
}

struct Found {
    at: usize,
    package: String,
    id: UniqueId,
    enabled: bool,
}

struct Walk {
    root: String,
    metrics: HashMap<String, Vec<Found>>,
    /// Measure → semantic models that have it.
    measures: HashMap<String, Vec<Found>>,
    done: HashSet<usize>,
    open: HashSet<usize>,
}

impl Walk {
    fn new(semantics: &Semantics, root: &str) -> Self {
        let found = |at: usize, written: &Written| Found {
            at,
            package: written.of.package_name.to_string(),
            id: written.of.unique_id.clone(),
            enabled: written.of.config.enabled(),
        };
        let mut metrics: HashMap<String, Vec<Found>> = HashMap::new();
        for (at, metric) in semantics.metrics.iter().enumerate() {
            metrics.entry(metric.of.name.clone()).or_default().push(found(at, metric));
        }
        let mut measures: HashMap<String, Vec<Found>> = HashMap::new();
        for (at, model) in semantics.models.iter().enumerate() {
            for measure in model.of.body.get("measures").and_then(Json::as_array).into_iter().flatten() {
                let name = measure.get("name").and_then(Json::as_str).unwrap_or_default();
                measures.entry(name.to_owned()).or_default().push(found(at, model));
            }
        }
        Self { root: root.to_owned(), metrics, measures, done: HashSet::new(), open: HashSet::new() }
    }

    fn pick<'a>(&self, found: Option<&'a Vec<Found>>, package: &str) -> Option<&'a Found> {
        let found = found?;
        let within = |package: &str| found.iter().find(|one| one.package == package);
        within(&self.root).or_else(|| within(package)).or_else(|| found.first())
    }

    /// What `metric([package,] name)` means in code of a package; Err says whether it is disabled.
    fn called(&self, words: &[String], from: &str) -> Result<UniqueId, bool> {
        let found = match words {
            [package, name] => self.metrics.get(name).and_then(|all| all.iter().find(|one| one.package == *package)),
            [name] => self.pick(self.metrics.get(name), from),
            _ => None,
        };
        match found {
            Some(found) if found.enabled => Ok(found.id.clone()),
            found => Err(found.is_some()),
        }
    }

    fn find(&self, name: &str, package: &str) -> Option<(usize, UniqueId, bool)> {
        let found = self.pick(self.metrics.get(name), package)?;
        Some((found.at, found.id.clone(), found.enabled))
    }

    /// One metric, its input metrics before it. Metrics that need each other are left to the graph, which shows the cycle.
    fn metric(&mut self, at: usize, metrics: &mut [Written], diagnostics: &mut Vec<Diagnostic>) {
        if self.done.contains(&at) || !self.open.insert(at) {
            return;
        }
        let params = metrics[at].of.body.get("type_params").cloned().unwrap_or_default();
        let kind = metrics[at].of.body.get("type").and_then(Json::as_str).unwrap_or_default().to_owned();
        let given = |pointer: &str| params.pointer(pointer).filter(|value| !value.is_null()).cloned();
        let mut measures = Vec::new();
        let mut inputs = Vec::new();
        match kind.as_str() {
            "simple" | "cumulative" => {
                measures.extend(given("/measure"));
                inputs.extend(given("/cumulative_type_params/metric"));
                if measures.is_empty() && inputs.is_empty() {
                    self.aggregation(at, &params, metrics, diagnostics);
                }
            }
            "conversion" => {
                for key in ["base_measure", "conversion_measure"] {
                    measures.extend(given(&format!("/conversion_type_params/{key}")));
                }
                for key in ["base_metric", "conversion_metric"] {
                    inputs.extend(given(&format!("/conversion_type_params/{key}")));
                }
                if measures.is_empty() && inputs.is_empty() {
                    let message = format!(
                        "The conversion metric '{}' needs a base and a conversion measure or metric",
                        metrics[at].of.name
                    );
                    diagnostics.push(metrics[at].error("E0282", message));
                }
            }
            "ratio" => {
                inputs.extend(given("/numerator"));
                inputs.extend(given("/denominator"));
                if inputs.len() < 2 {
                    let message = "Invalid ratio metric. Both a numerator and denominator must be specified";
                    diagnostics.push(metrics[at].error("E0282", message));
                }
            }
            _ => inputs.extend(given("/metrics").and_then(|all| all.as_array().cloned()).into_iter().flatten()),
        }
        self.measures(at, measures, metrics, diagnostics);
        let carries = matches!(kind.as_str(), "ratio" | "derived");
        self.inputs(at, &inputs, carries, metrics, diagnostics);
        self.open.remove(&at);
        self.done.insert(at);
    }

    /// A simple metric of the new YAML: its semantic model.
    fn aggregation(&self, at: usize, params: &Json, metrics: &mut [Written], diagnostics: &mut Vec<Diagnostic>) {
        let metric = &mut metrics[at];
        if let Some(model) = params.pointer("/metric_aggregation_params/semantic_model").and_then(Json::as_str) {
            add(&mut metric.of.depends_on.nodes, format!("semantic_model.{}.{model}", self.root).into());
        } else {
            let message = format!("The metric '{}' should have a measure or an aggregation, but it does not", metric.of.name);
            diagnostics.push(metric.error("E0282", message));
        }
    }

    fn measures(&self, at: usize, measures: Vec<Json>, metrics: &mut [Written], diagnostics: &mut Vec<Diagnostic>) {
        for measure in measures {
            let name = measure.get("name").and_then(Json::as_str).unwrap_or_default().to_owned();
            let metric = &mut metrics[at];
            match self.pick(self.measures.get(&name), &metric.of.package_name) {
                Some(found) if found.enabled => add(&mut metric.of.depends_on.nodes, found.id.clone()),
                found => {
                    let message = match found.map(|found| found.id.as_str().rsplit('.').next().unwrap_or_default()) {
                        Some(model) => format!(
                            "The measure `{name}` is referenced on disabled semantic model `{model}`: metric `{}` reads it",
                            metric.of.name
                        ),
                        None => format!(
                            "A semantic model having a measure `{name}` does not exist but was referenced by metric `{}`",
                            metric.of.name
                        ),
                    };
                    let mut diagnostic = metric.error("E0295", message);
                    diagnostic.help = nearest::hint(&name, self.measures.keys().map(String::as_str));
                    diagnostics.push(diagnostic);
                }
            }
            add_input(metric, measure);
        }
    }

    fn inputs(&mut self, at: usize, inputs: &[Json], carries: bool, metrics: &mut [Written], diagnostics: &mut Vec<Diagnostic>) {
        for input in inputs {
            let name = input.get("name").and_then(Json::as_str).unwrap_or_default();
            match self.find(name, &metrics[at].of.package_name) {
                Some((target, id, true)) => {
                    self.metric(target, metrics, diagnostics);
                    if carries {
                        let measures = metrics[target].of.body.get("type_params").and_then(|params| params.get("input_measures"));
                        for measure in measures.and_then(Json::as_array).cloned().unwrap_or_default() {
                            add_input(&mut metrics[at], measure);
                        }
                    }
                    add(&mut metrics[at].of.depends_on.nodes, id);
                }
                found => {
                    let reason = if found.is_some() { "is disabled and thus cannot be referenced" } else { "does not exist" };
                    let message = format!("The metric `{name}`, referenced by metric `{}`, {reason}", metrics[at].of.name);
                    let mut diagnostic = metrics[at].error("E0296", message);
                    diagnostic.help = nearest::hint(name, self.metrics.keys().map(String::as_str));
                    diagnostics.push(diagnostic);
                }
            }
        }
    }
}

fn add_input(metric: &mut Written, measure: Json) {
    let inputs = metric.of.body.get_mut("type_params").and_then(|params| params.get_mut("input_measures"));
    if let Some(inputs) = inputs.and_then(Json::as_array_mut)
        && !inputs.contains(&measure)
    {
        inputs.push(measure);
    }
}
