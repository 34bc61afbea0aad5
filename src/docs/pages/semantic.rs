//! What the pages of metrics, semantic models and saved queries say beyond those of other nodes.

use serde::Serialize;

use super::view::prose;
use crate::docs::site::{Node, Site};
use crate::manifest::{Json, JsonMap, Resource};

/// Parts of a semantic model, each with what it is in words.
#[derive(Serialize)]
pub struct Table {
    title: &'static str,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    kind: String,
    /// HTML.
    description: String,
}

/// Tells a metric's formula, a saved query's parts: (what, how).
pub fn facts(site: &Site, node: &Node) -> Vec<(&'static str, String)> {
    match &node.resource {
        Resource::Metric(metric) => {
            let filter = conditions(metric.body.get("filter"));
            let formula = formula(site, node, &metric.body);
            [("Computed as", formula), ("Only where", filter)].into_iter().filter(|(_, text)| !text.is_empty()).collect()
        }
        Resource::SavedQuery(query) => {
            let Some(asked) = query.body.get("query_params").and_then(Json::as_object) else { return Vec::new() };
            let list = |key: &str| texts(asked.get(key)).join(", ");
            let facts = [
                ("Metrics", list("metrics")),
                ("By", list("group_by")),
                ("Only where", conditions(asked.get("where"))),
                ("In the order of", list("order_by")),
            ];
            facts.into_iter().filter(|(_, text)| !text.is_empty()).collect()
        }
        _ => Vec::new(),
    }
}

/// Keys of the body that [`facts`] and [`tables`] tell already, or that repeat what the page shows.
pub fn is_told(key: &str) -> bool {
    matches!(
        key,
        "type" | "type_params" | "filter" | "query_params" | "entities" | "dimensions" | "measures" | "node_relation" | "model"
    )
}

/// Entities, dimensions and measures of a semantic model.
pub fn tables(site: &Site, node: &Node, root: &str) -> Vec<Table> {
    let Resource::SemanticModel(model) = &node.resource else { return Vec::new() };
    let parts = [("Measures", "measures"), ("Dimensions", "dimensions"), ("Entities", "entities")];
    let table = |(title, key): (&'static str, &str)| {
        let items = model.body.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object);
        let rows: Vec<Row> = items
            .map(|item| Row {
                name: text(item, "name").unwrap_or_default().to_owned(),
                kind: kind(item),
                description: prose(site, text(item, "description").unwrap_or_default(), root),
            })
            .collect();
        (!rows.is_empty()).then_some(Table { title, rows })
    };
    parts.into_iter().filter_map(table).collect()
}

/// `sum of price`, `time, by day`, `primary: booking_id`.
fn kind(item: &JsonMap) -> String {
    if text(item, "agg").is_some() {
        return aggregate(item);
    }
    let grain = item.get("type_params").and_then(Json::as_object).and_then(|params| text(params, "time_granularity"));
    let mut kind = text(item, "type").unwrap_or_default().to_owned();
    if let Some(grain) = grain {
        kind.push_str(&format!(", by {grain}"));
    }
    if let Some(expression) = text(item, "expr") {
        kind.push_str(&format!(": {expression}"));
    }
    kind
}

fn aggregate(measure: &JsonMap) -> String {
    let of = text(measure, "expr").or_else(|| text(measure, "name")).unwrap_or_default();
    match text(measure, "agg").unwrap_or_default() {
        "count" if of == "1" => "number of rows".to_owned(),
        agg => format!("{} of {of}", agg.replace('_', " ")),
    }
}

/// How a metric is computed, in a line.
fn formula(site: &Site, node: &Node, body: &JsonMap) -> String {
    let Some(params) = body.get("type_params").and_then(Json::as_object) else { return String::new() };
    let input = |key: &str| params.get(key).and_then(Json::as_object).and_then(|input| text(input, "name"));
    if let (Some(above), Some(below)) = (input("numerator"), input("denominator")) {
        return format!("{above} / {below}");
    }
    if let Some(expression) = text(params, "expr") {
        return expression.to_owned();
    }
    let Some(name) = input("measure") else { return String::new() };
    let mut out = measure(site, node, name).unwrap_or_else(|| name.to_owned());
    let cumulative = params.get("cumulative_type_params").and_then(Json::as_object);
    let window = [Some(params), cumulative].into_iter().flatten().find_map(|params| params.get("window")).and_then(span);
    if let Some(window) = window {
        out.push_str(&format!(", of the last {window}"));
    }
    out
}

/// `7 day`, as an object or as a text.
fn span(window: &Json) -> Option<String> {
    match window {
        Json::String(text) => Some(text.clone()),
        Json::Object(map) => Some(format!("{} {}", map.get("count")?, text(map, "granularity")?)),
        _ => None,
    }
}

/// The measure of that name in the semantic models that a metric reads.
fn measure(site: &Site, node: &Node, name: &str) -> Option<String> {
    node.parents.iter().map(|at| &site.nodes[*at]).find_map(|parent| {
        let Resource::SemanticModel(model) = &parent.resource else { return None };
        let measures = model.body.get("measures").and_then(Json::as_array)?;
        let found = measures.iter().filter_map(Json::as_object).find(|measure| text(measure, "name") == Some(name))?;
        Some(format!("{}, in {}", aggregate(found), parent.name))
    })
}

fn conditions(filter: Option<&Json>) -> String {
    let filters = filter.and_then(|filter| filter.get("where_filters")).and_then(Json::as_array);
    let templates = filters.into_iter().flatten().filter_map(|one| one.get("where_sql_template")).filter_map(Json::as_str);
    templates.map(str::trim).collect::<Vec<_>>().join(" and ")
}

fn texts(list: Option<&Json>) -> Vec<&str> {
    list.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect()
}

fn text<'a>(map: &'a JsonMap, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Json::as_str).filter(|text| !text.is_empty())
}

/// A value with its parts, a line for each: `type_params.window.count`. What is empty is left out.
pub fn flattened(key: &str, value: &Json, into: &mut Vec<(String, String)>) {
    const LINES: usize = 80;
    let is_plain = |value: &Json| !value.is_array() && !value.is_object();
    match value {
        _ if into.len() >= LINES => {}
        Json::Null => {}
        Json::Object(map) => map.iter().for_each(|(inner, value)| flattened(&format!("{key}.{inner}"), value, into)),
        Json::Array(items) if !items.iter().all(is_plain) => {
            for (at, item) in items.iter().enumerate() {
                let name = item.get("name").and_then(Json::as_str).map_or_else(|| at.to_string(), str::to_owned);
                flattened(&format!("{key}.{name}"), item, into);
            }
        }
        other => {
            let shown = super::view::shown_value(other);
            if !shown.is_empty() {
                into.push((key.to_owned(), shown));
            }
        }
    }
}

/// A name that people gave beside the technical one, as text; empty where it says the same.
pub fn label(node: &Node) -> String {
    let label = match &node.resource {
        Resource::Exposure(exposure) => exposure.label.as_deref(),
        Resource::Metric(of) | Resource::SemanticModel(of) | Resource::SavedQuery(of) => of.label.as_deref(),
        _ => None,
    };
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], " ");
    let told = label.filter(|label| plain(label) != plain(&node.name));
    told.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_apart() {
        let mut lines = Vec::new();
        let value = serde_json::json!({"a": null, "b": [1, 2], "c": [{"name": "n", "x": ""}, {"y": true}], "d": {"e": "f"}});
        flattened("k", &value, &mut lines);
        let shown: Vec<String> = lines.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(shown, ["k.b=1, 2", "k.c.n.name=n", "k.c.1.y=true", "k.d.e=f"]);
    }

    #[test]
    fn measures_are_told_in_words() {
        let map = |value: Json| value.as_object().cloned().unwrap_or_default();
        assert_eq!(kind(&map(serde_json::json!({"name": "n", "agg": "count", "expr": "1"}))), "number of rows");
        assert_eq!(kind(&map(serde_json::json!({"name": "n", "agg": "count_distinct", "expr": "id"}))), "count distinct of id");
        let time = serde_json::json!({"name": "at", "type": "time", "type_params": {"time_granularity": "day"}});
        assert_eq!(kind(&map(time)), "time, by day");
    }
}
