//! `adapter` while nodes run: metadata through macros that projects may override, the rest straight to the warehouse.

use std::sync::Arc;

use super::foreign_keys;
use super::plugins;
use super::session::{Execution, Session};
use crate::event::schema_event;
use crate::jinja::objects::{adapter_methods, column, relation, response, table};
use crate::jinja::{Args, Cx, Error, ErrorKind, Instance, Value, get, items, list, none, pairs, text, tuple};
use crate::manifest::{Dialect, Relation};

/// `adapter` for code that runs in a session.
#[derive(Debug)]
pub struct AdapterObject {
    session: Arc<Session>,
}

/// The object for Jinja.
pub fn value(session: &Arc<Session>) -> Value {
    crate::jinja::instance(Arc::new(AdapterObject { session: session.clone() }))
}

/// Is there a relation of that name? Asks the cache; a schema that it does not know yet is listed.
pub(super) fn exists(session: &Arc<Session>, cx: &mut Cx<'_>, relation: &Relation) -> Result<bool, Error> {
    let part = |part: &Option<Arc<str>>| part.as_deref().map(str::to_owned);
    let adapter = AdapterObject { session: session.clone() };
    let found = adapter.find(cx, part(&relation.database), part(&relation.schema), part(&relation.identifier))?;
    Ok(found.is_some())
}

impl Instance for AdapterObject {
    fn type_name(&self) -> &'static str {
        "RuntimeDatabaseWrapper"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        adapter_methods::attribute(&self.session.warehouse.facts, name)
    }

    fn methods(&self) -> &'static [&'static str] {
        adapter_methods::names()
    }

    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        if let Some(answer) = adapter_methods::pure(&self.session.warehouse.facts, name, &args) {
            return answer;
        }
        if let Some(answer) = self.statements(cx, name, &args)? {
            return Ok(answer);
        }
        if let Some(answer) = self.relations(cx, name, &args)? {
            return Ok(answer);
        }
        if let Some(answer) = self.models(cx, name, &args)? {
            return Ok(answer);
        }
        match self.attribute(name) {
            Some(class) => cx.call(&class, args),
            None => Err(Error::missing_method(self.type_name(), name)),
        }
    }

    fn text(&self) -> String {
        "adapter".to_string()
    }
}

impl AdapterObject {
    /// Calls one of dbt's metadata macros, the project's own first.
    fn call_macro(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        cx.call_macro_apart(name, self.session.warehouse.package_of(name), args)
    }

    /// Statements, transactions, dispatch.
    fn statements(&self, cx: &mut Cx<'_>, name: &str, args: &Args) -> Result<Option<Value>, Error> {
        let session = &self.session;
        let answer: Result<Value, Error> = match name {
            "dispatch" => self.dispatch(cx, args),
            "execute" => {
                let sql = text(args.required(name, 0, "sql")?);
                let limit =
                    args.given(3, "limit").and_then(|limit| usize::try_from(limit.clone()).ok()).filter(|limit| *limit > 0);
                let how = Execution {
                    auto_begin: args.truth(1, "auto_begin").unwrap_or(false),
                    fetch: args.truth(2, "fetch").unwrap_or(false),
                    limit,
                };
                let (response, table) = session.execute_with(&sql, how)?;
                Ok(tuple(vec![response::value(response), table::value(table)]))
            }
            "add_query" => {
                let sql = text(args.required(name, 0, "sql")?);
                let bindings = args.given(2, "bindings").and_then(items).unwrap_or_default();
                let bindings: Vec<_> = bindings.iter().map(table::cell_of).collect();
                session.add_query(&sql, args.truth(1, "auto_begin").unwrap_or(true), &bindings)?;
                Ok(tuple(vec![none(), none()]))
            }
            "commit" => session.commit().map(|()| none()),
            "ensure_transaction" => self.ensure_transaction(),
            "load_rows" => {
                let relation = relation::required(name, "relation", args.get(0, "relation"))?;
                let rows = args.get(1, "agate_table").and_then(table::of);
                let rows = rows.ok_or_else(|| Error::compilation("load_rows() needs a table as 'agate_table'"))?;
                session.load(&relation, &text(args.required(name, 2, "columns")?), &rows)?;
                Ok(none())
            }
            "location_exists" => {
                let location = args.text(0, "location").unwrap_or_default();
                match session.execute(&format!("select 1 from '{location}' where 1=0")) {
                    Err(error) if error.kind == ErrorKind::Cancelled => Err(error),
                    answer => Ok(answer.is_ok().into()),
                }
            }
            "run_sql_for_tests" => self.run_sql_for_tests(args),
            "get_column_schema_from_query" => {
                let columns = session.describe(&text(args.required(name, 0, "sql")?))?;
                let columns = columns
                    .iter()
                    .flat_map(|(name, kind)| column::flatten(&column::typed(session.warehouse.facts.dialect(), name, kind)));
                Ok(list(columns.map(column::value).collect()))
            }
            "catalog_supports_foreign_keys" => {
                foreign_keys::supported(session, &args.text(0, "database").unwrap_or_default()).map(Value::from)
            }
            "existing_key_constraint_types" => {
                let relation = relation::required(name, "relation", args.get(0, "relation"))?;
                let kinds = foreign_keys::existing(session, &relation)?;
                Ok(list(kinds.into_iter().map(Value::from).collect()))
            }
            "warn_once" => {
                session.warehouse.warn_once(&args.text(0, "msg").unwrap_or_default());
                Ok("".into())
            }
            "verify_database" => self.verify_database(&args.text(0, "database").unwrap_or_default()),
            _ => return Ok(None),
        };
        answer.map(Some)
    }

    /// PostgreSQL's connections reach one database only.
    fn verify_database(&self, database: &str) -> Result<Value, Error> {
        let warehouse = &self.session.warehouse;
        let expected = warehouse.database.as_deref().unwrap_or_default();
        let database = if database.starts_with('"') { database.trim_matches('"') } else { database };
        if warehouse.facts.dialect() == Dialect::Postgres && !database.eq_ignore_ascii_case(expected) {
            let message = format!("Cross-db references not allowed in postgres ({database} vs {expected})");
            return Err(Error::new(ErrorKind::Runtime, message));
        }
        Ok("".into())
    }

    fn dispatch(&self, cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
        let name = text(args.required("dispatch", 0, "macro_name")?);
        let given = args.given(1, "macro_namespace");
        if let Some(odd) = given.filter(|namespace| namespace.as_str().is_none()) {
            let shown = crate::jinja::repr(odd);
            return Err(Error::compilation(format!(
                "In adapter.dispatch, the macro_namespace has to be None or a string, not {shown}"
            )));
        }
        if args.given(2, "packages").is_some() {
            return Err(Error::compilation(format!(
                "The \"packages\" argument of adapter.dispatch is no longer supported: use the \"macro_namespace\" argument. It was given for '{name}'"
            )));
        }
        let namespace = given.and_then(|namespace| namespace.as_str().map(ToString::to_string));
        let warehouse = self.session.warehouse.clone();
        let order = warehouse.dispatch_order(namespace.as_deref());
        cx.dispatch(&name, namespace.as_deref(), &order, &[&warehouse.facts.kind, "default"])
    }

    fn ensure_transaction(&self) -> Result<Value, Error> {
        if !self.session.in_transaction() {
            if self.session.warehouse.facts.features.disable_transactions {
                self.session.warehouse.warn_once(
                    "disable_transactions is set, but tables with foreign keys are rebuilt within a transaction, so that a failed \
                     build leaves the existing table as it is.",
                );
            }
            self.session.begin()?;
        }
        Ok(none())
    }

    fn run_sql_for_tests(&self, args: &Args) -> Result<Value, Error> {
        let rows = self.session.query(&text(args.required("run_sql_for_tests", 0, "sql")?))?;
        let rows = table::matrix(&Arc::new(rows));
        Ok(match args.text(1, "fetch").as_deref() {
            Some("one") => items(&rows).and_then(|rows| rows.into_iter().next()).unwrap_or_else(none),
            Some("all") => rows,
            _ => none(),
        })
    }

    /// Relations and schemas.
    fn relations(&self, cx: &mut Cx<'_>, name: &str, args: &Args) -> Result<Option<Value>, Error> {
        let cache = &self.session.warehouse.cache;
        let relation = |position: usize, argument: &str| relation::required(name, argument, args.get(position, argument));
        let answer: Result<Value, Error> = match name {
            "get_relation" => {
                let part = |position: usize, key: &str| args.text(position, key);
                let found = self.find(cx, part(0, "database"), part(1, "schema"), part(2, "identifier"))?;
                Ok(found.map_or_else(none, relation::value))
            }
            "already_exists" => {
                let database = self.session.warehouse.database.clone();
                Ok(self.find(cx, database, args.text(0, "schema"), args.text(1, "name"))?.is_some().into())
            }
            "list_relations" | "list_relations_without_caching" => {
                let (database, schema) = match args.get(0, "schema_relation").and_then(relation::of) {
                    Some(schema) => (schema.database.map(|name| name.to_string()), schema.schema.map(|name| name.to_string())),
                    None => (args.text(0, "database"), args.text(1, "schema")),
                };
                let found = self.list(cx, database.as_deref(), &schema.unwrap_or_default())?;
                Ok(list(found.into_iter().map(relation::value).collect()))
            }
            "cache_added" => {
                cache.add(relation(0, "relation")?);
                Ok("".into())
            }
            "cache_dropped" => {
                cache.remove(&relation(0, "relation")?);
                Ok("".into())
            }
            "cache_renamed" => {
                self.renamed(&relation(0, "from_relation")?, &relation(1, "to_relation")?)?;
                Ok("".into())
            }
            "cache_replaced" => {
                let (old, new) = (relation(0, "relation")?, relation(1, "target_relation")?);
                self.replaced(&old, &new, args.get(2, "gone"));
                Ok("".into())
            }
            "drop_relation" => {
                let dropped = relation(0, "relation")?;
                if dropped.kind.is_none() {
                    return Err(Error::compilation(format!("Tried to drop relation {dropped}, but its type is null.")));
                }
                cache.remove(&dropped);
                self.call_macro(cx, name, Args::default().with("relation", relation::value(dropped)))?;
                Ok(none())
            }
            "truncate_relation" => {
                let relation = relation::value(relation(0, "relation")?);
                self.call_macro(cx, name, Args::default().with("relation", relation))?;
                Ok(none())
            }
            "rename_relation" => {
                let (from, to) = (relation(0, "from_relation")?, relation(1, "to_relation")?);
                self.renamed(&from, &to)?;
                let args = Args::default().with("from_relation", relation::value(from)).with("to_relation", relation::value(to));
                self.call_macro(cx, name, args)?;
                Ok(none())
            }
            "create_schema" | "drop_schema" => self.schema(cx, name, relation(0, "relation")?),
            "check_schema_exists" => self.schema_exists(cx, args),
            _ => return Ok(None),
        };
        answer.map(Some)
    }

    fn renamed(&self, from: &Relation, to: &Relation) -> Result<(), Error> {
        self.session.warehouse.cache.rename(from, to).map_err(|message| Error::new(ErrorKind::Runtime, message))
    }

    /// `gone` are pairs of schema and name: readers that could not stay, to be built again.
    fn replaced(&self, old: &Relation, new: &Relation, gone: Option<&Value>) {
        let pair = |pair: &Value| match items(pair)?.as_slice() {
            [schema, name] => {
                Some(Relation { schema: Some(text(schema).into()), identifier: Some(text(name).into()), ..old.clone() })
            }
            _ => None,
        };
        let gone: Vec<Relation> = gone.and_then(items).unwrap_or_default().iter().filter_map(pair).collect();
        self.session.warehouse.cache.replace(old, new, &gone);
        self.session.lost(gone);
    }

    fn schema(&self, cx: &mut Cx<'_>, name: &str, mut relation: Relation) -> Result<Value, Error> {
        relation.identifier = None;
        relation.include.identifier = false;
        self.session.warehouse.events.emit(schema_event(&relation, name == "create_schema"));
        self.call_macro(cx, name, Args::default().with("relation", relation::value(relation.clone())))?;
        self.session.commit()?;
        if name == "drop_schema" {
            self.session.warehouse.cache.drop_schema(relation.database.as_deref(), relation.schema.as_deref());
        }
        Ok(none())
    }

    fn schema_exists(&self, cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
        let schema = args.text(1, "schema").unwrap_or_default();
        let whole = Relation {
            database: args.text(0, "database").map(Into::into),
            schema: Some(schema.as_str().into()),
            quote: self.session.warehouse.facts.quoting,
            dialect: self.session.warehouse.facts.dialect(),
            ..Relation::default()
        };
        let information_schema = cx.call_method(&relation::value(whole), "information_schema", Args::default())?;
        let args = Args::default().with("information_schema", information_schema).with("schema", schema.into());
        let answer = self.call_macro(cx, "check_schema_exists", args)?;
        let count = table::of(&answer).and_then(|table| table.rows.first()?.first()?.as_i64());
        Ok((count.unwrap_or(0) > 0).into())
    }

    /// All relations of a schema: from the cache, which is filled first where it has to be.
    fn list(&self, cx: &mut Cx<'_>, database: Option<&str>, schema: &str) -> Result<Vec<Relation>, Error> {
        let cache = &self.session.warehouse.cache;
        if !cache.has_schema(database, schema) {
            let whole = Relation {
                database: database.map(Into::into),
                schema: Some(schema.into()),
                quote: self.session.warehouse.facts.quoting,
                dialect: self.session.warehouse.facts.dialect(),
                include: crate::manifest::Include { identifier: false, ..Default::default() },
                ..Relation::default()
            };
            let args = Args::default().with("schema_relation", relation::value(whole.clone()));
            let answer = self.call_macro(cx, "list_relations_without_caching", args)?;
            cache.fill(&whole, &table::of(&answer).unwrap_or_default());
        }
        Ok(cache.list(database, schema))
    }

    /// The relation of that name. Names that differ only by case are an error, as in dbt.
    fn find(
        &self,
        cx: &mut Cx<'_>,
        database: Option<String>,
        schema: Option<String>,
        identifier: Option<String>,
    ) -> Result<Option<Relation>, Error> {
        let quoting = self.session.warehouse.facts.quoting;
        let schema_name = schema.clone().unwrap_or_default();
        let known = match &identifier {
            // The usual question: one look, without a list.
            Some(identifier) if self.session.warehouse.cache.has_schema(database.as_deref(), &schema_name) => {
                let found = self.session.warehouse.cache.get(database.as_deref(), &schema_name, identifier);
                found.into_iter().collect()
            }
            _ => self.list(cx, database.as_deref(), &schema_name)?,
        };
        let folded = |part: Option<String>, quoted: bool| if quoted { part } else { part.map(|part| part.to_lowercase()) };
        let (database, schema, identifier) =
            (folded(database, quoting.database), folded(schema, quoting.schema), folded(identifier, quoting.identifier));
        let mut found = Vec::new();
        for candidate in known {
            if relation::matches(&candidate, database.as_deref(), schema.as_deref(), identifier.as_deref())? {
                found.push(candidate);
            }
        }
        if found.len() > 1 {
            let names: Vec<String> = found.iter().map(ToString::to_string).collect();
            let wanted = identifier.unwrap_or_default();
            return Err(Error::compilation(format!(
                "get_relation returned more than one relation for '{wanted}': {}",
                names.join(", ")
            )));
        }
        Ok(found.pop())
    }

    /// Columns, snapshots, incremental strategies.
    fn models(&self, cx: &mut Cx<'_>, name: &str, args: &Args) -> Result<Option<Value>, Error> {
        let relation = |position: usize, argument: &str| relation::required(name, argument, args.get(position, argument));
        let answer: Result<Value, Error> = match name {
            "get_columns_in_relation" => {
                let given = args.required(name, 0, "relation")?.clone();
                self.described(cx, &given)
            }
            "get_columns_in_table" => {
                let whole = Relation {
                    database: self.session.warehouse.database.as_deref().map(Into::into),
                    quote: self.session.warehouse.facts.quoting,
                    dialect: self.session.warehouse.facts.dialect(),
                    ..Relation::new(
                        None,
                        &args.text(0, "schema").unwrap_or_default(),
                        &args.text(1, "identifier").unwrap_or_default(),
                    )
                };
                self.columns(cx, &relation::value(whole)).map(list)
            }
            "get_missing_columns" => {
                let (from, to) = (relation(0, "from_relation")?, relation(1, "to_relation")?);
                let from = self.columns(cx, &relation::value(from))?;
                let known: Vec<String> = self.column_names(cx, &relation::value(to))?;
                let missing =
                    |value: &Value| column::of(value).is_some_and(|column| !known.iter().any(|name| **name == *column.name));
                Ok(list(from.into_iter().filter(missing).collect()))
            }
            "expand_target_column_types" => {
                self.expand_types(cx, relation(0, "from_relation")?, relation(1, "to_relation")?).map(|()| none())
            }
            "valid_snapshot_target" => {
                self.check_snapshot(cx, relation(0, "relation")?, args.given(1, "column_names"), &SNAPSHOT_COLUMNS)
            }
            "assert_valid_snapshot_target_given_strategy" => {
                let target = relation(0, "relation")?;
                let names = args.given(1, "column_names");
                self.check_snapshot(cx, target.clone(), names, &SNAPSHOT_COLUMNS)?;
                let mode = args.get(2, "strategy").and_then(|strategy| get(strategy, "hard_deletes"));
                if mode.is_some_and(|mode| mode.as_str() == Some("new_record")) {
                    self.check_snapshot(cx, target, names, &["dbt_is_deleted"])?;
                }
                Ok(none())
            }
            "get_hard_deletes_behavior" => hard_deletes(cx, args.required(name, 0, "config")?),
            "get_incremental_strategy_macro" => self.strategy_macro(cx, args),
            "store_relation" => plugins::store(&self.session, args).map(|()| none()),
            "get_partitions_metadata" => {
                Err(Error::new(ErrorKind::Runtime, "`get_partitions_metadata` is not implemented for this adapter!"))
            }
            _ => return Ok(None),
        };
        answer.map(Some)
    }

    /// The columns by the macro; none for a relation that is not there.
    fn columns(&self, cx: &mut Cx<'_>, given: &Value) -> Result<Vec<Value>, Error> {
        self.described(cx, given).map(|columns| items(&columns).unwrap_or_default())
    }

    /// What the macro `get_columns_in_relation` answers: a project's own may answer anything.
    fn described(&self, cx: &mut Cx<'_>, given: &Value) -> Result<Value, Error> {
        match self.call_macro(cx, "get_columns_in_relation", Args::default().with("relation", given.clone())) {
            Err(error) if error.database && error.message.to_lowercase().contains("does not exist") => Ok(list(Vec::new())),
            answer => answer,
        }
    }

    /// Texts of the second relation are made as long as those of the first. DuckDB's have no length that could be too short.
    fn expand_types(&self, cx: &mut Cx<'_>, from: Relation, to: Relation) -> Result<(), Error> {
        if self.session.warehouse.facts.dialect() == Dialect::DuckDb {
            return Ok(());
        }
        let wanted = self.columns(cx, &relation::value(from))?;
        let present = self.columns(cx, &relation::value(to.clone()))?;
        for wanted in wanted.iter().filter_map(column::of) {
            let Some(narrow) = present.iter().filter_map(column::of).find(|column| column.name == wanted.name) else { continue };
            if let Some(kind) = column::expanded(&narrow, &wanted) {
                let args = Args::default().with("relation", relation::value(to.clone()));
                let args = args.with("column_name", wanted.name.as_ref().into()).with("new_column_type", kind.into());
                self.call_macro(cx, "alter_column_type", args)?;
            }
        }
        Ok(())
    }

    fn column_names(&self, cx: &mut Cx<'_>, given: &Value) -> Result<Vec<String>, Error> {
        let columns = self.columns(cx, given)?;
        Ok(columns.iter().filter_map(column::of).map(|column| column.name.to_string()).collect())
    }

    fn check_snapshot(&self, cx: &mut Cx<'_>, target: Relation, names: Option<&Value>, wanted: &[&str]) -> Result<Value, Error> {
        let known: Vec<String> =
            self.column_names(cx, &relation::value(target))?.iter().map(|name| name.to_lowercase()).collect();
        let configured = |name: &str| match names {
            Some(names) => get(names, name).filter(|name| !name.is_none()).map(|name| text(&name)),
            None => Some(name.to_string()),
        };
        let missing: Vec<String> =
            wanted.iter().filter_map(|name| configured(name)).filter(|name| !known.contains(&name.to_lowercase())).collect();
        if missing.is_empty() {
            return Ok(none());
        }
        Err(Error::compilation(format!(
            "Snapshot target is missing configured columns (missing \"{}\"): it is no snapshot table, or was made with other column names",
            missing.join("\", \"")
        )))
    }

    fn strategy_macro(&self, cx: &mut Cx<'_>, args: &Args) -> Result<Value, Error> {
        const BUILT_IN: [&str; 5] = ["append", "delete+insert", "merge", "insert_overwrite", "microbatch"];
        let strategy = args.text(1, "strategy").unwrap_or_else(|| "default".to_string());
        if BUILT_IN.contains(&strategy.as_str()) && !adapter_methods::STRATEGIES.contains(&strategy.as_str()) {
            let known = adapter_methods::STRATEGIES.join(", ");
            return Err(Error::new(
                ErrorKind::Runtime,
                format!("The incremental strategy '{strategy}' is not valid for this adapter, which has: {known}"),
            ));
        }
        let name = format!("get_incremental_{}_sql", strategy.replace('+', "_"));
        cx.find_macro(&name, None).or_else(|| cx.lookup(&name)).ok_or_else(|| {
            let project = &self.session.warehouse.facts.project_name;
            let message = format!("dbt could not find an incremental strategy macro with the name \"{name}\" in {project}");
            Error::new(ErrorKind::Runtime, message)
        })
    }
}

const SNAPSHOT_COLUMNS: [&str; 3] = ["dbt_scd_id", "dbt_valid_from", "dbt_valid_to"];

/// Out of a dict, or of `config`, which answers to `get`.
fn hard_deletes(cx: &mut Cx<'_>, config: &Value) -> Result<Value, Error> {
    let mut read = |key: &str| -> Result<Value, Error> {
        if pairs(config).is_some() {
            return Ok(get(config, key).unwrap_or_else(none));
        }
        cx.call_method(config, "get", Args::new(vec![key.into(), none()]))
    };
    let (invalidate, mode) = (read("invalidate_hard_deletes")?, read("hard_deletes")?);
    adapter_methods::hard_deletes(Some(&invalidate), Some(&mode)).map(Value::from)
}
