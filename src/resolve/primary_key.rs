//! The primary key of a model, as far as constraints and tests tell.

use std::collections::{BTreeSet, HashMap};

use crate::manifest::{Constraint, Detail, Json, Node, UniqueId};

/// What one generic test says of its model's columns.
struct Said {
    columns: Vec<String>,
    kind: Kind,
    enabled: bool,
}

#[derive(PartialEq)]
enum Kind {
    Unique,
    NotNull,
}

/// Sets every model's `primary_key`: from constraints, else the columns that are unique and not null, else the unique ones.
pub fn infer(nodes: &mut [Node]) {
    let mut said: HashMap<UniqueId, Vec<Said>> = HashMap::new();
    for node in nodes.iter() {
        if let Some((model, one)) = of_test(node) {
            said.entry(model).or_default().push(one);
        }
    }
    for node in nodes.iter_mut() {
        let tests = said.get(&node.unique_id).map(Vec::as_slice).unwrap_or_default();
        let Detail::Model(model) = &node.detail else { continue };
        let from_columns = || {
            let keyed = node.columns.values().find(|column| column.constraints.iter().any(is_key));
            keyed.map(|column| vec![column.name.clone()])
        };
        let mut key = of_constraints(&model.constraints).or_else(from_columns).unwrap_or_else(|| of_tests(tests));
        key.sort();
        if let Detail::Model(model) = &mut node.detail {
            model.primary_key = key;
        }
    }
}

fn is_key(constraint: &Constraint) -> bool {
    constraint.body.get("type").and_then(Json::as_str) == Some("primary_key")
}

fn texts(value: &Json) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}

fn of_constraints(constraints: &[Constraint]) -> Option<Vec<String>> {
    constraints.iter().find(|constraint| is_key(constraint)).map(|own| own.body.get("columns").map(texts).unwrap_or_default())
}

fn of_test(node: &Node) -> Option<(UniqueId, Said)> {
    let test = node.test()?;
    let metadata = test.metadata.as_ref()?;
    let kind = match metadata.name.as_str() {
        "unique" | "unique_combination_of_columns" => Kind::Unique,
        "not_null" => Kind::NotNull,
        _ => return None,
    };
    let columns = match (metadata.kwargs.get("column_name"), metadata.kwargs.get("combination_of_columns")) {
        (Some(Json::String(column)), _) => vec![column.clone()],
        (_, Some(list)) => texts(list),
        _ => Vec::new(),
    };
    Some((test.attached_node.clone()?, Said { columns, kind, enabled: node.config.enabled() }))
}

fn of_tests(tests: &[Said]) -> Vec<String> {
    let all = |fits: &dyn Fn(&Said) -> bool| -> BTreeSet<String> {
        tests.iter().filter(|said| fits(said)).flat_map(|said| said.columns.iter().cloned()).collect()
    };
    let enabled = all(&|said| said.kind == Kind::Unique && said.enabled);
    let disabled = all(&|said| said.kind == Kind::Unique && !said.enabled);
    let not_null = all(&|said| said.kind == Kind::NotNull);
    let both: Vec<String> = not_null.into_iter().filter(|column| enabled.contains(column) || disabled.contains(column)).collect();
    if !both.is_empty() {
        return both;
    }
    (if enabled.is_empty() { disabled } else { enabled }).into_iter().collect()
}
