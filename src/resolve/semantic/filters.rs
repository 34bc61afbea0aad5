//! The filters of metrics and saved queries, and what saved queries are grouped and ordered by: each must be readable, and
//! name what is there.

use serde_json::json;

use super::Written;
use super::validate::{Checks, given, list, name, texts};
use crate::manifest::Json;
use crate::semantic::{GRANULARITIES, Item, Items, Place};

/// Every filter of a metric, and what it is the filter of.
fn filters_of(metric: &Written) -> Vec<(String, &Json)> {
    let of = &metric.of.name;
    let mut found = Vec::new();
    found.extend(metric.of.body.get("filter").map(|filter| (format!("filter of metric `{of}`"), filter)));
    let Some(params) = metric.of.body.get("type_params") else { return found };
    let mut input = |key: &str, what: &dyn Fn(&str) -> String| {
        if let Some(input) = given(params, key)
            && let Some(filter) = input.get("filter")
        {
            found.push((what(name(input)), filter));
        }
    };
    input("measure", &|measure| format!("filter of measure input `{measure}` on metric `{of}`"));
    input("numerator", &|_| format!("the numerator filter on metric `{of}`"));
    input("denominator", &|_| format!("the denominator filter on metric `{of}`"));
    for input in params.get("metrics").and_then(Json::as_array).into_iter().flatten() {
        let what = format!("filter for input metric `{}` on metric `{of}`", name(input));
        found.extend(input.get("filter").map(|filter| (what, filter)));
    }
    found
}

fn templates(filter: &Json) -> impl Iterator<Item = &str> {
    let each = filter.get("where_filters").and_then(Json::as_array);
    each.into_iter().flatten().filter_map(|one| one.get("where_sql_template")?.as_str())
}

/// One item, and nothing else.
fn only(items: &Items, text: &str, place: Place) -> Result<Item, String> {
    let mut found = items.read(&format!("{{{{ {text} }}}}"), place)?;
    match (found.pop(), found.is_empty()) {
        (Some(item), true) => Ok(item),
        _ => Err(format!("'{text}' is not one item such as Dimension('entity__name')")),
    }
}

impl Checks<'_> {
    pub(super) fn filters(&mut self, queries: &[Written]) {
        let items = Items::default();
        for metric in self.metrics {
            for (what, filter) in filters_of(metric) {
                self.filter(metric, "metric", &what, filter, &items);
            }
        }
        for query in queries {
            let Some(params) = query.of.body.get("query_params") else { continue };
            if let Some(filter) = given(params, "where") {
                self.filter(query, "saved query", &format!("a filter in saved query `{}`", query.of.name), filter, &items);
            }
            self.group_by(query, params, &items);
            self.order_by(query, params, &items);
        }
    }

    /// The elements that a filter's text names, each with the granularity that is asked for.
    fn named_elements(&self, text: &str, items: &Items) -> Result<Vec<(String, Option<String>)>, String> {
        items.read(text, Place::Filter)?.iter().map(|item| item.element(&self.granularities, Place::Filter)).collect()
    }

    fn filter(&mut self, of: &Written, kind: &str, what: &str, filter: &Json, items: &Items) {
        for template in templates(filter) {
            let elements = match self.named_elements(template, items) {
                Ok(elements) => elements,
                Err(reason) => {
                    self.fail(of, format!("An error occurred while trying to parse {what} - {reason}: {template}"));
                    continue;
                }
            };
            for grain in elements.into_iter().filter_map(|(_, grain)| grain) {
                let custom = self.granularities.iter().map(String::as_str);
                let valid: Vec<&str> = GRANULARITIES.into_iter().chain(custom).collect();
                if !valid.contains(&grain.as_str()) {
                    let options = valid.join(", ");
                    let message = format!(
                        "Filter for {kind} `{}` is not valid. `{grain}` is not a valid granularity name. Valid granularity \
                         options: {options}",
                        of.of.name
                    );
                    self.warn(of, message);
                }
            }
        }
    }

    fn group_by(&mut self, query: &Written, params: &Json, items: &Items) {
        for text in texts(params, "group_by") {
            match self.named_elements(&format!("{{{{{text}}}}}"), items) {
                Ok(elements) if matches!(elements.as_slice(), [(element, _)] if self.has(element)) => {}
                Ok(_) => self.fail(query, format!("`{text}` is not a valid group-by name.")),
                Err(reason) => {
                    let of = &query.of.name;
                    let message =
                        format!("An error occurred while trying to parse a group-by in saved query `{of}` - {reason}: {text}");
                    self.fail(query, message);
                }
            }
        }
    }

    fn has(&self, element: &str) -> bool {
        let within = |model: &Written| {
            ["dimensions", "entities"].iter().flat_map(|key| list(model, key)).any(|known| name(known) == element)
        };
        element == "metric_time" || self.metrics.iter().any(|metric| metric.of.name == element) || self.models.iter().any(within)
    }

    /// What a query is ordered by is one of its metrics or of what it is grouped by.
    fn order_by(&mut self, query: &Written, params: &Json, items: &Items) {
        let mut wanted = texts(params, "order_by").peekable();
        if wanted.peek().is_none() {
            return;
        }
        let metrics = texts(params, "metrics").map(|metric| format!("Metric({})", json!(metric)));
        let groups = texts(params, "group_by").map(str::to_owned);
        let valid: Result<Vec<Item>, String> = metrics.chain(groups).map(|text| only(items, &text, Place::Filter)).collect();
        // What is wrong with these has been said.
        let Ok(valid) = valid else { return };
        for text in wanted {
            match only(items, text, Place::OrderBy) {
                Ok(item) if valid.contains(&Item { descending: None, ..item.clone() }) => {}
                Ok(_) => self.fail(query, format!("{text} does not match any of the listed metrics or group-by items.")),
                Err(reason) => {
                    let message = format!(
                        "An error occurred while parsing a field in '{}'. Note that metrics need to be specified using the \
                         object-builder syntax (`Metric('metric_name')`) and if `.descending(...)` is specified, it should be at \
                         the end. - {reason}: {text}",
                        query.of.name
                    );
                    self.fail(query, message);
                }
            }
        }
    }
}
