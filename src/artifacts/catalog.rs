//! catalog.json, version 1.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::{Header, Metadata, text};
use crate::manifest::Json;

/// One column of the catalog's query, and the relation it is of.
#[derive(Debug, Clone, Default)]
pub struct CatalogColumn {
    pub name: String,
    pub index: i64,
    pub kind: String,
    pub comment: Option<String>,
}

/// One relation of the catalog.
#[derive(Debug, Clone, Default)]
pub struct CatalogTable {
    pub unique_id: String,
    pub database: Option<String>,
    pub schema: String,
    pub name: String,
    pub kind: String,
    pub comment: Option<String>,
    pub owner: Option<String>,
    pub columns: Vec<CatalogColumn>,
    /// (id, label, value, description, include).
    pub stats: Vec<(String, String, Json, String, bool)>,
}

/// catalog.json (v1). Relations are sorted by id; `has_stats` is added where no statistics are.
pub fn catalog(nodes: &[CatalogTable], sources: &[CatalogTable], errors: Option<&[String]>, metadata: &Metadata) -> String {
    #[derive(Serialize)]
    struct Catalog<'a> {
        metadata: Header<'a>,
        nodes: Tables<'a>,
        sources: Tables<'a>,
        errors: Option<&'a [String]>,
    }
    let metadata = Header { schema: "catalog/v1", metadata };
    text(&Catalog { metadata, nodes: Tables(nodes), sources: Tables(sources), errors })
}

struct Tables<'a>(&'a [CatalogTable]);

impl Serialize for Tables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tables: Vec<&CatalogTable> = self.0.iter().collect();
        tables.sort_by(|a, b| a.unique_id.cmp(&b.unique_id));
        serializer.collect_map(tables.into_iter().map(|table| (&table.unique_id, Table(table))))
    }
}

struct Table<'a>(&'a CatalogTable);

#[derive(Serialize)]
struct TableMetadata<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    schema: &'a str,
    name: &'a str,
    database: Option<&'a str>,
    comment: Option<&'a str>,
    owner: Option<&'a str>,
}

#[derive(Serialize)]
struct Column<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    index: i64,
    name: &'a str,
    comment: Option<&'a str>,
}

#[derive(Serialize)]
struct Stat<'a> {
    id: &'a str,
    label: &'a str,
    value: Json,
    include: bool,
    description: &'a str,
}

impl Serialize for Table<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let table = self.0;
        let mut map = serializer.serialize_map(None)?;
        let metadata = TableMetadata {
            kind: &table.kind,
            schema: &table.schema,
            name: &table.name,
            database: table.database.as_deref(),
            comment: table.comment.as_deref(),
            owner: table.owner.as_deref(),
        };
        map.serialize_entry("metadata", &metadata)?;
        map.serialize_entry("columns", &Columns(&table.columns))?;
        map.serialize_entry("stats", &Stats(table))?;
        map.serialize_entry("unique_id", &table.unique_id)?;
        map.end()
    }
}

struct Columns<'a>(&'a [CatalogColumn]);

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|column| {
            let CatalogColumn { name, index, kind, comment } = column;
            (name, Column { kind, index: *index, name, comment: comment.as_deref() })
        }))
    }
}

struct Stats<'a>(&'a CatalogTable);

impl Serialize for Stats<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let given = self.0.stats.iter().map(|(id, label, value, description, include)| Stat {
            id,
            label,
            value: value.clone(),
            include: *include,
            description,
        });
        let any = self.0.stats.iter().any(|(.., include)| *include);
        let has_stats = Stat {
            id: "has_stats",
            label: "Has Stats?",
            value: any.into(),
            include: false,
            description: "Indicates whether there are statistics for this table",
        };
        serializer.collect_map(given.chain([has_stats]).map(|stat| (stat.id, stat)))
    }
}
