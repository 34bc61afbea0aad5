//! An OSI document as semantic models and metrics. The format knows fewer things: which granularity a time dimension has, or
//! of what kind a metric is, is concluded from keys and expressions.

use crate::artifacts::{OsiDataset, OsiDocument, OsiField, OsiModel};
use crate::sql;

/// What a document defines.
#[derive(Debug, Default, PartialEq)]
pub struct FromOsi {
    pub models: Vec<OsiSemanticModel>,
    pub metrics: Vec<OsiSemanticMetric>,
}

#[derive(Debug, PartialEq)]
pub struct OsiSemanticModel {
    pub name: String,
    pub description: Option<String>,
    /// Database, schema and name of what it reads, as far as they are said.
    pub source: (Option<String>, String, String),
    pub entities: Vec<Element>,
    pub dimensions: Vec<Element>,
}

/// An entity or a dimension.
#[derive(Debug, PartialEq)]
pub struct Element {
    pub name: String,
    pub kind: &'static str,
    /// Where it is not the name.
    pub expr: Option<String>,
    pub description: Option<String>,
    pub label: Option<String>,
    pub datatype: Option<&'static str>,
}

#[derive(Debug, PartialEq)]
pub struct OsiSemanticMetric {
    pub name: String,
    pub description: Option<String>,
    pub made: Made,
}

/// How a metric is made.
#[derive(Debug, PartialEq)]
pub enum Made {
    Aggregated {
        model: String,
        kind: &'static str,
        expr: String,
        percentile: Option<f64>,
    },
    /// The names of two other metrics.
    Ratio {
        numerator: String,
        denominator: String,
    },
}

/// Everything that a document defines.
pub fn from_osi(document: &OsiDocument) -> FromOsi {
    let mut found = FromOsi::default();
    for of in &document.semantic_model {
        found.models.extend(of.datasets.iter().map(|dataset| model(dataset, of)));
        for own in of.metrics.iter().flatten() {
            metric(&own.name, own.expression.text(), own.description.clone(), &of.datasets, &mut found.metrics);
        }
    }
    found
}

fn model(dataset: &OsiDataset, of: &OsiModel) -> OsiSemanticModel {
    let (mut entities, mut dimensions) = (Vec::new(), Vec::new());
    for field in dataset.fields.iter().flatten() {
        let time = field.dimension.is_some_and(|dimension| dimension.is_time);
        match key(field, dataset, of) {
            Some(kind) => entities.push(element(field, kind)),
            None => dimensions.push(element(field, if time { "time" } else { "categorical" })),
        }
    }
    OsiSemanticModel {
        name: dataset.name.clone(),
        description: dataset.description.clone(),
        source: source(&dataset.source),
        entities,
        dimensions,
    }
}

/// The kind of entity that a field is.
fn key(field: &OsiField, dataset: &OsiDataset, of: &OsiModel) -> Option<&'static str> {
    let name = &field.name;
    if dataset.primary_key.as_ref().is_some_and(|key| key.contains(name)) {
        return Some("primary");
    }
    if dataset.unique_keys.iter().flatten().any(|key| key.contains(name)) {
        return Some("unique");
    }
    let mut leaving = of.relationships.iter().flatten().filter(|relationship| relationship.from == dataset.name);
    leaving.any(|relationship| relationship.from_columns.contains(name)).then_some("foreign")
}

fn element(field: &OsiField, kind: &'static str) -> Element {
    Element {
        name: field.name.clone(),
        kind,
        expr: Some(field.expression.text().to_owned()).filter(|expr| *expr != field.name),
        description: field.description.clone(),
        label: field.label.clone(),
        datatype: field.datatype.map(crate::artifacts::OsiDatatype::name),
    }
}

/// `database.schema.table`, `schema.table` or `table`.
fn source(text: &str) -> (Option<String>, String, String) {
    match text.splitn(3, '.').collect::<Vec<_>>().as_slice() {
        [database, schema, alias] => (Some((*database).to_owned()), (*schema).to_owned(), (*alias).to_owned()),
        [schema, alias] => (None, (*schema).to_owned(), (*alias).to_owned()),
        _ => (None, String::new(), text.to_owned()),
    }
}

/// An aggregation, else a ratio of two metrics that are made for it, else a sum of the whole expression.
fn metric(name: &str, expr: &str, description: Option<String>, datasets: &[OsiDataset], all: &mut Vec<OsiSemanticMetric>) {
    let first = || datasets.first().map_or_else(String::new, |dataset| dataset.name.clone());
    let made = if let Some(found) = sql::aggregate(expr) {
        let model = holder(&found, datasets).unwrap_or_else(first);
        Made::Aggregated { model, kind: found.kind, expr: found.column, percentile: found.percentile }
    } else if let Some((above, below)) = sql::ratio(expr) {
        let (numerator, denominator) = (format!("{name}_numerator"), format!("{name}_denominator"));
        metric(&numerator, &above, None, datasets, all);
        metric(&denominator, &below, None, datasets, all);
        Made::Ratio { numerator, denominator }
    } else {
        Made::Aggregated { model: first(), kind: "sum", expr: expr.to_owned(), percentile: None }
    };
    all.push(OsiSemanticMetric { name: name.to_owned(), description, made });
}

/// The data set that a column is of: the one it is qualified by, else the first that has it.
fn holder(found: &sql::Aggregate, datasets: &[OsiDataset]) -> Option<String> {
    if let Some((dataset, _)) = found.inner.as_deref().and_then(|inner| inner.rsplit_once('.')) {
        return Some(dataset.to_owned());
    }
    let has = |field: &OsiField| {
        let first = field.expression.dialects.first().map_or("", |one| one.expression.as_str());
        field.name == found.column || first.rsplit('.').next() == Some(&found.column)
    };
    let dataset = datasets.iter().find(|dataset| dataset.fields.iter().flatten().any(has));
    dataset.map(|dataset| dataset.name.clone())
}
