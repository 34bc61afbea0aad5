//! The columns of every node: what the warehouse knows, what is documented, what is tested, what ancestors say.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::site::{Column, Node, Site};
use crate::manifest::{ColumnInfo, Json, JsonMap, Resource};

/// Fills `columns` of all nodes. Tests must be there.
pub fn fill(site: &mut Site) {
    for at in 0..site.nodes.len() {
        let mut columns = merged(&site.nodes[at]);
        attach_tests(site, at, &mut columns);
        site.nodes[at].columns = columns;
    }
    inherit(site);
    site.shared_columns = shared(site);
}

/// Names that more than one node has, in lower case.
fn shared(site: &Site) -> HashSet<String> {
    let mut first: HashMap<String, usize> = HashMap::new();
    let mut shared = HashSet::new();
    for (at, node) in site.nodes.iter().enumerate() {
        for column in &node.columns {
            let name = column.name.to_lowercase();
            match first.get(&name) {
                Some(known) if *known != at => drop(shared.insert(name)),
                Some(_) => {}
                None => drop(first.insert(name, at)),
            }
        }
    }
    shared
}

/// In the warehouse's order, then those that are only documented.
fn merged(node: &Node) -> Vec<Column> {
    let documented = node.documented();
    let primary: &[String] = match &node.resource {
        Resource::Node(of) => of.model().map_or(&[], |model| &model.primary_key),
        _ => &[],
    };
    let mut by_name: HashMap<String, &ColumnInfo> =
        documented.into_iter().flatten().map(|(_, info)| (info.name.to_lowercase(), info)).collect();
    let mut columns = Vec::new();
    if let Some(table) = &node.catalog {
        let mut known: Vec<_> = table.columns.iter().collect();
        known.sort_by_key(|column| column.index);
        for column in known {
            let info = by_name.remove(&column.name.to_lowercase());
            let mut made = info.map(documented_column).unwrap_or_default();
            column.name.clone_into(&mut made.name);
            made.kind = Some(column.kind.clone()).filter(|kind| !kind.is_empty()).or(made.kind);
            if made.description.is_empty() {
                made.description = column.comment.clone().unwrap_or_default();
            }
            columns.push(made);
        }
    }
    let known = !columns.is_empty();
    let others = documented.into_iter().flatten().filter(|(_, info)| by_name.contains_key(&info.name.to_lowercase()));
    columns.extend(others.map(|(_, info)| Column { missing: known, ..documented_column(info) }));
    for column in &mut columns {
        column.primary |= primary.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
    }
    columns
}

fn documented_column(info: &ColumnInfo) -> Column {
    Column {
        name: info.name.clone(),
        kind: info.data_type.clone(),
        primary: info.constraints.iter().any(|constraint| text(&constraint.body, "type") == Some("primary_key")),
        description: info.description.clone(),
        constraints: info.constraints.iter().map(|constraint| shown(&constraint.body)).collect(),
        tags: info.tags.clone(),
        meta: info.meta.clone(),
        ..Column::default()
    }
}

/// A constraint in a few words: `not null`, `check (price > 0)`, `foreign key → ref('orders') (id)`.
pub fn shown(body: &JsonMap) -> String {
    let mut out = text(body, "type").unwrap_or("constraint").replace('_', " ");
    let list = |key: &str| {
        let items: Vec<&str> = body.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
        (!items.is_empty()).then(|| items.join(", "))
    };
    if let Some(columns) = list("columns") {
        out.push_str(&format!(" ({columns})"));
    }
    if let Some(expression) = text(body, "expression").filter(|text| !text.is_empty()) {
        out.push_str(&format!(" ({expression})"));
    }
    if let Some(to) = text(body, "to") {
        out.push_str(&format!(" → {to}"));
    }
    if let Some(columns) = list("to_columns") {
        out.push_str(&format!(" ({columns})"));
    }
    out
}

fn text<'a>(body: &'a JsonMap, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Json::as_str)
}

/// Tests of a column are those attached to its node that name it.
fn attach_tests(site: &Site, at: usize, columns: &mut Vec<Column>) {
    for &test in &site.nodes[at].tests {
        let found = &site.tests[test];
        let (Some(name), Some(&first)) = (found.column.as_deref(), found.nodes.first()) else { continue };
        if first != at {
            continue;
        }
        let name = name.trim_matches('"');
        match columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(name)) {
            Some(column) => column.tests.push(test),
            // A test may name an expression; a plain name is a column that nothing else tells of.
            None if name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') => {
                columns.push(Column { name: name.to_owned(), tests: vec![test], ..Column::default() });
            }
            None => {}
        }
    }
}

/// Columns without a description get that of the nearest parent's column of the same name. Parents come first.
fn inherit(site: &mut Site) {
    // (node, column in lower case) → the description, and the node that has it.
    let mut known: Vec<BTreeMap<String, (String, usize)>> = Vec::new();
    known.resize_with(site.nodes.len(), BTreeMap::new);
    for at in order(site) {
        let parents = site.nodes[at].parents.clone();
        let mut told = BTreeMap::new();
        for column in &mut site.nodes[at].columns {
            let name = column.name.to_lowercase();
            if !column.description.trim().is_empty() {
                told.insert(name, (column.description.clone(), at));
            } else if let Some((text, from)) = parents.iter().find_map(|parent| known[*parent].get(&name)) {
                column.description.clone_from(text);
                column.inherited_from = Some(*from);
                told.insert(name, (text.clone(), *from));
            }
        }
        known[at] = told;
    }
}

/// All nodes, parents before children.
pub fn order(site: &Site) -> Vec<usize> {
    let mut waiting: Vec<usize> = site.nodes.iter().map(|node| node.parents.len()).collect();
    let mut ready: Vec<usize> = (0..site.nodes.len()).filter(|at| waiting[*at] == 0).collect();
    let mut next = 0;
    while let Some(&at) = ready.get(next) {
        next += 1;
        for &child in &site.nodes[at].children {
            waiting[child] -= 1;
            if waiting[child] == 0 {
                ready.push(child);
            }
        }
    }
    ready
}
