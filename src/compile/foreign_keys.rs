//! DuckDB's foreign keys: which tables have key constraints, and the lock that keeps models with them from building at once.
//!
//! Making or dropping a table with a foreign key also changes the table it refers to, so two such models in two transactions
//! would conflict.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::session::Session;
use crate::jinja::Error;
use crate::manifest::{ColumnInfo, Constraint, Detail, Dialect, Node, Relation};

/// Taken by models in foreign key relationships, for as long as they are built.
static BUILDING: Mutex<()> = Mutex::new(());

const KEY_KINDS: [&str; 3] = ["primary_key", "unique", "foreign_key"];

/// Held while a model is built that a foreign key concerns.
pub struct Guard {
    _lock: MutexGuard<'static, ()>,
}

fn escaped(text: &str) -> String {
    text.replace('\'', "''")
}

/// Does that database know foreign keys: is it DuckDB's own format?
pub fn supported(session: &Session, database: &str) -> Result<bool, Error> {
    if session.warehouse.facts.dialect() != Dialect::DuckDb {
        return Ok(false);
    }
    let constraints = &session.warehouse.constraints;
    let known =
        |databases: &HashMap<String, String>| databases.get(&database.to_lowercase()).is_some_and(|kind| kind == "duckdb");
    if let Some(databases) = &constraints.lock().unwrap_or_else(PoisonError::into_inner).databases {
        return Ok(known(databases));
    }
    let rows = session.query("select database_name, type from duckdb_databases()")?.rows;
    let pair =
        |row: &Vec<crate::agate::Cell>| Some((row.first()?.to_string().to_lowercase(), row.get(1)?.to_string().to_lowercase()));
    let databases: HashMap<String, String> = rows.iter().filter_map(pair).collect();
    let answer = known(&databases);
    constraints.lock().unwrap_or_else(PoisonError::into_inner).databases = Some(databases);
    Ok(answer)
}

/// The key constraints that a table had when its schema was first asked for: dbt's names, sorted.
pub fn existing(session: &Session, relation: &Relation) -> Result<Vec<String>, Error> {
    let part = |part: &Option<std::sync::Arc<str>>| part.as_deref().unwrap_or_default().to_lowercase();
    let (database, schema, identifier) = (part(&relation.database), part(&relation.schema), part(&relation.identifier));
    if !supported(session, &database)? {
        return Ok(Vec::new());
    }
    let key = (database, schema);
    let constraints = &session.warehouse.constraints;
    let known = |tables: &HashMap<String, Vec<String>>| tables.get(&identifier).cloned().unwrap_or_default();
    if let Some(tables) = constraints.lock().unwrap_or_else(PoisonError::into_inner).by_schema.get(&key) {
        return Ok(known(tables));
    }
    let sql = format!(
        "select distinct lower(table_name), replace(lower(constraint_type), ' ', '_') as kind from duckdb_constraints() \
         where lower(database_name) = '{}' and lower(schema_name) = '{}' \
         and constraint_type in ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY') order by all",
        escaped(&key.0),
        escaped(&key.1)
    );
    let mut tables: HashMap<String, Vec<String>> = HashMap::new();
    for row in &session.query(&sql)?.rows {
        if let [table, kind] = row.as_slice() {
            tables.entry(table.to_string()).or_default().push(kind.to_string());
        }
    }
    let answer = known(&tables);
    constraints.lock().unwrap_or_else(PoisonError::into_inner).by_schema.insert(key, tables);
    Ok(answer)
}

/// The key constraints that a model's contract declares.
fn declared(node: &Node) -> Vec<&str> {
    if !node.contract.enforced {
        return Vec::new();
    }
    let of_model: &[Constraint] = if let Detail::Model(model) = &node.detail { &model.constraints } else { &[] };
    let of_columns = node.columns.values().flat_map(|column: &ColumnInfo| &column.constraints);
    let kinds = of_model.iter().chain(of_columns).filter_map(|constraint| constraint.body.get("type")?.as_str());
    kinds.filter(|kind| KEY_KINDS.contains(kind)).collect()
}

/// Waits for its turn if the model has a foreign key, or is referred to by one; None where it need not wait. To be called
/// before a model is built, and the guard dropped after.
pub fn guard(session: &Session, node: &Node, relation: &Relation) -> Result<Option<Guard>, Error> {
    let kinds = declared(node);
    if kinds.is_empty()
        && (!session.warehouse.cache.has_schema(relation.database.as_deref(), &node.schema)
            || existing(session, relation)?.is_empty())
    {
        return Ok(None);
    }
    if !supported(session, relation.database.as_deref().unwrap_or_default())? {
        return Ok(None);
    }
    // Ask for references only while holding the lock: another thread's are hidden until it commits.
    let lock = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let refers = kinds.contains(&"foreign_key") || existing(session, relation)?.iter().any(|kind| kind == "foreign_key");
    if refers || is_target(session, relation)? { Ok(Some(Guard { _lock: lock })) } else { Ok(None) }
}

/// Does another table's foreign key refer to this one? (They cannot cross schemas.)
fn is_target(session: &Session, relation: &Relation) -> Result<bool, Error> {
    let part = |part: &Option<std::sync::Arc<str>>| escaped(part.as_deref().unwrap_or_default());
    let sql = format!(
        "select 1 from duckdb_constraints() where constraint_type = 'FOREIGN KEY' and lower(database_name) = lower('{}') \
         and lower(schema_name) = lower('{}') and lower(referenced_table) = lower('{}') \
         and lower(table_name) <> lower(referenced_table) limit 1",
        part(&relation.database),
        part(&relation.schema),
        part(&relation.identifier)
    );
    Ok(!session.query(&sql)?.is_empty())
}
