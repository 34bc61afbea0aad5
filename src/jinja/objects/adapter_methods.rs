//! `adapter` in Jinja: the checklist of its methods with what each gives at parse time, and those that need no warehouse.
//!
//! The list is dbt's, `cache_replaced` and `load_rows`: what `BaseAdapter`, `SQLAdapter` and `DuckDBAdapter` mark as available, and the wrapper's own.

use std::sync::Arc;

use super::super::{Args, Dict, Error, ErrorKind, Instance, Value, get, instance, list, none, pairs, text, tuple};
use super::{constraint, dict, indexes, relation, table};
use crate::adapter::Features;
use crate::agate::{self, Cell, CellType, Table};
use crate::manifest::{Dialect, Include, JsonMap};

/// What a method gives while a project is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtParse {
    /// The same as when it runs: see [`pure`].
    Works,
    None,
    EmptyList,
    False,
    /// `(None, None)`.
    Nones,
    /// A response without text, and an empty table.
    EmptyTable,
    /// An empty text: for methods that only take note of something.
    EmptyText,
}

/// Every name that `adapter` answers to.
pub const AVAILABLE: &[(&str, AtParse)] = &[
    ("Relation", AtParse::Works),
    ("add_query", AtParse::Nones),
    ("already_exists", AtParse::False),
    ("assert_valid_snapshot_target_given_strategy", AtParse::None),
    ("batch_id_for_model", AtParse::Works),
    ("behavior", AtParse::Works),
    ("build_catalog_relation", AtParse::Works),
    ("cache_added", AtParse::EmptyText),
    ("cache_dropped", AtParse::EmptyText),
    ("cache_renamed", AtParse::EmptyText),
    ("cache_replaced", AtParse::EmptyText),
    ("catalog_supports_foreign_keys", AtParse::False),
    ("check_schema_exists", AtParse::False),
    ("commit", AtParse::None),
    ("config", AtParse::Works),
    ("convert_datetimes_to_strs", AtParse::Works),
    ("convert_type", AtParse::Works),
    ("create_schema", AtParse::None),
    ("disable_transactions", AtParse::Works),
    ("dispatch", AtParse::Works),
    ("drop_relation", AtParse::None),
    ("drop_schema", AtParse::None),
    ("ensure_transaction", AtParse::None),
    ("escape_sql_string", AtParse::Works),
    ("execute", AtParse::EmptyTable),
    ("existing_key_constraint_types", AtParse::EmptyList),
    ("expand_target_column_types", AtParse::None),
    ("external_read_location", AtParse::Works),
    ("external_root", AtParse::Works),
    ("external_write_options", AtParse::Works),
    ("get_binding_char", AtParse::Works),
    ("get_catalog_integration", AtParse::Works),
    ("get_column_schema_from_query", AtParse::EmptyList),
    ("get_columns_in_relation", AtParse::EmptyList),
    ("get_columns_in_table", AtParse::EmptyList),
    ("get_hard_deletes_behavior", AtParse::None),
    ("get_incremental_strategy_macro", AtParse::None),
    ("get_missing_columns", AtParse::EmptyList),
    ("get_partitions_metadata", AtParse::EmptyTable),
    ("get_relation", AtParse::None),
    ("get_seed_file_path", AtParse::Works),
    ("get_temp_relation_path", AtParse::Works),
    ("is_ducklake", AtParse::Works),
    ("is_motherduck", AtParse::Works),
    ("load_rows", AtParse::None),
    ("location_exists", AtParse::False),
    ("parse_index", AtParse::Works),
    ("quote", AtParse::Works),
    ("quote_as_configured", AtParse::Works),
    ("quote_seed_column", AtParse::Works),
    ("rename_relation", AtParse::None),
    ("render_raw_columns_constraints", AtParse::Works),
    ("render_raw_model_constraints", AtParse::Works),
    ("run_sql_for_tests", AtParse::None),
    ("standardize_grants_dict", AtParse::Works),
    ("store_relation", AtParse::None),
    ("truncate_relation", AtParse::None),
    ("type", AtParse::Works),
    ("use_ducklake_table_workarounds", AtParse::Works),
    ("valid_incremental_strategies", AtParse::Works),
    ("valid_snapshot_target", AtParse::None),
    ("verify_database", AtParse::EmptyText),
    ("warn_once", AtParse::EmptyText),
];

/// The names alone, for objects whose methods may be taken as values.
pub fn names() -> &'static [&'static str] {
    static NAMES: std::sync::LazyLock<Vec<&'static str>> =
        std::sync::LazyLock::new(|| AVAILABLE.iter().map(|(name, _)| *name).collect());
    &NAMES
}

/// What that method gives while a project is parsed; None for [`AtParse::Works`] and for unknown names.
pub fn parse_value(name: &str) -> Option<Value> {
    let (_, kind) = AVAILABLE.iter().find(|(known, _)| *known == name)?;
    Some(match kind {
        AtParse::Works => return None,
        AtParse::None => none(),
        AtParse::EmptyList => list(Vec::new()),
        AtParse::False => false.into(),
        AtParse::Nones => tuple(vec![none(), none()]),
        AtParse::EmptyTable => tuple(vec!["".into(), table::value(Table::empty())]),
        AtParse::EmptyText => "".into(),
    })
}

/// What the methods that need no warehouse have to know.
#[derive(Debug, Clone, Default)]
pub struct AdapterFacts {
    /// `duckdb`.
    pub kind: Arc<str>,
    pub features: Features,
    /// The project's `quoting`.
    pub quoting: Include,
    /// Flags of dbt_project.yml: `adapter.behavior`.
    pub flags: JsonMap,
    pub project_name: Arc<str>,
    /// Profile, target and shown credentials: `adapter.config`.
    pub config: JsonMap,
}

impl AdapterFacts {
    pub fn dialect(&self) -> Dialect {
        Dialect::of(&self.kind)
    }
}

/// Attributes of `adapter` that are no methods.
pub fn attribute(facts: &AdapterFacts, name: &str) -> Option<Value> {
    match name {
        "Relation" => Some(relation::class(facts.quoting, facts.dialect())),
        "behavior" => Some(instance(Arc::new(Behavior(facts.flags.clone())))),
        "config" => Some(super::super::from_json(&facts.config.clone().into())),
        _ => None,
    }
}

/// Calls a method that needs no warehouse; None if that name is none of them.
pub fn pure(facts: &AdapterFacts, name: &str, args: &Args) -> Option<Result<Value, Error>> {
    let argument = |position: usize, key: &str| args.text(position, key).unwrap_or_default();
    let ok = |value: Value| Some(Ok(value));
    match name {
        "type" => ok(Value::from(&*facts.kind)),
        "quote" => ok(format!("\"{}\"", argument(0, "identifier")).into()),
        "quote_as_configured" => {
            let identifier = argument(0, "identifier");
            let quoted = match argument(1, "quote_key").as_str() {
                "database" => facts.quoting.database,
                "schema" => facts.quoting.schema,
                "identifier" => facts.quoting.identifier,
                _ => false,
            };
            ok(if quoted { format!("\"{identifier}\"") } else { identifier }.into())
        }
        "quote_seed_column" => Some(quote_seed_column(args)),
        "convert_type" => Some(convert_type(args)),
        "convert_datetimes_to_strs" => Some(convert_datetimes(args)),
        "standardize_grants_dict" => Some(standardize_grants(args)),
        "render_raw_columns_constraints" => Some(with_argument(args, name, "raw_columns", constraint::columns)),
        "render_raw_model_constraints" => Some(with_argument(args, name, "raw_constraints", constraint::model)),
        "escape_sql_string" => ok(argument(0, "value").replace('\'', "''").into()),
        "disable_transactions" => ok(facts.features.disable_transactions.into()),
        "external_root" => ok(facts.features.external_root.as_str().into()),
        "get_binding_char" => ok(facts.features.binding.into()),
        "is_ducklake" => ok(is_ducklake(facts, args).into()),
        // MotherDuck is refused; the workarounds are for DuckDB before 1.5.3, and the engine here is newer.
        "is_motherduck" | "use_ducklake_table_workarounds" => ok(false.into()),
        "valid_incremental_strategies" => ok(list(STRATEGIES.iter().map(|name| Value::from(*name)).collect())),
        "get_seed_file_path" => Some(seed_file_path(args)),
        "external_write_options" => Some(write_options(args)),
        "external_read_location" => ok(read_location(args).into()),
        "parse_index" => Some(indexes::parse(facts.dialect(), args)),
        "batch_id_for_model" => ok(batch_id(args).into()),
        "get_temp_relation_path" => ok(temp_relation_path(args)),
        "get_catalog_integration" => Some(Err(no_catalog(&argument(0, "name")))),
        "build_catalog_relation" => Some(build_catalog_relation(args)),
        _ => None,
    }
}

/// Incremental strategies that DuckDB has.
pub const STRATEGIES: [&str; 4] = ["append", "delete+insert", "merge", "microbatch"];

fn with_argument(
    args: &Args,
    method: &str,
    name: &str,
    render: impl Fn(&Value) -> Result<Vec<String>, Error>,
) -> Result<Value, Error> {
    let rendered = render(args.required(method, 0, name)?)?;
    Ok(list(rendered.into_iter().map(Value::from).collect()))
}

fn quote_seed_column(args: &Args) -> Result<Value, Error> {
    let column = text(args.required("quote_seed_column", 0, "column")?);
    let quoted = match args.given(1, "quote_config") {
        None => true,
        Some(choice) if matches!(choice.kind(), super::super::ValueKind::Bool) => choice.is_true(),
        Some(other) => {
            let shown = super::super::repr(other);
            return Err(Error::compilation(format!(
                "The seed configuration value of \"quote_columns\" has an invalid type: {shown}"
            )));
        }
    };
    Ok(if quoted { format!("\"{column}\"") } else { column }.into())
}

fn table_argument(args: &Args, method: &str, name: &str) -> Result<Arc<Table>, Error> {
    let given = args.required(method, 0, name)?;
    table::of(given)
        .ok_or_else(|| Error::compilation(format!("{method}() needs a table as '{name}', got {}", super::super::repr(given))))
}

fn convert_type(args: &Args) -> Result<Value, Error> {
    let table = table_argument(args, "convert_type", "agate_table")?;
    let index = args.given(1, "col_idx").and_then(table::index_of).and_then(|index| usize::try_from(index).ok()).unwrap_or(0);
    Ok(agate::convert_type(&table, index).map_or_else(none, Value::from))
}

fn convert_datetimes(args: &Args) -> Result<Value, Error> {
    let table = table_argument(args, "convert_datetimes_to_strs", "table")?;
    if !table.column_types.contains(&CellType::DateTime) {
        return Ok(table::value(table));
    }
    let mut texts = Table::clone(&table);
    for (index, kind) in texts.column_types.iter_mut().enumerate().filter(|(_, kind)| **kind == CellType::DateTime) {
        *kind = CellType::Text;
        texts.rows.change(|rows| {
            for cell in rows.iter_mut().filter_map(|row| row.get_mut(index)).filter(|cell| !cell.is_null()) {
                *cell = Cell::text(cell.to_string());
            }
        });
    }
    Ok(table::value(texts))
}

/// `{privilege: [grantee, …]}` out of a table of grants.
fn standardize_grants(args: &Args) -> Result<Value, Error> {
    let table = table_argument(args, "standardize_grants_dict", "grants_table")?;
    let mut grants: indexmap::IndexMap<String, Vec<Value>> = indexmap::IndexMap::new();
    for row in 0..table.len() {
        let cell = |name: &str| {
            let missing = || Error::new(ErrorKind::Runtime, format!("the table of grants has no column '{name}'"));
            table.get(row, name).ok_or_else(missing)
        };
        grants.entry(cell("privilege_type")?.to_string()).or_default().push(table::cell_value(cell("grantee")?));
    }
    Ok(dict(grants.into_iter().map(|(privilege, grantees)| (privilege, list(grantees)))))
}

fn is_ducklake(facts: &AdapterFacts, args: &Args) -> bool {
    let relation = args.given(0, "relation").and_then(relation::of);
    let database = relation.and_then(|relation| relation.database).map(|database| database.to_lowercase());
    database.is_some_and(|database| facts.features.ducklake.contains(&database))
}

fn seed_file_path(args: &Args) -> Result<Value, Error> {
    let model = args.required("get_seed_file_path", 0, "model")?;
    let part = |name: &str| get(model, name).filter(|value| !value.is_none()).map(|value| text(&value)).unwrap_or_default();
    let path = std::path::Path::new(&part("root_path")).join(part("original_file_path"));
    Ok(path.to_string_lossy().into_owned().into())
}

/// The options of a `COPY … TO`: the format out of the file's name where it isn't given, texts quoted.
fn write_options(args: &Args) -> Result<Value, Error> {
    let location = text(args.required("external_write_options", 0, "write_location")?);
    let given = args.required("external_write_options", 1, "rendered_options")?;
    let mut options: Vec<(String, String)> =
        pairs(given).unwrap_or_default().into_iter().map(|(key, value)| (text(&key), text(&value))).collect();
    let has = |options: &[(String, String)], key: &str| options.iter().any(|(name, _)| name == key);
    if !has(&options, "format") {
        let (format, compression) = file_format(&location);
        let format = format.unwrap_or_else(|| if has(&options, "delimiter") { "csv" } else { "parquet" }.to_string());
        options.push(("format".to_string(), format));
        if let Some(compression) = compression.filter(|_| !has(&options, "compression")) {
            options.push(("compression".to_string(), compression.to_string()));
        }
    }
    let is_csv = options.iter().any(|(name, value)| name == "format" && value == "csv");
    if is_csv && !has(&options, "header") {
        options.push(("header".to_string(), "1".to_string()));
    }
    // The caller's dict tells the materialization what the file is written as.
    if let Some(kept) = given.downcast_object::<Dict>() {
        for (name, value) in options.iter().filter(|(name, _)| kept.get(&name.as_str().into()).is_none()) {
            kept.insert(name.as_str().into(), value.as_str().into());
        }
    }
    let render = |(name, value): &(String, String)| match name.to_lowercase().as_str() {
        "partition_by" if value.contains(',') && !value.starts_with('(') => format!("{name} ({value})"),
        "delimiter" | "quote" | "escape" | "null" if !value.starts_with('\'') => format!("{name} '{value}'"),
        _ => format!("{name} {value}"),
    };
    Ok(options.iter().map(render).collect::<Vec<_>>().join(", ").into())
}

/// Format and compression that a file's name asks for: `data.csv.gz` is a csv, gzipped.
fn file_format(location: &str) -> (Option<String>, Option<&'static str>) {
    let file = location.rsplit('/').next().unwrap_or(location);
    let split = |file: &str| {
        file.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(stem, end)| (stem.to_string(), end.to_lowercase()))
    };
    let Some((stem, end)) = split(file) else { return (None, None) };
    let compression = match end.as_str() {
        "gz" => "gzip",
        "zst" => "zstd",
        _ => return (Some(end), None),
    };
    match split(&stem) {
        Some((_, end)) => (Some(end), Some(compression)),
        None => (None, None),
    }
}

/// Where an external model is read back from: a glob over what partitioned writes leave.
fn read_location(args: &Args) -> String {
    let location = args.text(0, "write_location").unwrap_or_default();
    let option = |name: &str| {
        args.get(1, "rendered_options").and_then(|options| get(options, name)).filter(Value::is_true).map(|value| text(&value))
    };
    let partitions = option("partition_by");
    if partitions.is_none() && option("per_thread_output").is_none() {
        return location;
    }
    let levels = 1 + partitions.map_or(0, |columns| columns.split(',').count());
    let format = option("format").unwrap_or_else(|| "parquet".to_string());
    format!("{location}{}.{format}", "/*".repeat(levels))
}

/// A microbatch's id out of the model's batch: its start, without punctuation.
fn batch_id(args: &Args) -> String {
    let start = args.get(0, "model").and_then(|model| get(model, "batch")).and_then(|batch| get(&batch, "event_time_start"));
    start
        .filter(|start| !start.is_none())
        .map_or_else(String::new, |start| text(&start).replace(['-', ':', '+'], "").replace(' ', "_"))
}

/// The path of a table that stands in for a temporary one.
fn temp_relation_path(args: &Args) -> Value {
    let model = args.get(0, "model").and_then(relation::of).unwrap_or_default();
    let name = model.identifier.as_deref().unwrap_or_default();
    let batch = args.text(1, "batch_id").filter(|batch| !batch.is_empty()).map(|batch| format!("__{batch}")).unwrap_or_default();
    let id = uuid::Uuid::new_v4().simple().to_string();
    let id = id.get(20..).unwrap_or(&id);
    dict([
        ("database", super::optional(model.database.as_deref())),
        ("schema", "dbt_temp".into()),
        ("identifier", format!("{name}__{id}{batch}").into()),
    ])
}

fn no_catalog(name: &str) -> Error {
    Error::new(
        ErrorKind::Runtime,
        format!("Catalog not found. Received: {name}; no catalog integration is configured for DuckDB"),
    )
}

fn build_catalog_relation(args: &Args) -> Result<Value, Error> {
    let config = args.get(0, "config").and_then(|model| get(model, "config"));
    let named = |key: &str| config.as_ref().and_then(|config| get(config, key)).filter(Value::is_true);
    match named("catalog_name").or_else(|| named("catalog")) {
        Some(name) => Err(no_catalog(&text(&name))),
        None => Ok(none()),
    }
}

/// `adapter.behavior.<flag>`: on or off, with `.no_warn` and `.setting`.
#[derive(Debug)]
struct Behavior(JsonMap);

/// Flags of dbt's adapters, and whether they are on by default.
const BEHAVIOR_FLAGS: [(&str, bool); 3] = [
    ("require_batched_execution_for_custom_microbatch_strategy", false),
    ("enable_truthy_nulls_equals_macro", false),
    ("postgres_skip_autocommit_transaction_statements", true),
];

impl Instance for Behavior {
    fn type_name(&self) -> &'static str {
        "Behavior"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        let given = self.0.get(name).and_then(serde_json::Value::as_bool);
        let default = BEHAVIOR_FLAGS.iter().find(|(known, _)| *known == name).map(|(_, on)| *on);
        let on = given.or(default)?;
        Some(instance(Arc::new(BehaviorFlag { name: name.to_string(), on })))
    }

    fn text(&self) -> String {
        "Behavior".to_string()
    }
}

#[derive(Debug)]
struct BehaviorFlag {
    name: String,
    on: bool,
}

impl Instance for BehaviorFlag {
    fn type_name(&self) -> &'static str {
        "BehaviorFlagRendered"
    }

    fn attribute(&self, name: &str) -> Option<Value> {
        match name {
            "no_warn" | "setting" => Some(self.on.into()),
            "name" => Some(self.name.as_str().into()),
            _ => None,
        }
    }

    fn text(&self) -> String {
        if self.on { "True" } else { "False" }.to_string()
    }

    fn truthy(&self) -> bool {
        self.on
    }

    fn equals(&self, other: &Value) -> bool {
        matches!(other.kind(), super::super::ValueKind::Bool) && other.is_true() == self.on
    }
}

/// What a snapshot does with rows that are gone: out of `hard_deletes` and the older `invalidate_hard_deletes`.
pub fn hard_deletes(invalidate: Option<&Value>, hard_deletes: Option<&Value>) -> Result<&'static str, Error> {
    let given = |value: Option<&Value>| value.filter(|value| !value.is_none() && !value.is_undefined()).cloned();
    let (invalidate, mode) = (given(invalidate), given(hard_deletes).map(|mode| text(&mode)));
    match (invalidate, mode.as_deref()) {
        (Some(_), Some(_)) => Err(Error::compilation(
            "You cannot set both the invalidate_hard_deletes and hard_deletes config properties on the same snapshot.",
        )),
        (Some(on), None) if on.is_true() => Ok("invalidate"),
        (_, Some("invalidate")) => Ok("invalidate"),
        (_, Some("new_record")) => Ok("new_record"),
        (_, None | Some("ignore")) => Ok("ignore"),
        _ => Err(Error::compilation("Invalid setting for property hard_deletes.")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::from_json;
    use super::*;

    fn call(name: &str, args: Vec<Value>) -> String {
        let facts = AdapterFacts {
            kind: "duckdb".into(),
            features: Features { ducklake: vec!["lake".to_string()], ..Features::default() },
            ..AdapterFacts::default()
        };
        match pure(&facts, name, &Args::new(args)) {
            Some(Ok(value)) => text(&value),
            Some(Err(error)) => format!("error: {error}"),
            None => "unknown".to_string(),
        }
    }

    #[test]
    fn every_name_that_works_at_parse_time_is_answered() {
        let facts = AdapterFacts::default();
        for (name, kind) in AVAILABLE.iter().filter(|(_, kind)| *kind == AtParse::Works) {
            let answered =
                attribute(&facts, name).is_some() || pure(&facts, name, &Args::default()).is_some() || *name == "dispatch";
            assert!(answered, "{name} {kind:?}");
        }
        assert!(AVAILABLE.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, each once");
    }

    #[test]
    fn write_options_follow_the_files_name() {
        let options = |location: &str, options: serde_json::Value| {
            call("external_write_options", vec![location.into(), from_json(&options)])
        };
        assert_eq!(options("out/data.csv.GZ", json!({})), "format csv, compression gzip, header 1");
        assert_eq!(options("out/data", json!({"delimiter": "|"})), "delimiter '|', format csv, header 1");
        assert_eq!(options("out/data", json!({"partition_by": "a, b"})), "partition_by (a, b), format parquet");
        let told = from_json(&json!({}));
        call("external_write_options", vec!["out/data.csv.gz".into(), told.clone()]);
        assert_eq!(text(&told), "{'format': 'csv', 'compression': 'gzip', 'header': '1'}");
        let read = |options: serde_json::Value| call("external_read_location", vec!["out".into(), from_json(&options)]);
        assert_eq!(read(json!({"partition_by": "a,b"})), "out/*/*/*.parquet");
        assert_eq!(read(json!({})), "out");
    }

    #[test]
    fn seed_columns_are_quoted_as_configured() {
        assert_eq!(call("quote_seed_column", vec!["a".into(), none()]), "\"a\"");
        assert_eq!(call("quote_seed_column", vec!["a".into(), false.into()]), "a");
        assert!(call("quote_seed_column", vec!["a".into(), "no".into()]).starts_with("error"));
    }

    #[test]
    fn grants_are_grouped_by_privilege() {
        let rows = [["alice", "select"], ["bob", "select"], ["bob", "insert"]].map(|row| row.map(Cell::text).to_vec());
        let grants = Table::from_result(["grantee", "privilege_type"].into_iter(), rows.to_vec());
        let shown = call("standardize_grants_dict", vec![table::value(grants)]);
        assert_eq!(shown, "{'select': ['alice', 'bob'], 'insert': ['bob']}");
    }

    #[test]
    fn hard_deletes_have_two_spellings() {
        let yes = Value::from(true);
        let new = Value::from("new_record");
        assert_eq!(hard_deletes(Some(&yes), None).ok(), Some("invalidate"));
        assert_eq!(hard_deletes(None, Some(&new)).ok(), Some("new_record"));
        assert_eq!(hard_deletes(Some(&none()), None).ok(), Some("ignore"));
        assert!(hard_deletes(Some(&yes), Some(&new)).is_err());
    }
}
