//! What the semantic layer's own validator refuses in semantic models, metrics and saved queries: a query would fail on it.
//! As in dbt, nothing is looked at where a project has only models or only metrics.

use std::collections::HashMap;

use super::{Semantics, Written};
use crate::diagnostic::Diagnostic;
use crate::manifest::{Json, Node};
use crate::resolve::time_spine;
use crate::semantic::GRANULARITIES;

/// Words that no warehouse takes as a column's name.
const KEYWORDS: [&str; 26] = [
    "and", "as", "create", "distinct", "for", "from", "full", "having", "in", "inner", "into", "is", "join", "left", "like",
    "natural", "not", "null", "on", "or", "right", "select", "union", "using", "where", "with",
];
const RESERVED: [&str; 2] = ["metric_time", "mf_internal_uuid"];
const ELEMENTS: [(&str, &str); 3] = [("measures", "measure"), ("entities", "entity"), ("dimensions", "dimension")];

/// All faults, each at its model, metric or query. `nested`: what is cumulative is said under `cumulative_type_params`.
pub fn validate(semantics: &Semantics, nodes: &[Node], nested: bool) -> Vec<Diagnostic> {
    let enabled = |all: &'_ [Written]| -> Vec<Written> { all.iter().filter(|one| one.of.config.enabled()).cloned().collect() };
    let (models, metrics) = (enabled(&semantics.models), enabled(&semantics.metrics));
    if models.is_empty() || metrics.is_empty() {
        return Vec::new();
    }
    let queries = enabled(&semantics.saved_queries);
    let granularities = time_spine::custom_granularities(nodes);
    let mut checks = Checks { models: &models, metrics: &metrics, nested, granularities, found: Vec::new() };
    for one in models.iter().chain(&metrics).chain(&queries) {
        checks.name(one, &one.of.name);
    }
    for model in &models {
        checks.elements(model);
        checks.keys(model);
        checks.times(model);
        checks.validity(model);
        checks.measures(model);
    }
    checks.across_models();
    for metric in &metrics {
        checks.metric(metric);
    }
    checks.input_measures();
    checks.labels();
    for query in &queries {
        checks.query(query);
    }
    checks.filters(&queries);
    checks.spines(nodes);
    checks.found
}

pub(super) struct Checks<'a> {
    pub models: &'a [Written],
    pub metrics: &'a [Written],
    nested: bool,
    /// Those that time spines define.
    pub granularities: Vec<String>,
    found: Vec<Diagnostic>,
}

pub(super) fn list<'a>(of: &'a Written, key: &str) -> &'a [Json] {
    of.of.body.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn text<'a>(of: &'a Json, key: &str) -> Option<&'a str> {
    of.get(key).and_then(Json::as_str).filter(|text| !text.is_empty())
}

pub(super) fn texts<'a>(of: &'a Json, key: &str) -> impl Iterator<Item = &'a str> {
    of.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}

pub(super) fn name(of: &Json) -> &str {
    text(of, "name").unwrap_or_default()
}

pub(super) fn given<'a>(of: &'a Json, key: &str) -> Option<&'a Json> {
    of.get(key).filter(|value| !value.is_null())
}

pub(super) fn is_time(dimension: &Json) -> bool {
    text(dimension, "type") == Some("time")
}

pub(super) fn granularity(dimension: &Json) -> Option<&str> {
    text(given(dimension, "type_params")?, "time_granularity")
}

fn default_time(model: &Written) -> Option<&str> {
    text(model.of.body.get("defaults")?, "agg_time_dimension")
}

fn primary_entity(model: &Written) -> Option<&str> {
    let declared = model.of.body.get("primary_entity").and_then(Json::as_str);
    declared.or_else(|| list(model, "entities").iter().find(|entity| text(entity, "type") == Some("primary")).map(name))
}

/// Lower-case letters, digits and single underscores, from a letter to a letter or digit, two characters or more.
fn is_valid_name(name: &str) -> bool {
    let within = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    within && begins && name.len() > 1 && !name.ends_with('_') && !name.contains("__")
}

impl Checks<'_> {
    pub(super) fn fail(&mut self, of: &Written, message: String) {
        self.found.push(of.error("E0299", message).event("SemanticValidationFailure"));
    }

    /// What a query may fail on.
    pub(super) fn warn(&mut self, of: &Written, message: String) {
        self.found.push(of.warning("W0299", message).event("SemanticValidationFailure"));
    }

    pub(super) fn deprecated(&mut self, of: &Written, message: String, event: &'static str) {
        self.found.push(of.warning("W0298", message).event(event));
    }

    /// `28 days`. `custom`: a granularity of a time spine will do.
    pub(super) fn window(&mut self, metric: &Written, window: Option<&Json>, custom: bool) {
        let Some(window) = window else { return };
        let count = window.get("count").and_then(Json::as_i64).unwrap_or_default();
        let grain = text(window, "granularity").unwrap_or_default();
        let single = grain.strip_suffix('s').filter(|single| self.granularities.iter().any(|own| own == single)).unwrap_or(grain);
        let known = self.granularities.iter().any(|own| own == single);
        if !(GRANULARITIES.contains(&single) || known && custom) {
            let more = if known { ". Custom granularities are not supported for this field yet." } else { "" };
            self.fail(metric, format!("Invalid time granularity '{single}' in window: '{count} {grain}'{more}"));
        }
    }

    pub(super) fn name(&mut self, of: &Written, name: &str) {
        if !is_valid_name(name) {
            let rule = "lower-case letters, digits and single underscores, beginning with a letter, not ending with an underscore, \
                        at least 2 characters";
            self.fail(of, format!("Invalid name `{name}` - a name of the semantic layer has {rule}"));
        }
        if GRANULARITIES.contains(&name.to_lowercase().as_str()) {
            self.fail(of, format!("Invalid name `{name}` - it is the name of a time granularity"));
        }
        if RESERVED.contains(&name.to_lowercase().as_str()) {
            self.fail(of, format!("Invalid name `{name}` - this name is reserved by MetricFlow"));
        }
    }

    /// Each name once within a model, and no word of SQL.
    fn elements(&mut self, model: &Written) {
        let mut known: HashMap<&str, &str> = HashMap::new();
        for (key, kind) in ELEMENTS {
            for element in list(model, key) {
                let name = name(element);
                self.name(model, name);
                if let Some(before) = known.insert(name, kind) {
                    let of = &model.of.name;
                    self.fail(
                        model,
                        format!("In semantic model `{of}`, the name `{name}` of a {kind} is already used for a {before}"),
                    );
                }
                if KEYWORDS.contains(&name.to_lowercase().as_str()) {
                    self.fail(model, format!("'{name}' is an SQL reserved keyword, which cannot be the name of a {kind}"));
                }
            }
        }
    }

    fn keys(&mut self, model: &Written) {
        let of = &model.of.name;
        let named = |kind: &str| -> Vec<&str> {
            list(model, "entities").iter().filter(|entity| text(entity, "type") == Some(kind)).map(name).collect()
        };
        let (primary, natural) = (named("primary"), named("natural"));
        let declared = model.of.body.get("primary_entity").and_then(Json::as_str);
        if primary.len() > 1 {
            let all = primary.join(", ");
            self.fail(model, format!("Semantic models can have only one primary entity. `{of}` has {}: {all}", primary.len()));
        } else if let (Some(entity), Some(declared)) = (primary.first(), declared) {
            let message = format!(
                "The semantic model `{of}` has the primary entity `{entity}`, and `primary_entity: {declared}` as well: only one \
                 of them may be there"
            );
            self.fail(model, message);
        }
        if !list(model, "dimensions").is_empty() && primary.is_empty() && declared.is_none() {
            let message = format!(
                "The semantic model {of} contains dimensions, but it does not define a primary entity: give an entity the type \
                 primary, or set primary_entity"
            );
            self.fail(model, message);
        }
        if natural.len() > 1 {
            let all = natural.join(", ");
            self.fail(model, format!("Semantic models can have at most one natural entity, but `{of}` has several: {all}"));
        }
        let has_window = list(model, "dimensions").iter().any(|dimension| validity(dimension).is_some());
        if !natural.is_empty() && !has_window {
            let message =
                format!("The semantic model `{of}` has a natural entity, which needs a validity window in its time dimensions");
            self.fail(model, message);
        }
    }

    /// The dimensions that measures are aggregated by.
    fn times(&mut self, model: &Written) {
        let of = &model.of.name;
        let known = |time: &str| list(model, "dimensions").iter().any(|dimension| is_time(dimension) && name(dimension) == time);
        if let Some(time) = default_time(model).filter(|time| !known(time)) {
            let message =
                format!("The default aggregation time dimension '{time}' is no time dimension in the semantic model '{of}'");
            self.fail(model, message);
        }
        for measure in list(model, "measures") {
            let measured = name(measure);
            match text(measure, "agg_time_dimension").or_else(|| default_time(model)) {
                None => {
                    let message = format!(
                        "Aggregation time dimension for measure {measured} is not set: give it one, or give the semantic model \
                         '{of}' a default"
                    );
                    self.fail(model, message);
                }
                Some(time) if !known(time) => {
                    let message = format!(
                        "In semantic model '{of}', measure '{measured}' has the aggregation time dimension '{time}', which is no \
                         time dimension there"
                    );
                    self.fail(model, message);
                }
                Some(_) => {}
            }
        }
    }

    /// Two time dimensions that say from when until when a row holds.
    fn validity(&mut self, model: &Written) {
        let windows: Vec<&Json> = list(model, "dimensions").iter().filter(|dimension| validity(dimension).is_some()).collect();
        if windows.is_empty() {
            return;
        }
        let of = &model.of.name;
        let marked = |key: &str| {
            let is =
                |dimension: &&&Json| validity(dimension).and_then(|params| params.get(key)).and_then(Json::as_bool) == Some(true);
            windows.iter().filter(is).count()
        };
        if windows.len() != 2 || marked("is_start") != 1 || marked("is_end") != 1 {
            let message = format!(
                "The semantic model {of} has {} dimensions with validity params: a window takes two, one with is_start and one \
                 with is_end",
                windows.len()
            );
            self.fail(model, message);
        }
        let kinds = || list(model, "entities").iter().filter_map(|entity| text(entity, "type"));
        if !kinds().any(|kind| kind == "natural") {
            self.fail(model, format!("The semantic model {of} has a validity window, but no entity with type `natural`"));
        }
        if kinds().any(|kind| matches!(kind, "primary" | "unique")) {
            self.fail(
                model,
                format!("The semantic model {of} has a validity window, and cannot have primary or unique entities"),
            );
        }
        if !list(model, "measures").is_empty() {
            self.fail(model, format!("The semantic model {of} has a validity window, and cannot have measures"));
        }
    }

    fn measures(&mut self, model: &Written) {
        for measure in list(model, "measures") {
            let measured = name(measure);
            for message in aggregation_faults(measure, measured) {
                self.fail(model, message);
            }
            for message in non_additive_faults(model, measure, measured) {
                self.fail(model, message);
            }
        }
    }

    /// What must agree between models.
    fn across_models(&mut self) {
        let mut measured: HashMap<&str, &str> = HashMap::new();
        let mut kinds: HashMap<&str, &str> = HashMap::new();
        let mut types: HashMap<&str, (Option<&str>, bool)> = HashMap::new();
        let mut pairs: HashMap<(&str, &str), &str> = HashMap::new();
        for model in self.models {
            let of = model.of.name.as_str();
            for measure in list(model, "measures") {
                if let Some(before) = measured.insert(name(measure), of) {
                    let message =
                        format!("Found measure with name {} in multiple semantic models: {before}, {of}", name(measure));
                    self.fail(model, message);
                }
            }
            for (key, kind) in ELEMENTS {
                for element in list(model, key) {
                    let before = *kinds.entry(name(element)).or_insert(kind);
                    if before != kind {
                        let message = format!(
                            "In the semantic model {of}, element `{}` is a {kind}, but elsewhere it is a {before}",
                            name(element)
                        );
                        self.fail(model, message);
                    }
                }
            }
            for dimension in list(model, "dimensions") {
                let partition = dimension.get("is_partition").and_then(Json::as_bool).unwrap_or(false);
                let now = (text(dimension, "type"), partition);
                let before = *types.entry(name(dimension)).or_insert(now);
                if before != now {
                    let message = format!(
                        "In semantic model `{of}`, type conflict for dimension `{}`: another model has it with another type or \
                         is_partition",
                        name(dimension)
                    );
                    self.fail(model, message);
                }
                let Some(entity) = primary_entity(model) else { continue };
                if let Some(before) = pairs.insert((entity, name(dimension)), of) {
                    let message = format!(
                        "Duplicate dimension + primary entity pairing detected: the semantic model `{of}` has the primary entity \
                         `{entity}` and dimension `{}`, and so has `{before}`",
                        name(dimension)
                    );
                    self.fail(model, message);
                }
            }
        }
    }

    fn metric(&mut self, metric: &Written) {
        let of = &metric.of.name;
        let Some(params) = metric.of.body.get("type_params") else { return };
        match metric.of.body.get("type").and_then(Json::as_str) {
            Some("cumulative") => self.cumulative(metric, params),
            Some("derived") => {
                let inputs = params.get("metrics").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
                if inputs.is_empty() {
                    self.fail(metric, format!("No input metrics found for derived metric '{of}'"));
                }
                let mut aliases = Vec::new();
                for input in inputs {
                    self.input(metric, input);
                    let Some(alias) = text(input, "alias") else { continue };
                    self.name(metric, alias);
                    if aliases.contains(&alias) || inputs.iter().any(|other| name(other) == alias) {
                        self.fail(metric, format!("Alias '{alias}' for input metric: '{}' is already being used", name(input)));
                    }
                    aliases.push(alias);
                }
                self.derived_expr(metric, text(params, "expr"), inputs);
            }
            Some("conversion") => self.conversion(metric, params),
            _ => {}
        }
    }

    /// All inputs are in the expression.
    fn derived_expr(&mut self, metric: &Written, expr: Option<&str>, inputs: &[Json]) {
        let of = &metric.of.name;
        let Some(expr) = expr else {
            self.warn(metric, format!("No `expr` set for derived metric {of}: give one that names all input metrics"));
            return;
        };
        for input in inputs.iter().map(|input| text(input, "alias").unwrap_or_else(|| name(input))) {
            if !expr.contains(input) {
                self.warn(metric, format!("Input metric '{input}' is not used in `expr`: '{expr}' for derived metric '{of}'"));
            }
        }
    }

    fn input(&mut self, metric: &Written, input: &Json) {
        self.window(metric, given(input, "offset_window"), true);
        let (window, grain) = (given(input, "offset_window"), text(input, "offset_to_grain"));
        if let Some(grain) = grain.filter(|grain| !GRANULARITIES.contains(grain)) {
            self.fail(metric, format!("Invalid time granularity found in `offset_to_grain`: '{grain}'"));
        }
        if window.is_some() && grain.is_some() {
            let message = format!(
                "Both offset_window and offset_to_grain set for derived metric '{}' on input metric '{}'",
                metric.of.name,
                name(input)
            );
            self.fail(metric, message);
        }
    }

    fn cumulative(&mut self, metric: &Written, params: &Json) {
        let nested = given(params, "cumulative_type_params");
        for key in ["window", "grain_to_date"].into_iter().filter(|key| given(params, key).is_some()) {
            let message = format!(
                "Cumulative fields `type_params.window` and `type_params.grain_to_date` should be nested under \
                 `type_params.cumulative_type_params`: `{key}` of metric '{}'",
                metric.of.name
            );
            if self.nested {
                self.fail(metric, message);
            } else {
                self.deprecated(metric, message, "MFCumulativeTypeParamsDeprecation");
            }
        }
        let input = nested.and_then(|nested| given(nested, "metric"));
        if given(params, "measure").is_some() && input.is_some() {
            let message = format!(
                "Cumulative metric '{}' should not have both a measure and a metric as inputs: the measure is ignored",
                metric.of.name
            );
            self.warn(metric, message);
        }
        let either = |key: &str| nested.and_then(|nested| given(nested, key)).or_else(|| given(params, key));
        self.window(metric, either("window"), false);
        let (window, grain) = (either("window"), either("grain_to_date"));
        if let Some(grain) = grain.and_then(Json::as_str).filter(|grain| !GRANULARITIES.contains(grain)) {
            self.fail(metric, format!("Invalid time granularity found in `grain_to_date`: '{grain}'"));
        }
        if window.is_some() && grain.is_some() {
            let of = &metric.of.name;
            self.fail(metric, format!("Both window and grain_to_date set for cumulative metric '{of}'"));
        }
    }

    /// Labels are what people choose by.
    fn labels(&mut self) {
        for (all, kind) in [(self.metrics, "metric"), (self.models, "semantic model")] {
            let mut known: HashMap<&str, &str> = HashMap::new();
            for one in all {
                let Some(label) = one.of.label.as_deref() else { continue };
                if let Some(before) = known.insert(label, &one.of.name) {
                    let of = &one.of.name;
                    self.fail(one, format!("Can't use label `{label}` for {kind} `{of}`: {kind} `{before}` has it already"));
                }
            }
        }
        let mut entities: HashMap<&str, (&str, &str)> = HashMap::new();
        for model in self.models {
            let of = model.of.name.as_str();
            for (key, kind) in ELEMENTS {
                let mut known: HashMap<&str, &str> = HashMap::new();
                for element in list(model, key) {
                    let Some(label) = text(element, "label") else { continue };
                    if known.insert(label, name(element)).is_some() {
                        let message =
                            format!("Labels of a {kind} must be unique within a semantic model: `{of}` has `{label}` twice");
                        self.fail(model, message);
                    }
                    if kind != "entity" {
                        continue;
                    }
                    let (first, before) = *entities.entry(name(element)).or_insert((of, label));
                    if before != label {
                        let message = format!(
                            "Entities with the same name must have the same label: `{}` is `{label}` in `{of}` and `{before}` in \
                             `{first}`",
                            name(element)
                        );
                        self.fail(model, message);
                    }
                }
            }
        }
    }

    fn query(&mut self, query: &Written) {
        let Some(params) = query.of.body.get("query_params") else { return };
        for wanted in texts(params, "metrics") {
            if !self.metrics.iter().any(|metric| metric.of.name == wanted) {
                self.fail(query, format!("`{wanted}` is not a valid metric name."));
            }
        }
        if let Some(limit) = params.get("limit").and_then(Json::as_i64).filter(|limit| *limit < 0) {
            self.fail(query, format!("Invalid limit value: {limit} (should be >= 0)"));
        }
    }
}

fn validity(dimension: &Json) -> Option<&Json> {
    given(given(dimension, "type_params")?, "validity_params")
}

/// What is wrong with how a measure is aggregated.
fn aggregation_faults(measure: &Json, measured: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let params = given(measure, "agg_params");
    let percentile = params.and_then(|params| given(params, "percentile")).and_then(Json::as_f64);
    let is_set = |key: &str| params.and_then(|params| params.get(key)).and_then(Json::as_bool) == Some(true);
    match text(measure, "agg").unwrap_or_default() {
        "count" => match text(measure, "expr") {
            None if given(measure, "expr").is_none() => {
                faults.push(format!("Measure '{measured}' uses a COUNT aggregation, which requires an expr, such as 'expr: 1'"));
            }
            Some(expr) if expr.to_lowercase().starts_with("distinct ") => {
                let message =
                    format!("Measure '{measured}' counts a DISTINCT expr: '{expr}': use the aggregation count_distinct");
                faults.push(message);
            }
            _ => {}
        },
        "percentile" => match percentile {
            None => {
                let message = format!("Measure '{measured}' uses a PERCENTILE aggregation, which requires agg_params.percentile");
                faults.push(message);
            }
            Some(value) if value <= 0.0 || value >= 1.0 => {
                faults.push(format!("The percentile of measure '{measured}' is '{value}', but must be between 0 and 1"));
            }
            Some(_) => {}
        },
        "median" => {
            if percentile.is_some_and(|value| (value - 0.5).abs() > f64::EPSILON) || is_set("use_discrete_percentile") {
                faults.push(format!("Measure '{measured}' uses a MEDIAN aggregation, which agg_params cannot change"));
            }
        }
        other => {
            let set = percentile.is_some_and(|value| value != 0.0);
            if set || is_set("use_discrete_percentile") || is_set("use_approximate_percentile") {
                faults
                    .push(format!("Measure '{measured}' with aggregation '{other}' has agg_params, which only percentiles have"));
            }
        }
    }
    faults
}

/// What is wrong with the dimension that a measure is not to be added along.
fn non_additive_faults(model: &Written, measure: &Json, measured: &str) -> Vec<String> {
    let Some(params) = given(measure, "non_additive_dimension") else { return Vec::new() };
    let along = name(params);
    let dimension = |wanted: &str| list(model, "dimensions").iter().find(|dimension| name(dimension) == wanted);
    let mut faults = Vec::new();
    match dimension(along) {
        None => faults.push(format!(
            "Measure '{measured}' has a non_additive_dimension '{along}' that is no dimension of the semantic model '{}'",
            model.of.name
        )),
        Some(found) => {
            if !is_time(found) {
                faults.push(format!("Measure '{measured}' has a non_additive_dimension '{along}' that is no time dimension"));
            }
            let aggregated = text(measure, "agg_time_dimension").or_else(|| default_time(model)).and_then(dimension);
            if let Some(aggregated) = aggregated.filter(|aggregated| granularity(aggregated) != granularity(found)) {
                faults.push(format!(
                    "Measure '{measured}' has a non_additive_dimension '{along}' of another time granularity than its \
                     agg_time_dimension {}",
                    name(aggregated)
                ));
            }
        }
    }
    if let Some(choice) = text(params, "window_choice").filter(|choice| !matches!(*choice, "min" | "max")) {
        faults.push(format!("Measure '{measured}' has a 'window_choice' of '{choice}': only 'min' and 'max' are possible"));
    }
    for grouping in texts(params, "window_groupings") {
        if !list(model, "entities").iter().any(|entity| name(entity) == grouping) {
            faults.push(format!(
                "Measure '{measured}' has 'window_groupings' by {grouping}, which is no entity of the semantic model"
            ));
        }
    }
    faults
}
