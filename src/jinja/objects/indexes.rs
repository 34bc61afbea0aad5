//! Indexes: as a model's config asks for them, and how those of a materialized view differ from its config.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::{Args, Cx, Error, Instance, Value, ValueKind, dict, get, instance, items, list, none, pairs, repr, text};
use super::{no_method, optional, relation, table};
use crate::manifest::Dialect;

/// An index as a model's config asks for it.
#[derive(Debug)]
struct Index {
    dialect: Dialect,
    columns: Vec<String>,
    unique: bool,
    /// `btree`, `hash` …: PostgreSQL's only.
    method: Option<String>,
}

/// `adapter.parse_index(raw_index)`.
pub(super) fn parse(dialect: Dialect, args: &Args) -> Result<Value, Error> {
    let Some(raw) = args.given(0, "raw_index") else { return Ok(none()) };
    let wrong = |what: String| Error::compilation(format!("Could not parse index config: {what}"));
    if pairs(raw).is_none() {
        let shown = repr(raw);
        return Err(wrong(format!("an index has to be a dict with `columns` and maybe `unique`, got {shown}")));
    }
    let given = |key: &str| get(raw, key).filter(|value| !value.is_undefined());
    let columns = given("columns").ok_or_else(|| wrong("'columns' is a required property".to_owned()))?;
    let not_a = |value: &Value, kind: &str| wrong(format!("{} is not of type '{kind}'", repr(value)));
    let names = if columns.as_str().is_some() { None } else { items(&columns) };
    let names = names.ok_or_else(|| wrong(format!("columns: {} is not of type 'array'", repr(&columns))))?;
    let unique = given("unique").filter(|unique| !unique.is_none());
    if let Some(unique) = unique.as_ref().filter(|unique| unique.kind() != ValueKind::Bool) {
        return Err(wrong(format!("unique: {} is not of type 'boolean'", repr(unique))));
    }
    let method = given("type").filter(|method| !method.is_none());
    if let Some(method) = method.as_ref().filter(|method| method.as_str().is_none()) {
        return Err(not_a(method, "string"));
    }
    let columns = names.iter().map(text).collect();
    let unique = unique.is_some_and(|unique| unique.is_true());
    Ok(instance(Arc::new(Index { dialect, columns, unique, method: method.map(|method| text(&method)) })))
}

impl Index {
    fn python_unique(&self) -> &'static str {
        if self.unique { "True" } else { "False" }
    }
}

impl Instance for Index {
    fn type_name(&self) -> &'static str {
        match self.dialect {
            Dialect::DuckDb => "DuckDBIndexConfig",
            Dialect::Postgres => "PostgresIndexConfig",
        }
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "columns" => Some(list(self.columns.iter().map(|name| Value::from(name.as_str())).collect())),
            "unique" => Some(self.unique.into()),
            "type" if self.dialect == Dialect::Postgres => Some(optional(self.method.as_deref())),
            _ => None,
        }
    }

    fn methods(&self) -> &'static [&'static str] {
        &["render"]
    }

    /// `render(relation)`: a name of its own for every run, since an index of an earlier table may still stand.
    fn call_method(&self, _: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        use md5::Digest;
        if name != "render" {
            return Err(no_method(self.type_name(), name));
        }
        let relation = args.get(0, "relation").and_then(relation::of).map(|relation| relation.name()).unwrap_or_default();
        let now = chrono::Utc::now().to_rfc3339();
        let method = self.method.as_deref().unwrap_or("None");
        let input = format!("{}_{relation}_{}_{method}_{now}", self.columns.join("_"), self.python_unique());
        Ok(format!("{:x}", md5::Md5::digest(input.as_bytes())).into())
    }

    fn text(&self) -> String {
        format!("{}(columns={:?}, unique={})", self.type_name(), self.columns, self.python_unique())
    }
}

/// What makes an index of a materialized view the one that is wanted; its name does not, since that is made up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    columns: BTreeSet<String>,
    unique: bool,
    method: String,
}

/// `relation.get_materialized_view_config_change_collection(relation_results, relation_config)`: the indexes to drop and
/// to create, drops first; None if all is as configured.
pub(super) fn changes(args: &Args) -> Result<Value, Error> {
    let present = present(args.required("get_materialized_view_config_change_collection", 0, "relation_results")?);
    let wanted = wanted(args.required("get_materialized_view_config_change_collection", 1, "relation_config")?);
    let dropped = present.iter().filter(|(_, kind)| !wanted.contains(kind));
    let made = wanted.iter().filter(|kind| !present.iter().any(|(_, known)| known == *kind));
    let mut changes: Vec<Value> = dropped.map(|(name, kind)| change("drop", Some(name), kind)).collect();
    changes.extend(made.map(|kind| change("create", None, kind)));
    if changes.is_empty() {
        return Ok(none());
    }
    let indexes = list(changes);
    Ok(dict([("indexes", indexes), ("requires_full_refresh", false.into()), ("has_changes", true.into())]))
}

/// The indexes that stand, by name.
fn present(results: &Value) -> Vec<(String, Kind)> {
    let Some(rows) = get(results, "indexes").and_then(|indexes| table::of(&indexes)) else { return Vec::new() };
    let read = |row: usize| {
        let cell = |name: &str| rows.get(row, name).map(ToString::to_string).unwrap_or_default();
        let columns = cell("column_names").split(',').map(str::to_lowercase).collect();
        (cell("name"), Kind { columns, unique: cell("unique") == "True", method: cell("method") })
    };
    (0..rows.len()).map(read).collect()
}

/// The indexes that the model's config asks for, each once.
fn wanted(model: &Value) -> BTreeSet<Kind> {
    let indexes = get(model, "config").and_then(|config| get(&config, "indexes")).and_then(|indexes| items(&indexes));
    let read = |index: &Value| {
        let columns = get(index, "columns").and_then(|columns| items(&columns)).unwrap_or_default();
        let method = get(index, "type").filter(Value::is_true).map_or_else(|| "btree".to_owned(), |method| text(&method));
        let unique = get(index, "unique").is_some_and(|unique| unique.is_true());
        Kind { columns: columns.iter().map(|column| text(column).to_lowercase()).collect(), unique, method }
    };
    indexes.unwrap_or_default().iter().map(read).collect()
}

fn change(action: &'static str, name: Option<&str>, kind: &Kind) -> Value {
    let columns = || list(kind.columns.iter().map(|name| Value::from(name.as_str())).collect());
    let method = || Value::from(kind.method.as_str());
    let as_node_config = dict([("columns", columns()), ("unique", kind.unique.into()), ("type", method())]);
    let context = dict([
        ("name", Value::from(name.unwrap_or_default())),
        ("column_names", columns()),
        ("unique", kind.unique.into()),
        ("method", method()),
        ("as_node_config", as_node_config),
    ]);
    dict([("action", action.into()), ("context", context), ("requires_full_refresh", false.into())])
}
