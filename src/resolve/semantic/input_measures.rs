//! Measures as metrics read them: with filters and aliases of their own.

use std::collections::{HashMap, HashSet};

use super::Written;
use super::validate::{Checks, given, list, name, text};
use crate::manifest::Json;

fn input_measures(metric: &Written) -> &[Json] {
    let inputs = metric.of.body.get("type_params").and_then(|params| params.get("input_measures"));
    inputs.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

impl Checks<'_> {
    pub(super) fn input_measures(&mut self) {
        let measures = self.models.iter().flat_map(|model| list(model, "measures"));
        let measures: HashMap<&str, &Json> = measures.map(|measure| (name(measure), measure)).collect();
        let mut aliases: HashSet<&str> = HashSet::new();
        for metric in self.metrics {
            self.told_apart(metric);
            for input in input_measures(metric) {
                let Some(alias) = text(input, "alias") else { continue };
                self.name(metric, alias);
                if measures.contains_key(alias) {
                    let message =
                        format!("Alias `{alias}` for measure `{}` conflicts with the name of another measure", name(input));
                    self.fail(metric, message);
                }
                if !aliases.insert(alias) {
                    self.fail(metric, format!("Measure alias {alias} conflicts with a measure alias used elsewhere"));
                }
            }
            self.proxy_expr(metric, &measures);
        }
    }

    /// Of several versions of one measure, those with filters have aliases.
    fn told_apart(&mut self, metric: &Written) {
        let inputs = input_measures(metric);
        let mut seen = HashSet::new();
        for measure in inputs.iter().map(name).filter(|measure| seen.insert(*measure)) {
            let versions = inputs.iter().filter(|input| name(input) == measure);
            let unnamed = versions.clone().filter(|input| given(input, "filter").is_some() && text(input, "alias").is_none());
            if versions.count() > 1 && unnamed.count() > 0 {
                let message = format!(
                    "Metric {} depends on multiple different constrained versions of measure {measure}: those with a filter need \
                     an alias",
                    metric.of.name
                );
                self.fail(metric, message);
            }
        }
    }

    /// A metric of a measure has that measure's expression.
    fn proxy_expr(&mut self, metric: &Written, measures: &HashMap<&str, &Json>) {
        let Some(params) = metric.of.body.get("type_params") else { return };
        if metric.of.body.get("type").and_then(Json::as_str) != Some("simple") {
            return;
        }
        let Some(measure) = given(params, "measure").and_then(|input| measures.get(name(input))) else { return };
        let expr = params.get("expr").and_then(Json::as_str);
        if expr.is_some_and(|expr| Some(expr) != text(measure, "expr") && expr != name(measure)) {
            self.warn(metric, format!("Metric '{}' should not have an expr set if it's proxy from measures", metric.of.name));
        }
    }
}
