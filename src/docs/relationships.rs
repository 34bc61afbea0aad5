//! Which column refers to which: from relationships tests and foreign keys.

use indexmap::IndexMap;

use super::site::{Relationship, Site};
use crate::manifest::{Constraint, Json, JsonMap, Resource};

/// All of them, foreign keys after tests; each pair of columns once.
pub fn find(site: &Site) -> Vec<Relationship> {
    let mut found = Found::new();
    for at in 0..site.tests.len() {
        add(&mut found, of_test(site, at));
    }
    for at in 0..site.nodes.len() {
        let Resource::Node(node) = &site.nodes[at].resource else { continue };
        for column in node.columns.values() {
            for constraint in &column.constraints {
                add(&mut found, foreign_key(site, at, constraint, Some(&column.name)));
            }
        }
        for constraint in node.model().into_iter().flat_map(|model| &model.constraints) {
            add(&mut found, foreign_key(site, at, constraint, None));
        }
    }
    found.into_values().collect()
}

/// Relationships by their two ends, in the order in which they were found.
type Found = IndexMap<(usize, String, usize, String), Relationship>;

fn add(found: &mut Found, new: Option<Relationship>) {
    let Some(new) = new else { return };
    let ends = (new.from, new.from_column.clone(), new.to, new.to_column.clone());
    let enforced = new.enforced;
    found.entry(ends).or_insert(new).enforced |= enforced;
}

fn of_test(site: &Site, at: usize) -> Option<Relationship> {
    let test = &site.tests[at];
    let Resource::Node(node) = &test.resource else { return None };
    let metadata = node.test()?.metadata.as_ref()?;
    if !matches!(metadata.name.as_str(), "relationships" | "relationships_where") {
        return None;
    }
    let from = *test.nodes.first()?;
    let argument = |name: &str| {
        let nested = metadata.kwargs.get("arguments").and_then(|arguments| arguments.get(name));
        metadata.kwargs.get(name).or(nested).and_then(Json::as_str)
    };
    let to = test.nodes.get(1).copied().unwrap_or(from);
    let from_column = argument("column_name").map(str::to_owned).or_else(|| test.column.clone())?;
    let to_column = argument("field")?.to_owned();
    Some(Relationship { from, from_column, to, to_column, enforced: false, test: Some(at) })
}

fn foreign_key(site: &Site, from: usize, constraint: &Constraint, column: Option<&str>) -> Option<Relationship> {
    let body = &constraint.body;
    let text = |key: &str| body.get(key).and_then(Json::as_str);
    if text("type") != Some("foreign_key") {
        return None;
    }
    // `ref('orders')`: the last word in quotes; or a relation's name.
    let to = text("to")?;
    let name = to.rsplit(['\'', '"']).nth(1).or_else(|| to.rsplit('.').next())?;
    let node = &site.nodes[from];
    let by_name = |at: &usize| site.nodes[*at].resource.name() == name;
    let to = node.parents.iter().copied().find(by_name).or_else(|| (0..site.nodes.len()).find(by_name))?;
    let from_column = column.map(str::to_owned).or_else(|| first(body, "columns"))?;
    let to_column = first(body, "to_columns").unwrap_or_else(|| from_column.clone());
    Some(Relationship { from, from_column, to, to_column, enforced: true, test: None })
}

fn first(body: &JsonMap, key: &str) -> Option<String> {
    body.get(key)?.as_array()?.first()?.as_str().map(str::to_owned)
}
