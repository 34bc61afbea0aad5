//! Metrics.

use serde_json::json;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Json, JsonMap, ResourceType};
use crate::parse::Property;
use crate::yaml::Yaml;

use super::{Written, columns, filter, given, part, placed, written};
use crate::resolve::nodes::Shared;
use crate::resolve::python;
use crate::semantic::GRANULARITIES;

/// The semantic model that a metric of the new YAML stands under.
#[derive(Debug, Clone, Default)]
pub struct Under {
    pub semantic_model: Option<String>,
    pub agg_time_dimension: Option<String>,
}

const TYPES: [&str; 5] = ["simple", "ratio", "cumulative", "derived", "conversion"];

/// One entry of `metrics:`: with `type_params` in the old spelling, without in the new one.
pub fn metric(shared: &Shared<'_>, property: &Property, under: &Under, diagnostics: &mut Vec<Diagnostic>) -> Option<Written> {
    let entry = &property.entry;
    let name = super::super::exposures::name(property, diagnostics)?;
    check_name(&name, property, diagnostics);
    let config = columns::map(entry.get("config"));
    let placed = placed(shared, property, ResourceType::Metric, &name, &config, diagnostics);
    let kind = columns::text(entry.get("type")).unwrap_or_else(|| "simple".to_owned()).to_lowercase();
    if !TYPES.contains(&kind.as_str()) {
        let message = format!("'{kind}' is not a valid type of metric: it must be one of {}", TYPES.join(", "));
        let place = entry.get("type").unwrap_or(entry).span;
        diagnostics.push(Diagnostic::error("E0277", message).at(&property.file.source, place));
        return None;
    }
    let old = given(entry, "type_params");
    let params = match old {
        Some(params) => old_params(&kind, params, property, diagnostics),
        None => new_params(&kind, entry, under, property, diagnostics),
    };
    let body = body(&kind, params, filter(entry.get("filter")), part(entry, "time_granularity"));
    let mut metric = written(shared, property, placed, body);
    metric.of.label = metric.of.label.or(Some(name));
    if old.is_some() {
        let merged = metric.of.config.object("meta").filter(|meta| !meta.is_empty()).cloned();
        metric.of.meta = merged.unwrap_or_else(|| columns::map(entry.get("meta")));
        metric.of.tags = columns::texts(entry.get("tags"));
    }
    Some(metric)
}

/// What the manifest shows of a metric beside what all resources have.
pub(super) fn body(kind: &str, params: Json, filter: Json, time_granularity: Json) -> JsonMap {
    let parts = [
        ("type", json!(kind)),
        ("type_params", params),
        ("filter", filter),
        ("metadata", Json::Null),
        ("time_granularity", time_granularity),
        ("sources", json!([])),
        ("metrics", json!([])),
    ];
    parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// A metric's name becomes the name of a column.
fn check_name(name: &str, property: &Property, diagnostics: &mut Vec<Diagnostic>) {
    let mut problems = Vec::new();
    if name.contains(' ') {
        problems.push("cannot contain spaces");
    }
    if name.chars().count() > 250 {
        problems.push("cannot contain more than 250 characters");
    }
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        problems.push("must begin with a letter");
    }
    if !name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
        problems.push("must contain only letters, numbers and underscores");
    }
    if !problems.is_empty() {
        let message = format!("The metric name '{name}' is invalid: it {}", problems.join(", "));
        let span = property.entry.get("name").unwrap_or(&property.entry).span;
        diagnostics.push(Diagnostic::error("E0294", message).at(&property.file.source, span));
    }
}

/// The parameters in the manifest's order, each null or empty unless given.
pub(super) fn params(with: impl FnOnce(&mut JsonMap)) -> Json {
    let mut params = JsonMap::new();
    let keys = [
        "measure",
        "input_measures",
        "numerator",
        "denominator",
        "expr",
        "window",
        "grain_to_date",
        "metrics",
        "conversion_type_params",
        "cumulative_type_params",
        "metric_aggregation_params",
        "fill_nulls_with",
        "join_to_timespine",
        "is_private",
    ];
    for key in keys {
        let default = match key {
            "input_measures" | "metrics" => json!([]),
            "join_to_timespine" => json!(false),
            _ => Json::Null,
        };
        params.insert(key.to_owned(), default);
    }
    with(&mut params);
    Json::Object(params)
}

fn text_of(value: Option<&Yaml>) -> Json {
    value.filter(|value| !value.is_null()).map_or(Json::Null, |value| json!(python::text(&value.to_json())))
}

/// A measure by name, or with filter, alias and how nulls are filled.
fn measure(value: Option<&Yaml>) -> Json {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Json::Null };
    let name = columns::text(Some(value)).map_or_else(|| part(value, "name"), Json::from);
    json!({
        "name": name,
        "filter": filter(value.get("filter")),
        "alias": part(value, "alias"),
        "join_to_timespine": given(value, "join_to_timespine").and_then(Yaml::as_bool).unwrap_or(false),
        "fill_nulls_with": part(value, "fill_nulls_with"),
    })
}

/// A metric by name, or with filter, alias and offset.
fn input(value: Option<&Yaml>, property: &Property, diagnostics: &mut Vec<Diagnostic>) -> Json {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Json::Null };
    let name = columns::text(Some(value)).map_or_else(|| part(value, "name"), Json::from);
    json!({
        "name": name,
        "filter": filter(value.get("filter")),
        "alias": part(value, "alias"),
        "offset_window": window(value.get("offset_window"), property, diagnostics),
        "offset_to_grain": part(value, "offset_to_grain"),
    })
}

/// A metric of which nothing but the name is given.
pub(super) fn plain_input(name: &str) -> Json {
    json!({"name": name, "filter": null, "alias": null, "offset_window": null, "offset_to_grain": null})
}

fn inputs(value: Option<&Yaml>, property: &Property, diagnostics: &mut Vec<Diagnostic>) -> Json {
    let items = value.map(Yaml::items).unwrap_or_default();
    items.iter().map(|item| input(Some(item), property, diagnostics)).collect()
}

/// `28 days`: a count and a granularity, a standard one without its plural s.
fn window(value: Option<&Yaml>, property: &Property, diagnostics: &mut Vec<Diagnostic>) -> Json {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Json::Null };
    let text = columns::text(Some(value)).unwrap_or_default().to_lowercase();
    let read = text.split_once(' ').and_then(|(count, grain)| Some((count.parse::<i64>().ok()?, grain)));
    let Some((count, grain)) = read.filter(|(count, grain)| *count >= 0 && !grain.is_empty() && !grain.contains(' ')) else {
        let message = format!("Invalid window ({text}): it should be of the form `<count> <granularity>`, e.g. `28 days`");
        diagnostics.push(Diagnostic::error("E0278", message).at(&property.file.source, value.span));
        return Json::Null;
    };
    let grain = grain.strip_suffix('s').filter(|single| GRANULARITIES.contains(single)).unwrap_or(grain);
    json!({"count": count, "granularity": grain})
}

fn constants(value: Option<&Yaml>) -> Json {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Json::Null };
    let each = value.items().iter().map(
        |item| json!({"base_property": part(item, "base_property"), "conversion_property": part(item, "conversion_property")}),
    );
    each.collect()
}

fn calculation(value: &Yaml) -> Json {
    given(value, "calculation").map_or_else(|| json!("conversion_rate"), Yaml::to_json)
}

fn period_agg(value: &Yaml) -> Json {
    given(value, "period_agg").map_or_else(|| json!("first"), Yaml::to_json)
}

fn old_params(kind: &str, given_params: &Yaml, property: &Property, diagnostics: &mut Vec<Diagnostic>) -> Json {
    let mut cumulative = Json::Null;
    if kind == "cumulative" {
        let own = given(given_params, "cumulative_type_params");
        let or = |key: &str| own.and_then(|own| given(own, key)).or_else(|| given(given_params, key));
        cumulative = json!({
            "window": window(or("window"), property, diagnostics),
            "grain_to_date": or("grain_to_date").map_or(Json::Null, Yaml::to_json),
            "period_agg": own.map_or_else(|| json!("first"), period_agg),
            "metric": null,
        });
    }
    let conversion = given(given_params, "conversion_type_params").map_or(Json::Null, |own| {
        json!({
            "entity": part(own, "entity"),
            "base_measure": measure(own.get("base_measure")),
            "conversion_measure": measure(own.get("conversion_measure")),
            "base_metric": null,
            "conversion_metric": null,
            "calculation": calculation(own),
            "window": window(own.get("window"), property, diagnostics),
            "constant_properties": constants(own.get("constant_properties")),
        })
    });
    params(|params| {
        params.insert("measure".to_owned(), measure(given_params.get("measure")));
        params.insert("numerator".to_owned(), input(given_params.get("numerator"), property, diagnostics));
        params.insert("denominator".to_owned(), input(given_params.get("denominator"), property, diagnostics));
        params.insert("expr".to_owned(), text_of(given_params.get("expr")));
        params.insert("window".to_owned(), window(given_params.get("window"), property, diagnostics));
        params.insert("grain_to_date".to_owned(), part(given_params, "grain_to_date"));
        params.insert("metrics".to_owned(), inputs(given_params.get("metrics"), property, diagnostics));
        params.insert("conversion_type_params".to_owned(), conversion);
        params.insert("cumulative_type_params".to_owned(), cumulative);
    })
}

fn new_params(kind: &str, entry: &Yaml, under: &Under, property: &Property, diagnostics: &mut Vec<Diagnostic>) -> Json {
    let mut cumulative = Json::Null;
    if kind == "cumulative" {
        cumulative = json!({
            "window": window(entry.get("window"), property, diagnostics),
            "grain_to_date": part(entry, "grain_to_date"),
            "period_agg": period_agg(entry),
            "metric": input(entry.get("input_metric"), property, diagnostics),
        });
    }
    let mut conversion = Json::Null;
    if kind == "conversion" {
        conversion = json!({
            "entity": part(entry, "entity"),
            "base_measure": null,
            "conversion_measure": null,
            "base_metric": input(entry.get("base_metric"), property, diagnostics),
            "conversion_metric": input(entry.get("conversion_metric"), property, diagnostics),
            "calculation": calculation(entry),
            "window": window(entry.get("window"), property, diagnostics),
            "constant_properties": constants(entry.get("constant_properties")),
        });
    }
    let aggregation = given(entry, "agg").map_or(Json::Null, |agg| {
        if under.semantic_model.is_none() {
            let message = "A simple metric stands under the `metrics:` of its model, which must be a semantic model";
            diagnostics.push(Diagnostic::error("E0279", message).at(&property.file.source, agg.span));
        }
        aggregation(entry, agg, under)
    });
    params(|params| {
        params.insert("numerator".to_owned(), input(entry.get("numerator"), property, diagnostics));
        params.insert("denominator".to_owned(), input(entry.get("denominator"), property, diagnostics));
        params.insert("expr".to_owned(), text_of(entry.get("expr")));
        params.insert("metrics".to_owned(), inputs(entry.get("input_metrics"), property, diagnostics));
        params.insert("conversion_type_params".to_owned(), conversion);
        params.insert("cumulative_type_params".to_owned(), cumulative);
        params.insert("metric_aggregation_params".to_owned(), aggregation);
        let joins = given(entry, "join_to_timespine").and_then(Yaml::as_bool).unwrap_or(false);
        params.insert("join_to_timespine".to_owned(), json!(joins));
        params.insert("is_private".to_owned(), json!(given(entry, "hidden").and_then(Yaml::as_bool).unwrap_or(false)));
    })
}

fn aggregation(entry: &Yaml, agg: &Yaml, under: &Under) -> Json {
    let percentile_type = columns::text(entry.get("percentile_type")).unwrap_or_default().to_lowercase();
    let additive = given(entry, "non_additive_dimension").map_or(Json::Null, |own| {
        json!({
            "name": part(own, "name"),
            "window_choice": part(own, "window_agg"),
            "window_groupings": columns::texts(own.get("group_by")),
        })
    });
    let time = columns::text(entry.get("agg_time_dimension")).or_else(|| under.agg_time_dimension.clone());
    json!({
        "semantic_model": under.semantic_model,
        "agg": agg.to_json(),
        "agg_params": {
            "percentile": part(entry, "percentile"),
            "use_discrete_percentile": percentile_type == "discrete",
            "use_approximate_percentile": percentile_type == "continuous",
        },
        "agg_time_dimension": time,
        "non_additive_dimension": additive,
    })
}

/// The simple metric that a measure with `create_metric: true` makes.
pub fn of_measure(
    shared: &Shared<'_>,
    property: &Property,
    measure: &Yaml,
    enabled: bool,
    meta: &JsonMap,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Written> {
    let name = columns::text(measure.get("name"))?;
    let mut config = JsonMap::new();
    config.insert("enabled".to_owned(), json!(enabled));
    config.insert("meta".to_owned(), Json::Object(meta.clone()));
    let placed = placed(shared, property, ResourceType::Metric, &name, &config, diagnostics);
    let expr = given(measure, "expr").map_or_else(|| json!(name), |expr| json!(python::text(&expr.to_json())));
    let params = params(|params| {
        let input = json!({"name": name, "filter": null, "alias": null, "join_to_timespine": false, "fill_nulls_with": null});
        params.insert("measure".to_owned(), input);
        params.insert("expr".to_owned(), expr);
    });
    let mut metric = written(shared, property, placed, body("simple", params, Json::Null, Json::Null));
    metric.span = measure.span;
    let described = columns::text(measure.get("description")).filter(|text| !text.is_empty());
    metric.of.description = described.unwrap_or_else(|| format!("Metric created from measure {name}"));
    metric.of.label = columns::text(measure.get("label")).or(Some(name));
    metric.of.meta = metric.of.config.object("meta").cloned().unwrap_or_default();
    Some(metric)
}
