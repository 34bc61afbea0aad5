//! Model contracts: constraints, what they refer to, and the contract's checksum.

use std::fmt::Write as _;

use crate::diagnostic::Diagnostic;
use crate::manifest::{Constraint, Detail, Json, Language, Node};

use super::patch::Patch;
use super::{columns, python};
use crate::manifest::static_call::{self, Named};

/// Reads a model's constraints from its property file, checks them, follows foreign keys, and makes the checksum.
pub fn apply(node: &mut Node, patch: &Patch, diagnostics: &mut Vec<Diagnostic>) {
    let own = columns::constraints(patch.constraints(), true, &patch.file, diagnostics);
    if node.contract.enforced {
        require(node, patch, diagnostics);
        diagnostics.extend(unsupported(node, &own, patch));
    }
    check_primary_keys(node, &own, patch, diagnostics);
    foreign_keys(node, &own, patch, diagnostics);
    node.contract.checksum = node.contract.enforced.then(|| checksum(node, &own));
    if let Detail::Model(model) = &mut node.detail {
        model.constraints = own;
    }
}

/// A contract needs documented columns and SQL.
fn require(node: &Node, patch: &Patch, diagnostics: &mut Vec<Diagnostic>) {
    let fail = |message: &str, help: &str| {
        Diagnostic::error("E0259", format!("Contract enforcement failed for: ({}) {message}", node.original_file_path))
            .at(&patch.file.source, patch.place())
            .help(help)
            .node(node.unique_id.shared())
    };
    if node.columns.is_empty() {
        let message = "Constraints must be defined in a `yml` schema configuration file like `schema.yml`.";
        diagnostics.push(fail(message, "list the model's columns, each with its data_type, under `columns:`"));
    }
    if node.language != Language::Sql {
        let message = format!("Language Error: Expected 'sql' but found '{}'", node.language.as_str());
        diagnostics.push(fail(&message, "contracts hold for SQL models only"));
    }
}

/// Only tables have constraints.
fn unsupported(node: &Node, own: &[Constraint], patch: &Patch) -> Option<Diagnostic> {
    let materialized = node.config.materialized();
    let warns = |constraint: &Constraint| constraint.body.get("warn_unsupported") != Some(&Json::Bool(false));
    let mut all = node.columns.values().flat_map(|column| &column.constraints).chain(own);
    if ["table", "incremental"].contains(&materialized) || !all.any(warns) {
        return None;
    }
    let message =
        format!("Constraint types are not supported for {materialized} materializations: those of {} are ignored", node.name);
    let warning = Diagnostic::warning("W0219", message).event("UnsupportedConstraintMaterialization");
    let help = "set `warn_unsupported: false` on the constraints to keep them without this warning";
    Some(warning.at(&patch.file.source, patch.place()).help(help).node(node.unique_id.shared()))
}

fn is(constraint: &Constraint, kind: &str) -> bool {
    constraint.body.get("type").and_then(Json::as_str) == Some(kind)
}

fn check_primary_keys(node: &Node, own: &[Constraint], patch: &Patch, diagnostics: &mut Vec<Diagnostic>) {
    let keyed: Vec<&str> = node
        .columns
        .values()
        .filter(|column| column.constraints.iter().any(|constraint| is(constraint, "primary_key")))
        .map(|column| column.name.as_str())
        .collect();
    let mut fail = |message: String| {
        let message = format!("Primary key constraint error: ({}) {message}", node.original_file_path);
        diagnostics.push(Diagnostic::error("E0260", message).at(&patch.file.source, patch.place()).node(node.unique_id.shared()));
    };
    if keyed.len() > 1 {
        fail(format!(
            "Found {} columns ([{}]) with primary key constraints defined. Primary keys for multiple columns must be defined \
             as a model level constraint.",
            keyed.len(),
            keyed.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
        ));
    }
    if !keyed.is_empty() && own.iter().any(|constraint| is(constraint, "primary_key")) {
        fail(
            "Primary key constraints defined at the model level and the columns level. Primary keys can be defined at the \
             model level or the column level, not both."
                .to_owned(),
        );
    }
}

/// `to: ref('x')` of foreign keys counts as a reference of the model.
fn foreign_keys(node: &mut Node, own: &[Constraint], patch: &Patch, diagnostics: &mut Vec<Diagnostic>) {
    let of_columns = node.columns.values().flat_map(|column| &column.constraints);
    let targets: Vec<String> = own
        .iter()
        .chain(of_columns)
        .filter(|constraint| is(constraint, "foreign_key"))
        .filter_map(|constraint| constraint.body.get("to").and_then(Json::as_str).map(str::to_owned))
        .collect();
    for target in targets {
        match static_call::read(&target) {
            Some(Named::Ref(call)) => node.refs.push(call),
            Some(Named::Source(source, table)) => node.sources.push((source, table)),
            None => {
                let message =
                    format!("Invalid 'ref' or 'source' syntax on foreign key constraint 'to' on model {}: {target}.", node.name);
                diagnostics.push(Diagnostic::error("E0261", message).at(&patch.file.source, patch.place()));
            }
        }
    }
}

/// Does DuckDB or PostgreSQL enforce constraints for this materialization?
fn enforces(materialized: &str) -> bool {
    matches!(materialized, "table" | "incremental")
}

/// dbt's checksum of a contract: the columns by name with types and constraints, then the model's own constraints where its
/// materialization enforces them, in the notation that dbt hashes.
fn checksum(node: &Node, own: &[Constraint]) -> String {
    let mut columns: Vec<_> = node.columns.values().collect();
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    let mut state = String::new();
    for column in columns {
        let kind = column.data_type.as_deref().unwrap_or("None");
        let _ = write!(state, "|{}{kind}{}", column.name, list("ColumnLevelConstraint", &column.constraints));
    }
    if enforces(node.config.materialized()) {
        state.push_str(node.config.materialized());
        state.push_str(&list("ModelLevelConstraint", own));
    }
    python::sha256(&state)
}

fn list(class: &str, constraints: &[Constraint]) -> String {
    let each: Vec<String> = constraints
        .iter()
        .map(|constraint| {
            let parts: Vec<String> = constraint
                .body
                .iter()
                .map(|(key, value)| match (key.as_str(), value.as_str()) {
                    ("type", Some(kind)) => format!("type=<ConstraintType.{kind}: '{kind}'>"),
                    _ => format!("{key}={}", python::repr(value)),
                })
                .collect();
            format!("{class}({})", parts.join(", "))
        })
        .collect();
    format!("[{}]", each.join(", "))
}
