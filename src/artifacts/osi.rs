//! OSI documents (Open Semantic Interchange): osi_document.json as dbt 1.12 writes it, and the files of `osi-paths`.

use serde::{Deserialize, Serialize};

use super::text;

/// The version that is written.
const VERSION: &str = "0.1.1";

/// The versions that can be read.
pub const OSI_VERSIONS: [&str; 2] = ["0.1.0", VERSION];

/// A whole document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OsiDocument {
    #[serde(default = "version")]
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialects: Option<Vec<OsiDialect>>,
    pub semantic_model: Vec<OsiModel>,
}

fn version() -> String {
    VERSION.to_owned()
}

impl OsiDocument {
    /// One semantic model in standard SQL.
    pub fn of(model: OsiModel) -> Self {
        Self { version: version(), dialects: Some(vec![OsiDialect::AnsiSql]), semantic_model: vec![model] }
    }

    /// The document as it is stored.
    pub fn to_json(&self) -> String {
        text(self)
    }

    /// Err: what is wrong, and the line and column of it, from 1.
    pub fn read(json: &str) -> Result<Self, (String, usize, usize)> {
        serde_json::from_str(json).map_err(|error| (error.to_string(), error.line(), error.column()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OsiDialect {
    AnsiSql,
    Snowflake,
    Mdx,
    Tableau,
    Databricks,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OsiModel {
    pub name: String,
    pub datasets: Vec<OsiDataset>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationships: Option<Vec<OsiRelationship>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Vec<OsiMetric>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OsiDataset {
    pub name: String,
    pub source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_keys: Option<Vec<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<OsiField>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OsiField {
    pub name: String,
    pub expression: OsiExpression,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimension: Option<OsiDimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datatype: Option<OsiDatatype>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsiDimension {
    pub is_time: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OsiRelationship {
    pub name: String,
    /// The side of which many rows belong to one of `to`.
    pub from: String,
    pub to: String,
    pub from_columns: Vec<String>,
    pub to_columns: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OsiMetric {
    pub name: String,
    pub expression: OsiExpression,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datatype: Option<OsiDatatype>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The same in several dialects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OsiExpression {
    pub dialects: Vec<OsiDialectExpression>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OsiDialectExpression {
    pub dialect: OsiDialect,
    pub expression: String,
}

impl OsiExpression {
    pub fn ansi(expression: impl Into<String>) -> Self {
        Self { dialects: vec![OsiDialectExpression { dialect: OsiDialect::AnsiSql, expression: expression.into() }] }
    }

    /// In standard SQL, else in whatever comes first.
    pub fn text(&self) -> &str {
        let ansi = self.dialects.iter().find(|one| one.dialect == OsiDialect::AnsiSql);
        ansi.or(self.dialects.first()).map_or("", |one| &one.expression)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OsiDatatype {
    String,
    Integer,
    Decimal,
    Float,
    Boolean,
    Date,
    Time,
    DateTime,
    DateTimeTz,
    Opaque,
}

/// Each with the semantic layer's own name for it.
const DATATYPES: [(OsiDatatype, &str); 10] = [
    (OsiDatatype::String, "string"),
    (OsiDatatype::Integer, "integer"),
    (OsiDatatype::Decimal, "decimal"),
    (OsiDatatype::Float, "float"),
    (OsiDatatype::Boolean, "boolean"),
    (OsiDatatype::Date, "date"),
    (OsiDatatype::Time, "time"),
    (OsiDatatype::DateTime, "datetime"),
    (OsiDatatype::DateTimeTz, "datetime_tz"),
    (OsiDatatype::Opaque, "opaque"),
];

impl OsiDatatype {
    pub fn named(name: &str) -> Option<Self> {
        DATATYPES.iter().find(|(_, known)| *known == name).map(|(datatype, _)| *datatype)
    }

    pub fn name(self) -> &'static str {
        DATATYPES.iter().find(|(datatype, _)| *datatype == self).map_or("opaque", |(_, name)| name)
    }
}
