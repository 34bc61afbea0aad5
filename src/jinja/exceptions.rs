//! dbt's `exceptions`: errors that macros raise, each of its kind.

use std::sync::Arc;

use minijinja::Value;

use super::value::{Dict, Instance, attribute, get, instance, is_defined, items, none, text};
use super::{Args, Cx, Error, ErrorKind, Message};

/// The object itself.
pub(super) fn exceptions() -> Value {
    instance(Arc::new(Exceptions))
}

#[derive(Debug)]
struct Exceptions;

const METHODS: [&str; 22] = [
    "warn",
    "warn_once",
    "missing_config",
    "missing_materialization",
    "missing_relation",
    "raise_ambiguous_alias",
    "raise_ambiguous_catalog_match",
    "raise_cache_inconsistent",
    "raise_dataclass_not_dict",
    "raise_compiler_error",
    "raise_database_error",
    "raise_dep_not_found",
    "raise_dependency_error",
    "raise_duplicate_patch_name",
    "raise_duplicate_resource_name",
    "raise_invalid_property_yml_version",
    "raise_not_implemented",
    "relation_wrong_type",
    "raise_contract_error",
    "column_type_missing",
    "raise_fail_fast_error",
    "warn_snapshot_timestamp_data_types",
];

impl Instance for Exceptions {
    fn type_name(&self) -> &'static str {
        "dict"
    }

    fn text(&self) -> String {
        "<exceptions>".to_owned()
    }

    fn methods(&self) -> &'static [&'static str] {
        &METHODS
    }

    fn call_method(&self, cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        match name {
            "warn" | "warn_once" => warn(cx, args.text(0, "msg").unwrap_or_default()),
            "warn_snapshot_timestamp_data_types" => {
                let (snapshot, updated) = (said(&args, 0, "snapshot_time_data_type"), said(&args, 1, "updated_at_data_type"));
                warn(
                    cx,
                    format!(
                        "Data type of snapshot table timestamp columns ({snapshot}) doesn't match derived column 'updated_at' \
                         ({updated}). Please update snapshot config 'updated_at'."
                    ),
                )?;
                Ok(none())
            }
            _ => Err(raised(name, &args).unwrap_or_else(|| Error::missing_method(self.type_name(), name))),
        }
    }
}

fn warn(cx: &Cx<'_>, message: String) -> Result<Value, Error> {
    if let Some(host) = cx.host() {
        host.message(Message::Warn(message))?;
    }
    Ok(Value::from(""))
}

fn said(args: &Args, position: usize, name: &str) -> String {
    args.get(position, name).map(text).unwrap_or_default()
}

/// The error that a function of that name raises.
fn raised(name: &str, args: &Args) -> Option<Error> {
    let first = |name: &str| said(args, 0, name);
    let runtime = |message: String| Error::new(ErrorKind::Runtime, message);
    Some(match name {
        "raise_compiler_error" => Error::compilation(first("msg")),
        "raise_database_error" => Error::new(ErrorKind::Database, first("msg")),
        "raise_not_implemented" => runtime(format!("ERROR: {}", first("msg"))),
        "raise_fail_fast_error" | "raise_dependency_error" => runtime(first("msg")),
        "raise_cache_inconsistent" => runtime(format!("Cache inconsistency detected: {}", first("message"))),
        "raise_dataclass_not_dict" => Error::compilation(format!("The object ({}) was used as a dictionary.", first("obj"))),
        "raise_contract_error" => contract(args),
        "missing_config" => missing_config(args),
        "missing_materialization" => missing_materialization(args),
        "missing_relation" => Error::compilation(format!("Relation {} not found!", first("relation"))),
        "relation_wrong_type" => wrong_type(args),
        "column_type_missing" => Error::compilation(format!(
            "Contracted models require data_type to be defined for each column.  Please ensure that the column name and \
             data_type are defined within the YAML configuration for the {} column(s).",
            first("column_names")
        )),
        "raise_ambiguous_alias" => ambiguous_alias(args),
        "raise_ambiguous_catalog_match" => Error::compilation(format!(
            "The warehouse has more than one relation for {}, whose names differ in case only: {} and {}. Rename or drop one.",
            first("unique_id"),
            relation_path(args.get(1, "match_1")),
            relation_path(args.get(2, "match_2"))
        )),
        "raise_dep_not_found" => Error::compilation(format!(
            "Error while parsing {}.\nThe required package \"{}\" was not found. Is the package installed?\nHint: You may need to \
             run `dbt deps`.",
            said(args, 1, "node_description"),
            said(args, 2, "required_pkg")
        )),
        "raise_duplicate_patch_name" => Error::compilation(format!(
            "'{}' is described in two property files, the other one is {}. Remove one of the two.",
            field(args.get(0, "patch_1"), "name"),
            said(args, 1, "existing_patch_path")
        )),
        "raise_duplicate_resource_name" => Error::compilation(format!(
            "dbt found two resources with the name \"{}\": {} and {}. Rename one of the two.",
            field(args.get(0, "node_1"), "name"),
            field(args.get(0, "node_1"), "unique_id"),
            field(args.get(1, "node_2"), "unique_id")
        )),
        "raise_invalid_property_yml_version" => Error::compilation(format!(
            "The yml property file at {} is invalid because {}.",
            said(args, 0, "path"),
            said(args, 1, "issue")
        )),
        _ => return None,
    })
}

/// A part of a node or relation, whatever it is made of.
fn field(value: Option<&Value>, name: &str) -> String {
    let found = value.and_then(|value| get(value, name).or_else(|| attribute(value, name).ok().filter(is_defined)));
    found.map(|value| text(&value)).unwrap_or_default()
}

fn relation_path(entry: Option<&Value>) -> String {
    let Some(entry) = entry else { return String::new() };
    let metadata = get(entry, "metadata");
    let part = |name: &str| field(metadata.as_ref().or(Some(entry)), name);
    format!("{}.{}", part("schema"), part("name"))
}

fn missing_config(args: &Args) -> Error {
    let (node, name) = (field(args.get(0, "model"), "unique_id"), said(args, 1, "name"));
    Error::compilation(format!("Model '{node}' does not define a required config parameter '{name}'."))
}

fn missing_materialization(args: &Args) -> Error {
    let config = args.get(0, "model").and_then(|model| get(model, "config"));
    let materialized = field(config.as_ref(), "materialized");
    let adapter = said(args, 1, "adapter_type");
    Error::compilation(format!(
        "No materialization '{materialized}' was found for adapter {adapter}! (searched types 'default' and '{adapter}')"
    ))
}

fn wrong_type(args: &Args) -> Error {
    let relation = args.get(0, "relation");
    let (kind, expected) = (field(relation, "type"), said(args, 1, "expected_type"));
    Error::compilation(format!(
        "Trying to create {expected} {}, but it currently exists as a {kind}. Either drop {} manually, or run dbt with \
         `--full-refresh` and dbt will drop it for you.",
        relation.map(text).unwrap_or_default(),
        relation.map(text).unwrap_or_default()
    ))
}

fn ambiguous_alias(args: &Args) -> Error {
    let name = match args.given(2, "duped_name") {
        Some(name) => text(name),
        None => field(args.get(0, "node_1"), "relation_name"),
    };
    Error::compilation(format!(
        "dbt found two resources with the database representation \"{name}\": {} and {}. Give one of them another alias, name or \
         schema.",
        field(args.get(0, "node_1"), "unique_id"),
        field(args.get(1, "node_2"), "unique_id")
    ))
}

/// A contract that does not hold: both sides' columns, and where they differ.
fn contract(args: &Args) -> Error {
    let columns = |position: usize, name: &str| -> Vec<(String, String)> {
        let listed = args.get(position, name).and_then(items).unwrap_or_default();
        listed
            .iter()
            .map(|column| {
                let part = |name: &str| match column.downcast_object_ref::<Dict>() {
                    Some(dict) => dict.get(&Value::from(name)).map(|value| text(&value)).unwrap_or_default(),
                    None => field(Some(column), name),
                };
                (part("name"), part("formatted"))
            })
            .collect()
    };
    let (wanted, found) = (columns(0, "yaml_columns"), columns(1, "sql_columns"));
    let kind = |formatted: &str| formatted.split_once(' ').map_or(formatted, |(_, kind)| kind).trim().to_owned();
    let mut rows: Vec<[String; 4]> = Vec::new();
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    for (name, formatted) in &found {
        match wanted.iter().find(|(other, _)| same(name, other)) {
            None => rows.push([name.clone(), kind(formatted), String::new(), "missing in contract".into()]),
            Some((_, other)) if !same(&kind(formatted), &kind(other)) => {
                rows.push([name.clone(), kind(formatted), kind(other), "data type mismatch".into()]);
            }
            Some(_) => {}
        }
    }
    for (name, formatted) in wanted.iter().filter(|(name, _)| !found.iter().any(|(other, _)| same(name, other))) {
        rows.push([name.clone(), String::new(), kind(formatted), "missing in definition".into()]);
    }
    rows.sort();
    if wanted.is_empty() {
        return Error::new(
            ErrorKind::Compilation,
            "This model has an enforced contract, and its 'columns' specification is missing. Name its columns, with their \
             data types.",
        );
    }
    Error::compilation(format!(
        "This model has an enforced contract that failed.\nPlease ensure the name, data_type, and number of columns in your \
         contract match the columns in your model's definition.\n\n{}",
        table(["column_name", "definition_type", "contract_type", "mismatch_reason"], &rows)
    ))
}

/// A table as dbt prints it.
fn table(head: [&str; 4], rows: &[[String; 4]]) -> String {
    let mut widths = head.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; 4]| {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("| {} |", padded.join(" | "))
    };
    let mut out = vec![line(head), format!("| {} |", widths.map(|width| "-".repeat(width)).join(" | "))];
    out.extend(rows.iter().map(|row| line([&row[0], &row[1], &row[2], &row[3]])));
    out.join("\n")
}
