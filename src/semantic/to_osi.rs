//! Semantic models and metrics as an OSI document: data sets with their fields and keys, how they join, and each metric as
//! one expression.

use indexmap::IndexMap;

use super::items::Items;
use super::simple_metrics::{Aggregation, Measure, Metric, measures, simple_metrics, text};
use crate::artifacts::{
    OsiDataset, OsiDatatype, OsiDimension, OsiDocument, OsiExpression, OsiField, OsiMetric, OsiModel, OsiRelationship,
};
use crate::manifest::{Json, Manifest, Semantic};
use crate::text::replace_bounded;

/// The name of the one semantic model of the document.
const MODEL: &str = "semantic_model";

/// What the format cannot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    ConversionMetric,
    PrivateMetric,
    NaturalEntity,
    CumulativeSemantics,
}

/// The document, and what got lost on the way, by name.
pub struct ToOsi {
    pub document: OsiDocument,
    pub losses: Vec<(Loss, String)>,
}

/// Err: why there is no document.
pub fn to_osi(manifest: &Manifest) -> Result<ToOsi, String> {
    let models: Vec<(&Semantic, Vec<Measure>)> =
        manifest.semantic_models.values().map(|of| Ok((&**of, measures(of)?))).collect::<Result<_, String>>()?;
    let mut losses = Vec::new();
    let datasets = models.iter().map(|(of, measures)| dataset(of, measures)).collect();
    let relationships = relationships(models.iter().map(|(of, _)| *of), &mut losses);
    let all: Vec<&Measure> = models.iter().flat_map(|(_, measures)| measures).collect();
    let metrics = simple_metrics(manifest.metrics.values().map(|of| &**of), &all)?;
    let expressions = Expressions { metrics: &metrics, items: Items::default() };
    let mut shown = Vec::new();
    for metric in &metrics {
        let mut lost = |loss| losses.push((loss, metric.name.clone()));
        match (metric.kind.as_str(), metric.private) {
            ("conversion", _) => {
                lost(Loss::ConversionMetric);
                continue;
            }
            (_, true) => {
                lost(Loss::PrivateMetric);
                continue;
            }
            ("cumulative", false) => lost(Loss::CumulativeSemantics),
            _ => {}
        }
        shown.push(OsiMetric {
            name: metric.name.clone(),
            expression: OsiExpression::ansi(expressions.of(metric, None, 0)?),
            datatype: metric.datatype.as_deref().and_then(OsiDatatype::named),
            description: metric.description.clone(),
        });
    }
    let some = |relationships: Vec<OsiRelationship>| Some(relationships).filter(|all| !all.is_empty());
    let metrics = Some(shown).filter(|all| !all.is_empty());
    let model = OsiModel { name: MODEL.to_owned(), datasets, relationships: some(relationships), metrics };
    Ok(ToOsi { document: OsiDocument::of(model), losses })
}

fn elements<'a>(of: &'a Semantic, key: &str) -> impl Iterator<Item = &'a Json> {
    of.body.get(key).and_then(Json::as_array).into_iter().flatten()
}

fn name(element: &Json) -> String {
    text(element, "name").unwrap_or_default().to_lowercase()
}

fn column(element: &Json) -> String {
    text(element, "expr").unwrap_or_else(|| name(element))
}

fn kind(element: &Json) -> String {
    text(element, "type").unwrap_or_default().to_lowercase()
}

fn field(element: &Json) -> OsiField {
    OsiField {
        name: name(element),
        expression: OsiExpression::ansi(column(element)),
        dimension: None,
        datatype: None,
        label: text(element, "label"),
        description: text(element, "description"),
    }
}

fn dataset(of: &Semantic, measures: &[Measure]) -> OsiDataset {
    let mut fields: Vec<OsiField> = elements(of, "entities").map(field).collect();
    fields.extend(elements(of, "dimensions").map(|element| OsiField {
        dimension: Some(OsiDimension { is_time: kind(element) == "time" }),
        datatype: text(element, "datatype").as_deref().and_then(OsiDatatype::named),
        ..field(element)
    }));
    fields.extend(measures.iter().map(|measure| OsiField {
        name: measure.name.clone(),
        expression: OsiExpression::ansi(measure.column()),
        dimension: None,
        datatype: None,
        label: measure.label.clone(),
        description: measure.description.clone(),
    }));
    let keys = |wanted: &str| -> Vec<Vec<String>> {
        elements(of, "entities").filter(|element| kind(element) == wanted).map(|element| vec![column(element)]).collect()
    };
    OsiDataset {
        name: of.name.to_lowercase(),
        source: source(of),
        primary_key: keys("primary").pop(),
        unique_keys: Some(keys("unique")).filter(|keys| !keys.is_empty()),
        description: Some(of.description.clone()).filter(|description| !description.is_empty()),
        fields: Some(fields).filter(|fields| !fields.is_empty()),
    }
}

/// The relation that a semantic model reads.
fn source(of: &Semantic) -> String {
    let relation = of.body.get("node_relation").cloned().unwrap_or_default();
    let whole = text(&relation, "relation_name").filter(|name| !name.is_empty());
    whole.unwrap_or_else(|| {
        let parts = ["database", "schema_name", "alias"].iter().filter_map(|key| text(&relation, key));
        parts.collect::<Vec<_>>().join(".")
    })
}

/// An entity within a data set.
struct Key {
    dataset: String,
    column: String,
    /// Identifies one row.
    one: bool,
}

/// Data sets that share an entity can be joined: from the many to the one, else in the order of their names.
fn relationships<'a>(models: impl Iterator<Item = &'a Semantic>, losses: &mut Vec<(Loss, String)>) -> Vec<OsiRelationship> {
    let mut by_entity: IndexMap<String, Vec<Key>> = IndexMap::new();
    for of in models {
        for entity in elements(of, "entities") {
            if kind(entity) == "natural" {
                losses.push((Loss::NaturalEntity, name(entity)));
                continue;
            }
            let one = matches!(kind(entity).as_str(), "primary" | "unique");
            let key = Key { dataset: of.name.to_lowercase(), column: column(entity), one };
            by_entity.entry(name(entity)).or_default().push(key);
        }
    }
    let mut found = Vec::new();
    for (entity, keys) in &by_entity {
        for (at, left) in keys.iter().enumerate() {
            for right in keys[at + 1..].iter().filter(|right| right.dataset != left.dataset) {
                let turned = if left.one == right.one { left.dataset > right.dataset } else { left.one };
                let (from, to) = if turned { (right, left) } else { (left, right) };
                found.push(OsiRelationship {
                    name: format!("{}__{}__{entity}", from.dataset, to.dataset),
                    from: from.dataset.clone(),
                    to: to.dataset.clone(),
                    from_columns: vec![from.column.clone()],
                    to_columns: vec![to.column.clone()],
                });
            }
        }
    }
    found
}

/// Metrics that need each other are told elsewhere; here they end.
const DEEPEST: usize = 200;

struct Expressions<'a> {
    metrics: &'a [Metric],
    items: Items,
}

impl Expressions<'_> {
    /// A metric's expression, those of its inputs within, under the filters of what reads it.
    fn of(&self, metric: &Metric, outer: Option<&str>, depth: usize) -> Result<String, String> {
        if depth > DEEPEST {
            return Err(format!("the metric '{}' is built on itself", metric.name));
        }
        let filter = both(outer, self.filter(&metric.filters)?.as_deref());
        let input = |at: usize| -> Result<(&Metric, String), String> {
            let lacking = || format!("the {} metric '{}' lacks what it is made of", metric.kind, metric.name);
            let input = metric.inputs.get(at).ok_or_else(lacking)?;
            let found = self.metrics.iter().find(|found| found.name == input.name);
            let found =
                found.ok_or_else(|| format!("the metric '{}' reads '{}', which is not there", metric.name, input.name))?;
            let filter = both(filter.as_deref(), self.filter(&input.filters)?.as_deref());
            Ok((found, self.of(found, filter.as_deref(), depth + 1)?))
        };
        match metric.kind.as_str() {
            "simple" => {
                let aggregation = metric.aggregation.as_ref();
                let aggregation = aggregation.ok_or_else(|| format!("the metric '{}' aggregates nothing", metric.name))?;
                let column = qualified(metric.expr.as_deref().unwrap_or(&metric.name), &aggregation.model);
                aggregated(aggregation, &column, filter.as_deref())
            }
            "cumulative" => Ok(input(0)?.1),
            "ratio" => Ok(format!("({}) / ({})", input(0)?.1, input(1)?.1)),
            "derived" => {
                let mut expr = metric.expr.clone().unwrap_or_default();
                for (at, own) in metric.inputs.iter().enumerate() {
                    let (found, resolved) = input(at)?;
                    let whole = matches!(found.kind.as_str(), "derived" | "ratio");
                    let resolved = if whole { format!("({resolved})") } else { resolved };
                    let word = own.alias.as_deref().filter(|alias| !alias.is_empty()).unwrap_or(&own.name);
                    expr = replace_word(&expr, word, &resolved);
                }
                Ok(expr)
            }
            other => Err(format!("the {other} metric '{}' cannot be part of another", metric.name)),
        }
    }

    fn filter(&self, filters: &[String]) -> Result<Option<String>, String> {
        let mut parts = Vec::new();
        for template in filters {
            let sql = self.items.sql(template)?.trim().to_owned();
            if !sql.is_empty() {
                parts.push(sql);
            }
        }
        Ok(joined(&parts))
    }
}

fn joined(parts: &[String]) -> Option<String> {
    match parts {
        [] => None,
        [only] => Some(only.clone()),
        _ => Some(parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" AND ")),
    }
}

fn both(outer: Option<&str>, own: Option<&str>) -> Option<String> {
    let parts: Vec<String> = [outer, own].into_iter().flatten().map(str::to_owned).collect();
    joined(&parts)
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.strip_suffix('\n').unwrap_or(text).bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The column with its data set's name before it, where it is a plain name or the count of one.
fn qualified(column: &str, model: &str) -> String {
    if is_name(column) {
        return format!("{model}.{column}");
    }
    let (before, after) = ("CASE WHEN ", " IS NOT NULL THEN 1 ELSE 0 END");
    match column.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).filter(|inner| is_name(inner)) {
        Some(inner) => format!("{before}{model}.{inner}{after}"),
        None => column.to_owned(),
    }
}

/// The aggregation of a column; the filter makes what it leaves out null, which aggregations skip.
fn aggregated(aggregation: &Aggregation, column: &str, filter: Option<&str>) -> Result<String, String> {
    let kept = filter.map_or_else(|| column.to_owned(), |filter| format!("CASE WHEN {filter} THEN {column} END"));
    Ok(match aggregation.kind.as_str() {
        "sum" => format!("SUM({kept})"),
        "min" => format!("MIN({kept})"),
        "max" => format!("MAX({kept})"),
        "count_distinct" => format!("COUNT(DISTINCT {kept})"),
        "average" => format!("AVG({kept})"),
        "percentile" => {
            let percentile = aggregation.params.get("percentile").and_then(Json::as_f64).unwrap_or(0.5);
            let discrete = aggregation.params.get("use_discrete_percentile").and_then(Json::as_bool) == Some(true);
            let function = if discrete { "PERCENTILE_DISC" } else { "PERCENTILE_CONT" };
            format!("{function}({percentile:?}) WITHIN GROUP (ORDER BY {kept})")
        }
        other => return Err(format!("there is no aggregation '{other}'")),
    })
}

/// Replaces a name wherever it stands as a word of its own.
fn replace_word(text: &str, word: &str, with: &str) -> String {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    replace_bounded(text, word, with, |before, after| !before.ends_with(is_part) && !after.starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::{qualified, replace_word};

    #[test]
    fn names_are_replaced_as_whole_words() {
        assert_eq!(replace_word("a + aa - a_b * (a)", "a", "X"), "X + aa - a_b * (X)");
        assert_eq!(replace_word("aa", "a", "X"), "aa");
    }

    #[test]
    fn plain_names_are_qualified() {
        assert_eq!(qualified("amount", "orders"), "orders.amount");
        assert_eq!(qualified("amount * 2", "orders"), "amount * 2");
        let counted = qualified("CASE WHEN id IS NOT NULL THEN 1 ELSE 0 END", "orders");
        assert_eq!(counted, "CASE WHEN orders.id IS NOT NULL THEN 1 ELSE 0 END");
    }
}
