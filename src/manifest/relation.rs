//! A table or view in the warehouse, and its columns.

use std::fmt;
use std::sync::Arc;

/// dbt's relation types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationType {
    Table,
    View,
    Cte,
    MaterializedView,
    External,
    Ephemeral,
    PointerTable,
    Function,
}

impl RelationType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::Cte => "cte",
            Self::MaterializedView => "materialized_view",
            Self::External => "external",
            Self::Ephemeral => "ephemeral",
            Self::PointerTable => "pointer_table",
            Self::Function => "function",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Table,
            Self::View,
            Self::Cte,
            Self::MaterializedView,
            Self::External,
            Self::Ephemeral,
            Self::PointerTable,
            Self::Function,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
    }
}

/// Whose relations and columns they are: where warehouses differ in what a name or a type means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    #[default]
    DuckDb,
    Postgres,
}

impl Dialect {
    /// Of an adapter's name.
    pub fn of(adapter: &str) -> Self {
        if adapter == "postgres" { Self::Postgres } else { Self::DuckDb }
    }

    /// dbt's class of relations.
    pub fn relation_class(self) -> &'static str {
        match self {
            Self::DuckDb => "DuckDBRelation",
            Self::Postgres => "PostgresRelation",
        }
    }

    /// dbt's class of columns.
    pub fn column_class(self) -> &'static str {
        match self {
            Self::DuckDb => "DuckDBColumn",
            Self::Postgres => "PostgresColumn",
        }
    }

    /// The longest name that a relation may have; None: any.
    pub fn max_name_length(self) -> Option<usize> {
        (self == Self::Postgres).then_some(63)
    }

    /// May relations of that type be renamed, and replaced in one statement?
    pub fn renames(self, kind: Option<RelationType>) -> bool {
        self == Self::Postgres && matches!(kind, Some(RelationType::Table | RelationType::View))
    }
}

/// A choice for each part of a name: which are quoted, or which are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Include {
    pub database: bool,
    pub schema: bool,
    pub identifier: bool,
}

impl Default for Include {
    fn default() -> Self {
        Self { database: true, schema: true, identifier: true }
    }
}

/// A relation: dbt's `BaseRelation`. Immutable; the `with_` methods and Jinja's `incorporate`, `include`, `quote` give copies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Relation {
    pub database: Option<Arc<str>>,
    pub schema: Option<Arc<str>>,
    pub identifier: Option<Arc<str>>,
    pub kind: Option<RelationType>,
    pub quote: Include,
    pub include: Include,
    /// Text that is rendered instead of the name: an ephemeral model's CTE name, a location to read from.
    pub rendered: Option<Arc<str>>,
    /// `--empty` gives 0: rendered as `(select * from … where false limit 0)`.
    pub limit: Option<u64>,
    /// A condition on event time (microbatch, `--sample`), rendered as a subquery.
    pub event_time_filter: Option<Arc<str>>,
    /// Do subqueries need a name? None: as the warehouse has it.
    pub require_alias: Option<bool>,
    pub dialect: Dialect,
}

impl Relation {
    pub fn new(database: Option<&str>, schema: &str, identifier: &str) -> Self {
        Self {
            database: database.map(Into::into),
            schema: Some(schema.into()),
            identifier: Some(identifier.into()),
            ..Self::default()
        }
    }

    pub fn requires_alias(&self) -> bool {
        self.require_alias.unwrap_or(self.dialect == Dialect::Postgres)
    }

    /// The name alone, without limit or filter: `"db"."schema"."table"`.
    pub fn name(&self) -> String {
        if let Some(rendered) = &self.rendered {
            return rendered.to_string();
        }
        let parts = [
            (&self.database, self.include.database, self.quote.database),
            (&self.schema, self.include.schema, self.quote.schema),
            (&self.identifier, self.include.identifier, self.quote.identifier),
        ];
        let mut out = String::new();
        for (part, included, quoted) in parts {
            let Some(part) = part.as_deref().filter(|_| included) else { continue };
            if !out.is_empty() {
                out.push('.');
            }
            if quoted {
                out.push('"');
                out.push_str(part);
                out.push('"');
            } else {
                out.push_str(part);
            }
        }
        out
    }
}

/// As SQL reads it, limit and filter applied.
impl fmt::Display for Relation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        let alias = |what: &str| match self.identifier.as_deref().filter(|_| self.requires_alias()) {
            Some(identifier) => format!(" _dbt_{what}_subq_{identifier}"),
            None => String::new(),
        };
        let limited = match self.limit {
            Some(0) => format!("(select * from {name} where false limit 0){}", alias("limit")),
            Some(limit) => format!("(select * from {name} limit {limit}){}", alias("limit")),
            None => name,
        };
        match &self.event_time_filter {
            Some(filter) => write!(out, "(select * from {limited} where {filter}){}", alias("et_filter")),
            None => out.write_str(&limited),
        }
    }
}

/// A column as the warehouse describes it: dbt's `Column`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ColumnType {
    pub name: Arc<str>,
    /// The type without its size: `character varying`, `DECIMAL`.
    pub dtype: String,
    pub char_size: Option<u64>,
    pub dialect: Dialect,
    pub numeric_precision: Option<u64>,
    pub numeric_scale: Option<u64>,
}
