//! Conversion metrics: how many of the base events of an entity led to the other event within a window.

use super::Written;
use super::validate::{Checks, given, list, name, text};
use crate::manifest::Json;

/// A measure or metric that a conversion metric counts, as it is defined.
struct Counted<'a> {
    kind: &'static str,
    name: &'a str,
    agg: &'a str,
    expr: Option<&'a str>,
}

impl<'a> Checks<'a> {
    pub(super) fn conversion(&mut self, metric: &Written, params: &Json) {
        let Some(params) = given(params, "conversion_type_params") else { return };
        let base = self.conversion_input(metric, params, "base");
        let conversion = self.conversion_input(metric, params, "conversion");
        let (Some(base), Some(conversion)) = (base, conversion) else { return };
        let sides = [("base", base), ("conversion", conversion)];
        let entity = text(params, "entity").unwrap_or_default();
        for (side, model) in sides {
            if !list(model, "entities").iter().any(|one| name(one) == entity) {
                self.fail(metric, format!("Entity: {entity} not found in {side} semantic model: {}.", model.of.name));
            }
            self.counted(metric, params, side, model);
        }
        self.window(metric, given(params, "window"), false);
        let constant = params.get("constant_properties").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        for (side, model) in sides {
            for property in constant.iter().filter_map(|both| text(both, &format!("{side}_property"))) {
                let known = ["entities", "dimensions"].iter().flat_map(|key| list(model, key)).any(|one| name(one) == property);
                if !known {
                    let of = &model.of.name;
                    let message = format!("The provided constant property: {property}, cannot be found in semantic model {of}");
                    self.fail(metric, message);
                }
            }
        }
    }

    /// The semantic model that one of the two inputs lies in.
    fn conversion_input(&mut self, metric: &Written, params: &Json, side: &str) -> Option<&'a Written> {
        let of = &metric.of.name;
        let (measure, input) = (given(params, &format!("{side}_measure")), given(params, &format!("{side}_metric")));
        let read = input.map(name).and_then(|input| self.metrics.iter().find(|metric| metric.of.name == input));
        if let Some(read) = read.filter(|read| read.of.body.get("type").and_then(Json::as_str) != Some("simple")) {
            let message = format!(
                "Metric '{}' is not a Simple metric, so it cannot be used as an input for Conversion metric '{of}'.",
                read.of.name
            );
            self.fail(metric, message);
        }
        let models = self.models;
        match (measure, input) {
            (None, None) => {
                self.fail(metric, format!("Conversion metric '{of}' must have either a {side} measure or a {side} metric"));
                None
            }
            (Some(_), Some(_)) => {
                let message = format!(
                    "Conversion metric '{of}' should not have both a {side} measure and a {side} metric as inputs: the measure \
                     is ignored"
                );
                self.warn(metric, message);
                None
            }
            (Some(measure), None) => {
                models.iter().find(|model| list(model, "measures").iter().any(|one| name(one) == name(measure)))
            }
            (None, Some(input)) => {
                let aggregation = read.and_then(|read| given(read.of.body.get("type_params")?, "metric_aggregation_params"));
                let model = aggregation.and_then(|own| text(own, "semantic_model"));
                let found = models.iter().find(|one| Some(one.of.name.as_str()) == model);
                if found.is_none() {
                    let message = format!(
                        "Input metric '{}' for conversion metric '{of}' is linked to a semantic model that does not exist",
                        name(input)
                    );
                    self.fail(metric, message);
                }
                found
            }
        }
    }

    /// Only counts can be converted.
    fn counted(&mut self, metric: &Written, params: &Json, side: &str, model: &'a Written) {
        let (measure, input) = (given(params, &format!("{side}_measure")), given(params, &format!("{side}_metric")));
        let Some(given_input) = measure.or(input) else { return };
        let found = if measure.is_some() {
            let of = list(model, "measures").iter().find(|one| name(one) == name(given_input));
            of.map(|of| Counted {
                kind: "Measure",
                name: name(of),
                agg: text(of, "agg").unwrap_or_default(),
                expr: text(of, "expr"),
            })
        } else {
            let read = self.metrics.iter().find(|metric| metric.of.name == name(given_input));
            read.and_then(|read| {
                let params = read.of.body.get("type_params")?;
                let agg = text(given(params, "metric_aggregation_params")?, "agg")?;
                Some(Counted { kind: "Metric", name: &read.of.name, agg, expr: text(params, "expr") })
            })
        };
        let Some(Counted { kind, name, agg, expr }) = found else { return };
        if !matches!(agg, "count" | "count_distinct") && (agg != "sum" || expr != Some("1")) {
            let message = format!(
                "For conversion metrics, the input {} must be COUNT/SUM(1)/COUNT_DISTINCT. {kind} '{name}' is agg type: {agg}",
                kind.to_lowercase()
            );
            self.fail(metric, message);
        }
        if side == "conversion" && given(given_input, "filter").is_some() {
            let message = format!(
                "{kind} input '{name}' has a filter. For conversion metrics, filtering on the conversion input is not fully \
                 supported yet."
            );
            self.warn(metric, message);
        }
    }
}
