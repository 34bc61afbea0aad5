//! How a model's enforced contract changed since an earlier manifest, and whether that breaks who relies on it.

use chrono::{DateTime, Utc};

use crate::manifest::{Json, JsonMap};

/// What became of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// Nobody who relied on it is hurt.
    Additive,
    /// What was promised is gone, each as a text for people.
    Breaking(Vec<String>),
}

const ENFORCED: [&str; 5] = ["check", "not_null", "unique", "primary_key", "foreign_key"];

fn text<'a>(of: &'a Json, key: &str) -> Option<&'a str> {
    of.get(key).and_then(Json::as_str)
}

fn is_enforced(node: &Json) -> bool {
    node.pointer("/contract/enforced").and_then(Json::as_bool).unwrap_or(false)
}

fn materialized(node: &Json) -> &str {
    node.pointer("/config/materialized").and_then(Json::as_str).unwrap_or_default()
}

/// Does the warehouse see to constraints for its materialization?
fn enforces_constraints(node: &Json) -> bool {
    matches!(materialized(node), "table" | "incremental")
}

fn constraints(of: &Json) -> &[Json] {
    of.get("constraints").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The constraints that were enforced and are no more.
fn lost<'a>(old: &'a Json, new: &'a Json) -> impl Iterator<Item = &'a Json> {
    let kept = constraints(new);
    constraints(old).iter().filter(move |constraint| {
        text(constraint, "type").is_some_and(|kind| ENFORCED.contains(&kind)) && !kept.contains(constraint)
    })
}

fn constraint_name(constraint: &Json) -> &str {
    text(constraint, "name").or_else(|| text(constraint, "type")).unwrap_or_default()
}

/// A type without its size: `varchar(10)` and `VARCHAR` promise the same.
fn base_type(column: &Json) -> Option<String> {
    text(column, "data_type").map(|kind| kind.split('(').next().unwrap_or_default().trim().to_lowercase())
}

/// Compares a model, as the manifest writes it, with what it was.
pub(super) fn change(new: &Json, old: &Json) -> Change {
    let checksum = |node: &Json| node.pointer("/contract/checksum").cloned().unwrap_or_default();
    match (is_enforced(old), is_enforced(new)) {
        (false, false) => return Change::None,
        (false, true) => return Change::Additive,
        (true, true) if checksum(old) == checksum(new) => return Change::None,
        _ => {}
    }
    let mut reasons = Vec::new();
    if !is_enforced(new) {
        reasons.push(
            "Contract enforcement was removed: Previously, this model had an enforced contract. It is no longer configured to \
             enforce its contract, and this is a breaking change."
                .to_owned(),
        );
    }
    columns(new, old, &mut reasons);
    let rules: Vec<String> = if enforces_constraints(old) {
        let named = |lost: &Json| format!("'{}' constraint on columns {}", constraint_name(lost), listed(lost.get("columns")));
        lost(old, new).map(named).collect()
    } else {
        Vec::new()
    };
    told("Enforced model level constraints were removed", &rules, &mut reasons);
    let none = JsonMap::new();
    let of_columns = old.get("columns").and_then(Json::as_object).unwrap_or(&none);
    let constrained = !constraints(old).is_empty() || of_columns.values().any(|column| !constraints(column).is_empty());
    if enforces_constraints(old) && !enforces_constraints(new) && constrained {
        let change = format!("{} -> {}", materialized(old), materialized(new));
        told("Materialization changed with enforced constraints", &[change], &mut reasons);
    }
    if reasons.is_empty() { Change::Additive } else { Change::Breaking(reasons) }
}

fn columns(new: &Json, old: &Json, reasons: &mut Vec<String>) {
    let none = JsonMap::new();
    let of = |node: &Json| node.get("columns").and_then(Json::as_object).cloned().unwrap_or_else(|| none.clone());
    let (before, now) = (of(old), of(new));
    let mut keys: Vec<&String> = before.keys().collect();
    keys.sort();
    let (mut removed, mut retyped, mut loosened) = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        let was = &before[key];
        let Some(is) = now.get(key) else {
            removed.push(text(was, "name").unwrap_or(key).to_owned());
            continue;
        };
        if base_type(was) != base_type(is) {
            let shown = |column| text(column, "data_type").unwrap_or("None").to_owned();
            retyped.push(format!("{} ({} -> {})", text(was, "name").unwrap_or(key), shown(was), shown(is)));
        }
        if enforces_constraints(old) {
            loosened.extend(lost(was, is).map(|lost| format!("'{}' constraint on column {key}", constraint_name(lost))));
        }
    }
    told("Columns were removed", &removed, reasons);
    told("Columns with data_type changes", &retyped, reasons);
    told("Enforced column level constraints were removed", &loosened, reasons);
}

fn told(what: &str, items: &[String], reasons: &mut Vec<String>) {
    if !items.is_empty() {
        reasons.push(format!("{what}: \n    - {}", items.join("\n    - ")));
    }
}

/// A list of names in Python's notation.
fn listed(names: Option<&Json>) -> String {
    let names: Vec<String> =
        names.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).map(|name| format!("'{name}'")).collect();
    format!("[{}]", names.join(", "))
}

/// Why the loss of a whole model (deleted, renamed or, then `disabled`, switched off) breaks its contract; None where it had
/// none, or was announced by a deprecation date that has passed.
pub(super) fn removed(model: &Json, disabled: bool) -> Option<String> {
    let over = text(model, "deprecation_date").and_then(|date| DateTime::parse_from_rfc3339(date).ok());
    if !is_enforced(model) || over.is_some_and(|date| date < Utc::now()) {
        return None;
    }
    let what = if disabled { "disabled" } else { "deleted or renamed" };
    Some(format!("Contracted model '{}' was {what}.", text(model, "unique_id").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn model(checksum: &str, materialized: &str, columns: &Json) -> Json {
        json!({"contract": {"enforced": true, "checksum": checksum}, "config": {"materialized": materialized},
            "columns": columns, "constraints": []})
    }

    #[test]
    fn what_was_promised_must_stay() {
        let id = json!({"name": "id", "data_type": "int", "constraints": [{"type": "not_null", "name": null}]});
        let old = model("a", "table", &json!({"id": id, "name": {"name": "name", "data_type": "varchar(3)"}}));
        assert_eq!(change(&old, &old), Change::None);
        let wider = model("b", "table", &json!({"id": id, "name": {"name": "name", "data_type": "VARCHAR(9)"}}));
        assert_eq!(change(&wider, &old), Change::Additive);
        let other = model("c", "view", &json!({"id": {"name": "id", "data_type": "text"}}));
        assert_eq!(
            change(&other, &old),
            Change::Breaking(vec![
                "Columns were removed: \n    - name".to_owned(),
                "Columns with data_type changes: \n    - id (int -> text)".to_owned(),
                "Enforced column level constraints were removed: \n    - 'not_null' constraint on column id".to_owned(),
                "Materialization changed with enforced constraints: \n    - table -> view".to_owned(),
            ])
        );
        let dropped = json!({"contract": {"enforced": false}, "columns": {}});
        assert!(matches!(change(&dropped, &old), Change::Breaking(reasons) if reasons[0].starts_with("Contract enforcement")));
        assert!(removed(&old, false).is_some_and(|reason| reason.ends_with("was deleted or renamed.")));
        assert_eq!(removed(&dropped, true), None);
    }
}
