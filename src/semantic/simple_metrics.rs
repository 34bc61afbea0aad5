//! Metrics without measures: what a metric takes from a measure becomes its own, and the measures of cumulative and
//! conversion metrics become simple metrics. So an expression can be made of every metric.

use std::collections::{HashMap, HashSet};

use crate::manifest::{Json, JsonMap, Semantic};

/// How a simple metric aggregates, and in which semantic model.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregation {
    pub model: String,
    pub kind: String,
    pub params: Json,
    time: Json,
    non_additive: Json,
}

/// A metric that another one reads.
#[derive(Debug, Clone)]
pub struct Input {
    pub name: String,
    pub alias: Option<String>,
    pub filters: Vec<String>,
}

/// A metric as its expression is made of it.
#[derive(Debug, Clone)]
pub struct Metric {
    pub name: String,
    pub kind: String,
    pub description: Option<String>,
    pub datatype: Option<String>,
    pub private: bool,
    pub filters: Vec<String>,
    pub expr: Option<String>,
    pub aggregation: Option<Aggregation>,
    /// Numerator and denominator; the metrics of a derived one; the one that is cumulated.
    pub inputs: Vec<Input>,
    measure: Option<String>,
    fill_nulls_with: Json,
    join_to_timespine: bool,
}

/// A measure, its aggregation one that is written as it is called.
#[derive(Debug, Clone)]
pub struct Measure {
    pub name: String,
    pub expr: Option<String>,
    pub label: Option<String>,
    pub description: Option<String>,
    aggregation: Aggregation,
}

impl Measure {
    /// What is aggregated.
    pub fn column(&self) -> &str {
        self.expr.as_deref().unwrap_or(&self.name)
    }
}

pub fn text(of: &Json, key: &str) -> Option<String> {
    of.get(key).and_then(Json::as_str).map(str::to_owned)
}

fn given<'a>(of: &'a Json, key: &str) -> Option<&'a Json> {
    of.get(key).filter(|value| !value.is_null())
}

pub fn filters(filter: Option<&Json>) -> Vec<String> {
    let each = filter.and_then(|filter| filter.get("where_filters")).and_then(Json::as_array);
    each.into_iter().flatten().filter_map(|one| text(one, "where_sql_template")).collect()
}

/// The measures of a semantic model. Err: one that cannot be aggregated.
pub fn measures(of: &Semantic) -> Result<Vec<Measure>, String> {
    let model = of.name.to_lowercase();
    let each = of.body.get("measures").and_then(Json::as_array);
    let measure = |own: &Json| {
        let mut measure = Measure {
            name: text(own, "name").unwrap_or_default().to_lowercase(),
            expr: text(own, "expr"),
            label: text(own, "label"),
            description: text(own, "description"),
            aggregation: aggregation(&model, own),
        };
        uniform(&measure.name, &mut measure.expr, &mut measure.aggregation)?;
        Ok(measure)
    };
    each.into_iter().flatten().map(measure).collect()
}

fn aggregation(model: &str, of: &Json) -> Aggregation {
    let part = |key: &str| of.get(key).cloned().unwrap_or_default();
    Aggregation {
        model: model.to_owned(),
        kind: text(of, "agg").unwrap_or_default().to_lowercase(),
        params: part("agg_params"),
        time: part("agg_time_dimension"),
        non_additive: part("non_additive_dimension"),
    }
}

/// Medians are percentiles, counts and sums of conditions are sums.
fn uniform(name: &str, expr: &mut Option<String>, aggregation: &mut Aggregation) -> Result<(), String> {
    match aggregation.kind.as_str() {
        "median" => {
            "percentile".clone_into(&mut aggregation.kind);
            if aggregation.params.is_null() {
                aggregation.params = serde_json::json!({"use_discrete_percentile": false, "use_approximate_percentile": false});
            }
            aggregation.params["percentile"] = 0.5.into();
        }
        "count" => {
            let Some(counted) = expr else {
                return Err(format!("'{name}' uses a COUNT aggregation, which requires an expr, such as `expr: 1`"));
            };
            if counted != "1" {
                *expr = Some(format!("CASE WHEN {counted} IS NOT NULL THEN 1 ELSE 0 END"));
            }
            "sum".clone_into(&mut aggregation.kind);
        }
        "sum_boolean" => {
            let condition = expr.as_deref().filter(|expr| !expr.is_empty()).unwrap_or(name);
            *expr = Some(format!("CASE WHEN {condition} THEN 1 ELSE 0 END"));
            "sum".clone_into(&mut aggregation.kind);
        }
        _ => {}
    }
    Ok(())
}

/// All metrics, those that stand for measures last.
pub fn simple_metrics<'a>(metrics: impl Iterator<Item = &'a Semantic>, measures: &[&Measure]) -> Result<Vec<Metric>, String> {
    let measures: HashMap<&str, &Measure> = measures.iter().map(|measure| (measure.name.as_str(), *measure)).collect();
    let (written, mut all): (Vec<Json>, Vec<Metric>) = metrics.map(|of| read(of, &measures)).unzip();
    let mut made = Made { known: all.iter().map(|metric| metric.name.clone()).collect(), names: HashMap::new() };
    for (at, params) in written.iter().enumerate() {
        match all[at].kind.as_str() {
            "cumulative" => {
                let input = params.pointer("/cumulative_type_params/metric").filter(|input| !input.is_null()).map(input);
                let input = input.or_else(|| made.input(given(params, "measure")?, &measures, &mut all));
                all[at].inputs.extend(input);
            }
            "conversion" => {
                let params = params.get("conversion_type_params").cloned().unwrap_or_default();
                for side in ["base", "conversion"] {
                    if let Some(measure) = given(&params, &format!("{side}_measure"))
                        && given(&params, &format!("{side}_metric")).is_none()
                    {
                        made.input(measure, &measures, &mut all);
                    }
                }
            }
            _ => {}
        }
    }
    for metric in &mut all {
        // What a metric says of its measure's column does not count.
        if let Some(measure) = metric.measure.as_deref().and_then(|name| measures.get(name)) {
            metric.expr = Some(measure.column().to_owned());
        }
        if let Some(aggregation) = &mut metric.aggregation {
            uniform(&metric.name, &mut metric.expr, aggregation)?;
        }
    }
    Ok(all)
}

fn input(of: &Json) -> Input {
    Input { name: text(of, "name").unwrap_or_default(), alias: text(of, "alias"), filters: filters(of.get("filter")) }
}

/// A metric as it is written, with its parameters; a simple one takes over what its measure says.
fn read(of: &Semantic, measures: &HashMap<&str, &Measure>) -> (Json, Metric) {
    let params = of.body.get("type_params").cloned().unwrap_or_else(|| Json::Object(JsonMap::new()));
    let body = |key: &str| of.body.get(key).and_then(Json::as_str).map(str::to_owned);
    let mut metric = Metric {
        name: of.name.clone(),
        kind: body("type").unwrap_or_default(),
        description: Some(of.description.clone()),
        datatype: body("datatype"),
        private: params.get("is_private").and_then(Json::as_bool) == Some(true),
        filters: filters(of.body.get("filter")),
        expr: text(&params, "expr"),
        aggregation: None,
        inputs: Vec::new(),
        measure: None,
        fill_nulls_with: params.get("fill_nulls_with").cloned().unwrap_or_default(),
        join_to_timespine: params.get("join_to_timespine").and_then(Json::as_bool) == Some(true),
    };
    match metric.kind.as_str() {
        "simple" => {
            if let Some(own) = given(&params, "metric_aggregation_params") {
                metric.aggregation = Some(aggregation(&text(own, "semantic_model").unwrap_or_default(), own));
            } else if let Some(own) = given(&params, "measure") {
                metric.take(own, measures);
            }
        }
        "ratio" => metric.inputs = ["numerator", "denominator"].iter().filter_map(|key| given(&params, key)).map(input).collect(),
        "derived" => metric.inputs = params.get("metrics").and_then(Json::as_array).into_iter().flatten().map(input).collect(),
        _ => {}
    }
    (params, metric)
}

impl Metric {
    /// Takes over a measure, with what is said of it where it is read.
    fn take(&mut self, own: &Json, measures: &HashMap<&str, &Measure>) {
        let Some(measure) = text(own, "name").and_then(|name| measures.get(name.as_str()).copied()) else { return };
        if let Some(fill) = given(own, "fill_nulls_with") {
            self.fill_nulls_with = fill.clone();
        }
        self.join_to_timespine |= own.get("join_to_timespine").and_then(Json::as_bool) == Some(true);
        self.aggregation = Some(measure.aggregation.clone());
        self.expr.get_or_insert_with(|| measure.column().to_owned());
        let mut all = filters(own.get("filter"));
        all.append(&mut self.filters);
        self.filters = all;
        self.measure = Some(measure.name.clone());
    }
}

/// The metrics that stand for measures.
struct Made {
    known: HashSet<String>,
    /// By measure, what fills its nulls, and whether it is joined to the time spine.
    names: HashMap<(String, String, bool), String>,
}

impl Made {
    /// The metric that a measure is read by: one that is there, else a new one at the end.
    fn input(&mut self, own: &Json, measures: &HashMap<&str, &Measure>, all: &mut Vec<Metric>) -> Option<Input> {
        let measure = text(own, "name").and_then(|name| measures.get(name.as_str()).copied())?;
        let (fill, join) = (own.get("fill_nulls_with").cloned().unwrap_or_default(), own.get("join_to_timespine"));
        let join = join.and_then(Json::as_bool) == Some(true);
        let key = (measure.name.clone(), fill.to_string(), join);
        let name = match self.names.get(&key) {
            Some(name) => name.clone(),
            None => self.find(measure, &fill, join, all),
        };
        self.names.insert(key, name.clone());
        Some(Input { name, alias: text(own, "alias"), filters: filters(own.get("filter")) })
    }

    fn find(&mut self, measure: &Measure, fill: &Json, join: bool, all: &mut Vec<Metric>) -> String {
        let same = |metric: &&Metric| {
            metric.kind == "simple"
                && metric.aggregation.as_ref() == Some(&measure.aggregation)
                && metric.expr.as_deref() == Some(measure.column())
                && metric.filters.is_empty()
                && metric.fill_nulls_with == *fill
                && metric.join_to_timespine == join
                && metric.measure.as_ref().is_none_or(|name| *name == measure.name)
        };
        if let Some(found) = all.iter().find(same) {
            return found.name.clone();
        }
        let mut base = measure.name.clone();
        if let Some(fill) = fill.as_i64() {
            let sign = if fill < 0 { "neg_" } else { "" };
            base = format!("{base}_fill_nulls_with_{sign}{}", fill.unsigned_abs());
        }
        if join {
            base.push_str("_join_to_timespine");
        }
        let numbered = (1..).map(|number| format!("{base}_{number}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !self.known.contains(name)).unwrap_or(base);
        self.known.insert(name.clone());
        all.push(Metric {
            name: name.clone(),
            kind: "simple".to_owned(),
            description: measure.description.clone(),
            datatype: None,
            private: true,
            filters: Vec::new(),
            expr: Some(measure.column().to_owned()),
            aggregation: Some(measure.aggregation.clone()),
            inputs: Vec::new(),
            measure: Some(measure.name.clone()),
            fill_nulls_with: fill.clone(),
            join_to_timespine: join,
        });
        name
    }
}
